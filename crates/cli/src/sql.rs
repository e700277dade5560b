//! `hathi sql`: a shell on a database in this process, after psql's manners.

mod command;
mod describe;
mod printer;
mod source;
mod table;
#[cfg(test)]
mod tests;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use clap::Args;
use hathi::{CancelHandle, Database, Session};
use session::BlockState;
use signal_hook::consts::SIGINT;
use syntax::{Pending, Split};

use crate::output::{error_text, report};
pub use printer::{CopyEnd, Printer};
use source::{Asking, Editor, Script, Source};
pub use table::Style;

/// Exit code when a script stops at an error, as psql's.
const SCRIPT_FAILED: u8 = 3;
/// Scripts within scripts.
const NESTING_MAX: usize = 100;

/// Arguments of `hathi sql`; those it shares with psql mean the same.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The database directory; none: a database in memory.
    dir: Option<PathBuf>,
    /// Statements, or one backslash command, to run.
    #[arg(short, long)]
    command: Vec<String>,
    /// Files to run; - is standard input.
    #[arg(short, long)]
    file: Vec<PathBuf>,
    /// The database to connect to.
    #[arg(short, long, default_value = session::DEFAULT_DATABASE)]
    dbname: String,
    /// Sets a variable: ON_ERROR_STOP=1, QUIET=1, VERBOSITY=verbose.
    #[arg(short = 'v', long = "set", value_name = "NAME=VALUE")]
    variable: Vec<String>,
    /// Fields with a separator between instead of lined-up columns.
    #[arg(short = 'A', long)]
    no_align: bool,
    /// The separator of -A.
    #[arg(short = 'F', long, default_value = "|")]
    field_separator: String,
    /// Rows alone, without names and numbers of rows.
    #[arg(short = 't', long)]
    tuples_only: bool,
    /// One field a line.
    #[arg(short = 'x', long)]
    expanded: bool,
    /// No command tags and notices.
    #[arg(short, long)]
    quiet: bool,
    /// All commands and files are one transaction.
    #[arg(short = '1', long)]
    single_transaction: bool,
}

/// How reading on goes after some text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flow {
    Next,
    /// `\q`: the script is over.
    Quit,
    /// An error ends everything.
    Stop,
}

struct Shell {
    dir: Option<PathBuf>,
    database: Database,
    session: Session,
    name: String,
    style: Style,
    timing: bool,
    on_error_stop: bool,
    quiet: bool,
    verbose: bool,
    interactive: bool,
    depth: usize,
    /// Where the script is, for errors.
    place: String,
    /// The last statement, for `\g`.
    last: String,
    /// The last error, for `\errverbose`.
    last_error: Option<String>,
    /// Whom ctrl-C cancels.
    running: Arc<Mutex<Option<CancelHandle>>>,
}

/// What unfinished `text` waits for; none when it holds whole statements, or nothing.
fn unfinished(text: &str) -> Option<Pending> {
    let mut rest = text;
    loop {
        match syntax::split(rest) {
            Split::Empty => return None,
            Split::Incomplete(pending) => return Some(pending),
            Split::Complete(end) => rest = &rest[end..],
        }
    }
}

/// `text` without the white space and comments at its start.
fn trim_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after).trim_start();
            continue;
        }
        return rest;
    }
}

/// Runs commands and files, or else what is typed or piped in.
pub fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let database = match &arguments.dir {
        Some(dir) => Database::open(dir),
        None => Database::in_memory(),
    };
    let database = database.map_err(|e| error_text(&e))?;
    let session = match database.session_on(&arguments.dbname) {
        Ok(session) => session,
        Err(e) => {
            eprintln!("hathi: {}", error_text(&e));
            return Ok(ExitCode::from(2));
        }
    };
    let mut shell = Shell {
        dir: arguments.dir.clone(),
        session,
        database,
        name: arguments.dbname.clone(),
        style: Style {
            aligned: !arguments.no_align,
            expanded: arguments.expanded,
            tuples_only: arguments.tuples_only,
            separator: arguments.field_separator.clone(),
            null: String::new(),
        },
        timing: false,
        on_error_stop: false,
        quiet: arguments.quiet,
        verbose: false,
        interactive: false,
        depth: 0,
        place: String::new(),
        last: String::new(),
        last_error: None,
        running: Arc::default(),
    };
    for variable in &arguments.variable {
        let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
        shell.set(name, Some(value))?;
    }
    let code = shell.run_all(arguments)?;
    let Shell { session, database, .. } = shell;
    drop(session);
    database.close().map_err(|e| error_text(&e))?;
    Ok(code)
}

impl Shell {
    fn run_all(&mut self, arguments: &Arguments) -> Result<ExitCode, String> {
        let mut failed = false;
        if arguments.single_transaction {
            self.execute("BEGIN", CopyEnd::Nothing, "");
        }
        for text in &arguments.command {
            let fine = match text.trim_start().starts_with('\\') {
                true => self.command(text.trim(), &mut String::new()) != Flow::Stop,
                false => self.execute(text, CopyEnd::Script(&mut Script::stdin()), ""),
            };
            failed = !fine;
            if !fine && self.on_error_stop {
                return Ok(ExitCode::FAILURE);
            }
        }
        let mut flow = Flow::Next;
        for file in &arguments.file {
            let script = match file.to_str() {
                Some("-") => Ok(Script::stdin()),
                _ => Script::open(file),
            };
            match script {
                Ok(mut script) => flow = self.read(&mut script)?,
                Err(e) => {
                    eprintln!("hathi: error: {}: {}", file.display(), reason(&e));
                    return Ok(ExitCode::FAILURE);
                }
            }
            if flow == Flow::Stop {
                return Ok(ExitCode::from(SCRIPT_FAILED));
            }
        }
        if arguments.single_transaction {
            self.execute("COMMIT", CopyEnd::Nothing, "");
        }
        if arguments.command.is_empty() && arguments.file.is_empty() {
            flow = if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
                self.interactive = true;
                self.cancel_on_interrupt().map_err(|e| e.to_string())?;
                println!("hathi {}\nType \"\\?\" for help.\n", env!("CARGO_PKG_VERSION"));
                self.read(&mut Editor::new())?
            } else {
                self.read(&mut Script::stdin())?
            };
        }
        Ok(match flow {
            Flow::Stop => ExitCode::from(SCRIPT_FAILED),
            // As psql: the commands of -c tell.
            _ if failed => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        })
    }

    /// Has ctrl-C cancel the running statement instead of ending the shell.
    fn cancel_on_interrupt(&self) -> std::io::Result<()> {
        let mut signals = signal_hook::iterator::Signals::new([SIGINT])?;
        let running = self.running.clone();
        std::thread::spawn(move || {
            for _ in signals.forever() {
                if let Some(handle) = &*running.lock().unwrap_or_else(PoisonError::into_inner) {
                    handle.cancel();
                }
            }
        });
        Ok(())
    }

    fn block(&mut self) -> &'static str {
        match self.session.inner().block_state() {
            BlockState::Idle => "",
            BlockState::InBlock => "*",
            BlockState::Failed => "!",
        }
    }

    /// Runs all that `source` has.
    fn read(&mut self, source: &mut dyn Source) -> Result<Flow, String> {
        let mut pending = String::new();
        loop {
            let waits = if trim_comments(&pending).is_empty() { None } else { unfinished(&pending) };
            let asking = Asking { database: self.name.clone(), block: self.block(), pending: waits };
            let Some(line) = source.text(&asking).map_err(|e| format!("could not read: {e}"))? else { break };
            let Ok(line) = String::from_utf8(line) else {
                eprintln!("{}ERROR:  invalid byte sequence for encoding \"UTF8\"", source.place());
                if self.on_error_stop {
                    return Ok(Flow::Stop);
                }
                continue;
            };
            let quoted =
                matches!(waits, Some(Pending::String | Pending::Identifier | Pending::Comment | Pending::DollarQuote));
            if !quoted && line.trim_start().starts_with('\\') {
                self.place = source.place();
                match self.command(line.trim(), &mut pending) {
                    Flow::Next => continue,
                    Flow::Stop if !self.on_error_stop => continue,
                    flow => return Ok(flow),
                }
            }
            pending.push_str(&line);
            let mut fine = true;
            // Only these can end a statement.
            if line.contains(';') {
                while let Some(end) = source::is_complete(syntax::split(&pending)) {
                    let rest = pending.split_off(end);
                    fine &= self.statement(&pending, source);
                    pending = rest;
                    if !fine && self.on_error_stop {
                        return Ok(Flow::Stop);
                    }
                }
            }
            let trimmed = pending.trim_end();
            if let Some(before) = trimmed.strip_suffix("\\g").or_else(|| trimmed.strip_suffix("\\gx"))
                && matches!(syntax::split(before), Split::Incomplete(Pending::Semicolon))
            {
                let (before, expanded) = (before.to_owned(), trimmed.ends_with('x'));
                let kept = self.style.expanded;
                self.style.expanded |= expanded;
                fine &= self.statement(&before, source);
                self.style.expanded = kept;
                pending.clear();
                if !fine && self.on_error_stop {
                    return Ok(Flow::Stop);
                }
            }
        }
        // At its end a script need not say so, but somebody who leaves takes back what was typed.
        if !source.is_terminal() && !trim_comments(&pending).is_empty() && !self.statement(&pending, source) {
            return Ok(if self.on_error_stop { Flow::Stop } else { Flow::Next });
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, text: &str, source: &mut dyn Source) -> bool {
        let sql = trim_comments(text).to_owned();
        let place = source.place();
        let outcome = self.execute(&sql, CopyEnd::Script(source), &place);
        self.last = sql;
        outcome
    }

    /// Runs statements; whether all went well.
    fn execute(&mut self, sql: &str, copy: CopyEnd<'_>, place: &str) -> bool {
        let mut printer = Printer::new(self.style.clone(), self.session.inner().settings_io().clone(), copy);
        printer.quiet = self.quiet;
        printer.verbose = self.verbose;
        printer.prefix = place.to_owned();
        let start = Instant::now();
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.session.cancel_handle());
        let outcome = self.session.inner().run(sql, &mut printer);
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let _ = std::io::stdout().flush();
        if let Err(e) = &outcome {
            printer.skip_data();
            let place = printer.place();
            eprintln!("{place}{}", report(e, Some(sql), self.verbose));
            self.last_error = Some(report(e, Some(sql), true));
        }
        if self.timing {
            printer::print(&format!("Time: {}\n", duration(start.elapsed().as_secs_f64() * 1000.0)));
        }
        outcome.is_ok()
    }

    /// Says what is wrong with a command; answers false.
    fn complain(&self, message: &str) -> bool {
        match self.place.as_str() {
            "" => eprintln!("{message}"),
            place => eprintln!("{place}error: {message}"),
        }
        false
    }

    /// Runs the file of `\i`.
    fn include(&mut self, path: &Path) -> Flow {
        if self.depth >= NESTING_MAX {
            self.complain("\\i: files are nested too deeply");
            return Flow::Stop;
        }
        let mut script = match Script::open(path) {
            Ok(script) => script,
            Err(e) => {
                self.complain(&format!("{}: {}", path.display(), reason(&e)));
                return Flow::Stop;
            }
        };
        self.depth += 1;
        let outcome = self.read(&mut script);
        self.depth -= 1;
        match outcome {
            Ok(Flow::Stop) => Flow::Stop,
            Ok(_) => Flow::Next,
            Err(e) => {
                eprintln!("{e}");
                Flow::Stop
            }
        }
    }
}

/// The system's words for an error, without Rust's number behind them.
fn reason(e: &std::io::Error) -> String {
    let text = e.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}

/// Milliseconds as `\timing` shows them: from a second on, also in larger units.
fn duration(ms: f64) -> String {
    if ms < 1000.0 {
        return format!("{ms:.3} ms");
    }
    let seconds = ms / 1000.0;
    let (minutes, hours) = ((seconds / 60.0).floor(), (seconds / 3600.0).floor());
    let long = if hours >= 1.0 {
        format!("{hours:02}:{:02}:{:06.3}", minutes % 60.0, seconds % 60.0)
    } else {
        format!("{minutes:02}:{:06.3}", seconds % 60.0)
    };
    format!("{ms:.3} ms ({long})")
}
