//! LISTEN and NOTIFY: who listens to what, and in which order they are told.
//!
//! Invariants
//!
//! - N1: A notification reaches those who listen to its channel when its transaction is committed and durable, and nobody else; one whose
//!   transaction fails reaches nobody.
//! - N2: All listeners of a database get notifications in the order in which transactions committed, and those of one transaction in the order
//!   in which they were asked for, as PostgreSQL promises (<https://www.postgresql.org/docs/18/sql-notify.html>).
//! - N3: No lock is held while a transaction commits. PostgreSQL holds one for the whole cluster, which makes all commits that notify wait for
//!   each other's syncs.
//!
//! For N2 a transaction takes a *ticket* before it commits, which says how long the log was then: its commit will be no earlier. When it has
//! committed, its notifications wait until no ticket is left whose transaction may have committed before. Whoever gives back the ticket
//! that was waited for delivers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use env::sync::Mutex;
use smallvec::SmallVec;
use storage::Lsn;
use types::{Result, SqlError, SqlState};

use crate::backend::Backend;
use crate::session::Session;

/// Bytes of notifications that nobody has taken yet, in all mailboxes together.
const QUEUE_BYTES: usize = 256 << 20;
/// A payload is shorter than this.
const PAYLOAD_BYTES: usize = 8000;
/// A channel's name is shorter than this.
const NAME_BYTES: usize = 64;
/// So many listeners are told by whoever delivers, if they can be; the others by whichever threads come to them.
const TOLD_AT_ONCE: usize = 4;

/// What a listener gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notification {
    /// The session that sent it.
    pub pid: u32,
    /// On which channel.
    pub channel: Arc<str>,
    /// What it says.
    pub payload: Arc<str>,
}

impl Notification {
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Notification>() + self.channel.len() + self.payload.len()
    }
}

#[derive(Default)]
struct Queue {
    /// Tickets of transactions that are about to commit, and where the log ended when they were taken: no later than for the next one.
    tickets: BTreeMap<u64, Lsn>,
    next: u64,
    /// What is committed but may not be told yet, by the commits' LSNs.
    waiting: BTreeMap<(Lsn, u64), Vec<Notification>>,
    /// Mostly one of a channel, or very many.
    listeners: HashMap<Arc<str>, SmallVec<[Arc<Backend>; 1]>>,
}

/// The channels of one database.
#[derive(Default)]
pub(crate) struct Channels {
    queue: Mutex<Queue>,
    /// Bytes in mailboxes of this database's sessions.
    held: Arc<AtomicUsize>,
}

/// The right to tell something once the transaction has committed; given back when dropped.
struct Ticket<'a> {
    channels: &'a Channels,
    number: u64,
    told: Option<(Lsn, Vec<Notification>)>,
}

impl Channels {
    /// `end` says how long the log is.
    fn ticket(&self, end: impl FnOnce() -> Lsn) -> Ticket<'_> {
        let mut queue = self.queue.lock();
        let number = queue.next;
        queue.next += 1;
        queue.tickets.insert(number, end());
        Ticket { channels: self, number, told: None }
    }

    fn listen(&self, channel: &Arc<str>, backend: &Arc<Backend>) {
        let mut queue = self.queue.lock();
        let listeners = queue.listeners.entry(channel.clone()).or_default();
        if !listeners.iter().any(|l| Arc::ptr_eq(l, backend)) {
            listeners.push(backend.clone());
        }
    }

    fn unlisten(&self, channel: &str, backend: &Arc<Backend>) {
        let mut queue = self.queue.lock();
        if let Some(listeners) = queue.listeners.get_mut(channel) {
            listeners.retain(|l| !Arc::ptr_eq(l, backend));
            if listeners.is_empty() {
                queue.listeners.remove(channel);
            }
        }
    }

    /// How full mailboxes are, between 0 and 1.
    pub(crate) fn usage(&self) -> f64 {
        self.held.load(Ordering::Relaxed) as f64 / QUEUE_BYTES as f64
    }
}

impl Queue {
    /// Leaves what may be told now in the mailboxes of its listeners; who of them is to be told of it.
    fn deliver(&mut self, held: &Arc<AtomicUsize>) -> SmallVec<[Arc<Backend>; TOLD_AT_ONCE]> {
        let mut told = SmallVec::new();
        let earliest = self.tickets.first_key_value().map(|(_, end)| *end);
        while let Some(first) = self.waiting.first_entry()
            && earliest.is_none_or(|ticket| first.key().0 <= ticket)
        {
            for notification in first.remove() {
                for listener in self.listeners.get(&notification.channel).into_iter().flatten() {
                    if listener.post(notification.clone(), held) {
                        told.push(listener.clone());
                    }
                }
            }
        }
        told
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut queue = self.channels.queue.lock();
        queue.tickets.remove(&self.number);
        if let Some((lsn, notifications)) = self.told.take() {
            queue.waiting.insert((lsn, self.number), notifications);
        }
        let told = queue.deliver(&self.channels.held);
        // N3: what is told takes system calls.
        drop(queue);
        told.iter().enumerate().for_each(|(i, listener)| listener.tell_of_mail(i < TOLD_AT_ONCE));
    }
}

/// What a transaction has asked for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Wish {
    Listen(Arc<str>),
    Unlisten(Arc<str>),
    UnlistenAll,
    Notify(Arc<str>, Arc<str>),
}

/// What a session listens to, and what its transaction has asked for: in effect when it commits.
#[derive(Default)]
pub(crate) struct Listening {
    pub channels: Vec<Arc<str>>,
    wishes: Vec<Wish>,
    /// Those of `wishes` that are notifications: the same one again is not another.
    notified: HashSet<Wish>,
}

impl Listening {
    /// How much the transaction has asked for.
    pub(crate) fn wish_count(&self) -> usize {
        self.wishes.len()
    }

    /// Whether it has asked for anything.
    pub(crate) fn has_wishes(&self) -> bool {
        !self.wishes.is_empty()
    }

    /// Forgets all but the first `count` things that the transaction has asked for.
    pub(crate) fn forget_wishes(&mut self, count: usize) {
        for wish in self.wishes.drain(count.min(self.wishes.len())..) {
            self.notified.remove(&wish);
        }
    }

    /// Keeps a notification for the transaction's end.
    pub(crate) fn notify(&mut self, channel: &str, payload: &str) -> Result<()> {
        let invalid = |text: &str| Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, text));
        if channel.is_empty() {
            return invalid("channel name cannot be empty");
        }
        if channel.len() >= NAME_BYTES {
            return invalid("channel name too long");
        }
        if payload.len() >= PAYLOAD_BYTES {
            return invalid("payload string too long");
        }
        let wish = Wish::Notify(channel.into(), payload.into());
        if self.notified.insert(wish.clone()) {
            self.wishes.push(wish);
        }
        Ok(())
    }
}

impl Session {
    pub(crate) fn wish(&mut self, wish: Wish) {
        self.listening.wishes.push(wish);
    }

    /// Ends the transaction by `commit`, which answers its LSN if it has one, and does what it asked for (N1).
    pub(crate) fn commit_with_wishes(
        &mut self,
        commit: impl FnOnce(&mut Session) -> Result<Option<Lsn>>,
    ) -> Result<()> {
        if self.listening.wishes.is_empty() {
            return commit(self).map(drop);
        }
        let wishes = std::mem::take(&mut self.listening.wishes);
        self.listening.notified.clear();
        let channels = self.catalog.channels.clone();
        let notes = |wish: &Wish| match wish {
            Wish::Notify(channel, payload) => {
                Some(Notification { pid: self.owner.0, channel: channel.clone(), payload: payload.clone() })
            }
            _ => None,
        };
        let notifications: Vec<Notification> = wishes.iter().filter_map(notes).collect();
        if !notifications.is_empty() && channels.usage() >= 1.0 {
            let message = "too many notifications in the NOTIFY queue";
            return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
        }
        let runtime = self.runtime.clone();
        let end = || runtime.engine().shared().log.end_lsn();
        let mut ticket = (!notifications.is_empty()).then(|| channels.ticket(end));
        let lsn = commit(self)?;
        for wish in wishes {
            match wish {
                Wish::Listen(channel) => {
                    channels.listen(&channel, &self.backend);
                    if !self.listening.channels.contains(&channel) {
                        self.listening.channels.push(channel);
                    }
                }
                Wish::Unlisten(channel) => {
                    channels.unlisten(&channel, &self.backend);
                    self.listening.channels.retain(|c| *c != channel);
                }
                Wish::UnlistenAll => self.stop_listening(),
                Wish::Notify(..) => {}
            }
        }
        if let Some(ticket) = &mut ticket {
            // One that wrote nothing commits now.
            ticket.told = Some((lsn.unwrap_or_else(end), notifications));
        }
        Ok(())
    }

    /// Listens to nothing any more.
    pub(crate) fn stop_listening(&mut self) {
        let channels = self.catalog.channels.clone();
        for channel in self.listening.channels.drain(..) {
            channels.unlisten(&channel, &self.backend);
        }
    }

    /// What was sent to this session since the last time. PostgreSQL tells a client only between transactions.
    pub fn take_notifications(&mut self) -> Vec<Notification> {
        self.backend.take_mail().into_vec()
    }

    /// Whether a client may be told of notifications now.
    pub fn is_between_transactions(&self) -> bool {
        self.txn.is_none()
    }

    /// Waits for a notification, at most `patience`; whether there is one.
    ///
    /// # Errors
    /// `57014`, `57P01`.
    pub fn wait_for_notification(&mut self, patience: std::time::Duration) -> Result<bool> {
        // A cancel request from before is not for this.
        self.interrupt.start_statement(0);
        let now = self.interrupt.clock().monotonic_nanos();
        let until = now.saturating_add(u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX)).max(1);
        let backend = self.backend.clone();
        let found = self.interrupt.wait(env::waiting::Wait::ClientRead, until, || backend.has_mail().then_some(()))?;
        Ok(found.is_some())
    }
}
