//! TRUNCATE, VACUUM, ANALYZE, LOCK TABLE, SET CONSTRAINTS, DISCARD.

use std::sync::Arc;

use catalog::TableInfo;
use catalog::stored::{PG_CLASS, PG_CONSTRAINT};
use storage::lock::{Mode, Tag, WaitPolicy};
use storage::{RelId, RelKind, RelMeta};
use syntax::ast::{Discard, DropBehavior, Lock, LockMode, Reindex, ReindexTarget, SetConstraints, Truncate, Vacuum};
use types::{Datum, Oid, Physical, Result, SqlError, SqlState};

use super::index::carried_forms;
use super::refuse;
use crate::session::{BlockState, Session};

fn mode(mode: LockMode) -> Mode {
    match mode {
        LockMode::AccessShare => Mode::AccessShare,
        LockMode::RowShare => Mode::RowShare,
        LockMode::RowExclusive => Mode::RowExclusive,
        LockMode::ShareUpdateExclusive => Mode::ShareUpdateExclusive,
        LockMode::Share => Mode::Share,
        LockMode::ShareRowExclusive => Mode::ShareRowExclusive,
        LockMode::Exclusive => Mode::Exclusive,
        LockMode::AccessExclusive => Mode::AccessExclusive,
    }
}

impl Session {
    /// TRUNCATE: the tables get new, empty storage; the old one goes when nobody can see it any more.
    pub(crate) fn truncate(&mut self, sql: &str, truncate: &Truncate) -> Result<String> {
        let mut tables: Vec<Arc<TableInfo>> = Vec::new();
        for name in &truncate.relations {
            let info = self.relation(sql, name, Mode::AccessExclusive)?;
            if info.kind != b'r' {
                let message = format!("\"{}\" is not a table", info.name);
                return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
            }
            self.check_table_right(&info, 'D')?;
            if !tables.iter().any(|t| t.oid == info.oid) {
                tables.push(info);
            }
        }
        // Tables that refer to them must be emptied as well.
        let mut next = 0;
        while next < tables.len() {
            let info = tables[next].clone();
            next += 1;
            let image = self.image()?;
            for (other, key) in image.referencing(info.oid) {
                if tables.iter().any(|t| t.oid == other.oid) {
                    continue;
                }
                if truncate.behavior == DropBehavior::Restrict {
                    let message = "cannot truncate a table referenced in a foreign key constraint";
                    return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
                        .detail(format!("Table \"{}\" references \"{}\".", other.name, info.name))
                        .hint(format!(
                            "Truncate table \"{}\" at the same time, or use TRUNCATE ... CASCADE.",
                            other.name
                        )));
                }
                let _ = key;
                self.lock_relation(other.oid, Mode::AccessExclusive)?;
                tables.push(other.clone());
            }
        }
        tables.iter().try_for_each(|info| self.empty(info))?;
        if truncate.restart_identity {
            tables.iter().try_for_each(|info| self.restart_sequences(info))?;
        }
        Ok("TRUNCATE TABLE".to_owned())
    }

    /// Gives a table and its indexes fresh storage.
    pub(super) fn empty(&mut self, info: &TableInfo) -> Result<()> {
        let forms = info.columns.iter().map(|c| Physical::of(c.ty)).collect();
        self.new_storage(info.oid, info.rel, RelKind::Table, forms)?;
        info.indexes
            .iter()
            .try_for_each(|i| self.new_storage(i.oid, i.rel, RelKind::Btree, carried_forms(info, &i.include)))
    }

    /// Gives a relation fresh storage, with nothing in it.
    pub(super) fn new_storage(&mut self, oid: Oid, old: RelId, kind: RelKind, forms: Vec<Physical>) -> Result<()> {
        let db = self.db.clone();
        let fresh = self.new_oid()?;
        let old = db.relation(old)?;
        let txn = self.txn_mut();
        let new = db.create_relation(txn, RelMeta::new(RelId(fresh.0), kind, old.persistence, forms))?;
        new.succeed(&old, kind == RelKind::Table);
        db.drop_relation(txn, &old)?;
        self.change_rows(PG_CLASS, |r| r.oid("oid") == oid, &[("relfilenode", Datum::from(fresh))])?;
        Ok(())
    }

    /// VACUUM and ANALYZE. Space of dead rows is taken back as transactions end, so VACUUM hastens only what is waiting.
    pub(crate) fn vacuum(&mut self, sql: &str, vacuum: &Vacuum) -> Result<String> {
        let word = if vacuum.vacuum { "VACUUM" } else { "ANALYZE" };
        if vacuum.vacuum && self.block_state() != BlockState::Idle {
            let message = "VACUUM cannot run inside a transaction block";
            return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
        }
        let mut analyze = !vacuum.vacuum;
        for option in &vacuum.options {
            match &*option.name {
                "analyze" => analyze = true,
                "verbose"
                | "freeze"
                | "full"
                | "skip_locked"
                | "truncate"
                | "index_cleanup"
                | "parallel"
                | "process_toast"
                | "process_main"
                | "disable_page_skipping"
                | "buffer_usage_limit"
                | "only_database_stats"
                | "skip_database_stats" => {}
                other => return refuse(&format!("option {other} of {word}"), option.pos, sql),
            }
        }
        let mut tables: Vec<(Arc<TableInfo>, Vec<&str>)> = Vec::new();
        for v in &vacuum.relations {
            let info = self.own_table(sql, &v.relation, Mode::ShareUpdateExclusive)?;
            tables.push((info, v.columns.iter().map(|c| c.as_str()).collect()));
        }
        if vacuum.relations.is_empty() {
            let temporary = self.temporary;
            // Not those that other sessions keep for themselves.
            let is_ours =
                |t: &&Arc<TableInfo>| t.kind == b'r' && (t.persistence != b't' || Some(t.namespace) == temporary);
            let own: Vec<Arc<TableInfo>> = self.image()?.tables().into_iter().filter(is_ours).cloned().collect();
            tables = own.into_iter().map(|t| (t, Vec::new())).collect();
        }
        if vacuum.vacuum {
            self.runtime.engine().purge()?;
            for (info, _) in &tables {
                self.settle_indexes(info)?;
                self.runtime.note_vacuumed(&self.db, info);
            }
        }
        if analyze {
            for (info, columns) in tables {
                self.analyze_table(&info, &columns)?;
            }
        }
        Ok(word.to_owned())
    }

    /// Looks at the rows of all entries, so that index-only scans need not.
    fn settle_indexes(&mut self, info: &TableInfo) -> Result<()> {
        let table = self.plan_table(info.oid)?;
        let mut execution = self.with_latest(|s| s.execution(true, true))?;
        self.with_context(&mut execution, &[], |ctx| {
            let exec::Handles { storage, trees, .. } = exec::Handles::open(ctx, &table)?;
            let all = storage::btree::ScanBounds::default;
            let mut both = table.indexes.iter().zip(&trees);
            both.try_for_each(|(index, tree)| exec::settle(&storage, tree, &table, index, all(), ctx))
        })
    }

    /// REINDEX: indexes get new storage, and are filled anew.
    pub(crate) fn reindex(&mut self, sql: &str, reindex: &Reindex) -> Result<String> {
        let mut concurrently = false;
        for option in &reindex.options {
            match &*option.name {
                "verbose" => {}
                "concurrently" => concurrently = true,
                other => return refuse(&format!("option {other} of REINDEX"), option.pos, sql),
            }
        }
        let word = match &reindex.target {
            ReindexTarget::Schema(_) => Some("REINDEX SCHEMA"),
            ReindexTarget::Database(_) => Some("REINDEX DATABASE"),
            ReindexTarget::System(_) => Some("REINDEX SYSTEM"),
            _ => concurrently.then_some("REINDEX CONCURRENTLY"),
        };
        if let Some(word) = word
            && self.block_state() != BlockState::Idle
        {
            let message = format!("{word} cannot run inside a transaction block");
            return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
        }
        let is_ours = |t: &&Arc<TableInfo>| matches!(t.kind, b'r' | b'm');
        let mut indexes: Vec<(Oid, Oid)> = Vec::new();
        let all = |t: &Arc<TableInfo>| t.indexes.iter().map(|i| (t.oid, i.oid)).collect::<Vec<_>>();
        match &reindex.target {
            ReindexTarget::Index(name) => match self.find_index(name)? {
                Some((table, index)) => {
                    self.check_owner(&table)?;
                    indexes.push((table.oid, index));
                }
                None => {
                    let info = self.relation(sql, name, Mode::AccessShare)?;
                    let message = format!("\"{}\" is not an index", info.name);
                    return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
                }
            },
            ReindexTarget::Table(name) => {
                let info = self.relation(sql, name, Mode::AccessExclusive).map_err(|e| e.unplaced())?;
                if !is_ours(&&info) {
                    let message = format!("\"{}\" is not a table or materialized view", info.name);
                    return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
                }
                self.check_owner(&info)?;
                indexes = all(&info);
            }
            ReindexTarget::Schema(name) => {
                let image = self.image()?;
                let Some(schema) = image.namespace(name.as_str()) else {
                    let message = format!("schema \"{}\" does not exist", name.as_str());
                    return Err(SqlError::new(SqlState::INVALID_SCHEMA_NAME, message));
                };
                let within = |t: &&&Arc<TableInfo>| t.namespace == schema.oid && is_ours(t);
                indexes = image.tables().iter().filter(within).flat_map(|t| all(t)).collect();
            }
            ReindexTarget::Database(name) => {
                if name.as_ref().is_some_and(|n| n.as_str() != self.database_name()) {
                    let message = "can only reindex the currently open database";
                    return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
                }
                let image = self.image()?;
                let temporary = self.temporary;
                let within =
                    |t: &&&Arc<TableInfo>| is_ours(t) && (t.persistence != b't' || Some(t.namespace) == temporary);
                indexes = image.tables().iter().filter(within).flat_map(|t| all(t)).collect();
            }
            // The system's own indexes are in the binary.
            ReindexTarget::System(_) => {}
        }
        for (table, index) in indexes {
            self.lock_relation(table, Mode::AccessExclusive)?;
            let info = self.info(table)?;
            if let Some(key) = info.indexes.iter().find(|i| i.oid == index) {
                self.new_storage(index, key.rel, RelKind::Btree, carried_forms(&info, &key.include))?;
                self.fill_index(table, index)?;
            }
        }
        Ok("REINDEX".to_owned())
    }

    pub(crate) fn lock_tables(&mut self, sql: &str, lock: &Lock) -> Result<String> {
        if self.block_state() == BlockState::Idle {
            let message = "LOCK TABLE can only be used in transaction blocks";
            return Err(SqlError::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, message));
        }
        for name in &lock.relations {
            if !lock.nowait {
                self.relation(sql, name, mode(lock.mode))?;
                continue;
            }
            let image = self.image()?;
            let table = {
                let binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
                binder.table(name)?
            };
            let tag = Tag::Relation(self.db.id, table.oid.0);
            self.txn_mut().lock(tag, mode(lock.mode), WaitPolicy::NoWait).map_err(|e| match e {
                storage::Error::LockNotAvailable => {
                    let message = format!("could not obtain lock on relation \"{}\"", table.name);
                    SqlError::new(SqlState::LOCK_NOT_AVAILABLE, message)
                }
                other => other.into(),
            })?;
        }
        Ok("LOCK TABLE".to_owned())
    }

    pub(crate) fn set_constraints(&mut self, sql: &str, set: &SetConstraints) -> Result<String> {
        let mut oids = Vec::new();
        for name in &set.constraints {
            let wanted = name.name.as_str();
            let rows = self.find_rows(PG_CONSTRAINT, |r| r.get("conname").as_str() == Some(wanted))?;
            if rows.is_empty() {
                let message = format!("constraint \"{wanted}\" does not exist");
                return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
            }
            for row in &rows {
                let row = catalog::Fields { relation: PG_CONSTRAINT, row };
                if !row.bool("condeferrable") {
                    let message = format!("constraint \"{wanted}\" is not deferrable");
                    return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message).at(name.pos.char_position(sql)));
                }
                oids.push(row.oid("oid"));
            }
        }
        self.deferral.set(&oids, set.deferred);
        if !set.deferred {
            // Those that no longer wait are checked now; the rest goes on waiting.
            let waiting = std::mem::take(&mut self.deferral.events);
            self.run_events(waiting, false)?;
        }
        Ok("SET CONSTRAINTS".to_owned())
    }

    pub(crate) fn discard(&mut self, what: &Discard) -> Result<String> {
        match what {
            Discard::Plans => {}
            Discard::Temporary => self.drop_temporary()?,
            Discard::Sequences => self.sequences.clear(),
            Discard::All => {
                if self.block_state() != BlockState::Idle {
                    let message = "DISCARD ALL cannot run inside a transaction block";
                    return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
                }
                self.drop_temporary()?;
                self.sequences.clear();
                self.forget_named();
                let locks = &self.runtime.engine().shared().locks;
                self.advisory.end(locks, self.owner);
                self.stop_listening();
                self.settings.reset_all();
                self.follow_role();
            }
        }
        Ok(match what {
            Discard::All => "DISCARD ALL",
            Discard::Plans => "DISCARD PLANS",
            Discard::Sequences => "DISCARD SEQUENCES",
            Discard::Temporary => "DISCARD TEMP",
        }
        .to_owned())
    }
}
