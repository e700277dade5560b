//! OVERLAPS.

use super::*;

/// Whether `(a1, a2)` and `(b1, b2)` overlap, as SQL has it: either end may be NULL, and may come first.
fn overlap<T: Copy>(
    a: (Option<T>, Option<T>),
    b: (Option<T>, Option<T>),
    before: impl Fn(T, T) -> bool,
) -> Option<bool> {
    // Start and perhaps end of a period; none when both are NULL.
    let ordered = |(start, end): (Option<T>, Option<T>)| match (start, end) {
        (None, None) => None,
        (Some(s), None) | (None, Some(s)) => Some((s, None)),
        (Some(s), Some(e)) => Some(if before(e, s) { (e, Some(s)) } else { (s, Some(e)) }),
    };
    let (a_start, a_end) = ordered(a)?;
    let (b_start, b_end) = ordered(b)?;
    let (later, end) = if before(b_start, a_start) {
        (a_start, b_end)
    } else if before(a_start, b_start) {
        (b_start, a_end)
    } else {
        // They start together: two points in time are one, and NULL ends say nothing.
        return if a_end.is_none() || b_end.is_none() { None } else { Some(true) };
    };
    match end {
        None => None,
        Some(e) if before(later, e) => Some(true),
        // The later period begins after the earlier one ended; its own end says nothing unless it is known.
        Some(_) => {
            let own = if before(b_start, a_start) { a_end } else { b_end };
            own.map(|_| false)
        }
    }
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(each(Timestamp = 2041, Timestamptz = 1304, Time = 1308))]
    pub fn overlaps<T: Moment>(a: Option<T>, b: Option<T>, c: Option<T>, d: Option<T>) -> Option<bool> {
        overlap((a, b), (c, d), |x, y| x.micros() < y.micros())
    }

    #[ext::function(oid = 1271)]
    pub fn overlaps_timetz(a: Option<TimeTz>, b: Option<TimeTz>, c: Option<TimeTz>, d: Option<TimeTz>) -> Option<bool> {
        let order = |t: TimeTz| (t.micros + i64::from(t.west) * MICROS_PER_SEC, t.west);
        overlap((a, b), (c, d), |x, y| order(x) < order(y))
    }

    fn end<T: Moment>(call: &Call<'_>, start: Option<T>, v: Option<Interval>) -> Result<Option<T>> {
        match (start, v) {
            (Some(s), Some(v)) => s.plus(v, call).map(Some),
            _ => Ok(None),
        }
    }

    #[ext::function(each(Timestamp = 2042, Timestamptz = 1305, Time = 1309))]
    pub fn overlaps_lengths<T: Moment>(
        call: &mut Call<'_>,
        a: Option<T>,
        b: Option<Interval>,
        c: Option<T>,
        d: Option<Interval>,
    ) -> Result<Option<bool>> {
        let (b, d) = (end(call, a, b)?, end(call, c, d)?);
        Ok(overlaps(a, b, c, d))
    }

    #[ext::function(each(Timestamp = 2043, Timestamptz = 1306, Time = 1310))]
    pub fn overlaps_second_length<T: Moment>(
        call: &mut Call<'_>,
        a: Option<T>,
        b: Option<T>,
        c: Option<T>,
        d: Option<Interval>,
    ) -> Result<Option<bool>> {
        let d = end(call, c, d)?;
        Ok(overlaps(a, b, c, d))
    }

    #[ext::function(each(Timestamp = 2044, Timestamptz = 1307, Time = 1311))]
    pub fn overlaps_first_length<T: Moment>(
        call: &mut Call<'_>,
        a: Option<T>,
        b: Option<Interval>,
        c: Option<T>,
        d: Option<T>,
    ) -> Result<Option<bool>> {
        let b = end(call, a, b)?;
        Ok(overlaps(a, b, c, d))
    }
}
