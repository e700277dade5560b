//! Parts of arrays: slices, and assignment to elements and slices.

use super::{Array, DIMENSIONS_MAX, Dimension, check_dimensions, too_many_dimensions};
use crate::{Datum, Oid, Result, SqlError, SqlState};

fn subscript_error(message: &str) -> SqlError {
    SqlError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, message)
}

/// Lower and upper bound of a slice, where they were given.
pub type Bounds = [Option<i32>; 2];

/// Every place within `extents` (lower bound, length), in row-major order.
fn places(extents: &[(i64, i64)]) -> impl Iterator<Item = Vec<i64>> + '_ {
    let total: i64 = extents.iter().map(|e| e.1.max(0)).product();
    (0..total).map(move |mut n| {
        let mut place = vec![0; extents.len()];
        for (i, (lower, len)) in extents.iter().enumerate().rev() {
            place[i] = lower + n % len;
            n /= len;
        }
        place
    })
}

fn index_of(dimensions: &[Dimension], place: &[i64]) -> usize {
    dimensions.iter().zip(place).fold(0usize, |n, (d, p)| n * d.len as usize + (p - i64::from(d.lower)) as usize)
}

impl Array {
    /// The part within `bounds`, counted from 1; missing bounds are the array's own, missing dimensions are whole.
    #[must_use]
    pub fn slice(&self, bounds: &[Bounds]) -> Array {
        let empty = Array::empty(self.element);
        if self.dimensions.is_empty() || bounds.len() > self.dimensions.len() {
            return empty;
        }
        let mut extents = Vec::new();
        for (i, d) in self.dimensions.iter().enumerate() {
            let (first, last) = (i64::from(d.lower), i64::from(d.lower) + i64::from(d.len) - 1);
            let [low, high] = bounds.get(i).copied().unwrap_or([None, None]);
            let low = low.map_or(first, |l| i64::from(l).max(first));
            let high = high.map_or(last, |h| i64::from(h).min(last));
            if low > high {
                return empty;
            }
            extents.push((low, high - low + 1));
        }
        let values = places(&extents).map(|p| self.values[index_of(&self.dimensions, &p)].clone()).collect();
        let dimensions = extents.iter().map(|e| Dimension { len: e.1 as i32, lower: 1 }).collect();
        Array { element: self.element, dimensions, values }
    }

    /// The one-dimensional array `self`, made to reach from `low` to `high` at least; new elements are NULL.
    fn extended(mut self, low: i64, high: i64) -> Result<Array> {
        let d = self.dimensions[0];
        let (first, last) = (i64::from(d.lower), i64::from(d.lower) + i64::from(d.len) - 1);
        let (new_first, new_last) = (first.min(low), last.max(high));
        let len = i32::try_from(new_last - new_first + 1).map_err(|_| super::too_many_elements())?;
        let dimension = Dimension { len, lower: new_first as i32 };
        check_dimensions(&[dimension])?;
        let mut values = vec![Datum::Null; (first - new_first) as usize];
        values.append(&mut self.values);
        values.resize(len as usize, Datum::Null);
        Ok(Array { element: self.element, dimensions: vec![dimension], values })
    }

    /// The array with `value` at `subscripts`.
    ///
    /// # Errors
    /// `2202E`, `54000`.
    pub fn with_element(self, subscripts: &[i32], value: Datum) -> Result<Array> {
        if subscripts.len() > DIMENSIONS_MAX {
            return Err(too_many_dimensions());
        }
        if self.dimensions.is_empty() {
            let dimensions: Vec<Dimension> = subscripts.iter().map(|&s| Dimension { len: 1, lower: s }).collect();
            check_dimensions(&dimensions)?;
            return Ok(Array { element: self.element, dimensions, values: vec![value] });
        }
        if subscripts.len() != self.dimensions.len() {
            return Err(subscript_error("wrong number of array subscripts"));
        }
        let mut array = match subscripts {
            [one] => self.extended(i64::from(*one), i64::from(*one))?,
            _ => self,
        };
        let place: Vec<i64> = subscripts.iter().map(|&s| i64::from(s)).collect();
        let within = |(d, p): (&Dimension, &i64)| (0..i64::from(d.len)).contains(&(p - i64::from(d.lower)));
        if !array.dimensions.iter().zip(&place).all(within) {
            return Err(subscript_error("array subscript out of range"));
        }
        let index = index_of(&array.dimensions, &place);
        array.values[index] = value;
        Ok(array)
    }

    /// The array with the first elements of `source` within `bounds`.
    ///
    /// # Errors
    /// `2202E`, `54000`.
    pub fn with_slice(self, bounds: &[Bounds], source: &Array) -> Result<Array> {
        if bounds.len() > DIMENSIONS_MAX {
            return Err(too_many_dimensions());
        }
        let reversed = || subscript_error("upper bound cannot be less than lower bound");
        if self.dimensions.is_empty() {
            let mut dimensions = Vec::new();
            for [low, high] in bounds {
                let (Some(low), Some(high)) = (low, high) else {
                    return Err(subscript_error("array slice subscript must provide both boundaries").detail(
                        "When assigning to a slice of an empty array value, slice boundaries must be fully specified.",
                    ));
                };
                let len = i64::from(*high) - i64::from(*low) + 1;
                if len < 1 {
                    return Err(reversed());
                }
                let len = i32::try_from(len).map_err(|_| super::too_many_elements())?;
                dimensions.push(Dimension { len, lower: *low });
            }
            check_dimensions(&dimensions)?;
            let total: usize = dimensions.iter().map(|d| d.len as usize).product();
            if source.values.len() < total {
                return Err(subscript_error("source array too small"));
            }
            return Ok(Array { element: self.element, dimensions, values: source.values[..total].to_vec() });
        }
        if self.dimensions.len() < bounds.len() {
            return Err(subscript_error("wrong number of array subscripts"));
        }
        let mut extents = Vec::new();
        for (i, d) in self.dimensions.iter().enumerate() {
            let (first, last) = (i64::from(d.lower), i64::from(d.lower) + i64::from(d.len) - 1);
            let [low, high] = bounds.get(i).copied().unwrap_or([None, None]);
            let (low, high) = (low.map_or(first, i64::from), high.map_or(last, i64::from));
            if low > high {
                return Err(reversed());
            }
            if self.dimensions.len() > 1 && (low < first || high > last) {
                return Err(subscript_error("array subscript out of range"));
            }
            extents.push((low, high - low + 1));
        }
        let total: i64 = extents.iter().map(|e| e.1).product();
        if (source.values.len() as i64) < total {
            return Err(subscript_error("source array too small"));
        }
        let mut array = match extents[..] {
            [(low, len)] => self.extended(low, low + len - 1)?,
            _ => self,
        };
        for (place, value) in places(&extents).zip(&source.values) {
            let index = index_of(&array.dimensions, &place);
            array.values[index] = value.clone();
        }
        Ok(array)
    }
}

/// Assigns to a part of `array`, of elements of type `element`: to an element, or with `slice` to a slice, where an index alone was
/// written as an upper bound. NULL is an empty array.
///
/// # Errors
/// `22004`, `2202E`, `54000`.
pub fn assign(array: &Datum, element: Oid, bounds: &[[Option<Datum>; 2]], slice: bool, value: &Datum) -> Result<Datum> {
    let number = |d: &Option<Datum>| match d {
        None => Ok(None),
        Some(Datum::I32(n)) => Ok(Some(*n)),
        Some(_) => {
            Err(SqlError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "array subscript in assignment must not be null"))
        }
    };
    let mut numbers: Vec<Bounds> = Vec::with_capacity(bounds.len());
    for [low, high] in bounds {
        numbers.push([number(low)?, number(high)?]);
    }
    let current = if array.is_null() { Array::empty(element) } else { Array::from_datum(array) };
    if !slice {
        let subscripts: Vec<i32> = numbers.iter().map(|b| b[1].unwrap_or(1)).collect();
        return Ok(current.with_element(&subscripts, value.clone())?.to_datum());
    }
    if value.is_null() {
        return Ok(array.clone());
    }
    Ok(current.with_slice(&numbers, &Array::from_datum(value))?.to_datum())
}
