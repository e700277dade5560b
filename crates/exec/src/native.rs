//! Expressions as row programs (`jit`): getting one, and running it.
//!
//! An operator holds its expressions as [`Lazy`]; when it first evaluates one, the largest parts of it that have a program (`program`) get one, shared with
//! whoever has the same. Where that is forced, all do that can be evaluated twice, and what has no steps is called (`sites`). Whatever is suspect to a program is evaluated as ever, for the whole chunk: so there is one place that raises errors, and it is not
//! here.

mod lists;
pub mod program;
mod sites;
mod texts;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use jit::{
    Calls, Cells, Column, Form, Given, Input, Jit, Output, PageColumns, Passes, Program, Unit, UnitCode, WordList,
};
use plan::{Expr, ExprKind, Means, RowRules};
use smallvec::SmallVec;
use storage::table::PageView;
use types::{Datum, Physical, Result};
use vector::{Chunk, Vector};

use crate::Context;
use crate::eval::{at_hand, eval};
use lists::Lists;
use program::{Written, word};
use sites::{Run, Site};

/// Where expressions get their programs.
#[derive(Clone, Copy, Debug)]
pub struct Programs<'a> {
    /// Who makes them.
    pub jit: &'a Jit,
    /// Whether everything that is evaluated row by row gets one, slower or not.
    pub force: bool,
    /// What their code may be made better by.
    pub passes: Passes,
}

/// An expression that gets its programs when it is first evaluated.
#[derive(Debug)]
pub struct Lazy {
    expr: Expr,
    is_ready: bool,
}

impl From<Expr> for Lazy {
    fn from(expr: Expr) -> Lazy {
        // Nothing becomes of a leaf.
        let is_ready = expr.children().is_empty();
        Lazy { expr, is_ready }
    }
}

impl Lazy {
    /// The expression, ready or not.
    pub fn bare(&self) -> &Expr {
        &self.expr
    }

    /// The expression, ready to be evaluated.
    pub fn get(&mut self, ctx: &mut Context<'_>) -> &Expr {
        ready(&mut self.is_ready, [&mut self.expr], ctx);
        &self.expr
    }
}

/// Makes expressions ready that an operator holds as they are; the operator remembers that it did.
pub fn ready<'e>(is_ready: &mut bool, exprs: impl IntoIterator<Item = &'e mut Expr>, ctx: &mut Context<'_>) {
    if !std::mem::replace(is_ready, true)
        && let Some(programs) = ctx.programs
    {
        exprs.into_iter().for_each(|e| prepare(e, programs, &mut ctx.state.natives));
    }
}

/// The same of what a table asks of its rows, once there are many: rules are shared with the plan, and one row is tested sooner than they are copied.
pub fn ready_rules(is_ready: &mut bool, rules: &mut Arc<RowRules>, rows: usize, ctx: &mut Context<'_>) {
    if !*is_ready && are_many(rows, ctx) && !(rules.checks.is_empty() && rules.views.is_empty()) {
        let RowRules { checks, views, .. } = Arc::make_mut(rules);
        ready(is_ready, checks.iter_mut().chain(views).map(|rule| &mut rule.1), ctx);
    }
}

/// Whether for so many rows it is worth it to copy expressions that others share; where everything is forced to have a program, it always is.
pub fn are_many(rows: usize, ctx: &Context<'_>) -> bool {
    rows >= MANY_ROWS || ctx.programs.is_some_and(|p| p.force)
}

/// From so many rows on, a chunk has many.
const MANY_ROWS: usize = 64;

/// What a part of an expression became.
pub struct Native {
    unit: Arc<Unit>,
    /// Whether others had it already.
    found: bool,
    /// The same as a filter, for those that are boolean.
    filter: OnceLock<Option<Arc<Unit>>>,
    jit: Jit,
    /// Columns of the chunk that it reads.
    columns: Vec<usize>,
    /// What its inputs are: parameters and slots.
    inputs: Vec<Expr>,
    /// The lists that it looks into, and what they were when it last did.
    lists: Lists,
    /// What it calls.
    sites: Vec<Site>,
    /// What its values are like, if no word holds them.
    result: Option<Physical>,
}

/// What inputs are, in a program's order.
pub type Inputs = SmallVec<[Input; 4]>;

/// What a statement's expressions became, for EXPLAIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitUse {
    /// Parts of expressions that have a program.
    pub functions: usize,
    /// Of those, how many others had already.
    pub found: usize,
    /// What their code is, and what making it took.
    pub code: UnitCode,
}

impl JitUse {
    pub(crate) fn of(natives: &[Arc<Native>]) -> JitUse {
        let mut all = JitUse { functions: natives.len(), ..JitUse::default() };
        for native in natives {
            all.found += usize::from(native.found);
            for unit in std::iter::once(&native.unit).chain(native.filter.get().into_iter().flatten()) {
                let made = unit.made();
                all.code.bytes += made.bytes;
                all.code.stencils += made.stencils;
                all.code.tier = all.code.tier.max(made.tier);
                all.code.nanoseconds += if native.found { 0 } else { made.nanoseconds };
            }
        }
        all
    }
}

/// Gives programs to the largest parts of `e` that are worth one.
fn prepare(e: &mut Expr, programs: Programs<'_>, natives: &mut Vec<Arc<Native>>) {
    stacker::maybe_grow(64 << 10, 1 << 20, || {
        if let Some(native) = native(e, programs).map(Arc::new) {
            natives.push(native.clone());
            let means = Means(native);
            let original = std::mem::replace(e, Expr::null(e.ty));
            let (ty, typmod, collation, position) =
                (original.ty, original.typmod, original.collation, original.position);
            let kind = ExprKind::Native { original: Box::new(original), means };
            *e = Expr { kind, ty, typmod, collation, position };
            return;
        }
        // Of queries these are what is bound to their slots; inside they have expressions over rows of their own.
        e.children_mut().into_iter().for_each(|c| prepare(c, programs, natives));
    });
}

/// What `e` becomes, if it has a program that is worth it, or is to have one.
fn native(e: &Expr, Programs { jit, force, passes }: Programs<'_>) -> Option<Native> {
    let written = if force && !e.is_leaf() {
        program::forced(e, passes).map_err(|refusal| jit.refuse(refusal)).ok()?
    } else {
        program::written(e, passes)?
    };
    Native::new(written, jit)
}

/// What is given to a run.
struct Known {
    inputs: Inputs,
    lists: Option<Arc<[WordList]>>,
}

impl Known {
    fn given<'g>(&'g self, calls: Option<&'g dyn Calls>) -> Given<'g> {
        Given { inputs: &self.inputs, lists: self.lists.as_deref().unwrap_or_default(), calls }
    }
}

impl Native {
    fn new(Written { program, columns, inputs, lists, sites, result }: Written, jit: &Jit) -> Option<Native> {
        let (unit, found) = jit.unit(program)?;
        let lists = Lists::new(lists);
        Some(Native { unit, found, filter: OnceLock::new(), jit: jit.clone(), columns, inputs, lists, sites, result })
    }

    /// What stands behind `means`, unless all is evaluated as it is.
    fn of<'m>(means: &'m Means, ctx: &Context<'_>) -> Option<&'m Native> {
        ctx.programs.and_then(|_| means.0.downcast_ref())
    }

    /// Its code, as values and as a filter.
    pub(crate) fn disassembly(&self) -> String {
        let units = std::iter::once(&self.unit).chain(self.filter.get().into_iter().flatten());
        units.map(|unit| unit.disassembly()).collect()
    }

    fn columns<'c>(&self, chunk: &'c Chunk) -> Option<SmallVec<[&'c Vector; 8]>> {
        self.columns.iter().map(|&i| chunk.columns.get(i)).collect()
    }

    /// A program that folds, by `written`.
    pub fn folding(written: Written, ctx: &mut Context<'_>) -> Option<Arc<Native>> {
        let native = Arc::new(Native::new(written, ctx.programs?.jit)?);
        ctx.state.natives.push(native.clone());
        Some(native)
    }

    /// Where its columns lie on pages that are laid out as this one; `None` where the page has others.
    pub fn on_pages(&self, page: &PageView<'_>) -> Option<PageColumns> {
        let mut pairs = self.columns.iter().zip(&self.unit.program().columns);
        let is_same = pairs.all(|(&c, &form)| is_of_form(page, c, form));
        let places = self.columns.iter().map(|&column| page.places(column));
        is_same.then(|| self.unit.on_pages(places, page.capacity().div_ceil(64), page.bytes().len())).flatten()
    }

    /// Folds the rows in these slots of a page; false where that must be done otherwise, and `cells` are as they were.
    pub fn fold_on_page(
        &self,
        columns: &PageColumns,
        page: &PageView<'_>,
        slots: Range<usize>,
        inputs: &[Input],
        cells: &mut Cells,
    ) -> bool {
        self.unit.fold_page(columns, (page.bytes(), page.ahead()), inputs.into(), slots, cells)
    }

    /// The inputs as they are now; `None` where they are not of the forms that it reads.
    ///
    /// # Errors
    /// `Internal` for a parameter without a value.
    pub fn inputs(&self, ctx: &Context<'_>) -> Result<Option<Inputs>> {
        let mut out = SmallVec::new();
        for e in &self.inputs {
            let Some(datum) = at_hand(e, ctx)? else { return Ok(None) };
            match (datum, word(datum)) {
                (Datum::Null, _) => out.push(None),
                // In another form than its type's, a value is evaluated as ever.
                (d, Some(w)) if d.physical() == Some(Physical::of(e.ty)) => out.push(Some(w)),
                _ => return Ok(None),
            }
        }
        Ok(Some(out))
    }

    /// What is given to a run beside columns, calls left aside.
    fn given(&self, ctx: &Context<'_>) -> Result<Option<Known>> {
        let lists = if self.lists.is_empty() { None } else { self.lists.known(ctx)? };
        let is_whole = lists.is_some() || self.lists.is_empty();
        Ok(self.inputs(ctx)?.filter(|_| is_whole).map(|inputs| Known { inputs, lists }))
    }

    /// What `run` answers, given what the program needs; and what came of its rows beside that.
    fn run<T>(
        &self,
        known: &Known,
        chunk: &Chunk,
        ctx: &mut Context<'_>,
        run: impl FnOnce(Given<'_>) -> T,
    ) -> Result<(T, Option<Vector>)> {
        if self.sites.is_empty() {
            return Ok((run(known.given(None)), None));
        }
        let calls = Run::new(&self.sites, self.result, chunk, ctx);
        let answer = run(known.given(Some(&calls)));
        Ok((answer, calls.values()?))
    }

    fn filter(&self) -> Option<&Arc<Unit>> {
        let unit = self.filter.get_or_init(|| {
            let program = self.unit.program();
            let is_bool = program.output == Output::Vector(Form::Bool) && self.result.is_none();
            is_bool.then(|| self.jit.unit(Program { output: Output::Kept, ..program.clone() })).flatten().map(|u| u.0)
        });
        unit.as_ref()
    }
}

fn is_of_form(page: &PageView<'_>, column: usize, form: Form) -> bool {
    column < page.columns() && program::form_of(page.form(column)) == Some(form)
}

/// A column of a page, if it is of this form.
#[inline]
fn column_of<'p>(page: &PageView<'p>, column: usize, form: Form) -> Option<Column<'p>> {
    let column =
        is_of_form(page, column, form).then(|| Column::new(form, page.mini_page(column), page.nulls(column))).flatten();
    column.map(|column| column.read_on(page.ahead()))
}

/// The slots of a page, of these, for which a predicate that has a program is true; `None` where that must be found out otherwise. Nothing is copied.
pub fn kept_on_page(
    means: &Means,
    page: &PageView<'_>,
    slots: Range<usize>,
    ctx: &Context<'_>,
) -> Result<Option<Vec<u32>>> {
    // Calls read chunks.
    let Some(native) = Native::of(means, ctx).filter(|native| native.sites.is_empty()) else { return Ok(None) };
    let (Some(known), Some(unit)) = (native.given(ctx)?, native.filter()) else { return Ok(None) };
    let pairs = native.columns.iter().zip(&unit.program().columns);
    let columns = pairs.filter_map(|(&c, &form)| column_of(page, c, form));
    let mut kept = Vec::new();
    Ok(unit.kept_in(columns, known.given(None), slots, &mut kept).then_some(kept))
}

/// The values of a part that has a program.
pub fn values<'c>(original: &Expr, means: &Means, chunk: &'c Chunk, ctx: &mut Context<'_>) -> Result<Cow<'c, Vector>> {
    if let Some(native) = Native::of(means, ctx)
        && let (Some(columns), Some(known)) = (native.columns(chunk), native.given(ctx)?)
    {
        let run = |given: Given<'_>| native.unit.values(&columns, given, chunk.rows);
        let (values, others) = native.run(&known, chunk, ctx, run)?;
        // Values that no word holds are beside those of the program.
        if let Some(values) = if native.result.is_some() { values.and(others) } else { values } {
            return Ok(Cow::Owned(values));
        }
    }
    eval(original, chunk, ctx)
}

/// The rows for which a predicate that has a program is true; `None` where that must be found out otherwise.
pub fn kept(means: &Means, chunk: &Chunk, ctx: &mut Context<'_>) -> Result<Option<Vec<u32>>> {
    let Some(native) = Native::of(means, ctx) else { return Ok(None) };
    let (Some(columns), Some(known), Some(unit)) = (native.columns(chunk), native.given(ctx)?, native.filter()) else {
        return Ok(None);
    };
    let mut rows = Vec::new();
    let run = |given: Given<'_>| unit.kept(&columns, given, chunk.rows, &mut rows);
    let (is_done, _) = native.run(&known, chunk, ctx, run)?;
    Ok(is_done.then_some(rows))
}
