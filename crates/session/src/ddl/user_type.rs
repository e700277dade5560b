//! CREATE TYPE AS ENUM, ALTER TYPE, and the rows of `pg_type` that stand for them.

use std::sync::Arc;

use catalog::TypeInfo;
use catalog::stored::{PG_ENUM, PG_TYPE};
use syntax::ast::{AlterEnum, CreateType, CreateTypeKind, EnumChange, EnumPlace, QualifiedName, TypeName};
use types::oid::UserType;
use types::{Datum, Oid, Physical, Result, SqlError, SqlState};

use super::depend::Address;
use super::notice;
use crate::session::{Session, Sink};

/// Bytes that a label may have.
const LABEL_BYTES_MAX: usize = 63;

/// A type's own entries in `pg_type`, and those of its array type.
pub(super) struct NewType<'a> {
    pub name: &'a str,
    pub namespace: Oid,
    pub oid: Oid,
    pub kind: u8,
    pub category: u8,
    pub more: Vec<(&'a str, Datum)>,
    /// Whether it is an object of its own, not one that goes with a relation.
    pub own: bool,
}

impl Session {
    pub(crate) fn create_type(&mut self, sql: &str, create: &CreateType) -> Result<String> {
        if let CreateTypeKind::Composite(columns) = &create.kind {
            return self.create_composite(sql, &create.name, columns);
        }
        let CreateTypeKind::Enum(labels) = &create.kind else {
            return Err(SqlError::unsupported(match create.kind {
                CreateTypeKind::Range(_) => "CREATE TYPE AS RANGE",
                _ => "CREATE TYPE of a base type",
            }));
        };
        let (namespace, name) = self.claim_type_name(sql, &create.name)?;
        let oid = self.new_type_oid(UserType::Enum, Physical::U32)?;
        for (i, label) in labels.iter().enumerate() {
            check_label(label.as_str())?;
            if labels[..i].iter().any(|l| l.as_str() == label.as_str()) {
                let message = "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"";
                return Err(SqlError::new(SqlState::UNIQUE_VIOLATION, message)
                    .detail(format!("Key (enumtypid, enumlabel)=({oid}, {}) already exists.", label.as_str()))
                    .constraint("pg_catalog", "pg_enum", "pg_enum_typid_label_index"));
            }
        }
        let more = vec![
            ("typlen", Datum::I16(4)),
            ("typbyval", Datum::Bool(true)),
            ("typinput", Datum::U32(3506)),
            ("typoutput", Datum::U32(3507)),
            ("typreceive", Datum::U32(3532)),
            ("typsend", Datum::U32(3533)),
            ("typalign", Datum::I8(b'i'.cast_signed())),
            ("typstorage", Datum::I8(b'p'.cast_signed())),
        ];
        self.add_type(&NewType { name: &name, namespace, oid, kind: b'e', category: b'E', more, own: true })?;
        for (i, label) in labels.iter().enumerate() {
            self.add_label(oid, (i + 1) as f32, label.as_str())?;
        }
        Ok("CREATE TYPE".to_owned())
    }

    /// A new OID for a type whose values have `form`.
    pub(super) fn new_type_oid(&self, kind: UserType, form: Physical) -> Result<Oid> {
        let number = self.new_oid()?.0;
        Oid::user_type(number, kind, form)
            .ok_or_else(|| SqlError::unsupported("more than 8388607 objects in a cluster"))
    }

    /// Schema and name of a type to be made, which nobody else has.
    pub(super) fn claim_type_name(&mut self, sql: &str, names: &QualifiedName) -> Result<(Oid, String)> {
        let range = super::drop::range_of(names).ok_or_else(|| SqlError::internal("a type has a name"))?;
        let namespace = self.target_namespace(sql, &range)?;
        let name = range.name.as_str().to_owned();
        self.lock_name(PG_TYPE, namespace, &name)?;
        let image = self.image()?;
        if image.type_by_name(namespace, &name).is_some() || image.is_taken(namespace, &name) {
            let message = format!("type \"{name}\" already exists");
            return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message));
        }
        Ok((namespace, name))
    }

    /// Adds the rows of a type and of its array type.
    pub(super) fn add_type(&mut self, new: &NewType<'_>) -> Result<()> {
        let array = new.oid.user_array().ok_or_else(|| SqlError::internal("a user's type has an array type"))?;
        let (owner, code) = (Datum::from(self.user.oid), |c: u8| Datum::I8(c.cast_signed()));
        let mut values = vec![
            ("oid", Datum::from(new.oid)),
            ("typname", Datum::text(new.name)),
            ("typnamespace", Datum::from(new.namespace)),
            ("typowner", owner.clone()),
            ("typtype", code(new.kind)),
            ("typcategory", code(new.category)),
            ("typisdefined", Datum::Bool(true)),
            ("typdelim", code(b',')),
            ("typarray", Datum::from(array)),
            ("typtypmod", Datum::I32(-1)),
        ];
        values.extend(new.more.iter().cloned());
        self.add_row(PG_TYPE, &values)?;
        let image = self.image()?;
        let mut array_name = format!("_{}", new.name);
        array_name.truncate(array_name.floor_char_boundary(LABEL_BYTES_MAX));
        while image.type_by_name(new.namespace, &array_name).is_some() || image.is_taken(new.namespace, &array_name) {
            array_name.insert(0, '_');
            array_name.truncate(array_name.floor_char_boundary(LABEL_BYTES_MAX));
        }
        let align = new.more.iter().find(|m| m.0 == "typalign").map_or(code(b'i'), |m| m.1.clone());
        let values = [
            ("oid", Datum::from(array)),
            ("typname", Datum::text(&array_name)),
            ("typnamespace", Datum::from(new.namespace)),
            ("typowner", owner),
            ("typlen", Datum::I16(-1)),
            ("typtype", code(b'b')),
            ("typcategory", code(b'A')),
            ("typisdefined", Datum::Bool(true)),
            ("typdelim", code(b',')),
            ("typsubscript", Datum::U32(6179)),
            ("typelem", Datum::from(new.oid)),
            ("typinput", Datum::U32(750)),
            ("typoutput", Datum::U32(751)),
            ("typreceive", Datum::U32(2400)),
            ("typsend", Datum::U32(2401)),
            ("typanalyze", Datum::U32(3816)),
            ("typalign", align),
            ("typstorage", code(b'x')),
            ("typtypmod", Datum::I32(-1)),
        ];
        self.add_row(PG_TYPE, &values)?;
        if new.own {
            self.depend(Address::type_of(new.oid), Address::schema(new.namespace), b'n')?;
        }
        self.depend(Address::type_of(array), Address::type_of(new.oid), b'i')
    }

    fn add_label(&mut self, ty: Oid, place: f32, label: &str) -> Result<()> {
        let oid = self.new_oid()?;
        let values = [
            ("oid", Datum::from(oid)),
            ("enumtypid", Datum::from(ty)),
            ("enumsortorder", Datum::F32(place)),
            ("enumlabel", Datum::text(label)),
        ];
        self.add_row(PG_ENUM, &values)
    }

    /// The user's type that `names` means.
    pub(super) fn own_type(&mut self, names: &QualifiedName) -> Result<Arc<TypeInfo>> {
        let image = self.image()?;
        let lookup = binder::Names { image: &image, search_path: &self.search_path };
        let shown = names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(".");
        let name = names.last().map_or("", |n| n.as_str());
        let schema = names.len().checked_sub(2).map(|i| names[i].as_str());
        let found = lookup.user_type(schema, name).and_then(|oid| image.type_by_oid(oid)).cloned();
        let found = found
            .ok_or_else(|| SqlError::new(SqlState::UNDEFINED_OBJECT, format!("type \"{shown}\" does not exist")))?;
        self.check_type_owner(&found)?;
        Ok(found)
    }

    fn check_type_owner(&self, info: &TypeInfo) -> Result<()> {
        if self.user.superuser || info.owner == self.user.oid {
            return Ok(());
        }
        let message = format!("must be owner of type {}", info.name);
        Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message))
    }

    pub(crate) fn alter_enum(&mut self, alter: &AlterEnum, sink: &mut dyn Sink) -> Result<String> {
        let tag = "ALTER TYPE".to_owned();
        let info = self.own_type(&alter.name)?;
        if info.kind != b'e' {
            let message = format!("{} is not an enum", syntax::quote_ident(&info.name));
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        // One change of an enum at a time.
        self.lock_name(PG_TYPE, Oid::NONE, &info.oid.to_string())?;
        let info = self.own_type(&alter.name)?;
        let place_of = |label: &str| info.labels.iter().position(|l| l.2 == label);
        let missing = |label: &str| {
            let message = format!("\"{label}\" is not an existing enum label");
            SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
        };
        match &alter.change {
            EnumChange::Add { value, if_not_exists, neighbor } => {
                check_label(value)?;
                if place_of(value).is_some() {
                    let message = format!("enum label \"{value}\" already exists");
                    if *if_not_exists {
                        notice(sink, SqlState::DUPLICATE_OBJECT, message + ", skipping");
                        return Ok(tag);
                    }
                    return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message));
                }
                let at = |i: usize| info.labels[i].1;
                let last = info.labels.len();
                let index = match neighbor {
                    None => last,
                    Some((place, label)) => {
                        let found = place_of(label).ok_or_else(|| missing(label))?;
                        if *place == EnumPlace::Before { found } else { found + 1 }
                    }
                };
                let place = match index {
                    0 if last == 0 => 1.0,
                    0 => at(0) - 1.0,
                    i if i == last => at(last - 1) + 1.0,
                    i => f32::midpoint(at(i - 1), at(i)),
                };
                if info.labels.iter().any(|l| l.1 == place) {
                    return Err(SqlError::unsupported("so many labels between two of an enum"));
                }
                self.add_label(info.oid, place, value)?;
            }
            EnumChange::Rename { from, to } => {
                let found = place_of(from).ok_or_else(|| missing(from))?;
                if place_of(to).is_some() {
                    let message = format!("enum label \"{to}\" already exists");
                    return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message));
                }
                check_label(to)?;
                let oid = info.labels[found].0;
                self.change_rows(PG_ENUM, |r| r.oid("oid") == oid, &[("enumlabel", Datum::text(to))])?;
            }
        }
        Ok(tag)
    }

    /// ALTER TYPE ... RENAME TO.
    pub(super) fn rename_type(&mut self, names: &QualifiedName, new: &str) -> Result<()> {
        let info = self.own_type(names)?;
        self.lock_name(PG_TYPE, info.namespace, new)?;
        if self.image()?.type_by_name(info.namespace, new).is_some() {
            return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, format!("type \"{new}\" already exists")));
        }
        let oid = info.oid;
        self.change_rows(PG_TYPE, |r| r.oid("oid") == oid, &[("typname", Datum::text(new))])?;
        let array = oid.user_array().unwrap_or(oid);
        let name = format!("_{new}");
        let name = &name[..name.floor_char_boundary(LABEL_BYTES_MAX)];
        self.change_rows(PG_TYPE, |r| r.oid("oid") == array, &[("typname", Datum::text(name))])?;
        let relation = info.relation;
        if !relation.is_none() {
            let table = self.info(relation)?;
            if table.kind != b'c' {
                let message = format!("{} is a table's row type", table.name);
                return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message).hint("Use ALTER TABLE instead."));
            }
            let values = [("relname", Datum::text(new))];
            self.change_rows(catalog::stored::PG_CLASS, |r| r.oid("oid") == relation, &values)?;
        }
        Ok(())
    }

    /// A relation's row type follows it to another name.
    pub(super) fn rename_row_type(&mut self, ty: Oid, new: &str) -> Result<()> {
        let Some(array) = ty.user_array() else { return Ok(()) };
        self.change_rows(PG_TYPE, |r| r.oid("oid") == ty, &[("typname", Datum::text(new))])?;
        let name = format!("_{new}");
        let name = &name[..name.floor_char_boundary(LABEL_BYTES_MAX)];
        self.change_rows(PG_TYPE, |r| r.oid("oid") == array, &[("typname", Datum::text(name))])?;
        Ok(())
    }

    /// ALTER TYPE ... SET SCHEMA.
    pub(super) fn move_type(&mut self, names: &QualifiedName, schema: &str) -> Result<()> {
        let info = self.own_type(names)?;
        let namespace = self.schema_called(schema)?;
        if namespace == info.namespace {
            return Ok(());
        }
        self.check_create_in(namespace)?;
        self.lock_name(PG_TYPE, namespace, &info.name)?;
        if self.image()?.type_by_name(namespace, &info.name).is_some() {
            let message = format!("type \"{}\" already exists in schema \"{schema}\"", info.name);
            return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message));
        }
        let (oid, array) = (info.oid, info.oid.user_array().unwrap_or(info.oid));
        let own = |r: catalog::Fields<'_>| r.oid("oid") == oid || r.oid("oid") == array;
        self.change_rows(PG_TYPE, own, &[("typnamespace", Datum::from(namespace))])?;
        let relation = info.relation;
        if !relation.is_none() {
            let values = [("relnamespace", Datum::from(namespace))];
            self.change_rows(catalog::stored::PG_CLASS, |r| r.oid("oid") == relation, &values)?;
        }
        self.move_dependency(Address::type_of(oid), info.namespace, namespace)
    }

    /// ALTER TYPE ... OWNER TO.
    pub(super) fn set_type_owner(&mut self, names: &QualifiedName, owner: Oid) -> Result<()> {
        let oid = self.own_type(names)?.oid;
        let array = oid.user_array().unwrap_or(oid);
        let own = |r: catalog::Fields<'_>| r.oid("oid") == oid || r.oid("oid") == array;
        self.change_rows(PG_TYPE, own, &[("typowner", Datum::from(owner))])?;
        Ok(())
    }

    /// The type that DROP means; `None` when there is none and that passes.
    pub(super) fn find_type_to_drop(
        &mut self,
        name: &TypeName,
        domain: bool,
        if_exists: bool,
        sink: &mut dyn Sink,
    ) -> Result<Option<Address>> {
        let names = &name.names;
        let last = names.last().map_or("", |n| n.as_str());
        let schema = names.len().checked_sub(2).map(|i| names[i].as_str());
        let shown = names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(".");
        let image = self.image()?;
        let lookup = binder::Names { image: &image, search_path: &self.search_path };
        let found = lookup.user_type(schema, last).and_then(|oid| image.type_by_oid(oid)).cloned();
        let Some(info) = found else {
            if schema.is_none_or(|s| s == "pg_catalog") && catalog::builtin::type_by_name(last).is_some() {
                let shown = catalog::builtin::type_by_name(last).map_or(String::new(), |t| binder::format_type(t.oid));
                let message = format!("cannot drop type {shown} because it is required by the database system");
                return Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message));
            }
            let message = format!("type \"{shown}\" does not exist");
            if if_exists {
                notice(sink, SqlState::SUCCESSFUL_COMPLETION, message + ", skipping");
                return Ok(None);
            }
            return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
        };
        if let Some(element) = info.oid.user_element() {
            let element = lookup_name(&image, &self.search_path, element);
            let message = format!("cannot drop type {element}[] because type {element} requires it");
            return Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message)
                .hint(format!("You can drop type {element} instead.")));
        }
        if !info.relation.is_none()
            && let Some(table) = image.by_oid(info.relation).filter(|t| t.kind != b'c')
        {
            let (own, table) =
                (self.described(Address::type_of(info.oid))?, self.described(Address::relation(table.oid))?);
            let message = format!("cannot drop {own} because {table} requires it");
            return Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message)
                .hint(format!("You can drop {table} instead.")));
        }
        if domain && info.kind != b'd' {
            let message = format!("\"{shown}\" is not a domain");
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        self.check_type_owner(&info)?;
        Ok(Some(Address::type_of(info.oid)))
    }

    /// Takes a type out of the catalog.
    pub(super) fn remove_type(&mut self, ty: Oid) -> Result<()> {
        self.remove_rows(PG_ENUM, |r| r.oid("enumtypid") == ty)?;
        self.remove_rows(catalog::stored::PG_CONSTRAINT, |r| r.oid("contypid") == ty)?;
        self.remove_rows(PG_TYPE, |r| r.oid("oid") == ty)?;
        Ok(())
    }

    /// Notes that column `index` of a table is of a user's type.
    pub(super) fn depend_on_type(&mut self, table: Oid, index: usize, ty: Oid) -> Result<()> {
        if !ty.is_user_type() {
            return Ok(());
        }
        self.depend(Address::column(table, index), Address::type_of(ty), b'n')
    }
}

fn lookup_name(image: &catalog::Image, path: &[Oid], ty: Oid) -> String {
    types::io::TypeLookup::type_name(&binder::Names { image, search_path: path }, ty)
}

fn check_label(label: &str) -> Result<()> {
    if label.len() <= LABEL_BYTES_MAX {
        return Ok(());
    }
    Err(SqlError::new(SqlState::INVALID_NAME, format!("invalid enum label \"{label}\""))
        .detail(format!("Labels must be {LABEL_BYTES_MAX} bytes or less.")))
}
