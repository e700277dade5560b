//! Prepared statements and cursors by name: what PREPARE and DECLARE make, and what clients make with Parse.

use std::collections::HashMap;
use std::sync::Arc;

use plan::{Node, OutputColumn};
use syntax::ast::{Execute, Prepare, StatementKind};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::cursor::Cursors;
use crate::given::Given;
use crate::portal::{Fetched, Portal};
use crate::prepared::Prepared;
use crate::session::{BlockState, Session, Sink};

/// A statement that a session knows by name.
struct Kept {
    /// None for the empty statement, and while it is run.
    prepared: Option<Prepared>,
    /// What `pg_prepared_statements` says of it, also while it is run; of the unnamed and of the empty one nothing.
    shown: Option<Shown>,
}

struct Shown {
    /// When it was prepared, and whether by PREPARE.
    time: i64,
    from_sql: bool,
    sql: Arc<str>,
    params: Vec<Oid>,
    columns: Arc<Vec<OutputColumn>>,
}

/// What a session knows by name. The unnamed statement has the empty name.
#[derive(Default)]
pub(crate) struct Named {
    statements: HashMap<String, Kept>,
    pub cursors: Cursors,
}

/// Bytes that a prepared statement usually takes of its session: text and plan are shared, operators are its own.
const STATEMENT_BYTES: usize = 1024;

impl Named {
    /// How many statements there are.
    pub(crate) fn statement_count(&self) -> usize {
        self.statements.len()
    }

    /// The statement called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&Prepared> {
        self.statements.get(name).and_then(|kept| kept.prepared.as_ref())
    }

    /// Bytes that they and the cursors may hold; what cursors have read is counted as that of statements is.
    pub(crate) fn bytes(&self) -> usize {
        (self.statements.len() + self.cursors.len()) * STATEMENT_BYTES
    }

    /// Rows of `pg_prepared_statements`.
    pub(crate) fn prepared_rows(&self) -> Vec<Vec<Datum>> {
        let types = |list: &mut dyn Iterator<Item = Oid>| {
            let values: Vec<Datum> = list.map(Datum::from).collect();
            types::array::Array::one_dimensional(oid::REGTYPE, values).to_datum()
        };
        let row = |(name, kept): (&String, &Kept)| {
            let shown = kept.shown.as_ref()?;
            let result = match shown.columns.is_empty() {
                true => Datum::Null,
                false => types(&mut shown.columns.iter().map(|c| c.ty)),
            };
            let row = vec![
                Datum::text(name),
                Datum::text(&shown.sql),
                Datum::I64(shown.time),
                types(&mut shown.params.iter().copied()),
                result,
                Datum::Bool(shown.from_sql),
                Datum::I64(0),
                Datum::I64(0),
            ];
            Some((shown.time, row))
        };
        let mut rows: Vec<(i64, Vec<Datum>)> = self.statements.iter().filter_map(row).collect();
        // In the order in which they were prepared: a list that is another each time serves nobody.
        rows.sort_by_key(|r| r.0);
        rows.into_iter().map(|r| r.1).collect()
    }

    /// Rows of `pg_cursors`.
    pub(crate) fn cursor_rows(&self) -> Vec<Vec<Datum>> {
        self.cursors.iter().map(|(name, cursor)| cursor.shown(name)).collect()
    }
}

fn no_statement(name: &str) -> SqlError {
    let message = match name {
        "" => "unnamed prepared statement does not exist".to_owned(),
        name => format!("prepared statement \"{name}\" does not exist"),
    };
    SqlError::new(SqlState::INVALID_SQL_STATEMENT_NAME, message)
}

fn no_cursor(name: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_CURSOR_NAME, format!("cursor \"{name}\" does not exist"))
}

impl Session {
    /// Fails when there is a statement called `name`; the unnamed one is replaced.
    ///
    /// # Errors
    /// `42P05`.
    pub fn check_statement_name(&self, name: &str) -> Result<()> {
        if name.is_empty() || !self.named.statements.contains_key(name) {
            return Ok(());
        }
        let message = format!("prepared statement \"{name}\" already exists");
        Err(SqlError::new(SqlState::DUPLICATE_PREPARED_STATEMENT, message))
    }

    /// Keeps a statement under `name`; `None` is the empty one.
    pub fn keep_statement(&mut self, name: &str, statement: Option<Prepared>) {
        self.keep_shown(name, statement, false);
    }

    fn keep_shown(&mut self, name: &str, prepared: Option<Prepared>, from_sql: bool) {
        let shown = prepared.as_ref().filter(|_| !name.is_empty()).map(|prepared| Shown {
            time: self.started.1,
            from_sql,
            sql: prepared.sql.clone(),
            params: prepared.params.clone(),
            columns: prepared.columns.clone(),
        });
        self.named.statements.insert(name.to_owned(), Kept { prepared, shown });
    }

    /// Forgets the statement called `name`; whether there was one.
    pub fn forget_statement(&mut self, name: &str) -> bool {
        // Looking up what is not there costs a hash.
        !self.named.statements.is_empty() && self.named.statements.remove(name).is_some()
    }

    /// The statement called `name`.
    ///
    /// # Errors
    /// `26000`.
    pub fn statement(&self, name: &str) -> Result<Option<&Prepared>> {
        self.named.statements.get(name).map(|kept| kept.prepared.as_ref()).ok_or_else(|| no_statement(name))
    }

    /// A portal on the statement called `name`; `None` on the empty one.
    ///
    /// # Errors
    /// `26000`, and as [`Session::open_portal`].
    pub fn open_named(&mut self, portal: &str, name: &str, params: Vec<Datum>) -> Result<Option<Portal>> {
        self.with_statement(name, |session, prepared| session.open_portal(portal, prepared, params))
    }

    /// Calls `f` with the statement called `name`; `None` where that is the empty one.
    fn with_statement<T>(
        &mut self,
        name: &str,
        f: impl FnOnce(&mut Session, &mut Prepared) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(kept) = self.named.statements.get_mut(name) else { return Err(no_statement(name)) };
        let Some(mut prepared) = kept.prepared.take() else { return Ok(None) };
        let outcome = f(self, &mut prepared);
        if let Some(kept) = self.named.statements.get_mut(name) {
            kept.prepared = Some(prepared);
        }
        outcome.map(Some)
    }

    /// Whether Bind would say nothing about the statement called `name` but that it is bound: it is planned, its plan is current, and the session
    /// takes statements. Then a portal need not be opened before it is known that one is wanted: see [`Session::execute_bound`].
    pub fn is_bound_silently(&self, name: &str) -> bool {
        self.block_state() != BlockState::Failed
            && self.named.get(name).is_some_and(|prepared| prepared.is_current(self.basis()))
    }

    /// Runs the statement called `name` to its end and commits unless a block is open: what opening a portal on it, fetching all and
    /// [`Session::sync`] would come to. A portal is answered where `sink` is full, which is to be fetched from on.
    ///
    /// # Errors
    /// `26000`, and the statement's.
    pub fn execute_bound(&mut self, name: &str, params: &[Datum], sink: &mut dyn Sink) -> Result<Option<Portal>> {
        let stopped = self.with_statement(name, |session, prepared| {
            let running = session.execute_or_suspend(prepared, params, sink)?;
            Ok(running.map(|running| session.stopped_portal(prepared, running)))
        });
        stopped.map(Option::flatten)
    }

    /// The value of a parameter from its text; names in it are looked up in the catalog.
    ///
    /// # Errors
    /// What the type's input says.
    pub fn parameter_in(&mut self, ty: Oid, text: &str) -> Result<Datum> {
        self.note_time();
        if !types::io::is_reg(ty) && ty < Oid::FIRST_NORMAL {
            return types::io::text_in(ty, -1, text, &self.settings.io);
        }
        self.enter()?;
        let image = self.image()?;
        let names = binder::Names { image: &image, search_path: &self.search_path };
        types::io::text_in_with(ty, -1, text, &self.settings.io, &names)
    }

    /// The value of a parameter from its binary form.
    ///
    /// # Errors
    /// What the type's input says.
    pub fn parameter_binary(&mut self, ty: Oid, bytes: &[u8]) -> Result<Datum> {
        if !ty.is_user_type() {
            return types::io::binary_in(ty, -1, bytes);
        }
        self.enter()?;
        let image = self.image()?;
        let names = binder::Names { image: &image, search_path: &self.search_path };
        types::io::binary_in_with(ty, -1, bytes, &names)
    }

    /// The columns that EXECUTE or FETCH will yield.
    pub(crate) fn named_columns(&self, kind: &StatementKind) -> Result<Option<Arc<Vec<OutputColumn>>>> {
        Ok(match kind {
            StatementKind::Execute(e) => Some(match self.statement(e.name.as_str())? {
                Some(prepared) => prepared.columns.clone(),
                None => Arc::default(),
            }),
            StatementKind::Fetch(f) if !f.is_move => {
                Some(self.cursor_columns(f.name.as_str()).ok_or_else(|| no_cursor(f.name.as_str()))?)
            }
            _ => None,
        })
    }

    pub(crate) fn forget_named(&mut self) {
        self.named = Named::default();
    }

    pub(crate) fn prepare_statement(&mut self, sql: &str, prepare: &Prepare) -> Result<String> {
        let name = prepare.name.as_str();
        self.check_statement_name(name)?;
        let mut types = Vec::with_capacity(prepare.types.len());
        if !prepare.types.is_empty() {
            let image = self.image()?;
            let binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
            for ty in &prepare.types {
                types.push(binder.type_name(ty)?.0);
            }
        }
        let statement = prepare.statement.clone();
        let start = Some(statement.span.start.0);
        let prepared = self.prepare_parsed(sql, statement, start, types)?;
        self.keep_shown(name, Some(prepared), true);
        Ok("PREPARE".to_owned())
    }

    pub(crate) fn execute_statement(&mut self, sql: &str, execute: &Execute, sink: &mut dyn Sink) -> Result<String> {
        let Some(mut portal) = self.open_execute(sql, execute)? else { return Ok(String::new()) };
        match self.fetch_inner(&mut portal, 0, None, sink)? {
            Fetched::Complete(tag) => Ok(tag),
            // What it writes to does not suspend.
            Fetched::Suspended | Fetched::Full | Fetched::CopyIn => Ok(String::new()),
        }
    }

    /// The portal that an EXECUTE runs; `None` for the empty statement.
    pub(crate) fn open_execute(&mut self, sql: &str, execute: &Execute) -> Result<Option<Portal>> {
        let Some(Given { values, .. }) = self.execute_given(sql, execute)? else { return Ok(None) };
        self.open_named("", execute.name.as_str(), values)
    }

    /// What an EXECUTE gives to its statement; `None` for the empty one.
    pub(crate) fn execute_given(&mut self, sql: &str, execute: &Execute) -> Result<Option<Given>> {
        let name = execute.name.as_str();
        let Some(prepared) = self.statement(name)? else { return Ok(None) };
        let types = prepared.params.clone();
        if types.len() != execute.args.len() {
            let message = format!("wrong number of parameters for prepared statement \"{name}\"");
            let detail = format!("Expected {} parameters but got {}.", types.len(), execute.args.len());
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, message).detail(detail));
        }
        let mut params = Vec::new();
        if !types.is_empty() {
            let image = self.image()?;
            let mut binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
            let mut values = Vec::with_capacity(types.len());
            for (arg, &ty) in execute.args.iter().zip(&types) {
                values.push(binder.constant_of(arg, ty)?);
            }
            let node = Node::Values { rows: vec![values], types: types.clone() };
            let mut running = self.start(Arc::new(node), Arc::default())?;
            if let Some(chunk) = running.next_chunk(self)? {
                params = chunk.row(0);
            }
        }
        Ok(Some(Given { types, values: params }))
    }

    pub(crate) fn deallocate(&mut self, name: Option<&str>) -> Result<String> {
        match name {
            Some(name) if self.forget_statement(name) => Ok("DEALLOCATE".to_owned()),
            Some(name) => Err(no_statement(name)),
            None => {
                self.named.statements.clear();
                Ok("DEALLOCATE ALL".to_owned())
            }
        }
    }

    /// The columns a statement yields that is not planned: those of SHOW, EXECUTE, FETCH.
    pub(crate) fn unplanned_columns(&self, kind: &StatementKind) -> Result<Arc<Vec<OutputColumn>>> {
        let text = |name: &str| OutputColumn { name: name.to_owned(), ty: oid::TEXT, typmod: -1, origin: None };
        Ok(match kind {
            StatementKind::Show(show) if show.name.eq_ignore_ascii_case("all") => {
                Arc::new(vec![text("name"), text("setting"), text("description")])
            }
            StatementKind::Explain(e) => {
                Arc::new(vec![OutputColumn { ty: crate::explain::column_type(e), ..text("QUERY PLAN") }])
            }
            StatementKind::Show(show) => {
                self.settings.get(&show.name)?;
                Arc::new(vec![text(crate::settings::Settings::shown_name(&show.name))])
            }
            kind => self.named_columns(kind)?.unwrap_or_default(),
        })
    }
}
