//! Objects in words: `pg_get_indexdef`, `pg_get_constraintdef`, `pg_get_expr` and their kin.

pub(crate) mod function;

use binder::Binder;
use catalog::stored::{self, PG_CONSTRAINT, PG_DESCRIPTION, PG_SHDESCRIPTION};
use catalog::{Fields, builtin};
use ext::host::Describe;
use storage::table::Table;
use syntax::quote_ident;
use types::io::TypeLookup;
use types::{Oid, Result, SqlError, oid};

use self::function::Arguments;
use crate::host::SessionHost;

/// What `what` says of `object`; `None` is NULL.
pub(crate) fn describe(
    host: &SessionHost<'_>,
    what: Describe,
    object: Oid,
    number: i32,
    text: &str,
    pretty: bool,
) -> Result<Option<String>> {
    match what {
        Describe::Index => index(host, object, number, pretty),
        Describe::Constraint => constraint(host, object, pretty),
        Describe::Expression => {
            if text.is_empty() {
                return Ok(None);
            }
            let io = host.settings.io.clone();
            let binder = Binder::new(host.image, "", &io, host.search_path);
            let table = host.image.by_oid(object).map(|t| &**t);
            let parts = text.split(catalog::EXPRESSION_SEPARATOR).map(|t| binder.shown(t, table, pretty));
            Ok(Some(parts.collect::<Result<Vec<_>>>()?.join(", ")))
        }
        Describe::Role => Ok(Some(match host.runtime.role_by_oid(object)? {
            Some(role) => role.name.clone(),
            None => format!("unknown (OID={})", object.0),
        })),
        Describe::Comment => comment(host, object, 0, text),
        Describe::ColumnComment => comment(host, object, number, "pg_class"),
        Describe::SharedComment => shared_comment(host, object, text),
        Describe::SerialSequence => serial_sequence(host, text),
        Describe::FunctionArguments => Ok(function::arguments(host, object, Arguments::All)),
        Describe::FunctionIdentityArguments => Ok(function::arguments(host, object, Arguments::Identity)),
        Describe::FunctionResult => Ok(function::result(host, object)),
        Describe::Function => function::definition(host, object),
        Describe::RelationFilePath => Ok(None),
        // Nothing of these kinds can be made yet.
        Describe::View => {
            let Some(info) = host.image.by_oid(object) else { return Ok(None) };
            let Some(text) = info.view.clone() else { return Ok(None) };
            let names = info.columns.iter().map(|c| c.name.clone()).collect();
            let io = host.settings.io.clone();
            let binder = Binder::new(host.image, "", &io, host.search_path);
            binder.view_shown(&text, names, pretty).map(Some)
        }
        Describe::FunctionArgumentDefault => Ok(function::argument_default(host, object, number)),
        Describe::FunctionSqlBody => function::sql_body(host, object),
        Describe::Trigger
        | Describe::Rule
        | Describe::Statistics
        | Describe::StatisticsColumns
        | Describe::PartitionKey
        | Describe::PartitionConstraint
        | Describe::Object => Ok(None),
    }
}

fn columns(info: &catalog::TableInfo, list: &[usize]) -> String {
    let name = |&i: &usize| info.columns.get(i).map_or(String::new(), |c| quote_ident(&c.name));
    list.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// `pg_get_indexdef`: all of an index, or its column `number`.
fn index(host: &SessionHost<'_>, object: Oid, number: i32, pretty: bool) -> Result<Option<String>> {
    let Some(info) = host.image.table_of_index(object) else { return Ok(None) };
    let Some(index) = info.indexes.iter().find(|i| i.oid == object) else { return Ok(None) };
    let io = host.settings.io.clone();
    let binder = Binder::new(host.image, "", &io, host.search_path);
    let name = |i: usize| match index.columns[i].0.checked_sub(catalog::KEY_EXPRESSION) {
        Some(n) => binder.shown_key(&index.expressions[n], info, pretty),
        None => Ok(columns(info, &[index.columns[i].0])),
    };
    if number > 0 {
        let place = number as usize - 1;
        if place < index.columns.len() {
            return name(place).map(Some);
        }
        let carried = index.include.get(place - index.columns.len());
        return Ok(Some(carried.map_or(String::new(), |&c| columns(info, &[c]))));
    }
    let key = |i: usize| {
        let k = &index.columns[i];
        let order = match (k.1, k.2) {
            (false, false) | (true, true) => "",
            (false, true) => " NULLS FIRST",
            (true, false) => " NULLS LAST",
        };
        let direction = if k.1 { " DESC" } else { "" };
        let (collation, class) = class_of(info, index, i);
        Ok(format!("{}{collation}{class}{direction}{order}", name(i)?))
    };
    let keys = (0..index.columns.len()).map(key).collect::<Result<Vec<_>>>()?;
    let names = binder::Names { image: host.image, search_path: host.search_path };
    let schema = host.image.namespace_name(info.namespace);
    // Pretty, it names no more than it must.
    let table = match pretty {
        true => names.relation_name(info.oid).unwrap_or_default(),
        false => format!("{}.{}", quote_ident(schema), quote_ident(&info.name)),
    };
    let mut text = format!(
        "CREATE {}INDEX {} ON {table} USING {} ({})",
        if index.unique { "UNIQUE " } else { "" },
        quote_ident(&index.name),
        if index.method == Oid(405) { "hash" } else { "btree" },
        keys.join(", "),
    );
    if !index.include.is_empty() {
        text += &format!(" INCLUDE ({})", columns(info, &index.include));
    }
    if index.nulls_not_distinct {
        text += " NULLS NOT DISTINCT";
    }
    if let Some(predicate) = &index.predicate {
        text += &format!(" WHERE {}", binder.shown(predicate, Some(info), pretty)?);
    }
    Ok(Some(text))
}

/// The collation and the operator class of column `i` of an index, where they are not those of its type.
fn class_of(info: &catalog::TableInfo, index: &catalog::IndexInfo, i: usize) -> (String, String) {
    let mut collation = String::new();
    if let Some(&own) = index.collations.get(i)
        && let Some(name) = [(950, "C"), (951, "POSIX"), (962, "ucs_basic")].iter().find(|c| c.0 == own.0)
        && info.columns.get(index.columns[i].0).is_none_or(|c| c.ty != oid::NAME)
    {
        collation = format!(" COLLATE {}", quote_ident(name.1));
    }
    let class = index.classes.get(i).and_then(|&c| builtin::opclass_by_oid(c)).filter(|c| !c.is_default);
    (collation, class.map_or(String::new(), |c| format!(" {}", quote_ident(c.name))))
}

/// The action of a foreign key as SQL; nothing for NO ACTION.
fn action(event: &str, code: u8) -> String {
    let word = match code {
        b'r' => "RESTRICT",
        b'c' => "CASCADE",
        b'n' => "SET NULL",
        b'd' => "SET DEFAULT",
        _ => return String::new(),
    };
    format!(" ON {event} {word}")
}

fn constraint(host: &SessionHost<'_>, object: Oid, pretty: bool) -> Result<Option<String>> {
    if let Some(domain) = host.image.domain_of_constraint(object) {
        let Some(check) = domain.checks.iter().find(|c| c.oid == object) else {
            return Ok(Some("NOT NULL".to_owned()));
        };
        let io = host.settings.io.clone();
        let binder = Binder::new(host.image, "", &io, host.search_path);
        let condition = binder.domain_shown(&check.condition, domain.base, domain.typmod, pretty)?;
        let mut valid = true;
        each(host, PG_CONSTRAINT, false, |row| {
            if row.oid("oid") == object {
                valid = row.bool("convalidated");
            }
        })?;
        return Ok(Some(format!("CHECK ({condition}){}", if valid { "" } else { " NOT VALID" })));
    }
    let Some(info) = host.image.table_of_constraint(object) else { return Ok(None) };
    if let Some(key) = info.foreign_keys.iter().find(|k| k.oid == object) {
        let Some(target) = host.image.by_oid(key.target) else { return Ok(None) };
        let binder = binder::Names { image: host.image, search_path: host.search_path };
        let target_name = binder.relation_name(key.target).unwrap_or_default();
        let mut text = format!(
            "FOREIGN KEY ({}) REFERENCES {target_name}({})",
            columns(info, &key.columns),
            columns(target, &key.target_columns)
        );
        if key.match_type == b'f' {
            text.push_str(" MATCH FULL");
        }
        text += &action("UPDATE", key.on_update);
        text += &action("DELETE", key.on_delete);
        if !key.delete_columns.is_empty() {
            text += &format!(" ({})", columns(info, &key.delete_columns));
        }
        if key.deferrable {
            text.push_str(" DEFERRABLE");
        }
        if key.deferred {
            text.push_str(" INITIALLY DEFERRED");
        }
        return Ok(Some(text));
    }
    if let Some(check) = info.checks.iter().find(|c| c.oid == object) {
        let io = host.settings.io.clone();
        let binder = Binder::new(host.image, "", &io, host.search_path);
        let condition = binder.shown(&check.condition, Some(info), pretty)?;
        return Ok(Some(format!("CHECK ({condition})")));
    }
    // A key: its row names the index; a NOT NULL constraint names its column.
    let mut found = None;
    each(host, PG_CONSTRAINT, false, |row| {
        if row.oid("oid") == object {
            found = Some((row.char("contype"), row.oid("conindid"), row.numbers("conkey")));
        }
    })?;
    let Some((kind, index, key)) = found else { return Ok(None) };
    let key: Vec<usize> = key.iter().map(|&n| n as usize - 1).collect();
    let index = info.indexes.iter().find(|i| i.oid == index);
    let mut rest = String::new();
    if let Some(index) = index {
        if !index.include.is_empty() {
            rest = format!(" INCLUDE ({})", columns(info, &index.include));
        }
        if index.constraint.is_some_and(|c| c.deferrable) {
            rest += " DEFERRABLE";
        }
        if index.constraint.is_some_and(|c| c.deferred) {
            rest += " INITIALLY DEFERRED";
        }
    }
    Ok(match kind {
        b'p' => Some(format!("PRIMARY KEY ({}){rest}", columns(info, &key))),
        b'u' => {
            let word = if index.is_some_and(|i| i.nulls_not_distinct) { " NULLS NOT DISTINCT" } else { "" };
            Some(format!("UNIQUE{word} ({}){rest}", columns(info, &key)))
        }
        b'n' => Some(format!("NOT NULL {}", columns(info, &key))),
        _ => None,
    })
}

/// Calls `f` with every stored row of a catalog table, as the statement sees it.
fn each(host: &SessionHost<'_>, relation: Oid, shared: bool, mut f: impl FnMut(Fields<'_>)) -> Result<()> {
    let db = if shared { host.runtime.shared()? } else { host.db.clone() };
    let table: Table = stored::table(&db, relation)?;
    table.for_each::<SqlError>(host.snapshot, |_, row| {
        f(Fields { relation, row: &row });
        Ok(())
    })
}

fn comment(host: &SessionHost<'_>, object: Oid, number: i32, catalog: &str) -> Result<Option<String>> {
    let class = builtin::relation_by_name(catalog).map(|r| r.oid);
    if !catalog.is_empty() && class.is_none() {
        return Ok(None);
    }
    let mut found = None;
    each(host, PG_DESCRIPTION, false, |row| {
        let same = class.is_none_or(|c| row.oid("classoid") == c);
        if same && row.oid("objoid") == object && row.int("objsubid") == i64::from(number) {
            found = Some(row.text("description"));
        }
    })?;
    if found.is_some() {
        return Ok(found);
    }
    let fixed = catalog::rows::of(PG_DESCRIPTION).iter().map(|row| Fields { relation: PG_DESCRIPTION, row });
    let mut matching = fixed.filter(|row| {
        row.oid("objoid") == object
            && class.is_none_or(|c| row.oid("classoid") == c)
            && row.int("objsubid") == i64::from(number)
    });
    Ok(matching.next().map(|row| row.text("description")))
}

fn shared_comment(host: &SessionHost<'_>, object: Oid, catalog: &str) -> Result<Option<String>> {
    let class = builtin::relation_by_name(catalog).map(|r| r.oid);
    let mut found = None;
    each(host, PG_SHDESCRIPTION, true, |row| {
        if Some(row.oid("classoid")) == class && row.oid("objoid") == object {
            found = Some(row.text("description"));
        }
    })?;
    Ok(found)
}

/// `text` is a table's name and a column's, NUL between.
fn serial_sequence(host: &SessionHost<'_>, text: &str) -> Result<Option<String>> {
    let (table, column) = text.split_once('\0').unwrap_or((text, ""));
    let names = binder::Names { image: host.image, search_path: host.search_path };
    let Some(oid) = names.reg_in(oid::REGCLASS, table)? else { return Ok(None) };
    let Some(info) = host.image.by_oid(oid) else { return Ok(None) };
    let Some(number) = info.columns.iter().position(|c| c.name == column) else {
        let message = format!("column \"{column}\" of relation \"{}\" does not exist", info.name);
        return Err(SqlError::new(types::SqlState::UNDEFINED_COLUMN, message));
    };
    let mut found = None;
    each(host, stored::PG_DEPEND, false, |row| {
        let owns = row.oid("refclassid") == stored::PG_CLASS
            && row.oid("refobjid") == oid
            && row.int("refobjsubid") == number as i64 + 1
            && row.oid("classid") == stored::PG_CLASS
            && matches!(row.char("deptype"), b'a' | b'i');
        if owns && host.image.by_oid(row.oid("objid")).is_some_and(|t| t.kind == b'S') {
            found = Some(row.oid("objid"));
        }
    })?;
    Ok(found.and_then(|oid| host.image.relation_name(oid)).map(|(namespace, name)| {
        format!("{}.{}", quote_ident(host.image.namespace_name(namespace)), quote_ident(name))
    }))
}
