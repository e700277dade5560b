//! Catalog tables as ordinary, transactional tables: what users made.
//!
//! Each has the OID and the columns that PostgreSQL 18 gives it ([`crate::builtin::columns_of`]); its storage has the same number.

use std::sync::Arc;

use storage::lock::Mode;
use storage::table::{Cell, Table};
use storage::txn::Transaction;
use storage::{Database, Persistence, RelId, RelKind, RelMeta};
use types::{Datum, IoSettings, Oid, Physical, Result, SqlError, oid};

use crate::builtin;

/// `pg_attribute`.
pub const PG_ATTRIBUTE: Oid = Oid(1249);
/// `pg_class`.
pub const PG_CLASS: Oid = Oid(1259);
/// `pg_attrdef`.
pub const PG_ATTRDEF: Oid = Oid(2604);
/// `pg_constraint`.
pub const PG_CONSTRAINT: Oid = Oid(2606);
/// `pg_index`.
pub const PG_INDEX: Oid = Oid(2610);
/// `pg_namespace`.
pub const PG_NAMESPACE: Oid = Oid(2615);
/// `pg_database`, in the shared database.
pub const PG_DATABASE: Oid = Oid(1262);

/// The catalog tables of every database.
const PER_DATABASE: [Oid; 6] = [PG_ATTRIBUTE, PG_CLASS, PG_ATTRDEF, PG_CONSTRAINT, PG_INDEX, PG_NAMESPACE];
/// The catalog tables that all databases share.
const SHARED: [Oid; 1] = [PG_DATABASE];

/// Makes the catalog tables of a new database, or the shared ones.
///
/// # Errors
/// What storage says.
pub fn bootstrap(db: &Arc<Database>, txn: &mut Transaction, shared: bool) -> Result<()> {
    let relations: &[Oid] = if shared { &SHARED } else { &PER_DATABASE };
    for &relation in relations {
        let forms = builtin::columns_of(relation).iter().map(|c| Physical::of(c.type_oid)).collect();
        let meta = RelMeta::new(RelId(relation.0), RelKind::Table, Persistence::Permanent, forms);
        db.create_relation(txn, meta)?;
    }
    Ok(())
}

/// A catalog table.
///
/// # Errors
/// `NoRelation` when the database has none.
pub fn table(db: &Arc<Database>, relation: Oid) -> Result<Table> {
    Ok(Table::new(db.clone(), db.relation(RelId(relation.0))?))
}

/// Position of `column` in `relation`.
///
/// # Panics
/// When there is no such column: the caller names it in its source.
pub fn column(relation: Oid, column: &str) -> usize {
    builtin::columns_of(relation).iter().position(|c| c.name == column).unwrap_or_else(|| panic!("no column {column}"))
}

/// Adds a row. Columns not named are NULL where they may be, else zero, false or empty.
///
/// # Errors
/// What storage says.
pub fn insert(db: &Arc<Database>, txn: &mut Transaction, relation: Oid, values: &[(&str, Datum)]) -> Result<()> {
    let columns = builtin::columns_of(relation);
    let mut row: Vec<Datum> = columns.iter().map(|c| if c.not_null { zero(c.type_oid) } else { Datum::Null }).collect();
    for (name, value) in values {
        row[column(relation, name)] = value.clone();
    }
    let cells: Vec<Cell<'_>> = row.iter().map(Cell::of).collect();
    table(db, relation)?.insert(txn, &cells)?;
    Ok(())
}

fn zero(ty: Oid) -> Datum {
    match Physical::of(ty) {
        Physical::Bool => Datum::Bool(false),
        Physical::I8 => Datum::I8(0),
        Physical::I16 => Datum::I16(0),
        Physical::I32 => Datum::I32(0),
        Physical::U32 => Datum::U32(0),
        Physical::I64 => Datum::I64(0),
        Physical::F32 => Datum::F32(0.0),
        Physical::F64 => Datum::F64(0.0),
        Physical::B16 => Datum::B16([0; 16]),
        Physical::Var => match ty {
            oid::INT2VECTOR | oid::OIDVECTOR => vector(ty, &[]),
            _ => Datum::text(""),
        },
    }
}

/// An `int2vector` or `oidvector`.
pub fn vector(ty: Oid, numbers: &[u32]) -> Datum {
    let text: Vec<String> = numbers.iter().map(u32::to_string).collect();
    types::io::text_in(ty, -1, &text.join(" "), &IoSettings::default()).unwrap_or_default()
}

/// The numbers of an `int2vector` or `oidvector`.
pub fn vector_numbers(ty: Oid, datum: &Datum) -> Vec<u32> {
    let text = types::io::to_text(ty, datum, &IoSettings::default()).unwrap_or_default();
    text.split_whitespace().filter_map(|n| n.parse().ok()).collect()
}

/// Deletes the rows whose `column` is `value`.
///
/// # Errors
/// What storage says; `40001` when someone else changed one.
pub fn delete(db: &Arc<Database>, txn: &mut Transaction, relation: Oid, name: &str, value: &Datum) -> Result<()> {
    let table = table(db, relation)?;
    let index = column(relation, name);
    txn.writer()?;
    let snapshot = txn.snapshot();
    let mut rows = Vec::new();
    table.for_each::<SqlError>(&snapshot, |row, values| {
        if values[index] == *value {
            rows.push(row);
        }
        Ok(())
    })?;
    for row in rows {
        match table.delete(txn, &snapshot, row)? {
            storage::table::RowState::Done => {}
            _ => return Err(storage::Error::Serialization.into()),
        }
    }
    Ok(())
}

/// The lock mode under which catalog rows are changed: writers of one object meet at the object's own lock.
pub const WRITE_MODE: Mode = Mode::RowExclusive;
