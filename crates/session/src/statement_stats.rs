//! `StatementStats`: how often each statement ran, how long it took and how many rows it had: what `pg_stat_statements` shows.
//!
//! A statement is known by its text without its literals ([`normalized`]). Whoever runs one over and over keeps its [`Entry`] with the
//! plan, and adds to its sums, which are in parts once two sessions have met there; so a run costs one lock that hardly anybody else wants.
//!
//! Invariants:
//! - K1: an entry that was reset or has given way is never shown again, and whoever still has it looks the statement up anew (`Entry::gone`).
//! - K2: there are at most [`ENTRIES_MAX`]; when there is no room, those that ran least often give way.

mod normalized;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use env::sync::{Mutex, MutexGuard};
use types::{Datum, Oid};

use crate::session::Session;
use crate::settings::Track;

pub(crate) use normalized::{Normalized, normalized};

/// Statements that are kept, as `pg_stat_statements.max` has it at first.
const ENTRIES_MAX: usize = 5000;
/// So many of a hundred give way when there is no room.
const GIVE_WAY_PERCENT: usize = 5;
/// Parts of an entry that sessions meet at.
const PARTS: usize = 4;
/// Of statements too short for the clock to be read for each of them, so many go by between two that are timed.
pub(crate) const UNTIMED: u64 = 15;

/// Texts without a plan that a session remembers the entries of, and how long those may be.
const RECENT_MAX: usize = 8;
const RECENT_BYTES: usize = 64;

/// What is one statement.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Key {
    user: Oid,
    database: Oid,
    query: i64,
}

/// Times of runs, in microseconds, by Welford's method: no sum of squares grows without bound.
#[derive(Clone, Copy, Default, Debug)]
struct Times {
    runs: u64,
    mean: f64,
    squares: f64,
    min: f64,
    max: f64,
}

impl Times {
    fn add(&mut self, time: f64) {
        self.runs += 1;
        let delta = time - self.mean;
        self.mean += delta / self.runs as f64;
        self.squares += delta * (time - self.mean);
        self.min = if self.runs == 1 { time } else { self.min.min(time) };
        self.max = self.max.max(time);
    }

    /// Both together (Chan, Golub and LeVeque).
    fn with(self, other: Times) -> Times {
        if self.runs == 0 || other.runs == 0 {
            return if self.runs == 0 { other } else { self };
        }
        let (a, b) = (self.runs as f64, other.runs as f64);
        let delta = other.mean - self.mean;
        Times {
            runs: self.runs + other.runs,
            mean: self.mean + delta * b / (a + b),
            squares: self.squares + other.squares + delta * delta * a * b / (a + b),
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

/// What some sessions add up.
#[derive(Clone, Copy, Default)]
struct Sums {
    calls: u64,
    rows: u64,
    /// Of all runs that are timed each.
    times: Times,
    /// Of those of which some are: how many they were, and the times of those.
    quick: u64,
    sampled: Times,
}

/// On cache lines of its own.
#[repr(align(128))]
#[derive(Default)]
struct Part(Mutex<Sums>);

/// One statement.
pub(crate) struct Entry {
    key: Key,
    text: String,
    /// What is added up by those who have not met anybody, and by all others; each of those has a part that his session's number leads to.
    first: Part,
    others: OnceLock<Box<[Part; PARTS]>>,
    /// Microseconds since 2000 at which it was first seen, and at which its extremes were forgotten.
    since: i64,
    extremes_since: AtomicI64,
    /// K1
    gone: AtomicBool,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Entry").field(&self.text).finish()
    }
}

/// How long a run took.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Took {
    /// So many microseconds.
    Exactly(i64),
    /// The same of one of the quick ones, which stands for those beside it.
    Sample(i64),
    /// Nobody has looked.
    Unknown,
}

impl Entry {
    /// What others see it by.
    pub(crate) fn query_id(&self) -> i64 {
        self.key.query
    }

    /// Whether it is the statement's of this user still.
    #[inline]
    fn is_for(&self, user: Oid) -> bool {
        self.key.user == user && !self.gone.load(Ordering::Relaxed)
    }

    /// It has run, in session `pid`.
    #[inline]
    pub(crate) fn add(&self, pid: u32, took: Took, rows: u64) {
        let mut sums = self.sums_of(pid);
        sums.calls += 1;
        sums.rows += rows;
        match took {
            Took::Exactly(time) => sums.times.add(time.max(0) as f64),
            Took::Sample(time) => {
                sums.quick += 1;
                sums.sampled.add(time.max(0) as f64);
            }
            Took::Unknown => sums.quick += 1,
        }
    }

    /// The sums that session `pid` adds to.
    #[inline]
    fn sums_of(&self, pid: u32) -> MutexGuard<'_, Sums> {
        if self.others.get().is_none()
            && let Some(sums) = self.first.0.try_lock()
        {
            return sums;
        }
        self.others.get_or_init(Box::default)[pid as usize % PARTS].0.lock()
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.first).chain(self.others.get().into_iter().flat_map(|parts| parts.iter()))
    }

    fn sums(&self) -> Sums {
        self.parts().map(|part| *part.0.lock()).fold(Sums::default(), |a, b| Sums {
            calls: a.calls + b.calls,
            rows: a.rows + b.rows,
            times: a.times.with(b.times),
            quick: a.quick + b.quick,
            sampled: a.sampled.with(b.sampled),
        })
    }
}

/// All statements.
pub(crate) struct StatementStats {
    entries: Mutex<HashMap<Key, Arc<Entry>>>,
    /// How often entries had to give way.
    evictions: AtomicU64,
    /// Microseconds since 2000 at which all was forgotten the last time.
    reset: AtomicI64,
}

/// Which statements to forget; 0 is all.
pub(crate) struct Chosen {
    pub user: Oid,
    pub database: Oid,
    pub query: i64,
}

impl StatementStats {
    pub(crate) fn new(now: i64) -> StatementStats {
        StatementStats { entries: Mutex::default(), evictions: AtomicU64::new(0), reset: AtomicI64::new(now) }
    }

    fn entry(&self, user: Oid, database: Oid, statement: Normalized, now: i64) -> Arc<Entry> {
        // 0 is none.
        let key = Key { user, database, query: statement.fingerprint.max(1).cast_signed() };
        let mut entries = self.entries.lock();
        if let Some(entry) = entries.get(&key) {
            return entry.clone();
        }
        if entries.len() >= ENTRIES_MAX {
            self.make_room(&mut entries);
        }
        let entry = Arc::new(Entry {
            key,
            text: statement.text,
            first: Part::default(),
            others: OnceLock::new(),
            since: now,
            extremes_since: AtomicI64::new(now),
            gone: AtomicBool::new(false),
        });
        entries.insert(key, entry.clone());
        entry
    }

    /// K2
    fn make_room(&self, entries: &mut HashMap<Key, Arc<Entry>>) {
        let mut uses: Vec<(u64, i64, Key)> = entries.values().map(|e| (e.sums().calls, e.since, e.key)).collect();
        let leave = (ENTRIES_MAX * GIVE_WAY_PERCENT / 100).min(uses.len() - 1);
        uses.select_nth_unstable_by_key(leave, |u| (u.0, u.1));
        for (_, _, key) in uses.into_iter().take(leave) {
            if let Some(entry) = entries.remove(&key) {
                entry.gone.store(true, Ordering::Relaxed);
            }
        }
        self.evictions.fetch_add(1, Ordering::Relaxed);
    }

    /// Forgets what is chosen, or its extremes alone.
    pub(crate) fn reset(&self, chosen: &Chosen, extremes: bool, now: i64) {
        let is_chosen = |key: &Key| {
            (chosen.user.is_none() || chosen.user == key.user)
                && (chosen.database.is_none() || chosen.database == key.database)
                && (chosen.query == 0 || chosen.query == key.query)
        };
        let mut entries = self.entries.lock();
        if extremes {
            for entry in entries.values().filter(|e| is_chosen(&e.key)) {
                entry.extremes_since.store(now, Ordering::Relaxed);
                for part in entry.parts() {
                    let sums = &mut *part.0.lock();
                    for times in [&mut sums.times, &mut sums.sampled] {
                        (times.min, times.max) = (times.mean, times.mean);
                    }
                }
            }
            return;
        }
        entries.retain(|key, entry| {
            let goes = is_chosen(key);
            entry.gone.fetch_or(goes, Ordering::Relaxed);
            !goes
        });
        if chosen.user.is_none() && chosen.database.is_none() && chosen.query == 0 {
            self.reset.store(now, Ordering::Relaxed);
            self.evictions.store(0, Ordering::Relaxed);
        }
    }

    /// The row of `pg_stat_statements_info`.
    pub(crate) fn info(&self) -> Vec<Datum> {
        let evictions = i64::try_from(self.evictions.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        vec![Datum::I64(evictions), Datum::I64(self.reset.load(Ordering::Relaxed))]
    }

    /// All calls of all statements that are known.
    pub(crate) fn calls(&self) -> u64 {
        self.entries.lock().values().map(|e| e.sums().calls).sum()
    }

    /// Rows of `pg_stat_statements`; texts and numbers of statements are shown where `shows` says so.
    pub(crate) fn rows(&self, shows: impl Fn(Oid) -> types::Result<bool>) -> types::Result<Vec<Vec<Datum>>> {
        let entries: Vec<Arc<Entry>> = self.entries.lock().values().cloned().collect();
        let number = |n: u64| Datum::I64(i64::try_from(n).unwrap_or(i64::MAX));
        let zero = || Datum::I64(0);
        let none = types::io::text_in(types::oid::NUMERIC, -1, "0", &types::IoSettings::default())?;
        let mut rows = Vec::with_capacity(entries.len());
        for entry in entries {
            let sums = entry.sums();
            if sums.calls == 0 {
                continue;
            }
            let is_shown = shows(entry.key.user)?;
            let times = sums.times.with(sums.sampled);
            let ms = |micros: f64| Datum::F64(micros / 1e3);
            let total = sums.times.mean * sums.times.runs as f64 + sums.sampled.mean * sums.quick as f64;
            let mut row = vec![
                Datum::from(entry.key.user),
                Datum::from(entry.key.database),
                Datum::Bool(true),
                if is_shown { Datum::I64(entry.key.query) } else { Datum::Null },
                Datum::text(if is_shown { &entry.text } else { "<insufficient privilege>" }),
                zero(),
            ];
            // Planning is not timed, as with `pg_stat_statements.track_planning` off.
            row.extend((0..5).map(|_| Datum::F64(0.0)));
            row.extend([
                number(sums.calls),
                ms(total),
                ms(times.min),
                ms(times.max),
                ms(total / sums.calls as f64),
                ms((times.squares / times.runs.max(1) as f64).max(0.0).sqrt()),
                number(sums.rows),
            ]);
            // Blocks, and times of reading and writing them.
            row.extend((0..10).map(|_| zero()));
            row.extend((0..6).map(|_| Datum::F64(0.0)));
            // The log.
            row.extend([zero(), zero(), none.clone(), zero()]);
            // Compiling, each with its time.
            for _ in 0..5 {
                row.extend([zero(), Datum::F64(0.0)]);
            }
            row.extend([zero(), zero()]);
            row.push(Datum::I64(entry.since));
            row.push(Datum::I64(entry.extremes_since.load(Ordering::Relaxed)));
            rows.push(row);
        }
        Ok(rows)
    }
}

impl Session {
    /// The entry of `sql`, kept in `slot` from one run to the next; none where nothing is counted.
    #[inline]
    pub(crate) fn counted<'s>(
        &self,
        slot: &'s mut Option<Arc<Entry>>,
        sql: &str,
        literals: bool,
    ) -> Option<&'s Arc<Entry>> {
        if self.settings.track_statements == Track::None || self.trusted {
            return None;
        }
        if !slot.as_ref().is_some_and(|entry| entry.is_for(self.user.oid)) {
            *slot = Some(self.find_counted(sql, literals));
        }
        let entry = slot.as_ref()?;
        self.backend.activity.set_query_id(entry.query_id());
        Some(entry)
    }

    /// The entry of a text that is parsed each time: BEGIN and COMMIT above all.
    pub(crate) fn counted_text(&mut self, sql: &str) -> Option<Arc<Entry>> {
        if self.settings.track_statements == Track::None || self.trusted {
            return None;
        }
        let user = self.user.oid;
        if let Some((_, entry)) = self.recent.iter().find(|(text, entry)| **text == *sql && entry.is_for(user)) {
            self.backend.activity.set_query_id(entry.query_id());
            return Some(entry.clone());
        }
        let mut slot = None;
        self.counted(&mut slot, sql, false);
        let entry = slot?;
        if sql.len() <= RECENT_BYTES {
            if self.recent.len() == RECENT_MAX {
                self.recent.remove(0);
            }
            self.recent.push((sql.into(), entry.clone()));
        }
        Some(entry)
    }

    #[cold]
    fn find_counted(&self, sql: &str, literals: bool) -> Arc<Entry> {
        let now = self.runtime.micros_since_2000();
        self.runtime.stats.entry(self.user.oid, Oid(self.db.id.0), normalized(sql, literals), now)
    }

    /// A statement of `sql` has ended, with this tag: it is counted, and told of where it took long. `took` is in microseconds.
    pub(crate) fn note_end(&self, entry: Option<&Arc<Entry>>, sql: &str, took: i64, tag: &str) {
        if let Some(entry) = entry {
            entry.add(self.owner.0, Took::Exactly(took), rows_of(tag));
        }
        self.note_slow(sql, took);
    }

    /// One that took long is told of.
    #[inline]
    pub(crate) fn note_slow(&self, sql: &str, took: i64) {
        let least = self.settings.log_min_duration_ms;
        if least >= 0 && took >= least.saturating_mul(1000) {
            self.tell_slow(sql, took);
        }
    }

    #[cold]
    fn tell_slow(&self, sql: &str, took: i64) {
        let milliseconds = took as f64 / 1e3;
        let (pid, user, database) = (self.owner.0, &*self.user.name, &*self.database_name);
        // With its literals, as its client has sent it.
        let sent = self.backend.activity.look().query;
        let statement = if sent.is_empty() { sql } else { &*sent };
        tracing::info!(pid, user, database, milliseconds, statement, "slow statement");
    }
}

/// The rows that a command tag tells of: the number that it ends with, if it ends with one.
pub fn rows_of(tag: &str) -> u64 {
    let digits = tag.bytes().rev().take_while(u8::is_ascii_digit);
    let powers = std::iter::successors(Some(1u64), |p| p.checked_mul(10));
    digits.zip(powers).map(|(d, power)| u64::from(d - b'0') * power).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_add_up_in_parts() {
        let all = [3.0, 5.0, 11.0, 2.0, 8.0, 100.0];
        let (mut whole, mut halves) = (Times::default(), [Times::default(); 2]);
        for (i, &time) in all.iter().enumerate() {
            whole.add(time);
            halves[i % 2].add(time);
        }
        let both = halves[0].with(halves[1]);
        assert_eq!((both.runs, both.min, both.max), (6, 2.0, 100.0));
        assert!((both.mean - whole.mean).abs() < 1e-9 && (both.squares - whole.squares).abs() < 1e-9);
    }

    #[test]
    fn those_that_ran_least_give_way() {
        let stats = StatementStats::new(0);
        let text = |i: usize| normalized(&format!("SELECT c{i}"), false);
        let often = stats.entry(Oid(10), Oid(5), text(0), 0);
        (0..3).for_each(|_| often.add(1, Took::Exactly(10), 1));
        for i in 1..=ENTRIES_MAX {
            stats.entry(Oid(10), Oid(5), text(i), i as i64);
        }
        let kept = stats.entries.lock().len();
        assert!(kept <= ENTRIES_MAX && kept > ENTRIES_MAX * 9 / 10, "{kept}");
        assert!(often.is_for(Oid(10)) && stats.evictions.load(Ordering::Relaxed) == 1);
    }

    #[test]
    fn quick_runs_count_as_those_that_were_timed() {
        let stats = StatementStats::new(0);
        let entry = stats.entry(Oid(10), Oid(5), normalized("SELECT 1", false), 0);
        entry.add(1, Took::Exactly(1000), 1);
        entry.add(1, Took::Sample(10), 1);
        (0..9).for_each(|_| entry.add(2, Took::Unknown, 1));
        let rows = stats.rows(|_| Ok(true)).unwrap();
        assert_eq!(rows[0].len(), 52);
        assert_eq!((&rows[0][11], &rows[0][12], &rows[0][17]), (&Datum::I64(11), &Datum::F64(1.1), &Datum::I64(11)));
    }

    #[test]
    fn who_meets_others_adds_up_elsewhere() {
        let stats = StatementStats::new(0);
        let entry = stats.entry(Oid(10), Oid(5), normalized("SELECT 1", false), 0);
        entry.add(1, Took::Unknown, 1);
        assert!(entry.others.get().is_none());
        let held = entry.first.0.lock();
        entry.add(2, Took::Unknown, 1);
        drop(held);
        entry.add(3, Took::Unknown, 1);
        let calls: Vec<u64> = entry.parts().map(|part| part.0.lock().calls).collect();
        assert_eq!((calls, entry.sums().calls), (vec![1, 0, 0, 1, 1], 3));
    }

    #[test]
    fn tags_tell_of_rows() {
        assert_eq!([rows_of("SELECT 5"), rows_of("INSERT 0 7"), rows_of("CREATE TABLE"), rows_of("")], [5, 7, 0, 0]);
    }
}
