//! `Session` and `Statement`.

use std::sync::Arc;

use bytes::BytesMut;
use postgres_types::{IsNull, ToSql, Type};
use session::{Chunk, Notification, OutputColumn, Prepared, Runtime, Sink};
use smallvec::SmallVec;
use types::{Datum, Oid, SqlError, SqlState, oid};
use vector::{Data, Vector};

use crate::Result;
use crate::copy::{CopyIn, CopyOut};
use crate::row::{Column, Row};
use crate::transaction::Transaction;

/// A session: settings, a transaction, prepared statements. It may move between threads.
pub struct Session {
    inner: session::Session,
    /// Room for a parameter.
    buffer: BytesMut,
    ear: Ear,
}

/// Who hears a session's notices and warnings, if anybody does.
#[derive(Default)]
pub(crate) struct Ear(Option<Hear>);

type Hear = Box<dyn FnMut(&SqlError) + Send>;

impl Ear {
    pub fn hear(&mut self, notice: &SqlError) {
        if let Some(hear) = &mut self.0 {
            hear(notice);
        }
    }
}

/// Cancels what a session is doing; from any thread.
#[derive(Clone)]
pub struct CancelHandle(session::CancelHandle);

impl CancelHandle {
    /// Ends the running statement with `57014`.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Ends the running statement, and every later one, with `57P01`.
    pub fn terminate(&self) {
        self.0.terminate();
    }
}

/// A prepared statement.
pub struct Statement {
    prepared: Prepared,
    shown: Shown,
    /// The engine's columns that `shown` has.
    source: Arc<Vec<OutputColumn>>,
}

/// How a statement's rows are shown, kept as long as its columns stay the same.
struct Shown {
    columns: Arc<Vec<Column>>,
    types: Arc<Vec<Oid>>,
    /// Room for a row.
    row: Row,
    /// Room for a value.
    buffer: Vec<u8>,
}

impl Shown {
    fn of(source: &[OutputColumn]) -> Shown {
        let (columns, types) = described(source);
        Shown { row: Row::empty(columns.clone()), columns, types, buffer: Vec::new() }
    }
}

impl Statement {
    /// Types of its parameters.
    pub fn params(&self) -> Vec<Type> {
        self.prepared.params.iter().map(|p| Type::from_oid(p.0).unwrap_or(Type::UNKNOWN)).collect()
    }
}

/// Collects rows in binary form.
struct Rows<'e> {
    columns: Arc<Vec<Column>>,
    types: Arc<Vec<Oid>>,
    rows: Vec<Row>,
    affected: u64,
    /// Whether columns and types are known already.
    known: bool,
    ear: &'e mut Ear,
}

impl Rows<'_> {
    /// For a statement that is described when its first row comes, if any does.
    fn unknown(ear: &mut Ear) -> Rows<'_> {
        Rows { columns: Arc::default(), types: Arc::default(), rows: Vec::new(), affected: 0, known: false, ear }
    }
}

/// Adds the binary form of slot `i` of `v` to a row.
#[inline]
fn add_value(
    row: &mut Row,
    (v, ty): (&Vector, Oid),
    i: usize,
    names: &dyn types::io::TypeLookup,
    buffer: &mut Vec<u8>,
) -> Result<()> {
    if v.nulls.get(i) {
        row.add_null();
        return Ok(());
    }
    match (&v.data, ty) {
        (Data::I32(v), oid::INT4) => row.add_value(&v[i].to_be_bytes()),
        (Data::I64(v), oid::INT8) => row.add_value(&v[i].to_be_bytes()),
        (Data::I16(v), oid::INT2) => row.add_value(&v[i].to_be_bytes()),
        (Data::F64(v), oid::FLOAT8) => row.add_value(&v[i].to_be_bytes()),
        (Data::Bool(v), oid::BOOL) => row.add_value(&[u8::from(v[i])]),
        (Data::Var(v), oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::BYTEA | oid::NAME) => row.add_value(v.get(i)),
        _ => {
            buffer.clear();
            types::io::binary_out_with(ty, &v.get(i), names, buffer)?;
            row.add_value(buffer);
        }
    }
    Ok(())
}

impl Sink for Rows<'_> {
    fn columns(&mut self, columns: &[OutputColumn]) -> Result<()> {
        if !self.known {
            self.columns = Arc::new(columns.iter().map(|c| Column::new(c.name.clone(), c.ty.0)).collect());
            self.types = Arc::new(columns.iter().map(|c| c.ty).collect());
        }
        Ok(())
    }

    fn chunk(&mut self, chunk: &Chunk, names: &dyn types::io::TypeLookup) -> Result<()> {
        let mut buffer = Vec::new();
        for i in 0..chunk.rows {
            let mut row = Row::empty(self.columns.clone());
            for (column, &ty) in chunk.columns.iter().zip(&*self.types) {
                add_value(&mut row, (column, ty), i, names, &mut buffer)?;
            }
            self.rows.push(row);
        }
        Ok(())
    }

    fn complete(&mut self, tag: &str) {
        self.affected = session::rows_of(tag);
    }

    fn notice(&mut self, notice: &SqlError) {
        self.ear.hear(notice);
    }
}

/// Shows rows to a function, one after the other, all in the same place.
struct Each<'s> {
    statement: &'s mut Shown,
    /// Whether columns and types are those of the statement.
    known: bool,
    show: &'s mut dyn FnMut(&Row) -> Result<()>,
    affected: u64,
    ear: &'s mut Ear,
}

impl Sink for Each<'_> {
    fn columns(&mut self, columns: &[OutputColumn]) -> Result<()> {
        if !self.known {
            (self.statement.columns, self.statement.types) = described(columns);
            self.statement.row = Row::empty(self.statement.columns.clone());
        }
        Ok(())
    }

    fn chunk(&mut self, chunk: &Chunk, names: &dyn types::io::TypeLookup) -> Result<()> {
        let Shown { types, row, buffer, .. } = self.statement;
        for i in 0..chunk.rows {
            row.clear();
            for (column, &ty) in chunk.columns.iter().zip(&**types) {
                add_value(row, (column, ty), i, names, buffer)?;
            }
            (self.show)(row)?;
        }
        Ok(())
    }

    fn complete(&mut self, tag: &str) {
        self.affected = session::rows_of(tag);
    }

    fn notice(&mut self, notice: &SqlError) {
        self.ear.hear(notice);
    }
}

/// Columns and types of a result.
fn described(source: &[OutputColumn]) -> (Arc<Vec<Column>>, Arc<Vec<Oid>>) {
    let columns = source.iter().map(|c| Column::new(c.name.clone(), c.ty.0)).collect();
    (Arc::new(columns), Arc::new(source.iter().map(|c| c.ty).collect()))
}

/// Parameters of a statement.
type Values = SmallVec<[Datum; 8]>;

/// A parameter in the engine's form.
#[inline]
fn datum(
    session: &mut session::Session,
    value: &(dyn ToSql + Sync),
    oid: Oid,
    number: usize,
    buffer: &mut BytesMut,
) -> Result<Datum> {
    let ty = Type::from_oid(oid.0).unwrap_or(Type::UNKNOWN);
    buffer.clear();
    let outcome = value.to_sql_checked(&ty, buffer);
    match outcome {
        Ok(IsNull::Yes) => Ok(Datum::Null),
        Ok(IsNull::No) if oid == types::oid::INT4 && buffer.len() == 4 => {
            Ok(Datum::I32(i32::from_be_bytes([buffer[0], buffer[1], buffer[2], buffer[3]])))
        }
        Ok(IsNull::No) => session.parameter_binary(oid, buffer),
        Err(e) => {
            let message = format!("parameter ${number} of type {ty}: {e}");
            Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message))
        }
    }
}

impl Session {
    pub(crate) fn new(runtime: &Arc<Runtime>, database: &str) -> Result<Session> {
        Ok(Session { inner: session::Session::new(runtime, database)?, buffer: BytesMut::new(), ear: Ear::default() })
    }

    pub(crate) fn with_role(runtime: &Arc<Runtime>, database: &str, user: &str) -> Result<Session> {
        Ok(Session {
            inner: session::Session::with_role(runtime, database, user)?,
            buffer: BytesMut::new(),
            ear: Ear::default(),
        })
    }

    /// Prepares a statement: parsed once, planned once per catalog change.
    ///
    /// # Errors
    /// What PostgreSQL says of it.
    pub fn prepare(&mut self, sql: &str) -> Result<Statement> {
        let prepared = self.inner.prepare(sql, &[])?;
        let source = prepared.columns.clone();
        Ok(Statement { prepared, shown: Shown::of(&source), source })
    }

    /// Runs a statement; answers how many rows it changed or yielded.
    ///
    /// # Errors
    /// The statement's.
    pub fn execute(&mut self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        if let Some(rows) = self.run_known(sql, params) {
            return Ok(rows?.affected);
        }
        let mut statement = self.prepare(sql)?;
        self.execute_prepared(&mut statement, params)
    }

    /// Runs a prepared statement; answers how many rows it changed or yielded.
    ///
    /// # Errors
    /// The statement's.
    pub fn execute_prepared(&mut self, statement: &mut Statement, params: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        Ok(self.run(statement, params)?.affected)
    }

    /// Runs a statement and collects its rows.
    ///
    /// # Errors
    /// The statement's.
    pub fn query(&mut self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        if let Some(rows) = self.run_known(sql, params) {
            return Ok(rows?.rows);
        }
        let mut statement = self.prepare(sql)?;
        self.query_prepared(&mut statement, params)
    }

    /// Runs a prepared statement and collects its rows.
    ///
    /// # Errors
    /// The statement's.
    pub fn query_prepared(&mut self, statement: &mut Statement, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        Ok(self.run(statement, params)?.rows)
    }

    /// Runs a statement that yields exactly one row.
    ///
    /// # Errors
    /// The statement's; `02000` or `21000` when it yields none or more.
    pub fn query_one(&mut self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Row> {
        let mut rows = self.query(sql, params)?.into_iter();
        match (rows.next(), rows.next()) {
            (Some(row), None) => Ok(row),
            (None, _) => Err(SqlError::new(SqlState::NO_DATA, "the query returned no rows")),
            (Some(_), Some(_)) => {
                Err(SqlError::new(SqlState::CARDINALITY_VIOLATION, "the query returned more than one row"))
            }
        }
    }

    /// Runs a statement whose text came before with other literals.
    fn run_known(&mut self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Option<Result<Rows<'_>>> {
        if !params.is_empty() {
            return None;
        }
        let mut known = self.inner.known(sql)?;
        let mut rows = Rows::unknown(&mut self.ear);
        let outcome = self.inner.execute(&mut known.prepared, &known.values, &mut rows);
        self.inner.keep(known);
        Some(outcome.map(|()| rows))
    }

    /// Makes `values` those of a statement's parameters.
    #[inline]
    fn values(&mut self, types: &[Oid], params: &[&(dyn ToSql + Sync)], values: &mut Values) -> Result<()> {
        if types.len() != params.len() {
            let message = format!("{} parameters given, the statement has {}", params.len(), types.len());
            return Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, message));
        }
        for (i, (value, &oid)) in params.iter().zip(types).enumerate() {
            values.push(datum(&mut self.inner, *value, oid, i + 1, &mut self.buffer)?);
        }
        Ok(())
    }

    fn run(&mut self, statement: &mut Statement, params: &[&(dyn ToSql + Sync)]) -> Result<Rows<'_>> {
        let mut values = Values::new();
        self.values(&statement.prepared.params, params, &mut values)?;
        let Shown { columns, types, .. } = &statement.shown;
        let known = Arc::ptr_eq(&statement.source, &statement.prepared.columns);
        let mut rows = Rows {
            columns: columns.clone(),
            types: types.clone(),
            rows: Vec::new(),
            affected: 0,
            known,
            ear: &mut self.ear,
        };
        self.inner.execute(&mut statement.prepared, &values, &mut rows)?;
        if !Arc::ptr_eq(&statement.source, &statement.prepared.columns) {
            statement.source = statement.prepared.columns.clone();
            statement.shown = Shown::of(&statement.source);
        }
        Ok(rows)
    }

    /// Runs a prepared statement and calls `show` with each row; answers how many rows it changed or yielded. All rows are shown in one place, so that
    /// a statement that was run before allocates nothing for them.
    ///
    /// # Errors
    /// The statement's, and the first that `show` answers: then the statement has failed.
    pub fn query_each(
        &mut self,
        statement: &mut Statement,
        params: &[&(dyn ToSql + Sync)],
        mut show: impl FnMut(&Row) -> Result<()>,
    ) -> Result<u64> {
        let mut values = Values::new();
        self.values(&statement.prepared.params, params, &mut values)?;
        let Statement { prepared, shown, source } = statement;
        let known = Arc::ptr_eq(source, &prepared.columns);
        let mut each = Each { statement: shown, known, show: &mut show, affected: 0, ear: &mut self.ear };
        let outcome = self.inner.execute(prepared, &values, &mut each);
        let affected = each.affected;
        if !Arc::ptr_eq(source, &prepared.columns) {
            *source = prepared.columns.clone();
            *shown = Shown::of(source);
        }
        outcome.map(|()| affected)
    }

    /// Runs any number of statements; their rows are dropped.
    ///
    /// # Errors
    /// The first statement's that fails; none after it is run.
    pub fn batch_execute(&mut self, sql: &str) -> Result<()> {
        self.inner.run(sql, &mut Rows::unknown(&mut self.ear))
    }

    /// Runs a `COPY ... FROM STDIN`, whose data are then written to what this answers.
    ///
    /// # Errors
    /// The statement's.
    pub fn copy_in(&mut self, sql: &str) -> Result<CopyIn<'_>> {
        CopyIn::begin(self, sql)
    }

    /// Runs a `COPY ... TO STDOUT`, whose data are then read from what this answers.
    ///
    /// # Errors
    /// The statement's.
    pub fn copy_out(&mut self, sql: &str) -> Result<CopyOut<'_>> {
        CopyOut::begin(self, sql)
    }

    /// Starts a transaction; it is rolled back when dropped (H1).
    ///
    /// # Errors
    /// `25001` when one is open.
    pub fn transaction(&mut self) -> Result<Transaction<'_>> {
        Transaction::begin(self)
    }

    /// From now on `hear` is told of notices and warnings, while the statement that gives them runs: those that `client_min_messages` lets pass.
    /// Without it, they are dropped. See "Message Severity Levels" in PostgreSQL's manual; the severity is in [`Error::fields`](crate::Error::fields).
    pub fn on_notice(&mut self, hear: impl FnMut(&SqlError) + Send + 'static) {
        self.ear = Ear(Some(Box::new(hear)));
    }

    /// The session below, and who hears its notices.
    pub(crate) fn parts(&mut self) -> (&mut session::Session, &mut Ear) {
        (&mut self.inner, &mut self.ear)
    }

    /// What was notified on channels that this session listens to (`LISTEN`), since the last time; in the order in which the senders'
    /// transactions committed. Empty within a transaction.
    pub fn notifications(&mut self) -> Vec<Notification> {
        if self.inner.is_between_transactions() { self.inner.take_notifications() } else { Vec::new() }
    }

    /// Waits in this thread until there is a notification, at most `patience`; whether there is one.
    ///
    /// # Errors
    /// `57014` or `57P01` when it is cancelled.
    pub fn wait_for_notification(&mut self, patience: std::time::Duration) -> Result<bool> {
        self.inner.wait_for_notification(patience)
    }

    /// Cancels this session's statements from elsewhere.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle(self.inner.cancel_handle())
    }

    /// The session below, for the server and for tools.
    pub fn inner(&mut self) -> &mut session::Session {
        &mut self.inner
    }
}
