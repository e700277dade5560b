//! Binding MERGE: a join of the target with its source, and what is done with each of its rows.

use std::sync::Arc;

use plan::{Expr, ExprKind, JoinKind, MergeAction, MergeArm, MergeMatch, Node};
use syntax::ast::{self, ExprKind as Ast, Merge, MergeMatch as AstMatch};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::Binder;
use crate::expr::Place;
use crate::query::Bound;
use crate::scope::{Frame, Scope, ScopeColumn};
use crate::target::{Part, Row, Target, Verb};

impl Binder<'_> {
    /// Binds MERGE.
    ///
    /// # Errors
    /// As [`Binder::query`].
    pub fn merge(&mut self, merge: &Merge) -> Result<Bound> {
        if let Some(with) = merge.with.as_deref().filter(|w| w.recursive) {
            let message = "WITH RECURSIVE is not supported for MERGE statement";
            return Err(self.error(SqlState::SYNTAX_ERROR, message, with.pos));
        }
        self.with(merge.with.as_deref(), |b| b.merge_body(merge))
    }

    fn merge_body(&mut self, merge: &Merge) -> Result<Bound> {
        let mut unconditional = Vec::new();
        for when in &merge.whens {
            if unconditional.contains(&when.matched) {
                let message = "unreachable WHEN clause specified after unconditional WHEN clause";
                return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
            }
            if when.condition.is_none() {
                unconditional.push(when.matched);
            }
        }
        let mut verbs = Vec::new();
        for when in &merge.whens {
            verbs.extend(match when.action {
                ast::MergeAction::DoNothing => None,
                ast::MergeAction::Delete => Some(Verb::Delete),
                ast::MergeAction::Update(_) => Some(Verb::Update),
                ast::MergeAction::Insert { .. } => Some(Verb::Insert),
            });
        }
        let mut target = self.target(&merge.relation, &verbs, true)?;
        let alias = merge.alias.as_ref().map_or(target.name().to_owned(), |a| a.as_str().to_owned());
        target.table.label = self.label(&alias, &Scope::default());
        let own = self.target_scope(&target, &alias, merge.alias.is_none());
        let (source, mut source_scope) = self.from(std::slice::from_ref(&merge.source))?;
        if let Some(c) = source_scope.columns.iter().find(|c| c.table == alias) {
            let message = format!("name \"{}\" specified more than once", c.table);
            return Err(SqlError::new(SqlState::DUPLICATE_ALIAS, message)
                .detail("The name is used both as MERGE target table and data source."));
        }
        // Whether there is a source row.
        let types = source.types();
        let mut exprs: Vec<Expr> = types.iter().enumerate().map(|(i, &ty)| Expr::column(i, ty, -1)).collect();
        exprs.push(Expr::new(ExprKind::Const(Datum::Bool(true)), oid::BOOL, 0));
        let source = Node::Project { input: Box::new(source), exprs };
        source_scope.columns.push(nameless(oid::BOOL));
        let others = types.len() + 1;
        let scope = own.clone().join(source_scope.clone());
        let row = Row(vec![Part::Target(&target, 0), Part::Plain(others, target.width())]);
        let mut on = self.condition(&merge.on, &mut Place::new(&scope, "JOIN/ON"))?;
        row.lower(&mut on);
        let has = |m: AstMatch| merge.whens.iter().any(|w| w.matched == m);
        let kind = match (has(AstMatch::NotMatchedBySource), has(AstMatch::NotMatchedByTarget)) {
            (true, true) => JoinKind::Full,
            (true, false) => JoinKind::Left,
            (false, true) => JoinKind::Right,
            (false, false) => JoinKind::Inner,
        };
        let input = Node::Join {
            kind,
            left: Box::new(target.rows()),
            right: Box::new(source),
            equal: Vec::new(),
            condition: Some(on.clone()),
        };
        let blank =
            |from: &Scope| Scope { columns: from.columns.iter().map(|c| nameless(c.ty)).collect(), ..Scope::default() };
        let only_target = own.clone().join(blank(&source_scope));
        let only_source = blank(&own).join(source_scope.clone());
        let mut arms = Vec::new();
        for when in &merge.whens {
            let (matched, seen, unseen) = match when.matched {
                AstMatch::Matched => (MergeMatch::Both, &scope, None),
                AstMatch::NotMatchedBySource => (MergeMatch::TargetOnly, &only_target, Some(&source_scope)),
                AstMatch::NotMatchedByTarget => (MergeMatch::SourceOnly, &only_source, Some(&own)),
            };
            let hidden = Frame::new(unseen.cloned().unwrap_or_default(), 0, "MERGE WHEN");
            self.frames.push(Frame { visible: false, ..hidden });
            let arm = self.arm(when, &target, seen, &row);
            self.frames.pop();
            let (condition, action) = arm.map_err(out_of_sight)?;
            arms.push(MergeArm { matched, condition, action });
        }
        let (returning, columns) = self.returning(merge.returning.as_deref(), &target, &scope, others, true)?;
        let rules = Arc::new(self.target_rules(&target)?);
        let recheck = target.quals().iter().cloned().chain([on]).collect();
        let marker = target.width() + types.len();
        let node = Node::Merge {
            table: Arc::new(target.table),
            rules,
            input: Box::new(input),
            marker,
            recheck,
            arms,
            returning,
        };
        Ok(Bound { node, columns })
    }

    fn arm(
        &mut self,
        when: &ast::MergeWhen,
        target: &Target,
        scope: &Scope,
        row: &Row<'_>,
    ) -> Result<(Option<Expr>, MergeAction)> {
        let condition = match &when.condition {
            Some(e) => {
                let mut bound = self.condition(e, &mut Place::new(scope, "MERGE WHEN"))?;
                row.lower(&mut bound);
                Some(bound)
            }
            None => None,
        };
        let action = match &when.action {
            ast::MergeAction::DoNothing => MergeAction::Nothing,
            ast::MergeAction::Delete => MergeAction::Delete,
            ast::MergeAction::Update(sets) => MergeAction::Update(self.sets(sets, target, scope, row, when.pos)?),
            ast::MergeAction::Insert { columns, overriding, values } => {
                MergeAction::Insert(self.merge_insert(target, scope, row, (columns, *overriding, values), when.pos)?)
            }
        };
        Ok((condition, action))
    }

    /// The row that INSERT of a MERGE adds.
    fn merge_insert(
        &mut self,
        target: &Target,
        scope: &Scope,
        row: &Row<'_>,
        (columns, overriding, values): (&[ast::AssignTarget], ast::Overriding, &[ast::Expr]),
        pos: ast::Pos,
    ) -> Result<Vec<Expr>> {
        let mut listed = self.insert_columns(target, columns)?;
        if values.len() > listed.len() {
            let message = "INSERT has more expressions than target columns";
            return Err(self.error(SqlState::SYNTAX_ERROR, message, values[listed.len()].location()));
        }
        if values.len() < listed.len() && !columns.is_empty() && !values.is_empty() {
            let message = "INSERT has more target columns than expressions";
            return Err(self.error(SqlState::SYNTAX_ERROR, message, pos));
        }
        listed.truncate(values.len());
        let table = &target.table;
        let mut given: Vec<Option<Expr>> = vec![None; table.columns.len()];
        // Rows and arrays of which parts are given, over the columns of `scope`.
        let mut made: Vec<(usize, Expr)> = Vec::new();
        for (n, (&place, e)) in listed.iter().zip(values).enumerate() {
            let i = target.written(place, Verb::Insert)?;
            let c = &table.columns[i];
            let fixed = matches!(e.kind, Ast::SetToDefault) || !self.takes(table, i, overriding)?;
            if let Some(to) = columns.get(n).filter(|t| !t.path.is_empty()) {
                if fixed {
                    return Err(self.no_default_for_part(to));
                }
                let at = made.iter().position(|m| m.0 == i).unwrap_or_else(|| {
                    made.push((i, Expr { typmod: c.typmod, ..Expr::null(c.ty) }));
                    made.len() - 1
                });
                let mut inner = Place::new(scope, "VALUES");
                made[at].1 = self.with_part(made[at].1.clone(), (&c.name, to), e, &mut inner)?;
                let mut value = made[at].1.clone();
                row.lower(&mut value);
                given[i] = Some(value);
                continue;
            }
            if fixed {
                continue;
            }
            let value = self.expr(e, &mut Place::new(scope, "VALUES"))?;
            let mut value = self.assign(value, &c.name, c.ty, c.typmod, e.location())?;
            row.lower(&mut value);
            given[i] = Some(value);
        }
        let mut sets = Vec::new();
        for (i, value) in given.into_iter().enumerate() {
            let value = match value {
                Some(value) => value,
                None => self.target_default(target, i)?,
            };
            sets.push((i, value));
        }
        for (i, mut e) in self.generated(table)? {
            crate::dml::substitute(&mut e, &sets);
            sets[i].1 = e;
        }
        Ok(sets.into_iter().map(|s| s.1).collect())
    }

    /// `old`, what is known of a column so far, with the part `to` of it set to `new`.
    fn with_part(
        &mut self,
        old: Expr,
        (name, to): (&str, &ast::AssignTarget),
        new: &ast::Expr,
        place: &mut Place<'_>,
    ) -> Result<Expr> {
        if let [ast::Indirection::Field(_), ..] = to.path[..] {
            let mut put = |b: &mut Self, ty: Oid, typmod: i32, name: &str| b.subfield(new, place, (ty, typmod, name));
            return self.with_field(&old, &to.path, &mut put, &to.name);
        }
        let value = self.expr(new, place)?;
        self.assign_part(old, name, &to.path, (value, to.name.pos), place)
    }
}

/// The error of a name that is in the statement, but not for this arm.
fn out_of_sight(mut e: SqlError) -> SqlError {
    if e.state() == SqlState::UNDEFINED_TABLE && e.message().starts_with("invalid reference") {
        e.fields_mut().hint = None;
    }
    e
}

/// A column that nothing names.
fn nameless(ty: Oid) -> ScopeColumn {
    ScopeColumn { table: String::new(), schema: None, name: String::new(), ty, typmod: -1, hidden: true, origin: None }
}
