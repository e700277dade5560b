//! Plan nodes: each yields rows of the columns its `columns()` lists.

use storage::RelId;
use types::{Oid, Physical};

use crate::expr::Expr;

/// A table as a plan needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRef {
    /// OID in `pg_class`.
    pub oid: Oid,
    /// Its storage.
    pub rel: RelId,
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// Columns: name, type, typmod, whether NULL is refused.
    pub columns: Vec<(String, Oid, i32, bool)>,
    /// Its indexes.
    pub indexes: Vec<IndexKey>,
}

/// An index as a plan needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexKey {
    /// Name, for errors.
    pub name: String,
    /// Its storage.
    pub rel: RelId,
    /// Columns of the table, from 0, each with whether it sorts descending.
    pub columns: Vec<(usize, bool)>,
    /// Whether two rows may not share a key.
    pub unique: bool,
}

/// How rows of two inputs are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// Pairs that match.
    Inner,
    /// And unmatched rows of the left.
    Left,
    /// And unmatched rows of the right.
    Right,
    /// And both.
    Full,
}

/// A sort key.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// What to sort by.
    pub expr: Expr,
    /// Falling instead of rising.
    pub descending: bool,
    /// NULLs before all else.
    pub nulls_first: bool,
}

/// An aggregate to compute.
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateCall {
    /// Its `pg_proc` OID.
    pub function: Oid,
    /// Its arguments, over the input row.
    pub args: Vec<Expr>,
    /// Whether equal arguments count once.
    pub distinct: bool,
    /// Rows that count.
    pub filter: Option<Expr>,
    /// The result's type.
    pub ty: Oid,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Oid,
    /// Its type modifier.
    pub typmod: i32,
}

/// A plan.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "fields say what their types say")]
pub enum Node {
    /// Rows of expressions that see no input.
    Values { rows: Vec<Vec<Expr>>, types: Vec<Oid> },
    /// All rows of a table: its columns, then the row id (`int8`).
    Scan { table: TableRef, filter: Option<Expr> },
    /// The rows of a table whose index columns equal `keys`; the filter is checked on each.
    IndexScan { table: TableRef, index: usize, keys: Vec<Expr>, filter: Option<Expr> },
    /// Rows for which `predicate` is true.
    Filter { input: Box<Node>, predicate: Expr },
    /// Expressions over each row.
    Project { input: Box<Node>, exprs: Vec<Expr> },
    /// Left columns, then right columns; `equal` lists hashable pairs (left, right, equality function), `condition` the rest, over both.
    Join { kind: JoinKind, left: Box<Node>, right: Box<Node>, equal: Vec<(Expr, Expr, Oid)>, condition: Option<Expr> },
    /// Group columns, then aggregates.
    Aggregate { input: Box<Node>, groups: Vec<Expr>, calls: Vec<AggregateCall> },
    /// Rows in order.
    Sort { input: Box<Node>, keys: Vec<SortKey> },
    /// Distinct rows.
    Distinct { input: Box<Node> },
    /// Some of the rows.
    Limit { input: Box<Node>, count: Option<Expr>, offset: Option<Expr> },
    /// Adds each input row (one column per table column) to a table; yields `returning` over it.
    Insert { table: TableRef, input: Box<Node>, returning: Option<Vec<Expr>> },
    /// Input: the table's row, its id, then more; `sets` over that; yields `returning` over the new row (then the input's rest).
    Update { table: TableRef, input: Box<Node>, sets: Vec<(usize, Expr)>, returning: Option<Vec<Expr>> },
    /// Input: the table's row, its id, then more.
    Delete { table: TableRef, input: Box<Node>, returning: Option<Vec<Expr>> },
}

impl Node {
    /// Types of the columns it yields.
    pub fn types(&self) -> Vec<Oid> {
        let of = |exprs: &[Expr]| exprs.iter().map(|e| e.ty).collect();
        match self {
            Node::Values { types, .. } => types.clone(),
            Node::Scan { table, .. } | Node::IndexScan { table, .. } => {
                table.columns.iter().map(|c| c.1).chain([types::oid::INT8]).collect()
            }
            Node::Filter { input, .. }
            | Node::Sort { input, .. }
            | Node::Distinct { input }
            | Node::Limit { input, .. } => input.types(),
            Node::Project { exprs, .. } => of(exprs),
            Node::Join { left, right, .. } => [left.types(), right.types()].concat(),
            Node::Aggregate { groups, calls, .. } => {
                groups.iter().map(|g| g.ty).chain(calls.iter().map(|c| c.ty)).collect()
            }
            Node::Insert { returning, .. } | Node::Update { returning, .. } | Node::Delete { returning, .. } => {
                returning.as_deref().map_or(Vec::new(), of)
            }
        }
    }

    /// Physical forms of the columns it yields.
    pub fn forms(&self) -> Vec<Physical> {
        self.types().into_iter().map(Physical::of).collect()
    }

    /// Calls `f` with every table, and whether it is written to.
    pub fn visit_tables(&self, f: &mut dyn FnMut(&TableRef, bool)) {
        match self {
            Node::Values { .. } => {}
            Node::Scan { table, .. } | Node::IndexScan { table, .. } => f(table, false),
            Node::Filter { input, .. }
            | Node::Project { input, .. }
            | Node::Aggregate { input, .. }
            | Node::Sort { input, .. }
            | Node::Distinct { input }
            | Node::Limit { input, .. } => input.visit_tables(f),
            Node::Join { left, right, .. } => {
                left.visit_tables(f);
                right.visit_tables(f);
            }
            Node::Insert { table, input, .. }
            | Node::Update { table, input, .. }
            | Node::Delete { table, input, .. } => {
                f(table, true);
                input.visit_tables(f);
            }
        }
    }
}
