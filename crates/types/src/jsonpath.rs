//! `jsonpath`: the language of paths into JSON, as a tree.
//!
//! A value is stored as its canonical text, which [`Path::parse`] reads back.

mod lexer;
mod parse;
mod write;

use crate::{Numeric, Result};

/// A path.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Lax, and not strict.
    pub lax: bool,
    /// Its steps.
    pub steps: Steps,
    /// How many regular expressions are in it.
    pub patterns: usize,
}

/// Steps, each applied to what the one before it yields.
pub type Steps = Vec<Step>;

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named after its sign")]
pub enum Binary {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    StartsWith,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// A method of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named as it is written")]
pub enum Method {
    Abs,
    Floor,
    Ceiling,
    Double,
    Type,
    Size,
    KeyValue,
    Bigint,
    Boolean,
    Date,
    Integer,
    Number,
    String,
    Decimal,
    Datetime,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
}

/// How a `like_regex` compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RegexFlags {
    /// `i`: letters of either case are the same.
    pub ignore_case: bool,
    /// `s`: a dot is any character, line breaks too.
    pub dot_all: bool,
    /// `m`: `^` and `$` are ends of lines.
    pub lines: bool,
    /// `x`: blanks do not count; only with `q`, where nothing is special.
    pub expanded: bool,
    /// `q`: nothing in the pattern is special.
    pub quoted: bool,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Number(Numeric),
    /// A string.
    String(String),
    /// `$name`.
    Variable(String),
    /// `$`.
    Root,
    /// `@`.
    Current,
    /// `last`.
    Last,
    /// Two operands.
    Binary(Binary, Box<[Steps; 2]>),
    /// `+x` or, if true, `-x`.
    Sign(bool, Steps),
    /// `!(p)`.
    Not(Steps),
    /// `(p) is unknown`.
    IsUnknown(Steps),
    /// `exists (x)`.
    Exists(Steps),
    /// `x like_regex "pattern"`.
    LikeRegex {
        /// What.
        operand: Steps,
        /// The pattern.
        pattern: String,
        /// Its flags.
        flags: RegexFlags,
        /// Which of the path's patterns it is.
        number: usize,
    },
    /// `.key`.
    Key(String),
    /// `.*`.
    AnyKey,
    /// `[*]`.
    AnyElement,
    /// `[a, b to c]`.
    Index(Vec<(Steps, Option<Steps>)>),
    /// `.**{first to last}`; `u32::MAX` is the deepest level.
    Any(u32, u32),
    /// `?(p)`.
    Filter(Steps),
    /// `.method(arguments)`.
    Method(Method, Vec<Step>),
}

impl Binary {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Binary::Or => "||",
            Binary::And => "&&",
            Binary::Equal => "==",
            Binary::NotEqual => "!=",
            Binary::Less => "<",
            Binary::Greater => ">",
            Binary::LessOrEqual => "<=",
            Binary::GreaterOrEqual => ">=",
            Binary::StartsWith => "starts with",
            Binary::Add => "+",
            Binary::Subtract => "-",
            Binary::Multiply => "*",
            Binary::Divide => "/",
            Binary::Remainder => "%",
        }
    }

    /// Whether it yields truth.
    pub fn is_predicate(self) -> bool {
        use Binary::*;
        !matches!(self, Add | Subtract | Multiply | Divide | Remainder)
    }
}

/// Methods and how they are written.
const METHODS: [(Method, &str); 19] = [
    (Method::Abs, "abs"),
    (Method::Floor, "floor"),
    (Method::Ceiling, "ceiling"),
    (Method::Double, "double"),
    (Method::Type, "type"),
    (Method::Size, "size"),
    (Method::KeyValue, "keyvalue"),
    (Method::Bigint, "bigint"),
    (Method::Boolean, "boolean"),
    (Method::Date, "date"),
    (Method::Integer, "integer"),
    (Method::Number, "number"),
    (Method::String, "string"),
    (Method::Decimal, "decimal"),
    (Method::Datetime, "datetime"),
    (Method::Time, "time"),
    (Method::TimeTz, "time_tz"),
    (Method::Timestamp, "timestamp"),
    (Method::TimestampTz, "timestamp_tz"),
];

impl Method {
    /// Its name.
    pub fn name(self) -> &'static str {
        METHODS.iter().find(|m| m.0 == self).map_or("", |m| m.1)
    }

    fn named(name: &str) -> Option<Method> {
        METHODS.iter().find(|m| m.1.eq_ignore_ascii_case(name)).map(|m| m.0)
    }
}

impl Step {
    /// Whether it yields truth.
    pub fn is_predicate(&self) -> bool {
        match self {
            Step::Binary(operator, _) => operator.is_predicate(),
            Step::Not(_) | Step::IsUnknown(_) | Step::Exists(_) | Step::LikeRegex { .. } => true,
            _ => false,
        }
    }

    /// The paths in it.
    pub fn children(&self) -> Vec<&Steps> {
        match self {
            Step::Binary(_, both) => both.iter().collect(),
            Step::Sign(_, a) | Step::Not(a) | Step::IsUnknown(a) | Step::Exists(a) | Step::Filter(a) => vec![a],
            Step::LikeRegex { operand, .. } => vec![operand],
            Step::Index(list) => list.iter().flat_map(|(from, to)| std::iter::once(from).chain(to)).collect(),
            _ => Vec::new(),
        }
    }
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// `42601`, `22P02` and `0A000`, as PostgreSQL's.
    pub fn parse(text: &str) -> Result<Path> {
        parse::path(text)
    }

    /// Its canonical text.
    pub fn format(&self, out: &mut Vec<u8>) {
        write::path(self, out);
    }

    /// Whether what it yields is one truth value: then it is no filter of items.
    pub fn is_predicate(&self) -> bool {
        matches!(&self.steps[..], [only] if only.is_predicate())
    }
}

#[cfg(test)]
mod tests;
