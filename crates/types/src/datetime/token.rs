//! Cuts date, time and interval text into tokens. PostgreSQL manual, appendix B.1.

/// Why text is no date or time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not the syntax of the type.
    Syntax,
    /// A field is out of range.
    Field,
    /// Month or day is out of range: perhaps another `DateStyle` was meant.
    MonthDay,
    /// An interval field is out of range.
    Interval,
    /// The fields of an interval are in range but not their sum.
    Total,
    /// A time zone offset is out of range.
    ZoneOffset,
    /// No such time zone.
    Zone(String),
}

/// A piece of date or time text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// Digits, perhaps with a fraction.
    Number(String),
    /// Digits or letters with date punctuation; also zone names.
    Date(String),
    /// Digits and colons.
    Time(String),
    /// Sign and digits: a zone or a signed number.
    Signed(String),
    /// Sign and letters.
    Special(String),
    /// Letters, lower case.
    Word(String),
}

impl Token {
    pub(crate) fn text(&self) -> &str {
        match self {
            Token::Number(s)
            | Token::Date(s)
            | Token::Time(s)
            | Token::Signed(s)
            | Token::Special(s)
            | Token::Word(s) => s,
        }
    }
}

/// More tokens than any valid input has.
const TOKENS_MAX: usize = 25;
/// Longer text than any valid input.
const LENGTH_MAX: usize = 128;

/// Takes bytes while `more` says so, in lower case.
fn take(b: &[u8], i: &mut usize, out: &mut String, more: impl Fn(u8) -> bool) {
    while let Some(&c) = b.get(*i)
        && more(c)
    {
        out.push(c.to_ascii_lowercase() as char);
        *i += 1;
    }
}

/// Cuts `text` up. `is_word` tells words with a meaning of their own from zone names such as `UTC+3`.
pub(crate) fn tokenize(text: &str, is_word: fn(&str) -> bool) -> Result<Vec<Token>, Fault> {
    let b = text.as_bytes();
    let mut tokens = Vec::new();
    let (mut i, mut total) = (0, 0);
    let is_space = |c: u8| c.is_ascii_whitespace() || c == 0x0b;
    while let Some(&c) = b.get(i) {
        if is_space(c) {
            i += 1;
            continue;
        }
        let mut s = String::new();
        let token = if c.is_ascii_digit() {
            take(b, &mut i, &mut s, |c| c.is_ascii_digit());
            match b.get(i) {
                Some(b':') => {
                    take(b, &mut i, &mut s, |c| c.is_ascii_digit() || c == b':' || c == b'.');
                    Token::Time(s)
                }
                Some(&delimiter @ (b'-' | b'/' | b'.')) => {
                    s.push(delimiter as char);
                    i += 1;
                    if b.get(i).is_some_and(u8::is_ascii_digit) {
                        let kind = if delimiter == b'.' { Token::Number } else { Token::Date };
                        take(b, &mut i, &mut s, |c| c.is_ascii_digit());
                        // The same delimiter again makes it a date of three fields.
                        if b.get(i) == Some(&delimiter) {
                            take(b, &mut i, &mut s, |c| c.is_ascii_digit() || c == delimiter);
                            Token::Date(s)
                        } else {
                            kind(s)
                        }
                    } else {
                        take(b, &mut i, &mut s, |c| c.is_ascii_alphanumeric() || c == delimiter);
                        Token::Date(s)
                    }
                }
                _ => Token::Number(s),
            }
        } else if c == b'.' {
            s.push('.');
            i += 1;
            take(b, &mut i, &mut s, |c| c.is_ascii_digit());
            Token::Number(s)
        } else if c.is_ascii_alphabetic() {
            take(b, &mut i, &mut s, |c| c.is_ascii_alphabetic());
            let joined = match b.get(i) {
                Some(b'-' | b'/' | b'.') => true,
                Some(c) if *c == b'+' || c.is_ascii_digit() => !is_word(&s),
                _ => false,
            };
            if joined {
                take(b, &mut i, &mut s, |c| {
                    c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'/' | b'_' | b'.' | b':')
                });
                Token::Date(s)
            } else {
                Token::Word(s)
            }
        } else if c == b'+' || c == b'-' {
            s.push(c as char);
            i += 1;
            while b.get(i).is_some_and(|c| is_space(*c)) {
                i += 1;
            }
            match b.get(i) {
                Some(c) if c.is_ascii_digit() => {
                    take(b, &mut i, &mut s, |c| c.is_ascii_digit() || matches!(c, b':' | b'.' | b'-'));
                    Token::Signed(s)
                }
                Some(c) if c.is_ascii_alphabetic() => {
                    take(b, &mut i, &mut s, |c| c.is_ascii_alphabetic());
                    Token::Special(s)
                }
                _ => return Err(Fault::Syntax),
            }
        } else if c.is_ascii_punctuation() {
            i += 1;
            if c == b'@' {
                tokens.push(Token::Word("@".into()));
            }
            continue;
        } else {
            return Err(Fault::Syntax);
        };
        total += token.text().len() + 1;
        tokens.push(token);
        if tokens.len() > TOKENS_MAX || total > LENGTH_MAX {
            return Err(Fault::Syntax);
        }
    }
    Ok(tokens)
}
