//! Parts of checked JSON text, as they were written.

/// Position after the value, or after the blanks, that begins at `at`.
fn skip_blanks(b: &[u8], mut at: usize) -> usize {
    while matches!(b.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

fn skip_string(b: &[u8], mut at: usize) -> usize {
    at += 1;
    while let Some(&c) = b.get(at) {
        match c {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    b.len()
}

fn skip_value(b: &[u8], at: usize) -> usize {
    match b.get(at) {
        Some(b'"') => skip_string(b, at),
        Some(b'{' | b'[') => {
            let (mut at, mut depth) = (at, 0usize);
            while let Some(&c) = b.get(at) {
                match c {
                    b'"' => {
                        at = skip_string(b, at);
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    break;
                }
            }
            at
        }
        _ => {
            let ends = |c: &u8| matches!(c, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
            b[at.min(b.len())..].iter().position(ends).map_or(b.len(), |n| at + n)
        }
    }
}

/// What a JSON text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}

/// What kind of value `text` is.
pub fn kind(text: &str) -> Kind {
    let b = text.as_bytes();
    match b.get(skip_blanks(b, 0)) {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't' | b'f') => Kind::Boolean,
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    }
}

/// The elements of an array; none of anything else.
pub fn elements(text: &str) -> Vec<&str> {
    let b = text.as_bytes();
    let mut out = Vec::new();
    let mut at = skip_blanks(b, 0);
    if b.get(at) != Some(&b'[') {
        return out;
    }
    at = skip_blanks(b, at + 1);
    while at < b.len() && b[at] != b']' {
        let end = skip_value(b, at);
        out.push(text.get(at..end).unwrap_or_default());
        at = skip_blanks(b, end);
        if b.get(at) == Some(&b',') {
            at = skip_blanks(b, at + 1);
        }
    }
    out
}

/// The pairs of an object, keys unescaped; none of anything else.
pub fn pairs(text: &str) -> Vec<(String, &str)> {
    let b = text.as_bytes();
    let mut out = Vec::new();
    let mut at = skip_blanks(b, 0);
    if b.get(at) != Some(&b'{') {
        return out;
    }
    at = skip_blanks(b, at + 1);
    while b.get(at) == Some(&b'"') {
        let key_end = skip_string(b, at);
        let key = unescaped(text.get(at..key_end).unwrap_or_default());
        at = skip_blanks(b, skip_blanks(b, key_end) + 1);
        let end = skip_value(b, at);
        out.push((key, text.get(at..end).unwrap_or_default()));
        at = skip_blanks(b, end);
        if b.get(at) == Some(&b',') {
            at = skip_blanks(b, at + 1);
        }
    }
    out
}

/// The text of a JSON string.
pub fn unescaped(text: &str) -> String {
    let inner = text.trim().strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or_default();
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    let mut high: Option<u32> = None;
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('b') => out.push('\x08'),
            Some('f') => out.push('\x0c'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let code = (0..4).fold(0, |n, _| n * 16 + chars.next().and_then(|c| c.to_digit(16)).unwrap_or(0));
                match (high.take(), code) {
                    (_, 0xd800..=0xdbff) => high = Some(code),
                    (Some(h), 0xdc00..=0xdfff) => {
                        out.extend(char::from_u32(0x10000 + ((h & 0x3ff) << 10) + (code & 0x3ff)));
                    }
                    (_, code) => out.extend(char::from_u32(code)),
                }
            }
            Some(c) => out.push(c),
            None => {}
        }
    }
    out
}

/// As the `->>` operators give it: strings unescaped, `null` as none.
pub fn as_text(text: &str) -> Option<String> {
    match kind(text) {
        Kind::Null => None,
        Kind::String => Some(unescaped(text)),
        _ => Some(text.trim().to_owned()),
    }
}

/// Element `n` of an array, from its end when negative.
pub fn element(text: &str, n: i64) -> Option<&str> {
    let list = elements(text);
    let i = if n < 0 { n + list.len() as i64 } else { n };
    usize::try_from(i).ok().and_then(|i| list.get(i).copied())
}

/// The value of a key; of equal keys the last.
pub fn field<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    pairs(text).into_iter().rev().find(|(k, _)| k == key).map(|(_, v)| v)
}

/// The value at a path of keys and indexes.
pub fn at_path<'t>(text: &'t str, path: &[Option<String>]) -> Option<&'t str> {
    let mut at = text;
    for step in path {
        let step = step.as_deref()?;
        at = match kind(at) {
            Kind::Object => field(at, step)?,
            Kind::Array => element(at, step.trim().parse::<i32>().ok()?.into())?,
            _ => return None,
        };
    }
    Some(at)
}
