//! `Fail`: errors as plain data, so that loops over vectors stay free of allocation and can be vectorised.

use types::{SqlError, SqlState};

/// A usual arithmetic error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named after its message")]
pub enum Fail {
    SmallintOutOfRange,
    IntegerOutOfRange,
    BigintOutOfRange,
    OidOutOfRange,
    CharOutOfRange,
    DivisionByZero,
    Overflow,
    Underflow,
    DateOutOfRange,
    TimestampOutOfRange,
    IntervalOutOfRange,
    InputOutOfRange,
    NegativeSquareRoot,
    LogarithmOfZero,
    LogarithmOfNegative,
    ZeroToNegativePower,
    NegativeToFraction,
    MoneyOutOfRange,
}

impl From<Fail> for SqlError {
    #[cold]
    fn from(f: Fail) -> SqlError {
        let (state, message) = match f {
            Fail::SmallintOutOfRange => (SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "smallint out of range"),
            Fail::IntegerOutOfRange => (SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"),
            Fail::BigintOutOfRange => (SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"),
            Fail::OidOutOfRange => (SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "OID out of range"),
            Fail::CharOutOfRange => (SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "\"char\" out of range"),
            Fail::MoneyOutOfRange => (SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "money out of range"),
            Fail::DivisionByZero => (SqlState::DIVISION_BY_ZERO, "division by zero"),
            Fail::Overflow => (SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow"),
            Fail::Underflow => (SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow"),
            Fail::DateOutOfRange => (SqlState::DATETIME_FIELD_OVERFLOW, "date out of range"),
            Fail::TimestampOutOfRange => (SqlState::DATETIME_FIELD_OVERFLOW, "timestamp out of range"),
            Fail::IntervalOutOfRange => (SqlState::DATETIME_FIELD_OVERFLOW, "interval out of range"),
            Fail::InputOutOfRange => (SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range"),
            Fail::NegativeSquareRoot => {
                (SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION, "cannot take square root of a negative number")
            }
            Fail::LogarithmOfZero => (SqlState::INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of zero"),
            Fail::LogarithmOfNegative => {
                (SqlState::INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of a negative number")
            }
            Fail::ZeroToNegativePower => {
                (SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION, "zero raised to a negative power is undefined")
            }
            Fail::NegativeToFraction => (
                SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
                "a negative number raised to a non-integer power yields a complex result",
            ),
        };
        SqlError::new(state, message)
    }
}
