//! `Poller`: which of many sockets have something to say.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{Timespec, epoll};

/// Sockets reported at a time.
const EVENTS: usize = 256;

/// What a socket is waited for: always answers, and room to write while a request is unsent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interest {
    /// Bytes to read.
    Read,
    /// Those, and room to write.
    ReadAndWrite,
}

/// A set of sockets, each with a number.
pub struct Poller {
    epoll: OwnedFd,
}

impl Poller {
    /// An empty one.
    pub fn new() -> io::Result<Poller> {
        Ok(Poller { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)? })
    }

    /// Waits for `socket` too. It leaves the set when it is closed.
    pub fn add(&self, socket: impl AsFd, number: usize) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, socket, epoll::EventData::new_u64(number as u64), epoll::EventFlags::IN)?)
    }

    /// Changes what `socket` is waited for.
    pub fn change(&self, socket: impl AsFd, number: usize, interest: Interest) -> io::Result<()> {
        let flags = match interest {
            Interest::Read => epoll::EventFlags::IN,
            Interest::ReadAndWrite => epoll::EventFlags::IN | epoll::EventFlags::OUT,
        };
        Ok(epoll::modify(&self.epoll, socket, epoll::EventData::new_u64(number as u64), flags)?)
    }

    /// Puts the numbers of ready sockets into `ready`; waits for one at most `patience`.
    pub fn wait(&self, patience: Duration, ready: &mut Vec<usize>) -> io::Result<()> {
        let timeout = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: i64::from(patience.subsec_nanos()) };
        let mut events = [MaybeUninit::uninit(); EVENTS];
        ready.clear();
        match epoll::wait(&self.epoll, &mut events, Some(&timeout)) {
            Ok((events, _)) => ready.extend(events.iter().map(|e| e.data.u64() as usize)),
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        Ok(())
    }
}
