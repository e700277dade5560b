//! Statement by statement: which parser takes it.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    /// Statements up to the end of the text, with semicolons between.
    pub(super) fn statements(&mut self) -> Result<Vec<Statement>> {
        let mut out = Vec::with_capacity(1);
        loop {
            while self.eat_ch(b';') {}
            if self.cur == Tok::Eof {
                return Ok(out);
            }
            self.forget_tokens();
            self.height = 0;
            out.push(self.statement()?);
            if !self.is_ch(b';') {
                self.expect_end()?;
            }
        }
    }

    /// Frees what the statements before the present token needed.
    fn forget_tokens(&mut self) {
        if self.at > 0 {
            let rest = self.toks.len() - self.at;
            if rest == 1 && self.cur != Tok::Ident && self.cur != Tok::Str {
                self.lex.forget();
            }
            self.toks.drain(..self.at);
            self.at = 0;
        }
    }

    /// One statement, with its range.
    pub(super) fn statement(&mut self) -> Result<Statement> {
        let start = self.pos();
        let kind = self.statement_kind()?;
        Ok(Statement { kind, span: self.span_from(start) })
    }

    fn statement_kind(&mut self) -> Result<StatementKind> {
        let Tok::Kw(k) = self.cur else {
            return if self.is_ch(b'(') { self.preparable_kind() } else { self.unexpected() };
        };
        match k {
            Kw::Select | Kw::Values | Kw::Table | Kw::With | Kw::Insert | Kw::Update | Kw::Delete | Kw::Merge => {
                self.preparable_kind()
            }
            Kw::Copy => Ok(StatementKind::Copy(Box::new(self.copy()?))),
            _ => self.unexpected(),
        }
    }
}
