//! Views and materialized views.

use super::Parser;
use crate::ast::*;
use crate::keyword::Kw;
use types::Result;

impl Parser<'_> {
    /// `[RECURSIVE] VIEW …`; the words before have been read.
    pub(super) fn create_view(&mut self, or_replace: bool, persistence: Persistence) -> Result<StatementKind> {
        let recursive = self.eat(Kw::Recursive);
        self.expect(Kw::View)?;
        let relation = self.qualified_name()?;
        let columns = if recursive { self.paren_list(Self::col_id)? } else { self.opt_name_list()? };
        let options = self.opt_with_rel_options()?;
        self.expect(Kw::As)?;
        let start = self.pos();
        let mut query = self.select_statement()?;
        let query_span = self.span_from(start);
        let mut check_option = ViewCheck::None;
        let pos = self.pos();
        if self.eat(Kw::With) {
            check_option = if self.eat(Kw::Local) {
                ViewCheck::Local
            } else {
                self.eat(Kw::Cascaded);
                ViewCheck::Cascaded
            };
            self.expect_all(&[Kw::Check, Kw::Option])?;
        }
        if recursive {
            if check_option != ViewCheck::None {
                return self.unsupported_at("WITH CHECK OPTION not supported on recursive views", pos);
            }
            query = recursive_query(&relation, &columns, query, query_span);
        }
        let v = CreateView {
            or_replace,
            persistence,
            recursive,
            relation,
            columns,
            options,
            query,
            query_span,
            check_option,
        };
        Ok(StatementKind::CreateView(Box::new(v)))
    }

    /// `MATERIALIZED VIEW …`
    pub(super) fn create_materialized_view(&mut self, persistence: Persistence) -> Result<StatementKind> {
        self.expect_all(&[Kw::Materialized, Kw::View])?;
        let if_not_exists = self.if_not_exists()?;
        let relation = self.qualified_name()?;
        let mut into = self.as_target(relation, persistence)?;
        into.tablespace = self.opt_tablespace()?;
        self.expect(Kw::As)?;
        self.create_as(into, if_not_exists, true)
    }

    pub(super) fn refresh(&mut self) -> Result<StatementKind> {
        self.bump();
        self.expect_all(&[Kw::Materialized, Kw::View])?;
        let concurrently = self.eat(Kw::Concurrently);
        let relation = self.qualified_name()?;
        let with_data = self.opt_with_data()?;
        let r = RefreshMaterializedView { relation, concurrently, with_data };
        Ok(StatementKind::RefreshMaterializedView(Box::new(r)))
    }
}

/// `WITH RECURSIVE v (columns) AS (query) SELECT columns FROM v`
fn recursive_query(relation: &RangeVar, columns: &[Name], query: Select, span: Span) -> Select {
    let none = Pos::NONE;
    let name = Name { text: relation.name.text.clone(), pos: none };
    let targets = columns
        .iter()
        .map(|c| Target {
            expr: Expr::new(ExprKind::Column(vec![Name { text: c.text.clone(), pos: none }]), none),
            alias: None,
            pos: none,
        })
        .collect();
    let from = RangeVar { catalog: None, schema: None, name: name.clone(), only: false, pos: none };
    let core = SelectCore {
        distinct: Distinct::All,
        targets,
        into: None,
        from: vec![TableRef::Relation(Box::new(RelationRef { relation: from, alias: None, sample: None }))],
        where_clause: None,
        group_distinct: false,
        group_by: Vec::new(),
        having: None,
        windows: Vec::new(),
    };
    let cte = Cte {
        name,
        columns: columns.to_vec(),
        materialized: None,
        statement: Statement { kind: StatementKind::Select(Box::new(query)), span },
        search: None,
        cycle: None,
        pos: none,
    };
    Select {
        with: Some(Box::new(With { recursive: true, ctes: vec![cte], pos: none })),
        body: SelectBody::Query(Box::new(core)),
        order_by: Vec::new(),
        limit: None,
        locking: Vec::new(),
        pos: none,
    }
}
