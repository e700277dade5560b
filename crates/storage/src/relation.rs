//! `Relation`: a table, index, sequence or overflow store as storage knows it: its form, its pages, its place for the next row.
//!
//! Page numbers cost nothing until a page is written, so a relation takes them in runs that double: extent 0 has one page, extent
//! k has `2^(k-1)` up to 1024. Block number to page number is arithmetic on a short list.

mod extents;
mod scans;

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use env::sync::Mutex;
use types::Physical;

use extents::Extents;
use scans::Scans;

use crate::buffer::PageClass;
use crate::codec::{Put, Take};
use crate::error::{Error, Result};
use crate::ids::{DbId, PageNo, RelId};
use crate::lock::OwnerId;
use crate::table::{EntryShape, Layout};
use crate::txn::{TxnState, WriteKind};

pub use scans::ScanCounts;

/// What a relation holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum RelKind {
    /// Rows.
    Table = 1,
    /// A B-tree.
    Btree = 2,
    /// Large values of a table.
    Overflow = 3,
    /// A sequence.
    Sequence = 4,
}

/// Whether and how a relation survives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Persistence {
    /// Logged.
    Permanent = 0,
    /// Not logged, empty after a crash. (Written by checkpoints; recovery empties it.)
    Unlogged = 1,
    /// Not logged, gone with its session.
    Temporary = 2,
}

/// A relation's description as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct RelMeta {
    /// Its number in its database.
    pub id: RelId,
    /// What it holds.
    pub kind: RelKind,
    /// Whether it survives.
    pub persistence: Persistence,
    /// Forms of its columns, for tables.
    pub columns: Vec<Physical>,
    /// The overflow relation of a table; 0 when it has none yet.
    pub overflow: RelId,
    /// Blocks in use.
    pub blocks: u32,
    /// First pages of its extents.
    pub extents: Vec<PageNo>,
    /// A sequence's last number.
    pub last: i64,
    /// Whether `last` was handed out.
    pub called: bool,
}

impl RelMeta {
    /// An empty relation.
    pub fn new(id: RelId, kind: RelKind, persistence: Persistence, columns: Vec<Physical>) -> RelMeta {
        RelMeta {
            id,
            kind,
            persistence,
            columns,
            overflow: RelId(0),
            blocks: 0,
            extents: Vec::new(),
            last: 1,
            called: false,
        }
    }

    /// Appends it to a blob or record.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.id.0);
        out.put_u8(self.kind as u8);
        out.put_u8(self.persistence as u8);
        out.put_u16(self.columns.len() as u16);
        out.extend(self.columns.iter().map(|&c| c as u8));
        out.put_u32(self.overflow.0);
        out.put_u32(self.blocks);
        out.put_u32(self.extents.len() as u32);
        for e in &self.extents {
            out.put_u32(e.0);
        }
        out.put_u64(self.last as u64);
        out.put_u8(u8::from(self.called));
    }

    /// The inverse of [`RelMeta::encode`].
    ///
    /// # Errors
    /// `Damaged`.
    pub fn decode(t: &mut Take<'_>) -> Result<RelMeta> {
        let damaged = || Error::Damaged("a relation's description is damaged".to_owned());
        let id = RelId(t.u32()?);
        let kind = match t.u8()? {
            1 => RelKind::Table,
            2 => RelKind::Btree,
            3 => RelKind::Overflow,
            4 => RelKind::Sequence,
            _ => return Err(damaged()),
        };
        let persistence = match t.u8()? {
            0 => Persistence::Permanent,
            1 => Persistence::Unlogged,
            2 => Persistence::Temporary,
            _ => return Err(damaged()),
        };
        let n = t.u16()? as usize;
        let columns =
            t.slice(n)?.iter().map(|&c| Physical::from_tag(c)).collect::<Option<Vec<_>>>().ok_or_else(damaged)?;
        let (overflow, blocks) = (RelId(t.u32()?), t.u32()?);
        let n = t.u32()?;
        let extents = (0..n).map(|_| Ok(PageNo(t.u32()?))).collect::<Result<Vec<_>>>()?;
        Ok(RelMeta {
            id,
            kind,
            persistence,
            columns,
            overflow,
            blocks,
            extents,
            last: t.u64()? as i64,
            called: t.u8()? != 0,
        })
    }
}

/// Pages in extent `index`.
pub fn extent_pages(index: usize) -> u32 {
    if index == 0 { 1 } else { 1 << (index - 1).min(10) }
}

/// The extent of `block`, and which of its pages it is.
pub fn extent_of(block: u32) -> (usize, u32) {
    match block {
        0 => (0, 0),
        b if b < 2048 => {
            let k = 32 - b.leading_zeros();
            (k as usize, b - (1 << (k - 1)))
        }
        b => (12 + ((b - 2048) / 1024) as usize, (b - 2048) % 1024),
    }
}

/// How many places for the next row a table keeps, so that writers do not meet.
const TARGETS: usize = 8;

/// An open relation.
pub struct Relation {
    /// Its database.
    pub db: DbId,
    /// Its number.
    pub id: RelId,
    /// What it holds.
    pub kind: RelKind,
    /// Whether it survives.
    pub persistence: Persistence,
    /// Its columns.
    pub layout: Layout,
    /// Who made it, until that is committed and old.
    pub creator: Mutex<Option<Arc<TxnState>>>,
    /// Set when a transaction that dropped it has committed.
    pub dropped: AtomicBool,
    first_class: PageClass,
    other_class: PageClass,
    blocks: AtomicU32,
    extents: Extents,
    overflow: AtomicU32,
    /// Serialises growth.
    pub(crate) growth: Mutex<()>,
    targets: [AtomicU32; TARGETS],
    /// Blocks that were found to have room.
    roomy: Mutex<Vec<u32>>,
    /// Running estimate of heap bytes per row, times 16.
    heap_per_row_x16: AtomicI64,
    sequence: Mutex<SequenceState>,
    /// Rows that committed transactions have inserted, changed and deleted since it was opened, and those of others.
    counts: [AtomicU64; 3],
    undone: [AtomicU64; 3],
    scans: Scans,
    /// What was counted of the storage that it stands in for.
    predecessor: OnceLock<Predecessor>,
    /// What is known of its blocks' values.
    zones: crate::zones::Zones,
    /// Bumped whenever what a checkpoint stores of it changed.
    pub(crate) changes: AtomicU64,
    /// How entries of its indexes follow from its rows, as far as those who write it have said.
    shapes: Mutex<Option<Arc<[EntryShape]>>>,
}

/// What was counted of storage that other storage stands in for (TRUNCATE, REINDEX): a table's counts go on.
#[derive(Clone, Copy, Default, Debug)]
pub struct Predecessor {
    /// Rows that were inserted, changed and deleted.
    pub attempts: [u64; 3],
    /// Its scans.
    pub scans: ScanCounts,
    /// Whether its rows were left behind.
    pub is_emptied: bool,
}

/// A sequence in memory.
#[derive(Clone, Copy, Debug)]
pub struct SequenceState {
    /// The last number.
    pub last: i64,
    /// Whether it was handed out.
    pub called: bool,
    /// Numbers that may still be handed out without a log record.
    pub logged_ahead: u32,
    /// What the log says: after a crash the sequence goes on from here.
    pub durable_last: i64,
    /// Likewise.
    pub durable_called: bool,
}

impl Relation {
    /// Opens what `meta` describes.
    pub fn new(db: DbId, meta: &RelMeta, creator: Option<Arc<TxnState>>) -> Relation {
        let layout = Layout::new(meta.columns.clone());
        let (first_class, other_class) = match meta.kind {
            RelKind::Table => (layout.first_class(), PageClass::Large),
            _ => (PageClass::Small, PageClass::Small),
        };
        let last_block = meta.blocks.saturating_sub(1);
        let var_columns = meta.columns.iter().filter(|&&c| c == Physical::Var).count() as i64;
        Relation {
            db,
            id: meta.id,
            kind: meta.kind,
            persistence: meta.persistence,
            layout,
            creator: Mutex::new(creator),
            dropped: AtomicBool::new(false),
            first_class,
            other_class,
            blocks: AtomicU32::new(meta.blocks),
            extents: Extents::new(&meta.extents),
            overflow: AtomicU32::new(meta.overflow.0),
            growth: Mutex::new(()),
            targets: std::array::from_fn(|_| AtomicU32::new(last_block)),
            roomy: Mutex::new(Vec::new()),
            heap_per_row_x16: AtomicI64::new(var_columns * 12 * 16),
            sequence: Mutex::new(SequenceState {
                last: meta.last,
                called: meta.called,
                logged_ahead: 0,
                durable_last: meta.last,
                durable_called: meta.called,
            }),
            counts: Default::default(),
            undone: Default::default(),
            scans: Scans::default(),
            predecessor: OnceLock::new(),
            zones: crate::zones::Zones::default(),
            changes: AtomicU64::new(1),
            shapes: Mutex::new(None),
        }
    }

    /// What a checkpoint stores of it.
    pub fn meta(&self) -> RelMeta {
        let sequence = *self.sequence.lock();
        RelMeta {
            id: self.id,
            kind: self.kind,
            persistence: self.persistence,
            columns: self.layout.columns().to_vec(),
            overflow: RelId(self.overflow.load(Ordering::Acquire)),
            blocks: self.blocks(),
            extents: self.extents.all(),
            last: sequence.durable_last,
            called: sequence.durable_called,
        }
    }

    /// Whether changes to it are logged.
    pub fn is_logged(&self) -> bool {
        self.persistence == Persistence::Permanent
    }

    /// What is known of its blocks' values.
    #[inline]
    pub fn zones(&self) -> &crate::zones::Zones {
        &self.zones
    }

    /// Blocks in use.
    #[inline]
    pub fn blocks(&self) -> u32 {
        self.blocks.load(Ordering::Acquire)
    }

    /// Says that blocks up to `count` are in use.
    pub fn set_blocks(&self, count: u32) {
        if self.blocks.fetch_max(count, Ordering::AcqRel) < count {
            self.touch();
        }
    }

    pub(crate) fn touch(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// Size of `block`.
    #[inline]
    pub fn class(&self, block: u32) -> PageClass {
        if block == 0 { self.first_class } else { self.other_class }
    }

    /// Bytes of its pages.
    pub fn size_bytes(&self) -> u64 {
        (0..self.blocks().min(2)).map(|b| self.class(b).bytes() as u64).sum::<u64>()
            + u64::from(self.blocks().saturating_sub(2)) * self.other_class.bytes() as u64
    }

    /// Size and page number of `block`.
    ///
    /// # Errors
    /// `Damaged` for a block that the relation does not have.
    #[inline]
    pub fn locate(&self, block: u32) -> Result<(PageNo, PageClass)> {
        let (extent, index) = extent_of(block);
        let class = self.class(block);
        match self.extents.get(extent) {
            Some(start) => Ok((PageNo(start.0 + index * class.units()), class)),
            None => Err(Error::Damaged(format!("relation {} of database {} has no block {block}", self.id, self.db))),
        }
    }

    /// How many extents it has.
    pub fn extent_count(&self) -> usize {
        self.extents.len()
    }

    /// First page and unit count of every extent.
    pub fn extent_ranges(&self) -> Vec<(PageNo, u32)> {
        self.extents.all().into_iter().enumerate().map(|(i, start)| (start, self.extent_units(i))).collect()
    }

    /// Page numbers that extent `index` takes.
    pub fn extent_units(&self, index: usize) -> u32 {
        let class = if index == 0 { self.first_class } else { self.other_class };
        extent_pages(index) * class.units()
    }

    /// Adds an extent, or overwrites it when recovery sees it again.
    pub fn set_extent(&self, index: usize, start: PageNo) {
        self.extents.set(index, start);
        self.touch();
    }

    /// The table's overflow relation.
    pub fn overflow(&self) -> Option<RelId> {
        match self.overflow.load(Ordering::Acquire) {
            0 => None,
            id => Some(RelId(id)),
        }
    }

    /// Sets the table's overflow relation.
    pub fn set_overflow(&self, id: RelId) {
        self.overflow.store(id.0, Ordering::Release);
        self.touch();
    }

    /// A place for the next row, for writer `lane`.
    pub fn target(&self, lane: usize) -> &AtomicU32 {
        &self.targets[lane % TARGETS]
    }

    /// Remembers that `block` has room.
    pub fn note_room(&self, block: u32) {
        let mut roomy = self.roomy.lock();
        if roomy.len() < 4096 && !roomy.contains(&block) {
            roomy.push(block);
        }
    }

    /// Takes a block that was noted to have room.
    pub fn take_roomy(&self) -> Option<u32> {
        self.roomy.lock().pop()
    }

    /// Heap bytes that a row of this table needs, as seen so far.
    pub fn expected_heap_bytes(&self) -> usize {
        (self.heap_per_row_x16.load(Ordering::Relaxed) / 16).clamp(0, 16 << 10) as usize
    }

    /// Learns from a row.
    #[inline]
    pub fn observe_heap_bytes(&self, bytes: usize) {
        let old = self.heap_per_row_x16.load(Ordering::Relaxed);
        let new = old + (bytes as i64 * 16 - old) / 32;
        if new != old {
            self.heap_per_row_x16.store(new, Ordering::Relaxed);
        }
    }

    /// Counts rows of a transaction that has committed.
    pub(crate) fn count(&self, kind: WriteKind, rows: u64) {
        self.counts[kind as usize].fetch_add(rows, Ordering::Relaxed);
    }

    /// Rows that committed transactions have inserted, changed and deleted since it was opened.
    pub fn counts(&self) -> [u64; 3] {
        std::array::from_fn(|i| self.counts[i].load(Ordering::Relaxed))
    }

    /// Counts rows whose writing was undone.
    pub(crate) fn count_undone(&self, kind: WriteKind, rows: u64) {
        self.undone[kind as usize].fetch_add(rows, Ordering::Relaxed);
    }

    /// Rows that were inserted, changed and deleted since it was opened, also by those who did not commit.
    pub fn attempts(&self) -> [u64; 3] {
        let committed = self.counts();
        std::array::from_fn(|i| committed[i] + self.undone[i].load(Ordering::Relaxed))
    }

    /// It stands in for other storage from now on, whose counts go on with its own; whether without its rows.
    pub fn succeed(&self, old: &Relation, is_empty: bool) {
        let mut before = old.predecessor().unwrap_or_default();
        before.attempts.iter_mut().zip(old.attempts()).for_each(|(sum, n)| *sum += n);
        let scans = old.scan_counts();
        (before.scans.scans, before.scans.rows) = (before.scans.scans + scans.scans, before.scans.rows + scans.rows);
        before.is_emptied = is_empty;
        // A relation is made for one place.
        let _ = self.predecessor.set(before);
    }

    /// What was counted before it was made, of what it stands in for.
    pub fn predecessor(&self) -> Option<Predecessor> {
        self.predecessor.get().copied()
    }

    /// Counts scans of it that `owner` has begun, and rows that they found.
    #[inline]
    pub fn count_scan(&self, owner: OwnerId, scans: u64, rows: u64) {
        self.scans.add(owner.0, scans, rows);
    }

    /// How often it was scanned since it was opened, and how many rows that found.
    pub fn scan_counts(&self) -> ScanCounts {
        self.scans.get()
    }

    /// All of these together.
    pub fn changed_rows(&self) -> u64 {
        self.counts().iter().sum()
    }

    /// Says how the entries of indexes follow from its rows; whoever writes a row of it says so before, of all such indexes there are. For
    /// those nothing need be noted when a row appears or goes.
    pub fn set_shapes(&self, shapes: Vec<EntryShape>) {
        let mut now = self.shapes.lock();
        if now.as_deref() != Some(&shapes[..]) {
            *now = Some(shapes.into());
        }
    }

    /// What [`Relation::set_shapes`] said last.
    pub(crate) fn shapes(&self) -> Option<Arc<[EntryShape]>> {
        self.shapes.lock().clone()
    }

    /// The sequence's state.
    pub fn sequence(&self) -> &Mutex<SequenceState> {
        &self.sequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_fill_extents_in_order() {
        let (mut extent, mut index) = (0usize, 0u32);
        for block in 0..10_000 {
            assert_eq!(extent_of(block), (extent, index), "block {block}");
            index += 1;
            if index == extent_pages(extent) {
                (extent, index) = (extent + 1, 0);
            }
        }
    }

    #[test]
    fn descriptions_survive_encoding() {
        let mut meta =
            RelMeta::new(RelId(7), RelKind::Table, Persistence::Permanent, vec![Physical::I32, Physical::Var]);
        meta.extents = vec![PageNo(3), PageNo(8)];
        meta.blocks = 2;
        let mut bytes = Vec::new();
        meta.encode(&mut bytes);
        assert_eq!(RelMeta::decode(&mut Take(&bytes)).unwrap(), meta);
        assert!(RelMeta::decode(&mut Take(&bytes[..bytes.len() - 1])).is_err());
    }
}
