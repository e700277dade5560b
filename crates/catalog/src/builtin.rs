//! The rows of `pg_catalog` that ship with the binary, as static tables (C1, C2).

use types::Oid;

/// A row of `pg_type`.
#[derive(Debug)]
#[allow(missing_docs, reason = "fields are pg_type's columns, without their prefix")]
pub struct TypeRow {
    pub oid: Oid,
    pub name: &'static str,
    pub namespace: Oid,
    pub len: i16,
    pub by_value: bool,
    pub kind: u8,
    pub category: u8,
    pub preferred: bool,
    pub delimiter: u8,
    pub relation: Oid,
    pub element: Oid,
    pub array: Oid,
    pub input: Oid,
    pub output: Oid,
    pub receive: Oid,
    pub send: Oid,
    pub typmod_in: Oid,
    pub typmod_out: Oid,
    pub align: u8,
    pub storage: u8,
    pub collation: Oid,
}

/// A row of `pg_proc`.
#[derive(Debug)]
#[allow(missing_docs, reason = "fields are pg_proc's columns, without their prefix")]
pub struct ProcRow {
    pub oid: Oid,
    pub name: &'static str,
    pub variadic: Oid,
    pub kind: u8,
    pub strict: bool,
    pub returns_set: bool,
    pub volatility: u8,
    pub parallel: u8,
    pub default_count: u16,
    pub result: Oid,
    pub args: &'static [Oid],
    pub all_args: &'static [Oid],
    pub arg_modes: &'static str,
    pub arg_names: &'static str,
    pub defaults: &'static str,
    pub source: &'static str,
}

/// A row of `pg_operator`.
#[derive(Debug)]
#[allow(missing_docs, reason = "fields are pg_operator's columns, without their prefix")]
pub struct OperatorRow {
    pub oid: Oid,
    pub name: &'static str,
    pub kind: u8,
    pub can_merge: bool,
    pub can_hash: bool,
    pub left: Oid,
    pub right: Oid,
    pub result: Oid,
    pub commutator: Oid,
    pub negator: Oid,
    pub function: Oid,
    pub restrict: Oid,
    pub join: Oid,
}

/// A row of `pg_cast`.
#[derive(Debug)]
#[allow(missing_docs, reason = "fields are pg_cast's columns, without their prefix")]
pub struct CastRow {
    pub oid: Oid,
    pub source: Oid,
    pub target: Oid,
    pub function: Oid,
    pub context: u8,
    pub method: u8,
}

/// A row of `pg_aggregate`.
#[derive(Debug)]
#[allow(missing_docs, reason = "fields are pg_aggregate's columns, without their prefix")]
pub struct AggregateRow {
    pub function: Oid,
    pub kind: u8,
    pub direct_args: i16,
    pub transition: Oid,
    pub finish: Oid,
    pub sort_operator: Oid,
    pub transition_type: Oid,
    pub initial: Option<&'static str>,
}

/// A row of `pg_opclass`.
#[derive(Debug)]
#[allow(missing_docs, reason = "fields are pg_opclass's columns, without their prefix")]
pub struct OpclassRow {
    pub oid: Oid,
    pub method: Oid,
    pub name: &'static str,
    pub family: Oid,
    pub input: Oid,
    pub is_default: bool,
    pub key: Oid,
}

/// A table or view of `pg_catalog` itself.
#[derive(Debug)]
#[allow(missing_docs, reason = "fields are pg_class's columns, without their prefix")]
pub struct RelationRow {
    pub oid: Oid,
    pub name: &'static str,
    pub kind: u8,
    pub row_type: Oid,
    pub columns: i16,
    pub is_shared: bool,
}

/// A column of a table or view of `pg_catalog`.
#[derive(Debug)]
#[allow(missing_docs, reason = "fields are pg_attribute's columns, without their prefix")]
pub struct ColumnRow {
    pub relation: Oid,
    pub number: i16,
    pub name: &'static str,
    pub type_oid: Oid,
    pub len: i16,
    pub not_null: bool,
    pub typmod: i32,
}

include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

macro_rules! by_oid {
    ($(#[$doc:meta])* $name:ident, $table:ident, $row:ident) => {
        $(#[$doc])*
        pub fn $name(oid: Oid) -> Option<&'static $row> {
            $table.binary_search_by_key(&oid, |r| r.oid).ok().map(|i| &$table[i])
        }
    };
}

by_oid!(/// The built-in type with this OID.
    builtin_type_by_oid, TYPES, TypeRow);
by_oid!(/// The function with this OID.
    proc_by_oid, PROCS, ProcRow);
by_oid!(/// The operator with this OID.
    operator_by_oid, OPERATORS, OperatorRow);
by_oid!(/// The catalog table or view with this OID.
    relation_by_oid, RELATIONS, RelationRow);

/// What is the same for all enums: their names, OIDs and arrays are the catalog's to know.
static ANY_ENUM: TypeRow = TypeRow {
    oid: Oid(3500),
    name: "anyenum",
    namespace: Oid::NONE,
    len: 4,
    by_value: true,
    kind: b'e',
    category: b'E',
    preferred: false,
    delimiter: b',',
    relation: Oid::NONE,
    element: Oid::NONE,
    array: Oid::NONE,
    input: Oid(3506),
    output: Oid(3507),
    receive: Oid(3532),
    send: Oid(3533),
    typmod_in: Oid::NONE,
    typmod_out: Oid::NONE,
    align: b'i',
    storage: b'p',
    collation: Oid::NONE,
};

/// What is the same for all row types.
static ANY_ROW: TypeRow = TypeRow {
    oid: Oid(2249),
    name: "record",
    len: -1,
    by_value: false,
    kind: b'c',
    category: b'C',
    input: Oid(2290),
    output: Oid(2291),
    receive: Oid(2402),
    send: Oid(2403),
    align: b'd',
    storage: b'x',
    ..ANY_ENUM
};

/// What is the same for all arrays of users' types.
static ANY_USER_ARRAY: TypeRow = TypeRow {
    oid: Oid(2277),
    name: "anyarray",
    len: -1,
    by_value: false,
    kind: b'b',
    category: b'A',
    input: Oid(750),
    output: Oid(751),
    receive: Oid(2400),
    send: Oid(2401),
    storage: b'x',
    ..ANY_ENUM
};

/// The type with this OID: of a user's type, what all of its kind have in common.
pub fn type_by_oid(oid: Oid) -> Option<&'static TypeRow> {
    if !oid.is_user_type() {
        return builtin_type_by_oid(oid);
    }
    match (oid.user_element(), oid.user_kind()) {
        (Some(_), _) => Some(&ANY_USER_ARRAY),
        (None, Some(types::oid::UserType::Enum)) => Some(&ANY_ENUM),
        (None, Some(types::oid::UserType::Composite)) => Some(&ANY_ROW),
        _ => None,
    }
}

/// The rows that a name index lists for `name`.
fn named<T>(
    rows: &'static [T],
    index: &'static [u16],
    name: &str,
    of: fn(&T) -> &'static str,
) -> impl Iterator<Item = &'static T> {
    let from = index.partition_point(|&i| of(&rows[i as usize]).as_bytes() < name.as_bytes());
    let count = index[from..].partition_point(|&i| of(&rows[i as usize]) == name);
    index[from..from + count].iter().map(move |&i| &rows[i as usize])
}

/// The type of this name.
pub fn type_by_name(name: &str) -> Option<&'static TypeRow> {
    named(&TYPES, &TYPES_BY_NAME, name, |r| r.name).next()
}

/// All functions of this name.
pub fn procs_by_name(name: &str) -> impl Iterator<Item = &'static ProcRow> {
    named(&PROCS, &PROCS_BY_NAME, name, |r| r.name)
}

/// All operators of this name.
pub fn operators_by_name(name: &str) -> impl Iterator<Item = &'static OperatorRow> {
    named(&OPERATORS, &OPERATORS_BY_NAME, name, |r| r.name)
}

/// The catalog table or view of this name.
pub fn relation_by_name(name: &str) -> Option<&'static RelationRow> {
    named(&RELATIONS, &RELATIONS_BY_NAME, name, |r| r.name).next()
}

/// The columns of a catalog table or view, in order.
pub fn columns_of(relation: Oid) -> &'static [ColumnRow] {
    let from = COLUMNS.partition_point(|c| c.relation < relation);
    let count = COLUMNS[from..].partition_point(|c| c.relation == relation);
    &COLUMNS[from..from + count]
}

/// The cast from `source` to `target`.
pub fn cast(source: Oid, target: Oid) -> Option<&'static CastRow> {
    CASTS.binary_search_by_key(&(source, target), |c| (c.source, c.target)).ok().map(|i| &CASTS[i])
}

/// How the aggregate function `function` works.
pub fn aggregate(function: Oid) -> Option<&'static AggregateRow> {
    AGGREGATES.binary_search_by_key(&function, |a| a.function).ok().map(|i| &AGGREGATES[i])
}

/// The default operator class of access method `method` for `type_oid`, not looking through binary-coercible types.
pub fn default_opclass(method: Oid, type_oid: Oid) -> Option<&'static OpclassRow> {
    OPCLASSES.iter().find(|o| o.method == method && o.input == type_oid && o.is_default)
}

/// The operator class of access method `method` called `name`.
pub fn opclass_by_name(method: Oid, name: &str) -> Option<&'static OpclassRow> {
    OPCLASSES.iter().find(|o| o.method == method && o.name == name)
}

/// The operator class with this OID.
pub fn opclass_by_oid(oid: Oid) -> Option<&'static OpclassRow> {
    OPCLASSES.iter().find(|o| o.oid == oid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::oid;

    #[test]
    fn tables_are_sorted_and_whole() {
        assert!(TYPES.is_sorted_by_key(|r| r.oid));
        assert!(PROCS.is_sorted_by_key(|r| r.oid));
        assert!(OPERATORS.is_sorted_by_key(|r| r.oid));
        assert!(AGGREGATES.is_sorted_by_key(|r| r.function));
        assert!(CASTS.is_sorted_by_key(|c| (c.source, c.target)));
        assert!(COLUMNS.is_sorted_by_key(|c| (c.relation, c.number)));
        assert!(PROCS.len() > 3000 && OPERATORS.len() > 700);
    }

    /// Well-known rows of PostgreSQL 18.
    #[test]
    fn lookups_find_what_postgresql_has() {
        assert_eq!(type_by_name("int4").map(|t| t.oid), Some(oid::INT4));
        assert_eq!(type_by_oid(oid::TEXT).map(|t| (t.name, t.category, t.preferred)), Some(("text", b'S', true)));
        let plus = operators_by_name("+").find(|o| o.left == oid::INT4 && o.right == oid::INT4).unwrap();
        assert_eq!((plus.oid, plus.function, plus.result), (Oid(551), Oid(177), oid::INT4));
        assert_eq!(proc_by_oid(Oid(177)).map(|p| p.name), Some("int4pl"));
        assert_eq!(procs_by_name("abs").count(), 6);
        assert_eq!(cast(oid::INT4, oid::INT8).map(|c| c.context), Some(b'i'));
        assert_eq!(relation_by_name("pg_class").map(|r| r.oid), Some(Oid(1259)));
        assert_eq!(columns_of(Oid(1259))[1].name, "relname");
        assert!(procs_by_name("no_such_function").next().is_none());
        assert_eq!(aggregate(Oid(2803)).and_then(|a| a.initial), Some("0"));
    }
}
