//! Checkpoints: dirty pages to free slots, then the maps, then the superblock.
//!
//! Order is everything:
//! 1. note where redo must start: the oldest record that a running transaction may have, or the log's end;
//! 2. write a committed-only image of every dirty page (I2) to a free slot;
//! 3. sync the log, so that no image holds a change whose commit record is not durable (I3);
//! 4. write changed map leaves and blobs to free slots; sync the log again, since a relation may have grown while it was described, and
//!    the pages it says it has are made by the log; sync;
//! 5. write the other superblock; sync. From here on the new state counts;
//! 6. free the old slots, recycle the log before redo (I11).
//!
//! A failure before 5 leaves the old state as it was; its pages are dirty again. A failure in 5 poisons.

use std::sync::Arc;

use crate::buffer::PageClass;
use crate::codec::{Put, Take};
use crate::database::Database;
use crate::engine::Shared;
use crate::error::Result;
use crate::file::map::MapWrite;
use crate::file::superblock::{BlobRef, Superblock};
use crate::file::{DataFile, DbFile};
use crate::ids::{DbId, PageNo, Slot, Xid};
use crate::page::{self, PageKind};
use crate::relation::{Persistence, RelMeta};
use crate::table::{PageVersions, committed_image};

/// The root of the cluster as the durable superblock describes it.
pub struct Root {
    /// That superblock.
    pub superblock: Superblock,
    /// A lower bound of the next transaction number.
    pub next_xid: Xid,
    /// The next OID.
    pub next_oid: u32,
    /// The next database number.
    pub next_db: u32,
    /// Whether the last shutdown was clean.
    pub clean: bool,
    /// Databases, their lineages (whose pages they started from), and their blobs.
    pub databases: Vec<(DbId, DbId, BlobRef)>,
}

impl Root {
    /// The root of a new cluster, durable but for the directory entry.
    pub fn create(data: &DataFile) -> Result<Root> {
        let mut root = Root {
            superblock: Superblock { life: 0, generation: 0, redo: crate::ids::Lsn(0), cluster: BlobRef::default() },
            next_xid: Xid(1),
            next_oid: 0,
            next_db: 1,
            clean: true,
            databases: Vec::new(),
        };
        root.superblock.cluster = data.write_blob(&root.encode())?;
        data.sync()?;
        root.superblock.generation = 1;
        root.superblock.write(data.file())?;
        data.sync()?;
        Ok(root)
    }

    /// The root that `superblock` describes; its slots are marked used.
    pub fn load(data: &DataFile, superblock: Superblock) -> Result<Root> {
        let bytes = data.read_blob(superblock.cluster)?;
        data.slots().lock().reference(superblock.cluster.slot, superblock.cluster.slots());
        let mut t = Take(&bytes);
        let next_xid = Xid(t.u64()?);
        let (next_oid, next_db, clean, n) = (t.u32()?, t.u32()?, t.u8()? != 0, t.u32()?);
        let databases = (0..n)
            .map(|_| Ok((DbId(t.u32()?), DbId(t.u32()?), BlobRef::decode(&mut t)?)))
            .collect::<Result<Vec<_>>>()?;
        for (_, _, blob) in &databases {
            data.slots().lock().reference(blob.slot, blob.slots());
        }
        Ok(Root { superblock, next_xid, next_oid, next_db, clean, databases })
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_u64(self.next_xid.0);
        out.put_u32(self.next_oid);
        out.put_u32(self.next_db);
        out.put_u8(u8::from(self.clean));
        out.put_u32(self.databases.len() as u32);
        for (id, lineage, blob) in &self.databases {
            out.put_u32(id.0);
            out.put_u32(lineage.0);
            blob.encode(&mut out);
        }
        out
    }

    /// Makes the number of this opening durable, greater than any before.
    pub fn renew_life(mut self, data: &DataFile, seen: u32) -> Result<Root> {
        self.superblock.life = self.superblock.life.max(seen) + 1;
        self.superblock.generation += 1;
        self.superblock.write(data.file())?;
        data.sync()?;
        Ok(self)
    }
}

/// A database's relations and map leaves, from its blob.
pub fn load_database(data: &DataFile, blob: BlobRef) -> Result<(Vec<RelMeta>, Vec<Slot>)> {
    let bytes = data.read_blob(blob)?;
    let mut t = Take(&bytes);
    let n = t.u32()?;
    let leaves = (0..n).map(|_| Ok(Slot(t.u32()?))).collect::<Result<Vec<_>>>()?;
    let n = t.u32()?;
    let metas = (0..n).map(|_| RelMeta::decode(&mut t)).collect::<Result<Vec<_>>>()?;
    Ok((metas, leaves))
}

/// A database and the pages that were on its dirty list.
type Flushed = (Arc<Database>, Vec<(PageNo, PageClass)>);

/// What was written of one database.
struct Written {
    map: MapWrite,
    blob: BlobRef,
    old_blob: BlobRef,
}

/// Runs a checkpoint. See the module's essay.
pub fn run(shared: &Shared, databases: &[Arc<Database>], root: &mut Root, clean: bool) -> Result<()> {
    shared.poison.check()?;
    let redo = shared.txns.redo_bound(|| shared.log.end_lsn());
    let mut flushed: Vec<Flushed> = Vec::new();
    let outcome = (|| {
        for db in databases {
            let mut pages = db.space.take_dirty();
            pages.sort_by_key(|p| p.0);
            pages.dedup();
            flushed.push((db.clone(), pages));
            let (db, pages) = flushed.last().expect("just pushed");
            for &(page, class) in pages {
                flush_page(db, page, class)?;
            }
        }
        shared.log.sync_to(shared.log.end_lsn())?;
        let written = write_maps(shared, databases)?;
        // Relations went on growing while they were described: what says so must be durable before the description counts (I3).
        if let Err(e) = shared.log.sync_to(shared.log.end_lsn()) {
            give_up(shared, written);
            return Err(e);
        }
        Ok(written)
    })();
    let abandon = |flushed: &[Flushed]| {
        for (db, pages) in flushed {
            db.file.map().lock().abandon(&shared.data);
            pages.iter().for_each(|&(page, class)| db.space.remember(page, class));
        }
    };
    let written = match outcome {
        Ok(written) => written,
        Err(e) => {
            abandon(&flushed);
            return Err(e);
        }
    };
    let mut next = Root {
        superblock: root.superblock,
        next_xid: shared.txns.next_xid(),
        next_oid: shared.oids.lock().reserved,
        next_db: root.next_db,
        clean,
        databases: root.databases.clone(),
    };
    for (db, written) in databases.iter().zip(&written) {
        if let Some(entry) = next.databases.iter_mut().find(|d| d.0 == db.id) {
            entry.2 = written.blob;
        }
    }
    let cluster = match shared.data.write_blob(&next.encode()) {
        Ok(blob) => blob,
        Err(e) => {
            abandon(&flushed);
            give_up(shared, written);
            return Err(e);
        }
    };
    let old_cluster = root.superblock.cluster;
    next.superblock.redo = redo;
    next.superblock.cluster = cluster;
    next.superblock.generation += 1;
    shared.data.sync()?;
    next.superblock
        .write(shared.data.file())
        .map_err(|e| shared.poison.set(&format!("the superblock could not be written: {e}")))?;
    shared.data.sync()?;
    for (db, written) in databases.iter().zip(written) {
        db.file.map().lock().install(&shared.data, written.map);
        db.stored.lock().0 = written.blob;
        if written.old_blob.slot.0 != 0 {
            shared.data.slots().lock().free(written.old_blob.slot, written.old_blob.slots());
        }
    }
    shared.data.slots().lock().free(old_cluster.slot, old_cluster.slots());
    *root = next;
    shared.log.recycle(redo)
}

fn give_up(shared: &Shared, written: Vec<Written>) {
    for mut w in written {
        w.map.give_up(&shared.data);
        shared.data.slots().lock().free(w.blob.slot, w.blob.slots());
    }
}

fn write_maps(shared: &Shared, databases: &[Arc<Database>]) -> Result<Vec<Written>> {
    let mut all = Vec::new();
    for db in databases {
        match write_map(shared, db) {
            Ok(written) => all.push(written),
            Err(e) => {
                give_up(shared, all);
                return Err(e);
            }
        }
    }
    Ok(all)
}

fn write_map(shared: &Shared, db: &Database) -> Result<Written> {
    let mut map = db.file.map().lock().write_leaves(&shared.data, db.id)?;
    let mut bytes = Vec::new();
    bytes.put_u32(map.leaves.len() as u32);
    for leaf in &map.leaves {
        bytes.put_u32(leaf.0);
    }
    let metas: Vec<RelMeta> = db
        .relations()
        .iter()
        .filter(|r| r.persistence != Persistence::Temporary)
        .filter(|r| r.creator.lock().as_ref().is_none_or(|c| c.commit_lsn().is_some()))
        .map(|r| r.meta())
        .collect();
    bytes.put_u32(metas.len() as u32);
    metas.iter().for_each(|m| m.encode(&mut bytes));
    match shared.data.write_blob(&bytes) {
        Ok(blob) => Ok(Written { map, blob, old_blob: db.stored.lock().0 }),
        Err(e) => {
            map.give_up(&shared.data);
            Err(e)
        }
    }
}

/// Writes one page's committed image, if it has anything that the durable map does not know.
fn flush_page(db: &Database, page: PageNo, class: PageClass) -> Result<()> {
    let file: &DbFile = &db.file;
    db.space.flush_with(page, class, |bytes, versions, was_dirty| {
        let current = file.map().lock().current(page);
        let volatile = file.map().lock().is_volatile(page);
        match bytes {
            Some(bytes) if was_dirty || volatile => {
                if is_temporary(db, bytes) {
                    return Ok(true);
                }
                let has_uncommitted = versions.is_some_and(|v| v.first_uncommitted().is_some());
                if !was_dirty
                    && !has_uncommitted
                    && let Some(entry) = current
                {
                    set_pending(file, page, entry);
                    return Ok(false);
                }
                let mut image = bytes.to_vec();
                let taken_out = take_out(db, &mut image, versions)?;
                let entry = file.write_image(page, &mut image)?;
                set_pending(file, page, entry);
                if !taken_out {
                    file.set_current(page, entry);
                }
                Ok(taken_out)
            }
            None if volatile => {
                let Some(entry) = current else { return Ok(false) };
                let mut image = vec![0; class.bytes()];
                crate::buffer::PageSource::read_page(file, page, &mut image)?;
                if is_temporary(db, &image) {
                    return Ok(true);
                }
                if !take_out(db, &mut image, versions)? {
                    set_pending(file, page, entry);
                    return Ok(false);
                }
                let entry = file.write_image(page, &mut image)?;
                set_pending(file, page, entry);
                Ok(true)
            }
            _ => Ok(false),
        }
    })
}

fn set_pending(file: &DbFile, page: PageNo, entry: crate::file::map::MapEntry) {
    let garbage = file.map().lock().set_pending(page, entry);
    if let Some(garbage) = garbage {
        file.free(garbage);
    }
}

fn is_temporary(db: &Database, bytes: &[u8]) -> bool {
    db.relation(page::rel(bytes)).is_ok_and(|r| r.persistence == Persistence::Temporary)
}

/// Takes uncommitted changes out of `image`; whether there were any.
fn take_out(db: &Database, image: &mut [u8], versions: Option<&PageVersions>) -> Result<bool> {
    let Some(versions) = versions else { return Ok(false) };
    if page::kind(image) != PageKind::Table as u8 {
        return Ok(false);
    }
    match db.relation(page::rel(image)) {
        Ok(rel) => committed_image(image, &rel.layout, versions),
        // Dropped meanwhile: nobody will read it.
        Err(_) => Ok(false),
    }
}
