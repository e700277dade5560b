//! Where a statement ends in text that is still being typed.

use crate::keyword::Kw;
use crate::lexer::{Lexer, Tok};

/// What a buffer holds, read from its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Split {
    /// Nothing but white space and comments.
    Empty,
    /// A statement, which ends before this byte; the semicolon is the byte before.
    Complete(usize),
    /// The start of a statement: more text may complete it.
    Incomplete(Pending),
}

/// What an incomplete statement waits for; a shell shows it in its prompt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pending {
    /// A semicolon.
    Semicolon,
    /// A closing parenthesis.
    Parenthesis,
    /// The end of a string constant.
    String,
    /// The end of a quoted identifier.
    Identifier,
    /// The end of a comment.
    Comment,
    /// The end of a dollar-quoted string.
    DollarQuote,
    /// The END of BEGIN ATOMIC.
    AtomicBody,
}

/// Finds the end of the first statement of `buffer`. Semicolons in parentheses and in the body of
/// `CREATE FUNCTION … BEGIN ATOMIC … END` do not count, as in psql. Text with a lexical error that more text cannot
/// cure ends at the next semicolon, so that the server can tell about it.
pub fn split(buffer: &str) -> Split {
    let mut lexer = Lexer::new(buffer);
    let mut parens = 0u32;
    let mut begins = 0u32;
    let mut words: [Option<Kw>; 4] = [None; 4];
    let mut count = 0usize;
    loop {
        let t = lexer.next_token();
        match t.tok {
            Tok::Eof => {
                if count == 0 {
                    return Split::Empty;
                }
                return Split::Incomplete(if parens > 0 {
                    Pending::Parenthesis
                } else if begins > 0 {
                    Pending::AtomicBody
                } else {
                    Pending::Semicolon
                });
            }
            Tok::Error => {
                let message = lexer.error().map(|e| e.message().to_owned()).unwrap_or_default();
                let pending = [
                    ("unterminated quoted string", Pending::String),
                    ("unterminated bit string", Pending::String),
                    ("unterminated hexadecimal string", Pending::String),
                    ("unterminated quoted identifier", Pending::Identifier),
                    ("unterminated /* comment", Pending::Comment),
                    ("unterminated dollar-quoted string", Pending::DollarQuote),
                ];
                if let Some((_, p)) = pending.iter().find(|(text, _)| message.starts_with(text)) {
                    return Split::Incomplete(*p);
                }
                let from = t.start as usize;
                return match buffer.get(from..).and_then(|rest| rest.find(';')) {
                    Some(n) => Split::Complete(from + n + 1),
                    None => Split::Incomplete(Pending::Semicolon),
                };
            }
            Tok::Char(b'(') => parens += 1,
            Tok::Char(b')') => parens = parens.saturating_sub(1),
            Tok::Char(b';') if parens == 0 && begins == 0 => {
                return Split::Complete(t.end as usize);
            }
            Tok::Kw(k) => {
                if count < words.len() {
                    words[count] = Some(k);
                }
                if parens == 0 && is_routine(&words) {
                    match k {
                        Kw::Begin => begins += 1,
                        // CASE has an END of its own.
                        Kw::Case if begins > 0 => begins += 1,
                        Kw::End => begins = begins.saturating_sub(1),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        count += 1;
    }
}

/// CREATE [OR REPLACE] FUNCTION or PROCEDURE.
fn is_routine(words: &[Option<Kw>; 4]) -> bool {
    let routine = |w: Option<Kw>| matches!(w, Some(Kw::Function | Kw::Procedure));
    words[0] == Some(Kw::Create)
        && (routine(words[1]) || (words[1] == Some(Kw::Or) && words[2] == Some(Kw::Replace) && routine(words[3])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        assert_eq!(split("  -- x\n /* y */ "), Split::Empty);
        assert_eq!(split("select 1; select 2"), Split::Complete(9));
        assert_eq!(split(";x"), Split::Complete(1));
        assert_eq!(split("select ';' \";\" $$;$$ /* ; */ -- ;\n;x"), Split::Complete(35));
        assert_eq!(split("select 1"), Split::Incomplete(Pending::Semicolon));
        assert_eq!(split("select (1;"), Split::Incomplete(Pending::Parenthesis));
        assert_eq!(split("select 'a;"), Split::Incomplete(Pending::String));
        assert_eq!(split("select E'a\\';"), Split::Incomplete(Pending::String));
        assert_eq!(split("select \"a;"), Split::Incomplete(Pending::Identifier));
        assert_eq!(split("select /* ;"), Split::Incomplete(Pending::Comment));
        assert_eq!(split("select $a$;$$"), Split::Incomplete(Pending::DollarQuote));
        assert_eq!(split("select 1a;2"), Split::Complete(10));
        let f = "create or replace function f() returns int begin atomic select case when a then 1 end; end";
        assert_eq!(split(f), Split::Incomplete(Pending::Semicolon));
        assert_eq!(split(&format!("{f};x")), Split::Complete(f.len() + 1));
        assert_eq!(split(&f[..f.len() - 4]), Split::Incomplete(Pending::AtomicBody));
        assert_eq!(split("begin; select"), Split::Complete(6));
    }
}
