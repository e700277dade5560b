//! Bound expressions.

use std::sync::Arc;

use smallvec::smallvec;
use types::{Datum, Oid, oid};

use crate::Few;
use crate::json::JsonCall;
use crate::node::Node;
use crate::routine::{Routine, ValueCheck};

/// An expression whose names and types are resolved (P1).
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it computes.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Oid,
    /// Its type modifier; -1 is none.
    pub typmod: i32,
    /// Its collation; none for types that have none.
    pub collation: Oid,
    /// Where it was written: a 1-based count of characters, 0 when nowhere.
    pub position: u32,
}

/// How a call was written: what it prints as, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallForm {
    /// `f(x)`.
    Function,
    /// `f(x, VARIADIC y)`, where the elements of `y` may be of any type.
    Variadic,
    /// By the operator with this OID.
    Operator(Oid),
    /// `x::t`.
    ExplicitCast,
    /// Not at all.
    ImplicitCast,
    /// In a form of SQL's own, such as `SUBSTRING(x FROM y)`.
    Syntax,
    /// As what `CASE` compares its operand with, by the operator with this OID.
    CaseTest(Oid),
    /// As the comparison that `NULLIF` is, by the operator with this OID.
    NullIf(Oid),
    /// By a word of SQL's own, such as `CURRENT_DATE`.
    Word(&'static str),
}

/// What an expression computes.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A value.
    Const(Datum),
    /// A column of the input row (P2).
    Column(usize),
    /// A parameter, from 0.
    Param(usize),
    /// A value that an outer query's row put into the statement's slots (P3).
    Slot(usize),
    /// A function of `pg_proc`.
    Call {
        /// Which.
        function: Oid,
        /// Its arguments.
        args: Vec<Expr>,
        /// How it was written.
        form: CallForm,
    },
    /// A function that a user made.
    Routine {
        /// Which.
        routine: Arc<Routine>,
        /// Its arguments.
        args: Vec<Expr>,
        /// How it was written.
        form: CallForm,
    },
    /// A row of values; its type says what they are called.
    Row {
        /// Its columns.
        fields: Vec<Expr>,
        /// What they are called, where no type says it.
        names: Arc<[String]>,
    },
    /// A column of a row, counted from 0.
    Field {
        /// The row.
        arg: Box<Expr>,
        /// Which column.
        index: usize,
    },
    /// A value that must pass what domains ask.
    Checked {
        /// What.
        arg: Box<Expr>,
        /// The test.
        check: Arc<ValueCheck>,
    },
    /// A change of type by text output and input.
    CastByText {
        /// What.
        arg: Box<Expr>,
        /// Whether it was written.
        explicit: bool,
    },
    /// A change of length, precision or scale, or of nothing but the name of the type.
    Coerce {
        /// What.
        arg: Box<Expr>,
        /// Whether an explicit cast: then strings are cut instead of refused.
        explicit: bool,
    },
    /// True when all are.
    And(Vec<Expr>),
    /// True when one is.
    Or(Vec<Expr>),
    /// The opposite.
    Not(Box<Expr>),
    /// Whether the argument is NULL.
    IsNull(Box<Expr>),
    /// Whether two values differ, NULL being a value; the function is their `=`.
    IsDistinct {
        /// The equality function.
        equal: Oid,
        /// Both sides.
        args: Box<[Expr; 2]>,
    },
    /// Whether a boolean is (not) true or false.
    IsBool(Box<Expr>, bool),
    /// The first that is not NULL.
    Coalesce(Vec<Expr>),
    /// `CASE`: conditions with results, and the default.
    Case {
        /// Conditions and results.
        whens: Vec<(Expr, Expr)>,
        /// Otherwise.
        default: Box<Expr>,
    },
    /// GREATEST (true) or LEAST of the arguments that are not NULL.
    Extreme(bool, Vec<Expr>),
    /// `x op ANY (array)`, or ALL: the function is the operator's.
    AnyArray {
        /// ALL.
        all: bool,
        /// The comparison.
        function: Oid,
        /// Its operator.
        operator: Oid,
        /// Value and array.
        args: Box<[Expr; 2]>,
    },
    /// `ARRAY[...]`; nested ones are of the same type as the whole.
    Array(Vec<Expr>),
    /// `a[i]`, `a[i][j]`.
    Subscript {
        /// The array.
        array: Box<Expr>,
        /// Indexes, one for each dimension.
        indexes: Vec<Expr>,
    },
    /// A part of an array: a slice of it, or with `value` the array with that part changed.
    Part {
        /// The array.
        array: Box<Expr>,
        /// Type of its elements.
        element: Oid,
        /// Lower and upper bound of each dimension; an index of an element is an upper one.
        bounds: Vec<[Option<Expr>; 2]>,
        /// Whether a slice, and not an element.
        slice: bool,
        /// What is assigned.
        value: Option<Box<Expr>>,
    },
    /// The id of the row of a table that a cursor stands on.
    CurrentRow {
        /// The cursor.
        cursor: String,
        /// The table.
        table: Oid,
        /// What it is called.
        shown: String,
    },
    /// A function of SQL/JSON.
    SqlJson {
        /// Which.
        call: Arc<JsonCall>,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// Whether a row is in a sample of its table.
    Sampled {
        /// The row's id, the percentage, and what the choice depends on, where it is to be the same each time.
        args: Vec<Expr>,
        /// Whether whole blocks are chosen.
        blocks: bool,
    },
    /// A query run for the row.
    Subquery(Box<SubPlan>),
    /// An expression for which execution has found other means; only operators hold such.
    Native {
        /// The expression.
        original: Box<Expr>,
        /// The means.
        means: Means,
    },
}

/// What execution knows about an expression, and nobody else.
#[derive(Clone)]
pub struct Means(pub Arc<dyn std::any::Any + Send + Sync>);

impl std::fmt::Debug for Means {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Means")
    }
}

impl PartialEq for Means {
    fn eq(&self, other: &Means) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What a query inside an expression yields.
#[derive(Clone, Debug, PartialEq)]
pub enum SubKind {
    /// The only value of its only row; NULL without rows, an error with several.
    Scalar,
    /// Whether there is a row.
    Exists,
    /// Whether the test, over the query's rows, is true for any of them, or for all.
    Quantified {
        /// ALL.
        all: bool,
        /// Over a row of the query; what it compares with is in slots.
        test: Box<Expr>,
    },
    /// All values of its only column.
    Array,
}

/// A query inside an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct SubPlan {
    /// What it yields.
    pub kind: SubKind,
    /// The query.
    pub node: Node,
    /// Slots to fill before it runs, from expressions over the row at hand.
    pub binds: Vec<(usize, Expr)>,
    /// Whether its rows depend on any slot (P3): if not, it runs once a statement.
    pub correlated: bool,
    /// Its number in the statement.
    pub id: usize,
}

impl Expr {
    /// An expression without typmod, with its type's usual collation.
    pub fn new(kind: ExprKind, ty: Oid, position: u32) -> Expr {
        let collation = match ty {
            oid::TEXT | oid::VARCHAR | oid::BPCHAR => oid::DEFAULT_COLLATION,
            oid::NAME => oid::C_COLLATION,
            _ => Oid::NONE,
        };
        Expr { kind, ty, typmod: -1, collation, position }
    }

    /// Column `index` of the input.
    pub fn column(index: usize, ty: Oid, typmod: i32) -> Expr {
        Expr { typmod, ..Expr::new(ExprKind::Column(index), ty, 0) }
    }

    /// NULL of type `ty`.
    pub fn null(ty: Oid) -> Expr {
        Expr::new(ExprKind::Const(Datum::Null), ty, 0)
    }

    /// The conjunction of `list`; `None` of nothing.
    pub fn all(mut list: Vec<Expr>) -> Option<Expr> {
        match list.len() {
            0 => None,
            1 => list.pop(),
            _ => Some(Expr::new(ExprKind::And(list), oid::BOOL, 0)),
        }
    }

    /// Adds the conditions that `self` is the conjunction of.
    pub fn conjuncts(self, out: &mut Vec<Expr>) {
        match self.kind {
            ExprKind::And(list) => list.into_iter().for_each(|e| e.conjuncts(out)),
            _ => out.push(self),
        }
    }

    /// The expressions it is made of. Those of a subquery are over the row at hand: its binds, not its insides.
    pub fn children(&self) -> Few<&Expr> {
        match &self.kind {
            ExprKind::Const(_)
            | ExprKind::Column(_)
            | ExprKind::Param(_)
            | ExprKind::Slot(_)
            | ExprKind::CurrentRow { .. } => Few::new(),
            ExprKind::Call { args, .. }
            | ExprKind::Routine { args, .. }
            | ExprKind::Row { fields: args, .. }
            | ExprKind::And(args)
            | ExprKind::Or(args)
            | ExprKind::Coalesce(args)
            | ExprKind::Extreme(_, args)
            | ExprKind::Sampled { args, .. }
            | ExprKind::SqlJson { args, .. }
            | ExprKind::Array(args) => args.iter().collect(),
            ExprKind::CastByText { arg: a, .. }
            | ExprKind::Coerce { arg: a, .. }
            | ExprKind::Field { arg: a, .. }
            | ExprKind::Checked { arg: a, .. }
            | ExprKind::Not(a)
            | ExprKind::IsNull(a)
            | ExprKind::Native { original: a, .. }
            | ExprKind::IsBool(a, _) => smallvec![&**a],
            ExprKind::IsDistinct { args, .. } | ExprKind::AnyArray { args, .. } => args.iter().collect(),
            ExprKind::Case { whens, default } => whens.iter().flat_map(|(c, r)| [c, r]).chain([&**default]).collect(),
            ExprKind::Subscript { array, indexes } => std::iter::once(&**array).chain(indexes).collect(),
            ExprKind::Part { array, bounds, value, .. } => {
                std::iter::once(&**array).chain(bounds.iter().flatten().flatten()).chain(value.as_deref()).collect()
            }
            ExprKind::Subquery(sub) => sub.binds.iter().map(|b| &b.1).collect(),
        }
    }

    /// As [`Expr::children`].
    pub fn children_mut(&mut self) -> Few<&mut Expr> {
        match &mut self.kind {
            ExprKind::Const(_)
            | ExprKind::Column(_)
            | ExprKind::Param(_)
            | ExprKind::Slot(_)
            | ExprKind::CurrentRow { .. } => Few::new(),
            ExprKind::Call { args, .. }
            | ExprKind::Routine { args, .. }
            | ExprKind::Row { fields: args, .. }
            | ExprKind::And(args)
            | ExprKind::Or(args)
            | ExprKind::Coalesce(args)
            | ExprKind::Extreme(_, args)
            | ExprKind::Sampled { args, .. }
            | ExprKind::SqlJson { args, .. }
            | ExprKind::Array(args) => args.iter_mut().collect(),
            ExprKind::CastByText { arg: a, .. }
            | ExprKind::Coerce { arg: a, .. }
            | ExprKind::Field { arg: a, .. }
            | ExprKind::Checked { arg: a, .. }
            | ExprKind::Not(a)
            | ExprKind::IsNull(a)
            | ExprKind::Native { original: a, .. }
            | ExprKind::IsBool(a, _) => smallvec![&mut **a],
            ExprKind::IsDistinct { args, .. } | ExprKind::AnyArray { args, .. } => args.iter_mut().collect(),
            ExprKind::Case { whens, default } => {
                whens.iter_mut().flat_map(|(c, r)| [c, r]).chain([&mut **default]).collect()
            }
            ExprKind::Subscript { array, indexes } => std::iter::once(&mut **array).chain(indexes).collect(),
            ExprKind::Part { array, bounds, value, .. } => std::iter::once(&mut **array)
                .chain(bounds.iter_mut().flatten().flatten())
                .chain(value.as_deref_mut())
                .collect(),
            ExprKind::Subquery(sub) => sub.binds.iter_mut().map(|b| &mut b.1).collect(),
        }
    }

    /// Whether it is one of those that are nearly all there is, and have nothing below them.
    pub fn is_leaf(&self) -> bool {
        matches!(self.kind, ExprKind::Const(_) | ExprKind::Column(_) | ExprKind::Param(_) | ExprKind::Slot(_))
    }

    /// Calls `f` with this expression and everything below it.
    pub fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a Expr)) {
        f(self);
        if self.is_leaf() {
            return;
        }
        self.children().into_iter().for_each(|c| c.visit(f));
    }

    /// Calls `f` with this expression and everything below it, from the outside in.
    pub fn visit_mut(&mut self, f: &mut dyn FnMut(&mut Expr)) {
        f(self);
        if self.is_leaf() {
            return;
        }
        self.children_mut().into_iter().for_each(|c| c.visit_mut(f));
    }

    /// Rewrites column references by `map`.
    pub fn map_columns(&mut self, map: &dyn Fn(usize) -> usize) {
        self.visit_mut(&mut |e| {
            if let ExprKind::Column(i) = &mut e.kind {
                *i = map(*i);
            }
        });
    }

    /// Columns that it reads: the lowest and the highest.
    pub fn span(&self) -> Option<(usize, usize)> {
        let mut span: Option<(usize, usize)> = None;
        self.visit(&mut |e| {
            if let ExprKind::Column(i) = e.kind {
                span = Some(span.map_or((i, i), |(low, high)| (low.min(i), high.max(i))));
            }
        });
        span
    }

    /// Marks the columns of its input that it reads; those beyond the end of `read` are left out.
    pub fn mark_columns(&self, read: &mut [bool]) {
        self.visit(&mut |e| {
            if let ExprKind::Column(i) = e.kind
                && let Some(read) = read.get_mut(i)
            {
                *read = true;
            }
        });
    }

    /// Whether it reads no column and runs no query, so that it has one value during a statement.
    pub fn is_fixed(&self) -> bool {
        let mut fixed = true;
        self.visit(&mut |e| fixed &= !matches!(e.kind, ExprKind::Column(_) | ExprKind::Subquery(_)));
        fixed
    }
}
