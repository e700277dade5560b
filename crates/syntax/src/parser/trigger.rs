//! Triggers, event triggers, rules, policies.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    /// `[CONSTRAINT] TRIGGER …`
    pub(super) fn create_trigger(&mut self, or_replace: bool) -> Result<StatementKind> {
        let constraint = self.eat(Kw::Constraint);
        self.expect(Kw::Trigger)?;
        let name = self.col_id()?;
        let timing = if self.eat(Kw::After) {
            TriggerTiming::After
        } else if constraint {
            return self.unexpected();
        } else if self.eat(Kw::Before) {
            TriggerTiming::Before
        } else {
            self.expect_all(&[Kw::Instead, Kw::Of])?;
            TriggerTiming::InsteadOf
        };
        let mut events = Vec::new();
        loop {
            let mut event = match self.cur {
                Tok::Kw(Kw::Insert) => TriggerEvent::Insert,
                Tok::Kw(Kw::Delete) => TriggerEvent::Delete,
                Tok::Kw(Kw::Truncate) => TriggerEvent::Truncate,
                Tok::Kw(Kw::Update) => TriggerEvent::Update(Vec::new()),
                _ => return self.unexpected(),
            };
            let again = events.iter().any(|e| std::mem::discriminant(e) == std::mem::discriminant(&event));
            // PostgreSQL looks a token further after UPDATE, which may be followed by OF.
            if again && !matches!(event, TriggerEvent::Update(_)) {
                return Err(self.near("duplicate trigger events specified"));
            }
            self.bump();
            if let TriggerEvent::Update(columns) = &mut event
                && self.eat(Kw::Of)
            {
                *columns = self.list(Self::col_id)?;
            }
            if again {
                return Err(self.near("duplicate trigger events specified"));
            }
            events.push(event);
            if !self.eat(Kw::Or) {
                break;
            }
        }
        self.expect(Kw::On)?;
        let relation = self.qualified_name()?;
        let mut t = CreateTrigger {
            or_replace,
            constraint,
            name,
            relation,
            timing,
            events,
            referencing: Vec::new(),
            for_each_row: constraint,
            when: None,
            function: Vec::new(),
            args: Vec::new(),
            constraint_table: None,
            deferrable: false,
            initially_deferred: false,
        };
        let mut refused = None;
        if constraint {
            if self.eat(Kw::From) {
                t.constraint_table = Some(self.qualified_name()?);
            }
            let at = self.pos();
            let a = self.attributes()?;
            let bad = if a.not_valid {
                Some("NOT VALID")
            } else if a.no_inherit {
                Some("NO INHERIT")
            } else {
                match a.enforced {
                    Some(true) => Some("ENFORCED"),
                    Some(false) => Some("NOT ENFORCED"),
                    None => None,
                }
            };
            refused = bad.map(|word| (word, at));
            t.deferrable = a.deferrable == Some(true) || a.deferred == Some(true);
            t.initially_deferred = a.deferred == Some(true);
            self.expect_all(&[Kw::For, Kw::Each, Kw::Row])?;
        } else {
            if self.eat(Kw::Referencing) {
                while matches!(self.cur, Tok::Kw(Kw::Old | Kw::New)) {
                    let new = self.is(Kw::New);
                    self.bump();
                    let table = self.eat(Kw::Table);
                    if !table {
                        self.expect(Kw::Row)?;
                    }
                    self.eat(Kw::As);
                    let name = self.col_id()?;
                    t.referencing.push(TriggerTransition { name, new, table });
                }
                if t.referencing.is_empty() {
                    return self.unexpected();
                }
            }
            if self.eat(Kw::For) {
                self.eat(Kw::Each);
                t.for_each_row = self.eat(Kw::Row);
                if !t.for_each_row {
                    self.expect(Kw::Statement)?;
                }
            }
        }
        if self.eat(Kw::When) {
            t.when = Some(self.paren_expr()?);
        }
        self.expect(Kw::Execute)?;
        self.function_or_procedure()?;
        t.function = self.func_name()?;
        self.expect_ch(b'(')?;
        if !self.is_ch(b')') {
            t.args = self.list(|p| match p.cur {
                Tok::Int => Ok(Ident::from(p.iconst()?.to_string())),
                Tok::Number | Tok::Str => {
                    let token = p.bump();
                    Ok(p.text(&token))
                }
                _ => Ok(p.col_label()?.text),
            })?;
        }
        self.expect_ch(b')')?;
        if let Some((word, at)) = refused {
            return self.unsupported_at(format!("TRIGGER constraints cannot be marked {word}"), at);
        }
        Ok(StatementKind::CreateTrigger(Box::new(t)))
    }

    fn function_or_procedure(&mut self) -> Result<()> {
        if self.eat(Kw::Function) { Ok(()) } else { self.expect(Kw::Procedure) }
    }

    /// `EVENT TRIGGER …`
    pub(super) fn create_event_trigger(&mut self) -> Result<StatementKind> {
        self.expect_all(&[Kw::Event, Kw::Trigger])?;
        let name = self.col_id()?;
        self.expect(Kw::On)?;
        let event = self.col_label()?;
        let mut when = Vec::new();
        if self.eat(Kw::When) {
            loop {
                let variable = self.col_id()?;
                self.expect(Kw::In)?;
                when.push((variable, self.paren_list(Self::sconst)?));
                if !self.eat(Kw::And) {
                    break;
                }
            }
        }
        self.expect(Kw::Execute)?;
        self.function_or_procedure()?;
        let function = self.func_name()?;
        self.expect_ch(b'(')?;
        self.expect_ch(b')')?;
        let t = CreateEventTrigger { name, event, when, function };
        Ok(StatementKind::CreateEventTrigger(Box::new(t)))
    }

    /// `RULE …`
    pub(super) fn create_rule(&mut self, or_replace: bool) -> Result<StatementKind> {
        self.expect(Kw::Rule)?;
        let name = self.col_id()?;
        self.expect_all(&[Kw::As, Kw::On])?;
        let event = match self.cur {
            Tok::Kw(Kw::Select) => RuleEvent::Select,
            Tok::Kw(Kw::Insert) => RuleEvent::Insert,
            Tok::Kw(Kw::Update) => RuleEvent::Update,
            Tok::Kw(Kw::Delete) => RuleEvent::Delete,
            _ => return self.unexpected(),
        };
        self.bump();
        self.expect(Kw::To)?;
        let relation = self.qualified_name()?;
        let where_clause = self.opt_where()?;
        self.expect(Kw::Do)?;
        let instead = self.eat(Kw::Instead);
        if !instead {
            self.eat(Kw::Also);
        }
        let mut actions = Vec::new();
        if self.eat(Kw::Nothing) {
        } else if self.is_ch(b'(') {
            // A query in parentheses, or several statements the first of which is a query.
            self.bump();
            loop {
                while self.eat_ch(b';') {}
                if self.eat_ch(b')') {
                    break;
                }
                actions.push(self.rule_action()?);
                if !self.is_ch(b';') {
                    self.expect_ch(b')')?;
                    break;
                }
            }
        } else {
            actions.push(self.rule_action()?);
        }
        let r = CreateRule { or_replace, name, relation, event, where_clause, instead, actions };
        Ok(StatementKind::CreateRule(Box::new(r)))
    }

    fn rule_action(&mut self) -> Result<Statement> {
        if self.is(Kw::Notify) { self.statement() } else { self.preparable() }
    }

    /// `POLICY …`
    pub(super) fn create_policy(&mut self) -> Result<StatementKind> {
        self.expect(Kw::Policy)?;
        let name = self.col_id()?;
        self.expect(Kw::On)?;
        let relation = self.qualified_name()?;
        let mut permissive = true;
        if self.eat(Kw::As) {
            if self.cur != Tok::Ident {
                return self.unexpected();
            }
            let word = self.col_id()?;
            permissive = match word.as_str() {
                "permissive" => true,
                "restrictive" => false,
                other => {
                    let message = format!("unrecognized row security option \"{other}\"");
                    let e = self.error(types::SqlState::SYNTAX_ERROR, message, word.pos);
                    return Err(e.hint("Only PERMISSIVE or RESTRICTIVE policies are supported currently."));
                }
            };
        }
        let mut command = Ident::const_new("all");
        if self.eat(Kw::For) {
            match self.cur {
                Tok::Kw(Kw::All | Kw::Select | Kw::Insert | Kw::Update | Kw::Delete) => {
                    let t = self.bump();
                    command = self.text(&t);
                }
                _ => return self.unexpected(),
            }
        }
        let mut roles = vec![RoleSpec::Public(Pos::NONE)];
        if self.eat(Kw::To) {
            roles = self.role_list()?;
        }
        let (using, check) = self.policy_conditions()?;
        let p = CreatePolicy { name, relation, permissive, command, roles, using, check };
        Ok(StatementKind::CreatePolicy(Box::new(p)))
    }

    fn policy_conditions(&mut self) -> Result<(Option<Expr>, Option<Expr>)> {
        let using = if self.eat(Kw::Using) { Some(self.paren_expr()?) } else { None };
        let mut check = None;
        if self.eat(Kw::With) {
            self.expect(Kw::Check)?;
            check = Some(self.paren_expr()?);
        }
        Ok((using, check))
    }

    /// ALTER POLICY but for RENAME; name and relation have been read.
    pub(super) fn alter_policy(&mut self, name: Name, relation: RangeVar) -> Result<StatementKind> {
        let roles = if self.eat(Kw::To) { self.role_list()? } else { Vec::new() };
        let (using, check) = self.policy_conditions()?;
        Ok(StatementKind::AlterPolicy(Box::new(AlterPolicy { name, relation, roles, using, check })))
    }
}
