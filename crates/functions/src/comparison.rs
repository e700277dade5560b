//! Comparison functions of every type that `types::compare` orders: found through `pg_operator`, where each is the function of
//! an operator `=`, `<>`, `<`, `<=`, `>` or `>=` (or, for text patterns, `~<~` and its kin).

use std::cmp::Ordering;

use catalog::builtin::{self, OperatorRow};
use ext::Call;
use types::compare::{Sign, compare_f64, compare_with, trim_blanks};
use types::datetime::{
    DATE_INFINITY, DATE_NEG_INFINITY, MICROS_PER_DAY, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY, zone,
};
use types::{Datum, Numeric, Oid, oid};
use vector::{Data, Nulls, Vector};

/// One of the six tests, on values of one type, or of two that compare with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The operator's sign.
    pub sign: Sign,
    /// Type of the left side as `pg_operator` has it; may be polymorphic.
    pub left: Oid,
    /// Type of the right side.
    pub right: Oid,
}

const INTEGERS: [Oid; 3] = [oid::INT2, oid::INT4, oid::INT8];
const FLOATS: [Oid; 2] = [oid::FLOAT4, oid::FLOAT8];
const STRINGS: [Oid; 2] = [oid::NAME, oid::TEXT];
const MOMENTS: [Oid; 3] = [oid::DATE, oid::TIMESTAMP, oid::TIMESTAMPTZ];
const MACADDR8: Oid = Oid(774);
const ORDERED: [Oid; 39] = [
    oid::BOOL,
    oid::BYTEA,
    oid::CHAR,
    oid::NAME,
    oid::INT8,
    oid::INT2,
    oid::INT4,
    oid::TEXT,
    oid::OID,
    oid::TID,
    oid::XID,
    oid::CID,
    oid::OIDVECTOR,
    oid::FLOAT4,
    oid::FLOAT8,
    oid::MONEY,
    oid::MACADDR,
    MACADDR8,
    oid::INET,
    oid::BPCHAR,
    oid::DATE,
    oid::TIME,
    oid::TIMESTAMP,
    oid::TIMESTAMPTZ,
    oid::INTERVAL,
    oid::TIMETZ,
    oid::NUMERIC,
    oid::UUID,
    oid::JSONB,
    oid::BIT,
    oid::VARBIT,
    oid::PG_LSN,
    oid::XID8,
    oid::ANYARRAY,
    oid::ANYENUM,
    oid::RECORD,
    oid::INT2VECTOR,
    oid::REGCLASS,
    oid::REGTYPE,
];

/// The test that an operator of this name makes.
fn sign_of(name: &str) -> Option<Sign> {
    Some(match name {
        "=" => Sign::Equal,
        "<>" => Sign::NotEqual,
        "<" | "~<~" => Sign::Less,
        "<=" | "~<=~" => Sign::LessEqual,
        ">" | "~>~" => Sign::Greater,
        ">=" | "~>=~" => Sign::GreaterEqual,
        _ => return None,
    })
}

fn comparison(row: &OperatorRow) -> Option<Comparison> {
    let sign = sign_of(row.name)?;
    let both = |list: &[Oid]| list.contains(&row.left) && list.contains(&row.right);
    let same = row.left == row.right && ORDERED.contains(&row.left);
    let comparable = same || both(&INTEGERS) || both(&FLOATS) || both(&STRINGS) || both(&MOMENTS);
    comparable.then_some(Comparison { sign, left: row.left, right: row.right })
}

/// The functions that compare, by OID.
pub fn all() -> impl Iterator<Item = (Oid, Comparison)> {
    builtin::OPERATORS.iter().filter_map(|row| Some((row.function, comparison(row)?)))
}

fn integer(d: &Datum) -> i64 {
    match d {
        Datum::I16(v) => i64::from(*v),
        Datum::I32(v) => i64::from(*v),
        Datum::I64(v) => *v,
        _ => 0,
    }
}

fn float(d: &Datum) -> f64 {
    match d {
        Datum::F32(v) => f64::from(*v),
        Datum::F64(v) => *v,
        _ => 0.0,
    }
}

/// A date or timestamp as microseconds, in UTC where the other side has a zone.
fn moment(d: &Datum, ty: Oid, to_utc: bool, call: &Call<'_>) -> i128 {
    let local = match d {
        Datum::I32(DATE_INFINITY) | Datum::I64(TIMESTAMP_INFINITY) => return i128::MAX,
        Datum::I32(DATE_NEG_INFINITY) | Datum::I64(TIMESTAMP_NEG_INFINITY) => return i128::MIN,
        Datum::I32(days) => i128::from(*days) * i128::from(MICROS_PER_DAY),
        Datum::I64(micros) => i128::from(*micros),
        _ => return 0,
    };
    if ty == oid::TIMESTAMPTZ || !to_utc {
        return local;
    }
    let day = i128::from(MICROS_PER_DAY);
    let (days, time) = (local.div_euclid(day), local.rem_euclid(day));
    let east = zone::offset_of_local(&call.settings.time_zone, days as i64, time as i64);
    local - i128::from(east) * 1_000_000
}

impl Comparison {
    /// Whether both sides have the same type, so that equal values hash alike.
    pub fn is_same_type(&self) -> bool {
        self.left == self.right || (INTEGERS.contains(&self.left) && INTEGERS.contains(&self.right))
    }

    /// The order of two values, neither NULL.
    pub fn order(&self, call: &Call<'_>, a: &Datum, b: &Datum) -> Ordering {
        if self.left == self.right {
            let ty = match self.left {
                oid::ANYARRAY => oid::INT4_ARRAY,
                oid::ANYENUM => call.arg_type(0),
                t => t,
            };
            return compare_with(ty, a, b, call.types);
        }
        if INTEGERS.contains(&self.left) {
            return integer(a).cmp(&integer(b));
        }
        if FLOATS.contains(&self.left) {
            return compare_f64(float(a), float(b));
        }
        if STRINGS.contains(&self.left) {
            return a.as_bytes().cmp(&b.as_bytes());
        }
        let zoned = self.left == oid::TIMESTAMPTZ || self.right == oid::TIMESTAMPTZ;
        moment(a, self.left, zoned, call).cmp(&moment(b, self.right, zoned, call))
    }

    /// Compares two values, neither NULL.
    pub fn test(&self, call: &Call<'_>, a: &Datum, b: &Datum) -> bool {
        self.sign.holds(self.order(call, a, b))
    }

    /// Compares vectors of `rows` values.
    pub fn kernel(&self, call: &Call<'_>, a: &Vector, b: &Vector, rows: usize) -> Vector {
        let nulls = if a.nulls.none() && b.nulls.none() { Nulls::default() } else { a.nulls.union(&b.nulls) };
        let s = self.sign;
        macro_rules! widened {
            ($x:ident, $y:ident, $wide:ty) => {
                each(
                    s,
                    $x,
                    $y,
                    rows,
                    |a, b| <$wide>::from(a) == <$wide>::from(b),
                    |a, b| <$wide>::from(a) < <$wide>::from(b),
                )
            };
        }
        let plain_i64 = !matches!(self.left, oid::PG_LSN | oid::XID8 | oid::TID);
        let same = self.left == self.right;
        let whole = INTEGERS.contains(&self.left) && INTEGERS.contains(&self.right);
        let mut out: Vec<bool> = match (&a.data, &b.data) {
            (Data::I32(x), Data::I32(y)) if same => each(s, x, y, rows, |a, b| a == b, |a, b| a < b),
            (Data::I64(x), Data::I64(y)) if same && plain_i64 => each(s, x, y, rows, |a, b| a == b, |a, b| a < b),
            (Data::I16(x), Data::I16(y)) => each(s, x, y, rows, |a, b| a == b, |a, b| a < b),
            (Data::U32(x), Data::U32(y)) if self.left != oid::ANYENUM => {
                each(s, x, y, rows, |a, b| a == b, |a, b| a < b)
            }
            (Data::Bool(x), Data::Bool(y)) => each(s, x, y, rows, |a, b| a == b, |a, b| !a & b),
            (Data::F64(x), Data::F64(y)) => each(
                s,
                x,
                y,
                rows,
                |a, b| a == b || (a.is_nan() && b.is_nan()),
                |a, b| a < b || (b.is_nan() && !a.is_nan()),
            ),
            (Data::F32(x), Data::F32(y)) => each(
                s,
                x,
                y,
                rows,
                |a, b| a == b || (a.is_nan() && b.is_nan()),
                |a, b| a < b || (b.is_nan() && !a.is_nan()),
            ),
            (Data::I16(x), Data::I32(y)) if whole => widened!(x, y, i32),
            (Data::I32(x), Data::I16(y)) if whole => widened!(x, y, i32),
            (Data::I16(x), Data::I64(y)) if whole => widened!(x, y, i64),
            (Data::I64(x), Data::I16(y)) if whole => widened!(x, y, i64),
            (Data::I32(x), Data::I64(y)) if whole => widened!(x, y, i64),
            (Data::I64(x), Data::I32(y)) if whole => widened!(x, y, i64),
            (Data::B16(x), Data::B16(y)) if self.left == oid::UUID => each(s, x, y, rows, |a, b| a == b, |a, b| a < b),
            (Data::Var(x), Data::Var(y)) if matches!(self.left, oid::TEXT | oid::NAME | oid::BYTEA) => match s {
                Sign::Equal => (0..rows).map(|i| x.get(i) == y.get(i)).collect(),
                Sign::NotEqual => (0..rows).map(|i| x.get(i) != y.get(i)).collect(),
                _ => (0..rows).map(|i| s.holds(x.get(i).cmp(y.get(i)))).collect(),
            },
            (Data::Var(x), Data::Var(y)) if self.left == oid::BPCHAR && same => {
                let order = |i| trim_blanks(x.get(i)).cmp(trim_blanks(y.get(i)));
                match s {
                    // Mostly they differ at once.
                    Sign::Equal => (0..rows).map(|i| same_start(x.get(i), y.get(i)) && order(i).is_eq()).collect(),
                    _ => (0..rows).map(|i| s.holds(order(i))).collect(),
                }
            }
            (Data::Var(x), Data::Var(y)) if self.left == oid::NUMERIC => {
                (0..rows).map(|i| !nulls.get(i) && s.holds(numerics(x.get(i), y.get(i)))).collect()
            }
            _ => (0..rows).map(|i| !nulls.get(i) && self.test(call, &a.get(i), &b.get(i))).collect(),
        };
        clear_nulls(&mut out, &nulls);
        Vector { data: Data::Bool(out), nulls }
    }
}

/// Whether two strings may be equal but for blanks at their ends, by their first bytes.
fn same_start(a: &[u8], b: &[u8]) -> bool {
    a.first().unwrap_or(&b' ') == b.first().unwrap_or(&b' ')
}

/// Order of two stored numerics; small ones of one scale by their coefficients.
fn numerics(a: &[u8], b: &[u8]) -> Ordering {
    match (Numeric::small_parts(a), Numeric::small_parts(b)) {
        (Some((a, s)), Some((b, t))) if s == t => a.cmp(&b),
        _ => Numeric::from_bytes(a).cmp_sql(&Numeric::from_bytes(b)),
    }
}

/// Every pair of slots, by a loop of its own for each sign.
#[inline(always)]
fn each<A: Copy, B: Copy>(
    sign: Sign,
    a: &[A],
    b: &[B],
    rows: usize,
    equal: impl Fn(A, B) -> bool,
    less: impl Fn(A, B) -> bool,
) -> Vec<bool> {
    let pairs = a[..rows].iter().zip(&b[..rows]);
    match sign {
        Sign::Equal => pairs.map(|(&a, &b)| equal(a, b)).collect(),
        Sign::NotEqual => pairs.map(|(&a, &b)| !equal(a, b)).collect(),
        Sign::Less => pairs.map(|(&a, &b)| less(a, b)).collect(),
        Sign::LessEqual => pairs.map(|(&a, &b)| less(a, b) | equal(a, b)).collect(),
        Sign::Greater => pairs.map(|(&a, &b)| !(less(a, b) | equal(a, b))).collect(),
        Sign::GreaterEqual => pairs.map(|(&a, &b)| !less(a, b)).collect(),
    }
}

/// V2: NULL slots hold zero.
fn clear_nulls(out: &mut [bool], nulls: &Nulls) {
    if !nulls.none() {
        for (i, v) in out.iter_mut().enumerate() {
            *v &= !nulls.get(i);
        }
    }
}
