//! EXPLAIN: a plan as a tree of shown nodes, in PostgreSQL's words; printed by [`text`] or [`json`].

mod print;
mod tree;

use plan::Node;
use syntax::ast::{DefElem, DefValue, Explain, StatementKind};
use types::{Datum, Oid, Physical, Result, SqlError, SqlState, oid};
use vector::Chunk;

use crate::session::{Session, Sink, is_planned};

/// What EXPLAIN was asked to show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub analyze: bool,
    pub verbose: bool,
    pub costs: bool,
    pub timing: bool,
    pub summary: bool,
    /// Pages that were asked for.
    pub buffers: bool,
    /// The settings that steer plans and have other values than at first.
    pub settings: bool,
    /// What expressions became, whatever costs say.
    pub jit: Option<bool>,
    /// And what that looks like.
    pub disassembly: bool,
    pub format: Format,
}

/// How a plan is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    Text,
    Json,
    Yaml,
    Xml,
}

fn is_on(option: &DefElem) -> Result<bool> {
    let word = match &option.value {
        None => return Ok(true),
        Some(value) => value_text(value),
    };
    match word.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" => Ok(false),
        _ => {
            let message = format!("{} requires a Boolean value", &*option.name);
            Err(SqlError::new(SqlState::SYNTAX_ERROR, message))
        }
    }
}

pub(crate) fn options(sql: &str, explain: &Explain) -> Result<Options> {
    let mut o = Options {
        analyze: false,
        verbose: false,
        costs: true,
        timing: true,
        summary: false,
        buffers: false,
        settings: false,
        jit: None,
        disassembly: false,
        format: Format::Text,
    };
    let (mut timing, mut summary, mut buffers) = (None, None, None);
    for option in &explain.options {
        match &*option.name {
            "analyze" => o.analyze = is_on(option)?,
            "verbose" => o.verbose = is_on(option)?,
            "costs" => o.costs = is_on(option)?,
            "timing" => timing = Some(is_on(option)?),
            "summary" => summary = Some(is_on(option)?),
            "buffers" => buffers = Some(is_on(option)?),
            "format" => {
                let word = option.value.as_ref().map(value_text).unwrap_or_default();
                match word.to_ascii_lowercase().as_str() {
                    "text" => o.format = Format::Text,
                    "json" => o.format = Format::Json,
                    "yaml" => o.format = Format::Yaml,
                    "xml" => o.format = Format::Xml,
                    _ => {
                        let message = format!("unrecognized value for EXPLAIN option \"format\": \"{word}\"");
                        let error = SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message);
                        return Err(error.at(option.pos.char_position(sql)));
                    }
                }
            }
            "settings" => o.settings = is_on(option)?,
            // Ours: PostgreSQL has no such options.
            "jit" => o.jit = Some(is_on(option)?),
            "disassembly" => o.disassembly = is_on(option)?,
            "wal" | "generic_plan" | "memory" | "serialize" => {
                let message = format!("EXPLAIN option {}", option.name.to_ascii_uppercase());
                return Err(SqlError::unsupported(message).at(option.pos.char_position(sql)));
            }
            other => {
                let message = format!("unrecognized EXPLAIN option \"{other}\"");
                return Err(SqlError::new(SqlState::SYNTAX_ERROR, message).at(option.pos.char_position(sql)));
            }
        }
    }
    let asked = [("TIMING", timing == Some(true)), ("JIT", o.jit == Some(true)), ("DISASSEMBLY", o.disassembly)];
    if let Some((name, _)) = asked.iter().find(|(_, on)| *on && !o.analyze) {
        let message = format!("EXPLAIN option {name} requires ANALYZE");
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
    }
    o.timing = timing.unwrap_or(true);
    o.summary = summary.unwrap_or(o.analyze);
    o.buffers = buffers.unwrap_or(o.analyze);
    Ok(o)
}

fn value_text(value: &DefValue) -> String {
    match value {
        DefValue::String(s) => s.to_string(),
        DefValue::Integer(n) => n.to_string(),
        DefValue::Bool(b) => b.to_string(),
        other => format!("{other:?}"),
    }
}

/// The type of EXPLAIN's only column.
pub(crate) fn column_type(explain: &Explain) -> Oid {
    let json = explain
        .options
        .iter()
        .any(|o| &*o.name == "format" && o.value.as_ref().is_some_and(|v| value_text(v).eq_ignore_ascii_case("json")));
    if json { oid::JSON } else { oid::TEXT }
}

/// Puts a counter above each node of `node`, and of the queries in its expressions.
fn count(node: &mut Node) {
    for e in node.exprs_mut() {
        e.visit_mut(&mut |e| {
            if let plan::ExprKind::Subquery(sub) = &mut e.kind {
                count(&mut sub.node);
            }
        });
    }
    node.inputs_mut().into_iter().for_each(count);
    let inner = std::mem::replace(node, Node::one_row());
    *node = Node::Counted { input: Box::new(inner), counter: plan::counter::Counter::default() };
}

impl Session {
    pub(crate) fn explain(&mut self, sql: &str, explain: &Explain, sink: &mut dyn Sink) -> Result<String> {
        let options = options(sql, explain)?;
        let executed = match &explain.statement.kind {
            StatementKind::Execute(execute) => self.executed(sql, execute)?,
            _ => None,
        };
        let (sql, kind, given) = match &executed {
            Some((sql, statement, given)) => (&**sql, &statement.kind, given.clone()),
            None => (sql, &explain.statement.kind, self.given.clone()),
        };
        if !is_planned(kind) {
            return Err(SqlError::unsupported(format!("EXPLAIN of {}", kind.name())));
        }
        let clock = self.interrupt.clone();
        let now = move || clock.clock().monotonic_nanos();
        let started = now();
        let (node, columns) = self.locked_plan(sql, kind, None, &given.types)?;
        let planned = now();
        let (mut counted, mut jit, mut code) = (None, exec::JitUse::default(), Vec::new());
        let node = if options.analyze {
            let mut own = (*node).clone();
            count(&mut own);
            let own = std::sync::Arc::new(own);
            let mut running = self.start(own.clone(), columns)?;
            running.params = given.values;
            while running.next_chunk(self)?.is_some() {}
            self.run_events(running.take_events(), false)?;
            counted = Some(now());
            jit = running.jit_use();
            if options.disassembly {
                code = running.jit_disassembly();
            }
            own
        } else {
            node
        };
        let image = self.image()?;
        let names = binder::Names { image: &image, search_path: &self.search_path };
        let known = crate::planning::Known { image: &image, db: &self.db, settings: Some(&self.settings) };
        let shown = tree::Explainer::new(&known, &names, options, &node).show(&node);
        let millis = |nanos: u64| nanos as f64 / 1e6;
        let times = options.summary.then(|| (millis(planned - started), counted.map(|c| millis(c - planned))));
        let changed = if options.settings { self.settings.changed_for_plans() } else { Vec::new() };
        // As in PostgreSQL: not where costs are left out, since tests compare those.
        let is_shown = options.jit.unwrap_or(options.costs || options.disassembly);
        let jit = Some(jit).filter(|j| is_shown && j.functions > 0);
        let around = print::Around { times, settings: options.settings.then_some(changed), jit, code };
        let lines = match options.format {
            Format::Text => print::text(&shown, options, &around),
            Format::Json => vec![print::json(&shown, options, &around)],
            Format::Yaml => vec![print::yaml(&shown, options, &around)],
            Format::Xml => vec![print::xml(&shown, options, &around)],
        };
        let ty = if options.format == Format::Json { oid::JSON } else { oid::TEXT };
        sink.columns(&[plan::OutputColumn { name: "QUERY PLAN".to_owned(), ty, typmod: -1, origin: None }])?;
        let mut chunk = Chunk::new(&[Physical::Var]);
        for line in lines {
            chunk.push_row(&[Datum::text(&line)]);
        }
        sink.chunk(&chunk, &types::io::BuiltinTypes)?;
        Ok("EXPLAIN".to_owned())
    }
}
