//! Point scan: the one row whose key equals some values.
//!
//! What most short queries are. The entry is found without a latch and without a batch (`Btree::single`), and the row's values go straight into the columns that the
//! plan puts out. Where there is more than one entry, or a value of the key lies in overflow pages, the ordinary operators take over.

use std::sync::Arc;

use plan::{Expr, ExprKind, IndexKey, IndexRange, Needed, TableRef};
use smallvec::SmallVec;
use storage::RowId;
use storage::btree::{Btree, Single};
use storage::table::{RowView, Table};
use types::{Datum, Oid, Physical, Result};
use vector::{Chunk, Vector};

use crate::index::entry_of_view;
use crate::index_bounds::prefix;
use crate::index_entries::open;
use crate::index_scan::{IndexScan, key_types};
use crate::load::{Large, Slots, fetch_large, row_column};
use crate::scan::{forms, row_ids};
use crate::simple::Project;
use crate::{BoxOperator, Context, Operator};

/// What a column that is put out is.
#[derive(Clone, Copy)]
enum Source {
    /// The table's, or its row id.
    Column(usize),
    /// Nothing that anybody reads.
    Absent,
}

/// Values of a key.
type Values = SmallVec<[i64; 4]>;

/// A value whose equals are stored as it is, of a form that says how.
fn integer(value: &Datum) -> Option<i64> {
    match value {
        Datum::I16(v) => Some((*v).into()),
        Datum::I32(v) => Some((*v).into()),
        Datum::I64(v) => Some(*v),
        _ => None,
    }
}

/// Whether a row has these values in the columns of an index; `None` where they are not all the integers that it has.
fn has_values(view: &RowView<'_>, index: &IndexKey, values: &Values) -> Option<bool> {
    if values.len() != index.columns.len() || !index.include.is_empty() {
        return None;
    }
    let mut all = true;
    for (&(column, ..), value) in index.columns.iter().zip(values) {
        let Some(stored) = view.stored(column)? else { return Some(false) };
        let own = match *stored {
            [a, b] => i16::from_le_bytes([a, b]).into(),
            [a, b, c, d] => i32::from_le_bytes([a, b, c, d]).into(),
            [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
            _ => return None,
        };
        all &= own == *value;
    }
    Some(all)
}

enum State {
    Before,
    Ended,
    /// The ordinary operators are asked.
    Otherwise,
}

/// The row that an index lists under one key.
pub struct PointScan {
    table: Arc<TableRef>,
    range: IndexRange,
    needed: Needed,
    /// What each column that is put out is; of a projection, its expressions.
    sources: Vec<Source>,
    projection: Option<Vec<Expr>>,
    /// Forms of the table's columns and of the row id.
    forms: Vec<Physical>,
    key_types: Vec<Oid>,
    handles: Option<(Table, Btree)>,
    /// The key that is looked for, its values as far as they are integers, and the row's key.
    key: Vec<u8>,
    values: Values,
    found: Vec<u8>,
    large: Vec<Large>,
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
        let index = &table.indexes[range.index];
        if !index.is_plain() || !range.is_single(table) {
            return None;
        }
        let of_expr = |e: &Expr| match e.kind {
            ExprKind::Column(i) => Some(Source::Column(i)),
            _ => None,
        };
        let forms = forms(table);
        let of_column = |i: usize| if needed.has(i) { Source::Column(i) } else { Source::Absent };
        let sources = match projection {
            Some(exprs) => exprs.iter().map(of_expr).collect::<Option<_>>()?,
            None => (0..forms.len()).map(of_column).collect(),
        };
        Some(PointScan {
            key_types: key_types(table, index),
            table: table.clone(),
            range: range.clone(),
            needed: needed.clone(),
            sources,
            projection: projection.map(<[Expr]>::to_vec),
            forms,
            handles: None,
            key: Vec::new(),
            values: Values::new(),
            found: Vec::new(),
            large: Vec::new(),
            state: State::Before,
            otherwise: None,
        })
    }

    fn otherwise(&mut self) -> &mut BoxOperator {
        self.state = State::Otherwise;
        self.otherwise.get_or_insert_with(|| {
            let scan = IndexScan::new(self.table.clone(), self.range.clone(), None, self.needed.clone());
            match &self.projection {
                Some(exprs) => Box::new(Project::new(Box::new(scan), exprs.clone())),
                None => Box::new(scan),
            }
        })
    }

    /// Puts `row` out, if its key is the one that is looked for; `None` when that cannot be told while its page is latched.
    fn load(&mut self, row: RowId, ctx: &Context<'_>, out: &mut Chunk) -> Result<Option<bool>> {
        let PointScan { table, range, sources, forms, key_types, key, values, found, large, .. } = self;
        let Some((storage, tree)) = &self.handles else { return Ok(None) };
        let index = &table.indexes[range.index];
        out.columns.resize_with(sources.len(), || Vector::absent(0));
        let loaded = storage.read(row, ctx.snapshot, |view| -> Result<Option<bool>> {
            // Q3: the entry may be of another version of the row.
            match has_values(view, index, values) {
                Some(true) => {}
                Some(false) => return Ok(Some(false)),
                None if !entry_of_view(found, tree, index, key_types, view, forms, ctx.types)? => return Ok(None),
                None if found != key => return Ok(Some(false)),
                None => {}
            }
            for (i, (source, column)) in sources.iter().zip(&mut out.columns).enumerate() {
                match *source {
                    Source::Absent => *column = Vector::absent(1),
                    Source::Column(c) if c + 1 == forms.len() => {
                        column.reset(Physical::I64);
                        row_ids(&mut column.data, row.block, Slots::Run(row.slot as usize, 1));
                    }
                    Source::Column(c) => {
                        column.reset(forms[c]);
                        row_column(column, view, c, (0, i), large);
                    }
                }
            }
            Ok(Some(true))
        })?;
        let is_found = match loaded.transpose()? {
            Some(None) => return Ok(None),
            Some(Some(is_found)) => is_found,
            None => false,
        };
        if is_found {
            out.rows = 1;
            fetch_large(out, storage, large)?;
        }
        Ok(Some(is_found))
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
        let (_, tree) = match &self.handles {
            Some(handles) => handles,
            None => self.handles.insert(open(&self.table, &self.range, ctx)?),
        };
        self.values.clear();
        let values = &mut self.values;
        if !prefix(&self.table, &self.range, &mut self.key, ctx, |value| values.extend(integer(value)))? {
            return Ok(false);
        }
        let loaded = match tree.single(&self.key)? {
            Single::None => Some(false),
            Single::One(row) => self.load(row, ctx, out)?,
            Single::Unclear => None,
        };
        match loaded {
            Some(is_found) => {
                if let Some((_, tree)) = &self.handles {
                    tree.rel().count_scan(ctx.txn.owner(), 1, is_found.into());
                }
                Ok(is_found)
            }
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
