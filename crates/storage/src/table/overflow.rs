//! Overflow pages: values too long for a table page, in parts, lz4-compressed when that saves room.
//!
//! ```text
//!   header (128) | item offsets u16 * | ... free ... | items
//!   24 items u16   26 heap start u16
//!   item: length u16 | next block u32 | next item u16 | bytes
//! ```
//! An item offset of 0 is free. A value is a chain of items; the last has next block `u32::MAX`. Items never change, so pages need no
//! versions: whoever can see the row can follow its reference.

use std::sync::Arc;

use super::cell::OverflowRef;
use crate::codec::Put;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::ids::{RelId, Xid};
use crate::page::{self, HEADER_BYTES, PageKind, set_u16, u16_at, u32_at};
use crate::relation::{Persistence, RelKind, RelMeta, Relation};
use crate::txn::Transaction;
use crate::wal::Record;
use crate::wal::record::BlockRef;

const ITEMS_AT: usize = 24;
const HEAP_AT: usize = 26;
const ITEM_HEADER_BYTES: usize = 8;
const END: u32 = u32::MAX;
/// Shorter values are not worth compressing.
const PACKED_MIN_BYTES: usize = 128;
/// Most value bytes in one item.
const PART_BYTES: usize = 16 * 1024 - HEADER_BYTES - 2 - ITEM_HEADER_BYTES - 64;

/// Stores `bytes` for a row of `table`.
///
/// # Errors
/// As inserting a row.
pub fn store(db: &Arc<Database>, table: &Relation, txn: &mut Transaction, bytes: &[u8]) -> Result<OverflowRef> {
    let rel = overflow_relation(db, table, txn)?;
    let xid = txn.record_xid()?;
    let packed = if bytes.len() >= PACKED_MIN_BYTES { lz4_flex::compress(bytes) } else { Vec::new() };
    let compressed = !packed.is_empty() && packed.len() < bytes.len() - bytes.len() / 8;
    let stored = if compressed { &packed[..] } else { bytes };
    // Back to front, so that each part knows its successor.
    let (mut next_block, mut next_item) = (END, 0u16);
    let mut end = stored.len();
    while end > 0 {
        let start = (end - 1) / PART_BYTES * PART_BYTES;
        let mut item = Vec::with_capacity(end - start + ITEM_HEADER_BYTES);
        item.put_u16((end - start) as u16);
        item.put_u32(next_block);
        item.put_u16(next_item);
        item.extend_from_slice(&stored[start..end]);
        (next_block, next_item) = add_item(db, &rel, xid, &item)?;
        end = start;
    }
    let prefix = bytes[..4].try_into().expect("long values only");
    Ok(OverflowRef { raw_bytes: bytes.len() as u32, prefix, block: next_block, item: next_item, compressed })
}

/// The table's overflow relation, made on first need.
fn overflow_relation(db: &Arc<Database>, table: &Relation, txn: &mut Transaction) -> Result<Arc<Relation>> {
    if let Some(id) = table.overflow() {
        return db.relation(id);
    }
    let _growing = table.growth.lock();
    if let Some(id) = table.overflow() {
        return db.relation(id);
    }
    let _ = txn;
    let id = RelId(db.shared.new_oid()?);
    let meta = RelMeta::new(id, RelKind::Overflow, table.persistence, Vec::new());
    // Not part of the transaction: an empty overflow store does no harm, and others may use it before this one ends.
    if table.persistence == Persistence::Permanent {
        let mut bytes = Vec::new();
        meta.encode(&mut bytes);
        bytes.put_u32(table.id.0);
        db.shared.log.append(Xid(0), &Record::RelCreate { db: db.id, meta: &bytes })?;
    }
    let rel = Arc::new(Relation::new(db.id, &meta, None));
    db.insert_relation(rel.clone());
    table.set_overflow(id);
    Ok(rel)
}

fn add_item(db: &Database, rel: &Relation, xid: Xid, item: &[u8]) -> Result<(u32, u16)> {
    let append = |at: BlockRef, index: u16| {
        let record = Record::OverflowInsert { at, item: index, bytes: item };
        if rel.is_logged() { db.shared.log.append(xid, &record) } else { Ok(db.shared.log.end_lsn()) }
    };
    let mut candidates = rel.take_roomy().into_iter().chain(rel.blocks().checked_sub(1));
    let mut tried = None;
    let found = loop {
        let Some(block) = candidates.next() else { break None };
        if tried.replace(block) == Some(block) {
            continue;
        }
        let guard = db.write_block(rel, block)?;
        if let Some(index) = free_item(&guard, item.len()) {
            break Some((block, index, guard));
        }
    };
    let (block, index, mut guard) = match found {
        Some(found) => found,
        None => {
            let (block, guard) = db.add_block(rel, |bytes, at, page, class| {
                page::format(bytes, PageKind::Overflow, class, at.db, at.rel, page);
                let end = bytes.len() as u16;
                set_u16(bytes, HEAP_AT, end);
                let lsn = db.log_page(rel, &Record::TablePageFormat { at, capacity: 0 })?;
                Ok(lsn)
            })?;
            (block, 0, guard)
        }
    };
    let lsn = append(BlockRef { db: db.id, rel: rel.id, block }, index)?;
    put_item(&mut guard, index, item)?;
    page::set_lsn(&mut guard, lsn);
    guard.mark_dirty();
    Ok((block, index))
}

/// Formats an empty overflow page, for recovery.
pub(crate) fn format(bytes: &mut [u8], at: BlockRef, page: crate::ids::PageNo) {
    bytes.fill(0);
    page::format(bytes, PageKind::Overflow, crate::buffer::PageClass::Small, at.db, at.rel, page);
    let end = bytes.len() as u16;
    set_u16(bytes, HEAP_AT, end);
}

fn items(bytes: &[u8]) -> usize {
    u16_at(bytes, ITEMS_AT) as usize
}

/// Where item `index` lies; 0 when it is free, or so far behind that a page cannot have it.
fn offset(bytes: &[u8], index: usize) -> usize {
    let at = HEADER_BYTES + 2 * index;
    if at + 2 <= bytes.len() { u16_at(bytes, at) as usize } else { 0 }
}

/// Whether the items of a page lie in it.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    let n = items(bytes);
    let (first, heap) = (HEADER_BYTES + 2 * n, u16_at(bytes, HEAP_AT) as usize);
    if first > heap || heap > bytes.len() {
        return Err(format!("{n} items do not fit"));
    }
    for i in 0..n {
        let at = offset(bytes, i);
        if at != 0 && (at < heap || at + ITEM_HEADER_BYTES > bytes.len() || at + item_len(bytes, at) > bytes.len()) {
            return Err(format!("item {i} lies outside the page"));
        }
    }
    Ok(())
}

fn item_len(bytes: &[u8], at: usize) -> usize {
    u16_at(bytes, at) as usize + ITEM_HEADER_BYTES
}

/// An item number with room for `len` bytes behind it.
fn free_item(bytes: &[u8], len: usize) -> Option<u16> {
    let n = items(bytes);
    // Behind all that is there, as long as that goes; holes are looked for when the page seems full.
    if (u16_at(bytes, HEAP_AT) as usize) >= HEADER_BYTES + 2 * (n + 1) + len {
        return Some(n as u16);
    }
    let index = (0..n).find(|&i| offset(bytes, i) == 0).unwrap_or(n);
    let live: usize = (0..n).map(|i| offset(bytes, i)).filter(|&o| o != 0).map(|o| item_len(bytes, o)).sum();
    let room = bytes.len().saturating_sub(HEADER_BYTES + 2 * n.max(index + 1) + live);
    (room >= len).then_some(index as u16)
}

/// Stores an item, compacting when needed.
pub(crate) fn put_item(bytes: &mut [u8], index: u16, item: &[u8]) -> Result<()> {
    let index = index as usize;
    if index < items(bytes) && offset(bytes, index) != 0 {
        remove_item(bytes, index as u16);
    }
    let n = items(bytes).max(index + 1);
    if (u16_at(bytes, HEAP_AT) as usize) < HEADER_BYTES + 2 * n + item.len() {
        compact(bytes);
    }
    let heap = u16_at(bytes, HEAP_AT) as usize;
    if heap < HEADER_BYTES + 2 * n + item.len() {
        return Err(Error::Damaged("an overflow page has no room for what its log says".to_owned()));
    }
    let at = heap - item.len();
    bytes[at..at + item.len()].copy_from_slice(item);
    set_u16(bytes, HEAP_AT, at as u16);
    // Recovery leaves out the items of who did not commit: those before this one are free, whatever lay there before the last compaction.
    for free in items(bytes)..index {
        set_u16(bytes, HEADER_BYTES + 2 * free, 0);
    }
    set_u16(bytes, ITEMS_AT, n as u16);
    set_u16(bytes, HEADER_BYTES + 2 * index, at as u16);
    Ok(())
}

/// Frees an item.
pub(crate) fn remove_item(bytes: &mut [u8], index: u16) {
    if (index as usize) < items(bytes) {
        set_u16(bytes, HEADER_BYTES + 2 * index as usize, 0);
    }
}

fn compact(bytes: &mut [u8]) {
    let old = bytes.to_vec();
    let mut heap = bytes.len();
    for i in 0..items(&old) {
        let at = offset(&old, i);
        if at != 0 {
            let len = item_len(&old, at);
            heap -= len;
            bytes[heap..heap + len].copy_from_slice(&old[at..at + len]);
            set_u16(bytes, HEADER_BYTES + 2 * i, heap as u16);
        }
    }
    set_u16(bytes, HEAP_AT, heap as u16);
}

fn damaged(rel: &Relation, block: u32) -> Error {
    Error::Damaged(format!("a large value of relation {} is missing a part in block {block}", rel.id))
}

/// Reads a value back.
///
/// # Errors
/// `Io`, `Corrupt`; `Damaged` when a part is missing.
pub fn fetch(db: &Database, table: &Relation, value: &OverflowRef) -> Result<Vec<u8>> {
    let rel = db.relation(table.overflow().unwrap_or_default())?;
    let mut stored = Vec::new();
    walk(db, &rel, value, |bytes, at| {
        let len = u16_at(bytes, at) as usize;
        stored.extend_from_slice(&bytes[at + ITEM_HEADER_BYTES..at + ITEM_HEADER_BYTES + len]);
        // A chain that comes back to itself, or to another value's, ends here.
        len > 0 && stored.len() <= value.raw_bytes as usize
    })?;
    if !value.compressed {
        return if stored.len() == value.raw_bytes as usize { Ok(stored) } else { Err(damaged(&rel, value.block)) };
    }
    lz4_flex::decompress(&stored, value.raw_bytes as usize).map_err(|_| damaged(&rel, value.block))
}

fn walk(db: &Database, rel: &Relation, value: &OverflowRef, mut f: impl FnMut(&[u8], usize) -> bool) -> Result<()> {
    let (mut block, mut item) = (value.block, value.item as usize);
    while block != END {
        let guard = db.read_block(rel, block)?;
        if item >= items(&guard) || offset(&guard, item) == 0 {
            return Err(damaged(rel, block));
        }
        let at = offset(&guard, item);
        let whole = at + ITEM_HEADER_BYTES <= guard.len() && at + item_len(&guard, at) <= guard.len();
        if !whole || !f(&guard, at) {
            return Err(damaged(rel, block));
        }
        (block, item) = (u32_at(&guard, at + 2), u16_at(&guard, at + 6) as usize);
    }
    Ok(())
}

/// Frees a value's parts.
///
/// # Errors
/// `Io`, `Corrupt`, `Poisoned`.
pub fn free(db: &Database, table: &Relation, value: &OverflowRef) -> Result<()> {
    let rel = db.relation(table.overflow().unwrap_or_default())?;
    let (mut block, mut item) = (value.block, value.item);
    while block != END {
        let mut guard = db.write_block(&rel, block)?;
        if item as usize >= items(&guard) || offset(&guard, item as usize) == 0 {
            return Err(damaged(&rel, block));
        }
        let at = offset(&guard, item as usize);
        let next = (u32_at(&guard, at + 2), u16_at(&guard, at + 6));
        let at = BlockRef { db: db.id, rel: rel.id, block };
        let lsn = db.log_page(&rel, &Record::OverflowDelete { at, item })?;
        remove_item(&mut guard, item);
        page::set_lsn(&mut guard, lsn);
        guard.mark_dirty();
        drop(guard);
        rel.note_room(block);
        (block, item) = next;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(len: usize) -> Vec<u8> {
        let mut item = Vec::new();
        item.put_u16(len as u16);
        item.put_u32(END);
        item.put_u16(0);
        item.resize(len + ITEM_HEADER_BYTES, 0xEE);
        item
    }

    #[test]
    fn items_that_recovery_leaves_out_are_free() {
        let mut bytes = vec![0u8; 16 * 1024];
        set_u16(&mut bytes, HEAP_AT, 16 * 1024);
        // Down to where the numbers of items are, and compacted: what lies there now is none of them.
        put_item(&mut bytes, 0, &item(4000)).unwrap();
        put_item(&mut bytes, 1, &item(12_200)).unwrap();
        remove_item(&mut bytes, 1);
        compact(&mut bytes);
        put_item(&mut bytes, 90, &item(100)).unwrap();
        check(&bytes).unwrap();
        assert!((2..90).all(|i| offset(&bytes, i) == 0));
    }
}
