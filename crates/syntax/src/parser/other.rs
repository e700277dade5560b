//! Kinds of objects kept in little or no detail, and definitions by list.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    pub(super) fn other(&self, command: &'static str, name: QualifiedName, options: Vec<DefElem>) -> StatementKind {
        StatementKind::OtherObject(Box::new(OtherObject { command, name, options }))
    }

    fn define(&self, kind: ObjectKind, name: QualifiedName, definition: Vec<DefElem>, pos: Pos) -> StatementKind {
        StatementKind::Define(Box::new(Define {
            kind,
            or_replace: false,
            if_not_exists: false,
            name,
            aggregate_args: None,
            definition,
            from: None,
            pos,
        }))
    }

    /// `OPERATOR [CLASS|FAMILY] …`
    pub(super) fn create_operator(&mut self, pos: Pos) -> Result<StatementKind> {
        self.bump();
        let dot = self.peek(1) == Tok::Char(b'.');
        if !dot && self.eat(Kw::Class) {
            return self.create_operator_class();
        }
        if !dot && self.eat(Kw::Family) {
            let name = self.any_name()?;
            self.expect(Kw::Using)?;
            self.col_id()?;
            return Ok(self.other("CREATE OPERATOR FAMILY", name, Vec::new()));
        }
        let op = self.any_operator()?;
        let definition = self.definition()?;
        let mut name = op.schema;
        name.push(Name { text: op.name, pos: op.pos });
        Ok(self.define(ObjectKind::Operator, name, definition, pos))
    }

    fn create_operator_class(&mut self) -> Result<StatementKind> {
        let name = self.any_name()?;
        let default = self.eat(Kw::Default);
        self.expect_all(&[Kw::For, Kw::Type])?;
        let ty = self.type_name()?;
        self.expect(Kw::Using)?;
        let access_method = self.col_id()?;
        let family = if self.eat(Kw::Family) { self.any_name()? } else { Vec::new() };
        self.expect(Kw::As)?;
        let items = self.list(Self::operator_class_item)?;
        let c = CreateOperatorClass { name, default, ty, access_method, family, items };
        Ok(StatementKind::CreateOperatorClass(Box::new(c)))
    }

    fn operator_class_item(&mut self) -> Result<OperatorClassItem> {
        if self.eat(Kw::Storage) {
            return Ok(OperatorClassItem::Storage(self.type_name()?));
        }
        if self.eat(Kw::Function) {
            let number = self.iconst()?;
            let types = if self.is_ch(b'(') { self.paren_list(Self::type_name)? } else { Vec::new() };
            let function = self.function_sig()?;
            return Ok(OperatorClassItem::Function { number, function, types });
        }
        self.expect(Kw::Operator)?;
        let number = self.iconst()?;
        let operator = self.any_operator()?;
        let args = if self.is_ch(b'(') { Some(self.operator_args()?) } else { None };
        let mut order_family = Vec::new();
        if self.eat(Kw::For) && !self.eat(Kw::Search) {
            self.expect_all(&[Kw::Order, Kw::By])?;
            order_family = self.any_name()?;
        }
        Ok(OperatorClassItem::Operator { number, operator, args, order_family })
    }

    pub(super) fn alter_operator_family(&mut self, name: QualifiedName, access_method: Name) -> Result<StatementKind> {
        let add = self.eat(Kw::Add);
        let items = if add {
            self.list(Self::operator_class_item)?
        } else {
            self.expect(Kw::Drop)?;
            self.list(|p| {
                let function = p.eat(Kw::Function);
                if !function {
                    p.expect(Kw::Operator)?;
                }
                let number = p.iconst()?;
                let types = p.paren_list(Self::type_name)?;
                Ok(if function {
                    OperatorClassItem::DropFunction { number, types }
                } else {
                    OperatorClassItem::DropOperator { number, types }
                })
            })?
        };
        let f = AlterOperatorFamily { name, access_method, add, items };
        Ok(StatementKind::AlterOperatorFamily(Box::new(f)))
    }

    /// `COLLATION …`
    pub(super) fn create_collation(&mut self, pos: Pos) -> Result<StatementKind> {
        self.bump();
        let if_not_exists = self.if_not_exists()?;
        let name = self.any_name()?;
        let mut from = None;
        let mut definition = Vec::new();
        if self.eat(Kw::From) {
            from = Some(self.any_name()?);
        } else {
            definition = self.definition()?;
        }
        let d = Define {
            kind: ObjectKind::Collation,
            or_replace: false,
            if_not_exists,
            name,
            aggregate_args: None,
            definition,
            from,
            pos,
        };
        Ok(StatementKind::Define(Box::new(d)))
    }

    /// `TEXT SEARCH …`
    pub(super) fn create_text_search(&mut self, pos: Pos) -> Result<StatementKind> {
        let kind = self.object_kind()?;
        let name = self.any_name()?;
        let definition = self.definition()?;
        Ok(self.define(kind, name, definition, pos))
    }

    /// `CAST …`
    pub(super) fn create_cast(&mut self) -> Result<StatementKind> {
        self.bump();
        self.expect_ch(b'(')?;
        let source = self.type_name()?;
        self.expect(Kw::As)?;
        let target = self.type_name()?;
        self.expect_ch(b')')?;
        let method = if self.eat(Kw::Without) {
            self.expect(Kw::Function)?;
            CastMethod::WithoutFunction
        } else {
            self.expect(Kw::With)?;
            if self.eat(Kw::Inout) {
                CastMethod::InOut
            } else {
                self.expect(Kw::Function)?;
                CastMethod::Function(self.function_sig()?)
            }
        };
        let context = if self.eat(Kw::As) {
            if self.eat(Kw::Implicit) {
                CastContext::Implicit
            } else {
                self.expect(Kw::Assignment)?;
                CastContext::Assignment
            }
        } else {
            CastContext::Explicit
        };
        Ok(StatementKind::CreateCast(Box::new(CreateCast { source, target, method, context })))
    }

    /// `[TRUSTED] [PROCEDURAL] LANGUAGE …`
    pub(super) fn create_language(&mut self, or_replace: bool) -> Result<StatementKind> {
        let trusted = self.eat(Kw::Trusted);
        self.eat(Kw::Procedural);
        self.expect(Kw::Language)?;
        let name = self.col_id()?;
        let mut l = CreateLanguage { or_replace, trusted, name, handler: None, inline: None, validator: None };
        if self.eat(Kw::Handler) {
            l.handler = Some(self.handler_name()?);
            if self.eat(Kw::Inline) {
                l.inline = Some(self.handler_name()?);
            }
            if self.eat(Kw::Validator) {
                l.validator = Some(self.handler_name()?);
            } else if self.eat(Kw::No) {
                self.expect(Kw::Validator)?;
            }
        }
        Ok(StatementKind::CreateLanguage(Box::new(l)))
    }

    /// `STATISTICS …`
    pub(super) fn create_statistics(&mut self) -> Result<StatementKind> {
        self.bump();
        let if_not_exists = self.if_not_exists()?;
        let name = if !if_not_exists && matches!(self.cur, Tok::Kw(Kw::On) | Tok::Char(b'(')) {
            Vec::new()
        } else {
            self.any_name()?
        };
        let kinds = self.opt_name_list()?;
        self.expect(Kw::On)?;
        let expressions = self.list(|p| {
            if Self::is_col_id(p.cur) && !matches!(p.peek(1), Tok::Char(b'(' | b'.')) {
                return Ok(IndexKey::Column(p.col_id()?));
            }
            p.index_key()
        })?;
        self.expect(Kw::From)?;
        let from = self.list(Self::table_ref)?;
        let s = CreateStatistics { if_not_exists, name, kinds, expressions, from };
        Ok(StatementKind::CreateStatistics(Box::new(s)))
    }

    /// `FOREIGN DATA WRAPPER …`; FOREIGN has been read.
    pub(super) fn create_wrapper(&mut self) -> Result<StatementKind> {
        self.expect_all(&[Kw::Data, Kw::Wrapper])?;
        let name = vec![self.col_id()?];
        self.wrapper_options()?;
        let options = self.opt_generic_options()?;
        Ok(self.other("CREATE FOREIGN DATA WRAPPER", name, options))
    }

    fn wrapper_options(&mut self) -> Result<bool> {
        let mut any = false;
        loop {
            if self.eat(Kw::No) {
                if !self.eat(Kw::Handler) {
                    self.expect(Kw::Validator)?;
                }
            } else if self.eat(Kw::Handler) || self.eat(Kw::Validator) {
                self.handler_name()?;
            } else {
                return Ok(any);
            }
            any = true;
        }
    }

    /// `SERVER …`
    pub(super) fn create_server(&mut self) -> Result<StatementKind> {
        self.bump();
        self.if_not_exists()?;
        let name = vec![self.col_id()?];
        if self.eat(Kw::Type) {
            self.sconst()?;
        }
        if self.eat(Kw::Version) && !self.eat(Kw::Null) {
            self.sconst()?;
        }
        self.expect_all(&[Kw::Foreign, Kw::Data, Kw::Wrapper])?;
        self.col_id()?;
        let options = self.opt_generic_options()?;
        Ok(self.other("CREATE SERVER", name, options))
    }

    /// `USER MAPPING …`
    pub(super) fn create_user_mapping(&mut self) -> Result<StatementKind> {
        self.expect_all(&[Kw::User, Kw::Mapping])?;
        self.if_not_exists()?;
        self.expect(Kw::For)?;
        self.auth_ident()?;
        self.expect(Kw::Server)?;
        let name = vec![self.col_id()?];
        let options = self.opt_generic_options()?;
        Ok(self.other("CREATE USER MAPPING", name, options))
    }

    /// ALTER USER MAPPING; the words have been read.
    pub(super) fn alter_user_mapping(&mut self) -> Result<StatementKind> {
        self.expect(Kw::For)?;
        self.auth_ident()?;
        self.expect(Kw::Server)?;
        let name = vec![self.col_id()?];
        let options = self.alter_generic_options()?;
        Ok(self.other("ALTER USER MAPPING", name, options))
    }

    /// `[DEFAULT] CONVERSION …`
    pub(super) fn create_conversion(&mut self) -> Result<StatementKind> {
        self.eat(Kw::Default);
        self.expect(Kw::Conversion)?;
        let name = self.any_name()?;
        self.expect(Kw::For)?;
        self.sconst()?;
        self.expect(Kw::To)?;
        self.sconst()?;
        self.expect(Kw::From)?;
        self.any_name()?;
        Ok(self.other("CREATE CONVERSION", name, Vec::new()))
    }

    /// `ACCESS METHOD …`
    pub(super) fn create_access_method(&mut self) -> Result<StatementKind> {
        self.expect_all(&[Kw::Access, Kw::Method])?;
        let name = vec![self.col_id()?];
        self.expect(Kw::Type)?;
        if !self.eat(Kw::Index) {
            self.expect(Kw::Table)?;
        }
        self.expect(Kw::Handler)?;
        self.handler_name()?;
        Ok(self.other("CREATE ACCESS METHOD", name, Vec::new()))
    }

    /// `TRANSFORM …`
    pub(super) fn create_transform(&mut self) -> Result<StatementKind> {
        self.expect_all(&[Kw::Transform, Kw::For])?;
        let ty = self.type_name()?;
        self.expect(Kw::Language)?;
        self.col_id()?;
        self.expect_ch(b'(')?;
        let side = |p: &mut Self| {
            let from = p.eat(Kw::From);
            if !from {
                p.expect(Kw::To)?;
            }
            p.expect_all(&[Kw::Sql, Kw::With, Kw::Function])?;
            p.function_sig()?;
            Ok::<bool, types::SqlError>(from)
        };
        let first = side(self)?;
        if self.eat_ch(b',') {
            if self.is(if first { Kw::From } else { Kw::To }) {
                return self.unexpected();
            }
            side(self)?;
        }
        self.expect_ch(b')')?;
        Ok(self.other("CREATE TRANSFORM", ty.names, Vec::new()))
    }

    /// `ASSERTION …`, which PostgreSQL parses to refuse.
    pub(super) fn create_assertion(&mut self, pos: Pos) -> Result<StatementKind> {
        self.bump();
        self.any_name()?;
        self.expect(Kw::Check)?;
        self.paren_expr()?;
        self.attributes()?;
        self.unsupported_at("CREATE ASSERTION is not yet implemented", pos)
    }

    /// What else ALTER does to objects that have no node of their own.
    pub(super) fn alter_other(&mut self, kind: ObjectKind, object: ObjectName) -> Result<StatementKind> {
        use ObjectKind as K;
        let name = match object {
            ObjectName::Name(n) => n,
            ObjectName::Operator { operator, .. } => {
                let mut n = operator.schema;
                n.push(Name { text: operator.name, pos: operator.pos });
                n
            }
            _ => return self.unexpected(),
        };
        match kind {
            K::Collation => {
                self.expect_all(&[Kw::Refresh, Kw::Version])?;
                Ok(self.other("ALTER COLLATION", name, Vec::new()))
            }
            K::ForeignDataWrapper => {
                let any = self.wrapper_options()?;
                let options = if !any || self.is(Kw::Options) { self.alter_generic_options()? } else { Vec::new() };
                Ok(self.other("ALTER FOREIGN DATA WRAPPER", name, options))
            }
            K::ForeignServer => {
                let version = self.eat(Kw::Version);
                if version && !self.eat(Kw::Null) {
                    self.sconst()?;
                }
                let options = if !version || self.is(Kw::Options) { self.alter_generic_options()? } else { Vec::new() };
                Ok(self.other("ALTER SERVER", name, options))
            }
            K::EventTrigger => {
                match self.cur {
                    Tok::Kw(Kw::Disable) => {
                        self.bump();
                    }
                    _ => {
                        self.expect(Kw::Enable)?;
                        if !self.eat(Kw::Replica) {
                            self.eat(Kw::Always);
                        }
                    }
                }
                Ok(self.other("ALTER EVENT TRIGGER", name, Vec::new()))
            }
            K::Operator => {
                self.expect(Kw::Set)?;
                let options = self.definition()?;
                Ok(self.other("ALTER OPERATOR", name, options))
            }
            K::TextSearchDictionary => {
                let options = self.definition()?;
                Ok(self.other("ALTER TEXT SEARCH DICTIONARY", name, options))
            }
            K::TextSearchConfiguration => {
                self.text_search_mapping()?;
                Ok(self.other("ALTER TEXT SEARCH CONFIGURATION", name, Vec::new()))
            }
            _ => self.unexpected(),
        }
    }

    /// `ADD|ALTER|DROP MAPPING …`
    fn text_search_mapping(&mut self) -> Result<()> {
        let (add, drop) = (self.is(Kw::Add), self.is(Kw::Drop));
        if !add && !drop && !self.is(Kw::Alter) {
            return self.unexpected();
        }
        self.bump();
        self.expect(Kw::Mapping)?;
        if drop {
            self.if_exists()?;
            self.expect(Kw::For)?;
            self.list(Self::col_id)?;
            return Ok(());
        }
        let mut replace_only = false;
        if add || self.is(Kw::For) {
            self.expect(Kw::For)?;
            self.list(Self::col_id)?;
        } else {
            replace_only = true;
        }
        if !add && (replace_only || self.is(Kw::Replace)) {
            self.expect(Kw::Replace)?;
            self.any_name()?;
            self.expect(Kw::With)?;
            self.any_name()?;
            return Ok(());
        }
        self.expect(Kw::With)?;
        self.list(Self::any_name)?;
        Ok(())
    }
}
