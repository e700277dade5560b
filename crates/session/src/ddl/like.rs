//! CREATE TABLE (LIKE ...): columns of another relation, and what INCLUDING asks for.

use std::sync::Arc;

use catalog::stored::{PG_CLASS, PG_CONSTRAINT, PG_DEPEND, PG_DESCRIPTION, PG_SEQUENCE};
use catalog::{Fields, TableInfo};
use storage::lock::Mode;
use syntax::ast::{CreateTable, LikeOption, TableElement};
use types::{Datum, Oid, Result, SqlError, SqlState};

use super::index::{NewIndex, NewKey};
use super::names;
use super::sequence::Rules;
use super::table::NewColumn;
use crate::session::Session;

/// A relation that a new table is like.
pub struct Like {
    /// Which element of CREATE TABLE it is.
    pub element: usize,
    pub source: Arc<TableInfo>,
    options: Vec<LikeOption>,
}

/// A column that is copied.
pub struct Copied {
    /// Number of its relation among those that the table is like.
    like: usize,
    /// Its place there, and in the new table.
    from: usize,
    to: usize,
}

impl Like {
    fn has(&self, option: LikeOption) -> bool {
        self.options.contains(&option)
    }

    /// Its columns, for the new table, where they come behind `first` others.
    pub fn columns(&self, like: usize, first: usize, rules: &[Rules]) -> (Vec<NewColumn<'static>>, Vec<Copied>) {
        let live = self.source.columns.iter().enumerate().filter(|(_, c)| !c.dropped);
        let (mut columns, mut copied) = (Vec::new(), Vec::new());
        for (i, c) in live {
            let identity = c.identity != 0 && self.has(LikeOption::Identity);
            copied.push(Copied { like, from: i, to: first + columns.len() });
            columns.push(NewColumn {
                not_null: c.not_null,
                sequence: identity.then_some(Some(c.identity == b'a')),
                rules: rules.get(i).cloned().unwrap_or_default(),
                ..NewColumn::plain(c.name.clone(), c.ty, c.typmod)
            });
        }
        (columns, copied)
    }
}

impl Session {
    /// The relations that a new table is like, and the rules of their identity columns.
    pub(super) fn likes(&mut self, sql: &str, create: &CreateTable) -> Result<Vec<(Like, Vec<Rules>)>> {
        let mut likes = Vec::new();
        for (element, e) in create.elements.iter().enumerate() {
            let TableElement::Like(l) = e else { continue };
            let source = self
                .relation(sql, &l.relation, Mode::AccessShare)
                .map_err(|e| e.at(l.relation.pos.char_position(sql)))?;
            if !matches!(source.kind, b'r' | b'v' | b'm') {
                let kind = super::drop::relation_kind(source.kind);
                let message = format!("relation \"{}\" is invalid in LIKE clause", source.name);
                return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message)
                    .detail(format!("This operation is not supported for {kind}s."))
                    .at(l.relation.pos.char_position(sql)));
            }
            let mut options = Vec::new();
            for &(option, including) in &l.options {
                let all = [
                    LikeOption::Comments,
                    LikeOption::Compression,
                    LikeOption::Constraints,
                    LikeOption::Defaults,
                    LikeOption::Generated,
                    LikeOption::Identity,
                    LikeOption::Indexes,
                    LikeOption::Statistics,
                    LikeOption::Storage,
                ];
                let meant = if option == LikeOption::All { &all[..] } else { std::slice::from_ref(&option) };
                options.retain(|o| !meant.contains(o));
                if including {
                    options.extend_from_slice(meant);
                }
            }
            let mut rules = Vec::new();
            for (i, c) in source.columns.iter().enumerate() {
                rules.push(if c.identity == 0 { Rules::default() } else { self.rules_of_column(source.oid, i)? });
            }
            likes.push((Like { element, source, options }, rules));
        }
        Ok(likes)
    }

    /// The rules of the sequence of an identity column.
    fn rules_of_column(&mut self, table: Oid, index: usize) -> Result<Rules> {
        let number = index as i64 + 1;
        let owned = self.find_rows(PG_DEPEND, |r| {
            r.oid("refobjid") == table
                && r.int("refobjsubid") == number
                && r.oid("classid") == PG_CLASS
                && r.char("deptype") == b'i'
        })?;
        for row in &owned {
            let sequence = Fields { relation: PG_DEPEND, row }.oid("objid");
            let rows = self.find_rows(PG_SEQUENCE, |r| r.oid("seqrelid") == sequence)?;
            if let Some(row) = rows.first() {
                return Ok(Rules::of(Fields { relation: PG_SEQUENCE, row }));
            }
        }
        Ok(Rules::default())
    }

    /// Gives a new table what INCLUDING asks for, but for constraints and indexes.
    pub(super) fn copy_columns(&mut self, table: Oid, likes: &[Like], copied: &[Copied]) -> Result<()> {
        for c in copied {
            let like = &likes[c.like];
            let source = like.source.columns[c.from].clone();
            let Some(text) = &source.default else { continue };
            if source.generated == 0 && source.identity == 0 && like.has(LikeOption::Defaults) {
                let image = self.image()?;
                let sequences = {
                    let io = types::IoSettings::default();
                    binder::Binder::new(&image, text, &io, &[]).sequences_in(text)?
                };
                self.keep_default(table, c.to, text, &sequences)?;
            }
        }
        for c in copied {
            let like = &likes[c.like];
            let source = like.source.columns[c.from].clone();
            if let (Some(text), true) = (&source.default, source.generated != 0 && like.has(LikeOption::Generated)) {
                let parsed = syntax::parse_expr(text)?;
                self.add_generated(text, table, c.to, &parsed)?;
                let kind = [("attgenerated", Datum::I8(source.generated.cast_signed()))];
                self.change_column(table, c.to as i16 + 1, &kind)?;
            }
        }
        Ok(())
    }

    /// Copies constraints and indexes of the relations that a table is like.
    pub(super) fn copy_constraints(&mut self, table: Oid, likes: &[Like], copied: &[Copied]) -> Result<()> {
        for (number, like) in likes.iter().enumerate() {
            let place = |from: usize| copied.iter().find(|c| c.like == number && c.from == from).map(|c| c.to);
            if like.has(LikeOption::Constraints) {
                for check in &like.source.checks {
                    let constraint = self.copy_check(table, check)?;
                    if like.has(LikeOption::Comments) {
                        self.copy_comment(PG_CONSTRAINT, check.oid, 0, constraint, 0)?;
                    }
                }
            }
            if like.has(LikeOption::Indexes) {
                for index in like.source.indexes.clone() {
                    let own = self.copy_index(table, &index, &place)?;
                    if like.has(LikeOption::Comments) {
                        self.copy_comment(PG_CLASS, index.oid, 0, own, 0)?;
                    }
                }
            }
            if like.has(LikeOption::Comments) {
                for c in copied.iter().filter(|c| c.like == number) {
                    self.copy_comment(PG_CLASS, like.source.oid, c.from as i32 + 1, table, c.to as i32 + 1)?;
                }
            }
        }
        Ok(())
    }

    /// The name of the constraint that says a copied column is NOT NULL.
    pub(super) fn not_null_name(&mut self, likes: &[Like], copied: &[Copied], index: usize) -> Result<Option<String>> {
        let Some(c) = copied.iter().find(|c| c.to == index) else { return Ok(None) };
        let (relation, number) = (likes[c.like].source.oid, vec![c.from as u32 + 1]);
        let rows = self.find_rows(PG_CONSTRAINT, |r| {
            r.oid("conrelid") == relation && r.char("contype") == b'n' && r.numbers("conkey") == number
        })?;
        Ok(rows.first().map(|row| Fields { relation: PG_CONSTRAINT, row }.text("conname")))
    }

    fn copy_index(
        &mut self,
        table: Oid,
        index: &catalog::IndexInfo,
        place: &dyn Fn(usize) -> Option<usize>,
    ) -> Result<Oid> {
        let info = self.info(table)?;
        let mut keys = Vec::new();
        let mut reads = Vec::new();
        for (i, k) in index.columns.iter().enumerate() {
            let mut key = match k.0.checked_sub(catalog::KEY_EXPRESSION) {
                Some(n) => {
                    let text = index.expressions[n].to_string();
                    let (image, planned) = (self.image()?, self.bare_table(table)?);
                    let parsed = syntax::parse_expr(&text)?;
                    let io = types::IoSettings::default();
                    let bound = {
                        let mut binder = binder::Binder::new(&image, &text, &io, &[]);
                        binder.index_expression(&parsed, &planned).map_err(SqlError::unplaced)?
                    };
                    reads.extend(&bound.columns);
                    NewKey::expression(bound)
                }
                None => NewKey::column(&info, place(k.0).unwrap_or(0)),
            };
            (key.descending, key.nulls_first) = (k.1, k.2);
            key.class = index.classes.get(i).copied();
            key.collation = index.collations.get(i).copied().filter(|c| !c.is_none());
            keys.push(key);
        }
        let include: Vec<usize> = index.include.iter().filter_map(|&c| place(c)).collect();
        if let Some(predicate) = &index.predicate {
            let (image, planned) = (self.image()?, self.bare_table(table)?);
            let parsed = syntax::parse_expr(predicate)?;
            let io = types::IoSettings::default();
            let mut binder = binder::Binder::new(&image, predicate, &io, &[]);
            reads.extend(binder.index_predicate(&parsed, &planned).map_err(SqlError::unplaced)?.columns);
        }
        let carried = include.iter().map(|&c| info.columns[c].name.clone());
        let distinct = super::index::distinct_names(keys.iter().map(|k| k.name.clone()).chain(carried));
        keys.iter_mut().zip(&distinct).for_each(|(k, n)| k.name.clone_from(n));
        let names_text: Vec<&str> = distinct.iter().map(|n| &**n).collect();
        let list = names::columns(&names_text);
        let (second, label) = match (index.primary, index.constraint) {
            (true, _) => ("", "pkey"),
            (false, Some(_)) => (&*list, "key"),
            (false, None) => (&*list, "idx"),
        };
        let name = names::for_relation(&*self.image()?, info.namespace, &info.name, second, label);
        let columns: Vec<usize> = index.columns.iter().filter_map(|k| place(k.0)).collect();
        let spec = NewIndex {
            method: index.method,
            include,
            predicate: index.predicate.as_ref().map(|p| p.to_string()),
            reads,
            unique: index.unique,
            primary: index.primary,
            nulls_not_distinct: index.nulls_not_distinct,
            immediate: index.immediate,
            ..NewIndex::btree(name.clone(), keys)
        };
        let own = self.make_index(table, &spec)?;
        if let Some(constraint) = index.constraint {
            let deferral = (constraint.deferrable, constraint.deferred);
            self.key_constraint(table, own, &name, &columns, index.primary, deferral)?;
        }
        Ok(own)
    }

    fn copy_comment(&mut self, class: Oid, from: Oid, from_column: i32, to: Oid, to_column: i32) -> Result<()> {
        let rows = self.find_rows(PG_DESCRIPTION, |r| {
            r.oid("classoid") == class && r.oid("objoid") == from && r.int("objsubid") == i64::from(from_column)
        })?;
        let Some(row) = rows.first() else { return Ok(()) };
        let text = Fields { relation: PG_DESCRIPTION, row }.text("description");
        let values = [
            ("objoid", Datum::from(to)),
            ("classoid", Datum::from(class)),
            ("objsubid", Datum::I32(to_column)),
            ("description", Datum::text(&text)),
        ];
        self.add_row(PG_DESCRIPTION, &values)
    }

    /// Gives the sequences of a table's columns their first values again.
    pub(super) fn restart_sequences(&mut self, info: &TableInfo) -> Result<()> {
        let table = info.oid;
        let owned = self.find_rows(PG_DEPEND, |r| {
            r.oid("refobjid") == table
                && r.oid("refclassid") == PG_CLASS
                && r.int("refobjsubid") > 0
                && r.oid("classid") == PG_CLASS
                && matches!(r.char("deptype"), b'a' | b'i')
        })?;
        let image = self.image()?;
        for row in &owned {
            let sequence = Fields { relation: PG_DEPEND, row }.oid("objid");
            let Some(own) = image.by_oid(sequence).filter(|t| t.kind == b'S') else { continue };
            let rows = self.find_rows(PG_SEQUENCE, |r| r.oid("seqrelid") == sequence)?;
            let Some(row) = rows.first() else { continue };
            let start = Fields { relation: PG_SEQUENCE, row }.int("seqstart");
            self.lock_relation(sequence, Mode::AccessExclusive)?;
            self.new_sequence_storage(sequence, own.rel, start)?;
        }
        Ok(())
    }
}
