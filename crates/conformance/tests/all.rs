//! Files and drivers of others from outside. One program for all tests: each would link the whole engine anew.

#[path = "../../hathi/tests/draw.rs"]
#[allow(dead_code, reason = "not all of what others draw is drawn here")]
mod draw;
#[path = "../../cli/tests/oracle.rs"]
mod oracle;
#[path = "../../hathi/tests/mutated/spoil.rs"]
mod spoil;

mod diesel;
mod parameters;
mod parser;
mod sqllogic;
mod sqlx;
mod tokio_postgres;
