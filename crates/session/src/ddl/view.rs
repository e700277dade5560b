//! Views, and materialized views.

use std::sync::Arc;

use binder::Binder;
use catalog::TableInfo;
use catalog::stored::{PG_CLASS, PG_REWRITE};
use plan::{Node, OutputColumn, RowRules};
use storage::lock::Mode;
use storage::{Persistence, RelId, RelKind, RelMeta};
use syntax::ast::{
    AlterTableCommand as Command, CreateTableAs, CreateView, DefElem, DefValue, Name, RefreshMaterializedView, Select,
    StatementKind, ViewCheck,
};
use types::{Datum, Oid, Physical, Result, SqlError, SqlState, oid};

use super::depend::Address;
use super::index::carried_forms;
use super::storage_option::{Of, check_options};
use super::table::{NewColumn, check_attribute_type, is_system_column};
use super::{HEAP, NewClass, notice, refuse};
use crate::session::{Session, Sink};

/// The query of a view.
struct ViewQuery {
    /// As it is kept.
    text: String,
    /// As it is written, its scans marked with what it reads.
    written: Node,
    plan: Arc<Node>,
    columns: Vec<OutputColumn>,
    /// The operators of users that it calls.
    operators: Vec<Oid>,
}

/// The options that CREATE VIEW gives, as `reloptions` keeps them.
fn view_options(sql: &str, create: &CreateView) -> Result<Vec<String>> {
    let mut options = Vec::new();
    for option in &create.options {
        options.push(view_option(sql, option)?);
    }
    match create.check_option {
        ViewCheck::None => {}
        ViewCheck::Local => options.push("check_option=local".to_owned()),
        ViewCheck::Cascaded => options.push("check_option=cascaded".to_owned()),
    }
    Ok(options)
}

/// An option of a view, as `reloptions` keeps it.
pub(super) fn view_option(sql: &str, option: &DefElem) -> Result<String> {
    let value = match &option.value {
        Some(DefValue::String(s)) => s.to_string(),
        Some(DefValue::Type(ty)) => ty.names.last().map_or(String::new(), |n| n.to_string()),
        Some(DefValue::Bool(b)) => b.to_string(),
        Some(DefValue::Integer(n)) => n.to_string(),
        Some(other) => format!("{other:?}").to_lowercase(),
        None => "true".to_owned(),
    };
    match &*option.name {
        "check_option" if matches!(&*value, "local" | "cascaded") => Ok(format!("check_option={value}")),
        "check_option" => {
            let message = format!("invalid value for enum option \"check_option\": {value}");
            Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
                .detail("Valid values are \"local\" and \"cascaded\"."))
        }
        name @ ("security_barrier" | "security_invoker") => {
            let on = match &*value {
                "true" | "on" | "yes" | "1" => true,
                "false" | "off" | "no" | "0" => false,
                _ => {
                    let message = format!("invalid value for boolean option \"{name}\": {value}");
                    return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
                }
            };
            if on && name == "security_barrier" {
                return refuse("security_barrier", option.pos, sql);
            }
            Ok(format!("{name}={on}"))
        }
        name => {
            let message = format!("unrecognized parameter \"{name}\"");
            Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message))
        }
    }
}

impl Session {
    /// Whether a query reads temporary relations.
    fn reads_temporary(&mut self, node: &Node) -> Result<bool> {
        let image = self.image()?;
        let mut found = false;
        node.visit_tables(&mut |table, _| {
            found |= image.by_oid(table.oid).is_some_and(|t| t.persistence == b't');
        });
        Ok(found)
    }

    pub(crate) fn create_view(&mut self, sql: &str, create: &CreateView, sink: &mut dyn Sink) -> Result<String> {
        let tag = "CREATE VIEW".to_owned();
        let options = view_options(sql, create)?;
        let mut target = self.target(sql, &create.relation, create.persistence)?;
        let name = create.relation.name.as_str();
        // What its query may read is asked of its owner when it is read.
        let trusted = std::mem::replace(&mut self.trusted, true);
        let query = self.view_query(sql, &create.query);
        self.trusted = trusted;
        let ViewQuery { text, written: node, columns: outputs, operators: used, .. } = query?;
        if target.persistence != b't' && self.reads_temporary(&node)? {
            let told = format!("view \"{name}\" will be a temporary view");
            notice(sink, SqlState::SUCCESSFUL_COMPLETION, told);
            target = self.target(sql, &create.relation, syntax::ast::Persistence::Temporary)?;
        }
        let (namespace, persistence) = (target.namespace, target.persistence);
        self.lock_name(PG_CLASS, namespace, name)?;
        let image = self.image()?;
        let old = image.table(namespace, name).cloned();
        if image.is_taken(namespace, name) && !create.or_replace {
            let message = format!("relation \"{name}\" already exists");
            return Err(SqlError::new(SqlState::DUPLICATE_TABLE, message));
        }
        let columns = self.columns_of_query(&outputs, &create.columns, false)?;
        if let Some(old) = old.filter(|o| o.kind == b'v') {
            self.replace_view(&old, (&text, &used), &node, &columns)?;
            self.set_view_options(old.oid, &options)?;
            return Ok(tag);
        }
        if image.is_taken(namespace, name) {
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{name}\" is not a view")));
        }
        let (view, owner) = (self.new_oid()?, self.user.oid);
        let count = columns.len();
        self.add_class(&NewClass {
            oid: view,
            name,
            namespace,
            owner,
            kind: b'v',
            columns: count,
            access_method: Oid::NONE,
            persistence,
        })?;
        self.mark_class(view, &[("relfilenode", Datum::U32(0)), ("relhasrules", Datum::Bool(true))])?;
        self.depend(Address::relation(view), Address::schema(namespace), b'n')?;
        for (i, column) in columns.iter().enumerate() {
            self.add_attribute(view, i, column)?;
        }
        self.keep_query(view, (&text, &used), &node)?;
        self.set_view_options(view, &options)?;
        Ok(tag)
    }

    /// ALTER VIEW.
    pub(super) fn alter_view(&mut self, sql: &str, info: &TableInfo, command: &Command) -> Result<()> {
        let mut options = info.options.clone();
        let name_of = |o: &str| o.split('=').next().unwrap_or_default().to_owned();
        match command {
            Command::SetOptions(list) => {
                for option in list {
                    let new = view_option(sql, option)?;
                    options.retain(|o| name_of(o) != name_of(&new));
                    options.push(new);
                }
                self.set_view_options(info.oid, &options)
            }
            Command::ResetOptions(list) => {
                options.retain(|o| !list.iter().any(|l| *l.name == *name_of(o)));
                self.set_view_options(info.oid, &options)
            }
            Command::ColumnDefault { column, default } => {
                let index = super::alter::column_of(info, column)?;
                self.drop_default(info.oid, index)?;
                match default {
                    Some(e) => self.add_default(sql, info.oid, index, e).map_err(SqlError::unplaced),
                    None => Ok(()),
                }
            }
            _ => {
                let action = super::alter::action_name(command);
                let message = format!("ALTER action {action} cannot be performed on relation \"{}\"", info.name);
                Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message)
                    .detail("This operation is not supported for views."))
            }
        }
    }

    /// Keeps the options of a view.
    pub(super) fn set_view_options(&mut self, view: Oid, options: &[String]) -> Result<()> {
        if options.iter().any(|o| o.starts_with("check_option=")) {
            let (image, info) = (self.image()?, self.info(view)?);
            let mut binder = Binder::new(&image, "", &self.settings.io, &self.search_path);
            if let Some(why) = binder.view_is_fixed(&info)? {
                let message = "WITH CHECK OPTION is supported only on automatically updatable views";
                return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message).hint(why));
            }
        }
        self.set_options(view, options)
    }

    /// What is known of a view's query.
    fn view_query(&mut self, sql: &str, query: &Select) -> Result<ViewQuery> {
        let image = self.image()?;
        let (text, bound, params, used) = {
            let mut binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
            let (text, bound) = binder.view_text(query)?;
            (text, bound, binder.params.len(), binder.routines)
        };
        if params > 0 {
            return Err(crate::session::no_parameter(sql, 1));
        }
        let kind = StatementKind::Select(Box::new(query.clone()));
        let (plan, _) = self.locked_plan(sql, &kind, None, &[])?;
        let mut written = bound.node;
        optimizer::mark_written(&mut written);
        Ok(ViewQuery { text, written, plan, columns: bound.columns, operators: used })
    }

    /// The columns of a view, or table, whose query yields `outputs`.
    fn columns_of_query(
        &mut self,
        outputs: &[OutputColumn],
        names: &[Name],
        table: bool,
    ) -> Result<Vec<NewColumn<'static>>> {
        if names.len() > outputs.len() {
            let message = "CREATE VIEW specifies more column names than columns";
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
        }
        let mut columns: Vec<NewColumn<'static>> = Vec::new();
        for (i, c) in outputs.iter().enumerate() {
            let name = names.get(i).map_or(c.name.clone(), |n| n.as_str().to_owned());
            if columns.iter().any(|n| n.name == name) {
                let message = format!("column \"{name}\" specified more than once");
                return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
            }
            if table && is_system_column(&name) {
                let message = format!("column name \"{name}\" conflicts with a system column name");
                return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
            }
            let ty = if c.ty == oid::UNKNOWN { oid::TEXT } else { c.ty };
            check_attribute_type(&name, ty)?;
            columns.push(NewColumn::plain(name, ty, c.typmod));
        }
        Ok(columns)
    }

    /// Keeps the query of a view, and what it depends on.
    fn keep_query(&mut self, view: Oid, (text, used): (&str, &[Oid]), node: &Node) -> Result<()> {
        let rule = self.new_oid()?;
        let values = [
            ("oid", Datum::from(rule)),
            ("rulename", Datum::text("_RETURN")),
            ("ev_class", Datum::from(view)),
            ("ev_type", Datum::I8(b'1'.cast_signed())),
            ("ev_enabled", Datum::I8(b'O'.cast_signed())),
            ("is_instead", Datum::Bool(true)),
            ("ev_qual", Datum::text("<>")),
            ("ev_action", Datum::text(text)),
        ];
        self.add_row(PG_REWRITE, &values)?;
        self.depend_on_query(view, (text, used), node)
    }

    /// Notes the columns and views that a view reads.
    fn depend_on_query(&mut self, view: Oid, (text, used): (&str, &[Oid]), node: &Node) -> Result<()> {
        let image = self.image()?;
        let mut on: Vec<Address> = Vec::new();
        let own = Address::relation(view);
        node.visit(&mut |n| {
            let (Node::Scan { table, needed, filter }
            | Node::IndexScan { table, needed, filter, .. }
            | Node::BitmapScan { table, needed, filter, .. }) = n
            else {
                return;
            };
            if table.source != plan::TableSource::Stored {
                return;
            }
            let mut read: Vec<bool> = (0..table.columns.len()).map(|i| needed.has(i)).collect();
            filter.iter().for_each(|f| f.mark_columns(&mut read));
            let columns: Vec<usize> = (0..read.len()).filter(|&i| read[i]).collect();
            on.extend(columns.iter().map(|&c| Address::column(table.oid, c)));
            if columns.is_empty() {
                on.push(Address::relation(table.oid));
            }
        });
        // Views are named in the text by their OIDs, and gone from the plan.
        for part in text.split("pg_catalog.\"%").skip(1) {
            let Some(oid) = part.split('"').next().and_then(|n| n.parse().ok()).map(Oid) else { continue };
            match image.by_oid(oid) {
                Some(_) => on.push(Address::relation(oid)),
                None if oid.is_user_type() => on.push(Address::type_of(oid)),
                None if image.function(oid).is_some() => on.push(Address::function(oid)),
                None => {}
            }
        }
        for operator in used.iter().filter(|o| image.operator(**o).is_some()) {
            on.push(Address { class: catalog::stored::PG_OPERATOR, object: *operator, column: 0 });
        }
        let named: Vec<Oid> = on.iter().filter(|a| a.column == 0).map(|a| a.object).collect();
        // What is read through another view is that one's.
        on.retain(|a| a.column == 0 || named.contains(&a.object));
        on.sort_by_key(|a| (a.class, a.object, a.column));
        on.dedup();
        let with_columns: Vec<Oid> = on.iter().filter(|a| a.column > 0).map(|a| a.object).collect();
        on.retain(|a| a.column > 0 || !with_columns.contains(&a.object));
        on.into_iter().filter(|a| *a != own).try_for_each(|a| self.depend(own, a, b'n'))
    }

    fn replace_view(
        &mut self,
        old: &TableInfo,
        (text, used): (&str, &[Oid]),
        node: &Node,
        columns: &[NewColumn<'_>],
    ) -> Result<()> {
        self.check_owner(old)?;
        self.lock_relation(old.oid, Mode::AccessExclusive)?;
        let invalid = |message: String| Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message));
        if columns.len() < old.columns.len() {
            return invalid("cannot drop columns from view".to_owned());
        }
        for (was, is) in old.columns.iter().zip(columns) {
            if was.name != is.name {
                let message = format!("cannot change name of view column \"{}\" to \"{}\"", was.name, is.name);
                return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message)
                    .hint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead."));
            }
            if (was.ty, was.typmod) != (is.ty, is.typmod) {
                let shown = |ty: Oid, typmod: i32| {
                    types::typmod::format_type(ty, typmod).unwrap_or_else(|| binder::format_type(ty))
                };
                return invalid(format!(
                    "cannot change data type of view column \"{}\" from {} to {}",
                    was.name,
                    shown(was.ty, was.typmod),
                    shown(is.ty, is.typmod)
                ));
            }
        }
        for (i, column) in columns.iter().enumerate().skip(old.columns.len()) {
            self.add_attribute(old.oid, i, column)?;
        }
        self.mark_class(old.oid, &[("relnatts", Datum::I16(columns.len() as i16))])?;
        let view = old.oid;
        self.change_rows(PG_REWRITE, |r| r.oid("ev_class") == view, &[("ev_action", Datum::text(text))])?;
        self.remove_rows(catalog::stored::PG_DEPEND, |r| {
            r.oid("classid") == PG_CLASS
                && r.oid("objid") == view
                && r.int("objsubid") == 0
                && r.oid("refclassid") != catalog::stored::PG_NAMESPACE
        })?;
        self.depend_on_query(view, (text, used), node)
    }

    pub(crate) fn create_materialized_view(
        &mut self,
        sql: &str,
        create: &CreateTableAs,
        sink: &mut dyn Sink,
    ) -> Result<String> {
        let StatementKind::Select(query) = &create.source.kind else {
            return refuse("a materialized view of this statement", create.into.relation.pos, sql);
        };
        let options = check_options(&create.into.options, sql, Of::Table)?;
        let namespace = self.target_namespace(sql, &create.into.relation)?;
        let name = create.into.relation.name.as_str();
        self.lock_name(PG_CLASS, namespace, name)?;
        if self.image()?.is_taken(namespace, name) {
            let message = format!("relation \"{name}\" already exists");
            if create.if_not_exists {
                notice(sink, SqlState::DUPLICATE_TABLE, message + ", skipping");
                return Ok("CREATE MATERIALIZED VIEW".to_owned());
            }
            return Err(SqlError::new(SqlState::DUPLICATE_TABLE, message));
        }
        let ViewQuery { text, written: node, plan, columns: outputs, operators: used } = self.view_query(sql, query)?;
        if self.reads_temporary(&node)? {
            let message = "materialized views must not use temporary tables or views";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        if create.into.columns.len() > outputs.len() {
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, "too many column names were specified"));
        }
        let columns = self.columns_of_query(&outputs, &create.into.columns, true)?;
        let (db, view, owner) = (self.db.clone(), self.new_oid()?, self.user.oid);
        let forms = columns.iter().map(|c| Physical::of(c.ty)).collect();
        db.create_relation(self.txn_mut(), RelMeta::new(RelId(view.0), RelKind::Table, Persistence::Permanent, forms))?;
        self.add_class(&NewClass {
            oid: view,
            name,
            namespace,
            owner,
            kind: b'm',
            columns: columns.len(),
            access_method: HEAP,
            persistence: b'p',
        })?;
        self.keep_options(view, &options)?;
        let populated = Datum::Bool(create.with_data);
        self.mark_class(view, &[("relhasrules", Datum::Bool(true)), ("relispopulated", populated)])?;
        self.depend(Address::relation(view), Address::schema(namespace), b'n')?;
        for (i, column) in columns.iter().enumerate() {
            self.add_attribute(view, i, column)?;
        }
        self.keep_query(view, (&text, &used), &node)?;
        if !create.with_data {
            return Ok("CREATE MATERIALIZED VIEW".to_owned());
        }
        let count = self.fill_view(view, &plan)?;
        Ok(format!("SELECT {count}"))
    }

    /// Puts what `node` yields into the storage of a materialized view.
    fn fill_view(&mut self, view: Oid, node: &Node) -> Result<String> {
        let target = self.plan_table(view)?;
        let insert = Node::Insert {
            table: Arc::new(target),
            rules: Arc::new(RowRules::default()),
            input: Box::new(node.clone()),
            conflict: None,
            returning: None,
        };
        let mut running = self.start(Arc::new(insert), Arc::default())?;
        while running.next_chunk(self)?.is_some() {}
        Ok(running.tag().trim_start_matches("INSERT 0 ").to_owned())
    }

    pub(crate) fn refresh_view(&mut self, sql: &str, refresh: &RefreshMaterializedView) -> Result<String> {
        let info = self.relation(sql, &refresh.relation, Mode::AccessExclusive)?;
        if info.kind != b'm' {
            let message = format!("\"{}\" is not a materialized view", info.name);
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        self.check_owner(&info)?;
        if refresh.concurrently {
            return refuse("REFRESH MATERIALIZED VIEW CONCURRENTLY", refresh.relation.pos, sql);
        }
        let Some(text) = info.view.clone() else { return Err(SqlError::internal("a view has a query")) };
        let forms = info.columns.iter().map(|c| Physical::of(c.ty)).collect();
        self.new_storage(info.oid, info.rel, RelKind::Table, forms)?;
        for index in &info.indexes {
            self.new_storage(index.oid, index.rel, RelKind::Btree, carried_forms(&info, &index.include))?;
        }
        self.mark_class(info.oid, &[("relispopulated", Datum::Bool(refresh.with_data))])?;
        if refresh.with_data {
            let statements = syntax::parse(&text)?;
            let Some(statement) = statements.first() else { return Err(SqlError::internal("a view is a query")) };
            let trusted = std::mem::replace(&mut self.trusted, true);
            let planned = self.locked_plan(&text, &statement.kind, None, &[]);
            self.trusted = trusted;
            self.fill_view(info.oid, &planned?.0)?;
        }
        Ok("REFRESH MATERIALIZED VIEW".to_owned())
    }
}
