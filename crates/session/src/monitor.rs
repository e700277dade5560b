//! What the session and its engine are doing, as rows: sessions, locks; who may do what, taken apart.

mod counts;
mod locks;
mod sessions;

use jit::Refusal;
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::acl::{self, Acl};
use crate::host::SessionHost;
use crate::privilege::usual;

impl SessionHost<'_> {
    /// The rows of a function that the session implements.
    pub(crate) fn rows_of(&mut self, name: &str, args: &[Datum]) -> Result<Vec<Vec<Datum>>> {
        match name {
            "pg_stat_get_activity" => self.activity(args.first()),
            "hathi_sessions" => self.session_places(),
            "pg_stat_statements" => {
                let all = self.reads_all_stats()?;
                self.runtime.stats.rows(|user| self.may_see(all, user))
            }
            "pg_stat_statements_info" => Ok(vec![self.runtime.stats.info()]),
            "hathi_carriers" => Ok(self.carriers()),
            "hathi_waits" => Ok(self.waits()),
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
            Some(role) => role.name.clone(),
            None => owner.0.to_string(),
        };
        let acl = Acl::default_of(&name, all, public);
        if acl.0.is_empty() {
            return types::io::text_in(oid::ACLITEM_ARRAY, -1, "{}", &types::IoSettings::default());
        }
        Ok(acl.to_datum())
    }
}
