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
            if rest == 1 && matches!(self.cur, Tok::Kw(_)) {
                self.lex.forget();
            }
            self.toks.drain(..self.at);
            self.at = 0;
        }
    }

    /// One statement, with its range.
    pub(super) fn statement(&mut self) -> Result<Statement> {
        self.enter()?;
        let start = self.pos();
        let kind = self.statement_kind()?;
        self.leave();
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
            Kw::Abort | Kw::Begin | Kw::Commit | Kw::End | Kw::Release | Kw::Rollback | Kw::Savepoint | Kw::Start => {
                self.transaction_statement(k)
            }
            Kw::Alter => self.alter(),
            Kw::Analyze | Kw::Analyse => self.analyze(),
            Kw::Call => self.call(),
            Kw::Checkpoint => {
                let pos = self.pos();
                self.bump();
                Ok(StatementKind::Checkpoint(Box::new(Checkpoint { pos })))
            }
            Kw::Close => self.close(),
            Kw::Cluster => self.cluster(),
            Kw::Comment => self.comment(),
            Kw::Copy => Ok(StatementKind::Copy(Box::new(self.copy()?))),
            Kw::Create => self.create(),
            Kw::Deallocate => self.deallocate(),
            Kw::Declare => self.declare(),
            Kw::Discard => self.discard(),
            Kw::Do => self.do_statement(),
            Kw::Drop => self.drop_statement(),
            Kw::Execute => self.execute(),
            Kw::Explain => self.explain(),
            Kw::Fetch => self.fetch(false),
            Kw::Grant => self.grant(true),
            Kw::Import => self.import_foreign_schema(),
            Kw::Listen | Kw::Notify | Kw::Unlisten => self.notification(k),
            Kw::Load => {
                self.bump();
                Ok(StatementKind::Load(Box::new(Load { file: self.sconst()? })))
            }
            Kw::Lock => self.lock(),
            Kw::Move => self.fetch(true),
            Kw::Prepare => self.prepare(),
            Kw::Reassign => self.reassign_owned(),
            Kw::Refresh => self.refresh(),
            Kw::Reindex => self.reindex(),
            Kw::Reset => self.reset_statement(),
            Kw::Revoke => self.grant(false),
            Kw::Security => self.security_label(),
            Kw::Set => self.set_statement(),
            Kw::Show => self.show(),
            Kw::Truncate => self.truncate(),
            Kw::Vacuum => self.vacuum(),
            _ => self.unexpected(),
        }
    }

    /// CREATE.
    pub(super) fn create(&mut self) -> Result<StatementKind> {
        let pos = self.pos();
        self.bump();
        if self.eat(Kw::Or) {
            self.expect(Kw::Replace)?;
            return self.create_or_replace(pos);
        }
        let next = self.peek(1);
        let Tok::Kw(k) = self.cur else { return self.unexpected() };
        match k {
            Kw::Local | Kw::Global | Kw::Temp | Kw::Temporary | Kw::Unlogged => {
                let persistence = if k == Kw::Unlogged { Persistence::Unlogged } else { Persistence::Temporary };
                self.bump();
                if matches!(k, Kw::Local | Kw::Global) && !self.eat(Kw::Temp) {
                    self.expect(Kw::Temporary)?;
                }
                match self.cur {
                    Tok::Kw(Kw::Table) => self.create_table(persistence, pos),
                    Tok::Kw(Kw::Sequence) => self.create_sequence(persistence),
                    Tok::Kw(Kw::View | Kw::Recursive) => self.create_view(false, persistence),
                    Tok::Kw(Kw::Materialized) if k == Kw::Unlogged => self.create_materialized_view(persistence),
                    _ => self.unexpected(),
                }
            }
            Kw::Table => self.create_table(Persistence::Permanent, pos),
            Kw::Index => Ok(StatementKind::CreateIndex(Box::new(self.create_index(false, pos)?))),
            Kw::Unique => {
                self.bump();
                Ok(StatementKind::CreateIndex(Box::new(self.create_index(true, pos)?)))
            }
            Kw::View | Kw::Recursive => self.create_view(false, Persistence::Permanent),
            Kw::Materialized => self.create_materialized_view(Persistence::Permanent),
            Kw::Sequence => self.create_sequence(Persistence::Permanent),
            Kw::Schema => self.create_schema(),
            Kw::Type => self.create_type(pos),
            Kw::Domain => self.create_domain(pos),
            Kw::Function | Kw::Procedure => self.create_function(false, pos),
            Kw::Aggregate => self.create_aggregate(false, pos),
            Kw::Operator => self.create_operator(pos),
            Kw::Cast => self.create_cast(),
            Kw::Trigger | Kw::Constraint => self.create_trigger(false),
            Kw::Event => self.create_event_trigger(),
            Kw::Rule => self.create_rule(false),
            Kw::Policy => self.create_policy(),
            Kw::Extension => self.create_extension(),
            Kw::Language | Kw::Trusted | Kw::Procedural => self.create_language(false),
            Kw::Collation => self.create_collation(pos),
            Kw::Publication => self.create_publication(),
            Kw::Subscription => self.create_subscription(),
            Kw::Statistics => self.create_statistics(),
            Kw::Text => self.create_text_search(pos),
            Kw::User if next == Tok::Kw(Kw::Mapping) && matches!(self.peek(2), Tok::Kw(Kw::For | Kw::If)) => {
                self.create_user_mapping()
            }
            Kw::Role | Kw::User | Kw::Group => self.create_role(),
            Kw::Database => self.create_database(),
            Kw::Tablespace => self.create_tablespace(),
            Kw::Foreign => {
                self.bump();
                if self.is(Kw::Table) { self.create_foreign_table(pos) } else { self.create_wrapper() }
            }
            Kw::Server => self.create_server(),
            Kw::Conversion | Kw::Default => self.create_conversion(),
            Kw::Access => self.create_access_method(),
            Kw::Transform => self.create_transform(),
            Kw::Assertion => self.create_assertion(pos),
            _ => self.unexpected(),
        }
    }

    fn create_or_replace(&mut self, pos: Pos) -> Result<StatementKind> {
        let Tok::Kw(k) = self.cur else { return self.unexpected() };
        match k {
            Kw::Function | Kw::Procedure => self.create_function(true, pos),
            Kw::View | Kw::Recursive => self.create_view(true, Persistence::Permanent),
            Kw::Temp | Kw::Temporary | Kw::Local | Kw::Global | Kw::Unlogged => {
                self.bump();
                if matches!(k, Kw::Local | Kw::Global) && !self.eat(Kw::Temp) {
                    self.expect(Kw::Temporary)?;
                }
                let persistence = if k == Kw::Unlogged { Persistence::Unlogged } else { Persistence::Temporary };
                self.create_view(true, persistence)
            }
            Kw::Trigger | Kw::Constraint => self.create_trigger(true),
            Kw::Rule => self.create_rule(true),
            Kw::Aggregate => self.create_aggregate(true, pos),
            Kw::Language | Kw::Trusted | Kw::Procedural => self.create_language(true),
            Kw::Transform => self.create_transform(),
            _ => self.unexpected(),
        }
    }
}
