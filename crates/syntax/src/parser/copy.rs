//! COPY, in its newer and its older syntax.

use super::Parser;
use super::options::{option, word};
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    pub(super) fn copy(&mut self) -> Result<CopyStatement> {
        let pos = self.pos();
        self.bump();
        let mut options = Vec::new();
        let mut from = false;
        let source = if self.is_ch(b'(') {
            self.bump();
            let s = self.preparable()?;
            self.expect_ch(b')')?;
            self.expect(Kw::To)?;
            CopySource::Query(Box::new(s))
        } else {
            if self.is(Kw::Binary) {
                options.push(option("format", word("binary"), self.pos()));
                self.bump();
            }
            let relation = self.qualified_name()?;
            let columns = self.opt_name_list()?;
            from = self.eat(Kw::From);
            if !from {
                self.expect(Kw::To)?;
            }
            CopySource::Table { relation, columns }
        };
        let program = self.eat(Kw::Program);
        let file = match self.cur {
            Tok::Kw(Kw::Stdin | Kw::Stdout) => {
                self.bump();
                None
            }
            _ => Some(self.sconst()?),
        };
        let table = matches!(source, CopySource::Table { .. });
        if table {
            let at = self.pos();
            if self.is(Kw::Using) || self.is(Kw::Delimiters) {
                self.eat(Kw::Using);
                self.expect(Kw::Delimiters)?;
                let text = self.sconst()?;
                options.push(option("delimiter", Some(DefValue::String(text)), at));
            }
        }
        self.eat(Kw::With);
        if self.is_ch(b'(') {
            options.extend(self.copy_generic_options()?);
        } else {
            while let Some(o) = self.copy_option()? {
                options.push(o);
            }
        }
        let where_pos = self.pos();
        let where_clause = if table { self.opt_where()? } else { None };
        if program && file.is_none() {
            return Err(types::SqlError::syntax("STDIN/STDOUT not allowed with PROGRAM", None));
        }
        if !from && where_clause.is_some() {
            let e = self.error(types::SqlState::SYNTAX_ERROR, "WHERE clause not allowed with COPY TO", where_pos);
            return Err(e);
        }
        Ok(CopyStatement { source, from, program, file, options, where_clause, pos })
    }

    /// One option of the older syntax.
    fn copy_option(&mut self) -> Result<Option<DefElem>> {
        let pos = self.pos();
        let Tok::Kw(k) = self.cur else { return Ok(None) };
        let text_option = |p: &mut Self, name| {
            p.eat(Kw::As);
            let text = p.sconst()?;
            Ok(Some(option(name, Some(DefValue::String(text)), pos)))
        };
        match k {
            Kw::Binary => {
                self.bump();
                Ok(Some(option("format", word("binary"), pos)))
            }
            Kw::Csv => {
                self.bump();
                Ok(Some(option("format", word("csv"), pos)))
            }
            Kw::Freeze => {
                self.bump();
                Ok(Some(option("freeze", Some(DefValue::Bool(true)), pos)))
            }
            Kw::Header => {
                self.bump();
                Ok(Some(option("header", Some(DefValue::Bool(true)), pos)))
            }
            Kw::Delimiter => {
                self.bump();
                text_option(self, "delimiter")
            }
            Kw::Null => {
                self.bump();
                text_option(self, "null")
            }
            Kw::Quote => {
                self.bump();
                text_option(self, "quote")
            }
            Kw::Escape => {
                self.bump();
                text_option(self, "escape")
            }
            Kw::Encoding => {
                self.bump();
                let text = self.sconst()?;
                Ok(Some(option("encoding", Some(DefValue::String(text)), pos)))
            }
            Kw::Force => {
                self.bump();
                let name = if self.eat(Kw::Quote) {
                    "force_quote"
                } else if self.eat(Kw::Not) {
                    self.expect(Kw::Null)?;
                    "force_not_null"
                } else {
                    self.expect(Kw::Null)?;
                    "force_null"
                };
                let value = if self.eat_ch(b'*') {
                    DefValue::Star
                } else {
                    let names = self.list(Self::col_id)?;
                    DefValue::List(names.into_iter().map(|n| DefValue::String(n.text)).collect())
                };
                Ok(Some(option(name, Some(value), pos)))
            }
            _ => Ok(None),
        }
    }
}
