//! Functions on text.

use types::{Result, SqlError, SqlState};

/// Most bytes a value may have.
pub(crate) const BYTES_MAX: usize = 0x3fff_ffff;

pub(crate) fn too_long() -> SqlError {
    SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "requested length too large")
}

pub(crate) fn negative_length() -> SqlError {
    SqlError::new(SqlState::SUBSTRING_ERROR, "negative substring length not allowed")
}

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

/// Byte offset of character `n` of `s`; its length when there are fewer.
pub(crate) fn offset(s: &str, n: usize) -> usize {
    if s.is_ascii() { n.min(s.len()) } else { s.char_indices().nth(n).map_or(s.len(), |(i, _)| i) }
}

/// How many characters `s` has.
pub(crate) fn characters(s: &str) -> usize {
    if s.is_ascii() { s.len() } else { s.chars().count() }
}

/// The first character and how many characters `substring(from start for count)` takes.
pub(crate) fn span(start: i32, count: Option<i32>) -> Result<(usize, usize)> {
    let end = match count {
        Some(n) if n < 0 => return Err(negative_length()),
        Some(n) => i64::from(start) + i64::from(n),
        None => i64::MAX,
    };
    let skip = (i64::from(start) - 1).max(0);
    Ok((skip as usize, end.saturating_sub(1).saturating_sub(skip).max(0) as usize))
}

fn slice(s: &str, start: i32, count: Option<i32>) -> Result<&str> {
    let (skip, take) = span(start, count)?;
    let rest = &s[offset(s, skip)..];
    Ok(&rest[..offset(rest, take)])
}

/// The characters of `s` from its end: those that `n` negative leaves out, or positive takes.
fn ends(s: &str, n: i32) -> usize {
    let count = characters(s);
    if n >= 0 { (n as usize).min(count) } else { count.saturating_sub(n.unsigned_abs() as usize) }
}

fn trimmed<'s>(s: &'s str, set: &str, start: bool, end: bool) -> &'s str {
    let hit = |c: char| set.contains(c);
    let s = if start { s.trim_start_matches(hit) } else { s };
    if end { s.trim_end_matches(hit) } else { s }
}

/// A character's other case where that is one character, as PostgreSQL's simple case mapping has it.
fn simple(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(m), None) => m,
        _ => c,
    }
}

/// In lower case.
pub(crate) fn lower_of(s: &str) -> String {
    if s.is_ascii() { s.to_ascii_lowercase() } else { s.chars().map(|c| simple(c, c.to_lowercase())).collect() }
}

fn upper_of(s: &str) -> String {
    if s.is_ascii() { s.to_ascii_uppercase() } else { s.chars().map(|c| simple(c, c.to_uppercase())).collect() }
}

/// `s` brought to `len` characters: what is missing, from `fill` again and again; none when it is to be cut.
fn padding(s: &str, len: i32, fill: &str) -> Result<(usize, String)> {
    let len = len.max(0) as usize;
    if len > BYTES_MAX {
        return Err(too_long());
    }
    let have = characters(s).min(len);
    let missing = if fill.is_empty() { 0 } else { len - have };
    if missing.saturating_mul(4) > BYTES_MAX {
        return Err(too_long());
    }
    Ok((have, fill.chars().cycle().take(missing).collect()))
}

/// `quote_literal`.
pub(crate) fn literal(s: &str) -> String {
    let mut out = String::with_capacity(s.len() + 3);
    if s.contains('\\') {
        out.push('E');
    }
    out.push('\'');
    for c in s.chars() {
        if matches!(c, '\'' | '\\') {
            out.push(c);
        }
        out.push(c);
    }
    out.push('\'');
    out
}

fn nth_field<'s>(s: &'s str, delimiter: &str, n: i32) -> Result<&'s str> {
    if n == 0 {
        return Err(invalid("field position must not be zero"));
    }
    if s.is_empty() {
        return Ok("");
    }
    if delimiter.is_empty() {
        return Ok(if n == 1 || n == -1 { s } else { "" });
    }
    let at = n.unsigned_abs() as usize - 1;
    if n > 0 {
        return Ok(s.split(delimiter).nth(at).unwrap_or(""));
    }
    // Fields are those of a search from the left, also when counted from the right.
    let fields: Vec<&str> = s.split(delimiter).collect();
    Ok(fields.len().checked_sub(at + 1).map_or("", |i| fields[i]))
}

/// A number's digits in a base of a power of two, two's complement.
fn digits(v: u64, bits: u32) -> String {
    match bits {
        1 => format!("{v:b}"),
        3 => format!("{v:o}"),
        _ => format!("{v:x}"),
    }
}

/// The pieces of `string_to_array`: by characters without a delimiter.
pub(crate) fn split_text(s: &str, delimiter: Option<&str>) -> Vec<String> {
    match delimiter {
        _ if s.is_empty() => Vec::new(),
        None => s.chars().map(String::from).collect(),
        Some("") => vec![s.to_owned()],
        Some(d) => s.split(d).map(str::to_owned).collect(),
    }
}

/// Reads the hexadecimal digits of a Unicode escape; none when they are not `n`.
fn code(chars: &[char], n: usize) -> Option<u32> {
    let text: String = chars.get(..n)?.iter().collect();
    u32::from_str_radix(&text, 16).ok().filter(|_| text.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn unescape(s: &str) -> Result<String> {
    let bad = |m: &str| SqlError::new(SqlState::SYNTAX_ERROR, m);
    let chars: Vec<char> = s.chars().collect();
    let (mut out, mut i) = (String::new(), 0);
    let mut pair: Option<u32> = None;
    while i < chars.len() {
        if chars[i] != '\\' {
            if pair.is_some() {
                return Err(bad("invalid Unicode surrogate pair"));
            }
            out.push(chars[i]);
            i += 1;
            continue;
        }
        let rest = &chars[i + 1..];
        if rest.first() == Some(&'\\') {
            if pair.is_some() {
                return Err(bad("invalid Unicode surrogate pair"));
            }
            out.push('\\');
            i += 2;
            continue;
        }
        let (value, width) = match rest.first() {
            Some('u') => (code(&rest[1..], 4), 6),
            Some('U') => (code(&rest[1..], 8), 10),
            Some('+') => (code(&rest[1..], 6), 8),
            _ => (code(rest, 4), 5),
        };
        let Some(value) = value else {
            return Err(bad("invalid Unicode escape")
                .hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX."));
        };
        if value > 0x10ffff || value == 0 {
            return Err(invalid(format!("invalid Unicode code point: {value:04X}")));
        }
        match (pair.take(), value) {
            (None, 0xd800..=0xdbff) => pair = Some(value),
            (Some(high), 0xdc00..=0xdfff) => {
                let c = 0x10000 + ((high & 0x3ff) << 10) + (value & 0x3ff);
                out.extend(char::from_u32(c));
            }
            (Some(_), _) | (None, 0xdc00..=0xdfff) => return Err(bad("invalid Unicode surrogate pair")),
            (None, value) => out.extend(char::from_u32(value)),
        }
        i += width;
    }
    if pair.is_some() { Err(bad("invalid Unicode surrogate pair")) } else { Ok(out) }
}

fn ident_error(s: &str, detail: Option<String>) -> SqlError {
    let e = invalid(format!("string is not a valid identifier: \"{s}\""));
    match detail {
        Some(d) => e.detail(d),
        None => e,
    }
}

fn identifier_parts(s: &str, strict: bool) -> Result<Vec<String>> {
    let space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c');
    let mut rest = s.trim_start_matches(space);
    let mut parts = Vec::new();
    let mut after_dot = false;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (mut part, mut at) = (String::new(), quoted);
            loop {
                let Some(end) = at.find('"') else {
                    return Err(ident_error(s, Some("String has unclosed double quotes.".to_owned())));
                };
                part.push_str(&at[..end]);
                at = &at[end + 1..];
                match at.strip_prefix('"') {
                    Some(more) => {
                        part.push('"');
                        at = more;
                    }
                    None => break,
                }
            }
            if part.is_empty() {
                return Err(ident_error(s, Some("Quoted identifier must not be empty.".to_owned())));
            }
            parts.push(part);
            rest = at;
        } else if rest.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic() || !c.is_ascii()) {
            let inside = |c: char| c == '_' || c == '$' || c.is_ascii_alphanumeric() || !c.is_ascii();
            let end = rest.find(|c| !inside(c)).unwrap_or(rest.len());
            parts.push(lower_of(&rest[..end]));
            rest = &rest[end..];
        } else if rest.starts_with('.') {
            return Err(ident_error(s, Some("No valid identifier before \".\".".to_owned())));
        } else if after_dot {
            return Err(ident_error(s, Some("No valid identifier after \".\".".to_owned())));
        } else {
            return Err(ident_error(s, None));
        }
        rest = rest.trim_start_matches(space);
        match rest.strip_prefix('.') {
            Some(more) => {
                after_dot = true;
                rest = more.trim_start_matches(space);
            }
            None if rest.is_empty() || !strict => return Ok(parts),
            None => return Err(ident_error(s, None)),
        }
    }
}

#[ext::module]
pub(crate) mod functions {
    use ext::Call;
    use types::array::{Array, ArrayView};
    use types::{Datum, oid};
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    #[ext::function(oid = [1257, 1317, 1369, 1381])]
    pub fn length(v: &str) -> i32 {
        characters(v) as i32
    }

    #[ext::function(oid = [1318, 1367, 1372])]
    pub fn bpchar_length(v: &str) -> i32 {
        characters(v.trim_end_matches(' ')) as i32
    }

    #[ext::function(oid = [1374, 1375])]
    pub fn octet_length(v: &str) -> i32 {
        v.len() as i32
    }

    #[ext::function(oid = 1811)]
    pub fn bit_length(v: &str) -> i32 {
        v.len() as i32 * 8
    }

    #[ext::function(oid = [870, 6412])]
    pub fn lower(v: &str) -> String {
        lower_of(v)
    }

    #[ext::function(oid = 871)]
    pub fn upper(v: &str) -> String {
        upper_of(v)
    }

    #[ext::function(oid = 872)]
    pub fn initcap(v: &str) -> String {
        let mut inside = false;
        v.chars()
            .map(|c| {
                let out = if inside { simple(c, c.to_lowercase()) } else { simple(c, c.to_uppercase()) };
                inside = c.is_alphanumeric();
                out
            })
            .collect()
    }

    #[ext::function(oid = 1258)]
    pub fn concatenate(a: &[u8], b: &[u8]) -> Vec<u8> {
        [a, b].concat()
    }

    /// Operand `at` as a cast to text makes it, which spells out what `boolean` abbreviates.
    fn operand(call: &mut Call<'_>, at: usize, value: &Datum) -> Result<String> {
        match value {
            Datum::Bool(value) => Ok(value.to_string()),
            value => call.text_of(call.arg_type(at), value),
        }
    }

    #[ext::function(oid = 2003, strict)]
    pub fn text_and_any(call: &mut Call<'_>, a: &Datum, b: &Datum) -> Result<String> {
        Ok(operand(call, 0, a)? + &operand(call, 1, b)?)
    }

    #[ext::function(oid = 2004, strict)]
    pub fn any_and_text(call: &mut Call<'_>, a: &Datum, b: &Datum) -> Result<String> {
        Ok(operand(call, 0, a)? + &operand(call, 1, b)?)
    }

    /// Arguments of a variadic call, each with its type.
    pub(crate) fn spread(call: &Call<'_>, args: &[Datum], first: usize) -> Option<Vec<(types::Oid, Datum)>> {
        if call.variadic {
            let array = args.first().filter(|a| !a.is_null())?.as_bytes()?;
            let view = ArrayView::new(array);
            return Some(view.iter().map(|d| (view.element(), d)).collect());
        }
        Some(args.iter().enumerate().map(|(i, d)| (call.arg_type(first + i), d.clone())).collect())
    }

    #[ext::function(oid = 3058, stable)]
    pub fn concat(call: &mut Call<'_>, args: &[Datum]) -> Result<Option<String>> {
        let Some(args) = spread(call, args, 0) else { return Ok(None) };
        let mut out = String::new();
        for (ty, d) in args.iter().filter(|(_, d)| !d.is_null()) {
            out.push_str(&call.text_of(*ty, d)?);
        }
        Ok(Some(out))
    }

    #[ext::function(oid = 3059, stable)]
    pub fn concat_ws(call: &mut Call<'_>, separator: &Datum, args: &[Datum]) -> Result<Option<String>> {
        let Some(separator) = separator.as_str() else { return Ok(None) };
        let Some(args) = spread(call, args, 1) else { return Ok(None) };
        let mut out: Option<String> = None;
        for (ty, d) in args.iter().filter(|(_, d)| !d.is_null()) {
            let text = call.text_of(*ty, d)?;
            match &mut out {
                Some(out) => {
                    out.push_str(separator);
                    out.push_str(&text);
                }
                None => out = Some(text),
            }
        }
        Ok(Some(out.unwrap_or_default()))
    }

    #[ext::function(oid = [877, 936])]
    pub fn substring(v: &str, start: i32, count: i32) -> Result<&str> {
        slice(v, start, Some(count))
    }

    #[ext::function(oid = [883, 937])]
    pub fn substring_from(v: &str, start: i32) -> Result<&str> {
        slice(v, start, None)
    }

    #[ext::function(oid = 1404)]
    pub fn overlay(v: &str, by: &str, start: i32, count: i32) -> Result<String> {
        if start <= 0 {
            return Err(negative_length());
        }
        let after = start.checked_add(count).ok_or(ext::Fail::IntegerOutOfRange)?;
        Ok([slice(v, 1, Some(start - 1))?, by, slice(v, after, None)?].concat())
    }

    #[ext::function(oid = 1405)]
    pub fn overlay_all(v: &str, by: &str, start: i32) -> Result<String> {
        overlay(v, by, start, characters(by) as i32)
    }

    #[ext::function(oid = [849, 868])]
    pub fn position(v: &str, part: &str) -> i32 {
        v.find(part).map_or(0, |at| characters(&v[..at]) as i32 + 1)
    }

    #[ext::function(oid = 2087)]
    pub fn replace(v: &str, from: &str, to: &str) -> String {
        if from.is_empty() { v.to_owned() } else { v.replace(from, to) }
    }

    #[ext::function(oid = 878)]
    pub fn translate(v: &str, from: &str, to: &str) -> String {
        let to: Vec<char> = to.chars().collect();
        let from: Vec<char> = from.chars().collect();
        let map = |c: char| match from.iter().position(|&f| f == c) {
            Some(i) => to.get(i).copied(),
            None => Some(c),
        };
        v.chars().filter_map(map).collect()
    }

    #[ext::function(oid = 2088)]
    pub fn split_part<'a>(v: &'a str, delimiter: &'a str, n: i32) -> Result<&'a str> {
        nth_field(v, delimiter, n)
    }

    #[ext::function(oid = 1622)]
    pub fn repeat(v: &str, count: i32) -> Result<String> {
        let count = count.max(0) as usize;
        if v.len().saturating_mul(count) > BYTES_MAX {
            return Err(too_long());
        }
        Ok(v.repeat(count))
    }

    #[ext::function(oid = 3062)]
    pub fn reverse(v: &str) -> String {
        v.chars().rev().collect()
    }

    #[ext::function(oid = 3060)]
    pub fn left(v: &str, n: i32) -> &str {
        &v[..offset(v, ends(v, n))]
    }

    #[ext::function(oid = 3061)]
    pub fn right(v: &str, n: i32) -> &str {
        // The magnitude of the least integer is none: PostgreSQL leaves out nothing.
        if n == i32::MIN {
            return v;
        }
        &v[offset(v, characters(v) - ends(v, n))..]
    }

    #[ext::function(oid = 873)]
    pub fn lpad(v: &str, len: i32, fill: &str) -> Result<String> {
        let (have, pad) = padding(v, len, fill)?;
        Ok(pad + &v[..offset(v, have)])
    }

    #[ext::function(oid = 879)]
    pub fn lpad_blank(v: &str, len: i32) -> Result<String> {
        lpad(v, len, " ")
    }

    #[ext::function(oid = 874)]
    pub fn rpad(v: &str, len: i32, fill: &str) -> Result<String> {
        let (have, pad) = padding(v, len, fill)?;
        Ok(v[..offset(v, have)].to_owned() + &pad)
    }

    #[ext::function(oid = 880)]
    pub fn rpad_blank(v: &str, len: i32) -> Result<String> {
        rpad(v, len, " ")
    }

    #[ext::function(oid = 884)]
    pub fn btrim<'a>(v: &'a str, set: &'a str) -> &'a str {
        trimmed(v, set, true, true)
    }

    #[ext::function(oid = 885)]
    pub fn btrim_blank(v: &str) -> &str {
        trimmed(v, " ", true, true)
    }

    #[ext::function(oid = 875)]
    pub fn ltrim<'a>(v: &'a str, set: &'a str) -> &'a str {
        trimmed(v, set, true, false)
    }

    #[ext::function(oid = 881)]
    pub fn ltrim_blank(v: &str) -> &str {
        trimmed(v, " ", true, false)
    }

    #[ext::function(oid = 876)]
    pub fn rtrim<'a>(v: &'a str, set: &'a str) -> &'a str {
        trimmed(v, set, false, true)
    }

    #[ext::function(oid = 882)]
    pub fn rtrim_blank(v: &str) -> &str {
        trimmed(v, " ", false, true)
    }

    #[ext::function(oid = 1620)]
    pub fn ascii(v: &str) -> i32 {
        v.chars().next().map_or(0, |c| c as i32)
    }

    #[ext::function(oid = 1621)]
    pub fn chr(n: i32) -> Result<String> {
        let refuse = |m: String| Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, m));
        if n < 0 {
            return Err(invalid("character number must be positive"));
        }
        if n == 0 {
            return refuse("null character not permitted".to_owned());
        }
        if n > 0x10ffff {
            return refuse(format!("requested character too large for encoding: {n}"));
        }
        match char::from_u32(n as u32) {
            Some(c) => Ok(c.into()),
            None => refuse(format!("requested character not valid for encoding: {n}")),
        }
    }

    #[ext::function(oid = 2089)]
    pub fn to_hex4(v: i32) -> String {
        digits((v as u32).into(), 4)
    }

    #[ext::function(oid = 2090)]
    pub fn to_hex8(v: i64) -> String {
        digits(v as u64, 4)
    }

    #[ext::function(oid = 6332)]
    pub fn to_oct4(v: i32) -> String {
        digits((v as u32).into(), 3)
    }

    #[ext::function(oid = 6333)]
    pub fn to_oct8(v: i64) -> String {
        digits(v as u64, 3)
    }

    #[ext::function(oid = 6330)]
    pub fn to_bin4(v: i32) -> String {
        digits((v as u32).into(), 1)
    }

    #[ext::function(oid = 6331)]
    pub fn to_bin8(v: i64) -> String {
        digits(v as u64, 1)
    }

    #[ext::function(oid = 1282)]
    pub fn quote_ident(v: &str) -> String {
        syntax::quote_ident(v)
    }

    #[ext::function(oid = 1283)]
    pub fn quote_literal(v: &str) -> String {
        literal(v)
    }

    #[ext::function(oid = 1285, strict, stable)]
    pub fn quote_any_literal(call: &mut Call<'_>, v: &Datum) -> Result<String> {
        Ok(literal(&cast_to_text(call, v)?))
    }

    /// As a cast to text has it, which spells booleans out.
    fn cast_to_text(call: &Call<'_>, v: &Datum) -> Result<String> {
        match v {
            Datum::Bool(b) => Ok(b.to_string()),
            v => call.text_of(call.arg_type(0), v),
        }
    }

    #[ext::function(oid = 1289)]
    pub fn quote_nullable(v: Option<&str>) -> String {
        v.map_or_else(|| "NULL".to_owned(), literal)
    }

    #[ext::function(oid = 1290, stable)]
    pub fn quote_any_nullable(call: &mut Call<'_>, v: &Datum) -> Result<String> {
        if v.is_null() {
            return Ok("NULL".to_owned());
        }
        Ok(literal(&cast_to_text(call, v)?))
    }

    #[ext::function(oid = 3696)]
    pub fn starts_with(v: &str, prefix: &str) -> bool {
        v.starts_with(prefix)
    }

    #[ext::function(oid = 458)]
    pub fn larger<'a>(a: &'a str, b: &'a str) -> &'a str {
        if a > b { a } else { b }
    }

    #[ext::function(oid = 459)]
    pub fn smaller<'a>(a: &'a str, b: &'a str) -> &'a str {
        if a < b { a } else { b }
    }

    fn text_array(parts: Vec<String>, null: Option<&str>) -> Array {
        let value = |p: String| if Some(p.as_str()) == null { Datum::Null } else { Datum::from(p) };
        Array::one_dimensional(oid::TEXT, parts.into_iter().map(value).collect())
    }

    #[ext::function(oid = 394)]
    pub fn string_to_array(v: Option<&str>, delimiter: Option<&str>) -> Option<Array> {
        v.map(|v| text_array(split_text(v, delimiter), None))
    }

    #[ext::function(oid = 376)]
    pub fn string_to_array_null(v: Option<&str>, delimiter: Option<&str>, null: Option<&str>) -> Option<Array> {
        v.map(|v| text_array(split_text(v, delimiter), null))
    }

    #[ext::set_function(oid = 6160)]
    pub fn string_to_table(v: Option<&str>, delimiter: Option<&str>) -> Vec<String> {
        v.map(|v| split_text(v, delimiter)).unwrap_or_default()
    }

    #[ext::set_function(oid = 6161)]
    pub fn string_to_table_null(v: Option<&str>, delimiter: Option<&str>, null: Option<&str>) -> Vec<Option<String>> {
        let parts = v.map(|v| split_text(v, delimiter)).unwrap_or_default();
        parts.into_iter().map(|p| (Some(p.as_str()) != null).then_some(p)).collect()
    }

    #[ext::function(oid = 6198)]
    pub fn unistr(v: &str) -> Result<String> {
        unescape(v)
    }

    fn normal_form(form: &str) -> Result<u8> {
        Ok(match form.to_ascii_uppercase().as_str() {
            "NFC" => 0,
            "NFD" => 1,
            "NFKC" => 2,
            "NFKD" => 3,
            _ => return Err(invalid(format!("invalid normalization form: {form}"))),
        })
    }

    #[ext::function(oid = 4350)]
    pub fn normalize(v: &str, form: &str) -> Result<String> {
        Ok(match normal_form(form)? {
            0 => v.nfc().collect(),
            1 => v.nfd().collect(),
            2 => v.nfkc().collect(),
            _ => v.nfkd().collect(),
        })
    }

    #[ext::function(oid = 4351)]
    pub fn is_normalized(v: &str, form: &str) -> Result<bool> {
        Ok(normalize(v, form)? == v)
    }

    #[ext::function(oid = 1268)]
    pub fn parse_ident(v: &str, strict: bool) -> Result<Array> {
        Ok(text_array(identifier_parts(v, strict)?, None))
    }

    #[ext::function(oid = 266)]
    pub fn name_and_oid(v: &str, id: ext::Oid) -> String {
        let suffix = format!("_{id}");
        let mut room = types::io::text::NAME_BYTES_MAX - suffix.len();
        while !v.is_char_boundary(room.min(v.len())) {
            room -= 1;
        }
        v[..room.min(v.len())].to_owned() + &suffix
    }
}
