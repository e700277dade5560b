//! The transition functions of `avg` over small integers, by their names in SQL: the state is an array of count and sum.

#[ext::module]
pub(crate) mod functions {
    use types::array::Array;
    use types::{Datum, Numeric, Result, SqlError, oid};

    fn parts(state: &Array) -> Result<(i64, i64)> {
        match state.values[..] {
            [Datum::I64(count), Datum::I64(sum)] => Ok((count, sum)),
            _ => Err(SqlError::internal("expected 2-element int8 array")),
        }
    }

    fn stepped(state: &Array, value: i64) -> Result<Array> {
        let (count, sum) = parts(state)?;
        let values = vec![Datum::I64(count + 1), Datum::I64(sum.wrapping_add(value))];
        Ok(Array::one_dimensional(oid::INT8, values))
    }

    #[ext::function(oid = 1962)]
    pub fn int2_avg_accum(state: Array, value: i16) -> Result<Array> {
        stepped(&state, value.into())
    }

    #[ext::function(oid = 1963)]
    pub fn int4_avg_accum(state: Array, value: i32) -> Result<Array> {
        stepped(&state, value.into())
    }

    #[ext::function(oid = 2804, strict)]
    pub fn int8inc_any(state: i64, _value: &Datum) -> Result<i64> {
        let message = "bigint out of range";
        state.checked_add(1).ok_or_else(|| SqlError::new(types::SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message))
    }

    #[ext::function(oid = 1964)]
    pub fn int8_avg(state: Array) -> Result<Option<Numeric>> {
        let (count, sum) = parts(&state)?;
        if count == 0 {
            return Ok(None);
        }
        Numeric::from(sum).div(&Numeric::from(count)).map(Some)
    }
}
