//! `Connection`: one client: start-up, then messages until it leaves.
//!
//! Statements of the extended protocol are one transaction up to the client's Sync, as in PostgreSQL; after an error everything up to it
//! is skipped. Portals keep their place between messages and end with their transaction.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use env::waiting::Wait;
use session::{BlockState, Fetched, OutputColumn, Pause, Portal, Run, Waker};
use types::error::Severity;
use types::{Datum, Oid, Result, SqlError, SqlState};
use wire::{Formats, FrontendMessage, Target, TransactionStatus, Values, backend, text};

use crate::Shared;
use crate::channel::{Channel, CopyMessage, Incoming};
use crate::limits::Place;
use crate::login::{Asked, Login};
use crate::origin::Origin;
use crate::results::{Results, fields};
use crate::transport::Transport;

struct Opened {
    /// None for the empty statement.
    portal: Option<Portal>,
    formats: Formats,
}

/// Settings that clients are told about, and what those are that no session has yet.
const REPORTED: [(&str, &str); 15] = [
    ("application_name", ""),
    ("client_encoding", "UTF8"),
    ("DateStyle", "ISO, MDY"),
    ("default_transaction_read_only", "off"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("IntervalStyle", "postgres"),
    ("is_superuser", "on"),
    ("scram_iterations", "4096"),
    ("search_path", "\"$user\", public"),
    ("server_encoding", "UTF8"),
    ("server_version", "18.0"),
    ("session_authorization", "postgres"),
    ("standard_conforming_strings", "on"),
    ("TimeZone", "UTC"),
];

/// How far a connection has come.
pub(crate) enum Phase {
    /// The first packets, and which kinds of encryption were asked for.
    Start(Asked),
    /// The client proves who it is.
    Proof(Box<Login>),
    /// There is a session.
    Ready,
}

/// What one run of a connection came to.
pub enum Turn {
    /// It waits for its client: for room to write, or for something to read; at most until then.
    Parked { writing: bool, until: Option<Instant> },
    /// There is more to do, but others come first.
    More,
    /// It has ended.
    Over,
}

/// A statement that has stopped in the middle.
enum Pending {
    /// One of a simple query.
    Run(Box<Run>, Pause),
    /// An Execute of so many rows.
    Portal(Bytes, i32, Pause),
}

impl Pending {
    fn pause(&self) -> Pause {
        match self {
            Pending::Run(_, pause) | Pending::Portal(_, _, pause) => *pause,
        }
    }
}

/// What one step came to.
pub(crate) enum Step {
    /// A message was handled.
    Went,
    /// More must be read.
    Nothing,
    /// More must be written.
    Full,
}

/// Messages that are handled before others have their turn.
const MESSAGES_PER_TURN: usize = 64;

/// A client's connection.
pub struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) channel: Channel,
    pub(crate) origin: Origin,
    pub(crate) phase: Phase,
    /// Wakes it when it is parked.
    pub(crate) waker: Option<Waker>,
    pub(crate) session: Option<hathi::Session>,
    portals: HashMap<Bytes, Opened>,
    /// Endings of portals that `portals` knows of.
    endings: u64,
    /// After an error in the extended protocol: skip to the next Sync.
    skipping: bool,
    reported: Vec<String>,
    /// A statement that waits for its client.
    pending: Option<Pending>,
    /// How long the client may be silent, and what it is told then.
    silence: Option<(Instant, SqlError)>,
    /// That it counts among the sessions.
    pub(crate) place: Option<Place>,
}

impl Connection {
    pub fn new(shared: Arc<Shared>, origin: Origin, transport: Box<dyn Transport>) -> Connection {
        let patience = shared.login_timeout;
        let timeout = SqlError::new(SqlState::QUERY_CANCELED, "canceling authentication due to timeout");
        Connection {
            shared,
            channel: Channel::new(transport),
            origin,
            phase: Phase::Start(Asked::default()),
            waker: None,
            session: None,
            portals: HashMap::new(),
            endings: 0,
            skipping: false,
            reported: Vec::new(),
            pending: None,
            silence: Some((Instant::now() + patience, timeout)),
            place: None,
        }
    }

    /// The number that cancel requests name; 0 before there is a session.
    pub fn process_id(&mut self) -> u32 {
        self.session.as_mut().map_or(0, |s| s.inner().process_id())
    }

    /// Does what there is to do, until the client must say or take something, or others come first.
    pub fn advance(&mut self) -> Turn {
        // What is left of the last run goes first; a client that takes nothing is asked nothing.
        if self.is_late() {
            return Turn::Over;
        }
        match self.channel.drain() {
            Ok(true) => {}
            Ok(false) if self.channel.is_lost() => return Turn::Over,
            Ok(false) => return self.parked(true),
            Err(_) => return Turn::Over,
        }
        for _ in 0..MESSAGES_PER_TURN {
            if self.is_to_end() {
                let message = "terminating connection due to administrator command";
                self.channel.fatal(SqlError::new(SqlState::ADMIN_SHUTDOWN, message));
                return Turn::Over;
            }
            let step = match self.phase {
                Phase::Start(_) => self.start(),
                Phase::Proof(_) => self.prove(),
                Phase::Ready => self.next_message(),
            };
            if self.channel.is_lost() {
                return Turn::Over;
            }
            match step {
                Err(_) => return Turn::Over,
                Ok(Step::Went) => {
                    // To log in, there is one time for all of it.
                    if matches!(self.phase, Phase::Ready) {
                        self.silence = None;
                    }
                    continue;
                }
                Ok(Step::Full) => return self.parked(true),
                Ok(Step::Nothing) => {}
            }
            if let Phase::Ready = self.phase {
                self.tell_notifications();
            }
            match self.channel.drain() {
                Err(_) => return Turn::Over,
                Ok(false) => return self.parked(true),
                Ok(true) => {}
            }
            match self.channel.read_more() {
                Err(_) => return Turn::Over,
                Ok(true) => {}
                Ok(false) => {
                    if let Some((_, error)) = self.silence.take_if(|s| s.0 <= Instant::now()) {
                        self.channel.fatal(error);
                        return Turn::Over;
                    }
                    return self.parked(false);
                }
            }
        }
        Turn::More
    }

    /// This thread runs it: a carrier by its number, or one of its own (0).
    pub fn run_by(&mut self, carrier: u32) {
        if let Some(backend) = &self.channel.cancel {
            backend.run_by(carrier);
        }
    }

    /// Bytes that it holds itself, apart from its session.
    fn bytes(&self) -> usize {
        let reported: usize = self.reported.iter().map(|value| size_of::<String>() + value.capacity()).sum();
        let portals = self.portals.capacity() * size_of::<(Bytes, Opened)>();
        size_of::<Connection>() + self.channel.held_bytes() + reported + portals
    }

    /// Whether its client has taken too long to log in, whatever it does.
    fn is_late(&mut self) -> bool {
        if matches!(self.phase, Phase::Ready) {
            return false;
        }
        let Some((_, error)) = self.silence.take_if(|s| s.0 <= Instant::now()) else { return false };
        self.channel.fatal(error);
        true
    }

    /// Whether somebody wants it gone.
    fn is_to_end(&self) -> bool {
        self.shared.is_stopping() || self.channel.cancel.as_ref().is_some_and(|c| c.is_terminated())
    }

    /// The stream failed outside of a run.
    pub fn lose(&mut self, _: &io::Error) {
        self.channel.give_up();
    }

    fn parked(&mut self, writing: bool) -> Turn {
        let writing = writing || self.channel.transport().has_unsent();
        if let Some(backend) = &self.channel.cancel {
            backend.set_connection(self.bytes(), self.portals.len());
            backend.park(if writing { Wait::ClientWrite } else { Wait::ClientRead });
        }
        let mut until = None;
        if let Some(Pending::Run(run, Pause::CopyIn)) = &self.pending
            && let Some(session) = &mut self.session
        {
            until = session.inner().time_left(run).map(|left| Instant::now() + left);
        } else if self.silence.is_none()
            && self.pending.is_none()
            && let Some(session) = &mut self.session
            && let Some((ms, error)) = session.inner().patience()
        {
            self.silence = Some((Instant::now() + Duration::from_millis(ms), error));
        }
        // Who takes nothing cannot be told that it was silent; it is looked at again when it does.
        let is_told = |at: &Instant| !writing || !matches!(self.phase, Phase::Ready) || *at > Instant::now();
        let silence = self.silence.as_ref().map(|s| s.0).filter(is_told);
        Turn::Parked { writing, until: until.or(silence) }
    }

    fn next_message(&mut self) -> io::Result<Step> {
        if let Some(pending) = self.pending.take() {
            return self.go_on(pending);
        }
        match self.channel.next()? {
            Incoming::Nothing => return Ok(Step::Nothing),
            Incoming::Message(FrontendMessage::Terminate) => return Err(crate::channel::gone()),
            Incoming::Message(message) => self.handle(message),
            Incoming::Malformed(tag, e) => {
                if !self.skipping {
                    self.failed(&e, matches!(tag, b'P' | b'B' | b'D' | b'E' | b'C' | b'H'));
                }
            }
        }
        Ok(Step::Went)
    }

    /// Goes on with a statement that has stopped in the middle.
    fn go_on(&mut self, pending: Pending) -> io::Result<Step> {
        let wanted = match pending.pause() {
            Pause::Full | Pause::Done => {
                if !self.channel.drain()? {
                    self.pending = Some(pending);
                    return Ok(Step::Full);
                }
                None
            }
            Pause::CopyIn => {
                let incoming = self.channel.next()?;
                if let Incoming::Nothing = incoming {
                    // Who sends nothing can still be cancelled, or have no time left.
                    return match self.check_pending(&pending) {
                        Ok(()) => {
                            self.pending = Some(pending);
                            Ok(Step::Nothing)
                        }
                        Err(e) => {
                            self.give_up(pending, e);
                            Ok(Step::Went)
                        }
                    };
                }
                match self.channel.copy_message(incoming) {
                    Ok(message) => Some(message),
                    Err(e) => {
                        self.give_up(pending, e);
                        return Ok(Step::Went);
                    }
                }
            }
        };
        match pending {
            Pending::Run(mut run, pause) => {
                let Some(session) = &mut self.session else { return Ok(Step::Went) };
                let settings = session.inner().settings_io().clone();
                let mut results = Results::new(&mut self.channel, settings);
                let outcome = match wanted {
                    None => session.inner().resume(&mut run, &mut results),
                    Some(CopyMessage::Data(data)) => session.inner().feed(&mut run, Some(&data), &mut results),
                    Some(CopyMessage::Done) => session.inner().feed(&mut run, None, &mut results),
                    Some(CopyMessage::Nothing) => Ok(pause),
                };
                self.after_query(outcome.map(|pause| (pause != Pause::Done).then_some((run, pause))));
            }
            Pending::Portal(name, max, _) => {
                if let Err(e) = self.execute(name, max, wanted) {
                    self.failed(&e, true);
                }
                self.forget_portals();
            }
        }
        Ok(Step::Went)
    }

    fn check_pending(&mut self, pending: &Pending) -> Result<()> {
        if let Some(cancel) = &self.channel.cancel {
            cancel.check()?;
        }
        if let Pending::Run(run, _) = pending
            && self.session().time_left(run).is_some_and(|left| left.is_zero())
        {
            let message = "canceling statement due to statement timeout";
            return Err(SqlError::new(SqlState::QUERY_CANCELED, message));
        }
        Ok(())
    }

    /// Ends a COPY whose data do not come.
    fn give_up(&mut self, pending: Pending, error: SqlError) {
        match pending {
            Pending::Run(mut run, _) => {
                let error = self.session().fail_feed(&mut run, error);
                drop(run);
                self.forget_portals();
                self.failed(&error, false);
            }
            Pending::Portal(name, ..) => {
                let opened = self.portals.remove(&name).and_then(|o| o.portal);
                let error = match opened {
                    Some(mut portal) => self.session().fail_portal_feed(&mut portal, error),
                    None => error,
                };
                self.failed(&error, true);
                self.forget_portals();
            }
        }
    }

    fn after_query(&mut self, outcome: Result<Option<(Box<Run>, Pause)>>) {
        match outcome {
            Ok(Some((run, pause))) => self.pending = Some(Pending::Run(run, pause)),
            Ok(None) => {
                self.forget_portals();
                self.ready();
            }
            Err(e) => {
                self.forget_portals();
                self.failed(&e, false);
            }
        }
    }

    fn session(&mut self) -> &mut session::Session {
        match &mut self.session {
            Some(session) => session.inner(),
            None => unreachable!("messages are handled after start-up"),
        }
    }

    /// Sends an error; in the extended protocol what follows is skipped up to Sync, otherwise the client may go on.
    fn failed(&mut self, error: &SqlError, extended: bool) {
        if let Some(session) = &mut self.session {
            session.inner().fail_transaction();
            crate::journal::failed(session.inner(), error);
        }
        if error.fields().severity == Severity::Fatal {
            self.channel.fatal(error.clone());
            return;
        }
        backend::error_response(&mut self.channel.output, error);
        if self.channel.is_desynchronized() {
            let message = "terminating connection because protocol synchronization was lost";
            self.channel.fatal(SqlError::new(SqlState::PROTOCOL_VIOLATION, message));
            return;
        }
        if extended {
            self.skipping = true;
        } else {
            self.ready();
        }
    }

    /// Tells which settings changed since the last time.
    pub(crate) fn report_settings(&mut self) {
        let Some(session) = &mut self.session else { return };
        let first = self.reported.is_empty();
        for (i, (name, without)) in REPORTED.iter().enumerate() {
            let session = session.inner();
            let value = match *name {
                "is_superuser" => Ok(if session.user().superuser { "on" } else { "off" }.to_owned()),
                "session_authorization" => Ok(session.session_user().name.clone()),
                name => session.setting(name),
            };
            let value = value.unwrap_or_else(|_| (*without).to_owned());
            if first {
                self.reported.push(value.clone());
            } else if self.reported[i] == value {
                continue;
            } else {
                self.reported[i].clone_from(&value);
            }
            backend::parameter_status(&mut self.channel.output, name, &value);
        }
    }

    pub(crate) fn ready(&mut self) {
        self.report_settings();
        self.tell_notifications();
        let status = match self.session().block_state() {
            BlockState::Idle => TransactionStatus::Idle,
            BlockState::InBlock => TransactionStatus::Block,
            BlockState::Failed => TransactionStatus::Failed,
        };
        backend::ready_for_query(&mut self.channel.output, status);
        self.session().report_end();
    }

    /// Tells what was notified, which a client expects only between transactions.
    fn tell_notifications(&mut self) {
        let Some(session) = &mut self.session else { return };
        let session = session.inner();
        if !self.channel.cancel.as_ref().is_some_and(|c| c.has_mail()) || !session.is_between_transactions() {
            return;
        }
        for n in session.take_notifications() {
            let output = &mut self.channel.output;
            backend::notification_response(output, n.pid.cast_signed(), &n.channel, &n.payload);
        }
    }

    /// Forgets portals of transactions that ended.
    fn forget_portals(&mut self) {
        let endings = self.session().portal_endings();
        let (Some(session), true) = (&mut self.session, endings != self.endings) else { return };
        let session = session.inner();
        self.portals.retain(|_, o| o.portal.as_ref().is_some_and(|p| session.is_alive(p)));
        self.endings = endings;
    }

    fn handle(&mut self, message: FrontendMessage) {
        if let FrontendMessage::Sync = message {
            self.skipping = false;
            if let Err(e) = self.session().sync() {
                backend::error_response(&mut self.channel.output, &e);
            }
            self.forget_portals();
            return self.ready();
        }
        if self.skipping {
            return;
        }
        let outcome = match message {
            FrontendMessage::Query(query) => {
                let outcome = self.query(&query);
                return self.after_query(outcome);
            }
            FrontendMessage::FunctionCall { .. } => {
                return self.failed(&SqlError::unsupported("the function call protocol"), false);
            }
            // What is under way of a COPY that failed; PostgreSQL ignores it, too.
            FrontendMessage::CopyData(_) | FrontendMessage::CopyDone | FrontendMessage::CopyFail(_) => return,
            FrontendMessage::Flush => {
                // A stream that is gone says so when it is read next.
                let _ = self.channel.drain();
                return;
            }
            FrontendMessage::Parse { statement, query, parameter_types } => {
                self.parse(&statement, &query, &parameter_types.iter().collect::<Vec<_>>())
            }
            FrontendMessage::Bind { portal, statement, parameter_formats, parameters, result_formats } => {
                self.bind(portal, &statement, &parameter_formats, &parameters, result_formats)
            }
            FrontendMessage::Describe { target, name } => self.describe(target, &name),
            FrontendMessage::Execute { portal, row_count_max } => self.execute(portal, row_count_max, None),
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
        };
        if let Err(e) = outcome {
            self.failed(&e, true);
        }
        self.forget_portals();
    }

    fn query(&mut self, query: &[u8]) -> Result<Option<(Box<Run>, Pause)>> {
        // As in PostgreSQL, the unnamed ones do not outlive a simple query.
        self.session().forget_statement("");
        self.portals.remove(&Bytes::new());
        let sql = text::utf8(query)?;
        if is_empty(sql) {
            self.session().sync()?;
            backend::empty_query_response(&mut self.channel.output);
            return Ok(None);
        }
        let Some(session) = &mut self.session else { return Ok(None) };
        let settings = session.inner().settings_io().clone();
        let begun = session.inner().begin_run(sql, &mut Results::new(&mut self.channel, settings))?;
        Ok(begun.map(|(run, pause)| (Box::new(run), pause)))
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
        name: Bytes,
        statement_name: &Bytes,
        formats: &Formats,
        values: &Values,
        result_formats: Formats,
    ) -> Result<()> {
        let portal_name = text::utf8(&name)?.to_owned();
        self.session().report_statement(&String::from_utf8_lossy(statement_name));
        if !name.is_empty() && self.portals.contains_key(&name) {
            let message = format!("cursor \"{portal_name}\" already exists");
            return Err(SqlError::new(SqlState::DUPLICATE_CURSOR, message));
        }
        self.portals.remove(&name);
        let statement_name = text::utf8(statement_name)?;
        let statement = self.session().statement(statement_name)?;
        let types: Vec<Oid> = statement.map_or(Vec::new(), |s| s.params.clone());
        let column_count = statement.map_or(0, |s| s.columns.len());
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
                let which = match portal_name.as_str() {
                    "" => "unnamed portal".to_owned(),
                    name => format!("portal \"{name}\""),
                };
                // The value itself is not shown, as by PostgreSQL's default settings.
                let known = format == 0 && e.state() != SqlState::CHARACTER_NOT_IN_REPERTOIRE;
                e.context(format!("{which} parameter ${}{}", i + 1, if known { " = '...'" } else { "" }))
            })?);
        }
        if result_formats.len() > 1 && result_formats.len() != column_count {
            let message = format!(
                "bind message has {} result formats but query has {column_count} columns",
                result_formats.len()
            );
            return Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, message));
        }
        if let Some(wrong) = result_formats.iter().find(|f| !matches!(f, 0 | 1)) {
            return Err(unsupported_format(wrong));
        }
        let portal = self.session().open_named(&portal_name, statement_name, params)?;
        self.portals.insert(name, Opened { portal, formats: result_formats });
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
                // The SQL cursors are portals, too.
                let cursor = self.session().cursor_columns(&String::from_utf8_lossy(name));
                let opened = self.portals.get(name);
                formats = opened.map(|o| o.formats.clone());
                columns = match opened {
                    Some(opened) => opened.portal.as_ref().map(|p| p.columns.clone()),
                    None => Some(cursor.ok_or_else(|| no_portal(name))?),
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
                backend::row_description(&mut self.channel.output, &fields(&columns, formats.as_ref()));
            }
            None => backend::no_data(&mut self.channel.output),
        }
        Ok(())
    }

    /// Gives out at most `max` rows of a portal, or goes on with that; `data` are those of a COPY that wants them.
    fn execute(&mut self, name: Bytes, max: i32, data: Option<CopyMessage>) -> Result<()> {
        let mut opened = self.portals.remove(&name).ok_or_else(|| no_portal(&name))?;
        let Some(portal) = &mut opened.portal else {
            backend::empty_query_response(&mut self.channel.output);
            self.portals.insert(name, opened);
            return Ok(());
        };
        let Some(session) = &mut self.session else { return Ok(()) };
        let settings = session.inner().settings_io().clone();
        let mut results = Results::new(&mut self.channel, settings);
        results.formats = Some(opened.formats.clone());
        results.describe = false;
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
}

impl Drop for Connection {
    fn drop(&mut self) {
        let id = self.process_id();
        // The session first: whoever waits for the connection's end may want what it holds.
        self.portals.clear();
        if let Some(mut session) = self.session.take() {
            crate::journal::disconnected(session.inner(), self.origin);
        }
        self.place = None;
        self.shared.leave(id.cast_signed());
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

/// Whether `sql` has no statement: nothing but white space, comments and semicolons.
fn is_empty(sql: &str) -> bool {
    let plain = sql.chars().all(|c| c.is_whitespace() || c == ';');
    plain || (sql.contains("--") || sql.contains("/*")) && syntax::parse(sql).is_ok_and(|s| s.is_empty())
}
