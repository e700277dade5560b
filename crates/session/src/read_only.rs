//! Transactions' modes: what they start with, and what one that only reads refuses.

use plan::Node;
use syntax::ast::{IsolationLevel, ObjectKind, StatementKind, TransactionMode};
use types::{Oid, Result, SqlError, SqlState};

use crate::session::Session;

/// `25006`.
pub(crate) fn refused(what: &str) -> SqlError {
    let message = format!("cannot execute {what} in a read-only transaction");
    SqlError::new(SqlState::READ_ONLY_SQL_TRANSACTION, message)
}

/// What `node` would change that is not temporary.
fn change(node: &Node, temporary: Option<Oid>) -> Option<&'static str> {
    let mut found = None;
    node.visit(&mut |n| {
        let what = match n {
            Node::Insert { table, .. } if Some(table.namespace) != temporary => "INSERT",
            Node::Update { table, .. } if Some(table.namespace) != temporary => "UPDATE",
            Node::Delete { table, .. } if Some(table.namespace) != temporary => "DELETE",
            Node::LockRows { locks, .. } => match locks.first().map(|l| l.strength) {
                Some(0) => "SELECT FOR KEY SHARE",
                Some(1) => "SELECT FOR SHARE",
                Some(2) => "SELECT FOR NO KEY UPDATE",
                _ => "SELECT FOR UPDATE",
            },
            _ => return,
        };
        found.get_or_insert(what);
    });
    // A change in a WITH is the query's.
    let mut outer = node;
    while let Node::With { body, .. } = outer {
        outer = body;
    }
    let changes = matches!(outer, Node::Insert { .. } | Node::Update { .. } | Node::Delete { .. });
    found.map(|what| if changes || what.starts_with("SELECT") { what } else { "SELECT" })
}

impl Session {
    /// What a transaction is when its statement does not say: at its beginning, and between transactions.
    pub(crate) fn default_modes(&mut self) {
        self.isolation = self.settings.default_isolation;
        self.read_only = self.settings.default_read_only;
    }

    /// Whether the transaction has run a query.
    pub(crate) fn has_queried(&self) -> bool {
        self.snapshot_is_fixed() || self.txn.as_ref().is_some_and(|t| t.command() > 1)
    }

    /// Puts `modes` into effect for the open transaction.
    pub(crate) fn take_modes(&mut self, modes: &[TransactionMode]) -> Result<()> {
        for mode in modes {
            match mode {
                TransactionMode::Isolation(IsolationLevel::Serializable, _) => {
                    return Err(SqlError::unsupported("ISOLATION LEVEL SERIALIZABLE"));
                }
                TransactionMode::Isolation(level, _) => {
                    if self.has_queried() {
                        let message = "SET TRANSACTION ISOLATION LEVEL must be called before any query";
                        return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
                    }
                    // PostgreSQL treats READ UNCOMMITTED as READ COMMITTED.
                    self.isolation = match level {
                        IsolationLevel::ReadUncommitted => IsolationLevel::ReadCommitted,
                        level => *level,
                    };
                }
                TransactionMode::ReadOnly(on, _) => {
                    if self.read_only && !on && self.has_queried() {
                        let message = "transaction read-write mode must be set before any query";
                        return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
                    }
                    self.read_only = *on;
                }
                // Only serializable transactions could wait for anything.
                TransactionMode::Deferrable(..) => {}
            }
        }
        Ok(())
    }

    /// SET SESSION CHARACTERISTICS AS TRANSACTION.
    pub(crate) fn set_characteristics(&mut self, modes: &[TransactionMode], local: bool) -> Result<()> {
        for mode in modes {
            let (name, value) = match mode {
                TransactionMode::Isolation(level, _) => ("default_transaction_isolation", level.as_str()),
                TransactionMode::ReadOnly(on, _) => ("default_transaction_read_only", if *on { "on" } else { "off" }),
                TransactionMode::Deferrable(on, _) => {
                    ("default_transaction_deferrable", if *on { "on" } else { "off" })
                }
            };
            self.change_setting(name, Some(value), local)?;
        }
        Ok(())
    }

    /// Fails when the transaction only reads and `node` changes something.
    pub(crate) fn check_plan_reads(&self, node: &Node) -> Result<()> {
        match change(node, self.temporary) {
            Some(what) if self.read_only => Err(refused(what)),
            _ => Ok(()),
        }
    }

    /// Fails when the transaction only reads and a utility statement changes something.
    pub(crate) fn check_statement_reads(&self, kind: &StatementKind) -> Result<()> {
        use StatementKind::*;
        let what = match kind {
            Copy(c) if !c.from => return Ok(()),
            Copy(_) => "COPY FROM".to_owned(),
            Prepare(_) | Execute(_) | Deallocate(_) | DeclareCursor(_) | Fetch(_) | ClosePortal(_) | Checkpoint(_)
            | Vacuum(_) | Lock(_) | SetConstraints(_) | Discard(_) | Set(_) | Explain(_) | Show(_) | Transaction(_)
            | Listen(_) | Notify(_) | Unlisten(_) => {
                return Ok(());
            }
            Select(_) => "SELECT INTO".to_owned(),
            CreateTableAs(c) if c.materialized_view => "CREATE MATERIALIZED VIEW".to_owned(),
            Drop(d) => format!("DROP {}", d.kind.as_str()),
            Rename(r) if matches!(r.kind, ObjectKind::Column | ObjectKind::TableConstraint) => "ALTER TABLE".to_owned(),
            Rename(r) => format!("ALTER {}", r.kind.as_str()),
            AlterOwner(a) => format!("ALTER {}", a.kind.as_str()),
            AlterEnum(_) => "ALTER TYPE".to_owned(),
            Truncate(_) => "TRUNCATE TABLE".to_owned(),
            Grant(g) => if g.grant { "GRANT" } else { "REVOKE" }.to_owned(),
            GrantRole(g) => if g.grant { "GRANT ROLE" } else { "REVOKE ROLE" }.to_owned(),
            other => other.name(),
        };
        if self.read_only { Err(refused(&what)) } else { Ok(()) }
    }
}
