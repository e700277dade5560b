//! CREATE INDEX.

mod fill;

use binder::Binder;
use catalog::stored::{self, PG_CLASS, PG_INDEX};
use catalog::{Fields, TableInfo};
use plan::TableRef;
use storage::lock::{Mode, Tag};
use storage::{RelId, RelKind, RelMeta};
use syntax::ast::{CreateIndex, IndexElement, IndexKey, NullsOrder};
use types::{Datum, Oid, Physical, Result, SqlError, SqlState, oid};

use super::depend::Address;
use super::storage_option::{Of, check_options};
use super::temporary::stored_as;
use super::{BTREE, HASH, NewClass, names, refuse};
use crate::session::{BlockState, Session, Sink};

/// A column of an index to be made.
#[derive(Clone)]
pub struct NewKey {
    /// A column of the table, or an expression as it is kept.
    pub source: KeySource,
    pub ty: Oid,
    pub typmod: i32,
    /// What it is called as a column of the index.
    pub name: String,
    pub descending: bool,
    pub nulls_first: bool,
    /// Its operator class, when it was named.
    pub class: Option<Oid>,
    /// Its collation, when it was named.
    pub collation: Option<Oid>,
}

/// What a column of an index is.
#[derive(Clone)]
pub enum KeySource {
    Column(usize),
    Expression(String),
}

impl NewKey {
    /// An expression, as it is where nothing more is said.
    pub fn expression(bound: binder::IndexExpression) -> NewKey {
        NewKey {
            source: KeySource::Expression(bound.text),
            ty: bound.ty,
            typmod: bound.typmod,
            name: bound.name,
            descending: false,
            nulls_first: false,
            class: None,
            collation: None,
        }
    }

    /// Column `index` of a table, rising.
    pub fn column(info: &TableInfo, index: usize) -> NewKey {
        let column = &info.columns[index];
        NewKey {
            source: KeySource::Column(index),
            ty: column.ty,
            typmod: column.typmod,
            name: column.name.clone(),
            descending: false,
            nulls_first: false,
            class: None,
            collation: None,
        }
    }
}

/// An index to be made.
pub struct NewIndex {
    pub name: String,
    pub method: Oid,
    pub keys: Vec<NewKey>,
    /// Columns that it only carries.
    pub include: Vec<usize>,
    /// Which rows it lists.
    pub predicate: Option<String>,
    /// Columns that its expressions and its condition read.
    pub reads: Vec<usize>,
    pub unique: bool,
    pub primary: bool,
    pub nulls_not_distinct: bool,
    /// Not when it is of a deferrable constraint.
    pub immediate: bool,
}

impl NewIndex {
    /// A B-tree over `keys`.
    pub fn btree(name: String, keys: Vec<NewKey>) -> NewIndex {
        NewIndex {
            name,
            method: BTREE,
            keys,
            include: Vec::new(),
            predicate: None,
            reads: Vec::new(),
            unique: false,
            primary: false,
            nulls_not_distinct: false,
            immediate: true,
        }
    }
}

fn refused(text: &str, state: SqlState) -> SqlError {
    SqlError::new(state, text)
}

/// Names of index columns: each one once.
pub fn distinct_names(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in names {
        let free = |n: &String| !all.contains(n);
        let chosen = match free(&name) {
            true => name,
            false => (1..).map(|i| names::joined_number(&name, i)).find(free).unwrap_or(name),
        };
        all.push(chosen);
    }
    all
}

/// The OID of a collation that orders as bytes do.
fn collation_of(name: &str) -> Option<Oid> {
    Some(match name {
        "default" => oid::DEFAULT_COLLATION,
        "C" => oid::C_COLLATION,
        "POSIX" => Oid(951),
        "ucs_basic" => Oid(962),
        _ => return None,
    })
}

impl Session {
    pub(crate) fn create_index(&mut self, sql: &str, create: &CreateIndex, sink: &mut dyn Sink) -> Result<String> {
        let method = match &*create.access_method {
            "btree" => BTREE,
            "hash" => HASH,
            known @ ("gist" | "gin" | "spgist" | "brin") => {
                return refuse(&format!("access method {known}"), create.pos, sql);
            }
            other => {
                let message = format!("access method \"{other}\" does not exist");
                return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
            }
        };
        if create.concurrently && self.block_state() != BlockState::Idle {
            let message = "CREATE INDEX CONCURRENTLY cannot run inside a transaction block";
            return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
        }
        if create.tablespace.as_ref().is_some_and(|t| &**t != "pg_default") {
            return refuse("tablespaces", create.pos, sql);
        }
        let options = check_options(&create.options, sql, if method == HASH { Of::Hash } else { Of::Btree })?;
        let info = self.relation(sql, &create.relation, Mode::Share)?;
        if !matches!(info.kind, b'r' | b'm') {
            let kind = super::drop::relation_kind(info.kind);
            let message = format!("cannot create index on relation \"{}\"", info.name);
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message)
                .detail(format!("This operation is not supported for {kind}s.")));
        }
        self.check_owner(&info)?;
        if method == HASH {
            check_hash(create)?;
        }
        let mut reads = Vec::new();
        let mut keys = Vec::new();
        for element in &create.elements {
            keys.push(self.index_element(sql, &info, element, method, &mut reads)?);
        }
        let mut include = Vec::new();
        for element in &create.including {
            include.push(included_column(&info, element)?);
        }
        let predicate = match &create.where_clause {
            Some(e) => {
                let (image, planned) = (self.image()?, self.plan_table(info.oid)?);
                let mut binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
                let bound = binder.index_predicate(e, &planned)?;
                reads.extend(&bound.columns);
                Some(bound.text)
            }
            None => None,
        };
        let carried = include.iter().map(|&c| info.columns[c].name.clone());
        let distinct = distinct_names(keys.iter().map(|k| k.name.clone()).chain(carried));
        let names_text: Vec<&str> = distinct.iter().map(|n| &**n).collect();
        keys.iter_mut().zip(&distinct).for_each(|(k, n)| k.name.clone_from(n));
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
            method,
            include,
            predicate,
            reads,
            unique: create.unique,
            nulls_not_distinct: create.nulls_not_distinct,
            ..NewIndex::btree(name, keys)
        };
        let index = self.make_index(info.oid, &spec)?;
        self.keep_options(index, &options)?;
        Ok("CREATE INDEX".to_owned())
    }

    /// What an element of CREATE INDEX is; the columns that an expression reads are added to `reads`.
    fn index_element(
        &mut self,
        sql: &str,
        info: &TableInfo,
        element: &IndexElement,
        method: Oid,
        reads: &mut Vec<usize>,
    ) -> Result<NewKey> {
        if !element.opclass_options.is_empty() {
            return refuse("options of an operator class", element.pos, sql);
        }
        let mut key = match &element.key {
            IndexKey::Column(name) => NewKey::column(info, indexed_column(info, name)?),
            IndexKey::Expr(e) => {
                let (image, planned) = (self.image()?, self.plan_table(info.oid)?);
                let mut binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
                let bound = binder.index_expression(e, &planned)?;
                // A column in parentheses is a column.
                match &e.kind {
                    syntax::ast::ExprKind::Column(_) => NewKey::column(info, bound.columns[0]),
                    _ => {
                        reads.extend(&bound.columns);
                        NewKey::expression(bound)
                    }
                }
            }
        };
        key.descending = element.descending == Some(true);
        key.nulls_first = match element.nulls {
            NullsOrder::Default => key.descending,
            NullsOrder::First => true,
            NullsOrder::Last => false,
        };
        if let Some(name) = element.collation.last() {
            let Some(collation) = collation_of(name) else {
                return refuse(&format!("collation \"{}\"", &**name), element.pos, sql);
            };
            if type_collation(key.ty) == 0 {
                let message = format!("collations are not supported by type {}", binder::format_type(key.ty));
                return Err(refused(&message, SqlState::DATATYPE_MISMATCH));
            }
            key.collation = Some(collation);
        }
        if let Some(name) = element.opclass.last() {
            key.class = Some(named_class(name, method, key.ty)?);
        }
        Ok(key)
    }

    /// Makes an index, its catalog rows and its entries; its OID.
    pub(super) fn make_index(&mut self, table: Oid, spec: &NewIndex) -> Result<Oid> {
        let (info, image) = (self.info(table)?, self.image()?);
        let mut classes = Vec::new();
        for key in &spec.keys {
            let mut encoded = Vec::new();
            let ty = image.base_type(key.ty).0;
            let class = key.class.or_else(|| default_class(spec.method, ty));
            match class {
                Some(class) if types::sortkey::encode_key(&mut encoded, ty, &Datum::Null, false, false).is_ok() => {
                    classes.push(class.0);
                }
                _ => return Err(no_class(key.ty, spec.method)),
            }
        }
        let (db, index) = (self.db.clone(), self.new_oid()?);
        let carried = carried_forms(&info, &spec.include);
        let meta = RelMeta::new(RelId(index.0), RelKind::Btree, stored_as(info.persistence), carried);
        db.create_relation(self.txn_mut(), meta)?;
        let class = NewClass {
            oid: index,
            name: &spec.name,
            namespace: info.namespace,
            owner: info.owner,
            kind: b'i',
            columns: spec.keys.len() + spec.include.len(),
            access_method: spec.method,
            persistence: info.persistence,
        };
        self.add_class(&class)?;
        let number = |k: &NewKey| match k.source {
            KeySource::Column(c) => c as u32 + 1,
            KeySource::Expression(_) => 0,
        };
        let numbers: Vec<u32> =
            spec.keys.iter().map(number).chain(spec.include.iter().map(|&c| c as u32 + 1)).collect();
        let options: Vec<u32> =
            spec.keys.iter().map(|k| u32::from(k.descending) | u32::from(k.nulls_first) << 1).collect();
        let collations: Vec<u32> =
            spec.keys.iter().map(|k| k.collation.map_or_else(|| type_collation(k.ty), |c| c.0)).collect();
        let mut values = vec![
            ("indexrelid", Datum::from(index)),
            ("indrelid", Datum::from(table)),
            ("indnatts", Datum::I16(numbers.len() as i16)),
            ("indnkeyatts", Datum::I16(spec.keys.len() as i16)),
            ("indisunique", Datum::Bool(spec.unique)),
            ("indnullsnotdistinct", Datum::Bool(spec.nulls_not_distinct)),
            ("indisprimary", Datum::Bool(spec.primary)),
            ("indimmediate", Datum::Bool(spec.immediate)),
            ("indisvalid", Datum::Bool(true)),
            ("indisready", Datum::Bool(true)),
            ("indislive", Datum::Bool(true)),
            ("indkey", stored::numbers(oid::INT2VECTOR, &numbers)),
            ("indcollation", stored::numbers(oid::OIDVECTOR, &collations)),
            ("indclass", stored::numbers(oid::OIDVECTOR, &classes)),
            ("indoption", stored::numbers(oid::INT2VECTOR, &options)),
        ];
        let expressions: Vec<&str> = spec
            .keys
            .iter()
            .filter_map(|k| match &k.source {
                KeySource::Expression(text) => Some(&**text),
                KeySource::Column(_) => None,
            })
            .collect();
        if !expressions.is_empty() {
            values.push(("indexprs", Datum::text(&expressions.join(&catalog::EXPRESSION_SEPARATOR.to_string()))));
        }
        if let Some(predicate) = &spec.predicate {
            values.push(("indpred", Datum::text(predicate)));
        }
        self.add_row(PG_INDEX, &values)?;
        for (place, key) in spec.keys.iter().enumerate() {
            self.add_index_attribute(index, place, &key.name, key.ty, key.typmod)?;
        }
        for (i, &column) in spec.include.iter().enumerate() {
            let c = info.columns[column].clone();
            self.add_index_attribute(index, spec.keys.len() + i, &c.name, c.ty, c.typmod)?;
        }
        let keys = spec.keys.iter().filter_map(|k| match k.source {
            KeySource::Column(c) => Some(c),
            KeySource::Expression(_) => None,
        });
        let mut on: Vec<usize> = keys.chain(spec.include.iter().copied()).chain(spec.reads.iter().copied()).collect();
        on.sort_unstable();
        on.dedup();
        for &column in &on {
            self.depend(Address::relation(index), Address::column(table, column), b'a')?;
        }
        if on.is_empty() || !expressions.is_empty() || spec.predicate.is_some() {
            self.depend(Address::relation(index), Address::relation(table), b'a')?;
        }
        for text in expressions.iter().copied().chain(spec.predicate.as_deref()) {
            self.depend_on_text(Address::relation(index), text)?;
        }
        self.fill_index(table, index)?;
        // Others may be making indexes of the same table: who is first says so, and the others wait until it counts.
        let (tag, policy) = (Tag::Object(self.db.id, PG_CLASS.0, table.0), self.lock_policy());
        self.txn_mut().lock(tag, Mode::Exclusive, policy)?;
        let unmarked = |r: Fields<'_>| r.oid("oid") == table && *r.get("relhasindex") == Datum::Bool(false);
        self.change_rows(PG_CLASS, unmarked, &[("relhasindex", Datum::Bool(true))])?;
        Ok(index)
    }

    /// Writes what the catalog says of the columns of an index anew, after a column of its table got another type.
    pub(super) fn retype_index(&mut self, table: Oid, index: Oid) -> Result<()> {
        let info = self.info(table)?;
        let Some(key) = info.indexes.iter().find(|i| i.oid == index).cloned() else { return Ok(()) };
        let planned = TableRef { indexes: Vec::new(), ..self.bare_table(table)? };
        let image = self.image()?;
        let rebound = |text: &str, predicate: bool| {
            let parsed = syntax::parse_expr(text)?;
            let io = types::IoSettings::default();
            let mut binder = Binder::new(&image, text, &io, &[]);
            let bound = match predicate {
                true => binder.index_predicate(&parsed, &planned),
                false => binder.index_expression(&parsed, &planned),
            };
            bound.map_err(|e| e.unplaced())
        };
        let expressions = key.expressions.iter().map(|e| rebound(e, false)).collect::<Result<Vec<_>>>()?;
        let predicate = key.predicate.as_ref().map(|p| rebound(p, true)).transpose()?;
        let (mut classes, mut collations) = (Vec::new(), Vec::new());
        for (place, k) in key.columns.iter().enumerate() {
            let (ty, typmod) = match k.0.checked_sub(catalog::KEY_EXPRESSION) {
                Some(n) => (expressions[n].ty, expressions[n].typmod),
                None => (info.columns[k.0].ty, info.columns[k.0].typmod),
            };
            let class = default_class(key.method, image.base_type(ty).0).ok_or_else(|| no_class(ty, key.method))?;
            classes.push(class.0);
            collations.push(type_collation(ty));
            let Some(row) = catalog::builtin::type_by_oid(ty) else { continue };
            let values = attribute_type(row, ty, typmod);
            self.change_column(index, place as i16 + 1, &values)?;
        }
        for (i, &column) in key.include.iter().enumerate() {
            let (ty, typmod) = (info.columns[column].ty, info.columns[column].typmod);
            let Some(row) = catalog::builtin::type_by_oid(ty) else { continue };
            let values = attribute_type(row, ty, typmod);
            self.change_column(index, (key.columns.len() + i) as i16 + 1, &values)?;
        }
        let mut values = vec![
            ("indclass", stored::numbers(oid::OIDVECTOR, &classes)),
            ("indcollation", stored::numbers(oid::OIDVECTOR, &collations)),
        ];
        if !expressions.is_empty() {
            let texts: Vec<&str> = expressions.iter().map(|e| &*e.text).collect();
            values.push(("indexprs", Datum::text(&texts.join(&catalog::EXPRESSION_SEPARATOR.to_string()))));
        }
        if let Some(predicate) = predicate {
            values.push(("indpred", Datum::text(&predicate.text)));
        }
        self.change_rows(PG_INDEX, |r| r.oid("indexrelid") == index, &values)?;
        Ok(())
    }

    /// Adds the row of `pg_attribute` for column `place` of an index.
    fn add_index_attribute(&mut self, index: Oid, place: usize, name: &str, ty: Oid, typmod: i32) -> Result<()> {
        let Some(row) = catalog::builtin::type_by_oid(ty) else { return Ok(()) };
        let mut values = vec![
            ("attrelid", Datum::from(index)),
            ("attname", Datum::text(name)),
            ("attnum", Datum::I16(place as i16 + 1)),
            ("attislocal", Datum::Bool(true)),
        ];
        values.extend(attribute_type(row, ty, typmod));
        self.add_row(stored::PG_ATTRIBUTE, &values)
    }
}

fn no_class(ty: Oid, method: Oid) -> SqlError {
    let (name, method) = (binder::format_type(ty), if method == HASH { "hash" } else { "btree" });
    let message = format!("data type {name} has no default operator class for access method \"{method}\"");
    SqlError::new(SqlState::UNDEFINED_OBJECT, message)
        .hint("You must specify an operator class for the index or define a default operator class for the data type.")
}

/// The default operator class of `ty`.
fn default_class(method: Oid, ty: Oid) -> Option<Oid> {
    catalog::builtin::default_opclass(method, binary_base(ty)).map(|o| o.oid)
}

/// The operator class called `name`, which must take values of type `ty`.
fn named_class(name: &str, method: Oid, ty: Oid) -> Result<Oid> {
    let Some(row) = catalog::builtin::opclass_by_name(method, name) else {
        let method = if method == HASH { "hash" } else { "btree" };
        let message = format!("operator class \"{name}\" does not exist for access method \"{method}\"");
        return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
    };
    if row.input != binary_base(ty) && row.input != ty {
        let message = format!("operator class \"{name}\" does not accept data type {}", binder::format_type(ty));
        return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message));
    }
    Ok(row.oid)
}

fn type_collation(ty: Oid) -> u32 {
    catalog::builtin::type_by_oid(ty).map_or(0, |t| t.collation.0)
}

/// What `pg_attribute` says of a column's type.
pub(super) fn attribute_type(row: &catalog::builtin::TypeRow, ty: Oid, typmod: i32) -> [(&'static str, Datum); 8] {
    [
        ("atttypid", Datum::from(ty)),
        ("atttypmod", Datum::I32(typmod)),
        ("attlen", Datum::I16(row.len)),
        ("attndims", Datum::I16(i16::from(row.category == b'A'))),
        ("attbyval", Datum::Bool(row.by_value)),
        ("attalign", Datum::I8(row.align.cast_signed())),
        ("attstorage", Datum::I8(row.storage.cast_signed())),
        ("attcollation", Datum::from(row.collation)),
    ]
}

/// A column to be indexed.
fn indexed_column(info: &TableInfo, name: &str) -> Result<usize> {
    if super::table::is_system_column(name) {
        let message = "index creation on system columns is not supported";
        return Err(refused(message, SqlState::FEATURE_NOT_SUPPORTED));
    }
    let found = info.columns.iter().position(|c| c.name == name && !c.dropped);
    if found.is_some_and(|i| info.columns[i].generated == b'v') {
        let message = "indexes on virtual generated columns are not supported";
        return Err(refused(message, SqlState::FEATURE_NOT_SUPPORTED));
    }
    found.ok_or_else(|| refused(&format!("column \"{name}\" does not exist"), SqlState::UNDEFINED_COLUMN))
}

/// How the entries of an index keep the columns that it includes.
pub(super) fn carried_forms(info: &TableInfo, include: &[usize]) -> Vec<Physical> {
    include.iter().map(|&c| Physical::of(info.columns[c].ty)).collect()
}

/// A column of INCLUDE.
fn included_column(info: &TableInfo, element: &IndexElement) -> Result<usize> {
    let IndexKey::Column(name) = &element.key else {
        let message = "expressions are not supported in included columns";
        return Err(refused(message, SqlState::FEATURE_NOT_SUPPORTED));
    };
    let what = match element {
        e if !e.collation.is_empty() => Some("a collation"),
        e if !e.opclass.is_empty() => Some("an operator class"),
        e if e.descending.is_some() => Some("ASC/DESC options"),
        e if e.nulls != NullsOrder::Default => Some("NULLS FIRST/LAST options"),
        _ => None,
    };
    let column = indexed_column(info, name)?;
    match what {
        Some(what) => {
            let message = format!("including column does not support {what}");
            Err(refused(&message, SqlState::INVALID_OBJECT_DEFINITION))
        }
        None => Ok(column),
    }
}

/// What a hash index cannot do.
fn check_hash(create: &CreateIndex) -> Result<()> {
    let what = match create {
        c if c.unique => "unique indexes",
        c if !c.including.is_empty() => "included columns",
        c if c.elements.len() > 1 => "multicolumn indexes",
        c if c.elements[0].descending.is_some() => "ASC/DESC options",
        c if c.elements[0].nulls != NullsOrder::Default => "NULLS FIRST/LAST options",
        _ => return Ok(()),
    };
    let message = format!("access method \"hash\" does not support {what}");
    Err(refused(&message, SqlState::FEATURE_NOT_SUPPORTED))
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
