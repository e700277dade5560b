//! Publications and subscriptions.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    pub(super) fn create_publication(&mut self) -> Result<StatementKind> {
        self.bump();
        let name = self.col_id()?;
        let mut all_tables = false;
        let mut objects = Vec::new();
        if self.eat(Kw::For) {
            if self.eat(Kw::All) {
                self.expect(Kw::Tables)?;
                all_tables = true;
            } else {
                objects = self.publication_objects()?;
            }
        }
        let options = self.opt_with_definition()?;
        let p = CreatePublication { name, all_tables, objects, options };
        Ok(StatementKind::CreatePublication(Box::new(p)))
    }

    /// A kind once named holds for what follows, until another is named.
    fn publication_objects(&mut self) -> Result<Vec<PublicationObject>> {
        let mut schemas: Option<bool> = None;
        let mut nameless: Option<Pos> = None;
        let list = self.list(|p| {
            let pos = p.pos();
            if p.eat(Kw::Table) {
                schemas = Some(false);
            } else if p.is(Kw::Tables) && p.peek_kw(1, Kw::In) {
                p.bump();
                p.bump();
                p.expect(Kw::Schema)?;
                schemas = Some(true);
            }
            if schemas.is_none() {
                nameless.get_or_insert(pos);
            }
            let pos = p.pos();
            if schemas != Some(false) && p.eat(Kw::CurrentSchema) {
                return Ok(PublicationObject::CurrentSchema(pos));
            }
            if schemas == Some(true) {
                return Ok(PublicationObject::Schema(p.col_id()?));
            }
            let relation = p.relation_expr()?;
            let columns = p.opt_name_list()?;
            let where_clause = if p.eat(Kw::Where) { Some(p.paren_expr()?) } else { None };
            Ok(PublicationObject::Table { relation, columns, where_clause, pos })
        })?;
        if let Some(pos) = nameless {
            let e = self.error(types::SqlState::SYNTAX_ERROR, "invalid publication object list", pos);
            let detail = "One of TABLE or TABLES IN SCHEMA must be specified before a standalone table or schema name.";
            return Err(e.detail(detail));
        }
        Ok(list)
    }

    pub(super) fn alter_publication(&mut self, name: Name) -> Result<StatementKind> {
        let next = self.peek(1);
        let change = match self.cur {
            Tok::Kw(Kw::Set) if next == Tok::Char(b'(') => {
                self.bump();
                PublicationChange::Options(self.definition()?)
            }
            Tok::Kw(Kw::Set) => {
                self.bump();
                PublicationChange::Set(self.publication_objects()?)
            }
            Tok::Kw(Kw::Add) => {
                self.bump();
                PublicationChange::Add(self.publication_objects()?)
            }
            _ => {
                self.expect(Kw::Drop)?;
                PublicationChange::Drop(self.publication_objects()?)
            }
        };
        Ok(StatementKind::AlterPublication(Box::new(AlterPublication { name, change })))
    }

    pub(super) fn create_subscription(&mut self) -> Result<StatementKind> {
        self.bump();
        let name = self.col_id()?;
        self.expect(Kw::Connection)?;
        let connection = self.sconst()?;
        self.expect(Kw::Publication)?;
        let publications = self.list(Self::col_label)?;
        let options = self.opt_with_definition()?;
        let s = CreateSubscription { name, connection, publications, options };
        Ok(StatementKind::CreateSubscription(Box::new(s)))
    }

    pub(super) fn alter_subscription(&mut self, name: Name) -> Result<StatementKind> {
        use SubscriptionChange::*;
        let next = self.peek(1);
        let Tok::Kw(k) = self.cur else { return self.unexpected() };
        let list = |p: &mut Self| {
            p.bump();
            p.expect(Kw::Publication)?;
            let names = p.list(Self::col_label)?;
            Ok::<_, types::SqlError>((names, p.opt_with_definition()?))
        };
        let change = match k {
            Kw::Set if next == Tok::Char(b'(') => {
                self.bump();
                Options(self.definition()?)
            }
            Kw::Connection => {
                self.bump();
                Connection(self.sconst()?)
            }
            Kw::Refresh => {
                self.bump();
                self.expect(Kw::Publication)?;
                Refresh(self.opt_with_definition()?)
            }
            Kw::Add => {
                let (n, o) = list(self)?;
                AddPublication(n, o)
            }
            Kw::Drop => {
                let (n, o) = list(self)?;
                DropPublication(n, o)
            }
            Kw::Set => {
                let (n, o) = list(self)?;
                SetPublication(n, o)
            }
            Kw::Enable | Kw::Disable => {
                self.bump();
                Enable(k == Kw::Enable)
            }
            Kw::Skip => {
                self.bump();
                Skip(self.definition()?)
            }
            _ => return self.unexpected(),
        };
        Ok(StatementKind::AlterSubscription(Box::new(AlterSubscription { name, change })))
    }
}
