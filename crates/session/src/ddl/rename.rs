//! ALTER ... RENAME and OWNER TO.

use catalog::TableInfo;
use catalog::stored::{PG_ATTRDEF, PG_CLASS, PG_CONSTRAINT, PG_INDEX, PG_NAMESPACE};
use storage::lock::Mode;
use syntax::ast::{AlterObjectSchema, AlterOwner, ObjectKind, ObjectName, Rename, TypeName};
use types::{Datum, Result, SqlError, SqlState};

use super::alter::column_of;
use super::notice;
use crate::session::{Session, Sink};

impl Session {
    pub(crate) fn rename(&mut self, sql: &str, rename: &Rename, sink: &mut dyn Sink) -> Result<String> {
        let container = rename.container.unwrap_or(rename.kind);
        let tag = format!("ALTER {}", container.as_str());
        let new = rename.new_name.as_str();
        if rename.kind == ObjectKind::Schema {
            let ObjectName::Name(names) = &rename.object else { return Err(SqlError::unsupported(tag)) };
            let old = names.last().map_or("", |n| n.as_str());
            let image = self.image()?;
            let Some(schema) = image.namespace(old) else {
                return Err(SqlError::new(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{old}\" does not exist")));
            };
            if image.namespace(new).is_some() {
                return Err(SqlError::new(SqlState::DUPLICATE_SCHEMA, format!("schema \"{new}\" already exists")));
            }
            let oid = schema.oid;
            self.change_rows(PG_NAMESPACE, |r| r.oid("oid") == oid, &[("nspname", Datum::text(new))])?;
            return Ok(tag);
        }
        if let (
            kind @ (ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate),
            ObjectName::Function(sig),
        ) = (rename.kind, &rename.object)
        {
            self.rename_function(sql, sig, kind, new)?;
            return Ok(tag);
        }
        if let (
            kind @ (ObjectKind::Attribute | ObjectKind::DomainConstraint),
            ObjectName::Name(names) | ObjectName::Type(TypeName { names, .. }),
            Some(part),
        ) = (rename.kind, &rename.object, &rename.part)
        {
            match kind {
                ObjectKind::Attribute => self.rename_attribute(names, part, new)?,
                _ => self.rename_domain_constraint(names, part, new)?,
            }
            return Ok(tag);
        }
        if let (ObjectKind::Type | ObjectKind::Domain, ObjectName::Name(names)) = (rename.kind, &rename.object) {
            self.rename_type(names, new)?;
            return Ok(tag);
        }
        if let (ObjectKind::Type | ObjectKind::Domain, ObjectName::Type(name)) = (rename.kind, &rename.object) {
            self.rename_type(&name.names, new)?;
            return Ok(tag);
        }
        let Some(relation) = &rename.relation else { return Err(SqlError::unsupported(format!("{tag} RENAME"))) };
        let Some(info) = self.find_relation(relation, Mode::AccessExclusive)? else {
            return self.rename_index(rename, relation, tag, sink);
        };
        self.check_owner(&info)?;
        let table = info.oid;
        match (rename.kind, &rename.part) {
            (ObjectKind::Column, Some(part)) => {
                let missing = |_| {
                    SqlError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{}\" does not exist", part.as_str()))
                };
                let index = column_of(&info, part).map_err(missing)?;
                if info.columns.iter().any(|c| c.name == new) {
                    let message = format!("column \"{new}\" of relation \"{}\" already exists", info.name);
                    return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
                }
                self.reword_views(&info, index, new)?;
                self.reword(&info, index, new)?;
                self.change_column(table, index as i16 + 1, &[("attname", Datum::text(new))])?;
            }
            (ObjectKind::TableConstraint, Some(part)) => {
                let old = part.as_str();
                let rows = self.find_rows(PG_CONSTRAINT, |r| {
                    r.oid("conrelid") == table && r.get("conname").as_str() == Some(old)
                })?;
                let Some(row) = rows.first() else {
                    let message = format!("constraint \"{old}\" for table \"{}\" does not exist", info.name);
                    return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
                };
                let row = catalog::Fields { relation: PG_CONSTRAINT, row };
                let (oid, index) = (row.oid("oid"), row.oid("conindid"));
                let owns = matches!(row.char("contype"), b'p' | b'u');
                self.change_rows(PG_CONSTRAINT, |r| r.oid("oid") == oid, &[("conname", Datum::text(new))])?;
                if owns {
                    self.claim_name(info.namespace, new, false, sink)?;
                    self.change_rows(PG_CLASS, |r| r.oid("oid") == index, &[("relname", Datum::text(new))])?;
                }
            }
            (ObjectKind::Table | ObjectKind::Sequence | ObjectKind::View | ObjectKind::MaterializedView, None) => {
                self.claim_name(info.namespace, new, false, sink)?;
                self.change_rows(PG_CLASS, |r| r.oid("oid") == table, &[("relname", Datum::text(new))])?;
                self.rename_row_type(info.row_type, new)?;
            }
            _ => return Err(SqlError::unsupported(format!("{tag} RENAME of this kind"))),
        }
        Ok(tag)
    }

    fn rename_index(
        &mut self,
        rename: &Rename,
        relation: &syntax::ast::RangeVar,
        tag: String,
        sink: &mut dyn Sink,
    ) -> Result<String> {
        let name = relation.name.as_str();
        let Some((table, oid)) = self.find_index(relation)? else {
            let message = format!("relation \"{name}\" does not exist");
            if rename.if_exists {
                notice(sink, SqlState::SUCCESSFUL_COMPLETION, message + ", skipping");
                return Ok(tag);
            }
            return Err(SqlError::new(SqlState::UNDEFINED_TABLE, message));
        };
        self.check_owner(&table)?;
        self.lock_relation(table.oid, Mode::AccessExclusive)?;
        let new = rename.new_name.as_str();
        self.claim_name(table.namespace, new, false, sink)?;
        self.change_rows(PG_CLASS, |r| r.oid("oid") == oid, &[("relname", Datum::text(new))])?;
        // A key has its index's name.
        self.change_rows(
            PG_CONSTRAINT,
            |r| r.oid("conindid") == oid && matches!(r.char("contype"), b'p' | b'u'),
            &[("conname", Datum::text(new))],
        )?;
        Ok(tag)
    }

    pub(crate) fn alter_owner(&mut self, sql: &str, alter: &AlterOwner) -> Result<String> {
        let tag = format!("ALTER {}", alter.kind.as_str());
        let owner = self.role_of(&alter.owner)?;
        if let (
            ObjectKind::Type | ObjectKind::Domain,
            ObjectName::Type(TypeName { names, .. }) | ObjectName::Name(names),
        ) = (alter.kind, &alter.object)
        {
            self.set_type_owner(names, owner.oid)?;
            return Ok(tag);
        }
        if let (
            kind @ (ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate),
            ObjectName::Function(sig),
        ) = (alter.kind, &alter.object)
        {
            self.set_function_owner(sql, sig, kind, owner.oid)?;
            return Ok(tag);
        }
        let ObjectName::Name(names) = &alter.object else { return Err(SqlError::unsupported(tag)) };
        let name = names.last().map_or("", |n| n.as_str());
        match alter.kind {
            ObjectKind::Schema => {
                let changed = self.change_rows(
                    PG_NAMESPACE,
                    |r| r.get("nspname").as_str() == Some(name),
                    &[("nspowner", Datum::from(owner.oid))],
                )?;
                if changed == 0 {
                    let message = format!("schema \"{name}\" does not exist");
                    return Err(SqlError::new(SqlState::INVALID_SCHEMA_NAME, message));
                }
            }
            ObjectKind::Database => self.set_database_owner(name, owner.oid)?,
            _ => return Err(SqlError::unsupported(format!("{tag} OWNER TO"))),
        }
        let _ = sql;
        Ok(tag)
    }

    /// ALTER ... SET SCHEMA.
    pub(crate) fn alter_schema_of(&mut self, sql: &str, alter: &AlterObjectSchema) -> Result<String> {
        let tag = format!("ALTER {}", alter.kind.as_str());
        let schema = alter.schema.as_str();
        match (alter.kind, &alter.object) {
            (
                kind @ (ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate),
                ObjectName::Function(sig),
            ) => self.move_function(sql, sig, kind, schema)?,
            (
                ObjectKind::Type | ObjectKind::Domain,
                ObjectName::Type(TypeName { names, .. }) | ObjectName::Name(names),
            ) => self.move_type(names, schema)?,
            _ => return Err(SqlError::unsupported(format!("{tag} SET SCHEMA"))),
        }
        Ok(tag)
    }

    /// Writes the queries of views that read a relation anew, with a column's new name.
    fn reword_views(&mut self, info: &TableInfo, index: usize, new: &str) -> Result<()> {
        let (image, relation) = (self.image()?, info.oid);
        let rows = self.find_rows(catalog::stored::PG_DEPEND, |r| {
            r.oid("refclassid") == PG_CLASS && r.oid("refobjid") == relation && r.oid("classid") == PG_CLASS
        })?;
        let mut readers: Vec<types::Oid> = rows
            .iter()
            .map(|row| catalog::Fields { relation: catalog::stored::PG_DEPEND, row }.oid("objid"))
            .filter(|v| *v != relation)
            .collect();
        readers.sort_unstable();
        readers.dedup();
        let io = types::IoSettings::default();
        let mut texts = Vec::new();
        for view in readers {
            let Some(text) = image.by_oid(view).and_then(|t| t.view.clone()) else { continue };
            let binder = binder::Binder::new(&image, "", &io, &[]);
            let old = &info.columns[index].name;
            texts.push((view, binder.view_renamed(&text, relation, index as i16 + 1, old, new)?));
        }
        for (view, text) in texts {
            let values = [("ev_action", Datum::text(&text))];
            self.change_rows(catalog::stored::PG_REWRITE, |r| r.oid("ev_class") == view, &values)?;
        }
        Ok(())
    }

    /// Writes what is kept of a table's columns as text anew, with a column's new name.
    fn reword(&mut self, info: &TableInfo, index: usize, new: &str) -> Result<()> {
        let image = self.image()?;
        let mut names: Vec<String> = info.columns.iter().map(|c| c.name.clone()).collect();
        names[index] = new.to_owned();
        let io = types::IoSettings::default();
        let binder = binder::Binder::new(&image, "", &io, &[]);
        let (mut texts, mut indexes) = (Vec::new(), Vec::new());
        for check in &info.checks {
            texts.push((PG_CONSTRAINT, check.oid, 0, binder.reworded(&check.condition, info, &names)?));
        }
        for (i, column) in info.columns.iter().enumerate().filter(|(_, c)| c.generated != 0) {
            let Some(text) = &column.default else { continue };
            texts.push((PG_ATTRDEF, info.oid, i as i16 + 1, binder.reworded(text, info, &names)?));
        }
        for key in info.indexes.iter().filter(|i| !i.is_plain()) {
            let mut values = Vec::new();
            if !key.expressions.is_empty() {
                let all =
                    key.expressions.iter().map(|e| binder.reworded(e, info, &names)).collect::<Result<Vec<_>>>()?;
                values.push(("indexprs", Datum::text(&all.join(&catalog::EXPRESSION_SEPARATOR.to_string()))));
            }
            if let Some(predicate) = &key.predicate {
                values.push(("indpred", Datum::text(&binder.reworded(predicate, info, &names)?)));
            }
            indexes.push((key.oid, values));
        }
        for (index, values) in indexes {
            self.change_rows(PG_INDEX, |r| r.oid("indexrelid") == index, &values)?;
        }
        for (class, object, number, text) in texts {
            if class == PG_CONSTRAINT {
                self.change_rows(class, |r| r.oid("oid") == object, &[("conbin", Datum::text(&text))])?;
            } else {
                let is_own =
                    |r: catalog::Fields<'_>| r.oid("adrelid") == object && *r.get("adnum") == Datum::I16(number);
                self.change_rows(class, is_own, &[("adbin", Datum::text(&text))])?;
            }
        }
        Ok(())
    }

    /// The views that read a column.
    pub(super) fn views_of_column(&mut self, table: types::Oid, index: usize) -> Result<Vec<types::Oid>> {
        let number = index as i64 + 1;
        let image = self.image()?;
        let rows = self.find_rows(catalog::stored::PG_DEPEND, |r| {
            r.oid("refclassid") == PG_CLASS
                && r.oid("refobjid") == table
                && r.int("refobjsubid") == number
                && r.oid("classid") == PG_CLASS
                && r.oid("objid") != table
        })?;
        let views = rows.iter().map(|row| catalog::Fields { relation: catalog::stored::PG_DEPEND, row }.oid("objid"));
        Ok(views.filter(|v| image.by_oid(*v).is_some_and(|t| t.view.is_some())).collect())
    }
}
