//! The image of a table page that may be written to disk: without what is not committed (I2).

use super::page::{Layout, TablePage, TablePageMut};
use super::scan::each_in_image;
use super::versions::{PageVersions, Seen};
use crate::error::{Error, Result};
use crate::ids::Lsn;
use crate::page;

/// Takes uncommitted changes out of `image`, a copy of a page whose version map is `versions`. Answers whether there were any; then the
/// image is stamped so that recovery applies their log records again, should their transactions turn out to have committed.
///
/// # Errors
/// `Damaged` when a before-image does not fit, which P1 excludes.
pub fn committed_image(image: &mut [u8], layout: &Layout, versions: &PageVersions) -> Result<bool> {
    let Some(first) = versions.first_uncommitted() else { return Ok(false) };
    let slots: Vec<u16> = versions.touched().collect();
    // Two passes: what shrinks or goes must make room before what grows.
    let mut undo_later = Vec::new();
    for slot in slots {
        let s = slot as usize;
        match versions.see_with(slot, |txn, _| txn.commit_lsn().is_some()) {
            Seen::AsStored => {}
            Seen::Absent => TablePageMut::new(image, layout).free(s),
            Seen::Undo(images) => {
                let mut page = TablePageMut::new(image, layout);
                if page.as_ref().is_used(s) {
                    page.set_dead(s, false);
                }
                for old in &images {
                    each_in_image(old, layout, |column, _| {
                        page.put(s, column, &super::cell::Cell::Null);
                    });
                }
                undo_later.push((s, images));
            }
        }
    }
    for (s, images) in undo_later {
        // The oldest image of a column is its committed value: apply newest first, oldest last. Values in between may be larger than
        // the room, so only the last word on each column is put.
        let mut cells: std::collections::BTreeMap<usize, super::cell::Cell<'_>> = Default::default();
        for old in &images {
            each_in_image(old, layout, |column, cell| {
                cells.insert(column, cell);
            });
        }
        let mut page = TablePageMut::new(image, layout);
        for (column, cell) in cells {
            if !page.put(s, column, &cell) {
                return Err(Error::Damaged("P1: a before-image does not fit its page".to_owned()));
            }
        }
    }
    debug_assert!(TablePage::new(image, layout).check().is_ok());
    page::set_lsn(image, Lsn(first.0 - 1).min(page::lsn(image)));
    Ok(true)
}
