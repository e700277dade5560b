//! Catalog tables as ordinary, transactional tables: what users made.
//!
//! Each has the OID and the columns that PostgreSQL 18 gives it ([`crate::builtin::columns_of`]); its storage has the same number.
//! Every write yields the [`Change`] by which a cached [`crate::Image`] follows.

use std::sync::Arc;

use storage::table::{Cell, RowState, Table};
use storage::txn::Transaction;
use storage::{Database, Persistence, RelId, RelKind, RelMeta, RowId};
use types::{Datum, IoSettings, Oid, Physical, Result, SqlError, oid};

use crate::builtin;

macro_rules! relations {
    ($($name:ident = $oid:literal),* $(,)?) => {
        $(#[doc = concat!("The catalog table of this name.")] pub const $name: Oid = Oid($oid);)*
    };
}

relations! {
    PG_TYPE = 1247, PG_ATTRIBUTE = 1249, PG_PROC = 1255, PG_CLASS = 1259, PG_AUTHID = 1260, PG_AUTH_MEMBERS = 1261, PG_DATABASE = 1262,
    PG_SEQUENCE = 2224, PG_SHDESCRIPTION = 2396, PG_ATTRDEF = 2604, PG_CONSTRAINT = 2606, PG_DEPEND = 2608, PG_DESCRIPTION = 2609,
    PG_INDEX = 2610, PG_NAMESPACE = 2615, PG_DB_ROLE_SETTING = 2964, PG_INHERITS = 2611, PG_REWRITE = 2618, PG_STATISTIC = 2619,
    PG_TRIGGER = 2620,
    PG_ENUM = 3501, PG_LANGUAGE = 2612, PG_AGGREGATE = 2600, PG_CAST = 2605, PG_OPERATOR = 2617,
}

/// The catalog tables that every database has of its own.
const PER_DATABASE: [Oid; 19] = [
    PG_TYPE,
    PG_ATTRIBUTE,
    PG_PROC,
    PG_CLASS,
    PG_SEQUENCE,
    PG_ATTRDEF,
    PG_CONSTRAINT,
    PG_DEPEND,
    PG_DESCRIPTION,
    PG_INDEX,
    PG_INHERITS,
    PG_NAMESPACE,
    PG_REWRITE,
    PG_STATISTIC,
    PG_TRIGGER,
    PG_ENUM,
    PG_AGGREGATE,
    PG_CAST,
    PG_OPERATOR,
];
/// The catalog tables that all databases share.
const SHARED: [Oid; 5] = [PG_AUTHID, PG_AUTH_MEMBERS, PG_DATABASE, PG_SHDESCRIPTION, PG_DB_ROLE_SETTING];

/// Whether all databases share `relation`.
pub fn is_shared(relation: Oid) -> bool {
    SHARED.contains(&relation)
}

/// Whether rows of `relation` are stored at all.
pub fn is_stored(relation: Oid) -> bool {
    is_shared(relation) || PER_DATABASE.contains(&relation)
}

/// A row, in its columns' order.
pub type Row = Arc<[Datum]>;

/// A change of a catalog table by a transaction.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "fields are the table and its row before and after")]
pub enum Change {
    /// A new row.
    Added { relation: Oid, row: Row },
    /// A row is gone.
    Removed { relation: Oid, row: Row },
    /// A row has other values.
    Replaced { relation: Oid, old: Row, new: Row },
}

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
    if !shared {
        let grants = "{pg_database_owner=UC/pg_database_owner,=U/pg_database_owner}";
        let grants = types::io::text_in(oid::ACLITEM_ARRAY, -1, grants, &IoSettings::default())?;
        insert(
            db,
            txn,
            PG_NAMESPACE,
            &[
                ("oid", Datum::from(oid::PUBLIC_NAMESPACE)),
                ("nspname", Datum::text("public")),
                ("nspowner", Datum::from(PG_DATABASE_OWNER)),
                ("nspacl", grants),
            ],
        )?;
        insert(
            db,
            txn,
            PG_DESCRIPTION,
            &[
                ("objoid", Datum::from(oid::PUBLIC_NAMESPACE)),
                ("classoid", Datum::from(PG_NAMESPACE)),
                ("description", Datum::text("standard public schema")),
            ],
        )?;
    }
    Ok(())
}

/// The role that stands for whoever owns the current database.
pub const PG_DATABASE_OWNER: Oid = Oid(6171);

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
pub fn insert(db: &Arc<Database>, txn: &mut Transaction, relation: Oid, values: &[(&str, Datum)]) -> Result<Change> {
    let columns = builtin::columns_of(relation);
    let mut row: Vec<Datum> = columns.iter().map(|c| if c.not_null { zero(c.type_oid) } else { Datum::Null }).collect();
    for (name, value) in values {
        row[column(relation, name)] = value.clone();
    }
    let cells: Vec<Cell<'_>> = row.iter().map(Cell::of).collect();
    table(db, relation)?.insert(txn, &cells)?;
    Ok(Change::Added { relation, row: row.into() })
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
            oid::INT2VECTOR | oid::OIDVECTOR => numbers(ty, &[]),
            _ => Datum::text(""),
        },
    }
}

/// An `int2vector`, `oidvector`, `int2[]` or `oid[]`.
pub fn numbers(ty: Oid, numbers: &[u32]) -> Datum {
    let text: Vec<String> = numbers.iter().map(u32::to_string).collect();
    let text = match ty {
        oid::INT2VECTOR | oid::OIDVECTOR => text.join(" "),
        _ => format!("{{{}}}", text.join(",")),
    };
    types::io::text_in(ty, -1, &text, &IoSettings::default()).unwrap_or_default()
}

/// The numbers of an `int2vector`, `oidvector`, `int2[]` or `oid[]`; none for NULL.
pub fn numbers_of(ty: Oid, datum: &Datum) -> Vec<u32> {
    if datum.is_null() {
        return Vec::new();
    }
    let text = types::io::to_text(ty, datum, &IoSettings::default()).unwrap_or_default();
    text.split([' ', ',', '{', '}']).filter_map(|n| n.parse().ok()).collect()
}

/// A row of a catalog table, its columns by name.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    /// The table.
    pub relation: Oid,
    /// The row.
    pub row: &'a [Datum],
}

impl Fields<'_> {
    /// The value of `name`.
    pub fn get(&self, name: &str) -> &Datum {
        &self.row[column(self.relation, name)]
    }

    /// An OID.
    pub fn oid(&self, name: &str) -> Oid {
        match self.get(name) {
            Datum::U32(v) => Oid(*v),
            _ => Oid::NONE,
        }
    }

    /// A text or name.
    pub fn text(&self, name: &str) -> String {
        self.get(name).as_str().unwrap_or_default().to_owned()
    }

    /// A boolean.
    pub fn bool(&self, name: &str) -> bool {
        *self.get(name) == Datum::Bool(true)
    }

    /// A `"char"`.
    pub fn char(&self, name: &str) -> u8 {
        match self.get(name) {
            Datum::I8(v) => v.cast_unsigned(),
            _ => 0,
        }
    }

    /// An integer of any width.
    pub fn int(&self, name: &str) -> i64 {
        match self.get(name) {
            Datum::I16(v) => i64::from(*v),
            Datum::I32(v) => i64::from(*v),
            Datum::I64(v) => *v,
            _ => 0,
        }
    }

    /// A list of numbers.
    pub fn numbers(&self, name: &str) -> Vec<u32> {
        let index = column(self.relation, name);
        numbers_of(builtin::columns_of(self.relation)[index].type_oid, &self.row[index])
    }
}

/// The rows for which `wanted` is true, as the transaction sees them now.
///
/// # Errors
/// What storage says.
pub fn find(
    db: &Arc<Database>,
    txn: &mut Transaction,
    relation: Oid,
    mut wanted: impl FnMut(Fields<'_>) -> bool,
) -> Result<Vec<(RowId, Row)>> {
    let snapshot = txn.snapshot();
    let mut rows = Vec::new();
    table(db, relation)?.for_each::<SqlError>(&snapshot, |id, values| {
        if wanted(Fields { relation, row: &values }) {
            rows.push((id, values.into()));
        }
        Ok(())
    })?;
    Ok(rows)
}

/// Deletes the rows for which `wanted` is true.
///
/// # Errors
/// What storage says; `40001` when someone else changed one.
pub fn delete(
    db: &Arc<Database>,
    txn: &mut Transaction,
    relation: Oid,
    wanted: impl FnMut(Fields<'_>) -> bool,
) -> Result<Vec<Change>> {
    txn.writer()?;
    txn.next_command();
    let rows = find(db, txn, relation, wanted)?;
    let (table, snapshot) = (table(db, relation)?, txn.snapshot());
    let mut changes = Vec::new();
    for (id, row) in rows {
        match table.delete(txn, &snapshot, id)? {
            RowState::Done => changes.push(Change::Removed { relation, row }),
            _ => return Err(concurrent()),
        }
    }
    Ok(changes)
}

/// Gives the rows for which `wanted` is true other values.
///
/// # Errors
/// As [`delete`].
pub fn update(
    db: &Arc<Database>,
    txn: &mut Transaction,
    relation: Oid,
    wanted: impl FnMut(Fields<'_>) -> bool,
    values: &[(&str, Datum)],
) -> Result<Vec<Change>> {
    txn.writer()?;
    txn.next_command();
    let rows = find(db, txn, relation, wanted)?;
    let (table, snapshot) = (table(db, relation)?, txn.snapshot());
    let mut changes = Vec::new();
    for (id, old) in rows {
        let mut new = old.to_vec();
        let mut cells = Vec::new();
        for (name, value) in values {
            let index = column(relation, name);
            new[index] = value.clone();
            cells.push((index as u16, Cell::of(value)));
        }
        match table.update(txn, &snapshot, id, &cells, storage::lock::Mode::ForUpdate)? {
            RowState::Done => changes.push(Change::Replaced { relation, old, new: new.into() }),
            _ => return Err(concurrent()),
        }
    }
    Ok(changes)
}

/// Somebody else changed the same catalog row, as PostgreSQL words it.
fn concurrent() -> SqlError {
    SqlError::internal("tuple concurrently updated")
}
