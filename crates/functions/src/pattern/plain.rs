//! LIKE patterns without `_`: strings to be found one behind the other.

use std::cell::RefCell;

use memchr::memmem::Finder;

/// A pattern's strings, between its `%`.
struct Plain {
    pattern: Vec<u8>,
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
        Some(Plain { pattern: pattern.to_vec(), first, middle, last })
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

/// Whether `text` matches `pattern`; `None` when the pattern is not plain. The pattern of the last call is kept: nearly always the next
/// row has the same.
pub fn matches(text: &[u8], pattern: &[u8]) -> Option<bool> {
    thread_local! {
        static LAST: RefCell<Option<Plain>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|p| p.pattern != pattern) {
            *last = Plain::new(pattern);
        }
        last.as_ref().map(|p| p.matches(text))
    })
}

#[cfg(test)]
mod tests {
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
                assert_eq!(super::matches(text.as_bytes(), pattern.as_bytes()), Some(slow), "{text} LIKE {pattern}");
            }
        }
        assert_eq!(super::matches(b"a", b"_"), None);
        assert_eq!(super::matches(b"a", b"a\\"), None);
    }
}
