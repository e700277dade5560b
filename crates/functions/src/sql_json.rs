//! The SQL/JSON functions that are no functions of `pg_proc`: constructors, `IS JSON`, and those that run a path.

use std::collections::HashSet;

use ext::Call;
use types::array::ArrayView;
use types::json::JsonSink;
use types::jsonb::{Json, View};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::json::populate::{self, Source};
use crate::json::{build, raw};
pub use crate::jsonpath::item::Item;
use crate::jsonpath::item::Stored;
use crate::jsonpath::prepared;
use crate::jsonpath::run::{Outcome, Run, Variables};

/// `22034`.
const MORE_THAN_ONE_ITEM: SqlState = SqlState::new("22034");
/// `22035`.
const NO_ITEM: SqlState = SqlState::new("22035");
/// `2203F`.
const SCALAR_REQUIRED: SqlState = SqlState::new("2203F");

fn duplicate(key: Option<&str>) -> SqlError {
    let mut message = "duplicate JSON object key value".to_owned();
    if let Some(key) = key {
        let mut shown = Vec::new();
        types::json::put_string(key, &mut shown);
        message.push_str(&format!(": {}", String::from_utf8_lossy(&shown)));
    }
    SqlError::new(SqlState::new("22030"), message)
}

fn null_key() -> SqlError {
    SqlError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key")
}

/// `JSON_OBJECT` of keys and values in turn, as `json` or `jsonb`.
///
/// # Errors
/// A NULL key, one that is no scalar, or one that is there twice and may not be.
pub fn object(call: &Call<'_>, args: &[Datum], absent: bool, unique: bool) -> Result<Datum> {
    let binary = call.result_type == oid::JSONB;
    let (mut text, mut pairs, mut keys) = (Vec::from(*b"{"), Vec::new(), HashSet::new());
    for (i, pair) in args.chunks(2).enumerate() {
        let [key, value] = pair else { continue };
        let key = build::key(call, call.arg_type(2 * i), key, null_key)?;
        if unique && !keys.insert(key.clone()) {
            return Err(duplicate((!binary).then_some(&key)));
        }
        if absent && value.is_null() {
            continue;
        }
        let ty = call.arg_type(2 * i + 1);
        if binary {
            pairs.push((key, build::tree(call, ty, value, 1)?));
            continue;
        }
        if text.len() > 1 {
            text.extend_from_slice(b", ");
        }
        types::json::put_string(&key, &mut text);
        text.extend_from_slice(b" : ");
        build::append(call, ty, value, ",", 1, &mut text)?;
    }
    text.push(b'}');
    Ok(if binary { Json::Object(pairs).to_datum() } else { Datum::from(text) })
}

/// `JSON_ARRAY` of values, as `json` or `jsonb`.
///
/// # Errors
/// What a value's type says.
pub fn array(call: &Call<'_>, args: &[(Oid, Datum)], absent: bool) -> Result<Datum> {
    let values = args.iter().filter(|(_, v)| !absent || !v.is_null());
    if call.result_type == oid::JSONB {
        let items = values.map(|(ty, v)| build::tree(call, *ty, v, 1)).collect::<Result<_>>()?;
        return Ok(Json::Array(items).to_datum());
    }
    let mut text = Vec::from(*b"[");
    for (ty, v) in values {
        if text.len() > 1 {
            text.extend_from_slice(b", ");
        }
        build::append(call, *ty, v, ",", 1, &mut text)?;
    }
    text.push(b']');
    Ok(Datum::from(text))
}

/// `JSON_ARRAY` of the elements of an SQL array; NULL of none.
///
/// # Errors
/// What their type says.
pub fn collected(call: &Call<'_>, v: &Datum) -> Result<Datum> {
    let view = ArrayView::new(v.as_bytes().unwrap_or_default());
    if view.is_empty() {
        return Ok(Datum::Null);
    }
    let values: Vec<(Oid, Datum)> = view.iter().map(|d| (view.element(), d)).collect();
    array(call, &values, true)
}

/// Notes whether an object has a key twice.
#[derive(Default)]
struct Keys {
    open: Vec<HashSet<String>>,
    twice: bool,
}

impl JsonSink for Keys {
    fn object_start(&mut self) -> Result<()> {
        self.open.push(HashSet::new());
        Ok(())
    }
    fn key(&mut self, key: String) -> Result<()> {
        if let Some(keys) = self.open.last_mut() {
            self.twice |= !keys.insert(key);
        }
        Ok(())
    }
    fn object_end(&mut self) -> Result<()> {
        self.open.pop();
        Ok(())
    }
    fn array_start(&mut self) -> Result<()> {
        Ok(())
    }
    fn array_end(&mut self) -> Result<()> {
        Ok(())
    }
    fn string(&mut self, _: String) -> Result<()> {
        Ok(())
    }
    fn number(&mut self, _: &str) -> Result<()> {
        Ok(())
    }
    fn boolean(&mut self, _: bool) -> Result<()> {
        Ok(())
    }
    fn null(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Whether no object in JSON text has a key twice.
fn has_unique_keys(text: &str) -> Result<bool> {
    let mut keys = Keys::default();
    types::json::parse(text, Some(&mut keys))?;
    Ok(!keys.twice)
}

/// `JSON(text)`.
///
/// # Errors
/// When it is no JSON, or has a key twice that must not.
pub fn parsed(text: &str, unique: bool) -> Result<Datum> {
    types::json::parse(text, None)?;
    if unique && !has_unique_keys(text)? {
        return Err(duplicate(None));
    }
    Ok(Datum::text(text))
}

/// Whether a text, `json` or `jsonb` is JSON, an object, an array or a scalar as asked.
pub fn is_json(ty: Oid, v: &Datum, wanted: impl Fn(bool, bool) -> bool, unique: bool) -> bool {
    if ty == oid::JSONB {
        let view = View::new(v.as_bytes().unwrap_or_default());
        return wanted(matches!(view, View::Object(_)), matches!(view, View::Array(_)));
    }
    let Some(text) = v.as_str() else { return false };
    if types::json::parse(text, None).is_err() {
        return false;
    }
    let kind = raw::kind(text);
    wanted(kind == raw::Kind::Object, kind == raw::Kind::Array) && (!unique || has_unique_keys(text).unwrap_or(false))
}

/// What a path gave.
#[derive(Clone, Debug)]
pub enum Answer {
    /// This.
    Value(Datum),
    /// Nothing.
    Empty,
    /// It failed.
    Failed,
}

/// How what is found becomes a value.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// JSON_VALUE: a scalar, as text is read. Otherwise JSON_QUERY.
    pub scalar: bool,
    /// Whether several items become an array.
    pub wrap_many: bool,
    /// Whether a single one does too.
    pub wrap_one: bool,
    /// OMIT QUOTES.
    pub omit_quotes: bool,
    /// The typmod of the result.
    pub typmod: i32,
    /// ERROR ON ERROR.
    pub throws: bool,
}

/// The variables of a path.
fn variables(call: &Call<'_>, list: &[(String, Oid, Datum)]) -> Result<Variables> {
    let mut out = Vec::new();
    for (i, (name, ty, value)) in list.iter().enumerate() {
        let moment = matches!(*ty, oid::DATE | oid::TIME | oid::TIMETZ | oid::TIMESTAMP | oid::TIMESTAMPTZ);
        let item = match value {
            Datum::Null => Item::Null,
            value if moment => Item::moment(call, *ty, value),
            value => {
                let mut bytes = Vec::new();
                build::tree(call, *ty, value, 0)?.write(&mut bytes);
                Stored::document(&bytes, i as i64 + 1).item()
            }
        };
        out.push((name.clone(), item));
    }
    Ok(Variables::List(out))
}

/// `JSON_EXISTS`: none when the path failed silently.
///
/// # Errors
/// Those of the path.
pub fn exists(
    call: &mut Call<'_>,
    document: &[u8],
    path: &str,
    list: &[(String, Oid, Datum)],
    throws: bool,
) -> Result<Option<bool>> {
    let (prepared, variables) = (prepared(call, path)?, variables(call, list)?);
    Ok(match Run::new(call, &prepared, Item::root(document), &variables, throws, true).start(None)? {
        Outcome::Found => Some(true),
        Outcome::Nothing => Some(false),
        Outcome::Failed => None,
    })
}

/// `JSON_VALUE` and `JSON_QUERY`, of the call's result type.
///
/// # Errors
/// Those of the path and of reading the value, where they are to be thrown.
pub fn query(
    call: &mut Call<'_>,
    document: &[u8],
    path: &str,
    list: &[(String, Oid, Datum)],
    shape: Shape,
) -> Result<Answer> {
    let (prepared, variables) = (prepared(call, path)?, variables(call, list)?);
    let mut found = Vec::new();
    let run = Run::new(call, &prepared, Item::root(document), &variables, shape.throws, true);
    if run.start(Some(&mut found))? == Outcome::Failed {
        return Ok(Answer::Failed);
    }
    let value = if shape.scalar { scalar(call, &found, shape) } else { whole(call, &found, shape) };
    match value {
        Ok(answer) => Ok(answer),
        Err(e) if shape.throws => Err(e),
        Err(_) => Ok(Answer::Failed),
    }
}

/// `22035`.
pub fn nothing_found() -> SqlError {
    SqlError::new(NO_ITEM, "no SQL/JSON item found for specified path")
}

fn scalar(call: &Call<'_>, found: &[Item], shape: Shape) -> Result<Answer> {
    let message = "JSON path expression in JSON_VALUE must return single scalar item";
    let item = match found {
        [] => return Ok(Answer::Empty),
        [Item::Array(_) | Item::Object(_)] => return Err(SqlError::new(SCALAR_REQUIRED, message)),
        [item] => item,
        _ => return Err(SqlError::new(MORE_THAN_ONE_ITEM, message)),
    };
    let ty = call.result_type;
    let text = match item {
        Item::Null => return Ok(Answer::Value(Datum::Null)),
        item if matches!(ty, oid::JSON | oid::JSONB) => {
            return json_as(call, &item.to_json(), shape).map(Answer::Value);
        }
        Item::Bool(b) => if *b { "t" } else { "f" }.to_owned(),
        Item::Moment(m) => call.text_of(m.ty, &m.value)?,
        Item::String(s) => s.clone(),
        item => shown(&item.to_json()),
    };
    Ok(Answer::Value(call.value_of(ty, shape.typmod, &text)?))
}

fn shown(v: &Json) -> String {
    let bytes = v.to_datum();
    let mut out = Vec::new();
    View::new(bytes.as_bytes().unwrap_or_default()).format(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

fn whole(call: &Call<'_>, found: &[Item], shape: Shape) -> Result<Answer> {
    let json = match found {
        [] => return Ok(Answer::Empty),
        [one] if !shape.wrap_one => one.to_json(),
        many if shape.wrap_many => Json::Array(many.iter().map(Item::to_json).collect()),
        _ => {
            let message = "JSON path expression in JSON_QUERY must return single item when no wrapper is requested";
            return Err(SqlError::new(MORE_THAN_ONE_ITEM, message)
                .hint("Use the WITH WRAPPER clause to wrap SQL/JSON items into an array."));
        }
    };
    json_as(call, &json, shape).map(Answer::Value)
}

/// JSON as a value of the call's result type.
///
/// # Errors
/// What that type says.
pub fn json_as(call: &Call<'_>, v: &Json, shape: Shape) -> Result<Datum> {
    let ty = call.result_type;
    match (ty, v) {
        (_, Json::String(s)) if shape.omit_quotes => call.value_of(ty, shape.typmod, s),
        (oid::JSONB, v) => Ok(v.to_datum()),
        (oid::JSON, v) => Ok(Datum::text(&shown(v))),
        (ty, v) => match call.types.kind(ty) {
            types::io::TypeKind::Array { .. } | types::io::TypeKind::Composite { .. } => {
                let stored = v.to_datum();
                let view = View::new(stored.as_bytes().unwrap_or_default());
                populate::value(call, None, ty, shape.typmod, Source::Stored(view), &Datum::Null)
            }
            _ => call.value_of(ty, shape.typmod, &shown(v)),
        },
    }
}
