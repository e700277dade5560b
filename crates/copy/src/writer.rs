//! Text and CSV rows into a buffer.

use bytes::{BufMut, BytesMut};

use super::{Csv, Options, flag};

/// Writes text or CSV.
#[derive(Debug)]
pub struct RowWriter {
    options: Options,
    column_count: usize,
    column: usize,
}

impl RowWriter {
    /// A writer of rows of `column_count` fields.
    pub fn new(options: Options, column_count: usize) -> RowWriter {
        RowWriter { options, column_count, column: 0 }
    }

    /// The header line; the caller knows whether one is wanted.
    pub fn header<'a>(&mut self, buf: &mut BytesMut, names: impl IntoIterator<Item = &'a str>) {
        for name in names {
            self.put(buf, Some(name.as_bytes()), false);
        }
        self.end_row(buf);
    }

    /// A whole row.
    pub fn row<'a>(&mut self, buf: &mut BytesMut, fields: impl IntoIterator<Item = Option<&'a [u8]>>) {
        for value in fields {
            self.field(buf, value);
        }
        self.end_row(buf);
    }

    /// The next field of a row.
    pub fn field(&mut self, buf: &mut BytesMut, value: Option<&[u8]>) {
        let force = self.options.csv.as_ref().is_some_and(|csv| flag(&csv.force_quote, self.column));
        self.put(buf, value, force);
    }

    /// Ends the row.
    pub fn end_row(&mut self, buf: &mut BytesMut) {
        self.column = 0;
        buf.put_u8(b'\n');
    }

    fn put(&mut self, buf: &mut BytesMut, value: Option<&[u8]>, force_quote: bool) {
        if self.column > 0 {
            buf.put_u8(self.options.delimiter);
        }
        self.column += 1;
        match (value, &self.options.csv) {
            (None, _) => buf.put_slice(&self.options.null),
            (Some(value), None) => text(buf, value, self.options.delimiter),
            (Some(value), Some(csv)) => {
                // Alone on its line, an unquoted `\.` would end the data.
                let quote = force_quote
                    || value == self.options.null
                    || (self.column_count == 1 && value == b"\\.")
                    || memchr::memchr2(self.options.delimiter, csv.quote, value).is_some()
                    || memchr::memchr2(b'\n', b'\r', value).is_some();
                if quote { quoted(buf, value, csv) } else { buf.put_slice(value) }
            }
        }
    }
}

fn text(buf: &mut BytesMut, value: &[u8], delimiter: u8) {
    let mut written = 0;
    for (at, &byte) in value.iter().enumerate() {
        let escaped = match byte {
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x0b => b'v',
            b'\\' => b'\\',
            b if b == delimiter => b,
            _ => continue,
        };
        buf.put_slice(&value[written..at]);
        buf.put_slice(&[b'\\', escaped]);
        written = at + 1;
    }
    buf.put_slice(&value[written..]);
}

fn quoted(buf: &mut BytesMut, value: &[u8], csv: &Csv) {
    buf.put_u8(csv.quote);
    let mut written = 0;
    for at in memchr::memchr2_iter(csv.quote, csv.escape, value) {
        buf.put_slice(&value[written..at]);
        buf.put_u8(csv.escape);
        written = at;
    }
    buf.put_slice(&value[written..]);
    buf.put_u8(csv.quote);
}
