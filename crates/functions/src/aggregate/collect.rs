//! Aggregates that keep their input: arrays, and the ordered-set aggregates.

use ext::{Call, Interval};
use types::array::{Array, Dimension, check_dimensions};
use types::datetime::arith;
use types::{Datum, Oid, Result, SqlError, SqlState};

/// A percentile must lie between 0 and 1.
fn check_percentile(p: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&p) {
        return Ok(p);
    }
    let mut shown = Vec::new();
    types::io::float::format_f64(p, 1, &mut shown);
    let message = format!("percentile value {} is not between 0 and 1", String::from_utf8_lossy(&shown));
    Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message))
}

/// The place (from 0) of the value that a share `p` of `n` values reaches.
fn discrete(p: f64, n: usize) -> usize {
    ((p * n as f64).ceil() as usize).clamp(1, n) - 1
}

fn array_of(element: Oid, of: &Array, values: Vec<Datum>) -> Datum {
    Array { element, dimensions: of.dimensions.clone(), values }.to_datum()
}

/// Between two values at `share` of the way.
fn between_floats(a: f64, b: f64, share: f64) -> f64 {
    a + share * (b - a)
}

fn between_intervals(a: Interval, b: Interval, share: f64) -> Result<Interval> {
    arith::add(a, arith::multiply(arith::subtract(b, a)?, share)?)
}

fn float_at(values: &[f64], p: f64) -> f64 {
    let place = p * (values.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    if low == high { values[low] } else { between_floats(values[low], values[high], place - low as f64) }
}

fn interval_at(values: &[Interval], p: f64) -> Result<Interval> {
    let place = p * (values.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    if low == high { Ok(values[low]) } else { between_intervals(values[low], values[high], place - low as f64) }
}

/// The direct argument that is a share; none when NULL.
fn share(call: &Call<'_>) -> Result<Option<f64>> {
    match call.direct_args.first() {
        Some(Datum::F64(p)) => check_percentile(*p).map(Some),
        _ => Ok(None),
    }
}

/// The direct argument that is an array of shares; none when NULL.
fn shares(call: &Call<'_>) -> Option<Array> {
    call.direct_args.first().filter(|d| !d.is_null()).map(Array::from_datum)
}

/// `f` of each share of an array, NULL for NULL.
fn for_each_share(of: &Array, element: Oid, mut f: impl FnMut(f64) -> Result<Datum>) -> Result<Datum> {
    let values = of.values.iter().map(|v| match v {
        Datum::F64(p) => f(check_percentile(*p)?),
        _ => Ok(Datum::Null),
    });
    Ok(array_of(element, of, values.collect::<Result<_>>()?))
}

#[ext::module]
pub(crate) mod functions {
    use types::compare::compare_with;
    use types::oid;

    use super::*;

    /// `array_agg(anynonarray)`.
    #[derive(Clone, Default)]
    pub struct ArrayAgg(Option<Vec<Datum>>);

    #[ext::aggregate(oid = 2335)]
    impl ArrayAgg {
        fn add(&mut self, v: &Datum) {
            self.0.get_or_insert_default().push(v.clone());
        }
        fn bytes(&self) -> usize {
            self.0.as_ref().map_or(0, |v| {
                size_of_val(&v[..]) + v.iter().filter_map(Datum::as_bytes).map(<[u8]>::len).sum::<usize>()
            })
        }
        fn finish(&self, call: &mut Call<'_>) -> Datum {
            match &self.0 {
                Some(values) => Array::one_dimensional(call.arg_type(0), values.clone()).to_datum(),
                None => Datum::Null,
            }
        }
    }

    /// `array_agg(anyarray)`: one more dimension.
    #[derive(Clone, Default)]
    pub struct ArrayOfArrays {
        count: i32,
        inner: Vec<Dimension>,
        element: Oid,
        values: Vec<Datum>,
    }

    #[ext::aggregate(oid = 4053)]
    impl ArrayOfArrays {
        fn add(&mut self, v: Option<Array>) -> Result<()> {
            let Some(v) = v else {
                return Err(SqlError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "cannot accumulate null arrays"));
            };
            if self.count == 0 {
                if v.dimensions.is_empty() {
                    return Err(SqlError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, "cannot accumulate empty arrays"));
                }
                if v.dimensions.len() >= types::array::DIMENSIONS_MAX {
                    let message = format!(
                        "number of array dimensions ({}) exceeds the maximum allowed ({})",
                        v.dimensions.len() + 1,
                        types::array::DIMENSIONS_MAX
                    );
                    return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
                }
                (self.inner, self.element) = (v.dimensions, v.element);
            } else if self.inner != v.dimensions {
                return Err(SqlError::new(
                    SqlState::ARRAY_SUBSCRIPT_ERROR,
                    "cannot accumulate arrays of different dimensionality",
                ));
            }
            self.count += 1;
            self.values.extend(v.values);
            Ok(())
        }
        fn finish(&self) -> Result<Option<Array>> {
            if self.count == 0 {
                return Ok(None);
            }
            let mut dimensions = vec![Dimension { len: self.count, lower: 1 }];
            dimensions.extend_from_slice(&self.inner);
            check_dimensions(&dimensions)?;
            Ok(Some(Array { element: self.element, dimensions, values: self.values.clone() }))
        }
    }

    /// `percentile_cont(float8)`: rows come sorted.
    #[derive(Clone, Default)]
    pub struct PercentileFloat(Vec<f64>);

    #[ext::aggregate(oid = 3974)]
    impl PercentileFloat {
        fn add(&mut self, v: f64) {
            self.0.push(v);
        }
        fn finish(&self, call: &mut Call<'_>) -> Result<Option<f64>> {
            let Some(p) = share(call)? else { return Ok(None) };
            Ok((!self.0.is_empty()).then(|| float_at(&self.0, p)))
        }
    }

    /// `percentile_cont(float8[])`.
    #[derive(Clone, Default)]
    pub struct PercentilesFloat(Vec<f64>);

    #[ext::aggregate(oid = 3980)]
    impl PercentilesFloat {
        fn add(&mut self, v: f64) {
            self.0.push(v);
        }
        fn finish(&self, call: &mut Call<'_>) -> Result<Datum> {
            match shares(call) {
                Some(of) if !self.0.is_empty() => {
                    for_each_share(&of, oid::FLOAT8, |p| Ok(Datum::F64(float_at(&self.0, p))))
                }
                _ => Ok(Datum::Null),
            }
        }
    }

    /// `percentile_cont(float8)` of intervals.
    #[derive(Clone, Default)]
    pub struct PercentileInterval(Vec<Interval>);

    #[ext::aggregate(oid = 3976)]
    impl PercentileInterval {
        fn add(&mut self, v: Interval) {
            self.0.push(v);
        }
        fn finish(&self, call: &mut Call<'_>) -> Result<Option<Interval>> {
            match share(call)? {
                Some(p) if !self.0.is_empty() => interval_at(&self.0, p).map(Some),
                _ => Ok(None),
            }
        }
    }

    /// `percentile_cont(float8[])` of intervals.
    #[derive(Clone, Default)]
    pub struct PercentilesInterval(Vec<Interval>);

    #[ext::aggregate(oid = 3982)]
    impl PercentilesInterval {
        fn add(&mut self, v: Interval) {
            self.0.push(v);
        }
        fn finish(&self, call: &mut Call<'_>) -> Result<Datum> {
            match shares(call) {
                Some(of) if !self.0.is_empty() => {
                    for_each_share(&of, oid::INTERVAL, |p| Ok(interval_at(&self.0, p)?.to_datum()))
                }
                _ => Ok(Datum::Null),
            }
        }
    }

    /// `percentile_disc(float8)`.
    #[derive(Clone, Default)]
    pub struct PercentileDiscrete(Vec<Datum>);

    #[ext::aggregate(oid = 3972, strict)]
    impl PercentileDiscrete {
        fn add(&mut self, v: &Datum) {
            self.0.push(v.clone());
        }
        fn finish(&self, call: &mut Call<'_>) -> Result<Datum> {
            match share(call)? {
                Some(p) if !self.0.is_empty() => Ok(self.0[discrete(p, self.0.len())].clone()),
                _ => Ok(Datum::Null),
            }
        }
    }

    /// `percentile_disc(float8[])`.
    #[derive(Clone, Default)]
    pub struct PercentilesDiscrete(Vec<Datum>);

    #[ext::aggregate(oid = 3978, strict)]
    impl PercentilesDiscrete {
        fn add(&mut self, v: &Datum) {
            self.0.push(v.clone());
        }
        fn finish(&self, call: &mut Call<'_>) -> Result<Datum> {
            match shares(call) {
                Some(of) if !self.0.is_empty() => {
                    for_each_share(&of, call.arg_type(0), |p| Ok(self.0[discrete(p, self.0.len())].clone()))
                }
                _ => Ok(Datum::Null),
            }
        }
    }

    /// `mode`: the most frequent value, of equally frequent ones the first in order.
    #[derive(Clone, Default)]
    pub struct Mode {
        best: Option<(Datum, i64)>,
        run: Option<(Datum, i64)>,
    }

    #[ext::aggregate(oid = 3984, strict)]
    impl Mode {
        fn add(&mut self, call: &mut Call<'_>, v: &Datum) {
            let ty = call.arg_type(0);
            let run = match self.run.take() {
                Some((old, n)) if compare_with(ty, &old, v, call.types).is_eq() => (old, n + 1),
                _ => (v.clone(), 1),
            };
            if self.best.as_ref().is_none_or(|b| run.1 > b.1) {
                self.best = Some(run.clone());
            }
            self.run = Some(run);
        }
        fn finish(&self) -> Datum {
            self.best.as_ref().map_or(Datum::Null, |b| b.0.clone())
        }
    }
}
