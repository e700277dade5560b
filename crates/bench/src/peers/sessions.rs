//! Many sessions of the library in a process of their own: what they need of its memory.

use hathi::Database;

use crate::peers::child::{self, Child};
use crate::peers::processes::Usage;
use crate::stage::Failure;

/// Bytes of memory that `count` sessions need, each with a prepared statement.
///
/// # Errors
/// When they cannot be made.
pub fn bytes_of(count: usize) -> Result<u64, Failure> {
    Ok(Child::start("sessions", &[&count.to_string()])?.said().parse()?)
}

/// The child's part.
pub fn hold(count: &str) -> Result<(), Failure> {
    let database = Database::in_memory()?;
    database.session()?.batch_execute("CREATE TABLE kv (id int PRIMARY KEY, v int); INSERT INTO kv VALUES (1, 7)")?;
    let open = || {
        let mut session = database.session()?;
        let mut select = session.prepare("SELECT v FROM kv WHERE id = $1")?;
        let rows = session.query_prepared(&mut select, &[&1])?;
        match rows.first().map(|r| r.get::<_, i32>(0)) {
            Some(7) => Ok((session, select)),
            _ => Err(Failure::from("a wrong row")),
        }
    };
    // The first one brings what all share.
    let _first = open()?;
    let before = Usage::of(std::process::id())?;
    let held = (0..count.parse()?).map(|_| open()).collect::<Result<Vec<_>, Failure>>()?;
    let after = Usage::of(std::process::id())?;
    println!("{}", after.bytes.saturating_sub(before.bytes));
    child::ready()?;
    drop(held);
    Ok(())
}
