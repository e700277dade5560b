//! `score`: splits a script into pieces whose results psql prints together, and finds them in what was printed and what was expected.
//!
//! psql with `-a` prints each line of its input as it reads it, and the results of the statements that end on a line right after
//! that line. So a *piece* is a run of lines up to one on which a statement ends, and what is printed between a piece and the next
//! is the piece's result. Lines of COPY data are not printed and belong to no piece; whether a COPY that fails has taken them
//! is told by the expected text.

use super::report::{Outcome, Report, Wrong};

/// Lines of a script and the number of statements that end on the last of them.
struct Piece<'a> {
    lines: Vec<&'a str>,
    statements: usize,
}

/// Scores what psql printed for `script` by the expected text that it resembles most.
pub fn score(file: &str, script: &str, printed: &str, expected: &[String]) -> Report {
    let pieces = split(script, &lines(&expected[0]));
    let printed = lines(printed);
    let got = results(&pieces, &printed);
    let reports = expected.iter().map(|text| {
        let text = lines(text);
        compare(file, &pieces, &got, &results(&pieces, &text))
    });
    reports
        .max_by(|left, right| (left.agreeing * right.statements).cmp(&(right.agreeing * left.statements)))
        .expect("there is one expected text at least")
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// Compares the results piece by piece.
fn compare(file: &str, pieces: &[Piece], got: &[Option<&[&str]>], expected: &[Option<&[&str]>]) -> Report {
    let mut report = Report {
        file: file.to_owned(),
        outcome: Outcome::Done,
        agreeing: 0,
        statements: 0,
        elapsed_ms: 0,
        wrong: vec![],
        diff: String::new(),
    };
    for ((piece, got), expected) in pieces.iter().zip(got).zip(expected) {
        // Beyond a `\quit`, or in a branch of `\if` that is not taken.
        if got.is_none() && expected.is_none() {
            continue;
        }
        report.statements += piece.statements;
        let agree = matches!((got, expected), (Some(got), Some(expected)) if same(got, expected));
        if agree {
            report.agreeing += piece.statements;
            continue;
        }
        let text = |result: &Option<&[&str]>| result.map_or("(never reached)".to_owned(), |lines| lines.join("\n"));
        report.diff += &format!(
            "{}\n<<<<<<< expected\n{}\n======= got\n{}\n>>>>>>>\n",
            piece.lines.join("\n"),
            text(expected),
            text(got)
        );
        let message = |result: &Option<&[&str]>| {
            result.and_then(|lines| lines.iter().find(|line| is_message(line)).map(|line| (*line).to_owned()))
        };
        let message = if got.is_none() {
            Some("(never reached)".to_owned())
        } else {
            message(got).or_else(|| Some("(other rows)".to_owned()))
        };
        report.wrong.push(Wrong { message: message.expect("one of both"), statements: piece.statements });
    }
    report
}

fn is_message(line: &str) -> bool {
    ["ERROR:", "FATAL:", "invalid command"].iter().any(|start| line.starts_with(start))
}

/// Whether two results are the same but for white space, as `diff -w` sees it.
fn same(left: &[&str], right: &[&str]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| {
            left.chars().filter(|c| !c.is_whitespace()).eq(right.chars().filter(|c| !c.is_whitespace()))
        })
}

/// The result of each piece in a printed text; none for those that psql never read.
fn results<'t, 'l>(pieces: &[Piece], text: &'t [&'l str]) -> Vec<Option<&'t [&'l str]>> {
    let mut starts = Vec::with_capacity(pieces.len());
    let mut from = 0;
    for piece in pieces {
        let start = find(text, from, &piece.lines);
        from = start.map_or(from, |start| start + piece.lines.len());
        starts.push(start);
    }
    let mut next = text.len();
    let mut found = vec![None; pieces.len()];
    for (number, piece) in pieces.iter().enumerate().rev() {
        if let Some(start) = starts[number] {
            found[number] = Some(&text[start + piece.lines.len()..next]);
            next = start;
        }
    }
    found
}

/// Where `wanted` stands in `text`, at or after `from`.
fn find(text: &[&str], from: usize, wanted: &[&str]) -> Option<usize> {
    (from..=text.len().checked_sub(wanted.len())?).find(|start| text[*start..*start + wanted.len()] == *wanted)
}

/// Splits a script as psql reads it; `expected` tells about COPY data.
fn split<'a>(script: &'a str, expected: &[&str]) -> Vec<Piece<'a>> {
    let source: Vec<&str> = script.lines().collect();
    let mut lines = Vec::new();
    let mut pieces = Vec::new();
    let mut scanner = Scanner::default();
    let mut number = 0;
    let mut seen = 0;
    while number < source.len() {
        // psql drops empty lines, but for those inside of quotes.
        if source[number].is_empty() && scanner.inside == Inside::Nothing {
            number += 1;
            continue;
        }
        lines.push(source[number]);
        let ended = scanner.line(source[number]);
        number += 1;
        if ended.pieces == 0 && !ended.meta {
            continue;
        }
        let piece = Piece { lines: std::mem::take(&mut lines), statements: ended.pieces };
        let place = find(expected, seen, &piece.lines).map(|at| at + piece.lines.len());
        seen = place.unwrap_or(seen);
        for _ in 0..ended.copies {
            if takes_data(&source[number..], &expected[seen..]) {
                number += source[number..].iter().take_while(|line| **line != "\\.").count() + 1;
            }
        }
        number = number.min(source.len());
        pieces.push(piece);
    }
    if !lines.is_empty() {
        pieces.push(Piece { lines, statements: 0 });
    }
    pieces
}

/// Whether the lines after a `COPY FROM STDIN` are its data: they are when psql does not print them right after its messages.
fn takes_data(rest: &[&str], expected: &[&str]) -> bool {
    let Some(next) = rest.iter().find(|line| !line.is_empty()) else { return false };
    let message = |line: &str| {
        ["ERROR:", "DETAIL:", "HINT:", "LINE ", "CONTEXT:", "NOTICE:", "WARNING:"]
            .iter()
            .any(|start| line.starts_with(start))
            || line.trim() == "^" && !next.trim().eq("^")
    };
    let after = expected.iter().find(|line| !message(line));
    after != Some(next) && rest.contains(&"\\.")
}

/// What ends on a line.
#[derive(Default)]
struct Ended {
    /// Statements, and backslash commands that ask the server something.
    pieces: usize,
    /// `COPY ... FROM STDIN`s among them.
    copies: usize,
    /// Whether a backslash command ended on it.
    meta: bool,
}

/// What psql's scanner remembers from line to line.
#[derive(Default)]
struct Scanner {
    inside: Inside,
    depth: usize,
    /// The statement so far, without quotes and comments, in lower case.
    statement: String,
    /// BEGINs and CASEs open in the body of an SQL function.
    atomic: usize,
}

/// What a line break does not end.
#[derive(Default, PartialEq)]
enum Inside {
    #[default]
    Nothing,
    Quote {
        mark: char,
        escapes: bool,
    },
    Dollar(String),
    Comment(usize),
}

impl Scanner {
    fn line(&mut self, line: &str) -> Ended {
        let mut ended = Ended::default();
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            rest = match &mut self.inside {
                Inside::Quote { mark, escapes } => {
                    if *escapes && c == '\\' {
                        after.get(after.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default()
                    } else {
                        if c == *mark {
                            self.inside = Inside::Nothing;
                        }
                        after
                    }
                }
                Inside::Dollar(tag) => match rest.strip_prefix(tag.as_str()) {
                    Some(after) => {
                        self.inside = Inside::Nothing;
                        after
                    }
                    None => after,
                },
                Inside::Comment(depth) => {
                    if let Some(after) = rest.strip_prefix("*/") {
                        *depth -= 1;
                        if *depth == 0 {
                            self.inside = Inside::Nothing;
                        }
                        after
                    } else if let Some(after) = rest.strip_prefix("/*") {
                        *depth += 1;
                        after
                    } else {
                        after
                    }
                }
                Inside::Nothing => match self.code(rest, &mut ended) {
                    Some(after) => after,
                    None => break,
                },
            };
        }
        if !self.statement.is_empty() {
            self.statement.push(' ');
        }
        ended
    }

    /// Takes one word or mark outside of quotes and comments; none when nothing is left of the line.
    fn code<'a>(&mut self, rest: &'a str, ended: &mut Ended) -> Option<&'a str> {
        let c = rest.chars().next()?;
        let after = &rest[c.len_utf8()..];
        if rest.starts_with("--") {
            return None;
        }
        if let Some(after) = rest.strip_prefix("/*") {
            self.inside = Inside::Comment(1);
            return Some(after);
        }
        match c {
            '\'' => {
                let escapes = self.statement.ends_with('e')
                    && !self.statement.trim_end_matches('e').ends_with(|c: char| c.is_alphanumeric() || c == '_');
                self.inside = Inside::Quote { mark: c, escapes };
            }
            '"' => {
                self.inside = Inside::Quote { mark: c, escapes: false };
                self.statement.push('"');
            }
            '$' => {
                let tag = after.find('$').map(|end| &rest[..end + 2]);
                let word = |tag: &str| tag[1..tag.len() - 1].chars().all(|c| c.is_alphanumeric() || c == '_');
                let joined = self.statement.ends_with(|c: char| c.is_alphanumeric() || c == '_');
                if let Some(tag) =
                    tag.filter(|tag| word(tag) && !tag[1..].starts_with(|c: char| c.is_ascii_digit()) && !joined)
                {
                    self.inside = Inside::Dollar(tag.to_owned());
                    return Some(&rest[tag.len()..]);
                }
                self.statement.push(c);
            }
            '\\' => return self.command(rest, after, ended),
            ';' if self.depth == 0 && self.atomic == 0 => {
                ended.pieces += 1;
                self.finish(ended);
            }
            '(' | ')' => {
                self.depth = if c == '(' { self.depth + 1 } else { self.depth.saturating_sub(1) };
                self.statement.push(c);
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
                let word = rest[..end].to_lowercase();
                self.word(&word);
                self.statement.push_str(&word);
                return Some(&rest[end..]);
            }
            c if c.is_whitespace() => {
                if !self.statement.is_empty() {
                    self.statement.push(' ');
                }
            }
            c => self.statement.push(c),
        }
        Some(after)
    }

    /// A backslash command: it takes the rest of the line.
    fn command<'a>(&mut self, rest: &'a str, after: &'a str, ended: &mut Ended) -> Option<&'a str> {
        if let Some(after) = after.strip_prefix([';', ':']) {
            return Some(after);
        }
        let name: String = after.chars().take_while(|c| c.is_alphanumeric()).collect();
        let sends =
            matches!(name.as_str(), "g" | "gx" | "gset" | "gexec" | "gdesc" | "crosstabview" | "watch" | "bind");
        let asks = name.starts_with('d') || matches!(name.as_str(), "l" | "sf" | "sv" | "z" | "copy");
        ended.meta = true;
        if sends {
            ended.pieces += 1;
            self.finish(ended);
        } else if asks {
            ended.pieces += 1;
            let lower = rest.to_lowercase();
            ended.copies += usize::from(name == "copy" && lower.contains("from stdin"));
        } else if name == "r" {
            self.finish(ended);
        }
        None
    }

    /// A word outside of quotes: those that open and close the body of an SQL function matter.
    fn word(&mut self, word: &str) {
        let mut words = self.statement.split_whitespace();
        let routine =
            words.next() == Some("create") && words.take(3).any(|word| word == "function" || word == "procedure");
        match word {
            "begin" if routine => self.atomic += 1,
            "case" if self.atomic > 0 => self.atomic += 1,
            "end" => self.atomic = self.atomic.saturating_sub(1),
            _ => {}
        }
    }

    fn finish(&mut self, ended: &mut Ended) {
        let statement = std::mem::take(&mut self.statement);
        let words: Vec<&str> = statement.split_whitespace().collect();
        if words.first() == Some(&"copy")
            && words.windows(2).any(|pair| pair[0] == "from" && pair[1].starts_with("stdin"))
        {
            ended.copies += 1;
        }
        (self.depth, self.atomic) = (0, 0);
    }
}

#[cfg(test)]
mod tests;
