//! COMMENT ON.

use catalog::stored::{
    self, PG_CLASS, PG_CONSTRAINT, PG_DATABASE, PG_DESCRIPTION, PG_NAMESPACE, PG_SHDESCRIPTION, PG_TYPE,
};
use storage::lock::Mode;
use syntax::ast::{Comment, ObjectKind, ObjectName, QualifiedName};
use types::{Datum, Oid, Result, SqlError, SqlState};

use super::alter::column_of;
use super::drop::range_of;
use crate::session::Session;

impl Session {
    pub(crate) fn comment(&mut self, sql: &str, comment: &Comment) -> Result<String> {
        let text = comment.text.as_ref().map(|t| t.to_string()).filter(|t| !t.is_empty());
        let missing = |what: String| SqlError::new(SqlState::UNDEFINED_OBJECT, format!("{what} does not exist"));
        let (class, object, column) = match (comment.kind, &comment.object) {
            (ObjectKind::Type, ObjectName::Type(name)) => (PG_TYPE, self.own_type(&name.names)?.oid, 0),
            (
                ObjectKind::Table | ObjectKind::Sequence | ObjectKind::View | ObjectKind::MaterializedView,
                ObjectName::Name(names),
            ) => {
                let range = range_of(names).ok_or_else(|| missing("relation".to_owned()))?;
                let info = self.relation(sql, &range, Mode::ShareUpdateExclusive)?;
                let wanted = match comment.kind {
                    ObjectKind::Sequence => b'S',
                    ObjectKind::View => b'v',
                    ObjectKind::MaterializedView => b'm',
                    _ => b'r',
                };
                if info.kind != wanted {
                    let word = comment.kind.as_str().to_lowercase();
                    let message = format!("\"{}\" is not a {word}", info.name);
                    return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
                }
                self.check_owner(&info)?;
                (PG_CLASS, info.oid, 0)
            }
            (ObjectKind::Index, ObjectName::Name(names)) => {
                let image = self.image()?;
                let names: &QualifiedName = names;
                let name = names.last().map_or("", |n| n.as_str());
                let found = match names.len() {
                    1 => self.search_path.iter().find_map(|&n| image.relation_oid(n, name)),
                    n => image
                        .namespace_in(&names[n - 2], &self.search_path)
                        .and_then(|s| image.relation_oid(s.oid, name)),
                };
                let oid = found.ok_or_else(|| {
                    SqlError::new(SqlState::UNDEFINED_TABLE, format!("relation \"{name}\" does not exist"))
                })?;
                (PG_CLASS, oid, 0)
            }
            (ObjectKind::Column, ObjectName::Name(names)) if names.len() >= 2 => {
                let (column, table) = (&names[names.len() - 1], names[..names.len() - 1].to_vec());
                let range = range_of(&table).ok_or_else(|| missing("relation".to_owned()))?;
                let info = self.relation(sql, &range, Mode::ShareUpdateExclusive)?;
                self.check_owner(&info)?;
                (PG_CLASS, info.oid, column_of(&info, column)? as i32 + 1)
            }
            (ObjectKind::TableConstraint, ObjectName::OnTable { name, table }) => {
                let range = range_of(table).ok_or_else(|| missing("relation".to_owned()))?;
                let info = self.relation(sql, &range, Mode::ShareUpdateExclusive)?;
                let (relation, wanted) = (info.oid, name.as_str());
                let rows = self.find_rows(PG_CONSTRAINT, |r| {
                    r.oid("conrelid") == relation && r.get("conname").as_str() == Some(wanted)
                })?;
                let row = rows
                    .first()
                    .ok_or_else(|| missing(format!("constraint \"{wanted}\" for table \"{}\"", info.name)))?;
                (PG_CONSTRAINT, catalog::Fields { relation: PG_CONSTRAINT, row }.oid("oid"), 0)
            }
            (ObjectKind::Schema, ObjectName::Name(names)) => {
                let name = names.last().map_or("", |n| n.as_str());
                let image = self.image()?;
                let schema = image.namespace(name).ok_or_else(|| {
                    SqlError::new(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{name}\" does not exist"))
                })?;
                (PG_NAMESPACE, schema.oid, 0)
            }
            (ObjectKind::Database, ObjectName::Name(names)) => {
                let name = names.last().map_or("", |n| n.as_str());
                let id = self.runtime.database_id(name)?;
                let id = id.ok_or_else(|| {
                    SqlError::new(SqlState::INVALID_CATALOG_NAME, format!("database \"{name}\" does not exist"))
                })?;
                return self.shared_comment(PG_DATABASE, Oid(id.0), text);
            }
            (
                kind @ (ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate),
                ObjectName::Function(sig),
            ) => {
                let info = self.find_function(sql, sig, kind)?;
                self.check_function_owner(&info)?;
                (catalog::stored::PG_PROC, info.oid, 0)
            }
            (ObjectKind::Domain, ObjectName::Type(name)) => (PG_TYPE, self.own_type(&name.names)?.oid, 0),
            (kind, _) => return Err(SqlError::unsupported(format!("COMMENT ON {}", kind.as_str()))),
        };
        let number = Datum::I32(column);
        self.remove_rows(PG_DESCRIPTION, |r| {
            r.oid("classoid") == class && r.oid("objoid") == object && *r.get("objsubid") == number
        })?;
        if let Some(text) = text {
            let values = [
                ("objoid", Datum::from(object)),
                ("classoid", Datum::from(class)),
                ("objsubid", number),
                ("description", Datum::text(&text)),
            ];
            self.add_row(PG_DESCRIPTION, &values)?;
        }
        Ok("COMMENT".to_owned())
    }

    fn shared_comment(&mut self, class: Oid, object: Oid, text: Option<String>) -> Result<String> {
        let shared = self.shared.clone();
        let txn = self.txn_mut();
        let is_it = |r: catalog::Fields<'_>| r.oid("classoid") == class && r.oid("objoid") == object;
        stored::delete(&shared, txn, PG_SHDESCRIPTION, is_it)?;
        if let Some(text) = text {
            let values = [
                ("objoid", Datum::from(object)),
                ("classoid", Datum::from(class)),
                ("description", Datum::text(&text)),
            ];
            stored::insert(&shared, txn, PG_SHDESCRIPTION, &values)?;
        }
        Ok("COMMENT".to_owned())
    }
}
