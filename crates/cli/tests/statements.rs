//! Scripts of `testdata/statements` print what psql printed of PostgreSQL 18.6, states, details and hints included (`record.sh` there).

use std::path::{Path, PathBuf};
use std::process::Command;

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/statements")
}

#[track_caller]
fn same(name: &str, theirs: &str, ours: &str) {
    for (number, (a, b)) in theirs.lines().zip(ours.lines()).enumerate() {
        assert_eq!(a, b, "{name}, line {}", number + 1);
    }
    assert_eq!(theirs.lines().count(), ours.lines().count(), "{name}");
}

#[test]
fn scripts_print_what_postgresql_does() {
    let mut names: Vec<String> = std::fs::read_dir(scripts())
        .unwrap()
        .filter_map(|f| f.unwrap().file_name().to_str().and_then(|n| n.strip_suffix(".sql")).map(str::to_owned))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    for name in names {
        let dir = tempfile::tempdir().unwrap();
        let script = format!("{name}.sql");
        std::fs::copy(scripts().join(&script), dir.path().join(&script)).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_hathi"))
            .args(["sql", "db", "-v", "VERBOSITY=verbose", "-f", &script])
            .current_dir(dir.path())
            .output()
            .expect("hathi runs");
        let read = |extension: &str| std::fs::read_to_string(scripts().join(format!("{name}.{extension}"))).unwrap();
        let err = String::from_utf8_lossy(&output.stderr).replace("hathi:", "psql:");
        same(&name, &read("err"), &err);
        same(&name, &read("out"), &String::from_utf8_lossy(&output.stdout));
    }
}
