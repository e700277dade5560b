//! Whether a client is still there: TCP's keepalives, and a look at the socket while a statement runs.
//!
//! A parked connection learns of its client's end from the poller. A statement under way would not: it runs for nobody, perhaps for hours.
//! With `client_connection_check_interval` it looks from time to time (manual §19.3), which takes a second descriptor of the socket.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{AddressFamily, getsockname, sockopt};
use session::{Backend, ClientSettings};

/// What the system does for sockets of which nobody has said anything.
#[derive(Clone, Copy)]
struct Defaults {
    idle: Duration,
    interval: Duration,
    count: u32,
    user_timeout_ms: u32,
}

/// What was last asked for.
#[derive(Default)]
pub struct Liveness {
    settings: ClientSettings,
    defaults: Option<Defaults>,
}

impl Liveness {
    /// Does what the session's settings say, if they are others than before.
    pub fn follow(&mut self, settings: ClientSettings, socket: Option<BorrowedFd<'_>>, backend: &Backend) {
        let Some(socket) = socket.filter(|_| settings != self.settings) else { return };
        if settings.check_interval_ms != self.settings.check_interval_ms {
            // Without another descriptor there is no looking, as with an interval of 0.
            backend.probe_client(settings.check_interval_ms, probe(socket, settings.check_interval_ms).ok().flatten());
        }
        if getsockname(socket).is_ok_and(|name| name.address_family() != AddressFamily::UNIX) {
            // What the system refuses stays as it was.
            let _ = self.keep_alive(&settings, socket);
        }
        self.settings = settings;
    }

    fn keep_alive(&mut self, settings: &ClientSettings, socket: BorrowedFd<'_>) -> io::Result<()> {
        let defaults = match self.defaults {
            Some(defaults) => defaults,
            None => Defaults {
                idle: sockopt::tcp_keepidle(socket)?,
                interval: sockopt::tcp_keepintvl(socket)?,
                count: sockopt::tcp_keepcnt(socket)?,
                user_timeout_ms: sockopt::tcp_user_timeout(socket)?,
            },
        };
        self.defaults = Some(defaults);
        let seconds = |n: u32, default| if n == 0 { default } else { Duration::from_secs(n.into()) };
        let number = |n: u32, default| if n == 0 { default } else { n };
        sockopt::set_tcp_keepidle(socket, seconds(settings.keepalives_idle_s, defaults.idle))?;
        sockopt::set_tcp_keepintvl(socket, seconds(settings.keepalives_interval_s, defaults.interval))?;
        sockopt::set_tcp_keepcnt(socket, number(settings.keepalives_count, defaults.count))?;
        sockopt::set_tcp_user_timeout(socket, number(settings.user_timeout_ms, defaults.user_timeout_ms))?;
        Ok(())
    }
}

/// Says whether the client has closed its side.
fn probe(socket: BorrowedFd<'_>, interval_ms: u64) -> io::Result<Option<session::Probe>> {
    if interval_ms == 0 {
        return Ok(None);
    }
    let own: OwnedFd = socket.try_clone_to_owned()?;
    Ok(Some(Arc::new(move || {
        let mut fds = [PollFd::from_borrowed_fd(own.as_fd(), PollFlags::RDHUP)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let found = rustix::event::poll(&mut fds, Some(&now)).is_ok_and(|n| n > 0);
        found && fds[0].revents().intersects(PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR)
    })))
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn keepalives_are_what_was_asked_for_and_the_systems_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (socket, _) = listener.accept().unwrap();
        let seen = || {
            let (idle, interval) = (sockopt::tcp_keepidle(&socket), sockopt::tcp_keepintvl(&socket));
            let (count, timeout) = (sockopt::tcp_keepcnt(&socket), sockopt::tcp_user_timeout(&socket));
            (idle.unwrap().as_secs(), interval.unwrap().as_secs(), count.unwrap(), timeout.unwrap())
        };
        let before = seen();
        let mut session = hathi::Database::in_memory().unwrap().session().unwrap();
        let backend = session.inner().cancel_handle();
        let mut liveness = Liveness::default();
        let mut follow = |text: &[(&str, &str)]| {
            text.iter().for_each(|(name, value)| session.inner().set_setting(name, value).unwrap());
            liveness.follow(session.inner().client_settings(), Some(socket.as_fd()), &backend);
        };
        follow(&[("tcp_keepalives_idle", "77"), ("tcp_keepalives_interval", "1min")]);
        assert_eq!(seen(), (77, 60, before.2, before.3));
        follow(&[("tcp_keepalives_count", "3"), ("tcp_user_timeout", "4s"), ("tcp_keepalives_idle", "0")]);
        assert_eq!(seen(), (before.0, 60, 3, 4000));
        follow(&[("tcp_keepalives_count", "0"), ("tcp_user_timeout", "0"), ("tcp_keepalives_interval", "0")]);
        assert_eq!(seen(), before);
    }
}
