//! Spilling: version maps of pages that left memory leave it too, when all of them together are too large.
//!
//! The stored form is of this process only: it names transactions by their place in a list that stays in memory. After a crash nobody
//! looks at it, and its slots are free.

use std::sync::Arc;

use super::{Change, Image, InsertRun, PageVersions, VERSION_BYTES, Version};
use crate::codec::{Put, Take};
use crate::error::{Error, Result};
use crate::file::superblock::BlobRef;
use crate::ids::Lsn;
use crate::lock::Mode;
use crate::txn::TxnState;

/// Where a version map is, and the transactions it speaks of.
#[derive(Debug)]
pub struct Spilled {
    blob: BlobRef,
    txns: Vec<Arc<TxnState>>,
}

/// The place of `txn` in the list.
fn place(txns: &mut Vec<Arc<TxnState>>, txn: &Arc<TxnState>) -> u32 {
    let found = txns.iter().rposition(|t| Arc::ptr_eq(t, txn));
    found.unwrap_or_else(|| {
        txns.push(txn.clone());
        txns.len() - 1
    }) as u32
}

fn mode_of(byte: u8) -> Result<Mode> {
    [Mode::ForKeyShare, Mode::ForShare, Mode::ForNoKeyUpdate, Mode::ForUpdate]
        .into_iter()
        .find(|&m| m as u8 == byte)
        .ok_or_else(|| Error::Damaged(format!("{byte} is no row lock mode")))
}

impl PageVersions {
    /// Where it is, if it is not here.
    pub(crate) fn spilled(&self) -> Option<BlobRef> {
        self.spilled.as_ref().map(|s| s.blob)
    }

    /// Its stored form, and the transactions it names.
    fn encode(&self) -> (Vec<u8>, Vec<Arc<TxnState>>) {
        let (mut out, mut txns) = (Vec::with_capacity(self.bytes / 2), Vec::new());
        out.put_u32(self.inserts.len() as u32);
        for run in &self.inserts {
            out.put_u16(run.first);
            out.put_u16(run.count);
            out.put_u32(run.command);
            out.put_u64(run.lsn.0);
            out.put_u32(place(&mut txns, &run.txn));
        }
        out.put_u32(self.chains.len() as u32);
        for (slot, head) in self.chains.iter() {
            let chain = std::iter::successors(Some(head), |v| v.older.as_deref());
            out.put_u16(slot);
            out.put_u32(chain.clone().count() as u32);
            for v in chain {
                out.put_u32(place(&mut txns, &v.txn));
                out.put_u32(v.command);
                out.put_u64(v.lsn.0);
                out.put_u8(v.mode as u8);
                out.put_u32(v.reserve);
                match &v.change {
                    Change::Insert => out.put_u8(0),
                    Change::Delete => out.put_u8(1),
                    Change::Update(cells) => {
                        out.put_u8(2);
                        out.put_bytes(cells);
                    }
                }
            }
        }
        (out, txns)
    }

    fn decode(bytes: &[u8], txns: &[Arc<TxnState>]) -> Result<PageVersions> {
        let mut t = Take(bytes);
        let mut versions = PageVersions::default();
        let txn = |i: u32| txns.get(i as usize).cloned().ok_or_else(|| Error::Damaged("an unknown transaction".into()));
        for _ in 0..t.u32()? {
            let (first, count, command, lsn) = (t.u16()?, t.u16()?, t.u32()?, Lsn(t.u64()?));
            versions.inserts.push(InsertRun { first, count, command, lsn, txn: txn(t.u32()?)? });
        }
        versions.bytes = versions.inserts.len() * size_of::<InsertRun>();
        for _ in 0..t.u32()? {
            let (slot, length) = (t.u16()?, t.u32()?);
            let mut chain = Vec::with_capacity(length as usize);
            for _ in 0..length {
                let (txn, command, lsn, mode) = (txn(t.u32()?)?, t.u32()?, Lsn(t.u64()?), mode_of(t.u8()?)?);
                let reserve = t.u32()?;
                let change = match t.u8()? {
                    0 => Change::Insert,
                    1 => Change::Delete,
                    _ => Change::Update(Image::from_slice(t.bytes()?)),
                };
                versions.bytes += VERSION_BYTES + change.image_bytes();
                versions.reserve(&txn, reserve);
                chain.push(Version { txn, command, lsn, change, mode, reserve, older: None });
            }
            let oldest_first = chain.into_iter().rev();
            let head = oldest_first.reduce(|older, v| Version { older: Some(Box::new(older)), ..v });
            head.into_iter().for_each(|head| versions.chains.insert(slot, head));
        }
        Ok(versions)
    }

    /// Moves it to where `write` puts bytes.
    ///
    /// # Errors
    /// What `write` says; nothing has changed then.
    pub(crate) fn spill(&mut self, write: impl FnOnce(&[u8]) -> Result<BlobRef>) -> Result<()> {
        let (bytes, txns) = self.encode();
        let blob = write(&bytes)?;
        let accounted = self.accounted;
        let kept = size_of::<PageVersions>() + txns.len() * 8;
        *self = PageVersions { bytes: kept, accounted, ..PageVersions::default() };
        self.spilled = Some(Box::new(Spilled { blob, txns }));
        Ok(())
    }

    /// The map that was spilled, from its bytes; itself is left as it is.
    ///
    /// # Errors
    /// `Damaged`.
    pub(crate) fn read_spilled(&self, bytes: &[u8]) -> Result<PageVersions> {
        let txns = self.spilled.as_ref().map_or(&[][..], |s| &s.txns);
        Ok(PageVersions { accounted: self.accounted, ..PageVersions::decode(bytes, txns)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Xid;
    use crate::table::versions::Seen;
    use crate::txn::Snapshot;

    #[test]
    fn what_was_spilled_comes_back() {
        let [a, b] = [1, 2].map(|x| Arc::new(TxnState::new(Xid(x), Lsn(x))));
        a.set_commit_lsn(Lsn(9));
        let mut versions = PageVersions::default();
        for slot in 0..10 {
            versions.push_insert(slot, &a, 1, Lsn(3));
        }
        versions.push(4, &a, 2, Lsn(4), (Change::Update(Image::from_slice(&[1, 0, 7])), 7), Mode::ForNoKeyUpdate);
        versions.push(4, &b, 1, Lsn(11), (Change::Update(Image::from_slice(&[1, 0, 8])), 8), Mode::ForNoKeyUpdate);
        versions.push(6, &b, 1, Lsn(12), (Change::Delete, 0), Mode::ForUpdate);
        let before = format!("{versions:?}");
        let (bytes, reserved) = (versions.bytes(), versions.reserved_bytes());
        let mut stored = Vec::new();
        versions
            .spill(|b| {
                stored = b.to_vec();
                Ok(BlobRef::default())
            })
            .unwrap();
        assert!(!versions.is_empty() && versions.bytes() < bytes);
        let back = versions.read_spilled(&stored).unwrap();
        assert_eq!((back.bytes(), back.reserved_bytes()), (bytes, reserved));
        assert_eq!(before.len(), format!("{back:?}").len());
        let snapshot = Snapshot { lsn: Lsn(10), own: None, command: 1 };
        assert!(matches!(back.see(4, &snapshot), Seen::Undo(images) if images == [&[1, 0, 8][..]]));
        assert!(matches!(back.see(6, &snapshot), Seen::Undo(images) if images.is_empty()));
        assert!(matches!(back.see(7, &Snapshot { lsn: Lsn(8), own: None, command: 1 }), Seen::Absent));
        for cut in 0..stored.len() {
            assert!(versions.read_spilled(&stored[..cut]).is_err(), "cut at {cut}");
        }
    }
}
