//! Tables over a simulated disk, next to a model of what they must hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use env::sim::SimDisk;
use env::{Entropy, Env};
use hathi::{Database, Error, Result, Session};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A row: text and number.
type Rows = BTreeMap<i32, (Option<String>, i64)>;

/// What the database must hold.
#[derive(Clone, Default, PartialEq, Debug)]
struct Model {
    tables: BTreeMap<String, Rows>,
}

pub struct World {
    pub disk: SimDisk,
    rng: ChaCha8Rng,
    seed: u64,
    db: Option<Database>,
    model: Model,
    /// What the commit whose outcome nobody was told would make.
    in_doubt: Option<Model>,
    pool_bytes: usize,
}

const NAMES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

impl World {
    pub fn new(seed: u64) -> World {
        let mut world = World::unopened(seed);
        world.open();
        world
    }

    pub fn unopened(seed: u64) -> World {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        World {
            disk: SimDisk::new(seed),
            pool_bytes: rng.random_range(24..80) << 14,
            rng,
            seed,
            db: None,
            model: Model::default(),
            in_doubt: None,
        }
    }

    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        self.rng.random_range(low..high)
    }

    fn db(&self) -> &Database {
        self.db.as_ref().expect("open")
    }

    pub fn try_open(&mut self) -> Result<()> {
        let env = Env {
            vfs: Arc::new(self.disk.clone()),
            clock: Arc::new(env::clock::SimClock::default()),
            entropy: Arc::new(Entropy::seeded(self.seed)),
        };
        let builder = Database::builder().memory(self.pool_bytes).background(false).checkpoint_log_bytes(64 << 10);
        self.db = Some(builder.open_in(env)?);
        Ok(())
    }

    pub fn open(&mut self) {
        if let Err(e) = self.try_open() {
            panic!("seed {}: {e:?}", self.seed);
        }
    }

    /// Power is gone, and the memory of the process too.
    pub fn crash(&mut self) {
        self.disk.cut_power();
        self.db = None;
        self.disk.reboot();
    }

    pub fn close(&mut self) {
        self.db.take().expect("open").close().unwrap();
    }

    /// Whether the engine was poisoned; then every statement that writes must say so.
    pub fn refuses_if_poisoned(&mut self) -> bool {
        let poisoned = self.db().runtime().engine().shared().poison.is_set();
        if poisoned {
            let refused = self.db().session().and_then(|mut s| s.batch_execute("CREATE TABLE after_poison (a int)"));
            let e = refused.expect_err("a poisoned database takes nothing");
            assert_eq!(e.state().as_str(), "58030", "{}", e.message());
            assert_eq!(e.message(), "the database must be reopened");
            assert!(
                e.fields().detail.as_deref().is_some_and(|d| d.contains("could not be")),
                "{:?}",
                e.fields().detail
            );
        }
        poisoned
    }

    /// Runs transactions until the disk fails one for good; answers that error.
    pub fn run_until_fault(&mut self, transactions: usize) -> Option<Error> {
        for _ in 0..transactions {
            if let Err(e) = self.one_transaction() {
                let full = e.state().as_str() == "53100" && !self.db().runtime().engine().shared().poison.is_set();
                if !full {
                    return Some(e);
                }
            }
            let engine = self.db().runtime().engine().clone();
            let maintained = match self.range(0, 10) {
                0 => engine.checkpoint(),
                1..=5 => engine.maintain(),
                _ => Ok(()),
            };
            if let Err(e) = maintained
                && engine.shared().poison.is_set()
            {
                return Some(e.into());
            }
        }
        None
    }

    fn one_transaction(&mut self) -> Result<()> {
        let mut session = self.db().session()?;
        let mut model = self.model.clone();
        let mut transaction = session.transaction()?;
        for _ in 0..self.range(1, 6) {
            if self.range(0, 4) == 0 {
                let mut inner = transaction.transaction()?;
                let mut changed = model.clone();
                for _ in 0..self.range(1, 4) {
                    self.one_statement(&mut inner, &mut changed)?;
                }
                if self.range(0, 2) == 0 {
                    inner.commit()?;
                    model = changed;
                } else {
                    inner.rollback()?;
                }
            } else {
                self.one_statement(&mut transaction, &mut model)?;
            }
        }
        if self.range(0, 6) == 0 {
            return transaction.rollback();
        }
        match transaction.commit() {
            Ok(()) => {
                self.model = model;
                Ok(())
            }
            Err(e) => {
                self.in_doubt = Some(model);
                Err(e)
            }
        }
    }

    fn text(&mut self) -> Option<String> {
        let length = match self.range(0, 12) {
            0 => return None,
            1..7 => self.range(0, 40),
            7..11 => self.range(40, 1500),
            _ => self.range(1500, 30_000),
        };
        Some((0..length).map(|_| self.rng.random_range('a'..='z')).collect())
    }

    fn one_statement(&mut self, session: &mut Session, model: &mut Model) -> Result<()> {
        let name = NAMES[self.range(0, NAMES.len() as u64) as usize];
        let Some(rows) = model.tables.get_mut(name) else {
            session.batch_execute(&format!(
                "CREATE TABLE {name} (id int PRIMARY KEY, body text, n bigint NOT NULL); CREATE INDEX {name}_n ON {name} (n)"
            ))?;
            model.tables.insert(name.to_owned(), Rows::new());
            return Ok(());
        };
        let (id, n, body) = (self.range(0, 40) as i32, self.rng.random_range(0..20i64), self.text());
        match self.range(0, 20) {
            0 => {
                session.batch_execute(&format!("DROP TABLE {name}"))?;
                model.tables.remove(name);
            }
            1..10 if !rows.contains_key(&id) => {
                session.execute(&format!("INSERT INTO {name} VALUES ($1, $2, $3)"), &[&id, &body, &n])?;
                rows.insert(id, (body, n));
            }
            1..12 => {
                let sql = format!("UPDATE {name} SET body = $2, n = $3 WHERE id = $1");
                let count = session.execute(&sql, &[&id, &body, &n])?;
                assert_eq!(count, u64::from(rows.contains_key(&id)), "seed {}", self.seed);
                if let Some(row) = rows.get_mut(&id) {
                    *row = (body, n);
                }
            }
            12..14 => {
                let count = session.execute(&format!("UPDATE {name} SET n = n + 1 WHERE n = $1"), &[&n])?;
                let hit: Vec<_> = rows.values_mut().filter(|r| r.1 == n).collect();
                assert_eq!(count, hit.len() as u64, "seed {}", self.seed);
                hit.into_iter().for_each(|r| r.1 += 1);
            }
            14..16 => {
                let count = session.execute(&format!("DELETE FROM {name} WHERE n < $1"), &[&(n / 3)])?;
                let before = rows.len();
                rows.retain(|_, r| r.1 >= n / 3);
                assert_eq!(count, (before - rows.len()) as u64, "seed {}", self.seed);
            }
            _ => {
                session.execute(&format!("DELETE FROM {name} WHERE id = $1"), &[&id])?;
                rows.remove(&id);
            }
        }
        Ok(())
    }

    pub fn verify(&mut self) {
        let seed = self.seed;
        let damages = self.db().check().unwrap_or_else(|e| panic!("seed {seed}: {e:?}"));
        assert!(damages.is_empty(), "seed {seed}: {damages:?}");
        let found = self.contents().unwrap_or_else(|e| panic!("seed {seed}: {e:?}"));
        if let Some(other) = self.in_doubt.take()
            && found == other
        {
            self.model = other;
        }
        if found != self.model {
            let shape = |m: &Model| -> Vec<String> {
                m.tables.iter().map(|(name, rows)| format!("{name}: {:?}", rows.keys().collect::<Vec<_>>())).collect()
            };
            panic!("seed {seed}: found {:?}, expected {:?}", shape(&found), shape(&self.model));
        }
    }

    fn contents(&self) -> Result<Model> {
        let mut session = self.db().session()?;
        let mut model = Model::default();
        for name in NAMES {
            let rows = match session.query(&format!("SELECT id, body, n FROM {name} ORDER BY id"), &[]) {
                Ok(rows) => rows,
                Err(e) if e.state().as_str() == "42P01" => continue,
                Err(e) => return Err(e),
            };
            let mut all = Rows::new();
            for row in rows {
                let (id, body, n): (i32, Option<String>, i64) = (row.get(0), row.get(1), row.get(2));
                // Through both indexes too.
                let by_key = session.query(&format!("SELECT n FROM {name} WHERE id = $1"), &[&id])?;
                assert_eq!(by_key.len(), 1, "seed {}: {name} {id} by its key", self.seed);
                let by_number =
                    session.query(&format!("SELECT id FROM {name} WHERE n = $1 AND id = $2"), &[&n, &id])?;
                assert_eq!(by_number.len(), 1, "seed {}: {name} {id} by its number", self.seed);
                assert!(all.insert(id, (body, n)).is_none(), "seed {}: {name} {id} twice", self.seed);
            }
            model.tables.insert(name.to_owned(), all);
        }
        Ok(model)
    }
}
