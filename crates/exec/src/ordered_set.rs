//! Ordered-set and hypothetical-set aggregates: direct arguments, and the place that a row would have among sorted ones.

use plan::AggregateCall;
use types::{Datum, Oid, Physical, Result};
use vector::Chunk;

use crate::eval::on_row;
use crate::{Context, keys};

/// What is asked of the place of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Rank,
    DenseRank,
    PercentRank,
    CumeDist,
}

/// The hypothetical-set aggregate that `function` is.
pub fn kind(function: Oid) -> Option<Place> {
    Some(match function.0 {
        3986 => Place::Rank,
        3988 => Place::PercentRank,
        3990 => Place::CumeDist,
        3992 => Place::DenseRank,
        _ => return None,
    })
}

/// Whether its rows are given in WITHIN GROUP.
pub fn is_ordered(call: &AggregateCall) -> bool {
    call.direct > 0
}

/// The direct arguments for each of so many groups: those of its first row. Without rows, what does not depend on any.
pub fn direct(
    call: &AggregateCall,
    rows: &Chunk,
    group_of: &[u32],
    groups: usize,
    ctx: &mut Context<'_>,
) -> Result<Vec<Vec<Datum>>> {
    let mut all: Vec<Option<Vec<Datum>>> = vec![None; groups];
    let first = call.args.len() - call.direct;
    for (i, &g) in group_of.iter().enumerate() {
        if let Some(values) = all.get_mut(g as usize)
            && values.is_none()
        {
            *values = Some(rows.columns[first..].iter().map(|c| c.get(i)).collect());
        }
    }
    let mut out = Vec::with_capacity(groups);
    for values in all {
        out.push(match values {
            Some(values) => values,
            None => {
                let mut values = Vec::with_capacity(call.direct);
                for e in call.split_args().1 {
                    values.push(if e.span().is_none() { on_row(e, &[], &[], ctx)? } else { Datum::Null });
                }
                values
            }
        });
    }
    Ok(out)
}

/// The place that a row of the direct arguments would have in each group.
pub fn places(
    place: Place,
    call: &AggregateCall,
    (sorted, group_of): (&[Vec<u8>], &[u32]),
    direct: &[Vec<Datum>],
    ctx: &mut Context<'_>,
) -> Result<Vec<Datum>> {
    let mut hypothetical = Vec::with_capacity(direct.len());
    for values in direct {
        let mut key = Vec::new();
        for (k, value) in call.order.iter().zip(values) {
            let mut one = Chunk::new(&[Physical::of(k.expr.ty)]);
            one.push_row(std::slice::from_ref(value));
            keys::encode(&mut key, k.expr.ty, &one.columns[0], 0, k.descending, k.nulls_first, ctx)?;
        }
        hypothetical.push(key);
    }
    let mut rows = vec![0i64; direct.len()];
    let mut before = vec![0i64; direct.len()];
    let mut up_to = vec![0i64; direct.len()];
    let mut distinct: Vec<Vec<&[u8]>> = vec![Vec::new(); direct.len()];
    for (key, &g) in sorted.iter().zip(group_of) {
        let g = g as usize;
        rows[g] += 1;
        match key.cmp(&hypothetical[g]) {
            std::cmp::Ordering::Less => {
                before[g] += 1;
                up_to[g] += 1;
                if place == Place::DenseRank {
                    distinct[g].push(key);
                }
            }
            std::cmp::Ordering::Equal => up_to[g] += 1,
            std::cmp::Ordering::Greater => {}
        }
    }
    let value = |g: usize| match place {
        Place::Rank => Datum::I64(before[g] + 1),
        Place::DenseRank => {
            let mut own = distinct[g].clone();
            own.sort_unstable();
            own.dedup();
            Datum::I64(own.len() as i64 + 1)
        }
        Place::PercentRank => Datum::F64(if rows[g] == 0 { 0.0 } else { before[g] as f64 / rows[g] as f64 }),
        Place::CumeDist => Datum::F64((up_to[g] + 1) as f64 / (rows[g] + 1) as f64),
    };
    Ok((0..direct.len()).map(value).collect())
}
