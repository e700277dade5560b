//! ALTER TABLE's changes of columns: ADD, DROP, TYPE, identity. Rows are written anew where their layout changes.

use std::sync::Arc;

use binder::Binder;
use catalog::stored::{self, PG_ATTRDEF, PG_CLASS, PG_CONSTRAINT, PG_DEPEND};
use catalog::{Fields, TableInfo};
use plan::{Expr, Needed, Node, RowRules, TableRef};
use storage::{RelId, RelKind, RelMeta};
use syntax::ast::{ColumnDef, DropBehavior, Expr as AstExpr, Name, Pos, SequenceOption, TypeName};
use types::{Datum, Oid, Physical, Result, SqlError, SqlState, oid};

use super::alter::{NoSink, column_of};
use super::depend::Address;
use super::index::{attribute_type, carried_forms};
use super::sequence::Rules;
use super::table::{NewColumn, Placed, bind_column, column_constraints, is_system_column};
use super::temporary::stored_as;
use super::{notice, refuse};
use crate::session::{Session, Sink};

/// What DROP IDENTITY and DROP EXPRESSION say of a column that is not `what`: a notice with IF EXISTS.
fn not_such(info: &TableInfo, name: &Name, what: &str, if_exists: bool, sink: &mut dyn Sink) -> Result<()> {
    let message = format!("column \"{}\" of relation \"{}\" is not {what}", name.as_str(), info.name);
    if if_exists {
        notice(sink, SqlState::SUCCESSFUL_COMPLETION, message + ", skipping");
        return Ok(());
    }
    Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message))
}

impl Session {
    pub(super) fn add_column(
        &mut self,
        sql: &str,
        info: &TableInfo,
        def: &ColumnDef,
        if_not_exists: bool,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let (table, name) = (info.oid, def.name.as_str());
        let image = self.image()?;
        if is_system_column(name) {
            let message = format!("column name \"{name}\" conflicts with a system column name");
            return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
        }
        if info.columns.iter().any(|c| c.name == name) {
            let message = format!("column \"{name}\" of relation \"{}\" already exists", info.name);
            if if_not_exists {
                notice(sink, SqlState::DUPLICATE_COLUMN, message + ", skipping");
                return Ok(());
            }
            return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
        }
        if info.columns.len() >= 1600 {
            return Err(SqlError::new(SqlState::TOO_MANY_COLUMNS, "tables can have at most 1600 columns"));
        }
        let mut constraints: Vec<Placed<'_>> = Vec::new();
        let index = info.columns.len();
        let mut column = {
            let binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
            bind_column(&binder, sql, def)?
        };
        column_constraints(&mut column, def, &info.name, sql, index, &mut constraints)?;
        let before = binder::bare_table_ref(&image, info);
        let not_null = std::mem::take(&mut column.not_null);
        self.add_attribute(table, index, &column)?;
        self.mark_class(table, &[("relnatts", Datum::I16(index as i16 + 1))])?;
        if let Some(identity) = column.sequence {
            self.own_sequence(table, index, &column, identity)?;
        }
        if let Some(default) = column.default {
            self.add_default(sql, table, index, default).map_err(SqlError::unplaced)?;
        }
        if let Some(expr) = column.generated {
            self.add_generated(sql, table, index, expr).map_err(about_expression)?;
        }
        let image = self.image()?;
        let mut exprs = columns(&before);
        exprs.push({
            let now = self.plan_table(table)?;
            let binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
            binder.value_of_new_column(&now, index)?
        });
        self.rewrite(table, &before, exprs)?;
        if not_null {
            self.set_not_null(table, index)?;
            self.add_not_null_constraint(table, index, None)?;
        }
        self.add_constraints(sql, table, &constraints, false)
    }

    /// Writes the rows of a table anew: `exprs`, over `before`, are its columns now.
    fn rewrite(&mut self, table: Oid, before: &TableRef, exprs: Vec<Expr>) -> Result<()> {
        let (db, fresh, info) = (self.db.clone(), RelId(self.new_oid()?.0), self.info(table)?);
        let forms = info.columns.iter().map(|c| Physical::of(c.ty)).collect();
        let meta = RelMeta::new(fresh, RelKind::Table, stored_as(info.persistence), forms);
        db.create_relation(self.txn_mut(), meta)?;
        let mut target = TableRef { rel: fresh, ..self.bare_table(table)? };
        // What the rows had to satisfy they do; what is new is looked at when they are there.
        target.columns.iter_mut().for_each(|c| c.not_null = false);
        let scan = Node::Scan { table: Arc::new(before.clone()), filter: None, needed: Needed::default() };
        let node = Node::Insert {
            table: Arc::new(target),
            rules: Arc::new(RowRules::default()),
            input: Box::new(Node::Project { input: Box::new(scan), exprs }),
            conflict: None,
            returning: None,
        };
        let mut running = self.with_latest(|s| s.start(Arc::new(node), Arc::default()))?;
        while running.next_chunk(self)?.is_some() {}
        let old = db.relation(before.rel)?;
        db.drop_relation(self.txn_mut(), &old)?;
        self.mark_class(table, &[("relfilenode", Datum::U32(fresh.0))])?;
        for index in &info.indexes {
            self.new_storage(index.oid, index.rel, RelKind::Btree, carried_forms(&info, &index.include))?;
            self.fill_index(table, index.oid)?;
        }
        Ok(())
    }

    pub(super) fn drop_column(
        &mut self,
        info: &TableInfo,
        name: &Name,
        if_exists: bool,
        behavior: DropBehavior,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let index = match column_of(info, name) {
            Ok(index) => index,
            Err(e) if if_exists => {
                // As PostgreSQL: a notice without a state of its own.
                notice(sink, SqlState::SUCCESSFUL_COMPLETION, format!("{}, skipping", e.message()));
                return Ok(());
            }
            Err(e) => return Err(e),
        };
        self.drop_addresses(&[Address::column(info.oid, index)], behavior, sink)
    }

    /// Takes a column out of the catalog; in rows its place stays.
    pub(super) fn remove_column(&mut self, table: Oid, number: i32) -> Result<()> {
        let info = self.info(table)?;
        if !info.row_type.is_none() {
            self.check_not_stored(info.row_type, &info.name)?;
        }
        self.change_column(
            table,
            number as i16,
            &[
                ("attname", Datum::text(&format!("........pg.dropped.{number}........"))),
                ("atttypid", Datum::from(Oid::NONE)),
                ("attnotnull", Datum::Bool(false)),
                ("atthasdef", Datum::Bool(false)),
                ("attidentity", Datum::I8(0)),
                ("attgenerated", Datum::I8(0)),
                ("attisdropped", Datum::Bool(true)),
            ],
        )?;
        Ok(())
    }

    pub(super) fn alter_column_type(
        &mut self,
        sql: &str,
        info: &TableInfo,
        name: &Name,
        ty: &TypeName,
        using: Option<&AstExpr>,
    ) -> Result<()> {
        let (table, index) = (info.oid, column_of(info, name)?);
        if !info.row_type.is_none() {
            self.check_not_stored(info.row_type, &info.name)?;
        }
        let image = self.image()?;
        let before = binder::bare_table_ref(&image, info);
        let column = &info.columns[index];
        let mut exprs = columns(&before);
        let (ty, typmod, default) = {
            let mut binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
            let (ty, typmod) = binder.type_name(ty)?;
            exprs[index] = binder.converted_column(&before, index, (ty, typmod), using)?;
            let default = match &column.default {
                Some(text) if column.generated == 0 => match binder.converted_default(text, ty, typmod)? {
                    Some(text) => Some(text),
                    None => {
                        let shown = types::typmod::format_type(ty, typmod).unwrap_or_else(|| binder::format_type(ty));
                        let message = format!(
                            "default for column \"{}\" cannot be cast automatically to type {shown}",
                            column.name
                        );
                        return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message));
                    }
                },
                _ => None,
            };
            (ty, typmod, default)
        };
        if column.generated != 0 {
            return refuse("ALTER TYPE of a generated column", name.pos, sql);
        }
        if let Some(view) = self.views_of_column(table, index)?.first() {
            let image = self.image()?;
            let names = binder::Names { image: &image, search_path: &self.search_path };
            let view = names.relation_name(*view).unwrap_or_default();
            let message = "cannot alter type of a column used by a view or rule";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
                .detail(format!("rule _RETURN on view {view} depends on column \"{}\"", column.name)));
        }
        let own = Address::column(table, index);
        let users = self.find_rows(PG_DEPEND, |r| {
            r.oid("refclassid") == PG_CLASS
                && r.oid("refobjid") == table
                && r.int("refobjsubid") == i64::from(own.column)
                && r.oid("classid") == PG_CLASS
                && r.oid("objid") == table
        })?;
        if let Some(row) = users.first() {
            let number = Fields { relation: PG_DEPEND, row }.int("objsubid") as usize;
            let user = info.columns.get(number.wrapping_sub(1)).map_or("", |c| &c.name);
            let message = "cannot alter type of a column used by a generated column";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
                .detail(format!("Column \"{}\" is used by generated column \"{user}\".", column.name)));
        }
        let row = catalog::builtin::type_by_oid(ty).ok_or_else(|| SqlError::internal("the type was just bound"))?;
        let values = attribute_type(row, ty, typmod);
        self.change_column(table, index as i16 + 1, &values)?;
        let own_column = i64::from(own.column);
        self.remove_rows(PG_DEPEND, |r| {
            r.oid("classid") == PG_CLASS
                && r.oid("objid") == table
                && r.int("objsubid") == own_column
                && r.oid("refclassid") == stored::PG_TYPE
        })?;
        self.depend_on_type(table, index, ty)?;
        if let Some(text) = default {
            let values = [("adbin", Datum::text(&text))];
            let number = Datum::I16(index as i16 + 1);
            self.change_rows(PG_ATTRDEF, |r| r.oid("adrelid") == table && *r.get("adnum") == number, &values)?;
        }
        for key in &info.indexes {
            if key.has_column(index) || key.include.contains(&index) || !key.is_plain() {
                self.retype_index(table, key.oid)?;
            }
        }
        // Conditions mean what they say of the new type.
        for check in &info.checks {
            let image = self.image()?;
            let planned = self.plan_table(table)?;
            let parsed = syntax::parse_expr(&check.condition)?;
            let (text, _) = {
                let mut binder = Binder::new(&image, &check.condition, &self.settings.io, &[]);
                binder.check_text(&parsed, &planned).map_err(SqlError::unplaced)?
            };
            if *text != *check.condition {
                let values = [("conbin", Datum::text(&text))];
                self.change_rows(PG_CONSTRAINT, |r| r.oid("oid") == check.oid, &values)?;
            }
        }
        self.rewrite(table, &before, exprs)?;
        // Keys of both sides must still compare.
        let info = self.info(table)?;
        for key in info.foreign_keys.iter().filter(|k| k.columns.contains(&index)) {
            let parent = self.info(key.target)?;
            self.check_key_types(&info, &parent, key)?;
            self.validate_reference(&info, &parent, key)?;
        }
        let image = self.image()?;
        for (child, key) in image.referencing(table).into_iter().filter(|(_, k)| k.target_columns.contains(&index)) {
            self.check_key_types(child, &info, key)?;
            self.validate_reference(child, &info, key)?;
        }
        Ok(())
    }

    pub(super) fn add_identity(
        &mut self,
        sql: &str,
        info: &TableInfo,
        name: &Name,
        always: bool,
        options: &[SequenceOption],
        pos: Pos,
    ) -> Result<()> {
        let index = column_of(info, name)?;
        let column = &info.columns[index];
        let wrong = |what: &str| {
            let message = format!("column \"{}\" of relation \"{}\" {what}", column.name, info.name);
            Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message))
        };
        let _ = pos;
        if !matches!(column.ty, oid::INT2 | oid::INT4 | oid::INT8) {
            let message = "identity column type must be smallint, integer, or bigint";
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
        }
        if !column.not_null {
            return wrong("must be declared NOT NULL before identity can be added");
        }
        if column.identity != 0 {
            return wrong("is already an identity column");
        }
        if column.default.is_some() {
            return wrong("already has a default value");
        }
        let new = NewColumn {
            name: column.name.clone(),
            ty: column.ty,
            typmod: column.typmod,
            not_null: true,
            default: None,
            generated: None,
            stored: true,
            sequence: Some(Some(always)),
            rules: Rules::parse(options, column.ty, sql)?,
        };
        self.own_sequence(info.oid, index, &new, Some(always))?;
        self.change_attribute(info.oid, index, "attidentity", if always { b'a' } else { b'd' })
    }

    fn change_attribute(&mut self, table: Oid, index: usize, name: &str, value: u8) -> Result<()> {
        self.change_column(table, index as i16 + 1, &[(name, Datum::I8(value.cast_signed()))])
    }

    pub(super) fn drop_identity(
        &mut self,
        info: &TableInfo,
        name: &Name,
        if_exists: bool,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let index = column_of(info, name)?;
        if info.columns[index].identity == 0 {
            return not_such(info, name, "an identity column", if_exists, sink);
        }
        let (table, own) = (info.oid, Address::column(info.oid, index));
        self.change_attribute(table, index, "attidentity", 0)?;
        self.drop_default(table, index)?;
        let sequences = self.find_rows(PG_DEPEND, |r| {
            r.oid("refobjid") == table
                && r.int("refobjsubid") == i64::from(own.column)
                && r.oid("classid") == PG_CLASS
                && r.char("deptype") == b'i'
        })?;
        for row in &sequences {
            let sequence = Fields { relation: PG_DEPEND, row }.oid("objid");
            self.remove_rows(PG_DEPEND, |r| r.oid("objid") == sequence && r.char("deptype") == b'i')?;
            self.drop_addresses(&[Address::relation(sequence)], DropBehavior::Restrict, &mut NoSink)?;
        }
        Ok(())
    }

    /// SET EXPRESSION: a generated column is something else from now on, in rows that are there too.
    pub(super) fn set_expression(&mut self, sql: &str, info: &TableInfo, name: &Name, expr: &AstExpr) -> Result<()> {
        let (table, index) = (info.oid, column_of(info, name)?);
        let generated = info.columns[index].generated;
        if generated == 0 {
            let message =
                format!("column \"{}\" of relation \"{}\" is not a generated column", name.as_str(), info.name);
            return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
        }
        if generated == b'v' && !info.checks.is_empty() {
            let message = "ALTER TABLE / SET EXPRESSION is not supported for virtual generated columns in tables with check constraints";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message).detail(format!(
                "Column \"{}\" of relation \"{}\" is a virtual generated column.",
                name.as_str(),
                info.name
            )));
        }
        let own = Address::column(table, index);
        self.drop_default(table, index)?;
        self.remove_rows(PG_DEPEND, |r| {
            r.oid("classid") == PG_CLASS
                && r.oid("objid") == own.object
                && r.int("objsubid") == i64::from(own.column)
                && r.oid("refclassid") == PG_CLASS
        })?;
        self.add_generated(sql, table, index, expr).map_err(about_expression)?;
        if generated == b's' {
            let before = self.bare_table(table)?;
            let mut exprs = columns(&before);
            exprs[index] = {
                let image = self.image()?;
                let binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
                binder.value_of_new_column(&before, index)?
            };
            self.rewrite(table, &before, exprs)?;
        }
        let info = self.info(table)?;
        if info.columns[index].not_null {
            self.check_no_nulls(&info, index)?;
        }
        info.checks.iter().try_for_each(|c| self.check_rows_satisfy(&info, &c.name, &c.condition))
    }

    pub(super) fn drop_expression(
        &mut self,
        info: &TableInfo,
        name: &Name,
        if_exists: bool,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let index = column_of(info, name)?;
        if info.columns[index].generated == 0 {
            return not_such(info, name, "a generated column", if_exists, sink);
        }
        if info.columns[index].generated == b'v' {
            let message = "ALTER TABLE / DROP EXPRESSION is not supported for virtual generated columns";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message).detail(format!(
                "Column \"{}\" of relation \"{}\" is a virtual generated column.",
                info.columns[index].name, info.name
            )));
        }
        let own = Address::column(info.oid, index);
        self.change_attribute(info.oid, index, "attgenerated", 0)?;
        self.drop_default(info.oid, index)?;
        self.remove_rows(PG_DEPEND, |r| {
            r.oid("classid") == PG_CLASS && r.oid("objid") == own.object && r.int("objsubid") == i64::from(own.column)
        })?;
        Ok(())
    }
}

/// The columns of a table, each as it is.
fn columns(table: &TableRef) -> Vec<Expr> {
    table.columns.iter().enumerate().map(|(i, c)| Expr::column(i, c.ty, c.typmod)).collect()
}

/// ALTER TABLE does not say where an expression is wrong for a generated column.
fn about_expression(error: SqlError) -> SqlError {
    if error.state() == SqlState::INVALID_OBJECT_DEFINITION { error.unplaced() } else { error }
}
