//! Lists that are known when a program runs: parameters, mostly. They are made anew when their values are others than the last time.

use std::sync::Arc;

use jit::WordList;
use parking_lot::Mutex;
use plan::{Expr, ExprKind};
use types::array::Array;
use types::{Datum, Result};

use super::program::word;
use crate::Context;
use crate::eval::at_hand;

/// The lists that a part of an expression looks into.
pub struct Lists {
    exprs: Vec<Expr>,
    last: Mutex<Last>,
}

/// What the lists were.
#[derive(Default)]
struct Last {
    /// Values that they were made of, one behind the other.
    values: Vec<Datum>,
    lists: Arc<[WordList]>,
}

impl Lists {
    pub fn new(exprs: Vec<Expr>) -> Lists {
        Lists { exprs, last: Mutex::default() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.exprs.is_empty()
    }

    /// What they are now; `None` where something in them is no word.
    pub fn known(&self, ctx: &Context<'_>) -> Result<Option<Arc<[WordList]>>> {
        let mut last = self.last.lock();
        let mut at = 0;
        let mut is_same = !last.lists.is_empty();
        for e in self.exprs.iter().flat_map(leaves) {
            let Some(value) = at_hand(e, ctx)? else { return Ok(None) };
            is_same &= last.values.get(at) == Some(value);
            at += 1;
        }
        if is_same {
            return Ok(Some(last.lists.clone()));
        }
        let mut values = Vec::with_capacity(at);
        let mut lists = Vec::with_capacity(self.exprs.len());
        for e in &self.exprs {
            let from = values.len();
            for leaf in leaves(e) {
                values.extend(at_hand(leaf, ctx)?.cloned());
            }
            let list = match (&e.kind, &values[from..]) {
                (ExprKind::Array(_), items) => list_of(items),
                (_, [Datum::Null]) => Some(WordList::null()),
                (_, [array]) => list_of(&Array::from_datum(array).values),
                _ => None,
            };
            let Some(list) = list else { return Ok(None) };
            lists.push(list);
        }
        *last = Last { values, lists: lists.into() };
        Ok(Some(last.lists.clone()))
    }
}

/// What is looked up for a list: its items, or the array.
fn leaves(e: &Expr) -> &[Expr] {
    match &e.kind {
        ExprKind::Array(items) => items,
        _ => std::slice::from_ref(e),
    }
}

fn list_of(items: &[Datum]) -> Option<WordList> {
    let value = |d: &Datum| if d.is_null() { Some(None) } else { word(d).map(Some) };
    Some(WordList::new(items.iter().map(value).collect::<Option<Vec<_>>>()?))
}
