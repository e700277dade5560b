//! A statement's text without its literals, and a number that texts share which differ in nothing else.
//!
//! PostgreSQL tells statements apart by their analysed trees. Here the tokens decide: white space, comments and the case of names
//! do not count, but what a name means in another search path does not either. As in PostgreSQL 18, lists of constants are one place,
//! however long, and of utility statements only SET loses its values.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;

use syntax::keyword::Kw;
use syntax::lexer::{Lexer, Tok, Token};

/// A statement without its literals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Normalized {
    pub text: String,
    /// Equal for statements that differ in literals only.
    pub fingerprint: u64,
}

/// What stands in for literals in fingerprints.
const CONSTANT: u8 = 1;
const LIST: u8 = 2;

fn is_constant(tok: Tok) -> bool {
    matches!(tok, Tok::Int | Tok::Number | Tok::Str | Tok::Bits | Tok::Kw(Kw::True | Kw::False | Kw::Null))
}

/// Where a list of at least two constants ends that begins at token `at`, which is behind the bracket.
fn list_end(tokens: &[Token], at: usize, close: u8, is_literal: &impl Fn(usize) -> bool) -> Option<usize> {
    let mut i = at;
    loop {
        if !is_literal(i) {
            return None;
        }
        match tokens.get(i + 1)?.tok {
            Tok::Char(b',') => i += 2,
            Tok::Char(c) if c == close && i > at => return Some(i),
            _ => return None,
        }
    }
}

/// `sql` without its literals; `literals` says that its parameters stand for such (it is a template).
pub(crate) fn normalized(sql: &str, literals: bool) -> Normalized {
    let mut lexer = Lexer::new(sql);
    let (mut tokens, mut texts) = (Vec::new(), Vec::new());
    loop {
        let token = lexer.next_token();
        match token.tok {
            Tok::Eof | Tok::Error => break,
            Tok::Char(b';') => break,
            _ => {}
        }
        texts.push(lexer.text(&token));
        tokens.push(token);
    }
    let Some(first) = tokens.first() else { return Normalized { text: sql.trim().to_owned(), fingerprint: 0 } };
    let plans = matches!(
        first.tok,
        Tok::Kw(Kw::Select | Kw::Insert | Kw::Update | Kw::Delete | Kw::Merge | Kw::With | Kw::Values | Kw::Table)
            | Tok::Char(b'(')
            | Tok::Kw(Kw::Set)
    );
    let highest = |t: &Token| {
        if t.tok == Tok::Param { sql[t.start as usize + 1..t.end as usize].parse().unwrap_or(0) } else { 0u32 }
    };
    // What is given keeps its numbers; those of literals come behind.
    let mut number = if literals { 0 } else { tokens.iter().map(highest).max().unwrap_or(0) };
    let is_literal = |i: usize| {
        tokens.get(i).is_some_and(|t| match t.tok {
            Tok::Param => literals,
            // `IS NULL`, `NOT NULL`, `IS NOT TRUE`, `DEFAULT`s are no constants.
            Tok::Kw(Kw::Null | Kw::True | Kw::False) => {
                let before = i.checked_sub(1).and_then(|b| tokens.get(b)).map(|t| t.tok);
                plans && !matches!(before, Some(Tok::Kw(Kw::Is | Kw::Not)))
            }
            tok => plans && is_constant(tok),
        })
    };
    let mut text = String::with_capacity(sql.len());
    let (mut copied, mut i) = (first.start as usize, 0);
    let mut hasher = DefaultHasher::new();
    while let Some(token) = tokens.get(i) {
        if !is_literal(i) {
            discriminant(&token.tok).hash(&mut hasher);
            texts[i].as_str().hash(&mut hasher);
            i += 1;
            continue;
        }
        // A list: behind IN ( or ARRAY [.
        let before = |n: usize| i.checked_sub(n).and_then(|b| tokens.get(b)).map(|t| t.tok);
        let close = match (before(2), before(1)) {
            (Some(Tok::Kw(Kw::In)), Some(Tok::Char(b'('))) => Some(b')'),
            (Some(Tok::Kw(Kw::Array)), Some(Tok::Char(b'['))) => Some(b']'),
            _ => None,
        };
        let end = close.and_then(|close| list_end(&tokens, i, close, &is_literal));
        number += 1;
        text.push_str(&sql[copied..token.start as usize]);
        text.push('$');
        text.push_str(itoa::Buffer::new().format(number));
        match end {
            Some(end) => {
                text.push_str(" /*, ... */");
                LIST.hash(&mut hasher);
                i = end;
            }
            None => CONSTANT.hash(&mut hasher),
        }
        copied = tokens[i].end as usize;
        i += 1;
    }
    let end = tokens.last().map_or(sql.len(), |t| t.end as usize);
    text.push_str(&sql[copied.min(end)..end]);
    Normalized { text, fingerprint: hasher.finish() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_give_way_to_numbers() {
        for (sql, wanted) in [
            ("SELECT 1;", "SELECT $1"),
            (
                "SELECT a, 'x' , 2.5 FROM t WHERE b = -7 AND c IS NOT NULL",
                "SELECT a, $1 , $2 FROM t WHERE b = -$3 AND c IS NOT NULL",
            ),
            ("INSERT INTO t VALUES (1, NULL, true)", "INSERT INTO t VALUES ($1, $2, $3)"),
            ("SELECT $1 + 1, $2", "SELECT $1 + $3, $2"),
            ("SELECT * FROM t WHERE a IN (1, 2, 3)", "SELECT * FROM t WHERE a IN ($1 /*, ... */)"),
            ("SELECT * FROM t WHERE a IN (1)", "SELECT * FROM t WHERE a IN ($1)"),
            ("SELECT ARRAY[1, 2], f(1, 2)", "SELECT ARRAY[$1 /*, ... */], f($2, $3)"),
            ("CREATE TABLE t (a int DEFAULT 1)", "CREATE TABLE t (a int DEFAULT 1)"),
            ("SET work_mem = '1MB'", "SET work_mem = $1"),
            ("  SELECT 1 -- why\n", "SELECT $1"),
        ] {
            assert_eq!(normalized(sql, false).text, wanted);
        }
    }

    #[test]
    fn fingerprints_are_of_what_is_not_literal() {
        let print = |sql| normalized(sql, false).fingerprint;
        assert_eq!(print("SELECT a FROM t WHERE b = 5"), print("select  A from t\nwhere b = 'x'"));
        assert_eq!(print("SELECT 1 WHERE 1 IN (1, 2)"), print("SELECT 1 WHERE 1 IN (1, 2, 3)"));
        assert_ne!(print("SELECT a FROM t WHERE b = 5"), print("SELECT a FROM u WHERE b = 5"));
        assert_ne!(print("SELECT a FROM t WHERE b = 5"), print("SELECT a FROM t WHERE b = $1"));
        assert_ne!(print("SELECT 1"), print("SELECT -1"));
        // A template is the statement that it was made of.
        let template = syntax::template("SELECT a FROM t WHERE b = 5 AND c = 'x'").unwrap();
        let made = normalized(&template.text, true);
        assert_eq!(made, normalized("SELECT a FROM t WHERE b = 5 AND c = 'x'", false));
    }
}
