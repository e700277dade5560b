//! Statements that change or copy rows.
#![allow(missing_docs, reason = "fields are named after the clause they hold; every type is documented")]

use super::{DefElem, Expr, Ident, Indirection, Name, Pos, RangeVar, Select, TableRef, Target, With};

/// A column that is assigned to, perhaps a part of it: `c`, `c[1]`, `c.f`.
#[derive(Clone, PartialEq, Debug)]
pub struct AssignTarget {
    pub name: Name,
    pub path: Vec<Indirection>,
}

/// INSERT.
#[derive(Clone, PartialEq, Debug)]
pub struct Insert {
    pub with: Option<Box<With>>,
    pub relation: RangeVar,
    pub alias: Option<Name>,
    /// Empty when no list was written.
    pub columns: Vec<AssignTarget>,
    pub overriding: Overriding,
    /// Absent for DEFAULT VALUES.
    pub source: Option<Select>,
    pub on_conflict: Option<Box<OnConflict>>,
    pub returning: Option<Box<Returning>>,
    pub pos: Pos,
}

/// `OVERRIDING … VALUE`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overriding {
    NotSet,
    UserValue,
    SystemValue,
}

/// `ON CONFLICT …`.
#[derive(Clone, PartialEq, Debug)]
pub struct OnConflict {
    pub target: Option<ConflictTarget>,
    pub action: ConflictAction,
    pub pos: Pos,
}

/// Which unique index decides.
#[derive(Clone, PartialEq, Debug)]
pub enum ConflictTarget {
    /// `(columns or expressions) [WHERE …]`.
    Infer { elements: Vec<super::IndexElement>, where_clause: Option<Expr>, pos: Pos },
    /// `ON CONSTRAINT name`.
    Constraint(Name),
}

/// What to do with a conflicting row.
#[derive(Clone, PartialEq, Debug)]
pub enum ConflictAction {
    Nothing,
    Update { sets: Vec<SetClause>, where_clause: Option<Expr> },
}

/// `RETURNING [WITH (OLD AS o, NEW AS n)] …`.
#[derive(Clone, PartialEq, Debug)]
pub struct Returning {
    pub options: Vec<ReturningOption>,
    pub targets: Vec<Target>,
}

/// `OLD AS name` or `NEW AS name`.
#[derive(Clone, PartialEq, Debug)]
pub struct ReturningOption {
    pub new: bool,
    pub name: Name,
    pub pos: Pos,
}

/// An assignment of SET.
#[derive(Clone, PartialEq, Debug)]
pub enum SetClause {
    /// `c = value`; the value may be `SetToDefault`.
    Single { target: AssignTarget, value: Expr },
    /// `(a, b) = source`; the source is a row, a sub-query or, as the binder will find, an error.
    Multi { targets: Vec<AssignTarget>, source: Expr },
}

/// UPDATE.
#[derive(Clone, PartialEq, Debug)]
pub struct Update {
    pub with: Option<Box<With>>,
    pub relation: RangeVar,
    pub alias: Option<Name>,
    pub sets: Vec<SetClause>,
    pub from: Vec<TableRef>,
    /// May be `CurrentOf`.
    pub where_clause: Option<Expr>,
    pub returning: Option<Box<Returning>>,
    pub pos: Pos,
}

/// DELETE.
#[derive(Clone, PartialEq, Debug)]
pub struct Delete {
    pub with: Option<Box<With>>,
    pub relation: RangeVar,
    pub alias: Option<Name>,
    pub using: Vec<TableRef>,
    /// May be `CurrentOf`.
    pub where_clause: Option<Expr>,
    pub returning: Option<Box<Returning>>,
    pub pos: Pos,
}

/// MERGE.
#[derive(Clone, PartialEq, Debug)]
pub struct Merge {
    pub with: Option<Box<With>>,
    pub relation: RangeVar,
    pub alias: Option<Name>,
    pub source: TableRef,
    pub on: Expr,
    pub whens: Vec<MergeWhen>,
    pub returning: Option<Box<Returning>>,
    pub pos: Pos,
}

/// Which rows an arm of MERGE is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MergeMatch {
    Matched,
    NotMatchedBySource,
    NotMatchedByTarget,
}

/// `WHEN … THEN …`.
#[derive(Clone, PartialEq, Debug)]
pub struct MergeWhen {
    pub matched: MergeMatch,
    pub condition: Option<Expr>,
    pub action: MergeAction,
    pub pos: Pos,
}

/// What an arm of MERGE does.
#[derive(Clone, PartialEq, Debug)]
pub enum MergeAction {
    DoNothing,
    Delete,
    Update(Vec<SetClause>),
    /// `values` is empty for DEFAULT VALUES.
    Insert {
        columns: Vec<AssignTarget>,
        overriding: Overriding,
        values: Vec<Expr>,
    },
}

/// COPY.
#[derive(Clone, PartialEq, Debug)]
pub struct CopyStatement {
    pub source: CopySource,
    pub from: bool,
    pub program: bool,
    /// Absent for STDIN and STDOUT.
    pub file: Option<Ident>,
    /// Options of either syntax, under the names of the newer one.
    pub options: Vec<DefElem>,
    pub where_clause: Option<Expr>,
    pub pos: Pos,
}

/// What is copied.
#[derive(Clone, PartialEq, Debug)]
pub enum CopySource {
    Table {
        relation: RangeVar,
        columns: Vec<Name>,
    },
    /// A query or a statement with RETURNING.
    Query(Box<super::Statement>),
}
