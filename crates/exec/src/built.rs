//! `Built`: the right input of a join, by key.
//!
//! Rows that threads have made already (`Operator::take_made`) are hashed by as many threads: keys are dealt out by their hashes, and each thread makes the table of one
//! share. Which share a key is of depends on the key alone, so those who look it up go to one table.

use std::sync::Arc;

use env::sync::Mutex;
use types::{Oid, Result};
use vector::{Chunk, Vector};

use crate::Context;
use crate::key_table::{KeyTable, Keys};
use crate::narrow::KeyFilter;
use crate::parallel::spread;

/// A row that no key has.
pub const NO_KEY: u32 = u32::MAX;

/// The right input, by key.
pub struct Built {
    pub rows: Chunk,
    /// Shares of the keys; one without equalities, which has all rows for whatever key.
    shares: Vec<Share>,
    /// Filters by the number of their equality, of those that somebody asked for.
    filters: Mutex<Vec<(usize, Option<Arc<KeyFilter>>)>>,
}

/// Some keys, and their rows.
struct Share {
    /// What they are, and where the rows of each start in `all`; unused without equalities.
    table: KeyTable,
    starts: Vec<u32>,
    /// Rows by key; in their order without equalities.
    all: Vec<u32>,
}

impl Share {
    /// Rows of the same key stand together, in their order: `rows` with the numbers that `table` has for their keys, or [`NO_KEY`].
    fn of(table: KeyTable, rows: impl Iterator<Item = (u32, u32)> + Clone) -> Share {
        let keyed = rows.filter(|(_, k)| *k != NO_KEY);
        let mut starts = vec![0; table.len() + 1];
        keyed.clone().for_each(|(_, k)| starts[k as usize + 1] += 1);
        for k in 1..starts.len() {
            starts[k] += starts[k - 1];
        }
        let mut next = starts.clone();
        let mut all = vec![0; starts.last().copied().unwrap_or(0) as usize];
        for (row, k) in keyed {
            all[next[k as usize] as usize] = row;
            next[k as usize] += 1;
        }
        Share { table, starts, all }
    }

    fn held_bytes(&self) -> usize {
        self.table.held_bytes() + 4 * (self.starts.len() + self.all.len())
    }
}

/// What a thread makes of rows that are there.
enum Task {
    Share(usize),
    Column(usize),
}

enum Done {
    Share(Share),
    Column(Vector),
}

impl Built {
    /// Of rows that have no keys.
    pub fn without_keys(rows: Chunk, table: KeyTable) -> Built {
        let all = (0..rows.rows as u32).collect();
        Built { rows, shares: vec![Share { table, starts: Vec::new(), all }], filters: Mutex::default() }
    }

    /// Of rows whose keys have these numbers in `table`, or [`NO_KEY`].
    pub fn of(rows: Chunk, table: KeyTable, key_of: &[u32]) -> Built {
        let share = Share::of(table, (0..).zip(key_of.iter().copied()));
        Built { rows, shares: vec![share], filters: Mutex::default() }
    }

    /// Of chunks whose keys are these `columns` of these `types`, by so many threads; how many bytes it holds beside its rows.
    ///
    /// # Errors
    /// What encoding keys says; a cancel.
    pub fn of_chunks(
        chunks: &[Chunk],
        (columns, types): (&[usize], &[Oid]),
        threads: usize,
        ctx: &mut Context<'_>,
    ) -> Result<(Built, usize)> {
        let like = KeyTable::new(types, true);
        let (each, like) = (chunks.len().div_ceil(4 * threads).max(1), &like);
        let keys = spread(chunks.chunks(each).collect(), ctx, |chunks: &[Chunk], ctx| {
            ctx.check_interrupts()?;
            let of = |chunk: &Chunk| {
                let values: Vec<&Vector> = columns.iter().map(|&c| &chunk.columns[c]).collect();
                let mut keys = Keys::default();
                like.keys(&values, types, chunk.rows, ctx, &mut keys).map(|()| keys)
            };
            chunks.iter().map(of).collect::<Result<Vec<Keys>>>()
        })?;
        let keys: Vec<Keys> = keys.into_iter().flatten().collect();
        let width = chunks.first().map_or(0, |chunk| chunk.columns.len());
        let tasks = (0..threads).map(Task::Share).chain((0..width).map(Task::Column)).collect();
        let keys = &keys;
        let done = spread(tasks, ctx, |task, ctx| {
            ctx.check_interrupts()?;
            Ok(match task {
                Task::Share(share) => Done::Share(share_of(share, threads, (chunks, keys), like.like())),
                Task::Column(column) => Done::Column(whole_column(chunks, column)),
            })
        })?;
        let mut rows = Chunk { columns: Vec::new(), rows: chunks.iter().map(|chunk| chunk.rows).sum() };
        let mut shares = Vec::new();
        for done in done {
            match done {
                Done::Share(share) => shares.push(share),
                Done::Column(column) => rows.columns.push(column),
            }
        }
        let held = shares.iter().map(Share::held_bytes).sum();
        Ok((Built { rows, shares, filters: Mutex::default() }, held))
    }

    /// What makes keys that it can be asked for.
    pub fn table(&self) -> &KeyTable {
        &self.shares[0].table
    }

    /// All rows, of one that has no keys.
    pub fn all(&self) -> &[u32] {
        &self.shares[0].all
    }

    /// Rows that have key `i`.
    #[inline]
    pub fn rows_of(&self, keys: &Keys, i: usize) -> &[u32] {
        if keys.is_void(i) {
            return &[];
        }
        let share = match &self.shares[..] {
            [only] => only,
            shares => &shares[keys.part(i, shares.len(), 0)],
        };
        match share.table.find(keys, i) {
            Some(k) => &share.all[share.starts[k as usize] as usize..share.starts[k as usize + 1] as usize],
            None => &[],
        }
    }

    /// The filter of equality `i`, whose right side is column `key`.
    pub fn filter(&self, i: usize, key: usize) -> Option<Arc<KeyFilter>> {
        let mut filters = self.filters.lock();
        if let Some((_, known)) = filters.iter().find(|f| f.0 == i) {
            return known.clone();
        }
        let made = self.rows.columns.get(key).and_then(KeyFilter::of).map(Arc::new);
        filters.push((i, made.clone()));
        made
    }
}

/// One of so many shares of the keys of some chunks.
fn share_of(share: usize, shares: usize, (chunks, keys): (&[Chunk], &[Keys]), mut table: KeyTable) -> Share {
    let mut found: Vec<(u32, u32)> = Vec::new();
    let mut first = 0;
    for (chunk, keys) in chunks.iter().zip(keys) {
        for i in (0..chunk.rows).filter(|&i| !keys.is_void(i) && keys.part(i, shares, 0) == share) {
            found.push((first + i as u32, table.number(keys, i).0));
        }
        first += chunk.rows as u32;
    }
    Share::of(table, found.into_iter())
}

/// A column of all chunks. What is absent stays so.
fn whole_column(chunks: &[Chunk], column: usize) -> Vector {
    let mut whole = empty_like(&chunks[0].columns[column]);
    chunks.iter().for_each(|chunk| whole.extend_selected(&chunk.columns[column], 0..chunk.rows));
    whole
}

/// An empty vector of the form of `v`.
pub fn empty_like(v: &Vector) -> Vector {
    let mut v = v.select(&[]);
    v.clear();
    v
}
