//! Entries of many new rows at once: index by index, in the order of their keys.

use plan::TableRef;
use storage::RowId;
use storage::btree::{Added, NewEntries};
use types::{Datum, Result};

use super::{Handles, add_entry, encode_entry, is_distinct};
use crate::Context;

/// The value of a column, the second number, in a row, the first.
pub type RowsValues<'r> = &'r dyn Fn(usize, usize) -> Datum;

/// Adds the entries that new rows need. When that fails, `broken` is the row that it failed for: the first that breaks a unique key,
/// as if they had come one by one.
///
/// # Errors
/// As [`super::add_entries`].
pub fn add_entries_of_rows(
    ctx: &mut Context<'_>,
    handles: &mut Handles,
    table: &TableRef,
    ids: &[RowId],
    rows: RowsValues<'_>,
    broken: &mut usize,
) -> Result<()> {
    // Rows, with the index, whose key is not theirs alone, as far as a look at one leaf tells.
    let mut shared: Vec<(u32, usize)> = Vec::new();
    let (mut run, mut outcomes) = (NewEntries::default(), Vec::new());
    let mut key = std::mem::take(&mut handles.keys.0);
    for (number, index) in table.indexes.iter().enumerate() {
        let tree = &handles.trees[number];
        run.clear();
        for (i, &id) in ids.iter().enumerate() {
            let row = |c: usize| rows(i, c);
            let Some(null) = encode_entry(&mut key, tree, table, index, &row, ctx)? else { continue };
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
        add_entry(ctx, handles, table, number, ids[i as usize], &|c| rows(i as usize, c), None)?;
    }
    Ok(())
}
