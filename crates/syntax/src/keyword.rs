//! Key words: their categories, and the look-up of a word.

mod list;

pub use list::{KEYWORDS, Kw};

/// Where a key word may stand as a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Category {
    /// Anywhere.
    Unreserved,
    /// As a column or table name, not as a function or type name.
    ColName,
    /// As a function or type name, not as a column or table name.
    TypeFuncName,
    /// Only as a column label.
    Reserved,
}

/// A key word's row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Keyword {
    /// The word, in lower case.
    pub word: &'static str,
    /// Its category.
    pub category: Category,
    /// Whether it can be a column label without AS.
    pub bare_label: bool,
}

macro_rules! keywords {
    ($($name:ident, $word:literal, $category:ident, $bare:literal;)*) => {
        /// A key word.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u16)]
        #[allow(missing_docs, reason = "each is the word it names")]
        pub enum Kw { $($name,)* }

        /// Every key word, in alphabetical order.
        pub const KEYWORDS: &[super::Keyword] =
            &[$(super::Keyword { word: $word, category: $category, bare_label: $bare },)*];

        pub(super) const BY_INDEX: &[Kw] = &[$(Kw::$name,)*];
    };
}
use keywords;

impl Kw {
    /// Its row of the table.
    pub const fn info(self) -> &'static Keyword {
        &KEYWORDS[self as usize]
    }

    /// The word, in lower case.
    pub const fn word(self) -> &'static str {
        self.info().word
    }

    /// Its category.
    pub const fn category(self) -> Category {
        self.info().category
    }

    /// The key word that `word` is; `word` is in lower case.
    #[inline]
    pub fn lookup(word: &[u8]) -> Option<Kw> {
        if word.len() < 2 || word.len() > LONGEST {
            return None;
        }
        let mut slot = hash(word) & MASK;
        loop {
            match TABLE[slot] {
                0 => return None,
                n => {
                    let index = n as usize - 1;
                    if KEYWORDS[index].word.as_bytes() == word {
                        return Some(list::BY_INDEX[index]);
                    }
                }
            }
            slot = (slot + 1) & MASK;
        }
    }
}

const SLOTS: usize = 2048;
const MASK: usize = SLOTS - 1;
/// Open addressing; 0 is free, else the key word's index plus one.
static TABLE: [u16; SLOTS] = build();

/// Length of the longest key word.
pub const LONGEST: usize = longest();

const fn longest() -> usize {
    let mut best = 0;
    let mut i = 0;
    while i < KEYWORDS.len() {
        if KEYWORDS[i].word.len() > best {
            best = KEYWORDS[i].word.len();
        }
        i += 1;
    }
    best
}

/// Mixes length, both ends and two inner characters: few collisions on this list and no loop over the word.
const fn hash(w: &[u8]) -> usize {
    let n = w.len();
    let a = w[0] as usize;
    let b = w[1] as usize;
    let c = w[n - 1] as usize;
    let d = w[n / 2] as usize;
    let e = w[n - 2] as usize;
    let x = a.wrapping_mul(0x9E37_79B1)
        ^ b.wrapping_mul(0x85EB_CA6B)
        ^ c.wrapping_mul(0xC2B2_AE35)
        ^ d.wrapping_mul(0x27D4_EB2F)
        ^ e.wrapping_mul(0x1656_67B1)
        ^ n.wrapping_mul(0xD3A2_646C);
    (x >> 7) ^ (x >> 18)
}

const fn build() -> [u16; SLOTS] {
    let mut table = [0u16; SLOTS];
    let mut i = 0;
    while i < KEYWORDS.len() {
        let mut slot = hash(KEYWORDS[i].word.as_bytes()) & MASK;
        while table[slot] != 0 {
            slot = (slot + 1) & MASK;
        }
        table[slot] = i as u16 + 1;
        i += 1;
    }
    table
}

/// `name` as it must be written in SQL: quoted when it would not come back as itself.
pub fn quote_ident(name: &str) -> String {
    let mut bytes = name.bytes();
    let plain = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if plain && Kw::lookup(name.as_bytes()).is_none_or(|k| k.category() == Category::Unreserved) {
        return name.to_owned();
    }
    let mut out = String::with_capacity(name.len() + 2);
    out.push('"');
    for c in name.chars() {
        if c == '"' {
            out.push('"');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found() {
        for (i, k) in KEYWORDS.iter().enumerate() {
            assert_eq!(Kw::lookup(k.word.as_bytes()).map(|k| k as usize), Some(i), "{}", k.word);
        }
        assert_eq!(Kw::lookup(b"selec"), None);
        assert_eq!(KEYWORDS.len(), 494);
    }

    #[test]
    fn quoting() {
        assert_eq!(quote_ident("abc_1"), "abc_1");
        assert_eq!(quote_ident("name"), "name");
        assert_eq!(quote_ident("select"), "\"select\"");
        assert_eq!(quote_ident("int"), "\"int\"");
        assert_eq!(quote_ident("left"), "\"left\"");
        assert_eq!(quote_ident("a\"B"), "\"a\"\"B\"");
        assert_eq!(quote_ident("é"), "\"é\"");
        assert_eq!(quote_ident("1a"), "\"1a\"");
        assert_eq!(quote_ident(""), "\"\"");
        assert_eq!(quote_ident("a$"), "\"a$\"");
    }
}
