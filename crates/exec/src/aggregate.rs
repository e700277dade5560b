//! Hash aggregation.
//!
//! Several threads group what they read each for itself. Where that comes to many groups, each of them then puts a share of the keys together, by their hashes.
//!
//! When groups take more than twice `work_mem`, no more are opened: rows of other groups are dealt out to lists in a file by the hashes
//! of their keys, and list after list is grouped afterwards.

mod sorted;

use std::collections::VecDeque;
use std::sync::Arc;

use ext::{Groups, Rowset};
use plan::{AggregateCall, Expr, ExprKind, OwnAggregate};
use types::{Datum, Oid, Physical, Result, SqlError};
use vector::{CHUNK_ROWS, Chunk, Data, Nulls, Vector};

pub use sorted::GroupAggregate;

use crate::eval::{eval, matching};
use crate::folding::{Folding, Folds};
use crate::key_table::{KeyTable, Keys};
use crate::narrow::Offer;
use crate::own_aggregate::OwnStates;
use crate::parallel::{Fragment, spread};
use crate::sort::hash_bytes;
use crate::spill::Parts;
use crate::{BoxOperator, Context, Operator, keys, native, ordered_set};

/// `count(*)`.
const COUNT: Oid = Oid(2803);

/// An aggregate while it runs.
struct Running {
    groups: States,
    arg_types: Vec<Oid>,
    /// Groups with arguments that were seen, for DISTINCT.
    seen: Option<KeyTable>,
    /// Bytes charged for, rows taken, and at how many of them to look again at what is held.
    charged: usize,
    rows: usize,
    look_at: usize,
    /// Rows kept to be sorted, for ORDER BY: arguments, groups, and sort keys.
    kept: Option<Kept>,
    /// Direct arguments of an ordered-set aggregate, by group.
    direct: Vec<Vec<Datum>>,
    /// What a hypothetical-set aggregate comes to, by group.
    ready: Vec<Datum>,
}

/// The states of an aggregate.
enum States {
    /// That ships with the binary.
    Builtin(Box<dyn Groups>),
    /// That a user made.
    Own(Arc<OwnAggregate>, OwnStates),
}

impl States {
    fn resize(&mut self, count: usize) {
        match self {
            States::Builtin(groups) => groups.resize(count),
            States::Own(own, states) => states.resize(own, count),
        }
    }

    /// Adds what the same aggregate has seen elsewhere.
    fn merge(&mut self, group: usize, other: &States, other_group: usize) -> Result<()> {
        match (self, other) {
            (States::Builtin(groups), States::Builtin(others)) => groups.merge(group, &**others, other_group),
            _ => Err(SqlError::internal("an aggregate of a user ran on several threads")),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            States::Builtin(groups) => groups.bytes(),
            States::Own(_, states) => states.bytes(),
        }
    }

    fn add_vector(
        &mut self,
        (arg_types, ty): (&[Oid], Oid),
        values: &[&Vector],
        rows: Rowset<'_>,
        group_of: Option<&[u32]>,
        ctx: &mut Context<'_>,
    ) -> Result<()> {
        match self {
            States::Builtin(groups) => groups.add_vector(&mut ctx.call(arg_types, ty), values, rows, group_of),
            States::Own(own, states) => {
                let own = own.clone();
                rows.each(|i| states.add(&own, group_of.map_or(0, |g| g[i] as usize), (values, arg_types), i, ctx))
            }
        }
    }

    fn finish(
        &self,
        (arg_types, ty): (&[Oid], Oid),
        direct: &[Datum],
        group: usize,
        ctx: &mut Context<'_>,
    ) -> Result<Datum> {
        match self {
            States::Builtin(groups) => {
                let mut asked = ctx.call(arg_types, ty);
                asked.direct_args = direct;
                groups.finish(&mut asked, group)
            }
            States::Own(own, states) => states.finish(own, group, ctx),
        }
    }
}

struct Kept {
    rows: Chunk,
    groups: Vec<u32>,
    keys: Vec<Vec<u8>>,
}

/// Groups and aggregates its input.
pub struct Aggregate {
    input: BoxOperator,
    /// The input once more, for several threads.
    fragment: Option<Fragment>,
    groups: Vec<Expr>,
    calls: Vec<AggregateCall>,
    /// Where there are no groups, and rows can be folded before they are here.
    folds: Option<Arc<Folds>>,
    is_ready: bool,
    forms: Vec<Physical>,
    /// Room for the input's rows.
    chunk: Chunk,
    /// Rows that are finished, once there are any, and the next of the first chunk.
    results: Option<VecDeque<Chunk>>,
    next: usize,
    /// Lists of rows that are not grouped yet: the file, and which list is next.
    later: Vec<(Parts, usize)>,
}

/// Lists of groups that do not fit into memory.
const PARTS: usize = 16;
/// How often rows are dealt out anew.
const DEPTH_MAX: usize = 6;

/// Aggregates that list what they see: DISTINCT values come to them in order.
const LISTING: [Oid; 7] = [Oid(2335), Oid(4053), Oid(3538), Oid(3545), Oid(3175), Oid(3267), Oid(2901)];

/// `call`, its distinct values in their order where that shows.
fn in_order(mut call: AggregateCall) -> AggregateCall {
    if call.distinct && call.order.is_empty() && (call.own.is_some() || LISTING.contains(&call.function)) {
        let rising = |expr: &Expr| plan::SortKey { expr: expr.clone(), descending: false, nulls_first: false };
        call.order = call.args.iter().map(rising).collect();
    }
    call
}

impl Aggregate {
    pub fn new(input: BoxOperator, groups: Vec<Expr>, calls: Vec<AggregateCall>, forms: Vec<Physical>) -> Aggregate {
        let calls: Vec<AggregateCall> = calls.into_iter().map(in_order).collect();
        let folds = if groups.is_empty() { Folds::of(&calls) } else { None };
        Aggregate {
            input,
            fragment: None,
            groups,
            calls,
            folds,
            is_ready: false,
            forms,
            chunk: Chunk::default(),
            results: None,
            next: 0,
            later: Vec::new(),
        }
    }

    /// It groups on several threads, if it can.
    pub fn in_parallel(self, fragment: Option<Fragment>) -> Aggregate {
        Aggregate { fragment, ..self }
    }

    /// The next chunk to group: of the input, or chunk `n` of a list.
    fn source(
        &mut self,
        part: Option<usize>,
        n: usize,
        chunk: &mut Chunk,
        folding: Option<&mut Folding>,
        ctx: &mut Context<'_>,
    ) -> Result<bool> {
        let Some(part) = part else { return next(&mut self.input, chunk, folding, ctx) };
        let read = match self.later.last() {
            Some((parts, _)) => parts.chunk(part, n)?,
            None => None,
        };
        match read {
            Some(read) => *chunk = read,
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Has its expressions ready, once there are rows for them.
    fn ready(&mut self, ctx: &mut Context<'_>) {
        let exprs = self.groups.iter_mut().chain(self.calls.iter_mut().flat_map(AggregateCall::exprs_mut));
        native::ready(&mut self.is_ready, exprs, ctx);
    }

    /// Groups the input, or list `part` of the last file.
    fn run(&mut self, part: Option<usize>, ctx: &mut Context<'_>) -> Result<VecDeque<Chunk>> {
        if part.is_none()
            && let Some(finished) = self.run_parallel(ctx)?
        {
            return Ok(finished.into());
        }
        let room = hash_bytes(ctx);
        let mut spilled: Option<Parts> = None;
        let mut n = 0;
        let mut grouped = Grouped::new(&self.groups, &self.calls)?;
        let mut chunk = std::mem::take(&mut self.chunk);
        let mut folding = self.folds.as_ref().map(Folding::new);
        while self.source(part, n, &mut chunk, folding.as_mut(), ctx)? {
            n += 1;
            if chunk.rows > 0 {
                self.ready(ctx);
            }
            let beyond = spilled.as_mut().map(|parts| (parts, self.later.len()));
            grouped.take(&self.groups, &self.calls, &mut chunk, beyond, ctx)?;
            if spilled.is_none()
                && !self.groups.is_empty()
                && grouped.held_bytes() > room
                && self.later.len() < DEPTH_MAX
            {
                spilled = Some(Parts::new(PARTS, ctx)?);
            }
        }
        self.chunk = chunk;
        grouped.add_folded(&self.calls, folding.as_ref(), ctx)?;
        let out = grouped.finished(&self.calls, &self.forms, ctx)?;
        if let Some(mut parts) = spilled {
            parts.finish()?;
            self.later.push((parts, 0));
        }
        Ok(VecDeque::from([out]))
    }

    /// Groups the input on several threads, where there is a fragment for that and the groups fit into memory.
    fn run_parallel(&mut self, ctx: &mut Context<'_>) -> Result<Option<Vec<Chunk>>> {
        if self.fragment.is_some() {
            self.ready(ctx);
        }
        let Aggregate { fragment: Some(fragment), groups, calls, folds, forms, .. } = self else { return Ok(None) };
        let room = hash_bytes(ctx);
        let parts = fragment.run(ctx, |input, ctx| {
            let mut grouped = Grouped::new(groups, calls)?;
            let mut chunk = Chunk::default();
            let mut folding = folds.as_ref().map(Folding::new);
            while next(input, &mut chunk, folding.as_mut(), ctx)? {
                grouped.take(groups, calls, &mut chunk, None, ctx)?;
                if grouped.held_bytes() > room {
                    return Ok(None);
                }
            }
            grouped.add_folded(calls, folding.as_ref(), ctx)?;
            Ok(Some(grouped))
        })?;
        let Some(parts) = parts else { return Ok(None) };
        if !groups.is_empty() && parts.iter().map(|part| part.known.rows).sum::<usize>() >= SPREAD_GROUPS_MIN {
            return put_together(parts, (groups, calls, forms), ctx).map(Some);
        }
        let mut parts = parts.into_iter();
        let Some(mut all) = parts.next() else { return Ok(None) };
        parts.try_for_each(|part| all.merge(part, ctx))?;
        Ok(Some(vec![all.finished(calls, forms, ctx)?]))
    }
}

/// More groups than this, of all threads, are put together by as many threads.
const SPREAD_GROUPS_MIN: usize = 1 << 14;

/// The rows of the groups that several threads have seen: each of them adds to its own what others have of its share of the keys.
fn put_together(
    parts: Vec<Grouped>,
    (groups, calls, forms): (&[Expr], &[AggregateCall], &[Physical]),
    ctx: &mut Context<'_>,
) -> Result<Vec<Chunk>> {
    let (count, held) = (parts.len(), parts.iter().map(Grouped::held_bytes).sum());
    // What the accounts of others no longer answer for.
    ctx.account.charge(parts.iter().skip(1).map(Grouped::held_bytes).sum())?;
    let numbered = parts.into_iter().enumerate().collect();
    let dealt = spread(numbered, ctx, |(own, grouped): (usize, Grouped), ctx| {
        let mut lists = grouped.dealt(count, ctx)?;
        let kept = std::mem::take(&mut lists[own]);
        let others = lists.iter().map(|list| grouped.copied(list, groups, calls)).collect::<Result<Vec<_>>>()?;
        Ok((grouped, kept, others))
    })?;
    let mut shares = Vec::with_capacity(count);
    let mut sent: Vec<Vec<Grouped>> = std::iter::repeat_with(Vec::new).take(count).collect();
    for (grouped, kept, others) in dealt {
        shares.push((grouped, kept));
        sent.iter_mut().zip(others).filter(|(_, other)| other.known.rows > 0).for_each(|(all, other)| all.push(other));
    }
    let shares = shares.into_iter().zip(sent).collect();
    let out = spread(shares, ctx, |((mut grouped, mut kept), others): ((Grouped, Vec<u32>), Vec<Grouped>), ctx| {
        for other in others {
            // Groups of other shares are not among them.
            let before = grouped.known.rows as u32;
            grouped.merge(other, ctx)?;
            kept.extend(before..grouped.known.rows as u32);
            ctx.check_interrupts()?;
        }
        finished(calls, &mut grouped.running, (&grouped.known, Some(&kept)), forms, ctx)
    })?;
    ctx.account.release(held);
    Ok(out)
}

/// The next rows of `input` but for those that it folds.
fn next(
    input: &mut BoxOperator,
    chunk: &mut Chunk,
    folding: Option<&mut Folding>,
    ctx: &mut Context<'_>,
) -> Result<bool> {
    match folding {
        Some(folding) => input.next_folded(ctx, chunk, folding),
        None => input.next(ctx, chunk),
    }
}

/// The groups seen so far, and what their aggregates have come to.
struct Grouped {
    types: Vec<Oid>,
    index: KeyTable,
    /// The values of each group's columns.
    known: Chunk,
    running: Vec<Running>,
    keys: Keys,
    /// Of each row of the chunk at hand, its group.
    group_of: Vec<u32>,
    /// What was charged for the keys.
    charged: usize,
}

impl Grouped {
    /// None yet; without group columns there is one.
    fn new(groups: &[Expr], calls: &[AggregateCall]) -> Result<Grouped> {
        let types: Vec<Oid> = groups.iter().map(|g| g.ty).collect();
        let forms: Vec<Physical> = types.iter().map(|&t| Physical::of(t)).collect();
        let mut running = start(calls)?;
        let mut known = Chunk::new(&forms);
        if groups.is_empty() {
            known.rows = 1;
            running.iter_mut().for_each(|r| r.groups.resize(1));
        }
        let (index, keys) = (KeyTable::new(&types, false), Keys::default());
        Ok(Grouped { types, index, known, running, keys, group_of: Vec::new(), charged: 0 })
    }

    /// Memory that was charged for it.
    fn held_bytes(&self) -> usize {
        self.charged + self.running.iter().map(|r| r.charged).sum::<usize>()
    }

    /// Adds the rows of `chunk`. With lists for what is `beyond` (and how deep they are), rows of new groups are dealt out to those instead.
    fn take(
        &mut self,
        groups: &[Expr],
        calls: &[AggregateCall],
        chunk: &mut Chunk,
        beyond: Option<(&mut Parts, usize)>,
        ctx: &mut Context<'_>,
    ) -> Result<()> {
        if chunk.rows > 0 && !groups.is_empty() {
            self.number(groups, calls.len(), chunk, beyond, ctx)?;
        }
        if chunk.rows == 0 {
            return Ok(());
        }
        let Grouped { running, group_of, known, .. } = self;
        running.iter_mut().for_each(|r| r.groups.resize(known.rows));
        let group_of = (!groups.is_empty()).then_some(&group_of[..]);
        for (call, state) in calls.iter().zip(running) {
            take(call, state, chunk, group_of, ctx)?;
        }
        Ok(())
    }

    /// Finds the group of each row of `chunk`, in which only those stay that have one.
    fn number(
        &mut self,
        groups: &[Expr],
        calls: usize,
        chunk: &mut Chunk,
        beyond: Option<(&mut Parts, usize)>,
        ctx: &mut Context<'_>,
    ) -> Result<()> {
        let Grouped { types, index, known, keys, group_of, charged, .. } = self;
        let evaluated = groups.iter().map(|g| eval(g, chunk, ctx)).collect::<Result<Vec<_>>>()?;
        let values: Vec<&Vector> = evaluated.iter().map(|v| &**v).collect();
        group_of.clear();
        index.keys(&values, types, chunk.rows, ctx, keys)?;
        if let Some((parts, depth)) = beyond {
            let (mut own, mut others): (Vec<u32>, Vec<(usize, usize)>) = (Vec::new(), Vec::new());
            for i in 0..chunk.rows {
                match index.find(keys, i) {
                    Some(group) => {
                        own.push(i as u32);
                        group_of.push(group);
                    }
                    None => others.push((i, keys.part(i, parts.len(), depth))),
                }
            }
            drop(evaluated);
            parts.add(chunk, others.into_iter())?;
            chunk.compact(&own);
            return Ok(());
        }
        let before = known.rows;
        open_groups(index, keys, &values, chunk.rows, known, group_of);
        if known.rows > before {
            // As much again as the keys take stands for the values of the groups.
            let held = 2 * index.held_bytes() + 48 * calls * known.rows;
            ctx.account.charge(held.saturating_sub(*charged))?;
            *charged = (*charged).max(held);
        }
        Ok(())
    }

    /// Adds rows that were folded before they were here; there are no groups.
    fn add_folded(&mut self, calls: &[AggregateCall], folding: Option<&Folding>, ctx: &mut Context<'_>) -> Result<()> {
        let Some(folding) = folding else { return Ok(()) };
        for (i, (call, state)) in calls.iter().zip(&mut self.running).enumerate() {
            if let States::Builtin(groups) = &mut state.groups {
                folding.add_to(&mut **groups, i, call.args.first(), ctx)?;
            }
        }
        Ok(())
    }

    /// Adds the groups of `other`, which another thread has seen.
    fn merge(&mut self, other: Grouped, ctx: &mut Context<'_>) -> Result<()> {
        let Grouped { types, index, known, running, keys, group_of, .. } = self;
        group_of.clear();
        if types.is_empty() {
            group_of.push(0);
        } else {
            let values: Vec<&Vector> = other.known.columns.iter().collect();
            index.keys(&values, types, other.known.rows, ctx, keys)?;
            open_groups(index, keys, &values, other.known.rows, known, group_of);
        }
        // What the other's account no longer answers for.
        ctx.account.charge(other.held_bytes())?;
        self.charged += other.held_bytes();
        for (state, from) in running.iter_mut().zip(&other.running) {
            state.groups.resize(known.rows);
            for (i, &group) in group_of.iter().enumerate() {
                state.groups.merge(group as usize, &from.groups, i)?;
            }
        }
        Ok(())
    }

    /// Its groups, dealt out to so many lists by their keys.
    fn dealt(&self, parts: usize, ctx: &Context<'_>) -> Result<Vec<Vec<u32>>> {
        let values: Vec<&Vector> = self.known.columns.iter().collect();
        let mut keys = Keys::default();
        self.index.keys(&values, &self.types, self.known.rows, ctx, &mut keys)?;
        let mut lists = vec![Vec::with_capacity(self.known.rows / parts); parts];
        (0..self.known.rows).for_each(|group| lists[keys.part(group, parts, 0)].push(group as u32));
        Ok(lists)
    }

    /// Copies of some groups, which nobody looks for by their keys.
    fn copied(&self, list: &[u32], groups: &[Expr], calls: &[AggregateCall]) -> Result<Grouped> {
        let mut copied = Grouped::new(groups, calls)?;
        copied.known = self.known.select(list);
        for (state, from) in copied.running.iter_mut().zip(&self.running) {
            state.groups.resize(list.len());
            for (i, &group) in list.iter().enumerate() {
                state.groups.merge(i, &from.groups, group as usize)?;
            }
        }
        Ok(copied)
    }

    /// A row for each group; what was held is given back.
    fn finished(&mut self, calls: &[AggregateCall], forms: &[Physical], ctx: &mut Context<'_>) -> Result<Chunk> {
        let out = finished(calls, &mut self.running, (&self.known, None), forms, ctx)?;
        ctx.account.release(self.held_bytes());
        Ok(out)
    }
}

/// Appends the group of each of `rows` rows, whose group columns are `values` with `keys`, to `group_of`; those that are new are `known` from
/// then on.
fn open_groups(
    index: &mut KeyTable,
    keys: &Keys,
    values: &[&Vector],
    rows: usize,
    known: &mut Chunk,
    group_of: &mut Vec<u32>,
) {
    for i in 0..rows {
        let (group, fresh) = index.number(keys, i);
        if fresh {
            known.columns.iter_mut().zip(values).for_each(|(c, v)| c.push_from(v, i));
            known.rows += 1;
        }
        group_of.push(group);
    }
}

/// Empty states of `calls`.
fn start(calls: &[AggregateCall]) -> Result<Vec<Running>> {
    let start = |call: &AggregateCall| {
        // Places among sorted keys are counted here; `count(*)` stands in.
        let function = if ordered_set::kind(call.function).is_some() { COUNT } else { call.function };
        let groups = match (&call.own, functions::aggregate::lookup(function)) {
            (Some(own), _) => States::Own(own.clone(), OwnStates::default()),
            (None, Some(definition)) => States::Builtin((definition.groups)()),
            (None, None) => {
                return Err(SqlError::internal(format!("aggregate {} is not implemented", call.function)));
            }
        };
        let arg_types: Vec<Oid> = call.split_args().0.iter().map(|a| a.ty).collect();
        let forms: Vec<Physical> = call.args.iter().map(|a| Physical::of(a.ty)).collect();
        let kept =
            (!call.order.is_empty()).then(|| Kept { rows: Chunk::new(&forms), groups: Vec::new(), keys: Vec::new() });
        let seen = call.distinct.then(|| {
            let types: Vec<Oid> = std::iter::once(types::oid::OID).chain(arg_types.iter().copied()).collect();
            KeyTable::new(&types, false)
        });
        let (direct, ready) = (Vec::new(), Vec::new());
        Ok(Running { groups, arg_types, seen, charged: 0, rows: 0, look_at: 0, kept, direct, ready })
    };
    calls.iter().map(start).collect()
}

/// A row for each group, or for each of those that are listed: its columns, of which `known` holds the values, and what the aggregates come to.
fn finished(
    calls: &[AggregateCall],
    running: &mut [Running],
    (known, listed): (&Chunk, Option<&[u32]>),
    forms: &[Physical],
    ctx: &mut Context<'_>,
) -> Result<Chunk> {
    let mut out = Chunk::new(forms);
    for (call, state) in calls.iter().zip(running.iter_mut()) {
        sorted_rows(call, state, known.rows, ctx)?;
    }
    let rows = listed.map_or(known.rows, <[u32]>::len);
    let group = |row: usize| listed.map_or(row, |list| list[row] as usize);
    for (column, v) in out.columns.iter_mut().zip(&known.columns) {
        column.extend_selected(v, (0..rows).map(group));
    }
    for ((call, state), column) in calls.iter().zip(running).zip(&mut out.columns[known.columns.len()..]) {
        for g in (0..rows).map(group) {
            if let Some(ready) = state.ready.get(g) {
                column.push(ready);
                continue;
            }
            let direct = state.direct.get(g).map_or(&[][..], |d| &d[..]);
            let value = state.groups.finish((&state.arg_types, call.ty), direct, g, ctx)?;
            column.push(&value);
        }
    }
    out.rows = rows;
    Ok(out)
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
        let Some(seen) = &mut state.seen else { return Err(SqlError::internal("DISTINCT without what was seen")) };
        let groups = Vector {
            data: Data::U32(group_of.map_or_else(|| vec![0; input.rows], <[u32]>::to_vec)),
            nulls: Nulls::default(),
        };
        let all: Vec<&Vector> = std::iter::once(&groups).chain(values.iter().copied()).collect();
        let all_types: Vec<Oid> = std::iter::once(types::oid::OID).chain(state.arg_types.iter().copied()).collect();
        let mut keys = Keys::default();
        seen.keys(&all, &all_types, input.rows, ctx, &mut keys)?;
        let before = seen.held_bytes();
        let fresh: Vec<u32> = (0..input.rows as u32).filter(|&i| seen.number(&keys, i as usize).1).collect();
        ctx.account.charge(seen.held_bytes() - before)?;
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
    let rows = match &listed {
        Some(list) => Rowset::Listed(list),
        None => Rowset::All(input.rows),
    };
    state.groups.add_vector((&state.arg_types, call.ty), &values, rows, group_of, ctx)?;
    // What the states hold is counted in ever larger steps: counting looks at each of them.
    state.rows += input.rows;
    if state.rows >= state.look_at {
        state.look_at = state.rows + state.rows / 4 + CHUNK_ROWS;
        let held = state.groups.bytes();
        ctx.account.charge(held.saturating_sub(state.charged))?;
        state.charged = state.charged.max(held);
    }
    Ok(())
}

/// Adds rows that waited to be sorted.
fn sorted_rows(call: &AggregateCall, state: &mut Running, groups: usize, ctx: &mut Context<'_>) -> Result<()> {
    let Some(kept) = state.kept.take() else { return Ok(()) };
    if ordered_set::is_ordered(call) {
        state.direct = ordered_set::direct(call, &kept.rows, &kept.groups, groups, ctx)?;
        if let Some(kind) = ordered_set::kind(call.function) {
            let keys = (&kept.keys[..], &kept.groups[..]);
            state.ready = ordered_set::places(kind, call, keys, &state.direct, ctx)?;
            return Ok(());
        }
    }
    let mut order: Vec<u32> = (0..kept.rows.rows as u32).collect();
    order.sort_by(|&a, &b| {
        let key = |i: u32| (kept.groups[i as usize], &kept.keys[i as usize]);
        key(a).cmp(&key(b))
    });
    let values: Vec<&Vector> = kept.rows.columns.iter().take(state.arg_types.len()).collect();
    let groups = Some(&kept.groups[..]);
    state.groups.add_vector((&state.arg_types, call.ty), &values, Rowset::Listed(&order), groups, ctx)
}

impl Operator for Aggregate {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if self.results.is_none() {
            self.results = Some(self.run(None, ctx)?);
            self.next = 0;
        }
        out.reset(&self.forms);
        loop {
            let results = self.results.get_or_insert_default();
            if let Some(result) = results.front() {
                if self.next < result.rows {
                    let end = result.rows.min(self.next + CHUNK_ROWS);
                    out.extend_selected(result, self.next..end);
                    self.next = end;
                    return Ok(true);
                }
                results.pop_front();
                self.next = 0;
                continue;
            }
            // What was left for later: the lists of the last file first.
            let Some((parts, part)) = self.later.last_mut() else { return Ok(false) };
            if *part >= parts.len() {
                self.later.pop();
                continue;
            }
            let at = *part;
            *part += 1;
            self.results = Some(self.run(Some(at), ctx)?);
            self.next = 0;
        }
    }

    fn narrow(&mut self, column: usize, filter: Offer<'_>) -> bool {
        // Groups that nobody wants need none of their rows.
        match self.groups.get(column).map(|e| &e.kind) {
            Some(ExprKind::Column(i)) if self.results.is_none() => {
                let narrowed = self.fragment.as_mut().is_some_and(|fragment| fragment.narrow(*i, filter));
                self.input.narrow(*i, filter) | narrowed
            }
            _ => false,
        }
    }

    fn reset(&mut self) {
        self.results = None;
        self.later.clear();
        self.input.reset();
        self.fragment.iter_mut().for_each(Fragment::reset);
    }
}
