//! `PerfMap`: names of code for `perf`, which reads them from `/tmp/perf-PID.map`: a line for each, its address and its bytes in hexadecimal, and its name. Source:
//! `tools/perf/Documentation/jit-interface.txt` of Linux.
//!
//! Nothing depends on it: where the file cannot be written, or has enough lines, code has no names and errors are ignored.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::program::Program;

/// Lines of one process at most.
const LINES_MAX: usize = 1 << 16;

/// Lines of this process, whichever arena its code is in.
static LINES: AtomicUsize = AtomicUsize::new(0);

/// Whether code is named.
pub struct PerfMap {
    is_on: AtomicBool,
}

impl Default for PerfMap {
    /// On if the environment asks for it: `HATHI_PERF_MAP=1`.
    fn default() -> PerfMap {
        let is_on = std::env::var_os("HATHI_PERF_MAP").is_some_and(|v| v == "1");
        PerfMap { is_on: AtomicBool::new(is_on) }
    }
}

impl PerfMap {
    /// Whether code is named from now on.
    pub fn set(&self, is_on: bool) {
        self.is_on.store(is_on, Ordering::Relaxed);
    }

    /// Names `code`, which lies where it runs, as that of `what`.
    pub fn add(&self, code: &[u8], program: &Program, what: &str) {
        if !self.is_on.load(Ordering::Relaxed) {
            return;
        }
        let line = LINES.fetch_add(1, Ordering::Relaxed);
        if line >= LINES_MAX {
            LINES.store(LINES_MAX, Ordering::Relaxed);
            return;
        }
        let name = format!("hathi {what} program {line}: {} steps, {:?}", program.steps.len(), program.output);
        let _ = append(&format!("{:x} {:x} {name}\n", code.as_ptr().addr(), code.len()));
    }
}

/// Appends a line to the map of this process, in one write.
#[cfg(target_os = "linux")]
fn append(line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    // Everybody may write to /tmp: what others have put there is not followed.
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    options.open(format!("/tmp/perf-{}.map", std::process::id()))?.write_all(line.as_bytes())
}

/// There is no `perf`.
#[cfg(not(target_os = "linux"))]
fn append(_: &str) -> std::io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::tests::plus_one;

    #[test]
    fn there_are_so_many_lines_and_no_more() {
        let path = format!("/tmp/perf-{}.map", std::process::id());
        let map = PerfMap::default();
        map.set(true);
        LINES.store(LINES_MAX - 1, Ordering::Relaxed);
        (0..3).for_each(|_| map.add(&[0xC3], &plus_one(1), "row"));
        let written = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(written.lines().count(), 1, "{written}");
    }
}
