//! Statements that change rows: INSERT with ON CONFLICT, UPDATE FROM, DELETE USING, MERGE, WITH, all with RETURNING; and ALTER TABLE.

use super::types::Ty;
use super::types::Ty::*;
use super::{Column, Generator};

impl Generator {
    /// Rows with keys of their own.
    pub(super) fn insert_rows(&mut self, rows: usize) -> String {
        let (table, columns) = self.base_table("");
        let lines = self.lines(&table, &columns, rows);
        let returning = self.returning(&table);
        format!("INSERT INTO {table} VALUES {lines}{returning}")
    }

    fn lines(&mut self, table: &str, columns: &[Column], rows: usize) -> String {
        let first = self.tables.iter_mut().find(|t| t.name == table).map_or(0, |t| {
            t.rows += rows;
            t.rows - rows
        });
        let known = self.tables.iter().find(|t| t.name == table).cloned().expect("a table of ours");
        let mut lines = Vec::new();
        for row in 0..rows {
            let values: Vec<String> = columns[1..]
                .iter()
                .map(|(name, ty)| match self.below(12) {
                    _ if known.generated.contains(name) => "DEFAULT".to_owned(),
                    _ if known.required.contains(name) => self.literal(*ty),
                    0 => "DEFAULT".to_owned(),
                    1 | 2 => "NULL".to_owned(),
                    _ => self.literal(*ty),
                })
                .collect();
            lines.push(format!("({}, {})", first + row + 1, values.join(", ")));
        }
        lines.join(", ")
    }

    fn returning(&mut self, table: &str) -> String {
        let columns = self.columns_of(table, table);
        match self.below(6) {
            0 => " RETURNING *".to_owned(),
            1 => {
                let ty = self.some_type();
                format!(" RETURNING {table}.id, {} AS made", self.expr(&columns, ty, 2))
            }
            2 => {
                let column = &columns[self.below(columns.len())].0;
                let bare = column.rsplit('.').next().unwrap_or_default();
                format!(" RETURNING old.{bare}, new.{bare}, {column}")
            }
            _ => String::new(),
        }
    }

    /// A column that is not the key, and its type.
    fn changed(&mut self, columns: &[Column]) -> (String, Ty) {
        let (name, ty) = columns[1 + self.below(columns.len() - 1)].clone();
        (name.rsplit('.').next().unwrap_or_default().to_owned(), ty)
    }

    /// A statement that changes rows.
    pub(super) fn change(&mut self) -> String {
        let text = match self.below(14) {
            0 | 1 => self.insert_rows(2),
            2 => self.upsert(),
            3 => self.insert_select(),
            4..7 => self.update(),
            7 | 8 => self.delete(),
            9 | 10 => self.merge(),
            11 | 12 => return self.modifying(),
            _ => self.through_view(),
        };
        match self.below(12) {
            0 => format!("BEGIN; {text}; ROLLBACK"),
            1 => format!("BEGIN; SAVEPOINT s; {text}; ROLLBACK TO s; COMMIT"),
            _ => text,
        }
    }

    fn upsert(&mut self) -> String {
        let (table, columns) = self.base_table("");
        let rows = self.tables.iter().find(|t| t.name == table).map_or(1, |t| t.rows.max(1));
        let key = 1 + self.below(rows);
        let fresh = self.lines(&table, &columns, 1);
        let values: Vec<String> = columns[1..].iter().map(|(_, ty)| self.literal(*ty)).collect();
        let (column, ty) = self.changed(&columns);
        let known = [self.columns_of(&table, &table), self.columns_of(&table, "excluded")].concat();
        let action = match self.below(4) {
            0 => "NOTHING".to_owned(),
            1 => format!("UPDATE SET {column} = excluded.{column} WHERE {}", self.expr(&known, Bool, 2)),
            2 => format!("UPDATE SET ({column}) = ROW({})", self.expr(&known, ty, 1)),
            _ => format!("UPDATE SET {column} = {}", self.expr(&known, ty, 2)),
        };
        let target = self.pick(&["(id)", "(id)", &format!("ON CONSTRAINT {table}_pkey")]).to_owned();
        let returning = self.returning(&table);
        format!(
            "INSERT INTO {table} VALUES ({key}, {}), {fresh} ON CONFLICT {target} DO {action}{returning}",
            values.join(", ")
        )
    }

    fn insert_select(&mut self) -> String {
        let (table, columns) = self.base_table("");
        let (source, own) = self.table("x");
        let values: Vec<String> = columns[1..].iter().map(|(_, ty)| self.expr(&own, *ty, 1)).collect();
        let returning = self.returning(&table);
        let base = 10_000 + 1000 * self.made;
        format!(
            "INSERT INTO {table} SELECT {base} + row_number() OVER (ORDER BY x.*::text), {} FROM {source} x WHERE x.id % 9 = {}{returning}",
            values.join(", "),
            self.below(9)
        )
    }

    fn update(&mut self) -> String {
        let (table, columns) = self.base_table("");
        let own = self.columns_of(&table, &table);
        let (column, ty) = self.changed(&columns);
        let (value, condition) = (self.expr(&own, ty, 2), self.expr(&own, Bool, 2));
        let returning = self.returning(&table);
        match self.below(5) {
            0 => {
                let (other, theirs) = self.base_table("y");
                let both = [own, theirs].concat();
                let value = self.expr(&both, ty, 2);
                format!(
                    "UPDATE {table} SET {column} = {value} FROM {other} y WHERE y.id = {table}.id AND {condition}{returning}"
                )
            }
            1 => {
                let (second, other) = self.changed(&columns);
                let other = self.expr(&own, other, 1);
                format!("UPDATE {table} SET ({column}, {second}) = ({value}, {other}) WHERE {condition}{returning}")
            }
            2 => {
                let (other, theirs) = self.base_table("y");
                let inner = self.expr(&theirs, ty, 1);
                format!(
                    "UPDATE {table} SET ({column}) = (SELECT {inner} FROM {other} y WHERE y.id = {table}.id) WHERE {table}.id % 4 = 0{returning}"
                )
            }
            _ => format!("UPDATE {table} SET {column} = {value} WHERE {condition}{returning}"),
        }
    }

    fn delete(&mut self) -> String {
        let (table, _) = self.base_table("");
        let own = self.columns_of(&table, &table);
        let returning = self.returning(&table);
        if self.one_in(3) {
            let (other, theirs) = self.base_table("y");
            let both = [own, theirs].concat();
            let condition = self.expr(&both, Bool, 2);
            return format!(
                "DELETE FROM {table} USING {other} y WHERE y.id = {table}.id AND y.id % 11 = 3 AND {condition}{returning}"
            );
        }
        format!(
            "DELETE FROM {table} WHERE {table}.id % 9 = {} AND {}{returning}",
            self.below(9),
            self.expr(&own, Bool, 2)
        )
    }

    fn merge(&mut self) -> String {
        let (table, columns) = self.base_table("");
        let (source, theirs) = self.base_table("s");
        let own = self.columns_of(&table, &table);
        let both = [own.clone(), theirs.clone()].concat();
        let (column, ty) = self.changed(&columns);
        let mut clauses = Vec::new();
        for _ in 0..1 + self.below(3) {
            let test = match self.below(2) {
                0 => format!(" AND {}", self.expr(&both, Bool, 2)),
                _ => String::new(),
            };
            let test_source = match self.below(2) {
                0 => format!(" AND {}", self.expr(&theirs, Bool, 1)),
                _ => String::new(),
            };
            clauses.push(match self.below(6) {
                0 | 1 => format!("WHEN MATCHED{test} THEN UPDATE SET {column} = {}", self.expr(&both, ty, 2)),
                2 => format!("WHEN MATCHED AND {table}.id % 7 = 2 THEN DELETE"),
                3 => format!("WHEN MATCHED{test} THEN DO NOTHING"),
                4 => format!(
                    "WHEN NOT MATCHED{test_source} THEN INSERT (id, {column}) VALUES (s.id + 5000, {})",
                    self.expr(&theirs, ty, 1)
                ),
                _ => format!(
                    "WHEN NOT MATCHED BY SOURCE AND {table}.id % 5 = 1 THEN UPDATE SET {column} = {}",
                    self.expr(&own, ty, 1)
                ),
            });
        }
        let returning = match self.below(3) {
            0 => format!(" RETURNING merge_action(), {table}.id, s.id"),
            _ => String::new(),
        };
        format!(
            "MERGE INTO {table} USING {source} s ON s.id = {table}.id + {} {}{returning}",
            self.below(3),
            clauses.join(" ")
        )
    }

    fn modifying(&mut self) -> String {
        let change = match self.below(4) {
            0 => self.delete(),
            1 => self.upsert(),
            2 => self.merge(),
            _ => self.update(),
        };
        let change = change.split(" RETURNING ").next().unwrap_or_default().to_owned();
        let (other, _) = self.base_table("x");
        let merge = change.starts_with("MERGE");
        let returned = if merge { "s.id".to_owned() } else { "id".to_owned() };
        let joined = change.contains(" y WHERE y.id = t") && !change.contains("(SELECT");
        let returned = if joined { "y.id".to_owned() } else { returned };
        match self.below(3) {
            0 => format!("WITH w(id) AS ({change} RETURNING {returned}) SELECT count(*), min(id), max(id) FROM w"),
            1 => format!(
                "WITH w(id) AS ({change} RETURNING {returned}) SELECT x.id FROM {other} x WHERE x.id IN (SELECT id FROM w)"
            ),
            _ => format!("WITH w AS ({change}) SELECT count(*) FROM {other} x"),
        }
    }

    fn through_view(&mut self) -> String {
        let views: Vec<String> = self.tables.iter().filter(|t| !t.is_table).map(|t| t.name.clone()).collect();
        if views.is_empty() {
            return self.update();
        }
        let view = views[self.below(views.len())].clone();
        let columns = self.columns_of(&view, &view);
        let (column, ty) = self.changed(&columns);
        match self.below(3) {
            0 => format!("DELETE FROM {view} WHERE id = {}", 1 + self.below(90)),
            1 => format!("INSERT INTO {view} (id) VALUES ({})", 20_000 + self.made),
            _ => format!("UPDATE {view} SET {column} = {} WHERE id = {}", self.literal(ty), 1 + self.below(90)),
        }
    }

    /// A change of a table's shape.
    pub(super) fn alter(&mut self) -> String {
        let (table, columns) = self.base_table("");
        let ty = self.some_type();
        let fresh = format!("a{}", self.made);
        let (column, from) = self.changed(&columns);
        let grow = |generator: &mut Generator, name: &str, ty: Ty| {
            for known in generator.tables.iter_mut().filter(|t| t.name == table) {
                known.columns.push((name.to_owned(), ty));
            }
        };
        match self.below(10) {
            7 if columns.len() > 3 => {
                for known in self.tables.iter_mut().filter(|t| t.name == table) {
                    known.columns.retain(|(name, _)| *name != column);
                }
                self.next.push(format!("SELECT * FROM {table} ORDER BY id"));
                format!("ALTER TABLE {table} DROP COLUMN {column} CASCADE")
            }
            8 => {
                let to = match from {
                    Int2 | Int4 => Int8,
                    Int8 | Money2 => Numeric,
                    Date => Timestamp,
                    Timestamp => Timestamptz,
                    _ => return format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE int4[][]"),
                };
                for known in self.tables.iter_mut().filter(|t| t.name == table) {
                    known.columns.iter_mut().filter(|(name, _)| *name == column).for_each(|c| c.1 = to);
                }
                self.next.push(format!("SELECT * FROM {table} ORDER BY id"));
                format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE {}", to.name())
            }
            9 => {
                let fresh = format!("{fresh}_check");
                format!("ALTER TABLE {table} ADD CONSTRAINT {fresh} CHECK ({}) NOT VALID", self.expr(&columns, Bool, 2))
            }
            0 => {
                grow(self, &fresh, ty);
                format!("ALTER TABLE {table} ADD COLUMN {fresh} {}", ty.name())
            }
            1 => {
                grow(self, &fresh, ty);
                let value = self.literal(ty);
                format!("ALTER TABLE {table} ADD COLUMN {fresh} {} DEFAULT {value} NOT NULL", ty.name())
            }
            2 => {
                grow(self, &fresh, Int4);
                let value = self.expr(&columns, Int4, 1);
                format!("ALTER TABLE {table} ADD COLUMN {fresh} int4 GENERATED ALWAYS AS ({value}) STORED")
            }
            3 => format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {}", self.literal(from)),
            4 => format!("ALTER TABLE {table} ADD CHECK ({})", self.expr(&columns, Bool, 2)),
            5 => format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL"),
            _ => {
                self.next.push(format!("SELECT * FROM {table} ORDER BY id"));
                format!("CREATE INDEX ON {table} (id, ({}))", self.expr(&columns, Int4, 2))
            }
        }
    }
}
