//! `Transaction`: a transaction, or within one a savepoint.

use std::ops::{Deref, DerefMut};

use types::{SqlError, SqlState};

use crate::{Result, Session};

/// An open transaction of a session. Use it as the session; commit it, or it is rolled back (H1).
pub struct Transaction<'s> {
    session: &'s mut Session,
    /// 0 is the transaction itself, more are savepoints.
    depth: u32,
    ended: bool,
}

impl<'s> Transaction<'s> {
    pub(crate) fn begin(session: &'s mut Session) -> Result<Transaction<'s>> {
        if session.inner().block_state() != session::BlockState::Idle {
            let message = "there is already a transaction in progress";
            return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
        }
        session.batch_execute("BEGIN")?;
        Ok(Transaction { session, depth: 0, ended: false })
    }

    /// Starts a transaction within this one: a savepoint.
    ///
    /// # Errors
    /// `25P02` when this one failed.
    pub fn transaction(&mut self) -> Result<Transaction<'_>> {
        let depth = self.depth + 1;
        self.session.batch_execute(&format!("SAVEPOINT hathi_{depth}"))?;
        Ok(Transaction { session: self.session, depth, ended: false })
    }

    /// Commits; within another transaction, keeps what was done as part of it.
    ///
    /// # Errors
    /// What committing says; `25P02` when a statement had failed: then it was rolled back.
    pub fn commit(mut self) -> Result<()> {
        self.ended = true;
        if self.depth > 0 {
            return self.session.batch_execute(&format!("RELEASE hathi_{}", self.depth));
        }
        let failed = self.session.inner().block_state() == session::BlockState::Failed;
        self.session.batch_execute("COMMIT")?;
        if failed {
            let message = "the transaction was rolled back, since a statement in it had failed";
            return Err(SqlError::new(SqlState::IN_FAILED_SQL_TRANSACTION, message));
        }
        Ok(())
    }

    /// Rolls back.
    ///
    /// # Errors
    /// `58030` when pages cannot be read back.
    pub fn rollback(mut self) -> Result<()> {
        self.rollback_inner()
    }

    fn rollback_inner(&mut self) -> Result<()> {
        self.ended = true;
        match self.depth {
            0 => self.session.batch_execute("ROLLBACK"),
            n => self.session.batch_execute(&format!("ROLLBACK TO hathi_{n}; RELEASE hathi_{n}")),
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.ended {
            // What fails here the next statement reports.
            let _ = self.rollback_inner();
        }
    }
}

impl Deref for Transaction<'_> {
    type Target = Session;
    fn deref(&self) -> &Session {
        self.session
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Session {
        self.session
    }
}
