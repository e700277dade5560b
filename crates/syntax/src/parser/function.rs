//! Functions, procedures, aggregates: their definitions and how they are named.

use super::Parser;
use crate::ast::*;
use crate::keyword::{Category, Kw};
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    /// Whether a type can start with `tok`.
    fn starts_type(tok: Tok) -> bool {
        match tok {
            Tok::Ident => true,
            Tok::Kw(k) => match k.category() {
                Category::Unreserved | Category::TypeFuncName => true,
                Category::Reserved => false,
                Category::ColName => matches!(
                    k,
                    Kw::Bigint
                        | Kw::Bit
                        | Kw::Boolean
                        | Kw::Char
                        | Kw::Character
                        | Kw::Dec
                        | Kw::Decimal
                        | Kw::Float
                        | Kw::Int
                        | Kw::Integer
                        | Kw::Interval
                        | Kw::Json
                        | Kw::National
                        | Kw::Nchar
                        | Kw::Numeric
                        | Kw::Real
                        | Kw::Setof
                        | Kw::Smallint
                        | Kw::Time
                        | Kw::Timestamp
                        | Kw::Varchar
                ),
            },
            _ => false,
        }
    }

    fn opt_param_mode(&mut self) -> ParamMode {
        let mode = match self.cur {
            Tok::Kw(Kw::In) => {
                self.bump();
                return if self.eat(Kw::Out) { ParamMode::InOut } else { ParamMode::In };
            }
            Tok::Kw(Kw::Out) => ParamMode::Out,
            Tok::Kw(Kw::Inout) => ParamMode::InOut,
            Tok::Kw(Kw::Variadic) => ParamMode::Variadic,
            _ => return ParamMode::Default,
        };
        self.bump();
        mode
    }

    /// func_arg: mode, name and type, the first two optional and in either order.
    fn func_param(&mut self) -> Result<FunctionParam> {
        let pos = self.pos();
        let mut mode = self.opt_param_mode();
        let mut name = None;
        let next = self.peek(1);
        let mode_next = matches!(next, Tok::Kw(Kw::In | Kw::Out | Kw::Inout | Kw::Variadic));
        if Self::is_type_function_name(self.cur)
            && (Self::starts_type(next) || (mode_next && mode == ParamMode::Default))
        {
            name = Some(self.type_function_name()?);
            if mode == ParamMode::Default {
                mode = self.opt_param_mode();
            }
        }
        let ty = self.func_type()?;
        Ok(FunctionParam { mode, name, ty, default: None, pos })
    }

    fn func_params(&mut self, defaults: bool) -> Result<Vec<FunctionParam>> {
        self.expect_ch(b'(')?;
        if self.eat_ch(b')') {
            return Ok(Vec::new());
        }
        let params = self.list(|p| {
            let mut param = p.func_param()?;
            if defaults && (p.eat(Kw::Default) || p.eat_ch(b'=')) {
                param.default = Some(p.a_expr()?);
            }
            Ok(param)
        })?;
        self.expect_ch(b')')?;
        Ok(params)
    }

    /// function_with_argtypes.
    pub(super) fn function_sig(&mut self) -> Result<FunctionSig> {
        let pos = self.pos();
        let word = self.cur;
        let named = Self::is_type_function_name(word) || Self::is_col_id(word);
        if !named {
            return self.unexpected();
        }
        let name = if Self::is_col_id(word) { self.any_name()? } else { vec![self.type_function_name()?] };
        let args = if self.is_ch(b'(') {
            if name.len() == 1 && !Self::is_type_function_name(word) {
                return self.unexpected();
            }
            Some(self.func_params(false)?)
        } else {
            None
        };
        Ok(FunctionSig { name, args, star: false, direct_args: None, pos })
    }

    /// aggregate_with_argtypes.
    pub(super) fn aggregate_sig(&mut self) -> Result<FunctionSig> {
        let pos = self.pos();
        let name = self.func_name()?;
        self.aggregate_args(name, pos)
    }

    fn aggregate_args(&mut self, name: QualifiedName, pos: Pos) -> Result<FunctionSig> {
        self.expect_ch(b'(')?;
        let mut sig = FunctionSig { name, args: Some(Vec::new()), star: false, direct_args: None, pos };
        if self.eat_ch(b'*') {
            sig.star = true;
        } else {
            let mut args = if self.is(Kw::Order) { Vec::new() } else { self.list(Self::func_param)? };
            if self.eat(Kw::Order) {
                self.expect(Kw::By)?;
                sig.direct_args = Some(args.len());
                args.extend(self.list(Self::func_param)?);
            }
            sig.args = Some(args);
        }
        self.expect_ch(b')')?;
        Ok(sig)
    }

    /// `FUNCTION|PROCEDURE …`
    pub(super) fn create_function(&mut self, or_replace: bool, pos: Pos) -> Result<StatementKind> {
        let procedure = self.is(Kw::Procedure);
        self.bump();
        let name = self.func_name()?;
        let mut params = self.func_params(true)?;
        let mut returns = None;
        let mut returns_table = false;
        if !procedure && self.is(Kw::Returns) && !self.peek_kw(1, Kw::Null) {
            self.bump();
            if self.eat(Kw::Table) {
                returns_table = true;
                let columns = self.paren_list(|p| {
                    let pos = p.pos();
                    let name = Some(p.type_function_name()?);
                    let ty = p.func_type()?;
                    Ok(FunctionParam { mode: ParamMode::Table, name, ty, default: None, pos })
                })?;
                params.extend(columns);
            } else {
                returns = Some(self.func_type()?);
            }
        }
        let mut options = Vec::new();
        while let Some(o) = self.opt_function_option(true)? {
            options.push(o);
        }
        let start = self.pos();
        let body = match self.cur {
            Tok::Kw(Kw::Return) => {
                self.bump();
                let e = self.a_expr()?;
                Some(FunctionBody::Return(e, self.span_from(start)))
            }
            Tok::Kw(Kw::Begin) => {
                self.bump();
                self.expect(Kw::Atomic)?;
                let mut list = Vec::new();
                while !self.is(Kw::End) {
                    if self.eat_ch(b';') {
                        continue;
                    }
                    list.push(self.body_statement()?);
                    self.expect_ch(b';')?;
                }
                self.bump();
                Some(FunctionBody::Atomic(list, self.span_from(start)))
            }
            _ => None,
        };
        let f = CreateFunction { procedure, or_replace, name, params, returns, returns_table, options, body, pos };
        Ok(StatementKind::CreateFunction(Box::new(f)))
    }

    /// A statement of BEGIN ATOMIC; RETURN is the query of its expression.
    fn body_statement(&mut self) -> Result<Statement> {
        let start = self.pos();
        if !self.is(Kw::Return) {
            return self.statement();
        }
        self.bump();
        let at = self.pos();
        let expr = self.a_expr()?;
        let core = SelectCore {
            distinct: Distinct::All,
            targets: vec![Target { expr, alias: None, pos: at }],
            into: None,
            from: Vec::new(),
            where_clause: None,
            group_distinct: false,
            group_by: Vec::new(),
            having: None,
            windows: Vec::new(),
        };
        let query = Select {
            with: None,
            body: SelectBody::Query(Box::new(core)),
            order_by: Vec::new(),
            limit: None,
            locking: Vec::new(),
            pos: start,
        };
        Ok(Statement { kind: StatementKind::Select(Box::new(query)), span: self.span_from(start) })
    }

    /// One option; `create`: those of CREATE only, too.
    fn opt_function_option(&mut self, create: bool) -> Result<Option<FunctionOption>> {
        use FunctionOptionKind::*;
        let pos = self.pos();
        let Tok::Kw(k) = self.cur else { return Ok(None) };
        let kind = match k {
            Kw::As if create => {
                self.bump();
                let mut list = vec![self.sconst()?];
                if self.eat_ch(b',') {
                    list.push(self.sconst()?);
                }
                As(list)
            }
            Kw::Language if create => {
                self.bump();
                Language(self.word_or_sconst()?.text)
            }
            Kw::Transform if create => {
                self.bump();
                Transform(self.list(|p| {
                    p.expect_all(&[Kw::For, Kw::Type])?;
                    p.type_name()
                })?)
            }
            Kw::Window if create => {
                self.bump();
                Window
            }
            Kw::Called => {
                self.bump();
                self.expect_all(&[Kw::On, Kw::Null, Kw::Input])?;
                Strict(false)
            }
            Kw::Returns => {
                self.bump();
                self.expect_all(&[Kw::Null, Kw::On, Kw::Null, Kw::Input])?;
                Strict(true)
            }
            Kw::Strict => {
                self.bump();
                Strict(true)
            }
            Kw::Immutable => {
                self.bump();
                Volatility(crate::ast::Volatility::Immutable)
            }
            Kw::Stable => {
                self.bump();
                Volatility(crate::ast::Volatility::Stable)
            }
            Kw::Volatile => {
                self.bump();
                Volatility(crate::ast::Volatility::Volatile)
            }
            Kw::External | Kw::Security => {
                self.eat(Kw::External);
                self.expect(Kw::Security)?;
                let definer = self.eat(Kw::Definer);
                if !definer {
                    self.expect(Kw::Invoker)?;
                }
                SecurityDefiner(definer)
            }
            Kw::Leakproof => {
                self.bump();
                Leakproof(true)
            }
            Kw::Not => {
                self.bump();
                self.expect(Kw::Leakproof)?;
                Leakproof(false)
            }
            Kw::Cost => {
                self.bump();
                Cost(self.numeric_only()?)
            }
            Kw::Rows => {
                self.bump();
                Rows(self.numeric_only()?)
            }
            Kw::Support => {
                self.bump();
                Support(self.any_name()?)
            }
            Kw::Parallel => {
                self.bump();
                Parallel(self.col_id()?)
            }
            Kw::Set | Kw::Reset => Set(self.function_set()?),
            _ => return Ok(None),
        };
        Ok(Some(FunctionOption { kind, pos }))
    }

    /// ALTER FUNCTION with options; the function has been read.
    pub(super) fn alter_function(&mut self, kind: ObjectKind, function: FunctionSig) -> Result<StatementKind> {
        let mut options = Vec::new();
        while let Some(o) = self.opt_function_option(false)? {
            options.push(o);
        }
        if options.is_empty() {
            return self.unexpected();
        }
        self.eat(Kw::Restrict);
        Ok(StatementKind::AlterFunction(Box::new(AlterFunction { kind, function, options })))
    }

    /// `AGGREGATE …`
    pub(super) fn create_aggregate(&mut self, or_replace: bool, pos: Pos) -> Result<StatementKind> {
        self.expect(Kw::Aggregate)?;
        let at = self.pos();
        let name = self.func_name()?;
        // The old form has one list, of `name = value`; a new form's arguments are never followed by `=`.
        let old = Self::is_col_label(self.peek(1)) && self.peek(2) == Tok::Char(b'=');
        let aggregate_args = if old { None } else { Some(self.aggregate_args(name.clone(), at)?) };
        let definition = if old {
            self.paren_list(|p| {
                let ok = p.cur == Tok::Ident || matches!(p.cur, Tok::Kw(k) if k.category() == Category::Unreserved);
                let label = p.take_name(ok)?;
                p.expect_ch(b'=')?;
                let value = Some(p.def_value()?);
                Ok(DefElem { namespace: None, name: label.text, value, action: DefAction::Unspecified, pos: label.pos })
            })?
        } else {
            self.definition()?
        };
        let d = Define {
            kind: ObjectKind::Aggregate,
            or_replace,
            if_not_exists: false,
            name,
            aggregate_args,
            definition,
            from: None,
            pos,
        };
        Ok(StatementKind::Define(Box::new(d)))
    }
}
