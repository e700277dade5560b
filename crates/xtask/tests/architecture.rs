//! `ARCHITECTURE.md` tells the truth: its code map lists the crates there are, and dependencies follow its order. And no test is forgotten
//! by the program that joins those of a crate.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Crates of the code map: the first backquoted word in the second cell of each row of the first table under "Code map".
fn code_map(text: &str) -> Vec<String> {
    let section = text.lines().skip_while(|line| line.trim() != "## Code map");
    let table = section.skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    table.filter_map(|row| row.split('|').nth(2)?.split('`').nth(1).map(str::to_owned)).collect()
}

/// What differs between the map and the crates there are, in words.
fn differences(map: &[String], present: &BTreeSet<String>) -> Vec<String> {
    let listed: BTreeSet<String> = map.iter().cloned().collect();
    let mut found: Vec<String> = present.difference(&listed).map(|name| format!("`{name}` has no row")).collect();
    found.extend(listed.difference(present).map(|name| format!("`{name}` has a row, but no folder")));
    if listed.len() != map.len() {
        found.push("a crate has two rows".to_owned());
    }
    found
}

/// Edges (from, to) whose target does not stand before their source in the map.
fn upward<'e>(map: &[String], edges: &'e [(String, String)]) -> Vec<&'e (String, String)> {
    let row = |name: &str| map.iter().position(|listed| listed == name);
    edges.iter().filter(|(from, to)| row(to) >= row(from)).collect()
}

/// Edges between members of the workspace, of every kind (normal, build, test).
fn workspace_edges(metadata: &Value) -> Vec<(String, String)> {
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    let name = |of: &Value| of["name"].as_str().expect("everything in cargo metadata has a name").to_owned();
    let members: BTreeSet<String> = packages.iter().map(name).collect();
    let mut edges = Vec::new();
    for package in packages {
        let dependencies = package["dependencies"].as_array().expect("a package lists dependencies");
        let ours = dependencies.iter().filter(|d| d["path"].is_string()).map(name).filter(|d| members.contains(d));
        edges.extend(ours.map(|to| (name(package), to)));
    }
    edges
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("xtask lies in crates/xtask").to_owned()
}

fn map_of_this_workspace() -> Vec<String> {
    let map = code_map(&std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there"));
    assert!(!map.is_empty(), "ARCHITECTURE.md has no code map");
    map
}

#[test]
fn code_map_lists_the_crates_there_are() {
    let folders = std::fs::read_dir(root().join("crates")).expect("crates/ is there");
    let present = folders
        .map(|entry| entry.expect("crates/ can be read").path())
        .filter(|path| path.join("Cargo.toml").exists())
        .map(|path| path.file_name().expect("an entry has a name").to_string_lossy().into_owned())
        .collect();
    let found = differences(&map_of_this_workspace(), &present);
    assert!(found.is_empty(), "the code map of ARCHITECTURE.md differs from crates/: {}", found.join("; "));
}

#[test]
fn dependencies_follow_the_code_map() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let edges = workspace_edges(&metadata);
    assert!(edges.contains(&("storage".to_owned(), "env".to_owned())), "edges are not found at all");
    let map = map_of_this_workspace();
    let wrong = upward(&map, &edges);
    assert!(wrong.is_empty(), "depend on a crate that the code map does not list before them: {wrong:?}");
}

/// Files among `names` that `program`, which joins them, does not have as modules, and that `manifest` does not name as programs of their own.
fn left_out(program: &str, manifest: &str, names: &[String]) -> Vec<String> {
    let stems = names.iter().filter_map(|name| name.strip_suffix(".rs")).filter(|stem| *stem != "all");
    let is_module = |stem: &&str| program.lines().any(|line| line == format!("mod {stem};"));
    let is_program = |stem: &&str| manifest.contains(&format!("[[test]]\nname = \"{stem}\"\n"));
    stems.filter(|stem| !is_module(stem) && !is_program(stem)).map(str::to_owned).collect()
}

#[test]
fn every_file_of_tests_is_run() {
    let mut joined = 0;
    for entry in std::fs::read_dir(root().join("crates")).expect("crates/ is there") {
        let folder = entry.expect("crates/ can be read").path().join("tests");
        let Ok(program) = std::fs::read_to_string(folder.join("all.rs")) else { continue };
        joined += 1;
        let files = std::fs::read_dir(&folder).expect("it is there").map(|file| file.expect("it can be read"));
        let names: Vec<String> = files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
        let manifest = std::fs::read_to_string(folder.join("../Cargo.toml")).expect("a crate has one");
        let found = left_out(&program, &manifest, &names);
        assert!(found.is_empty(), "{} does not have as modules: {found:?}", folder.join("all.rs").display());
    }
    assert!(joined > 3, "{joined} crates have tests/all.rs");
}

#[test]
fn the_checks_can_fail() {
    let files = ["all.rs", "kill.rs", "kill", "more.rs"].map(str::to_owned);
    assert_eq!(left_out("mod draw;\nmod kill;\n", "", &files), ["more"]);
    assert!(left_out("mod draw;\nmod kill;\n", "[[test]]\nname = \"more\"\n", &files).is_empty());
    let text = "## Code map\n\n| layer | crate | does |\n|---|---|---|\n| base | `env` | a |\n| | `types` | uses `env` |\n\n| | `no` |";
    let map = code_map(text);
    assert_eq!(map, ["env", "types"]);
    let present = BTreeSet::from(["types".to_owned(), "wire".to_owned()]);
    assert_eq!(differences(&map, &present), ["`wire` has no row", "`env` has a row, but no folder"]);
    let edge = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let edges = [edge("types", "env"), edge("env", "types"), edge("env", "env")];
    assert_eq!(upward(&map, &edges), [&edges[1], &edges[2]]);
}
