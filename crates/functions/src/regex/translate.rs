//! From PostgreSQL's advanced regular expressions to those of `fancy_regex`, with PostgreSQL's errors.
//!
//! Of several matches at one place PostgreSQL takes the longest, which `super::Longest` sees to. Known difference: with lazy quantifiers
//! PostgreSQL decides for the whole pattern at once; here each quantifier decides for itself, as in Perl.

use types::{Result, SqlError, SqlState};

/// What a flags argument says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `g`.
    pub global: bool,
    ignore_case: bool,
    literal: bool,
    expanded: bool,
    /// `.` and `[^` do not match newlines.
    stops_at_newline: bool,
    /// `^` and `$` match at newlines.
    anchors_at_newline: bool,
}

fn option_error(flags: &str) -> SqlError {
    let message = format!("invalid regular expression option: \"{flags}\"");
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

impl Flags {
    /// Reads a flags argument.
    ///
    /// # Errors
    /// `22023` on an unknown one.
    pub fn parse(text: &str) -> Result<Flags> {
        let mut f = Flags::default();
        for (i, c) in text.char_indices() {
            if c == 'g' {
                f.global = true;
            } else {
                f.set(c).map_err(|e| e.unwrap_or_else(|| option_error(&text[i..i + c.len_utf8()])))?;
            }
        }
        Ok(f)
    }

    /// Sets one flag; an error of none means that it is unknown.
    fn set(&mut self, c: char) -> Result<(), Option<SqlError>> {
        match c {
            'b' => return Err(Some(SqlError::unsupported("basic regular expressions"))),
            'c' => self.ignore_case = false,
            'e' => self.literal = false,
            'i' => self.ignore_case = true,
            'm' | 'n' => (self.stops_at_newline, self.anchors_at_newline) = (true, true),
            'p' => (self.stops_at_newline, self.anchors_at_newline) = (true, false),
            'q' => self.literal = true,
            's' => (self.stops_at_newline, self.anchors_at_newline) = (false, false),
            't' => self.expanded = false,
            'w' => (self.stops_at_newline, self.anchors_at_newline) = (false, true),
            'x' => self.expanded = true,
            _ => return Err(None),
        }
        Ok(())
    }

    /// The same without `g`, which is not the pattern's.
    #[must_use]
    pub fn of_pattern(mut self) -> Flags {
        self.global = false;
        self
    }

    /// The same, whatever case letters have.
    #[must_use]
    pub fn ignoring_case(mut self) -> Flags {
        self.ignore_case = true;
        self
    }
}

pub fn bad(what: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_REGULAR_EXPRESSION, format!("invalid regular expression: {what}"))
}

fn push_literal(out: &mut String, c: char) {
    if c.is_ascii() && !c.is_ascii_alphanumeric() {
        if c.is_ascii_graphic() || c == ' ' {
            out.push('\\');
        } else {
            out.push_str(&format!("\\x{{{:x}}}", c as u32));
            return;
        }
    }
    out.push(c);
}

struct Translator<'p> {
    chars: &'p [char],
    at: usize,
    out: String,
    flags: Flags,
    /// Where each open group began: whether it captures.
    open: Vec<bool>,
    groups: usize,
    /// Groups that are closed.
    closed: Vec<usize>,
    numbers: Vec<usize>,
    /// Whether the last thing can be repeated.
    repeatable: bool,
}

/// A character class of POSIX as `fancy_regex` writes it inside brackets.
fn class(name: &str) -> Option<&'static str> {
    Some(match name {
        "alpha" => "\\p{Alphabetic}",
        "digit" => "0-9",
        "alnum" => "\\p{Alphabetic}\\p{N}",
        "upper" => "\\p{Lu}",
        "lower" => "\\p{Ll}",
        "space" => "\\s",
        "punct" => "!-/:-@\\[-`{-~\\p{P}",
        "blank" => "\\x20\\t",
        "cntrl" => "\\p{Cc}",
        "xdigit" => "0-9A-Fa-f",
        "print" => "\\x20-~\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Zs}",
        "graph" => "!-~\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}",
        "word" => "\\w",
        "ascii" => "\\x00-\\x7f",
        _ => return None,
    })
}

impl Translator<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn atom(&mut self, text: &str) {
        self.out.push_str(text);
        self.repeatable = true;
    }

    /// Up to `max` hexadecimal digits (at least `min`) as a character.
    fn hex(&mut self, min: usize, max: usize) -> Result<char> {
        let digits = self.chars[self.at..].iter().take(max).take_while(|c| c.is_ascii_hexdigit()).count();
        let text: String = self.chars[self.at..self.at + digits].iter().collect();
        self.at += digits;
        let value = u32::from_str_radix(&text, 16).ok().filter(|_| digits >= min);
        value.and_then(char::from_u32).ok_or_else(|| bad("invalid escape \\ sequence"))
    }

    /// The character an escape means; none when it is not an escape of one character. `self.at` is at the letter.
    fn character_escape(&mut self) -> Result<Option<char>> {
        let Some(c) = self.peek(0) else { return Err(bad("invalid escape \\ sequence")) };
        self.at += 1;
        Ok(Some(match c {
            'a' => '\x07',
            'b' => '\x08',
            'B' => '\\',
            'e' => '\x1b',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'c' => {
                let Some(x) = self.peek(0) else { return Err(bad("invalid escape \\ sequence")) };
                self.at += 1;
                char::from_u32(x as u32 & 0x1f).unwrap_or('\0')
            }
            'u' => self.hex(4, 4)?,
            'U' => self.hex(8, 8)?,
            'x' => self.hex(1, 255)?,
            '0' => '\0',
            c if !c.is_ascii_alphanumeric() => c,
            _ => {
                self.at -= 1;
                return Ok(None);
            }
        }))
    }

    fn escape(&mut self) -> Result<()> {
        let Some(c) = self.peek(0) else { return Err(bad("invalid escape \\ sequence")) };
        let constraint = match c {
            'A' => "\\A",
            'Z' => "\\z",
            'm' => "(?:\\b(?=\\w))",
            'M' => "(?:\\b(?<=\\w))",
            'y' => "\\b",
            'Y' => "\\B",
            _ => "",
        };
        if !constraint.is_empty() {
            self.at += 1;
            self.out.push_str(constraint);
            self.repeatable = false;
            return Ok(());
        }
        let shorthand = match c {
            'd' => "[0-9]",
            'D' => "[^0-9]",
            's' => "\\s",
            'S' => "\\S",
            'w' => "\\w",
            'W' => "\\W",
            _ => "",
        };
        if !shorthand.is_empty() {
            self.at += 1;
            self.atom(shorthand);
            return Ok(());
        }
        if ('1'..='9').contains(&c) {
            let mut n = c as usize - '0' as usize;
            self.at += 1;
            if let Some(d) = self.peek(0).and_then(|d| d.to_digit(10))
                && n * 10 + d as usize <= self.groups
            {
                n = n * 10 + d as usize;
                self.at += 1;
            }
            if !self.closed.contains(&n) {
                return Err(bad("invalid backreference number"));
            }
            self.atom(&format!("(?:\\{n})"));
            return Ok(());
        }
        match self.character_escape()? {
            Some(c) => {
                push_literal(&mut self.out, c);
                self.repeatable = true;
                Ok(())
            }
            None => Err(bad("invalid escape \\ sequence")),
        }
    }

    /// One end of a range inside brackets, or a whole class: what to write for it and, of a single character, which.
    fn bracket_item(&mut self) -> Result<(String, Option<char>)> {
        let unbalanced = || bad("brackets [] not balanced");
        let c = self.peek(0).ok_or_else(unbalanced)?;
        self.at += 1;
        if c == '['
            && let Some(kind @ (':' | '.' | '=')) = self.peek(0)
        {
            self.at += 1;
            let rest = &self.chars[self.at..];
            let end = rest.windows(2).position(|w| w == [kind, ']']).ok_or_else(unbalanced)?;
            let name: String = rest[..end].iter().collect();
            self.at += end + 2;
            if kind == ':' {
                let text = class(&name).ok_or_else(|| bad("invalid character class"))?;
                return Ok((text.to_owned(), None));
            }
            let mut chars = name.chars();
            let (Some(c), None) = (chars.next(), chars.next()) else {
                return Err(bad("invalid collating element"));
            };
            let mut text = String::new();
            push_literal(&mut text, c);
            return Ok((text, Some(c)));
        }
        if c == '\\' {
            let shorthand = match self.peek(0) {
                Some('d') => "0-9",
                Some('s') => "\\s",
                Some('w') => "\\w",
                Some('D') => "\\D",
                Some('S') => "\\S",
                Some('W') => "\\W",
                _ => "",
            };
            if !shorthand.is_empty() {
                self.at += 1;
                return Ok((shorthand.to_owned(), None));
            }
            let c = self.character_escape()?.ok_or_else(|| bad("invalid escape \\ sequence"))?;
            let mut text = String::new();
            push_literal(&mut text, c);
            return Ok((text, Some(c)));
        }
        let mut text = String::new();
        push_literal(&mut text, c);
        Ok((text, Some(c)))
    }

    fn bracket(&mut self) -> Result<()> {
        let rest: String = self.chars[self.at..].iter().take(6).collect();
        for (word, text) in [("[:<:]]", "(?:\\b(?=\\w))"), ("[:>:]]", "(?:\\b(?<=\\w))")] {
            if rest == word {
                self.at += 6;
                self.out.push_str(text);
                self.repeatable = false;
                return Ok(());
            }
        }
        let negated = self.peek(0) == Some('^');
        self.at += usize::from(negated);
        let mut items = String::new();
        let mut first = true;
        loop {
            match self.peek(0) {
                None => return Err(bad("brackets [] not balanced")),
                Some(']') if !first => {
                    self.at += 1;
                    break;
                }
                Some('-') if !first && self.peek(1).is_some_and(|c| c != ']') => {
                    // A hyphen that begins no range: only as the last item is it plain.
                    return Err(bad("invalid character range"));
                }
                _ => {}
            }
            first = false;
            let (text, low) = self.bracket_item()?;
            items.push_str(&text);
            if self.peek(0) == Some('-') && self.peek(1).is_some_and(|c| c != ']') {
                let Some(low) = low else { return Err(bad("invalid character range")) };
                self.at += 1;
                let (text, high) = self.bracket_item()?;
                match high {
                    Some(high) if low <= high => {
                        items.push('-');
                        items.push_str(&text);
                    }
                    _ => return Err(bad("invalid character range")),
                }
            }
        }
        if negated && self.flags.stops_at_newline {
            items.push_str("\\n");
        }
        let text = format!("[{}{items}]", if negated { "^" } else { "" });
        self.atom(&text);
        Ok(())
    }

    /// `{m}`, `{m,}`, `{m,n}`; `self.at` is behind the brace.
    fn bound(&mut self) -> Result<()> {
        let number = |t: &mut Self| -> Result<Option<u32>> {
            let mut n: Option<u32> = None;
            while let Some(d) = t.peek(0).and_then(|c| c.to_digit(10)) {
                n = Some(n.unwrap_or(0) * 10 + d);
                t.at += 1;
                if n > Some(255) {
                    return Err(bad("invalid repetition count(s)"));
                }
            }
            Ok(n)
        };
        let low = number(self)?.unwrap_or(0);
        let mut high = Some(low);
        if self.peek(0) == Some(',') {
            self.at += 1;
            high = number(self)?;
        }
        if self.peek(0) != Some('}') {
            let what =
                if self.at >= self.chars.len() { "braces {} not balanced" } else { "invalid repetition count(s)" };
            return Err(bad(what));
        }
        self.at += 1;
        match high {
            Some(h) if h < low => return Err(bad("invalid repetition count(s)")),
            Some(h) => self.out.push_str(&format!("{{{low},{h}}}")),
            None => self.out.push_str(&format!("{{{low},}}")),
        }
        Ok(())
    }

    fn quantifier(&mut self, c: char) -> Result<()> {
        if !self.repeatable {
            return Err(bad("quantifier operand invalid"));
        }
        if c == '{' {
            self.bound()?;
        } else {
            self.out.push(c);
        }
        if self.peek(0) == Some('?') {
            self.at += 1;
            self.out.push('?');
        }
        self.repeatable = false;
        Ok(())
    }

    fn group(&mut self) -> Result<()> {
        let mut captures = true;
        if self.peek(0) == Some('?') {
            captures = false;
            let two = [self.peek(1), self.peek(2)];
            let (text, width) = match two {
                [Some(':'), _] => ("(?:", 2),
                [Some('='), _] => ("(?=", 2),
                [Some('!'), _] => ("(?!", 2),
                [Some('<'), Some('=')] => ("(?<=", 3),
                [Some('<'), Some('!')] => ("(?<!", 3),
                [Some('#'), _] => {
                    let end = self.chars[self.at..].iter().position(|&c| c == ')');
                    self.at += end.ok_or_else(|| bad("parentheses () not balanced"))? + 1;
                    return Ok(());
                }
                _ => return Err(bad("quantifier operand invalid")),
            };
            self.at += width;
            self.out.push_str(text);
        } else {
            self.out.push('(');
            self.groups += 1;
            self.numbers.push(self.groups);
        }
        self.open.push(captures);
        self.repeatable = false;
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        while let Some(c) = self.peek(0) {
            self.at += 1;
            match c {
                '\\' => self.escape()?,
                '[' => self.bracket()?,
                '(' => self.group()?,
                ')' => {
                    match self.open.pop() {
                        Some(true) => self.closed.extend(self.numbers.pop()),
                        Some(false) => {}
                        None => return Err(bad("parentheses () not balanced")),
                    }
                    self.atom(")");
                }
                '*' | '+' | '?' => self.quantifier(c)?,
                '{' if self.peek(0).is_some_and(|d| d.is_ascii_digit()) => self.quantifier(c)?,
                '|' | '^' | '$' => {
                    self.out.push(c);
                    self.repeatable = false;
                }
                '.' => self.atom("."),
                _ if self.flags.expanded && c.is_whitespace() => {}
                '#' if self.flags.expanded => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                c => {
                    push_literal(&mut self.out, c);
                    self.repeatable = true;
                }
            }
        }
        if self.open.is_empty() { Ok(()) } else { Err(bad("parentheses () not balanced")) }
    }
}

/// The pattern for `fancy_regex`.
///
/// # Errors
/// `2201B`.
pub fn translate(pattern: &str, mut flags: Flags) -> Result<String> {
    let mut pattern = pattern;
    if !flags.literal {
        if let Some(rest) = pattern.strip_prefix("***=") {
            flags.literal = true;
            pattern = rest;
        } else if let Some(rest) = pattern.strip_prefix("***:") {
            pattern = rest;
        } else if pattern.starts_with("***") {
            return Err(bad("quantifier operand invalid"));
        }
    }
    // Options embedded at the start.
    if !flags.literal
        && let Some(rest) = pattern.strip_prefix("(?")
        && let Some(end) = rest.find(')')
        && end > 0
        && rest[..end].chars().all(|c| c.is_ascii_lowercase())
    {
        for c in rest[..end].chars() {
            flags.set(c).map_err(|e| e.unwrap_or_else(|| bad("invalid embedded option")))?;
        }
        pattern = &rest[end + 1..];
    }
    let mut prefix = String::from("(?");
    if flags.ignore_case {
        prefix.push('i');
    }
    if !flags.stops_at_newline {
        prefix.push('s');
    }
    if flags.anchors_at_newline {
        prefix.push('m');
    }
    let prefix = if prefix.len() > 2 { prefix + ")" } else { String::new() };
    if flags.literal {
        let mut out = prefix;
        pattern.chars().for_each(|c| push_literal(&mut out, c));
        return Ok(out);
    }
    let chars: Vec<char> = pattern.chars().collect();
    let mut t = Translator {
        chars: &chars,
        at: 0,
        out: prefix,
        flags,
        open: Vec::new(),
        groups: 0,
        closed: Vec::new(),
        numbers: Vec::new(),
        repeatable: false,
    };
    t.run()?;
    Ok(t.out)
}
