//! Statements known by their text: by all of it, or by what is left of it without its literals, planned once and run with those as parameters.
//!
//! A text that comes a second time with other literals is bound and planned twice, as it is and with parameters; where both mean the same
//! and have the same plan, it is kept. What differs in meaning (`ORDER BY 1`, a type's modifier) never gets that far. Where statistics
//! could make another plan better for other values, each use asks them. A query that is known in no such way is known once it comes
//! again as it was. What one session found out the others find (`statement_cache`).
//!
//! The one that was run last is at hand: the same text again is compared and run, and nothing is read of it.

use std::sync::Arc;
use std::time::Instant;

use binder::Names;
use hashlink::LruCache;
use optimizer::Way;
use plan::{Bits, Expr, ExprKind, IndexRange, Node, TableRef};
use smallvec::SmallVec;
use syntax::{LiteralKind, Template};
use types::{Datum, Oid, Result, oid};

use crate::basis::Basis;
use crate::planning;
use crate::prepared::Prepared;
use crate::session::{BlockState, Meaning, Session, is_planned};
use crate::statement_cache::{Kind, Known, SharedStatement, is_timeless};
use crate::view::View;

/// So many texts of a kind are remembered.
const TEXTS_MAX: usize = 128;

/// A longer text is not kept to be compared with the next.
const SAME_BYTES_MAX: usize = 256;

/// Types whose literals mean the same at all times, whatever rows and names there are.
const LASTING: [Oid; 12] = [
    oid::BOOL,
    oid::INT2,
    oid::INT4,
    oid::INT8,
    oid::FLOAT4,
    oid::FLOAT8,
    oid::NUMERIC,
    oid::TEXT,
    oid::VARCHAR,
    oid::BPCHAR,
    oid::BYTEA,
    oid::UUID,
];

/// What a session knows of a text.
enum Entry {
    /// It came once.
    Seen,
    /// It is planned each time.
    Unfit,
    /// Its plan; none while it is run.
    Ready(Option<Box<Prepared>>, Arc<SharedStatement>),
}

/// For which values a plan is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    All,
    /// Where reading the range of its index is less work than reading the table.
    Selective,
}

/// The texts of a session, as of one state of the catalog and the settings.
pub(crate) struct KnownStatements {
    basis: Option<Basis>,
    templates: LruCache<String, Entry>,
    /// Queries by all of their text.
    texts: LruCache<String, Entry>,
    /// The one of `templates` that was run last, with its plan.
    last: Option<Box<KnownStatement>>,
}

impl Default for KnownStatements {
    fn default() -> KnownStatements {
        KnownStatements {
            basis: None,
            templates: LruCache::new(TEXTS_MAX),
            texts: LruCache::new(TEXTS_MAX),
            last: None,
        }
    }
}

impl KnownStatements {
    /// Bytes that it may hold, as many as its texts and a plan's operators usually take.
    pub(crate) fn bytes(&self) -> usize {
        const USUAL: usize = 1024;
        (self.templates.len() + self.texts.len()) * USUAL
    }

    fn of(&mut self, kind: Kind) -> &mut LruCache<String, Entry> {
        if kind == Kind::Template { &mut self.templates } else { &mut self.texts }
    }

    /// Gives a plan back to where texts are looked up.
    fn put_back(&mut self, statement: KnownStatement) {
        if let Some(Entry::Ready(kept, _)) = self.of(statement.kind).get_mut(&statement.text) {
            *kept = Some(statement.prepared);
        }
    }
}

/// A statement whose plan is there: what to run, and the values of its parameters.
pub struct KnownStatement {
    /// As it was asked, if asked so again it has the same values; else empty.
    sql: String,
    text: String,
    kind: Kind,
    /// The statement with parameters.
    pub prepared: Box<Prepared>,
    /// Their values.
    pub values: SmallVec<[Datum; 8]>,
    fit: Fit,
}

impl KnownStatement {
    /// Whether `sql` is what was run, values and all.
    #[inline]
    fn is_again(&self, sql: &str) -> bool {
        self.sql == sql && !sql.is_empty()
    }

    /// From now on it is `sql`, with these values.
    fn become_one_of(&mut self, sql: &str, values: SmallVec<[Datum; 8]>) {
        self.values = values;
        self.sql.clear();
        let lasts = self.prepared.params.iter().all(|ty| LASTING.contains(ty));
        if lasts && self.fit == Fit::All && sql.len() <= SAME_BYTES_MAX {
            self.sql.push_str(sql);
        }
    }
}

impl Session {
    /// The kept plan of `sql`, if there is one; to be given back with [`Session::keep`] once it has run.
    pub fn known(&mut self, sql: &str) -> Option<Box<KnownStatement>> {
        self.report_begin(sql);
        self.known_statement(sql)
    }

    /// As [`Session::known`], of one statement of the text that is run.
    pub(crate) fn known_statement(&mut self, sql: &str) -> Option<Box<KnownStatement>> {
        if self.block_state() == BlockState::Failed {
            return None;
        }
        let basis = self.basis();
        if self.known.basis != Some(basis) {
            self.known = KnownStatements { basis: Some(basis), ..KnownStatements::default() };
        }
        if let Some(last) = self.known.last.take_if(|last| last.is_again(sql)) {
            return Some(last);
        }
        self.known_read(sql, basis)
    }

    /// The plan of a text that is not the last one.
    fn known_read(&mut self, sql: &str, basis: Basis) -> Option<Box<KnownStatement>> {
        if let Some(template) = syntax::template(sql) {
            let known = match self.known.last.take_if(|last| last.text == template.text) {
                Some(last) => self.known_with(last, sql, &template),
                None => self.known_template(sql, template, basis),
            };
            if known.is_some() {
                return known;
            }
        }
        self.known_text(sql, basis).map(Box::new)
    }

    fn known_template(&mut self, sql: &str, template: Template, basis: Basis) -> Option<Box<KnownStatement>> {
        match self.known.templates.get(&template.text) {
            Some(Entry::Unfit) => return None,
            Some(Entry::Ready(..)) => {}
            other => {
                let came = other.is_some();
                // What is wrong with it, the usual way will tell.
                let found = self.in_some_transaction(|s| s.shared_template(sql, &template, came)).ok().flatten();
                if self.basis() != basis {
                    return None;
                }
                let entry = match found {
                    None => Entry::Seen,
                    Some(Known::Unfit) => Entry::Unfit,
                    Some(Known::Ready(shared)) => {
                        let prepared = Prepared { is_template: true, ..Prepared::of(&shared, basis) };
                        Entry::Ready(Some(Box::new(prepared)), shared)
                    }
                };
                self.known.templates.insert(template.text.clone(), entry);
            }
        }
        let Some(Entry::Ready(kept, shared)) = self.known.templates.get_mut(&template.text) else { return None };
        let (fit, Some(prepared)) = (shared.fit, kept.take()) else { return None };
        let text = template.text.clone();
        let (sql_before, values) = (String::new(), SmallVec::new());
        let statement = KnownStatement { sql: sql_before, text, kind: Kind::Template, prepared, values, fit };
        self.known_with(Box::new(statement), sql, &template)
    }

    /// `statement` with the values of `sql`, whose template it has; kept, where it is not right for them.
    fn known_with(
        &mut self,
        mut statement: Box<KnownStatement>,
        sql: &str,
        template: &Template,
    ) -> Option<Box<KnownStatement>> {
        let values = self.literal_values(template, &statement.prepared.params).ok();
        match values {
            Some(values) if statement.fit == Fit::All || self.is_selective(&statement.prepared, &values) => {
                statement.become_one_of(sql, values);
                Some(statement)
            }
            _ => {
                self.keep(statement);
                None
            }
        }
    }

    /// What is known of a template, as this session or another found out; none where it comes for the first time (`came` says that it does not).
    fn shared_template(&mut self, sql: &str, template: &Template, came: bool) -> Result<Option<Known>> {
        let key = self.shared_key(Kind::Template, &template.text, 0, &[])?;
        if let Some((key, version)) = &key {
            if let Some(known) = self.shared_known(key, *version)? {
                return Ok(Some(known));
            }
            // Seen by whichever session.
            if !self.is_seen(key, *version) && !came {
                return Ok(None);
            }
        } else if !came {
            return Ok(None);
        }
        let made = self.parameterized(sql, template).ok().flatten();
        let known = made.map_or(Known::Unfit, |made| Known::Ready(Arc::new(made)));
        if let Some((key, version)) = key {
            self.share(key, version, known.clone());
        }
        Ok(Some(known))
    }

    /// The kept plan of a query by all of its text.
    fn known_text(&mut self, sql: &str, basis: Basis) -> Option<KnownStatement> {
        if self.catalog_dirty() || !syntax::starts_query(sql) || !is_timeless(sql) {
            return None;
        }
        let entry = self.known.texts.get(sql);
        let kept = match entry {
            Some(Entry::Unfit) => return None,
            Some(Entry::Ready(_, shared)) => shared.is_timely(&self.db),
            _ => false,
        };
        if !kept {
            let found = self.in_some_transaction(|s| s.shared_text(sql)).ok().flatten();
            if self.basis() != basis {
                return None;
            }
            match found {
                None => return None,
                Some(Known::Unfit) => {
                    self.known.texts.insert(sql.to_owned(), Entry::Unfit);
                    return None;
                }
                Some(Known::Ready(shared)) => {
                    let prepared = Some(Box::new(Prepared::of(&shared, basis)));
                    self.known.texts.insert(sql.to_owned(), Entry::Ready(prepared, shared));
                }
            }
        }
        let Some(Entry::Ready(kept, _)) = self.known.texts.get_mut(sql) else { return None };
        let prepared = kept.take()?;
        let (text, values) = (sql.to_owned(), SmallVec::new());
        Some(KnownStatement { sql: String::new(), text, kind: Kind::Text, prepared, values, fit: Fit::All })
    }

    /// What is known of a query by all of its text; none where it comes for the first time.
    fn shared_text(&mut self, sql: &str) -> Result<Option<Known>> {
        let Some((key, version)) = self.shared_key(Kind::Text, sql, 0, &[])? else { return Ok(None) };
        if let Some(known) = self.shared_known(&key, version)? {
            return Ok(Some(known));
        }
        if !self.is_seen(&key, version) {
            return Ok(None);
        }
        let statements = syntax::parse(sql)?;
        let known = match <[_; 1]>::try_from(statements) {
            Ok([statement]) if is_planned(&statement.kind) => {
                let since = Instant::now();
                let Meaning { bound, params, uses } = self.meaning(sql, &statement.kind, Vec::new())?;
                let node = Arc::new(self.optimized(bound.node)?);
                let prepared = Prepared {
                    columns: self.as_based(Arc::new(bound.columns))?,
                    uses: Arc::new(uses),
                    ..Prepared::unplanned(sql, statement, Some(0), params)
                };
                match prepared.params.is_empty() {
                    true => Known::Ready(Arc::new(SharedStatement::of(&prepared, node, Fit::All, &self.db, since))),
                    false => Known::Unfit,
                }
            }
            _ => Known::Unfit,
        };
        self.share(key, version, known.clone());
        Ok(Some(known))
    }

    /// Whether the index that a plan reads is the right one for `values`.
    fn is_selective(&self, prepared: &Prepared, values: &[Datum]) -> bool {
        let (Some((_, node)), Some(view)) = (&prepared.plan, &self.view) else { return false };
        let Some(Access::Index(table, range, way)) = access(node) else { return false };
        let mut range = range.clone();
        range.exprs_mut().for_each(|e| put(e, values));
        range.equals.iter_mut().chain(&mut range.bounds).for_each(|e| put(e, values));
        optimizer::access::is_worth(
            table,
            &range,
            way,
            &planning::Known { image: view.catalog(), db: &self.db, settings: Some(&self.settings) },
        )
    }

    /// Takes back what [`Session::known`] gave.
    pub fn keep(&mut self, statement: Box<KnownStatement>) {
        // What it was made from has changed meanwhile.
        if self.known.basis.is_none_or(|basis| !statement.prepared.is_current(basis)) {
            return;
        }
        if statement.kind == Kind::Text {
            return self.known.put_back(*statement);
        }
        if let Some(before) = self.known.last.replace(statement) {
            self.known.put_back(*before);
        }
    }

    /// The literals as values of `types`.
    fn literal_values(&mut self, template: &Template, types: &[Oid]) -> Result<SmallVec<[Datum; 8]>> {
        // `now` may be among them, or within them.
        if !types.iter().all(|ty| LASTING.contains(ty)) {
            self.note_time();
        }
        let Some(image) = self.view.as_ref().map(View::catalog) else {
            return Err(types::SqlError::internal("no catalog yet"));
        };
        let names = Names { image, search_path: &self.search_path };
        let mut values = SmallVec::new();
        for ((_, text), &ty) in template.literals.iter().zip(types) {
            values.push(types::io::text_in_with(ty, -1, text, &self.settings.io, &names)?);
        }
        Ok(values)
    }

    /// `sql`, whose template is given, with parameters for its literals, if that is the same statement and has one best plan.
    fn parameterized(&mut self, sql: &str, template: &Template) -> Result<Option<SharedStatement>> {
        let types: Vec<Oid> =
            template.literals.iter().map(|l| if l.0 == LiteralKind::Int { oid::INT4 } else { oid::UNKNOWN }).collect();
        let as_written = syntax::parse(sql)?;
        let [statement] = &as_written[..] else { return Ok(None) };
        if !is_planned(&statement.kind) {
            return Ok(None);
        }
        let mut with_parameters = syntax::parse(&template.text)?;
        let (Some(other), true) = (with_parameters.pop(), with_parameters.is_empty()) else { return Ok(None) };
        let since = Instant::now();
        let (mut wanted, _) = self.bind(sql, &statement.kind, Vec::new())?;
        let Meaning { mut bound, params, uses } = self.meaning(&template.text, &other.kind, types)?;
        // A domain's rules are checked by casts, which there are none of from a parameter of that type.
        let untyped = params.iter().any(|&ty| ty == oid::UNKNOWN || ty.is_user_type());
        if params.len() != template.literals.len() || untyped {
            return Ok(None);
        }
        let values = self.literal_values(template, &params)?;
        let shape = |columns: &[plan::OutputColumn]| -> Vec<(String, Oid, i32)> {
            columns.iter().map(|c| (c.name.clone(), c.ty, c.typmod)).collect()
        };
        if shape(&wanted.columns) != shape(&bound.columns) {
            return Ok(None);
        }
        let plan = self.optimized(bound.node.clone())?;
        let mut planned = self.optimized(wanted.node.clone())?;
        let simple = settle(&mut wanted.node, &[]) && settle(&mut bound.node, &values);
        if !simple || wanted.node != bound.node {
            return Ok(None);
        }
        let mut with_values = plan.clone();
        if !settle(&mut planned, &[]) || !settle(&mut with_values, &values) || planned != with_values {
            return Ok(None);
        }
        let Some(fit) = self.fit(&plan)? else { return Ok(None) };
        let prepared = Prepared {
            columns: Arc::new(bound.columns),
            uses: Arc::new(uses),
            ..Prepared::unplanned(&template.text, other, Some(0), params)
        };
        Ok(Some(SharedStatement::of(&prepared, Arc::new(plan), fit, &self.db, since)))
    }

    /// For which values of its parameters a plan is the best; none when that is not so easily said.
    fn fit(&mut self, node: &Node) -> Result<Option<Fit>> {
        let image = self.image()?;
        let statistics = planning::Known { image: &image, db: &self.db, settings: Some(&self.settings) };
        // With other values a partial index may list all that is wanted.
        let partial = |table: &TableRef| table.indexes.iter().any(|i| i.predicate.is_some());
        Ok(match access(node) {
            None => None,
            Some(Access::Values) => Some(Fit::All),
            Some(Access::Table(table)) => (!partial(table)).then_some(Fit::All),
            Some(Access::Index(table, range, _)) => {
                match optimizer::access::depends_on_values(table, range, &statistics) {
                    _ if partial(table) => None,
                    true => Some(Fit::Selective),
                    false => Some(Fit::All),
                }
            }
        })
    }
}

/// Where a simple statement's rows come from.
enum Access<'n> {
    /// One row of values.
    Values,
    /// All rows of a table.
    Table(&'n TableRef),
    /// A range of an index, in some way.
    Index(&'n TableRef, &'n IndexRange, Way),
}

/// Where the rows of a statement come from that reads no more than one place.
fn access(mut node: &Node) -> Option<Access<'_>> {
    loop {
        node = match node {
            Node::Insert { input, .. }
            | Node::Update { input, .. }
            | Node::Delete { input, .. }
            | Node::Project { input, .. }
            | Node::Filter { input, .. }
            | Node::Aggregate { input, .. }
            | Node::Sort { input, .. }
            | Node::Limit { input, .. }
            | Node::LockRows { input, .. } => input,
            Node::Values { rows, .. } if rows.len() == 1 => return Some(Access::Values),
            Node::Scan { table, .. } => return Some(Access::Table(table)),
            Node::IndexScan { table, range, only, .. } => {
                let way = if only.is_some() { Way::IndexOnlyScan } else { Way::IndexScan };
                return Some(Access::Index(table, range, way));
            }
            Node::BitmapScan { table, bits: Bits::Range(range), .. } => {
                return Some(Access::Index(table, range, Way::BitmapScan));
            }
            _ => return None,
        }
    }
}

/// Puts `values` where parameters are, and makes alike what means the same; false when there are queries inside of expressions.
fn settle(node: &mut Node, values: &[Datum]) -> bool {
    let mut simple = true;
    for e in node.exprs_mut() {
        e.visit(&mut |e| simple &= !matches!(e.kind, ExprKind::Subquery(_)));
        put(e, values);
    }
    if let Node::IndexScan { range, .. } | Node::BitmapScan { bits: Bits::Range(range), .. } = node {
        // What follows from the range.
        range.implied.clear();
        range.equals.clear();
        range.bounds.clear();
    }
    simple && node.inputs_mut().into_iter().all(|input| settle(input, values))
}

/// Puts `values` where parameters are in an expression, and takes its positions away.
fn put(e: &mut Expr, values: &[Datum]) {
    e.visit_mut(&mut |e: &mut Expr| {
        e.position = 0;
        if let ExprKind::Param(i) = e.kind
            && let Some(value) = values.get(i)
        {
            e.kind = ExprKind::Const(value.clone());
        }
    });
    optimizer::fold(e);
}
