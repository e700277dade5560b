//! `Connection`: one client: start-up, then messages until it leaves.
//!
//! Statements of the extended protocol are one transaction up to the client's Sync, as in PostgreSQL; after an error everything up to it
//! is skipped. Portals keep their place between messages and end with their transaction.
//!
//! Who may touch it: the thread that runs its seat (`seat.rs`, P1, P2), or its own in thread mode; its session and portals with it. Whoever else wants
//! something of it has the session's `Backend`, whose waker has the seat run again.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use env::waiting::Wait;
use session::{BlockState, Farewell, Pause, Run, Setting, Waker};
use types::error::Severity;
use types::{Result, SqlError, SqlState};
use wire::{FrontendMessage, TransactionStatus, backend, text};

use crate::Shared;
use crate::channel::{Channel, CopyMessage, Incoming};
use crate::extended::{Bound, Opened};
use crate::limits::Place;
use crate::liveness::Liveness;
use crate::login::{Asked, Login};
use crate::origin::Origin;
use crate::results::Results;
use crate::transport::Transport;

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

static REPORTED_SETTINGS: LazyLock<[Option<Setting>; REPORTED.len()]> =
    LazyLock::new(|| REPORTED.map(|(name, _)| Setting::named(name)));

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
    /// It waits for its client: for room to write, or for something to read; at most until then. It `hears` if its client may be told
    /// of notifications meanwhile, by whoever sends them on its socket.
    Parked { writing: bool, until: Option<Instant>, hears: bool },
    /// There is more to do, but others come first.
    More,
    /// It has ended.
    Over,
}

/// A statement that has stopped in the middle.
pub(crate) enum Pending {
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
    pub(crate) portals: HashMap<Bytes, Opened>,
    /// What is bound to the unnamed one while it is not among them.
    pub(crate) bound: Option<Bound>,
    /// Endings of portals that `portals` knows of.
    endings: u64,
    /// After an error in the extended protocol: skip to the next Sync.
    skipping: bool,
    /// It has said farewell, and what it has asked before is still to be sent.
    leaving: bool,
    /// The values of `REPORTED` that its client was told of last.
    reported: Vec<Cow<'static, str>>,
    /// Changes of settings that those told of know.
    reported_changes: u64,
    liveness: Liveness,
    /// A statement that waits for its client.
    pub(crate) pending: Option<Pending>,
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
            bound: None,
            endings: 0,
            skipping: false,
            leaving: false,
            reported: Vec::new(),
            reported_changes: 0,
            liveness: Liveness::default(),
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
        if self.is_late() || self.is_ended() {
            return Turn::Over;
        }
        match self.channel.drain() {
            Ok(true) if self.leaving => return Turn::Over,
            Ok(true) => {}
            Ok(false) if self.channel.is_lost() => return Turn::Over,
            Ok(false) => return self.parked(true),
            Err(_) => return Turn::Over,
        }
        for _ in 0..MESSAGES_PER_TURN {
            if self.is_ended() {
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
        let own = |value: &Cow<'_, str>| if let Cow::Owned(text) = value { text.capacity() } else { 0 };
        let reported: usize = self.reported.iter().map(|value| size_of::<Cow<'_, str>>() + own(value)).sum();
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

    /// Whether somebody wants it gone; its client is told, if it takes anything.
    fn is_ended(&mut self) -> bool {
        let is_terminated = self.channel.cancel.as_ref().is_some_and(|c| c.is_terminated());
        if !is_terminated && !self.shared.is_stopping() {
            return false;
        }
        let message = "terminating connection due to administrator command";
        self.channel.fatal(SqlError::new(SqlState::ADMIN_SHUTDOWN, message));
        true
    }

    fn parked(&mut self, writing: bool) -> Turn {
        let writing = writing || self.channel.transport().has_unsent();
        let hears = !writing && self.hears();
        if let Some(backend) = &self.channel.cancel {
            backend.set_connection(self.bytes(), self.portals.len());
            backend.park(if writing { Wait::ClientWrite } else { Wait::ClientRead });
        }
        let mut until = None;
        if self.pending.as_ref().is_some_and(|p| p.pause() == Pause::CopyIn) {
            until = self.time_left().map(|left| Instant::now() + left);
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
        Turn::Parked { writing, until: until.or(silence), hears }
    }

    /// Whether its client may be told of notifications while it is parked, on the bare socket.
    fn hears(&mut self) -> bool {
        matches!(self.phase, Phase::Ready)
            && self.pending.is_none()
            && self.channel.output.is_empty()
            && self.channel.transport().is_bare()
            && self.session.as_mut().is_some_and(|s| s.inner().is_between_transactions())
    }

    fn next_message(&mut self) -> io::Result<Step> {
        if let Some(pending) = self.pending.take() {
            return self.go_on(pending);
        }
        match self.channel.next()? {
            Incoming::Nothing => return Ok(Step::Nothing),
            Incoming::Message(FrontendMessage::Terminate) => {
                self.channel.say_farewell(Farewell::Said);
                self.leaving = true;
                // What it has asked before is answered.
                return if self.channel.drain()? { Err(crate::channel::gone()) } else { Ok(Step::Full) };
            }
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
                    self.pending = Some(pending);
                    return match self.check_pending() {
                        Ok(()) => Ok(Step::Nothing),
                        Err(e) => {
                            if let Some(pending) = self.pending.take() {
                                self.give_up(pending, e);
                            }
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
                if let Err(e) = self.execute(&name, max, wanted) {
                    self.failed(&e, true);
                }
                self.forget_portals();
            }
        }
        Ok(Step::Went)
    }

    /// How long the statement that has stopped may still take.
    fn time_left(&mut self) -> Option<Duration> {
        let session = self.session.as_mut()?.inner();
        match self.pending.as_ref()? {
            Pending::Run(run, _) => session.time_left(run),
            Pending::Portal(name, ..) => session.portal_time_left(self.portals.get(name)?.portal.as_ref()?),
        }
    }

    /// Fails when the statement that has stopped is to end.
    fn check_pending(&mut self) -> Result<()> {
        if let Some(cancel) = &self.channel.cancel {
            cancel.check()?;
        }
        if self.time_left().is_some_and(|left| left.is_zero()) {
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

    pub(crate) fn session(&mut self) -> &mut session::Session {
        match &mut self.session {
            Some(session) => session.inner(),
            None => unreachable!("messages are handled after start-up"),
        }
    }

    /// Sends an error; in the extended protocol what follows is skipped up to Sync, otherwise the client may go on.
    fn failed(&mut self, error: &SqlError, extended: bool) {
        if let Some(session) = &mut self.session {
            session.inner().fail_transaction();
            self.bound = None;
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
        let changes = session.inner().settings_changes();
        let first = self.reported.is_empty();
        if first {
            self.reported.reserve_exact(REPORTED.len());
        }
        if !first && changes == self.reported_changes {
            return;
        }
        self.reported_changes = changes;
        if let Some(backend) = &self.channel.cancel {
            let settings = session.inner().client_settings();
            self.liveness.follow(settings, self.channel.socket(), backend);
        }
        for (i, ((name, without), setting)) in REPORTED.iter().zip(&*REPORTED_SETTINGS).enumerate() {
            let session = session.inner();
            let value = match (*name, *setting) {
                ("is_superuser", _) => if session.user().superuser { "on" } else { "off" }.into(),
                ("session_authorization", _) => session.session_user().name.clone().into(),
                (_, Some(setting)) => session.shown(setting),
                (_, None) => (*without).into(),
            };
            if !first && self.reported[i] == value {
                continue;
            }
            backend::parameter_status(&mut self.channel.output, name, &value);
            match first {
                true => self.reported.push(value),
                false => self.reported[i] = value,
            }
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
        self.bound = None;
        self.endings = endings;
    }

    fn handle(&mut self, message: FrontendMessage) {
        match message {
            FrontendMessage::Sync => {
                self.skipping = false;
                if let Err(e) = self.session().sync() {
                    backend::error_response(&mut self.channel.output, &e);
                }
                if self.session().block_state() == BlockState::Idle {
                    self.bound = None;
                }
                self.forget_portals();
                self.ready();
            }
            _ if self.skipping => {}
            FrontendMessage::Query(query) => {
                let outcome = self.query(&query);
                self.after_query(outcome);
            }
            FrontendMessage::FunctionCall { .. } => {
                self.failed(&SqlError::unsupported("the function call protocol"), false);
            }
            // What is under way of a COPY that failed; PostgreSQL ignores it, too.
            FrontendMessage::CopyData(_) | FrontendMessage::CopyDone | FrontendMessage::CopyFail(_) => {}
            FrontendMessage::Flush => {
                // A stream that is gone says so when it is read next.
                let _ = self.channel.drain();
            }
            message => {
                if let Err(e) = self.extended(message) {
                    self.failed(&e, true);
                }
                self.forget_portals();
            }
        }
    }

    fn query(&mut self, query: &[u8]) -> Result<Option<(Box<Run>, Pause)>> {
        // As in PostgreSQL, the unnamed ones do not outlive a simple query.
        self.session().forget_statement("");
        if !self.portals.is_empty() {
            self.portals.remove(&Bytes::new());
        }
        self.bound = None;
        let sql = text::utf8(query)?;
        if is_empty(sql) {
            self.session().report_begin(sql);
            self.session().sync()?;
            backend::empty_query_response(&mut self.channel.output);
            return Ok(None);
        }
        let Some(session) = &mut self.session else { return Ok(None) };
        let settings = session.inner().settings_io().clone();
        let begun = session.inner().begin_run(sql, &mut Results::new(&mut self.channel, settings))?;
        Ok(begun.map(|(run, pause)| (Box::new(run), pause)))
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

/// Whether `sql` has no statement: nothing but white space, comments and semicolons.
pub(crate) fn is_empty(sql: &str) -> bool {
    // As nearly all of them do.
    if sql.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return false;
    }
    let plain = sql.chars().all(|c| c.is_whitespace() || c == ';');
    plain || (sql.contains("--") || sql.contains("/*")) && syntax::parse(sql).is_ok_and(|s| s.is_empty())
}
