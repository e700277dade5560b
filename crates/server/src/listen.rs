//! Listeners: sockets that clients come to.
//!
//! A client that cannot be served is told so and let go at once, without a session, and without waiting for what it would have said.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use crate::connection::Connection;
use crate::limits::{FULL, too_many};
use crate::origin::Origin;
use crate::poller::{Accept, Poller};
use crate::seat::Seat;
use crate::transport::{Socket, Transport};
use crate::{SessionMode, Shared, locked, thread};

/// Clients that may wait to be accepted.
const BACKLOG: i32 = 4096;

/// How sockets of clients begin.
const ACCEPTED: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

/// A file that is closed to have one for who comes when there are no more, to be sent away.
struct Spare(Mutex<Option<File>>);

impl Spare {
    fn new() -> Spare {
        Spare(Mutex::new(File::open("/dev/null").ok()))
    }

    /// Accepts one that waits.
    fn accept<S>(&self, one: impl Fn() -> io::Result<S>) -> Option<S> {
        match one() {
            Ok(client) => Some(client),
            Err(e) if is_out_of_files(&e) => {
                // Who stays in the queue would be told of without end.
                let mut spare = locked(&self.0);
                drop(spare.take());
                drop(one());
                *spare = File::open("/dev/null").ok();
                None
            }
            Err(_) => None,
        }
    }
}

fn is_out_of_files(e: &io::Error) -> bool {
    let errno = rustix::io::Errno::from_io_error(e);
    errno.is_some_and(|e| e == rustix::io::Errno::MFILE || e == rustix::io::Errno::NFILE)
}

/// A TCP address.
pub struct Tcp {
    shared: Arc<Shared>,
    listener: TcpListener,
    spare: Spare,
}

impl Tcp {
    /// Listens on `address`; one of IPv6 is of IPv6 only, so that the same port of IPv4 is free.
    pub fn bind(shared: &Arc<Shared>, address: SocketAddr) -> io::Result<Tcp> {
        let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        if address.is_ipv6() {
            sockopt::set_ipv6_v6only(&socket, true)?;
        }
        rustix::net::bind(&socket, &address)?;
        rustix::net::listen(&socket, BACKLOG)?;
        Ok(Tcp { shared: shared.clone(), listener: socket.into(), spare: Spare::new() })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl AsFd for Tcp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Accept for Tcp {
    fn accept(&self, poller: &Arc<Poller>) -> Option<Arc<Seat>> {
        let (stream, peer) = self.spare.accept(|| Ok(rustix::net::acceptfrom_with(&self.listener, ACCEPTED)?))?;
        let peer = SocketAddr::try_from(peer?).ok()?;
        // Small messages must not wait for each other.
        let _ = sockopt::set_tcp_nodelay(&stream, true);
        // A client whose machine is gone is found out, as by PostgreSQL.
        let _ = sockopt::set_socket_keepalive(&stream, true);
        let origin = Origin::Host(SocketAddr::new(peer.ip().to_canonical(), peer.port()));
        start(&self.shared, poller, origin, stream)
    }
}

/// A unix socket.
pub struct Unix {
    shared: Arc<Shared>,
    listener: UnixListener,
    spare: Spare,
}

impl Unix {
    pub fn bind(shared: &Arc<Shared>, path: &Path) -> io::Result<Unix> {
        // A socket that nobody answers on was left by a server that is gone.
        if path.exists() && UnixStream::connect(path).is_err() {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        // The library's own backlog of 128 refuses clients that come all at once.
        rustix::net::listen(&listener, BACKLOG)?;
        listener.set_nonblocking(true)?;
        Ok(Unix { shared: shared.clone(), listener, spare: Spare::new() })
    }
}

impl AsFd for Unix {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Accept for Unix {
    fn accept(&self, poller: &Arc<Poller>) -> Option<Arc<Seat>> {
        let stream = self.spare.accept(|| Ok(rustix::net::accept_with(&self.listener, ACCEPTED)?))?;
        start(&self.shared, poller, Origin::Local, stream)
    }
}

/// Begins to serve a client that was accepted; its seat, which the caller runs, if it is to be run here.
fn start(shared: &Arc<Shared>, poller: &Arc<Poller>, origin: Origin, socket: OwnedFd) -> Option<Arc<Seat>> {
    let socket = Arc::new(socket);
    let mut transport = Socket::new(socket.clone());
    if !shared.has_room() {
        let mut output = bytes::BytesMut::new();
        wire::backend::error_response(&mut output, &too_many(FULL));
        // A client that does not read it must not hold up the others.
        let _ = transport.write(&output);
        return None;
    }
    *locked(&shared.count) += 1;
    let connection = Connection::new(shared.clone(), origin, Box::new(transport));
    match shared.mode {
        SessionMode::Pooled { .. } => {
            let seat = Seat::with_waker(connection, socket, poller);
            // A connection that cannot be registered is dropped; the client sees it closed.
            poller.add_seat(&seat).ok().map(|()| seat)
        }
        SessionMode::Thread => {
            thread::start(shared, connection);
            None
        }
    }
}
