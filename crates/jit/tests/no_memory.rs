//! What is done where the system gives no files in memory, and then no executable pages either. Alone in its process, which is never the same afterwards.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use jit::{Form, Jit, Output, Program, Step};
use vector::{Data, Nulls, Vector};

/// The bytes of the code for the first column, in a new runtime; none where there is no code.
fn bytes() -> Option<u64> {
    let (steps, columns) = (vec![Step::Column(0)], vec![Form::I64]);
    let program = Program { steps, columns, ..Program::new(Output::Vector(Form::I64)) };
    let jit = Jit::default();
    let unit = jit.unit(program).unwrap().0;
    let column = Vector { data: Data::I64(vec![5, 6]), nulls: Nulls::default() };
    let values = unit.values(&[&column], &[], 2);
    assert!(values.is_none_or(|v| v.data == column.data));
    let counts = jit.counts();
    assert_eq!(counts.compiled + counts.refused, 1);
    (counts.compiled == 1).then_some(counts.bytes)
}

#[test]
fn one_mapping_is_second_best_and_none_is_no_error() {
    let first = bytes().unwrap();
    assert!(first < 1024, "two mappings: as long as the code");
    // No more files can be opened.
    let limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: reads a structure that lives as long as the call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    if cfg!(target_arch = "aarch64") && bytes().is_some_and(|bytes| bytes < 1024) {
        println!("the emulator gives files all the same");
        return;
    }
    assert!(bytes().is_some_and(|bytes| bytes >= 4096 && bytes % 4096 == 0), "one mapping: whole pages");
    // Nothing that was not executable becomes so: Linux 6.3 has it.
    // SAFETY: takes numbers only.
    let is_denied = unsafe { libc::prctl(libc::PR_SET_MDWE, libc::PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) } == 0;
    if is_denied {
        assert_eq!(bytes(), None);
    } else {
        println!("this system does not refuse executable pages");
    }
}
