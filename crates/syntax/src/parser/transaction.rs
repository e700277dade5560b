//! Transaction control.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    fn transaction(&self, t: TransactionStatement) -> Result<StatementKind> {
        Ok(StatementKind::Transaction(Box::new(t)))
    }

    fn opt_work(&mut self) {
        if !self.eat(Kw::Work) {
            self.eat(Kw::Transaction);
        }
    }

    fn opt_chain(&mut self) -> Result<bool> {
        if !self.eat(Kw::And) {
            return Ok(false);
        }
        let no = self.eat(Kw::No);
        self.expect(Kw::Chain)?;
        Ok(!no)
    }

    pub(super) fn transaction_statement(&mut self, k: Kw) -> Result<StatementKind> {
        use TransactionStatement::*;
        self.bump();
        match k {
            Kw::Begin => {
                self.opt_work();
                let modes = self.opt_modes()?;
                self.transaction(Begin { start: false, modes })
            }
            Kw::Start => {
                self.expect(Kw::Transaction)?;
                let modes = self.opt_modes()?;
                self.transaction(Begin { start: true, modes })
            }
            Kw::Commit | Kw::End => {
                if k == Kw::Commit && self.eat(Kw::Prepared) {
                    let id = self.sconst()?;
                    return self.transaction(CommitPrepared(id));
                }
                self.opt_work();
                let chain = self.opt_chain()?;
                self.transaction(Commit { chain })
            }
            Kw::Savepoint => {
                let name = self.col_id()?;
                self.transaction(Savepoint(name))
            }
            Kw::Release => {
                if self.is(Kw::Savepoint) && Self::is_col_id(self.peek(1)) {
                    self.bump();
                }
                let name = self.col_id()?;
                self.transaction(Release(name))
            }
            // ROLLBACK, ABORT
            _ => {
                if k == Kw::Rollback && self.eat(Kw::Prepared) {
                    let id = self.sconst()?;
                    return self.transaction(RollbackPrepared(id));
                }
                self.opt_work();
                if k == Kw::Rollback && self.eat(Kw::To) {
                    if self.is(Kw::Savepoint) && Self::is_col_id(self.peek(1)) {
                        self.bump();
                    }
                    let name = self.col_id()?;
                    return self.transaction(RollbackTo(name));
                }
                let chain = self.opt_chain()?;
                self.transaction(Rollback { chain })
            }
        }
    }

    /// PREPARE TRANSACTION; both words have been read.
    pub(super) fn prepare_transaction(&mut self) -> Result<StatementKind> {
        let id = self.sconst()?;
        self.transaction(TransactionStatement::Prepare(id))
    }

    pub(super) fn opt_modes(&mut self) -> Result<Vec<TransactionMode>> {
        if matches!(self.cur, Tok::Kw(Kw::Isolation | Kw::Read | Kw::Deferrable | Kw::Not)) {
            return self.modes();
        }
        Ok(Vec::new())
    }

    /// One or more modes, with or without commas.
    pub(super) fn modes(&mut self) -> Result<Vec<TransactionMode>> {
        let mut out = Vec::new();
        loop {
            let pos = self.pos();
            let mode = match self.cur {
                Tok::Kw(Kw::Isolation) => {
                    self.bump();
                    self.expect(Kw::Level)?;
                    TransactionMode::Isolation(self.isolation_level()?, pos)
                }
                Tok::Kw(Kw::Read) => {
                    self.bump();
                    let only = self.eat(Kw::Only);
                    if !only {
                        self.expect(Kw::Write)?;
                    }
                    TransactionMode::ReadOnly(only, pos)
                }
                Tok::Kw(Kw::Deferrable) => {
                    self.bump();
                    TransactionMode::Deferrable(true, pos)
                }
                Tok::Kw(Kw::Not) => {
                    self.bump();
                    self.expect(Kw::Deferrable)?;
                    TransactionMode::Deferrable(false, pos)
                }
                _ => return self.unexpected(),
            };
            out.push(mode);
            let more = self.eat_ch(b',');
            if !more && !matches!(self.cur, Tok::Kw(Kw::Isolation | Kw::Read | Kw::Deferrable | Kw::Not)) {
                return Ok(out);
            }
        }
    }

    fn isolation_level(&mut self) -> Result<IsolationLevel> {
        if self.eat(Kw::Serializable) {
            return Ok(IsolationLevel::Serializable);
        }
        if self.eat(Kw::Repeatable) {
            self.expect(Kw::Read)?;
            return Ok(IsolationLevel::RepeatableRead);
        }
        self.expect(Kw::Read)?;
        if self.eat(Kw::Committed) {
            return Ok(IsolationLevel::ReadCommitted);
        }
        self.expect(Kw::Uncommitted)?;
        Ok(IsolationLevel::ReadUncommitted)
    }
}
