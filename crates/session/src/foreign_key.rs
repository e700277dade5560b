//! Foreign keys: what changed rows ask for at the end of a statement, or at COMMIT.

use std::collections::VecDeque;

use catalog::{ForeignKey, TableInfo};
use exec::{Event, Found, Handles};
use plan::TableRef;
use storage::RowId;
use storage::lock::Mode;
use storage::table::RowState;
use syntax::ast::IsolationLevel;
use syntax::quote_ident;
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::session::Session;

/// Whether deferrable constraints wait for COMMIT.
#[derive(Default)]
pub(crate) struct Deferral {
    /// What SET CONSTRAINTS ALL said.
    all: Option<bool>,
    /// What it said of single ones, by OID.
    some: Vec<(Oid, bool)>,
    /// What waits.
    pub events: Vec<Event>,
}

impl Deferral {
    fn is_deferred(&self, constraint: Oid, deferrable: bool, deferred: bool) -> bool {
        let said = self.some.iter().rev().find(|s| s.0 == constraint).map(|s| s.1).or(self.all);
        deferrable && said.unwrap_or(deferred)
    }

    /// SET CONSTRAINTS.
    pub fn set(&mut self, constraints: &[Oid], deferred: bool) {
        if constraints.is_empty() {
            (self.all, self.some) = (Some(deferred), Vec::new());
        }
        self.some.extend(constraints.iter().map(|&c| (c, deferred)));
    }
}

fn constraint_of(event: &Event) -> Oid {
    match event {
        Event::Refers { constraint, .. } | Event::Referred { constraint, .. } => *constraint,
        Event::Unique { .. } => Oid::NONE,
    }
}

/// `value` as a column of type `to` holds it: integers of another width.
fn as_column(value: &Datum, to: Oid) -> Option<Datum> {
    let n = match value {
        Datum::I16(n) => i64::from(*n),
        Datum::I32(n) if to != oid::DATE => i64::from(*n),
        Datum::I64(n) if matches!(to, oid::INT2 | oid::INT4 | oid::INT8) => *n,
        other => return Some(other.clone()),
    };
    match to {
        oid::INT2 => i16::try_from(n).ok().map(Datum::I16),
        oid::INT4 => i32::try_from(n).ok().map(Datum::I32),
        oid::INT8 => Some(Datum::I64(n)),
        _ => Some(value.clone()),
    }
}

/// `(a, b)=(1, x)`.
fn shown_key(table: &TableInfo, columns: &[usize], key: &[Datum], settings: &types::IoSettings) -> String {
    let names: Vec<&str> = columns.iter().map(|&c| &*table.columns[c].name).collect();
    let value = |(&c, d): (&usize, &Datum)| match d {
        Datum::Null => "null".to_owned(),
        d => types::io::to_text(table.columns[c].ty, d, settings).unwrap_or_default(),
    };
    let values: Vec<String> = columns.iter().zip(key).map(value).collect();
    format!("({})=({})", names.join(", "), values.join(", "))
}

/// A table's name for internal statements.
fn qualified(image: &catalog::Image, table: &TableInfo) -> String {
    format!("{}.{}", quote_ident(image.namespace_name(table.namespace)), quote_ident(&table.name))
}

impl Session {
    /// Does what changed rows asked for, and what that asks for in turn. Deferred constraints wait, unless `commit`.
    pub(crate) fn run_events(&mut self, events: Vec<Event>, commit: bool) -> Result<()> {
        let mut queue = VecDeque::from(events);
        while let Some(event) = queue.pop_front() {
            let image = self.image()?;
            if let Event::Unique { index, row, key } = &event {
                self.check_unique(*index, *row, key, commit)?;
                continue;
            }
            let constraint = constraint_of(&event);
            let Some(child) = image.table_of_constraint(constraint).cloned() else { continue };
            let Some(key) = child.foreign_keys.iter().find(|k| k.oid == constraint).cloned() else { continue };
            let Some(parent) = image.by_oid(key.target).cloned() else { continue };
            // RESTRICT never waits.
            let restrict = match &event {
                Event::Referred { new: Some(_), .. } => key.on_update == b'r',
                Event::Referred { new: None, .. } => key.on_delete == b'r',
                Event::Refers { .. } | Event::Unique { .. } => false,
            };
            if !commit && !restrict && self.deferral.is_deferred(key.oid, key.deferrable, key.deferred) {
                self.deferral.events.push(event);
                continue;
            }
            match event {
                Event::Refers { key: values, .. } => self.check_reference(&child, &parent, &key, &values)?,
                Event::Referred { old, new, .. } => {
                    queue.extend(self.act(&child, &parent, &key, &old, new.as_deref())?);
                }
                Event::Unique { .. } => {}
            }
        }
        Ok(())
    }

    /// Checks that no other row has the key of `row` in a unique index, now or at COMMIT, as its constraint says.
    fn check_unique(&mut self, index: Oid, row: RowId, key: &[u8], commit: bool) -> Result<()> {
        let image = self.image()?;
        let Some(info) = image.table_of_index(index) else { return Ok(()) };
        let Some(own) = info.indexes.iter().find(|i| i.oid == index) else { return Ok(()) };
        let deferred = own.constraint.is_some_and(|c| self.deferral.is_deferred(c.oid, c.deferrable, c.deferred));
        if !commit && deferred {
            self.deferral.events.push(Event::Unique { index, row, key: key.to_vec() });
            return Ok(());
        }
        let table: TableRef = binder::table_ref(&image, info)?;
        let Some(number) = table.indexes.iter().position(|i| i.oid == index) else { return Ok(()) };
        let mut execution = self.with_latest(|s| s.execution(true, true))?;
        self.with_context(&mut execution, &[], |ctx| {
            let handles = Handles::open(ctx, &table)?;
            let unique = &table.indexes[number];
            let mut encoded = Vec::new();
            loop {
                ctx.check_interrupts()?;
                let tree = &handles.trees[number];
                let found = exec::find_key(ctx, &handles.storage, tree, &table, unique, key, Some(row))?;
                match found {
                    None => return Ok(()),
                    Some(Found::Wait(other)) => ctx.txn.wait_for(&other, ctx.lock_policy())?,
                    Some(Found::Conflict(_)) => {
                        let mut snapshot = ctx.txn.snapshot();
                        snapshot.command = u32::MAX;
                        // It may be gone, or have another key by now.
                        let Some(values) = handles.storage.read_datums(row, &snapshot)? else { return Ok(()) };
                        let value = |c: usize| values[c].clone();
                        exec::encode_key(&mut encoded, &table, unique, &value, ctx)?;
                        if encoded != key {
                            return Ok(());
                        }
                        return Err(exec::violation(&table, unique, &value, ctx));
                    }
                }
            }
        })
    }

    /// Checks that the row that `values` refer to is there, and keeps it there.
    fn check_reference(
        &mut self,
        child: &TableInfo,
        parent: &TableInfo,
        key: &ForeignKey,
        values: &[Datum],
    ) -> Result<()> {
        if self.is_referenced(parent, key, values)? {
            return Ok(());
        }
        let message =
            format!("insert or update on table \"{}\" violates foreign key constraint \"{}\"", child.name, key.name);
        let schema = self.image()?.namespace_name(child.namespace).to_owned();
        let error = SqlError::new(SqlState::FOREIGN_KEY_VIOLATION, message).constraint(&schema, &child.name, &key.name);
        if values.iter().any(Datum::is_null) {
            return Err(error.detail("MATCH FULL does not allow mixing of null and nonnull key values."));
        }
        let shown = shown_key(child, &key.columns, values, &self.settings.io);
        Err(error.detail(format!("Key {shown} is not present in table \"{}\".", parent.name)))
    }

    /// Settles what a large statement has asked so far and is already so: references whose row is there. They need not be kept until its
    /// end, since whoever deletes that row later asks in turn. The rest stays.
    pub(crate) fn settle_references(&mut self, events: &mut Vec<Event>) -> Result<()> {
        let mut kept = Vec::new();
        for event in std::mem::take(events) {
            let image = self.image()?;
            let constraint = constraint_of(&event);
            let child = image.table_of_constraint(constraint).cloned();
            let key = child.as_ref().and_then(|c| c.foreign_keys.iter().find(|k| k.oid == constraint));
            let settled = match (&event, key, key.and_then(|k| image.by_oid(k.target))) {
                (Event::Refers { key: values, .. }, Some(key), Some(parent)) => {
                    self.is_referenced(parent, key, values)?
                }
                _ => false,
            };
            if !settled {
                kept.push(event);
            }
        }
        *events = kept;
        Ok(())
    }

    /// Whether the row that `values` refer to is there; it is kept there.
    fn is_referenced(&mut self, parent: &TableInfo, key: &ForeignKey, values: &[Datum]) -> Result<bool> {
        if values.iter().any(Datum::is_null) {
            return Ok(false);
        }
        let image = self.image()?;
        let table: TableRef = binder::table_ref(&image, parent)?;
        let Some(number) = table.indexes.iter().position(|i| i.oid == key.index) else {
            return Err(SqlError::internal(format!("foreign key {} has no index", key.name)));
        };
        // The index's columns may come in another order than the key's.
        let mut row = vec![Datum::Null; table.columns.len()];
        for (&target, value) in key.target_columns.iter().zip(values) {
            match as_column(value, table.columns[target].ty) {
                Some(value) => row[target] = value,
                None => return Ok(false),
            }
        }
        let mut execution = self.with_latest(|s| s.execution(true, true))?;
        self.with_context(&mut execution, &[], |ctx| {
            let handles = Handles::open(ctx, &table)?;
            let index = &table.indexes[number];
            let mut encoded = Vec::new();
            exec::encode_key(&mut encoded, &table, index, &|c| row[c].clone(), ctx)?;
            loop {
                ctx.check_interrupts()?;
                let tree = &handles.trees[number];
                let found = exec::find_key(ctx, &handles.storage, tree, &table, index, &encoded, None)?;
                tree.rel().count_scan(ctx.txn.owner(), 1, found.is_some().into());
                match found {
                    None => return Ok(false),
                    Some(Found::Wait(other)) => ctx.txn.wait_for(&other, ctx.lock_policy())?,
                    Some(Found::Conflict(id)) => {
                        let mut snapshot = ctx.txn.snapshot();
                        // What this very statement wrote counts as well.
                        snapshot.command = u32::MAX;
                        let policy = ctx.lock_policy();
                        match handles.storage.lock_row(ctx.txn, &snapshot, id, Mode::ForKeyShare, policy)? {
                            RowState::Done | RowState::SelfModified => return Ok(true),
                            RowState::Busy(other) => ctx.txn.wait_for(&other, policy)?,
                            RowState::Updated | RowState::Deleted | RowState::Gone => {}
                        }
                    }
                }
            }
        })
    }

    /// A row that may be referred to is gone, or has another key: does what the key says; what that asks for.
    fn act(
        &mut self,
        child: &TableInfo,
        parent: &TableInfo,
        key: &ForeignKey,
        old: &[Datum],
        new: Option<&[Datum]>,
    ) -> Result<Vec<Event>> {
        let image = self.image()?;
        let (child_name, parent_name) = (qualified(&image, child), qualified(&image, parent));
        let types: Vec<Oid> = key.target_columns.iter().map(|&c| parent.columns[c].ty).collect();
        let test = |columns: &[usize], table: &TableInfo| {
            let one = |(i, &c): (usize, &usize)| format!("{} = ${}", quote_ident(&table.columns[c].name), i + 1);
            columns.iter().enumerate().map(one).collect::<Vec<_>>().join(" AND ")
        };
        let condition = test(&key.columns, child);
        let action = if new.is_some() { key.on_update } else { key.on_delete };
        match action {
            b'c' | b'n' | b'd' => {
                let sets = |value: &dyn Fn(usize) -> String, columns: &[usize]| {
                    let one =
                        |(i, &c): (usize, &usize)| format!("{} = {}", quote_ident(&child.columns[c].name), value(i));
                    columns.iter().enumerate().map(one).collect::<Vec<_>>().join(", ")
                };
                let own =
                    if new.is_none() && !key.delete_columns.is_empty() { &key.delete_columns } else { &key.columns };
                let sql = match (action, new) {
                    (b'c', None) => format!("DELETE FROM ONLY {child_name} WHERE {condition}"),
                    (b'c', Some(_)) => {
                        let value = |i: usize| format!("${}", key.columns.len() + i + 1);
                        format!("UPDATE ONLY {child_name} SET {} WHERE {condition}", sets(&value, &key.columns))
                    }
                    (b'n', _) => {
                        format!("UPDATE ONLY {child_name} SET {} WHERE {condition}", sets(&|_| "NULL".to_owned(), own))
                    }
                    _ => format!(
                        "UPDATE ONLY {child_name} SET {} WHERE {condition}",
                        sets(&|_| "DEFAULT".to_owned(), own)
                    ),
                };
                let (mut params, mut param_types) = (old.to_vec(), types.clone());
                if let (b'c', Some(new)) = (action, new) {
                    params.extend_from_slice(new);
                    param_types.extend_from_slice(&types);
                }
                let listed = format!("SELECT ctid FROM ONLY {child_name} WHERE {condition}");
                let outcome = self.change_referring((&listed, old), (&sql, &params), &param_types);
                outcome.map_err(|e| {
                    let schema = image.namespace_name(child.namespace);
                    e.context(format!(
                        "SQL statement \"{}\"",
                        shown_action(schema, child, key, action, new.is_some(), own)
                    ))
                })
            }
            _ => {
                if action == b'a' {
                    // Another row may have the key by now.
                    let again = test(&key.target_columns, parent);
                    let sql = format!("SELECT 1 FROM ONLY {parent_name} WHERE {again} FOR KEY SHARE");
                    if !self.internal(&sql, old, &types)?.0.is_empty() {
                        return Ok(Vec::new());
                    }
                }
                let sql = format!("SELECT 1 FROM ONLY {child_name} WHERE {condition} FOR KEY SHARE");
                if self.internal(&sql, old, &types)?.0.is_empty() {
                    return Ok(Vec::new());
                }
                let shown = shown_key(parent, &key.target_columns, old, &self.settings.io);
                let schema = image.namespace_name(child.namespace);
                let (state, setting, still) = match action {
                    b'r' => (SqlState::RESTRICT_VIOLATION, "RESTRICT setting of ", ""),
                    _ => (SqlState::FOREIGN_KEY_VIOLATION, "", "still "),
                };
                let message = format!(
                    "update or delete on table \"{}\" violates {setting}foreign key constraint \"{}\" on table \"{}\"",
                    parent.name, key.name, child.name
                );
                Err(SqlError::new(state, message)
                    .detail(format!("Key {shown} is {still}referenced from table \"{}\".", child.name))
                    .constraint(schema, &child.name, &key.name))
            }
        }
    }

    /// Changes the rows that `listed` finds by `sql`; what that asks for. Rows that a transaction with a fixed snapshot does not see must not
    /// change, and those that others have changed meanwhile do not let it.
    fn change_referring(
        &mut self,
        listed: (&str, &[Datum]),
        sql: (&str, &[Datum]),
        types: &[Oid],
    ) -> Result<Vec<Event>> {
        if self.isolation == IsolationLevel::ReadCommitted {
            return Ok(self.internal(sql.0, sql.1, types)?.1);
        }
        let own = &types[..listed.1.len()];
        let seen = self.internal_in_transaction(listed.0, listed.1, own)?.0;
        if self.internal(listed.0, listed.1, own)?.0.iter().any(|row| !seen.contains(row)) {
            let message = "could not serialize access due to concurrent update";
            return Err(SqlError::new(SqlState::SERIALIZATION_FAILURE, message));
        }
        Ok(self.internal_in_transaction(sql.0, sql.1, types)?.1)
    }

    /// Checks that every row of `child` refers to a row of `parent`.
    pub(crate) fn validate_reference(&mut self, child: &TableInfo, parent: &TableInfo, key: &ForeignKey) -> Result<()> {
        let image = self.image()?;
        let column =
            |alias: &str, table: &TableInfo, c: usize| format!("{alias}.{}", quote_ident(&table.columns[c].name));
        let pairs: Vec<(String, String)> = key
            .columns
            .iter()
            .zip(&key.target_columns)
            .map(|(&c, &t)| (column("fk", child, c), column("pk", parent, t)))
            .collect();
        let join = pairs.iter().map(|(f, p)| format!("{p} = {f}")).collect::<Vec<_>>().join(" AND ");
        let not_null: Vec<String> = pairs.iter().map(|(f, _)| format!("{f} IS NOT NULL")).collect();
        let word = if key.match_type == b'f' { " OR " } else { " AND " };
        let list = pairs.iter().map(|(f, _)| f.clone()).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT {list} FROM ONLY {} fk LEFT OUTER JOIN ONLY {} pk ON ({join}) WHERE {} IS NULL AND ({}) LIMIT 1",
            qualified(&image, child),
            qualified(&image, parent),
            pairs[0].1,
            not_null.join(word)
        );
        let (rows, _) = self.internal(&sql, &[], &[])?;
        let Some(row) = rows.first() else { return Ok(()) };
        let message =
            format!("insert or update on table \"{}\" violates foreign key constraint \"{}\"", child.name, key.name);
        let detail = if row.iter().any(Datum::is_null) {
            "MATCH FULL does not allow mixing of null and nonnull key values.".to_owned()
        } else {
            let shown = shown_key(child, &key.columns, row, &self.settings.io);
            format!("Key {shown} is not present in table \"{}\".", parent.name)
        };
        let schema = image.namespace_name(child.namespace);
        Err(SqlError::new(SqlState::FOREIGN_KEY_VIOLATION, message).detail(detail).constraint(
            schema,
            &child.name,
            &key.name,
        ))
    }
}

/// The statement by which PostgreSQL does what a key says, as its errors show it; `own` are the columns that it sets.
fn shown_action(schema: &str, child: &TableInfo, key: &ForeignKey, action: u8, update: bool, own: &[usize]) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let column = |c: usize| quoted(&child.columns[c].name);
    let table = format!("{}.{}", quoted(schema), quoted(&child.name));
    let cascades = action == b'c';
    let first = if cascades && update { own.len() } else { 0 };
    let tests = (1..).zip(&key.columns);
    let tests: Vec<String> =
        tests.map(|(n, &c)| format!("${} OPERATOR(pg_catalog.=) {}", first + n, column(c))).collect();
    let condition = tests.join(" AND ");
    if cascades && !update {
        return format!("DELETE FROM ONLY {table} WHERE {condition}");
    }
    let value = |n: usize| match action {
        b'c' => format!("${n}"),
        b'n' => "NULL".to_owned(),
        _ => "DEFAULT".to_owned(),
    };
    let sets: Vec<String> = (1..).zip(own).map(|(n, &c)| format!("{} = {}", column(c), value(n))).collect();
    format!("UPDATE ONLY {table} SET {} WHERE {condition}", sets.join(", "))
}
