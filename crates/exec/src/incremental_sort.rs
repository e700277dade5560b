//! Incremental sort: rows that are in the order of the first keys are sorted section by section.
//!
//! A section ends where the first keys change, once it has enough rows. So the first rows come early, and no more than a section is
//! ever sorted, or spilled, at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use plan::SortKey;
use types::{Physical, Result};
use vector::Chunk;

use crate::eval::eval;
use crate::native;
use crate::sort::Sort;
use crate::{BoxOperator, Context, Operator, keys};

/// Rows of a section at least.
const SECTION_ROWS: usize = 32;

/// Sorts rows that are sorted in part.
pub struct IncrementalSort {
    /// Over a [`Sections`].
    sort: Sort,
    ended: Arc<AtomicBool>,
}

/// The input, false at the end of each section.
struct Sections {
    input: BoxOperator,
    /// The keys that are in order.
    keys: Vec<SortKey>,
    is_ready: bool,
    /// Rows behind the end of the section at hand.
    rest: Chunk,
    /// The last row's key, and how many rows the section has.
    last: Option<Vec<u8>>,
    count: usize,
    at_end: bool,
    ended: Arc<AtomicBool>,
}

impl IncrementalSort {
    pub fn new(input: BoxOperator, keys: Vec<SortKey>, presorted: usize, forms: Vec<Physical>) -> IncrementalSort {
        let ended = Arc::new(AtomicBool::new(false));
        let sections = Sections {
            input,
            keys: keys[..presorted].to_vec(),
            is_ready: false,
            rest: Chunk::default(),
            last: None,
            count: 0,
            at_end: false,
            ended: ended.clone(),
        };
        IncrementalSort { sort: Sort::new(Box::new(sections), keys, forms, None), ended }
    }
}

impl Operator for Sections {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if std::mem::take(&mut self.at_end) {
            self.count = 0;
            return Ok(false);
        }
        if self.rest.rows > 0 {
            std::mem::swap(&mut self.rest, out);
            self.rest.rows = 0;
        } else if !self.input.next(ctx, out)? {
            self.ended.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        if out.rows == 0 {
            return Ok(true);
        }
        native::ready(&mut self.is_ready, self.keys.iter_mut().map(|k| &mut k.expr), ctx);
        let values = self.keys.iter().map(|k| eval(&k.expr, out, ctx)).collect::<Result<Vec<_>>>()?;
        let mut cut = None;
        let mut key = Vec::new();
        for i in 0..out.rows {
            key.clear();
            for (k, v) in self.keys.iter().zip(&values) {
                keys::encode(&mut key, k.expr.ty, v, i, k.descending, k.nulls_first, ctx)?;
            }
            if self.last.as_ref() != Some(&key) {
                if self.last.is_some() && self.count + i >= SECTION_ROWS {
                    cut = Some(i);
                    break;
                }
                std::mem::swap(self.last.get_or_insert_default(), &mut key);
            }
        }
        drop(values);
        if let Some(cut) = cut {
            let rest: Vec<u32> = (cut as u32..out.rows as u32).collect();
            self.rest = out.select(&rest);
            let kept: Vec<u32> = (0..cut as u32).collect();
            out.compact(&kept);
            (self.last, self.at_end) = (None, true);
        }
        self.count += out.rows;
        Ok(true)
    }

    fn reset(&mut self) {
        self.rest.rows = 0;
        (self.last, self.count, self.at_end) = (None, 0, false);
        self.ended.store(false, Ordering::Relaxed);
        self.input.reset();
    }
}

impl Operator for IncrementalSort {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        while !self.sort.next(ctx, out)? {
            if self.ended.load(Ordering::Relaxed) {
                return Ok(false);
            }
            self.sort.restart(ctx);
        }
        Ok(true)
    }

    fn reset(&mut self) {
        self.sort.reset();
    }
}
