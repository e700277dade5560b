//! COPY's binary format: signature, flags, tuples of length-prefixed fields, trailer.

use bytes::{Buf, BufMut, BytesMut};
use types::Result;

use super::{ALLOCATION_BYTES_MAX, Progress, Row, bad, too_long};

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// Flag bits a reader must understand; bit 16 (OIDs) is one PostgreSQL gave up.
const CRITICAL_FLAGS: u32 = 0xffff_0000;
const OIDS_FLAG: u32 = 1 << 16;

/// Reads the binary format.
#[derive(Debug)]
pub struct BinaryReader {
    buf: BytesMut,
    column_count: usize,
    finished: bool,
    stage: Stage,
    row_number: u64,
    /// The field an error is about.
    column: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Header,
    /// So many bytes of header extension are left to skip.
    Extension(usize),
    Rows,
    Trailer,
}

impl BinaryReader {
    /// A reader of rows of `column_count` fields.
    pub fn new(column_count: usize) -> BinaryReader {
        let buf = BytesMut::new();
        BinaryReader { buf, column_count, finished: false, stage: Stage::Header, row_number: 0, column: None }
    }

    /// Appends data.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.buf.extend_from_slice(chunk);
    }

    /// No more data will come.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// The number of the row read last, from 1; PostgreSQL calls it a line.
    pub fn line_number(&self) -> u64 {
        self.row_number
    }

    /// The column, from 0, of the field that could not be read.
    pub fn column(&self) -> Option<usize> {
        self.column
    }

    /// Reads the next row into `row`. After an error, read no more.
    pub fn next_row(&mut self, row: &mut Row) -> Result<Progress> {
        if self.stage == Stage::Header && !self.header()? {
            return Ok(Progress::NeedMore);
        }
        if let Stage::Extension(left) = self.stage {
            let skipped = left.min(self.buf.len());
            self.buf.advance(skipped);
            self.stage = Stage::Extension(left - skipped);
            if skipped < left {
                return if self.finished { Err(wrong_length()) } else { Ok(Progress::NeedMore) };
            }
            self.stage = Stage::Rows;
        }
        if self.stage == Stage::Trailer {
            return self.after_trailer();
        }
        let mut rest = &self.buf[..];
        if rest.len() < 2 {
            return Ok(if self.finished { Progress::Done } else { Progress::NeedMore });
        }
        let field_count = rest.get_i16();
        if field_count == -1 {
            self.row_number += 1;
            self.buf.advance(2);
            self.stage = Stage::Trailer;
            return self.after_trailer();
        }
        if usize::try_from(field_count) != Ok(self.column_count) {
            self.row_number += 1;
            return Err(bad(format!("row field count is {field_count}, expected {}", self.column_count)));
        }
        row.clear();
        for column in 0..self.column_count {
            match field(&mut rest) {
                Ok(Some(value)) => row.push(value),
                Ok(None) if !self.finished => return Ok(Progress::NeedMore),
                failed => {
                    self.row_number += 1;
                    self.column = Some(column);
                    return Err(failed.err().unwrap_or_else(|| bad("unexpected EOF in COPY data")));
                }
            }
        }
        let left = rest.len();
        self.buf.advance(self.buf.len() - left);
        self.row_number += 1;
        Ok(Progress::Row)
    }

    /// Reads the header; false when it is not all there yet.
    fn header(&mut self) -> Result<bool> {
        let known = self.buf.len().min(SIGNATURE.len());
        if self.buf[..known] != SIGNATURE[..known] || (known < SIGNATURE.len() && self.finished) {
            return Err(bad("COPY file signature not recognized"));
        }
        let mut rest = &self.buf[known..];
        if rest.len() < 4 {
            return if self.finished { Err(bad("invalid COPY file header (missing flags)")) } else { Ok(false) };
        }
        let flags = rest.get_u32();
        if flags & OIDS_FLAG != 0 {
            return Err(bad("invalid COPY file header (WITH OIDS)"));
        }
        if flags & CRITICAL_FLAGS != 0 {
            return Err(bad("unrecognized critical flags in COPY file header"));
        }
        let missing = || bad("invalid COPY file header (missing length)");
        if rest.len() < 4 {
            return if self.finished { Err(missing()) } else { Ok(false) };
        }
        let extension_bytes = usize::try_from(rest.get_i32()).map_err(|_| missing())?;
        self.buf.advance(SIGNATURE.len() + 8);
        self.stage = Stage::Extension(extension_bytes);
        Ok(true)
    }

    fn after_trailer(&self) -> Result<Progress> {
        match self.buf.is_empty() {
            true if self.finished => Ok(Progress::Done),
            true => Ok(Progress::NeedMore),
            false => Err(bad("received copy data after EOF marker")),
        }
    }
}

fn wrong_length() -> types::SqlError {
    bad("invalid COPY file header (wrong length)")
}

/// Cuts a field off `rest`; `None` when it is not all there.
fn field<'a>(rest: &mut &'a [u8]) -> Result<Option<Option<&'a [u8]>>> {
    if rest.len() < 4 {
        return Ok(None);
    }
    let length = match rest.get_i32() {
        -1 => return Ok(Some(None)),
        n => usize::try_from(n).map_err(|_| bad("invalid field size"))?,
    };
    if length >= ALLOCATION_BYTES_MAX {
        return Err(too_long());
    }
    let Some((value, after)) = rest.split_at_checked(length) else { return Ok(None) };
    *rest = after;
    Ok(Some(Some(value)))
}

/// Writes the binary format.
#[derive(Clone, Copy, Debug)]
pub struct BinaryWriter;

impl BinaryWriter {
    /// Signature, no flags, no extension.
    pub fn header(buf: &mut BytesMut) {
        buf.put_slice(SIGNATURE);
        buf.put_u64(0);
    }

    /// Begins a row; then come so many [`BinaryWriter::field`]s.
    pub fn begin_row(buf: &mut BytesMut, field_count: u16) {
        buf.put_u16(field_count);
    }

    /// The next field of a row.
    pub fn field(buf: &mut BytesMut, value: Option<&[u8]>) {
        match value {
            None => buf.put_i32(-1),
            Some(v) => {
                buf.put_i32(i32::try_from(v.len()).unwrap_or(i32::MAX));
                buf.put_slice(v);
            }
        }
    }

    /// Ends the data.
    pub fn trailer(buf: &mut BytesMut) {
        buf.put_i16(-1);
    }
}
