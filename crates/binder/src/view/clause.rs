//! GROUP BY with its sets, and windows, as SQL.

use plan::{Expr, SortKey};
use syntax::ast::{self, FrameBound, FrameExclusion, FrameUnits, GroupItem, Over, WindowFrame, WindowSpec};
use syntax::quote_ident;
use types::Result;

use crate::Binder;
use crate::expr::Place;
use crate::scope::Scope;
use crate::window::WindowUse;

/// A window whose expressions are bound.
pub(super) struct BoundSpec {
    partition: Vec<Expr>,
    order: Vec<Expr>,
}

/// What expressions of the query at hand are printed with.
#[derive(Clone, Copy)]
pub(super) struct Printed<'p> {
    pub scope: &'p Scope,
    pub calls: &'p [plan::AggregateCall],
    pub prefix: bool,
}

impl Binder<'_> {
    /// Binds the expressions of a window, before aggregates are counted.
    pub(super) fn bound_spec(&mut self, spec: &WindowSpec, place: &mut Place<'_>) -> Result<BoundSpec> {
        place.clause = "window definitions";
        let mut bound = |b: &mut Self, e: &ast::Expr| {
            let bound = b.expr(e, place)?;
            b.settle(bound)
        };
        let order = spec.order_by.iter().map(|by| bound(self, &by.expr)).collect::<Result<_>>()?;
        let partition = spec.partition_by.iter().map(|e| bound(self, e)).collect::<Result<_>>()?;
        Ok(BoundSpec { partition, order })
    }

    /// A window in parentheses; `ranged` is what RANGE of one that copies another counts in.
    pub(super) fn spec_text(
        &mut self,
        spec: &WindowSpec,
        bound: &BoundSpec,
        ranged: Option<&Expr>,
        printed: Printed<'_>,
    ) -> Result<String> {
        let Printed { scope, calls, prefix } = printed;
        let mut parts: Vec<String> = spec.base.iter().map(|n| quote_ident(n.as_str()).to_string()).collect();
        if !bound.partition.is_empty() {
            let list = bound.partition.iter().map(|e| self.sort_item(e, scope, calls, prefix));
            parts.push(format!("PARTITION BY {}", list.collect::<Result<Vec<_>>>()?.join(", ")));
        }
        if !bound.order.is_empty() {
            let mut list = Vec::new();
            for (by, e) in spec.order_by.iter().zip(&bound.order) {
                list.push(format!("{}{}", self.sort_item(e, scope, calls, prefix)?, self.direction_text(by)?));
            }
            parts.push(format!("ORDER BY {}", list.join(", ")));
        }
        if let Some(frame) = &spec.frame {
            let key = bound.order.first().or(ranged);
            parts.push(self.frame_text(frame, key, scope)?);
        }
        Ok(format!("({})", parts.join(" ")))
    }

    fn frame_text(&mut self, frame: &WindowFrame, key: Option<&Expr>, scope: &Scope) -> Result<String> {
        let (word, units) = match frame.units {
            FrameUnits::Rows => ("ROWS", plan::FrameUnits::Rows),
            FrameUnits::Range => ("RANGE", plan::FrameUnits::Range),
            FrameUnits::Groups => ("GROUPS", plan::FrameUnits::Groups),
        };
        let order: Vec<SortKey> =
            key.iter().map(|e| SortKey { expr: (*e).clone(), descending: false, nulls_first: false }).collect();
        let end = |b: &mut Self, bound: &FrameBound| -> Result<String> {
            let (e, word) = match bound {
                FrameBound::UnboundedPreceding => return Ok("UNBOUNDED PRECEDING".to_owned()),
                FrameBound::UnboundedFollowing => return Ok("UNBOUNDED FOLLOWING".to_owned()),
                FrameBound::CurrentRow => return Ok("CURRENT ROW".to_owned()),
                FrameBound::Preceding(e) => (e, "PRECEDING"),
                FrameBound::Following(e) => (e, "FOLLOWING"),
            };
            let place = Place::new(scope, "window");
            let bound = b.frame_offset(e, units, &order, &place)?;
            Ok(format!("{} {word}", b.expr_text(&bound, scope, &[], false, false)?))
        };
        let start = end(self, &frame.start)?;
        let mut text = match frame.between {
            true => format!("{word} BETWEEN {start} AND {}", end(self, &frame.end)?),
            false => format!("{word} {start}"),
        };
        text += match frame.exclusion {
            FrameExclusion::None => "",
            FrameExclusion::CurrentRow => " EXCLUDE CURRENT ROW",
            FrameExclusion::Group => " EXCLUDE GROUP",
            FrameExclusion::Ties => " EXCLUDE TIES",
        };
        Ok(text)
    }

    /// A call over a window.
    pub(super) fn over_text(&mut self, used: &WindowUse, over: &str, printed: Printed<'_>) -> Result<String> {
        let Printed { scope, calls, prefix } = printed;
        let name = catalog::builtin::proc_by_oid(used.call.function).map_or("?", |p| p.name);
        let args = match used.call.args.is_empty() && name == "count" {
            true => "*".to_owned(),
            false => {
                let list = used.call.args.iter().map(|a| self.expr_text(a, scope, calls, prefix, true));
                list.collect::<Result<Vec<_>>>()?.join(", ")
            }
        };
        let filter = match &used.call.filter {
            Some(f) => format!(" FILTER (WHERE {})", self.expr_text(f, scope, calls, prefix, false)?),
            None => String::new(),
        };
        Ok(format!("{}({args}){filter} OVER {over}", quote_ident(name)))
    }

    /// The windows of a WINDOW clause, and what the calls over windows print as.
    pub(super) fn window_texts(
        &mut self,
        clause: &[WindowSpec],
        uses: &[WindowUse],
        specs: &[BoundSpec],
        printed: Printed<'_>,
    ) -> Result<(String, Vec<String>)> {
        let base = |spec: &WindowSpec| {
            let name = spec.base.as_ref()?;
            let at = clause.iter().position(|s| s.name.as_ref().is_some_and(|n| n.as_str() == name.as_str()))?;
            specs[at].order.first().cloned()
        };
        let mut named = Vec::new();
        for (spec, bound) in clause.iter().zip(specs) {
            let text = self.spec_text(spec, bound, base(spec).as_ref(), printed)?;
            named.push(format!("{} AS {text}", quote_ident(spec.name.as_ref().map_or("", |n| n.as_str()))));
        }
        let mut texts = Vec::new();
        let mut own = specs[clause.len()..].iter();
        for used in uses {
            let over = match &used.over {
                Over::Name(name) => quote_ident(name.as_str()).to_string(),
                Over::Spec(spec) => match own.next() {
                    Some(bound) => self.spec_text(spec, bound, base(spec).as_ref(), printed)?,
                    None => String::new(),
                },
            };
            texts.push(self.over_text(used, &over, printed)?);
        }
        Ok((named.join(", "), texts))
    }

    /// An item of GROUP BY. At the top, and in ROLLUP and CUBE, single expressions need no parentheses.
    pub(super) fn group_text(
        &mut self,
        item: &GroupItem,
        bare: bool,
        output: (&[Expr], &[plan::OutputColumn]),
        printed: Printed<'_>,
    ) -> Result<String> {
        let children = |b: &mut Self, word: &str, items: Vec<GroupItem>, bare: bool| -> Result<String> {
            let list = items.iter().map(|i| b.group_text(i, bare, output, printed)).collect::<Result<Vec<_>>>()?;
            Ok(format!("{word}({})", list.join(", ")))
        };
        let of = |list: &[ast::Expr]| list.iter().map(|e| GroupItem::Expr(e.clone())).collect::<Vec<_>>();
        match item {
            GroupItem::Empty(_) => Ok("()".to_owned()),
            GroupItem::Expr(e) => {
                let fields = match &e.kind {
                    ast::ExprKind::Row(row) if !row.explicit => &row.fields[..],
                    _ => std::slice::from_ref(e),
                };
                let mut list = Vec::new();
                for e in fields {
                    let bound = self.group(e, printed.scope, output.0, output.1)?;
                    list.push(self.sort_item(&bound, printed.scope, printed.calls, printed.prefix)?);
                }
                let text = list.join(", ");
                Ok(if bare && fields.len() == 1 { text } else { format!("({text})") })
            }
            GroupItem::Rollup(list, _) => children(self, "ROLLUP", of(list), true),
            GroupItem::Cube(list, _) => children(self, "CUBE", of(list), true),
            GroupItem::GroupingSets(list, _) => children(self, "GROUPING SETS ", list.clone(), false),
        }
    }
}
