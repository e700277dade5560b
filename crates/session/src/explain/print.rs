//! The text and JSON forms of a shown plan.

use std::fmt::Write;

use super::Options;
use super::tree::{Detail, Shown};

type Times = Option<(f64, Option<f64>)>;

/// Lines of text.
pub(super) fn text(shown: &Shown, options: Options, times: Times) -> Vec<String> {
    let mut lines = Vec::new();
    node(shown, options, 0, "", &mut lines);
    if let Some((planning, execution)) = times {
        lines.push(format!("Planning Time: {planning:.3} ms"));
        lines.extend(execution.map(|e| format!("Execution Time: {e:.3} ms")));
    }
    lines
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

/// One JSON text.
pub(super) fn json(shown: &Shown, options: Options, times: Times) -> String {
    let mut out = String::from("[\n  {\n    \"Plan\": ");
    object(shown, options, 4, &mut out);
    if let Some((planning, execution)) = times {
        write!(out, ",\n    \"Planning Time\": {planning:.3}").unwrap_or(());
        if options.analyze {
            out += ",\n    \"Triggers\": [\n    ]";
        }
        if let Some(e) = execution {
            write!(out, ",\n    \"Execution Time\": {e:.3}").unwrap_or(());
        }
    }
    out + "\n  }\n]"
}

fn object(shown: &Shown, options: Options, indent: usize, out: &mut String) {
    let mut fields: Vec<(String, String)> = vec![("Node Type".to_owned(), quoted(&shown.node_type))];
    let mut own = |key: &str, value: String| fields.push((key.to_owned(), value));
    let (first, rest): (Vec<_>, Vec<_>) = shown
        .details
        .iter()
        .partition(|d| matches!(d.0.as_str(), "Strategy" | "Partial Mode" | "Operation" | "Command"));
    for (key, detail) in first {
        if let Detail::Hidden(text) = detail {
            own(key, quoted(text));
        }
    }
    if let Some(relationship) = &shown.relationship {
        own("Parent Relationship", quoted(relationship));
    }
    if let Some(label) = &shown.label {
        own("Subplan Name", quoted(label));
    }
    own("Parallel Aware", shown.parallel.to_string());
    own("Async Capable", "false".to_owned());
    for (key, detail) in &rest {
        if let Detail::Hidden(text) = detail {
            own(key, quoted(text));
        }
    }
    if options.costs {
        let e = &shown.estimate;
        own("Startup Cost", format!("{:.2}", e.startup));
        own("Total Cost", format!("{:.2}", e.cost));
        own("Plan Rows", rows(e.rows).to_string());
        own("Plan Width", shown.width.to_string());
    }
    if let Some((made, loops, first, total)) = shown.actual {
        let per = |n: u64| if loops == 0 { 0.0 } else { n as f64 / loops as f64 };
        if options.timing {
            own("Actual Startup Time", format!("{:.3}", per(first) / 1e6));
            own("Actual Total Time", format!("{:.3}", per(total) / 1e6));
        }
        own("Actual Rows", format!("{:.2}", per(made)));
        own("Actual Loops", loops.to_string());
    }
    own("Disabled", "false".to_owned());
    for (key, detail) in &rest {
        match detail {
            Detail::Text(text) => own(key, quoted(text)),
            Detail::Number(n) => own(key, n.to_string()),
            Detail::List(list) => {
                own(key, format!("[{}]", list.iter().map(|t| quoted(t)).collect::<Vec<_>>().join(", ")))
            }
            Detail::Hidden(_) => {}
        }
    }
    *out += "{";
    for (i, (key, value)) in fields.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        write!(out, "{comma}\n{:width$}{}: {value}", "", quoted(key), width = indent + 2).unwrap_or(());
    }
    if !shown.children.is_empty() {
        write!(out, ",\n{:width$}\"Plans\": [", "", width = indent + 2).unwrap_or(());
        for (i, child) in shown.children.iter().enumerate() {
            write!(out, "{}\n{:width$}", if i == 0 { "" } else { "," }, "", width = indent + 4).unwrap_or(());
            object(child, options, indent + 4, out);
        }
        write!(out, "\n{:width$}]", "", width = indent + 2).unwrap_or(());
    }
    write!(out, "\n{:indent$}}}", "").unwrap_or(());
}
