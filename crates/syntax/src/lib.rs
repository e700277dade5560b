#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod ast;
pub mod keyword;
pub mod lexer;
mod parser;
mod split;
mod template;

pub use keyword::quote_ident;
pub use parser::{parse, parse_expr, parse_type_name, parse_with_notices};
pub use split::{Pending, Split, split};
pub use template::{LiteralKind, Template, starts_plan, starts_query, template};
