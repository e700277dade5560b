//! Every figure can be measured: all of them run with tiny sizes.

use std::process::Command;

fn run(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bench")).args(arguments).output().expect("bench runs");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

#[test]
fn every_figure_can_be_measured() {
    let (listed, names) = run(&["--list"]);
    assert!(listed);
    assert!(names.lines().count() >= 13, "{names}");
    let (ok, text) = run(&["--smoke"]);
    assert!(ok, "{text}");
    for name in names.lines() {
        assert!(text.contains(&format!("\n{name}: ")), "{name} is not in the report:\n{text}");
    }
    assert!(!text.contains("could not be measured"), "{text}");
}

#[test]
fn an_unknown_figure_is_refused() {
    let (ok, text) = run(&["no-such-figure"]);
    assert!(!ok && text.contains("there is no figure \"no-such-figure\""), "{text}");
}
