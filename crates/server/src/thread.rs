//! Sessions with threads of their own: `session_mode = thread`, and streams that block.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd};
use session::Wake;

use crate::attentive::{Attention, Engaged, Wakefulness};
use crate::channel::Scratch;
use crate::connection::{Connection, Turn};
use crate::{Shared, locked};

/// Wakes a thread that waits in [`wait`].
struct Poke(Arc<OwnedFd>);

impl Wake for Poke {
    fn wake(&self) {
        let _ = rustix::io::write(&*self.0, &1u64.to_ne_bytes());
    }
}

/// Serves a connection in a thread of its own. One that gets none is dropped: its client sees it closed.
pub fn start(shared: &Arc<Shared>, mut connection: Connection) {
    let Ok(poke) = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map(Arc::new) else { return };
    let waker: session::Waker = Arc::new(Poke(poke.clone()));
    connection.waker = Some(waker.clone());
    let serial = shared.serial.fetch_add(1, Ordering::Relaxed);
    locked(&shared.threads).insert(serial, waker);
    let own = shared.clone();
    let thread = std::thread::Builder::new().name("hathi-connection".to_owned()).spawn(move || {
        run(connection, Some(&poke), &own.wakefulness);
        locked(&own.threads).remove(&serial);
    });
    if thread.is_err() {
        locked(&shared.threads).remove(&serial);
    }
}

/// Runs a connection in this thread until it is over.
pub fn run(mut connection: Connection, poke: Option<&OwnedFd>, wakefulness: &Arc<Wakefulness>) {
    let mut scratch = Scratch::default();
    connection.channel.take_buffers(&mut scratch);
    let attention = Attention::default();
    let mut engaged = Some(wakefulness.engage());
    loop {
        // Readiness is asked for anew each time, an end among it.
        connection.channel.transport().stir(true);
        connection.run_by(0);
        match connection.advance() {
            Turn::Over => return,
            Turn::More => {}
            Turn::Parked { writing, until, .. } => {
                connection.channel.give_buffers(&mut scratch);
                wait(&mut connection, poke, (writing, until), (&attention, wakefulness), &mut engaged);
                connection.channel.take_buffers(&mut scratch);
            }
        }
    }
}

/// Waits until the socket is ready, somebody pokes, or it is time.
fn wait(
    connection: &mut Connection,
    poke: Option<&OwnedFd>,
    (writing, until): (bool, Option<Instant>),
    (attention, wakefulness): (&Attention, &Arc<Wakefulness>),
    engaged: &mut Option<Engaged>,
) {
    let (Some(socket), Some(poke)) = (connection.channel.socket(), poke) else { return };
    let wanted = if writing { PollFlags::OUT } else { PollFlags::IN };
    let poke = poke.as_fd();
    let ready = |time: Option<&Timespec>| {
        let mut fds = [PollFd::new(&socket, wanted), PollFd::new(&poke, PollFlags::IN)];
        let found = rustix::event::poll(&mut fds, time).is_ok_and(|n| n > 0);
        if found && fds[1].revents().contains(PollFlags::IN) {
            let _ = rustix::io::read(poke, &mut [0; 8]);
        }
        found.then_some(())
    };
    let now = Timespec::try_from(Duration::ZERO).ok();
    if attention.glance(wakefulness, || ready(now.as_ref())).is_some() {
        return;
    }
    let left = until.map(|until| until.saturating_duration_since(Instant::now()));
    let left = left.and_then(|left| Timespec::try_from(left).ok());
    *engaged = None;
    ready(left.as_ref());
    *engaged = Some(wakefulness.engage());
}
