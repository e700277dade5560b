//! CREATE and ALTER DOMAIN.

use std::sync::Arc;

use binder::Binder;
use catalog::TypeInfo;
use catalog::stored::{PG_CONSTRAINT, PG_TYPE, numbers};
use storage::lock::Mode;
use syntax::ast::{AlterDomain, Constraint, ConstraintKind, CreateDomain, DomainChange, DropBehavior, Expr};
use syntax::quote_ident;
use types::oid::UserType;
use types::{Datum, Oid, Physical, Result, SqlError, SqlState, oid};

use super::depend::Address;
use super::names::chosen;
use super::notice;
use super::user_type::NewType;
use crate::session::{Session, Sink};

/// Constraints that a domain may not have.
fn refused(c: &Constraint, sql: &str) -> Option<SqlError> {
    let at = c.pos.char_position(sql);
    let kind = match &c.kind {
        ConstraintKind::Unique(_) => "unique",
        ConstraintKind::PrimaryKey(_) => "primary key",
        ConstraintKind::Exclude(_) => "exclusion",
        ConstraintKind::ForeignKey(_) => "foreign key",
        ConstraintKind::Identity { .. } | ConstraintKind::Generated { .. } => {
            let message = "specifying GENERATED not supported for domains";
            return Some(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message).at(at));
        }
        _ if c.deferrable || c.initially_deferred => {
            let message = "specifying constraint deferrability not supported for domains";
            return Some(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message).at(at));
        }
        ConstraintKind::Check(_) if c.no_inherit => {
            let message = "check constraints for domains cannot be marked NO INHERIT";
            return Some(SqlError::new(SqlState::INVALID_OBJECT_DEFINITION, message).at(at));
        }
        _ => return None,
    };
    let message = format!("{kind} constraints not possible for domains");
    Some(SqlError::new(SqlState::SYNTAX_ERROR, message).at(at))
}

impl Session {
    pub(crate) fn create_domain(&mut self, sql: &str, create: &CreateDomain) -> Result<String> {
        let (namespace, name) = self.claim_type_name(sql, &create.name)?;
        let image = self.image()?;
        let (base, typmod) = {
            let binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
            binder.type_name(&create.ty)?
        };
        let row = catalog::builtin::type_by_oid(image.base_type(base).0);
        let Some(row) = row.filter(|t| matches!(t.kind, b'b' | b'c' | b'e' | b'r' | b'm')) else {
            let shown = self.type_shown(base)?;
            let message = format!("\"{shown}\" is not a valid base type for a domain");
            return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message).at(create.ty.pos.char_position(sql)));
        };
        if let Some(c) = &create.collation {
            let name = c.collation.last().map_or("", |n| &**n);
            if !["C", "POSIX", "default", "ucs_basic"].contains(&name) {
                return super::refuse(&format!("collation \"{name}\""), c.pos, sql);
            }
        }
        let (mut default, mut not_null): (Option<&Expr>, Option<bool>) = (None, None);
        let mut null_name = None;
        for c in &create.constraints {
            if let Some(e) = refused(c, sql) {
                return Err(e);
            }
            match &c.kind {
                ConstraintKind::Default(e) => {
                    if default.is_some() {
                        let e = SqlError::new(SqlState::SYNTAX_ERROR, "multiple default expressions");
                        return Err(e.at(c.pos.char_position(sql)));
                    }
                    default = Some(e);
                }
                ConstraintKind::NotNull(_) | ConstraintKind::Null => {
                    let wanted = matches!(c.kind, ConstraintKind::NotNull(_));
                    if not_null.is_some_and(|n| n != wanted) {
                        let e = SqlError::new(SqlState::SYNTAX_ERROR, "conflicting NULL/NOT NULL constraints");
                        return Err(e.at(c.pos.char_position(sql)));
                    }
                    not_null = Some(wanted);
                    null_name = c.name.as_ref().or(null_name);
                }
                _ => {}
            }
        }
        let oid = self.new_type_oid(UserType::Domain, Physical::of(base))?;
        let mut more = vec![
            ("typlen", Datum::I16(row.len)),
            ("typbyval", Datum::Bool(row.by_value)),
            ("typinput", Datum::U32(2597)),
            ("typoutput", Datum::from(row.output)),
            ("typreceive", Datum::U32(2598)),
            ("typsend", Datum::from(row.send)),
            ("typalign", Datum::I8(row.align.cast_signed())),
            ("typstorage", Datum::I8(row.storage.cast_signed())),
            ("typcollation", Datum::from(row.collation)),
            ("typbasetype", Datum::from(base)),
            ("typtypmod", Datum::I32(typmod)),
            ("typndims", Datum::I32(i32::from(row.category == b'A'))),
            ("typnotnull", Datum::Bool(not_null == Some(true))),
        ];
        let text = match default {
            Some(e) => self.domain_default(sql, e, &name, base, typmod)?,
            None => None,
        };
        if let Some((kept, shown)) = &text {
            more.push(("typdefaultbin", Datum::text(kept)));
            more.push(("typdefault", Datum::text(shown)));
        }
        let category = row.category;
        self.add_type(&NewType { name: &name, namespace, oid, kind: b'd', category, more, own: true })?;
        self.depend_on(Address::type_of(oid), base)?;
        if let Some((kept, _)) = &text {
            self.depend_on_text(Address::type_of(oid), kept)?;
        }
        if not_null == Some(true) {
            self.add_domain_not_null(oid, null_name.map(|n| n.as_str()))?;
        }
        for c in &create.constraints {
            if let ConstraintKind::Check(e) = &c.kind {
                self.add_domain_check(sql, oid, c, e, true)?;
            }
        }
        Ok("CREATE DOMAIN".to_owned())
    }

    /// A domain's default, as it is kept and as it is shown; none for NULL.
    fn domain_default(
        &mut self,
        sql: &str,
        e: &Expr,
        name: &str,
        base: Oid,
        typmod: i32,
    ) -> Result<Option<(String, String)>> {
        let image = self.image()?;
        let mut binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
        let Some(kept) = binder.default_text(e, name, base, typmod)? else { return Ok(None) };
        let shown = binder.shown(&kept, None, false)?;
        Ok(Some((kept, shown)))
    }

    fn domain_constraints(&mut self, domain: Oid) -> Result<Vec<(Oid, String, u8)>> {
        let rows = self.find_rows(PG_CONSTRAINT, |r| r.oid("contypid") == domain)?;
        let of = |row: &catalog::stored::Row| {
            let row = catalog::Fields { relation: PG_CONSTRAINT, row };
            (row.oid("oid"), row.text("conname"), row.char("contype"))
        };
        Ok(rows.iter().map(of).collect())
    }

    /// The name of a new constraint of a domain.
    fn domain_constraint_name(&mut self, info: &TypeInfo, given: Option<&str>, label: &str) -> Result<String> {
        let known = self.domain_constraints(info.oid)?;
        let taken = |name: &str| known.iter().any(|k| k.1 == name);
        match given {
            Some(name) if taken(name) => {
                let message = format!("constraint \"{name}\" for domain \"{}\" already exists", info.name);
                Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message))
            }
            Some(name) => Ok(name.to_owned()),
            None => Ok(chosen(&info.name, "", label, taken)),
        }
    }

    fn domain_info(&mut self, domain: Oid) -> Result<Arc<TypeInfo>> {
        let image = self.image()?;
        let found = image.type_by_oid(domain).cloned();
        found.ok_or_else(|| SqlError::internal("the domain is in the catalog"))
    }

    fn add_domain_constraint(
        &mut self,
        info: &TypeInfo,
        name: &str,
        kind: u8,
        condition: Option<&str>,
        valid: bool,
    ) -> Result<()> {
        let constraint = self.new_oid()?;
        let code = |c: u8| Datum::I8(c.cast_signed());
        let mut values = vec![
            ("oid", Datum::from(constraint)),
            ("conname", Datum::text(name)),
            ("connamespace", Datum::from(info.namespace)),
            ("contype", code(kind)),
            ("conenforced", Datum::Bool(true)),
            ("convalidated", Datum::Bool(valid)),
            ("contypid", Datum::from(info.oid)),
            ("conislocal", Datum::Bool(true)),
            ("confupdtype", code(b' ')),
            ("confdeltype", code(b' ')),
            ("confmatchtype", code(b' ')),
        ];
        match condition {
            Some(condition) => values.push(("conbin", Datum::text(condition))),
            None => values.push(("conkey", numbers(oid::INT2_ARRAY, &[1]))),
        }
        self.add_row(PG_CONSTRAINT, &values)?;
        let own = Address::constraint(constraint);
        self.depend(own, Address::type_of(info.oid), b'a')?;
        if let Some(condition) = condition {
            self.depend_on_text(own, condition)?;
        }
        Ok(())
    }

    fn add_domain_not_null(&mut self, domain: Oid, name: Option<&str>) -> Result<()> {
        let info = self.domain_info(domain)?;
        let name = self.domain_constraint_name(&info, name, "not_null")?;
        self.add_domain_constraint(&info, &name, b'n', None, true)
    }

    fn add_domain_check(&mut self, sql: &str, domain: Oid, c: &Constraint, e: &Expr, new: bool) -> Result<()> {
        let info = self.domain_info(domain)?;
        let name = self.domain_constraint_name(&info, c.name.as_ref().map(|n| n.as_str()), "check")?;
        let image = self.image()?;
        let (base, typmod) = (info.base, info.typmod);
        let text = {
            let mut binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
            binder.domain_text(e, base, typmod)?
        };
        if !new && !c.not_valid {
            self.check_domain_rows(&info, Some(&text))?;
        }
        self.add_domain_constraint(&info, &name, b'c', Some(&text), !c.not_valid)
    }

    /// Columns of tables that are of a domain, or of one over it.
    fn columns_of_domain(&mut self, domain: Oid) -> Result<Vec<(Oid, usize)>> {
        let image = self.image()?;
        let within = |ty: Oid| {
            let mut ty = ty;
            while let Some(info) = image.domain(ty) {
                if ty == domain {
                    return true;
                }
                ty = info.base;
            }
            false
        };
        let mut found = Vec::new();
        for table in image.tables() {
            if !matches!(table.kind, b'r' | b'm') {
                continue;
            }
            for (i, c) in table.columns.iter().enumerate().filter(|(_, c)| !c.dropped) {
                if within(c.ty) {
                    found.push((table.oid, i));
                } else if let Some(inside) = self.holds_type(&image, c.ty, domain) {
                    let shown = self.type_shown(inside)?;
                    let message =
                        format!("cannot alter type \"{shown}\" because column \"{}.{}\" uses it", table.name, c.name);
                    return Err(SqlError::unsupported(message));
                }
            }
        }
        Ok(found)
    }

    /// `wanted` where a value of type `ty` may have one of that type inside.
    pub(super) fn holds_type(&self, image: &catalog::Image, ty: Oid, wanted: Oid) -> Option<Oid> {
        if ty == wanted {
            return Some(wanted);
        }
        if let Some(element) = ty.user_element() {
            return self.holds_type(image, element, wanted);
        }
        if let Some(info) = image.domain(ty) {
            return self.holds_type(image, info.base, wanted);
        }
        let columns = &image.row_type(ty)?.columns;
        columns.iter().filter(|c| !c.dropped && c.ty != ty).find_map(|c| self.holds_type(image, c.ty, wanted))
    }

    /// Fails when a stored value is not what a domain is about to ask: `condition`, or that it is not NULL.
    fn check_domain_rows(&mut self, info: &TypeInfo, condition: Option<&str>) -> Result<()> {
        for (table, column) in self.columns_of_domain(info.oid)? {
            self.lock_relation(table, Mode::Share)?;
            let table = self.info(table)?;
            let image = self.image()?;
            let schema = image.namespace_name(table.namespace).to_owned();
            let name = &table.columns[column].name;
            let test = match condition {
                Some(condition) => format!("NOT ({condition})"),
                None => "value IS NULL".to_owned(),
            };
            let query = format!(
                "SELECT 1 FROM (SELECT {} AS value FROM {}.{}) AS x WHERE {test} LIMIT 1",
                quote_ident(name),
                quote_ident(&schema),
                quote_ident(&table.name)
            );
            let (rows, _) = self.internal(&query, &[], &[])?;
            if rows.is_empty() {
                continue;
            }
            let (state, what) = match condition {
                Some(_) => (SqlState::CHECK_VIOLATION, "values that violate the new constraint"),
                None => (SqlState::NOT_NULL_VIOLATION, "null values"),
            };
            let message = format!("column \"{name}\" of table \"{}\" contains {what}", table.name);
            return Err(SqlError::new(state, message).table(&schema, &table.name).column(name));
        }
        Ok(())
    }

    pub(crate) fn alter_domain(&mut self, sql: &str, alter: &AlterDomain, sink: &mut dyn Sink) -> Result<String> {
        let tag = "ALTER DOMAIN".to_owned();
        let info = self.own_type(&alter.name)?;
        if info.kind != b'd' {
            let message = format!("{} is not a domain", quote_ident(&info.name));
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        let domain = info.oid;
        let own = |r: catalog::Fields<'_>| r.oid("oid") == domain;
        match &alter.change {
            DomainChange::SetDefault(e) => {
                let text = match e {
                    Some(e) => self.domain_default(sql, e, &info.name, info.base, info.typmod)?,
                    None => None,
                };
                let (kept, shown) = match text {
                    Some((kept, shown)) => (Datum::text(&kept), Datum::text(&shown)),
                    None => (Datum::Null, Datum::Null),
                };
                self.change_rows(PG_TYPE, own, &[("typdefaultbin", kept), ("typdefault", shown)])?;
            }
            DomainChange::SetNotNull => {
                if !info.not_null {
                    self.check_domain_rows(&info, None)?;
                    self.add_domain_not_null(domain, None)?;
                    self.change_rows(PG_TYPE, own, &[("typnotnull", Datum::Bool(true))])?;
                }
            }
            DomainChange::DropNotNull => {
                self.remove_rows(PG_CONSTRAINT, |r| r.oid("contypid") == domain && r.char("contype") == b'n')?;
                self.change_rows(PG_TYPE, own, &[("typnotnull", Datum::Bool(false))])?;
            }
            DomainChange::AddConstraint(c) => {
                if let Some(e) = refused(c, sql) {
                    return Err(e);
                }
                match &c.kind {
                    ConstraintKind::Check(e) => self.add_domain_check(sql, domain, c, e, false)?,
                    ConstraintKind::NotNull(_) if !info.not_null => {
                        self.check_domain_rows(&info, None)?;
                        self.add_domain_not_null(domain, c.name.as_ref().map(|n| n.as_str()))?;
                        self.change_rows(PG_TYPE, own, &[("typnotnull", Datum::Bool(true))])?;
                    }
                    ConstraintKind::NotNull(_) => {}
                    _ => {
                        let message = "unrecognized constraint subtype";
                        return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
                    }
                }
            }
            DomainChange::DropConstraint { name, if_exists, cascade } => {
                let known = self.domain_constraints(domain)?;
                let Some(found) = known.iter().find(|k| k.1 == name.as_str()) else {
                    let message =
                        format!("constraint \"{}\" of domain \"{}\" does not exist", name.as_str(), info.name);
                    if *if_exists {
                        notice(sink, SqlState::SUCCESSFUL_COMPLETION, message + ", skipping");
                        return Ok(tag);
                    }
                    return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
                };
                let behavior = if *cascade { DropBehavior::Cascade } else { DropBehavior::Restrict };
                self.drop_addresses(&[Address::constraint(found.0)], behavior, sink)?;
            }
            DomainChange::ValidateConstraint(name) => {
                let rows = self.find_rows(PG_CONSTRAINT, |r| {
                    r.oid("contypid") == domain && r.get("conname").as_str() == Some(name.as_str())
                })?;
                let Some(row) = rows.first() else {
                    let message =
                        format!("constraint \"{}\" of domain \"{}\" does not exist", name.as_str(), info.name);
                    return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
                };
                let row = catalog::Fields { relation: PG_CONSTRAINT, row };
                if row.char("contype") != b'c' {
                    let message = format!(
                        "constraint \"{}\" of domain \"{}\" is not a check constraint",
                        name.as_str(),
                        info.name
                    );
                    return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
                }
                let (oid, condition) = (row.oid("oid"), row.text("conbin"));
                self.check_domain_rows(&info, Some(&condition))?;
                self.change_rows(PG_CONSTRAINT, |r| r.oid("oid") == oid, &[("convalidated", Datum::Bool(true))])?;
            }
        }
        Ok(tag)
    }

    /// ALTER DOMAIN ... RENAME CONSTRAINT.
    pub(super) fn rename_domain_constraint(
        &mut self,
        names: &syntax::ast::QualifiedName,
        old: &str,
        new: &str,
    ) -> Result<()> {
        let info = self.own_type(names)?;
        let known = self.domain_constraints(info.oid)?;
        let Some(found) = known.iter().find(|k| k.1 == old) else {
            let message = format!("constraint \"{old}\" for domain {} does not exist", info.name);
            return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
        };
        self.domain_constraint_name(&info, Some(new), "check")?;
        let oid = found.0;
        self.change_rows(PG_CONSTRAINT, |r| r.oid("oid") == oid, &[("conname", Datum::text(new))])?;
        Ok(())
    }
}
