//! Arithmetic and functions on floats.

use ext::Fail;
use types::Result;

/// A float result, refused when it overflowed or underflowed although the arguments were finite and not zero.
#[inline(always)]
fn checked<F: num_traits::Float>(result: F, infinite_in: bool, zero_ok: bool) -> Result<F, Fail> {
    if result.is_infinite() && !infinite_in {
        return Err(Fail::Overflow);
    }
    if result.is_zero() && !zero_ok {
        return Err(Fail::Underflow);
    }
    Ok(result)
}

/// The larger of two, NaN being larger than all.
fn larger_of(a: f64, b: f64) -> f64 {
    if types::compare::compare_f64(a, b).is_gt() { a } else { b }
}

/// The smaller of two, NaN being larger than all.
fn smaller_of(a: f64, b: f64) -> f64 {
    if types::compare::compare_f64(a, b).is_lt() { a } else { b }
}

/// `x` in degrees brought into `0..=quarter` by symmetries is exact where PostgreSQL's is: at 0, 30, 45, 60 and 90.
fn sine_of_quarter(x: f64) -> f64 {
    if x <= 30.0 { (x.to_radians().sin() / 30f64.to_radians().sin()) / 2.0 } else { cosine_to_60(90.0 - x) }
}

fn cosine_to_60(x: f64) -> f64 {
    let one_minus = 1.0 - x.to_radians().cos();
    1.0 - (one_minus / (1.0 - 60f64.to_radians().cos())) / 2.0
}

fn cosine_of_quarter(x: f64) -> f64 {
    if x <= 60.0 { cosine_to_60(x) } else { (((90.0 - x).to_radians()).sin() / 30f64.to_radians().sin()) / 2.0 }
}

/// The angle of the first quarter that `v` degrees are like, and the signs of their sine and their cosine.
fn first_quarter(v: f64) -> (f64, f64, f64) {
    let (mut x, mut sine, mut cosine) = (v % 360.0, 1.0, 1.0);
    if x < 0.0 {
        (x, sine) = (-x, -sine);
    }
    if x > 180.0 {
        (x, sine) = (360.0 - x, -sine);
    }
    if x > 90.0 {
        (x, cosine) = (180.0 - x, -cosine);
    }
    (x, sine, cosine)
}

fn sine_degrees(v: f64) -> f64 {
    let (x, sign, _) = first_quarter(v);
    sign * sine_of_quarter(x)
}

fn cosine_degrees(v: f64) -> f64 {
    let (x, _, sign) = first_quarter(v);
    sign * cosine_of_quarter(x)
}

/// Tangent (or, of `90 - x`, cotangent) with the signs of the quarters.
fn tangent_degrees(v: f64, cotangent: bool) -> f64 {
    let (x, sine, cosine) = first_quarter(v);
    let sign = sine * cosine;
    let (s, c) = (sine_of_quarter(x), cosine_of_quarter(x));
    let (s45, c45) = (sine_of_quarter(45.0), cosine_of_quarter(45.0));
    let result = if cotangent { sign * ((c / s) / (c45 / s45)) } else { sign * ((s / c) / (s45 / c45)) };
    // No negative zero.
    if result == 0.0 { 0.0 } else { result }
}

fn arcsine_of_quarter(x: f64) -> f64 {
    if x <= 0.5 { (x.asin() / 0.5f64.asin()) * 30.0 } else { 90.0 - (x.acos() / 0.5f64.acos()) * 60.0 }
}

fn arccosine_of_quarter(x: f64) -> f64 {
    if x <= 0.5 { 90.0 - (x.asin() / 0.5f64.asin()) * 30.0 } else { (x.acos() / 0.5f64.acos()) * 60.0 }
}

fn power_of(a: f64, b: f64) -> Result<f64, Fail> {
    if a.is_nan() {
        return Ok(if b == 0.0 { 1.0 } else { a });
    }
    if b.is_nan() {
        return Ok(if a == 1.0 { 1.0 } else { b });
    }
    if a == 0.0 && b < 0.0 {
        return Err(Fail::ZeroToNegativePower);
    }
    if a < 0.0 && b.floor() != b {
        return Err(Fail::NegativeToFraction);
    }
    let result = a.powf(b);
    if b.is_infinite() || a.is_infinite() {
        return Ok(result);
    }
    checked(result, false, a == 0.0)
}

#[ext::module]
pub(crate) mod functions {
    use types::{SqlError, SqlState};

    use super::*;

    #[ext::function(each((f64, f64) = 218, (f32, f64) = 281, (f64, f32) = 285))]
    #[inline]
    pub fn add<A: Into<f64>, B: Into<f64>>(a: A, b: B) -> Result<f64, Fail> {
        let (a, b) = (a.into(), b.into());
        checked(a + b, a.is_infinite() || b.is_infinite(), true)
    }

    #[ext::function(each((f64, f64) = 219, (f32, f64) = 282, (f64, f32) = 286))]
    #[inline]
    pub fn subtract<A: Into<f64>, B: Into<f64>>(a: A, b: B) -> Result<f64, Fail> {
        let (a, b) = (a.into(), b.into());
        checked(a - b, a.is_infinite() || b.is_infinite(), true)
    }

    #[ext::function(each((f64, f64) = 216, (f32, f64) = 279, (f64, f32) = 283))]
    #[inline]
    pub fn multiply<A: Into<f64>, B: Into<f64>>(a: A, b: B) -> Result<f64, Fail> {
        let (a, b) = (a.into(), b.into());
        checked(a * b, a.is_infinite() || b.is_infinite(), a == 0.0 || b == 0.0)
    }

    #[ext::function(each((f64, f64) = 217, (f32, f64) = 280, (f64, f32) = 284))]
    #[inline]
    pub fn divide<A: Into<f64>, B: Into<f64>>(a: A, b: B) -> Result<f64, Fail> {
        let (a, b) = (a.into(), b.into());
        if b == 0.0 && !a.is_nan() {
            return Err(Fail::DivisionByZero);
        }
        checked(a / b, a.is_infinite(), a == 0.0 || b.is_infinite())
    }

    #[ext::function(oid = 204)]
    #[inline]
    pub fn add4(a: f32, b: f32) -> Result<f32, Fail> {
        checked(a + b, a.is_infinite() || b.is_infinite(), true)
    }

    #[ext::function(oid = 205)]
    #[inline]
    pub fn subtract4(a: f32, b: f32) -> Result<f32, Fail> {
        checked(a - b, a.is_infinite() || b.is_infinite(), true)
    }

    #[ext::function(oid = 202)]
    #[inline]
    pub fn multiply4(a: f32, b: f32) -> Result<f32, Fail> {
        checked(a * b, a.is_infinite() || b.is_infinite(), a == 0.0 || b == 0.0)
    }

    #[ext::function(oid = 203)]
    #[inline]
    pub fn divide4(a: f32, b: f32) -> Result<f32, Fail> {
        if b == 0.0 && !a.is_nan() {
            return Err(Fail::DivisionByZero);
        }
        checked(a / b, a.is_infinite(), a == 0.0 || b.is_infinite())
    }

    #[ext::function(each(f64 = 220, f32 = 206))]
    pub fn negate<T: std::ops::Neg<Output = T>>(v: T) -> T {
        -v
    }

    #[ext::function(each(f64 = 1914, f32 = 1913))]
    pub fn plus_sign<T>(v: T) -> T {
        v
    }

    #[ext::function(oid = [221, 1395])]
    pub fn abs(v: f64) -> f64 {
        v.abs()
    }

    #[ext::function(oid = [207, 1394])]
    pub fn abs4(v: f32) -> f32 {
        v.abs()
    }

    #[ext::function(oid = 223)]
    pub fn larger(a: f64, b: f64) -> f64 {
        larger_of(a, b)
    }

    #[ext::function(oid = 224)]
    pub fn smaller(a: f64, b: f64) -> f64 {
        smaller_of(a, b)
    }

    #[ext::function(oid = 209)]
    pub fn larger4(a: f32, b: f32) -> f32 {
        larger_of(a.into(), b.into()) as f32
    }

    #[ext::function(oid = 211)]
    pub fn smaller4(a: f32, b: f32) -> f32 {
        smaller_of(a.into(), b.into()) as f32
    }

    #[ext::function(oid = [228, 1342])]
    pub fn round(v: f64) -> f64 {
        v.round_ties_even()
    }

    #[ext::function(oid = [229, 1343])]
    pub fn trunc(v: f64) -> f64 {
        v.trunc()
    }

    #[ext::function(oid = [2308, 2320])]
    pub fn ceil(v: f64) -> f64 {
        v.ceil()
    }

    #[ext::function(oid = 2309)]
    pub fn floor(v: f64) -> f64 {
        v.floor()
    }

    #[ext::function(oid = 2310)]
    pub fn sign(v: f64) -> f64 {
        if v > 0.0 {
            1.0
        } else if v < 0.0 {
            -1.0
        } else {
            0.0
        }
    }

    #[ext::function(oid = [230, 1344])]
    pub fn sqrt(v: f64) -> Result<f64, Fail> {
        if v < 0.0 { Err(Fail::NegativeSquareRoot) } else { Ok(v.sqrt()) }
    }

    #[ext::function(oid = [231, 1345])]
    pub fn cbrt(v: f64) -> f64 {
        v.cbrt()
    }

    #[ext::function(oid = [232, 1346, 1368])]
    pub fn power(a: f64, b: f64) -> Result<f64, Fail> {
        power_of(a, b)
    }

    #[ext::function(oid = [233, 1347])]
    pub fn exp(v: f64) -> Result<f64, Fail> {
        if v.is_nan() || v.is_infinite() {
            return Ok(if v == f64::NEG_INFINITY { 0.0 } else { v });
        }
        checked(v.exp(), false, false)
    }

    #[ext::function(oid = [234, 1341])]
    pub fn ln(v: f64) -> Result<f64, Fail> {
        if v == 0.0 {
            return Err(Fail::LogarithmOfZero);
        }
        if v < 0.0 {
            return Err(Fail::LogarithmOfNegative);
        }
        Ok(v.ln())
    }

    #[ext::function(oid = [1194, 1339, 1340])]
    pub fn log10(v: f64) -> Result<f64, Fail> {
        if v == 0.0 {
            return Err(Fail::LogarithmOfZero);
        }
        if v < 0.0 {
            return Err(Fail::LogarithmOfNegative);
        }
        Ok(v.log10())
    }

    #[ext::function(oid = 1610)]
    pub fn pi() -> f64 {
        std::f64::consts::PI
    }

    #[ext::function(oid = 1608)]
    pub fn degrees(v: f64) -> Result<f64, Fail> {
        checked(v / (std::f64::consts::PI / 180.0), v.is_infinite(), v == 0.0)
    }

    #[ext::function(oid = 1609)]
    pub fn radians(v: f64) -> Result<f64, Fail> {
        checked(v * (std::f64::consts::PI / 180.0), v.is_infinite(), v == 0.0)
    }

    #[ext::function(oid = 1604)]
    pub fn sin(v: f64) -> Result<f64, Fail> {
        if v.is_infinite() { Err(Fail::InputOutOfRange) } else { Ok(v.sin()) }
    }

    #[ext::function(oid = 1605)]
    pub fn cos(v: f64) -> Result<f64, Fail> {
        if v.is_infinite() { Err(Fail::InputOutOfRange) } else { Ok(v.cos()) }
    }

    #[ext::function(oid = 1606)]
    pub fn tan(v: f64) -> Result<f64, Fail> {
        if v.is_infinite() { Err(Fail::InputOutOfRange) } else { Ok(v.tan()) }
    }

    #[ext::function(oid = 1607)]
    pub fn cot(v: f64) -> Result<f64, Fail> {
        if v.is_infinite() { Err(Fail::InputOutOfRange) } else { Ok(1.0 / v.tan()) }
    }

    #[ext::function(oid = 1600)]
    pub fn asin(v: f64) -> Result<f64, Fail> {
        if v.is_nan() || (-1.0..=1.0).contains(&v) { Ok(v.asin()) } else { Err(Fail::InputOutOfRange) }
    }

    #[ext::function(oid = 1601)]
    pub fn acos(v: f64) -> Result<f64, Fail> {
        if v.is_nan() || (-1.0..=1.0).contains(&v) { Ok(v.acos()) } else { Err(Fail::InputOutOfRange) }
    }

    #[ext::function(oid = 1602)]
    pub fn atan(v: f64) -> f64 {
        v.atan()
    }

    #[ext::function(oid = 1603)]
    pub fn atan2(a: f64, b: f64) -> f64 {
        a.atan2(b)
    }

    #[ext::function(oid = 2735)]
    pub fn sind(v: f64) -> Result<f64, Fail> {
        if v.is_infinite() { Err(Fail::InputOutOfRange) } else { Ok(sine_degrees(v)) }
    }

    #[ext::function(oid = 2736)]
    pub fn cosd(v: f64) -> Result<f64, Fail> {
        if v.is_infinite() { Err(Fail::InputOutOfRange) } else { Ok(cosine_degrees(v)) }
    }

    #[ext::function(oid = 2737)]
    pub fn tand(v: f64) -> Result<f64, Fail> {
        if v.is_infinite() { Err(Fail::InputOutOfRange) } else { Ok(tangent_degrees(v, false)) }
    }

    #[ext::function(oid = 2738)]
    pub fn cotd(v: f64) -> Result<f64, Fail> {
        if v.is_infinite() { Err(Fail::InputOutOfRange) } else { Ok(tangent_degrees(v, true)) }
    }

    #[ext::function(oid = 2731)]
    pub fn asind(v: f64) -> Result<f64, Fail> {
        if v.is_nan() {
            return Ok(v);
        }
        if !(-1.0..=1.0).contains(&v) {
            return Err(Fail::InputOutOfRange);
        }
        Ok(if v >= 0.0 { arcsine_of_quarter(v) } else { -arcsine_of_quarter(-v) })
    }

    #[ext::function(oid = 2732)]
    pub fn acosd(v: f64) -> Result<f64, Fail> {
        if v.is_nan() {
            return Ok(v);
        }
        if !(-1.0..=1.0).contains(&v) {
            return Err(Fail::InputOutOfRange);
        }
        Ok(if v >= 0.0 { arccosine_of_quarter(v) } else { 90.0 + arcsine_of_quarter(-v) })
    }

    #[ext::function(oid = 2733)]
    pub fn atand(v: f64) -> f64 {
        (v.atan() / 1f64.atan()) * 45.0
    }

    #[ext::function(oid = 2734)]
    pub fn atan2d(a: f64, b: f64) -> f64 {
        (a.atan2(b) / 1f64.atan()) * 45.0
    }

    #[ext::function(oid = 2462)]
    pub fn sinh(v: f64) -> f64 {
        v.sinh()
    }

    #[ext::function(oid = 2463)]
    pub fn cosh(v: f64) -> f64 {
        v.cosh()
    }

    #[ext::function(oid = 2464)]
    pub fn tanh(v: f64) -> f64 {
        v.tanh()
    }

    #[ext::function(oid = 2465)]
    pub fn asinh(v: f64) -> f64 {
        libm::asinh(v)
    }

    #[ext::function(oid = 2466)]
    pub fn acosh(v: f64) -> Result<f64, Fail> {
        if v < 1.0 { Err(Fail::InputOutOfRange) } else { Ok(libm::acosh(v)) }
    }

    #[ext::function(oid = 2467)]
    pub fn atanh(v: f64) -> Result<f64, Fail> {
        if !(-1.0..=1.0).contains(&v) && !v.is_nan() { Err(Fail::InputOutOfRange) } else { Ok(libm::atanh(v)) }
    }

    #[ext::function(oid = 6219)]
    pub fn erf(v: f64) -> f64 {
        libm::erf(v)
    }

    #[ext::function(oid = 6220)]
    pub fn erfc(v: f64) -> f64 {
        libm::erfc(v)
    }

    #[ext::function(oid = 6383)]
    pub fn gamma(v: f64) -> Result<f64, Fail> {
        if v == f64::NEG_INFINITY {
            return Err(Fail::Overflow);
        }
        if v.is_nan() || v.is_infinite() {
            return Ok(v);
        }
        let result = libm::tgamma(v);
        if result.is_nan() || result.is_infinite() {
            return Err(Fail::Overflow);
        }
        if result == 0.0 { Err(Fail::Underflow) } else { Ok(result) }
    }

    #[ext::function(oid = 6384)]
    pub fn lgamma(v: f64) -> Result<f64, Fail> {
        checked(libm::lgamma(v), v.is_infinite(), true)
    }

    #[ext::function(oid = 320)]
    pub fn width_bucket(v: f64, low: f64, high: f64, count: i32) -> Result<i32> {
        let refuse = |m: &str| Err(SqlError::new(SqlState::INVALID_ARGUMENT_FOR_WIDTH_BUCKET, m));
        if count <= 0 {
            return refuse("count must be greater than zero");
        }
        if v.is_nan() || low.is_nan() || high.is_nan() {
            return refuse("operand, lower bound, and upper bound cannot be NaN");
        }
        if low.is_infinite() || high.is_infinite() {
            return refuse("lower and upper bounds must be finite");
        }
        let above = || count.checked_add(1).ok_or(SqlError::from(Fail::IntegerOutOfRange));
        let place = |from: f64, to: f64, v: f64| {
            // Halves keep the span of the widest bounds finite.
            let part = if (to - from).is_finite() {
                (v - from) / (to - from)
            } else {
                (v / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0)
            };
            let bucket = (f64::from(count) * part) as i32;
            bucket.min(count - 1) + 1
        };
        match low.partial_cmp(&high) {
            Some(std::cmp::Ordering::Less) => {
                if v < low {
                    Ok(0)
                } else if v >= high {
                    above()
                } else {
                    Ok(place(low, high, v))
                }
            }
            Some(std::cmp::Ordering::Greater) => {
                if v > low {
                    Ok(0)
                } else if v <= high {
                    above()
                } else {
                    Ok(place(-low, -high, -v))
                }
            }
            _ => refuse("lower bound cannot equal upper bound"),
        }
    }
}
