//! Constraints of columns, tables and domains.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::{Result, SqlState};

/// Trailing attributes of a constraint, where each was written.
#[derive(Default)]
pub(super) struct Attributes {
    pub deferrable: Option<bool>,
    pub deferred: Option<bool>,
    pub not_valid: bool,
    pub no_inherit: bool,
    pub enforced: Option<bool>,
}

/// Which attributes a kind of constraint takes.
struct Takes {
    what: &'static str,
    deferrable: bool,
    not_valid: bool,
    no_inherit: bool,
    enforced: bool,
}

pub(super) fn constraint(kind: ConstraintKind, pos: Pos) -> Constraint {
    Constraint {
        name: None,
        kind,
        deferrable: false,
        initially_deferred: false,
        not_valid: false,
        not_enforced: false,
        no_inherit: false,
        pos,
    }
}

impl Parser<'_> {
    /// Constraints, their attributes and COLLATE after a column's type.
    pub(super) fn column_qualifiers(&mut self, domain: bool) -> Result<(Option<CollateClause>, Vec<Constraint>)> {
        let mut collation: Option<CollateClause> = None;
        let mut out: Vec<Constraint> = Vec::new();
        // Whether the last constraint has had DEFERRABLE, INITIALLY or ENFORCED in one of their forms.
        let (mut deferrable, mut initially, mut enforced) = (false, false, false);
        loop {
            let pos = self.pos();
            let next = self.peek(1);
            if domain {
                let what = match (self.cur, next) {
                    (Tok::Kw(Kw::Deferrable | Kw::Initially), _) | (Tok::Kw(Kw::Not), Tok::Kw(Kw::Deferrable)) => {
                        "deferrability"
                    }
                    (Tok::Kw(Kw::Enforced), _) | (Tok::Kw(Kw::Not), Tok::Kw(Kw::Enforced)) => "enforceability",
                    _ => "",
                };
                if !what.is_empty() {
                    let message = format!("specifying constraint {what} not supported for domains");
                    let state = match what {
                        "deferrability" => SqlState::FEATURE_NOT_SUPPORTED,
                        _ => SqlState::INVALID_OBJECT_DEFINITION,
                    };
                    return Err(self.error(state, message, pos));
                }
            }
            match self.cur {
                Tok::Kw(Kw::Collate) => {
                    let c = self.opt_collate()?;
                    if collation.is_some() {
                        return self.syntax_at("multiple COLLATE clauses not allowed", pos);
                    }
                    collation = c;
                }
                Tok::Kw(Kw::Deferrable) => {
                    self.bump();
                    self.attribute(&mut out, "DEFERRABLE", pos)?;
                    once(self, &mut deferrable, "multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed", pos)?;
                    if let Some(c) = out.last_mut() {
                        c.deferrable = true;
                    }
                }
                Tok::Kw(Kw::Not) if next == Tok::Kw(Kw::Deferrable) => {
                    self.bump();
                    self.bump();
                    let c = self.attribute(&mut out, "NOT DEFERRABLE", pos)?;
                    let deferred = c.initially_deferred;
                    c.deferrable = false;
                    once(self, &mut deferrable, "multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed", pos)?;
                    if deferred {
                        return self.syntax_at("constraint declared INITIALLY DEFERRED must be DEFERRABLE", pos);
                    }
                }
                Tok::Kw(Kw::Initially) => {
                    self.bump();
                    let deferred = self.eat(Kw::Deferred);
                    if !deferred {
                        self.expect(Kw::Immediate)?;
                    }
                    let word = if deferred { "INITIALLY DEFERRED" } else { "INITIALLY IMMEDIATE" };
                    let said = deferrable;
                    let c = self.attribute(&mut out, word, pos)?;
                    c.initially_deferred = deferred;
                    let conflict = deferred && said && !c.deferrable;
                    if deferred && !said {
                        c.deferrable = true;
                    }
                    let message = "multiple INITIALLY IMMEDIATE/DEFERRED clauses not allowed";
                    once(self, &mut initially, message, pos)?;
                    if conflict {
                        return self.syntax_at("constraint declared INITIALLY DEFERRED must be DEFERRABLE", pos);
                    }
                }
                Tok::Kw(Kw::Enforced) => {
                    self.bump();
                    self.enforceable(&mut out, "ENFORCED", pos)?;
                    once(self, &mut enforced, "multiple ENFORCED/NOT ENFORCED clauses not allowed", pos)?;
                }
                Tok::Kw(Kw::Not) if next == Tok::Kw(Kw::Enforced) => {
                    self.bump();
                    self.bump();
                    let c = self.enforceable(&mut out, "NOT ENFORCED", pos)?;
                    c.not_enforced = true;
                    c.not_valid = true;
                    once(self, &mut enforced, "multiple ENFORCED/NOT ENFORCED clauses not allowed", pos)?;
                }
                Tok::Kw(Kw::Constraint) => {
                    self.bump();
                    let name = self.col_id()?;
                    let Some(mut c) = self.opt_column_constraint()? else { return self.unexpected() };
                    c.name = Some(name);
                    c.pos = pos;
                    out.push(c);
                    (deferrable, initially, enforced) = (false, false, false);
                }
                _ => match self.opt_column_constraint()? {
                    Some(c) => {
                        out.push(c);
                        (deferrable, initially, enforced) = (false, false, false);
                    }
                    None => return Ok((collation, out)),
                },
            }
        }
    }

    /// The constraint that an attribute at `pos` is of.
    fn attribute<'c>(&self, list: &'c mut [Constraint], word: &str, pos: Pos) -> Result<&'c mut Constraint> {
        use ConstraintKind::*;
        match list.last_mut() {
            Some(c) if matches!(c.kind, PrimaryKey(_) | Unique(_) | Exclude(_) | ForeignKey(_)) => Ok(c),
            _ => self.syntax_at(format!("misplaced {word} clause"), pos),
        }
    }

    fn enforceable<'c>(&self, list: &'c mut [Constraint], word: &str, pos: Pos) -> Result<&'c mut Constraint> {
        match list.last_mut() {
            Some(c) if matches!(c.kind, ConstraintKind::Check(_) | ConstraintKind::ForeignKey(_)) => Ok(c),
            _ => self.syntax_at(format!("misplaced {word} clause"), pos),
        }
    }

    fn opt_no_inherit(&mut self) -> Result<bool> {
        if self.eat(Kw::No) {
            self.expect(Kw::Inherit)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// ALWAYS or BY DEFAULT.
    pub(super) fn generated_when(&mut self) -> Result<bool> {
        if self.eat(Kw::Always) {
            return Ok(true);
        }
        self.expect_all(&[Kw::By, Kw::Default])?;
        Ok(false)
    }

    fn opt_column_constraint(&mut self) -> Result<Option<Constraint>> {
        let pos = self.pos();
        let Tok::Kw(k) = self.cur else { return Ok(None) };
        let mut no_inherit = false;
        let kind = match k {
            Kw::Not => {
                self.bump();
                self.expect(Kw::Null)?;
                no_inherit = self.opt_no_inherit()?;
                ConstraintKind::NotNull(None)
            }
            Kw::Null => {
                self.bump();
                ConstraintKind::Null
            }
            Kw::Unique => {
                self.bump();
                let nulls_not_distinct = self.opt_nulls_not_distinct()?;
                let mut i = self.index_constraint_tail(Vec::new(), false)?;
                i.nulls_not_distinct = nulls_not_distinct;
                ConstraintKind::Unique(i)
            }
            Kw::Primary => {
                self.bump();
                self.expect(Kw::Key)?;
                ConstraintKind::PrimaryKey(self.index_constraint_tail(Vec::new(), false)?)
            }
            Kw::Check => {
                self.bump();
                let e = self.paren_expr()?;
                no_inherit = self.opt_no_inherit()?;
                ConstraintKind::Check(Box::new(e))
            }
            Kw::Default => {
                self.bump();
                ConstraintKind::Default(Box::new(self.b_expr()?))
            }
            Kw::Generated => {
                self.bump();
                let at = self.pos();
                let always = self.generated_when()?;
                self.expect(Kw::As)?;
                if self.eat(Kw::Identity) {
                    let mut options = Vec::new();
                    if self.eat_ch(b'(') {
                        options = self.sequence_options()?;
                        if options.is_empty() {
                            return self.unexpected();
                        }
                        self.expect_ch(b')')?;
                    }
                    ConstraintKind::Identity { always, options }
                } else {
                    let expr = Box::new(self.paren_expr()?);
                    let stored = self.eat(Kw::Stored);
                    if !stored {
                        self.eat(Kw::Virtual);
                    }
                    if !always {
                        let message = "for a generated column, GENERATED ALWAYS must be specified";
                        return self.syntax_at(message, at);
                    }
                    ConstraintKind::Generated { expr, stored, by_default: false }
                }
            }
            Kw::References => {
                self.bump();
                ConstraintKind::ForeignKey(Box::new(self.references(Vec::new(), false, false)?))
            }
            _ => return Ok(None),
        };
        let mut c = constraint(kind, pos);
        c.no_inherit = no_inherit;
        Ok(Some(c))
    }

    /// `( expr )`
    pub(super) fn paren_expr(&mut self) -> Result<Expr> {
        self.expect_ch(b'(')?;
        let e = self.a_expr()?;
        self.expect_ch(b')')?;
        Ok(e)
    }

    fn index_constraint_tail(&mut self, columns: Vec<Name>, include: bool) -> Result<IndexConstraint> {
        let mut including = Vec::new();
        if include && self.eat(Kw::Include) {
            including = self.paren_list(Self::col_id)?;
        }
        let options = self.opt_with_definition()?;
        let tablespace = self.opt_index_tablespace()?;
        Ok(IndexConstraint {
            columns,
            without_overlaps: false,
            nulls_not_distinct: false,
            including,
            options,
            tablespace,
            using_index: None,
        })
    }

    fn opt_index_tablespace(&mut self) -> Result<Option<Name>> {
        if !self.eat(Kw::Using) {
            return Ok(None);
        }
        self.expect_all(&[Kw::Index, Kw::Tablespace])?;
        self.col_id().map(Some)
    }

    /// What follows REFERENCES.
    fn references(&mut self, columns: Vec<Name>, period: bool, table: bool) -> Result<ForeignKey> {
        let relation = self.qualified_name()?;
        let mut referenced = Vec::new();
        let mut referenced_period = false;
        if self.is_ch(b'(') {
            (referenced, referenced_period) = self.columns_with_period(table)?;
        }
        let mut match_kind = ForeignKeyMatch::Simple;
        let pos = self.pos();
        if self.eat(Kw::Match) {
            if self.eat(Kw::Full) {
                match_kind = ForeignKeyMatch::Full;
            } else if self.eat(Kw::Partial) {
                return self.unsupported_at("MATCH PARTIAL not yet implemented", pos);
            } else {
                self.expect(Kw::Simple)?;
            }
        }
        let mut fk = ForeignKey {
            columns,
            period,
            table: relation,
            referenced,
            referenced_period,
            match_kind,
            on_update: ForeignKeyAction::NoAction,
            on_delete: ForeignKeyAction::NoAction,
            on_delete_columns: Vec::new(),
        };
        let (mut updated, mut deleted) = (false, false);
        while self.is(Kw::On) {
            let pos = self.pos();
            self.bump();
            let update = self.is(Kw::Update);
            let again = if update { updated } else { deleted };
            if again || !(update || self.is(Kw::Delete)) {
                return self.unexpected();
            }
            self.bump();
            let (action, columns) = self.key_action()?;
            if update {
                if !columns.is_empty() {
                    let what = if action == ForeignKeyAction::SetNull { "SET NULL" } else { "SET DEFAULT" };
                    let message = format!("a column list with {what} is only supported for ON DELETE actions");
                    return self.unsupported_at(message, pos);
                }
                updated = true;
                fk.on_update = action;
            } else {
                deleted = true;
                fk.on_delete = action;
                fk.on_delete_columns = columns;
            }
        }
        Ok(fk)
    }

    fn key_action(&mut self) -> Result<(ForeignKeyAction, Vec<Name>)> {
        let action = match self.cur {
            Tok::Kw(Kw::No) => {
                self.bump();
                self.expect(Kw::Action)?;
                return Ok((ForeignKeyAction::NoAction, Vec::new()));
            }
            Tok::Kw(Kw::Restrict) => ForeignKeyAction::Restrict,
            Tok::Kw(Kw::Cascade) => ForeignKeyAction::Cascade,
            Tok::Kw(Kw::Set) => {
                self.bump();
                let action = if self.eat(Kw::Null) {
                    ForeignKeyAction::SetNull
                } else {
                    self.expect(Kw::Default)?;
                    ForeignKeyAction::SetDefault
                };
                return Ok((action, self.opt_name_list()?));
            }
            _ => return self.unexpected(),
        };
        self.bump();
        Ok((action, Vec::new()))
    }

    /// `( columns [, PERIOD column] )`
    fn columns_with_period(&mut self, period_ok: bool) -> Result<(Vec<Name>, bool)> {
        self.expect_ch(b'(')?;
        let mut columns = vec![self.col_id()?];
        let mut period = false;
        while self.eat_ch(b',') {
            if period_ok && self.is(Kw::Period) && Self::is_col_id(self.peek(1)) {
                self.bump();
                columns.push(self.col_id()?);
                period = true;
                break;
            }
            columns.push(self.col_id()?);
        }
        self.expect_ch(b')')?;
        Ok((columns, period))
    }

    /// Whether a table constraint starts here.
    pub(super) fn table_constraint_comes(&self) -> bool {
        matches!(
            self.cur,
            Tok::Kw(Kw::Constraint | Kw::Check | Kw::Unique | Kw::Primary | Kw::Exclude | Kw::Foreign | Kw::Not)
        )
    }

    /// TableConstraint.
    pub(super) fn table_constraint(&mut self) -> Result<Constraint> {
        let pos = self.pos();
        let name = if self.eat(Kw::Constraint) { Some(self.col_id()?) } else { None };
        let mut c = self.constraint_element(pos)?;
        c.name = name;
        Ok(c)
    }

    fn constraint_element(&mut self, pos: Pos) -> Result<Constraint> {
        let index = |what| Takes { what, deferrable: true, not_valid: false, no_inherit: false, enforced: false };
        let (kind, takes) = match self.cur {
            Tok::Kw(Kw::Check) => {
                self.bump();
                let e = self.paren_expr()?;
                let takes =
                    Takes { what: "CHECK", deferrable: false, not_valid: true, no_inherit: true, enforced: true };
                (ConstraintKind::Check(Box::new(e)), takes)
            }
            Tok::Kw(Kw::Not) => {
                self.bump();
                self.expect(Kw::Null)?;
                let column = self.col_id()?;
                let takes =
                    Takes { what: "NOT NULL", deferrable: false, not_valid: true, no_inherit: true, enforced: false };
                (ConstraintKind::NotNull(Some(column)), takes)
            }
            Tok::Kw(Kw::Unique) => {
                self.bump();
                let nulls_not_distinct = self.opt_nulls_not_distinct()?;
                let mut i = self.index_constraint(!nulls_not_distinct)?;
                i.nulls_not_distinct = nulls_not_distinct;
                (ConstraintKind::Unique(i), index("UNIQUE"))
            }
            Tok::Kw(Kw::Primary) => {
                self.bump();
                self.expect(Kw::Key)?;
                (ConstraintKind::PrimaryKey(self.index_constraint(true)?), index("PRIMARY KEY"))
            }
            Tok::Kw(Kw::Exclude) => {
                self.bump();
                let access_method = if self.eat(Kw::Using) { Some(self.col_id()?) } else { None };
                let elements = self.paren_list(|p| {
                    let element = p.index_element()?;
                    p.expect(Kw::With)?;
                    let op = if p.is(Kw::Operator) { p.qualified_operator()? } else { p.any_operator()? };
                    Ok((element, op))
                })?;
                let including = if self.eat(Kw::Include) { self.paren_list(Self::col_id)? } else { Vec::new() };
                let options = self.opt_with_definition()?;
                let tablespace = self.opt_index_tablespace()?;
                let where_clause = if self.eat(Kw::Where) { Some(self.paren_expr()?) } else { None };
                let e = ExcludeConstraint { access_method, elements, including, options, tablespace, where_clause };
                (ConstraintKind::Exclude(Box::new(e)), index("EXCLUDE"))
            }
            Tok::Kw(Kw::Foreign) => {
                self.bump();
                self.expect(Kw::Key)?;
                let (columns, period) = self.columns_with_period(true)?;
                self.expect(Kw::References)?;
                let fk = self.references(columns, period, true)?;
                let takes =
                    Takes { what: "FOREIGN KEY", deferrable: true, not_valid: true, no_inherit: false, enforced: true };
                (ConstraintKind::ForeignKey(Box::new(fk)), takes)
            }
            _ => return self.unexpected(),
        };
        let mut c = constraint(kind, pos);
        let at = self.pos();
        let a = self.attributes()?;
        self.apply(&mut c, a, &takes, at)?;
        Ok(c)
    }

    fn index_constraint(&mut self, existing: bool) -> Result<IndexConstraint> {
        if existing && self.is(Kw::Using) {
            self.bump();
            self.expect(Kw::Index)?;
            let name = self.col_id()?;
            return Ok(IndexConstraint {
                columns: Vec::new(),
                without_overlaps: false,
                nulls_not_distinct: false,
                including: Vec::new(),
                options: Vec::new(),
                tablespace: None,
                using_index: Some(name),
            });
        }
        self.expect_ch(b'(')?;
        let columns = self.list(Self::col_id)?;
        let without_overlaps = self.eat(Kw::Without);
        if without_overlaps {
            self.expect(Kw::Overlaps)?;
        }
        self.expect_ch(b')')?;
        let mut i = self.index_constraint_tail(columns, true)?;
        i.without_overlaps = without_overlaps;
        Ok(i)
    }

    /// ConstraintAttributeSpec.
    pub(super) fn attributes(&mut self) -> Result<Attributes> {
        let mut a = Attributes::default();
        loop {
            let pos = self.pos();
            let next = self.peek(1);
            match self.cur {
                Tok::Kw(Kw::Deferrable) => {
                    self.bump();
                    if a.deferrable == Some(false) {
                        return self.syntax_at("conflicting constraint properties", pos);
                    }
                    a.deferrable = Some(true);
                }
                Tok::Kw(Kw::Initially) => {
                    self.bump();
                    let deferred = self.eat(Kw::Deferred);
                    if !deferred {
                        self.expect(Kw::Immediate)?;
                    }
                    if deferred && a.deferrable == Some(false) {
                        return self.syntax_at("constraint declared INITIALLY DEFERRED must be DEFERRABLE", pos);
                    }
                    if a.deferred == Some(!deferred) {
                        return self.syntax_at("conflicting constraint properties", pos);
                    }
                    a.deferred = Some(deferred);
                }
                Tok::Kw(Kw::Enforced) => {
                    self.bump();
                    if a.enforced == Some(false) {
                        return self.syntax_at("conflicting constraint properties", pos);
                    }
                    a.enforced = Some(true);
                }
                Tok::Kw(Kw::Not) => {
                    self.bump();
                    match next {
                        Tok::Kw(Kw::Deferrable) => {
                            self.bump();
                            if a.deferred == Some(true) {
                                let message = "constraint declared INITIALLY DEFERRED must be DEFERRABLE";
                                return self.syntax_at(message, pos);
                            }
                            if a.deferrable == Some(true) {
                                return self.syntax_at("conflicting constraint properties", pos);
                            }
                            a.deferrable = Some(false);
                        }
                        Tok::Kw(Kw::Valid) => {
                            self.bump();
                            a.not_valid = true;
                        }
                        Tok::Kw(Kw::Enforced) => {
                            self.bump();
                            if a.enforced == Some(true) {
                                return self.syntax_at("conflicting constraint properties", pos);
                            }
                            a.enforced = Some(false);
                        }
                        _ => return self.unexpected(),
                    }
                }
                Tok::Kw(Kw::No) => {
                    self.bump();
                    self.expect(Kw::Inherit)?;
                    a.no_inherit = true;
                }
                _ => return Ok(a),
            }
        }
    }

    fn apply(&self, c: &mut Constraint, a: Attributes, takes: &Takes, at: Pos) -> Result<()> {
        let cannot =
            |p: &Self, word| p.unsupported_at(format!("{} constraints cannot be marked {word}", takes.what), at);
        if (a.deferrable == Some(true) || a.deferred == Some(true)) && !takes.deferrable {
            return cannot(self, "DEFERRABLE");
        }
        if a.not_valid && !takes.not_valid {
            return cannot(self, "NOT VALID");
        }
        if a.no_inherit && !takes.no_inherit {
            return cannot(self, "NO INHERIT");
        }
        if a.enforced == Some(false) && !takes.enforced {
            return cannot(self, "NOT ENFORCED");
        }
        if a.enforced == Some(true) && !takes.enforced {
            return cannot(self, "ENFORCED");
        }
        c.deferrable = a.deferrable == Some(true) || a.deferred == Some(true);
        c.initially_deferred = a.deferred == Some(true);
        c.not_enforced = a.enforced == Some(false);
        c.not_valid = a.not_valid || c.not_enforced;
        c.no_inherit = a.no_inherit;
        Ok(())
    }

    /// DomainConstraint of ALTER DOMAIN … ADD.
    pub(super) fn domain_constraint(&mut self) -> Result<Constraint> {
        let pos = self.pos();
        let name = if self.eat(Kw::Constraint) { Some(self.col_id()?) } else { None };
        let takes = |what, not_valid| Takes { what, deferrable: false, not_valid, no_inherit: false, enforced: false };
        let (kind, takes) = if self.eat(Kw::Not) {
            self.expect(Kw::Null)?;
            (ConstraintKind::NotNull(None), takes("NOT NULL", false))
        } else {
            self.expect(Kw::Check)?;
            (ConstraintKind::Check(Box::new(self.paren_expr()?)), takes("CHECK", true))
        };
        let mut c = constraint(kind, pos);
        c.name = name;
        let at = self.pos();
        let a = self.attributes()?;
        self.apply(&mut c, a, &takes, at)?;
        Ok(c)
    }
}

fn once(p: &Parser<'_>, seen: &mut bool, message: &str, pos: Pos) -> Result<()> {
    if std::mem::replace(seen, true) { p.syntax_at(message, pos) } else { Ok(()) }
}
