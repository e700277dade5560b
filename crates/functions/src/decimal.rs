//! `numeric` a column at a time: values whose stored forms are all small and of one scale, as the columns of a `numeric(p, s)` are, are computed with
//! as the integers that they are.
//!
//! Everything here answers `None` for what is not so, or what leaves 64 bits: then it is computed one by one, as ever, with the errors of that.

use std::borrow::Cow;

use types::compare::Sign;
use types::numeric::SMALL_LEN;
use types::{Datum, Numeric, Oid, Physical};
use vector::{Data, Nulls, VarData, Vector};

/// A small stored form: the scale, then the coefficient.
type Record = [u8; SMALL_LEN];

#[inline]
fn coefficient(record: &Record) -> i64 {
    let [_, c @ ..] = record;
    i64::from_le_bytes(*c)
}

/// An argument: a value for each row, or one for all.
pub enum Operand<'v> {
    /// A value for each row.
    Column(Cow<'v, Vector>),
    /// One for all.
    One(Datum),
}

impl<'v> Operand<'v> {
    /// As a column of so many rows.
    pub fn into_vector(self, rows: usize) -> Cow<'v, Vector> {
        match self {
            Operand::Column(v) => v,
            Operand::One(d) => Cow::Owned(Vector::constant(Physical::Var, &d, rows)),
        }
    }
}

/// The values of a column that has no NULL, all of one scale.
#[derive(Clone, Copy)]
pub struct Decimals<'v> {
    scale: u8,
    records: &'v [Record],
}

impl<'v> Decimals<'v> {
    /// Those of `vector`, if the first looks as if they all were: whether they are is seen in passing.
    fn maybe(vector: &'v Vector) -> Option<Decimals<'v>> {
        let Data::Var(values) = &vector.data else { return None };
        let records = values.records::<SMALL_LEN>().filter(|_| vector.nulls.none())?;
        let scale = records.first()?[0];
        Numeric::small_bytes(0, scale)?;
        Some(Decimals { scale, records })
    }

    /// Those of `vector`.
    pub fn of(vector: &'v Vector) -> Option<Decimals<'v>> {
        Decimals::maybe(vector).filter(|d| d.records.iter().all(|r| r[0] == d.scale))
    }

    /// Digits behind the point.
    pub fn scale(&self) -> u8 {
        self.scale
    }

    /// The value of row `i`, without its point.
    #[inline]
    pub fn get(&self, i: usize) -> i64 {
        coefficient(&self.records[i])
    }

    /// The sum of the first `rows`, without its point.
    pub fn sum(&self, rows: usize) -> i128 {
        self.records[..rows].iter().map(|r| i128::from(coefficient(r))).sum()
    }
}

enum Side<'v> {
    Rows(&'v [Record]),
    One(i64),
}

impl<'v> Side<'v> {
    /// An operand and its scale.
    fn of(operand: &'v Operand<'_>, rows: usize) -> Option<(Side<'v>, u8)> {
        match operand {
            Operand::Column(vector) => {
                let Decimals { scale, records } = Decimals::maybe(vector)?;
                Some((Side::Rows(records.get(..rows)?), scale))
            }
            Operand::One(datum) => {
                let (value, scale) = Numeric::small_parts(datum.as_bytes()?)?;
                Some((Side::One(value), scale))
            }
        }
    }
}

/// `f` of each row's two values, and whether it failed; `None` once it did, or a value has not the scale of its column.
#[inline]
fn lanes<R>((a, of_a): (Side<'_>, u8), (b, of_b): (Side<'_>, u8), f: impl Fn(i64, i64) -> (R, bool)) -> Option<Vec<R>> {
    let mut bad = false;
    let mut lane = |a: i64, b: i64, odd: bool| {
        let (value, failed) = f(a, b);
        bad |= odd | failed;
        value
    };
    let out = match (a, b) {
        (Side::Rows(a), Side::Rows(b)) => {
            let pairs = a.iter().zip(b);
            pairs.map(|(a, b)| lane(coefficient(a), coefficient(b), (a[0] != of_a) | (b[0] != of_b))).collect()
        }
        (Side::Rows(a), Side::One(b)) => a.iter().map(|a| lane(coefficient(a), b, a[0] != of_a)).collect(),
        (Side::One(a), Side::Rows(b)) => b.iter().map(|b| lane(a, coefficient(b), b[0] != of_b)).collect(),
        (Side::One(_), Side::One(_)) => return None,
    };
    (!bad).then_some(out)
}

/// What brings values of a scale to a higher one.
fn factor(from: u8, to: u8) -> Option<i64> {
    10i64.checked_pow(u32::from(to - from))
}

/// The operations that are done here.
#[derive(Clone, Copy)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Compare(Sign),
}

fn operation(function: Oid) -> Option<Operation> {
    Some(match function.0 {
        1724 => Operation::Add,
        1725 => Operation::Subtract,
        1726 => Operation::Multiply,
        1718 => Operation::Compare(Sign::Equal),
        1719 => Operation::Compare(Sign::NotEqual),
        1720 => Operation::Compare(Sign::Greater),
        1721 => Operation::Compare(Sign::GreaterEqual),
        1722 => Operation::Compare(Sign::Less),
        1723 => Operation::Compare(Sign::LessEqual),
        _ => return None,
    })
}

/// Whether a function of two `numeric`s is one that [`binary`] may compute.
pub fn is_known(function: Oid) -> bool {
    operation(function).is_some()
}

/// A function of `pg_proc` of two `numeric`s.
pub fn binary(function: Oid, a: &Operand<'_>, b: &Operand<'_>, rows: usize) -> Option<Vector> {
    let operation = operation(function)?;
    let (a, b) = (Side::of(a, rows)?, Side::of(b, rows)?);
    let scale = match operation {
        Operation::Multiply => a.1.checked_add(b.1)?,
        _ => a.1.max(b.1),
    };
    Numeric::small_bytes(0, scale)?;
    let record = move |(value, failed): (i64, bool)| {
        let mut record = [scale; SMALL_LEN];
        record[1..].copy_from_slice(&value.to_le_bytes());
        (record, failed | (value == i64::MIN))
    };
    if let Operation::Multiply = operation {
        return Some(vector(lanes(a, b, |a, b| record(a.overflowing_mul(b)))?));
    }
    let (of_a, of_b) = (factor(a.1, scale)?, factor(b.1, scale)?);
    let aligned = move |a: i64, b: i64| {
        let ((a, over_a), (b, over_b)) = (a.overflowing_mul(of_a), b.overflowing_mul(of_b));
        (a, b, over_a | over_b)
    };
    macro_rules! arithmetic {
        ($method:ident) => {
            vector(lanes(a, b, |a, b| {
                let (a, b, failed) = aligned(a, b);
                let (value, over) = a.$method(b);
                record((value, over | failed))
            })?)
        };
    }
    macro_rules! compared {
        ($op:tt) => {
            truths(lanes(a, b, |a, b| {
                let (a, b, failed) = aligned(a, b);
                (a $op b, failed)
            })?)
        };
    }
    Some(match operation {
        Operation::Add => arithmetic!(overflowing_add),
        Operation::Subtract => arithmetic!(overflowing_sub),
        Operation::Compare(Sign::Equal) => compared!(==),
        Operation::Compare(Sign::NotEqual) => compared!(!=),
        Operation::Compare(Sign::Less) => compared!(<),
        Operation::Compare(Sign::LessEqual) => compared!(<=),
        Operation::Compare(Sign::Greater) => compared!(>),
        Operation::Compare(Sign::GreaterEqual) => compared!(>=),
        Operation::Multiply => return None,
    })
}

fn vector(records: Vec<Record>) -> Vector {
    Vector { data: Data::Var(VarData::from_records(records)), nulls: Nulls::default() }
}

fn truths(values: Vec<bool>) -> Vector {
    Vector { data: Data::Bool(values), nulls: Nulls::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};

    fn column(values: &[Numeric]) -> Vector {
        let mut v = Vector::new(Physical::Var);
        values.iter().for_each(|n| v.push(&n.to_datum()));
        v
    }

    fn column_of(v: &Vector) -> Operand<'_> {
        Operand::Column(Cow::Borrowed(v))
    }

    /// Values at the edges of what fits, and among them.
    fn value(rng: &mut impl Rng, scale: u8) -> Numeric {
        let coefficient = match rng.random_range(0..8) {
            0 => rng.random_range(-3..3),
            1 => i64::MAX - rng.random_range(0..3),
            2 => -(i64::MAX - rng.random_range(0..3)),
            3 => rng.random_range(-(1i64 << 33)..1 << 33),
            _ => rng.random_range(-100_000..100_000),
        };
        Numeric::small(coefficient, scale)
    }

    /// Every operation, over columns and single values, is what one value after the other is; `None` only where something does not fit.
    #[test]
    fn columns_compute_as_values_do() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        let mut done = 0;
        for round in 0..4000 {
            let wide = round % 3 == 0;
            let (scale_a, scale_b) = (rng.random_range(0..7), rng.random_range(0..7));
            let rows = rng.random_range(1..20);
            let mut draw = |scale: u8| -> Vec<Numeric> {
                (0..rows)
                    .map(|_| match wide {
                        true => value(&mut rng, scale),
                        false => Numeric::small(rng.random_range(-1_000_000..1_000_000), scale),
                    })
                    .collect()
            };
            let (a, b) = (draw(scale_a), draw(scale_b));
            let (va, vb, one) = (column(&a), column(&b), b[0].to_datum());
            for function in (1718..=1726).map(Oid) {
                for (single, operand) in [(false, column_of(&vb)), (true, Operand::One(one.clone()))] {
                    let Some(found) = binary(function, &column_of(&va), &operand, rows) else {
                        assert!(wide, "{function:?} {a:?} {b:?}");
                        continue;
                    };
                    done += 1;
                    for (i, x) in a.iter().enumerate() {
                        let y = &b[if single { 0 } else { i }];
                        let ordering = x.cmp(y);
                        let expected = match function.0 {
                            1718 => Datum::Bool(ordering.is_eq()),
                            1719 => Datum::Bool(ordering.is_ne()),
                            1720 => Datum::Bool(ordering.is_gt()),
                            1721 => Datum::Bool(ordering.is_ge()),
                            1722 => Datum::Bool(ordering.is_lt()),
                            1723 => Datum::Bool(ordering.is_le()),
                            1724 => x.add(y).unwrap().to_datum(),
                            1725 => x.sub(y).unwrap().to_datum(),
                            _ => x.mul(y).unwrap().to_datum(),
                        };
                        assert_eq!(found.get(i), expected, "{function:?} {x:?} {y:?}");
                    }
                }
            }
        }
        assert!(done > 30_000, "{done}");
    }

    #[test]
    fn what_is_not_of_one_scale_is_left_alone() {
        let mixed = column(&[Numeric::small(1, 2), Numeric::small(1, 3)]);
        let special = column(&[Numeric::small(1, 2), Numeric::NAN]);
        let mut absent = column(&[Numeric::small(1, 2)]);
        absent.push_null();
        let plain = column(&[Numeric::small(1, 2), Numeric::small(5, 2)]);
        for odd in [&mixed, &special, &absent] {
            assert!(Decimals::of(odd).is_none());
            assert!(binary(Oid(1724), &column_of(odd), &column_of(&plain), 2).is_none());
            assert!(binary(Oid(1724), &column_of(&plain), &column_of(odd), 2).is_none());
        }
        assert_eq!(Decimals::of(&plain).map(|d| d.sum(2)), Some(6));
    }
}
