//! What entries carry between key and row id: values that are read, not compared, in trees whose relation names their forms.
//!
//! `key | cell per value | length of the cells u16 big-endian`: the length stands last, so that keys end where it says. To the tree all of it is
//! the key; who asks whose key it is takes it off with [`Btree::bare`].

use types::{Datum, Physical};

use super::{Btree, node};
use crate::codec::Take;
use crate::error::Result;
use crate::table::cell::{self, Cell};

/// Bytes of the length.
const LENGTH_BYTES: usize = 2;

/// A key with what it carries, taken apart.
fn parts(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (rest, length) = key.split_last_chunk::<LENGTH_BYTES>()?;
    rest.split_at_checked(rest.len().checked_sub(u16::from_be_bytes(*length) as usize)?)
}

impl Btree {
    /// Forms of the values that its entries carry.
    pub fn carries(&self) -> &[Physical] {
        self.rel.layout.columns()
    }

    /// `key` without what it carries.
    #[inline]
    pub fn bare<'k>(&self, key: &'k [u8]) -> &'k [u8] {
        if self.carries().is_empty() {
            return key;
        }
        parts(key).map_or(key, |p| p.0)
    }

    /// Appends `values`, one for each of [`Btree::carries`], to a bare key.
    pub fn carry(&self, key: &mut Vec<u8>, values: impl IntoIterator<Item = Datum>) {
        if self.carries().is_empty() {
            return;
        }
        let start = key.len();
        for (&form, value) in self.carries().iter().zip(values) {
            cell::encode(key, form, &Cell::of(&value));
        }
        // What is longer is no entry: the tree refuses it.
        let length = u16::try_from(key.len() - start).unwrap_or(u16::MAX);
        key.extend_from_slice(&length.to_be_bytes());
    }

    /// Calls `f` with the number and value of what `key` carries.
    ///
    /// # Errors
    /// `Damaged` when it is not what the tree's relation says.
    pub fn each_carried<'k>(&self, key: &'k [u8], mut f: impl FnMut(usize, Cell<'k>)) -> Result<()> {
        let mut t = Take(parts(key).map_or(&[], |p| p.1));
        for (i, &form) in self.carries().iter().enumerate() {
            f(i, cell::decode(&mut t, form)?);
        }
        Ok(())
    }

    /// Whether what the entries of a leaf carry has its form.
    pub(super) fn check_carried(&self, bytes: &[u8]) -> std::result::Result<(), String> {
        if self.carries().is_empty() || node::level(bytes) > 0 {
            return Ok(());
        }
        for i in 0..node::count(bytes) {
            let mut length = LENGTH_BYTES;
            let key = node::key(bytes, i);
            self.each_carried(&key, |n, cell| {
                let mut encoded = Vec::new();
                cell::encode(&mut encoded, self.carries()[n], &cell);
                length += encoded.len();
            })
            .map_err(|e| format!("entry {i} carries something else than its index: {e}"))?;
            if self.bare(&key).len() + length != key.len() {
                return Err(format!("entry {i} carries more than its index"));
            }
        }
        Ok(())
    }
}
