//! Texts to trees: how many short statements one core parses.

use crate::figure::{Figure, Goal, Unit};
use crate::stage::{Failure, Stage, time};

/// What applications say all day.
const STATEMENTS: [&str; 8] = [
    "SELECT 1",
    "SELECT v, name FROM kv WHERE id = 4711",
    "INSERT INTO kv (id, v, name) VALUES (1, 2, 'three')",
    "UPDATE kv SET v = v + 1 WHERE id = $1",
    "DELETE FROM kv WHERE id = $1 AND v < 10",
    "SELECT count(*) FROM orders WHERE customer = $1",
    "BEGIN",
    "COMMIT",
];

/// Statements per second.
pub fn parse(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let bytes: usize = STATEMENTS.iter().map(|s| s.len()).sum();
    let mut figure = Figure::new(
        "parse",
        format!(
            "short statements parsed per second by one thread ({} kinds, {} bytes on average)",
            STATEMENTS.len(),
            bytes / STATEMENTS.len()
        ),
        Unit::PerSecond,
        Goal::AtLeast(1e6),
        &["Hathi"],
    );
    let passes = stage.scale.point_operations;
    for _ in 0..stage.scale.rounds {
        let (elapsed, count) = time(|| {
            let mut count = 0;
            for _ in 0..passes {
                for text in STATEMENTS {
                    count += std::hint::black_box(syntax::parse(std::hint::black_box(text))?).len();
                }
            }
            Ok(count)
        })?;
        if count != passes * STATEMENTS.len() {
            return Err(format!("{count} statements were found").into());
        }
        figure.add("Hathi", count as f64 / elapsed.as_secs_f64());
    }
    Ok(vec![figure])
}
