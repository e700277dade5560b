//! Numbers and parameters.

use super::{DIGIT, IDENT_CONT, IDENT_START, Lexer, Tok, Token, class};

/// Which digits, how many there are, and the message when there is none.
type Radix = (fn(u8) -> bool, u32, &'static str);

impl Lexer<'_> {
    /// Digits that `ok` takes, single underscores between; returns the end. Nothing taken: returns `i`.
    fn digits(&self, mut i: usize, ok: fn(u8) -> bool, underscore_first: bool) -> usize {
        let mut first = !underscore_first;
        loop {
            let b = self.at(i);
            if ok(b) {
                i += 1;
            } else if !first && b == b'_' && ok(self.at(i + 1)) {
                i += 2;
            } else {
                return i;
            }
            first = false;
        }
    }

    fn ident_end(&self, mut i: usize) -> usize {
        while class(self.at(i)) & IDENT_CONT != 0 {
            i += 1;
        }
        i
    }

    fn junk(&mut self, start: usize, from: usize) -> Token {
        let end = self.ident_end(from);
        self.fail_near("trailing junk after numeric literal", start, end)
    }

    /// A number that starts with a digit, or with a point and a digit.
    pub(super) fn number(&mut self, start: usize) -> Token {
        let dec: fn(u8) -> bool = |b| b.is_ascii_digit();
        if self.at(start) == b'0' {
            let radix: Option<Radix> = match self.at(start + 1) {
                b'x' | b'X' => Some((|b| b.is_ascii_hexdigit(), 16, "invalid hexadecimal integer")),
                b'o' | b'O' => Some((|b| matches!(b, b'0'..=b'7'), 8, "invalid octal integer")),
                b'b' | b'B' => Some((|b| matches!(b, b'0' | b'1'), 2, "invalid binary integer")),
                _ => None,
            };
            if let Some((ok, radix, message)) = radix {
                let end = self.digits(start + 2, ok, true);
                let ident_end = self.ident_end(end);
                if end == start + 2 {
                    let fail_end = if self.at(end) == b'_' { end + 1 } else { end };
                    if ident_end > fail_end {
                        return self.junk(start, fail_end);
                    }
                    return self.fail_near(message, start, fail_end);
                }
                if ident_end > end {
                    return self.junk(start, end);
                }
                self.pos = end;
                return self.integer(start, 2, radix);
            }
        }
        let mut end = start;
        let mut integer = true;
        if self.at(start) != b'.' {
            end = self.digits(start, dec, false);
        }
        if self.at(end) == b'.' && self.at(end + 1) != b'.' {
            integer = false;
            end += 1;
            if dec(self.at(end)) {
                end = self.digits(end, dec, false);
            }
        }
        if matches!(self.at(end), b'e' | b'E') {
            let signed = matches!(self.at(end + 1), b'+' | b'-');
            let exponent = end + 1 + usize::from(signed);
            if dec(self.at(exponent)) {
                integer = false;
                end = self.digits(exponent, dec, false);
            } else if signed {
                return self.fail_near("trailing junk after numeric literal", start, exponent);
            }
        }
        if class(self.at(end)) & IDENT_START != 0 {
            return self.junk(start, end);
        }
        self.pos = end;
        if integer { self.integer(start, 0, 10) } else { self.token(Tok::Number, start, 0) }
    }

    /// An integer token of the source from `start` to the present position.
    fn integer(&mut self, start: usize, prefix: usize, radix: u32) -> Token {
        let mut value: u64 = 0;
        for &b in &self.bytes[start + prefix..self.pos] {
            if let Some(d) = (b as char).to_digit(radix) {
                value = value * u64::from(radix) + u64::from(d);
                if value > i32::MAX as u64 {
                    return self.token(Tok::Number, start, 0);
                }
            }
        }
        self.token(Tok::Int, start, value as u32)
    }

    /// What starts with a dollar sign: a parameter or a dollar-quoted string.
    pub(super) fn dollar(&mut self, start: usize) -> Token {
        let mut end = start + 1;
        if class(self.at(end)) & DIGIT == 0 {
            return self.dollar_string(start);
        }
        let mut value: u64 = 0;
        while class(self.at(end)) & DIGIT != 0 {
            value = (value * 10 + u64::from(self.at(end) - b'0')).min(1 << 40);
            end += 1;
        }
        if class(self.at(end)) & IDENT_START != 0 {
            let end = self.ident_end(end);
            return self.fail_near("trailing junk after parameter", start, end);
        }
        if value > i32::MAX as u64 {
            return self.fail_near("parameter number too large", start, end);
        }
        self.pos = end;
        self.token(Tok::Param, start, value as u32)
    }
}
