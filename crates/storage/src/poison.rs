//! `Poison`: remembers the first failure after which nothing may be acknowledged (I10).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result};

/// Shared by all parts of one engine.
#[derive(Default)]
pub struct Poison {
    set: AtomicBool,
    reason: OnceLock<Arc<str>>,
}

impl Poison {
    /// `Err(Poisoned)` once poisoned.
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.set.load(Ordering::Acquire) { Err(self.error()) } else { Ok(()) }
    }

    /// Whether nothing more may be done.
    pub fn is_set(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    /// Records the first `reason`.
    pub fn set(&self, reason: &str) -> Error {
        let _ = self.reason.set(Arc::from(reason));
        self.set.store(true, Ordering::Release);
        self.error()
    }

    fn error(&self) -> Error {
        Error::Poisoned(self.reason.get().cloned().unwrap_or_else(|| Arc::from("unknown")))
    }
}
