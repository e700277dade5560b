//! Forms of values: `int4send` and its kin, `pg_input_error_info`.

use ext::Call;
use ext::output::Columns;
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

/// A type and typmod as they are written, such as `numeric(3,1)` or `int[]`.
fn type_of(call: &mut Call<'_>, text: &str) -> Result<(Oid, i32)> {
    let found = call.host.resolve(oid::REGTYPE, text)?.or_else(|| catalog::builtin::type_by_name(text).map(|t| t.oid));
    let found = found.ok_or_else(|| {
        SqlError::new(SqlState::UNDEFINED_OBJECT, format!("type \"{}\" does not exist", text.to_lowercase()))
    })?;
    // Lengths and the like stand in brackets.
    let numbers: Vec<i32> = text
        .rsplit_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .map(|list| list.split(',').filter_map(|n| n.trim().parse().ok()).collect())
        .unwrap_or_default();
    let typmod = match (found, &numbers[..]) {
        (oid::VARCHAR | oid::BPCHAR, [n]) => n.saturating_add(4),
        (oid::NUMERIC, [p]) => (p << 16) + 4,
        (oid::NUMERIC, [p, s]) => (p << 16 | (s & 0x7ff)) + 4,
        (oid::BIT | oid::VARBIT | oid::TIME | oid::TIMETZ | oid::TIMESTAMP | oid::TIMESTAMPTZ, [n]) => *n,
        _ => -1,
    };
    Ok((found, typmod))
}

fn read(call: &mut Call<'_>, text: &str, ty: &str) -> Result<Option<SqlError>> {
    let (ty, typmod) = type_of(call, ty)?;
    Ok(call.value_of(ty, typmod, text).err())
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(
        oid = [
            324, 2401, 2403, 2405, 2407, 2409, 2411, 2413, 2415, 2419, 2421, 2423, 2425, 2427, 2431, 2433, 2435, 2437, 2439,
            2441, 2443, 2445, 2447, 2449, 2451, 2453, 2455, 2457, 2459, 2461, 2469, 2471, 2473, 2475, 2477, 2479, 2495, 2497,
            2499, 2503, 2962, 3239, 3533, 3739, 3774, 3803, 4004, 4088, 4095, 4197, 5083,
        ],
        strict,
        stable
    )]
    pub fn send(call: &mut Call<'_>, v: &Datum) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        types::io::binary_out_with(call.arg_type(0), v, call.types, &mut out)?;
        Ok(out)
    }

    #[ext::function(oid = 6210, stable)]
    pub fn input_is_valid(call: &mut Call<'_>, text: &str, ty: &str) -> Result<bool> {
        Ok(read(call, text, ty)?.is_none())
    }

    #[ext::set_function(oid = 6211)]
    pub fn input_error_info(call: &mut Call<'_>, text: &str, ty: &str) -> Result<Vec<Columns>> {
        let Some(e) = read(call, text, ty)? else { return Ok(vec![Columns(vec![Datum::Null; 4])]) };
        let optional = |text: &Option<String>| text.as_deref().map_or(Datum::Null, Datum::text);
        let fields = e.fields();
        let row = vec![
            Datum::text(e.message()),
            optional(&fields.detail),
            optional(&fields.hint),
            Datum::text(e.state().as_str()),
        ];
        Ok(vec![Columns(row)])
    }

    #[ext::function(oid = 2515)]
    pub fn both(a: bool, b: bool) -> bool {
        a && b
    }

    #[ext::function(oid = 2516)]
    pub fn either(a: bool, b: bool) -> bool {
        a || b
    }

    #[ext::function(oid = 3181)]
    pub fn same_image(a: &[u8], b: &[u8]) -> bool {
        a == b
    }

    #[ext::function(oid = 3182)]
    pub fn other_image(a: &[u8], b: &[u8]) -> bool {
        a != b
    }
}
