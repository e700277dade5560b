//! The crate from outside.

mod aarch64;
mod disas;
mod reproducible;
