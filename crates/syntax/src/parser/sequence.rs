//! CREATE and ALTER SEQUENCE, and the options of sequences.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    pub(super) fn create_sequence(&mut self, persistence: Persistence) -> Result<StatementKind> {
        self.expect(Kw::Sequence)?;
        let if_not_exists = self.if_not_exists()?;
        let relation = self.qualified_name()?;
        let options = self.sequence_options()?;
        let s = CreateSequence { persistence, if_not_exists, relation, options };
        Ok(StatementKind::CreateSequence(Box::new(s)))
    }

    /// Any number of options.
    pub(super) fn sequence_options(&mut self) -> Result<Vec<SequenceOption>> {
        let mut out = Vec::new();
        while let Some(o) = self.opt_sequence_option()? {
            out.push(o);
        }
        Ok(out)
    }

    pub(super) fn opt_sequence_option(&mut self) -> Result<Option<SequenceOption>> {
        let pos = self.pos();
        let Tok::Kw(k) = self.cur else { return Ok(None) };
        use SequenceOptionKind::*;
        let kind = match k {
            Kw::As => {
                self.bump();
                As(self.type_name()?)
            }
            Kw::Cache => {
                self.bump();
                Cache(self.numeric_only()?)
            }
            Kw::Cycle => {
                self.bump();
                Cycle(true)
            }
            Kw::Increment => {
                self.bump();
                self.eat(Kw::By);
                Increment(self.numeric_only()?)
            }
            Kw::Logged => {
                self.bump();
                Logged(true)
            }
            Kw::Unlogged => {
                self.bump();
                Logged(false)
            }
            Kw::Maxvalue => {
                self.bump();
                MaxValue(Some(self.numeric_only()?))
            }
            Kw::Minvalue => {
                self.bump();
                MinValue(Some(self.numeric_only()?))
            }
            Kw::No => {
                self.bump();
                if self.eat(Kw::Maxvalue) {
                    MaxValue(None)
                } else if self.eat(Kw::Minvalue) {
                    MinValue(None)
                } else {
                    self.expect(Kw::Cycle)?;
                    Cycle(false)
                }
            }
            Kw::Owned => {
                self.bump();
                self.expect(Kw::By)?;
                OwnedBy(self.any_name()?)
            }
            Kw::Sequence => {
                self.bump();
                self.expect(Kw::Name)?;
                SequenceName(self.any_name()?)
            }
            Kw::Start => {
                self.bump();
                self.eat(Kw::With);
                Start(self.numeric_only()?)
            }
            Kw::Restart => {
                self.bump();
                let with = self.eat(Kw::With);
                if with || self.is_numeric() { Restart(Some(self.numeric_only()?)) } else { Restart(None) }
            }
            _ => return Ok(None),
        };
        Ok(Some(SequenceOption { kind, pos }))
    }
}
