//! Signals between sessions: `pg_cancel_backend` and `pg_terminate_backend`.

use types::{Oid, Result, SqlError, SqlState};

use crate::host::SessionHost;

/// `pg_signal_backend`, whose members may signal whom no superuser runs.
const SIGNALLERS: Oid = Oid(4200);

impl SessionHost<'_> {
    /// Cancels (or, with `terminate`, ends) session `pid`; false when there is none. PostgreSQL also warns then.
    pub(crate) fn signal_backend(&self, pid: i32, terminate: bool) -> Result<bool> {
        let found = self.runtime.present.lock().get(&pid.cast_unsigned()).cloned();
        let Some(backend) = found else { return Ok(false) };
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
        match terminate {
            true => backend.terminate(),
            false => backend.cancel(),
        }
        Ok(true)
    }
}
