//! `Quick`: statements that need nothing but storage, or not even that: one row read or changed by its key, or one made of parameters.
//!
//! They run without operators and without a [`crate::Context`]: their key is made of parameters and constants, what they put out are columns, what they set
//! or give follows from the row and the parameters alone. Where anything is out of the ordinary when one runs (a row that is being changed, an error, a value that
//! lies elsewhere), nothing is done and the ordinary operators are asked, which know how to wait and what to say.
//!
//! Invariants
//!   Q11  What a quick statement does is what its operators would have done: the same rows, and of a row that changes the same columns. What it
//!       cannot do so it leaves.                                                                                    (`Quick::of`, `Value::of`)

use std::sync::Arc;

use functions::Callable;
use plan::{CallForm, Expr, ExprKind, Node, RowRules, TableSource};
use smallvec::SmallVec;
use storage::Database;
use storage::btree::Single;
use storage::lock::OwnerId;
use storage::table::{Cell, RowView};
use storage::txn::{Snapshot, Transaction};
use types::io::{BuiltinTypes, TypeLookup};
use types::{Datum, IoSettings, Oid, Physical, Result};
use vector::Chunk;

use crate::point::{Key, Point, Source};
use crate::point_scan::sources;

/// A statement of this kind.
pub struct Quick(Does);

/// What it does.
enum Does {
    Give(Vec<Value>, Vec<Physical>),
    Read(Place, Vec<Source>),
    Change(Place, Vec<Set>),
}

/// Where its row is looked for.
struct Place {
    point: Point,
    /// What the key is made of, with type and order of each column.
    parts: Vec<Part>,
    key: Key,
}

struct Part {
    value: Value,
    ty: Oid,
    descending: bool,
    nulls_first: bool,
}

/// A column that is set.
struct Set {
    column: u16,
    not_null: bool,
    value: Value,
}

/// An expression over a row, its functions found.
enum Value {
    Column(usize),
    Param(usize),
    Const(Datum),
    Call(Box<PureCall>),
}

/// A call of a function that is told nothing but its arguments.
struct PureCall {
    function: Callable,
    types: SmallVec<[Oid; 4]>,
    result: Oid,
    args: SmallVec<[Value; 2]>,
}

/// Who is asked by functions that ask nobody.
struct Nobody;

impl ext::Host for Nobody {}

/// What values are computed from.
struct Given<'a> {
    params: &'a [Datum],
    settings: &'a IoSettings,
    /// The row, and the forms of its columns.
    row: Option<(&'a RowView<'a>, &'a [Physical])>,
}

impl Value {
    /// What `expr` is that is put out without a row.
    fn given(expr: &Expr) -> Option<Value> {
        match &expr.kind {
            ExprKind::Param(i) => Some(Value::Param(*i)),
            ExprKind::Const(datum) => Some(Value::Const(datum.clone())),
            _ => Value::of(expr),
        }
    }

    /// What `expr` is, as far as it is of values of fixed width.
    fn of(expr: &Expr) -> Option<Value> {
        let is_fixed = |ty: Oid| !ty.is_user_type() && Physical::of(ty) != Physical::Var;
        if !is_fixed(expr.ty) {
            return None;
        }
        Some(match &expr.kind {
            ExprKind::Column(i) => Value::Column(*i),
            ExprKind::Param(i) => Value::Param(*i),
            ExprKind::Const(datum) => Value::Const(datum.clone()),
            ExprKind::Call { function, args, form } if *form != CallForm::Variadic => {
                let is_immutable = catalog::builtin::proc_by_oid(*function).is_some_and(|p| p.volatility == b'i');
                Value::Call(Box::new(PureCall {
                    function: functions::lookup(*function).filter(|_| is_immutable)?,
                    types: args.iter().map(|a| a.ty).collect(),
                    result: expr.ty,
                    args: args.iter().map(Value::of).collect::<Option<_>>()?,
                }))
            }
            _ => return None,
        })
    }

    /// Its value; `None` where there is an error, or it lies elsewhere.
    fn compute(&self, given: &Given<'_>) -> Option<Datum> {
        match self {
            Value::Column(c) => given.row.and_then(|(view, forms)| column(view, *c, forms[*c])),
            Value::Param(i) => given.params.get(*i).cloned(),
            Value::Const(datum) => Some(datum.clone()),
            Value::Call(pure) => {
                let mut nobody = Nobody;
                let call = ext::Call::new(&mut nobody, given.settings, &BuiltinTypes);
                let mut call = call.typed(&pure.types, pure.result);
                match &pure.args[..] {
                    [a, b] => pure.function.scalar(&mut call, &[a.compute(given)?, b.compute(given)?]).ok(),
                    args => {
                        let args = args.iter().map(|arg| arg.compute(given)).collect::<Option<Vec<_>>>()?;
                        pure.function.scalar(&mut call, &args).ok()
                    }
                }
            }
        }
    }
}

/// The value of a column of fixed width.
#[inline]
fn column(view: &RowView<'_>, column: usize, form: Physical) -> Option<Datum> {
    match (view.stored(column), form) {
        (Some(Some(&[a, b, c, d])), Physical::I32) => Some(Datum::I32(i32::from_le_bytes([a, b, c, d]))),
        (Some(Some(&[a, b, c, d, e, f, g, h])), Physical::I64) => {
            Some(Datum::I64(i64::from_le_bytes([a, b, c, d, e, f, g, h])))
        }
        _ => view.cell(column).datum(form).ok(),
    }
}

impl Quick {
    /// The statement that `node` is, if it is of this kind.
    pub fn of(node: &Node) -> Option<Quick> {
        match node {
            Node::Values { rows, types } => {
                let [row] = &rows[..] else { return None };
                let values = row.iter().map(Value::given).collect::<Option<_>>()?;
                Some(Quick(Does::Give(values, types.iter().map(|&ty| Physical::of(ty)).collect())))
            }
            Node::Project { input, exprs } => {
                let (place, needed) = found(input)?;
                let sources = sources(place.point.forms.len(), needed, Some(exprs))?;
                Some(Quick(Does::Read(place, sources)))
            }
            Node::Update { table, rules, input, sets, returning: None } if asks_nothing(rules) => {
                let (place, _) = found(input)?;
                let is_key = |column: usize| {
                    let all = table.indexes.iter();
                    all.flat_map(|i| i.columns.iter().map(|k| k.0).chain(i.include.iter().copied()))
                        .any(|c| c == column)
                };
                let is_same = Arc::ptr_eq(place.point.table(), table) || place.point.table().is_same_table(table);
                if !is_same || !table.indexes.iter().all(|i| i.is_plain()) {
                    return None;
                }
                let set = |(column, expr): &(usize, Expr)| {
                    let known = &table.columns[*column];
                    let is_fixed =
                        Physical::of(known.ty) != Physical::Var && Physical::of(known.ty) == Physical::of(expr.ty);
                    let value = Value::of(expr).filter(|_| is_fixed && !known.ty.is_user_type() && !is_key(*column))?;
                    Some(Set { column: u16::try_from(*column).ok()?, not_null: known.not_null, value })
                };
                let sets = sets.iter().map(set).collect::<Option<_>>()?;
                Some(Quick(Does::Change(place, sets)))
            }
            _ => None,
        }
    }

    /// Whether it changes a row.
    pub fn writes(&self) -> bool {
        matches!(self.0, Does::Change(..))
    }

    /// Whether it computes anything, for which others have programs.
    pub fn computes(&self) -> bool {
        match &self.0 {
            Does::Give(values, _) => values.iter().any(|value| matches!(value, Value::Call(_))),
            Does::Read(..) => false,
            Does::Change(..) => true,
        }
    }

    /// Makes `out` the row that `snapshot` sees, if there is one; `None` when the operators must be asked.
    ///
    /// # Errors
    /// What reading pages says.
    pub fn read(
        &mut self,
        db: &Arc<Database>,
        snapshot: &Snapshot,
        params: &[Datum],
        (settings, types): (&IoSettings, &dyn TypeLookup),
        out: &mut Chunk,
    ) -> Result<Option<bool>> {
        match &mut self.0 {
            Does::Give(values, forms) => Ok(give(values, forms, params, settings, out).then_some(true)),
            Does::Read(place, sources) => match place.make_key(params)? {
                Some(true) => match place.point.find(&place.key, db)? {
                    Single::None => Ok(Some(false)),
                    Single::One(row) => place.point.load(row, &place.key, sources, (snapshot, types), out),
                    Single::Unclear => Ok(None),
                },
                other => Ok(other),
            },
            Does::Change(..) => Ok(None),
        }
    }

    /// Counts one scan of its index, if it is one, and whether it found a row.
    #[inline]
    pub fn count(&self, owner: OwnerId, is_found: bool) {
        if let Does::Read(place, _) | Does::Change(place, _) = &self.0 {
            place.point.count(owner, is_found);
        }
    }

    /// Changes the row; how many those were. `None`, with nothing done, when the operators must be asked.
    ///
    /// # Errors
    /// What reading and writing says.
    pub fn change(
        &mut self,
        db: &Arc<Database>,
        txn: &mut Transaction,
        snapshot: &Snapshot,
        params: &[Datum],
        settings: &IoSettings,
    ) -> Result<Option<u64>> {
        let Does::Change(place, sets) = &mut self.0 else { return Ok(None) };
        match place.make_key(params)? {
            Some(true) => {}
            other => return Ok(other.map(u64::from)),
        }
        let row = match place.point.find(&place.key, db)? {
            Single::None => return Ok(Some(0)),
            Single::One(row) => row,
            Single::Unclear => return Ok(None),
        };
        let Place { point, key, .. } = &*place;
        let Some(storage) = point.storage() else { return Ok(None) };
        let is_done = storage.change_in_place(txn, snapshot, row, |view, cells| {
            if point.has_integers(key, view) != Some(true) {
                return false;
            }
            let given = Given { params, settings, row: Some((view, &point.forms)) };
            for set in sets.iter() {
                let Some(value) = set.value.compute(&given) else { return false };
                let cell = match Cell::of(&value) {
                    Cell::Null if set.not_null => return false,
                    Cell::Null => Cell::Null,
                    Cell::Fixed(bytes) => Cell::Fixed(bytes),
                    _ => return false,
                };
                if view.cell(set.column.into()) != cell {
                    cells.push((set.column, cell));
                }
            }
            true
        })?;
        Ok(is_done.then_some(1))
    }
}

/// Makes `out` a row of these values; whether all could be computed and are of their form.
#[inline]
fn give(values: &[Value], forms: &[Physical], params: &[Datum], settings: &IoSettings, out: &mut Chunk) -> bool {
    let given = Given { params, settings, row: None };
    out.reset(forms);
    for ((value, &form), column) in values.iter().zip(forms).zip(&mut out.columns) {
        let is_of_form = |datum: &Datum| datum.physical().is_none_or(|p| p == form);
        let computed;
        let datum = match value {
            Value::Const(datum) => datum,
            Value::Param(i) => match params.get(*i) {
                Some(datum) => datum,
                None => return false,
            },
            value => {
                let Some(datum) = value.compute(&given) else { return false };
                computed = datum;
                &computed
            }
        };
        if !is_of_form(datum) {
            return false;
        }
        column.push(datum);
    }
    out.rows = 1;
    true
}

impl Place {
    /// Makes the key; false when a part of it is NULL, `None` when it cannot be made here.
    fn make_key(&mut self, params: &[Datum]) -> Result<Option<bool>> {
        let Key { bytes, integers } = {
            self.key.clear();
            &mut self.key
        };
        for part in &self.parts {
            let value = match &part.value {
                Value::Const(datum) => datum,
                Value::Param(i) => match params.get(*i) {
                    Some(datum) if datum.is_null() => return Ok(Some(false)),
                    Some(datum) => datum,
                    None => return Ok(None),
                },
                _ => return Ok(None),
            };
            types::sortkey::encode_key(bytes, part.ty, value, part.descending, part.nulls_first)?;
            integers.note(value);
        }
        Ok(Some(true))
    }
}

/// Where a scan looks for its one row, and what is needed of it.
fn found(node: &Node) -> Option<(Place, &plan::Needed)> {
    let Node::IndexScan { table, range, filter: None, needed, only: None } = node else { return None };
    if table.source != TableSource::Stored {
        return None;
    }
    let index = &table.indexes[range.index];
    let part = |(i, expr): (usize, &Expr)| {
        let (ty, (_, descending, nulls_first)) = (index.key_type(i, &table.columns), index.columns[i]);
        let value = match &expr.kind {
            ExprKind::Const(datum) => Value::Const(datum.clone()),
            ExprKind::Param(i) => Value::Param(*i),
            _ => return None,
        };
        (!ty.is_user_type()).then_some(Part { value, ty, descending, nulls_first })
    };
    let point = Point::new(table, range)?;
    let parts = range.equal.iter().enumerate().map(part).collect::<Option<_>>()?;
    Some((Place { point, parts, key: Key::default() }, needed))
}

/// Whether rows need not be checked but for NULL, and nobody refers to them.
fn asks_nothing(rules: &RowRules) -> bool {
    let RowRules { checks, references, referenced, views } = rules;
    checks.is_empty() && references.is_empty() && referenced.is_empty() && views.is_empty()
}
