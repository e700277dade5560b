//! GRANT, REVOKE, ALTER DEFAULT PRIVILEGES, REASSIGN OWNED.

use super::Parser;
use super::options::option;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    /// GRANT or REVOKE, of privileges or of roles.
    pub(super) fn grant(&mut self, grant: bool) -> Result<StatementKind> {
        self.bump();
        let mut grant_option = false;
        let mut role_option = None;
        if !grant && self.is(Kw::Grant) && self.peek_kw(1, Kw::Option) {
            self.bump();
            self.bump();
            self.expect(Kw::For)?;
            grant_option = true;
        } else if !grant && Self::is_col_id(self.cur) && self.peek_kw(1, Kw::Option) {
            let word = self.col_id()?;
            self.bump();
            self.expect(Kw::For)?;
            role_option = Some(word);
        }
        let privileges = self.privileges(role_option.is_none())?;
        let all = privileges.is_empty() || privileges.iter().any(|p| p.name.is_none());
        if !all && !grant_option && (role_option.is_some() || !self.is(Kw::On)) {
            return self.grant_role(grant, privileges, role_option);
        }
        self.expect(Kw::On)?;
        let target = self.privilege_target()?;
        self.direction(grant)?;
        let grantees = self.grantees()?;
        if grant && self.eat(Kw::With) {
            self.expect_all(&[Kw::Grant, Kw::Option])?;
            grant_option = true;
        }
        let granted_by = self.opt_granted_by()?;
        let behavior = if grant { DropBehavior::Restrict } else { self.drop_behavior() };
        let g = Grant { grant, privileges, target, grantees, grant_option, granted_by, behavior };
        Ok(StatementKind::Grant(Box::new(g)))
    }

    fn direction(&mut self, grant: bool) -> Result<()> {
        self.expect(if grant { Kw::To } else { Kw::From })
    }

    fn grantees(&mut self) -> Result<Vec<RoleSpec>> {
        self.list(|p| {
            p.eat(Kw::Group);
            p.role_spec()
        })
    }

    fn opt_granted_by(&mut self) -> Result<Option<RoleSpec>> {
        if !self.eat(Kw::Granted) {
            return Ok(None);
        }
        self.expect(Kw::By)?;
        self.role_spec().map(Some)
    }

    /// A list, or ALL: an empty list, or one nameless privilege with columns.
    fn privileges(&mut self, all_ok: bool) -> Result<Vec<Privilege>> {
        if all_ok && self.eat(Kw::All) {
            self.eat(Kw::Privileges);
            let columns = self.opt_name_list()?;
            return Ok(if columns.is_empty() { Vec::new() } else { vec![Privilege { name: None, columns }] });
        }
        self.list(|p| {
            if p.is(Kw::Alter) && p.peek_kw(1, Kw::System) {
                let pos = p.pos();
                p.bump();
                p.expect(Kw::System)?;
                return Ok(Privilege { name: Some(Name::new("alter system", pos)), columns: Vec::new() });
            }
            let ok = matches!(p.cur, Tok::Kw(Kw::Select | Kw::References | Kw::Create)) || Self::is_col_id(p.cur);
            let name = Some(p.take_name(ok)?);
            Ok(Privilege { name, columns: p.opt_name_list()? })
        })
    }

    fn grant_role(&mut self, grant: bool, roles: Vec<Privilege>, option_word: Option<Name>) -> Result<StatementKind> {
        self.direction(grant)?;
        let grantees = self.role_list()?;
        let mut options = Vec::new();
        if let Some(word) = option_word {
            let value = Some(DefValue::Bool(false));
            let action = DefAction::Unspecified;
            options.push(DefElem { namespace: None, name: word.text, value, action, pos: word.pos });
        }
        if grant && self.eat(Kw::With) {
            options = self.list(|p| {
                let name = p.col_label()?;
                let value = if p.eat(Kw::Option) || p.eat(Kw::True) {
                    true
                } else {
                    p.expect(Kw::False)?;
                    false
                };
                let value = Some(DefValue::Bool(value));
                Ok(DefElem { namespace: None, name: name.text, value, action: DefAction::Unspecified, pos: name.pos })
            })?;
        }
        let granted_by = self.opt_granted_by()?;
        let behavior = if grant { DropBehavior::Restrict } else { self.drop_behavior() };
        let g = GrantRole { grant, roles, grantees, options, granted_by, behavior };
        Ok(StatementKind::GrantRole(Box::new(g)))
    }

    fn privilege_target(&mut self) -> Result<GrantTarget> {
        use ObjectKind as K;
        let relations = |p: &mut Self, kind| {
            let objects = p.list(|p| {
                let r = p.qualified_name()?;
                Ok(ObjectName::Name([r.catalog, r.schema, Some(r.name)].into_iter().flatten().collect()))
            })?;
            Ok(GrantTarget::Objects { kind, objects })
        };
        if self.is(Kw::All) {
            self.bump();
            let kind = match self.cur {
                Tok::Kw(Kw::Tables) => K::Table,
                Tok::Kw(Kw::Sequences) => K::Sequence,
                Tok::Kw(Kw::Functions) => K::Function,
                Tok::Kw(Kw::Procedures) => K::Procedure,
                Tok::Kw(Kw::Routines) => K::Routine,
                _ => return self.unexpected(),
            };
            self.bump();
            self.expect_all(&[Kw::In, Kw::Schema])?;
            return Ok(GrantTarget::AllInSchema { kind, schemas: self.list(Self::col_id)? });
        }
        // Most of these words may also be the name of a table.
        let named = Self::is_col_label(self.peek(1)) && !matches!(self.peek(1), Tok::Kw(Kw::To | Kw::From));
        let kind = match self.cur {
            Tok::Kw(Kw::Table) => {
                self.bump();
                return relations(self, K::Table);
            }
            Tok::Kw(Kw::Sequence) if named => {
                self.bump();
                return relations(self, K::Sequence);
            }
            Tok::Kw(Kw::Foreign) => {
                self.bump();
                if self.eat(Kw::Server) {
                    K::ForeignServer
                } else {
                    self.expect_all(&[Kw::Data, Kw::Wrapper])?;
                    K::ForeignDataWrapper
                }
            }
            Tok::Kw(
                Kw::Function
                | Kw::Procedure
                | Kw::Routine
                | Kw::Database
                | Kw::Domain
                | Kw::Language
                | Kw::Schema
                | Kw::Tablespace
                | Kw::Type,
            ) if named => self.object_kind()?,
            Tok::Kw(Kw::Large) if named => {
                self.object_kind()?;
                let objects = self.list(|p| p.numeric_only().map(ObjectName::LargeObject))?;
                return Ok(GrantTarget::Objects { kind: K::LargeObject, objects });
            }
            Tok::Kw(Kw::Parameter) if named => {
                self.bump();
                let objects = self.list(|p| {
                    let mut parts = vec![p.col_id()?];
                    while p.eat_ch(b'.') {
                        parts.push(p.col_id()?);
                    }
                    Ok(ObjectName::Name(parts))
                })?;
                return Ok(GrantTarget::Objects { kind: K::ParameterAcl, objects });
            }
            _ => return relations(self, K::Table),
        };
        let objects = self.list(|p| match kind {
            K::Type | K::Domain => Ok(ObjectName::Name(p.any_name()?)),
            _ => p.object_name(kind),
        })?;
        Ok(GrantTarget::Objects { kind, objects })
    }

    /// ALTER DEFAULT PRIVILEGES; ALTER has been read.
    pub(super) fn alter_default_privileges(&mut self) -> Result<StatementKind> {
        use ObjectKind as K;
        self.expect_all(&[Kw::Default, Kw::Privileges])?;
        let (mut schemas, mut roles) = (Vec::new(), Vec::new());
        loop {
            if self.eat(Kw::In) {
                self.expect(Kw::Schema)?;
                schemas.extend(self.list(Self::col_id)?);
            } else if self.eat(Kw::For) {
                if !self.eat(Kw::Role) {
                    self.expect(Kw::User)?;
                }
                roles.extend(self.role_list()?);
            } else {
                break;
            }
        }
        let grant = self.eat(Kw::Grant);
        let mut grant_option = false;
        if !grant {
            self.expect(Kw::Revoke)?;
            if self.is(Kw::Grant) && self.peek_kw(1, Kw::Option) {
                self.bump();
                self.bump();
                self.expect(Kw::For)?;
                grant_option = true;
            }
        }
        let privileges = self.privileges(true)?;
        self.expect(Kw::On)?;
        let kind = match self.cur {
            Tok::Kw(Kw::Tables) => K::Table,
            Tok::Kw(Kw::Functions | Kw::Routines) => K::Function,
            Tok::Kw(Kw::Sequences) => K::Sequence,
            Tok::Kw(Kw::Types) => K::Type,
            Tok::Kw(Kw::Schemas) => K::Schema,
            Tok::Kw(Kw::Large) => {
                self.bump();
                if !self.is(Kw::Objects) {
                    return self.unexpected();
                }
                K::LargeObject
            }
            _ => return self.unexpected(),
        };
        self.bump();
        self.direction(grant)?;
        let grantees = self.grantees()?;
        if grant && self.eat(Kw::With) {
            self.expect_all(&[Kw::Grant, Kw::Option])?;
            grant_option = true;
        }
        let behavior = if grant { DropBehavior::Restrict } else { self.drop_behavior() };
        let target = GrantTarget::Defaults { kind };
        let action = Grant { grant, privileges, target, grantees, grant_option, granted_by: None, behavior };
        let s = AlterDefaultPrivileges { schemas, roles, action };
        Ok(StatementKind::AlterDefaultPrivileges(Box::new(s)))
    }

    pub(super) fn reassign_owned(&mut self) -> Result<StatementKind> {
        self.bump();
        self.expect_all(&[Kw::Owned, Kw::By])?;
        let roles = self.role_list()?;
        self.expect(Kw::To)?;
        let to = self.role_spec()?;
        Ok(StatementKind::ReassignOwned(Box::new(ReassignOwned { roles, to })))
    }

    /// An option that says a word was there.
    pub(super) fn flag(&self, name: &'static str, pos: Pos) -> DefElem {
        option(name, None, pos)
    }
}
