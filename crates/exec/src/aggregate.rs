//! Hash aggregation, and DISTINCT, which is grouping by everything.

use std::collections::HashMap;

use functions::aggregate::Accumulator;
use plan::{AggregateCall, Expr};
use types::{Datum, Oid, Physical, Result};
use vector::{CHUNK_ROWS, Chunk};

use crate::eval::{eval, is_true, with_call};
use crate::{BoxOperator, Context, Operator};

/// A key under which equal values meet: the order-preserving encoding says what is equal, as for sorting.
fn group_key(types: &[Oid], row: &[Datum]) -> Result<Vec<u8>> {
    let mut key = Vec::new();
    for (&ty, datum) in types.iter().zip(row) {
        types::sortkey::encode_key(&mut key, ty, datum, false, false)?;
    }
    Ok(key)
}

struct Group {
    key: Vec<Datum>,
    accumulators: Vec<Accumulator>,
    /// Arguments seen, for DISTINCT aggregates.
    seen: Vec<std::collections::HashSet<Vec<u8>>>,
}

/// Groups and aggregates its input.
pub struct Aggregate {
    input: BoxOperator,
    groups: Vec<Expr>,
    calls: Vec<AggregateCall>,
    forms: Vec<Physical>,
    result: Option<std::vec::IntoIter<Vec<Datum>>>,
}

impl Aggregate {
    pub fn new(input: BoxOperator, groups: Vec<Expr>, calls: Vec<AggregateCall>, forms: Vec<Physical>) -> Aggregate {
        Aggregate { input, groups, calls, forms, result: None }
    }

    fn new_group(&self, key: Vec<Datum>) -> Result<Group> {
        let accumulators = self.calls.iter().map(|c| Accumulator::new(c.function)).collect::<Result<Vec<_>>>()?;
        Ok(Group { key, accumulators, seen: vec![Default::default(); self.calls.len()] })
    }

    fn run(&mut self, ctx: &mut Context<'_>) -> Result<Vec<Vec<Datum>>> {
        let types: Vec<Oid> = self.groups.iter().map(|g| g.ty).collect();
        let mut index: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut groups: Vec<Group> = Vec::new();
        if self.groups.is_empty() {
            index.insert(Vec::new(), 0);
            groups.push(self.new_group(Vec::new())?);
        }
        while let Some(chunk) = self.input.next(ctx)? {
            let keys = self.groups.iter().map(|g| eval(g, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
            let mut args = Vec::with_capacity(self.calls.len());
            for call in &self.calls {
                // The filter decides first: arguments of rows it drops are not evaluated.
                let chosen: Vec<u32> = match &call.filter {
                    Some(filter) => {
                        let test = eval(filter, &chunk, ctx)?;
                        (0..chunk.rows).filter(|&i| is_true(&test, i)).map(|i| i as u32).collect()
                    }
                    None => (0..chunk.rows as u32).collect(),
                };
                let input = if chosen.len() == chunk.rows { chunk.clone() } else { chunk.select(&chosen) };
                let values = call.args.iter().map(|a| eval(a, &input, ctx)).collect::<Result<Vec<_>>>()?;
                args.push((chosen, values));
            }
            let mut group_of = Vec::with_capacity(chunk.rows);
            for i in 0..chunk.rows {
                let row: Vec<Datum> = keys.iter().map(|k| k.get(i)).collect();
                let key = group_key(&types, &row)?;
                let group = match index.get(&key) {
                    Some(&g) => g,
                    None => {
                        ctx.account.charge_row(&row)?;
                        ctx.account.charge(key.len() + 64 + 64 * self.calls.len())?;
                        groups.push(self.new_group(row)?);
                        index.insert(key, groups.len() - 1);
                        groups.len() - 1
                    }
                };
                group_of.push(group);
            }
            for (c, (call, (chosen, values))) in self.calls.iter().zip(&args).enumerate() {
                for (i, &row) in chosen.iter().enumerate() {
                    let group = &mut groups[group_of[row as usize]];
                    let arguments: Vec<Datum> = values.iter().map(|v| v.get(i)).collect();
                    if call.distinct {
                        let types: Vec<Oid> = call.args.iter().map(|a| a.ty).collect();
                        let key = group_key(&types, &arguments)?;
                        let bytes = key.len() + 32;
                        if !group.seen[c].insert(key) {
                            continue;
                        }
                        ctx.account.charge(bytes)?;
                    }
                    let types: Vec<Oid> = call.args.iter().map(|a| a.ty).collect();
                    with_call(ctx, &types, call.ty, |call| group.accumulators[c].add(call, &arguments))?;
                }
            }
        }
        groups
            .into_iter()
            .map(|g| {
                let mut row = g.key;
                for (a, call) in g.accumulators.iter().zip(&self.calls) {
                    let types: Vec<Oid> = call.args.iter().map(|a| a.ty).collect();
                    row.push(with_call(ctx, &types, call.ty, |call| a.finish(call))?);
                }
                Ok(row)
            })
            .collect()
    }
}

impl Operator for Aggregate {
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>> {
        if self.result.is_none() {
            self.result = Some(self.run(ctx)?.into_iter());
        }
        ctx.check_interrupts()?;
        let mut chunk = Chunk::new(&self.forms);
        for row in self.result.as_mut().expect("computed above").by_ref().take(CHUNK_ROWS) {
            chunk.push_row(&row);
        }
        Ok((chunk.rows > 0).then_some(chunk))
    }
}

/// Each distinct row once, in the order of first sight.
pub struct Distinct {
    input: BoxOperator,
    types: Vec<Oid>,
    seen: std::collections::HashSet<Vec<u8>>,
}

impl Distinct {
    pub fn new(input: BoxOperator, types: Vec<Oid>) -> Distinct {
        Distinct { input, types, seen: Default::default() }
    }
}

impl Operator for Distinct {
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>> {
        let Some(chunk) = self.input.next(ctx)? else { return Ok(None) };
        let mut fresh = Vec::new();
        for i in 0..chunk.rows {
            let key = group_key(&self.types, &chunk.row(i))?;
            let bytes = key.len() + 32;
            if self.seen.insert(key) {
                ctx.account.charge(bytes)?;
                fresh.push(i as u32);
            }
        }
        Ok(Some(chunk.select(&fresh)))
    }
}
