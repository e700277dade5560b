#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod builtin;
pub mod image;
pub mod stored;

pub use image::{ColumnInfo, Image, IndexInfo, TableInfo};
