//! `Deparser`: bound expressions as SQL, in the form that `pg_get_expr` prints them.

use catalog::builtin;
use plan::{CallForm, Expr, ExprKind};
use syntax::quote_ident;
use types::io::TypeLookup;
use types::{Datum, IoSettings, Oid, Result, SqlError, oid};

use crate::coerce::format_type;

/// Prints expressions over one table's columns.
pub struct Deparser<'a> {
    /// Names of the columns that [`ExprKind::Column`] means.
    pub columns: &'a [String],
    /// How values of `reg*` types print.
    pub names: &'a dyn TypeLookup,
}

/// `text` as an SQL string literal.
pub fn quote_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') { format!("E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

impl Deparser<'_> {
    /// `expr` as SQL.
    ///
    /// # Errors
    /// `0A000` for what has no text form yet, such as sub-queries.
    pub fn expr(&self, expr: &Expr) -> Result<String> {
        self.print(expr, false)
    }

    fn operand(&self, expr: &Expr) -> Result<String> {
        self.print(expr, true)
    }

    fn list(&self, list: &[Expr]) -> Result<String> {
        Ok(list.iter().map(|e| self.operand(e)).collect::<Result<Vec<_>>>()?.join(", "))
    }

    fn joined(&self, list: &[Expr], word: &str) -> Result<String> {
        let parts = list.iter().map(|e| self.print(e, false)).collect::<Result<Vec<_>>>()?;
        Ok(format!("({})", parts.join(word)))
    }

    fn constant(&self, expr: &Expr, datum: &Datum) -> Result<String> {
        let name = types::typmod::format_type(expr.ty, expr.typmod).unwrap_or_else(|| format_type(expr.ty));
        if datum.is_null() {
            return Ok(format!("NULL::{name}"));
        }
        let mut text = Vec::new();
        types::io::text_out_with(expr.ty, datum, &IoSettings::default(), self.names, &mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let bare = !text.starts_with('-') && text.chars().all(|c| c.is_ascii_digit() || c == '.');
        Ok(match expr.ty {
            oid::BOOL => (if text == "t" { "true" } else { "false" }).to_owned(),
            oid::INT4 if bare => text,
            oid::NUMERIC if bare && text.contains('.') && expr.typmod < 0 => text,
            oid::NUMERIC if bare => format!("({text})::{name}"),
            oid::UNKNOWN => quote_literal(&text),
            _ => format!("{}::{name}", quote_literal(&text)),
        })
    }

    fn cast(&self, arg: &Expr, ty: Oid, typmod: i32) -> Result<String> {
        let name = types::typmod::format_type(ty, typmod).unwrap_or_else(|| format_type(ty));
        // A literal prints with its own type first; parentheses keep `-1::int` from meaning something else.
        Ok(format!("({})::{name}", self.print(arg, false)?))
    }

    fn call(&self, expr: &Expr, function: Oid, args: &[Expr], form: CallForm, implicit: bool) -> Result<String> {
        match form {
            CallForm::Operator(operator) => {
                let name = builtin::operator_by_oid(operator).map_or("?", |o| o.name);
                match args {
                    [one] => Ok(format!("({name} {})", self.operand(one)?)),
                    [left, right] => Ok(format!("({} {name} {})", self.operand(left)?, self.operand(right)?)),
                    _ => Err(SqlError::internal("an operator has one or two operands")),
                }
            }
            CallForm::ExplicitCast => self.cast(&args[0], expr.ty, expr.typmod),
            CallForm::ImplicitCast if implicit => self.cast(&args[0], expr.ty, expr.typmod),
            CallForm::ImplicitCast => self.print(&args[0], false),
            CallForm::Function => {
                let name = builtin::proc_by_oid(function).map_or("?", |p| p.name);
                Ok(format!("{}({})", quote_ident(name), self.list(args)?))
            }
        }
    }

    fn print(&self, expr: &Expr, implicit: bool) -> Result<String> {
        match &expr.kind {
            ExprKind::Const(datum) => self.constant(expr, datum),
            ExprKind::Column(i) => Ok(quote_ident(self.columns.get(*i).map_or("?", |c| c))),
            ExprKind::Param(i) => Ok(format!("${}", i + 1)),
            ExprKind::Call { function, args, form } => self.call(expr, *function, args, *form, implicit),
            ExprKind::CastByText { arg, explicit } | ExprKind::Coerce { arg, explicit } => {
                if *explicit || implicit {
                    self.cast(arg, expr.ty, expr.typmod)
                } else {
                    self.print(arg, false)
                }
            }
            ExprKind::And(list) => self.joined(list, " AND "),
            ExprKind::Or(list) => self.joined(list, " OR "),
            ExprKind::Not(arg) => Ok(match &arg.kind {
                ExprKind::IsNull(inner) => format!("({} IS NOT NULL)", self.operand(inner)?),
                ExprKind::IsBool(inner, wanted) => {
                    format!("({} IS NOT {})", self.operand(inner)?, if *wanted { "TRUE" } else { "FALSE" })
                }
                ExprKind::IsDistinct { args, .. } => {
                    format!("(NOT ({} IS DISTINCT FROM {}))", self.operand(&args[0])?, self.operand(&args[1])?)
                }
                _ => format!("(NOT {})", self.print(arg, false)?),
            }),
            ExprKind::IsNull(arg) => Ok(format!("({} IS NULL)", self.operand(arg)?)),
            ExprKind::IsBool(arg, wanted) => {
                Ok(format!("({} IS {})", self.operand(arg)?, if *wanted { "TRUE" } else { "FALSE" }))
            }
            ExprKind::IsDistinct { args, .. } => {
                Ok(format!("({} IS DISTINCT FROM {})", self.operand(&args[0])?, self.operand(&args[1])?))
            }
            ExprKind::Coalesce(list) => Ok(format!("COALESCE({})", self.list(list)?)),
            ExprKind::Extreme(greatest, list) => {
                Ok(format!("{}({})", if *greatest { "GREATEST" } else { "LEAST" }, self.list(list)?))
            }
            ExprKind::Case { whens, default } => {
                let mut text = "CASE".to_owned();
                for (condition, result) in whens {
                    text += &format!(" WHEN {} THEN {}", self.print(condition, false)?, self.operand(result)?);
                }
                Ok(text + &format!(" ELSE {} END", self.operand(default)?))
            }
            ExprKind::AnyArray { all, operator, args, .. } => {
                let name = builtin::operator_by_oid(*operator).map_or("?", |o| o.name);
                let word = if *all { "ALL" } else { "ANY" };
                Ok(format!("({} {name} {word} ({}))", self.operand(&args[0])?, self.operand(&args[1])?))
            }
            ExprKind::Array(list) => Ok(format!("ARRAY[{}]", self.list(list)?)),
            ExprKind::Subscript { array, indexes } => {
                let mut text = match array.kind {
                    ExprKind::Column(_) => self.operand(array)?,
                    _ => format!("({})", self.operand(array)?),
                };
                for index in indexes {
                    text += &format!("[{}]", self.operand(index)?);
                }
                Ok(text)
            }
            ExprKind::Slot(_) | ExprKind::Subquery(_) => Err(SqlError::unsupported("the text form of a subquery")),
        }
    }
}
