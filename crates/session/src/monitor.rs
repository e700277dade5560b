//! What the session and its engine are doing, as rows: sessions, locks; who may do what, taken apart.

use std::sync::Arc;

use ext::Host;
use jit::Refusal;
use storage::lock::{Mode, Tag};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::acl::{self, Acl};
use crate::backend::Backend;
use crate::host::SessionHost;
use crate::privilege::usual;

/// Columns of `pg_stat_get_activity`.
const ACTIVITY_COLUMNS: usize = 31;

impl SessionHost<'_> {
    /// The rows of a function that the session implements.
    pub(crate) fn rows_of(&mut self, name: &str, args: &[Datum]) -> Result<Vec<Vec<Datum>>> {
        match name {
            "pg_stat_get_activity" => Ok(self.activity(args.first())),
            "pg_listening_channels" => Ok(self.listening.channels.iter().map(|c| vec![Datum::text(c)]).collect()),
            "pg_prepared_statement" => Ok(self.named.prepared_rows()),
            "pg_cursor" => Ok(self.named.cursor_rows()),
            "hathi_statement_cache" => {
                Ok(self.runtime.statements.rows((!self.user.superuser).then_some(self.user.oid)))
            }
            "pg_hba_file_rules" => Ok(self.runtime.rule_rows()),
            "hathi_jit" => Ok(vec![self.jit_counts()]),
            "pg_lock_status" => Ok(self.locks()),
            "pg_get_sequence_data" => {
                let sequence = match args.first() {
                    Some(Datum::U32(oid)) => Oid(*oid),
                    _ => Oid::NONE,
                };
                let (rel, _, _) = self.sequence(sequence)?;
                let (last, called) = storage::sequence::current(&rel);
                let ahead = storage::sequence::logged_ahead(&rel);
                Ok(vec![vec![Datum::I64(last), Datum::Bool(called), Datum::I64(ahead.into())]])
            }
            "aclexplode" => self.exploded(&args[0]),
            _ => Err(SqlError::unsupported(format!("function {name}"))),
        }
    }

    /// The row of `hathi_jit`.
    fn jit_counts(&self) -> Vec<Datum> {
        let counts = self.runtime.jit.counts();
        let number = |n: u64| Datum::I64(i64::try_from(n).unwrap_or(i64::MAX));
        vec![
            number(counts.compiled),
            number(counts.found),
            number(counts.refused),
            number(counts.stencils),
            Datum::F64(counts.nanoseconds as f64 / 1e6),
            number(counts.bytes),
            number(counts.tiles),
            number(counts.tile_rows),
            number(counts.native_steps),
            number(counts.interpreted_steps + counts.declined_steps),
            number(counts.calls),
            number(counts.refusals[Refusal::Volatile as usize]),
            number(counts.refusals[Refusal::Query as usize]),
            number(counts.refusals[Refusal::Long as usize]),
        ]
    }

    /// What was counted of a table since the cluster was opened: nothing of those that are not there.
    pub(crate) fn table_count(&self, name: &str, table: Oid) -> Result<Datum> {
        let info = self.image.by_oid(table);
        let analysed = self.runtime.analysed(self.db, table).unwrap_or_default();
        let counts = match info.map(|i| self.db.relation(i.rel)) {
            Some(Ok(relation)) => relation.counts(),
            _ => [0; 3],
        };
        let since = info.map_or([0; 3], |info| self.runtime.counts_since_analyze(self.db, info));
        let time = |at: Option<i64>| at.map_or(Datum::Null, Datum::I64);
        let number = |n: u64| Datum::I64(i64::try_from(n).unwrap_or(i64::MAX));
        Ok(match name {
            "pg_stat_get_tuples_inserted" => number(counts[0]),
            "pg_stat_get_tuples_updated" => number(counts[1]),
            "pg_stat_get_tuples_deleted" => number(counts[2]),
            "pg_stat_get_live_tuples" => {
                let then = self.image.size(table).map_or(0.0, |s| f64::from(s.rows.max(0.0))) as u64;
                number((then + since[0]).saturating_sub(since[2]))
            }
            "pg_stat_get_mod_since_analyze" => number(since.iter().sum()),
            "pg_stat_get_last_autoanalyze_time" => time(analysed.at[0]),
            "pg_stat_get_last_analyze_time" => time(analysed.at[1]),
            "pg_stat_get_autoanalyze_count" => Datum::I64(analysed.times[0]),
            "pg_stat_get_analyze_count" => Datum::I64(analysed.times[1]),
            _ => return Err(SqlError::unsupported(format!("function {name}"))),
        })
    }

    /// A row per session. What others run is not kept, as with `track_activities` off.
    fn activity(&self, only: Option<&Datum>) -> Vec<Vec<Datum>> {
        let only = match only {
            Some(Datum::I32(pid)) => Some(pid.cast_unsigned()),
            _ => None,
        };
        let present = self.runtime.present.lock().clone();
        let wanted = present.into_iter().filter(|(pid, _)| only.is_none_or(|o| o == *pid));
        let row = |(pid, session): (u32, Arc<Backend>)| {
            let own = pid == self.pid;
            let mut row = vec![Datum::Null; ACTIVITY_COLUMNS];
            row[0] = Datum::from(session.database);
            row[1] = Datum::I32(pid.cast_signed());
            row[2] = Datum::from(session.user);
            row[4] = Datum::text(if own { "active" } else { "disabled" });
            row[5] = Datum::text("");
            row[10] = Datum::I64(session.since);
            row[17] = Datum::text("client backend");
            if own {
                row[3] = Datum::text(&self.setting("application_name").unwrap_or_default());
                row[5] = Datum::text(self.current_query().unwrap_or_default());
                (row[8], row[9], row[11]) =
                    (Datum::I64(self.started.0), Datum::I64(self.started.1), Datum::I64(self.started.1));
                row[15] = self.xid.map_or(Datum::Null, |x| Datum::U32(x as u32));
            }
            row
        };
        wanted.map(row).collect()
    }

    /// A row per lock that is held or waited for.
    fn locks(&self) -> Vec<Vec<Datum>> {
        let held = self.runtime.engine().shared().locks.list();
        let word = Datum::text;
        let row = |lock: &storage::lock::HeldLock| {
            let mut row = vec![Datum::Null; 16];
            let number = |n: u32| Datum::U32(n);
            match lock.tag {
                Tag::Relation(db, relation) => {
                    (row[0], row[1], row[2]) = (word("relation"), number(db.0), number(relation));
                }
                Tag::Row(db, relation, row_id) | Tag::Turn(db, relation, row_id) => {
                    (row[0], row[1], row[2]) = (word("tuple"), number(db.0), number(relation.0));
                    (row[3], row[4]) = (Datum::I32(row_id.block.cast_signed()), Datum::I16(row_id.slot as i16 + 1));
                }
                Tag::Transaction(xid) => {
                    (row[0], row[6]) = (word("transactionid"), number(xid.0 as u32));
                }
                Tag::Advisory(db, a, b, kind) => {
                    (row[0], row[1]) = (word("advisory"), number(db.0));
                    (row[7], row[8], row[9]) = (number(a), number(b), Datum::I16(kind as i16));
                }
                Tag::Object(db, class, object) => {
                    (row[0], row[1]) = (word("object"), number(db.0));
                    (row[7], row[8], row[9]) = (number(class), number(object), Datum::I16(0));
                }
            }
            row[10] = Datum::text(&format!("{}/0", lock.owner.0));
            row[11] = Datum::I32(lock.owner.0.cast_signed());
            row[12] = Datum::text(lock.mode.name());
            row[13] = Datum::Bool(lock.granted);
            row[14] =
                Datum::Bool(lock.granted && matches!((lock.tag, lock.mode), (Tag::Relation(..), Mode::AccessShare)));
            row
        };
        held.iter().map(row).collect()
    }

    fn role_oid(&self, name: &str) -> Result<Oid> {
        if name.is_empty() {
            return Ok(Oid::NONE);
        }
        let role = self.runtime.role(name)?;
        role.map(|r| r.oid)
            .ok_or_else(|| SqlError::new(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist")))
    }

    /// `aclexplode`: a row per right.
    fn exploded(&self, acl: &Datum) -> Result<Vec<Vec<Datum>>> {
        let Some(acl) = Acl::of(acl) else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        for item in &acl.0 {
            let (grantor, grantee) = (self.role_oid(&item.grantor)?, self.role_oid(&item.grantee)?);
            for letter in acl::LETTERS.chars() {
                if let Some((_, option)) = item.rights.iter().find(|r| r.0 == letter) {
                    let word = Datum::text(acl::word(letter));
                    rows.push(vec![Datum::from(grantor), Datum::from(grantee), word, Datum::Bool(*option)]);
                }
            }
        }
        Ok(rows)
    }

    /// `acldefault`: what nobody has granted anything of.
    pub(crate) fn usual_acl(&self, kind: &Datum, owner: Oid) -> Result<Datum> {
        let letter = match kind {
            Datum::I8(l) => l.cast_unsigned(),
            _ => 0,
        };
        let (all, public) = match letter {
            b'c' => ("", ""),
            b'r' => usual("table"),
            b's' => usual("sequence"),
            b'd' => usual("database"),
            b'f' => usual("function"),
            b'l' | b'T' => usual("type"),
            b'n' => usual("schema"),
            b'L' => ("rw", ""),
            b'p' => ("sA", ""),
            b't' => ("C", ""),
            b'F' | b'S' => ("U", ""),
            other => {
                let message = format!("unrecognized object type abbreviation: {}", char::from(other));
                return Err(SqlError::new(SqlState::INTERNAL_ERROR, message));
            }
        };
        let name = match self.runtime.role_by_oid(owner)? {
            Some(role) => role.name,
            None => owner.0.to_string(),
        };
        let acl = Acl::default_of(&name, all, public);
        if acl.0.is_empty() {
            return types::io::text_in(oid::ACLITEM_ARRAY, -1, "{}", &types::IoSettings::default());
        }
        Ok(acl.to_datum())
    }
}
