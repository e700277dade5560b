//! `Output`: Rust types that functions return; `Row`: those that are rows of a set.

use types::array::Array;
use types::datetime::Interval;
use types::jsonb::Json;
use types::{Datum, Numeric, Oid, Physical, oid};
use vector::{Data, Vector};

use crate::argument::Argument;
use crate::newtype::{Date, JsonText, Jsonb, Lsn, Money, Time, TimeTz, Timestamp, Timestamptz, Uuid, Void};

/// A Rust type that a function may return.
pub trait Output: Sized {
    /// The SQL type of an extension's result of this type; none when the caller must say.
    const OID: Oid;
    /// The form it has in memory; none when the caller must say.
    const PHYSICAL: Option<Physical>;
    /// As one value.
    fn into_datum(self) -> Datum;
    /// Appends it to a vector of its form.
    fn push(self, out: &mut Vector) {
        out.push(&self.into_datum());
    }
    /// Whether it may be a result of this SQL type.
    fn produces(type_oid: Oid) -> bool;
}

macro_rules! lanes {
    ($($rust:ty, $form:ident, |$v:ident| $raw:expr;)*) => {$(
        impl Output for $rust {
            const OID: Oid = <$rust as Argument<'static>>::OID;
            const PHYSICAL: Option<Physical> = Some(Physical::$form);
            #[inline]
            fn into_datum(self) -> Datum { let $v = self; Datum::$form($raw) }
            #[inline]
            fn push(self, out: &mut Vector) {
                let $v = self;
                if let Data::$form(d) = &mut out.data { d.push($raw) }
            }
            fn produces(t: Oid) -> bool { <$rust as Argument<'static>>::accepts(t) }
        }
    )*};
}

lanes! {
    bool, Bool, |v| v;
    i8, I8, |v| v;
    i16, I16, |v| v;
    i32, I32, |v| v;
    u32, U32, |v| v;
    i64, I64, |v| v;
    f32, F32, |v| v;
    f64, F64, |v| v;
    Oid, U32, |v| v.0;
    Date, I32, |v| v.0;
    Time, I64, |v| v.0;
    Timestamp, I64, |v| v.0;
    Timestamptz, I64, |v| v.0;
    Money, I64, |v| v.0;
    Lsn, I64, |v| v.0;
    Uuid, B16, |v| v.0;
    TimeTz, B16, |v| v.to_bytes();
}

impl Output for Interval {
    const OID: Oid = oid::INTERVAL;
    const PHYSICAL: Option<Physical> = Some(Physical::B16);
    fn into_datum(self) -> Datum {
        self.to_datum()
    }
    fn produces(t: Oid) -> bool {
        t == oid::INTERVAL
    }
}

macro_rules! variable {
    ($($rust:ty, $oid:expr, |$v:ident| $bytes:expr, $produces:expr;)*) => {$(
        impl Output for $rust {
            const OID: Oid = $oid;
            const PHYSICAL: Option<Physical> = Some(Physical::Var);
            fn into_datum(self) -> Datum { let $v = self; Datum::bytes(&$bytes[..]) }
            fn push(self, out: &mut Vector) {
                let $v = self;
                if let Data::Var(d) = &mut out.data { d.push(&$bytes[..]) }
            }
            fn produces(t: Oid) -> bool {
                let produces: fn(Oid) -> bool = $produces;
                produces(t)
            }
        }
    )*};
}

fn is_text(t: Oid) -> bool {
    <&str as Argument<'_>>::accepts(t)
}

variable! {
    String, oid::TEXT, |v| v.as_bytes(), is_text;
    &str, oid::TEXT, |v| v.as_bytes(), is_text;
    Vec<u8>, oid::BYTEA, |v| v, |t| Physical::of(t) == Physical::Var;
    &[u8], oid::BYTEA, |v| v, |t| Physical::of(t) == Physical::Var;
    JsonText, oid::JSON, |v| v.0.as_bytes(), |t| t == oid::JSON;
    Jsonb, oid::JSONB, |v| v.0, |t| t == oid::JSONB;
    Void, oid::VOID, |_v| b"", |t| t == oid::VOID;
}

macro_rules! stored {
    ($($rust:ty, $oid:expr, |$v:ident| $write:expr, $produces:expr;)*) => {$(
        impl Output for $rust {
            const OID: Oid = $oid;
            const PHYSICAL: Option<Physical> = Some(Physical::Var);
            fn into_datum(self) -> Datum { self.to_datum() }
            fn push(self, out: &mut Vector) {
                let $v = self;
                if let Data::Var(d) = &mut out.data { d.push_with($write) }
            }
            fn produces(t: Oid) -> bool {
                let produces: fn(Oid) -> bool = $produces;
                produces(t)
            }
        }
    )*};
}

stored! {
    Numeric, oid::NUMERIC, |v| |b| v.write(b), |t| t == oid::NUMERIC;
    Json, oid::JSONB, |v| |b| v.write(b), |t| t == oid::JSONB;
    Array, Oid::NONE, |v| |b| b.extend_from_slice(v.to_datum().as_bytes().unwrap_or_default()), <Array as Argument<'_>>::accepts;
}

/// Whatever the caller says it is.
impl Output for Datum {
    const OID: Oid = Oid::NONE;
    const PHYSICAL: Option<Physical> = None;
    fn into_datum(self) -> Datum {
        self
    }
    fn produces(_: Oid) -> bool {
        true
    }
}

/// Nothing: for sets, whose rows say what they are.
impl Output for () {
    const OID: Oid = Oid::NONE;
    const PHYSICAL: Option<Physical> = None;
    fn into_datum(self) -> Datum {
        Datum::Null
    }
    fn produces(_: Oid) -> bool {
        true
    }
}

impl<T: Output> Output for Option<T> {
    const OID: Oid = T::OID;
    const PHYSICAL: Option<Physical> = T::PHYSICAL;
    fn into_datum(self) -> Datum {
        self.map_or(Datum::Null, T::into_datum)
    }
    fn push(self, out: &mut Vector) {
        match self {
            Some(v) => v.push(out),
            None => out.push_null(),
        }
    }
    fn produces(t: Oid) -> bool {
        T::produces(t)
    }
}

/// A row of a set: one column, or a tuple of several.
pub trait Row {
    /// Its columns.
    fn into_row(self) -> Vec<Datum>;
}

impl<T: Output> Row for T {
    fn into_row(self) -> Vec<Datum> {
        vec![self.into_datum()]
    }
}

/// A row whose width is known only when it runs.
#[derive(Clone, Debug)]
pub struct Columns(pub Vec<Datum>);

impl Row for Columns {
    fn into_row(self) -> Vec<Datum> {
        self.0
    }
}

macro_rules! rows {
    ($(($($name:ident),*))*) => {$(
        impl<$($name: Output),*> Row for ($($name,)*) {
            #[allow(non_snake_case)]
            fn into_row(self) -> Vec<Datum> {
                let ($($name,)*) = self;
                vec![$($name.into_datum()),*]
            }
        }
    )*};
}
rows! { (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) }
