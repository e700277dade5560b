//! Expressions: precedence climbing over PostgreSQL's operator table, and the primaries.
//!
//! Levels, loosest first: OR, AND, NOT, IS, comparison, BETWEEN/IN/LIKE, other operators, `+ -`, `* / %`, `^`, AT,
//! COLLATE, unary sign, `::`. IS, comparison and BETWEEN/IN/LIKE do not associate: a second one is a syntax error.

use super::Parser;
use crate::ast::*;
use crate::keyword::{Category, Kw};
use crate::lexer::Tok;
use types::{Result, SqlState};

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const IS: u8 = 4;
const COMPARISON: u8 = 5;
const MATCH: u8 = 6;
const OPERATOR: u8 = 8;
const SUM: u8 = 9;
const PRODUCT: u8 = 10;
const POWER: u8 = 11;
const AT: u8 = 12;
const COLLATE: u8 = 13;
const SIGN: u8 = 14;
const TYPECAST: u8 = 16;

/// What stood between parentheses.
pub(super) enum Paren {
    Query(Box<Select>),
    Exprs(Vec<Expr>),
}

impl Parser<'_> {
    /// a_expr: any expression.
    pub(super) fn a_expr(&mut self) -> Result<Expr> {
        self.expr(0, false)
    }

    /// b_expr: an expression without the operators whose words would be ambiguous in some places.
    pub(super) fn b_expr(&mut self) -> Result<Expr> {
        self.expr(0, true)
    }

    pub(super) fn expr_list(&mut self) -> Result<Vec<Expr>> {
        self.list(Self::a_expr)
    }

    fn expr(&mut self, min: u8, restricted: bool) -> Result<Expr> {
        self.enter()?;
        let outer = std::mem::replace(&mut self.height, 0);
        let left = self.prefix(restricted)?;
        let e = self.infix(left, min, restricted)?;
        self.raise()?;
        self.height = self.height.max(outer);
        self.leave();
        Ok(e)
    }

    /// An expression that begins with the primary `left`.
    fn expr_from(&mut self, left: Expr) -> Result<Expr> {
        let e = self.infix(left, 0, false)?;
        self.raise()?;
        Ok(e)
    }

    #[inline(never)]
    fn prefix(&mut self, restricted: bool) -> Result<Expr> {
        let pos = self.pos();
        let tok = self.cur;
        match tok {
            Tok::Char(b'-') => {
                self.bump();
                let arg = self.expr(SIGN + 1, restricted)?;
                Ok(negate(arg, pos))
            }
            Tok::Char(b'+') => {
                self.bump();
                let arg = self.expr(SIGN + 1, restricted)?;
                let op = Operator { schema: Vec::new(), name: Ident::const_new("+"), pos };
                Ok(Expr::new(ExprKind::Unary(Box::new(Unary { op, arg })), pos))
            }
            Tok::Kw(Kw::Not) if !restricted => {
                self.bump();
                let arg = self.expr(NOT, false)?;
                Ok(Expr::new(ExprKind::Not(Box::new(arg)), pos))
            }
            Tok::Op => {
                let op = self.all_op()?;
                let arg = self.expr(OPERATOR + 1, restricted)?;
                Ok(Expr::new(ExprKind::Unary(Box::new(Unary { op, arg })), pos))
            }
            Tok::Kw(Kw::Operator) if self.peek(1) == Tok::Char(b'(') => {
                let op = self.qualified_operator()?;
                let arg = self.expr(OPERATOR + 1, restricted)?;
                Ok(Expr::new(ExprKind::Unary(Box::new(Unary { op, arg })), pos))
            }
            Tok::Kw(Kw::Default) if !restricted => {
                self.bump();
                Ok(Expr::new(ExprKind::SetToDefault, pos))
            }
            Tok::Kw(Kw::Unique) if !restricted => {
                self.bump();
                if self.eat(Kw::Nulls) {
                    self.eat(Kw::Not);
                    self.expect(Kw::Distinct)?;
                }
                self.select_with_parens()?;
                self.unsupported_at("UNIQUE predicate is not yet implemented", pos)
            }
            _ => self.primary(),
        }
    }

    /// The level of the infix or postfix operator that the present token starts.
    #[inline]
    fn infix_level(&mut self, restricted: bool) -> Option<u8> {
        Some(match self.cur {
            Tok::Char(b'<' | b'>' | b'=') | Tok::LessEquals | Tok::GreaterEquals | Tok::NotEquals => COMPARISON,
            Tok::Char(b'+' | b'-') => SUM,
            Tok::Char(b'*' | b'/' | b'%') => PRODUCT,
            Tok::Char(b'^') => POWER,
            Tok::Op => OPERATOR,
            Tok::Typecast => TYPECAST,
            Tok::Kw(k) => match k {
                Kw::Operator => {
                    if self.peek(1) != Tok::Char(b'(') {
                        return None;
                    }
                    OPERATOR
                }
                Kw::Is => IS,
                _ if restricted => return None,
                Kw::And => AND,
                Kw::Or => OR,
                Kw::Isnull | Kw::Notnull => IS,
                Kw::In | Kw::Like | Kw::Ilike | Kw::Between => MATCH,
                Kw::Similar => {
                    if !self.peek_kw(1, Kw::To) {
                        return None;
                    }
                    MATCH
                }
                Kw::Not => match self.peek(1) {
                    Tok::Kw(Kw::Between | Kw::In | Kw::Like | Kw::Ilike | Kw::Similar) => MATCH,
                    _ => return None,
                },
                Kw::At => match self.peek(1) {
                    Tok::Kw(Kw::Time | Kw::Local) => AT,
                    _ => return None,
                },
                Kw::Collate => COLLATE,
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Whether the word at hand, which could be an operator, is a column label: nothing that could be its operand
    /// follows.
    fn is_label_here(&mut self) -> bool {
        let Tok::Kw(k) = self.cur else { return false };
        if !k.info().bare_label {
            return false;
        }
        match self.peek(1) {
            Tok::Eof | Tok::Char(b',' | b';' | b')') => true,
            Tok::Kw(n) => {
                matches!(n, Kw::From | Kw::Into | Kw::Where | Kw::Group | Kw::Having | Kw::Window | Kw::Union)
                    || matches!(
                        n,
                        Kw::Intersect | Kw::Except | Kw::Order | Kw::Limit | Kw::Offset | Kw::Fetch | Kw::For
                    )
            }
            _ => false,
        }
    }

    fn infix(&mut self, mut left: Expr, min: u8, restricted: bool) -> Result<Expr> {
        let mut closed = 0;
        loop {
            let Some(level) = self.infix_level(restricted) else { return Ok(left) };
            if level < min {
                return Ok(left);
            }
            if level == closed {
                return self.unexpected();
            }
            if matches!(self.cur, Tok::Kw(_)) && self.depth == self.label_depth && self.is_label_here() {
                return Ok(left);
            }
            closed = 0;
            left = match level {
                AND | OR => self.connective(left, level)?,
                COMPARISON | OPERATOR | SUM | PRODUCT | POWER => {
                    let (e, open) = self.binary(left, level, restricted)?;
                    if open {
                        closed = COMPARISON;
                    }
                    e
                }
                TYPECAST | COLLATE | AT => self.suffix(left, level)?,
                IS => {
                    let (e, open) = self.is_test(left, restricted)?;
                    self.raise()?;
                    if open {
                        closed = IS;
                    }
                    e
                }
                _ => {
                    let (e, open) = self.match_test(left)?;
                    self.raise()?;
                    if open {
                        closed = MATCH;
                    }
                    e
                }
            };
        }
    }

    /// `left AND right`, `left OR right`; chains stay flat.
    fn connective(&mut self, mut left: Expr, level: u8) -> Result<Expr> {
        let pos = self.pos();
        self.bump();
        let right = self.expr(level + 1, false)?;
        match (&mut left.kind, level) {
            (ExprKind::And(list), AND) | (ExprKind::Or(list), OR) => {
                list.push(right);
                return Ok(left);
            }
            _ => {}
        }
        let list = vec![left, right];
        Ok(Expr::new(if level == AND { ExprKind::And(list) } else { ExprKind::Or(list) }, pos))
    }

    /// `left op right`, or a quantified comparison. Tells whether it does not associate.
    fn binary(&mut self, left: Expr, level: u8, restricted: bool) -> Result<(Expr, bool)> {
        let pos = self.pos();
        let op = if self.is(Kw::Operator) { self.qualified_operator()? } else { self.all_op()? };
        if !restricted && matches!(self.cur, Tok::Kw(Kw::Any | Kw::Some | Kw::All)) {
            return Ok((self.quantified(left, op)?, false));
        }
        let right = self.expr(level + 1, restricted)?;
        self.raise()?;
        let e = Expr::new(ExprKind::Binary(Box::new(Binary { op, left, right })), pos);
        Ok((e, level == COMPARISON))
    }

    /// `::`, COLLATE, AT after `left`.
    #[inline(never)]
    fn suffix(&mut self, left: Expr, level: u8) -> Result<Expr> {
        let pos = self.pos();
        self.bump();
        let e = match level {
            TYPECAST => {
                let ty = self.type_name()?;
                Expr::new(ExprKind::Cast(Box::new(Cast { arg: left, ty })), pos)
            }
            COLLATE => {
                let collation = self.any_name()?;
                Expr::new(ExprKind::Collate(Box::new(Collate { arg: left, collation })), pos)
            }
            _ => {
                let mut args = Vec::with_capacity(2);
                if self.eat(Kw::Local) {
                    args.push(left);
                } else {
                    self.expect_all(&[Kw::Time, Kw::Zone])?;
                    let zone = self.expr(AT + 1, false)?;
                    args.push(zone);
                    args.push(left);
                }
                system_call("timezone", args, pos)
            }
        };
        self.raise()?;
        Ok(e)
    }

    /// `left op` was read, ANY, SOME or ALL comes.
    #[inline(never)]
    fn quantified(&mut self, left: Expr, op: Operator) -> Result<Expr> {
        let pos = op.pos;
        let all = self.is(Kw::All);
        self.bump();
        let source = match self.paren(false)? {
            Paren::Query(q) => QuantifiedSource::Query(*q),
            Paren::Exprs(mut e) => match e.pop() {
                Some(e) => QuantifiedSource::Array(e),
                None => return self.unexpected(),
            },
        };
        self.raise()?;
        Ok(Expr::new(ExprKind::Quantified(Box::new(Quantified { left, op, all, source })), pos))
    }

    /// What starts with IS, ISNULL or NOTNULL. Tells whether it ends with an open operand.
    #[inline(never)]
    fn is_test(&mut self, arg: Expr, restricted: bool) -> Result<(Expr, bool)> {
        let pos = self.pos();
        let simple = |not, test, arg| (Expr::new(ExprKind::Is(Box::new(Is { not, test, arg })), pos), false);
        if self.eat(Kw::Isnull) {
            return Ok(simple(false, IsTest::Null, arg));
        }
        if self.eat(Kw::Notnull) {
            return Ok(simple(true, IsTest::Null, arg));
        }
        self.expect(Kw::Is)?;
        let not = self.eat(Kw::Not);
        let Tok::Kw(k) = self.cur else { return self.unexpected() };
        if restricted && !matches!(k, Kw::Distinct | Kw::Document) {
            return self.unexpected();
        }
        let test = match k {
            Kw::Null => IsTest::Null,
            Kw::True => IsTest::True,
            Kw::False => IsTest::False,
            Kw::Unknown => IsTest::Unknown,
            Kw::Document => IsTest::Document,
            Kw::Distinct => {
                self.bump();
                self.expect(Kw::From)?;
                let right = self.expr(IS + 1, restricted)?;
                let e = ExprKind::IsDistinctFrom(Box::new(IsDistinctFrom { not, left: arg, right }));
                return Ok((Expr::new(e, pos), true));
            }
            Kw::Json => {
                self.bump();
                return Ok((self.is_json(arg, not, pos)?, false));
            }
            Kw::Normalized | Kw::Nfc | Kw::Nfd | Kw::Nfkc | Kw::Nfkd => {
                let mut args = vec![arg];
                if k != Kw::Normalized {
                    args.push(self.normal_form()?);
                }
                self.expect(Kw::Normalized)?;
                let call = system_call("is_normalized", args, pos);
                let e = if not { Expr::new(ExprKind::Not(Box::new(call)), pos) } else { call };
                return Ok((e, false));
            }
            _ => return self.unexpected(),
        };
        self.bump();
        Ok(simple(not, test, arg))
    }

    /// A Unicode normal form, as the string constant it stands for.
    pub(super) fn normal_form(&mut self) -> Result<Expr> {
        let Tok::Kw(Kw::Nfc | Kw::Nfd | Kw::Nfkc | Kw::Nfkd) = self.cur else { return self.unexpected() };
        let t = self.bump();
        let text = Ident::from(self.text(&t).to_ascii_uppercase());
        Ok(Expr::new(ExprKind::Literal(Literal::String(text)), Pos(t.start)))
    }

    /// `[NOT] BETWEEN | IN | LIKE | ILIKE | SIMILAR TO`. Tells whether it ends with an open operand.
    #[inline(never)]
    fn match_test(&mut self, arg: Expr) -> Result<(Expr, bool)> {
        let pos = self.pos();
        let not = self.eat(Kw::Not);
        let Tok::Kw(k) = self.cur else { return self.unexpected() };
        self.bump();
        let kind = match k {
            Kw::In => {
                let kind = match self.paren(true)? {
                    Paren::Query(q) => ExprKind::InSubquery(Box::new(InSubquery { not, arg, query: *q })),
                    Paren::Exprs(list) => ExprKind::InList(Box::new(InList { not, arg, list })),
                };
                return Ok((Expr::new(kind, pos), false));
            }
            Kw::Between => {
                let symmetric = self.eat(Kw::Symmetric);
                if !symmetric {
                    self.eat(Kw::Asymmetric);
                }
                let low = self.b_expr()?;
                self.expect(Kw::And)?;
                let high = self.expr(MATCH + 1, false)?;
                let e = ExprKind::Between(Box::new(Between { not, symmetric, arg, low, high }));
                return Ok((Expr::new(e, pos), true));
            }
            Kw::Like => LikeKind::Like,
            Kw::Ilike => LikeKind::ILike,
            _ => {
                self.expect(Kw::To)?;
                LikeKind::SimilarTo
            }
        };
        if kind != LikeKind::SimilarTo && matches!(self.cur, Tok::Kw(Kw::Any | Kw::Some | Kw::All)) {
            let name = Ident::const_new(like_operator(kind, not));
            let op = Operator { schema: Vec::new(), name, pos };
            return Ok((self.quantified(arg, op)?, false));
        }
        let pattern = self.expr(MATCH + 1, false)?;
        let escape = if self.eat(Kw::Escape) { Some(self.expr(MATCH + 1, false)?) } else { None };
        let e = ExprKind::Like(Box::new(Like { kind, not, arg, pattern, escape }));
        Ok((Expr::new(e, pos), true))
    }

    /// `( query )`, `( expr )` or, where `many`, `( expr, … )`.
    pub(super) fn paren(&mut self, many: bool) -> Result<Paren> {
        self.enter()?;
        self.expect_ch(b'(')?;
        let out = match self.cur {
            Tok::Kw(Kw::Select | Kw::Values | Kw::Table | Kw::With) => {
                let q = self.select_no_parens()?;
                Paren::Query(Box::new(q))
            }
            Tok::Char(b'(') => {
                let pos = self.pos();
                match self.paren(true)? {
                    Paren::Query(q) => match self.cur {
                        Tok::Char(b')') => Paren::Query(q),
                        _ if self.continues_query() => Paren::Query(Box::new(self.select_from_operand(*q)?)),
                        _ => {
                            let first = self.subquery_primary(q, pos)?;
                            self.rest_of_list(first, many)?
                        }
                    },
                    Paren::Exprs(list) => {
                        let first = self.group(list, pos)?;
                        self.rest_of_list(first, many)?
                    }
                }
            }
            _ => {
                let first = self.a_expr()?;
                let mut list = vec![first];
                if many {
                    while self.eat_ch(b',') {
                        list.push(self.a_expr()?);
                    }
                }
                Paren::Exprs(list)
            }
        };
        self.expect_ch(b')')?;
        self.leave();
        Ok(out)
    }

    #[inline(never)]
    fn rest_of_list(&mut self, first: Expr, many: bool) -> Result<Paren> {
        let first = self.expr_from(first)?;
        let mut list = vec![first];
        if many {
            while self.eat_ch(b',') {
                list.push(self.a_expr()?);
            }
        }
        Ok(Paren::Exprs(list))
    }

    /// The primary that a parenthesised query is.
    #[inline(never)]
    fn subquery_primary(&mut self, q: Box<Select>, pos: Pos) -> Result<Expr> {
        let e = Expr::new(ExprKind::ScalarSubquery(q), pos);
        self.with_indirection(e)
    }

    /// The primary that a parenthesised list of expressions is: a group or a row.
    #[inline(never)]
    fn group(&mut self, mut list: Vec<Expr>, pos: Pos) -> Result<Expr> {
        if list.len() == 1
            && let Some(e) = list.pop()
        {
            return self.with_indirection(e);
        }
        if self.is(Kw::Overlaps) {
            return self.overlaps(list, pos);
        }
        Ok(Expr::new(ExprKind::Row(Box::new(Row { explicit: false, fields: list })), pos))
    }

    /// `row OVERLAPS row`
    #[inline(never)]
    fn overlaps(&mut self, mut left: Vec<Expr>, left_pos: Pos) -> Result<Expr> {
        let pos = self.pos();
        self.expect(Kw::Overlaps)?;
        let right_pos = self.pos();
        let right = if self.eat(Kw::Row) {
            self.row_fields()?
        } else {
            match self.paren(true)? {
                Paren::Exprs(list) if list.len() > 1 => list,
                _ => return self.unexpected(),
            }
        };
        let wrong = |side| format!("wrong number of parameters on {side} side of OVERLAPS expression");
        if left.len() != 2 {
            return self.syntax_at(wrong("left"), left_pos);
        }
        if right.len() != 2 {
            return self.syntax_at(wrong("right"), right_pos);
        }
        left.extend(right);
        Ok(system_call("overlaps", left, pos))
    }

    #[inline(never)]
    fn row_fields(&mut self) -> Result<Vec<Expr>> {
        self.expect_ch(b'(')?;
        if self.eat_ch(b')') {
            return Ok(Vec::new());
        }
        let fields = self.expr_list()?;
        self.expect_ch(b')')?;
        Ok(fields)
    }

    /// `arg` with the subscripts and fields that follow it.
    #[inline(never)]
    fn with_indirection(&mut self, arg: Expr) -> Result<Expr> {
        if !matches!(self.cur, Tok::Char(b'.' | b'[')) {
            return Ok(arg);
        }
        let path = self.indirection()?;
        self.check_indirection(&path)?;
        self.raise()?;
        let pos = arg.pos;
        Ok(Expr::new(ExprKind::Indirection(Box::new(IndirectionExpr { arg, path })), pos))
    }

    fn check_indirection(&self, path: &[Indirection]) -> Result<()> {
        match path.iter().position(|s| matches!(s, Indirection::Star(_))) {
            Some(n) if n + 1 < path.len() => Err(self.near("improper use of \"*\"")),
            _ => Ok(()),
        }
    }

    /// Any number of `.name`, `.*`, `[i]`, `[i:j]`.
    #[inline(never)]
    pub(super) fn indirection(&mut self) -> Result<Vec<Indirection>> {
        let mut path = Vec::new();
        loop {
            match self.cur {
                Tok::Char(b'.') => {
                    self.bump();
                    let pos = self.pos();
                    if self.eat_ch(b'*') {
                        path.push(Indirection::Star(pos));
                    } else {
                        path.push(Indirection::Field(self.col_label()?));
                    }
                }
                Tok::Char(b'[') => {
                    self.bump();
                    let low = if self.is_ch(b':') { None } else { Some(self.a_expr()?) };
                    if self.eat_ch(b':') {
                        let high = if self.is_ch(b']') { None } else { Some(self.a_expr()?) };
                        path.push(Indirection::Slice(low.map(Box::new), high.map(Box::new)));
                    } else if let Some(index) = low {
                        path.push(Indirection::Index(index));
                    }
                    self.expect_ch(b']')?;
                }
                _ => return Ok(path),
            }
        }
    }

    fn literal(&mut self, literal: Literal) -> Expr {
        let t = self.bump();
        Expr::new(ExprKind::Literal(literal), Pos(t.start))
    }

    /// c_expr: an expression without operators.
    pub(super) fn c_expr(&mut self) -> Result<Expr> {
        self.enter()?;
        let e = self.primary()?;
        self.leave();
        Ok(e)
    }

    /// AexprConst: a constant, no more.
    pub(super) fn constant(&mut self) -> Result<Expr> {
        if matches!(self.cur, Tok::Char(_) | Tok::Param) {
            return self.unexpected();
        }
        let e = self.c_expr()?;
        match &e.kind {
            ExprKind::Literal(_) => Ok(e),
            ExprKind::Cast(c) if e.pos == Pos::NONE && matches!(c.arg.kind, ExprKind::Literal(_)) => Ok(e),
            _ => self.unexpected(),
        }
    }

    #[inline(never)]
    fn primary(&mut self) -> Result<Expr> {
        let t = self.token();
        let pos = Pos(t.start);
        match self.cur {
            Tok::Int => {
                let v = self.lex.int(&t);
                Ok(self.literal(Literal::Integer(v)))
            }
            Tok::Str => {
                let v = self.text(&t);
                Ok(self.literal(Literal::String(v)))
            }
            Tok::Number => {
                let v = self.text(&t);
                Ok(self.literal(Literal::Number(v)))
            }
            Tok::Bits => {
                let v = self.text(&t);
                Ok(self.literal(Literal::BitString(v)))
            }
            Tok::Param => {
                self.bump();
                let e = Expr::new(ExprKind::Param(self.lex.int(&t)), pos);
                self.with_indirection(e)
            }
            Tok::Ident => self.name_primary(),
            Tok::Char(b'(') => match self.paren(true)? {
                Paren::Query(q) => self.subquery_primary(q, pos),
                Paren::Exprs(list) => self.group(list, pos),
            },
            Tok::Kw(k) => match k {
                Kw::Null => Ok(self.literal(Literal::Null)),
                Kw::True => Ok(self.literal(Literal::Bool(true))),
                Kw::False => Ok(self.literal(Literal::Bool(false))),
                Kw::Case => self.case(),
                Kw::Exists if self.peek(1) == Tok::Char(b'(') => {
                    self.bump();
                    let q = self.select_with_parens()?;
                    Ok(Expr::new(ExprKind::Exists(Box::new(q)), pos))
                }
                Kw::Array => {
                    self.bump();
                    if self.is_ch(b'(') {
                        let q = self.select_with_parens()?;
                        return Ok(Expr::new(ExprKind::ArraySubquery(Box::new(q)), pos));
                    }
                    let mut e = self.array_brackets()?;
                    e.pos = pos;
                    Ok(e)
                }
                Kw::Row if self.peek(1) == Tok::Char(b'(') => {
                    self.bump();
                    let fields = self.row_fields()?;
                    if self.is(Kw::Overlaps) {
                        return self.overlaps(fields, pos);
                    }
                    Ok(Expr::new(ExprKind::Row(Box::new(Row { explicit: true, fields })), pos))
                }
                Kw::Grouping if self.peek(1) == Tok::Char(b'(') => {
                    self.bump();
                    self.bump();
                    let list = self.expr_list()?;
                    self.expect_ch(b')')?;
                    Ok(Expr::new(ExprKind::Grouping(list), pos))
                }
                _ => {
                    if let Some(e) = self.special_function(k)? {
                        return Ok(e);
                    }
                    if let Some(e) = self.type_constant(k)? {
                        return Ok(e);
                    }
                    if k.category() == Category::Reserved { self.unexpected() } else { self.name_primary() }
                }
            },
            _ => self.unexpected(),
        }
    }

    /// `[ … ]` of an array; nested brackets are arrays too.
    #[inline(never)]
    fn array_brackets(&mut self) -> Result<Expr> {
        self.enter()?;
        let pos = self.pos();
        self.expect_ch(b'[')?;
        let mut list = Vec::new();
        if self.is_ch(b'[') {
            list = self.list(Self::array_brackets)?;
        } else if !self.is_ch(b']') {
            list = self.expr_list()?;
        }
        self.expect_ch(b']')?;
        self.raise()?;
        self.leave();
        Ok(Expr::new(ExprKind::Array(list), pos))
    }

    #[inline(never)]
    fn case(&mut self) -> Result<Expr> {
        let pos = self.pos();
        self.bump();
        let operand = if self.is(Kw::When) { None } else { Some(self.a_expr()?) };
        let mut whens = Vec::with_capacity(2);
        loop {
            let pos = self.pos();
            self.expect(Kw::When)?;
            let condition = self.a_expr()?;
            self.expect(Kw::Then)?;
            let result = self.a_expr()?;
            whens.push(CaseWhen { condition, result, pos });
            if !self.is(Kw::When) {
                break;
            }
        }
        let default = if self.eat(Kw::Else) { Some(self.a_expr()?) } else { None };
        self.expect(Kw::End)?;
        Ok(Expr::new(ExprKind::Case(Box::new(Case { operand, whens, default })), pos))
    }

    /// What starts with a name: a column, a function call, a constant of a named type.
    #[inline(never)]
    fn name_primary(&mut self) -> Result<Expr> {
        let tok = self.cur;
        let next = self.peek(1);
        let t = self.bump();
        let pos = Pos(t.start);
        let first = self.name_of(&t);
        match next {
            Tok::Char(b'(') | Tok::Str if Self::is_type_function_name(tok) => {
                return self.call_or_constant(vec![first], pos);
            }
            _ if !Self::is_col_id(tok) => return self.unexpected(),
            Tok::Char(b'.' | b'[') => {}
            _ => return Ok(Expr::new(ExprKind::Column(vec![first]), pos)),
        }
        let mut parts = Vec::with_capacity(2);
        parts.push(first);
        while self.is_ch(b'.') && self.peek(1) != Tok::Char(b'*') {
            self.bump();
            parts.push(self.col_label()?);
        }
        match self.cur {
            Tok::Char(b'(') | Tok::Str if parts.len() > 1 => return self.call_or_constant(parts, pos),
            Tok::Char(b'.' | b'[') => {}
            _ => return Ok(Expr::new(ExprKind::Column(parts), pos)),
        }
        let path = self.indirection()?;
        self.check_indirection(&path)?;
        if let [Indirection::Star(_)] = path[..] {
            return Ok(Expr::new(ExprKind::Star(parts), pos));
        }
        let arg = Expr::new(ExprKind::Column(parts), pos);
        self.raise()?;
        Ok(Expr::new(ExprKind::Indirection(Box::new(IndirectionExpr { arg, path })), pos))
    }

    /// `name (…)`, `name 'text'` or `name (…) 'text'`; the name has been read.
    #[inline(never)]
    fn call_or_constant(&mut self, name: QualifiedName, pos: Pos) -> Result<Expr> {
        let mut typmods = Vec::new();
        if self.is_ch(b'(') {
            let (call, shape) = self.func_application(name)?;
            if self.cur != Tok::Str {
                return self.func_tail(call, pos);
            }
            if !shape.plain {
                return self.unexpected();
            }
            for arg in &call.args {
                if arg.name.is_some() {
                    let pos = arg.location();
                    return self.syntax_at("type modifier cannot have parameter name", pos);
                }
            }
            if !call.order_by.is_empty() {
                return self.syntax_at("type modifier cannot have ORDER BY", shape.order);
            }
            typmods.extend(call.args.into_iter().map(|a| a.value));
            return self.string_constant(call.name, typmods, pos);
        }
        self.string_constant(name, typmods, pos)
    }

    #[inline(never)]
    fn string_constant(&mut self, names: QualifiedName, typmods: Vec<Expr>, pos: Pos) -> Result<Expr> {
        let ty = TypeName { names, typmods, array_bounds: Vec::new(), setof: false, pct_type: false, pos };
        self.constant_of(ty)
    }

    /// The string constant at hand as a constant of type `ty`.
    pub(super) fn constant_of(&mut self, ty: TypeName) -> Result<Expr> {
        let pos = self.pos();
        let text = self.sconst()?;
        let arg = Expr::new(ExprKind::Literal(Literal::String(text)), pos);
        Ok(Expr::new(ExprKind::Cast(Box::new(Cast { arg, ty })), Pos::NONE))
    }

    /// The error for a name that is a Unicode-free word PostgreSQL keeps for itself.
    pub(super) fn windowing(&self, message: &str, pos: Pos) -> types::SqlError {
        self.error(SqlState::WINDOWING_ERROR, message, pos)
    }
}

/// `- arg`, folded into a number.
fn negate(mut arg: Expr, pos: Pos) -> Expr {
    match &mut arg.kind {
        ExprKind::Literal(Literal::Integer(v)) => {
            *v = v.wrapping_neg();
            arg.pos = pos;
            arg
        }
        ExprKind::Literal(Literal::Number(text)) => {
            match text.strip_prefix('-') {
                Some(rest) => *text = Ident::new(rest),
                None => *text = Ident::from(format!("-{text}")),
            }
            arg.pos = pos;
            arg
        }
        _ => {
            let op = Operator { schema: Vec::new(), name: Ident::const_new("-"), pos };
            Expr::new(ExprKind::Unary(Box::new(Unary { op, arg })), pos)
        }
    }
}

/// The qualified name of a built-in.
pub(super) fn system_name(name: &'static str, pos: Pos) -> QualifiedName {
    vec![Name { text: Ident::const_new("pg_catalog"), pos }, Name { text: Ident::const_new(name), pos }]
}

/// A call of a built-in, as a special syntax means it.
pub(super) fn system_call(name: &'static str, args: Vec<Expr>, pos: Pos) -> Expr {
    let mut call = plain_call(system_name(name, pos), args);
    call.sql_syntax = true;
    Expr::new(ExprKind::FuncCall(Box::new(call)), pos)
}

pub(super) fn plain_call(name: QualifiedName, args: Vec<Expr>) -> FuncCall {
    FuncCall {
        name,
        args: args.into_iter().map(|value| FuncArg { name: None, value }).collect(),
        star: false,
        distinct: false,
        variadic: false,
        order_by: Vec::new(),
        within_group: false,
        filter: None,
        over: None,
        sql_syntax: false,
    }
}
