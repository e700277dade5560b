#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bits;
pub mod counter;
pub mod expr;
mod imply;
pub mod json;
pub mod node;
pub mod routine;
mod same;
pub mod window;

pub use bits::Bits;
pub use expr::{CallForm, Expr, ExprKind, Means, SubKind, SubPlan};
pub use imply::implies;
pub use node::{
    AggregateCall, Bound, CheckAs, Column, ConflictUpdate, IndexKey, IndexRange, JoinKind, KEY_EXPRESSION, Label,
    LockWait, MergeAction, MergeArm, MergeMatch, Needed, Node, OnConflict, OutputColumn, Reference, RowLock, RowRules,
    SetKind, SortKey, TableRef, TableSource, TableUse,
};
/// What is asked of every node and expression there is: a list that is nearly always short.
pub type Few<T> = smallvec::SmallVec<[T; 4]>;

pub use routine::{DomainRules, OwnAggregate, Routine, ValueCheck};
pub use window::{Frame, FrameBound, FrameExclusion, FrameUnits, Window, WindowCall};
