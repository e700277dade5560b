//! The only entry with a key, found without a latch.

use super::node::{self, NodeBytes, ROW_ID_BYTES};
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
struct Entries<'k>(&'k [u8]);

impl Look for Entries<'_> {
    type Seen = Single;

    fn look(&self, b: impl NodeBytes) -> Single {
        let key = self.0;
        let (index, found) = node::beginning_with(b, key);
        // They may go on in the next leaf, if this one ends with them.
        let goes_on = index + found >= node::count(b) && node::high_begins(b, key);
        let (at, len) = node::place(b, index);
        match found {
            _ if goes_on => return Single::Unclear,
            0 => return Single::None,
            1 if len == key.len() + ROW_ID_BYTES => {}
            _ => return Single::Unclear,
        }
        let id = at + key.len();
        let half = |at: usize| u32::from(b.u16_at(at).swap_bytes());
        Single::One(RowId { block: half(id) << 16 | half(id + 2), slot: half(id + 4) as u16 })
    }
}

impl Btree {
    /// The row of the only entry whose key is `key`, or whose key begins with it where that is a part.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    pub fn single(&self, key: &[u8]) -> Result<Single> {
        Ok(self.descend(key, false, 0, &Entries(key))?.1)
    }
}
