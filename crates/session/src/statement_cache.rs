//! The statements of all sessions of a runtime: what a text means and how it is run, found out once.
//!
//! Invariants:
//! - C1: equal keys and an equal version of the catalog give equal plans: whatever binding and planning read is in one of them. Statements of
//!   transactions that changed the catalog, and texts that name the time (`'today'`), are not kept.
//! - C2: a statement is checked against the rights of whoever runs it, not of who planned it: [`Uses`] says what to check.
//! - C3: a plan for tables that have grown a lot since is made anew ([`SharedStatement::is_timely`]).

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use env::sync::Mutex;
use hashlink::LruCache;
use plan::{Node, OutputColumn, TableSource};
use storage::{Database, DbId, RelId};
use syntax::ast::Statement;
use types::array::Array;
use types::{Datum, Oid, Result, oid};

use crate::host::micros_since_2000;
use crate::known::Fit;
use crate::prepared::Prepared;
use crate::session::Session;

/// Longer texts are not kept.
const TEXT_MAX: usize = 16 << 10;

/// Texts that came once and are remembered.
const SEEN_MAX: usize = 4096;

/// How a text came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// It was prepared, by its client or by PREPARE.
    Prepared,
    /// It is what several texts have in common, with parameters for their literals.
    Template,
    /// It is run as it is.
    Text,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Prepared => "prepared",
            Kind::Template => "template",
            Kind::Text => "text",
        }
    }
}

/// What a plan depends on, apart from the catalog (C1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    database: DbId,
    kind: Kind,
    text: Arc<str>,
    /// Where in it the statement begins that PREPARE is given; 0 for all of it.
    start: u32,
    /// Types of parameters, as far as they were given.
    params: Vec<Oid>,
    search_path: Vec<Oid>,
    temporary: Option<Oid>,
    role: Oid,
    settings: Arc<BTreeMap<String, String>>,
}

/// What a statement needs rights to that its plan does not show (C2).
#[derive(Debug, Default)]
pub(crate) struct Uses {
    pub views: Vec<Oid>,
    pub inner_views: Vec<(Oid, Oid)>,
    pub written_views: Vec<(Oid, char)>,
    pub routines: Vec<Oid>,
}

impl Uses {
    pub(crate) fn is_empty(&self) -> bool {
        let Uses { views, inner_views, written_views, routines } = self;
        views.is_empty() && inner_views.is_empty() && written_views.is_empty() && routines.is_empty()
    }
}

/// A statement as all sessions share it.
#[derive(Debug)]
pub(crate) struct SharedStatement {
    pub sql: Arc<str>,
    pub stack_bytes: usize,
    pub statement: Arc<Statement>,
    pub params: Vec<Oid>,
    pub columns: Arc<Vec<OutputColumn>>,
    pub node: Arc<Node>,
    pub uses: Arc<Uses>,
    /// For which values of its parameters the plan is the best.
    pub fit: Fit,
    /// Tables that it reads, with their pages when it was planned.
    sizes: Vec<(RelId, u64)>,
    /// Nanoseconds that binding and planning took.
    nanoseconds: u64,
}

/// What is known of a text that came more than once.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    /// It is planned each time.
    Unfit,
    Ready(Arc<SharedStatement>),
}

struct Entry {
    version: u64,
    known: Known,
    hits: u64,
    /// Microseconds since 2000.
    used: i64,
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatementCounts {
    /// Statements that were bound and planned.
    pub planned: u64,
    /// Plans that were found made.
    pub found: u64,
}

/// The statements of a runtime.
pub(crate) struct StatementCache {
    entries: Mutex<LruCache<Key, Entry>>,
    /// Hashes of what came once: those that never come again push nothing out that does.
    seen: Mutex<LruCache<u64, ()>>,
    hasher: RandomState,
    planned: AtomicU64,
    found: AtomicU64,
}

/// Pages of a table; 0 where it is gone.
fn pages(db: &Database, rel: RelId) -> u64 {
    db.relation(rel).map_or(0, |r| r.size_bytes().div_ceil(8192))
}

impl SharedStatement {
    /// A statement that was planned just now, in `since`.
    pub(crate) fn of(prepared: &Prepared, node: Arc<Node>, fit: Fit, db: &Database, since: Instant) -> Self {
        let mut sizes = Vec::new();
        node.visit_tables(&mut |table, _| {
            if table.source == TableSource::Stored {
                sizes.push((table.rel, pages(db, table.rel)));
            }
        });
        SharedStatement {
            sql: prepared.sql.clone(),
            stack_bytes: prepared.stack_bytes,
            statement: prepared.statement.clone(),
            params: prepared.params.clone(),
            columns: prepared.columns.clone(),
            node,
            uses: prepared.uses.clone(),
            fit,
            sizes,
            nanoseconds: since.elapsed().as_nanos() as u64,
        }
    }

    /// Whether the tables are about as large as when it was planned (C3).
    pub(crate) fn is_timely(&self, db: &Database) -> bool {
        self.sizes.iter().all(|&(rel, then)| {
            let now = pages(db, rel);
            now <= 2 * then + 16 && then <= 2 * now + 16
        })
    }
}

impl StatementCache {
    pub(crate) fn new(entries_max: usize) -> StatementCache {
        StatementCache {
            entries: Mutex::new(LruCache::new(entries_max.max(1))),
            seen: Mutex::new(LruCache::new(SEEN_MAX)),
            hasher: RandomState::new(),
            planned: AtomicU64::new(0),
            found: AtomicU64::new(0),
        }
    }

    /// What is known of `key` in the catalog's `version`.
    fn get(&self, key: &Key, version: u64, now: i64) -> Option<Known> {
        let mut entries = self.entries.lock();
        let entry = entries.get_mut(key)?;
        // What was planned in a catalog that is newer than a session's goes on being found by the others.
        if entry.version != version {
            return None;
        }
        if matches!(entry.known, Known::Ready(_)) {
            entry.hits += 1;
            entry.used = now;
            self.found.fetch_add(1, Ordering::Relaxed);
        }
        Some(entry.known.clone())
    }

    fn put(&self, key: Key, version: u64, known: Known, now: i64) {
        let mut entries = self.entries.lock();
        let hits = entries.peek(&key).map_or(0, |e| e.hits);
        let old = entries.insert(key, Entry { version, known, hits, used: now });
        drop(entries);
        drop(old);
    }

    /// Whether `key` came before in this version.
    fn is_seen(&self, key: &Key, version: u64) -> bool {
        self.seen.lock().insert(self.hasher.hash_one((key, version)), ()).is_some()
    }

    /// A statement was planned.
    pub(crate) fn count_planned(&self) {
        self.planned.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self) -> StatementCounts {
        StatementCounts { planned: self.planned.load(Ordering::Relaxed), found: self.found.load(Ordering::Relaxed) }
    }

    /// Rows of `hathi_statement_cache`, those used last first. To `only` one role, texts of others are not shown.
    pub(crate) fn rows(&self, only: Option<Oid>) -> Vec<Vec<Datum>> {
        let oids = |list: &[Oid], ty: Oid| {
            Array::one_dimensional(ty, list.iter().map(|&o| Datum::from(o)).collect()).to_datum()
        };
        let row = |(key, entry): (&Key, &Entry)| {
            let shared = match &entry.known {
                Known::Ready(shared) => shared,
                Known::Unfit => return None,
            };
            let is_shown = only.is_none_or(|role| role == key.role);
            let settings: Vec<String> = key.settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
            Some(vec![
                Datum::from(Oid(key.database.0)),
                Datum::from(key.role),
                Datum::text(key.kind.name()),
                Datum::text(if is_shown { &key.text } else { "<insufficient privilege>" }),
                oids(&shared.params, oid::REGTYPE),
                oids(&key.search_path, oid::OID),
                Datum::text(&settings.join(", ")),
                Datum::I64(i64::try_from(entry.version).unwrap_or(i64::MAX)),
                Datum::I64(i64::try_from(entry.hits).unwrap_or(i64::MAX)),
                Datum::F64(shared.nanoseconds as f64 / 1e6),
                Datum::I64(entry.used),
            ])
        };
        self.entries.lock().iter().rev().filter_map(row).collect()
    }
}

impl Session {
    /// The key of `text`, if what it means is the same for others, and the version of the catalog to look it up in. A transaction is open.
    pub(crate) fn shared_key(
        &mut self,
        kind: Kind,
        text: &str,
        start: u32,
        params: &[Oid],
    ) -> Result<Option<(Key, u64)>> {
        if text.len() > TEXT_MAX || self.trusted || self.catalog_dirty() {
            return Ok(None);
        }
        // Before the search path is read, which comes with it; older than the view, at worst.
        let version = self.basis().version();
        self.settle_view()?;
        let key = Key {
            database: self.db.id,
            kind,
            text: Arc::from(text),
            start,
            params: params.to_vec(),
            search_path: self.search_path.clone(),
            temporary: self.temporary,
            role: self.user.oid,
            settings: self.settings.planning.clone(),
        };
        Ok(Some((key, version)))
    }

    /// What is known of a key, plans that this session's role may run.
    ///
    /// # Errors
    /// `42501` where it may not.
    pub(crate) fn shared_known(&mut self, key: &Key, version: u64) -> Result<Option<Known>> {
        let now = micros_since_2000(&self.interrupt);
        let Some(known) = self.runtime.statements.get(key, version, now) else { return Ok(None) };
        if let Known::Ready(shared) = &known {
            if !shared.is_timely(&self.db) {
                return Ok(None);
            }
            self.check_uses(&shared.uses)?;
        }
        Ok(Some(known))
    }

    /// Whether a key came before, to whichever session.
    pub(crate) fn is_seen(&self, key: &Key, version: u64) -> bool {
        self.runtime.statements.is_seen(key, version)
    }

    /// Lets others find what became of a key.
    pub(crate) fn share(&mut self, key: Key, version: u64, known: Known) {
        if matches!(known, Known::Unfit) || is_timeless(&key.text) {
            let now = micros_since_2000(&self.interrupt);
            self.runtime.statements.put(key, version, known, now);
        }
    }

    /// Fails unless this session's role may use what a statement uses.
    pub(crate) fn check_uses(&mut self, uses: &Uses) -> Result<()> {
        if uses.is_empty() {
            return Ok(());
        }
        let Uses { views, inner_views, written_views, routines } = uses;
        let image = self.image()?;
        self.check_views(&image, views)?;
        self.check_inner_views(&image, inner_views)?;
        self.check_written_views(&image, written_views)?;
        self.check_routines(&image, routines)
    }
}

/// Whether no literal in `text` can be one that means the time at which it is read. Careful: some that mean none are held to.
pub(crate) fn is_timeless(text: &str) -> bool {
    const TIMES: [&[u8]; 4] = [b"now", b"today", b"tomorrow", b"yesterday"];
    let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let mut rest = text.as_bytes();
    while let Some(start) = rest.iter().position(is_word) {
        rest = &rest[start..];
        let len = rest.iter().position(|b| !is_word(b)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(len);
        if TIMES.iter().any(|t| word.eq_ignore_ascii_case(t)) && !behind.trim_ascii_start().starts_with(b"(") {
            return false;
        }
        rest = behind;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_timeless;

    #[test]
    fn literals_of_the_time_are_seen() {
        for text in
            ["SELECT 'now'::date", "SELECT date ' Today'", "SELECT timestamp 'tomorrow 12:00'", "select 'YESTERDAY'"]
        {
            assert!(!is_timeless(text), "{text}");
        }
        for text in ["SELECT now()", "SELECT NOW () - known FROM todays", "SELECT 1", ""] {
            assert!(is_timeless(text), "{text}");
        }
    }
}
