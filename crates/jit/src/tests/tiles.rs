//! Tiles against the interpreter.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vector::{Data, Nulls, Vector};

use super::{FLOATS, INTS, bits, compared, drawn_of, float, folds, int, list, plus_one};
use crate::{
    BinaryOp, Choice, Column, CopyAndPatch, Form, Given, Input, Jit, Label, Memory, Output, Program, Right, Step, Tier,
    UnaryOp,
};

/// Whether this processor runs tiles.
pub(super) fn has_tiles() -> bool {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    return is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi2");
    #[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
    return false;
}

/// Tiles after so many rows. Tests for aarch64 run in an emulator, which may not see what is written through another mapping.
fn tiles_after(rows: u64) -> Jit {
    let memory = if cfg!(target_arch = "aarch64") { Memory::OneMapping } else { Memory::TwoMappings };
    Jit::new(CopyAndPatch::with_memory(memory).tiles_after(rows))
}

pub(super) fn tiled() -> Jit {
    tiles_after(0)
}

#[test]
fn programs_without_types_give_the_same_bytes_in_tiles() {
    if super::CODE {
        let jit = tiled();
        compared(jit.clone(), 20_000..23_000, false);
        let counts = jit.counts();
        assert_eq!(counts.tiles > 1000 && counts.tile_rows > 100_000, has_tiles(), "{counts:?}");
    }
}

/// Mostly small values, so that most tiles are not suspect; some are NULL, and zero there.
fn calm_column(rng: &mut ChaCha8Rng, form: Form, rows: usize) -> Vector {
    let (null, wild) = ([0.0, 0.1, 0.5, 1.0][rng.random_range(0..4)], [0.0, 0.0, 0.001, 0.02][rng.random_range(0..4)]);
    let mut nulls = Nulls::default();
    (0..rows).filter(|_| rng.random_bool(null)).collect::<Vec<_>>().into_iter().for_each(|i| nulls.set(i));
    macro_rules! values {
        ($data:ident, $calm:expr, $wild:expr) => {
            Data::$data(
                (0..rows)
                    .map(|i| match rng.random_bool(wild) {
                        _ if nulls.get(i) => Default::default(),
                        true => $wild,
                        false => $calm,
                    })
                    .collect(),
            )
        };
    }
    let data = match form {
        Form::Bool => values!(Bool, rng.random(), rng.random()),
        Form::I16 => values!(I16, rng.random_range(-20..20), int(rng) as i16),
        Form::I32 => values!(I32, rng.random_range(-99..99), int(rng) as i32),
        Form::I64 => values!(I64, rng.random_range(-99..99), int(rng)),
        Form::U32 => values!(U32, rng.random_range(0..99), int(rng) as u32),
        Form::F32 => values!(F32, rng.random_range(-99.0..99.0), float(rng) as f32),
        Form::F64 => values!(F64, rng.random_range(-99.0..99.0), float(rng)),
    };
    Vector { data, nulls }
}

/// The bytes of its values, as code reads them.
pub(super) fn as_column(v: &Vector) -> Column<'_> {
    let form = match v.data {
        Data::Bool(_) => Form::Bool,
        Data::I16(_) => Form::I16,
        Data::I32(_) => Form::I32,
        Data::I64(_) => Form::I64,
        Data::U32(_) => Form::U32,
        Data::F32(_) => Form::F32,
        _ => Form::F64,
    };
    Column::of(v, form).unwrap()
}

#[test]
fn tiles_and_interpreter_give_the_same_bytes() {
    if !super::CODE {
        return;
    }
    let (jit, other) = (tiled(), Jit::interpreter());
    let (mut pairs, mut done, mut suspect, mut with_tiles) = (0, 0, 0, 0);
    for seed in 0..9000 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let widths = [
            [Form::I16, Form::F32],
            [Form::I32, Form::F32],
            [Form::I32, Form::F64],
            [Form::I64, Form::F64],
            [Form::U32, Form::F64],
        ];
        let widths = widths[rng.random_range(0..widths.len())];
        let program = drawn_of(rng, Some(widths));
        assert!(program.is_sound(), "seed {seed}: {program:?}");
        let (code, interpreted) = (jit.unit(program.clone()).unwrap().0, other.unit(program.clone()).unwrap().0);
        for _ in 0..4 {
            let rows = rng.random_range(1..300);
            let columns: Vec<Vector> = program.columns.iter().map(|&form| calm_column(rng, form, rows)).collect();
            let inputs: [Input; 2] = [Some(rng.random_range(-9..9i64) as u64), rng.random_bool(0.5).then_some(7)];
            let lists = [(); 2].map(|()| list(rng));
            let given = Given { inputs: &inputs, lists: &lists, ..Given::default() };
            pairs += rows;
            let is_done = if program.cells() > 0 {
                folds::alike([&code, &interpreted], &columns.iter().collect::<Vec<_>>(), [given; 2], rows, rng)
            } else if program.output == Output::Kept {
                let start = rng.random_range(0..rows);
                let range = start..rng.random_range(start..=rows);
                // Bitmaps that end with the last row, whatever lies behind them.
                let whole: Vec<Vec<u64>> = columns
                    .iter()
                    .map(|c| {
                        let words = c.nulls.words();
                        let mut whole = words.to_vec();
                        whole.resize(if words.is_empty() { 0 } else { rows.div_ceil(64) }, 0);
                        whole
                    })
                    .collect();
                let run = |unit: &crate::Unit, out: &mut Vec<u32>| {
                    let columns = columns.iter().zip(&whole).map(|(v, nulls)| Column { nulls, ..as_column(v) });
                    unit.kept_in(columns, given, range.clone(), out)
                };
                let (mut a, mut b) = (Vec::new(), Vec::new());
                let is_done = (run(&code, &mut a), run(&interpreted, &mut b));
                assert_eq!(is_done.0, is_done.1, "seed {seed}: {program:?}");
                assert!(!is_done.0 || a == b, "seed {seed}, {range:?}: {program:?}\n{a:?}\n{b:?}");
                is_done.0
            } else {
                let columns: Vec<&Vector> = columns.iter().collect();
                let (a, b) = (code.values(&columns, given, rows), interpreted.values(&columns, given, rows));
                assert_eq!(a.as_ref().map(bits), b.as_ref().map(bits), "seed {seed}: {program:?}");
                a.is_some()
            };
            if is_done { done += 1 } else { suspect += 1 }
        }
        with_tiles += usize::from(code.made().tier == Tier::Tile);
    }
    assert!(pairs > 4_000_000 && done > 20_000 && suspect > 500, "{pairs} {done} {suspect}");
    if has_tiles() {
        let rows = jit.counts().tile_rows as usize;
        assert!(with_tiles > 8000 && rows > pairs / 2, "{with_tiles} programs, {rows} of {pairs} rows");
    }
}

/// A column of `rows` values, all 1 but for one at `at`, which may be NULL; and its word.
fn with_edge(form: Form, edge: usize, rows: usize, at: Option<usize>, is_null: bool) -> (Vector, u64) {
    let mut nulls = Nulls::default();
    at.filter(|_| is_null).into_iter().for_each(|at| nulls.set(at));
    macro_rules! values {
        ($data:ident, $one:expr, $edge:expr, |$v:ident| $word:expr) => {{
            let mut values = vec![$one; rows];
            let $v = $edge;
            at.into_iter().for_each(|at| values[at] = if is_null { Default::default() } else { $edge });
            (Data::$data(values), $word)
        }};
    }
    let (data, word) = match form {
        Form::I16 => values!(I16, 1, INTS[edge] as i16, |v| v as u64),
        Form::I32 => values!(I32, 1, INTS[edge] as i32, |v| v as u64),
        Form::I64 => values!(I64, 1, INTS[edge], |v| v as u64),
        Form::F32 => values!(F32, 1.0, FLOATS[edge] as f32, |v| f64::from(v).to_bits()),
        Form::F64 => values!(F64, 1.0, FLOATS[edge], |v| v.to_bits()),
        other => panic!("{other:?}"),
    };
    (Vector { data, nulls }, word)
}

/// The forms whose words an operation of this name works on.
fn forms_of(name: &str, is_float: bool) -> Vec<Form> {
    let all = if is_float { vec![Form::F32, Form::F64] } else { vec![Form::I16, Form::I32, Form::I64] };
    let own: Vec<Form> = all.iter().copied().filter(|form| name.ends_with(&format!("{form:?}"))).collect();
    if own.is_empty() || name.contains("To") { all } else { own }
}

/// Compares tiles with the interpreter for columns that have an edge each in one row. What is not suspect all goes through tiles, unless that is `approximate`.
fn compare_edges(program: &Program, edges: &[usize], jits: &[Jit; 2], rows: usize, at: usize, approximate: bool) {
    let units = jits.each_ref().map(|jit| jit.unit(program.clone()).unwrap().0);
    for null in 0..=edges.len() {
        let columns: Vec<Vector> = std::iter::zip(&program.columns, edges)
            .enumerate()
            .map(|(i, (&form, &edge))| with_edge(form, edge, rows, Some(at), null == i + 1).0)
            .collect();
        let columns: Vec<&Vector> = columns.iter().collect();
        let before = jits[0].counts().tile_rows;
        let [a, b] = units.each_ref().map(|unit| unit.values(&columns, &[], rows).as_ref().map(bits));
        assert_eq!(a, b, "{program:?} {edges:?} NULL {null}");
        let through = (jits[0].counts().tile_rows - before) as usize;
        assert!(a.is_none() || !has_tiles() || approximate || through == rows, "{program:?} {edges:?} NULL {null}");
    }
    assert_eq!(units[0].made().tier == Tier::Tile, has_tiles(), "{program:?}");
}

#[test]
fn every_operation_is_exact_at_its_edges() {
    if !super::CODE {
        return;
    }
    let mut jits = [tiled(), Jit::interpreter()];
    let (mut at, mut calls) = (0, 0);
    let mut compare = |columns: Vec<Form>, output: Form, steps: Vec<Step>, edges: &[usize]| {
        (at, calls) = ((at + 7) % 50, calls + 1);
        // A program that was suspect too often would have no tiles any more.
        if calls % 30 == 0 {
            jits[0] = tiled();
        }
        let is_approximate = |step: &Step| {
            use BinaryOp::{DivI64, MulI64, RemI64};
            matches!(step, Step::Binary(MulI64 | DivI64 | RemI64, _) | Step::Unary(UnaryOp::IntToF32))
        };
        let approximate = steps.iter().any(is_approximate);
        let program = Program { steps, columns, slots: 1, output: Output::Vector(output), ..plus_one(1) };
        compare_edges(&program, edges, &jits, 50, at, approximate);
    };
    let count = |form: Form| if form.is_float() { FLOATS.len() } else { INTS.len() };
    for op in BinaryOp::ALL {
        let name = format!("{op:?}");
        for form in forms_of(&name, op.is_float()) {
            let is_test = name.ends_with("Int") || name.ends_with("Float");
            let output = if is_test { Form::Bool } else { form };
            for (x, y) in (0..count(form)).flat_map(|x| (0..count(form)).map(move |y| (x, y))) {
                let right = Step::Binary(op, Right::Column(1));
                compare(vec![form; 2], output, vec![Step::Column(0), right], &[x, y]);
                let right = Step::Binary(op, Right::Accumulator(0));
                let steps = vec![Step::Column(0), Step::Save(0), Step::Column(1), right];
                compare(vec![form; 2], output, steps, &[x, y]);
                let right = Step::Binary(op, Right::Constant(with_edge(form, y, 0, None, false).1));
                compare(vec![form], output, vec![Step::Column(0), right], &[x]);
            }
        }
    }
    for op in UnaryOp::ALL {
        let name = format!("{op:?}");
        for form in forms_of(&name, name.ends_with("Float")) {
            let output = match op {
                UnaryOp::IntToF32 => Form::F32,
                UnaryOp::IntToF64 => Form::F64,
                _ => form,
            };
            for x in 0..count(form) {
                compare(vec![form], output, vec![Step::Column(0), Step::Unary(op)], &[x]);
            }
        }
    }
    for choice in Choice::ALL {
        for form in forms_of("", format!("{choice:?}").ends_with("Float")) {
            for (x, y) in (0..count(form)).flat_map(|x| (0..count(form)).map(move |y| (x, y))) {
                let steps = vec![Step::Column(0), Step::Save(0), Step::Column(1), Step::Choose(choice, 0)];
                compare(vec![form; 2], form, steps, &[x, y]);
            }
        }
    }
    for form in [Form::I16, Form::I32, Form::I64] {
        let word = |edge: usize| with_edge(form, edge, 0, None, false).1;
        for (x, y) in (0..INTS.len()).flat_map(|x| (0..INTS.len()).map(move |y| (x, y))) {
            let mut list = vec![word(y), word((y + 1) % INTS.len()), word((y + 5) % INTS.len())];
            list.sort_by_key(|&w| w as i64);
            let program = Program {
                steps: vec![Step::Column(0), Step::InList(0)],
                columns: vec![form],
                lists: vec![list],
                output: Output::Vector(Form::Bool),
                ..plus_one(1)
            };
            compare_edges(&program, &[x], &jits, 40, 33, false);
            let near = [word(y), (word(y) as i64).saturating_sub(70) as u64];
            let set = vec![crate::set_of(&near).unwrap()];
            let steps = vec![Step::Column(0), Step::InSet(0)];
            let program = Program { steps, lists: vec![], sets: set, ..program };
            let pairs = [(near[0], Some(1)), (near[1], None), (near[0], None)];
            let table = vec![crate::table_of(&pairs, Some(0)).unwrap()];
            let steps = vec![Step::Column(0), Step::Pick(0)];
            let looked_up = Program { steps, sets: vec![], tables: table, ..program.clone() };
            if word(y) as i64 != i64::MAX {
                compare_edges(&program, &[x], &jits, 40, 33, false);
                compare_edges(&looked_up, &[x], &jits, 40, 33, false);
            }
        }
    }
}

fn longs(values: Vec<i64>) -> Vector {
    Vector { data: Data::I64(values), nulls: Nulls::default() }
}

/// The first column times the second, of 64 bits.
fn product() -> Program {
    let steps = vec![Step::Column(0), Step::Binary(BinaryOp::MulI64, Right::Column(1))];
    Program { steps, columns: vec![Form::I64; 2], output: Output::Vector(Form::I64), ..plus_one(1) }
}

#[test]
fn rows_of_a_suspect_tile_are_run_one_by_one_and_tiles_go_on_behind_them() {
    if !has_tiles() {
        return;
    }
    // Tiles do not multiply what does not fit into 32 bits.
    let large = |at: &[usize]| longs((0..205).map(|i| if at.contains(&i) { 1 << 40 } else { 3 }).collect());
    let twos = longs(vec![2; 205]);
    // Which rows are large, and how many go through tiles: from a fourth suspect tile on, none.
    for (at, through) in [
        (&[][..], 205),
        (&[0], 189),
        (&[50], 189),
        (&[200], 205 - 13),
        (&[10, 11, 20], 173),
        (&[1, 17, 40, 60, 180], 0),
    ] {
        let jit = tiled();
        let unit = jit.unit(product()).unwrap().0;
        let wanted = (0..205).map(|i| if at.contains(&i) { 2 << 40 } else { 6 }).collect();
        assert_eq!(unit.values(&[&large(at), &twos], &[], 205).unwrap().data, Data::I64(wanted), "{at:?}");
        assert_eq!(jit.counts().tile_rows, through, "{at:?}");
        // A row that is suspect itself ends it all.
        let mut values = vec![3; 205];
        values[170] = i64::MAX;
        assert!(unit.values(&[&longs(values), &twos], &[], 205).is_none());
    }
    // A filter goes on with its list where it was.
    let steps = [&product().steps[..], &[Step::Binary(BinaryOp::GtInt, Right::Constant(5))]].concat();
    let unit = tiled().unit(Program { steps, output: Output::Kept, ..product() }).unwrap().0;
    let mut values = vec![3; 205];
    (0..205).step_by(3).for_each(|i| values[i] = if i % 2 == 0 { 1 } else { 1 << 33 });
    let mut kept = Vec::new();
    assert!(unit.kept(&[&longs(values.clone()), &twos], &[], 205, &mut kept));
    assert_eq!(kept, (0..205).filter(|&i| values[i as usize] > 2).collect::<Vec<u32>>());
}

#[test]
fn tiles_that_are_mostly_suspect_are_given_up() {
    if !has_tiles() {
        return;
    }
    let jit = tiled();
    let unit = jit.unit(product()).unwrap().0;
    let (large, twos) = (longs(vec![1 << 40; 1000]), longs(vec![2; 1000]));
    for _ in 0..100 {
        assert!(unit.values(&[&large, &twos], &[], 1000).is_some());
    }
    assert_eq!(jit.counts().tile_rows, 0);
    assert!(unit.values(&[&twos, &twos], &[], 1000).is_some());
    assert_eq!(jit.counts().tile_rows, 0, "nobody tries any more");
}

#[test]
fn tiles_come_when_a_program_has_run_over_some_thousand_rows() {
    let jit = if cfg!(target_arch = "aarch64") { tiles_after(4096) } else { Jit::default() };
    let unit = jit.unit(product()).unwrap().0;
    let column = longs(vec![2; 1024]);
    let run = |rows: usize| {
        assert_eq!(unit.values(&[&column, &column], &[], rows).is_some(), super::CODE);
        unit.made().tier
    };
    let row = if super::CODE { Tier::Row } else { Tier::None };
    let first: Vec<Tier> = (0..5).map(|_| run(1024)).collect();
    assert_eq!(first[..4], [row; 4]);
    assert_eq!(first[4], if has_tiles() { Tier::Tile } else { row });
    let counts = jit.counts();
    assert_eq!((counts.tiles, counts.tile_rows), if has_tiles() { (1, 1024) } else { (0, 0) });
    assert_eq!(counts.compiled, u64::from(super::CODE));
    // Its memory is the unit's.
    assert_eq!(unit.made().bytes as u64, counts.bytes);
    assert_eq!(unit.made().stencils as u64, counts.stencils);
    run(63);
    assert_eq!(jit.counts().tile_rows, counts.tile_rows, "short runs are done row by row");
}

#[test]
fn without_avx2_rows_are_run_one_by_one_with_the_same_answers() {
    let jits = [tiles_after(u64::MAX), tiled(), Jit::interpreter()];
    let units = jits.each_ref().map(|jit| jit.unit(product()).unwrap().0);
    for seed in 0..50 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let columns = [0, 1].map(|_| calm_column(rng, Form::I64, 1000));
        let columns = columns.each_ref();
        let [rows, tiles, wanted] = units.each_ref().map(|unit| unit.values(&columns, &[], 1000).as_ref().map(bits));
        assert!(!super::CODE || (rows == wanted && tiles == wanted), "seed {seed}");
    }
    let tiers = units.map(|unit| unit.made().tier);
    let row = if super::CODE { Tier::Row } else { Tier::None };
    assert_eq!(tiers, [row, if has_tiles() { Tier::Tile } else { row }, Tier::None]);
    assert_eq!((jits[0].counts().tiles, jits[0].counts().tile_rows), (0, 0));
}

#[test]
fn what_tiles_cannot_do_is_run_row_by_row() {
    if !super::CODE {
        return;
    }
    let column = longs((0..300).collect());
    let tier = |steps: Vec<Step>, lists: Vec<Vec<u64>>, inputs: &[Input]| {
        let program = Program { steps, lists, columns: vec![Form::I64], slots: 1, inputs: 1, ..product() };
        let [unit, wanted] = [tiled(), Jit::interpreter()].map(|jit| jit.unit(program.clone()).unwrap().0);
        let [a, b] = [&unit, &wanted].map(|unit| unit.values(&[&column], inputs, 300).unwrap());
        assert_eq!(bits(&a), bits(&b));
        unit.made().tier
    };
    let add = |steps: usize| {
        [vec![Step::Column(0)], vec![Step::Binary(BinaryOp::AddI64, Right::Constant(1)); steps - 1]].concat()
    };
    let tile = if has_tiles() { Tier::Tile } else { Tier::Row };
    assert_eq!(tier(add(4000), vec![], &[None]), tile);
    assert_eq!(tier(add(4001), vec![], &[None]), Tier::Row, "a long program");
    let list = |len: u64| vec![(0..len).map(|i| i * i).collect::<Vec<u64>>()];
    let is_in = vec![Step::Column(0), Step::InList(0), Step::Save(0)];
    assert_eq!(tier(is_in.clone(), list(16), &[None]), tile);
    assert_eq!(tier(is_in, list(17), &[None]), Tier::Row, "a long list");
    let nothing = vec![Step::IsNull, Step::Column(0)];
    assert_eq!(tier(nothing, vec![], &[None]), Tier::Row, "an accumulator that nobody filled");
}

#[test]
fn what_rows_jump_over_is_not_suspect() {
    if !has_tiles() {
        return;
    }
    let (zeros, quotient) = (
        [Step::Column(1), Step::Binary(BinaryOp::NeInt, Right::Constant(0))],
        [Step::Column(0), Step::Binary(BinaryOp::DivI32, Right::Column(1))],
    );
    let large = Step::Binary(BinaryOp::GtInt, Right::Constant(1));
    // `b <> 0 AND a / b > 1`, and `CASE WHEN b <> 0 THEN a / b ELSE -1 END`.
    let and = [&zeros[..], &[Step::JumpIfFalse(Label(0)), Step::Save(0)], &quotient, &[large, Step::And(0)]].concat();
    let and = [and, vec![Step::Here(Label(0))]].concat();
    let case = [&zeros[..], &[Step::JumpUnlessTrue(Label(0))], &quotient, &[Step::Jump(Label(1))]].concat();
    let other = vec![Step::Here(Label(0)), Step::Constant(-1i64 as u64), Step::Here(Label(1))];
    let case = [case, other].concat();
    let ints = |values| Vector { data: Data::I32(values), nulls: Nulls::default() };
    let (a, b) = (ints((0..500).collect()), ints((0..500).map(|i| i % 7).collect()));
    for (steps, output) in [(and, Form::Bool), (case, Form::I32)] {
        let program =
            Program { steps, columns: vec![Form::I32; 2], slots: 1, output: Output::Vector(output), ..plus_one(1) };
        let jit = tiled();
        let [found, wanted] = [&jit, &Jit::interpreter()]
            .map(|jit| jit.unit(program.clone()).unwrap().0.values(&[&a, &b], &[], 500).unwrap());
        assert_eq!(bits(&found), bits(&wanted));
        assert_eq!(jit.counts().tile_rows, 500, "{program:?}");
    }
}
