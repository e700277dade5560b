//! Queries: joins, groups, windows, set operations, WITH, LATERAL.

use super::types::Ty::{self, *};
use super::{Column, Generator, named};

/// Aggregates; what they answer does not depend on the order of rows.
const AGGREGATES: &[&str] = &[
    "count(*)",
    "count(«int4»)",
    "count(DISTINCT «text»)",
    "sum(«int2»)",
    "sum(«int4»)",
    "sum(«int8»)",
    "sum(«numeric»)",
    "sum(DISTINCT «int4»)",
    "avg(«int4»)",
    "avg(«numeric»)",
    "round(«stddev¦variance¦stddev_pop¦var_samp»(«int4»), 6)",
    "«min¦max»(«text»)",
    "«min¦max»(«date»)",
    "«min¦max»(«int4»)",
    "«min¦max»(«timestamp»)",
    "«bool_or¦bool_and¦every»(«bool»)",
    "«bit_and¦bit_or¦bit_xor»(«int4»)",
    "sum(«interval»)",
    "string_agg(§text§, «','¦''» ORDER BY §text§)",
    "array_agg(§int4§ ORDER BY §int4§ «¦DESC¦NULLS FIRST»)",
    "array_agg(DISTINCT «text»)",
    "jsonb_agg(§date§ ORDER BY §date§)",
    "jsonb_object_agg(id_, id_)",
    "percentile_disc(«0.5¦0¦0.9») WITHIN GROUP (ORDER BY «int4»)",
    "percentile_cont(«0.5¦0.25») WITHIN GROUP (ORDER BY «int4»)",
    "rank(«1¦5») WITHIN GROUP (ORDER BY «int4»)",
    "regr_count(«int4», «int4»)",
    "max(«int4») - min(«int4»)",
    "coalesce(sum(«int4»), 0)",
];

const WINDOWED: &[&str] = &[
    "row_number()",
    "rank()",
    "dense_rank()",
    "percent_rank()",
    "cume_dist()",
    "ntile(«1¦4»)",
    "«lag¦lead»(«text»)",
    "«lag¦lead»(«int4», «0¦2¦-1», «int4»)",
    "«first_value¦last_value»(«text»)",
    "nth_value(«date», «1¦3»)",
    "count(*)",
    "count(«text»)",
    "sum(«int4»)",
    "avg(«int4»)",
    "«min¦max»(«int4»)",
    "«min¦max»(«text»)",
    "string_agg(«text», ',')",
    "bool_and(«bool»)",
    "array_agg(«int4»)",
];

const FRAMES: &[&str] = &[
    "",
    "",
    " ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING",
    " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
    " ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING",
    " ROWS 3 PRECEDING",
    " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW",
    " GROUPS 1 PRECEDING",
    " GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES",
    " RANGE UNBOUNDED PRECEDING",
    " RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE GROUP",
];

impl Generator {
    /// A query, and whether its rows come in a fixed order.
    pub(super) fn select(&mut self) -> (String, bool) {
        match self.below(20) {
            0..5 => self.plain(),
            5..8 => self.joined(),
            8..11 => self.grouped(),
            11..13 => self.windowed(),
            13 => self.united(),
            14 => (self.recursive(), false),
            15 => (self.with(), false),
            16 | 17 => (self.lateral(), false),
            18 => (self.nested(), false),
            _ => (self.sets_in_targets(), false),
        }
    }

    fn targets(&mut self, columns: &[Column], depth: usize) -> String {
        let count = 1 + self.below(4);
        let mut list = Vec::new();
        for _ in 0..count {
            let ty = self.some_type();
            let text = self.expr(columns, ty, depth);
            list.push(if self.one_in(6) { format!("{text} AS \"n {}\"", list.len()) } else { text });
        }
        list.join(", ")
    }

    pub(super) fn condition(&mut self, columns: &[Column]) -> String {
        if self.one_in(3) { String::new() } else { format!(" WHERE {}", self.expr(columns, Bool, 3)) }
    }

    /// One to `most` joined tables, and all their columns; the first is `x`'s `id`.
    pub(super) fn joined_tables(&mut self, most: usize) -> (String, Vec<Column>) {
        let count = 1 + self.below(most);
        let (first, mut columns) = self.base_table("x");
        let mut text = format!("{first} x");
        for alias in ["y", "z", "w"].into_iter().take(count - 1) {
            let (table, own) = self.base_table(alias);
            let before = self.pick(&["x", if alias == "y" { "x" } else { "y" }]);
            let all = [columns.clone(), own].concat();
            let kind = self.pick(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT JOIN", "JOIN"]);
            let equal = match self.below(3) {
                0 => format!("{alias}.id % 10 = {before}.id % 10"),
                _ => format!("{before}.id = {alias}.id"),
            };
            let more = match self.below(3) {
                0 if kind != "FULL JOIN" => format!(" AND {}", self.expr(&all, Bool, 2)),
                _ => String::new(),
            };
            text = match self.below(6) {
                0 if kind != "RIGHT JOIN" && kind != "FULL JOIN" => format!(
                    "{text} {kind} (SELECT * FROM {table} q{}) {alias} ON {equal}{more}",
                    if self.one_in(2) { " WHERE q.id % 2 = 0" } else { "" }
                ),
                _ => format!("{text} {kind} {table} {alias} ON {equal}{more}"),
            };
            columns = all;
        }
        (text, columns)
    }

    fn plain(&mut self) -> (String, bool) {
        let (table, columns) = if self.one_in(4) { self.table("x") } else { self.base_table("x") };
        let targets = self.targets(&columns, 3);
        let condition = self.condition(&columns);
        let is_table = table.starts_with('t');
        match self.below(8) {
            0 | 1 if is_table => {
                let direction = self.pick(&["", " DESC", " NULLS FIRST", " DESC NULLS LAST", " USING <"]);
                let by = if self.one_in(2) {
                    columns[self.below(columns.len())].0.clone()
                } else {
                    let ty = self.some_type();
                    self.expr(&columns, ty, 2)
                };
                let limit = self.pick(&["", " LIMIT 5", " LIMIT 3 OFFSET 2", " OFFSET 7", " FETCH FIRST 4 ROWS ONLY"]);
                (
                    format!("SELECT x.id, {targets} FROM {table} x{condition} ORDER BY {by}{direction}, x.id{limit}"),
                    true,
                )
            }
            2 => {
                let ty = self.alike();
                (format!("SELECT DISTINCT {} FROM {table} x{condition}", self.expr(&columns, ty, 3)), false)
            }
            3 if is_table => {
                let ty = self.alike();
                self.key = true;
                let by = self.expr(&columns, ty, 1);
                self.key = false;
                (
                    format!("SELECT DISTINCT ON ({by}) x.id, {targets} FROM {table} x{condition} ORDER BY {by}, x.id"),
                    true,
                )
            }
            4 => {
                let whole = self.pick(&["x", "x.*", "(x).id", "row_to_json(x)", "to_jsonb(x)", "x IS NULL", "x::text"]);
                (format!("SELECT {whole} FROM {table} x{condition}"), false)
            }
            5 => {
                let order = self.below(columns.len());
                let by = columns[order].0.clone();
                (format!("SELECT count(*) FROM (SELECT * FROM {table} x ORDER BY {by} LIMIT 7) q"), false)
            }
            _ => (format!("SELECT {targets} FROM {table} x{condition}"), false),
        }
    }

    /// A type of which equal values look alike.
    fn alike(&mut self) -> Ty {
        loop {
            let ty = self.some_type();
            if ty.looks_alike() {
                return ty;
            }
        }
    }

    fn joined(&mut self) -> (String, bool) {
        let (from, columns) = match self.below(8) {
            0 => {
                let ((left, own), (right, others)) = (self.table("x"), self.table("y"));
                let columns = [own, others].concat();
                (format!("{left} x, {right} y WHERE x.id = y.id AND {}", self.expr(&columns, Bool, 2)), columns)
            }
            1 => {
                let ((left, own), (right, others)) = (self.base_table("x"), self.base_table("y"));
                let kind = self.pick(&["JOIN", "LEFT JOIN", "FULL JOIN"]);
                let columns = [vec![("id".to_owned(), Int4)], own, others].concat();
                (format!("{left} x {kind} {right} y USING (id){}", self.condition(&columns)), columns)
            }
            _ => {
                let (from, columns) = self.joined_tables(4);
                (format!("{from}{}", self.condition(&columns)), columns)
            }
        };
        (format!("SELECT {} FROM {from}", self.targets(&columns, 2)), false)
    }

    fn aggregate(&mut self, columns: &[Column]) -> String {
        let template = self.pick(AGGREGATES);
        let mut text = String::new();
        // What stands there twice must be the same twice.
        let mut twice = std::collections::HashMap::new();
        for (number, piece) in template.split('§').enumerate() {
            if number % 2 == 0 {
                text += piece;
            } else {
                let ty = Ty::tagged(piece).expect("a type");
                let made = twice.entry(piece).or_insert_with(|| self.expr(columns, ty, 1));
                text += made;
            }
        }
        let text = text.replace("id_", "coalesce(x.id, 0)");
        let call = self.expand(&text, columns, Int4, 1);
        let plain = !call.contains(" - min(") && !call.starts_with("round") && !call.starts_with("coalesce");
        if plain && self.one_in(5) { format!("{call} FILTER (WHERE {})", self.expr(columns, Bool, 1)) } else { call }
    }

    fn grouped(&mut self) -> (String, bool) {
        let (from, columns) = self.joined_tables(2);
        let (first, second) = (self.aggregate(&columns), self.aggregate(&columns));
        let condition = self.condition(&columns);
        let (one, other) = (self.alike(), self.alike());
        self.key = true;
        let (k, l) = (self.expr(&columns, one, 1), self.expr(&columns, other, 1));
        self.key = false;
        let having = match self.below(5) {
            0 => " HAVING count(*) > 1".to_owned(),
            1 => format!(" HAVING {} IS NOT NULL", self.aggregate(&columns)),
            _ => String::new(),
        };
        let text = match self.below(9) {
            0 | 1 => format!("SELECT {first}, {second} FROM {from}{condition}{having}"),
            2 => {
                let sets =
                    self.pick(&["ROLLUP (k, l)", "CUBE (k, l)", "GROUPING SETS ((k), (l), ())", "k, ROLLUP (l)"]);
                let sub = format!("SELECT x.*, {k} AS k, {l} AS l FROM {from}{condition}");
                let of_first: Vec<Column> = columns.iter().filter(|c| c.0.starts_with("x.")).cloned().collect();
                let aggregate = self.aggregate(&of_first);
                let grouping = self.pick(&["grouping(k, l)", "grouping(l)"]);
                format!("SELECT k, l, {grouping}, {aggregate} FROM ({sub}) x GROUP BY {sets}")
            }
            3 => format!("SELECT {k}, {first} FROM {from}{condition} GROUP BY {k}, {l}{having}"),
            4 => format!("SELECT {k} AS k, {l} AS l, {first} FROM {from}{condition} GROUP BY 1, 2{having}"),
            5 => format!("SELECT {k} AS k, {first} FROM {from}{condition} GROUP BY k{having} ORDER BY {second}, k"),
            6 if !from.contains(" JOIN ") => {
                let own = self.expr(&columns, Text, 1);
                format!("SELECT x.id, {own}, {first} FROM {from}{condition} GROUP BY x.id{having}")
            }
            7 => format!("SELECT DISTINCT count(*) FROM {from}{condition} GROUP BY {k}"),
            _ => format!("SELECT {k}, {first}, {second} FROM {from}{condition} GROUP BY {k}{having}"),
        };
        (text, false)
    }

    fn windowed(&mut self) -> (String, bool) {
        let (table, columns) = self.base_table("x");
        let (one, other) = (self.alike(), self.some_type());
        let partition = match self.below(2) {
            0 => format!("PARTITION BY {} ", self.expr(&columns, one, 1)),
            _ => String::new(),
        };
        let (by, direction) = (self.expr(&columns, other, 1), self.pick(&["", " DESC", " NULLS FIRST"]));
        let (first, second) = (self.pick(WINDOWED), self.pick(WINDOWED));
        let (first, second) = (self.expand(first, &columns, Int4, 1), self.expand(second, &columns, Int4, 1));
        let (frame, other_frame) = (self.pick(FRAMES), self.pick(FRAMES));
        let condition = self.condition(&columns);
        let text = match self.below(5) {
            0 => format!(
                "SELECT x.id, {first} OVER w, {second} OVER (w{other_frame}) FROM {table} x{condition} \
                 WINDOW w AS ({partition}ORDER BY {by}{direction}, x.id) ORDER BY x.id"
            ),
            1 => format!(
                "SELECT x.id, sum(x.id) OVER (ORDER BY x.id RANGE BETWEEN {} PRECEDING AND {} FOLLOWING), \
                 count(*) FILTER (WHERE {}) OVER ({partition}) FROM {table} x{condition} ORDER BY x.id",
                self.below(5),
                self.below(5),
                self.expr(&columns, Bool, 1)
            ),
            2 => format!(
                "SELECT * FROM (SELECT x.id, {} OVER ({partition}ORDER BY {by}{direction}, x.id) AS n FROM {table} x) q \
                 WHERE n <= 3 ORDER BY id",
                self.pick(&["row_number()", "rank()", "count(*)"])
            ),
            3 => {
                let key = self.pick(&["x.id % 3", "x.id % 5"]);
                format!(
                    "SELECT {key} AS k, sum(count(*)) OVER (ORDER BY {key}), rank() OVER (ORDER BY max(x.id) DESC) \
                     FROM {table} x{condition} GROUP BY {key} ORDER BY 1"
                )
            }
            _ => format!(
                "SELECT x.id, {first} OVER ({partition}ORDER BY {by}{direction}, x.id{frame}), {second} OVER (ORDER BY x.id) \
                 FROM {table} x{condition} ORDER BY x.id"
            ),
        };
        (text, true)
    }

    fn united(&mut self) -> (String, bool) {
        let ((left, own), (right, others)) = (self.table("x"), self.table("x"));
        let (one, other) = (self.alike(), self.alike());
        let pair = |generator: &mut Generator, columns: &[Column]| {
            format!("{}, {}", generator.expr(columns, one, 2), generator.expr(columns, other, 1))
        };
        let (a, b) = (pair(self, &own), pair(self, &others));
        let operators = ["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL", "INTERSECT ALL"];
        let (first, second) = (self.pick(&operators), self.pick(&operators));
        let (condition, other_condition) = (self.condition(&own), self.condition(&others));
        let (left, right) =
            (format!("SELECT {a} FROM {left} x{condition}"), format!("SELECT {b} FROM {right} x{other_condition}"));
        match self.below(5) {
            0 => (format!("{left} {first} {right} {second} {left}"), false),
            1 => (format!("({left} {first} {right}) {second} ({left} LIMIT 0)"), false),
            2 => (format!("SELECT count(*), min(q.*::text) FROM ({left} {first} {right}) q"), false),
            3 => (format!("{left} {first} {right} ORDER BY 1, 2 LIMIT 9"), true),
            _ => (format!("{left} {first} {right}"), false),
        }
    }

    fn recursive(&mut self) -> String {
        let (table, columns) = self.base_table("x");
        let all = if self.one_in(2) { " ALL" } else { "" };
        let own = [vec![("r.n".to_owned(), Int4), ("r.v".to_owned(), Text)], columns.clone()].concat();
        let (value, next) = (self.expr(&columns, Text, 1), self.expr(&own, Text, 1));
        match self.below(4) {
            0 => format!(
                "WITH RECURSIVE r(n, v) AS (SELECT 1, 'a'::text UNION{all} SELECT n + 1, {} FROM r WHERE n < {}) SELECT * FROM r",
                self.expr(&own[..2], Text, 2),
                3 + self.below(9)
            ),
            1 => format!(
                "WITH RECURSIVE r(n, v) AS (SELECT x.id, {value} FROM {table} x WHERE x.id < 3 UNION{all} \
                 SELECT x.id, {next} FROM r JOIN {table} x ON x.id = r.n + 7) SELECT n, v FROM r"
            ),
            2 => format!(
                "WITH RECURSIVE r(n, v) AS (VALUES (1, ''::text) UNION ALL SELECT n + 1, v || n FROM r WHERE n < 6), \
                 s AS (SELECT r.n, x.id FROM r JOIN {table} x ON x.id % 6 = r.n) SELECT n, count(*), min(id) FROM s GROUP BY n"
            ),
            _ => format!(
                "WITH RECURSIVE r(n, v) AS (SELECT x.id, ''::text FROM {table} x WHERE x.id < 4 UNION ALL \
                 SELECT r.n + 3, r.v || '-' FROM r WHERE r.n < 20) {} SELECT n, v, o FROM r",
                self.pick(&["SEARCH BREADTH FIRST BY n SET o", "SEARCH DEPTH FIRST BY n, v SET o"])
            ),
        }
    }

    fn with(&mut self) -> String {
        let (from, columns) = self.joined_tables(2);
        let (text, number) = (self.expr(&columns, Text, 2), self.expr(&columns, Int4, 2));
        let condition = self.condition(&columns);
        let kept = self.pick(&["", "MATERIALIZED ", "NOT MATERIALIZED "]);
        let own = [("x.a".to_owned(), Text), ("x.b".to_owned(), Int4), ("x.id".to_owned(), Int4)];
        let with =
            format!("WITH x(a, b, id) AS {kept}(SELECT {text}, {number}, {} FROM {from}{condition})", columns[0].0);
        let targets = self.targets(&own, 2);
        match self.below(4) {
            0 => format!("{with} SELECT {targets} FROM x{}", self.condition(&own)),
            1 => format!("{with} SELECT {targets} FROM x LEFT JOIN x y ON x.id = y.id + 1"),
            2 => format!(
                "{with}, y AS (SELECT b, count(*) AS n FROM x GROUP BY b) SELECT x.a, y.n FROM x JOIN y USING (b)"
            ),
            _ => format!(
                "{with} SELECT (SELECT count(*) FROM x WHERE x.b = q.id) AS n, {targets} FROM x, x q WHERE x.id = q.id"
            ),
        }
    }

    fn lateral(&mut self) -> String {
        let (table, own) = self.base_table("x");
        let (other, inner) = self.base_table("y");
        let both = [own.clone(), inner.clone()].concat();
        let condition = self.expr(&both, Bool, 2);
        let n = [own.clone(), vec![("l.n".to_owned(), Int4)]].concat();
        let t = [own.clone(), vec![("l.n".to_owned(), Text)]].concat();
        let (ints, texts) = (self.expr(&own, Ints, 1), self.expr(&own, Texts, 1));
        let kind = self.pick(&["CROSS JOIN LATERAL", "LEFT JOIN LATERAL", "JOIN LATERAL"]);
        let on = if kind == "CROSS JOIN LATERAL" { "" } else { " ON true" };
        match self.below(8) {
            0 => format!(
                "SELECT x.id, {} FROM {table} x {kind} (SELECT max(y.id) AS n FROM {other} y WHERE {condition}) l{on}",
                self.targets(&n, 1)
            ),
            1 => format!(
                "SELECT x.id, l.n FROM {table} x {kind} (SELECT y.id AS n FROM {other} y WHERE y.id % 5 = x.id % 5 AND {condition} \
                 ORDER BY y.id DESC LIMIT 2) l{on}"
            ),
            2 => format!("SELECT x.id, {} FROM {table} x {kind} unnest({ints}) AS l(n){on}", self.targets(&n, 1)),
            3 => format!(
                "SELECT x.id, {}, o FROM {table} x {kind} unnest({texts}) WITH ORDINALITY AS l(n, o){on}",
                self.targets(&t, 1)
            ),
            4 => format!(
                "SELECT x.id, l.n FROM {table} x, generate_series(1, x.id % 4) l(n) WHERE {}",
                self.expr(&n, Bool, 1)
            ),
            5 => format!(
                "SELECT x.id, l.* FROM {table} x, LATERAL {}",
                self.pick(&[
                    "jsonb_each('{\"a\": 1, \"b\": [2]}'::jsonb) l",
                    "regexp_split_to_table('a b c', ' ') l",
                    "(VALUES (x.id, 'a'), (x.id + 1, 'b')) l(a, b)",
                    "ROWS FROM (generate_series(1, 2), unnest(ARRAY['a', 'b', 'c'])) l",
                    "jsonb_to_recordset('[{\"a\": 1, \"b\": \"x\"}, {\"a\": null}]') AS l(a int, b text)",
                    "string_to_table('a,b', ',') WITH ORDINALITY l",
                ])
            ),
            6 => format!(
                "SELECT v.a, {} FROM (VALUES ({}, {}), ({}, {})) x(id, a), LATERAL (SELECT x.a) v",
                self.targets(&[("x.id".to_owned(), Int4), ("x.a".to_owned(), Text)], 2),
                self.literal(Int4),
                self.literal(Text),
                self.literal(Int4),
                self.literal(Text)
            ),
            _ => format!(
                "SELECT x.id, l.n FROM {table} x LEFT JOIN (SELECT y.id, count(*) AS n FROM {other} y, generate_series(1, 2) GROUP BY y.id) l \
                 ON l.id = x.id WHERE {}",
                self.expr(&own, Bool, 2)
            ),
        }
    }

    fn nested(&mut self) -> String {
        let ((left, own), (right, inner)) = (self.table("x"), self.table("y"));
        let columns = [own.clone(), inner.clone()].concat();
        let condition = self.expr(&columns, Bool, 2);
        let value = self.expr(&own, Int4, 1);
        match self.below(8) {
            0 => format!(
                "SELECT x.id FROM {left} x WHERE {}EXISTS (SELECT 1 FROM {right} y WHERE {condition})",
                self.pick(&["", "NOT "])
            ),
            1 => format!("SELECT x.id FROM {left} x WHERE {value} IN (SELECT y.id FROM {right} y WHERE {condition})"),
            2 => {
                format!("SELECT x.id FROM {left} x WHERE {value} NOT IN (SELECT y.id FROM {right} y WHERE {condition})")
            }
            3 => format!("SELECT x.id, (SELECT count(*) FROM {right} y WHERE {condition}) FROM {left} x"),
            4 => format!(
                "SELECT x.id FROM {left} x WHERE (x.id, {value}) IN (SELECT y.id, {} FROM {right} y)",
                self.expr(&inner, Int4, 1)
            ),
            5 => format!(
                "SELECT q.k, count(*) FROM (SELECT {value} AS k, x.id FROM {left} x) q WHERE q.id > ANY (SELECT y.id FROM {right} y \
                 WHERE {}) GROUP BY q.k HAVING count(*) >= (SELECT min(y.id) FROM {right} y)",
                self.expr(&inner, Bool, 1)
            ),
            6 => format!(
                "SELECT CASE WHEN EXISTS (SELECT 1 FROM {right} y WHERE y.id = x.id AND {condition}) THEN (SELECT max(y.id) FROM {right} y \
                 WHERE y.id < x.id) ELSE {value} END FROM {left} x"
            ),
            _ => format!(
                "SELECT x.id FROM {left} x WHERE x.id = (SELECT max(y.id) FROM {right} y WHERE y.id % 10 = x.id % 10 AND {condition})"
            ),
        }
    }

    fn sets_in_targets(&mut self) -> String {
        let (table, columns) = self.base_table("x");
        let condition = self.condition(&columns);
        let ints = self.expr(&columns, Ints, 1);
        match self.below(5) {
            0 => format!(
                "SELECT x.id, generate_series(1, x.id % 3), {} FROM {table} x{condition}",
                self.targets(&columns, 1)
            ),
            1 => format!("SELECT x.id, unnest({ints}) FROM {table} x{condition}"),
            2 => format!("SELECT unnest({ints}) AS n, count(*) FROM {table} x{condition} GROUP BY 1"),
            3 => format!("SELECT x.id, unnest({ints}), generate_series(1, 2) + 1 FROM {table} x{condition}"),
            _ => {
                let series = self.pick(&[
                    "generate_series('2024-01-31'::timestamp, '2024-06-01', '1 month')",
                    "generate_series(1, 10, 3)",
                    "generate_series(5, 1, -2)",
                    "generate_series(1.0, 2.0, 0.25)",
                    "generate_subscripts(ARRAY[3, 4], 1)",
                    "regexp_matches('abcabc', '(b)(c)?', 'g')",
                    "jsonb_array_elements_text('[1, \"a\", null]')",
                    "jsonb_object_keys('{\"b\": 1, \"a\": 2}')",
                ]);
                format!("SELECT {series}, {}", self.literal(Int4))
            }
        }
    }

    /// Columns of a table under a name of the caller's.
    pub(super) fn columns_of(&self, table: &str, alias: &str) -> Vec<Column> {
        self.tables.iter().find(|t| t.name == table).map(|t| named(alias, &t.columns)).unwrap_or_default()
    }
}
