//! SQL/JSON functions, IS JSON and JSON_TABLE.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::{Result, SqlState};

impl Parser<'_> {
    /// `IS [NOT] JSON` was read.
    #[inline(never)]
    pub(super) fn is_json(&mut self, arg: Expr, not: bool, pos: Pos) -> Result<Expr> {
        let item = match self.cur {
            Tok::Kw(Kw::Value) => JsonItemType::Any,
            Tok::Kw(Kw::Array) => JsonItemType::Array,
            Tok::Kw(Kw::Object) => JsonItemType::Object,
            Tok::Kw(Kw::Scalar) => JsonItemType::Scalar,
            _ => {
                let unique_keys = self.opt_unique_keys()?;
                let e = IsJson { not, item: JsonItemType::Any, unique_keys, arg };
                return Ok(Expr::new(ExprKind::IsJson(Box::new(e)), pos));
            }
        };
        self.bump();
        let unique_keys = self.opt_unique_keys()?;
        Ok(Expr::new(ExprKind::IsJson(Box::new(IsJson { not, item, unique_keys, arg })), pos))
    }

    /// WITH or WITHOUT UNIQUE [KEYS].
    fn opt_unique_keys(&mut self) -> Result<bool> {
        let with = self.is(Kw::With);
        if !(with || self.is(Kw::Without)) || matches!(self.peek(1), Tok::Kw(Kw::Time | Kw::Ordinality)) {
            return Ok(false);
        }
        self.bump();
        self.expect(Kw::Unique)?;
        self.eat(Kw::Keys);
        Ok(with)
    }

    fn opt_json_format(&mut self) -> Result<Option<JsonFormat>> {
        let pos = self.pos();
        if !self.is(Kw::Format) || !self.peek_kw(1, Kw::Json) {
            return Ok(None);
        }
        self.bump();
        self.bump();
        let mut encoding = None;
        if self.eat(Kw::Encoding) {
            let name = self.col_id()?;
            if !["utf8", "utf16", "utf32"].iter().any(|e| e.eq_ignore_ascii_case(&name)) {
                let message = format!("unrecognized JSON encoding: {}", name.as_str());
                return Err(self.error(SqlState::INVALID_PARAMETER_VALUE, message, pos));
            }
            encoding = Some(name);
        }
        Ok(Some(JsonFormat { encoding, pos }))
    }

    fn json_value(&mut self) -> Result<JsonValueExpr> {
        let expr = self.a_expr()?;
        Ok(JsonValueExpr { expr, format: self.opt_json_format()? })
    }

    fn opt_json_output(&mut self) -> Result<Option<JsonOutput>> {
        if !self.eat(Kw::Returning) {
            return Ok(None);
        }
        let ty = self.type_name()?;
        Ok(Some(JsonOutput { ty, format: self.opt_json_format()? }))
    }

    /// NULL ON NULL, ABSENT ON NULL.
    fn opt_on_null(&mut self, default: bool) -> Result<bool> {
        let null = self.is(Kw::Null);
        if !null && !self.is(Kw::Absent) {
            return Ok(default);
        }
        self.bump();
        self.expect_all(&[Kw::On, Kw::Null])?;
        Ok(null)
    }

    fn json_key_value(&mut self) -> Result<JsonKeyValue> {
        // `key VALUE value`: the key is a primary, else any expression and a colon.
        let key = self.a_expr()?;
        if !self.eat(Kw::Value) {
            self.expect_ch(b':')?;
        }
        Ok(JsonKeyValue { key, value: self.json_value()? })
    }

    /// The function that `k`, the present token, starts.
    #[inline(never)]
    pub(super) fn json_function(&mut self, k: Kw) -> Result<Expr> {
        let pos = self.pos();
        self.bump();
        self.expect_ch(b'(')?;
        let e = match k {
            Kw::JsonObject => {
                if self.is_ch(b')') || self.is(Kw::Returning) {
                    let output = self.opt_json_output()?;
                    JsonExpr::Object { members: Vec::new(), null_on_null: true, unique: false, output }
                } else {
                    let first = self.a_expr()?;
                    if !matches!(self.cur, Tok::Kw(Kw::Value) | Tok::Char(b':')) {
                        return self.json_object_call(first, pos);
                    }
                    self.bump();
                    let mut members = vec![JsonKeyValue { key: first, value: self.json_value()? }];
                    while self.eat_ch(b',') {
                        members.push(self.json_key_value()?);
                    }
                    let null_on_null = self.opt_on_null(true)?;
                    let unique = self.opt_unique_keys()?;
                    JsonExpr::Object { members, null_on_null, unique, output: self.opt_json_output()? }
                }
            }
            Kw::JsonArray => {
                if self.is_ch(b')') || self.is(Kw::Returning) {
                    JsonExpr::Array { values: Vec::new(), null_on_null: false, output: self.opt_json_output()? }
                } else if matches!(self.cur, Tok::Kw(Kw::Select | Kw::Values | Kw::With | Kw::Table)) {
                    let query = Box::new(self.select_no_parens()?);
                    let format = self.opt_json_format()?;
                    JsonExpr::ArrayQuery { query, format, output: self.opt_json_output()? }
                } else {
                    let values = self.list(Self::json_value)?;
                    let null_on_null = self.opt_on_null(false)?;
                    JsonExpr::Array { values, null_on_null, output: self.opt_json_output()? }
                }
            }
            Kw::JsonObjectagg => {
                let member = Box::new(self.json_key_value()?);
                let null_on_null = self.opt_on_null(true)?;
                let unique = self.opt_unique_keys()?;
                let output = self.opt_json_output()?;
                self.expect_ch(b')')?;
                let tail = Box::new(self.json_agg_tail(Vec::new())?);
                let e = JsonExpr::ObjectAgg { member, null_on_null, unique, output, tail };
                return Ok(Expr::new(ExprKind::Json(Box::new(e)), pos));
            }
            Kw::JsonArrayagg => {
                let value = Box::new(self.json_value()?);
                let order_by = if self.is(Kw::Order) { self.sort_clause()? } else { Vec::new() };
                let null_on_null = self.opt_on_null(false)?;
                let output = self.opt_json_output()?;
                self.expect_ch(b')')?;
                let tail = Box::new(self.json_agg_tail(order_by)?);
                let e = JsonExpr::ArrayAgg { value, null_on_null, output, tail };
                return Ok(Expr::new(ExprKind::Json(Box::new(e)), pos));
            }
            Kw::Json => {
                let value = self.json_value()?;
                JsonExpr::Parse { value, unique: self.opt_unique_keys()? }
            }
            Kw::JsonScalar => JsonExpr::Scalar(self.a_expr()?),
            Kw::JsonSerialize => {
                let value = self.json_value()?;
                JsonExpr::Serialize { value, output: self.opt_json_output()? }
            }
            _ => {
                let kind = match k {
                    Kw::JsonExists => JsonQueryKind::Exists,
                    Kw::JsonQuery => JsonQueryKind::Query,
                    _ => JsonQueryKind::Value,
                };
                JsonExpr::Query(Box::new(self.json_query(kind)?))
            }
        };
        self.expect_ch(b')')?;
        Ok(Expr::new(ExprKind::Json(Box::new(e)), pos))
    }

    /// `json_object(text[], …)`: the ordinary function of that name.
    fn json_object_call(&mut self, first: Expr, pos: Pos) -> Result<Expr> {
        let mut args = vec![first];
        while self.eat_ch(b',') {
            args.push(self.a_expr()?);
        }
        self.expect_ch(b')')?;
        let call = super::expr::plain_call(super::expr::system_name("json_object", pos), args);
        Ok(Expr::new(ExprKind::FuncCall(Box::new(call)), pos))
    }

    fn json_agg_tail(&mut self, order_by: Vec<SortBy>) -> Result<JsonAggTail> {
        let filter = self.opt_filter()?;
        Ok(JsonAggTail { order_by, filter, over: self.opt_over()? })
    }

    fn opt_json_passing(&mut self) -> Result<Vec<JsonArgument>> {
        if !self.eat(Kw::Passing) {
            return Ok(Vec::new());
        }
        self.list(|p| {
            let value = p.json_value()?;
            p.expect(Kw::As)?;
            Ok(JsonArgument { value, name: p.col_label()? })
        })
    }

    #[inline(never)]
    fn json_query(&mut self, kind: JsonQueryKind) -> Result<JsonQuery> {
        let context = self.json_value()?;
        self.expect_ch(b',')?;
        let path = self.a_expr()?;
        let passing = self.opt_json_passing()?;
        let mut q = JsonQuery {
            kind,
            context,
            path,
            passing,
            output: None,
            wrapper: JsonWrapper::Unspecified,
            quotes: JsonQuotes::Unspecified,
            on_empty: None,
            on_error: None,
        };
        if kind == JsonQueryKind::Exists {
            if let Some(b) = self.opt_json_behavior()? {
                self.expect_all(&[Kw::On, Kw::Error])?;
                q.on_error = Some(b);
            }
            return Ok(q);
        }
        q.output = self.opt_json_output()?;
        if kind == JsonQueryKind::Query {
            q.wrapper = self.json_wrapper()?;
            q.quotes = self.json_quotes()?;
        }
        (q.on_empty, q.on_error) = self.json_behaviors()?;
        Ok(q)
    }

    /// WITH or WITHOUT … WRAPPER.
    fn json_wrapper(&mut self) -> Result<JsonWrapper> {
        if self.eat(Kw::Without) {
            self.eat(Kw::Array);
            self.expect(Kw::Wrapper)?;
            return Ok(JsonWrapper::None);
        }
        if !self.eat(Kw::With) {
            return Ok(JsonWrapper::Unspecified);
        }
        let conditional = self.eat(Kw::Conditional);
        if !conditional {
            self.eat(Kw::Unconditional);
        }
        self.eat(Kw::Array);
        self.expect(Kw::Wrapper)?;
        Ok(if conditional { JsonWrapper::Conditional } else { JsonWrapper::Unconditional })
    }

    fn json_quotes(&mut self) -> Result<JsonQuotes> {
        let quotes = match self.cur {
            Tok::Kw(Kw::Keep) => JsonQuotes::Keep,
            Tok::Kw(Kw::Omit) => JsonQuotes::Omit,
            _ => return Ok(JsonQuotes::Unspecified),
        };
        self.bump();
        self.expect(Kw::Quotes)?;
        if self.eat(Kw::On) {
            self.expect_all(&[Kw::Scalar, Kw::String])?;
        }
        Ok(quotes)
    }

    fn opt_json_behavior(&mut self) -> Result<Option<JsonBehavior>> {
        let b = match self.cur {
            Tok::Kw(Kw::Default) => {
                self.bump();
                return Ok(Some(JsonBehavior::Default(self.a_expr()?)));
            }
            Tok::Kw(Kw::Error) => JsonBehavior::Error,
            Tok::Kw(Kw::Null) => JsonBehavior::Null,
            Tok::Kw(Kw::True) => JsonBehavior::True,
            Tok::Kw(Kw::False) => JsonBehavior::False,
            Tok::Kw(Kw::Unknown) => JsonBehavior::Unknown,
            Tok::Kw(Kw::Empty) => {
                self.bump();
                if self.eat(Kw::Array) {
                    return Ok(Some(JsonBehavior::EmptyArray));
                }
                if self.eat(Kw::Object) {
                    return Ok(Some(JsonBehavior::EmptyObject));
                }
                return Ok(Some(JsonBehavior::Empty));
            }
            _ => return Ok(None),
        };
        self.bump();
        Ok(Some(b))
    }

    /// `… ON EMPTY … ON ERROR`
    fn json_behaviors(&mut self) -> Result<(Option<JsonBehavior>, Option<JsonBehavior>)> {
        let Some(first) = self.opt_json_behavior()? else { return Ok((None, None)) };
        self.expect(Kw::On)?;
        if self.eat(Kw::Error) {
            return Ok((None, Some(first)));
        }
        self.expect(Kw::Empty)?;
        let second = self.opt_json_behavior()?;
        if second.is_some() {
            self.expect_all(&[Kw::On, Kw::Error])?;
        }
        Ok((Some(first), second))
    }

    #[inline(never)]
    pub(super) fn json_table(&mut self, lateral: bool) -> Result<TableRef> {
        let pos = self.pos();
        self.bump();
        self.expect_ch(b'(')?;
        let context = self.json_value()?;
        self.expect_ch(b',')?;
        let path = self.a_expr()?;
        let path_name = if self.eat(Kw::As) { Some(self.col_id()?) } else { None };
        let passing = self.opt_json_passing()?;
        self.expect(Kw::Columns)?;
        let columns = self.paren_list(Self::json_table_column)?;
        let on_error = self.opt_json_behavior()?;
        if on_error.is_some() {
            self.expect_all(&[Kw::On, Kw::Error])?;
        }
        self.expect_ch(b')')?;
        if !matches!(path.kind, ExprKind::Literal(Literal::String(_))) {
            let message = "only string constants are supported in JSON_TABLE path specification";
            let at = path.location();
            return self.unsupported_at(message, at);
        }
        let alias = self.opt_alias()?;
        let t = JsonTable { lateral, context, path, path_name, passing, columns, on_error, alias, pos };
        Ok(TableRef::JsonTable(Box::new(t)))
    }

    fn json_table_column(&mut self) -> Result<JsonTableColumn> {
        self.enter()?;
        let pos = self.pos();
        let next = self.peek(1);
        if self.is(Kw::Nested) && matches!(next, Tok::Kw(Kw::Path) | Tok::Str) {
            self.bump();
            self.eat(Kw::Path);
            let path = self.sconst()?;
            let path_name = if self.eat(Kw::As) { Some(self.col_id()?) } else { None };
            self.expect(Kw::Columns)?;
            let columns = self.paren_list(Self::json_table_column)?;
            self.leave();
            return Ok(JsonTableColumn::Nested { path, path_name, columns, pos });
        }
        self.leave();
        let name = self.col_id()?;
        if self.eat(Kw::For) {
            self.expect(Kw::Ordinality)?;
            return Ok(JsonTableColumn::Ordinality(name));
        }
        let ty = self.type_name()?;
        if self.eat(Kw::Exists) {
            let path = if self.eat(Kw::Path) { Some(self.sconst()?) } else { None };
            let on_error = self.opt_json_behavior()?;
            if on_error.is_some() {
                self.expect_all(&[Kw::On, Kw::Error])?;
            }
            return Ok(JsonTableColumn::Exists { name, ty, path, on_error });
        }
        let format = self.opt_json_format()?;
        let path = if self.eat(Kw::Path) { Some(self.sconst()?) } else { None };
        let wrapper = self.json_wrapper()?;
        let quotes = self.json_quotes()?;
        let (on_empty, on_error) = self.json_behaviors()?;
        Ok(JsonTableColumn::Regular { name, ty, format, path, wrapper, quotes, on_empty, on_error })
    }
}
