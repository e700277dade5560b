//! COPY from and to a program: `CopyIn` is written to, `CopyOut` read from.

use std::io::{self, Read, Write};

use session::{Chunk, OutputColumn, Sink};
use types::SqlError;

use crate::session::Ear;
use crate::{Result, Session};

/// Hears what COPY has to say; there are no rows.
struct Told<'e>(&'e mut Ear);

impl Sink for Told<'_> {
    fn columns(&mut self, _: &[OutputColumn]) -> Result<()> {
        Ok(())
    }
    fn chunk(&mut self, _: &Chunk, _: &dyn types::io::TypeLookup) -> Result<()> {
        Ok(())
    }
    fn complete(&mut self, _: &str) {}
    fn notice(&mut self, notice: &SqlError) {
        self.0.hear(notice);
    }
}

/// Takes the data of a `COPY ... FROM STDIN`. Call [`CopyIn::finish`] when all is written; dropped before, nothing was copied.
///
/// Errors of `write` hold an [`crate::Error`]: `error.get_ref()` and then `downcast_ref`.
pub struct CopyIn<'s> {
    session: &'s mut Session,
    state: Option<session::CopyIn>,
}

impl<'s> CopyIn<'s> {
    pub(crate) fn begin(session: &'s mut Session, sql: &str) -> Result<CopyIn<'s>> {
        let state = session.inner().copy_in(sql)?;
        Ok(CopyIn { session, state: Some(state) })
    }

    /// Ends the data; answers how many rows were copied. Outside of a transaction they are committed.
    ///
    /// # Errors
    /// What the last rows, or committing, say; what a `write` said before.
    pub fn finish(mut self) -> Result<u64> {
        match self.state.take() {
            Some(state) => {
                let (session, ear) = self.session.parts();
                session.copy_in_finish(state, &mut Told(ear))
            }
            None => Err(over()),
        }
    }
}

fn over() -> SqlError {
    SqlError::new(crate::SqlState::QUERY_CANCELED, "the COPY has failed before")
}

impl Write for CopyIn<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let Some(mut state) = self.state.take() else { return Err(io::Error::other(over())) };
        let (session, ear) = self.session.parts();
        session.copy_in_feed(&mut state, data, &mut Told(ear)).map_err(io::Error::other)?;
        self.state = Some(state);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for CopyIn<'_> {
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            self.session.inner().copy_in_abort(state);
        }
    }
}

/// Yields the data of a `COPY ... TO STDOUT`, made as they are read.
pub struct CopyOut<'s> {
    session: &'s mut Session,
    state: session::CopyOut,
    buffer: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl<'s> CopyOut<'s> {
    pub(crate) fn begin(session: &'s mut Session, sql: &str) -> Result<CopyOut<'s>> {
        let state = session.inner().copy_out(sql)?;
        Ok(CopyOut { session, state, buffer: Vec::new(), taken: 0, ended: false })
    }

    /// How many rows were made so far.
    pub fn rows(&self) -> u64 {
        self.state.rows()
    }
}

impl Read for CopyOut<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.buffer.len() && !self.ended {
            self.buffer.clear();
            self.taken = 0;
            let CopyOut { session, state, buffer, .. } = self;
            let more = session.inner().copy_out_next(state, &mut |row| {
                buffer.extend_from_slice(row);
                Ok(())
            });
            match more {
                Ok(more) => self.ended = more.is_none(),
                Err(e) => {
                    self.ended = true;
                    return Err(io::Error::other(e));
                }
            }
        }
        let n = out.len().min(self.buffer.len() - self.taken);
        out[..n].copy_from_slice(&self.buffer[self.taken..self.taken + n]);
        self.taken += n;
        Ok(n)
    }
}

impl Drop for CopyOut<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // Read no further: its transaction ends, unless the caller opened one.
            let _ = self.session.inner().sync();
        }
    }
}
