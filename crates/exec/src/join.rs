//! Joins: the right input is kept, hashed by the equalities if there are any; the left one streams past it.

use std::collections::HashMap;

use plan::{Expr, JoinKind};
use types::{Datum, Oid, Physical, Result};
use vector::{Chunk, Vector};

use crate::eval::{eval, is_true};
use crate::{BoxOperator, Context, Operator};

/// Joins two inputs.
pub struct Join {
    kind: JoinKind,
    left: BoxOperator,
    right: BoxOperator,
    left_forms: Vec<Physical>,
    right_forms: Vec<Physical>,
    equal: Vec<(Expr, Expr, Oid)>,
    condition: Option<Expr>,
    built: Option<Built>,
    finished: bool,
}

struct Built {
    rows: Vec<Vec<Datum>>,
    /// Rows by key; unused without equalities.
    by_key: HashMap<Vec<u8>, Vec<u32>>,
    matched: Vec<bool>,
}

/// The key of row `i`; `None` when a part is NULL, which equals nothing. Integers of any width encode alike.
fn key(values: &[Vector], types: &[Oid], i: usize) -> Result<Option<Vec<u8>>> {
    let mut key = Vec::new();
    for (v, &ty) in values.iter().zip(types) {
        let (ty, datum) = match v.get(i) {
            Datum::Null => return Ok(None),
            Datum::I16(n) => (types::oid::INT8, Datum::I64(i64::from(n))),
            Datum::I32(n) if ty == types::oid::INT4 => (types::oid::INT8, Datum::I64(i64::from(n))),
            other => (ty, other),
        };
        types::sortkey::encode_key(&mut key, ty, &datum, false, false)?;
    }
    Ok(Some(key))
}

impl Join {
    pub fn new(
        kind: JoinKind,
        left: BoxOperator,
        right: BoxOperator,
        forms: (Vec<Physical>, Vec<Physical>),
        equal: Vec<(Expr, Expr, Oid)>,
        condition: Option<Expr>,
    ) -> Join {
        let (left_forms, right_forms) = forms;
        Join { kind, left, right, left_forms, right_forms, equal, condition, built: None, finished: false }
    }

    fn build(&mut self, ctx: &mut Context<'_>) -> Result<Built> {
        let types: Vec<Oid> = self.equal.iter().map(|e| e.1.ty).collect();
        let mut built = Built { rows: Vec::new(), by_key: HashMap::new(), matched: Vec::new() };
        while let Some(chunk) = self.right.next(ctx)? {
            let keys = self.equal.iter().map(|e| eval(&e.1, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
            for i in 0..chunk.rows {
                let row = chunk.row(i);
                ctx.account.charge_row(&row)?;
                if !self.equal.is_empty()
                    && let Some(key) = key(&keys, &types, i)?
                {
                    ctx.account.charge(key.len() + 48)?;
                    built.by_key.entry(key).or_default().push(built.rows.len() as u32);
                }
                built.rows.push(row);
            }
        }
        built.matched = vec![false; built.rows.len()];
        Ok(built)
    }

    fn forms(&self) -> Vec<Physical> {
        [&self.left_forms[..], &self.right_forms[..]].concat()
    }

    /// Joins one chunk of the left input.
    fn probe(&mut self, chunk: &Chunk, ctx: &mut Context<'_>) -> Result<Chunk> {
        let types: Vec<Oid> = self.equal.iter().map(|e| e.0.ty).collect();
        let keys = self.equal.iter().map(|e| eval(&e.0, chunk, ctx)).collect::<Result<Vec<_>>>()?;
        let forms = self.forms();
        let pads_left = matches!(self.kind, JoinKind::Left | JoinKind::Full);
        let mut out = Chunk::new(&forms);
        let built = self.built.as_mut().expect("built before probing");
        let every: Vec<u32> = if self.equal.is_empty() { (0..built.rows.len() as u32).collect() } else { Vec::new() };
        for i in 0..chunk.rows {
            ctx.check_interrupts()?;
            let left = chunk.row(i);
            let candidates: &[u32] = if self.equal.is_empty() {
                &every
            } else {
                match key(&keys, &types, i)? {
                    Some(key) => built.by_key.get(&key).map_or(&[][..], Vec::as_slice),
                    None => &[],
                }
            };
            let mut pairs = Chunk::new(&forms);
            for &c in candidates {
                pairs.push_row(&[&left[..], &built.rows[c as usize][..]].concat());
            }
            let hits: Vec<u32> = match &self.condition {
                None => (0..pairs.rows as u32).collect(),
                Some(condition) if pairs.rows > 0 => {
                    let test = eval(condition, &pairs, ctx)?;
                    (0..pairs.rows).filter(|&p| is_true(&test, p)).map(|p| p as u32).collect()
                }
                Some(_) => Vec::new(),
            };
            for &hit in &hits {
                built.matched[candidates[hit as usize] as usize] = true;
                out.push_row(&pairs.row(hit as usize));
            }
            if hits.is_empty() && pads_left {
                let nulls = vec![Datum::Null; self.right_forms.len()];
                out.push_row(&[&left[..], &nulls[..]].concat());
            }
        }
        Ok(out)
    }
}

impl Operator for Join {
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>> {
        if self.built.is_none() {
            self.built = Some(self.build(ctx)?);
        }
        if self.finished {
            return Ok(None);
        }
        if let Some(chunk) = self.left.next(ctx)? {
            return self.probe(&chunk, ctx).map(Some);
        }
        self.finished = true;
        if !matches!(self.kind, JoinKind::Right | JoinKind::Full) {
            return Ok(None);
        }
        let built = self.built.as_ref().expect("built above");
        let mut out = Chunk::new(&self.forms());
        let nulls = vec![Datum::Null; self.left_forms.len()];
        for (row, _) in built.rows.iter().zip(&built.matched).filter(|(_, matched)| !**matched) {
            out.push_row(&[&nulls[..], &row[..]].concat());
        }
        Ok(Some(out))
    }
}
