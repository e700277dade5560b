//! Windows: `OVER (…)`, the WINDOW clause, frames.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    /// `( [base] [PARTITION BY …] [ORDER BY …] [frame] )`
    #[inline(never)]
    pub(super) fn window_specification(&mut self) -> Result<WindowSpec> {
        let pos = self.pos();
        self.expect_ch(b'(')?;
        let mut base = None;
        if Self::is_col_id(self.cur) && !matches!(self.cur, Tok::Kw(Kw::Partition | Kw::Range | Kw::Rows | Kw::Groups))
        {
            base = Some(self.col_id()?);
        }
        let mut partition_by = Vec::new();
        if self.eat(Kw::Partition) {
            self.expect(Kw::By)?;
            partition_by = self.expr_list()?;
        }
        let order_by = if self.is(Kw::Order) { self.sort_clause()? } else { Vec::new() };
        let frame = self.opt_frame()?;
        self.expect_ch(b')')?;
        Ok(WindowSpec { name: None, base, partition_by, order_by, frame, pos })
    }

    /// `WINDOW name AS (…), …`
    pub(super) fn opt_window_clause(&mut self) -> Result<Vec<WindowSpec>> {
        if !self.eat(Kw::Window) {
            return Ok(Vec::new());
        }
        self.list(|p| {
            let name = p.col_id()?;
            p.expect(Kw::As)?;
            let mut spec = p.window_specification()?;
            spec.name = Some(name);
            Ok(spec)
        })
    }

    fn opt_frame(&mut self) -> Result<Option<Box<WindowFrame>>> {
        let pos = self.pos();
        let units = match self.cur {
            Tok::Kw(Kw::Range) => FrameUnits::Range,
            Tok::Kw(Kw::Rows) => FrameUnits::Rows,
            Tok::Kw(Kw::Groups) => FrameUnits::Groups,
            _ => return Ok(None),
        };
        self.bump();
        let between = self.eat(Kw::Between);
        let start_pos = self.pos();
        let start = self.frame_bound()?;
        let mut end = FrameBound::CurrentRow;
        let mut end_pos = start_pos;
        if between {
            self.expect(Kw::And)?;
            end_pos = self.pos();
            end = self.frame_bound()?;
        }
        use FrameBound::*;
        let message = match (&start, &end) {
            (UnboundedFollowing, _) => Some(("frame start cannot be UNBOUNDED FOLLOWING", start_pos)),
            (Following(_), _) if !between => {
                Some(("frame starting from following row cannot end with current row", start_pos))
            }
            (_, UnboundedPreceding) => Some(("frame end cannot be UNBOUNDED PRECEDING", end_pos)),
            (CurrentRow, Preceding(_)) => Some(("frame starting from current row cannot have preceding rows", end_pos)),
            (Following(_), Preceding(_) | CurrentRow) => {
                Some(("frame starting from following row cannot have preceding rows", end_pos))
            }
            _ => None,
        };
        if let Some((message, at)) = message {
            return Err(self.windowing(message, at));
        }
        let mut exclusion = FrameExclusion::None;
        if self.eat(Kw::Exclude) {
            exclusion = if self.eat(Kw::Current) {
                self.expect(Kw::Row)?;
                FrameExclusion::CurrentRow
            } else if self.eat(Kw::Group) {
                FrameExclusion::Group
            } else if self.eat(Kw::Ties) {
                FrameExclusion::Ties
            } else {
                self.expect_all(&[Kw::No, Kw::Others])?;
                FrameExclusion::None
            };
        }
        Ok(Some(Box::new(WindowFrame { units, start, end, exclusion, between, pos })))
    }

    fn frame_bound(&mut self) -> Result<FrameBound> {
        let next = self.peek(1);
        if self.is(Kw::Unbounded) && matches!(next, Tok::Kw(Kw::Preceding | Kw::Following)) {
            self.bump();
            let preceding = self.is(Kw::Preceding);
            self.bump();
            return Ok(if preceding { FrameBound::UnboundedPreceding } else { FrameBound::UnboundedFollowing });
        }
        if self.is(Kw::Current) && next == Tok::Kw(Kw::Row) {
            self.bump();
            self.bump();
            return Ok(FrameBound::CurrentRow);
        }
        let e = self.a_expr()?;
        if self.eat(Kw::Preceding) {
            return Ok(FrameBound::Preceding(e));
        }
        self.expect(Kw::Following)?;
        Ok(FrameBound::Following(e))
    }
}
