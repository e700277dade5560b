//! Programs come and go, and the memory of the process stays what it was. Alone in its process, as it looks at all of it.
#![cfg(target_os = "linux")]

use jit::{BinaryOp, CopyAndPatch, Form, Jit, Memory, Output, Program, Right, Step};
use vector::{Data, Nulls, Vector};

/// Each another program.
fn program(k: u64) -> Program {
    let steps = vec![Step::Column(0), Step::Binary(BinaryOp::AddI64, Right::Constant(k))];
    Program { steps, columns: vec![Form::I64], ..Program::new(Output::Vector(Form::I64)) }
}

/// Bytes of memory that the process has.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// Makes, runs and drops programs, all different.
fn cycles(jit: &Jit, numbers: std::ops::Range<u64>) {
    let column = Vector { data: Data::I64(vec![1; 4]), nulls: Nulls::default() };
    for k in numbers {
        let unit = jit.unit(program(k)).unwrap().0;
        assert_eq!(unit.values(&[&column], &[], 4).unwrap().data, Data::I64(vec![1 + k as i64; 4]));
    }
}

#[test]
fn ten_thousand_programs_leave_nothing_behind() {
    let has_code = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
    // The emulator that runs this for aarch64 may not see what is written through another mapping, and takes memory itself for what it translates.
    let is_emulated = cfg!(target_arch = "aarch64");
    for memory in [Memory::TwoMappings, Memory::OneMapping] {
        if !has_code || (is_emulated && memory == Memory::TwoMappings) {
            continue;
        }
        let jit = Jit::new(CopyAndPatch::with_memory(memory));
        // The last few hundred are held for those who ask again.
        cycles(&jit, 0..10_000);
        let (before, resident) = (jit.counts(), resident_bytes());
        cycles(&jit, 10_000..20_000);
        let (after, grown) = (jit.counts(), resident_bytes().saturating_sub(resident));
        assert_eq!(after.compiled, before.compiled + 10_000);
        assert_eq!((after.bytes, after.refused), (before.bytes, 0), "{memory:?}");
        assert!(is_emulated || grown < 64 << 10, "{memory:?}: {grown} bytes more");
    }
}
