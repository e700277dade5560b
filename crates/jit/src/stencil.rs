//! `Stencil`: machine code with holes, from the build script; and the table by which steps find theirs.

use std::sync::OnceLock;

use crate::patch::{Patch, What, digest};
use crate::program::{BinaryOp, Choice, Fold, Form, UnaryOp};

/// One operation.
#[derive(Debug)]
pub struct Stencil {
    pub name: &'static str,
    pub code: &'static [u8],
    pub patches: &'static [Patch],
    /// Whether its last instruction does nothing but jump to the next step.
    pub falls: bool,
}

impl Stencil {
    /// Whether a row can be suspect to it.
    pub fn can_fail(&self) -> bool {
        self.patches.iter().any(|p| p.what == What::Fail)
    }
}

/// What the build script made of a family.
pub struct Built {
    /// In the order of their names; none where it knows no code.
    stencils: &'static [Stencil],
    digest: u64,
}

static ROW: Built = include!(concat!(env!("OUT_DIR"), "/row.rs"));
/// Tiles with lanes of 32 bits.
pub static NARROW: Built = include!(concat!(env!("OUT_DIR"), "/narrow.rs"));
/// Tiles with lanes of 64 bits.
pub static WIDE: Built = include!(concat!(env!("OUT_DIR"), "/wide.rs"));

impl Built {
    /// Whether there are none, as there is no code of that kind for this processor.
    pub fn is_empty(&self) -> bool {
        self.stencils.is_empty()
    }

    /// Whether they are still those that were built.
    pub fn is_whole(&self) -> bool {
        digest(self.stencils.iter().map(|s| (s.name, s.code, s.patches, s.falls))) == self.digest
    }

    /// The stencil of this name.
    pub fn find(&self, name: &str) -> Found {
        self.stencils.binary_search_by(|s| s.name.cmp(name)).ok().map(|i| &self.stencils[i])
    }
}

pub type Found = Option<&'static Stencil>;

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
            pub fold: Vec<&'static Stencil>,
            /// By form; with a NULL bitmap, and without.
            pub load: Vec<[&'static Stencil; 2]>,
            pub emit: Vec<&'static Stencil>,
            $(pub $name: &'static Stencil,)*
        }

        impl Table {
            /// Finds all; `None` where one is missing, as there is no code for this processor, or they are not those that were built.
            fn new(built: &Built) -> Option<Table> {
                if !built.is_whole() {
                    return None;
                }
                let find = |name: &str| built.find(name);
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
                    fold: each(&Fold::NAMES, "")?,
                    load: forms.map(|[nulls, full]| Some([nulls?, full?])).collect::<Option<_>>()?,
                    emit: Form::NAMES.iter().map(|form| find(&format!("emit_{form}"))).collect::<Option<_>>()?,
                    $($name: find(stringify!($name))?,)*
                })
            }

            /// The table of this process.
            pub fn get() -> Option<&'static Table> {
                static TABLE: OnceLock<Option<Table>> = OnceLock::new();
                TABLE.get_or_init(|| Table::new(&ROW)).as_ref()
            }
        }
    };
}

table! {
    constant absent null_of restore save
    and_slot or_slot not is_null is_true is_false
    in_list in_rising_list in_set pick among call
    jump jump_unless_true jump_if_false jump_if_true jump_unless_null
    emit_kept emit_nothing done suspect
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stencils_that_are_not_those_that_were_built_are_refused() {
        if ROW.is_empty() {
            return;
        }
        assert!(Table::new(&ROW).is_some());
        let changed = |change: fn(&mut Stencil)| {
            let mut stencils: Vec<Stencil> = ROW.stencils.iter().map(|s| Stencil { ..*s }).collect();
            change(&mut stencils[7]);
            Table::new(&Built { stencils: stencils.leak(), ..ROW })
        };
        assert!(changed(|_| ()).is_some());
        assert!(changed(|s| s.falls ^= true).is_none());
        assert!(changed(|s| s.patches = &s.patches[1..]).is_none());
        assert!(changed(|s| s.patches = vec![Patch { at: 1, what: What::Next }].leak()).is_none());
        assert!(
            changed(|s| {
                let mut code = s.code.to_vec();
                code[1] ^= 16;
                s.code = code.leak();
            })
            .is_none()
        );
        assert!(Table::new(&Built { digest: ROW.digest ^ 1, ..ROW }).is_none());
        assert!(Table::new(&Built { stencils: &ROW.stencils[1..], ..ROW }).is_none());
    }
}
