//! The server over real sockets. One program for all tests: each would link the whole engine anew.

mod client;
mod lifecycle;
mod notify;
mod state;
mod waits;
