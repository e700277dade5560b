#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod call;
mod coerce;
mod comparable;
mod comparison;
mod composite;
mod copy;
mod cte;
mod deparse;
mod dml;
mod expr;
mod from;
mod grouping;
mod index;
mod insert_parts;
mod lookup;
mod merge;
mod polymorphic;
mod proc;
mod query;
mod resolve;
mod returning;
mod routine;
mod rules;
mod scope;
mod setop;
mod sets;
mod sql_json;
mod subquery;
mod target;
mod typename;
mod value_rows;
mod view;
mod views;
mod window;

use std::borrow::Cow;
use std::cell::Cell;

use catalog::Image;
use plan::{Column, TableRef, TableSource};
use storage::RelId;
use syntax::ast::{Pos, RangeVar};
use types::{IoSettings, Oid, Result, SqlError, SqlState, oid};

pub use call::binary_coercible;
pub use coerce::{Context, format_type};
pub use copy::CopyIn;
pub use deparse::{Deparser, quote_literal};
pub use index::IndexExpression;
pub use lookup::Names;
pub use proc::Proc;
pub use query::Bound;
pub use routine::{Arguments, BodySource, BoundBody, BoundStatement, Returns, bind_body, source_of};
use scope::Frame;
pub use scope::Scope;

/// What binding a statement needs to know.
pub struct Binder<'a> {
    /// The catalog.
    pub image: &'a Image,
    /// Its source text, for positions.
    sql: &'a str,
    /// The place last asked for, in bytes and in characters: a long statement is not counted from its start each time.
    characters: Cell<Characters>,
    /// Settings that literals depend on.
    pub settings: &'a IoSettings,
    /// Schemas in which unqualified names are looked up; `pg_catalog` comes first of itself.
    pub search_path: &'a [Oid],
    /// Types of parameters; unknown ones are filled in while binding.
    pub params: Vec<Oid>,
    /// Queries around the one being bound, outermost first.
    frames: Vec<Frame>,
    /// Frames from here on are left sides of the query being bound.
    level: usize,
    slots: usize,
    subs: usize,
    /// Common table expressions in scope, innermost last.
    ctes: Vec<cte::CteName>,
    /// Names of items of WITH, not RECURSIVE, that are not in scope yet.
    later_ctes: Vec<String>,
    /// Items of WITH RECURSIVE that are being bound.
    binding: cte::Binding,
    next_cte: usize,
    /// Items of FROM that were met.
    items: usize,
    /// Columns of rows that queries yield: a column of such rows has its place here as typmod, within a statement.
    shapes: Vec<Vec<(String, Oid, i32)>>,
    /// Tables, other than stored ones, whose rows were asked for as a whole where an outer join may have made them up.
    made_up: Vec<String>,
    /// Of these, those that are read with a column that says whether they are there.
    marked: Vec<String>,
    /// Queries that are being bound, one in the other.
    queries: usize,
    /// Why a recursive query must not name itself here.
    no_recursion: cte::NoRecursion,
    /// Expressions around the one being bound.
    depth: usize,
    /// Whether the query about to be bound leaves untyped literals as they are.
    unsettled: bool,
    /// Whether what is bound is to be printed, so that it keeps the form PostgreSQL prints.
    kept: bool,
    /// What is being printed.
    texts: Option<view::Texts>,
    /// Views that were read.
    pub views: Vec<Oid>,
    /// Views that were read by those, each with the role that must be allowed to.
    pub inner_views: Vec<(Oid, Oid)>,
    /// Functions of users that are called.
    pub routines: Vec<Oid>,
    /// The function whose body is bound.
    pub arguments: Option<std::sync::Arc<Arguments>>,
    /// Calls of functions around, whose bodies took their places.
    inlining: usize,
    /// Views that are written to, each with the letter of the privilege that it asks for.
    pub written_views: Vec<(Oid, char)>,
    /// Views around the query being bound.
    view_depth: usize,
}

/// How the characters of a text are counted: for texts of many statements, of which none should begin at the text's start.
#[derive(Clone, Copy, Debug)]
pub struct Characters {
    /// Whether each is a byte.
    ascii: bool,
    /// So many stand before a byte.
    counted: (usize, u32),
}

impl Characters {
    /// Those of `sql`, from its start.
    pub fn of(sql: &str) -> Characters {
        Characters { ascii: sql.is_ascii(), counted: (0, 0) }
    }

    /// How many stand before byte `to` of `sql`: counted from the last place on, or back, since operands stand before their operators.
    pub fn before(&mut self, sql: &str, to: usize) -> u32 {
        let (bytes, (from, before)) = (sql.as_bytes(), self.counted);
        let to = to.min(bytes.len());
        if self.ascii {
            return to as u32;
        }
        let count = match from <= to {
            true => before + syntax::ast::char_count(&bytes[from..to]),
            false => before - syntax::ast::char_count(&bytes[to..from]),
        };
        self.counted = (to, count);
        count
    }
}

impl<'a> Binder<'a> {
    /// A binder for one statement.
    pub fn new(image: &'a Image, sql: &'a str, settings: &'a IoSettings, search_path: &'a [Oid]) -> Binder<'a> {
        Binder::within(image, sql, Characters::of(sql), settings, search_path)
    }

    /// A binder for one statement of a text of which is known how its characters are counted.
    pub fn within(
        image: &'a Image,
        sql: &'a str,
        characters: Characters,
        settings: &'a IoSettings,
        search_path: &'a [Oid],
    ) -> Binder<'a> {
        Binder {
            image,
            sql,
            characters: Cell::new(characters),
            settings,
            search_path,
            params: Vec::new(),
            frames: Vec::new(),
            level: 0,
            slots: 0,
            subs: 0,
            ctes: Vec::new(),
            later_ctes: Vec::new(),
            binding: Vec::new(),
            next_cte: 0,
            items: 0,
            shapes: Vec::new(),
            made_up: Vec::new(),
            marked: Vec::new(),
            queries: 0,
            no_recursion: None,
            depth: 0,
            unsettled: false,
            kept: false,
            texts: None,
            views: Vec::new(),
            inner_views: Vec::new(),
            routines: Vec::new(),
            arguments: None,
            inlining: 0,
            written_views: Vec::new(),
            view_depth: 0,
        }
    }

    /// The catalog as type input and output see it.
    pub fn names(&self) -> Names<'a> {
        Names { image: self.image, search_path: self.search_path }
    }

    /// A type's name as error messages show it.
    pub fn type_shown(&self, ty: Oid) -> String {
        match ty.is_user_type() {
            true => types::io::TypeLookup::type_name(&self.names(), ty),
            false => format_type(ty),
        }
    }

    /// An error at `pos`.
    pub(crate) fn error(&self, state: SqlState, message: impl Into<String>, pos: Pos) -> SqlError {
        SqlError::new(state, message).at(self.char_position(pos))
    }

    /// `0A000` at `pos`.
    pub(crate) fn unsupported(&self, what: &str, pos: Pos) -> SqlError {
        SqlError::unsupported(what).at(self.char_position(pos))
    }

    /// `Pos::char_position` in our text.
    pub(crate) fn char_position(&self, pos: Pos) -> Option<u32> {
        if pos == Pos::NONE {
            return None;
        }
        let mut characters = self.characters.get();
        let before = characters.before(self.sql, pos.0 as usize);
        self.characters.set(characters);
        Some(before + 1)
    }

    /// The position as plans keep it.
    pub(crate) fn position(&self, pos: Pos) -> u32 {
        self.char_position(pos).unwrap_or(0)
    }

    /// The table that `name` means.
    ///
    /// # Errors
    /// `42P01`; `42809` for what is not a table.
    pub fn table(&self, name: &RangeVar) -> Result<TableRef> {
        match self.relation(name)? {
            Relation::Table(table) => Ok(table),
            Relation::View { name, .. } => Err(SqlError::unsupported(format!("system view \"{name}\" here"))),
            Relation::Stored(info) => Err(SqlError::unsupported(format!("view \"{}\" here", info.name))),
        }
    }

    /// The table or view that `name` means.
    pub(crate) fn relation(&self, name: &RangeVar) -> Result<Relation> {
        let text = name.name.as_str();
        if name.schema.as_ref().is_some_and(|s| &**s == INFORMATION_SCHEMA)
            && let Some(view) = information_schema_view(text)
        {
            return Ok(view);
        }
        if let Some(schema) = &name.schema
            && **schema != *"pg_catalog"
            && self.image.namespace_in(schema, self.search_path).is_none()
        {
            let message = format!("relation \"{}.{text}\" does not exist", &**schema);
            return Err(self.error(SqlState::UNDEFINED_TABLE, message, name.pos));
        }
        if name.schema.as_ref().is_none_or(|s| &**s == "pg_catalog")
            && let Some(system) = system_relation(text)
        {
            return Ok(system);
        }
        let kept = lookup::kept_oid(text).filter(|_| name.schema.as_ref().is_some_and(|s| &**s == "pg_catalog"));
        let found = match &name.schema {
            Some(_) if kept.is_some() => kept.and_then(|oid| self.image.by_oid(oid)),
            Some(schema) => {
                self.image.namespace_in(schema, self.search_path).and_then(|n| self.image.table(n.oid, text))
            }
            None => self.search_path.iter().find_map(|&n| self.image.table(n, text)),
        };
        match found {
            Some(info) if info.persistence == b't' && kept.is_none() && !self.search_path.contains(&info.namespace) => {
                Err(self.unsupported("access to temporary tables of other sessions", name.pos))
            }
            Some(info) if info.kind == b'v' => Ok(Relation::Stored(info.clone())),
            Some(info) if matches!(info.kind, b'r' | b'S' | b'm') => Ok(Relation::Table(table_ref(self.image, info)?)),
            Some(info) if info.kind == b'c' => {
                let message = format!("cannot open relation \"{text}\"");
                Err(self
                    .error(SqlState::WRONG_OBJECT_TYPE, message, name.pos)
                    .detail("This operation is not supported for composite types."))
            }
            Some(_) => Err(self.unsupported(&format!("reading \"{text}\""), name.pos)),
            None => {
                let shown = match &name.schema {
                    Some(schema) => format!("{}.{text}", &**schema),
                    None => text.to_owned(),
                };
                let informing = self.search_path.contains(&oid::INFORMATION_SCHEMA_NAMESPACE);
                if informing && let Some(view) = information_schema_view(text) {
                    return Ok(view);
                }
                let index = self.search_path.iter().any(|&n| self.image.is_taken(n, text));
                if index && name.schema.is_none() {
                    let message = format!("cannot open relation \"{shown}\"");
                    return Err(self
                        .error(SqlState::WRONG_OBJECT_TYPE, message, name.pos)
                        .detail("This operation is not supported for indexes."));
                }
                let error =
                    self.error(SqlState::UNDEFINED_TABLE, format!("relation \"{shown}\" does not exist"), name.pos);
                if name.schema.is_none() && self.later_ctes.iter().any(|c| c == text) {
                    let detail = format!(
                        "There is a WITH item named \"{text}\", but it cannot be referenced from this part of the query."
                    );
                    let hint = "Use WITH RECURSIVE, or re-order the WITH items to remove forward references.";
                    return Err(error.detail(detail).hint(hint));
                }
                Err(error)
            }
        }
    }
}

/// What a name in FROM means.
pub(crate) enum Relation {
    Table(TableRef),
    /// A view of `pg_catalog` or of `information_schema`.
    View {
        schema: &'static str,
        name: &'static str,
        sql: Option<Cow<'static, str>>,
    },
    /// A user's view.
    Stored(std::sync::Arc<catalog::TableInfo>),
}

const INFORMATION_SCHEMA: &str = "information_schema";

/// The view of `information_schema` called `name`.
fn information_schema_view(name: &str) -> Option<Relation> {
    let (name, sql) = views::information_schema::query(name)?;
    Some(Relation::View { schema: INFORMATION_SCHEMA, name, sql: Some(Cow::Borrowed(sql)) })
}

/// The catalog table or view called `name`.
fn system_relation(name: &str) -> Option<Relation> {
    let row = catalog::builtin::relation_by_name(name)?;
    if row.kind == b'v' {
        return Some(Relation::View { schema: "pg_catalog", name: row.name, sql: views::query(row.name) });
    }
    let columns = catalog::builtin::columns_of(row.oid)
        .iter()
        .map(|c| Column {
            name: c.name.to_owned(),
            ty: c.type_oid,
            typmod: c.typmod,
            not_null: c.not_null,
            dropped: false,
            computed: false,
        })
        .collect();
    Some(Relation::Table(TableRef {
        oid: row.oid,
        rel: RelId(row.oid.0),
        namespace: oid::PG_CATALOG_NAMESPACE,
        schema: "pg_catalog".to_owned(),
        name: row.name.to_owned(),
        columns,
        indexes: Vec::new(),
        source: TableSource::Catalog { shared: row.is_shared, stored: catalog::stored::is_stored(row.oid) },
        check_as: plan::CheckAs::Session,
        label: plan::Label::default(),
    }))
}

/// A table as plans refer to it.
///
/// # Errors
/// When what an index computes does not bind any more: a damaged catalog.
pub fn table_ref(image: &Image, info: &catalog::TableInfo) -> Result<TableRef> {
    let mut table = bare_table_ref(image, info);
    table.indexes = info.indexes.iter().map(|i| index::index_key(image, &table, i)).collect::<Result<_>>()?;
    Ok(table)
}

/// A table without its indexes.
pub fn bare_table_ref(image: &Image, info: &catalog::TableInfo) -> TableRef {
    let column = |c: &catalog::ColumnInfo| Column {
        name: c.name.clone(),
        ty: c.ty,
        typmod: c.typmod,
        not_null: c.not_null,
        dropped: c.dropped,
        computed: c.generated == b'v',
    };
    TableRef {
        oid: info.oid,
        rel: info.rel,
        namespace: info.namespace,
        schema: image.namespace_name(info.namespace).to_owned(),
        name: info.name.clone(),
        columns: info.columns.iter().map(column).collect(),
        indexes: Vec::new(),
        source: TableSource::Stored,
        check_as: plan::CheckAs::Session,
        label: plan::Label::default(),
    }
}
