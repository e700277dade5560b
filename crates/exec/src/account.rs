//! `Account`: the memory that a statement may use.

use types::{Result, SqlError, SqlState};

/// Counts bytes against a budget (Q4).
#[derive(Clone, Debug)]
pub struct Account {
    used_bytes: usize,
    budget_bytes: usize,
}

impl Account {
    /// An account of `budget_bytes`.
    pub fn new(budget_bytes: usize) -> Account {
        Account { used_bytes: 0, budget_bytes }
    }

    /// Takes `bytes` more.
    ///
    /// # Errors
    /// `53200` when that is over the budget.
    pub fn charge(&mut self, bytes: usize) -> Result<()> {
        if self.used_bytes + bytes > self.budget_bytes {
            return Err(SqlError::new(SqlState::OUT_OF_MEMORY, "out of memory").detail(format!(
                "Failed on request of size {bytes} over the statement's budget of {}.",
                self.budget_bytes
            )));
        }
        self.used_bytes += bytes;
        Ok(())
    }

    /// Takes what a row held in memory needs.
    ///
    /// # Errors
    /// As [`Account::charge`].
    pub fn charge_row(&mut self, row: &[types::Datum]) -> Result<()> {
        let var: usize = row.iter().filter_map(types::Datum::as_bytes).map(<[u8]>::len).sum();
        self.charge(size_of_val(row) + var + 24)
    }
}
