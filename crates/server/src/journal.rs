//! What the server tells of its connections: events of `tracing`, which nobody sees unless the program has installed a subscriber.
//!
//! An error is told of where it ends: when it is sent to a client. What a session does itself (slow statements) it tells itself.

use types::error::Severity;
use types::{SqlError, SqlState};

use crate::origin::Origin;

/// Places in the order of `log_min_messages`.
const ERROR: u8 = 8;
const FATAL: u8 = 10;

/// A client has got a session.
pub fn connected(session: &session::Session, origin: Origin) {
    let (pid, user, database) = (session.process_id(), &*session.user().name, session.database_name());
    tracing::info!(pid, user, database, %origin, "connection authorized");
}

/// Its session has ended.
pub fn disconnected(session: &session::Session, origin: Origin) {
    let (pid, user, database) = (session.process_id(), &*session.user().name, session.database_name());
    tracing::info!(pid, user, database, %origin, "disconnection");
}

/// A client was not let in.
pub fn refused(error: &SqlError, origin: Origin) {
    let (sqlstate, reason) = (error.state(), error.message());
    let is_proof = [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION].contains(&sqlstate);
    let sqlstate = sqlstate.as_str();
    match is_proof {
        true => tracing::warn!(%origin, sqlstate, reason, "authentication failed"),
        false => tracing::warn!(%origin, sqlstate, reason, "connection refused"),
    }
}

/// A client is told of an error.
pub fn failed(session: &session::Session, error: &SqlError) {
    let is_fatal = error.fields().severity == Severity::Fatal;
    if session.log_level() > if is_fatal { FATAL } else { ERROR } {
        return;
    }
    let (pid, user, database) = (session.process_id(), &*session.user().name, session.database_name());
    let (sqlstate, reason, severity) = (error.state(), error.message(), if is_fatal { "FATAL" } else { "ERROR" });
    let sqlstate = sqlstate.as_str();
    tracing::error!(pid, user, database, severity, sqlstate, reason, "statement failed");
}
