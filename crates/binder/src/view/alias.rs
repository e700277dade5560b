//! What tables are called where a query is printed: names that are taken further out get a number, as PostgreSQL's do, and columns that are
//! being renamed go by their new names.

use std::collections::{HashMap, HashSet};

use syntax::ast::{self, JoinCondition, TableRef};
use syntax::quote_ident;
use types::Oid;

use super::{Form, Texts};
use crate::scope::ScopeColumn;
use crate::{Binder, lookup};

/// A column that is being renamed.
#[derive(Clone)]
pub(crate) struct Renamed {
    pub(crate) table: Oid,
    /// From 1.
    pub(crate) number: i16,
    pub(crate) old: String,
    pub(crate) new: String,
}

/// What tables of one query are called.
#[derive(Clone, Default)]
pub(crate) struct Aliases {
    /// By the name under which they are bound.
    shown: HashMap<String, String>,
    /// Those whose columns keep their names, whatever the table calls them: USING asks for them.
    pinned: HashSet<String>,
    /// The relations that they are.
    tables: HashMap<String, Oid>,
}

/// The items of a FROM list that have names, joins included.
fn items<'a>(list: &'a [TableRef], out: &mut Vec<&'a TableRef>) {
    for item in list {
        match item {
            TableRef::Join(j) => {
                items(std::slice::from_ref(&j.left), out);
                items(std::slice::from_ref(&j.right), out);
                if j.alias.is_some() {
                    out.push(item);
                }
            }
            _ => out.push(item),
        }
    }
}

/// The columns that joins of a FROM list merge; all of them where a NATURAL one does.
fn merged(list: &[TableRef], out: &mut Vec<String>, natural: &mut bool) {
    for item in list {
        let TableRef::Join(j) = item else { continue };
        match &j.condition {
            JoinCondition::Using(names, _) => out.extend(names.iter().map(|n| n.as_str().to_owned())),
            JoinCondition::Natural => *natural = true,
            _ => {}
        }
        merged(std::slice::from_ref(&j.left), out, natural);
        merged(std::slice::from_ref(&j.right), out, natural);
    }
}

impl Texts {
    /// What table `bound` is called in the query at `level`, from 1.
    pub(super) fn table(&self, level: usize, bound: &str) -> String {
        let found = level.checked_sub(1).and_then(|l| self.aliases.get(l)).and_then(|a| a.shown.get(bound));
        found.map_or(bound, |n| n).to_owned()
    }

    /// What a column of the query at `level` is called.
    pub(super) fn column(&self, level: usize, c: &ScopeColumn) -> String {
        let aliases = level.checked_sub(1).and_then(|l| self.aliases.get(l));
        // Columns of a query in FROM keep their names.
        let own = |r: &&Renamed| {
            c.origin == Some((r.table, r.number))
                && aliases.is_some_and(|a| !a.pinned.contains(&c.table) && a.tables.get(&c.table) == Some(&r.table))
        };
        let renamed = self.renamed.as_ref().filter(own);
        match renamed {
            Some(r) if c.name == r.old => r.new.clone(),
            _ => c.name.clone(),
        }
    }

    /// Whether columns of table `bound` of the query at hand keep their names.
    pub(super) fn is_pinned(&self, bound: &str) -> bool {
        self.aliases.last().is_some_and(|a| a.pinned.contains(bound))
    }
}

impl Binder<'_> {
    /// How deep queries being printed are nested.
    pub(crate) fn text_level(&self) -> usize {
        self.texts.as_ref().map_or(0, |t| t.aliases.len())
    }

    /// Chooses what the tables of a FROM list are called.
    pub(super) fn choose_aliases(&self, from: &[TableRef]) -> Aliases {
        let Some(texts) = &self.texts else { return Aliases::default() };
        let mut list = Vec::new();
        items(from, &mut list);
        let (mut using, mut natural) = (Vec::new(), false);
        merged(from, &mut using, &mut natural);
        let mut taken: HashSet<String> = texts.aliases.iter().flat_map(|a| a.shown.values().cloned()).collect();
        let mut chosen = Aliases::default();
        for item in list {
            let Some(bound) = bound_name(item) else { continue };
            let mut wanted = bound.clone();
            let mut table = None;
            if let TableRef::Relation(r) = item {
                table = match self.relation(&r.relation) {
                    Ok(crate::Relation::Table(t)) => Some(t.oid),
                    Ok(crate::Relation::Stored(info)) => Some(info.oid),
                    _ => None,
                };
                let is_cte = self.cte_named(&r.relation).is_some();
                let stored = table.filter(|t| !is_cte && self.image.by_oid(*t).is_some());
                if let Some(oid) = stored {
                    chosen.tables.insert(bound.clone(), oid);
                }
                let unnamed = r.alias.is_none() || lookup::kept_oid(&bound).is_some();
                if let (true, Some(oid)) = (unnamed, stored) {
                    wanted = match texts.form {
                        Form::Kept => format!("%{oid}"),
                        Form::Shown { .. } => self.image.relation_name(oid).map_or(wanted, |n| n.1.to_owned()),
                    };
                }
            }
            // The columns of a join that has a name are those below it.
            if let (TableRef::Join(j), Some(r)) = (item, &texts.renamed)
                && j.alias.as_ref().is_some_and(|a| a.columns.is_empty())
                && !using.contains(&r.old)
                && !natural
            {
                chosen.tables.insert(bound.clone(), r.table);
            }
            if let Some(r) = texts.renamed.as_ref().filter(|r| table == Some(r.table)) {
                let own = match item {
                    TableRef::Relation(rel) => {
                        let live = self
                            .image
                            .by_oid(r.table)
                            .map_or(0, |t| t.columns.iter().take(r.number as usize).filter(|c| !c.dropped).count());
                        let list = rel.alias.as_ref().map_or(&[][..], |a| &a.columns[..]);
                        live.checked_sub(1).and_then(|i| list.get(i)).map(|n| n.as_str() == r.old)
                    }
                    _ => None,
                };
                if using.contains(&r.old) || natural || own == Some(false) {
                    chosen.pinned.insert(bound.clone());
                }
            }
            if matches!(texts.form, Form::Shown { .. }) {
                let free = |n: &String| !taken.contains(n);
                if !free(&wanted) {
                    let numbered = (1..).map(|i| format!("{wanted}_{i}")).find(free);
                    wanted = numbered.unwrap_or(wanted);
                }
                taken.insert(wanted.clone());
            }
            chosen.shown.insert(bound, wanted);
        }
        chosen
    }

    /// The alias and column names behind a table's name: `own` is what it would be called without.
    pub(super) fn alias_text(&self, bound: &str, own: &str, alias: Option<&ast::Alias>, table: Option<Oid>) -> String {
        let Some(texts) = &self.texts else { return String::new() };
        let shown = texts.table(self.text_level(), bound);
        let mut columns: Vec<String> =
            alias.map_or(Vec::new(), |a| a.columns.iter().map(|n| n.as_str().to_owned()).collect());
        if let Some(r) = texts.renamed.as_ref().filter(|r| table == Some(r.table)) {
            let info = self.image.by_oid(r.table);
            let pinned = texts.is_pinned(bound);
            if columns.is_empty() && pinned {
                let live = info.iter().flat_map(|t| t.columns.iter()).filter(|c| !c.dropped);
                columns = live.map(|c| c.name.clone()).collect();
            } else if !pinned {
                columns.iter_mut().filter(|c| **c == r.old).for_each(|c| c.clone_from(&r.new));
            }
        }
        // Shown, a list of columns names them all.
        if let (false, Form::Shown { .. }, Some(info)) =
            (columns.is_empty(), texts.form, table.and_then(|t| self.image.by_oid(t)))
        {
            let live = info.columns.iter().filter(|c| !c.dropped);
            columns.extend(live.skip(columns.len()).map(|c| c.name.clone()).collect::<Vec<_>>());
        }
        let list = match columns.is_empty() {
            true => String::new(),
            false => format!("({})", columns.iter().map(|n| quote_ident(n)).collect::<Vec<_>>().join(", ")),
        };
        let unnamed = lookup::kept_oid(&shown).is_some() || (shown == own && texts.form != Form::Kept);
        if (unnamed || shown == own) && list.is_empty() {
            return String::new();
        }
        format!(" {}{list}", quote_ident(&shown))
    }
}

/// The name that an item of FROM is bound under.
fn bound_name(item: &TableRef) -> Option<String> {
    let alias = |a: &Option<ast::Alias>| a.as_ref().map(|a| a.name.as_str().to_owned());
    match item {
        TableRef::Relation(r) => alias(&r.alias).or_else(|| Some(r.relation.name.as_str().to_owned())),
        TableRef::Subquery(s) => alias(&s.alias),
        TableRef::Function(f) => alias(&f.alias).or_else(|| match &f.functions.first()?.call.kind {
            ast::ExprKind::FuncCall(call) => call.name.last().map(|n| n.to_string()),
            _ => f.functions.first().map(|i| crate::query::figure_name(&i.call)),
        }),
        TableRef::Join(j) => alias(&j.alias),
        _ => None,
    }
}
