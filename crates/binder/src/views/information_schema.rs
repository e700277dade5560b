//! The views of `information_schema`: `information_schema.txt` says for each its columns, what they are made of, and from where.
//!
//! A column is `name[:type] [= expression]`; without an expression it is NULL, `@` is the database, `#` what section `*` says of that
//! name. Types: none for an identifier, `c` for text, `n` for a number, `y` for YES or NO, `t` for a time. Instead of FROM, `OF view` takes the
//! grants by and to enabled roles of that view, and `NONE` says that there is nothing here that could be shown.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::OnceLock;

const TEXT: &str = include_str!("information_schema.txt");

/// The query behind view `name`, and the name itself.
pub(crate) fn query(name: &str) -> Option<(&'static str, &'static str)> {
    static QUERIES: OnceLock<HashMap<&'static str, String>> = OnceLock::new();
    let (name, sql) = QUERIES.get_or_init(queries).get_key_value(name)?;
    Some((name, sql))
}

fn queries() -> HashMap<&'static str, String> {
    let sections = || TEXT.split("## ").skip(1).filter_map(|s| s.trim_end().split_once('\n'));
    let shared: HashMap<&str, &str> = sections()
        .filter(|(name, _)| *name == "*")
        .flat_map(|(_, body)| body.lines().filter_map(|l| l.split_once(" = ")))
        .collect();
    let views = sections().filter(|(name, _)| *name != "*");
    views.map(|(name, body)| (name, select(body, &shared))).collect()
}

fn select(body: &str, shared: &HashMap<&str, &str>) -> String {
    let (columns, rest) = body.rsplit_once('\n').unwrap_or(("", body));
    let view = rest.strip_prefix("OF ");
    let mut sql = String::from("SELECT ");
    for (i, line) in columns.lines().enumerate() {
        let (column, expression) = line.split_once(" = ").unwrap_or((line, if view.is_some() { "." } else { "NULL" }));
        let (column, code) = column.split_once(':').unwrap_or((column, ""));
        let ty = match code {
            "c" => "varchar",
            "n" => "int4",
            "y" => "varchar(3)",
            "t" => "timestamptz(2)",
            _ => "name",
        };
        let expression = match expression {
            "@" => "current_database()",
            "." => column,
            "#" => shared.get(column).copied().unwrap_or("NULL"),
            other => other,
        };
        let comma = if i == 0 { "" } else { ", " };
        // A string does not fail to write.
        let _ = write!(sql, "{comma}CAST({expression} AS {ty}) AS {column}");
    }
    match (view, rest) {
        (Some(view), _) => {
            let roles = "(SELECT role_name FROM information_schema.enabled_roles)";
            let _ = write!(sql, " FROM information_schema.{view} WHERE grantor IN {roles} OR grantee IN {roles}");
        }
        (None, "NONE") => sql.push_str(" WHERE false"),
        (None, from) => {
            let _ = write!(sql, " {from}");
        }
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every query is one that can be parsed, and no section was forgotten.
    #[test]
    fn sections_are_queries() {
        let all = queries();
        assert_eq!(all.len(), TEXT.matches("## ").count() - 1);
        for (name, sql) in &all {
            let parsed = syntax::parse(sql).unwrap_or_else(|e| panic!("{name}: {e:?}: {sql}"));
            assert_eq!(parsed.len(), 1, "{name}");
        }
        assert!(query("tables").is_some_and(|q| q.0 == "tables"));
        assert!(query("*").is_none() && query("nosuch").is_none());
    }
}
