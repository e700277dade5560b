//! `hathi sql` against what psql 18.6 printed for the same script (`testdata/record_shell.sh`).

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn shell(arguments: &[&str], input: &str, dir: &Path) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hathi"))
        .arg("sql")
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("hathi runs");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs a script of `testdata` and compares what it prints with the recording, lines changed by `known` on both sides.
fn compare(script: &str, known: impl Fn(&str) -> String) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let dir = tempfile::tempdir().unwrap();
    let file = format!("{script}.sql");
    std::fs::copy(data.join(&file), dir.path().join(&file)).unwrap();
    let ours = shell(&["-f", &file], "", dir.path());
    let read = |name: &str| std::fs::read_to_string(data.join(name)).unwrap();
    let same = |theirs: &str, ours: &str| {
        for (number, (a, b)) in theirs.lines().zip(ours.lines()).enumerate() {
            assert_eq!(known(a), known(b), "line {}", number + 1);
        }
        assert_eq!(theirs.lines().count(), ours.lines().count());
    };
    same(&read(&format!("{script}.out")), &text(&ours.stdout));
    // Places in PostgreSQL's source are the one thing we do not have.
    let theirs = read(&format!("{script}.err"));
    let theirs: Vec<String> =
        theirs.lines().filter(|l| !l.starts_with("LOCATION:")).map(|l| l.replacen("psql:", "hathi:", 1)).collect();
    same(&theirs.join("\n"), &text(&ours.stderr));
    assert_eq!(ours.status.code(), Some(0));
}

#[test]
fn a_script_prints_what_psql_prints() {
    compare("shell", str::to_owned);
}

#[test]
fn tables_are_described_as_psql_does() {
    // Known: pg_get_constraintdef does not leave out parentheses when asked to be pretty.
    compare("describe", |line| if line.contains(" CHECK (") { line.replace(['(', ')'], "") } else { line.to_owned() });
}

#[test]
fn exit_codes_are_psqls() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("bad.sql"), "SELECT 1/0;\nSELECT 'after';\n").unwrap();
    let code = |arguments: &[&str], input: &str| {
        let run = shell(arguments, input, dir.path());
        (run.status.code().unwrap(), text(&run.stdout), text(&run.stderr))
    };
    let (zero, one) = ("ERROR:  division by zero\n".to_owned(), " x \n---\n 1\n(1 row)\n\n".to_owned());
    assert_eq!(code(&["-c", "SELECT 1/0"], ""), (1, String::new(), zero.clone()));
    assert_eq!(code(&["-c", "SELECT 1/0", "-c", "SELECT 1 AS x"], ""), (0, one.clone(), zero.clone()));
    assert_eq!(
        code(&["-v", "ON_ERROR_STOP=1", "-c", "SELECT 1/0", "-c", "SELECT 1 AS x"], ""),
        (1, String::new(), zero.clone())
    );
    assert_eq!(code(&["-f", "bad.sql"], "").0, 0);
    let stopped = code(&["-v", "ON_ERROR_STOP=1", "-f", "bad.sql"], "");
    assert_eq!(stopped, (3, String::new(), format!("hathi:bad.sql:1: {zero}")));
    assert_eq!(code(&["-f", "nosuch.sql"], "").0, 1);
    assert_eq!(code(&["-v", "ON_ERROR_STOP=1"], "\\i bad.sql\nSELECT 1;").0, 3);
    assert_eq!(
        code(&[], "SELECT 1 AS x;\nSELECT 1/0;\n\\nosuch\n\\q\nSELECT 2;"),
        (0, one, zero + "invalid command \\nosuch\n")
    );
    assert_eq!(code(&["-d", "nosuch"], "").0, 2);
    assert_eq!(code(&["-c", "\\nosuch"], "").0, 1);
    assert_eq!(code(&["-A", "-t", "-c", "SELECT 1, 'x'"], "").1, "1|x\n");
    // Data of -c COPY come from standard input.
    let copied = code(&["-c", "CREATE TABLE t (a int); COPY t FROM STDIN; SELECT a FROM t", "-A", "-t"], "1\n2\n");
    assert_eq!(copied.1, "CREATE TABLE\nCOPY 2\n1\n2\n");
}

#[test]
fn timing_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let run = shell(&[], "\\timing\nSELECT 1 AS x;\n", dir.path());
    let out = text(&run.stdout);
    assert!(out.starts_with("Timing is on.\n"), "{out}");
    assert!(out.lines().last().unwrap().starts_with("Time: ") && out.ends_with(" ms\n"), "{out}");
}

#[test]
fn windows_and_grouping_sets_answer_as_postgresql() {
    compare("window", str::to_owned);
}

#[test]
fn warnings_come_as_from_postgresql() {
    compare("warnings", str::to_owned);
}
