//! What INSERT, UPDATE, DELETE and MERGE write to: a table, or a view whose rows are rows of one table.
//!
//! Expressions over a view are bound over the view's columns, then rewritten (`Row::lower`) to be over the table's: so RETURNING shows what
//! the view makes of the new row.

use std::sync::Arc;

use catalog::TableInfo;
use plan::{CheckAs, Expr, ExprKind, Needed, Node, TableRef, TableSource};
use syntax::ast::{self, Distinct, SelectBody, StatementKind};
use types::{IoSettings, Oid, Result, SqlError, SqlState};

use crate::expr::Place;
use crate::from::table_scope;
use crate::scope::{Scope, ScopeColumn};
use crate::{Binder, Relation};

/// What is done to a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verb {
    Insert,
    Update,
    Delete,
}

impl Verb {
    /// The privilege that it asks for.
    pub(crate) fn letter(self) -> char {
        match self {
            Verb::Insert => 'a',
            Verb::Update => 'w',
            Verb::Delete => 'd',
        }
    }
}

/// A column of a view.
#[derive(Clone, Debug)]
struct ViewColumn {
    name: String,
    /// What it is, over the table's row.
    expr: Expr,
    /// The table's column that it is.
    place: Option<usize>,
    /// Why it cannot be written to.
    fixed: Option<&'static str>,
}

/// A view that can be written to.
#[derive(Clone, Debug)]
struct View {
    oid: Oid,
    name: String,
    schema: String,
    columns: Vec<ViewColumn>,
}

/// What a statement writes to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The table whose rows change.
    pub table: TableRef,
    /// The view that was named.
    view: Option<View>,
    /// What the view asks of the table's rows.
    quals: Vec<Expr>,
    /// Columns of the table that are computed when they are read.
    virtuals: Vec<(usize, Expr)>,
    /// Defaults that views give to the table's columns, inner ones first.
    defaults: Vec<(usize, Arc<str>)>,
    /// What new rows must satisfy: the view that says so, and its condition.
    pub checks: Vec<(String, Expr)>,
}

/// A part of a row as names see it.
pub(crate) enum Part<'t> {
    /// So many columns, from this place of the row that is there.
    Plain(usize, usize),
    /// The columns of a target, whose table's columns start at this place.
    Target(&'t Target, usize),
}

/// Where the columns of a scope are in the row that expressions are evaluated over.
pub(crate) struct Row<'t>(pub Vec<Part<'t>>);

impl Row<'_> {
    /// Rewrites `e`, over the columns of a scope, to be over the row.
    pub(crate) fn lower(&self, e: &mut Expr) {
        if let ExprKind::Column(i) = e.kind {
            let mut at = i;
            for part in &self.0 {
                let width = match part {
                    Part::Plain(width, _) => *width,
                    Part::Target(target, _) => target.scope_width(),
                };
                if at >= width {
                    at -= width;
                    continue;
                }
                match part {
                    Part::Plain(_, place) => e.kind = ExprKind::Column(place + at),
                    Part::Target(target, place) => {
                        let position = e.position;
                        *e = target.expr(at);
                        e.map_columns(&|c| c + place);
                        e.position = position;
                    }
                }
                return;
            }
            return;
        }
        e.children_mut().into_iter().for_each(|c| self.lower(c));
    }
}

impl Target {
    /// A table itself.
    fn of(table: TableRef, virtuals: Vec<(usize, Expr)>) -> Target {
        Target { table, view: None, quals: Vec::new(), virtuals, defaults: Vec::new(), checks: Vec::new() }
    }

    /// Columns of its scope.
    pub(crate) fn scope_width(&self) -> usize {
        self.view.as_ref().map_or(self.table.columns.len() + 1, |v| v.columns.len())
    }

    /// Columns of its table, and the row's id.
    pub(crate) fn width(&self) -> usize {
        self.table.columns.len() + 1
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.view.as_ref().map_or(&self.table.name, |v| &v.name)
    }

    /// The relation that was named.
    pub(crate) fn oid(&self) -> Oid {
        self.view.as_ref().map_or(self.table.oid, |v| v.oid)
    }

    /// Column `i` of its scope, over the table's row.
    fn expr(&self, i: usize) -> Expr {
        match &self.view {
            Some(view) => view.columns[i].expr.clone(),
            None if self.virtuals.iter().any(|v| v.0 == i) => {
                let found = self.virtuals.iter().find(|v| v.0 == i);
                found.map_or_else(|| Expr::null(self.table.columns[i].ty), |v| v.1.clone())
            }
            None => match self.table.columns.get(i) {
                Some(c) => Expr::column(i, c.ty, c.typmod),
                None => Expr::column(i, types::oid::TID, -1),
            },
        }
    }

    /// What names mean in it.
    pub(crate) fn scope(&self, alias: &str, own: bool) -> Scope {
        let Some(view) = &self.view else { return table_scope(&self.table, alias, own, &[]) };
        let column = |(i, c): (usize, &ViewColumn)| ScopeColumn {
            table: alias.to_owned(),
            schema: own.then(|| view.schema.clone()),
            name: c.name.clone(),
            ty: c.expr.ty,
            typmod: c.expr.typmod,
            hidden: false,
            origin: Some((view.oid, i as i16 + 1)),
        };
        Scope { columns: view.columns.iter().enumerate().map(column).collect(), ..Scope::default() }
    }

    /// The table's rows that it shows.
    pub(crate) fn rows(&self) -> Node {
        let table = Arc::new(self.table.clone());
        let scan = Node::Scan { table, filter: None, needed: Needed::default() };
        match Expr::all(self.quals.clone()) {
            Some(predicate) => Node::Filter { input: Box::new(scan), predicate },
            None => scan,
        }
    }

    /// What a row of the table must satisfy to be one of its rows.
    pub(crate) fn quals(&self) -> &[Expr] {
        &self.quals
    }

    /// How many columns can be named, and the table's column that each is written to.
    pub(crate) fn listed(&self) -> Vec<usize> {
        match &self.view {
            Some(view) => (0..view.columns.len()).collect(),
            None => (0..self.table.columns.len()).filter(|&i| !self.table.columns[i].dropped).collect(),
        }
    }

    /// Whether it was named as a view.
    pub(crate) fn is_view(&self) -> bool {
        self.view.is_some()
    }

    /// Whether none of its columns can be written to.
    fn is_fixed(&self) -> bool {
        self.view.as_ref().is_some_and(|v| v.columns.iter().all(|c| c.fixed.is_some()))
    }

    /// The default that a view gives to column `i` of the table, as SQL.
    pub(crate) fn view_default(&self, i: usize) -> Option<&Arc<str>> {
        self.defaults.iter().rev().find(|d| d.0 == i).map(|d| &d.1)
    }

    /// Its column called `name`.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        match &self.view {
            Some(view) => view.columns.iter().position(|c| c.name == name),
            None => self.table.columns.iter().position(|c| c.name == name),
        }
    }

    /// The table's column that column `i` is.
    ///
    /// # Errors
    /// `0A000` when it is none.
    pub(crate) fn written(&self, i: usize, verb: Verb) -> Result<usize> {
        let Some(view) = &self.view else { return Ok(i) };
        let column = &view.columns[i];
        match (column.place, column.fixed) {
            (Some(place), None) => Ok(place),
            (_, reason) => {
                let what = if verb == Verb::Insert { "insert into" } else { "update" };
                let message = format!("cannot {what} column \"{}\" of view \"{}\"", column.name, view.name);
                Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message).detail(reason.unwrap_or(NOT_A_COLUMN)))
            }
        }
    }
}

const NOT_A_COLUMN: &str = "View columns that are not columns of their base relation are not updatable.";
const NO_COLUMNS: &str = "Views that have no updatable columns are not automatically updatable.";
const SYSTEM_COLUMN: &str = "View columns that refer to system columns are not updatable.";

/// Why rows of `select` are not rows of one table; `None` when they are.
fn reason(select: &ast::Select) -> Option<&'static str> {
    let core = match &select.body {
        SelectBody::Query(core) => core,
        SelectBody::SetOperation(_) => {
            return Some("Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.");
        }
        SelectBody::Values(_) => {
            return Some("Views that do not select from a single table or view are not automatically updatable.");
        }
    };
    Some(match () {
        () if !matches!(core.distinct, Distinct::All) => "Views containing DISTINCT are not automatically updatable.",
        () if !core.group_by.is_empty() => "Views containing GROUP BY are not automatically updatable.",
        () if core.having.is_some() => "Views containing HAVING are not automatically updatable.",
        () if select.with.is_some() => "Views containing WITH are not automatically updatable.",
        () if select.limit.is_some() => "Views containing LIMIT or OFFSET are not automatically updatable.",
        () => return None,
    })
}

fn not_updatable(name: &str, verb: Verb, merge: bool, detail: &str) -> SqlError {
    let (what, doing, word) = match verb {
        Verb::Insert => ("insert into", "inserting into", "INSERT"),
        Verb::Update => ("update", "updating", "UPDATE"),
        Verb::Delete => ("delete from", "deleting from", "DELETE"),
    };
    let hint = match merge {
        true => format!("To enable {doing} the view using MERGE, provide an INSTEAD OF {word} trigger."),
        false => format!(
            "To enable {doing} the view, provide an INSTEAD OF {word} trigger or an unconditional ON {word} DO INSTEAD rule."
        ),
    };
    SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, format!("cannot {what} view \"{name}\""))
        .detail(detail)
        .hint(hint)
}

impl Binder<'_> {
    /// What `name` is to a statement that does `verbs` to its rows.
    pub(crate) fn target(&mut self, name: &ast::RangeVar, verbs: &[Verb], merge: bool) -> Result<Target> {
        let target = match self.relation(name)? {
            Relation::Stored(info) => {
                let verb = verbs.first().copied().unwrap_or(Verb::Update);
                let target =
                    self.updatable(&info, false)?.map_err(|(n, detail)| not_updatable(&n, verb, merge, detail))?;
                // Rows can be deleted whatever their columns are.
                if verb != Verb::Delete && target.is_fixed() {
                    return Err(not_updatable(&info.name, verb, merge, NO_COLUMNS));
                }
                self.written_views.extend(verbs.iter().map(|v| (info.oid, v.letter())));
                target
            }
            Relation::View { name, .. } => {
                let verb = verbs.first().copied().unwrap_or(Verb::Update);
                let detail = "Views that do not select from a single table or view are not automatically updatable.";
                return Err(not_updatable(name, verb, merge, detail));
            }
            Relation::Table(table) => {
                let virtuals = self.virtuals(&table)?;
                Target::of(table, virtuals)
            }
        };
        let table = &target.table;
        if table.source != TableSource::Stored {
            let message = format!("permission denied: \"{}\" is a system catalog", table.name);
            return Err(self.error(SqlState::INSUFFICIENT_PRIVILEGE, message, name.pos));
        }
        if self.image.by_oid(table.oid).is_some_and(|t| t.kind == b'S') {
            let word = if verbs == [Verb::Delete] { "delete from" } else { "change" };
            let message = format!("cannot {word} sequence \"{}\"", table.name);
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, name.pos));
        }
        if self.image.by_oid(table.oid).is_some_and(|t| t.kind == b'm') {
            let message = format!("cannot change materialized view \"{}\"", table.name);
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        Ok(target)
    }

    /// Why rows of a view's query cannot be changed through it; nothing when they can.
    ///
    /// # Errors
    /// What binding says.
    pub fn view_is_fixed(&mut self, info: &Arc<TableInfo>) -> Result<Option<&'static str>> {
        Ok(match self.updatable(info, false)? {
            Ok(target) => target.is_fixed().then_some(NO_COLUMNS),
            Err((_, why)) => Some(why),
        })
    }

    /// The table that a view's rows are of; or which view, it or one below, is in the way, and why. With `checked`, its rows are checked
    /// on behalf of a view above.
    fn updatable(
        &mut self,
        info: &Arc<TableInfo>,
        checked: bool,
    ) -> Result<std::result::Result<Target, (String, &'static str)>> {
        let Some(sql) = info.view.clone() else { return Err(SqlError::internal("a view has a query")) };
        let settings = IoSettings::default();
        let mut binder = Binder::new(self.image, &sql, &settings, &[]);
        (binder.slots, binder.subs, binder.next_cte) = (self.slots, self.subs, self.next_cte);
        (binder.depth, binder.view_depth) = (self.depth + 64, self.view_depth + 1);
        if binder.view_depth > 32 {
            return Err(SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        let statements = syntax::parse(&sql)?;
        let Some(StatementKind::Select(select)) = statements.first().map(|s| &s.kind) else {
            return Err(SqlError::internal("a view is a query"));
        };
        let outcome = binder.updatable_query(info, select, checked).map_err(|e| e.unplaced());
        (self.slots, self.subs, self.next_cte) = (binder.slots, binder.subs, binder.next_cte);
        outcome
    }

    fn updatable_query(
        &mut self,
        info: &Arc<TableInfo>,
        select: &ast::Select,
        checked: bool,
    ) -> Result<std::result::Result<Target, (String, &'static str)>> {
        let fixed = |why| Ok(Err((info.name.clone(), why)));
        if let Some(why) = reason(select) {
            return fixed(why);
        }
        let SelectBody::Query(core) = &select.body else { return fixed(NOT_A_COLUMN) };
        let single = "Views that do not select from a single table or view are not automatically updatable.";
        let option = info.options.iter().find_map(|o| o.strip_prefix("check_option="));
        let cascaded = checked || option == Some("cascaded");
        let checks_own = cascaded || option == Some("local");
        let [ast::TableRef::Relation(r)] = &core.from[..] else {
            return match self.aggregate_reason(core)? {
                Some(why) => fixed(why),
                None => fixed(single),
            };
        };
        if r.sample.is_some() {
            return fixed("Views containing TABLESAMPLE are not automatically updatable.");
        }
        let mut base = match self.relation(&r.relation)? {
            Relation::Table(table) => {
                let ordinary = self.image.by_oid(table.oid).is_some_and(|t| t.kind == b'r');
                if !ordinary && table.source == TableSource::Stored {
                    return fixed(single);
                }
                let virtuals = self.virtuals(&table)?;
                Target::of(table, virtuals)
            }
            Relation::Stored(inner) => match self.updatable(&inner, cascaded)? {
                Ok(target) => target,
                Err(blocked) => return Ok(Err(blocked)),
            },
            Relation::View { .. } => return fixed(single),
        };
        let invoker = info.options.iter().any(|o| o == "security_invoker=true");
        if !invoker && base.table.check_as == CheckAs::Session {
            base.table.check_as = CheckAs::Role(info.owner);
        }
        let alias = r.alias.as_ref().map_or(base.name().to_owned(), |a| a.name.as_str().to_owned());
        let mut scope = base.scope(&alias, r.alias.is_none());
        for (c, name) in scope.columns.iter_mut().zip(r.alias.iter().flat_map(|a| &a.columns)) {
            name.as_str().clone_into(&mut c.name);
        }
        let mut place = Place::new(&scope, "SELECT");
        (place.aggregates, place.windows, place.sets) = (Some(Vec::new()), Some(Vec::new()), true);
        let (mut exprs, mut outputs) = (Vec::new(), Vec::new());
        for target in &core.targets {
            self.target_item(target, &mut place, &mut exprs, &mut outputs)?;
        }
        if place.aggregates.is_some_and(|a| !a.is_empty()) {
            return fixed("Views that return aggregate functions are not automatically updatable.");
        }
        if place.windows.is_some_and(|w| !w.is_empty()) {
            return fixed("Views that return window functions are not automatically updatable.");
        }
        if exprs.iter().any(crate::call::has_set) {
            return fixed("Views that return set-returning functions are not automatically updatable.");
        }
        let row = Row(vec![Part::Target(&base, 0)]);
        let (mut columns, mut defaults) = (Vec::new(), Vec::new());
        for (i, mut expr) in exprs.into_iter().enumerate() {
            let why = match (&expr.kind, &base.view) {
                (ExprKind::Column(c), Some(view)) => view.columns[*c].fixed,
                (ExprKind::Column(c), None) if *c >= base.table.columns.len() => Some(SYSTEM_COLUMN),
                (ExprKind::Column(_), None) => None,
                _ => Some(NOT_A_COLUMN),
            };
            let place = match (&expr.kind, &base.view) {
                (ExprKind::Column(c), Some(view)) => view.columns[*c].place,
                (ExprKind::Column(c), None) => Some(*c),
                _ => None,
            };
            row.lower(&mut expr);
            let name = info.columns.get(i).map_or(String::new(), |c| c.name.clone());
            if let (Some(c), None, Some(default)) = (place, why, info.columns.get(i).and_then(|c| c.default.clone())) {
                defaults.push((c, default));
            }
            columns.push(ViewColumn { name, expr, place, fixed: why });
        }
        let mut own = Vec::new();
        if let Some(condition) = &core.where_clause {
            let mut bound = self.condition(condition, &mut Place::new(&scope, "WHERE"))?;
            row.lower(&mut bound);
            crate::from::check_expr_as(&mut bound, CheckAs::Role(info.owner));
            own.push(bound);
        }
        if checks_own && let Some(condition) = Expr::all(own.clone()) {
            base.checks.push((info.name.clone(), condition));
        }
        base.quals.extend(own);
        base.defaults.extend(defaults);
        let schema = self.image.namespace_name(info.namespace).to_owned();
        base.view = Some(View { oid: info.oid, name: info.name.clone(), schema, columns });
        Ok(Ok(base))
    }

    /// What a query without a single table returns that is computed of many rows.
    fn aggregate_reason(&mut self, core: &ast::SelectCore) -> Result<Option<&'static str>> {
        let (_, scope) = self.from(&core.from)?;
        let mut place = Place::new(&scope, "SELECT");
        (place.aggregates, place.windows, place.sets) = (Some(Vec::new()), Some(Vec::new()), true);
        let (mut exprs, mut outputs) = (Vec::new(), Vec::new());
        for target in &core.targets {
            self.target_item(target, &mut place, &mut exprs, &mut outputs)?;
        }
        Ok(match () {
            () if place.aggregates.is_some_and(|a| !a.is_empty()) => {
                Some("Views that return aggregate functions are not automatically updatable.")
            }
            () if place.windows.is_some_and(|w| !w.is_empty()) => {
                Some("Views that return window functions are not automatically updatable.")
            }
            () if exprs.iter().any(crate::call::has_set) => {
                Some("Views that return set-returning functions are not automatically updatable.")
            }
            () => None,
        })
    }
}
