//! Comparison functions of every type that `types::compare` orders: found through `pg_operator`, where each is the function of
//! an operator `=`, `<>`, `<`, `<=`, `>` or `>=`.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::OnceLock;

use catalog::builtin::{self, OperatorRow};
use types::{Datum, Oid, oid};
use vector::{Data, Nulls, Vector};

/// One of the six tests, on values of one type (or of two integer types).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The operator's sign.
    pub sign: Sign,
    left: Oid,
    right: Oid,
}

/// Which test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after their signs")]
pub enum Sign {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

impl Sign {
    fn of(name: &str) -> Option<Sign> {
        Some(match name {
            "=" => Sign::Equal,
            "<>" => Sign::NotEqual,
            "<" => Sign::Less,
            "<=" => Sign::LessEqual,
            ">" => Sign::Greater,
            ">=" => Sign::GreaterEqual,
            _ => return None,
        })
    }

    /// Whether two values that compare as `ordering` pass.
    #[inline]
    pub fn holds(self, ordering: Ordering) -> bool {
        match self {
            Sign::Equal => ordering.is_eq(),
            Sign::NotEqual => ordering.is_ne(),
            Sign::Less => ordering.is_lt(),
            Sign::LessEqual => ordering.is_le(),
            Sign::Greater => ordering.is_gt(),
            Sign::GreaterEqual => ordering.is_ge(),
        }
    }
}

const INTEGERS: [Oid; 3] = [oid::INT2, oid::INT4, oid::INT8];
const ORDERED: [Oid; 24] = [
    oid::BOOL,
    oid::BYTEA,
    oid::CHAR,
    oid::NAME,
    oid::INT8,
    oid::INT2,
    oid::INT4,
    oid::TEXT,
    oid::OID,
    oid::FLOAT4,
    oid::FLOAT8,
    oid::BPCHAR,
    oid::DATE,
    oid::TIME,
    oid::TIMESTAMP,
    oid::TIMESTAMPTZ,
    oid::INTERVAL,
    oid::TIMETZ,
    oid::NUMERIC,
    oid::UUID,
    oid::JSONB,
    oid::BIT,
    oid::VARBIT,
    oid::PG_LSN,
];

fn comparison(row: &OperatorRow) -> Option<Comparison> {
    let sign = Sign::of(row.name)?;
    let integers = INTEGERS.contains(&row.left) && INTEGERS.contains(&row.right);
    let same = row.left == row.right && ORDERED.contains(&row.left);
    (integers || same).then_some(Comparison { sign, left: row.left, right: row.right })
}

/// The comparison that function `function` does.
pub fn lookup(function: Oid) -> Option<Comparison> {
    static TABLE: OnceLock<HashMap<Oid, Comparison>> = OnceLock::new();
    let table = TABLE
        .get_or_init(|| builtin::OPERATORS.iter().filter_map(|row| Some((row.function, comparison(row)?))).collect());
    table.get(&function).copied()
}

fn integer(d: &Datum) -> i64 {
    match d {
        Datum::I16(v) => i64::from(*v),
        Datum::I32(v) => i64::from(*v),
        Datum::I64(v) => *v,
        _ => 0,
    }
}

impl Comparison {
    /// Compares two values, neither NULL.
    pub fn test(&self, a: &Datum, b: &Datum) -> bool {
        let ordering = if self.left == self.right {
            types::compare::compare(self.left, a, b)
        } else {
            integer(a).cmp(&integer(b))
        };
        self.sign.holds(ordering)
    }

    /// Compares vectors of `rows` values.
    pub fn kernel(&self, a: &Vector, b: &Vector, rows: usize) -> Vector {
        let nulls = a.nulls.union(&b.nulls);
        macro_rules! fast {
            ($x:ident, $y:ident) => {
                (0..rows).map(|i| self.sign.holds($x[i].cmp(&$y[i]))).collect()
            };
        }
        let mut out: Vec<bool> = match (&a.data, &b.data) {
            (Data::I32(x), Data::I32(y)) => fast!(x, y),
            (Data::I64(x), Data::I64(y)) => fast!(x, y),
            (Data::I16(x), Data::I16(y)) => fast!(x, y),
            (Data::U32(x), Data::U32(y)) => fast!(x, y),
            (Data::Bool(x), Data::Bool(y)) => fast!(x, y),
            (Data::Var(x), Data::Var(y)) if self.left == oid::TEXT => {
                (0..rows).map(|i| self.sign.holds(x.get(i).cmp(y.get(i)))).collect()
            }
            _ => (0..rows).map(|i| !nulls.get(i) && self.test(&a.get(i), &b.get(i))).collect(),
        };
        clear_nulls(&mut out, &nulls);
        Vector { data: Data::Bool(out), nulls }
    }
}

/// V2: NULL slots hold zero.
fn clear_nulls(out: &mut [bool], nulls: &Nulls) {
    if !nulls.none() {
        for (i, v) in out.iter_mut().enumerate() {
            *v &= !nulls.get(i);
        }
    }
}
