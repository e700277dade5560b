//! The grammar of paths.

use super::lexer::{Lexer, Token};
use super::{Binary, Method, Path, RegexFlags, Step, Steps};
use crate::{Numeric, Result, SqlError, SqlState};

/// How deep paths may be nested.
const DEPTH_MAX: usize = 500;
/// How many steps may follow each other.
const STEPS_MAX: usize = 2000;

fn too_deep() -> SqlError {
    SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")
}

fn syntax(message: &str) -> SqlError {
    SqlError::new(SqlState::SYNTAX_ERROR, message)
}

/// `22P02`, for this reason.
fn invalid(detail: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type jsonpath").detail(detail.into())
}

/// Words that are lower case or nothing.
fn is_word(token: &Token, word: &str) -> bool {
    match token {
        Token::Word(w) if matches!(word, "null" | "true" | "false") => w == word,
        Token::Word(w) => w.eq_ignore_ascii_case(word),
        _ => false,
    }
}

pub(super) fn path(text: &str) -> Result<Path> {
    let mut p = Parser { lexer: Lexer::new(text), token: Token::End, depth: 0, patterns: 0 };
    p.bump()?;
    if p.token == Token::End {
        return Err(SqlError::new(
            SqlState::INVALID_TEXT_REPRESENTATION,
            format!("invalid input syntax for type jsonpath: \"{text}\""),
        ));
    }
    let strict = is_word(&p.token, "strict");
    if strict || is_word(&p.token, "lax") {
        p.bump()?;
    }
    let steps = p.or()?;
    if p.token != Token::End {
        return Err(p.unexpected());
    }
    check(&steps, 0, false)?;
    Ok(Path { lax: !strict, steps, patterns: p.patterns })
}

/// `@` stands in filters only, `last` in subscripts.
fn check(steps: &Steps, filters: usize, subscript: bool) -> Result<()> {
    for step in steps {
        match step {
            Step::Current if filters == 0 => return Err(syntax("@ is not allowed in root expressions")),
            Step::Last if !subscript => return Err(syntax("LAST is allowed only in array subscripts")),
            _ => {}
        }
        let filters = filters + usize::from(matches!(step, Step::Filter(_)));
        let subscript = subscript || matches!(step, Step::Index(_));
        for child in step.children() {
            check(child, filters, subscript)?;
        }
    }
    Ok(())
}

fn is_predicate(steps: &Steps) -> bool {
    matches!(&steps[..], [only] if only.is_predicate())
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    token: Token,
    depth: usize,
    patterns: usize,
}

impl Parser<'_> {
    fn bump(&mut self) -> Result<Token> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn unexpected(&self) -> SqlError {
        self.lexer.error("syntax error")
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.token, Token::Sign(s) if s == sign)
    }

    fn eat(&mut self, sign: &str) -> Result<bool> {
        let there = self.is(sign);
        if there {
            self.bump()?;
        }
        Ok(there)
    }

    fn expect(&mut self, sign: &str) -> Result<()> {
        if self.eat(sign)? { Ok(()) } else { Err(self.unexpected()) }
    }

    fn expect_word(&mut self, word: &str) -> Result<()> {
        if !is_word(&self.token, word) {
            return Err(self.unexpected());
        }
        self.bump().map(|_| ())
    }

    /// One more level of nesting.
    fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEPTH_MAX {
            return Err(too_deep());
        }
        self.depth += 1;
        let outcome = f(self);
        self.depth -= 1;
        outcome
    }

    /// An expression, or a predicate.
    fn or(&mut self) -> Result<Steps> {
        self.nested(|p| {
            let mut left = p.and()?;
            let mut count = 0;
            while p.is("||") && is_predicate(&left) {
                p.bump()?;
                let right = p.and()?;
                left = p.joined(Binary::Or, left, right, &mut count)?;
            }
            Ok(left)
        })
    }

    fn and(&mut self) -> Result<Steps> {
        let mut left = self.negation()?;
        let mut count = 0;
        while self.is("&&") && is_predicate(&left) {
            self.bump()?;
            let right = self.negation()?;
            left = self.joined(Binary::And, left, right, &mut count)?;
        }
        Ok(left)
    }

    /// Two predicates.
    fn joined(&self, operator: Binary, left: Steps, right: Steps, count: &mut usize) -> Result<Steps> {
        if !is_predicate(&right) {
            return Err(self.unexpected());
        }
        self.pair(operator, left, right, count)
    }

    fn pair(&self, operator: Binary, left: Steps, right: Steps, count: &mut usize) -> Result<Steps> {
        *count += 1;
        if *count > DEPTH_MAX {
            return Err(too_deep());
        }
        Ok(vec![Step::Binary(operator, Box::new([left, right]))])
    }

    fn negation(&mut self) -> Result<Steps> {
        if !self.eat("!")? {
            return self.comparison();
        }
        if is_word(&self.token, "exists") {
            return Ok(vec![Step::Not(self.exists()?)]);
        }
        self.expect("(")?;
        let inner = self.or()?;
        if !is_predicate(&inner) {
            return Err(self.unexpected());
        }
        self.expect(")")?;
        Ok(vec![Step::Not(inner)])
    }

    fn exists(&mut self) -> Result<Steps> {
        self.bump()?;
        self.expect("(")?;
        let inner = self.or()?;
        if is_predicate(&inner) {
            return Err(self.unexpected());
        }
        self.expect(")")?;
        Ok(vec![Step::Exists(inner)])
    }

    fn comparison(&mut self) -> Result<Steps> {
        let left = self.sum()?;
        if is_predicate(&left) {
            return Ok(left);
        }
        let operator = match &self.token {
            Token::Sign("==") => Binary::Equal,
            Token::Sign("!=") => Binary::NotEqual,
            Token::Sign("<") => Binary::Less,
            Token::Sign(">") => Binary::Greater,
            Token::Sign("<=") => Binary::LessOrEqual,
            Token::Sign(">=") => Binary::GreaterOrEqual,
            t if is_word(t, "starts") => {
                self.bump()?;
                self.expect_word("with")?;
                let initial = match &self.token {
                    Token::String(s) => Step::String(s.clone()),
                    Token::Variable(v) => Step::Variable(v.clone()),
                    _ => return Err(self.unexpected()),
                };
                self.bump()?;
                return self.pair(Binary::StartsWith, left, vec![initial], &mut 0);
            }
            t if is_word(t, "like_regex") => {
                self.bump()?;
                return self.like_regex(left);
            }
            _ => return Ok(left),
        };
        self.bump()?;
        let right = self.sum()?;
        if is_predicate(&right) {
            return Err(self.unexpected());
        }
        self.pair(operator, left, right, &mut 0)
    }

    fn like_regex(&mut self, operand: Steps) -> Result<Steps> {
        let Token::String(pattern) = &self.token else { return Err(self.unexpected()) };
        let pattern = pattern.clone();
        self.bump()?;
        let mut flags = RegexFlags::default();
        if is_word(&self.token, "flag") {
            self.bump()?;
            let Token::String(letters) = &self.token else { return Err(self.unexpected()) };
            for c in letters.chars() {
                *match c {
                    'i' => &mut flags.ignore_case,
                    's' => &mut flags.dot_all,
                    'm' => &mut flags.lines,
                    'x' => &mut flags.expanded,
                    'q' => &mut flags.quoted,
                    c => {
                        let detail = format!("Unrecognized flag character \"{c}\" in LIKE_REGEX predicate.");
                        return Err(invalid(detail));
                    }
                } = true;
            }
            self.bump()?;
        }
        if flags.expanded && !flags.quoted {
            let message = "XQuery \"x\" flag (expanded regular expressions) is not implemented";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        self.patterns += 1;
        Ok(vec![Step::LikeRegex { operand, pattern, flags, number: self.patterns - 1 }])
    }

    fn sum(&mut self) -> Result<Steps> {
        let mut left = self.product()?;
        let mut count = 0;
        loop {
            let operator = match self.token {
                Token::Sign("+") => Binary::Add,
                Token::Sign("-") => Binary::Subtract,
                _ => return Ok(left),
            };
            if is_predicate(&left) {
                return Ok(left);
            }
            self.bump()?;
            let right = self.product()?;
            left = self.calculation(operator, left, right, &mut count)?;
        }
    }

    fn product(&mut self) -> Result<Steps> {
        let mut left = self.signed()?;
        let mut count = 0;
        loop {
            let operator = match self.token {
                Token::Sign("*") => Binary::Multiply,
                Token::Sign("/") => Binary::Divide,
                Token::Sign("%") => Binary::Remainder,
                _ => return Ok(left),
            };
            if is_predicate(&left) {
                return Ok(left);
            }
            self.bump()?;
            let right = self.signed()?;
            left = self.calculation(operator, left, right, &mut count)?;
        }
    }

    fn calculation(&self, operator: Binary, left: Steps, right: Steps, count: &mut usize) -> Result<Steps> {
        if is_predicate(&right) {
            return Err(self.unexpected());
        }
        self.pair(operator, left, right, count)
    }

    fn signed(&mut self) -> Result<Steps> {
        let minus = self.is("-");
        if !minus && !self.is("+") {
            return self.primary();
        }
        self.bump()?;
        let operand = self.nested(Self::signed)?;
        if is_predicate(&operand) {
            return Err(self.unexpected());
        }
        Ok(match &operand[..] {
            [Step::Number(n)] => vec![Step::Number(if minus { n.neg() } else { n.clone() })],
            _ => vec![Step::Sign(minus, operand)],
        })
    }

    fn primary(&mut self) -> Result<Steps> {
        let first = match &self.token {
            Token::Sign("(") => {
                self.bump()?;
                let inner = self.or()?;
                self.expect(")")?;
                if is_predicate(&inner) && is_word(&self.token, "is") {
                    self.bump()?;
                    self.expect_word("unknown")?;
                    return Ok(vec![Step::IsUnknown(inner)]);
                }
                return self.accessors(inner);
            }
            t if is_word(t, "exists") => return self.exists(),
            Token::Sign("$") => Step::Root,
            Token::Sign("@") => Step::Current,
            Token::String(s) => Step::String(s.clone()),
            Token::Variable(v) => Step::Variable(v.clone()),
            Token::Integer(n) | Token::Number(n) => Step::Number(Numeric::parse(n)?),
            t if is_word(t, "null") => Step::Null,
            t if is_word(t, "true") => Step::Bool(true),
            t if is_word(t, "false") => Step::Bool(false),
            t if is_word(t, "last") => Step::Last,
            _ => return Err(self.unexpected()),
        };
        self.bump()?;
        self.accessors(vec![first])
    }

    fn accessors(&mut self, mut steps: Steps) -> Result<Steps> {
        loop {
            if steps.len() > STEPS_MAX {
                return Err(too_deep());
            }
            match self.token {
                Token::Sign(".") => {
                    self.bump()?;
                    let step = self.member()?;
                    steps.push(step);
                }
                Token::Sign("[") => {
                    self.bump()?;
                    if self.eat("*")? {
                        steps.push(Step::AnyElement);
                    } else {
                        let mut list = vec![self.subscript()?];
                        while self.eat(",")? {
                            list.push(self.subscript()?);
                        }
                        steps.push(Step::Index(list));
                    }
                    self.expect("]")?;
                }
                Token::Sign("?") => {
                    self.bump()?;
                    self.expect("(")?;
                    let inner = self.or()?;
                    if !is_predicate(&inner) {
                        return Err(self.unexpected());
                    }
                    self.expect(")")?;
                    steps.push(Step::Filter(inner));
                }
                _ => return Ok(steps),
            }
        }
    }

    fn subscript(&mut self) -> Result<(Steps, Option<Steps>)> {
        let one = |p: &mut Self| {
            let e = p.nested(Self::sum)?;
            if is_predicate(&e) { Err(p.unexpected()) } else { Ok(e) }
        };
        let from = one(self)?;
        if !is_word(&self.token, "to") {
            return Ok((from, None));
        }
        self.bump()?;
        Ok((from, Some(one(self)?)))
    }

    /// What follows a dot.
    fn member(&mut self) -> Result<Step> {
        match &self.token {
            Token::Sign("*") => {
                self.bump()?;
                Ok(Step::AnyKey)
            }
            Token::Sign("**") => {
                self.bump()?;
                if !self.eat("{")? {
                    return Ok(Step::Any(0, u32::MAX));
                }
                let first = self.level()?;
                let mut last = first;
                if is_word(&self.token, "to") {
                    self.bump()?;
                    last = self.level()?;
                }
                self.expect("}")?;
                Ok(Step::Any(first, last))
            }
            Token::String(key) => {
                let key = key.clone();
                self.bump()?;
                Ok(Step::Key(key))
            }
            Token::Word(word) => {
                let word = word.clone();
                self.bump()?;
                match Method::named(&word) {
                    Some(method) if self.is("(") => {
                        self.bump()?;
                        let arguments = self.arguments(method)?;
                        self.expect(")")?;
                        Ok(Step::Method(method, arguments))
                    }
                    _ => Ok(Step::Key(word)),
                }
            }
            _ => Err(self.unexpected()),
        }
    }

    fn level(&mut self) -> Result<u32> {
        if is_word(&self.token, "last") {
            self.bump()?;
            return Ok(u32::MAX);
        }
        let Token::Integer(n) = &self.token else { return Err(self.unexpected()) };
        let level = crate::io::integer::parse_i32(n)?;
        self.bump()?;
        Ok(level as u32)
    }

    fn arguments(&mut self, method: Method) -> Result<Vec<Step>> {
        let mut list = Vec::new();
        match (method, &self.token) {
            (Method::Datetime, Token::String(template)) => {
                list.push(Step::String(template.clone()));
                self.bump()?;
            }
            (Method::Time | Method::TimeTz | Method::Timestamp | Method::TimestampTz, Token::Integer(n)) => {
                list.push(Step::Number(Numeric::parse(n)?));
                self.bump()?;
            }
            (Method::Decimal, Token::Integer(_) | Token::Sign("+" | "-")) => loop {
                let minus = self.is("-");
                if minus || self.is("+") {
                    self.bump()?;
                }
                let Token::Integer(n) = &self.token else { return Err(self.unexpected()) };
                let n = Numeric::parse(n)?;
                list.push(Step::Number(if minus { n.neg() } else { n }));
                self.bump()?;
                if !self.eat(",")? {
                    break;
                }
            },
            _ => {}
        }
        if list.len() > 2 {
            return Err(invalid(".decimal() can only have an optional precision[,scale]."));
        }
        Ok(list)
    }
}
