//! Functions in words: `pg_get_functiondef`, `pg_get_function_arguments` and their kin.

use binder::{Binder, Proc};
use catalog::stored::{PG_LANGUAGE, PG_PROC};
use catalog::{Fields, builtin};
use syntax::quote_ident;
use types::io::TypeLookup;
use types::{IoSettings, Oid, Result, SqlError, SqlState};

use crate::host::SessionHost;

/// Which arguments are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// All, with their defaults.
    All,
    /// As DROP FUNCTION takes them: those that identify the function.
    Identity,
}

fn field_row(relation: Oid, oid: Oid) -> Option<Fields<'static>> {
    catalog::rows::of(relation).iter().map(|row| Fields { relation, row }).find(|r| r.oid("oid") == oid)
}

/// The defaults of a function's last parameters.
fn defaults(host: &SessionHost<'_>, proc: &Proc<'_>) -> Vec<String> {
    match proc {
        Proc::Builtin(row) => split_list(row.defaults).into_iter().map(str::to_owned).collect(),
        Proc::User(info) => {
            let io = IoSettings::default();
            let binder = Binder::new(host.image, "", &io, host.search_path);
            let shown = |text: &str| binder.shown(text, None, false).unwrap_or_else(|_| text.to_owned());
            split_list(&info.defaults).into_iter().map(shown).collect()
        }
    }
}

/// The arguments of a function.
pub(crate) fn arguments(host: &SessionHost<'_>, function: Oid, which: Arguments) -> Option<String> {
    let proc = Proc::by_oid(host.image, function)?;
    let lookup = host.names();
    let (types, names) = (proc.all_args(), proc.names());
    let defaults = defaults(host, &proc);
    let mut inputs = 0;
    let mut parts = Vec::new();
    let procedure = proc.kind() == b'p';
    for (i, &ty) in types.iter().enumerate() {
        let word = match proc.mode(i) {
            b'o' => "OUT ",
            b'b' => "INOUT ",
            b'v' => "VARIADIC ",
            b't' => continue,
            _ if procedure => "IN ",
            _ => "",
        };
        let input = matches!(proc.mode(i), b'i' | b'b' | b'v');
        let mut text = word.to_owned();
        if let Some(name) = names.get(i).filter(|n| !n.is_empty()) {
            text += &format!("{} ", quote_ident(name));
        }
        text += &lookup.type_name(ty);
        if input {
            let first = proc.args().len() - defaults.len().min(proc.args().len());
            if which == Arguments::All
                && inputs >= first
                && let Some(default) = defaults.get(inputs - first)
            {
                text += &format!(" DEFAULT {default}");
            }
            inputs += 1;
        }
        parts.push(text);
    }
    // Ordered-set aggregates tell their direct arguments from those they sort.
    let aggregate = builtin::aggregate(function).filter(|a| a.kind != b'n');
    if let Some(aggregate) = aggregate {
        let direct = usize::try_from(aggregate.direct_args).unwrap_or(0).min(parts.len());
        let variadic = parts.last().filter(|p| p.starts_with("VARIADIC")).cloned();
        let (direct, mut sorted) = (parts[..direct].join(", "), parts[direct..].join(", "));
        if sorted.is_empty() {
            sorted = variadic.unwrap_or_default();
        }
        return Some(format!("{direct}{}ORDER BY {sorted}", if direct.is_empty() { "" } else { " " }));
    }
    Some(parts.join(", "))
}

/// The default of parameter `number`, from 1.
pub(crate) fn argument_default(host: &SessionHost<'_>, function: Oid, number: i32) -> Option<String> {
    let proc = Proc::by_oid(host.image, function)?;
    let index = usize::try_from(number - 1).ok()?;
    if !matches!(proc.mode(index), b'i' | b'b' | b'v') || index >= proc.all_args().len() {
        return None;
    }
    let input = (0..index).filter(|&i| matches!(proc.mode(i), b'i' | b'b' | b'v')).count();
    let defaults = defaults(host, &proc);
    let first = proc.args().len() - defaults.len().min(proc.args().len());
    defaults.get(input.checked_sub(first)?).cloned()
}

/// The parts of a list at its top level.
fn split_list(list: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start) = (0usize, false, 0);
    let mut parts = Vec::new();
    for (i, c) in list.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(list[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    if !list[start..].trim().is_empty() {
        parts.push(list[start..].trim());
    }
    parts
}

/// What a function returns; nothing for a procedure.
pub(crate) fn result(host: &SessionHost<'_>, function: Oid) -> Option<String> {
    let proc = Proc::by_oid(host.image, function)?;
    if proc.kind() == b'p' {
        return None;
    }
    let (names, lookup) = (proc.names(), host.names());
    let table: Vec<String> = proc
        .all_args()
        .iter()
        .enumerate()
        .filter(|(i, _)| proc.mode(*i) == b't')
        .map(|(i, &ty)| format!("{} {}", quote_ident(names.get(i).copied().unwrap_or_default()), lookup.type_name(ty)))
        .collect();
    if !table.is_empty() {
        return Some(format!("TABLE({})", table.join(", ")));
    }
    Some(format!("{}{}", if proc.returns_set() { "SETOF " } else { "" }, lookup.type_name(proc.result())))
}

/// The body of SQL's own kind of a function.
///
/// # Errors
/// When it does not bind any more.
pub(crate) fn sql_body(host: &SessionHost<'_>, function: Oid) -> Result<Option<String>> {
    let Some(info) = host.image.function(function) else { return Ok(None) };
    let Some(body) = &info.body else { return Ok(None) };
    let io = IoSettings::default();
    let binder = Binder::new(host.image, "", &io, host.search_path);
    if body.starts_with("RETURN\n") {
        return binder.return_shown(info).map(|text| Some(format!("RETURN {text}")));
    }
    Ok(Some(format!("BEGIN ATOMIC\n{}END", binder.atomic_shown(info))))
}

/// A value between quotes of dollars that do not occur in it.
fn dollared(text: &str, tag: &str) -> String {
    let mut tag = tag.to_owned();
    while text.contains(&format!("${tag}")) {
        tag.push('x');
    }
    format!("${tag}${text}${tag}$")
}

/// The statement that makes a function.
///
/// # Errors
/// `42809` for an aggregate.
pub(crate) fn definition(host: &SessionHost<'_>, function: Oid) -> Result<Option<String>> {
    let Some(proc) = Proc::by_oid(host.image, function) else { return Ok(None) };
    if proc.kind() == b'a' {
        let message = format!("\"{}\" is an aggregate function", proc.name());
        return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
    }
    let number = |row: Fields<'_>, name: &str| match row.get(name) {
        types::Datum::F32(v) => *v,
        _ => 0.0,
    };
    // What only the row or the kept function knows.
    let (schema, language, parallel, definer, leakproof, cost, rows, support, source, config);
    match proc {
        Proc::Builtin(row) => {
            let Some(kept) = field_row(PG_PROC, function) else { return Ok(None) };
            if !kept.get("prosqlbody").is_null() {
                return Err(SqlError::unsupported("the definition of a built-in function with an SQL body"));
            }
            schema = "pg_catalog".to_owned();
            language = kept.oid("prolang");
            parallel = row.parallel;
            (definer, leakproof) = (kept.bool("prosecdef"), kept.bool("proleakproof"));
            (cost, rows) = (number(kept, "procost"), number(kept, "prorows"));
            support = builtin::proc_by_oid(kept.oid("prosupport")).map(|p| p.name);
            source = kept.text("prosrc");
            config = Vec::new();
        }
        Proc::User(info) => {
            schema = host.image.namespace_name(info.namespace).to_owned();
            language = info.language;
            parallel = info.parallel;
            (definer, leakproof) = (info.security_definer, info.leakproof);
            (cost, rows) = info.estimates;
            support = None;
            source = info.source.to_string();
            config = info.config.clone();
        }
    }
    let language = field_row(PG_LANGUAGE, language).map_or(String::new(), |l| l.text("lanname"));
    let kind = if proc.kind() == b'p' { "PROCEDURE" } else { "FUNCTION" };
    let mut text = format!(
        "CREATE OR REPLACE {kind} {}.{}({})\n",
        quote_ident(&schema),
        quote_ident(proc.name()),
        arguments(host, function, Arguments::All).unwrap_or_default()
    );
    if let Some(result) = result(host, function) {
        text += &format!(" RETURNS {result}\n");
    }
    text += &format!(" LANGUAGE {}\n", quote_ident(&language));
    let mut options: Vec<String> = Vec::new();
    let flag = |set: bool, word: &str| set.then(|| word.to_owned());
    options.extend(flag(proc.kind() == b'w', "WINDOW"));
    options.extend(match proc.volatility() {
        b'i' => Some("IMMUTABLE".to_owned()),
        b's' => Some("STABLE".to_owned()),
        _ => None,
    });
    options.extend(match parallel {
        b's' => Some("PARALLEL SAFE".to_owned()),
        b'r' => Some("PARALLEL RESTRICTED".to_owned()),
        _ => None,
    });
    options.extend(flag(proc.is_strict(), "STRICT"));
    options.extend(flag(definer, "SECURITY DEFINER"));
    options.extend(flag(leakproof, "LEAKPROOF"));
    let usual = if matches!(&*language, "internal" | "c") { 1.0 } else { 100.0 };
    options.extend((cost != usual).then(|| format!("COST {cost}")));
    options.extend((rows > 0.0 && rows != 1000.0).then(|| format!("ROWS {rows}")));
    options.extend(support.map(|name| format!("SUPPORT {}", quote_ident(name))));
    if !options.is_empty() {
        text += &format!(" {}\n", options.join(" "));
    }
    for setting in &config {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        let parts = crate::settings::path_names(value);
        let shown: Vec<String> = parts.iter().map(|p| binder::quote_literal(p)).collect();
        text += &format!(" SET {} TO {}\n", quote_ident(name), shown.join(", "));
    }
    if let Some(body) = sql_body(host, function)? {
        return Ok(Some(text + &body + "\n"));
    }
    let tag = if kind == "FUNCTION" { "function" } else { "procedure" };
    Ok(Some(text + &format!("AS {}\n", dollared(&source, tag))))
}
