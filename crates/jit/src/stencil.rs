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

impl Stencil {
    /// Whether a row can be suspect to it.
    pub fn can_fail(&self) -> bool {
        self.patches.iter().any(|p| p.what == What::Fail)
    }
}

/// All of them, in the order of their names; none where the build script knows no code.
pub static STENCILS: &[Stencil] = include!(concat!(env!("OUT_DIR"), "/stencils.rs"));

/// The stencil of this name.
fn find(name: &str) -> Found {
    STENCILS.binary_search_by(|s| s.name.cmp(name)).ok().map(|i| &STENCILS[i])
}

type Found = Option<&'static Stencil>;

macro_rules! table {
    ($($name:ident)*) => {
        /// The stencils of steps; those of operations by their place in the operation list.
        pub struct Table {
            pub slot: Vec<&'static Stencil>,
            pub binary_constant: Vec<&'static Stencil>,
            /// By operation and form; with a NULL bitmap, and without. Not every operation has every form.
            pub column: Vec<[[Found; 2]; Form::COUNT]>,
            pub unary: Vec<&'static Stencil>,
            pub choice: Vec<&'static Stencil>,
            /// By form; with a NULL bitmap, and without.
            pub load: Vec<[&'static Stencil; 2]>,
            pub emit: Vec<&'static Stencil>,
            $(pub $name: &'static Stencil,)*
        }

        impl Table {
            /// Finds all; `None` where one is missing: there is no code for this processor.
            pub fn new() -> Option<Table> {
                let each = |ops: &[&str], end: &str| -> Option<Vec<_>> {
                    ops.iter().map(|op| find(&format!("{op}{end}"))).collect()
                };
                let loads = |op: &str| {
                    Form::NAMES.map(|form| [find(&format!("{op}load_{form}")), find(&format!("{op}full_{form}"))])
                };
                let forms = loads("").into_iter();
                Some(Table {
                    slot: each(&BinaryOp::NAMES, "_slot")?,
                    binary_constant: each(&BinaryOp::NAMES, "_constant")?,
                    column: BinaryOp::NAMES.iter().map(|op| loads(&format!("{op}_"))).collect(),
                    unary: each(&UnaryOp::NAMES, "")?,
                    choice: each(&Choice::NAMES, "_slot")?,
                    load: forms.map(|[nulls, full]| Some([nulls?, full?])).collect::<Option<_>>()?,
                    emit: Form::NAMES.iter().map(|form| find(&format!("emit_{form}"))).collect::<Option<_>>()?,
                    $($name: find(stringify!($name))?,)*
                })
            }
        }
    };
}

table! {
    constant absent null_of restore save
    and_slot or_slot not is_null is_true is_false
    in_list in_rising_list in_set
    jump jump_unless_true jump_if_false jump_if_true jump_unless_null
    emit_kept done suspect
}
