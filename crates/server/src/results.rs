//! Results as protocol messages.

use std::cell::Cell;

use bytes::BytesMut;
use session::{Chunk, CopyShape, OutputColumn, Sink};
use smallvec::SmallVec;
use types::{IoSettings, Oid, Physical, Result, SqlError, oid};
use wire::{DataRow, FieldDescription, Formats, backend};

use crate::channel::Channel;

/// Writes a statement's results to a connection.
pub struct Results<'a> {
    pub channel: &'a mut Channel,
    pub settings: IoSettings,
    /// Formats of the columns; all text in simple queries.
    pub formats: Option<Formats>,
    /// Whether the columns are described before the rows.
    pub describe: bool,
    types: SmallVec<[Oid; 8]>,
}

thread_local! {
    /// Room for one value of a row; whoever writes rows takes it and gives it back.
    static VALUE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// More room than this is not kept.
const VALUE_BYTES_MAX: usize = 4096;

impl<'a> Results<'a> {
    pub fn new(channel: &'a mut Channel, settings: IoSettings) -> Results<'a> {
        Results { channel, settings, formats: None, describe: true, types: SmallVec::new() }
    }

    fn rows(&mut self, chunk: &Chunk, names: &dyn types::io::TypeLookup, value: &mut Vec<u8>) -> Result<()> {
        for i in 0..chunk.rows {
            // A value that has no such form must not leave half a row behind.
            let start = self.channel.output.len();
            let outcome = self.row(chunk, i, names, value);
            if outcome.is_err() {
                self.channel.output.truncate(start);
            }
            outcome?;
            self.channel.relieve()?;
        }
        Ok(())
    }

    fn row(&mut self, chunk: &Chunk, i: usize, names: &dyn types::io::TypeLookup, value: &mut Vec<u8>) -> Result<()> {
        let buffer: &mut BytesMut = &mut self.channel.output;
        let mut row = DataRow::begin(buffer, self.types.len() as u16);
        for (c, (column, &ty)) in chunk.columns.iter().zip(&self.types).enumerate() {
            let datum = column.get(i);
            if datum.is_null() {
                row.null();
                continue;
            }
            value.clear();
            match self.formats.as_ref().and_then(|f| f.of(c)).unwrap_or(0) {
                0 => types::io::text_out_with(ty, &datum, &self.settings, names, value)?,
                _ => types::io::binary_out_with(ty, &datum, names, value)?,
            }
            row.bytes(value);
        }
        row.finish()
    }
}

/// The fields of a RowDescription.
pub fn fields<'c>(
    columns: &'c [OutputColumn],
    formats: Option<&'c Formats>,
) -> impl ExactSizeIterator<Item = FieldDescription<&'c str>> {
    columns.iter().enumerate().map(move |(i, c)| FieldDescription {
        name: &*c.name,
        table: c.origin.map_or(Oid::NONE, |o| o.0),
        attribute: c.origin.map_or(0, |o| o.1),
        type_oid: c.ty,
        type_bytes: type_len(c.ty),
        typmod: c.typmod,
        format: formats.and_then(|f| f.of(i)).unwrap_or(0),
    })
}

/// A type's size as PostgreSQL's catalog has it (`typlen`); ours in memory differs for some.
pub fn type_len(ty: Oid) -> i16 {
    match ty {
        oid::NAME => 64,
        oid::TIMETZ => 12,
        _ => match (ty.0, Physical::of(ty)) {
            // void
            (2278, _) => 4,
            // tid, macaddr
            (27 | 829, _) => 6,
            // macaddr8
            (774, _) => 8,
            // point, aclitem
            (600 | 1033, _) => 16,
            // line, circle
            (628 | 718, _) => 24,
            // lseg, box
            (601 | 603, _) => 32,
            // unknown, cstring
            (705 | 2275, _) => -2,
            (_, Physical::Bool | Physical::I8) => 1,
            (_, Physical::I16) => 2,
            (_, Physical::I32 | Physical::U32 | Physical::F32) => 4,
            (_, Physical::I64 | Physical::F64) => 8,
            (_, Physical::B16) => 16,
            (_, Physical::Var) => -1,
        },
    }
}

impl Sink for Results<'_> {
    fn columns(&mut self, columns: &[OutputColumn]) -> Result<()> {
        self.types = columns.iter().map(|c| c.ty).collect();
        if self.describe {
            backend::row_description(&mut self.channel.output, fields(columns, self.formats.as_ref()));
        }
        Ok(())
    }

    fn chunk(&mut self, chunk: &Chunk, names: &dyn types::io::TypeLookup) -> Result<()> {
        let mut value = VALUE.take();
        let outcome = self.rows(chunk, names, &mut value);
        if value.capacity() <= VALUE_BYTES_MAX {
            VALUE.set(value);
        }
        outcome
    }

    fn begin(&mut self, columns: &[OutputColumn], again: bool) -> Result<()> {
        if !again {
            return self.columns(columns);
        }
        self.types = columns.iter().map(|c| c.ty).collect();
        Ok(())
    }

    fn suspends(&self) -> bool {
        true
    }

    fn is_full(&self) -> bool {
        self.channel.is_full()
    }

    fn complete(&mut self, tag: &str) {
        backend::command_complete(&mut self.channel.output, tag);
    }

    fn notice(&mut self, notice: &SqlError) {
        backend::notice_response(&mut self.channel.output, notice);
    }

    fn copy_in(&mut self, shape: CopyShape) -> Result<()> {
        self.channel.copy_in(shape)
    }

    fn copy_out(&mut self, shape: CopyShape) -> Result<()> {
        backend::copy_out_response(&mut self.channel.output, u8::from(shape.binary), shape.column_count);
        Ok(())
    }

    fn copy_data(&mut self, row: &[u8]) -> Result<()> {
        self.channel.copy_data(row)
    }

    fn copy_done(&mut self) -> Result<()> {
        backend::copy_done(&mut self.channel.output);
        Ok(())
    }
}
