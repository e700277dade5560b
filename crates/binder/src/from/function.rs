//! Functions in FROM: one, or several side by side, with the columns of their rows.

use std::sync::Arc;

use plan::{Expr, Node, OutputColumn};
use syntax::ast::{self, ExprKind as Ast};
use types::{Oid, Result, SqlState, oid};

use crate::Binder;
use crate::expr::Place;
use crate::scope::Scope;

/// `unnest` of an array.
const UNNEST: Oid = Oid(2331);

/// `row_number()`.
const ROW_NUMBER: Oid = Oid(3100);

impl Binder<'_> {
    /// A function, or several, as a table.
    pub(super) fn function_ref(&mut self, f: &ast::FunctionRef) -> Result<(Node, Scope)> {
        if let Some(rows) = self.rows_from(f)? {
            return Ok(rows);
        }
        let [item] = &f.functions[..] else { return Err(self.unsupported("ROWS FROM", f.pos)) };
        let scope = Scope::default();
        let mut place = Place::new(&scope, "FROM");
        place.sets = true;
        let bound = self.expr(&item.call, &mut place)?;
        let own_name = match &item.call.kind {
            Ast::FuncCall(call) => call.name.last().map_or("", |n| &**n),
            _ => "",
        };
        let own_name = if own_name.is_empty() { crate::query::figure_name(&item.call) } else { own_name.to_owned() };
        let alias = f.alias.as_ref().map_or(own_name.clone(), |a| a.name.as_str().to_owned());
        let output = |name: String, ty: Oid, typmod: i32| OutputColumn { name, ty, typmod, origin: None };
        let definitions = if f.columns.is_empty() { &item.columns } else { &f.columns };
        let defined = self.defined_columns(definitions, &bound, item)?;
        let bound = if defined.is_some() { one_of_set(bound) } else { bound };
        let row_type = bound.ty;
        let is_row = catalog::builtin::type_by_oid(self.image.base_type(row_type).0).is_some_and(|t| t.kind == b'c');
        let whole = match &bound.kind {
            // The elements of an array of anonymous rows.
            plan::ExprKind::Call { function: UNNEST, .. } if bound.ty == oid::RECORD => defined.clone(),
            _ => self.image.fields_of(bound.ty),
        };
        self.items += 1;
        let label = plan::Label { alias: alias.clone(), number: self.items, columns: Vec::new() };
        let (node, mut columns) = match bound.kind {
            // Each row is one value, whose columns are the table's.
            plan::ExprKind::Call { function, args, .. } if is_builtin_set(function) && whole.is_some() => {
                let fields = whole.unwrap_or_default();
                let (types, ordinality) = (vec![bound.ty], f.ordinality);
                let node =
                    Node::FunctionScan { function, routine: None, args, types, names: Vec::new(), ordinality, label };
                let whole = Expr::column(0, bound.ty, -1);
                let mut exprs: Vec<Expr> =
                    (0..fields.len()).map(|i| self.nth_field(whole.clone(), i, &fields)).collect();
                exprs.extend(ordinality.then(|| Expr::column(1, oid::INT8, -1)));
                let columns = fields.into_iter().map(|(n, t, m)| output(n, t, m)).collect();
                (Node::Project { input: Box::new(node), exprs }, columns)
            }
            plan::ExprKind::Call { function, args, .. } if is_builtin_set(function) => {
                let names = crate::call::set_columns(function, bound.ty);
                let columns: Vec<OutputColumn> = match (&names[..], defined) {
                    (_, Some(columns)) => columns.into_iter().map(|(n, t, m)| output(n, t, m)).collect(),
                    ([(_, ty)], None) => {
                        let named = crate::call::single_out_name(self.image, function);
                        vec![output(named.unwrap_or_else(|| alias.clone()), *ty, -1)]
                    }
                    (many, None) => many.iter().map(|(name, ty)| output(name.clone(), *ty, -1)).collect(),
                };
                let types = columns.iter().map(|c| c.ty).collect();
                let (names, ordinality) = (columns.iter().map(|c| c.name.clone()).collect(), f.ordinality);
                (Node::FunctionScan { function, routine: None, args, types, names, ordinality, label }, columns)
            }
            plan::ExprKind::Routine { routine, args, .. } => {
                let mut own = (*routine).clone();
                if let Some(columns) = defined {
                    own.columns = columns;
                }
                let columns: Vec<OutputColumn> = match &own.columns[..] {
                    [] => {
                        let named = crate::call::single_out_name(self.image, own.oid);
                        vec![output(named.unwrap_or_else(|| alias.clone()), own.result, -1)]
                    }
                    many => many.iter().map(|(n, t, m)| output(n.clone(), *t, *m)).collect(),
                };
                let types = columns.iter().map(|c| c.ty).collect();
                let (function, routine) = (own.oid, Some(Arc::new(own)));
                let (names, ordinality) = (Vec::new(), f.ordinality);
                (Node::FunctionScan { function, routine, args, types, names, ordinality, label }, columns)
            }
            kind => {
                if f.ordinality {
                    return Err(self.unsupported("WITH ORDINALITY of a plain function", f.pos));
                }
                let bound = self.settle(Expr { kind, ..bound })?;
                let fields = match defined {
                    Some(columns) => Some(columns),
                    None if is_row => self.columns_of_row(&bound),
                    None => None,
                };
                let column = Expr::column(0, bound.ty, bound.typmod);
                let types = vec![bound.ty];
                let named = alias.clone();
                let values = Node::Values { types: types.clone(), rows: vec![vec![bound]] };
                match fields {
                    Some(fields) => {
                        let exprs = (0..fields.len()).map(|i| self.nth_field(column.clone(), i, &fields)).collect();
                        let columns = fields.into_iter().map(|(n, t, m)| output(n, t, m)).collect();
                        (Node::Project { input: Box::new(values), exprs }, columns)
                    }
                    None => (values, vec![output(named, types[0], -1)]),
                }
            }
        };
        if f.ordinality {
            columns.push(output("ordinality".to_owned(), oid::INT8, -1));
        }
        let mut scope = self.derived_scope(&alias, f.alias.as_ref(), &columns)?;
        let mut node = node;
        let scan = match &mut node {
            Node::Project { input, .. } => &mut **input,
            node => node,
        };
        if let Node::FunctionScan { label, .. } = scan {
            label.columns = scope.columns.iter().map(|c| c.name.clone()).collect();
        }
        if is_row && row_type != oid::RECORD && !f.ordinality {
            scope.rows.push((alias, row_type));
        }
        Ok((node, scope))
    }

    /// Several functions side by side, each padded with NULL to the longest: ROWS FROM, and `unnest` of several arrays; `None` where
    /// there is but one.
    fn rows_from(&mut self, f: &ast::FunctionRef) -> Result<Option<(Node, Scope)>> {
        let split: Vec<ast::RowsFromItem>;
        let items = match &f.functions[..] {
            [item] => match &item.call.kind {
                Ast::FuncCall(call)
                    if call.args.len() > 1
                        && call.name.last().is_some_and(|n| n.as_str() == "unnest")
                        && !call.variadic =>
                {
                    let one = |arg: &ast::FuncArg| {
                        let call = ast::FuncCall { args: vec![arg.clone()], ..(**call).clone() };
                        let call = ast::Expr::new(Ast::FuncCall(Box::new(call)), item.call.pos);
                        ast::RowsFromItem { call, columns: Vec::new() }
                    };
                    split = call.args.iter().map(one).collect();
                    &split[..]
                }
                _ => return Ok(None),
            },
            many => many,
        };
        let scope = Scope::default();
        let (mut calls, mut parts) = (Vec::new(), Vec::new());
        for (n, item) in items.iter().enumerate() {
            let mut place = Place::new(&scope, "FROM");
            place.sets = true;
            let bound = self.expr(&item.call, &mut place)?;
            if !crate::call::is_set(&bound) {
                return Err(self.unsupported("ROWS FROM of a function that returns no set", item.call.location()));
            }
            let defined = self.defined_columns(&item.columns, &bound, item)?;
            let fields = match (defined, &bound.kind) {
                (Some(columns), plan::ExprKind::Routine { routine, args, form }) => {
                    let own = plan::Routine { columns: columns.clone(), ..(**routine).clone() };
                    let kind = plan::ExprKind::Routine { routine: Arc::new(own), args: args.clone(), form: *form };
                    calls.push(Expr { kind, ..bound });
                    Some(columns)
                }
                (Some(columns), _) => {
                    calls.push(bound);
                    Some(columns)
                }
                (None, _) => {
                    let columns = self.columns_of_row(&bound);
                    calls.push(bound);
                    columns
                }
            };
            let ty = calls[n].ty;
            let whole = Expr::column(n, ty, -1);
            match fields {
                Some(fields) => {
                    for i in 0..fields.len() {
                        parts.push((fields[i].0.clone(), self.nth_field(whole.clone(), i, &fields)));
                    }
                }
                None => {
                    let function = match &calls[n].kind {
                        plan::ExprKind::Call { function, .. } => *function,
                        plan::ExprKind::Routine { routine, .. } => routine.oid,
                        _ => Oid::NONE,
                    };
                    let named = crate::call::single_out_name(self.image, function);
                    parts.push((named.unwrap_or_else(|| crate::query::figure_name(&item.call)), whole));
                }
            }
        }
        let rows = Node::ProjectSet { input: Box::new(Node::one_row()), exprs: calls };
        let mut columns: Vec<OutputColumn> = parts
            .iter()
            .map(|(name, e)| OutputColumn { name: name.clone(), ty: e.ty, typmod: e.typmod, origin: None })
            .collect();
        let exprs = parts.into_iter().map(|p| p.1).collect();
        let mut node = Node::Project { input: Box::new(rows), exprs };
        if f.ordinality {
            columns.push(OutputColumn { name: "ordinality".to_owned(), ty: oid::INT8, typmod: -1, origin: None });
            let (function, args) = (ROW_NUMBER, Vec::new());
            let number = plan::WindowCall { function, aggregate: false, args, filter: None, ty: oid::INT8 };
            let window = plan::Window { partition: Vec::new(), order: Vec::new(), frame: plan::Frame::default() };
            node = Node::Window { input: Box::new(node), window, calls: vec![number] };
        }
        let alias = match &f.alias {
            Some(alias) => alias.name.as_str().to_owned(),
            None => items.first().map_or(String::new(), |i| crate::query::figure_name(&i.call)),
        };
        let scope = self.derived_scope(&alias, f.alias.as_ref(), &columns)?;
        Ok(Some((node, scope)))
    }

    /// The columns that a definition list gives a function's rows.
    fn defined_columns(
        &self,
        definitions: &[ast::ColumnDef],
        bound: &Expr,
        item: &ast::RowsFromItem,
    ) -> Result<Option<Vec<(String, Oid, i32)>>> {
        let called = matches!(bound.kind, plan::ExprKind::Call { .. } | plan::ExprKind::Routine { .. });
        let known = self.columns_of_row(bound).is_some() && (called || definitions.is_empty());
        let at = item.call.location();
        if definitions.is_empty() {
            if bound.ty == oid::RECORD && !known {
                let message = "a column definition list is required for functions returning \"record\"";
                return Err(self.error(SqlState::SYNTAX_ERROR, message, at));
            }
            return Ok(None);
        }
        if bound.ty != oid::RECORD {
            let message = if known {
                "a column definition list is redundant for a function returning a named composite type"
            } else {
                "a column definition list is only allowed for functions returning \"record\""
            };
            return Err(self.error(SqlState::SYNTAX_ERROR, message, definitions[0].pos));
        }
        if known {
            let message = "a column definition list is redundant for a function with OUT parameters";
            return Err(self.error(SqlState::SYNTAX_ERROR, message, definitions[0].pos));
        }
        let mut columns = Vec::new();
        for def in definitions {
            let Some(ty) = &def.ty else { return Err(self.unsupported("a column without a type", def.pos)) };
            let (ty, typmod) = self.type_name(ty)?;
            columns.push((def.name.as_str().to_owned(), ty, typmod));
        }
        Ok(Some(columns))
    }
}

/// `json_to_record(x)` as `json_to_recordset` of an array of `x` alone, which is told what its columns are called.
fn one_of_set(bound: Expr) -> Expr {
    let plan::ExprKind::Call { function, args, form } = &bound.kind else { return bound };
    // Of json, and of jsonb: the function of the set, and the one that makes an array.
    let (set, array, ty) = match function.0 {
        3204 => (Oid(3205), Oid(3198), oid::JSON),
        3490 => (Oid(3491), Oid(3271), oid::JSONB),
        _ => return bound,
    };
    let one = Expr::new(plan::ExprKind::Call { function: array, args: args.clone(), form: *form }, ty, 0);
    let kind = plan::ExprKind::Call { function: set, args: vec![one], form: *form };
    Expr { kind, ..bound }
}

fn is_builtin_set(function: Oid) -> bool {
    crate::call::returns_set(function)
}
