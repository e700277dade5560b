//! `Generator`: a seed's schema, data and statements. First the tables are made and filled, then they are asked and changed.

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A type of columns and expressions.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Ty {
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
}

use Ty::*;

const TYPES: [Ty; 12] = [Int2, Int4, Int8, Numeric, Float8, Text, Bool, Date, Timestamp, Interval, Jsonb, Ints];
const NUMBERS: [Ty; 5] = [Int2, Int4, Int8, Numeric, Float8];
const WORDS: [&str; 9] = ["a", "b", "Ab", "zürich", "", " x ", "10", "a%b_", "don''t"];

impl Ty {
    fn name(self) -> &'static str {
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
        }
    }

    fn is_number(self) -> bool {
        NUMBERS.contains(&self)
    }
}

struct Table {
    name: String,
    columns: Vec<(String, Ty)>,
}

/// What a column is called in a query, and its type.
type Column = (String, Ty);

/// Makes statements.
pub struct Generator {
    rng: ChaCha8Rng,
    tables: Vec<Table>,
    made: usize,
}

impl Generator {
    pub fn new(seed: u64) -> Generator {
        Generator { rng: ChaCha8Rng::seed_from_u64(seed), tables: Vec::new(), made: 0 }
    }

    /// The next statement, and whether its rows come in a fixed order.
    pub fn statement(&mut self) -> (String, bool) {
        self.made += 1;
        if self.tables.len() < 3 {
            return (self.create_table(), false);
        }
        if self.made < 12 {
            return (self.insert(25), false);
        }
        match self.below(100) {
            0..3 => (self.insert(2), false),
            3..7 => (self.update(), false),
            7..10 => (self.delete(), false),
            10..13 => (self.mistake(), false),
            _ => self.select(),
        }
    }

    fn below(&mut self, n: usize) -> usize {
        self.rng.random_range(0..n)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> T {
        *among.choose(&mut self.rng).expect("there is something to choose from")
    }

    fn create_table(&mut self) -> String {
        let name = format!("t{}", self.tables.len());
        let mut columns = vec![("id".to_owned(), Int4)];
        let mut text = format!("CREATE TABLE {name} (id int4 PRIMARY KEY");
        for number in 0..4 + self.below(5) {
            let ty = self.pick(&TYPES);
            let column = format!("c{number}");
            text += &format!(", {column} {}", ty.name());
            match self.below(10) {
                0 => text += &format!(" DEFAULT {}", self.literal(ty)),
                1 if ty.is_number() => text += &format!(" CHECK ({column} < 30000)"),
                _ => {}
            }
            columns.push((column, ty));
        }
        self.tables.push(Table { name, columns });
        text + ")"
    }

    fn table(&mut self) -> (String, Vec<Column>) {
        let number = self.below(self.tables.len());
        let table = &self.tables[number];
        (table.name.clone(), table.columns.clone())
    }

    fn insert(&mut self, rows: usize) -> String {
        let (table, columns) = self.table();
        let mut lines = Vec::new();
        for _ in 0..rows {
            let id = 100 * self.made + lines.len();
            let values =
                columns[1..].iter().map(|(_, ty)| if self.one_in(6) { "NULL".to_owned() } else { self.literal(*ty) });
            lines.push(format!("({id}, {})", values.collect::<Vec<_>>().join(", ")));
        }
        let returning = if self.one_in(3) { " RETURNING *" } else { "" };
        format!("INSERT INTO {table} VALUES {}{returning}", lines.join(", "))
    }

    fn update(&mut self) -> String {
        let (table, columns) = self.table();
        let (column, ty) = columns[1 + self.below(columns.len() - 1)].clone();
        let (value, condition) = (self.expr(&columns, ty, 2), self.expr(&columns, Bool, 2));
        let returning = if self.one_in(2) { " RETURNING *" } else { "" };
        format!("UPDATE {table} SET {column} = {value} WHERE {condition}{returning}")
    }

    fn delete(&mut self) -> String {
        let (table, columns) = self.table();
        let condition = self.expr(&columns, Bool, 2);
        format!("DELETE FROM {table} WHERE id % 7 = 0 AND {condition} RETURNING id")
    }

    /// A statement that cannot be bound or read.
    fn mistake(&mut self) -> String {
        let (table, columns) = self.table();
        let (left, right) = (self.pick(&TYPES), self.pick(&TYPES));
        let (a, b) = (self.expr(&columns, left, 1), self.expr(&columns, right, 1));
        match self.below(8) {
            0 => format!("SELECT nothing FROM {table}"),
            1 => format!("SELECT {a} + {b} FROM {table}"),
            2 => format!("SELECT {a} = {b} FROM {table}"),
            3 => format!("SELECT upper({a}, {b}) FROM {table}"),
            4 => format!("SELECT {a} FROM {table} WHERE {b}"),
            5 => format!("SELECT id, count(*) FROM {table} GROUP BY {}", columns[1].0),
            6 => format!("SELECT {a} FROM {table} UNION SELECT {b} FROM {table}"),
            _ => format!("SELECT ({a})::{} FROM {table}", right.name()),
        }
    }

    fn select(&mut self) -> (String, bool) {
        match self.below(10) {
            0..3 => self.plain(),
            3..5 => self.joined(),
            5..7 => self.grouped(),
            7 => self.windowed(),
            8 => self.united(),
            _ => self.nested(),
        }
    }

    fn some_type(&mut self) -> Ty {
        self.pick(&TYPES)
    }

    fn targets(&mut self, columns: &[Column], depth: usize) -> String {
        let count = 1 + self.below(4);
        let list: Vec<String> = (0..count)
            .map(|_| {
                let ty = self.some_type();
                self.expr(columns, ty, depth)
            })
            .collect();
        list.join(", ")
    }

    fn condition(&mut self, columns: &[Column]) -> String {
        if self.one_in(3) { String::new() } else { format!(" WHERE {}", self.expr(columns, Bool, 3)) }
    }

    fn plain(&mut self) -> (String, bool) {
        let (table, columns) = self.table();
        let targets = self.targets(&columns, 3);
        let condition = self.condition(&columns);
        if self.one_in(4) {
            let direction = self.pick(&["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]);
            let by = columns[self.below(columns.len())].0.clone();
            let limit = self.pick(&["", " LIMIT 5", " LIMIT 3 OFFSET 2", " OFFSET 7"]);
            return (format!("SELECT id, {targets} FROM {table}{condition} ORDER BY {by}{direction}, id{limit}"), true);
        }
        if self.one_in(4) {
            // Which of two equal numbers is shown is nobody's promise when they look different.
            let ty = self.pick(&[Int4, Text, Bool, Date, Jsonb, Ints]);
            return (format!("SELECT DISTINCT {} FROM {table}{condition}", self.expr(&columns, ty, 3)), false);
        }
        (format!("SELECT {targets} FROM {table}{condition}"), false)
    }

    /// Two tables as `x` and `y`, and their columns.
    fn pair(&mut self) -> (String, String, Vec<Column>) {
        let ((left, left_columns), (right, right_columns)) = (self.table(), self.table());
        let named = |alias: &str, columns: &[Column]| {
            columns.iter().map(|(name, ty)| (format!("{alias}.{name}"), *ty)).collect::<Vec<_>>()
        };
        let columns = [named("x", &left_columns), named("y", &right_columns)].concat();
        (format!("{left} x"), format!("{right} y"), columns)
    }

    fn joined(&mut self) -> (String, bool) {
        let (left, right, columns) = self.pair();
        let targets = self.targets(&columns, 2);
        let join = self.pick(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
        let on = match self.below(3) {
            0 => "x.id = y.id".to_owned(),
            1 => "x.id % 10 = y.id % 10".to_owned(),
            _ if join == "FULL JOIN" => "x.id = y.id + 1".to_owned(),
            _ => format!("x.id = y.id AND {}", self.expr(&columns, Bool, 2)),
        };
        let condition = self.condition(&columns);
        (format!("SELECT {targets} FROM {left} {join} {right} ON {on}{condition}"), false)
    }

    fn aggregate(&mut self, columns: &[Column]) -> String {
        let numbers = [Int2, Int4, Int8, Numeric];
        let number = self.pick(&numbers);
        let of = |generator: &mut Generator, ty| generator.expr(columns, ty, 1);
        let call = match self.below(9) {
            0 => "count(*)".to_owned(),
            1 => {
                let ty = self.some_type();
                format!("count({})", of(self, ty))
            }
            2 => format!("sum({})", of(self, number)),
            3 => format!("avg({})", of(self, number)),
            4 => format!("min({})", of(self, Text)),
            5 => format!("max({})", of(self, Date)),
            6 => format!("bool_or({})", of(self, Bool)),
            7 => format!("count(DISTINCT {})", of(self, number)),
            _ => return format!("string_agg({}, ',' ORDER BY id)", of(self, Text)),
        };
        if self.one_in(5) { format!("{call} FILTER (WHERE {})", self.expr(columns, Bool, 1)) } else { call }
    }

    fn grouped(&mut self) -> (String, bool) {
        let (table, columns) = self.table();
        let ty = self.pick(&[Bool, Text, Int4, Date]);
        let key = self.expr(&columns, ty, 1);
        let (first, second) = (self.aggregate(&columns), self.aggregate(&columns));
        let condition = self.condition(&columns);
        if self.one_in(3) {
            return (format!("SELECT {first}, {second} FROM {table}{condition}"), false);
        }
        let having = self.pick(&["", "", " HAVING count(*) > 1"]);
        let sub = format!("SELECT *, {key} AS k FROM {table}{condition}");
        (format!("SELECT k, {first}, {second} FROM ({sub}) q GROUP BY k{having}"), false)
    }

    fn windowed(&mut self) -> (String, bool) {
        let (table, columns) = self.table();
        let ty = self.pick(&[Bool, Text, Int4]);
        let partition =
            if self.one_in(2) { format!("PARTITION BY {} ", self.expr(&columns, ty, 1)) } else { String::new() };
        let by = columns[self.below(columns.len())].0.clone();
        let value = columns[self.below(columns.len())].0.clone();
        let direction = self.pick(&["", " DESC", " NULLS FIRST"]);
        let call = match self.below(7) {
            0 => "row_number()".to_owned(),
            1 => "rank()".to_owned(),
            2 => format!("lag({value})"),
            3 => format!("first_value({value})"),
            4 => "ntile(4)".to_owned(),
            5 => format!("count({value})"),
            _ => "sum(id)".to_owned(),
        };
        let units = self.pick(&[
            "",
            " ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING",
            " GROUPS 1 PRECEDING",
            " RANGE UNBOUNDED PRECEDING",
        ]);
        (
            format!("SELECT id, {call} OVER ({partition}ORDER BY {by}{direction}, id{units}) FROM {table} ORDER BY id"),
            true,
        )
    }

    fn united(&mut self) -> (String, bool) {
        let ((left, left_columns), (right, right_columns)) = (self.table(), self.table());
        let ty = self.pick(&[Int2, Int4, Int8, Text, Bool, Date, Timestamp, Jsonb, Ints]);
        let (a, b) = (self.expr(&left_columns, ty, 2), self.expr(&right_columns, ty, 2));
        let operator = self.pick(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL", "INTERSECT ALL"]);
        (format!("SELECT {a} FROM {left} {operator} SELECT {b} FROM {right}"), false)
    }

    fn nested(&mut self) -> (String, bool) {
        let (left, right, columns) = self.pair();
        let targets = self.targets(&columns[..1], 1);
        let inner = self.expr(&columns, Bool, 2);
        let outer: Vec<Column> = columns.iter().filter(|(name, _)| name.starts_with("x.")).cloned().collect();
        let value = self.expr(&outer, Int4, 1);
        let text = match self.below(5) {
            0 => format!("SELECT {targets} FROM {left} WHERE EXISTS (SELECT 1 FROM {right} WHERE {inner})"),
            1 => format!("SELECT {targets} FROM {left} WHERE {value} IN (SELECT y.id FROM {right} WHERE {inner})"),
            2 => format!("SELECT {targets} FROM {left} WHERE {value} NOT IN (SELECT y.id FROM {right} WHERE {inner})"),
            3 => format!("SELECT x.id, (SELECT count(*) FROM {right} WHERE {inner}) FROM {left}"),
            _ => format!(
                "WITH w AS (SELECT * FROM {left} WHERE x.id % 3 = 0) SELECT x.id, l.n FROM w x, LATERAL (SELECT max(y.id) AS n FROM {right} WHERE {inner}) l"
            ),
        };
        (text, false)
    }

    /// A literal that reads as `ty`.
    fn literal(&mut self, ty: Ty) -> String {
        match ty {
            Int2 => format!("{}::int2", self.pick(&[0, 1, -1, 7, 100, 32767, -5])),
            Int4 => self.pick(&["0", "1", "-1", "2", "10", "42", "2147483647", "(-2147483648)"]).to_owned(),
            Int8 => format!("{}::int8", self.pick(&[0_i64, 1, -3, 100, 4_294_967_296, 9_007_199_254_740_993])),
            Numeric => self
                .pick(&["0.0", "1.5", "-2.25", "100.00", "0.001", "12345678901234567890.5", "'NaN'::numeric"])
                .to_owned(),
            Float8 => {
                format!("'{}'::float8", self.pick(&["0", "1.5", "-2.25", "1e10", "1e-5", "Infinity", "NaN"]))
            }
            Text => format!("'{}'::text", self.pick(&WORDS)),
            Bool => self.pick(&["true", "false"]).to_owned(),
            Date => format!(
                "'{}'::date",
                self.pick(&["2024-02-29", "1999-12-31", "2000-01-01", "0044-03-15 BC", "infinity", "2024-03-31"])
            ),
            Timestamp => format!(
                "'{}'::timestamp",
                self.pick(&["2024-02-29 12:34:56.789", "1999-12-31 23:59:59.999999", "2000-01-01", "-infinity"])
            ),
            Interval => format!(
                "'{}'::interval",
                self.pick(&["1 day", "-2 hours", "1 mon 3 days", "00:00:01.5", "1 year", "36:00"])
            ),
            Jsonb => format!(
                "'{}'::jsonb",
                self.pick(&["1", "null", "\"a\"", "[1, 2, {\"a\": 3}]", "{\"a\": 1, \"b\": [true, null]}", "{}", "[]"])
            ),
            Ints => format!("'{}'::int4[]", self.pick(&["{}", "{1,2,3}", "{NULL,5}", "{7}"])),
        }
    }

    /// An expression of type `ty` over `columns`.
    fn expr(&mut self, columns: &[Column], ty: Ty, depth: usize) -> String {
        let fitting: Vec<&Column> = columns.iter().filter(|(_, of)| *of == ty).collect();
        if depth == 0 || self.one_in(4) {
            return match fitting.choose(&mut self.rng) {
                Some((name, _)) if !self.one_in(5) => name.clone(),
                _ => self.literal(ty),
            };
        }
        let depth = depth - 1;
        let mut of = |ty: Ty| self.expr(columns, ty, depth);
        let general = [of(Bool), of(ty), of(ty)];
        match self.below(8) {
            0 => {
                let [condition, a, b] = general;
                return format!("CASE WHEN {condition} THEN {a} ELSE {b} END");
            }
            1 => {
                let [_, a, b] = general;
                return format!("coalesce({a}, {b})");
            }
            2 if !matches!(ty, Jsonb | Ints) => {
                let [_, a, b] = general;
                return format!("{}({a}, {b})", self.pick(&["greatest", "least", "nullif"]));
            }
            _ => {}
        }
        let [_, a, b] = general;
        let mut of = |ty: Ty| self.expr(columns, ty, depth);
        let (number, text, date, stamp, interval, json, ints) =
            (of(Int4), of(Text), of(Date), of(Timestamp), of(Interval), of(Jsonb), of(Ints));
        match ty {
            Int2 | Int8 | Float8 | Numeric => match self.below(6) {
                0..3 => format!("({a} {} {b})", self.pick(&["+", "-", "*"])),
                3 => format!("({a} / {b})"),
                4 => format!("abs({a})"),
                _ => format!("({number})::{}", ty.name()),
            },
            Int4 => match self.below(9) {
                0..3 => format!("({a} {} {b})", self.pick(&["+", "-", "*", "%", "&", "|", "#"])),
                3 => format!("length({text})"),
                4 => format!("extract({} FROM {date})::int4", self.pick(&["year", "month", "dow"])),
                5 => format!("coalesce(array_length({ints}, 1), 0)"),
                6 => format!("strpos({text}, 'a')"),
                7 => format!("({ints})[1]"),
                _ => format!("sign({a})::int4"),
            },
            Text => match self.below(9) {
                0 => format!("({a} || {b})"),
                1 => format!(
                    "{}({a})",
                    self.pick(&["upper", "lower", "btrim", "reverse", "md5", "initcap", "quote_literal"])
                ),
                2 => format!("substr({a}, {}, {})", self.below(4), self.below(4)),
                3 => format!("replace({a}, 'a', {b})"),
                4 => format!("lpad({a}, {}, '*')", self.below(8)),
                5 => format!("({number})::text"),
                6 => format!("({json} ->> 'a')"),
                7 => format!("to_char({stamp}, 'YYYY-MM-DD HH24:MI:SS.US Day')"),
                _ => format!("left({a}, {})", self.below(5) as i32 - 2),
            },
            Bool => {
                let other = self.some_type();
                let (c, d) = (self.expr(columns, other, depth), self.expr(columns, other, depth));
                match self.below(12) {
                    0..3 => format!("({c} {} {d})", self.pick(&["=", "<>", "<", "<=", ">", ">="])),
                    3 => format!("({a} AND {b})"),
                    4 => format!("({a} OR {b})"),
                    5 => format!("(NOT {a})"),
                    6 => format!("({c} IS {}NULL)", self.pick(&["", "NOT "])),
                    7 => format!("({c} IS {}DISTINCT FROM {d})", self.pick(&["", "NOT "])),
                    8 => format!(
                        "({text} {} '{}')",
                        self.pick(&["LIKE", "NOT LIKE", "ILIKE", "~", "~*"]),
                        self.pick(&["a%", "%b%", "_", "a"])
                    ),
                    9 => format!("({number} BETWEEN 0 AND 50)"),
                    10 => format!("({number} IN (1, 2, NULL, {}))", self.below(50)),
                    _ => format!("({number} = ANY ({ints}))"),
                }
            }
            Date => match self.below(3) {
                0 => format!("({a} + {})", self.below(400) as i32 - 200),
                1 => format!("({stamp})::date"),
                _ => format!("date_trunc('month', {stamp})::date"),
            },
            Timestamp => match self.below(3) {
                0 => format!("({a} {} {interval})", self.pick(&["+", "-"])),
                1 => format!("({date})::timestamp"),
                _ => format!("date_trunc('{}', {a})", self.pick(&["hour", "week", "year", "quarter"])),
            },
            Interval => match self.below(4) {
                0 => format!("({a} + {b})"),
                1 => format!("(- {a})"),
                2 => format!("({stamp} - {stamp})"),
                _ => format!("({a} * {})", self.pick(&["2", "0.5", "-1"])),
            },
            Jsonb => match self.below(5) {
                0 => format!("({a} || {b})"),
                1 => format!("to_jsonb({number})"),
                2 => format!("jsonb_build_object('k', {text})"),
                3 => format!("({a} -> {})", self.pick(&["'a'", "0", "-1"])),
                _ => format!("to_jsonb({ints})"),
            },
            Ints => match self.below(4) {
                0 => format!("({a} || {number})"),
                1 => format!("array_append({a}, {number})"),
                2 => format!("array_remove({a}, {number})"),
                _ => format!("ARRAY[{number}, 3]"),
            },
        }
    }
}
