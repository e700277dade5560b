//! `Desk`: where one carrier takes its work from the [`Poller`], and the one client it attends to.
//!
//! The kernel wakes any of the carriers for a socket, and the thread it wakes may have slept on another processor than the client runs on.
//! With two clients and two carriers that costs a fifth of the throughput. So a carrier that has run the same connection [`STREAK`] times in
//! a row attends to it: the socket moves from the epoll that all wait in to one of its own, in which the shared one is nested, and so from
//! now on this carrier alone is woken for that client, as a thread of its own would be.
//!
//! - P5: A carrier that attends to a client runs nothing else before it has given the client back. It does so when there is something else for
//!   it to do, which it looks for after [`MAX_HITS`] answers at the latest, or when it has lost its slot. So a client never waits for what other
//!   clients do while another carrier is free. What comes for an attended connection otherwise (signals, times, notifications) goes through
//!   the queue as for any.
//! - P6: At most [`ATTENDANTS`] carriers attend at a time, as all of those that sleep stir when the shared epoll tells of something.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use session::carrier::{Source, Work};

use crate::attentive::{Attention, Engaged};
use crate::channel::Scratch;
use crate::poller::{Entry, POKE, Poller, wait};
use crate::seat::{Ran, Seat};

/// After so many runs of one connection and of nothing else a carrier attends to it.
const STREAK: u32 = 16;
/// The streak that is asked for after attending was not worth its system calls a few times.
const LONGEST_STREAK: u32 = 4096;
/// So many answers in a row are followed by a guess; then others are looked for.
const MAX_HITS: u8 = 16;
/// At most 1 << this many answers, less one, are not.
const MAX_MISSES: u8 = 7;
/// How many carriers may attend at a time (P6).
const ATTENDANTS: usize = 4;
/// The token of the shared epoll within one of a carrier's own.
const SHARED: u64 = u64::MAX - 1;

/// What carriers of a server take their work from.
pub struct Ready(pub Arc<Poller>);

impl Source for Ready {
    fn desk(&self) -> Box<dyn Work> {
        Box::new(Desk {
            poller: self.0.clone(),
            scratch: Scratch::default(),
            attention: Attention::default(),
            engaged: None,
            attended: None,
            more: false,
            prompt: Prompt::default(),
            last: u64::MAX,
            runs: 0,
            streak: STREAK,
        })
    }

    fn poke(&self) {
        self.0.poke();
    }

    fn is_waiting(&self) -> bool {
        self.0.is_waiting()
    }
}

/// Whom a carrier attends to.
struct Attended {
    seat: Arc<Seat>,
    /// The carrier's own epoll, which tells of it, and of what the shared one has.
    epoll: Arc<OwnedFd>,
}

/// One carrier's place at the poller.
struct Desk {
    poller: Arc<Poller>,
    scratch: Scratch,
    attention: Attention,
    engaged: Option<Engaged>,
    attended: Option<Attended>,
    /// Whether that has had its turn, but not all that it wants.
    more: bool,
    prompt: Prompt,
    /// The token of the connection that was run last, and how often in a row.
    last: u64,
    runs: u32,
    /// The streak that is asked for now.
    streak: u32,
}

impl Work for Desk {
    fn take(&mut self, taken: &mut dyn FnMut() -> bool) {
        if self.engaged.is_none() {
            self.engaged = Some(self.poller.wakefulness.engage());
        }
        let seat = match self.next() {
            None => return,
            Some(Entry::Listener(listener)) => {
                self.give_back();
                taken();
                // What it has to say is mostly there already.
                self.poller.shared().and_then(|own| listener.accept(&own))
            }
            Some(Entry::Seat(seat)) => {
                if !self.is_attended(&seat) {
                    self.give_back();
                }
                taken();
                Some(seat)
            }
        };
        let Some(mut seat) = seat else { return };
        loop {
            let ran = seat.run(&self.poller, &mut self.scratch);
            self.note_run(&seat, &ran);
            if let Ran::More = ran {
                return self.put_off(seat);
            }
            match self.guess(taken) {
                Some(again) => seat = again,
                None => return,
            }
        }
    }

    fn leave(&mut self) {
        self.give_back();
        self.engaged = None;
    }

    fn is_attending(&self) -> bool {
        self.attended.is_some()
    }
}

impl Desk {
    fn is_attended(&self, seat: &Arc<Seat>) -> bool {
        self.attended.as_ref().is_some_and(|a| Arc::ptr_eq(&a.seat, seat))
    }

    /// What to run next; waits for it.
    fn next(&mut self) -> Option<Entry> {
        if let Some(seat) = self.poller.due() {
            return Some(Entry::Seat(seat));
        }
        let is_queued = self.poller.has_queued();
        if is_queued
            && self.poller.is_queues_turn()
            && let Some(seat) = self.poller.queued()
        {
            return Some(Entry::Seat(seat));
        }
        let (token, flags) = match self.look(is_queued || self.more) {
            // What the shared epoll tells of is asked for there.
            Some((SHARED, _)) => wait(self.poller.epoll(), Some(Duration::ZERO)),
            found => found,
        }
        .unwrap_or((POKE, EventFlags::empty()));
        if token == POKE {
            return self.poller.queued().or_else(|| self.again()).map(Entry::Seat);
        }
        let attended = self.attended.as_ref().filter(|a| a.seat.token() == token);
        match attended.map(|a| Entry::Seat(a.seat.clone())).or_else(|| self.poller.entry(token))? {
            Entry::Seat(seat) => {
                if flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR) {
                    seat.hang_up();
                }
                seat.note_ready();
                seat.stir().then_some(Entry::Seat(seat))
            }
            listener => Some(listener),
        }
    }

    /// What there is an event for, now or, unless something else waits, later.
    fn look(&mut self, now: bool) -> Option<(u64, EventFlags)> {
        let poller = &self.poller;
        let epoll = self.attended.as_ref().map_or(poller.epoll(), |a| &a.epoll);
        let glance = || match poller.has_queued() {
            false => wait(epoll, Some(Duration::ZERO)),
            true => Some((POKE, EventFlags::empty())),
        };
        if now {
            return wait(epoll, Some(Duration::ZERO));
        }
        self.attention.glance(&poller.wakefulness, glance).or_else(|| {
            drop(self.engaged.take());
            let found = poller.sleep(epoll);
            self.engaged = Some(poller.wakefulness.engage());
            found
        })
    }

    /// Whom it attends to, if that may have asked again by now, and nothing is known that should come first.
    fn guess(&mut self, taken: &mut dyn FnMut() -> bool) -> Option<Arc<Seat>> {
        let seat = &self.attended.as_ref()?.seat;
        if self.poller.has_queued() || !self.prompt.guess() || !taken() {
            return None;
        }
        seat.note_ready();
        seat.stir().then(|| seat.clone())
    }

    /// A connection has had its turn, but not all that it wants.
    fn put_off(&mut self, seat: Arc<Seat>) {
        if self.is_attended(&seat) {
            self.more = true;
        } else {
            // Another may come to it first.
            self.poller.enqueue(seat);
        }
    }

    /// Whom it attends to, if that has more to do.
    fn again(&mut self) -> Option<Arc<Seat>> {
        let attended = self.attended.as_ref()?;
        std::mem::take(&mut self.more).then(|| attended.seat.clone())
    }

    /// P5
    fn give_back(&mut self) {
        let Some(Attended { seat, .. }) = self.attended.take() else { return };
        self.poller.attendants.fetch_sub(1, Ordering::SeqCst);
        if !seat.leave(self.poller.epoll()) {
            self.poller.wake(&seat);
        }
        if std::mem::take(&mut self.more) {
            self.poller.enqueue(seat);
        }
        // Leaving early means that it was not worth it.
        self.streak = if self.runs < 4 * self.streak { (2 * self.streak).min(LONGEST_STREAK) } else { STREAK };
        self.runs = 0;
    }

    /// Counts a run, and attends to whom it has run often.
    fn note_run(&mut self, seat: &Arc<Seat>, ran: &Ran) {
        let token = seat.token();
        if token != self.last {
            (self.last, self.runs) = (token, 0);
        }
        self.runs = self.runs.saturating_add(1);
        match ran {
            Ran::Over => self.give_back(),
            Ran::Parked { found } => {
                self.prompt.note(*found);
                if self.attended.is_none() && self.runs >= self.streak {
                    self.attend(seat);
                }
            }
            Ran::More => {}
        }
    }

    fn attend(&mut self, seat: &Arc<Seat>) {
        let poller = &self.poller;
        self.runs = 0;
        if poller.attendants.fetch_add(1, Ordering::SeqCst) < ATTENDANTS
            && let Some(epoll) = own_epoll(poller.epoll())
            && seat.attend(&epoll, poller.epoll())
        {
            self.attended = Some(Attended { seat: seat.clone(), epoll });
            return;
        }
        poller.attendants.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Whether the client that is attended to is known to ask again before its carrier has done anything else. Where both share a processor,
/// sending an answer lets the client run at once, and its next question is there when the carrier goes on: a read then saves a wait for an
/// event. A read that finds nothing costs a call: after each in a row the next 2, 4, 8 .. answers are not followed by one.
#[derive(Default)]
struct Prompt {
    misses: u8,
    left_out: u8,
    /// Reads in a row that found something.
    hits: u8,
    /// The run under way rests on a guess.
    guessing: bool,
}

impl Prompt {
    /// Whether to read at once.
    fn guess(&mut self) -> bool {
        self.guessing = self.left_out == 0 && self.hits < MAX_HITS;
        self.left_out = self.left_out.saturating_sub(1);
        self.hits = if self.guessing { self.hits } else { 0 };
        self.guessing
    }

    /// Whether the run has found something.
    fn note(&mut self, found: bool) {
        if !std::mem::take(&mut self.guessing) {
            return;
        }
        if found {
            (self.misses, self.hits) = (0, self.hits + 1);
        } else {
            self.misses = (self.misses + 1).min(MAX_MISSES);
            self.left_out = (1 << self.misses) - 1;
        }
    }
}

/// An epoll that tells of what `shared` has, too; `None` where the system gives none.
fn own_epoll(shared: &OwnedFd) -> Option<Arc<OwnedFd>> {
    let own = epoll::create(CreateFlags::CLOEXEC).ok()?;
    epoll::add(&own, shared, EventData::new_u64(SHARED), EventFlags::IN).ok()?;
    Some(Arc::new(own))
}
