//! WITH: common table expressions, those that name themselves or each other too.

mod inline;
mod search;

use std::sync::Arc;

use plan::{Expr, Node, OutputColumn};
use syntax::ast::{self, Pos, StatementKind, TableRef, With};
use types::{Result, SqlError, SqlState};

use crate::query::Bound;
use crate::scope::Scope;
use crate::{Binder, coerce, resolve};

/// A common table expression in scope.
#[derive(Debug)]
pub(crate) struct CteName {
    name: String,
    id: usize,
    columns: Vec<OutputColumn>,
    /// How many of its last columns SEARCH and CYCLE add: within itself, `*` leaves them out.
    added: usize,
    /// Whether anything reads it.
    read: bool,
    /// Whether it changes rows and returns none.
    silent: bool,
    /// Where the first item of its WITH is among those in scope.
    first: usize,
    state: State,
    /// Its query, until its WITH collects it; and how many had been bound before.
    node: Option<(usize, Node)>,
}

/// How far a common table expression is bound, which says where it may be named.
#[derive(Clone, Debug)]
enum State {
    /// It is an item of WITH RECURSIVE whose turn has not come: whoever names it has it bound first.
    Waiting(Arc<Waiting>),
    /// It has no step in which it could be named.
    NoStep,
    /// Its first term is being bound.
    Base,
    /// Its step is, in which it may stand once.
    Step,
    /// It is bound, and its own text is being printed.
    Printed,
    /// It is bound.
    Done,
}

/// An item of WITH RECURSIVE, and what is around its WITH.
#[derive(Debug)]
struct Waiting {
    cte: ast::Cte,
    /// How many items there are in scope with those of its WITH.
    ctes: usize,
    frames: usize,
    level: usize,
    no_recursion: NoRecursion,
}

/// Items of WITH that are being bound, innermost last: their places among those in scope, and where they are written.
pub(crate) type Binding = Vec<(usize, Pos)>;

/// Parts of a recursive query's step in which it must not be named, as messages call them.
pub(crate) type NoRecursion = Option<&'static str>;

impl Binder<'_> {
    /// Binds the expressions of `with`, then `body`, in which their names are tables.
    pub(crate) fn with(&mut self, with: Option<&With>, body: impl FnOnce(&mut Self) -> Result<Bound>) -> Result<Bound> {
        let Some(with) = with else { return body(self) };
        let outer = self.ctes.len();
        let outcome = self.bind_ctes(with).and_then(|ctes| Ok((ctes, body(self)?)));
        let own = self.ctes.split_off(outer);
        let (ctes, bound) = outcome?;
        let names: Vec<(&str, usize)> = own.iter().map(|c| (c.name.as_str(), c.id)).collect();
        Ok(Bound { node: inline::assembled(with, &names, ctes, bound.node), columns: bound.columns })
    }

    /// Brings the items of `with` in scope; their queries, each behind those that it reads.
    pub(crate) fn bind_ctes(&mut self, with: &With) -> Result<Vec<(usize, Node)>> {
        for (i, cte) in with.ctes.iter().enumerate() {
            if with.ctes[..i].iter().any(|c| *c.name == *cte.name) {
                let message = format!("WITH query name \"{}\" specified more than once", &*cte.name);
                return Err(self.error(SqlState::DUPLICATE_ALIAS, message, cte.name.pos));
            }
        }
        let (first, later) = (self.ctes.len(), self.later_ctes.len());
        let outcome = match with.recursive {
            true => self.recursive_items(with, first),
            false => self.plain_items(with, first),
        };
        self.later_ctes.truncate(later);
        outcome?;
        let mut nodes: Vec<(usize, usize, Node)> =
            self.ctes[first..].iter_mut().filter_map(|c| c.node.take().map(|(at, node)| (at, c.id, node))).collect();
        nodes.sort_by_key(|n| n.0);
        Ok(nodes.into_iter().map(|(_, id, node)| (id, node)).collect())
    }

    fn plain_items(&mut self, with: &With, first: usize) -> Result<()> {
        self.later_ctes.extend(with.ctes.iter().rev().map(|c| c.name.as_str().to_owned()));
        for cte in &with.ctes {
            let unbound = self.unbound(cte, first, State::NoStep);
            let bound = self.cte(cte, None, unbound)?;
            self.ctes.push(bound);
            self.later_ctes.pop();
        }
        Ok(())
    }

    fn recursive_items(&mut self, with: &With, first: usize) -> Result<()> {
        let ctes = first + with.ctes.len();
        for cte in &with.ctes {
            let (frames, level, no_recursion) = (self.frames.len(), self.level, self.no_recursion);
            let waiting = Waiting { cte: cte.clone(), ctes, frames, level, no_recursion };
            let unbound = self.unbound(cte, first, State::Waiting(Arc::new(waiting)));
            self.ctes.push(unbound);
        }
        (first..ctes).try_for_each(|at| self.bind_waiting(at))
    }

    /// Brings one more item of WITH, not RECURSIVE, in scope.
    pub(crate) fn bind_cte(&mut self, cte: &ast::Cte) -> Result<()> {
        let unbound = self.unbound(cte, self.ctes.len(), State::NoStep);
        let bound = self.cte(cte, None, unbound)?;
        self.ctes.push(bound);
        Ok(())
    }

    fn unbound(&mut self, cte: &ast::Cte, first: usize, state: State) -> CteName {
        let id = self.next_cte;
        self.next_cte += 1;
        let (name, columns) = (cte.name.as_str().to_owned(), Vec::new());
        CteName { name, id, columns, added: 0, read: false, silent: false, first, state, node: None }
    }

    /// Binds item `at` of those in scope, if it waits for that, as if it stood where its WITH is.
    fn bind_waiting(&mut self, at: usize) -> Result<()> {
        let State::Waiting(waiting) = &self.ctes[at].state else { return Ok(()) };
        let waiting = waiting.clone();
        let inner_ctes = self.ctes.split_off(waiting.ctes);
        let inner_frames = self.frames.split_off(waiting.frames);
        let level = std::mem::replace(&mut self.level, waiting.level);
        let around = std::mem::replace(&mut self.no_recursion, waiting.no_recursion);
        let unsettled = std::mem::take(&mut self.unsettled);
        self.binding.push((at, waiting.cte.name.pos));
        let CteName { ref name, id, first, .. } = self.ctes[at];
        let unbound = CteName {
            name: name.clone(),
            id,
            columns: Vec::new(),
            added: 0,
            read: false,
            silent: false,
            first,
            state: State::NoStep,
            node: None,
        };
        self.ctes[at].state = State::NoStep;
        let outcome = self.cte(&waiting.cte, Some(at), unbound);
        self.binding.pop();
        (self.level, self.no_recursion, self.unsettled) = (level, around, unsettled);
        self.frames.truncate(waiting.frames);
        self.frames.extend(inner_frames);
        self.ctes.truncate(waiting.ctes);
        self.ctes.extend(inner_ctes);
        self.ctes[at] = outcome?;
        Ok(())
    }

    /// Binds `cte`, which is item `at` of those in scope if it may name itself.
    fn cte(&mut self, cte: &ast::Cte, at: Option<usize>, unbound: CteName) -> Result<CteName> {
        let (bound, added) = match &cte.statement.kind {
            StatementKind::Select(select) => match (&select.body, at) {
                (ast::SelectBody::SetOperation(op), Some(at)) if op.op == ast::SetOperator::Union => {
                    self.recursive(cte, select, op, at)?
                }
                _ if cte.search.is_some() || cte.cycle.is_some() => return Err(self.not_recursive(cte)),
                _ => (self.query(select)?, 0),
            },
            _ if self.queries > 1 => {
                let message = "WITH clause containing a data-modifying statement must be at the top level";
                return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, cte.pos));
            }
            StatementKind::Insert(s) => (self.insert(s)?, 0),
            StatementKind::Update(s) => (self.update(s)?, 0),
            StatementKind::Delete(s) => (self.delete(s)?, 0),
            StatementKind::Merge(s) => (self.merge(s)?, 0),
            _ => return Err(self.unsupported("this kind of statement in WITH", cte.pos)),
        };
        let columns = self.renamed(cte, bound.columns)?;
        let silent = columns.is_empty() && !matches!(cte.statement.kind, StatementKind::Select(_));
        let order = self.ctes.iter().filter_map(|c| c.node.as_ref().map(|n| n.0 + 1)).max().unwrap_or(0);
        Ok(CteName { columns, added, silent, state: State::Done, node: Some((order, bound.node)), ..unbound })
    }

    fn not_recursive(&self, cte: &ast::Cte) -> SqlError {
        self.error(SqlState::SYNTAX_ERROR, "WITH query is not recursive", cte.name.pos)
    }

    /// Common table expression `at` as a table.
    pub(crate) fn cte_ref(&mut self, at: usize, r: &ast::RelationRef, alias: &str) -> Result<(Node, Scope)> {
        self.bind_waiting(at)?;
        self.check_recursion(at, r.relation.pos)?;
        self.ctes[at].read = true;
        if r.sample.is_some() {
            return Err(self.not_sampled(r));
        }
        let cte = &self.ctes[at];
        if cte.silent {
            let message = format!("WITH query \"{}\" does not have a RETURNING clause", cte.name);
            return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, r.relation.pos));
        }
        let mut scope = self.derived_scope(alias, r.alias.as_ref(), &cte.columns)?;
        if !matches!(cte.state, State::Done) {
            scope.unlisted.extend(cte.columns.len() - cte.added..cte.columns.len());
        }
        let types = cte.columns.iter().map(|c| c.ty).collect();
        let (id, name) = (cte.id, cte.name.clone());
        let label = self.label(alias, &scope);
        Ok((Node::CteScan { id, types, name, label }, scope))
    }

    /// Fails where common table expression `at` is named in a place in which it must not be, while it is bound itself.
    fn check_recursion(&self, at: usize, pos: Pos) -> Result<()> {
        let cte = &self.ctes[at];
        if matches!(cte.state, State::Done | State::Printed) {
            return Ok(());
        }
        // Another item of the same WITH waits for this reference to be bound.
        let mut own = self.binding.iter().filter(|b| self.ctes[b.0].first == cte.first);
        if let (Some(outermost), Some(innermost)) = (own.clone().next(), own.next_back())
            && innermost.0 != at
        {
            let message = "mutual recursion between WITH items is not implemented";
            return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, outermost.1));
        }
        let name = &cte.name;
        let place = match (&cte.state, self.no_recursion) {
            (State::NoStep, _) => {
                let form = "does not have the form non-recursive-term UNION [ALL] recursive-term";
                let message = format!("recursive query \"{name}\" {form}");
                let written = self.binding.iter().rfind(|b| b.0 == at).map_or(pos, |b| b.1);
                return Err(self.error(SqlState::INVALID_RECURSION, message, written));
            }
            (State::Base, _) => "its non-recursive term",
            (_, Some(place)) => place,
            (_, None) if cte.read => {
                let message = format!("recursive reference to query \"{name}\" must not appear more than once");
                return Err(self.error(SqlState::INVALID_RECURSION, message, pos));
            }
            (_, None) => return Ok(()),
        };
        let message = format!("recursive reference to query \"{name}\" must not appear within {place}");
        Err(self.error(SqlState::INVALID_RECURSION, message, pos))
    }

    /// Runs `f` where a recursive query must not name itself.
    pub(crate) fn without_recursion<T>(&mut self, place: NoRecursion, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.no_recursion;
        self.no_recursion = place.or(before);
        let outcome = f(self);
        self.no_recursion = before;
        outcome
    }

    fn renamed(&self, cte: &ast::Cte, columns: Vec<OutputColumn>) -> Result<Vec<OutputColumn>> {
        if cte.columns.len() > columns.len() {
            let message = format!(
                "WITH query \"{}\" has {} columns available but {} columns specified",
                &*cte.name,
                columns.len(),
                cte.columns.len()
            );
            return Err(self.error(SqlState::INVALID_COLUMN_REFERENCE, message, cte.name.pos));
        }
        let name = |i: usize, c: &OutputColumn| cte.columns.get(i).map_or(c.name.clone(), |n| n.as_str().to_owned());
        Ok(columns
            .into_iter()
            .enumerate()
            .map(|(i, c)| OutputColumn { name: name(i, &c), origin: None, ..c })
            .collect())
    }

    /// `base UNION [ALL] step`, where the step may read item `at` of those in scope, which this is; and how many columns SEARCH and CYCLE add.
    fn recursive(
        &mut self,
        cte: &ast::Cte,
        select: &ast::Select,
        op: &ast::SetOperation,
        at: usize,
    ) -> Result<(Bound, usize)> {
        let added = self.added(cte)?;
        self.ctes[at].state = State::Base;
        let mut base = self.query(&op.left)?;
        let mut columns = self.renamed(cte, base.columns.clone())?;
        let name = cte.name.as_str();
        self.ctes[at].state = State::Step;
        self.ctes[at].columns = columns.iter().chain(&added.columns).cloned().collect();
        self.ctes[at].added = added.columns.len();
        let around = self.no_recursion.take();
        let step = match added.columns.is_empty() {
            true => self.query(&op.right),
            false => self.searching_step(name, op, &added),
        };
        self.no_recursion = around;
        let step = step?;
        if !self.ctes[at].read {
            return match added.columns.is_empty() {
                true => Ok((self.query(select)?, 0)),
                false => Err(self.not_recursive(cte)),
            };
        }
        let refused = match (&select.order_by[..], &select.limit) {
            ([by, ..], _) => Some(("ORDER BY", by.expr.location())),
            ([], Some(limit)) => match (&limit.offset, &limit.count) {
                (Some(offset), _) => Some(("OFFSET", offset.location())),
                (None, Some(count)) => Some(("LIMIT", count.location())),
                (None, None) => None,
            },
            ([], None) => None,
        };
        if let Some((what, pos)) = refused {
            let message = format!("{what} in a recursive query is not implemented");
            return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, pos));
        }
        if step.columns.len() != base.columns.len() + added.columns.len() {
            let message = "each UNION query must have the same number of columns";
            return Err(self.error(SqlState::SYNTAX_ERROR, message, crate::setop::target_location(&op.right, 0)));
        }
        if !op.all {
            let location = |i| crate::setop::target_location(&op.left, i);
            columns.iter().enumerate().try_for_each(|(i, c)| self.needs_equality(c.ty, location(i)))?;
        }
        let mut exprs = Vec::new();
        for (i, (b, s)) in base.columns.iter().zip(&step.columns).enumerate() {
            if resolve::common_type(self.image, &[b.ty, s.ty]).is_none() {
                let (left, right) = (self.type_shown(b.ty), self.type_shown(s.ty));
                let message = format!("UNION types {left} and {right} cannot be matched");
                let at = crate::setop::target_location(&op.right, i);
                return Err(self.error(SqlState::DATATYPE_MISMATCH, message, at));
            }
            if b.ty != s.ty && resolve::common_type(self.image, &[b.ty, s.ty]) != Some(b.ty) {
                let message = format!(
                    "recursive query \"{}\" column {} has type {} in non-recursive term but type {} overall",
                    &*cte.name,
                    i + 1,
                    self.type_shown(b.ty),
                    self.type_shown(s.ty)
                );
                return Err(self
                    .error(SqlState::DATATYPE_MISMATCH, message, crate::setop::target_location(&op.left, i))
                    .hint("Cast the output of the non-recursive term to the correct type."));
            }
            if b.typmod >= 0 && (b.ty != s.ty || b.typmod != s.typmod) {
                let whole = |typmod| types::typmod::format_type(b.ty, typmod).unwrap_or_else(|| self.type_shown(b.ty));
                let message = format!(
                    "recursive query \"{}\" column {} has type {} in non-recursive term but type {} overall",
                    &*cte.name,
                    i + 1,
                    whole(b.typmod),
                    whole(-1)
                );
                return Err(self
                    .error(SqlState::DATATYPE_MISMATCH, message, crate::setop::target_location(&op.left, i))
                    .hint("Cast the output of the non-recursive term to the correct type."));
            }
            let column = Expr::column(i, s.ty, s.typmod);
            let converted = self.coerce(column, b.ty, -1, coerce::Context::Implicit)?;
            exprs.push(converted.ok_or_else(|| SqlError::internal("the common type was just found"))?);
        }
        let mut step_node = Node::Project { input: Box::new(step.node), exprs };
        if !added.columns.is_empty() {
            let carried = &step.columns[base.columns.len()..];
            let Node::Project { exprs, .. } = &mut step_node else { unreachable!("made above") };
            exprs.extend(carried.iter().enumerate().map(|(i, c)| Expr::column(columns.len() + i, c.ty, c.typmod)));
            (base.node, step_node) = self.searched(&added, &columns, base.node, step_node)?;
            columns.extend(added.columns.iter().cloned());
        }
        let (base, step) = (Box::new(base.node), Box::new(step_node));
        let node = Node::Recursive { id: self.ctes[at].id, base, step, distinct: !op.all };
        Ok((Bound { node, columns }, added.columns.len()))
    }

    /// The item of WITH, among those in scope, that `name` means.
    pub(crate) fn cte_named(&self, name: &ast::RangeVar) -> Option<usize> {
        if name.schema.is_some() {
            return None;
        }
        self.ctes.iter().rposition(|c| c.name == name.name.as_str())
    }

    /// What a table in `from`, or in joins there, is called that is the query being bound itself.
    pub(crate) fn self_reference(&self, from: &[TableRef]) -> Option<ast::Name> {
        if self.binding.is_empty() {
            return None;
        }
        from.iter().find_map(|item| match item {
            TableRef::Relation(r) => {
                let at = self.cte_named(&r.relation)?;
                let own = matches!(self.ctes[at].state, State::Step);
                own.then(|| r.alias.as_ref().map_or(&r.relation.name, |a| &a.name).clone())
            }
            TableRef::Join(j) => {
                let left = self.self_reference(std::slice::from_ref(&j.left));
                left.or_else(|| self.self_reference(std::slice::from_ref(&j.right)))
            }
            _ => None,
        })
    }

    /// Runs `f` while item `at` of those in scope is printed.
    pub(crate) fn printing_cte<T>(&mut self, at: usize, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.ctes[at].state, State::Printed);
        let outcome = f(self);
        self.ctes[at].state = before;
        outcome
    }

    pub(crate) fn ctes_len(&self) -> usize {
        self.ctes.len()
    }

    pub(crate) fn forget_ctes(&mut self, count: usize) {
        self.ctes.truncate(count);
    }
}
