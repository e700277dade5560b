//! CREATE TABLE, CREATE INDEX, DROP: rows of catalog tables, and the storage they name, in one transaction.

use catalog::TableInfo;
use catalog::stored::{self, PG_ATTRIBUTE, PG_CLASS, PG_INDEX};
use storage::lock::{Mode, Tag, WaitPolicy};
use storage::table::Table;
use storage::txn::Transaction;
use storage::{Persistence, RelId, RelKind, RelMeta};
use syntax::ast::{
    ColumnDef, Constraint, ConstraintKind, CreateIndex, CreateTable, DropBehavior, DropStatement, IndexKey, ObjectKind,
    ObjectName, Pos, RangeVar, TableElement,
};
use types::{Datum, Oid, Physical, Result, SqlError, SqlState, oid};

use crate::session::{Session, Sink};

/// `pg_am` OID of heap.
const HEAP: Oid = Oid(2);
/// `pg_am` OID of btree.
const BTREE: Oid = Oid(403);

/// A column to be made.
struct NewColumn {
    name: String,
    ty: Oid,
    typmod: i32,
    not_null: bool,
}

/// A unique constraint to be made.
struct NewUnique {
    name: Option<String>,
    columns: Vec<usize>,
    primary: bool,
}

impl Session {
    fn txn_mut(&mut self) -> &mut Transaction {
        match &mut self.txn {
            Some(txn) => txn,
            None => unreachable!("a statement runs in a transaction"),
        }
    }

    fn new_oid(&self) -> Result<Oid> {
        Ok(Oid(self.runtime.engine().shared().new_oid()?))
    }

    /// The schema that a new relation goes to.
    fn target_namespace(&self, sql: &str, name: &RangeVar) -> Result<Oid> {
        match &name.schema {
            None => Ok(self.search_path.first().copied().unwrap_or(oid::PUBLIC_NAMESPACE)),
            Some(schema) => match binder::schema_oid(schema) {
                Some(oid::PUBLIC_NAMESPACE) => Ok(oid::PUBLIC_NAMESPACE),
                Some(_) => {
                    let message = format!("permission denied to create \"{}.{}\"", &**schema, &*name.name);
                    Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message)
                        .detail("System catalog modifications are currently disallowed."))
                }
                None => {
                    let message = format!("schema \"{}\" does not exist", &**schema);
                    Err(SqlError::new(SqlState::INVALID_SCHEMA_NAME, message).at(schema.pos.char_position(sql)))
                }
            },
        }
    }

    pub(crate) fn create_table(&mut self, sql: &str, create: &CreateTable, sink: &mut dyn Sink) -> Result<String> {
        let refuse = |what: &str| Err(SqlError::unsupported(what));
        if create.persistence != syntax::ast::Persistence::Permanent {
            return refuse("TEMPORARY or UNLOGGED");
        }
        if !create.inherits.is_empty() || create.partition_by.is_some() || create.partition_of.is_some() {
            return refuse("inheritance and partitioning");
        }
        if create.of_type.is_some() || create.tablespace.is_some() || !create.options.is_empty() {
            return refuse("OF, TABLESPACE and WITH on a table");
        }
        let namespace = self.target_namespace(sql, &create.relation)?;
        let name = create.relation.name.as_str();
        let image = self.image()?;
        if image.is_taken(namespace, name) {
            let error = SqlError::new(SqlState::DUPLICATE_TABLE, format!("relation \"{name}\" already exists"));
            if create.if_not_exists {
                let text = format!("relation \"{name}\" already exists, skipping");
                sink.notice(&SqlError::new(SqlState::DUPLICATE_TABLE, text).severity(types::error::Severity::Notice));
                return Ok("CREATE TABLE".to_owned());
            }
            return Err(error);
        }
        let (columns, uniques) = {
            let binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
            bind_elements(&binder, sql, create)?
        };
        self.catalog_dirty = true;
        let (db, table_oid) = (self.db.clone(), self.new_oid()?);
        let forms = columns.iter().map(|c| Physical::of(c.ty)).collect();
        let meta = RelMeta::new(RelId(table_oid.0), RelKind::Table, Persistence::Permanent, forms);
        let txn = self.txn_mut();
        db.create_relation(txn, meta)?;
        insert_class(&db, txn, table_oid, name, namespace, b'r', columns.len(), HEAP)?;
        for (i, c) in columns.iter().enumerate() {
            insert_attribute(&db, txn, table_oid, i, c)?;
        }
        let info = TableInfo {
            oid: table_oid,
            namespace,
            name: name.to_owned(),
            rel: RelId(table_oid.0),
            columns: Vec::new(),
            indexes: Vec::new(),
        };
        for unique in uniques {
            let columns_text: Vec<&str> = unique.columns.iter().map(|&c| &*columns[c].name).collect();
            let index_name = match unique.name {
                Some(name) => name,
                None if unique.primary => format!("{name}_pkey"),
                None => format!("{name}_{}_key", columns_text.join("_")),
            };
            self.new_index(&info, &index_name, &unique.columns, true, unique.primary)?;
        }
        Ok("CREATE TABLE".to_owned())
    }

    /// Makes an empty index and its catalog rows.
    fn new_index(
        &mut self,
        table: &TableInfo,
        name: &str,
        columns: &[usize],
        unique: bool,
        primary: bool,
    ) -> Result<RelId> {
        let (db, index) = (self.db.clone(), self.new_oid()?);
        let txn = self.txn_mut();
        let rel = RelId(index.0);
        db.create_relation(txn, RelMeta::new(rel, RelKind::Btree, Persistence::Permanent, Vec::new()))?;
        insert_class(&db, txn, index, name, table.namespace, b'i', columns.len(), BTREE)?;
        let keys: Vec<u32> = columns.iter().map(|&c| c as u32 + 1).collect();
        let zeros: Vec<u32> = vec![0; keys.len()];
        let values = [
            ("indexrelid", Datum::from(index)),
            ("indrelid", Datum::from(table.oid)),
            ("indnatts", Datum::I16(keys.len() as i16)),
            ("indnkeyatts", Datum::I16(keys.len() as i16)),
            ("indisunique", Datum::Bool(unique)),
            ("indisprimary", Datum::Bool(primary)),
            ("indimmediate", Datum::Bool(true)),
            ("indisvalid", Datum::Bool(true)),
            ("indisready", Datum::Bool(true)),
            ("indislive", Datum::Bool(true)),
            ("indkey", stored::vector(oid::INT2VECTOR, &keys)),
            ("indcollation", stored::vector(oid::OIDVECTOR, &zeros)),
            ("indclass", stored::vector(oid::OIDVECTOR, &zeros)),
            ("indoption", stored::vector(oid::INT2VECTOR, &zeros)),
        ];
        stored::insert(&db, txn, PG_INDEX, &values)?;
        Ok(rel)
    }

    pub(crate) fn create_index(&mut self, sql: &str, create: &CreateIndex, sink: &mut dyn Sink) -> Result<String> {
        let refuse = |what: &str, pos: Pos| Err(SqlError::unsupported(what).at(pos.char_position(sql)));
        if create.concurrently || create.where_clause.is_some() || !create.including.is_empty() {
            return refuse("CONCURRENTLY, WHERE and INCLUDE on an index", create.pos);
        }
        if &*create.access_method != "btree" || !create.options.is_empty() || create.nulls_not_distinct {
            return refuse("this kind of index", create.pos);
        }
        let image = self.image()?;
        let table = {
            let binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
            binder.table(&create.relation)?
        };
        let mut columns = Vec::new();
        for element in &create.elements {
            let IndexKey::Column(name) = &element.key else {
                return refuse("an index on an expression", element.pos);
            };
            if element.descending == Some(true) || !element.opclass.is_empty() || !element.collation.is_empty() {
                return refuse("DESC, COLLATE and operator classes of an index", element.pos);
            }
            let found = table.columns.iter().position(|c| c.0 == **name).ok_or_else(|| {
                let message = format!("column \"{}\" does not exist", &**name);
                SqlError::new(SqlState::UNDEFINED_COLUMN, message).at(name.pos.char_position(sql))
            })?;
            columns.push(found);
        }
        let names: Vec<&str> = columns.iter().map(|&c| &*table.columns[c].0).collect();
        let name = match &create.name {
            Some(name) => name.as_str().to_owned(),
            None => format!("{}_{}_idx", table.name, names.join("_")),
        };
        let namespace = binder::schema_oid(&table.schema).unwrap_or(oid::PUBLIC_NAMESPACE);
        if image.is_taken(namespace, &name) {
            if create.if_not_exists {
                let text = format!("relation \"{name}\" already exists, skipping");
                sink.notice(&SqlError::new(SqlState::DUPLICATE_TABLE, text).severity(types::error::Severity::Notice));
                return Ok("CREATE INDEX".to_owned());
            }
            return Err(SqlError::new(SqlState::DUPLICATE_TABLE, format!("relation \"{name}\" already exists")));
        }
        let info = image
            .table(namespace, &table.name)
            .ok_or_else(|| SqlError::internal("the table was just bound"))?
            .as_ref()
            .clone();
        let db = self.db.clone();
        self.txn_mut().lock(Tag::Relation(db.id, info.oid.0), Mode::Share, WaitPolicy::Wait(0))?;
        self.catalog_dirty = true;
        let rel = self.new_index(&info, &name, &columns, create.unique, false)?;
        // Existing rows get their entries as if they were inserted now.
        let mut with_index = table.clone();
        with_index.indexes = vec![plan::IndexKey {
            name,
            rel,
            columns: columns.iter().map(|&c| (c, false)).collect(),
            unique: create.unique,
        }];
        let storage = Table::new(db.clone(), db.relation(info.rel)?);
        let settings = self.settings.io.clone();
        let statement_bytes = self.runtime.options.statement_bytes;
        let txn = self.txn_mut();
        txn.next_command();
        txn.writer()?;
        let snapshot = txn.snapshot();
        let mut ctx = exec::Context {
            db: &db,
            txn,
            snapshot: snapshot.clone(),
            fixed_snapshot: false,
            params: &[],
            settings: &settings,
            account: exec::Account::new(statement_bytes),
            affected: 0,
        };
        storage.for_each::<SqlError>(&snapshot, |row, values| {
            ctx.check_interrupts()?;
            exec::add_entries(&mut ctx, &storage, &with_index, row, &values, None)
        })?;
        Ok("CREATE INDEX".to_owned())
    }

    pub(crate) fn drop_objects(&mut self, sql: &str, drop: &DropStatement, sink: &mut dyn Sink) -> Result<String> {
        if drop.kind != ObjectKind::Table {
            return Err(SqlError::unsupported(format!("DROP {}", drop.kind.as_str())));
        }
        if drop.behavior == DropBehavior::Cascade {
            return Err(SqlError::unsupported("CASCADE"));
        }
        for object in &drop.objects {
            let ObjectName::Name(names) = object else { return Err(SqlError::unsupported("this kind of name")) };
            let Some(name) = names.last() else { continue };
            let schema = names.len().checked_sub(2).map(|i| names[i].clone());
            let range = RangeVar { catalog: None, schema, name: name.clone(), only: false, pos: name.pos };
            let namespace = self.target_namespace(sql, &range)?;
            let image = self.image()?;
            let Some(info) = image.table(namespace, name).cloned() else {
                if drop.if_exists {
                    let text = format!("table \"{}\" does not exist, skipping", &**name);
                    sink.notice(
                        &SqlError::new(SqlState::UNDEFINED_TABLE, text).severity(types::error::Severity::Notice),
                    );
                    continue;
                }
                let message = format!("table \"{}\" does not exist", &**name);
                return Err(SqlError::new(SqlState::UNDEFINED_TABLE, message));
            };
            self.catalog_dirty = true;
            let db = self.db.clone();
            let txn = self.txn_mut();
            txn.lock(Tag::Relation(db.id, info.oid.0), Mode::AccessExclusive, WaitPolicy::Wait(0))?;
            txn.next_command();
            for index in &info.indexes {
                db.drop_relation(txn, &db.relation(index.rel)?)?;
                stored::delete(&db, txn, PG_INDEX, "indexrelid", &Datum::from(index.oid))?;
                stored::delete(&db, txn, PG_CLASS, "oid", &Datum::from(index.oid))?;
            }
            db.drop_relation(txn, &db.relation(info.rel)?)?;
            stored::delete(&db, txn, PG_ATTRIBUTE, "attrelid", &Datum::from(info.oid))?;
            stored::delete(&db, txn, PG_CLASS, "oid", &Datum::from(info.oid))?;
        }
        Ok("DROP TABLE".to_owned())
    }
}

#[allow(clippy::too_many_arguments, reason = "each is a column")]
fn insert_class(
    db: &std::sync::Arc<storage::Database>,
    txn: &mut Transaction,
    oid: Oid,
    name: &str,
    namespace: Oid,
    kind: u8,
    columns: usize,
    access_method: Oid,
) -> Result<()> {
    let values = [
        ("oid", Datum::from(oid)),
        ("relname", Datum::text(name)),
        ("relnamespace", Datum::from(namespace)),
        ("relowner", Datum::from(oid::BOOTSTRAP_SUPERUSER)),
        ("relam", Datum::from(access_method)),
        ("relfilenode", Datum::from(oid)),
        ("relkind", Datum::I8(kind as i8)),
        ("relpersistence", Datum::I8(b'p' as i8)),
        ("relreplident", Datum::I8(if kind == b'i' { b'n' } else { b'd' } as i8)),
        ("relnatts", Datum::I16(columns as i16)),
        ("reltuples", Datum::F32(-1.0)),
        ("relispopulated", Datum::Bool(true)),
    ];
    stored::insert(db, txn, PG_CLASS, &values)
}

fn insert_attribute(
    db: &std::sync::Arc<storage::Database>,
    txn: &mut Transaction,
    table: Oid,
    index: usize,
    column: &NewColumn,
) -> Result<()> {
    let ty = catalog::builtin::type_by_oid(column.ty).ok_or_else(|| SqlError::internal("the type was just bound"))?;
    let values = [
        ("attrelid", Datum::from(table)),
        ("attname", Datum::text(&column.name)),
        ("atttypid", Datum::from(column.ty)),
        ("attlen", Datum::I16(ty.len)),
        ("attnum", Datum::I16(index as i16 + 1)),
        ("atttypmod", Datum::I32(column.typmod)),
        ("attbyval", Datum::Bool(ty.by_value)),
        ("attalign", Datum::I8(ty.align as i8)),
        ("attstorage", Datum::I8(ty.storage as i8)),
        ("attnotnull", Datum::Bool(column.not_null)),
        ("attislocal", Datum::Bool(true)),
        ("attcollation", Datum::from(ty.collation)),
    ];
    stored::insert(db, txn, PG_ATTRIBUTE, &values)
}

fn bind_elements(
    binder: &binder::Binder<'_>,
    sql: &str,
    create: &CreateTable,
) -> Result<(Vec<NewColumn>, Vec<NewUnique>)> {
    let mut columns: Vec<NewColumn> = Vec::new();
    let mut constraints: Vec<(&Constraint, Option<usize>)> = Vec::new();
    for element in &create.elements {
        match element {
            TableElement::Column(def) => {
                let column = bind_column(binder, sql, def)?;
                if columns.iter().any(|c| c.name == column.name) {
                    let message = format!("column \"{}\" specified more than once", column.name);
                    return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
                }
                constraints.extend(def.constraints.iter().map(|c| (c, Some(columns.len()))));
                columns.push(column);
            }
            TableElement::Constraint(c) => constraints.push((c, None)),
            TableElement::Like(_) => return Err(SqlError::unsupported("LIKE in CREATE TABLE")),
        }
    }
    let mut uniques: Vec<NewUnique> = Vec::new();
    for (constraint, own) in constraints {
        let refuse = |what: &str| Err(SqlError::unsupported(what).at(constraint.pos.char_position(sql)));
        if constraint.deferrable {
            return refuse("DEFERRABLE");
        }
        let (list, primary) = match &constraint.kind {
            ConstraintKind::Null => continue,
            ConstraintKind::NotNull(of) => {
                let index = match (own, of) {
                    (Some(i), _) => i,
                    (None, Some(name)) => find_column(&columns, name, constraint, sql)?,
                    (None, None) => continue,
                };
                columns[index].not_null = true;
                continue;
            }
            ConstraintKind::PrimaryKey(list) => (list, true),
            ConstraintKind::Unique(list) => (list, false),
            ConstraintKind::Default(_) => return refuse("DEFAULT"),
            ConstraintKind::Check(_) => return refuse("CHECK"),
            ConstraintKind::ForeignKey(_) => return refuse("FOREIGN KEY"),
            ConstraintKind::Generated { .. } => return refuse("GENERATED"),
            ConstraintKind::Identity { .. } => return refuse("IDENTITY"),
            ConstraintKind::Exclude(_) => return refuse("EXCLUDE"),
        };
        if !list.including.is_empty() || list.nulls_not_distinct || list.without_overlaps || !list.options.is_empty() {
            return refuse("options of a unique constraint");
        }
        let key = match own {
            Some(i) => vec![i],
            None => list
                .columns
                .iter()
                .map(|name| find_column(&columns, name, constraint, sql))
                .collect::<Result<Vec<_>>>()?,
        };
        if primary {
            if uniques.iter().any(|u| u.primary) {
                let message = format!("multiple primary keys for table \"{}\" are not allowed", &*create.relation.name);
                return Err(
                    SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message).at(constraint.pos.char_position(sql))
                );
            }
            key.iter().for_each(|&i| columns[i].not_null = true);
        }
        let name = constraint.name.as_ref().map(|n| n.as_str().to_owned());
        uniques.push(NewUnique { name, columns: key, primary });
    }
    Ok((columns, uniques))
}

fn find_column(columns: &[NewColumn], name: &str, constraint: &Constraint, sql: &str) -> Result<usize> {
    columns.iter().position(|c| c.name == name).ok_or_else(|| {
        SqlError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{name}\" named in key does not exist"))
            .at(constraint.pos.char_position(sql))
    })
}

fn bind_column(binder: &binder::Binder<'_>, sql: &str, def: &ColumnDef) -> Result<NewColumn> {
    let Some(ty) = &def.ty else { return Err(SqlError::unsupported("a column without a type")) };
    if def.collation.is_some() || def.storage.is_some() || def.compression.is_some() {
        return Err(SqlError::unsupported("COLLATE, STORAGE and COMPRESSION of a column"));
    }
    let serial = ["serial", "serial4", "bigserial", "serial8", "smallserial", "serial2"];
    if ty.names.last().is_some_and(|n| serial.contains(&&**n)) {
        return Err(SqlError::unsupported("serial").at(ty.pos.char_position(sql)));
    }
    let (ty, typmod) = binder::bind_column_type(binder, ty)?;
    Ok(NewColumn { name: def.name.as_str().to_owned(), ty, typmod, not_null: false })
}
