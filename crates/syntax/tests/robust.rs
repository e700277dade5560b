//! Whatever the input, the answer is a tree or an error: random bytes, mutated statements, deep nesting, real dumps.

use proptest::prelude::*;
use std::fs;
use std::path::Path;

fn statements() -> Vec<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "sql") {
            out.extend(fs::read_to_string(path).unwrap().lines().map(str::to_owned));
        }
    }
    out.sort();
    out
}

fn try_all(sql: &str) {
    if let Ok(list) = syntax::parse(sql) {
        for s in &list {
            assert!(s.span.start <= s.span.end && (s.span.end.0 as usize) <= sql.len(), "{sql}");
            assert!(!s.span.text(sql).is_empty(), "{sql}");
        }
    }
    let _ = syntax::parse_expr(sql);
    let _ = syntax::parse_type_name(sql);
    let _ = syntax::split(sql);
}

/// A small generator of its own, so that 100,000 cases stay cheap; the seed makes them the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

#[test]
fn random_bytes() {
    let mut r = Random(0x9E37_79B9_7F4A_7C15);
    let alphabet: Vec<char> =
        "abeExXuU&nN'\"$\\/*-+(){}[].,;:=<>!@#%^|`?~ \t\n\r019_é日\u{1F600}\u{0}".chars().collect();
    for _ in 0..50_000 {
        let n = r.below(40);
        let s: String = (0..n).map(|_| alphabet[r.below(alphabet.len())]).collect();
        try_all(&s);
    }
}

#[test]
fn mutated_statements() {
    let list = statements();
    let words: Vec<&str> = list.iter().flat_map(|s| s.split(' ')).collect();
    let mut r = Random(0xD1B5_4A32_D192_ED03);
    for _ in 0..50_000 {
        let mut tokens: Vec<&str> = list[r.below(list.len())].split(' ').collect();
        for _ in 0..=r.below(3) {
            let at = r.below(tokens.len());
            match r.below(4) {
                0 => tokens[at] = words[r.below(words.len())],
                1 => tokens.insert(at, words[r.below(words.len())]),
                2 if tokens.len() > 1 => {
                    tokens.remove(at);
                }
                _ => tokens.truncate(at.max(1)),
            }
        }
        try_all(&tokens.join(" "));
    }
}

proptest! {
    #[test]
    fn any_string(s in ".{0,60}") {
        try_all(&s);
    }
}

#[test]
fn deep_nesting() {
    let n = 100_000;
    let deep = |open: &str, middle: &str, close: &str| format!("select {}{middle}{}", open.repeat(n), close.repeat(n));
    let cases = [
        deep("(", "1", ")"),
        deep("(select ", "1", ")"),
        deep("((select 1) + ", "1", ")"),
        deep("array[", "1", "]"),
        deep("f(", "1", ")"),
        deep("- ", "1", ""),
        deep("not ", "true", ""),
        deep("", "1", " + 1"),
        deep("", "1", "::int"),
        deep("", "a", "[1]"),
        deep("", "a", " collate c"),
        deep("", "1", " is null"),
        deep("", "1", " union select 1"),
        deep("1 + (", "1", ")"),
        deep("case when ", "a", " then 1 end"),
        deep("a[", "1", "]"),
        deep("a between b and ", "1", ""),
        deep("1 = any(", "a", ")"),
        format!("select * from {}a{}", "(".repeat(n), " join b on true)".repeat(n)),
        format!("select * from a {}", "join b ".repeat(n)),
        format!("select * from a {}", "cross join b ".repeat(n)),
        format!("select * from {}select 1{}", "(".repeat(n), ") x".repeat(n)),
        format!("select * from a group by {}a{}", "grouping sets (".repeat(n), ")".repeat(n)),
        format!("{}select 1{}", "with a as (".repeat(n), ") select 1".repeat(n)),
        format!("{}select 1", "explain ".repeat(n)),
        format!("{} select 1; end", "create function f() returns int begin atomic ".repeat(n)),
        format!("create schema a {}", "create schema a ".repeat(n)),
        format!("select a{}", ".b".repeat(n)),
        format!("select {}1", "(".repeat(n)),
        format!("select {}", "/*".repeat(n)),
        format!("select 1{}", " union (select 1".repeat(n)),
        format!("select json_table{}", "(nested path".repeat(n)),
        format!("prepare a as {}", "prepare a as ".repeat(n)),
        format!("select x{}", " and x".repeat(n)),
        format!("select 1 in ({}1)", "1,".repeat(n)),
        "values (1) union ".repeat(n),
    ];
    for (i, case) in cases.iter().enumerate() {
        eprintln!("{i}: {}…", &case[..40]);
        // On the small stack threads have by default.
        let result = syntax::parse(case).map(drop);
        if let Err(e) = result
            && !matches!(e.state().as_str(), "42601" | "54001")
        {
            panic!("{e:?} for {}…", &case[..40]);
        }
    }
    assert_eq!(syntax::parse(&cases[0]).unwrap_err().state().as_str(), "54001");
    assert_eq!(syntax::parse(&cases[7]).unwrap_err().state().as_str(), "54001");
    // Chains that PostgreSQL keeps flat have no limit.
    assert!(syntax::parse(&cases[33]).is_ok());
    assert!(syntax::parse(&cases[34]).is_ok());
    // What people write is far below the limits.
    assert!(syntax::parse(&format!("select {}1{}", "(".repeat(400), ")".repeat(400))).is_ok());
    assert!(syntax::parse(&format!("select 1{}", " + 1".repeat(3000))).is_ok());
    assert!(syntax::parse(&format!("select 1{}", " union select 1".repeat(1000))).is_ok());
}

#[test]
fn real_dumps() {
    for file in ["chinook.sql", "periodic_table.sql", "pagila.sql"] {
        let Ok(text) = fs::read_to_string(format!("/work/shared/data/{file}")) else { continue };
        let mut rest = text.as_str();
        let mut count = 0;
        while let syntax::Split::Complete(n) = syntax::split(rest) {
            let list = syntax::parse(&rest[..n]).unwrap_or_else(|e| panic!("{file}: {e:?}\n{}", &rest[..n.min(2000)]));
            let copies = list
                .iter()
                .any(|s| matches!(&s.kind, syntax::ast::StatementKind::Copy(c) if c.from && c.file.is_none()));
            count += list.len();
            rest = &rest[n..];
            if copies {
                // The data of COPY follows, up to its end mark.
                rest = rest.find("\n\\.").map_or("", |n| &rest[n + 3..]);
            }
        }
        assert!(count > 10, "{file}: {count}");
    }
}
