//! Conditions that are tested on a page itself, column by column, before any value is copied out of it.
//!
//! They compare a column with a value that is known before the scan begins, look into a short list of such values, or ask for NULL; they read
//! nothing but the page, and raise no error. Rows that pass are kept as bytes of 0 and 1, which processors combine many at a time.

use std::sync::Arc;

use functions::Callable;
use plan::{Expr, ExprKind, TableRef};
use storage::relation::Relation;
use storage::table::{Cell, PageView};
use storage::zones::{ColumnZones, TOGETHER, Zone};
use types::array::ArrayView;
use types::compare::{Sign, compare_f64};
use types::numeric::SMALL_LEN;
use types::{Datum, Numeric, Oid, Physical, Result, oid};

use crate::Context;
use crate::eval::constant;

/// Longer lists are better hashed than compared with one by one.
const LIST_LEN_MAX: usize = 8;

/// Values up to this long lie in their view (`docs/format.md`).
const INLINE_BYTES: usize = storage::table::cell::INLINE_BYTES;

/// One condition on one column.
#[derive(Debug)]
struct PageTest {
    column: usize,
    test: Test,
}

/// A condition as it was written.
#[derive(Debug)]
enum Test {
    /// Whether the column is NULL.
    Null(bool),
    /// A boolean column.
    Bool(bool),
    /// A number's comparison with what the expression says.
    Number(Sign, Expr),
    /// A date's comparison with a timestamp.
    Day(Sign, Expr),
    /// A comparison of a `numeric` of this scale with a value.
    Decimal(Sign, Numeric, u8),
    /// Whether the number is in the array that the expression says.
    Among(Expr),
    /// Whether the text is one of these, or none; as they lie in views.
    Text { views: Vec<[u64; 2]>, among: bool },
}

/// A condition with its values, for one scan.
#[derive(Debug)]
enum Bound {
    /// True of no row.
    Never,
    Null(bool),
    Bool(bool),
    /// Integers from `low` to `high`, or all others.
    Range {
        low: i64,
        high: i64,
        inside: bool,
    },
    /// Integers of a list.
    Integers(Vec<i64>),
    Float(Sign, f64),
    /// Coefficients at this scale from `low` to `high`, or all others; values of other forms are compared as they are.
    Decimal {
        scale: u8,
        low: i64,
        high: i64,
        inside: bool,
        sign: Sign,
        value: Numeric,
    },
    Text {
        views: Vec<[u64; 2]>,
        among: bool,
    },
}

/// All that a scan tests on its pages.
#[derive(Debug, Default)]
pub struct PageTests {
    tests: Vec<PageTest>,
    bound: Vec<Bound>,
    /// Per slot of the range at hand: 1 while it passes.
    passed: Vec<u8>,
    /// Slots that are visible, and NULL in none of the columns that are compared.
    allowed: Vec<u64>,
    /// Of which columns it is known what each block has, and which values are looked for.
    zones: Vec<Zoned>,
    /// The blocks of which that was looked up last: a bit for each of which a zone is not known yet, and for each that may be passed by.
    looked: Option<u32>,
    unknown: u64,
    passable: u64,
}

/// Tables of fewer blocks are read sooner than looked up.
const ZONED_BLOCKS_MIN: u32 = 8;

/// A column whose zones are asked.
struct Zoned {
    column: usize,
    zones: Arc<ColumnZones>,
    low: i64,
    high: i64,
    inside: bool,
}

impl std::fmt::Debug for Zoned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "column {} from {} to {}", self.column, self.low, self.high)
    }
}

impl Zoned {
    /// Whether no value of the zone passes.
    fn excludes(&self, zone: &Zone) -> bool {
        match self.inside {
            true => zone.high < self.low || zone.low > self.high,
            false => zone.low >= self.low && zone.high <= self.high,
        }
    }
}

/// The zone of an integer column on a page that every snapshot sees alike.
fn zone_of(page: &PageView<'_>, column: usize) -> Option<Zone> {
    fn ends<T: Copy + Ord + Into<i64>>(values: &[T], used: &[u64], nulls: &[u64], ends: (T, T)) -> (i64, i64) {
        let (mut low, mut high) = ends;
        for (part, (used, nulls)) in values.chunks(64).zip(used.iter().zip(nulls)) {
            let mut wanted = used & !nulls;
            if wanted == u64::MAX {
                for &v in part {
                    (low, high) = (low.min(v), high.max(v));
                }
                continue;
            }
            while wanted != 0 {
                let v = part[wanted.trailing_zeros() as usize];
                (low, high) = (low.min(v), high.max(v));
                wanted &= wanted - 1;
            }
        }
        (low.into(), high.into())
    }
    let (bytes, visible, nulls) = (page.mini_page(column), page.visible(), page.nulls(column));
    macro_rules! ends {
        ($ty:ty) => {
            ends::<$ty>(&bytemuck::cast_slice(bytes)[..page.slots()], visible, nulls, (<$ty>::MAX, <$ty>::MIN))
        };
    }
    let (low, high) = match page.form(column) {
        Physical::I16 => ends!(i16),
        Physical::I32 => ends!(i32),
        Physical::U32 => ends!(u32),
        Physical::I64 => ends!(i64),
        _ => return None,
    };
    let rows = visible.iter().map(|word| word.count_ones()).sum();
    Some(Zone { low, high, rows })
}

/// `filter` without what can be tested on pages of `table`, and that.
pub fn split(filter: Option<Expr>, table: &TableRef) -> (PageTests, Option<Expr>) {
    let conditions = match filter {
        Some(Expr { kind: ExprKind::And(list), .. }) => list,
        other => other.into_iter().collect(),
    };
    let (mut tests, mut rest) = (Vec::new(), Vec::new());
    for condition in conditions {
        match recognised(&condition, table) {
            Some((column, test)) => tests.push(PageTest { column, test }),
            None => rest.push(condition),
        }
    }
    (PageTests { tests, ..PageTests::default() }, Expr::all(rest))
}

/// The column that `e` is, perhaps under another name of its type.
fn column_of(e: &Expr, table: &TableRef) -> Option<usize> {
    match &e.kind {
        ExprKind::Column(i) => (*i < table.columns.len()).then_some(*i),
        ExprKind::Coerce { arg, .. } if e.typmod < 0 && Physical::of(e.ty) == Physical::of(arg.ty) => {
            column_of(arg, table)
        }
        _ => None,
    }
}

/// Whether evaluating `e` is only looking it up: it raises no error, whatever it is.
fn is_at_hand(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Const(_) | ExprKind::Param(_) | ExprKind::Slot(_) => true,
        ExprKind::Coerce { arg, .. } => e.typmod < 0 && is_at_hand(arg),
        _ => false,
    }
}

/// Whether values of both types are compared as numbers are.
fn are_numbers(a: Oid, b: Oid) -> bool {
    const INTEGERS: [Oid; 3] = [oid::INT2, oid::INT4, oid::INT8];
    const FLOATS: [Oid; 2] = [oid::FLOAT4, oid::FLOAT8];
    const SAME: [Oid; 5] = [oid::OID, oid::DATE, oid::TIME, oid::TIMESTAMP, oid::TIMESTAMPTZ];
    let both = |list: &[Oid]| list.contains(&a) && list.contains(&b);
    both(&INTEGERS) || both(&FLOATS) || (a == b && SAME.contains(&a))
}

fn recognised(e: &Expr, table: &TableRef) -> Option<(usize, Test)> {
    match &e.kind {
        ExprKind::Column(_) if e.ty == oid::BOOL => Some((column_of(e, table)?, Test::Bool(true))),
        ExprKind::IsNull(arg) => Some((column_of(arg, table)?, Test::Null(true))),
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::Column(_) => Some((column_of(inner, table)?, Test::Bool(false))),
            ExprKind::IsNull(arg) => Some((column_of(arg, table)?, Test::Null(false))),
            _ => None,
        },
        ExprKind::Call { function, args, .. } => {
            let (Callable::Compare(c), [left, right]) = (functions::lookup(*function)?, &args[..]) else { return None };
            let (column, value, sign, types) = match (column_of(left, table), column_of(right, table)) {
                (Some(column), None) => (column, right, c.sign, (c.left, c.right)),
                (None, Some(column)) => (column, left, c.sign.turned(), (c.right, c.left)),
                _ => return None,
            };
            if !is_at_hand(value) {
                return None;
            }
            if are_numbers(types.0, types.1) {
                return Some((column, Test::Number(sign, value.clone())));
            }
            if types == (oid::DATE, oid::TIMESTAMP) {
                return Some((column, Test::Day(sign, value.clone())));
            }
            if types == (oid::NUMERIC, oid::NUMERIC) {
                let ExprKind::Const(value) = &value.kind else { return None };
                let scale = scale_of(column, table)?;
                let value = Numeric::from_bytes(value.as_bytes()?);
                return Some((column, Test::Decimal(sign, value, scale)));
            }
            let among = match sign {
                Sign::Equal => true,
                Sign::NotEqual => false,
                _ => return None,
            };
            let (ExprKind::Const(value), true) = (&value.kind, types.0 == types.1) else { return None };
            Some((column, Test::Text { views: vec![view_of(types.0, value, column, table)?], among }))
        }
        ExprKind::AnyArray { all, function, args, .. } => {
            let (Callable::Compare(c), [left, right]) = (functions::lookup(*function)?, &**args) else { return None };
            let column = column_of(left, table)?;
            let among = match (all, c.sign) {
                (false, Sign::Equal) => true,
                (true, Sign::NotEqual) => false,
                _ => return None,
            };
            let items = short_list(right)?;
            if among
                && c.left == c.right
                && c.left != oid::FLOAT4
                && c.left != oid::FLOAT8
                && are_numbers(c.left, c.right)
            {
                return Some((column, Test::Among(right.clone())));
            }
            if c.left != c.right {
                return None;
            }
            let views: Option<Vec<_>> = items.iter().map(|d| view_of(c.left, d, column, table)).collect();
            Some((column, Test::Text { views: views?, among }))
        }
        _ => None,
    }
}

/// The elements of a list of constants, none NULL, when it is short. An empty one says something of NULLs too.
fn short_list(e: &Expr) -> Option<Vec<Datum>> {
    let items: Vec<Datum> = match &e.kind {
        ExprKind::Const(array) => ArrayView::new(array.as_bytes()?).iter().collect(),
        ExprKind::Array(items) => {
            let constant = |e: &Expr| if let ExprKind::Const(d) = &e.kind { Some(d.clone()) } else { None };
            items.iter().map(constant).collect::<Option<_>>()?
        }
        _ => return None,
    };
    ((1..=LIST_LEN_MAX).contains(&items.len()) && items.iter().all(|d| !d.is_null())).then_some(items)
}

/// The view that a text equal to `value` has in `column`; `None` where equal texts may differ, or do not lie in their view.
fn view_of(ty: Oid, value: &Datum, column: usize, table: &TableRef) -> Option<[u64; 2]> {
    let text = value.as_str()?;
    let padded;
    let bytes = match ty {
        oid::TEXT => text.as_bytes(),
        oid::BPCHAR => {
            // All values of a column of one length are padded to it, so that equal ones are alike; -1 is any length.
            let chars = usize::try_from(table.columns[column].typmod.checked_sub(4)?).ok()?;
            let text = text.trim_end_matches(' ');
            let missing = chars.checked_sub(text.chars().count())?;
            padded = [text, &" ".repeat(missing.min(INLINE_BYTES + 1))].concat();
            padded.as_bytes()
        }
        _ => return None,
    };
    if bytes.len() > INLINE_BYTES {
        return None;
    }
    let mut view = [0u8; 16];
    view[..4].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    view[4..4 + bytes.len()].copy_from_slice(bytes);
    Some(bytemuck::cast(view))
}

fn integer(value: &Datum) -> Option<i64> {
    Some(match value {
        Datum::I16(v) => i64::from(*v),
        Datum::I32(v) => i64::from(*v),
        Datum::U32(v) => i64::from(*v),
        Datum::I64(v) => *v,
        _ => return None,
    })
}

/// The scale of a column of `numeric(p, s)` whose values all have the small form, but for NaN.
fn scale_of(column: usize, table: &TableRef) -> Option<u8> {
    let column = &table.columns[column];
    let (precision, scale) = types::numeric::precision_scale(column.typmod)?;
    (column.ty == oid::NUMERIC && precision <= 18 && (0..=18).contains(&scale)).then_some(scale as u8)
}

/// The integers that compare so with a number between two of them: `floor` is the one below, or it is that one.
fn range_around(sign: Sign, floor: i64, is_whole: bool) -> Bound {
    match sign {
        _ if is_whole => range(sign, floor),
        Sign::Equal => Bound::Never,
        Sign::NotEqual => Bound::Range { low: i64::MIN, high: i64::MAX, inside: true },
        Sign::Less | Sign::LessEqual => range(Sign::LessEqual, floor),
        Sign::Greater | Sign::GreaterEqual => range(Sign::Greater, floor),
    }
}

/// The days that compare so with a moment, in microseconds since 2000.
fn days(sign: Sign, micros: i64) -> Bound {
    const DAY: i64 = 86_400_000_000;
    match micros {
        // The infinities of both types.
        i64::MAX => range(sign, i32::MAX.into()),
        i64::MIN => range(sign, i32::MIN.into()),
        finite => range_around(sign, finite.div_euclid(DAY), finite.rem_euclid(DAY) == 0),
    }
}

/// The coefficients at `scale` that compare so with `value`.
fn coefficients(sign: Sign, value: &Numeric, scale: u8) -> Bound {
    let stored = value.to_datum();
    let parts = stored.as_bytes().and_then(Numeric::small_parts);
    let integers = parts.and_then(|(c, own)| {
        let power = 10i128.checked_pow(u32::from(own.abs_diff(scale)))?;
        let (floor, is_whole) = match own <= scale {
            true => (i128::from(c).checked_mul(power)?, true),
            false => (i128::from(c).div_euclid(power), i128::from(c).rem_euclid(power) == 0),
        };
        match range_around(sign, i64::try_from(floor).ok()?, is_whole) {
            Bound::Range { low, high, inside } => Some((low, high, inside)),
            // No coefficient does.
            _ => Some((1, 0, true)),
        }
    });
    // Beyond all coefficients, or no number: each is compared as it is. A scale that there is none of makes all of them odd.
    let (scale, (low, high, inside)) = integers.map_or((u8::MAX, (1, 0, true)), |i| (scale, i));
    Bound::Decimal { scale, low, high, inside, sign, value: value.clone() }
}

/// The integers that compare so with `value`.
fn range(sign: Sign, value: i64) -> Bound {
    let (low, high) = match sign {
        Sign::Equal | Sign::NotEqual => (Some(value), Some(value)),
        Sign::Less => (Some(i64::MIN), value.checked_sub(1)),
        Sign::LessEqual => (Some(i64::MIN), Some(value)),
        Sign::Greater => (value.checked_add(1), Some(i64::MAX)),
        Sign::GreaterEqual => (Some(value), Some(i64::MAX)),
    };
    match (low, high) {
        (Some(low), Some(high)) => Bound::Range { low, high, inside: sign != Sign::NotEqual },
        _ => Bound::Never,
    }
}

impl PageTests {
    /// Whether there is nothing to test.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// Looks up the values to compare with: once when a scan begins.
    ///
    /// # Errors
    /// `Internal` for a parameter that has no value.
    pub fn bind(&mut self, ctx: &mut Context<'_>) -> Result<()> {
        self.bound.clear();
        for PageTest { test, .. } in &self.tests {
            let bound = match test {
                Test::Null(wanted) => Bound::Null(*wanted),
                Test::Bool(wanted) => Bound::Bool(*wanted),
                Test::Text { views, among } => Bound::Text { views: views.clone(), among: *among },
                Test::Number(sign, value) => match constant(value, ctx)? {
                    Datum::F32(v) => Bound::Float(*sign, f64::from(v)),
                    Datum::F64(v) => Bound::Float(*sign, v),
                    value => integer(&value).map_or(Bound::Never, |v| range(*sign, v)),
                },
                Test::Day(sign, value) => integer(&constant(value, ctx)?).map_or(Bound::Never, |v| days(*sign, v)),
                Test::Decimal(sign, value, scale) => coefficients(*sign, value, *scale),
                Test::Among(list) => {
                    let array = constant(list, ctx)?;
                    let items = array.as_bytes().map(|b| ArrayView::new(b).iter().collect::<Vec<_>>());
                    Bound::Integers(items.iter().flatten().filter_map(integer).collect())
                }
            };
            self.bound.push(bound);
        }
        Ok(())
    }

    /// Looks up what is known of the blocks of `rel`: once when a scan begins, behind [`PageTests::bind`].
    pub fn find_zones(&mut self, rel: &Relation) {
        self.zones.clear();
        (self.looked, self.unknown, self.passable) = (None, 0, 0);
        if rel.blocks() < ZONED_BLOCKS_MIN {
            return;
        }
        for (PageTest { column, .. }, bound) in self.tests.iter().zip(&self.bound) {
            let integers = matches!(
                rel.layout.columns().get(*column),
                Some(Physical::I16 | Physical::I32 | Physical::U32 | Physical::I64)
            );
            if let (Bound::Range { low, high, inside }, true) = (bound, integers)
                && let Some(zones) = rel.zones().of(*column)
            {
                self.zones.push(Zoned { column: *column, zones, low: *low, high: *high, inside: *inside });
            }
        }
    }

    /// How many rows `block` has, if it is known that none of them passes (Z1).
    #[inline]
    pub fn excluded(&mut self, block: u32) -> Option<u32> {
        if self.zones.is_empty() {
            return None;
        }
        let (together, bit) = (block / TOGETHER as u32, 1 << (block as usize % TOGETHER));
        if self.looked != Some(together) {
            self.look(block);
            self.looked = Some(together);
        }
        if self.passable & bit == 0 {
            return None;
        }
        let excluding = |zoned: &Zoned| zoned.zones.get(block).filter(|zone| zoned.excludes(zone));
        self.zones.iter().find_map(excluding).map(|zone| zone.rows)
    }

    /// Looks up the blocks around `block`. What is known later or forgotten does not matter: who reads a page does no harm.
    #[cold]
    fn look(&mut self, block: u32) {
        (self.unknown, self.passable) = (0, 0);
        for zoned in &self.zones {
            let [unknown, excluded] = zoned.zones.together(block, |zone| zoned.excludes(zone));
            self.unknown |= unknown;
            self.passable |= excluded;
        }
    }

    /// Notes what the page of `block`, which [`PageTests::excluded`] was asked of last, has, where that is not known yet.
    #[inline]
    pub fn note_zones(&self, block: u32, page: &PageView<'_>) {
        let bit = 1 << (block as usize % TOGETHER);
        if self.unknown & bit == 0 || !page.is_settled() {
            return;
        }
        for zoned in self.zones.iter().filter(|z| z.zones.get(block).is_none()) {
            if let Some(zone) = zone_of(page, zoned.column) {
                zoned.zones.note(block, zone);
            }
        }
    }

    /// Lists in `slots` the visible slots of `from..stop` that pass. `from` is a multiple of 8.
    pub fn passing(&mut self, page: &PageView<'_>, from: usize, stop: usize, slots: &mut Vec<u32>) {
        debug_assert!(from.is_multiple_of(8));
        slots.clear();
        let PageTests { tests, bound, passed, allowed, .. } = self;
        allowed.clear();
        allowed.extend_from_slice(page.visible());
        let count = stop.saturating_sub(from);
        passed.clear();
        passed.resize(count, 1);
        for (PageTest { column, .. }, bound) in tests.iter().zip(bound) {
            let nulls = page.nulls(*column);
            match bound {
                Bound::Never => return,
                Bound::Null(true) => allowed.iter_mut().zip(nulls).for_each(|(a, n)| *a &= n),
                bound => {
                    allowed.iter_mut().zip(nulls).for_each(|(a, n)| *a &= !n);
                    bound.test(page, *column, from, passed);
                }
            }
        }
        passed.resize(count.next_multiple_of(8), 0);
        list(passed, allowed, from, slots);
    }
}

impl Bound {
    /// Clears `passed` for the slots from `from` on whose value in `column` fails.
    fn test(&self, page: &PageView<'_>, column: usize, from: usize, passed: &mut [u8]) {
        let bytes = page.mini_page(column);
        let to = from + passed.len();
        /// One value after the other, without a branch.
        fn each<T: Copy>(passed: &mut [u8], values: &[T], test: impl Fn(T) -> bool) {
            passed.iter_mut().zip(values).for_each(|(p, &v)| *p &= u8::from(test(v)));
        }
        macro_rules! integers {
            ($ty:ty) => {{
                let values: &[$ty] = &bytemuck::cast_slice(bytes)[from..to];
                match self {
                    &Bound::Range { low, high, inside } => {
                        let (least, most) = (i64::from(<$ty>::MIN), i64::from(<$ty>::MAX));
                        if low > most || high < least {
                            if inside {
                                passed.fill(0);
                            }
                            return;
                        }
                        let (low, high) = (low.max(least) as $ty, high.min(most) as $ty);
                        if inside {
                            each(passed, values, |v| (v >= low) & (v <= high));
                        } else {
                            each(passed, values, |v| (v < low) | (v > high));
                        }
                    }
                    Bound::Integers(list) => {
                        let list: smallvec::SmallVec<[$ty; LIST_LEN_MAX]> =
                            list.iter().filter_map(|&i| <$ty>::try_from(i).ok()).collect();
                        each(passed, values, |v| list.iter().fold(false, |found, &i| found | (i == v)));
                    }
                    _ => {}
                }
            }};
        }
        macro_rules! floats {
            ($ty:ty, $sign:expr, $value:expr) => {{
                let values: &[$ty] = &bytemuck::cast_slice(bytes)[from..to];
                each(passed, values, |v| $sign.holds(compare_f64(f64::from(v), $value)));
            }};
        }
        match (self, page.form(column)) {
            (Bound::Bool(wanted), _) => each(passed, &bytes[from..to], |b| (b != 0) == *wanted),
            (Bound::Text { views, among }, _) => {
                let values: &[[u64; 2]] = &bytemuck::cast_slice(bytes)[from..to];
                each(passed, values, |v| views.iter().fold(false, |found, view| found | (*view == v)) == *among);
            }
            (Bound::Decimal { scale, low, high, inside, sign, value }, _) => {
                let views: &[[u8; 16]] = &bytemuck::cast_slice(bytes)[from..to];
                for (slot, (p, view)) in passed.iter_mut().zip(views).enumerate() {
                    let [l0, l1, l2, l3, tag, coefficient @ ..] = view;
                    let len = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
                    let passes = if (len == SMALL_LEN) & (tag == scale) {
                        let [c @ .., _, _, _] = *coefficient;
                        let c = i64::from_le_bytes(c);
                        ((c >= *low) & (c <= *high)) == *inside
                    } else {
                        match page.cell(column, from + slot) {
                            Cell::Var(b) => sign.holds(Numeric::from_bytes(b).cmp(value)),
                            // NULL, of which others see to it.
                            _ => false,
                        }
                    };
                    *p &= u8::from(passes);
                }
            }
            (Bound::Float(sign, value), Physical::F32) => floats!(f32, sign, *value),
            (Bound::Float(sign, value), Physical::F64) => floats!(f64, sign, *value),
            (_, Physical::I16) => integers!(i16),
            (_, Physical::I32) => integers!(i32),
            (_, Physical::U32) => integers!(u32),
            (_, Physical::I64) => integers!(i64),
            _ => {}
        }
    }
}

/// For each byte, the places of the bits that are set, and how many they are.
static BITS: [([u8; 8], u8); 256] = {
    let mut table = [([0; 8], 0); 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut place, mut found) = (0, 0);
        while place < 8 {
            if byte >> place & 1 == 1 {
                table[byte].0[found] = place as u8;
                found += 1;
            }
            place += 1;
        }
        table[byte].1 = found as u8;
        byte += 1;
    }
    table
};

/// Lists the slots, from `from` on, that `passed` and whose bit in `allowed` is set: eight at a time.
fn list(passed: &[u8], allowed: &[u64], from: usize, slots: &mut Vec<u32>) {
    // Eight are written wherever one may be.
    slots.resize(passed.len() + 8, 0);
    let mut found = 0;
    for (i, eight) in passed.chunks_exact(8).enumerate() {
        let slot = from + i * 8;
        let word = u64::from_le_bytes(eight.try_into().expect("eight bytes"));
        // Each byte, 0 or 1, is moved to a bit of its own in the highest byte of the product.
        let bits = word.wrapping_mul(0x0102_0408_1020_4080) >> 56;
        let bits = bits & allowed.get(slot / 64).map_or(0, |w| w >> (slot % 64));
        let (places, count) = &BITS[bits as usize & 0xff];
        let out: &mut [u32; 8] = (&mut slots[found..found + 8]).try_into().expect("eight slots");
        for (out, place) in out.iter_mut().zip(places) {
            *out = slot as u32 + u32::from(*place);
        }
        found += usize::from(*count);
    }
    slots.truncate(found);
}
