//! The steps of `cargo xtask ci`, in the order of what fails soonest.

use std::path::Path;

use crate::step::{Failure, Step};

/// Runs all steps; the first that fails ends it.
pub fn run(root: &Path) -> Result<(), Failure> {
    Step::cargo("format", "fmt --all --check").run(root)?;
    Step::cargo("lints", "clippy --workspace --all-targets -- -D warnings").run(root)?;
    tests(root).run(root)?;
    // What it needs is fetched from Debian, so it is asked for (`.ci/run` does).
    if std::env::var_os("HATHI_REGRESS").is_some() {
        crate::regress::run_fast(root)?;
    }
    Step::cargo("documentation tests", "test --doc --workspace").run(root)?;
    Step::cargo("documentation", "doc --workspace --no-deps").environment("RUSTDOCFLAGS", "-D warnings").run(root)?;
    eprintln!("==> ci: all steps passed");
    Ok(())
}

/// The step that runs all tests: by nextest, which is installed when missing, or else by cargo itself.
pub fn tests(root: &Path) -> Step {
    let present = || Step::cargo("", "nextest --version").succeeds();
    if !present() {
        let installed = Step::cargo("install cargo-nextest", "install cargo-nextest --locked").run(root);
        if let Err(failure) = installed {
            eprintln!("xtask: {failure}; tests run by `cargo test` instead");
        }
    }
    if present() {
        return Step::cargo("tests", "nextest run --workspace");
    }
    // Documentation tests are a step of their own.
    Step::cargo("tests (cargo test)", "test --workspace --all-targets")
}
