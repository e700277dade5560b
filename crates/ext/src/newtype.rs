//! Rust types for SQL types that Rust has no own type for.

use types::datetime::timetz_bytes;

/// `date`: days since 2000-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Date(pub i32);
/// `time`: microseconds since midnight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Time(pub i64);
/// `timestamp`: microseconds since 2000-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Timestamp(pub i64);
/// `timestamptz`: microseconds since 2000-01-01 UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Timestamptz(pub i64);
/// `money`: cents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Money(pub i64);
/// `pg_lsn`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Lsn(pub i64);

/// `timetz`: microseconds since midnight, and seconds west of Greenwich.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TimeTz {
    /// Microseconds since midnight.
    pub micros: i64,
    /// Seconds west.
    pub west: i32,
}

impl TimeTz {
    /// The stored form.
    pub fn to_bytes(self) -> [u8; 16] {
        timetz_bytes(self.micros, self.west)
    }
}

/// `uuid`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Uuid(pub [u8; 16]);

/// `json`: checked text, kept as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText(pub String);

/// `jsonb`, as stored bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jsonb(pub Vec<u8>);

/// `bit` and `varbit`: stored bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits<'a>(pub &'a [u8]);

/// `void`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Void;
