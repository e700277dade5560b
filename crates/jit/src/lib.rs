#![doc = include_str!("../README.md")]

mod arena;
mod assemble;
mod call;
mod cells;
mod column;
mod copy_and_patch;
mod disassembly;
mod encode;
mod filter;
mod given;
mod interpret;
mod jit;
mod page;
mod patch;
mod perf_map;
mod program;
mod provider;
mod rows;
mod stencil;
mod stencil_copy;
mod tile;
mod unit;

#[cfg(test)]
mod tests;

pub use arena::Memory;
pub use call::{Argument, Calls};
pub use cells::Cells;
pub use column::{Column, Input, look_ahead};
pub use copy_and_patch::CopyAndPatch;
pub use given::{Given, WordList};
pub use interpret::Interpreter;
pub use jit::{Jit, JitCounts, Refusal};
pub use page::PageColumns;
pub use program::{
    BinaryOp, Cell, Choice, Fold, Form, Label, Output, Passes, Program, Right, Site, Step, UnaryOp, set_of, table_of,
};
pub use provider::{Code, Provider, Suspect, Tier, TileCounts};
pub use rows::{Rows, Sink};
pub use unit::{Unit, UnitCode};
