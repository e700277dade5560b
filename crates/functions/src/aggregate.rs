//! Aggregates: registry, counts, sums, averages, extremes, bits, strings and arrays.

pub(crate) mod collect;
pub(crate) mod exact_sum;
pub(crate) mod statistics;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::OnceLock;

use ext::{AggregateDefinition, Call, Date, Groups, Lsn, Money, Rowset, Time, Timestamp, Timestamptz};
use types::compare::{compare_f64, compare_with};
use types::io::{BuiltinTypes, TypeLookup};
use types::{Datum, Numeric, Oid, Result, SqlError, SqlState};
use vector::Vector;

fn table() -> &'static HashMap<u32, &'static AggregateDefinition> {
    static TABLE: OnceLock<HashMap<u32, &'static AggregateDefinition>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let all = crate::MODULES.iter().flat_map(|m| m.aggregates).copied().flatten();
        all.flat_map(|d| d.oids.iter().map(move |&oid| (oid, d))).collect()
    })
}

/// The aggregate `function` of `pg_proc`; `None` when it is not implemented.
pub fn lookup(function: Oid) -> Option<&'static AggregateDefinition> {
    table().get(&function.0).copied()
}

/// Whether function `function` is an aggregate that is implemented.
pub fn is_implemented(function: Oid) -> bool {
    lookup(function).is_some()
}

/// A running aggregate of one group.
pub struct Accumulator(Box<dyn Groups>);

impl Accumulator {
    /// An empty aggregate of function `function`.
    ///
    /// # Errors
    /// `0A000` when it is not implemented.
    pub fn new(function: Oid) -> Result<Accumulator> {
        match lookup(function) {
            Some(d) => {
                let mut groups = (d.groups)();
                groups.resize(1);
                Ok(Accumulator(groups))
            }
            None => {
                let name = catalog::builtin::proc_by_oid(function).map_or("?", |p| p.name);
                Err(SqlError::unsupported(format!("aggregate function {name}")))
            }
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// The aggregate's.
    pub fn add(&mut self, call: &mut Call<'_>, args: &[Datum]) -> Result<()> {
        self.0.add(call, 0, args)
    }

    /// Takes a row out again.
    ///
    /// # Errors
    /// The aggregate's; `0A000` when it cannot.
    pub fn remove(&mut self, call: &mut Call<'_>, args: &[Datum]) -> Result<()> {
        self.0.remove(call, 0, args)
    }

    /// Adds rows of vectors.
    ///
    /// # Errors
    /// The aggregate's.
    pub fn add_vector(&mut self, call: &mut Call<'_>, args: &[&Vector], rows: Rowset<'_>) -> Result<()> {
        self.0.add_vector(call, args, rows, None)
    }

    /// The result.
    ///
    /// # Errors
    /// The aggregate's.
    pub fn finish(&self, call: &mut Call<'_>) -> Result<Datum> {
        self.0.finish(call, 0)
    }
}

fn bigint() -> SqlError {
    SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range")
}

/// Adds `count` values that come to `sum` to a count, or to a sum or an average of integers.
///
/// # Errors
/// The aggregate's; `Internal` for one of another kind.
pub fn add_total(groups: &mut dyn Groups, group: usize, count: i64, sum: i128) -> Result<()> {
    use self::functions::{AvgInt, Count, CountRows, SumInt, SumInt8, Total};
    macro_rules! offer {
        ($($state:ty)*) => {$(
            let states = groups.as_any_mut().downcast_mut::<ext::GroupStates<$state>>();
            if let Some(state) = states.and_then(|s| s.state_mut(group)) {
                return state.add_total(count, sum);
            }
        )*};
    }
    offer!(CountRows Count SumInt<i16> SumInt<i32> SumInt8 AvgInt<i16> AvgInt<i32> AvgInt<i64>);
    Err(SqlError::internal("a total was added to another aggregate"))
}

/// Fixed-width values that have an order.
pub trait Ordered: ext::Lane + Default + Send {
    /// Whether `self` comes before `other`.
    fn before(self, other: Self) -> bool;
}

macro_rules! ordered {
    ($($ty:ty: |$a:ident, $b:ident| $before:expr;)*) => {$(
        impl Ordered for $ty {
            #[inline(always)]
            fn before(self, other: $ty) -> bool { let ($a, $b) = (self, other); $before }
        }
    )*};
}
ordered! {
    i16: |a, b| a < b;
    i32: |a, b| a < b;
    i64: |a, b| a < b;
    f32: |a, b| compare_f64(a.into(), b.into()).is_lt();
    f64: |a, b| compare_f64(a, b).is_lt();
    Oid: |a, b| a < b;
    Date: |a, b| a < b;
    Time: |a, b| a < b;
    Timestamp: |a, b| a < b;
    Timestamptz: |a, b| a < b;
    Money: |a, b| a < b;
    Lsn: |a, b| (a.0 as u64) < (b.0 as u64);
}

/// `22003` when a float sum overflowed although nothing infinite went in.
fn float_sum(sum: f64, infinite_in: bool) -> Result<f64> {
    if sum.is_infinite() && !infinite_in { Err(ext::Fail::Overflow.into()) } else { Ok(sum) }
}

/// The value that comes before, or behind, all others so far, and its type.
#[derive(Clone, Default, Debug)]
pub struct Best(Option<(Datum, Oid)>);

impl Best {
    /// Takes `v` if it is `wanted` beside what there is.
    fn offer(&mut self, v: &Datum, ty: Oid, types: &dyn TypeLookup, wanted: Ordering) {
        if self.0.as_ref().is_none_or(|old| compare_with(ty, v, &old.0, types) == wanted) {
            self.0 = Some((v.clone(), ty));
        }
    }

    /// Takes what another has found. Only values of built-in types are aggregated in parts.
    fn merge(&mut self, other: &Best, wanted: Ordering) {
        if let Some((v, ty)) = &other.0 {
            self.offer(v, *ty, &BuiltinTypes, wanted);
        }
    }

    fn value(&self) -> Datum {
        self.0.as_ref().map(|v| v.0.clone()).unwrap_or_default()
    }
}

#[ext::module]
pub(crate) mod functions {
    use ext::{Bits, Interval, Lane};
    use types::datetime::arith;

    use super::exact_sum::Numbers;
    use super::*;

    /// `count(*)`.
    #[derive(Clone, Default)]
    pub struct CountRows(i64);

    #[ext::aggregate(oid = 2803)]
    impl CountRows {
        fn add(&mut self) {
            self.0 += 1;
        }
        fn remove(&mut self) {
            self.0 -= 1;
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0 += other.0;
            Ok(())
        }
        fn add_vector(
            states: &mut [Self],
            _: &mut Call<'_>,
            _: &[&Vector],
            rows: Rowset<'_>,
            groups: Option<&[u32]>,
        ) -> Result<()> {
            match (rows, groups) {
                (Rowset::All(n), None) => states[0].0 += n as i64,
                (Rowset::Listed(list), None) => states[0].0 += list.len() as i64,
                (rows, Some(groups)) => rows.each(|row| {
                    states[groups[row] as usize].0 += 1;
                    Ok(())
                })?,
            }
            Ok(())
        }
        fn finish(&self) -> i64 {
            self.0
        }
    }

    /// `count(value)`.
    #[derive(Clone, Default)]
    pub struct Count(i64);

    #[ext::aggregate(oid = 2147, strict)]
    impl Count {
        fn add(&mut self, _: &Datum) {
            self.0 += 1;
        }
        fn remove(&mut self, _: &Datum) {
            self.0 -= 1;
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0 += other.0;
            Ok(())
        }
        fn add_vector(
            states: &mut [Self],
            _: &mut Call<'_>,
            args: &[&Vector],
            rows: Rowset<'_>,
            groups: Option<&[u32]>,
        ) -> Result<()> {
            let nulls = ext::kernel::nulls(args);
            rows.each(|row| {
                let group = groups.map_or(0, |g| g[row] as usize);
                states[group].0 += i64::from(!nulls.get(row));
                Ok(())
            })
        }
        fn finish(&self) -> i64 {
            self.0
        }
    }

    /// `sum(int2)`, `sum(int4)`.
    #[derive(Clone)]
    pub struct SumInt<T> {
        sum: i64,
        count: i64,
        of: std::marker::PhantomData<T>,
    }

    impl<T> Default for SumInt<T> {
        fn default() -> Self {
            SumInt { sum: 0, count: 0, of: std::marker::PhantomData }
        }
    }

    #[ext::aggregate(each(i16 = 2109, i32 = 2108))]
    impl<T: Lane + Into<i64>> SumInt<T>
    where
        T::Raw: Into<i64>,
    {
        fn add(&mut self, v: T) -> Result<()> {
            self.sum = self.sum.checked_add(v.into()).ok_or_else(bigint)?;
            self.count += 1;
            Ok(())
        }
        fn add_slice(&mut self, values: &[T::Raw]) -> Result<()> {
            // A chunk's sum of int4s cannot overflow.
            for chunk in values.chunks(1 << 20) {
                let sum = chunk.iter().fold(0i64, |n, &v| n.wrapping_add(v.into()));
                self.sum = self.sum.checked_add(sum).ok_or_else(bigint)?;
            }
            self.count += values.len() as i64;
            Ok(())
        }
        fn remove(&mut self, v: T) -> Result<()> {
            self.sum = self.sum.checked_sub(v.into()).ok_or_else(bigint)?;
            self.count -= 1;
            Ok(())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.sum = self.sum.checked_add(other.sum).ok_or_else(bigint)?;
            self.count += other.count;
            Ok(())
        }
        fn finish(&self) -> Option<i64> {
            (self.count > 0).then_some(self.sum)
        }
    }

    /// `sum(int8)`: 2^64 of them fit.
    #[derive(Clone, Default)]
    pub struct SumInt8 {
        sum: i128,
        count: i64,
    }

    #[ext::aggregate(oid = 2107)]
    impl SumInt8 {
        fn add(&mut self, v: i64) {
            self.sum += i128::from(v);
            self.count += 1;
        }
        fn add_slice(&mut self, values: &[i64]) -> Result<()> {
            self.sum += values.iter().map(|&v| i128::from(v)).sum::<i128>();
            self.count += values.len() as i64;
            Ok(())
        }
        fn remove(&mut self, v: i64) {
            self.sum -= i128::from(v);
            self.count -= 1;
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.sum += other.sum;
            self.count += other.count;
            Ok(())
        }
        fn finish(&self) -> Option<Numeric> {
            (self.count > 0).then(|| Numeric::from(self.sum))
        }
    }

    /// `avg` of integers.
    #[derive(Clone)]
    pub struct AvgInt<T> {
        sum: i128,
        count: i64,
        of: std::marker::PhantomData<T>,
    }

    impl<T> Default for AvgInt<T> {
        fn default() -> Self {
            AvgInt { sum: 0, count: 0, of: std::marker::PhantomData }
        }
    }

    #[ext::aggregate(each(i16 = 2102, i32 = 2101, i64 = 2100))]
    impl<T: Lane + Into<i64>> AvgInt<T>
    where
        T::Raw: Into<i64>,
    {
        fn add(&mut self, v: T) {
            self.sum += i128::from(v.into());
            self.count += 1;
        }
        fn add_slice(&mut self, values: &[T::Raw]) -> Result<()> {
            self.sum += values.iter().map(|&v| i128::from(v.into())).sum::<i128>();
            self.count += values.len() as i64;
            Ok(())
        }
        fn remove(&mut self, v: T) {
            self.sum -= i128::from(v.into());
            self.count -= 1;
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.sum += other.sum;
            self.count += other.count;
            Ok(())
        }
        fn finish(&self) -> Result<Option<Numeric>> {
            if self.count == 0 {
                return Ok(None);
            }
            Numeric::from(self.sum).div(&Numeric::from(self.count)).map(Some)
        }
    }

    /// What several values come to can be added at once.
    pub(super) trait Total {
        fn add_total(&mut self, count: i64, sum: i128) -> Result<()>;
    }

    macro_rules! totals {
        ($($state:ident $(<$t:ident>)?: |$own:ident, $count:ident, $sum:ident| $add:expr;)*) => {$(
            impl $(<$t>)? Total for $state $(<$t>)? {
                fn add_total(&mut self, $count: i64, $sum: i128) -> Result<()> {
                    let $own = self;
                    $add;
                    Ok(())
                }
            }
        )*};
    }
    totals! {
        CountRows: |own, count, _sum| own.0 += count;
        Count: |own, count, _sum| own.0 += count;
        SumInt<T>: |own, count, sum| {
            let sum = i64::try_from(sum).ok().and_then(|sum| own.sum.checked_add(sum)).ok_or_else(bigint)?;
            (own.sum, own.count) = (sum, own.count + count);
        };
        SumInt8: |own, count, sum| (own.sum, own.count) = (own.sum + sum, own.count + count);
        AvgInt<T>: |own, count, sum| (own.sum, own.count) = (own.sum + sum, own.count + count);
    }

    /// `sum(numeric)`.
    #[derive(Clone, Default)]
    pub struct SumNumeric(Numbers);

    #[ext::aggregate(oid = 2114)]
    impl SumNumeric {
        fn add(&mut self, v: &[u8]) -> Result<()> {
            self.0.add(v)
        }
        fn add_vector(
            states: &mut [Self],
            _: &mut Call<'_>,
            args: &[&Vector],
            rows: Rowset<'_>,
            groups: Option<&[u32]>,
        ) -> Result<()> {
            Numbers::add_vector(states, |state| &mut state.0, args, rows, groups)
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.merge(&other.0)
        }
        fn finish(&self) -> Result<Option<Numeric>> {
            self.0.sum()
        }
    }

    /// `avg(numeric)`.
    #[derive(Clone, Default)]
    pub struct AvgNumeric(Numbers);

    #[ext::aggregate(oid = 2103)]
    impl AvgNumeric {
        fn add(&mut self, v: &[u8]) -> Result<()> {
            self.0.add(v)
        }
        fn add_vector(
            states: &mut [Self],
            _: &mut Call<'_>,
            args: &[&Vector],
            rows: Rowset<'_>,
            groups: Option<&[u32]>,
        ) -> Result<()> {
            Numbers::add_vector(states, |state| &mut state.0, args, rows, groups)
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.merge(&other.0)
        }
        fn finish(&self) -> Result<Option<Numeric>> {
            self.0.average()
        }
    }

    /// `sum(float8)`.
    #[derive(Clone, Default)]
    pub struct SumFloat8(Option<f64>);

    #[ext::aggregate(oid = 2111)]
    impl SumFloat8 {
        fn add(&mut self, v: f64) -> Result<()> {
            self.0 = Some(match self.0 {
                Some(s) => float_sum(s + v, s.is_infinite() || v.is_infinite())?,
                None => v,
            });
            Ok(())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            other.0.map_or(Ok(()), |v| self.add(v))
        }
        fn finish(&self) -> Option<f64> {
            self.0
        }
    }

    /// `sum(float4)`.
    #[derive(Clone, Default)]
    pub struct SumFloat4(Option<f32>);

    #[ext::aggregate(oid = 2110)]
    impl SumFloat4 {
        fn add(&mut self, v: f32) -> Result<()> {
            self.0 = Some(match self.0 {
                Some(s) => {
                    let sum = s + v;
                    float_sum(sum.into(), s.is_infinite() || v.is_infinite())?;
                    sum
                }
                None => v,
            });
            Ok(())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            other.0.map_or(Ok(()), |v| self.add(v))
        }
        fn finish(&self) -> Option<f32> {
            self.0
        }
    }

    /// `sum(money)`.
    #[derive(Clone, Default)]
    pub struct SumMoney(Option<i64>);

    #[ext::aggregate(oid = 2112)]
    impl SumMoney {
        fn add(&mut self, v: Money) -> Result<()> {
            let sum = self.0.unwrap_or(0).checked_add(v.0).ok_or(ext::Fail::MoneyOutOfRange)?;
            self.0 = Some(sum);
            Ok(())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            other.0.into_iter().try_for_each(|v| self.add(Money(v)))
        }
        fn finish(&self) -> Option<Money> {
            self.0.map(Money)
        }
    }

    /// `sum(interval)`.
    #[derive(Clone, Default)]
    pub struct SumInterval(Option<Interval>);

    #[ext::aggregate(oid = 2113)]
    impl SumInterval {
        fn add(&mut self, v: Interval) -> Result<()> {
            self.0 = Some(match self.0 {
                Some(s) => arith::add(s, v)?,
                None => v,
            });
            Ok(())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            other.0.into_iter().try_for_each(|v| self.add(v))
        }
        fn finish(&self) -> Option<Interval> {
            self.0
        }
    }

    /// `avg(interval)`.
    #[derive(Clone, Default)]
    pub struct AvgInterval(Option<Interval>, i64);

    #[ext::aggregate(oid = 2106)]
    impl AvgInterval {
        fn add(&mut self, v: Interval) -> Result<()> {
            self.1 += 1;
            self.0 = Some(match self.0 {
                Some(s) => arith::add(s, v)?,
                None => v,
            });
            Ok(())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            let Some(sum) = other.0 else { return Ok(()) };
            self.add(sum)?;
            self.1 += other.1 - 1;
            Ok(())
        }
        fn finish(&self) -> Result<Option<Interval>> {
            self.0.map(|s| arith::divide(s, self.1 as f64)).transpose()
        }
    }

    /// `min` of fixed-width values.
    #[derive(Clone, Default)]
    pub struct Min<T>(Option<T>);

    #[ext::aggregate(each(
        i16 = 2133,
        i32 = 2132,
        i64 = 2131,
        f32 = 2135,
        f64 = 2136,
        Oid = 2134,
        Date = 2138,
        Time = 2139,
        Timestamp = 2142,
        Timestamptz = 2143,
        Money = 2141,
        Lsn = 4190
    ))]
    impl<T: Ordered> Min<T> {
        fn add(&mut self, v: T) {
            if self.0.is_none_or(|old| v.before(old)) {
                self.0 = Some(v);
            }
        }
        fn add_slice(&mut self, values: &[T::Raw]) -> Result<()> {
            if let Some(first) = values.first() {
                let least = |a: T, b: T| if b.before(a) { b } else { a };
                self.add(values.iter().fold(T::from_raw(*first), |a, &b| least(a, T::from_raw(b))));
            }
            Ok(())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            other.0.into_iter().for_each(|v| self.add(v));
            Ok(())
        }
        fn finish(&self) -> Option<T> {
            self.0
        }
    }

    /// `max` of fixed-width values.
    #[derive(Clone, Default)]
    pub struct Max<T>(Option<T>);

    #[ext::aggregate(each(
        i16 = 2117,
        i32 = 2116,
        i64 = 2115,
        f32 = 2119,
        f64 = 2120,
        Oid = 2118,
        Date = 2122,
        Time = 2123,
        Timestamp = 2126,
        Timestamptz = 2127,
        Money = 2125,
        Lsn = 4189
    ))]
    impl<T: Ordered> Max<T> {
        fn add(&mut self, v: T) {
            if self.0.is_none_or(|old| old.before(v)) {
                self.0 = Some(v);
            }
        }
        fn add_slice(&mut self, values: &[T::Raw]) -> Result<()> {
            if let Some(first) = values.first() {
                let most = |a: T, b: T| if a.before(b) { b } else { a };
                self.add(values.iter().fold(T::from_raw(*first), |a, &b| most(a, T::from_raw(b))));
            }
            Ok(())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            other.0.into_iter().for_each(|v| self.add(v));
            Ok(())
        }
        fn finish(&self) -> Option<T> {
            self.0
        }
    }

    /// `min` of other values.
    #[derive(Clone, Default)]
    pub struct Least(Best);

    #[ext::aggregate(oid = [2051, 2140, 2144, 2145, 2146, 2245, 2798, 3527, 3565, 5100, 6374, 6396], strict)]
    impl Least {
        fn add(&mut self, call: &mut Call<'_>, v: &Datum) {
            self.0.offer(v, call.arg_type(0), call.types, Ordering::Less);
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.merge(&other.0, Ordering::Less);
            Ok(())
        }
        fn finish(&self) -> Datum {
            self.0.value()
        }
    }

    /// `max` of other values.
    #[derive(Clone, Default)]
    pub struct Greatest(Best);

    #[ext::aggregate(oid = [2050, 2124, 2128, 2129, 2130, 2244, 2797, 3526, 3564, 5099, 6373, 6395], strict)]
    impl Greatest {
        fn add(&mut self, call: &mut Call<'_>, v: &Datum) {
            self.0.offer(v, call.arg_type(0), call.types, Ordering::Greater);
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.merge(&other.0, Ordering::Greater);
            Ok(())
        }
        fn finish(&self) -> Datum {
            self.0.value()
        }
    }

    /// `any_value`.
    #[derive(Clone, Default)]
    pub struct AnyValue(Option<Datum>);

    #[ext::aggregate(oid = 6291, strict)]
    impl AnyValue {
        fn add(&mut self, v: &Datum) {
            self.0.get_or_insert_with(|| v.clone());
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            if let Some(v) = &other.0 {
                self.add(v);
            }
            Ok(())
        }
        fn finish(&self) -> Datum {
            self.0.clone().unwrap_or_default()
        }
    }

    /// `bool_and`, `every`.
    #[derive(Clone, Default)]
    pub struct BoolAnd {
        falses: i64,
        count: i64,
    }

    #[ext::aggregate(oid = [2517, 2519])]
    impl BoolAnd {
        fn add(&mut self, v: bool) {
            self.count += 1;
            self.falses += i64::from(!v);
        }
        fn remove(&mut self, v: bool) {
            self.count -= 1;
            self.falses -= i64::from(!v);
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.count += other.count;
            self.falses += other.falses;
            Ok(())
        }
        fn finish(&self) -> Option<bool> {
            (self.count > 0).then_some(self.falses == 0)
        }
    }

    /// `bool_or`.
    #[derive(Clone, Default)]
    pub struct BoolOr {
        trues: i64,
        count: i64,
    }

    #[ext::aggregate(oid = 2518)]
    impl BoolOr {
        fn add(&mut self, v: bool) {
            self.count += 1;
            self.trues += i64::from(v);
        }
        fn remove(&mut self, v: bool) {
            self.count -= 1;
            self.trues -= i64::from(v);
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.count += other.count;
            self.trues += other.trues;
            Ok(())
        }
        fn finish(&self) -> Option<bool> {
            (self.count > 0).then_some(self.trues > 0)
        }
    }

    /// `bit_and` of integers.
    #[derive(Clone, Default)]
    pub struct BitAnd<T>(Option<T>);

    #[ext::aggregate(each(i16 = 2236, i32 = 2238, i64 = 2240))]
    impl<T: crate::arithmetic::Int> BitAnd<T> {
        fn add(&mut self, v: T) {
            self.0 = Some(self.0.map_or(v, |old| old.bit_and(v)));
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            other.0.into_iter().for_each(|v| self.add(v));
            Ok(())
        }
        fn finish(&self) -> Option<T> {
            self.0
        }
    }

    /// `bit_or` of integers.
    #[derive(Clone, Default)]
    pub struct BitOr<T>(Option<T>);

    #[ext::aggregate(each(i16 = 2237, i32 = 2239, i64 = 2241))]
    impl<T: crate::arithmetic::Int> BitOr<T> {
        fn add(&mut self, v: T) {
            self.0 = Some(self.0.map_or(v, |old| old.bit_or(v)));
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            other.0.into_iter().for_each(|v| self.add(v));
            Ok(())
        }
        fn finish(&self) -> Option<T> {
            self.0
        }
    }

    /// `bit_xor` of integers.
    #[derive(Clone, Default)]
    pub struct BitXor<T>(Option<T>);

    #[ext::aggregate(each(i16 = 6164, i32 = 6165, i64 = 6166))]
    impl<T: crate::arithmetic::Int> BitXor<T> {
        fn add(&mut self, v: T) {
            self.0 = Some(self.0.map_or(v, |old| old.bit_xor(v)));
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            other.0.into_iter().for_each(|v| self.add(v));
            Ok(())
        }
        fn finish(&self) -> Option<T> {
            self.0
        }
    }

    /// `string_agg(text, text)`: the first delimiter is not used.
    #[derive(Clone, Default)]
    pub struct StringAgg(Option<Vec<u8>>);

    #[ext::aggregate(oid = [3538, 3545])]
    impl StringAgg {
        fn add(&mut self, v: Option<&[u8]>, delimiter: Option<&[u8]>) {
            let Some(v) = v else { return };
            match &mut self.0 {
                Some(out) => {
                    out.extend_from_slice(delimiter.unwrap_or_default());
                    out.extend_from_slice(v);
                }
                None => self.0 = Some(v.to_vec()),
            }
        }
        fn bytes(&self) -> usize {
            self.0.as_ref().map_or(0, Vec::capacity)
        }
        fn finish(&self) -> Option<Vec<u8>> {
            self.0.clone()
        }
    }

    fn combine_bits(old: &Option<Vec<u8>>, v: Bits<'_>, what: &str, f: fn(u8, u8) -> u8) -> Result<Option<Vec<u8>>> {
        let Some(old) = old else { return Ok(Some(v.0.to_vec())) };
        let ((n, a), (m, b)) = (types::io::bits::parts(old), types::io::bits::parts(v.0));
        if n != m {
            return Err(SqlError::new(
                SqlState::STRING_DATA_LENGTH_MISMATCH,
                format!("cannot {what} bit strings of different sizes"),
            ));
        }
        let bits: Vec<u8> = a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect();
        Ok(types::io::bits::stored(n, &bits).as_bytes().map(<[u8]>::to_vec))
    }

    /// `bit_and(bit)`.
    #[derive(Clone, Default)]
    pub struct BitsAnd(Option<Vec<u8>>);

    #[ext::aggregate(oid = 2242)]
    impl BitsAnd {
        fn add(&mut self, v: Bits<'_>) -> Result<()> {
            self.0 = combine_bits(&self.0, v, "AND", |a, b| a & b)?;
            Ok(())
        }
        fn finish(&self) -> Option<Vec<u8>> {
            self.0.clone()
        }
    }

    /// `bit_or(bit)`.
    #[derive(Clone, Default)]
    pub struct BitsOr(Option<Vec<u8>>);

    #[ext::aggregate(oid = 2243)]
    impl BitsOr {
        fn add(&mut self, v: Bits<'_>) -> Result<()> {
            self.0 = combine_bits(&self.0, v, "OR", |a, b| a | b)?;
            Ok(())
        }
        fn finish(&self) -> Option<Vec<u8>> {
            self.0.clone()
        }
    }

    /// `bit_xor(bit)`.
    #[derive(Clone, Default)]
    pub struct BitsXor(Option<Vec<u8>>);

    #[ext::aggregate(oid = 6167)]
    impl BitsXor {
        fn add(&mut self, v: Bits<'_>) -> Result<()> {
            self.0 = combine_bits(&self.0, v, "XOR", |a, b| a ^ b)?;
            Ok(())
        }
        fn finish(&self) -> Option<Vec<u8>> {
            self.0.clone()
        }
    }
}
