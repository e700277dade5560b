//! SET and SHOW: settings change for a transaction or for longer, and roles with them.

use std::sync::Arc;

use binder::Binder;
use plan::{Node, OutputColumn};
use syntax::ast::{SetValue, VariableSet, VariableSetKind};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};
use vector::Chunk;

use super::{BlockState, Session, Sink};
use crate::runtime::Role;
use crate::settings::{self, Settings};

/// Settings before a transaction, and what it set for longer than itself.
pub(super) type Before = (Box<Settings>, Vec<(String, Option<String>)>);

impl Session {
    /// Changes a setting: until the transaction ends if `local`; taken back if it is rolled back.
    pub(crate) fn change_setting(&mut self, name: &str, value: Option<&str>, local: bool) -> Result<()> {
        let mut changed = self.settings.clone();
        self.set_in(&mut changed, name, value)?;
        let before = std::mem::replace(&mut self.settings, changed);
        if self.txn.is_some() {
            let (_, kept) = self.before.get_or_insert_with(|| (Box::new(before), Vec::new()));
            if !local {
                kept.push((name.to_owned(), value.map(str::to_owned)));
            }
        } else if local {
            self.settings = before;
        }
        self.follow_role();
        Ok(())
    }

    /// Sets `name` in `settings`; roles are looked up.
    pub(super) fn set_in(&self, settings: &mut Settings, name: &str, value: Option<&str>) -> Result<()> {
        let session = name.eq_ignore_ascii_case("session_authorization");
        if !session && !name.eq_ignore_ascii_case("role") {
            return settings.set(name, value);
        }
        let role = match value {
            None => None,
            Some(none) if !session && none == "none" => None,
            Some(name) => {
                let role = self.runtime.role(name)?.ok_or_else(|| {
                    let message = format!("role \"{name}\" does not exist");
                    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
                })?;
                let (may, what) = if session {
                    (self.login.superuser || role.oid == self.login.oid, "session authorization")
                } else {
                    let from = settings.session_role.as_ref().unwrap_or(&self.login);
                    let may = from.superuser || self.runtime.reached(from.oid, |m| m.may_set)?.contains(&role.oid);
                    (may, "role")
                };
                if !may {
                    let message = format!("permission denied to set {what} \"{name}\"");
                    return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
                }
                Some(role)
            }
        };
        settings.set(name, role.as_ref().map(|role| role.name.as_str()))?;
        if session {
            settings.set("role", None)?;
            (settings.session_role, settings.role) = (role, None);
        } else {
            settings.role = role;
        }
        Ok(())
    }

    /// Makes the session's user the one that its settings name, and the application too.
    pub(crate) fn follow_role(&mut self) {
        self.settings_changes += 1;
        self.report_application();
        let wanted = self.settings.role.as_ref().or(self.settings.session_role.as_ref()).unwrap_or(&self.login);
        if self.user != *wanted {
            self.user = wanted.clone();
        }
    }

    /// Who the session runs as when it sets no role (`session_user`).
    pub fn session_user(&self) -> &Role {
        self.settings.session_role.as_ref().unwrap_or(&self.login)
    }

    pub(super) fn apply_pending(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        for change in std::mem::take(&mut self.pending) {
            self.change_setting(&change.name, change.value.as_deref(), change.local)?;
        }
        Ok(())
    }

    pub(super) fn set(&mut self, set: &VariableSet, sink: &mut dyn Sink) -> Result<String> {
        if set.local && self.block == BlockState::Idle {
            let text = "SET LOCAL can only be used in transaction blocks";
            sink.notice(
                &SqlError::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, text).severity(types::error::Severity::Warning),
            );
        }
        match &set.kind {
            VariableSetKind::Value { name, values } => {
                let mut words = Vec::new();
                for value in values {
                    words.push(match value {
                        SetValue::Float(s, _) if name.eq_ignore_ascii_case("timezone") => match s.parse::<f64>() {
                            Ok(hours) => settings::zone_of_offset((hours * 3600.0) as i64),
                            Err(_) => s.to_string(),
                        },
                        SetValue::Integer(i, _) if name.eq_ignore_ascii_case("timezone") => {
                            settings::zone_of_offset(i64::from(*i) * 3600)
                        }
                        SetValue::String(s, _) | SetValue::Float(s, _) => s.to_string(),
                        SetValue::Integer(i, _) => i.to_string(),
                        SetValue::Interval(e) => self.offset_of(e)?,
                    });
                }
                let text = if words.len() == 1 && !name.eq_ignore_ascii_case("search_path") {
                    words.remove(0)
                } else if name.eq_ignore_ascii_case("search_path") || name.eq_ignore_ascii_case("datestyle") {
                    let plain = name.eq_ignore_ascii_case("datestyle");
                    let quoted = |w: &String| if plain { w.clone() } else { syntax::quote_ident(w) };
                    words.iter().map(quoted).collect::<Vec<_>>().join(", ")
                } else {
                    let message = format!("SET {name} takes only one argument");
                    return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
                };
                self.change_setting(name, Some(&text), set.local)?;
                Ok("SET".to_owned())
            }
            VariableSetKind::Default { name } => {
                self.change_setting(name, None, set.local)?;
                Ok("SET".to_owned())
            }
            VariableSetKind::Reset { name } => {
                self.change_setting(name, None, false)?;
                Ok("RESET".to_owned())
            }
            VariableSetKind::ResetAll => {
                let keeps = |name: &str| ["role", "session_authorization"].contains(&name);
                for (name, _) in self.settings.all().into_iter().filter(|(name, _)| !keeps(name)) {
                    // Those that cannot be changed are what they are.
                    let _fixed = self.change_setting(&name, None, false);
                }
                Ok("RESET".to_owned())
            }
            VariableSetKind::Transaction(modes) => {
                if self.block == BlockState::Idle {
                    let text = "SET TRANSACTION can only be used in transaction blocks";
                    sink.notice(
                        &SqlError::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, text)
                            .severity(types::error::Severity::Warning),
                    );
                    return Ok("SET".to_owned());
                }
                self.take_modes(modes)?;
                Ok("SET".to_owned())
            }
            VariableSetKind::SessionCharacteristics(modes) => {
                self.set_characteristics(modes, set.local)?;
                Ok("SET".to_owned())
            }
            VariableSetKind::TransactionSnapshot(name) => {
                self.import_snapshot(name)?;
                Ok("SET".to_owned())
            }
            VariableSetKind::FromCurrent { .. } => Err(SqlError::unsupported("this form of SET")),
        }
    }

    /// The time zone that an interval is: a POSIX name, as PostgreSQL shows it.
    fn offset_of(&mut self, e: &syntax::ast::Expr) -> Result<String> {
        let image = self.image()?;
        let bound = {
            let mut binder = Binder::new(&image, "", &self.settings.io, &self.search_path);
            binder.constant_of(e, Oid(1186))?
        };
        let node = Node::Values { rows: vec![vec![bound]], types: vec![Oid(1186)] };
        let mut running = self.start(Arc::new(node), Arc::default())?;
        let row = running.next_chunk(self)?.map(|chunk| chunk.row(0)).unwrap_or_default();
        let interval = match row.first() {
            Some(Datum::B16(bytes)) => types::datetime::Interval::from_bytes(bytes),
            _ => return Err(SqlError::internal("an interval is what was asked for")),
        };
        if interval.months != 0 || interval.days != 0 {
            let word = if interval.months != 0 { "months" } else { "days" };
            let text = types::io::to_text(Oid(1186), &row[0], &types::IoSettings::default())?;
            let message = format!("invalid value for parameter \"TimeZone\": \"INTERVAL '{text}'\"");
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
                .detail(format!("Cannot specify {word} in time zone interval.")));
        }
        Ok(settings::zone_of_offset(interval.micros / 1_000_000))
    }

    pub(super) fn show(&mut self, name: &str, sink: &mut dyn Sink) -> Result<String> {
        if name.eq_ignore_ascii_case("all") {
            sink.columns(&[text_column("name"), text_column("setting"), text_column("description")])?;
            let mut chunk = Chunk::new(&[types::Physical::Var; 3]);
            for (name, value) in self.settings.all() {
                chunk.push_row(&[Datum::text(&name), Datum::text(&value), Datum::text("")]);
            }
            sink.chunk(&chunk, &types::io::BuiltinTypes)?;
            return Ok("SHOW".to_owned());
        }
        let value = match &*name.to_lowercase() {
            "transaction_read_only" => if self.read_only { "on" } else { "off" }.to_owned(),
            "transaction_isolation" => self.isolation.as_str().to_owned(),
            "session_authorization" => self.session_user().name.clone(),
            "is_superuser" => if self.user.superuser { "on" } else { "off" }.to_owned(),
            _ => self.settings.get(name)?,
        };
        sink.columns(&[text_column(Settings::shown_name(name))])?;
        let mut chunk = Chunk::new(&[types::Physical::Var]);
        chunk.push_row(&[Datum::text(&value)]);
        sink.chunk(&chunk, &types::io::BuiltinTypes)?;
        Ok("SHOW".to_owned())
    }
}

fn text_column(name: &str) -> OutputColumn {
    OutputColumn { name: name.to_owned(), ty: oid::TEXT, typmod: -1, origin: None }
}
