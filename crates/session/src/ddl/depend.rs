//! `pg_depend`: what cannot be without what.

use catalog::stored::{
    PG_ATTRDEF, PG_CAST, PG_CLASS, PG_CONSTRAINT, PG_DEPEND, PG_NAMESPACE, PG_OPERATOR, PG_PROC, PG_TYPE,
};
use plan::Node;
use types::{Datum, Oid, Result};

use crate::session::Session;

/// An object, or a column of one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Address {
    /// The catalog table it is a row of.
    pub class: Oid,
    /// Its OID.
    pub object: Oid,
    /// Column number, from 1; 0 is the whole.
    pub column: i32,
}

impl Address {
    /// A relation.
    pub fn relation(oid: Oid) -> Address {
        Address { class: PG_CLASS, object: oid, column: 0 }
    }

    /// A column, numbered from 0.
    pub fn column(relation: Oid, index: usize) -> Address {
        Address { class: PG_CLASS, object: relation, column: index as i32 + 1 }
    }

    /// A constraint.
    pub fn constraint(oid: Oid) -> Address {
        Address { class: PG_CONSTRAINT, object: oid, column: 0 }
    }

    /// A column's default.
    pub fn default(oid: Oid) -> Address {
        Address { class: PG_ATTRDEF, object: oid, column: 0 }
    }

    /// A type.
    pub fn type_of(oid: Oid) -> Address {
        Address { class: PG_TYPE, object: oid, column: 0 }
    }

    /// A function.
    pub fn function(oid: Oid) -> Address {
        Address { class: PG_PROC, object: oid, column: 0 }
    }

    /// A schema.
    pub fn schema(oid: Oid) -> Address {
        Address { class: PG_NAMESPACE, object: oid, column: 0 }
    }
}

impl Session {
    /// Notes that `object` depends on `on`: `n` it is in the way of dropping it, `a` it goes with it, `i` it is a part of it.
    pub(super) fn depend(&mut self, object: Address, on: Address, kind: u8) -> Result<()> {
        let values = [
            ("classid", Datum::from(object.class)),
            ("objid", Datum::from(object.object)),
            ("objsubid", Datum::I32(object.column)),
            ("refclassid", Datum::from(on.class)),
            ("refobjid", Datum::from(on.object)),
            ("refobjsubid", Datum::I32(on.column)),
            ("deptype", Datum::I8(kind.cast_signed())),
        ];
        self.add_row(PG_DEPEND, &values)
    }

    /// Forgets what `object` depends on.
    pub(super) fn forget_dependencies(&mut self, object: Address) -> Result<()> {
        self.remove_rows(PG_DEPEND, |r| {
            r.oid("classid") == object.class
                && r.oid("objid") == object.object
                && r.int("objsubid") == i64::from(object.column)
                && r.char("deptype") != b'i'
        })?;
        Ok(())
    }

    /// Notes what the kept text of an expression or query names: types, relations and functions of users.
    pub(super) fn depend_on_text(&mut self, own: Address, text: &str) -> Result<()> {
        let image = self.image()?;
        let mut on: Vec<Address> = Vec::new();
        for part in text.split("pg_catalog.\"%").skip(1) {
            let Some(oid) = part.split('"').next().and_then(|n| n.parse().ok()).map(Oid) else { continue };
            if image.by_oid(oid).is_some() {
                on.push(Address::relation(oid));
            } else if oid.is_user_type() {
                on.push(Address::type_of(oid.user_element().unwrap_or(oid)));
            } else if image.function(oid).is_some() {
                on.push(Address::function(oid));
            }
        }
        on.sort_by_key(|a| (a.class, a.object));
        on.dedup();
        on.into_iter().filter(|a| *a != own).try_for_each(|a| self.depend(own, a, b'n'))
    }

    /// Notes the tables, views and functions that a plan uses.
    pub(super) fn depend_on_plan(&mut self, own: Address, node: &Node, views: &[Oid], routines: &[Oid]) -> Result<()> {
        let mut on: Vec<Address> = views.iter().map(|v| Address::relation(*v)).collect();
        on.extend(routines.iter().filter(|r| **r != own.object).map(|r| Address::function(*r)));
        node.visit_tables(&mut |table, _| {
            if table.source == plan::TableSource::Stored && table.check_as == plan::CheckAs::Session {
                on.push(Address::relation(table.oid));
            }
        });
        on.sort_by_key(|a| (a.class, a.object));
        on.dedup();
        on.into_iter().try_for_each(|a| self.depend(own, a, b'n'))
    }

    /// Describes `address` as error messages do.
    pub(super) fn described(&mut self, address: Address) -> Result<String> {
        let image = self.image()?;
        let names = binder::Names { image: &image, search_path: &self.search_path };
        let relation = |oid: Oid| names.relation_name(oid).unwrap_or_else(|| oid.to_string());
        Ok(match address.class {
            PG_CLASS => {
                let kind = super::drop::relation_kind(image.by_oid(address.object).map_or(b'i', |t| t.kind));
                let whole = format!("{kind} {}", relation(address.object));
                let info = image.by_oid(address.object);
                match info.and_then(|t| t.columns.get(address.column as usize - usize::from(address.column > 0))) {
                    Some(column) if address.column > 0 => {
                        format!("column {} of {whole}", syntax::quote_ident(&column.name))
                    }
                    _ => whole,
                }
            }
            PG_CONSTRAINT if image.domain_of_constraint(address.object).is_some() => {
                let domain = image.domain_of_constraint(address.object).map_or(Oid::NONE, |d| d.oid);
                let shown = types::io::TypeLookup::type_name(&names, domain);
                let rows = self.find_rows(PG_CONSTRAINT, |r| r.oid("oid") == address.object)?;
                let name = rows.first().map(|row| catalog::Fields { relation: PG_CONSTRAINT, row }.text("conname"));
                format!("constraint {} on type {shown}", syntax::quote_ident(&name.unwrap_or_default()))
            }
            PG_CONSTRAINT => {
                let table = image.table_of_constraint(address.object).map(|t| t.oid);
                let rows = self.find_rows(PG_CONSTRAINT, |r| r.oid("oid") == address.object)?;
                let name = rows
                    .first()
                    .map_or(String::new(), |row| catalog::Fields { relation: PG_CONSTRAINT, row }.text("conname"));
                let names = binder::Names { image: &image, search_path: &self.search_path };
                let table = table.and_then(|t| names.relation_name(t)).unwrap_or_default();
                format!("constraint {} on table {table}", syntax::quote_ident(&name))
            }
            PG_ATTRDEF => {
                let rows = self.find_rows(PG_ATTRDEF, |r| r.oid("oid") == address.object)?;
                let Some(row) = rows.first() else { return Ok(String::new()) };
                let row = catalog::Fields { relation: PG_ATTRDEF, row };
                let on = Address { class: PG_CLASS, object: row.oid("adrelid"), column: row.int("adnum") as i32 };
                format!("default value for {}", self.described(on)?)
            }
            PG_TYPE => format!("type {}", types::io::TypeLookup::type_name(&names, address.object)),
            PG_PROC => {
                let shown = types::io::TypeLookup::reg_out(&names, types::oid::REGPROCEDURE, address.object);
                let kind = match image.function(address.object).map_or(b'f', |f| f.kind) {
                    b'p' => "procedure",
                    _ => "function",
                };
                format!("{kind} {}", shown.unwrap_or_else(|| address.object.to_string()))
            }
            PG_OPERATOR => {
                let shown = types::io::TypeLookup::reg_out(&names, types::oid::REGOPERATOR, address.object);
                format!("operator {}", shown.unwrap_or_else(|| address.object.to_string()))
            }
            PG_CAST => {
                let rows = self.find_rows(PG_CAST, |r| r.oid("oid") == address.object)?;
                let Some(row) = rows.first() else { return Ok(String::new()) };
                let row = catalog::Fields { relation: PG_CAST, row };
                let names = binder::Names { image: &image, search_path: &self.search_path };
                let shown = |ty: Oid| types::io::TypeLookup::type_name(&names, ty);
                format!("cast from {} to {}", shown(row.oid("castsource")), shown(row.oid("casttarget")))
            }
            PG_NAMESPACE => format!("schema {}", syntax::quote_ident(image.namespace_name(address.object))),
            _ => format!("object {}", address.object),
        })
    }
}
