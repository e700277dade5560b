//! Loading columns from pages into vectors.

use storage::table::{Cell, PageView, RowView};
use types::{Physical, Result};
use vector::{Data, Nulls, Vector};

/// A large value: the row and column of the chunk that it belongs to, and where it is.
pub type Large = (usize, usize, storage::table::cell::OverflowRef);

/// Bytes of a view: the length, then the value or where it is.
const VIEW_BYTES: usize = 16;

/// Slots of a page.
#[derive(Clone, Copy, Debug)]
pub enum Slots<'a> {
    /// `from..from + n`.
    Run(usize, usize),
    /// Those listed.
    List(&'a [u32]),
}

impl Slots<'_> {
    pub fn len(&self) -> usize {
        match self {
            Slots::Run(_, n) => *n,
            Slots::List(list) => list.len(),
        }
    }
}

/// Appends the values of `column` in `slots` to `out`, the vector of chunk column `at`, whose rows so far are `rows`.
pub fn page_column(
    out: &mut Vector,
    page: &PageView<'_>,
    column: usize,
    slots: Slots<'_>,
    (rows, at): (usize, usize),
    large: &mut Vec<Large>,
) {
    let bytes = page.mini_page(column);
    macro_rules! fixed {
        ($v:ident, $ty:ty) => {{
            let values: &[$ty] = bytemuck::cast_slice(bytes);
            match slots {
                Slots::Run(from, n) => $v.extend_from_slice(&values[from..from + n]),
                Slots::List(list) => $v.extend(list.iter().map(|&s| values[s as usize])),
            }
        }};
    }
    match &mut out.data {
        Data::Bool(v) => match slots {
            Slots::Run(from, n) => v.extend(bytes[from..from + n].iter().map(|&b| b != 0)),
            Slots::List(list) => v.extend(list.iter().map(|&s| bytes[s as usize] != 0)),
        },
        Data::I8(v) => fixed!(v, i8),
        Data::I16(v) => fixed!(v, i16),
        Data::I32(v) => fixed!(v, i32),
        Data::U32(v) => fixed!(v, u32),
        Data::I64(v) => fixed!(v, i64),
        Data::F32(v) => fixed!(v, f32),
        Data::F64(v) => fixed!(v, f64),
        Data::B16(v) => fixed!(v, [u8; 16]),
        Data::Var(v) => {
            let mut row = rows;
            let (views, _) = bytes.as_chunks::<VIEW_BYTES>();
            let nulls = page.nulls(column);
            let full = nulls.iter().all(|w| *w == 0);
            let mut take = |slot: usize| {
                let [l0, l1, l2, l3, inline @ ..] = &views[slot];
                let len = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
                if len <= inline.len() && (full || nulls[slot / 64] >> (slot % 64) & 1 == 0) {
                    v.push_short(inline, len);
                    row += 1;
                    return;
                }
                match page.cell(column, slot) {
                    Cell::Var(b) => v.push(b),
                    Cell::Overflow(r) => {
                        large.push((row, at, r));
                        v.push(&[]);
                    }
                    _ => v.push(&[]),
                }
                row += 1;
            };
            match slots {
                Slots::Run(from, n) => (from..from + n).for_each(&mut take),
                Slots::List(list) => list.iter().for_each(|&s| take(s as usize)),
            }
        }
        Data::Absent(n) => {
            *n += slots.len();
            return;
        }
    }
    page_nulls(&mut out.nulls, page.nulls(column), slots, rows);
}

fn page_nulls(out: &mut Nulls, nulls: &[u64], slots: Slots<'_>, rows: usize) {
    if nulls.iter().all(|&w| w == 0) {
        return;
    }
    let is_null = |slot: usize| nulls[slot / 64] >> (slot % 64) & 1 == 1;
    match slots {
        Slots::Run(from, n) => (0..n).filter(|i| is_null(from + i)).for_each(|i| out.set(rows + i)),
        Slots::List(list) => {
            (0..list.len()).filter(|&i| is_null(list[i] as usize)).for_each(|i| out.set(rows + i));
        }
    }
}

/// Appends one row's value of `column` to `out`.
#[inline]
pub fn row_column(
    out: &mut Vector,
    view: &RowView<'_>,
    column: usize,
    (row, at): (usize, usize),
    large: &mut Vec<Large>,
) {
    if let Data::Absent(n) = &mut out.data {
        *n += 1;
        return;
    }
    // Most are there as they are.
    let cell = match (view.stored(column), &mut out.data) {
        (Some(None), _) => Cell::Null,
        (Some(Some(bytes)), Data::Var(_)) => view.resolve(bytes),
        (Some(Some(bytes)), data) => return fixed(data, bytes),
        (None, _) => view.cell(column),
    };
    match (cell, &mut out.data) {
        (Cell::Null, _) => out.push_null(),
        (Cell::Var(b), Data::Var(v)) => v.push(b),
        (Cell::Overflow(r), Data::Var(v)) => {
            large.push((row, at, r));
            v.push(&[]);
        }
        (Cell::Fixed(b), data) => fixed(data, &b),
        // Storage keeps cells in their column's form.
        (_, _) => out.push_null(),
    }
}

/// Appends the value that begins with these bytes.
fn fixed(data: &mut Data, bytes: &[u8]) {
    macro_rules! push {
        ($v:ident, $ty:ty) => {
            $v.push(bytes.first_chunk().map_or(<$ty>::default(), |b| <$ty>::from_le_bytes(*b)))
        };
    }
    match data {
        Data::Bool(v) => v.push(bytes.first().is_some_and(|b| *b != 0)),
        Data::I8(v) => push!(v, i8),
        Data::I16(v) => push!(v, i16),
        Data::I32(v) => push!(v, i32),
        Data::U32(v) => push!(v, u32),
        Data::I64(v) => push!(v, i64),
        Data::F32(v) => push!(v, f32),
        Data::F64(v) => push!(v, f64),
        Data::B16(v) => v.push(bytes.first_chunk().copied().unwrap_or_default()),
        Data::Var(v) => v.push(&[]),
        Data::Absent(n) => *n += 1,
    }
}

/// Puts large values where their placeholders are.
///
/// # Errors
/// What reading their pages says.
#[inline]
pub fn fetch_large(chunk: &mut vector::Chunk, table: &storage::table::Table, large: &mut Vec<Large>) -> Result<()> {
    if large.is_empty() { Ok(()) } else { fetch_all(chunk, table, large) }
}

#[cold]
fn fetch_all(chunk: &mut vector::Chunk, table: &storage::table::Table, large: &mut Vec<Large>) -> Result<()> {
    let mut by_column: std::collections::BTreeMap<usize, Vec<(usize, Vec<u8>)>> = Default::default();
    for (row, column, r) in large.drain(..) {
        by_column.entry(column).or_default().push((row, table.fetch(&r)?));
    }
    for (column, values) in by_column {
        let old = std::mem::replace(&mut chunk.columns[column], Vector::new(Physical::Var));
        let new = &mut chunk.columns[column];
        let mut values = values.into_iter().peekable();
        for row in 0..chunk.rows {
            match (values.next_if(|v| v.0 == row), &mut new.data) {
                (Some((_, bytes)), Data::Var(v)) => v.push(&bytes),
                _ => new.push_from(&old, row),
            }
        }
    }
    Ok(())
}

/// Makes `chunk` empty, of `forms`, with absent vectors for what is not needed.
pub fn reset(chunk: &mut vector::Chunk, forms: &[Physical], needed: &plan::Needed) {
    chunk.columns.truncate(forms.len());
    chunk.rows = 0;
    for (i, &form) in forms.iter().enumerate() {
        if i >= chunk.columns.len() {
            chunk.columns.push(Vector::absent(0));
        }
        let column = &mut chunk.columns[i];
        if needed.has(i) {
            column.reset(form);
        } else if let Data::Absent(n) = &mut column.data {
            *n = 0;
            column.nulls.clear();
        } else {
            *column = Vector::absent(0);
        }
    }
}
