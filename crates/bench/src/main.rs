#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod doors;
mod figure;
mod figures;
mod load;
mod peers;
mod report;
mod scale;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use scale::Scale;
use stage::Stage;

/// Measures Hathi and its peers in one run.
#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    /// The figures to measure; all when none is named.
    names: Vec<String>,
    /// Small sizes: all in less than a minute.
    #[arg(long, conflicts_with = "smoke")]
    quick: bool,
    /// Tiny sizes: shows that each figure can be measured, nothing more.
    #[arg(long)]
    smoke: bool,
    /// Rounds per figure.
    #[arg(long)]
    rounds: Option<usize>,
    /// Where databases are put; the system's temporary directory otherwise.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Put the table into docs/benchmarks.md.
    #[arg(long)]
    write: bool,
    /// List the figures' names.
    #[arg(long)]
    list: bool,
    /// Fill this directory with log and die: the child process of figure `recovery`.
    #[arg(long, hide = true, num_args = 2, value_names = ["DIR", "BYTES"])]
    log_writer: Option<Vec<String>>,
    /// Be a server, or whatever else needs a process of its own.
    #[arg(long, hide = true, num_args = 1.., value_names = ["ROLE"])]
    child: Option<Vec<String>>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some([dir, bytes]) = arguments.log_writer.as_deref() {
        return figures::recovery::write_log_and_die(dir, bytes.parse().unwrap_or(0));
    }
    if let Some(role) = arguments.child.as_deref() {
        return peers::child::run(role);
    }
    if arguments.list {
        figures::ALL.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let unknown = arguments.names.iter().find(|n| !figures::ALL.iter().any(|f| f.0 == **n));
    if let Some(name) = unknown {
        eprintln!("bench: there is no figure \"{name}\"; `--list` names them");
        return ExitCode::FAILURE;
    }
    let mut scale = match (arguments.quick, arguments.smoke) {
        (true, _) => Scale::quick(),
        (_, true) => Scale::smoke(),
        _ => Scale::full(),
    };
    scale.rounds = arguments.rounds.unwrap_or(scale.rounds).max(1);
    scale.long_rounds = arguments.rounds.unwrap_or(scale.long_rounds).max(1);
    load::allow_many_files();
    let stage = match Stage::new(scale, arguments.dir) {
        Ok(stage) => stage,
        Err(e) => {
            eprintln!("bench: {e}");
            return ExitCode::FAILURE;
        }
    };
    let mut measured = Vec::new();
    let mut failed = false;
    for (name, measure) in figures::ALL {
        if !arguments.names.is_empty() && !arguments.names.iter().any(|n| n == name) {
            continue;
        }
        eprintln!("bench: {name} ...");
        let start = std::time::Instant::now();
        match measure(&stage) {
            Ok(figures) => {
                eprintln!("bench: {name}: {:.1} s", start.elapsed().as_secs_f64());
                figures.iter().for_each(|f| print!("{}", report::terminal(f)));
                measured.extend(figures);
            }
            Err(e) => {
                let causes = std::iter::successors(e.source(), |e| e.source()).map(|e| format!(": {e}"));
                eprintln!("bench: {name} could not be measured: {e}{}", causes.collect::<String>());
                failed = true;
            }
        }
    }
    println!("{}", report::summary(&measured));
    if arguments.write
        && let Err(e) = report::write(&measured, &stage)
    {
        eprintln!("bench: docs/benchmarks.md could not be written: {e}");
        failed = true;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
