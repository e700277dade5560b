//! The places of a frame that calls use, in words, and what a call answers: the crate and the stencils both have this file.
#![allow(dead_code, reason = "each has some of them")]

/// The function that does calls.
pub const HELPER: usize = 2;
/// What it needs.
pub const CALLEE: usize = 3;
/// The value of the last call.
pub const RESULT: usize = 4;
/// Words of all that, and what comes before.
pub const WORDS: usize = 5;

/// There is a value.
pub const VALUE: u64 = 0;
/// It is NULL.
pub const NULL: u64 = 1;
/// The row is suspect.
pub const SUSPECT: u64 = 2;
