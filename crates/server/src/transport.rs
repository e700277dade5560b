//! `Transport`: the bytes of one client, over a socket that never blocks or over any pair of streams that do.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

use crate::tls::TlsPeer;

/// A client's bytes. `WouldBlock` means that there is nothing now.
pub trait Transport: Send {
    /// Reads what is there. `Interrupted`: something came that was not for whoever asks; they may ask again.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize>;
    /// Writes what there is room for.
    fn write(&mut self, data: &[u8]) -> io::Result<usize>;
    /// The socket has something new: what was found to be empty may not be any more. `hung` says that the client has closed its side, of
    /// which nobody will be told again.
    fn stir(&mut self, _hung: bool) {}
    /// Waits in this thread until there is room to write, at most so long; whether there is.
    fn wait_for_room(&self, at_most: Duration) -> io::Result<bool>;
    /// What to register for readiness; `None` when reading and writing block.
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        None
    }
    /// Whether what is written goes into the socket as it is.
    fn is_bare(&self) -> bool {
        false
    }
    /// Whether something that was accepted waits for room to be sent.
    fn has_unsent(&self) -> bool {
        false
    }
    /// Who is at the other end, where it is encrypted.
    fn tls(&self) -> Option<TlsPeer> {
        None
    }
}

/// What stands where a transport was taken away.
pub struct Nowhere;

impl Transport for Nowhere {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::NotConnected.into())
    }

    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::NotConnected.into())
    }

    fn wait_for_room(&self, _: Duration) -> io::Result<bool> {
        Err(io::ErrorKind::NotConnected.into())
    }
}

/// A socket in non-blocking mode.
pub struct Socket {
    /// Shared with who has it watched.
    inner: Arc<OwnedFd>,
    /// The last read found less than it asked for: until the socket is stirred there is nothing (P3).
    drained: bool,
    /// The end is there, behind what is still to be read.
    hung: bool,
}

impl Socket {
    pub fn new(inner: Arc<OwnedFd>) -> Socket {
        Socket { inner, drained: false, hung: false }
    }
}

impl Transport for Socket {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.drained {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let room = out.len();
        let read = loop {
            match rustix::io::read(&self.inner, &mut *out) {
                Err(rustix::io::Errno::INTR) => {}
                outcome => break outcome,
            }
        };
        match read {
            Ok(n) => {
                // An end is seen again by whoever reads again.
                self.drained = !self.hung && n > 0 && n < room;
                Ok(n)
            }
            Err(e) => {
                self.drained = e == rustix::io::Errno::AGAIN;
                Err(e.into())
            }
        }
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        send(&self.inner, data)
    }

    fn stir(&mut self, hung: bool) {
        self.drained = false;
        self.hung |= hung;
    }

    fn wait_for_room(&self, at_most: Duration) -> io::Result<bool> {
        let time = Timespec::try_from(at_most).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
        match rustix::event::poll(&mut [PollFd::new(&self.inner, PollFlags::OUT)], Some(&time)) {
            Ok(n) => Ok(n > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        Some(self.inner.as_fd())
    }

    fn is_bare(&self) -> bool {
        true
    }
}

/// Sends what there is room for.
pub fn send(socket: &OwnedFd, data: &[u8]) -> io::Result<usize> {
    loop {
        // A client that is gone must not end the process by a signal.
        match rustix::net::send(socket, data, rustix::net::SendFlags::NOSIGNAL) {
            Err(rustix::io::Errno::INTR) => {}
            outcome => return Ok(outcome?),
        }
    }
}

/// A pair of streams that block.
pub struct Streams {
    pub reader: Box<dyn Read + Send>,
    pub writer: Box<dyn Write + Send>,
}

impl Transport for Streams {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(out) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
    }

    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.writer.write_all(data).and_then(|()| self.writer.flush())?;
        Ok(data.len())
    }

    fn wait_for_room(&self, _: Duration) -> io::Result<bool> {
        Ok(true)
    }
}
