//! `format`.

use types::{Result, SqlError, SqlState};

/// One `%` specifier.
struct Specifier {
    /// From 1; the next one when none.
    argument: Option<i32>,
    left: bool,
    width: Width,
    kind: char,
}

enum Width {
    None,
    Fixed(i32),
    /// Of an argument: from 1, or the next one.
    Argument(Option<i32>),
}

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn unterminated() -> SqlError {
    invalid("unterminated format() type specifier").hint("For a single \"%\" use \"%%\".")
}

/// Digits as a number; none when there are none.
fn number(rest: &mut &str) -> Result<Option<i32>> {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    if end == 0 {
        return Ok(None);
    }
    let out = || SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range");
    let n: i32 = rest[..end].parse().map_err(|_| out())?;
    *rest = &rest[end..];
    if rest.is_empty() { Err(unterminated()) } else { Ok(Some(n)) }
}

fn argument_number(n: i32) -> Result<i32> {
    if n == 0 { Err(invalid("format specifies argument 0, but arguments are numbered from 1")) } else { Ok(n) }
}

/// What stands after a `%`.
fn specifier(rest: &mut &str) -> Result<Specifier> {
    let mut s = Specifier { argument: None, left: false, width: Width::None, kind: ' ' };
    if let Some(n) = number(rest)? {
        match rest.strip_prefix('$') {
            Some(more) => {
                s.argument = Some(argument_number(n)?);
                *rest = more;
                if rest.is_empty() {
                    return Err(unterminated());
                }
            }
            None => s.width = Width::Fixed(n),
        }
    }
    if matches!(s.width, Width::None) {
        while let Some(more) = rest.strip_prefix('-') {
            s.left = true;
            *rest = more;
            if rest.is_empty() {
                return Err(unterminated());
            }
        }
        if let Some(more) = rest.strip_prefix('*') {
            *rest = more;
            if rest.is_empty() {
                return Err(unterminated());
            }
            s.width = Width::Argument(None);
            if let Some(n) = number(rest)? {
                match rest.strip_prefix('$') {
                    Some(more) => *rest = more,
                    None => return Err(invalid("width argument position must be ended by \"$\"")),
                }
                s.width = Width::Argument(Some(argument_number(n)?));
            }
        } else if let Some(n) = number(rest)? {
            s.width = Width::Fixed(n);
        }
    }
    let mut chars = rest.chars();
    s.kind = chars.next().ok_or_else(unterminated)?;
    *rest = chars.as_str();
    Ok(s)
}

#[ext::module]
pub(crate) mod functions {
    use ext::Call;
    use types::{Datum, Oid};

    use super::*;
    use crate::text::characters;
    use crate::text::functions::spread;

    fn pad(out: &mut String, text: &str, width: i64, left: bool) {
        let missing = (width.unsigned_abs() as usize).saturating_sub(characters(text));
        let blanks = " ".repeat(missing.min(crate::text::BYTES_MAX));
        if left || width < 0 {
            out.push_str(text);
            out.push_str(&blanks);
        } else {
            out.push_str(&blanks);
            out.push_str(text);
        }
    }

    #[ext::function(oid = 3539, stable)]
    pub fn format(call: &mut Call<'_>, template: &Datum, args: &[Datum]) -> Result<Option<String>> {
        let Some(template) = template.as_str() else { return Ok(None) };
        let args: Vec<(Oid, Datum)> = spread(call, args, 1).unwrap_or_default();
        fill(call, template, &args).map(Some)
    }

    #[ext::function(oid = 3540, stable)]
    pub fn format_alone(call: &mut Call<'_>, template: Option<&str>) -> Result<Option<String>> {
        template.map(|t| fill(call, t, &[])).transpose()
    }

    fn fill(call: &mut Call<'_>, template: &str, args: &[(Oid, Datum)]) -> Result<String> {
        let few = || invalid("too few arguments for format()");
        let mut out = String::with_capacity(template.len());
        let (mut rest, mut next) = (template, 0usize);
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if rest.is_empty() {
                return Err(unterminated());
            }
            if let Some(more) = rest.strip_prefix('%') {
                out.push('%');
                rest = more;
                continue;
            }
            let s = specifier(&mut rest)?;
            if !matches!(s.kind, 's' | 'I' | 'L') {
                return Err(invalid(format!("unrecognized format() type specifier \"{}\"", s.kind))
                    .hint("For a single \"%\" use \"%%\"."));
            }
            let width = match s.width {
                Width::None => 0,
                Width::Fixed(n) => i64::from(n),
                Width::Argument(which) => {
                    let i = which.map_or(next, |n| n as usize - 1);
                    next = i + 1;
                    match args.get(i).ok_or_else(few)? {
                        (_, Datum::Null) => 0,
                        (_, Datum::I32(n)) => i64::from(*n),
                        (_, Datum::I16(n)) => i64::from(*n),
                        (ty, d) => i64::from(types::io::integer::parse_i32(&call.text_of(*ty, d)?)?),
                    }
                }
            };
            let i = s.argument.map_or(next, |n| n as usize - 1);
            next = i + 1;
            let (ty, d) = args.get(i).ok_or_else(few)?;
            let text = if d.is_null() {
                match s.kind {
                    's' => String::new(),
                    'L' => "NULL".to_owned(),
                    _ => {
                        return Err(SqlError::new(
                            SqlState::NULL_VALUE_NOT_ALLOWED,
                            "null values cannot be formatted as an SQL identifier",
                        ));
                    }
                }
            } else {
                let text = call.text_of(*ty, d)?;
                match s.kind {
                    's' => text,
                    'I' => syntax::quote_ident(&text),
                    _ => crate::text::literal(&text),
                }
            };
            pad(&mut out, &text, width, s.left);
        }
        out.push_str(rest);
        Ok(out)
    }
}
