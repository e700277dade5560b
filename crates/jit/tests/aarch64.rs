//! The crate's tests for aarch64, run by an emulator: `HATHI_AARCH64` names it (`qemu-aarch64-static`), and says so that there are a linker
//! (`aarch64-linux-gnu-gcc`) and the standard library for that processor. `.ci/run` sees to all three.
#![cfg(not(target_arch = "aarch64"))]

use std::path::Path;
use std::process::Command;

const TARGET: &str = "aarch64-unknown-linux-gnu";
/// Where Debian's packages for cross compilation put the C library.
const ROOT: &str = "/usr/aarch64-linux-gnu";

#[test]
fn all_tests_pass_on_aarch64() {
    let Some(emulator) = std::env::var("HATHI_AARCH64").ok().filter(|name| !name.is_empty()) else {
        println!("HATHI_AARCH64 is not set: nothing is run for {TARGET}");
        return;
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aarch64");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--package", "jit", "--all-targets", "--target", TARGET, "--target-dir"]).arg(folder);
    cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", format!("{emulator} -L {ROOT}"));
    cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "aarch64-linux-gnu-gcc");
    cargo.env("CARGO_PROFILE_TEST_DEBUG", "0").env("CARGO_PROFILE_DEV_DEBUG", "0");
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.output().expect("cargo runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    for compared in ["code_and_interpreter_give_the_same_bytes", "where_code_lies_does_not_matter"] {
        assert!(out.contains(&format!("{compared} ... ok")), "{compared} did not run\n{out}");
    }
}
