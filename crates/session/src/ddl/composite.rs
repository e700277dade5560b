//! Row types: those of tables, CREATE TYPE AS (...), and what ALTER TYPE does to their attributes.

use binder::Binder;
use catalog::TableInfo;
use catalog::stored::{PG_ATTRIBUTE, PG_CLASS, PG_TYPE};
use syntax::ast::{AlterType, AlterTypeChange, AttributeChange, ColumnDef, DropBehavior, QualifiedName};
use types::oid::UserType;
use types::{Datum, Oid, Physical, Result, SqlError, SqlState};

use super::depend::Address;
use super::table::{NewColumn, bind_column, is_system_column};
use super::user_type::NewType;
use super::{NewClass, notice};
use crate::session::{Session, Sink};

/// What `pg_type` says of every row type.
fn shape(relation: Oid) -> Vec<(&'static str, Datum)> {
    vec![
        ("typlen", Datum::I16(-1)),
        ("typinput", Datum::U32(2290)),
        ("typoutput", Datum::U32(2291)),
        ("typreceive", Datum::U32(2402)),
        ("typsend", Datum::U32(2403)),
        ("typalign", Datum::I8(b'd'.cast_signed())),
        ("typstorage", Datum::I8(b'x'.cast_signed())),
        ("typrelid", Datum::from(relation)),
    ]
}

impl Session {
    /// A new OID for the type of a relation's rows.
    pub(super) fn new_row_type(&self) -> Result<Oid> {
        self.new_type_oid(UserType::Composite, Physical::Var)
    }

    /// Adds the type of a relation's rows, which goes with it.
    pub(super) fn add_row_type(&mut self, relation: Oid, ty: Oid, name: &str, namespace: Oid) -> Result<()> {
        let more = shape(relation);
        self.add_type(&NewType { name, namespace, oid: ty, kind: b'c', category: b'C', more, own: false })?;
        self.depend(Address::type_of(ty), Address::relation(relation), b'i')
    }

    fn bind_attribute(&mut self, sql: &str, def: &ColumnDef) -> Result<NewColumn<'static>> {
        let image = self.image()?;
        let binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
        let NewColumn { name, ty, typmod, rules, .. } = bind_column(&binder, sql, def)?;
        if is_system_column(&name) {
            let message = format!("column name \"{name}\" conflicts with a system column name");
            return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
        }
        let (default, generated, sequence) = (None, None, None);
        Ok(NewColumn { name, ty, typmod, not_null: false, default, generated, stored: true, sequence, rules })
    }

    pub(super) fn create_composite(&mut self, sql: &str, names: &QualifiedName, list: &[ColumnDef]) -> Result<String> {
        let (namespace, name) = self.claim_type_name(sql, names)?;
        let mut columns: Vec<NewColumn<'static>> = Vec::new();
        for def in list {
            let column = self.bind_attribute(sql, def)?;
            if columns.iter().any(|c| c.name == column.name) {
                let message = format!("column \"{}\" specified more than once", column.name);
                return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
            }
            columns.push(column);
        }
        let (relation, ty) = (self.new_oid()?, self.new_row_type()?);
        self.add_class(&NewClass {
            oid: relation,
            name: &name,
            namespace,
            owner: self.user.oid,
            kind: b'c',
            columns: columns.len(),
            access_method: Oid::NONE,
            persistence: b'p',
        })?;
        self.mark_class(relation, &[("relfilenode", Datum::U32(0)), ("reltype", Datum::from(ty))])?;
        let more = shape(relation);
        self.add_type(&NewType { name: &name, namespace, oid: ty, kind: b'c', category: b'C', more, own: true })?;
        self.depend(Address::relation(relation), Address::type_of(ty), b'i')?;
        for (i, column) in columns.iter().enumerate() {
            self.add_attribute(relation, i, column)?;
        }
        Ok("CREATE TYPE".to_owned())
    }

    /// Fails when values of a row type are stored anywhere: they would be read by its new columns.
    pub(super) fn check_not_stored(&mut self, ty: Oid, name: &str) -> Result<()> {
        let image = self.image()?;
        for table in image.tables().into_iter().filter(|t| matches!(t.kind, b'r' | b'm')) {
            let used =
                table.columns.iter().filter(|c| !c.dropped).find(|c| self.holds_type(&image, c.ty, ty).is_some());
            if let Some(column) = used {
                let own = image.row_type(ty).is_some_and(|r| r.kind == b'c');
                let (what, how) = if own { ("type", "it") } else { ("table", "its row type") };
                let message = format!(
                    "cannot alter {what} \"{name}\" because column \"{}.{}\" uses {how}",
                    table.name, column.name
                );
                return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
            }
        }
        Ok(())
    }

    pub(crate) fn alter_type(&mut self, sql: &str, alter: &AlterType, sink: &mut dyn Sink) -> Result<String> {
        let AlterTypeChange::Attributes(changes) = &alter.change else {
            return Err(SqlError::unsupported("ALTER TYPE SET"));
        };
        let info = self.own_type(&alter.name)?;
        for change in changes {
            let image = self.image()?;
            let Some(relation) = image.by_oid(info.relation).filter(|r| r.kind == b'c').cloned() else {
                let message = match image.by_oid(info.relation) {
                    Some(table) => format!("{} is a table's row type", table.name),
                    None => format!("{} is not a composite type", info.name),
                };
                return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
            };
            self.change_composite(sql, info.oid, &relation, change, sink)?;
        }
        Ok("ALTER TYPE".to_owned())
    }

    fn change_composite(
        &mut self,
        sql: &str,
        ty: Oid,
        relation: &TableInfo,
        change: &AttributeChange,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let missing = |name: &str| {
            let message = format!("column \"{name}\" of relation \"{}\" does not exist", relation.name);
            SqlError::new(SqlState::UNDEFINED_COLUMN, message)
        };
        let find = |name: &str| relation.columns.iter().position(|c| c.name == name && !c.dropped);
        match change {
            AttributeChange::Add { column, .. } => {
                let new = self.bind_attribute(sql, column)?;
                let image = self.image()?;
                if self.holds_type(&image, new.ty, ty).is_some() {
                    let message = format!("composite type {} cannot be made a member of itself", relation.name);
                    return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message));
                }
                if find(&new.name).is_some() {
                    let message = format!("column \"{}\" of relation \"{}\" already exists", new.name, relation.name);
                    return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
                }
                let index = relation.columns.len();
                self.add_attribute(relation.oid, index, &new)?;
                self.mark_class(relation.oid, &[("relnatts", Datum::I16(index as i16 + 1))])
            }
            AttributeChange::Drop { name, if_exists, cascade } => {
                let Some(index) = find(name) else {
                    if *if_exists {
                        let told = format!(
                            "column \"{}\" of relation \"{}\" does not exist, skipping",
                            name.as_str(),
                            relation.name
                        );
                        notice(sink, SqlState::SUCCESSFUL_COMPLETION, told);
                        return Ok(());
                    }
                    return Err(missing(name));
                };
                self.check_not_stored(ty, &relation.name)?;
                let behavior = if *cascade { DropBehavior::Cascade } else { DropBehavior::Restrict };
                self.drop_addresses(&[Address::column(relation.oid, index)], behavior, sink)
            }
            AttributeChange::AlterType { name, ty: new, .. } => {
                let index = find(name).ok_or_else(|| missing(name))?;
                self.check_not_stored(ty, &relation.name)?;
                let image = self.image()?;
                let (new, typmod) = {
                    let binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
                    binder.type_name(new)?
                };
                let (own, number) = (relation.oid, index as i64 + 1);
                self.remove_rows(catalog::stored::PG_DEPEND, |r| {
                    r.oid("classid") == PG_CLASS
                        && r.oid("objid") == own
                        && r.int("objsubid") == number
                        && r.oid("refclassid") == PG_TYPE
                })?;
                self.remove_rows(PG_ATTRIBUTE, |r| r.oid("attrelid") == own && r.int("attnum") == number)?;
                let column = NewColumn::plain(name.as_str().to_owned(), new, typmod);
                self.add_attribute(own, index, &column)
            }
        }
    }

    /// ALTER TYPE ... RENAME ATTRIBUTE.
    pub(super) fn rename_attribute(&mut self, names: &QualifiedName, old: &str, new: &str) -> Result<()> {
        let info = self.own_type(names)?;
        let image = self.image()?;
        let Some(relation) = image.by_oid(info.relation).filter(|r| r.kind == b'c') else {
            let message = format!("\"{}\" is not a composite type", info.name);
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
        };
        let find = |name: &str| relation.columns.iter().position(|c| c.name == name && !c.dropped);
        let Some(index) = find(old) else {
            let message = format!("column \"{old}\" does not exist");
            return Err(SqlError::new(SqlState::UNDEFINED_COLUMN, message));
        };
        if find(new).is_some() {
            let message = format!("column \"{new}\" of relation \"{}\" already exists", relation.name);
            return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
        }
        let oid = relation.oid;
        self.change_column(oid, index as i16 + 1, &[("attname", Datum::text(new))])
    }
}
