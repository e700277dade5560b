//! Plan nodes: each yields rows of the columns its `types()` lists.

use std::sync::Arc;

use smallvec::smallvec;
use storage::RelId;
use types::{Datum, Oid, Physical, oid};
use vector::Chunk;

use crate::Few;
use crate::bits::Bits;
use crate::counter::{Counter, Fetches};
use crate::expr::{Expr, ExprKind, SubKind};
use crate::routine::{OwnAggregate, Routine};
use crate::window::{Window, WindowCall};

/// A column as a plan needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Oid,
    /// Its type modifier.
    pub typmod: i32,
    /// Whether NULL is refused.
    pub not_null: bool,
    /// Whether it was dropped: then it has a place in rows, nothing more.
    pub dropped: bool,
    /// Whether it is computed when it is read: then NULL has its place in rows.
    pub computed: bool,
}

/// Where a table's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableSource {
    /// In storage.
    Stored,
    /// In the binary, and in storage where users can add to it: a catalog table.
    Catalog {
        /// Whether its stored rows are in the database that all databases share.
        shared: bool,
        /// Whether it has any.
        stored: bool,
    },
}

/// A table as a plan needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRef {
    /// OID in `pg_class`.
    pub oid: Oid,
    /// Its storage.
    pub rel: RelId,
    /// Its schema's OID.
    pub namespace: Oid,
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// Columns.
    pub columns: Vec<Column>,
    /// Its indexes.
    pub indexes: Vec<IndexKey>,
    /// Where its rows are.
    pub source: TableSource,
    /// Whose privileges must allow what is done to it.
    pub check_as: CheckAs,
    /// What the statement calls it.
    pub label: Label,
}

impl TableRef {
    /// Whether a plan made for `other` is one for this: whatever a statement calls it, and whoever reads it.
    pub fn is_same_table(&self, other: &TableRef) -> bool {
        let TableRef { oid, rel, namespace, schema, name, columns, indexes, source, check_as: _, label: _ } = self;
        (oid, rel, namespace, source) == (&other.oid, &other.rel, &other.namespace, &other.source)
            && (schema, name) == (&other.schema, &other.name)
            && (columns, indexes) == (&other.columns, &other.indexes)
    }
}

/// What a statement calls a table, function or common table expression in FROM, for EXPLAIN.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Label {
    /// Its alias, or its own name.
    pub alias: String,
    /// Which item of FROM it is in the statement, from 1; several may be called alike.
    pub number: usize,
    /// Its columns, where nothing else knows their names.
    pub columns: Vec<String>,
}

/// Whose privileges must allow what is done to a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckAs {
    /// Those of whoever runs the statement.
    Session,
    /// Those of the owner of the view through which it is read.
    Role(Oid),
    /// Nobody's: a view of the system reads it.
    Nobody,
}

/// An index as a plan needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexKey {
    /// OID in `pg_class`.
    pub oid: Oid,
    /// Name, for errors.
    pub name: String,
    /// Its storage.
    pub rel: RelId,
    /// Columns of the table, from 0, each with whether it sorts descending and whether NULLs come first. From [`KEY_EXPRESSION`] on they
    /// stand for `exprs`.
    pub columns: Vec<(usize, bool, bool)>,
    /// Columns of the table that its entries carry beside the key.
    pub include: Vec<usize>,
    /// Expressions among its columns, over the table's row.
    pub exprs: Vec<Expr>,
    /// How errors name its columns, where some are expressions.
    pub labels: Vec<String>,
    /// Which rows it lists; all when there is none.
    pub predicate: Option<Expr>,
    /// Whether two rows may not share a key.
    pub unique: bool,
    /// Whether NULLs are equal to each other.
    pub nulls_not_distinct: bool,
    /// Whether a key that is taken is an error at once.
    pub immediate: bool,
    /// Whether it answers nothing but equality.
    pub hash: bool,
}

/// Column numbers of an index from here on stand for its expressions.
pub const KEY_EXPRESSION: usize = 1 << 20;

impl IndexKey {
    /// Whether its key is columns, and it lists all rows.
    pub fn is_plain(&self) -> bool {
        self.exprs.is_empty() && self.predicate.is_none()
    }

    /// Whether its entries can be told from rows alone, without the catalog: each row has one, of values whose order needs no look-up.
    pub fn follows_from_rows(&self, columns: &[Column]) -> bool {
        self.is_plain() && (0..self.columns.len()).all(|i| !self.key_type(i, columns).is_user_type())
    }

    /// The expression that its column `i` is, when it is one.
    pub fn expr(&self, i: usize) -> Option<&Expr> {
        self.exprs.get(self.columns.get(i)?.0.checked_sub(KEY_EXPRESSION)?)
    }

    /// How an entry tells the value of a column of the table: by its place in the key, or, from the length of the key on, among what entries carry.
    /// `None` when it does not.
    pub fn place_of(&self, column: usize, columns: &[Column]) -> Option<usize> {
        if let Some(i) = self.include.iter().position(|&c| c == column) {
            return Some(self.columns.len() + i);
        }
        let reversible = |i: usize| types::sortkey::is_reversible(self.key_type(i, columns));
        let i = self.columns.iter().position(|k| k.0 == column)?;
        // A key is read from its front.
        (0..=i).all(reversible).then_some(i)
    }

    /// Type of its column `i`.
    pub fn key_type(&self, i: usize, columns: &[Column]) -> Oid {
        self.expr(i).map_or_else(|| columns[self.columns[i].0].ty, |e| e.ty)
    }
}

/// What every new row of a table must satisfy, beside types and unique keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowRules {
    /// CHECK constraints: name, and what must not be false of the row.
    pub checks: Vec<(String, Expr)>,
    /// Keys of the table that refer to others.
    pub references: Vec<Reference>,
    /// Keys of others that refer to the table.
    pub referenced: Vec<Reference>,
    /// What views ask of rows that are written through them: name, and what must be true of the row.
    pub views: Vec<(String, Expr)>,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// OID of the constraint.
    pub constraint: Oid,
    /// Columns of the table at hand.
    pub columns: Vec<usize>,
    /// Whether a key that is NULL in part is an error (MATCH FULL).
    pub full: bool,
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
    /// Rows of the left that have a match, once.
    Semi,
    /// Rows of the left that have none.
    Anti,
}

impl JoinKind {
    /// Whether rows of the right that match nothing are among its rows.
    pub fn keeps_right(self) -> bool {
        matches!(self, JoinKind::Right | JoinKind::Full)
    }
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
    /// How it is computed, where a user made it.
    pub own: Option<Arc<OwnAggregate>>,
    /// Its arguments, over the input row.
    pub args: Vec<Expr>,
    /// How many of the last ones are the direct arguments of an ordered-set aggregate: the same in all rows of a group.
    pub direct: usize,
    /// Whether equal arguments count once.
    pub distinct: bool,
    /// In which order rows are given to it.
    pub order: Vec<SortKey>,
    /// Rows that count.
    pub filter: Option<Expr>,
    /// The result's type.
    pub ty: Oid,
}

impl AggregateCall {
    /// The arguments that differ from row to row, and the direct ones.
    pub fn split_args(&self) -> (&[Expr], &[Expr]) {
        self.args.split_at(self.args.len() - self.direct)
    }

    /// All its expressions, over the input row.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.args.iter().chain(&self.filter).chain(self.order.iter().map(|k| &k.expr))
    }

    /// As [`AggregateCall::exprs`].
    pub fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.args.iter_mut().chain(&mut self.filter).chain(self.order.iter_mut().map(|k| &mut k.expr))
    }
}

/// Set operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKind {
    /// Rows of both.
    Union,
    /// Rows that both have.
    Intersect,
    /// Rows that only the first has.
    Except,
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
    /// The table and column number it is, when it is nothing but a column.
    pub origin: Option<(Oid, i16)>,
}

/// A bound to an index column.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The value, known before the scan.
    pub value: Expr,
    /// Whether the value itself is within.
    pub inclusive: bool,
}

/// Which part of an index is read.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexRange {
    /// Number of the index in its table's list.
    pub index: usize,
    /// Values of the leading columns. A NULL that is written there is one that is looked for; others equal nothing.
    pub equal: Vec<Expr>,
    /// An array: the column after those has one of its values. Then there are no bounds.
    pub any: Option<Expr>,
    /// Lower bound of the next column, in its own order.
    pub low: Option<Bound>,
    /// Upper bound.
    pub high: Option<Bound>,
    /// Whether the column of the bounds is not NULL; bounds say so too.
    pub not_null: bool,
    /// Whether it is read from the far end.
    pub backward: bool,
    /// What every row in the range satisfies.
    pub implied: Vec<Expr>,
    /// The predicates that `equal` and `any` come from, over the table's columns.
    pub equals: Vec<Expr>,
    /// The predicates that the bounds come from.
    pub bounds: Vec<Expr>,
}

impl IndexRange {
    /// Whether it holds one row at most.
    pub fn is_single(&self, table: &TableRef) -> bool {
        let index = &table.indexes[self.index];
        let null = |e: &Expr| matches!(e.kind, ExprKind::Const(Datum::Null));
        index.unique && self.equal.len() == index.columns.len() && !self.equal.iter().any(null)
    }

    /// The values it is made of.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        let bounds = self.low.iter().chain(&self.high).map(|b| &b.value);
        self.equal.iter().chain(&self.any).chain(bounds)
    }

    /// As [`IndexRange::exprs`].
    pub fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let bounds = self.low.iter_mut().chain(&mut self.high).map(|b| &mut b.value);
        self.equal.iter_mut().chain(&mut self.any).chain(bounds)
    }

    /// Whether it is all of the index.
    pub fn is_whole(&self) -> bool {
        let bounded = self.not_null || self.low.is_some() || self.high.is_some();
        self.equal.is_empty() && self.any.is_none() && !bounded
    }
}

/// A plan.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "fields say what their types say")]
pub enum Node {
    /// Rows of expressions that see no input.
    Values { rows: Vec<Vec<Expr>>, types: Vec<Oid> },
    /// Rows of nothing but values, as a long VALUES list has them.
    Constants { rows: Arc<Chunk>, types: Vec<Oid> },
    /// All rows of a table: its columns, then the row id (`tid`). Columns that are not `needed` by whoever reads them are left out as
    /// absent vectors; what its filter reads, the scan itself sees to.
    Scan { table: Arc<TableRef>, filter: Option<Expr>, needed: Needed },
    /// The rows of a table that an index lists in `range`; the filter is checked on each. Where `only` is there, what is needed is in the
    /// entries, and it counts the rows that were looked at all the same.
    IndexScan { table: Arc<TableRef>, range: IndexRange, filter: Option<Expr>, needed: Needed, only: Option<Fetches> },
    /// The rows of a table whose ids indexes find, in their physical order; the filter is checked on each.
    BitmapScan { table: Arc<TableRef>, bits: Bits, filter: Option<Expr>, needed: Needed },
    /// Rows of a set-returning function, which is a user's where there is a `routine`; with `ordinality`, numbered from 1.
    FunctionScan {
        function: Oid,
        routine: Option<Arc<Routine>>,
        args: Vec<Expr>,
        types: Vec<Oid>,
        /// What the columns are called, where the caller says it.
        names: Vec<String>,
        ordinality: bool,
        label: Label,
    },
    /// Rows for which `predicate` is true.
    Filter { input: Box<Node>, predicate: Expr },
    /// Expressions over each row.
    Project { input: Box<Node>, exprs: Vec<Expr> },
    /// As Project, but calls of set-returning functions among `exprs` yield several rows each.
    ProjectSet { input: Box<Node>, exprs: Vec<Expr> },
    /// Left columns, then right columns; `equal` lists hashable pairs (left, right, equality function), `condition` the rest, over both.
    Join { kind: JoinKind, left: Box<Node>, right: Box<Node>, equal: Vec<(Expr, Expr, Oid)>, condition: Option<Expr> },
    /// As Join, of inputs that are in the order of the keys in `equal`, rising.
    MergeJoin {
        kind: JoinKind,
        left: Box<Node>,
        right: Box<Node>,
        equal: Vec<(Expr, Expr, Oid)>,
        condition: Option<Expr>,
    },
    /// For each row of the left, the rows that the right yields once `binds` (over the left row) are in its slots.
    Apply { kind: JoinKind, left: Box<Node>, right: Box<Node>, binds: Vec<(usize, Expr)>, condition: Option<Expr> },
    /// Group columns, then aggregates.
    Aggregate { input: Box<Node>, groups: Vec<Expr>, calls: Vec<AggregateCall> },
    /// As Aggregate, of rows of which those of a group stand together.
    GroupAggregate { input: Box<Node>, groups: Vec<Expr>, calls: Vec<AggregateCall> },
    /// For each row and each grouping set: the row, `groups` (NULL where the set lacks them), the set's number (`int4`), and whether
    /// there is such a row: without any, an empty set still has a row that is not.
    GroupingSets { input: Box<Node>, groups: Vec<Expr>, sets: Vec<Vec<bool>> },
    /// Input columns, then a column for each call; ordered by partition and order of the window.
    Window { input: Box<Node>, window: Window, calls: Vec<WindowCall> },
    /// The rows of `input`, counted.
    Counted { input: Box<Node>, counter: Counter },
    /// What `workers` threads and the one at hand make of `input`, each of other rows of the table that it starts from. Where it is not `whole`, it stands
    /// below an Aggregate or a Sort, which does its work in all of them and puts what comes of it together.
    Gather { input: Box<Node>, workers: usize, whole: bool },
    /// Rows in order.
    Sort { input: Box<Node>, keys: Vec<SortKey> },
    /// As Sort, of rows that are in the order of the first `presorted` keys.
    IncrementalSort { input: Box<Node>, keys: Vec<SortKey>, presorted: usize },
    /// Distinct rows; with `on`, the first of those that agree in these columns.
    Distinct { input: Box<Node>, on: Option<Vec<usize>> },
    /// Distinct rows of an input in which those that agree in these columns stand together: the first of each.
    Unique { input: Box<Node>, on: Vec<usize> },
    /// Some of the rows; with `ties`, then those that agree with the last one in these columns.
    Limit { input: Box<Node>, count: Option<Expr>, offset: Option<Expr>, ties: Option<Vec<usize>> },
    /// Rows of two inputs of the same types.
    SetOp { kind: SetKind, all: bool, left: Box<Node>, right: Box<Node> },
    /// `body`, in which [`Node::CteScan`] reads what `ctes` yield, each run once at most.
    With { ctes: Vec<(usize, Node)>, body: Box<Node> },
    /// Rows of common table expression `id`, called `name`; inside a recursive one, of the step before.
    CteScan { id: usize, types: Vec<Oid>, name: String, label: Label },
    /// Rows of `base`, then of `step` over and over: it reads the rows before by [`Node::CteScan`] of `id`.
    Recursive { id: usize, base: Box<Node>, step: Box<Node>, distinct: bool },
    /// Locks rows: `rowid` is the column of their ids.
    LockRows { input: Box<Node>, locks: Vec<RowLock> },
    /// Adds each input row (one column per table column) to a table; yields `returning` over it.
    Insert {
        table: Arc<TableRef>,
        rules: Arc<RowRules>,
        input: Box<Node>,
        conflict: Option<Box<OnConflict>>,
        returning: Option<Vec<Expr>>,
    },
    /// Input: the table's row, its id, then more; `sets` over that; yields `returning` over the new row (then the input's rest).
    Update {
        table: Arc<TableRef>,
        rules: Arc<RowRules>,
        input: Box<Node>,
        sets: Vec<(usize, Expr)>,
        returning: Option<Vec<Expr>>,
    },
    /// Input: the table's row, its id, then more.
    Delete { table: Arc<TableRef>, rules: Arc<RowRules>, input: Box<Node>, returning: Option<Vec<Expr>> },
    /// Input: the table's row, its id, the source's row, and in column `marker` whether there is one; either side may be NULL. Does
    /// what the first of `arms` says that is about such a row. Rows that changed meanwhile must satisfy `recheck` to be joined still.
    Merge {
        table: Arc<TableRef>,
        rules: Arc<RowRules>,
        input: Box<Node>,
        marker: usize,
        recheck: Vec<Expr>,
        arms: Vec<MergeArm>,
        returning: Option<Vec<Expr>>,
    },
}

/// Which rows an arm of MERGE is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeMatch {
    /// Those with both sides.
    Both,
    /// Rows of the table that no row of the source matches.
    TargetOnly,
    /// Rows of the source that match no row of the table.
    SourceOnly,
}

/// An arm of MERGE, over its input.
#[derive(Clone, Debug, PartialEq)]
pub struct MergeArm {
    /// Its rows.
    pub matched: MergeMatch,
    /// Of them, those for which this is true.
    pub condition: Option<Expr>,
    /// What is done.
    pub action: MergeAction,
}

/// What an arm of MERGE does.
#[derive(Clone, Debug, PartialEq)]
pub enum MergeAction {
    /// Nothing.
    Nothing,
    /// Deletes the row.
    Delete,
    /// Assigns to its columns.
    Update(Vec<(usize, Expr)>),
    /// Adds a row of these values.
    Insert(Vec<Expr>),
}

impl MergeArm {
    fn exprs(&self) -> Vec<&Expr> {
        let values: Vec<&Expr> = match &self.action {
            MergeAction::Update(sets) => sets.iter().map(|s| &s.1).collect(),
            MergeAction::Insert(values) => values.iter().collect(),
            MergeAction::Nothing | MergeAction::Delete => Vec::new(),
        };
        self.condition.iter().chain(values).collect()
    }

    /// Its condition, and what it computes.
    pub fn exprs_mut(&mut self) -> Vec<&mut Expr> {
        let values: Vec<&mut Expr> = match &mut self.action {
            MergeAction::Update(sets) => sets.iter_mut().map(|s| &mut s.1).collect(),
            MergeAction::Insert(values) => values.iter_mut().collect(),
            MergeAction::Nothing | MergeAction::Delete => Vec::new(),
        };
        self.condition.iter_mut().chain(values).collect()
    }
}

/// A row lock that a query takes.
#[derive(Clone, Debug, PartialEq)]
pub struct RowLock {
    /// The table.
    pub table: Arc<TableRef>,
    /// Its first column in the input; its row id follows its last.
    pub first: usize,
    /// Strength: 0 key share, 1 share, 2 no key update, 3 update.
    pub strength: u8,
    /// Whether rows that others hold are left out, or an error.
    pub wait: LockWait,
}

/// What a statement does to a table, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableUse {
    /// Reads it.
    Read,
    /// Locks rows of it (FOR UPDATE and its kin).
    LockRows,
    /// Writes to it.
    Write,
}

/// What to do about a row that another transaction holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWait {
    /// Wait.
    Block,
    /// Leave it out.
    Skip,
    /// Fail with `55P03`.
    Fail,
}

/// What INSERT does about rows whose key is taken.
#[derive(Clone, Debug, PartialEq)]
pub struct OnConflict {
    /// The indexes whose conflicts are meant (numbers in the table's list); all when empty.
    pub indexes: Vec<usize>,
    /// What becomes of the row that has it; `None` is DO NOTHING.
    pub update: Option<ConflictUpdate>,
}

/// DO UPDATE: expressions over the old row, its id, then the row that was to be inserted.
#[derive(Clone, Debug, PartialEq)]
pub struct ConflictUpdate {
    /// Assignments.
    pub sets: Vec<(usize, Expr)>,
    /// Rows it does not hold for stay as they are.
    pub condition: Option<Expr>,
}

/// Which columns somebody reads: all, or those that are true.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needed(pub Option<Vec<bool>>);

impl Needed {
    /// Whether column `i` is read.
    pub fn has(&self, i: usize) -> bool {
        self.0.as_ref().is_none_or(|n| n.get(i).copied().unwrap_or(false))
    }
}

impl Node {
    /// One row without columns.
    pub fn one_row() -> Node {
        Node::Values { rows: vec![Vec::new()], types: Vec::new() }
    }

    /// Types of the columns it yields.
    pub fn types(&self) -> Vec<Oid> {
        let of = |exprs: &[Expr]| exprs.iter().map(|e| e.ty).collect();
        match self {
            Node::Values { types, .. } | Node::Constants { types, .. } | Node::CteScan { types, .. } => types.clone(),
            Node::FunctionScan { types, ordinality, .. } => {
                types.iter().copied().chain(ordinality.then_some(oid::INT8)).collect()
            }
            Node::Scan { table, .. } | Node::IndexScan { table, .. } | Node::BitmapScan { table, .. } => {
                table.columns.iter().map(|c| c.ty).chain([oid::TID]).collect()
            }
            Node::Filter { input, .. }
            | Node::Counted { input, .. }
            | Node::Gather { input, .. }
            | Node::Sort { input, .. }
            | Node::IncrementalSort { input, .. }
            | Node::Distinct { input, .. }
            | Node::Unique { input, .. }
            | Node::LockRows { input, .. }
            | Node::Limit { input, .. } => input.types(),
            Node::Project { exprs, .. } | Node::ProjectSet { exprs, .. } => of(exprs),
            Node::Join { kind: JoinKind::Semi | JoinKind::Anti, left, .. }
            | Node::MergeJoin { kind: JoinKind::Semi | JoinKind::Anti, left, .. }
            | Node::Apply { kind: JoinKind::Semi | JoinKind::Anti, left, .. } => left.types(),
            Node::Join { left, right, .. } | Node::MergeJoin { left, right, .. } | Node::Apply { left, right, .. } => {
                [left.types(), right.types()].concat()
            }
            Node::Aggregate { groups, calls, .. } | Node::GroupAggregate { groups, calls, .. } => {
                groups.iter().map(|g| g.ty).chain(calls.iter().map(|c| c.ty)).collect()
            }
            Node::GroupingSets { input, groups, .. } => {
                input.types().into_iter().chain(groups.iter().map(|g| g.ty)).chain([oid::INT4, oid::BOOL]).collect()
            }
            Node::Window { input, calls, .. } => input.types().into_iter().chain(calls.iter().map(|c| c.ty)).collect(),
            Node::SetOp { left, .. } => left.types(),
            Node::With { body, .. } => body.types(),
            Node::Recursive { base, .. } => base.types(),
            Node::Insert { returning, .. }
            | Node::Update { returning, .. }
            | Node::Delete { returning, .. }
            | Node::Merge { returning, .. } => returning.as_deref().map_or(Vec::new(), of),
        }
    }

    /// Physical forms of the columns it yields.
    pub fn forms(&self) -> Vec<Physical> {
        self.types().into_iter().map(Physical::of).collect()
    }

    /// Its inputs.
    pub fn inputs(&self) -> Few<&Node> {
        match self {
            Node::Values { .. }
            | Node::Constants { .. }
            | Node::Scan { .. }
            | Node::IndexScan { .. }
            | Node::BitmapScan { .. }
            | Node::FunctionScan { .. }
            | Node::CteScan { .. } => Few::new(),
            Node::Filter { input, .. }
            | Node::Project { input, .. }
            | Node::ProjectSet { input, .. }
            | Node::Aggregate { input, .. }
            | Node::GroupAggregate { input, .. }
            | Node::IncrementalSort { input, .. }
            | Node::Unique { input, .. }
            | Node::GroupingSets { input, .. }
            | Node::Window { input, .. }
            | Node::Counted { input, .. }
            | Node::Gather { input, .. }
            | Node::Sort { input, .. }
            | Node::Distinct { input, .. }
            | Node::LockRows { input, .. }
            | Node::Limit { input, .. }
            | Node::Insert { input, .. }
            | Node::Update { input, .. }
            | Node::Delete { input, .. }
            | Node::Merge { input, .. } => smallvec![&**input],
            Node::Join { left, right, .. }
            | Node::MergeJoin { left, right, .. }
            | Node::Apply { left, right, .. }
            | Node::SetOp { left, right, .. } => {
                smallvec![&**left, &**right]
            }
            Node::Recursive { base, step, .. } => smallvec![&**base, &**step],
            Node::With { ctes, body } => ctes.iter().map(|c| &c.1).chain([&**body]).collect(),
        }
    }

    /// The expressions of this node alone.
    pub fn exprs(&self) -> Few<&Expr> {
        match self {
            Node::Values { rows, .. } => rows.iter().flatten().collect(),
            Node::Scan { filter, .. } => filter.iter().collect(),
            Node::IndexScan { range, filter, .. } => range.exprs().chain(filter).collect(),
            Node::BitmapScan { bits, filter, .. } => bits.exprs().into_iter().chain(filter).collect(),
            Node::FunctionScan { args, .. } => args.iter().collect(),
            Node::Filter { predicate, .. } => smallvec![predicate],
            Node::Project { exprs, .. } | Node::ProjectSet { exprs, .. } => exprs.iter().collect(),
            Node::Join { equal, condition, .. } | Node::MergeJoin { equal, condition, .. } => {
                equal.iter().flat_map(|e| [&e.0, &e.1]).chain(condition).collect()
            }
            Node::Apply { binds, condition, .. } => binds.iter().map(|b| &b.1).chain(condition).collect(),
            Node::Aggregate { groups, calls, .. } | Node::GroupAggregate { groups, calls, .. } => {
                let mut all: Few<&Expr> = groups.iter().collect();
                all.extend(calls.iter().flat_map(AggregateCall::exprs));
                all
            }
            Node::GroupingSets { groups, .. } => groups.iter().collect(),
            Node::Window { window, calls, .. } => {
                let mut all = window.exprs();
                calls.iter().for_each(|c| all.extend(c.args.iter().chain(&c.filter)));
                all
            }
            Node::Sort { keys, .. } | Node::IncrementalSort { keys, .. } => keys.iter().map(|k| &k.expr).collect(),
            Node::Limit { count, offset, .. } => count.iter().chain(offset).collect(),
            Node::Insert { rules, returning, conflict, .. } => {
                let checks = rules.checks.iter().chain(&rules.views).map(|c| &c.1);
                let mut all: Few<&Expr> = checks.chain(returning.iter().flatten()).collect();
                if let Some(update) = conflict.as_ref().and_then(|c| c.update.as_ref()) {
                    all.extend(update.sets.iter().map(|s| &s.1).chain(&update.condition));
                }
                all
            }
            Node::Update { rules, sets, returning, .. } => {
                let sets = sets.iter().map(|s| &s.1);
                let checks = rules.checks.iter().chain(&rules.views).map(|c| &c.1);
                checks.chain(sets).chain(returning.iter().flatten()).collect()
            }
            Node::Merge { rules, recheck, arms, returning, .. } => {
                let checks = rules.checks.iter().chain(&rules.views).map(|c| &c.1);
                let arms = arms.iter().flat_map(MergeArm::exprs);
                checks.chain(recheck).chain(arms).chain(returning.iter().flatten()).collect()
            }
            Node::Delete { returning, .. } => returning.iter().flatten().collect(),
            Node::Distinct { .. }
            | Node::Unique { .. }
            | Node::SetOp { .. }
            | Node::With { .. }
            | Node::Counted { .. }
            | Node::Gather { .. }
            | Node::Constants { .. }
            | Node::CteScan { .. }
            | Node::Recursive { .. }
            | Node::LockRows { .. } => Few::new(),
        }
    }

    /// Its inputs.
    pub fn inputs_mut(&mut self) -> Few<&mut Node> {
        match self {
            Node::Values { .. }
            | Node::Constants { .. }
            | Node::Scan { .. }
            | Node::IndexScan { .. }
            | Node::BitmapScan { .. }
            | Node::FunctionScan { .. }
            | Node::CteScan { .. } => Few::new(),
            Node::Filter { input, .. }
            | Node::Project { input, .. }
            | Node::ProjectSet { input, .. }
            | Node::Aggregate { input, .. }
            | Node::GroupAggregate { input, .. }
            | Node::IncrementalSort { input, .. }
            | Node::Unique { input, .. }
            | Node::GroupingSets { input, .. }
            | Node::Window { input, .. }
            | Node::Counted { input, .. }
            | Node::Gather { input, .. }
            | Node::Sort { input, .. }
            | Node::Distinct { input, .. }
            | Node::LockRows { input, .. }
            | Node::Limit { input, .. }
            | Node::Insert { input, .. }
            | Node::Update { input, .. }
            | Node::Delete { input, .. }
            | Node::Merge { input, .. } => smallvec![&mut **input],
            Node::Join { left, right, .. }
            | Node::MergeJoin { left, right, .. }
            | Node::Apply { left, right, .. }
            | Node::SetOp { left, right, .. } => {
                smallvec![&mut **left, &mut **right]
            }
            Node::Recursive { base, step, .. } => smallvec![&mut **base, &mut **step],
            Node::With { ctes, body } => ctes.iter_mut().map(|c| &mut c.1).chain([&mut **body]).collect(),
        }
    }

    /// The expressions of this node alone, but for the rules of a table, which run no queries.
    pub fn exprs_mut(&mut self) -> Few<&mut Expr> {
        match self {
            Node::Values { rows, .. } => rows.iter_mut().flatten().collect(),
            Node::Scan { filter, .. } => filter.iter_mut().collect(),
            Node::IndexScan { range, filter, .. } => range.exprs_mut().chain(filter).collect(),
            Node::BitmapScan { bits, filter, .. } => bits.exprs_mut().into_iter().chain(filter).collect(),
            Node::FunctionScan { args, .. } => args.iter_mut().collect(),
            Node::Filter { predicate, .. } => smallvec![predicate],
            Node::Project { exprs, .. } | Node::ProjectSet { exprs, .. } => exprs.iter_mut().collect(),
            Node::Join { equal, condition, .. } | Node::MergeJoin { equal, condition, .. } => {
                equal.iter_mut().flat_map(|e| [&mut e.0, &mut e.1]).chain(condition).collect()
            }
            Node::Apply { binds, condition, .. } => binds.iter_mut().map(|b| &mut b.1).chain(condition).collect(),
            Node::Aggregate { groups, calls, .. } | Node::GroupAggregate { groups, calls, .. } => {
                let mut all: Few<&mut Expr> = groups.iter_mut().collect();
                all.extend(calls.iter_mut().flat_map(AggregateCall::exprs_mut));
                all
            }
            Node::GroupingSets { groups, .. } => groups.iter_mut().collect(),
            Node::Window { window, calls, .. } => {
                let mut all = window.exprs_mut();
                calls.iter_mut().for_each(|c| all.extend(c.args.iter_mut().chain(&mut c.filter)));
                all
            }
            Node::Sort { keys, .. } | Node::IncrementalSort { keys, .. } => {
                keys.iter_mut().map(|k| &mut k.expr).collect()
            }
            Node::Limit { count, offset, .. } => count.iter_mut().chain(offset).collect(),
            Node::Insert { returning, conflict, .. } => {
                let mut all: Few<&mut Expr> = returning.iter_mut().flatten().collect();
                if let Some(update) = conflict.as_mut().and_then(|c| c.update.as_mut()) {
                    all.extend(update.sets.iter_mut().map(|s| &mut s.1).chain(&mut update.condition));
                }
                all
            }
            Node::Update { sets, returning, .. } => {
                sets.iter_mut().map(|s| &mut s.1).chain(returning.iter_mut().flatten()).collect()
            }
            Node::Delete { returning, .. } => returning.iter_mut().flatten().collect(),
            Node::Merge { recheck, arms, returning, .. } => {
                let arms = arms.iter_mut().flat_map(MergeArm::exprs_mut);
                recheck.iter_mut().chain(arms).chain(returning.iter_mut().flatten()).collect()
            }
            Node::Distinct { .. }
            | Node::Unique { .. }
            | Node::SetOp { .. }
            | Node::With { .. }
            | Node::Counted { .. }
            | Node::Gather { .. }
            | Node::Constants { .. }
            | Node::CteScan { .. }
            | Node::Recursive { .. }
            | Node::LockRows { .. } => Few::new(),
        }
    }

    /// Calls `f` with every expression of this node alone: as [`Node::exprs`], without a list of what may be many.
    pub fn each_expr<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        match self {
            Node::Values { rows, .. } => rows.iter().flatten().for_each(f),
            _ => self.exprs().into_iter().for_each(f),
        }
    }

    /// As [`Node::each_expr`].
    pub fn each_expr_mut(&mut self, f: &mut dyn FnMut(&mut Expr)) {
        match self {
            Node::Values { rows, .. } => rows.iter_mut().flatten().for_each(f),
            _ => self.exprs_mut().into_iter().for_each(f),
        }
    }

    /// Calls `f` with this node and all below it, those of subqueries too.
    pub fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a Node)) {
        f(self);
        self.inputs().into_iter().for_each(|n| n.visit(f));
        self.each_expr(&mut |e| {
            e.visit(&mut |e| {
                if let ExprKind::Subquery(sub) = &e.kind {
                    sub.node.visit(f);
                    if let SubKind::Quantified { test, .. } = &sub.kind {
                        debug_assert!(
                            !matches!(test.kind, ExprKind::Subquery(_)),
                            "a test compares columns with slots"
                        );
                    }
                }
            });
        });
    }

    /// Calls `f` with every table, and whether it is written to.
    pub fn visit_tables<'a>(&'a self, f: &mut dyn FnMut(&'a Arc<TableRef>, bool)) {
        self.visit(&mut |node| match node {
            Node::Scan { table, .. } | Node::IndexScan { table, .. } | Node::BitmapScan { table, .. } => {
                f(table, false)
            }
            Node::Insert { table, .. }
            | Node::Update { table, .. }
            | Node::Delete { table, .. }
            | Node::Merge { table, .. } => f(table, true),
            _ => {}
        });
    }

    /// Every stored table once, with the most that is done to it; what does most comes first.
    pub fn stored_tables(&self) -> Vec<(Oid, TableUse)> {
        let mut uses: Vec<(Oid, TableUse)> = Vec::new();
        let mut add = |table: &TableRef, how: TableUse| {
            if table.source == TableSource::Stored {
                match uses.iter_mut().find(|u| u.0 == table.oid) {
                    Some(known) => known.1 = known.1.max(how),
                    None => uses.push((table.oid, how)),
                }
            }
        };
        self.visit_tables(&mut |table, writes| add(table, if writes { TableUse::Write } else { TableUse::Read }));
        self.visit(&mut |node| {
            if let Node::LockRows { locks, .. } = node {
                locks.iter().for_each(|lock| add(&lock.table, TableUse::LockRows));
            }
        });
        uses.sort_by_key(|u| std::cmp::Reverse(u.1));
        uses
    }

    /// Whether it changes rows anywhere.
    pub fn writes(&self) -> bool {
        let mut writes = false;
        self.visit(&mut |n| {
            writes |= matches!(
                n,
                Node::Insert { .. }
                    | Node::Update { .. }
                    | Node::Delete { .. }
                    | Node::Merge { .. }
                    | Node::LockRows { .. }
            );
        });
        writes
    }
}
