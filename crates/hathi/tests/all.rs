//! The library from outside. One program for all tests: each would link the whole engine anew.

mod access;
mod auto_analyze;
mod draw;
mod extremes;
mod index_only;
mod isolation;
mod kill;
mod known;
mod larger;
mod library;
mod limits;
mod long;
mod long_copy;
mod mutated;
mod nesting;
mod parallel;
mod planning;
mod powercut;
mod reuse;
mod robust;
mod snapshots;
mod temporary;
mod this_program;
mod tpcb;
mod tpch;
