//! Windows: OVER, the WINDOW clause, frames, and the plan nodes that compute what is called over them.

use plan::{Expr, ExprKind, Frame, FrameBound, FrameExclusion, FrameUnits, Node, SortKey, Window, WindowCall};
use syntax::ast::{self, Over, Pos, WindowSpec};
use types::{Oid, Result, SqlError, SqlState, oid};

use crate::Binder;
use crate::coerce::{Context, can_coerce, format_type};
use crate::expr::Place;

/// Column numbers from here on stand for window calls of the query, in the order they were met.
pub(crate) const WINDOWS: usize = 1 << 25;

/// A call, and the window it was written with.
pub(crate) struct WindowUse {
    pub call: WindowCall,
    pub over: Over,
}

/// A bound window, and whether its frame was written.
struct Bound {
    window: Window,
    framed: bool,
}

/// The windows of a query, and the calls over them.
pub(crate) struct Windows {
    windows: Vec<Window>,
    /// For each use: its window and its call's number there.
    places: Vec<(usize, usize)>,
    calls: Vec<Vec<WindowCall>>,
}

impl Binder<'_> {
    /// Why a window function may not stand in `clause`.
    pub(crate) fn no_window_here(&self, clause: &str, pos: Pos) -> SqlError {
        let (state, message) = match clause {
            "window" => (SqlState::WINDOWING_ERROR, "window function calls cannot be nested".to_owned()),
            "aggregate" | "aggregate ORDER BY" => {
                (SqlState::GROUPING_ERROR, "aggregate function calls cannot contain window function calls".to_owned())
            }
            clause => {
                let clause = if clause.starts_with("window ") { "window definitions" } else { clause_words(clause) };
                (SqlState::WINDOWING_ERROR, format!("window functions are not allowed in {clause}"))
            }
        };
        self.error(state, message, pos)
    }

    /// Binds the WINDOW clause and the windows of all `uses`.
    pub(crate) fn windows(
        &mut self,
        clause: &[WindowSpec],
        uses: Vec<WindowUse>,
        place: &mut Place<'_>,
    ) -> Result<Windows> {
        let mut named: Vec<(String, Bound)> = Vec::new();
        for spec in clause {
            let name = spec.name.as_ref().map_or("", |n| n.as_str()).to_owned();
            if named.iter().any(|n| n.0 == name) {
                return Err(self.windowing(format!("window \"{name}\" is already defined"), spec.pos));
            }
            let bound = self.window(spec, &named, place)?;
            named.push((name, bound));
        }
        // PostgreSQL looks at those of the clause first, used or not.
        let mut all = Windows { windows: Vec::new(), places: Vec::new(), calls: Vec::new() };
        for used in uses {
            let window = match &used.over {
                Over::Name(name) => match named.iter().find(|n| *n.0 == **name) {
                    Some((_, bound)) => bound.window.clone(),
                    None => return Err(self.no_window(name, name.pos)),
                },
                Over::Spec(spec) => self.window(spec, &named, place)?.window,
            };
            let index = all.windows.iter().position(|w| same_window(w, &window)).unwrap_or_else(|| {
                all.windows.push(window);
                all.calls.push(Vec::new());
                all.windows.len() - 1
            });
            let calls = &mut all.calls[index];
            let call = calls.iter().position(|c| same_call(c, &used.call)).unwrap_or_else(|| {
                calls.push(used.call);
                calls.len() - 1
            });
            all.places.push((index, call));
        }
        Ok(all)
    }

    fn windowing(&self, message: String, pos: Pos) -> SqlError {
        self.error(SqlState::WINDOWING_ERROR, message, pos)
    }

    fn no_window(&self, name: &str, pos: Pos) -> SqlError {
        self.error(SqlState::UNDEFINED_OBJECT, format!("window \"{name}\" does not exist"), pos)
    }

    fn window(&mut self, spec: &WindowSpec, named: &[(String, Bound)], place: &mut Place<'_>) -> Result<Bound> {
        place.clause = "window definitions";
        let mut order = Vec::new();
        for by in &spec.order_by {
            let bound = self.expr(&by.expr, place)?;
            let bound = self.settle(bound)?;
            order.push(self.sort_key(by, bound)?);
        }
        let mut partition = Vec::new();
        for e in &spec.partition_by {
            let bound = self.expr(e, place)?;
            let bound = self.settle(bound)?;
            self.needs_equality(bound.ty, e.location())?;
            partition.push(bound);
        }
        if let Some(name) = &spec.base {
            let Some((_, base)) = named.iter().find(|n| *n.0 == **name) else {
                return Err(self.no_window(name, spec.pos));
            };
            let name = name.as_str();
            if !partition.is_empty() {
                let message = format!("cannot override PARTITION BY clause of window \"{name}\"");
                return Err(self.windowing(message, spec.pos));
            }
            partition.clone_from(&base.window.partition);
            if !order.is_empty() && !base.window.order.is_empty() {
                let message = format!("cannot override ORDER BY clause of window \"{name}\"");
                return Err(self.windowing(message, spec.pos));
            }
            if base.framed {
                let message = format!("cannot copy window \"{name}\" because it has a frame clause");
                let error = self.windowing(message, spec.pos);
                let bare = spec.name.is_none() && order.is_empty() && spec.frame.is_none();
                return Err(if bare { error.hint("Omit the parentheses in this OVER clause.") } else { error });
            }
            if order.is_empty() {
                order.clone_from(&base.window.order);
            }
        }
        let frame = match &spec.frame {
            Some(frame) => self.frame(frame, &order, spec.pos, place)?,
            None => Frame::default(),
        };
        Ok(Bound { window: Window { partition, order, frame }, framed: spec.frame.is_some() })
    }

    fn frame(&mut self, f: &ast::WindowFrame, order: &[SortKey], pos: Pos, place: &Place<'_>) -> Result<Frame> {
        let offset = |b: &ast::FrameBound| matches!(b, ast::FrameBound::Preceding(_) | ast::FrameBound::Following(_));
        let units = match f.units {
            ast::FrameUnits::Rows => FrameUnits::Rows,
            ast::FrameUnits::Range => FrameUnits::Range,
            ast::FrameUnits::Groups => FrameUnits::Groups,
        };
        if units == FrameUnits::Range && (offset(&f.start) || offset(&f.end)) && order.len() != 1 {
            let message = "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column";
            return Err(self.windowing(message.to_owned(), pos));
        }
        if units == FrameUnits::Groups && order.is_empty() {
            return Err(self.windowing("GROUPS mode requires an ORDER BY clause".to_owned(), pos));
        }
        let mut bound = |b: &ast::FrameBound| -> Result<FrameBound> {
            Ok(match b {
                ast::FrameBound::UnboundedPreceding | ast::FrameBound::UnboundedFollowing => FrameBound::Unbounded,
                ast::FrameBound::CurrentRow => FrameBound::CurrentRow,
                ast::FrameBound::Preceding(e) => FrameBound::Preceding(self.frame_offset(e, units, order, place)?),
                ast::FrameBound::Following(e) => FrameBound::Following(self.frame_offset(e, units, order, place)?),
            })
        };
        let (start, end) = (bound(&f.start)?, bound(&f.end)?);
        let exclusion = match f.exclusion {
            ast::FrameExclusion::None => FrameExclusion::Nothing,
            ast::FrameExclusion::CurrentRow => FrameExclusion::CurrentRow,
            ast::FrameExclusion::Group => FrameExclusion::Group,
            ast::FrameExclusion::Ties => FrameExclusion::Ties,
        };
        Ok(Frame { units, start, end, exclusion })
    }

    pub(crate) fn frame_offset(
        &mut self,
        e: &ast::Expr,
        units: FrameUnits,
        order: &[SortKey],
        place: &Place<'_>,
    ) -> Result<Expr> {
        let (word, clause) = match units {
            FrameUnits::Rows => ("ROWS", "window ROWS"),
            FrameUnits::Range => ("RANGE", "window RANGE"),
            FrameUnits::Groups => ("GROUPS", "window GROUPS"),
        };
        let bound = self.expr(e, &mut Place::new(place.scope, clause))?;
        let (from, pos) = (bound.ty, e.location());
        let bound = match (units, order) {
            (FrameUnits::Range, [key]) => {
                let Some(target) = offset_type(key.expr.ty, from) else {
                    let mut message = format!(
                        "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}",
                        format_type(key.expr.ty)
                    );
                    if offset_types(key.expr.ty).is_empty() {
                        return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, pos));
                    }
                    message.push_str(&format!(" and offset type {}", format_type(from)));
                    let error = self.error(SqlState::FEATURE_NOT_SUPPORTED, message, pos);
                    return Err(error.hint("Cast the offset value to an appropriate type."));
                };
                let bound = self.coerce(bound, target, -1, Context::Implicit)?;
                bound.ok_or_else(|| self.cannot_cast(from, target).at(self.char_position(pos)))?
            }
            _ => {
                let bound = self.coerce(bound, oid::INT8, -1, Context::Implicit)?;
                bound.ok_or_else(|| {
                    let message = format!("argument of {word} must be type bigint, not type {}", format_type(from));
                    self.error(SqlState::DATATYPE_MISMATCH, message, pos)
                })?
            }
        };
        let mut variable = None;
        bound.visit(&mut |e| {
            if matches!(e.kind, ExprKind::Column(_)) {
                variable.get_or_insert(e.position);
            }
        });
        match variable {
            Some(position) => {
                let message = format!("argument of {word} must not contain variables");
                Err(SqlError::new(SqlState::INVALID_COLUMN_REFERENCE, message).at((position > 0).then_some(position)))
            }
            None => Ok(bound),
        }
    }
}

impl Windows {
    /// Expressions over the rows that windows are computed from.
    pub(crate) fn exprs_mut(&mut self) -> Vec<&mut Expr> {
        let calls = self.calls.iter_mut().flatten().flat_map(|c| c.args.iter_mut().chain(&mut c.filter));
        self.windows.iter_mut().flat_map(Window::exprs_mut).chain(calls).collect()
    }

    /// As [`Windows::exprs_mut`].
    pub(crate) fn exprs(&self) -> Vec<&Expr> {
        let calls = self.calls.iter().flatten().flat_map(|c| c.args.iter().chain(&c.filter));
        self.windows.iter().flat_map(Window::exprs).chain(calls).collect()
    }

    /// `node` with the windows computed on top of it, and the column of each use. `sorted` are expressions that other clauses
    /// sort or group by.
    pub(crate) fn plan(self, mut node: Node, sorted: &[Expr]) -> (Node, Vec<usize>) {
        let mut turns: Vec<usize> = (0..self.windows.len()).collect();
        let ranks = ranks(&self.windows, sorted);
        // As PostgreSQL has it: of two sort orders the one that goes on longer comes first, or else that by what was named later.
        // The last one is the order in which rows come out.
        turns.sort_by(|&a, &b| {
            let differing = ranks[a].iter().zip(&ranks[b]).map(|(x, y)| y.cmp(x)).find(|o| o.is_ne());
            differing.unwrap_or_else(|| ranks[b].len().cmp(&ranks[a].len()))
        });
        let mut first = vec![0; self.windows.len()];
        let mut at = node.types().len();
        let mut parts: Vec<_> = self.windows.into_iter().zip(self.calls).map(Some).collect();
        for turn in turns {
            first[turn] = at;
            if let Some((window, calls)) = parts[turn].take() {
                at += calls.len();
                node = Node::Window { input: Box::new(node), window, calls };
            }
        }
        (node, self.places.iter().map(|&(window, call)| first[window] + call).collect())
    }
}

/// For each window the numbers of what it sorts by, counted as they are first named in the query.
fn ranks(windows: &[Window], sorted: &[Expr]) -> Vec<Vec<(usize, bool, bool)>> {
    let mut known: Vec<Expr> = Vec::new();
    let mut rank = |e: &Expr| {
        known.iter().position(|k| k.same(e)).unwrap_or_else(|| {
            known.push(e.clone());
            known.len() - 1
        })
    };
    sorted.iter().for_each(|e| {
        rank(e);
    });
    let mut all = Vec::new();
    for w in windows {
        let order: Vec<_> = w.order.iter().map(|k| (rank(&k.expr), k.descending, k.nulls_first)).collect();
        let mut keys: Vec<_> = w.partition.iter().map(|e| (rank(e), false, false)).collect();
        // What partitions has one value: sorting by it again says nothing.
        let fresh: Vec<_> = order.into_iter().filter(|o| !keys.iter().any(|k| k.0 == o.0)).collect();
        keys.extend(fresh);
        all.push(keys);
    }
    all
}

/// Types of offsets that RANGE takes in a column of type `ty`.
fn offset_types(ty: Oid) -> &'static [Oid] {
    match ty {
        oid::INT2 => &[oid::INT2, oid::INT4, oid::INT8],
        oid::INT4 => &[oid::INT4, oid::INT2, oid::INT8],
        oid::INT8 => &[oid::INT8],
        oid::FLOAT4 | oid::FLOAT8 => &[oid::FLOAT8],
        oid::NUMERIC => &[oid::NUMERIC],
        oid::DATE | oid::TIMESTAMP | oid::TIMESTAMPTZ | oid::TIME | oid::TIMETZ | oid::INTERVAL => &[oid::INTERVAL],
        _ => &[],
    }
}

/// The type that an offset of type `from` is taken as.
fn offset_type(ty: Oid, from: Oid) -> Option<Oid> {
    let types = offset_types(ty);
    let exact = types.iter().find(|&&t| t == from);
    exact
        .or_else(|| types.iter().find(|&&t| can_coerce(&catalog::Image::default(), from, t, Context::Implicit)))
        .copied()
}

/// A clause as errors about what may not stand in it name it.
pub(crate) fn clause_words(clause: &str) -> &str {
    match clause {
        "JOIN/ON" => "JOIN conditions",
        "FROM" => "functions in FROM",
        "CHECK constraints" | "CHECK" => "check constraints",
        "DEFAULT" => "DEFAULT expressions",
        other => other,
    }
}

fn same_list(a: &[Expr], b: &[Expr]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
}

fn same_call(a: &WindowCall, b: &WindowCall) -> bool {
    let filters = match (&a.filter, &b.filter) {
        (Some(a), Some(b)) => a.same(b),
        (a, b) => a.is_none() && b.is_none(),
    };
    filters && (a.function, a.ty) == (b.function, b.ty) && same_list(&a.args, &b.args)
}

fn same_window(a: &Window, b: &Window) -> bool {
    let order = |a: &SortKey, b: &SortKey| {
        a.expr.same(&b.expr) && (a.descending, a.nulls_first) == (b.descending, b.nulls_first)
    };
    let bound = |a: &FrameBound, b: &FrameBound| {
        std::mem::discriminant(a) == std::mem::discriminant(b)
            && a.offset().zip(b.offset()).is_none_or(|(a, b)| a.same(b))
    };
    same_list(&a.partition, &b.partition)
        && a.order.len() == b.order.len()
        && a.order.iter().zip(&b.order).all(|(a, b)| order(a, b))
        && (a.frame.units, a.frame.exclusion) == (b.frame.units, b.frame.exclusion)
        && bound(&a.frame.start, &b.frame.start)
        && bound(&a.frame.end, &b.frame.end)
}
