//! The syntax tree: what was written, with a source position on every node and no look-ups done.
//!
//! The shape follows PostgreSQL's raw parse tree where a binder profits from it: special SQL spellings that PostgreSQL
//! resolves as functions (`EXTRACT`, `POSITION`, `AT TIME ZONE` …) arrive as [`FuncCall`]s of `pg_catalog` functions
//! marked [`FuncCall::sql_syntax`], SQL type spellings arrive as `pg_catalog` names, `AND`/`OR` chains arrive flat.
//!
//! Positions: [`Expr::pos`] is where PostgreSQL's own node points (the operator sign of a binary operator, the `::` of
//! a cast); [`Expr::location`] is the leftmost position, the one PostgreSQL puts into most error messages.

pub mod ddl;
pub mod dml;
pub mod expr;
pub mod select;
pub mod utility;

pub use ddl::*;
pub use dml::*;
pub use expr::*;
pub use select::*;
pub use utility::*;

use std::fmt;
use std::ops::Deref;

/// The text of an identifier or other short word: inline up to 24 bytes.
pub type Ident = compact_str::CompactString;

/// How many characters begin in `bytes`, which is UTF-8: bytes that go on with one do not count, so no border is needed at either end.
pub fn char_count(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|b| (**b as i8) >= -0x40).count() as u32
}

/// A byte offset into the source text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pos(pub u32);

impl Pos {
    /// No position: the node was not written by the user.
    pub const NONE: Pos = Pos(u32::MAX);

    /// PostgreSQL's error position: 1-based, counted in characters of `sql`; `None` for [`Pos::NONE`].
    pub fn char_position(self, sql: &str) -> Option<u32> {
        if self == Pos::NONE {
            return None;
        }
        let end = (self.0 as usize).min(sql.len());
        Some(char_count(&sql.as_bytes()[..end]) + 1)
    }

    /// The leftmost of the two positions; [`Pos::NONE`] counts as unknown.
    pub fn leftmost(self, other: Pos) -> Pos {
        self.min(other)
    }

    /// Whether there is a position.
    pub fn is_some(self) -> bool {
        self != Pos::NONE
    }
}

impl fmt::Debug for Pos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Pos::NONE { f.write_str("-") } else { write!(f, "@{}", self.0) }
    }
}

/// A range of bytes of the source text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Span {
    /// First byte.
    pub start: Pos,
    /// One past the last byte.
    pub end: Pos,
}

impl Span {
    /// The text of the range in `sql`, or nothing when it does not fit `sql`.
    pub fn text(self, sql: &str) -> &str {
        sql.get(self.start.0 as usize..self.end.0 as usize).unwrap_or("")
    }
}

/// An identifier as the server sees it (folded, truncated, unquoted) and where it was written.
#[derive(Clone)]
pub struct Name {
    /// The identifier.
    pub text: Ident,
    /// Where it starts.
    pub pos: Pos,
}

impl Name {
    /// A name written at `pos`.
    pub fn new(text: impl AsRef<str>, pos: Pos) -> Name {
        Name { text: Ident::new(text.as_ref()), pos }
    }

    /// The identifier.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.text == other.text && self.pos == other.pos
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{:?}", self.text.as_str(), self.pos)
    }
}

/// A possibly qualified name: `name`, `schema.name`, `catalog.schema.name`; one to any number of parts.
pub type QualifiedName = Vec<Name>;

/// One statement of a source text.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    /// What it does.
    pub kind: StatementKind,
    /// From its first token to the end of its last one, without the semicolon.
    pub span: Span,
}

/// Every kind of statement.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs, reason = "each variant is named after its payload, which is documented")]
pub enum StatementKind {
    Select(Box<Select>),
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
    Merge(Box<Merge>),
    Copy(Box<CopyStatement>),

    CreateTable(Box<CreateTable>),
    CreateTableAs(Box<CreateTableAs>),
    CreateForeignTable(Box<CreateForeignTable>),
    AlterTable(Box<AlterTable>),
    AlterTableMoveAll(Box<AlterTableMoveAll>),
    CreateIndex(Box<CreateIndex>),
    CreateView(Box<CreateView>),
    CreateSequence(Box<CreateSequence>),
    AlterSequence(Box<AlterSequence>),
    CreateSchema(Box<CreateSchema>),
    CreateType(Box<CreateType>),
    AlterType(Box<AlterType>),
    AlterEnum(Box<AlterEnum>),
    CreateDomain(Box<CreateDomain>),
    AlterDomain(Box<AlterDomain>),
    CreateFunction(Box<CreateFunction>),
    AlterFunction(Box<AlterFunction>),
    /// Aggregates, operators, text search objects, collations: a name and a list of definitions.
    Define(Box<Define>),
    CreateCast(Box<CreateCast>),
    CreateTrigger(Box<CreateTrigger>),
    CreateEventTrigger(Box<CreateEventTrigger>),
    CreateRule(Box<CreateRule>),
    CreatePolicy(Box<CreatePolicy>),
    AlterPolicy(Box<AlterPolicy>),
    CreateExtension(Box<CreateExtension>),
    AlterExtension(Box<AlterExtension>),
    CreateLanguage(Box<CreateLanguage>),
    CreatePublication(Box<CreatePublication>),
    AlterPublication(Box<AlterPublication>),
    CreateSubscription(Box<CreateSubscription>),
    AlterSubscription(Box<AlterSubscription>),
    CreateStatistics(Box<CreateStatistics>),
    CreateOperatorClass(Box<CreateOperatorClass>),
    AlterOperatorFamily(Box<AlterOperatorFamily>),
    /// Kinds of objects the tree holds in no detail; the engine refuses them by name.
    OtherObject(Box<OtherObject>),
    Drop(Box<DropStatement>),
    Rename(Box<Rename>),
    AlterOwner(Box<AlterOwner>),
    AlterObjectSchema(Box<AlterObjectSchema>),
    AlterDependsOnExtension(Box<AlterDependsOnExtension>),
    Comment(Box<Comment>),
    SecurityLabel(Box<SecurityLabel>),
    Truncate(Box<Truncate>),
    RefreshMaterializedView(Box<RefreshMaterializedView>),
    ImportForeignSchema(Box<ImportForeignSchema>),

    CreateRole(Box<CreateRole>),
    AlterRole(Box<AlterRole>),
    AlterRoleSet(Box<AlterRoleSet>),
    AlterGroupMembers(Box<AlterGroupMembers>),
    DropRole(Box<DropRole>),
    CreateDatabase(Box<CreateDatabase>),
    AlterDatabase(Box<AlterDatabase>),
    DropDatabase(Box<DropDatabase>),
    CreateTablespace(Box<CreateTablespace>),
    AlterTablespace(Box<AlterTablespace>),
    DropTablespace(Box<DropTablespace>),
    Grant(Box<Grant>),
    GrantRole(Box<GrantRole>),
    AlterDefaultPrivileges(Box<AlterDefaultPrivileges>),
    ReassignOwned(Box<ReassignOwned>),
    DropOwned(Box<DropOwned>),
    AlterSystem(Box<VariableSet>),

    Transaction(Box<TransactionStatement>),
    SetConstraints(Box<SetConstraints>),
    Set(Box<VariableSet>),
    Show(Box<Show>),
    Prepare(Box<Prepare>),
    Execute(Box<Execute>),
    Deallocate(Box<Deallocate>),
    DeclareCursor(Box<DeclareCursor>),
    Fetch(Box<Fetch>),
    ClosePortal(Box<ClosePortal>),
    Listen(Box<Listen>),
    Notify(Box<Notify>),
    Unlisten(Box<Unlisten>),
    Explain(Box<Explain>),
    Vacuum(Box<Vacuum>),
    Reindex(Box<Reindex>),
    Cluster(Box<Cluster>),
    Checkpoint(Box<Checkpoint>),
    Discard(Discard),
    Lock(Box<Lock>),
    Do(Box<Do>),
    Call(Box<Call>),
    Load(Box<Load>),
}

impl StatementKind {
    /// What it is called: its variant in words, `CREATE TABLE`.
    pub fn name(&self) -> String {
        let debug = format!("{self:?}");
        let variant = debug.split(['(', ' ', '{']).next().unwrap_or_default();
        let mut words = String::new();
        for c in variant.chars() {
            if c.is_ascii_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.push(c.to_ascii_uppercase());
        }
        words
    }
}
