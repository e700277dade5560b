//! Type names with their modifiers, as `format_type` shows them.

use crate::io::{builtin_element, builtin_name};
use crate::{Oid, oid};

/// `type_oid` with `typmod` as SQL writes it: `numeric(10,2)`, `character varying(5)[]`. A typmod of -1 is none; `None` for types that
/// do not ship with the binary.
pub fn format_type(type_oid: Oid, typmod: i32) -> Option<String> {
    if let Some(element) = builtin_element(type_oid).filter(|_| !matches!(type_oid, oid::INT2VECTOR | oid::OIDVECTOR)) {
        return Some(format!("{}[]", format_type(element, typmod)?));
    }
    let name = builtin_name(type_oid)?;
    if typmod < 0 {
        return Some(name.to_owned());
    }
    Some(match type_oid {
        oid::VARCHAR | oid::BPCHAR => format!("{}({})", name, typmod - 4),
        oid::BIT | oid::VARBIT => format!("{name}({typmod})"),
        oid::NUMERIC => {
            let (precision, scale) = ((typmod - 4) >> 16 & 0xffff, (typmod - 4) & 0x7ff);
            // The scale has 11 bits with a sign.
            let scale = if scale >= 1024 { scale - 2048 } else { scale };
            format!("numeric({precision},{scale})")
        }
        oid::TIME | oid::TIMESTAMP => with_precision(name, " without time zone", typmod),
        oid::TIMETZ | oid::TIMESTAMPTZ => with_precision(name, " with time zone", typmod),
        oid::INTERVAL => interval(typmod),
        _ => name.to_owned(),
    })
}

fn with_precision(name: &str, suffix: &str, precision: i32) -> String {
    match name.strip_suffix(suffix) {
        Some(base) => format!("{base}({precision}){suffix}"),
        None => format!("{name}({precision})"),
    }
}

/// Bits of an interval's field mask, as its typmod keeps them.
fn interval(typmod: i32) -> String {
    const MONTH: i32 = 1 << 1;
    const YEAR: i32 = 1 << 2;
    const DAY: i32 = 1 << 3;
    const HOUR: i32 = 1 << 10;
    const MINUTE: i32 = 1 << 11;
    const SECOND: i32 = 1 << 12;
    let (fields, precision) = (typmod >> 16 & 0x7fff, typmod & 0xffff);
    let names = [
        (YEAR, " year"),
        (MONTH, " month"),
        (DAY, " day"),
        (HOUR, " hour"),
        (MINUTE, " minute"),
        (SECOND, " second"),
        (YEAR | MONTH, " year to month"),
        (DAY | HOUR, " day to hour"),
        (DAY | HOUR | MINUTE, " day to minute"),
        (DAY | HOUR | MINUTE | SECOND, " day to second"),
        (HOUR | MINUTE, " hour to minute"),
        (HOUR | MINUTE | SECOND, " hour to second"),
        (MINUTE | SECOND, " minute to second"),
    ];
    let words = names.iter().find(|n| n.0 == fields).map_or("", |n| n.1);
    let precision = if precision == 0xffff { String::new() } else { format!("({precision})") };
    format!("interval{words}{precision}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `select format_type(...)` of PostgreSQL 18.
    #[test]
    fn names_are_postgresqls() {
        let of = |ty, typmod| format_type(ty, typmod).unwrap();
        assert_eq!(of(oid::VARCHAR, 9), "character varying(5)");
        assert_eq!(of(oid::VARCHAR_ARRAY, 9), "character varying(5)[]");
        assert_eq!(of(oid::NUMERIC, (10 << 16 | 2) + 4), "numeric(10,2)");
        assert_eq!(of(oid::NUMERIC, (10 << 16 | (-2 & 0x7ff)) + 4), "numeric(10,-2)");
        assert_eq!(of(oid::TIMESTAMPTZ, 3), "timestamp(3) with time zone");
        assert_eq!(of(oid::INTERVAL, 6 << 16 | 0xffff), "interval year to month");
        assert_eq!(of(oid::INT4_ARRAY, -1), "integer[]");
        assert_eq!(of(oid::BPCHAR, 6), "character(2)");
    }
}
