//! Signals between sessions: `pg_cancel_backend` and `pg_terminate_backend`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ext::Host;
use ext::host::Signal;
use types::{Oid, Result, SqlError, SqlState};

use crate::backend::Backend;
use crate::host::SessionHost;

/// `pg_signal_backend`, whose members may signal whom no superuser runs.
const SIGNALLERS: Oid = Oid(4200);
/// How often whoever waits for another session's end looks for it.
const LOOK: Duration = Duration::from_millis(2);

impl SessionHost<'_> {
    /// Cancels what session `pid` does, or ends it; false, with a warning, when there is no such session, or it has not ended in time.
    pub(crate) fn signal_backend(&mut self, pid: i32, signal: Signal) -> Result<bool> {
        let found = self.backend(pid);
        let Some(backend) = found else {
            self.notice(SqlError::warning(format!("PID {pid} is not a PostgreSQL backend process")));
            return Ok(false);
        };
        self.check_may_signal(&backend, signal)?;
        match signal {
            Signal::Cancel => backend.cancel(),
            Signal::Terminate { wait_ms } => {
                backend.terminate();
                return self.await_end(pid, &backend, wait_ms);
            }
        }
        Ok(true)
    }

    fn backend(&self, pid: i32) -> Option<Arc<Backend>> {
        self.runtime.present.lock().get(&pid.cast_unsigned()).cloned()
    }

    /// Whether a session that was told to ends in time; with no time at all nobody looks.
    fn await_end(&mut self, pid: i32, backend: &Arc<Backend>, wait_ms: u64) -> Result<bool> {
        let until = Instant::now().checked_add(Duration::from_millis(wait_ms));
        while wait_ms > 0 && self.backend(pid).is_some_and(|there| Arc::ptr_eq(&there, backend)) {
            if until.is_some_and(|until| Instant::now() >= until) {
                let unit = if wait_ms == 1 { "millisecond" } else { "milliseconds" };
                let message = format!("backend with PID {pid} did not terminate within {wait_ms} {unit}");
                self.notice(SqlError::warning(message));
                return Ok(false);
            }
            self.sleep(LOOK.as_secs_f64())?;
        }
        Ok(true)
    }

    fn check_may_signal(&self, backend: &Backend, signal: Signal) -> Result<()> {
        let terminate = signal != Signal::Cancel;
        let (own, what, gerund) = match terminate {
            true => (self.acting(), "terminate", "terminated"),
            false => (self.acting(), "cancel", "canceled"),
        };
        let word = if terminate { "process" } else { "query" };
        let refuse = |detail: String| {
            let message = format!("permission denied to {what} {word}");
            Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message).detail(detail))
        };
        let theirs = self.runtime.role_by_oid(backend.user)?;
        if theirs.as_ref().is_some_and(|r| r.superuser) && !own.superuser {
            return refuse(match terminate {
                true => "Only roles with the SUPERUSER attribute may terminate processes of roles with the SUPERUSER \
                         attribute."
                    .to_owned(),
                false => "Only roles with the SUPERUSER attribute may cancel queries of roles with the SUPERUSER \
                          attribute."
                    .to_owned(),
            });
        }
        let may = own.superuser
            || own.oid == backend.user
            || self.runtime.has_role(own, backend.user, "USAGE")?
            || self.runtime.has_role(own, SIGNALLERS, "USAGE")?;
        if !may {
            let whose = if terminate { "process is being" } else { "query is being" };
            let object = if terminate { "this process" } else { "this query" };
            return refuse(format!(
                "Only roles with privileges of the role whose {whose} {gerund} or with privileges of the \
                 \"pg_signal_backend\" role may {what} {object}."
            ));
        }
        Ok(())
    }
}
