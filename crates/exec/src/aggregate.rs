//! Hash aggregation, and DISTINCT, which is grouping by everything.

use std::collections::{HashMap, HashSet};

use ext::{Groups, Rowset};
use plan::{AggregateCall, Expr};
use types::{Oid, Physical, Result, SqlError};
use vector::{CHUNK_ROWS, Chunk, Vector};

use crate::eval::{eval, matching};
use crate::{BoxOperator, Context, Operator, keys};

/// An aggregate while it runs.
struct Running {
    groups: Box<dyn Groups>,
    arg_types: Vec<Oid>,
    /// Arguments seen per group, for DISTINCT.
    seen: HashSet<Vec<u8>>,
    /// Rows kept to be sorted, for ORDER BY: arguments, groups, and sort keys.
    kept: Option<Kept>,
}

struct Kept {
    rows: Chunk,
    groups: Vec<u32>,
    keys: Vec<Vec<u8>>,
}

/// Groups and aggregates its input.
pub struct Aggregate {
    input: BoxOperator,
    groups: Vec<Expr>,
    calls: Vec<AggregateCall>,
    forms: Vec<Physical>,
    result: Option<Chunk>,
    next: usize,
}

impl Aggregate {
    pub fn new(input: BoxOperator, groups: Vec<Expr>, calls: Vec<AggregateCall>, forms: Vec<Physical>) -> Aggregate {
        Aggregate { input, groups, calls, forms, result: None, next: 0 }
    }

    fn start(&self) -> Result<Vec<Running>> {
        let start = |call: &AggregateCall| {
            let Some(definition) = functions::aggregate::lookup(call.function) else {
                return Err(SqlError::internal(format!("aggregate {} is not implemented", call.function)));
            };
            let arg_types: Vec<Oid> = call.args.iter().map(|a| a.ty).collect();
            let forms: Vec<Physical> = arg_types.iter().map(|&t| Physical::of(t)).collect();
            let kept = (!call.order.is_empty()).then(|| Kept {
                rows: Chunk::new(&forms),
                groups: Vec::new(),
                keys: Vec::new(),
            });
            Ok(Running { groups: (definition.groups)(), arg_types, seen: HashSet::new(), kept })
        };
        self.calls.iter().map(start).collect()
    }

    fn run(&mut self, ctx: &mut Context<'_>) -> Result<Chunk> {
        let types: Vec<Oid> = self.groups.iter().map(|g| g.ty).collect();
        let group_forms: Vec<Physical> = types.iter().map(|&t| Physical::of(t)).collect();
        let mut index: HashMap<Vec<u8>, u32> = HashMap::new();
        let mut known = Chunk::new(&group_forms);
        let mut running = self.start()?;
        let grouped = !self.groups.is_empty();
        if !grouped {
            known.rows = 1;
            running.iter_mut().for_each(|r| r.groups.resize(1));
        }
        let mut chunk = Chunk::default();
        let mut group_of: Vec<u32> = Vec::new();
        let mut key = Vec::new();
        while self.input.next(ctx, &mut chunk)? {
            if chunk.rows == 0 {
                continue;
            }
            if grouped {
                let values = self.groups.iter().map(|g| eval(g, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
                let values: Vec<&Vector> = values.iter().map(|v| &**v).collect();
                group_of.clear();
                for i in 0..chunk.rows {
                    key.clear();
                    keys::encode_row(&mut key, &types, &values, i, ctx)?;
                    let group = match index.get(&key) {
                        Some(&g) => g,
                        None => {
                            let g = known.rows as u32;
                            ctx.account.charge(2 * key.len() + 96 + 48 * self.calls.len())?;
                            index.insert(key.clone(), g);
                            known.columns.iter_mut().zip(&values).for_each(|(c, v)| c.push_from(v, i));
                            known.rows += 1;
                            g
                        }
                    };
                    group_of.push(group);
                }
                running.iter_mut().for_each(|r| r.groups.resize(known.rows));
            }
            for (call, state) in self.calls.iter().zip(&mut running) {
                take(call, state, &chunk, grouped.then_some(&group_of[..]), ctx)?;
            }
        }
        let mut out = Chunk::new(&self.forms);
        for (call, state) in self.calls.iter().zip(&mut running) {
            sorted_rows(call, state, ctx)?;
        }
        for (column, v) in out.columns.iter_mut().zip(&known.columns) {
            column.extend_selected(v, 0..known.rows);
        }
        for ((call, state), column) in self.calls.iter().zip(&running).zip(&mut out.columns[self.groups.len()..]) {
            for g in 0..known.rows {
                let value = state.groups.finish(&mut ctx.call(&state.arg_types, call.ty), g)?;
                column.push(&value);
            }
        }
        out.rows = known.rows;
        Ok(out)
    }
}

/// Adds a chunk's rows to an aggregate.
fn take(
    call: &AggregateCall,
    state: &mut Running,
    chunk: &Chunk,
    group_of: Option<&[u32]>,
    ctx: &mut Context<'_>,
) -> Result<()> {
    // The filter decides first: arguments of rows it drops are not evaluated.
    let chosen = match &call.filter {
        Some(filter) => matching(filter, chunk, ctx)?,
        None => None,
    };
    let part;
    let (input, selected_groups);
    match &chosen {
        Some(rows) => {
            part = chunk.select(rows);
            input = &part;
            selected_groups = group_of.map(|g| rows.iter().map(|&r| g[r as usize]).collect::<Vec<_>>());
        }
        None => {
            input = chunk;
            selected_groups = None;
        }
    }
    let group_of = selected_groups.as_deref().or(group_of);
    if input.rows == 0 {
        return Ok(());
    }
    let values = call.args.iter().map(|a| eval(a, input, ctx)).collect::<Result<Vec<_>>>()?;
    let values: Vec<&Vector> = values.iter().map(|v| &**v).collect();
    let mut listed: Option<Vec<u32>> = None;
    if call.distinct {
        let mut fresh = Vec::new();
        for i in 0..input.rows {
            let mut key = group_of.map_or(0, |g| g[i]).to_le_bytes().to_vec();
            keys::encode_row(&mut key, &state.arg_types, &values, i, ctx)?;
            let bytes = key.len() + 32;
            if state.seen.insert(key) {
                ctx.account.charge(bytes)?;
                fresh.push(i as u32);
            }
        }
        listed = Some(fresh);
    }
    if let Some(kept) = &mut state.kept {
        let keys = call.order.iter().map(|k| eval(&k.expr, input, ctx)).collect::<Result<Vec<_>>>()?;
        let rows = listed.unwrap_or_else(|| (0..input.rows as u32).collect());
        for &i in &rows {
            let i = i as usize;
            let mut key = Vec::new();
            for (k, v) in call.order.iter().zip(&keys) {
                keys::encode(&mut key, k.expr.ty, v, i, k.descending, k.nulls_first, ctx)?;
            }
            ctx.account.charge(key.len() + 64)?;
            kept.keys.push(key);
            kept.groups.push(group_of.map_or(0, |g| g[i]));
            kept.rows.columns.iter_mut().zip(&values).for_each(|(c, v)| c.push_from(v, i));
            kept.rows.rows += 1;
        }
        return Ok(());
    }
    let before = state.groups.bytes();
    let rows = match &listed {
        Some(list) => Rowset::Listed(list),
        None => Rowset::All(input.rows),
    };
    state.groups.add_vector(&mut ctx.call(&state.arg_types, call.ty), &values, rows, group_of)?;
    ctx.account.charge(state.groups.bytes().saturating_sub(before))
}

/// Adds rows that waited to be sorted.
fn sorted_rows(call: &AggregateCall, state: &mut Running, ctx: &mut Context<'_>) -> Result<()> {
    let Some(kept) = state.kept.take() else { return Ok(()) };
    let mut order: Vec<u32> = (0..kept.rows.rows as u32).collect();
    order.sort_by(|&a, &b| {
        let key = |i: u32| (kept.groups[i as usize], &kept.keys[i as usize]);
        key(a).cmp(&key(b))
    });
    let values: Vec<&Vector> = kept.rows.columns.iter().collect();
    let groups = Some(&kept.groups[..]);
    state.groups.add_vector(&mut ctx.call(&state.arg_types, call.ty), &values, Rowset::Listed(&order), groups)
}

impl Operator for Aggregate {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if self.result.is_none() {
            self.result = Some(self.run(ctx)?);
            self.next = 0;
        }
        out.reset(&self.forms);
        let Some(result) = &self.result else { return Ok(false) };
        let end = result.rows.min(self.next + CHUNK_ROWS);
        if self.next >= end {
            return Ok(false);
        }
        out.extend_selected(result, self.next..end);
        self.next = end;
        Ok(true)
    }

    fn reset(&mut self) {
        self.result = None;
        self.input.reset();
    }
}

/// Each distinct row once, in the order of first sight; with `on`, each distinct combination of these columns.
pub struct Distinct {
    input: BoxOperator,
    types: Vec<Oid>,
    on: Option<Vec<usize>>,
    seen: HashSet<Vec<u8>>,
}

impl Distinct {
    pub fn new(input: BoxOperator, types: Vec<Oid>, on: Option<Vec<usize>>) -> Distinct {
        Distinct { input, types, on, seen: Default::default() }
    }
}

impl Operator for Distinct {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if !self.input.next(ctx, out)? {
            return Ok(false);
        }
        let columns: Vec<usize> = self.on.clone().unwrap_or_else(|| (0..self.types.len()).collect());
        let types: Vec<Oid> = columns.iter().map(|&c| self.types[c]).collect();
        let values: Vec<&Vector> = columns.iter().map(|&c| &out.columns[c]).collect();
        let mut fresh = Vec::new();
        for i in 0..out.rows {
            let mut key = Vec::new();
            keys::encode_row(&mut key, &types, &values, i, ctx)?;
            let bytes = key.len() + 32;
            if self.seen.insert(key) {
                ctx.account.charge(bytes)?;
                fresh.push(i as u32);
            }
        }
        out.compact(&fresh);
        Ok(true)
    }

    fn reset(&mut self) {
        self.seen.clear();
        self.input.reset();
    }
}
