#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod builtin;
pub mod function;
pub mod image;
pub mod rows;
pub mod statistics;
pub mod stored;

pub use function::{AggregateInfo, CastInfo, FunctionInfo, OperatorInfo};
pub use image::{
    CheckInfo, ColumnInfo, EXPRESSION_SEPARATOR, ForeignKey, Image, IndexInfo, KEY_EXPRESSION, KeyConstraint,
    NamespaceInfo, TEMPORARY_PREFIX, TableInfo, TypeInfo, relation_options,
};
pub use statistics::{ColumnStatistics, TableSize};
pub use stored::{Change, Fields};
