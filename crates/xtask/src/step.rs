//! `Step`: one command of a chore, announced, timed, and named when it fails.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// A command to run in the workspace's folder.
pub struct Step {
    name: &'static str,
    command: Command,
}

/// Why a chore stopped, and at which step.
#[derive(Debug)]
pub struct Failure {
    step: &'static str,
    reason: String,
}

impl Step {
    /// A call of the cargo that runs us, with `arguments` separated by spaces.
    pub fn cargo(name: &'static str, arguments: &str) -> Step {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        command.args(arguments.split_whitespace());
        Step { name, command }
    }

    /// The step with one more argument.
    pub fn with(mut self, argument: &str) -> Step {
        self.command.arg(argument);
        self
    }

    /// The step with an environment variable set.
    pub fn environment(mut self, variable: &str, value: &str) -> Step {
        self.command.env(variable, value);
        self
    }

    /// Runs it in `root` and says how long it took.
    ///
    /// # Errors
    /// When it cannot be started or does not end well.
    pub fn run(mut self, root: &Path) -> Result<(), Failure> {
        eprintln!("==> {}", self.name);
        let start = Instant::now();
        let status = self.command.current_dir(root).status();
        let seconds = start.elapsed().as_secs_f64();
        match status {
            Ok(status) if status.success() => {
                eprintln!("==> {}: ok, {seconds:.1} s", self.name);
                Ok(())
            }
            Ok(status) => Err(Failure { step: self.name, reason: format!("{status} after {seconds:.1} s") }),
            Err(error) => Err(Failure { step: self.name, reason: format!("cannot be started: {error}") }),
        }
    }

    /// Whether it runs and ends well, shown to nobody.
    pub fn succeeds(mut self) -> bool {
        self.command.output().is_ok_and(|output| output.status.success())
    }
}

impl Failure {
    /// A step that cannot be taken, because something is not there.
    pub fn missing(step: &'static str, what: &str) -> Failure {
        Failure { step, reason: what.to_owned() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step \"{}\" failed: {}", self.step, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_is_named() {
        let failure = Step::cargo("nonsense", "no-such-subcommand").run(Path::new(".")).unwrap_err();
        assert!(failure.to_string().starts_with("step \"nonsense\" failed: "), "{failure}");
    }

    #[test]
    fn a_step_that_ends_well_is_ok() {
        assert!(Step::cargo("version", "--version").run(Path::new(".")).is_ok());
        assert!(Step::cargo("version", "--version").succeeds());
        assert!(!Step::cargo("nonsense", "no-such-subcommand").succeeds());
    }
}
