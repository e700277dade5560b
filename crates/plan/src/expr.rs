//! Bound expressions.

use types::{Datum, Oid, oid};

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

/// What an expression computes.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A value.
    Const(Datum),
    /// A column of the input row (P2).
    Column(usize),
    /// A parameter, from 0.
    Param(usize),
    /// A function of `pg_proc`.
    Call {
        /// Which.
        function: Oid,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// A change of type by text output and input.
    CastByText(Box<Expr>),
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

    /// Calls `f` with this expression and everything below it.
    pub fn visit(&self, f: &mut dyn FnMut(&Expr)) {
        f(self);
        self.children().into_iter().for_each(|c| c.visit(f));
    }

    fn children(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Const(_) | ExprKind::Column(_) | ExprKind::Param(_) => Vec::new(),
            ExprKind::Call { args, .. } | ExprKind::And(args) | ExprKind::Or(args) | ExprKind::Coalesce(args) => {
                args.iter().collect()
            }
            ExprKind::CastByText(a) | ExprKind::Not(a) | ExprKind::IsNull(a) | ExprKind::IsBool(a, _) => vec![a],
            ExprKind::Coerce { arg, .. } => vec![arg],
            ExprKind::IsDistinct { args, .. } => args.iter().collect(),
            ExprKind::Case { whens, default } => whens.iter().flat_map(|(c, r)| [c, r]).chain([&**default]).collect(),
        }
    }

    /// Rewrites column references by `map`.
    pub fn map_columns(&mut self, map: &dyn Fn(usize) -> usize) {
        match &mut self.kind {
            ExprKind::Column(i) => *i = map(*i),
            ExprKind::Const(_) | ExprKind::Param(_) => {}
            ExprKind::Call { args, .. } | ExprKind::And(args) | ExprKind::Or(args) | ExprKind::Coalesce(args) => {
                args.iter_mut().for_each(|a| a.map_columns(map));
            }
            ExprKind::CastByText(a) | ExprKind::Not(a) | ExprKind::IsNull(a) | ExprKind::IsBool(a, _) => {
                a.map_columns(map);
            }
            ExprKind::Coerce { arg, .. } => arg.map_columns(map),
            ExprKind::IsDistinct { args, .. } => args.iter_mut().for_each(|a| a.map_columns(map)),
            ExprKind::Case { whens, default } => {
                for (c, r) in whens {
                    c.map_columns(map);
                    r.map_columns(map);
                }
                default.map_columns(map);
            }
        }
    }
}
