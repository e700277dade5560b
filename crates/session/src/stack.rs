//! Stack for statements: trees are walked by recursion, and how deep one is its text bounds.

/// Texts up to so many bytes nest no deeper than any thread's stack allows.
const SHORT_BYTES: usize = 128;
/// Longer ones than this get all there is.
const LONG_BYTES: usize = 2048;
/// What a level of the tree takes of the stack, at most, while it is bound, planned, run or dropped.
const LEVEL_BYTES: usize = 16 << 10;
/// Stack for those that nest deeply: only what is touched costs memory.
const DEEP_BYTES: usize = 512 << 20;

/// Bytes of stack that the tree of `sql` may need; 0 where any stack has them.
pub(crate) fn need(sql: &str) -> usize {
    match sql.len() {
        ..=SHORT_BYTES => 0,
        n if n <= LONG_BYTES => levels_max(sql) * LEVEL_BYTES,
        _ => DEEP_BYTES / 2,
    }
}

/// How many levels a text can have: every word, and every character that is none and separates none, may make one.
fn levels_max(sql: &str) -> usize {
    let (mut levels, mut in_word) = (0, false);
    for b in sql.bytes() {
        let word = b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80;
        let separates = matches!(b, b' ' | b'\n' | b'\t' | b'\r' | b',' | b'.' | b')' | b']' | b'\'' | b'"');
        levels += usize::from(word && !in_word || !word && !separates);
        in_word = word;
    }
    levels
}

/// Calls `f` where there are `bytes` of stack.
pub(crate) fn with_room<T>(bytes: usize, f: impl FnOnce() -> T) -> T {
    if bytes == 0 { f() } else { stacker::maybe_grow(bytes, DEEP_BYTES, f) }
}
