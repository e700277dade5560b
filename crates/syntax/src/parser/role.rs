//! Roles, databases, tablespaces.

use super::Parser;
use super::options::option;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    /// `ROLE|USER|GROUP name [WITH] options`
    pub(super) fn create_role(&mut self) -> Result<StatementKind> {
        let word = match self.bump().tok {
            Tok::Kw(Kw::User) => RoleWord::User,
            Tok::Kw(Kw::Group) => RoleWord::Group,
            _ => RoleWord::Role,
        };
        let name = self.role_id()?;
        self.eat(Kw::With);
        let options = self.role_options(true)?;
        Ok(StatementKind::CreateRole(Box::new(CreateRole { word, name, options })))
    }

    fn role_options(&mut self, create: bool) -> Result<Vec<RoleOption>> {
        use RoleOptionKind::*;
        let mut out = Vec::new();
        loop {
            let pos = self.pos();
            let kind = match self.cur {
                Tok::Kw(Kw::Password) => {
                    self.bump();
                    Password(if self.eat(Kw::Null) { None } else { Some(self.sconst()?) })
                }
                Tok::Kw(Kw::Encrypted) => {
                    self.bump();
                    self.expect(Kw::Password)?;
                    Password(Some(self.sconst()?))
                }
                Tok::Kw(Kw::Unencrypted) => {
                    self.bump();
                    self.expect(Kw::Password)?;
                    self.sconst()?;
                    let e = "UNENCRYPTED PASSWORD is no longer supported";
                    let e = self.error(types::SqlState::FEATURE_NOT_SUPPORTED, e, pos);
                    return Err(e.hint("Remove UNENCRYPTED to store the password in encrypted form instead."));
                }
                Tok::Kw(Kw::Inherit) => {
                    self.bump();
                    Inherit(true)
                }
                Tok::Kw(Kw::Connection) => {
                    self.bump();
                    self.expect(Kw::Limit)?;
                    ConnectionLimit(self.signed_iconst()?)
                }
                Tok::Kw(Kw::Valid) => {
                    self.bump();
                    self.expect(Kw::Until)?;
                    ValidUntil(self.sconst()?)
                }
                Tok::Kw(Kw::User) => {
                    self.bump();
                    Members(self.role_list()?)
                }
                Tok::Kw(Kw::Sysid) if create => {
                    self.bump();
                    SysId(self.iconst()?)
                }
                Tok::Kw(Kw::Admin) if create => {
                    self.bump();
                    Admin(self.role_list()?)
                }
                Tok::Kw(Kw::Role) if create => {
                    self.bump();
                    Members(self.role_list()?)
                }
                Tok::Kw(Kw::In) if create => {
                    self.bump();
                    if !self.eat(Kw::Role) {
                        self.expect(Kw::Group)?;
                    }
                    InRole(self.role_list()?)
                }
                Tok::Ident => {
                    let word = self.col_id()?;
                    match word.as_str() {
                        "superuser" => Superuser(true),
                        "nosuperuser" => Superuser(false),
                        "createrole" => CreateRole(true),
                        "nocreaterole" => CreateRole(false),
                        "replication" => Replication(true),
                        "noreplication" => Replication(false),
                        "createdb" => CreateDb(true),
                        "nocreatedb" => CreateDb(false),
                        "login" => Login(true),
                        "nologin" => Login(false),
                        "bypassrls" => BypassRls(true),
                        "nobypassrls" => BypassRls(false),
                        "noinherit" => Inherit(false),
                        other => return self.syntax_at(format!("unrecognized role option \"{other}\""), pos),
                    }
                }
                _ => return Ok(out),
            };
            out.push(RoleOption { kind, pos });
        }
    }

    /// ALTER ROLE, USER, GROUP; the word is at hand.
    pub(super) fn alter_role(&mut self) -> Result<StatementKind> {
        let group = self.is(Kw::Group);
        self.bump();
        let role = if !group && self.eat(Kw::All) { None } else { Some(self.role_spec()?) };
        if self.is(Kw::Rename)
            && let Some(spec) = &role
        {
            self.bump();
            self.expect(Kw::To)?;
            let new_name = self.role_id()?;
            let RoleSpec::Name(name) = spec else { return self.unexpected() };
            let r = Rename::of(ObjectKind::Role, ObjectName::Name(vec![name.clone()]), new_name);
            return Ok(StatementKind::Rename(Box::new(r)));
        }
        if group {
            let add = self.eat(Kw::Add);
            if !add {
                self.expect(Kw::Drop)?;
            }
            self.expect(Kw::User)?;
            let members = self.role_list()?;
            let Some(role) = role else { return self.unexpected() };
            return Ok(StatementKind::AlterGroupMembers(Box::new(AlterGroupMembers { role, add, members })));
        }
        let mut database = None;
        if self.eat(Kw::In) {
            self.expect(Kw::Database)?;
            database = Some(self.col_id()?);
        }
        if matches!(self.cur, Tok::Kw(Kw::Set | Kw::Reset)) || database.is_some() || role.is_none() {
            let set = self.set_reset()?;
            return Ok(StatementKind::AlterRoleSet(Box::new(AlterRoleSet { role, database, set })));
        }
        self.eat(Kw::With);
        let options = self.role_options(false)?;
        match role {
            Some(role) => Ok(StatementKind::AlterRole(Box::new(AlterRole { role, options }))),
            None => self.unexpected(),
        }
    }

    pub(super) fn drop_role(&mut self) -> Result<StatementKind> {
        self.bump();
        let if_exists = self.if_exists()?;
        let roles = self.role_list()?;
        Ok(StatementKind::DropRole(Box::new(DropRole { if_exists, roles })))
    }

    /// createdb_opt_list.
    fn database_options(&mut self) -> Result<Vec<DefElem>> {
        let mut out = Vec::new();
        loop {
            let pos = self.pos();
            let name = match self.cur {
                Tok::Ident => self.col_id()?.text,
                Tok::Kw(Kw::Connection) => {
                    self.bump();
                    self.expect(Kw::Limit)?;
                    Ident::const_new("connection_limit")
                }
                Tok::Kw(Kw::Encoding | Kw::Location | Kw::Owner | Kw::Tablespace | Kw::Template) => {
                    let t = self.bump();
                    self.text(&t)
                }
                _ => return Ok(out),
            };
            self.eat_ch(b'=');
            let value = if self.eat(Kw::Default) {
                None
            } else if self.is_numeric() {
                Some(self.numeric_value()?)
            } else {
                let ok = self.cur == Tok::Str
                    || matches!(self.cur, Tok::Kw(Kw::True | Kw::False | Kw::On))
                    || Self::is_non_reserved_word(self.cur);
                Some(DefValue::String(self.take_name(ok)?.text))
            };
            out.push(DefElem { namespace: None, name, value, action: DefAction::Unspecified, pos });
        }
    }

    pub(super) fn create_database(&mut self) -> Result<StatementKind> {
        self.bump();
        let name = self.col_id()?;
        self.eat(Kw::With);
        let options = self.database_options()?;
        Ok(StatementKind::CreateDatabase(Box::new(CreateDatabase { name, options })))
    }

    /// ALTER DATABASE; the words have been read.
    pub(super) fn alter_database(&mut self) -> Result<StatementKind> {
        let name = self.col_id()?;
        let next = self.peek(1);
        let change = match self.cur {
            Tok::Kw(Kw::Rename) => {
                self.bump();
                self.expect(Kw::To)?;
                let new_name = self.col_id()?;
                let r = Rename::of(ObjectKind::Database, ObjectName::Name(vec![name]), new_name);
                return Ok(StatementKind::Rename(Box::new(r)));
            }
            Tok::Kw(Kw::Owner) if next == Tok::Kw(Kw::To) => {
                self.bump();
                self.bump();
                let owner = self.role_spec()?;
                let object = ObjectName::Name(vec![name]);
                let o = AlterOwner { kind: ObjectKind::Database, object, owner };
                return Ok(StatementKind::AlterOwner(Box::new(o)));
            }
            Tok::Kw(Kw::Set) if next == Tok::Kw(Kw::Tablespace) => {
                self.bump();
                self.bump();
                DatabaseChange::SetTablespace(self.col_id()?)
            }
            Tok::Kw(Kw::Set | Kw::Reset) => DatabaseChange::Set(self.set_reset()?),
            Tok::Kw(Kw::Refresh) => {
                self.bump();
                self.expect_all(&[Kw::Collation, Kw::Version])?;
                DatabaseChange::RefreshCollationVersion
            }
            _ => {
                self.eat(Kw::With);
                DatabaseChange::Options(self.database_options()?)
            }
        };
        Ok(StatementKind::AlterDatabase(Box::new(AlterDatabase { name, change })))
    }

    pub(super) fn create_tablespace(&mut self) -> Result<StatementKind> {
        self.bump();
        let name = self.col_id()?;
        let owner = if self.eat(Kw::Owner) { Some(self.role_spec()?) } else { None };
        self.expect(Kw::Location)?;
        let location = self.sconst()?;
        let options = if self.eat(Kw::With) { self.rel_options()? } else { Vec::new() };
        let t = CreateTablespace { name, owner, location, options };
        Ok(StatementKind::CreateTablespace(Box::new(t)))
    }

    /// ALTER TABLESPACE; the words have been read.
    pub(super) fn alter_tablespace(&mut self) -> Result<StatementKind> {
        let name = self.col_id()?;
        match self.cur {
            Tok::Kw(Kw::Set | Kw::Reset) => {
                let reset = self.is(Kw::Reset);
                self.bump();
                let options = self.rel_options()?;
                Ok(StatementKind::AlterTablespace(Box::new(AlterTablespace { name, options, reset })))
            }
            Tok::Kw(Kw::Rename) => {
                self.bump();
                self.expect(Kw::To)?;
                let new_name = self.col_id()?;
                let r = Rename::of(ObjectKind::Tablespace, ObjectName::Name(vec![name]), new_name);
                Ok(StatementKind::Rename(Box::new(r)))
            }
            _ => {
                self.expect_all(&[Kw::Owner, Kw::To])?;
                let object = ObjectName::Name(vec![name]);
                let o = AlterOwner { kind: ObjectKind::Tablespace, object, owner: self.role_spec()? };
                Ok(StatementKind::AlterOwner(Box::new(o)))
            }
        }
    }

    /// `EXTENSION …`
    pub(super) fn create_extension(&mut self) -> Result<StatementKind> {
        self.bump();
        let if_not_exists = self.if_not_exists()?;
        let name = self.col_id()?;
        self.eat(Kw::With);
        let mut options = Vec::new();
        loop {
            let pos = self.pos();
            match self.cur {
                Tok::Kw(Kw::Schema) => {
                    self.bump();
                    let v = self.col_id()?.text;
                    options.push(option("schema", Some(DefValue::String(v)), pos));
                }
                Tok::Kw(Kw::Version) => {
                    self.bump();
                    let v = self.word_or_sconst()?.text;
                    options.push(option("new_version", Some(DefValue::String(v)), pos));
                }
                Tok::Kw(Kw::Cascade) => {
                    self.bump();
                    options.push(option("cascade", Some(DefValue::Bool(true)), pos));
                }
                Tok::Kw(Kw::From) => {
                    self.bump();
                    self.word_or_sconst()?;
                    return self.unsupported_at("CREATE EXTENSION ... FROM is no longer supported", pos);
                }
                _ => break,
            }
        }
        Ok(StatementKind::CreateExtension(Box::new(CreateExtension { if_not_exists, name, options })))
    }

    /// `SCHEMA …`
    pub(super) fn create_schema(&mut self) -> Result<StatementKind> {
        self.bump();
        let if_not_exists = self.if_not_exists()?;
        let name = if self.is(Kw::Authorization) { None } else { Some(self.col_id()?) };
        let authorization = if name.is_none() || self.is(Kw::Authorization) {
            self.expect(Kw::Authorization)?;
            Some(self.role_spec()?)
        } else {
            None
        };
        let mut elements = Vec::new();
        let start = self.pos();
        while matches!(self.cur, Tok::Kw(Kw::Create | Kw::Grant)) {
            let at = self.pos();
            let s = self.schema_element()?;
            elements.push(Statement { kind: s, span: self.span_from(at) });
        }
        if if_not_exists && !elements.is_empty() {
            return self.unsupported_at("CREATE SCHEMA IF NOT EXISTS cannot include schema elements", start);
        }
        let s = CreateSchema { if_not_exists, name, authorization, elements };
        Ok(StatementKind::CreateSchema(Box::new(s)))
    }

    fn schema_element(&mut self) -> Result<StatementKind> {
        if self.is(Kw::Grant) {
            return self.grant(true);
        }
        let next = self.peek(1);
        let ok = matches!(
            next,
            Tok::Kw(
                Kw::Table | Kw::Temp | Kw::Temporary | Kw::Local | Kw::Global | Kw::Unlogged | Kw::Index | Kw::Unique
            )
        ) || matches!(
            next,
            Tok::Kw(Kw::Sequence | Kw::Trigger | Kw::Constraint | Kw::View | Kw::Recursive | Kw::Or)
        );
        if !ok {
            self.bump();
            return self.unexpected();
        }
        let at = self.at;
        self.enter()?;
        let kind = self.create()?;
        self.leave();
        match kind {
            StatementKind::CreateTable(_)
            | StatementKind::CreateIndex(_)
            | StatementKind::CreateSequence(_)
            | StatementKind::CreateTrigger(_)
            | StatementKind::CreateView(_) => Ok(kind),
            _ => {
                let t = self.toks[at + 1];
                Err(self.lex.error_near("syntax error", t.start as usize, t.end as usize))
            }
        }
    }
}
