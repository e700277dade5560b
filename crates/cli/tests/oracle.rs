//! The PostgreSQL 18 to compare with: `HATHI_ORACLE`, a connection string of a superuser.

use postgres::{Client, NoTls};

/// Where it is; without one, says that what is `omitted` was not done.
pub fn oracle(omitted: &str) -> Option<String> {
    let found = std::env::var("HATHI_ORACLE").ok();
    if found.is_none() {
        eprintln!("HATHI_ORACLE names no PostgreSQL 18: {omitted}");
    }
    found
}

/// A client of what is at `place`.
pub fn client(place: &str) -> Client {
    Client::connect(place, NoTls).expect("HATHI_ORACLE can be connected to")
}

/// A database of our own in it, with Hathi's encoding and order; dropped at the end.
pub struct OwnDatabase {
    keeper: Client,
    name: String,
    /// Where it is.
    pub place: String,
}

impl OwnDatabase {
    /// Makes database `name`, its process's number added, in the server at `oracle`.
    pub fn new(oracle: &str, name: &str) -> OwnDatabase {
        let mut keeper = client(oracle);
        let name = format!("hathi_{name}_{}", std::process::id());
        let form = "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'";
        keeper.batch_execute(&format!("CREATE DATABASE {name} {form}")).unwrap();
        OwnDatabase { keeper, place: format!("{oracle} dbname={name}"), name }
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        let _ = self.keeper.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}
