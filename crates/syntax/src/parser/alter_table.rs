//! The sub-commands of ALTER TABLE and its kin.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::Result;

impl Parser<'_> {
    /// ALL IN TABLESPACE …
    pub(super) fn move_all(&mut self, kind: ObjectKind) -> Result<StatementKind> {
        self.expect_all(&[Kw::All, Kw::In, Kw::Tablespace])?;
        let from = self.col_id()?;
        let mut owned_by = Vec::new();
        if self.eat(Kw::Owned) {
            self.expect(Kw::By)?;
            owned_by = self.role_list()?;
        }
        self.expect_all(&[Kw::Set, Kw::Tablespace])?;
        let to = self.col_id()?;
        let nowait = self.eat(Kw::Nowait);
        Ok(StatementKind::AlterTableMoveAll(Box::new(AlterTableMoveAll { kind, from, owned_by, to, nowait })))
    }

    /// The sub-commands for `relation`.
    pub(super) fn alter_table_commands(
        &mut self,
        kind: ObjectKind,
        if_exists: bool,
        relation: RangeVar,
    ) -> Result<StatementKind> {
        let commands = match (self.cur, self.peek(1)) {
            (Tok::Kw(Kw::Attach), _) => {
                self.bump();
                self.expect(Kw::Partition)?;
                let partition = self.qualified_name()?;
                if kind == ObjectKind::Index {
                    vec![AlterTableCommand::AttachIndexPartition(partition)]
                } else {
                    let bound = self.partition_bound()?;
                    vec![AlterTableCommand::AttachPartition { partition, bound }]
                }
            }
            (Tok::Kw(Kw::Detach), _) => {
                self.bump();
                self.expect(Kw::Partition)?;
                let partition = self.qualified_name()?;
                let concurrently = self.eat(Kw::Concurrently);
                let finalize = !concurrently && self.eat(Kw::Finalize);
                vec![AlterTableCommand::DetachPartition { partition, concurrently, finalize }]
            }
            _ => self.list(Self::alter_table_command)?,
        };
        Ok(StatementKind::AlterTable(Box::new(AlterTable { kind, if_exists, relation, commands })))
    }

    fn alter_table_command(&mut self) -> Result<AlterTableCommand> {
        use AlterTableCommand::*;
        let Tok::Kw(k) = self.cur else { return self.unexpected() };
        let next = self.peek(1);
        if k == Kw::Options {
            return Ok(FdwOptions(self.alter_generic_options()?));
        }
        self.bump();
        Ok(match k {
            Kw::Add => {
                if self.table_constraint_comes() {
                    return Ok(AddConstraint(self.table_constraint()?));
                }
                self.eat(Kw::Column);
                let if_not_exists = self.if_not_exists()?;
                AddColumn { column: self.column_def()?, if_not_exists }
            }
            Kw::Alter => return self.alter_column(),
            Kw::Drop => {
                let constraint = self.eat(Kw::Constraint);
                if !constraint {
                    self.eat(Kw::Column);
                }
                let if_exists = self.if_exists()?;
                let name = self.col_id()?;
                let cascade = self.drop_behavior() == DropBehavior::Cascade;
                if constraint {
                    DropConstraint { name, if_exists, cascade }
                } else {
                    DropColumn { column: name, if_exists, cascade }
                }
            }
            Kw::Validate => {
                self.expect(Kw::Constraint)?;
                ValidateConstraint(self.col_id()?)
            }
            Kw::Set => match next {
                Tok::Kw(Kw::Without) => {
                    self.bump();
                    if self.eat(Kw::Oids) {
                        SetWithoutOids
                    } else {
                        self.expect(Kw::Cluster)?;
                        SetWithoutCluster
                    }
                }
                Tok::Kw(Kw::Logged) => {
                    self.bump();
                    SetLogged(true)
                }
                Tok::Kw(Kw::Unlogged) => {
                    self.bump();
                    SetLogged(false)
                }
                Tok::Kw(Kw::Access) => {
                    self.bump();
                    self.expect(Kw::Method)?;
                    SetAccessMethod(if self.eat(Kw::Default) { None } else { Some(self.col_id()?) })
                }
                Tok::Kw(Kw::Tablespace) => {
                    self.bump();
                    SetTablespace { name: self.col_id()?, nowait: false }
                }
                _ => SetOptions(self.rel_options()?),
            },
            Kw::Reset => ResetOptions(self.rel_options()?),
            Kw::Cluster => {
                self.expect(Kw::On)?;
                ClusterOn(self.col_id()?)
            }
            Kw::Enable | Kw::Disable => {
                let enable = k == Kw::Enable;
                if self.eat(Kw::Row) {
                    self.expect_all(&[Kw::Level, Kw::Security])?;
                    return Ok(EnableRowSecurity(enable));
                }
                let state = if !enable {
                    FiringState::Disable
                } else if self.eat(Kw::Always) {
                    FiringState::EnableAlways
                } else if self.eat(Kw::Replica) {
                    FiringState::EnableReplica
                } else {
                    FiringState::Enable
                };
                if self.eat(Kw::Rule) {
                    return Ok(EnableRule(state, self.col_id()?));
                }
                self.expect(Kw::Trigger)?;
                let simple = matches!(state, FiringState::Enable | FiringState::Disable);
                if simple && self.eat(Kw::All) {
                    EnableTrigger(state, TriggerSelection::All)
                } else if simple && self.eat(Kw::User) {
                    EnableTrigger(state, TriggerSelection::User)
                } else {
                    EnableTrigger(state, TriggerSelection::Name(self.col_id()?))
                }
            }
            Kw::Force => {
                self.expect_all(&[Kw::Row, Kw::Level, Kw::Security])?;
                ForceRowSecurity(true)
            }
            Kw::No => {
                if self.eat(Kw::Inherit) {
                    return Ok(NoInherit(self.qualified_name()?));
                }
                self.expect_all(&[Kw::Force, Kw::Row, Kw::Level, Kw::Security])?;
                ForceRowSecurity(false)
            }
            Kw::Inherit => Inherit(self.qualified_name()?),
            Kw::Of => {
                let pos = self.pos();
                OfType(super::types::bare(self.any_name()?, pos))
            }
            Kw::Not => {
                self.expect(Kw::Of)?;
                NotOf
            }
            Kw::Owner => {
                self.expect(Kw::To)?;
                Owner(self.role_spec()?)
            }
            Kw::Replica => {
                self.expect(Kw::Identity)?;
                let identity = if self.eat(Kw::Nothing) {
                    crate::ast::ReplicaIdentity::Nothing
                } else if self.eat(Kw::Full) {
                    crate::ast::ReplicaIdentity::Full
                } else if self.eat(Kw::Default) {
                    crate::ast::ReplicaIdentity::Default
                } else {
                    self.expect_all(&[Kw::Using, Kw::Index])?;
                    crate::ast::ReplicaIdentity::Index(self.col_id()?)
                };
                ReplicaIdentity(identity)
            }
            _ => {
                // The word was passed over; the error is about it.
                self.at -= 1;
                self.cur = self.toks[self.at].tok;
                return self.unexpected();
            }
        })
    }

    /// What follows ALTER in ALTER TABLE.
    fn alter_column(&mut self) -> Result<AlterTableCommand> {
        use AlterTableCommand::*;
        if self.eat(Kw::Constraint) {
            return self.alter_constraint();
        }
        self.eat(Kw::Column);
        if self.cur == Tok::Int {
            let column = ColumnRef::Number(self.iconst()?);
            self.expect_all(&[Kw::Set, Kw::Statistics])?;
            return Ok(SetStatistics { column, target: self.statistics_target()? });
        }
        let column = self.col_id()?;
        let next = self.peek(1);
        match self.cur {
            Tok::Kw(Kw::Set) => {
                self.bump();
                let Tok::Kw(k) = next else {
                    return Ok(SetColumnOptions { column, options: self.rel_options()? });
                };
                self.bump();
                Ok(match k {
                    Kw::Default => ColumnDefault { column, default: Some(self.a_expr()?) },
                    Kw::Not => {
                        self.expect(Kw::Null)?;
                        SetNotNull(column)
                    }
                    Kw::Expression => {
                        self.expect(Kw::As)?;
                        SetExpression { column, expr: self.paren_expr()? }
                    }
                    Kw::Statistics => {
                        SetStatistics { column: ColumnRef::Name(column), target: self.statistics_target()? }
                    }
                    Kw::Storage => SetStorage { column, storage: self.storage_name()? },
                    Kw::Compression => SetCompression { column, compression: self.storage_name()? },
                    Kw::Data => {
                        self.expect(Kw::Type)?;
                        return self.alter_column_type(column);
                    }
                    _ => {
                        self.at -= 2;
                        self.cur = self.toks[self.at].tok;
                        return self.identity_changes(column);
                    }
                })
            }
            Tok::Kw(Kw::Drop) => {
                self.bump();
                Ok(match next {
                    Tok::Kw(Kw::Default) => {
                        self.bump();
                        ColumnDefault { column, default: None }
                    }
                    Tok::Kw(Kw::Not) => {
                        self.bump();
                        self.expect(Kw::Null)?;
                        DropNotNull(column)
                    }
                    Tok::Kw(Kw::Expression) => {
                        self.bump();
                        DropExpression { column, if_exists: self.only_if_exists()? }
                    }
                    _ => {
                        self.expect(Kw::Identity)?;
                        DropIdentity { column, if_exists: self.only_if_exists()? }
                    }
                })
            }
            Tok::Kw(Kw::Add) => {
                self.bump();
                let pos = self.pos();
                self.expect(Kw::Generated)?;
                let always = self.generated_when()?;
                self.expect_all(&[Kw::As, Kw::Identity])?;
                let mut options = Vec::new();
                if self.eat_ch(b'(') {
                    options = self.sequence_options()?;
                    self.expect_ch(b')')?;
                }
                Ok(AddIdentity { column, always, options, pos })
            }
            Tok::Kw(Kw::Reset) => {
                self.bump();
                Ok(ResetColumnOptions { column, options: self.rel_options()? })
            }
            Tok::Kw(Kw::Restart) => self.identity_changes(column),
            Tok::Kw(Kw::Type) => {
                self.bump();
                self.alter_column_type(column)
            }
            Tok::Kw(Kw::Options) => Ok(AlterColumnFdwOptions { column, options: self.alter_generic_options()? }),
            _ => self.unexpected(),
        }
    }

    fn statistics_target(&mut self) -> Result<Option<i32>> {
        if self.eat(Kw::Default) { Ok(None) } else { self.signed_iconst().map(Some) }
    }

    fn alter_column_type(&mut self, column: Name) -> Result<AlterTableCommand> {
        let ty = self.type_name()?;
        let collation = self.opt_collate()?;
        let using = if self.eat(Kw::Using) { Some(self.a_expr()?) } else { None };
        Ok(AlterTableCommand::AlterColumnType { column, ty, collation, using })
    }

    /// RESTART, SET sequence option, SET GENERATED, in any number.
    fn identity_changes(&mut self, column: Name) -> Result<AlterTableCommand> {
        let mut changes = Vec::new();
        loop {
            let pos = self.pos();
            if self.is(Kw::Restart) {
                if let Some(o) = self.opt_sequence_option()? {
                    changes.push(IdentityChange::Option(o));
                }
            } else if self.eat(Kw::Set) {
                if self.eat(Kw::Generated) {
                    let always = self.generated_when()?;
                    changes.push(IdentityChange::SetGenerated { always, pos });
                    continue;
                }
                let Some(o) = self.opt_sequence_option()? else { return self.unexpected() };
                if matches!(o.kind, SequenceOptionKind::As(_) | SequenceOptionKind::OwnedBy(_)) {
                    return self.syntax_at("sequence option \"as\" not supported here", pos);
                }
                changes.push(IdentityChange::Option(o));
            } else {
                return Ok(AlterTableCommand::SetIdentity { column, changes });
            }
        }
    }

    fn alter_constraint(&mut self) -> Result<AlterTableCommand> {
        let name = self.col_id()?;
        if self.is(Kw::Inherit) {
            self.bump();
            let c = AlterConstraint {
                name,
                deferrable: None,
                initially_deferred: None,
                enforced: None,
                no_inherit: Some(false),
            };
            return Ok(AlterTableCommand::AlterConstraint(c));
        }
        let at = self.pos();
        let a = self.attributes()?;
        if a.not_valid {
            return self.unsupported_at("constraints cannot be altered to be NOT VALID", at);
        }
        let c = AlterConstraint {
            name,
            deferrable: a.deferrable,
            initially_deferred: a.deferred,
            enforced: a.enforced,
            no_inherit: a.no_inherit.then_some(true),
        };
        Ok(AlterTableCommand::AlterConstraint(c))
    }
}
