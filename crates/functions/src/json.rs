//! Functions on `json` and `jsonb`: reading and building. Changing is in `json_set`.

pub(crate) mod build;
pub(crate) mod populate;
pub(crate) mod raw;

use ext::{Call, JsonText, Jsonb};
use types::array::ArrayView;
use types::jsonb::{Json, View};
use types::{Datum, Numeric, Result, SqlError, SqlState};

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

/// Elements of a text array, NULL ones as none.
pub(crate) fn path_of(path: ArrayView<'_>) -> Vec<Option<String>> {
    path.iter().map(|d| d.as_str().map(str::to_owned)).collect()
}

/// A `jsonb` value as the `->>` operators give it.
pub(crate) fn view_text(v: View<'_>) -> Option<String> {
    match v {
        View::Null => None,
        View::String(s) => Some(s.to_owned()),
        v => {
            let mut out = Vec::new();
            v.format(&mut out);
            String::from_utf8(out).ok()
        }
    }
}

/// What a value is called in messages and by `jsonb_typeof`.
fn kind_name(v: &View<'_>) -> &'static str {
    match v {
        View::Null => "null",
        View::Bool(_) => "boolean",
        View::Number(_) => "number",
        View::String(_) => "string",
        View::Array(_) => "array",
        View::Object(_) => "object",
    }
}

fn element<'a>(v: View<'a>, n: i64) -> Option<&'a [u8]> {
    let View::Array(c) = v else { return None };
    let i = if n < 0 { n + c.len() as i64 } else { n };
    usize::try_from(i).ok().filter(|i| *i < c.len()).map(|i| c.element_bytes(i))
}

fn field<'a>(v: View<'a>, key: &str) -> Option<&'a [u8]> {
    let View::Object(c) = v else { return None };
    c.find(key).map(|i| c.value_bytes(i))
}

/// The value at a path; the whole for an empty one.
fn at_path<'a>(bytes: &'a [u8], path: &[Option<String>]) -> Option<&'a [u8]> {
    let mut at = bytes;
    for step in path {
        let step = step.as_deref()?;
        at = match View::new(at) {
            v @ View::Object(_) => field(v, step)?,
            v @ View::Array(_) => element(v, step.trim().parse::<i32>().ok()?.into())?,
            _ => return None,
        };
    }
    Some(at)
}

/// Whether `whole` contains `part`.
fn contains(whole: View<'_>, part: View<'_>, top: bool) -> bool {
    match (whole, part) {
        (View::Object(w), View::Object(p)) => {
            (0..p.len()).all(|i| w.find(p.key(i)).is_some_and(|j| contains(w.value(j), p.value(i), false)))
        }
        (View::Array(w), View::Array(p)) => {
            (0..p.len()).all(|i| (0..w.len()).any(|j| contains(w.element(j), p.element(i), false)))
        }
        // An array contains a scalar, but only at the top.
        (View::Array(w), p) if top && p.is_scalar() => (0..w.len()).any(|j| same_scalar(w.element(j), p)),
        (w, p) => w.is_scalar() && p.is_scalar() && same_scalar(w, p),
    }
}

fn same_scalar(a: View<'_>, b: View<'_>) -> bool {
    a.is_scalar() && b.is_scalar() && kind_name(&a) == kind_name(&b) && a.cmp_sql(&b).is_eq()
}

/// Whether `key` is a key of an object, or a string of an array, or the string itself.
fn exists(v: View<'_>, key: &str) -> bool {
    match v {
        View::Object(c) => c.find(key).is_some(),
        View::Array(c) => (0..c.len()).any(|i| matches!(c.element(i), View::String(s) if s == key)),
        View::String(s) => s == key,
        _ => false,
    }
}

/// Appends with line breaks and four blanks per level.
fn pretty(v: View<'_>, depth: usize, out: &mut Vec<u8>) {
    let indent = |n: usize, out: &mut Vec<u8>| {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', 4 * n));
    };
    let (count, ends) = match &v {
        View::Array(c) => (c.len(), *b"[]"),
        View::Object(c) => (c.len(), *b"{}"),
        _ => return v.format(out),
    };
    out.push(ends[0]);
    for i in 0..count {
        if i > 0 {
            out.push(b',');
        }
        indent(depth + 1, out);
        match &v {
            View::Object(c) => {
                types::json::put_string(c.key(i), out);
                out.extend_from_slice(b": ");
                pretty(c.value(i), depth + 1, out);
            }
            View::Array(c) => pretty(c.element(i), depth + 1, out),
            _ => {}
        }
    }
    indent(depth, out);
    out.push(ends[1]);
}

/// Keys and values of `json_object(text[])`.
fn object_pairs(a: ArrayView<'_>) -> Result<Vec<(String, Option<String>)>> {
    let wrong = |m: &str| Err(SqlError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, m));
    match a.dimension_count() {
        0 => return Ok(Vec::new()),
        1 if a.len() % 2 == 1 => return wrong("array must have even number of elements"),
        1 => {}
        2 if a.dimension(1).len != 2 => return wrong("array must have two columns"),
        2 => {}
        _ => return wrong("wrong number of array subscripts"),
    }
    (0..a.len() / 2)
        .map(|i| {
            let key = a.get(2 * i);
            let key = key.as_str().ok_or_else(null_key)?;
            Ok((key.to_owned(), a.get(2 * i + 1).as_str().map(str::to_owned)))
        })
        .collect()
}

fn null_key() -> SqlError {
    SqlError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key")
}

fn zipped_pairs(keys: ArrayView<'_>, values: ArrayView<'_>) -> Result<Vec<(String, Option<String>)>> {
    let wrong = |m: &str| Err(SqlError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, m));
    if keys.dimension_count() > 1 || keys.dimension_count() != values.dimension_count() {
        return wrong("wrong number of array subscripts");
    }
    if keys.len() != values.len() {
        return wrong("mismatched array dimensions");
    }
    (0..keys.len())
        .map(|i| {
            let key = keys.get(i);
            Ok((key.as_str().ok_or_else(null_key)?.to_owned(), values.get(i).as_str().map(str::to_owned)))
        })
        .collect()
}

fn object_text(pairs: Vec<(String, Option<String>)>) -> JsonText {
    let mut out = Vec::from(*b"{");
    for (i, (k, v)) in pairs.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        types::json::put_string(k, &mut out);
        out.extend_from_slice(b" : ");
        match v {
            Some(v) => types::json::put_string(v, &mut out),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
    JsonText(String::from_utf8(out).unwrap_or_default())
}

fn object_tree(pairs: Vec<(String, Option<String>)>) -> Json {
    Json::Object(pairs.into_iter().map(|(k, v)| (k, v.map_or(Json::Null, Json::String))).collect())
}

/// A `jsonb` scalar for a cast to `ty`.
fn cast_error(v: &View<'_>, ty: &str) -> SqlError {
    let what = match v {
        View::Null => "null",
        View::Bool(_) => "boolean",
        View::Number(_) => "numeric",
        View::String(_) => "string",
        View::Array(_) => "array",
        View::Object(_) => "object",
    };
    invalid(format!("cannot cast jsonb {what} to type {ty}"))
}

fn number(v: View<'_>, ty: &str) -> Result<Option<Numeric>> {
    match v {
        View::Null => Ok(None),
        View::Number(b) => Ok(Some(Numeric::from_bytes(b))),
        v => Err(cast_error(&v, ty)),
    }
}

/// Removes pairs whose value is null (and, if asked, null elements).
fn without_nulls(v: &Json, elements: bool) -> Json {
    match v {
        Json::Object(pairs) => Json::Object(
            (pairs.iter().filter(|(_, v)| *v != Json::Null))
                .map(|(k, v)| (k.clone(), without_nulls(v, elements)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(
            (items.iter().filter(|v| !elements || **v != Json::Null)).map(|v| without_nulls(v, elements)).collect(),
        ),
        v => v.clone(),
    }
}

fn raw_without_nulls(text: &str, elements: bool, depth: usize, out: &mut Vec<u8>) {
    match raw::kind(text) {
        raw::Kind::Object if depth < 1000 => {
            out.push(b'{');
            let mut first = true;
            for (k, v) in raw::pairs(text) {
                if raw::kind(v) == raw::Kind::Null {
                    continue;
                }
                if !std::mem::replace(&mut first, false) {
                    out.push(b',');
                }
                types::json::put_string(&k, out);
                out.push(b':');
                raw_without_nulls(v, elements, depth + 1, out);
            }
            out.push(b'}');
        }
        raw::Kind::Array if depth < 1000 => {
            out.push(b'[');
            let mut first = true;
            for v in raw::elements(text) {
                if elements && raw::kind(v) == raw::Kind::Null {
                    continue;
                }
                if !std::mem::replace(&mut first, false) {
                    out.push(b',');
                }
                raw_without_nulls(v, elements, depth + 1, out);
            }
            out.push(b']');
        }
        raw::Kind::String => types::json::put_string(&raw::unescaped(text), out),
        _ => out.extend_from_slice(text.trim().as_bytes()),
    }
}

/// The message when a function wants another kind of `json`.
fn wrong_kind(function: &str, is: &str) -> SqlError {
    invalid(format!("cannot call {function} on {is}"))
}

#[ext::module]
pub(crate) mod functions {
    use super::populate::{Source, record, rows};
    use super::*;
    use ext::output::Columns;

    fn json(text: &str) -> JsonText {
        JsonText(text.trim_matches([' ', '\t', '\n', '\r']).to_owned())
    }

    fn jsonb(bytes: &[u8]) -> Jsonb {
        Jsonb(bytes.to_vec())
    }

    // Looking into json.

    #[ext::function(oid = 3947)]
    pub fn json_field(v: &str, key: &str) -> Option<JsonText> {
        raw::field(v, key).map(json)
    }

    #[ext::function(oid = 3948)]
    pub fn json_field_text(v: &str, key: &str) -> Option<String> {
        raw::field(v, key).and_then(raw::as_text)
    }

    #[ext::function(oid = 3949)]
    pub fn json_element(v: &str, n: i32) -> Option<JsonText> {
        raw::element(v, n.into()).map(json)
    }

    #[ext::function(oid = 3950)]
    pub fn json_element_text(v: &str, n: i32) -> Option<String> {
        raw::element(v, n.into()).and_then(raw::as_text)
    }

    #[ext::function(oid = 3951)]
    pub fn json_path(v: &str, path: ArrayView<'_>) -> Option<JsonText> {
        raw::at_path(v, &path_of(path)).map(json)
    }

    #[ext::function(oid = 3953)]
    pub fn json_path_text(v: &str, path: ArrayView<'_>) -> Option<String> {
        raw::at_path(v, &path_of(path)).and_then(raw::as_text)
    }

    #[ext::function(oid = 3956)]
    pub fn json_array_length(v: &str) -> Result<i32> {
        match raw::kind(v) {
            raw::Kind::Array => Ok(raw::elements(v).len() as i32),
            raw::Kind::Object => Err(invalid("cannot get array length of a non-array")),
            _ => Err(invalid("cannot get array length of a scalar")),
        }
    }

    #[ext::function(oid = 3968)]
    pub fn json_typeof(v: &str) -> &'static str {
        match raw::kind(v) {
            raw::Kind::Object => "object",
            raw::Kind::Array => "array",
            raw::Kind::String => "string",
            raw::Kind::Number => "number",
            raw::Kind::Boolean => "boolean",
            raw::Kind::Null => "null",
        }
    }

    #[ext::function(oid = 3261)]
    pub fn json_strip_nulls(v: &str, elements: bool) -> JsonText {
        let mut out = Vec::new();
        raw_without_nulls(v, elements, 0, &mut out);
        JsonText(String::from_utf8(out).unwrap_or_default())
    }

    fn json_elements<'a>(v: &'a str, function: &str) -> Result<Vec<&'a str>> {
        match raw::kind(v) {
            raw::Kind::Array => Ok(raw::elements(v)),
            raw::Kind::Object => Err(wrong_kind(function, "a non-array")),
            _ => Err(wrong_kind(function, "a scalar")),
        }
    }

    #[ext::set_function(oid = 3955)]
    pub fn json_array_elements(v: &str) -> Result<Vec<JsonText>> {
        Ok(json_elements(v, "json_array_elements")?.into_iter().map(json).collect())
    }

    #[ext::set_function(oid = 3969)]
    pub fn json_array_elements_text(v: &str) -> Result<Vec<Option<String>>> {
        Ok(json_elements(v, "json_array_elements_text")?.into_iter().map(raw::as_text).collect())
    }

    fn json_pairs<'a>(v: &'a str, function: &str) -> Result<Vec<(String, &'a str)>> {
        match raw::kind(v) {
            raw::Kind::Object => Ok(raw::pairs(v)),
            raw::Kind::Array => Err(invalid("cannot deconstruct an array as an object")),
            _ if function == "json_object_keys" => Err(wrong_kind(function, "a scalar")),
            _ => Err(invalid("cannot deconstruct a scalar")),
        }
    }

    #[ext::set_function(oid = 3958)]
    pub fn json_each(v: &str) -> Result<Vec<(String, JsonText)>> {
        Ok(json_pairs(v, "json_each")?.into_iter().map(|(k, v)| (k, json(v))).collect())
    }

    #[ext::set_function(oid = 3959)]
    pub fn json_each_text(v: &str) -> Result<Vec<(String, Option<String>)>> {
        Ok(json_pairs(v, "json_each_text")?.into_iter().map(|(k, v)| (k, raw::as_text(v))).collect())
    }

    #[ext::set_function(oid = 3957)]
    pub fn json_object_keys(v: &str) -> Result<Vec<String>> {
        match raw::kind(v) {
            raw::Kind::Object => Ok(raw::pairs(v).into_iter().map(|(k, _)| k).collect()),
            raw::Kind::Array => Err(wrong_kind("json_object_keys", "an array")),
            _ => Err(wrong_kind("json_object_keys", "a scalar")),
        }
    }

    // Looking into jsonb.

    #[ext::function(oid = 3478)]
    pub fn jsonb_field(v: View<'_>, key: &str) -> Option<Jsonb> {
        field(v, key).map(jsonb)
    }

    #[ext::function(oid = 3214)]
    pub fn jsonb_field_text(v: View<'_>, key: &str) -> Option<String> {
        field(v, key).and_then(|b| view_text(View::new(b)))
    }

    #[ext::function(oid = 3215)]
    pub fn jsonb_element(v: &[u8], n: i32) -> Option<Jsonb> {
        element_or_scalar(v, n).map(jsonb)
    }

    /// A scalar passes for an array of itself.
    fn element_or_scalar(v: &[u8], n: i32) -> Option<&[u8]> {
        let view = View::new(v);
        if view.is_scalar() { (n == 0 || n == -1).then_some(v) } else { element(view, n.into()) }
    }

    #[ext::function(oid = 3216)]
    pub fn jsonb_element_text(v: &[u8], n: i32) -> Option<String> {
        element_or_scalar(v, n).and_then(|b| view_text(View::new(b)))
    }

    #[ext::function(oid = 3217)]
    pub fn jsonb_path(v: &[u8], path: ArrayView<'_>) -> Option<Jsonb> {
        at_path(v, &path_of(path)).map(jsonb)
    }

    #[ext::function(oid = 3940)]
    pub fn jsonb_path_text(v: &[u8], path: ArrayView<'_>) -> Option<String> {
        at_path(v, &path_of(path)).and_then(|b| view_text(View::new(b)))
    }

    #[ext::function(oid = 4047)]
    pub fn jsonb_exists(v: View<'_>, key: &str) -> bool {
        exists(v, key)
    }

    #[ext::function(oid = 4048)]
    pub fn jsonb_exists_any(v: View<'_>, keys: ArrayView<'_>) -> bool {
        path_of(keys).iter().flatten().any(|k| exists(v, k))
    }

    #[ext::function(oid = 4049)]
    pub fn jsonb_exists_all(v: View<'_>, keys: ArrayView<'_>) -> bool {
        path_of(keys).iter().flatten().all(|k| exists(v, k))
    }

    #[ext::function(oid = 4046)]
    pub fn jsonb_contains(whole: View<'_>, part: View<'_>) -> bool {
        contains(whole, part, true)
    }

    #[ext::function(oid = 4050)]
    pub fn jsonb_contained(part: View<'_>, whole: View<'_>) -> bool {
        contains(whole, part, true)
    }

    #[ext::function(oid = 4044)]
    pub fn jsonb_cmp(a: View<'_>, b: View<'_>) -> i32 {
        a.cmp_sql(&b) as i32
    }

    #[ext::function(oid = 3207)]
    pub fn jsonb_array_length(v: View<'_>) -> Result<i32> {
        match v {
            View::Array(c) => Ok(c.len() as i32),
            View::Object(_) => Err(invalid("cannot get array length of a non-array")),
            _ => Err(invalid("cannot get array length of a scalar")),
        }
    }

    #[ext::function(oid = 3210)]
    pub fn jsonb_typeof(v: View<'_>) -> &'static str {
        kind_name(&v)
    }

    #[ext::function(oid = 3306)]
    pub fn jsonb_pretty(v: View<'_>) -> String {
        let mut out = Vec::new();
        pretty(v, 0, &mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    #[ext::function(oid = 3262)]
    pub fn jsonb_strip_nulls(v: View<'_>, elements: bool) -> Json {
        without_nulls(&v.to_json(), elements)
    }

    fn jsonb_elements<'a>(v: View<'a>, function: &str) -> Result<Vec<&'a [u8]>> {
        match v {
            View::Array(c) => Ok((0..c.len()).map(|i| c.element_bytes(i)).collect()),
            View::Object(_) => Err(invalid("cannot extract elements from an object")),
            _ => {
                let _ = function;
                Err(invalid("cannot extract elements from a scalar"))
            }
        }
    }

    #[ext::set_function(oid = 3219)]
    pub fn jsonb_array_elements(v: View<'_>) -> Result<Vec<Jsonb>> {
        Ok(jsonb_elements(v, "jsonb_array_elements")?.into_iter().map(jsonb).collect())
    }

    #[ext::set_function(oid = 3465)]
    pub fn jsonb_array_elements_text(v: View<'_>) -> Result<Vec<Option<String>>> {
        let list = jsonb_elements(v, "jsonb_array_elements_text")?;
        Ok(list.into_iter().map(|b| view_text(View::new(b))).collect())
    }

    fn jsonb_pairs<'a>(v: View<'a>, function: &str) -> Result<Vec<(String, &'a [u8])>> {
        match v {
            View::Object(c) => Ok((0..c.len()).map(|i| (c.key(i).to_owned(), c.value_bytes(i))).collect()),
            _ => Err(wrong_kind(function, "a non-object")),
        }
    }

    #[ext::set_function(oid = 3208)]
    pub fn jsonb_each(v: View<'_>) -> Result<Vec<(String, Jsonb)>> {
        Ok(jsonb_pairs(v, "jsonb_each")?.into_iter().map(|(k, v)| (k, jsonb(v))).collect())
    }

    #[ext::set_function(oid = 3932)]
    pub fn jsonb_each_text(v: View<'_>) -> Result<Vec<(String, Option<String>)>> {
        Ok(jsonb_pairs(v, "jsonb_each_text")?.into_iter().map(|(k, v)| (k, view_text(View::new(v)))).collect())
    }

    #[ext::set_function(oid = 3931)]
    pub fn jsonb_object_keys(v: View<'_>) -> Result<Vec<String>> {
        match v {
            View::Object(c) => Ok((0..c.len()).map(|i| c.key(i).to_owned()).collect()),
            View::Array(_) => Err(wrong_kind("jsonb_object_keys", "an array")),
            _ => Err(wrong_kind("jsonb_object_keys", "a scalar")),
        }
    }

    // Casts.

    #[ext::function(oid = 3556)]
    pub fn jsonb_to_bool(v: View<'_>) -> Result<Option<bool>> {
        match v {
            View::Null => Ok(None),
            View::Bool(b) => Ok(Some(b)),
            v => Err(cast_error(&v, "boolean")),
        }
    }

    #[ext::function(oid = 3449)]
    pub fn jsonb_to_numeric(v: View<'_>) -> Result<Option<Numeric>> {
        number(v, "numeric")
    }

    #[ext::function(oid = 3450)]
    pub fn jsonb_to_int2(v: View<'_>) -> Result<Option<i16>> {
        number(v, "smallint")?.map(|n| n.to_i16()).transpose()
    }

    #[ext::function(oid = 3451)]
    pub fn jsonb_to_int4(v: View<'_>) -> Result<Option<i32>> {
        number(v, "integer")?.map(|n| n.to_i32()).transpose()
    }

    #[ext::function(oid = 3452)]
    pub fn jsonb_to_int8(v: View<'_>) -> Result<Option<i64>> {
        number(v, "bigint")?.map(|n| n.to_i64()).transpose()
    }

    #[ext::function(oid = 3453)]
    pub fn jsonb_to_float4(v: View<'_>) -> Result<Option<f32>> {
        number(v, "real")?.map(|n| n.to_f32()).transpose()
    }

    #[ext::function(oid = 2580)]
    pub fn jsonb_to_float8(v: View<'_>) -> Result<Option<f64>> {
        number(v, "double precision")?.map(|n| n.to_f64()).transpose()
    }

    // Building.

    #[ext::function(oid = 3176, strict, stable)]
    pub fn to_json(call: &mut Call<'_>, v: &Datum) -> Result<JsonText> {
        build::text(call, call.arg_type(0), v).map(JsonText)
    }

    #[ext::function(oid = 3787, strict, stable)]
    pub fn to_jsonb(call: &mut Call<'_>, v: &Datum) -> Result<Json> {
        build::tree(call, call.arg_type(0), v, 0)
    }

    #[ext::function(oid = [3153, 3155], strict, stable)]
    pub fn container_to_json(call: &mut Call<'_>, v: &Datum) -> Result<JsonText> {
        build::text(call, call.arg_type(0), v).map(JsonText)
    }

    #[ext::function(oid = [3154, 3156], strict, stable)]
    pub fn container_to_json_lines(call: &mut Call<'_>, v: &Datum, lines: &Datum) -> Result<JsonText> {
        let mut out = Vec::new();
        let line = if *lines == Datum::Bool(true) { ",\n " } else { "," };
        build::append(call, call.arg_type(0), v, line, 0, &mut out)?;
        Ok(JsonText(String::from_utf8(out).unwrap_or_default()))
    }

    use crate::text::functions::spread;

    fn odd(name: &str) -> SqlError {
        invalid("argument list must have even number of elements")
            .hint(format!("The arguments of {name}() must consist of alternating keys and values."))
    }

    #[ext::function(oid = 3200, stable)]
    pub fn json_build_object(call: &mut Call<'_>, args: &[Datum]) -> Result<Option<JsonText>> {
        let Some(args) = spread(call, args, 0) else { return Ok(None) };
        if args.len() % 2 == 1 {
            return Err(odd("json_build_object"));
        }
        let mut out = Vec::from(*b"{");
        for (i, pair) in args.chunks(2).enumerate() {
            if i > 0 {
                out.extend_from_slice(b", ");
            }
            let key = build::key(call, pair[0].0, &pair[0].1, null_key)?;
            types::json::put_string(&key, &mut out);
            out.extend_from_slice(b" : ");
            build::append(call, pair[1].0, &pair[1].1, ",", 1, &mut out)?;
        }
        out.push(b'}');
        Ok(Some(JsonText(String::from_utf8(out).unwrap_or_default())))
    }

    #[ext::function(oid = 3201)]
    pub fn json_build_object_empty() -> JsonText {
        JsonText("{}".to_owned())
    }

    #[ext::function(oid = 3198, stable)]
    pub fn json_build_array(call: &mut Call<'_>, args: &[Datum]) -> Result<Option<JsonText>> {
        let Some(args) = spread(call, args, 0) else { return Ok(None) };
        let mut out = Vec::from(*b"[");
        for (i, (ty, v)) in args.iter().enumerate() {
            if i > 0 {
                out.extend_from_slice(b", ");
            }
            build::append(call, *ty, v, ",", 1, &mut out)?;
        }
        out.push(b']');
        Ok(Some(JsonText(String::from_utf8(out).unwrap_or_default())))
    }

    #[ext::function(oid = 3199)]
    pub fn json_build_array_empty() -> JsonText {
        JsonText("[]".to_owned())
    }

    #[ext::function(oid = 3273, stable)]
    pub fn jsonb_build_object(call: &mut Call<'_>, args: &[Datum]) -> Result<Option<Json>> {
        let Some(args) = spread(call, args, 0) else { return Ok(None) };
        if args.len() % 2 == 1 {
            return Err(odd("jsonb_build_object"));
        }
        let mut pairs = Vec::with_capacity(args.len() / 2);
        for (i, pair) in args.chunks(2).enumerate() {
            let null = || invalid(format!("argument {}: key must not be null", 2 * i + 1));
            let key = build::key(call, pair[0].0, &pair[0].1, null)?;
            pairs.push((key, build::tree(call, pair[1].0, &pair[1].1, 1)?));
        }
        Ok(Some(Json::Object(pairs)))
    }

    #[ext::function(oid = 3274)]
    pub fn jsonb_build_object_empty() -> Json {
        Json::Object(Vec::new())
    }

    #[ext::function(oid = 3271, stable)]
    pub fn jsonb_build_array(call: &mut Call<'_>, args: &[Datum]) -> Result<Option<Json>> {
        let Some(args) = spread(call, args, 0) else { return Ok(None) };
        let items = args.iter().map(|(ty, v)| build::tree(call, *ty, v, 1));
        Ok(Some(Json::Array(items.collect::<Result<_>>()?)))
    }

    #[ext::function(oid = 3272)]
    pub fn jsonb_build_array_empty() -> Json {
        Json::Array(Vec::new())
    }

    #[ext::function(oid = 3202)]
    pub fn json_object(a: ArrayView<'_>) -> Result<JsonText> {
        object_pairs(a).map(object_text)
    }

    #[ext::function(oid = 3203)]
    pub fn json_object_two(keys: ArrayView<'_>, values: ArrayView<'_>) -> Result<JsonText> {
        zipped_pairs(keys, values).map(object_text)
    }

    #[ext::function(oid = 3263)]
    pub fn jsonb_object(a: ArrayView<'_>) -> Result<Json> {
        object_pairs(a).map(object_tree)
    }

    #[ext::function(oid = 3264)]
    pub fn jsonb_object_two(keys: ArrayView<'_>, values: ArrayView<'_>) -> Result<Json> {
        zipped_pairs(keys, values).map(object_tree)
    }

    // Rows. The caller says the columns; `record` results are rows of them.

    #[ext::function(oid = 3209, stable)]
    pub fn jsonb_populate_record(call: &mut Call<'_>, base: &Datum, v: Option<View<'_>>) -> Result<Datum> {
        let Some(v) = v else { return Ok(base.clone()) };
        record(call, Some(base), Source::Stored(v), "jsonb_populate_record")
    }

    #[ext::function(oid = 3960, stable)]
    pub fn json_populate_record(call: &mut Call<'_>, base: &Datum, v: Option<&str>, _lax: &Datum) -> Result<Datum> {
        let Some(v) = v else { return Ok(base.clone()) };
        record(call, Some(base), Source::Text(v), "json_populate_record")
    }

    #[ext::function(oid = 3490, stable)]
    pub fn jsonb_to_record(call: &mut Call<'_>, v: View<'_>) -> Result<Datum> {
        record(call, None, Source::Stored(v), "jsonb_to_record")
    }

    #[ext::function(oid = 3204, stable)]
    pub fn json_to_record(call: &mut Call<'_>, v: &str) -> Result<Datum> {
        record(call, None, Source::Text(v), "json_to_record")
    }

    #[ext::set_function(oid = 3475)]
    pub fn jsonb_populate_recordset(call: &mut Call<'_>, base: &Datum, v: Option<View<'_>>) -> Result<Vec<Columns>> {
        v.map_or(Ok(Vec::new()), |v| rows(call, Some(base), Source::Stored(v), "jsonb_populate_recordset"))
    }

    #[ext::set_function(oid = 3961)]
    pub fn json_populate_recordset(
        call: &mut Call<'_>,
        base: &Datum,
        v: Option<&str>,
        _lax: &Datum,
    ) -> Result<Vec<Columns>> {
        v.map_or(Ok(Vec::new()), |v| rows(call, Some(base), Source::Text(v), "json_populate_recordset"))
    }

    #[ext::set_function(oid = 3491)]
    pub fn jsonb_to_recordset(call: &mut Call<'_>, v: Option<View<'_>>) -> Result<Vec<Columns>> {
        v.map_or(Ok(Vec::new()), |v| rows(call, None, Source::Stored(v), "jsonb_to_recordset"))
    }

    #[ext::set_function(oid = 3205)]
    pub fn json_to_recordset(call: &mut Call<'_>, v: Option<&str>) -> Result<Vec<Columns>> {
        v.map_or(Ok(Vec::new()), |v| rows(call, None, Source::Text(v), "json_to_recordset"))
    }
}
