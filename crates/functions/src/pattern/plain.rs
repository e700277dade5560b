//! LIKE patterns without `_`: strings to be found one behind the other.

use memchr::memmem::Finder;

/// A pattern, and what it is where it is plain.
pub struct Pattern {
    text: Vec<u8>,
    plain: Option<Plain>,
}

impl Pattern {
    pub fn new(text: &[u8]) -> Pattern {
        Pattern { text: text.to_vec(), plain: Plain::new(text) }
    }

    /// Whether it was made of `text`.
    pub fn is(&self, text: &[u8]) -> bool {
        self.text == text
    }

    /// What it was made of.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether `text` matches; `None` when the pattern is not plain.
    pub fn matches(&self, text: &[u8]) -> Option<bool> {
        self.plain.as_ref().map(|p| p.matches(text))
    }
}

/// A pattern's strings, between its `%`.
struct Plain {
    /// What the text begins with; all of it where there is no `%`.
    first: Vec<u8>,
    middle: Vec<Finder<'static>>,
    /// What it ends with; none where there is no `%`.
    last: Option<Vec<u8>>,
}

impl Plain {
    /// `None` for a pattern with `_`, or one that ends in an escape.
    fn new(pattern: &[u8]) -> Option<Plain> {
        let mut parts = vec![Vec::new()];
        let mut bytes = pattern.iter();
        while let (Some(&b), Some(part)) = (bytes.next(), parts.last_mut()) {
            match b {
                b'_' => return None,
                b'\\' => part.push(*bytes.next()?),
                b'%' => parts.push(Vec::new()),
                _ => part.push(b),
            }
        }
        let mut parts = parts.into_iter();
        let first = parts.next()?;
        let last = parts.next_back();
        let middle = parts.filter(|p| !p.is_empty()).map(|p| Finder::new(&p).into_owned()).collect();
        Some(Plain { first, middle, last })
    }

    fn matches(&self, text: &[u8]) -> bool {
        let Some(last) = &self.last else { return text == self.first };
        // Nothing is not looked for: to compare no bytes at the address of an empty vector makes the processor stumble.
        let mut rest = text;
        if !self.first.is_empty() {
            let Some(after) = rest.strip_prefix(&self.first[..]) else { return false };
            rest = after;
        }
        if !last.is_empty() {
            let Some(before) = rest.strip_suffix(&last[..]) else { return false };
            rest = before;
        }
        for part in &self.middle {
            match part.find(rest) {
                Some(at) => rest = &rest[at + part.needle().len()..],
                None => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn plain_patterns_match_as_all_others_do() {
        let texts = ["", "a", "ab", "abc", "aab", "abab", "ba", "%", "a%b", "\\", "xéy", "é", "aXbXc", "abcabc"];
        let patterns = [
            "", "%", "%%", "a", "a%", "%a", "%a%", "a%b", "a%b%", "%ab%ab%", "ab%ab", "\\%", "a\\%b", "%\\%%", "\\\\",
            "x%y", "%é%", "aa%a", "%b%a%", "abc%abc", "ab%bc", "a%bc%c",
        ];
        for text in texts {
            for pattern in patterns {
                let slow = super::super::search(text.as_bytes(), pattern.as_bytes(), true).unwrap();
                assert_eq!(
                    Pattern::new(pattern.as_bytes()).matches(text.as_bytes()),
                    Some(slow),
                    "{text} LIKE {pattern}"
                );
            }
        }
        assert_eq!(Pattern::new(b"_").matches(b"a"), None);
        assert_eq!(Pattern::new(b"a\\").matches(b"a"), None);
    }
}
