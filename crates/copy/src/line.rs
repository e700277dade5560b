//! Cutting a stream into lines: the first line's end fixes how all others must end; CSV quotes hide line ends.

use std::ops::Range;

use types::{Result, SqlError};

use super::{ALLOCATION_BYTES_MAX, Csv, bad, too_long};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LineEnd {
    Newline,
    Return,
    ReturnNewline,
}

/// What comes next in the stream.
pub(super) enum Next {
    /// A line, without its end; a range of `Lines::bytes`, valid until more is fed.
    Line(Range<usize>),
    NeedMore,
    Done,
}

#[derive(Debug)]
pub(super) struct Lines {
    pub(super) bytes: Vec<u8>,
    /// Where the current line starts, and how far it has been looked at.
    start: usize,
    scanned: usize,
    line_end: Option<LineEnd>,
    /// Quote and escape of CSV.
    csv: Option<(u8, u8)>,
    in_quote: bool,
    finished: bool,
    done: bool,
    pub(super) line_number: u64,
}

impl Lines {
    pub(super) fn new(csv: Option<&Csv>) -> Lines {
        Lines {
            bytes: Vec::new(),
            start: 0,
            scanned: 0,
            line_end: None,
            csv: csv.map(|c| (c.quote, c.escape)),
            in_quote: false,
            finished: false,
            done: false,
            line_number: 0,
        }
    }

    pub(super) fn feed(&mut self, chunk: &[u8]) {
        if self.done {
            return;
        }
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        self.bytes.extend_from_slice(chunk);
    }

    pub(super) fn finish(&mut self) {
        self.finished = true;
    }

    /// The next line. Errors are for the line after `line_number`, which is counted first.
    pub(super) fn next(&mut self) -> Result<Next> {
        if self.done {
            return Ok(Next::Done);
        }
        loop {
            let found = self.interesting();
            let Some(at) = found else {
                self.scanned = self.bytes.len();
                return self.at_end();
            };
            let next = self.bytes.get(at + 1).copied();
            let lookahead = match self.bytes[at] {
                _ if self.in_quote => self.csv.is_some_and(|(q, e)| q != e && self.bytes[at] == e),
                b'\\' => self.csv.is_none(),
                b'\r' => matches!(self.line_end, None | Some(LineEnd::ReturnNewline)),
                _ => false,
            };
            if lookahead && next.is_none() && !self.finished {
                self.scanned = at;
                return self.need_more();
            }
            match self.csv {
                Some((quote, escape)) if self.in_quote => {
                    if self.bytes[at] == escape && quote != escape {
                        self.scanned = (at + 2).min(self.bytes.len());
                    } else {
                        self.in_quote = false;
                        self.scanned = at + 1;
                    }
                    continue;
                }
                Some((quote, _)) if self.bytes[at] == quote => {
                    self.in_quote = true;
                    self.scanned = at + 1;
                    continue;
                }
                _ => {}
            }
            match self.bytes[at] {
                b'\\' => match next {
                    Some(b'.') => return self.end_marker(at),
                    _ => self.scanned = (at + 2).min(self.bytes.len()),
                },
                b'\r' => {
                    let end = match (self.line_end, next) {
                        (None | Some(LineEnd::ReturnNewline), Some(b'\n')) => LineEnd::ReturnNewline,
                        (None | Some(LineEnd::Return), _) => LineEnd::Return,
                        _ => return self.stray_return(),
                    };
                    return Ok(self.line(at, end));
                }
                _ if matches!(self.line_end, Some(LineEnd::Return | LineEnd::ReturnNewline)) => {
                    return self.stray_newline();
                }
                _ => return Ok(self.line(at, LineEnd::Newline)),
            }
        }
    }

    fn interesting(&self) -> Option<usize> {
        let rest = &self.bytes[self.scanned..];
        let offset = match self.csv {
            None => memchr::memchr3(b'\n', b'\r', b'\\', rest),
            Some((quote, escape)) if self.in_quote => memchr::memchr2(quote, escape, rest),
            Some((quote, _)) => memchr::memchr3(b'\n', b'\r', quote, rest),
        };
        offset.map(|o| self.scanned + o)
    }

    fn need_more(&self) -> Result<Next> {
        if self.bytes.len() - self.start >= ALLOCATION_BYTES_MAX { Err(too_long()) } else { Ok(Next::NeedMore) }
    }

    fn at_end(&mut self) -> Result<Next> {
        if !self.finished {
            return self.need_more();
        }
        self.done = true;
        if self.start == self.bytes.len() {
            return Ok(Next::Done);
        }
        let line = self.start..self.bytes.len();
        self.count(&line);
        self.start = self.bytes.len();
        Ok(Next::Line(line))
    }

    fn line(&mut self, at: usize, end: LineEnd) -> Next {
        let line = self.start..at;
        self.count(&line);
        self.line_end = Some(end);
        self.start = at + if end == LineEnd::ReturnNewline { 2 } else { 1 };
        self.scanned = self.start;
        Next::Line(line)
    }

    /// Counts the line and those its quoted fields go over. PostgreSQL looks for carriage returns there unless lines
    /// are known to end in newlines.
    fn count(&mut self, line: &Range<usize>) {
        self.line_number += 1;
        if self.csv.is_some() {
            let inner = if self.line_end == Some(LineEnd::Newline) { b'\n' } else { b'\r' };
            self.line_number += memchr::memchr_iter(inner, &self.bytes[line.clone()]).count() as u64;
        }
    }

    fn failed<T>(&mut self, error: SqlError) -> Result<T> {
        self.line_number += 1;
        self.done = true;
        Err(error)
    }

    fn stray_return(&mut self) -> Result<Next> {
        let error = match self.csv {
            None => bad("literal carriage return found in data").hint("Use \"\\r\" to represent carriage return."),
            Some(_) => {
                bad("unquoted carriage return found in data").hint("Use quoted CSV field to represent carriage return.")
            }
        };
        self.failed(error)
    }

    fn stray_newline(&mut self) -> Result<Next> {
        let error = match self.csv {
            None => bad("literal newline found in data").hint("Use \"\\n\" to represent newline."),
            Some(_) => bad("unquoted newline found in data").hint("Use quoted CSV field to represent newline."),
        };
        self.failed(error)
    }

    /// `\.` at `at`: ends the data if alone on its line and that line ends like the others.
    fn end_marker(&mut self, at: usize) -> Result<Next> {
        let rest = &self.bytes[at + 2..];
        let not_alone = || bad("end-of-copy marker is not alone on its line");
        let mismatch = || bad("end-of-copy marker does not match previous newline style");
        let verdict = match (self.line_end, rest) {
            (Some(LineEnd::ReturnNewline), [b'\n', ..]) => Err(mismatch()),
            (Some(LineEnd::ReturnNewline), [b'\r', b'\n', ..]) => Ok(()),
            (Some(LineEnd::ReturnNewline), [b'\r', b'\r', ..]) => Err(mismatch()),
            (Some(LineEnd::ReturnNewline), [b'\r']) | (_, []) if !self.finished => {
                self.scanned = at;
                return self.need_more();
            }
            (Some(LineEnd::ReturnNewline), _) => Err(not_alone()),
            (Some(LineEnd::Newline), [b'\r', ..]) | (Some(LineEnd::Return), [b'\n', ..]) => Err(mismatch()),
            (_, [b'\r' | b'\n', ..]) => Ok(()),
            _ => Err(not_alone()),
        };
        match verdict {
            Err(error) => self.failed(error),
            Ok(()) if at > self.start => self.failed(not_alone()),
            Ok(()) => {
                self.done = true;
                Ok(Next::Done)
            }
        }
    }
}
