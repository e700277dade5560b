//! Queries as SQL: the text that a view is kept as, and the one that `pg_get_viewdef` shows.
//!
//! Each clause is bound a second time to be printed, with the names its scope gives to columns; a query inside an expression is printed
//! where it is bound, while the queries around it are known.

mod alias;
mod clause;
mod expression;

use std::collections::HashMap;

use plan::{AggregateCall, CallForm, Expr, ExprKind, Node};
use syntax::ast::{self, Distinct, JoinCondition, Select, SelectBody, SetOperator, SortDirection, StatementKind};
use syntax::quote_ident;
use types::{Result, SqlError};

use crate::Binder;
use crate::expr::{AGGREGATES, Place};
use crate::grouping::GROUPINGS;
use crate::query::{Bound, figure_name};
use crate::scope::{Scope, ScopeColumn};

use self::alias::{Aliases, Renamed};
use self::clause::Printed;

/// How a query is printed.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// As it is kept: by OIDs, on one line.
    Kept,
    /// As `pg_get_viewdef` shows it, prettily or not.
    Shown { pretty: bool },
}

/// What is known of a query that is being printed.
pub(crate) struct Texts {
    form: Form,
    /// Where lines of the query at hand start.
    indent: usize,
    /// Queries inside expressions, by their numbers.
    pub(crate) subqueries: HashMap<usize, String>,
    /// The one that was printed last.
    pub(crate) last: Option<String>,
    /// What the columns of the first query printed are called.
    names: Vec<String>,
    /// What tables are called in the queries being printed, outermost first.
    aliases: Vec<Aliases>,
    /// Calls over windows of the query at hand, and its GROUPING calls.
    windows: Vec<String>,
    groupings: Vec<String>,
    /// A column that is being renamed.
    renamed: Option<Renamed>,
    /// Whether names of columns matter where the query at hand stands.
    visible: bool,
}

impl Texts {
    fn new(form: Form, names: Vec<String>) -> Texts {
        Texts {
            form,
            indent: 0,
            subqueries: HashMap::new(),
            last: None,
            names,
            aliases: Vec::new(),
            windows: Vec::new(),
            groupings: Vec::new(),
            renamed: None,
            visible: true,
        }
    }
}

/// Steps of indentation.
const STEP: usize = 8;

impl Binder<'_> {
    /// The text that the query of a view is kept as, and its columns.
    ///
    /// # Errors
    /// What binding says; `0A000` for what has no text form yet.
    pub fn view_text(&mut self, select: &Select) -> Result<(String, Bound)> {
        let bound = self.query(select)?;
        self.kept = true;
        self.texts = Some(Texts::new(Form::Kept, Vec::new()));
        let text = self.query_text(select, false, 0)?;
        self.texts = None;
        Ok((text, bound))
    }

    /// The stored query `sql` of a view, kept with another name for column `number`, from 1, of a table.
    ///
    /// # Errors
    /// When it does not bind any more: a damaged catalog.
    pub fn view_renamed(&self, sql: &str, table: types::Oid, number: i16, old: &str, new: &str) -> Result<String> {
        let statements = syntax::parse(sql)?;
        let Some(StatementKind::Select(select)) = statements.first().map(|s| &s.kind) else {
            return Err(SqlError::internal("a view is a query"));
        };
        let mut binder = Binder::new(self.image, sql, self.settings, &[]);
        binder.kept = true;
        let mut texts = Texts::new(Form::Kept, Vec::new());
        texts.renamed = Some(Renamed { table, number, old: old.to_owned(), new: new.to_owned() });
        binder.texts = Some(texts);
        binder.query_text(select, false, 0)
    }

    /// The stored query `sql` of a view with columns of these names, as `pg_get_viewdef` shows it.
    ///
    /// # Errors
    /// When it does not bind any more: a damaged catalog.
    pub fn view_shown(&self, sql: &str, names: Vec<String>, pretty: bool) -> Result<String> {
        let statements = syntax::parse(sql)?;
        let Some(StatementKind::Select(select)) = statements.first().map(|s| &s.kind) else {
            return Err(SqlError::internal("a view is a query"));
        };
        let mut binder = Binder::new(self.image, sql, self.settings, self.search_path);
        binder.kept = true;
        binder.texts = Some(Texts::new(Form::Shown { pretty }, names));
        Ok(crate::deparse::tidy(&binder.query_text(select, false, 0)?) + ";")
    }

    fn form(&self) -> Form {
        self.texts.as_ref().map_or(Form::Kept, |t| t.form)
    }

    /// A new line, `indent` in, then `plus` more; a space in kept text.
    fn line(&self, indent: usize, plus: usize) -> String {
        match self.form() {
            Form::Kept => " ".to_owned(),
            Form::Shown { .. } => format!("\n{}", " ".repeat(indent + plus)),
        }
    }

    /// The text of a query in FROM: it sees only the queries around.
    fn nested_text(&mut self, select: &Select, indent: usize) -> Result<String> {
        let level = std::mem::replace(&mut self.level, self.frames.len());
        let text = self.with_names(true, |b| b.query_text(select, true, indent));
        self.level = level;
        text
    }

    /// Prints where the names of columns matter, or do not.
    fn with_names<T>(&mut self, visible: bool, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.texts.as_mut().map(|t| std::mem::replace(&mut t.visible, visible));
        let out = f(self);
        if let (Some(texts), Some(before)) = (&mut self.texts, before) {
            texts.visible = before;
        }
        out
    }

    /// The text of a query inside an expression, whose surroundings are on `frames`.
    pub(crate) fn inner_text(&mut self, select: &Select) -> Result<()> {
        let Some(texts) = &self.texts else { return Ok(()) };
        let indent = texts.indent + STEP;
        let text = self.with_names(false, |b| b.query_text(select, true, indent))?;
        if let Some(texts) = &mut self.texts {
            texts.last = Some(text);
        }
        Ok(())
    }

    fn query_text(&mut self, select: &Select, nested: bool, indent: usize) -> Result<String> {
        let before = self.texts.as_mut().map(|t| std::mem::replace(&mut t.indent, indent));
        let mut text = String::new();
        let with = select.with.as_deref();
        let mut head = String::new();
        let mut own = |b: &mut Self| -> Result<Bound> {
            text = b.body_text(select, nested, indent)?;
            Ok(Bound { node: Node::one_row(), columns: Vec::new() })
        };
        if let Some(with) = with {
            let shown = matches!(self.form(), Form::Shown { .. });
            let recursive = if with.recursive { "RECURSIVE " } else { "" };
            head = format!("{}{recursive}", if shown { " WITH " } else { "WITH " });
            // Their tables may not be called as those of the query itself.
            let own_tables = match &select.body {
                SelectBody::Query(core) => self.choose_aliases(&core.from),
                _ => Aliases::default(),
            };
            if let Some(texts) = &mut self.texts {
                texts.aliases.push(own_tables);
            }
            let outer = self.ctes_len();
            let mut separator = "";
            if with.recursive {
                self.bind_ctes(with)?;
            }
            for (i, cte) in with.ctes.iter().enumerate() {
                let StatementKind::Select(inner) = &cte.statement.kind else {
                    self.forget_ctes(outer);
                    return Err(self.unsupported("data-modifying WITH in a view", cte.pos));
                };
                let step = if shown { indent + STEP } else { 0 };
                let names = self.texts.as_mut().map(|t| std::mem::take(&mut t.names));
                let printed = |b: &mut Self| b.with_names(true, |b| b.query_text(inner, true, step));
                let inner_text = match with.recursive {
                    true => self.printing_cte(outer + i, printed)?,
                    false => printed(self)?,
                };
                if let (Some(texts), Some(names)) = (&mut self.texts, names) {
                    texts.names = names;
                }
                let columns = match &cte.columns[..] {
                    [] => String::new(),
                    list => format!("({})", list.iter().map(|n| quote_ident(n)).collect::<Vec<_>>().join(", ")),
                };
                let materialized = match cte.materialized {
                    None => "",
                    Some(true) => "MATERIALIZED ",
                    Some(false) => "NOT MATERIALIZED ",
                };
                let (open, close) = match shown {
                    true => (self.line(step, 0), self.line(step, 0)),
                    false => (String::new(), String::new()),
                };
                let searched = self.search_text(cte)?;
                head += &format!(
                    "{separator}{}{columns} AS {materialized}({open}{inner_text}{close}){searched}",
                    quote_ident(&cte.name)
                );
                separator = ", ";
                if !with.recursive {
                    self.bind_cte(cte)?;
                }
            }
            if let Some(texts) = &mut self.texts {
                texts.aliases.pop();
            }
            head += &self.line(indent, 0);
            let outcome = own(self);
            self.forget_ctes(outer);
            outcome?;
        } else {
            own(self)?;
        }
        if let (Some(texts), Some(before)) = (&mut self.texts, before) {
            texts.indent = before;
        }
        Ok(head + &text)
    }

    fn body_text(&mut self, select: &Select, nested: bool, indent: usize) -> Result<String> {
        if !select.locking.is_empty() {
            return Err(self.unsupported("FOR UPDATE in a view", select.pos));
        }
        let shown = matches!(self.form(), Form::Shown { .. });
        let lead = if shown { " " } else { "" };
        match &select.body {
            SelectBody::Values(rows) => {
                let scope = Scope::default();
                let mut out = Vec::new();
                for row in rows {
                    let mut values = Vec::new();
                    for e in row {
                        let bound = self.expr(e, &mut Place::new(&scope, "VALUES"))?;
                        let bound = self.settle(bound)?;
                        values.push(self.expr_text(&bound, &scope, &[], nested, true)?);
                    }
                    out.push(format!("({})", values.join(",")));
                }
                let tail = self.order_text(select, &scope, &[], &[], nested, indent)?;
                Ok(format!("{lead}VALUES {}{tail}", out.join(", ")))
            }
            SelectBody::SetOperation(op) => {
                let side = |b: &mut Self, s: &Select| -> Result<String> {
                    let text = b.query_text(s, true, indent)?;
                    let plain = s.with.is_none() && s.order_by.is_empty() && s.limit.is_none();
                    let simple = matches!(s.body, SelectBody::Query(_) | SelectBody::Values(_));
                    let chain = matches!(&s.body, SelectBody::SetOperation(i) if i.op == op.op && i.all == op.all);
                    Ok(if plain && (simple || chain) { text } else { format!("({text})") })
                };
                let word = match op.op {
                    SetOperator::Union => "UNION",
                    SetOperator::Intersect => "INTERSECT",
                    SetOperator::Except => "EXCEPT",
                };
                let all = if op.all { " ALL" } else { "" };
                let left = side(self, &op.left)?;
                let right = self.with_names(false, |b| side(b, &op.right))?;
                let (before, after) = (self.line(indent, 0), self.line(indent, 0));
                let columns = self.query(select)?.columns;
                let targets: Vec<Expr> =
                    columns.iter().enumerate().map(|(i, c)| Expr::column(i, c.ty, c.typmod)).collect();
                let scope = Scope::default();
                let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
                let tail = self.order_text(select, &scope, &targets, &names, nested, indent)?;
                Ok(format!("{left}{before}{word}{all}{after}{right}{tail}"))
            }
            SelectBody::Query(core) => self.core_text(select, core, nested, indent).map(|t| format!("{lead}{t}")),
        }
    }

    fn core_text(&mut self, select: &Select, core: &ast::SelectCore, nested: bool, indent: usize) -> Result<String> {
        if core.into.is_some() {
            return Err(self.unsupported("INTO in a view", select.pos));
        }
        let tables = self.choose_aliases(&core.from);
        let before = self.texts.as_mut().map(|t| {
            t.aliases.push(tables);
            (std::mem::take(&mut t.windows), std::mem::take(&mut t.groupings))
        });
        let text = self.core_body(select, core, nested, indent);
        if let (Some(texts), Some(before)) = (&mut self.texts, before) {
            texts.aliases.pop();
            (texts.windows, texts.groupings) = before;
        }
        text
    }

    fn core_body(&mut self, select: &Select, core: &ast::SelectCore, nested: bool, indent: usize) -> Result<String> {
        // The view's own names, once: the first query's columns are its columns.
        let own_names = self.texts.as_mut().map(|t| std::mem::take(&mut t.names)).unwrap_or_default();
        let (_, scope) = self.from(&core.from)?;
        let single = matches!(
            &core.from[..],
            [] | [ast::TableRef::Relation(_) | ast::TableRef::Subquery(_) | ast::TableRef::Function(_)]
        );
        let prefix = nested || !single;
        let mut place = Place {
            aggregates: Some(Vec::new()),
            windows: Some(Vec::new()),
            sets: true,
            ..Place::new(&scope, "SELECT")
        };
        let (mut targets, mut columns) = (Vec::new(), Vec::new());
        for target in &core.targets {
            self.list_item(target, &mut place, &mut targets, &mut columns, true)?;
        }
        place.sets = false;
        let having = match &core.having {
            Some(h) => {
                place.clause = "HAVING";
                Some(self.condition(h, &mut place)?)
            }
            None => None,
        };
        place.clause = "ORDER BY";
        let mut keys = Vec::new();
        for by in &select.order_by {
            keys.push(self.output_expr(&by.expr, &mut place, &targets, &columns, "ORDER BY")?);
        }
        let mut on = Vec::new();
        if let Distinct::On(list) = &core.distinct {
            for e in list {
                on.push(self.output_expr(e, &mut place, &targets, &columns, "DISTINCT ON")?);
            }
        }
        let uses = place.windows.take().unwrap_or_default();
        let own = uses.iter().filter_map(|u| match &u.over {
            ast::Over::Spec(spec) => Some(&**spec),
            ast::Over::Name(_) => None,
        });
        let specs: Vec<&ast::WindowSpec> = core.windows.iter().chain(own).collect();
        let specs = specs.into_iter().map(|s| self.bound_spec(s, &mut place)).collect::<Result<Vec<_>>>()?;
        let calls = place.aggregates.take().unwrap_or_default();
        let printed = Printed { scope: &scope, calls: &calls, prefix };
        for args in std::mem::take(&mut place.groupings) {
            let list = args.iter().map(|a| self.expr_text(a, &scope, &calls, prefix, true));
            let text = format!("GROUPING({})", list.collect::<Result<Vec<_>>>()?.join(", "));
            if let Some(texts) = &mut self.texts {
                texts.groupings.push(text);
            }
        }
        let (windows, over) = self.window_texts(&core.windows, &uses, &specs, printed)?;
        if let Some(texts) = &mut self.texts {
            texts.windows = over;
        }
        let unnamed = columns.clone();
        for (column, name) in columns.iter_mut().zip(own_names) {
            column.name = name;
        }
        let mut text = "SELECT".to_owned();
        match &core.distinct {
            Distinct::All => {}
            Distinct::Distinct => text += " DISTINCT",
            Distinct::On(_) => {
                let list = on.iter().map(|e| self.sort_item(e, &scope, &calls, prefix)).collect::<Result<Vec<_>>>()?;
                text += &format!(" DISTINCT ON ({})", list.join(", "));
            }
        }
        for (i, (e, c)) in targets.iter().zip(&columns).enumerate() {
            let shown = match self.whole_text(e, &scope) {
                Some(row) => row,
                None => self.expr_text(e, &scope, &calls, prefix, true)?,
            };
            let own = match &e.kind {
                ExprKind::Column(i) if *i < scope.columns.len() => self.column_text(&scope.columns[*i]),
                _ if self.texts.as_ref().is_some_and(|t| t.visible) => String::new(),
                _ => "?column?".to_owned(),
            };
            let named = if own == c.name { String::new() } else { format!(" AS {}", quote_ident(&c.name)) };
            let broken = shown.starts_with('\n');
            text += &match (i, broken) {
                (0, true) => String::new(),
                (0, false) => " ".to_owned(),
                (_, true) => ",".to_owned(),
                (_, false) => format!(",{}", self.line(indent, 4)),
            };
            text += &shown;
            text += &named;
        }
        for (i, item) in core.from.iter().enumerate() {
            let (_, left) = self.from(&core.from[..i])?;
            let (item, _) = self.beside(&left, |b| b.item_text(item, nested, indent))?;
            text += &match i {
                0 => format!("{}FROM {item}", self.line(indent, 3)),
                _ => format!(",{}{item}", self.line(indent, 4)),
            };
        }
        if let Some(condition) = &core.where_clause {
            let bound = self.condition(condition, &mut Place::new(&scope, "WHERE"))?;
            let shown = self.expr_text(&bound, &scope, &[], prefix, false)?;
            text += &format!("{}WHERE {shown}", self.line(indent, 2));
        }
        if !core.group_by.is_empty() {
            let mut list = Vec::new();
            let is_empty = |i: &ast::GroupItem| matches!(i, ast::GroupItem::Empty(_));
            let all_empty = core.group_by.iter().all(is_empty);
            for item in core.group_by.iter().filter(|i| all_empty || !is_empty(i)) {
                list.push(self.group_text(item, true, (&targets, &unnamed), printed)?);
            }
            let distinct = if core.group_distinct { "DISTINCT " } else { "" };
            text += &format!("{}GROUP BY {distinct}{}", self.line(indent, 2), list.join(", "));
        }
        if let Some(having) = &having {
            let shown = self.expr_text(having, &scope, &calls, prefix, false)?;
            text += &format!("{}HAVING {shown}", self.line(indent, 1));
        }
        if !windows.is_empty() {
            text += &format!("{}WINDOW {windows}", self.line(indent, 2));
        }
        let keys: Vec<String> =
            keys.iter().map(|k| self.sort_item(k, &scope, &calls, prefix)).collect::<Result<Vec<_>>>()?;
        text += &self.sort_text(select, &keys, indent)?;
        Ok(text)
    }

    /// ORDER BY and LIMIT of what is no plain SELECT: its columns go by name.
    fn order_text(
        &mut self,
        select: &Select,
        scope: &Scope,
        targets: &[Expr],
        names: &[String],
        nested: bool,
        indent: usize,
    ) -> Result<String> {
        let mut keys = Vec::new();
        for by in &select.order_by {
            let named = match &by.expr.kind {
                ast::ExprKind::Column(c) if c.len() == 1 => names.iter().position(|n| *n == *c[0].text),
                ast::ExprKind::Literal(ast::Literal::Integer(n)) => {
                    usize::try_from(*n - 1).ok().filter(|n| *n < targets.len())
                }
                _ => None,
            };
            keys.push(match named {
                Some(index) => format!("{}", index + 1),
                None => {
                    let bound = self.expr(&by.expr, &mut Place::new(scope, "ORDER BY"))?;
                    self.expr_text(&bound, scope, &[], nested, true)?
                }
            });
        }
        self.sort_text(select, &keys, indent)
    }

    fn sort_text(&mut self, select: &Select, keys: &[String], indent: usize) -> Result<String> {
        let mut text = String::new();
        for (i, (by, key)) in select.order_by.iter().zip(keys).enumerate() {
            let lead = if i == 0 { format!("{}ORDER BY ", self.line(indent, 2)) } else { ", ".to_owned() };
            text += &format!("{lead}{key}{}", self.direction_text(by)?);
        }
        if let Some(limit) = &select.limit {
            if limit.with_ties {
                return Err(self.unsupported("FETCH WITH TIES", select.pos));
            }
            let scope = Scope::default();
            for (word, e) in [("OFFSET", &limit.offset), ("LIMIT", &limit.count)] {
                let Some(e) = e else { continue };
                let bound = self.expr(e, &mut Place::new(&scope, "LIMIT"))?;
                let shown = self.expr_text(&bound, &scope, &[], false, false)?;
                text += &format!("{}{word} {shown}", self.line(indent, 1));
            }
        }
        Ok(text)
    }

    /// SEARCH and CYCLE of `cte`.
    fn search_text(&mut self, cte: &ast::Cte) -> Result<String> {
        let list =
            |names: &[ast::Name]| names.iter().map(|n| quote_ident(n).to_string()).collect::<Vec<_>>().join(", ");
        let mut text = String::new();
        if let Some(s) = &cte.search {
            let order = if s.breadth_first { "BREADTH" } else { "DEPTH" };
            text += &format!(" SEARCH {order} FIRST BY {} SET {}", list(&s.columns), quote_ident(&s.sequence));
        }
        if let Some(c) = &cte.cycle {
            let bools = (&c.mark_value.kind, &c.mark_default.kind);
            let boolean = |b| ast::ExprKind::Literal(ast::Literal::Bool(b));
            let mut marks = String::new();
            if bools != (&boolean(true), &boolean(false)) {
                let (value, default) = self.cycle_marks(c)?;
                let (value, default) =
                    (self.mark_text(&c.mark_value, &value)?, self.mark_text(&c.mark_default, &default)?);
                marks = format!(" TO {value} DEFAULT {default}");
            }
            let (mark, path) = (quote_ident(&c.mark), quote_ident(&c.path));
            text += &format!(" CYCLE {} SET {mark}{marks} USING {path}", list(&c.columns));
        }
        Ok(text)
    }

    /// A value of CYCLE's mark: a view keeps it as it is written, since only a literal may stand there.
    fn mark_text(&mut self, written: &ast::Expr, bound: &Expr) -> Result<String> {
        match (self.form(), &written.kind) {
            (Form::Kept, ast::ExprKind::Literal(ast::Literal::String(text))) => Ok(crate::quote_literal(text)),
            (Form::Kept, ast::ExprKind::Literal(ast::Literal::Integer(n))) => Ok(n.to_string()),
            (Form::Kept, ast::ExprKind::Literal(ast::Literal::Bool(b))) => Ok(b.to_string()),
            (Form::Kept, _) => Err(self.unsupported("this mark of CYCLE in a view", written.location())),
            (Form::Shown { .. }, _) => self.expr_text(bound, &Scope::default(), &[], false, false),
        }
    }

    /// What stands behind a sort key.
    fn direction_text(&self, by: &ast::SortBy) -> Result<String> {
        let descending = match &by.direction {
            SortDirection::Default | SortDirection::Asc => false,
            SortDirection::Desc => true,
            SortDirection::Using(op) => self.descends(op)?,
        };
        let nulls = match (by.nulls, descending) {
            (ast::NullsOrder::First, false) => " NULLS FIRST",
            (ast::NullsOrder::Last, true) => " NULLS LAST",
            _ => "",
        };
        Ok(format!("{}{nulls}", if descending { " DESC" } else { "" }))
    }

    /// What a column of the query at hand is called.
    fn column_text(&self, c: &ScopeColumn) -> String {
        self.texts.as_ref().map_or_else(|| c.name.clone(), |t| t.column(t.aliases.len(), c))
    }

    fn relation_text(&self, name: &ast::RangeVar) -> Result<(String, String)> {
        let oid = match self.relation(name)? {
            crate::Relation::Table(table) => table.oid,
            crate::Relation::Stored(info) => info.oid,
            crate::Relation::View { schema: "pg_catalog", name, .. } => return Ok((name.to_owned(), name.to_owned())),
            crate::Relation::View { schema, name, .. } => return Ok((format!("{schema}.{name}"), name.to_owned())),
        };
        let own = match self.image.relation_name(oid) {
            Some((_, own)) => own.to_owned(),
            None => name.name.as_str().to_owned(),
        };
        Ok(match (self.form(), self.image.by_oid(oid)) {
            (Form::Kept, Some(_)) => (format!("pg_catalog.\"%{oid}\""), own),
            _ => (self.names().relation_name(oid).unwrap_or_else(|| quote_ident(&own)), own),
        })
    }

    fn sample_text(&mut self, sample: &ast::TableSample, nested: bool) -> Result<String> {
        let bound = self.sample(sample, 0)?;
        let ExprKind::Sampled { args, blocks } = &bound.kind else { return Ok(String::new()) };
        let scope = Scope::default();
        let method = if *blocks { "system" } else { "bernoulli" };
        let mut text = format!(" TABLESAMPLE {method} ({})", self.expr_text(&args[1], &scope, &[], nested, false)?);
        if let Some(seed) = args.get(2) {
            text += &format!(" REPEATABLE ({})", self.expr_text(seed, &scope, &[], nested, false)?);
        }
        Ok(text)
    }

    fn item_text(&mut self, item: &ast::TableRef, nested: bool, indent: usize) -> Result<String> {
        let renames = |columns: &[ast::Name]| match columns {
            [] => String::new(),
            list => format!("({})", list.iter().map(|n| quote_ident(n)).collect::<Vec<_>>().join(", ")),
        };
        match item {
            ast::TableRef::Relation(r) => {
                let bound = r.alias.as_ref().map_or(r.relation.name.as_str(), |a| a.name.as_str());
                if self.cte_named(&r.relation).is_some() {
                    let own = r.relation.name.as_str();
                    return Ok(format!("{}{}", quote_ident(own), self.alias_text(bound, own, r.alias.as_ref(), None)));
                }
                let (text, own) = self.relation_text(&r.relation)?;
                let only = if r.relation.only { "ONLY " } else { "" };
                let table = match self.relation(&r.relation)? {
                    crate::Relation::Table(table) => Some(table.oid),
                    crate::Relation::Stored(info) => Some(info.oid),
                    crate::Relation::View { .. } => None,
                };
                let sample = match &r.sample {
                    Some(sample) => self.sample_text(sample, nested)?,
                    None => String::new(),
                };
                Ok(format!("{only}{text}{}{sample}", self.alias_text(bound, &own, r.alias.as_ref(), table)))
            }
            ast::TableRef::Subquery(s) => {
                let inner = match s.lateral {
                    true => self.lateral(|b| b.nested_text(&s.query, indent + STEP))?,
                    false => self.nested_text(&s.query, indent + STEP)?,
                };
                let level = self.text_level();
                let shown = |name: &str| self.texts.as_ref().map_or(name.to_owned(), |t| t.table(level, name));
                let alias = s
                    .alias
                    .as_ref()
                    .map_or(String::new(), |a| format!(" {}{}", quote_ident(&shown(&a.name)), renames(&a.columns)));
                Ok(format!("{}({inner}){alias}", if s.lateral { "LATERAL " } else { "" }))
            }
            ast::TableRef::Function(f) => {
                let [function] = &f.functions[..] else { return Err(self.unsupported("ROWS FROM", f.pos)) };
                let scope = Scope::default();
                let mut place = Place::new(&scope, "FROM");
                place.sets = true;
                let bound = self.lateral(|b| b.expr(&function.call, &mut place))?;
                let (_, own) = self.from(std::slice::from_ref(item))?;
                let call = self.expr_text(&bound, &scope, &[], nested, true)?;
                let mut slots = Vec::new();
                bound.visit(&mut |e| {
                    if let ExprKind::Slot(slot) = e.kind {
                        slots.push(slot);
                    }
                });
                // Those of items beside it; others belong to queries further out.
                let beside = self.frames[self.level..].iter().flat_map(|f| &f.binds).any(|b| slots.contains(&b.0));
                let lateral = if f.lateral || beside { "LATERAL " } else { "" };
                let alias = own.columns.first().map_or_else(|| figure_name(&function.call), |c| c.table.clone());
                let level = self.text_level();
                let alias = self.texts.as_ref().map_or(alias.clone(), |t| t.table(level, &alias));
                let columns: Vec<String> = own.columns.iter().map(|c| quote_ident(&c.name)).collect();
                let ordinality = if f.ordinality { " WITH ORDINALITY" } else { "" };
                Ok(format!("{lateral}{call}{ordinality} {}({})", quote_ident(&alias), columns.join(", ")))
            }
            ast::TableRef::Join(j) => {
                let left = self.item_text(&j.left, nested, indent)?;
                let (_, left_scope) = self.from(std::slice::from_ref(&j.left))?;
                let (right, _) = self.beside(&left_scope, |b| b.item_text(&j.right, nested, indent))?;
                let pretty = self.form() == Form::Shown { pretty: true };
                let right =
                    if pretty && matches!(j.right, ast::TableRef::Join(_)) { format!("({right})") } else { right };
                let natural = match &j.condition {
                    JoinCondition::Natural => {
                        let (right_scope, _) =
                            self.beside(&left_scope, |b| Ok(b.from(std::slice::from_ref(&j.right))?.1))?;
                        let common = left_scope
                            .columns
                            .iter()
                            .filter(|c| !c.hidden && right_scope.columns.iter().any(|r| !r.hidden && r.name == c.name));
                        common.map(|c| c.name.clone()).collect()
                    }
                    _ => Vec::new(),
                };
                let crossed = matches!(j.condition, JoinCondition::None)
                    || matches!(j.condition, JoinCondition::Natural) && natural.is_empty();
                let word = match (j.kind, &j.condition) {
                    (ast::JoinKind::Inner, _) if crossed => "CROSS JOIN",
                    (ast::JoinKind::Inner, _) => "JOIN",
                    (ast::JoinKind::Left, _) => "LEFT JOIN",
                    (ast::JoinKind::Right, _) => "RIGHT JOIN",
                    (ast::JoinKind::Full, _) => "FULL JOIN",
                };
                let condition = match &j.condition {
                    JoinCondition::On(e) => {
                        let (r, _) = self.beside(&left_scope, |b| Ok(b.from(std::slice::from_ref(&j.right))?.1))?;
                        let scope = left_scope.join(r);
                        let bound = self.condition(e, &mut Place::new(&scope, "JOIN/ON"))?;
                        let shown = self.expr_text(&bound, &scope, &[], true, false)?;
                        if pretty { format!(" ON {shown}") } else { format!(" ON ({shown})") }
                    }
                    JoinCondition::Using(names, alias) => {
                        let alias = alias.as_ref().map_or(String::new(), |a| format!(" AS {}", quote_ident(a)));
                        let names: Vec<_> = names.iter().map(|n| quote_ident(n)).collect();
                        format!(" USING ({}){alias}", names.join(", "))
                    }
                    JoinCondition::Natural if !natural.is_empty() => {
                        format!(" USING ({})", natural.iter().map(|n| quote_ident(n)).collect::<Vec<_>>().join(", "))
                    }
                    JoinCondition::Natural if !crossed || word != "CROSS JOIN" => " ON (true)".to_owned(),
                    _ => String::new(),
                };
                let text = format!("{left}{}{word} {right}{condition}", self.line(indent, 5));
                let level = self.text_level();
                Ok(match &j.alias {
                    Some(a) => {
                        let shown = self.texts.as_ref().map_or(a.name.as_str().to_owned(), |t| t.table(level, &a.name));
                        format!("({text}) {}{}", quote_ident(&shown), renames(&a.columns))
                    }
                    None if pretty => text,
                    None => format!("({text})"),
                })
            }
            _ => Err(self.unsupported("this in FROM of a view", ast::Pos::NONE)),
        }
    }

    /// An item of GROUP BY or ORDER BY: what could be read as something else there stands in parentheses.
    fn sort_item(&mut self, e: &Expr, scope: &Scope, calls: &[AggregateCall], prefix: bool) -> Result<String> {
        let shown = self.expr_text(e, scope, calls, prefix, true)?;
        let pretty = self.form() == Form::Shown { pretty: true };
        let bare = match &e.kind {
            ExprKind::Column(i) if *i >= GROUPINGS => !pretty,
            ExprKind::Column(i) => *i < AGGREGATES,
            ExprKind::Const(_) => true,
            ExprKind::Call { form: CallForm::Operator(_), .. } => !pretty,
            ExprKind::Call { .. } => false,
            _ => !pretty,
        };
        Ok(if bare { shown } else { format!("({shown})") })
    }
}
