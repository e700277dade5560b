//! `\d` and its kin: catalogs, read by SQL, shown as psql does.

use session::{Chunk, OutputColumn, Sink};
use types::io::TypeLookup;
use types::{IoSettings, Oid, Result};

use super::Shell;
use super::printer::print;
use super::table::{Style, Table};
use crate::output::report;

/// Collects rows as text.
struct Rows {
    settings: IoSettings,
    types: Vec<Oid>,
    rows: Vec<Vec<Option<String>>>,
}

impl Sink for Rows {
    fn columns(&mut self, columns: &[OutputColumn]) -> Result<()> {
        self.types = columns.iter().map(|c| c.ty).collect();
        Ok(())
    }
    fn chunk(&mut self, chunk: &Chunk, names: &dyn TypeLookup) -> Result<()> {
        for i in 0..chunk.rows {
            let mut row = Vec::with_capacity(self.types.len());
            for (column, &ty) in chunk.columns.iter().zip(&self.types) {
                let datum = column.get(i);
                let mut text = Vec::new();
                row.push(if datum.is_null() {
                    None
                } else {
                    types::io::text_out_with(ty, &datum, &self.settings, names, &mut text)?;
                    Some(String::from_utf8_lossy(&text).into_owned())
                });
            }
            self.rows.push(row);
        }
        Ok(())
    }
    fn complete(&mut self, _: &str) {}
}

/// A pattern such as `sch*.t?`: regular expressions for schema and name.
struct Pattern {
    schema: Option<String>,
    name: String,
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Pattern {
    fn parse(text: &str) -> Pattern {
        let mut parts = vec![String::new()];
        let mut in_quotes = false;
        for c in text.chars() {
            let last = parts.len() - 1;
            match c {
                '"' => in_quotes = !in_quotes,
                '.' if !in_quotes => parts.push(String::new()),
                '*' if !in_quotes => parts[last].push_str(".*"),
                '?' if !in_quotes => parts[last].push('.'),
                c if "|*+?()[]{}.^$\\".contains(c) => {
                    parts[last].push('\\');
                    parts[last].push(c);
                }
                c if in_quotes => parts[last].push(c),
                c => parts[last].extend(c.to_lowercase()),
            }
        }
        let name = parts.pop().unwrap_or_default();
        Pattern { schema: parts.pop(), name }
    }

    /// A condition on relations `c` in schemas `n`.
    fn condition(&self, visible: &str) -> String {
        let whole = |regex: &str| quoted(&format!("^({regex})$"));
        match &self.schema {
            Some(schema) => format!("c.relname ~ {} AND n.nspname ~ {}", whole(&self.name), whole(schema)),
            None => format!("c.relname ~ {} AND {visible}", whole(&self.name)),
        }
    }
}

type Row = Vec<Option<String>>;

fn text(row: &Row, column: usize) -> &str {
    row.get(column).and_then(Option::as_deref).unwrap_or_default()
}

fn columns(names: &[&str]) -> Vec<(String, bool)> {
    names.iter().map(|n| ((*n).to_owned(), false)).collect()
}

const VISIBLE: &str = "pg_catalog.pg_table_is_visible(c.oid)";

impl Shell {
    /// Runs `\d…`, `\l`; none for another command.
    pub(super) fn describe(&mut self, name: &str, pattern: Option<&str>) -> Option<bool> {
        let (name, more) = match name.strip_suffix('+') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let outcome = match (name, pattern, more) {
            ("d", Some(pattern), more) => self.describe_relations(pattern, more),
            ("d", None, false) => self.list("relations", &["r", "p", "v", "m", "S", "f"], None),
            ("dt", pattern, false) => self.list("tables", &["r", "p"], pattern),
            ("di", pattern, false) => self.list("indexes", &["i", "I"], pattern),
            ("dv", pattern, false) => self.list("views", &["v"], pattern),
            ("dm", pattern, false) => self.list("materialized views", &["m"], pattern),
            ("ds", pattern, false) => self.list("sequences", &["S"], pattern),
            ("dn", None, false) => self.list_schemas(),
            ("du" | "dg", None, false) => self.list_roles(),
            ("l" | "list", None, false) => self.list_databases(),
            _ => return None,
        };
        Some(match outcome {
            Ok(fine) => fine,
            Err(e) => self.complain(&report(&e, None, self.verbose)),
        })
    }

    fn rows(&mut self, sql: &str) -> Result<Vec<Row>> {
        let settings = self.session.inner().settings_io().clone();
        let mut rows = Rows { settings, types: Vec::new(), rows: Vec::new() };
        self.session.inner().run(sql, &mut rows)?;
        Ok(rows.rows)
    }

    fn show(&self, table: &Table) -> bool {
        print(&table.print(&self.style));
        true
    }

    fn list(&mut self, what: &str, kinds: &[&str], pattern: Option<&str>) -> Result<bool> {
        let parsed = pattern.map(Pattern::parse);
        let condition = match &parsed {
            Some(pattern) => pattern.condition(VISIBLE),
            None => format!(
                "n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast' AND n.nspname <> 'information_schema' AND {VISIBLE}"
            ),
        };
        let kinds: Vec<String> = kinds.iter().map(|k| quoted(k)).collect();
        let indexes = what == "indexes";
        let (column, join) = match indexes {
            true => (
                ", t.relname",
                "LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_catalog.pg_class t ON t.oid = i.indrelid",
            ),
            false => ("", ""),
        };
        let sql = format!(
            "SELECT n.nspname, c.relname, CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' \
             WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'I' THEN 'partitioned index' \
             WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' END, a.rolname{column} \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN pg_catalog.pg_authid a ON a.oid = c.relowner {join} \
             WHERE c.relkind IN ({}) AND {condition} ORDER BY 1, 2",
            kinds.join(", ")
        );
        let rows = self.rows(&sql)?;
        if rows.is_empty() {
            return Ok(self.complain(&match pattern {
                Some(pattern) => format!("Did not find any {what} named \"{pattern}\"."),
                None => format!("Did not find any {what}."),
            }));
        }
        let mut names = vec!["Schema", "Name", "Type", "Owner"];
        names.extend(indexes.then_some("Table"));
        Ok(self.show(&Table { title: Some(format!("List of {what}")), columns: columns(&names), rows, footer: None }))
    }

    fn list_schemas(&mut self) -> Result<bool> {
        let rows = self.rows(
            "SELECT n.nspname, a.rolname FROM pg_catalog.pg_namespace n \
             LEFT JOIN pg_catalog.pg_authid a ON a.oid = n.nspowner \
             WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1",
        )?;
        let title = Some("List of schemas".to_owned());
        Ok(self.show(&Table { title, columns: columns(&["Name", "Owner"]), rows, footer: None }))
    }

    fn list_roles(&mut self) -> Result<bool> {
        let rows = self.rows(
            "SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, \
             rolconnlimit, rolvaliduntil FROM pg_catalog.pg_authid WHERE rolname !~ '^pg_' ORDER BY 1",
        )?;
        let attributes = |row: &Row| {
            let is = |column: usize| text(row, column) == "t";
            let mut all = Vec::new();
            let words = [
                (is(1), "Superuser"),
                (!is(2), "No inheritance"),
                (is(3), "Create role"),
                (is(4), "Create DB"),
                (!is(5), "Cannot login"),
                (is(6), "Replication"),
                (is(7), "Bypass RLS"),
            ];
            all.extend(words.iter().filter(|w| w.0).map(|w| w.1));
            let mut line = all.join(", ");
            match text(row, 8).parse::<i64>() {
                Ok(0) => line.push_str("\nNo connections"),
                Ok(1) => line.push_str("\n1 connection"),
                Ok(n) if n > 1 => line.push_str(&format!("\n{n} connections")),
                _ => {}
            }
            if let Some(until) = row.get(9).and_then(Option::as_deref) {
                line.push_str(&format!("\nPassword valid until {until}"));
            }
            vec![row[0].clone(), Some(line.trim_start_matches('\n').to_owned())]
        };
        let rows = rows.iter().map(attributes).collect();
        let title = Some("List of roles".to_owned());
        let columns = columns(&["Role name", "Attributes"]);
        Ok(self.show(&Table { title, columns, rows, footer: Some(Vec::new()) }))
    }

    fn list_databases(&mut self) -> Result<bool> {
        let rows = self.rows(
            "SELECT d.datname, a.rolname, pg_catalog.pg_encoding_to_char(d.encoding), \
             CASE d.datlocprovider WHEN 'b' THEN 'builtin' WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' END, \
             d.datcollate, d.datctype, d.datlocale, d.daticurules, pg_catalog.array_to_string(d.datacl, E'\\n') \
             FROM pg_catalog.pg_database d LEFT JOIN pg_catalog.pg_authid a ON a.oid = d.datdba ORDER BY 1",
        )?;
        let names = [
            "Name",
            "Owner",
            "Encoding",
            "Locale Provider",
            "Collate",
            "Ctype",
            "Locale",
            "ICU Rules",
            "Access privileges",
        ];
        let title = Some("List of databases".to_owned());
        Ok(self.show(&Table { title, columns: columns(&names), rows, footer: None }))
    }

    fn describe_relations(&mut self, pattern: &str, more: bool) -> Result<bool> {
        let found = self.rows(&format!(
            "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {} ORDER BY 2, 3",
            Pattern::parse(pattern).condition(VISIBLE)
        ))?;
        if found.is_empty() {
            return Ok(self.complain(&format!("Did not find any relation named \"{pattern}\".")));
        }
        for row in &found {
            let (oid, whole) = (text(row, 0).to_owned(), format!("\"{}.{}\"", text(row, 1), text(row, 2)));
            let unlogged = if text(row, 4) == "u" { "Unlogged " } else { "" };
            let shown = match text(row, 3) {
                "S" => self.describe_sequence(&oid, &whole)?,
                "i" | "I" => {
                    self.describe_index(&oid, &format!("{unlogged}Index {whole}").replace("Unlogged I", "Unlogged i"))?
                }
                kind => {
                    let (kind, is_table) = match kind {
                        "r" => ("Table", true),
                        "p" => ("Partitioned table", true),
                        "v" => ("View", false),
                        "m" => ("Materialized view", false),
                        "t" => ("TOAST table", false),
                        "f" => ("Foreign table", false),
                        "c" => ("Composite type", false),
                        _ => ("Relation", false),
                    };
                    let kind =
                        if unlogged.is_empty() { kind.to_owned() } else { format!("Unlogged {}", kind.to_lowercase()) };
                    self.describe_table(&oid, &format!("{kind} {whole}"), is_table, more)?
                }
            };
            // As in psql: one field a line would only confuse here.
            print(&shown.print(&Style { expanded: false, ..self.style.clone() }));
        }
        Ok(true)
    }

    fn describe_table(&mut self, oid: &str, title: &str, is_table: bool, more: bool) -> Result<Table> {
        let found = self.rows(&format!(
            "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), \
             CASE WHEN a.attcollation <> t.typcollation THEN l.collname END, a.attnotnull, \
             pg_catalog.pg_get_expr(d.adbin, d.adrelid, true), a.attidentity, a.attgenerated, a.attstorage, \
             a.attcompression, a.attstattarget, e.description \
             FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
             LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation \
             LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
             LEFT JOIN pg_catalog.pg_description e \
             ON e.objoid = a.attrelid AND e.classoid = 1259 AND e.objsubid = a.attnum \
             WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        ))?;
        let mut names = vec!["Column", "Type", "Collation", "Nullable", "Default"];
        if more {
            names.extend(["Storage", "Compression", "Stats target", "Description"]);
        }
        let mut table = Table { title: Some(title.to_owned()), columns: columns(&names), ..Table::default() };
        if more {
            table.columns[7].1 = true;
        }
        let known = |s: &str| Some(s.to_owned());
        for row in &found {
            let default = match (text(row, 5), text(row, 6)) {
                ("a", _) => "generated always as identity".to_owned(),
                ("d", _) => "generated by default as identity".to_owned(),
                (_, "s") => format!("generated always as ({}) stored", text(row, 4)),
                (_, "v") => format!("generated always as ({})", text(row, 4)),
                _ => text(row, 4).to_owned(),
            };
            let nullable = if text(row, 3) == "t" { "not null" } else { "" };
            let mut shown =
                vec![known(text(row, 0)), known(text(row, 1)), known(text(row, 2)), known(nullable), Some(default)];
            if more {
                shown.push(known(match text(row, 7) {
                    "p" => "plain",
                    "m" => "main",
                    "x" => "extended",
                    "e" => "external",
                    _ => "",
                }));
                shown.push(known(match text(row, 8) {
                    "p" => "pglz",
                    "l" => "lz4",
                    _ => "",
                }));
                shown.push(known(text(row, 9)));
                shown.push(known(text(row, 10)));
            }
            table.rows.push(shown);
        }
        let mut footer = Vec::new();
        if is_table {
            self.table_footer(oid, more, &mut footer)?;
        }
        table.footer = Some(footer);
        Ok(table)
    }

    /// Indexes and constraints.
    fn table_footer(&mut self, oid: &str, more: bool, footer: &mut Vec<String>) -> Result<()> {
        let indexes = self.rows(&format!(
            "SELECT c.relname, i.indisprimary, i.indisunique, k.contype, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true), \
             k.condeferrable, k.condeferred, i.indisvalid \
             FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
             LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x') \
             WHERE i.indrelid = {oid} ORDER BY i.indisprimary DESC, c.relname"
        ))?;
        if !indexes.is_empty() {
            footer.push("Indexes:".to_owned());
        }
        for row in &indexes {
            let definition = text(row, 4).split_once(" USING ").map_or("", |(_, d)| d);
            let kind = match (text(row, 1), text(row, 2), text(row, 3)) {
                ("t", ..) => " PRIMARY KEY,",
                (_, "t", "u") => " UNIQUE CONSTRAINT,",
                (_, "t", _) => " UNIQUE,",
                _ => "",
            };
            let deferrable = if text(row, 5) == "t" { " DEFERRABLE" } else { "" };
            let deferred = if text(row, 6) == "t" { " INITIALLY DEFERRED" } else { "" };
            let invalid = if text(row, 7) == "f" { " INVALID" } else { "" };
            footer.push(format!("    \"{}\"{kind} {definition}{deferrable}{deferred}{invalid}", text(row, 0)));
        }
        let constraints = |column: &str, kind: &str| {
            format!(
                "SELECT k.conname, pg_catalog.pg_get_constraintdef(k.oid, true), k.conrelid::pg_catalog.regclass \
                 FROM pg_catalog.pg_constraint k WHERE k.{column} = {oid} AND k.contype = '{kind}' ORDER BY k.conname"
            )
        };
        let mut lists = vec![
            ("Check constraints:", "conrelid", "c"),
            ("Foreign-key constraints:", "conrelid", "f"),
            ("Referenced by:", "confrelid", "f"),
        ];
        if more {
            lists.push(("Not-null constraints:", "conrelid", "n"));
        }
        for (title, column, kind) in lists {
            let found = self.rows(&constraints(column, kind))?;
            if !found.is_empty() {
                footer.push(title.to_owned());
            }
            for row in &found {
                footer.push(match column {
                    "confrelid" => format!(
                        "    TABLE \"{}\" CONSTRAINT \"{}\" {}",
                        text(row, 2).trim_matches('"'),
                        text(row, 0),
                        text(row, 1)
                    ),
                    _ => {
                        let definition = match text(row, 1).strip_prefix("NOT NULL ") {
                            // Here psql quotes all names alike.
                            Some(name) if !name.starts_with('"') => format!("NOT NULL \"{name}\""),
                            _ => text(row, 1).to_owned(),
                        };
                        format!("    \"{}\" {definition}", text(row, 0))
                    }
                });
            }
        }
        if more {
            footer.push("Access method: heap".to_owned());
        }
        Ok(())
    }

    fn describe_index(&mut self, oid: &str, title: &str) -> Result<Table> {
        let rows = self.rows(&format!(
            "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), \
             CASE WHEN g.n <= i.indnkeyatts THEN 'yes' ELSE 'no' END, pg_catalog.quote_ident(a.attname) \
             FROM pg_catalog.pg_index i CROSS JOIN pg_catalog.generate_series(1, 32) AS g (n) \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[g.n - 1] \
             WHERE i.indexrelid = {oid} AND g.n <= i.indnatts ORDER BY g.n"
        ))?;
        let about = self.rows(&format!(
            "SELECT i.indisprimary, i.indisunique, m.amname, n.nspname, t.relname, i.indnullsnotdistinct \
             FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
             JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace \
             JOIN pg_catalog.pg_am m ON m.oid = c.relam WHERE i.indexrelid = {oid}"
        ))?;
        let mut footer = Vec::new();
        for row in &about {
            let distinct = if text(row, 5) == "t" { " nulls not distinct" } else { "" };
            let unique = match (text(row, 0), text(row, 1)) {
                ("t", _) => "primary key, ".to_owned(),
                (_, "t") => format!("unique{distinct}, "),
                _ => String::new(),
            };
            footer.push(format!("{unique}{}, for table \"{}.{}\"", text(row, 2), text(row, 3), text(row, 4)));
        }
        let columns = columns(&["Column", "Type", "Key?", "Definition"]);
        Ok(Table { title: Some(title.to_owned()), columns, rows, footer: Some(footer) })
    }

    fn describe_sequence(&mut self, oid: &str, whole: &str) -> Result<Table> {
        let rows = self.rows(&format!(
            "SELECT pg_catalog.format_type(seqtypid, NULL), seqstart, seqmin, seqmax, seqincrement, \
             CASE WHEN seqcycle THEN 'yes' ELSE 'no' END, seqcache FROM pg_catalog.pg_sequence WHERE seqrelid = {oid}"
        ))?;
        let owner = self.rows(&format!(
            "SELECT n.nspname, c.relname, a.attname, d.deptype FROM pg_catalog.pg_depend d \
             JOIN pg_catalog.pg_class c ON c.oid = d.refobjid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid \
             WHERE d.classid = 1259 AND d.objid = {oid} AND d.refclassid = 1259 AND d.deptype IN ('a', 'i')"
        ))?;
        let mut footer = Vec::new();
        for row in &owner {
            let name = format!("{}.{}.{}", text(row, 0), text(row, 1), text(row, 2));
            footer.push(match text(row, 3) {
                "i" => format!("Sequence for identity column: {name}"),
                _ => format!("Owned by: {name}"),
            });
        }
        let mut columns = columns(&["Type", "Start", "Minimum", "Maximum", "Increment", "Cycles?", "Cache"]);
        for number in [1, 2, 3, 4, 6] {
            columns[number].1 = true;
        }
        Ok(Table { title: Some(format!("Sequence {whole}")), columns, rows, footer: Some(footer) })
    }
}
