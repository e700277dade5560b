//! `Table`: a result, and how psql would print it.

use unicode_width::UnicodeWidthChar;

/// How results are printed.
#[derive(Clone, Debug)]
pub struct Style {
    /// Columns lined up, or fields with a separator between.
    pub aligned: bool,
    /// One field a line.
    pub expanded: bool,
    /// Rows alone: no header, no footer.
    pub tuples_only: bool,
    /// Between fields that are not lined up.
    pub separator: String,
    /// Shown for NULL.
    pub null: String,
}

impl Default for Style {
    fn default() -> Style {
        let (separator, null) = ("|".to_owned(), String::new());
        Style { aligned: true, expanded: false, tuples_only: false, separator, null }
    }
}

/// A result.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Printed above.
    pub title: Option<String>,
    /// Names of the columns, and whether they are lined up on the right.
    pub columns: Vec<(String, bool)>,
    /// The rows; none is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// Printed below instead of the number of rows.
    pub footer: Option<Vec<String>>,
}

/// A cell's lines, each with its width on the screen.
type Cell = Vec<(String, usize)>;

/// Cuts a value into lines, with control characters made visible.
fn cell(text: &str) -> Cell {
    let mut lines = Vec::new();
    let (mut line, mut width) = (String::new(), 0);
    for c in text.chars() {
        match c {
            '\n' => {
                lines.push((std::mem::take(&mut line), width));
                width = 0;
            }
            '\r' => {
                line.push_str("\\r");
                width += 2;
            }
            '\t' => loop {
                line.push(' ');
                width += 1;
                if width % 8 == 0 {
                    break;
                }
            },
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                line.push_str(&format!("\\x{:02X}", c as u32));
                width += 4;
            }
            c if (0x80..0xa0).contains(&(c as u32)) => {
                line.push_str(&format!("\\u{:04X}", c as u32));
                width += 6;
            }
            c => {
                line.push(c);
                width += c.width().unwrap_or(0);
            }
        }
    }
    lines.push((line, width));
    lines
}

fn width(cell: &Cell) -> usize {
    cell.iter().map(|l| l.1).max().unwrap_or(0)
}

impl Table {
    /// The table as text, with a line end after it.
    pub fn print(&self, style: &Style) -> String {
        match (style.expanded, style.aligned) {
            (false, true) => self.aligned(style),
            (true, true) => self.aligned_records(style),
            (false, false) => self.plain(style),
            (true, false) => self.plain_records(style),
        }
    }

    fn count(&self) -> String {
        let n = self.rows.len();
        format!("({n} row{})", if n == 1 { "" } else { "s" })
    }

    fn footer(&self, style: &Style) -> String {
        if style.tuples_only {
            return String::new();
        }
        match &self.footer {
            Some(lines) => lines.iter().map(|l| format!("{l}\n")).collect(),
            None => format!("{}\n", self.count()),
        }
    }

    fn cells(&self, style: &Style) -> Vec<Vec<Cell>> {
        let value = |v: &Option<String>| cell(v.as_deref().unwrap_or(&style.null));
        self.rows.iter().map(|row| row.iter().map(value).collect()).collect()
    }

    fn aligned(&self, style: &Style) -> String {
        let headers: Vec<Cell> = self.columns.iter().map(|c| cell(&c.0)).collect();
        let rows = self.cells(style);
        let mut widths: Vec<usize> = headers.iter().map(width).collect();
        for row in &rows {
            for (w, c) in widths.iter_mut().zip(row) {
                *w = (*w).max(width(c));
            }
        }
        let mut out = String::new();
        let total = widths.iter().map(|w| w + 3).sum::<usize>().saturating_sub(1);
        if !style.tuples_only {
            if let Some(title) = &self.title {
                let own = width(&cell(title));
                out.push_str(&" ".repeat(total.saturating_sub(own) / 2));
                out.push_str(title);
                out.push('\n');
            }
            let height = headers.iter().map(Vec::len).max().unwrap_or(0);
            for i in 0..height {
                for (c, (header, &w)) in headers.iter().zip(&widths).enumerate() {
                    let (text, own) = header.get(i).map_or(("", 0), |l| (&*l.0, l.1));
                    let left = (w - own) / 2;
                    let more = i + 1 < header.len();
                    out.push_str(if c > 0 { "| " } else { " " });
                    out.push_str(&" ".repeat(left));
                    out.push_str(text);
                    out.push_str(&" ".repeat(w - own - left));
                    out.push(if more { '+' } else { ' ' });
                }
                out.push('\n');
            }
            let rules: Vec<String> = widths.iter().map(|w| "-".repeat(w + 2)).collect();
            out.push_str(&if rules.is_empty() { "--".to_owned() } else { rules.join("+") });
            out.push('\n');
        }
        for row in &rows {
            let height = row.iter().map(Vec::len).max().unwrap_or(0);
            for i in 0..height {
                for (c, (value, &w)) in row.iter().zip(&widths).enumerate() {
                    let (text, own) = value.get(i).map_or(("", 0), |l| (&*l.0, l.1));
                    let last = c + 1 == row.len();
                    let more = i + 1 < value.len();
                    out.push_str(if c > 0 { "| " } else { " " });
                    if self.columns[c].1 && i < value.len() {
                        out.push_str(&" ".repeat(w - own));
                        out.push_str(text);
                    } else {
                        out.push_str(text);
                        if !last || more {
                            out.push_str(&" ".repeat(w - own));
                        }
                    }
                    if more {
                        out.push('+');
                    } else if !last {
                        out.push(' ');
                    }
                }
                out.push('\n');
            }
        }
        out.push_str(&self.footer(style));
        out.push('\n');
        out
    }

    fn aligned_records(&self, style: &Style) -> String {
        let mut out = String::new();
        if let (Some(title), false) = (&self.title, style.tuples_only) {
            out.push_str(title);
            out.push('\n');
        }
        if self.rows.is_empty() {
            return if style.tuples_only { out } else { out + &self.count() + "\n\n" };
        }
        let headers: Vec<Cell> = self.columns.iter().map(|c| cell(&c.0)).collect();
        let rows = self.cells(style);
        let header_width = headers.iter().map(width).max().unwrap_or(0);
        let mut data_width = rows.iter().flatten().map(width).max().unwrap_or(0);
        // Values are at least as wide as fills the line under the longest label.
        let label = format!("-[ RECORD {} ]", rows.len()).len();
        let lines = usize::from(rows.iter().flatten().any(|c| c.len() > 1));
        if !style.tuples_only {
            data_width = data_width.max(label.saturating_sub(header_width + 3 + lines));
        }
        let rule = format!("{}+{}", "-".repeat(header_width + 1), "-".repeat(data_width + 1));
        for (n, row) in rows.iter().enumerate() {
            let label = if style.tuples_only { String::new() } else { format!("-[ RECORD {} ]", n + 1) };
            if !style.tuples_only || n > 0 {
                out.push_str(&label);
                out.push_str(rule.get(label.len()..).unwrap_or_default());
                out.push('\n');
            }
            for (header, value) in headers.iter().zip(row) {
                for i in 0..header.len().max(value.len()) {
                    let (name, own) = header.get(i).map_or(("", 0), |l| (&*l.0, l.1));
                    out.push_str(name);
                    out.push_str(&" ".repeat(header_width - own));
                    out.push(if i + 1 < header.len() { '+' } else { ' ' });
                    out.push('|');
                    if let Some((text, own)) = value.get(i) {
                        out.push(' ');
                        out.push_str(text);
                        if i + 1 < value.len() {
                            out.push_str(&" ".repeat(data_width - own));
                            out.push('+');
                        }
                    }
                    out.push('\n');
                }
            }
        }
        if let Some(footer) = self.footer.as_ref().filter(|_| !style.tuples_only) {
            footer.iter().for_each(|l| out.push_str(&format!("{l}\n")));
        }
        out.push('\n');
        out
    }

    fn plain(&self, style: &Style) -> String {
        let mut out = String::new();
        if !style.tuples_only {
            if let Some(title) = &self.title {
                out.push_str(&format!("{title}\n"));
            }
            let names: Vec<&str> = self.columns.iter().map(|c| &*c.0).collect();
            out.push_str(&format!("{}\n", names.join(&style.separator)));
        }
        for row in &self.rows {
            let values: Vec<&str> = row.iter().map(|v| v.as_deref().unwrap_or(&style.null)).collect();
            out.push_str(&format!("{}\n", values.join(&style.separator)));
        }
        out + &self.footer(style)
    }

    fn plain_records(&self, style: &Style) -> String {
        let mut out = String::new();
        if let (Some(title), false) = (&self.title, style.tuples_only) {
            out.push_str(&format!("{title}\n"));
        }
        if self.rows.is_empty() {
            return if style.tuples_only { out } else { out + &self.count() + "\n" };
        }
        for (n, row) in self.rows.iter().enumerate() {
            if n > 0 {
                out.push('\n');
            }
            for ((name, _), value) in self.columns.iter().zip(row) {
                let value = value.as_deref().unwrap_or(&style.null);
                out.push_str(&format!("{name}{}{value}\n", style.separator));
            }
        }
        if let Some(footer) = self.footer.as_ref().filter(|_| !style.tuples_only) {
            out.push('\n');
            footer.iter().for_each(|l| out.push_str(&format!("{l}\n")));
        }
        out
    }
}
