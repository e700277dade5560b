//! The same files in every way of running sessions: a thread for each, few carriers, many carriers, and in the program itself.
//!
//! What psql prints is compared byte for byte between the modes of the server. psql cannot talk to a database in a process, so there `hathi sql`
//! runs the files, and what it prints is compared with what psql prints without echoing its input. One manifest holds for all modes: a file that
//! one of them does not run to its end is a failure, whatever the others said of it.

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
            if index > 0 && bytes(&printed)? != bytes(&first)? {
                wrong.push(format!("{file}: {} and {} differ", first.display(), printed.display()));
            }
        }
        if index == 0 {
            embedded(&run, hathi, files, &place, &mut wrong)?;
        }
        run.server.stop();
        println!("{mode}: {} files", files.len());
    }
    if wrong.is_empty() { Ok(()) } else { Err(failed(format!("modes differ: {}", wrong.join("; ")))) }
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
