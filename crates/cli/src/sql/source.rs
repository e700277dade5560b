//! Where a shell's lines come from: a script, a pipe, or somebody typing.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reedline::{
    FileBackedHistory, Prompt, PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus, Reedline, Signal,
    ValidationResult, Validator,
};
use syntax::{Pending, Split};

/// Statements that the history keeps.
const HISTORY_ENTRIES: usize = 10_000;

/// What a line is read for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asking {
    /// The database's name.
    pub database: String,
    /// `*` in a transaction block, `!` in a failed one.
    pub block: &'static str,
    /// What the statement begun before waits for.
    pub pending: Option<Pending>,
}

/// Lines.
pub trait Source {
    /// Some more text: a line with its end, or several; none at the end.
    ///
    /// # Errors
    /// The system's.
    fn text(&mut self, asking: &Asking) -> io::Result<Option<Vec<u8>>>;
    /// A line of COPY's data.
    ///
    /// # Errors
    /// The system's.
    fn data_line(&mut self) -> io::Result<Option<Vec<u8>>>;
    /// Whether somebody types.
    fn is_terminal(&self) -> bool;
    /// File and line, for errors.
    fn place(&self) -> String {
        String::new()
    }
}

/// A bar on standard error while much is read; hidden where standard error is no terminal.
pub fn progress(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr_with_hz(10));
    let template = "{bar:30} {percent:>3}% {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}

/// A file, or standard input when it is no terminal.
pub struct Script {
    reader: BufReader<Box<dyn Read>>,
    name: String,
    line: u64,
    bar: ProgressBar,
}

impl Script {
    /// The lines of a file.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Script> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let bar = progress(file.metadata()?.len());
        let reader: Box<dyn Read> = Box::new(bar.wrap_read(file));
        Ok(Script {
            reader: BufReader::with_capacity(64 << 10, reader),
            name: path.display().to_string(),
            line: 0,
            bar,
        })
    }

    /// Standard input.
    pub fn stdin() -> Script {
        let reader: Box<dyn Read> = Box::new(io::stdin());
        Script { reader: BufReader::new(reader), name: String::new(), line: 0, bar: ProgressBar::hidden() }
    }

    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line)?;
        self.line += 1;
        if self.line == 1 && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        Ok((!line.is_empty()).then_some(line))
    }
}

impl Source for Script {
    fn text(&mut self, _: &Asking) -> io::Result<Option<Vec<u8>>> {
        self.next_line()
    }
    fn data_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.next_line()
    }
    fn is_terminal(&self) -> bool {
        false
    }
    fn place(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!("hathi:{}:{}: ", self.name, self.line) }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A line editor with a history.
pub struct Editor {
    editor: Reedline,
    stdin: io::Stdin,
}

/// Where the history is kept: in the user's data directory.
fn history_file() -> Option<PathBuf> {
    let data = match std::env::var_os("XDG_DATA_HOME") {
        Some(dir) if !dir.is_empty() => PathBuf::from(dir),
        _ => PathBuf::from(std::env::var_os("HOME")?).join(".local/share"),
    };
    Some(data.join("hathi").join("history"))
}

/// A text is complete when it is a command or ends a statement.
struct Complete;

impl Validator for Complete {
    fn validate(&self, text: &str) -> ValidationResult {
        let command = text.trim_start().starts_with('\\') || text.trim_end().ends_with("\\g");
        match super::unfinished(text) {
            _ if command => ValidationResult::Complete,
            None => ValidationResult::Complete,
            Some(_) => ValidationResult::Incomplete,
        }
    }
}

impl Editor {
    /// An editor whose history lives in the user's data directory; without one, only as long as the shell.
    pub fn new() -> Editor {
        let mut editor = Reedline::create().with_validator(Box::new(Complete));
        if let Some(file) = history_file()
            && let Ok(history) = FileBackedHistory::with_file(HISTORY_ENTRIES, file)
        {
            editor = editor.with_history(Box::new(history));
        }
        Editor { editor, stdin: io::stdin() }
    }
}

struct EditorPrompt<'a>(&'a Asking);

impl Prompt for EditorPrompt<'_> {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        let Asking { database, block, pending } = self.0;
        let mark = match pending {
            None => '=',
            Some(Pending::Parenthesis) => '(',
            Some(Pending::String) => '\'',
            Some(Pending::Identifier) => '"',
            Some(Pending::Comment) => '*',
            Some(Pending::DollarQuote) => '$',
            Some(Pending::Semicolon | Pending::AtomicBody) => '-',
        };
        format!("{database}{mark}{block}# ").into()
    }
    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }
    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        "".into()
    }
    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        format!("{}-{}# ", self.0.database, self.0.block).into()
    }
    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let failing = matches!(search.status, PromptHistorySearchStatus::Failing);
        format!("({}reverse-search: {}) ", if failing { "failing " } else { "" }, search.term).into()
    }
}

impl Source for Editor {
    fn text(&mut self, asking: &Asking) -> io::Result<Option<Vec<u8>>> {
        match self.editor.read_line(&EditorPrompt(asking))? {
            Signal::Success(text) => Ok(Some(format!("{text}\n").into_bytes())),
            // What was typed is dropped, as in psql; the shell sees a reset.
            Signal::CtrlC => Ok(Some(b"\\r\n".to_vec())),
            _ => Ok(None),
        }
    }

    fn data_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        eprint!(">> ");
        self.stdin.lock().read_until(b'\n', &mut line)?;
        Ok((!line.is_empty()).then_some(line))
    }

    fn is_terminal(&self) -> bool {
        true
    }
}

/// Whether `split` found something to run.
pub fn is_complete(split: Split) -> Option<usize> {
    match split {
        Split::Complete(end) => Some(end),
        _ => None,
    }
}
