//! Type names, with SQL's spellings turned into `pg_catalog` names.

use super::Parser;
use super::expr::system_name;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::{Result, SqlState};

fn int_const(v: i32, pos: Pos) -> Expr {
    Expr::new(ExprKind::Literal(Literal::Integer(v)), pos)
}

impl Parser<'_> {
    /// Typename: with SETOF and array bounds.
    #[inline(never)]
    pub(super) fn type_name(&mut self) -> Result<TypeName> {
        let setof = self.eat(Kw::Setof);
        let mut ty = self.simple_type_name()?;
        ty.setof = setof;
        self.array_bounds(&mut ty)?;
        Ok(ty)
    }

    fn array_bounds(&mut self, ty: &mut TypeName) -> Result<()> {
        if self.eat(Kw::Array) {
            if self.eat_ch(b'[') {
                ty.array_bounds.push(Some(self.iconst()?));
                self.expect_ch(b']')?;
            } else {
                ty.array_bounds.push(None);
            }
            return Ok(());
        }
        while self.eat_ch(b'[') {
            let bound = if self.cur == Tok::Int { Some(self.iconst()?) } else { None };
            self.expect_ch(b']')?;
            ty.array_bounds.push(bound);
        }
        Ok(())
    }

    /// Whether a type spelled with key words starts here, as opposed to a plain name.
    fn simple_type_name(&mut self) -> Result<TypeName> {
        if let Tok::Kw(k) = self.cur
            && let Some(ty) = self.keyword_type(k, false)?
        {
            return Ok(ty);
        }
        self.generic_type()
    }

    fn generic_type(&mut self) -> Result<TypeName> {
        let pos = self.pos();
        let mut names = vec![self.type_function_name()?];
        while self.eat_ch(b'.') {
            names.push(self.col_label()?);
        }
        let mut ty = bare(names, pos);
        if self.is_ch(b'(') {
            self.bump();
            ty.typmods = self.expr_list()?;
            self.expect_ch(b')')?;
        }
        Ok(ty)
    }

    /// `name%TYPE` where a function's argument or result may say so; else any type.
    pub(super) fn func_type(&mut self) -> Result<TypeName> {
        let setof = self.is(Kw::Setof);
        let ahead = usize::from(setof);
        if Self::is_type_function_name(self.peek(ahead)) && self.peek(ahead + 1) == Tok::Char(b'.') {
            let mut n = ahead + 1;
            while self.peek(n) == Tok::Char(b'.') && Self::is_col_label(self.peek(n + 1)) {
                n += 2;
            }
            if self.peek(n) == Tok::Char(b'%') {
                if setof {
                    self.bump();
                }
                let pos = self.pos();
                let mut names = vec![self.type_function_name()?];
                while self.eat_ch(b'.') {
                    names.push(self.col_label()?);
                }
                self.bump();
                self.expect(Kw::Type)?;
                let mut ty = bare(names, pos);
                ty.setof = setof;
                ty.pct_type = true;
                return Ok(ty);
            }
        }
        self.type_name()
    }

    fn opt_typmods(&mut self) -> Result<Vec<Expr>> {
        if !self.eat_ch(b'(') {
            return Ok(Vec::new());
        }
        let list = self.expr_list()?;
        self.expect_ch(b')')?;
        Ok(list)
    }

    /// `( n )`
    fn opt_precision(&mut self) -> Result<Option<Expr>> {
        if !self.eat_ch(b'(') {
            return Ok(None);
        }
        let pos = self.pos();
        let n = self.iconst()?;
        self.expect_ch(b')')?;
        Ok(Some(int_const(n, pos)))
    }

    /// The type that key word `k`, the present token, starts, if it starts one. `constant`: of `type 'text'`, where
    /// a missing length is no limit.
    #[inline(never)]
    fn keyword_type(&mut self, k: Kw, constant: bool) -> Result<Option<TypeName>> {
        let pos = self.pos();
        let plain = |name| bare(system_name(name, pos), pos);
        let simple = match k {
            Kw::Int | Kw::Integer => Some("int4"),
            Kw::Smallint => Some("int2"),
            Kw::Bigint => Some("int8"),
            Kw::Real => Some("float4"),
            Kw::Boolean => Some("bool"),
            Kw::Json => Some("json"),
            _ => None,
        };
        if let Some(name) = simple {
            self.bump();
            return Ok(Some(plain(name)));
        }
        Ok(Some(match k {
            Kw::Double => {
                if !self.peek_kw(1, Kw::Precision) {
                    return Ok(None);
                }
                self.bump();
                self.bump();
                plain("float8")
            }
            Kw::Float => {
                self.bump();
                if !self.eat_ch(b'(') {
                    return Ok(Some(plain("float8")));
                }
                let at = self.pos();
                let bits = self.iconst()?;
                let name = match bits {
                    ..1 => {
                        let message = "precision for type float must be at least 1 bit";
                        return Err(self.error(SqlState::INVALID_PARAMETER_VALUE, message, at));
                    }
                    1..=24 => "float4",
                    25..=53 => "float8",
                    _ => {
                        let message = "precision for type float must be less than 54 bits";
                        return Err(self.error(SqlState::INVALID_PARAMETER_VALUE, message, at));
                    }
                };
                self.expect_ch(b')')?;
                plain(name)
            }
            Kw::Decimal | Kw::Dec | Kw::Numeric => {
                self.bump();
                let mut ty = plain("numeric");
                ty.typmods = self.opt_typmods()?;
                ty
            }
            Kw::Bit => {
                self.bump();
                let varying = self.eat(Kw::Varying);
                let mut ty = plain(if varying { "varbit" } else { "bit" });
                if self.is_ch(b'(') {
                    self.bump();
                    ty.typmods = self.expr_list()?;
                    self.expect_ch(b')')?;
                } else if !varying && !constant {
                    ty.typmods = vec![int_const(1, Pos::NONE)];
                }
                ty
            }
            Kw::Character | Kw::Char | Kw::Nchar | Kw::Varchar | Kw::National => {
                self.bump();
                if k == Kw::National && !self.eat(Kw::Character) {
                    self.expect(Kw::Char)?;
                }
                let varying = k == Kw::Varchar || self.eat(Kw::Varying);
                let mut ty = plain(if varying { "varchar" } else { "bpchar" });
                if let Some(n) = self.opt_precision()? {
                    ty.typmods = vec![n];
                } else if !varying && !constant {
                    ty.typmods = vec![int_const(1, Pos::NONE)];
                }
                ty
            }
            Kw::Timestamp | Kw::Time => {
                self.bump();
                let precision = self.opt_precision()?;
                let zone = self.opt_timezone()?;
                let mut ty = plain(match (k, zone) {
                    (Kw::Timestamp, true) => "timestamptz",
                    (Kw::Timestamp, false) => "timestamp",
                    (_, true) => "timetz",
                    (_, false) => "time",
                });
                ty.typmods = precision.into_iter().collect();
                ty
            }
            Kw::Interval => {
                self.bump();
                let mut ty = plain("interval");
                if let Some(n) = self.opt_precision()? {
                    ty.typmods = vec![int_const(interval_mask::FULL, Pos::NONE), n];
                } else if !constant {
                    ty.typmods = self.opt_interval()?;
                }
                ty
            }
            _ => return Ok(None),
        }))
    }

    /// WITH TIME ZONE, WITHOUT TIME ZONE.
    fn opt_timezone(&mut self) -> Result<bool> {
        let with = self.is(Kw::With);
        if (with || self.is(Kw::Without)) && self.peek_kw(1, Kw::Time) {
            self.bump();
            self.bump();
            self.expect(Kw::Zone)?;
            return Ok(with);
        }
        Ok(false)
    }

    /// The fields of an interval, as type modifiers.
    pub(super) fn opt_interval(&mut self) -> Result<Vec<Expr>> {
        use interval_mask::*;
        let pos = self.pos();
        let Tok::Kw(first) = self.cur else { return Ok(Vec::new()) };
        let rank = |k| match k {
            Kw::Year => Some(0),
            Kw::Month => Some(1),
            Kw::Day => Some(2),
            Kw::Hour => Some(3),
            Kw::Minute => Some(4),
            Kw::Second => Some(5),
            _ => None,
        };
        const BITS: [i32; 6] = [YEAR, MONTH, DAY, HOUR, MINUTE, SECOND];
        let Some(from) = rank(first) else { return Ok(Vec::new()) };
        self.bump();
        let mut to = from;
        if from < 5 && from != 1 && self.is(Kw::To) {
            self.bump();
            let Tok::Kw(k) = self.cur else { return self.unexpected() };
            let ok = |r: usize| if from == 0 { r == 1 } else { r > from };
            match rank(k) {
                Some(r) if ok(r) => to = r,
                _ => return self.unexpected(),
            }
            self.bump();
        }
        let mask = BITS[from..=to].iter().fold(0, |m, b| m | b);
        let mut mods = vec![int_const(mask, pos)];
        if to == 5
            && let Some(n) = self.opt_precision()?
        {
            mods.push(n);
        }
        Ok(mods)
    }

    /// `type 'text'` for the types spelled with key words.
    #[inline(never)]
    pub(super) fn type_constant(&mut self, k: Kw) -> Result<Option<Expr>> {
        let next = self.peek(1);
        let starts = match k {
            Kw::Int | Kw::Integer | Kw::Smallint | Kw::Bigint | Kw::Real | Kw::Boolean | Kw::Json => next == Tok::Str,
            Kw::Float | Kw::Decimal | Kw::Dec | Kw::Numeric | Kw::Interval => {
                matches!(next, Tok::Str | Tok::Char(b'('))
            }
            Kw::Varchar => matches!(next, Tok::Str | Tok::Char(b'(')),
            Kw::Bit | Kw::Character | Kw::Char | Kw::Nchar => {
                matches!(next, Tok::Str | Tok::Char(b'(') | Tok::Kw(Kw::Varying))
            }
            Kw::Double => next == Tok::Kw(Kw::Precision),
            Kw::National => matches!(next, Tok::Kw(Kw::Character | Kw::Char)),
            Kw::Timestamp | Kw::Time => match next {
                Tok::Str | Tok::Char(b'(') => true,
                Tok::Kw(Kw::With | Kw::Without) => self.peek_kw(2, Kw::Time),
                _ => false,
            },
            _ => false,
        };
        if !starts {
            return Ok(None);
        }
        let Some(mut ty) = self.keyword_type(k, true)? else { return Ok(None) };
        if k != Kw::Interval {
            return self.constant_of(ty).map(Some);
        }
        let at = self.pos();
        let text = self.sconst()?;
        if ty.typmods.is_empty() {
            ty.typmods = self.opt_interval()?;
        }
        let arg = Expr::new(ExprKind::Literal(Literal::String(text)), at);
        Ok(Some(Expr::new(ExprKind::Cast(Box::new(Cast { arg, ty })), Pos::NONE)))
    }

    /// The `INTERVAL` of SET TIME ZONE, already passed over.
    pub(super) fn interval_type(&mut self, pos: Pos) -> TypeName {
        bare(system_name("interval", pos), pos)
    }
}

/// A type name without trimmings.
pub(super) fn bare(names: QualifiedName, pos: Pos) -> TypeName {
    TypeName { names, typmods: Vec::new(), array_bounds: Vec::new(), setof: false, pct_type: false, pos }
}
