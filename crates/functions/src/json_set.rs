//! Changing `jsonb`, and aggregates that make JSON.

use ext::{Call, JsonText};
use types::array::ArrayView;
use types::jsonb::{Json, View};
use types::{Datum, Result, SqlError, SqlState};

use crate::json::{build, path_of};

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

/// What happens at the end of a path.
#[derive(Clone)]
enum Change {
    Set { value: Json, create: bool },
    Insert { value: Json, after: bool },
    Delete,
}

fn null_step(i: usize) -> SqlError {
    SqlError::new(SqlState::NULL_VALUE_NOT_ALLOWED, format!("path element at position {} is null", i + 1))
}

fn apply(v: Json, path: &[Option<String>], at: usize, change: &Change) -> Result<Json> {
    let Some(step) = path.get(at) else { return Ok(v) };
    let last = at + 1 == path.len();
    match v {
        Json::Object(mut pairs) => {
            let step = step.as_deref().ok_or_else(|| null_step(at))?;
            let found = pairs.iter().position(|(k, _)| k == step);
            match (found, last, change) {
                (Some(i), true, Change::Delete) => {
                    pairs.remove(i);
                }
                (Some(i), true, Change::Set { value, .. }) => pairs[i].1 = value.clone(),
                (Some(_), true, Change::Insert { .. }) => {
                    return Err(invalid("cannot replace existing key")
                        .hint("Try using the function jsonb_set to replace key value."));
                }
                (Some(i), false, _) => {
                    let old = std::mem::replace(&mut pairs[i].1, Json::Null);
                    pairs[i].1 = apply(old, path, at + 1, change)?;
                }
                (None, true, Change::Set { value, create: true } | Change::Insert { value, .. }) => {
                    pairs.push((step.to_owned(), value.clone()));
                }
                (None, ..) => {}
            }
            Ok(Json::Object(pairs))
        }
        Json::Array(mut items) => {
            let step = step.as_deref().ok_or_else(|| null_step(at))?;
            let n: i32 = step.trim().parse().map_err(|_| {
                let message = format!("path element at position {} is not an integer: \"{step}\"", at + 1);
                SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, message)
            })?;
            let count = items.len() as i64;
            // Before the first counts as before all.
            let place = if n < 0 { i64::from(n) + count } else { n.into() };
            let inside = (0..count).contains(&place);
            match change {
                Change::Delete if last && inside => {
                    items.remove(place as usize);
                }
                Change::Delete if last => {}
                Change::Set { value, create } if last => {
                    if inside {
                        items[place as usize] = value.clone();
                    } else if *create {
                        let i = if place < 0 { 0 } else { items.len() };
                        items.insert(i, value.clone());
                    }
                }
                Change::Insert { value, after } if last => {
                    let i = if inside {
                        place as usize + usize::from(*after)
                    } else if place < 0 {
                        0
                    } else {
                        items.len()
                    };
                    items.insert(i, value.clone());
                }
                _ if inside => {
                    let i = place as usize;
                    let old = std::mem::replace(&mut items[i], Json::Null);
                    items[i] = apply(old, path, at + 1, change)?;
                }
                _ => {}
            }
            Ok(Json::Array(items))
        }
        scalar => Ok(scalar),
    }
}

fn changed(v: View<'_>, path: ArrayView<'_>, change: &Change, what: &str) -> Result<Json> {
    if path.dimension_count() > 1 {
        return Err(SqlError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts"));
    }
    if v.is_scalar() {
        return Err(invalid(format!("cannot {what} scalar")));
    }
    // In what is empty there is nothing to look for.
    let empty = matches!(v, View::Array(c) | View::Object(c) if c.is_empty());
    if empty && matches!(change, Change::Delete | Change::Set { create: false, .. }) {
        return Ok(v.to_json());
    }
    apply(v.to_json(), &path_of(path), 0, change)
}

/// The largest depth of trees that are walked by recursion is `DEPTH_MAX`, which parsing keeps.
fn concatenated(a: Json, b: Json) -> Json {
    match (a, b) {
        (Json::Object(mut a), Json::Object(b)) => {
            a.extend(b);
            Json::Object(a)
        }
        (Json::Array(mut a), Json::Array(b)) => {
            a.extend(b);
            Json::Array(a)
        }
        (Json::Array(mut a), b) => {
            a.push(b);
            Json::Array(a)
        }
        (a, Json::Array(mut b)) => {
            b.insert(0, a);
            Json::Array(b)
        }
        (a, b) => Json::Array(vec![a, b]),
    }
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = 3301)]
    pub fn jsonb_concat(a: View<'_>, b: View<'_>) -> Json {
        concatenated(a.to_json(), b.to_json())
    }

    #[ext::function(oid = 3302)]
    pub fn jsonb_delete_key(v: View<'_>, key: &str) -> Result<Json> {
        match v.to_json() {
            Json::Object(pairs) => Ok(Json::Object(pairs.into_iter().filter(|(k, _)| k != key).collect())),
            Json::Array(items) => {
                Ok(Json::Array(items.into_iter().filter(|i| !matches!(i, Json::String(s) if s == key)).collect()))
            }
            _ => Err(invalid("cannot delete from scalar")),
        }
    }

    #[ext::function(oid = 3343)]
    pub fn jsonb_delete_keys(v: View<'_>, keys: ArrayView<'_>) -> Result<Json> {
        if keys.dimension_count() > 1 {
            return Err(SqlError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts"));
        }
        let keys = path_of(keys);
        let hit = |k: &str| keys.iter().flatten().any(|key| key == k);
        match v.to_json() {
            Json::Object(pairs) => Ok(Json::Object(pairs.into_iter().filter(|(k, _)| !hit(k)).collect())),
            Json::Array(items) => {
                Ok(Json::Array(items.into_iter().filter(|i| !matches!(i, Json::String(s) if hit(s))).collect()))
            }
            _ => Err(invalid("cannot delete from scalar")),
        }
    }

    #[ext::function(oid = 3303)]
    pub fn jsonb_delete_index(v: View<'_>, n: i32) -> Result<Json> {
        match v.to_json() {
            Json::Array(mut items) => {
                let i = if n < 0 { i64::from(n) + items.len() as i64 } else { n.into() };
                if (0..items.len() as i64).contains(&i) {
                    items.remove(i as usize);
                }
                Ok(Json::Array(items))
            }
            Json::Object(_) => Err(invalid("cannot delete from object using integer index")),
            _ => Err(invalid("cannot delete from scalar")),
        }
    }

    #[ext::function(oid = 3304)]
    pub fn jsonb_delete_path(v: View<'_>, path: ArrayView<'_>) -> Result<Json> {
        changed(v, path, &Change::Delete, "delete path in")
    }

    #[ext::function(oid = 3305)]
    pub fn jsonb_set(v: View<'_>, path: ArrayView<'_>, value: View<'_>, create: bool) -> Result<Json> {
        changed(v, path, &Change::Set { value: value.to_json(), create }, "set path in")
    }

    #[ext::function(oid = 3579)]
    pub fn jsonb_insert(v: View<'_>, path: ArrayView<'_>, value: View<'_>, after: bool) -> Result<Json> {
        changed(v, path, &Change::Insert { value: value.to_json(), after }, "set path in")
    }

    #[ext::function(oid = 5054)]
    pub fn jsonb_set_lax(
        v: Option<View<'_>>,
        path: Option<ArrayView<'_>>,
        value: Option<View<'_>>,
        create: Option<bool>,
        treatment: Option<&str>,
    ) -> Result<Option<Json>> {
        let (Some(v), Some(path), Some(create)) = (v, path, create) else { return Ok(None) };
        let wanted = "\"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"";
        let treatment = treatment.ok_or_else(|| invalid(format!("null_value_treatment must be {wanted}")))?;
        if let Some(value) = value {
            return jsonb_set(v, path, value, create).map(Some);
        }
        match treatment {
            "raise_exception" => {
                Err(SqlError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "JSON value must not be null")
                    .detail("Exception was raised because null_value_treatment is \"raise_exception\".")
                    .hint("To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed."))
            }
            "use_json_null" => jsonb_set(v, path, View::Null, create).map(Some),
            "delete_key" => jsonb_delete_path(v, path).map(Some),
            "return_target" => Ok(Some(v.to_json())),
            _ => Err(invalid(format!("null_value_treatment must be {wanted}"))),
        }
    }

    // Aggregates.

    /// `json_agg` and `json_agg_strict`, as text so far.
    #[derive(Clone, Default)]
    pub struct JsonAgg(Option<Vec<u8>>);

    #[ext::aggregate(oid = 3175)]
    impl JsonAgg {
        fn add(&mut self, call: &mut Call<'_>, v: &Datum) -> Result<()> {
            let ty = call.arg_type(0);
            let first = self.0.is_none();
            let out = self.0.get_or_insert_with(|| b"[".to_vec());
            if !first {
                let line = !v.is_null() && build::is_container(call, ty);
                out.extend_from_slice(if line { b", \n " } else { b", " });
            }
            build::append(call, ty, v, ",", 0, out)
        }
        fn bytes(&self) -> usize {
            self.0.as_ref().map_or(0, Vec::capacity)
        }
        fn finish(&self) -> Option<JsonText> {
            let text = self.0.as_ref().map(|b| String::from_utf8_lossy(b).into_owned() + "]");
            text.map(JsonText)
        }
    }

    /// `json_agg_strict`: NULLs are left out.
    #[derive(Clone, Default)]
    pub struct JsonAggStrict {
        list: JsonAgg,
        started: bool,
    }

    #[ext::aggregate(oid = 6276)]
    impl JsonAggStrict {
        fn add(&mut self, call: &mut Call<'_>, v: &Datum) -> Result<()> {
            if v.is_null() {
                self.started = true;
                return Ok(());
            }
            self.list.add(call, v)
        }
        fn finish(&self) -> Option<JsonText> {
            self.list.finish().or_else(|| self.started.then(|| JsonText("[]".to_owned())))
        }
    }

    /// `jsonb_agg`.
    #[derive(Clone, Default)]
    pub struct JsonbAgg(Option<Vec<Json>>);

    #[ext::aggregate(oid = 3267)]
    impl JsonbAgg {
        fn add(&mut self, call: &mut Call<'_>, v: &Datum) -> Result<()> {
            let v = build::tree(call, call.arg_type(0), v, 0)?;
            self.0.get_or_insert_default().push(v);
            Ok(())
        }
        fn finish(&self) -> Option<Json> {
            self.0.clone().map(Json::Array)
        }
    }

    /// `jsonb_agg_strict`.
    #[derive(Clone, Default)]
    pub struct JsonbAggStrict(JsonbAgg);

    #[ext::aggregate(oid = 6284)]
    impl JsonbAggStrict {
        fn add(&mut self, call: &mut Call<'_>, v: &Datum) -> Result<()> {
            if v.is_null() {
                self.0.0.get_or_insert_default();
                return Ok(());
            }
            self.0.add(call, v)
        }
        fn finish(&self) -> Option<Json> {
            self.0.finish()
        }
    }

    fn duplicate(key: &str) -> SqlError {
        let mut shown = Vec::new();
        types::json::put_string(key, &mut shown);
        let message = format!("duplicate JSON object key value: {}", String::from_utf8_lossy(&shown));
        SqlError::new(SqlState::new("22030"), message)
    }

    /// Pairs as text so far, with the keys where they must be unique.
    #[derive(Clone, Default)]
    pub struct JsonPairs {
        text: Option<Vec<u8>>,
        keys: std::collections::HashSet<String>,
    }

    impl JsonPairs {
        fn push(&mut self, call: &Call<'_>, k: &Datum, v: &Datum, unique: bool, strict: bool) -> Result<()> {
            let null = || SqlError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key");
            let key = build::key(call, call.arg_type(0), k, null)?;
            let out = self.text.get_or_insert_with(|| b"{ ".to_vec());
            if unique && !self.keys.insert(key.clone()) {
                return Err(duplicate(&key));
            }
            if strict && v.is_null() {
                return Ok(());
            }
            if out.len() > 2 {
                out.extend_from_slice(b", ");
            }
            types::json::put_string(&key, out);
            out.extend_from_slice(b" : ");
            build::append(call, call.arg_type(1), v, ",", 1, out)
        }
        fn value(&self) -> Option<JsonText> {
            let text = self.text.as_ref().map(|b| String::from_utf8_lossy(b).into_owned() + " }");
            text.map(JsonText)
        }
    }

    macro_rules! json_objects {
        ($($name:ident = $unique:literal, $strict:literal;)*) => {$(
            /// A variant of `json_object_agg`.
            #[derive(Clone, Default)]
            pub struct $name(JsonPairs);
            impl $name {
                fn push(&mut self, call: &Call<'_>, k: &Datum, v: &Datum) -> Result<()> {
                    self.0.push(call, k, v, $unique, $strict)
                }
            }
        )*};
    }
    json_objects! {
        JsonObjectAgg = false, false;
        JsonObjectAggStrict = false, true;
        JsonObjectAggUnique = true, false;
        JsonObjectAggUniqueStrict = true, true;
    }

    #[ext::aggregate(oid = 3197)]
    impl JsonObjectAgg {
        fn add(&mut self, call: &mut Call<'_>, k: &Datum, v: &Datum) -> Result<()> {
            self.push(call, k, v)
        }
        fn finish(&self) -> Option<JsonText> {
            self.0.value()
        }
    }

    #[ext::aggregate(oid = 6280)]
    impl JsonObjectAggStrict {
        fn add(&mut self, call: &mut Call<'_>, k: &Datum, v: &Datum) -> Result<()> {
            self.push(call, k, v)
        }
        fn finish(&self) -> Option<JsonText> {
            self.0.value()
        }
    }

    #[ext::aggregate(oid = 6281)]
    impl JsonObjectAggUnique {
        fn add(&mut self, call: &mut Call<'_>, k: &Datum, v: &Datum) -> Result<()> {
            self.push(call, k, v)
        }
        fn finish(&self) -> Option<JsonText> {
            self.0.value()
        }
    }

    #[ext::aggregate(oid = 6282)]
    impl JsonObjectAggUniqueStrict {
        fn add(&mut self, call: &mut Call<'_>, k: &Datum, v: &Datum) -> Result<()> {
            self.push(call, k, v)
        }
        fn finish(&self) -> Option<JsonText> {
            self.0.value()
        }
    }

    /// Pairs so far.
    #[derive(Clone, Default)]
    pub struct JsonbPairs(Option<Vec<(String, Json)>>);

    impl JsonbPairs {
        fn push(&mut self, call: &Call<'_>, k: &Datum, v: &Datum, unique: bool, strict: bool) -> Result<()> {
            if k.is_null() {
                return Err(invalid("field name must not be null"));
            }
            let pairs = self.0.get_or_insert_default();
            if strict && v.is_null() && !unique {
                return Ok(());
            }
            let key = build::key(call, call.arg_type(0), k, || invalid("field name must not be null"))?;
            let value = build::tree(call, call.arg_type(1), v, 1)?;
            if !(strict && value == Json::Null) {
                pairs.push((key, value));
            }
            Ok(())
        }
        fn value(&self, unique: bool) -> Result<Option<Json>> {
            let mut seen = std::collections::HashSet::new();
            if unique && self.0.iter().flatten().any(|(k, _)| !seen.insert(k)) {
                return Err(SqlError::new(SqlState::new("22030"), "duplicate JSON object key value"));
            }
            Ok(self.0.clone().map(Json::Object))
        }
    }

    macro_rules! jsonb_objects {
        ($($name:ident = $unique:literal, $strict:literal;)*) => {$(
            /// A variant of `jsonb_object_agg`.
            #[derive(Clone, Default)]
            pub struct $name(JsonbPairs);
            impl $name {
                fn push(&mut self, call: &Call<'_>, k: &Datum, v: &Datum) -> Result<()> {
                    self.0.push(call, k, v, $unique, $strict)
                }
                fn value(&self) -> Result<Option<Json>> {
                    self.0.value($unique)
                }
            }
        )*};
    }
    jsonb_objects! {
        JsonbObjectAgg = false, false;
        JsonbObjectAggStrict = false, true;
        JsonbObjectAggUnique = true, false;
        JsonbObjectAggUniqueStrict = true, true;
    }

    #[ext::aggregate(oid = 3270)]
    impl JsonbObjectAgg {
        fn add(&mut self, call: &mut Call<'_>, k: &Datum, v: &Datum) -> Result<()> {
            self.push(call, k, v)
        }
        fn finish(&self) -> Result<Option<Json>> {
            self.value()
        }
    }

    #[ext::aggregate(oid = 6288)]
    impl JsonbObjectAggStrict {
        fn add(&mut self, call: &mut Call<'_>, k: &Datum, v: &Datum) -> Result<()> {
            self.push(call, k, v)
        }
        fn finish(&self) -> Result<Option<Json>> {
            self.value()
        }
    }

    #[ext::aggregate(oid = 6289)]
    impl JsonbObjectAggUnique {
        fn add(&mut self, call: &mut Call<'_>, k: &Datum, v: &Datum) -> Result<()> {
            self.push(call, k, v)
        }
        fn finish(&self) -> Result<Option<Json>> {
            self.value()
        }
    }

    #[ext::aggregate(oid = 6290)]
    impl JsonbObjectAggUniqueStrict {
        fn add(&mut self, call: &mut Call<'_>, k: &Datum, v: &Datum) -> Result<()> {
            self.push(call, k, v)
        }
        fn finish(&self) -> Result<Option<Json>> {
            self.value()
        }
    }
}
