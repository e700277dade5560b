//! JSON as rows: `json_populate_record` and its kin.

use ext::Call;
use ext::output::Columns;
use types::array::{Array, Dimension, check_dimensions};
use types::io::TypeKind;
use types::jsonb::{Children, View};
use types::record::RecordView;
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use super::{invalid, raw, view_text, wrong_kind};

/// A value in JSON text, or in stored JSON.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// As `json` has it.
    Text(&'a str),
    /// As `jsonb` has it.
    Stored(View<'a>),
}

/// A name, a type and its typmod.
type Column = (String, Oid, i32);

/// An object whose values are looked up by their keys.
enum Object<'a> {
    Text(Vec<(String, &'a str)>),
    Stored(Children<'a>),
}

impl<'a> Object<'a> {
    fn get(&self, key: &str) -> Option<Source<'a>> {
        match self {
            Object::Text(pairs) => pairs.iter().rev().find(|(k, _)| k == key).map(|(_, v)| Source::Text(v)),
            Object::Stored(c) => c.find(key).map(|i| Source::Stored(c.value(i))),
        }
    }
}

impl<'a> Source<'a> {
    fn kind(self) -> raw::Kind {
        match self {
            Source::Text(t) => raw::kind(t),
            Source::Stored(View::Null) => raw::Kind::Null,
            Source::Stored(View::Bool(_)) => raw::Kind::Boolean,
            Source::Stored(View::Number(_)) => raw::Kind::Number,
            Source::Stored(View::String(_)) => raw::Kind::String,
            Source::Stored(View::Array(_)) => raw::Kind::Array,
            Source::Stored(View::Object(_)) => raw::Kind::Object,
        }
    }

    /// The elements of an array.
    fn elements(self) -> Vec<Source<'a>> {
        match self {
            Source::Text(t) => raw::elements(t).into_iter().map(Source::Text).collect(),
            Source::Stored(View::Array(c)) => (0..c.len()).map(|i| Source::Stored(c.element(i))).collect(),
            Source::Stored(_) => Vec::new(),
        }
    }

    /// The pairs of an object; `function` wanted one.
    fn object(self, function: &str) -> Result<Object<'a>> {
        match (self.kind(), self) {
            (raw::Kind::Object, Source::Text(t)) => Ok(Object::Text(raw::pairs(t))),
            (raw::Kind::Object, Source::Stored(View::Object(c))) => Ok(Object::Stored(c)),
            (raw::Kind::Array, _) => Err(wrong_kind(function, "an array")),
            _ => Err(wrong_kind(function, "a scalar")),
        }
    }

    /// The text that becomes a value of another type.
    fn text(self) -> String {
        match self {
            Source::Text(t) => raw::as_text(t).unwrap_or_default(),
            Source::Stored(v) => view_text(v).unwrap_or_default(),
        }
    }

    /// It as JSON text.
    fn json(self) -> String {
        match self {
            Source::Text(t) => t.trim().to_owned(),
            Source::Stored(v) => {
                let mut out = Vec::new();
                v.format(&mut out);
                String::from_utf8(out).unwrap_or_default()
            }
        }
    }
}

/// Reads a value into type `ty`; rows keep what `old` has where nothing is said.
pub(crate) fn value(
    call: &Call<'_>,
    column: Option<&str>,
    ty: Oid,
    typmod: i32,
    v: Source<'_>,
    old: &Datum,
) -> Result<Datum> {
    let kind = v.kind();
    if kind == raw::Kind::Null {
        return Ok(Datum::Null);
    }
    match (ty, v) {
        (oid::JSONB, Source::Stored(v)) => return Ok(v.to_json().to_datum()),
        (oid::JSON | oid::JSONB, _) => return call.value_of(ty, typmod, &v.json()),
        _ => {}
    }
    match call.types.kind(ty) {
        TypeKind::Domain { base, typmod } => value(call, column, base, typmod, v, old),
        TypeKind::Array { element } if kind != raw::Kind::String => {
            let mut build =
                ArrayBuild { call, column, element, typmod, values: Vec::new(), seen: Vec::new(), lengths: Vec::new() };
            build.dimension(v, 1)?;
            build.finish()
        }
        TypeKind::Composite { fields } if kind != raw::Kind::String && ty != oid::RECORD => {
            let names = call.types.field_names(ty);
            let columns: Vec<Column> = names.into_iter().zip(fields).map(|(n, (t, m))| (n, t, m)).collect();
            let values = fields_of(call, &columns, &v.object("populate_composite")?, old)?;
            Ok(to_record(&columns, values))
        }
        _ => call.value_of(ty, typmod, &v.text()),
    }
}

fn fields_of(call: &Call<'_>, columns: &[Column], object: &Object<'_>, old: &Datum) -> Result<Vec<Datum>> {
    let old = old.as_bytes().map(RecordView::new);
    let field = |(i, (name, ty, typmod)): (usize, &Column)| {
        let old = old.filter(|o| i < o.len()).map_or(Datum::Null, |o| o.get(i));
        match object.get(name) {
            Some(v) => value(call, Some(name), *ty, *typmod, v, &old),
            None => Ok(old),
        }
    };
    columns.iter().enumerate().map(field).collect()
}

fn to_record(columns: &[Column], values: Vec<Datum>) -> Datum {
    let typed: Vec<(Oid, Datum)> = columns.iter().zip(values).map(|(c, v)| (c.1, v)).collect();
    types::record::to_datum(&typed)
}

/// An array in the making. How many dimensions it has shows where its first element is none.
struct ArrayBuild<'r, 'c> {
    call: &'r Call<'c>,
    column: Option<&'r str>,
    element: Oid,
    typmod: i32,
    values: Vec<Datum>,
    /// How many parts the present array of each dimension has so far; empty until the dimensions are known.
    seen: Vec<i32>,
    /// How many they must have.
    lengths: Vec<Option<i32>>,
}

impl ArrayBuild<'_, '_> {
    fn dimension(&mut self, v: Source<'_>, level: usize) -> Result<()> {
        if v.kind() != raw::Kind::Array {
            return Err(self.expected_array(level - 1));
        }
        if level > 6 {
            return Err(types::array::too_many_dimensions());
        }
        let parts = v.elements();
        if self.seen.is_empty() && parts.first().is_none_or(|p| p.kind() != raw::Kind::Array) {
            (self.seen, self.lengths) = (vec![0; level], vec![None; level]);
        }
        for part in parts {
            if !self.seen.is_empty() && level >= self.seen.len() {
                let v = value(self.call, None, self.element, self.typmod, part, &Datum::Null)?;
                self.values.push(v);
                self.seen[level - 1] += 1;
            } else {
                self.dimension(part, level + 1)?;
                self.ended(level)?;
            }
        }
        Ok(())
    }

    /// An array of dimension `level`, from 0, has ended.
    fn ended(&mut self, level: usize) -> Result<()> {
        let len = self.seen[level];
        if *self.lengths[level].get_or_insert(len) != len {
            return Err(SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, "malformed JSON array")
                .detail("Multidimensional arrays must have sub-arrays with matching dimensions."));
        }
        self.seen[level] = 0;
        if level > 0 {
            self.seen[level - 1] += 1;
        }
        Ok(())
    }

    fn expected_array(&self, levels: usize) -> SqlError {
        let e = SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, "expected JSON array");
        let place: String = self.seen.iter().take(levels).map(|i| format!("[{i}]")).collect();
        match (self.column, levels) {
            (None, 0) => e,
            (Some(column), 0) => e.hint(format!("See the value of key \"{column}\".")),
            (Some(column), _) => e.hint(format!("See the array element {place} of key \"{column}\".")),
            (None, _) => e.hint(format!("See the array element {place}.")),
        }
    }

    fn finish(mut self) -> Result<Datum> {
        self.ended(0)?;
        if self.values.is_empty() {
            return Ok(Array::empty(self.element).to_datum());
        }
        let dimension = |len: &Option<i32>| Dimension { len: len.unwrap_or(0), lower: 1 };
        let dimensions: Vec<Dimension> = self.lengths.iter().map(dimension).collect();
        check_dimensions(&dimensions)?;
        Ok(Array { element: self.element, dimensions, values: self.values }.to_datum())
    }
}

/// Names and types of the columns of the rows to be made: the caller's, those of the type of `base`, or its own.
fn columns(call: &Call<'_>, base: Option<&Datum>, function: &str) -> Result<Vec<Column>> {
    let mut ty = call.arg_type(0);
    if base.is_some() {
        for _ in 0..64 {
            match call.types.kind(ty) {
                TypeKind::Domain { base, .. } => ty = base,
                _ => break,
            }
        }
        let names = call.types.field_names(ty);
        if let TypeKind::Composite { fields } = call.types.kind(ty)
            && names.len() == fields.len()
            && !names.is_empty()
        {
            return Ok(names.into_iter().zip(fields).map(|(n, (t, m))| (n, t, m)).collect());
        }
    }
    if !call.columns.is_empty() {
        if let Some(bytes) = base.and_then(Datum::as_bytes).filter(|_| ty == oid::RECORD) {
            same_columns(call, RecordView::new(bytes))?;
        }
        return Ok(call.columns.iter().map(|(n, t)| (n.clone(), *t, -1)).collect());
    }
    if let Some(bytes) = base.and_then(Datum::as_bytes) {
        let view = RecordView::new(bytes);
        let names = view.names();
        let name = |i: usize| names.get(i).cloned().unwrap_or_else(|| format!("f{}", i + 1));
        return Ok((0..view.len()).map(|i| (name(i), view.column_type(i), -1)).collect());
    }
    let message = format!("could not determine row type for result of {function}");
    let hint =
        "Provide a non-null record argument, or call the function in the FROM clause using a column definition list.";
    Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message).hint(hint))
}

/// An anonymous row must have the columns that the query expects.
fn same_columns(call: &Call<'_>, row: RecordView<'_>) -> Result<()> {
    let refused = |detail: String| {
        let message = "function return row and query-specified return row do not match";
        Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message).detail(detail))
    };
    let (has, wants) = (row.len(), call.columns.len());
    if has != wants {
        let plural = if has == 1 { "" } else { "s" };
        return refused(format!("Returned row contains {has} attribute{plural}, but query expects {wants}."));
    }
    for (i, (_, wanted)) in call.columns.iter().enumerate() {
        let own = row.column_type(i);
        if own != *wanted {
            let (own, wanted) = (call.types.type_name(own), call.types.type_name(*wanted));
            return refused(format!("Returned type {own} at ordinal position {}, but query expects {wanted}.", i + 1));
        }
    }
    Ok(())
}

/// The row that an object is.
pub(super) fn record(call: &Call<'_>, base: Option<&Datum>, v: Source<'_>, function: &str) -> Result<Datum> {
    let columns = columns(call, base, function)?;
    let object = v.object(function)?;
    let values = fields_of(call, &columns, &object, base.unwrap_or(&Datum::Null))?;
    Ok(to_record(&columns, values))
}

/// The rows that an array of objects is.
pub(super) fn rows(call: &Call<'_>, base: Option<&Datum>, v: Source<'_>, function: &str) -> Result<Vec<Columns>> {
    match v.kind() {
        raw::Kind::Array => {}
        raw::Kind::Object => return Err(wrong_kind(function, "an object")),
        _ => return Err(wrong_kind(function, "a scalar")),
    }
    let columns = columns(call, base, function)?;
    let one = |v: Source<'_>| {
        if v.kind() != raw::Kind::Object {
            return Err(invalid(format!("argument of {function} must be an array of objects")));
        }
        let values = fields_of(call, &columns, &v.object(function)?, base.unwrap_or(&Datum::Null))?;
        // Whose caller does not name the columns gets rows of the type of `base`.
        Ok(Columns(if call.columns.len() == values.len() && !call.columns.is_empty() && !one_row(call) {
            values
        } else {
            vec![to_record(&columns, values)]
        }))
    };
    v.elements().into_iter().map(one).collect()
}

/// Whether the caller wants each row as one value.
fn one_row(call: &Call<'_>) -> bool {
    call.result_type != oid::RECORD
        && call.columns.len() == 1
        && call.columns[0].1 == call.result_type
        && matches!(call.types.kind(call.result_type), TypeKind::Domain { .. })
}
