//! Tests of texts that programs call: they look at the bytes where these lie, so that a call of one is quicker than a value.

use functions::Callable;
use jit::{Input, Suspect};
use plan::{Expr, ExprKind};
use types::array::Array;
use types::compare::{Sign, trim_blanks};
use types::{Datum, Oid, oid};
use vector::{Chunk, Data};

use crate::Context;
use crate::eval::at_hand;

/// Longer lists are looked up otherwise.
const LIST_MAX: usize = 4096;

/// A test of texts of one row.
#[derive(Debug)]
pub struct TextTest {
    left: Text,
    test: Test,
    /// Blanks at the end do not count.
    is_padded: bool,
}

#[derive(Debug)]
enum Test {
    Compare(Sign, Text),
    /// Whether it is one of these, or none; they rise.
    Among(Vec<Box<[u8]>>, bool),
}

/// Where a text is.
#[derive(Debug)]
enum Text {
    Column(usize),
    /// Where it is looked up.
    AtHand(Expr),
}

/// The test of texts that `e` is, if one of them is a column.
pub fn text_test(e: &Expr) -> Option<TextTest> {
    match &e.kind {
        ExprKind::Call { function, args, .. } => {
            let (Callable::Compare(c), [left, right]) = (functions::lookup(*function)?, &args[..]) else { return None };
            let is_padded = padding(c.left).filter(|_| c.left == c.right)?;
            let (left, right) = (text(left)?, text(right)?);
            let has_column = matches!(left, Text::Column(_)) || matches!(right, Text::Column(_));
            has_column.then_some(TextTest { left, test: Test::Compare(c.sign, right), is_padded })
        }
        ExprKind::AnyArray { all, function, args, .. } => {
            let Callable::Compare(c) = functions::lookup(*function)? else { return None };
            let wanted = if *all { Sign::NotEqual } else { Sign::Equal };
            let is_padded = padding(c.left).filter(|_| c.left == c.right && c.sign == wanted)?;
            let (left @ Text::Column(_), ExprKind::Const(array @ Datum::Var(_))) = (text(&args[0])?, &args[1].kind)
            else {
                return None;
            };
            let bytes = |d: &Datum| Some(trimmed(d.as_bytes()?, is_padded).into());
            let mut list: Vec<Box<[u8]>> = Array::from_datum(array).values.iter().map(bytes).collect::<Option<_>>()?;
            list.sort_unstable();
            let fits = (1..=LIST_MAX).contains(&list.len());
            fits.then_some(TextTest { left, test: Test::Among(list, *all), is_padded })
        }
        _ => None,
    }
}

/// Whether blanks at the end of values of a type do not count, if its order is that of the bytes otherwise.
fn padding(ty: Oid) -> Option<bool> {
    match ty {
        oid::TEXT | oid::NAME | oid::BYTEA => Some(false),
        oid::BPCHAR => Some(true),
        _ => None,
    }
}

fn text(e: &Expr) -> Option<Text> {
    match &e.kind {
        ExprKind::Column(c) => Some(Text::Column(*c)),
        ExprKind::Const(_) | ExprKind::Param(_) | ExprKind::Slot(_) => Some(Text::AtHand(e.clone())),
        // Only the name of the type changes.
        ExprKind::Coerce { arg, .. } if e.typmod < 0 && [oid::TEXT, oid::VARCHAR].contains(&arg.ty) => text(arg),
        _ => None,
    }
}

fn trimmed(bytes: &[u8], is_padded: bool) -> &[u8] {
    if is_padded { trim_blanks(bytes) } else { bytes }
}

impl Text {
    /// Its bytes in a row; none of NULL.
    fn get<'v>(&'v self, chunk: &'v Chunk, row: usize, ctx: &'v Context<'_>) -> Result<Option<&'v [u8]>, Suspect> {
        match self {
            Text::Column(c) => match chunk.columns.get(*c) {
                Some(v) if v.nulls.get(row) => Ok(None),
                Some(v) => match &v.data {
                    Data::Var(values) if row < values.len() => Ok(Some(values.get(row))),
                    _ => Err(Suspect),
                },
                None => Err(Suspect),
            },
            Text::AtHand(e) => match at_hand(e, ctx) {
                Ok(Some(Datum::Null)) => Ok(None),
                Ok(Some(d)) => d.as_bytes().map(Some).ok_or(Suspect),
                _ => Err(Suspect),
            },
        }
    }
}

impl TextTest {
    /// What it says of a row.
    pub fn of(&self, chunk: &Chunk, row: usize, ctx: &Context<'_>) -> Result<Input, Suspect> {
        let Some(left) = self.left.get(chunk, row, ctx)? else { return Ok(None) };
        let left = trimmed(left, self.is_padded);
        let outcome = match &self.test {
            Test::Compare(sign, right) => {
                let Some(right) = right.get(chunk, row, ctx)? else { return Ok(None) };
                let right = trimmed(right, self.is_padded);
                match sign {
                    Sign::Equal => left == right,
                    Sign::NotEqual => left != right,
                    _ => sign.holds(left.cmp(right)),
                }
            }
            Test::Among(list, none) => list.binary_search_by(|item| (**item).cmp(left)).is_ok() != *none,
        };
        Ok(Some(u64::from(outcome)))
    }
}
