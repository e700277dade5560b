#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod expr;
pub mod node;

pub use expr::{Expr, ExprKind};
pub use node::{AggregateCall, IndexKey, JoinKind, Node, OutputColumn, SortKey, TableRef};
