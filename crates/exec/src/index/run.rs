//! Entries of many new rows at once: index by index, in the order of their keys.

use plan::TableRef;
use storage::RowId;
use storage::btree::{Added, NewEntries};
use types::Result;
use vector::Chunk;

use super::{ChunkKeys, Handles, add_entry, is_distinct};
use crate::Context;

/// Adds the entries that new rows, those of `chunk`, need. When that fails, `broken` is the row that it failed for: the first that breaks a unique key,
/// as if they had come one by one.
///
/// # Errors
/// As [`super::add_entries`].
pub fn add_entries_of_rows(
    ctx: &mut Context<'_>,
    handles: &mut Handles,
    table: &TableRef,
    ids: &[RowId],
    chunk: &Chunk,
    broken: &mut usize,
) -> Result<()> {
    // Rows, with the index, whose key is not theirs alone, as far as a look at one leaf tells.
    let mut shared: Vec<(u32, usize)> = Vec::new();
    let (mut run, mut outcomes) = (NewEntries::default(), Vec::new());
    let mut key = std::mem::take(&mut handles.keys.0);
    handles.computed.resize_with(table.indexes.len(), ChunkKeys::default);
    for (number, index) in table.indexes.iter().enumerate() {
        let (tree, computed) = (&handles.trees[number], &mut handles.computed[number]);
        run.clear();
        computed.compute(index, chunk, ctx)?;
        for (place, i) in computed.rows(chunk) {
            let (id, null) = (ids[i], computed.encode(&mut key, (table, index, tree), (place, i), chunk, ctx)?);
            // NULLs of a unique key are nobody's business: few, and added like those that are shared. So are keys that are checked later.
            if index.unique && (!is_distinct(index, null) || !index.immediate) {
                shared.push((i as u32, number));
                continue;
            }
            run.push(&key, id, i as u32);
        }
        run.sort();
        let outcome = tree.insert_run(&run, index.unique, &mut outcomes);
        for (i, outcome) in outcomes.iter().enumerate() {
            match outcome {
                Added::New if !handles.derived[number] => {
                    ctx.txn.note_obsolete(ctx.db, tree.rel(), run.key(i), run.row(i), false);
                }
                Added::New | Added::Revived => {}
                Added::Shared => shared.push((run.number(i), number)),
            }
        }
        outcome?;
    }
    handles.keys.0 = key;
    shared.sort_unstable();
    for (i, number) in shared {
        *broken = i as usize;
        add_entry(ctx, handles, table, number, ids[i as usize], &|c| chunk.columns[c].get(i as usize), None)?;
    }
    Ok(())
}
