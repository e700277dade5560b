//! `cargo xtask regress`: PostgreSQL 15's regression suite, run by psql against our server and scored statement by statement.
//!
//! The suite is fetched when it is run (`source`) and never committed. Each file is split into the pieces whose results psql prints
//! (`script`); a piece agrees when what psql printed for it is what the suite expects, white space aside, as `pg_regress` compares.
//! With `--all-modes` the files are run in every way of running sessions, and print the same in all of them (`modes`).
//! Scores are kept between the marks in `docs/COMPAT.md` (`scores`).

mod modes;
mod report;
mod scores;
mod script;
mod server;
mod source;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::step::{Failure, Step};
use report::{Outcome, Report};
use server::{End, Server};

/// The files of the fast run: they need only `test_setup`, and take a few seconds together.
const FAST: [&str; 10] =
    ["boolean", "name", "int4", "int8", "oid", "strings", "time", "interval", "select_having", "roleattributes"];

/// What a run was asked for.
#[derive(clap::Args)]
pub struct Options {
    /// Files of the schedule, without ending; all when none is named.
    files: Vec<String>,
    /// The ten quick files that continuous integration runs.
    #[arg(long, conflicts_with = "files")]
    fast: bool,
    /// Write the scores into docs/COMPAT.md.
    #[arg(long)]
    bless: bool,
    /// Fail when a score is lower than the one in docs/COMPAT.md.
    #[arg(long, conflicts_with = "bless")]
    check: bool,
    /// Run the files in every mode of sessions, too, and fail when one prints what another does not.
    #[arg(long)]
    all_modes: bool,
    /// A server compiled in release mode, rather than one with its assertions.
    #[arg(long)]
    release: bool,
    /// Seconds a file may take.
    #[arg(long, default_value_t = 20)]
    limit_s: u64,
    /// Print this many of the messages that most disagreeing statements got.
    #[arg(long, default_value_t = 0)]
    errors: usize,
}

/// Runs the suite, or the named files of it.
///
/// # Errors
/// When the suite cannot be had or run, and when a score falls that was asked to be checked.
pub fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    let suite = source::fetch(root)?;
    let hathi = build(root, options.release)?;
    let place = root.join("target/regress");
    let schedule = source::schedule(&suite)?;
    let wanted: Vec<&str> =
        if options.fast { FAST.to_vec() } else { options.files.iter().map(String::as_str).collect() };
    if let Some(stranger) = wanted.iter().find(|name| !schedule.iter().any(|file| file == **name)) {
        return Err(failed(format!("the suite has no file \"{stranger}\"")));
    }
    let chosen =
        schedule.iter().filter(|file| wanted.is_empty() || *file == "test_setup" || wanted.contains(&file.as_str()));

    let chosen: Vec<&str> = chosen.map(String::as_str).collect();
    let mut run =
        Run { suite: suite.clone(), place, server: Server::start(&hathi, &root.join("target/regress"), &[])?, options };
    run.prepare()?;
    let mut reports = Vec::new();
    for file in &chosen {
        let report = run.file(file)?;
        println!("{report}");
        reports.push(report);
    }
    run.server.stop();
    println!("{}", report::total(&reports));
    report::print_errors(&reports, options.errors);
    let broken: Vec<&str> =
        reports.iter().filter(|report| report.outcome != Outcome::Done).map(|report| report.file.as_str()).collect();
    if !broken.is_empty() {
        println!("did not end well: {}", broken.join(" "));
    }
    if options.bless {
        scores::write(root, &schedule, &reports)?;
    }
    if options.check {
        scores::check(root, &reports)?;
        if !broken.is_empty() {
            return Err(failed(format!("crashed or hung: {}", broken.join(" "))));
        }
    }
    if options.all_modes { modes::compare(root, &suite, &hathi, &chosen, options) } else { Ok(()) }
}

/// The fast files, checked, as a step of continuous integration; where the suite cannot be had, that is said.
///
/// # Errors
/// When a score fell.
pub fn run_fast(root: &Path) -> Result<(), Failure> {
    if let Err(failure) = source::fetch(root) {
        eprintln!("xtask: {failure}; not run");
        return Ok(());
    }
    eprintln!("==> regression suite, {} files", FAST.len());
    let options = Options {
        files: vec![],
        fast: true,
        bless: false,
        check: true,
        all_modes: true,
        release: false,
        limit_s: 20,
        errors: 0,
    };
    run(root, &options)
}

/// A failure of this chore.
fn failed(reason: impl AsRef<str>) -> Failure {
    Failure::missing("regress", reason.as_ref())
}

/// The server's program, built now.
fn build(root: &Path, release: bool) -> Result<PathBuf, Failure> {
    let profile = if release { "release" } else { "test" };
    Step::cargo("build", "build --package cli").with("--profile").with(profile).run(root)?;
    Ok(root.join("target").join(if release { "release" } else { "debug" }).join("hathi"))
}

/// A run in progress.
struct Run<'a> {
    suite: PathBuf,
    place: PathBuf,
    server: Server,
    options: &'a Options,
}

impl Run<'_> {
    /// Folders for what is written, and the database `regression`.
    fn prepare(&mut self) -> Result<(), Failure> {
        for folder in ["results", "diffs"] {
            let folder = self.place.join(folder);
            std::fs::create_dir_all(&folder).map_err(|error| failed(format!("{}: {error}", folder.display())))?;
        }
        let made = self.psql("postgres").args(["-c", "CREATE DATABASE regression"]).output();
        match made {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(failed(String::from_utf8_lossy(&output.stderr))),
            Err(error) => Err(failed(format!("psql cannot be started: {error}"))),
        }
    }

    /// psql as `pg_regress` calls it.
    fn psql(&self, database: &str) -> Command {
        let mut psql = Command::new(source::psql());
        psql.args([
            "-X",
            "-a",
            "-q",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-v",
            "HIDE_TABLEAM=on",
            "-v",
            "HIDE_TOAST_COMPRESSION=on",
        ]);
        psql.args(["-p", &self.server.port.to_string(), "-d", database]);
        psql.envs([
            ("PGTZ", "America/Los_Angeles"),
            ("PGDATESTYLE", "Postgres, MDY"),
            ("PGAPPNAME", "pg_regress"),
            ("LC_MESSAGES", "C"),
        ]);
        psql.env("PG_ABS_SRCDIR", &self.suite).env("PG_ABS_BUILDDIR", &self.place);
        psql.env("PG_LIBDIR", "/usr/lib/postgresql/15/lib").env("PG_DLSUFFIX", ".so").env("LANG", "C");
        // One slow statement should not cost the rest of its file.
        psql.env("PGOPTIONS", format!("-c statement_timeout={}s", self.options.limit_s.div_ceil(4)));
        for name in ["PGPASSWORD", "PGDATABASE", "PGUSER", "PGHOST", "PGSERVICE", "LC_ALL", "LANGUAGE"] {
            psql.env_remove(name);
        }
        psql
    }

    /// Runs one file and scores it.
    fn file(&mut self, name: &str) -> Result<Report, Failure> {
        let sql = self.suite.join("sql").join(format!("{name}.sql"));
        let printed = self.place.join("results").join(format!("{name}.out"));
        let begun = Instant::now();
        let end = self.drive(&sql, &printed)?;
        let panics = self.server.panics();
        let outcome = match end {
            End::Done if !self.server.answers() => Outcome::Crash,
            End::Done if panics > 0 => Outcome::Panic,
            End::Done => Outcome::Done,
            End::Late => Outcome::Hang,
            End::Greedy => Outcome::Memory,
            End::Crash => Outcome::Crash,
        };
        let mut recovered = true;
        if !matches!(outcome, Outcome::Done | Outcome::Panic) {
            recovered = self.server.restart()?;
        }
        let script = read(&sql)?;
        let printed = read(&printed)?;
        let expected = source::expected(&self.suite, name)?;
        let mut report = script::score(name, &script, &printed, &expected);
        report.outcome = if recovered { outcome } else { Outcome::Damage };
        report.elapsed_ms = begun.elapsed().as_millis();
        let diff = self.place.join("diffs").join(format!("{name}.diff"));
        std::fs::write(&diff, &report.diff).map_err(|error| failed(format!("{}: {error}", diff.display())))?;
        if !recovered {
            // What follows needs what all files need.
            self.prepare()?;
            self.drive(&self.suite.join("sql/test_setup.sql"), &self.place.join("results/test_setup.again"))?;
        }
        Ok(report)
    }

    /// Lets psql run `sql` until it ends, its time is up, or the server is gone.
    fn drive(&mut self, sql: &Path, printed: &Path) -> Result<End, Failure> {
        let open = |path: &Path, file: std::io::Result<std::fs::File>| {
            file.map_err(|error| failed(format!("{}: {error}", path.display())))
        };
        let input = open(sql, std::fs::File::open(sql))?;
        let output = open(printed, std::fs::File::create(printed))?;
        let errors = open(printed, output.try_clone())?;
        let mut psql = self.psql("regression");
        psql.stdin(input).stdout(output).stderr(Stdio::from(errors)).current_dir(&self.place);
        let mut child = psql.spawn().map_err(|error| failed(format!("psql cannot be started: {error}")))?;
        let deadline = Instant::now() + Duration::from_secs(self.options.limit_s);
        let end = loop {
            if child.try_wait().map_err(|error| failed(error.to_string()))?.is_some() {
                break End::Done;
            }
            if !self.server.runs() {
                break End::Crash;
            }
            if self.server.resident_mb() > server::MEMORY_MB_MAX {
                break End::Greedy;
            }
            if Instant::now() > deadline {
                break End::Late;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let _ = child.kill();
        let _ = child.wait();
        Ok(end)
    }
}

/// A file as text, whatever its encoding.
fn read(path: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(path).map_err(|error| failed(format!("{}: {error}", path.display())))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
