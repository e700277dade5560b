#![doc = include_str!("../README.md")]

mod arena;
mod assemble;
mod column;
mod interpret;
mod jit;
mod program;
mod stencil;
mod unit;

#[cfg(test)]
mod tests;

pub use column::{Column, Input};
pub use jit::{Jit, JitCounts};
pub use program::{BinaryOp, Choice, Form, Label, Output, Program, Right, Step, UnaryOp, set_of};
pub use unit::{Unit, UnitCode};
