//! `Pipeline`: one thread makes rows of COPY's bytes while the session's adds those before them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use env::sched;
use env::sync::{self, Condvar, JoinHandle, Mutex};

use super::parser::{Batch, Parser};

/// Bytes that may wait to be read before whoever feeds waits for the reader.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// Batches that may wait to be added before the reader waits.
const BATCHES_MAX: usize = 16;

/// How many such threads the process has: no more than it has processors for.
static THREADS: AtomicUsize = AtomicUsize::new(0);

#[derive(Default)]
struct State {
    pieces: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    batches: VecDeque<Batch>,
    /// No more pieces will come.
    ended: bool,
    /// Nobody wants batches any more.
    stopped: bool,
    /// The thread gives no more batches.
    done: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// A parser on a thread of its own.
pub(super) struct Pipeline {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Box<Parser>>>,
}

/// Says that the thread is gone, however it went.
struct Done(Arc<Shared>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.state.lock().done = true;
        self.0.changed.notify_all();
        THREADS.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pipeline {
    /// Gives `parser` a thread, unless the process has as many as it can use: then the parser comes back.
    pub fn start(parser: Box<Parser>) -> Result<Pipeline, Box<Parser>> {
        // This one is at work as well.
        let most = std::thread::available_parallelism().map_or(1, usize::from) - 1;
        let taken = THREADS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < most).then_some(n + 1));
        if sched::is_simulated() || taken.is_err() {
            if taken.is_ok() {
                THREADS.fetch_sub(1, Ordering::Relaxed);
            }
            return Err(parser);
        }
        let shared = Arc::new(Shared::default());
        let done = Done(shared.clone());
        let thread = sync::spawn("hathi-copy", move || run(parser, &done.0));
        Ok(Pipeline { shared, thread: Some(thread) })
    }

    /// Hands over more bytes.
    pub fn feed(&self, data: &[u8]) {
        let mut state = self.shared.state.lock();
        if state.done {
            return;
        }
        state.pieces.push_back(data.to_vec());
        state.waiting_bytes += data.len();
        drop(state);
        self.shared.changed.notify_all();
    }

    /// No more bytes will come.
    pub fn end(&self) {
        self.shared.state.lock().ended = true;
        self.shared.changed.notify_all();
    }

    /// A batch that is ready; waits for one only where too many bytes wait.
    pub fn next(&self) -> Option<Batch> {
        self.take(|state| state.waiting_bytes < WAITING_BYTES_MAX)
    }

    /// The next batch; none after [`Pipeline::end`] once all are given.
    pub fn wait(&self) -> Option<Batch> {
        self.take(|_| false)
    }

    fn take(&self, enough: impl Fn(&State) -> bool) -> Option<Batch> {
        let mut state = self.shared.state.lock();
        loop {
            if let Some(batch) = state.batches.pop_front() {
                // The reader waits only before a full queue.
                if state.batches.len() + 1 == BATCHES_MAX {
                    self.shared.changed.notify_all();
                }
                return Some(batch);
            }
            if state.done || enough(&state) {
                return None;
            }
            self.shared.changed.wait(&mut state);
        }
    }

    /// Ends the thread once it has read all bytes; the parser, unless it panicked. Batches that were not taken are lost.
    pub fn stop(mut self) -> Option<Box<Parser>> {
        self.join()
    }

    fn join(&mut self) -> Option<Box<Parser>> {
        {
            let mut state = self.shared.state.lock();
            state.ended = true;
            state.stopped = true;
        }
        self.shared.changed.notify_all();
        self.thread.take()?.join().ok()
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.join();
    }
}

/// What the thread does.
fn run(mut parser: Box<Parser>, shared: &Shared) -> Box<Parser> {
    loop {
        let pieces = {
            let mut state = shared.state.lock();
            while state.pieces.is_empty() && !state.ended {
                shared.changed.wait(&mut state);
            }
            if state.pieces.is_empty() {
                return parser;
            }
            state.waiting_bytes = 0;
            std::mem::take(&mut state.pieces)
        };
        shared.changed.notify_all();
        for piece in pieces {
            parser.feed(&piece);
            while let Some(batch) = parser.next(false) {
                let last = batch.error.is_some();
                let mut state = shared.state.lock();
                while state.batches.len() >= BATCHES_MAX && !state.stopped {
                    shared.changed.wait(&mut state);
                }
                if !state.stopped {
                    state.batches.push_back(batch);
                    drop(state);
                    shared.changed.notify_all();
                }
                if last {
                    return parser;
                }
            }
        }
    }
}
