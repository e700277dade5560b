//! Storage parameters of tables and indexes: checked, kept and shown. What they steer in PostgreSQL (free space in pages, autovacuum, TOAST,
//! parallel scans) does not exist here, and no answer depends on them.

use syntax::ast::{DefElem, DefValue};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::session::Session;

/// What a parameter is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Table,
    Btree,
    Hash,
}

/// What values a parameter takes.
enum Kind {
    Bool,
    Int(i64, i64),
    Real(f64, f64),
    Word(&'static [&'static str]),
}

fn kind(name: &str, of: Of) -> Option<Kind> {
    const INT_MAX: i64 = i32::MAX as i64;
    let lowest = match of {
        Of::Table | Of::Hash => 10,
        Of::Btree => 10,
    };
    if name == "fillfactor" {
        return Some(Kind::Int(lowest, 100));
    }
    match (of, name) {
        (Of::Btree, "deduplicate_items") => return Some(Kind::Bool),
        (Of::Table, _) => {}
        _ => return None,
    }
    let own = name.strip_prefix("toast.");
    let for_toast = own.is_some();
    Some(match own.unwrap_or(name) {
        "autovacuum_enabled" | "vacuum_truncate" => Kind::Bool,
        "user_catalog_table" if !for_toast => Kind::Bool,
        "parallel_workers" if !for_toast => Kind::Int(0, 1024),
        "toast_tuple_target" if !for_toast => Kind::Int(128, 8160),
        "autovacuum_analyze_threshold" if !for_toast => Kind::Int(0, INT_MAX),
        "autovacuum_analyze_scale_factor" if !for_toast => Kind::Real(0.0, 100.0),
        "autovacuum_vacuum_threshold" => Kind::Int(0, INT_MAX),
        "autovacuum_vacuum_max_threshold" | "autovacuum_vacuum_insert_threshold" => Kind::Int(-1, INT_MAX),
        "autovacuum_vacuum_cost_limit" => Kind::Int(1, 10_000),
        "autovacuum_freeze_min_age" | "autovacuum_multixact_freeze_min_age" => Kind::Int(0, 1_000_000_000),
        "autovacuum_freeze_max_age" => Kind::Int(100_000, 2_000_000_000),
        "autovacuum_multixact_freeze_max_age" => Kind::Int(10_000, 2_000_000_000),
        "autovacuum_freeze_table_age" | "autovacuum_multixact_freeze_table_age" => Kind::Int(0, 2_000_000_000),
        "log_autovacuum_min_duration" => Kind::Int(-1, INT_MAX),
        "autovacuum_vacuum_cost_delay" | "autovacuum_vacuum_scale_factor" | "autovacuum_vacuum_insert_scale_factor" => {
            Kind::Real(0.0, 100.0)
        }
        "vacuum_max_eager_freeze_failure_rate" => Kind::Real(0.0, 1.0),
        "vacuum_index_cleanup" => Kind::Word(&["auto", "on", "off", "true", "false", "yes", "no", "1", "0"]),
        _ => return None,
    })
}

/// The value of an option as it was written; `true` when none was.
pub fn written(option: &DefElem) -> String {
    match &option.value {
        Some(DefValue::String(s) | DefValue::Float(s)) => s.to_string(),
        Some(DefValue::Type(ty)) => ty.names.last().map_or(String::new(), |n| n.to_string()),
        Some(DefValue::Bool(b)) => b.to_string(),
        Some(DefValue::Integer(n)) => n.to_string(),
        Some(other) => format!("{other:?}"),
        None => "true".to_owned(),
    }
}

/// Checks storage parameters; as they are kept.
///
/// # Errors
/// `22023`.
pub fn check_options(options: &[DefElem], sql: &str, of: Of) -> Result<Vec<String>> {
    let _ = sql;
    let mut kept: Vec<String> = Vec::new();
    let invalid = |message: String| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message);
    for option in options {
        let name = match &option.namespace {
            Some(space) => format!("{}.{}", &**space, &*option.name),
            None => option.name.to_string(),
        };
        let value = written(option);
        let Some(kind) = kind(&name, of) else {
            if let Some(space) = option.namespace.as_ref().filter(|s| &***s != "toast") {
                return Err(invalid(format!("unrecognized parameter namespace \"{}\"", &**space)));
            }
            return Err(invalid(format!("unrecognized parameter \"{}\"", &*option.name)));
        };
        let shown = &*option.name;
        let between = |low: String, high: String| {
            invalid(format!("value {value} out of bounds for option \"{shown}\""))
                .detail(format!("Valid values are between \"{low}\" and \"{high}\"."))
        };
        match kind {
            Kind::Bool => {
                let lower = value.to_lowercase();
                if !["true", "false", "on", "off", "yes", "no", "1", "0", "t", "f"].contains(&&*lower) {
                    return Err(invalid(format!("invalid value for boolean option \"{shown}\": {value}")));
                }
            }
            Kind::Int(low, high) => match value.parse::<i64>() {
                Ok(n) if (low..=high).contains(&n) => {}
                Ok(_) => return Err(between(low.to_string(), high.to_string())),
                Err(_) => return Err(invalid(format!("invalid value for integer option \"{shown}\": {value}"))),
            },
            Kind::Real(low, high) => match value.parse::<f64>() {
                Ok(n) if (low..=high).contains(&n) => {}
                Ok(_) => return Err(between(format!("{low:.6}"), format!("{high:.6}"))),
                Err(_) => {
                    let message = format!("invalid value for floating point option \"{shown}\": {value}");
                    return Err(invalid(message));
                }
            },
            Kind::Word(words) => {
                if !words.contains(&&*value.to_lowercase()) {
                    return Err(invalid(format!("invalid value for enum option \"{shown}\": {value}"))
                        .detail("Valid values are \"on\", \"off\", and \"auto\"."));
                }
            }
        }
        if kept.iter().any(|k| k.split('=').next() == Some(&*name)) {
            return Err(invalid(format!("parameter \"{shown}\" specified more than once")));
        }
        // Those of the table that holds large values are that one's, and there is none.
        if option.namespace.is_none() {
            kept.push(format!("{name}={value}"));
        }
    }
    Ok(kept)
}

impl Session {
    /// Keeps the options of a relation.
    pub(super) fn keep_options(&mut self, relation: Oid, options: &[String]) -> Result<()> {
        if options.is_empty() {
            return Ok(());
        }
        self.set_options(relation, options)
    }

    /// Says which options a relation has.
    pub(super) fn set_options(&mut self, relation: Oid, options: &[String]) -> Result<()> {
        let value = match options {
            [] => Datum::Null,
            list => {
                let text = format!("{{{}}}", list.join(","));
                types::io::text_in(oid::TEXT_ARRAY, -1, &text, &types::IoSettings::default())?
            }
        };
        self.mark_class(relation, &[("reloptions", value)])
    }

    /// Changes some options of a relation that has `now`: sets `set`, and takes those called `reset` away.
    pub(super) fn change_options(
        &mut self,
        relation: Oid,
        now: &[String],
        set: &[String],
        reset: &[DefElem],
    ) -> Result<()> {
        let name_of = |o: &str| o.split('=').next().unwrap_or_default().to_owned();
        let mut options = now.to_vec();
        options.retain(|o| !set.iter().any(|s| name_of(s) == name_of(o)));
        options.retain(|o| !reset.iter().any(|r| *r.name == *name_of(o)));
        options.extend_from_slice(set);
        self.set_options(relation, &options)
    }

    /// The options of a relation of any kind.
    pub(super) fn options_of(&mut self, relation: Oid) -> Result<Vec<String>> {
        let rows = self.find_rows(catalog::stored::PG_CLASS, |r| r.oid("oid") == relation)?;
        let Some(row) = rows.first() else { return Ok(Vec::new()) };
        Ok(catalog::relation_options(catalog::Fields { relation: catalog::stored::PG_CLASS, row }))
    }
}
