//! What roles may do: checks of plans before they run, and `has_*_privilege`.

use catalog::stored::{self, PG_CLASS, PG_DATABASE};
use catalog::{ColumnInfo, Fields, Image, TableInfo};
use plan::{CheckAs, Expr, ExprKind, MergeAction, Node, TableRef, TableSource};
use types::{Oid, Result, SqlError, SqlState};

use crate::acl::{Acl, letter};
use crate::runtime::{Role, Runtime};
use crate::session::Session;

/// A role's membership in another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Membership {
    pub group: Oid,
    pub member: Oid,
    /// Whether the member has the group's rights.
    pub inherits: bool,
    /// Whether the member may SET ROLE to the group.
    pub may_set: bool,
    /// Whether the member may make others members.
    pub admin: bool,
}

impl Membership {
    pub(crate) fn of(row: Fields<'_>) -> Membership {
        Membership {
            group: row.oid("roleid"),
            member: row.oid("member"),
            inherits: row.bool("inherit_option"),
            may_set: row.bool("set_option"),
            admin: row.bool("admin_option"),
        }
    }
}

/// A role, and those whose rights it has.
#[derive(Clone, Debug)]
pub(crate) struct Rights {
    superuser: bool,
    oids: Vec<Oid>,
    names: Vec<String>,
}

/// All rights to a kind of object, and those that PUBLIC has of itself.
pub(crate) fn usual(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "sequence" => ("rwU", ""),
        "schema" => ("UC", ""),
        "database" => ("CTc", "Tc"),
        "column" => ("arwx", ""),
        "function" => ("X", "X"),
        "language" | "type" => ("U", "U"),
        _ => ("arwdDxtm", ""),
    }
}

/// `42501`.
pub(crate) fn denied(kind: &str, name: &str) -> SqlError {
    SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied for {kind} {name}"))
}

impl Rights {
    /// What `role` may, with its memberships.
    pub(crate) fn of(runtime: &Runtime, role: &Role) -> Result<Rights> {
        let mut rights = Rights { superuser: role.superuser, oids: vec![role.oid], names: vec![role.name.clone()] };
        if role.superuser {
            return Ok(rights);
        }
        rights.oids = runtime.reached(role.oid, |m| m.inherits)?;
        for group in &rights.oids[1..] {
            rights.names.extend(runtime.role_by_oid(*group)?.map(|r| r.name.clone()));
        }
        Ok(rights)
    }

    /// The names of the roles whose rights it has.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn owns(&self, owner: Oid) -> bool {
        self.superuser || self.oids.contains(&owner)
    }

    /// Whether an object of `owner` with these grants lets it.
    pub(crate) fn has(&self, kind: &str, owner: Oid, acl: Option<&Acl>, letter: char) -> bool {
        match acl {
            _ if self.superuser => true,
            Some(acl) => acl.allows(&self.names, letter),
            None => self.owns(owner) || usual(kind).1.contains(letter),
        }
    }

    pub(crate) fn has_on_table(&self, info: &TableInfo, letter: char) -> bool {
        let kind = if info.kind == b'S' { "sequence" } else { "table" };
        self.has(kind, info.owner, info.acl.as_deref().and_then(parsed).as_ref(), letter)
    }

    fn has_on_column(&self, column: &ColumnInfo, letter: char) -> bool {
        column.acl.as_deref().and_then(parsed).is_some_and(|acl| acl.allows(&self.names, letter))
    }

    /// Whether it may use all of `columns`; with none, any.
    fn has_on_columns(&self, info: &TableInfo, columns: &[usize], letter: char) -> bool {
        let live = info.columns.iter().filter(|c| !c.dropped);
        self.has_on_table(info, letter)
            || (columns.is_empty() && live.clone().any(|c| self.has_on_column(c, letter)))
            || (!columns.is_empty()
                && columns.iter().all(|&c| info.columns.get(c).is_none_or(|c| self.has_on_column(c, letter))))
    }

    pub(crate) fn has_on_schema(&self, image: &Image, schema: Oid, letter: char) -> bool {
        match image.namespace_by_oid(schema) {
            Some(info) => self.has("schema", info.owner, info.acl.as_deref().and_then(parsed).as_ref(), letter),
            None => letter == 'U',
        }
    }
}

/// The grants that an image keeps as text.
pub(crate) fn parsed(text: &str) -> Option<Acl> {
    let io = types::IoSettings::default();
    Acl::of(&types::io::text_in(types::oid::ACLITEM_ARRAY, -1, text, &io).ok()?)
}

/// What a plan does with a table.
struct Use<'a> {
    table: &'a TableRef,
    letter: char,
    columns: Vec<usize>,
}

/// The columns of the first `width` that `exprs` read.
fn reads<'e>(exprs: impl IntoIterator<Item = &'e Expr>, width: usize, out: &mut Vec<usize>) {
    for e in exprs {
        e.visit(&mut |e| {
            if let ExprKind::Column(i) = e.kind
                && i < width
                && !out.contains(&i)
            {
                out.push(i);
            }
        });
    }
}

/// The scan of the table that a statement changes, and the columns that conditions on the way to it read.
fn target<'a>(node: &'a Node, width: usize, columns: &mut Vec<usize>) -> Option<&'a Node> {
    match node {
        Node::Scan { filter, .. } | Node::BitmapScan { filter, .. } => {
            reads(filter, width, columns);
            Some(node)
        }
        Node::IndexScan { filter, range, table, .. } => {
            reads(filter.iter().chain(&range.implied), width, columns);
            columns.extend(
                table.indexes.get(range.index).and_then(|i| i.columns.first()).map(|k| k.0).filter(|&c| c < width),
            );
            Some(node)
        }
        Node::Filter { input, predicate } => {
            reads([predicate], width, columns);
            target(input, width, columns)
        }
        Node::Join { left, equal, condition, .. } => {
            reads(equal.iter().map(|e| &e.0).chain(condition), width, columns);
            target(left, width, columns)
        }
        Node::Apply { left, binds, condition, .. } => {
            reads(binds.iter().map(|b| &b.1).chain(condition), width, columns);
            target(left, width, columns)
        }
        Node::Project { input, .. } | Node::Sort { input, .. } | Node::LockRows { input, .. } => {
            target(input, width, columns)
        }
        _ => None,
    }
}

/// The columns that INSERT gives values, which come from its source: defaults read nothing.
fn given(input: &Node, width: usize) -> Vec<usize> {
    match input {
        Node::Project { input, exprs } if exprs.len() == width => match &**input {
            // The upper one computes generated columns.
            inner @ Node::Project { exprs, .. } if exprs.len() == width => given(inner, width),
            _ => (0..width).filter(|&i| exprs[i].span().is_some()).collect(),
        },
        _ => (0..width).collect(),
    }
}

fn uses<'a>(node: &'a Node) -> Vec<Use<'a>> {
    let mut all: Vec<Use<'a>> = Vec::new();
    let mut targets: Vec<*const Node> = Vec::new();
    node.visit(&mut |n| match n {
        Node::Insert { table, conflict, returning, input, .. } => {
            all.push(Use { table, letter: 'a', columns: given(input, table.columns.len()) });
            if let Some(update) = conflict.as_ref().and_then(|c| c.update.as_ref()) {
                all.push(Use { table, letter: 'w', columns: update.sets.iter().map(|s| s.0).collect() });
            }
            let mut columns = Vec::new();
            reads(returning.iter().flatten(), table.columns.len(), &mut columns);
            if !columns.is_empty() {
                all.push(Use { table, letter: 'r', columns });
            }
        }
        Node::Update { table, input, sets, returning, .. } => {
            let (mut columns, width) = (Vec::new(), table.columns.len());
            targets.extend(target(input, width, &mut columns).map(std::ptr::from_ref));
            reads(sets.iter().map(|s| &s.1).chain(returning.iter().flatten()), width, &mut columns);
            all.push(Use { table, letter: 'w', columns: sets.iter().map(|s| s.0).collect() });
            if !columns.is_empty() {
                all.push(Use { table, letter: 'r', columns });
            }
        }
        Node::Delete { table, input, returning, .. } => {
            let (mut columns, width) = (Vec::new(), table.columns.len());
            targets.extend(target(input, width, &mut columns).map(std::ptr::from_ref));
            reads(returning.iter().flatten(), width, &mut columns);
            all.push(Use { table, letter: 'd', columns: Vec::new() });
            if !columns.is_empty() {
                all.push(Use { table, letter: 'r', columns });
            }
        }
        Node::Merge { table, input, arms, returning, .. } => {
            let (mut columns, width) = (Vec::new(), table.columns.len());
            targets.extend(target(input, width, &mut columns).map(std::ptr::from_ref));
            reads(
                arms.iter().filter_map(|a| a.condition.as_ref()).chain(returning.iter().flatten()),
                width,
                &mut columns,
            );
            for arm in arms {
                let (letter, columns) = match &arm.action {
                    MergeAction::Nothing => continue,
                    MergeAction::Delete => ('d', Vec::new()),
                    MergeAction::Update(sets) => ('w', sets.iter().map(|s| s.0).collect()),
                    MergeAction::Insert(values) => {
                        let given = (0..width).filter(|&i| values[i].span().is_some());
                        ('a', given.collect())
                    }
                };
                all.push(Use { table, letter, columns });
            }
            if !columns.is_empty() {
                all.push(Use { table, letter: 'r', columns });
            }
        }
        Node::LockRows { locks, .. } => {
            all.extend(locks.iter().map(|l| Use { table: &l.table, letter: 'w', columns: Vec::new() }));
        }
        Node::Scan { table, needed, .. }
        | Node::IndexScan { table, needed, .. }
        | Node::BitmapScan { table, needed, .. }
            if !targets.contains(&std::ptr::from_ref(n)) =>
        {
            let columns = (0..table.columns.len()).filter(|&i| needed.has(i) && !table.columns[i].dropped);
            all.push(Use { table, letter: 'r', columns: columns.collect() });
        }
        _ => {}
    });
    all
}

impl Session {
    /// What this session's role may.
    pub(crate) fn rights(&self) -> Result<Rights> {
        Rights::of(&self.runtime, &self.user)
    }

    /// Fails unless this session's role may do what `node` does.
    pub(crate) fn check_privileges(&mut self, sql: &str, node: &Node) -> Result<()> {
        if self.trusted {
            return Ok(());
        }
        let mut owners: Vec<Oid> = Vec::new();
        node.visit_tables(&mut |table, _| match table.check_as {
            CheckAs::Role(role) if !owners.contains(&role) => owners.push(role),
            _ => {}
        });
        if !self.user.superuser {
            let image = self.image()?;
            check_plan(&image, &self.rights()?, CheckAs::Session, sql, node)?;
        }
        for owner in owners {
            let image = self.image()?;
            check_plan(&image, &self.rights_of(owner)?, CheckAs::Role(owner), sql, node)?;
        }
        Ok(())
    }

    /// What a role may: a superuser anything, one that is gone nothing.
    fn rights_of(&self, role: Oid) -> Result<Rights> {
        match self.runtime.role_by_oid(role)? {
            Some(role) => Rights::of(&self.runtime, &role),
            None => Ok(Rights { superuser: false, oids: vec![role], names: Vec::new() }),
        }
    }

    /// Fails unless the owners of views may read the views that these read.
    pub(crate) fn check_inner_views(&self, image: &Image, views: &[(Oid, Oid)]) -> Result<()> {
        if self.trusted {
            return Ok(());
        }
        views.iter().try_for_each(|(view, role)| check_readable(image, &self.rights_of(*role)?, &[*view]))
    }

    /// Fails unless this session's role may read these views.
    pub(crate) fn check_views(&self, image: &Image, views: &[Oid]) -> Result<()> {
        if self.user.superuser || self.trusted || views.is_empty() {
            return Ok(());
        }
        check_readable(image, &self.rights()?, views)
    }

    /// Fails unless this session's role may do to these views what the letters say.
    pub(crate) fn check_written_views(&self, image: &Image, views: &[(Oid, char)]) -> Result<()> {
        if self.user.superuser || self.trusted || views.is_empty() {
            return Ok(());
        }
        let rights = self.rights()?;
        for (view, letter) in views {
            let Some(info) = image.by_oid(*view) else { continue };
            if !rights.has_on_schema(image, info.namespace, 'U') {
                return Err(denied("schema", image.namespace_name(info.namespace)));
            }
            let allowed = match letter {
                'd' => rights.has_on_table(info, 'd'),
                letter => rights.has_on_columns(info, &[], *letter),
            };
            if !allowed {
                return Err(denied("view", &info.name));
            }
        }
        Ok(())
    }

    /// Fails unless this session's role may make objects in a schema.
    pub(crate) fn check_create_in(&mut self, schema: Oid) -> Result<()> {
        if self.user.superuser {
            return Ok(());
        }
        let (image, rights) = (self.image()?, self.rights()?);
        // The schema that belongs to whoever owns the database.
        let owner = image.namespace_by_oid(schema).map(|n| n.owner);
        if owner == Some(stored::PG_DATABASE_OWNER) && self.owns_database(&rights)? {
            return Ok(());
        }
        if rights.has_on_schema(&image, schema, 'C') {
            return Ok(());
        }
        Err(denied("schema", image.namespace_name(schema)))
    }

    fn owns_database(&mut self, rights: &Rights) -> Result<bool> {
        let (shared, id) = (self.shared.clone(), self.db.id.0);
        let rows = stored::find(&shared, self.txn_mut(), PG_DATABASE, |r| r.oid("oid").0 == id)?;
        let owner = rows.first().map(|(_, row)| Fields { relation: PG_DATABASE, row }.oid("datdba"));
        Ok(owner.is_some_and(|o| rights.owns(o)))
    }

    /// Fails unless this session's role may give values to `columns` of a table.
    pub(crate) fn check_insert(&mut self, table: Oid, columns: &[usize]) -> Result<()> {
        let image = self.image()?;
        let Some(info) = image.by_oid(table).filter(|_| !self.user.superuser) else { return Ok(()) };
        if self.rights()?.has_on_columns(info, columns, 'a') {
            return Ok(());
        }
        Err(denied("table", &info.name))
    }

    /// Fails unless this session's role has a right to a table.
    pub(crate) fn check_table_right(&mut self, info: &TableInfo, letter: char) -> Result<()> {
        if self.user.superuser || self.rights()?.has_on_table(info, letter) {
            return Ok(());
        }
        Err(denied(if info.kind == b'S' { "sequence" } else { "table" }, &info.name))
    }
}

/// Fails unless `rights` let be done what `node` does to the tables for which `role` answers.
pub(crate) fn check_plan(image: &Image, rights: &Rights, role: CheckAs, sql: &str, node: &Node) -> Result<()> {
    for used in uses(node).iter().filter(|u| u.table.check_as == role) {
        let kind = "table";
        if let TableSource::Catalog { .. } = used.table.source {
            let public = Acl::default_of("", "", "r");
            let acl = catalog_acl(used.table.oid).unwrap_or(public);
            if !acl.allows(&rights.names, used.letter) {
                return Err(denied(kind, &used.table.name));
            }
            continue;
        }
        let Some(info) = image.by_oid(used.table.oid) else { continue };
        // A session's own temporary schema is nobody's.
        if info.persistence != b't' && !rights.has_on_schema(image, info.namespace, 'U') {
            let schema = image.namespace_name(info.namespace);
            let written = format!("{}.{}", syntax::quote_ident(schema), syntax::quote_ident(&info.name));
            let at = sql.find(&written).map(|at| sql[..at].chars().count() as u32 + 1);
            return Err(denied("schema", schema).at(at));
        }
        let kind = match info.kind {
            b'S' => "sequence",
            b'v' => "view",
            b'm' => "materialized view",
            _ => kind,
        };
        let whole = used.letter == 'd' || used.letter == 'a' && used.columns.is_empty();
        let allowed = match whole {
            true => rights.has_on_table(info, used.letter),
            false => rights.has_on_columns(info, &used.columns, used.letter),
        };
        if !allowed {
            return Err(denied(kind, &info.name));
        }
    }
    Ok(())
}

/// Fails unless `rights` let these views be read.
pub(crate) fn check_readable(image: &Image, rights: &Rights, views: &[Oid]) -> Result<()> {
    for info in views.iter().filter_map(|v| image.by_oid(*v)) {
        if !rights.has_on_schema(image, info.namespace, 'U') {
            return Err(denied("schema", image.namespace_name(info.namespace)));
        }
        if !rights.has_on_columns(info, &[], 'r') {
            return Err(denied(if info.kind == b'S' { "sequence" } else { "view" }, &info.name));
        }
    }
    Ok(())
}

/// Fails unless `rights` let these functions be called.
pub(crate) fn check_execute(image: &Image, rights: &Rights, routines: &[Oid]) -> Result<()> {
    for info in routines.iter().filter_map(|r| image.function(*r)) {
        if !rights.has_on_schema(image, info.namespace, 'U') {
            return Err(denied("schema", image.namespace_name(info.namespace)));
        }
        let acl = info.acl.as_deref().and_then(parsed);
        if !rights.has("function", info.owner, acl.as_ref(), 'X') {
            let kind = match info.kind {
                b'p' => "procedure",
                b'a' => "aggregate",
                _ => "function",
            };
            return Err(denied(kind, &info.name));
        }
    }
    Ok(())
}

/// The grants of a table of `pg_catalog`.
pub(crate) fn catalog_acl(oid: Oid) -> Option<Acl> {
    let rows = catalog::rows::of(PG_CLASS).iter().map(|row| Fields { relation: PG_CLASS, row });
    rows.into_iter().find(|r| r.oid("oid") == oid).and_then(|r| Acl::of(r.get("relacl")))
}

impl Runtime {
    /// The roles that `role` is a member of by memberships that `counts`, itself first.
    pub(crate) fn reached(&self, role: Oid, counts: impl Fn(&Membership) -> bool) -> Result<Vec<Oid>> {
        let shared = self.all_shared()?;
        let members = &shared.memberships;
        let mut reached = vec![role];
        let mut next = 0;
        while next < reached.len() {
            let current = reached[next];
            next += 1;
            for m in members.iter().filter(|m| m.member == current && counts(m)) {
                if !reached.contains(&m.group) {
                    reached.push(m.group);
                }
            }
        }
        Ok(reached)
    }

    /// Whether the role called `user` is that called `group`, or a member of it, whatever the membership is good for. Being a superuser is
    /// not enough.
    ///
    /// # Errors
    /// What reading the catalog says.
    pub fn is_member(&self, user: &str, group: &str) -> Result<bool> {
        match (self.role(user)?, self.role(group)?) {
            (Some(user), Some(group)) => Ok(self.reached(user.oid, |_| true)?.contains(&group.oid)),
            _ => Ok(false),
        }
    }

    /// `pg_has_role`: whether `role` has one of the rights to role `group` that `privileges` list.
    ///
    /// # Errors
    /// For words that name none.
    pub(crate) fn has_role(&self, role: &Role, group: Oid, privileges: &str) -> Result<bool> {
        let mut any = role.superuser;
        for part in privileges.split(',').map(str::trim) {
            let upper = part.to_uppercase();
            let (word, option) = match upper.split_once(" WITH ") {
                Some((word, "GRANT OPTION" | "ADMIN OPTION")) => (word, true),
                _ => (&*upper, false),
            };
            let counts: fn(&Membership) -> bool = match word {
                "MEMBER" => |_| true,
                "USAGE" => |m| m.inherits,
                "SET" => |m| m.may_set,
                _ => {
                    let message = format!("unrecognized privilege type: \"{part}\"");
                    return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
                }
            };
            any |= match option {
                true => {
                    let (own, shared) = (self.reached(role.oid, |_| true)?, self.all_shared()?);
                    let members = &shared.memberships;
                    role.oid != group && members.iter().any(|m| m.group == group && m.admin && own.contains(&m.member))
                }
                false => self.reached(role.oid, counts)?.contains(&group),
            };
        }
        Ok(any)
    }

    /// The name of a role, or its OID where it is gone.
    pub(crate) fn role_name(&self, oid: Oid) -> Result<String> {
        Ok(self.role_by_oid(oid)?.map_or_else(|| oid.to_string(), |r| r.name.clone()))
    }
}

/// What a call of `has_..._privilege` asks for: letters, each with whether the right to grant it on is meant.
///
/// # Errors
/// `22023`.
pub(crate) fn asked(text: &str) -> Result<Vec<(char, bool)>> {
    let one = |part: &str| {
        let part = part.trim();
        let upper = part.to_uppercase();
        let (word, option) = upper.strip_suffix(" WITH GRANT OPTION").map_or((&*upper, false), |w| (w, true));
        letter(word).map(|l| (l, option)).ok_or_else(|| {
            SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("unrecognized privilege type: \"{part}\""))
        })
    };
    text.split(',').map(one).collect()
}

/// Whether `rights` hold on an object for one of the rights `asked` for.
pub(crate) fn any_of(rights: &Rights, kind: &str, owner: Oid, acl: Option<&Acl>, asked: &[(char, bool)]) -> bool {
    asked.iter().any(|&(l, option)| match option {
        false => rights.has(kind, owner, acl, l),
        true => rights.owns(owner) || acl.is_some_and(|a| !a.grantable(&rights.names, &l.to_string()).is_empty()),
    })
}

/// The grants of the current database, and its owner.
pub(crate) fn database_acl(row: Fields<'_>) -> (Oid, Option<Acl>) {
    (row.oid("datdba"), Acl::of(row.get("datacl")))
}
