//! Errors as psql prints them.

use types::{SqlError, SqlState};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of a statement's line that are shown.
const LINE_COLUMNS: usize = 60;
/// Columns behind the error that are shown at least.
const RIGHT_COLUMNS: usize = 10;

/// An error or notice with everything that helps; `sql` is the statement it is about.
pub fn report(e: &SqlError, sql: Option<&str>, verbose: bool) -> String {
    let fields = e.fields();
    let mut text = format!("{}:  ", fields.severity.as_str());
    if verbose {
        text.push_str(&format!("{}: ", e.state().as_str()));
    }
    text.push_str(e.message());
    if let (Some(sql), Some(position)) = (sql, fields.position) {
        text.push_str(&excerpt(sql, position as usize));
    }
    for (label, value) in [("DETAIL", &fields.detail), ("HINT", &fields.hint), ("CONTEXT", &fields.context)] {
        if let Some(value) = value {
            text.push_str(&format!("\n{label}:  {value}"));
        }
    }
    if verbose {
        let named = [
            ("SCHEMA NAME", &fields.schema),
            ("TABLE NAME", &fields.table),
            ("COLUMN NAME", &fields.column),
            ("DATATYPE NAME", &fields.data_type),
            ("CONSTRAINT NAME", &fields.constraint),
        ];
        for (label, value) in named {
            if let Some(value) = value {
                text.push_str(&format!("\n{label}:  {value}"));
            }
        }
    }
    text
}

/// An error outside of a shell.
pub fn error_text(e: &SqlError) -> String {
    report(e, None, e.state() == SqlState::INTERNAL_ERROR)
}

/// The line that 1-based character `position` of `sql` lies in, with a caret below.
fn excerpt(sql: &str, position: usize) -> String {
    let before: String = sql.chars().take(position.saturating_sub(1)).collect();
    let number = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line: Vec<char> = sql[start..].chars().take_while(|&c| c != '\n' && c != '\r').collect();
    // As on a screen: a tab is shown as a blank.
    let line: Vec<char> = line.into_iter().map(|c| if c == '\t' { ' ' } else { c }).collect();
    let column = before[start..].chars().count().min(line.len());
    let width = |chars: &[char]| chars.iter().map(|c| c.width().unwrap_or(0)).sum::<usize>();
    let (mut from, mut to) = (0, line.len());
    let (mut head, mut tail) = ("", "");
    if width(&line) > LINE_COLUMNS {
        if width(&line[..column]) + RIGHT_COLUMNS < LINE_COLUMNS {
            while width(&line[..to]) > LINE_COLUMNS {
                to -= 1;
            }
            tail = "...";
        } else {
            while to > column && width(&line[column..to]) > RIGHT_COLUMNS {
                to -= 1;
                tail = "...";
            }
            while width(&line[from..to]) > LINE_COLUMNS {
                from += 1;
                head = "...";
            }
        }
    }
    let label = format!("LINE {number}: {head}");
    let indent = label.width() + width(&line[from..column.max(from)]);
    format!("\n{label}{}{tail}\n{}^", line[from..to].iter().collect::<String>(), " ".repeat(indent))
}
