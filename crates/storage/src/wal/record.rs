//! Log records: what each says, and its bytes.
//!
//! ```text
//!   0        4        8                 16                24      28     29
//!   | length | crc32  | start position  | xid             | life  | type | body ...    (little-endian)
//! ```
//! `length` counts from byte 0 to the end of the body; the checksum covers everything after itself. `life` counts how often
//! the log was opened: a record whose life is older than its predecessor's is a leftover beyond the true end (W4).
//!
//! Records that carry an xid are applied by recovery only when that transaction committed; records of xid 0 are the
//! system's own and always applied (they change structure, never what a row says).

use crate::codec::{Put, Take};
use crate::error::{Error, Result};
use crate::ids::{DbId, Lsn, PageNo, RelId, Xid};

/// Bytes before the type byte.
pub const HEADER_BYTES: usize = 28;
/// No record is longer: what claims to be is the end of the log.
pub const RECORD_BYTES_MAX: usize = 1 << 30;

/// Names a page by what it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockRef {
    /// The database.
    pub db: DbId,
    /// The relation.
    pub rel: RelId,
    /// Which of its pages.
    pub block: u32,
}

macro_rules! records {
    ($( $(#[$doc:meta])* $name:ident = $tag:literal { $( $(#[$fdoc:meta])* $field:ident : $kind:ident ),* } )*) => {
        /// One record of the log.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Record<'a> {
            $( $(#[$doc])* $name { $( $(#[$fdoc])* $field: records!(@type 'a $kind) ),* } ),*
        }

        impl<'a> Record<'a> {
            fn encode(&self, out: &mut Vec<u8>) {
                match self {
                    $( Record::$name { $($field),* } => {
                        out.put_u8($tag);
                        $( records!(@put out $kind $field); )*
                    } )*
                }
            }

            fn decode(t: &mut Take<'a>) -> Result<Record<'a>> {
                match t.u8()? {
                    $( $tag => Ok(Record::$name { $($field: records!(@take t $kind)),* }), )*
                    other => Err(Error::Damaged(format!("unknown log record type {other}"))),
                }
            }
        }
    };
    (@type $l:lifetime block) => { BlockRef };
    (@type $l:lifetime u16) => { u16 };
    (@type $l:lifetime u32) => { u32 };
    (@type $l:lifetime u64) => { u64 };
    (@type $l:lifetime db) => { DbId };
    (@type $l:lifetime rel) => { RelId };
    (@type $l:lifetime page) => { PageNo };
    (@type $l:lifetime bytes) => { &$l [u8] };
    (@type $l:lifetime xids) => { Vec<Xid> };
    (@put $o:ident block $f:ident) => { $o.put_u32($f.db.0); $o.put_u32($f.rel.0); $o.put_u32($f.block) };
    (@put $o:ident u16 $f:ident) => { $o.put_u16(*$f) };
    (@put $o:ident u32 $f:ident) => { $o.put_u32(*$f) };
    (@put $o:ident u64 $f:ident) => { $o.put_u64(*$f) };
    (@put $o:ident db $f:ident) => { $o.put_u32($f.0) };
    (@put $o:ident rel $f:ident) => { $o.put_u32($f.0) };
    (@put $o:ident page $f:ident) => { $o.put_u32($f.0) };
    (@put $o:ident bytes $f:ident) => { $o.put_bytes($f) };
    (@put $o:ident xids $f:ident) => { $o.put_u32($f.len() as u32); for x in $f { $o.put_u64(x.0) } };
    (@take $t:ident block) => { BlockRef { db: DbId($t.u32()?), rel: RelId($t.u32()?), block: $t.u32()? } };
    (@take $t:ident u16) => { $t.u16()? };
    (@take $t:ident u32) => { $t.u32()? };
    (@take $t:ident u64) => { $t.u64()? };
    (@take $t:ident db) => { DbId($t.u32()?) };
    (@take $t:ident rel) => { RelId($t.u32()?) };
    (@take $t:ident page) => { PageNo($t.u32()?) };
    (@take $t:ident bytes) => { $t.bytes()? };
    (@take $t:ident xids) => {{
        let n = $t.u32()?;
        (0..n).map(|_| Ok(Xid($t.u64()?))).collect::<Result<Vec<Xid>>>()?
    }};
}

records! {
    /// Rows appeared in a table page: `(slot u16, row)*`, each row a cell per column as `table::cell` encodes it.
    RowsInsert = 1 {
        /// The page.
        at: block,
        /// How many rows.
        count: u16,
        /// The rows.
        rows: bytes
    }
    /// Columns of a row changed: after-images.
    RowUpdate = 2 {
        /// The page.
        at: block,
        /// The row.
        slot: u16,
        /// `(column u16, cell)*`.
        cells: bytes
    }
    /// A row was deleted.
    RowDelete = 3 {
        /// The page.
        at: block,
        /// The row.
        slot: u16
    }
    /// A table page was made.
    TablePageFormat = 4 {
        /// The page.
        at: block,
        /// Rows it can hold.
        capacity: u16
    }
    /// A relation got a run of pages.
    RelExtend = 5 {
        /// The database.
        db: db,
        /// The relation.
        rel: rel,
        /// Which extent.
        index: u32,
        /// First page of the run.
        start: page
    }
    /// A transaction made a relation.
    RelCreate = 6 {
        /// The database.
        db: db,
        /// Its description, as `relation` encodes it.
        meta: bytes
    }
    /// A transaction dropped a relation.
    RelDrop = 7 {
        /// The database.
        db: db,
        /// The relation.
        rel: rel
    }
    /// Whole contents of a page, without its free middle: `(front length u32, front, back)`.
    PageImage = 8 {
        /// The page.
        at: block,
        /// The image.
        image: bytes
    }
    /// An entry went into a B-tree page.
    BtreeInsert = 9 {
        /// The page.
        at: block,
        /// Key and payload, as `btree::node` encodes them.
        entry: bytes
    }
    /// Entries left a B-tree leaf.
    BtreeDelete = 10 {
        /// The page.
        at: block,
        /// `entry*`, each a u32 length and its bytes.
        entries: bytes
    }
    /// A B-tree page gave its upper part to a new right sibling, logged just before.
    BtreeTruncate = 11 {
        /// The page.
        at: block,
        /// Entries it keeps.
        keep: u32,
        /// Its right sibling from now on.
        right: u32,
        /// Its upper fence.
        high_key: bytes
    }
    /// A B-tree root became the parent of two new pages: images of root, left and right.
    BtreeNewRoot = 12 {
        /// The root.
        at: block,
        /// Block of the left child.
        left: u32,
        /// Block of the right child.
        right: u32,
        /// Image of the root.
        root_image: bytes,
        /// Image of the left child.
        left_image: bytes,
        /// Image of the right child.
        right_image: bytes
    }
    /// A part of a large value was stored.
    OverflowInsert = 13 {
        /// The page.
        at: block,
        /// Item number.
        item: u16,
        /// The stored bytes.
        bytes: bytes
    }
    /// A part of a large value is no longer needed.
    OverflowDelete = 14 {
        /// The page.
        at: block,
        /// Item number.
        item: u16
    }
    /// A sequence will not be asked for numbers before this state again.
    SequenceSet = 15 {
        /// The database.
        db: db,
        /// The sequence.
        rel: rel,
        /// Last number handed out, or to be handed out before the next such record.
        last: u64,
        /// Nonzero when `last` was handed out.
        called: u16
    }
    /// A transaction ended well; its own xid is the record's.
    Commit = 16 {
        /// Its subtransactions that were not rolled back.
        subs: xids
    }
    /// Numbers below `next` may have been given to objects.
    OidsReserved = 17 {
        /// The first OID not yet given.
        next: u32
    }
    /// Rows of a table page were deleted.
    RowsDelete = 19 {
        /// The page.
        at: block,
        /// `(slot u16)*`.
        slots: bytes
    }
    /// Entries went into a B-tree leaf.
    BtreeInsertRun = 18 {
        /// The page.
        at: block,
        /// `entry*`, each a u32 length and its bytes.
        entries: bytes
    }
}

/// Appends `record` to `out`; it starts at log position `start`.
pub(super) fn encode_into(out: &mut Vec<u8>, start: u64, life: u32, xid: Xid, record: &Record<'_>) {
    let at = out.len();
    let mut header = [0; HEADER_BYTES];
    header[8..16].copy_from_slice(&start.to_le_bytes());
    header[16..24].copy_from_slice(&xid.0.to_le_bytes());
    header[24..].copy_from_slice(&life.to_le_bytes());
    out.extend_from_slice(&header);
    record.encode(out);
    let length = (out.len() - at) as u32;
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
    let crc = crc32fast::hash(&out[at + 8..]) ^ length;
    out[at + 4..at + 8].copy_from_slice(&crc.to_le_bytes());
}

/// The length of the record whose first [`HEADER_BYTES`] are `header`, if it can be one that starts at `start`.
pub(super) fn length_of(header: &[u8], start: u64) -> Option<usize> {
    let length = u32::from_le_bytes(header.get(..4)?.try_into().ok()?) as usize;
    let position = u64::from_le_bytes(header.get(8..16)?.try_into().ok()?);
    (position == start && (HEADER_BYTES + 1..=RECORD_BYTES_MAX).contains(&length)).then_some(length)
}

/// Decodes a whole record; `None` when its checksum says that it is not one.
pub(super) fn decode(bytes: &[u8]) -> Option<Result<(Xid, u32, Record<'_>)>> {
    let length = bytes.len() as u32;
    let crc = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
    if crc32fast::hash(&bytes[8..]) ^ length != crc {
        return None;
    }
    let xid = Xid(u64::from_le_bytes(bytes[16..24].try_into().ok()?));
    let life = u32::from_le_bytes(bytes[24..28].try_into().ok()?);
    Some(Record::decode(&mut Take(&bytes[HEADER_BYTES..])).map(|r| (xid, life, r)))
}

/// A record read back, with where it ends.
pub type Located<'a> = (Lsn, Xid, Record<'a>);
