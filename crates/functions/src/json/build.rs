//! SQL values as JSON.

use ext::Call;
use types::array::ArrayView;
use types::datetime::{DateOrder, DateStyle, MICROS_PER_SEC, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY, zone};
use types::io::TypeKind;
use types::json::put_string;
use types::jsonb::{Json, View};
use types::record::RecordView;
use types::{Datum, Numeric, Oid, Result, SqlError, SqlState, oid};

/// How a type's values look in JSON.
enum Shape {
    Bool,
    Number,
    Json,
    Jsonb,
    Date,
    Timestamp,
    Timestamptz,
    Array,
    Record,
    Text,
}

fn shape(call: &Call<'_>, ty: Oid) -> Shape {
    match ty {
        oid::BOOL => Shape::Bool,
        oid::INT2 | oid::INT4 | oid::INT8 | oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC => Shape::Number,
        oid::JSON => Shape::Json,
        oid::JSONB => Shape::Jsonb,
        oid::DATE => Shape::Date,
        oid::TIMESTAMP => Shape::Timestamp,
        oid::TIMESTAMPTZ => Shape::Timestamptz,
        oid::RECORD => Shape::Record,
        t => match call.types.kind(t) {
            TypeKind::Array { .. } => Shape::Array,
            TypeKind::Composite { .. } => Shape::Record,
            TypeKind::Domain { base, .. } => shape(call, base),
            _ => Shape::Text,
        },
    }
}

/// A moment as ISO 8601 has it.
fn moment(call: &Call<'_>, ty: Oid, v: &Datum) -> Option<String> {
    let mut out = Vec::new();
    match (ty, v) {
        (oid::DATE, Datum::I32(d)) => types::datetime::format_date(*d, DateStyle::Iso, DateOrder::Ymd, &mut out),
        (_, Datum::I64(t)) if *t == TIMESTAMP_INFINITY || *t == TIMESTAMP_NEG_INFINITY => {
            types::datetime::format_timestamp(*t, DateStyle::Iso, DateOrder::Ymd, &mut out);
        }
        (oid::TIMESTAMP, Datum::I64(t)) => {
            types::datetime::format_timestamp(*t, DateStyle::Iso, DateOrder::Ymd, &mut out);
        }
        (_, Datum::I64(t)) => {
            let east = zone::offset_at(&call.settings.time_zone, *t);
            let local = t.checked_add(i64::from(east) * MICROS_PER_SEC)?;
            types::datetime::format_timestamp(local, DateStyle::Iso, DateOrder::Ymd, &mut out);
            let text = String::from_utf8(out).ok()?;
            let (text, era) = text.strip_suffix(" BC").map_or((&text[..], ""), |t| (t, " BC"));
            let (sign, abs) = if east < 0 { ('-', -east) } else { ('+', east) };
            let mut zone = format!("{sign}{:02}:{:02}", abs / 3600, abs / 60 % 60);
            if abs % 60 != 0 {
                zone.push_str(&format!(":{:02}", abs % 60));
            }
            return Some(format!("{}{zone}{era}", text.replacen(' ', "T", 1)));
        }
        _ => return None,
    }
    let text = String::from_utf8(out).ok()?;
    Some(if ty == oid::DATE || !text.starts_with(|c: char| c.is_ascii_digit()) {
        text
    } else {
        text.replacen(' ', "T", 1)
    })
}

/// Names and types of a row's columns: those the caller or the catalog knows; of an anonymous row `f1`, `f2`, ...
pub fn columns(call: &Call<'_>, ty: Oid, row: RecordView<'_>, outermost: bool) -> Result<Vec<(String, Oid)>> {
    if outermost && call.columns.len() == row.len() {
        return Ok(call.columns.to_vec());
    }
    let names = call.types.field_names(ty);
    if names.len() == row.len() {
        return Ok(names.into_iter().enumerate().map(|(i, n)| (n, row.column_type(i))).collect());
    }
    let names = row.names();
    if names.len() == row.len() {
        return Ok(names.into_iter().enumerate().map(|(i, n)| (n, row.column_type(i))).collect());
    }
    if ty != oid::RECORD {
        return Err(SqlError::unsupported("JSON of a row type whose columns' names are not known"));
    }
    Ok((0..row.len()).map(|i| (format!("f{}", i + 1), row.column_type(i))).collect())
}

fn deep(depth: usize) -> Result<()> {
    if depth > 200 {
        return Err(SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
    }
    Ok(())
}

/// Appends a value's JSON text. `line` stands between the parts of the outermost container.
///
/// # Errors
/// The type's.
pub fn append(call: &Call<'_>, ty: Oid, v: &Datum, line: &str, depth: usize, out: &mut Vec<u8>) -> Result<()> {
    deep(depth)?;
    if v.is_null() {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    match shape(call, ty) {
        Shape::Bool => out.extend_from_slice(if *v == Datum::Bool(true) { b"true" } else { b"false" }),
        Shape::Number => {
            let text = call.text_of(ty, v)?;
            if text.bytes().any(|b| b.is_ascii_alphabetic() && b != b'e') {
                put_string(&text, out);
            } else {
                out.extend_from_slice(text.as_bytes());
            }
        }
        Shape::Json => out.extend_from_slice(v.as_bytes().unwrap_or_default()),
        Shape::Jsonb => View::new(v.as_bytes().unwrap_or_default()).format(out),
        Shape::Date | Shape::Timestamp | Shape::Timestamptz => {
            put_string(&moment(call, ty, v).unwrap_or_default(), out);
        }
        Shape::Array => {
            let a = ArrayView::new(v.as_bytes().unwrap_or_default());
            append_dimension(call, a, 0, &mut 0, line, depth, out)?;
        }
        Shape::Record => {
            let row = RecordView::new(v.as_bytes().unwrap_or_default());
            out.push(b'{');
            for (i, (name, ty)) in columns(call, ty, row, depth == 0)?.into_iter().enumerate() {
                if i > 0 {
                    out.extend_from_slice(line.as_bytes());
                }
                put_string(&name, out);
                out.push(b':');
                append(call, ty, &row.get(i), ",", depth + 1, out)?;
            }
            out.push(b'}');
        }
        Shape::Text => put_string(&call.text_of(ty, v)?, out),
    }
    Ok(())
}

fn append_dimension(
    call: &Call<'_>,
    a: ArrayView<'_>,
    dimension: usize,
    next: &mut usize,
    line: &str,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    out.push(b'[');
    if dimension < a.dimension_count() {
        for i in 0..a.dimension(dimension).len {
            if i > 0 {
                out.extend_from_slice(line.as_bytes());
            }
            if dimension + 1 < a.dimension_count() {
                append_dimension(call, a, dimension + 1, next, ",", depth, out)?;
            } else {
                append(call, a.element(), &a.get(*next), ",", depth + 1, out)?;
                *next += 1;
            }
        }
    }
    out.push(b']');
    Ok(())
}

/// A value's JSON text.
///
/// # Errors
/// The type's.
pub fn text(call: &Call<'_>, ty: Oid, v: &Datum) -> Result<String> {
    let mut out = Vec::new();
    append(call, ty, v, ",", 0, &mut out)?;
    Ok(String::from_utf8(out).unwrap_or_default())
}

/// A value as `jsonb`.
///
/// # Errors
/// The type's.
pub fn tree(call: &Call<'_>, ty: Oid, v: &Datum, depth: usize) -> Result<Json> {
    deep(depth)?;
    if v.is_null() {
        return Ok(Json::Null);
    }
    Ok(match shape(call, ty) {
        Shape::Bool => Json::Bool(*v == Datum::Bool(true)),
        Shape::Number => {
            let text = call.text_of(ty, v)?;
            if text.bytes().any(|b| b.is_ascii_alphabetic() && b != b'e') {
                Json::String(text)
            } else {
                Json::Number(Numeric::parse(&text)?)
            }
        }
        Shape::Json => Json::parse(v.as_str().unwrap_or_default())?,
        Shape::Jsonb => View::new(v.as_bytes().unwrap_or_default()).to_json(),
        Shape::Date | Shape::Timestamp | Shape::Timestamptz => Json::String(moment(call, ty, v).unwrap_or_default()),
        Shape::Array => {
            let a = ArrayView::new(v.as_bytes().unwrap_or_default());
            tree_dimension(call, a, 0, &mut 0, depth)?
        }
        Shape::Record => {
            let row = RecordView::new(v.as_bytes().unwrap_or_default());
            let mut pairs = Vec::with_capacity(row.len());
            for (i, (name, ty)) in columns(call, ty, row, depth == 0)?.into_iter().enumerate() {
                pairs.push((name, tree(call, ty, &row.get(i), depth + 1)?));
            }
            Json::Object(pairs)
        }
        Shape::Text => Json::String(call.text_of(ty, v)?),
    })
}

fn tree_dimension(call: &Call<'_>, a: ArrayView<'_>, dimension: usize, next: &mut usize, depth: usize) -> Result<Json> {
    let mut items = Vec::new();
    if dimension < a.dimension_count() {
        for _ in 0..a.dimension(dimension).len {
            if dimension + 1 < a.dimension_count() {
                items.push(tree_dimension(call, a, dimension + 1, next, depth)?);
            } else {
                items.push(tree(call, a.element(), &a.get(*next), depth + 1)?);
                *next += 1;
            }
        }
    }
    Ok(Json::Array(items))
}

/// Whether values of a type are containers, which `json_agg` puts on lines of their own.
pub fn is_container(call: &Call<'_>, ty: Oid) -> bool {
    matches!(shape(call, ty), Shape::Array | Shape::Record)
}

/// A key of an object, which must be a plain value.
///
/// # Errors
/// `22004`, `22023`.
pub fn key(call: &Call<'_>, ty: Oid, v: &Datum, null: impl FnOnce() -> SqlError) -> Result<String> {
    if v.is_null() {
        return Err(null());
    }
    match shape(call, ty) {
        Shape::Array | Shape::Record | Shape::Json | Shape::Jsonb => Err(SqlError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            "key value must be scalar, not array, composite, or json",
        )),
        Shape::Bool => Ok(if *v == Datum::Bool(true) { "true" } else { "false" }.to_owned()),
        Shape::Date | Shape::Timestamp | Shape::Timestamptz => Ok(moment(call, ty, v).unwrap_or_default()),
        _ => call.text_of(ty, v),
    }
}
