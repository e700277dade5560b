#![doc = include_str!("../README.md")]

mod arena;
mod assemble;
mod interpret;
mod program;
mod stencil;
mod unit;

#[cfg(test)]
mod tests;

pub use program::{BinaryOp, Choice, Form, Label, Output, Program, Right, Step, UnaryOp, set_of};
pub use unit::{Column, Input, Jit, JitCounts, Unit, UnitCode};
