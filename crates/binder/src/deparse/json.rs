//! The text form of SQL/JSON functions.

use plan::json::{JsonBehavior, JsonCall, JsonKind, JsonQuery, JsonQueryKind, JsonWrapper};
use plan::{Expr, ExprKind};
use types::{Datum, Result};

use super::{Around, Deparser};

impl Deparser<'_> {
    pub(super) fn sql_json(&self, expr: &Expr, call: &JsonCall, args: &[Expr], level: usize) -> Result<String> {
        let returning = format!(" RETURNING {}", self.type_name(expr.ty, expr.typmod));
        Ok(match call {
            JsonCall::Object { absent, unique } => {
                let mut pairs = Vec::new();
                for pair in args.chunks(2) {
                    let mut texts = pair.iter().map(|e| self.json_argument(e, level)).collect::<Result<Vec<_>>>()?;
                    // A literal is a key as it is.
                    if let (ExprKind::Const(Datum::Var(_)), types::oid::TEXT) = (&pair[0].kind, pair[0].ty) {
                        texts[0] = texts[0].strip_suffix("::text").unwrap_or(&texts[0]).to_owned();
                    }
                    pairs.push(texts.join(" : "));
                }
                let absent = if *absent { " ABSENT ON NULL" } else { "" };
                let unique = if *unique { " WITH UNIQUE KEYS" } else { "" };
                let returning = if args.is_empty() { returning.trim_start() } else { &returning };
                format!("JSON_OBJECT({}{absent}{unique}{returning})", pairs.join(", "))
            }
            JsonCall::Array { absent } => {
                let values = args.iter().map(|e| self.json_argument(e, level)).collect::<Result<Vec<_>>>()?;
                let null = if *absent { "" } else { " NULL ON NULL" };
                let returning = if args.is_empty() { returning.trim_start() } else { &returning };
                format!("JSON_ARRAY({}{null}{returning})", values.join(", "))
            }
            JsonCall::Collected => return Err(types::SqlError::unsupported("the text form of JSON_ARRAY of a query")),
            JsonCall::Parse(unique) => {
                let unique = if *unique { " WITH UNIQUE KEYS" } else { "" };
                format!("JSON({}{unique})", self.list(args, level)?)
            }
            JsonCall::Is { kind, unique } => {
                let kind = match kind {
                    JsonKind::Value => "",
                    JsonKind::Object => " OBJECT",
                    JsonKind::Array => " ARRAY",
                    JsonKind::Scalar => " SCALAR",
                };
                let unique = if *unique { " WITH UNIQUE KEYS" } else { "" };
                self.enclosed(format!("{} IS JSON{kind}{unique}", self.operand(&args[0], Around::Tight, level)?))
            }
            JsonCall::Query(q) => self.json_query(q, args, &returning, level)?,
        })
    }

    /// An argument; what was cast to JSON was `FORMAT JSON`.
    fn json_argument(&self, e: &Expr, level: usize) -> Result<String> {
        match (&e.kind, e.ty) {
            (ExprKind::CastByText { arg, explicit: true }, types::oid::JSON) => {
                Ok(format!("{} FORMAT JSON", self.print(arg, true, level)?))
            }
            _ => self.print(e, true, level),
        }
    }

    fn json_query(&self, q: &JsonQuery, args: &[Expr], returning: &str, level: usize) -> Result<String> {
        let path = match &args[1].kind {
            ExprKind::Const(d @ Datum::Var(_)) => {
                format!("'{}'", d.as_str().unwrap_or_default().replace('\'', "''"))
            }
            _ => self.print(&args[1], true, level)?,
        };
        let name = match q.kind {
            JsonQueryKind::Exists => "JSON_EXISTS",
            JsonQueryKind::Query => "JSON_QUERY",
            JsonQueryKind::Value => "JSON_VALUE",
        };
        let mut text = format!("{name}({}, {path}", self.print(&args[0], true, level)?);
        for (i, (variable, value)) in q.names.iter().zip(&args[2..]).enumerate() {
            text += if i == 0 { " PASSING " } else { ", " };
            text += &format!("{} AS {}", self.json_argument(value, level)?, crate::deparse::quote_ident(variable));
        }
        if q.kind != JsonQueryKind::Exists {
            text += returning;
        }
        if q.kind == JsonQueryKind::Query {
            text += match q.wrapper {
                JsonWrapper::Never => " WITHOUT WRAPPER",
                JsonWrapper::Conditional => " WITH CONDITIONAL WRAPPER",
                JsonWrapper::Always => " WITH UNCONDITIONAL WRAPPER",
            };
            text += if q.omit_quotes { " OMIT QUOTES" } else { " KEEP QUOTES" };
        }
        let usual = if q.kind == JsonQueryKind::Exists { JsonBehavior::False } else { JsonBehavior::Null };
        for (behavior, when) in [(q.on_empty, "ON EMPTY"), (q.on_error, "ON ERROR")] {
            if behavior == usual {
                continue;
            }
            let word = match behavior {
                JsonBehavior::Null if q.kind == JsonQueryKind::Exists => "UNKNOWN".to_owned(),
                JsonBehavior::Null => "NULL".to_owned(),
                JsonBehavior::Error => "ERROR".to_owned(),
                JsonBehavior::EmptyArray => "EMPTY ARRAY".to_owned(),
                JsonBehavior::EmptyObject => "EMPTY OBJECT".to_owned(),
                JsonBehavior::True => "TRUE".to_owned(),
                JsonBehavior::False => "FALSE".to_owned(),
                JsonBehavior::Default(i) => format!("DEFAULT {}", self.print(&args[i], true, level)?),
            };
            text += &format!(" {word} {when}");
        }
        Ok(text + ")")
    }
}
