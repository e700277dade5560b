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
    /// Each chunk with its bytes, and how many threads there were.
    Chunks(std::vec::IntoIter<(Chunk, usize)>, usize),
    /// Too much: `input` is asked.
    Nothing,
}

/// All rows of an operator, made by so many threads.
pub struct Made {
    pub chunks: Vec<Chunk>,
    /// What the statement's account answers for.
    pub bytes: usize,
    pub threads: usize,
}

impl Gather {
    pub fn new(input: BoxOperator, fragment: Fragment) -> Gather {
        Gather { input, fragment, held: None }
    }

    /// What the threads have made, now or before.
    fn held(&mut self, ctx: &mut Context<'_>) -> Result<&mut Held> {
        let held = match self.held.take() {
            Some(held) => held,
            None => self.run(ctx)?,
        };
        Ok(self.held.insert(held))
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
        let threads = parts.len();
        let chunks: Vec<(Chunk, usize)> = parts.into_iter().flatten().collect();
        // What they charged was given back with their shares.
        ctx.account.charge(chunks.iter().map(|c| c.1).sum())?;
        Ok(Held::Chunks(chunks.into_iter(), threads))
    }
}

impl Operator for Gather {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        match self.held(ctx)? {
            Held::Nothing => self.input.next(ctx, out),
            Held::Chunks(chunks, _) => {
                let Some((chunk, bytes)) = chunks.next() else { return Ok(false) };
                ctx.account.release(bytes);
                *out = chunk;
                Ok(true)
            }
        }
    }

    fn take_made(&mut self, ctx: &mut Context<'_>, wanted: &dyn Fn(usize, usize) -> bool) -> Result<Option<Made>> {
        let Held::Chunks(chunks, threads) = self.held(ctx)? else { return Ok(None) };
        let (rows, bytes) = chunks.as_slice().iter().fold((0, 0), |(rows, bytes), c| (rows + c.0.rows, bytes + c.1));
        let threads = *threads;
        Ok((threads > 1 && wanted(rows, bytes)).then(|| Made { chunks: chunks.map(|c| c.0).collect(), bytes, threads }))
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
