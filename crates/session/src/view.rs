//! The catalog as a session sees it: what is committed, and what its own transaction changed.

use std::sync::Arc;

use catalog::{Change, Image};
use types::{Oid, Result};

use crate::session::Session;
use crate::settings::Settings;

/// A catalog image with a transaction's changes.
pub(crate) struct View {
    /// The committed catalog's version that it is made from.
    version: u64,
    /// How many of the transaction's changes it has.
    applied: usize,
    image: Arc<Image>,
    /// The generation of the settings that the session's `search_path` was found with.
    generation: u64,
}

impl View {
    pub(crate) fn catalog(&self) -> &Arc<Image> {
        &self.image
    }

    /// The committed catalog's version that it is made from.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Whether the session's `search_path` was found with these settings.
    pub(crate) fn is_of(&self, settings: &Settings) -> bool {
        self.generation == settings.generation
    }
}

impl Session {
    /// The catalog this session sees.
    pub(crate) fn image(&mut self) -> Result<Arc<Image>> {
        self.settle_view()?;
        Ok(self.view.as_ref().map(|v| v.image.clone()).unwrap_or_default())
    }

    /// Brings `view` and the search path up to date.
    #[inline]
    pub(crate) fn settle_view(&mut self) -> Result<()> {
        let version = self.catalog.version();
        let current = self.view.as_ref().is_some_and(|v| v.version == version && v.applied == self.changes.len());
        if !current {
            let old = self.view.take().filter(|v| v.version == version && v.applied <= self.changes.len());
            let (mut image, applied) = match old {
                Some(view) => (view.image, view.applied),
                None => {
                    let Some(txn) = &mut self.txn else { unreachable!("a statement runs in a transaction") };
                    (self.catalog.image(&self.db, version, || txn.snapshot())?, 0)
                }
            };
            if applied < self.changes.len() {
                let own = Arc::make_mut(&mut image);
                self.changes[applied..].iter().for_each(|c| own.apply(c));
            }
            self.view = Some(View { version, applied: self.changes.len(), image, generation: 0 });
            self.find_schemas();
        }
        let Some(view) = &self.view else { unreachable!("just made") };
        if view.generation != self.settings.generation {
            self.find_schemas();
        }
        Ok(())
    }

    /// Finds the schemas that the search path names.
    fn find_schemas(&mut self) {
        let temporary = self.temporary_schema();
        let Some(view) = &mut self.view else { return };
        let find = |name: &String| {
            let name = match &name[..] {
                "$user" => &self.user.name,
                "pg_temp" => &temporary,
                _ => name,
            };
            view.image.namespace(name).map(|n| n.oid)
        };
        self.search_path = self.settings.search_path.iter().filter_map(find).collect();
        // The temporary schema comes first unless the path says otherwise.
        self.temporary = view.image.namespace(&temporary).map(|n| n.oid);
        if let Some(schema) = self.temporary
            && !self.search_path.contains(&schema)
        {
            self.search_path.insert(0, schema);
        }
        view.generation = self.settings.generation;
    }

    /// Whether this transaction changed the catalog.
    pub(crate) fn catalog_dirty(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Notes a change of the catalog by this transaction.
    pub(crate) fn changed(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// As [`Session::changed`].
    pub(crate) fn changed_all(&mut self, changes: Vec<Change>) {
        self.changes.extend(changes);
    }

    /// Forgets changes after the first `count`: they were rolled back.
    pub(crate) fn forget_changes(&mut self, count: usize) {
        if self.changes.truncate(count) {
            self.view = None;
        }
    }

    /// Schemas searched for unqualified names, as functions see them.
    pub(crate) fn schema_names(image: &Image, path: &[Oid]) -> Vec<String> {
        path.iter().map(|&n| image.namespace_name(n).to_owned()).collect()
    }
}
