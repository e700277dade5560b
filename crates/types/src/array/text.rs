//! Text form of arrays, and of `int2vector` and `oidvector`.

use super::*;
use crate::io::{IoSettings, is_space, text_in_with, text_out_with};

/// What stands at a place in array text.
enum Token {
    Open,
    Close,
    Delimiter,
    Element(String),
    Null,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    delimiter: char,
}

impl<'a> Reader<'a> {
    fn malformed(&self, detail: impl Into<String>) -> SqlError {
        SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, format!("malformed array literal: \"{}\"", self.text))
            .detail(detail)
    }

    fn unexpected(&self, c: char) -> SqlError {
        self.malformed(format!("Unexpected \"{c}\" character."))
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches(is_space).len();
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    /// An integer of a dimension; none when there is no digit.
    fn bound(&mut self) -> Result<Option<i32>> {
        let rest = &self.text.as_bytes()[self.at..];
        let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
        let digits = rest[sign..].iter().take_while(|c| c.is_ascii_digit()).count();
        if digits == 0 {
            return Ok(None);
        }
        let end = self.at + sign + digits;
        let value = self.text[self.at..end].parse::<i32>();
        self.at = end;
        value
            .map(Some)
            .map_err(|_| SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "array bound is out of integer range"))
    }

    /// The dimensions before the equals sign, if any.
    fn dimensions(&mut self) -> Result<Vec<Dimension>> {
        let mut out = Vec::new();
        loop {
            self.skip_space();
            if !self.take('[') {
                break;
            }
            if out.len() >= DIMENSIONS_MAX {
                return Err(too_many_dimensions());
            }
            self.skip_space();
            let Some(first) = self.bound()? else {
                return Err(self.malformed("\"[\" must introduce explicitly-specified array dimensions."));
            };
            self.skip_space();
            let (lower, upper) = if self.take(':') {
                self.skip_space();
                let Some(upper) = self.bound()? else {
                    return Err(self.malformed("Missing array dimension value."));
                };
                (first, upper)
            } else {
                (1, first)
            };
            self.skip_space();
            if !self.take(']') {
                return Err(self.malformed("Missing \"]\" after array dimensions."));
            }
            if upper < lower {
                return Err(SqlError::new(
                    SqlState::ARRAY_SUBSCRIPT_ERROR,
                    "upper bound cannot be less than lower bound",
                ));
            }
            if upper == i32::MAX {
                return Err(SqlError::new(
                    SqlState::PROGRAM_LIMIT_EXCEEDED,
                    format!("array upper bound is too large: {upper}"),
                ));
            }
            let len = i32::try_from(i64::from(upper) - i64::from(lower) + 1).map_err(|_| too_many_elements())?;
            out.push(Dimension { len, lower });
        }
        Ok(out)
    }

    fn token(&mut self) -> Result<Token> {
        self.skip_space();
        let Some(c) = self.peek() else { return Err(self.malformed("Unexpected end of input.")) };
        match c {
            '{' | '}' => {
                self.at += 1;
                Ok(if c == '{' { Token::Open } else { Token::Close })
            }
            c if c == self.delimiter => {
                self.at += c.len_utf8();
                Ok(Token::Delimiter)
            }
            '"' => self.quoted(),
            _ => self.bare(),
        }
    }

    fn quoted(&mut self) -> Result<Token> {
        self.at += 1;
        let mut out = String::new();
        let mut chars = self.text[self.at..].char_indices();
        let mut end = None;
        while let Some((i, c)) = chars.next() {
            match c {
                '"' => {
                    end = Some(self.at + i + 1);
                    break;
                }
                '\\' => match chars.next() {
                    Some((_, c)) => out.push(c),
                    None => break,
                },
                c => out.push(c),
            }
        }
        let Some(end) = end else { return Err(self.malformed("Unexpected end of input.")) };
        self.at = end;
        self.skip_space();
        match self.peek() {
            None => Err(self.malformed("Unexpected end of input.")),
            Some(c) if c == self.delimiter || c == '}' || c == '{' => Ok(Token::Element(out)),
            Some(_) => Err(self.malformed("Incorrectly quoted array element.")),
        }
    }

    fn bare(&mut self) -> Result<Token> {
        let mut out = String::new();
        // Blanks at the end do not count unless escaped.
        let (mut kept, mut escaped) = (0, false);
        let mut chars = self.text[self.at..].char_indices();
        while let Some((i, c)) = chars.next() {
            match c {
                '{' => return Err(self.unexpected('{')),
                '"' => return Err(self.malformed("Incorrectly quoted array element.")),
                '\\' => {
                    escaped = true;
                    let Some((_, c)) = chars.next() else { break };
                    out.push(c);
                    kept = out.len();
                }
                c if c == '}' || c == self.delimiter => {
                    self.at += i;
                    out.truncate(kept);
                    let null = !escaped && out.eq_ignore_ascii_case("null");
                    return Ok(if null { Token::Null } else { Token::Element(out) });
                }
                c => {
                    out.push(c);
                    if !is_space(c) {
                        kept = out.len();
                    }
                }
            }
        }
        Err(self.malformed("Unexpected end of input."))
    }
}

/// Reads an array of `element`s of `typmod`.
pub fn text_in(element: Oid, typmod: i32, text: &str, settings: &IoSettings, types: &dyn TypeLookup) -> Result<Datum> {
    let mut r = Reader { text, at: 0, delimiter: ',' };
    let declared = r.dimensions()?;
    if declared.is_empty() {
        if r.peek() != Some('{') {
            return Err(r.malformed("Array value must start with \"{\" or dimension information."));
        }
    } else {
        r.skip_space();
        if !r.take('=') {
            return Err(r.malformed("Missing \"=\" after array dimensions."));
        }
        r.skip_space();
        if r.peek() != Some('{') {
            return Err(r.malformed("Array contents must start with \"{\"."));
        }
    }
    let (lengths, values) = contents(&mut r, element, typmod, settings, types)?;
    r.skip_space();
    if r.at < text.len() {
        return Err(r.malformed("Junk after closing right brace."));
    }
    let found: Vec<Dimension> = lengths.iter().map(|len| Dimension { len: *len, lower: 1 }).collect();
    if !declared.is_empty() {
        if declared.len() != found.len() || declared.iter().zip(&found).any(|(a, b)| a.len != b.len) {
            return Err(r.malformed("Specified array dimensions do not match array contents."));
        }
        return Ok(Array { element, dimensions: declared, values }.to_datum());
    }
    if values.is_empty() {
        return Ok(Array::empty(element).to_datum());
    }
    Ok(Array { element, dimensions: found, values }.to_datum())
}

/// Reads from the first brace to its partner: the length of each dimension and the elements.
fn contents(
    r: &mut Reader<'_>,
    element: Oid,
    typmod: i32,
    settings: &IoSettings,
    types: &dyn TypeLookup,
) -> Result<(Vec<i32>, Vec<Datum>)> {
    const MISMATCH: &str = "Multidimensional arrays must have sub-arrays with matching dimensions.";
    let mut values = Vec::new();
    // Length of each dimension once its first sub-array has closed; elements so far at each open level.
    let mut lengths: Vec<Option<i32>> = Vec::new();
    let mut open: Vec<i32> = Vec::new();
    let (mut frozen, mut expect_delimiter) = (false, false);
    loop {
        match r.token()? {
            Token::Open => {
                if expect_delimiter {
                    return Err(r.unexpected('{'));
                }
                if open.len() >= DIMENSIONS_MAX {
                    return Err(too_many_dimensions());
                }
                open.push(0);
                if open.len() > lengths.len() {
                    if frozen {
                        return Err(r.malformed(MISMATCH));
                    }
                    lengths.push(None);
                }
            }
            Token::Close => {
                let Some(count) = open.pop() else { return Err(r.unexpected('}')) };
                if count > 0 && !expect_delimiter {
                    return Err(r.unexpected('}'));
                }
                frozen = true;
                match &mut lengths[open.len()] {
                    Some(len) if *len != count => return Err(r.malformed(MISMATCH)),
                    len => *len = Some(count),
                }
                let Some(parent) = open.last_mut() else { break };
                *parent += 1;
                expect_delimiter = true;
            }
            Token::Delimiter => {
                if !expect_delimiter {
                    return Err(r.unexpected(r.delimiter));
                }
                expect_delimiter = false;
            }
            token @ (Token::Element(_) | Token::Null) => {
                if expect_delimiter {
                    return Err(r.malformed("Unexpected array element."));
                }
                frozen = true;
                if open.len() != lengths.len() {
                    return Err(r.malformed(MISMATCH));
                }
                if values.len() >= ELEMENTS_MAX {
                    return Err(too_many_elements());
                }
                values.push(match token {
                    Token::Element(s) => text_in_with(element, typmod, &s, settings, types)?,
                    _ => Datum::Null,
                });
                if let Some(count) = open.last_mut() {
                    *count += 1;
                }
                expect_delimiter = true;
            }
        }
    }
    Ok((lengths.into_iter().map(|l| l.unwrap_or(0)).collect(), values))
}

fn needs_quotes(s: &[u8]) -> bool {
    s.is_empty()
        || s.eq_ignore_ascii_case(b"null")
        || s.iter().any(|c| matches!(c, b'"' | b'\\' | b'{' | b'}' | b',' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c))
}

/// Writes an array.
pub fn text_out(bytes: &[u8], settings: &IoSettings, types: &dyn TypeLookup, out: &mut Vec<u8>) -> Result<()> {
    let v = ArrayView::new(bytes);
    let dimensions = v.dimensions();
    if v.is_empty() {
        out.extend_from_slice(b"{}");
        return Ok(());
    }
    if dimensions.iter().any(|d| d.lower != 1) {
        for d in &dimensions {
            out.extend_from_slice(format!("[{}:{}]", d.lower, i64::from(d.lower) + i64::from(d.len) - 1).as_bytes());
        }
        out.push(b'=');
    }
    // At each element, as many braces open and close as dimensions begin and end there.
    let mut strides: Vec<usize> = vec![1];
    for d in dimensions.iter().rev() {
        strides.push(strides.last().copied().unwrap_or(1) * d.len as usize);
    }
    let braces = |i: usize| strides[1..].iter().filter(|s| i.is_multiple_of(**s)).count();
    let mut element = Vec::new();
    for i in 0..v.len() {
        if i > 0 {
            out.push(b',');
        }
        out.extend(std::iter::repeat_n(b'{', braces(i)));
        let d = v.get(i);
        if d.is_null() {
            out.extend_from_slice(b"NULL");
        } else {
            element.clear();
            text_out_with(v.element(), &d, settings, types, &mut element)?;
            if needs_quotes(&element) {
                out.push(b'"');
                for c in &element {
                    if matches!(c, b'"' | b'\\') {
                        out.push(b'\\');
                    }
                    out.push(*c);
                }
                out.push(b'"');
            } else {
                out.extend_from_slice(&element);
            }
        }
        out.extend(std::iter::repeat_n(b'}', braces(i + 1)));
    }
    Ok(())
}

/// Reads an `int2vector` or `oidvector`: numbers with blanks between, subscripts from 0.
pub fn vector_in(element: Oid, text: &str) -> Result<Datum> {
    let mut values = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        let end = rest.find(is_space).unwrap_or(rest.len());
        let word = &rest[..end];
        values.push(if element == crate::oid::INT2 {
            Datum::I16(crate::io::integer::parse_i16(word)?)
        } else {
            // An OID ends at its last digit, whatever follows is the next one.
            let digits =
                word.len() - word.trim_start_matches(|c: char| c == '-' || c == '+' || c.is_ascii_digit()).len();
            if digits > 0 && digits < word.len() {
                crate::io::integer::parse_u32(&word[..digits], "oid")?;
                return Err(crate::io::bad_input("oid", &rest[digits..]));
            }
            Datum::U32(crate::io::integer::parse_u32(word, "oid").map_err(|e| {
                if e.state() == SqlState::INVALID_TEXT_REPRESENTATION { crate::io::bad_input("oid", rest) } else { e }
            })?)
        });
        rest = rest[end..].trim_start_matches(is_space);
    }
    let dimensions = vec![Dimension { len: values.len() as i32, lower: 0 }];
    Ok(Array { element, dimensions, values }.to_datum())
}

/// Writes an `int2vector` or `oidvector`.
pub fn vector_out(bytes: &[u8], out: &mut Vec<u8>) {
    for (i, v) in ArrayView::new(bytes).iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        match v {
            Datum::I16(v) => out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes()),
            Datum::U32(v) => out.extend_from_slice(itoa::Buffer::new().format(v).as_bytes()),
            _ => {}
        }
    }
}
