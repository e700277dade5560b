//! EXPLAIN, VACUUM and kin, prepared statements, cursors, notifications, and other single statements.

use super::Parser;

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    pub(super) fn explain(&mut self) -> Result<StatementKind> {
        self.bump();
        let mut options = Vec::new();
        if self.is_ch(b'(') && !self.starts_query() {
            options = self.utility_options()?;
        } else {
            let pos = self.pos();
            if matches!(self.cur, Tok::Kw(Kw::Analyze | Kw::Analyse)) {
                self.bump();
                options.push(self.flag("analyze", pos));
            }
            let pos = self.pos();
            if self.eat(Kw::Verbose) {
                options.push(self.flag("verbose", pos));
            }
        }
        let start = self.pos();
        let kind = match self.cur {
            Tok::Kw(Kw::Execute) => self.execute()?,
            Tok::Kw(Kw::Declare) => self.declare()?,
            Tok::Kw(Kw::Refresh) => self.refresh()?,
            Tok::Kw(Kw::Create) => {
                let at = self.at;
                let next = self.peek(1);
                let ok = matches!(next, Tok::Kw(Kw::Table | Kw::Temp | Kw::Temporary | Kw::Local | Kw::Global))
                    || matches!(next, Tok::Kw(Kw::Unlogged | Kw::Materialized));
                if !ok {
                    self.bump();
                    return self.unexpected();
                }
                self.query_only = true;
                let k = self.create()?;
                self.query_only = false;
                if !matches!(k, StatementKind::CreateTableAs(_)) {
                    let t = self.toks[at + 1];
                    return Err(self.lex.error_near("syntax error", t.start as usize, t.end as usize));
                }
                k
            }
            _ => self.preparable_kind()?,
        };
        let statement = Statement { kind, span: self.span_from(start) };
        Ok(StatementKind::Explain(Box::new(Explain { options, statement })))
    }

    fn vacuum_relations(&mut self) -> Result<Vec<VacuumRelation>> {
        if !Self::is_col_id(self.cur) && !self.is(Kw::Only) {
            return Ok(Vec::new());
        }
        self.list(|p| {
            let relation = p.relation_expr()?;
            Ok(VacuumRelation { relation, columns: p.opt_name_list()? })
        })
    }

    pub(super) fn vacuum(&mut self) -> Result<StatementKind> {
        self.bump();
        let mut options = Vec::new();
        if self.is_ch(b'(') {
            options = self.utility_options()?;
        } else {
            for (k, name) in
                [(Kw::Full, "full"), (Kw::Freeze, "freeze"), (Kw::Verbose, "verbose"), (Kw::Analyze, "analyze")]
            {
                let pos = self.pos();
                if self.eat(k) || (k == Kw::Analyze && self.eat(Kw::Analyse)) {
                    options.push(self.flag(name, pos));
                }
            }
        }
        let relations = self.vacuum_relations()?;
        Ok(StatementKind::Vacuum(Box::new(Vacuum { vacuum: true, options, relations })))
    }

    pub(super) fn analyze(&mut self) -> Result<StatementKind> {
        self.bump();
        let mut options = Vec::new();
        let pos = self.pos();
        if self.is_ch(b'(') {
            options = self.utility_options()?;
        } else if self.eat(Kw::Verbose) {
            options.push(self.flag("verbose", pos));
        }
        let relations = self.vacuum_relations()?;
        Ok(StatementKind::Vacuum(Box::new(Vacuum { vacuum: false, options, relations })))
    }

    pub(super) fn reindex(&mut self) -> Result<StatementKind> {
        self.bump();
        let mut options = if self.is_ch(b'(') { self.utility_options()? } else { Vec::new() };
        let Tok::Kw(k) = self.cur else { return self.unexpected() };
        if !matches!(k, Kw::Index | Kw::Table | Kw::Schema | Kw::System | Kw::Database) {
            return self.unexpected();
        }
        self.bump();
        let pos = self.pos();
        if self.eat(Kw::Concurrently) {
            options.push(self.flag("concurrently", pos));
        }
        let opt_name = |p: &mut Self| if Self::is_col_id(p.cur) { p.col_id().map(Some) } else { Ok(None) };
        let target = match k {
            Kw::Index => ReindexTarget::Index(self.qualified_name()?),
            Kw::Table => ReindexTarget::Table(self.qualified_name()?),
            Kw::Schema => ReindexTarget::Schema(self.col_id()?),
            Kw::System => ReindexTarget::System(opt_name(self)?),
            _ => ReindexTarget::Database(opt_name(self)?),
        };
        Ok(StatementKind::Reindex(Box::new(Reindex { target, options })))
    }

    pub(super) fn cluster(&mut self) -> Result<StatementKind> {
        self.bump();
        let mut c = Cluster { relation: None, index: None, options: Vec::new() };
        let pos = self.pos();
        if self.is_ch(b'(') {
            c.options = self.utility_options()?;
        } else if self.eat(Kw::Verbose) {
            c.options.push(self.flag("verbose", pos));
        }
        if Self::is_col_id(self.cur) {
            let relation = self.qualified_name()?;
            if self.eat(Kw::Using) {
                c.index = Some(self.col_id()?);
                c.relation = Some(relation);
            } else if self.eat(Kw::On) {
                // The old form: index first.
                c.index = Some(relation.name);
                c.relation = Some(self.qualified_name()?);
            } else {
                c.relation = Some(relation);
            }
        }
        Ok(StatementKind::Cluster(Box::new(c)))
    }

    pub(super) fn discard(&mut self) -> Result<StatementKind> {
        self.bump();
        let d = match self.cur {
            Tok::Kw(Kw::All) => Discard::All,
            Tok::Kw(Kw::Plans) => Discard::Plans,
            Tok::Kw(Kw::Sequences) => Discard::Sequences,
            Tok::Kw(Kw::Temp | Kw::Temporary) => Discard::Temporary,
            _ => return self.unexpected(),
        };
        self.bump();
        Ok(StatementKind::Discard(d))
    }

    pub(super) fn lock(&mut self) -> Result<StatementKind> {
        self.bump();
        self.eat(Kw::Table);
        let relations = self.list(Self::relation_expr)?;
        let mut mode = LockMode::AccessExclusive;
        if self.eat(Kw::In) {
            mode = match self.bump().tok {
                Tok::Kw(Kw::Access) => {
                    if self.eat(Kw::Share) {
                        LockMode::AccessShare
                    } else {
                        self.expect(Kw::Exclusive)?;
                        LockMode::AccessExclusive
                    }
                }
                Tok::Kw(Kw::Row) => {
                    if self.eat(Kw::Share) {
                        LockMode::RowShare
                    } else {
                        self.expect(Kw::Exclusive)?;
                        LockMode::RowExclusive
                    }
                }
                Tok::Kw(Kw::Share) => {
                    if self.eat(Kw::Update) {
                        self.expect(Kw::Exclusive)?;
                        LockMode::ShareUpdateExclusive
                    } else if self.eat(Kw::Row) {
                        self.expect(Kw::Exclusive)?;
                        LockMode::ShareRowExclusive
                    } else {
                        LockMode::Share
                    }
                }
                Tok::Kw(Kw::Exclusive) => LockMode::Exclusive,
                _ => {
                    self.at -= 1;
                    self.cur = self.toks[self.at].tok;
                    return self.unexpected();
                }
            };
            self.expect(Kw::Mode)?;
        }
        let nowait = self.eat(Kw::Nowait);
        Ok(StatementKind::Lock(Box::new(Lock { relations, mode, nowait })))
    }

    pub(super) fn do_statement(&mut self) -> Result<StatementKind> {
        self.bump();
        let mut d = Do { code: Vec::new(), language: Vec::new() };
        loop {
            let pos = self.pos();
            if self.cur == Tok::Str {
                let text = self.sconst()?;
                d.code.push((text, pos));
            } else if self.eat(Kw::Language) {
                d.language.push((self.word_or_sconst()?.text, pos));
            } else {
                break;
            }
        }
        if d.code.is_empty() && d.language.is_empty() {
            return self.unexpected();
        }
        Ok(StatementKind::Do(Box::new(d)))
    }

    pub(super) fn call(&mut self) -> Result<StatementKind> {
        self.bump();
        let pos = self.pos();
        let name = self.func_name()?;
        let (call, _) = self.func_application(name)?;
        let call = Expr::new(ExprKind::FuncCall(Box::new(call)), pos);
        Ok(StatementKind::Call(Box::new(Call { call })))
    }

    pub(super) fn prepare(&mut self) -> Result<StatementKind> {
        self.bump();
        if self.is(Kw::Transaction) && self.peek(1) == Tok::Str {
            self.bump();
            return self.prepare_transaction();
        }
        let name = self.col_id()?;
        let types = if self.is_ch(b'(') { self.paren_list(Self::type_name)? } else { Vec::new() };
        self.expect(Kw::As)?;
        let statement = self.preparable()?;
        Ok(StatementKind::Prepare(Box::new(Prepare { name, types, statement })))
    }

    pub(super) fn execute(&mut self) -> Result<StatementKind> {
        self.bump();
        let name = self.col_id()?;
        let args = if self.is_ch(b'(') { self.paren_list(Self::a_expr)? } else { Vec::new() };
        Ok(StatementKind::Execute(Box::new(Execute { name, args })))
    }

    pub(super) fn deallocate(&mut self) -> Result<StatementKind> {
        self.bump();
        if self.is(Kw::Prepare) && (self.peek_kw(1, Kw::All) || Self::is_col_id(self.peek(1))) {
            self.bump();
        }
        let name = if self.eat(Kw::All) { None } else { Some(self.col_id()?) };
        Ok(StatementKind::Deallocate(Box::new(Deallocate { name })))
    }

    pub(super) fn declare(&mut self) -> Result<StatementKind> {
        self.bump();
        let name = self.col_id()?;
        let (mut binary, mut insensitive, mut asensitive) = (false, false, false);
        let (mut scroll, mut no_scroll) = (false, false);
        loop {
            match self.cur {
                Tok::Kw(Kw::Binary) => binary = true,
                Tok::Kw(Kw::Insensitive) => insensitive = true,
                Tok::Kw(Kw::Asensitive) => asensitive = true,
                Tok::Kw(Kw::Scroll) => scroll = true,
                Tok::Kw(Kw::No) => {
                    self.bump();
                    if !self.is(Kw::Scroll) {
                        return self.unexpected();
                    }
                    no_scroll = true;
                }
                _ => break,
            }
            self.bump();
        }
        self.expect(Kw::Cursor)?;
        let mut hold = false;
        if self.eat(Kw::With) {
            self.expect(Kw::Hold)?;
            hold = true;
        } else if self.eat(Kw::Without) {
            self.expect(Kw::Hold)?;
        }
        self.expect(Kw::For)?;
        let start = self.pos();
        let query = self.select_statement()?;
        let query = Statement { kind: StatementKind::Select(Box::new(query)), span: self.span_from(start) };
        let scroll = scroll.then_some(true);
        let d = DeclareCursor { name, binary, insensitive, asensitive, scroll, no_scroll, hold, query };
        Ok(StatementKind::DeclareCursor(Box::new(d)))
    }

    pub(super) fn fetch(&mut self, is_move: bool) -> Result<StatementKind> {
        use FetchDirection::*;
        self.bump();
        let next = self.peek(1);
        // A word of direction before FROM or IN, or before a name, is one; alone it is a cursor.
        let worded = matches!(next, Tok::Kw(_) | Tok::Ident | Tok::Int | Tok::Char(b'+' | b'-'));
        let direction = match self.cur {
            Tok::Int | Tok::Char(b'+' | b'-') => Forward(i64::from(self.signed_iconst()?)),
            Tok::Kw(Kw::All) => {
                self.bump();
                Forward(i64::MAX)
            }
            Tok::Kw(k @ (Kw::Next | Kw::Prior | Kw::First | Kw::Last)) if worded => {
                self.bump();
                match k {
                    Kw::Next => Forward(1),
                    Kw::Prior => Backward(1),
                    Kw::First => Absolute(1),
                    _ => Absolute(-1),
                }
            }
            Tok::Kw(k @ (Kw::Absolute | Kw::Relative)) if worded => {
                self.bump();
                let n = i64::from(self.signed_iconst()?);
                if k == Kw::Absolute { Absolute(n) } else { Relative(n) }
            }
            Tok::Kw(k @ (Kw::Forward | Kw::Backward)) if worded => {
                self.bump();
                let n = if self.eat(Kw::All) {
                    i64::MAX
                } else if matches!(self.cur, Tok::Int | Tok::Char(b'+' | b'-')) {
                    i64::from(self.signed_iconst()?)
                } else {
                    1
                };
                if k == Kw::Forward { Forward(n) } else { Backward(n) }
            }
            _ => Forward(1),
        };
        if !self.eat(Kw::From) {
            self.eat(Kw::In);
        }
        let name = self.col_id()?;
        Ok(StatementKind::Fetch(Box::new(Fetch { direction, name, is_move })))
    }

    pub(super) fn close(&mut self) -> Result<StatementKind> {
        self.bump();
        let name = if self.eat(Kw::All) { None } else { Some(self.col_id()?) };
        Ok(StatementKind::ClosePortal(Box::new(ClosePortal { name })))
    }

    pub(super) fn notification(&mut self, k: Kw) -> Result<StatementKind> {
        self.bump();
        Ok(match k {
            Kw::Listen => StatementKind::Listen(Box::new(Listen { channel: self.col_id()? })),
            Kw::Unlisten => {
                let channel = if self.eat_ch(b'*') { None } else { Some(self.col_id()?) };
                StatementKind::Unlisten(Box::new(Unlisten { channel }))
            }
            _ => {
                let channel = self.col_id()?;
                let payload = if self.eat_ch(b',') { Some(self.sconst()?) } else { None };
                StatementKind::Notify(Box::new(Notify { channel, payload }))
            }
        })
    }

    pub(super) fn truncate(&mut self) -> Result<StatementKind> {
        self.bump();
        self.eat(Kw::Table);
        let relations = self.list(Self::relation_expr)?;
        let mut restart_identity = false;
        if self.eat(Kw::Restart) {
            self.expect(Kw::Identity)?;
            restart_identity = true;
        } else if self.eat(Kw::Continue) {
            self.expect(Kw::Identity)?;
        }
        let behavior = self.drop_behavior();
        Ok(StatementKind::Truncate(Box::new(Truncate { relations, restart_identity, behavior })))
    }

    pub(super) fn import_foreign_schema(&mut self) -> Result<StatementKind> {
        self.bump();
        self.expect_all(&[Kw::Foreign, Kw::Schema])?;
        let remote_schema = self.col_id()?;
        let (mut limit_to, mut except) = (Vec::new(), Vec::new());
        if self.eat(Kw::Limit) {
            self.expect(Kw::To)?;
            limit_to = self.paren_list(Self::relation_expr)?;
        } else if self.eat(Kw::Except) {
            except = self.paren_list(Self::relation_expr)?;
        }
        self.expect_all(&[Kw::From, Kw::Server])?;
        let server = self.col_id()?;
        self.expect(Kw::Into)?;
        let local_schema = self.col_id()?;
        let options = self.opt_generic_options()?;
        let i = ImportForeignSchema { remote_schema, limit_to, except, server, local_schema, options };
        Ok(StatementKind::ImportForeignSchema(Box::new(i)))
    }
}
