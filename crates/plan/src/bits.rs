//! [`Bits`]: sets of row ids, made of ranges of indexes.

use crate::Few;
use crate::expr::Expr;
use crate::node::IndexRange;

/// A set of row ids.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all are ranges")]
pub enum Bits {
    /// The rows that a range of an index lists.
    Range(IndexRange),
    /// Those that are in all of these.
    And(Vec<Bits>),
    /// Those that are in one of these.
    Or(Vec<Bits>),
}

impl Bits {
    /// The ranges it is made of.
    pub fn ranges(&self) -> Few<&IndexRange> {
        match self {
            Bits::Range(range) => smallvec::smallvec![range],
            Bits::And(list) | Bits::Or(list) => list.iter().flat_map(Bits::ranges).collect(),
        }
    }

    /// The expressions in them.
    pub fn exprs(&self) -> Few<&Expr> {
        match self {
            Bits::Range(range) => range.exprs().collect(),
            Bits::And(list) | Bits::Or(list) => list.iter().flat_map(Bits::exprs).collect(),
        }
    }

    /// The expressions in them.
    pub fn exprs_mut(&mut self) -> Few<&mut Expr> {
        match self {
            Bits::Range(range) => range.exprs_mut().collect(),
            Bits::And(list) | Bits::Or(list) => list.iter_mut().flat_map(Bits::exprs_mut).collect(),
        }
    }
}
