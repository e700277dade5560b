//! What stands in FROM: relations, sub-queries, functions, joins.

use super::Parser;
use crate::ast::*;
use crate::keyword::{Category, Kw};
use crate::lexer::Tok;
use types::Result;

/// What stood between parentheses in FROM.
enum FromParen {
    Query(Select),
    Table(TableRef),
}

impl Parser<'_> {
    /// table_ref: an item with the joins after it.
    pub(super) fn table_ref(&mut self) -> Result<TableRef> {
        self.enter()?;
        let outer = std::mem::replace(&mut self.height, 0);
        let left = self.table_primary()?;
        let t = self.joins(left)?;
        self.raise()?;
        self.height = self.height.max(outer);
        self.leave();
        Ok(t)
    }

    fn joins(&mut self, mut left: TableRef) -> Result<TableRef> {
        loop {
            let pos = self.pos();
            let Tok::Kw(k) = self.cur else { return Ok(left) };
            let mut natural = false;
            let mut kind = JoinKind::Inner;
            let mut cross = false;
            match k {
                Kw::Cross => {
                    self.bump();
                    cross = true;
                }
                Kw::Natural => {
                    self.bump();
                    natural = true;
                    kind = self.join_type()?;
                }
                Kw::Join | Kw::Inner | Kw::Left | Kw::Right | Kw::Full => kind = self.join_type()?,
                _ => return Ok(left),
            }
            self.expect(Kw::Join)?;
            // Without a condition to wait for, the join is complete after one item.
            let right = if cross || natural { self.table_primary()? } else { self.table_ref()? };
            let condition = if cross {
                JoinCondition::None
            } else if natural {
                JoinCondition::Natural
            } else if self.eat(Kw::On) {
                JoinCondition::On(self.a_expr()?)
            } else {
                self.expect(Kw::Using)?;
                let columns = self.paren_list(Self::col_id)?;
                let alias = if self.eat(Kw::As) { Some(self.col_id()?) } else { None };
                JoinCondition::Using(columns, alias)
            };
            self.raise()?;
            left = TableRef::Join(Box::new(Join { kind, left, right, condition, alias: None, pos }));
        }
    }

    fn join_type(&mut self) -> Result<JoinKind> {
        let kind = match self.cur {
            Tok::Kw(Kw::Join) => return Ok(JoinKind::Inner),
            Tok::Kw(Kw::Inner) => {
                self.bump();
                return Ok(JoinKind::Inner);
            }
            Tok::Kw(Kw::Left) => JoinKind::Left,
            Tok::Kw(Kw::Right) => JoinKind::Right,
            Tok::Kw(Kw::Full) => JoinKind::Full,
            _ => return self.unexpected(),
        };
        self.bump();
        self.eat(Kw::Outer);
        Ok(kind)
    }

    fn table_primary(&mut self) -> Result<TableRef> {
        let pos = self.pos();
        let next = self.peek(1);
        let tok = self.cur;
        match tok {
            Tok::Char(b'(') => match self.paren_in_from()? {
                FromParen::Query(query) => self.subquery(query, false, pos),
                FromParen::Table(t) => Ok(t),
            },
            Tok::Kw(Kw::Lateral) => {
                self.bump();
                let pos = self.pos();
                let next = self.peek(1);
                match self.cur {
                    Tok::Char(b'(') => {
                        let query = self.select_with_parens()?;
                        self.subquery(query, true, pos)
                    }
                    Tok::Kw(Kw::Xmltable) if next == Tok::Char(b'(') => self.xml_table(true),
                    Tok::Kw(Kw::JsonTable) if next == Tok::Char(b'(') => self.json_table(true),
                    _ => self.function_table(true),
                }
            }
            Tok::Kw(Kw::Xmltable) if next == Tok::Char(b'(') => self.xml_table(false),
            Tok::Kw(Kw::JsonTable) if next == Tok::Char(b'(') => self.json_table(false),
            Tok::Kw(Kw::Only) => self.relation(),
            Tok::Kw(Kw::Rows) if next == Tok::Kw(Kw::From) => self.function_table(false),
            _ if self.call_comes() => self.function_table(false),
            _ => self.relation(),
        }
    }

    /// Whether a function call, of either kind, starts here.
    fn call_comes(&mut self) -> bool {
        let next = self.peek(1);
        match self.cur {
            Tok::Ident => {}
            Tok::Kw(k) => match k {
                Kw::CurrentDate
                | Kw::CurrentTime
                | Kw::CurrentTimestamp
                | Kw::Localtime
                | Kw::Localtimestamp
                | Kw::CurrentRole
                | Kw::CurrentUser
                | Kw::User
                | Kw::SessionUser
                | Kw::SystemUser
                | Kw::CurrentCatalog
                | Kw::CurrentSchema
                | Kw::Cast => return true,
                Kw::Collation if next == Tok::Kw(Kw::For) => return true,
                _ => {}
            },
            _ => return false,
        }
        if next == Tok::Char(b'(') {
            return true;
        }
        let mut n = 1;
        while self.peek(n) == Tok::Char(b'.') && Self::is_col_label(self.peek(n + 1)) {
            n += 2;
        }
        n > 1 && self.peek(n) == Tok::Char(b'(')
    }

    fn subquery(&mut self, query: Select, lateral: bool, pos: Pos) -> Result<TableRef> {
        let alias = self.opt_alias()?;
        self.raise()?;
        Ok(TableRef::Subquery(Box::new(SubqueryRef { lateral, query, alias, pos })))
    }

    /// `( query )` or `( join )`. The query's alias is not read, the join's is.
    fn paren_in_from(&mut self) -> Result<FromParen> {
        self.enter()?;
        self.expect_ch(b'(')?;
        let table = match self.cur {
            Tok::Kw(Kw::Select | Kw::Values | Kw::Table | Kw::With) => {
                let q = self.select_no_parens()?;
                self.expect_ch(b')')?;
                self.leave();
                return Ok(FromParen::Query(q));
            }
            Tok::Char(b'(') => {
                let pos = self.pos();
                match self.paren_in_from()? {
                    FromParen::Query(q) => {
                        if self.is_ch(b')') || self.continues_query() {
                            let q = if self.is_ch(b')') { q } else { self.select_from_operand(q)? };
                            self.expect_ch(b')')?;
                            self.leave();
                            return Ok(FromParen::Query(q));
                        }
                        let first = self.subquery(q, false, pos)?;
                        self.joins(first)?
                    }
                    FromParen::Table(t) => self.joins(t)?,
                }
            }
            _ => self.table_ref()?,
        };
        if !matches!(&table, TableRef::Join(j) if j.alias.is_none()) {
            return self.unexpected();
        }
        self.expect_ch(b')')?;
        let mut table = table;
        if let TableRef::Join(join) = &mut table {
            join.alias = self.opt_alias()?;
        }
        self.leave();
        Ok(FromParen::Table(table))
    }

    fn relation(&mut self) -> Result<TableRef> {
        if matches!(self.cur, Tok::Kw(k) if k.category() == Category::TypeFuncName) {
            // It could still have been a function; what follows shows it is not.
            self.bump();
            return self.unexpected();
        }
        let relation = self.relation_expr()?;
        let alias = self.opt_alias()?;
        let mut sample = None;
        let pos = self.pos();
        if self.eat(Kw::Tablesample) {
            let method = self.func_name()?;
            let args = self.paren_list(Self::a_expr)?;
            let mut repeatable = None;
            if self.eat(Kw::Repeatable) {
                self.expect_ch(b'(')?;
                repeatable = Some(self.a_expr()?);
                self.expect_ch(b')')?;
            }
            sample = Some(Box::new(TableSample { method, args, repeatable, pos }));
        }
        Ok(TableRef::Relation(Box::new(RelationRef { relation, alias, sample })))
    }

    /// alias_clause, if it comes.
    pub(super) fn opt_alias(&mut self) -> Result<Option<Alias>> {
        if !self.eat(Kw::As) && !Self::is_col_id(self.cur) {
            return Ok(None);
        }
        let name = self.col_id()?;
        let columns = self.opt_name_list()?;
        Ok(Some(Alias { name, columns }))
    }

    fn function_table(&mut self, lateral: bool) -> Result<TableRef> {
        let pos = self.pos();
        let rows_from = self.is(Kw::Rows) && self.peek_kw(1, Kw::From);
        let functions = if rows_from {
            self.bump();
            self.bump();
            self.paren_list(|p| {
                let call = p.func_expr_windowless()?;
                let mut columns = Vec::new();
                if p.eat(Kw::As) {
                    columns = p.paren_list(Self::table_func_element)?;
                }
                Ok(RowsFromItem { call, columns })
            })?
        } else {
            vec![RowsFromItem { call: self.func_expr_windowless()?, columns: Vec::new() }]
        };
        let mut ordinality = false;
        if self.is(Kw::With) && self.peek_kw(1, Kw::Ordinality) {
            self.bump();
            self.bump();
            ordinality = true;
        }
        let mut alias = None;
        let mut columns = Vec::new();
        let with_as = self.eat(Kw::As);
        if with_as && self.is_ch(b'(') {
            columns = self.paren_list(Self::table_func_element)?;
        } else if with_as || Self::is_col_id(self.cur) {
            let name = self.col_id()?;
            let mut names = Vec::new();
            if self.is_ch(b'(') {
                if Self::is_col_id(self.peek(1)) && matches!(self.peek(2), Tok::Char(b',' | b')')) {
                    names = self.paren_list(Self::col_id)?;
                } else {
                    columns = self.paren_list(Self::table_func_element)?;
                }
            }
            alias = Some(Alias { name, columns: names });
        }
        self.raise()?;
        let f = FunctionRef { lateral, rows_from, ordinality, functions, alias, columns, pos };
        Ok(TableRef::Function(Box::new(f)))
    }

    /// `name type [COLLATE c]`
    pub(super) fn table_func_element(&mut self) -> Result<ColumnDef> {
        let name = self.col_id()?;
        let pos = name.pos;
        let ty = Some(self.type_name()?);
        let collation = self.opt_collate()?;
        Ok(ColumnDef {
            name,
            ty,
            storage: None,
            compression: None,
            fdw_options: Vec::new(),
            collation,
            constraints: Vec::new(),
            pos,
        })
    }

    /// `COLLATE name`, if it comes.
    pub(super) fn opt_collate(&mut self) -> Result<Option<CollateClause>> {
        let pos = self.pos();
        if !self.eat(Kw::Collate) {
            return Ok(None);
        }
        Ok(Some(CollateClause { collation: self.any_name()?, pos }))
    }
}
