//! `CopyOut`: COPY TO under way: rows of a plan in, bytes out.

use bytes::BytesMut;
use copy::{BinaryWriter, Header, RowWriter};
use types::{Oid, Result};

use super::CopyShape;
use crate::execution::Running;
use crate::session::Session;

/// A COPY TO whose data are being asked for.
pub struct CopyOut {
    running: Running,
    types: Vec<Oid>,
    /// None for the binary format.
    writer: Option<RowWriter>,
    header: bool,
    started: bool,
    ended: bool,
    rows: u64,
    buffer: BytesMut,
    value: Vec<u8>,
}

impl CopyOut {
    pub(super) fn new(running: Running, binary: bool, codec: copy::Options) -> CopyOut {
        let types: Vec<Oid> = running.columns().iter().map(|c| c.ty).collect();
        let header = codec.header == Header::Yes;
        CopyOut {
            writer: (!binary).then(|| RowWriter::new(codec, types.len())),
            running,
            types,
            header,
            started: false,
            ended: false,
            rows: 0,
            buffer: BytesMut::new(),
            value: Vec::new(),
        }
    }

    /// What the data look like.
    pub fn shape(&self) -> CopyShape {
        CopyShape { binary: self.writer.is_none(), column_count: self.types.len() }
    }

    /// Rows given out so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn tag(&self) -> String {
        format!("COPY {}", self.rows)
    }

    pub(super) fn keep_snapshot(&mut self, session: &Session) {
        self.running.keep_snapshot(session);
    }

    /// Gives some more rows to `write`, row by row; `None` when there are no more.
    pub(crate) fn next(
        &mut self,
        session: &mut Session,
        write: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Option<()>> {
        if self.ended {
            return Ok(None);
        }
        if !std::mem::replace(&mut self.started, true) {
            match &mut self.writer {
                // Goes out with the first row.
                None => BinaryWriter::header(&mut self.buffer),
                Some(writer) if self.header => {
                    writer.header(&mut self.buffer, self.running.columns().iter().map(|c| &*c.name));
                    write(&self.buffer)?;
                    self.buffer.clear();
                }
                Some(_) => {}
            }
        }
        let Some(chunk) = self.running.next_chunk(session)? else {
            self.ended = true;
            if self.writer.is_none() {
                BinaryWriter::trailer(&mut self.buffer);
                write(&self.buffer)?;
                self.buffer.clear();
            }
            return Ok(None);
        };
        for i in 0..chunk.rows {
            if self.writer.is_none() {
                BinaryWriter::begin_row(&mut self.buffer, self.types.len() as u16);
            }
            for (column, &ty) in chunk.columns.iter().zip(&self.types) {
                let datum = column.get(i);
                self.value.clear();
                let value = if datum.is_null() {
                    None
                } else {
                    match &self.writer {
                        Some(_) => session.text_out(ty, &datum, &mut self.value)?,
                        None => session.binary_out(ty, &datum, &mut self.value)?,
                    }
                    Some(&self.value[..])
                };
                match &mut self.writer {
                    Some(writer) => writer.field(&mut self.buffer, value),
                    None => BinaryWriter::field(&mut self.buffer, value),
                }
            }
            if let Some(writer) = &mut self.writer {
                writer.end_row(&mut self.buffer);
            }
            write(&self.buffer)?;
            self.buffer.clear();
            self.rows += 1;
        }
        Ok(Some(()))
    }
}
