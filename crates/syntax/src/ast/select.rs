//! Queries: SELECT, VALUES, set operations, and what stands in FROM.
#![allow(missing_docs, reason = "fields are named after the clause they hold; every type is documented")]

use super::{
    ColumnDef, Expr, Ident, JsonArgument, JsonBehavior, JsonFormat, JsonQuotes, JsonValueExpr, JsonWrapper, Name,
    Operator, Pos, QualifiedName, Statement, TypeName,
};

/// A query expression: a body with what may surround it.
#[derive(Clone, PartialEq, Debug)]
pub struct Select {
    pub with: Option<Box<With>>,
    pub body: SelectBody,
    pub order_by: Vec<SortBy>,
    pub limit: Option<Box<Limit>>,
    pub locking: Vec<Locking>,
    pub pos: Pos,
}

/// What a query expression consists of.
#[derive(Clone, PartialEq, Debug)]
pub enum SelectBody {
    /// `SELECT …`, and `TABLE t` as `SELECT * FROM t`.
    Query(Box<SelectCore>),
    /// `VALUES (…), (…)`.
    Values(Vec<Vec<Expr>>),
    SetOperation(Box<SetOperation>),
}

/// A single SELECT.
#[derive(Clone, PartialEq, Debug)]
pub struct SelectCore {
    pub distinct: Distinct,
    pub targets: Vec<Target>,
    /// `SELECT INTO`.
    pub into: Option<Box<IntoTable>>,
    pub from: Vec<TableRef>,
    pub where_clause: Option<Expr>,
    /// GROUP BY DISTINCT.
    pub group_distinct: bool,
    pub group_by: Vec<GroupItem>,
    pub having: Option<Expr>,
    pub windows: Vec<WindowSpec>,
}

/// `SELECT`, `SELECT DISTINCT`, `SELECT DISTINCT ON (…)`.
#[derive(Clone, PartialEq, Debug)]
pub enum Distinct {
    All,
    Distinct,
    On(Vec<Expr>),
}

/// One output column of a select list or RETURNING. `*` is [`super::ExprKind::Star`].
#[derive(Clone, PartialEq, Debug)]
pub struct Target {
    pub expr: Expr,
    pub alias: Option<Name>,
    pub pos: Pos,
}

/// The table SELECT INTO or CREATE TABLE AS makes.
#[derive(Clone, PartialEq, Debug)]
pub struct IntoTable {
    pub relation: RangeVar,
    pub persistence: super::Persistence,
    pub columns: Vec<Name>,
    pub access_method: Option<Name>,
    pub options: Vec<super::DefElem>,
    pub on_commit: super::OnCommit,
    pub tablespace: Option<Name>,
}

/// UNION, INTERSECT or EXCEPT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetOperator {
    Union,
    Intersect,
    Except,
}

/// `left op [ALL] right`.
#[derive(Clone, PartialEq, Debug)]
pub struct SetOperation {
    pub op: SetOperator,
    pub all: bool,
    pub left: Select,
    pub right: Select,
    /// Position of the operator word.
    pub pos: Pos,
}

/// `LIMIT`, `OFFSET`, `FETCH FIRST`.
#[derive(Clone, PartialEq, Debug)]
pub struct Limit {
    /// Absent when there is no limit.
    pub count: Option<Expr>,
    pub offset: Option<Expr>,
    pub with_ties: bool,
    /// LIMIT ALL was written; `count` is absent.
    pub all: bool,
}

/// Strength of a row lock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LockStrength {
    KeyShare,
    Share,
    NoKeyUpdate,
    Update,
}

/// What to do when a row is locked by another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LockWait {
    Block,
    SkipLocked,
    NoWait,
}

/// `FOR UPDATE [OF …] [NOWAIT]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Locking {
    pub strength: LockStrength,
    pub of: Vec<RangeVar>,
    pub wait: LockWait,
    pub pos: Pos,
}

/// `WITH [RECURSIVE] …`.
#[derive(Clone, PartialEq, Debug)]
pub struct With {
    pub recursive: bool,
    pub ctes: Vec<Cte>,
    pub pos: Pos,
}

/// One common table expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Cte {
    pub name: Name,
    pub columns: Vec<Name>,
    /// MATERIALIZED or NOT MATERIALIZED, where written.
    pub materialized: Option<bool>,
    /// Select, insert, update, delete or merge.
    pub statement: Statement,
    pub search: Option<CteSearch>,
    pub cycle: Option<Box<CteCycle>>,
    pub pos: Pos,
}

/// `SEARCH BREADTH|DEPTH FIRST BY … SET …`.
#[derive(Clone, PartialEq, Debug)]
pub struct CteSearch {
    pub breadth_first: bool,
    pub columns: Vec<Name>,
    pub sequence: Name,
    pub pos: Pos,
}

/// `CYCLE … SET … [TO … DEFAULT …] USING …`.
#[derive(Clone, PartialEq, Debug)]
pub struct CteCycle {
    pub columns: Vec<Name>,
    pub mark: Name,
    /// `true` when not written.
    pub mark_value: Expr,
    /// `false` when not written.
    pub mark_default: Expr,
    pub path: Name,
    pub pos: Pos,
}

/// One item of ORDER BY.
#[derive(Clone, PartialEq, Debug)]
pub struct SortBy {
    pub expr: Expr,
    pub direction: SortDirection,
    pub nulls: NullsOrder,
}

/// Direction of a sort.
#[derive(Clone, PartialEq, Debug)]
pub enum SortDirection {
    Default,
    Asc,
    Desc,
    Using(Operator),
}

/// Where NULLs go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NullsOrder {
    Default,
    First,
    Last,
}

/// One item of GROUP BY.
#[derive(Clone, PartialEq, Debug)]
pub enum GroupItem {
    Expr(Expr),
    /// `()`.
    Empty(Pos),
    Rollup(Vec<Expr>, Pos),
    Cube(Vec<Expr>, Pos),
    GroupingSets(Vec<GroupItem>, Pos),
}

/// A window: an entry of the WINDOW clause or what stands in `OVER (…)`.
#[derive(Clone, PartialEq, Debug)]
pub struct WindowSpec {
    /// Its name in the WINDOW clause.
    pub name: Option<Name>,
    /// The window it copies.
    pub base: Option<Name>,
    pub partition_by: Vec<Expr>,
    pub order_by: Vec<SortBy>,
    pub frame: Option<Box<WindowFrame>>,
    pub pos: Pos,
}

/// What a frame counts in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameUnits {
    Rows,
    Range,
    Groups,
}

/// One end of a frame.
#[derive(Clone, PartialEq, Debug)]
pub enum FrameBound {
    UnboundedPreceding,
    Preceding(Expr),
    CurrentRow,
    Following(Expr),
    UnboundedFollowing,
}

/// What a frame leaves out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameExclusion {
    None,
    CurrentRow,
    Group,
    Ties,
}

/// `ROWS BETWEEN … AND … EXCLUDE …`.
#[derive(Clone, PartialEq, Debug)]
pub struct WindowFrame {
    pub units: FrameUnits,
    pub start: FrameBound,
    /// `CURRENT ROW` when BETWEEN was not written.
    pub end: FrameBound,
    pub exclusion: FrameExclusion,
    /// BETWEEN was written.
    pub between: bool,
    pub pos: Pos,
}

/// A relation's name in a statement.
#[derive(Clone, PartialEq, Debug)]
pub struct RangeVar {
    pub catalog: Option<Name>,
    pub schema: Option<Name>,
    pub name: Name,
    /// ONLY was written: no descendants.
    pub only: bool,
    /// Position of the first part of the name.
    pub pos: Pos,
}

/// `AS name (columns)`.
#[derive(Clone, PartialEq, Debug)]
pub struct Alias {
    pub name: Name,
    pub columns: Vec<Name>,
}

/// An item of FROM.
#[derive(Clone, PartialEq, Debug)]
pub enum TableRef {
    Relation(Box<RelationRef>),
    Subquery(Box<SubqueryRef>),
    Function(Box<FunctionRef>),
    Join(Box<Join>),
    XmlTable(Box<XmlTable>),
    JsonTable(Box<JsonTable>),
}

/// A table, view or CTE, perhaps sampled.
#[derive(Clone, PartialEq, Debug)]
pub struct RelationRef {
    pub relation: RangeVar,
    pub alias: Option<Alias>,
    pub sample: Option<Box<TableSample>>,
}

/// `TABLESAMPLE method (args) [REPEATABLE (seed)]`.
#[derive(Clone, PartialEq, Debug)]
pub struct TableSample {
    pub method: QualifiedName,
    pub args: Vec<Expr>,
    pub repeatable: Option<Expr>,
    pub pos: Pos,
}

/// `[LATERAL] (query) [alias]`.
#[derive(Clone, PartialEq, Debug)]
pub struct SubqueryRef {
    pub lateral: bool,
    pub query: Select,
    pub alias: Option<Alias>,
    /// Position of the opening parenthesis.
    pub pos: Pos,
}

/// A function in FROM, or several in ROWS FROM.
#[derive(Clone, PartialEq, Debug)]
pub struct FunctionRef {
    pub lateral: bool,
    pub rows_from: bool,
    pub ordinality: bool,
    pub functions: Vec<RowsFromItem>,
    pub alias: Option<Alias>,
    /// `AS (a int, b text)` after the only function.
    pub columns: Vec<ColumnDef>,
    pub pos: Pos,
}

/// One function of ROWS FROM.
#[derive(Clone, PartialEq, Debug)]
pub struct RowsFromItem {
    /// A function call or something that looks like one (`CURRENT_DATE`, `COALESCE`).
    pub call: Expr,
    pub columns: Vec<ColumnDef>,
}

/// Kinds of join. A CROSS JOIN is `Inner` without condition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
}

/// What a join compares.
#[derive(Clone, PartialEq, Debug)]
pub enum JoinCondition {
    /// CROSS JOIN.
    None,
    Natural,
    On(Expr),
    /// `USING (columns) [AS alias]`.
    Using(Vec<Name>, Option<Name>),
}

/// `left JOIN right`.
#[derive(Clone, PartialEq, Debug)]
pub struct Join {
    pub kind: JoinKind,
    pub left: TableRef,
    pub right: TableRef,
    pub condition: JoinCondition,
    /// `(a JOIN b) AS x`.
    pub alias: Option<Alias>,
    /// Position of the first word of the join (`LEFT`, `JOIN`, `NATURAL` …).
    pub pos: Pos,
}

/// `XMLTABLE(…)`.
#[derive(Clone, PartialEq, Debug)]
pub struct XmlTable {
    pub lateral: bool,
    pub namespaces: Vec<super::XmlNamed>,
    pub row: Expr,
    pub document: Expr,
    pub columns: Vec<XmlTableColumn>,
    pub alias: Option<Alias>,
    pub pos: Pos,
}

/// A column of XMLTABLE.
#[derive(Clone, PartialEq, Debug)]
pub struct XmlTableColumn {
    pub name: Name,
    /// Absent for FOR ORDINALITY.
    pub ty: Option<TypeName>,
    pub path: Option<Expr>,
    pub default: Option<Expr>,
    pub not_null: bool,
    pub pos: Pos,
}

/// `JSON_TABLE(…)`.
#[derive(Clone, PartialEq, Debug)]
pub struct JsonTable {
    pub lateral: bool,
    pub context: JsonValueExpr,
    pub path: Expr,
    pub path_name: Option<Name>,
    pub passing: Vec<JsonArgument>,
    pub columns: Vec<JsonTableColumn>,
    pub on_error: Option<JsonBehavior>,
    pub alias: Option<Alias>,
    pub pos: Pos,
}

/// A column of JSON_TABLE.
#[derive(Clone, PartialEq, Debug)]
pub enum JsonTableColumn {
    Ordinality(Name),
    Regular {
        name: Name,
        ty: TypeName,
        format: Option<JsonFormat>,
        path: Option<Ident>,
        wrapper: JsonWrapper,
        quotes: JsonQuotes,
        on_empty: Option<JsonBehavior>,
        on_error: Option<JsonBehavior>,
    },
    Exists {
        name: Name,
        ty: TypeName,
        path: Option<Ident>,
        on_error: Option<JsonBehavior>,
    },
    Nested {
        path: Ident,
        path_name: Option<Name>,
        columns: Vec<JsonTableColumn>,
        pos: Pos,
    },
}
