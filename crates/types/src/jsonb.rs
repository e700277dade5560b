//! `jsonb`: JSON taken apart, with sorted unique keys and numeric numbers.
//!
//! Stored form of a value, integers little-endian: a tag byte; then nothing for null and booleans, a stored `numeric`
//! for a number, the bytes of a string; for an array its element count, the end of each element, the elements; for an
//! object its pair count, the end of each key and then of each value, the keys, the values. Ends are `u32`, counted
//! from where the children start. Keys are sorted by length, then by bytes, so that one is found by bisection.

use std::cmp::Ordering;

use crate::json::{self, JsonSink};
use crate::numeric::Numeric;
use crate::{Datum, Result, SqlError, SqlState};

const NULL: u8 = 0;
const STRING: u8 = 1;
const NUMBER: u8 = 2;
const FALSE: u8 = 3;
const TRUE: u8 = 4;
const ARRAY: u8 = 5;
const OBJECT: u8 = 6;

/// Containers nest no deeper, so that code may recurse into them.
pub const DEPTH_MAX: usize = 1000;

/// A `jsonb` value as a tree, to build or change it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Json {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Number(Numeric),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object; of equal keys the last counts.
    Object(Vec<(String, Json)>),
}

/// A stored `jsonb` value, read in place.
#[derive(Clone, Copy, Debug)]
pub enum View<'a> {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A stored `numeric`.
    Number(&'a [u8]),
    /// A string.
    String(&'a str),
    /// An array.
    Array(Children<'a>),
    /// An object: keys, then values.
    Object(Children<'a>),
}

/// The children of a stored container.
#[derive(Clone, Copy, Debug)]
pub struct Children<'a> {
    count: usize,
    ends: &'a [u8],
    data: &'a [u8],
}

fn u32_at(b: &[u8], i: usize) -> usize {
    b.get(4 * i..4 * i + 4).and_then(|s| s.try_into().ok()).map_or(0, |b| u32::from_le_bytes(b) as usize)
}

impl<'a> Children<'a> {
    fn new(bytes: &'a [u8], per_entry: usize) -> Children<'a> {
        let count = u32_at(bytes, 0);
        let rest = bytes.get(4..).unwrap_or_default();
        match rest.split_at_checked(count.saturating_mul(4 * per_entry)) {
            Some((ends, data)) => Children { count, ends, data },
            None => Children { count: 0, ends: &[], data: &[] },
        }
    }

    /// How many elements or pairs.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn child(&self, i: usize) -> &'a [u8] {
        let start = if i == 0 { 0 } else { u32_at(self.ends, i - 1) };
        self.data.get(start..u32_at(self.ends, i)).unwrap_or_default()
    }

    /// Element `i` of an array.
    pub fn element(&self, i: usize) -> View<'a> {
        View::new(self.child(i))
    }

    /// Stored bytes of element `i` of an array: themselves a `jsonb` value.
    pub fn element_bytes(&self, i: usize) -> &'a [u8] {
        self.child(i)
    }

    /// Key `i` of an object.
    pub fn key(&self, i: usize) -> &'a str {
        std::str::from_utf8(self.child(i)).unwrap_or_default()
    }

    /// Value `i` of an object.
    pub fn value(&self, i: usize) -> View<'a> {
        View::new(self.value_bytes(i))
    }

    /// Stored bytes of value `i` of an object.
    pub fn value_bytes(&self, i: usize) -> &'a [u8] {
        self.child(self.count + i)
    }

    /// The place of `key` in an object.
    pub fn find(&self, key: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let mid = low.midpoint(high);
            match key_order(self.key(mid), key) {
                Ordering::Equal => return Some(mid),
                Ordering::Less => low = mid + 1,
                Ordering::Greater => high = mid,
            }
        }
        None
    }
}

/// The order keys are stored in.
pub fn key_order(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

impl<'a> View<'a> {
    /// Looks into stored bytes.
    pub fn new(bytes: &'a [u8]) -> View<'a> {
        let rest = bytes.get(1..).unwrap_or_default();
        match bytes.first() {
            Some(&STRING) => View::String(std::str::from_utf8(rest).unwrap_or_default()),
            Some(&NUMBER) => View::Number(rest),
            Some(&FALSE) => View::Bool(false),
            Some(&TRUE) => View::Bool(true),
            Some(&ARRAY) => View::Array(Children::new(rest, 1)),
            Some(&OBJECT) => View::Object(Children::new(rest, 2)),
            _ => View::Null,
        }
    }

    /// Whether it is neither array nor object.
    pub fn is_scalar(&self) -> bool {
        !matches!(self, View::Array(_) | View::Object(_))
    }

    /// Writes the text form.
    pub fn format(&self, out: &mut Vec<u8>) {
        match self {
            View::Null => out.extend_from_slice(b"null"),
            View::Bool(true) => out.extend_from_slice(b"true"),
            View::Bool(false) => out.extend_from_slice(b"false"),
            View::Number(b) => Numeric::from_bytes(b).format(out),
            View::String(s) => json::put_string(s, out),
            View::Array(c) => {
                out.push(b'[');
                for i in 0..c.len() {
                    if i > 0 {
                        out.extend_from_slice(b", ");
                    }
                    c.element(i).format(out);
                }
                out.push(b']');
            }
            View::Object(c) => {
                out.push(b'{');
                for i in 0..c.len() {
                    if i > 0 {
                        out.extend_from_slice(b", ");
                    }
                    json::put_string(c.key(i), out);
                    out.extend_from_slice(b": ");
                    c.value(i).format(out);
                }
                out.push(b'}');
            }
        }
    }

    /// The tree.
    pub fn to_json(&self) -> Json {
        match self {
            View::Null => Json::Null,
            View::Bool(b) => Json::Bool(*b),
            View::Number(b) => Json::Number(Numeric::from_bytes(b)),
            View::String(s) => Json::String((*s).to_owned()),
            View::Array(c) => Json::Array((0..c.len()).map(|i| c.element(i).to_json()).collect()),
            View::Object(c) => {
                Json::Object((0..c.len()).map(|i| (c.key(i).to_owned(), c.value(i).to_json())).collect())
            }
        }
    }

    /// The place of its type in the order of types.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            View::Null => 0,
            View::String(_) => 1,
            View::Number(_) => 2,
            View::Bool(_) => 3,
            View::Array(_) => 4,
            View::Object(_) => 5,
        }
    }

    /// SQL order of whole values: an object is above all, else a scalar counts as an array of one element, and comes
    /// before a true array of one.
    pub fn cmp_sql(&self, other: &View<'_>) -> Ordering {
        let count = |v: &View<'_>| match v {
            View::Array(c) => c.len(),
            _ => 1,
        };
        match (self, other) {
            (View::Object(_), View::Object(_)) | (View::Array(_), View::Array(_)) => self.cmp_nested(other),
            (View::Object(_), _) => Ordering::Greater,
            (_, View::Object(_)) => Ordering::Less,
            (View::Array(_), _) => count(self).cmp(&1).then(Ordering::Greater),
            (_, View::Array(_)) => 1.cmp(&count(other)).then(Ordering::Less),
            _ => self.cmp_nested(other),
        }
    }

    fn cmp_nested(&self, other: &View<'_>) -> Ordering {
        match (self, other) {
            (View::Bool(a), View::Bool(b)) => a.cmp(b),
            (View::Number(a), View::Number(b)) => Numeric::from_bytes(a).cmp_sql(&Numeric::from_bytes(b)),
            (View::String(a), View::String(b)) => a.cmp(b),
            (View::Array(a), View::Array(b)) => a.len().cmp(&b.len()).then_with(|| {
                let pairs = (0..a.len()).map(|i| a.element(i).cmp_nested(&b.element(i)));
                pairs.into_iter().find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
            }),
            (View::Object(a), View::Object(b)) => a.len().cmp(&b.len()).then_with(|| {
                let pairs =
                    (0..a.len()).map(|i| a.key(i).cmp(b.key(i)).then_with(|| a.value(i).cmp_nested(&b.value(i))));
                pairs.into_iter().find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
            }),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl Json {
    /// Reads JSON text.
    pub fn parse(text: &str) -> Result<Json> {
        let mut builder = Builder::default();
        json::parse(text, Some(&mut builder))?;
        Ok(builder.root.unwrap_or(Json::Null))
    }

    /// Appends the stored form, sorting keys and dropping all but the last of equal ones.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Json::Null => out.push(NULL),
            Json::Bool(b) => out.push(if *b { TRUE } else { FALSE }),
            Json::Number(n) => {
                out.push(NUMBER);
                n.write(out);
            }
            Json::String(s) => {
                out.push(STRING);
                out.extend_from_slice(s.as_bytes());
            }
            Json::Array(items) => {
                out.push(ARRAY);
                let mut frame = Frame::new(items.len(), 1, out);
                for item in items {
                    item.write(out);
                    frame.end(out);
                }
            }
            Json::Object(pairs) => {
                let mut sorted: Vec<&(String, Json)> = pairs.iter().collect();
                // The sort is stable, so of equal keys the last given stays last.
                sorted.sort_by(|a, b| key_order(&a.0, &b.0));
                let mut unique: Vec<&(String, Json)> = Vec::with_capacity(sorted.len());
                for pair in sorted {
                    match unique.last_mut() {
                        Some(last) if last.0 == pair.0 => *last = pair,
                        _ => unique.push(pair),
                    }
                }
                out.push(OBJECT);
                let mut frame = Frame::new(unique.len(), 2, out);
                for (key, _) in &unique {
                    out.extend_from_slice(key.as_bytes());
                    frame.end(out);
                }
                for (_, value) in &unique {
                    value.write(out);
                    frame.end(out);
                }
            }
        }
    }

    /// The stored form.
    pub fn to_datum(&self) -> Datum {
        let mut out = Vec::new();
        self.write(&mut out);
        Datum::from(out)
    }
}

/// The table of ends of a container being written.
struct Frame {
    slot: usize,
    data: usize,
}

impl Frame {
    fn new(count: usize, per_entry: usize, out: &mut Vec<u8>) -> Frame {
        out.extend_from_slice(&(count as u32).to_le_bytes());
        let slot = out.len();
        out.resize(slot + count * per_entry * 4, 0);
        Frame { slot, data: out.len() }
    }

    fn end(&mut self, out: &mut [u8]) {
        let end = (out.len() - self.data) as u32;
        out[self.slot..self.slot + 4].copy_from_slice(&end.to_le_bytes());
        self.slot += 4;
    }
}

/// Builds the tree from the parser's events.
#[derive(Default)]
struct Builder {
    root: Option<Json>,
    open: Vec<Json>,
    keys: Vec<Option<String>>,
}

impl Builder {
    fn value(&mut self, v: Json) -> Result<()> {
        match self.open.last_mut() {
            None => self.root = Some(v),
            Some(Json::Array(items)) => items.push(v),
            Some(Json::Object(pairs)) => {
                let key = self.keys.last_mut().and_then(Option::take).unwrap_or_default();
                pairs.push((key, v));
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn start(&mut self, container: Json) -> Result<()> {
        if self.open.len() >= DEPTH_MAX {
            return Err(SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        self.open.push(container);
        self.keys.push(None);
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.keys.pop();
        match self.open.pop() {
            Some(v) => self.value(v),
            None => Ok(()),
        }
    }
}

impl JsonSink for Builder {
    fn object_start(&mut self) -> Result<()> {
        self.start(Json::Object(Vec::new()))
    }
    fn key(&mut self, key: String) -> Result<()> {
        if let Some(slot) = self.keys.last_mut() {
            *slot = Some(key);
        }
        Ok(())
    }
    fn object_end(&mut self) -> Result<()> {
        self.finish()
    }
    fn array_start(&mut self) -> Result<()> {
        self.start(Json::Array(Vec::new()))
    }
    fn array_end(&mut self) -> Result<()> {
        self.finish()
    }
    fn string(&mut self, value: String) -> Result<()> {
        self.value(Json::String(value))
    }
    fn number(&mut self, text: &str) -> Result<()> {
        self.value(Json::Number(Numeric::parse(text)?))
    }
    fn boolean(&mut self, value: bool) -> Result<()> {
        self.value(Json::Bool(value))
    }
    fn null(&mut self) -> Result<()> {
        self.value(Json::Null)
    }
}
