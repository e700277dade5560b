//! `Stencil`: machine code with holes, from the build script; and the table by which steps find theirs.

use crate::program::{BinaryOp, Choice, Form, UnaryOp};

/// What a place in a stencil's code is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// 64 bits of a hole.
    Word(u8),
    /// A hole's offset into the frame.
    Offset(u8),
    /// The distance to the next step.
    Next,
    /// The distance to where the step jumps.
    Jump,
    /// The distance to where suspect rows go.
    Fail,
}

/// A place to fill.
#[derive(Clone, Copy, Debug)]
pub struct Patch {
    pub at: usize,
    pub what: What,
}

/// One operation.
#[derive(Debug)]
pub struct Stencil {
    pub name: &'static str,
    pub code: &'static [u8],
    pub patches: &'static [Patch],
    /// Whether its last five bytes do nothing but jump to the next step.
    pub falls: bool,
}

/// All of them, in the order of their names; none where the build script knows no code.
pub static STENCILS: &[Stencil] = include!(concat!(env!("OUT_DIR"), "/stencils.rs"));

/// The stencil of this name.
pub fn find(name: &str) -> Option<&'static Stencil> {
    STENCILS.binary_search_by(|s| s.name.cmp(name)).ok().map(|i| &STENCILS[i])
}

type Found = Option<&'static Stencil>;

/// The stencils of operations, by their place in the operation list.
pub struct Table {
    pub slot: Vec<Found>,
    pub constant: Vec<Found>,
    /// By operation and form; with a NULL bitmap, and without.
    pub column: Vec<[[Found; 2]; Form::COUNT]>,
    pub unary: Vec<Found>,
    pub choice: Vec<Found>,
    pub load: [[Found; 2]; Form::COUNT],
    pub emit: [Found; Form::COUNT],
}

impl Table {
    /// Finds all.
    pub fn new() -> Table {
        let each = |ops: &[&str], end: &str| ops.iter().map(|op| find(&format!("{op}{end}"))).collect();
        let loads =
            |op: &str| Form::NAMES.map(|form| [find(&format!("{op}load_{form}")), find(&format!("{op}full_{form}"))]);
        Table {
            slot: each(&BinaryOp::NAMES, "_slot"),
            constant: each(&BinaryOp::NAMES, "_constant"),
            column: BinaryOp::NAMES.iter().map(|op| loads(&format!("{op}_"))).collect(),
            unary: each(&UnaryOp::NAMES, ""),
            choice: each(&Choice::NAMES, "_slot"),
            load: loads(""),
            emit: Form::NAMES.map(|form| find(&format!("emit_{form}"))),
        }
    }
}
