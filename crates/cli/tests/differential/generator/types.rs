//! `Ty`: the types of columns and expressions, and literals of each.

/// A type of columns and expressions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ty {
    Int2,
    Int4,
    Int8,
    Numeric,
    Float8,
    Text,
    Bool,
    Date,
    Timestamp,
    Interval,
    Jsonb,
    Ints,
    Varchar,
    Bpchar,
    Money2,
    Timestamptz,
    Time,
    Texts,
    Bytea,
    Uuid,
}

use Ty::*;

/// All of them.
pub const TYPES: [Ty; 20] = [
    Int2,
    Int4,
    Int8,
    Numeric,
    Float8,
    Text,
    Bool,
    Date,
    Timestamp,
    Interval,
    Jsonb,
    Ints,
    Varchar,
    Bpchar,
    Money2,
    Timestamptz,
    Time,
    Texts,
    Bytea,
    Uuid,
];
/// Those that most columns have.
pub const COLUMN_TYPES: [Ty; 9] = [Int4, Int4, Int8, Numeric, Text, Text, Bool, Date, Timestamp];

impl Ty {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Int2 => "int2",
            Int4 => "int4",
            Int8 => "int8",
            Numeric => "numeric",
            Float8 => "float8",
            Text => "text",
            Bool => "bool",
            Date => "date",
            Timestamp => "timestamp",
            Interval => "interval",
            Jsonb => "jsonb",
            Ints => "int4[]",
            Varchar => "varchar(5)",
            Bpchar => "char(4)",
            Money2 => "numeric(8,2)",
            Timestamptz => "timestamptz",
            Time => "time",
            Texts => "text[]",
            Bytea => "bytea",
            Uuid => "uuid",
        }
    }

    /// How templates name it.
    pub fn tagged(tag: &str) -> Option<Ty> {
        let bare = |ty: &Ty| ty.name().split('(').next() == Some(tag) && *ty != Money2;
        match tag {
            "ints" => Some(Ints),
            "texts" => Some(Texts),
            _ => TYPES.into_iter().find(bare),
        }
    }

    pub fn is_number(self) -> bool {
        matches!(self, Int2 | Int4 | Int8 | Numeric | Float8 | Money2)
    }

    /// Whether equal values always look alike: which of several is shown is nobody's promise.
    pub fn looks_alike(self) -> bool {
        !matches!(self, Numeric | Float8 | Money2 | Interval | Jsonb | Bpchar)
    }

    /// Literals that read as it.
    pub fn literals(self) -> &'static [&'static str] {
        match self {
            Int2 => &["0::int2", "1::int2", "(-1)::int2", "7::int2", "100::int2", "32767::int2", "'-5'::int2"],
            Int4 => &["0", "1", "-1", "2", "10", "42", "2147483647", "(-2147483648)", "3"],
            Int8 => &["0::int8", "1::int8", "'-3'::int8", "100::int8", "4294967296", "9007199254740993"],
            Numeric => &["0.0", "1.5", "-2.25", "100.00", "0.001", "12345678901234567890.5", "'NaN'::numeric", "1e3"],
            Money2 => &["0.00::numeric(8,2)", "12.345::numeric(8,2)", "'-999.99'::numeric(8,2)", "7::numeric(8,2)"],
            Float8 => &[
                "'0'::float8",
                "'1.5'::float8",
                "'-2.25'::float8",
                "1e10::float8",
                "'1e-5'::float8",
                "'Infinity'::float8",
                "'NaN'::float8",
            ],
            Text => &[
                "'a'::text",
                "'b'::text",
                "'Ab'::text",
                "'zürich'::text",
                "''::text",
                "' x '::text",
                "'10'::text",
                "'a%b_'::text",
                "'don''t'::text",
                "E'two\\nlines'::text",
            ],
            Varchar => &["'a'::varchar(5)", "'abcdefgh'::varchar(5)", "''::varchar(5)", "'ü b'::varchar(5)"],
            Bpchar => &["'a'::char(4)", "'abcd'::char(4)", "''::char(4)", "'ü '::char(4)"],
            Bool => &["true", "false"],
            Date => &[
                "'2024-02-29'::date",
                "'1999-12-31'::date",
                "'2000-01-01'::date",
                "'0044-03-15 BC'::date",
                "'infinity'::date",
                "'2024-03-31'::date",
            ],
            Timestamp => &[
                "'2024-02-29 12:34:56.789'::timestamp",
                "'1999-12-31 23:59:59.999999'::timestamp",
                "'2000-01-01'::timestamp",
                "'-infinity'::timestamp",
            ],
            Timestamptz => &[
                "'2024-03-31 02:30:00+01'::timestamptz",
                "'1999-12-31 23:59:59.999999'::timestamptz",
                "'2000-06-01 12:00:00 America/New_York'::timestamptz",
                "'infinity'::timestamptz",
            ],
            Time => &["'00:00'::time", "'23:59:59.999999'::time", "'12:34:56'::time", "'24:00'::time"],
            Interval => &[
                "'1 day'::interval",
                "'-2 hours'::interval",
                "'1 mon 3 days'::interval",
                "'00:00:01.5'::interval",
                "'1 year'::interval",
                "'36:00'::interval",
            ],
            Jsonb => &[
                "'1'::jsonb",
                "'null'::jsonb",
                "'\"a\"'::jsonb",
                "'[1, 2, {\"a\": 3}]'::jsonb",
                "'{\"a\": 1, \"b\": [true, null]}'::jsonb",
                "'{}'::jsonb",
                "'[]'::jsonb",
                "'{\"a\": {\"b\": \"x\"}}'::jsonb",
            ],
            Ints => {
                &["'{}'::int4[]", "'{1,2,3}'::int4[]", "'{NULL,5}'::int4[]", "'{7}'::int4[]", "'{{1,2},{3,4}}'::int4[]"]
            }
            Texts => &["'{}'::text[]", "'{a,b}'::text[]", "'{NULL,\"x y\"}'::text[]", "ARRAY['a', NULL]::text[]"],
            Bytea => &["'\\x00ff'::bytea", "''::bytea", "'abc'::bytea"],
            Uuid => &["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "'00000000-0000-0000-0000-000000000000'::uuid"],
        }
    }
}
