//! Characters to tokens, by PostgreSQL's lexical rules.
//!
//! A token is its kind and its place; texts that differ from their source (folded, unescaped, truncated) are kept aside.
//! An error ends the tokens with one of kind [`Tok::Error`]: the parser, which sees tokens left to right, reports it
//! only when it gets there, as PostgreSQL does.

mod number;
mod string;

use crate::ast::{Ident, Pos};
use crate::keyword::{Kw, LONGEST};
use types::{SqlError, SqlState};

/// Kind of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tok {
    /// End of input.
    Eof,
    /// A lexical error, kept in the lexer.
    Error,
    /// An identifier that is no key word.
    Ident,
    /// A string constant.
    Str,
    /// `B'…'` or `X'…'`.
    Bits,
    /// An integer that fits 32 bits.
    Int,
    /// Any other number.
    Number,
    /// `$n`.
    Param,
    /// An operator that is none of the following.
    Op,
    /// `::`
    Typecast,
    /// `..`
    DotDot,
    /// `:=`
    ColonEquals,
    /// `=>`
    EqualsGreater,
    /// `<=`
    LessEquals,
    /// `>=`
    GreaterEquals,
    /// `<>` or `!=`
    NotEquals,
    /// A character that stands for itself.
    Char(u8),
    /// A key word.
    Kw(Kw),
}

/// A token and where it is.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What it is.
    pub tok: Tok,
    /// Its first byte.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// By kind: the value of `Int` and `Param`; for `Ident` and the strings where the text is.
    val: u32,
}

/// The text is the source's, quotes aside.
const RAW: u32 = u32::MAX;
/// The text is the source's in lower case.
const FOLD: u32 = u32::MAX - 1;

/// PostgreSQL's limit on the length of names, with its terminator.
pub const NAME_BYTES_MAX: usize = 63;

/// The state of reading one source text.
pub struct Lexer<'a> {
    src: &'a str,
    bytes: &'a [u8],
    pos: usize,
    texts: Vec<Ident>,
    error: Option<SqlError>,
    /// Notices about truncated identifiers.
    pub notices: Vec<SqlError>,
}

const SPACE: u8 = 1;
const IDENT_START: u8 = 2;
const IDENT_CONT: u8 = 4;
const DIGIT: u8 = 8;
const OP: u8 = 16;
const UPPER: u8 = 32;

static CLASS: [u8; 256] = {
    let mut t = [0u8; 256];
    let mut i = 0;
    while i < 256 {
        let b = i as u8;
        let mut c = 0;
        if matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c) {
            c |= SPACE;
        }
        if b.is_ascii_alphabetic() || b == b'_' || b >= 0x80 {
            c |= IDENT_START | IDENT_CONT;
        }
        if b.is_ascii_uppercase() {
            c |= UPPER;
        }
        if b.is_ascii_digit() {
            c |= DIGIT | IDENT_CONT;
        }
        if b == b'$' {
            c |= IDENT_CONT;
        }
        if matches!(
            b,
            b'~' | b'!'
                | b'@'
                | b'#'
                | b'^'
                | b'&'
                | b'|'
                | b'`'
                | b'?'
                | b'+'
                | b'-'
                | b'*'
                | b'/'
                | b'%'
                | b'<'
                | b'>'
                | b'='
        ) {
            c |= OP;
        }
        t[i] = c;
        i += 1;
    }
    t
};

fn class(b: u8) -> u8 {
    CLASS[b as usize]
}

impl<'a> Lexer<'a> {
    /// A lexer at the start of `src`.
    pub fn new(src: &'a str) -> Lexer<'a> {
        Lexer { src, bytes: src.as_bytes(), pos: 0, texts: Vec::new(), error: None, notices: Vec::new() }
    }

    /// The source text.
    pub fn source(&self) -> &'a str {
        self.src
    }

    /// How far it has read.
    pub fn offset(&self) -> usize {
        self.pos
    }

    /// The error behind a [`Tok::Error`] token.
    pub fn error(&self) -> Option<&SqlError> {
        self.error.as_ref()
    }

    /// Forgets kept texts; tokens read before must not be asked for their text any more.
    pub fn forget(&mut self) {
        self.texts.clear();
    }

    #[inline]
    fn at(&self, i: usize) -> u8 {
        // NUL never starts or continues a token, so it serves as the end.
        self.bytes.get(i).copied().unwrap_or(0)
    }

    /// The source text of a token.
    pub fn source_text(&self, t: &Token) -> &'a str {
        self.src.get(t.start as usize..t.end as usize).unwrap_or("")
    }

    /// The value of an `Int` or the number of a `Param`.
    pub fn int(&self, t: &Token) -> i32 {
        t.val as i32
    }

    /// The text of an identifier (folded), a key word (in lower case), a string (unescaped), a number or an operator.
    pub fn text(&self, t: &Token) -> Ident {
        match t.tok {
            Tok::Kw(k) => Ident::const_new(k.word()),
            Tok::Ident => match t.val {
                RAW => Ident::new(self.source_text(t)),
                FOLD => {
                    let mut s = Ident::new(self.source_text(t));
                    s.make_ascii_lowercase();
                    s
                }
                i => self.kept(i),
            },
            Tok::Str | Tok::Bits => match t.val {
                RAW => Ident::new(self.src.get(t.start as usize + 1..t.end as usize - 1).unwrap_or("")),
                i => self.kept(i),
            },
            Tok::NotEquals => Ident::const_new("<>"),
            _ => Ident::new(self.source_text(t)),
        }
    }

    fn kept(&self, i: u32) -> Ident {
        self.texts.get(i as usize).cloned().unwrap_or_default()
    }

    fn keep(&mut self, text: Ident) -> u32 {
        self.texts.push(text);
        self.texts.len() as u32 - 1
    }

    fn token(&self, tok: Tok, start: usize, val: u32) -> Token {
        Token { tok, start: start as u32, end: self.pos as u32, val }
    }

    /// An error at byte `at`.
    pub fn error_at(&self, state: SqlState, message: impl Into<String>, at: usize) -> SqlError {
        SqlError::new(state, message).at(Pos(at as u32).char_position(self.src))
    }

    /// A syntax error that quotes the source from `start` to `end`.
    pub fn error_near(&self, message: &str, start: usize, end: usize) -> SqlError {
        if start >= self.bytes.len() {
            return self.error_at(SqlState::SYNTAX_ERROR, format!("{message} at end of input"), start);
        }
        let text = self.src.get(start..end).unwrap_or("");
        self.error_at(SqlState::SYNTAX_ERROR, format!("{message} at or near \"{text}\""), start)
    }

    fn fail(&mut self, error: SqlError, start: usize) -> Token {
        self.error = Some(error);
        // Stay at the error: every further token is the error again.
        self.pos = self.bytes.len();
        Token { tok: Tok::Error, start: start as u32, end: start as u32, val: 0 }
    }

    fn fail_near(&mut self, message: &str, start: usize, end: usize) -> Token {
        let e = self.error_near(message, start, end);
        self.fail(e, start)
    }

    /// Skips white space and comments; an unterminated comment is an error at its start.
    fn skip_space(&mut self) -> Result<(), usize> {
        loop {
            let b = self.at(self.pos);
            if class(b) & SPACE != 0 {
                self.pos += 1;
            } else if b == b'-' && self.at(self.pos + 1) == b'-' {
                let rest = &self.bytes[self.pos..];
                self.pos += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            } else if b == b'/' && self.at(self.pos + 1) == b'*' {
                let start = self.pos;
                self.pos += 2;
                let mut depth = 1u32;
                while depth > 0 {
                    let rest = &self.bytes[self.pos.min(self.bytes.len())..];
                    let Some(n) = memchr::memchr2(b'*', b'/', rest) else {
                        return Err(start);
                    };
                    self.pos += n;
                    match (rest[n], self.at(self.pos + 1)) {
                        (b'*', b'/') => {
                            depth -= 1;
                            self.pos += 2;
                        }
                        (b'/', b'*') => {
                            depth += 1;
                            self.pos += 2;
                        }
                        _ => self.pos += 1,
                    }
                }
            } else {
                return Ok(());
            }
        }
    }

    /// The next token; at the end [`Tok::Eof`] again and again.
    pub fn next_token(&mut self) -> Token {
        if let Some(e) = &self.error {
            let at = e.fields().position.unwrap_or(0);
            return Token { tok: Tok::Error, start: at, end: at, val: 0 };
        }
        if let Err(start) = self.skip_space() {
            return self.fail_near("unterminated /* comment", start, self.bytes.len());
        }
        let start = self.pos;
        if start >= self.bytes.len() {
            return self.token(Tok::Eof, start, 0);
        }
        let b = self.bytes[start];
        let c = class(b);
        if c & IDENT_START != 0 {
            let next = self.at(start + 1);
            if next == b'\'' || next == b'&' {
                match b {
                    b'b' | b'B' if next == b'\'' => return self.bit_string(start, b'b'),
                    b'x' | b'X' if next == b'\'' => return self.bit_string(start, b'x'),
                    b'e' | b'E' if next == b'\'' => return self.escape_string(start),
                    b'n' | b'N' if next == b'\'' => {
                        self.pos += 1;
                        return self.token(Tok::Kw(Kw::Nchar), start, 0);
                    }
                    b'u' | b'U' if next == b'&' => match self.at(start + 2) {
                        b'\'' => return self.unicode_string(start),
                        b'"' => return self.unicode_ident(start),
                        _ => {}
                    },
                    _ => {}
                }
            }
            return self.word(start);
        }
        if c & DIGIT != 0 {
            return self.number(start);
        }
        match b {
            b'\'' => self.string(start),
            b'"' => self.quoted_ident(start),
            b'$' => self.dollar(start),
            b'.' => match self.at(start + 1) {
                d if d.is_ascii_digit() => self.number(start),
                b'.' => {
                    self.pos += 2;
                    self.token(Tok::DotDot, start, 0)
                }
                _ => self.single(start, b),
            },
            b':' => match self.at(start + 1) {
                b':' => {
                    self.pos += 2;
                    self.token(Tok::Typecast, start, 0)
                }
                b'=' => {
                    self.pos += 2;
                    self.token(Tok::ColonEquals, start, 0)
                }
                _ => self.single(start, b),
            },
            _ if c & OP != 0 => self.operator(start),
            0 => {
                let e = SqlError::new(
                    SqlState::CHARACTER_NOT_IN_REPERTOIRE,
                    "invalid byte sequence for encoding \"UTF8\": 0x00",
                );
                self.fail(e, start)
            }
            _ => self.single(start, b),
        }
    }

    fn single(&mut self, start: usize, b: u8) -> Token {
        self.pos = start + 1;
        self.token(Tok::Char(b), start, 0)
    }

    fn word(&mut self, start: usize) -> Token {
        let mut upper = 0u8;
        let mut i = start;
        while let Some(&b) = self.bytes.get(i) {
            let c = class(b);
            if c & IDENT_CONT == 0 {
                break;
            }
            upper |= c & UPPER;
            i += 1;
        }
        self.pos = i;
        let len = i - start;
        let word = &self.bytes[start..i];
        if len <= LONGEST {
            let keyword = if upper == 0 {
                Kw::lookup(word)
            } else {
                let mut folded = [0u8; LONGEST];
                for (to, from) in folded.iter_mut().zip(word) {
                    *to = from.to_ascii_lowercase();
                }
                Kw::lookup(&folded[..len])
            };
            if let Some(k) = keyword {
                return self.token(Tok::Kw(k), start, 0);
            }
        }
        if len > NAME_BYTES_MAX {
            let text = self.src[start..i].to_ascii_lowercase();
            let kept = self.truncated(Ident::from(text));
            return self.token(Tok::Ident, start, kept);
        }
        self.token(Tok::Ident, start, if upper == 0 { RAW } else { FOLD })
    }

    /// Keeps an identifier, cut to the length names can have.
    fn truncated(&mut self, mut name: Ident) -> u32 {
        if name.len() > NAME_BYTES_MAX {
            let short = truncate_identifier(&name);
            let notice = format!("identifier \"{name}\" will be truncated to \"{short}\"");
            let len = short.len();
            self.notices.push(SqlError::new(SqlState::NAME_TOO_LONG, notice).severity(types::error::Severity::Notice));
            name.truncate(len);
        }
        self.keep(name)
    }

    fn operator(&mut self, start: usize) -> Token {
        let mut n = 0;
        let bytes = &self.bytes[start..];
        while let Some(&b) = bytes.get(n) {
            if class(b) & OP == 0 {
                break;
            }
            // A comment's start ends the operator.
            if n > 0
                && ((b == b'-' && bytes.get(n + 1) == Some(&b'-')) || (b == b'/' && bytes.get(n + 1) == Some(&b'*')))
            {
                break;
            }
            n += 1;
        }
        // A trailing sign belongs to what follows, unless the operator could not be standard SQL's anyway.
        if n > 1 && matches!(bytes[n - 1], b'+' | b'-') {
            let special = bytes[..n - 1]
                .iter()
                .any(|b| matches!(b, b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%'));
            if !special {
                while n > 1 && matches!(bytes[n - 1], b'+' | b'-') {
                    n -= 1;
                }
            }
        }
        self.pos = start + n;
        let tok = match &bytes[..n] {
            [b @ (b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'<' | b'>' | b'=')] => Tok::Char(*b),
            b"=>" => Tok::EqualsGreater,
            b">=" => Tok::GreaterEquals,
            b"<=" => Tok::LessEquals,
            b"<>" | b"!=" => Tok::NotEquals,
            _ if n > NAME_BYTES_MAX => {
                return self.fail_near("operator too long", start, start + n);
            }
            _ => Tok::Op,
        };
        self.token(tok, start, 0)
    }
}

/// `name` cut to the length names can have, at a character border.
pub fn truncate_identifier(name: &str) -> &str {
    if name.len() <= NAME_BYTES_MAX {
        return name;
    }
    let mut n = NAME_BYTES_MAX;
    while !name.is_char_boundary(n) {
        n -= 1;
    }
    &name[..n]
}
