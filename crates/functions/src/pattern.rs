//! LIKE and its kin.

mod plain;

use ext::Call;
use types::{Result, SqlError, SqlState};

use crate::text::lower_of;

fn ends_with_escape() -> SqlError {
    SqlError::new(SqlState::INVALID_ESCAPE_SEQUENCE, "LIKE pattern must not end with escape character")
}

/// Bytes of the character that starts with `b`; one where characters are bytes.
fn width(b: u8, text: bool) -> usize {
    match b {
        0xc0..=0xdf if text => 2,
        0xe0..=0xef if text => 3,
        0xf0..=0xff if text => 4,
        _ => 1,
    }
}

/// LIKE: `%` any run, `_` any character (of text, else byte), backslash escapes.
fn like(call: &mut Call<'_>, s: &[u8], pattern: &[u8], text: bool) -> Result<bool> {
    let known = call.memo(|p: &plain::Pattern| p.is(pattern), || Ok(plain::Pattern::new(pattern)))?;
    known.matches(s).map_or_else(|| search(s, pattern, text), Ok)
}

/// A pattern for which case does not matter: text and pattern are compared in lower case.
struct Caseless {
    text: Vec<u8>,
    lower: plain::Pattern,
    /// Room for what is compared with it.
    room: Vec<u8>,
}

impl Caseless {
    fn new(pattern: &[u8]) -> Caseless {
        let lower = plain::Pattern::new(lower_of(&String::from_utf8_lossy(pattern)).as_bytes());
        Caseless { text: pattern.to_vec(), lower, room: Vec::new() }
    }

    fn matches(&mut self, s: &[u8]) -> Result<bool> {
        let Caseless { lower, room, .. } = self;
        room.clear();
        if s.is_ascii() {
            room.extend_from_slice(s);
            room.make_ascii_lowercase();
        } else {
            room.extend_from_slice(lower_of(&String::from_utf8_lossy(s)).as_bytes());
        }
        lower.matches(room).map_or_else(|| search(room, lower.text(), true), Ok)
    }
}

/// As [`like`], for any pattern.
fn search(s: &[u8], pattern: &[u8], text: bool) -> Result<bool> {
    let (mut t, mut p) = (0, 0);
    // Where to go on when a literal fails: after the last `%`, one character further on.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        // Where the text has ended, only `%` matches; the rest of the pattern is not looked at.
        if t == s.len() {
            return Ok(pattern[p..].iter().all(|c| *c == b'%'));
        }
        let matched = match pattern.get(p) {
            None => false,
            Some(b'%') => {
                p += 1;
                if p == pattern.len() {
                    return Ok(true);
                }
                retry = Some((p, t));
                continue;
            }
            Some(b'_') if t < s.len() => {
                t = (t + width(s[t], text)).min(s.len());
                p += 1;
                true
            }
            Some(b'_') => false,
            Some(b'\\') => {
                let literal = pattern.get(p + 1).ok_or_else(ends_with_escape)?;
                let hit = s.get(t) == Some(literal);
                if hit {
                    (t, p) = (t + 1, p + 2);
                }
                hit
            }
            Some(c) => {
                let hit = s.get(t) == Some(c);
                if hit {
                    (t, p) = (t + 1, p + 1);
                }
                hit
            }
        };
        if matched {
            continue;
        }
        match retry {
            Some((after, from)) if from < s.len() => {
                let mut next = (from + width(s[from], text)).min(s.len());
                // A literal first byte can be looked for.
                if let Some(&c) = pattern.get(after)
                    && !matches!(c, b'%' | b'_' | b'\\')
                {
                    next = match memchr::memchr(c, &s[next..]) {
                        Some(i) => next + i,
                        None => return Ok(false),
                    };
                }
                retry = Some((after, next));
                (p, t) = (after, next);
            }
            _ => return Ok(false),
        }
    }
}

fn escaped(pattern: &str, escape: &str) -> Result<String> {
    let mut chars = escape.chars();
    let (first, second) = (chars.next(), chars.next());
    if second.is_some() {
        return Err(SqlError::new(SqlState::INVALID_ESCAPE_SEQUENCE, "invalid escape string")
            .hint("Escape string must be empty or one character."));
    }
    let mut out = String::with_capacity(pattern.len() + 4);
    let Some(escape) = first else {
        for c in pattern.chars() {
            if c == '\\' {
                out.push('\\');
            }
            out.push(c);
        }
        return Ok(out);
    };
    if escape == '\\' {
        return Ok(pattern.to_owned());
    }
    let mut after_escape = false;
    for c in pattern.chars() {
        if c == escape && !after_escape {
            out.push('\\');
            after_escape = true;
        } else if c == '\\' {
            out.push('\\');
            if !after_escape {
                out.push('\\');
            }
            after_escape = false;
        } else {
            out.push(c);
            after_escape = false;
        }
    }
    Ok(out)
}

/// A SIMILAR TO pattern as a regular expression.
pub(crate) fn similar(pattern: &str, escape: Option<&str>) -> Result<String> {
    let escape = match escape {
        None => Some('\\'),
        Some(e) => {
            let mut chars = e.chars();
            let first = chars.next();
            if chars.next().is_some() {
                return Err(SqlError::new(SqlState::INVALID_ESCAPE_SEQUENCE, "invalid escape string")
                    .hint("Escape string must be empty or one character."));
            }
            first
        }
    };
    let mut out = String::from("^(?:");
    let (mut after_escape, mut in_brackets, mut quotes) = (false, 0u32, 0);
    let mut bracket_start = false;
    for c in pattern.chars() {
        if after_escape {
            if c == '"' && in_brackets == 0 {
                match quotes {
                    0 => out.push_str("){1,1}?("),
                    1 => out.push_str("){1,1}(?:"),
                    _ => {
                        let message =
                            "SQL regular expression may not contain more than two escape-double-quote separators";
                        return Err(SqlError::new(SqlState::INVALID_USE_OF_ESCAPE_CHARACTER, message));
                    }
                }
                quotes += 1;
            } else {
                out.push('\\');
                out.push(c);
            }
            after_escape = false;
        } else if Some(c) == escape {
            after_escape = true;
        } else if in_brackets > 0 {
            if c == '\\' {
                out.push('\\');
            }
            out.push(c);
            match c {
                ']' if !bracket_start => in_brackets -= 1,
                '[' => in_brackets += 1,
                _ => {}
            }
            bracket_start = bracket_start && c == '^';
        } else {
            match c {
                '[' => {
                    out.push('[');
                    in_brackets = 1;
                    bracket_start = true;
                }
                '%' => out.push_str(".*"),
                '_' => out.push('.'),
                '(' => out.push_str("(?:"),
                '\\' | '.' | '^' | '$' => {
                    out.push('\\');
                    out.push(c);
                }
                _ => out.push(c),
            }
        }
    }
    out.push_str(")$");
    Ok(out)
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = [850, 858, 1569, 1571, 1631])]
    pub fn matches_like(call: &mut Call<'_>, s: &[u8], pattern: &[u8]) -> Result<bool> {
        like(call, s, pattern, true)
    }

    #[ext::function(oid = [851, 859, 1570, 1572, 1632])]
    pub fn not_like(call: &mut Call<'_>, s: &[u8], pattern: &[u8]) -> Result<bool> {
        like(call, s, pattern, true).map(|m| !m)
    }

    #[ext::function(oid = [2005, 2007])]
    pub fn bytes_like(call: &mut Call<'_>, s: &[u8], pattern: &[u8]) -> Result<bool> {
        like(call, s, pattern, false)
    }

    #[ext::function(oid = [2006, 2008])]
    pub fn bytes_not_like(call: &mut Call<'_>, s: &[u8], pattern: &[u8]) -> Result<bool> {
        like(call, s, pattern, false).map(|m| !m)
    }

    #[ext::function(oid = [1633, 1635, 1660])]
    pub fn ilike(call: &mut Call<'_>, s: &[u8], pattern: &[u8]) -> Result<bool> {
        let make = || Ok(Caseless::new(pattern));
        call.memo(|known: &Caseless| known.text == pattern, make)?.matches(s)
    }

    #[ext::function(oid = [1634, 1636, 1661])]
    pub fn not_ilike(call: &mut Call<'_>, s: &[u8], pattern: &[u8]) -> Result<bool> {
        ilike(call, s, pattern).map(|m| !m)
    }

    #[ext::function(oid = 1637)]
    pub fn like_escape(pattern: &str, escape: &str) -> Result<String> {
        escaped(pattern, escape)
    }

    #[ext::function(oid = 1986)]
    pub fn similar_to_escape(pattern: &str, escape: &str) -> Result<String> {
        similar(pattern, Some(escape))
    }

    #[ext::function(oid = 1987)]
    pub fn similar_to(pattern: &str) -> Result<String> {
        similar(pattern, None)
    }

    #[ext::function(oid = 1623)]
    pub fn similar_escape(pattern: Option<&str>, escape: Option<&str>) -> Result<Option<String>> {
        pattern.map(|p| similar(p, escape)).transpose()
    }
}
