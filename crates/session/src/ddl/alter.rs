//! ALTER TABLE.

use catalog::TableInfo;
use catalog::stored::{PG_ATTRDEF, PG_CLASS, PG_CONSTRAINT};
use storage::lock::Mode;
use syntax::ast::{AlterTable, AlterTableCommand as Command, ConstraintKind, DropBehavior, Name, ObjectKind};
use types::{Datum, Oid, Result, SqlError, SqlState};

use super::depend::Address;
use super::storage_option::{Of, check_options};
use super::{notice, refuse};
use crate::session::{Session, Sink};

/// What errors call an action.
pub fn action_name(command: &Command) -> &'static str {
    match command {
        Command::AddColumn { .. } => "ADD COLUMN",
        Command::ColumnDefault { .. } => "ALTER COLUMN ... SET DEFAULT",
        Command::DropNotNull(_) => "ALTER COLUMN ... DROP NOT NULL",
        Command::SetNotNull(_) => "ALTER COLUMN ... SET NOT NULL",
        Command::SetExpression { .. } => "ALTER COLUMN ... SET EXPRESSION",
        Command::DropExpression { .. } => "ALTER COLUMN ... DROP EXPRESSION",
        Command::SetStatistics { .. } => "ALTER COLUMN ... SET STATISTICS",
        Command::SetColumnOptions { .. } => "ALTER COLUMN ... SET",
        Command::ResetColumnOptions { .. } => "ALTER COLUMN ... RESET",
        Command::SetStorage { .. } => "ALTER COLUMN ... SET STORAGE",
        Command::SetCompression { .. } => "ALTER COLUMN ... SET COMPRESSION",
        Command::AddIdentity { .. } => "ALTER COLUMN ... ADD IDENTITY",
        Command::SetIdentity { .. } => "ALTER COLUMN ... SET",
        Command::DropIdentity { .. } => "ALTER COLUMN ... DROP IDENTITY",
        Command::DropColumn { .. } => "DROP COLUMN",
        Command::AlterColumnType { .. } => "ALTER COLUMN ... SET DATA TYPE",
        Command::AddConstraint(_) => "ADD CONSTRAINT",
        Command::AlterConstraint(_) => "ALTER CONSTRAINT",
        Command::ValidateConstraint(_) => "VALIDATE CONSTRAINT",
        Command::DropConstraint { .. } => "DROP CONSTRAINT",
        Command::ClusterOn(_) => "CLUSTER ON",
        Command::SetWithoutCluster => "SET WITHOUT CLUSTER",
        Command::SetLogged(true) => "SET LOGGED",
        Command::SetLogged(false) => "SET UNLOGGED",
        Command::Inherit(_) => "INHERIT",
        Command::NoInherit(_) => "NO INHERIT",
        Command::SetOptions(_) => "SET",
        Command::ResetOptions(_) => "RESET",
        _ => "of this kind",
    }
}

/// Position of a column.
pub fn column_of(info: &TableInfo, name: &str) -> Result<usize> {
    info.columns.iter().position(|c| c.name == name).ok_or_else(|| {
        let message = format!("column \"{name}\" of relation \"{}\" does not exist", info.name);
        SqlError::new(SqlState::UNDEFINED_COLUMN, message)
    })
}

impl Session {
    pub(crate) fn alter_table(&mut self, sql: &str, alter: &AlterTable, sink: &mut dyn Sink) -> Result<String> {
        let tag = format!("ALTER {}", alter.kind.as_str());
        let Some(info) = self.find_relation(&alter.relation, Mode::AccessExclusive)? else {
            if let Some((table, index)) = self.find_index(&alter.relation)? {
                self.check_owner(&table)?;
                self.lock_relation(table.oid, Mode::AccessExclusive)?;
                alter.commands.iter().try_for_each(|c| self.alter_index_command(sql, &table, index, c))?;
                return Ok(tag);
            }
            let name = alter.relation.name.as_str();
            if alter.if_exists {
                notice(sink, SqlState::SUCCESSFUL_COMPLETION, format!("relation \"{name}\" does not exist, skipping"));
                return Ok(tag);
            }
            // For its error.
            self.relation(sql, &alter.relation, Mode::AccessExclusive)?;
            return Err(SqlError::new(SqlState::UNDEFINED_TABLE, format!("relation \"{name}\" does not exist")));
        };
        self.check_owner(&info)?;
        if alter.kind == ObjectKind::Index {
            let message = format!("\"{}\" is not an index", info.name);
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        for command in &alter.commands {
            self.alter_command(sql, info.oid, command, sink)?;
        }
        Ok(tag)
    }

    fn alter_command(&mut self, sql: &str, table: Oid, command: &Command, sink: &mut dyn Sink) -> Result<()> {
        let info = self.info(table)?;
        if info.kind == b'v' && !matches!(command, Command::Owner(_)) {
            return self.alter_view(sql, &info, command);
        }
        if info.kind != b'r' && !matches!(command, Command::Owner(_)) {
            let action = action_name(command);
            let message = format!("ALTER action {action} cannot be performed on relation \"{}\"", info.name);
            let detail = format!("This operation is not supported for {}s.", super::drop::relation_kind(info.kind));
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message).detail(detail));
        }
        match command {
            Command::AddConstraint(c) => {
                self.add_constraint(sql, table, c, None, false)?;
                if let (Some(name), ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key)) = (&c.name, &c.kind)
                    && let Some(index) = key.using_index.as_ref().filter(|i| i.as_str() != name.as_str())
                {
                    let message = format!(
                        "ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"{}\" to \"{}\"",
                        index.as_str(),
                        name.as_str()
                    );
                    notice(sink, SqlState::SUCCESSFUL_COMPLETION, message);
                }
                Ok(())
            }
            Command::DropConstraint { name, if_exists, cascade } => {
                let behavior = if *cascade { DropBehavior::Cascade } else { DropBehavior::Restrict };
                self.drop_constraint(&info, name, *if_exists, behavior, sink)
            }
            Command::ValidateConstraint(name) => self.validate_constraint(&info, name),
            Command::Owner(role) => {
                let role = self.role_of(role)?;
                self.set_owner(&info, role.oid)
            }
            Command::SetNotNull(name) => {
                let column = column_of(&info, name)?;
                self.set_not_null(table, column)?;
                self.add_not_null_constraint(table, column, None)
            }
            Command::DropNotNull(name) => self.drop_not_null(&info, name),
            Command::ColumnDefault { column, default } => {
                let index = column_of(&info, column)?;
                let c = &info.columns[index];
                let kind = match (c.identity, c.generated) {
                    (0, 0) => None,
                    (0, _) => Some(("a generated column", "DROP EXPRESSION")),
                    _ => Some(("an identity column", "DROP IDENTITY")),
                };
                if let Some((kind, other)) = kind {
                    let message = format!("column \"{}\" of relation \"{}\" is {kind}", c.name, info.name);
                    let error = SqlError::new(SqlState::SYNTAX_ERROR, message);
                    return Err(match default {
                        Some(_) if c.identity == 0 => {
                            error.hint("Use ALTER TABLE ... ALTER COLUMN ... SET EXPRESSION instead.")
                        }
                        Some(_) => error,
                        None => error.hint(format!("Use ALTER TABLE ... ALTER COLUMN ... {other} instead.")),
                    });
                }
                self.drop_default(table, index)?;
                match default {
                    Some(e) => self.add_default(sql, table, index, e).map_err(SqlError::unplaced),
                    None => Ok(()),
                }
            }
            Command::AddColumn { column, if_not_exists } => self.add_column(sql, &info, column, *if_not_exists, sink),
            Command::DropColumn { column, if_exists, cascade } => {
                let behavior = if *cascade { DropBehavior::Cascade } else { DropBehavior::Restrict };
                self.drop_column(&info, column, *if_exists, behavior, sink)
            }
            Command::AlterColumnType { column, ty, collation, using } => {
                if let Some(c) = collation {
                    return refuse("COLLATE in ALTER TYPE", c.pos, sql);
                }
                self.alter_column_type(sql, &info, column, ty, using.as_ref())
            }
            Command::AddIdentity { column, always, options, pos } => {
                self.add_identity(sql, &info, column, *always, options, *pos)
            }
            Command::DropIdentity { column, if_exists } => self.drop_identity(&info, column, *if_exists, sink),
            Command::SetExpression { column, expr } => self.set_expression(sql, &info, column, expr),
            Command::DropExpression { column, if_exists } => self.drop_expression(&info, column, *if_exists, sink),
            Command::SetOptions(options) => {
                let set = check_options(options, sql, Of::Table)?;
                self.change_options(table, &info.options, &set, &[])
            }
            Command::ResetOptions(options) => self.change_options(table, &info.options, &[], options),
            Command::SetLogged(true) => Ok(()),
            other => {
                let words = format!("{other:?}");
                let word = words.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
                refuse(&format!("ALTER TABLE action {word}"), syntax::ast::Pos::NONE, sql)
            }
        }
    }

    /// An action of ALTER INDEX.
    fn alter_index_command(&mut self, sql: &str, table: &TableInfo, index: Oid, command: &Command) -> Result<()> {
        let Some(info) = table.indexes.iter().find(|i| i.oid == index) else { return Ok(()) };
        let of = if info.method == super::HASH { Of::Hash } else { Of::Btree };
        match command {
            Command::SetOptions(options) => {
                let (now, set) = (self.options_of(index)?, check_options(options, sql, of)?);
                self.change_options(index, &now, &set, &[])
            }
            Command::ResetOptions(options) => {
                let now = self.options_of(index)?;
                self.change_options(index, &now, &[], options)
            }
            Command::SetTablespace { name, .. } if name.as_str() == "pg_default" => Ok(()),
            Command::SetTablespace { name, .. } => refuse("tablespaces", name.pos, sql),
            other => {
                let words = format!("{other:?}");
                let word = words.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
                refuse(&format!("ALTER INDEX action {word}"), syntax::ast::Pos::NONE, sql)
            }
        }
    }

    pub(super) fn drop_default(&mut self, table: Oid, index: usize) -> Result<()> {
        let number = Datum::I16(index as i16 + 1);
        let rows = self.find_rows(PG_ATTRDEF, |r| r.oid("adrelid") == table && *r.get("adnum") == number)?;
        for row in &rows {
            let oid = catalog::Fields { relation: PG_ATTRDEF, row }.oid("oid");
            self.drop_addresses(&[Address::default(oid)], DropBehavior::Restrict, &mut NoSink)?;
        }
        Ok(())
    }

    /// Makes a column NOT NULL, once no row has NULL there.
    pub(super) fn set_not_null(&mut self, table: Oid, index: usize) -> Result<()> {
        let info = self.info(table)?;
        if info.columns[index].not_null {
            return Ok(());
        }
        self.check_no_nulls(&info, index)?;
        self.change_column(table, index as i16 + 1, &[("attnotnull", Datum::Bool(true))])
    }

    fn drop_not_null(&mut self, info: &TableInfo, name: &Name) -> Result<()> {
        let index = column_of(info, name)?;
        if info.indexes.iter().any(|i| i.primary && i.columns.iter().any(|k| k.0 == index)) {
            let message = format!("column \"{}\" is in a primary key", name.as_str());
            return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message));
        }
        let (table, key) = (info.oid, vec![index as u32 + 1]);
        let rows = self.find_rows(PG_CONSTRAINT, |r| {
            r.oid("conrelid") == table && r.char("contype") == b'n' && r.numbers("conkey") == key
        })?;
        for row in &rows {
            let oid = catalog::Fields { relation: PG_CONSTRAINT, row }.oid("oid");
            self.drop_addresses(&[Address::constraint(oid)], DropBehavior::Restrict, &mut NoSink)?;
        }
        Ok(())
    }

    /// The constraint `name` of a table.
    fn find_constraint(&mut self, info: &TableInfo, name: &str) -> Result<Option<Oid>> {
        let table = info.oid;
        let rows =
            self.find_rows(PG_CONSTRAINT, |r| r.oid("conrelid") == table && r.get("conname").as_str() == Some(name))?;
        Ok(rows.first().map(|row| catalog::Fields { relation: PG_CONSTRAINT, row }.oid("oid")))
    }

    fn drop_constraint(
        &mut self,
        info: &TableInfo,
        name: &Name,
        if_exists: bool,
        behavior: DropBehavior,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let Some(oid) = self.find_constraint(info, name)? else {
            let message = format!("constraint \"{}\" of relation \"{}\" does not exist", name.as_str(), info.name);
            if if_exists {
                notice(sink, SqlState::SUCCESSFUL_COMPLETION, message + ", skipping");
                return Ok(());
            }
            return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
        };
        self.drop_addresses(&[Address::constraint(oid)], behavior, sink)
    }

    fn validate_constraint(&mut self, info: &TableInfo, name: &Name) -> Result<()> {
        let Some(oid) = self.find_constraint(info, name)? else {
            let message = format!("constraint \"{}\" of relation \"{}\" does not exist", name.as_str(), info.name);
            return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
        };
        if let Some(key) = info.foreign_keys.iter().find(|k| k.oid == oid) {
            let parent = self.info(key.target)?;
            self.validate_reference(info, &parent, key)?;
        } else if let Some(check) = info.checks.iter().find(|c| c.oid == oid) {
            self.check_rows_satisfy(info, &check.name, &check.condition)?;
        }
        self.change_rows(PG_CONSTRAINT, |r| r.oid("oid") == oid, &[("convalidated", Datum::Bool(true))])?;
        Ok(())
    }

    /// Gives a relation, and what is a part of it, to `owner`.
    pub(super) fn set_owner(&mut self, info: &TableInfo, owner: Oid) -> Result<()> {
        let mut parts: Vec<Oid> = info.indexes.iter().map(|i| i.oid).collect();
        parts.push(info.oid);
        let table = info.oid;
        for row in &self.find_rows(catalog::stored::PG_DEPEND, |r| {
            r.oid("refobjid") == table && r.oid("classid") == PG_CLASS && r.oid("refclassid") == PG_CLASS
        })? {
            parts.push(catalog::Fields { relation: catalog::stored::PG_DEPEND, row }.oid("objid"));
        }
        self.change_rows(PG_CLASS, |r| parts.contains(&r.oid("oid")), &[("relowner", Datum::from(owner))])?;
        let (ty, array) = (info.row_type, info.row_type.user_array().unwrap_or(info.row_type));
        if !ty.is_none() {
            let own = |r: catalog::Fields<'_>| r.oid("oid") == ty || r.oid("oid") == array;
            self.change_rows(catalog::stored::PG_TYPE, own, &[("typowner", Datum::from(owner))])?;
        }
        Ok(())
    }
}

/// Notices about what is dropped by the way are not told.
pub struct NoSink;

impl Sink for NoSink {
    fn columns(&mut self, _columns: &[plan::OutputColumn]) -> Result<()> {
        Ok(())
    }
    fn chunk(&mut self, _chunk: &vector::Chunk, _names: &dyn types::io::TypeLookup) -> Result<()> {
        Ok(())
    }
    fn complete(&mut self, _tag: &str) {}
}
