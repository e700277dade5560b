//! Real databases: dumps that pg_dump made load unchanged, and queries over them answer as PostgreSQL 18.6 did (`testdata/record_chinook.sh`).

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn shell(arguments: &[&str], dir: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hathi"));
    command.arg("sql").args(arguments).current_dir(dir).output().expect("hathi runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Where the databases are; a plain clone has none.
fn shared() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").canonicalize().ok()?;
    dir.join("chinook.sql").exists().then_some(dir)
}

#[test]
fn dumps_load_and_queries_answer_as_postgresql() {
    let Some(data) = shared() else { return };
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let dir = tempfile::tempdir().unwrap();
    for file in ["chinook.sql", "periodic_table.sql"] {
        let loaded = shell(&["db", "-f", data.join(file).to_str().unwrap()], dir.path());
        assert_eq!(text(&loaded.stderr), "", "{file}");
        assert_eq!(loaded.status.code(), Some(0), "{file}");
    }
    std::fs::copy(recorded.join("chinook.sql"), dir.path().join("chinook.sql")).unwrap();
    let ours = shell(&["db", "-f", "chinook.sql"], dir.path());
    let read = |name: &str| std::fs::read_to_string(recorded.join(name)).unwrap();
    let same = |theirs: &str, ours: &str| {
        for (number, (a, b)) in theirs.lines().zip(ours.lines()).enumerate() {
            assert_eq!(a, b, "line {}", number + 1);
        }
        assert_eq!(theirs.lines().count(), ours.lines().count());
    };
    same(&read("chinook.out"), &text(&ours.stdout));
    same(&read("chinook.err").replace("psql:", "hathi:"), &text(&ours.stderr));
    // What was loaded is sound on disk.
    let checked = Command::new(env!("CARGO_BIN_EXE_hathi")).args(["check", "db"]).current_dir(dir.path()).output();
    assert_eq!(checked.expect("hathi runs").status.code(), Some(0));
}
