//! SQL/JSON functions over chunks.

use functions::sql_json::{self, Answer, Shape};
use plan::Expr;
use plan::json::{JsonBehavior, JsonCall, JsonKind, JsonQuery, JsonQueryKind, JsonWrapper};
use types::jsonb::Json;
use types::{Datum, Oid, Physical, Result};
use vector::{Chunk, Vector};

use crate::Context;
use crate::eval::eval as eval_expr;

/// The values of a call for every row.
pub(crate) fn eval(
    expr: &Expr,
    call: &JsonCall,
    args: &[Expr],
    chunk: &Chunk,
    ctx: &mut Context<'_>,
) -> Result<Vector> {
    // Defaults are evaluated where they are needed.
    let eager = match call {
        JsonCall::Query(q) => &args[..2 + q.names.len()],
        _ => args,
    };
    let columns = eager.iter().map(|a| eval_expr(a, chunk, ctx)).collect::<Result<Vec<_>>>()?;
    let types: Vec<Oid> = args.iter().map(|a| a.ty).collect();
    let mut out = Vector::new(Physical::of(expr.ty));
    let mut answers = Vec::new();
    {
        let mut own = ctx.call(&types, expr.ty);
        for row in 0..chunk.rows {
            let values: Vec<Datum> = columns.iter().map(|c| c.get(row)).collect();
            let value = match call {
                JsonCall::Object { absent, unique } => sql_json::object(&own, &values, *absent, *unique)?,
                JsonCall::Array { absent } => {
                    let typed: Vec<(Oid, Datum)> = types.iter().copied().zip(values).collect();
                    sql_json::array(&own, &typed, *absent)?
                }
                JsonCall::Collected => sql_json::collected(&own, &values[0])?,
                _ if values.first().is_none_or(Datum::is_null) => Datum::Null,
                JsonCall::Parse(unique) => sql_json::parsed(values[0].as_str().unwrap_or_default(), *unique)?,
                JsonCall::Is { kind, unique } => {
                    let wanted = |object: bool, array: bool| match kind {
                        JsonKind::Value => true,
                        JsonKind::Object => object,
                        JsonKind::Array => array,
                        JsonKind::Scalar => !object && !array,
                    };
                    Datum::Bool(sql_json::is_json(types[0], &values[0], wanted, *unique))
                }
                JsonCall::Query(q) => {
                    answers.push(query(&mut own, expr, q, &types, &values)?);
                    continue;
                }
            };
            if !matches!(call, JsonCall::Query(_)) {
                out.push(&value);
            } else {
                answers.push(Answer::Value(Datum::Null));
            }
        }
    }
    let JsonCall::Query(q) = call else { return Ok(out) };
    for (row, answer) in answers.into_iter().enumerate() {
        let (behavior, failed) = match answer {
            Answer::Value(v) => {
                out.push(&v);
                continue;
            }
            Answer::Empty => (q.on_empty, false),
            Answer::Failed => (q.on_error, true),
        };
        let json = |v: Json, ctx: &mut Context<'_>| sql_json::json_as(&ctx.call(&types, expr.ty), &v, shape(expr, q));
        let value = match behavior {
            JsonBehavior::Null => Datum::Null,
            JsonBehavior::Error if failed => {
                return Err(types::SqlError::internal("a failure that is an error was thrown"));
            }
            JsonBehavior::Error => return Err(sql_json::nothing_found()),
            JsonBehavior::True => Datum::Bool(true),
            JsonBehavior::False => Datum::Bool(false),
            JsonBehavior::EmptyArray => json(Json::Array(Vec::new()), ctx)?,
            JsonBehavior::EmptyObject => json(Json::Object(Vec::new()), ctx)?,
            JsonBehavior::Default(i) => eval_expr(&args[i], &chunk.select(&[row as u32]), ctx)?.get(0),
        };
        out.push(&value);
    }
    Ok(out)
}

fn shape(expr: &Expr, q: &JsonQuery) -> Shape {
    Shape {
        scalar: q.kind == JsonQueryKind::Value,
        wrap_many: q.wrapper != JsonWrapper::Never,
        wrap_one: q.wrapper == JsonWrapper::Always,
        omit_quotes: q.omit_quotes,
        typmod: expr.typmod,
        throws: q.on_error == JsonBehavior::Error,
    }
}

fn query(call: &mut ext::Call<'_>, expr: &Expr, q: &JsonQuery, types: &[Oid], values: &[Datum]) -> Result<Answer> {
    let (Some(document), Some(path)) = (values[0].as_bytes(), values[1].as_str()) else {
        return Ok(Answer::Value(Datum::Null));
    };
    let named = q.names.iter().zip(&types[2..]).zip(&values[2..]);
    let variables: Vec<(String, Oid, Datum)> = named.map(|((n, t), v)| (n.clone(), *t, v.clone())).collect();
    let shape = shape(expr, q);
    if q.kind != JsonQueryKind::Exists {
        return sql_json::query(call, document, path, &variables, shape);
    }
    Ok(match sql_json::exists(call, document, path, &variables, shape.throws)? {
        Some(found) => Answer::Value(Datum::Bool(found)),
        None => Answer::Failed,
    })
}
