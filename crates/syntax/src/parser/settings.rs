//! SET, RESET, SHOW, ALTER SYSTEM, SET CONSTRAINTS.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::{Result, SqlState};

impl Parser<'_> {
    /// var_name: words with dots between.
    fn variable_name(&mut self) -> Result<Ident> {
        let mut name = self.col_id()?.text;
        while self.eat_ch(b'.') {
            name.push('.');
            name.push_str(&self.col_id()?);
        }
        Ok(name)
    }

    /// SET in all its forms.
    pub(super) fn set_statement(&mut self) -> Result<StatementKind> {
        let pos = self.pos();
        self.bump();
        let next = self.peek(1);
        if self.is(Kw::Constraints) {
            self.bump();
            return self.set_constraints();
        }
        // LOCAL and SESSION may also be the first part of a setting's name.
        let is_name = matches!(next, Tok::Char(b'.' | b'=') | Tok::Kw(Kw::To));
        let mut local = false;
        if !is_name && self.is(Kw::Local) {
            self.bump();
            local = true;
        } else if !is_name && self.is(Kw::Session) && !matches!(next, Tok::Kw(Kw::Authorization)) {
            if next == Tok::Kw(Kw::Characteristics) {
                self.bump();
                self.bump();
                self.expect_all(&[Kw::As, Kw::Transaction])?;
                let kind = VariableSetKind::SessionCharacteristics(self.modes()?);
                return Ok(StatementKind::Set(Box::new(VariableSet { kind, local: false, pos })));
            }
            self.bump();
        }
        let kind = self.set_rest(true)?;
        Ok(StatementKind::Set(Box::new(VariableSet { kind, local, pos })))
    }

    fn set_constraints(&mut self) -> Result<StatementKind> {
        let constraints = if self.eat(Kw::All) { Vec::new() } else { self.list(Self::qualified_name)? };
        let deferred = self.eat(Kw::Deferred);
        if !deferred {
            self.expect(Kw::Immediate)?;
        }
        Ok(StatementKind::SetConstraints(Box::new(SetConstraints { constraints, deferred })))
    }

    fn one_string(name: &'static str, text: Ident, pos: Pos) -> VariableSetKind {
        VariableSetKind::Value { name: Ident::const_new(name), values: vec![SetValue::String(text, pos)] }
    }

    /// set_rest; `transaction`: SET TRANSACTION is one of the forms.
    fn set_rest(&mut self, transaction: bool) -> Result<VariableSetKind> {
        let next = self.peek(1);
        let setting = matches!(next, Tok::Char(b'.' | b'=') | Tok::Kw(Kw::To));
        let Tok::Kw(k) = self.cur else { return self.generic_set() };
        if setting && k != Kw::Time {
            return self.generic_set();
        }
        match k {
            Kw::Transaction => {
                self.bump();
                if self.eat(Kw::Snapshot) {
                    return Ok(VariableSetKind::TransactionSnapshot(self.sconst()?));
                }
                if !transaction {
                    return self.unexpected();
                }
                Ok(VariableSetKind::Transaction(self.modes()?))
            }
            Kw::Session if next == Tok::Kw(Kw::Characteristics) && transaction => {
                self.bump();
                self.bump();
                self.expect_all(&[Kw::As, Kw::Transaction])?;
                Ok(VariableSetKind::SessionCharacteristics(self.modes()?))
            }
            Kw::Time if next == Tok::Kw(Kw::Zone) => {
                self.bump();
                self.bump();
                self.zone_value()
            }
            Kw::Catalog => {
                self.bump();
                let pos = self.pos();
                self.sconst()?;
                self.unsupported_at("current database cannot be changed", pos)
            }
            Kw::Schema => {
                self.bump();
                let pos = self.pos();
                let text = self.sconst()?;
                Ok(Self::one_string("search_path", text, pos))
            }
            Kw::Names => {
                self.bump();
                let pos = self.pos();
                if self.cur == Tok::Str {
                    let text = self.sconst()?;
                    return Ok(Self::one_string("client_encoding", text, pos));
                }
                self.eat(Kw::Default);
                Ok(VariableSetKind::Default { name: Ident::const_new("client_encoding") })
            }
            Kw::Role => {
                self.bump();
                let word = self.word_or_sconst()?;
                Ok(Self::one_string("role", word.text, word.pos))
            }
            Kw::Session => {
                self.bump();
                self.expect(Kw::Authorization)?;
                if self.eat(Kw::Default) {
                    return Ok(VariableSetKind::Default { name: Ident::const_new("session_authorization") });
                }
                let word = self.word_or_sconst()?;
                Ok(Self::one_string("session_authorization", word.text, word.pos))
            }
            Kw::Xml => {
                self.bump();
                self.expect(Kw::Option)?;
                let pos = self.pos();
                let document = self.eat(Kw::Document);
                if !document {
                    self.expect(Kw::Content)?;
                }
                let word = if document { "DOCUMENT" } else { "CONTENT" };
                Ok(Self::one_string("xmloption", Ident::const_new(word), pos))
            }
            _ => self.generic_set(),
        }
    }

    fn generic_set(&mut self) -> Result<VariableSetKind> {
        let name = self.variable_name()?;
        if self.eat(Kw::From) {
            self.expect(Kw::Current)?;
            return Ok(VariableSetKind::FromCurrent { name });
        }
        if !self.eat(Kw::To) {
            self.expect_ch(b'=')?;
        }
        if self.eat(Kw::Default) {
            return Ok(VariableSetKind::Default { name });
        }
        Ok(VariableSetKind::Value { name, values: self.list(Self::set_value)? })
    }

    fn number_value(&mut self) -> Result<SetValue> {
        let pos = self.pos();
        let text = self.numeric_only()?;
        Ok(match text.parse::<i32>() {
            Ok(v) => SetValue::Integer(v, pos),
            Err(_) => SetValue::Float(text, pos),
        })
    }

    fn set_value(&mut self) -> Result<SetValue> {
        if self.is_numeric() {
            return self.number_value();
        }
        let ok = self.cur == Tok::Str
            || matches!(self.cur, Tok::Kw(Kw::True | Kw::False | Kw::On))
            || Self::is_non_reserved_word(self.cur);
        let word = self.take_name(ok)?;
        Ok(SetValue::String(word.text, word.pos))
    }

    fn zone_value(&mut self) -> Result<VariableSetKind> {
        let name = Ident::const_new("timezone");
        let pos = self.pos();
        let value = match self.cur {
            Tok::Str | Tok::Ident => {
                let t = self.bump();
                SetValue::String(self.text(&t), pos)
            }
            Tok::Kw(Kw::Interval) => {
                self.bump();
                let mut ty = self.interval_type(pos);
                let mut precision = None;
                if self.eat_ch(b'(') {
                    let at = self.pos();
                    let n = self.iconst()?;
                    self.expect_ch(b')')?;
                    precision = Some(Expr::new(ExprKind::Literal(Literal::Integer(n)), at));
                }
                let at = self.pos();
                let text = self.sconst()?;
                match precision {
                    Some(n) => {
                        let full = ExprKind::Literal(Literal::Integer(interval_mask::FULL));
                        ty.typmods = vec![Expr::new(full, Pos::NONE), n];
                    }
                    None => {
                        let field_pos = self.pos();
                        ty.typmods = self.opt_interval()?;
                        if let Some(Expr { kind: ExprKind::Literal(Literal::Integer(m)), .. }) = ty.typmods.first()
                            && m & !(interval_mask::HOUR | interval_mask::MINUTE) != 0
                        {
                            let message = "time zone interval must be HOUR or HOUR TO MINUTE";
                            return self.syntax_at(message, field_pos);
                        }
                    }
                }
                let arg = Expr::new(ExprKind::Literal(Literal::String(text)), at);
                let cast = Expr::new(ExprKind::Cast(Box::new(Cast { arg, ty })), Pos::NONE);
                SetValue::Interval(Box::new(cast))
            }
            Tok::Kw(Kw::Default | Kw::Local) => {
                self.bump();
                return Ok(VariableSetKind::Default { name });
            }
            _ => self.number_value()?,
        };
        Ok(VariableSetKind::Value { name, values: vec![value] })
    }

    /// What RESET and SHOW name.
    fn setting_words(&mut self) -> Result<Ident> {
        let next = self.peek(1);
        let name = match (self.cur, next) {
            (Tok::Kw(Kw::Time), Tok::Kw(Kw::Zone)) => "timezone",
            (Tok::Kw(Kw::Transaction), Tok::Kw(Kw::Isolation)) => {
                self.bump();
                self.bump();
                self.expect(Kw::Level)?;
                return Ok(Ident::const_new("transaction_isolation"));
            }
            (Tok::Kw(Kw::Session), Tok::Kw(Kw::Authorization)) => "session_authorization",
            _ => return self.variable_name(),
        };
        self.bump();
        self.bump();
        Ok(Ident::const_new(name))
    }

    fn reset(&mut self) -> Result<VariableSetKind> {
        self.expect(Kw::Reset)?;
        if self.eat(Kw::All) {
            return Ok(VariableSetKind::ResetAll);
        }
        Ok(VariableSetKind::Reset { name: self.setting_words()? })
    }

    pub(super) fn reset_statement(&mut self) -> Result<StatementKind> {
        let pos = self.pos();
        let kind = self.reset()?;
        Ok(StatementKind::Set(Box::new(VariableSet { kind, local: false, pos })))
    }

    /// SET or RESET of a role or a database.
    pub(super) fn set_reset(&mut self) -> Result<VariableSet> {
        let pos = self.pos();
        let kind = if self.is(Kw::Reset) {
            self.reset()?
        } else {
            self.expect(Kw::Set)?;
            self.set_rest(true)?
        };
        Ok(VariableSet { kind, local: false, pos })
    }

    /// SET or RESET of a function.
    pub(super) fn function_set(&mut self) -> Result<VariableSet> {
        let pos = self.pos();
        let kind = if self.is(Kw::Reset) {
            self.reset()?
        } else {
            self.expect(Kw::Set)?;
            self.set_rest(false)?
        };
        Ok(VariableSet { kind, local: false, pos })
    }

    pub(super) fn show(&mut self) -> Result<StatementKind> {
        self.bump();
        let name = if self.eat(Kw::All) { Ident::const_new("all") } else { self.setting_words()? };
        Ok(StatementKind::Show(Box::new(Show { name })))
    }

    /// ALTER SYSTEM; ALTER has been read.
    pub(super) fn alter_system(&mut self) -> Result<StatementKind> {
        self.bump();
        let pos = self.pos();
        let kind = if self.is(Kw::Reset) {
            self.bump();
            if self.eat(Kw::All) {
                VariableSetKind::ResetAll
            } else {
                VariableSetKind::Reset { name: self.setting_words()? }
            }
        } else {
            self.expect(Kw::Set)?;
            let kind = self.generic_set()?;
            if matches!(kind, VariableSetKind::FromCurrent { .. }) {
                return Err(self.error(SqlState::SYNTAX_ERROR, "syntax error", pos));
            }
            kind
        };
        Ok(StatementKind::AlterSystem(Box::new(VariableSet { kind, local: false, pos })))
    }
}
