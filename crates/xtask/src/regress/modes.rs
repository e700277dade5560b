//! The same files in every way of running sessions: a thread for each, few carriers, many carriers, and in the program itself.
//!
//! What psql prints is compared between the modes of the server. It is the same byte for byte, except for what hangs on time within one mode
//! too: where a row of an unordered result was put once the background thread has given back the place of a dead one, and the numbers of objects
//! made after a temporary schema was. Files that are the same only without these are counted (`alike`).
//!
//! psql cannot talk to a database in a process, so there `hathi sql` runs the files, and what it prints is compared with what psql prints without
//! echoing its input. One manifest holds for all modes: a file that one of them does not run to its end is a failure, whatever the others said of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::server::{End, Server};
use super::{FAST, Options, Run, failed, read};
use crate::step::Failure;

/// Ways to run sessions, as arguments of `hathi serve`. The first is what the others are compared with.
const MODES: [(&str, &[&str]); 3] = [
    ("pooled-2", &["--session-mode", "pooled", "--carriers", "2"]),
    ("pooled-8", &["--session-mode", "pooled", "--carriers", "8"]),
    ("thread", &["--session-mode", "thread"]),
];

/// Quick files that are not run by `hathi sql`, and why.
const NOT_EMBEDDED: [(&str, &str); 1] = [("strings", "psql takes a backslash in the middle of a line for a command")];

/// What psql sets from its environment.
const PREAMBLE: &str =
    "SET timezone = 'America/Los_Angeles'; SET datestyle = 'Postgres, MDY'; SET intervalstyle = 'postgres_verbose';\n";

/// Runs `files` in all modes and compares what is printed.
///
/// # Errors
/// When a file ends otherwise in one mode than in another, or prints something else.
pub fn compare(root: &Path, suite: &Path, hathi: &Path, files: &[&str], options: &Options) -> Result<(), Failure> {
    let place = root.join("target/regress/modes");
    let mut wrong = Vec::new();
    let mut loosely = 0;
    for (index, (mode, arguments)) in MODES.iter().enumerate() {
        let own = place.join(mode);
        let _ = std::fs::remove_dir_all(&own);
        let server = Server::start(hathi, &own, arguments)?;
        let mut run = Run { suite: suite.to_owned(), place: root.join("target/regress"), server, options };
        run.prepare()?;
        for file in files {
            let printed = own.join(format!("{file}.out"));
            let end = run.drive(&suite.join("sql").join(format!("{file}.sql")), &printed)?;
            if !matches!(end, End::Done) || run.server.panics() > 0 {
                wrong.push(format!("{file}: {mode} does not end it well"));
                run.server.restart()?;
                continue;
            }
            let first = place.join(MODES[0].0).join(format!("{file}.out"));
            let (ours, theirs) = (bytes(&printed)?, bytes(&first)?);
            if index == 0 || ours == theirs {
                continue;
            }
            if alike(&ours, &theirs) {
                loosely += 1;
            } else {
                wrong.push(format!("{file}: {} and {} differ", first.display(), printed.display()));
            }
        }
        if index == 0 {
            embedded(&run, hathi, files, &place, &mut wrong)?;
        }
        run.server.stop();
        println!("{mode}: {} files, {loosely} of them the same but for order and numbers", files.len());
        loosely = 0;
    }
    if wrong.is_empty() { Ok(()) } else { Err(failed(format!("modes differ: {}", wrong.join("; ")))) }
}

/// Whether two outputs are the same but for the order of rows in a result, the numbers of objects and the places of rows.
fn alike(ours: &[u8], theirs: &[u8]) -> bool {
    let sorted = |output: &[u8]| {
        let text = String::from_utf8_lossy(output);
        let mut lines: Vec<String> = text.lines().map(masked).collect();
        lines.chunk_by_mut(|a, b| a.starts_with(' ') && b.starts_with(' ')).for_each(<[String]>::sort);
        lines
    };
    sorted(ours) == sorted(theirs)
}

/// `line` with a word for each number that an object of a user may have, and for each place of a row.
fn masked(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        let in_place = before.ends_with('(') && after.starts_with(',') || masked.ends_with("(block") && before == ",";
        masked.push_str(before);
        masked.push_str(match digits.parse::<u64>() {
            _ if in_place => "block",
            Ok(16384..=99999) => "object",
            _ => digits,
        });
        rest = after;
    }
    masked + rest
}

/// The quick files among `files` within a program, compared with what psql prints of them through the server of `run`.
fn embedded(run: &Run, hathi: &Path, files: &[&str], place: &Path, wrong: &mut Vec<String>) -> Result<(), Failure> {
    let own = place.join("embedded");
    let _ = std::fs::remove_dir_all(&own);
    std::fs::create_dir_all(&own).map_err(|error| failed(error.to_string()))?;
    let data = own.join("data");
    let in_process = |database: &str| {
        let mut sql = Command::new(hathi);
        sql.arg("sql").arg(&data).args(["-q", "-d", database]);
        sql
    };
    let mut create = run.psql("postgres");
    ended(create.args(["-c", "CREATE DATABASE embedded"]))?;
    ended(in_process("postgres").args(["-c", "CREATE DATABASE embedded"]))?;
    let quick = files.iter().filter(|file| FAST.contains(file));
    let (left_out, quick): (Vec<&str>, Vec<&str>) = quick.partition(|file| NOT_EMBEDDED.iter().any(|n| n.0 == **file));
    for file in &quick {
        let script = own.join(format!("{file}.sql"));
        let text = format!("{PREAMBLE}{}", read(&run.suite.join("sql").join(format!("{file}.sql")))?);
        std::fs::write(&script, text).map_err(|error| failed(error.to_string()))?;
        let mut psql = run.psql("embedded");
        psql.args(["-v", "ECHO=none"]);
        let served = printed(psql, &script, &own.join(format!("{file}.psql")))?;
        if served != printed(in_process("embedded"), &script, &own.join(format!("{file}.out")))? {
            wrong.push(format!("{file}: {0}/{file}.psql and {0}/{file}.out differ", own.display()));
        }
    }
    let reasons = NOT_EMBEDDED.iter().filter(|n| left_out.contains(&n.0)).map(|n| format!("; not {}: {}", n.0, n.1));
    println!("embedded: {} files{}", quick.len(), reasons.collect::<String>());
    Ok(())
}

/// What a command prints that is fed `script`; also written to `kept`.
fn printed(mut command: Command, script: &Path, kept: &PathBuf) -> Result<Vec<u8>, Failure> {
    let file = |opened: std::io::Result<std::fs::File>| opened.map_err(|error| failed(error.to_string()));
    let output = file(std::fs::File::create(kept))?;
    let errors = file(output.try_clone())?;
    command.stdin(file(std::fs::File::open(script))?).stdout(output).stderr(Stdio::from(errors));
    command.status().map_err(|error| failed(format!("{}: {error}", command.get_program().display())))?;
    bytes(kept)
}

fn ended(command: &mut Command) -> Result<(), Failure> {
    let output = command.output().map_err(|error| failed(format!("{}: {error}", command.get_program().display())))?;
    if output.status.success() { Ok(()) } else { Err(failed(String::from_utf8_lossy(&output.stderr))) }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| failed(format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::alike;

    #[test]
    fn order_within_a_result_and_numbers_of_objects_do_not_count() {
        let ours = b" a | b \n---+---\n 1 | x\n 2 | (0,6)\n(2 rows)\nERROR: 24469\n";
        assert!(alike(ours, b" a | b \n---+---\n 2 | (0,7)\n 1 | x\n(2 rows)\nERROR: 24470\n"));
        assert!(!alike(ours, b" a | b \n---+---\n 2 | (0,7)\n 1 | y\n(2 rows)\nERROR: 24470\n"));
        assert!(!alike(b"(1 row)\n 1\n", b" 1\n(1 row)\n"));
    }
}
