//! Calls of aggregates, of functions over windows, and of aggregates of ordered sets.

use super::*;

impl Binder<'_> {
    /// Arguments of an aggregate see the rows, not other aggregates.
    pub(super) fn aggregate_args(&mut self, f: &ast::FuncCall, place: &mut Place<'_>) -> Result<Vec<Expr>> {
        let mut inner = Place::new(place.scope, "aggregate");
        f.args.iter().map(|a| self.expr(&a.value, &mut inner)).collect()
    }

    /// Arguments of a call over a window see aggregates, not other such calls.
    pub(super) fn window_args(&mut self, f: &ast::FuncCall, place: &mut Place<'_>) -> Result<Vec<Expr>> {
        let (uses, clause) = (place.windows.take(), place.clause);
        // What may not stand here at all is said first of the outermost.
        place.clause = if uses.is_some() { "window" } else { clause };
        let args = self.plain_args(f, place);
        (place.windows, place.clause) = (uses, clause);
        args
    }

    /// A call over a window.
    #[allow(clippy::too_many_arguments, reason = "each is a part of the call")]
    pub(super) fn over(
        &mut self,
        f: &ast::FuncCall,
        over: &ast::Over,
        chosen: &Candidate<'_>,
        args: Vec<Expr>,
        pos: Pos,
        place: &mut Place<'_>,
        shown: &str,
    ) -> Result<Expr> {
        let name = f.name.last().map_or("", |n| &**n);
        let aggregate = chosen.proc.kind() == b'a';
        let refused = |b: &Self, message: &str| Err(b.error(SqlState::FEATURE_NOT_SUPPORTED, message, pos));
        if !aggregate && chosen.proc.kind() != b'w' {
            let message = format!("OVER specified, but {name} is not a window function nor an aggregate function");
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        }
        if aggregate && (!functions::aggregate::is_implemented(chosen.proc.oid())) {
            return Err(self.unsupported(&format!("aggregate {shown}"), pos));
        }
        if f.distinct {
            return refused(self, "DISTINCT is not implemented for window functions");
        }
        if aggregate && args.is_empty() && !f.star {
            let message = format!("{name}(*) must be used to call a parameterless aggregate function");
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        }
        if !f.order_by.is_empty() {
            return refused(self, "aggregate ORDER BY is not implemented for window functions");
        }
        if !aggregate && f.filter.is_some() {
            return refused(self, "FILTER is not implemented for non-aggregate window functions");
        }
        if place.windows.is_none() {
            return Err(self.no_window_here(place.clause, pos));
        }
        let (args, ty) = self.convert(args, &chosen.params, chosen.proc.result(), pos)?;
        let args = args.into_iter().map(|a| self.settle(a)).collect::<Result<Vec<_>>>()?;
        let mut inner = Place::new(place.scope, "FILTER");
        let filter = f.filter.as_ref().map(|filter| self.condition(filter, &mut inner)).transpose()?;
        let position = self.position(pos);
        let call = WindowCall { function: chosen.proc.oid(), aggregate, args, filter, ty };
        let uses = place.windows.get_or_insert_default();
        uses.push(WindowUse { call, over: over.clone() });
        Ok(Expr::new(ExprKind::Column(WINDOWS + uses.len() - 1), ty, position))
    }

    pub(super) fn aggregate(
        &mut self,
        f: &ast::FuncCall,
        chosen: &Candidate<'_>,
        args: Vec<Expr>,
        pos: Pos,
        place: &mut Place<'_>,
        before: &[usize],
    ) -> Result<Expr> {
        let own = match chosen.proc {
            Proc::User(info) => Some(info),
            Proc::Builtin(_) => None,
        };
        let (args, mut ty) = self.convert(args, &chosen.params, chosen.proc.result(), pos)?;
        let own = match own {
            Some(info) => {
                let (own, result) = self.own_aggregate(info, &args, pos)?;
                ty = result;
                Some(Arc::new(own))
            }
            None => None,
        };
        if f.distinct {
            args.iter()
                .zip(&f.args)
                .try_for_each(|(a, written)| self.needs_equality(a.ty, written.value.location()))?;
        }
        let mut inner = Place::new(place.scope, "FILTER");
        let filter = f.filter.as_ref().map(|filter| self.condition(filter, &mut inner)).transpose()?;
        let mut order = Vec::new();
        for by in &f.order_by {
            let bound = self.expr(&by.expr, &mut Place::new(place.scope, "aggregate ORDER BY"))?;
            let bound = self.settle(bound)?;
            if f.distinct && !args.iter().any(|a| a.same(&bound)) {
                let message = "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list";
                return Err(self.error(SqlState::INVALID_COLUMN_REFERENCE, message, by.expr.location()));
            }
            order.push(self.sort_key(by, bound)?);
        }
        let function = chosen.proc.oid();
        let call = AggregateCall { function, own, args, direct: 0, distinct: f.distinct, order, filter, ty };
        self.collect(call, before, pos, place)
    }

    /// An ordered-set or hypothetical-set aggregate: `f(direct) WITHIN GROUP (ORDER BY rows)`.
    pub(super) fn within_group(&mut self, f: &ast::FuncCall, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let name = f.name.last().map_or("", |n| &**n);
        let schema = f.name.len().checked_sub(2).map(|i| &*f.name[i]);
        let before = self.binds_before();
        let mut inner = Place::new(place.scope, "aggregate");
        let mut all = f.args.iter().map(|a| self.expr(&a.value, &mut inner)).collect::<Result<Vec<_>>>()?;
        let direct = all.len();
        for by in &f.order_by {
            all.push(self.expr(&by.expr, &mut inner)?);
        }
        let types: Vec<Oid> = all.iter().map(|a| a.ty).collect();
        let (chosen, all, shown) = self.choose_function(schema, name, all, &[], !f.variadic, pos)?;
        let function = chosen.proc.oid();
        let kind = ordered_kind(function);
        let wrong = match (chosen.proc.kind(), kind) {
            (b'a', b'n') => Some(format!("{name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP")),
            (b'a', _) => None,
            _ => Some(format!("WITHIN GROUP specified, but {name} is not an aggregate function")),
        };
        if let Some(message) = wrong {
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        }
        if f.over.is_some() {
            let message = format!("OVER is not supported for ordered-set aggregate {name}");
            return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, pos));
        }
        let hypothetical = kind == b'h';
        let wanted = builtin::aggregate(function).map_or(0, |a| a.direct_args as usize);
        let hint = match hypothetical {
            true if direct * 2 != all.len() => Some(format!(
                "To use the hypothetical-set aggregate {name}, the number of hypothetical direct arguments (here {direct}) must match the number of ordering columns (here {}).",
                all.len() - direct
            )),
            false if direct != wanted => Some(format!(
                "There is an ordered-set aggregate {name}, but it requires {wanted} direct argument{}, not {direct}.",
                if wanted == 1 { "" } else { "s" }
            )),
            _ => None,
        };
        if let Some(hint) = hint {
            let types: Vec<String> = types.iter().map(|&t| self.type_shown(t)).collect();
            let message = format!("function {name}({}) does not exist", types.join(", "));
            return Err(self.error(SqlState::UNDEFINED_FUNCTION, message, pos).hint(hint));
        }
        if !hypothetical && !functions::aggregate::is_implemented(function) {
            return Err(self.unsupported(&format!("aggregate {shown}"), pos));
        }
        let (all, ty) = match hypothetical {
            true => {
                let mut both = (all[..direct].to_vec(), all[direct..].to_vec());
                for i in 0..direct {
                    let at = f.args[i].value.location();
                    let pair = self.unify(vec![both.1[i].clone(), both.0[i].clone()], "WITHIN GROUP", &[at])?;
                    (both.1[i], both.0[i]) = (pair[0].clone(), pair[1].clone());
                }
                ([both.0, both.1].concat(), chosen.proc.result())
            }
            false => self.convert(all, &chosen.params, chosen.proc.result(), pos)?,
        };
        let all = all.into_iter().map(|a| self.settle(a)).collect::<Result<Vec<_>>>()?;
        let (direct_args, ordered_args) = all.split_at(direct);
        let mut order = Vec::new();
        for (by, e) in f.order_by.iter().zip(ordered_args) {
            order.push(self.sort_key(by, e.clone())?);
        }
        let mut inner = Place::new(place.scope, "FILTER");
        let filter = f.filter.as_ref().map(|filter| self.condition(filter, &mut inner)).transpose()?;
        let args = [ordered_args, direct_args].concat();
        let call = AggregateCall { function, own: None, args, direct, distinct: false, order, filter, ty };
        self.collect(call, &before, pos, place)
    }

    /// How many slots each query around has bound.
    pub(super) fn binds_before(&self) -> Vec<usize> {
        self.frames.iter().map(|f| f.binds.len()).collect()
    }

    /// Gives `call` to the query that it belongs to: the innermost whose columns it reads, this one if it reads none. Queries around had bound
    /// the slots `before` it was met.
    fn collect(&mut self, call: AggregateCall, before: &[usize], pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let position = self.position(pos);
        let refused = |b: &Self, clause: &str| {
            let message = match clause {
                "aggregate" => "aggregate function calls cannot be nested".to_owned(),
                clause => format!("aggregate functions are not allowed in {}", clause_words(clause)),
            };
            b.error(SqlState::GROUPING_ERROR, message, pos)
        };
        let Some(owner) = self.owner(&call) else {
            return match &mut place.aggregates {
                Some(calls) => Ok(collected(calls, call, position)),
                None => Err(refused(self, place.clause)),
            };
        };
        let mut call = call;
        let binds = &self.frames[owner].binds;
        call.exprs_mut().for_each(|e| lower(e, binds));
        // What it has bound may be an aggregate of that same query.
        let mut nested = None;
        let is_aggregate = |e: &Expr| matches!(e.kind, ExprKind::Column(AGGREGATES..WINDOWS));
        call.exprs().for_each(|e| e.visit(&mut |e| nested = nested.or(is_aggregate(e).then_some(e.position))));
        if let Some(position) = nested {
            let message = "aggregate function calls cannot be nested";
            return Err(SqlError::new(SqlState::GROUPING_ERROR, message).at(Some(position)));
        }
        // Nothing else reads what only its arguments have asked for.
        self.frames.iter_mut().zip(before).skip(owner).for_each(|(f, &count)| f.binds.truncate(count));
        let frame = &mut self.frames[owner];
        let clause = frame.clause;
        match &mut frame.aggregates {
            Some(calls) => {
                let e = collected(calls, call, position);
                Ok(Expr { position, ..self.outer(owner, e) })
            }
            None => Err(refused(self, clause)),
        }
    }

    /// The query around this one that `call` belongs to, if it does not belong to this one.
    fn owner(&self, call: &AggregateCall) -> Option<usize> {
        let (mut own, mut slots) = (false, Vec::new());
        call.exprs().for_each(|e| {
            e.visit(&mut |e| own |= matches!(e.kind, ExprKind::Column(_)));
            slots_of(e, &mut slots);
        });
        let binds = |f: &Frame| f.binds.iter().any(|b| slots.contains(&b.0));
        if own { None } else { self.frames.iter().rposition(binds) }
    }
}

/// Slots that `e` reads, in queries inside it too.
fn slots_of(e: &Expr, out: &mut Vec<usize>) {
    e.visit(&mut |e| match &e.kind {
        ExprKind::Slot(slot) => out.push(*slot),
        ExprKind::Subquery(sub) => sub.node.visit(&mut |n| n.each_expr(&mut |e| slots_of(e, out))),
        _ => {}
    });
}

/// Makes of `e`, over slots that `binds` fill, an expression over the row that fills them.
fn lower(e: &mut Expr, binds: &[(usize, Expr)]) {
    let known = |slot: usize| binds.iter().find(|b| b.0 == slot);
    e.visit_mut(&mut |e| match &mut e.kind {
        ExprKind::Slot(slot) => {
            if let Some((_, bound)) = known(*slot) {
                *e = bound.clone();
            }
        }
        ExprKind::Subquery(sub) => {
            let mut slots = Vec::new();
            sub.node.visit(&mut |n| n.each_expr(&mut |e| slots_of(e, &mut slots)));
            slots.sort_unstable();
            slots.dedup();
            sub.binds.extend(slots.into_iter().filter_map(known).cloned());
            sub.correlated |= !sub.binds.is_empty();
        }
        _ => {}
    });
}

/// `pg_aggregate.aggkind`: ordinary, ordered-set, hypothetical-set.
pub(crate) fn ordered_kind(function: Oid) -> u8 {
    builtin::aggregate(function).map_or(b'n', |a| a.kind)
}

/// The column that stands for `call` among the aggregates of a query.
fn collected(calls: &mut Vec<AggregateCall>, call: AggregateCall, position: u32) -> Expr {
    let ty = call.ty;
    let index = calls.iter().position(|c| *c == call).unwrap_or_else(|| {
        calls.push(call);
        calls.len() - 1
    });
    Expr::new(ExprKind::Column(AGGREGATES + index), ty, position)
}
