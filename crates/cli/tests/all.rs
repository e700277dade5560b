//! The command and its server from outside. One program for all tests: each would link the whole engine anew.

mod access;
mod authority;
mod clients;
mod command;
mod data;
mod differential;
mod dump;
mod oracle;
mod pgbench;
mod shell;
mod shutdown;
mod statements;
