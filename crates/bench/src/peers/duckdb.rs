//! DuckDB, by its Python package: building its library takes longer than all of Hathi.

use std::path::Path;
use std::process::Command;

use crate::stage::Failure;

const SCRIPT: &str = include_str!("tpch_duckdb.py");

/// What DuckDB needs for each of TPC-H's queries: how many rows, and the milliseconds of each run.
pub type Timed = Vec<(usize, Vec<f64>)>;

/// The interpreter that has the package: that of `HATHI_PYTHON`, or `python3`.
///
/// # Errors
/// Which package is missing.
pub fn python() -> Result<String, String> {
    let python = std::env::var("HATHI_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python).args(["-c", "import duckdb"]).output();
    match found {
        Ok(found) if found.status.success() => Ok(python),
        _ => Err(format!("DuckDB is missing: {python} -m pip install duckdb")),
    }
}

/// Times the queries over what is in `dir`: see the script.
///
/// # Errors
/// What DuckDB says.
pub fn tpch(python: &str, dir: &Path, rounds: usize, threads: usize) -> Result<Timed, Failure> {
    let run =
        Command::new(python).arg("-c").arg(SCRIPT).arg(dir).args([rounds.to_string(), threads.to_string()]).output()?;
    if !run.status.success() {
        return Err(format!("DuckDB: {}", String::from_utf8_lossy(&run.stderr)).into());
    }
    let line = |line: &str| -> Result<(usize, Vec<f64>), Failure> {
        let mut words = line.split_whitespace();
        let rows = words.next().ok_or("DuckDB answered nothing")?.parse()?;
        Ok((rows, words.map(str::parse).collect::<Result<_, _>>()?))
    };
    String::from_utf8(run.stdout)?.lines().map(line).collect()
}
