//! The text, JSON, YAML and XML forms of a shown plan.

use std::fmt::Write;

use jit::Tier;

use super::Options;
use super::tree::{Detail, Shown};

/// What is said beside the plan.
pub(super) struct Around {
    /// Milliseconds of planning, and of execution.
    pub times: Option<(f64, Option<f64>)>,
    /// Settings that were changed, where they were asked for.
    pub settings: Option<Vec<(String, String)>>,
    /// What expressions became, if anything.
    pub jit: Option<exec::JitUse>,
    /// Their code, where that was asked for.
    pub code: Vec<String>,
}

/// Lines of text.
pub(super) fn text(shown: &Shown, options: Options, around: &Around) -> Vec<String> {
    let mut lines = Vec::new();
    node(shown, options, 0, "", &mut lines);
    if let Some(settings) = around.settings.as_ref().filter(|s| !s.is_empty()) {
        let list: Vec<String> = settings.iter().map(|(name, value)| format!("{name} = '{value}'")).collect();
        lines.push(format!("Settings: {}", list.join(", ")));
    }
    if let Some((planning, _)) = around.times {
        lines.push(format!("Planning Time: {planning:.3} ms"));
    }
    lines.extend(around.jit.iter().flat_map(|j| jit_lines(j, options)));
    for (i, code) in around.code.iter().enumerate() {
        lines.push(format!("  Function {}:", i + 1));
        lines.extend(code.lines().map(|line| format!("    {line}")));
    }
    if let Some((_, execution)) = around.times {
        lines.extend(execution.map(|e| format!("Execution Time: {e:.3} ms")));
    }
    lines
}

/// PostgreSQL's four lines, and one of ours: what the code is made of.
fn jit_lines(jit: &exec::JitUse, options: Options) -> Vec<String> {
    let mut lines = vec![
        "JIT:".to_owned(),
        format!("  Functions: {}", jit.functions),
        "  Options: Inlining false, Optimization false, Expressions true, Deforming false".to_owned(),
    ];
    if options.timing {
        let spent = jit_millis(jit);
        let zero = "0.000 ms";
        lines.push(format!(
            "  Timing: Generation {spent} ms (Deform {zero}), Inlining {zero}, Optimization {zero}, Emission {zero}, Total {spent} ms"
        ));
    }
    let code = &jit.code;
    let tier = tier_name(jit);
    let (stencils, bytes, found) = (code.stencils, code.bytes, jit.found);
    lines.push(format!("  Stencils: {stencils}, {bytes} bytes, tier {tier}, {found} found in cache"));
    lines
}

fn tier_name(jit: &exec::JitUse) -> &'static str {
    match jit.code.tier {
        Tier::None => "none",
        Tier::Row => "row",
        Tier::Tile => "tile",
    }
}

fn jit_millis(jit: &exec::JitUse) -> String {
    format!("{:.3}", jit.code.nanoseconds as f64 / 1e6)
}

/// The same as fields.
fn jit_fields(jit: &exec::JitUse, options: Options) -> Fields {
    let bare = |key: &str, text: String| (key.to_owned(), Value::Bare(text));
    let group = |key: &str, list: Fields| (key.to_owned(), Value::Group(list));
    let flag = |key: &str, on: bool| bare(key, on.to_string());
    let given = [("Inlining", false), ("Optimization", false), ("Expressions", true), ("Deforming", false)];
    let mut fields = vec![
        bare("Functions", jit.functions.to_string()),
        group("Options", given.into_iter().map(|(key, on)| flag(key, on)).collect()),
    ];
    if options.timing {
        let zero = |key: &str| bare(key, "0.000".to_owned());
        let generation = group("Generation", vec![zero("Deform"), bare("Total", jit_millis(jit))]);
        let rest = ["Inlining", "Optimization", "Emission"].map(zero);
        let all = std::iter::once(generation).chain(rest).chain([bare("Total", jit_millis(jit))]);
        fields.push(group("Timing", all.collect()));
    }
    fields.extend([
        bare("Stencils", jit.code.stencils.to_string()),
        bare("Bytes", jit.code.bytes.to_string()),
        ("Tier".to_owned(), Value::Text(tier_name(jit).to_owned())),
        bare("Found in Cache", jit.found.to_string()),
    ]);
    fields
}

fn node(shown: &Shown, options: Options, indent: usize, arrow: &str, lines: &mut Vec<String>) {
    let mut line = format!("{:indent$}{arrow}{}", "", shown.title);
    if options.costs {
        let e = &shown.estimate;
        write!(line, "  (cost={:.2}..{:.2} rows={} width={})", e.startup, e.cost, rows(e.rows), shown.width)
            .unwrap_or(());
    }
    if let Some(a) = shown.actual {
        let (made, loops) = (a.0, a.1);
        if loops == 0 {
            line += " (never executed)";
        } else {
            let per = |n: u64| n as f64 / loops as f64;
            line += " (actual ";
            if options.timing {
                write!(line, "time={:.3}..{:.3} ", per(a.2) / 1e6, per(a.3) / 1e6).unwrap_or(());
            }
            write!(line, "rows={:.2} loops={loops})", per(made)).unwrap_or(());
        }
    }
    lines.push(line);
    let inner = indent + arrow.len() + 2;
    for (key, detail) in &shown.details {
        let value = match detail {
            Detail::Text(text) => text.clone(),
            Detail::List(list) => list.join(", "),
            Detail::Number(n) => n.to_string(),
            Detail::Hidden(_) => continue,
        };
        lines.push(format!("{:inner$}{key}: {value}", ""));
    }
    if let (Some(pages), true) = (&shown.pages, options.buffers) {
        let words = ["hit", "read", "dirtied"].iter().zip(pages).filter(|(_, n)| **n > 0);
        let words: Vec<String> = words.map(|(word, n)| format!("{word}={n}")).collect();
        if !words.is_empty() {
            lines.push(format!("{:inner$}Buffers: shared {}", "", words.join(" ")));
        }
    }
    for child in &shown.children {
        if let Some(label) = &child.label {
            lines.push(format!("{:inner$}{label}", ""));
            node(child, options, inner + 2, "->  ", lines);
        } else {
            node(child, options, inner, "->  ", lines);
        }
    }
}

fn rows(rows: f64) -> u64 {
    rows.round().max(1.0) as u64
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\t' => out += "\\t",
            c if (c as u32) < 32 => write!(out, "\\u{:04x}", c as u32).unwrap_or(()),
            c => out.push(c),
        }
    }
    out + "\""
}

/// A value of a structured form.
enum Value {
    /// As it stands.
    Bare(String),
    Text(String),
    List(Vec<String>),
    Nodes(Vec<Fields>),
    Group(Fields),
}

type Fields = Vec<(String, Value)>;

/// What is said of a node.
fn fields(shown: &Shown, options: Options) -> Fields {
    let mut fields = vec![("Node Type".to_owned(), Value::Text(shown.node_type.clone()))];
    let mut own = |key: &str, value: Value| fields.push((key.to_owned(), value));
    let bare = |text: String| Value::Bare(text);
    let (first, rest): (Vec<_>, Vec<_>) = shown
        .details
        .iter()
        .partition(|d| matches!(d.0.as_str(), "Strategy" | "Partial Mode" | "Operation" | "Command"));
    for (key, detail) in first {
        if let Detail::Hidden(text) = detail {
            own(key, Value::Text(text.clone()));
        }
    }
    if let Some(relationship) = &shown.relationship {
        own("Parent Relationship", Value::Text(relationship.clone()));
    }
    if let Some(label) = &shown.label {
        own("Subplan Name", Value::Text(label.clone()));
    }
    own("Parallel Aware", bare(shown.parallel.to_string()));
    own("Async Capable", bare("false".to_owned()));
    for (key, detail) in &rest {
        if let Detail::Hidden(text) = detail {
            own(key, Value::Text(text.clone()));
        }
    }
    if options.costs {
        let e = &shown.estimate;
        own("Startup Cost", bare(format!("{:.2}", e.startup)));
        own("Total Cost", bare(format!("{:.2}", e.cost)));
        own("Plan Rows", bare(rows(e.rows).to_string()));
        own("Plan Width", bare(shown.width.to_string()));
    }
    if let Some((made, loops, first, total)) = shown.actual {
        let per = |n: u64| if loops == 0 { 0.0 } else { n as f64 / loops as f64 };
        if options.timing {
            own("Actual Startup Time", bare(format!("{:.3}", per(first) / 1e6)));
            own("Actual Total Time", bare(format!("{:.3}", per(total) / 1e6)));
        }
        own("Actual Rows", bare(format!("{:.2}", per(made))));
        own("Actual Loops", bare(loops.to_string()));
    }
    own("Disabled", bare("false".to_owned()));
    for (key, detail) in &rest {
        match detail {
            Detail::Text(text) => own(key, Value::Text(text.clone())),
            Detail::Number(n) => own(key, bare(n.to_string())),
            Detail::List(list) => own(key, Value::List(list.clone())),
            Detail::Hidden(_) => {}
        }
    }
    if let (Some([hit, read, dirtied]), true) = (shown.pages, options.buffers) {
        let shared = [("Hit", hit), ("Read", read), ("Dirtied", dirtied), ("Written", 0)];
        let own_or_temporary =
            ["Local Hit", "Local Read", "Local Dirtied", "Local Written", "Temp Read", "Temp Written"];
        shared.iter().for_each(|(word, n)| own(&format!("Shared {word} Blocks"), bare(n.to_string())));
        own_or_temporary.iter().for_each(|word| own(&format!("{word} Blocks"), bare("0".to_owned())));
    }
    if !shown.children.is_empty() {
        own("Plans", Value::Nodes(shown.children.iter().map(|c| self::fields(c, options)).collect()));
    }
    fields
}

/// The plan and what is said beside it.
fn document(shown: &Shown, options: Options, around: &Around) -> Fields {
    let mut all = vec![("Plan".to_owned(), Value::Group(fields(shown, options)))];
    if let Some(settings) = &around.settings {
        let list = settings.iter().map(|(name, value)| (name.clone(), Value::Text(value.clone()))).collect();
        all.push(("Settings".to_owned(), Value::Group(list)));
    }
    if let Some((planning, _)) = around.times {
        all.push(("Planning Time".to_owned(), Value::Bare(format!("{planning:.3}"))));
        if options.analyze {
            all.push(("Triggers".to_owned(), Value::Nodes(Vec::new())));
        }
    }
    if let Some(jit) = &around.jit {
        let mut fields = jit_fields(jit, options);
        if options.disassembly {
            fields.push(("Disassembly".to_owned(), Value::List(around.code.clone())));
        }
        all.push(("JIT".to_owned(), Value::Group(fields)));
    }
    if let Some((_, Some(execution))) = around.times {
        all.push(("Execution Time".to_owned(), Value::Bare(format!("{execution:.3}"))));
    }
    all
}

/// One JSON text.
pub(super) fn json(shown: &Shown, options: Options, around: &Around) -> String {
    let mut out = String::from("[\n  ");
    object(&document(shown, options, around), 2, &mut out);
    out + "\n]"
}

fn object(fields: &Fields, indent: usize, out: &mut String) {
    *out += "{";
    let inner = indent + 2;
    for (i, (key, value)) in fields.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        write!(out, "{comma}\n{:inner$}{}: ", "", quoted(key)).unwrap_or(());
        match value {
            Value::Bare(text) => *out += text,
            Value::Text(text) => *out += &quoted(text),
            Value::List(list) => {
                *out += &format!("[{}]", list.iter().map(|t| quoted(t)).collect::<Vec<_>>().join(", "));
            }
            Value::Group(group) => object(group, inner, out),
            Value::Nodes(nodes) => {
                *out += "[";
                for (i, node) in nodes.iter().enumerate() {
                    write!(out, "{}\n{:width$}", if i == 0 { "" } else { "," }, "", width = inner + 2).unwrap_or(());
                    object(node, inner + 2, out);
                }
                write!(out, "\n{:inner$}]", "").unwrap_or(());
            }
        }
    }
    write!(out, "\n{:indent$}}}", "").unwrap_or(());
}

/// One XML text.
pub(super) fn xml(shown: &Shown, options: Options, around: &Around) -> String {
    let mut out = String::from("<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <Query>");
    elements(&document(shown, options, around), 4, &mut out);
    out + "\n  </Query>\n</explain>"
}

fn elements(fields: &Fields, indent: usize, out: &mut String) {
    for (key, value) in fields {
        // Names of elements have no blanks.
        let name: String =
            key.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
        write!(out, "\n{:indent$}<{name}>", "").unwrap_or(());
        let inner = indent + 2;
        match value {
            Value::Bare(text) | Value::Text(text) => {
                write!(out, "{}</{name}>", escaped(text)).unwrap_or(());
                continue;
            }
            Value::List(list) => {
                list.iter().for_each(|t| write!(out, "\n{:inner$}<Item>{}</Item>", "", escaped(t)).unwrap_or(()));
            }
            Value::Group(group) => elements(group, inner, out),
            Value::Nodes(nodes) => {
                for node in nodes {
                    write!(out, "\n{:inner$}<Plan>", "").unwrap_or(());
                    elements(node, inner + 2, out);
                    write!(out, "\n{:inner$}</Plan>", "").unwrap_or(());
                }
            }
        }
        write!(out, "\n{:indent$}</{name}>", "").unwrap_or(());
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#x0d;")
}

/// One YAML text.
pub(super) fn yaml(shown: &Shown, options: Options, around: &Around) -> String {
    let mut out = String::new();
    entries(&document(shown, options, around), 0, &mut out);
    out
}

/// An item of a list: its first field stands behind a dash, the others below it.
fn entries(fields: &Fields, indent: usize, out: &mut String) {
    for (i, field) in fields.iter().enumerate() {
        if i > 0 {
            write!(out, "\n{:width$}", "", width = indent + 2).unwrap_or(());
        } else {
            *out += "- ";
        }
        entry(field, indent + 2, out);
    }
}

fn entry((key, value): &(String, Value), indent: usize, out: &mut String) {
    let inner = indent + 2;
    write!(out, "{key}: ").unwrap_or(());
    match value {
        Value::Bare(text) => *out += text,
        Value::Text(text) => *out += &quoted(text),
        Value::List(list) => list.iter().for_each(|t| write!(out, "\n{:inner$}- {}", "", quoted(t)).unwrap_or(())),
        Value::Group(group) => {
            for field in group {
                write!(out, "\n{:inner$}", "").unwrap_or(());
                entry(field, inner, out);
            }
        }
        Value::Nodes(nodes) => {
            for node in nodes {
                write!(out, "\n{:inner$}", "").unwrap_or(());
                entries(node, inner, out);
            }
        }
    }
}
