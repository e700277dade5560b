//! Turns the recorded catalog rows (`data/*.tsv`) into static tables, so that start-up parses nothing.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// Tables with rows of Hathi's own.
const OWN: [&str; 5] = ["pg_class", "pg_attribute", "pg_type", "pg_proc", "pg_init_privs"];

fn read(path: &str) -> Vec<Vec<String>> {
    println!("cargo::rerun-if-changed={path}");
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    text.lines().map(|l| l.split('\t').map(unescape).collect()).collect()
}

fn lines(name: &str) -> Vec<Vec<String>> {
    let mut rows = read(&format!("data/{name}.tsv"));
    if OWN.contains(&name) {
        rows.extend(read(&format!("data/own/{name}.tsv")));
    }
    rows
}

/// Undoes COPY's escapes; `\N` stays.
fn unescape(field: &str) -> String {
    if field == "\\N" {
        return field.to_owned();
    }
    let mut out = String::new();
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(c) => c,
                None => panic!("a lone backslash in {field}"),
            }),
            c => out.push(c),
        }
    }
    out
}

/// The recorded rows, with the names of their columns.
struct Recorded {
    classes: Vec<Vec<String>>,
    attributes: Vec<Vec<String>>,
}

impl Recorded {
    fn columns(&self, table: &str) -> Vec<&str> {
        let class = self.classes.iter().find(|c| c[1] == table).unwrap_or_else(|| panic!("no table {table}"));
        let own = self.attributes.iter().filter(|a| a[0] == class[0] && !a[4].starts_with('-'));
        own.map(|a| &*a[1]).collect()
    }

    fn rows(&self, table: &str) -> Vec<Vec<String>> {
        match table {
            "pg_class" => self.classes.clone(),
            // System columns are the executor's.
            "pg_attribute" => self.attributes.iter().filter(|a| !a[4].starts_with('-')).cloned().collect(),
            _ => lines(table),
        }
    }
}

/// One column of a generated row.
#[derive(Clone, Copy)]
enum Form {
    Oid,
    OidList,
    Int,
    Bool,
    Char,
    /// `"char"[]` as one string.
    Letters,
    /// `text[]`, separated by commas.
    Names,
    Text,
    OptionalText,
}

fn literal(form: Form, value: &str) -> String {
    let absent = value == "\\N";
    match form {
        Form::Oid => format!("Oid({value})"),
        Form::OidList => {
            let inner = value.trim_matches(['{', '}']);
            let list = inner.split([' ', ',']).filter(|o| !o.is_empty() && !absent);
            format!("&[{}]", list.map(|o| format!("Oid({o})")).collect::<Vec<_>>().join(","))
        }
        Form::Int => value.to_owned(),
        Form::Bool => (value == "t").to_string(),
        Form::Char => format!("b'{}'", value.chars().next().filter(|&c| c != '\\').unwrap_or('-')),
        Form::Letters if absent => "\"\"".to_owned(),
        Form::Letters => format!("{:?}", value.chars().filter(|c| !"{},".contains(*c)).collect::<String>()),
        Form::Names if absent => "\"\"".to_owned(),
        Form::Names => format!("{:?}", value.chars().filter(|c| !"{}\"".contains(*c)).collect::<String>()),
        Form::Text if absent => "\"\"".to_owned(),
        Form::Text => format!("{value:?}"),
        Form::OptionalText if absent => "None".to_owned(),
        Form::OptionalText => format!("Some({value:?})"),
    }
}

/// Writes table `constant` of `ty`: fields, each from a column.
fn table(
    out: &mut String,
    recorded: &Recorded,
    file: &str,
    (constant, ty): (&str, &str),
    fields: &[(&str, &str, Form)],
) -> Vec<Vec<String>> {
    let (rows, columns) = (recorded.rows(file), recorded.columns(file));
    writeln!(out, "/// Rows of `{file}`.\npub static {constant}: [{ty}; {}] = [", rows.len()).unwrap();
    let at = |column: &str| columns.iter().position(|c| *c == column).unwrap_or_else(|| panic!("no {file}.{column}"));
    let indexes: Vec<usize> = fields.iter().map(|f| at(f.1)).collect();
    for row in &rows {
        write!(out, "{ty} {{").unwrap();
        for (&(field, _, form), &index) in fields.iter().zip(&indexes) {
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
    let recorded = Recorded { classes: lines("pg_class"), attributes: lines("pg_attribute") };
    let types = table(
        &mut out,
        &recorded,
        "pg_type",
        ("TYPES", "TypeRow"),
        &[
            ("oid", "oid", Oid),
            ("name", "typname", Text),
            ("namespace", "typnamespace", Oid),
            ("len", "typlen", Int),
            ("by_value", "typbyval", Bool),
            ("kind", "typtype", Char),
            ("category", "typcategory", Char),
            ("preferred", "typispreferred", Bool),
            ("delimiter", "typdelim", Char),
            ("relation", "typrelid", Oid),
            ("element", "typelem", Oid),
            ("array", "typarray", Oid),
            ("input", "typinput", Oid),
            ("output", "typoutput", Oid),
            ("receive", "typreceive", Oid),
            ("send", "typsend", Oid),
            ("typmod_in", "typmodin", Oid),
            ("typmod_out", "typmodout", Oid),
            ("align", "typalign", Char),
            ("storage", "typstorage", Char),
            ("collation", "typcollation", Oid),
        ],
    );
    name_index(&mut out, "TYPES_BY_NAME", &types, 1);
    let procs = table(
        &mut out,
        &recorded,
        "pg_proc",
        ("PROCS", "ProcRow"),
        &[
            ("oid", "oid", Oid),
            ("name", "proname", Text),
            ("variadic", "provariadic", Oid),
            ("kind", "prokind", Char),
            ("strict", "proisstrict", Bool),
            ("returns_set", "proretset", Bool),
            ("volatility", "provolatile", Char),
            ("parallel", "proparallel", Char),
            ("default_count", "pronargdefaults", Int),
            ("result", "prorettype", Oid),
            ("args", "proargtypes", OidList),
            ("all_args", "proallargtypes", OidList),
            ("arg_modes", "proargmodes", Letters),
            ("arg_names", "proargnames", Names),
            ("defaults", "proargdefaults", Text),
            ("source", "prosrc", Text),
        ],
    );
    name_index(&mut out, "PROCS_BY_NAME", &procs, 1);
    let operators = table(
        &mut out,
        &recorded,
        "pg_operator",
        ("OPERATORS", "OperatorRow"),
        &[
            ("oid", "oid", Oid),
            ("name", "oprname", Text),
            ("kind", "oprkind", Char),
            ("can_merge", "oprcanmerge", Bool),
            ("can_hash", "oprcanhash", Bool),
            ("left", "oprleft", Oid),
            ("right", "oprright", Oid),
            ("result", "oprresult", Oid),
            ("commutator", "oprcom", Oid),
            ("negator", "oprnegate", Oid),
            ("function", "oprcode", Oid),
            ("restrict", "oprrest", Oid),
            ("join", "oprjoin", Oid),
        ],
    );
    name_index(&mut out, "OPERATORS_BY_NAME", &operators, 1);
    table(
        &mut out,
        &recorded,
        "pg_cast",
        ("CASTS", "CastRow"),
        &[
            ("oid", "oid", Oid),
            ("source", "castsource", Oid),
            ("target", "casttarget", Oid),
            ("function", "castfunc", Oid),
            ("context", "castcontext", Char),
            ("method", "castmethod", Char),
        ],
    );
    table(
        &mut out,
        &recorded,
        "pg_aggregate",
        ("AGGREGATES", "AggregateRow"),
        &[
            ("function", "aggfnoid", Oid),
            ("kind", "aggkind", Char),
            ("direct_args", "aggnumdirectargs", Int),
            ("transition", "aggtransfn", Oid),
            ("finish", "aggfinalfn", Oid),
            ("sort_operator", "aggsortop", Oid),
            ("transition_type", "aggtranstype", Oid),
            ("initial", "agginitval", OptionalText),
        ],
    );
    table(
        &mut out,
        &recorded,
        "pg_opclass",
        ("OPCLASSES", "OpclassRow"),
        &[
            ("oid", "oid", Oid),
            ("method", "opcmethod", Oid),
            ("name", "opcname", Text),
            ("family", "opcfamily", Oid),
            ("input", "opcintype", Oid),
            ("is_default", "opcdefault", Bool),
            ("key", "opckeytype", Oid),
        ],
    );
    let relations = table(
        &mut out,
        &recorded,
        "pg_class",
        ("RELATIONS", "RelationRow"),
        &[
            ("oid", "oid", Oid),
            ("name", "relname", Text),
            ("kind", "relkind", Char),
            ("row_type", "reltype", Oid),
            ("columns", "relnatts", Int),
            ("is_shared", "relisshared", Bool),
        ],
    );
    name_index(&mut out, "RELATIONS_BY_NAME", &relations, 1);
    table(
        &mut out,
        &recorded,
        "pg_attribute",
        ("COLUMNS", "ColumnRow"),
        &[
            ("relation", "attrelid", Oid),
            ("number", "attnum", Int),
            ("name", "attname", Text),
            ("type_oid", "atttypid", Oid),
            ("len", "attlen", Int),
            ("not_null", "attnotnull", Bool),
            ("typmod", "atttypmod", Int),
        ],
    );
    let path = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("builtin.rs");
    fs::write(path, out).expect("OUT_DIR is writable");
}
