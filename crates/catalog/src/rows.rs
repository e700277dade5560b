//! The rows that ship with the binary, whole, as the executor reads them (C1, C2).
//!
//! The typed tables of [`crate::builtin`] serve look-ups while binding; these serve `SELECT ... FROM pg_proc`. A table's text is read
//! into values when it is first asked for.

use std::sync::OnceLock;

use types::{Datum, IoSettings, Oid};

use crate::builtin;

/// A row.
pub type Row = Box<[Datum]>;

struct StaticTable {
    name: &'static str,
    /// What PostgreSQL has.
    text: &'static str,
    /// What it has not.
    own: &'static str,
    rows: OnceLock<Vec<Row>>,
}

macro_rules! tables {
    ($($name:literal $($own:literal)?),* $(,)?) => {
        static TABLES: [StaticTable; 22] = [$(StaticTable {
            name: $name,
            text: include_str!(concat!("../data/", $name, ".tsv")),
            own: concat!($(include_str!(concat!("../data/own/", $own, ".tsv")))?),
            rows: OnceLock::new(),
        }),*];
    };
}

tables![
    "pg_type" "pg_type",
    "pg_proc" "pg_proc",
    "pg_operator",
    "pg_cast",
    "pg_aggregate",
    "pg_am",
    "pg_opclass",
    "pg_opfamily",
    "pg_amop",
    "pg_amproc",
    "pg_namespace",
    "pg_collation",
    "pg_conversion",
    "pg_language",
    "pg_range",
    "pg_authid",
    "pg_auth_members",
    "pg_tablespace",
    "pg_class" "pg_class",
    "pg_attribute" "pg_attribute",
    "pg_description",
    "pg_init_privs" "pg_init_privs",
];

/// The built-in rows of catalog table `relation`, in its columns' order; none for tables that ship empty.
pub fn of(relation: Oid) -> &'static [Row] {
    let Some(name) = builtin::relation_by_oid(relation).map(|r| r.name) else { return &[] };
    let Some(table) = TABLES.iter().find(|t| t.name == name) else { return &[] };
    table.rows.get_or_init(|| parse(relation, table.text.lines().chain(table.own.lines())))
}

fn parse<'l>(relation: Oid, lines: impl Iterator<Item = &'l str>) -> Vec<Row> {
    let settings = IoSettings::default();
    let types: Vec<Oid> = builtin::columns_of(relation).iter().map(|c| c.type_oid).collect();
    let row = |line: &str| {
        let fields = line.split('\t').zip(&types);
        fields.map(|(field, &ty)| value(field, ty, &settings)).collect::<Row>()
    };
    lines.map(row).collect()
}

fn value(field: &str, ty: Oid, settings: &IoSettings) -> Datum {
    if field == "\\N" {
        return Datum::Null;
    }
    let text = unescape(field);
    // The recorded rows are PostgreSQL's own output: a test reads them all.
    types::io::text_in(ty, -1, &text, settings).unwrap_or_default()
}

/// Undoes the escapes of COPY's text format.
fn unescape(field: &str) -> String {
    let mut out = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        out.push(match (c, chars.as_str().chars().next()) {
            ('\\', Some(escaped)) => {
                chars.next();
                match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    other => other,
                }
            }
            _ => c,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recorded_value_reads_as_its_columns_type() {
        let settings = IoSettings::default();
        for table in &TABLES {
            let relation = builtin::relation_by_name(table.name).expect("a catalog table").oid;
            let columns = builtin::columns_of(relation);
            for line in table.text.lines().chain(table.own.lines()) {
                assert_eq!(line.split('\t').count(), columns.len(), "{}: {line}", table.name);
                for (field, column) in line.split('\t').zip(columns).filter(|(f, _)| *f != "\\N") {
                    let read = types::io::text_in(column.type_oid, -1, &unescape(field), &settings);
                    let read = read.unwrap_or_else(|e| panic!("{}.{} {field}: {e:?}", table.name, column.name));
                    let back = types::io::to_text(column.type_oid, &read, &settings).expect("what was read is written");
                    let missing = column.type_oid == types::oid::REGPROC && field == "0";
                    assert!(missing || back == unescape(field), "{}.{}: {back}", table.name, column.name);
                }
            }
        }
        // PostgreSQL's, and eight of our own.
        assert_eq!(of(Oid(1255)).len(), 3402 + 8);
    }
}
