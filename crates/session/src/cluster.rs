//! `Cluster`: what all databases share, as last committed: roles, memberships, databases.
//!
//! A client that logs in asks for its role and its database twice each, and whoever is no superuser asks for its groups with each statement that is
//! planned: all of them ask an image, which is read from the shared catalog once after each change.
//!
//! Y1: whoever commits to the shared catalog says so from before anybody can see it until all can ([`Cluster::changing`]). Meanwhile, and when that has
//! happened since reading began, what was read is used once and not kept. So an image that is found is what a reader would see now.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use catalog::stored::{Fields, PG_AUTH_MEMBERS, PG_AUTHID, PG_DATABASE};
use env::sync::Mutex;
use storage::txn::Transaction;
use types::{Oid, Result};

use crate::privilege::Membership;
use crate::runtime::{Role, Runtime, limit};

/// The image, and what says whether it is as the catalog is.
#[derive(Default)]
pub(crate) struct Cluster {
    /// Grows with each change, when it begins.
    version: AtomicU64,
    /// Changes that are being committed.
    changing: AtomicUsize,
    image: Mutex<Option<(u64, Arc<Shared>)>>,
}

/// A change that is being committed, until dropped.
pub(crate) struct Changing<'a>(&'a Cluster);

/// What all databases share.
pub(crate) struct Shared {
    roles: Vec<Arc<Role>>,
    by_name: HashMap<String, usize>,
    by_oid: HashMap<Oid, usize>,
    /// Which role is a member of which.
    pub(crate) memberships: Vec<Membership>,
    databases: HashMap<String, (Oid, i32)>,
}

impl Cluster {
    /// Said before a change of the shared catalog can be seen (Y1).
    pub(crate) fn changing(&self) -> Changing<'_> {
        self.changing.fetch_add(1, Ordering::SeqCst);
        self.version.fetch_add(1, Ordering::SeqCst);
        Changing(self)
    }

    /// The image; read by `read` where none is kept.
    pub(crate) fn image(&self, read: impl FnOnce() -> Result<Shared>) -> Result<Arc<Shared>> {
        let version = self.version.load(Ordering::SeqCst);
        let is_still = self.changing.load(Ordering::SeqCst) == 0;
        if is_still
            && let Some((v, image)) = &*self.image.lock()
            && *v == version
        {
            return Ok(image.clone());
        }
        let image = Arc::new(read()?);
        if is_still {
            let mut kept = self.image.lock();
            if kept.as_ref().is_none_or(|k| k.0 < version) {
                *kept = Some((version, image.clone()));
            }
        }
        Ok(image)
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.changing.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Shared {
    /// Reads the shared catalog as committed now, with what transaction `own` has changed.
    pub(crate) fn read(runtime: &Runtime, own: Option<&Transaction>) -> Result<Shared> {
        let (mut roles, mut databases) = (Vec::new(), HashMap::new());
        runtime.each_shared_of(own, PG_AUTHID, |row| roles.push(Arc::new(Role::of(row))))?;
        let mut by_oid: HashMap<Oid, usize> = roles.iter().enumerate().map(|(i, role)| (role.oid, i)).collect();
        // A stored row takes the place of the built-in one of its OID.
        for row in catalog::rows::of(PG_AUTHID) {
            let role = Role::of(Fields { relation: PG_AUTHID, row });
            by_oid.entry(role.oid).or_insert_with(|| {
                roles.push(Arc::new(role));
                roles.len() - 1
            });
        }
        let by_name = roles.iter().enumerate().map(|(i, role)| (role.name.clone(), i)).collect();
        let built_in = catalog::rows::of(PG_AUTH_MEMBERS).iter().map(|row| Fields { relation: PG_AUTH_MEMBERS, row });
        let mut memberships: Vec<Membership> = built_in.map(Membership::of).collect();
        runtime.each_shared_of(own, PG_AUTH_MEMBERS, |row| memberships.push(Membership::of(row)))?;
        runtime.each_shared_of(own, PG_DATABASE, |row| {
            databases.insert(row.text("datname"), (row.oid("oid"), limit(row.get("datconnlimit"))));
        })?;
        Ok(Shared { roles, by_name, by_oid, memberships, databases })
    }

    pub(crate) fn role(&self, name: &str) -> Option<&Arc<Role>> {
        self.by_name.get(name).map(|&i| &self.roles[i])
    }

    pub(crate) fn role_by_oid(&self, oid: Oid) -> Option<&Arc<Role>> {
        self.by_oid.get(&oid).map(|&i| &self.roles[i])
    }

    /// The OID of a database, and how many may be connected to it.
    pub(crate) fn database(&self, name: &str) -> Option<(Oid, i32)> {
        self.databases.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::HashMap;

    use super::{Cluster, Shared};

    fn nothing() -> Shared {
        let (roles, memberships) = (Vec::new(), Vec::new());
        Shared { roles, by_name: HashMap::new(), by_oid: HashMap::new(), memberships, databases: HashMap::new() }
    }

    #[test]
    fn what_is_read_is_kept_until_somebody_changes_it() {
        let (cluster, reads) = (Cluster::default(), Cell::new(0));
        let ask = || {
            cluster.image(|| {
                reads.set(reads.get() + 1);
                Ok(nothing())
            })
        };
        ask().unwrap();
        ask().unwrap();
        assert_eq!(reads.get(), 1);
        let changing = cluster.changing();
        ask().unwrap();
        ask().unwrap();
        assert_eq!(reads.get(), 3, "what is being changed is not kept");
        drop(changing);
        ask().unwrap();
        ask().unwrap();
        assert_eq!(reads.get(), 4);
        // Who reads while somebody changes it may have read too early.
        drop(cluster.changing());
        let begun = cluster.image(|| {
            drop(cluster.changing());
            Ok(nothing())
        });
        begun.unwrap();
        ask().unwrap();
        assert_eq!(reads.get(), 5);
    }
}
