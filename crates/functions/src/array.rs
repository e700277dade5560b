//! Functions on arrays.

use ext::Call;
use types::array::{Array, ArrayView, Dimension, check_dimensions};
use types::compare::compare_with;
use types::{Datum, Oid, Result, SqlError, SqlState};

fn subscript_error(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, message)
}

fn null_error(message: &str) -> SqlError {
    SqlError::new(SqlState::NULL_VALUE_NOT_ALLOWED, message)
}

fn equal(call: &Call<'_>, ty: Oid, a: &Datum, b: &Datum) -> bool {
    match (a.is_null(), b.is_null()) {
        (true, true) => true,
        (false, false) => compare_with(ty, a, b, call.types).is_eq(),
        _ => false,
    }
}

/// Adds an element before the first or after the last of a one-dimensional array.
fn extended(array: Option<Array>, element: Oid, value: Datum, front: bool) -> Result<Array> {
    let mut a = array.unwrap_or_else(|| Array::empty(element));
    match &mut a.dimensions[..] {
        [] => Ok(Array::one_dimensional(if a.element.is_none() { element } else { a.element }, vec![value])),
        [d] => {
            if front {
                // The array keeps its lower bound; so subscripts of the old elements move.
                d.lower.checked_sub(1).ok_or(ext::Fail::IntegerOutOfRange)?;
                a.values.insert(0, value);
            } else {
                d.lower.checked_add(d.len).ok_or(ext::Fail::IntegerOutOfRange)?;
                a.values.push(value);
            }
            d.len += 1;
            check_dimensions(&a.dimensions)?;
            Ok(a)
        }
        _ => Err(SqlError::new(SqlState::DATA_EXCEPTION, "argument must be empty or one-dimensional array")),
    }
}

fn concatenated(a: Array, b: Array) -> Result<Array> {
    if a.values.is_empty() && a.dimensions.is_empty() {
        return Ok(b);
    }
    if b.values.is_empty() && b.dimensions.is_empty() {
        return Ok(a);
    }
    let refuse = |detail: &str| Err(subscript_error("cannot concatenate incompatible arrays").detail(detail));
    let (m, n) = (a.dimensions.len(), b.dimensions.len());
    let lengths = |d: &[Dimension]| d.iter().map(|d| d.len).collect::<Vec<_>>();
    let mut dimensions;
    if m == n {
        if lengths(&a.dimensions[1..]) != lengths(&b.dimensions[1..]) {
            return refuse("Arrays with differing element dimensions are not compatible for concatenation.");
        }
        dimensions = a.dimensions.clone();
        dimensions[0].len += b.dimensions[0].len;
    } else if m == n + 1 {
        if lengths(&a.dimensions[1..]) != lengths(&b.dimensions) {
            return refuse("Arrays with differing dimensions are not compatible for concatenation.");
        }
        dimensions = a.dimensions.clone();
        dimensions[0].len += 1;
    } else if n == m + 1 {
        if lengths(&b.dimensions[1..]) != lengths(&a.dimensions) {
            return refuse("Arrays with differing dimensions are not compatible for concatenation.");
        }
        dimensions = b.dimensions.clone();
        dimensions[0].len += 1;
    } else {
        return refuse(&format!("Arrays of {m} and {n} dimensions are not compatible for concatenation."));
    }
    check_dimensions(&dimensions)?;
    Ok(Array { element: a.element, dimensions, values: [a.values, b.values].concat() })
}

/// `array_to_string`.
fn joined(call: &Call<'_>, a: ArrayView<'_>, delimiter: &str, null: Option<&str>) -> Result<String> {
    let mut out = String::new();
    let mut first = true;
    for d in a.iter() {
        let text = match (&d, null) {
            (Datum::Null, None) => continue,
            (Datum::Null, Some(n)) => n.to_owned(),
            (d, _) => call.text_of(a.element(), d)?,
        };
        if !first {
            out.push_str(delimiter);
        }
        first = false;
        out.push_str(&text);
    }
    Ok(out)
}

fn filled(value: &Datum, element: Oid, sizes: &Array, bounds: Option<&Array>) -> Result<Array> {
    let wrong = |detail: &str| Err(subscript_error("wrong number of array subscripts").detail(detail));
    if sizes.dimensions.len() > 1 {
        return wrong("Dimension array must be one dimensional.");
    }
    if sizes.values.iter().any(Datum::is_null) {
        return Err(null_error("dimension values cannot be null"));
    }
    if sizes.values.len() > types::array::DIMENSIONS_MAX {
        let message = format!(
            "number of array dimensions ({}) exceeds the maximum allowed ({})",
            sizes.values.len(),
            types::array::DIMENSIONS_MAX
        );
        return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message));
    }
    if let Some(bounds) = bounds {
        if bounds.dimensions.len() > 1 {
            return wrong("Dimension array must be one dimensional.");
        }
        if bounds.values.iter().any(Datum::is_null) {
            return Err(null_error("dimension values cannot be null"));
        }
        if bounds.values.len() != sizes.values.len() {
            return wrong("Low bound array has different size than dimensions array.");
        }
    }
    let int = |d: &Datum| if let Datum::I32(n) = d { *n } else { 0 };
    let dimensions: Vec<Dimension> = (sizes.values.iter().enumerate())
        .map(|(i, d)| Dimension { len: int(d), lower: bounds.map_or(1, |b| int(&b.values[i])) })
        .collect();
    if dimensions.iter().any(|d| d.len < 0) {
        return Err(types::array::too_many_elements());
    }
    check_dimensions(&dimensions)?;
    let total: usize = dimensions.iter().map(|d| d.len as usize).product();
    if dimensions.is_empty() || total == 0 {
        return Ok(Array::empty(element));
    }
    Ok(Array { element, dimensions, values: vec![value.clone(); total] })
}

/// The rows of the outermost dimension, and how many elements each has.
fn slices(a: &Array) -> (usize, usize) {
    let count = a.dimensions.first().map_or(0, |d| d.len.max(0) as usize);
    (count, a.values.len().checked_div(count).unwrap_or(0))
}

/// The array whose outermost rows are those listed.
fn picked(a: &Array, rows: &[usize], reset: bool) -> Array {
    let (_, width) = slices(a);
    if rows.is_empty() {
        return Array::empty(a.element);
    }
    let values = rows.iter().flat_map(|r| a.values[r * width..(r + 1) * width].to_vec()).collect();
    let mut dimensions = a.dimensions.clone();
    dimensions[0].len = rows.len() as i32;
    if reset {
        dimensions[0].lower = 1;
    }
    Array { element: a.element, dimensions, values }
}

/// Some rows at random, in random order.
fn drawn(call: &mut Call<'_>, a: &Array, n: usize) -> Result<Vec<usize>> {
    let mut rows: Vec<usize> = (0..slices(a).0).collect();
    for i in 0..n {
        let left = (rows.len() - i) as u64;
        let j = i + (call.host.random_bits()? % left) as usize;
        rows.swap(i, j);
    }
    rows.truncate(n);
    Ok(rows)
}

fn sorted(call: &Call<'_>, a: Array, descending: bool, nulls_first: bool) -> Array {
    let (count, width) = slices(&a);
    if count < 2 {
        return a;
    }
    let mut rows: Vec<usize> = (0..count).collect();
    let order = |x: &Datum, y: &Datum| match (x.is_null(), y.is_null()) {
        (true, true) => std::cmp::Ordering::Equal,
        (true, false) if nulls_first => std::cmp::Ordering::Less,
        (true, false) => std::cmp::Ordering::Greater,
        (false, true) if nulls_first => std::cmp::Ordering::Greater,
        (false, true) => std::cmp::Ordering::Less,
        _ => {
            let o = compare_with(a.element, x, y, call.types);
            if descending { o.reverse() } else { o }
        }
    };
    rows.sort_by(|&x, &y| {
        let (x, y) = (&a.values[x * width..(x + 1) * width], &a.values[y * width..(y + 1) * width]);
        x.iter().zip(y).map(|(x, y)| order(x, y)).find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    picked(&a, &rows, false)
}

/// Whether every element of `part` is in `whole`; NULL is in nothing.
fn contains(call: &Call<'_>, whole: ArrayView<'_>, part: ArrayView<'_>) -> bool {
    let ty = whole.element();
    part.iter().all(|p| !p.is_null() && whole.iter().any(|w| !w.is_null() && equal(call, ty, &p, &w)))
}

fn check_same_element(a: ArrayView<'_>, b: ArrayView<'_>) -> Result<()> {
    if a.element() == b.element() {
        return Ok(());
    }
    let message = "cannot compare arrays of different element types";
    Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message))
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = 378)]
    pub fn append(call: &mut Call<'_>, array: Option<Array>, value: &Datum) -> Result<Array> {
        extended(array, call.arg_type(1), value.clone(), false)
    }

    #[ext::function(oid = 379)]
    pub fn prepend(call: &mut Call<'_>, value: &Datum, array: Option<Array>) -> Result<Array> {
        extended(array, call.arg_type(0), value.clone(), true)
    }

    #[ext::function(oid = 383)]
    pub fn concatenate(a: Option<Array>, b: Option<Array>) -> Result<Option<Array>> {
        match (a, b) {
            (Some(a), Some(b)) => concatenated(a, b).map(Some),
            (a, b) => Ok(a.or(b)),
        }
    }

    #[ext::function(oid = 747)]
    pub fn dims(a: ArrayView<'_>) -> Option<String> {
        let shown = |d: &Dimension| format!("[{}:{}]", d.lower, i64::from(d.lower) + i64::from(d.len) - 1);
        (a.dimension_count() > 0).then(|| a.dimensions().iter().map(shown).collect())
    }

    #[ext::function(oid = 748)]
    pub fn ndims(a: ArrayView<'_>) -> Option<i32> {
        (a.dimension_count() > 0).then(|| a.dimension_count() as i32)
    }

    fn dimension(a: ArrayView<'_>, n: i32) -> Option<Dimension> {
        let i = usize::try_from(n).ok()?.checked_sub(1)?;
        (i < a.dimension_count()).then(|| a.dimension(i))
    }

    #[ext::function(oid = 2176)]
    pub fn length(a: ArrayView<'_>, n: i32) -> Option<i32> {
        dimension(a, n).map(|d| d.len)
    }

    #[ext::function(oid = 2091)]
    pub fn lower(a: ArrayView<'_>, n: i32) -> Option<i32> {
        dimension(a, n).map(|d| d.lower)
    }

    #[ext::function(oid = 2092)]
    pub fn upper(a: ArrayView<'_>, n: i32) -> Option<i32> {
        dimension(a, n).map(|d| d.lower.wrapping_add(d.len - 1))
    }

    #[ext::function(oid = 3179)]
    pub fn cardinality(a: ArrayView<'_>) -> i32 {
        a.len() as i32
    }

    fn found(call: &Call<'_>, a: Option<ArrayView<'_>>, value: &Datum, start: i64) -> Result<Option<i32>> {
        let Some(a) = a else { return Ok(None) };
        if a.dimension_count() > 1 {
            return Err(SqlError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                "searching for elements in multidimensional arrays is not supported",
            ));
        }
        if a.is_empty() {
            return Ok(None);
        }
        let lower = i64::from(a.dimension(0).lower);
        let at = a.iter().enumerate().map(|(i, d)| (lower + i as i64, d));
        let hit = at.filter(|(i, _)| *i >= start).find(|(_, d)| equal(call, a.element(), d, value));
        Ok(hit.map(|(i, _)| i as i32))
    }

    #[ext::function(oid = 3277)]
    pub fn position(call: &mut Call<'_>, a: Option<ArrayView<'_>>, value: &Datum) -> Result<Option<i32>> {
        found(call, a, value, i64::MIN)
    }

    #[ext::function(oid = 3278)]
    pub fn position_from(
        call: &mut Call<'_>,
        a: Option<ArrayView<'_>>,
        value: &Datum,
        start: Option<i32>,
    ) -> Result<Option<i32>> {
        if a.is_none() {
            return Ok(None);
        }
        if a.is_some_and(|a| a.dimension_count() > 1) {
            return found(call, a, value, 0);
        }
        let start = start.ok_or_else(|| null_error("initial position must not be null"))?;
        found(call, a, value, start.into())
    }

    #[ext::function(oid = 3279)]
    pub fn positions(call: &mut Call<'_>, a: Option<ArrayView<'_>>, value: &Datum) -> Result<Option<Array>> {
        let Some(a) = a else { return Ok(None) };
        if a.dimension_count() > 1 {
            return Err(SqlError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                "searching for elements in multidimensional arrays is not supported",
            ));
        }
        let lower = if a.is_empty() { 1 } else { a.dimension(0).lower };
        let hits = (a.iter().enumerate()).filter(|(_, d)| equal(call, a.element(), d, value));
        let values = hits.map(|(i, _)| Datum::I32(lower.wrapping_add(i as i32))).collect();
        Ok(Some(Array::one_dimensional(types::oid::INT4, values)))
    }

    #[ext::function(oid = 3167)]
    pub fn remove(call: &mut Call<'_>, a: Option<Array>, value: &Datum) -> Result<Option<Array>> {
        let Some(mut a) = a else { return Ok(None) };
        if a.dimensions.len() > 1 {
            return Err(SqlError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                "removing elements from multidimensional arrays is not supported",
            ));
        }
        let ty = a.element;
        a.values.retain(|d| !equal(call, ty, d, value));
        match a.dimensions.first_mut() {
            Some(_) if a.values.is_empty() => Ok(Some(Array::empty(ty))),
            Some(d) => {
                d.len = a.values.len() as i32;
                Ok(Some(a))
            }
            None => Ok(Some(a)),
        }
    }

    #[ext::function(oid = 3168)]
    pub fn replace(call: &mut Call<'_>, a: Option<Array>, from: &Datum, to: &Datum) -> Option<Array> {
        let mut a = a?;
        let ty = a.element;
        for d in &mut a.values {
            if equal(call, ty, d, from) {
                *d = to.clone();
            }
        }
        Some(a)
    }

    #[ext::function(oid = 395, stable)]
    pub fn to_string(call: &mut Call<'_>, a: ArrayView<'_>, delimiter: &str) -> Result<String> {
        joined(call, a, delimiter, None)
    }

    #[ext::function(oid = 384, stable)]
    pub fn to_string_null(
        call: &mut Call<'_>,
        a: Option<ArrayView<'_>>,
        delimiter: Option<&str>,
        null: Option<&str>,
    ) -> Result<Option<String>> {
        match (a, delimiter) {
            (Some(a), Some(d)) => joined(call, a, d, null).map(Some),
            _ => Ok(None),
        }
    }

    #[ext::function(oid = 1193)]
    pub fn fill(call: &mut Call<'_>, value: &Datum, sizes: Option<Array>) -> Result<Array> {
        let null = || null_error("dimension array or low bound array cannot be null");
        filled(value, call.arg_type(0), &sizes.ok_or_else(null)?, None)
    }

    #[ext::function(oid = 1286)]
    pub fn fill_bounds(
        call: &mut Call<'_>,
        value: &Datum,
        sizes: Option<Array>,
        bounds: Option<Array>,
    ) -> Result<Array> {
        let null = || null_error("dimension array or low bound array cannot be null");
        let (sizes, bounds) = (sizes.ok_or_else(null)?, bounds.ok_or_else(null)?);
        filled(value, call.arg_type(0), &sizes, Some(&bounds))
    }

    #[ext::function(oid = 6172)]
    pub fn trim(a: Array, n: i32) -> Result<Array> {
        let (count, _) = slices(&a);
        if n < 0 || n as usize > count {
            return Err(subscript_error(format!("number of elements to trim must be between 0 and {count}")));
        }
        let rows: Vec<usize> = (0..count - n as usize).collect();
        Ok(picked(&a, &rows, true))
    }

    #[ext::function(oid = 6381)]
    pub fn reverse(a: Array) -> Array {
        let rows: Vec<usize> = (0..slices(&a).0).rev().collect();
        if rows.is_empty() { a } else { picked(&a, &rows, false) }
    }

    #[ext::function(oid = 6388)]
    pub fn sort(call: &mut Call<'_>, a: Array) -> Array {
        sorted(call, a, false, false)
    }

    #[ext::function(oid = 6389)]
    pub fn sort_order(call: &mut Call<'_>, a: Array, descending: bool) -> Array {
        sorted(call, a, descending, descending)
    }

    #[ext::function(oid = 6390)]
    pub fn sort_nulls(call: &mut Call<'_>, a: Array, descending: bool, nulls_first: bool) -> Array {
        sorted(call, a, descending, nulls_first)
    }

    #[ext::function(oid = 6215, volatile)]
    pub fn shuffle(call: &mut Call<'_>, a: Array) -> Result<Array> {
        let count = slices(&a).0;
        if count < 2 {
            return Ok(a);
        }
        let rows = drawn(call, &a, count)?;
        Ok(picked(&a, &rows, false))
    }

    #[ext::function(oid = 6216, volatile)]
    pub fn sample(call: &mut Call<'_>, a: Array, n: i32) -> Result<Array> {
        let count = slices(&a).0;
        if n < 0 || n as usize > count {
            let message = format!("sample size must be between 0 and {count}");
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
        }
        let rows = drawn(call, &a, n as usize)?;
        Ok(picked(&a, &rows, true))
    }

    #[ext::function(oid = 2747)]
    pub fn overlaps(call: &mut Call<'_>, a: ArrayView<'_>, b: ArrayView<'_>) -> Result<bool> {
        check_same_element(a, b)?;
        let ty = a.element();
        Ok(a.iter().any(|x| !x.is_null() && b.iter().any(|y| !y.is_null() && equal(call, ty, &x, &y))))
    }

    #[ext::function(oid = 2748)]
    pub fn contains_all(call: &mut Call<'_>, a: ArrayView<'_>, b: ArrayView<'_>) -> Result<bool> {
        check_same_element(a, b)?;
        Ok(contains(call, a, b))
    }

    #[ext::function(oid = 2749)]
    pub fn contained_by(call: &mut Call<'_>, a: ArrayView<'_>, b: ArrayView<'_>) -> Result<bool> {
        check_same_element(a, b)?;
        Ok(contains(call, b, a))
    }

    #[ext::function(oid = 3218, strict)]
    pub fn width_bucket(call: &mut Call<'_>, value: &Datum, bounds: ArrayView<'_>) -> Result<i32> {
        if bounds.dimension_count() > 1 {
            return Err(subscript_error("thresholds must be one-dimensional array"));
        }
        if bounds.iter().any(|d| d.is_null()) {
            return Err(null_error("thresholds array must not contain NULLs"));
        }
        let ty = bounds.element();
        // The thresholds are taken to be in order.
        let (mut low, mut high) = (0, bounds.len());
        while low < high {
            let middle = (low + high) / 2;
            if compare_with(ty, value, &bounds.get(middle), call.types).is_lt() {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low as i32)
    }

    #[ext::set_function(oid = 2331)]
    pub fn unnest(a: Array) -> Vec<Datum> {
        a.values
    }

    #[ext::set_function(oid = 1192)]
    pub fn subscripts(a: ArrayView<'_>, n: i32) -> Vec<i32> {
        dimension(a, n).map_or(Vec::new(), |d| (0..d.len).map(|i| d.lower.wrapping_add(i)).collect())
    }

    #[ext::set_function(oid = 1191)]
    pub fn subscripts_reverse(a: ArrayView<'_>, n: i32, reverse: bool) -> Vec<i32> {
        let mut list = subscripts(a, n);
        if reverse {
            list.reverse();
        }
        list
    }
}
