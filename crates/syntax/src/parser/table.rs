//! CREATE TABLE, CREATE TABLE AS, CREATE FOREIGN TABLE, partition bounds.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use types::{Result, SqlState};

impl Parser<'_> {
    /// CREATE TABLE or CREATE TABLE AS; the words before TABLE have been read.
    pub(super) fn create_table(&mut self, persistence: Persistence, pos: Pos) -> Result<StatementKind> {
        self.expect(Kw::Table)?;
        let if_not_exists = self.if_not_exists()?;
        let relation = self.qualified_name()?;
        let names = self.is_ch(b'(') && Self::is_col_id(self.peek(1)) && matches!(self.peek(2), Tok::Char(b',' | b')'));
        if names || self.query_only || !matches!(self.cur, Tok::Char(b'(') | Tok::Kw(Kw::Of | Kw::Partition)) {
            let mut into = self.as_target(relation, persistence)?;
            into.on_commit = self.opt_on_commit()?;
            into.tablespace = self.opt_tablespace()?;
            self.expect(Kw::As)?;
            return self.create_as(into, if_not_exists, false);
        }
        let mut table = self.table_shape(relation, persistence, if_not_exists, pos)?;
        if self.eat(Kw::Inherits) {
            if table.of_type.is_some() || table.partition_of.is_some() {
                self.at -= 1;
                self.cur = self.toks[self.at].tok;
                return self.unexpected();
            }
            table.inherits = self.paren_list(Self::qualified_name)?;
        }
        table.partition_by = self.opt_partition_spec()?;
        if self.eat(Kw::Using) {
            table.access_method = Some(self.col_id()?);
        }
        table.options = self.opt_table_with()?;
        table.on_commit = self.opt_on_commit()?;
        table.tablespace = self.opt_tablespace()?;
        Ok(StatementKind::CreateTable(Box::new(table)))
    }

    /// What stands between a table's name and its options.
    fn table_shape(
        &mut self,
        relation: RangeVar,
        persistence: Persistence,
        if_not_exists: bool,
        pos: Pos,
    ) -> Result<CreateTable> {
        let mut table = CreateTable {
            relation,
            persistence,
            if_not_exists,
            elements: Vec::new(),
            of_type: None,
            partition_of: None,
            inherits: Vec::new(),
            partition_by: None,
            access_method: None,
            options: Vec::new(),
            on_commit: OnCommit::NotSet,
            tablespace: None,
            pos,
        };
        if self.eat(Kw::Of) {
            let at = self.pos();
            let names = self.any_name()?;
            table.of_type = Some(super::types::bare(names, at));
            if self.is_ch(b'(') {
                table.elements = self.paren_list(Self::typed_element)?;
            }
        } else if self.eat(Kw::Partition) {
            self.expect(Kw::Of)?;
            let parent = self.qualified_name()?;
            if self.is_ch(b'(') {
                table.elements = self.paren_list(Self::typed_element)?;
            }
            let bound = self.partition_bound()?;
            table.partition_of = Some((parent, bound));
        } else {
            self.expect_ch(b'(')?;
            if !self.eat_ch(b')') {
                table.elements = self.list(Self::table_element)?;
                self.expect_ch(b')')?;
            }
        }
        Ok(table)
    }

    /// CREATE FOREIGN TABLE; FOREIGN has been read.
    pub(super) fn create_foreign_table(&mut self, pos: Pos) -> Result<StatementKind> {
        self.expect(Kw::Table)?;
        let if_not_exists = self.if_not_exists()?;
        let relation = self.qualified_name()?;
        let mut table = self.table_shape(relation, Persistence::Permanent, if_not_exists, pos)?;
        if table.partition_of.is_none() && self.eat(Kw::Inherits) {
            table.inherits = self.paren_list(Self::qualified_name)?;
        }
        self.expect(Kw::Server)?;
        let server = self.col_id()?;
        let options = self.opt_generic_options()?;
        Ok(StatementKind::CreateForeignTable(Box::new(CreateForeignTable { table, server, options })))
    }

    fn table_element(&mut self) -> Result<TableElement> {
        let pos = self.pos();
        if self.eat(Kw::Like) {
            let relation = self.qualified_name()?;
            let mut options = Vec::new();
            while matches!(self.cur, Tok::Kw(Kw::Including | Kw::Excluding)) {
                let including = self.is(Kw::Including);
                self.bump();
                let option = match self.cur {
                    Tok::Kw(Kw::Comments) => LikeOption::Comments,
                    Tok::Kw(Kw::Compression) => LikeOption::Compression,
                    Tok::Kw(Kw::Constraints) => LikeOption::Constraints,
                    Tok::Kw(Kw::Defaults) => LikeOption::Defaults,
                    Tok::Kw(Kw::Generated) => LikeOption::Generated,
                    Tok::Kw(Kw::Identity) => LikeOption::Identity,
                    Tok::Kw(Kw::Indexes) => LikeOption::Indexes,
                    Tok::Kw(Kw::Statistics) => LikeOption::Statistics,
                    Tok::Kw(Kw::Storage) => LikeOption::Storage,
                    Tok::Kw(Kw::All) => LikeOption::All,
                    _ => return self.unexpected(),
                };
                self.bump();
                options.push((option, including));
            }
            return Ok(TableElement::Like(TableLike { relation, options, pos }));
        }
        if self.table_constraint_comes() {
            return self.table_constraint().map(TableElement::Constraint);
        }
        self.column_def().map(TableElement::Column)
    }

    /// columnDef.
    pub(super) fn column_def(&mut self) -> Result<ColumnDef> {
        let name = self.col_id()?;
        let pos = name.pos;
        let ty = Some(self.type_name()?);
        let storage = if self.eat(Kw::Storage) { Some(self.storage_name()?) } else { None };
        let compression = if self.eat(Kw::Compression) { Some(self.storage_name()?) } else { None };
        let fdw_options = self.opt_generic_options()?;
        let (collation, constraints) = self.column_qualifiers(false)?;
        Ok(ColumnDef { name, ty, storage, compression, fdw_options, collation, constraints, pos })
    }

    /// A ColId or DEFAULT.
    pub(super) fn storage_name(&mut self) -> Result<Name> {
        let ok = self.is(Kw::Default) || Self::is_col_id(self.cur);
        self.take_name(ok)
    }

    /// An element of a typed table or a partition: a column without type, or a constraint.
    fn typed_element(&mut self) -> Result<TableElement> {
        if self.table_constraint_comes() {
            return self.table_constraint().map(TableElement::Constraint);
        }
        let name = self.col_id()?;
        let pos = name.pos;
        if self.eat(Kw::With) {
            self.expect(Kw::Options)?;
        }
        let (collation, constraints) = self.column_qualifiers(false)?;
        let column = ColumnDef {
            name,
            ty: None,
            storage: None,
            compression: None,
            fdw_options: Vec::new(),
            collation,
            constraints,
            pos,
        };
        Ok(TableElement::Column(column))
    }

    fn opt_table_with(&mut self) -> Result<Vec<DefElem>> {
        if self.is(Kw::Without) && self.peek_kw(1, Kw::Oids) {
            self.bump();
            self.bump();
            return Ok(Vec::new());
        }
        if self.eat(Kw::With) {
            return self.rel_options();
        }
        Ok(Vec::new())
    }

    fn opt_on_commit(&mut self) -> Result<OnCommit> {
        if !self.eat(Kw::On) {
            return Ok(OnCommit::NotSet);
        }
        self.expect(Kw::Commit)?;
        if self.eat(Kw::Drop) {
            return Ok(OnCommit::Drop);
        }
        let delete = self.eat(Kw::Delete);
        if !delete {
            self.expect(Kw::Preserve)?;
        }
        self.expect(Kw::Rows)?;
        Ok(if delete { OnCommit::DeleteRows } else { OnCommit::PreserveRows })
    }

    pub(super) fn opt_tablespace(&mut self) -> Result<Option<Name>> {
        if self.eat(Kw::Tablespace) { self.col_id().map(Some) } else { Ok(None) }
    }

    /// `[(columns)] [USING method] [WITH (…)]` of CREATE TABLE AS and CREATE MATERIALIZED VIEW.
    pub(super) fn as_target(&mut self, relation: RangeVar, persistence: Persistence) -> Result<IntoTable> {
        let columns = self.opt_name_list()?;
        let access_method = if self.eat(Kw::Using) { Some(self.col_id()?) } else { None };
        let options = self.opt_table_with()?;
        Ok(IntoTable {
            relation,
            persistence,
            columns,
            access_method,
            options,
            on_commit: OnCommit::NotSet,
            tablespace: None,
        })
    }

    /// What follows AS.
    pub(super) fn create_as(
        &mut self,
        into: IntoTable,
        if_not_exists: bool,
        materialized_view: bool,
    ) -> Result<StatementKind> {
        let start = self.pos();
        let kind = if !materialized_view && self.is(Kw::Execute) {
            self.execute()?
        } else {
            let q = self.select_statement()?;
            StatementKind::Select(Box::new(q))
        };
        let source = Statement { kind, span: self.span_from(start) };
        let with_data = self.opt_with_data()?;
        let s = CreateTableAs { materialized_view, if_not_exists, into, source, with_data };
        Ok(StatementKind::CreateTableAs(Box::new(s)))
    }

    /// WITH [NO] DATA.
    pub(super) fn opt_with_data(&mut self) -> Result<bool> {
        if !self.eat(Kw::With) {
            return Ok(true);
        }
        let no = self.eat(Kw::No);
        self.expect(Kw::Data)?;
        Ok(!no)
    }

    fn opt_partition_spec(&mut self) -> Result<Option<PartitionSpec>> {
        let pos = self.pos();
        if !self.eat(Kw::Partition) {
            return Ok(None);
        }
        self.expect(Kw::By)?;
        let word = self.col_id()?;
        let elements = self.paren_list(|p| {
            let pos = p.pos();
            let key = p.index_key()?;
            let collation = p.opt_collate()?.map(|c| c.collation).unwrap_or_default();
            let opclass = if Self::is_col_id(p.cur) { p.any_name()? } else { Vec::new() };
            Ok(PartitionElement { key, collation, opclass, pos })
        })?;
        let strategy = match word.to_ascii_lowercase().as_str() {
            "list" => PartitionStrategy::List,
            "range" => PartitionStrategy::Range,
            "hash" => PartitionStrategy::Hash,
            _ => {
                let message = format!("unrecognized partitioning strategy \"{}\"", word.as_str());
                return Err(self.error(SqlState::INVALID_PARAMETER_VALUE, message, word.pos));
            }
        };
        Ok(Some(PartitionSpec { strategy, elements, pos }))
    }

    /// PartitionBoundSpec.
    pub(super) fn partition_bound(&mut self) -> Result<PartitionBound> {
        let pos = self.pos();
        if self.eat(Kw::Default) {
            return Ok(PartitionBound::Default(pos));
        }
        self.expect_all(&[Kw::For, Kw::Values])?;
        let pos = self.pos();
        if self.eat(Kw::In) {
            return Ok(PartitionBound::In(self.paren_list(Self::a_expr)?, pos));
        }
        if self.eat(Kw::From) {
            let from = self.paren_list(Self::a_expr)?;
            self.expect(Kw::To)?;
            let to = self.paren_list(Self::a_expr)?;
            return Ok(PartitionBound::Range { from, to, pos });
        }
        self.expect(Kw::With)?;
        let (mut modulus, mut remainder) = (None, None);
        self.expect_ch(b'(')?;
        let parts = self.list(|p| {
            let name = p.non_reserved_word()?;
            Ok((name, p.iconst()?))
        })?;
        self.expect_ch(b')')?;
        for (name, value) in parts {
            let slot = match name.as_str() {
                "modulus" => &mut modulus,
                "remainder" => &mut remainder,
                other => {
                    let message = format!("unrecognized hash partition bound specification \"{other}\"");
                    return self.syntax_at(message, name.pos);
                }
            };
            if slot.replace(value).is_some() {
                let message = format!("{} for hash partition provided more than once", name.as_str());
                return Err(self.error(SqlState::DUPLICATE_OBJECT, message, name.pos));
            }
        }
        let Some(modulus) = modulus else {
            return Err(self.error(SqlState::SYNTAX_ERROR, "modulus for hash partition must be specified", pos));
        };
        let Some(remainder) = remainder else {
            return Err(self.error(SqlState::SYNTAX_ERROR, "remainder for hash partition must be specified", pos));
        };
        Ok(PartitionBound::Hash { modulus, remainder, pos })
    }
}
