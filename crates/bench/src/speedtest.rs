//! SQLite's speed tests as PGlite runs them: eighteen scripts over the same tables, made from a seed.

/// One of the eighteen.
pub struct Test {
    /// Its figures, durable and in memory.
    pub names: [&'static str; 2],
    /// What it does, in PGlite's words.
    pub what: &'static str,
    /// In order. Those with a transaction begin and end it themselves.
    pub statements: Vec<String>,
    /// Whether each statement is a transaction of its own.
    pub autocommit: bool,
}

/// The figures' names, durable and in memory, in the order of the tests.
pub const NAMES: [[&str; 2]; 18] = [
    ["speedtest-1", "speedtest-memory-1"],
    ["speedtest-2", "speedtest-memory-2"],
    ["speedtest-2.1", "speedtest-memory-2.1"],
    ["speedtest-3", "speedtest-memory-3"],
    ["speedtest-3.1", "speedtest-memory-3.1"],
    ["speedtest-4", "speedtest-memory-4"],
    ["speedtest-5", "speedtest-memory-5"],
    ["speedtest-6", "speedtest-memory-6"],
    ["speedtest-7", "speedtest-memory-7"],
    ["speedtest-8", "speedtest-memory-8"],
    ["speedtest-9", "speedtest-memory-9"],
    ["speedtest-10", "speedtest-memory-10"],
    ["speedtest-11", "speedtest-memory-11"],
    ["speedtest-12", "speedtest-memory-12"],
    ["speedtest-13", "speedtest-memory-13"],
    ["speedtest-14", "speedtest-memory-14"],
    ["speedtest-15", "speedtest-memory-15"],
    ["speedtest-16", "speedtest-memory-16"],
];

/// A number that is drawn.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }
}

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// A number below a million in English words.
pub fn in_words(n: u64) -> String {
    let (low, high) = (n % 1000, n / 1000);
    match n {
        0..20 => SMALL[n as usize].to_owned(),
        20..100 if n.is_multiple_of(10) => TENS[n as usize / 10].to_owned(),
        20..100 => format!("{} {}", TENS[n as usize / 10], SMALL[n as usize % 10]),
        100..1000 if n.is_multiple_of(100) => format!("{} hundred", SMALL[n as usize / 100]),
        100..1000 => format!("{} hundred {}", SMALL[n as usize / 100], in_words(n % 100)),
        _ if low == 0 => format!("{} thousand", in_words(high)),
        _ => format!("{} thousand {}", in_words(high), in_words(low)),
    }
}

fn create(table: &str) -> String {
    format!("CREATE TABLE {table}(a INTEGER, b INTEGER, c VARCHAR(100))")
}

fn values(draw: &mut Draw, a: usize, below: u64) -> String {
    let b = draw.below(below);
    format!("({a},{b},'{}')", in_words(b))
}

fn inserts(draw: &mut Draw, table: &str, rows: usize, below: u64) -> Vec<String> {
    (1..=rows).map(|a| format!("INSERT INTO {table} VALUES{}", values(draw, a, below))).collect()
}

fn one_insert(draw: &mut Draw, table: &str, rows: usize, below: u64) -> String {
    let rows: Vec<String> = (1..=rows).map(|a| values(draw, a, below)).collect();
    format!("INSERT INTO {table} VALUES {}", rows.join(","))
}

fn transaction(statements: impl IntoIterator<Item = String>) -> Vec<String> {
    let begin = std::iter::once("BEGIN".to_owned());
    begin.chain(statements).chain(std::iter::once("COMMIT".to_owned())).collect()
}

/// The eighteen, to be run in this order in a new database; 25,000 `rows` are their full size.
pub fn tests(rows: usize) -> Vec<Test> {
    let draw = &mut Draw(0x5EED_1234_ABCD_0001);
    let few = (rows / 25).max(1);
    let queries = (rows / 250).max(1);
    let mut tests = Vec::with_capacity(NAMES.len());
    let mut add = |what, statements, autocommit| {
        tests.push(Test { names: NAMES[tests.len()], what, statements, autocommit });
    };
    let mut first = vec![create("t1")];
    first.extend(inserts(draw, "t1", few, 100_000));
    add("1000 INSERTs", first, true);
    let mut in_turn = vec![create("t2")];
    in_turn.extend(inserts(draw, "t2", rows, 500_000));
    add("25000 INSERTs in a transaction", transaction(in_turn), false);
    let at_once = vec![create("t2_1"), one_insert(draw, "t2_1", rows, 500_000)];
    add("25000 INSERTs in one statement", transaction(at_once), false);
    let mut indexed = vec![create("t3"), "CREATE INDEX i3 ON t3(c)".to_owned()];
    indexed.extend(inserts(draw, "t3", rows, 500_000));
    add("25000 INSERTs into an indexed table", transaction(indexed), false);
    let indexed =
        vec![create("t3_1"), "CREATE INDEX i3_1 ON t3_1(c)".to_owned(), one_insert(draw, "t3_1", rows, 500_000)];
    add("25000 INSERTs into an indexed table in one statement", transaction(indexed), false);
    let ranges =
        (0..queries).map(|i| format!("SELECT count(*), avg(b) FROM t2 WHERE b>={} AND b<{}", i * 100, i * 100 + 1000));
    add("100 SELECTs without an index", ranges.collect(), false);
    let words =
        (1..=queries as u64).map(|i| format!("SELECT count(*), avg(b) FROM t2 WHERE c LIKE '%{}%'", in_words(i)));
    add("100 SELECTs on a string comparison", words.collect(), false);
    let indexes = vec!["CREATE INDEX i2a ON t2(a)".to_owned(), "CREATE INDEX i2b ON t2(b)".to_owned()];
    add("creating two indexes", indexes, false);
    let ranges =
        (0..rows / 5).map(|i| format!("SELECT count(*), avg(b) FROM t2 WHERE b>={} AND b<{}", i * 100, i * 100 + 100));
    add("5000 SELECTs with an index", ranges.collect(), false);
    let updates = (0..few).map(|i| format!("UPDATE t1 SET b=b*2 WHERE a>={} AND a<{}", i * 10, i * 10 + 10));
    add("1000 UPDATEs without an index", transaction(updates), false);
    let updates: Vec<String> =
        (1..=rows).map(|a| format!("UPDATE t2 SET b={} WHERE a={a}", draw.below(500_000))).collect();
    add("25000 UPDATEs with an index", transaction(updates), false);
    let updates: Vec<String> =
        (1..=rows).map(|a| format!("UPDATE t2 SET c='{}' WHERE a={a}", in_words(draw.below(500_000)))).collect();
    add("25000 text UPDATEs with an index", transaction(updates), false);
    let copies = ["INSERT INTO t1 SELECT b,a,c FROM t2", "INSERT INTO t2 SELECT b,a,c FROM t1"].map(str::to_owned);
    add("INSERTs from a SELECT", transaction(copies), false);
    add("DELETE without an index", vec!["DELETE FROM t2 WHERE c LIKE '%fifty%'".to_owned()], false);
    add("DELETE with an index", vec![format!("DELETE FROM t2 WHERE a>10 AND a<{}", rows * 4 / 5)], false);
    add("a big INSERT after a big DELETE", vec!["INSERT INTO t2 SELECT * FROM t1".to_owned()], false);
    let mut small = vec!["DELETE FROM t1".to_owned()];
    small.extend(inserts(draw, "t1", rows * 12 / 25, 100_000));
    add("a big DELETE and 12000 small INSERTs", transaction(small), false);
    let drops = ["t1", "t2", "t2_1", "t3", "t3_1"].map(|t| format!("DROP TABLE {t}"));
    add("DROP TABLE", drops.to_vec(), false);
    tests
}
