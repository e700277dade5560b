//! Settings: what SET changes and SHOW shows. Each is either in effect, or has one possible value here.

mod hints;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use crate::runtime::Role;
use types::datetime::{DateOrder, DateStyle, IntervalStyle, zone};
use types::io::ByteaOutput;
use types::{IoSettings, Result, SqlError, SqlState};

/// Settings of a session that whoever serves its client heeds; 0 is what the system does, or never.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClientSettings {
    /// How often a running statement looks whether its client is there, in milliseconds (`client_connection_check_interval`).
    pub check_interval_ms: u64,
    /// Seconds without a word before TCP asks (`tcp_keepalives_idle`).
    pub keepalives_idle_s: u32,
    /// Seconds until it asks again (`tcp_keepalives_interval`).
    pub keepalives_interval_s: u32,
    /// How often it asks (`tcp_keepalives_count`).
    pub keepalives_count: u32,
    /// Milliseconds that what was sent may stay unanswered (`tcp_user_timeout`).
    pub user_timeout_ms: u32,
}

/// How values of a setting are read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Bool,
    /// Milliseconds, with units.
    Time,
    /// The same, or -1 for never.
    Delay,
    /// A time in seconds, or in milliseconds, with units, and shown without.
    Plain {
        milliseconds: bool,
    },
    /// An integer between these.
    Int(i64, i64),
    /// A number between these.
    Real(f64, f64),
    /// Memory in units of so many kilobytes, between these.
    Size {
        unit_kb: i64,
        low: i64,
        high: i64,
    },
    /// Memory in bytes, between these.
    Bytes(i64, i64),
    /// One of these words.
    Word(&'static [&'static str]),
    Text,
    /// It has one value; any other is refused.
    Fixed,
    /// As `Fixed`, and not even that may be set.
    Internal,
}

/// A setting: name as SHOW ALL writes it, default, how it is read.
type Known = (&'static str, &'static str, Kind);

const KNOWN: &[Known] = &[
    ("application_name", "", Kind::Text),
    ("authentication_timeout", "1min", Kind::Internal),
    ("bytea_output", "hex", Kind::Word(&["hex", "escape"])),
    // There are no function bodies to check yet.
    ("check_function_bodies", "on", Kind::Bool),
    ("client_connection_check_interval", "0", Kind::Time),
    ("client_encoding", "UTF8", Kind::Fixed),
    (
        "client_min_messages",
        "notice",
        Kind::Word(&["debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error"]),
    ),
    ("DateStyle", "ISO, MDY", Kind::Text),
    ("default_table_access_method", "heap", Kind::Fixed),
    ("default_tablespace", "", Kind::Fixed),
    ("default_text_search_config", "pg_catalog.simple", Kind::Fixed),
    (
        "default_transaction_isolation",
        "read committed",
        Kind::Word(&["serializable", "repeatable read", "read committed", "read uncommitted"]),
    ),
    // Of serializable transactions, which there are none of.
    ("default_transaction_deferrable", "off", Kind::Bool),
    ("default_transaction_read_only", "off", Kind::Bool),
    ("extra_float_digits", "1", Kind::Int(-15, 3)),
    // The server's files, by its arguments.
    ("hba_file", "", Kind::Internal),
    ("idle_in_transaction_session_timeout", "0", Kind::Time),
    ("idle_session_timeout", "0", Kind::Time),
    // Our own: whether every expression that is evaluated row by row gets a program, slower or not.
    ("hathi.jit_force", "off", Kind::Bool),
    // What makes code better that would be right without it: `jit::Passes`.
    ("hathi.jit_merge", "on", Kind::Bool),
    ("hathi.jit_pick", "on", Kind::Bool),
    ("hathi.jit_tiles", "on", Kind::Bool),
    ("hathi.jit_truth", "on", Kind::Bool),
    ("in_hot_standby", "off", Kind::Internal),
    ("integer_datetimes", "on", Kind::Internal),
    ("IntervalStyle", "postgres", Kind::Word(&["postgres", "postgres_verbose", "sql_standard", "iso_8601"])),
    ("is_superuser", "on", Kind::Internal),
    ("jit", "on", Kind::Bool),
    ("lc_messages", "C", Kind::Fixed),
    ("lc_monetary", "C", Kind::Fixed),
    ("lc_numeric", "C", Kind::Fixed),
    ("lc_time", "C", Kind::Fixed),
    ("lock_timeout", "0", Kind::Time),
    ("max_connections", "20000", Kind::Internal),
    ("max_index_keys", "32", Kind::Internal),
    ("max_identifier_length", "63", Kind::Internal),
    // Who statements run as: see `Session::become_role`.
    ("role", "none", Kind::Text),
    // There are no policies to apply yet.
    ("row_security", "on", Kind::Bool),
    ("scram_iterations", "4096", Kind::Int(1, 2_147_483_647)),
    ("search_path", "\"$user\", public", Kind::Text),
    ("server_encoding", "UTF8", Kind::Internal),
    ("server_version", "18.0", Kind::Internal),
    ("server_version_num", "180000", Kind::Internal),
    ("session_authorization", "", Kind::Text),
    ("ssl", "off", Kind::Internal),
    ("ssl_ca_file", "", Kind::Internal),
    ("ssl_cert_file", "", Kind::Internal),
    ("ssl_key_file", "", Kind::Internal),
    ("ssl_min_protocol_version", "TLSv1.2", Kind::Internal),
    ("standard_conforming_strings", "on", Kind::Fixed),
    ("superuser_reserved_connections", "3", Kind::Internal),
    ("statement_timeout", "0", Kind::Time),
    (
        "synchronous_commit",
        "on",
        Kind::Word(&["on", "off", "local", "remote_write", "remote_apply", "true", "false", "yes", "no", "1", "0"]),
    ),
    ("pg_stat_statements.track", "top", Kind::Word(&["none", "top", "all"])),
    ("log_min_duration_statement", "-1", Kind::Delay),
    // Of connections by TCP; 0 is what the system does.
    ("tcp_keepalives_count", "0", Kind::Int(0, 2_147_483_647)),
    ("tcp_keepalives_idle", "0", Kind::Plain { milliseconds: false }),
    ("tcp_keepalives_interval", "0", Kind::Plain { milliseconds: false }),
    ("tcp_user_timeout", "0", Kind::Plain { milliseconds: true }),
    ("TimeZone", "UTC", Kind::Text),
    ("track_activity_query_size", "1kB", Kind::Bytes(100, 1_048_576)),
    ("transaction_isolation", "read committed", Kind::Internal),
    ("transaction_deferrable", "off", Kind::Fixed),
    ("transaction_read_only", "off", Kind::Internal),
    ("work_mem", "4MB", Kind::Size { unit_kb: 1, low: 64, high: 2_147_483_647 }),
    ("transaction_timeout", "0", Kind::Fixed),
    // There is no XML type yet.
    ("xmloption", "content", Kind::Word(&["content", "document"])),
];

/// Settings that neither what a statement means nor its plan depends on.
const APART: &[&str] = &[
    "application_name",
    "client_connection_check_interval",
    "client_min_messages",
    "default_transaction_deferrable",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "jit",
    "jit_above_cost",
    "jit_expressions",
    "lock_timeout",
    "log_min_duration_statement",
    "log_min_messages",
    "pg_stat_statements.track",
    "scram_iterations",
    "statement_timeout",
    "tcp_keepalives_count",
    "tcp_keepalives_idle",
    "tcp_keepalives_interval",
    "tcp_user_timeout",
    "synchronous_commit",
    "track_activities",
    "track_activity_query_size",
];

/// Whether a setting, by its name in lower case, is one that plans depend on. Those with a dot are the application's, but for our own.
fn matters_to_plans(key: &str) -> bool {
    (!key.contains('.') || find(key).is_some()) && !APART.contains(&key)
}

/// The schemas that a value of `search_path` names; none where it is no list of names.
pub(crate) fn path_names(value: &str) -> Vec<String> {
    split_names(value).unwrap_or_default()
}

/// `jit` and those that narrow it.
#[derive(Clone, Copy, Debug)]
struct JitSettings {
    on: bool,
    expressions: bool,
    /// Of everything (`hathi.jit_force`).
    force: bool,
    /// By a negative `jit_above_cost`.
    forbidden: bool,
    passes: jit::Passes,
}

/// Which statements are counted (`pg_stat_statements.track`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Track {
    None,
    /// Those that clients send; what runs within functions is part of them.
    Top,
}

/// A session's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What text forms depend on.
    pub io: IoSettings,
    /// Whether COMMIT waits for the log (`synchronous_commit`).
    pub synchronous_commit: bool,
    /// Milliseconds a statement may take; 0: any (`statement_timeout`).
    pub statement_timeout_ms: u64,
    /// Milliseconds a statement waits for one lock; 0: any (`lock_timeout`).
    pub lock_timeout_ms: u32,
    /// Milliseconds a client may be silent with a transaction open, and without; 0: any. Whoever reads from it looks after them.
    pub idle_timeouts_ms: (u64, u64),
    /// Schemas in which names are looked up (`search_path`).
    pub search_path: Vec<String>,
    /// Rounds of SCRAM for new passwords (`scram_iterations`).
    pub scram_iterations: u32,
    /// How important a message must be to be sent (`client_min_messages`), by its place in PostgreSQL's order.
    pub client_min_messages: u8,
    /// What transactions are that do not say what they are (`default_transaction_isolation`, `default_transaction_read_only`).
    pub default_isolation: syntax::ast::IsolationLevel,
    /// See `default_isolation`.
    pub default_read_only: bool,
    /// What says whether expressions are compiled.
    jit: JitSettings,
    /// Whether it tells what it does, and how much of a statement's text (`track_activities`, `track_activity_query_size`).
    pub(crate) track_activities: bool,
    pub(crate) activity_bytes: usize,
    pub(crate) track_statements: Track,
    /// What its connection heeds.
    pub(crate) client: ClientSettings,
    /// How long a statement must take to be told of, in milliseconds; negative: none is (`log_min_duration_statement`).
    pub(crate) log_min_duration_ms: i64,
    /// How important a message must be to be told of, by its place in PostgreSQL's order (`log_min_messages`).
    pub(crate) log_min_messages: u8,
    /// What the server has decided on, by names in lower case.
    pub(crate) fixed: Arc<crate::runtime::FixedSettings>,
    /// What SET SESSION AUTHORIZATION made of the session.
    pub(crate) session_role: Option<Arc<Role>>,
    /// What SET ROLE made of it.
    pub(crate) role: Option<Arc<Role>>,
    /// Values that are not defaults, as SHOW prints them, by name in lower case.
    values: BTreeMap<String, String>,
    /// Those of `values` that plans depend on: equal ones give equal plans.
    pub(crate) planning: Arc<BTreeMap<String, String>>,
    /// Grows with every change that plans depend on: plans made before are not used after.
    pub generation: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            io: IoSettings::default(),
            synchronous_commit: true,
            statement_timeout_ms: 0,
            lock_timeout_ms: 0,
            idle_timeouts_ms: (0, 0),
            search_path: vec!["$user".to_owned(), "public".to_owned()],
            scram_iterations: 4096,
            client_min_messages: 6,
            default_isolation: syntax::ast::IsolationLevel::ReadCommitted,
            default_read_only: false,
            jit: JitSettings {
                on: true,
                expressions: true,
                force: false,
                forbidden: false,
                passes: jit::Passes::default(),
            },
            track_activities: true,
            activity_bytes: 1024,
            track_statements: Track::Top,
            client: ClientSettings::default(),
            log_min_duration_ms: -1,
            log_min_messages: 7,
            fixed: Arc::default(),
            session_role: None,
            role: None,
            values: BTreeMap::new(),
            planning: Arc::default(),
            generation: 0,
        }
    }
}

impl Kind {
    /// Its type, bounds and words, as `pg_settings` has them.
    fn described(self) -> (&'static str, Option<(String, String)>, &'static [&'static str]) {
        match self {
            Kind::Bool => ("bool", None, &[]),
            Kind::Time | Kind::Plain { .. } => ("integer", Some(("0".to_owned(), "2147483647".to_owned())), &[]),
            Kind::Delay => ("integer", Some(("-1".to_owned(), "2147483647".to_owned())), &[]),
            Kind::Int(low, high) | Kind::Bytes(low, high) | Kind::Size { low, high, .. } => {
                ("integer", Some((low.to_string(), high.to_string())), &[])
            }
            Kind::Real(low, high) => ("real", Some((low.to_string(), high.to_string())), &[]),
            Kind::Word(words) => ("enum", None, words),
            Kind::Text | Kind::Fixed | Kind::Internal => ("string", None, &[]),
        }
    }
}

impl Settings {
    /// Where expressions get their programs, if they are compiled.
    pub(crate) fn programs<'j>(&self, jit: &'j jit::Jit) -> Option<exec::Programs<'j>> {
        let is_on = self.jit.on && self.jit.expressions && !self.jit.forbidden;
        is_on.then_some(exec::Programs { jit, force: self.jit.force || jit.is_forced(), passes: self.jit.passes })
    }

    /// What the client says that it is (`application_name`).
    pub(crate) fn application_name(&self) -> &str {
        self.values.get("application_name").map_or("", |name| name)
    }

    /// Bytes that those take that are not defaults.
    pub(crate) fn bytes(&self) -> usize {
        // Two of them, with names, in trees whose nodes have room to spare.
        self.values.len() * 256
    }

    /// The defaults, but for what the server has decided on.
    pub(crate) fn with_fixed(fixed: Arc<crate::runtime::FixedSettings>) -> Settings {
        Settings { fixed, ..Settings::default() }
    }

    /// The rows of `pg_settings`.
    pub fn rows(&self) -> Vec<Vec<types::Datum>> {
        use types::Datum;
        let text = |s: &str| Datum::text(s);
        let row = |&(name, default, kind): &(&str, &str, Kind)| {
            let (ty, bounds, words) = kind.described();
            let bound = |n: Option<&String>| n.map_or(Datum::Null, |n| text(n));
            let list = format!("{{{}}}", words.join(","));
            let words = if words.is_empty() {
                Datum::Null
            } else {
                types::io::text_in(types::oid::TEXT_ARRAY, -1, &list, &IoSettings::default()).unwrap_or_default()
            };
            let setting = self.get(name).unwrap_or_default();
            let source = match setting == default {
                true => "default",
                false if kind == Kind::Internal => "command line",
                false => "session",
            };
            let number = match kind {
                Kind::Size { unit_kb, .. } => size(name, &setting, unit_kb).map_or(setting.clone(), |n| n.to_string()),
                Kind::Bytes(..) => bytes(name, &setting).map_or(setting.clone(), |n| n.to_string()),
                _ => setting.clone(),
            };
            vec![
                text(name),
                text(&number),
                match kind {
                    Kind::Time | Kind::Delay | Kind::Plain { milliseconds: true } => text("ms"),
                    Kind::Plain { milliseconds: false } => text("s"),
                    Kind::Bytes(..) => text("B"),
                    Kind::Size { unit_kb: 1, .. } => text("kB"),
                    Kind::Size { unit_kb, .. } => text(&format!("{unit_kb}kB")),
                    _ => Datum::Null,
                },
                text("Ungrouped"),
                text(""),
                Datum::Null,
                text(if kind == Kind::Internal { "internal" } else { "user" }),
                text(ty),
                text(source),
                bound(bounds.as_ref().map(|b| &b.0)),
                bound(bounds.as_ref().map(|b| &b.1)),
                words,
                text(default),
                text(default),
                Datum::Null,
                Datum::Null,
                Datum::Bool(false),
            ]
        };
        KNOWN.iter().chain(hints::HINTS).map(row).collect()
    }
}

/// Every setting, by its name in lower case.
static BY_NAME: LazyLock<HashMap<String, &'static Known>> =
    LazyLock::new(|| KNOWN.iter().chain(hints::HINTS).map(|known| (known.0.to_ascii_lowercase(), known)).collect());

fn in_lower_case(name: &str) -> Cow<'_, str> {
    match name.is_ascii() && !name.bytes().any(|b| b.is_ascii_uppercase()) {
        true => name.into(),
        false => name.to_lowercase().into(),
    }
}

fn find(name: &str) -> Option<&'static Known> {
    BY_NAME.get(&*in_lower_case(name)).copied()
}

/// A setting that was found by its name, for those who ask for its value often.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name in lower case.
    key: &'static str,
    default: &'static str,
}

impl Setting {
    /// The setting called `name`, if there is one.
    pub fn named(name: &str) -> Option<Setting> {
        let (key, known) = BY_NAME.get_key_value(&*in_lower_case(name))?;
        Some(Setting { key, default: known.1 })
    }
}

fn unknown(name: &str) -> SqlError {
    SqlError::new(SqlState::UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\""))
}

fn invalid(name: &str, value: &str) -> SqlError {
    let message = format!("invalid value for parameter \"{name}\": \"{value}\"");
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn boolean(name: &str, value: &str) -> Result<bool> {
    let read = types::io::text_in(types::oid::BOOL, -1, value, &IoSettings::default());
    read.map(|d| d == types::Datum::Bool(true)).map_err(|_| {
        let message = format!("parameter \"{name}\" requires a Boolean value");
        SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
    })
}

fn out_of_range(name: &str, value: &str, low: &str, high: &str) -> SqlError {
    let message = format!("{value} is outside the valid range for parameter \"{name}\" ({low} .. {high})");
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

/// Memory, in bytes.
fn bytes(name: &str, text: &str) -> Result<i64> {
    match text.trim().parse() {
        Ok(n) => Ok(n),
        Err(_) => Ok(size_in(name, text, 1.0)?.round() as i64),
    }
}

/// Memory, in units of `unit_kb`.
fn size(name: &str, text: &str, unit_kb: i64) -> Result<i64> {
    Ok((size_in(name, text, 1024.0 * unit_kb as f64)? / (1024.0 * unit_kb as f64)).round() as i64)
}

/// Memory in bytes; a number without a unit counts in `unit`.
fn size_in(name: &str, text: &str, unit: f64) -> Result<f64> {
    let text = text.trim();
    let number = |c: char| c.is_ascii_digit() || c == '.' || c == '-' || c == '+';
    let (digits, suffix) = text.split_at(text.find(|c| !number(c)).unwrap_or(text.len()));
    let bytes_per = match suffix.trim() {
        "" => unit,
        "B" => 1.0,
        "kB" => 1024.0,
        "MB" => 1_048_576.0,
        "GB" => 1_073_741_824.0,
        "TB" => 1_099_511_627_776.0,
        _ => {
            let hint = "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".";
            return Err(invalid(name, text).hint(hint));
        }
    };
    let number: f64 = digits.parse().map_err(|_| invalid(name, text))?;
    Ok(number * bytes_per)
}

fn shown_size(number: i64, unit_kb: i64) -> String {
    if number <= 0 {
        return number.to_string();
    }
    let kb = number.saturating_mul(unit_kb);
    let units = [(1_i64 << 30, "TB"), (1 << 20, "GB"), (1 << 10, "MB")];
    match units.iter().find(|unit| kb % unit.0 == 0) {
        Some((factor, unit)) => format!("{}{unit}", kb / factor),
        None => format!("{kb}kB"),
    }
}

/// A number as C's `%g` prints it.
fn shown_real(number: f64) -> String {
    if number.abs() >= 1e6 {
        let text = format!("{number:.5e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = digits.trim_end_matches('0').trim_end_matches('.');
        return format!("{digits}e+{exponent:0>2}");
    }
    number.to_string()
}

/// Milliseconds.
fn time(name: &str, text: &str) -> Result<u64> {
    let text = text.trim();
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()));
    let factor = match unit.trim() {
        "" | "ms" => 1.0,
        "us" => 0.001,
        "s" => 1000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => {
            return Err(invalid(name, text)
                .hint("Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\"."));
        }
    };
    let number: f64 = digits.parse().map_err(|_| invalid(name, text))?;
    let ms = (number * factor).round();
    if ms > f64::from(i32::MAX) {
        let message = format!("{ms} ms is outside the valid range for parameter \"{name}\" (0 ms .. 2147483647 ms)");
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
    }
    Ok(ms as u64)
}

fn shown_time(ms: u64) -> String {
    let units = [(86_400_000_u64, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s")];
    match units.iter().find(|u| ms > 0 && ms.is_multiple_of(u.0)) {
        Some((factor, unit)) => format!("{}{unit}", ms / factor),
        None if ms == 0 => "0".to_owned(),
        None => format!("{ms}ms"),
    }
}

/// The names in a list of identifiers, quoted or not.
pub fn split_names(list: &str) -> Result<Vec<String>> {
    let error = || {
        SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "invalid value for parameter \"search_path\"")
            .detail("List syntax is invalid.")
    };
    let mut names = Vec::new();
    let mut rest = list.trim();
    while !rest.is_empty() {
        let name;
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').ok_or_else(error)?;
            (name, rest) = (quoted[..end].to_owned(), quoted[end + 1..].trim_start());
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            (name, rest) = (rest[..end].trim().to_lowercase(), &rest[end..]);
        }
        names.push(name);
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None if rest.is_empty() => {}
            None => return Err(error()),
        }
    }
    Ok(names)
}

impl Settings {
    /// Sets `name`; `None` is its default.
    ///
    /// # Errors
    /// `42704` for what PostgreSQL does not know either; `0A000` for a value that is not supported; `22023`, `55P02`.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<()> {
        let Some(&(name, default, kind)) = find(name) else {
            if name.contains('.') {
                // A setting of an extension's, or of the application's own.
                let key = name.to_lowercase();
                match value {
                    Some(v) => self.values.insert(key, v.to_owned()),
                    None => self.values.remove(&key),
                };
                return Ok(());
            }
            return Err(unknown(name));
        };
        let given = value.unwrap_or(default);
        let shown = match kind {
            Kind::Bool => if boolean(name, given)? { "on" } else { "off" }.to_owned(),
            Kind::Delay if given.trim() == "-1" => "-1".to_owned(),
            Kind::Time | Kind::Delay => shown_time(time(name, given)?),
            Kind::Plain { milliseconds: true } => time(name, given)?.to_string(),
            Kind::Plain { milliseconds: false } => {
                // Without a unit it is seconds.
                let bare = given.trim().parse::<u32>().is_ok();
                let ms = if bare { time(name, &format!("{}s", given.trim()))? } else { time(name, given)? };
                (ms / 1000).to_string()
            }
            Kind::Int(low, high) => {
                let n: i64 = given.trim().parse().map_err(|_| invalid(name, given))?;
                if !(low..=high).contains(&n) {
                    return Err(out_of_range(name, &n.to_string(), &low.to_string(), &high.to_string()));
                }
                n.to_string()
            }
            Kind::Real(low, high) => {
                let number: f64 = given.trim().parse().map_err(|_| invalid(name, given))?;
                if !(low..=high).contains(&number) {
                    return Err(out_of_range(name, &shown_real(number), &shown_real(low), &shown_real(high)));
                }
                shown_real(number)
            }
            Kind::Size { unit_kb, low, high } => {
                let number = size(name, given, unit_kb)?;
                if !(low..=high).contains(&number) {
                    let unit = if unit_kb == 1 { " kB" } else { " 8kB" };
                    let shown = |n: i64| format!("{n}{unit}");
                    return Err(out_of_range(name, &shown(number), &shown(low), &shown(high)));
                }
                shown_size(number, unit_kb)
            }
            Kind::Bytes(low, high) => {
                let number = bytes(name, given)?;
                if !(low..=high).contains(&number) {
                    let shown = |n: i64| format!("{n} B");
                    return Err(out_of_range(name, &shown(number), &shown(low), &shown(high)));
                }
                if number % 1024 == 0 { shown_size(number / 1024, 1) } else { format!("{number}B") }
            }
            Kind::Word(words) => {
                let word = given.to_lowercase();
                // Words that stand for the truth values may be spelt as those.
                let word = match &*word {
                    "true" | "yes" | "1" if words.contains(&"on") => "on".to_owned(),
                    "false" | "no" | "0" if words.contains(&"off") => "off".to_owned(),
                    _ => word,
                };
                if !words.contains(&&*word) {
                    return Err(invalid(name, given).hint(format!("Available values: {}.", words.join(", "))));
                }
                word
            }
            Kind::Text => given.to_owned(),
            Kind::Fixed => {
                let same = default.eq_ignore_ascii_case(given)
                    || (name == "client_encoding" && ["utf-8", "unicode"].contains(&&*given.to_lowercase()))
                    || (default == "on" && boolean(name, given).unwrap_or(false))
                    || (default == "off" && !boolean(name, given).unwrap_or(true));
                if !same {
                    return Err(SqlError::unsupported(format!("setting {name} to \"{given}\" (only \"{default}\")")));
                }
                default.to_owned()
            }
            Kind::Internal => {
                let message = format!("parameter \"{name}\" cannot be changed");
                return Err(SqlError::new(SqlState::CANT_CHANGE_RUNTIME_PARAM, message));
            }
        };
        let shown = self.take_effect(name, &shown)?;
        let key = name.to_lowercase();
        let matters = matters_to_plans(&key);
        if shown == default {
            self.values.remove(&key)
        } else {
            self.values.insert(key, shown)
        };
        if matters {
            self.generation += 1;
            let of_plans = self.values.iter().filter(|v| matters_to_plans(v.0));
            self.planning = Arc::new(of_plans.map(|(k, v)| (k.clone(), v.clone())).collect());
        }
        Ok(())
    }

    /// Puts a checked value into effect; how it is shown.
    fn take_effect(&mut self, name: &str, value: &str) -> Result<String> {
        match name {
            "synchronous_commit" => {
                self.synchronous_commit = !matches!(value, "off" | "false" | "no" | "0");
                return Ok(match value {
                    "true" | "yes" | "1" => "on",
                    "false" | "no" | "0" => "off",
                    other => other,
                }
                .to_owned());
            }
            "client_connection_check_interval" => self.client.check_interval_ms = time(name, value)?,
            "tcp_keepalives_count" => self.client.keepalives_count = value.parse().unwrap_or(0),
            "tcp_keepalives_idle" => self.client.keepalives_idle_s = value.parse().unwrap_or(0),
            "tcp_keepalives_interval" => self.client.keepalives_interval_s = value.parse().unwrap_or(0),
            "tcp_user_timeout" => self.client.user_timeout_ms = value.parse().unwrap_or(0),
            "statement_timeout" => self.statement_timeout_ms = time(name, value)?,
            "idle_in_transaction_session_timeout" => self.idle_timeouts_ms.0 = time(name, value)?,
            "idle_session_timeout" => self.idle_timeouts_ms.1 = time(name, value)?,
            "default_transaction_read_only" => self.default_read_only = value == "on",
            "default_transaction_isolation" => {
                self.default_isolation = match value {
                    "serializable" => return Err(SqlError::unsupported("ISOLATION LEVEL SERIALIZABLE")),
                    "repeatable read" => syntax::ast::IsolationLevel::RepeatableRead,
                    _ => syntax::ast::IsolationLevel::ReadCommitted,
                };
            }
            "jit" => self.jit.on = value == "on",
            "hathi.jit_force" => self.jit.force = value == "on",
            "hathi.jit_merge" => self.jit.passes.merge = value == "on",
            "hathi.jit_pick" => self.jit.passes.pick = value == "on",
            "hathi.jit_tiles" => self.jit.passes.tiles = value == "on",
            "hathi.jit_truth" => self.jit.passes.truth = value == "on",
            "jit_expressions" => self.jit.expressions = value == "on",
            // Nothing is too cheap to be compiled; what costs less than nothing is not.
            "jit_above_cost" => self.jit.forbidden = value.starts_with('-'),
            "pg_stat_statements.track" => {
                self.track_statements = if value == "none" { Track::None } else { Track::Top };
            }
            "log_min_duration_statement" => {
                self.log_min_duration_ms = match value {
                    "-1" => -1,
                    value => i64::try_from(time(name, value)?).unwrap_or(-1),
                };
            }
            "log_min_messages" => {
                let Some((_, _, Kind::Word(words))) = find(name) else { return Ok(value.to_owned()) };
                self.log_min_messages = words.iter().position(|w| *w == value).unwrap_or(7) as u8;
            }
            "track_activities" => self.track_activities = value == "on",
            "track_activity_query_size" => self.activity_bytes = usize::try_from(bytes(name, value)?).unwrap_or(1024),
            "lock_timeout" => self.lock_timeout_ms = u32::try_from(time(name, value)?).unwrap_or(u32::MAX),
            "extra_float_digits" => self.io.extra_float_digits = value.parse().map_err(|_| invalid(name, value))?,
            "scram_iterations" => self.scram_iterations = value.parse().map_err(|_| invalid(name, value))?,
            "bytea_output" => {
                self.io.bytea_output = if value == "hex" { ByteaOutput::Hex } else { ByteaOutput::Escape };
            }
            "IntervalStyle" => {
                self.io.interval_style = match value {
                    "sql_standard" => IntervalStyle::SqlStandard,
                    "postgres_verbose" => IntervalStyle::PostgresVerbose,
                    "iso_8601" => IntervalStyle::Iso8601,
                    _ => IntervalStyle::Postgres,
                };
            }
            "DateStyle" => return self.date_style(value),
            "TimeZone" => {
                let named = if value.eq_ignore_ascii_case("default") || value.eq_ignore_ascii_case("local") {
                    "UTC"
                } else {
                    value
                };
                // A number is a count of hours east of Greenwich.
                let hours = named.parse::<f64>().ok().filter(|h| h.is_finite() && h.abs() < 168.0);
                let named = hours.map_or(named.to_owned(), |h| zone_of_offset((h * 3600.0) as i64));
                self.io.time_zone = zone::find(&named).ok_or_else(|| invalid(name, value))?;
                return Ok(named);
            }
            "search_path" => self.search_path = split_names(value)?,
            "client_min_messages" => {
                let Some((_, _, Kind::Word(words))) = find(name) else { return Ok(value.to_owned()) };
                self.client_min_messages = words.iter().position(|w| *w == value).unwrap_or(6) as u8;
            }
            _ => {}
        }
        Ok(value.to_owned())
    }

    /// `DateStyle`: a style, an order, or both.
    fn date_style(&mut self, value: &str) -> Result<String> {
        let (mut style, mut order) = (self.io.date_style, self.io.date_order);
        let mut is_ordered = false;
        for word in value.split(',').map(str::trim) {
            match &*word.to_lowercase() {
                "iso" => style = DateStyle::Iso,
                "sql" => style = DateStyle::Sql,
                "postgres" | "postgresql" => style = DateStyle::Postgres,
                // Its dates are written so.
                "german" if !is_ordered => (style, order) = (DateStyle::German, DateOrder::Dmy),
                "german" => style = DateStyle::German,
                "ymd" => (order, is_ordered) = (DateOrder::Ymd, true),
                "dmy" | "euro" | "european" => (order, is_ordered) = (DateOrder::Dmy, true),
                "mdy" | "us" | "noneuro" | "noneuropean" => (order, is_ordered) = (DateOrder::Mdy, true),
                "default" => (style, order) = (DateStyle::Iso, DateOrder::Mdy),
                other => {
                    return Err(invalid("DateStyle", value).detail(format!("Unrecognized key word: \"{other}\".")));
                }
            }
        }
        (self.io.date_style, self.io.date_order) = (style, order);
        let style = match style {
            DateStyle::Iso => "ISO",
            DateStyle::Sql => "SQL",
            DateStyle::Postgres => "Postgres",
            DateStyle::German => "German",
        };
        let order = match order {
            DateOrder::Ymd => "YMD",
            DateOrder::Dmy => "DMY",
            DateOrder::Mdy => "MDY",
        };
        Ok(format!("{style}, {order}"))
    }

    /// Whether a setting, by its name in lower case, was turned off.
    pub(crate) fn is_off(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|v| v == "off")
    }

    /// The value of `name`, as SHOW prints it.
    ///
    /// # Errors
    /// `42704`.
    pub fn get(&self, name: &str) -> Result<String> {
        let key = in_lower_case(name);
        let own = self.values.get(&*key).or_else(|| self.fixed.get(&*key)).cloned();
        own.or_else(|| find(&key).map(|known| known.1.to_owned())).ok_or_else(|| unknown(name))
    }

    /// The value of a setting as SHOW prints it.
    pub fn shown(&self, setting: Setting) -> Cow<'static, str> {
        let own = self.values.get(setting.key).or_else(|| self.fixed.get(setting.key));
        own.map_or(setting.default.into(), |value| value.clone().into())
    }

    /// The name of a setting as SHOW heads its column.
    pub fn shown_name(name: &str) -> &str {
        find(name).map_or(name, |k| k.0)
    }

    /// Settings that steer plans and have another value than at first.
    pub fn changed_for_plans(&self) -> Vec<(String, String)> {
        let changed = |name: &str, value: &str| find(name).is_some_and(|known| known.1 != value);
        self.all().into_iter().filter(|(name, value)| hints::steers_plans(name) && changed(name, value)).collect()
    }

    /// Names and values of all settings.
    pub fn all(&self) -> Vec<(String, String)> {
        let known = KNOWN.iter().chain(hints::HINTS);
        let mut all: Vec<_> = known.map(|k| (k.0.to_owned(), self.get(k.0).unwrap_or_default())).collect();
        all.sort_by_cached_key(|(name, _)| name.to_lowercase());
        all
    }

    /// Puts all settings back to their defaults.
    pub fn reset_all(&mut self) {
        let generation = self.generation + 1;
        *self = Settings { generation, fixed: self.fixed.clone(), ..Settings::default() };
    }
}

/// The POSIX name of a time zone so many seconds east.
pub(crate) fn zone_of_offset(seconds: i64) -> String {
    let n = seconds.abs();
    let mut text = format!("{:02}", n / 3600);
    if n % 3600 != 0 {
        text += &format!(":{:02}", n % 3600 / 60);
    }
    if n % 60 != 0 {
        text += &format!(":{:02}", n % 60);
    }
    if seconds < 0 { format!("<-{text}>+{text}") } else { format!("<+{text}>-{text}") }
}
