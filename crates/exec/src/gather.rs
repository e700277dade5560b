//! Gather: rows that several threads make, for an operator that keeps all of them anyway.
//!
//! The threads of a fragment end within one call; so their rows are held here until they are asked for. Where they do not fit into `work_mem`, they are made
//! again, by one thread, as they are asked for.

use types::Result;
use vector::Chunk;

use crate::narrow::Offer;
use crate::parallel::Fragment;
use crate::sort::hash_bytes;
use crate::{BoxOperator, Context, Operator};

/// The rows of a fragment.
pub struct Gather {
    /// The same on one thread.
    input: BoxOperator,
    fragment: Fragment,
    held: Option<Held>,
}

/// What the threads have made.
enum Held {
    Chunks(std::vec::IntoIter<(Chunk, usize)>),
    /// Too much: `input` is asked.
    Nothing,
}

impl Gather {
    pub fn new(input: BoxOperator, fragment: Fragment) -> Gather {
        Gather { input, fragment, held: None }
    }

    fn run(&mut self, ctx: &mut Context<'_>) -> Result<Held> {
        let room = hash_bytes(ctx);
        let parts = self.fragment.run(ctx, |input, ctx| {
            let (mut chunks, mut held) = (Vec::new(), 0);
            let mut chunk = Chunk::default();
            while input.next(ctx, &mut chunk)? {
                if chunk.rows == 0 {
                    continue;
                }
                let bytes = chunk.bytes();
                ctx.account.charge(bytes)?;
                held += bytes;
                if held > room {
                    return Ok(None);
                }
                chunks.push((std::mem::take(&mut chunk), bytes));
            }
            Ok(Some(chunks))
        })?;
        let Some(parts) = parts else { return Ok(Held::Nothing) };
        let chunks: Vec<(Chunk, usize)> = parts.into_iter().flatten().collect();
        // What they charged was given back with their shares.
        ctx.account.charge(chunks.iter().map(|c| c.1).sum())?;
        Ok(Held::Chunks(chunks.into_iter()))
    }
}

impl Operator for Gather {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        let held = match &mut self.held {
            Some(held) => held,
            None => {
                let made = self.run(ctx)?;
                self.held.insert(made)
            }
        };
        match held {
            Held::Nothing => self.input.next(ctx, out),
            Held::Chunks(chunks) => {
                let Some((chunk, bytes)) = chunks.next() else { return Ok(false) };
                ctx.account.release(bytes);
                *out = chunk;
                Ok(true)
            }
        }
    }

    fn narrow(&mut self, column: usize, filter: Offer<'_>) -> bool {
        if self.held.is_some() {
            return false;
        }
        let narrowed = self.fragment.narrow(column, filter);
        self.input.narrow(column, filter) | narrowed
    }

    fn reset(&mut self) {
        self.held = None;
        self.input.reset();
        self.fragment.reset();
    }
}
