//! `Report`: how one file went.

use std::collections::HashMap;
use std::fmt;

/// How one file went.
pub struct Report {
    pub file: String,
    pub outcome: Outcome,
    pub agreeing: usize,
    pub statements: usize,
    pub elapsed_ms: u128,
    /// What disagrees, in order.
    pub wrong: Vec<Wrong>,
    /// What disagrees, to be read.
    pub diff: String,
}

/// A disagreeing piece: the message it got.
pub struct Wrong {
    pub message: String,
    pub statements: usize,
}

/// How the server bore a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// A panic in its log; it went on.
    Panic,
    Crash,
    Hang,
    Memory,
    /// It had to be ended, and what it left could not be opened.
    Damage,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Done => "",
            Outcome::Panic => "  PANIC",
            Outcome::Crash => "  CRASH",
            Outcome::Hang => "  HANG",
            Outcome::Memory => "  MEMORY",
            Outcome::Damage => "  DAMAGE",
        };
        let percent = percent(self.agreeing, self.statements);
        write!(
            f,
            "{:28} {:5} of {:5}  {percent:5.1} %  {:6} ms{outcome}",
            self.file, self.agreeing, self.statements, self.elapsed_ms
        )
    }
}

/// A share in percent.
pub fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 100.0 } else { 100.0 * part as f64 / whole as f64 }
}

/// The line below the table.
pub fn total(reports: &[Report]) -> String {
    let agreeing = reports.iter().map(|report| report.agreeing).sum();
    let statements = reports.iter().map(|report| report.statements).sum();
    format!("{:28} {agreeing:5} of {statements:5}  {:5.1} %", "total", percent(agreeing, statements))
}

/// Prints the messages that most disagreeing statements got, names in them put aside.
pub fn print_errors(reports: &[Report], count: usize) {
    let mut messages: HashMap<&str, (usize, Vec<&str>)> = HashMap::new();
    for report in reports {
        for wrong in &report.wrong {
            let entry = messages.entry(&wrong.message).or_default();
            entry.0 += wrong.statements;
            if !entry.1.contains(&report.file.as_str()) {
                entry.1.push(&report.file);
            }
        }
    }
    let mut messages: Vec<_> = messages.into_iter().collect();
    messages.sort_by_key(|(message, (statements, _))| (std::cmp::Reverse(*statements), *message));
    for (message, (statements, files)) in messages.into_iter().take(count) {
        println!("{statements:6}  {message}  [{}]", files.iter().take(6).copied().collect::<Vec<_>>().join(" "));
    }
}
