//! `Child`: this program once more, as a server of its own whose memory and threads can be told from ours.
//!
//! A child says "ready" when it is, and ends when its standard input does: so it never outlives us, however we end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::load::allow_many_files;
use crate::peers::{canned, hathi_process, sessions};
use crate::stage::Failure;

/// How long a child may take to close what it has open.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running child.
pub struct Child {
    process: std::process::Child,
    said: String,
}

impl Child {
    /// Starts one as `role` and waits until it is ready.
    ///
    /// # Errors
    /// When it ends before that.
    pub fn start(role: &str, arguments: &[&str]) -> Result<Child, Failure> {
        let process = Command::new(std::env::current_exe()?)
            .arg("--child")
            .arg(role)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut child = Child { process, said: String::new() };
        let output = child.process.stdout.take().ok_or("a child has no output")?;
        for line in BufReader::new(output).lines() {
            let line = line?;
            if line == "ready" {
                return Ok(child);
            }
            child.said.push_str(&line);
        }
        Err(format!("child process \"{role}\" ended before it was ready").into())
    }

    /// What it said before it was ready.
    pub fn said(&self) -> &str {
        &self.said
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Is the child that `arguments` say.
pub fn run(arguments: &[String]) -> ExitCode {
    allow_many_files();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["hathi", data, socket, mode, auth] => hathi_process::serve(data, socket, mode, auth),
        ["sessions", count] => sessions::hold(count),
        ["canned-threads", socket] => canned::by_threads(socket),
        ["canned-events", socket] => canned::by_events(socket),
        _ => Err("there is no such child".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("bench: {}: {e}", words.join(" "));
            ExitCode::FAILURE
        }
    }
}

/// Says that this child is ready, and waits until it shall end.
pub fn ready() -> Result<(), Failure> {
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
