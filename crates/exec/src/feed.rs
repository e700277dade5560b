//! `Feed`: rows that come from outside of a plan, such as COPY's.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use types::Result;
use vector::Chunk;

use crate::{Context, Operator};

/// Yields the chunks that were pushed into it, false while there is none. Clones share the chunks.
#[derive(Clone, Default)]
pub struct Feed(Arc<Mutex<VecDeque<Chunk>>>);

impl Feed {
    /// Adds a chunk.
    pub fn push(&self, chunk: Chunk) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(chunk);
    }
}

impl Operator for Feed {
    fn next(&mut self, _ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
            Some(chunk) => {
                *out = chunk;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn reset(&mut self) {}
}
