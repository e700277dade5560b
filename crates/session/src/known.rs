//! Statements known by their text without its literals: planned once, run with the literals as parameters.
//!
//! A text that comes a second time with other literals is bound twice, as it is and with parameters; where both mean the same, and no
//! value could have made another plan better, the plan is kept. What differs in meaning (`ORDER BY 1`, a type's modifier) never gets that far.

use std::collections::HashMap;
use std::sync::Arc;

use binder::Names;
use plan::{Expr, ExprKind, Node};
use smallvec::SmallVec;
use syntax::LiteralKind;
use types::{Datum, Oid, Result, oid};

use crate::basis::Basis;
use crate::planning::Known;
use crate::prepared::Prepared;
use crate::session::{BlockState, Session, is_planned};
use crate::view::View;

/// So many texts are remembered; then all are forgotten.
const TEXTS_MAX: usize = 128;
/// An index look-up that is expected to yield more rows may have a better plan with other values.
const ROWS_MAX: f64 = 100.0;

/// What is known of a text.
enum Entry {
    /// It came once.
    Seen,
    /// It is planned each time.
    Unfit,
    /// Its plan; none while it is run.
    Ready(Option<Box<Prepared>>),
}

/// The texts of a session, as of one state of the catalog and the settings.
#[derive(Default)]
pub(crate) struct KnownStatements {
    basis: Option<Basis>,
    entries: HashMap<String, Entry>,
}

/// A statement whose plan is there: what to run, and the values of its parameters.
pub struct KnownStatement {
    text: String,
    /// The statement with parameters.
    pub prepared: Box<Prepared>,
    /// Their values.
    pub values: SmallVec<[Datum; 8]>,
}

impl Session {
    /// The kept plan of `sql`, if there is one; to be given back with [`Session::keep`] once it has run.
    pub fn known(&mut self, sql: &str) -> Option<KnownStatement> {
        if self.block_state() == BlockState::Failed {
            return None;
        }
        let template = syntax::template(sql)?;
        let basis = self.basis();
        if self.known.basis != Some(basis) {
            self.known = KnownStatements { basis: Some(basis), entries: HashMap::new() };
        }
        match self.known.entries.get_mut(&template.text) {
            None => {
                if self.known.entries.len() >= TEXTS_MAX {
                    self.known.entries.clear();
                }
                self.known.entries.insert(template.text, Entry::Seen);
                return None;
            }
            Some(Entry::Unfit) => return None,
            Some(Entry::Ready(_)) => {}
            Some(entry @ Entry::Seen) => {
                *entry = Entry::Unfit;
                // What is wrong with it, the usual way will tell.
                let made = self.parameterized(sql, &template).ok().flatten();
                if self.basis() != basis {
                    return None;
                }
                let entry = made.map_or(Entry::Unfit, |made| Entry::Ready(Some(Box::new(made))));
                self.known.entries.insert(template.text.clone(), entry);
            }
        }
        let Some(Entry::Ready(kept)) = self.known.entries.get_mut(&template.text) else { return None };
        let prepared = kept.take()?;
        match self.literal_values(&template, &prepared.params) {
            Ok(values) => Some(KnownStatement { text: template.text, prepared, values }),
            Err(_) => {
                self.keep(KnownStatement { text: template.text, prepared, values: SmallVec::new() });
                None
            }
        }
    }

    /// Takes back what [`Session::known`] gave.
    pub fn keep(&mut self, statement: KnownStatement) {
        if let Some(Entry::Ready(kept)) = self.known.entries.get_mut(&statement.text) {
            *kept = Some(statement.prepared);
        }
    }

    /// The literals as values of `types`.
    fn literal_values(&self, template: &syntax::Template, types: &[Oid]) -> Result<SmallVec<[Datum; 8]>> {
        let Some(image) = self.view.as_ref().map(View::catalog) else {
            return Err(types::SqlError::internal("no catalog yet"));
        };
        let names = Names { image, search_path: &self.search_path };
        let mut values = SmallVec::new();
        for ((_, text), &ty) in template.literals.iter().zip(types) {
            values.push(types::io::text_in_with(ty, -1, text, &self.settings.io, &names)?);
        }
        Ok(values)
    }

    /// `sql`, whose template is given, with parameters for its literals, if that is the same statement and has one best plan.
    fn parameterized(&mut self, sql: &str, template: &syntax::Template) -> Result<Option<Prepared>> {
        let types: Vec<Oid> =
            template.literals.iter().map(|l| if l.0 == LiteralKind::Int { oid::INT4 } else { oid::UNKNOWN }).collect();
        let as_written = syntax::parse(sql)?;
        let [statement] = &as_written[..] else { return Ok(None) };
        if !is_planned(&statement.kind) {
            return Ok(None);
        }
        let mut with_parameters = syntax::parse(&template.text)?;
        let (Some(other), true) = (with_parameters.pop(), with_parameters.is_empty()) else { return Ok(None) };
        let started = self.txn.is_none();
        if started {
            self.begin_transaction();
        }
        let basis = self.basis();
        let outcome = (|| {
            let (mut wanted, _) = self.bind(sql, &statement.kind, Vec::new())?;
            let (mut bound, params) = self.bind(&template.text, &other.kind, types)?;
            // A domain's rules are checked by casts, which there are none of from a parameter of that type.
            let untyped = params.iter().any(|&ty| ty == oid::UNKNOWN || ty.is_user_type());
            if params.len() != template.literals.len() || untyped {
                return Ok(None);
            }
            let values = self.literal_values(template, &params)?;
            let shape = |columns: &[plan::OutputColumn]| -> Vec<(String, Oid, i32)> {
                columns.iter().map(|c| (c.name.clone(), c.ty, c.typmod)).collect()
            };
            if shape(&wanted.columns) != shape(&bound.columns) {
                return Ok(None);
            }
            let plan = self.optimized(bound.node.clone())?;
            let simple = settle(&mut wanted.node, &[]) && settle(&mut bound.node, &values);
            let same = simple && wanted.node == bound.node && self.has_one_plan(&plan)?;
            Ok(same.then(|| Prepared {
                sql: Arc::from(&*template.text),
                statement: Arc::new(other),
                params,
                columns: Arc::new(bound.columns),
                plan: Some((basis, Arc::new(plan))),
                operators: None,
            }))
        })();
        if started {
            self.txn = None;
        }
        outcome
    }

    /// Whether no values of its parameters would ask for another plan.
    fn has_one_plan(&mut self, node: &Node) -> Result<bool> {
        let image = self.image()?;
        let statistics = Known { image: &image, db: &self.db, settings: Some(&self.settings) };
        let mut node = node;
        loop {
            node = match node {
                Node::Insert { input, .. }
                | Node::Update { input, .. }
                | Node::Delete { input, .. }
                | Node::Project { input, .. }
                | Node::Filter { input, .. }
                | Node::Aggregate { input, .. }
                | Node::Sort { input, .. }
                | Node::Limit { input, .. }
                | Node::LockRows { input, .. } => input,
                Node::Values { rows, .. } => return Ok(rows.len() == 1),
                Node::Scan { table, .. } => return Ok(table.indexes.is_empty()),
                Node::IndexScan { table, range, .. } => {
                    let whole = range.equal.len() == table.indexes[range.index].columns.len();
                    return Ok(whole && optimizer::estimate(node, &statistics).rows <= ROWS_MAX);
                }
                _ => return Ok(false),
            }
        }
    }
}

/// Puts `values` where parameters are, and makes alike what means the same; false when there are queries inside of expressions.
fn settle(node: &mut Node, values: &[Datum]) -> bool {
    let mut simple = true;
    for e in node.exprs_mut() {
        e.visit_mut(&mut |e: &mut Expr| {
            e.position = 0;
            match &e.kind {
                ExprKind::Param(i) => {
                    if let Some(value) = values.get(*i) {
                        e.kind = ExprKind::Const(value.clone());
                    }
                }
                ExprKind::Subquery(_) => simple = false,
                _ => {}
            }
        });
        optimizer::fold(e);
    }
    simple && node.inputs_mut().into_iter().all(|input| settle(input, values))
}
