//! Results as protocol messages.

use std::io::Write;

use bytes::BytesMut;
use session::{Chunk, OutputColumn, Sink};
use types::{IoSettings, Oid, Result, SqlError, SqlState, oid};
use wire::{DataRow, FieldDescription, Formats, backend};

/// What is written out before more rows are made.
const FLUSH_BYTES: usize = 64 << 10;

/// Writes a statement's results to a connection.
pub struct Results<'a> {
    pub buffer: &'a mut BytesMut,
    pub writer: &'a mut dyn Write,
    pub settings: IoSettings,
    /// Formats of the columns; all text in simple queries.
    pub formats: Option<Formats>,
    /// Whether the columns are described before the rows.
    pub describe: bool,
    types: Vec<Oid>,
}

impl<'a> Results<'a> {
    pub fn new(buffer: &'a mut BytesMut, writer: &'a mut dyn Write, settings: IoSettings) -> Results<'a> {
        Results { buffer, writer, settings, formats: None, describe: true, types: Vec::new() }
    }
}

impl Results<'_> {
    fn row(&mut self, chunk: &Chunk, i: usize, value: &mut Vec<u8>) -> Result<()> {
        let mut row = DataRow::begin(self.buffer, self.types.len() as u16);
        for (c, (column, &ty)) in chunk.columns.iter().zip(&self.types).enumerate() {
            let datum = column.get(i);
            if datum.is_null() {
                row.null();
                continue;
            }
            value.clear();
            match self.formats.as_ref().and_then(|f| f.of(c)).unwrap_or(0) {
                0 => types::io::text_out(ty, &datum, &self.settings, value)?,
                _ => types::io::binary_out(ty, &datum, value)?,
            }
            row.bytes(value);
        }
        row.finish()
    }
}

/// The fields of a RowDescription.
pub fn fields(columns: &[OutputColumn], formats: Option<&Formats>) -> Vec<FieldDescription> {
    columns
        .iter()
        .enumerate()
        .map(|(i, c)| FieldDescription {
            name: c.name.clone(),
            table: Oid::NONE,
            attribute: 0,
            type_oid: c.ty,
            type_bytes: type_len(c.ty),
            typmod: c.typmod,
            format: formats.and_then(|f| f.of(i)).unwrap_or(0),
        })
        .collect()
}

fn type_len(ty: Oid) -> i16 {
    match ty {
        oid::BOOL | oid::CHAR => 1,
        oid::INT2 => 2,
        oid::INT4 | oid::FLOAT4 | oid::DATE | oid::OID => 4,
        oid::INT8 | oid::FLOAT8 | oid::TIME | oid::TIMESTAMP | oid::TIMESTAMPTZ => 8,
        oid::TIMETZ => 12,
        oid::UUID | oid::INTERVAL => 16,
        oid::NAME => 64,
        _ => -1,
    }
}

impl Sink for Results<'_> {
    fn columns(&mut self, columns: &[OutputColumn]) -> Result<()> {
        self.types = columns.iter().map(|c| c.ty).collect();
        if self.describe {
            backend::row_description(self.buffer, &fields(columns, self.formats.as_ref()));
        }
        Ok(())
    }

    fn chunk(&mut self, chunk: &Chunk) -> Result<()> {
        let mut value = Vec::new();
        for i in 0..chunk.rows {
            // A value that has no such form must not leave half a row behind.
            let start = self.buffer.len();
            let outcome = self.row(chunk, i, &mut value);
            if outcome.is_err() {
                self.buffer.truncate(start);
            }
            outcome?;
            if self.buffer.len() > FLUSH_BYTES {
                let outcome = self.writer.write_all(self.buffer);
                self.buffer.clear();
                outcome.map_err(|e| {
                    SqlError::new(SqlState::CONNECTION_FAILURE, format!("could not send data to client: {e}"))
                })?;
            }
        }
        Ok(())
    }

    fn complete(&mut self, tag: &str) {
        backend::command_complete(self.buffer, tag);
    }

    fn notice(&mut self, notice: &SqlError) {
        backend::notice_response(self.buffer, notice);
    }
}
