//! What PostgreSQL's own parser says to the lines of testdata/*.sql, as `record.py` recorded it, is what ours says.

use std::fs;
use std::path::Path;

/// Cases in which we knowingly differ: file, then the case's text. Each says why.
const DIFFERENCES: &[(&str, &str)] = &[];

fn said(sql: &str) -> String {
    match syntax::parse(sql) {
        Ok(_) => "ok".to_owned(),
        Err(e) => {
            let f = e.fields();
            let position = f.position.map_or("-".to_owned(), |p| p.to_string());
            let mut text = format!("{} {position} {}", e.state(), f.message);
            for (name, value) in [("detail", &f.detail), ("hint", &f.hint)] {
                if let Some(value) = value {
                    text += &format!(" | {name}: {value}");
                }
            }
            text.replace('\n', "\u{23ce}")
        }
    }
}

#[test]
fn as_recorded() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut wrong = String::new();
    let mut count = 0;
    let mut files: Vec<_> = fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    for path in files.iter().filter(|p| p.extension().is_some_and(|e| e == "sql")) {
        let file = path.file_name().unwrap().to_str().unwrap();
        let sql = fs::read_to_string(path).unwrap();
        let out = fs::read_to_string(path.with_extension("out")).unwrap();
        let cases: Vec<&str> = sql.split('\n').filter(|l| !l.is_empty() && !l.starts_with("#!")).collect();
        let expected: Vec<&str> = out.lines().collect();
        assert_eq!(cases.len(), expected.len(), "{file}: record again");
        for (case, expected) in cases.iter().zip(expected) {
            count += 1;
            let got = said(&case.replace('\u{23ce}', "\n"));
            let known = DIFFERENCES.contains(&(file, case));
            if (got != *expected) != known {
                wrong += &format!("{file}: {case}\n    postgres: {expected}\n    we:       {got}\n");
            }
        }
    }
    assert!(count > 500);
    assert!(wrong.is_empty(), "{} of {count} cases:\n{wrong}", wrong.lines().count() / 3);
}
