//! How many may be connected: all together, of one role, to one database.
//!
//! A client has its place once it has proved who it is, and before it has a session (K1). So those who cannot prove anything take no place
//! away; how many of them there may be is bounded by twice the places (K2, `Shared::has_room`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use types::error::Severity;
use types::{Oid, Result, SqlError, SqlState};

use crate::locked;

/// How many may be connected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// All together (`max_connections`).
    pub connections: usize,
    /// How many of those places are kept for superusers (`superuser_reserved_connections`).
    pub reserved: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { connections: 20_000, reserved: 3 }
    }
}

/// An object whose connections are counted.
#[derive(Clone, Debug)]
pub struct Limited {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// How many there may be; negative: any number.
    pub limit: i32,
}

#[derive(Default, Debug)]
struct Taken {
    all: usize,
    roles: HashMap<Oid, usize>,
    databases: HashMap<Oid, usize>,
}

/// The places of a server.
#[derive(Debug)]
pub struct Places {
    limits: Limits,
    taken: Mutex<Taken>,
}

/// One of them, until dropped.
#[derive(Debug)]
pub struct Place {
    places: Arc<Places>,
    role: Oid,
    database: Option<Oid>,
}

/// What who finds no place is told.
pub fn too_many(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::TOO_MANY_CONNECTIONS, message).severity(Severity::Fatal)
}

/// What is said where there is no place at all.
pub const FULL: &str = "sorry, too many clients already";

impl Places {
    pub fn new(limits: Limits) -> Arc<Places> {
        Arc::new(Places { limits, taken: Mutex::default() })
    }

    /// Before anything is asked of a client.
    ///
    /// # Errors
    /// `53300` when there is no place for anybody.
    pub fn check(&self) -> Result<()> {
        if locked(&self.taken).all < self.limits.connections { Ok(()) } else { Err(too_many(FULL)) }
    }

    /// A place for `role`, on `database` if it is there.
    ///
    /// # Errors
    /// `53300`.
    pub fn take(self: &Arc<Places>, role: &Limited, superuser: bool, database: Option<&Limited>) -> Result<Place> {
        let mut taken = locked(&self.taken);
        let left = self.limits.connections.saturating_sub(taken.all);
        if left == 0 {
            return Err(too_many(FULL));
        }
        let is_full = |of: &Limited, counts: &HashMap<Oid, usize>| {
            let count = counts.get(&of.oid).copied().unwrap_or(0);
            !superuser && usize::try_from(of.limit).is_ok_and(|limit| count >= limit)
        };
        if is_full(role, &taken.roles) {
            return Err(too_many(format!("too many connections for role \"{}\"", role.name)));
        }
        if !superuser && left <= self.limits.reserved {
            let message = "remaining connection slots are reserved for roles with the SUPERUSER attribute";
            return Err(too_many(message));
        }
        if let Some(database) = database.filter(|d| is_full(d, &taken.databases)) {
            return Err(too_many(format!("too many connections for database \"{}\"", database.name)));
        }
        taken.all += 1;
        *taken.roles.entry(role.oid).or_default() += 1;
        let database = database.map(|d| d.oid);
        if let Some(oid) = database {
            *taken.databases.entry(oid).or_default() += 1;
        }
        Ok(Place { places: self.clone(), role: role.oid, database })
    }
}

fn give_back(counts: &mut HashMap<Oid, usize>, of: Oid) {
    if let Some(count) = counts.get_mut(&of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&of);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = locked(&self.places.taken);
        taken.all -= 1;
        give_back(&mut taken.roles, self.role);
        if let Some(database) = self.database {
            give_back(&mut taken.databases, database);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limited, Limits, Places};
    use types::Oid;

    #[test]
    fn places_are_counted_by_role_and_database_and_given_back() {
        let places = Places::new(Limits { connections: 5, reserved: 2 });
        let of = |oid, name: &str, limit| Limited { oid: Oid(oid), name: name.to_owned(), limit };
        let (root, jumbo, few) = (of(10, "postgres", 0), of(20, "jumbo", -1), of(21, "few", 1));
        let (db, small) = (of(1, "db", -1), of(2, "small", 2));
        let said = |outcome: types::Result<super::Place>| outcome.map(|_| ()).unwrap_err().message().to_owned();
        let first = places.take(&few, false, Some(&small)).unwrap();
        assert_eq!(said(places.take(&few, false, Some(&db))), "too many connections for role \"few\"");
        let second = places.take(&jumbo, false, Some(&small)).unwrap();
        assert_eq!(said(places.take(&jumbo, false, Some(&small))), "too many connections for database \"small\"");
        // What was refused has taken nothing.
        let third = places.take(&jumbo, false, Some(&db)).unwrap();
        let reserved = "remaining connection slots are reserved for roles with the SUPERUSER attribute";
        assert_eq!(said(places.take(&jumbo, false, Some(&db))), reserved);
        // Limits of roles and databases are none of superusers.
        let rest = [places.take(&root, true, Some(&small)).unwrap(), places.take(&root, true, Some(&db)).unwrap()];
        assert_eq!(said(places.take(&root, true, None)), "sorry, too many clients already");
        assert!(places.check().is_err());
        drop((first, second, third, rest));
        let taken = places.taken.lock().unwrap();
        assert_eq!((taken.all, taken.roles.len(), taken.databases.len()), (0, 0, 0));
    }
}
