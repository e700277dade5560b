//! Whether a node's bytes make sense.

use super::search::head_of;
use super::{
    CHILD_BYTES, COUNT_AT, HEAP_AT, HIGH_AT, LOW_AT, PREFIX_MAX, ROW_ID_BYTES, compared, entries_end, high, level, low,
    shared, slot_at, stride,
};
use crate::page::{u16_at, u32_at};

/// Whether the node keeps T1 and its offsets stay inside the page.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let n = u16_at(bytes, COUNT_AT) as usize;
    let heap = u16_at(bytes, HEAP_AT) as usize;
    let end = entries_end(bytes, n);
    if end > bytes.len() {
        return Err(format!("{n} entries do not fit"));
    }
    if heap < end || heap > bytes.len() {
        return Err("the heap overlaps the entries".to_owned());
    }
    let inside = |at: usize, len: usize| at >= heap && at + len <= bytes.len();
    match stride(bytes) {
        0 => check_slots(bytes, n, inside)?,
        stride if stride < ROW_ID_BYTES || shared(bytes) > PREFIX_MAX || n == 0 || level(bytes) > 0 => {
            return Err("it is packed, and cannot be".to_owned());
        }
        _ => {}
    }
    for at in [HIGH_AT, LOW_AT] {
        let (offset, len) = (u16_at(bytes, at) as usize, u16_at(bytes, at + 2) as usize);
        let absent = len == 0 && offset <= bytes.len();
        if !absent && !inside(offset, len) {
            return Err("a fence lies outside the page".to_owned());
        }
    }
    let mut before: Option<Vec<u8>> = None;
    for i in 0..n {
        let key = compared(bytes, i).to_vec();
        if before.is_some_and(|before| before >= key) {
            return Err(format!("T1: entries {} and {i} are out of order", i - 1));
        }
        if &*key < low(bytes) || high(bytes).is_some_and(|h| &*key >= h) {
            return Err(format!("T1: entry {i} lies outside the fences"));
        }
        before = Some(key);
    }
    Ok(())
}

/// Whether the `n` slots of a slotted node say what its heap has.
fn check_slots(bytes: &[u8], n: usize, inside: impl Fn(usize, usize) -> bool) -> Result<(), String> {
    let (shared, shortest) = (shared(bytes), if level(bytes) > 0 { CHILD_BYTES } else { ROW_ID_BYTES });
    for i in 0..n {
        let slot = slot_at(i);
        let (at, len) = (u16_at(bytes, slot) as usize, u16_at(bytes, slot + 2) as usize);
        if !inside(at, len) {
            return Err(format!("entry {i} lies outside the page"));
        }
        if len < shortest {
            return Err(format!("entry {i} has {len} bytes only"));
        }
        let Some((start, rest)) = compared(bytes, i).rest.split_at_checked(shared) else {
            return Err(format!("entry {i} has less than the {shared} bytes that all have"));
        };
        if !compared(bytes, 0).rest.starts_with(start) {
            return Err(format!("entry {i} does not begin with the {shared} bytes that all have"));
        }
        // Before version 4, heads of short separators went on with the child.
        let decided = u32::MAX.checked_shl(32 - 8 * rest.len().min(4) as u32).unwrap_or(0);
        if (u32_at(bytes, slot + 4) ^ head_of(rest)) & decided != 0 {
            return Err(format!("entry {i} has another head than its slot says"));
        }
    }
    Ok(())
}
