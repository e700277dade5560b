//! PostgreSQL's own pgbench, and what it says of each client.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::figure::Clients;
use crate::peers::Endpoint;
use crate::stage::Failure;

/// How statements are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// As text.
    Simple,
    /// Prepared once by each client.
    Prepared,
}

impl Protocol {
    /// pgbench's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Simple => "simple",
            Protocol::Prepared => "prepared",
        }
    }
}

/// What clients do.
#[derive(Clone, Copy, Debug)]
pub enum Script {
    /// pgbench's TPC-B.
    TpcB,
    /// This text, in pgbench's language.
    Text(&'static str),
}

/// How long a run is.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// So many seconds.
    Seconds(u32),
    /// So many transactions of each client.
    Transactions(u32),
}

impl Length {
    /// Clients whom PostgreSQL lets in within a second, on a busy machine.
    const CONNECTIONS_PER_SECOND: usize = 64;

    /// pgbench counts connecting into the time it was given, though not into its rate: so many clients need so much more.
    fn beside_connecting(self, clients: usize) -> Length {
        match self {
            Length::Seconds(seconds) => Length::Seconds(seconds + (clients / Length::CONNECTIONS_PER_SECOND) as u32),
            Length::Transactions(count) => Length::Transactions(count),
        }
    }
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// What clients do.
    pub script: Script,
    /// How they say it.
    pub protocol: Protocol,
    /// How many there are.
    pub clients: usize,
    /// For how long.
    pub length: Length,
    /// pgbench's scale: a hundred thousand accounts each.
    pub scale: u32,
    /// The part of transactions that pgbench logs. To log all would take a noticeable part of a short one's time.
    pub logged: f64,
}

/// What a run showed.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Transactions per second of all clients.
    pub all: f64,
    /// Of the slowest, of all, of the fastest.
    pub clients: Clients,
}

/// The program.
pub struct PgBench {
    program: PathBuf,
}

impl PgBench {
    /// That beside PostgreSQL's server.
    ///
    /// # Errors
    /// When it is missing.
    pub fn find() -> Result<PgBench, String> {
        let program = crate::peers::pg_server::bin().join("pgbench");
        if program.exists() { Ok(PgBench { program }) } else { Err(format!("no {}", program.display())) }
    }

    fn command(&self, endpoint: &Endpoint) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-h").arg(&endpoint.directory).args(["-p", &endpoint.port.to_string(), "-U", endpoint.user]);
        command
    }

    /// Makes and fills its tables.
    ///
    /// # Errors
    /// What it says.
    pub fn initialize(&self, endpoint: &Endpoint, scale: u32) -> Result<(), Failure> {
        said(self.command(endpoint).args(["-i", "-q", "-s", &scale.to_string(), "postgres"])).map(drop)
    }

    /// Runs it; `dir` takes its script and log.
    ///
    /// # Errors
    /// What it says.
    pub fn run(&self, endpoint: &Endpoint, run: &Run, dir: &Path) -> Result<Rates, Failure> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(run.clients);
        let mut command = self.command(endpoint);
        command.args(["-n", "-c", &run.clients.to_string(), "-j", &threads.to_string(), "-s", &run.scale.to_string()]);
        command.args(["-M", run.protocol.name()]);
        match run.length.beside_connecting(run.clients) {
            Length::Seconds(seconds) => command.args(["-T", &seconds.to_string()]),
            Length::Transactions(count) => command.args(["-t", &count.to_string()]),
        };
        match run.script {
            Script::TpcB => command.args(["-b", "tpcb-like"]),
            Script::Text(text) => {
                let path = dir.join("script");
                std::fs::write(&path, text)?;
                command.arg("-f").arg(path)
            }
        };
        let logs = tempfile::tempdir_in(dir)?;
        command.arg("--log").arg(format!("--log-prefix={}", logs.path().join("log").display()));
        // pgbench takes no rate of 1.
        if run.logged < 1.0 {
            command.arg(format!("--sampling-rate={}", run.logged));
        }
        let text = said(command.arg("postgres"))?;
        let line =
            text.lines().find_map(|l| l.strip_prefix("tps = ")).ok_or("pgbench had no time for a transaction")?;
        let all: f64 = line.split(' ').next().unwrap_or_default().parse()?;
        let mut counts = vec![0; run.clients];
        for log in std::fs::read_dir(logs.path())? {
            count_transactions(&std::fs::read_to_string(log?.path())?, &mut counts);
        }
        let counted: u64 = counts.iter().sum();
        // The log tells shares; of what, the rate tells.
        let each = counts.iter().map(|&n| all * n as f64 / counted.max(1) as f64);
        Ok(Rates { all, clients: Clients::of(each) })
    }
}

/// Lines begin with the client's number and that of its transaction, so even a sampled log tells how far each client came.
fn count_transactions(log: &str, counts: &mut [u64]) {
    for line in log.lines() {
        let mut words = line.split(' ');
        let (Some(client), Some(number)) = (words.next(), words.next()) else { continue };
        let (Ok(client), Ok(number)) = (client.parse::<usize>(), number.parse::<u64>()) else { continue };
        if let Some(count) = counts.get_mut(client) {
            *count = number.max(*count);
        }
    }
}

fn said(command: &mut Command) -> Result<String, Failure> {
    let output = command.output()?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let first: Vec<&str> = text.lines().filter(|l| l.contains("error") || l.contains("ERROR")).take(2).collect();
        return Err(format!("pgbench failed: {}", first.join("; ")).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sampled_log_tells_how_far_clients_came() {
        let mut counts = [0; 3];
        count_transactions("0 7 412 0 1700000000 5\n2 3 400 0 1700000000 6\n0 9 380 0 1700000000 7\n", &mut counts);
        assert_eq!(counts, [9, 0, 3]);
    }
}
