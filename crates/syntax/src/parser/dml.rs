//! INSERT, UPDATE, DELETE, MERGE.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    /// The statement at hand, which changes rows; its WITH has been read.
    pub(super) fn change(&mut self, with: Option<Box<With>>) -> Result<StatementKind> {
        Ok(match self.cur {
            Tok::Kw(Kw::Insert) => StatementKind::Insert(Box::new(self.insert(with)?)),
            Tok::Kw(Kw::Update) => StatementKind::Update(Box::new(self.update(with)?)),
            Tok::Kw(Kw::Delete) => StatementKind::Delete(Box::new(self.delete(with)?)),
            _ => StatementKind::Merge(Box::new(self.merge(with)?)),
        })
    }

    #[inline(never)]
    fn insert(&mut self, with: Option<Box<With>>) -> Result<Insert> {
        let pos = self.pos();
        self.bump();
        self.expect(Kw::Into)?;
        let relation = self.qualified_name()?;
        let alias = if self.eat(Kw::As) { Some(self.col_id()?) } else { None };
        let mut columns = Vec::new();
        let mut overriding = Overriding::NotSet;
        let mut source = None;
        if self.is(Kw::Default) {
            self.bump();
            self.expect(Kw::Values)?;
        } else {
            if self.is_ch(b'(') && !self.query_in_parens() {
                columns = self.paren_list(Self::assign_target)?;
            }
            overriding = self.opt_overriding()?;
            source = Some(self.select_statement()?);
        }
        let on_conflict = self.opt_on_conflict()?;
        let returning = self.opt_returning()?;
        Ok(Insert { with, relation, alias, columns, overriding, source, on_conflict, returning, pos })
    }

    /// At a parenthesis: whether a query is in it. `(values)` is a list of columns.
    fn query_in_parens(&mut self) -> bool {
        match self.peek(1) {
            Tok::Kw(Kw::Values) => self.peek(2) == Tok::Char(b'('),
            Tok::Char(b'(') => true,
            _ => self.starts_query(),
        }
    }

    fn opt_overriding(&mut self) -> Result<Overriding> {
        if !self.eat(Kw::Overriding) {
            return Ok(Overriding::NotSet);
        }
        let kind = if self.eat(Kw::User) {
            Overriding::UserValue
        } else {
            self.expect(Kw::System)?;
            Overriding::SystemValue
        };
        self.expect(Kw::Value)?;
        Ok(kind)
    }

    pub(super) fn assign_target(&mut self) -> Result<AssignTarget> {
        let name = self.col_id()?;
        let path = self.indirection()?;
        if let Some(n) = path.iter().position(|s| matches!(s, Indirection::Star(_)))
            && n + 1 < path.len()
        {
            return Err(self.near("improper use of \"*\""));
        }
        Ok(AssignTarget { name, path })
    }

    fn opt_on_conflict(&mut self) -> Result<Option<Box<OnConflict>>> {
        let pos = self.pos();
        if !self.eat(Kw::On) {
            return Ok(None);
        }
        self.expect(Kw::Conflict)?;
        let mut target = None;
        let at = self.pos();
        if self.eat(Kw::On) {
            self.expect(Kw::Constraint)?;
            target = Some(ConflictTarget::Constraint(self.col_id()?));
        } else if self.is_ch(b'(') {
            let elements = self.paren_list(Self::index_element)?;
            let where_clause = self.opt_where()?;
            target = Some(ConflictTarget::Infer { elements, where_clause, pos: at });
        }
        self.expect(Kw::Do)?;
        let action = if self.eat(Kw::Nothing) {
            ConflictAction::Nothing
        } else {
            self.expect_all(&[Kw::Update, Kw::Set])?;
            let sets = self.list(Self::set_clause)?;
            ConflictAction::Update { sets, where_clause: self.opt_where()? }
        };
        Ok(Some(Box::new(OnConflict { target, action, pos })))
    }

    pub(super) fn opt_returning(&mut self) -> Result<Option<Box<Returning>>> {
        if !self.eat(Kw::Returning) {
            return Ok(None);
        }
        let mut options = Vec::new();
        if self.eat(Kw::With) {
            options = self.paren_list(|p| {
                let pos = p.pos();
                let new = p.eat(Kw::New);
                if !new {
                    p.expect(Kw::Old)?;
                }
                p.expect(Kw::As)?;
                Ok(ReturningOption { new, name: p.col_id()?, pos })
            })?;
        }
        let targets = self.target_list()?;
        Ok(Some(Box::new(Returning { options, targets })))
    }

    pub(super) fn set_clause(&mut self) -> Result<SetClause> {
        if self.is_ch(b'(') {
            let targets = self.paren_list(Self::assign_target)?;
            self.expect_ch(b'=')?;
            return Ok(SetClause::Multi { targets, source: self.a_expr()? });
        }
        let target = self.assign_target()?;
        self.expect_ch(b'=')?;
        Ok(SetClause::Single { target, value: self.a_expr()? })
    }

    /// A relation with an alias, which is not the word SET unless AS precedes it.
    fn relation_opt_alias(&mut self) -> Result<(RangeVar, Option<Name>)> {
        let relation = self.relation_expr()?;
        let alias = if self.eat(Kw::As) || (Self::is_col_id(self.cur) && !self.is(Kw::Set)) {
            Some(self.col_id()?)
        } else {
            None
        };
        Ok((relation, alias))
    }

    fn where_or_current(&mut self) -> Result<Option<Expr>> {
        if !self.eat(Kw::Where) {
            return Ok(None);
        }
        let pos = self.pos();
        if self.is(Kw::Current) && self.peek_kw(1, Kw::Of) {
            self.bump();
            self.bump();
            let name = self.col_id()?;
            return Ok(Some(Expr::new(ExprKind::CurrentOf(name), pos)));
        }
        self.a_expr().map(Some)
    }

    #[inline(never)]
    fn update(&mut self, with: Option<Box<With>>) -> Result<Update> {
        let pos = self.pos();
        self.bump();
        let (relation, alias) = self.relation_opt_alias()?;
        self.expect(Kw::Set)?;
        let sets = self.list(Self::set_clause)?;
        let from = if self.eat(Kw::From) { self.list(Self::table_ref)? } else { Vec::new() };
        let where_clause = self.where_or_current()?;
        let returning = self.opt_returning()?;
        Ok(Update { with, relation, alias, sets, from, where_clause, returning, pos })
    }

    #[inline(never)]
    fn delete(&mut self, with: Option<Box<With>>) -> Result<Delete> {
        let pos = self.pos();
        self.bump();
        self.expect(Kw::From)?;
        let (relation, alias) = self.relation_opt_alias()?;
        let using = if self.eat(Kw::Using) { self.list(Self::table_ref)? } else { Vec::new() };
        let where_clause = self.where_or_current()?;
        let returning = self.opt_returning()?;
        Ok(Delete { with, relation, alias, using, where_clause, returning, pos })
    }

    #[inline(never)]
    fn merge(&mut self, with: Option<Box<With>>) -> Result<Merge> {
        let pos = self.pos();
        self.bump();
        self.expect(Kw::Into)?;
        let (relation, alias) = self.relation_opt_alias()?;
        self.expect(Kw::Using)?;
        let source = self.table_ref()?;
        self.expect(Kw::On)?;
        let on = self.a_expr()?;
        let mut whens = Vec::new();
        loop {
            whens.push(self.merge_when()?);
            if !self.is(Kw::When) {
                break;
            }
        }
        let returning = self.opt_returning()?;
        Ok(Merge { with, relation, alias, source, on, whens, returning, pos })
    }

    fn merge_when(&mut self) -> Result<MergeWhen> {
        let pos = self.pos();
        self.expect(Kw::When)?;
        let mut matched = MergeMatch::Matched;
        if self.eat(Kw::Not) {
            matched = MergeMatch::NotMatchedByTarget;
            self.expect(Kw::Matched)?;
            if self.eat(Kw::By) {
                if self.eat(Kw::Source) {
                    matched = MergeMatch::NotMatchedBySource;
                } else {
                    self.expect(Kw::Target)?;
                }
            }
        } else {
            self.expect(Kw::Matched)?;
        }
        let condition = if self.eat(Kw::And) { Some(self.a_expr()?) } else { None };
        self.expect(Kw::Then)?;
        let insert = matched == MergeMatch::NotMatchedByTarget;
        let action = match self.cur {
            Tok::Kw(Kw::Do) => {
                self.bump();
                self.expect(Kw::Nothing)?;
                MergeAction::DoNothing
            }
            Tok::Kw(Kw::Update) if !insert => {
                self.bump();
                self.expect(Kw::Set)?;
                MergeAction::Update(self.list(Self::set_clause)?)
            }
            Tok::Kw(Kw::Delete) if !insert => {
                self.bump();
                MergeAction::Delete
            }
            Tok::Kw(Kw::Insert) if insert => {
                self.bump();
                if self.eat(Kw::Default) {
                    self.expect(Kw::Values)?;
                    MergeAction::Insert { columns: Vec::new(), overriding: Overriding::NotSet, values: Vec::new() }
                } else {
                    let columns = if self.is_ch(b'(') { self.paren_list(Self::assign_target)? } else { Vec::new() };
                    let overriding = self.opt_overriding()?;
                    self.expect(Kw::Values)?;
                    let values = self.paren_list(Self::a_expr)?;
                    MergeAction::Insert { columns, overriding, values }
                }
            }
            _ => return self.unexpected(),
        };
        Ok(MergeWhen { matched, condition, action, pos })
    }
}
