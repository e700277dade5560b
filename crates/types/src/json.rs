//! Reads JSON text, with PostgreSQL's errors. The parser keeps its own stack, so that depth costs no Rust stack.

use crate::{Result, SqlError, SqlState};

/// What a parser tells as it goes.
pub trait JsonSink {
    /// A `{` begins.
    fn object_start(&mut self) -> Result<()>;
    /// A key, unescaped.
    fn key(&mut self, key: String) -> Result<()>;
    /// A `}` ends.
    fn object_end(&mut self) -> Result<()>;
    /// A `[` begins.
    fn array_start(&mut self) -> Result<()>;
    /// A `]` ends.
    fn array_end(&mut self) -> Result<()>;
    /// A string, unescaped.
    fn string(&mut self, value: String) -> Result<()>;
    /// A number's text.
    fn number(&mut self, text: &str) -> Result<()>;
    /// `true` or `false`.
    fn boolean(&mut self, value: bool) -> Result<()>;
    /// `null`.
    fn null(&mut self) -> Result<()>;
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    String,
    Number,
    True,
    False,
    Null,
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Comma,
    Colon,
    End,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrArrayEnd,
    KeyOrObjectEnd,
    Key,
    Colon,
    CommaOrObjectEnd,
    CommaOrArrayEnd,
    End,
}

struct Lexer<'a> {
    text: &'a str,
    /// Where the current token starts and ends.
    start: usize,
    end: usize,
    /// Whether escapes are decoded, as `jsonb` needs, or only checked.
    decode: bool,
    string: String,
}

fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_' || c >= 0x80
}

impl<'a> Lexer<'a> {
    fn error(&self, detail: String, ended: bool) -> SqlError {
        SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json")
            .detail(detail)
            .context(self.context(ended))
    }

    /// The line the error is in, up to the token it is at.
    fn context(&self, ended: bool) -> String {
        let end = self.end.min(self.text.len());
        let before = &self.text[..end];
        let line_start = before.rfind('\n').map_or(0, |p| p + 1);
        let line = before.matches('\n').count() + 1;
        let mut start = line_start;
        while end - start >= 50 {
            start += self.text[start..].chars().next().map_or(1, char::len_utf8);
        }
        if start - line_start <= 3 {
            start = line_start;
        }
        let prefix = if start > line_start { "..." } else { "" };
        let rest = &self.text[end..];
        let suffix = if !ended && !rest.is_empty() && !rest.starts_with(['\n', '\r']) { "..." } else { "" };
        format!("JSON data, line {line}: {prefix}{}{suffix}", &self.text[start..end])
    }

    fn invalid_token(&self) -> SqlError {
        self.error(format!("Token \"{}\" is invalid.", &self.text[self.start..self.end]), false)
    }

    fn next(&mut self) -> Result<Kind> {
        let b = self.text.as_bytes();
        let mut i = self.end;
        while matches!(b.get(i), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            i += 1;
        }
        self.start = i;
        self.end = i + 1;
        let Some(&c) = b.get(i) else {
            self.end = i;
            return Ok(Kind::End);
        };
        Ok(match c {
            b'{' => Kind::ObjectStart,
            b'}' => Kind::ObjectEnd,
            b'[' => Kind::ArrayStart,
            b']' => Kind::ArrayEnd,
            b',' => Kind::Comma,
            b':' => Kind::Colon,
            b'"' => {
                self.lex_string()?;
                Kind::String
            }
            b'-' | b'0'..=b'9' => {
                self.lex_number()?;
                Kind::Number
            }
            c if is_word(c) => {
                while b.get(self.end).is_some_and(|c| is_word(*c)) {
                    self.end += 1;
                }
                match &self.text[self.start..self.end] {
                    "true" => Kind::True,
                    "false" => Kind::False,
                    "null" => Kind::Null,
                    _ => return Err(self.invalid_token()),
                }
            }
            _ => return Err(self.invalid_token()),
        })
    }

    fn lex_number(&mut self) -> Result<()> {
        let b = self.text.as_bytes();
        let mut i = self.start;
        let digits = |i: &mut usize| {
            let from = *i;
            while b.get(*i).is_some_and(u8::is_ascii_digit) {
                *i += 1;
            }
            *i > from
        };
        if b.get(i) == Some(&b'-') {
            i += 1;
        }
        let mut good = true;
        if b.get(i) == Some(&b'0') {
            i += 1;
        } else {
            good = digits(&mut i);
        }
        if good && b.get(i) == Some(&b'.') {
            i += 1;
            good = digits(&mut i);
        }
        if good && matches!(b.get(i), Some(b'e' | b'E')) {
            i += 1;
            if matches!(b.get(i), Some(b'+' | b'-')) {
                i += 1;
            }
            good = digits(&mut i);
        }
        // Whatever sticks to the number belongs to the token.
        while b.get(i).is_some_and(|c| is_word(*c)) {
            i += 1;
            good = false;
        }
        self.end = i;
        if good { Ok(()) } else { Err(self.invalid_token()) }
    }

    fn lex_string(&mut self) -> Result<()> {
        let b = self.text.as_bytes();
        self.string.clear();
        let mut i = self.start + 1;
        let mut high: Option<u32> = None;
        let mut run = i;
        loop {
            let Some(&c) = b.get(i) else {
                self.end = b.len();
                return Err(self.invalid_token());
            };
            match c {
                b'"' | b'\\' if self.decode => self.string.push_str(&self.text[run..i]),
                _ => {}
            }
            if c != b'\\' && high.is_some() {
                self.end = i + 1;
                return Err(self.surrogate("low surrogate must follow a high"));
            }
            match c {
                b'"' => {
                    self.end = i + 1;
                    return Ok(());
                }
                0..=0x1f => {
                    self.end = i;
                    return Err(self.error(format!("Character with value 0x{c:02x} must be escaped."), false));
                }
                b'\\' => {
                    let Some(&e) = b.get(i + 1) else {
                        self.end = b.len();
                        return Err(self.invalid_token());
                    };
                    if e == b'u' {
                        i = self.unicode(i + 2, &mut high)?;
                    } else {
                        let plain = match e {
                            b'"' | b'\\' | b'/' => e as char,
                            b'b' => '\x08',
                            b'f' => '\x0c',
                            b'n' => '\n',
                            b'r' => '\r',
                            b't' => '\t',
                            _ => {
                                let c = self.text[i + 1..].chars().next().unwrap_or(' ');
                                self.end = i + 1 + c.len_utf8();
                                return Err(self.error(format!("Escape sequence \"\\{c}\" is invalid."), false));
                            }
                        };
                        if high.is_some() {
                            self.end = i + 2;
                            return Err(self.surrogate("low surrogate must follow a high"));
                        }
                        self.string.push(plain);
                        i += 2;
                    }
                    run = i;
                }
                _ => i += 1,
            }
        }
    }

    fn surrogate(&self, what: &str) -> SqlError {
        self.error(format!("Unicode {what} surrogate."), false)
    }

    /// The four digits of a `\u` escape, at `at`; returns where they end.
    fn unicode(&mut self, at: usize, high: &mut Option<u32>) -> Result<usize> {
        let b = self.text.as_bytes();
        let mut value = 0;
        for k in 0..4 {
            let digit = b.get(at + k).and_then(|c| char::from(*c).to_digit(16));
            let Some(d) = digit else {
                if at + k >= b.len() {
                    self.end = b.len();
                    return Err(self.invalid_token());
                }
                self.end = at + k + self.text[at + k..].chars().next().map_or(1, char::len_utf8);
                return Err(self.error("\"\\u\" must be followed by four hexadecimal digits.".into(), false));
            };
            value = value * 16 + d;
        }
        let end = at + 4;
        if !self.decode {
            return Ok(end);
        }
        self.end = end;
        let code = match (value, high.take()) {
            (0, _) => {
                return Err(SqlError::new(SqlState::UNTRANSLATABLE_CHARACTER, "unsupported Unicode escape sequence")
                    .detail("\\u0000 cannot be converted to text.")
                    .context(self.context(false)));
            }
            (0xd800..=0xdbff, Some(_)) => return Err(self.surrogate("high surrogate must not follow a high")),
            (0xd800..=0xdbff, None) => {
                *high = Some(value);
                return Ok(end);
            }
            (0xdc00..=0xdfff, Some(h)) => 0x10000 + ((h & 0x3ff) << 10) + (value & 0x3ff),
            (0xdc00..=0xdfff, None) | (_, Some(_)) => return Err(self.surrogate("low surrogate must follow a high")),
            (v, None) => v,
        };
        self.string.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        Ok(end)
    }
}

/// Reads `text`, telling `sink` when there is one; without, escapes are checked but not decoded, as `json` does.
pub fn parse(text: &str, mut sink: Option<&mut dyn JsonSink>) -> Result<()> {
    let mut lexer = Lexer { text, start: 0, end: 0, decode: sink.is_some(), string: String::new() };
    // True for each open object, false for each open array.
    let mut open: Vec<bool> = Vec::new();
    let mut expect = Expect::Value;
    loop {
        let kind = lexer.next()?;
        let after_value = |open: &[bool]| match open.last() {
            None => Expect::End,
            Some(true) => Expect::CommaOrObjectEnd,
            Some(false) => Expect::CommaOrArrayEnd,
        };
        expect = match (expect, kind) {
            (Expect::Value | Expect::ValueOrArrayEnd, Kind::ObjectStart) => {
                open.push(true);
                tell(&mut sink, |s| s.object_start())?;
                Expect::KeyOrObjectEnd
            }
            (Expect::Value | Expect::ValueOrArrayEnd, Kind::ArrayStart) => {
                open.push(false);
                tell(&mut sink, |s| s.array_start())?;
                Expect::ValueOrArrayEnd
            }
            (Expect::Value | Expect::ValueOrArrayEnd, Kind::String) => {
                let s = std::mem::take(&mut lexer.string);
                tell(&mut sink, |sink| sink.string(s))?;
                after_value(&open)
            }
            (Expect::Value | Expect::ValueOrArrayEnd, Kind::Number) => {
                tell(&mut sink, |s| s.number(&text[lexer.start..lexer.end]))?;
                after_value(&open)
            }
            (Expect::Value | Expect::ValueOrArrayEnd, Kind::True | Kind::False) => {
                tell(&mut sink, |s| s.boolean(kind == Kind::True))?;
                after_value(&open)
            }
            (Expect::Value | Expect::ValueOrArrayEnd, Kind::Null) => {
                tell(&mut sink, |s| s.null())?;
                after_value(&open)
            }
            (Expect::ValueOrArrayEnd | Expect::CommaOrArrayEnd, Kind::ArrayEnd) => {
                open.pop();
                tell(&mut sink, |s| s.array_end())?;
                after_value(&open)
            }
            (Expect::KeyOrObjectEnd | Expect::CommaOrObjectEnd, Kind::ObjectEnd) => {
                open.pop();
                tell(&mut sink, |s| s.object_end())?;
                after_value(&open)
            }
            (Expect::KeyOrObjectEnd | Expect::Key, Kind::String) => {
                let s = std::mem::take(&mut lexer.string);
                tell(&mut sink, |sink| sink.key(s))?;
                Expect::Colon
            }
            (Expect::Colon, Kind::Colon) => Expect::Value,
            (Expect::CommaOrObjectEnd, Kind::Comma) => Expect::Key,
            (Expect::CommaOrArrayEnd, Kind::Comma) => Expect::Value,
            (Expect::End, Kind::End) => return Ok(()),
            (_, Kind::End) => return Err(lexer.error("The input string ended unexpectedly.".into(), true)),
            (expect, _) => {
                let wanted = match expect {
                    Expect::Value | Expect::ValueOrArrayEnd => "JSON value",
                    Expect::KeyOrObjectEnd => "string or \"}\"",
                    Expect::Key => "string",
                    Expect::Colon => "\":\"",
                    Expect::CommaOrObjectEnd => "\",\" or \"}\"",
                    Expect::CommaOrArrayEnd => "\",\" or \"]\"",
                    Expect::End => "end of input",
                };
                let found = &text[lexer.start..lexer.end];
                return Err(lexer.error(format!("Expected {wanted}, but found \"{found}\"."), false));
            }
        };
    }
}

fn tell(sink: &mut Option<&mut dyn JsonSink>, f: impl FnOnce(&mut dyn JsonSink) -> Result<()>) -> Result<()> {
    match sink {
        Some(s) => f(*s),
        None => Ok(()),
    }
}

/// Appends `s` as a JSON string.
pub fn put_string(s: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &c in s.as_bytes() {
        match c {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0..=0x1f => out.extend_from_slice(format!("\\u{c:04x}").as_bytes()),
            _ => out.push(c),
        }
    }
    out.push(b'"');
}
