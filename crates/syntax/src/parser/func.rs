//! Function calls, and functions with a syntax of their own.

use super::Parser;
use super::expr::{plain_call, system_call, system_name};
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

/// What a list of arguments could be besides.
pub(super) struct Shape {
    /// A list of type modifiers.
    pub plain: bool,
    /// Where its ORDER BY is, if it has one.
    pub order: Pos,
}

impl Parser<'_> {
    /// `name := x`, `name => x` or `x`.
    fn func_arg(&mut self) -> Result<FuncArg> {
        if Self::is_type_function_name(self.cur) && matches!(self.peek(1), Tok::ColonEquals | Tok::EqualsGreater) {
            let name = self.type_function_name()?;
            self.bump();
            return Ok(FuncArg { name: Some(name), value: self.a_expr()? });
        }
        Ok(FuncArg { name: None, value: self.a_expr()? })
    }

    /// `( arguments )` after a function's name. Tells whether it could as well be a type's modifiers.
    #[inline(never)]
    pub(super) fn func_application(&mut self, name: QualifiedName) -> Result<(FuncCall, Shape)> {
        self.expect_ch(b'(')?;
        let mut call = plain_call(name, Vec::new());
        if self.eat_ch(b')') {
            return Ok((call, Shape { plain: false, order: Pos::NONE }));
        }
        if self.is_ch(b'*') {
            self.bump();
            self.expect_ch(b')')?;
            call.star = true;
            return Ok((call, Shape { plain: false, order: Pos::NONE }));
        }
        let mut plain = true;
        if self.eat(Kw::Distinct) {
            call.distinct = true;
            plain = false;
        } else if self.eat(Kw::All) {
            plain = false;
        }
        loop {
            if plain && self.eat(Kw::Variadic) {
                call.variadic = true;
                call.args.push(self.func_arg()?);
                plain = false;
                break;
            }
            call.args.push(self.func_arg()?);
            if !self.eat_ch(b',') {
                break;
            }
        }
        let order = self.pos();
        if self.is(Kw::Order) {
            call.order_by = self.sort_clause()?;
        }
        self.expect_ch(b')')?;
        Ok((call, Shape { plain, order }))
    }

    /// WITHIN GROUP, FILTER and OVER after a call.
    #[inline(never)]
    pub(super) fn func_tail(&mut self, mut call: FuncCall, pos: Pos) -> Result<Expr> {
        if self.is(Kw::Within) {
            let at = self.pos();
            self.bump();
            self.expect(Kw::Group)?;
            self.expect_ch(b'(')?;
            let order_by = self.sort_clause()?;
            self.expect_ch(b')')?;
            if !call.order_by.is_empty() {
                return self.syntax_at("cannot use multiple ORDER BY clauses with WITHIN GROUP", at);
            }
            if call.distinct {
                return self.syntax_at("cannot use DISTINCT with WITHIN GROUP", at);
            }
            if call.variadic {
                return self.syntax_at("cannot use VARIADIC with WITHIN GROUP", at);
            }
            call.order_by = order_by;
            call.within_group = true;
        }
        call.filter = self.opt_filter()?;
        call.over = self.opt_over()?;
        Ok(Expr::new(ExprKind::FuncCall(Box::new(call)), pos))
    }

    pub(super) fn opt_filter(&mut self) -> Result<Option<Expr>> {
        if !self.eat(Kw::Filter) {
            return Ok(None);
        }
        self.expect_ch(b'(')?;
        self.expect(Kw::Where)?;
        let e = self.a_expr()?;
        self.expect_ch(b')')?;
        Ok(Some(e))
    }

    pub(super) fn opt_over(&mut self) -> Result<Option<Over>> {
        if !self.eat(Kw::Over) {
            return Ok(None);
        }
        if self.is_ch(b'(') {
            return Ok(Some(Over::Spec(Box::new(self.window_specification()?))));
        }
        Ok(Some(Over::Name(self.col_id()?)))
    }

    /// func_expr_windowless or a call: what may stand in FROM, or as an index key.
    pub(super) fn func_expr_windowless(&mut self) -> Result<Expr> {
        if let Tok::Kw(k) = self.cur
            && let Some(e) = self.special_function(k)?
        {
            return Ok(e);
        }
        let pos = self.pos();
        let name = self.func_name()?;
        if !self.is_ch(b'(') {
            return self.unexpected();
        }
        let (call, _) = self.func_application(name)?;
        Ok(Expr::new(ExprKind::FuncCall(Box::new(call)), pos))
    }

    /// A function with its own syntax, if `k`, the present token, starts one.
    #[inline(never)]
    pub(super) fn special_function(&mut self, k: Kw) -> Result<Option<Expr>> {
        let pos = self.pos();
        let value = match k {
            Kw::CurrentDate => SqlValue::CurrentDate,
            Kw::CurrentTime => SqlValue::CurrentTime,
            Kw::CurrentTimestamp => SqlValue::CurrentTimestamp,
            Kw::Localtime => SqlValue::LocalTime,
            Kw::Localtimestamp => SqlValue::LocalTimestamp,
            Kw::CurrentRole => SqlValue::CurrentRole,
            Kw::CurrentUser => SqlValue::CurrentUser,
            Kw::User => SqlValue::User,
            Kw::SessionUser => SqlValue::SessionUser,
            Kw::CurrentCatalog => SqlValue::CurrentCatalog,
            Kw::CurrentSchema => {
                if self.peek(1) == Tok::Char(b'(') {
                    return Ok(None);
                }
                SqlValue::CurrentSchema
            }
            Kw::SystemUser => {
                self.bump();
                return Ok(Some(system_call("system_user", Vec::new(), pos)));
            }
            Kw::Collation => {
                if !self.peek_kw(1, Kw::For) {
                    return Ok(None);
                }
                self.bump();
                self.bump();
                self.expect_ch(b'(')?;
                let e = self.a_expr()?;
                self.expect_ch(b')')?;
                return Ok(Some(system_call("pg_collation_for", vec![e], pos)));
            }
            Kw::Cast => {
                self.bump();
                self.expect_ch(b'(')?;
                let arg = self.a_expr()?;
                self.expect(Kw::As)?;
                let ty = self.type_name()?;
                self.expect_ch(b')')?;
                return Ok(Some(Expr::new(ExprKind::Cast(Box::new(Cast { arg, ty })), pos)));
            }
            Kw::Extract
            | Kw::Normalize
            | Kw::Overlay
            | Kw::Position
            | Kw::Substring
            | Kw::Treat
            | Kw::Trim
            | Kw::Nullif
            | Kw::Coalesce
            | Kw::Greatest
            | Kw::Least
            | Kw::MergeAction => {
                if self.peek(1) != Tok::Char(b'(') {
                    return Ok(None);
                }
                self.bump();
                self.bump();
                let e = self.call_syntax(k, pos)?;
                self.expect_ch(b')')?;
                return Ok(Some(e));
            }
            Kw::Xmlconcat
            | Kw::Xmlelement
            | Kw::Xmlexists
            | Kw::Xmlforest
            | Kw::Xmlparse
            | Kw::Xmlpi
            | Kw::Xmlroot
            | Kw::Xmlserialize => {
                if self.peek(1) != Tok::Char(b'(') {
                    return Ok(None);
                }
                return Ok(Some(self.xml_function(k)?));
            }
            Kw::JsonObject
            | Kw::JsonArray
            | Kw::JsonObjectagg
            | Kw::JsonArrayagg
            | Kw::Json
            | Kw::JsonScalar
            | Kw::JsonSerialize
            | Kw::JsonQuery
            | Kw::JsonExists
            | Kw::JsonValue => {
                if self.peek(1) != Tok::Char(b'(') {
                    return Ok(None);
                }
                return Ok(Some(self.json_function(k)?));
            }
            _ => return Ok(None),
        };
        self.bump();
        let mut precision = None;
        let takes_precision = matches!(
            value,
            SqlValue::CurrentTime | SqlValue::CurrentTimestamp | SqlValue::LocalTime | SqlValue::LocalTimestamp
        );
        if takes_precision && self.eat_ch(b'(') {
            precision = Some(self.iconst()?);
            self.expect_ch(b')')?;
        }
        Ok(Some(Expr::new(ExprKind::SqlValue(value, precision), pos)))
    }

    /// The inside of the parentheses of function `k`.
    #[inline(never)]
    fn call_syntax(&mut self, k: Kw, pos: Pos) -> Result<Expr> {
        Ok(match k {
            Kw::Extract => {
                let at = self.pos();
                let field = match self.cur {
                    Tok::Ident
                    | Tok::Str
                    | Tok::Kw(Kw::Year | Kw::Month | Kw::Day | Kw::Hour | Kw::Minute | Kw::Second) => self.bump(),
                    _ => return self.unexpected(),
                };
                let field = Expr::new(ExprKind::Literal(Literal::String(self.text(&field))), at);
                self.expect(Kw::From)?;
                let from = self.a_expr()?;
                system_call("extract", vec![field, from], pos)
            }
            Kw::Normalize => {
                let mut args = vec![self.a_expr()?];
                if self.eat_ch(b',') {
                    args.push(self.normal_form()?);
                }
                system_call("normalize", args, pos)
            }
            Kw::Position => {
                let needle = self.b_expr()?;
                self.expect(Kw::In)?;
                let hay = self.b_expr()?;
                system_call("position", vec![hay, needle], pos)
            }
            Kw::Overlay => {
                let Some(first) = self.opt_plain_args("overlay", pos, |t| t == Tok::Kw(Kw::Placing))? else {
                    let mut args = self.taken_first()?;
                    self.expect(Kw::Placing)?;
                    args.push(self.a_expr()?);
                    self.expect(Kw::From)?;
                    args.push(self.a_expr()?);
                    if self.eat(Kw::For) {
                        args.push(self.a_expr()?);
                    }
                    return Ok(system_call("overlay", args, pos));
                };
                first
            }
            Kw::Substring => {
                let special = |t| matches!(t, Tok::Kw(Kw::From | Kw::For | Kw::Similar));
                let Some(first) = self.opt_plain_args("substring", pos, special)? else {
                    let args = self.taken_first()?;
                    return self.substring_tail(args, pos);
                };
                first
            }
            Kw::Treat => {
                let arg = self.a_expr()?;
                self.expect(Kw::As)?;
                let ty = self.type_name()?;
                let mut name = system_name("treat", pos);
                if let Some(last) = ty.names.last() {
                    name.pop();
                    name.push(Name { text: last.text.clone(), pos });
                }
                Expr::new(ExprKind::FuncCall(Box::new(plain_call(name, vec![arg]))), pos)
            }
            Kw::Trim => {
                let name = if self.eat(Kw::Leading) {
                    "ltrim"
                } else if self.eat(Kw::Trailing) {
                    "rtrim"
                } else {
                    self.eat(Kw::Both);
                    "btrim"
                };
                let mut args = Vec::new();
                if self.eat(Kw::From) {
                    args = self.expr_list()?;
                } else {
                    let first = self.a_expr()?;
                    if self.eat(Kw::From) {
                        args = self.expr_list()?;
                        args.push(first);
                    } else {
                        args.push(first);
                        while self.eat_ch(b',') {
                            args.push(self.a_expr()?);
                        }
                    }
                }
                system_call(name, args, pos)
            }
            Kw::Nullif => {
                let a = self.a_expr()?;
                self.expect_ch(b',')?;
                let b = self.a_expr()?;
                Expr::new(ExprKind::NullIf(Box::new([a, b])), pos)
            }
            Kw::Coalesce => Expr::new(ExprKind::Coalesce(self.expr_list()?), pos),
            Kw::Greatest => Expr::new(ExprKind::Greatest(self.expr_list()?), pos),
            Kw::Least => Expr::new(ExprKind::Least(self.expr_list()?), pos),
            _ => Expr::new(ExprKind::MergeAction, pos),
        })
    }

    /// The arguments of `name` as an ordinary call, unless a word that `special` takes follows the first one; that first
    /// one is then kept for [`Parser::taken_first`].
    #[inline(never)]
    fn opt_plain_args(&mut self, name: &'static str, pos: Pos, special: fn(Tok) -> bool) -> Result<Option<Expr>> {
        let mut args = Vec::new();
        if !self.is_ch(b')') {
            let first = self.func_arg()?;
            if first.name.is_none() && special(self.cur) {
                self.first = Some(first.value);
                return Ok(None);
            }
            args.push(first);
            while self.eat_ch(b',') {
                args.push(self.func_arg()?);
            }
        }
        let mut call = plain_call(vec![Name::new(name, pos)], Vec::new());
        call.args = args;
        Ok(Some(Expr::new(ExprKind::FuncCall(Box::new(call)), pos)))
    }

    fn taken_first(&mut self) -> Result<Vec<Expr>> {
        match self.first.take() {
            Some(e) => Ok(vec![e]),
            None => self.unexpected(),
        }
    }

    /// What follows the first argument of the SQL form of SUBSTRING.
    #[inline(never)]
    fn substring_tail(&mut self, mut args: Vec<Expr>, pos: Pos) -> Result<Expr> {
        if self.eat(Kw::Similar) {
            args.push(self.a_expr()?);
            self.expect(Kw::Escape)?;
            args.push(self.a_expr()?);
        } else if self.eat(Kw::From) {
            args.push(self.a_expr()?);
            if self.eat(Kw::For) {
                args.push(self.a_expr()?);
            }
        } else {
            self.expect(Kw::For)?;
            let length = self.a_expr()?;
            if self.eat(Kw::From) {
                args.push(self.a_expr()?);
                args.push(length);
            } else {
                // The length is made an integer, so that the regular-expression form is not chosen.
                args.push(Expr::new(ExprKind::Literal(Literal::Integer(1)), Pos::NONE));
                let ty = TypeName {
                    names: system_name("int4", Pos::NONE),
                    typmods: Vec::new(),
                    array_bounds: Vec::new(),
                    setof: false,
                    pct_type: false,
                    pos: Pos::NONE,
                };
                args.push(Expr::new(ExprKind::Cast(Box::new(Cast { arg: length, ty })), Pos::NONE));
            }
        }
        Ok(system_call("substring", args, pos))
    }
}
