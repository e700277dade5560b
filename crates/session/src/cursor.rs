//! Cursors: DECLARE, FETCH, MOVE, CLOSE, and the row that WHERE CURRENT OF means.
//!
//! A cursor that goes forward only hands rows through. One that can be scrolled keeps those it has read; if it was not asked to scroll and
//! they become many, it goes on forward only. One WITH HOLD reads all of its rows when it is declared, and outlives its transaction if that
//! commits. Behind the columns of a query that is simple enough stand the row ids of its tables, which nobody sees.

use std::collections::HashMap;
use std::sync::Arc;

use exec::Account;
use plan::{Node, OutputColumn};
use syntax::ast::{DeclareCursor, Distinct, Expr, ExprKind, Fetch, FetchDirection, LockStrength, Locking};
use syntax::ast::{Name, RelationRef, Select, SelectBody, Statement, StatementKind, TableRef, Target};
use types::{Datum, Oid, Physical, Result, SqlError, SqlState};
use vector::Chunk;

use crate::given::Given;
use crate::lifetime::Birth;
use crate::portal::Portal;
use crate::prepared::Prepared;
use crate::session::{BlockState, Session, Sink};

/// Bytes of rows that a cursor keeps though nobody asked it to scroll.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// Whether a cursor goes backward.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scroll {
    No,
    /// As long as its rows are few.
    Possible,
    Asked,
}

/// How long a cursor lives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    /// As its transaction.
    Transaction,
    /// As its transaction, until that commits.
    Pending,
    /// As its session.
    Session,
}

/// A cursor.
pub(crate) struct Cursor {
    /// What makes its rows; none when all are here.
    portal: Option<Portal>,
    birth: Birth,
    /// What it was declared with, and when: microseconds since 2000.
    declared: (Arc<str>, i64),
    /// Its columns, those that are seen.
    columns: Arc<Vec<OutputColumn>>,
    /// The tables whose row ids stand behind its columns.
    tables: Vec<Oid>,
    scroll: Scroll,
    life: Life,
    /// Rows that were read, while it can be scrolled.
    rows: Vec<Vec<Datum>>,
    account: Account,
    kept_bytes: usize,
    /// Whether `rows` are all.
    ended: bool,
    /// The number of the row it stands on, from 1; 0 is before the first.
    position: u64,
    /// Whether it stands behind its last row.
    behind: bool,
    /// Whether reading from it has failed.
    failed: bool,
    /// Row ids of the row it stands on, when it keeps none.
    current: Option<Vec<i64>>,
}

/// The cursors of a session.
pub(crate) type Cursors = HashMap<String, Cursor>;

fn no_cursor(name: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_CURSOR_NAME, format!("cursor \"{name}\" does not exist"))
}

fn forward_only() -> SqlError {
    SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "cursor can only scan forward")
        .hint("Declare it with SCROLL option to enable backward scan.")
}

/// Takes rows as they come: keeps them, or hands on what is seen of them.
struct Taking<'a> {
    sink: &'a mut dyn Sink,
    /// Where they are kept.
    rows: Option<&'a mut Vec<Vec<Datum>>>,
    /// Whether they are given out.
    given: bool,
    columns: &'a [OutputColumn],
    count: u64,
    last: Option<Vec<Datum>>,
}

impl Sink for Taking<'_> {
    fn columns(&mut self, _: &[OutputColumn]) -> Result<()> {
        Ok(())
    }
    fn chunk(&mut self, chunk: &Chunk, names: &dyn types::io::TypeLookup) -> Result<()> {
        if chunk.rows == 0 {
            return Ok(());
        }
        self.count += chunk.rows as u64;
        if let Some(rows) = &mut self.rows {
            rows.extend((0..chunk.rows).map(|i| chunk.row(i)));
            return Ok(());
        }
        self.last = Some(chunk.row(chunk.rows - 1));
        if !self.given {
            return Ok(());
        }
        if chunk.columns.len() == self.columns.len() {
            return self.sink.chunk(chunk, names);
        }
        let seen = Chunk { columns: chunk.columns[..self.columns.len()].to_vec(), rows: chunk.rows };
        self.sink.chunk(&seen, names)
    }
    fn complete(&mut self, _: &str) {}
    fn notice(&mut self, notice: &SqlError) {
        self.sink.notice(notice);
    }
}

/// Whether PostgreSQL would let a plan like this run backward, though nobody asked for it.
fn runs_backward(node: &Node) -> bool {
    match node {
        Node::Values { .. }
        | Node::Constants { .. }
        | Node::Scan { .. }
        | Node::IndexScan { .. }
        | Node::FunctionScan { .. }
        | Node::CteScan { .. } => true,
        Node::Filter { input, .. }
        | Node::Project { input, .. }
        | Node::Sort { input, .. }
        | Node::Limit { input, ties: None, .. }
        | Node::Counted { input, .. }
        | Node::Gather { input, .. } => runs_backward(input),
        Node::With { body, .. } => runs_backward(body),
        _ => false,
    }
}

/// The relations of a FROM list.
fn relations<'a>(list: &'a [TableRef], out: &mut Vec<&'a RelationRef>) {
    for item in list {
        match item {
            TableRef::Relation(r) => out.push(r),
            TableRef::Join(j) => {
                relations(std::slice::from_ref(&j.left), out);
                relations(std::slice::from_ref(&j.right), out);
            }
            _ => {}
        }
    }
}

impl Session {
    pub(crate) fn forget_dead_cursors(&mut self) {
        if self.named.cursors.is_empty() {
            return;
        }
        let mut cursors = std::mem::take(&mut self.named.cursors);
        cursors.retain(|_, c| c.life == Life::Session || self.portals.is_alive(c.birth));
        self.named.cursors = cursors;
    }

    /// The transaction has committed: cursors WITH HOLD stay.
    pub(crate) fn keep_held_cursors(&mut self) {
        for cursor in self.named.cursors.values_mut().filter(|c| c.life == Life::Pending) {
            if self.portals.is_alive(cursor.birth) {
                cursor.life = Life::Session;
            }
        }
    }

    /// The columns of the cursor called `name`, if there is one.
    pub fn cursor_columns(&self, name: &str) -> Option<Arc<Vec<OutputColumn>>> {
        let alive = |c: &&Cursor| c.life == Life::Session || self.portals.is_alive(c.birth);
        self.named.cursors.get(name).filter(alive).map(|c| c.columns.clone())
    }

    /// The query with the row ids of its tables behind its columns, and those tables; `None` for queries whose rows are not theirs.
    fn with_row_ids(&mut self, sql: &str, select: &Select) -> Result<Option<(Select, Vec<Oid>)>> {
        let SelectBody::Query(core) = &select.body else { return Ok(None) };
        let simple = core.distinct == Distinct::All
            && core.group_by.is_empty()
            && core.having.is_none()
            && select.with.is_none()
            && (select.order_by.is_empty() || !select.locking.is_empty());
        let mut list = Vec::new();
        relations(&core.from, &mut list);
        if !simple || list.is_empty() || list.len() > 1 && select.locking.is_empty() {
            return Ok(None);
        }
        let image = self.image()?;
        let mut augmented = select.clone();
        let SelectBody::Query(own) = &mut augmented.body else { return Ok(None) };
        let mut tables = Vec::new();
        for r in list {
            let found = {
                let binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
                binder.table(&r.relation)
            };
            let Ok(table) = found else { continue };
            if image.by_oid(table.oid).is_none_or(|t| t.kind != b'r') {
                continue;
            }
            let alias = r.alias.as_ref().map_or(&r.relation.name, |a| &a.name).clone();
            let named = |l: &Locking| l.of.is_empty() || l.of.iter().any(|o| o.name.as_str() == alias.as_str());
            if !select.locking.is_empty() && !select.locking.iter().any(named) {
                continue;
            }
            let pos = alias.pos;
            let ctid = Name { text: "ctid".into(), pos };
            let expr = Expr::new(ExprKind::Column(vec![alias, ctid]), pos);
            own.targets.push(Target { expr, alias: None, pos });
            tables.push(table.oid);
        }
        Ok((!tables.is_empty()).then_some((augmented, tables)))
    }

    /// The query of a cursor, prepared, with the tables whose row ids it has behind its columns.
    fn prepare_cursor(&mut self, sql: &str, query: &Statement, types: &[Oid]) -> Result<(Prepared, Vec<Oid>)> {
        if let StatementKind::Select(select) = &query.kind
            && let Some((augmented, tables)) = self.with_row_ids(sql, select)?
        {
            let statement = Statement { kind: StatementKind::Select(Box::new(augmented)), ..query.clone() };
            // What groups has no row ids; what is wrong is said of the query as it was written.
            if let Ok(prepared) = self.prepare_parsed(sql, statement, None, types.to_vec()) {
                return Ok((prepared, tables));
            }
        }
        let start = Some(query.span.start.0);
        Ok((self.prepare_parsed(sql, query.clone(), start, types.to_vec())?, Vec::new()))
    }

    pub(crate) fn declare_cursor(&mut self, sql: &str, declare: &DeclareCursor) -> Result<String> {
        let name = declare.name.as_str();
        if declare.binary {
            return Err(SqlError::unsupported("DECLARE BINARY CURSOR"));
        }
        if self.block_state() == BlockState::Idle && !declare.hold {
            let message = "DECLARE CURSOR can only be used in transaction blocks";
            return Err(SqlError::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, message));
        }
        self.forget_dead_cursors();
        if self.named.cursors.contains_key(name) {
            return Err(SqlError::new(SqlState::DUPLICATE_CURSOR, format!("cursor \"{name}\" already exists")));
        }
        let locks = matches!(&declare.query.kind, StatementKind::Select(s) if !s.locking.is_empty());
        if let (true, StatementKind::Select(select)) = (locks, &declare.query.kind) {
            let word = match select.locking[0].strength {
                LockStrength::Update => "FOR UPDATE",
                LockStrength::NoKeyUpdate => "FOR NO KEY UPDATE",
                LockStrength::Share => "FOR SHARE",
                LockStrength::KeyShare => "FOR KEY SHARE",
            };
            let refused = match declare {
                d if d.hold => Some(("DECLARE CURSOR WITH HOLD ...", "is not supported", "Holdable")),
                d if d.scroll == Some(true) => Some(("DECLARE SCROLL CURSOR ...", "is not supported", "Scrollable")),
                d if d.insensitive => Some(("DECLARE INSENSITIVE CURSOR ...", "is not valid", "Insensitive")),
                _ => None,
            };
            if let Some((what, why, kind)) = refused {
                let state = if declare.insensitive && !declare.hold && declare.scroll != Some(true) {
                    SqlState::INVALID_CURSOR_DEFINITION
                } else {
                    SqlState::FEATURE_NOT_SUPPORTED
                };
                return Err(SqlError::new(state, format!("{what} {word} {why}"))
                    .detail(format!("{kind} cursors must be READ ONLY.")));
            }
        }
        let Given { types, values } = self.given.clone();
        let (mut prepared, tables) = self.prepare_cursor(sql, &declare.query, &types)?;
        if prepared.params.len() > values.len() {
            return Err(crate::session::no_parameter(sql, values.len() + 1));
        }
        let mut portal = self.open_portal(name, &mut prepared, values)?;
        let backward = prepared.plan.as_ref().is_some_and(|p| runs_backward(&p.1));
        let scroll = match declare.scroll {
            Some(true) => Scroll::Asked,
            Some(false) => Scroll::No,
            None if declare.no_scroll => Scroll::No,
            None if declare.hold && backward => Scroll::Asked,
            None if backward && !locks => Scroll::Possible,
            None => Scroll::No,
        };
        // What it sees is fixed now, whenever its rows are fetched.
        self.begin_portal(&mut portal)?;
        let seen = portal.columns.len() - tables.len();
        let mut cursor = Cursor {
            birth: portal.birth(),
            declared: (Arc::from(sql), self.started.1),
            columns: Arc::new(portal.columns[..seen].to_vec()),
            portal: Some(portal),
            tables,
            scroll,
            life: if declare.hold { Life::Pending } else { Life::Transaction },
            rows: Vec::new(),
            account: Account::new(self.runtime.options.session_bytes, &self.meter),
            kept_bytes: 0,
            ended: false,
            position: 0,
            behind: false,
            failed: false,
            current: None,
        };
        if declare.hold {
            self.read_to(&mut cursor, u64::MAX, &mut Nothing)?;
            cursor.portal = None;
        }
        self.named.cursors.insert(name.to_owned(), cursor);
        Ok("DECLARE CURSOR".to_owned())
    }

    /// Reads rows until `count` are kept, or all.
    fn read_to(&mut self, cursor: &mut Cursor, count: u64, sink: &mut dyn Sink) -> Result<()> {
        let have = cursor.rows.len() as u64;
        if cursor.ended || count <= have {
            return Ok(());
        }
        let Some(portal) = &mut cursor.portal else { return Ok(()) };
        let wanted = if count == u64::MAX { 0 } else { count - have };
        let columns = cursor.columns.clone();
        let mut taking =
            Taking { sink, rows: Some(&mut cursor.rows), given: false, columns: &columns, count: 0, last: None };
        self.fetch_inner(portal, wanted, None, &mut taking)?;
        cursor.ended = wanted == 0 || taking.count < wanted;
        let fresh = &cursor.rows[have as usize..];
        for row in fresh {
            cursor.account.charge_row(row)?;
        }
        cursor.kept_bytes += fresh.iter().flatten().map(|d| 24 + d.as_bytes().map_or(0, <[u8]>::len)).sum::<usize>();
        Ok(())
    }

    pub(crate) fn fetch_cursor(&mut self, fetch: &Fetch, sink: &mut dyn Sink) -> Result<String> {
        let count = self.fetch_rows(fetch, false, sink)?;
        Ok(format!("{} {count}", if fetch.is_move { "MOVE" } else { "FETCH" }))
    }

    /// FETCH or MOVE; how many rows. `again`: the sink has had others of the same.
    pub(crate) fn fetch_rows(&mut self, fetch: &Fetch, again: bool, sink: &mut dyn Sink) -> Result<u64> {
        self.forget_dead_cursors();
        let name = fetch.name.as_str();
        let Some((name, mut cursor)) = self.named.cursors.remove_entry(name) else { return Err(no_cursor(name)) };
        if cursor.failed {
            let message = format!("portal \"{name}\" cannot be run");
            self.named.cursors.insert(name, cursor);
            return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
        }
        let outcome = match cursor.scroll == Scroll::No && cursor.portal.is_some() {
            true => self.fetch_forward(&mut cursor, fetch, again, sink),
            false => self.fetch_kept(&mut cursor, fetch, again, sink),
        };
        cursor.failed = outcome.is_err();
        if cursor.failed {
            // Nobody can read from it again.
            (cursor.portal, cursor.rows) = (None, Vec::new());
            cursor.account = Account::new(self.runtime.options.session_bytes, &self.meter);
        }
        // It was not asked to keep so much.
        if cursor.scroll == Scroll::Possible && cursor.kept_bytes > KEPT_BYTES_MAX && cursor.portal.is_some() {
            let unread = (cursor.position as usize) < cursor.rows.len();
            if !unread && !cursor.behind {
                cursor.current = cursor.ids_of(cursor.position);
                cursor.scroll = Scroll::No;
                cursor.rows = Vec::new();
                cursor.account = Account::new(self.runtime.options.session_bytes, &self.meter);
            }
        }
        self.named.cursors.insert(name, cursor);
        outcome
    }

    /// FETCH from a cursor that goes forward only.
    fn fetch_forward(&mut self, cursor: &mut Cursor, fetch: &Fetch, again: bool, sink: &mut dyn Sink) -> Result<u64> {
        let at = cursor.position;
        let on_row = at > 0 && !cursor.behind;
        // How many rows to pass by, and how many to take then.
        let (skip, take) = match fetch.direction {
            FetchDirection::Forward(n) if n > 0 => (0, n.unsigned_abs()),
            FetchDirection::Forward(0) | FetchDirection::Backward(0) | FetchDirection::Relative(0) if !on_row => (0, 0),
            FetchDirection::Backward(n) if n < 0 => (0, n.unsigned_abs()),
            FetchDirection::Relative(n) if n > 0 => (n.unsigned_abs() - 1, 1),
            FetchDirection::Absolute(n) if n > 0 && n.unsigned_abs() > at && !cursor.behind => {
                (n.unsigned_abs() - 1 - at, 1)
            }
            FetchDirection::Absolute(0) if at == 0 && !cursor.behind => (0, 0),
            _ => return Err(forward_only()),
        };
        let columns = cursor.columns.clone();
        if !fetch.is_move {
            sink.begin(&columns, again)?;
        }
        if take == 0 || cursor.behind {
            return Ok(0);
        }
        let mut taken = 0;
        for (count, given) in [(skip, false), (take, !fetch.is_move)] {
            if count == 0 || cursor.behind {
                continue;
            }
            let Some(portal) = &mut cursor.portal else { return Ok(0) };
            let all = count == i64::MAX.unsigned_abs();
            let mut taking = Taking { sink, rows: None, given, columns: &columns, count: 0, last: None };
            self.fetch_inner(portal, if all { 0 } else { count }, None, &mut taking)?;
            let (got, last) = (taking.count, taking.last);
            cursor.position += got;
            if got < count {
                (cursor.behind, cursor.position, cursor.current) = (true, cursor.position + 1, None);
            } else if let Some(last) = last {
                cursor.current = Some(ids(&last, columns.len()));
            }
            taken = got;
            if !given && skip == count && cursor.behind {
                return Ok(0);
            }
        }
        Ok(taken)
    }

    /// FETCH from a cursor that keeps its rows.
    fn fetch_kept(&mut self, cursor: &mut Cursor, fetch: &Fetch, again: bool, sink: &mut dyn Sink) -> Result<u64> {
        let at = cursor.position;
        let add = |n: i64| at.saturating_add(n.unsigned_abs());
        // Rows from the first to the last number, perhaps the other way round, and where it stands then.
        let (rows, backward, position): (std::ops::Range<u64>, bool, u64) = match fetch.direction {
            FetchDirection::Forward(n) | FetchDirection::Backward(n) if n == 0 => (at..at + 1, false, at),
            FetchDirection::Relative(0) => (at..at + 1, false, at),
            FetchDirection::Forward(n) if n > 0 => (at + 1..add(n).saturating_add(1), false, add(n)),
            FetchDirection::Backward(n) if n < 0 => (at + 1..add(n).saturating_add(1), false, add(n)),
            FetchDirection::Forward(n) | FetchDirection::Backward(n) => {
                let low = at.saturating_sub(n.unsigned_abs());
                (low.max(1)..at, true, low)
            }
            FetchDirection::Relative(n) if n > 0 => (add(n)..add(n).saturating_add(1), false, add(n)),
            FetchDirection::Relative(n) => {
                let place = at.saturating_sub(n.unsigned_abs());
                (place..place + 1, true, place)
            }
            FetchDirection::Absolute(n) if n >= 0 => {
                (n.unsigned_abs()..n.unsigned_abs().saturating_add(1), false, n.unsigned_abs())
            }
            FetchDirection::Absolute(n) => {
                self.read_to(cursor, u64::MAX, sink)?;
                let place = (cursor.rows.len() as u64 + 1).saturating_sub(n.unsigned_abs());
                (place..place + 1, true, place)
            }
        };
        if cursor.scroll == Scroll::No && (backward || position < at || (position == at && at > 0)) {
            return Err(forward_only());
        }
        let all = position >= i64::MAX.unsigned_abs();
        self.read_to(cursor, if all { u64::MAX } else { position }, sink)?;
        let total = cursor.rows.len() as u64;
        let end = if cursor.ended { total + 1 } else { u64::MAX };
        cursor.position = position.min(end);
        cursor.behind = cursor.ended && cursor.position > total;
        let range = rows.start.max(1)..rows.end.min(total + 1);
        let count = range.end.saturating_sub(range.start);
        if fetch.is_move {
            return Ok(count);
        }
        let columns = cursor.columns.clone();
        sink.begin(&columns, again)?;
        let forms: Vec<Physical> = columns.iter().map(|c| Physical::of(c.ty)).collect();
        let mut order: Vec<u64> = range.collect();
        if backward {
            order.reverse();
        }
        let image = self.image()?;
        let names = binder::Names { image: &image, search_path: &self.search_path };
        for part in order.chunks(vector::CHUNK_ROWS) {
            let mut chunk = Chunk::new(&forms);
            part.iter().for_each(|&n| chunk.push_row(&cursor.rows[n as usize - 1][..columns.len()]));
            sink.chunk(&chunk, &names)?;
        }
        Ok(count)
    }

    pub(crate) fn close_cursor(&mut self, name: Option<&str>) -> Result<String> {
        self.forget_dead_cursors();
        match name {
            None => {
                self.named.cursors.clear();
                Ok("CLOSE CURSOR ALL".to_owned())
            }
            Some(name) => match self.named.cursors.remove(name) {
                Some(_) => Ok("CLOSE CURSOR".to_owned()),
                None => Err(no_cursor(name)),
            },
        }
    }
}

/// The row ids behind the first `seen` columns of a row.
fn ids(row: &[Datum], seen: usize) -> Vec<i64> {
    let id = |d: &Datum| if let Datum::I64(id) = d { *id } else { 0 };
    row[seen..].iter().map(id).collect()
}

impl Cursor {
    /// Its row of `pg_cursors`.
    pub(crate) fn shown(&self, name: &str) -> Vec<Datum> {
        let hold = self.life != Life::Transaction;
        vec![
            Datum::text(name),
            Datum::text(&self.declared.0),
            Datum::Bool(hold),
            Datum::Bool(false),
            Datum::Bool(self.scroll != Scroll::No),
            Datum::I64(self.declared.1),
        ]
    }

    fn ids_of(&self, position: u64) -> Option<Vec<i64>> {
        let row = self.rows.get(usize::try_from(position.checked_sub(1)?).ok()?)?;
        Some(ids(row, self.columns.len()))
    }

    /// The id of the row of `table` that it stands on.
    fn row_of(&self, name: &str, table: Oid, shown: &str) -> Result<i64> {
        let wrong = |message: String| SqlError::new(SqlState::INVALID_CURSOR_STATE, message);
        if self.life == Life::Session {
            return Err(wrong(format!("cursor \"{name}\" is held from a previous transaction")));
        }
        let mut places = self.tables.iter().enumerate().filter(|t| *t.1 == table).map(|t| t.0);
        let (Some(place), None) = (places.next(), places.next()) else {
            return Err(wrong(format!("cursor \"{name}\" is not a simply updatable scan of table \"{shown}\"")));
        };
        let current = if self.scroll == Scroll::No { self.current.clone() } else { self.ids_of(self.position) };
        match current {
            Some(ids) if !self.behind => Ok(ids[place]),
            _ => Err(wrong(format!("cursor \"{name}\" is not positioned on a row"))),
        }
    }
}

/// The id of the row of `table`, called `shown`, that cursor `name` stands on.
pub(crate) fn current_row(cursors: &Cursors, name: &str, table: Oid, shown: &str) -> Result<i64> {
    cursors.get(name).ok_or_else(|| no_cursor(name))?.row_of(name, table, shown)
}

/// Rows that are kept are not told of.
struct Nothing;

impl Sink for Nothing {
    fn columns(&mut self, _: &[OutputColumn]) -> Result<()> {
        Ok(())
    }
    fn chunk(&mut self, _: &Chunk, _: &dyn types::io::TypeLookup) -> Result<()> {
        Ok(())
    }
    fn complete(&mut self, _: &str) {}
}
