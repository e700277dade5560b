//! `Datum`: one SQL value in its physical form.

use std::sync::Arc;

use crate::oid::{self, Oid};

/// How values of an SQL type lie in memory and in table pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Physical {
    /// One byte, 0 or 1.
    Bool = 0,
    /// One signed byte (`"char"`).
    I8 = 1,
    /// Two bytes.
    I16 = 2,
    /// Four bytes (`int4`, `date`).
    I32 = 3,
    /// Four bytes, unsigned (`oid`, `xid`, the `reg*` types).
    U32 = 4,
    /// Eight bytes (`int8`, `time`, `timestamp`, `timestamptz`, `money`).
    I64 = 5,
    /// IEEE single.
    F32 = 6,
    /// IEEE double.
    F64 = 7,
    /// Sixteen bytes (`uuid`: its bytes; `interval`: see [`Datum::interval`]; `timetz`: micros i64, zone seconds west i32).
    B16 = 8,
    /// Any number of bytes.
    Var = 9,
}

impl Physical {
    /// Bytes a value takes in a page's mini-page; a `Var` takes a 16-byte view.
    pub const fn width(self) -> usize {
        match self {
            Physical::Bool | Physical::I8 => 1,
            Physical::I16 => 2,
            Physical::I32 | Physical::U32 | Physical::F32 => 4,
            Physical::I64 | Physical::F64 => 8,
            Physical::B16 | Physical::Var => 16,
        }
    }

    /// The form of discriminant `tag`, as written on disk.
    pub const fn from_tag(tag: u8) -> Option<Physical> {
        Some(match tag {
            0 => Physical::Bool,
            1 => Physical::I8,
            2 => Physical::I16,
            3 => Physical::I32,
            4 => Physical::U32,
            5 => Physical::I64,
            6 => Physical::F32,
            7 => Physical::F64,
            8 => Physical::B16,
            9 => Physical::Var,
            _ => return None,
        })
    }

    /// The physical form of type `type_oid`: that of a user's is in its OID, whatever is not listed is `Var`.
    pub const fn of(type_oid: Oid) -> Physical {
        match type_oid {
            oid::BOOL => Physical::Bool,
            oid::CHAR => Physical::I8,
            oid::INT2 => Physical::I16,
            oid::INT4 | oid::DATE => Physical::I32,
            oid::OID
            | oid::XID
            | oid::CID
            | oid::REGPROC
            | oid::REGPROCEDURE
            | oid::REGOPER
            | oid::REGOPERATOR
            | oid::REGCLASS
            | oid::REGTYPE
            | oid::REGCONFIG
            | oid::REGDICTIONARY
            | oid::REGNAMESPACE
            | oid::REGROLE
            | oid::REGCOLLATION => Physical::U32,
            oid::INT8
            | oid::TIME
            | oid::TIMESTAMP
            | oid::TIMESTAMPTZ
            | oid::MONEY
            | oid::PG_LSN
            | oid::XID8
            | oid::TID => Physical::I64,
            oid::FLOAT4 => Physical::F32,
            oid::FLOAT8 => Physical::F64,
            oid::UUID | oid::INTERVAL | oid::TIMETZ => Physical::B16,
            t if t.user_kind().is_some() => match Physical::from_tag((t.0 & 15) as u8) {
                Some(form) => form,
                None => Physical::Var,
            },
            _ => Physical::Var,
        }
    }
}

/// One SQL value. The variant is the physical form of its type; equality here is of representation, not SQL equality.
#[derive(Clone, Debug, Default)]
pub enum Datum {
    /// SQL NULL.
    #[default]
    Null,
    /// `bool`.
    Bool(bool),
    /// `"char"`.
    I8(i8),
    /// `int2`.
    I16(i16),
    /// `int4`, `date` (days since 2000-01-01).
    I32(i32),
    /// `oid` and its kin.
    U32(u32),
    /// `int8`, `time`, `timestamp`, `timestamptz` (microseconds; timestamps since 2000-01-01), `tid` (block << 16 | slot).
    I64(i64),
    /// `float4`.
    F32(f32),
    /// `float8`.
    F64(f64),
    /// `uuid`, `interval`, `timetz`.
    B16([u8; 16]),
    /// Everything of variable length.
    Var(Arc<[u8]>),
}

impl Datum {
    /// The form it is in; NULL is in any.
    pub fn physical(&self) -> Option<Physical> {
        Some(match self {
            Datum::Null => return None,
            Datum::Bool(_) => Physical::Bool,
            Datum::I8(_) => Physical::I8,
            Datum::I16(_) => Physical::I16,
            Datum::I32(_) => Physical::I32,
            Datum::U32(_) => Physical::U32,
            Datum::I64(_) => Physical::I64,
            Datum::F32(_) => Physical::F32,
            Datum::F64(_) => Physical::F64,
            Datum::B16(_) => Physical::B16,
            Datum::Var(_) => Physical::Var,
        })
    }

    /// A textual value.
    pub fn text(s: &str) -> Datum {
        Datum::Var(Arc::from(s.as_bytes()))
    }

    /// A value of raw bytes.
    pub fn bytes(b: &[u8]) -> Datum {
        Datum::Var(Arc::from(b))
    }

    /// An `interval`: microseconds, days, months, little-endian in this order.
    pub fn interval(micros: i64, days: i32, months: i32) -> Datum {
        let mut b = [0; 16];
        b[..8].copy_from_slice(&micros.to_le_bytes());
        b[8..12].copy_from_slice(&days.to_le_bytes());
        b[12..].copy_from_slice(&months.to_le_bytes());
        Datum::B16(b)
    }

    /// Whether this is SQL NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Datum::Null)
    }

    /// The bytes of a `Var`.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Datum::Var(b) => Some(b),
            _ => None,
        }
    }

    /// The text of a `Var` (T3).
    pub fn as_str(&self) -> Option<&str> {
        self.as_bytes().and_then(|b| std::str::from_utf8(b).ok())
    }
}

macro_rules! from {
    ($($rust:ty => $variant:ident),*) => {$(
        impl From<$rust> for Datum {
            fn from(v: $rust) -> Datum { Datum::$variant(v) }
        }
    )*};
}
from!(bool => Bool, i8 => I8, i16 => I16, i32 => I32, u32 => U32, i64 => I64, f32 => F32, f64 => F64, [u8; 16] => B16);

impl From<Oid> for Datum {
    fn from(v: Oid) -> Datum {
        Datum::U32(v.0)
    }
}
impl From<&str> for Datum {
    fn from(v: &str) -> Datum {
        Datum::text(v)
    }
}
impl From<String> for Datum {
    fn from(v: String) -> Datum {
        Datum::Var(Arc::from(v.into_bytes()))
    }
}
impl From<&[u8]> for Datum {
    fn from(v: &[u8]) -> Datum {
        Datum::bytes(v)
    }
}
impl From<Vec<u8>> for Datum {
    fn from(v: Vec<u8>) -> Datum {
        Datum::Var(Arc::from(v))
    }
}
impl<T: Into<Datum>> From<Option<T>> for Datum {
    fn from(v: Option<T>) -> Datum {
        v.map_or(Datum::Null, Into::into)
    }
}

/// Representation equality, for constants and tests: floats by bits, NULL equal to NULL.
impl PartialEq for Datum {
    fn eq(&self, other: &Datum) -> bool {
        match (self, other) {
            (Datum::Null, Datum::Null) => true,
            (Datum::Bool(a), Datum::Bool(b)) => a == b,
            (Datum::I8(a), Datum::I8(b)) => a == b,
            (Datum::I16(a), Datum::I16(b)) => a == b,
            (Datum::I32(a), Datum::I32(b)) => a == b,
            (Datum::U32(a), Datum::U32(b)) => a == b,
            (Datum::I64(a), Datum::I64(b)) => a == b,
            (Datum::F32(a), Datum::F32(b)) => a.to_bits() == b.to_bits(),
            (Datum::F64(a), Datum::F64(b)) => a.to_bits() == b.to_bits(),
            (Datum::B16(a), Datum::B16(b)) => a == b,
            (Datum::Var(a), Datum::Var(b)) => a == b,
            _ => false,
        }
    }
}
impl Eq for Datum {}
