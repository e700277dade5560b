//! Functions in words: `pg_get_functiondef`, `pg_get_function_arguments` and their kin.

use catalog::stored::{PG_LANGUAGE, PG_PROC};
use catalog::{Fields, builtin};
use syntax::quote_ident;
use types::{Oid, Result, SqlError, SqlState};

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

/// The arguments of a function.
pub(crate) fn arguments(function: Oid, which: Arguments) -> Option<String> {
    let proc = builtin::proc_by_oid(function)?;
    let types: &[Oid] = if proc.all_args.is_empty() { proc.args } else { proc.all_args };
    let names: Vec<&str> = proc.arg_names.split(',').collect();
    let modes = proc.arg_modes.as_bytes();
    let defaults: Vec<&str> = split_list(proc.defaults);
    let mut inputs = 0;
    let mut parts = Vec::new();
    let mode = |i: usize| modes.get(i).copied().unwrap_or(b'i');
    for (i, &ty) in types.iter().enumerate() {
        let word = match mode(i) {
            b'o' => "OUT ",
            b'b' => "INOUT ",
            b'v' => "VARIADIC ",
            b't' => continue,
            _ => "",
        };
        let input = matches!(mode(i), b'i' | b'b' | b'v');
        if which == Arguments::Identity && !input {
            continue;
        }
        let mut text = word.to_owned();
        if let Some(name) = names.get(i).filter(|n| !n.is_empty()) {
            text += &format!("{} ", quote_ident(name));
        }
        text += &binder::format_type(ty);
        if input {
            let first = proc.args.len() - defaults.len().min(proc.args.len());
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

/// What a function returns.
pub(crate) fn result(function: Oid) -> Option<String> {
    let proc = builtin::proc_by_oid(function)?;
    let names: Vec<&str> = proc.arg_names.split(',').collect();
    let table: Vec<String> = proc
        .arg_modes
        .bytes()
        .zip(proc.all_args)
        .enumerate()
        .filter(|(_, (mode, _))| *mode == b't')
        .map(|(i, (_, &ty))| {
            format!("{} {}", quote_ident(names.get(i).copied().unwrap_or_default()), binder::format_type(ty))
        })
        .collect();
    if !table.is_empty() {
        return Some(format!("TABLE({})", table.join(", ")));
    }
    Some(format!("{}{}", if proc.returns_set { "SETOF " } else { "" }, binder::format_type(proc.result)))
}

/// The statement that makes a function.
///
/// # Errors
/// `42809` for an aggregate.
pub(crate) fn definition(function: Oid) -> Result<Option<String>> {
    let (Some(proc), Some(row)) = (builtin::proc_by_oid(function), field_row(PG_PROC, function)) else {
        return Ok(None);
    };
    if proc.kind == b'a' {
        let message = format!("\"{}\" is an aggregate function", proc.name);
        return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
    }
    if !row.get("prosqlbody").is_null() {
        return Err(SqlError::unsupported("the definition of a function with an SQL body"));
    }
    let language = field_row(PG_LANGUAGE, row.oid("prolang")).map_or(String::new(), |l| l.text("lanname"));
    let kind = if proc.kind == b'p' { "PROCEDURE" } else { "FUNCTION" };
    let mut text = format!(
        "CREATE OR REPLACE {kind} pg_catalog.{}({})\n",
        quote_ident(proc.name),
        arguments(function, Arguments::All).unwrap_or_default()
    );
    if proc.kind != b'p' {
        text += &format!(" RETURNS {}\n", result(function).unwrap_or_default());
    }
    text += &format!(" LANGUAGE {}\n", quote_ident(&language));
    let mut options: Vec<String> = Vec::new();
    options.extend(match proc.kind {
        b'w' => Some("WINDOW".to_owned()),
        _ => None,
    });
    options.extend(match proc.volatility {
        b'i' => Some("IMMUTABLE".to_owned()),
        b's' => Some("STABLE".to_owned()),
        _ => None,
    });
    options.extend(match proc.parallel {
        b's' => Some("PARALLEL SAFE".to_owned()),
        b'r' => Some("PARALLEL RESTRICTED".to_owned()),
        _ => None,
    });
    let flag = |set: bool, word: &str| set.then(|| word.to_owned());
    options.extend(flag(proc.strict, "STRICT"));
    options.extend(flag(row.bool("prosecdef"), "SECURITY DEFINER"));
    options.extend(flag(row.bool("proleakproof"), "LEAKPROOF"));
    let number = |name: &str| match row.get(name) {
        types::Datum::F32(v) => *v,
        _ => 0.0,
    };
    let usual = if matches!(&*language, "internal" | "c") { 1.0 } else { 100.0 };
    options.extend((number("procost") != usual).then(|| format!("COST {}", number("procost"))));
    let rows = number("prorows");
    options.extend((rows > 0.0 && rows != 1000.0).then(|| format!("ROWS {rows}")));
    let support = builtin::proc_by_oid(row.oid("prosupport")).map(|p| p.name);
    options.extend(support.map(|name| format!("SUPPORT {}", quote_ident(name))));
    if !options.is_empty() {
        text += &format!(" {}\n", options.join(" "));
    }
    let tag = if kind == "FUNCTION" { "function" } else { "procedure" };
    Ok(Some(text + &format!("AS ${tag}${}${tag}$\n", row.text("prosrc"))))
}
