//! `Bodies`: functions that users made, as running statements ask for them; planned once per catalog version.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use catalog::{FunctionInfo, Image};
use exec::{Body, BodyResult, BodyStatement, placed};
use plan::Routine;
use storage::{Database, Lsn};
use types::{IoSettings, Oid, Result, SqlError};

use crate::basis::Basis;
use crate::planning::Known;
use crate::privilege::{Rights, check_execute, check_plan, check_readable};
use crate::runtime::{DbCatalog, Role, Runtime};
use crate::session::Session;

/// A body, by what it was planned for: the call, and where names were looked up.
type Planned = (Routine, Vec<Oid>, Arc<Body>);

/// Bodies planned from one state of the catalog and the settings.
#[derive(Default)]
pub(crate) struct BodyCache {
    basis: Option<Basis>,
    bodies: HashMap<Oid, Vec<Planned>>,
}

/// How many ways of calling one function are kept.
const CALLS_KEPT_MAX: usize = 16;

/// What [`exec::Routines`] is made from.
pub(crate) struct Bodies<'a> {
    pub runtime: &'a Arc<Runtime>,
    pub db: &'a Arc<Database>,
    pub catalog: &'a DbCatalog,
    pub image: &'a Arc<Image>,
    /// What `image` is.
    pub basis: Basis,
    pub search_path: &'a [Oid],
    pub io: &'a IoSettings,
    pub trusted: bool,
    pub cache: &'a RefCell<BodyCache>,
}

/// The schemas that a `SET search_path` of a function names.
fn own_path(info: &FunctionInfo, image: &Image, user: &str) -> Option<Vec<Oid>> {
    let value = info.config.iter().find_map(|c| c.strip_prefix("search_path="))?;
    let names = crate::settings::path_names(value);
    let find = |name: &String| image.namespace(if name == "$user" { user } else { name }).map(|n| n.oid);
    Some(names.iter().filter_map(find).collect())
}

impl Bodies<'_> {
    fn role(&self, name: &str) -> Result<Arc<Role>> {
        self.runtime.role(name)?.ok_or_else(|| SqlError::internal(format!("role \"{name}\" is gone")))
    }

    fn planned(&self, info: &FunctionInfo, routine: &Routine, path: &[Oid]) -> Result<(Body, Vec<Oid>, Vec<Oid>)> {
        let bound = binder::bind_body(self.image, self.io, path, info, routine).map_err(|(number, e)| {
            let place = match number {
                0 => "during startup".to_owned(),
                n => format!("statement {n}"),
            };
            placed(e, &binder::source_of(info).text).context(format!("SQL function \"{}\" {place}", info.name))
        })?;
        let known = Known { image: self.image, db: self.db, settings: None };
        let (mut views, mut routines) = (Vec::new(), Vec::new());
        let mut statements = Vec::with_capacity(bound.statements.len());
        for statement in bound.statements {
            views.extend(statement.views);
            routines.extend(statement.routines);
            let node = Arc::new(optimizer::optimize(statement.node, &known));
            let tables = node.stored_tables();
            statements.push(BodyStatement { writes: node.writes(), node, tables, word: statement.word });
        }
        let result = match bound.returns {
            binder::Returns::Nothing => BodyResult::Nothing,
            binder::Returns::Value => BodyResult::Value,
            binder::Returns::Row => BodyResult::Row,
        };
        let body = Body {
            source: binder::source_of(info).text,
            statements,
            result,
            volatile: info.volatility == b'v',
            definer: info.security_definer.then_some(info.owner),
        };
        Ok((body, views, routines))
    }
}

impl exec::Routines for Bodies<'_> {
    fn body(&self, routine: &Routine, user: &str) -> Result<Arc<Body>> {
        let Some(info) = self.image.function(routine.oid) else {
            return Err(SqlError::internal(format!("cache lookup failed for function {}", routine.oid)));
        };
        let path = own_path(info, self.image, user).unwrap_or_else(|| self.search_path.to_vec());
        let superuser = self.trusted || {
            let role = match info.security_definer {
                true => self.runtime.role_by_oid(info.owner)?,
                false => Some(self.role(user)?),
            };
            role.is_some_and(|r| r.superuser)
        };
        {
            let mut cache = self.cache.borrow_mut();
            if cache.basis != Some(self.basis) {
                *cache = BodyCache { basis: Some(self.basis), bodies: HashMap::new() };
            }
            let found = cache.bodies.get(&routine.oid).filter(|_| superuser);
            if let Some((_, _, body)) = found.and_then(|l| l.iter().find(|p| p.0 == *routine && p.1 == path)) {
                return Ok(body.clone());
            }
        }
        let (body, views, routines) = self.planned(info, routine, &path)?;
        if !superuser {
            let role = match info.security_definer {
                true => self.runtime.role_by_oid(info.owner)?,
                false => Some(self.role(user)?),
            };
            let Some(role) = role else { return Err(SqlError::internal("a function without owner")) };
            let rights = Rights::of(self.runtime, &role)?;
            let told =
                |e: SqlError, number: usize| e.context(format!("SQL function \"{}\" statement {number}", info.name));
            check_readable(self.image, &rights, &views).map_err(|e| told(e, 1))?;
            check_execute(self.image, &rights, &routines).map_err(|e| told(e, 1))?;
            for (i, statement) in body.statements.iter().enumerate() {
                check_plan(self.image, &rights, plan::CheckAs::Session, &body.source, &statement.node)
                    .map_err(|e| told(placed(e, &body.source), i + 1))?;
            }
        }
        let body = Arc::new(body);
        let mut cache = self.cache.borrow_mut();
        let list = cache.bodies.entry(routine.oid).or_default();
        if list.len() >= CALLS_KEPT_MAX {
            list.remove(0);
        }
        list.push((routine.clone(), path, body.clone()));
        Ok(body)
    }

    fn newest(&self) -> Lsn {
        self.runtime.engine().shared().txns.visible()
    }

    fn is_current(&self) -> bool {
        self.basis.has_changes() || self.catalog.version() == self.basis.version()
    }
}

impl Session {
    /// Fails unless this session's role may call these functions.
    pub(crate) fn check_routines(&self, image: &Image, routines: &[Oid]) -> Result<()> {
        if self.user.superuser || self.trusted || routines.is_empty() {
            return Ok(());
        }
        check_execute(image, &self.rights()?, routines)
    }
}
