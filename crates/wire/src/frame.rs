//! Message frames: writing a type byte and a back-patched length.

use bytes::{BufMut, BytesMut};

/// The longest value, row or message in bytes: PostgreSQL's `MaxAllocSize`.
pub(crate) const ALLOCATION_BYTES_MAX: usize = 0x3fff_ffff;

/// Writes message `tag`, whose body `body` writes.
pub(crate) fn message(buf: &mut BytesMut, tag: u8, body: impl FnOnce(&mut BytesMut)) {
    buf.put_u8(tag);
    untagged(buf, body);
}

/// Writes a message without type byte (start-up packets).
pub(crate) fn untagged(buf: &mut BytesMut, body: impl FnOnce(&mut BytesMut)) {
    let start = buf.len();
    buf.put_i32(0);
    body(buf);
    patch_length(buf, start, buf.len() - start);
}

/// Writes `length` into the four bytes at `at`.
pub(crate) fn patch_length(buf: &mut BytesMut, at: usize, length: usize) {
    let length = i32::try_from(length).unwrap_or(i32::MAX);
    buf[at..at + 4].copy_from_slice(&length.to_be_bytes());
}

/// Writes `text` and a NUL; a NUL inside ends the text early, for the reader could not tell it from the end.
pub(crate) fn put_string(buf: &mut BytesMut, text: &[u8]) {
    buf.put_slice(&text[..memchr::memchr(0, text).unwrap_or(text.len())]);
    buf.put_u8(0);
}

/// Writes a count back-patched from the number of items written.
pub(crate) fn put_counted<T>(
    buf: &mut BytesMut,
    items: impl IntoIterator<Item = T>,
    mut put: impl FnMut(&mut BytesMut, T),
) {
    let at = buf.len();
    buf.put_u16(0);
    let mut count = 0u16;
    for item in items.into_iter().take(usize::from(u16::MAX)) {
        put(buf, item);
        count += 1;
    }
    buf[at..at + 2].copy_from_slice(&count.to_be_bytes());
}

/// Writes a length and the bytes; NULL is length -1.
pub(crate) fn put_value(buf: &mut BytesMut, value: Option<&[u8]>) {
    match value {
        None => buf.put_i32(-1),
        Some(v) => {
            buf.put_i32(i32::try_from(v.len()).unwrap_or(i32::MAX));
            buf.put_slice(v);
        }
    }
}
