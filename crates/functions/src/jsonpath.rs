//! `jsonb_path_query` and its kin: what a path finds in a document.

pub(crate) mod item;
mod method;
mod moment;
pub(crate) mod run;

use std::sync::Arc;

use ext::{Call, Jsonb};
use fancy_regex::Regex;
use types::jsonb::{Json, View};
use types::jsonpath::{Path, RegexFlags, Step, Steps};
use types::{Result, SqlError, SqlState};

use self::item::{Item, Stored};
use self::run::{Outcome, Run, Variables};

/// A path and its regular expressions, compiled.
#[derive(Clone)]
pub(crate) struct Prepared {
    text: Arc<str>,
    pub path: Arc<Path>,
    pub patterns: Arc<[Regex]>,
}

fn collect(steps: &Steps, out: &mut Vec<(String, RegexFlags)>) {
    for step in steps {
        for child in step.children() {
            collect(child, out);
        }
        if let Step::LikeRegex { pattern, flags, number, .. } = step {
            // They are numbered from the inside out, as they were read.
            out.resize_with(out.len().max(number + 1), Default::default);
            out[*number] = (pattern.clone(), *flags);
        }
    }
}

/// The path of this call, read once.
pub(crate) fn prepared(call: &mut Call<'_>, text: &str) -> Result<Prepared> {
    let known = call.memo(
        |p: &Prepared| *p.text == *text,
        || {
            let path = Path::parse(text)?;
            let mut patterns = Vec::new();
            collect(&path.steps, &mut patterns);
            let compiled: Result<Vec<Regex>> = patterns
                .iter()
                .map(|(pattern, f)| {
                    let mut flags = String::from(match (f.dot_all, f.lines) {
                        (false, false) => "p",
                        (false, true) => "n",
                        (true, false) => "s",
                        (true, true) => "w",
                    });
                    if f.ignore_case {
                        flags.push('i');
                    }
                    if f.quoted {
                        flags.push('q');
                    }
                    crate::regex::matcher(pattern, &flags)
                })
                .collect();
            Ok(Prepared { text: text.into(), path: Arc::new(path), patterns: compiled?.into() })
        },
    )?;
    Ok(known.clone())
}

/// How a call of one of these functions wants its path run.
#[derive(Clone, Copy)]
struct Mode {
    silent: bool,
    zones: bool,
}

/// The variables of a call.
fn variables(vars: View<'_>, bytes: &[u8]) -> Result<Variables> {
    match vars {
        View::Object(_) => Ok(Variables::Stored(Stored::document(bytes, 1))),
        _ => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "\"vars\" argument is not an object")
            .detail("Jsonpath parameters should be encoded as key-value pairs of \"vars\" object.")),
    }
}

/// Everything that the path finds; what was found before a silent failure too.
fn query(call: &mut Call<'_>, v: &[u8], path: &str, vars: Option<&[u8]>, mode: Mode) -> Result<Vec<Item>> {
    let mut found = Vec::new();
    evaluate(call, v, path, vars, mode, Some(&mut found))?;
    Ok(found)
}

fn evaluate(
    call: &mut Call<'_>,
    v: &[u8],
    path: &str,
    vars: Option<&[u8]>,
    mode: Mode,
    found: Option<&mut Vec<Item>>,
) -> Result<Outcome> {
    let prepared = prepared(call, path)?;
    let vars = vars.map_or(Ok(Variables::None), |b| variables(View::new(b), b))?;
    Run::new(call, &prepared, Item::root(v), &vars, !mode.silent, mode.zones).start(found)
}

fn exists(call: &mut Call<'_>, v: &[u8], path: &str, vars: Option<&[u8]>, mode: Mode) -> Result<Option<bool>> {
    Ok(match evaluate(call, v, path, vars, mode, None)? {
        Outcome::Found => Some(true),
        Outcome::Nothing => Some(false),
        Outcome::Failed => None,
    })
}

fn matches(call: &mut Call<'_>, v: &[u8], path: &str, vars: Option<&[u8]>, mode: Mode) -> Result<Option<bool>> {
    match &query(call, v, path, vars, mode)?[..] {
        [Item::Bool(b)] => Ok(Some(*b)),
        [Item::Null] => Ok(None),
        _ if mode.silent => Ok(None),
        _ => Err(SqlError::new(run::SINGLETON_REQUIRED, "single boolean result is expected")),
    }
}

fn stored(item: &Item) -> Jsonb {
    Jsonb(item.to_bytes())
}

fn array(items: &[Item]) -> Json {
    Json::Array(items.iter().map(Item::to_json).collect())
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = 4005)]
    pub fn path_exists(call: &mut Call<'_>, v: &[u8], path: &str, vars: &[u8], silent: bool) -> Result<Option<bool>> {
        exists(call, v, path, Some(vars), Mode { silent, zones: false })
    }

    #[ext::function(oid = 4009)]
    pub fn path_match(call: &mut Call<'_>, v: &[u8], path: &str, vars: &[u8], silent: bool) -> Result<Option<bool>> {
        matches(call, v, path, Some(vars), Mode { silent, zones: false })
    }

    #[ext::function(oid = 4007)]
    pub fn path_query_array(call: &mut Call<'_>, v: &[u8], path: &str, vars: &[u8], silent: bool) -> Result<Json> {
        Ok(array(&query(call, v, path, Some(vars), Mode { silent, zones: false })?))
    }

    #[ext::function(oid = 4008)]
    pub fn path_query_first(
        call: &mut Call<'_>,
        v: &[u8],
        path: &str,
        vars: &[u8],
        silent: bool,
    ) -> Result<Option<Jsonb>> {
        Ok(query(call, v, path, Some(vars), Mode { silent, zones: false })?.first().map(stored))
    }

    #[ext::set_function(oid = 4006)]
    pub fn path_query(call: &mut Call<'_>, v: &[u8], path: &str, vars: &[u8], silent: bool) -> Result<Vec<Jsonb>> {
        Ok(query(call, v, path, Some(vars), Mode { silent, zones: false })?.iter().map(stored).collect())
    }

    #[ext::function(oid = 1177, stable)]
    pub fn path_exists_tz(
        call: &mut Call<'_>,
        v: &[u8],
        path: &str,
        vars: &[u8],
        silent: bool,
    ) -> Result<Option<bool>> {
        exists(call, v, path, Some(vars), Mode { silent, zones: true })
    }

    #[ext::function(oid = 2030, stable)]
    pub fn path_match_tz(call: &mut Call<'_>, v: &[u8], path: &str, vars: &[u8], silent: bool) -> Result<Option<bool>> {
        matches(call, v, path, Some(vars), Mode { silent, zones: true })
    }

    #[ext::function(oid = 1180, stable)]
    pub fn path_query_array_tz(call: &mut Call<'_>, v: &[u8], path: &str, vars: &[u8], silent: bool) -> Result<Json> {
        Ok(array(&query(call, v, path, Some(vars), Mode { silent, zones: true })?))
    }

    #[ext::function(oid = 2023, stable)]
    pub fn path_query_first_tz(
        call: &mut Call<'_>,
        v: &[u8],
        path: &str,
        vars: &[u8],
        silent: bool,
    ) -> Result<Option<Jsonb>> {
        Ok(query(call, v, path, Some(vars), Mode { silent, zones: true })?.first().map(stored))
    }

    #[ext::set_function(oid = 1179)]
    pub fn path_query_tz(call: &mut Call<'_>, v: &[u8], path: &str, vars: &[u8], silent: bool) -> Result<Vec<Jsonb>> {
        Ok(query(call, v, path, Some(vars), Mode { silent, zones: true })?.iter().map(stored).collect())
    }

    #[ext::function(oid = 4010)]
    pub fn exists_operator(call: &mut Call<'_>, v: &[u8], path: &str) -> Result<Option<bool>> {
        exists(call, v, path, None, Mode { silent: true, zones: false })
    }

    #[ext::function(oid = 4011)]
    pub fn match_operator(call: &mut Call<'_>, v: &[u8], path: &str) -> Result<Option<bool>> {
        matches(call, v, path, None, Mode { silent: true, zones: false })
    }
}
