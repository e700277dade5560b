//! The server over real sockets. One program for all tests: each would link the whole engine anew.

mod attended;
mod client;
mod extended;
mod lifecycle;
mod notify;
mod seeing;
mod state;
mod statistics;
mod waits;
