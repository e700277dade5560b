//! `hathi sql`: a shell on a database in this process.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use hathi::{Database, Session};
use syntax::Split;

use crate::output::{Printer, error_text};

/// Runs commands and files, or else standard input.
pub fn run(dir: Option<&Path>, commands: &[String], files: &[PathBuf]) -> Result<ExitCode, String> {
    let database = match dir {
        Some(dir) => Database::open(dir),
        None => Database::in_memory(),
    };
    let database = database.map_err(|e| error_text(&e))?;
    let mut session = database.session().map_err(|e| error_text(&e))?;
    let mut failed = false;
    for sql in commands {
        failed |= !run_text(&mut session, sql);
    }
    for file in files {
        let sql = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        failed |= !run_text(&mut session, &sql);
    }
    if commands.is_empty() && files.is_empty() {
        interactive(&mut session)?;
    }
    drop(session);
    database.close().map_err(|e| error_text(&e))?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Runs statements; whether all went well.
fn run_text(session: &mut Session, sql: &str) -> bool {
    let outcome = session.inner().run(sql, &mut Printer::default());
    if let Err(e) = &outcome {
        eprintln!("{}", error_text(e));
        if let Some(position) = e.fields().position {
            point_at(sql, position as usize);
        }
    }
    outcome.is_ok()
}

/// Shows the line that a 1-based character position lies in, with a caret below.
fn point_at(sql: &str, position: usize) {
    let before: String = sql.chars().take(position.saturating_sub(1)).collect();
    let number = before.matches('\n').count();
    let column = before.chars().rev().take_while(|&c| c != '\n').count();
    if let Some(line) = sql.lines().nth(number) {
        let label = format!("LINE {}: ", number + 1);
        eprintln!("{label}{line}\n{}^", " ".repeat(label.len() + column));
    }
}

fn interactive(session: &mut Session) -> Result<(), String> {
    let stdin = std::io::stdin();
    let terminal = stdin.is_terminal();
    let prompt = |text: &str| {
        if terminal {
            print!("{text}");
            let _ = std::io::stdout().flush();
        }
    };
    let mut pending = String::new();
    let mut timing = false;
    prompt("hathi=# ");
    for line in stdin.lock().lines() {
        let line = line.map_err(|e| e.to_string())?;
        if pending.trim().is_empty() && line.trim_start().starts_with('\\') {
            match line.trim() {
                "\\q" => return Ok(()),
                "\\timing" => {
                    timing = !timing;
                    println!("Timing is {}.", if timing { "on" } else { "off" });
                }
                other => eprintln!("invalid command {other}"),
            }
            prompt("hathi=# ");
            continue;
        }
        pending.push_str(&line);
        pending.push('\n');
        while let Split::Complete(end) = syntax::split(&pending) {
            let rest = pending.split_off(end);
            let start = Instant::now();
            run_text(session, &pending);
            if timing {
                println!("Time: {:.3} ms", start.elapsed().as_secs_f64() * 1000.0);
            }
            pending = rest;
        }
        prompt(if pending.trim().is_empty() { "hathi=# " } else { "hathi-# " });
    }
    if !pending.trim().is_empty() {
        run_text(session, &pending);
    }
    Ok(())
}
