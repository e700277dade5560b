//! `Stage`: where figures are measured: sizes, a directory, the peers that were found.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::doors::Doors;
use crate::figure::Figure;
use crate::peers::PgServer;
use crate::scale::Scale;

/// An error of any kind: a figure that has one is reported and left out.
pub type Failure = Box<dyn std::error::Error>;

/// What every figure needs.
pub struct Stage {
    /// Sizes.
    pub scale: Scale,
    /// Servers that listen. Before what they have open, so that they end first.
    pub doors: Doors,
    postgres: OnceCell<Result<PgServer, String>>,
    root: TempDir,
}

impl Stage {
    /// A stage in a new directory below `dir`.
    pub fn new(scale: Scale, dir: Option<PathBuf>) -> Result<Stage, Failure> {
        let root = match dir {
            Some(dir) => tempfile::Builder::new().prefix("hathi-bench").tempdir_in(dir)?,
            None => tempfile::Builder::new().prefix("hathi-bench").tempdir()?,
        };
        Ok(Stage { scale, doors: Doors::default(), postgres: OnceCell::new(), root })
    }

    /// A new directory.
    pub fn new_dir(&self) -> Result<TempDir, Failure> {
        Ok(tempfile::tempdir_in(self.root.path())?)
    }

    /// PostgreSQL, started when first asked for; else why not.
    pub fn postgres(&self) -> Result<&PgServer, String> {
        self.postgres.get_or_init(|| PgServer::start().map_err(|e| e.to_string())).as_ref().map_err(String::clone)
    }
}

impl Stage {
    /// Versions of the servers we are compared with, or why they are missing.
    pub fn peers_found(&self) -> String {
        let postgres =
            self.postgres().map_or_else(|why| format!("no PostgreSQL ({why})"), |pg| pg.version().to_owned());
        let bouncer =
            self.pgbouncer().map_or_else(|why| format!("no PgBouncer ({why})"), |pooler| pooler.version().to_owned());
        format!("{postgres}, {bouncer}")
    }
}

/// A client of the stage's PostgreSQL; a note when there is none.
pub fn postgres_client(stage: &Stage, figure: &mut Figure) -> Result<Option<postgres::Client>, Failure> {
    match stage.postgres() {
        Ok(server) => Ok(Some(server.client()?)),
        Err(why) => {
            figure.note(why);
            Ok(None)
        }
    }
}

/// How long `f` takes.
pub fn time<T>(f: impl FnOnce() -> Result<T, Failure>) -> Result<(Duration, T), Failure> {
    let start = Instant::now();
    let answer = f()?;
    Ok((start.elapsed(), answer))
}

/// Microseconds per operation of `count` operations.
pub fn micros_each(count: usize, mut operation: impl FnMut(usize) -> Result<(), Failure>) -> Result<f64, Failure> {
    let start = Instant::now();
    for i in 0..count {
        operation(i)?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / count as f64)
}

/// The same of operations that may be done twice, after half of them untimed: who is measured has its own data in the processor's caches then, not those of
/// who was measured before.
pub fn micros_each_warm(count: usize, mut operation: impl FnMut(usize) -> Result<(), Failure>) -> Result<f64, Failure> {
    (0..count / 2).try_for_each(&mut operation)?;
    micros_each(count, operation)
}

/// A number of a fixed random walk: the same in each run.
pub fn scatter(i: usize, below: i32) -> i32 {
    let mixed = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    (mixed % below as u64) as i32
}
