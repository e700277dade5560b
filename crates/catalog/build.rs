//! Turns the recorded catalog rows (`data/*.tsv`) into static tables, so that start-up parses nothing.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn rows(name: &str) -> Vec<Vec<String>> {
    let path = format!("data/{name}.tsv");
    println!("cargo::rerun-if-changed={path}");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    text.lines().map(|l| l.split('\t').map(str::to_owned).collect()).collect()
}

/// One column of a generated row.
#[derive(Clone, Copy)]
enum Form {
    Oid,
    OidList,
    Int,
    Bool,
    Char,
    Text,
    OptionalText,
}

fn literal(form: Form, value: &str) -> String {
    match form {
        Form::Oid => format!("Oid({value})"),
        Form::OidList => {
            let list: Vec<String> = value.split_whitespace().map(|o| format!("Oid({o})")).collect();
            format!("&[{}]", list.join(","))
        }
        Form::Int => value.to_owned(),
        Form::Bool => (value == "t").to_string(),
        Form::Char => format!("b'{}'", value.chars().next().filter(|&c| c != '\\').unwrap_or('-')),
        Form::Text => format!("{value:?}"),
        Form::OptionalText if value == "\\N" => "None".to_owned(),
        Form::OptionalText => format!("Some({value:?})"),
    }
}

fn table(out: &mut String, file: &str, constant: &str, ty: &str, columns: &[(usize, &str, Form)]) -> Vec<Vec<String>> {
    let rows = rows(file);
    writeln!(out, "/// Rows of `{file}`.\npub static {constant}: [{ty}; {}] = [", rows.len()).unwrap();
    for row in &rows {
        write!(out, "{ty} {{").unwrap();
        for &(index, field, form) in columns {
            write!(out, "{field}:{},", literal(form, &row[index])).unwrap();
        }
        out.push_str("},\n");
    }
    out.push_str("];\n");
    rows
}

/// Row numbers sorted by the text in `column`.
fn name_index(out: &mut String, constant: &str, rows: &[Vec<String>], column: usize) {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| rows[a][column].as_bytes().cmp(rows[b][column].as_bytes()));
    writeln!(out, "/// Row numbers by name.\npub static {constant}: [u16; {}] = {order:?};", order.len()).unwrap();
}

fn main() {
    use Form::*;
    println!("cargo::rerun-if-changed=build.rs");
    let mut out = String::new();
    let types = table(
        &mut out,
        "pg_type",
        "TYPES",
        "TypeRow",
        &[
            (0, "oid", Oid),
            (1, "name", Text),
            (2, "namespace", Oid),
            (3, "len", Int),
            (4, "by_value", Bool),
            (5, "kind", Char),
            (6, "category", Char),
            (7, "preferred", Bool),
            (8, "delimiter", Char),
            (9, "relation", Oid),
            (10, "element", Oid),
            (11, "array", Oid),
            (12, "input", Oid),
            (13, "output", Oid),
            (14, "receive", Oid),
            (15, "send", Oid),
            (16, "typmod_in", Oid),
            (17, "typmod_out", Oid),
            (18, "align", Char),
            (19, "storage", Char),
            (20, "collation", Oid),
        ],
    );
    name_index(&mut out, "TYPES_BY_NAME", &types, 1);
    let procs = table(
        &mut out,
        "pg_proc",
        "PROCS",
        "ProcRow",
        &[
            (0, "oid", Oid),
            (1, "name", Text),
            (2, "variadic", Oid),
            (3, "kind", Char),
            (6, "strict", Bool),
            (7, "returns_set", Bool),
            (8, "volatility", Char),
            (9, "parallel", Char),
            (11, "default_count", Int),
            (12, "result", Oid),
            (13, "args", OidList),
            (14, "all_args", OidList),
            (15, "arg_modes", Text),
            (16, "arg_names", Text),
            (17, "defaults", Text),
            (18, "source", Text),
        ],
    );
    name_index(&mut out, "PROCS_BY_NAME", &procs, 1);
    let operators = table(
        &mut out,
        "pg_operator",
        "OPERATORS",
        "OperatorRow",
        &[
            (0, "oid", Oid),
            (1, "name", Text),
            (2, "kind", Char),
            (3, "can_merge", Bool),
            (4, "can_hash", Bool),
            (5, "left", Oid),
            (6, "right", Oid),
            (7, "result", Oid),
            (8, "commutator", Oid),
            (9, "negator", Oid),
            (10, "function", Oid),
            (11, "restrict", Oid),
            (12, "join", Oid),
        ],
    );
    name_index(&mut out, "OPERATORS_BY_NAME", &operators, 1);
    table(
        &mut out,
        "pg_cast",
        "CASTS",
        "CastRow",
        &[
            (0, "oid", Oid),
            (1, "source", Oid),
            (2, "target", Oid),
            (3, "function", Oid),
            (4, "context", Char),
            (5, "method", Char),
        ],
    );
    table(
        &mut out,
        "pg_aggregate",
        "AGGREGATES",
        "AggregateRow",
        &[
            (0, "function", Oid),
            (1, "kind", Char),
            (2, "direct_args", Int),
            (3, "transition", Oid),
            (4, "finish", Oid),
            (5, "sort_operator", Oid),
            (6, "transition_type", Oid),
            (7, "initial", OptionalText),
        ],
    );
    table(
        &mut out,
        "pg_opclass",
        "OPCLASSES",
        "OpclassRow",
        &[
            (0, "oid", Oid),
            (1, "method", Oid),
            (2, "name", Text),
            (3, "family", Oid),
            (4, "input", Oid),
            (5, "is_default", Bool),
            (6, "key", Oid),
        ],
    );
    let relations = table(
        &mut out,
        "pg_class",
        "RELATIONS",
        "RelationRow",
        &[(0, "oid", Oid), (1, "name", Text), (2, "kind", Char), (3, "row_type", Oid), (4, "columns", Int)],
    );
    name_index(&mut out, "RELATIONS_BY_NAME", &relations, 1);
    table(
        &mut out,
        "pg_attribute",
        "COLUMNS",
        "ColumnRow",
        &[
            (0, "relation", Oid),
            (1, "number", Int),
            (2, "name", Text),
            (3, "type_oid", Oid),
            (4, "len", Int),
            (5, "not_null", Bool),
            (6, "typmod", Int),
        ],
    );
    let path = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("builtin.rs");
    fs::write(path, out).expect("OUT_DIR is writable");
}
