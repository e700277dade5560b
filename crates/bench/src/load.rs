//! The load driver: thousands of clients of a server on nonblocking unix sockets, moved by one thread.
//!
//! A [`Crowd`] is mechanism: it connects clients, sends their requests and tells whose answer is complete. The loads are loops over it: `busy` asks
//! again at once, `wakes` sleeps in between, `churn` connects anew each time. What they counted is a `Tally`.
//!
//! The driver does as little as it can for an answer: requests are encoded once, answers are only cut into messages, of which
//! ReadyForQuery and errors are looked at. What it needs itself is measured against servers of canned answers (figure `load-driver`).

mod answers;
mod busy;
mod churn;
mod client;
mod crowd;
mod files;
mod login;
mod poller;
mod requests;
mod tally;
mod wakes;

pub use busy::busy;
pub use churn::churn;
pub use crowd::Crowd;
pub use files::allow_many_files;
pub use poller::Poller;
pub use requests::{Requests, execute, prepare, query};
pub use wakes::{Rhythm, wakes};
