//! Queries as SQL: the text that a view is kept as, and the one that `pg_get_viewdef` shows.
//!
//! Each clause is bound a second time to be printed, with the names its scope gives to columns; a query inside an expression is printed
//! where it is bound, while the queries around it are known.

use std::collections::HashMap;

use plan::{AggregateCall, CallForm, Expr, ExprKind, Node};
use syntax::ast::{self, Distinct, JoinCondition, Select, SelectBody, SetOperator, SortDirection, StatementKind};
use syntax::quote_ident;
use types::io::TypeLookup;
use types::{Result, SqlError};

use crate::deparse::{Deparser, QueryNames};
use crate::expr::{AGGREGATES, Place};
use crate::query::{Bound, figure_name};
use crate::scope::Scope;
use crate::{Binder, lookup};

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
        let names = Vec::new();
        self.texts = Some(Texts { form: Form::Kept, indent: 0, subqueries: HashMap::new(), last: None, names });
        let text = self.query_text(select, false, 0)?;
        self.texts = None;
        Ok((text, bound))
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
        let form = Form::Shown { pretty };
        binder.texts = Some(Texts { form, indent: 0, subqueries: HashMap::new(), last: None, names });
        Ok(binder.query_text(select, false, 0)? + ";")
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

    /// The text of a query inside an expression, whose surroundings are on `frames`.
    pub(crate) fn inner_text(&mut self, select: &Select) -> Result<()> {
        let Some(texts) = &self.texts else { return Ok(()) };
        let indent = texts.indent + STEP;
        let text = self.query_text(select, true, indent)?;
        if let Some(texts) = &mut self.texts {
            texts.last = Some(text);
        }
        Ok(())
    }

    fn query_text(&mut self, select: &Select, nested: bool, indent: usize) -> Result<String> {
        let before = self.texts.as_mut().map(|t| std::mem::replace(&mut t.indent, indent));
        let mut text = String::new();
        let with = select.with.as_deref();
        if with.is_some_and(|w| w.recursive) {
            return Err(self.unsupported("WITH RECURSIVE in a view", select.pos));
        }
        let mut head = String::new();
        let mut own = |b: &mut Self| -> Result<Bound> {
            text = b.body_text(select, nested, indent)?;
            Ok(Bound { node: Node::one_row(), columns: Vec::new() })
        };
        if let Some(with) = with {
            let shown = matches!(self.form(), Form::Shown { .. });
            head.push_str(if shown { " WITH " } else { "WITH " });
            let outer = self.ctes_len();
            let mut separator = "";
            for cte in &with.ctes {
                let StatementKind::Select(inner) = &cte.statement.kind else {
                    self.forget_ctes(outer);
                    return Err(self.unsupported("data-modifying WITH in a view", cte.pos));
                };
                let step = if shown { indent + STEP } else { 0 };
                let names = self.texts.as_mut().map(|t| std::mem::take(&mut t.names));
                let inner_text = self.query_text(inner, true, step)?;
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
                head += &format!(
                    "{separator}{}{columns} AS {materialized}({open}{inner_text}{close})",
                    quote_ident(&cte.name)
                );
                separator = ", ";
                self.bind_cte(cte)?;
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
                let right = side(self, &op.right)?;
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
        if !core.windows.is_empty() || core.into.is_some() || core.group_distinct {
            return Err(self.unsupported("this clause in a view", select.pos));
        }
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
            self.target(target, &mut place, &mut targets, &mut columns, true)?;
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
        if place.windows.as_ref().is_some_and(|w| !w.is_empty()) || !place.groupings.is_empty() {
            return Err(self.unsupported("window functions and GROUPING in a view", select.pos));
        }
        let calls = place.aggregates.take().unwrap_or_default();
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
            let shown = self.expr_text(e, &scope, &calls, prefix, true)?;
            let own = match &e.kind {
                ExprKind::Column(i) if *i < scope.columns.len() => scope.columns[*i].name.clone(),
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
            let item = self.item_text(item, nested, indent)?;
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
            for item in &core.group_by {
                let ast::GroupItem::Expr(item) = item else {
                    return Err(self.unsupported("GROUPING SETS in a view", select.pos));
                };
                let bound = self.group(item, &scope, &targets, &unnamed)?;
                list.push(self.sort_item(&bound, &scope, &calls, prefix)?);
            }
            text += &format!("{}GROUP BY {}", self.line(indent, 2), list.join(", "));
        }
        if let Some(having) = &having {
            let shown = self.expr_text(having, &scope, &calls, prefix, false)?;
            text += &format!("{}HAVING {shown}", self.line(indent, 1));
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
            let descending = match &by.direction {
                SortDirection::Default | SortDirection::Asc => false,
                SortDirection::Desc => true,
                SortDirection::Using(op) => return Err(self.unsupported("ORDER BY USING", op.pos)),
            };
            let nulls = match (by.nulls, descending) {
                (ast::NullsOrder::First, false) => " NULLS FIRST",
                (ast::NullsOrder::Last, true) => " NULLS LAST",
                _ => "",
            };
            let lead = if i == 0 { format!("{}ORDER BY ", self.line(indent, 2)) } else { ", ".to_owned() };
            text += &format!("{lead}{key}{}{nulls}", if descending { " DESC" } else { "" });
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

    fn item_text(&mut self, item: &ast::TableRef, nested: bool, indent: usize) -> Result<String> {
        let renames = |columns: &[ast::Name]| match columns {
            [] => String::new(),
            list => format!("({})", list.iter().map(|n| quote_ident(n)).collect::<Vec<_>>().join(", ")),
        };
        match item {
            ast::TableRef::Relation(r) => {
                if r.sample.is_some() {
                    return Err(self.unsupported("TABLESAMPLE", r.relation.pos));
                }
                let alias = r.alias.as_ref().map(|a| a.name.as_str());
                let columns = r.alias.as_ref().map_or(String::new(), |a| renames(&a.columns));
                if r.relation.schema.is_none() && self.is_cte(&r.relation.name) {
                    let own = r.relation.name.as_str();
                    let shown = alias.filter(|a| *a != own).map_or(String::new(), |a| format!(" {}", quote_ident(a)));
                    return Ok(format!("{}{shown}{columns}", quote_ident(own)));
                }
                let (text, own) = self.relation_text(&r.relation)?;
                let only = if r.relation.only { "ONLY " } else { "" };
                // Kept text names tables by OIDs: columns go by the name it had.
                let kept = self.form() == Form::Kept;
                let alias = alias.or(kept.then_some(&*own)).filter(|a| kept || *a != own || !columns.is_empty());
                let alias = alias.map_or(String::new(), |a| format!(" {}", quote_ident(a)));
                Ok(format!("{only}{text}{alias}{columns}"))
            }
            ast::TableRef::Subquery(s) => {
                if s.lateral {
                    return Err(self.unsupported("LATERAL in a view", s.pos));
                }
                let inner = self.query_text(&s.query, true, indent + STEP)?;
                let alias = s
                    .alias
                    .as_ref()
                    .map_or(String::new(), |a| format!(" {}{}", quote_ident(&a.name), renames(&a.columns)));
                Ok(format!("({inner}){alias}"))
            }
            ast::TableRef::Function(f) => {
                let [function] = &f.functions[..] else { return Err(self.unsupported("ROWS FROM", f.pos)) };
                let scope = Scope::default();
                let mut place = Place::new(&scope, "FROM");
                place.sets = true;
                let bound = self.expr(&function.call, &mut place)?;
                let (_, own) = self.from(std::slice::from_ref(item))?;
                let call = self.expr_text(&bound, &scope, &[], nested, true)?;
                let alias = own.columns.first().map_or_else(|| figure_name(&function.call), |c| c.table.clone());
                let columns: Vec<String> = own.columns.iter().map(|c| quote_ident(&c.name)).collect();
                let ordinality = if f.ordinality { " WITH ORDINALITY" } else { "" };
                Ok(format!("{call}{ordinality} {}({})", quote_ident(&alias), columns.join(", ")))
            }
            ast::TableRef::Join(j) => {
                if j.alias.is_some() || matches!(j.condition, JoinCondition::Natural | JoinCondition::Using(_, Some(_)))
                {
                    return Err(self.unsupported("this kind of join in a view", j.pos));
                }
                let (left, right) =
                    (self.item_text(&j.left, nested, indent)?, self.item_text(&j.right, nested, indent)?);
                let pretty = self.form() == Form::Shown { pretty: true };
                let right =
                    if pretty && matches!(j.right, ast::TableRef::Join(_)) { format!("({right})") } else { right };
                let word = match (j.kind, &j.condition) {
                    (ast::JoinKind::Inner, JoinCondition::None) => "CROSS JOIN",
                    (ast::JoinKind::Inner, _) => "JOIN",
                    (ast::JoinKind::Left, _) => "LEFT JOIN",
                    (ast::JoinKind::Right, _) => "RIGHT JOIN",
                    (ast::JoinKind::Full, _) => "FULL JOIN",
                };
                let condition = match &j.condition {
                    JoinCondition::On(e) => {
                        let (_, l) = self.from(std::slice::from_ref(&j.left))?;
                        let (_, r) = self.from(std::slice::from_ref(&j.right))?;
                        let scope = l.join(r);
                        let bound = self.condition(e, &mut Place::new(&scope, "JOIN/ON"))?;
                        let shown = self.expr_text(&bound, &scope, &[], true, false)?;
                        if pretty { format!(" ON {shown}") } else { format!(" ON ({shown})") }
                    }
                    JoinCondition::Using(names, _) => {
                        format!(" USING ({})", names.iter().map(|n| quote_ident(n)).collect::<Vec<_>>().join(", "))
                    }
                    _ => String::new(),
                };
                let text = format!("{left}{}{word} {right}{condition}", self.line(indent, 5));
                Ok(if pretty { text } else { format!("({text})") })
            }
            _ => Err(self.unsupported("this in FROM of a view", ast::Pos::NONE)),
        }
    }

    /// An item of GROUP BY or ORDER BY: what could be read as something else there stands in parentheses.
    fn sort_item(&mut self, e: &Expr, scope: &Scope, calls: &[AggregateCall], prefix: bool) -> Result<String> {
        let shown = self.expr_text(e, scope, calls, prefix, true)?;
        let pretty = self.form() == Form::Shown { pretty: true };
        let bare = match &e.kind {
            ExprKind::Column(i) => *i < AGGREGATES,
            ExprKind::Const(_) => true,
            ExprKind::Call { form: CallForm::Operator(_), .. } => !pretty,
            ExprKind::Call { .. } => false,
            _ => !pretty,
        };
        Ok(if bare { shown } else { format!("({shown})") })
    }

    /// An expression over the columns of `scope` as text.
    fn expr_text(
        &mut self,
        e: &Expr,
        scope: &Scope,
        calls: &[AggregateCall],
        prefix: bool,
        implicit: bool,
    ) -> Result<String> {
        let named = |c: &crate::scope::ScopeColumn, prefix: bool| match prefix && !c.table.is_empty() {
            true => format!("{}.{}", quote_ident(&c.table), quote_ident(&c.name)),
            false => quote_ident(&c.name),
        };
        let mut slots = HashMap::new();
        for frame in &self.frames {
            for (slot, e) in &frame.binds {
                if let ExprKind::Column(i) = e.kind
                    && let Some(c) = frame.scope.columns.get(i)
                {
                    slots.insert(*slot, named(c, true));
                }
            }
        }
        let query = QueryNames {
            columns: scope.columns.iter().map(|c| named(c, prefix)).collect(),
            calls,
            slots: &slots,
            subqueries: self.texts.as_ref().map(|t| &t.subqueries),
            level: self.texts.as_ref().map_or(0, |t| (t.indent + STEP) / 4),
        };
        let kept = lookup::Kept(self.names());
        let shown = self.names();
        let (names, pretty): (&dyn TypeLookup, bool) = match self.form() {
            Form::Kept => (&kept, false),
            Form::Shown { pretty } => (&shown, pretty),
        };
        let deparser = Deparser { columns: &[], names, pretty, query: Some(&query) };
        if implicit { deparser.target(e) } else { deparser.expr(e) }
    }
}
