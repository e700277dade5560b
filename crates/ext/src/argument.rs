//! `Argument`: Rust types that SQL values become when they are passed.

use types::array::{Array, ArrayView};
use types::datetime::Interval;
use types::jsonb::View;
use types::record::RecordView;
use types::{Datum, Numeric, Oid, Physical, Result, SqlError, oid};
use vector::{Data, VarData, Vector};

use crate::newtype::{Bits, Date, Lsn, Money, Time, TimeTz, Timestamp, Timestamptz, Uuid};

/// The caller passed values of another form or number than it bound: a bug.
#[cold]
pub fn wrong_arguments(function: &str) -> SqlError {
    SqlError::internal(format!("function {function} was called with arguments of another form"))
}

/// A Rust type that a function may take.
pub trait Argument<'a>: Sized {
    /// The SQL type an extension's argument of this type has; none for polymorphic ones.
    const OID: Oid;
    /// A column of such values.
    type Column: Copy;
    /// From one value, not NULL.
    ///
    /// # Errors
    /// `XX000` when it is of another form.
    fn from_datum(datum: &'a Datum) -> Result<Self>;
    /// A vector as a column.
    ///
    /// # Errors
    /// `XX000` when it is of another form.
    fn column(vector: &'a Vector) -> Result<Self::Column>;
    /// Slot `i`, not NULL.
    ///
    /// # Errors
    /// `XX000` when the bytes are damaged.
    fn get(column: Self::Column, i: usize) -> Result<Self>;
    /// Whether values of this SQL type may be passed.
    fn accepts(type_oid: Oid) -> bool;
}

/// Fixed-width values that kernels read from slices.
pub trait Lane: Copy + 'static {
    /// As the vector holds them.
    type Raw: Copy + Default + 'static;
    /// From there.
    fn from_raw(raw: Self::Raw) -> Self;
    /// Back.
    fn to_raw(self) -> Self::Raw;
    /// The values of a vector.
    ///
    /// # Errors
    /// `XX000` when it is of another form.
    fn slice(vector: &Vector) -> Result<&[Self::Raw]>;
    /// Values as a vector's data.
    fn data(values: Vec<Self::Raw>) -> Data;
}

macro_rules! lane {
    ($($rust:ty, $raw:ty, $form:ident, $oid:expr, |$v:ident| $wrap:expr, |$w:ident| $unwrap:expr, $accepts:expr;)*) => {$(
        impl Lane for $rust {
            type Raw = $raw;
            #[inline(always)]
            fn from_raw($v: $raw) -> Self { $wrap }
            #[inline(always)]
            fn to_raw(self) -> $raw { let $w = self; $unwrap }
            fn slice(vector: &Vector) -> Result<&[$raw]> {
                match &vector.data {
                    Data::$form(v) => Ok(v),
                    _ => Err(wrong_arguments(stringify!($rust))),
                }
            }
            fn data(values: Vec<$raw>) -> Data { Data::$form(values) }
        }
        impl<'a> Argument<'a> for $rust {
            const OID: Oid = $oid;
            type Column = &'a [$raw];
            #[inline]
            fn from_datum(datum: &'a Datum) -> Result<Self> {
                match datum {
                    Datum::$form(raw) => Ok(<$rust as Lane>::from_raw(*raw)),
                    _ => Err(wrong_arguments(stringify!($rust))),
                }
            }
            fn column(vector: &'a Vector) -> Result<&'a [$raw]> { <$rust as Lane>::slice(vector) }
            #[inline(always)]
            fn get(column: &'a [$raw], i: usize) -> Result<Self> { Ok(<$rust as Lane>::from_raw(column[i])) }
            fn accepts(type_oid: Oid) -> bool {
                let accepts: fn(Oid) -> bool = $accepts;
                accepts(type_oid)
            }
        }
    )*};
}

lane! {
    bool, bool, Bool, oid::BOOL, |v| v, |w| w, |t| t == oid::BOOL;
    i8, i8, I8, oid::CHAR, |v| v, |w| w, |t| t == oid::CHAR;
    i16, i16, I16, oid::INT2, |v| v, |w| w, |t| t == oid::INT2;
    i32, i32, I32, oid::INT4, |v| v, |w| w, |t| t == oid::INT4;
    u32, u32, U32, oid::XID, |v| v, |w| w, |t| Physical::of(t) == Physical::U32;
    i64, i64, I64, oid::INT8, |v| v, |w| w, |t| matches!(t, oid::INT8 | oid::XID8 | oid::TID);
    f32, f32, F32, oid::FLOAT4, |v| v, |w| w, |t| t == oid::FLOAT4;
    f64, f64, F64, oid::FLOAT8, |v| v, |w| w, |t| t == oid::FLOAT8;
    Oid, u32, U32, oid::OID, |v| Oid(v), |w| w.0, |t| Physical::of(t) == Physical::U32;
    Date, i32, I32, oid::DATE, |v| Date(v), |w| w.0, |t| t == oid::DATE;
    Time, i64, I64, oid::TIME, |v| Time(v), |w| w.0, |t| t == oid::TIME;
    Timestamp, i64, I64, oid::TIMESTAMP, |v| Timestamp(v), |w| w.0, |t| t == oid::TIMESTAMP;
    Timestamptz, i64, I64, oid::TIMESTAMPTZ, |v| Timestamptz(v), |w| w.0, |t| t == oid::TIMESTAMPTZ;
    Money, i64, I64, oid::MONEY, |v| Money(v), |w| w.0, |t| t == oid::MONEY;
    Lsn, i64, I64, oid::PG_LSN, |v| Lsn(v), |w| w.0, |t| t == oid::PG_LSN;
}

macro_rules! sixteen {
    ($($rust:ty, $oid:expr, |$b:ident| $make:expr;)*) => {$(
        impl<'a> Argument<'a> for $rust {
            const OID: Oid = $oid;
            type Column = &'a [[u8; 16]];
            fn from_datum(datum: &'a Datum) -> Result<Self> {
                match datum {
                    Datum::B16($b) => Ok($make),
                    _ => Err(wrong_arguments(stringify!($rust))),
                }
            }
            fn column(vector: &'a Vector) -> Result<Self::Column> {
                match &vector.data {
                    Data::B16(v) => Ok(v),
                    _ => Err(wrong_arguments(stringify!($rust))),
                }
            }
            fn get(column: Self::Column, i: usize) -> Result<Self> {
                let $b = &column[i];
                Ok($make)
            }
            fn accepts(type_oid: Oid) -> bool { type_oid == $oid }
        }
    )*};
}

sixteen! {
    Uuid, oid::UUID, |b| Uuid(*b);
    Interval, oid::INTERVAL, |b| Interval::from_bytes(b);
    TimeTz, oid::TIMETZ, |b| {
        let (micros, west) = types::datetime::timetz_parts(b);
        TimeTz { micros, west }
    };
}

fn var(vector: &Vector) -> Result<&VarData> {
    match &vector.data {
        Data::Var(v) => Ok(v),
        _ => Err(wrong_arguments("of variable length")),
    }
}

fn bytes(datum: &Datum) -> Result<&[u8]> {
    datum.as_bytes().ok_or_else(|| wrong_arguments("of variable length"))
}

macro_rules! variable {
    ($($rust:ty, $oid:expr, |$b:ident| $make:expr, $accepts:expr;)*) => {$(
        impl<'a> Argument<'a> for $rust {
            const OID: Oid = $oid;
            type Column = &'a VarData;
            #[inline]
            fn from_datum(datum: &'a Datum) -> Result<Self> {
                let $b = bytes(datum)?;
                $make
            }
            fn column(vector: &'a Vector) -> Result<&'a VarData> { var(vector) }
            #[inline]
            fn get(column: &'a VarData, i: usize) -> Result<Self> {
                let $b = column.get(i);
                $make
            }
            fn accepts(type_oid: Oid) -> bool {
                let accepts: fn(Oid) -> bool = $accepts;
                accepts(type_oid)
            }
        }
    )*};
}

fn is_array(t: Oid) -> bool {
    matches!(t, oid::INT2VECTOR | oid::OIDVECTOR | oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY | oid::RECORD_ARRAY)
        || types::io::builtin_element(t).is_some()
}

variable! {
    &'a str, oid::TEXT, |b| std::str::from_utf8(b).map_err(|_| wrong_arguments("of text")), |t| {
        matches!(t, oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME | oid::CSTRING | oid::JSON | oid::XML | oid::UNKNOWN
            | oid::REFCURSOR | oid::PG_NODE_TREE | oid::JSONPATH)
    };
    &'a [u8], oid::BYTEA, |b| Ok(b), |t| Physical::of(t) == Physical::Var;
    Numeric, oid::NUMERIC, |b| Ok(Numeric::from_bytes(b)), |t| t == oid::NUMERIC;
    View<'a>, oid::JSONB, |b| Ok(View::new(b)), |t| t == oid::JSONB;
    ArrayView<'a>, Oid::NONE, |b| Ok(ArrayView::new(b)), is_array;
    Array, Oid::NONE, |b| Ok(Array::from_bytes(b)), is_array;
    RecordView<'a>, oid::RECORD, |b| Ok(RecordView::new(b)), |t| t == oid::RECORD;
    Bits<'a>, oid::VARBIT, |b| Ok(Bits(b)), |t| matches!(t, oid::BIT | oid::VARBIT);
}

impl<'a, T: Argument<'a>> Argument<'a> for Option<T> {
    const OID: Oid = T::OID;
    type Column = (T::Column, &'a vector::Nulls);
    fn from_datum(datum: &'a Datum) -> Result<Self> {
        if datum.is_null() { Ok(None) } else { T::from_datum(datum).map(Some) }
    }
    fn column(vector: &'a Vector) -> Result<Self::Column> {
        Ok((T::column(vector)?, &vector.nulls))
    }
    fn get((column, nulls): Self::Column, i: usize) -> Result<Self> {
        if nulls.get(i) { Ok(None) } else { T::get(column, i).map(Some) }
    }
    fn accepts(type_oid: Oid) -> bool {
        T::accepts(type_oid)
    }
}
