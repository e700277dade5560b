//! CREATE and ALTER of types and domains.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    /// CREATE TYPE; CREATE has been read.
    pub(super) fn create_type(&mut self, pos: Pos) -> Result<StatementKind> {
        self.expect(Kw::Type)?;
        let name = self.any_name()?;
        let kind = if self.eat(Kw::As) {
            if self.eat(Kw::Enum) {
                self.expect_ch(b'(')?;
                let labels = if self.is_ch(b')') { Vec::new() } else { self.list(|p| p.take_name(p.cur == Tok::Str))? };
                self.expect_ch(b')')?;
                CreateTypeKind::Enum(labels)
            } else if self.eat(Kw::Range) {
                CreateTypeKind::Range(self.definition()?)
            } else {
                self.expect_ch(b'(')?;
                let columns = if self.is_ch(b')') { Vec::new() } else { self.list(Self::table_func_element)? };
                self.expect_ch(b')')?;
                CreateTypeKind::Composite(columns)
            }
        } else if self.is_ch(b'(') {
            CreateTypeKind::Base(self.definition()?)
        } else {
            CreateTypeKind::Shell
        };
        Ok(StatementKind::CreateType(Box::new(CreateType { name, kind, pos })))
    }

    /// CREATE DOMAIN; CREATE has been read.
    pub(super) fn create_domain(&mut self, pos: Pos) -> Result<StatementKind> {
        self.expect(Kw::Domain)?;
        let name = self.any_name()?;
        self.eat(Kw::As);
        let ty = self.type_name()?;
        let (collation, constraints) = self.column_qualifiers(true)?;
        Ok(StatementKind::CreateDomain(Box::new(CreateDomain { name, ty, collation, constraints, pos })))
    }

    /// ALTER DOMAIN but for RENAME, OWNER and SET SCHEMA; the name has been read.
    pub(super) fn alter_domain(&mut self, name: QualifiedName) -> Result<StatementKind> {
        let change = match self.cur {
            Tok::Kw(Kw::Set) => {
                self.bump();
                if self.eat(Kw::Default) {
                    DomainChange::SetDefault(Some(self.a_expr()?))
                } else {
                    self.expect_all(&[Kw::Not, Kw::Null])?;
                    DomainChange::SetNotNull
                }
            }
            Tok::Kw(Kw::Add) => {
                self.bump();
                DomainChange::AddConstraint(self.domain_constraint()?)
            }
            Tok::Kw(Kw::Validate) => {
                self.bump();
                self.expect(Kw::Constraint)?;
                DomainChange::ValidateConstraint(self.col_id()?)
            }
            _ => {
                self.expect(Kw::Drop)?;
                if self.eat(Kw::Default) {
                    DomainChange::SetDefault(None)
                } else if self.eat(Kw::Not) {
                    self.expect(Kw::Null)?;
                    DomainChange::DropNotNull
                } else {
                    self.expect(Kw::Constraint)?;
                    let if_exists = self.if_exists()?;
                    let name = self.col_id()?;
                    let cascade = self.drop_behavior() == DropBehavior::Cascade;
                    DomainChange::DropConstraint { name, if_exists, cascade }
                }
            }
        };
        Ok(StatementKind::AlterDomain(Box::new(AlterDomain { name, change })))
    }

    /// ALTER TYPE but for RENAME TO, OWNER and SET SCHEMA; the name has been read.
    pub(super) fn alter_type(&mut self, name: QualifiedName, pos: Pos) -> Result<StatementKind> {
        if self.eat(Kw::Set) {
            let change = AlterTypeChange::Set(self.definition()?);
            return Ok(StatementKind::AlterType(Box::new(AlterType { name, change, pos })));
        }
        if self.is(Kw::Add) && self.peek_kw(1, Kw::Value) {
            self.bump();
            self.bump();
            let if_not_exists = self.eat(Kw::If);
            if if_not_exists {
                self.expect_all(&[Kw::Not, Kw::Exists])?;
            }
            let value = self.sconst()?;
            let mut neighbor = None;
            if self.eat(Kw::Before) {
                neighbor = Some((EnumPlace::Before, self.sconst()?));
            } else if self.eat(Kw::After) {
                neighbor = Some((EnumPlace::After, self.sconst()?));
            }
            let change = EnumChange::Add { value, if_not_exists, neighbor };
            return Ok(StatementKind::AlterEnum(Box::new(AlterEnum { name, change })));
        }
        let changes = self.list(|p| {
            let verb = p.cur;
            match verb {
                Tok::Kw(Kw::Add) => {
                    p.bump();
                    p.expect(Kw::Attribute)?;
                    let column = p.table_func_element()?;
                    let cascade = p.drop_behavior() == DropBehavior::Cascade;
                    Ok(AttributeChange::Add { column, cascade })
                }
                Tok::Kw(Kw::Drop) => {
                    p.bump();
                    p.expect(Kw::Attribute)?;
                    let if_exists = p.if_exists()?;
                    let name = p.col_id()?;
                    let cascade = p.drop_behavior() == DropBehavior::Cascade;
                    Ok(AttributeChange::Drop { name, if_exists, cascade })
                }
                Tok::Kw(Kw::Alter) => {
                    p.bump();
                    p.expect(Kw::Attribute)?;
                    let name = p.col_id()?;
                    if p.eat(Kw::Set) {
                        p.expect(Kw::Data)?;
                    }
                    p.expect(Kw::Type)?;
                    let ty = p.type_name()?;
                    let collation = p.opt_collate()?;
                    let cascade = p.drop_behavior() == DropBehavior::Cascade;
                    Ok(AttributeChange::AlterType { name, ty, collation, cascade })
                }
                _ => p.unexpected(),
            }
        })?;
        let change = AlterTypeChange::Attributes(changes);
        Ok(StatementKind::AlterType(Box::new(AlterType { name, change, pos })))
    }
}
