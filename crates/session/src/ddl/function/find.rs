//! Functions as DROP, ALTER, GRANT and COMMENT name them.

use std::sync::Arc;

use binder::Proc;
use catalog::FunctionInfo;
use catalog::stored::{PG_AGGREGATE, PG_PROC};
use syntax::ast::{FunctionSig, ObjectKind, ParamMode};
use types::{Oid, Result, SqlError, SqlState, oid};

use super::super::depend::Address;
use super::super::notice;
use super::written;
use crate::session::{Session, Sink};

impl Session {
    /// The function that `sig` names; the message of what is wrong in words of `kind`.
    pub(in crate::ddl) fn find_function(
        &mut self,
        sql: &str,
        sig: &FunctionSig,
        kind: ObjectKind,
    ) -> Result<Arc<FunctionInfo>> {
        match self.look_up_function(sql, sig, kind)? {
            Some(oid) => {
                let image = self.image()?;
                let found = image.function(oid).cloned();
                found.ok_or_else(|| {
                    let word = if kind == ObjectKind::Aggregate { "aggregate" } else { "function" };
                    let name = sig.name.last().map_or("", |n| n.as_str());
                    let message = format!("permission denied: {word} {name} is required by the database system");
                    SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message)
                })
            }
            None => Err(self.no_function(sql, sig, kind)?),
        }
    }

    /// `42883` for a function that was named.
    pub(in crate::ddl) fn no_function(&mut self, sql: &str, sig: &FunctionSig, kind: ObjectKind) -> Result<SqlError> {
        let name = sig.name.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(".");
        let word = match kind {
            ObjectKind::Procedure => "procedure",
            ObjectKind::Aggregate => "aggregate",
            ObjectKind::Routine => "routine",
            _ => "function",
        };
        let Some(args) = &sig.args else {
            let message = format!("could not find a {word} named \"{name}\"");
            return Ok(SqlError::new(SqlState::UNDEFINED_FUNCTION, message));
        };
        let mut types = Vec::new();
        for param in args.iter().filter(|p| !matches!(p.mode, ParamMode::Out | ParamMode::Table)) {
            let ty = self.function_type(sql, &param.ty, true)?;
            types.push(self.type_shown(ty)?);
        }
        let list = if sig.star { "*".to_owned() } else { types.join(", ") };
        let message = format!("{word} {name}({list}) does not exist");
        Ok(SqlError::new(SqlState::UNDEFINED_FUNCTION, message))
    }

    /// OID of the function that `sig` names, built-in ones too.
    fn look_up_function(&mut self, sql: &str, sig: &FunctionSig, kind: ObjectKind) -> Result<Option<Oid>> {
        let name = sig.name.last().map_or("", |n| n.as_str());
        let schema = sig.name.len().checked_sub(2).map(|i| sig.name[i].as_str().to_owned());
        let mut types = None;
        if let Some(args) = &sig.args {
            let mut list = Vec::new();
            for param in args.iter().filter(|p| !matches!(p.mode, ParamMode::Out | ParamMode::Table)) {
                let ty = self.function_type(sql, &param.ty, true)?;
                list.push(ty);
            }
            types = Some(list);
        }
        let image = self.image()?;
        if let Some(schema) = &schema
            && image.namespace_in(schema, &self.search_path).is_none()
        {
            let message = format!("schema \"{schema}\" does not exist");
            return Err(SqlError::new(SqlState::INVALID_SCHEMA_NAME, message));
        }
        let mut procs = Proc::named(&image, schema.as_deref(), name, &self.search_path);
        let fits = |p: &Proc<'_>| match kind {
            ObjectKind::Function => p.kind() != b'p',
            ObjectKind::Procedure => p.kind() == b'p',
            ObjectKind::Aggregate => p.kind() == b'a',
            _ => true,
        };
        let shown = |types: &[Oid]| {
            let names = binder::Names { image: &image, search_path: &self.search_path };
            let list: Vec<String> = types.iter().map(|&t| types::io::TypeLookup::type_name(&names, t)).collect();
            format!("{name}({})", list.join(", "))
        };
        if let Some(types) = &types {
            procs.retain(|p| p.args() == &types[..]);
            return match procs.first() {
                None => Ok(None),
                Some(p) if fits(p) => Ok(Some(p.oid())),
                Some(p) => {
                    let shown = shown(p.args());
                    let message = match kind {
                        ObjectKind::Procedure => format!("{shown} is not a procedure"),
                        ObjectKind::Aggregate => format!("function {shown} is not an aggregate"),
                        _ => format!("{shown} is not a function"),
                    };
                    Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message))
                }
            };
        }
        let all = procs.len();
        procs.retain(|p| fits(p));
        match &procs[..] {
            [one] => Ok(Some(one.oid())),
            [] if all > 0 => {
                let message = match kind {
                    ObjectKind::Procedure => format!("could not find a procedure named \"{name}\""),
                    ObjectKind::Aggregate => format!("could not find an aggregate named \"{name}\""),
                    _ => format!("could not find a function named \"{name}\""),
                };
                Err(SqlError::new(SqlState::UNDEFINED_FUNCTION, message))
            }
            [] => Ok(None),
            _ => {
                let word = match kind {
                    ObjectKind::Procedure => "procedure",
                    ObjectKind::Aggregate => "aggregate",
                    ObjectKind::Routine => "routine",
                    _ => "function",
                };
                let message = format!("{word} name \"{name}\" is not unique");
                Err(SqlError::new(SqlState::AMBIGUOUS_FUNCTION, message)
                    .hint(format!("Specify the argument list to select the {word} unambiguously.")))
            }
        }
    }

    /// The function that DROP means; `None` when there is none and that passes.
    pub(in crate::ddl) fn find_function_to_drop(
        &mut self,
        sql: &str,
        sig: &FunctionSig,
        kind: ObjectKind,
        if_exists: bool,
        sink: &mut dyn Sink,
    ) -> Result<Option<Address>> {
        let missing = |session: &mut Session, e: &SqlError| {
            let plain = matches!(
                e.state(),
                SqlState::UNDEFINED_OBJECT | SqlState::INVALID_SCHEMA_NAME | SqlState::UNDEFINED_FUNCTION
            );
            let _ = session;
            plain && if_exists
        };
        let found = match self.look_up_function(sql, sig, kind) {
            Ok(Some(oid)) => oid,
            Ok(None) => {
                if !if_exists {
                    return Err(self.no_function(sql, sig, kind)?);
                }
                let name = sig.name.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(".");
                let list: Vec<String> = sig.args.iter().flatten().map(|p| written(&p.ty)).collect();
                let word = match kind {
                    ObjectKind::Procedure => "procedure",
                    ObjectKind::Aggregate => "aggregate",
                    ObjectKind::Routine => "routine",
                    _ => "function",
                };
                let told = format!("{word} {name}({}) does not exist, skipping", list.join(","));
                notice(sink, SqlState::SUCCESSFUL_COMPLETION, told);
                return Ok(None);
            }
            Err(e) if missing(self, &e) => {
                let told = format!("{}, skipping", e.message());
                notice(sink, SqlState::SUCCESSFUL_COMPLETION, told);
                return Ok(None);
            }
            Err(e) => return Err(e),
        };
        let image = self.image()?;
        let Some(info) = image.function(found).cloned() else {
            let names = binder::Names { image: &image, search_path: &self.search_path };
            let shown = types::io::TypeLookup::reg_out(&names, oid::REGPROCEDURE, found).unwrap_or_default();
            let message = format!("cannot drop function {shown} because it is required by the database system");
            return Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message));
        };
        if info.kind == b'a' && kind != ObjectKind::Aggregate {
            let message = format!("\"{}\" is an aggregate function", info.name);
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message)
                .hint("Use DROP AGGREGATE to drop aggregate functions."));
        }
        self.check_function_owner(&info)?;
        Ok(Some(Address::function(found)))
    }

    /// Takes a function out of the catalog.
    pub(in crate::ddl) fn remove_function(&mut self, function: Oid) -> Result<()> {
        self.remove_rows(PG_AGGREGATE, |r| r.oid("aggfnoid") == function)?;
        self.remove_rows(PG_PROC, |r| r.oid("oid") == function)?;
        Ok(())
    }
}
