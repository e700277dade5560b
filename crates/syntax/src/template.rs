//! `Template`: a statement's text with numbers in place of its literals. Statements that differ in their literals only have one template.

use crate::ast::Ident;
use crate::keyword::Kw;
use crate::lexer::{Lexer, Tok};

/// Longer statements are not worth it: they rarely come again.
const BYTES_MAX: usize = 2000;
const LITERALS_MAX: usize = 24;

/// What a literal was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LiteralKind {
    /// An integer of 32 bits.
    Int,
    /// `'...'`.
    String,
}

/// A statement without its literals.
#[derive(Clone, Debug)]
pub struct Template {
    /// The text, `$1` and so on in place of the literals; what kinds they have is part of it, as a comment at its end.
    pub text: String,
    /// The literals in order: what kind, and the value's text.
    pub literals: Vec<(LiteralKind, Ident)>,
}

/// Whether `sql` begins as a query does.
pub fn starts_query(sql: &str) -> bool {
    let first = Lexer::new(sql).next_token().tok;
    matches!(first, Tok::Kw(Kw::Select | Kw::With | Kw::Values | Kw::Table) | Tok::Char(b'('))
}

/// Whether it begins as what is planned does: a query, or a change of rows.
pub fn starts_plan(sql: &str) -> bool {
    let first = Lexer::new(sql).next_token().tok;
    matches!(first, Tok::Kw(Kw::Insert | Kw::Update | Kw::Delete | Kw::Merge)) || starts_query(sql)
}

/// The template of `sql`; `None` when it is not one short INSERT, SELECT, UPDATE or DELETE without parameters.
pub fn template(sql: &str) -> Option<Template> {
    if sql.len() > BYTES_MAX {
        return None;
    }
    let mut lexer = Lexer::new(sql);
    let mut token = lexer.next_token();
    if !matches!(token.tok, Tok::Kw(Kw::Insert | Kw::Select | Kw::Update | Kw::Delete)) {
        return None;
    }
    let mut text = String::with_capacity(sql.len() + 16);
    let mut kinds = Vec::new();
    let mut copied = 0;
    loop {
        let kind = match token.tok {
            Tok::Eof => break,
            Tok::Error | Tok::Param => return None,
            Tok::Char(b';') => {
                // Nothing may follow but its end.
                if lexer.next_token().tok != Tok::Eof {
                    return None;
                }
                break;
            }
            Tok::Int => Some(LiteralKind::Int),
            Tok::Str if sql.as_bytes().get(token.start as usize) == Some(&b'\'') => Some(LiteralKind::String),
            Tok::Str => return None,
            _ => None,
        };
        if let Some(kind) = kind {
            if kinds.len() == LITERALS_MAX {
                return None;
            }
            kinds.push((kind, lexer.text(&token)));
            text.push_str(sql.get(copied..token.start as usize)?);
            text.push('$');
            push_number(&mut text, kinds.len());
            copied = token.end as usize;
        }
        token = lexer.next_token();
    }
    text.push_str(sql.get(copied..token.start as usize)?);
    text.push_str("--");
    text.extend(kinds.iter().map(|k| if k.0 == LiteralKind::Int { 'i' } else { 's' }));
    Some(Template { text, literals: kinds })
}

fn push_number(text: &mut String, n: usize) {
    if n >= 10 {
        text.push(char::from(b'0' + (n / 10) as u8));
    }
    text.push(char::from(b'0' + (n % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(sql: &str) -> Option<(String, Vec<String>)> {
        template(sql).map(|t| (t.text, t.literals.iter().map(|l| l.1.to_string()).collect()))
    }

    #[test]
    fn literals_give_way_to_numbers() {
        let (text, literals) = parts("SELECT a1, 'it''s', 2.5 FROM t WHERE b = 10 AND c = '' ;").unwrap();
        assert_eq!(text, "SELECT a1, $1, 2.5 FROM t WHERE b = $2 AND c = $3 --sis");
        assert_eq!(literals, ["it's", "10", ""]);
        // A comment hides nothing that follows, and nothing in it is a literal.
        assert_eq!(parts("DELETE FROM t -- 5\nWHERE a=5").unwrap().0, "DELETE FROM t -- 5\nWHERE a=$1--i");
        assert_eq!(parts("UPDATE t SET a = 1").unwrap().0, "UPDATE t SET a = $1--i");
    }

    #[test]
    fn what_is_not_one_plain_statement_has_none() {
        for sql in [
            "SELECT $1",
            "SELECT 1; SELECT 2",
            "CREATE TABLE t (a int)",
            "SELECT 'open",
            "SELECT E'a\\n'",
            "WITH x AS (SELECT 1) SELECT 2",
            "",
            ";",
        ] {
            assert_eq!(parts(sql), None, "{sql}");
        }
    }
}
