//! Exact sums of `numeric`, and what `sum` and `avg` keep of them.

use ext::Rowset;
use types::{Numeric, Result};
use vector::{Data, Vector};

use crate::decimal::Decimals;

/// An integer that needs no more alignment than others: a million groups have a state each.
#[derive(Clone, Copy, Default)]
#[repr(C, packed(8))]
struct Wide(i128);

/// An exact sum: of small numbers in an integer at one scale, of the rest as `numeric`.
#[derive(Clone, Default)]
pub struct ExactSum {
    small: Wide,
    rest: Option<Box<Numeric>>,
    scale: u16,
    scale_max: u16,
}

impl ExactSum {
    /// Adds a stored number.
    ///
    /// # Errors
    /// Overflow.
    pub fn add(&mut self, bytes: &[u8]) -> Result<()> {
        match Numeric::small_parts(bytes) {
            Some((c, s)) => self.add_small(c.into(), s.into()),
            None => self.add_big(&Numeric::from_bytes(bytes)),
        }
    }

    /// Adds `coefficient * 10^-scale`.
    ///
    /// # Errors
    /// Overflow.
    #[inline]
    pub fn add_small(&mut self, coefficient: i128, scale: u16) -> Result<()> {
        // Nearly always.
        if scale == self.scale
            && scale <= self.scale_max
            && let Some(sum) = { self.small.0 }.checked_add(coefficient)
        {
            self.small = Wide(sum);
            return Ok(());
        }
        self.add_unlike(coefficient, scale)
    }

    fn add_unlike(&mut self, coefficient: i128, scale: u16) -> Result<()> {
        self.scale_max = self.scale_max.max(scale);
        let (small, power) = ({ self.small.0 }, 10i128.checked_pow(scale.abs_diff(self.scale).into()));
        let aligned = if scale <= self.scale {
            power.and_then(|p| coefficient.checked_mul(p)).map(|c| (small, c))
        } else {
            power.and_then(|p| small.checked_mul(p)).map(|s| (s, coefficient))
        };
        match aligned.and_then(|(a, b)| a.checked_add(b)) {
            Some(sum) => (self.small, self.scale) = (Wide(sum), self.scale.max(scale)),
            None => {
                self.flush()?;
                (self.small, self.scale) = (Wide(coefficient), scale);
            }
        }
        Ok(())
    }

    /// Adds any number.
    ///
    /// # Errors
    /// Overflow.
    pub fn add_big(&mut self, v: &Numeric) -> Result<()> {
        // `numeric` has 16,383 places at most.
        self.scale_max = self.scale_max.max(v.scale().unwrap_or(0) as u16);
        self.rest = Some(Box::new(match self.rest.take() {
            Some(r) => r.add(v)?,
            None => v.clone(),
        }));
        Ok(())
    }

    fn small_value(&self) -> Numeric {
        scaled(self.small.0, self.scale.into())
    }

    fn flush(&mut self) -> Result<()> {
        let small = self.small_value();
        (self.small, self.scale) = (Wide(0), 0);
        self.add_big(&small)
    }

    /// Adds another sum.
    ///
    /// # Errors
    /// Overflow.
    pub fn merge(&mut self, other: &ExactSum) -> Result<()> {
        self.add_small(other.small.0, other.scale)?;
        self.scale_max = self.scale_max.max(other.scale_max);
        other.rest.as_ref().map_or(Ok(()), |r| self.add_big(r))
    }

    /// The sum, at the largest scale seen.
    ///
    /// # Errors
    /// Overflow.
    pub fn value(&self) -> Result<Numeric> {
        let sum = match &self.rest {
            Some(r) => r.add(&self.small_value())?,
            None => self.small_value(),
        };
        Ok(if sum.is_finite() { sum.round(self.scale_max.into()) } else { sum })
    }
}

/// The sum and the number of `numeric`s: what `sum` and `avg` keep.
#[derive(Clone, Default)]
pub struct Numbers {
    sum: ExactSum,
    count: i64,
}

impl Numbers {
    /// Adds a stored number.
    ///
    /// # Errors
    /// Overflow.
    pub fn add(&mut self, bytes: &[u8]) -> Result<()> {
        self.count += 1;
        self.sum.add(bytes)
    }

    /// Adds `count` numbers of one scale, whose coefficients come to `sum`.
    fn add_decimals(&mut self, sum: i128, count: i64, scale: u8) -> Result<()> {
        self.count += count;
        self.sum.add_small(sum, scale.into())
    }

    /// Adds a column to states, whose numbers `of` finds.
    ///
    /// # Errors
    /// Overflow.
    pub fn add_vector<S>(
        states: &mut [S],
        of: impl Fn(&mut S) -> &mut Numbers,
        args: &[&Vector],
        rows: Rowset<'_>,
        groups: Option<&[u32]>,
    ) -> Result<()> {
        let [values] = args else { return Err(ext::wrong_arguments("sum")) };
        let Some(decimals) = Decimals::of(values) else {
            let Data::Var(stored) = &values.data else { return Err(ext::wrong_arguments("sum")) };
            return rows.each(|row| {
                if values.nulls.get(row) {
                    return Ok(());
                }
                let group = groups.map_or(0, |g| g[row] as usize);
                of(&mut states[group]).add(stored.get(row))
            });
        };
        let scale = decimals.scale();
        match (rows, groups) {
            (Rowset::All(n), None) => of(&mut states[0]).add_decimals(decimals.sum(n), n as i64, scale),
            (rows, None) => {
                let (mut count, mut sum) = (0, 0);
                rows.each(|row| {
                    (count, sum) = (count + 1, sum + i128::from(decimals.get(row)));
                    Ok(())
                })?;
                if count > 0 { of(&mut states[0]).add_decimals(sum, count, scale) } else { Ok(()) }
            }
            (rows, Some(groups)) => {
                rows.each(|row| of(&mut states[groups[row] as usize]).add_decimals(decimals.get(row).into(), 1, scale))
            }
        }
    }

    /// Adds what another has.
    ///
    /// # Errors
    /// Overflow.
    pub fn merge(&mut self, other: &Numbers) -> Result<()> {
        self.count += other.count;
        self.sum.merge(&other.sum)
    }

    /// The sum; `None` of no numbers.
    ///
    /// # Errors
    /// Overflow.
    pub fn sum(&self) -> Result<Option<Numeric>> {
        if self.count == 0 { Ok(None) } else { self.sum.value().map(Some) }
    }

    /// The average; `None` of no numbers.
    ///
    /// # Errors
    /// Overflow.
    pub fn average(&self) -> Result<Option<Numeric>> {
        let Some(sum) = self.sum()? else { return Ok(None) };
        sum.div(&Numeric::from(self.count)).map(Some)
    }
}

/// `coefficient * 10^-scale`.
fn scaled(coefficient: i128, scale: u32) -> Numeric {
    match i64::try_from(coefficient) {
        Ok(c) if scale <= types::numeric::SMALL_SCALE_MAX.into() => Numeric::small(c, scale as u8),
        _ => {
            // Through a power of ten that is exact at any scale.
            let unit = Numeric::parse(&format!("1e-{scale}")).unwrap_or(Numeric::ONE);
            Numeric::from(coefficient).mul(&unit).unwrap_or(Numeric::NAN)
        }
    }
}
