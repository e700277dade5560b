//! Code of sample programs, as text, compared with `tests/disas/*.txt`; `HATHI_BLESS=1` records it anew. Other compilers give other stencils: what is recorded
//! is compared only where the compiler is the one that it names.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::path::Path;

use jit::{
    BinaryOp, Cells, Choice, Column, CopyAndPatch, Fold, Form, Given, Jit, Label, Output, Program, Right, Step, UnaryOp,
};
use vector::{Data, Nulls, Vector};

const COMPILER: &str = env!("JIT_RUSTC_VERSION");

fn binary(op: BinaryOp, right: Right) -> Step {
    Step::Binary(op, right)
}

fn program(columns: Vec<Form>, output: Output, steps: Vec<Step>) -> Program {
    Program { steps, columns, inputs: 1, slots: 2, ..Program::new(output) }
}

/// `a > 1 AND b < 2`, as it is lowered.
fn both() -> Program {
    let steps = vec![
        Step::Column(0),
        binary(BinaryOp::GtInt, Right::Constant(1)),
        Step::JumpIfFalse(Label(0)),
        Step::Save(0),
        Step::Column(1),
        binary(BinaryOp::LtInt, Right::Constant(2)),
        Step::And(0),
        Step::Here(Label(0)),
    ];
    program(vec![Form::I32; 2], Output::Kept, steps)
}

fn samples() -> Vec<(&'static str, Program)> {
    let (two, i32s) = (vec![Form::I32; 2], Output::Vector(Form::I32));
    let case = vec![
        Step::Column(0),
        binary(BinaryOp::LtInt, Right::Constant(10)),
        Step::JumpUnlessTrue(Label(0)),
        Step::Column(1),
        Step::Jump(Label(1)),
        Step::Here(Label(0)),
        Step::Column(1),
        Step::Unary(UnaryOp::NegI32),
        Step::Here(Label(1)),
    ];
    let arithmetic = vec![
        Step::Column(0),
        binary(BinaryOp::AddI32, Right::Column(1)),
        binary(BinaryOp::MulI32, Right::Constant(2)),
        Step::Save(0),
        Step::Column(0),
        binary(BinaryOp::DivI32, Right::Constant(7)),
        binary(BinaryOp::SubI32, Right::Accumulator(0)),
    ];
    let coalesce = vec![
        Step::Column(0),
        Step::JumpUnlessNull(Label(0)),
        Step::Input(0),
        Step::Here(Label(0)),
        Step::Save(1),
        Step::Column(1),
        Step::Choose(Choice::MaxFloat, 1),
    ];
    let lists = vec![
        Step::Column(0),
        Step::InSet(0),
        Step::JumpIfTrue(Label(0)),
        Step::Save(0),
        Step::Column(1),
        Step::InList(0),
        Step::Or(0),
        Step::Here(Label(0)),
    ];
    let mut lists = program(vec![Form::I64, Form::I16], Output::Kept, lists);
    lists.sets = vec![jit::set_of(&[3, 5, 80]).expect("they lie close together")];
    lists.lists = vec![vec![1, 2000, 300_000, 40_000_000]];
    vec![
        ("and", both()),
        ("arithmetic", program(two.clone(), i32s, arithmetic)),
        ("case", program(two, i32s, case)),
        ("coalesce", program(vec![Form::F64, Form::F32], Output::Vector(Form::F64), coalesce)),
        ("fold", sum()),
        ("lists", lists),
        ("pick", pick()),
    ]
}

/// `CASE a WHEN 1 THEN 10 WHEN 3 THEN 30 END`.
fn pick() -> Program {
    let table = jit::table_of(&[(1, Some(10)), (3, Some(30))], None).expect("they lie close together");
    let steps = vec![Step::Column(0), Step::Pick(0)];
    Program { tables: vec![table], ..program(vec![Form::I32], Output::Vector(Form::I32), steps) }
}

/// `sum(b)` and `count(*)` where `a < 10`.
fn sum() -> Program {
    let steps = vec![
        Step::Column(0),
        binary(BinaryOp::LtInt, Right::Constant(10)),
        Step::JumpUnlessTrue(Label(0)),
        Step::Fold(Fold::Rows, 0),
        Step::Column(1),
        Step::Fold(Fold::Sum, 1),
        Step::Here(Label(0)),
    ];
    program(vec![Form::I32; 2], Output::Folded(2), steps)
}

/// `a * 3 + b < 10 AND c IS NOT NULL`, as it is lowered.
fn three_columns() -> Program {
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
    program(vec![Form::I32; 3], Output::Kept, steps)
}

/// The code of a program for columns without NULLs, and for such with NULLs.
fn disassembly(program: &Program) -> String {
    disassembly_of(program, CopyAndPatch::new(), 1)
}

/// The same once it ran over so many rows.
fn disassembly_of(program: &Program, provider: CopyAndPatch, rows: usize) -> String {
    let jit = Jit::new(provider);
    let unit = jit.unit(program.clone()).expect("samples are sound").0;
    for with_null in [false, true] {
        let column = |form: &Form| {
            let mut nulls = Nulls::default();
            (0..1).filter(|_| with_null).for_each(|row| nulls.set(row));
            let data = match form {
                Form::I16 => Data::I16(vec![0; rows]),
                Form::I32 => Data::I32(vec![0; rows]),
                Form::I64 => Data::I64(vec![0; rows]),
                Form::F32 => Data::F32(vec![0.0; rows]),
                Form::F64 => Data::F64(vec![0.0; rows]),
                other => panic!("{other:?}"),
            };
            Vector { data, nulls }
        };
        let columns: Vec<Vector> = program.columns.iter().map(column).collect();
        let columns: Vec<&Vector> = columns.iter().collect();
        let inputs = [Some(7)];
        let given = Given { inputs: &inputs, ..Given::default() };
        let ran = match program.output {
            Output::Kept => unit.kept(&columns, given, rows, &mut Vec::new()),
            Output::Vector(_) => unit.values(&columns, given, rows).is_some(),
            Output::Folded(cells) => {
                let columns = columns.iter().map(|v| {
                    let Data::I32(values) = &v.data else { panic!("{v:?}") };
                    Column::new(Form::I32, bytemuck::cast_slice(values), v.nulls.words()).expect("aligned")
                });
                unit.fold_in(&columns.collect::<Vec<_>>(), given, 0..rows, &mut Cells::new(cells))
            }
        };
        assert!(ran, "{program:?}");
    }
    unit.disassembly()
}

#[test]
fn code_is_what_was_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disas");
    let mut names = Vec::new();
    let mut samples: Vec<_> = samples().into_iter().map(|(name, program)| (name, disassembly(&program))).collect();
    for (name, program) in [("tile", three_columns()), ("tile_fold", sum()), ("tile_pick", pick())] {
        samples.push((name, disassembly_of(&program, CopyAndPatch::new().tiles_after(0), 32)));
    }
    for (name, text) in samples {
        let file = folder.join(name).with_extension("txt");
        if name.starts_with("tile") && !is_x86_feature_detected!("avx2") {
            println!("there are no tiles on this processor");
            names.push(format!("{name}.txt").into());
            continue;
        }
        let found = format!("; {COMPILER}\n{text}");
        if std::env::var_os("HATHI_BLESS").is_some_and(|v| v == "1") {
            std::fs::write(&file, &found).expect("golden files can be written");
        }
        let wanted = std::fs::read_to_string(&file).expect("recorded with HATHI_BLESS=1");
        names.push(std::ffi::OsString::from(format!("{name}.txt")));
        let recorded = wanted.lines().next().unwrap_or_default();
        if recorded != format!("; {COMPILER}") {
            println!("{name}: not compared: recorded with {recorded:?}, and this is {COMPILER}");
            continue;
        }
        assert_eq!(found, wanted, "\n--- {name}, now:\n{found}\n--- recorded:\n{wanted}");
    }
    let there = std::fs::read_dir(&folder).expect("the folder is there");
    let mut there: Vec<_> = there.map(|e| e.expect("it can be read").file_name()).collect();
    there.sort();
    assert_eq!(there, names, "a file for each sample");
}

/// Instructions that write memory.
fn stores(text: &str) -> Vec<&str> {
    let is_store = |line: &&str| {
        let Some((_, instruction)) = line.trim().split_once("  ") else { return false };
        let (mnemonic, operands) = instruction.split_once(' ').unwrap_or((instruction, ""));
        let reads = matches!(mnemonic, "cmp" | "test" | "bt") || mnemonic.contains("comis");
        !reads && (mnemonic == "push" || operands.split(',').next().is_some_and(|first| first.contains('[')))
    };
    text.lines().filter(is_store).collect()
}

#[test]
fn a_filter_stores_once_a_row() {
    let text = disassembly(&both());
    // Two codes: without NULLs and with them. Only the row loop jumps back.
    let codes: Vec<&str> = text.split("; ").skip(1).collect();
    assert_eq!(codes.len(), 2);
    for code in codes {
        assert_eq!(stores(code).len(), 1, "{code}");
    }
    // What is counted is there: arithmetic saves a value and its NULL, and writes a value and its NULL, for which it saves a register.
    let (_, arithmetic) = samples().swap_remove(1);
    let text = disassembly(&arithmetic);
    assert_eq!(stores(&text).len(), 2 * 5, "{text}");
}

#[test]
fn nothing_ran_and_there_is_nothing_to_read() {
    let unit = Jit::default().unit(both()).expect("it is sound").0;
    assert_eq!(unit.disassembly(), "");
    let interpreted = Jit::interpreter().unit(both()).expect("it is sound").0;
    let column = Column::new(Form::I32, bytemuck::cast_slice(&[1i32]), &[]).expect("aligned");
    assert!(interpreted.kept_in([column; 2], &[None], 0..0, &mut Vec::new()));
    assert_eq!(interpreted.disassembly(), "");
}
