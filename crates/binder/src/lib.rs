#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod coerce;
mod copy;
mod dml;
mod expr;
mod query;
mod resolve;
mod scope;

use catalog::Image;
use plan::{IndexKey, TableRef};
use syntax::ast::{Pos, RangeVar};
use types::{IoSettings, Oid, Result, SqlError, SqlState, oid};

pub use coerce::{Context, coerce, format_type};
pub use copy::CopyIn;
pub use dml::bind_column_type;
pub use query::Bound;
pub use scope::Scope;

/// What binding a statement needs to know.
pub struct Binder<'a> {
    /// The catalog.
    pub image: &'a Image,
    /// Its source text, for positions.
    pub sql: &'a str,
    /// Settings that literals depend on.
    pub settings: &'a IoSettings,
    /// Schemas in which unqualified tables are looked up.
    pub search_path: &'a [Oid],
    /// Types of parameters; unknown ones are filled in while binding.
    pub params: Vec<Oid>,
}

impl<'a> Binder<'a> {
    /// A binder for one statement.
    pub fn new(image: &'a Image, sql: &'a str, settings: &'a IoSettings, search_path: &'a [Oid]) -> Binder<'a> {
        Binder { image, sql, settings, search_path, params: Vec::new() }
    }

    /// An error at `pos`.
    pub(crate) fn error(&self, state: SqlState, message: impl Into<String>, pos: Pos) -> SqlError {
        SqlError::new(state, message).at(pos.char_position(self.sql))
    }

    /// `0A000` at `pos`.
    pub(crate) fn unsupported(&self, what: &str, pos: Pos) -> SqlError {
        SqlError::unsupported(what).at(pos.char_position(self.sql))
    }

    /// The position as plans keep it.
    pub(crate) fn position(&self, pos: Pos) -> u32 {
        pos.char_position(self.sql).unwrap_or(0)
    }

    /// The table that `name` means.
    ///
    /// # Errors
    /// `42P01`; `3F000`; `0A000` for system catalogs.
    pub fn table(&self, name: &RangeVar) -> Result<TableRef> {
        let text = name.name.as_str();
        let found = match &name.schema {
            Some(schema) => match schema_oid(schema) {
                Some(oid::PG_CATALOG_NAMESPACE) => None,
                Some(namespace) => self.image.table(namespace, text),
                None => None,
            },
            None => self.search_path.iter().find_map(|&n| self.image.table(n, text)),
        };
        if let Some(info) = found {
            return Ok(table_ref(info));
        }
        let system = name.schema.as_ref().is_none_or(|s| &**s == "pg_catalog");
        if system && catalog::builtin::relation_by_name(text).is_some() {
            return Err(self.unsupported(&format!("reading system catalog \"{text}\""), name.pos));
        }
        let shown = match &name.schema {
            Some(schema) => format!("{}.{text}", &**schema),
            None => text.to_owned(),
        };
        Err(self.error(SqlState::UNDEFINED_TABLE, format!("relation \"{shown}\" does not exist"), name.pos))
    }
}

/// The OID of a built-in schema.
pub fn schema_oid(name: &str) -> Option<Oid> {
    match name {
        "pg_catalog" => Some(oid::PG_CATALOG_NAMESPACE),
        "public" => Some(oid::PUBLIC_NAMESPACE),
        _ => None,
    }
}

/// A table as plans refer to it.
pub fn table_ref(info: &catalog::TableInfo) -> TableRef {
    let index = |i: &catalog::IndexInfo| IndexKey {
        name: i.name.clone(),
        rel: i.rel,
        columns: i.columns.iter().map(|&c| (c, false)).collect(),
        unique: i.unique,
    };
    TableRef {
        oid: info.oid,
        rel: info.rel,
        schema: if info.namespace == oid::PG_CATALOG_NAMESPACE { "pg_catalog" } else { "public" }.to_owned(),
        name: info.name.clone(),
        columns: info.columns.iter().map(|c| (c.name.clone(), c.ty, c.typmod, c.not_null)).collect(),
        indexes: info.indexes.iter().map(index).collect(),
    }
}
