//! SQL order of values, as the default B-tree operator classes have it. Text is in byte order.

use std::cmp::Ordering;

use crate::array::{ArrayView, compare_arrays};
use crate::datetime::{self, Interval};
use crate::io::{BuiltinTypes, TypeKind, TypeLookup, bits, is_textual, net};
use crate::jsonb::View;
use crate::numeric::Numeric;
use crate::oid::{self, Oid};
use crate::record::compare_records;
use crate::{Datum, Physical};

/// One of the six tests that an order gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after their signs")]
pub enum Sign {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Sign {
    /// Whether two values that compare as `ordering` pass.
    #[inline]
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Sign::Equal => ordering.is_eq(),
            Sign::NotEqual => ordering.is_ne(),
            Sign::Less => ordering.is_lt(),
            Sign::LessEqual => ordering.is_le(),
            Sign::Greater => ordering.is_gt(),
            Sign::GreaterEqual => ordering.is_ge(),
        }
    }

    /// The same test with its sides exchanged.
    pub fn turned(self) -> Sign {
        match self {
            Sign::Less => Sign::Greater,
            Sign::LessEqual => Sign::GreaterEqual,
            Sign::Greater => Sign::Less,
            Sign::GreaterEqual => Sign::LessEqual,
            same => same,
        }
    }
}

/// Compares floats: NaN is equal to itself and above all else, -0 equals 0.
pub fn compare_f64(a: f64, b: f64) -> Ordering {
    match a.partial_cmp(&b) {
        Some(o) => o,
        None => a.is_nan().cmp(&b.is_nan()),
    }
}

/// The bytes of a `bpchar` without its trailing blanks.
pub fn trim_blanks(b: &[u8]) -> &[u8] {
    let len = b.iter().rposition(|c| *c != b' ').map_or(0, |p| p + 1);
    &b[..len]
}

/// What `timetz` is ordered by: the instant, then the zone.
pub(crate) fn timetz_order(b: &[u8; 16]) -> (i64, i32) {
    let (micros, west) = datetime::timetz_parts(b);
    (micros + i64::from(west) * datetime::MICROS_PER_SEC, west)
}

/// Compares two values of a type. NULLs compare equal, and above all else.
pub fn compare(type_oid: Oid, a: &Datum, b: &Datum) -> Ordering {
    compare_with(type_oid, a, b, &BuiltinTypes)
}

/// Compares two values of a type, with the catalog's knowledge.
pub fn compare_with(type_oid: Oid, a: &Datum, b: &Datum, types: &dyn TypeLookup) -> Ordering {
    let type_oid = base_type(type_oid, types);
    match (a, b) {
        (Datum::Null, Datum::Null) => Ordering::Equal,
        (Datum::Null, _) => Ordering::Greater,
        (_, Datum::Null) => Ordering::Less,
        (Datum::Bool(a), Datum::Bool(b)) => a.cmp(b),
        // "char" is ordered as an unsigned byte.
        (Datum::I8(a), Datum::I8(b)) => (*a as u8).cmp(&(*b as u8)),
        (Datum::I16(a), Datum::I16(b)) => a.cmp(b),
        (Datum::I32(a), Datum::I32(b)) => a.cmp(b),
        (Datum::U32(a), Datum::U32(b)) if type_oid.is_user_type() || Physical::of(type_oid) != Physical::U32 => {
            match types.kind(type_oid) {
                TypeKind::Enum => types.enum_order(Oid(*a)).total_cmp(&types.enum_order(Oid(*b))),
                _ => a.cmp(b),
            }
        }
        (Datum::U32(a), Datum::U32(b)) => a.cmp(b),
        (Datum::I64(a), Datum::I64(b)) if is_unsigned(type_oid) => (*a as u64).cmp(&(*b as u64)),
        (Datum::I64(a), Datum::I64(b)) => a.cmp(b),
        (Datum::F32(a), Datum::F32(b)) => compare_f64((*a).into(), (*b).into()),
        (Datum::F64(a), Datum::F64(b)) => compare_f64(*a, *b),
        (Datum::B16(a), Datum::B16(b)) => match type_oid {
            oid::INTERVAL => Interval::from_bytes(a).cmp_sql(Interval::from_bytes(b)),
            oid::TIMETZ => timetz_order(a).cmp(&timetz_order(b)),
            _ => a.cmp(b),
        },
        (Datum::Var(a), Datum::Var(b)) => match type_oid {
            oid::NUMERIC => Numeric::from_bytes(a).cmp_sql(&Numeric::from_bytes(b)),
            oid::BPCHAR => trim_blanks(a).cmp(trim_blanks(b)),
            oid::BIT | oid::VARBIT => {
                let ((ca, ba), (cb, bb)) = (bits::parts(a), bits::parts(b));
                ba.cmp(bb).then(ca.cmp(&cb))
            }
            oid::JSONB => View::new(a).cmp_sql(&View::new(b)),
            oid::INET | oid::CIDR => net::compare(a, b),
            oid::OIDVECTOR => {
                ArrayView::new(a).len().cmp(&ArrayView::new(b).len()).then_with(|| compare_arrays(a, b, types))
            }
            t if is_bytewise(t) => a.cmp(b),
            oid::INT2VECTOR => compare_arrays(a, b, types),
            oid::RECORD => compare_records(a, b, types),
            t => match types.kind(t) {
                TypeKind::Array { .. } => compare_arrays(a, b, types),
                TypeKind::Composite { .. } => compare_records(a, b, types),
                _ => a.cmp(b),
            },
        },
        _ => Ordering::Equal,
    }
}

/// The type under all domains.
pub(crate) fn base_type(type_oid: Oid, types: &dyn TypeLookup) -> Oid {
    let mut t = type_oid;
    // Built-in types are no domains; a chain of domains is short.
    for _ in 0..64 {
        if t < Oid::FIRST_NORMAL {
            break;
        }
        match types.kind(t) {
            TypeKind::Domain { base, .. } => t = base,
            _ => break,
        }
    }
    t
}

/// Whether stored bytes order as the values do.
pub(crate) fn is_bytewise(type_oid: Oid) -> bool {
    is_textual(type_oid) || matches!(type_oid, oid::BYTEA | oid::MACADDR)
}

/// Whether an `I64` of this type is an unsigned number.
pub(crate) fn is_unsigned(type_oid: Oid) -> bool {
    matches!(type_oid, oid::PG_LSN | oid::XID8 | oid::TID)
}

#[cfg(test)]
mod tests;
