//! `Image`: a database's user-made objects as a binder wants to look them up.
//!
//! An image is made by applying catalog rows one by one, whether they come from a scan of the catalog tables or from the transaction
//! that just wrote them, so both ways agree by construction (C4). Applying a row twice is as applying it once.

use std::collections::HashMap;
use std::sync::Arc;

use storage::sequence::SequenceRules;
use storage::txn::Snapshot;
use storage::{Database, RelId};
use types::{Oid, Result, SqlError};

use crate::statistics::{ColumnStatistics, TableSize};
use crate::stored::{
    self, Change, Fields, PG_AGGREGATE, PG_ATTRDEF, PG_ATTRIBUTE, PG_CAST, PG_CLASS, PG_CONSTRAINT, PG_DEPEND, PG_ENUM,
    PG_INDEX, PG_NAMESPACE, PG_OPERATOR, PG_PROC, PG_REWRITE, PG_SEQUENCE, PG_STATISTIC, PG_TYPE,
};

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
    /// Its default, as SQL.
    pub default: Option<Arc<str>>,
    /// `a` or `d` for GENERATED ALWAYS or BY DEFAULT AS IDENTITY, else 0.
    pub identity: u8,
    /// `s` when its default is an expression over the row, computed and stored with it; else 0.
    pub generated: u8,
    /// Whether it was dropped: then it has a place in rows, nothing more.
    pub dropped: bool,
    /// Its own grants, as text.
    pub acl: Option<String>,
}

impl ColumnInfo {
    /// What a row of `pg_attribute` says.
    fn of(row: Fields<'_>) -> ColumnInfo {
        let dropped = row.bool("attisdropped");
        ColumnInfo {
            name: row.text("attname"),
            ty: if dropped { stand_in(row.int("attlen")) } else { row.oid("atttypid") },
            typmod: row.int("atttypmod") as i32,
            not_null: row.bool("attnotnull"),
            default: None,
            identity: row.char("attidentity"),
            generated: row.char("attgenerated"),
            dropped,
            acl: acl(row, "attacl"),
        }
    }
}

/// The grants in a column of type `aclitem[]`.
pub(crate) fn acl(row: Fields<'_>, column: &str) -> Option<String> {
    let datum = row.get(column);
    if datum.is_null() {
        return None;
    }
    types::io::to_text(types::oid::ACLITEM_ARRAY, datum, &types::IoSettings::default()).ok()
}

/// The options in a row of `pg_class`.
pub fn relation_options(row: Fields<'_>) -> Vec<String> {
    let datum = row.get("reloptions");
    if datum.is_null() {
        return Vec::new();
    }
    let text = types::io::to_text(types::oid::TEXT_ARRAY, datum, &types::IoSettings::default()).unwrap_or_default();
    let inside = text.trim_start_matches('{').trim_end_matches('}');
    inside.split(',').filter(|o| !o.is_empty()).map(|o| o.trim_matches('"').to_owned()).collect()
}

/// A type of the same physical form as a dropped column's.
fn stand_in(len: i64) -> Oid {
    match len {
        1 => types::oid::CHAR,
        2 => types::oid::INT2,
        4 => types::oid::INT4,
        6 | 8 => types::oid::INT8,
        12 | 16 => types::oid::UUID,
        _ => types::oid::TEXT,
    }
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
    /// Its access method, in `pg_am`.
    pub method: Oid,
    /// Its columns, from 0, each with whether it sorts descending and whether NULLs come first. From [`KEY_EXPRESSION`] on they stand
    /// for `expressions`.
    pub columns: Vec<(usize, bool, bool)>,
    /// Columns that it only carries.
    pub include: Vec<usize>,
    /// Expressions among its columns, as SQL.
    pub expressions: Vec<Arc<str>>,
    /// Which rows it lists, as SQL; all when there is none.
    pub predicate: Option<Arc<str>>,
    /// Operator classes of its columns.
    pub classes: Vec<Oid>,
    /// Collations of its columns.
    pub collations: Vec<Oid>,
    /// Whether two rows may not share a key.
    pub unique: bool,
    /// Whether it is the primary key's.
    pub primary: bool,
    /// Whether NULLs are equal to each other.
    pub nulls_not_distinct: bool,
    /// Whether a key that is taken is an error at once: not when its constraint is deferrable.
    pub immediate: bool,
    /// The constraint it stands for.
    pub constraint: Option<KeyConstraint>,
}

/// Column numbers of an index from here on stand for its expressions.
pub const KEY_EXPRESSION: usize = 1 << 20;

/// What separates the expressions of an index in `pg_index.indexprs`.
pub const EXPRESSION_SEPARATOR: char = '\u{1}';

impl IndexInfo {
    /// Whether column `index` of its table is in its key, its expressions left aside.
    pub fn has_column(&self, index: usize) -> bool {
        self.columns.iter().any(|k| k.0 == index)
    }

    /// Whether its key is columns, and it lists all rows.
    pub fn is_plain(&self) -> bool {
        self.expressions.is_empty() && self.predicate.is_none()
    }
}

/// A UNIQUE or PRIMARY KEY constraint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeyConstraint {
    /// Its OID.
    pub oid: Oid,
    /// Whether it may be checked at COMMIT.
    pub deferrable: bool,
    /// Whether it is unless SET CONSTRAINTS says otherwise.
    pub deferred: bool,
}

/// A CHECK constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckInfo {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// What must not be false, as SQL.
    pub condition: Arc<str>,
}

/// A FOREIGN KEY constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignKey {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// The table that refers.
    pub table: Oid,
    /// Its columns, from 0.
    pub columns: Vec<usize>,
    /// The table referred to.
    pub target: Oid,
    /// Its columns, from 0.
    pub target_columns: Vec<usize>,
    /// The unique index of the target that proves there is one row.
    pub index: Oid,
    /// What happens when the target row's key changes: `a`, `r`, `c`, `n` or `d`, as `pg_constraint.confupdtype`.
    pub on_update: u8,
    /// The same when it is deleted.
    pub on_delete: u8,
    /// Whether a key with some NULLs is an error (`f`) or is not looked up (`s`).
    pub match_type: u8,
    /// Columns that SET NULL and SET DEFAULT change on delete; all when empty.
    pub delete_columns: Vec<usize>,
    /// Whether it may be checked at COMMIT.
    pub deferrable: bool,
    /// Whether it is unless SET CONSTRAINTS says otherwise.
    pub deferred: bool,
}

/// A relation of any kind but an index.
#[derive(Clone, Debug, PartialEq)]
pub struct TableInfo {
    /// Its OID.
    pub oid: Oid,
    /// Its schema.
    pub namespace: Oid,
    /// Its name.
    pub name: String,
    /// `pg_class.relkind`.
    pub kind: u8,
    /// `pg_class.relpersistence`.
    pub persistence: u8,
    /// Who owns it.
    pub owner: Oid,
    /// Its storage.
    pub rel: RelId,
    /// The type of its rows; none where it has none.
    pub row_type: Oid,
    /// Its columns.
    pub columns: Vec<ColumnInfo>,
    /// Its indexes, oldest first.
    pub indexes: Vec<IndexInfo>,
    /// Its CHECK constraints, by name.
    pub checks: Vec<CheckInfo>,
    /// The keys by which it refers to others, by OID.
    pub foreign_keys: Vec<ForeignKey>,
    /// Rules of a sequence.
    pub sequence: Option<SequenceRules>,
    /// Its grants, as text; none when there were none.
    pub acl: Option<String>,
    /// The query of a view, as SQL.
    pub view: Option<Arc<str>>,
    /// Its options, as `pg_class.reloptions` lists them.
    pub options: Vec<String>,
}

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeInfo {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// Its schema.
    pub namespace: Oid,
    /// Who owns it.
    pub owner: Oid,
    /// `pg_type.typtype`.
    pub kind: u8,
    /// The labels of an enum, with their OIDs and places, in order.
    pub labels: Vec<(Oid, f32, String)>,
    /// The relation whose columns the values of a row type have.
    pub relation: Oid,
    /// What a domain is over.
    pub base: Oid,
    /// The typmod that a domain gives it.
    pub typmod: i32,
    /// Whether a domain refuses NULL.
    pub not_null: bool,
    /// A domain's default, as SQL.
    pub default: Option<Arc<str>>,
    /// A domain's CHECK constraints, by name.
    pub checks: Vec<CheckInfo>,
    /// Its grants, as text; none when there were none.
    pub acl: Option<String>,
    /// Whether it is more than a name.
    pub defined: bool,
}

/// How the names of sessions' temporary schemas begin.
pub const TEMPORARY_PREFIX: &str = "pg_temp_";

/// A schema.
#[derive(Clone, Debug, PartialEq)]
pub struct NamespaceInfo {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// Who owns it.
    pub owner: Oid,
    /// Its grants, as text; none when there were none.
    pub acl: Option<String>,
}

/// What `pg_class` says of an index, and its table.
#[derive(Clone, Debug)]
struct IndexEntry {
    namespace: Oid,
    name: String,
    table: Oid,
    rel: RelId,
    method: Oid,
}

/// The user-made objects of a database.
#[derive(Clone, Debug, Default)]
pub struct Image {
    relations: HashMap<Oid, Arc<TableInfo>>,
    names: HashMap<(Oid, String), Oid>,
    /// Index names share their tables' name space.
    indexes: HashMap<Oid, IndexEntry>,
    /// Table of each constraint.
    constraints: HashMap<Oid, Oid>,
    /// Keys by the table they refer to.
    referencing: HashMap<Oid, Vec<(Oid, Oid)>>,
    namespaces: HashMap<Oid, NamespaceInfo>,
    types: HashMap<Oid, Arc<TypeInfo>>,
    type_names: HashMap<(Oid, String), Oid>,
    /// The enum of each label.
    labels: HashMap<Oid, Oid>,
    /// The domain of each of its constraints.
    domain_constraints: HashMap<Oid, Oid>,
    pub(crate) routines: crate::function::Routines,
    sizes: HashMap<Oid, TableSize>,
    statistics: HashMap<(Oid, i16), Arc<ColumnStatistics>>,
}

/// The order in which relations are read: owners before what they own.
const ORDER: [Oid; 16] = [
    PG_NAMESPACE,
    PG_TYPE,
    PG_ENUM,
    PG_CLASS,
    PG_ATTRIBUTE,
    PG_REWRITE,
    PG_ATTRDEF,
    PG_DEPEND,
    PG_INDEX,
    PG_CONSTRAINT,
    PG_SEQUENCE,
    PG_STATISTIC,
    PG_PROC,
    PG_AGGREGATE,
    PG_OPERATOR,
    PG_CAST,
];

impl Image {
    /// Reads the catalog as `snapshot` sees it.
    ///
    /// # Errors
    /// What storage says.
    pub fn load(db: &Arc<Database>, snapshot: &Snapshot) -> Result<Image> {
        let mut image = Image::default();
        for row in crate::rows::of(PG_NAMESPACE) {
            image.add(Fields { relation: PG_NAMESPACE, row });
        }
        for relation in ORDER {
            stored::table(db, relation)?.for_each::<SqlError>(snapshot, |_, row| {
                image.add(Fields { relation, row: &row });
                Ok(())
            })?;
        }
        Ok(image)
    }

    /// Follows a change of the catalog.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Added { relation, row } => self.add(Fields { relation: *relation, row }),
            Change::Removed { relation, row } => self.remove(Fields { relation: *relation, row }),
            Change::Replaced { relation, old, new } => {
                let (old, new) = (Fields { relation: *relation, row: old }, Fields { relation: *relation, row: new });
                self.replace(old, new);
            }
        }
    }

    fn change(&mut self, oid: Oid, f: impl FnOnce(&mut TableInfo)) {
        if let Some(table) = self.relations.get_mut(&oid) {
            f(Arc::make_mut(table));
        }
    }

    /// What a sequence that is part of a column gives that column, which has no default in `pg_attrdef`.
    fn identity(&mut self, row: Fields<'_>, default: impl Fn(Oid) -> Option<Arc<str>>) {
        let number = row.int("refobjsubid");
        if row.char("deptype") != b'i'
            || number <= 0
            || row.oid("classid") != PG_CLASS
            || row.oid("refclassid") != PG_CLASS
        {
            return;
        }
        let default = default(row.oid("objid"));
        self.change(row.oid("refobjid"), |t| {
            if let Some(c) = t.columns.get_mut(number as usize - 1) {
                c.default = default;
            }
        });
    }

    fn add(&mut self, row: Fields<'_>) {
        match row.relation {
            PG_NAMESPACE => {
                let oid = row.oid("oid");
                let (name, owner) = (row.text("nspname"), row.oid("nspowner"));
                let info = NamespaceInfo { oid, name, owner, acl: acl(row, "nspacl") };
                self.namespaces.insert(oid, info);
            }
            PG_CLASS => self.add_class(row),
            PG_ATTRIBUTE => {
                let number = row.int("attnum");
                let info = ColumnInfo::of(row);
                self.change(row.oid("attrelid"), |t| put(&mut t.columns, number as usize - 1, info));
            }
            PG_ATTRDEF => {
                let (index, sql) = (row.int("adnum") as usize - 1, row.text("adbin"));
                self.change(row.oid("adrelid"), |t| {
                    if let Some(c) = t.columns.get_mut(index) {
                        c.default = Some(sql.into());
                    }
                });
            }
            PG_DEPEND => self.identity(row, |sequence| Some(format!("nextval('{sequence}'::regclass)").into())),
            PG_TYPE => {
                let (oid, namespace, name) = (row.oid("oid"), row.oid("typnamespace"), row.text("typname"));
                self.type_names.insert((namespace, name.clone()), oid);
                let old = self.types.get(&oid);
                let default = row.get("typdefaultbin");
                let info = TypeInfo {
                    oid,
                    name,
                    namespace,
                    owner: row.oid("typowner"),
                    kind: row.char("typtype"),
                    labels: old.map_or(Vec::new(), |t| t.labels.clone()),
                    relation: row.oid("typrelid"),
                    base: row.oid("typbasetype"),
                    typmod: row.int("typtypmod") as i32,
                    not_null: row.bool("typnotnull"),
                    default: default.as_str().map(Arc::from),
                    checks: old.map_or(Vec::new(), |t| t.checks.clone()),
                    acl: acl(row, "typacl"),
                    defined: row.bool("typisdefined"),
                };
                self.types.insert(oid, Arc::new(info));
            }
            PG_ENUM => {
                let (oid, ty, label) = (row.oid("oid"), row.oid("enumtypid"), row.text("enumlabel"));
                let place = match row.get("enumsortorder") {
                    types::Datum::F32(place) => *place,
                    _ => 0.0,
                };
                self.labels.insert(oid, ty);
                if let Some(info) = self.types.get_mut(&ty) {
                    let info = Arc::make_mut(info);
                    info.labels.retain(|l| l.0 != oid);
                    info.labels.push((oid, place, label));
                    info.labels.sort_by(|a, b| a.1.total_cmp(&b.1));
                }
            }
            PG_REWRITE => {
                let text = row.text("ev_action");
                self.change(row.oid("ev_class"), |t| t.view = Some(text.into()));
            }
            PG_STATISTIC => {
                let (column, found) = ColumnStatistics::of_row(row);
                self.statistics.insert(column, Arc::new(found));
            }
            PG_INDEX => self.add_index(row),
            PG_CONSTRAINT => self.add_constraint(row),
            PG_PROC => self.routines.add_function(row),
            PG_AGGREGATE => self.routines.add_aggregate(row),
            PG_OPERATOR => self.routines.add_operator(row),
            PG_CAST => self.routines.add_cast(row),
            PG_SEQUENCE => {
                let rules = SequenceRules {
                    increment: row.int("seqincrement"),
                    min: row.int("seqmin"),
                    max: row.int("seqmax"),
                    cycle: row.bool("seqcycle"),
                };
                self.change(row.oid("seqrelid"), |t| t.sequence = Some(rules));
            }
            _ => {}
        }
    }

    fn note_size(&mut self, row: Fields<'_>) {
        if let types::Datum::F32(rows) = *row.get("reltuples") {
            self.sizes.insert(row.oid("oid"), TableSize { rows, pages: row.int("relpages") as i32 });
        }
    }

    /// How large ANALYZE found a relation.
    pub fn size(&self, relation: Oid) -> Option<TableSize> {
        self.sizes.get(&relation).copied()
    }

    /// What ANALYZE found out about column `number`, from 1, of `relation`.
    pub fn statistics(&self, relation: Oid, number: i16) -> Option<&Arc<ColumnStatistics>> {
        self.statistics.get(&(relation, number))
    }

    fn add_class(&mut self, row: Fields<'_>) {
        self.note_size(row);
        let (oid, key) = (row.oid("oid"), (row.oid("relnamespace"), row.text("relname")));
        if row.char("relkind") == b'i' {
            let rel = RelId(row.oid("relfilenode").0);
            let table = self.indexes.get(&oid).map_or(Oid::NONE, |i| i.table);
            let method = row.oid("relam");
            self.indexes.insert(oid, IndexEntry { namespace: key.0, name: key.1.clone(), table, rel, method });
        } else {
            let table = TableInfo {
                oid,
                namespace: key.0,
                name: key.1.clone(),
                kind: row.char("relkind"),
                persistence: row.char("relpersistence"),
                owner: row.oid("relowner"),
                rel: RelId(row.oid("relfilenode").0),
                row_type: row.oid("reltype"),
                columns: Vec::new(),
                indexes: Vec::new(),
                checks: Vec::new(),
                foreign_keys: Vec::new(),
                sequence: None,
                acl: acl(row, "relacl"),
                view: None,
                options: relation_options(row),
            };
            // Read anew by a scan, or by the transaction that made it: what was applied to it stays.
            self.relations.entry(oid).or_insert_with(|| Arc::new(table));
        }
        self.names.insert(key, oid);
    }

    fn add_index(&mut self, row: Fields<'_>) {
        let (oid, table) = (row.oid("indexrelid"), row.oid("indrelid"));
        let Some(entry) = self.indexes.get_mut(&oid) else { return };
        entry.table = table;
        let (name, rel, method) = (entry.name.clone(), entry.rel, entry.method);
        let options = row.numbers("indoption");
        let keys = row.int("indnkeyatts") as usize;
        let numbers = row.numbers("indkey");
        let mut expressions = 0..;
        let mut place = |number: u32| match number {
            0 => KEY_EXPRESSION + expressions.next().unwrap_or(0),
            n => n as usize - 1,
        };
        let columns = numbers.iter().take(keys).map(|&k| place(k)).zip(options.into_iter().chain(std::iter::repeat(0)));
        let oids = |name: &str| row.numbers(name).into_iter().take(keys).map(Oid).collect();
        let text = |name: &str| row.get(name).as_str().map(str::to_owned);
        let list = |text: String| text.split(EXPRESSION_SEPARATOR).map(Arc::from).collect();
        let mut info = IndexInfo {
            oid,
            name,
            rel,
            method,
            columns: columns.map(|(k, o)| (k, o & 1 != 0, o & 2 != 0)).collect(),
            include: numbers.iter().skip(keys).map(|&k| k.saturating_sub(1) as usize).collect(),
            expressions: text("indexprs").map_or(Vec::new(), list),
            predicate: text("indpred").map(Arc::from),
            classes: oids("indclass"),
            collations: oids("indcollation"),
            unique: row.bool("indisunique"),
            primary: row.bool("indisprimary"),
            nulls_not_distinct: row.bool("indnullsnotdistinct"),
            immediate: row.bool("indimmediate"),
            constraint: None,
        };
        self.change(table, |t| {
            info.constraint = t.indexes.iter().find(|i| i.oid == oid).and_then(|i| i.constraint);
            t.indexes.retain(|i| i.oid != oid);
            t.indexes.push(info);
            t.indexes.sort_by_key(|i| i.oid);
        });
    }

    fn add_constraint(&mut self, row: Fields<'_>) {
        let (oid, table, name) = (row.oid("oid"), row.oid("conrelid"), row.text("conname"));
        let domain = row.oid("contypid");
        if !domain.is_none() {
            self.domain_constraints.insert(oid, domain);
            if row.char("contype") == b'c'
                && let Some(info) = self.types.get_mut(&domain)
            {
                let info = Arc::make_mut(info);
                info.checks.retain(|c| c.oid != oid);
                info.checks.push(CheckInfo { oid, name, condition: row.text("conbin").into() });
                info.checks.sort_by(|a, b| a.name.cmp(&b.name));
            }
            return;
        }
        let places = |column: &str| row.numbers(column).iter().map(|&n| n as usize - 1).collect::<Vec<usize>>();
        self.constraints.insert(oid, table);
        match row.char("contype") {
            b'c' => {
                let info = CheckInfo { oid, name, condition: row.text("conbin").into() };
                self.change(table, |t| {
                    t.checks.retain(|c| c.oid != oid);
                    t.checks.push(info);
                    t.checks.sort_by(|a, b| a.name.cmp(&b.name));
                });
            }
            b'f' => {
                let key = ForeignKey {
                    oid,
                    name,
                    table,
                    columns: places("conkey"),
                    target: row.oid("confrelid"),
                    target_columns: places("confkey"),
                    index: row.oid("conindid"),
                    on_update: row.char("confupdtype"),
                    on_delete: row.char("confdeltype"),
                    match_type: row.char("confmatchtype"),
                    delete_columns: places("confdelsetcols"),
                    deferrable: row.bool("condeferrable"),
                    deferred: row.bool("condeferred"),
                };
                let list = self.referencing.entry(key.target).or_default();
                list.retain(|k| k.1 != oid);
                list.push((table, oid));
                self.change(table, |t| {
                    t.foreign_keys.retain(|k| k.oid != oid);
                    t.foreign_keys.push(key);
                    t.foreign_keys.sort_by_key(|k| k.oid);
                });
            }
            b'p' | b'u' => {
                let (deferrable, deferred) = (row.bool("condeferrable"), row.bool("condeferred"));
                let (key, index) = (KeyConstraint { oid, deferrable, deferred }, row.oid("conindid"));
                self.change(table, |t| {
                    if let Some(index) = t.indexes.iter_mut().find(|i| i.oid == index) {
                        index.constraint = Some(key);
                    }
                });
            }
            _ => {}
        }
    }

    fn remove(&mut self, row: Fields<'_>) {
        match row.relation {
            PG_NAMESPACE => {
                self.namespaces.remove(&row.oid("oid"));
            }
            PG_TYPE => {
                let (oid, key) = (row.oid("oid"), (row.oid("typnamespace"), row.text("typname")));
                if self.type_names.get(&key) == Some(&oid) {
                    self.type_names.remove(&key);
                }
                self.types.remove(&oid);
            }
            PG_ENUM => {
                let (oid, ty) = (row.oid("oid"), row.oid("enumtypid"));
                self.labels.remove(&oid);
                if let Some(info) = self.types.get_mut(&ty) {
                    Arc::make_mut(info).labels.retain(|l| l.0 != oid);
                }
            }
            PG_CLASS => {
                let (oid, key) = (row.oid("oid"), (row.oid("relnamespace"), row.text("relname")));
                if self.names.get(&key) == Some(&oid) {
                    self.names.remove(&key);
                }
                self.relations.remove(&oid);
                self.indexes.remove(&oid);
                self.sizes.remove(&oid);
            }
            PG_STATISTIC => {
                self.statistics.remove(&(row.oid("starelid"), row.int("staattnum") as i16));
            }
            PG_ATTRDEF => {
                let index = row.int("adnum") as usize - 1;
                self.change(row.oid("adrelid"), |t| {
                    if let Some(c) = t.columns.get_mut(index) {
                        c.default = None;
                    }
                });
            }
            PG_PROC => self.routines.remove_function(row),
            PG_AGGREGATE => {
                self.routines.aggregates.remove(&row.oid("aggfnoid"));
            }
            PG_OPERATOR => self.routines.remove_operator(row),
            PG_CAST => self.routines.remove_cast(row),
            PG_DEPEND => self.identity(row, |_| None),
            PG_INDEX => {
                let oid = row.oid("indexrelid");
                self.change(row.oid("indrelid"), |t| t.indexes.retain(|i| i.oid != oid));
            }
            PG_CONSTRAINT => {
                let oid = row.oid("oid");
                self.constraints.remove(&oid);
                self.domain_constraints.remove(&oid);
                if let Some(info) = self.types.get_mut(&row.oid("contypid")) {
                    Arc::make_mut(info).checks.retain(|c| c.oid != oid);
                }
                if let Some(list) = self.referencing.get_mut(&row.oid("confrelid")) {
                    list.retain(|k| k.1 != oid);
                }
                self.change(row.oid("conrelid"), |t| {
                    t.checks.retain(|c| c.oid != oid);
                    t.foreign_keys.retain(|k| k.oid != oid);
                    for index in t.indexes.iter_mut().filter(|i| i.constraint.is_some_and(|c| c.oid == oid)) {
                        index.constraint = None;
                    }
                });
            }
            _ => {}
        }
    }

    fn replace(&mut self, old: Fields<'_>, new: Fields<'_>) {
        match new.relation {
            PG_TYPE => {
                let key = (old.oid("typnamespace"), old.text("typname"));
                self.type_names.remove(&key);
                self.add(new);
            }
            PG_CLASS => {
                self.note_size(new);
                let (oid, old_key) = (new.oid("oid"), (old.oid("relnamespace"), old.text("relname")));
                let key = (new.oid("relnamespace"), new.text("relname"));
                if self.names.get(&old_key) == Some(&oid) {
                    self.names.remove(&old_key);
                }
                self.names.insert(key.clone(), oid);
                if let Some(entry) = self.indexes.get_mut(&oid) {
                    (entry.namespace, entry.name) = key;
                    entry.rel = RelId(new.oid("relfilenode").0);
                    let IndexEntry { table, name, rel, .. } = entry.clone();
                    self.change(table, |t| {
                        if let Some(index) = t.indexes.iter_mut().find(|i| i.oid == oid) {
                            (index.name, index.rel) = (name, rel);
                        }
                    });
                    return;
                }
                let (owner, rel) = (new.oid("relowner"), RelId(new.oid("relfilenode").0));
                let (grants, row_type, options) = (acl(new, "relacl"), new.oid("reltype"), relation_options(new));
                self.change(oid, |t| {
                    (t.acl, t.row_type, t.options) = (grants, row_type, options);
                    (t.namespace, t.name) = key;
                    (t.owner, t.rel) = (owner, rel);
                });
            }
            PG_ATTRIBUTE => {
                let index = new.int("attnum") as usize - 1;
                let info = ColumnInfo::of(new);
                self.change(new.oid("attrelid"), |t| {
                    if let Some(c) = t.columns.get_mut(index) {
                        let default = c.default.take();
                        *c = ColumnInfo { default, ..info };
                    }
                });
            }
            _ => {
                self.remove(old);
                self.add(new);
            }
        }
    }

    /// The relation `name` of schema `namespace`: a table, view, sequence, but no index.
    pub fn table(&self, namespace: Oid, name: &str) -> Option<&Arc<TableInfo>> {
        self.relations.get(self.names.get(&(namespace, name.to_owned()))?)
    }

    /// The relation with this OID.
    pub fn by_oid(&self, oid: Oid) -> Option<&Arc<TableInfo>> {
        self.relations.get(&oid)
    }

    /// OID of the relation of any kind, indexes included, that has this name.
    pub fn relation_oid(&self, namespace: Oid, name: &str) -> Option<Oid> {
        self.names.get(&(namespace, name.to_owned())).copied()
    }

    /// Schema and name of a relation of any kind.
    pub fn relation_name(&self, oid: Oid) -> Option<(Oid, &str)> {
        match self.relations.get(&oid) {
            Some(table) => Some((table.namespace, &table.name)),
            None => self.indexes.get(&oid).map(|i| (i.namespace, &*i.name)),
        }
    }

    /// The table that index `oid` is of.
    pub fn table_of_index(&self, oid: Oid) -> Option<&Arc<TableInfo>> {
        self.by_oid(self.indexes.get(&oid)?.table)
    }

    /// Storage of index `oid`.
    pub fn storage_of_index(&self, oid: Oid) -> Option<RelId> {
        self.indexes.get(&oid).map(|i| i.rel)
    }

    /// The table that constraint `oid` is of.
    pub fn table_of_constraint(&self, oid: Oid) -> Option<&Arc<TableInfo>> {
        self.by_oid(*self.constraints.get(&oid)?)
    }

    /// The domain that constraint `oid` is of.
    pub fn domain_of_constraint(&self, oid: Oid) -> Option<&Arc<TypeInfo>> {
        self.type_by_oid(*self.domain_constraints.get(&oid)?)
    }

    /// All types.
    pub fn types(&self) -> impl Iterator<Item = &Arc<TypeInfo>> {
        self.types.values()
    }

    /// Whether a relation of any kind has this name.
    pub fn is_taken(&self, namespace: Oid, name: &str) -> bool {
        self.names.contains_key(&(namespace, name.to_owned()))
    }

    /// The keys that refer to table `oid`, oldest first.
    pub fn referencing(&self, oid: Oid) -> Vec<(&Arc<TableInfo>, &ForeignKey)> {
        let mut list = self.referencing.get(&oid).cloned().unwrap_or_default();
        list.sort_by_key(|k| k.1);
        let key = |(table, constraint): (Oid, Oid)| {
            let table = self.relations.get(&table)?;
            Some((table, table.foreign_keys.iter().find(|k| k.oid == constraint)?))
        };
        list.into_iter().filter_map(key).collect()
    }

    /// The schema that `name` means in a session of this search path: `pg_temp` is its own temporary one.
    pub fn namespace_in(&self, name: &str, search_path: &[Oid]) -> Option<&NamespaceInfo> {
        if name != "pg_temp" {
            return self.namespace(name);
        }
        let in_path = search_path.iter().filter_map(|&oid| self.namespace_by_oid(oid));
        in_path.into_iter().find(|n| n.name.starts_with(TEMPORARY_PREFIX))
    }

    /// The type with this OID.
    pub fn type_by_oid(&self, oid: Oid) -> Option<&Arc<TypeInfo>> {
        self.types.get(&oid)
    }

    /// The type called `name` in a schema.
    pub fn type_by_name(&self, namespace: Oid, name: &str) -> Option<&Arc<TypeInfo>> {
        self.types.get(self.type_names.get(&(namespace, name.to_owned()))?)
    }

    /// The enum that label `oid` is of, and where in it.
    pub fn label(&self, oid: Oid) -> Option<&(Oid, f32, String)> {
        self.types.get(self.labels.get(&oid)?)?.labels.iter().find(|l| l.0 == oid)
    }

    /// The schema called `name`.
    pub fn namespace(&self, name: &str) -> Option<&NamespaceInfo> {
        self.namespaces.values().find(|n| n.name == name)
    }

    /// The schema with this OID.
    pub fn namespace_by_oid(&self, oid: Oid) -> Option<&NamespaceInfo> {
        self.namespaces.get(&oid)
    }

    /// All schemas.
    pub fn namespaces(&self) -> Vec<&NamespaceInfo> {
        self.namespaces.values().collect()
    }

    /// Name of a schema; empty when there is none.
    pub fn namespace_name(&self, oid: Oid) -> &str {
        self.namespaces.get(&oid).map_or("", |n| &n.name)
    }

    /// All relations but indexes, by name.
    pub fn tables(&self) -> Vec<&Arc<TableInfo>> {
        let mut all: Vec<_> = self.relations.values().collect();
        all.sort_by(|a, b| (&a.name, a.oid).cmp(&(&b.name, b.oid)));
        all
    }
}

/// Puts `value` at `index`, which is at most one past the end once all are there.
fn put(columns: &mut Vec<ColumnInfo>, index: usize, value: ColumnInfo) {
    if let Some(old) = columns.get_mut(index) {
        let default = old.default.take();
        *old = ColumnInfo { default, ..value };
        return;
    }
    // A scan may meet columns out of order.
    let gap = ColumnInfo {
        name: String::new(),
        ty: Oid::NONE,
        typmod: -1,
        not_null: false,
        default: None,
        identity: 0,
        generated: 0,
        dropped: false,
        acl: None,
    };
    columns.resize(index, gap);
    columns.push(value);
}
