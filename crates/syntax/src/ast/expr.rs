//! Expressions and type names.
#![allow(missing_docs, reason = "fields are named after the clause they hold; every type is documented")]

use super::{Ident, Name, Pos, QualifiedName, Select, SortBy, WindowSpec};

/// An expression and the position PostgreSQL's node for it carries.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    pub pos: Pos,
    pub kind: ExprKind,
}

/// Every kind of expression.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// `a`, `t.a`, `s.t.a`, `c.s.t.a`. Subscripts and what follows them are an [`ExprKind::Indirection`] around it.
    Column(QualifiedName),
    /// `*` (empty) or `t.*`. PostgreSQL's grammar takes the qualified form anywhere, the binder decides.
    Star(QualifiedName),
    Literal(Literal),
    /// `$1`.
    Param(i32),
    /// `op x`.
    Unary(Box<Unary>),
    /// `x op y`.
    Binary(Box<Binary>),
    /// Two or more conditions.
    And(Vec<Expr>),
    /// Two or more conditions.
    Or(Vec<Expr>),
    Not(Box<Expr>),
    FuncCall(Box<FuncCall>),
    /// `CAST(x AS t)`, `x::t`, `t 'text'`. For the last, `pos` is [`Pos::NONE`].
    Cast(Box<Cast>),
    Case(Box<Case>),
    Coalesce(Vec<Expr>),
    NullIf(Box<[Expr; 2]>),
    /// `GREATEST`.
    Greatest(Vec<Expr>),
    /// `LEAST`.
    Least(Vec<Expr>),
    Between(Box<Between>),
    /// `x [NOT] IN (a, b, …)`.
    InList(Box<InList>),
    /// `x [NOT] IN (SELECT …)`.
    InSubquery(Box<InSubquery>),
    /// `LIKE`, `ILIKE`, `SIMILAR TO`.
    Like(Box<Like>),
    /// `x IS NULL`, `x IS NOT TRUE`, `x IS DOCUMENT` …
    Is(Box<Is>),
    /// `x IS [NOT] DISTINCT FROM y`.
    IsDistinctFrom(Box<IsDistinctFrom>),
    /// `x IS [NOT] JSON …`.
    IsJson(Box<IsJson>),
    Row(Box<Row>),
    /// `ARRAY[…]`; nested brackets are nested `Array`s.
    Array(Vec<Expr>),
    /// `ARRAY(SELECT …)`.
    ArraySubquery(Box<Select>),
    /// `x[1]`, `x[1:2]`, `(x).f`, `(x).*`.
    Indirection(Box<IndirectionExpr>),
    Exists(Box<Select>),
    ScalarSubquery(Box<Select>),
    /// `x op ANY|ALL (…)`.
    Quantified(Box<Quantified>),
    /// `(a, b) OVERLAPS (c, d)` is a `FuncCall`; this is `x COLLATE c`.
    Collate(Box<Collate>),
    /// `CURRENT_DATE` and its kin; the precision where one was written.
    SqlValue(SqlValue, Option<i32>),
    /// `GROUPING(a, b)`.
    Grouping(Vec<Expr>),
    /// `WHERE CURRENT OF c`.
    CurrentOf(Name),
    /// `DEFAULT` in a VALUES list or an assignment.
    SetToDefault,
    /// `MERGE_ACTION()`.
    MergeAction,
    Xml(Box<XmlExpr>),
    Json(Box<JsonExpr>),
}

impl Expr {
    /// An expression of `kind` at `pos`.
    pub fn new(kind: ExprKind, pos: Pos) -> Expr {
        Expr { pos, kind }
    }

    /// The leftmost position of the expression, which PostgreSQL reports in most errors about it.
    pub fn location(&self) -> Pos {
        match &self.kind {
            ExprKind::Binary(b) => self.pos.leftmost(b.left.location()),
            ExprKind::And(list) | ExprKind::Or(list) => match list.first() {
                Some(first) => self.pos.leftmost(first.location()),
                None => self.pos,
            },
            ExprKind::Cast(c) => self.pos.leftmost(c.arg.location()).leftmost(c.ty.pos),
            ExprKind::Between(b) => self.pos.leftmost(b.arg.location()),
            ExprKind::InList(i) => self.pos.leftmost(i.arg.location()),
            ExprKind::InSubquery(i) => self.pos.leftmost(i.arg.location()),
            ExprKind::Like(l) => self.pos.leftmost(l.arg.location()),
            ExprKind::Is(i) => self.pos.leftmost(i.arg.location()),
            ExprKind::IsDistinctFrom(i) => self.pos.leftmost(i.left.location()),
            ExprKind::IsJson(i) => self.pos.leftmost(i.arg.location()),
            ExprKind::Indirection(i) => i.arg.location(),
            ExprKind::Quantified(q) => self.pos.leftmost(q.left.location()),
            ExprKind::Collate(c) => self.pos.leftmost(c.arg.location()),
            ExprKind::FuncCall(f) => match f.args.first() {
                Some(first) => self.pos.leftmost(first.location()),
                None => self.pos,
            },
            _ => self.pos,
        }
    }
}

/// A constant.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    Null,
    Bool(bool),
    /// An integer that fits 32 bits.
    Integer(i32),
    /// Any other number, as it was written (underscores, `0x` and all; a leading `-` when it was negated). The binder
    /// makes it an `int8` when it fits and is an integer, else a `numeric`.
    Number(Ident),
    /// Any string form, unescaped.
    String(Ident),
    /// `B'…'` as `b…`, `X'…'` as `x…`.
    BitString(Ident),
}

/// An operator name: `+` or `OPERATOR(schema.+)`.
#[derive(Clone, PartialEq, Debug)]
pub struct Operator {
    pub schema: Vec<Name>,
    pub name: Ident,
    pub pos: Pos,
}

/// `op arg`; the node's position is the operator's.
#[derive(Clone, PartialEq, Debug)]
pub struct Unary {
    pub op: Operator,
    pub arg: Expr,
}

/// `left op right`; the node's position is the operator's.
#[derive(Clone, PartialEq, Debug)]
pub struct Binary {
    pub op: Operator,
    pub left: Expr,
    pub right: Expr,
}

/// A function call, aggregate or window function.
#[derive(Clone, PartialEq, Debug)]
pub struct FuncCall {
    pub name: QualifiedName,
    pub args: Vec<FuncArg>,
    /// `f(*)`.
    pub star: bool,
    pub distinct: bool,
    /// The last argument was marked VARIADIC.
    pub variadic: bool,
    pub order_by: Vec<SortBy>,
    /// `order_by` is that of WITHIN GROUP.
    pub within_group: bool,
    pub filter: Option<Expr>,
    pub over: Option<Over>,
    /// Written in a special SQL syntax (`EXTRACT(… FROM …)`), or standing for one.
    pub sql_syntax: bool,
}

/// `x`, `name => x` or `name := x`.
#[derive(Clone, PartialEq, Debug)]
pub struct FuncArg {
    pub name: Option<Name>,
    pub value: Expr,
}

impl FuncArg {
    /// Where the argument starts: its name if it has one.
    pub fn location(&self) -> Pos {
        match &self.name {
            Some(name) => name.pos,
            None => self.value.location(),
        }
    }
}

/// What follows OVER.
#[derive(Clone, PartialEq, Debug)]
pub enum Over {
    /// `OVER w`.
    Name(Name),
    /// `OVER (…)`.
    Spec(Box<WindowSpec>),
}

/// An explicit cast; the node's position is that of `CAST` or `::`.
#[derive(Clone, PartialEq, Debug)]
pub struct Cast {
    pub arg: Expr,
    pub ty: TypeName,
}

/// `CASE [operand] WHEN … THEN … [ELSE …] END`.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    pub operand: Option<Expr>,
    pub whens: Vec<CaseWhen>,
    pub default: Option<Expr>,
}

/// One arm of a CASE.
#[derive(Clone, PartialEq, Debug)]
pub struct CaseWhen {
    pub condition: Expr,
    pub result: Expr,
    pub pos: Pos,
}

/// `arg [NOT] BETWEEN [SYMMETRIC] low AND high`.
#[derive(Clone, PartialEq, Debug)]
pub struct Between {
    pub not: bool,
    pub symmetric: bool,
    pub arg: Expr,
    pub low: Expr,
    pub high: Expr,
}

/// `arg [NOT] IN (list)`; the node's position is that of IN, or of NOT.
#[derive(Clone, PartialEq, Debug)]
pub struct InList {
    pub not: bool,
    pub arg: Expr,
    pub list: Vec<Expr>,
}

/// `arg [NOT] IN (query)`.
#[derive(Clone, PartialEq, Debug)]
pub struct InSubquery {
    pub not: bool,
    pub arg: Expr,
    pub query: Select,
}

/// Which pattern language.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LikeKind {
    Like,
    ILike,
    /// The pattern goes through `pg_catalog.similar_to_escape`, with or without an escape.
    SimilarTo,
}

/// `arg [NOT] LIKE pattern [ESCAPE escape]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Like {
    pub kind: LikeKind,
    pub not: bool,
    pub arg: Expr,
    pub pattern: Expr,
    pub escape: Option<Expr>,
}

impl Like {
    /// The operator PostgreSQL looks up: `~~`, `!~~`, `~~*`, `!~~*`, `~`, `!~`.
    pub fn operator(&self) -> &'static str {
        like_operator(self.kind, self.not)
    }
}

/// The operator of a pattern match.
pub(crate) fn like_operator(kind: LikeKind, not: bool) -> &'static str {
    match (kind, not) {
        (LikeKind::Like, false) => "~~",
        (LikeKind::Like, true) => "!~~",
        (LikeKind::ILike, false) => "~~*",
        (LikeKind::ILike, true) => "!~~*",
        (LikeKind::SimilarTo, false) => "~",
        (LikeKind::SimilarTo, true) => "!~",
    }
}

/// What an IS test asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IsTest {
    Null,
    True,
    False,
    Unknown,
    Document,
}

/// `arg IS [NOT] test`.
#[derive(Clone, PartialEq, Debug)]
pub struct Is {
    pub not: bool,
    pub test: IsTest,
    pub arg: Expr,
}

/// `left IS [NOT] DISTINCT FROM right`; the node's position is that of IS.
#[derive(Clone, PartialEq, Debug)]
pub struct IsDistinctFrom {
    pub not: bool,
    pub left: Expr,
    pub right: Expr,
}

/// The kind of JSON value asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonItemType {
    Any,
    Object,
    Array,
    Scalar,
}

/// `arg IS [NOT] JSON [VALUE|ARRAY|OBJECT|SCALAR] [WITH UNIQUE KEYS]`.
#[derive(Clone, PartialEq, Debug)]
pub struct IsJson {
    pub not: bool,
    pub item: JsonItemType,
    pub unique_keys: bool,
    pub arg: Expr,
}

/// `ROW(…)` or `(a, b)`.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The word ROW was written.
    pub explicit: bool,
    pub fields: Vec<Expr>,
}

/// A base and what is selected from it, in order.
#[derive(Clone, PartialEq, Debug)]
pub struct IndirectionExpr {
    pub arg: Expr,
    pub path: Vec<Indirection>,
}

/// One step of selection.
#[derive(Clone, PartialEq, Debug)]
pub enum Indirection {
    Field(Name),
    /// `.*`; always last.
    Star(Pos),
    Index(Expr),
    Slice(Option<Box<Expr>>, Option<Box<Expr>>),
}

/// `left op ANY|ALL (array or query)`; the node's position is the operator's.
#[derive(Clone, PartialEq, Debug)]
pub struct Quantified {
    pub left: Expr,
    /// For `LIKE ANY` and kin, the operator they stand for.
    pub op: Operator,
    /// ALL rather than ANY or SOME.
    pub all: bool,
    pub source: QuantifiedSource,
}

/// What a quantified comparison runs over.
#[derive(Clone, PartialEq, Debug)]
pub enum QuantifiedSource {
    Query(Select),
    Array(Expr),
}

/// `arg COLLATE collation`; the node's position is that of COLLATE.
#[derive(Clone, PartialEq, Debug)]
pub struct Collate {
    pub arg: Expr,
    pub collation: QualifiedName,
}

/// SQL's parameterless functions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SqlValue {
    CurrentDate,
    CurrentTime,
    CurrentTimestamp,
    LocalTime,
    LocalTimestamp,
    CurrentRole,
    CurrentUser,
    User,
    SessionUser,
    CurrentCatalog,
    CurrentSchema,
}

/// `x AS name` or `x` in XMLFOREST and XMLATTRIBUTES.
#[derive(Clone, PartialEq, Debug)]
pub struct XmlNamed {
    pub name: Option<Name>,
    pub value: Expr,
    pub pos: Pos,
}

/// SQL/XML functions.
#[derive(Clone, PartialEq, Debug)]
pub enum XmlExpr {
    Concat(Vec<Expr>),
    Element { name: Name, attributes: Vec<XmlNamed>, content: Vec<Expr> },
    Forest(Vec<XmlNamed>),
    Parse { document: bool, arg: Expr, preserve_whitespace: bool },
    Pi { name: Name, content: Option<Expr> },
    Root { arg: Expr, version: Option<Expr>, standalone: Option<Option<bool>> },
    Serialize { document: bool, arg: Expr, ty: TypeName, indent: bool },
}

/// `FORMAT JSON [ENCODING …]`.
#[derive(Clone, PartialEq, Debug)]
pub struct JsonFormat {
    pub encoding: Option<Name>,
    pub pos: Pos,
}

/// `expr [FORMAT JSON …]`.
#[derive(Clone, PartialEq, Debug)]
pub struct JsonValueExpr {
    pub expr: Expr,
    pub format: Option<JsonFormat>,
}

/// `RETURNING type [FORMAT JSON …]`.
#[derive(Clone, PartialEq, Debug)]
pub struct JsonOutput {
    pub ty: TypeName,
    pub format: Option<JsonFormat>,
}

/// What JSON functions do on empty or error.
#[derive(Clone, PartialEq, Debug)]
pub enum JsonBehavior {
    Null,
    Error,
    Empty,
    EmptyArray,
    EmptyObject,
    True,
    False,
    Unknown,
    Default(Expr),
}

/// How a query result is wrapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonWrapper {
    Unspecified,
    None,
    Conditional,
    Unconditional,
}

/// `KEEP QUOTES` or `OMIT QUOTES`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonQuotes {
    Unspecified,
    Keep,
    Omit,
}

/// One `key: value` of a JSON object.
#[derive(Clone, PartialEq, Debug)]
pub struct JsonKeyValue {
    pub key: Expr,
    pub value: JsonValueExpr,
}

/// `PASSING value AS name`.
#[derive(Clone, PartialEq, Debug)]
pub struct JsonArgument {
    pub value: JsonValueExpr,
    pub name: Name,
}

/// Which query function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JsonQueryKind {
    Exists,
    Query,
    Value,
}

/// `JSON_EXISTS`, `JSON_QUERY`, `JSON_VALUE`.
#[derive(Clone, PartialEq, Debug)]
pub struct JsonQuery {
    pub kind: JsonQueryKind,
    pub context: JsonValueExpr,
    pub path: Expr,
    pub passing: Vec<JsonArgument>,
    pub output: Option<JsonOutput>,
    pub wrapper: JsonWrapper,
    pub quotes: JsonQuotes,
    pub on_empty: Option<JsonBehavior>,
    pub on_error: Option<JsonBehavior>,
}

/// An aggregate's trailing clauses, for JSON_OBJECTAGG and JSON_ARRAYAGG.
#[derive(Clone, PartialEq, Debug)]
pub struct JsonAggTail {
    pub order_by: Vec<SortBy>,
    pub filter: Option<Expr>,
    pub over: Option<Over>,
}

/// SQL/JSON functions. `null_on_null` is what was written or is the default of that function.
#[derive(Clone, PartialEq, Debug)]
pub enum JsonExpr {
    Object {
        members: Vec<JsonKeyValue>,
        null_on_null: bool,
        unique: bool,
        output: Option<JsonOutput>,
    },
    Array {
        values: Vec<JsonValueExpr>,
        null_on_null: bool,
        output: Option<JsonOutput>,
    },
    ArrayQuery {
        query: Box<Select>,
        format: Option<JsonFormat>,
        output: Option<JsonOutput>,
    },
    ObjectAgg {
        member: Box<JsonKeyValue>,
        null_on_null: bool,
        unique: bool,
        output: Option<JsonOutput>,
        tail: Box<JsonAggTail>,
    },
    ArrayAgg {
        value: Box<JsonValueExpr>,
        null_on_null: bool,
        output: Option<JsonOutput>,
        tail: Box<JsonAggTail>,
    },
    /// `JSON(x)`.
    Parse {
        value: JsonValueExpr,
        unique: bool,
    },
    /// `JSON_SCALAR(x)`.
    Scalar(Expr),
    Serialize {
        value: JsonValueExpr,
        output: Option<JsonOutput>,
    },
    Query(Box<JsonQuery>),
}

/// A type as written, SQL's spellings already turned into `pg_catalog` names (`int` is `pg_catalog.int4`,
/// `character varying(3)` is `pg_catalog.varchar` with a type modifier).
#[derive(Clone, PartialEq, Debug)]
pub struct TypeName {
    pub names: QualifiedName,
    /// Modifiers as expressions. Those of `interval` are PostgreSQL's: a field mask (see [`interval_mask`]) and
    /// a precision. A bare `char` or `bit` has the modifier 1, as in PostgreSQL.
    pub typmods: Vec<Expr>,
    /// One entry per dimension; the size where one was written.
    pub array_bounds: Vec<Option<i32>>,
    pub setof: bool,
    /// `name%TYPE`: `names` is a column's.
    pub pct_type: bool,
    pub pos: Pos,
}

/// The bits of an interval's field mask, as `intervaltypmodin` takes them.
pub mod interval_mask {
    pub const MONTH: i32 = 1 << 1;
    pub const YEAR: i32 = 1 << 2;
    pub const DAY: i32 = 1 << 3;
    pub const HOUR: i32 = 1 << 10;
    pub const MINUTE: i32 = 1 << 11;
    pub const SECOND: i32 = 1 << 12;
    /// No restriction.
    pub const FULL: i32 = 0x7FFF;
}
