//! What `perf` is told of code. Alone in its process, as the map is the process's.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::fs;

use jit::{BinaryOp, CopyAndPatch, Form, Jit, Output, Program, Right, Step, Tier};
use vector::{Data, Nulls, Vector};

/// Makes code of a program; answers how many bytes it is.
fn made(jit: &Jit, k: u64) -> usize {
    let steps = vec![Step::Column(0), Step::Binary(BinaryOp::AddI64, Right::Constant(k))];
    let program = Program { steps, columns: vec![Form::I64], ..Program::new(Output::Vector(Form::I64)) };
    let unit = jit.unit(program).unwrap().0;
    unit.values(&[&Vector { data: Data::I64(vec![1]), nulls: Nulls::default() }], &[], 1).unwrap();
    unit.made().bytes
}

#[test]
fn perf_knows_code_by_its_address() {
    let path = format!("/tmp/perf-{}.map", std::process::id());
    let _ = fs::remove_file(&path);
    let jit = Jit::default();
    made(&jit, 1);
    assert!(!fs::exists(&path).unwrap(), "nobody asked");
    jit.perf_map(true);
    let sizes = [made(&jit, 2), made(&jit, 3)];
    jit.perf_map(false);
    made(&jit, 4);
    let map = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let lines: Vec<&str> = map.lines().collect();
    assert_eq!(lines.len(), 2, "{map}");
    let memory = fs::read_to_string("/proc/self/maps").unwrap();
    let hex = |digits: &str| usize::from_str_radix(digits, 16).unwrap();
    for (i, (line, have)) in lines.iter().zip(sizes).enumerate() {
        let [address, size, name] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (address, size) = (hex(address), hex(size));
        assert!(size <= have && have < size + 16, "{line}: {have} bytes");
        assert_eq!(name, format!("hathi row program {i}: 2 steps, Vector(I64)"));
        let is_there = memory.lines().any(|mapping| {
            let (range, rest) = mapping.split_once(' ').unwrap();
            let (from, to) = range.split_once('-').unwrap();
            rest.starts_with("r-x") && (hex(from)..hex(to)).contains(&address) && mapping.contains("hathi-jit")
        });
        assert!(is_there, "{line}\n{memory}");
    }
    // What somebody else has put there is left alone.
    let other = std::env::temp_dir().join(format!("hathi-perf-{}", std::process::id()));
    fs::write(&other, "theirs").unwrap();
    std::os::unix::fs::symlink(&other, &path).unwrap();
    jit.perf_map(true);
    made(&jit, 5);
    fs::remove_file(&path).unwrap();
    assert_eq!(fs::read_to_string(&other).unwrap(), "theirs");
    fs::remove_file(&other).unwrap();
    // Tiles have a line of their own.
    let jit = Jit::new(CopyAndPatch::new().tiles_after(0));
    jit.perf_map(true);
    let (steps, columns) = (vec![Step::Column(0)], vec![Form::I64]);
    let unit = jit.unit(Program { steps, columns, ..Program::new(Output::Vector(Form::I64)) }).unwrap().0;
    unit.values(&[&Vector { data: Data::I64(vec![1; 64]), nulls: Nulls::default() }], &[], 64).unwrap();
    let map = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let lines = if unit.made().tier == Tier::Tile { 2 } else { 1 };
    assert_eq!(map.lines().count(), lines, "{map}");
    assert!(map.contains("hathi row program") && map.contains("hathi tiles of program") == (lines == 2), "{map}");
}
