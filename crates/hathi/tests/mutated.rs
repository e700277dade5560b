//! Statements cut and changed at random places: an answer or a proper error each, its position inside of the text, and the session goes on.

mod spoil;

use hathi::Database;
use spoil::spoiled;

use crate::draw::Draw;

/// The statements of the recorded scripts.
fn corpus() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/testdata/statements");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("scripts").map(|f| f.expect("a file").path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "sql"));
    files.sort();
    let texts = files.iter().map(|f| std::fs::read_to_string(f).expect("text"));
    let all: Vec<String> =
        texts.flat_map(|t| t.split_inclusive(";\n").map(str::to_owned).collect::<Vec<_>>()).collect();
    let harmless = |s: &String| !s.contains("pg_sleep") && !s.contains("COPY") && !s.contains("DATABASE");
    all.into_iter().filter(harmless).collect()
}

#[test]
fn ten_thousand_spoiled_statements_are_answered() {
    let statements = corpus();
    assert!(statements.len() > 300, "{}", statements.len());
    let count: usize = std::env::var("HATHI_MUTATED").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let mut draw = Draw(0x1234_5678_9ABC_DEF1);
    let db = Database::in_memory().expect("a database");
    let mut session = db.session().expect("a session");
    session.batch_execute("SET statement_timeout = 2000").expect("set");
    let (mut errors, mut wrong) = (0, Vec::new());
    for n in 0..count {
        // What they speak of is there, more or less.
        if n % 200 == 0 {
            session = db.session().expect("a session");
            session.batch_execute("SET statement_timeout = 2000").expect("set");
            for statement in &statements[n * 7 % statements.len()..] {
                if statement.len() < 2000
                    && let Err(e) = session.batch_execute(statement)
                {
                    if e.state().to_string() == "XX000" && !e.message().starts_with("unrecognized object type") {
                        wrong.push(format!("{}\n{statement}", e.message()));
                    }
                    let _ = session.batch_execute("ROLLBACK");
                }
                if statement.contains("DROP") {
                    break;
                }
            }
        }
        let (one, other) = (draw.below(statements.len()), draw.below(statements.len()));
        let text = spoiled(&mut draw, &statements[one], &statements[other]);
        if let Err(e) = session.batch_execute(&text) {
            errors += 1;
            let length = text.chars().count() as u32;
            // What went wrong in a prepared statement is told by its place in the text that prepared it, by PostgreSQL too.
            let elsewhere = text.to_uppercase().contains("EXECUTE");
            let inside = elsewhere || e.fields().position.is_none_or(|p| p >= 1 && p <= length + 1);
            // PostgreSQL calls this internal too.
            let known = e.message().starts_with("unrecognized object type");
            let internal = e.state().to_string() == "XX000" && !known;
            if internal || !inside {
                wrong.push(format!("{}: {} at {:?}\n{text}", e.state(), e.message(), e.fields().position));
            }
            let _ = session.batch_execute("ROLLBACK");
        }
        if n % 100 == 0 {
            let _ = session.batch_execute("ROLLBACK; RESET ALL; SET statement_timeout = 2000");
            assert_eq!(session.query_one("SELECT 1", &[]).expect("it goes on").get::<_, i32>(0), 1, "{text}");
        }
    }
    assert!(errors > count / 2, "{errors} of {count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong[..wrong.len().min(8)].join("\n---\n"));
    assert!(db.check().expect("a check").is_empty());
}
