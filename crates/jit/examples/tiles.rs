//! What a row costs, in nanoseconds: filters over a million rows in pieces as long as a page's, row by row and by tiles. `cargo run -p jit --release --example tiles`.

use std::time::Instant;

use jit::{BinaryOp, Column, CopyAndPatch, Form, Jit, Label, Output, Program, Right, Step};

const ROWS: usize = 1 << 20;
const PIECE: usize = 500;

fn program(columns: usize, steps: Vec<Step>) -> Program {
    Program { steps, columns: vec![Form::I32; columns], slots: 1, ..Program::new(Output::Kept) }
}

/// `a * 3 + b < 10 AND c IS NOT NULL`.
fn three_columns() -> Program {
    let binary = |op, right| Step::Binary(op, right);
    let steps = vec![
        Step::Column(0),
        binary(BinaryOp::MulI32, Right::Constant(3)),
        binary(BinaryOp::AddI32, Right::Column(1)),
        binary(BinaryOp::LtInt, Right::Constant(10)),
        Step::JumpIfFalse(Label(0)),
        Step::Save(0),
        Step::NullOf(2),
        Step::Not,
        Step::And(0),
        Step::Here(Label(0)),
    ];
    program(3, steps)
}

/// `a > 5`.
fn one_column() -> Program {
    program(1, vec![Step::Column(0), Step::Binary(BinaryOp::GtInt, Right::Constant(5))])
}

fn main() {
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let nulls: Vec<Vec<u64>> = (0..3)
        .map(|_| {
            let mut words = vec![0u64; ROWS / 64];
            (0..ROWS)
                .filter(|_| random() % 10 == 0)
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|i| words[i / 64] |= 1 << (i % 64));
            words
        })
        .collect();
    let values: Vec<Vec<i32>> = nulls
        .iter()
        .map(|nulls| {
            (0..ROWS).map(|i| if nulls[i / 64] >> (i % 64) & 1 == 1 { 0 } else { random() as i32 % 12 }).collect()
        })
        .collect();
    let none = vec![0u64; ROWS / 64];
    for (name, program) in [("a*3 + b < 10 AND c IS NOT NULL", three_columns()), ("a > 5", one_column())] {
        for has_nulls in [true, false] {
            let mut line = format!("{name:32} {}", if has_nulls { "10 % NULL" } else { "no NULL  " });
            for (tier, after) in [("rows", u64::MAX), ("tiles", 0)] {
                let jit = Jit::new(CopyAndPatch::new().tiles_after(after));
                let unit = jit.unit(program.clone()).expect("it is sound").0;
                let mut kept = Vec::new();
                let mut pass = || {
                    let (start, mut count) = (Instant::now(), 0);
                    // As pages have them: each piece with columns of its own.
                    for from in (0..ROWS - 512).step_by(512) {
                        let columns = (0..program.columns.len()).map(|i| {
                            let bytes = bytemuck::cast_slice(&values[i][from..from + PIECE]);
                            let nulls = if has_nulls { &nulls[i] } else { &none };
                            Column::new(Form::I32, bytes, &nulls[from / 64..][..8]).expect("it is aligned")
                        });
                        assert!(unit.kept_in(columns, &[], 0..PIECE, &mut kept));
                        count += kept.len();
                    }
                    (start.elapsed().as_nanos() as f64 / ((ROWS / 512 - 1) * PIECE) as f64, count)
                };
                let all: Vec<(f64, usize)> = (0..40).map(|_| pass()).collect();
                let best = all.iter().map(|p| p.0).fold(f64::MAX, f64::min);
                line += &format!("   {tier} {best:.3} ns ({} kept)", all[0].1);
            }
            println!("{line}");
        }
    }
}
