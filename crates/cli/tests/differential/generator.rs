//! `Generator`: a seed's schema, data and statements. First tables are made, filled and indexed, then they are asked and changed.

mod changes;
mod expressions;
mod mistakes;
mod queries;
mod types;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use types::Ty::{self, *};
use types::{COLUMN_TYPES, TYPES};

/// A table or a view.
#[derive(Clone)]
struct Table {
    name: String,
    columns: Vec<Column>,
    /// Columns that are never NULL.
    required: Vec<String>,
    /// Columns that are computed.
    generated: Vec<String>,
    /// The last `id` given to a row.
    rows: usize,
    /// Whether rows can be added to it and changed.
    is_table: bool,
}

/// What a column is called, and its type.
type Column = (String, Ty);

/// A statement to ask.
pub struct Statement {
    pub text: String,
    /// Whether its rows come in a fixed order.
    pub ordered: bool,
    /// Whether it leaves all as it is.
    pub reads: bool,
}

/// Makes statements.
pub struct Generator {
    rng: ChaCha8Rng,
    tables: Vec<Table>,
    made: usize,
    /// Aliases given to tables of subqueries.
    aliases: usize,
    /// Asked before anything else: what was made just now, as the catalogs show it.
    next: Vec<String>,
    /// Whether expressions are for a view, whose text is compared: some are not shown as they were written yet.
    shown: bool,
    /// Whether expressions are keys that are written twice: a subquery is not known to be the same.
    key: bool,
}

impl Generator {
    pub fn new(seed: u64) -> Generator {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Generator { rng, tables: Vec::new(), made: 0, aliases: 0, next: Vec::new(), shown: false, key: false }
    }

    /// The next statement.
    pub fn statement(&mut self) -> Statement {
        self.made += 1;
        let reads = |text: String, ordered| Statement { text, ordered, reads: true };
        let changes = |text: String| Statement { text, ordered: false, reads: false };
        if let Some(text) = self.next.pop() {
            return reads(text, true);
        }
        if self.tables.len() < 3 {
            return changes(self.create_table());
        }
        match self.made {
            0..14 => return changes(self.insert_rows(25)),
            14..18 => return changes(self.create_index()),
            18 => return changes("ANALYZE".to_owned()),
            19..24 => return changes(self.create_view()),
            _ => {}
        }
        match self.below(100) {
            0..14 => changes(self.change()),
            14..20 => reads(self.mistake(), false),
            20 => changes(self.alter()),
            _ => {
                let (text, ordered) = self.select();
                reads(text, ordered)
            }
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
        let (mut required, mut generated) = (Vec::new(), Vec::new());
        for number in 0..4 + self.below(5) {
            let ty = if self.one_in(2) { self.pick(&COLUMN_TYPES) } else { self.pick(&TYPES) };
            let column = format!("c{number}");
            text += &format!(", {column} {}", ty.name());
            match self.below(12) {
                0 => text += &format!(" DEFAULT {}", self.literal(ty)),
                1 if ty.is_number() => text += &format!(" CHECK ({column} < 30000)"),
                2 => {
                    text += " NOT NULL";
                    required.push(column.clone());
                }
                3 if ty == Int4 => {
                    text += &format!(" GENERATED ALWAYS AS (id % {} + 1) STORED", 2 + self.below(9));
                    generated.push(column.clone());
                }
                _ => {}
            }
            columns.push((column, ty));
        }
        self.next.push(format!(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '{name}'::regclass ORDER BY 1"
        ));
        self.next.push(format!(
            "SELECT adnum, pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = '{name}'::regclass ORDER BY 1"
        ));
        self.tables.push(Table { name, columns, required, generated, rows: 0, is_table: true });
        text + ")"
    }

    fn create_index(&mut self) -> String {
        let (table, columns) = self.base_table("");
        let name = format!("i{}", self.made);
        let (column, ty) = columns[self.below(columns.len())].clone();
        let key = match self.below(4) {
            0 if ty == Text => format!("lower({column})"),
            0 if ty.is_number() => format!("({column} + 1)"),
            1 => format!("{column} DESC"),
            2 => format!("{column}, id"),
            _ => column.clone(),
        };
        let only = if self.one_in(4) { format!(" WHERE {column} IS NOT NULL") } else { String::new() };
        self.next.push(format!("SELECT pg_get_indexdef('{name}'::regclass)"));
        format!("CREATE INDEX {name} ON {table} ({key}){only}")
    }

    fn create_view(&mut self) -> String {
        let name = format!("v{}", self.made);
        self.shown = true;
        let mut columns = Vec::new();
        let (from, all) = self.joined_tables(2);
        let mut targets = vec![format!("{} AS id", all[0].0)];
        columns.push(("id".to_owned(), Int4));
        for number in 0..2 + self.below(3) {
            let ty = self.some_type();
            targets.push(format!("{} AS c{number}", self.expr(&all, ty, 2)));
            columns.push((format!("c{number}"), ty));
        }
        let condition = self.condition(&all);
        self.shown = false;
        self.next.push(format!("SELECT pg_get_viewdef('{name}'::regclass)"));
        let (required, generated) = (Vec::new(), Vec::new());
        self.tables.push(Table { name: name.clone(), columns, required, generated, rows: 0, is_table: false });
        format!("CREATE VIEW {name} AS SELECT {} FROM {from}{condition}", targets.join(", "))
    }

    /// A table's name, and its columns as `alias` knows them.
    fn base_table(&mut self, alias: &str) -> (String, Vec<Column>) {
        let tables: Vec<Table> = self.tables.iter().filter(|t| t.is_table).cloned().collect();
        let table = &tables[self.below(tables.len())];
        (table.name.clone(), named(alias, &table.columns))
    }

    /// A table or view, and its columns as `alias` knows them.
    fn table(&mut self, alias: &str) -> (String, Vec<Column>) {
        let table = &self.tables[self.rng.random_range(0..self.tables.len())];
        (table.name.clone(), named(alias, &table.columns))
    }

    fn some_type(&mut self) -> Ty {
        if self.one_in(2) { self.pick(&COLUMN_TYPES) } else { self.pick(&TYPES) }
    }

    /// A literal that reads as `ty`.
    fn literal(&mut self, ty: Ty) -> String {
        let literals = ty.literals();
        self.pick(literals).to_owned()
    }
}

/// Columns as an alias knows them.
fn named(alias: &str, columns: &[Column]) -> Vec<Column> {
    let dot = if alias.is_empty() { "" } else { "." };
    columns.iter().map(|(name, ty)| (format!("{alias}{dot}{name}"), *ty)).collect()
}
