//! `to_char` and `to_number` of numbers.

use types::{Numeric, Result, SqlError, SqlState};

use crate::datetime_text::quoted;

/// Where `S` puts the sign.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Anchor {
    Before,
    After,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Item {
    Nine,
    Zero,
    Point,
    Group,
    Currency,
    Sign,
    Minus,
    Plus,
    SignHere,
    Bracket,
    Roman { lower: bool },
    Ordinal { lower: bool },
    Shift,
    Char(char),
}

#[derive(Default)]
struct Template {
    items: Vec<Item>,
    fill: bool,
    blank: bool,
    scientific: bool,
    roman: bool,
    bracket: bool,
    minus: bool,
    plus: bool,
    sign: bool,
    point: bool,
    /// Digits before and after the point; those after `V` stand before it.
    before: usize,
    after: usize,
    shift: usize,
    /// Digits before the point that came before `S`.
    before_sign: usize,
    /// The first `0` before the point.
    zero: Option<usize>,
    /// Digits after the point up to the last `0`.
    zero_after: usize,
}

fn syntax(message: &str) -> SqlError {
    SqlError::new(SqlState::SYNTAX_ERROR, message)
}

impl Template {
    fn parse(text: &str) -> Result<Template> {
        const WORDS: [(&str, &str); 10] = [
            ("EEEE", "eeee"),
            ("FM", "fm"),
            ("MI", "mi"),
            ("PL", "pl"),
            ("PR", "pr"),
            ("RN", "rn"),
            ("SG", "sg"),
            ("SP", "sp"),
            ("TH", "th"),
            ("V", "v"),
        ];
        let mut t = Template::default();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if t.scientific && !c.is_whitespace() {
                return Err(syntax("\"EEEE\" must be the last pattern used"));
            }
            let word = WORDS.iter().find_map(|(u, l)| {
                if rest.starts_with(u) {
                    Some((*u, false))
                } else if rest.starts_with(l) {
                    Some((*u, true))
                } else {
                    None
                }
            });
            if let Some((word, lower)) = word {
                rest = &rest[word.len()..];
                match word {
                    "EEEE" => {
                        if t.fill || t.sign || t.bracket || t.minus || t.plus || t.roman || t.shift > 0 {
                            return Err(syntax("\"EEEE\" is incompatible with other formats")
                                .detail("\"EEEE\" may only be used together with digit and decimal point patterns."));
                        }
                        t.scientific = true;
                    }
                    "FM" => t.fill = true,
                    "MI" => {
                        if t.sign {
                            return Err(syntax("cannot use \"S\" and \"MI\" together"));
                        }
                        t.minus = true;
                        t.items.push(Item::Minus);
                    }
                    "PL" => {
                        if t.sign {
                            return Err(syntax("cannot use \"S\" and \"PL\" together"));
                        }
                        t.plus = true;
                        t.items.push(Item::Plus);
                    }
                    "SG" => {
                        if t.sign {
                            return Err(syntax("cannot use \"S\" and \"SG\" together"));
                        }
                        (t.minus, t.plus) = (true, true);
                        t.items.push(Item::SignHere);
                    }
                    "PR" => {
                        if t.sign || t.plus || t.minus {
                            return Err(syntax("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together"));
                        }
                        t.bracket = true;
                        t.items.push(Item::Bracket);
                    }
                    "RN" => {
                        t.roman = true;
                        t.items.push(Item::Roman { lower });
                    }
                    "TH" => t.items.push(Item::Ordinal { lower }),
                    "V" => {
                        if t.point {
                            return Err(syntax("cannot use \"V\" and decimal point together"));
                        }
                        t.items.push(Item::Shift);
                        t.shift += 1;
                    }
                    _ => {}
                }
                continue;
            }
            rest = &rest[c.len_utf8()..];
            match c {
                '9' | '0' => {
                    if t.bracket && c == '9' {
                        return Err(syntax("\"9\" must be ahead of \"PR\""));
                    }
                    if t.bracket {
                        return Err(syntax("\"0\" must be ahead of \"PR\""));
                    }
                    if t.point {
                        t.after += 1;
                        if c == '0' {
                            t.zero_after = t.after;
                        }
                    } else {
                        if c == '0' && t.zero.is_none() {
                            t.zero = Some(t.before);
                        }
                        t.before += 1;
                        if t.shift > 0 {
                            t.shift += 1;
                        }
                    }
                    t.items.push(if c == '9' { Item::Nine } else { Item::Zero });
                }
                '.' | 'D' | 'd' => {
                    if t.point {
                        return Err(syntax("multiple decimal points"));
                    }
                    if t.shift > 0 {
                        return Err(syntax("cannot use \"V\" and decimal point together"));
                    }
                    t.point = true;
                    t.items.push(Item::Point);
                }
                ',' | 'G' | 'g' => t.items.push(Item::Group),
                'L' | 'l' => t.items.push(Item::Currency),
                'S' | 's' => {
                    if t.sign {
                        return Err(syntax("cannot use \"S\" twice"));
                    }
                    if t.plus || t.minus || t.bracket {
                        return Err(syntax("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together"));
                    }
                    t.sign = true;
                    t.before_sign = t.before;
                    t.items.push(Item::Sign);
                }
                'B' | 'b' => t.blank = true,
                '"' => {
                    let (text, after) = quoted(rest);
                    t.items.extend(text.into_iter().map(Item::Char));
                    rest = after;
                }
                '\\' if rest.starts_with('"') => {
                    t.items.push(Item::Char('"'));
                    rest = &rest[1..];
                }
                c => t.items.push(Item::Char(c)),
            }
        }
        // The word V counts itself.
        t.shift = t.shift.saturating_sub(1);
        Ok(t)
    }

    fn anchor(&self) -> Anchor {
        if self.before_sign < self.before || (self.before == 0 && self.before_sign == 0 && self.starts_with_sign()) {
            Anchor::Before
        } else {
            Anchor::After
        }
    }

    fn starts_with_sign(&self) -> bool {
        matches!(self.items.first(), Some(Item::Sign))
    }

    /// Lays a number out: its sign, digits before and after the point (or `#`s).
    fn lay_out(&self, negative: bool, whole: &str, fraction: &str) -> Result<String> {
        let has_ordinal = self.items.iter().any(|i| matches!(i, Item::Ordinal { .. }));
        if has_ordinal && whole == "NaN" && self.before >= 3 {
            let message = format!("\"{whole}\" is not a number");
            return Err(SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, message));
        }
        let (whole, fraction) = if whole.len() > self.before {
            ("#".repeat(self.before), "#".repeat(fraction.len()))
        } else if whole == "NaN" {
            (whole.to_owned(), String::new())
        } else {
            (whole.to_owned(), fraction.to_owned())
        };
        let overflow = whole.starts_with('#') || fraction.starts_with('#');
        // With `FM` zeros at the end go, but for those the template asks for.
        let kept = if self.fill && self.point {
            fraction.trim_end_matches('0').len().max(self.zero_after.min(fraction.len()))
        } else {
            fraction.len()
        };
        // A lone zero before the point is not shown, unless the template has a `0` there, or nothing else would be.
        let hide_zero = whole == "0" && self.zero.is_none() && self.after > 0 && !(self.fill && kept == 0);
        let digits = if hide_zero { "" } else { &whole };
        let start = self.before - digits.len();
        let first = self.zero.map_or(start, |z| z.min(start));
        let sign_apart = self.minus;
        let anchor = self.anchor();
        let mut out = String::new();
        let (mut place, mut after, mut signed) = (0, 0, false);
        let positions = self.before + self.after;
        let put_sign = |out: &mut String, signed: &mut bool| {
            if std::mem::replace(signed, true) || sign_apart {
                return;
            }
            if self.sign {
                if anchor == Anchor::Before {
                    out.push(if negative { '-' } else { '+' });
                }
            } else if self.bracket {
                if negative {
                    out.push('<');
                } else if !self.fill {
                    out.push(' ');
                }
            } else if negative {
                out.push('-');
            } else if !self.fill {
                out.push(' ');
            }
        };
        let mut done = 0;
        for item in &self.items {
            match item {
                Item::Nine | Item::Zero if place < self.before => {
                    if place < first {
                        if !self.fill {
                            out.push(' ');
                        }
                    } else {
                        put_sign(&mut out, &mut signed);
                        out.push(if place < start { '0' } else { digits.as_bytes()[place - start].into() });
                    }
                    place += 1;
                    done += 1;
                }
                Item::Nine | Item::Zero => {
                    if after < kept {
                        put_sign(&mut out, &mut signed);
                        out.push(fraction.as_bytes()[after].into());
                    }
                    after += 1;
                    done += 1;
                }
                Item::Point => {
                    put_sign(&mut out, &mut signed);
                    if whole != "NaN" {
                        out.push('.');
                    }
                }
                Item::Group => {
                    if place > first {
                        out.push(',');
                    } else if !self.fill {
                        out.push(' ');
                    }
                }
                Item::Currency => out.push(' '),
                Item::Minus => {
                    if negative {
                        out.push('-');
                    } else if !self.fill {
                        out.push(' ');
                    }
                }
                Item::Plus => {
                    if !negative {
                        out.push('+');
                    } else if !self.fill {
                        out.push(' ');
                    }
                }
                Item::SignHere => out.push(if negative { '-' } else { '+' }),
                Item::Ordinal { lower } => {
                    if !overflow && !negative && !self.point {
                        let th = crate::datetime_text::ordinal(&whole);
                        out.push_str(&if *lower { th.to_owned() } else { th.to_ascii_uppercase() });
                    }
                }
                Item::Char(c) => out.push(*c),
                Item::Sign | Item::Bracket | Item::Roman { .. } | Item::Shift => {}
            }
            if done == positions && matches!(item, Item::Nine | Item::Zero | Item::Point) {
                // The last digit: what comes behind the number follows.
                done += 1;
                if self.bracket {
                    if negative {
                        out.push('>');
                    } else if !self.fill {
                        out.push(' ');
                    }
                } else if self.sign && anchor == Anchor::After {
                    out.push(if negative { '-' } else { '+' });
                }
            }
        }
        Ok(out)
    }
}

/// `n` in Roman numerals; none outside 1 to 3999.
fn roman(n: i64) -> Option<String> {
    if !(1..=3999).contains(&n) {
        return None;
    }
    const STEPS: [(i64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let (mut n, mut out) = (n, String::new());
    for (value, text) in STEPS {
        while n >= value {
            out.push_str(text);
            n -= value;
        }
    }
    Some(out)
}

fn show_roman(t: &Template, n: Option<i64>) -> String {
    let lower = t.items.iter().any(|i| matches!(i, Item::Roman { lower: true }));
    let text = n.and_then(roman).unwrap_or_else(|| "#".repeat(15));
    let text = if lower { text.to_ascii_lowercase() } else { text };
    if t.fill { text } else { format!("{text:>15}") }
}

/// The text of a number's magnitude, taken apart at the point.
fn split(text: &str) -> (String, String) {
    let text = text.trim_start_matches('-');
    match text.split_once('.') {
        Some((a, b)) => (a.to_owned(), b.to_owned()),
        None => (text.to_owned(), String::new()),
    }
}

fn text_of(v: &Numeric) -> String {
    let mut out = Vec::new();
    v.format(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

fn show_scientific(t: &Template, negative: bool, special: bool, text: impl FnOnce() -> String) -> String {
    if special {
        return format!(" {}.{}####", "#".repeat(t.before), "#".repeat(t.after)).replacen(". ", ".", 1);
    }
    format!("{}{}", if negative { "-" } else { " " }, text().trim_start_matches('-'))
}

fn show_numeric(template: &str, v: &Numeric) -> Result<String> {
    let t = Template::parse(template)?;
    if t.scientific {
        let special = !v.is_finite();
        return Ok(show_scientific(&t, v.is_negative(), special, || v.format_scientific(t.after as u32)));
    }
    if t.roman {
        return Ok(show_roman(&t, v.round(0).to_i64().ok()));
    }
    let scaled = if t.shift > 0 && v.is_finite() {
        let factor = Numeric::parse(&format!("1e{}", t.shift))?;
        v.mul(&factor)?
    } else {
        v.clone()
    };
    let rounded = if v.is_finite() { scaled.round(t.after as i32) } else { scaled };
    let text = text_of(&rounded);
    let (whole, mut fraction) = split(&text);
    if !v.is_finite() {
        fraction = "0".repeat(t.after);
    }
    let negative = text.starts_with('-');
    t.lay_out(negative, &whole, &fraction)
}

/// Floats keep fifteen (`float4`: six) significant digits.
fn show_float(template: &str, v: f64, digits: usize) -> Result<String> {
    let t = Template::parse(template)?;
    if t.scientific {
        return Ok(show_scientific(&t, v.is_sign_negative() && !v.is_nan(), !v.is_finite(), || {
            let text = format!("{:.*e}", t.after, v.abs());
            match text.split_once('e') {
                Some((m, e)) => {
                    let n: i32 = e.parse().unwrap_or(0);
                    format!("{m}e{}{:02}", if n < 0 { '-' } else { '+' }, n.abs())
                }
                None => text,
            }
        }));
    }
    if t.roman {
        let n = v.round_ties_even();
        return Ok(show_roman(&t, (n.abs() < 1e9).then_some(n as i64)));
    }
    let scaled = if t.shift > 0 { v * 10f64.powi(t.shift as i32) } else { v };
    if !scaled.is_finite() {
        let text = if scaled.is_nan() { "NaN" } else { "Infinity" };
        let after = if text.len() >= digits { 0 } else { t.after.min(digits - text.len()) };
        return t.lay_out(scaled < 0.0, text, &"0".repeat(after));
    }
    let whole_len = format!("{:.0}", scaled.abs()).len();
    let after = if whole_len >= digits { 0 } else { t.after.min(digits - whole_len) };
    let text = format!("{:.*}", after, scaled.abs());
    let (whole, fraction) = split(&text);
    let negative = scaled < 0.0;
    t.lay_out(negative, &whole, &fraction)
}

fn roman_value(text: &str) -> Option<i64> {
    let upper = text.trim().to_ascii_uppercase();
    (1..=3999).find(|&n| roman(n).is_some_and(|r| r == upper))
}

/// Reads a number by a template.
fn read(text: &str, template: &str) -> Result<Numeric> {
    let t = Template::parse(template)?;
    if t.scientific {
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "\"EEEE\" not supported for input"));
    }
    if t.roman && !text.is_empty() {
        let n = roman_value(text);
        return n
            .map(Numeric::from)
            .ok_or_else(|| SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, "invalid Roman numeral"));
    }
    let mut digits = String::new();
    let (mut negative, mut point) = (false, false);
    let mut rest = text.trim_start();
    let mut take_sign = |rest: &mut &str, bracket: bool| {
        let trimmed = rest.trim_start();
        match trimmed.chars().next() {
            Some('-') => negative = true,
            Some('<') if bracket => negative = true,
            Some('+') => {}
            _ => return,
        }
        *rest = &trimmed[1..];
    };
    for item in &t.items {
        if rest.is_empty() {
            break;
        }
        match item {
            Item::Nine | Item::Zero => {
                take_sign(&mut rest, t.bracket);
                rest = rest.trim_start();
                match rest.chars().next() {
                    Some(c) if c.is_ascii_digit() => {
                        digits.push(c);
                        rest = &rest[1..];
                    }
                    Some('.') if !point && t.point => {
                        point = true;
                        digits.push('.');
                        rest = &rest[1..];
                    }
                    // Anything else takes the place of a digit.
                    Some(c) => rest = &rest[c.len_utf8()..],
                    None => {}
                }
            }
            Item::Point => match rest.chars().next() {
                Some('.') if !point => {
                    point = true;
                    digits.push('.');
                    rest = &rest[1..];
                }
                Some(c) if !c.is_ascii_digit() && c != '.' => rest = &rest[c.len_utf8()..],
                _ => {}
            },
            Item::Group => rest = rest.strip_prefix(',').unwrap_or(rest),
            Item::Currency => {
                let c = rest.chars().next();
                if c.is_some_and(|c| !c.is_ascii_digit() && !matches!(c, '+' | '-')) {
                    rest = &rest[c.map_or(0, char::len_utf8)..];
                }
            }
            Item::Sign | Item::Minus | Item::Plus | Item::SignHere => take_sign(&mut rest, false),
            Item::Bracket => rest = rest.strip_prefix('>').unwrap_or(rest),
            Item::Ordinal { .. } => rest = rest.get(2..).unwrap_or_default(),
            Item::Char(_) => {
                let c = rest.chars().next();
                rest = &rest[c.map_or(0, char::len_utf8)..];
            }
            Item::Roman { .. } | Item::Shift => {}
        }
    }
    if rest.trim_start().starts_with('-') && t.sign {
        negative = true;
    }
    if !digits.bytes().any(|b| b.is_ascii_digit()) {
        let message = "invalid input syntax for type numeric: \" \"";
        return Err(SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, message));
    }
    let value = Numeric::parse(&digits)?;
    let value = if negative { value.neg() } else { value };
    // The template's digits are all there is room for.
    let typmod = (((t.before + t.after) as i32) << 16 | t.after as i32) + 4;
    if t.before + t.after <= 1000
        && let Err(mut e) = value.clone().apply_typmod(typmod)
    {
        e.fields_mut().detail = None;
        return Err(e);
    }
    if t.shift > 0 {
        let factor = Numeric::parse(&format!("1e{}", t.shift))?;
        return value.div(&factor);
    }
    Ok(value)
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = 1772, stable)]
    pub fn to_char_numeric(v: Numeric, format: &str) -> Result<String> {
        show_numeric(format, &v)
    }

    #[ext::function(each(i32 = 1773, i64 = 1774), stable)]
    pub fn to_char_int<T: Into<i64>>(v: T, format: &str) -> Result<String> {
        let v: i64 = v.into();
        let shift = Template::parse(format)?.shift as u32;
        if shift > 0 && 10i64.checked_pow(shift).and_then(|p| v.checked_mul(p)).is_none() {
            return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"));
        }
        show_numeric(format, &Numeric::from(v))
    }

    #[ext::function(oid = 1775, stable)]
    pub fn to_char_float4(v: f32, format: &str) -> Result<String> {
        show_float(format, v.into(), 6)
    }

    #[ext::function(oid = 1776, stable)]
    pub fn to_char_float8(v: f64, format: &str) -> Result<String> {
        show_float(format, v, 15)
    }

    #[ext::function(oid = 1777, stable)]
    pub fn to_number(text: &str, format: &str) -> Result<Option<Numeric>> {
        if format.is_empty() {
            return Ok(None);
        }
        read(text, format).map(Some)
    }
}
