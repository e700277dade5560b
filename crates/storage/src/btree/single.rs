//! The only entry with a key, found without a latch.

use super::node::{self, NodeBytes, ROW_ID_BYTES, Sought};
use super::tree::{Btree, Look};
use crate::error::Result;
use crate::ids::RowId;

/// What there is of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Single {
    /// No entry.
    None,
    /// One, of this row.
    One(RowId),
    /// It takes a scan to tell: there are several, or they carry values.
    Unclear,
}

/// Looks for the entries of a key in the leaf that covers it.
struct Entries;

impl Look for Entries {
    type Seen = Single;

    #[inline]
    fn look(&self, b: impl NodeBytes, key: &Sought<'_>, is_covered: bool) -> Option<Single> {
        if let Some(index) = node::only_beginning_with(b, key)
            && let (len, row) = node::length_and_row(b, index)
            && len == key.bytes().len() + ROW_ID_BYTES
        {
            return Some(Single::One(row));
        }
        let (index, found) = node::beginning_with(b, key);
        if !is_covered && index >= node::count(b) {
            return None;
        }
        let key = key.bytes();
        // They may go on in the next leaf, if this one ends with them.
        if index + found >= node::count(b) && node::high_begins(b, key) {
            return Some(Single::Unclear);
        }
        if found == 0 {
            return Some(Single::None);
        }
        let (len, row) = node::length_and_row(b, index);
        let is_one = found == 1 && len == key.len() + ROW_ID_BYTES;
        Some(if is_one { Single::One(row) } else { Single::Unclear })
    }
}

impl Btree {
    /// The row of the only entry whose key is `key`, or whose key begins with it where that is a part.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    pub fn single(&self, key: &[u8]) -> Result<Single> {
        Ok(self.descend(key, false, 0, &Entries)?.1)
    }
}
