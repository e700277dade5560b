//! `Account`: the memory that a statement may use; `Meter`: what the statements of a session, of a directory, of the process use together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use types::{Result, SqlError, SqlState};

/// Accounts take from their meter in steps of this size, so that small statements of different sessions do not meet at it.
const STEP_BYTES: usize = 64 << 10;

/// Memory that several accounts or meters take together, against a limit.
#[derive(Debug)]
pub struct Meter {
    used_bytes: AtomicUsize,
    limit_bytes: usize,
    /// Whose it is, as messages say.
    owner: &'static str,
    parent: Option<Arc<Meter>>,
}

/// What all statements of this process take.
static PROCESS: LazyLock<Arc<Meter>> = LazyLock::new(|| {
    Arc::new(Meter { used_bytes: AtomicUsize::new(0), limit_bytes: usize::MAX, owner: "process", parent: None })
});

impl Meter {
    /// The process's, which only counts.
    pub fn process() -> &'static Arc<Meter> {
        &PROCESS
    }

    /// A meter of `limit_bytes` that takes from `parent`.
    pub fn new(owner: &'static str, limit_bytes: usize, parent: &Arc<Meter>) -> Arc<Meter> {
        Arc::new(Meter { used_bytes: AtomicUsize::new(0), limit_bytes, owner, parent: Some(parent.clone()) })
    }

    /// Bytes taken now.
    pub fn used_bytes(&self) -> usize {
        self.used_bytes.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> Result<()> {
        let used = self.used_bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let outcome = match &self.parent {
            _ if used > self.limit_bytes => Err(over(bytes, self.owner, self.limit_bytes)),
            Some(parent) => parent.take(bytes),
            None => Ok(()),
        };
        if outcome.is_err() {
            self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
        outcome
    }

    fn give_back(&self, bytes: usize) {
        self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(parent) = &self.parent {
            parent.give_back(bytes);
        }
    }
}

fn over(bytes: usize, owner: &str, limit: usize) -> SqlError {
    SqlError::new(SqlState::OUT_OF_MEMORY, "out of memory")
        .detail(format!("Failed on request of size {bytes} over the {owner}'s budget of {limit}."))
}

/// Counts bytes against a budget (Q4). What it took goes back to its meter when it is dropped.
#[derive(Debug)]
pub struct Account {
    used_bytes: usize,
    budget_bytes: usize,
    /// What its meter knows of: at least what is used.
    taken_bytes: usize,
    meter: Arc<Meter>,
}

impl Account {
    /// An account of `budget_bytes` that takes from `meter`.
    pub fn new(budget_bytes: usize, meter: &Arc<Meter>) -> Account {
        Account { used_bytes: 0, budget_bytes, taken_bytes: 0, meter: meter.clone() }
    }

    /// What it may take.
    pub fn budget_bytes(&self) -> usize {
        self.budget_bytes
    }

    /// The most that was used at a time since it was empty, rounded up.
    pub fn taken_bytes(&self) -> usize {
        self.taken_bytes
    }

    /// Gives all back.
    pub fn reset(&mut self) {
        self.used_bytes = 0;
        if self.taken_bytes > 0 {
            self.meter.give_back(std::mem::take(&mut self.taken_bytes));
        }
    }

    /// Takes `bytes` more.
    ///
    /// # Errors
    /// `53200` when that is over the budget, or over that of its session or directory.
    pub fn charge(&mut self, bytes: usize) -> Result<()> {
        let used = self.used_bytes.saturating_add(bytes);
        if used > self.budget_bytes {
            return Err(over(bytes, "statement", self.budget_bytes));
        }
        if used > self.taken_bytes {
            let step = (used - self.taken_bytes).next_multiple_of(STEP_BYTES);
            self.meter.take(step)?;
            self.taken_bytes += step;
        }
        self.used_bytes = used;
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

    /// An account for one of `share` threads that share what is left of the budget.
    pub fn part(&self, share: usize) -> Account {
        Account::new((self.budget_bytes - self.used_bytes) / share, &self.meter)
    }

    /// Gives `bytes` back.
    pub fn release(&mut self, bytes: usize) {
        self.used_bytes = self.used_bytes.saturating_sub(bytes);
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if self.taken_bytes > 0 {
            self.meter.give_back(self.taken_bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_hold_at_every_level_and_everything_is_given_back() {
        let process = Meter::new("process", 4 << 20, Meter::process());
        let sessions = [0, 1].map(|_| Meter::new("session", 3 << 20, &process));
        let mut first = Account::new(2 << 20, &sessions[0]);
        first.charge(2 << 20).unwrap();
        let detail = |e: SqlError| e.fields().detail.clone().unwrap_or_default().to_string();
        assert!(detail(first.charge(1).unwrap_err()).contains("the statement's budget"));
        let mut second = Account::new(2 << 20, &sessions[0]);
        assert!(detail(second.charge(2 << 20).unwrap_err()).contains("the session's budget"));
        second.charge(1 << 20).unwrap();
        let mut other = Account::new(2 << 20, &sessions[1]);
        assert!(detail(other.charge(2 << 20).unwrap_err()).contains("the process's budget"));
        other.charge(1).unwrap();
        assert_eq!(process.used_bytes(), (3 << 20) + STEP_BYTES);
        drop((first, second, other));
        assert_eq!((process.used_bytes(), sessions[0].used_bytes()), (0, 0));
    }
}
