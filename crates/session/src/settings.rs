//! Settings: what SET changes and SHOW shows. Only those with an effect are accepted.

use types::{IoSettings, Result, SqlError, SqlState};

/// A session's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What text forms depend on.
    pub io: IoSettings,
    /// Whether COMMIT waits for the log (`synchronous_commit`).
    pub synchronous_commit: bool,
    /// Milliseconds a statement may take; 0: any (`statement_timeout`).
    pub statement_timeout_ms: u64,
    /// Shown to others (`application_name`).
    pub application_name: String,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            io: IoSettings::default(),
            synchronous_commit: true,
            statement_timeout_ms: 0,
            application_name: String::new(),
        }
    }
}

/// Settings whose only supported value is the one they have.
const FIXED: [(&str, &str); 7] = [
    ("client_encoding", "UTF8"),
    ("server_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("server_version", "18.0"),
    ("server_version_num", "180000"),
    ("integer_datetimes", "on"),
    ("default_table_access_method", "heap"),
];

fn boolean(name: &str, value: &str) -> Result<bool> {
    types::io::text_in(types::oid::BOOL, -1, value, &IoSettings::default())
        .map(|d| d == types::Datum::Bool(true))
        .map_err(|_| {
            let message = format!("parameter \"{name}\" requires a Boolean value");
            SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
        })
}

fn invalid(name: &str, value: &str) -> SqlError {
    let message = format!("invalid value for parameter \"{name}\": \"{value}\"");
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn on_off(b: bool) -> String {
    if b { "on" } else { "off" }.to_owned()
}

impl Settings {
    /// Sets `name`; `None` is its default.
    ///
    /// # Errors
    /// `42704` for what PostgreSQL does not know either; `0A000` for a value that is not supported; `22023`.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<()> {
        let default = Settings::default();
        match name {
            "application_name" => self.application_name = value.unwrap_or_default().to_owned(),
            "synchronous_commit" => {
                self.synchronous_commit = match value {
                    Some("local" | "remote_write" | "remote_apply") | None => true,
                    Some(v) => boolean(name, v)?,
                };
            }
            "statement_timeout" => {
                let text = value.unwrap_or("0");
                let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
                let factor = match unit.trim() {
                    "" | "ms" => 1,
                    "s" => 1000,
                    "min" => 60_000,
                    "h" => 3_600_000,
                    "d" => 86_400_000,
                    _ => return Err(invalid(name, text)),
                };
                self.statement_timeout_ms = digits.parse::<u64>().map_err(|_| invalid(name, text))? * factor;
            }
            "extra_float_digits" => {
                self.io.extra_float_digits = match value {
                    None => default.io.extra_float_digits,
                    Some(v) => v.parse().ok().filter(|n| (-15..=3).contains(n)).ok_or_else(|| invalid(name, v))?,
                };
            }
            _ => match (FIXED.iter().find(|f| f.0 == name), value) {
                (Some(_), None) => {}
                (Some((_, only)), Some(v))
                    if only.eq_ignore_ascii_case(v) || (*only == "UTF8" && v.eq_ignore_ascii_case("utf-8")) => {}
                (Some((_, only)), Some(v)) => {
                    return Err(SqlError::unsupported(format!("setting {name} to {v} (only {only})")));
                }
                (None, _) => {
                    let message = format!("unrecognized configuration parameter \"{name}\"");
                    return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
                }
            },
        }
        Ok(())
    }

    /// The value of `name`, as SHOW prints it.
    ///
    /// # Errors
    /// `42704`.
    pub fn get(&self, name: &str) -> Result<String> {
        Ok(match name {
            "application_name" => self.application_name.clone(),
            "synchronous_commit" => on_off(self.synchronous_commit),
            "statement_timeout" => match self.statement_timeout_ms {
                0 => "0".to_owned(),
                ms if ms % 1000 == 0 => format!("{}s", ms / 1000),
                ms => format!("{ms}ms"),
            },
            "extra_float_digits" => self.io.extra_float_digits.to_string(),
            _ => match FIXED.iter().find(|f| f.0 == name) {
                Some((_, value)) => (*value).to_owned(),
                None => {
                    let message = format!("unrecognized configuration parameter \"{name}\"");
                    return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
                }
            },
        })
    }
}
