//! Statements that define, change and drop objects.
#![allow(missing_docs, reason = "fields are named after the clause they hold; every type is documented")]

use super::{
    Expr, Ident, Name, NullsOrder, ObjectKind, ObjectName, Operator, Pos, QualifiedName, RangeVar, Select, Span,
    Statement, TypeName,
};

/// How long a relation lives and whether it is logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Persistence {
    #[default]
    Permanent,
    Unlogged,
    Temporary,
}

/// What happens to a temporary table at commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnCommit {
    #[default]
    NotSet,
    PreserveRows,
    DeleteRows,
    Drop,
}

/// A named option: `name`, `name = value`, `namespace.name = value`.
#[derive(Clone, PartialEq, Debug)]
pub struct DefElem {
    pub namespace: Option<Name>,
    pub name: Ident,
    pub value: Option<DefValue>,
    /// ADD, SET or DROP, in OPTIONS lists.
    pub action: DefAction,
    pub pos: Pos,
}

/// Change of an option in an OPTIONS list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DefAction {
    Unspecified,
    Set,
    Add,
    Drop,
}

/// The value of an option.
#[derive(Clone, PartialEq, Debug)]
pub enum DefValue {
    /// An identifier, key word or string constant; PostgreSQL does not tell them apart either.
    String(Ident),
    Integer(i32),
    /// A number beyond 32 bits or with a fraction, as written, with its sign.
    Float(Ident),
    Bool(bool),
    /// A type or, as grammar has it, any name where one may stand (`sfunc = s.f`).
    Type(TypeName),
    /// An operator, perhaps qualified.
    Operator(Operator),
    /// `*`, as in `FORCE_QUOTE *`.
    Star,
    /// A parenthesised list.
    List(Vec<DefValue>),
    /// A list of names, possibly qualified (`OWNED BY s.t.c`).
    Name(QualifiedName),
    /// `NONE` of a definition.
    None,
    /// Anything computed (`SET x TO`-like lists use `Expr`).
    Expr(Box<Expr>),
}

/// CREATE TABLE.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateTable {
    pub relation: RangeVar,
    pub persistence: Persistence,
    pub if_not_exists: bool,
    pub elements: Vec<TableElement>,
    /// `OF type`.
    pub of_type: Option<TypeName>,
    /// `PARTITION OF parent` and its bound.
    pub partition_of: Option<(RangeVar, PartitionBound)>,
    pub inherits: Vec<RangeVar>,
    pub partition_by: Option<PartitionSpec>,
    pub access_method: Option<Name>,
    pub options: Vec<DefElem>,
    pub on_commit: OnCommit,
    pub tablespace: Option<Name>,
    pub pos: Pos,
}

/// CREATE FOREIGN TABLE.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateForeignTable {
    pub table: CreateTable,
    pub server: Name,
    pub options: Vec<DefElem>,
}

/// One element between the parentheses of CREATE TABLE.
#[derive(Clone, PartialEq, Debug)]
pub enum TableElement {
    Column(ColumnDef),
    Constraint(Constraint),
    Like(TableLike),
}

/// `LIKE table INCLUDING …`.
#[derive(Clone, PartialEq, Debug)]
pub struct TableLike {
    pub relation: RangeVar,
    /// In the order written; false for EXCLUDING.
    pub options: Vec<(LikeOption, bool)>,
    pub pos: Pos,
}

/// What LIKE copies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LikeOption {
    Comments,
    Compression,
    Constraints,
    Defaults,
    Generated,
    Identity,
    Indexes,
    Statistics,
    Storage,
    All,
}

/// A column of a table, a composite type or a function's result.
#[derive(Clone, PartialEq, Debug)]
pub struct ColumnDef {
    pub name: Name,
    /// Absent in typed tables and partitions.
    pub ty: Option<TypeName>,
    pub storage: Option<Name>,
    pub compression: Option<Name>,
    pub fdw_options: Vec<DefElem>,
    pub collation: Option<CollateClause>,
    pub constraints: Vec<Constraint>,
    pub pos: Pos,
}

/// `COLLATE name`.
#[derive(Clone, PartialEq, Debug)]
pub struct CollateClause {
    pub collation: QualifiedName,
    pub pos: Pos,
}

/// A constraint of a column, a table or a domain.
#[derive(Clone, PartialEq, Debug)]
pub struct Constraint {
    pub name: Option<Name>,
    pub kind: ConstraintKind,
    pub deferrable: bool,
    pub initially_deferred: bool,
    /// NOT VALID.
    pub not_valid: bool,
    /// NOT ENFORCED was written.
    pub not_enforced: bool,
    pub no_inherit: bool,
    pub pos: Pos,
}

/// Every kind of constraint. Column lists are empty on column constraints, where the column is implied.
#[derive(Clone, PartialEq, Debug)]
pub enum ConstraintKind {
    Null,
    /// The column is given in a table constraint.
    NotNull(Option<Name>),
    Default(Box<Expr>),
    /// GENERATED ALWAYS AS (…), stored or virtual.
    Generated {
        expr: Box<Expr>,
        stored: bool,
        by_default: bool,
    },
    /// GENERATED … AS IDENTITY.
    Identity {
        always: bool,
        options: Vec<SequenceOption>,
    },
    Check(Box<Expr>),
    Unique(IndexConstraint),
    PrimaryKey(IndexConstraint),
    Exclude(Box<ExcludeConstraint>),
    ForeignKey(Box<ForeignKey>),
}

/// UNIQUE or PRIMARY KEY.
#[derive(Clone, PartialEq, Debug)]
pub struct IndexConstraint {
    pub columns: Vec<Name>,
    /// The last column is WITHOUT OVERLAPS.
    pub without_overlaps: bool,
    pub nulls_not_distinct: bool,
    pub including: Vec<Name>,
    pub options: Vec<DefElem>,
    /// USING INDEX TABLESPACE.
    pub tablespace: Option<Name>,
    /// USING INDEX (ALTER TABLE only).
    pub using_index: Option<Name>,
}

/// EXCLUDE USING … (…).
#[derive(Clone, PartialEq, Debug)]
pub struct ExcludeConstraint {
    pub access_method: Option<Name>,
    pub elements: Vec<(IndexElement, Operator)>,
    pub including: Vec<Name>,
    pub options: Vec<DefElem>,
    pub tablespace: Option<Name>,
    pub where_clause: Option<Expr>,
}

/// REFERENCES or FOREIGN KEY.
#[derive(Clone, PartialEq, Debug)]
pub struct ForeignKey {
    pub columns: Vec<Name>,
    /// The last referencing column is a PERIOD.
    pub period: bool,
    pub table: RangeVar,
    pub referenced: Vec<Name>,
    pub referenced_period: bool,
    pub match_kind: ForeignKeyMatch,
    pub on_update: ForeignKeyAction,
    pub on_delete: ForeignKeyAction,
    /// Columns of ON DELETE SET NULL (…) or SET DEFAULT (…).
    pub on_delete_columns: Vec<Name>,
}

/// MATCH …
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForeignKeyMatch {
    Simple,
    Full,
    /// Refused by the grammar, kept for completeness.
    Partial,
}

/// What a foreign key does when the referenced row goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForeignKeyAction {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

/// How a partitioned table is divided.
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionSpec {
    pub strategy: PartitionStrategy,
    pub elements: Vec<PartitionElement>,
    pub pos: Pos,
}

/// LIST, RANGE or HASH.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartitionStrategy {
    List,
    Range,
    Hash,
}

/// One column or expression of PARTITION BY.
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionElement {
    pub key: IndexKey,
    pub collation: QualifiedName,
    pub opclass: QualifiedName,
    pub pos: Pos,
}

/// FOR VALUES …
#[derive(Clone, PartialEq, Debug)]
pub enum PartitionBound {
    Default(Pos),
    /// Hash: MODULUS and REMAINDER.
    Hash {
        modulus: i32,
        remainder: i32,
        pos: Pos,
    },
    /// List: IN (…).
    In(Vec<Expr>, Pos),
    /// Range. MINVALUE and MAXVALUE are columns of that name, as in PostgreSQL.
    Range {
        from: Vec<Expr>,
        to: Vec<Expr>,
        pos: Pos,
    },
}

/// A column or an expression.
#[derive(Clone, PartialEq, Debug)]
pub enum IndexKey {
    Column(Name),
    Expr(Box<Expr>),
}

/// One key of an index.
#[derive(Clone, PartialEq, Debug)]
pub struct IndexElement {
    pub key: IndexKey,
    pub collation: QualifiedName,
    pub opclass: QualifiedName,
    pub opclass_options: Vec<DefElem>,
    /// Default, Asc or Desc.
    pub descending: Option<bool>,
    pub nulls: NullsOrder,
    pub pos: Pos,
}

/// CREATE INDEX.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateIndex {
    pub unique: bool,
    pub concurrently: bool,
    pub if_not_exists: bool,
    pub name: Option<Name>,
    pub relation: RangeVar,
    /// `btree` when not written.
    pub access_method: Ident,
    pub elements: Vec<IndexElement>,
    pub including: Vec<IndexElement>,
    pub nulls_not_distinct: bool,
    pub options: Vec<DefElem>,
    pub tablespace: Option<Name>,
    pub where_clause: Option<Expr>,
    pub pos: Pos,
}

/// CREATE TABLE AS, CREATE MATERIALIZED VIEW.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateTableAs {
    pub materialized_view: bool,
    pub if_not_exists: bool,
    pub into: super::IntoTable,
    /// A Select or an Execute.
    pub source: Statement,
    pub with_data: bool,
}

/// CREATE VIEW. A RECURSIVE view arrives as a view over a WITH RECURSIVE query, as in PostgreSQL.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateView {
    pub or_replace: bool,
    pub persistence: Persistence,
    pub recursive: bool,
    pub relation: RangeVar,
    pub columns: Vec<Name>,
    pub options: Vec<DefElem>,
    pub query: Select,
    /// Source of `query`.
    pub query_span: Span,
    pub check_option: ViewCheck,
}

/// WITH … CHECK OPTION.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ViewCheck {
    None,
    Local,
    Cascaded,
}

/// One option of a sequence.
#[derive(Clone, PartialEq, Debug)]
pub struct SequenceOption {
    pub kind: SequenceOptionKind,
    pub pos: Pos,
}

/// Options of a sequence. Numbers are as written, with their sign.
#[derive(Clone, PartialEq, Debug)]
pub enum SequenceOptionKind {
    As(TypeName),
    Cache(Ident),
    Cycle(bool),
    Increment(Ident),
    /// Absent for NO MAXVALUE.
    MaxValue(Option<Ident>),
    /// Absent for NO MINVALUE.
    MinValue(Option<Ident>),
    OwnedBy(QualifiedName),
    SequenceName(QualifiedName),
    Start(Ident),
    Restart(Option<Ident>),
    /// SET LOGGED or UNLOGGED.
    Logged(bool),
}

/// CREATE SEQUENCE.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateSequence {
    pub persistence: Persistence,
    pub if_not_exists: bool,
    pub relation: RangeVar,
    pub options: Vec<SequenceOption>,
}

/// ALTER SEQUENCE with sequence options.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterSequence {
    pub if_exists: bool,
    pub relation: RangeVar,
    pub options: Vec<SequenceOption>,
}

/// CREATE SCHEMA.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateSchema {
    pub if_not_exists: bool,
    pub name: Option<Name>,
    pub authorization: Option<RoleSpec>,
    pub elements: Vec<Statement>,
}

/// Who is meant.
#[derive(Clone, PartialEq, Debug)]
pub enum RoleSpec {
    Name(Name),
    CurrentRole(Pos),
    CurrentUser(Pos),
    SessionUser(Pos),
    /// `PUBLIC`.
    Public(Pos),
}

/// CREATE TYPE.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateType {
    pub name: QualifiedName,
    pub kind: CreateTypeKind,
    pub pos: Pos,
}

/// Kinds of types.
#[derive(Clone, PartialEq, Debug)]
pub enum CreateTypeKind {
    Shell,
    Base(Vec<DefElem>),
    Composite(Vec<ColumnDef>),
    Enum(Vec<Name>),
    Range(Vec<DefElem>),
}

/// ALTER TYPE on a composite type's attributes, or `ALTER TYPE … SET (…)`.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterType {
    pub name: QualifiedName,
    pub change: AlterTypeChange,
    pub pos: Pos,
}

/// What ALTER TYPE changes.
#[derive(Clone, PartialEq, Debug)]
pub enum AlterTypeChange {
    Attributes(Vec<AttributeChange>),
    Set(Vec<DefElem>),
}

/// One attribute action of ALTER TYPE.
#[derive(Clone, PartialEq, Debug)]
pub enum AttributeChange {
    Add { column: ColumnDef, cascade: bool },
    Drop { name: Name, if_exists: bool, cascade: bool },
    AlterType { name: Name, ty: TypeName, collation: Option<CollateClause>, cascade: bool },
}

/// ALTER TYPE … ADD VALUE, RENAME VALUE.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterEnum {
    pub name: QualifiedName,
    pub change: EnumChange,
}

/// A change of an enum's labels.
#[derive(Clone, PartialEq, Debug)]
pub enum EnumChange {
    Add { value: Ident, if_not_exists: bool, neighbor: Option<(EnumPlace, Ident)> },
    Rename { from: Ident, to: Ident },
}

/// Where a new label goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EnumPlace {
    Before,
    After,
}

/// CREATE DOMAIN.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateDomain {
    pub name: QualifiedName,
    pub ty: TypeName,
    pub collation: Option<CollateClause>,
    pub constraints: Vec<Constraint>,
    pub pos: Pos,
}

/// ALTER DOMAIN.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterDomain {
    pub name: QualifiedName,
    pub change: DomainChange,
}

/// What ALTER DOMAIN changes.
#[derive(Clone, PartialEq, Debug)]
pub enum DomainChange {
    SetDefault(Option<Expr>),
    SetNotNull,
    DropNotNull,
    AddConstraint(Constraint),
    DropConstraint { name: Name, if_exists: bool, cascade: bool },
    ValidateConstraint(Name),
}

/// Direction of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParamMode {
    /// Not written: IN.
    Default,
    In,
    Out,
    InOut,
    Variadic,
    /// A column of RETURNS TABLE.
    Table,
}

/// A parameter of a function.
#[derive(Clone, PartialEq, Debug)]
pub struct FunctionParam {
    pub mode: ParamMode,
    pub name: Option<Name>,
    pub ty: TypeName,
    pub default: Option<Expr>,
    pub pos: Pos,
}

/// CREATE FUNCTION, CREATE PROCEDURE.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateFunction {
    pub procedure: bool,
    pub or_replace: bool,
    pub name: QualifiedName,
    /// Includes the columns of RETURNS TABLE, in mode `Table`.
    pub params: Vec<FunctionParam>,
    /// For RETURNS TABLE, `returns_table` is set and this is absent.
    pub returns: Option<TypeName>,
    pub returns_table: bool,
    pub options: Vec<FunctionOption>,
    pub body: Option<FunctionBody>,
    pub pos: Pos,
}

/// An SQL-standard body.
#[derive(Clone, PartialEq, Debug)]
pub enum FunctionBody {
    /// `RETURN expr`.
    Return(Expr, Span),
    /// `BEGIN ATOMIC … END`.
    Atomic(Vec<Statement>, Span),
}

/// One option of a function.
#[derive(Clone, PartialEq, Debug)]
pub struct FunctionOption {
    pub kind: FunctionOptionKind,
    pub pos: Pos,
}

/// Options of functions.
#[derive(Clone, PartialEq, Debug)]
pub enum FunctionOptionKind {
    /// `AS 'definition'`, or `AS 'object file', 'link symbol'`.
    As(Vec<Ident>),
    Language(Ident),
    Transform(Vec<TypeName>),
    Window,
    Volatility(Volatility),
    /// STRICT or RETURNS NULL ON NULL INPUT (true), CALLED ON NULL INPUT (false).
    Strict(bool),
    /// SECURITY DEFINER (true) or INVOKER.
    SecurityDefiner(bool),
    Leakproof(bool),
    Cost(Ident),
    Rows(Ident),
    Support(QualifiedName),
    Parallel(Name),
    /// SET or RESET.
    Set(super::VariableSet),
}

/// How much a function depends on more than its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

/// ALTER FUNCTION, PROCEDURE or ROUTINE with options.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterFunction {
    pub kind: ObjectKind,
    pub function: FunctionSig,
    pub options: Vec<FunctionOption>,
}

/// A function named with or without its arguments.
#[derive(Clone, PartialEq, Debug)]
pub struct FunctionSig {
    pub name: QualifiedName,
    /// Absent when no list was written. Aggregates: `star` or arguments.
    pub args: Option<Vec<FunctionParam>>,
    /// `(*)`, of an aggregate.
    pub star: bool,
    /// How many of `args` precede ORDER BY, in ordered-set aggregates.
    pub direct_args: Option<usize>,
    pub pos: Pos,
}

/// CREATE AGGREGATE, OPERATOR, COLLATION, TEXT SEARCH …, by definition list.
#[derive(Clone, PartialEq, Debug)]
pub struct Define {
    pub kind: ObjectKind,
    pub or_replace: bool,
    pub if_not_exists: bool,
    /// An operator's last part is its symbol.
    pub name: QualifiedName,
    /// The arguments of an aggregate; absent for the old syntax.
    pub aggregate_args: Option<FunctionSig>,
    pub definition: Vec<DefElem>,
    /// `CREATE COLLATION c FROM d`.
    pub from: Option<QualifiedName>,
    pub pos: Pos,
}

/// CREATE CAST.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateCast {
    pub source: TypeName,
    pub target: TypeName,
    pub method: CastMethod,
    pub context: CastContext,
}

/// How a cast is done.
#[derive(Clone, PartialEq, Debug)]
pub enum CastMethod {
    Function(FunctionSig),
    WithoutFunction,
    InOut,
}

/// When a cast is applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CastContext {
    Explicit,
    Assignment,
    Implicit,
}

/// When a trigger fires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TriggerTiming {
    Before,
    After,
    InsteadOf,
}

/// What a trigger fires on.
#[derive(Clone, PartialEq, Debug)]
pub enum TriggerEvent {
    Insert,
    Delete,
    Update(Vec<Name>),
    Truncate,
}

/// `OLD TABLE AS name`.
#[derive(Clone, PartialEq, Debug)]
pub struct TriggerTransition {
    pub name: Name,
    pub new: bool,
    pub table: bool,
}

/// CREATE TRIGGER.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateTrigger {
    pub or_replace: bool,
    pub constraint: bool,
    pub name: Name,
    pub relation: RangeVar,
    pub timing: TriggerTiming,
    pub events: Vec<TriggerEvent>,
    pub referencing: Vec<TriggerTransition>,
    pub for_each_row: bool,
    pub when: Option<Expr>,
    pub function: QualifiedName,
    /// Arguments are literal text.
    pub args: Vec<Ident>,
    /// FROM of a constraint trigger.
    pub constraint_table: Option<RangeVar>,
    pub deferrable: bool,
    pub initially_deferred: bool,
}

/// CREATE EVENT TRIGGER.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateEventTrigger {
    pub name: Name,
    pub event: Name,
    pub when: Vec<(Name, Vec<Ident>)>,
    pub function: QualifiedName,
}

/// The event of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuleEvent {
    Select,
    Insert,
    Update,
    Delete,
}

/// CREATE RULE.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateRule {
    pub or_replace: bool,
    pub name: Name,
    pub relation: RangeVar,
    pub event: RuleEvent,
    pub where_clause: Option<Expr>,
    pub instead: bool,
    pub actions: Vec<Statement>,
}

/// CREATE POLICY.
#[derive(Clone, PartialEq, Debug)]
pub struct CreatePolicy {
    pub name: Name,
    pub relation: RangeVar,
    pub permissive: bool,
    /// `all`, `select`, `insert`, `update`, `delete`.
    pub command: Ident,
    pub roles: Vec<RoleSpec>,
    pub using: Option<Expr>,
    pub check: Option<Expr>,
}

/// ALTER POLICY.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterPolicy {
    pub name: Name,
    pub relation: RangeVar,
    pub roles: Vec<RoleSpec>,
    pub using: Option<Expr>,
    pub check: Option<Expr>,
}

/// CREATE EXTENSION.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateExtension {
    pub if_not_exists: bool,
    pub name: Name,
    /// `schema`, `new_version`, `cascade`.
    pub options: Vec<DefElem>,
}

/// ALTER EXTENSION.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterExtension {
    pub name: Name,
    pub change: ExtensionChange,
}

/// What ALTER EXTENSION does.
#[derive(Clone, PartialEq, Debug)]
pub enum ExtensionChange {
    Update { to: Option<Ident> },
    Member { add: bool, kind: ObjectKind, object: ObjectName },
}

/// CREATE LANGUAGE.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateLanguage {
    pub or_replace: bool,
    pub trusted: bool,
    pub name: Name,
    pub handler: Option<QualifiedName>,
    pub inline: Option<QualifiedName>,
    pub validator: Option<QualifiedName>,
}

/// What a publication publishes.
#[derive(Clone, PartialEq, Debug)]
pub enum PublicationObject {
    Table { relation: RangeVar, columns: Vec<Name>, where_clause: Option<Expr>, pos: Pos },
    Schema(Name),
    CurrentSchema(Pos),
}

/// CREATE PUBLICATION.
#[derive(Clone, PartialEq, Debug)]
pub struct CreatePublication {
    pub name: Name,
    pub all_tables: bool,
    pub objects: Vec<PublicationObject>,
    pub options: Vec<DefElem>,
}

/// ALTER PUBLICATION.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterPublication {
    pub name: Name,
    pub change: PublicationChange,
}

/// What ALTER PUBLICATION does.
#[derive(Clone, PartialEq, Debug)]
pub enum PublicationChange {
    Options(Vec<DefElem>),
    Add(Vec<PublicationObject>),
    Set(Vec<PublicationObject>),
    Drop(Vec<PublicationObject>),
}

/// CREATE SUBSCRIPTION.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateSubscription {
    pub name: Name,
    pub connection: Ident,
    pub publications: Vec<Name>,
    pub options: Vec<DefElem>,
}

/// ALTER SUBSCRIPTION.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterSubscription {
    pub name: Name,
    pub change: SubscriptionChange,
}

/// What ALTER SUBSCRIPTION does.
#[derive(Clone, PartialEq, Debug)]
pub enum SubscriptionChange {
    Options(Vec<DefElem>),
    Connection(Ident),
    Refresh(Vec<DefElem>),
    AddPublication(Vec<Name>, Vec<DefElem>),
    DropPublication(Vec<Name>, Vec<DefElem>),
    SetPublication(Vec<Name>, Vec<DefElem>),
    Enable(bool),
    Skip(Vec<DefElem>),
}

/// CREATE STATISTICS.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateStatistics {
    pub if_not_exists: bool,
    pub name: QualifiedName,
    pub kinds: Vec<Name>,
    pub expressions: Vec<IndexKey>,
    pub from: Vec<super::TableRef>,
}

/// CREATE OPERATOR CLASS.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateOperatorClass {
    pub name: QualifiedName,
    pub default: bool,
    pub ty: TypeName,
    pub access_method: Name,
    pub family: QualifiedName,
    pub items: Vec<OperatorClassItem>,
}

/// ALTER OPERATOR FAMILY … ADD or DROP.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterOperatorFamily {
    pub name: QualifiedName,
    pub access_method: Name,
    pub add: bool,
    pub items: Vec<OperatorClassItem>,
}

/// Operand types of an operator, where written; an absent side is NONE.
pub type OperatorArgs = Option<(Option<TypeName>, Option<TypeName>)>;

/// An item of an operator class or family.
#[derive(Clone, PartialEq, Debug)]
pub enum OperatorClassItem {
    Operator {
        number: i32,
        operator: Operator,
        args: OperatorArgs,
        order_family: QualifiedName,
    },
    Function {
        number: i32,
        function: FunctionSig,
        types: Vec<TypeName>,
    },
    Storage(TypeName),
    /// In DROP: `OPERATOR n (types)`.
    DropOperator {
        number: i32,
        types: Vec<TypeName>,
    },
    /// In DROP: `FUNCTION n (types)`.
    DropFunction {
        number: i32,
        types: Vec<TypeName>,
    },
}

/// A statement on a kind of object Hathi does not have: parsed, then refused by name.
#[derive(Clone, PartialEq, Debug)]
pub struct OtherObject {
    /// As the command tag has it, e.g. `CREATE FOREIGN DATA WRAPPER`.
    pub command: &'static str,
    pub name: QualifiedName,
    pub options: Vec<DefElem>,
}

/// ALTER TABLE, INDEX, VIEW, MATERIALIZED VIEW, SEQUENCE, FOREIGN TABLE, with sub-commands.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterTable {
    pub kind: ObjectKind,
    pub if_exists: bool,
    pub relation: RangeVar,
    pub commands: Vec<AlterTableCommand>,
}

/// ALTER TABLE ALL IN TABLESPACE.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterTableMoveAll {
    pub kind: ObjectKind,
    pub from: Name,
    pub owned_by: Vec<RoleSpec>,
    pub to: Name,
    pub nowait: bool,
}

/// Which trigger or rule state a sub-command sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FiringState {
    Enable,
    EnableAlways,
    EnableReplica,
    Disable,
}

/// Which triggers.
#[derive(Clone, PartialEq, Debug)]
pub enum TriggerSelection {
    Name(Name),
    All,
    User,
}

/// REPLICA IDENTITY.
#[derive(Clone, PartialEq, Debug)]
pub enum ReplicaIdentity {
    Nothing,
    Full,
    Default,
    Index(Name),
}

/// A column named, or numbered as ALTER INDEX has it.
#[derive(Clone, PartialEq, Debug)]
pub enum ColumnRef {
    Name(Name),
    Number(i32),
}

/// One change of an identity column.
#[derive(Clone, PartialEq, Debug)]
pub enum IdentityChange {
    SetGenerated { always: bool, pos: Pos },
    Option(SequenceOption),
}

/// Every sub-command of ALTER TABLE.
#[derive(Clone, PartialEq, Debug)]
pub enum AlterTableCommand {
    AddColumn {
        column: ColumnDef,
        if_not_exists: bool,
    },
    ColumnDefault {
        column: Name,
        default: Option<Expr>,
    },
    DropNotNull(Name),
    SetNotNull(Name),
    SetExpression {
        column: Name,
        expr: Expr,
    },
    DropExpression {
        column: Name,
        if_exists: bool,
    },
    /// Absent: DEFAULT.
    SetStatistics {
        column: ColumnRef,
        target: Option<i32>,
    },
    SetColumnOptions {
        column: Name,
        options: Vec<DefElem>,
    },
    ResetColumnOptions {
        column: Name,
        options: Vec<DefElem>,
    },
    SetStorage {
        column: Name,
        storage: Name,
    },
    SetCompression {
        column: Name,
        compression: Name,
    },
    AddIdentity {
        column: Name,
        always: bool,
        options: Vec<SequenceOption>,
        pos: Pos,
    },
    SetIdentity {
        column: Name,
        changes: Vec<IdentityChange>,
    },
    DropIdentity {
        column: Name,
        if_exists: bool,
    },
    DropColumn {
        column: Name,
        if_exists: bool,
        cascade: bool,
    },
    AlterColumnType {
        column: Name,
        ty: TypeName,
        collation: Option<CollateClause>,
        using: Option<Expr>,
    },
    AlterColumnFdwOptions {
        column: Name,
        options: Vec<DefElem>,
    },
    AddConstraint(Constraint),
    AlterConstraint(AlterConstraint),
    ValidateConstraint(Name),
    DropConstraint {
        name: Name,
        if_exists: bool,
        cascade: bool,
    },
    SetWithoutOids,
    ClusterOn(Name),
    SetWithoutCluster,
    SetLogged(bool),
    EnableTrigger(FiringState, TriggerSelection),
    EnableRule(FiringState, Name),
    Inherit(RangeVar),
    NoInherit(RangeVar),
    OfType(TypeName),
    NotOf,
    Owner(RoleSpec),
    /// Absent: DEFAULT.
    SetAccessMethod(Option<Name>),
    SetTablespace {
        name: Name,
        nowait: bool,
    },
    SetOptions(Vec<DefElem>),
    ResetOptions(Vec<DefElem>),
    ReplicaIdentity(ReplicaIdentity),
    EnableRowSecurity(bool),
    ForceRowSecurity(bool),
    FdwOptions(Vec<DefElem>),
    AttachPartition {
        partition: RangeVar,
        bound: PartitionBound,
    },
    DetachPartition {
        partition: RangeVar,
        concurrently: bool,
        finalize: bool,
    },
    /// ALTER INDEX … ATTACH PARTITION.
    AttachIndexPartition(RangeVar),
}

/// `ALTER CONSTRAINT name …`; each attribute only where it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterConstraint {
    pub name: Name,
    pub deferrable: Option<bool>,
    pub initially_deferred: Option<bool>,
    pub enforced: Option<bool>,
    /// INHERIT is `Some(false)`, NO INHERIT is `Some(true)`.
    pub no_inherit: Option<bool>,
}

/// ON DELETE and kin: RESTRICT or CASCADE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DropBehavior {
    Restrict,
    Cascade,
}

/// DROP.
#[derive(Clone, PartialEq, Debug)]
pub struct DropStatement {
    pub kind: ObjectKind,
    pub objects: Vec<ObjectName>,
    pub if_exists: bool,
    pub behavior: DropBehavior,
    pub concurrently: bool,
}

/// REFRESH MATERIALIZED VIEW.
#[derive(Clone, PartialEq, Debug)]
pub struct RefreshMaterializedView {
    pub relation: RangeVar,
    pub concurrently: bool,
    pub with_data: bool,
}

/// IMPORT FOREIGN SCHEMA.
#[derive(Clone, PartialEq, Debug)]
pub struct ImportForeignSchema {
    pub remote_schema: Name,
    pub limit_to: Vec<RangeVar>,
    pub except: Vec<RangeVar>,
    pub server: Name,
    pub local_schema: Name,
    pub options: Vec<DefElem>,
}
