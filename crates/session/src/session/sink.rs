//! `Sink`: where the results of statements go.

use bytes::Bytes;
use plan::OutputColumn;
use types::{Result, SqlError};
use vector::Chunk;

use crate::copy::CopyShape;

/// Where results go.
pub trait Sink {
    /// The next statement yields rows of these columns.
    ///
    /// # Errors
    /// What the receiver says; the statement fails with it.
    fn columns(&mut self, columns: &[OutputColumn]) -> Result<()>;
    /// Rows of these columns follow; `again` when the sink was full in the middle of them.
    ///
    /// # Errors
    /// As [`Sink::columns`].
    fn begin(&mut self, columns: &[OutputColumn], again: bool) -> Result<()> {
        if again { Ok(()) } else { self.columns(columns) }
    }
    /// Some of its rows; `names` knows what values of types like `regclass` are called.
    ///
    /// # Errors
    /// As [`Sink::columns`].
    fn chunk(&mut self, chunk: &Chunk, names: &dyn types::io::TypeLookup) -> Result<()>;
    /// A statement is done; its command tag.
    fn complete(&mut self, tag: &str);
    /// Whether a statement may stop when the sink is full, or data of a COPY are wanted: see [`Session::resume`](crate::Session::resume).
    fn suspends(&self) -> bool {
        false
    }
    /// Whether there is no room for more now.
    fn is_full(&self) -> bool {
        false
    }
    /// A notice or warning.
    fn notice(&mut self, _notice: &SqlError) {}
    /// COPY FROM STDIN: data of this shape are about to be asked for.
    ///
    /// # Errors
    /// As [`Sink::columns`]; `0A000` where there is nobody to ask.
    fn copy_in(&mut self, _shape: CopyShape) -> Result<()> {
        Err(SqlError::unsupported("COPY FROM STDIN in this call"))
    }
    /// Some data, of any length; `None` when there are no more.
    ///
    /// # Errors
    /// When the sender gave up.
    fn copy_read(&mut self) -> Result<Option<Bytes>> {
        Ok(None)
    }
    /// COPY TO STDOUT: data of this shape follow.
    ///
    /// # Errors
    /// As [`Sink::copy_in`].
    fn copy_out(&mut self, _shape: CopyShape) -> Result<()> {
        Err(SqlError::unsupported("COPY TO STDOUT in this call"))
    }
    /// A row of them.
    ///
    /// # Errors
    /// As [`Sink::columns`].
    fn copy_data(&mut self, _row: &[u8]) -> Result<()> {
        Ok(())
    }
    /// That was the last one.
    ///
    /// # Errors
    /// As [`Sink::columns`].
    fn copy_done(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The place of its severity in the order that `client_min_messages` counts by.
pub(crate) fn place_of(notice: &SqlError) -> u8 {
    match notice.fields().severity {
        types::error::Severity::Notice => 6,
        types::error::Severity::Warning => 7,
        _ => 8,
    }
}

/// Tells what functions have had to say so far.
pub(crate) fn tell(host: &mut dyn ext::Host, sink: &mut dyn Sink) {
    host.take_notices().iter().for_each(|notice| sink.notice(notice));
}

/// A sink that is told only what is important enough (`client_min_messages`).
pub(crate) struct Quiet<'a> {
    pub inner: &'a mut dyn Sink,
    pub level: u8,
    /// Whether the statement may stop in the middle.
    pub suspends: bool,
}

impl Sink for Quiet<'_> {
    fn columns(&mut self, columns: &[OutputColumn]) -> Result<()> {
        self.inner.columns(columns)
    }
    fn chunk(&mut self, chunk: &Chunk, names: &dyn types::io::TypeLookup) -> Result<()> {
        self.inner.chunk(chunk, names)
    }
    fn complete(&mut self, tag: &str) {
        self.inner.complete(tag);
    }
    fn begin(&mut self, columns: &[OutputColumn], again: bool) -> Result<()> {
        self.inner.begin(columns, again)
    }
    fn suspends(&self) -> bool {
        self.suspends
    }
    fn is_full(&self) -> bool {
        self.suspends && self.inner.is_full()
    }
    fn notice(&mut self, notice: &SqlError) {
        if place_of(notice) >= self.level {
            self.inner.notice(notice);
        }
    }
    fn copy_in(&mut self, shape: CopyShape) -> Result<()> {
        self.inner.copy_in(shape)
    }
    fn copy_read(&mut self) -> Result<Option<Bytes>> {
        self.inner.copy_read()
    }
    fn copy_out(&mut self, shape: CopyShape) -> Result<()> {
        self.inner.copy_out(shape)
    }
    fn copy_data(&mut self, row: &[u8]) -> Result<()> {
        self.inner.copy_data(row)
    }
    fn copy_done(&mut self) -> Result<()> {
        self.inner.copy_done()
    }
}
