//! `CopyOptions`: COPY's options, checked as PostgreSQL does, in its order.

use copy::{Csv, Header};
use syntax::ast::{DefElem, DefValue};
use types::{Result, SqlError, SqlState};

use super::position;

/// Which format the data have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Text,
    Csv,
    Binary,
}

/// Which columns an option is about.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Columns {
    All,
    Named(Vec<String>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum HeaderChoice {
    No,
    Yes,
    Match,
}

/// How much COPY says about rows it skips.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verbosity {
    Silent,
    Default,
    Verbose,
}

/// Options as given.
#[derive(Clone, Debug)]
pub struct CopyOptions {
    pub format: Format,
    pub freeze: bool,
    pub default: Option<String>,
    pub ignore_errors: bool,
    pub verbosity: Verbosity,
    pub reject_limit: Option<u64>,
    header: HeaderChoice,
    delimiter: u8,
    null: String,
    quote: u8,
    escape: u8,
    force_quote: Option<Columns>,
    force_not_null: Option<Columns>,
    force_null: Option<Columns>,
}

/// Encodings that PostgreSQL knows; ours is the first.
const ENCODINGS: [&str; 46] = [
    "utf8",
    "unicode",
    "sqlascii",
    "eucjp",
    "euccn",
    "euckr",
    "euctw",
    "eucjis2004",
    "muleinternal",
    "latin1",
    "latin2",
    "latin3",
    "latin4",
    "latin5",
    "latin6",
    "latin7",
    "latin8",
    "latin9",
    "latin10",
    "win1256",
    "win1258",
    "win866",
    "win874",
    "koi8r",
    "win1251",
    "win1252",
    "iso88595",
    "iso88596",
    "iso88597",
    "iso88598",
    "win1250",
    "win1253",
    "win1254",
    "win1255",
    "win1257",
    "koi8u",
    "sjis",
    "big5",
    "gbk",
    "uhc",
    "gb18030",
    "johab",
    "shiftjis2004",
    "windows1252",
    "iso88591",
    "iso885915",
];

fn syntax(message: String) -> SqlError {
    SqlError::new(SqlState::SYNTAX_ERROR, message)
}

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn refused(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
}

/// An option's value as text.
fn text(option: &DefElem) -> Result<String> {
    Ok(match &option.value {
        None => return Err(syntax(format!("{} requires a parameter", &*option.name))),
        Some(DefValue::String(s) | DefValue::Float(s)) => s.to_string(),
        Some(DefValue::Integer(i)) => i.to_string(),
        Some(DefValue::Bool(b)) => b.to_string(),
        Some(DefValue::Star) => "*".to_owned(),
        Some(_) => return Err(SqlError::internal("unexpected node type in an option of COPY")),
    })
}

fn boolean(option: &DefElem) -> Option<bool> {
    match &option.value {
        None | Some(DefValue::Bool(true) | DefValue::Integer(1)) => Some(true),
        Some(DefValue::Bool(false) | DefValue::Integer(0)) => Some(false),
        Some(DefValue::String(s)) => match s.to_ascii_lowercase().as_str() {
            "true" | "on" => Some(true),
            "false" | "off" => Some(false),
            _ => None,
        },
        Some(_) => None,
    }
}

fn columns(option: &DefElem, sql: &str) -> Result<Columns> {
    let wrong = || {
        let message = format!("argument to option \"{}\" must be a list of column names", &*option.name);
        invalid(message).at(position(option.pos, sql))
    };
    match &option.value {
        Some(DefValue::Star) if &*option.name != "convert_selectively" => Ok(Columns::All),
        Some(DefValue::List(names)) => {
            let name = |v: &DefValue| match v {
                DefValue::String(s) => Ok(s.to_string()),
                _ => Err(wrong()),
            };
            names.iter().map(name).collect::<Result<Vec<_>>>().map(Columns::Named)
        }
        _ => Err(wrong()),
    }
}

/// The one byte that `value` is.
fn one_byte(value: &str, what: &str) -> Result<u8> {
    match value.as_bytes() {
        &[byte] => Ok(byte),
        _ => Err(refused(format!("COPY {what} must be a single one-byte character"))),
    }
}

impl CopyOptions {
    /// Reads and checks the options of COPY FROM or TO.
    ///
    /// # Errors
    /// PostgreSQL's.
    pub fn parse(list: &[DefElem], from: bool, sql: &str) -> Result<CopyOptions> {
        let mut format = None;
        let (mut freeze, mut delimiter, mut null, mut default) = (None, None, None, None);
        let (mut header, mut quote, mut escape, mut verbosity) = (None, None, None, None);
        let (mut force_quote, mut force_not_null, mut force_null) = (None, None, None);
        let (mut encoding, mut on_error, mut reject_limit, mut selective) = (None, None, None, None);
        for option in list {
            let at = position(option.pos, sql);
            let twice = || syntax("conflicting or redundant options".to_owned()).at(at);
            macro_rules! once {
                ($slot:ident, $value:expr) => {{
                    if $slot.is_some() {
                        return Err(twice());
                    }
                    $slot = Some($value);
                }};
            }
            match &*option.name {
                "format" => once!(
                    format,
                    match text(option)?.as_str() {
                        "text" => Format::Text,
                        "csv" => Format::Csv,
                        "binary" => Format::Binary,
                        other => return Err(invalid(format!("COPY format \"{other}\" not recognized")).at(at)),
                    }
                ),
                "freeze" => {
                    once!(freeze, boolean(option).ok_or_else(|| syntax("freeze requires a Boolean value".to_owned()))?)
                }
                "delimiter" => once!(delimiter, text(option)?),
                "null" => once!(null, text(option)?),
                "default" => once!(default, text(option)?),
                "header" => once!(
                    header,
                    match (boolean(option), &option.value) {
                        (Some(true), _) => HeaderChoice::Yes,
                        (Some(false), _) => HeaderChoice::No,
                        (None, Some(DefValue::String(s))) if s.eq_ignore_ascii_case("match") => {
                            if !from {
                                return Err(refused("cannot use \"match\" with HEADER in COPY TO"));
                            }
                            HeaderChoice::Match
                        }
                        _ => return Err(syntax("header requires a Boolean value or \"match\"".to_owned())),
                    }
                ),
                "quote" => once!(quote, text(option)?),
                "escape" => once!(escape, text(option)?),
                "force_quote" => once!(force_quote, columns(option, sql)?),
                "force_not_null" => once!(force_not_null, columns(option, sql)?),
                "force_null" => once!(force_null, columns(option, sql)?),
                "convert_selectively" => once!(selective, columns(option, sql)?),
                "encoding" => once!(encoding, {
                    let name: String =
                        text(option)?.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
                    if !ENCODINGS.contains(&&*name) {
                        let message = "argument to option \"encoding\" must be a valid encoding name";
                        return Err(invalid(message).at(at));
                    }
                    name
                }),
                "on_error" => once!(on_error, {
                    if !from {
                        return Err(invalid("COPY ON_ERROR cannot be used with COPY TO").at(at));
                    }
                    match text(option)?.to_ascii_lowercase().as_str() {
                        "stop" => false,
                        "ignore" => true,
                        _ => {
                            let message = format!("COPY ON_ERROR \"{}\" not recognized", text(option)?);
                            return Err(invalid(message).at(at));
                        }
                    }
                }),
                "log_verbosity" => once!(
                    verbosity,
                    match text(option)?.to_ascii_lowercase().as_str() {
                        "silent" => Verbosity::Silent,
                        "default" => Verbosity::Default,
                        "verbose" => Verbosity::Verbose,
                        _ => {
                            let message = format!("COPY LOG_VERBOSITY \"{}\" not recognized", text(option)?);
                            return Err(invalid(message).at(at));
                        }
                    }
                ),
                "reject_limit" => once!(reject_limit, limit(option)?),
                other => return Err(syntax(format!("option \"{other}\" not recognized")).at(at)),
            }
        }
        let format = format.unwrap_or(Format::Text);
        let (binary, csv) = (format == Format::Binary, format == Format::Csv);
        for (given, name) in
            [(delimiter.is_some(), "DELIMITER"), (null.is_some(), "NULL"), (default.is_some(), "DEFAULT")]
        {
            if binary && given {
                return Err(syntax(format!("cannot specify {name} in BINARY mode")));
            }
        }
        let delimiter = delimiter.unwrap_or_else(|| if csv { "," } else { "\t" }.to_owned());
        let null = null.unwrap_or_else(|| if csv { "" } else { "\\N" }.to_owned());
        let delimiter = one_byte(&delimiter, "delimiter")?;
        if matches!(delimiter, b'\n' | b'\r') {
            return Err(invalid("COPY delimiter cannot be newline or carriage return"));
        }
        if null.contains(['\n', '\r']) {
            return Err(invalid("COPY null representation cannot use newline or carriage return"));
        }
        if default.as_ref().is_some_and(|d| d.contains(['\n', '\r'])) {
            return Err(invalid("COPY default representation cannot use newline or carriage return"));
        }
        if !csv && (matches!(delimiter, b'\\' | b'.') || delimiter.is_ascii_lowercase() || delimiter.is_ascii_digit()) {
            return Err(invalid(format!("COPY delimiter cannot be \"{}\"", char::from(delimiter))));
        }
        let header = header.unwrap_or(HeaderChoice::No);
        if binary && header != HeaderChoice::No {
            return Err(refused("cannot specify HEADER in BINARY mode"));
        }
        if !csv && quote.is_some() {
            return Err(refused("COPY QUOTE requires CSV mode"));
        }
        let quote = if csv { one_byte(quote.as_deref().unwrap_or("\""), "quote")? } else { b'"' };
        if csv && quote == delimiter {
            return Err(invalid("COPY delimiter and quote must be different"));
        }
        if !csv && escape.is_some() {
            return Err(refused("COPY ESCAPE requires CSV mode"));
        }
        let escape = match escape {
            Some(escape) => one_byte(&escape, "escape")?,
            None => quote,
        };
        if force_quote.is_some() {
            if !csv {
                return Err(refused("COPY FORCE_QUOTE requires CSV mode"));
            }
            if from {
                return Err(refused("COPY FORCE_QUOTE cannot be used with COPY FROM"));
            }
        }
        for (given, name) in [(force_not_null.is_some(), "FORCE_NOT_NULL"), (force_null.is_some(), "FORCE_NULL")] {
            if given && !csv {
                return Err(refused(format!("COPY {name} requires CSV mode")));
            }
            if given && !from {
                return Err(invalid(format!("COPY {name} cannot be used with COPY TO")));
            }
        }
        if !binary && null.as_bytes().contains(&delimiter) {
            return Err(invalid("COPY delimiter character must not appear in the NULL specification"));
        }
        if csv && null.as_bytes().contains(&quote) {
            return Err(invalid("CSV quote character must not appear in the NULL specification"));
        }
        if freeze == Some(true) && !from {
            return Err(invalid("COPY FREEZE cannot be used with COPY TO"));
        }
        if let Some(default) = &default {
            if !from {
                return Err(refused("COPY DEFAULT cannot be used with COPY TO"));
            }
            if default.as_bytes().contains(&delimiter) {
                return Err(refused("COPY delimiter character must not appear in the DEFAULT specification"));
            }
            if csv && default.as_bytes().contains(&quote) {
                return Err(refused("CSV quote character must not appear in the DEFAULT specification"));
            }
            if *default == null {
                return Err(refused("NULL specification and DEFAULT specification cannot be the same"));
            }
        }
        let ignore_errors = on_error == Some(true);
        if binary && ignore_errors {
            return Err(syntax("only ON_ERROR STOP is allowed in BINARY mode".to_owned()));
        }
        if reject_limit.is_some() && !ignore_errors {
            return Err(invalid("COPY REJECT_LIMIT requires ON_ERROR to be set to IGNORE"));
        }
        if selective.is_some() {
            return Err(SqlError::unsupported("COPY option \"convert_selectively\""));
        }
        if encoding.is_some_and(|e| e != ENCODINGS[0] && e != ENCODINGS[1]) {
            return Err(SqlError::unsupported("COPY with another encoding than UTF8"));
        }
        Ok(CopyOptions {
            format,
            freeze: freeze == Some(true),
            default,
            ignore_errors,
            verbosity: verbosity.unwrap_or(Verbosity::Default),
            reject_limit,
            header,
            delimiter,
            null,
            quote,
            escape,
            force_quote,
            force_not_null,
            force_null,
        })
    }

    /// What the codecs need, for `listed` of the columns `names` of table `table`.
    ///
    /// # Errors
    /// `42703`, `42P10` for columns that options name.
    pub fn resolve(&self, table: &str, names: &[&str], listed: &[usize]) -> Result<copy::Options> {
        let missing = |name: &str| {
            let message = format!("column \"{name}\" of relation \"{table}\" does not exist");
            SqlError::new(SqlState::UNDEFINED_COLUMN, message)
        };
        self.resolved(names, listed, &missing)
    }

    /// [`CopyOptions::resolve`] for the columns of a query.
    ///
    /// # Errors
    /// As there.
    pub fn resolve_query(&self, names: &[&str], listed: &[usize]) -> Result<copy::Options> {
        let missing =
            |name: &str| SqlError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{name}\" does not exist"));
        self.resolved(names, listed, &missing)
    }

    fn resolved(&self, names: &[&str], listed: &[usize], missing: &dyn Fn(&str) -> SqlError) -> Result<copy::Options> {
        let flags = |columns: &Option<Columns>, option: &str| -> Result<Vec<bool>> {
            let mut flags = vec![matches!(columns, Some(Columns::All)); listed.len()];
            if let Some(Columns::Named(given)) = columns {
                for (i, name) in given.iter().enumerate() {
                    let column = names.iter().position(|n| n == name).ok_or_else(|| missing(name))?;
                    if given[..i].contains(name) {
                        let message = format!("column \"{name}\" specified more than once");
                        return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
                    }
                    let field = listed.iter().position(|&c| c == column).ok_or_else(|| {
                        let message = format!("{option} column \"{name}\" not referenced by COPY");
                        SqlError::new(SqlState::INVALID_COLUMN_REFERENCE, message)
                    })?;
                    flags[field] = true;
                }
            }
            Ok(flags)
        };
        let csv = Csv {
            quote: self.quote,
            escape: self.escape,
            force_quote: flags(&self.force_quote, "FORCE_QUOTE")?,
            force_not_null: flags(&self.force_not_null, "FORCE_NOT_NULL")?,
            force_null: flags(&self.force_null, "FORCE_NULL")?,
        };
        Ok(copy::Options {
            delimiter: self.delimiter,
            null: self.null.clone().into_bytes(),
            default: self.default.clone().map(String::into_bytes),
            header: match self.header {
                HeaderChoice::No => Header::No,
                HeaderChoice::Yes => Header::Yes,
                HeaderChoice::Match => Header::Match(listed.iter().map(|&c| names[c].to_owned()).collect()),
            },
            csv: (self.format == Format::Csv).then_some(csv),
        })
    }
}

fn limit(option: &DefElem) -> Result<u64> {
    let value = match &option.value {
        None => return Err(syntax("reject_limit requires a numeric value".to_owned())),
        _ => text(option)?,
    };
    let parsed = types::io::text_in(types::oid::INT8, -1, &value, &types::IoSettings::default())?;
    match parsed {
        types::Datum::I64(n) if n > 0 => Ok(n as u64),
        _ => Err(invalid(format!("REJECT_LIMIT ({value}) must be greater than zero"))),
    }
}
