//! Transactions, settings, roles, privileges, cursors, maintenance, and statements on any kind of object.
#![allow(missing_docs, reason = "fields are named after the clause they hold; every type is documented")]

use super::{
    DefElem, DropBehavior, Expr, FunctionSig, Ident, Name, Operator, Pos, QualifiedName, RangeVar, RoleSpec, Statement,
    TypeName,
};

/// Every kind of object a statement can name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ObjectKind {
    AccessMethod,
    Aggregate,
    Attribute,
    Cast,
    Collation,
    Column,
    Conversion,
    Database,
    Domain,
    DomainConstraint,
    EventTrigger,
    Extension,
    ForeignDataWrapper,
    ForeignServer,
    ForeignTable,
    Function,
    Index,
    Language,
    LargeObject,
    MaterializedView,
    Operator,
    OperatorClass,
    OperatorFamily,
    ParameterAcl,
    Policy,
    Procedure,
    Publication,
    Role,
    Routine,
    Rule,
    Schema,
    Sequence,
    Statistics,
    Subscription,
    Table,
    TableConstraint,
    Tablespace,
    TextSearchConfiguration,
    TextSearchDictionary,
    TextSearchParser,
    TextSearchTemplate,
    Transform,
    Trigger,
    Type,
    UserMapping,
    View,
}

impl ObjectKind {
    /// The words SQL has for it, as in command tags.
    pub const fn as_str(self) -> &'static str {
        use ObjectKind::*;
        match self {
            AccessMethod => "ACCESS METHOD",
            Aggregate => "AGGREGATE",
            Attribute => "ATTRIBUTE",
            Cast => "CAST",
            Collation => "COLLATION",
            Column => "COLUMN",
            Conversion => "CONVERSION",
            Database => "DATABASE",
            Domain => "DOMAIN",
            DomainConstraint => "CONSTRAINT",
            EventTrigger => "EVENT TRIGGER",
            Extension => "EXTENSION",
            ForeignDataWrapper => "FOREIGN DATA WRAPPER",
            ForeignServer => "SERVER",
            ForeignTable => "FOREIGN TABLE",
            Function => "FUNCTION",
            Index => "INDEX",
            Language => "LANGUAGE",
            LargeObject => "LARGE OBJECT",
            MaterializedView => "MATERIALIZED VIEW",
            Operator => "OPERATOR",
            OperatorClass => "OPERATOR CLASS",
            OperatorFamily => "OPERATOR FAMILY",
            ParameterAcl => "PARAMETER",
            Policy => "POLICY",
            Procedure => "PROCEDURE",
            Publication => "PUBLICATION",
            Role => "ROLE",
            Routine => "ROUTINE",
            Rule => "RULE",
            Schema => "SCHEMA",
            Sequence => "SEQUENCE",
            Statistics => "STATISTICS",
            Subscription => "SUBSCRIPTION",
            Table => "TABLE",
            TableConstraint => "CONSTRAINT",
            Tablespace => "TABLESPACE",
            TextSearchConfiguration => "TEXT SEARCH CONFIGURATION",
            TextSearchDictionary => "TEXT SEARCH DICTIONARY",
            TextSearchParser => "TEXT SEARCH PARSER",
            TextSearchTemplate => "TEXT SEARCH TEMPLATE",
            Transform => "TRANSFORM",
            Trigger => "TRIGGER",
            Type => "TYPE",
            UserMapping => "USER MAPPING",
            View => "VIEW",
        }
    }
}

/// How an object is named, by its kind.
#[derive(Clone, PartialEq, Debug)]
pub enum ObjectName {
    /// Relations, columns (last part the column), schemas, databases, roles, types by any_name …
    Name(QualifiedName),
    /// Types and domains.
    Type(TypeName),
    /// Functions, procedures, routines, aggregates.
    Function(FunctionSig),
    /// An absent side is NONE.
    Operator {
        operator: Operator,
        left: Option<TypeName>,
        right: Option<TypeName>,
    },
    /// Operator classes and families.
    InMethod {
        name: QualifiedName,
        access_method: Name,
    },
    Cast {
        source: TypeName,
        target: TypeName,
    },
    /// Triggers, rules, policies and constraints of a table.
    OnTable {
        name: Name,
        table: QualifiedName,
    },
    /// A domain's constraint.
    OnDomain {
        name: Name,
        domain: TypeName,
    },
    Transform {
        ty: TypeName,
        language: Name,
    },
    /// As written.
    LargeObject(Ident),
    UserMapping {
        user: RoleSpec,
        server: Name,
    },
}

/// ALTER … RENAME.
#[derive(Clone, PartialEq, Debug)]
pub struct Rename {
    /// What is renamed.
    pub kind: ObjectKind,
    /// For columns, attributes and constraints: what they are part of.
    pub container: Option<ObjectKind>,
    pub object: ObjectName,
    /// The relation, when `object` is one or is part of one.
    pub relation: Option<RangeVar>,
    /// The part of the relation or type that is renamed.
    pub part: Option<Name>,
    pub new_name: Name,
    pub if_exists: bool,
    pub behavior: DropBehavior,
}

impl Rename {
    /// Of an object that is no part of another.
    pub(crate) fn of(kind: ObjectKind, object: ObjectName, new_name: Name) -> Rename {
        let behavior = DropBehavior::Restrict;
        Rename { kind, container: None, object, relation: None, part: None, new_name, if_exists: false, behavior }
    }
}

/// ALTER … OWNER TO. For relations see [`super::AlterTableCommand::Owner`].
#[derive(Clone, PartialEq, Debug)]
pub struct AlterOwner {
    pub kind: ObjectKind,
    pub object: ObjectName,
    pub owner: RoleSpec,
}

/// ALTER … SET SCHEMA.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterObjectSchema {
    pub kind: ObjectKind,
    pub object: ObjectName,
    pub relation: Option<RangeVar>,
    pub schema: Name,
    pub if_exists: bool,
}

/// ALTER … (NO) DEPENDS ON EXTENSION.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterDependsOnExtension {
    pub kind: ObjectKind,
    pub object: ObjectName,
    pub relation: Option<RangeVar>,
    pub extension: Name,
    pub remove: bool,
}

/// COMMENT ON.
#[derive(Clone, PartialEq, Debug)]
pub struct Comment {
    pub kind: ObjectKind,
    pub object: ObjectName,
    /// Absent for NULL.
    pub text: Option<Ident>,
}

/// SECURITY LABEL.
#[derive(Clone, PartialEq, Debug)]
pub struct SecurityLabel {
    pub kind: ObjectKind,
    pub object: ObjectName,
    pub provider: Option<Name>,
    pub label: Option<Ident>,
}

/// TRUNCATE.
#[derive(Clone, PartialEq, Debug)]
pub struct Truncate {
    pub relations: Vec<RangeVar>,
    pub restart_identity: bool,
    pub behavior: DropBehavior,
}

/// The word a role was created with; USER implies LOGIN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoleWord {
    Role,
    User,
    Group,
}

/// One option of a role.
#[derive(Clone, PartialEq, Debug)]
pub struct RoleOption {
    pub kind: RoleOptionKind,
    pub pos: Pos,
}

/// Options of roles.
#[derive(Clone, PartialEq, Debug)]
pub enum RoleOptionKind {
    /// Absent for PASSWORD NULL.
    Password(Option<Ident>),
    Inherit(bool),
    ConnectionLimit(i32),
    ValidUntil(Ident),
    Superuser(bool),
    CreateDb(bool),
    CreateRole(bool),
    Login(bool),
    Replication(bool),
    BypassRls(bool),
    /// USER or ROLE list: new members.
    Members(Vec<RoleSpec>),
    Admin(Vec<RoleSpec>),
    InRole(Vec<RoleSpec>),
    SysId(i32),
}

/// CREATE ROLE, USER, GROUP.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateRole {
    pub word: RoleWord,
    pub name: Name,
    pub options: Vec<RoleOption>,
}

/// ALTER ROLE with options.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterRole {
    pub role: RoleSpec,
    pub options: Vec<RoleOption>,
}

/// ALTER ROLE … [IN DATABASE …] SET.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterRoleSet {
    /// Absent for ALL.
    pub role: Option<RoleSpec>,
    pub database: Option<Name>,
    pub set: VariableSet,
}

/// ALTER GROUP … ADD USER.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterGroupMembers {
    pub role: RoleSpec,
    pub add: bool,
    pub members: Vec<RoleSpec>,
}

/// DROP ROLE, USER, GROUP.
#[derive(Clone, PartialEq, Debug)]
pub struct DropRole {
    pub if_exists: bool,
    pub roles: Vec<RoleSpec>,
}

/// CREATE DATABASE.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateDatabase {
    pub name: Name,
    /// A value of DEFAULT is absent.
    pub options: Vec<DefElem>,
}

/// ALTER DATABASE.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterDatabase {
    pub name: Name,
    pub change: DatabaseChange,
}

/// What ALTER DATABASE does. RENAME and OWNER are statements of their own.
#[derive(Clone, PartialEq, Debug)]
pub enum DatabaseChange {
    Options(Vec<DefElem>),
    SetTablespace(Name),
    RefreshCollationVersion,
    Set(VariableSet),
}

/// DROP DATABASE.
#[derive(Clone, PartialEq, Debug)]
pub struct DropDatabase {
    pub name: Name,
    pub if_exists: bool,
    pub options: Vec<DefElem>,
}

/// CREATE TABLESPACE.
#[derive(Clone, PartialEq, Debug)]
pub struct CreateTablespace {
    pub name: Name,
    pub owner: Option<RoleSpec>,
    pub location: Ident,
    pub options: Vec<DefElem>,
}

/// ALTER TABLESPACE … SET or RESET.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterTablespace {
    pub name: Name,
    pub options: Vec<DefElem>,
    pub reset: bool,
}

/// DROP TABLESPACE.
#[derive(Clone, PartialEq, Debug)]
pub struct DropTablespace {
    pub name: Name,
    pub if_exists: bool,
}

/// One privilege, perhaps of columns.
#[derive(Clone, PartialEq, Debug)]
pub struct Privilege {
    /// Lower case; absent for ALL (column list).
    pub name: Option<Name>,
    pub columns: Vec<Name>,
}

/// What a GRANT is about.
#[derive(Clone, PartialEq, Debug)]
pub enum GrantTarget {
    Objects {
        kind: ObjectKind,
        objects: Vec<ObjectName>,
    },
    /// ALL TABLES IN SCHEMA and kin.
    AllInSchema {
        kind: ObjectKind,
        schemas: Vec<Name>,
    },
    /// Of ALTER DEFAULT PRIVILEGES.
    Defaults {
        kind: ObjectKind,
    },
}

/// GRANT or REVOKE of privileges.
#[derive(Clone, PartialEq, Debug)]
pub struct Grant {
    pub grant: bool,
    /// Empty for ALL.
    pub privileges: Vec<Privilege>,
    pub target: GrantTarget,
    pub grantees: Vec<RoleSpec>,
    /// WITH GRANT OPTION, GRANT OPTION FOR.
    pub grant_option: bool,
    pub granted_by: Option<RoleSpec>,
    pub behavior: DropBehavior,
}

/// GRANT or REVOKE of roles.
#[derive(Clone, PartialEq, Debug)]
pub struct GrantRole {
    pub grant: bool,
    pub roles: Vec<Privilege>,
    pub grantees: Vec<RoleSpec>,
    /// `admin`, `inherit`, `set`.
    pub options: Vec<DefElem>,
    pub granted_by: Option<RoleSpec>,
    pub behavior: DropBehavior,
}

/// ALTER DEFAULT PRIVILEGES.
#[derive(Clone, PartialEq, Debug)]
pub struct AlterDefaultPrivileges {
    pub schemas: Vec<Name>,
    pub roles: Vec<RoleSpec>,
    pub action: Grant,
}

/// REASSIGN OWNED.
#[derive(Clone, PartialEq, Debug)]
pub struct ReassignOwned {
    pub roles: Vec<RoleSpec>,
    pub to: RoleSpec,
}

/// DROP OWNED.
#[derive(Clone, PartialEq, Debug)]
pub struct DropOwned {
    pub roles: Vec<RoleSpec>,
    pub behavior: DropBehavior,
}

/// Isolation levels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IsolationLevel {
    ReadUncommitted,
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

impl IsolationLevel {
    /// The value of `transaction_isolation`.
    pub const fn as_str(self) -> &'static str {
        match self {
            IsolationLevel::ReadUncommitted => "read uncommitted",
            IsolationLevel::ReadCommitted => "read committed",
            IsolationLevel::RepeatableRead => "repeatable read",
            IsolationLevel::Serializable => "serializable",
        }
    }
}

/// A mode of BEGIN, START TRANSACTION or SET TRANSACTION.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TransactionMode {
    Isolation(IsolationLevel, Pos),
    ReadOnly(bool, Pos),
    Deferrable(bool, Pos),
}

/// Transaction control.
#[derive(Clone, PartialEq, Debug)]
pub enum TransactionStatement {
    /// `start` tells START TRANSACTION from BEGIN, for the command tag.
    Begin {
        start: bool,
        modes: Vec<TransactionMode>,
    },
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Savepoint(Name),
    Release(Name),
    RollbackTo(Name),
    Prepare(Ident),
    CommitPrepared(Ident),
    RollbackPrepared(Ident),
}

/// SET CONSTRAINTS.
#[derive(Clone, PartialEq, Debug)]
pub struct SetConstraints {
    /// Empty for ALL.
    pub constraints: Vec<RangeVar>,
    pub deferred: bool,
}

/// SET, RESET and kin.
#[derive(Clone, PartialEq, Debug)]
pub struct VariableSet {
    pub kind: VariableSetKind,
    /// SET LOCAL.
    pub local: bool,
    pub pos: Pos,
}

/// What SET sets. Names may be dotted and keep their case; SQL's special spellings come as the setting they mean
/// (`SET TIME ZONE` is `timezone`, `SET NAMES` is `client_encoding`, `SET ROLE` is `role` …).
#[derive(Clone, PartialEq, Debug)]
pub enum VariableSetKind {
    Value {
        name: Ident,
        values: Vec<SetValue>,
    },
    /// `SET x TO DEFAULT`.
    Default {
        name: Ident,
    },
    /// `SET x FROM CURRENT`.
    FromCurrent {
        name: Ident,
    },
    /// SET TRANSACTION.
    Transaction(Vec<TransactionMode>),
    /// SET SESSION CHARACTERISTICS AS TRANSACTION.
    SessionCharacteristics(Vec<TransactionMode>),
    /// SET TRANSACTION SNAPSHOT.
    TransactionSnapshot(Ident),
    Reset {
        name: Ident,
    },
    ResetAll,
}

/// One value of SET.
#[derive(Clone, PartialEq, Debug)]
pub enum SetValue {
    String(Ident, Pos),
    Integer(i32, Pos),
    Float(Ident, Pos),
    /// `SET TIME ZONE INTERVAL '…' …`.
    Interval(Box<Expr>),
}

/// SHOW.
#[derive(Clone, PartialEq, Debug)]
pub struct Show {
    /// `all` for ALL.
    pub name: Ident,
}

/// PREPARE.
#[derive(Clone, PartialEq, Debug)]
pub struct Prepare {
    pub name: Name,
    pub types: Vec<TypeName>,
    pub statement: Statement,
}

/// EXECUTE.
#[derive(Clone, PartialEq, Debug)]
pub struct Execute {
    pub name: Name,
    pub args: Vec<Expr>,
}

/// DEALLOCATE.
#[derive(Clone, PartialEq, Debug)]
pub struct Deallocate {
    /// Absent for ALL.
    pub name: Option<Name>,
}

/// DECLARE … CURSOR.
#[derive(Clone, PartialEq, Debug)]
pub struct DeclareCursor {
    pub name: Name,
    pub binary: bool,
    pub insensitive: bool,
    pub asensitive: bool,
    /// SCROLL or NO SCROLL where written.
    pub scroll: Option<bool>,
    pub no_scroll: bool,
    pub hold: bool,
    pub query: Statement,
}

/// Where FETCH goes; a count of `i64::MAX` is ALL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FetchDirection {
    Forward(i64),
    Backward(i64),
    Absolute(i64),
    Relative(i64),
}

/// FETCH or MOVE.
#[derive(Clone, PartialEq, Debug)]
pub struct Fetch {
    pub direction: FetchDirection,
    pub name: Name,
    /// MOVE: no rows are sent.
    pub is_move: bool,
}

/// CLOSE.
#[derive(Clone, PartialEq, Debug)]
pub struct ClosePortal {
    /// Absent for ALL.
    pub name: Option<Name>,
}

/// LISTEN.
#[derive(Clone, PartialEq, Debug)]
pub struct Listen {
    pub channel: Name,
}

/// NOTIFY.
#[derive(Clone, PartialEq, Debug)]
pub struct Notify {
    pub channel: Name,
    pub payload: Option<Ident>,
}

/// UNLISTEN.
#[derive(Clone, PartialEq, Debug)]
pub struct Unlisten {
    /// Absent for `*`.
    pub channel: Option<Name>,
}

/// EXPLAIN; its old spellings come as options `analyze` and `verbose`.
#[derive(Clone, PartialEq, Debug)]
pub struct Explain {
    pub options: Vec<DefElem>,
    pub statement: Statement,
}

/// VACUUM or ANALYZE; old spellings come as options.
#[derive(Clone, PartialEq, Debug)]
pub struct Vacuum {
    /// VACUUM rather than ANALYZE.
    pub vacuum: bool,
    pub options: Vec<DefElem>,
    pub relations: Vec<VacuumRelation>,
}

/// `table [(columns)]`.
#[derive(Clone, PartialEq, Debug)]
pub struct VacuumRelation {
    pub relation: RangeVar,
    pub columns: Vec<Name>,
}

/// What REINDEX rebuilds.
#[derive(Clone, PartialEq, Debug)]
pub enum ReindexTarget {
    Index(RangeVar),
    Table(RangeVar),
    Schema(Name),
    System(Option<Name>),
    Database(Option<Name>),
}

/// REINDEX; CONCURRENTLY comes as an option.
#[derive(Clone, PartialEq, Debug)]
pub struct Reindex {
    pub target: ReindexTarget,
    pub options: Vec<DefElem>,
}

/// CLUSTER.
#[derive(Clone, PartialEq, Debug)]
pub struct Cluster {
    pub relation: Option<RangeVar>,
    pub index: Option<Name>,
    pub options: Vec<DefElem>,
}

/// CHECKPOINT.
#[derive(Clone, PartialEq, Debug)]
pub struct Checkpoint {
    pub pos: Pos,
}

/// DISCARD.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Discard {
    All,
    Plans,
    Sequences,
    Temporary,
}

/// Modes of a table lock, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LockMode {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

/// LOCK.
#[derive(Clone, PartialEq, Debug)]
pub struct Lock {
    pub relations: Vec<RangeVar>,
    pub mode: LockMode,
    pub nowait: bool,
}

/// DO.
#[derive(Clone, PartialEq, Debug)]
pub struct Do {
    /// Each code string written; the engine refuses none and more than one.
    pub code: Vec<(Ident, Pos)>,
    pub language: Vec<(Ident, Pos)>,
}

/// CALL.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// A FuncCall.
    pub call: Expr,
}

/// LOAD.
#[derive(Clone, PartialEq, Debug)]
pub struct Load {
    pub file: Ident,
}
