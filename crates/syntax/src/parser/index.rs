//! CREATE INDEX and index keys.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    /// `CREATE [UNIQUE] INDEX …`; CREATE and UNIQUE have been read.
    pub(super) fn create_index(&mut self, unique: bool, pos: Pos) -> Result<CreateIndex> {
        self.expect(Kw::Index)?;
        let concurrently = self.eat(Kw::Concurrently);
        let if_not_exists = self.if_not_exists()?;
        let name = if if_not_exists || !self.is(Kw::On) { Some(self.col_id()?) } else { None };
        self.expect(Kw::On)?;
        let relation = self.relation_expr()?;
        let mut access_method = Ident::const_new("btree");
        if self.eat(Kw::Using) {
            access_method = self.col_id()?.text;
        }
        let elements = self.paren_list(Self::index_element)?;
        let mut including = Vec::new();
        if self.eat(Kw::Include) {
            including = self.paren_list(Self::index_element)?;
        }
        let nulls_not_distinct = self.opt_nulls_not_distinct()?;
        let options = self.opt_with_rel_options()?;
        let tablespace = if self.eat(Kw::Tablespace) { Some(self.col_id()?) } else { None };
        let where_clause = self.opt_where()?;
        Ok(CreateIndex {
            unique,
            concurrently,
            if_not_exists,
            name,
            relation,
            access_method,
            elements,
            including,
            nulls_not_distinct,
            options,
            tablespace,
            where_clause,
            pos,
        })
    }

    /// NULLS [NOT] DISTINCT.
    pub(super) fn opt_nulls_not_distinct(&mut self) -> Result<bool> {
        if !self.is(Kw::Nulls) || matches!(self.peek(1), Tok::Kw(Kw::First | Kw::Last)) {
            return Ok(false);
        }
        self.bump();
        let not = self.eat(Kw::Not);
        self.expect(Kw::Distinct)?;
        Ok(not)
    }

    /// A column, a function call or an expression in parentheses.
    pub(super) fn index_key(&mut self) -> Result<IndexKey> {
        if self.eat_ch(b'(') {
            let e = self.a_expr()?;
            self.expect_ch(b')')?;
            return Ok(IndexKey::Expr(Box::new(e)));
        }
        let next = self.peek(1);
        if Self::is_col_id(self.cur) && !matches!(next, Tok::Char(b'(' | b'.')) {
            return Ok(IndexKey::Column(self.col_id()?));
        }
        Ok(IndexKey::Expr(Box::new(self.func_expr_windowless()?)))
    }

    /// index_elem.
    pub(super) fn index_element(&mut self) -> Result<IndexElement> {
        let pos = self.pos();
        let key = self.index_key()?;
        let collation = self.opt_collate()?.map(|c| c.collation).unwrap_or_default();
        let mut opclass = Vec::new();
        let mut opclass_options = Vec::new();
        let order = matches!(self.cur, Tok::Kw(Kw::Nulls)) && matches!(self.peek(1), Tok::Kw(Kw::First | Kw::Last));
        if Self::is_col_id(self.cur) && !order {
            opclass = self.any_name()?;
            if self.is_ch(b'(') {
                opclass_options = self.rel_options()?;
            }
        }
        let descending = if self.eat(Kw::Asc) {
            Some(false)
        } else if self.eat(Kw::Desc) {
            Some(true)
        } else {
            None
        };
        let nulls = self.opt_nulls_order()?;
        Ok(IndexElement { key, collation, opclass, opclass_options, descending, nulls, pos })
    }
}
