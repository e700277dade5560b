//! `Attentive`: a socket whose reader stays awake for a moment before it sleeps.
//!
//! Waking a thread costs more than a short statement: tens of microseconds where an idle processor sleeps. A client that asks again as soon
//! as it has its answer therefore finds its server awake. Staying awake is bounded threefold (A1): for [`STAY`] at most; by fewer connections at
//! a time than there are processors, as the client needs one too; and by a client whose last questions came late hardly at all. Whoever else
//! wants the processor gets it meanwhile.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::net::RecvFlags;

/// How long to stay awake: about what it costs to be woken.
const STAY: Duration = Duration::from_micros(50);
/// After this many questions in a row that came late, the next 2, 4, 8 .. are slept for.
const MAX_DISTRUST: u32 = 8;

/// How many connections stay awake now, and may.
#[derive(Debug)]
pub struct Wakefulness {
    awake: AtomicUsize,
    most: usize,
}

impl Default for Wakefulness {
    fn default() -> Wakefulness {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Wakefulness { awake: AtomicUsize::new(0), most: processors - 1 }
    }
}

/// One connection that stays awake; counted until dropped.
struct Awake<'a>(&'a Wakefulness);

impl Wakefulness {
    fn stay(&self) -> Option<Awake<'_>> {
        if self.awake.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.awake.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Awake(self))
    }
}

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        self.0.awake.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A socket to read from.
pub struct Attentive<S> {
    socket: S,
    wakefulness: Arc<Wakefulness>,
    /// How often in a row nothing came while awake; at most [`MAX_DISTRUST`].
    distrust: u32,
    /// Reads to sleep for before staying awake again.
    asleep: u32,
}

impl<S: AsFd + Read> Attentive<S> {
    pub fn new(socket: S, wakefulness: Arc<Wakefulness>) -> Attentive<S> {
        Attentive { socket, wakefulness, distrust: 0, asleep: 0 }
    }

    /// What came while awake.
    fn glance(&mut self, out: &mut [u8]) -> Option<io::Result<usize>> {
        let Attentive { socket, wakefulness, distrust, asleep } = self;
        if *asleep > 0 {
            *asleep -= 1;
            return None;
        }
        let _awake = wakefulness.stay()?;
        let start = Instant::now();
        loop {
            match rustix::net::recv(&*socket, &mut *out, RecvFlags::DONTWAIT) {
                Err(rustix::io::Errno::AGAIN) => {}
                outcome => {
                    *distrust = 0;
                    return Some(outcome.map(|(_, n)| n).map_err(io::Error::from));
                }
            }
            if start.elapsed() >= STAY {
                *distrust = (*distrust + 1).min(MAX_DISTRUST);
                *asleep = (1 << *distrust) - 2;
                return None;
            }
            std::thread::yield_now();
        }
    }
}

impl<S: AsFd + Read> Read for Attentive<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.glance(out) {
            Some(outcome) => outcome,
            None => self.socket.read(out),
        }
    }
}
