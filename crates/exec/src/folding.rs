//! `Folding`: aggregates without groups, whose rows are folded where they lie.
//!
//! A scan that is asked for rows by [`Operator::next_folded`](crate::Operator::next_folded) may run its filter and all the aggregates over a page as one program
//! (`jit::Fold`), in place of yielding the page's rows. Whatever that cannot be done for it yields as ever, and in the end what cells have come to is added to
//! the aggregates' own states: there is one way to results, and one to errors. Only aggregates that do not care for the order of rows are folded.

use std::ops::Range;
use std::sync::Arc;

use ext::Groups;
use jit::{Cells, Fold, PageColumns};
use plan::{AggregateCall, Expr};
use storage::table::PageView;
use types::{Oid, Result};

use crate::Context;
use crate::native::program::{Folded, datum, folding, form_of_type};
use crate::native::{Inputs, Native};

/// Pages whose visible rows lie in more pieces are scanned as ever.
const PIECES_MAX: usize = 8;

/// What an aggregate comes to, by the numbers of cells.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// A count of rows or values.
    Count(u32),
    /// How many values there are, and their sum.
    Total(u32, u32),
    /// The value that is left of all.
    Value(u32),
}

/// How an aggregate is folded.
enum Kind {
    Rows,
    Values,
    Sum,
    Value(Fold),
}

impl Kind {
    /// Of those that do not care in which order they see rows, and whose values are words that have the order of words.
    fn of(function: Oid, is_float: bool) -> Option<Kind> {
        Some(match function.0 {
            // count(*), count(any).
            2803 => Kind::Rows,
            2147 => Kind::Values,
            // sum and avg of int2, int4, int8.
            2107..=2109 | 2100..=2102 => Kind::Sum,
            // bool_and, every; bool_or.
            2517 | 2519 => Kind::Value(Fold::All),
            2518 => Kind::Value(Fold::Any),
            // max and min of numbers, dates and times, OIDs.
            2115..=2120 | 2122 | 2123 | 2126 | 2127 => {
                Kind::Value(if is_float { Fold::MaxFloat } else { Fold::MaxInt })
            }
            2131..=2136 | 2138 | 2139 | 2142 | 2143 => {
                Kind::Value(if is_float { Fold::MinFloat } else { Fold::MinInt })
            }
            _ => return None,
        })
    }
}

/// Values of rows, and the cells that they are folded into.
#[derive(Debug)]
struct Value {
    filter: Option<Expr>,
    value: Option<Expr>,
    into: Vec<(Fold, u32)>,
}

/// How some aggregates are folded.
#[derive(Debug)]
pub struct Folds {
    values: Vec<Value>,
    outcomes: Vec<Outcome>,
    /// The first counts rows.
    cells: u32,
}

impl Folds {
    /// `None` if one of `calls` is not folded.
    pub fn of(calls: &[AggregateCall]) -> Option<Arc<Folds>> {
        let mut folds = Folds { values: Vec::new(), outcomes: Vec::new(), cells: 1 };
        for call in calls {
            if call.own.is_some() || call.distinct || !call.order.is_empty() || call.direct > 0 || call.args.len() > 1 {
                return None;
            }
            let form = call.args.first().map(|arg| form_of_type(arg.ty));
            let kind = Kind::of(call.function, form.flatten().is_some_and(|f| f.is_float()))?;
            let outcome = match kind {
                Kind::Rows if call.filter.is_none() => Outcome::Count(0),
                Kind::Rows => Outcome::Count(folds.cell(Fold::Rows, call)),
                Kind::Values => Outcome::Count(folds.cell(Fold::Values, call)),
                Kind::Sum => Outcome::Total(folds.cell(Fold::Values, call), folds.cell(Fold::Sum, call)),
                Kind::Value(fold) => Outcome::Value(folds.cell(fold, call)),
            };
            folds.outcomes.push(outcome);
        }
        (!calls.is_empty()).then(|| Arc::new(folds))
    }

    /// The cell that the values of `call` are folded into so; there may be one already.
    fn cell(&mut self, fold: Fold, call: &AggregateCall) -> u32 {
        let (filter, value) = (call.filter.as_ref(), call.args.first());
        let known = self.values.iter().position(|v| v.filter.as_ref() == filter && v.value.as_ref() == value);
        let at = known.unwrap_or_else(|| {
            self.values.push(Value { filter: filter.cloned(), value: value.cloned(), into: Vec::new() });
            self.values.len() - 1
        });
        let into = &mut self.values[at].into;
        if let Some(&(_, cell)) = into.iter().find(|(known, _)| *known == fold) {
            return cell;
        }
        into.push((fold, self.cells));
        self.cells += 1;
        self.cells - 1
    }

    /// The program that folds those rows for which `filter` is true, if there is one.
    pub fn program(&self, filter: Option<&Expr>, ctx: &mut Context<'_>) -> Option<Arc<Native>> {
        let folded =
            self.values.iter().map(|v| Folded { filter: v.filter.as_ref(), value: v.value.as_ref(), into: &v.into });
        Native::folding(folding(filter, folded, self.cells, ctx.programs?.passes)?, ctx)
    }
}

/// How a scan folds pages.
pub struct ScanFold<'n> {
    native: &'n Native,
    inputs: Inputs,
    /// Where its columns lie on pages with room for so many rows and of so many bytes, if they are of the forms that it reads.
    columns: Option<([usize; 2], Option<PageColumns>)>,
}

impl<'n> ScanFold<'n> {
    /// By this program, with what its inputs are now; `None` where they are not of the forms that it reads.
    ///
    /// # Errors
    /// `Internal` for a parameter without a value.
    pub fn new(native: &'n Native, ctx: &Context<'_>) -> Result<Option<ScanFold<'n>>> {
        Ok(native.inputs(ctx)?.map(|inputs| ScanFold { native, inputs, columns: None }))
    }
}

/// What rows were folded into so far.
pub struct Folding {
    folds: Arc<Folds>,
    cells: Cells,
}

impl Folding {
    /// Nothing yet.
    pub fn new(folds: &Arc<Folds>) -> Folding {
        Folding { folds: folds.clone(), cells: Cells::new(folds.cells) }
    }

    /// What is folded.
    pub fn folds(&self) -> &Arc<Folds> {
        &self.folds
    }

    /// How many rows passed the scan's filter.
    pub fn rows(&self) -> u64 {
        self.cells.get(0)[0]
    }

    /// Folds the visible rows of a page; false where nothing was folded and they are to be scanned.
    pub fn take_page(&mut self, fold: &mut ScanFold<'_>, page: &PageView<'_>) -> bool {
        let ScanFold { native, inputs, columns } = fold;
        let kind = [page.capacity(), page.bytes().len()];
        if columns.as_ref().is_none_or(|(known, _)| *known != kind) {
            *columns = Some((kind, native.on_pages(page)));
        }
        let Some((_, Some(columns))) = columns else { return false };
        if page.ahead() > 0 {
            jit::look_ahead(page.head(), page.ahead());
            columns.look_ahead(page.bytes(), page.ahead());
        }
        if page.is_whole() {
            return native.fold_on_page(columns, page, 0..page.slots(), inputs, &mut self.cells);
        }
        let Some(first) = next_piece(page.visible(), 0, page.slots()) else { return true };
        let mut at = first.end;
        // Mostly there is no other.
        let before = (at < page.slots()).then(|| self.cells.clone());
        if !native.fold_on_page(columns, page, first, inputs, &mut self.cells) {
            return false;
        }
        let mut pieces = 1;
        while let Some(piece) = next_piece(page.visible(), at, page.slots()) {
            at = piece.end;
            pieces += 1;
            if pieces > PIECES_MAX || !native.fold_on_page(columns, page, piece, inputs, &mut self.cells) {
                if let Some(before) = before {
                    self.cells = before;
                }
                return false;
            }
        }
        true
    }

    /// Adds what was folded for aggregate `call`, whose argument is `arg`, to the first of its groups.
    ///
    /// # Errors
    /// The aggregate's.
    pub fn add_to(
        &self,
        groups: &mut dyn Groups,
        call: usize,
        arg: Option<&Expr>,
        ctx: &mut Context<'_>,
    ) -> Result<()> {
        let number = |cell: u32| {
            let [low, high] = self.cells.get(cell);
            (u128::from(high) << 64 | u128::from(low)) as i128
        };
        match self.folds.outcomes[call] {
            Outcome::Count(count) => functions::aggregate::add_total(groups, 0, number(count) as i64, 0),
            Outcome::Total(count, sum) if number(count) > 0 => {
                functions::aggregate::add_total(groups, 0, number(count) as i64, number(sum))
            }
            Outcome::Value(cell) => match (self.cells.get(cell), arg.map(|arg| (arg.ty, form_of_type(arg.ty)))) {
                ([word, 1], Some((ty, Some(form)))) => groups.add(&mut ctx.call(&[ty], ty), 0, &[datum(form, word)]),
                _ => Ok(()),
            },
            Outcome::Total(..) => Ok(()),
        }
    }
}

/// The first slots from `from` on, one behind the other, that are visible.
fn next_piece(visible: &[u64], from: usize, end: usize) -> Option<Range<usize>> {
    let find = |from: usize, wanted: bool| {
        let mut at = from;
        while at < end {
            let word = if wanted { visible[at / 64] } else { !visible[at / 64] };
            match word >> (at % 64) {
                0 => at = (at / 64 + 1) * 64,
                rest => return end.min(at + rest.trailing_zeros() as usize),
            }
        }
        end
    };
    let start = find(from, true);
    (start < end).then(|| start..find(start, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_all_that_is_visible() {
        for (visible, end) in [
            (vec![u64::MAX; 3], 192),
            (vec![u64::MAX; 3], 130),
            (vec![0; 3], 192),
            (vec![0b1011_0000, 0, u64::MAX << 63], 192),
            (vec![u64::MAX, u64::MAX >> 1, 1], 129),
            (vec![u64::MAX, 1], 64),
        ] {
            let (mut slots, mut at) = (Vec::new(), 0);
            while let Some(piece) = next_piece(&visible, at, end) {
                assert!(!piece.is_empty() && (piece.start > at || at == 0));
                at = piece.end;
                slots.extend(piece);
            }
            let wanted: Vec<usize> = (0..end).filter(|i| visible[i / 64] >> (i % 64) & 1 == 1).collect();
            assert_eq!(slots, wanted);
        }
    }
}
