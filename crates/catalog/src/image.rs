//! `Image`: all of a database's tables as a binder wants to look them up, as of one snapshot.

use std::collections::HashMap;
use std::sync::Arc;

use storage::txn::Snapshot;
use storage::{Database, RelId};
use types::{Datum, Oid, Result, SqlError, oid};

use crate::stored::{self, PG_ATTRIBUTE, PG_CLASS, PG_INDEX, column};

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Oid,
    /// Its type modifier.
    pub typmod: i32,
    /// Whether NULL is refused.
    pub not_null: bool,
}

/// An index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexInfo {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// Its storage.
    pub rel: RelId,
    /// Its columns, from 0.
    pub columns: Vec<usize>,
    /// Whether two rows may not share a key.
    pub unique: bool,
    /// Whether it is the primary key's.
    pub primary: bool,
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableInfo {
    /// Its OID.
    pub oid: Oid,
    /// Its schema.
    pub namespace: Oid,
    /// Its name.
    pub name: String,
    /// Its storage.
    pub rel: RelId,
    /// Its columns.
    pub columns: Vec<ColumnInfo>,
    /// Its indexes.
    pub indexes: Vec<IndexInfo>,
}

/// All tables of a database.
#[derive(Clone, Debug, Default)]
pub struct Image {
    tables: HashMap<(Oid, String), Arc<TableInfo>>,
    /// Names of indexes: they share their table's name space.
    index_names: HashMap<(Oid, String), Oid>,
}

fn oid_of(d: &Datum) -> Oid {
    match d {
        Datum::U32(v) => Oid(*v),
        _ => Oid::NONE,
    }
}

fn text(d: &Datum) -> String {
    d.as_str().unwrap_or_default().to_owned()
}

impl Image {
    /// Reads the catalog as `snapshot` sees it.
    ///
    /// # Errors
    /// What storage says.
    pub fn load(db: &Arc<Database>, snapshot: &Snapshot) -> Result<Image> {
        let mut classes: HashMap<Oid, (TableInfo, bool)> = HashMap::new();
        let class = |name: &str| column(PG_CLASS, name);
        let (c_oid, c_name, c_namespace, c_node, c_kind) =
            (class("oid"), class("relname"), class("relnamespace"), class("relfilenode"), class("relkind"));
        stored::table(db, PG_CLASS)?.for_each::<SqlError>(snapshot, |_, row| {
            let table = TableInfo {
                oid: oid_of(&row[c_oid]),
                namespace: oid_of(&row[c_namespace]),
                name: text(&row[c_name]),
                rel: RelId(oid_of(&row[c_node]).0),
                columns: Vec::new(),
                indexes: Vec::new(),
            };
            classes.insert(table.oid, (table, row[c_kind] == Datum::I8(b'i' as i8)));
            Ok(())
        })?;
        let attribute = |name: &str| column(PG_ATTRIBUTE, name);
        let (a_rel, a_name, a_type, a_num, a_typmod, a_not_null) = (
            attribute("attrelid"),
            attribute("attname"),
            attribute("atttypid"),
            attribute("attnum"),
            attribute("atttypmod"),
            attribute("attnotnull"),
        );
        let mut columns: HashMap<Oid, Vec<(i16, ColumnInfo)>> = HashMap::new();
        stored::table(db, PG_ATTRIBUTE)?.for_each::<SqlError>(snapshot, |_, row| {
            let (Datum::I16(number), Datum::I32(typmod)) = (&row[a_num], &row[a_typmod]) else { return Ok(()) };
            let info = ColumnInfo {
                name: text(&row[a_name]),
                ty: oid_of(&row[a_type]),
                typmod: *typmod,
                not_null: row[a_not_null] == Datum::Bool(true),
            };
            columns.entry(oid_of(&row[a_rel])).or_default().push((*number, info));
            Ok(())
        })?;
        let index = |name: &str| column(PG_INDEX, name);
        let (i_oid, i_table, i_unique, i_primary, i_key) =
            (index("indexrelid"), index("indrelid"), index("indisunique"), index("indisprimary"), index("indkey"));
        let mut indexes: Vec<(Oid, IndexInfo)> = Vec::new();
        stored::table(db, PG_INDEX)?.for_each::<SqlError>(snapshot, |_, row| {
            let oid = oid_of(&row[i_oid]);
            let Some((class, _)) = classes.get(&oid) else { return Ok(()) };
            let keys = stored::vector_numbers(oid::INT2VECTOR, &row[i_key]);
            let info = IndexInfo {
                oid,
                name: class.name.clone(),
                rel: class.rel,
                columns: keys.iter().map(|&k| k.saturating_sub(1) as usize).collect(),
                unique: row[i_unique] == Datum::Bool(true),
                primary: row[i_primary] == Datum::Bool(true),
            };
            indexes.push((oid_of(&row[i_table]), info));
            Ok(())
        })?;
        indexes.sort_by_key(|i| i.1.oid);
        for (table, info) in indexes {
            if let Some((class, _)) = classes.get_mut(&table) {
                class.indexes.push(info);
            }
        }
        let mut image = Image::default();
        for (oid, (mut table, is_index)) in classes {
            let key = (table.namespace, table.name.clone());
            if is_index {
                image.index_names.insert(key, oid);
                continue;
            }
            let mut own = columns.remove(&oid).unwrap_or_default();
            own.sort_by_key(|c| c.0);
            table.columns = own.into_iter().map(|c| c.1).collect();
            image.tables.insert(key, Arc::new(table));
        }
        Ok(image)
    }

    /// The table `name` of schema `namespace`.
    pub fn table(&self, namespace: Oid, name: &str) -> Option<&Arc<TableInfo>> {
        self.tables.get(&(namespace, name.to_owned()))
    }

    /// Whether a relation of any kind has this name.
    pub fn is_taken(&self, namespace: Oid, name: &str) -> bool {
        let key = (namespace, name.to_owned());
        self.tables.contains_key(&key) || self.index_names.contains_key(&key)
    }

    /// All tables, by name.
    pub fn tables(&self) -> Vec<&Arc<TableInfo>> {
        let mut all: Vec<_> = self.tables.values().collect();
        all.sort_by(|a, b| (&a.name, a.oid).cmp(&(&b.name, b.oid)));
        all
    }
}
