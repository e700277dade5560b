//! Tokens to trees: recursive descent for statements, precedence climbing for expressions.
//!
//! The grammar PostgreSQL gives to a parser generator is followed by hand; where that one decides by a token of
//! look-ahead, so does this one, so that errors fall on the same token.
//!
//! Two limits keep any input harmless: `depth` counts the parser's own nesting, `height` the nesting of the tree made
//! (a chain `1 + 1 + …` is parsed in a loop, but is a deep tree to whoever walks or drops it).

mod alter_table;
mod constraint;
mod copy;
mod dml;
mod expr;
mod from;
mod func;
mod function;
mod index;
mod json;
mod maintenance;
mod names;
mod object;
mod options;
mod other;
mod privilege;
mod publication;
mod role;
mod select;
mod sequence;
mod settings;
mod statement;
mod table;
mod transaction;
mod trigger;
mod types;
mod user_type;
mod view;
mod window;
mod xml;

use crate::ast::{Expr, Ident, Name, Pos, Span, Statement, TypeName};
use crate::keyword::{Category, Kw};
use crate::lexer::{Lexer, Tok, Token};
use ::types::{Result, SqlError, SqlState};

/// How deep the parser nests itself: so many levels, or so much of the stack, whichever comes first. Threads have 2 MiB
/// by default; as in PostgreSQL, what counts is the distance between addresses of locals.
const DEPTH_MAX: u32 = 4000;
const STACK_BYTES_MAX: usize = 1 << 20;
/// How high a tree it makes.
const HEIGHT_MAX: u32 = 4000;

pub(crate) struct Parser<'a> {
    lex: Lexer<'a>,
    toks: Vec<Token>,
    at: usize,
    /// Kind of the present token.
    cur: Tok,
    depth: u32,
    /// Address of a local where the parse began.
    stack_base: usize,
    height: u32,
    /// An argument read before it was known what it belongs to (`func`).
    first: Option<Expr>,
    /// CREATE TABLE must be CREATE TABLE AS, as after EXPLAIN.
    query_only: bool,
    /// Depth of the select list's own expressions, where an operator's word may turn out to be a label.
    label_depth: u32,
    /// Where the last token passed over ends.
    last_end: u32,
}

/// Parses a text of any number of statements. The whole text is parsed before anything is returned, as in PostgreSQL.
///
/// # Errors
/// PostgreSQL's syntax errors, with positions.
pub fn parse(sql: &str) -> Result<Vec<Statement>> {
    Parser::new(sql)?.statements()
}

/// Like [`parse`]; notices about truncated identifiers are added to `notices`.
///
/// # Errors
/// As [`parse`].
pub fn parse_with_notices(sql: &str, notices: &mut Vec<SqlError>) -> Result<Vec<Statement>> {
    let mut p = Parser::new(sql)?;
    let result = p.statements();
    notices.append(&mut p.lex.notices);
    result
}

/// Parses a text that is one expression.
///
/// # Errors
/// As [`parse`].
pub fn parse_expr(sql: &str) -> Result<Expr> {
    let mut p = Parser::new(sql)?;
    let e = p.a_expr()?;
    p.expect_end()?;
    Ok(e)
}

/// Parses a text that is one type name, as PostgreSQL's `regtype` input takes it.
///
/// # Errors
/// As [`parse`].
pub fn parse_type_name(sql: &str) -> Result<TypeName> {
    let mut p = Parser::new(sql)?;
    let t = p.type_name()?;
    p.expect_end()?;
    Ok(t)
}

/// The address of a local: how far the stack has grown.
#[inline]
fn stack_address() -> usize {
    let local = 0u8;
    std::ptr::from_ref(std::hint::black_box(&local)).addr()
}

impl<'a> Parser<'a> {
    fn new(sql: &'a str) -> Result<Parser<'a>> {
        if sql.len() >= u32::MAX as usize / 4 {
            return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "query string is too long"));
        }
        let mut p = Parser {
            lex: Lexer::new(sql),
            toks: Vec::with_capacity(32),
            at: 0,
            cur: Tok::Eof,
            depth: 0,
            stack_base: stack_address(),
            height: 0,
            first: None,
            query_only: false,
            label_depth: 0,
            last_end: 0,
        };
        p.fill(0);
        p.cur = p.toks[0].tok;
        Ok(p)
    }

    #[inline]
    fn fill(&mut self, n: usize) {
        while self.toks.len() <= self.at + n {
            let t = self.lex.next_token();
            self.toks.push(t);
        }
    }

    /// The present token.
    #[inline]
    fn token(&self) -> Token {
        self.toks[self.at]
    }

    /// Kind of the token `n` after the present one.
    #[inline]
    fn peek(&mut self, n: usize) -> Tok {
        self.fill(n);
        self.toks[self.at + n].tok
    }

    #[inline]
    fn peek_kw(&mut self, n: usize, k: Kw) -> bool {
        self.peek(n) == Tok::Kw(k)
    }

    #[inline]
    fn pos(&self) -> Pos {
        Pos(self.toks[self.at].start)
    }

    /// Passes over the present token.
    #[inline]
    fn bump(&mut self) -> Token {
        let t = self.toks[self.at];
        self.last_end = t.end;
        self.fill(1);
        self.at += 1;
        self.cur = self.toks[self.at].tok;
        t
    }

    #[inline]
    fn is(&self, k: Kw) -> bool {
        self.cur == Tok::Kw(k)
    }

    #[inline]
    fn is_ch(&self, c: u8) -> bool {
        self.cur == Tok::Char(c)
    }

    #[inline]
    fn eat(&mut self, k: Kw) -> bool {
        let yes = self.is(k);
        if yes {
            self.bump();
        }
        yes
    }

    #[inline]
    fn eat_ch(&mut self, c: u8) -> bool {
        let yes = self.is_ch(c);
        if yes {
            self.bump();
        }
        yes
    }

    #[inline]
    fn expect(&mut self, k: Kw) -> Result<()> {
        if self.eat(k) { Ok(()) } else { self.unexpected() }
    }

    fn expect_all(&mut self, ks: &[Kw]) -> Result<()> {
        ks.iter().try_for_each(|k| self.expect(*k))
    }

    #[inline]
    fn expect_ch(&mut self, c: u8) -> Result<()> {
        if self.eat_ch(c) { Ok(()) } else { self.unexpected() }
    }

    fn expect_end(&mut self) -> Result<()> {
        if self.cur == Tok::Eof { Ok(()) } else { self.unexpected() }
    }

    /// Whether the word `IF EXISTS` comes, and passes over it.
    fn if_exists(&mut self) -> Result<bool> {
        if self.is(Kw::If) && self.peek_kw(1, Kw::Exists) {
            self.bump();
            self.bump();
            return Ok(true);
        }
        Ok(false)
    }

    /// `IF EXISTS` where no name can stand: IF can be nothing else.
    fn only_if_exists(&mut self) -> Result<bool> {
        if !self.eat(Kw::If) {
            return Ok(false);
        }
        self.expect(Kw::Exists)?;
        Ok(true)
    }

    /// Whether `IF NOT EXISTS` comes, and passes over it.
    fn if_not_exists(&mut self) -> Result<bool> {
        if self.is(Kw::If) && self.peek_kw(1, Kw::Not) {
            self.bump();
            self.bump();
            self.expect(Kw::Exists)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// The syntax error at the present token.
    #[cold]
    fn unexpected<T>(&self) -> Result<T> {
        Err(self.near("syntax error"))
    }

    /// An error about the present token, which it quotes.
    #[cold]
    fn near(&self, message: &str) -> SqlError {
        if self.cur == Tok::Error
            && let Some(e) = self.lex.error()
        {
            return e.clone();
        }
        let t = self.token();
        self.lex.error_near(message, t.start as usize, t.end as usize)
    }

    /// An error at `pos`.
    #[cold]
    fn error(&self, state: SqlState, message: impl Into<String>, pos: Pos) -> SqlError {
        SqlError::new(state, message).at(pos.char_position(self.lex.source()))
    }

    #[cold]
    fn syntax_at<T>(&self, message: impl Into<String>, pos: Pos) -> Result<T> {
        Err(self.error(SqlState::SYNTAX_ERROR, message, pos))
    }

    #[cold]
    fn unsupported_at<T>(&self, message: impl Into<String>, pos: Pos) -> Result<T> {
        Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, pos))
    }

    #[cold]
    fn too_deep(&self) -> SqlError {
        SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")
    }

    /// Enters a level of nesting; [`Parser::leave`] ends it (an error ends the parse, so needs no leaving).
    #[inline]
    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX || self.stack_base.abs_diff(stack_address()) > STACK_BYTES_MAX {
            return Err(self.too_deep());
        }
        Ok(())
    }

    #[inline]
    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Counts a tree node put above what was parsed since the enclosing node began.
    #[inline]
    fn raise(&mut self) -> Result<()> {
        self.height += 1;
        if self.height > HEIGHT_MAX { Err(self.too_deep()) } else { Ok(()) }
    }

    fn span_from(&self, start: Pos) -> Span {
        Span { start, end: Pos(self.last_end) }
    }

    fn text(&self, t: &Token) -> Ident {
        self.lex.text(t)
    }

    fn name_of(&self, t: &Token) -> Name {
        Name { text: self.lex.text(t), pos: Pos(t.start) }
    }

    /// `name IDENT | unreserved | col_name`, if the present token is one.
    fn is_col_id(tok: Tok) -> bool {
        match tok {
            Tok::Ident => true,
            Tok::Kw(k) => matches!(k.category(), Category::Unreserved | Category::ColName),
            _ => false,
        }
    }

    fn is_type_function_name(tok: Tok) -> bool {
        match tok {
            Tok::Ident => true,
            Tok::Kw(k) => matches!(k.category(), Category::Unreserved | Category::TypeFuncName),
            _ => false,
        }
    }

    fn is_non_reserved_word(tok: Tok) -> bool {
        match tok {
            Tok::Ident => true,
            Tok::Kw(k) => k.category() != Category::Reserved,
            _ => false,
        }
    }

    fn is_col_label(tok: Tok) -> bool {
        matches!(tok, Tok::Ident | Tok::Kw(_))
    }

    fn is_bare_col_label(tok: Tok) -> bool {
        match tok {
            Tok::Ident => true,
            Tok::Kw(k) => k.info().bare_label,
            _ => false,
        }
    }

    fn take_name(&mut self, ok: bool) -> Result<Name> {
        if !ok {
            return self.unexpected();
        }
        let t = self.bump();
        Ok(self.name_of(&t))
    }

    /// ColId; most names.
    #[inline]
    fn col_id(&mut self) -> Result<Name> {
        self.take_name(Self::is_col_id(self.cur))
    }

    /// ColLabel: any word.
    fn col_label(&mut self) -> Result<Name> {
        self.take_name(Self::is_col_label(self.cur))
    }

    fn type_function_name(&mut self) -> Result<Name> {
        self.take_name(Self::is_type_function_name(self.cur))
    }

    fn non_reserved_word(&mut self) -> Result<Name> {
        self.take_name(Self::is_non_reserved_word(self.cur))
    }

    /// A string constant.
    fn sconst(&mut self) -> Result<Ident> {
        if self.cur != Tok::Str {
            return self.unexpected();
        }
        let t = self.bump();
        Ok(self.text(&t))
    }

    /// A string constant or a non-reserved word.
    fn word_or_sconst(&mut self) -> Result<Name> {
        self.take_name(self.cur == Tok::Str || Self::is_non_reserved_word(self.cur))
    }

    /// An unsigned integer constant.
    fn iconst(&mut self) -> Result<i32> {
        if self.cur != Tok::Int {
            return self.unexpected();
        }
        let t = self.bump();
        Ok(self.lex.int(&t))
    }

    /// An integer constant with an optional sign.
    fn signed_iconst(&mut self) -> Result<i32> {
        if self.eat_ch(b'-') {
            return Ok(-self.iconst()?);
        }
        self.eat_ch(b'+');
        self.iconst()
    }

    /// Any number with an optional sign, as written.
    fn numeric_only(&mut self) -> Result<Ident> {
        let minus = self.is_ch(b'-');
        if !minus {
            self.eat_ch(b'+');
        } else {
            self.bump();
        }
        if !matches!(self.cur, Tok::Int | Tok::Number) {
            return self.unexpected();
        }
        let t = self.bump();
        let text = match t.tok {
            Tok::Int => Ident::from(self.lex.int(&t).to_string()),
            _ => self.text(&t),
        };
        Ok(if minus { Ident::from(format!("-{text}")) } else { text })
    }

    /// One or more of what `item` parses, with commas between.
    #[inline]
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let first = item(self)?;
        let mut out = Vec::with_capacity(if self.is_ch(b',') { 4 } else { 1 });
        out.push(first);
        while self.eat_ch(b',') {
            out.push(item(self)?);
        }
        Ok(out)
    }

    /// `( list )`
    fn paren_list<T>(&mut self, item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect_ch(b'(')?;
        let out = self.list(item)?;
        self.expect_ch(b')')?;
        Ok(out)
    }

    /// `( names )`, if there is a parenthesis.
    fn opt_name_list(&mut self) -> Result<Vec<Name>> {
        if self.is_ch(b'(') { self.paren_list(Self::col_id) } else { Ok(Vec::new()) }
    }
}
