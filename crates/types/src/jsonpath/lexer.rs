//! The words of a path.

use crate::{Result, SqlError, SqlState};

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// The end of the text.
    End,
    /// A name or keyword, unescaped.
    Word(String),
    /// A quoted string.
    String(String),
    /// `$name`.
    Variable(String),
    /// A whole number: in decimal digits.
    Integer(String),
    /// Another number.
    Number(String),
    /// `&&`, `==`, `(`, ...
    Sign(&'static str),
}

/// Signs, longer ones before what they begin with.
const SIGNS: [&str; 28] = [
    "&&", "||", "**", "==", "<>", "!=", "<=", ">=", "<", ">", "!", "$", "@", "?", "%", ".", "[", "]", "{", "}", "(",
    ")", "|", "&", "=", "#", ",", "*",
];
const MORE_SIGNS: [&str; 4] = [":", "-", "+", "/"];

/// Reads words.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// What the present word was, as written.
    pub(super) seen: &'a str,
}

fn is_blank(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

/// Whether it may be in a name.
fn is_other(c: u8) -> bool {
    !is_blank(c) && !b"?%$.[]{}()|&!=<>@#,*:-+/\\\"".contains(&c)
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Lexer<'a> {
        Lexer { text, at: 0, seen: "" }
    }

    /// An error at the present word.
    pub(super) fn error(&self, message: &str) -> SqlError {
        let place = if self.seen.is_empty() { "end".to_owned() } else { format!("or near \"{}\"", self.seen) };
        SqlError::new(SqlState::SYNTAX_ERROR, format!("{message} at {place} of jsonpath input"))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Result<Token> {
        loop {
            while self.peek().is_some_and(is_blank) {
                self.at += 1;
            }
            let from = self.at;
            let rest = &self.text[from..];
            let Some(c) = self.peek() else {
                self.seen = "";
                return Ok(Token::End);
            };
            if rest.starts_with("/*") {
                self.comment()?;
                continue;
            }
            let token = match c {
                b'"' => {
                    self.at += 1;
                    Token::String(self.quoted()?)
                }
                b'$' => match rest.as_bytes().get(1) {
                    Some(b'"') => {
                        self.at += 2;
                        Token::Variable(self.quoted()?)
                    }
                    Some(&c) if is_other(c) => {
                        self.at += 1;
                        let name = self.run(is_other).to_owned();
                        Token::Variable(name)
                    }
                    _ => {
                        self.at += 1;
                        Token::Sign("$")
                    }
                },
                b'0'..=b'9' => match self.number()? {
                    word @ Token::Word(_) => return Ok(word),
                    number => number,
                },
                b'.' if rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) => self.number()?,
                c if is_other(c) || c == b'\\' => return self.word(),
                _ => {
                    let sign = SIGNS.iter().chain(&MORE_SIGNS).find(|s| rest.starts_with(**s));
                    let sign = sign.ok_or_else(|| SqlError::internal("every special character is a sign"))?;
                    self.at += sign.len();
                    match *sign {
                        "<>" => Token::Sign("!="),
                        sign => Token::Sign(sign),
                    }
                }
            };
            self.seen = &self.text[from..self.at];
            return Ok(token);
        }
    }

    fn run(&mut self, wanted: fn(u8) -> bool) -> &'a str {
        let from = self.at;
        while self.peek().is_some_and(wanted) {
            self.at += 1;
        }
        &self.text[from..self.at]
    }

    fn comment(&mut self) -> Result<()> {
        match self.text[self.at..].find("*/") {
            Some(end) => {
                self.at += end + 2;
                Ok(())
            }
            None => {
                self.seen = "";
                Err(self.error("unexpected end of comment"))
            }
        }
    }

    fn word(&mut self) -> Result<Token> {
        let mut out = String::new();
        let mut part = self.at;
        while let Some(c) = self.peek() {
            part = self.at;
            match c {
                b'\\' => self.escape(&mut out)?,
                c if is_other(c) => out.push_str(self.run(is_other)),
                _ => break,
            }
        }
        // What ends it has been looked at: a blank or comment is taken, of a special character nothing is.
        self.seen = match self.peek() {
            None => "",
            Some(_) if self.text[self.at..].starts_with("/*") => "/*",
            Some(c) if is_blank(c) => &self.text[self.at..=self.at],
            Some(_) => &self.text[part..part],
        };
        Ok(Token::Word(out))
    }

    /// The rest of a quoted string, whose quote was read.
    fn quoted(&mut self) -> Result<String> {
        let mut out = String::new();
        loop {
            match self.peek() {
                None => {
                    self.seen = "";
                    return Err(self.error("unterminated quoted string"));
                }
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => self.escape(&mut out)?,
                Some(_) => {
                    let rest = &self.text[self.at..];
                    let end = rest.find(['"', '\\']).unwrap_or(rest.len());
                    out.push_str(&rest[..end]);
                    self.at += end;
                }
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self, out: &mut String) -> Result<()> {
        let from = self.at;
        let rest = &self.text[from + 1..];
        let Some(c) = rest.chars().next() else {
            self.at = self.text.len();
            self.seen = &self.text[from..];
            return Err(self.error("unexpected end after backslash"));
        };
        self.at += 1 + c.len_utf8();
        match c {
            'b' => out.push('\x08'),
            'f' => out.push('\x0c'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\x0b'),
            'x' => {
                let code = rest.get(1..3).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                let Some(code) = code.and_then(|d| u32::from_str_radix(d, 16).ok()) else {
                    let more = rest[1..].bytes().take_while(u8::is_ascii_hexdigit).take(1).count();
                    self.seen = &self.text[from..self.at + more];
                    return Err(self.error("invalid hexadecimal character sequence"));
                };
                self.at += 2;
                self.push(code, out)?;
            }
            'u' => self.unicode(from, out)?,
            c => out.push(c),
        }
        Ok(())
    }

    /// The code of `\u0041` or `\u{41}` at `from`, and where it ends.
    fn code(&mut self, from: usize) -> Result<(u32, usize)> {
        let rest = &self.text[from + 2..];
        let fail = |lexer: &mut Self, taken: usize| {
            lexer.seen = &lexer.text[from..from + 2 + taken];
            Err(lexer.error("invalid Unicode escape sequence"))
        };
        let digits = |s: &str, most: usize| s.bytes().take(most).take_while(u8::is_ascii_hexdigit).count();
        if let Some(inner) = rest.strip_prefix('{') {
            let n = digits(inner, 6);
            if n == 0 || inner.as_bytes().get(n) != Some(&b'}') {
                return fail(self, 1 + n);
            }
            return Ok((u32::from_str_radix(&inner[..n], 16).unwrap_or(0), from + 4 + n));
        }
        let n = digits(rest, 4);
        if n < 4 {
            return fail(self, n);
        }
        Ok((u32::from_str_radix(&rest[..4], 16).unwrap_or(0), from + 6))
    }

    /// `\u` escapes from `from` on, as many as there are.
    fn unicode(&mut self, from: usize, out: &mut String) -> Result<()> {
        let (mut at, mut high) = (from, None);
        let surrogate = |what: &str| {
            let must = if what == "low" { "must" } else { "must not" };
            SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type jsonpath")
                .detail(format!("Unicode {what} surrogate {must} follow a high surrogate."))
        };
        while self.text[at..].starts_with("\\u") {
            let (code, end) = self.code(at)?;
            at = end;
            self.at = end;
            match (code, high.take()) {
                (0xd800..=0xdbff, Some(_)) => return Err(surrogate("high")),
                (0xd800..=0xdbff, None) => high = Some(code),
                (0xdc00..=0xdfff, Some(h)) => {
                    self.push(0x10000 + ((h & 0x3ff) << 10) + (code & 0x3ff), out)?;
                }
                (0xdc00..=0xdfff, None) | (_, Some(_)) => return Err(surrogate("low")),
                (code, None) => self.push(code, out)?,
            }
        }
        if high.is_some() { Err(surrogate("low")) } else { Ok(()) }
    }

    fn push(&self, code: u32, out: &mut String) -> Result<()> {
        if code == 0 {
            return Err(SqlError::new(SqlState::UNTRANSLATABLE_CHARACTER, "unsupported Unicode escape sequence")
                .detail("\\u0000 cannot be converted to text."));
        }
        match char::from_u32(code) {
            Some(c) => {
                out.push(c);
                Ok(())
            }
            None => Err(SqlError::new(SqlState::SYNTAX_ERROR, "invalid Unicode code point")),
        }
    }

    /// Digits with single underscores between them.
    fn digits(&mut self) -> usize {
        let from = self.at;
        while let Some(c) = self.peek() {
            let next = self.text.as_bytes().get(self.at + 1);
            if c.is_ascii_digit() {
                self.at += 1;
            } else if c == b'_' && self.at > from && next.is_some_and(u8::is_ascii_digit) {
                self.at += 2;
            } else {
                break;
            }
        }
        self.at - from
    }

    fn number(&mut self) -> Result<Token> {
        let from = self.at;
        let rest = &self.text[from..];
        // A name may begin with digits: the longest word counts, and of equally long ones the number.
        let name = rest.bytes().take_while(|c| is_other(*c)).count();
        if let Some((digits, radix)) = marked(&rest[..name]) {
            let value = num_bigint::BigUint::from_radix_be(&digits, radix).unwrap_or_default();
            self.at += name;
            return Ok(Token::Integer(value.to_string()));
        }
        let mut whole = true;
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.digits();
        }
        let mantissa = self.at;
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            let signed = matches!(self.peek(), Some(b'+' | b'-'));
            self.at += usize::from(signed);
            if self.digits() > 0 {
                whole = false;
            } else if signed {
                self.seen = &self.text[from..self.at];
                return Err(self.error("invalid numeric literal"));
            } else {
                self.at = mantissa;
            }
        }
        if self.peek().is_some_and(is_other) {
            let more = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
            if from + name > self.at + more {
                self.at = from;
                return self.word();
            }
            self.seen = &self.text[from..self.at + more];
            return Err(self.error("trailing junk after numeric literal"));
        }
        let text: String = self.text[from..self.at].chars().filter(|c| *c != '_').collect();
        Ok(if whole { Token::Integer(text) } else { Token::Number(text) })
    }
}

/// The digits of `0x1f`, `0o17`, `0b11`, and their radix.
fn marked(text: &str) -> Option<(Vec<u8>, u32)> {
    let (mark, body) = text.split_at_checked(2)?;
    let radix = match mark {
        "0x" | "0X" => 16,
        "0o" | "0O" => 8,
        "0b" | "0B" => 2,
        _ => return None,
    };
    if body.is_empty() || body.ends_with('_') || body.contains("__") {
        return None;
    }
    let digits = body.chars().filter(|c| *c != '_').map(|c| c.to_digit(radix).map(|d| d as u8));
    Some((digits.collect::<Option<Vec<u8>>>()?, radix))
}
