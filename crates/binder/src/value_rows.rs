//! `ValueRows`: the rows of a VALUES list, as values while that is all they are, as expressions otherwise.

use std::sync::Arc;

use plan::{Expr, ExprKind, Node};
use types::{Datum, Oid, Physical};
use vector::Chunk;

/// Shorter lists are expressions always: they may turn out to be statements known by their text.
const MANY_ROWS: usize = 64;

/// Rows, as they are bound one by one.
pub enum ValueRows {
    /// Expressions.
    Exprs(Vec<Vec<Expr>>),
    /// Values of these types, all of them.
    Values(Chunk, Vec<Oid>),
}

impl ValueRows {
    /// For `count` rows.
    pub fn new(count: usize) -> ValueRows {
        match count >= MANY_ROWS {
            true => ValueRows::Values(Chunk::default(), Vec::new()),
            false => ValueRows::Exprs(Vec::with_capacity(count)),
        }
    }

    /// Appends a row.
    pub fn push(&mut self, row: Vec<Expr>) {
        if let ValueRows::Values(chunk, types) = self {
            if chunk.rows == 0 {
                *types = row.iter().map(|e| e.ty).collect();
                *chunk = Chunk::new(&types.iter().map(|&t| Physical::of(t)).collect::<Vec<_>>());
            }
            let alike = row.len() == types.len() && row.iter().zip(&*types).all(|(e, &ty)| e.ty == ty);
            let values: Option<Vec<Datum>> = if alike { row.iter().map(value).collect() } else { None };
            match values {
                Some(values) => return chunk.push_row(&values),
                None => *self = ValueRows::Exprs(exprs(chunk, types)),
            }
        }
        if let ValueRows::Exprs(rows) = self {
            rows.push(row);
        }
    }

    /// What yields them.
    pub fn into_node(self) -> Node {
        match self {
            ValueRows::Exprs(rows) => {
                let types = rows.first().map_or(Vec::new(), |r| r.iter().map(|e| e.ty).collect());
                Node::Values { rows, types }
            }
            ValueRows::Values(chunk, types) => Node::Constants { rows: Arc::new(chunk), types },
        }
    }
}

/// The rows of a chunk as expressions.
fn exprs(chunk: &Chunk, types: &[Oid]) -> Vec<Vec<Expr>> {
    let constant = |(value, &ty): (Datum, &Oid)| Expr::new(ExprKind::Const(value), ty, 0);
    (0..chunk.rows).map(|i| chunk.row(i).into_iter().zip(types).map(constant).collect()).collect()
}

/// What `e` is, where that is known before anything runs. A value that does not go into its column is left to fail when its row's turn
/// comes.
fn value(e: &Expr) -> Option<Datum> {
    match &e.kind {
        ExprKind::Const(value) => Some(value.clone()),
        ExprKind::Coerce { arg, explicit } if Physical::of(arg.ty) == Physical::of(e.ty) => {
            types::io::coerce(e.ty, e.typmod, value(arg)?, *explicit).ok()
        }
        _ => None,
    }
}
