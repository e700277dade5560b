//! What the options of CREATE and ALTER FUNCTION say.

use syntax::ast::{FunctionOption, FunctionOptionKind as Kind, SetValue, VariableSet, VariableSetKind, Volatility};
use types::{Result, SqlError, SqlState};

use super::invalid;

/// Attributes of a function as options say them.
#[derive(Default)]
pub(super) struct Attributes {
    pub language: Option<String>,
    pub source: Option<Vec<String>>,
    pub volatility: Option<u8>,
    pub strict: Option<bool>,
    pub definer: Option<bool>,
    pub leakproof: Option<bool>,
    pub cost: Option<f32>,
    pub rows: Option<f32>,
    pub parallel: Option<u8>,
    pub window: bool,
    pub config: Vec<(String, Option<String>)>,
    pub reset_all: bool,
}

fn once<T>(slot: &mut Option<T>, value: T, option: &FunctionOption, sql: &str) -> Result<()> {
    if slot.is_some() {
        let message = "conflicting or redundant options";
        return Err(SqlError::new(SqlState::SYNTAX_ERROR, message).at(option.pos.char_position(sql)));
    }
    *slot = Some(value);
    Ok(())
}

/// What SET in a function's options sets.
fn setting(set: &VariableSet) -> Result<(String, Option<String>)> {
    match &set.kind {
        VariableSetKind::Value { name, values } => {
            let mut words = Vec::new();
            for value in values {
                words.push(match value {
                    SetValue::String(s, _) | SetValue::Float(s, _) => s.to_string(),
                    SetValue::Integer(i, _) => i.to_string(),
                    SetValue::Interval(_) => return Err(SqlError::unsupported("SET TIME ZONE INTERVAL")),
                });
            }
            let quoted = |w: &String| syntax::quote_ident(w);
            let text = match name.eq_ignore_ascii_case("search_path") {
                true => words.iter().map(quoted).collect::<Vec<_>>().join(", "),
                false => words.join(", "),
            };
            Ok((name.to_lowercase().to_string(), Some(text)))
        }
        VariableSetKind::Reset { name } | VariableSetKind::Default { name } => {
            Ok((name.to_lowercase().to_string(), None))
        }
        _ => Err(SqlError::unsupported("this form of SET in a function")),
    }
}

impl Attributes {
    pub fn of(options: &[FunctionOption], procedure: bool, sql: &str) -> Result<Attributes> {
        let mut a = Attributes::default();
        for option in options {
            let only_functions = matches!(
                option.kind,
                Kind::Window
                    | Kind::Volatility(_)
                    | Kind::Strict(_)
                    | Kind::Leakproof(_)
                    | Kind::Cost(_)
                    | Kind::Rows(_)
                    | Kind::Support(_)
                    | Kind::Parallel(_)
            );
            if procedure && only_functions {
                let message = "invalid attribute in procedure definition";
                return Err(invalid(message).at(option.pos.char_position(sql)));
            }
            let number = |text: &str, what: &str| match text.parse::<f32>() {
                Ok(v) if v > 0.0 => Ok(v),
                _ => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("{what} must be positive"))),
            };
            match &option.kind {
                Kind::As(list) => {
                    let list = list.iter().map(|s| s.to_string()).collect();
                    once(&mut a.source, list, option, sql)?;
                }
                Kind::Language(name) => once(&mut a.language, name.to_string(), option, sql)?,
                Kind::Transform(_) => return Err(SqlError::unsupported("TRANSFORM")),
                Kind::Window => a.window = true,
                Kind::Volatility(v) => {
                    let letter = match v {
                        Volatility::Immutable => b'i',
                        Volatility::Stable => b's',
                        Volatility::Volatile => b'v',
                    };
                    once(&mut a.volatility, letter, option, sql)?;
                }
                Kind::Strict(v) => once(&mut a.strict, *v, option, sql)?,
                Kind::SecurityDefiner(v) => once(&mut a.definer, *v, option, sql)?,
                Kind::Leakproof(v) => once(&mut a.leakproof, *v, option, sql)?,
                Kind::Cost(v) => once(&mut a.cost, number(v, "COST")?, option, sql)?,
                Kind::Rows(v) => once(&mut a.rows, number(v, "ROWS")?, option, sql)?,
                Kind::Support(_) => return Err(SqlError::unsupported("SUPPORT")),
                Kind::Parallel(word) => {
                    let letter = match word.as_str() {
                        "safe" => b's',
                        "unsafe" => b'u',
                        "restricted" => b'r',
                        _ => {
                            let message = "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE";
                            return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
                        }
                    };
                    once(&mut a.parallel, letter, option, sql)?;
                }
                Kind::Set(set) if matches!(set.kind, VariableSetKind::ResetAll) => a.reset_all = true,
                Kind::Set(set) => {
                    let (name, value) = setting(set)?;
                    if name != "search_path" {
                        return Err(SqlError::unsupported(format!("SET {name} in a function")));
                    }
                    a.config.push((name, value));
                }
            }
        }
        Ok(a)
    }
}
