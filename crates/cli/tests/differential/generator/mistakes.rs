//! Statements that cannot be bound or read.

use super::Generator;
use super::types::TYPES;
use super::types::Ty::*;

impl Generator {
    pub(super) fn mistake(&mut self) -> String {
        let (table, columns) = self.base_table("x");
        let (left, right) = (self.pick(&TYPES), self.pick(&TYPES));
        let (a, b) = (self.expr(&columns, left, 1), self.expr(&columns, right, 1));
        let flag = self.expr(&columns, Bool, 1);
        match self.below(40) {
            0 => format!("SELECT nothing FROM {table} x"),
            1 => format!("SELECT {a} {} {b} FROM {table} x", self.pick(&["+", "-", "*", "||", "@>", "%", "&"])),
            2 => format!("SELECT {a} = {b} FROM {table} x"),
            3 => format!("SELECT upper({a}, {b}) FROM {table} x"),
            4 => format!("SELECT {a} FROM {table} x WHERE {b}"),
            5 => format!("SELECT x.id, count(*) FROM {table} x GROUP BY {}", columns[1].0),
            6 => format!("SELECT {a} FROM {table} x UNION SELECT {b} FROM {table} x"),
            7 => format!("SELECT ({a})::{} FROM {table} x", right.name()),
            8 => format!("SELECT {a} FROM {table} x WHERE count(*) > 1"),
            9 => format!("SELECT sum(max(x.id)) FROM {table} x"),
            10 => format!("SELECT {a} FROM {table} x WHERE row_number() OVER () = 1"),
            11 => format!("SELECT {table}.id FROM {table} x"),
            12 => format!("SELECT id FROM {table} x, {table} y"),
            13 => format!("SELECT {a}, {b} FROM {table} x EXCEPT SELECT 1"),
            14 => format!("INSERT INTO {table} (id, id) VALUES (1, 2)"),
            15 => format!("INSERT INTO {table} VALUES (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)"),
            16 => format!("INSERT INTO {table} (id, nope) VALUES (1, 2)"),
            17 => format!("UPDATE {table} SET {} = {b} WHERE id = -1", columns[1].0.trim_start_matches("x."))
                .replace("x.", ""),
            18 => format!("SELECT CASE WHEN {flag} THEN {a} ELSE {b} END FROM {table} x"),
            19 => format!("SELECT coalesce({a}, {b}) FROM {table} x"),
            20 => format!("SELECT ARRAY[{a}, {b}] FROM {table} x"),
            21 => format!("SELECT {a} IN ({b}) FROM {table} x"),
            22 => format!("SELECT (SELECT 1, 2) FROM {table} x"),
            23 => format!("SELECT (SELECT id FROM {table}) FROM {table} x"),
            24 => format!("SELECT * FROM {table} x ORDER BY 99"),
            25 => format!("SELECT * FROM {table} x LIMIT {a}"),
            26 => format!("SELECT DISTINCT x.id FROM {table} x ORDER BY {a}"),
            27 => format!("SELECT {a} FROM {table} x JOIN {table} x ON true"),
            28 => format!(
                "SELECT {}({a}) FROM {table} x",
                self.pick(&["nope", "sum", "lower", "abs", "length", "date_trunc", "unnest"])
            ),
            29 => format!("SELECT x.nope, {a} FROM {table} x"),
            30 => format!("SELECT {a} FROM {table} x LEFT JOIN {table} y ON {b}"),
            31 => format!("WITH w AS (SELECT {a}) SELECT * FROM w"),
            32 => format!(
                "WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT {b} FROM r, {table} x WHERE n < 3) SELECT * FROM r"
            ),
            33 => format!("SELECT {a} LIKE {b} FROM {table} x"),
            34 => format!("SELECT sum({a}) FILTER (WHERE {b}) FROM {table} x"),
            35 => format!("VALUES ({a}), (1, 2)").replace("x.", ""),
            36 => format!("SELECT {a} AT TIME ZONE {b} FROM {table} x"),
            37 => format!("SELECT ({a})[1] FROM {table} x"),
            _ => {
                let (text, _) = self.select();
                self.spoiled(&text)
            }
        }
    }

    /// A text with a word less, a word twice, or two words swapped.
    fn spoiled(&mut self, text: &str) -> String {
        let mut words: Vec<&str> = text.split(' ').collect();
        let (at, other) = (self.below(words.len()), self.below(words.len()));
        match self.below(4) {
            0 => drop(words.remove(at)),
            1 => words.insert(at, words[other]),
            2 => words.swap(at, other),
            _ => words.truncate(at.max(1)),
        }
        words.join(" ")
    }
}
