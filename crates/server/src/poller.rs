//! `Poller`: what carriers of a server take: sockets that are ready, connections whose turn was over, times that have come.
//!
//! All carriers wait in one `epoll` (edge-triggered, so that a message costs no call to register anew), and the kernel wakes one of them for
//! each socket that has something. So no message is handed from thread to thread. See epoll(7).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use session::carrier::Source;
use slab::Slab;

use crate::attentive::{Attention, Wakefulness};
use crate::channel::Scratch;
use crate::locked;
use crate::seat::Seat;

/// The token of what wakes a carrier without a socket.
const POKE: u64 = u64::MAX;
/// Scratch buffers that are kept.
const SCRATCHES: usize = 16;

/// What accepts clients.
pub trait Accept: Send + Sync {
    /// Accepts one that waits; what of it is to be run.
    fn accept(&self, poller: &Arc<Poller>) -> Option<Arc<Seat>>;
}

#[derive(Clone)]
enum Entry {
    Seat(Arc<Seat>),
    Listener(Arc<dyn Accept>),
}

type Time = Reverse<(u64, u64)>;

/// What carriers wait in.
pub struct Poller {
    epoll: OwnedFd,
    poke: OwnedFd,
    /// By the lower half of their tokens; the upper half is a number that no two of them share.
    entries: Mutex<Slab<(u32, Entry)>>,
    generation: AtomicU64,
    /// Connections whose turn was over, or that somebody woke.
    queue: Mutex<VecDeque<Arc<Seat>>>,
    queued: AtomicUsize,
    /// Threads that sleep until there is an event: whoever queues something wakes one.
    sleeping: AtomicUsize,
    /// Whether the queue's turn is next.
    turn: AtomicBool,
    /// Times and tokens; of each seat at most one counts.
    times: Mutex<BinaryHeap<Time>>,
    /// The first of them; `u64::MAX`: none.
    first_time: AtomicU64,
    scratches: Mutex<Vec<Scratch>>,
    wakefulness: Arc<Wakefulness>,
    attention: Attention,
    epoch: Instant,
    own: Weak<Poller>,
}

impl Poller {
    pub fn new(wakefulness: Arc<Wakefulness>) -> io::Result<Arc<Poller>> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let poke = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &poke, EventData::new_u64(POKE), EventFlags::IN | EventFlags::ET)?;
        Ok(Arc::new_cyclic(|own| Poller {
            epoll,
            poke,
            entries: Mutex::default(),
            generation: AtomicU64::new(0),
            queue: Mutex::default(),
            queued: AtomicUsize::new(0),
            sleeping: AtomicUsize::new(0),
            turn: AtomicBool::new(false),
            times: Mutex::default(),
            first_time: AtomicU64::new(u64::MAX),
            scratches: Mutex::default(),
            wakefulness,
            attention: Attention::default(),
            epoch: Instant::now(),
            own: own.clone(),
        }))
    }

    /// Nanoseconds since it was made.
    pub fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    fn at(&self, time: Instant) -> u64 {
        u64::try_from(time.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX)
    }

    fn add(&self, socket: BorrowedFd<'_>, entry: Entry, flags: EventFlags) -> io::Result<u64> {
        let generation = self.generation.fetch_add(1, Ordering::Relaxed) as u32 & 0x7fff_ffff;
        let seat = if let Entry::Seat(seat) = &entry { Some(seat.clone()) } else { None };
        let key = locked(&self.entries).insert((generation, entry));
        let token = u64::from(generation) << 32 | key as u64;
        if let Some(seat) = seat {
            seat.set_token(token);
        }
        let added = epoll::add(&self.epoll, socket, EventData::new_u64(token), flags);
        if let Err(e) = added {
            self.remove(token);
            return Err(e.into());
        }
        Ok(token)
    }

    /// Registers a connection, which the caller then runs.
    pub fn add_seat(&self, seat: &Arc<Seat>) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        let added = seat.with_socket(|socket| self.add(socket, Entry::Seat(seat.clone()), flags));
        added.transpose().map(drop)
    }

    /// Registers a listener, which is told of as long as somebody waits: one after the other is accepted.
    pub fn add_listener(&self, socket: BorrowedFd<'_>, listener: Arc<dyn Accept>) -> io::Result<u64> {
        self.add(socket, Entry::Listener(listener), EventFlags::IN)
    }

    /// Also tells of room to write, or no longer.
    pub fn follow(&self, socket: BorrowedFd<'_>, token: u64, writing: bool) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        let flags = if writing { flags | EventFlags::OUT } else { flags };
        Ok(epoll::modify(&self.epoll, socket, EventData::new_u64(token), flags)?)
    }

    /// Forgets a connection or listener; its socket is closed by its owner.
    pub fn remove(&self, token: u64) {
        let mut entries = locked(&self.entries);
        let key = (token & 0xffff_ffff) as usize;
        if entries.get(key).is_some_and(|e| u64::from(e.0) == token >> 32) {
            entries.remove(key);
        }
    }

    fn entry(&self, token: u64) -> Option<Entry> {
        let entries = locked(&self.entries);
        let (generation, entry) = entries.get((token & 0xffff_ffff) as usize)?;
        (u64::from(*generation) == token >> 32).then(|| entry.clone())
    }

    /// A connection that is to be run, by whichever carrier comes to it.
    pub fn enqueue(&self, seat: Arc<Seat>) {
        locked(&self.queue).push_back(seat);
        self.queued.fetch_add(1, Ordering::SeqCst);
        // Whoever is awake looks here before sleeping.
        if self.sleeping.load(Ordering::SeqCst) > 0 {
            self.poke();
        }
    }

    /// Has a connection looked at, by whatever thread calls this.
    pub fn wake(&self, seat: &Arc<Seat>) {
        if seat.stir() {
            self.enqueue(seat.clone());
        }
    }

    fn queued(&self) -> Option<Arc<Seat>> {
        if self.queued.load(Ordering::SeqCst) == 0 {
            return None;
        }
        let seat = locked(&self.queue).pop_front()?;
        self.queued.fetch_sub(1, Ordering::SeqCst);
        Some(seat)
    }

    /// Notes that a connection is parked, and until when it may be.
    pub fn park(&self, seat: &Arc<Seat>, until: Option<Instant>) {
        let Some(until) = until else {
            seat.deadline.store(0, Ordering::SeqCst);
            return;
        };
        let until = self.at(until);
        seat.deadline.store(until, Ordering::SeqCst);
        let listed = seat.listed.load(Ordering::SeqCst);
        if listed == 0 || listed > until {
            seat.listed.store(until, Ordering::SeqCst);
            self.note_time(until, seat.token());
        }
    }

    fn note_time(&self, until: u64, token: u64) {
        let first = {
            let mut times = locked(&self.times);
            times.push(Reverse((until, token)));
            let first = times.peek().map_or(u64::MAX, |t| t.0.0);
            self.first_time.swap(first, Ordering::SeqCst) > first
        };
        if first {
            // Whoever waits, waits for too long.
            self.poke_all();
        }
    }

    /// A connection whose time has come.
    fn due(&self) -> Option<Arc<Seat>> {
        let now = self.now();
        if self.first_time.load(Ordering::SeqCst) > now {
            return None;
        }
        let mut times = locked(&self.times);
        let mut found = None;
        while found.is_none()
            && let Some(&Reverse((time, token))) = times.peek()
            && time <= now
        {
            times.pop();
            let Some(Entry::Seat(seat)) = self.entry(token) else { continue };
            if seat.listed.load(Ordering::SeqCst) != time {
                // It has another place in the list by now.
                continue;
            }
            let deadline = seat.deadline.load(Ordering::SeqCst);
            seat.listed.store(if deadline > now { deadline } else { 0 }, Ordering::SeqCst);
            if deadline > now {
                times.push(Reverse((deadline, token)));
                continue;
            }
            if deadline > 0 && seat.stir() {
                found = Some(seat);
            }
        }
        self.first_time.store(times.peek().map_or(u64::MAX, |t| t.0.0), Ordering::SeqCst);
        found
    }

    /// Waits for an event; at most so long.
    fn wait(&self, at_most: Option<Duration>) -> Option<(u64, EventFlags)> {
        let mut room = [MaybeUninit::uninit(); 1];
        let time = at_most.map(|t| Timespec::try_from(t).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 }));
        let (events, _) = epoll::wait(&self.epoll, &mut room[..], time.as_ref()).ok()?;
        events.first().map(|event| (event.data.u64(), event.flags))
    }

    /// What is there now.
    fn glance(&self) -> Option<(u64, EventFlags)> {
        match self.queued.load(Ordering::SeqCst) {
            0 => self.wait(Some(Duration::ZERO)),
            _ => Some((POKE, EventFlags::empty())),
        }
    }

    fn next(&self) -> Option<Entry> {
        if let Some(seat) = self.due() {
            return Some(Entry::Seat(seat));
        }
        let waiting = self.queued.load(Ordering::SeqCst) > 0;
        // Turn by turn, so that neither keeps the other from running.
        if waiting
            && self.turn.fetch_xor(true, Ordering::Relaxed)
            && let Some(seat) = self.queued()
        {
            return Some(Entry::Seat(seat));
        }
        let now = Some(Duration::ZERO);
        let token = match waiting {
            true => self.wait(now),
            false => self.attention.glance(&self.wakefulness, || self.glance()).or_else(|| {
                self.sleeping.fetch_add(1, Ordering::SeqCst);
                let found = match self.queued.load(Ordering::SeqCst) {
                    0 => {
                        let first = self.first_time.load(Ordering::SeqCst);
                        let left = (first != u64::MAX).then(|| Duration::from_nanos(first.saturating_sub(self.now())));
                        self.wait(left)
                    }
                    _ => None,
                };
                self.sleeping.fetch_sub(1, Ordering::SeqCst);
                found
            }),
        };
        match token {
            None | Some((POKE, _)) => self.queued().map(Entry::Seat),
            Some((token, flags)) => match self.entry(token)? {
                Entry::Seat(seat) => {
                    if flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR) {
                        seat.hang_up();
                    }
                    seat.note_ready();
                    seat.stir().then_some(Entry::Seat(seat))
                }
                listener => Some(listener),
            },
        }
    }

    /// All connections.
    pub fn seats(&self) -> Vec<Arc<Seat>> {
        let seat = |e: &(u32, Entry)| if let Entry::Seat(seat) = &e.1 { Some(seat.clone()) } else { None };
        locked(&self.entries).iter().filter_map(|(_, e)| seat(e)).collect()
    }

    /// Forgets all listeners, which closes their sockets.
    pub fn close_listeners(&self) {
        locked(&self.entries).retain(|_, e| matches!(e.1, Entry::Seat(_)));
    }

    fn poke(&self) {
        let _ = rustix::io::write(&self.poke, &1u64.to_ne_bytes());
    }

    fn poke_all(&self) {
        // Each write is an event for one of them; those who find nothing wait again, with what is now the first time.
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            self.poke();
        }
    }

    fn with_scratch(&self, f: impl FnOnce(&mut Scratch)) {
        let mut scratch = locked(&self.scratches).pop().unwrap_or_default();
        f(&mut scratch);
        let mut scratches = locked(&self.scratches);
        if scratches.len() < SCRATCHES {
            scratches.push(scratch);
        }
    }
}

/// Carriers hold it as their source.
pub struct Ready(pub Arc<Poller>);

impl Source for Ready {
    fn take(&self, taken: &mut dyn FnMut()) {
        let poller = &self.0;
        match poller.next() {
            None => {}
            Some(Entry::Listener(listener)) => {
                taken();
                if let Some(seat) = poller.own.upgrade().and_then(|own| listener.accept(&own)) {
                    // What it has to say is mostly there already.
                    poller.with_scratch(|scratch| seat.run(poller, scratch));
                }
            }
            Some(Entry::Seat(seat)) => {
                taken();
                poller.with_scratch(|scratch| seat.run(poller, scratch));
            }
        }
    }

    fn poke(&self) {
        self.0.poke();
    }
}
