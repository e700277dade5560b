//! Functions on text.

use types::{Result, SqlError, SqlState};

fn str(b: &[u8]) -> &str {
    std::str::from_utf8(b).unwrap_or_default()
}

fn characters(b: &[u8]) -> i32 {
    str(b).chars().count() as i32
}

/// `substring(text from start for count)`.
fn substring(text: &[u8], start: i32, count: Option<i32>) -> Result<Vec<u8>> {
    let end = match count {
        Some(n) if n < 0 => {
            return Err(SqlError::new(SqlState::SUBSTRING_ERROR, "negative substring length not allowed"));
        }
        Some(n) => i64::from(start) + i64::from(n),
        None => i64::MAX,
    };
    let skip = (i64::from(start) - 1).max(0);
    let take = (end - 1 - skip).max(0);
    Ok(str(text)
        .chars()
        .skip(skip as usize)
        .take(take.min(i64::from(i32::MAX)) as usize)
        .collect::<String>()
        .into_bytes())
}

/// LIKE: `%` any run, `_` any character, backslash escapes.
fn like(text: &str, pattern: &str) -> Result<bool> {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut t, mut p) = (0, 0);
    // Where to go on when a literal fails: after the last `%`, one character further on.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            None => t == text.len(),
            Some('%') => {
                retry = Some((p + 1, t));
                p += 1;
                continue;
            }
            Some('_') if t < text.len() => {
                (t, p) = (t + 1, p + 1);
                continue;
            }
            Some('_') => false,
            Some(&c) => {
                let (literal, width) = match (c, pattern.get(p + 1)) {
                    ('\\', Some(&next)) => (next, 2),
                    ('\\', None) => {
                        return Err(SqlError::new(
                            SqlState::INVALID_ESCAPE_SEQUENCE,
                            "LIKE pattern must not end with escape character",
                        ));
                    }
                    _ => (c, 1),
                };
                if text.get(t) == Some(&literal) {
                    (t, p) = (t + 1, p + width);
                    continue;
                }
                false
            }
        };
        if step {
            return Ok(true);
        }
        match retry {
            Some((after, from)) if from < text.len() => {
                retry = Some((after, from + 1));
                (p, t) = (after, from + 1);
            }
            _ => return Ok(false),
        }
    }
}

functions! {
    1258 (a: Var, b: Var) -> Var { Ok::<Vec<u8>, SqlError>([a, b].concat()) }
    1257 (a: Var) -> I32 { Ok(characters(a)) }
    1317 (a: Var) -> I32 { Ok(characters(a)) }
    1381 (a: Var) -> I32 { Ok(characters(a)) }
    1374 (a: Var) -> I32 { Ok(a.len() as i32) }
    870 (a: Var) -> Var { Ok(str(a).to_lowercase().into_bytes()) }
    871 (a: Var) -> Var { Ok(str(a).to_uppercase().into_bytes()) }
    877 (a: Var, n: I32, count: I32) -> Var { substring(a, n, Some(count)) }
    936 (a: Var, n: I32, count: I32) -> Var { substring(a, n, Some(count)) }
    883 (a: Var, n: I32) -> Var { substring(a, n, None) }
    937 (a: Var, n: I32) -> Var { substring(a, n, None) }
    850 (a: Var, b: Var) -> Bool { like(str(a), str(b)) }
    851 (a: Var, b: Var) -> Bool { like(str(a), str(b)).map(|m| !m) }
    1633 (a: Var, b: Var) -> Bool { like(&str(a).to_lowercase(), &str(b).to_lowercase()) }
    1634 (a: Var, b: Var) -> Bool { like(&str(a).to_lowercase(), &str(b).to_lowercase()).map(|m| !m) }
    2087 (a: Var, from: Var, to: Var) -> Var {
        Ok::<Vec<u8>, SqlError>(if from.is_empty() { a.to_vec() } else { str(a).replace(str(from), str(to)).into_bytes() })
    }
    885 (a: Var) -> Var { Ok(str(a).trim_matches(' ').as_bytes().to_vec()) }
    881 (a: Var) -> Var { Ok(str(a).trim_start_matches(' ').as_bytes().to_vec()) }
    882 (a: Var) -> Var { Ok(str(a).trim_end_matches(' ').as_bytes().to_vec()) }
    3060 (a: Var, n: I32) -> Var {
        let chars: Vec<char> = str(a).chars().collect();
        let n = if n >= 0 { (n as usize).min(chars.len()) } else { chars.len().saturating_sub(n.unsigned_abs() as usize) };
        Ok(chars[..n].iter().collect::<String>().into_bytes())
    }
}
