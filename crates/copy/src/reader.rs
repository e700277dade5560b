//! Text and CSV rows from a stream.

use std::ops::Range;

use types::Result;

use super::line::{Lines, Next};
use super::{Csv, Header, Options, Progress, bad, flag};

/// A field of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field<'a> {
    /// NULL.
    Null,
    /// The column's default.
    Default,
    /// These bytes, escapes undone; not yet checked to be text.
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    /// The bytes, unless NULL or default.
    pub fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Field::Bytes(b) => Some(b),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
enum Slot {
    Null,
    Default,
    Bytes(Range<usize>),
}

/// A row's fields, in memory used again for the next row.
#[derive(Clone, Debug, Default)]
pub struct Row {
    bytes: Vec<u8>,
    slots: Vec<Slot>,
}

impl Row {
    /// How many fields.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Field `column`, counted from 0.
    pub fn get(&self, column: usize) -> Option<Field<'_>> {
        self.slots.get(column).map(|s| self.field(s))
    }

    /// The fields in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Field<'_>> {
        self.slots.iter().map(|s| self.field(s))
    }

    fn field(&self, slot: &Slot) -> Field<'_> {
        match slot {
            Slot::Null => Field::Null,
            Slot::Default => Field::Default,
            Slot::Bytes(range) => Field::Bytes(&self.bytes[range.clone()]),
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.slots.clear();
    }

    pub(super) fn push(&mut self, value: Option<&[u8]>) {
        let start = self.bytes.len();
        match value {
            None => self.slots.push(Slot::Null),
            Some(v) => {
                self.bytes.extend_from_slice(v);
                self.slots.push(Slot::Bytes(start..self.bytes.len()));
            }
        }
    }
}

/// Reads text or CSV.
#[derive(Debug)]
pub struct RowReader {
    options: Options,
    lines: Lines,
    line: Option<Range<usize>>,
    header_read: bool,
    column_count: Option<usize>,
}

impl RowReader {
    /// A reader; with a `column_count`, rows of more fields are errors. Fewer are the caller's to refuse, see
    /// [`super::missing_data`].
    pub fn new(options: Options, column_count: Option<usize>) -> RowReader {
        let lines = Lines::new(options.csv.as_ref());
        let header_read = options.header == Header::No;
        RowReader { options, lines, line: None, header_read, column_count }
    }

    /// Appends data.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.line = None;
        self.lines.feed(chunk);
    }

    /// No more data will come.
    pub fn finish(&mut self) {
        self.lines.finish();
    }

    /// The number of the line read last, from 1. A row of several lines has the number of its last one.
    pub fn line_number(&self) -> u64 {
        self.lines.line_number
    }

    /// The line read last, for error contexts; `None` when cutting it failed or more was fed.
    pub fn line(&self) -> Option<&[u8]> {
        self.line.clone().map(|range| &self.lines.bytes[range])
    }

    /// Reads the next row into `row`.
    pub fn next_row(&mut self, row: &mut Row) -> Result<Progress> {
        loop {
            self.line = None;
            let range = match self.lines.next()? {
                Next::Line(range) => range,
                Next::NeedMore => return Ok(Progress::NeedMore),
                // PostgreSQL takes the header that is not there for an empty line.
                Next::Done if matches!(self.options.header, Header::Match(_)) && !self.header_read => {
                    self.lines.line_number += 1;
                    0..0
                }
                Next::Done => return Ok(Progress::Done),
            };
            self.line = Some(range.clone());
            if std::mem::replace(&mut self.header_read, true) {
                let line = &self.lines.bytes[range];
                return split(&self.options, self.column_count, line, row).map(|()| Progress::Row);
            }
            if let Header::Match(names) = &self.options.header {
                split(&self.options, None, &self.lines.bytes[range], row)?;
                check_header(names, row, &self.options.null)?;
            }
        }
    }
}

fn check_header(names: &[String], row: &Row, null: &[u8]) -> Result<()> {
    if row.len() != names.len() {
        let (got, expected) = (row.len(), names.len());
        return Err(bad(format!("wrong number of fields in header line: got {got}, expected {expected}")));
    }
    for (i, (field, name)) in row.iter().zip(names).enumerate() {
        let got = match field {
            Field::Bytes(b) if b == name.as_bytes() => continue,
            Field::Bytes(b) => format!("\"{}\"", String::from_utf8_lossy(b)),
            _ => format!("null value (\"{}\")", String::from_utf8_lossy(null)),
        };
        let n = i + 1;
        return Err(bad(format!("column name mismatch in header line field {n}: got {got}, expected \"{name}\"")));
    }
    Ok(())
}

fn split(options: &Options, column_count: Option<usize>, line: &[u8], row: &mut Row) -> Result<()> {
    row.clear();
    if column_count == Some(0) {
        return if line.is_empty() { Ok(()) } else { Err(extra_data()) };
    }
    let mut rest = line;
    loop {
        if column_count.is_some_and(|n| row.len() >= n) {
            return Err(extra_data());
        }
        let more = match &options.csv {
            None => text_field(options, rest, row),
            Some(csv) => csv_field(options, csv, rest, row)?,
        };
        match more {
            Some(next) => rest = &rest[next..],
            None => return Ok(()),
        }
    }
}

fn extra_data() -> types::SqlError {
    bad("extra data after last expected column")
}

/// Reads one field off `rest`; returns where the next one starts.
fn text_field(options: &Options, rest: &[u8], row: &mut Row) -> Option<usize> {
    let start = row.bytes.len();
    let mut at = 0;
    let end = loop {
        let Some(offset) = memchr::memchr2(options.delimiter, b'\\', &rest[at..]) else {
            row.bytes.extend_from_slice(&rest[at..]);
            break rest.len();
        };
        row.bytes.extend_from_slice(&rest[at..at + offset]);
        at += offset;
        if rest[at] == options.delimiter {
            break at;
        }
        at += 1;
        if at < rest.len() {
            let (byte, length) = escape(&rest[at..]);
            row.bytes.push(byte);
            at += length;
        }
    };
    let raw = &rest[..end];
    if raw == options.null {
        row.bytes.truncate(start);
        row.slots.push(Slot::Null);
    } else if options.default.as_deref() == Some(raw) {
        row.bytes.truncate(start);
        row.slots.push(Slot::Default);
    } else {
        row.slots.push(Slot::Bytes(start..row.bytes.len()));
    }
    (end < rest.len()).then_some(end + 1)
}

/// The byte an escape stands for, and how long the escape is after its backslash. `after` is not empty.
fn escape(after: &[u8]) -> (u8, usize) {
    let digits = |max: usize, base: u32, from: usize| {
        after
            .iter()
            .skip(from)
            .take(max)
            .map_while(|&b| char::from(b).to_digit(base))
            .fold((0u32, 0usize), |(v, n), d| (v * base + d, n + 1))
    };
    match after[0] {
        b'0'..=b'7' => {
            let (value, length) = digits(3, 8, 0);
            (value as u8, length)
        }
        b'x' => match digits(2, 16, 1) {
            (_, 0) => (b'x', 1),
            (value, length) => (value as u8, length + 1),
        },
        b'b' => (0x08, 1),
        b'f' => (0x0c, 1),
        b'n' => (b'\n', 1),
        b'r' => (b'\r', 1),
        b't' => (b'\t', 1),
        b'v' => (0x0b, 1),
        other => (other, 1),
    }
}

/// As [`text_field`].
fn csv_field(options: &Options, csv: &Csv, rest: &[u8], row: &mut Row) -> Result<Option<usize>> {
    let (start, column) = (row.bytes.len(), row.slots.len());
    let mut at = 0;
    let mut quoted = false;
    let end = 'field: loop {
        let Some(offset) = memchr::memchr2(options.delimiter, csv.quote, &rest[at..]) else {
            row.bytes.extend_from_slice(&rest[at..]);
            break rest.len();
        };
        row.bytes.extend_from_slice(&rest[at..at + offset]);
        at += offset;
        if rest[at] == options.delimiter {
            break at;
        }
        quoted = true;
        at += 1;
        loop {
            let Some(offset) = memchr::memchr2(csv.quote, csv.escape, &rest[at..]) else {
                return Err(bad("unterminated CSV quoted field"));
            };
            row.bytes.extend_from_slice(&rest[at..at + offset]);
            at += offset;
            let next = rest.get(at + 1).copied().filter(|&b| b == csv.quote || b == csv.escape);
            match next {
                Some(byte) if rest[at] == csv.escape => {
                    row.bytes.push(byte);
                    at += 2;
                }
                _ if rest[at] == csv.quote => {
                    at += 1;
                    continue 'field;
                }
                _ => {
                    row.bytes.push(csv.escape);
                    at += 1;
                }
            }
        }
    };
    let value = &row.bytes[start..];
    let slot = if (!quoted && rest[..end] == options.null[..] && !flag(&csv.force_not_null, column))
        || (quoted && flag(&csv.force_null, column) && value == options.null)
    {
        Slot::Null
    } else if !quoted && options.default.as_deref() == Some(&rest[..end]) {
        Slot::Default
    } else {
        Slot::Bytes(start..row.bytes.len())
    };
    row.slots.push(slot);
    Ok((end < rest.len()).then_some(end + 1))
}
