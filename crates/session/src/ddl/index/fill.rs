//! The entries of a new index.

use std::sync::Arc;

use exec::Handles;
use plan::{Expr, ExprKind, IndexKey, Needed, Node, TableRef};
use storage::RowId;
use storage::btree::{Added, Btree, NewEntries};
use types::{Datum, Oid, Result, SqlError, SqlState};

use crate::session::Session;

/// Memory of the entries that are sorted at a time.
const RUN_BYTES: usize = 64 << 20;

/// How an entry is numbered: by whether its key may be another row's too.
const DISTINCT: u32 = 0;
const ANY: u32 = 1;

impl Session {
    /// Puts an entry for every row of the table into a new index: sorted, run by run.
    pub(in crate::ddl) fn fill_index(&mut self, table: Oid, index: Oid) -> Result<()> {
        let mut planned = self.plan_table(table)?;
        planned.indexes.retain(|i| i.oid == index);
        let Some(key) = planned.indexes.first().cloned() else {
            return Err(SqlError::internal("a new index is in the catalog"));
        };
        let mut execution = self.with_latest(|s| s.execution(true, true))?;
        self.with_context(&mut execution, &[], |ctx| {
            let storage = Handles::open(ctx, &planned)?.storage;
            let tree = Btree::new(ctx.db.clone(), ctx.db.relation(key.rel)?);
            let snapshot = ctx.snapshot;
            let (mut run, mut outcomes) = (NewEntries::default(), Vec::new());
            let mut runs = 0;
            let mut encoded = Vec::new();
            let mut flush = |run: &mut NewEntries, last: bool, ctx: &mut exec::Context<'_>| -> Result<()> {
                ctx.check_interrupts()?;
                runs += 1;
                run.sort();
                let twice =
                    |i: &usize| run.number(*i) == DISTINCT && tree.bare(run.key(*i)) == tree.bare(run.key(*i - 1));
                if let Some(i) = (1..run.len()).find(|i| key.unique && twice(i)) {
                    return Err(duplicate(&storage, &planned, &key, run.row(i), snapshot, ctx));
                }
                // When all entries are in one run, equal neighbours are all the duplicates there can be.
                let single = runs == 1 && last;
                tree.insert_run(run, key.unique && !single, &mut outcomes)?;
                for i in (0..run.len()).filter(|&i| outcomes[i] == Added::Shared) {
                    let (bytes, row) = (run.key(i), run.row(i));
                    if run.number(i) == DISTINCT
                        && exec::find_key(ctx, &storage, &tree, &planned, &key, tree.bare(bytes), Some(row))?.is_some()
                    {
                        return Err(duplicate(&storage, &planned, &key, row, snapshot, ctx));
                    }
                    tree.insert(bytes, row)?;
                }
                run.clear();
                Ok(())
            };
            let (mut scan, mut chunk) = (scan_for(&planned, &key), vector::Chunk::default());
            let mut keys = exec::ChunkKeys::default();
            while scan.next(ctx, &mut chunk)? {
                keys.compute(&key, &chunk, ctx)?;
                for at in keys.rows(&chunk) {
                    let null = keys.encode(&mut encoded, (&planned, &key, &tree), at, &chunk, ctx)?;
                    let Datum::I64(row) = chunk.columns[planned.columns.len()].get(at.1) else {
                        return Err(SqlError::internal("a scan yields row ids"));
                    };
                    let is_any = null && !key.nulls_not_distinct;
                    run.push(&encoded, RowId::from_u64(row as u64), if is_any { ANY } else { DISTINCT });
                }
                if run.bytes() >= RUN_BYTES {
                    flush(&mut run, false, ctx)?;
                }
            }
            flush(&mut run, true, ctx)?;
            // Snapshots from before must find older versions through the index too; once they are gone, the entries go.
            storage.for_each_older::<SqlError>(|row, values| {
                let listed = exec::encode_entry(&mut encoded, &tree, &planned, &key, &|c| values[c].clone(), ctx)?;
                if listed.is_some() && !tree.insert(&encoded, row)? {
                    ctx.txn.note_obsolete(ctx.db, tree.rel(), &encoded, row, true);
                }
                Ok(())
            })?;
            Ok(())
        })
    }
}

/// A scan of what the entries of `key` are made of.
fn scan_for(table: &TableRef, key: &IndexKey) -> exec::BoxOperator {
    let width = table.columns.len();
    let mut needed = vec![false; width + 1];
    needed[width] = true;
    let mut note = |e: &Expr| {
        e.visit(&mut |e| {
            if let ExprKind::Column(c) = e.kind {
                needed[c] = true;
            }
        })
    };
    key.exprs.iter().chain(&key.predicate).for_each(&mut note);
    key.columns.iter().filter(|c| c.0 < width).for_each(|c| needed[c.0] = true);
    key.include.iter().for_each(|&c| needed[c] = true);
    let table = Arc::new(table.clone());
    exec::build(&Node::Scan { table, filter: None, needed: Needed(Some(needed)) })
}

fn duplicate(
    storage: &storage::table::Table,
    table: &plan::TableRef,
    key: &plan::IndexKey,
    row: RowId,
    snapshot: &storage::txn::Snapshot,
    ctx: &mut exec::Context<'_>,
) -> SqlError {
    let error = SqlError::new(SqlState::UNIQUE_VIOLATION, format!("could not create unique index \"{}\"", key.name));
    let Ok(Some(values)) = storage.read_datums(row, snapshot) else { return error };
    let shown = exec::shown_index_key(table, key, &|c| values[c].clone(), ctx);
    error.detail(format!("Key {shown} is duplicated.")).constraint(&table.schema, &table.name, &key.name)
}
