//! Qualified names, operators and roles.

use super::Parser;
use crate::ast::{Indirection, Name, Operator, Pos, QualifiedName, RangeVar, RoleSpec};
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::{Result, SqlState};

impl Parser<'_> {
    /// any_name: `ColId ( . any word )*`.
    pub(super) fn any_name(&mut self) -> Result<QualifiedName> {
        let mut parts = vec![self.col_id()?];
        while self.eat_ch(b'.') {
            parts.push(self.col_label()?);
        }
        Ok(parts)
    }

    /// func_name: one type_function_name, or a ColId qualified.
    pub(super) fn func_name(&mut self) -> Result<QualifiedName> {
        let tok = self.cur;
        if Self::is_col_id(tok) && self.peek(1) == Tok::Char(b'.') {
            return self.any_name();
        }
        if Self::is_col_id(tok) && !Self::is_type_function_name(tok) {
            // It could still have been a schema; what follows shows it is not.
            self.bump();
            return self.unexpected();
        }
        Ok(vec![self.type_function_name()?])
    }

    /// handler_name: a ColId, perhaps qualified.
    pub(super) fn handler_name(&mut self) -> Result<QualifiedName> {
        self.any_name()
    }

    /// qualified_name: the name of a relation.
    pub(super) fn qualified_name(&mut self) -> Result<RangeVar> {
        let first = self.col_id()?;
        self.qualified_name_after(first)
    }

    pub(super) fn qualified_name_after(&mut self, first: Name) -> Result<RangeVar> {
        let pos = first.pos;
        if !matches!(self.cur, Tok::Char(b'.' | b'[')) {
            return Ok(RangeVar { catalog: None, schema: None, name: first, only: false, pos });
        }
        let mut parts = vec![first];
        for step in self.indirection()? {
            match step {
                Indirection::Field(name) => parts.push(name),
                _ => return Err(self.near("syntax error")),
            }
        }
        self.range_var(parts)
    }

    /// The relation that a qualified name names.
    pub(super) fn range_var(&self, mut parts: Vec<Name>) -> Result<RangeVar> {
        let pos = parts.first().map_or(Pos::NONE, |n| n.pos);
        if parts.len() > 3 || parts.is_empty() {
            let text = parts.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(".");
            let message = format!("improper qualified name (too many dotted names): {text}");
            return Err(self.error(SqlState::SYNTAX_ERROR, message, pos));
        }
        let name = parts.pop().unwrap_or(Name { text: Default::default(), pos });
        let schema = parts.pop();
        let catalog = parts.pop();
        Ok(RangeVar { catalog, schema, name, only: false, pos })
    }

    /// relation_expr: `[ONLY] name [*]`.
    pub(super) fn relation_expr(&mut self) -> Result<RangeVar> {
        if self.eat(Kw::Only) {
            let mut r = if self.eat_ch(b'(') {
                let r = self.qualified_name()?;
                self.expect_ch(b')')?;
                r
            } else {
                self.qualified_name()?
            };
            r.only = true;
            return Ok(r);
        }
        let r = self.qualified_name()?;
        self.eat_ch(b'*');
        Ok(r)
    }

    /// The symbol of a bare operator (all_Op), if one comes.
    pub(super) fn all_op(&mut self) -> Result<Operator> {
        match self.cur {
            Tok::Op
            | Tok::LessEquals
            | Tok::GreaterEquals
            | Tok::NotEquals
            | Tok::Char(b'+' | b'-' | b'*' | b'/' | b'%' | b'^' | b'<' | b'>' | b'=') => {
                let t = self.bump();
                Ok(Operator { schema: Vec::new(), name: self.text(&t), pos: Pos(t.start) })
            }
            _ => self.unexpected(),
        }
    }

    /// any_operator: `( ColId . )* all_Op`.
    pub(super) fn any_operator(&mut self) -> Result<Operator> {
        let pos = self.pos();
        let mut schema = Vec::new();
        while Self::is_col_id(self.cur) {
            schema.push(self.col_id()?);
            self.expect_ch(b'.')?;
        }
        let op = self.all_op()?;
        Ok(Operator { schema, pos, ..op })
    }

    /// `OPERATOR ( any_operator )`.
    pub(super) fn qualified_operator(&mut self) -> Result<Operator> {
        let pos = self.pos();
        self.expect(Kw::Operator)?;
        self.expect_ch(b'(')?;
        let op = self.any_operator()?;
        self.expect_ch(b')')?;
        Ok(Operator { pos, ..op })
    }

    /// RoleSpec.
    pub(super) fn role_spec(&mut self) -> Result<RoleSpec> {
        let pos = self.pos();
        match self.cur {
            Tok::Kw(Kw::CurrentRole) => {
                self.bump();
                Ok(RoleSpec::CurrentRole(pos))
            }
            Tok::Kw(Kw::CurrentUser) => {
                self.bump();
                Ok(RoleSpec::CurrentUser(pos))
            }
            Tok::Kw(Kw::SessionUser) => {
                self.bump();
                Ok(RoleSpec::SessionUser(pos))
            }
            _ => {
                let name = self.non_reserved_word()?;
                match name.as_str() {
                    "public" => Ok(RoleSpec::Public(pos)),
                    "none" => Err(self.error(SqlState::RESERVED_NAME, "role name \"none\" is reserved", pos)),
                    _ => Ok(RoleSpec::Name(name)),
                }
            }
        }
    }

    /// RoleId: a role spec that must be a name.
    pub(super) fn role_id(&mut self) -> Result<Name> {
        let reserved = |p: &Self, word: &str, pos| {
            Err(p.error(SqlState::RESERVED_NAME, format!("{word} cannot be used as a role name here"), pos))
        };
        match self.role_spec()? {
            RoleSpec::Name(name) => Ok(name),
            RoleSpec::Public(pos) => Err(self.error(SqlState::RESERVED_NAME, "role name \"public\" is reserved", pos)),
            RoleSpec::CurrentRole(pos) => reserved(self, "CURRENT_ROLE", pos),
            RoleSpec::CurrentUser(pos) => reserved(self, "CURRENT_USER", pos),
            RoleSpec::SessionUser(pos) => reserved(self, "SESSION_USER", pos),
        }
    }

    pub(super) fn role_list(&mut self) -> Result<Vec<RoleSpec>> {
        self.list(Self::role_spec)
    }
}
