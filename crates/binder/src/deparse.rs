//! `Deparser`: bound expressions as SQL, in the form that `pg_get_expr` prints them.
//!
//! Plainly, every operator stands in parentheses; prettily, only where its surroundings would read it otherwise.

mod json;

use std::collections::HashMap;

use catalog::builtin;
use plan::{AggregateCall, CallForm, Expr, ExprKind, SubKind};
use syntax::quote_ident;
use types::io::TypeLookup;
use types::{Datum, IoSettings, Oid, Result, SqlError, oid};

use crate::expr::AGGREGATES;
use crate::grouping::GROUPINGS;
use crate::window::WINDOWS;

/// Prints expressions over one table's columns.
pub struct Deparser<'a> {
    /// Names of the columns that [`ExprKind::Column`] means.
    pub columns: &'a [String],
    /// How values of `reg*` types print.
    pub names: &'a dyn TypeLookup,
    /// Whether to leave out parentheses, and to break lines, as `pg_get_expr(.., true)` does.
    pub pretty: bool,
    /// The query it is in.
    pub query: Option<&'a QueryNames<'a>>,
    /// How values print; by default settings where they are kept.
    pub settings: Option<&'a IoSettings>,
}

/// What expressions of a query refer to.
pub struct QueryNames<'a> {
    /// Columns of its scope, as they are written.
    pub columns: Vec<String>,
    /// Its tables, as far as whole rows go.
    pub rows: Vec<WholeRow>,
    /// Columns of anonymous rows, by the typmods of their expressions.
    pub shapes: &'a [Vec<(String, Oid, i32)>],
    /// Its aggregates.
    pub calls: &'a [AggregateCall],
    /// Its calls over windows, and its GROUPING calls, as they are written.
    pub windows: &'a [String],
    /// As `windows`.
    pub groupings: &'a [String],
    /// Columns of the queries around it, by slot.
    pub slots: &'a HashMap<usize, String>,
    /// Queries in its expressions, by number.
    pub subqueries: Option<&'a HashMap<usize, String>>,
    /// How far in its lines start.
    pub level: usize,
}

/// A table whose whole row may be asked for.
pub struct WholeRow {
    /// Its columns in its query's scope.
    pub columns: Vec<usize>,
    /// The type of its rows.
    pub ty: Oid,
    /// How its whole row is written.
    pub text: String,
}

impl WholeRow {
    /// Whether `e` is it, and no row of the same columns that was written out.
    pub fn is(&self, e: &Expr) -> bool {
        let ExprKind::Row { fields, names } = &e.kind else { return false };
        let same = |(f, &i): (&Expr, &usize)| matches!(f.kind, ExprKind::Column(c) if c == i);
        let written = e.ty == oid::RECORD && names.is_empty();
        !written && e.ty == self.ty && fields.len() == self.columns.len() && fields.iter().zip(&self.columns).all(same)
    }
}

/// `text` as an SQL string literal.
pub fn quote_literal(text: &str) -> String {
    let doubled = text.replace('\'', "''");
    if doubled.contains('\\') { format!("E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

/// `text` as a literal that needs no `E`: backslashes mean themselves.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The operands of what `CASE operand WHEN value` became.
fn compared(test: &Expr) -> Option<&[Expr; 2]> {
    match &test.kind {
        ExprKind::Call { args, form: CallForm::CaseTest(_), .. }
        | ExprKind::Routine { args, form: CallForm::CaseTest(_), .. } => args.first_chunk(),
        _ => None,
    }
}

/// The arguments of what `NULLIF` became.
fn nulled(whens: &[(Expr, Expr)]) -> Option<&[Expr]> {
    match whens {
        [(test, _)] => match &test.kind {
            ExprKind::Call { args, form: CallForm::NullIf(_), .. }
            | ExprKind::Routine { args, form: CallForm::NullIf(_), .. } => Some(args),
            _ => None,
        },
        _ => None,
    }
}

/// Arguments without the defaults of built-in functions that stand in at the end.
fn given(function: Oid, mut args: &[Expr]) -> &[Expr] {
    let Some(row) = builtin::proc_by_oid(function) else { return args };
    let least = row.args.len().saturating_sub(row.default_count.into());
    while args.len() > least
        && let Some((last, before)) = args.split_last()
        && last.position == 0
        && matches!(last.kind, ExprKind::Const(_))
    {
        args = before;
    }
    args
}

/// `text` without blanks at ends of lines, but for those in quotes.
pub(crate) fn tidy(text: &str) -> String {
    let (mut out, mut quote) = (String::with_capacity(text.len()), None);
    for c in text.chars() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (_, Some(open)) if c == open => quote = None,
            ('\n', None) => out.truncate(out.trim_end_matches(' ').len()),
            _ => {}
        }
        out.push(c);
    }
    out
}

/// What stands around an expression, as far as its parentheses go; calls, lists and CASE separate their parts by themselves.
#[derive(Clone, Copy, PartialEq)]
enum Around<'e> {
    /// An operator of this name; whether the expression is its first operand.
    Operator(&'e str, bool),
    /// AND, OR.
    Connective(&'static str),
    /// NOT.
    Not,
    /// Anything else: a cast, IS NULL.
    Tight,
}

impl Deparser<'_> {
    /// `expr` as SQL.
    ///
    /// # Errors
    /// `0A000` for what has no text form yet, such as sub-queries.
    pub fn expr(&self, expr: &Expr) -> Result<String> {
        self.print(expr, false, self.query.map_or(0, |q| q.level)).map(|text| tidy(&text))
    }

    /// `expr` as an item of a list: implicit casts are shown.
    ///
    /// # Errors
    /// As [`Deparser::expr`].
    pub fn target(&self, expr: &Expr) -> Result<String> {
        self.print(expr, true, self.query.map_or(0, |q| q.level))
    }

    fn aggregate(&self, call: &AggregateCall, level: usize) -> Result<String> {
        let name = match self.names.routine_name(call.function) {
            Some(name) => name,
            None => quote_ident(builtin::proc_by_oid(call.function).map_or("?", |p| p.name)),
        };
        if crate::call::ordered_kind(call.function) != b'n' {
            let direct = self.list(call.split_args().1, level)?;
            let mut text = format!("{name}({direct}) WITHIN GROUP (");
            for (i, key) in call.order.iter().enumerate() {
                text += &format!("{}{}", if i == 0 { "ORDER BY " } else { ", " }, self.sort_key(key, level)?);
            }
            text.push(')');
            if let Some(filter) = &call.filter {
                text += &format!(" FILTER (WHERE {})", self.print(filter, false, level)?);
            }
            return Ok(text);
        }
        let bare = call.args.is_empty() && (name == "count" || call.own.is_some());
        let args = if bare { "*".to_owned() } else { self.list(&call.args, level)? };
        let mut text = format!("{name}({}{args}", if call.distinct { "DISTINCT " } else { "" });
        for (i, key) in call.order.iter().enumerate() {
            let lead = if i == 0 { " ORDER BY " } else { ", " };
            text += &format!("{lead}{}", self.sort_key(key, level)?);
        }
        text.push(')');
        if let Some(filter) = &call.filter {
            text += &format!(" FILTER (WHERE {})", self.print(filter, false, level)?);
        }
        Ok(text)
    }

    fn sort_key(&self, key: &plan::SortKey, level: usize) -> Result<String> {
        let nulls = match (key.descending, key.nulls_first) {
            (false, true) => " NULLS FIRST",
            (true, false) => " NULLS LAST",
            _ => "",
        };
        let direction = if key.descending { " DESC" } else { "" };
        let text = self.print(&key.expr, true, level)?;
        let bare = match &key.expr.kind {
            ExprKind::Column(i) => *i < AGGREGATES,
            ExprKind::Const(_) => true,
            ExprKind::Call { form: CallForm::Operator(_), .. } => !self.pretty,
            ExprKind::Call { .. } => false,
            _ => !self.pretty,
        };
        let text = if bare { text } else { format!("({text})") };
        Ok(format!("{text}{direction}{nulls}"))
    }

    fn subquery(&self, sub: &plan::SubPlan, level: usize) -> Result<String> {
        let text = self.query.and_then(|q| q.subqueries).and_then(|s| s.get(&sub.id));
        let Some(text) = text else { return Err(SqlError::unsupported("the text form of a subquery")) };
        Ok(match &sub.kind {
            SubKind::Scalar => format!("({text})"),
            SubKind::Exists => format!("(EXISTS ({text}))"),
            SubKind::Array => format!("ARRAY({text})"),
            SubKind::Quantified { all, test } => {
                let ExprKind::Call { args, form: CallForm::Operator(operator), .. } = &test.kind else {
                    return Err(SqlError::unsupported("the text form of a row compared with a subquery"));
                };
                let left = match &args[0].kind {
                    ExprKind::Slot(slot) => match sub.binds.iter().find(|b| b.0 == *slot) {
                        Some((_, e)) => self.operand(e, Around::Tight, level)?,
                        None => self.operand(&args[0], Around::Tight, level)?,
                    },
                    ExprKind::Call { args: inner, form: CallForm::ImplicitCast, .. } => match &inner[0].kind {
                        ExprKind::Slot(slot) => match sub.binds.iter().find(|b| b.0 == *slot) {
                            Some((_, e)) => self.operand(e, Around::Tight, level)?,
                            None => return Err(SqlError::unsupported("the text form of this subquery")),
                        },
                        _ => return Err(SqlError::unsupported("the text form of this subquery")),
                    },
                    _ => self.operand(&args[0], Around::Tight, level)?,
                };
                let name = operator_name(*operator);
                let word = match (all, name) {
                    (false, "=") => "IN".to_owned(),
                    (false, name) => format!("{name} ANY"),
                    (true, name) => format!("{name} ALL"),
                };
                match (all, name) {
                    (true, "<>") => self.enclosed(format!("NOT ({left} IN ({text}))")),
                    _ => format!("({left} {word} ({text}))"),
                }
            }
        })
    }

    /// As an operand: implicit casts of literals' types are shown.
    fn operand(&self, expr: &Expr, around: Around<'_>, level: usize) -> Result<String> {
        self.within(expr, true, around, level)
    }

    fn within(&self, expr: &Expr, implicit: bool, around: Around<'_>, level: usize) -> Result<String> {
        let text = self.print(expr, implicit, level)?;
        Ok(if self.pretty && !Self::is_simple(expr, around) { format!("({text})") } else { text })
    }

    /// Whether `expr` reads the same without parentheses.
    fn is_simple(expr: &Expr, around: Around<'_>) -> bool {
        let separated = matches!(around, Around::Connective(_) | Around::Not);
        match &expr.kind {
            ExprKind::Call { args, form: CallForm::ExplicitCast | CallForm::ImplicitCast, .. } => {
                Self::is_simple(&args[0], around)
            }
            ExprKind::CastByText { arg, .. } | ExprKind::Coerce { arg, .. } => Self::is_simple(arg, around),
            ExprKind::Call { form: CallForm::Operator(own), args, .. } => match around {
                Around::Operator(parent, first) if args.len() == 2 => {
                    let low = |n: &str| matches!(n, "+" | "-");
                    let high = |n: &str| matches!(n, "*" | "/" | "%");
                    let own = operator_name(*own);
                    if !(low(own) || high(own)) || !(low(parent) || high(parent)) {
                        return false;
                    }
                    match (high(own), low(parent)) {
                        (true, true) => true,
                        (false, false) => false,
                        _ => first,
                    }
                }
                _ => separated,
            },
            ExprKind::And(_) => matches!(around, Around::Connective(_)),
            ExprKind::Not(inner) => match inner.kind {
                ExprKind::IsNull(_) | ExprKind::IsBool(..) => separated,
                _ => matches!(around, Around::Connective(_)),
            },
            ExprKind::Or(_) => matches!(around, Around::Connective("OR")),
            ExprKind::IsNull(_) | ExprKind::IsBool(..) | ExprKind::IsDistinct { .. } => separated,
            ExprKind::AnyArray { .. } | ExprKind::Subquery(_) => separated,
            _ => true,
        }
    }

    /// `text`, in the parentheses that are always there when not pretty.
    fn enclosed(&self, text: String) -> String {
        if self.pretty { text } else { format!("({text})") }
    }

    fn list(&self, list: &[Expr], level: usize) -> Result<String> {
        Ok(list.iter().map(|e| self.print(e, true, level)).collect::<Result<Vec<_>>>()?.join(", "))
    }

    fn joined(&self, list: &[Expr], word: &'static str, level: usize) -> Result<String> {
        let around = Around::Connective(word);
        let parts = list.iter().map(|e| self.within(e, false, around, level)).collect::<Result<Vec<_>>>()?;
        Ok(self.enclosed(parts.join(&format!(" {word} "))))
    }

    fn type_name(&self, ty: Oid, typmod: i32) -> String {
        match ty {
            // As `character` alone it would read as `character(1)`.
            oid::BPCHAR if typmod < 0 => "bpchar".to_owned(),
            _ => types::typmod::format_type(ty, typmod).unwrap_or_else(|| self.names.type_name(ty)),
        }
    }

    fn constant(&self, expr: &Expr, datum: &Datum) -> Result<String> {
        let name = self.type_name(expr.ty, expr.typmod);
        if datum.is_null() {
            return Ok(format!("NULL::{name}"));
        }
        let mut text = Vec::new();
        types::io::text_out_with(
            expr.ty,
            datum,
            self.settings.unwrap_or(&IoSettings::default()),
            self.names,
            &mut text,
        )?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let bare = !text.starts_with('-') && text.chars().all(|c| c.is_ascii_digit() || c == '.');
        Ok(match expr.ty {
            oid::BOOL => (if text == "t" { "true" } else { "false" }).to_owned(),
            oid::INT4 if bare => text,
            oid::NUMERIC if bare && text.contains('.') && expr.typmod < 0 => text,
            oid::UNKNOWN => quoted(&text),
            _ => format!("{}::{name}", quoted(&text)),
        })
    }

    /// A constant whose type a cast around it says.
    fn bare_constant(&self, expr: &Expr, datum: &Datum) -> Result<String> {
        let typed = self.constant(&Expr { typmod: -1, ..expr.clone() }, datum)?;
        let suffix = format!("::{}", self.type_name(expr.ty, -1));
        Ok(typed.strip_suffix(&suffix).map_or(typed.clone(), str::to_owned))
    }

    fn cast(&self, arg: &Expr, ty: Oid, typmod: i32, level: usize) -> Result<String> {
        let name = self.type_name(ty, typmod);
        if let ExprKind::Const(datum) = &arg.kind
            && arg.ty == ty
            && arg.typmod < 0
            && !datum.is_null()
        {
            return Ok(format!("{}::{name}", self.bare_constant(arg, datum)?));
        }
        // What only makes it that type before its length is looked at is not shown.
        let arg = match &arg.kind {
            ExprKind::CastByText { arg: inner, explicit: false } | ExprKind::Coerce { arg: inner, explicit: false }
                if typmod >= 0 && arg.ty == ty && arg.typmod < 0 && inner.ty != ty =>
            {
                inner
            }
            ExprKind::Call { args, form: CallForm::ImplicitCast, .. }
                if typmod >= 0 && arg.ty == ty && arg.typmod < 0 =>
            {
                &args[0]
            }
            _ => arg,
        };
        Ok(format!("{}::{name}", self.enclosed(self.within(arg, false, Around::Tight, level)?)))
    }

    fn call(
        &self,
        expr: &Expr,
        function: Oid,
        args: &[Expr],
        form: CallForm,
        implicit: bool,
        level: usize,
    ) -> Result<String> {
        match form {
            CallForm::Operator(operator) => {
                let name = self.operator_name(operator);
                let name = name.as_str();
                match args {
                    [one] => {
                        Ok(self.enclosed(format!("{name} {}", self.operand(one, Around::Operator("", true), level)?)))
                    }
                    [left, right] => {
                        let left = self.operand(left, Around::Operator(name, true), level)?;
                        let right = self.operand(right, Around::Operator(name, false), level)?;
                        Ok(self.enclosed(format!("{left} {name} {right}")))
                    }
                    _ => Err(SqlError::internal("an operator has one or two operands")),
                }
            }
            CallForm::ExplicitCast => self.cast(&args[0], expr.ty, expr.typmod, level),
            CallForm::ImplicitCast if implicit => self.cast(&args[0], expr.ty, expr.typmod, level),
            CallForm::ImplicitCast => self.within(&args[0], false, Around::Tight, level),
            CallForm::Word(word) => Ok(word.to_owned()),
            CallForm::CaseTest(operator) | CallForm::NullIf(operator) => {
                self.call(expr, function, args, CallForm::Operator(operator), implicit, level)
            }
            CallForm::Syntax => self.syntax(function, args, level),
            CallForm::Variadic => {
                let name = builtin::proc_by_oid(function).map_or("?", |p| p.name);
                let (last, first) = args.split_last().ok_or_else(|| SqlError::internal("VARIADIC of nothing"))?;
                let last = format!("VARIADIC {}", self.print(last, true, level)?);
                let first = if first.is_empty() { String::new() } else { self.list(first, level)? + ", " };
                Ok(format!("{}({first}{last})", quote_ident(name)))
            }
            CallForm::Function => {
                if let Some(name) = self.names.routine_name(function) {
                    return Ok(format!("{name}({})", self.list(args, level)?));
                }
                let Some(row) = builtin::proc_by_oid(function) else {
                    return Err(SqlError::internal("a call of an unknown function"));
                };
                let shown = given(function, args);
                let list = match shown.split_last() {
                    Some((last, before)) if !row.variadic.is_none() && row.variadic != oid::ANY => {
                        let mut list = self.list(before, level)?;
                        list += if before.is_empty() { "VARIADIC " } else { ", VARIADIC " };
                        list + &self.print(last, true, level)?
                    }
                    _ => self.list(shown, level)?,
                };
                Ok(format!("{}({list})", quote_ident(row.name)))
            }
        }
    }

    /// A call in a form of SQL's own.
    fn syntax(&self, function: Oid, args: &[Expr], level: usize) -> Result<String> {
        let name = builtin::proc_by_oid(function).map_or("?", |p| p.name);
        let shown = |i: usize| self.print(&args[i], false, level);
        let word = |e: &Expr| match &e.kind {
            ExprKind::Const(d) => Ok(d.as_str().unwrap_or_default().to_owned()),
            _ => self.print(e, true, level),
        };
        Ok(match (name, args) {
            ("extract", [field, _]) => format!("EXTRACT({} FROM {})", word(field)?, shown(1)?),
            ("timezone", [zone, at]) => {
                let at = self.operand(at, Around::Tight, level)?;
                format!("({at} AT TIME ZONE {})", self.operand(zone, Around::Tight, level)?)
            }
            ("timezone", [at]) => format!("({} AT LOCAL)", self.operand(at, Around::Tight, level)?),
            ("overlaps", [_, _, _, _]) => {
                format!("(({}, {}) OVERLAPS ({}, {}))", shown(0)?, shown(1)?, shown(2)?, shown(3)?)
            }
            ("position", [_, _]) => format!("POSITION(({}) IN ({}))", shown(1)?, shown(0)?),
            ("overlay", [_, _, _]) => format!("OVERLAY({} PLACING {} FROM {})", shown(0)?, shown(1)?, shown(2)?),
            ("overlay", [_, _, _, _]) => {
                format!("OVERLAY({} PLACING {} FROM {} FOR {})", shown(0)?, shown(1)?, shown(2)?, shown(3)?)
            }
            ("substring", [_, from]) if from.ty == oid::INT4 => format!("SUBSTRING({} FROM {})", shown(0)?, shown(1)?),
            ("substring", [_, _, by]) if by.ty == oid::TEXT => {
                format!("SUBSTRING({} SIMILAR {} ESCAPE {})", shown(0)?, shown(1)?, shown(2)?)
            }
            ("substring", [_, _, _]) => format!("SUBSTRING({} FROM {} FOR {})", shown(0)?, shown(1)?, shown(2)?),
            ("btrim" | "ltrim" | "rtrim", [_]) => format!("TRIM({} FROM {})", side(name), shown(0)?),
            ("btrim" | "ltrim" | "rtrim", [_, _]) => {
                format!("TRIM({} {} FROM {})", side(name), shown(1)?, shown(0)?)
            }
            ("normalize", [_, form]) if form.position > 0 => format!("NORMALIZE({}, {})", shown(0)?, word(form)?),
            ("normalize", [_, ..]) => format!("NORMALIZE({})", shown(0)?),
            ("is_normalized", [_, form]) if form.position > 0 => {
                format!("({} IS {} NORMALIZED)", self.operand(&args[0], Around::Tight, level)?, word(form)?)
            }
            ("is_normalized", [_, ..]) => format!("({} IS NORMALIZED)", self.operand(&args[0], Around::Tight, level)?),
            ("pg_collation_for", [_]) => format!("COLLATION FOR ({})", shown(0)?),
            _ => format!("{}({})", quote_ident(name), self.list(given(function, args), level)?),
        })
    }

    fn print(&self, expr: &Expr, implicit: bool, level: usize) -> Result<String> {
        match &expr.kind {
            ExprKind::Const(datum) => self.constant(expr, datum),
            ExprKind::Column(i) => match self.query {
                Some(query) if *i >= GROUPINGS => {
                    Ok(query.groupings.get(i - GROUPINGS).cloned().unwrap_or_else(|| "?".to_owned()))
                }
                Some(query) if *i >= WINDOWS => {
                    Ok(query.windows.get(i - WINDOWS).cloned().unwrap_or_else(|| "?".to_owned()))
                }
                Some(query) => match i.checked_sub(AGGREGATES).map(|i| query.calls.get(i)) {
                    Some(Some(call)) => self.aggregate(call, level),
                    _ => Ok(query.columns.get(*i).cloned().unwrap_or_else(|| "?".to_owned())),
                },
                None => Ok(quote_ident(self.columns.get(*i).map_or("?", |c| c))),
            },
            ExprKind::Param(i) => Ok(format!("${}", i + 1)),
            ExprKind::Call { function, args, form } => self.call(expr, *function, args, *form, implicit, level),
            ExprKind::Routine { routine, args, form } => self.call(expr, routine.oid, args, *form, implicit, level),
            ExprKind::Row { fields, .. } => {
                let whole = self.query.and_then(|q| q.rows.iter().find(|r| r.is(expr)));
                if let Some(whole) = whole {
                    return Ok(whole.text.clone());
                }
                let row = format!("ROW({})", self.list(fields, level)?);
                Ok(match expr.ty {
                    oid::RECORD => row,
                    ty => format!("{row}::{}", self.type_name(ty, -1)),
                })
            }
            ExprKind::Field { arg, index } => {
                let names = self.names.field_names(arg.ty);
                let shape = |typmod: i32| self.query?.shapes.get(usize::try_from(typmod).ok()?)?.get(*index);
                let name = match (&arg.kind, names.get(*index)) {
                    (_, Some(name)) => name.clone(),
                    (_, None) if arg.ty == oid::RECORD && shape(arg.typmod).is_some() => {
                        shape(arg.typmod).map_or(String::new(), |f| f.0.clone())
                    }
                    (ExprKind::Routine { routine, .. }, None) if *index < routine.columns.len() => {
                        routine.columns[*index].0.clone()
                    }
                    _ => return Err(SqlError::unsupported("the text form of a column of a record")),
                };
                Ok(format!("({}).{}", self.print(arg, true, level)?, quote_ident(&name)))
            }
            ExprKind::Checked { arg, .. } => self.print(arg, implicit, level),
            ExprKind::CastByText { arg, explicit } | ExprKind::Coerce { arg, explicit } => {
                if let ExprKind::Call { form: CallForm::Word(word), .. } = &arg.kind
                    && arg.ty == expr.ty
                    && expr.typmod >= 0
                {
                    return Ok(format!("{word}({})", expr.typmod));
                }
                if *explicit || implicit {
                    self.cast(arg, expr.ty, expr.typmod, level)
                } else {
                    self.within(arg, false, Around::Tight, level)
                }
            }
            ExprKind::And(list) => self.joined(list, "AND", level),
            ExprKind::Or(list) => self.joined(list, "OR", level),
            ExprKind::Not(arg) => Ok(self.enclosed(match &arg.kind {
                ExprKind::IsNull(inner) => format!("{} IS NOT NULL", self.operand(inner, Around::Tight, level)?),
                ExprKind::IsBool(inner, wanted) => {
                    let word = if *wanted { "TRUE" } else { "FALSE" };
                    format!("{} IS NOT {word}", self.within(inner, false, Around::Tight, level)?)
                }
                _ => format!("NOT {}", self.within(arg, false, Around::Not, level)?),
            })),
            ExprKind::IsNull(arg) => Ok(self.enclosed(format!("{} IS NULL", self.operand(arg, Around::Tight, level)?))),
            ExprKind::IsBool(arg, wanted) => {
                let word = if *wanted { "TRUE" } else { "FALSE" };
                Ok(self.enclosed(format!("{} IS {word}", self.within(arg, false, Around::Tight, level)?)))
            }
            ExprKind::IsDistinct { args, .. } => {
                let left = self.operand(&args[0], Around::Tight, level)?;
                let right = self.operand(&args[1], Around::Tight, level)?;
                Ok(self.enclosed(format!("{left} IS DISTINCT FROM {right}")))
            }
            ExprKind::Coalesce(list) => Ok(format!("COALESCE({})", self.list(list, level)?)),
            ExprKind::Extreme(greatest, list) => {
                Ok(format!("{}({})", if *greatest { "GREATEST" } else { "LEAST" }, self.list(list, level)?))
            }
            ExprKind::Case { whens, .. } if nulled(whens).is_some() => {
                let args = nulled(whens).unwrap_or_default();
                Ok(format!("NULLIF({})", self.list(args, level)?))
            }
            ExprKind::Case { whens, default } => {
                let mut text = format!("\n{}CASE", "    ".repeat(level));
                if let Some([operand, _]) = whens.first().and_then(|(test, _)| compared(test)) {
                    text += &format!(" {}", self.print(operand, true, level + 1)?);
                }
                for (condition, result) in whens {
                    let condition = match compared(condition) {
                        Some([_, value]) => self.print(value, false, level + 1)?,
                        _ => self.print(condition, false, level + 1)?,
                    };
                    let result = self.print(result, true, level + 1)?;
                    text += &format!("\n{}WHEN {condition} THEN {result}", "    ".repeat(level + 1));
                }
                text += &format!("\n{}ELSE {}", "    ".repeat(level + 1), self.print(default, true, level + 1)?);
                text += &format!("\n{}END", "    ".repeat(level));
                Ok(text)
            }
            ExprKind::AnyArray { all, operator, args, .. } => {
                let (name, word) = (self.operator_name(*operator), if *all { "ALL" } else { "ANY" });
                let left = self.operand(&args[0], Around::Tight, level)?;
                let right = self.operand(&args[1], Around::Tight, level)?;
                Ok(self.enclosed(format!("{left} {name} {word} ({right})")))
            }
            ExprKind::Array(list) => Ok(format!("ARRAY[{}]", self.list(list, level)?)),
            ExprKind::Subscript { array, indexes } => {
                let mut text = match array.kind {
                    ExprKind::Column(_) => self.print(array, true, level)?,
                    _ => format!("({})", self.print(array, true, level)?),
                };
                for index in indexes {
                    text += &format!("[{}]", self.print(index, true, level)?);
                }
                Ok(text)
            }
            ExprKind::SqlJson { call, args } => self.sql_json(expr, call, args, level),
            ExprKind::Sampled { .. } => Err(SqlError::unsupported("the text form of a sample")),
            ExprKind::CurrentRow { cursor, .. } => Ok(format!("CURRENT OF {}", quote_ident(cursor))),
            ExprKind::Part { array, bounds, .. } => {
                let mut text = match array.kind {
                    ExprKind::Column(_) => self.print(array, true, level)?,
                    _ => format!("({})", self.print(array, true, level)?),
                };
                for [low, high] in bounds {
                    let end = |e: &Option<Expr>| e.as_ref().map_or(Ok(String::new()), |e| self.print(e, true, level));
                    text += &format!("[{}:{}]", end(low)?, end(high)?);
                }
                Ok(text)
            }
            ExprKind::Slot(slot) => match self.query.and_then(|q| q.slots.get(slot)) {
                Some(name) => Ok(name.clone()),
                None => Err(SqlError::unsupported("the text form of this reference to an outer query")),
            },
            ExprKind::Native { original, .. } => self.print(original, implicit, level),
            ExprKind::Subquery(sub) => self.subquery(sub, level),
        }
    }
}

impl Deparser<'_> {
    fn operator_name(&self, operator: Oid) -> String {
        match builtin::operator_by_oid(operator) {
            Some(row) => row.name.to_owned(),
            None => self.names.operator_name(operator).unwrap_or_else(|| "?".to_owned()),
        }
    }
}

/// Which side a function cuts.
fn side(name: &str) -> &'static str {
    match name {
        "ltrim" => "LEADING",
        "rtrim" => "TRAILING",
        _ => "BOTH",
    }
}

fn operator_name(operator: Oid) -> &'static str {
    builtin::operator_by_oid(operator).map_or("?", |o| o.name)
}
