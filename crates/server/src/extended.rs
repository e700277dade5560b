//! The extended protocol: Parse, Bind, Describe, Execute.
//!
//! Nearly every client sends Bind, perhaps Describe, Execute for all rows and Sync together, for the unnamed portal. Then no portal is made: what
//! is bound is kept ([`Bound`]) and run to its end as a program's prepared statement is, with operators that are kept and without a
//! transaction of several steps. Whatever else comes first opens the portal that was asked for, so that nobody can tell (P4).

use std::sync::Arc;

use bytes::Bytes;
use session::{BlockState, Fetched, OutputColumn, Pause, Portal};
use types::{Datum, Oid, Result, SqlError, SqlState};
use wire::{Formats, FrontendMessage, Target, Values, backend, text};

use crate::channel::CopyMessage;
use crate::connection::{Connection, Pending, is_empty};
use crate::results::{Results, fields};

/// A portal as its client knows it.
pub(crate) struct Opened {
    /// None for the empty statement.
    pub portal: Option<Portal>,
    pub formats: Formats,
}

/// What is bound to the unnamed portal while that is not opened (P4).
pub(crate) struct Bound {
    statement: String,
    columns: Arc<Vec<OutputColumn>>,
    params: Vec<Datum>,
    formats: Formats,
    /// Whether it was run: then there are no more rows.
    is_spent: bool,
}

impl Connection {
    /// Does what a message of the extended protocol asks for.
    pub(crate) fn extended(&mut self, message: FrontendMessage) -> Result<()> {
        self.settle_bound(&message)?;
        match message {
            FrontendMessage::Parse { statement, query, parameter_types } => {
                self.parse(&statement, &query, &parameter_types.iter().collect::<Vec<_>>())
            }
            FrontendMessage::Bind { portal, statement, parameter_formats, parameters, result_formats } => {
                self.bind(&portal, &statement, &parameter_formats, &parameters, &result_formats)
            }
            FrontendMessage::Describe { target, name } => self.describe(target, &name),
            FrontendMessage::Execute { portal, row_count_max } => self.execute(&portal, row_count_max, None),
            FrontendMessage::Close { target, name } => {
                match target {
                    Target::Statement => {
                        let name = String::from_utf8_lossy(&name);
                        self.session().forget_statement(&name);
                    }
                    Target::Portal => drop(self.portals.remove(&name)),
                }
                backend::close_complete(&mut self.channel.output);
                Ok(())
            }
            _ => Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, "unexpected message")),
        }
    }

    /// Opens the portal that was put off, unless `message` goes with what is bound as it is (P4).
    fn settle_bound(&mut self, message: &FrontendMessage) -> Result<()> {
        let Some(bound) = &self.bound else { return Ok(()) };
        match message {
            FrontendMessage::Describe { target: Target::Portal, name } if name.is_empty() => return Ok(()),
            // What follows Sync may be in another transaction.
            FrontendMessage::Execute { portal, row_count_max }
                if portal.is_empty() && *row_count_max <= 0 && !bound.is_spent && self.channel.next_is_sync() =>
            {
                return Ok(());
            }
            FrontendMessage::Bind { portal, .. } if portal.is_empty() => {
                self.bound = None;
                return Ok(());
            }
            _ => {}
        }
        let Some(Bound { statement, params, formats, is_spent, .. }) = self.bound.take() else { return Ok(()) };
        let mut portal = self.session().open_named("", &statement, params)?;
        if let (true, Some(portal)) = (is_spent, &mut portal) {
            portal.end();
        }
        self.portals.insert(Bytes::new(), Opened { portal, formats });
        Ok(())
    }

    fn parse(&mut self, name: &[u8], query: &[u8], params: &[Oid]) -> Result<()> {
        let name = text::utf8(name)?;
        self.session().check_statement_name(name)?;
        if name.is_empty() {
            self.session().forget_statement(name);
        }
        let sql = text::utf8(query)?;
        self.session().report_begin(sql);
        // OID 0 leaves the type to be inferred.
        let params: Vec<Oid> = params.iter().map(|&p| if p.is_none() { types::oid::UNKNOWN } else { p }).collect();
        let prepared = if is_empty(sql) { None } else { Some(self.session().prepare(sql, &params)?) };
        self.session().keep_statement(name, prepared);
        backend::parse_complete(&mut self.channel.output);
        Ok(())
    }

    fn bind(
        &mut self,
        name: &Bytes,
        statement_name: &[u8],
        formats: &Formats,
        values: &Values,
        result_formats: &Formats,
    ) -> Result<()> {
        let portal_name = text::utf8(name)?;
        self.session().report_statement(&String::from_utf8_lossy(statement_name));
        if !name.is_empty() && self.portals.contains_key(name) {
            let message = format!("cursor \"{portal_name}\" already exists");
            return Err(SqlError::new(SqlState::DUPLICATE_CURSOR, message));
        }
        self.portals.remove(name);
        self.bound.take_if(|_| name.is_empty());
        let statement_name = text::utf8(statement_name)?;
        let statement = self.session().statement(statement_name)?;
        let types: Vec<Oid> = statement.map_or(Vec::new(), |s| s.params.clone());
        let columns = statement.map_or_else(Arc::default, |s| s.columns.clone());
        if values.len() != types.len() {
            let message = format!(
                "bind message supplies {} parameters, but prepared statement \"{statement_name}\" requires {}",
                values.len(),
                types.len()
            );
            return Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, message));
        }
        let mut params = Vec::with_capacity(types.len());
        for (i, (value, &ty)) in values.iter().zip(&types).enumerate() {
            let format = formats.of(i).unwrap_or(0);
            params.push(parameter(self.session(), value.as_deref(), format, ty, i + 1).map_err(|e| {
                let which = match portal_name {
                    "" => "unnamed portal".to_owned(),
                    name => format!("portal \"{name}\""),
                };
                // The value itself is not shown, as by PostgreSQL's default settings.
                let known = format == 0 && e.state() != SqlState::CHARACTER_NOT_IN_REPERTOIRE;
                e.context(format!("{which} parameter ${}{}", i + 1, if known { " = '...'" } else { "" }))
            })?);
        }
        if result_formats.len() > 1 && result_formats.len() != columns.len() {
            let message = format!(
                "bind message has {} result formats but query has {} columns",
                result_formats.len(),
                columns.len()
            );
            return Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, message));
        }
        if let Some(wrong) = result_formats.iter().find(|f| !matches!(f, 0 | 1)) {
            return Err(unsupported_format(wrong));
        }
        // What is kept must not keep all that was read with it.
        let formats = result_formats.detached();
        if name.is_empty() && self.session().is_bound_silently(statement_name) {
            let statement = statement_name.to_owned();
            self.bound = Some(Bound { statement, columns, params, formats, is_spent: false });
        } else {
            let portal = self.session().open_named(portal_name, statement_name, params)?;
            self.portals.insert(Bytes::copy_from_slice(name), Opened { portal, formats });
        }
        backend::bind_complete(&mut self.channel.output);
        Ok(())
    }

    fn describe(&mut self, target: Target, name: &Bytes) -> Result<()> {
        let columns: Option<Arc<Vec<OutputColumn>>>;
        let mut formats = None;
        let mut params = None;
        match target {
            Target::Statement => {
                let statement = self.session().statement(text::utf8(name)?)?;
                params = Some(statement.map_or(Vec::new(), |s| s.params.clone()));
                columns = statement.map(|s| s.columns.clone());
            }
            Target::Portal => {
                columns = if let Some(bound) = self.bound.as_ref().filter(|_| name.is_empty()) {
                    formats = Some(bound.formats.clone());
                    Some(bound.columns.clone())
                } else if let Some(opened) = self.portals.get(name) {
                    formats = Some(opened.formats.clone());
                    opened.portal.as_ref().map(|p| p.columns.clone())
                } else {
                    // The SQL cursors are portals, too.
                    let cursor = self.session().cursor_columns(&String::from_utf8_lossy(name));
                    Some(cursor.ok_or_else(|| no_portal(name))?)
                };
            }
        }
        let columns = columns.filter(|c| !c.is_empty());
        if columns.is_some() {
            self.session().check_not_failed()?;
        }
        if let Some(params) = params {
            backend::parameter_description(&mut self.channel.output, params);
        }
        match columns {
            Some(columns) => {
                backend::row_description(&mut self.channel.output, fields(&columns, formats.as_ref()));
            }
            None => backend::no_data(&mut self.channel.output),
        }
        Ok(())
    }

    /// Gives out at most `max` rows of a portal, or goes on with that; `data` are those of a COPY that wants them.
    pub(crate) fn execute(&mut self, name: &Bytes, max: i32, data: Option<CopyMessage>) -> Result<()> {
        if let Some(bound) = self.bound.take_if(|_| name.is_empty() && data.is_none()) {
            return self.execute_bound(bound);
        }
        let (name, mut opened) = self.portals.remove_entry(name).ok_or_else(|| no_portal(name))?;
        let Some(portal) = &mut opened.portal else {
            backend::empty_query_response(&mut self.channel.output);
            self.portals.insert(name, opened);
            return Ok(());
        };
        let Some(session) = &mut self.session else { return Ok(()) };
        let mut results = Results::new(&mut self.channel, session.inner().settings_io().clone());
        (results.formats, results.describe) = (Some(opened.formats.clone()), false);
        let fetched = match data {
            None => session.inner().fetch(portal, u64::try_from(max).unwrap_or(0), &mut results)?,
            Some(CopyMessage::Data(data)) => session.inner().feed_portal(portal, Some(&data), &mut results)?,
            Some(CopyMessage::Done) => session.inner().feed_portal(portal, None, &mut results)?,
            Some(CopyMessage::Nothing) => Fetched::CopyIn,
        };
        match fetched {
            Fetched::Complete(tag) => backend::command_complete(&mut self.channel.output, &tag),
            Fetched::Suspended => backend::portal_suspended(&mut self.channel.output),
            Fetched::Full => self.pending = Some(Pending::Portal(name.clone(), max, Pause::Full)),
            Fetched::CopyIn => self.pending = Some(Pending::Portal(name.clone(), max, Pause::CopyIn)),
        }
        self.portals.insert(name, opened);
        Ok(())
    }

    /// Runs what is bound to its end; a Sync follows.
    fn execute_bound(&mut self, mut bound: Bound) -> Result<()> {
        let Some(session) = &mut self.session else { return Ok(()) };
        let mut results = Results::new(&mut self.channel, session.inner().settings_io().clone());
        (results.formats, results.describe) = (Some(bound.formats.clone()), false);
        let stopped = session.inner().execute_bound(&bound.statement, &bound.params, &mut results)?;
        if stopped.is_some() {
            self.portals.insert(Bytes::new(), Opened { portal: stopped, formats: bound.formats });
            self.pending = Some(Pending::Portal(Bytes::new(), 0, Pause::Full));
        } else if session.inner().block_state() != BlockState::Idle {
            bound.is_spent = true;
            self.bound = Some(bound);
        }
        Ok(())
    }
}

/// A parameter's value.
fn parameter(
    session: &mut session::Session,
    value: Option<&[u8]>,
    format: i16,
    ty: Oid,
    number: usize,
) -> Result<Datum> {
    match (value, format) {
        (_, f) if !matches!(f, 0 | 1) => Err(unsupported_format(f)),
        (None, _) => Ok(Datum::Null),
        (Some(bytes), 0) => session.parameter_in(ty, text::utf8(bytes)?),
        (Some(bytes), _) => {
            let wrong = || {
                let message = format!("incorrect binary data format in bind parameter {number}");
                SqlError::new(SqlState::INVALID_BINARY_REPRESENTATION, message)
            };
            let datum = session
                .parameter_binary(ty, bytes)
                .map_err(|e| if e.message() == "incorrect binary data format" { wrong() } else { e })?;
            // Types of fixed size must have taken all of it.
            let taken = match &datum {
                Datum::Bool(_) | Datum::I8(_) => 1,
                Datum::I16(_) => 2,
                Datum::I32(_) | Datum::U32(_) | Datum::F32(_) => 4,
                Datum::I64(_) | Datum::F64(_) => 8,
                _ => bytes.len(),
            };
            if taken != bytes.len() {
                return Err(wrong());
            }
            Ok(datum)
        }
    }
}

fn unsupported_format(format: i16) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("unsupported format code: {format}"))
}

fn no_portal(name: &Bytes) -> SqlError {
    let message = format!("portal \"{}\" does not exist", String::from_utf8_lossy(name));
    SqlError::new(SqlState::INVALID_CURSOR_NAME, message)
}
