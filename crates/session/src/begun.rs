//! `Begun`: a statement under way, and how it goes on after it has stopped for its client.
//!
//! A [`crate::Run`] holds one for a text, a [`crate::Portal`] one for what is bound; both go on with it by [`Session::go_on`]. What gives rows
//! stops where the sink is full, what takes data where they are wanted; what can do neither is run to its end when it begins.

use bytes::Bytes;
use syntax::ast::{Fetch, FetchDirection, Statement, StatementKind};
use types::Result;

use crate::copy::{CopyIn, CopyOut};
use crate::execution::{Pulled, Running};
use crate::portal::{Fetched, Portal};
use crate::session::{Quiet, Session, Sink, is_planned, text_of};

/// Rows that a FETCH gives out before it looks whether there is room for more.
const FETCHED_AT_ONCE: u64 = 512;

/// A statement that has begun.
pub(crate) enum Begun {
    /// It gives rows.
    Rows(Box<Running>),
    CopyIn(Box<CopyIn>),
    CopyOut(Box<CopyOut>),
    /// EXECUTE of what gives rows.
    Execute(Box<Portal>),
    /// FETCH of many rows.
    Fetch(Box<Fetching>),
    /// It has ended; its tag.
    Ended(String),
}

/// How far a statement has come.
#[derive(Debug)]
pub(crate) enum Went {
    /// To its end; the tag.
    Ended(String),
    /// As many rows were given out as were asked for; there may be more.
    Portion,
    /// The sink is full.
    Full,
    /// Data are wanted.
    CopyIn,
}

/// A FETCH of many rows, done as several of few.
pub(crate) struct Fetching {
    fetch: Fetch,
    backward: bool,
    left: u64,
    done: u64,
    /// Whether some rows were given out before.
    again: bool,
}

impl Fetching {
    fn of(fetch: &Fetch) -> Option<Fetching> {
        let rows = match fetch.direction {
            FetchDirection::Forward(n) => n,
            FetchDirection::Backward(n) => n.checked_neg()?,
            _ => return None,
        };
        let is_long = !fetch.is_move && rows.unsigned_abs() > FETCHED_AT_ONCE;
        is_long.then(|| Fetching {
            fetch: fetch.clone(),
            backward: rows < 0,
            left: rows.unsigned_abs(),
            done: 0,
            again: false,
        })
    }
}

impl Session {
    /// Begins a statement that was not prepared; what cannot be suspended is run to its end.
    pub(crate) fn begin_statement(&mut self, sql: &str, statement: &Statement, sink: &mut dyn Sink) -> Result<Begun> {
        // A text of one statement would be known by now.
        if self.script.is_some()
            && is_planned(&statement.kind)
            && let Some(mut known) = self.known_statement(text_of(sql, statement))
        {
            let mut tag = String::new();
            let stopped = self.execute_planned(&mut known.prepared, &known.values, sink, &mut tag);
            self.keep(known);
            return Ok(stopped?.map_or(Begun::Ended(tag), Begun::Rows));
        }
        if sink.suspends() {
            match &statement.kind {
                kind if is_planned(kind) => {
                    self.enter()?;
                    let (node, columns) = self.locked_plan(sql, kind, None, &[])?;
                    let columns = self.as_based(columns)?;
                    return Ok(Begun::Rows(Box::new(self.start(node, columns)?)));
                }
                StatementKind::Copy(copy) if copy.file.is_none() && !copy.program => {
                    return self.begin_copy(sql, copy, sink);
                }
                StatementKind::Execute(execute) => {
                    self.enter()?;
                    let portal = self.open_execute(sql, execute)?;
                    return Ok(portal.map_or(Begun::Ended(String::new()), |portal| Begun::Execute(Box::new(portal))));
                }
                StatementKind::Fetch(fetch) => {
                    if let Some(fetching) = Fetching::of(fetch) {
                        self.enter()?;
                        return Ok(Begun::Fetch(Box::new(fetching)));
                    }
                }
                _ => {}
            }
        }
        self.dispatch(sql, statement, sink).map(Begun::Ended)
    }

    /// Goes on with a statement, for `max` rows at most (0: all). `data` are those of a COPY that wants them, with `None` in it where there are no
    /// more.
    pub(crate) fn go_on(
        &mut self,
        begun: &mut Begun,
        max: u64,
        data: Option<Option<&Bytes>>,
        sink: &mut dyn Sink,
    ) -> Result<Went> {
        let (level, suspends) = (self.settings.client_min_messages, sink.suspends());
        let sink: &mut dyn Sink = &mut Quiet { inner: sink, level, suspends };
        Ok(match begun {
            Begun::Ended(tag) => Went::Ended(std::mem::take(tag)),
            Begun::Rows(running) => {
                let pulled = self.pull(running, max, sink)?;
                if pulled != Pulled::Full {
                    let events = running.take_events();
                    if !events.is_empty() {
                        self.run_events(events, false)?;
                    }
                }
                match pulled {
                    Pulled::All => Went::Ended(running.tag()),
                    Pulled::Portion => Went::Portion,
                    Pulled::Full => Went::Full,
                }
            }
            Begun::CopyIn(state) => match data {
                None => Went::CopyIn,
                Some(Some(data)) => {
                    state.feed(self, data, sink)?;
                    Went::CopyIn
                }
                Some(None) => Went::Ended(state.finish(self, sink)?),
            },
            Begun::CopyOut(state) => loop {
                if sink.is_full() {
                    break Went::Full;
                }
                if state.next(self, &mut |row| sink.copy_data(row))?.is_none() {
                    sink.copy_done()?;
                    break Went::Ended(state.tag());
                }
            },
            Begun::Execute(portal) => match self.fetch_inner(portal, 0, data, sink)? {
                Fetched::Complete(tag) => Went::Ended(tag),
                Fetched::Suspended => Went::Portion,
                Fetched::Full => Went::Full,
                Fetched::CopyIn => Went::CopyIn,
            },
            Begun::Fetch(fetching) => self.fetch_some(fetching, sink)?,
        })
    }

    fn fetch_some(&mut self, fetching: &mut Fetching, sink: &mut dyn Sink) -> Result<Went> {
        while !sink.is_full() {
            let rows = fetching.left.min(FETCHED_AT_ONCE);
            let count = rows.cast_signed();
            fetching.fetch.direction = FetchDirection::Forward(if fetching.backward { -count } else { count });
            let got = self.fetch_rows(&fetching.fetch, fetching.again, sink)?;
            fetching.again = true;
            fetching.done += got;
            fetching.left -= rows;
            if got < rows || fetching.left == 0 {
                return Ok(Went::Ended(format!("FETCH {}", fetching.done)));
            }
        }
        Ok(Went::Full)
    }
}
