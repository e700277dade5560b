//! Statements on objects of any kind: DROP, COMMENT, SECURITY LABEL, and ALTER with its renaming, owners and schemas.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    /// The words of a kind of object.
    pub(super) fn object_kind(&mut self) -> Result<ObjectKind> {
        use ObjectKind::*;
        let Tok::Kw(k) = self.cur else { return self.unexpected() };
        let simple = match k {
            Kw::Aggregate => Aggregate,
            Kw::Cast => Cast,
            Kw::Collation => Collation,
            Kw::Column => Column,
            Kw::Constraint => TableConstraint,
            Kw::Conversion => Conversion,
            Kw::Database => Database,
            Kw::Domain => Domain,
            Kw::Extension => Extension,
            Kw::Function => Function,
            Kw::Index => Index,
            Kw::Language => Language,
            Kw::Policy => Policy,
            Kw::Procedure => Procedure,
            Kw::Publication => Publication,
            Kw::Role => Role,
            Kw::Routine => Routine,
            Kw::Rule => Rule,
            Kw::Schema => Schema,
            Kw::Sequence => Sequence,
            Kw::Server => ForeignServer,
            Kw::Statistics => Statistics,
            Kw::Subscription => Subscription,
            Kw::Table => Table,
            Kw::Tablespace => Tablespace,
            Kw::Transform => Transform,
            Kw::Trigger => Trigger,
            Kw::Type => Type,
            Kw::View => View,
            Kw::Access => {
                self.bump();
                self.expect(Kw::Method)?;
                return Ok(AccessMethod);
            }
            Kw::Event => {
                self.bump();
                self.expect(Kw::Trigger)?;
                return Ok(EventTrigger);
            }
            Kw::Foreign => {
                self.bump();
                if self.eat(Kw::Table) {
                    return Ok(ForeignTable);
                }
                self.expect_all(&[Kw::Data, Kw::Wrapper])?;
                return Ok(ForeignDataWrapper);
            }
            Kw::Large => {
                self.bump();
                self.expect(Kw::Object)?;
                return Ok(LargeObject);
            }
            Kw::Materialized => {
                self.bump();
                self.expect(Kw::View)?;
                return Ok(MaterializedView);
            }
            Kw::Operator => {
                self.bump();
                // CLASS and FAMILY could be an operator's schema.
                let dot = self.peek(1) == Tok::Char(b'.');
                if !dot && self.eat(Kw::Class) {
                    return Ok(OperatorClass);
                }
                if !dot && self.eat(Kw::Family) {
                    return Ok(OperatorFamily);
                }
                return Ok(Operator);
            }
            Kw::Procedural => {
                self.bump();
                self.expect(Kw::Language)?;
                return Ok(Language);
            }
            Kw::Text => {
                self.bump();
                self.expect(Kw::Search)?;
                let kind = match self.cur {
                    Tok::Kw(Kw::Configuration) => TextSearchConfiguration,
                    Tok::Kw(Kw::Dictionary) => TextSearchDictionary,
                    Tok::Kw(Kw::Parser) => TextSearchParser,
                    Tok::Kw(Kw::Template) => TextSearchTemplate,
                    _ => return self.unexpected(),
                };
                self.bump();
                return Ok(kind);
            }
            Kw::User => {
                self.bump();
                self.expect(Kw::Mapping)?;
                return Ok(UserMapping);
            }
            _ => return self.unexpected(),
        };
        self.bump();
        Ok(simple)
    }

    /// The name of an object of `kind`, as its statements have it.
    pub(super) fn object_name(&mut self, kind: ObjectKind) -> Result<ObjectName> {
        use ObjectKind as K;
        Ok(match kind {
            K::Function | K::Procedure | K::Routine => ObjectName::Function(self.function_sig()?),
            K::Aggregate => ObjectName::Function(self.aggregate_sig()?),
            K::Operator => self.operator_name()?,
            K::OperatorClass | K::OperatorFamily => {
                let name = self.any_name()?;
                self.expect(Kw::Using)?;
                ObjectName::InMethod { name, access_method: self.col_id()? }
            }
            K::Cast => {
                self.expect_ch(b'(')?;
                let source = self.type_name()?;
                self.expect(Kw::As)?;
                let target = self.type_name()?;
                self.expect_ch(b')')?;
                ObjectName::Cast { source, target }
            }
            K::Type | K::Domain => ObjectName::Type(self.type_name()?),
            K::Policy | K::Rule | K::Trigger => {
                let name = self.col_id()?;
                self.expect(Kw::On)?;
                ObjectName::OnTable { name, table: self.any_name()? }
            }
            K::TableConstraint | K::DomainConstraint => {
                let name = self.col_id()?;
                self.expect(Kw::On)?;
                if self.eat(Kw::Domain) {
                    let pos = self.pos();
                    let domain = super::types::bare(self.any_name()?, pos);
                    return Ok(ObjectName::OnDomain { name, domain });
                }
                ObjectName::OnTable { name, table: self.any_name()? }
            }
            K::Transform => {
                self.expect(Kw::For)?;
                let ty = self.type_name()?;
                self.expect(Kw::Language)?;
                ObjectName::Transform { ty, language: self.col_id()? }
            }
            K::LargeObject => ObjectName::LargeObject(self.numeric_only()?),
            K::UserMapping => {
                self.expect(Kw::For)?;
                let user = self.auth_ident()?;
                self.expect(Kw::Server)?;
                ObjectName::UserMapping { user, server: self.col_id()? }
            }
            _ if is_simple(kind) => ObjectName::Name(vec![self.col_id()?]),
            _ => ObjectName::Name(self.any_name()?),
        })
    }

    pub(super) fn auth_ident(&mut self) -> Result<RoleSpec> {
        let pos = self.pos();
        if self.eat(Kw::User) {
            return Ok(RoleSpec::CurrentUser(pos));
        }
        self.role_spec()
    }

    /// operator_with_argtypes.
    fn operator_name(&mut self) -> Result<ObjectName> {
        let operator = self.any_operator()?;
        let (left, right) = self.operator_args()?;
        Ok(ObjectName::Operator { operator, left, right })
    }

    /// oper_argtypes: `(left, right)`, either may be NONE.
    pub(super) fn operator_args(&mut self) -> Result<(Option<TypeName>, Option<TypeName>)> {
        self.expect_ch(b'(')?;
        let left = if self.eat(Kw::None) { None } else { Some(self.type_name()?) };
        if self.is_ch(b')') && left.is_some() {
            let e = self.error(types::SqlState::SYNTAX_ERROR, "missing argument", self.pos());
            return Err(e.hint("Use NONE to denote the missing argument of a unary operator."));
        }
        self.expect_ch(b',')?;
        let right = if left.is_some() && self.eat(Kw::None) { None } else { Some(self.type_name()?) };
        self.expect_ch(b')')?;
        Ok((left, right))
    }

    /// DROP.
    pub(super) fn drop_statement(&mut self) -> Result<StatementKind> {
        use ObjectKind as K;
        self.bump();
        let next = self.peek(1);
        match self.cur {
            Tok::Kw(Kw::Owned) => {
                self.bump();
                self.expect(Kw::By)?;
                let roles = self.role_list()?;
                let behavior = self.drop_behavior();
                return Ok(StatementKind::DropOwned(Box::new(DropOwned { roles, behavior })));
            }
            Tok::Kw(Kw::Role | Kw::Group) => return self.drop_role(),
            Tok::Kw(Kw::User) if next != Tok::Kw(Kw::Mapping) => return self.drop_role(),
            Tok::Kw(Kw::Database) => {
                self.bump();
                let if_exists = self.if_exists()?;
                let name = self.col_id()?;
                let mut options = Vec::new();
                if self.is(Kw::With) || self.is_ch(b'(') {
                    self.eat(Kw::With);
                    options = self.paren_list(|p| {
                        let pos = p.pos();
                        p.expect(Kw::Force)?;
                        Ok(super::options::option("force", None, pos))
                    })?;
                }
                return Ok(StatementKind::DropDatabase(Box::new(DropDatabase { name, if_exists, options })));
            }
            Tok::Kw(Kw::Tablespace) => {
                self.bump();
                let if_exists = self.if_exists()?;
                let name = self.col_id()?;
                return Ok(StatementKind::DropTablespace(Box::new(DropTablespace { name, if_exists })));
            }
            // No such thing to drop.
            Tok::Kw(Kw::Column | Kw::Constraint | Kw::Large) => return self.unexpected(),
            _ => {}
        }
        let kind = self.object_kind()?;
        let concurrently = kind == K::Index && self.eat(Kw::Concurrently);
        let nameless = matches!(kind, K::Cast | K::Transform | K::UserMapping);
        let if_exists = if nameless { self.only_if_exists()? } else { self.if_exists()? };
        let single = matches!(
            kind,
            K::Policy
                | K::Rule
                | K::Trigger
                | K::Cast
                | K::OperatorClass
                | K::OperatorFamily
                | K::Transform
                | K::UserMapping
                | K::Subscription
        );
        let objects = if single { vec![self.object_name(kind)?] } else { self.list(|p| p.object_name(kind))? };
        let behavior = if kind == K::UserMapping { DropBehavior::Restrict } else { self.drop_behavior() };
        let d = DropStatement { kind, objects, if_exists, behavior, concurrently };
        Ok(StatementKind::Drop(Box::new(d)))
    }

    /// The object that COMMENT and SECURITY LABEL are about.
    fn commented(&mut self) -> Result<(ObjectKind, ObjectName)> {
        if self.is(Kw::User) {
            return self.unexpected();
        }
        let mut kind = self.object_kind()?;
        let object = self.object_name(kind)?;
        if matches!(object, ObjectName::OnDomain { .. }) {
            kind = ObjectKind::DomainConstraint;
        }
        Ok((kind, object))
    }

    fn string_or_null(&mut self) -> Result<Option<Ident>> {
        if self.eat(Kw::Null) { Ok(None) } else { self.sconst().map(Some) }
    }

    pub(super) fn comment(&mut self) -> Result<StatementKind> {
        self.bump();
        self.expect(Kw::On)?;
        let (kind, object) = self.commented()?;
        self.expect(Kw::Is)?;
        let text = self.string_or_null()?;
        Ok(StatementKind::Comment(Box::new(Comment { kind, object, text })))
    }

    pub(super) fn security_label(&mut self) -> Result<StatementKind> {
        self.bump();
        self.expect(Kw::Label)?;
        let provider = if self.eat(Kw::For) { Some(self.word_or_sconst()?) } else { None };
        self.expect(Kw::On)?;
        let (kind, object) = self.commented()?;
        self.expect(Kw::Is)?;
        let label = self.string_or_null()?;
        Ok(StatementKind::SecurityLabel(Box::new(SecurityLabel { kind, object, provider, label })))
    }

    /// ALTER.
    pub(super) fn alter(&mut self) -> Result<StatementKind> {
        use ObjectKind as K;
        let pos = self.pos();
        self.bump();
        let next = self.peek(1);
        match self.cur {
            Tok::Kw(Kw::Role | Kw::Group) => return self.alter_role(),
            Tok::Kw(Kw::User) if next != Tok::Kw(Kw::Mapping) => return self.alter_role(),
            Tok::Kw(Kw::System) => return self.alter_system(),
            Tok::Kw(Kw::Default) => return self.alter_default_privileges(),
            Tok::Kw(Kw::Constraint | Kw::Column | Kw::Cast | Kw::Transform | Kw::Access) => {
                return self.unexpected();
            }
            _ => {}
        }
        let kind = self.object_kind()?;
        let tables =
            matches!(kind, K::Table | K::Index | K::View | K::MaterializedView | K::Sequence | K::ForeignTable);
        if tables {
            return self.alter_relation(kind);
        }
        match kind {
            K::Database => return self.alter_database(),
            K::Tablespace => return self.alter_tablespace(),
            K::UserMapping => return self.alter_user_mapping(),
            K::Extension => return self.alter_extension(),
            K::Policy | K::Rule | K::Trigger => return self.alter_on_table(kind),
            _ => {}
        }
        // A type that is altered is named without its trimmings.
        let object = match kind {
            K::Type | K::Domain => ObjectName::Name(self.any_name()?),
            K::Statistics => {
                let if_exists = self.if_exists()?;
                let name = self.any_name()?;
                let schema_next = self.peek_kw(1, Kw::Schema);
                if if_exists || (self.is(Kw::Set) && !schema_next) {
                    self.expect_all(&[Kw::Set, Kw::Statistics])?;
                    if !self.eat(Kw::Default) {
                        self.signed_iconst()?;
                    }
                    return Ok(self.other("ALTER STATISTICS", name, Vec::new()));
                }
                ObjectName::Name(name)
            }
            _ => self.object_name(kind)?,
        };
        if let Some(s) = self.common_alter(kind, &object)? {
            return Ok(s);
        }
        match (kind, object) {
            (K::Domain, ObjectName::Name(name)) => self.alter_domain(name),
            (K::Type, ObjectName::Name(name)) => self.alter_type(name, pos),
            (K::Function | K::Procedure | K::Routine, ObjectName::Function(f)) => self.alter_function(kind, f),
            (K::Publication, ObjectName::Name(mut n)) => match n.pop() {
                Some(name) => self.alter_publication(name),
                None => self.unexpected(),
            },
            (K::Subscription, ObjectName::Name(mut n)) => match n.pop() {
                Some(name) => self.alter_subscription(name),
                None => self.unexpected(),
            },
            (K::OperatorFamily, ObjectName::InMethod { name, access_method }) => {
                self.alter_operator_family(name, access_method)
            }
            (kind, object) => self.alter_other(kind, object),
        }
    }

    /// RENAME TO, OWNER TO, SET SCHEMA, DEPENDS ON EXTENSION, of what is no relation.
    fn common_alter(&mut self, kind: ObjectKind, object: &ObjectName) -> Result<Option<StatementKind>> {
        use ObjectKind as K;
        let next = self.peek(1);
        match self.cur {
            Tok::Kw(Kw::Rename) if kind != K::Operator => self.rename_object(kind, object).map(Some),
            Tok::Kw(Kw::Owner) => {
                self.bump();
                self.expect(Kw::To)?;
                let s = AlterOwner { kind, object: object.clone(), owner: self.role_spec()? };
                Ok(Some(StatementKind::AlterOwner(Box::new(s))))
            }
            Tok::Kw(Kw::Set) if next == Tok::Kw(Kw::Schema) => {
                self.bump();
                self.bump();
                let s = AlterObjectSchema {
                    kind,
                    object: object.clone(),
                    relation: None,
                    schema: self.col_id()?,
                    if_exists: false,
                };
                Ok(Some(StatementKind::AlterObjectSchema(Box::new(s))))
            }
            Tok::Kw(Kw::Set)
                if !matches!(
                    kind,
                    K::Type
                        | K::Domain
                        | K::Function
                        | K::Procedure
                        | K::Routine
                        | K::Publication
                        | K::Subscription
                        | K::Operator
                ) =>
            {
                self.bump();
                self.unexpected()
            }
            Tok::Kw(Kw::Depends | Kw::No) if matches!(kind, K::Function | K::Procedure | K::Routine) => {
                self.depends(kind, object.clone(), None).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn depends(&mut self, kind: ObjectKind, object: ObjectName, relation: Option<RangeVar>) -> Result<StatementKind> {
        let remove = self.eat(Kw::No);
        self.expect_all(&[Kw::Depends, Kw::On, Kw::Extension])?;
        let extension = self.col_id()?;
        let s = AlterDependsOnExtension { kind, object, relation, extension, remove };
        Ok(StatementKind::AlterDependsOnExtension(Box::new(s)))
    }

    fn renamed(
        &mut self,
        kind: ObjectKind,
        container: Option<ObjectKind>,
        object: ObjectName,
        part: Option<Name>,
    ) -> Result<Rename> {
        self.expect(Kw::To)?;
        let new_name = self.col_id()?;
        Ok(Rename { container, part, ..Rename::of(kind, object, new_name) })
    }

    fn rename_object(&mut self, kind: ObjectKind, object: &ObjectName) -> Result<StatementKind> {
        use ObjectKind as K;
        self.bump();
        let rename = match (kind, self.cur) {
            (K::Domain, Tok::Kw(Kw::Constraint)) => {
                self.bump();
                let part = self.col_id()?;
                self.renamed(K::DomainConstraint, Some(K::Domain), object.clone(), Some(part))?
            }
            (K::Type, Tok::Kw(Kw::Attribute)) => {
                self.bump();
                let part = self.col_id()?;
                let mut r = self.renamed(K::Attribute, Some(K::Type), object.clone(), Some(part))?;
                r.behavior = self.drop_behavior();
                r
            }
            (K::Type, Tok::Kw(Kw::Value)) => {
                self.bump();
                let from = self.sconst()?;
                self.expect(Kw::To)?;
                let to = self.sconst()?;
                let ObjectName::Name(name) = object.clone() else { return self.unexpected() };
                let e = AlterEnum { name, change: EnumChange::Rename { from, to } };
                return Ok(StatementKind::AlterEnum(Box::new(e)));
            }
            _ => self.renamed(kind, None, object.clone(), None)?,
        };
        Ok(StatementKind::Rename(Box::new(rename)))
    }

    /// ALTER of a relation; its kind has been read.
    fn alter_relation(&mut self, kind: ObjectKind) -> Result<StatementKind> {
        use ObjectKind as K;
        if matches!(kind, K::Table | K::Index | K::MaterializedView) && self.is(Kw::All) {
            return self.move_all(kind);
        }
        let if_exists = self.if_exists()?;
        let relation =
            if matches!(kind, K::Table | K::ForeignTable) { self.relation_expr()? } else { self.qualified_name()? };
        let object = || {
            let parts = [&relation.catalog, &relation.schema].into_iter().flatten().cloned();
            ObjectName::Name(parts.chain([relation.name.clone()]).collect())
        };
        let next = self.peek(1);
        match self.cur {
            Tok::Kw(Kw::Rename) => {
                self.bump();
                let columns = matches!(kind, K::Table | K::View | K::MaterializedView | K::ForeignTable);
                let (what, part) = if self.is(Kw::To) && next == Tok::Kw(Kw::To) {
                    (kind, None)
                } else if kind == K::Table && self.eat(Kw::Constraint) {
                    (K::TableConstraint, Some(self.col_id()?))
                } else if columns {
                    self.eat(Kw::Column);
                    (K::Column, Some(self.col_id()?))
                } else {
                    return self.unexpected();
                };
                let container = part.is_some().then_some(kind);
                let mut r = self.renamed(what, container, object(), part)?;
                r.if_exists = if_exists;
                r.relation = Some(relation);
                Ok(StatementKind::Rename(Box::new(r)))
            }
            Tok::Kw(Kw::Set) if next == Tok::Kw(Kw::Schema) && kind != K::Index => {
                self.bump();
                self.bump();
                let s = AlterObjectSchema {
                    kind,
                    object: object(),
                    schema: self.col_id()?,
                    if_exists,
                    relation: Some(relation),
                };
                Ok(StatementKind::AlterObjectSchema(Box::new(s)))
            }
            Tok::Kw(Kw::Depends | Kw::No)
                if matches!(kind, K::Index | K::MaterializedView)
                    && (self.is(Kw::Depends) || next == Tok::Kw(Kw::Depends)) =>
            {
                let o = object();
                self.depends(kind, o, Some(relation))
            }
            _ => {
                if kind == K::Sequence {
                    let options = self.sequence_options()?;
                    if !options.is_empty() {
                        let s = AlterSequence { if_exists, relation, options };
                        return Ok(StatementKind::AlterSequence(Box::new(s)));
                    }
                }
                self.alter_table_commands(kind, if_exists, relation)
            }
        }
    }

    /// ALTER POLICY, RULE, TRIGGER.
    fn alter_on_table(&mut self, kind: ObjectKind) -> Result<StatementKind> {
        let if_exists = kind == ObjectKind::Policy && self.if_exists()?;
        let name = self.col_id()?;
        self.expect(Kw::On)?;
        let relation = self.qualified_name()?;
        let parts = [&relation.catalog, &relation.schema].into_iter().flatten().cloned();
        let table = parts.chain([relation.name.clone()]).collect();
        let object = ObjectName::OnTable { name: name.clone(), table };
        if self.eat(Kw::Rename) {
            let mut r = self.renamed(kind, Some(ObjectKind::Table), object, Some(name))?;
            r.relation = Some(relation);
            r.if_exists = if_exists;
            return Ok(StatementKind::Rename(Box::new(r)));
        }
        match kind {
            ObjectKind::Trigger => self.depends(kind, object, Some(relation)),
            ObjectKind::Policy if !if_exists => self.alter_policy(name, relation),
            _ => self.unexpected(),
        }
    }

    fn alter_extension(&mut self) -> Result<StatementKind> {
        let name = self.col_id()?;
        let change = match self.cur {
            Tok::Kw(Kw::Update) => {
                self.bump();
                let to = if self.eat(Kw::To) { Some(self.word_or_sconst()?.text) } else { None };
                ExtensionChange::Update { to }
            }
            Tok::Kw(Kw::Add | Kw::Drop) => {
                let add = self.is(Kw::Add);
                self.bump();
                let (kind, object) = self.commented()?;
                ExtensionChange::Member { add, kind, object }
            }
            _ => {
                if !self.is(Kw::Set) {
                    return self.unexpected();
                }
                self.bump();
                self.expect(Kw::Schema)?;
                let s = AlterObjectSchema {
                    kind: ObjectKind::Extension,
                    object: ObjectName::Name(vec![name]),
                    relation: None,
                    schema: self.col_id()?,
                    if_exists: false,
                };
                return Ok(StatementKind::AlterObjectSchema(Box::new(s)));
            }
        };
        Ok(StatementKind::AlterExtension(Box::new(AlterExtension { name, change })))
    }
}

/// Kinds named by one unqualified name.
fn is_simple(kind: ObjectKind) -> bool {
    use ObjectKind as K;
    matches!(
        kind,
        K::AccessMethod
            | K::Database
            | K::EventTrigger
            | K::Extension
            | K::ForeignDataWrapper
            | K::ForeignServer
            | K::Language
            | K::Publication
            | K::Role
            | K::Schema
            | K::Subscription
            | K::Tablespace
    )
}
