#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod ci;
mod regress;
mod step;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use step::{Failure, Step};

/// Every chore of this workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

/// What can be asked for.
#[derive(Subcommand)]
enum Chore {
    /// Check everything that continuous integration checks: form, lints, tests, documentation.
    Ci,
    /// Run the tests so that they record expected results anew instead of comparing them (HATHI_BLESS=1).
    Bless,
    /// Run the benchmarks; what follows is handed to them.
    Bench {
        /// The benchmarks' own arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run PostgreSQL 15's regression suite against our server and score it statement by statement.
    Regress(regress::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::Ci => ci::run(&workspace()),
        Chore::Bless => bless(&workspace()),
        Chore::Bench { arguments } => bench(&workspace(), &arguments),
        Chore::Regress(options) => regress::run(&workspace(), &options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace's manifest.
fn workspace() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).expect("xtask lies in crates/xtask").to_owned()
}

/// Runs all tests with `HATHI_BLESS=1`; a test that fails does not keep the others from recording.
fn bless(root: &Path) -> Result<(), Failure> {
    ci::tests(root).with("--no-fail-fast").environment("HATHI_BLESS", "1").run(root)?;
    eprintln!("xtask: recorded; read `git diff` before committing");
    Ok(())
}

/// Runs crate `bench` in release mode.
fn bench(root: &Path, arguments: &[String]) -> Result<(), Failure> {
    if !root.join("crates/bench/Cargo.toml").exists() {
        return Err(Failure::missing("bench", "there is no crate `bench` in this workspace yet"));
    }
    let mut step = Step::cargo("bench", "run --release --package bench --");
    for argument in arguments {
        step = step.with(argument);
    }
    step.run(root)
}
