//! Backslash commands.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use hathi::Database;

use super::printer::{CopyEnd, CopyFile, print};
use super::source::progress;
use super::{Flow, Shell, reason, trim_comments};
use crate::output::error_text;

const HELP: &str = "\
General
  \\g, \\gx             run the statement typed so far, or the last one again; with expanded output
  \\q                   leave
  \\?                   this text

Statement being typed
  \\p                   show it
  \\r                   forget it

Files
  \\i FILE              run the commands of a file; \\ir: relative to the current directory
  \\copy ... FROM|TO FILE [OPTIONS]
                       COPY with a file of this machine
  \\echo [-n] [TEXT]    write text to standard output

Looking around
  \\d                   list tables, views, sequences
  \\d NAME              describe a table, view, sequence or index
  \\dt \\di \\dv \\ds      list tables, indexes, views, sequences; with a pattern, those that fit
  \\dn \\du \\l           list schemas, roles, databases

Formatting
  \\a                   columns lined up or not
  \\t [on|off]          rows alone
  \\x [on|off]          one field a line
  \\pset NAME [VALUE]   null, fieldsep, format, tuples_only, expanded

Session
  \\c NAME              connect to another database of this directory
  \\conninfo            where we are
  \\timing [on|off]     how long statements take
  \\set [NAME [VALUE]]  ON_ERROR_STOP, QUIET, VERBOSITY; \\unset NAME
  \\errverbose          the last error with everything known of it
";

/// Cuts a command's arguments: words, or text in single quotes (a doubled quote, `\\n`, `\\t` inside).
pub(super) fn arguments(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                while let Some(c) = chars.next() {
                    match c {
                        '\'' if chars.peek() == Some(&'\'') => {
                            chars.next();
                            word.push('\'');
                        }
                        '\'' => break,
                        '\\' => match chars.next() {
                            Some('n') => word.push('\n'),
                            Some('t') => word.push('\t'),
                            Some(c) => word.push(c),
                            None => {}
                        },
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                // Kept: a name pattern is read with its quotes.
                let word = word.get_or_insert_default();
                word.push('"');
                for c in chars.by_ref() {
                    word.push(c);
                    if c == '"' {
                        break;
                    }
                }
            }
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn on_off(current: bool, argument: Option<&String>, what: &str) -> Option<bool> {
    match argument.map(|a| a.to_ascii_lowercase()).as_deref() {
        None => Some(!current),
        Some("on" | "true" | "yes" | "1") => Some(true),
        Some("off" | "false" | "no" | "0") => Some(false),
        Some(other) => {
            eprintln!("unrecognized value \"{other}\" for \"{what}\": Boolean expected");
            None
        }
    }
}

fn named(b: bool) -> &'static str {
    if b { "on" } else { "off" }
}

impl Shell {
    /// Runs a backslash command; `pending` is the statement typed so far.
    pub(super) fn command(&mut self, text: &str, pending: &mut String) -> Flow {
        let body = &text[1..];
        let end = body.find(|c: char| c.is_whitespace()).unwrap_or(body.len());
        let (name, rest) = body.split_at(end);
        let words = arguments(rest);
        let first = words.first();
        let fine = match name {
            "q" | "quit" => return Flow::Quit,
            "?" | "h" | "help" => {
                print(HELP);
                true
            }
            "r" | "reset" => {
                pending.clear();
                true
            }
            "p" | "print" => {
                let shown = if pending.trim().is_empty() { &self.last } else { &*pending };
                print(&format!("{}\n", shown.trim_end()));
                true
            }
            "g" | "gx" => {
                let typed = std::mem::take(pending);
                let sql = if trim_comments(&typed).is_empty() { self.last.clone() } else { typed };
                let kept = self.style.expanded;
                self.style.expanded |= name == "gx";
                let fine = self.execute(trim_comments(&sql), CopyEnd::Nothing, "");
                self.style.expanded = kept;
                self.last = sql;
                fine
            }
            "i" | "include" | "ir" | "include_relative" => match first {
                Some(file) => return self.include(Path::new(file)),
                None => self.complain(&format!("\\{name}: missing required argument")),
            },
            "echo" => {
                let newline = first.is_none_or(|w| w != "-n");
                let shown = words[usize::from(!newline)..].join(" ");
                print(&format!("{shown}{}", if newline { "\n" } else { "" }));
                true
            }
            "copy" => self.copy(rest.trim()),
            "timing" => self.toggle(first, "timing", |s| &mut s.timing, "Timing is", true),
            "x" => self.toggle(first, "expanded", |s| &mut s.style.expanded, "Expanded display is", true),
            "t" => {
                let tell = first.is_none();
                self.toggle(first, "tuples_only", |s| &mut s.style.tuples_only, "Tuples only is", tell)
            }
            "a" => {
                self.style.aligned = !self.style.aligned;
                self.say(&format!("Output format is {}.", if self.style.aligned { "aligned" } else { "unaligned" }))
            }
            "pset" => self.pset(&words),
            "set" => match (first, words.get(1)) {
                (None, _) => {
                    let verbosity = if self.verbose { "verbose" } else { "default" };
                    print(&format!(
                        "ON_ERROR_STOP = '{}'\nQUIET = '{}'\nVERBOSITY = '{verbosity}'\n",
                        named(self.on_error_stop),
                        named(self.quiet)
                    ));
                    true
                }
                (Some(name), value) => self.said(|s| s.set(name, Some(value.map_or("", |v| v)))),
            },
            "unset" => match first {
                Some(name) => self.said(|s| s.set(name, None)),
                None => self.complain(&format!("\\{name}: missing required argument")),
            },
            "errverbose" => {
                let shown = self.last_error.clone().unwrap_or_else(|| "There is no previous error.".to_owned());
                print(&format!("{shown}\n"));
                true
            }
            "c" | "connect" => self.connect(first),
            "conninfo" => {
                let place = self.dir.as_ref().map_or("memory".to_owned(), |d| format!("\"{}\"", d.display()));
                print(&format!("You are connected to database \"{}\" as user \"postgres\" in {place}.\n", self.name));
                true
            }
            _ => match self.describe(name, first.map(String::as_str)) {
                Some(fine) => fine,
                None => {
                    self.complain(&format!("invalid command \\{name}"));
                    if self.interactive {
                        eprintln!("Try \\? for help.");
                    }
                    false
                }
            },
        };
        if fine { Flow::Next } else { Flow::Stop }
    }

    fn said(&mut self, f: impl FnOnce(&mut Shell) -> Result<(), String>) -> bool {
        match f(self) {
            Ok(()) => true,
            Err(message) => self.complain(&message),
        }
    }

    fn say(&self, text: &str) -> bool {
        if !self.quiet {
            print(&format!("{text}\n"));
        }
        true
    }

    fn toggle(
        &mut self,
        argument: Option<&String>,
        name: &str,
        field: impl Fn(&mut Shell) -> &mut bool,
        label: &str,
        tell: bool,
    ) -> bool {
        let current = *field(self);
        let Some(value) = on_off(current, argument, name) else { return false };
        *field(self) = value;
        !tell || self.say(&format!("{label} {}.", named(value)))
    }

    /// Sets a variable, or takes it back.
    pub(super) fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let switch = || match value.map(str::to_ascii_lowercase).as_deref() {
            None | Some("off" | "false" | "no" | "0") => Ok(false),
            Some("" | "on" | "true" | "yes" | "1") => Ok(true),
            Some(other) => Err(format!("unrecognized value \"{other}\" for \"{name}\": Boolean expected")),
        };
        match name {
            "ON_ERROR_STOP" => self.on_error_stop = switch()?,
            "QUIET" => self.quiet = switch()?,
            "VERBOSITY" => {
                self.verbose = match value {
                    None | Some("" | "default") => false,
                    Some("verbose") => true,
                    Some(other) => return Err(format!("unrecognized value \"{other}\" for \"VERBOSITY\"")),
                }
            }
            other => return Err(format!("variable \"{other}\" is not supported")),
        }
        Ok(())
    }

    fn pset(&mut self, words: &[String]) -> bool {
        let value = words.get(1);
        match (words.first().map(String::as_str), value.map(String::as_str)) {
            (Some("null"), Some(null)) => {
                self.style.null = null.to_owned();
                self.say(&format!("Null display is \"{null}\"."))
            }
            (Some("fieldsep"), Some(separator)) => {
                self.style.separator = separator.to_owned();
                self.say(&format!("Field separator is \"{separator}\"."))
            }
            (Some("format"), Some(format @ ("aligned" | "unaligned"))) => {
                self.style.aligned = format == "aligned";
                self.say(&format!("Output format is {format}."))
            }
            (Some("tuples_only" | "t"), _) => {
                self.toggle(value, "tuples_only", |s| &mut s.style.tuples_only, "Tuples only is", true)
            }
            (Some("expanded" | "x"), _) => {
                self.toggle(value, "expanded", |s| &mut s.style.expanded, "Expanded display is", true)
            }
            (Some("pager"), _) => true,
            (Some(other), _) => {
                eprintln!("\\pset: option or value not supported: {other}");
                false
            }
            (None, _) => {
                print(&format!(
                    "expanded    {}\nfieldsep    '{}'\nformat      {}\nnull        '{}'\ntuples_only {}\n",
                    named(self.style.expanded),
                    self.style.separator,
                    if self.style.aligned { "aligned" } else { "unaligned" },
                    self.style.null,
                    named(self.style.tuples_only)
                ));
                true
            }
        }
    }

    fn connect(&mut self, name: Option<&String>) -> bool {
        let Some(name) = name.filter(|n| *n != "-") else { return true };
        match Database::session_on(&self.database, name) {
            Ok(session) => {
                self.session = session;
                self.name.clone_from(name);
                self.say(&format!("You are now connected to database \"{name}\" as user \"postgres\"."))
            }
            Err(e) => {
                eprintln!("{}", error_text(&e));
                eprintln!("Previous connection kept");
                false
            }
        }
    }

    /// `\copy`: COPY whose file is ours.
    fn copy(&mut self, text: &str) -> bool {
        let Some(copy) = Copy::parse(text) else {
            return self.complain("\\copy: parse error");
        };
        let end = match (&copy.file, copy.from) {
            (None, true) => {
                // Data up to the end of standard input.
                CopyEnd::File(Box::new(CopyFile::<_, io::Sink>::In(io::stdin())))
            }
            (None, false) => CopyEnd::Nothing,
            (Some(path), true) => match File::open(path) {
                Ok(file) => {
                    let bar = progress(file.metadata().map_or(0, |m| m.len()));
                    CopyEnd::File(Box::new(CopyFile::<_, io::Sink>::In(bar.wrap_read(file))))
                }
                Err(e) => return self.complain(&unopened(path, &e)),
            },
            (Some(path), false) => match File::create(path) {
                Ok(file) => CopyEnd::File(Box::new(CopyFile::<io::Empty, _>::Out(BufWriter::new(file)))),
                Err(e) => return self.complain(&unopened(path, &e)),
            },
        };
        self.execute(&copy.sql, end, "")
    }
}

fn unopened(path: &Path, e: &io::Error) -> String {
    format!("{}: {}", path.display(), reason(e))
}

/// The parts of `\copy`.
pub(super) struct Copy {
    pub from: bool,
    /// None for standard input or output.
    pub file: Option<PathBuf>,
    pub sql: String,
}

impl Copy {
    /// Finds FROM or TO outside of parentheses and quotes, and puts STDIN or STDOUT in the place of the file behind it.
    pub(super) fn parse(text: &str) -> Option<Copy> {
        let bytes = text.as_bytes();
        let (mut depth, mut at) = (0, 0);
        while at < bytes.len() {
            match bytes[at] {
                b'(' => depth += 1,
                b')' => depth -= 1,
                quote @ (b'\'' | b'"') => {
                    at += 1;
                    while at < bytes.len() && bytes[at] != quote {
                        at += 1;
                    }
                }
                b if depth == 0 && b.is_ascii_alphabetic() => {
                    let end = bytes[at..].iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_');
                    let end = end.map_or(bytes.len(), |n| at + n);
                    let from = text[at..end].eq_ignore_ascii_case("from");
                    if (from || text[at..end].eq_ignore_ascii_case("to")) && end < bytes.len() {
                        return Copy::with_file(&text[..at], from, text[end..].trim_start());
                    }
                    at = end;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        None
    }

    fn with_file(before: &str, from: bool, after: &str) -> Option<Copy> {
        let (word, rest) = match after.strip_prefix('\'') {
            Some(quoted) => {
                let end = quoted.find('\'')?;
                (Some(quoted[..end].to_owned()), &quoted[end + 1..])
            }
            None => {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                let word = after[..end].trim_end_matches(';');
                let standard = ["stdin", "stdout", "pstdin", "pstdout"].iter().any(|s| word.eq_ignore_ascii_case(s));
                ((!standard).then(|| word.to_owned()), &after[end..])
            }
        };
        if word.as_ref().is_some_and(|w| w.is_empty() || w.eq_ignore_ascii_case("program")) {
            return None;
        }
        let (direction, end) = if from { ("FROM", "STDIN") } else { ("TO", "STDOUT") };
        let sql = format!("COPY {before}{direction} {end}{rest}");
        Some(Copy { from, file: word.map(PathBuf::from), sql })
    }
}
