//! Point scan: the one row whose key equals some values.
//!
//! What most short queries are. The entry is found without a latch and without a batch (`Btree::single`), and the row's values go straight into the columns that the
//! plan puts out (`point`). Where there is more than one entry, or a value of the key lies in overflow pages, the ordinary operators take over.

use std::sync::Arc;

use plan::{Expr, ExprKind, IndexRange, Needed, TableRef};
use storage::btree::Single;
use types::Result;
use vector::Chunk;

use crate::index_bounds::prefix;
use crate::index_scan::IndexScan;
use crate::point::{Key, Point, Source};
use crate::simple::Project;
use crate::{BoxOperator, Context, Operator};

enum State {
    Before,
    Ended,
    /// The ordinary operators are asked.
    Otherwise,
}

/// What each column is that a scan puts out with these `needed` or, of a projection, its expressions are; `None` where one is computed.
pub fn sources(width: usize, needed: &Needed, projection: Option<&[Expr]>) -> Option<Vec<Source>> {
    let of_expr = |e: &Expr| match e.kind {
        ExprKind::Column(i) => Some(Source::Column(i)),
        _ => None,
    };
    let of_column = |i: usize| if needed.has(i) { Source::Column(i) } else { Source::Absent };
    match projection {
        Some(exprs) => exprs.iter().map(of_expr).collect(),
        None => Some((0..width).map(of_column).collect()),
    }
}

/// The row that an index lists under one key.
pub struct PointScan {
    point: Point,
    needed: Needed,
    sources: Vec<Source>,
    projection: Option<Vec<Expr>>,
    key: Key,
    state: State,
    otherwise: Option<BoxOperator>,
}

impl PointScan {
    /// The scan of `range`, which nothing filters, below a projection if there is one; `None` where it is not of this kind.
    pub fn new(
        table: &Arc<TableRef>,
        range: &IndexRange,
        needed: &Needed,
        projection: Option<&[Expr]>,
    ) -> Option<PointScan> {
        let point = Point::new(table, range)?;
        Some(PointScan {
            sources: sources(point.forms.len(), needed, projection)?,
            point,
            needed: needed.clone(),
            projection: projection.map(<[Expr]>::to_vec),
            key: Key::default(),
            state: State::Before,
            otherwise: None,
        })
    }

    fn otherwise(&mut self) -> &mut BoxOperator {
        self.state = State::Otherwise;
        self.otherwise.get_or_insert_with(|| {
            let (table, range) = (self.point.table().clone(), self.point.range().clone());
            let scan = IndexScan::new(table, range, None, self.needed.clone());
            match &self.projection {
                Some(exprs) => Box::new(Project::new(Box::new(scan), exprs.clone())),
                None => Box::new(scan),
            }
        })
    }
}

impl Operator for PointScan {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        match self.state {
            State::Before => {}
            State::Ended => return Ok(false),
            State::Otherwise => return self.otherwise().next(ctx, out),
        }
        ctx.check_interrupts()?;
        self.state = State::Ended;
        let PointScan { point, sources, key, .. } = self;
        key.clear();
        let Key { bytes, integers } = &mut *key;
        if !prefix(point.table(), point.range(), bytes, ctx, |value| integers.note(value))? {
            return Ok(false);
        }
        let loaded = match point.find(key, ctx.db)? {
            Single::None => Some(false),
            Single::One(row) => point.load(row, key, sources, (ctx.snapshot, ctx.types), out)?,
            Single::Unclear => None,
        };
        match loaded {
            Some(is_found) => Ok(is_found),
            None => self.otherwise().next(ctx, out),
        }
    }

    fn reset(&mut self) {
        self.state = State::Before;
        if let Some(otherwise) = &mut self.otherwise {
            otherwise.reset();
        }
    }
}
