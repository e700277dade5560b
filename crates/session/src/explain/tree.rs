//! `Explainer`: which of PostgreSQL's nodes a plan's nodes are, and what there is to say about each.

use std::collections::HashMap;

use binder::Deparser;
use optimizer::{Estimate, Statistics, estimate};
use plan::counter::Counter;
use plan::{
    AggregateCall, Bits, Expr, ExprKind, Frame, FrameBound, FrameExclusion, FrameUnits, JoinKind, Label, Node, SetKind,
    SortKey, SubKind, TableRef, Window, WindowCall,
};
use types::io::TypeLookup;
use types::{Oid, oid};

use super::Options;

/// Something said about a node.
#[derive(Clone, Debug)]
pub(super) enum Detail {
    Text(String),
    List(Vec<String>),
    Number(u64),
    /// Part of the title as text, a field of its own in JSON.
    Hidden(String),
}

/// A node as it is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    pub title: String,
    pub node_type: String,
    pub details: Vec<(String, Detail)>,
    pub children: Vec<Shown>,
    /// Of a child: `Outer`, `Inner`, `SubPlan` and so on.
    pub relationship: Option<String>,
    /// What stands above a child: `CTE x`, `SubPlan 1`.
    pub label: Option<String>,
    pub estimate: Estimate,
    pub width: u64,
    /// Rows, loops, nanoseconds to the first rows and in all.
    pub actual: Option<(u64, u64, u64, u64)>,
    /// Pages found in memory, read, and changed.
    pub pages: Option<[u64; 3]>,
    /// Whether several threads share its rows.
    pub parallel: bool,
}

pub(super) struct Explainer<'a> {
    statistics: &'a dyn Statistics,
    names: &'a dyn TypeLookup,
    options: Options,
    /// Whether columns are shown with their tables.
    qualified: bool,
    /// What the slots of nested loops hold.
    slots: HashMap<usize, String>,
    subplans: usize,
    windows: usize,
    /// Queries in the expressions of the node at hand.
    pending: Vec<Shown>,
    ctes: HashMap<usize, String>,
    /// What items of FROM are called, by their numbers: those of one name are told apart.
    aliases: HashMap<usize, String>,
    /// Whether the next scan is one whose rows several threads share: the first below a Gather.
    parallel: bool,
}

/// Columns of a node's rows: what they are called above it.
type Names = Vec<String>;

/// What the rows of a set of ids satisfy.
fn found_by(bits: &Bits) -> Option<Expr> {
    match bits {
        Bits::Range(range) => Expr::all(range.equals.iter().chain(&range.bounds).cloned().collect()),
        Bits::And(list) => {
            let mut all = Vec::new();
            list.iter().filter_map(found_by).for_each(|e| e.conjuncts(&mut all));
            Expr::all(all)
        }
        Bits::Or(list) => {
            let arms = list.iter().map(found_by).collect::<Option<Vec<_>>>()?;
            Some(Expr::new(ExprKind::Or(arms), oid::BOOL, 0))
        }
    }
}

/// What several threads run below an aggregate whose input is `node`, how many help, and what they counted.
fn gathered(node: &Node) -> Option<(&Node, usize, Option<&Counter>)> {
    match node {
        Node::Gather { input, workers, whole: false } => Some((input, *workers, None)),
        Node::Counted { input, counter } => gathered(input).map(|(node, workers, _)| (node, workers, Some(counter))),
        _ => None,
    }
}

fn counted(node: &Node) -> &Node {
    match node {
        Node::Counted { input, .. } => counted(input),
        other => other,
    }
}

impl<'a> Explainer<'a> {
    pub fn new(
        statistics: &'a dyn Statistics,
        names: &'a dyn TypeLookup,
        options: Options,
        node: &Node,
    ) -> Explainer<'a> {
        let (mut relations, mut labels) = (0, Vec::new());
        node.visit_tables(&mut |table, _| labels.push(&table.label));
        node.visit(&mut |n| {
            if let Node::FunctionScan { label, .. } | Node::CteScan { label, .. } = n {
                labels.push(label);
            }
            relations += usize::from(matches!(
                n,
                Node::Scan { .. }
                    | Node::IndexScan { .. }
                    | Node::BitmapScan { .. }
                    | Node::FunctionScan { .. }
                    | Node::CteScan { .. }
            ));
        });
        labels.sort_by_key(|l| l.number);
        labels.dedup_by_key(|l| l.number);
        let mut aliases: HashMap<usize, String> = HashMap::new();
        for label in labels.into_iter().filter(|l| l.number > 0) {
            let free = |n: &String| !aliases.values().any(|a| a == n);
            let numbered = || (1..).map(|i| format!("{}_{i}", label.alias)).find(free);
            let alias = Some(label.alias.clone()).filter(free).or_else(numbered);
            aliases.insert(label.number, alias.unwrap_or_default());
        }
        Explainer {
            statistics,
            names,
            options,
            qualified: relations > 1 || options.verbose,
            slots: HashMap::new(),
            subplans: 0,
            windows: 0,
            pending: Vec::new(),
            ctes: HashMap::new(),
            aliases,
            parallel: false,
        }
    }

    pub fn show(&mut self, node: &Node) -> Shown {
        self.node(node).0
    }

    /// What an item of FROM is called, which is of itself called `own`.
    fn alias<'n>(&'n self, label: &'n Label, own: &'n str) -> &'n str {
        self.aliases.get(&label.number).map_or(own, |a| a)
    }

    /// `own` as the title of its scan has it: with its alias, if that is another.
    fn titled(&self, label: &Label, own: &str) -> String {
        let (alias, own) = (self.alias(label, own), syntax::quote_ident(own));
        if *own == *syntax::quote_ident(alias) {
            own.to_string()
        } else {
            format!("{own} {}", syntax::quote_ident(alias))
        }
    }

    fn table(&self, table: &TableRef) -> String {
        let name = self.titled(&table.label, &table.name);
        if self.options.verbose { format!("{}.{name}", syntax::quote_ident(&table.schema)) } else { name }
    }

    fn columns_of(&self, table: &TableRef) -> Names {
        let alias = self.alias(&table.label, &table.name);
        let columns = table.columns.iter().map(|c| self.column(alias, &c.name));
        columns.chain([self.column(alias, "ctid")]).collect()
    }

    fn column(&self, table: &str, column: &str) -> String {
        let column = syntax::quote_ident(column);
        if self.qualified { format!("{}.{column}", syntax::quote_ident(table)) } else { column.to_string() }
    }

    /// `e` over `columns` as text; its queries become pending children.
    fn expr(&mut self, e: &Expr, columns: &[String]) -> String {
        // Names that are no identifiers are put in after printing.
        let mut held: Vec<String> = Vec::new();
        let mut e = e.clone();
        self.hold(&mut e, columns, &mut held);
        let places: Vec<String> = (0..held.len()).map(|i| format!("c0l{i}z")).collect();
        let printed =
            Deparser { columns: &places, names: self.names, pretty: false, query: None, settings: None }.expr(&e);
        let mut text = printed.unwrap_or_else(|_| "...".to_owned());
        for (place, name) in places.iter().zip(&held).rev() {
            text = text.replace(place.as_str(), name);
        }
        text
    }

    fn hold(&mut self, e: &mut Expr, columns: &[String], held: &mut Vec<String>) {
        let name = match &mut e.kind {
            ExprKind::Column(i) => columns.get(*i).cloned().unwrap_or_else(|| "?".to_owned()),
            ExprKind::Slot(slot) => self.slots.get(slot).cloned().unwrap_or_else(|| "?".to_owned()),
            ExprKind::Subquery(sub) => {
                for (slot, bound) in &sub.binds {
                    let bound = self.expr(bound, columns);
                    self.slots.insert(*slot, bound);
                }
                self.subplans += 1;
                let word = if sub.correlated || matches!(sub.kind, SubKind::Quantified { .. }) {
                    "SubPlan"
                } else {
                    "InitPlan"
                };
                let label = format!("{word} {}", self.subplans);
                let pending = std::mem::take(&mut self.pending);
                let (mut shown, inner) = self.node(&sub.node);
                self.pending = pending;
                shown.relationship = Some(word.to_owned());
                shown.label = Some(label.clone());
                self.pending.push(shown);
                match &sub.kind {
                    SubKind::Scalar if !sub.correlated => format!("({label}).col1"),
                    SubKind::Exists => format!("EXISTS({label})"),
                    SubKind::Scalar => format!("({label})"),
                    SubKind::Array => format!("ARRAY({label})"),
                    SubKind::Quantified { all, test } => {
                        let test = self.expr(test, &inner);
                        let word = if *all { "ALL" } else { "ANY" };
                        let hashed = if sub.correlated { "" } else { "hashed " };
                        format!(
                            "({word} {} = ({hashed}{label}).col1)",
                            test.trim_matches(['(', ')']).split(" = ").next().unwrap_or("")
                        )
                    }
                }
            }
            _ => {
                e.children_mut().into_iter().for_each(|c| self.hold(c, columns, held));
                return;
            }
        };
        let at = held.len();
        held.push(name);
        e.kind = ExprKind::Column(at);
    }

    /// A condition, in parentheses.
    fn condition(&mut self, e: &Expr, columns: &[String]) -> Detail {
        let text = self.expr(e, columns);
        Detail::Text(if text.starts_with('(') && text.ends_with(')') { text } else { format!("({text})") })
    }

    /// The name above its node of an expression computed there.
    fn above(&mut self, e: &Expr, columns: &[String]) -> String {
        let text = self.expr(e, columns);
        let simple = matches!(e.kind, ExprKind::Column(_) | ExprKind::Const(_)) || text.starts_with('(');
        if simple { text } else { format!("({text})") }
    }

    fn aggregate(&mut self, call: &AggregateCall, columns: &[String]) -> String {
        let own = call.own.as_ref().map(|o| o.name.as_str());
        let name = own.or(catalog::builtin::proc_by_oid(call.function).map(|p| p.name)).unwrap_or("?");
        let args: Vec<String> = call.args.iter().map(|a| self.expr(a, columns)).collect();
        let args = if args.is_empty() { "*".to_owned() } else { args.join(", ") };
        let distinct = if call.distinct { "DISTINCT " } else { "" };
        let order = if call.order.is_empty() {
            String::new()
        } else {
            format!(" ORDER BY {}", self.keys(&call.order, columns).join(", "))
        };
        let filter = match &call.filter {
            Some(f) => format!(" FILTER (WHERE {})", self.expr(f, columns)),
            None => String::new(),
        };
        format!("{name}({distinct}{args}{order}){filter}")
    }

    /// What stands in the parentheses of a window.
    fn window(&mut self, window: &Window, calls: &[WindowCall], columns: &[String]) -> String {
        let mut parts: Vec<String> = Vec::new();
        if !window.partition.is_empty() {
            let list: Vec<String> = window.partition.iter().map(|e| self.above(e, columns)).collect();
            parts.push(format!("PARTITION BY {}", list.join(", ")));
        }
        if !window.order.is_empty() {
            // Without directions, as PostgreSQL shows it.
            let list: Vec<String> = window.order.iter().map(|k| self.above(&k.expr, columns)).collect();
            parts.push(format!("ORDER BY {}", list.join(", ")));
        }
        let frame = &window.frame;
        // Those that count rows or groups do not look at the frame: PostgreSQL shows the one it finds cheapest.
        let counts = !calls.is_empty() && calls.iter().all(|c| !c.aggregate && matches!(c.function.0, 3100..=3105));
        if counts && frame.exclusion == FrameExclusion::Nothing {
            parts.push("ROWS UNBOUNDED PRECEDING".to_owned());
            return parts.join(" ");
        }
        if *frame != Frame::default() {
            let units = match frame.units {
                FrameUnits::Rows => "ROWS",
                FrameUnits::Range => "RANGE",
                FrameUnits::Groups => "GROUPS",
            };
            let mut end = |bound: &FrameBound, far: &str| match bound {
                FrameBound::Unbounded => format!("UNBOUNDED {far}"),
                FrameBound::CurrentRow => "CURRENT ROW".to_owned(),
                FrameBound::Preceding(e) => format!("{} PRECEDING", self.above(e, columns)),
                FrameBound::Following(e) => format!("{} FOLLOWING", self.above(e, columns)),
            };
            let (start, last) = (end(&frame.start, "PRECEDING"), end(&frame.end, "FOLLOWING"));
            let excluded = match frame.exclusion {
                FrameExclusion::Nothing => "",
                FrameExclusion::CurrentRow => " EXCLUDE CURRENT ROW",
                FrameExclusion::Group => " EXCLUDE GROUP",
                FrameExclusion::Ties => " EXCLUDE TIES",
            };
            parts.push(format!("{units} BETWEEN {start} AND {last}{excluded}"));
        }
        parts.join(" ")
    }

    fn keys(&mut self, keys: &[SortKey], columns: &[String]) -> Vec<String> {
        keys.iter()
            .map(|k| {
                let mut text = self.above(&k.expr, columns);
                if k.descending {
                    text += " DESC";
                }
                match (k.descending, k.nulls_first) {
                    (false, true) => text += " NULLS FIRST",
                    (true, false) => text += " NULLS LAST",
                    _ => {}
                }
                text
            })
            .collect()
    }

    fn width(&self, node: &Node, e: &Estimate) -> u64 {
        let needed = match counted(node) {
            Node::Scan { needed, .. } | Node::IndexScan { needed, .. } | Node::BitmapScan { needed, .. } => {
                needed.clone()
            }
            _ => plan::Needed::default(),
        };
        let own: f64 = e
            .columns
            .iter()
            .enumerate()
            .filter(|(i, c)| needed.has(*i) && (c.ty != oid::TID || needed.0.is_some()))
            .map(|(_, c)| c.width)
            .sum();
        own.round() as u64
    }

    fn plain(&mut self, node: &Node, title: &str, node_type: &str) -> Shown {
        let estimate = estimate(node, self.statistics);
        let width = self.width(node, &estimate);
        Shown { title: title.to_owned(), node_type: node_type.to_owned(), estimate, width, ..Shown::default() }
    }

    /// What stands for `node`, and its columns' names.
    fn node(&mut self, node: &Node) -> (Shown, Names) {
        let outer = std::mem::take(&mut self.pending);
        let (mut shown, names) = self.inner(node);
        let own = std::mem::replace(&mut self.pending, outer);
        shown.children.extend(own);
        (shown, names)
    }

    fn child(&mut self, node: &Node, relationship: &str) -> (Shown, Names) {
        let (mut shown, names) = self.node(node);
        shown.relationship = Some(relationship.to_owned());
        (shown, names)
    }

    fn scan(&mut self, node: &Node, table: &TableRef, filter: Option<&Expr>) -> (Shown, Names) {
        let columns = self.columns_of(table);
        // A scan's own conditions are about one table.
        let above = columns.clone();
        let columns = if self.options.verbose {
            columns
        } else {
            let own = table.columns.iter().map(|c| syntax::quote_ident(&c.name).to_string());
            own.chain(["ctid".to_owned()]).collect()
        };
        let mut shown = match counted(node) {
            Node::IndexScan { range, only, .. } => {
                let index = &table.indexes[range.index];
                let direction = if range.backward { " Backward" } else { "" };
                let word = if only.is_some() { "Index Only Scan" } else { "Index Scan" };
                let name = syntax::quote_ident(&index.name);
                let title = format!("{word}{direction} using {name} on {}", self.table(table));
                let mut shown = self.plain(node, &title, word);
                let way = if range.backward { "Backward" } else { "Forward" };
                shown.details.push(("Scan Direction".to_owned(), Detail::Hidden(way.to_owned())));
                shown.details.push(("Index Name".to_owned(), Detail::Hidden(index.name.clone())));
                let list = range.equals.iter().chain(&range.bounds).cloned().collect();
                if let Some(e) = Expr::all(list) {
                    let condition = self.condition(&e, &columns);
                    shown.details.push(("Index Cond".to_owned(), condition));
                }
                shown
            }
            Node::BitmapScan { bits, .. } => {
                let mut shown =
                    self.plain(node, &format!("Bitmap Heap Scan on {}", self.table(table)), "Bitmap Heap Scan");
                // What follows from a LIKE is not asked again: the LIKE is.
                let mut asked = Vec::new();
                filter.iter().for_each(|f| (*f).clone().conjuncts(&mut asked));
                let derived: Vec<Expr> = asked.iter().flat_map(optimizer::prefix::bounds).collect();
                let mut again = Vec::new();
                found_by(bits).into_iter().for_each(|e| e.conjuncts(&mut again));
                again.retain(|e| !derived.iter().any(|d| d.same(e)) || asked.iter().any(|a| a.same(e)));
                if let Some(e) = Expr::all(again) {
                    let condition = self.condition(&e, &columns);
                    shown.details.push(("Recheck Cond".to_owned(), condition));
                }
                let mut child = self.bits(table, bits, &columns);
                child.relationship = Some("Outer".to_owned());
                shown.children.push(child);
                shown
            }
            _ if std::mem::take(&mut self.parallel) => {
                let title = format!("Parallel Seq Scan on {}", self.table(table));
                Shown { parallel: true, ..self.plain(node, &title, "Seq Scan") }
            }
            _ => self.plain(node, &format!("Seq Scan on {}", self.table(table)), "Seq Scan"),
        };
        shown.details.push(("Relation Name".to_owned(), Detail::Hidden(table.name.clone())));
        let alias = self.alias(&table.label, &table.name).to_owned();
        shown.details.push(("Alias".to_owned(), Detail::Hidden(alias)));
        if let Some(f) = filter {
            let mut list = Vec::new();
            f.clone().conjuncts(&mut list);
            // What the index looked at already.
            match counted(node) {
                Node::IndexScan { range, .. } => {
                    list.retain(|p| !range.equals.contains(p) && !range.bounds.contains(p));
                }
                Node::BitmapScan { bits, .. } => {
                    let mut asked = Vec::new();
                    found_by(bits).into_iter().for_each(|e| e.conjuncts(&mut asked));
                    list.retain(|p| !asked.iter().any(|a| a.same(p)));
                }
                _ => {}
            }
            if let Some(e) = Expr::all(list) {
                let condition = self.condition(&e, &columns);
                shown.details.push(("Filter".to_owned(), condition));
            }
        }
        if let (Node::IndexScan { only: Some(fetches), .. }, true) = (counted(node), self.options.analyze) {
            shown.details.push(("Heap Fetches".to_owned(), Detail::Number(fetches.count())));
        }
        (shown, above)
    }

    /// The sets of row ids under a bitmap scan.
    fn bits(&mut self, table: &TableRef, bits: &Bits, columns: &[String]) -> Shown {
        let (title, list) = match bits {
            Bits::And(list) => ("BitmapAnd", list),
            Bits::Or(list) => ("BitmapOr", list),
            Bits::Range(range) => {
                let index = &table.indexes[range.index];
                let title = format!("Bitmap Index Scan on {}", syntax::quote_ident(&index.name));
                let mut shown = Shown { title, node_type: "Bitmap Index Scan".to_owned(), ..Shown::default() };
                shown.details.push(("Index Name".to_owned(), Detail::Hidden(index.name.clone())));
                if let Some(e) = found_by(bits) {
                    let condition = self.condition(&e, columns);
                    shown.details.push(("Index Cond".to_owned(), condition));
                }
                self.estimate_bits(table, bits, &mut shown);
                return shown;
            }
        };
        let mut shown = Shown { title: title.to_owned(), node_type: title.to_owned(), ..Shown::default() };
        for part in list {
            let mut child = self.bits(table, part, columns);
            child.relationship = Some("Member".to_owned());
            shown.children.push(child);
        }
        self.estimate_bits(table, bits, &mut shown);
        shown
    }

    fn estimate_bits(&self, table: &TableRef, bits: &Bits, shown: &mut Shown) {
        let (rows, cost) = optimizer::estimate_bits(table, bits, self.statistics);
        shown.estimate = Estimate { rows, startup: cost, cost, columns: Vec::new() };
    }

    fn join(&mut self, node: &Node) -> (Shown, Names) {
        let (kind, left, right, equal, condition, binds) = match counted(node) {
            Node::MergeJoin { kind, left, right, equal, condition } => {
                (*kind, left, right, &equal[..], condition, &[][..])
            }
            Node::Join { kind, left, right, equal, condition } => (*kind, left, right, &equal[..], condition, &[][..]),
            Node::Apply { kind, left, right, binds, condition } => (*kind, left, right, &[][..], condition, &binds[..]),
            _ => return (Shown::default(), Names::new()),
        };
        let word = match kind {
            JoinKind::Inner => "",
            JoinKind::Left => " Left",
            JoinKind::Right => " Right",
            JoinKind::Full => " Full",
            JoinKind::Semi => " Semi",
            JoinKind::Anti => " Anti",
        };
        let merge = matches!(counted(node), Node::MergeJoin { .. });
        let hash = !equal.is_empty() && !merge;
        let (title, node_type) = match (hash, kind) {
            (_, JoinKind::Inner) if merge => ("Merge Join".to_owned(), "Merge Join"),
            _ if merge => (format!("Merge{word} Join"), "Merge Join"),
            (true, JoinKind::Inner) => ("Hash Join".to_owned(), "Hash Join"),
            (true, _) => (format!("Hash{word} Join"), "Hash Join"),
            (false, JoinKind::Inner) => ("Nested Loop".to_owned(), "Nested Loop"),
            (false, _) => (format!("Nested Loop{word} Join"), "Nested Loop"),
        };
        let mut shown = self.plain(node, &title, node_type);
        let name = if kind == JoinKind::Inner { "Inner" } else { word.trim() };
        shown.details.push(("Join Type".to_owned(), Detail::Hidden(name.to_owned())));
        let (left_shown, left_names) = self.child(left, "Outer");
        for (slot, e) in binds {
            let text = self.expr(e, &left_names);
            self.slots.insert(*slot, text);
        }
        let (mut right_shown, right_names) = self.child(right, "Inner");
        if hash || matches!(counted(node), Node::Join { .. }) {
            let word = if hash { "Hash" } else { "Materialize" };
            let mut above = Shown {
                title: word.to_owned(),
                node_type: word.to_owned(),
                relationship: Some("Inner".to_owned()),
                estimate: right_shown.estimate.clone(),
                width: right_shown.width,
                actual: right_shown.actual,
                pages: right_shown.pages,
                ..Shown::default()
            };
            if hash {
                above.estimate.startup = above.estimate.cost;
            }
            right_shown.relationship = Some("Outer".to_owned());
            above.children.push(right_shown);
            right_shown = above;
        }
        let names: Names = left_names.iter().chain(&right_names).cloned().collect();
        if hash || merge {
            let tests: Vec<String> = equal
                .iter()
                .map(|(a, b, _)| format!("({} = {})", self.expr(a, &left_names), self.expr(b, &right_names)))
                .collect();
            let text = if tests.len() == 1 { tests.concat() } else { format!("({})", tests.join(" AND ")) };
            let word = if merge { "Merge Cond" } else { "Hash Cond" };
            shown.details.push((word.to_owned(), Detail::Text(text)));
        }
        if let Some(c) = condition {
            let condition = self.condition(c, &names);
            shown.details.push(("Join Filter".to_owned(), condition));
        }
        shown.children.extend([left_shown, right_shown]);
        (shown, if matches!(kind, JoinKind::Semi | JoinKind::Anti) { left_names } else { names })
    }

    /// A node over one input, whose columns it passes on.
    fn over(&mut self, node: &Node, input: &Node, title: &str) -> (Shown, Names) {
        let mut shown = self.plain(node, title, title);
        let (child, names) = self.child(input, "Outer");
        shown.children.push(child);
        (shown, names)
    }

    fn changes(&mut self, node: &Node, table: &TableRef, input: &Node, word: &str) -> (Shown, Names) {
        let title = format!("{word} on {}", self.table(table));
        let mut shown = self.plain(node, &title, "ModifyTable");
        shown.width = 0;
        shown.details.push(("Operation".to_owned(), Detail::Hidden(word.to_owned())));
        shown.details.push(("Relation Name".to_owned(), Detail::Hidden(table.name.clone())));
        let alias = self.alias(&table.label, &table.name).to_owned();
        shown.details.push(("Alias".to_owned(), Detail::Hidden(alias)));
        let (child, _) = self.child(input, "Outer");
        shown.children.push(child);
        let columns = self.columns_of(table);
        (shown, columns)
    }

    fn inner(&mut self, node: &Node) -> (Shown, Names) {
        match node {
            Node::Counted { input, counter } => {
                let (mut shown, names) = self.inner(input);
                shown.actual = Some(counter.counts());
                shown.pages = Some(counter.pages());
                (shown, names)
            }
            Node::Gather { input, workers, .. } => {
                self.parallel = true;
                let (below, names) = self.child(input, "Outer");
                let mut shown = self.plain(node, "Gather", "Gather");
                shown.details.push(("Workers Planned".to_owned(), Detail::Number(*workers as u64)));
                shown.children.push(below);
                (shown, names)
            }
            Node::Values { rows, .. } if rows.len() == 1 => {
                let texts = rows[0].iter().map(|e| self.expr(e, &[])).collect();
                (self.plain(node, "Result", "Result"), texts)
            }
            Node::Values { types, .. } | Node::Constants { types, .. } => {
                let names: Names = (1..=types.len()).map(|i| format!("\"*VALUES*\".column{i}")).collect();
                (self.plain(node, "Values Scan on \"*VALUES*\"", "Values Scan"), names)
            }
            Node::Scan { table, filter, .. }
            | Node::IndexScan { table, filter, .. }
            | Node::BitmapScan { table, filter, .. } => self.scan(node, table, filter.as_ref()),
            Node::FunctionScan { function, routine, types, ordinality, label, .. } => {
                let own = routine.as_ref().map(|r| r.name.as_str());
                let name = own.or(catalog::builtin::proc_by_oid(*function).map(|p| p.name)).unwrap_or("?");
                let title = format!("Function Scan on {}", self.titled(label, name));
                let shown = self.plain(node, &title, "Function Scan");
                let (count, alias) = (types.len() + usize::from(*ordinality), self.alias(label, name));
                let column = |i: usize| match label.columns.get(i) {
                    Some(column) => self.column(alias, column),
                    None => self.column(alias, &format!("column{}", i + 1)),
                };
                (shown, (0..count).map(column).collect())
            }
            Node::Filter { input, predicate } => {
                let (mut shown, names) = self.node(input);
                let condition = match counted(input) {
                    // Asked where they are computed.
                    Node::Aggregate { .. } | Node::GroupAggregate { .. } => {
                        let bare =
                            |n: &String| n.strip_prefix('(').and_then(|n| n.strip_suffix(')')).unwrap_or(n).to_owned();
                        self.condition(predicate, &names.iter().map(bare).collect::<Vec<_>>())
                    }
                    // A scan's own conditions are about one item of FROM.
                    Node::CteScan { label, .. } | Node::FunctionScan { label, .. } if !self.options.verbose => {
                        let column = |(i, n): (usize, &String)| match label.columns.get(i) {
                            Some(column) => syntax::quote_ident(column).to_string(),
                            None => n.clone(),
                        };
                        self.condition(predicate, &names.iter().enumerate().map(column).collect::<Vec<_>>())
                    }
                    _ => self.condition(predicate, &names),
                };
                let word = if predicate.span().is_none() && !matches!(predicate.kind, ExprKind::Subquery(_)) {
                    "One-Time Filter"
                } else {
                    "Filter"
                };
                if word == "One-Time Filter" {
                    let mut above = self.plain(node, "Result", "Result");
                    above.details.push((word.to_owned(), condition));
                    shown.relationship = Some("Outer".to_owned());
                    above.children.push(shown);
                    return (above, names);
                }
                let estimated = estimate(node, self.statistics);
                shown.estimate.rows = estimated.rows;
                shown.estimate.cost = estimated.cost.max(shown.estimate.cost);
                shown.details.push((word.to_owned(), condition));
                (shown, names)
            }
            // Expressions are computed by the node that yields the rows.
            Node::Project { input, exprs } => {
                let (mut shown, below) = self.node(input);
                let estimated = estimate(node, self.statistics);
                shown.width = self.width(node, &estimated);
                let names: Names = exprs.iter().map(|e| self.above(e, &below)).collect();
                if self.options.verbose {
                    let list: Vec<String> = exprs.iter().map(|e| self.expr(e, &below)).collect();
                    shown.details.retain(|d| d.0 != "Output");
                    shown.details.insert(0, ("Output".to_owned(), Detail::List(list)));
                }
                (shown, names)
            }
            Node::ProjectSet { input, exprs } => {
                let (shown, below) = self.over(node, input, "ProjectSet");
                let names = exprs.iter().map(|e| self.above(e, &below)).collect();
                (shown, names)
            }
            Node::Join { .. } | Node::MergeJoin { .. } | Node::Apply { .. } => self.join(node),
            Node::Aggregate { input, groups, calls } | Node::GroupAggregate { input, groups, calls } => {
                let (title, strategy) = match node {
                    Node::GroupAggregate { .. } => ("GroupAggregate", "Sorted"),
                    _ if groups.is_empty() => ("Aggregate", "Plain"),
                    _ => ("HashAggregate", "Hashed"),
                };
                let gather = gathered(input);
                self.parallel |= gather.is_some();
                let verbose = self.options.verbose;
                let (mut shown, below) = self.over(node, gather.map_or(&**input, |g| g.0), title);
                shown.node_type = "Aggregate".to_owned();
                let keys: Vec<String> = groups.iter().map(|g| self.above(g, &below)).collect();
                let calls: Vec<String> = calls.iter().map(|c| self.aggregate(c, &below)).collect();
                let describe = |shown: &mut Shown, mode: &str| {
                    shown.details.push(("Strategy".to_owned(), Detail::Hidden(strategy.to_owned())));
                    shown.details.push(("Partial Mode".to_owned(), Detail::Hidden(mode.to_owned())));
                    if verbose {
                        let list = keys.iter().chain(&calls).cloned().collect();
                        shown.details.push(("Output".to_owned(), Detail::List(list)));
                    }
                    if !keys.is_empty() {
                        shown.details.push(("Group Key".to_owned(), Detail::List(keys.clone())));
                    }
                };
                match gather {
                    None => describe(&mut shown, "Simple"),
                    Some((_, workers, ran)) => {
                        let mut partial = Shown { title: format!("Partial {title}"), ..shown.clone() };
                        partial.relationship = Some("Outer".to_owned());
                        describe(&mut partial, "Partial");
                        let mut above = self.plain(node, "Gather", "Gather");
                        above.relationship = Some("Outer".to_owned());
                        above.details.push(("Workers Planned".to_owned(), Detail::Number(workers as u64)));
                        if let Some(counter) = ran {
                            let (parts, ..) = counter.counts();
                            let launched = parts.saturating_sub(1);
                            above.details.push(("Workers Launched".to_owned(), Detail::Number(launched)));
                            above.actual = Some(counter.counts());
                            above.pages = Some(counter.pages());
                        }
                        above.children.push(partial);
                        shown.title = format!("Finalize {title}");
                        shown.children = vec![above];
                        describe(&mut shown, "Finalize");
                    }
                }
                (shown, keys.into_iter().chain(calls.into_iter().map(|c| format!("({c})"))).collect())
            }
            Node::GroupingSets { input, groups, sets } => {
                let (mut shown, mut names) = self.over(node, input, "ProjectSet");
                let keys: Vec<String> = groups.iter().map(|g| self.above(g, &names)).collect();
                for set in sets {
                    let list: Vec<String> = keys.iter().zip(set).filter(|k| *k.1).map(|k| k.0.clone()).collect();
                    let list = if list.is_empty() { vec!["()".to_owned()] } else { list };
                    shown.details.push(("Group Key".to_owned(), Detail::List(list)));
                }
                names.extend(keys);
                names.extend(["GROUPING SET".to_owned(), "GROUPED".to_owned()]);
                (shown, names)
            }
            Node::Window { input, window, calls } => {
                let (mut shown, mut names) = self.over(node, input, "WindowAgg");
                self.windows += 1;
                let name = format!("w{}", self.windows);
                let text = self.window(window, calls, &names);
                shown.details.push(("Window".to_owned(), Detail::Text(format!("{name} AS ({text})"))));
                let called = |f: Oid| catalog::builtin::proc_by_oid(f).map_or("?", |p| p.name);
                for c in calls {
                    let args: Vec<String> = c.args.iter().map(|a| self.expr(a, &names)).collect();
                    names.push(format!("({}({}) OVER {name})", called(c.function), args.join(", ")));
                }
                (shown, names)
            }
            Node::Sort { input, keys } => {
                let (mut shown, names) = self.over(node, input, "Sort");
                let keys = self.keys(keys, &names);
                shown.details.push(("Sort Key".to_owned(), Detail::List(keys)));
                (shown, names)
            }
            Node::IncrementalSort { input, keys, presorted } => {
                let (mut shown, names) = self.over(node, input, "Incremental Sort");
                let keys = self.keys(keys, &names);
                let done = keys[..*presorted].to_vec();
                shown.details.push(("Sort Key".to_owned(), Detail::List(keys)));
                shown.details.push(("Presorted Key".to_owned(), Detail::List(done)));
                (shown, names)
            }
            Node::Unique { input, .. } => self.over(node, input, "Unique"),
            Node::Distinct { input, on } => {
                let title = if on.is_some() { "Unique" } else { "HashAggregate" };
                let (mut shown, names) = self.over(node, input, title);
                if on.is_none() {
                    shown.node_type = "Aggregate".to_owned();
                    shown.details.push(("Strategy".to_owned(), Detail::Hidden("Hashed".to_owned())));
                    shown.details.push(("Group Key".to_owned(), Detail::List(names.clone())));
                }
                (shown, names)
            }
            Node::Limit { input, .. } => self.over(node, input, "Limit"),
            Node::LockRows { input, .. } => self.over(node, input, "LockRows"),
            Node::SetOp { kind, all, left, right } => {
                let title = match (kind, all) {
                    (SetKind::Union, _) => "Append".to_owned(),
                    (SetKind::Intersect, false) => "HashSetOp Intersect".to_owned(),
                    (SetKind::Intersect, true) => "HashSetOp Intersect All".to_owned(),
                    (SetKind::Except, false) => "HashSetOp Except".to_owned(),
                    (SetKind::Except, true) => "HashSetOp Except All".to_owned(),
                };
                let node_type = if *kind == SetKind::Union { "Append" } else { "SetOp" };
                let mut shown = self.plain(node, &title, node_type);
                let word = if *kind == SetKind::Union { "Member" } else { "Outer" };
                let (l, names) = self.child(left, word);
                let (r, _) = self.child(right, if *kind == SetKind::Union { "Member" } else { "Inner" });
                shown.children.extend([l, r]);
                if *kind == SetKind::Union && !all {
                    let mut above = self.plain(node, "HashAggregate", "Aggregate");
                    above.details.push(("Strategy".to_owned(), Detail::Hidden("Hashed".to_owned())));
                    above.details.push(("Group Key".to_owned(), Detail::List(names.clone())));
                    shown.relationship = Some("Outer".to_owned());
                    above.children.push(shown);
                    shown = above;
                }
                (shown, names)
            }
            Node::With { ctes, body } => {
                let mut children = Vec::new();
                let mut called: HashMap<usize, String> = HashMap::new();
                node.visit(&mut |n| {
                    if let Node::CteScan { id, name, .. } = n {
                        called.entry(*id).or_insert_with(|| name.clone());
                    }
                });
                for (id, cte) in ctes {
                    let (mut shown, _) = self.child(cte, "InitPlan");
                    let name = called.get(id).cloned().unwrap_or_default();
                    shown.label = Some(format!("CTE {}", syntax::quote_ident(&name)));
                    self.ctes.insert(*id, name);
                    children.push(shown);
                }
                let (mut shown, names) = self.node(body);
                children.append(&mut shown.children);
                shown.children = children;
                (shown, names)
            }
            Node::CteScan { id, types, name, label } => {
                let node_type = if self.ctes.contains_key(id) { "CTE Scan" } else { "WorkTable Scan" };
                let shown = self.plain(node, &format!("{node_type} on {}", self.titled(label, name)), node_type);
                let alias = self.alias(label, name);
                let column = |i: usize| self.column(alias, label.columns.get(i).map_or("?", |c| c));
                (shown, (0..types.len()).map(column).collect())
            }
            Node::Recursive { base, step, .. } => {
                let mut shown = self.plain(node, "Recursive Union", "Recursive Union");
                let (b, names) = self.child(base, "Outer");
                let (s, _) = self.child(step, "Inner");
                shown.children.extend([b, s]);
                (shown, names)
            }
            Node::Insert { table, input, .. } => self.changes(node, table, input, "Insert"),
            Node::Update { table, input, .. } => self.changes(node, table, input, "Update"),
            Node::Delete { table, input, .. } => self.changes(node, table, input, "Delete"),
            Node::Merge { table, input, .. } => self.changes(node, table, input, "Merge"),
        }
    }
}
