//! A statement's text without its literals, and a number that texts share which differ in nothing else.
//!
//! PostgreSQL tells statements apart by their analysed trees. Here the tokens decide: white space, comments and the case of names
//! do not count, but what a name means in another search path does not either. As in PostgreSQL 18, lists of constants are one place,
//! however long; of utility statements SET loses its values, transaction control and DEALLOCATE their names, and what is planned within one its
//! literals. Positions in ORDER BY and GROUP BY are no literals.

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

/// The first token that is planned: of a utility statement, the query in it.
fn planned_from(tokens: &[Token]) -> usize {
    let is = |at: usize, kw: Kw| tokens.get(at).is_some_and(|t| t.tok == Tok::Kw(kw));
    let behind = |kw: Kw| tokens.iter().position(|t| t.tok == Tok::Kw(kw)).map_or(usize::MAX, |at| at + 1);
    match tokens[0].tok {
        Tok::Kw(Kw::Select | Kw::Insert | Kw::Update | Kw::Delete | Kw::Merge | Kw::With | Kw::Values | Kw::Table)
        | Tok::Kw(Kw::Set)
        | Tok::Char(b'(') => 0,
        Tok::Kw(Kw::Declare) => behind(Kw::For),
        // CREATE TABLE ... AS, where what follows is a query.
        Tok::Kw(Kw::Create) if tokens.iter().take(4).any(|t| t.tok == Tok::Kw(Kw::Table)) => {
            let at = behind(Kw::As);
            let queries = [Kw::Select, Kw::With, Kw::Values, Kw::Table];
            if queries.iter().any(|&kw| is(at, kw)) { at } else { usize::MAX }
        }
        Tok::Kw(Kw::Prepare) => behind(Kw::As),
        Tok::Kw(Kw::Explain) => {
            let begins = [Kw::Select, Kw::Insert, Kw::Update, Kw::Delete, Kw::Merge, Kw::With, Kw::Values, Kw::Table];
            tokens.iter().position(|t| begins.iter().any(|&kw| t.tok == Tok::Kw(kw))).unwrap_or(usize::MAX)
        }
        _ => usize::MAX,
    }
}

/// The name at the end of a statement that PostgreSQL takes as a literal.
fn named_at_end(tokens: &[Token]) -> Option<usize> {
    let last = tokens.len() - 1;
    let names = match tokens[0].tok {
        Tok::Kw(Kw::Savepoint | Kw::Release) => true,
        Tok::Kw(Kw::Rollback) => tokens.iter().any(|t| t.tok == Tok::Kw(Kw::To)),
        Tok::Kw(Kw::Deallocate) => tokens[last].tok != Tok::Kw(Kw::All),
        _ => false,
    };
    (names && last > 0).then_some(last)
}

/// Numbers that are columns' positions: all of an item of ORDER BY or GROUP BY.
fn positions(tokens: &[Token]) -> Vec<usize> {
    let tok = |i: usize| tokens.get(i).map(|t| t.tok);
    let mut found = Vec::new();
    // Whether such a list goes on, for each bracket that is open, and outside of all.
    let mut lists = vec![false];
    for (i, token) in tokens.iter().enumerate() {
        let before = i.checked_sub(1).and_then(tok);
        match token.tok {
            Tok::Char(b'(' | b'[') => lists.push(false),
            Tok::Char(b')' | b']') if lists.len() > 1 => drop(lists.pop()),
            Tok::Kw(Kw::By) => *lists.last_mut().expect("the outermost stays") = true,
            Tok::Kw(kw) if ends_list(kw) => *lists.last_mut().expect("the outermost stays") = false,
            Tok::Int if lists.last() == Some(&true) => {
                let begins = matches!(before, Some(Tok::Kw(Kw::By) | Tok::Char(b',')));
                let ends = match tok(i + 1) {
                    None | Some(Tok::Char(b',' | b')')) => true,
                    Some(Tok::Kw(kw)) => ends_list(kw) || matches!(kw, Kw::Asc | Kw::Desc | Kw::Nulls),
                    _ => false,
                };
                if begins && ends {
                    found.push(i);
                }
            }
            _ => {}
        }
    }
    found
}

/// Words that no item of ORDER BY or GROUP BY contains outside of brackets.
fn ends_list(kw: Kw) -> bool {
    matches!(
        kw,
        Kw::Select
            | Kw::From
            | Kw::Where
            | Kw::Limit
            | Kw::Offset
            | Kw::Fetch
            | Kw::For
            | Kw::Having
            | Kw::Order
            | Kw::Window
            | Kw::Union
            | Kw::Intersect
            | Kw::Except
    )
}

/// Whether a minus sign at token `at` belongs to the number behind it: nothing stands before it that it could be taken from.
fn is_sign(tokens: &[Token], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|i| tokens[i].tok) else { return false };
    tokens[at].tok == Tok::Char(b'-')
        && match before {
            Tok::Char(c) => !matches!(c, b')' | b']'),
            Tok::Op => true,
            Tok::Kw(kw) => matches!(
                kw,
                Kw::Select
                    | Kw::Where
                    | Kw::And
                    | Kw::Or
                    | Kw::Not
                    | Kw::In
                    | Kw::Then
                    | Kw::Else
                    | Kw::When
                    | Kw::Between
                    | Kw::By
                    | Kw::Limit
                    | Kw::Offset
                    | Kw::Set
                    | Kw::Distinct
                    | Kw::Returning
            ),
            _ => false,
        }
}

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
    let end = loop {
        let token = lexer.next_token();
        match token.tok {
            Tok::Eof | Tok::Error => break sql.len(),
            Tok::Char(b';') => break token.start as usize,
            _ => {}
        }
        texts.push(lexer.text(&token));
        tokens.push(token);
    };
    if tokens.is_empty() {
        return Normalized { text: sql.trim().to_owned(), fingerprint: 0 };
    }
    let (planned_from, named, positions) = (planned_from(&tokens), named_at_end(&tokens), positions(&tokens));
    let highest = |t: &Token| {
        if t.tok == Tok::Param { sql[t.start as usize + 1..t.end as usize].parse().unwrap_or(0) } else { 0u32 }
    };
    // What is given keeps its numbers; those of literals come behind.
    let mut number = if literals { 0 } else { tokens.iter().map(highest).max().unwrap_or(0) };
    let is_literal = |i: usize| {
        let plans = i >= planned_from && positions.binary_search(&i).is_err();
        tokens.get(i).is_some_and(|t| match t.tok {
            _ if named == Some(i) => true,
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
    // Behind a template stands what makes it different from others.
    let end = if literals { tokens.last().map_or(end, |t| t.end as usize) } else { end };
    // As in PostgreSQL, comments around it stay in its text.
    let (mut copied, mut i) = (sql.len() - sql.trim_start().len(), 0);
    let mut hasher = DefaultHasher::new();
    while let Some(token) = tokens.get(i) {
        // A number's sign goes with it.
        if is_sign(&tokens, i) && is_literal(i + 1) {
            text.push_str(&sql[copied..token.start as usize]);
            copied = tokens[i + 1].start as usize;
            i += 1;
            continue;
        }
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
    text.push_str(sql[copied..end].trim_end());
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
                "SELECT a, $1 , $2 FROM t WHERE b = $3 AND c IS NOT NULL",
            ),
            ("INSERT INTO t VALUES (1, NULL, true)", "INSERT INTO t VALUES ($1, $2, $3)"),
            ("SELECT $1 + 1, $2", "SELECT $1 + $3, $2"),
            ("SELECT * FROM t WHERE a IN (1, 2, 3)", "SELECT * FROM t WHERE a IN ($1 /*, ... */)"),
            ("SELECT * FROM t WHERE a IN (1)", "SELECT * FROM t WHERE a IN ($1)"),
            ("SELECT ARRAY[1, 2], f(1, 2)", "SELECT ARRAY[$1 /*, ... */], f($2, $3)"),
            ("CREATE TABLE t (a int DEFAULT 1)", "CREATE TABLE t (a int DEFAULT 1)"),
            ("SET work_mem = '1MB'", "SET work_mem = $1"),
            ("SELECT 1 - 2, -3, a - 4, (-5), 'x' || -6", "SELECT $1 - $2, $3, a - $4, ($5), $6 || $7"),
            (
                "SELECT a FROM t GROUP BY 1, f(2) ORDER BY 1 DESC, a + 3 LIMIT 4",
                "SELECT a FROM t GROUP BY 1, f($1) ORDER BY 1 DESC, a + $2 LIMIT $3",
            ),
            ("RELEASE SAVEPOINT s1", "RELEASE SAVEPOINT $1"),
            ("ROLLBACK TO s1", "ROLLBACK TO $1"),
            ("DEALLOCATE ALL", "DEALLOCATE ALL"),
            ("CREATE TABLE u AS SELECT 1 AS a", "CREATE TABLE u AS SELECT $1 AS a"),
            ("DECLARE c CURSOR FOR SELECT 1", "DECLARE c CURSOR FOR SELECT $1"),
            ("  SELECT 1 -- why\n", "SELECT $1 -- why"),
            ("/* who */ SELECT 1 ; ", "/* who */ SELECT $1"),
            ("EXPLAIN (COSTS OFF) SELECT 1", "EXPLAIN (COSTS OFF) SELECT $1"),
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
        assert_eq!(print("SELECT 1"), print("SELECT -1"));
        assert_ne!(print("SELECT 1 - 1"), print("SELECT 1"));
        assert_ne!(print("SELECT a, b FROM t ORDER BY 1"), print("SELECT a, b FROM t ORDER BY 2"));
        assert_eq!(print("SAVEPOINT a"), print("SAVEPOINT b"));
        // A template is the statement that it was made of.
        let template = syntax::template("SELECT a FROM t WHERE b = 5 AND c = 'x'").unwrap();
        let made = normalized(&template.text, true);
        assert_eq!(made, normalized("SELECT a FROM t WHERE b = 5 AND c = 'x'", false));
    }
}
