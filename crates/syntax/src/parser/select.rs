//! Queries.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::{Result, SqlState};

const UNION: u8 = 1;
const INTERSECT: u8 = 2;

/// ORDER BY, LIMIT, locking: what may follow a query's body.
struct Tail {
    order_by: Vec<SortBy>,
    limit: Option<Box<Limit>>,
    limit_pos: Option<Pos>,
    ties_pos: Pos,
    offset_pos: Option<Pos>,
    locking: Vec<Locking>,
}

impl Parser<'_> {
    /// Whether a query starts here, parentheses before it included.
    pub(super) fn starts_query(&mut self) -> bool {
        let mut n = 0;
        while self.peek(n) == Tok::Char(b'(') {
            n += 1;
        }
        matches!(self.peek(n), Tok::Kw(Kw::Select | Kw::Values | Kw::Table | Kw::With))
    }

    /// SelectStmt: with or without parentheses around it.
    pub(super) fn select_statement(&mut self) -> Result<Select> {
        self.select_no_parens()
    }

    /// `( query )`
    #[inline(never)]
    pub(super) fn select_with_parens(&mut self) -> Result<Select> {
        self.enter()?;
        self.expect_ch(b'(')?;
        let q = self.select_no_parens()?;
        self.expect_ch(b')')?;
        self.leave();
        Ok(q)
    }

    /// A query, which may itself be wholly in parentheses.
    pub(super) fn select_no_parens(&mut self) -> Result<Select> {
        self.enter()?;
        let outer = std::mem::replace(&mut self.height, 0);
        let with = self.opt_with()?;
        let operand = self.set_operand()?;
        let left = self.set_operations(operand, UNION)?;
        let q = self.with_tail(left, with)?;
        self.raise()?;
        self.height = self.height.max(outer);
        self.leave();
        Ok(q)
    }

    /// The query whose first operand, in parentheses, is `operand`.
    pub(super) fn select_from_operand(&mut self, operand: Select) -> Result<Select> {
        let left = self.set_operations(operand, UNION)?;
        self.raise()?;
        self.with_tail(left, None)
    }

    /// Whether what comes continues a query in parentheses.
    pub(super) fn continues_query(&self) -> bool {
        matches!(
            self.cur,
            Tok::Kw(Kw::Union | Kw::Intersect | Kw::Except | Kw::Order | Kw::Limit | Kw::Offset | Kw::Fetch | Kw::For)
        )
    }

    fn set_operand(&mut self) -> Result<Select> {
        if self.is_ch(b'(') { self.select_with_parens() } else { self.simple_select() }
    }

    fn set_operations(&mut self, mut left: Select, min: u8) -> Result<Select> {
        loop {
            let (op, level) = match self.cur {
                Tok::Kw(Kw::Union) => (SetOperator::Union, UNION),
                Tok::Kw(Kw::Except) => (SetOperator::Except, UNION),
                Tok::Kw(Kw::Intersect) => (SetOperator::Intersect, INTERSECT),
                _ => return Ok(left),
            };
            if level < min {
                return Ok(left);
            }
            let pos = self.pos();
            self.bump();
            let all = self.eat(Kw::All);
            if !all {
                self.eat(Kw::Distinct);
            }
            let operand = self.set_operand()?;
            let right = self.set_operations(operand, level + 1)?;
            self.raise()?;
            let at = left.pos;
            let body = SelectBody::SetOperation(Box::new(SetOperation { op, all, left, right, pos }));
            left = Select { with: None, body, order_by: Vec::new(), limit: None, locking: Vec::new(), pos: at };
        }
    }

    /// `q` with what follows and precedes it.
    #[inline(never)]
    fn with_tail(&mut self, mut q: Select, with: Option<Box<With>>) -> Result<Select> {
        let tail = self.tail()?;
        if !tail.order_by.is_empty() {
            if !q.order_by.is_empty() {
                let at = tail.order_by[0].expr.location();
                return self.syntax_at("multiple ORDER BY clauses not allowed", at);
            }
            q.order_by = tail.order_by;
        }
        q.locking.extend(tail.locking);
        if let Some(limit) = tail.limit {
            let old = q.limit.as_deref();
            if let (Some(pos), true) = (tail.offset_pos, old.is_some_and(|l| l.offset.is_some())) {
                return self.syntax_at("multiple OFFSET clauses not allowed", pos);
            }
            if let (Some(pos), true) = (tail.limit_pos, old.is_some_and(|l| l.count.is_some() || l.all)) {
                return self.syntax_at("multiple LIMIT clauses not allowed", pos);
            }
            if limit.with_ties && q.order_by.is_empty() {
                return self.syntax_at("WITH TIES cannot be specified without ORDER BY clause", tail.ties_pos);
            }
            if limit.with_ties && q.locking.iter().any(|l| l.wait == LockWait::SkipLocked) {
                return self.syntax_at("SKIP LOCKED and WITH TIES options cannot be used together", tail.ties_pos);
            }
            match &mut q.limit {
                None => q.limit = Some(limit),
                Some(old) => {
                    if limit.offset.is_some() {
                        old.offset = limit.offset;
                    }
                    if limit.count.is_some() || limit.all {
                        old.count = limit.count;
                        old.all = limit.all;
                        old.with_ties = limit.with_ties;
                    }
                }
            }
        }
        if let Some(with) = with {
            if q.with.is_some() {
                return self.syntax_at("multiple WITH clauses not allowed", with.pos);
            }
            q.pos = with.pos;
            q.with = Some(with);
        }
        Ok(q)
    }

    #[inline(never)]
    fn tail(&mut self) -> Result<Tail> {
        let mut tail = Tail {
            order_by: Vec::new(),
            limit: None,
            limit_pos: None,
            ties_pos: Pos::NONE,
            offset_pos: None,
            locking: Vec::new(),
        };
        if !matches!(self.cur, Tok::Kw(Kw::Order | Kw::Limit | Kw::Offset | Kw::Fetch | Kw::For)) {
            return Ok(tail);
        }
        if self.is(Kw::Order) {
            tail.order_by = self.sort_clause()?;
        }
        if self.is(Kw::For) {
            tail.locking = self.locking_clause()?;
            self.limit_clauses(&mut tail)?;
        } else {
            self.limit_clauses(&mut tail)?;
            if self.is(Kw::For) {
                tail.locking = self.locking_clause()?;
            }
        }
        Ok(tail)
    }

    #[inline(never)]
    fn limit_clauses(&mut self, tail: &mut Tail) -> Result<()> {
        let mut limit = Limit { count: None, offset: None, with_ties: false, all: false };
        loop {
            let pos = self.pos();
            match self.cur {
                Tok::Kw(Kw::Limit) if tail.limit_pos.is_none() => {
                    self.bump();
                    tail.limit_pos = Some(pos);
                    if self.eat(Kw::All) {
                        limit.all = true;
                    } else {
                        limit.count = Some(self.a_expr()?);
                    }
                    if self.eat_ch(b',') {
                        self.a_expr()?;
                        let e = self.error(SqlState::SYNTAX_ERROR, "LIMIT #,# syntax is not supported", pos);
                        return Err(e.hint("Use separate LIMIT and OFFSET clauses."));
                    }
                }
                Tok::Kw(Kw::Fetch) if tail.limit_pos.is_none() => {
                    self.bump();
                    tail.limit_pos = Some(pos);
                    if !self.eat(Kw::First) {
                        self.expect(Kw::Next)?;
                    }
                    let next = self.peek(1);
                    limit.count = Some(if self.row_or_rows() && matches!(next, Tok::Kw(Kw::Only | Kw::With)) {
                        Expr::new(ExprKind::Literal(Literal::Integer(1)), Pos::NONE)
                    } else {
                        self.fetch_value()?
                    });
                    if !self.row_or_rows() {
                        return self.unexpected();
                    }
                    self.bump();
                    if !self.eat(Kw::Only) {
                        tail.ties_pos = self.pos();
                        self.expect(Kw::With)?;
                        self.expect(Kw::Ties)?;
                        limit.with_ties = true;
                    }
                }
                Tok::Kw(Kw::Offset) if tail.offset_pos.is_none() => {
                    self.bump();
                    tail.offset_pos = Some(pos);
                    let e = self.a_expr()?;
                    if self.row_or_rows() {
                        if matches!(e.kind, ExprKind::Binary(_) | ExprKind::And(_) | ExprKind::Or(_)) {
                            return self.unexpected();
                        }
                        self.bump();
                    }
                    limit.offset = Some(e);
                }
                _ => break,
            }
        }
        if tail.limit_pos.is_some() || tail.offset_pos.is_some() {
            tail.limit = Some(Box::new(limit));
        }
        Ok(())
    }

    fn row_or_rows(&self) -> bool {
        matches!(self.cur, Tok::Kw(Kw::Row | Kw::Rows))
    }

    /// The count of FETCH FIRST: a primary, or a signed number.
    fn fetch_value(&mut self) -> Result<Expr> {
        let pos = self.pos();
        if matches!(self.cur, Tok::Char(b'+' | b'-')) {
            let small = self.peek(1) == Tok::Int;
            let text = self.numeric_only()?;
            let literal = match text.parse::<i32>() {
                Ok(v) if small => Literal::Integer(v),
                _ => Literal::Number(text),
            };
            return Ok(Expr::new(ExprKind::Literal(literal), pos));
        }
        self.c_expr()
    }

    #[inline(never)]
    fn locking_clause(&mut self) -> Result<Vec<Locking>> {
        let mut out = Vec::new();
        while self.is(Kw::For) {
            let pos = self.pos();
            if out.is_empty() && self.peek_kw(1, Kw::Read) {
                self.bump();
                self.bump();
                self.expect(Kw::Only)?;
                return Ok(out);
            }
            self.bump();
            let strength = match self.cur {
                Tok::Kw(Kw::Update) => LockStrength::Update,
                Tok::Kw(Kw::Share) => LockStrength::Share,
                Tok::Kw(Kw::No) => {
                    self.bump();
                    self.expect(Kw::Key)?;
                    if !self.is(Kw::Update) {
                        return self.unexpected();
                    }
                    LockStrength::NoKeyUpdate
                }
                Tok::Kw(Kw::Key) => {
                    self.bump();
                    if !self.is(Kw::Share) {
                        return self.unexpected();
                    }
                    LockStrength::KeyShare
                }
                _ => return self.unexpected(),
            };
            self.bump();
            let of = if self.eat(Kw::Of) { self.list(Self::qualified_name)? } else { Vec::new() };
            let wait = if self.eat(Kw::Nowait) {
                LockWait::NoWait
            } else if self.eat(Kw::Skip) {
                self.expect(Kw::Locked)?;
                LockWait::SkipLocked
            } else {
                LockWait::Block
            };
            out.push(Locking { strength, of, wait, pos });
        }
        Ok(out)
    }

    fn simple_select(&mut self) -> Result<Select> {
        let pos = self.pos();
        let body = match self.cur {
            Tok::Kw(Kw::Select) => SelectBody::Query(Box::new(self.select_core()?)),
            Tok::Kw(Kw::Values) => {
                self.bump();
                let rows = self.list(|p| p.paren_list(Self::a_expr))?;
                SelectBody::Values(rows)
            }
            Tok::Kw(Kw::Table) => {
                self.bump();
                let relation = self.relation_expr()?;
                let star = Expr::new(ExprKind::Star(Vec::new()), Pos::NONE);
                let mut core = empty_core();
                core.targets.push(Target { expr: star, alias: None, pos: Pos::NONE });
                core.from.push(TableRef::Relation(Box::new(RelationRef { relation, alias: None, sample: None })));
                SelectBody::Query(Box::new(core))
            }
            _ => return self.unexpected(),
        };
        Ok(Select { with: None, body, order_by: Vec::new(), limit: None, locking: Vec::new(), pos })
    }

    #[inline(never)]
    fn select_core(&mut self) -> Result<SelectCore> {
        self.bump();
        let mut core = empty_core();
        if self.eat(Kw::Distinct) {
            core.distinct = Distinct::Distinct;
            if self.eat(Kw::On) {
                core.distinct = Distinct::On(self.paren_list(Self::a_expr)?);
            }
            core.targets = self.target_list()?;
        } else {
            self.eat(Kw::All);
            if !self.ends_target_list() {
                core.targets = self.target_list()?;
            }
        }
        if self.eat(Kw::Into) {
            core.into = Some(Box::new(self.select_into()?));
        }
        if self.eat(Kw::From) {
            core.from = self.list(Self::table_ref)?;
        }
        core.where_clause = self.opt_where()?;
        if self.eat(Kw::Group) {
            self.expect(Kw::By)?;
            if self.eat(Kw::Distinct) {
                core.group_distinct = true;
            } else {
                self.eat(Kw::All);
            }
            core.group_by = self.list(Self::group_item)?;
        }
        if self.eat(Kw::Having) {
            core.having = Some(self.a_expr()?);
        }
        core.windows = self.opt_window_clause()?;
        Ok(core)
    }

    fn ends_target_list(&self) -> bool {
        match self.cur {
            Tok::Eof | Tok::Char(b';' | b')') => true,
            Tok::Kw(k) => matches!(
                k,
                Kw::From
                    | Kw::Into
                    | Kw::Where
                    | Kw::Group
                    | Kw::Having
                    | Kw::Window
                    | Kw::Union
                    | Kw::Intersect
                    | Kw::Except
                    | Kw::Order
                    | Kw::Limit
                    | Kw::Offset
                    | Kw::Fetch
                    | Kw::For
                    | Kw::With
                    | Kw::On
                    | Kw::Returning
            ),
            _ => false,
        }
    }

    pub(super) fn opt_where(&mut self) -> Result<Option<Expr>> {
        if self.eat(Kw::Where) { self.a_expr().map(Some) } else { Ok(None) }
    }

    /// The table SELECT INTO names.
    fn select_into(&mut self) -> Result<IntoTable> {
        let mut persistence = Persistence::Permanent;
        let next = self.peek(1);
        let named = next == Tok::Kw(Kw::Table) || Self::is_col_id(next);
        match self.cur {
            Tok::Kw(Kw::Temporary | Kw::Temp) if named => {
                self.bump();
                self.eat(Kw::Table);
                persistence = Persistence::Temporary;
            }
            Tok::Kw(Kw::Local | Kw::Global) if matches!(next, Tok::Kw(Kw::Temporary | Kw::Temp)) => {
                self.bump();
                self.bump();
                self.eat(Kw::Table);
                persistence = Persistence::Temporary;
            }
            Tok::Kw(Kw::Unlogged) if named => {
                self.bump();
                self.eat(Kw::Table);
                persistence = Persistence::Unlogged;
            }
            _ => {
                self.eat(Kw::Table);
            }
        }
        let relation = self.qualified_name()?;
        Ok(IntoTable {
            relation,
            persistence,
            columns: Vec::new(),
            access_method: None,
            options: Vec::new(),
            on_commit: OnCommit::NotSet,
            tablespace: None,
        })
    }

    pub(super) fn target_list(&mut self) -> Result<Vec<Target>> {
        self.list(Self::target)
    }

    fn target(&mut self) -> Result<Target> {
        let pos = self.pos();
        if self.eat_ch(b'*') {
            return Ok(Target { expr: Expr::new(ExprKind::Star(Vec::new()), pos), alias: None, pos });
        }
        let outer = std::mem::replace(&mut self.label_depth, self.depth + 1);
        let expr = self.a_expr()?;
        self.label_depth = outer;
        let alias = if self.eat(Kw::As) {
            Some(self.col_label()?)
        } else if Self::is_bare_col_label(self.cur) && !self.nulls_order_next() {
            Some(self.take_name(true)?)
        } else {
            None
        };
        Ok(Target { expr, alias, pos })
    }

    /// `NULLS FIRST` and `NULLS LAST` are read as one word, which is no label.
    fn nulls_order_next(&mut self) -> bool {
        match self.cur {
            Tok::Kw(Kw::Nulls) => matches!(self.peek(1), Tok::Kw(Kw::First | Kw::Last)),
            Tok::Kw(Kw::Not) => {
                matches!(self.peek(1), Tok::Kw(Kw::Between | Kw::In | Kw::Like | Kw::Ilike | Kw::Similar))
            }
            Tok::Kw(Kw::Format) => self.peek_kw(1, Kw::Json),
            _ => false,
        }
    }

    /// `ORDER BY …`
    pub(super) fn sort_clause(&mut self) -> Result<Vec<SortBy>> {
        self.expect_all(&[Kw::Order, Kw::By])?;
        self.list(Self::sort_by)
    }

    fn sort_by(&mut self) -> Result<SortBy> {
        let expr = self.a_expr()?;
        let direction = if self.eat(Kw::Using) {
            let op = if self.is(Kw::Operator) { self.qualified_operator()? } else { self.all_op()? };
            SortDirection::Using(op)
        } else if self.eat(Kw::Asc) {
            SortDirection::Asc
        } else if self.eat(Kw::Desc) {
            SortDirection::Desc
        } else {
            SortDirection::Default
        };
        let nulls = self.opt_nulls_order()?;
        Ok(SortBy { expr, direction, nulls })
    }

    pub(super) fn opt_nulls_order(&mut self) -> Result<NullsOrder> {
        if !self.is(Kw::Nulls) {
            return Ok(NullsOrder::Default);
        }
        let order = match self.peek(1) {
            Tok::Kw(Kw::First) => NullsOrder::First,
            Tok::Kw(Kw::Last) => NullsOrder::Last,
            // NULLS alone is an ordinary word.
            _ => return Ok(NullsOrder::Default),
        };
        self.bump();
        self.bump();
        Ok(order)
    }

    #[inline(never)]
    fn group_item(&mut self) -> Result<GroupItem> {
        self.enter()?;
        let pos = self.pos();
        let next = self.peek(1);
        let item = match self.cur {
            Tok::Char(b'(') if next == Tok::Char(b')') => {
                self.bump();
                self.bump();
                GroupItem::Empty(pos)
            }
            Tok::Kw(Kw::Rollup) if next == Tok::Char(b'(') => {
                self.bump();
                GroupItem::Rollup(self.paren_list(Self::a_expr)?, pos)
            }
            Tok::Kw(Kw::Cube) if next == Tok::Char(b'(') => {
                self.bump();
                GroupItem::Cube(self.paren_list(Self::a_expr)?, pos)
            }
            Tok::Kw(Kw::Grouping) if next == Tok::Kw(Kw::Sets) => {
                self.bump();
                self.bump();
                let items = self.paren_list(Self::group_item)?;
                self.raise()?;
                GroupItem::GroupingSets(items, pos)
            }
            _ => GroupItem::Expr(self.a_expr()?),
        };
        self.leave();
        Ok(item)
    }

    /// `WITH …`, if it comes.
    pub(super) fn opt_with(&mut self) -> Result<Option<Box<With>>> {
        let pos = self.pos();
        if !self.eat(Kw::With) {
            return Ok(None);
        }
        let recursive = self.eat(Kw::Recursive);
        let ctes = self.list(Self::cte)?;
        Ok(Some(Box::new(With { recursive, ctes, pos })))
    }

    #[inline(never)]
    fn cte(&mut self) -> Result<Cte> {
        let name = self.col_id()?;
        let pos = name.pos;
        let columns = self.opt_name_list()?;
        self.expect(Kw::As)?;
        let materialized = if self.eat(Kw::Materialized) {
            Some(true)
        } else if self.is(Kw::Not) {
            self.bump();
            self.expect(Kw::Materialized)?;
            Some(false)
        } else {
            None
        };
        self.expect_ch(b'(')?;
        let statement = self.preparable()?;
        self.expect_ch(b')')?;
        let mut search = None;
        if self.is(Kw::Search) {
            let pos = self.pos();
            self.bump();
            let breadth_first = self.eat(Kw::Breadth);
            if !breadth_first {
                self.expect(Kw::Depth)?;
            }
            self.expect_all(&[Kw::First, Kw::By])?;
            let columns = self.list(Self::col_id)?;
            self.expect(Kw::Set)?;
            let sequence = self.col_id()?;
            search = Some(CteSearch { breadth_first, columns, sequence, pos });
        }
        let mut cycle = None;
        if self.is(Kw::Cycle) {
            let pos = self.pos();
            self.bump();
            let columns = self.list(Self::col_id)?;
            self.expect(Kw::Set)?;
            let mark = self.col_id()?;
            let boolean = |v| Expr::new(ExprKind::Literal(Literal::Bool(v)), Pos::NONE);
            let (mut mark_value, mut mark_default) = (boolean(true), boolean(false));
            if self.eat(Kw::To) {
                mark_value = self.constant()?;
                self.expect(Kw::Default)?;
                mark_default = self.constant()?;
            }
            self.expect(Kw::Using)?;
            let path = self.col_id()?;
            cycle = Some(Box::new(CteCycle { columns, mark, mark_value, mark_default, path, pos }));
        }
        Ok(Cte { name, columns, materialized, statement, search, cycle, pos })
    }

    /// PreparableStmt: a query or a change of rows.
    pub(super) fn preparable(&mut self) -> Result<Statement> {
        let start = self.pos();
        let kind = self.preparable_kind()?;
        Ok(Statement { kind, span: self.span_from(start) })
    }

    pub(super) fn preparable_kind(&mut self) -> Result<StatementKind> {
        match self.cur {
            Tok::Char(b'(') | Tok::Kw(Kw::Select | Kw::Values | Kw::Table) => {
                Ok(StatementKind::Select(Box::new(self.select_no_parens()?)))
            }
            Tok::Kw(Kw::With) => {
                self.enter()?;
                let with = self.opt_with()?;
                let kind = match self.cur {
                    Tok::Kw(Kw::Insert | Kw::Update | Kw::Delete | Kw::Merge) => self.change(with)?,
                    _ => {
                        let operand = self.set_operand()?;
                        let left = self.set_operations(operand, UNION)?;
                        StatementKind::Select(Box::new(self.with_tail(left, with)?))
                    }
                };
                self.leave();
                Ok(kind)
            }
            Tok::Kw(Kw::Insert | Kw::Update | Kw::Delete | Kw::Merge) => self.change(None),
            _ => self.unexpected(),
        }
    }
}

fn empty_core() -> SelectCore {
    SelectCore {
        distinct: Distinct::All,
        targets: Vec::new(),
        into: None,
        from: Vec::new(),
        where_clause: None,
        group_distinct: false,
        group_by: Vec::new(),
        having: None,
        windows: Vec::new(),
    }
}
