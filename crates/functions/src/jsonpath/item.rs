//! `Item`: what a path finds.

use std::sync::Arc;

use ext::Call;
use types::datetime::zone;
use types::jsonb::{Children, Json, View};
use types::{Datum, Numeric, Oid, oid};

use super::moment::Moment;

/// A document, and the number that `keyvalue()` tells it from others by.
struct Document {
    bytes: Box<[u8]>,
    id: i64,
}

/// An array or object in a document.
#[derive(Clone)]
pub struct Stored {
    document: Arc<Document>,
    start: usize,
    end: usize,
}

/// What a path finds.
#[derive(Clone)]
pub enum Item {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Number(Numeric),
    /// A string.
    String(String),
    /// An array.
    Array(Stored),
    /// An object.
    Object(Stored),
    /// A date or time, which JSON has no form for.
    Moment(Moment),
}

impl Stored {
    /// The whole of a document.
    pub fn document(bytes: &[u8], id: i64) -> Stored {
        Stored { document: Arc::new(Document { bytes: bytes.into(), id }), start: 0, end: bytes.len() }
    }

    fn bytes(&self) -> &[u8] {
        self.document.bytes.get(self.start..self.end).unwrap_or_default()
    }

    fn view(&self) -> View<'_> {
        View::new(self.bytes())
    }

    /// A part of this document.
    fn part(&self, bytes: &[u8]) -> Item {
        match View::new(bytes) {
            View::Null => Item::Null,
            View::Bool(b) => Item::Bool(b),
            View::Number(n) => Item::Number(Numeric::from_bytes(n)),
            View::String(s) => Item::String(s.to_owned()),
            container => {
                let start = (bytes.as_ptr().addr()).wrapping_sub(self.document.bytes.as_ptr().addr());
                let part = Stored { document: Arc::clone(&self.document), start, end: start + bytes.len() };
                if matches!(container, View::Array(_)) { Item::Array(part) } else { Item::Object(part) }
            }
        }
    }

    /// The item that it is.
    pub fn item(&self) -> Item {
        self.part(self.bytes())
    }

    /// How many elements or pairs it has.
    pub fn len(&self) -> usize {
        match self.view() {
            View::Array(c) | View::Object(c) => c.len(),
            _ => 0,
        }
    }

    /// Element `i` of an array, value `i` of an object.
    pub fn child(&self, i: usize) -> Item {
        match self.view() {
            View::Array(c) => self.part(c.element_bytes(i)),
            View::Object(c) => self.part(c.value_bytes(i)),
            _ => Item::Null,
        }
    }

    /// Key `i` of an object.
    pub fn key(&self, i: usize) -> String {
        match self.view() {
            View::Object(c) => c.key(i).to_owned(),
            _ => String::new(),
        }
    }

    /// The value of `key` in an object.
    pub fn find(&self, key: &str) -> Option<Item> {
        let View::Object(c) = self.view() else { return None };
        c.find(key).map(|i| self.part(c.value_bytes(i)))
    }

    /// What `keyvalue()` calls the object: where PostgreSQL would store it, and in which document.
    pub fn id(&self) -> i64 {
        let mut layout = Layout { end: 4, base: self.document.bytes.as_ptr().addr(), wanted: self.start, found: None };
        layout.container(&self.document.bytes);
        layout.found.unwrap_or(0) + self.document.id * 10_000_000_000
    }
}

/// How PostgreSQL would lay a document out.
struct Layout {
    end: i64,
    base: usize,
    wanted: usize,
    found: Option<i64>,
}

impl Layout {
    fn aligned(&mut self) {
        self.end = (self.end + 3) / 4 * 4;
    }

    fn container(&mut self, bytes: &[u8]) {
        self.aligned();
        if bytes.as_ptr().addr().wrapping_sub(self.base) == self.wanted {
            // The document's own header does not count.
            self.found = Some(self.end - 4);
            return;
        }
        let (children, keys): (Children<'_>, bool) = match View::new(bytes) {
            View::Array(c) => (c, false),
            View::Object(c) => (c, true),
            _ => return,
        };
        let entries = children.len() as i64 * if keys { 2 } else { 1 };
        self.end += 4 + 4 * entries;
        if keys {
            self.end += (0..children.len()).map(|i| children.key(i).len() as i64).sum::<i64>();
        }
        for i in 0..children.len() {
            if self.found.is_some() {
                return;
            }
            let child = if keys { children.value_bytes(i) } else { children.element_bytes(i) };
            match View::new(child) {
                View::Null | View::Bool(_) => {}
                View::String(s) => self.end += s.len() as i64,
                View::Number(n) => {
                    self.aligned();
                    self.end += numeric_size(&Numeric::from_bytes(n));
                }
                View::Array(_) | View::Object(_) => self.container(child),
            }
        }
    }
}

/// Bytes that PostgreSQL stores a number in.
fn numeric_size(n: &Numeric) -> i64 {
    let mut wire = Vec::new();
    n.binary_out(&mut wire);
    let field = |i: usize| wire.get(2 * i..2 * i + 2).map_or(0, |b| i16::from_be_bytes([b[0], b[1]]));
    let (digits, weight, scale) = (i64::from(field(0)), field(1), field(3));
    let short = scale <= 63 && (-64..=63).contains(&weight);
    4 + if short { 2 } else { 4 } + 2 * digits
}

impl Item {
    /// The item that a document is.
    pub fn root(bytes: &[u8]) -> Item {
        Stored::document(bytes, 0).item()
    }

    /// A date or time, shown in the session's time zone.
    pub fn moment(call: &Call<'_>, ty: Oid, value: &Datum) -> Item {
        let west = match value {
            Datum::I64(t) if ty == oid::TIMESTAMPTZ => -zone::offset_at(&call.settings.time_zone, *t),
            _ => 0,
        };
        Item::Moment(Moment { ty, value: value.clone(), west })
    }

    /// The item that a new document is.
    pub fn made(value: &Json, id: i64) -> Item {
        let mut bytes = Vec::new();
        value.write(&mut bytes);
        Stored::document(&bytes, id).item()
    }

    /// What `type()` says.
    pub fn type_name(&self) -> &'static str {
        match self {
            Item::Null => "null",
            Item::Bool(_) => "boolean",
            Item::Number(_) => "number",
            Item::String(_) => "string",
            Item::Array(_) => "array",
            Item::Object(_) => "object",
            Item::Moment(m) => types::io::builtin_name(m.ty).unwrap_or_default(),
        }
    }

    /// As JSON: a date or time as a string.
    pub fn to_json(&self) -> Json {
        match self {
            Item::Null => Json::Null,
            Item::Bool(b) => Json::Bool(*b),
            Item::Number(n) => Json::Number(n.clone()),
            Item::String(s) => Json::String(s.clone()),
            Item::Array(c) | Item::Object(c) => c.view().to_json(),
            Item::Moment(m) => Json::String(m.text()),
        }
    }

    /// As stored `jsonb`.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Item::Array(c) | Item::Object(c) => c.bytes().to_vec(),
            item => {
                let mut out = Vec::new();
                item.to_json().write(&mut out);
                out
            }
        }
    }
}
