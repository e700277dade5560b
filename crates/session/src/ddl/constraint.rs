//! Constraints: CHECK, UNIQUE, PRIMARY KEY, FOREIGN KEY, NOT NULL, and their rows in `pg_constraint`.

use binder::Binder;
use catalog::stored::{self, PG_CONSTRAINT};
use catalog::{ForeignKey, TableInfo};
use storage::lock::Mode;
use syntax::ast::{self, Constraint, ConstraintKind, ForeignKeyAction, ForeignKeyMatch, IndexConstraint, Pos};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use super::depend::Address;
use super::index::{NewIndex, NewKey};
use super::table::Placed;
use super::{names, refuse};
use crate::session::Session;

fn action_code(action: ForeignKeyAction) -> u8 {
    match action {
        ForeignKeyAction::NoAction => b'a',
        ForeignKeyAction::Restrict => b'r',
        ForeignKeyAction::Cascade => b'c',
        ForeignKeyAction::SetNull => b'n',
        ForeignKeyAction::SetDefault => b'd',
    }
}

/// The columns called `list`; what is missing is named as PostgreSQL does for a `what`.
fn columns_of(info: &TableInfo, list: &[ast::Name], what: &str, pos: Pos, sql: &str) -> Result<Vec<usize>> {
    let mut found = Vec::new();
    for name in list {
        let index = info.columns.iter().position(|c| c.name == name.as_str()).ok_or_else(|| {
            let message = format!("column \"{}\" {what}", name.as_str());
            SqlError::new(SqlState::UNDEFINED_COLUMN, message).at(pos.char_position(sql))
        })?;
        found.push(index);
    }
    Ok(found)
}

/// Fails when an index cannot become that of a constraint.
fn check_adopted(index: &catalog::IndexInfo, at: Option<u32>, deferrable: bool) -> Result<()> {
    let wrong = |what: &str| {
        SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("index \"{}\" {what}", index.name))
            .detail("Cannot create a primary key or unique constraint using such an index.")
            .at(at)
    };
    if index.constraint.is_some() {
        let message = format!("index \"{}\" is already associated with a constraint", index.name);
        return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message).at(at));
    }
    if !index.expressions.is_empty() {
        return Err(wrong("contains expressions"));
    }
    if index.predicate.is_some() {
        return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{}\" is a partial index", index.name))
            .detail("Cannot create a primary key or unique constraint using such an index.")
            .at(at));
    }
    let plain = |k: &(usize, bool, bool)| !k.1 && !k.2;
    if !index.columns.iter().all(plain) && !deferrable {
        return Err(wrong("does not have default sorting behavior"));
    }
    Ok(())
}

/// A row of `pg_constraint` to be made.
struct NewConstraint<'a> {
    name: &'a str,
    kind: u8,
    table: &'a TableInfo,
    columns: &'a [usize],
    index: Oid,
    deferrable: bool,
    deferred: bool,
    condition: Option<&'a str>,
    reference: Option<&'a ForeignKey>,
    valid: bool,
}

impl Session {
    /// Adds constraints to a table: those that the other ones may rest on first.
    pub(super) fn add_constraints(
        &mut self,
        sql: &str,
        table: Oid,
        constraints: &[Placed<'_>],
        new: bool,
    ) -> Result<()> {
        let rank = |c: &Constraint| match c.kind {
            ConstraintKind::PrimaryKey(_) => 0,
            ConstraintKind::Unique(_) => 1,
            ConstraintKind::Check(_) => 2,
            _ => 3,
        };
        let mut ordered: Vec<&Placed<'_>> = constraints.iter().collect();
        ordered.sort_by_key(|(c, _)| rank(c));
        for (c, own) in ordered {
            self.add_constraint(sql, table, c, *own, new)?;
        }
        Ok(())
    }

    /// Adds one constraint, written on column `own` or on the table.
    pub(super) fn add_constraint(
        &mut self,
        sql: &str,
        table: Oid,
        c: &Constraint,
        own: Option<usize>,
        new: bool,
    ) -> Result<()> {
        if c.not_enforced {
            return refuse("NOT ENFORCED", c.pos, sql);
        }
        if c.not_valid && !matches!(c.kind, ConstraintKind::ForeignKey(_) | ConstraintKind::Check(_)) {
            return refuse("NOT VALID of this kind of constraint", c.pos, sql);
        }
        match &c.kind {
            ConstraintKind::PrimaryKey(key) => self.add_key(sql, table, c, key, own, true, new),
            ConstraintKind::Unique(key) => self.add_key(sql, table, c, key, own, false, new),
            ConstraintKind::Check(e) => self.add_check(sql, table, c, e, own, new),
            ConstraintKind::ForeignKey(key) => self.add_foreign_key(sql, table, c, key, own, new),
            ConstraintKind::NotNull(Some(name)) if !new => {
                let info = self.info(table)?;
                let what = format!("of relation \"{}\" does not exist", info.name);
                let list = columns_of(&info, std::slice::from_ref(name), &what, c.pos, sql)?;
                self.set_not_null(table, list[0])?;
                self.add_not_null_constraint(table, list[0], c.name.as_ref().map(|n| n.as_str()))
            }
            ConstraintKind::NotNull(_) | ConstraintKind::Null => Ok(()),
            ConstraintKind::Exclude(_) => refuse("EXCLUDE", c.pos, sql),
            ConstraintKind::Default(_) | ConstraintKind::Identity { .. } | ConstraintKind::Generated { .. } => {
                refuse("this constraint here", c.pos, sql)
            }
        }
    }

    /// Names of the constraints of a table.
    fn constraint_names(&mut self, table: Oid) -> Result<Vec<String>> {
        let rows = self.find_rows(PG_CONSTRAINT, |r| r.oid("conrelid") == table)?;
        Ok(rows.iter().map(|row| catalog::Fields { relation: PG_CONSTRAINT, row }.text("conname")).collect())
    }

    /// The name of a new constraint: the one given, if it is free, or one made of `second` and `label`.
    fn constraint_name(&mut self, info: &TableInfo, given: Option<&str>, second: &str, label: &str) -> Result<String> {
        let taken = self.constraint_names(info.oid)?;
        match given {
            Some(name) if taken.iter().any(|t| t == name) => {
                let message = format!("constraint \"{name}\" for relation \"{}\" already exists", info.name);
                Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message))
            }
            Some(name) => Ok(name.to_owned()),
            None => Ok(names::chosen(&info.name, second, label, |n| taken.iter().any(|t| t == n))),
        }
    }

    fn insert_constraint(&mut self, new: &NewConstraint<'_>) -> Result<Oid> {
        let constraint = self.new_oid()?;
        let list = |columns: &[usize]| {
            let numbers: Vec<u32> = columns.iter().map(|&c| c as u32 + 1).collect();
            stored::numbers(oid::INT2_ARRAY, &numbers)
        };
        let text = |code: u8| Datum::I8(code.cast_signed());
        let mut values = vec![
            ("oid", Datum::from(constraint)),
            ("conname", Datum::text(new.name)),
            ("connamespace", Datum::from(new.table.namespace)),
            ("contype", text(new.kind)),
            ("condeferrable", Datum::Bool(new.deferrable)),
            ("condeferred", Datum::Bool(new.deferred)),
            ("conenforced", Datum::Bool(true)),
            ("convalidated", Datum::Bool(new.valid)),
            ("conrelid", Datum::from(new.table.oid)),
            ("conindid", Datum::from(new.index)),
            ("conislocal", Datum::Bool(true)),
            ("connoinherit", Datum::Bool(matches!(new.kind, b'p' | b'u' | b'f'))),
            ("confupdtype", text(b' ')),
            ("confdeltype", text(b' ')),
            ("confmatchtype", text(b' ')),
        ];
        if !new.columns.is_empty() {
            values.push(("conkey", list(new.columns)));
        }
        if let Some(condition) = new.condition {
            values.push(("conbin", Datum::text(condition)));
        }
        if let Some(key) = new.reference {
            values.extend([
                ("confrelid", Datum::from(key.target)),
                ("confkey", list(&key.target_columns)),
                ("confupdtype", text(key.on_update)),
                ("confdeltype", text(key.on_delete)),
                ("confmatchtype", text(key.match_type)),
            ]);
            if !key.delete_columns.is_empty() {
                values.push(("confdelsetcols", list(&key.delete_columns)));
            }
        }
        self.add_row(PG_CONSTRAINT, &values)?;
        if let Some(condition) = new.condition {
            self.depend_on_text(Address::constraint(constraint), condition)?;
        }
        Ok(constraint)
    }

    /// Notes that a constraint goes with its columns, or with its table when it names none.
    fn depend_on_columns(&mut self, constraint: Oid, table: Oid, columns: &[usize], kind: u8) -> Result<()> {
        if columns.is_empty() {
            return self.depend(Address::constraint(constraint), Address::relation(table), kind);
        }
        columns.iter().try_for_each(|&c| self.depend(Address::constraint(constraint), Address::column(table, c), kind))
    }

    /// The row that says a column is NOT NULL.
    pub(super) fn add_not_null_constraint(&mut self, table: Oid, column: usize, name: Option<&str>) -> Result<()> {
        let info = self.info(table)?;
        let number = stored::numbers(oid::INT2_ARRAY, &[column as u32 + 1]);
        let there = self.find_rows(PG_CONSTRAINT, |r| {
            r.oid("conrelid") == table && r.char("contype") == b'n' && *r.get("conkey") == number
        })?;
        if !there.is_empty() {
            return Ok(());
        }
        let name = self.constraint_name(&info, name, &info.columns[column].name, "not_null")?;
        let constraint = self.insert_constraint(&NewConstraint {
            name: &name,
            kind: b'n',
            table: &info,
            columns: &[column],
            index: Oid::NONE,
            deferrable: false,
            deferred: false,
            condition: None,
            reference: None,
            valid: true,
        })?;
        self.depend_on_columns(constraint, table, &[column], b'a')
    }

    #[allow(clippy::too_many_arguments, reason = "each is a part of the constraint")]
    fn add_key(
        &mut self,
        sql: &str,
        table: Oid,
        c: &Constraint,
        key: &IndexConstraint,
        own: Option<usize>,
        primary: bool,
        new: bool,
    ) -> Result<()> {
        if key.without_overlaps || key.tablespace.as_ref().is_some_and(|t| &**t != "pg_default") {
            return refuse("WITHOUT OVERLAPS and TABLESPACE of a key", c.pos, sql);
        }
        let (deferrable, deferred) = (c.deferrable || c.initially_deferred, c.initially_deferred);
        let options = super::storage_option::check_options(&key.options, sql, super::storage_option::Of::Btree)?;
        let info = self.info(table)?;
        let mut adopted = None;
        let columns = match (own, &key.using_index) {
            (Some(i), _) => vec![i],
            (None, Some(name)) => {
                let index = info.indexes.iter().find(|i| i.name == name.as_str()).cloned().ok_or_else(|| {
                    let message = format!("index \"{}\" does not exist", name.as_str());
                    SqlError::new(SqlState::UNDEFINED_OBJECT, message).at(name.pos.char_position(sql))
                })?;
                if !index.unique {
                    let message = format!("\"{}\" is not a unique index", index.name);
                    return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message)
                        .detail("Cannot create a primary key or unique constraint using such an index."));
                }
                check_adopted(&index, c.pos.char_position(sql), deferrable)?;
                let columns = index.columns.iter().map(|k| k.0).collect();
                adopted = Some(index);
                columns
            }
            (None, None) => columns_of(&info, &key.columns, "named in key does not exist", c.pos, sql)?,
        };
        if columns.iter().any(|&c| info.columns[c].generated == b'v') {
            let kind = if primary { "primary keys" } else { "unique constraints" };
            let message = format!("{kind} on virtual generated columns are not supported");
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        let mut seen = Vec::new();
        for &column in &columns {
            if seen.contains(&column) {
                let kind = if primary { "primary key" } else { "unique" };
                let message = format!("column \"{}\" appears twice in {kind} constraint", info.columns[column].name);
                return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message).at(c.pos.char_position(sql)));
            }
            seen.push(column);
        }
        if primary && info.indexes.iter().any(|i| i.primary) {
            let message = format!("multiple primary keys for table \"{}\" are not allowed", info.name);
            let position = if new { c.pos.char_position(sql) } else { None };
            return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message).at(position));
        }
        if primary && !new {
            for &column in &columns {
                self.set_not_null(table, column)?;
                self.add_not_null_constraint(table, column, None)?;
            }
        }
        let include = match &adopted {
            Some(index) => index.include.clone(),
            None => columns_of(&info, &key.including, "named in key does not exist", c.pos, sql)?,
        };
        let all = columns.iter().chain(&include).map(|&i| info.columns[i].name.clone());
        let distinct = super::index::distinct_names(all);
        let names_text: Vec<&str> = distinct.iter().map(|n| &**n).collect();
        let name = match &c.name {
            Some(name) => name.as_str().to_owned(),
            None if primary => names::for_relation(&*self.image()?, info.namespace, &info.name, "", "pkey"),
            None => {
                names::for_relation(&*self.image()?, info.namespace, &info.name, &names::columns(&names_text), "key")
            }
        };
        let name = self.constraint_name(&info, Some(&name), "", "")?;
        let index = match adopted {
            Some(index) => {
                if c.name.is_some() {
                    let is_index = |r: catalog::Fields<'_>| r.oid("oid") == index.oid;
                    self.change_rows(stored::PG_CLASS, is_index, &[("relname", Datum::text(&name))])?;
                }
                let is_index = |r: catalog::Fields<'_>| r.oid("indexrelid") == index.oid;
                let values = [("indisprimary", Datum::Bool(primary)), ("indimmediate", Datum::Bool(!deferrable))];
                self.change_rows(stored::PG_INDEX, is_index, &values)?;
                index.oid
            }
            None => {
                self.lock_name(stored::PG_CLASS, info.namespace, &name)?;
                if self.image()?.is_taken(info.namespace, &name) {
                    let message = format!("relation \"{name}\" already exists");
                    return Err(SqlError::new(SqlState::DUPLICATE_TABLE, message));
                }
                let keys = columns.iter().map(|&c| NewKey::column(&info, c)).collect();
                let spec = NewIndex {
                    include,
                    unique: true,
                    primary,
                    nulls_not_distinct: key.nulls_not_distinct,
                    immediate: !deferrable,
                    ..NewIndex::btree(name.clone(), keys)
                };
                let index = self.make_index(table, &spec)?;
                self.keep_options(index, &options)?;
                index
            }
        };
        self.key_constraint(table, index, &name, &columns, primary, (deferrable, deferred))
    }

    /// Makes the constraint that a unique index stands for.
    pub(super) fn key_constraint(
        &mut self,
        table: Oid,
        index: Oid,
        name: &str,
        columns: &[usize],
        primary: bool,
        (deferrable, deferred): (bool, bool),
    ) -> Result<()> {
        let info = self.info(table)?;
        let constraint = self.insert_constraint(&NewConstraint {
            name,
            kind: if primary { b'p' } else { b'u' },
            table: &info,
            columns,
            index,
            deferrable,
            deferred,
            condition: None,
            reference: None,
            valid: true,
        })?;
        self.depend_on_columns(constraint, table, columns, b'a')?;
        // The index is a part of the constraint.
        self.remove_rows(stored::PG_DEPEND, |r| {
            r.oid("classid") == stored::PG_CLASS && r.oid("objid") == index && r.char("deptype") == b'a'
        })?;
        self.depend(Address::relation(index), Address::constraint(constraint), b'i')
    }

    /// Gives a new table a CHECK constraint of another one.
    pub(super) fn copy_check(&mut self, table: Oid, check: &catalog::CheckInfo) -> Result<Oid> {
        let (image, info) = (self.image()?, self.info(table)?);
        let planned = binder::bare_table_ref(&image, &info);
        let parsed = syntax::parse_expr(&check.condition)?;
        let (text, columns) = {
            let io = types::IoSettings::default();
            let mut binder = Binder::new(&image, &check.condition, &io, &[]);
            binder.check_text(&parsed, &planned).map_err(SqlError::unplaced)?
        };
        let name = self.constraint_name(&info, Some(&check.name), "", "check")?;
        let constraint = self.insert_check(&info, &name, &columns, &text, true)?;
        Ok(constraint)
    }

    /// Writes what the catalog says of a CHECK constraint; its OID.
    fn insert_check(
        &mut self,
        info: &TableInfo,
        name: &str,
        columns: &[usize],
        text: &str,
        valid: bool,
    ) -> Result<Oid> {
        let constraint = self.insert_constraint(&NewConstraint {
            name,
            kind: b'c',
            table: info,
            columns,
            index: Oid::NONE,
            deferrable: false,
            deferred: false,
            condition: Some(text),
            reference: None,
            valid,
        })?;
        self.depend_on_columns(constraint, info.oid, columns, b'a')?;
        let count = self.info(info.oid)?.checks.len() as i16;
        self.mark_class(info.oid, &[("relchecks", Datum::I16(count))])?;
        Ok(constraint)
    }

    fn add_check(
        &mut self,
        sql: &str,
        table: Oid,
        c: &Constraint,
        condition: &ast::Expr,
        own: Option<usize>,
        new: bool,
    ) -> Result<()> {
        let (image, info) = (self.image()?, self.info(table)?);
        let planned = binder::bare_table_ref(&image, &info);
        let (text, columns) = {
            let mut binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
            binder.check_text(condition, &planned)?
        };
        let second = match (own, &columns[..]) {
            (_, [one]) => info.columns[*one].name.clone(),
            (Some(own), _) => info.columns[own].name.clone(),
            _ => String::new(),
        };
        let name = self.constraint_name(&info, c.name.as_ref().map(|n| n.as_str()), &second, "check")?;
        self.insert_check(&info, &name, &columns, &text, !c.not_valid)?;
        if new || c.not_valid {
            return Ok(());
        }
        self.check_rows_satisfy(&info, &name, &text)
    }

    /// Fails when some row breaks the CHECK constraint `name`, whose condition is `text`.
    pub(super) fn check_rows_satisfy(&mut self, info: &TableInfo, name: &str, text: &str) -> Result<()> {
        if !self.has_row_where(info, &format!("NOT ({text})"))? {
            return Ok(());
        }
        let message = format!("check constraint \"{name}\" of relation \"{}\" is violated by some row", info.name);
        let schema = self.image()?.namespace_name(info.namespace).to_owned();
        Err(SqlError::new(SqlState::CHECK_VIOLATION, message).constraint(&schema, &info.name, name))
    }

    /// Fails when some row has NULL in column `index`.
    pub(super) fn check_no_nulls(&mut self, info: &TableInfo, index: usize) -> Result<()> {
        let column = &info.columns[index].name;
        if !self.has_row_where(info, &format!("{} IS NULL", syntax::quote_ident(column)))? {
            return Ok(());
        }
        let message = format!("column \"{column}\" of relation \"{}\" contains null values", info.name);
        let schema = self.image()?.namespace_name(info.namespace).to_owned();
        Err(SqlError::new(SqlState::NOT_NULL_VIOLATION, message).table(&schema, &info.name).column(column))
    }

    /// Whether a row of the table itself satisfies a condition.
    fn has_row_where(&mut self, info: &TableInfo, condition: &str) -> Result<bool> {
        let table = self.qualified_name(info)?;
        let sql = format!("SELECT 1 FROM ONLY {table} WHERE {condition} LIMIT 1");
        Ok(!self.internal(&sql, &[], &[])?.0.is_empty())
    }

    /// A table's qualified name, quoted.
    pub(in crate::ddl) fn qualified_name(&mut self, info: &TableInfo) -> Result<String> {
        let image = self.image()?;
        let schema = syntax::quote_ident(image.namespace_name(info.namespace));
        Ok(format!("{schema}.{}", syntax::quote_ident(&info.name)))
    }

    fn add_foreign_key(
        &mut self,
        sql: &str,
        table: Oid,
        c: &Constraint,
        key: &ast::ForeignKey,
        own: Option<usize>,
        new: bool,
    ) -> Result<()> {
        if key.period || key.referenced_period {
            return refuse("PERIOD", c.pos, sql);
        }
        let parent = self.relation(sql, &key.table, Mode::ShareRowExclusive)?;
        let refused = match (self.info(table)?.persistence, parent.persistence) {
            (b'p', b't' | b'u') => Some("constraints on permanent tables may reference only permanent tables"),
            (b'u', b't') => Some("constraints on unlogged tables may reference only permanent or unlogged tables"),
            (b't', b'p' | b'u') => Some("constraints on temporary tables may reference only temporary tables"),
            _ => None,
        };
        if let Some(message) = refused {
            return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message));
        }
        if parent.kind != b'r' {
            let message = format!("referenced relation \"{}\" is not a table", parent.name);
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        self.check_table_right(&parent, 'x')?;
        // The table may refer to itself.
        let (info, parent) = (self.info(table)?, self.info(parent.oid)?);
        let missing = "referenced in foreign key constraint does not exist";
        let columns = match own {
            Some(i) => vec![i],
            None => columns_of(&info, &key.columns, missing, Pos::NONE, sql)?,
        };
        if columns.iter().any(|&c| info.columns[c].generated == b'v') {
            let message = "foreign key constraints on virtual generated columns are not supported";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        let target_columns = if key.referenced.is_empty() {
            let primary = parent.indexes.iter().find(|i| i.primary).ok_or_else(|| {
                let message = format!("there is no primary key for referenced table \"{}\"", parent.name);
                SqlError::new(SqlState::UNDEFINED_OBJECT, message)
            })?;
            if !primary.immediate {
                let message = format!("cannot use a deferrable primary key for referenced table \"{}\"", parent.name);
                return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
            }
            primary.columns.iter().map(|k| k.0).collect()
        } else {
            columns_of(&parent, &key.referenced, missing, Pos::NONE, sql)?
        };
        let index = parent.indexes.iter().find(|i| {
            let own: Vec<usize> = i.columns.iter().map(|k| k.0).collect();
            i.unique
                && i.is_plain()
                && own.len() == target_columns.len()
                && target_columns.iter().all(|t| own.contains(t))
        });
        if index.is_some_and(|i| !i.immediate) {
            let message = format!("cannot use a deferrable unique constraint for referenced table \"{}\"", parent.name);
            return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
        }
        let Some(index) = index else {
            let message =
                format!("there is no unique constraint matching given keys for referenced table \"{}\"", parent.name);
            return Err(SqlError::new(SqlState::INVALID_FOREIGN_KEY, message));
        };
        if columns.len() != target_columns.len() {
            let message = "number of referencing and referenced columns for foreign key disagree";
            return Err(SqlError::new(SqlState::INVALID_FOREIGN_KEY, message));
        }
        let names_text: Vec<&str> = columns.iter().map(|&i| &*info.columns[i].name).collect();
        let name =
            self.constraint_name(&info, c.name.as_ref().map(|n| n.as_str()), &names::columns(&names_text), "fkey")?;
        let reference = ForeignKey {
            oid: Oid::NONE,
            name: name.clone(),
            table,
            columns: columns.clone(),
            target: parent.oid,
            target_columns: target_columns.clone(),
            index: index.oid,
            on_update: action_code(key.on_update),
            on_delete: action_code(key.on_delete),
            match_type: if key.match_kind == ForeignKeyMatch::Full { b'f' } else { b's' },
            delete_columns: columns_of(&info, &key.on_delete_columns, missing, Pos::NONE, sql)?,
            deferrable: c.deferrable || c.initially_deferred,
            deferred: c.initially_deferred,
        };
        self.check_key_types(&info, &parent, &reference)?;
        let constraint = self.insert_constraint(&NewConstraint {
            name: &name,
            kind: b'f',
            table: &info,
            columns: &columns,
            index: index.oid,
            deferrable: reference.deferrable,
            deferred: reference.deferred,
            condition: None,
            reference: Some(&reference),
            valid: !c.not_valid,
        })?;
        self.depend_on_columns(constraint, table, &columns, b'a')?;
        self.depend_on_columns(constraint, parent.oid, &target_columns, b'n')?;
        self.depend(Address::constraint(constraint), Address::relation(index.oid), b'n')?;
        self.mark_class(table, &[("relhastriggers", Datum::Bool(true))])?;
        self.mark_class(parent.oid, &[("relhastriggers", Datum::Bool(true))])?;
        if new || c.not_valid {
            return Ok(());
        }
        self.validate_reference(&info, &parent, &reference)
    }

    /// Fails when a key and what it refers to cannot be compared.
    pub(super) fn check_key_types(&self, info: &TableInfo, parent: &TableInfo, key: &ForeignKey) -> Result<()> {
        let name = &key.name;
        for (&f, &p) in key.columns.iter().zip(&key.target_columns) {
            let (from, to) = (&info.columns[f], &parent.columns[p]);
            let integer = |ty: Oid| matches!(ty, oid::INT2 | oid::INT4 | oid::INT8);
            let string = |ty: Oid| matches!(ty, oid::TEXT | oid::VARCHAR);
            let alike = from.ty == to.ty || (integer(from.ty) && integer(to.ty)) || (string(from.ty) && string(to.ty));
            if !alike {
                let message = format!("foreign key constraint \"{name}\" cannot be implemented");
                return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message).detail(format!(
                    "Key columns \"{}\" of the referencing table and \"{}\" of the referenced table are of incompatible types: {} and {}.",
                    from.name,
                    to.name,
                    binder::format_type(from.ty),
                    binder::format_type(to.ty)
                )));
            }
        }
        Ok(())
    }
}
