//! What a server and the processes it has started use, by /proc.

use std::path::Path;

use crate::stage::Failure;

/// Memory and threads of some processes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Memory; what several processes share counts once (PSS).
    pub bytes: u64,
    /// Threads of all of them.
    pub threads: usize,
    /// How many processes.
    pub processes: usize,
}

impl Usage {
    /// That of `process` and all it has started, as of now.
    ///
    /// # Errors
    /// When the process is gone, or may not be looked at.
    pub fn of(process: u32) -> Result<Usage, Failure> {
        let mut usage = Usage::of_one(process)?;
        for child in children(process)? {
            // One that has just ended uses nothing.
            let Ok(more) = Usage::of(child) else { continue };
            usage.bytes += more.bytes;
            usage.threads += more.threads;
            usage.processes += more.processes;
        }
        Ok(usage)
    }

    fn of_one(process: u32) -> Result<Usage, Failure> {
        let folder = format!("/proc/{process}");
        let folder = Path::new(&folder);
        let status = std::fs::read_to_string(folder.join("status"))?;
        let threads = number(&status, "Threads:").ok_or("no number of threads in /proc")? as usize;
        let memory = std::fs::read_to_string(folder.join("smaps_rollup"))?;
        let kib = number(&memory, "Pss:").ok_or("no memory in /proc")?;
        Ok(Usage { bytes: kib << 10, threads, processes: 1 })
    }
}

/// The first number behind `label` at the start of a line.
fn number(text: &str, label: &str) -> Option<u64> {
    text.lines().find_map(|l| l.strip_prefix(label))?.split_whitespace().next()?.parse().ok()
}

fn children(process: u32) -> Result<Vec<u32>, Failure> {
    let mut found = Vec::new();
    for thread in std::fs::read_dir(format!("/proc/{process}/task"))?.flatten() {
        let text = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        found.extend(text.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_uses_something() {
        let usage = Usage::of(std::process::id()).expect("/proc tells");
        assert!(usage.bytes > 1 << 16 && usage.threads >= 1 && usage.processes >= 1, "{usage:?}");
    }
}
