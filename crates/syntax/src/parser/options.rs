//! Lists of named options, in the forms PostgreSQL's statements take them.

use super::Parser;
use crate::ast::*;
use crate::keyword::{Category, Kw};
use crate::lexer::Tok;
use types::Result;

/// An option made by a clause.
pub(super) fn option(name: &'static str, value: Option<DefValue>, pos: Pos) -> DefElem {
    DefElem { namespace: None, name: Ident::const_new(name), value, action: DefAction::Unspecified, pos }
}

/// A word as an option's value.
pub(super) fn word(text: &'static str) -> Option<DefValue> {
    Some(DefValue::String(Ident::const_new(text)))
}

impl Parser<'_> {
    /// NumericOnly as a value.
    pub(super) fn numeric_value(&mut self) -> Result<DefValue> {
        let text = self.numeric_only()?;
        Ok(match text.parse::<i32>() {
            Ok(v) => DefValue::Integer(v),
            Err(_) => DefValue::Float(text),
        })
    }

    pub(super) fn is_numeric(&self) -> bool {
        matches!(self.cur, Tok::Int | Tok::Number | Tok::Char(b'+' | b'-'))
    }

    /// TRUE, FALSE, ON, a word or a string; or a number; or nothing.
    fn opt_simple_value(&mut self) -> Result<Option<DefValue>> {
        if self.is_numeric() {
            return self.numeric_value().map(Some);
        }
        match self.cur {
            Tok::Kw(Kw::True | Kw::False | Kw::On) => {}
            Tok::Str => {}
            t if Self::is_non_reserved_word(t) => {}
            _ => return Ok(None),
        }
        let t = self.bump();
        Ok(Some(DefValue::String(self.text(&t))))
    }

    /// `( name [value], … )` of EXPLAIN, VACUUM and kin.
    pub(super) fn utility_options(&mut self) -> Result<Vec<DefElem>> {
        self.paren_list(|p| {
            let pos = p.pos();
            let name = match p.cur {
                Tok::Kw(Kw::Analyze | Kw::Analyse) => {
                    p.bump();
                    Ident::const_new("analyze")
                }
                _ => p.non_reserved_word()?.text,
            };
            let value = p.opt_simple_value()?;
            Ok(DefElem { namespace: None, name, value, action: DefAction::Unspecified, pos })
        })
    }

    /// `( name [value], … )` of COPY.
    pub(super) fn copy_generic_options(&mut self) -> Result<Vec<DefElem>> {
        self.paren_list(|p| {
            let name = p.col_label()?;
            let value = match p.cur {
                Tok::Char(b'*') => {
                    p.bump();
                    Some(DefValue::Star)
                }
                Tok::Kw(Kw::Default) => {
                    p.bump();
                    word("default")
                }
                Tok::Char(b'(') => {
                    let list = p.paren_list(|p| match p.opt_simple_value()? {
                        Some(v @ DefValue::String(_)) => Ok(v),
                        _ => p.unexpected(),
                    })?;
                    Some(DefValue::List(list))
                }
                _ => p.opt_simple_value()?,
            };
            Ok(DefElem { namespace: None, name: name.text, value, action: DefAction::Unspecified, pos: name.pos })
        })
    }

    /// `( name [= value], … )`
    pub(super) fn definition(&mut self) -> Result<Vec<DefElem>> {
        self.paren_list(|p| {
            let name = p.col_label()?;
            let value = if p.eat_ch(b'=') { Some(p.def_value()?) } else { None };
            Ok(DefElem { namespace: None, name: name.text, value, action: DefAction::Unspecified, pos: name.pos })
        })
    }

    /// def_arg: a type, a word, an operator, a number, a string, NONE.
    pub(super) fn def_value(&mut self) -> Result<DefValue> {
        let tok = self.cur;
        match tok {
            Tok::Str => self.sconst().map(DefValue::String),
            Tok::Kw(Kw::None) => {
                self.bump();
                Ok(DefValue::None)
            }
            Tok::Char(b'+' | b'-') if !matches!(self.peek(1), Tok::Int | Tok::Number) => {
                self.all_op().map(DefValue::Operator)
            }
            _ if self.is_numeric() => self.numeric_value(),
            Tok::Kw(Kw::Operator) if self.peek(1) == Tok::Char(b'(') => {
                self.qualified_operator().map(DefValue::Operator)
            }
            Tok::Kw(k) if k.category() == Category::Reserved => {
                let t = self.bump();
                Ok(DefValue::String(self.text(&t)))
            }
            Tok::Kw(_) | Tok::Ident => self.func_type().map(DefValue::Type),
            _ => self.all_op().map(DefValue::Operator),
        }
    }

    /// `( [namespace.]name [= value], … )`
    pub(super) fn rel_options(&mut self) -> Result<Vec<DefElem>> {
        self.paren_list(|p| {
            let mut name = p.col_label()?;
            let pos = name.pos;
            let mut namespace = None;
            if p.eat_ch(b'.') {
                namespace = Some(name);
                name = p.col_label()?;
            }
            let value = if p.eat_ch(b'=') { Some(p.def_value()?) } else { None };
            Ok(DefElem { namespace, name: name.text, value, action: DefAction::Unspecified, pos })
        })
    }

    /// `WITH ( … )`, if it comes. `WITH` before other words is someone else's.
    pub(super) fn opt_with_rel_options(&mut self) -> Result<Vec<DefElem>> {
        if self.is(Kw::With) && self.peek(1) == Tok::Char(b'(') {
            self.bump();
            return self.rel_options();
        }
        Ok(Vec::new())
    }

    /// `WITH ( definition )`, if it comes.
    pub(super) fn opt_with_definition(&mut self) -> Result<Vec<DefElem>> {
        if self.eat(Kw::With) {
            return self.definition();
        }
        Ok(Vec::new())
    }

    /// `OPTIONS ( name 'value', … )`, if it comes.
    pub(super) fn opt_generic_options(&mut self) -> Result<Vec<DefElem>> {
        if !self.is(Kw::Options) {
            return Ok(Vec::new());
        }
        self.bump();
        self.paren_list(|p| {
            let name = p.col_label()?;
            let value = Some(DefValue::String(p.sconst()?));
            Ok(DefElem { namespace: None, name: name.text, value, action: DefAction::Unspecified, pos: name.pos })
        })
    }

    /// `OPTIONS ( [ADD|SET|DROP] name ['value'], … )`.
    pub(super) fn alter_generic_options(&mut self) -> Result<Vec<DefElem>> {
        self.expect(Kw::Options)?;
        self.paren_list(|p| {
            let named = Self::is_col_label(p.peek(1));
            let action = match p.cur {
                Tok::Kw(Kw::Set) if named => DefAction::Set,
                Tok::Kw(Kw::Add) if named => DefAction::Add,
                Tok::Kw(Kw::Drop) if named => DefAction::Drop,
                _ => DefAction::Unspecified,
            };
            if action != DefAction::Unspecified {
                p.bump();
            }
            let name = p.col_label()?;
            let value = if action == DefAction::Drop { None } else { Some(DefValue::String(p.sconst()?)) };
            Ok(DefElem { namespace: None, name: name.text, value, action, pos: name.pos })
        })
    }

    /// opt_boolean: TRUE, FALSE, ON or a word; nothing else.
    pub(super) fn drop_behavior(&mut self) -> DropBehavior {
        if self.eat(Kw::Cascade) {
            return DropBehavior::Cascade;
        }
        self.eat(Kw::Restrict);
        DropBehavior::Restrict
    }
}
