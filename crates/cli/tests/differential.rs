//! Random statements, answered by `hathi serve` and by a real PostgreSQL 18: rows, SQLSTATEs and messages must be the same.
//!
//! The server to compare with is `HATHI_ORACLE` (a connection string of a superuser); without one there is nothing to compare with, and
//! the test says so. A seed fixes the schema, the data and the statements: `HATHI_FUZZ_SEED` replays one, `HATHI_FUZZ_STATEMENTS` says how
//! many statements are asked in all, `HATHI_FUZZ_FIRST` which seed is the first. Everything happens in a database of its own, dropped at the end.

mod generator;

use generator::{Generator, Statement};
use postgres::{Client, SimpleQueryMessage};

use crate::clients::served::Served;
use crate::oracle::{self, OwnDatabase};

/// Statements asked of one schema.
const STATEMENTS_PER_SEED: usize = 200;

/// What a server says to a statement.
#[derive(Debug, PartialEq)]
enum Answer {
    /// Names of columns, rows, and the number of rows.
    Rows(Vec<String>, Vec<Vec<Option<String>>>, u64),
    /// SQLSTATE, message, and where: detail, hint, position.
    Error(String, String, String),
}

fn ask(client: &mut Client, statement: &str, ordered: bool) -> Answer {
    match client.simple_query(statement) {
        Ok(messages) => {
            let (mut names, mut rows, mut count) = (Vec::new(), Vec::new(), 0);
            for message in messages {
                match message {
                    SimpleQueryMessage::RowDescription(columns) => {
                        names = columns.iter().map(|c| c.name().to_owned()).collect()
                    }
                    SimpleQueryMessage::Row(row) => {
                        rows.push((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect())
                    }
                    SimpleQueryMessage::CommandComplete(n) => count = n,
                    _ => {}
                }
            }
            if !ordered {
                rows.sort();
            }
            Answer::Rows(names, rows, count)
        }
        Err(error) => match error.as_db_error() {
            Some(error) => {
                let more = format!("{:?} {:?} {:?}", error.detail(), error.hint(), error.position());
                Answer::Error(error.code().code().to_owned(), error.message().to_owned(), more)
            }
            None => panic!("the connection broke at: {statement}\n{error}"),
        },
    }
}

/// Types of a statement's columns.
fn described(client: &mut Client, statement: &str) -> String {
    match client.prepare(statement) {
        Ok(prepared) => prepared.columns().iter().map(|c| format!("{} {};", c.name(), c.type_())).collect(),
        Err(error) => error.to_string(),
    }
}

/// Whether two answers may differ all the same. In which row or operand an error is met first is nobody's promise; nor is whether it
/// is met at all where conditions, joins or set operations leave rows out.
fn excused(statement: &str, ours: &Answer, theirs: &Answer) -> bool {
    let data_error = |answer: &Answer| {
        let Answer::Error(code, message, _) = answer else { return false };
        code.starts_with("22")
            || message.starts_with("cannot convert infinity")
            || message.starts_with("cannot convert NaN")
            || message.ends_with("multidimensional arrays is not supported")
    };
    // What is missing, and what takes more memory than a statement may: PostgreSQL has no such limit.
    if matches!(ours, Answer::Error(code, ..) if code == "0A000" || code == "53200") {
        return true;
    }
    // PostgreSQL computes a constant check when it plans, even for a table without rows.
    if (statement.starts_with("ALTER") || statement.starts_with("CREATE INDEX")) && data_error(theirs) {
        return true;
    }
    if let (Answer::Error(ours, message, _), Answer::Error(theirs, same, _)) = (ours, theirs) {
        // Which row breaks a rule first, and whether it gets so far; PostgreSQL has no collation for a constant of a generated column.
        if theirs.starts_with("23") && (ours.starts_with("22") || (ours == theirs && message == same)) {
            return true;
        }
    }
    // RETURNING is computed for many rows at once, after them.
    if matches!((ours, theirs), (Answer::Error(ours, ..), Answer::Error(..)) if ours == "21000") && data_error(theirs) {
        return true;
    }
    // Rows without an order, of which some are asked for: those that were changed stand elsewhere in PostgreSQL.
    if let (Answer::Rows(ours, some, _), Answer::Rows(theirs, others, _)) = (ours, theirs)
        && statement.contains(" LIMIT ")
        && !statement.contains("ORDER BY")
        && ours == theirs
        && some.len() == others.len()
    {
        return true;
    }
    if matches!(theirs, Answer::Error(code, ..) if code == "42P22") {
        return true;
    }
    let leaves_out =
        ["WHERE", "JOIN", "EXCEPT", "INTERSECT", "LIMIT", "WHEN"].iter().any(|word| statement.contains(word));
    match (data_error(ours), data_error(theirs)) {
        (true, true) => true,
        (true, false) | (false, true) => {
            leaves_out && (matches!(ours, Answer::Rows(..)) || matches!(theirs, Answer::Rows(..)))
        }
        (false, false) => false,
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn random_statements_are_answered_as_postgresql_does() {
    let Some(oracle) = oracle::oracle("nothing was compared") else { return };
    let database = OwnDatabase::new(&oracle, "differential");
    let served = Served::start();
    let first = number("HATHI_FUZZ_FIRST").unwrap_or(1);
    let seeds: Vec<u64> = match number("HATHI_FUZZ_SEED") {
        Some(seed) => vec![seed],
        None => (first..first + number("HATHI_FUZZ_STATEMENTS").unwrap_or(2000).div_ceil(STATEMENTS_PER_SEED as u64))
            .collect(),
    };
    let (mut asked, mut refused, mut errors) = (0, 0, 0);
    let (mut differences, mut unasked) = (Vec::new(), Vec::new());
    for seed in seeds {
        let mut ours = served.client();
        let mut theirs = oracle::client(&database.place);
        for client in [&mut ours, &mut theirs] {
            let schema = format!(
                "DROP SCHEMA IF EXISTS fuzz CASCADE; CREATE SCHEMA fuzz; SET search_path = fuzz; SET timezone = 'Europe/Paris'; \
                 SET client_min_messages = error; SET statement_timeout = '20s'; SET extra_float_digits = 0; -- {seed}"
            );
            client.batch_execute(&schema).unwrap();
        }
        let mut generator = Generator::new(seed);
        for _ in 0..STATEMENTS_PER_SEED {
            let Statement { text, ordered, reads } = generator.statement();
            let (our, their) = (ask(&mut ours, &text, ordered), ask(&mut theirs, &text, ordered));
            asked += 1;
            refused += u32::from(matches!(&our, Answer::Error(code, ..) if code == "0A000"));
            errors += u32::from(matches!(&their, Answer::Error(..)));
            if let (Answer::Error(code, message, _), Some(_)) = (&their, number("HATHI_FUZZ_ERRORS")) {
                eprintln!("error {code} {message}");
            }
            let changed = |answer: &Answer| matches!(answer, Answer::Rows(..));
            if text.starts_with("BEGIN") && !changed(&our) && !changed(&their) {
                for client in [&mut ours, &mut theirs] {
                    client.batch_execute("ROLLBACK").unwrap();
                }
            }
            if our == their {
                if reads && asked % 4 == 0 && changed(&our) {
                    let (our, their) = (described(&mut ours, &text), described(&mut theirs, &text));
                    if our != their {
                        differences.push(format!("seed {seed}: {text}\n    ours:   {our}\n    theirs: {their}"));
                    }
                }
                continue;
            }
            // PostgreSQL computes constants when it plans, even those that no row would ask for.
            let planning = |theirs: &mut Client| {
                matches!(their, Answer::Error(..)) && ask(theirs, &format!("EXPLAIN {text}"), false) == their
            };
            // Of a constant NULL and a strict function PostgreSQL makes NULL when it plans, and never computes the other operand.
            let early = matches!((&our, &their), (Answer::Error(code, ..), Answer::Rows(..)) if code.starts_with("22"));
            let excused = excused(&text, &our, &their);
            if early && !excused {
                unasked.push(format!("seed {seed}: {text}\n    ours:   {our:?}"));
            } else if !excused && !planning(&mut theirs) {
                differences.push(format!("seed {seed}: {text}\n    ours:   {our:?}\n    theirs: {their:?}"));
            }
            if !reads {
                for client in [&mut ours, &mut theirs] {
                    let _ = client.batch_execute("ROLLBACK");
                }
                // What one has changed and the other not differs from here on.
                if changed(&our) || changed(&their) {
                    break;
                }
            }
        }
    }
    eprintln!(
        "{asked} statements, {errors} errors of PostgreSQL, {refused} refused as unsupported, {} differences",
        differences.len()
    );
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    assert!(
        unasked.len() * 2000 < asked as usize + 2000,
        "{} errors of ours alone:\n{}",
        unasked.len(),
        unasked.join("\n")
    );
    assert!(refused * 10 < asked, "{refused} of {asked} were refused: little was compared");
    assert!(errors * 2 < asked, "{errors} of {asked} failed: little was compared");
}
