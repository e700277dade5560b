//! CREATE INDEX, and filling indexes.

use catalog::stored::{self, PG_CLASS, PG_INDEX};
use exec::Handles;
use storage::btree::Btree;
use storage::lock::Mode;
use storage::{RelId, RelKind, RelMeta, RowId};
use syntax::ast::{CreateIndex, IndexKey, NullsOrder};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use super::depend::Address;
use super::table::check_options;
use super::temporary::stored_as;
use super::{BTREE, NewClass, names, refuse};
use crate::session::{Session, Sink};

/// Entries that are sorted at a time.
const RUN_ENTRIES: usize = 4 << 20;

/// An index to be made.
pub struct NewIndex {
    pub name: String,
    /// Columns, each with whether it falls and whether NULLs come first.
    pub columns: Vec<(usize, bool, bool)>,
    pub unique: bool,
    pub primary: bool,
    pub nulls_not_distinct: bool,
}

impl Session {
    pub(crate) fn create_index(&mut self, sql: &str, create: &CreateIndex, sink: &mut dyn Sink) -> Result<String> {
        if create.where_clause.is_some() || !create.including.is_empty() {
            return refuse("WHERE and INCLUDE on an index", create.pos, sql);
        }
        if create.concurrently {
            return refuse("CREATE INDEX CONCURRENTLY", create.pos, sql);
        }
        if &*create.access_method != "btree" {
            let known = ["hash", "gist", "gin", "spgist", "brin"].contains(&&*create.access_method);
            if !known {
                let message = format!("access method \"{}\" does not exist", &*create.access_method);
                return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
            }
            return refuse(&format!("access method {}", &*create.access_method), create.pos, sql);
        }
        check_options(&create.options, sql, 10)?;
        let info = self.relation(sql, &create.relation, Mode::Share)?;
        if !matches!(info.kind, b'r' | b'm') {
            let kind = super::drop::relation_kind(info.kind);
            let message = format!("cannot create index on relation \"{}\"", info.name);
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message)
                .detail(format!("This operation is not supported for {kind}s.")));
        }
        self.check_owner(&info)?;
        let mut columns = Vec::new();
        for element in &create.elements {
            let IndexKey::Column(name) = &element.key else {
                return refuse("an index on an expression", element.pos, sql);
            };
            let opclass = element.opclass.last().map_or("", |n| &**n);
            let collation = element.collation.last().map_or("", |n| &**n);
            let bytes = ["", "C", "POSIX", "default", "ucs_basic"];
            if !bytes.contains(&collation) {
                return refuse(&format!("collation \"{collation}\""), element.pos, sql);
            }
            // Byte order is what these classes ask for, and what there is.
            let patterns = ["text_pattern_ops", "varchar_pattern_ops", "bpchar_pattern_ops"];
            if !opclass.is_empty() && !opclass.ends_with("_ops") || !element.opclass_options.is_empty() {
                return refuse("options of an operator class", element.pos, sql);
            }
            if !opclass.is_empty() && !patterns.contains(&opclass) {
                return refuse(&format!("operator class \"{opclass}\""), element.pos, sql);
            }
            let found = info.columns.iter().position(|c| c.name == **name).ok_or_else(|| {
                let message = format!("column \"{}\" does not exist", &**name);
                SqlError::new(SqlState::UNDEFINED_COLUMN, message).at(name.pos.char_position(sql))
            })?;
            let descending = element.descending == Some(true);
            let nulls_first = match element.nulls {
                NullsOrder::Default => descending,
                NullsOrder::First => true,
                NullsOrder::Last => false,
            };
            columns.push((found, descending, nulls_first));
        }
        let names_text: Vec<&str> = columns.iter().map(|c| &*info.columns[c.0].name).collect();
        let name = match &create.name {
            Some(name) => name.as_str().to_owned(),
            None => {
                names::for_relation(&*self.image()?, info.namespace, &info.name, &names::columns(&names_text), "idx")
            }
        };
        if !self.claim_name(info.namespace, &name, create.if_not_exists, sink)? {
            return Ok("CREATE INDEX".to_owned());
        }
        let spec = NewIndex {
            name,
            columns,
            unique: create.unique,
            primary: false,
            nulls_not_distinct: create.nulls_not_distinct,
        };
        self.make_index(info.oid, &spec)?;
        Ok("CREATE INDEX".to_owned())
    }

    /// Makes an index, its catalog rows and its entries; its OID.
    pub(super) fn make_index(&mut self, table: Oid, spec: &NewIndex) -> Result<Oid> {
        let (info, image) = (self.info(table)?, self.image()?);
        for &(column, ..) in &spec.columns {
            let ty = image.base_type(info.columns[column].ty).0;
            let mut key = Vec::new();
            if types::sortkey::encode_key(&mut key, ty, &Datum::Null, false, false).is_err()
                || catalog::builtin::default_opclass(BTREE, binary_base(ty)).is_none()
            {
                return Err(no_class(ty));
            }
        }
        let (db, index) = (self.db.clone(), self.new_oid()?);
        let meta = RelMeta::new(RelId(index.0), RelKind::Btree, stored_as(info.persistence), Vec::new());
        db.create_relation(self.txn_mut(), meta)?;
        let class = NewClass {
            oid: index,
            name: &spec.name,
            namespace: info.namespace,
            owner: info.owner,
            kind: b'i',
            columns: spec.columns.len(),
            access_method: BTREE,
            persistence: info.persistence,
        };
        self.add_class(&class)?;
        let keys: Vec<u32> = spec.columns.iter().map(|c| c.0 as u32 + 1).collect();
        let options: Vec<u32> = spec.columns.iter().map(|c| u32::from(c.1) | u32::from(c.2) << 1).collect();
        let (classes, collations) = self.index_classes(table, &spec.columns)?;
        let values = [
            ("indexrelid", Datum::from(index)),
            ("indrelid", Datum::from(table)),
            ("indnatts", Datum::I16(keys.len() as i16)),
            ("indnkeyatts", Datum::I16(keys.len() as i16)),
            ("indisunique", Datum::Bool(spec.unique)),
            ("indnullsnotdistinct", Datum::Bool(spec.nulls_not_distinct)),
            ("indisprimary", Datum::Bool(spec.primary)),
            ("indimmediate", Datum::Bool(true)),
            ("indisvalid", Datum::Bool(true)),
            ("indisready", Datum::Bool(true)),
            ("indislive", Datum::Bool(true)),
            ("indkey", stored::numbers(oid::INT2VECTOR, &keys)),
            ("indcollation", stored::numbers(oid::OIDVECTOR, &collations)),
            ("indclass", stored::numbers(oid::OIDVECTOR, &classes)),
            ("indoption", stored::numbers(oid::INT2VECTOR, &options)),
        ];
        self.add_row(PG_INDEX, &values)?;
        for (place, &(column, ..)) in spec.columns.iter().enumerate() {
            self.add_index_attribute(index, place, &info.columns[column].clone())?;
        }
        for &(column, ..) in &spec.columns {
            self.depend(Address::relation(index), Address::column(table, column), b'a')?;
        }
        self.fill_index(table, index)?;
        self.change_rows(PG_CLASS, |r| r.oid("oid") == table, &[("relhasindex", Datum::Bool(true))])?;
        Ok(index)
    }

    /// Operator classes and collations of the columns of an index.
    pub(super) fn index_classes(
        &mut self,
        table: Oid,
        columns: &[(usize, bool, bool)],
    ) -> Result<(Vec<u32>, Vec<u32>)> {
        let (info, image) = (self.info(table)?, self.image()?);
        let types: Vec<Oid> = columns.iter().map(|c| image.base_type(info.columns[c.0].ty).0).collect();
        let class = |&ty: &Oid| {
            let class = catalog::builtin::default_opclass(BTREE, binary_base(ty)).map(|o| o.oid.0);
            class.ok_or_else(|| no_class(ty))
        };
        let collation = |ty: &Oid| catalog::builtin::type_by_oid(*ty).map_or(0, |t| t.collation.0);
        Ok((types.iter().map(class).collect::<Result<Vec<_>>>()?, types.iter().map(collation).collect()))
    }

    /// Adds the row of `pg_attribute` for column `place` of an index.
    fn add_index_attribute(&mut self, index: Oid, place: usize, column: &catalog::ColumnInfo) -> Result<()> {
        let Some(ty) = catalog::builtin::type_by_oid(column.ty) else { return Ok(()) };
        let values = [
            ("attrelid", Datum::from(index)),
            ("attname", Datum::text(&column.name)),
            ("atttypid", Datum::from(column.ty)),
            ("attlen", Datum::I16(ty.len)),
            ("attnum", Datum::I16(place as i16 + 1)),
            ("atttypmod", Datum::I32(column.typmod)),
            ("attndims", Datum::I16(i16::from(ty.category == b'A'))),
            ("attbyval", Datum::Bool(ty.by_value)),
            ("attalign", Datum::I8(ty.align.cast_signed())),
            ("attstorage", Datum::I8(ty.storage.cast_signed())),
            ("attislocal", Datum::Bool(true)),
            ("attcollation", Datum::from(ty.collation)),
        ];
        self.add_row(stored::PG_ATTRIBUTE, &values)
    }

    /// Puts an entry for every row of the table into a new index: sorted, run by run.
    pub(super) fn fill_index(&mut self, table: Oid, index: Oid) -> Result<()> {
        let mut planned = self.plan_table(table)?;
        planned.indexes.retain(|i| i.oid == index);
        let Some(key) = planned.indexes.first().cloned() else {
            return Err(SqlError::internal("a new index is in the catalog"));
        };
        let mut execution = self.with_latest(|s| s.execution(true))?;
        self.with_context(&mut execution, &[], |ctx| {
            let mut handles = Handles::open(ctx, &planned)?;
            let (storage, tree) = (handles.storage.clone(), Btree::new(ctx.db.clone(), ctx.db.relation(key.rel)?));
            let snapshot = ctx.snapshot;
            let mut run = Run::default();
            let mut runs = 0;
            let mut encoded = Vec::new();
            let mut flush = |run: &mut Run, last: bool, ctx: &mut exec::Context<'_>| -> Result<()> {
                runs += 1;
                run.sort();
                // When all entries are in one run, equal neighbours are all the duplicates there can be.
                let single = runs == 1 && last;
                for i in 0..run.entries.len() {
                    if i % 1024 == 0 {
                        ctx.check_interrupts()?;
                    }
                    let (bytes, row, null) = run.get(i);
                    if key.unique && !null {
                        if i > 0 && run.get(i - 1).0 == bytes {
                            return Err(duplicate(&storage, &planned, &key, row, snapshot, ctx));
                        }
                        if !single {
                            let found = exec::find_key(ctx, &storage, &tree, &planned, &key, bytes, Some(row))?;
                            if found.is_some() {
                                return Err(duplicate(&storage, &planned, &key, row, snapshot, ctx));
                            }
                        }
                    }
                    tree.insert(bytes, row)?;
                }
                run.clear();
                Ok(())
            };
            storage.for_each::<SqlError>(snapshot, |row, values| {
                exec::encode_key(&mut encoded, &planned, &key, &|c| values[c].clone(), ctx)?;
                let null = !key.nulls_not_distinct && key.columns.iter().any(|k| values[k.0].is_null());
                run.push(&encoded, row, null);
                if run.entries.len() >= RUN_ENTRIES {
                    flush(&mut run, false, ctx)?;
                }
                Ok(())
            })?;
            flush(&mut run, true, ctx)?;
            // Snapshots from before must find older versions through the index too; once they are gone, the entries go.
            storage.for_each_older::<SqlError>(|row, values| {
                exec::encode_key(&mut encoded, &planned, &key, &|c| values[c].clone(), ctx)?;
                if !tree.insert(&encoded, row)? {
                    ctx.txn.note_obsolete(ctx.db, tree.rel(), &encoded, row, true);
                }
                Ok(())
            })?;
            handles.keys.0.clear();
            Ok(())
        })
    }
}

/// Entries to be sorted: keys end to end.
#[derive(Default)]
struct Run {
    bytes: Vec<u8>,
    entries: Vec<(usize, u32, RowId, bool)>,
}

impl Run {
    fn push(&mut self, key: &[u8], row: RowId, null: bool) {
        self.entries.push((self.bytes.len(), key.len() as u32, row, null));
        self.bytes.extend_from_slice(key);
    }

    fn get(&self, i: usize) -> (&[u8], RowId, bool) {
        let (at, len, row, null) = self.entries[i];
        (&self.bytes[at..at + len as usize], row, null)
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        self.entries.sort_unstable_by(|a, b| {
            let key = |e: &(usize, u32, RowId, bool)| &bytes[e.0..e.0 + e.1 as usize];
            key(a).cmp(key(b)).then(a.2.to_u64().cmp(&b.2.to_u64()))
        });
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }
}

fn duplicate(
    storage: &storage::table::Table,
    table: &plan::TableRef,
    key: &plan::IndexKey,
    row: RowId,
    snapshot: &storage::txn::Snapshot,
    ctx: &exec::Context<'_>,
) -> SqlError {
    let error = SqlError::new(SqlState::UNIQUE_VIOLATION, format!("could not create unique index \"{}\"", key.name));
    let Ok(Some(values)) = storage.read_datums(row, snapshot) else { return error };
    let columns: Vec<usize> = key.columns.iter().map(|k| k.0).collect();
    let shown = exec::shown_key(table, &columns, &|c| values[c].clone(), ctx);
    error.detail(format!("Key {shown} is duplicated.")).constraint(&table.schema, &table.name, &key.name)
}

fn no_class(ty: Oid) -> SqlError {
    let name = binder::format_type(ty);
    let message = format!("data type {name} has no default operator class for access method \"btree\"");
    SqlError::new(SqlState::UNDEFINED_OBJECT, message)
        .hint("You must specify an operator class for the index or define a default operator class for the data type.")
}

/// The type whose operator class serves `ty`.
fn binary_base(ty: Oid) -> Oid {
    match ty {
        oid::VARCHAR => oid::TEXT,
        ty if ty.user_kind() == Some(types::oid::UserType::Enum) => oid::ANYENUM,
        ty if catalog::builtin::type_by_oid(ty).is_some_and(|t| t.kind == b'c') => oid::RECORD,
        ty if catalog::builtin::type_by_oid(ty).is_some_and(|t| t.category == b'A') => Oid(2277),
        ty => ty,
    }
}
