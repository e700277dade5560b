//! Binding INSERT, UPDATE and DELETE.

use std::sync::Arc;

use plan::{ConflictUpdate, Expr, JoinKind, Node, OnConflict, TableRef};
use syntax::ast::{
    self, ConflictAction, ConflictTarget, Delete, ExprKind as Ast, Insert, Pos, SelectBody, SetClause, Update,
};
use types::{Oid, Result, SqlError, SqlState, oid};

use crate::Binder;
use crate::expr::Place;
use crate::query::Bound;
use crate::scope::Scope;
use crate::target::{Part, Row, Target, Verb};
use crate::value_rows::ValueRows;

impl Binder<'_> {
    /// Binds INSERT.
    ///
    /// # Errors
    /// As [`Binder::query`].
    pub fn insert(&mut self, insert: &Insert) -> Result<Bound> {
        self.with(insert.with.as_deref(), |b| b.insert_body(insert))
    }

    /// The columns that INSERT names; all when it names none.
    pub(crate) fn insert_columns(&self, target: &Target, columns: &[ast::AssignTarget]) -> Result<Vec<usize>> {
        let mut places = Vec::new();
        for column in columns {
            let found = target.position(&column.name.text).ok_or_else(|| {
                let message =
                    format!("column \"{}\" of relation \"{}\" does not exist", column.name.text, target.name());
                self.error(SqlState::UNDEFINED_COLUMN, message, column.name.pos)
            })?;
            // Parts of a column may be listed one after the other.
            if places.contains(&found) && column.path.is_empty() {
                let message = format!("column \"{}\" specified more than once", column.name.text);
                return Err(self.error(SqlState::DUPLICATE_COLUMN, message, column.name.pos));
            }
            places.push(found);
        }
        Ok(if columns.is_empty() { target.listed() } else { places })
    }

    fn insert_body(&mut self, insert: &Insert) -> Result<Bound> {
        let verbs = match insert.on_conflict.as_ref().map(|c| &c.action) {
            Some(ConflictAction::Update { .. }) => &[Verb::Insert, Verb::Update][..],
            _ => &[Verb::Insert][..],
        };
        let mut target = self.target(&insert.relation, verbs, false)?;
        let alias = insert.alias.as_ref().map_or(target.name().to_owned(), |a| a.as_str().to_owned());
        target.table.label = self.label(&alias, &Scope::default());
        let table = target.table.clone();
        let is_field = |c: &ast::AssignTarget| matches!(c.path[..], [ast::Indirection::Field(_), ..]);
        if let Some(c) = insert.columns.iter().find(|c| is_field(c)) {
            if target.is_view() {
                return Err(self.unsupported("INSERT into a field of a view's column", c.name.pos));
            }
            let input = self.insert_parts(&table, insert)?;
            return self.finish_insert(insert, target, input);
        }
        let mut positions = self.insert_columns(&target, &insert.columns)?;
        if let Some(SelectBody::Values(rows)) = insert.source.as_ref().map(|s| &s.body)
            && insert.columns.is_empty()
            && let Some(row) = rows.first()
        {
            // Columns that are given nothing need not be writable.
            positions.truncate(row.len().max(1));
            if row.len() > positions.len() {
                let message = "INSERT has more expressions than target columns";
                return Err(self.error(SqlState::SYNTAX_ERROR, message, row[positions.len()].location()));
            }
        }
        let mut positions = self.written_columns(&target, positions, insert)?;
        let parts = insert.columns.iter().any(|c| !c.path.is_empty());
        let input = match &insert.source {
            None => Node::Values { rows: vec![Vec::new()], types: Vec::new() },
            Some(source) => match &source.body {
                // Literals in VALUES take the columns' types one by one.
                SelectBody::Values(rows) if source.order_by.is_empty() && source.limit.is_none() => {
                    self.insert_values(&target, &positions, rows, insert)?
                }
                _ => {
                    let mut node = self.query_unsettled(source)?.node;
                    if let Node::Project { exprs, .. } = &mut node {
                        for (i, (e, &p)) in exprs.iter_mut().zip(&positions).enumerate() {
                            let ty = table.columns[p].ty;
                            let element = insert.columns.get(i).is_some_and(|c| is_element(&c.path));
                            let ty = Some(ty).filter(|_| !element).or(crate::polymorphic::element_of(ty));
                            *e = self.settle_as(e.clone(), ty.unwrap_or(table.columns[p].ty))?;
                        }
                    }
                    node
                }
            },
        };
        let given = input.types().len();
        if given > positions.len() {
            let extra = |s: &ast::Select| crate::setop::target_location(s, positions.len());
            return Err(self.error(
                SqlState::SYNTAX_ERROR,
                "INSERT has more expressions than target columns",
                insert.source.as_ref().map_or(insert.pos, extra),
            ));
        }
        if given < positions.len() && !insert.columns.is_empty() {
            return Err(self.error(
                SqlState::SYNTAX_ERROR,
                "INSERT has more target columns than expressions",
                insert.columns[given].name.pos,
            ));
        }
        positions.truncate(given);
        let values = insert.source.as_ref().is_some_and(|s| matches!(s.body, SelectBody::Values(_)));
        if !values {
            let given = std::mem::take(&mut positions);
            for (source, p) in given.into_iter().enumerate() {
                // A column whose values are not taken keeps its place in the source, and none in the table.
                let taken = self.takes(&table, p, insert.overriding)?;
                positions.push(if taken { p } else { usize::MAX - source });
            }
        }
        let types = input.types();
        let mut exprs = Vec::new();
        for (i, c) in table.columns.iter().enumerate() {
            if parts && insert.columns.iter().zip(&positions).any(|(t, &p)| p == i && !t.path.is_empty()) {
                let mut array = Expr { typmod: c.typmod, ..Expr::null(c.ty) };
                let nothing = Scope::default();
                for (source, (t, _)) in insert.columns.iter().zip(&positions).enumerate().filter(|(_, (_, p))| **p == i)
                {
                    let value = (Expr::column(source, types[source], -1), t.name.pos);
                    let mut place = Place::new(&nothing, "INSERT");
                    array = self.assign_part(array, &c.name, &t.path, value, &mut place)?;
                }
                exprs.push(array);
                continue;
            }
            exprs.push(match positions.iter().position(|&p| p == i) {
                Some(source) => {
                    let column = Expr::column(source, types[source], if types[source] == c.ty { c.typmod } else { -1 });
                    // What VALUES yields is of the column's type and length already.
                    let column = if values { column } else { Expr { typmod: -1, ..column } };
                    self.assign(column, &c.name, c.ty, c.typmod, insert.pos)?
                }
                None => self.target_default(&target, i)?,
            });
        }
        let input = Node::Project { input: Box::new(input), exprs };
        self.finish_insert(insert, target, input)
    }

    /// The rest of INSERT, once the rows it adds are known.
    fn finish_insert(&mut self, insert: &Insert, target: Target, input: Node) -> Result<Bound> {
        let table = target.table.clone();
        let input = Box::new(self.with_generated(input, &table)?);
        let alias = insert.alias.as_ref().map_or(target.name().to_owned(), |a| a.as_str().to_owned());
        let scope = self.target_scope(&target, &alias, insert.alias.is_none());
        let conflict = match &insert.on_conflict {
            Some(c) => Some(Box::new(self.on_conflict(c, &target, &scope)?)),
            None => None,
        };
        let (returning, columns) = self.returning(insert.returning.as_deref(), &target, &scope, 0, false)?;
        let rules = Arc::new(self.target_rules(&target)?);
        Ok(Bound { node: Node::Insert { table: Arc::new(table), rules, input, conflict, returning }, columns })
    }

    /// The table's columns that the columns `places` of a target are: all of them that are given values.
    fn written_columns(&self, target: &Target, places: Vec<usize>, insert: &Insert) -> Result<Vec<usize>> {
        let mut written = Vec::with_capacity(places.len());
        for (i, place) in places.into_iter().enumerate() {
            let part = insert.columns.get(i).is_some_and(|c| !c.path.is_empty());
            match target.written(place, Verb::Insert) {
                Ok(column) if written.contains(&column) && !part => {
                    let message =
                        format!("multiple assignments to same column \"{}\"", target.table.columns[column].name);
                    return Err(types::SqlError::new(SqlState::SYNTAX_ERROR, message));
                }
                Ok(column) => written.push(column),
                // INSERT ... SELECT may give fewer columns than there are.
                Err(e) if !insert.columns.is_empty() || written.is_empty() => return Err(e),
                Err(e) => {
                    if insert.source.as_ref().is_some_and(|s| matches!(s.body, SelectBody::Values(_))) {
                        return Err(e);
                    }
                    break;
                }
            }
        }
        Ok(written)
    }

    fn on_conflict(&mut self, c: &ast::OnConflict, target: &Target, scope: &Scope) -> Result<OnConflict> {
        let table = &target.table;
        let no_index = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
        let indexes = match &c.target {
            None if matches!(c.action, ConflictAction::Update { .. }) => {
                let message = "ON CONFLICT DO UPDATE requires inference specification or constraint name";
                return Err(self
                    .error(SqlState::SYNTAX_ERROR, message, c.pos)
                    .hint("For example, ON CONFLICT (column_name)."));
            }
            None => Vec::new(),
            Some(ConflictTarget::Constraint(name)) => {
                let found =
                    table.indexes.iter().position(|i| i.unique && i.name == *name.as_str()).ok_or_else(|| {
                        let message =
                            format!("constraint \"{}\" for table \"{}\" does not exist", name.as_str(), table.name);
                        SqlError::new(SqlState::UNDEFINED_OBJECT, message)
                    })?;
                vec![found]
            }
            Some(ConflictTarget::Infer { elements, where_clause, pos }) => {
                let found = self.arbiters(elements, where_clause.as_ref(), target, *pos)?;
                if found.is_empty() {
                    return Err(self.error(SqlState::INVALID_COLUMN_REFERENCE, no_index, Pos::NONE));
                }
                found
            }
        };
        let update = match &c.action {
            ConflictAction::Nothing => None,
            ConflictAction::Update { sets, where_clause } => {
                let excluded = target.scope("excluded", false);
                let row = Row(vec![Part::Target(target, 0), Part::Target(target, target.width())]);
                let both = scope.clone().join(Scope { columns: excluded.columns, ..Scope::default() });
                let sets = self.sets(sets, target, &both, &row, c.pos)?;
                let condition = match where_clause {
                    Some(e) => {
                        let mut bound = self.condition(e, &mut Place::new(&both, "WHERE"))?;
                        row.lower(&mut bound);
                        Some(bound)
                    }
                    None => None,
                };
                Some(ConflictUpdate { sets, condition })
            }
        };
        Ok(OnConflict { indexes, update })
    }

    /// Whether INSERT takes a value for column `p`, or puts its default in its place.
    ///
    /// # Errors
    /// `428C9`.
    pub(crate) fn takes(&self, table: &TableRef, p: usize, overriding: ast::Overriding) -> Result<bool> {
        let name = &table.columns[p].name;
        let message = || format!("cannot insert a non-DEFAULT value into column \"{name}\"");
        if self.is_generated(table, p) {
            return Err(types::SqlError::new(SqlState::GENERATED_ALWAYS, message())
                .detail(format!("Column \"{name}\" is a generated column.")));
        }
        let identity = self.image.by_oid(table.oid).and_then(|t| t.columns.get(p)).map_or(0, |c| c.identity);
        match (identity, overriding) {
            (b'a' | b'd', ast::Overriding::UserValue) => Ok(false),
            (b'a', ast::Overriding::NotSet) => Err(types::SqlError::new(SqlState::GENERATED_ALWAYS, message())
                .detail(format!("Column \"{name}\" is an identity column defined as GENERATED ALWAYS."))
                .hint("Use OVERRIDING SYSTEM VALUE to override.")),
            _ => Ok(true),
        }
    }

    fn insert_values(
        &mut self,
        target: &Target,
        positions: &[usize],
        rows: &[Vec<ast::Expr>],
        insert: &Insert,
    ) -> Result<Node> {
        let (scope, table) = (Scope::default(), &target.table);
        let mut bound = ValueRows::new(rows.len());
        // Found once for all rows.
        let mut taken: Vec<Option<bool>> = vec![None; positions.len()];
        for row in rows {
            if row.len() != rows[0].len() {
                let pos = row.first().map_or(insert.pos, |e| e.location());
                return Err(self.error(SqlState::SYNTAX_ERROR, "VALUES lists must all be the same length", pos));
            }
            if row.len() > positions.len() {
                let message = "INSERT has more expressions than target columns";
                return Err(self.error(SqlState::SYNTAX_ERROR, message, row[positions.len()].location()));
            }
            let mut place = Place::new(&scope, "VALUES");
            let mut out = Vec::with_capacity(row.len());
            for (e, &p) in row.iter().zip(positions) {
                let c = &table.columns[p];
                let takes = match (&e.kind, taken[out.len()]) {
                    (Ast::SetToDefault, _) => false,
                    (_, Some(known)) => known,
                    _ => *taken[out.len()].insert(self.takes(table, p, insert.overriding)?),
                };
                if !takes {
                    out.push(self.target_default(target, p)?);
                    continue;
                }
                let value = self.expr(e, &mut place)?;
                out.push(match insert.columns.get(out.len()).filter(|t| !t.path.is_empty()) {
                    Some(t) => self.part_value(value, &c.name, (c.ty, c.typmod), &t.path, t.name.pos)?,
                    None => self.assign(value, &c.name, c.ty, c.typmod, e.location())?,
                });
            }
            bound.push(out);
        }
        Ok(bound.into_node())
    }

    /// Binds UPDATE.
    ///
    /// # Errors
    /// As [`Binder::query`].
    pub fn update(&mut self, update: &Update) -> Result<Bound> {
        self.with(update.with.as_deref(), |b| b.update_body(update))
    }

    fn update_body(&mut self, update: &Update) -> Result<Bound> {
        let mut target = self.target(&update.relation, &[Verb::Update], false)?;
        let alias = update.alias.as_ref().map_or(target.name().to_owned(), |a| a.as_str().to_owned());
        target.table.label = self.label(&alias, &Scope::default());
        let own = update.alias.is_none();
        let (input, scope, others) =
            self.target_rows(&target, &alias, own, &update.from, update.where_clause.as_ref())?;
        let row = Row(vec![Part::Target(&target, 0), Part::Plain(others, target.width())]);
        let sets = self.sets(&update.sets, &target, &scope, &row, update.pos)?;
        let (returning, columns) = self.returning(update.returning.as_deref(), &target, &scope, others, false)?;
        let rules = Arc::new(self.target_rules(&target)?);
        let node = Node::Update { table: Arc::new(target.table), rules, input: Box::new(input), sets, returning };
        Ok(Bound { node, columns })
    }

    /// The columns of a target as names see them; its row is one, too.
    pub(crate) fn target_scope(&self, target: &Target, alias: &str, own: bool) -> Scope {
        let mut scope = target.scope(alias, own);
        scope.rows.extend(self.row_type_of(target.oid()).map(|ty| (alias.to_owned(), ty)));
        scope
    }

    /// The assignments of SET, over the columns of `scope`, which are in `row`.
    pub(crate) fn sets(
        &mut self,
        clauses: &[SetClause],
        target: &Target,
        scope: &Scope,
        row: &Row<'_>,
        pos: ast::Pos,
    ) -> Result<Vec<(usize, Expr)>> {
        let table = &target.table;
        let mut sets: Vec<(usize, Expr)> = Vec::new();
        let mut in_parts: Vec<usize> = Vec::new();
        let mut refused = None;
        // Rows with some columns replaced, over the columns of `scope`.
        let mut with_fields: Vec<(usize, Expr)> = Vec::new();
        for set in clauses {
            for (assigned, value) in self.assignments(set)? {
                let name = &assigned.name.text;
                let place = target.position(name).ok_or_else(|| {
                    let message = format!("column \"{name}\" of relation \"{}\" does not exist", target.name());
                    let error = self.error(SqlState::UNDEFINED_COLUMN, message, assigned.name.pos);
                    match !assigned.path.is_empty() && *name == target.name() {
                        true => error.hint("SET target columns cannot be qualified with the relation name."),
                        false => error,
                    }
                })?;
                let column = target.written(place, Verb::Update)?;
                // Several parts of a column may be assigned to, one after the other.
                let before = sets.iter().position(|s| s.0 == column);
                let parts = !assigned.path.is_empty();
                if before.is_some_and(|b| !parts || !in_parts.contains(&sets[b].0)) {
                    let message = format!("multiple assignments to same column \"{}\"", table.columns[column].name);
                    refused.get_or_insert_with(|| types::SqlError::new(SqlState::SYNTAX_ERROR, message));
                }
                let c = table.columns[column].clone();
                let is_default = matches!(value, Value::Expr(e) if matches!(e.kind, Ast::SetToDefault));
                let always = self.is_always_identity(table, column);
                if (always || self.is_generated(table, column)) && !is_default {
                    let message = format!("column \"{name}\" can only be updated to DEFAULT");
                    let what =
                        if always { "an identity column defined as GENERATED ALWAYS" } else { "a generated column" };
                    // What is wrong with values is said first.
                    refused.get_or_insert_with(|| {
                        types::SqlError::new(SqlState::GENERATED_ALWAYS, message)
                            .detail(format!("Column \"{name}\" is {what}."))
                    });
                }
                if let (true, [ast::Indirection::Field(_), ..]) = (parts, &assigned.path[..]) {
                    let Value::Expr(e) = value else {
                        return Err(self.unsupported("a field set to a column of a subquery", assigned.name.pos));
                    };
                    let known = with_fields.iter().position(|f| f.0 == column);
                    let old = known.map_or(Expr::column(place, c.ty, c.typmod), |i| with_fields[i].1.clone());
                    let mut inner = Place::new(scope, "UPDATE");
                    let mut put =
                        |b: &mut Self, ty: Oid, typmod: i32, name: &str| b.subfield(e, &mut inner, (ty, typmod, name));
                    let new = self.with_field(&old, &assigned.path, &mut put, &assigned.name)?;
                    let mut bound = new.clone();
                    row.lower(&mut bound);
                    match known {
                        Some(i) => with_fields[i].1 = new,
                        None => with_fields.push((column, new)),
                    }
                    match before {
                        Some(i) => sets[i].1 = bound,
                        None => {
                            sets.push((column, bound));
                            in_parts.push(column);
                        }
                    }
                    continue;
                }
                if parts {
                    let pos = assigned.name.pos;
                    let value = match value {
                        Value::Expr(_) if is_default => {
                            let message = "cannot set an array element to DEFAULT";
                            return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, pos));
                        }
                        Value::Expr(e) => self.expr(e, &mut Place::new(scope, "UPDATE"))?,
                        Value::Field(select, at, count, pos) => {
                            self.field_of_row(select, at, count, pos, &mut Place::new(scope, "UPDATE"))?
                        }
                    };
                    let array = Expr { typmod: c.typmod, ..Expr::column(place, c.ty, c.typmod) };
                    let mut place = Place::new(scope, "UPDATE");
                    let mut bound = self.assign_part(array, name, &assigned.path, (value, pos), &mut place)?;
                    row.lower(&mut bound);
                    if let Some(before) = before {
                        let plan::ExprKind::Part { array, .. } = &mut bound.kind else { continue };
                        **array = sets[before].1.clone();
                        sets[before].1 = bound;
                    } else {
                        sets.push((column, bound));
                        in_parts.push(column);
                    }
                    continue;
                }
                let mut bound = match value {
                    Value::Expr(_) if is_default => self.target_default(target, column)?,
                    Value::Expr(e) => {
                        let bound = self.expr(e, &mut Place::new(scope, "UPDATE"))?;
                        self.assign(bound, name, c.ty, c.typmod, e.location())?
                    }
                    Value::Field(select, at, count, pos) => {
                        let bound = self.field_of_row(select, at, count, pos, &mut Place::new(scope, "UPDATE"))?;
                        self.assign(bound, name, c.ty, c.typmod, pos)?
                    }
                };
                row.lower(&mut bound);
                sets.push((column, bound));
            }
        }
        if let Some(refused) = refused {
            return Err(refused);
        }
        for (column, mut value) in self.generated(table)? {
            sets.retain(|s| s.0 != column);
            substitute(&mut value, &sets);
            if sets.iter().any(|s| crate::rules::is_volatile(&s.1)) && crate::rules::is_volatile(&value) {
                let what = "UPDATE of a column that a generated one reads to a volatile value";
                return Err(self.unsupported(what, pos));
            }
            sets.push((column, value));
        }
        Ok(sets)
    }

    /// The columns of a clause of SET, each with its value.
    fn assignments<'c>(&self, set: &'c SetClause) -> Result<Vec<(&'c ast::AssignTarget, Value<'c>)>> {
        Ok(match set {
            SetClause::Single { target, value } => vec![(target, Value::Expr(value))],
            SetClause::Multi { targets, source } => match &source.kind {
                Ast::Row(row) if row.fields.len() == targets.len() => {
                    targets.iter().zip(row.fields.iter().map(Value::Expr)).collect()
                }
                Ast::Row(_) => {
                    let message = "number of columns does not match number of values";
                    return Err(self.error(SqlState::SYNTAX_ERROR, message, source.pos));
                }
                Ast::ScalarSubquery(select) => {
                    let field = |i| Value::Field(select, i, targets.len(), source.pos);
                    targets.iter().zip((0..targets.len()).map(field)).collect()
                }
                _ => {
                    let message = "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression";
                    return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, source.pos));
                }
            },
        })
    }

    /// Binds DELETE.
    ///
    /// # Errors
    /// As [`Binder::query`].
    pub fn delete(&mut self, delete: &Delete) -> Result<Bound> {
        self.with(delete.with.as_deref(), |b| {
            let mut target = b.target(&delete.relation, &[Verb::Delete], false)?;
            let alias = delete.alias.as_ref().map_or(target.name().to_owned(), |a| a.as_str().to_owned());
            target.table.label = b.label(&alias, &Scope::default());
            let (input, scope, others) =
                b.target_rows(&target, &alias, delete.alias.is_none(), &delete.using, delete.where_clause.as_ref())?;
            let (returning, columns) = b.returning(delete.returning.as_deref(), &target, &scope, others, false)?;
            let rules = Arc::new(b.row_rules(&target.table)?);
            Ok(Bound {
                node: Node::Delete { table: Arc::new(target.table), rules, input: Box::new(input), returning },
                columns,
            })
        })
    }

    /// The rows that UPDATE or DELETE works on: the target's, joined with `others`, and how many columns those have.
    fn target_rows(
        &mut self,
        target: &Target,
        alias: &str,
        own: bool,
        others: &[ast::TableRef],
        condition: Option<&ast::Expr>,
    ) -> Result<(Node, Scope, usize)> {
        let mut scope = self.target_scope(target, alias, own);
        let mut node = target.rows();
        let mut width = 0;
        if !others.is_empty() {
            let (right, right_scope) = self.from(others)?;
            self.check_aliases(&scope, &right_scope)?;
            width = right_scope.columns.len();
            node = Node::Join {
                kind: JoinKind::Inner,
                left: Box::new(node),
                right: Box::new(right),
                equal: Vec::new(),
                condition: None,
            };
            scope = scope.join(right_scope);
        }
        if let Some(ast::Expr { kind: Ast::CurrentOf(cursor), .. }) = condition {
            if target.is_view() {
                return Err(types::SqlError::new(
                    SqlState::FEATURE_NOT_SUPPORTED,
                    "WHERE CURRENT OF on a view is not implemented",
                ));
            }
            let (table, shown) = (target.table.oid, target.table.name.clone());
            let current = plan::ExprKind::CurrentRow { cursor: cursor.as_str().to_owned(), table, shown };
            let args = vec![Expr::column(target.width() - 1, oid::TID, -1), Expr::new(current, oid::TID, 0)];
            let form = plan::CallForm::Operator(TID_EQUAL);
            let call = plan::ExprKind::Call { function: TID_EQUAL_FUNCTION, args, form };
            let predicate = Expr::new(call, oid::BOOL, 0);
            node = Node::Filter { input: Box::new(node), predicate };
        } else if let Some(condition) = condition {
            let mut predicate = self.condition(condition, &mut Place::new(&scope, "WHERE"))?;
            Row(vec![Part::Target(target, 0), Part::Plain(width, target.width())]).lower(&mut predicate);
            node = Node::Filter { input: Box::new(node), predicate };
        }
        Ok((node, scope, width))
    }
}

/// Whether a path leads to an element of an array.
pub(crate) fn is_element(path: &[ast::Indirection]) -> bool {
    !path.is_empty() && path.iter().all(|s| matches!(s, ast::Indirection::Index(_)))
}

/// `tid = tid`, and its function.
const TID_EQUAL: Oid = Oid(387);
const TID_EQUAL_FUNCTION: Oid = Oid(1292);

/// What a column is set to.
#[derive(Clone, Copy)]
enum Value<'c> {
    Expr(&'c ast::Expr),
    /// Column of a query's only row, of so many.
    Field(&'c ast::Select, usize, usize, Pos),
}

/// Puts the assigned values in place of the columns that `e` reads.
pub(crate) fn substitute(e: &mut Expr, sets: &[(usize, Expr)]) {
    if let plan::ExprKind::Column(i) = e.kind {
        if let Some((_, value)) = sets.iter().find(|s| s.0 == i) {
            *e = value.clone();
        }
        return;
    }
    e.children_mut().into_iter().for_each(|c| substitute(c, sets));
}
