//! String constants and quoted identifiers, in all their forms.

use super::{IDENT_CONT, IDENT_START, Lexer, NAME_BYTES_MAX, RAW, SPACE, Tok, Token, class};
use crate::ast::Ident;
use crate::keyword::Kw;
use types::{SqlError, SqlState};

impl Lexer<'_> {
    /// The start of the text of a string that continues the one whose closing quote is before `i`:
    /// white space with a newline, then a quote.
    fn continuation(&self, mut i: usize) -> Option<usize> {
        let mut newline = false;
        loop {
            let b = self.at(i);
            if class(b) & SPACE != 0 {
                newline |= matches!(b, b'\n' | b'\r');
                i += 1;
            } else if b == b'-' && self.at(i + 1) == b'-' {
                let rest = &self.bytes[i..];
                i += memchr::memchr2(b'\n', b'\r', rest)?;
            } else {
                return (newline && b == b'\'').then_some(i + 1);
            }
        }
    }

    /// `'…'`
    pub(super) fn string(&mut self, start: usize) -> Token {
        match self.plain_string(start, start + 1, true, "unterminated quoted string") {
            Ok((None, _)) => self.token(Tok::Str, start, RAW),
            Ok((Some(text), _)) => {
                let kept = self.keep(Ident::from(text));
                self.token(Tok::Str, start, kept)
            }
            Err(t) => t,
        }
    }

    /// Reads a string without escapes whose text starts at `from`, in which a `doubled` quote may stand for itself; no text is returned when the
    /// source's will do.
    fn plain_string(
        &mut self,
        start: usize,
        from: usize,
        doubled: bool,
        message: &str,
    ) -> Result<(Option<String>, usize), Token> {
        let mut text: Option<String> = None;
        let mut from = from;
        loop {
            let Some(n) = memchr::memchr(b'\'', &self.bytes[from.min(self.bytes.len())..]) else {
                return Err(self.fail_near(message, start, self.bytes.len()));
            };
            let end = from + n;
            if doubled && self.at(end + 1) == b'\'' {
                text.get_or_insert_default().push_str(&self.src[from..=end]);
                from = end + 2;
            } else if let Some(next) = self.continuation(end + 1) {
                text.get_or_insert_default().push_str(&self.src[from..end]);
                from = next;
            } else {
                if let Some(text) = &mut text {
                    text.push_str(&self.src[from..end]);
                }
                self.pos = end + 1;
                return Ok((text, from));
            }
        }
    }

    /// `B'…'`, `X'…'`: the text is the letter and what was quoted.
    pub(super) fn bit_string(&mut self, start: usize, letter: u8) -> Token {
        let message =
            if letter == b'b' { "unterminated bit string literal" } else { "unterminated hexadecimal string literal" };
        match self.plain_string(start, start + 2, false, message) {
            Ok((text, from)) => {
                let mut kept = Ident::const_new(if letter == b'b' { "b" } else { "x" });
                match text {
                    Some(text) => kept.push_str(&text),
                    None => kept.push_str(&self.src[from..self.pos - 1]),
                }
                let kept = self.keep(kept);
                self.token(Tok::Bits, start, kept)
            }
            Err(t) => t,
        }
    }

    /// `$tag$…$tag$`
    pub(super) fn dollar_string(&mut self, start: usize) -> Token {
        let mut i = start + 1;
        if class(self.at(i)) & IDENT_START != 0 {
            // A tag holds no dollar sign.
            while class(self.at(i)) & IDENT_CONT != 0 && self.at(i) != b'$' {
                i += 1;
            }
        }
        if self.at(i) != b'$' {
            return self.single(start, b'$');
        }
        let delimiter = &self.bytes[start..=i];
        let from = i + 1;
        let Some(n) = memchr::memmem::find(&self.bytes[from..], delimiter) else {
            return self.fail_near("unterminated dollar-quoted string", start, self.bytes.len());
        };
        self.pos = from + n + delimiter.len();
        let kept = Ident::new(&self.src[from..from + n]);
        let kept = self.keep(kept);
        self.token(Tok::Str, start, kept)
    }

    /// `E'…'`
    pub(super) fn escape_string(&mut self, start: usize) -> Token {
        let mut text: Vec<u8> = Vec::new();
        let mut verify = false;
        let mut high: Option<u32> = None;
        let mut i = start + 2;
        loop {
            let Some(&b) = self.bytes.get(i) else {
                return self.fail_near("unterminated quoted string", start, self.bytes.len());
            };
            if high.is_some() && !(b == b'\\' && matches!(self.at(i + 1), b'u' | b'U')) {
                let end = i + self.src[i..].chars().next().map_or(0, char::len_utf8);
                return self.fail_near("invalid Unicode surrogate pair", i, end);
            }
            match b {
                b'\'' => {
                    if self.at(i + 1) == b'\'' {
                        text.push(b'\'');
                        i += 2;
                    } else if let Some(next) = self.continuation(i + 1) {
                        i = next;
                    } else {
                        self.pos = i + 1;
                        break;
                    }
                }
                b'\\' => {
                    let e = self.at(i + 1);
                    if i + 1 >= self.bytes.len() {
                        return self.fail_near("unterminated quoted string", start, self.bytes.len());
                    }
                    match e {
                        b'0'..=b'7' => {
                            let mut n = i + 1;
                            let mut value = 0u32;
                            while n < i + 4 && matches!(self.at(n), b'0'..=b'7') {
                                value = value * 8 + u32::from(self.at(n) - b'0');
                                n += 1;
                            }
                            let byte = value as u8;
                            verify |= byte == 0 || byte >= 0x80;
                            text.push(byte);
                            i = n;
                        }
                        b'x' if self.at(i + 2).is_ascii_hexdigit() => {
                            let mut n = i + 2;
                            let mut value = 0u32;
                            while n < i + 4 && self.at(n).is_ascii_hexdigit() {
                                value = value * 16 + hex(self.at(n));
                                n += 1;
                            }
                            let byte = value as u8;
                            verify |= byte == 0 || byte >= 0x80;
                            text.push(byte);
                            i = n;
                        }
                        b'u' | b'U' => {
                            let want = if e == b'u' { 4 } else { 8 };
                            let mut value = 0u32;
                            let mut n = 0;
                            while n < want && self.at(i + 2 + n).is_ascii_hexdigit() {
                                value = (value << 4) | hex(self.at(i + 2 + n));
                                n += 1;
                            }
                            if n < want {
                                let e = self
                                    .error_at(SqlState::INVALID_ESCAPE_SEQUENCE, "invalid Unicode escape", i)
                                    .hint("Unicode escapes must be \\uXXXX or \\UXXXXXXXX.");
                                return self.fail(e, start);
                            }
                            let end = i + 2 + want;
                            match (high.take(), value) {
                                (Some(h), 0xDC00..=0xDFFF) => {
                                    let c = 0x10000 + ((h - 0xD800) << 10) + (value - 0xDC00);
                                    push_char(&mut text, c);
                                }
                                (Some(_), _) | (None, 0xDC00..=0xDFFF) => {
                                    return self.fail_near("invalid Unicode surrogate pair", i, end);
                                }
                                (None, 0xD800..=0xDBFF) => high = Some(value),
                                (None, 0) | (None, 0x11_0000..) => {
                                    return self.fail_near("invalid Unicode escape value", i, end);
                                }
                                (None, c) => push_char(&mut text, c),
                            }
                            i = end;
                        }
                        _ => {
                            let plain = match e {
                                b'b' => 8,
                                b'f' => 12,
                                b'n' => b'\n',
                                b'r' => b'\r',
                                b't' => b'\t',
                                b'v' => 11,
                                e => e,
                            };
                            text.push(plain);
                            i += 2;
                        }
                    }
                }
                _ => {
                    let rest = &self.bytes[i..];
                    let n = memchr::memchr2(b'\'', b'\\', rest).unwrap_or(rest.len());
                    text.extend_from_slice(&rest[..n]);
                    i += n;
                }
            }
        }
        let bad = if verify { memchr::memchr(0, &text) } else { None };
        match String::from_utf8(text) {
            Ok(text) if bad.is_none() => {
                let kept = self.keep(Ident::from(text));
                self.token(Tok::Str, start, kept)
            }
            Ok(text) => {
                let e = invalid_bytes(&text.as_bytes()[bad.unwrap_or(0)..]);
                self.fail(e, start)
            }
            Err(e) => {
                let at = bad.unwrap_or(usize::MAX).min(e.utf8_error().valid_up_to());
                let error = invalid_bytes(&e.as_bytes()[at..]);
                self.fail(error, start)
            }
        }
    }

    /// `"…"`
    pub(super) fn quoted_ident(&mut self, start: usize) -> Token {
        match self.quoted_text(start, start + 1) {
            Ok(text) if text.is_empty() => self.fail_near("zero-length delimited identifier", start, self.pos),
            Ok(text) => {
                let kept = if text.len() > NAME_BYTES_MAX { self.truncated(text) } else { self.keep(text) };
                self.token(Tok::Ident, start, kept)
            }
            Err(t) => t,
        }
    }

    fn quoted_text(&mut self, start: usize, from: usize) -> Result<Ident, Token> {
        let mut text = Ident::default();
        let mut from = from;
        loop {
            let Some(n) = memchr::memchr(b'"', &self.bytes[from.min(self.bytes.len())..]) else {
                return Err(self.fail_near("unterminated quoted identifier", start, self.bytes.len()));
            };
            let end = from + n;
            if self.at(end + 1) == b'"' {
                text.push_str(&self.src[from..=end]);
                from = end + 2;
            } else {
                text.push_str(&self.src[from..end]);
                self.pos = end + 1;
                return Ok(text);
            }
        }
    }

    /// `U&'…'`
    pub(super) fn unicode_string(&mut self, start: usize) -> Token {
        match self.plain_string(start, start + 3, true, "unterminated quoted string") {
            Ok((text, from)) => {
                let end = self.pos;
                let text = text.unwrap_or_else(|| self.src[from..end - 1].to_owned());
                self.unescape_unicode(start, end, &text, Tok::Str)
            }
            Err(t) => t,
        }
    }

    /// `U&"…"`
    pub(super) fn unicode_ident(&mut self, start: usize) -> Token {
        match self.quoted_text(start, start + 3) {
            Ok(text) if text.is_empty() => self.fail_near("zero-length delimited identifier", start, self.pos),
            Ok(text) => self.unescape_unicode(start, self.pos, &text, Tok::Ident),
            Err(t) => t,
        }
    }

    /// Resolves the escapes of a `U&` token, with the escape character a UESCAPE after it may set.
    fn unescape_unicode(&mut self, start: usize, end: usize, text: &str, tok: Tok) -> Token {
        let mut escape = b'\\';
        let mut token_end = end;
        let next = self.next_token();
        match next.tok {
            Tok::Kw(Kw::Uescape) => {
                let which = self.next_token();
                if which.tok == Tok::Error {
                    return which;
                }
                if which.tok != Tok::Str {
                    let (s, e) = (which.start as usize, which.end as usize);
                    return self.fail_near("UESCAPE must be followed by a simple string literal", s, e);
                }
                let character = self.text(&which);
                match character.as_bytes() {
                    [b] if !b.is_ascii_hexdigit() && !matches!(b, b'+' | b'\'' | b'"') && class(*b) & SPACE == 0 => {
                        escape = *b;
                    }
                    _ => {
                        let (s, e) = (which.start as usize, which.end as usize);
                        return self.fail_near("invalid Unicode escape character", s, e);
                    }
                }
                token_end = which.end as usize;
            }
            Tok::Error => return next,
            _ => {}
        }
        self.pos = token_end;
        match unescape(text, escape) {
            Ok(out) => {
                let out = Ident::from(out);
                let kept = if tok == Tok::Ident { self.truncated(out) } else { self.keep(out) };
                // The token's text is the U& string alone, as errors quote it.
                Token { tok, start: start as u32, end: end as u32, val: kept }
            }
            Err((at, message, hinted)) => {
                let at = start + 3 + at;
                let e = if hinted {
                    self.error_at(SqlState::SYNTAX_ERROR, message, at)
                        .hint("Unicode escapes must be \\XXXX or \\+XXXXXX.")
                } else {
                    self.error_at(SqlState::SYNTAX_ERROR, message, at)
                };
                self.fail(e, start)
            }
        }
    }
}

fn hex(b: u8) -> u32 {
    (b as char).to_digit(16).unwrap_or(0)
}

fn push_char(text: &mut Vec<u8>, c: u32) {
    let c = char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER);
    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// PostgreSQL's error about bytes that are no UTF-8; shows as many bytes as their first one announces.
fn invalid_bytes(bytes: &[u8]) -> SqlError {
    let announced = match bytes.first() {
        Some(0xC0..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..=0xF7) => 4,
        _ => 1,
    };
    let shown: Vec<String> = bytes.iter().take(announced).map(|b| format!("0x{b:02x}")).collect();
    let message = format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "));
    SqlError::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message)
}

/// Where in the text, what, and whether the hint applies.
type UnescapeError = (usize, &'static str, bool);

fn unescape(text: &str, escape: u8) -> Result<String, UnescapeError> {
    let bytes = text.as_bytes();
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut high: Option<u32> = None;
    let mut i = 0;
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    while i < bytes.len() {
        if bytes[i] != escape {
            if high.is_some() {
                return Err((i, "invalid Unicode surrogate pair", false));
            }
            out.push(bytes[i]);
            i += 1;
            continue;
        }
        if at(i + 1) == escape {
            if high.is_some() {
                return Err((i, "invalid Unicode surrogate pair", false));
            }
            out.push(escape);
            i += 2;
            continue;
        }
        let (from, want) = if at(i + 1) == b'+' { (i + 2, 6) } else { (i + 1, 4) };
        if !(0..want).all(|n| at(from + n).is_ascii_hexdigit()) {
            return Err((i, "invalid Unicode escape", true));
        }
        let value = (0..want).fold(0u32, |v, n| (v << 4) | hex(at(from + n)));
        match (high.take(), value) {
            (_, 0 | 0x11_0000..) => return Err((i, "invalid Unicode escape value", false)),
            (Some(h), 0xDC00..=0xDFFF) => push_char(&mut out, 0x10000 + ((h - 0xD800) << 10) + (value - 0xDC00)),
            (Some(_), _) | (None, 0xDC00..=0xDFFF) => return Err((i, "invalid Unicode surrogate pair", false)),
            (None, 0xD800..=0xDBFF) => high = Some(value),
            (None, c) => push_char(&mut out, c),
        }
        i = from + want;
    }
    if high.is_some() {
        return Err((bytes.len(), "invalid Unicode surrogate pair", false));
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}
