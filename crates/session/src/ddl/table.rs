//! CREATE TABLE.

use binder::Binder;
use catalog::stored::{PG_ATTRDEF, PG_ATTRIBUTE, PG_CLASS};
use plan::TableRef;
use storage::{RelId, RelKind, RelMeta};
use syntax::ast::{ColumnDef, Constraint, ConstraintKind, CreateTable, Expr, Pos, TableElement};
use types::{Datum, Oid, Physical, Result, SqlError, SqlState, oid};

use super::depend::Address;
use super::like::{Copied, Like};
use super::sequence::Rules;
use super::storage_option::{Of, check_options};
use super::temporary::stored_as;
use super::{HEAP, NewClass, refuse};
use crate::session::{Session, Sink};

/// A column to be made.
pub struct NewColumn<'a> {
    pub name: String,
    pub ty: Oid,
    pub typmod: i32,
    pub not_null: bool,
    pub default: Option<&'a Expr>,
    /// What it is computed as from the rest of its row.
    pub generated: Option<&'a Expr>,
    /// Whether that is stored, and not computed when it is read.
    pub stored: bool,
    /// A sequence that gives its values: `serial`, or IDENTITY with whether ALWAYS.
    pub sequence: Option<Option<bool>>,
    pub rules: Rules,
}

impl NewColumn<'_> {
    /// One that may be NULL, and has no default.
    pub fn plain(name: String, ty: Oid, typmod: i32) -> Self {
        let (default, generated, sequence, rules) = (None, None, None, Rules::default());
        NewColumn { name, ty, typmod, not_null: false, default, generated, stored: true, sequence, rules }
    }
}

/// The integer type that a `serial` type is.
fn serial(name: &str) -> Option<Oid> {
    Some(match name {
        "serial" | "serial4" => oid::INT4,
        "bigserial" | "serial8" => oid::INT8,
        "smallserial" | "serial2" => oid::INT2,
        _ => return None,
    })
}

/// Binds a column definition, without its constraints.
pub fn bind_column<'a>(binder: &Binder<'_>, sql: &str, def: &'a ColumnDef) -> Result<NewColumn<'a>> {
    let Some(ty) = &def.ty else { return Err(SqlError::unsupported("a column without a type")) };
    if def.storage.is_some() || def.compression.is_some() {
        return refuse("STORAGE and COMPRESSION of a column", def.pos, sql);
    }
    if let Some(c) = &def.collation {
        let name = c.collation.last().map_or("", |n| &**n);
        if !["C", "POSIX", "default", "ucs_basic"].contains(&name) {
            return refuse(&format!("collation \"{name}\""), c.pos, sql);
        }
    }
    let new = |ty, typmod, sequence: Option<Option<bool>>| NewColumn {
        not_null: sequence.is_some(),
        sequence,
        ..NewColumn::plain(def.name.as_str().to_owned(), ty, typmod)
    };
    if let Some(integer) = ty.names.last().and_then(|n| serial(n)).filter(|_| ty.names.len() == 1) {
        return Ok(new(integer, -1, Some(None)));
    }
    let (ty_oid, typmod) = binder.type_name(ty)?;
    check_attribute_type(&def.name, ty_oid)?;
    Ok(new(ty_oid, typmod, None))
}

/// Fails where no column may be of type `ty`.
pub fn check_attribute_type(column: &str, ty: Oid) -> Result<()> {
    if catalog::builtin::type_by_oid(ty).is_some_and(|t| t.kind == b'p') {
        let message = format!("column \"{column}\" has pseudo-type {}", binder::format_type(ty));
        return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message));
    }
    Ok(())
}

impl Session {
    pub(crate) fn create_table(&mut self, sql: &str, create: &CreateTable, sink: &mut dyn Sink) -> Result<String> {
        if !create.inherits.is_empty() || create.partition_by.is_some() || create.partition_of.is_some() {
            return refuse("inheritance and partitioning", create.relation.pos, sql);
        }
        if create.of_type.is_some() {
            return refuse("OF type", create.relation.pos, sql);
        }
        if create.tablespace.as_ref().is_some_and(|t| &**t != "pg_default") {
            return refuse("tablespaces", create.relation.pos, sql);
        }
        if create.access_method.as_ref().is_some_and(|m| &**m != "heap") {
            let name = create.access_method.as_ref().map_or("", |m| m.as_str());
            let message = format!("access method \"{name}\" does not exist");
            return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
        }
        let options = check_options(&create.options, sql, Of::Table)?;
        let target = self.target(sql, &create.relation, create.persistence)?;
        let namespace = target.namespace;
        let name = create.relation.name.as_str();
        if !self.claim_name(namespace, name, create.if_not_exists, sink)? {
            return Ok("CREATE TABLE".to_owned());
        }
        let likes = self.likes(sql, create)?;
        let image = self.image()?;
        let (columns, constraints, copied) = {
            let binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
            bind_elements(&binder, sql, create, &likes)?
        };
        let likes: Vec<Like> = likes.into_iter().map(|l| l.0).collect();
        let table = self.new_oid()?;
        let forms = columns.iter().map(|c| Physical::of(c.ty)).collect();
        let db = self.db.clone();
        let meta = RelMeta::new(RelId(table.0), RelKind::Table, stored_as(target.persistence), forms);
        db.create_relation(self.txn_mut(), meta)?;
        let owner = self.user.oid;
        let (columns_count, persistence) = (columns.len(), target.persistence);
        self.add_class(&NewClass {
            oid: table,
            name,
            namespace,
            owner,
            kind: b'r',
            columns: columns_count,
            access_method: HEAP,
            persistence,
        })?;
        self.keep_options(table, &options)?;
        self.note_on_commit(table, target, create.on_commit)?;
        self.depend(Address::relation(table), Address::schema(namespace), b'n')?;
        for (i, column) in columns.iter().enumerate() {
            self.add_attribute(table, i, column)?;
        }
        for (i, column) in columns.iter().enumerate() {
            if let Some(identity) = column.sequence {
                self.own_sequence(table, i, column, identity)?;
            }
            if let Some(default) = column.default {
                self.add_default(sql, table, i, default)?;
            }
        }
        self.copy_columns(table, &likes, &copied)?;
        for (i, column) in columns.iter().enumerate() {
            if let Some(expr) = column.generated {
                self.add_generated(sql, table, i, expr)?;
            }
        }
        self.add_constraints(sql, table, &constraints, true)?;
        self.copy_constraints(table, &likes, &copied)?;
        for (i, column) in columns.iter().enumerate() {
            if column.not_null {
                let name = self.not_null_name(&likes, &copied, i)?;
                self.add_not_null_constraint(table, i, name.as_deref())?;
            }
        }
        Ok("CREATE TABLE".to_owned())
    }

    /// Adds a row to `pg_attribute`.
    pub(super) fn add_attribute(&mut self, table: Oid, index: usize, column: &NewColumn<'_>) -> Result<()> {
        let base = self.image()?.base_type(column.ty).0;
        let ty = catalog::builtin::type_by_oid(base).ok_or_else(|| SqlError::internal("the type was just bound"))?;
        let identity = match column.sequence {
            Some(Some(true)) => b'a',
            Some(Some(false)) => b'd',
            _ => 0,
        };
        let dimensions = i16::from(ty.category == b'A');
        let values = [
            ("attrelid", Datum::from(table)),
            ("attname", Datum::text(&column.name)),
            ("atttypid", Datum::from(column.ty)),
            ("attlen", Datum::I16(ty.len)),
            ("attnum", Datum::I16(index as i16 + 1)),
            ("atttypmod", Datum::I32(column.typmod)),
            ("attndims", Datum::I16(dimensions)),
            ("attbyval", Datum::Bool(ty.by_value)),
            ("attalign", Datum::I8(ty.align.cast_signed())),
            ("attstorage", Datum::I8(ty.storage.cast_signed())),
            ("attnotnull", Datum::Bool(column.not_null)),
            ("attidentity", Datum::I8(i8::from(identity != 0) * identity.cast_signed())),
            (
                "attgenerated",
                Datum::I8(match (&column.generated, column.stored) {
                    (None, _) => 0,
                    (Some(_), true) => b's'.cast_signed(),
                    (Some(_), false) => b'v'.cast_signed(),
                }),
            ),
            ("attislocal", Datum::Bool(true)),
            ("attcollation", Datum::from(ty.collation)),
        ];
        self.add_row(PG_ATTRIBUTE, &values)?;
        self.depend_on_type(table, index, column.ty)
    }

    /// The table as plans refer to it, whether it has been looked up before or not.
    pub(super) fn plan_table(&mut self, table: Oid) -> Result<TableRef> {
        let (image, info) = (self.image()?, self.info(table)?);
        binder::table_ref(&image, &info)
    }

    /// [`Session::plan_table`] without its indexes.
    pub(super) fn bare_table(&mut self, table: Oid) -> Result<TableRef> {
        let (image, info) = (self.image()?, self.info(table)?);
        Ok(binder::bare_table_ref(&image, &info))
    }

    /// Gives column `index` a default.
    pub(super) fn add_default(&mut self, sql: &str, table: Oid, index: usize, default: &Expr) -> Result<()> {
        let (image, info) = (self.image()?, self.info(table)?);
        let column = &info.columns[index];
        let (name, ty, typmod) = (column.name.clone(), column.ty, column.typmod);
        let mut binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
        let Some(text) = binder.default_text(default, &name, ty, typmod)? else { return Ok(()) };
        let sequences = binder.sequences_in(&text)?;
        self.keep_default(table, index, &text, &sequences)
    }

    /// Says what generated column `index` is.
    pub(super) fn add_generated(&mut self, sql: &str, table: Oid, index: usize, expr: &Expr) -> Result<()> {
        let image = self.image()?;
        let planned = self.plan_table(table)?;
        let (text, columns) = {
            let mut binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
            binder.generated_text(expr, &planned, index)?
        };
        self.keep_default(table, index, &text, &[])?;
        let own = Address::column(table, index);
        columns.into_iter().try_for_each(|c| self.depend(own, Address::column(table, c), b'n'))
    }

    /// Keeps the text of a default, and what it depends on.
    pub(super) fn keep_default(&mut self, table: Oid, index: usize, text: &str, sequences: &[Oid]) -> Result<()> {
        let default = self.new_oid()?;
        let values = [
            ("oid", Datum::from(default)),
            ("adrelid", Datum::from(table)),
            ("adnum", Datum::I16(index as i16 + 1)),
            ("adbin", Datum::text(text)),
        ];
        self.add_row(PG_ATTRDEF, &values)?;
        self.depend(Address::default(default), Address::column(table, index), b'a')?;
        for &sequence in sequences {
            self.depend(Address::default(default), Address::relation(sequence), b'n')?;
        }
        self.depend_on_text(Address::default(default), text)?;
        self.change_column(table, index as i16 + 1, &[("atthasdef", Datum::Bool(true))])
    }

    /// Says in `pg_class` that a table has indexes or checks.
    pub(super) fn mark_class(&mut self, table: Oid, values: &[(&str, Datum)]) -> Result<()> {
        self.change_rows(PG_CLASS, |r| r.oid("oid") == table, values)?;
        Ok(())
    }
}

/// A constraint, and the column it was written on.
pub type Placed<'a> = (&'a Constraint, Option<usize>);

fn bind_elements<'a>(
    binder: &Binder<'_>,
    sql: &str,
    create: &'a CreateTable,
    likes: &[(Like, Vec<Rules>)],
) -> Result<(Vec<NewColumn<'a>>, Vec<Placed<'a>>, Vec<Copied>)> {
    let mut columns: Vec<NewColumn<'a>> = Vec::new();
    let mut constraints: Vec<Placed<'a>> = Vec::new();
    let mut copied = Vec::new();
    for (number, element) in create.elements.iter().enumerate() {
        match element {
            TableElement::Column(def) => {
                let mut column = bind_column(binder, sql, def)?;
                if columns.iter().any(|c| c.name == column.name) {
                    let message = format!("column \"{}\" specified more than once", column.name);
                    return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
                }
                if is_system_column(&column.name) {
                    let message = format!("column name \"{}\" conflicts with a system column name", column.name);
                    return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
                }
                let place = columns.len();
                column_constraints(&mut column, def, &create.relation.name, sql, place, &mut constraints)?;
                columns.push(column);
            }
            TableElement::Constraint(c) => constraints.push((c, None)),
            TableElement::Like(_) => {
                let Some(like) = likes.iter().position(|l| l.0.element == number) else { continue };
                let (own, more) = likes[like].0.columns(like, columns.len(), &likes[like].1);
                for column in own {
                    if columns.iter().any(|c| c.name == column.name) {
                        let message = format!("column \"{}\" specified more than once", column.name);
                        return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
                    }
                    columns.push(column);
                }
                copied.extend(more);
            }
        }
    }
    if columns.len() > 1600 {
        return Err(SqlError::new(SqlState::TOO_MANY_COLUMNS, "tables can have at most 1600 columns"));
    }
    // NOT NULL, and the columns of a primary key.
    for (c, own) in &constraints {
        let names: Vec<usize> = match &c.kind {
            ConstraintKind::NotNull(Some(name)) => vec![find_column(&columns, name, c.pos, sql)?],
            ConstraintKind::PrimaryKey(list) => match own {
                Some(i) => vec![*i],
                None => {
                    list.columns.iter().map(|n| find_column(&columns, n, c.pos, sql)).collect::<Result<Vec<_>>>()?
                }
            },
            _ => continue,
        };
        names.into_iter().for_each(|i| columns[i].not_null = true);
    }
    Ok((columns, constraints, copied))
}

pub fn is_system_column(name: &str) -> bool {
    ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"].contains(&name)
}

/// Takes the constraints written with column number `place`; those that are objects of their own go to `out`.
pub fn column_constraints<'a>(
    column: &mut NewColumn<'a>,
    def: &'a ColumnDef,
    table: &str,
    sql: &str,
    place: usize,
    out: &mut Vec<Placed<'a>>,
) -> Result<()> {
    // Whether it has been said to be NOT NULL, or NULL.
    let mut declared: Option<bool> = None;
    for c in &def.constraints {
        let not_null = match c.kind {
            ConstraintKind::Null => Some(false),
            ConstraintKind::NotNull(_) | ConstraintKind::PrimaryKey(_) => Some(true),
            _ => None,
        };
        if declared.is_some() && not_null.is_some() && declared != not_null {
            let what = "conflicting NULL/NOT NULL declarations";
            let message = format!("{what} for column \"{}\" of table \"{table}\"", column.name);
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, message).at(c.pos.char_position(sql)));
        }
        declared = declared.or(not_null);
        if !column_constraint(column, c, table, sql)? {
            out.push((c, Some(place)));
        }
    }
    Ok(())
}

/// Takes a constraint that is a property of its column; false when it is an object of its own.
fn column_constraint<'a>(column: &mut NewColumn<'a>, c: &'a Constraint, table: &str, sql: &str) -> Result<bool> {
    let pos = c.pos.char_position(sql);
    let of = |what: &str| format!("{what} for column \"{}\" of table \"{table}\"", column.name);
    match &c.kind {
        ConstraintKind::Null if column.not_null && column.sequence.is_none() => {
            let message = of("conflicting NULL/NOT NULL declarations");
            Err(SqlError::new(SqlState::SYNTAX_ERROR, message).at(pos))
        }
        ConstraintKind::Null => Ok(true),
        ConstraintKind::NotNull(_) if column.generated.is_some() && !column.stored => {
            refuse("NOT NULL on a virtual generated column", c.pos, sql)
        }
        ConstraintKind::NotNull(_) => {
            column.not_null = true;
            Ok(true)
        }
        ConstraintKind::Default(_) if column.generated.is_some() => {
            let what = of("both default and generation expression specified");
            Err(SqlError::new(SqlState::SYNTAX_ERROR, what).at(pos))
        }
        ConstraintKind::Default(_) if column.default.is_some() || column.sequence.is_some() => {
            let what = if column.sequence == Some(None) || column.default.is_some() {
                of("multiple default values specified")
            } else {
                of("both default and identity specified")
            };
            Err(SqlError::new(SqlState::SYNTAX_ERROR, what).at(pos))
        }
        ConstraintKind::Default(e) => {
            column.default = Some(e);
            Ok(true)
        }
        ConstraintKind::Identity { always, options } => {
            if column.default.is_some() || column.sequence.is_some() {
                let what = of("both default and identity specified");
                return Err(SqlError::new(SqlState::SYNTAX_ERROR, what).at(pos));
            }
            if !matches!(column.ty, oid::INT2 | oid::INT4 | oid::INT8) {
                let message = "identity column type must be smallint, integer, or bigint";
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
            }
            if column.generated.is_some() {
                let what = of("both identity and generation expression specified");
                return Err(SqlError::new(SqlState::SYNTAX_ERROR, what).at(pos));
            }
            column.sequence = Some(Some(*always));
            column.rules = Rules::parse(options, column.ty, sql)?;
            column.not_null = true;
            Ok(true)
        }
        ConstraintKind::Generated { expr, stored, by_default } => {
            if *by_default {
                let what = of("for a generated column, GENERATED ALWAYS must be specified");
                return Err(SqlError::new(SqlState::SYNTAX_ERROR, what).at(pos));
            }
            let clash = match () {
                () if column.generated.is_some() => "multiple generation clauses specified",
                () if column.default.is_some() => "both default and generation expression specified",
                () if column.sequence.is_some() => "both identity and generation expression specified",
                () if !stored && column.not_null => {
                    return refuse("NOT NULL on a virtual generated column", c.pos, sql);
                }
                () => {
                    column.stored = *stored;
                    column.generated = Some(expr);
                    return Ok(true);
                }
            };
            Err(SqlError::new(SqlState::SYNTAX_ERROR, of(clash)).at(pos))
        }
        _ => Ok(false),
    }
}

fn find_column(columns: &[NewColumn<'_>], name: &str, pos: Pos, sql: &str) -> Result<usize> {
    columns.iter().position(|c| c.name == name).ok_or_else(|| {
        SqlError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{name}\" named in key does not exist"))
            .at(pos.char_position(sql))
    })
}
