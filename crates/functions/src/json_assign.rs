//! Assignment to a part of `jsonb`: what lacks on the way is made.

use types::jsonb::{Json, View};
use types::{Datum, Result, SqlError, SqlState};

/// `container[keys...] = value`. A key is a number or a text; what was NULL becomes an array or object as the first one asks.
///
/// # Errors
/// When a key is NULL, no number where an array is, or leads into a scalar.
pub fn assign(container: &Datum, keys: &[Datum], value: &Datum) -> Result<Datum> {
    let texts = keys.iter().map(|key| match key {
        Datum::I32(n) => Ok(n.to_string()),
        Datum::Null => {
            let message = "jsonb subscript in assignment must not be null";
            Err(SqlError::new(SqlState::NULL_VALUE_NOT_ALLOWED, message))
        }
        key => Ok(key.as_str().unwrap_or_default().to_owned()),
    });
    let texts = texts.collect::<Result<Vec<String>>>()?;
    let old = match (container.as_bytes(), keys.first()) {
        (Some(bytes), _) => View::new(bytes).to_json(),
        (None, Some(Datum::I32(_))) => Json::Array(Vec::new()),
        (None, _) => Json::Object(Vec::new()),
    };
    let value = value.as_bytes().map_or(Json::Null, |b| View::new(b).to_json());
    Ok(put(Some(old), &texts, 0, value)?.to_datum())
}

fn put(old: Option<Json>, keys: &[String], at: usize, value: Json) -> Result<Json> {
    let Some(key) = keys.get(at) else { return Ok(value) };
    match old {
        None => {
            let inner = put(None, keys, at + 1, value)?;
            Ok(match key.parse::<i32>() {
                Ok(n) => {
                    let mut items = vec![Json::Null; padding(n.max(0) as usize)?];
                    items.push(inner);
                    Json::Array(items)
                }
                Err(_) => Json::Object(vec![(key.clone(), inner)]),
            })
        }
        Some(Json::Object(mut pairs)) => {
            match pairs.iter().position(|(k, _)| k == key) {
                Some(i) => {
                    let old = std::mem::replace(&mut pairs[i].1, Json::Null);
                    pairs[i].1 = put(Some(old), keys, at + 1, value)?;
                }
                None => pairs.push((key.clone(), put(None, keys, at + 1, value)?)),
            }
            Ok(Json::Object(pairs))
        }
        Some(Json::Array(mut items)) => {
            let n: i32 = key.trim_start().parse().map_err(|_| {
                let message = format!("path element at position {} is not an integer: \"{key}\"", at + 1);
                SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, message)
            })?;
            let index = if n < 0 { i64::from(n) + items.len() as i64 } else { n.into() };
            let Ok(index) = usize::try_from(index) else {
                let message = format!("path element at position {} is out of range: {n}", at + 1);
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
            };
            if index < items.len() {
                let old = std::mem::replace(&mut items[index], Json::Null);
                items[index] = put(Some(old), keys, at + 1, value)?;
            } else {
                items.resize(padding(index)?, Json::Null);
                items.push(put(None, keys, at + 1, value)?);
            }
            Ok(Json::Array(items))
        }
        Some(_) => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "cannot replace existing key")
            .detail("The path assumes key is a composite object, but it is a scalar value.")),
    }
}

/// So many NULLs, unless they are more than an array may have.
fn padding(count: usize) -> Result<usize> {
    const ELEMENTS_MAX: usize = 0x0fff_ffff;
    if count < ELEMENTS_MAX {
        return Ok(count);
    }
    let message = format!("number of jsonb array elements exceeds the maximum allowed ({ELEMENTS_MAX})");
    Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message))
}
