//! Lines of a pg_hba.conf as fields of tokens: what blanks, commas, quotes, comments and a backslash at the end of a line mean.

/// A word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    pub text: String,
    /// It began with a quote, so it is no keyword.
    pub quoted: bool,
}

impl Token {
    pub fn is(&self, keyword: &str) -> bool {
        !self.quoted && self.text == keyword
    }
}

/// A line that says something.
#[derive(Debug)]
pub struct Line {
    /// Where it starts, counted from 1.
    pub number: u32,
    /// Lists of words; `None` where a quote has no end.
    pub fields: Option<Vec<Vec<Token>>>,
}

/// The lines of `text` that are not blank.
pub fn lines(text: &str) -> Vec<Line> {
    let mut found = Vec::new();
    let mut lines = text.lines().zip(1u32..);
    while let Some((line, number)) = lines.next() {
        let mut whole = line.to_owned();
        while whole.ends_with('\\') {
            whole.pop();
            whole.push_str(lines.next().map_or("", |l| l.0));
        }
        let fields = fields(&whole);
        if fields.as_ref().is_none_or(|f| !f.is_empty()) {
            found.push(Line { number, fields });
        }
    }
    found
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r')
}

/// A comma ends a word but not the list that it is in; blanks end both.
fn fields(line: &str) -> Option<Vec<Vec<Token>>> {
    let mut fields: Vec<Vec<Token>> = Vec::new();
    let mut chars = line.chars().peekable();
    let mut goes_on = false;
    loop {
        while chars.next_if(|&c| is_blank(c) || c == ',').is_some() {}
        let mut token = Token { text: String::new(), quoted: false };
        let (mut quoting, mut was_quoted) = (false, false);
        let mut comma = false;
        while let Some(&c) = chars.peek() {
            match c {
                '#' if !quoting => break,
                c if !quoting && is_blank(c) => break,
                ',' if !quoting => {
                    comma = true;
                    chars.next();
                    break;
                }
                '"' => {
                    chars.next();
                    // Within quotes two are one.
                    if quoting && chars.peek() == Some(&'"') {
                        chars.next();
                        token.text.push('"');
                        continue;
                    }
                    token.quoted |= token.text.is_empty() && !quoting;
                    was_quoted = true;
                    quoting = !quoting;
                }
                c => {
                    chars.next();
                    token.text.push(c);
                }
            }
        }
        if quoting {
            return None;
        }
        if token.text.is_empty() && !was_quoted {
            return Some(fields);
        }
        match fields.last_mut().filter(|_| goes_on) {
            Some(list) => list.push(token),
            None => fields.push(vec![token]),
        }
        goes_on = comma;
    }
}
