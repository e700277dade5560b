//! This test program itself, run again: for tests that kill a process.

use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Runs the ignored test `name` of this program in a process of its own, with `HATHI_TEST_DIR` set to `dir`.
pub fn run(name: &str, dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--ignored", "--nocapture", "--test-threads", "1"])
        .env("HATHI_TEST_DIR", dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}
