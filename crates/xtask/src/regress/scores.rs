//! The scores kept in `docs/COMPAT.md`: a line per file, between two marks.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::report::{Report, percent};
use super::{failed, read};
use crate::step::Failure;

const BEGIN: &str = "<!-- regress: begin -->";
const END: &str = "<!-- regress: end -->";

/// A file's kept score.
type Score = (usize, usize);

/// Writes the scores of what ran, and keeps those of what did not.
pub fn write(root: &Path, schedule: &[String], reports: &[Report]) -> Result<(), Failure> {
    let (path, text) = page(root)?;
    let (before, kept, after) = parts(&text)?;
    let mut scores = parse(kept);
    for report in reports {
        scores.insert(report.file.clone(), (report.agreeing, report.statements));
    }
    let mut table = String::from("\n| file | agree | statements | % |\n|---|--:|--:|--:|\n");
    let mut sum = (0, 0);
    for file in schedule {
        if let Some(score) = scores.get(file) {
            table += &row(file, *score);
            sum = (sum.0 + score.0, sum.1 + score.1);
        }
    }
    table += &row("**all**", sum);
    std::fs::write(&path, format!("{before}{BEGIN}\n{table}\n{END}{after}"))
        .map_err(|error| failed(format!("{}: {error}", path.display())))
}

fn row(file: &str, (agreeing, statements): Score) -> String {
    format!("| {file} | {agreeing} | {statements} | {:.1} |\n", percent(agreeing, statements))
}

/// Compares what ran with the kept scores.
///
/// # Errors
/// When a file's score is lower.
pub fn check(root: &Path, reports: &[Report]) -> Result<(), Failure> {
    let (_, text) = page(root)?;
    let kept = parse(parts(&text)?.1);
    let fallen: Vec<String> = reports
        .iter()
        .filter_map(|report| {
            let (agreeing, _) = *kept.get(&report.file)?;
            (report.agreeing < agreeing).then(|| format!("{} ({} instead of {agreeing})", report.file, report.agreeing))
        })
        .collect();
    if fallen.is_empty() { Ok(()) } else { Err(failed(format!("scores fell: {}", fallen.join(", ")))) }
}

fn page(root: &Path) -> Result<(PathBuf, String), Failure> {
    let path = root.join("docs/COMPAT.md");
    let text = read(&path)?;
    Ok((path, text))
}

/// What stands before, between and after the marks.
fn parts(text: &str) -> Result<(&str, &str, &str), Failure> {
    let missing = || failed("docs/COMPAT.md lacks the marks of the scores");
    let (before, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (kept, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok((before, kept, after))
}

fn parse(table: &str) -> HashMap<String, Score> {
    let rows = table.lines().filter_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        Some((cells.next()?.to_owned(), (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?)))
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_it_is_written() {
        let text = format!("a{BEGIN}\n| file | agree |\n|---|--:|\n{}{END}b", row("int4", (3, 4)));
        let (before, kept, after) = parts(&text).unwrap();
        assert_eq!((before, after), ("a", "b"));
        assert_eq!(parse(kept), HashMap::from([("int4".to_owned(), (3, 4))]));
    }
}
