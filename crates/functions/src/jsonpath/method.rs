//! Methods of items.

use types::io::{float, integer, text};
use types::jsonb::Json;
use types::jsonpath::{Method, Step};
use types::{Numeric, Result, SqlError, SqlState};

use super::item::Item;
use super::moment::{self, Moment};
use super::run::{ARRAY_NOT_FOUND, Found, OBJECT_NOT_FOUND, Outcome, Run, error};

/// `22031`.
pub const INVALID_DATETIME_ARGUMENT: SqlState = SqlState::new("22031");
/// `22036`.
const NON_NUMERIC: SqlState = SqlState::new("22036");

fn shown(n: &Numeric) -> String {
    let mut out = Vec::new();
    n.format(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// What is wrong with the item that a method was called on.
fn wrong_item(method: Method, state: SqlState, wanted: &str) -> SqlError {
    error(state, format!("jsonpath item method .{}() can only be applied to {wanted}", method.name()))
}

fn invalid_argument(method: Method, argument: &str, ty: &str) -> SqlError {
    let message =
        format!("argument \"{argument}\" of jsonpath item method .{}() is invalid for type {ty}", method.name());
    error(NON_NUMERIC, message)
}

fn not_finite(method: Method) -> SqlError {
    error(NON_NUMERIC, format!("NaN or Infinity is not allowed for jsonpath item method .{}()", method.name()))
}

/// Precision and scale of `.decimal(p, s)` as a typmod.
fn decimal_typmod(method: Method, arguments: &[Step]) -> Result<i32> {
    let mut values = [0i32; 2];
    for ((value, step), what) in values.iter_mut().zip(arguments).zip(["precision", "scale"]) {
        let Step::Number(n) = step else { continue };
        *value = n.to_i32().map_err(|_| {
            let message =
                format!("{what} of jsonpath item method .{}() is out of range for type integer", method.name());
            error(NON_NUMERIC, message)
        })?;
    }
    let [precision, scale] = values;
    if arguments.is_empty() {
        return Ok(-1);
    }
    if !(1..=1000).contains(&precision) {
        let message = format!("NUMERIC precision {precision} must be between 1 and 1000");
        return Err(error(SqlState::INVALID_PARAMETER_VALUE, message));
    }
    if !(-1000..=1000).contains(&scale) {
        let message = format!("NUMERIC scale {scale} must be between -1000 and 1000");
        return Err(error(SqlState::INVALID_PARAMETER_VALUE, message));
    }
    Ok((precision << 16 | (scale & 0x7ff)) + 4)
}

/// What a method makes of one item.
fn converted(method: Method, arguments: &[Step], item: &Item) -> Result<Item> {
    Ok(match (method, item) {
        (Method::Abs, Item::Number(n)) => Item::Number(n.abs()),
        (Method::Floor, Item::Number(n)) => Item::Number(n.floor()),
        (Method::Ceiling, Item::Number(n)) => Item::Number(n.ceil()),
        (Method::Abs | Method::Floor | Method::Ceiling, _) => {
            return Err(wrong_item(method, NON_NUMERIC, "a numeric value"));
        }
        (Method::Double, Item::Number(_) | Item::String(_)) => {
            let text = match item {
                Item::Number(n) => shown(n),
                Item::String(s) => s.clone(),
                _ => String::new(),
            };
            let value = float::parse_f64(&text).map_err(|_| invalid_argument(method, &text, "double precision"))?;
            if !value.is_finite() {
                return Err(not_finite(method));
            }
            match item {
                Item::Number(n) => Item::Number(n.clone()),
                _ => Item::Number(Numeric::from_f64(value)),
            }
        }
        (Method::Bigint | Method::Integer, Item::Number(_) | Item::String(_)) => {
            let ty = if method == Method::Bigint { "bigint" } else { "integer" };
            let (value, text) = match item {
                Item::Number(n) if method == Method::Bigint => (n.to_i64().ok(), shown(n)),
                Item::Number(n) => (n.to_i32().ok().map(i64::from), shown(n)),
                Item::String(s) if method == Method::Bigint => (integer::parse_i64(s).ok(), s.clone()),
                Item::String(s) => (integer::parse_i32(s).ok().map(i64::from), s.clone()),
                _ => (None, String::new()),
            };
            Item::Number(Numeric::from(value.ok_or_else(|| invalid_argument(method, &text, ty))?))
        }
        (Method::Number | Method::Decimal, Item::Number(_) | Item::String(_)) => {
            let text = match item {
                Item::Number(n) => shown(n),
                Item::String(s) => s.clone(),
                _ => String::new(),
            };
            let invalid = || invalid_argument(method, &text, "numeric");
            let value = match item {
                Item::Number(n) => n.clone(),
                _ => Numeric::parse(&text).map_err(|_| invalid())?,
            };
            if !value.is_finite() {
                return Err(not_finite(method));
            }
            let typmod = decimal_typmod(method, arguments)?;
            Item::Number(value.apply_typmod(typmod).map_err(|_| invalid())?)
        }
        (Method::Double | Method::Bigint | Method::Integer | Method::Number | Method::Decimal, _) => {
            return Err(wrong_item(method, NON_NUMERIC, "a string or numeric value"));
        }
        (Method::Boolean, Item::Bool(b)) => Item::Bool(*b),
        (Method::Boolean, Item::Number(n)) => {
            let text = shown(n);
            let value = integer::parse_i32(&text).map_err(|_| invalid_argument(method, &text, "boolean"))?;
            Item::Bool(value != 0)
        }
        (Method::Boolean, Item::String(s)) => {
            Item::Bool(text::parse_bool(s).map_err(|_| invalid_argument(method, s, "boolean"))?)
        }
        (Method::Boolean, _) => {
            return Err(wrong_item(method, NON_NUMERIC, "a boolean, string, or numeric value"));
        }
        (Method::String, Item::String(s)) => Item::String(s.clone()),
        (Method::String, Item::Number(n)) => Item::String(shown(n)),
        (Method::String, Item::Bool(b)) => Item::String(b.to_string()),
        (Method::String, Item::Moment(m)) => Item::String(m.text()),
        (Method::String, _) => {
            return Err(wrong_item(method, NON_NUMERIC, "a boolean, string, numeric, or datetime value"));
        }
        _ => return Err(SqlError::internal("this method makes no value of a value")),
    })
}

impl Run<'_, '_> {
    /// Calls a method on an item.
    pub(super) fn method(
        &mut self,
        method: Method,
        arguments: &[Step],
        rest: &[Step],
        item: Item,
        found: Found<'_>,
    ) -> Result<Outcome> {
        let value = match method {
            Method::Type => Item::String(item.type_name().to_owned()),
            Method::Size => match &item {
                Item::Array(a) => Item::Number(Numeric::from(a.len() as i64)),
                _ if self.lax() => Item::Number(Numeric::ONE),
                _ => return self.fail(|| wrong_item(method, ARRAY_NOT_FOUND, "an array")),
            },
            Method::KeyValue => return self.key_values(rest, &item, found),
            Method::Date
            | Method::Datetime
            | Method::Time
            | Method::TimeTz
            | Method::Timestamp
            | Method::TimestampTz => match &item {
                Item::String(text) => match self.moment(method, arguments, text)? {
                    Some(m) => Item::Moment(m),
                    None => return Ok(Outcome::Failed),
                },
                _ => return self.fail(|| wrong_item(method, INVALID_DATETIME_ARGUMENT, "a string")),
            },
            _ => match self.attempt(converted(method, arguments, &item))? {
                Some(value) => value,
                None => return Ok(Outcome::Failed),
            },
        };
        self.next(rest, value, found)
    }

    /// A string as a date or time; none when that failed silently.
    fn moment(&self, method: Method, arguments: &[Step], text: &str) -> Result<Option<Moment>> {
        let template = match arguments {
            [Step::String(template)] => Some(template.as_str()),
            _ => None,
        };
        let precision = match arguments {
            [Step::Number(n)] => match n.to_i32() {
                Ok(p) => p.clamp(0, 6),
                Err(_) => {
                    let message = format!(
                        "time precision of jsonpath item method .{}() is out of range for type integer",
                        method.name()
                    );
                    return self.attempt(Err(error(INVALID_DATETIME_ARGUMENT, message)));
                }
            },
            _ => -1,
        };
        let Some(moment) = self.attempt(moment::read(self.call, method, template, text))? else { return Ok(None) };
        // What needs a time zone and may not have one is an error even of silent runs.
        let converted = moment::convert(self.call, method, moment, precision, self.zones)?;
        match converted {
            Some(m) => Ok(Some(m)),
            None => self.attempt(Err(moment::not_recognized(method, text))),
        }
    }

    fn key_values(&mut self, rest: &[Step], item: &Item, mut found: Found<'_>) -> Result<Outcome> {
        let Item::Object(object) = item else {
            return self.fail(|| wrong_item(Method::KeyValue, OBJECT_NOT_FOUND, "an object"));
        };
        let mut outcome = Outcome::Nothing;
        let id = object.id();
        for i in 0..object.len() {
            if rest.is_empty() && found.is_none() {
                return Ok(Outcome::Found);
            }
            let pairs = vec![
                ("id".to_owned(), Json::Number(Numeric::from(id))),
                ("key".to_owned(), Json::String(object.key(i))),
                ("value".to_owned(), object.child(i).to_json()),
            ];
            let made = Item::made(&Json::Object(pairs), self.next_id);
            self.next_id += 1;
            outcome = self.next(rest, made, found.as_deref_mut())?;
            if outcome == Outcome::Failed || (outcome == Outcome::Found && found.is_none()) {
                return Ok(outcome);
            }
        }
        Ok(outcome)
    }
}
