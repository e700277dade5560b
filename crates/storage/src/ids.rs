//! Newtypes for every identifier and position the engine counts with.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[repr(transparent)]
        pub struct $name(pub $int);
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}({})", stringify!($name), self.0) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
    };
}

id!(
    /// A position in the write-ahead log, in bytes. A record is named by the position after its last byte, so that
    /// "durable up to `lsn`" includes it.
    Lsn(u64)
);
id!(
    /// A transaction (or subtransaction) that writes. 64 bits: no wraparound.
    Xid(u64)
);
id!(
    /// A database of the cluster. 1 holds what all databases share.
    DbId(u32)
);
id!(
    /// A relation of a database: a table, an index, a sequence or a table's overflow store ("relfilenode").
    RelId(u32)
);
id!(
    /// A page of a database, in units of 16 KiB; a 64 KiB page takes four units and is named by the first.
    PageNo(u32)
);
id!(
    /// A place in the data file, in units of 4 KiB. Zero is "none": the superblock lies there.
    Slot(u32)
);

/// A row: the block of its relation and the slot in the block. It does not change while the row lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RowId {
    /// Counts a relation's pages from 0.
    pub block: u32,
    /// Counts a page's slots from 0; `ctid` shows it plus one.
    pub slot: u16,
}

impl RowId {
    /// `block << 16 | slot`.
    pub fn to_u64(self) -> u64 {
        u64::from(self.block) << 16 | u64::from(self.slot)
    }

    /// The inverse of [`RowId::to_u64`]; upper bits are ignored.
    pub fn from_u64(v: u64) -> RowId {
        RowId { block: (v >> 16) as u32, slot: v as u16 }
    }

    /// Six bytes that sort as row ids do.
    pub fn to_bytes(self) -> [u8; 6] {
        let b = self.to_u64().to_be_bytes();
        [b[2], b[3], b[4], b[5], b[6], b[7]]
    }

    /// The inverse of [`RowId::to_bytes`].
    pub fn from_bytes(b: [u8; 6]) -> RowId {
        RowId::from_u64(u64::from_be_bytes([0, 0, b[0], b[1], b[2], b[3], b[4], b[5]]))
    }
}

impl fmt::Debug for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({},{})", self.block, self.slot)
    }
}
