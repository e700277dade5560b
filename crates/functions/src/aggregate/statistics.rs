//! Variances, deviations, regressions.

use ext::Fail;
use types::{Numeric, Result};

use super::exact_sum::ExactSum;

/// Count, sum, and sum of squared differences from the mean, brought up to date row by row (Youngs and Cramer).
#[derive(Clone, Copy, Default, Debug)]
pub struct Moments {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, v: f64) -> Result<()> {
        let before = *self;
        self.n += 1.0;
        self.sum += v;
        if before.n > 0.0 {
            let t = v * self.n - self.sum;
            self.squares += t * t / (self.n * before.n);
            if self.sum.is_infinite() || self.squares.is_infinite() {
                if !before.sum.is_infinite() && !v.is_infinite() {
                    return Err(Fail::Overflow.into());
                }
                self.squares = f64::NAN;
            }
        } else if !v.is_finite() {
            self.squares = f64::NAN;
        }
        Ok(())
    }

    fn merge(&mut self, other: &Moments) -> Result<()> {
        if other.n == 0.0 {
            return Ok(());
        }
        if self.n == 0.0 {
            *self = *other;
            return Ok(());
        }
        let n = self.n + other.n;
        let d = self.sum / self.n - other.sum / other.n;
        self.squares += other.squares + self.n * other.n * d * d / n;
        (self.n, self.sum) = (n, self.sum + other.sum);
        Ok(())
    }

    fn variance(&self, sample: bool) -> Option<f64> {
        let least = if sample { 2.0 } else { 1.0 };
        (self.n >= least).then(|| self.squares / if sample { self.n - 1.0 } else { self.n })
    }
}

/// Count, sum and sum of squares, exact.
#[derive(Clone, Default)]
pub struct ExactMoments {
    n: i64,
    sum: ExactSum,
    squares: ExactSum,
    special: bool,
}

impl ExactMoments {
    fn add(&mut self, v: &Numeric) -> Result<()> {
        self.n += 1;
        if !v.is_finite() {
            self.special = true;
            return Ok(());
        }
        self.sum.add_big(v)?;
        self.squares.add_big(&v.mul(v)?)
    }

    fn add_int(&mut self, v: i64) -> Result<()> {
        self.n += 1;
        let v = i128::from(v);
        self.sum.add_small(v, 0)?;
        self.squares.add_small(v * v, 0)
    }

    fn merge(&mut self, other: &ExactMoments) -> Result<()> {
        self.n += other.n;
        self.special |= other.special;
        self.sum.merge(&other.sum)?;
        self.squares.merge(&other.squares)
    }

    fn result(&self, sample: bool, root: bool) -> Result<Option<Numeric>> {
        if self.n == 0 || (sample && self.n == 1) {
            return Ok(None);
        }
        if self.special {
            return Ok(Some(Numeric::NAN));
        }
        let n = Numeric::from(self.n);
        let sum = self.sum.value()?;
        let numerator = n.mul(&self.squares.value()?)?.sub(&sum.mul(&sum)?)?;
        if numerator.is_zero() || numerator.is_negative() {
            return Ok(Some(Numeric::ZERO));
        }
        let divisor = n.mul(&if sample { Numeric::from(self.n - 1) } else { n.clone() })?;
        let variance = numerator.div(&divisor)?;
        if root { variance.sqrt_at(variance.scale().unwrap_or(0)).map(Some) } else { Ok(Some(variance)) }
    }
}

/// Sums over pairs, as [`Moments`].
#[derive(Clone, Copy, Default, Debug)]
pub struct Pairs {
    n: f64,
    sx: f64,
    sxx: f64,
    sy: f64,
    syy: f64,
    sxy: f64,
}

impl Pairs {
    fn add(&mut self, y: f64, x: f64) -> Result<()> {
        let before = *self;
        self.n += 1.0;
        self.sx += x;
        self.sy += y;
        if before.n > 0.0 {
            let (tx, ty) = (x * self.n - self.sx, y * self.n - self.sy);
            let scale = 1.0 / (self.n * before.n);
            self.sxx += tx * tx * scale;
            self.syy += ty * ty * scale;
            self.sxy += tx * ty * scale;
            let all = [self.sx, self.sxx, self.sy, self.syy, self.sxy];
            if all.iter().any(|v| v.is_infinite()) {
                let fresh = |before: f64, v: f64| !before.is_infinite() && !v.is_infinite();
                let overflow = ((self.sx.is_infinite() || self.sxx.is_infinite()) && fresh(before.sx, x))
                    || ((self.sy.is_infinite() || self.syy.is_infinite()) && fresh(before.sy, y))
                    || (self.sxy.is_infinite() && fresh(before.sx, x) && fresh(before.sy, y));
                if overflow {
                    return Err(Fail::Overflow.into());
                }
                for v in [&mut self.sxx, &mut self.syy, &mut self.sxy] {
                    if v.is_infinite() {
                        *v = f64::NAN;
                    }
                }
            }
        } else {
            if !x.is_finite() {
                (self.sxx, self.sxy) = (f64::NAN, f64::NAN);
            }
            if !y.is_finite() {
                (self.syy, self.sxy) = (f64::NAN, f64::NAN);
            }
        }
        Ok(())
    }
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    macro_rules! float {
        ($($name:ident = $sample:literal, $root:literal);*) => {$(
            /// A variance or deviation of floats.
            #[derive(Clone, Default)]
            pub struct $name(Moments);
            impl $name {
                fn value(&self) -> Option<f64> {
                    self.0.variance($sample).map(|v| if $root { v.sqrt() } else { v })
                }
            }
        )*};
    }
    float!(VarSampFloat = true, false; VarPopFloat = false, false; StddevSampFloat = true, true; StddevPopFloat = false, true);

    /// `avg` of floats.
    #[derive(Clone, Default)]
    pub struct AvgFloat<T>(Moments, std::marker::PhantomData<T>);

    #[ext::aggregate(each(f32 = 2104, f64 = 2105))]
    impl<T: Into<f64>> AvgFloat<T> {
        fn add(&mut self, v: T) -> Result<()> {
            self.0.add(v.into())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.merge(&other.0)
        }
        fn finish(&self) -> Option<f64> {
            (self.0.n > 0.0).then(|| self.0.sum / self.0.n)
        }
    }

    /// As its name says; one type for both widths of floats.
    #[derive(Clone, Default)]
    pub struct VarSamp<T>(VarSampFloat, std::marker::PhantomData<T>);

    #[ext::aggregate(each(f32 = [2644, 2151], f64 = [2645, 2152]))]
    impl<T: Into<f64>> VarSamp<T> {
        fn add(&mut self, v: T) -> Result<()> {
            self.0.0.add(v.into())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.0.merge(&other.0.0)
        }
        fn finish(&self) -> Option<f64> {
            self.0.value()
        }
    }

    /// As its name says.
    #[derive(Clone, Default)]
    pub struct VarPop<T>(VarPopFloat, std::marker::PhantomData<T>);

    #[ext::aggregate(each(f32 = 2721, f64 = 2722))]
    impl<T: Into<f64>> VarPop<T> {
        fn add(&mut self, v: T) -> Result<()> {
            self.0.0.add(v.into())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.0.merge(&other.0.0)
        }
        fn finish(&self) -> Option<f64> {
            self.0.value()
        }
    }

    /// As its name says.
    #[derive(Clone, Default)]
    pub struct StddevSamp<T>(StddevSampFloat, std::marker::PhantomData<T>);

    #[ext::aggregate(each(f32 = [2715, 2157], f64 = [2716, 2158]))]
    impl<T: Into<f64>> StddevSamp<T> {
        fn add(&mut self, v: T) -> Result<()> {
            self.0.0.add(v.into())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.0.merge(&other.0.0)
        }
        fn finish(&self) -> Option<f64> {
            self.0.value()
        }
    }

    /// As its name says.
    #[derive(Clone, Default)]
    pub struct StddevPop<T>(StddevPopFloat, std::marker::PhantomData<T>);

    #[ext::aggregate(each(f32 = 2727, f64 = 2728))]
    impl<T: Into<f64>> StddevPop<T> {
        fn add(&mut self, v: T) -> Result<()> {
            self.0.0.add(v.into())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.0.merge(&other.0.0)
        }
        fn finish(&self) -> Option<f64> {
            self.0.value()
        }
    }

    /// As its name says, of integers.
    #[derive(Clone, Default)]
    pub struct VarSampInt<T>(ExactMoments, std::marker::PhantomData<T>);

    #[ext::aggregate(each(i16 = [2643, 2150], i32 = [2642, 2149], i64 = [2641, 2148]))]
    impl<T: Into<i64>> VarSampInt<T> {
        fn add(&mut self, v: T) -> Result<()> {
            self.0.add_int(v.into())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.merge(&other.0)
        }
        fn finish(&self) -> Result<Option<Numeric>> {
            self.0.result(true, false)
        }
    }

    /// As its name says, of integers.
    #[derive(Clone, Default)]
    pub struct VarPopInt<T>(ExactMoments, std::marker::PhantomData<T>);

    #[ext::aggregate(each(i16 = 2720, i32 = 2719, i64 = 2718))]
    impl<T: Into<i64>> VarPopInt<T> {
        fn add(&mut self, v: T) -> Result<()> {
            self.0.add_int(v.into())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.merge(&other.0)
        }
        fn finish(&self) -> Result<Option<Numeric>> {
            self.0.result(false, false)
        }
    }

    /// As its name says, of integers.
    #[derive(Clone, Default)]
    pub struct StddevSampInt<T>(ExactMoments, std::marker::PhantomData<T>);

    #[ext::aggregate(each(i16 = [2714, 2156], i32 = [2713, 2155], i64 = [2712, 2154]))]
    impl<T: Into<i64>> StddevSampInt<T> {
        fn add(&mut self, v: T) -> Result<()> {
            self.0.add_int(v.into())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.merge(&other.0)
        }
        fn finish(&self) -> Result<Option<Numeric>> {
            self.0.result(true, true)
        }
    }

    /// As its name says, of integers.
    #[derive(Clone, Default)]
    pub struct StddevPopInt<T>(ExactMoments, std::marker::PhantomData<T>);

    #[ext::aggregate(each(i16 = 2726, i32 = 2725, i64 = 2724))]
    impl<T: Into<i64>> StddevPopInt<T> {
        fn add(&mut self, v: T) -> Result<()> {
            self.0.add_int(v.into())
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.merge(&other.0)
        }
        fn finish(&self) -> Result<Option<Numeric>> {
            self.0.result(false, true)
        }
    }

    /// As its name says.
    #[derive(Clone, Default)]
    pub struct VarSampNumeric(ExactMoments);

    #[ext::aggregate(oid = [2646, 2153])]
    impl VarSampNumeric {
        fn add(&mut self, v: Numeric) -> Result<()> {
            self.0.add(&v)
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.merge(&other.0)
        }
        fn finish(&self) -> Result<Option<Numeric>> {
            self.0.result(true, false)
        }
    }

    /// As its name says.
    #[derive(Clone, Default)]
    pub struct VarPopNumeric(ExactMoments);

    #[ext::aggregate(oid = 2723)]
    impl VarPopNumeric {
        fn add(&mut self, v: Numeric) -> Result<()> {
            self.0.add(&v)
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.merge(&other.0)
        }
        fn finish(&self) -> Result<Option<Numeric>> {
            self.0.result(false, false)
        }
    }

    /// As its name says.
    #[derive(Clone, Default)]
    pub struct StddevSampNumeric(ExactMoments);

    #[ext::aggregate(oid = [2717, 2159])]
    impl StddevSampNumeric {
        fn add(&mut self, v: Numeric) -> Result<()> {
            self.0.add(&v)
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.merge(&other.0)
        }
        fn finish(&self) -> Result<Option<Numeric>> {
            self.0.result(true, true)
        }
    }

    /// As its name says.
    #[derive(Clone, Default)]
    pub struct StddevPopNumeric(ExactMoments);

    #[ext::aggregate(oid = 2729)]
    impl StddevPopNumeric {
        fn add(&mut self, v: Numeric) -> Result<()> {
            self.0.add(&v)
        }
        fn merge(&mut self, other: &Self) -> Result<()> {
            self.0.merge(&other.0)
        }
        fn finish(&self) -> Result<Option<Numeric>> {
            self.0.result(false, true)
        }
    }

    /// `regr_count`.
    #[derive(Clone, Default)]
    pub struct RegrCount(i64);

    #[ext::aggregate(oid = 2818)]
    impl RegrCount {
        fn add(&mut self, _: f64, _: f64) {
            self.0 += 1;
        }
        fn finish(&self) -> i64 {
            self.0
        }
    }

    /// `regr_sxx`.
    #[derive(Clone, Default)]
    pub struct RegrSxx(Pairs);

    #[ext::aggregate(oid = 2819)]
    impl RegrSxx {
        fn add(&mut self, y: f64, x: f64) -> Result<()> {
            self.0.add(y, x)
        }
        fn finish(&self) -> Option<f64> {
            (self.0.n >= 1.0).then_some(self.0.sxx)
        }
    }

    /// `regr_syy`.
    #[derive(Clone, Default)]
    pub struct RegrSyy(Pairs);

    #[ext::aggregate(oid = 2820)]
    impl RegrSyy {
        fn add(&mut self, y: f64, x: f64) -> Result<()> {
            self.0.add(y, x)
        }
        fn finish(&self) -> Option<f64> {
            (self.0.n >= 1.0).then_some(self.0.syy)
        }
    }

    /// `regr_sxy`.
    #[derive(Clone, Default)]
    pub struct RegrSxy(Pairs);

    #[ext::aggregate(oid = 2821)]
    impl RegrSxy {
        fn add(&mut self, y: f64, x: f64) -> Result<()> {
            self.0.add(y, x)
        }
        fn finish(&self) -> Option<f64> {
            (self.0.n >= 1.0).then_some(self.0.sxy)
        }
    }

    /// `regr_avgx`.
    #[derive(Clone, Default)]
    pub struct RegrAvgX(Pairs);

    #[ext::aggregate(oid = 2822)]
    impl RegrAvgX {
        fn add(&mut self, y: f64, x: f64) -> Result<()> {
            self.0.add(y, x)
        }
        fn finish(&self) -> Option<f64> {
            (self.0.n >= 1.0).then(|| self.0.sx / self.0.n)
        }
    }

    /// `regr_avgy`.
    #[derive(Clone, Default)]
    pub struct RegrAvgY(Pairs);

    #[ext::aggregate(oid = 2823)]
    impl RegrAvgY {
        fn add(&mut self, y: f64, x: f64) -> Result<()> {
            self.0.add(y, x)
        }
        fn finish(&self) -> Option<f64> {
            (self.0.n >= 1.0).then(|| self.0.sy / self.0.n)
        }
    }

    /// `regr_r2`.
    #[derive(Clone, Default)]
    pub struct RegrR2(Pairs);

    #[ext::aggregate(oid = 2824)]
    impl RegrR2 {
        fn add(&mut self, y: f64, x: f64) -> Result<()> {
            self.0.add(y, x)
        }
        fn finish(&self) -> Option<f64> {
            let p = &self.0;
            if p.n < 1.0 || p.sxx == 0.0 {
                return None;
            }
            Some(if p.syy == 0.0 { 1.0 } else { p.sxy * p.sxy / (p.sxx * p.syy) })
        }
    }

    /// `regr_slope`.
    #[derive(Clone, Default)]
    pub struct RegrSlope(Pairs);

    #[ext::aggregate(oid = 2825)]
    impl RegrSlope {
        fn add(&mut self, y: f64, x: f64) -> Result<()> {
            self.0.add(y, x)
        }
        fn finish(&self) -> Option<f64> {
            (self.0.n >= 1.0 && self.0.sxx != 0.0).then(|| self.0.sxy / self.0.sxx)
        }
    }

    /// `regr_intercept`.
    #[derive(Clone, Default)]
    pub struct RegrIntercept(Pairs);

    #[ext::aggregate(oid = 2826)]
    impl RegrIntercept {
        fn add(&mut self, y: f64, x: f64) -> Result<()> {
            self.0.add(y, x)
        }
        fn finish(&self) -> Option<f64> {
            let p = &self.0;
            (p.n >= 1.0 && p.sxx != 0.0).then(|| (p.sy - p.sx * p.sxy / p.sxx) / p.n)
        }
    }

    /// `covar_pop`.
    #[derive(Clone, Default)]
    pub struct CovarPop(Pairs);

    #[ext::aggregate(oid = 2827)]
    impl CovarPop {
        fn add(&mut self, y: f64, x: f64) -> Result<()> {
            self.0.add(y, x)
        }
        fn finish(&self) -> Option<f64> {
            (self.0.n >= 1.0).then(|| self.0.sxy / self.0.n)
        }
    }

    /// `covar_samp`.
    #[derive(Clone, Default)]
    pub struct CovarSamp(Pairs);

    #[ext::aggregate(oid = 2828)]
    impl CovarSamp {
        fn add(&mut self, y: f64, x: f64) -> Result<()> {
            self.0.add(y, x)
        }
        fn finish(&self) -> Option<f64> {
            (self.0.n >= 2.0).then(|| self.0.sxy / (self.0.n - 1.0))
        }
    }

    /// `corr`.
    #[derive(Clone, Default)]
    pub struct Corr(Pairs);

    #[ext::aggregate(oid = 2829)]
    impl Corr {
        fn add(&mut self, y: f64, x: f64) -> Result<()> {
            self.0.add(y, x)
        }
        fn finish(&self) -> Option<f64> {
            let p = &self.0;
            (p.n >= 1.0 && p.sxx != 0.0 && p.syy != 0.0).then(|| (p.sxy / (p.sxx * p.syy).sqrt()).clamp(-1.0, 1.0))
        }
    }
}
