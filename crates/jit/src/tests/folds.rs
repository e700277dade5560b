//! Programs that fold: code, by row and by tile, against the interpreter, and both against sums that are made otherwise.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use vector::{Data, Nulls, Vector};

use super::tiles::{as_column, has_tiles, tiled};
use super::{INTS, native, plus_one};
use crate::{BinaryOp, Cell, Cells, Column, Fold, Form, Given, Jit, Label, Output, Program, Right, Step, Unit};

/// Folds some ranges of rows, one after the other, into the same cells with both; false where one was suspect, which leaves them as they were.
pub fn alike(units: [&Unit; 2], columns: &[&Vector], given: [Given<'_>; 2], rows: usize, rng: &mut ChaCha8Rng) -> bool {
    let program = units[0].program();
    let mut cells = [0, 1].map(|_| Cells::new(program.cells()));
    let mut is_all = true;
    let is_float = |cell: usize| {
        let of = |fold| program.steps.contains(&Step::Fold(fold, cell as u32));
        of(Fold::MaxFloat) || of(Fold::MinFloat)
    };
    for _ in 0..3 {
        let start = rng.random_range(0..rows);
        let range = start..rng.random_range(start..=rows);
        let before = cells.each_ref().map(all_of);
        let page = rng.random_bool(0.5).then(|| Page::new(columns, rows, rng));
        let done = [0, 1].map(|i| match &page {
            Some(page) => page.fold(units[i], given[i], range.clone(), &mut cells[i]),
            None => {
                let columns: Vec<Column<'_>> = columns.iter().map(|v| as_column(v)).collect();
                units[i].fold_in(&columns, given[i], range.clone(), &mut cells[i])
            }
        });
        assert_eq!(done[0], done[1], "{program:?}");
        if !done[0] {
            assert_eq!(cells.each_ref().map(all_of), before, "{program:?}");
        }
        is_all &= done[0];
        for (at, (a, b)) in all_of(&cells[0]).iter().zip(&all_of(&cells[1])).enumerate() {
            let is_nan = |cell: &Cell| is_float(at) && f64::from_bits(cell[0]).is_nan();
            assert!(a == b || is_nan(a) && is_nan(b), "cell {at}, {range:?}: {a:?} {b:?} {program:?}");
        }
    }
    is_all
}

/// Columns one behind the other, bitmaps first, as pages have them.
struct Page {
    words: Vec<u64>,
    places: Vec<[usize; 2]>,
    bitmap_words: usize,
}

impl Page {
    /// Of so many rows, mostly with room for more, in which there is anything.
    fn new(columns: &[&Vector], rows: usize, rng: &mut ChaCha8Rng) -> Page {
        let (capacity, spare) = (rows + rng.random_range(0..40), rng.random_range(0..20));
        let bitmap_words = capacity.div_ceil(64);
        let mut page =
            Page { words: vec![rng.random(); columns.len() * bitmap_words], places: Vec::new(), bitmap_words };
        for (i, column) in columns.iter().map(|v| as_column(v)).enumerate() {
            let bitmap = &mut page.words[i * bitmap_words..][..bitmap_words];
            let null = |row: &usize| column.nulls().get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1);
            for row in 0..rows {
                bitmap[row / 64] = bitmap[row / 64] & !(1 << (row % 64)) | u64::from(null(&row)) << (row % 64);
            }
            let start = page.words.len();
            page.places.push([8 * start, 8 * i * bitmap_words]);
            page.words.resize(start + (capacity * column.form().width()).div_ceil(8), rng.random());
            let bytes = bytemuck::cast_slice_mut(&mut page.words[start..]);
            bytes[..rows * column.form().width()].copy_from_slice(&column.bytes()[..rows * column.form().width()]);
            if column.form() == Form::Bool {
                bytes[rows..].fill(1);
            }
        }
        page.words.resize(page.words.len() + spare, rng.random());
        page
    }

    fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }

    fn fold(&self, unit: &Unit, given: Given<'_>, rows: std::ops::Range<usize>, cells: &mut Cells) -> bool {
        let columns = unit.on_pages(self.places.iter().copied(), self.bitmap_words, self.bytes().len()).unwrap();
        columns.look_ahead(self.bytes(), 1 << 40);
        unit.fold_page(&columns, (self.bytes(), 1 << 40), given, rows, cells)
    }
}

fn program(columns: Vec<Form>, steps: Vec<Step>) -> Program {
    let cells = steps.iter().filter(|s| matches!(s, Step::Fold(..))).count() as u32;
    Program { steps, columns, output: Output::Folded(cells), ..plus_one(1) }
}

fn all_of(cells: &Cells) -> Vec<Cell> {
    (0..cells.len() as u32).map(|i| cells.get(i)).collect()
}

/// Folds rows without NULL inputs into cells that have come to `cells` before.
fn folded(unit: &Unit, columns: &[Column<'_>], rows: std::ops::Range<usize>, cells: &mut [Cell]) -> bool {
    let mut all = Cells::from(&*cells);
    let is_done = unit.fold_in(columns, Given::default(), rows, &mut all);
    cells.copy_from_slice(&all_of(&all));
    is_done
}

fn number(cell: Cell) -> i128 {
    (u128::from(cell[1]) << 64 | u128::from(cell[0])) as i128
}

/// Code by row and by tile, where there is any, and none.
fn all() -> Vec<Jit> {
    if super::CODE { vec![native(), tiled(), Jit::interpreter()] } else { vec![Jit::interpreter()] }
}

#[test]
fn sums_are_exact_beyond_64_bits() {
    macro_rules! of {
        ($form:ident $ty:ty) => {
            for edge in INTS.map(|i| i as $ty) {
                for other in INTS.map(|i| i as $ty) {
                    let values: Vec<$ty> = (0..5000).map(|i| if i % 3 == 0 { other } else { edge }).collect();
                    let wanted: i128 = values[7..].iter().map(|&v| i128::from(v)).sum();
                    let steps = vec![Step::Column(0), Step::Fold(Fold::Sum, 0), Step::Fold(Fold::Values, 1)];
                    for jit in all() {
                        let unit = jit.unit(program(vec![Form::$form], steps.clone())).unwrap().0;
                        let mut cells = [[0; 2]; 2];
                        for times in 1..3 {
                            let column = Column::new(Form::$form, bytemuck::cast_slice(&values), &[]).unwrap();
                            assert!(folded(&unit, &[column], 7..5000, &mut cells));
                            assert_eq!(cells.map(number), [times * wanted, times * 4993], "{edge} {other}");
                        }
                    }
                }
            }
        };
    }
    of!(I16 i16);
    of!(I32 i32);
    of!(I64 i64);
}

#[test]
fn the_longest_run_fits_into_lanes() {
    macro_rules! of {
        ($form:ident $($value:expr)*) => {$(
            let values = vec![$value; 1 << 16];
            for jit in all() {
                let steps = vec![Step::Column(0), Step::Fold(Fold::Sum, 0)];
                let unit = jit.unit(program(vec![Form::$form], steps)).unwrap().0;
                let mut cells = [[0; 2]];
                let column = Column::new(Form::$form, bytemuck::cast_slice(&values), &[]).unwrap();
                assert!(folded(&unit, &[column], 0..1 << 16, &mut cells));
                assert_eq!(number(cells[0]), i128::from($value) << 16);
            }
        )*};
    }
    of!(I64 i64::MIN i64::MAX -1i64 0xFFFF_FFFFi64);
    of!(I32 i32::MIN i32::MAX -1i32 0xFFFFi32);
}

/// `sum(b)`, the count of `b`, and rows, where `a < 10`.
fn filtered() -> Program {
    let (end, test) = (Label(0), Step::Binary(BinaryOp::LtInt, Right::Constant(10)));
    let filter = vec![Step::Column(0), test, Step::JumpUnlessTrue(end), Step::Fold(Fold::Rows, 2)];
    let folds = vec![Step::Column(1), Step::Fold(Fold::Sum, 0), Step::Fold(Fold::Values, 1), Step::Here(end)];
    program(vec![Form::I32; 2], [filter, folds].concat())
}

#[test]
fn rows_that_a_filter_drops_are_not_folded() {
    let ints = |values: Vec<i32>, every: usize| {
        let mut nulls = Nulls::default();
        (0..values.len()).filter(|i| i % every == 0).for_each(|i| nulls.set(i));
        let values = values.into_iter().enumerate().map(|(i, v)| if i % every == 0 { 0 } else { v });
        Vector { data: Data::I32(values.collect()), nulls }
    };
    let (a, b) = (ints((0..1000).map(|i| i * 7 % 31).collect(), 11), ints((0..1000).map(|i| i - 300).collect(), 5));
    for jit in all() {
        let unit = jit.unit(filtered()).unwrap().0;
        for (from, to) in [(0, 1000), (100, 101), (63, 129), (999, 1000), (7, 7), (1, 34)] {
            let mut cells = [[3, 0]; 3];
            assert!(folded(&unit, &[as_column(&a), as_column(&b)], from..to, &mut cells));
            let rows: Vec<usize> = (from..to).filter(|i| i % 11 != 0 && i * 7 % 31 < 10).collect();
            let values: Vec<i128> = rows.iter().filter(|&i| i % 5 != 0).map(|&i| i as i128 - 300).collect();
            let wanted = [values.iter().sum(), values.len() as i128, rows.len() as i128].map(|n: i128| n + 3);
            assert_eq!(cells.map(number), wanted, "{from}..{to}");
        }
    }
}

#[test]
fn a_suspect_row_leaves_the_cells_as_they_were() {
    let add = Step::Binary(BinaryOp::AddI32, Right::Constant(1));
    let steps = vec![Step::Column(0), Step::Fold(Fold::MaxInt, 1), add, Step::Fold(Fold::Sum, 0)];
    for jit in all() {
        let unit = jit.unit(program(vec![Form::I32], steps.clone())).unwrap().0;
        let mut values: Vec<i32> = (0..500).collect();
        let mut cells = [[0; 2]; 2];
        let run = |values: &[i32], cells: &mut [Cell]| {
            let column = Column::new(Form::I32, bytemuck::cast_slice(values), &[]).unwrap();
            folded(&unit, &[column], 0..500, cells)
        };
        assert!(run(&values, &mut cells));
        assert_eq!(cells, [[500 * 501 / 2, 0], [499, 1]]);
        let before = cells;
        values[400] = i32::MAX;
        assert!(!run(&values, &mut cells));
        assert_eq!(cells, before);
        assert!(!run(&values, &mut cells[..1]), "there are two cells");
    }
}

/// Lanes hold what came of 65,536 rows at most, of one kind of code: they are added up before that, and before rows are folded one by one.
#[test]
fn runs_add_up_in_cells() {
    let add = Step::Binary(BinaryOp::AddI32, Right::Constant(1));
    let steps = vec![Step::Column(0), add, Step::Fold(Fold::Sum, 0), Step::Fold(Fold::MinInt, 1)];
    for jit in all() {
        let unit = jit.unit(program(vec![Form::I32], steps.clone())).unwrap().0;
        let other =
            jit.unit(program(vec![Form::I32], steps[..1].iter().chain(&steps[2..]).cloned().collect())).unwrap().0;
        let (mut cells, mut wanted) = (Cells::new(2), [0i128, i128::from(i32::MAX)]);
        let nulls: Vec<u64> = std::iter::once(1 << 5).chain([0; 400]).collect();
        for run in 0..12 {
            let (rows, largest) = (20_000 + run, if run % 4 == 2 { i32::MAX } else { i32::MAX - 1 });
            let values: Vec<i32> =
                (0..rows).map(|i| if i == 777 { largest } else { largest - 3 - run - i % 2 }).collect();
            let is_whole = run % 3 != 1;
            let words = if is_whole { &[][..] } else { &nulls[..] };
            let column = Column::new(Form::I32, bytemuck::cast_slice(&values), words).unwrap();
            let (unit, more) = if run == 7 { (&other, 0) } else { (&unit, 1) };
            let is_done = unit.fold_in(&[column], Given::default(), 0..rows as usize, &mut cells);
            assert_eq!(is_done, largest < i32::MAX || more == 0, "{run}");
            if is_done {
                let rows = values.iter().enumerate().filter(|(i, _)| is_whole || *i != 5);
                let values: Vec<i128> = rows.map(|(_, &v)| i128::from(v) + more).collect();
                wanted[0] += values.iter().sum::<i128>();
                wanted[1] = wanted[1].min(*values.iter().min().unwrap());
            }
            let found = [number(cells.get(0)), i128::from(cells.get(1)[0] as i64)];
            assert_eq!(found, wanted, "{run}");
            // Looking changes nothing.
            assert_eq!(all_of(&cells), all_of(&cells.clone()));
        }
    }
}

/// Tiles count values as they count rows where no value can be NULL, and only there.
#[test]
fn values_are_counted_apart_from_rows() {
    let end = Label(0);
    let rows = || Step::Fold(Fold::Rows, 0);
    let values = || Step::Fold(Fold::Values, 1);
    let column = || Step::Column(0);
    let input =
        |op: BinaryOp| [column(), Step::Save(0), Step::Input(0), Step::Binary(op, Right::Accumulator(0))].to_vec();
    let filter = || [column(), Step::Binary(BinaryOp::LtInt, Right::Constant(50)), Step::JumpUnlessTrue(end)].to_vec();
    let all_of = |parts: &[&[Step]]| parts.concat();
    let programs = [
        (all_of(&[&[rows(), column(), values()]]), [200, 200]),
        (all_of(&[&[rows()], &input(BinaryOp::AddI32), &[values()]]), [200, 0]),
        (all_of(&[&[rows()], &input(BinaryOp::LtInt), &[values()]]), [200, 0]),
        (all_of(&[&[rows()], &filter(), &[column(), values(), Step::Here(end)]]), [200, 50]),
        (all_of(&[&filter(), &[rows(), Step::Here(end), column(), values()]]), [50, 200]),
        (all_of(&[&filter(), &[rows(), column(), values(), Step::Here(end)]]), [50, 50]),
    ];
    let numbers: Vec<i32> = (0..200).collect();
    for jit in all() {
        for (steps, wanted) in &programs {
            let program = Program { inputs: 1, slots: 1, ..program(vec![Form::I32], steps.clone()) };
            let unit = jit.unit(program).unwrap().0;
            let mut cells = Cells::new(2);
            let column = Column::new(Form::I32, bytemuck::cast_slice(&numbers), &[]).unwrap();
            assert!(unit.fold_in(&[column], Given::from(&[None][..]), 0..200, &mut cells));
            assert_eq!([0, 1].map(|i| cells.get(i)[0]), *wanted, "{steps:?}");
        }
    }
}

#[test]
fn of_equal_floats_the_first_is_kept() {
    for (fold, first) in [(Fold::MinFloat, 0.0), (Fold::MinFloat, -0.0), (Fold::MaxFloat, 0.0), (Fold::MaxFloat, -0.0)]
    {
        let sign = if fold == Fold::MinFloat { 1.0 } else { -1.0 };
        for at in [0, 3, 40, 190] {
            let mut values: Vec<f64> = (0..200).map(|i| sign * f64::from(i % 9 + 1)).collect();
            values[at] = first;
            values[at + 5] = -first;
            for jit in all() {
                let unit = jit.unit(program(vec![Form::F64], vec![Step::Column(0), Step::Fold(fold, 0)])).unwrap().0;
                let mut cells = [[0; 2]];
                let column = Column::new(Form::F64, bytemuck::cast_slice(&values), &[]).unwrap();
                assert!(folded(&unit, &[column], 0..200, &mut cells));
                assert_eq!(cells, [[first.to_bits(), 1]], "{fold:?} {first} {at}");
            }
        }
    }
}

#[test]
fn folds_go_through_tiles() {
    if !has_tiles() {
        return;
    }
    let jit = tiled();
    let unit = jit.unit(filtered()).unwrap().0;
    let values: Vec<i32> = (0..1000).collect();
    let column = || Column::new(Form::I32, bytemuck::cast_slice(&values), &[]).unwrap();
    assert!(folded(&unit, &[column(), column()], 1..1000, &mut [[0; 2]; 3]));
    assert_eq!(jit.counts().tile_rows, 999);
}

#[test]
fn cells_that_are_not_there_or_have_two_folds_are_refused() {
    let jit = Jit::default();
    let steps =
        |cells: [u32; 2]| vec![Step::Column(0), Step::Fold(Fold::Sum, cells[0]), Step::Fold(Fold::Values, cells[1])];
    assert!(jit.unit(program(vec![Form::I32], steps([0, 1]))).is_some());
    assert!(jit.unit(program(vec![Form::I32], steps([0, 0]))).is_none());
    assert!(jit.unit(program(vec![Form::I32], steps([0, 2]))).is_none());
    assert!(jit.unit(Program { output: Output::Kept, ..program(vec![Form::I32], steps([0, 1])) }).is_none());
}

/// A page that ends before the columns do is not read; nor are columns that begin between words.
#[test]
fn pages_are_as_large_as_their_columns() {
    let steps = vec![Step::Column(0), Step::Fold(Fold::Sum, 0), Step::Fold(Fold::Values, 1)];
    let numbers: Vec<u64> = std::iter::once(0b1000).chain((0..20).map(|i| i | (i + 100) << 32)).collect();
    let page: &[u8] = bytemuck::cast_slice(&numbers);
    for jit in all() {
        let unit = jit.unit(program(vec![Form::I32], steps.clone())).unwrap().0;
        let other = jit.unit(program(vec![Form::I32], steps[..2].to_vec())).unwrap().0;
        let columns = unit.on_pages([[8, 0]], 1, page.len()).unwrap();
        let mut cells = Cells::new(2);
        let mut fold = |unit: &Unit, page: &[u8], rows| {
            let is_done = unit.fold_page(&columns, (page, 0), Given::default(), rows, &mut cells);
            (is_done, number(cells.get(0)), number(cells.get(1)))
        };
        // Rows 0, 1, 2, 4: the fourth is NULL.
        assert_eq!(fold(&unit, page, 0..5), (true, 103, 4));
        assert_eq!(fold(&unit, page, 38..40), (true, 103 + 19 + 119, 6));
        assert_eq!(fold(&unit, page, 38..41), (false, 241, 6));
        assert_eq!(fold(&unit, &page[..160], 0..5), (false, 241, 6), "it is too short");
        assert_eq!(fold(&unit, &page[1..], 0..5), (false, 241, 6));
        assert_eq!(fold(&other, page, 0..5), (false, 241, 6), "places are another program's");
        assert!(unit.on_pages([[10, 0]], 1, page.len()).is_none() && unit.on_pages([[8, 4]], 1, page.len()).is_none());
        assert!(
            unit.on_pages([[8, 160]], 2, page.len()).is_none() && unit.on_pages([[176, 0]], 1, page.len()).is_none()
        );
        assert!(unit.on_pages([[usize::MAX - 3, 0]], 1, page.len()).is_none());
        assert!(unit.on_pages([], 1, page.len()).is_none());
    }
}
