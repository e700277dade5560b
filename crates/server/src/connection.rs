//! `Connection`: one client: start-up, then messages until it leaves.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::sync::{Arc, PoisonError};

use bytes::{Bytes, BytesMut};
use session::{BlockState, OutputColumn, Prepared};
use types::error::Severity;
use types::{Datum, Oid, Result, SqlError, SqlState};
use wire::{
    Decoder, Formats, FrontendMessage, StartupMessage, StartupParameters, Target, TransactionStatus, Values, backend,
    text,
};

use crate::results::{Results, fields};
use crate::{Auth, Shared};

/// Bytes asked of the socket at a time.
const READ_BYTES: usize = 16 << 10;

/// A prepared statement; none for the empty one.
type Slot = Option<Prepared>;

struct Portal {
    statement: Slot,
    params: Vec<Datum>,
    formats: Formats,
    /// Rows that a limited Execute left behind, and the tag that ends them.
    rest: Option<(Vec<BytesMut>, String)>,
}

/// A client's connection.
pub struct Connection {
    shared: Arc<Shared>,
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
    input: BytesMut,
    output: BytesMut,
    decoder: Decoder,
    session: Option<hathi::Session>,
    statements: HashMap<Bytes, Slot>,
    portals: HashMap<Bytes, Portal>,
    /// After an error in the extended protocol: skip to the next Sync.
    skipping: bool,
}

fn gone() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

/// Tells a client that it is not let in.
pub fn refuse(mut writer: Box<dyn Write + Send>, why: &str) {
    let mut output = BytesMut::new();
    let error = SqlError::new(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, why).severity(Severity::Fatal);
    backend::error_response(&mut output, &error);
    let _ = writer.write_all(&output);
}

impl Connection {
    pub fn new(shared: Arc<Shared>, reader: Box<dyn Read + Send>, writer: Box<dyn Write + Send>) -> Connection {
        Connection {
            shared,
            reader,
            writer,
            input: BytesMut::new(),
            output: BytesMut::new(),
            decoder: Decoder::default(),
            session: None,
            statements: HashMap::new(),
            portals: HashMap::new(),
            skipping: false,
        }
    }

    /// The number that cancel requests name.
    pub fn process_id(&mut self) -> i32 {
        self.session.as_mut().map_or(0, |s| s.inner().process_id() as i32)
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut buffer = [0; READ_BYTES];
        let n = self.reader.read(&mut buffer)?;
        if n == 0 {
            return Err(gone());
        }
        self.input.extend_from_slice(&buffer[..n]);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.write_all(&self.output)?;
        self.output.clear();
        self.writer.flush()
    }

    /// Sends a fatal error.
    fn fatal(&mut self, error: SqlError) -> io::Error {
        backend::error_response(&mut self.output, &error.severity(Severity::Fatal));
        let _ = self.flush();
        gone()
    }

    /// Serves the client until it leaves.
    ///
    /// # Errors
    /// What ended the connection.
    pub fn serve(&mut self) -> io::Result<()> {
        loop {
            match self.decoder.startup(&mut self.input) {
                Err(e) => return Err(self.fatal(e)),
                Ok(None) => self.read_more()?,
                Ok(Some(StartupMessage::SslRequest | StartupMessage::GssEncRequest)) => {
                    self.writer.write_all(b"N")?;
                    self.writer.flush()?;
                }
                Ok(Some(StartupMessage::Cancel(request))) => {
                    let cancel = self.shared.cancel.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some((key, handle)) = cancel.get(&request.process_id)
                        && key[..] == request.key[..]
                    {
                        handle.cancel();
                    }
                    return Ok(());
                }
                Ok(Some(StartupMessage::Startup { version, parameters })) => {
                    if let Err(e) = self.start(version, &parameters) {
                        return Err(self.fatal(e));
                    }
                    break;
                }
            }
        }
        self.ready();
        self.flush()?;
        loop {
            match self.decoder.decode(&mut self.input) {
                Ok(None) => {
                    // Answers go out before waiting for more.
                    if self.input.is_empty() && !self.output.is_empty() {
                        self.flush()?;
                    }
                    self.read_more()?;
                }
                Ok(Some(FrontendMessage::Terminate)) => return Ok(()),
                Ok(Some(message)) => self.handle(message)?,
                Err(e) if e.fields().severity == Severity::Fatal => return Err(self.fatal(e)),
                Err(e) => {
                    backend::error_response(&mut self.output, &e);
                    self.skipping = true;
                }
            }
        }
    }

    fn start(&mut self, asked: wire::ProtocolVersion, parameters: &StartupParameters) -> Result<()> {
        let version = asked.negotiate()?;
        let user = text::utf8(parameters.user()?)?;
        if user != "postgres" {
            let message = format!("role \"{user}\" does not exist");
            return Err(SqlError::new(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message));
        }
        debug_assert!(matches!(self.shared.auth, Auth::Peer | Auth::Trust), "the listener has checked");
        let name = text::utf8(parameters.database()?)?;
        let mut session = self.shared.database.session_on(name)?;
        for (setting, value) in parameters.iter() {
            let setting = text::utf8(setting)?;
            if !matches!(setting, "user" | "database" | "replication" | "options") && !setting.starts_with("_pq_.") {
                session.inner().set_setting(setting, text::utf8(value)?)?;
            }
        }
        let options: Vec<&[u8]> = parameters.unrecognized_options().collect();
        if asked != version || !options.is_empty() {
            backend::negotiate_protocol_version(&mut self.output, version, options.iter().copied());
        }
        backend::authentication_ok(&mut self.output);
        for setting in [
            "server_version",
            "server_encoding",
            "client_encoding",
            "standard_conforming_strings",
            "integer_datetimes",
            "application_name",
        ] {
            backend::parameter_status(&mut self.output, setting, &session.inner().setting(setting)?);
        }
        for (setting, value) in
            [("DateStyle", "ISO, MDY"), ("TimeZone", "UTC"), ("IntervalStyle", "postgres"), ("is_superuser", "on")]
        {
            backend::parameter_status(&mut self.output, setting, value);
        }
        let mut key = vec![0; version.cancel_key_bytes()];
        self.shared.database.runtime().engine().shared().env.entropy.fill(&mut key);
        let id = session.inner().process_id() as i32;
        backend::backend_key_data(&mut self.output, id, &key);
        let handle = session.cancel_handle();
        self.shared.cancel.lock().unwrap_or_else(PoisonError::into_inner).insert(id, (key, handle));
        self.session = Some(session);
        Ok(())
    }

    fn session(&mut self) -> &mut session::Session {
        match &mut self.session {
            Some(session) => session.inner(),
            None => unreachable!("messages are handled after start-up"),
        }
    }

    fn ready(&mut self) {
        let status = match self.session().block_state() {
            BlockState::Idle => TransactionStatus::Idle,
            BlockState::InBlock => TransactionStatus::Block,
            BlockState::Failed => TransactionStatus::Failed,
        };
        backend::ready_for_query(&mut self.output, status);
    }

    fn handle(&mut self, message: FrontendMessage) -> io::Result<()> {
        match message {
            FrontendMessage::Sync => {
                self.skipping = false;
                self.ready();
                return self.flush();
            }
            FrontendMessage::Flush => return self.flush(),
            FrontendMessage::Query(query) => {
                self.skipping = false;
                if let Err(e) = self.query(&query) {
                    backend::error_response(&mut self.output, &e);
                }
                self.ready();
                return self.flush();
            }
            _ if self.skipping => return Ok(()),
            _ => {}
        }
        let outcome = match message {
            FrontendMessage::Parse { statement, query, parameter_types } => {
                self.parse(statement, &query, &parameter_types.iter().collect::<Vec<_>>())
            }
            FrontendMessage::Bind { portal, statement, parameter_formats, parameters, result_formats } => {
                self.bind(portal, &statement, &parameter_formats, &parameters, result_formats)
            }
            FrontendMessage::Describe { target, name } => self.describe(target, &name),
            FrontendMessage::Execute { portal, row_count_max } => self.execute(&portal, row_count_max),
            FrontendMessage::Close { target, name } => {
                match target {
                    Target::Statement => drop(self.statements.remove(&name)),
                    Target::Portal => drop(self.portals.remove(&name)),
                }
                backend::close_complete(&mut self.output);
                Ok(())
            }
            FrontendMessage::FunctionCall { .. } => Err(SqlError::unsupported("the function call protocol")),
            // After a failed COPY these may still be under way; PostgreSQL ignores them, too.
            FrontendMessage::CopyData(_) | FrontendMessage::CopyDone | FrontendMessage::CopyFail(_) => Ok(()),
            _ => Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, "unexpected message")),
        };
        if let Err(e) = outcome {
            backend::error_response(&mut self.output, &e);
            self.skipping = true;
        }
        Ok(())
    }

    fn query(&mut self, query: &[u8]) -> Result<()> {
        let sql = text::utf8(query)?;
        if is_empty(sql) {
            backend::empty_query_response(&mut self.output);
            return Ok(());
        }
        self.portals.clear();
        let Some(session) = &mut self.session else { return Ok(()) };
        let settings = session.inner().settings_io().clone();
        let mut results = Results::new(&mut self.output, &mut self.writer, settings);
        session.inner().run(sql, &mut results)
    }

    fn parse(&mut self, name: Bytes, query: &[u8], params: &[Oid]) -> Result<()> {
        if !name.is_empty() && self.statements.contains_key(&name) {
            let message = format!("prepared statement \"{}\" already exists", text::utf8(&name)?);
            return Err(SqlError::new(SqlState::DUPLICATE_PREPARED_STATEMENT, message));
        }
        let sql = text::utf8(query)?;
        // OID 0 leaves the type to be inferred.
        let params: Vec<Oid> = params.iter().map(|&p| if p.is_none() { types::oid::UNKNOWN } else { p }).collect();
        let prepared = if is_empty(sql) { None } else { Some(self.session().prepare(sql, &params)?) };
        self.statements.insert(name, prepared);
        backend::parse_complete(&mut self.output);
        Ok(())
    }

    fn statement(&self, name: &Bytes) -> Result<&Slot> {
        self.statements.get(name).ok_or_else(|| {
            let message = match text::utf8(name) {
                Ok("") | Err(_) => "unnamed prepared statement does not exist".to_owned(),
                Ok(name) => format!("prepared statement \"{name}\" does not exist"),
            };
            SqlError::new(SqlState::INVALID_SQL_STATEMENT_NAME, message)
        })
    }

    fn bind(
        &mut self,
        portal: Bytes,
        statement: &Bytes,
        formats: &Formats,
        values: &Values,
        result_formats: Formats,
    ) -> Result<()> {
        let statement = self.statement(statement)?.clone();
        let types: &[Oid] = statement.as_ref().map_or(&[], |s| &s.params);
        if values.len() != types.len() {
            let message = format!(
                "bind message supplies {} parameters, but prepared statement requires {}",
                values.len(),
                types.len()
            );
            return Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, message));
        }
        let settings = self.session().settings_io().clone();
        let mut params = Vec::with_capacity(types.len());
        for (i, (value, &ty)) in values.iter().zip(types).enumerate() {
            params.push(match value {
                None => Datum::Null,
                Some(bytes) if formats.of(i).unwrap_or(0) == 0 => {
                    types::io::text_in(ty, -1, text::utf8(&bytes)?, &settings)?
                }
                Some(bytes) => types::io::binary_in(ty, -1, &bytes)?,
            });
        }
        self.portals.insert(portal, Portal { statement, params, formats: result_formats, rest: None });
        backend::bind_complete(&mut self.output);
        Ok(())
    }

    fn describe(&mut self, target: Target, name: &Bytes) -> Result<()> {
        let columns: Option<Vec<OutputColumn>>;
        let mut formats = None;
        match target {
            Target::Statement => {
                let statement = self.statement(name)?.clone();
                let params = statement.as_ref().map_or(Vec::new(), |s| s.params.clone());
                backend::parameter_description(&mut self.output, params);
                columns = statement.map(|s| s.columns);
            }
            Target::Portal => {
                let portal = self.portals.get(name).ok_or_else(|| no_portal(name))?;
                formats = Some(portal.formats.clone());
                columns = portal.statement.as_ref().map(|s| s.columns.clone());
            }
        }
        match columns {
            Some(columns) if !columns.is_empty() => {
                backend::row_description(&mut self.output, &fields(&columns, formats.as_ref()));
            }
            _ => backend::no_data(&mut self.output),
        }
        Ok(())
    }

    fn execute(&mut self, name: &Bytes, max: i32) -> Result<()> {
        let mut portal = self.portals.remove(name).ok_or_else(|| no_portal(name))?;
        let Some(statement) = &mut portal.statement else {
            backend::empty_query_response(&mut self.output);
            self.portals.insert(name.clone(), portal);
            return Ok(());
        };
        let Some(session) = &mut self.session else { return Ok(()) };
        let settings = session.inner().settings_io().clone();
        if max <= 0 && portal.rest.is_none() {
            let mut results = Results::new(&mut self.output, &mut self.writer, settings);
            results.formats = Some(portal.formats.clone());
            results.describe = false;
            session.inner().execute(statement, &portal.params, &mut results)?;
            self.portals.insert(name.clone(), portal);
            return Ok(());
        }
        let (rows, tag) = match portal.rest.take() {
            Some(rest) => rest,
            None => {
                // A limited Execute runs the statement to its end and hands its rows out in portions.
                let mut buffer = BytesMut::new();
                let mut sink = Vec::new();
                let mut results = Results::new(&mut buffer, &mut sink, settings);
                results.formats = Some(portal.formats.clone());
                results.describe = false;
                session.inner().execute(statement, &portal.params, &mut results)?;
                sink.extend_from_slice(&buffer);
                split_rows(BytesMut::from(&sink[..]))
            }
        };
        let take = if max <= 0 { rows.len() } else { (max as usize).min(rows.len()) };
        let mut rows = rows;
        let left = rows.split_off(take);
        rows.iter().for_each(|row| self.output.extend_from_slice(row));
        if left.is_empty() {
            backend::command_complete(&mut self.output, &tag);
        } else {
            backend::portal_suspended(&mut self.output);
            portal.rest = Some((left, tag));
        }
        self.portals.insert(name.clone(), portal);
        Ok(())
    }
}

/// Cuts encoded messages apart: the data rows, and the tag of the CommandComplete behind them.
fn split_rows(mut bytes: BytesMut) -> (Vec<BytesMut>, String) {
    let (mut rows, mut tag) = (Vec::new(), String::new());
    while bytes.len() >= 5 {
        let len = u32::from_be_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]) as usize + 1;
        let message = bytes.split_to(len.min(bytes.len()));
        match message[0] {
            b'D' => rows.push(message),
            b'C' => tag = String::from_utf8_lossy(&message[5..message.len() - 1]).into_owned(),
            _ => {}
        }
    }
    (rows, tag)
}

fn no_portal(name: &Bytes) -> SqlError {
    let message = format!("portal \"{}\" does not exist", String::from_utf8_lossy(name));
    SqlError::new(SqlState::INVALID_CURSOR_NAME, message)
}

/// Whether `sql` has no statement.
fn is_empty(sql: &str) -> bool {
    sql.chars().all(|c| c.is_whitespace() || c == ';')
}
