//! Windows: how rows are partitioned, ordered and framed, and what is computed over them.

use types::Oid;

use crate::Few;
use crate::expr::Expr;
use crate::node::SortKey;

/// What a frame counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameUnits {
    /// Rows.
    Rows,
    /// Values of the only sort key.
    Range,
    /// Groups of rows that are equal in the order.
    Groups,
}

/// An end of a frame. Offsets are known before the rows are.
#[derive(Clone, Debug, PartialEq)]
pub enum FrameBound {
    /// The partition's end on that side.
    Unbounded,
    /// So far before the current row.
    Preceding(Expr),
    /// The current row, or those equal to it.
    CurrentRow,
    /// So far behind the current row.
    Following(Expr),
}

impl FrameBound {
    /// Its offset.
    pub fn offset(&self) -> Option<&Expr> {
        match self {
            FrameBound::Preceding(e) | FrameBound::Following(e) => Some(e),
            FrameBound::Unbounded | FrameBound::CurrentRow => None,
        }
    }

    fn offset_mut(&mut self) -> Option<&mut Expr> {
        match self {
            FrameBound::Preceding(e) | FrameBound::Following(e) => Some(e),
            FrameBound::Unbounded | FrameBound::CurrentRow => None,
        }
    }
}

/// What a frame leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameExclusion {
    /// Nothing.
    Nothing,
    /// The current row.
    CurrentRow,
    /// It and the rows equal to it.
    Group,
    /// The rows equal to it.
    Ties,
}

/// Which rows of its partition a row sees.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Units.
    pub units: FrameUnits,
    /// First.
    pub start: FrameBound,
    /// Last.
    pub end: FrameBound,
    /// Left out.
    pub exclusion: FrameExclusion,
}

impl Default for Frame {
    /// `RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW`.
    fn default() -> Frame {
        let (start, end) = (FrameBound::Unbounded, FrameBound::CurrentRow);
        Frame { units: FrameUnits::Range, start, end, exclusion: FrameExclusion::Nothing }
    }
}

/// A window.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Rows that agree in these are a partition.
    pub partition: Vec<Expr>,
    /// The order within one.
    pub order: Vec<SortKey>,
    /// The frame.
    pub frame: Frame,
}

impl Window {
    /// Its expressions.
    pub fn exprs(&self) -> Few<&Expr> {
        let offsets = self.frame.start.offset().into_iter().chain(self.frame.end.offset());
        self.partition.iter().chain(self.order.iter().map(|k| &k.expr)).chain(offsets).collect()
    }

    /// As [`Window::exprs`].
    pub fn exprs_mut(&mut self) -> Few<&mut Expr> {
        let offsets = self.frame.start.offset_mut().into_iter().chain(self.frame.end.offset_mut());
        self.partition.iter_mut().chain(self.order.iter_mut().map(|k| &mut k.expr)).chain(offsets).collect()
    }
}

/// A window function, or an aggregate over a window.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowCall {
    /// Its `pg_proc` OID.
    pub function: Oid,
    /// Whether it is an aggregate.
    pub aggregate: bool,
    /// Its arguments, over the input row.
    pub args: Vec<Expr>,
    /// Rows that count, for an aggregate.
    pub filter: Option<Expr>,
    /// The result's type.
    pub ty: Oid,
}
