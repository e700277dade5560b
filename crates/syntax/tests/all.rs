//! The parser from outside. One program for all tests: each would link the whole engine anew.

mod golden;
mod robust;
mod shapes;
mod tree;
