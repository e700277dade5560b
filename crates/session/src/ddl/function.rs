//! CREATE, ALTER and DROP FUNCTION and PROCEDURE.

mod attributes;
mod find;

use binder::Binder;
use catalog::FunctionInfo;
use catalog::function::{INTERNAL_LANGUAGE, SQL_LANGUAGE};
use catalog::stored::{PG_NAMESPACE, PG_PROC, numbers};
use plan::Routine;
use syntax::ast::{
    AlterFunction, CreateFunction, FunctionBody, FunctionParam, FunctionSig, ObjectKind, ParamMode, TypeName,
};
use types::array::Array;
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use super::depend::Address;
use crate::session::Session;
use attributes::Attributes;

/// `42P13`.
fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_FUNCTION_DEFINITION, message)
}

/// Types that stand for others, `internal` and its kin.
pub(super) fn is_pseudo(ty: Oid) -> bool {
    catalog::builtin::type_by_oid(ty).is_some_and(|t| t.kind == b'p')
}

pub(super) fn is_polymorphic(ty: Oid) -> bool {
    matches!(
        ty,
        oid::ANYELEMENT
            | oid::ANYARRAY
            | oid::ANYNONARRAY
            | oid::ANYENUM
            | oid::ANYRANGE
            | oid::ANYCOMPATIBLE
            | oid::ANYCOMPATIBLEARRAY
            | oid::ANYCOMPATIBLENONARRAY
    )
}

fn is_compatible(ty: Oid) -> bool {
    matches!(ty, oid::ANYCOMPATIBLE | oid::ANYCOMPATIBLEARRAY | oid::ANYCOMPATIBLENONARRAY)
}

/// A type's name as it was written.
fn written(ty: &TypeName) -> String {
    let name = ty.names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(".");
    if ty.array_bounds.is_empty() { name } else { name + "[]" }
}

/// What is known of the parameters of a function to be made.
#[derive(Default)]
struct Parameters {
    args: Vec<Oid>,
    all: Vec<Oid>,
    modes: Vec<u8>,
    names: Vec<String>,
    defaults: Vec<String>,
    variadic: Oid,
    outputs: Vec<(String, Oid)>,
}

impl Session {
    /// The type of a parameter or result; the message when it does not exist has its own form.
    fn function_type(&mut self, sql: &str, ty: &TypeName, quoted: bool) -> Result<Oid> {
        let image = self.image()?;
        let binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
        let plain = TypeName { setof: false, ..ty.clone() };
        if plain.pct_type {
            return self.column_type(sql, &plain);
        }
        binder.type_name(&plain).map(|t| t.0).map_err(|e| {
            if e.state() != SqlState::UNDEFINED_OBJECT {
                return e;
            }
            let name = ty.names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(".");
            if quoted {
                return SqlError::new(SqlState::UNDEFINED_OBJECT, format!("type \"{name}\" does not exist"));
            }
            let message = format!("type {} does not exist", written(ty));
            SqlError::new(SqlState::UNDEFINED_OBJECT, message).at(ty.pos.char_position(sql))
        })
    }

    /// `table.column%TYPE`.
    fn column_type(&mut self, sql: &str, ty: &TypeName) -> Result<Oid> {
        let [table @ .., column] = &ty.names[..] else { return Err(SqlError::internal("%TYPE has a name")) };
        let range = super::drop::range_of(&table.to_vec()).ok_or_else(|| {
            let message = format!("improper %TYPE reference (too few dotted names): {}", column.as_str());
            SqlError::new(SqlState::SYNTAX_ERROR, message).at(ty.pos.char_position(sql))
        })?;
        let info = self.relation(sql, &range, storage::lock::Mode::AccessShare)?;
        Ok(info.columns[super::alter::column_of(&info, column)?].ty)
    }

    fn parameters(&mut self, sql: &str, create: &CreateFunction) -> Result<Parameters> {
        let mut found = Parameters::default();
        let (mut any_mode, mut any_name) = (false, false);
        let mut variadic_seen = false;
        for param in &create.params {
            let at = param.pos.char_position(sql);
            let ty = self.function_type(sql, &param.ty, false)?;
            if param.ty.setof {
                let kind = if create.procedure { "procedures" } else { "functions" };
                return Err(invalid(format!("{kind} cannot accept set arguments")).at(at));
            }
            let (mode, input, output) = match param.mode {
                ParamMode::Default | ParamMode::In => (b'i', true, false),
                ParamMode::Out => (b'o', false, true),
                ParamMode::InOut => (b'b', true, true),
                ParamMode::Variadic => (b'v', true, false),
                ParamMode::Table => (b't', false, true),
            };
            if input {
                if variadic_seen {
                    return Err(invalid("VARIADIC parameter must be the last input parameter").at(at));
                }
                found.args.push(ty);
            }
            if mode == b'v' {
                variadic_seen = true;
                found.variadic = match ty {
                    oid::ANY => oid::ANY,
                    oid::ANYARRAY => oid::ANYELEMENT,
                    oid::ANYCOMPATIBLEARRAY => oid::ANYCOMPATIBLE,
                    ty => types::io::builtin_element(ty)
                        .ok_or_else(|| invalid("VARIADIC parameter must be an array").at(at))?,
                };
            }
            if output {
                found.outputs.push((param.name.as_ref().map_or(String::new(), |n| n.as_str().to_owned()), ty));
            }
            if let Some(name) = &param.name {
                let twice = |other: &&FunctionParam| {
                    let apart = |a: ParamMode, b: ParamMode| {
                        let inward = |m| matches!(m, ParamMode::Default | ParamMode::In | ParamMode::Variadic);
                        let outward = |m| matches!(m, ParamMode::Out | ParamMode::Table);
                        inward(a) && outward(b) || outward(a) && inward(b)
                    };
                    other.name.as_ref().is_some_and(|n| n.as_str() == name.as_str()) && !apart(other.mode, param.mode)
                };
                let before = create.params.iter().take_while(|p| !std::ptr::eq(*p, param));
                if before.into_iter().any(|p| twice(&p)) {
                    return Err(invalid(format!("parameter name \"{}\" used more than once", name.as_str())).at(at));
                }
            }
            any_mode |= mode != b'i';
            any_name |= param.name.is_some();
            found.all.push(ty);
            found.modes.push(mode);
            found.names.push(param.name.as_ref().map_or(String::new(), |n| n.as_str().to_owned()));
            if let Some(default) = &param.default {
                if !input {
                    return Err(invalid("only input parameters can have default values").at(at));
                }
                let image = self.image()?;
                let mut binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
                found.defaults.push(binder.argument_default(default, ty)?);
            } else if input && !found.defaults.is_empty() {
                let message = "input parameters after one with a default value must also have defaults";
                return Err(invalid(message).at(at));
            }
        }
        if !any_mode {
            found.modes.clear();
        }
        if !any_name {
            found.names.clear();
        }
        Ok(found)
    }

    /// What a function returns, and whether rows of it.
    fn returned(&mut self, sql: &str, create: &CreateFunction, p: &Parameters) -> Result<(Oid, bool)> {
        let by_outputs = match &p.outputs[..] {
            [] => None,
            [one] if !create.procedure => Some(one.1),
            _ => Some(oid::RECORD),
        };
        if create.procedure {
            return Ok((by_outputs.unwrap_or(oid::VOID), false));
        }
        if create.returns_table {
            return Ok((by_outputs.unwrap_or(oid::RECORD), true));
        }
        let Some(returns) = &create.returns else {
            return by_outputs.map(|ty| (ty, false)).ok_or_else(|| invalid("function result type must be specified"));
        };
        let ty = self.function_type(sql, returns, true)?;
        if let Some(wanted) = by_outputs
            && wanted != ty
        {
            let shown = self.type_shown(wanted)?;
            return Err(invalid(format!("function result type must be {shown} because of OUT parameters")));
        }
        Ok((ty, returns.setof))
    }

    pub(super) fn type_shown(&mut self, ty: Oid) -> Result<String> {
        let image = self.image()?;
        let names = binder::Names { image: &image, search_path: &self.search_path };
        Ok(types::io::TypeLookup::type_name(&names, ty))
    }

    /// OID of a language.
    ///
    /// # Errors
    /// `42704`.
    pub(super) fn language(&self, name: &str) -> Result<Oid> {
        let lower = name.to_lowercase();
        match &*lower {
            "sql" => Ok(SQL_LANGUAGE),
            "internal" => Ok(INTERNAL_LANGUAGE),
            "c" => Err(SqlError::unsupported("LANGUAGE C")),
            _ => {
                let e = SqlError::new(SqlState::UNDEFINED_OBJECT, format!("language \"{lower}\" does not exist"));
                let hint = "Use CREATE EXTENSION to load the language into the database.";
                Err(if lower == "plpgsql" { e.hint(hint) } else { e })
            }
        }
    }

    pub(crate) fn create_function(&mut self, sql: &str, create: &CreateFunction) -> Result<String> {
        let word = if create.procedure { "PROCEDURE" } else { "FUNCTION" };
        let tag = format!("CREATE {word}");
        let range = super::drop::range_of(&create.name).ok_or_else(|| SqlError::internal("a function has a name"))?;
        let namespace = self.target_namespace(sql, &range)?;
        let name = range.name.as_str().to_owned();
        let attributes = Attributes::of(&create.options, create.procedure, sql)?;
        let language = match (&attributes.language, &create.body) {
            (Some(name), _) => self.language(name)?,
            (None, Some(_)) => SQL_LANGUAGE,
            (None, None) => return Err(invalid("no language specified")),
        };
        if attributes.window {
            return Err(SqlError::unsupported("WINDOW functions of users"));
        }
        let parameters = self.parameters(sql, create)?;
        let (result, returns_set) = self.returned(sql, create, &parameters)?;
        self.check_polymorphism(&parameters, result)?;
        let rows = match (attributes.rows, returns_set) {
            (Some(_), false) => {
                let message = "ROWS is not applicable when function does not return a set";
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
            }
            (rows, true) => rows.unwrap_or(1000.0),
            (None, false) => 0.0,
        };
        let source = match (&attributes.source, &create.body) {
            (Some(_), Some(_)) => return Err(invalid("duplicate function body specified")),
            (None, None) => return Err(invalid("no function body specified")),
            (Some(list), None) => {
                if list.len() > 1 {
                    return Err(invalid("only one AS item needed for language \"sql\""));
                }
                list.first().cloned().unwrap_or_default()
            }
            (None, Some(_)) if language != SQL_LANGUAGE => {
                return Err(invalid("inline SQL function body only valid for language SQL"));
            }
            (None, Some(_)) => String::new(),
        };
        if language == INTERNAL_LANGUAGE && !catalog::builtin::PROCS.iter().any(|p| p.source == source) {
            let message = format!("there is no built-in function named \"{source}\"");
            return Err(SqlError::new(SqlState::UNDEFINED_FUNCTION, message));
        }
        if language == SQL_LANGUAGE {
            self.check_sql_types(&parameters, result)?;
        }
        self.lock_name(PG_PROC, namespace, &name)?;
        let default_cost = if language == INTERNAL_LANGUAGE { 1.0 } else { 100.0 };
        let mut info = FunctionInfo {
            oid: Oid::NONE,
            name: name.clone(),
            namespace,
            owner: self.user.oid,
            language,
            kind: if create.procedure { b'p' } else { b'f' },
            security_definer: attributes.definer.unwrap_or(false),
            leakproof: attributes.leakproof.unwrap_or(false),
            strict: attributes.strict.unwrap_or(false),
            returns_set,
            volatility: attributes.volatility.unwrap_or(b'v'),
            parallel: attributes.parallel.unwrap_or(b'u'),
            estimates: (attributes.cost.unwrap_or(default_cost), rows),
            default_count: parameters.defaults.len(),
            defaults: parameters.defaults.join(", "),
            args: parameters.args.clone(),
            all_args: parameters.all.clone(),
            modes: parameters.modes.clone(),
            names: parameters.names.clone(),
            variadic: parameters.variadic,
            result,
            source: source.as_str().into(),
            body: None,
            config: attributes.config.iter().filter_map(|(n, v)| v.as_ref().map(|v| format!("{n}={v}"))).collect(),
            acl: None,
        };
        if info.leakproof && !self.user.superuser {
            let message = "only superuser can define a leakproof function";
            return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
        }
        if let Some(body) = &create.body {
            let text = self.body_text(sql, body, &info)?;
            info.body = Some(text.into());
        }
        let old = {
            let image = self.image()?;
            image.functions_named(&name).find(|f| f.namespace == namespace && f.args == info.args).cloned()
        };
        if let Some(old) = &old {
            self.check_replacement(create, &info, old)?;
        }
        self.keep_function(&mut info, old.as_deref(), &parameters)?;
        if language == SQL_LANGUAGE && self.setting("check_function_bodies")? == "on" {
            self.validate_function(sql, &info)?;
        }
        Ok(tag)
    }

    fn check_polymorphism(&mut self, p: &Parameters, result: Oid) -> Result<()> {
        let outputs = p.outputs.iter().map(|o| o.1);
        for ty in outputs.chain([result]).filter(|t| is_polymorphic(*t)) {
            let compatible = is_compatible(ty);
            if p.args.iter().any(|a| is_polymorphic(*a) && is_compatible(*a) == compatible) {
                continue;
            }
            let shown = self.type_shown(ty)?;
            let detail = if compatible {
                format!(
                    "A result of type {shown} requires at least one input of type anycompatible, anycompatiblearray, anycompatiblenonarray, anycompatiblerange, or anycompatiblemultirange."
                )
            } else {
                format!(
                    "A result of type {shown} requires at least one input of type anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange."
                )
            };
            return Err(invalid("cannot determine result data type").detail(detail));
        }
        if result == oid::INTERNAL && !p.args.contains(&oid::INTERNAL) {
            return Err(invalid("unsafe use of pseudo-type \"internal\"")
                .detail("A function returning \"internal\" must have at least one \"internal\" argument."));
        }
        Ok(())
    }

    fn check_sql_types(&mut self, p: &Parameters, result: Oid) -> Result<()> {
        if is_pseudo(result) && !is_polymorphic(result) && !matches!(result, oid::VOID | oid::RECORD) {
            return Err(invalid(format!("SQL functions cannot return type {}", self.type_shown(result)?)));
        }
        for &ty in &p.args {
            if is_pseudo(ty) && !is_polymorphic(ty) {
                return Err(invalid(format!("SQL functions cannot have arguments of type {}", self.type_shown(ty)?)));
            }
        }
        Ok(())
    }

    /// What stands in the way of `new` taking the place of `old`.
    fn check_replacement(&mut self, create: &CreateFunction, new: &FunctionInfo, old: &FunctionInfo) -> Result<()> {
        if !create.or_replace {
            let message = format!("function \"{}\" already exists with same argument types", new.name);
            return Err(SqlError::new(SqlState::DUPLICATE_FUNCTION, message));
        }
        self.check_function_owner(old)?;
        if old.kind != new.kind {
            let kind = match old.kind {
                b'a' => "an aggregate function",
                b'p' => "a procedure",
                b'w' => "a window function",
                _ => "a function",
            };
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, "cannot change routine kind")
                .detail(format!("\"{}\" is {kind}.", old.name)));
        }
        let shown = self.signature(old)?;
        let word = if old.kind == b'p' { "PROCEDURE" } else { "FUNCTION" };
        let hint = format!("Use DROP {word} {shown} first.");
        if old.result != new.result || old.returns_set != new.returns_set {
            let message = match old.kind {
                b'p' => "cannot change whether a procedure has output parameters",
                _ => "cannot change return type of existing function",
            };
            return Err(invalid(message).hint(hint));
        }
        if new.result == oid::RECORD && old.outputs() != new.outputs() {
            return Err(invalid("cannot change return type of existing function")
                .detail("Row type defined by OUT parameters is different.")
                .hint(hint));
        }
        let (before, after) = (old.input_names(), new.input_names());
        for (was, is) in before.iter().zip(&after) {
            if !was.is_empty() && was != is {
                return Err(invalid(format!("cannot change name of input parameter \"{was}\"")).hint(hint));
            }
        }
        if new.default_count < old.default_count {
            return Err(invalid("cannot remove parameter defaults from existing function").hint(hint));
        }
        Ok(())
    }

    /// `name(type,type)`, qualified where it must be.
    pub(super) fn signature(&mut self, info: &FunctionInfo) -> Result<String> {
        let image = self.image()?;
        let names = binder::Names { image: &image, search_path: &self.search_path };
        let shown = types::io::TypeLookup::reg_out(&names, oid::REGPROCEDURE, info.oid);
        Ok(shown.unwrap_or_else(|| info.name.clone()))
    }

    pub(super) fn check_function_owner(&self, info: &FunctionInfo) -> Result<()> {
        if self.user.superuser || info.owner == self.user.oid {
            return Ok(());
        }
        let kind = match info.kind {
            b'p' => "procedure",
            b'a' => "aggregate",
            _ => "function",
        };
        let message = format!("must be owner of {kind} {}", info.name);
        Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message))
    }

    /// The values of a row of `pg_proc`.
    pub(super) fn function_values(info: &FunctionInfo) -> Vec<(&'static str, Datum)> {
        let code = |c: u8| Datum::I8(c.cast_signed());
        let oids = |ty: Oid, list: &[Oid]| numbers(ty, &list.iter().map(|o| o.0).collect::<Vec<_>>());
        let texts = |list: &[String]| match list {
            [] => Datum::Null,
            list => Array::one_dimensional(oid::TEXT, list.iter().map(|s| Datum::text(s)).collect()).to_datum(),
        };
        let modes = match &info.modes[..] {
            [] => Datum::Null,
            list => Array::one_dimensional(oid::CHAR, list.iter().map(|c| code(*c)).collect()).to_datum(),
        };
        let all = if info.modes.is_empty() { Datum::Null } else { oids(oid::OID_ARRAY, &info.all_args) };
        let defaults = if info.default_count == 0 { Datum::Null } else { Datum::text(&info.defaults) };
        vec![
            ("oid", Datum::from(info.oid)),
            ("proname", Datum::text(&info.name)),
            ("pronamespace", Datum::from(info.namespace)),
            ("proowner", Datum::from(info.owner)),
            ("prolang", Datum::from(info.language)),
            ("procost", Datum::F32(info.estimates.0)),
            ("prorows", Datum::F32(info.estimates.1)),
            ("provariadic", Datum::from(info.variadic)),
            ("prokind", code(info.kind)),
            ("prosecdef", Datum::Bool(info.security_definer)),
            ("proleakproof", Datum::Bool(info.leakproof)),
            ("proisstrict", Datum::Bool(info.strict)),
            ("proretset", Datum::Bool(info.returns_set)),
            ("provolatile", code(info.volatility)),
            ("proparallel", code(info.parallel)),
            ("pronargs", Datum::I16(info.args.len() as i16)),
            ("pronargdefaults", Datum::I16(info.default_count as i16)),
            ("prorettype", Datum::from(info.result)),
            ("proargtypes", oids(oid::OIDVECTOR, &info.args)),
            ("proallargtypes", all),
            ("proargmodes", modes),
            ("proargnames", texts(&info.names)),
            ("proargdefaults", defaults),
            ("prosrc", Datum::text(&info.source)),
            ("prosqlbody", info.body.as_ref().map_or(Datum::Null, |b| Datum::text(b))),
            ("proconfig", texts(&info.config)),
        ]
    }

    /// Adds or replaces a function's row, and what it depends on.
    fn keep_function(&mut self, info: &mut FunctionInfo, old: Option<&FunctionInfo>, p: &Parameters) -> Result<()> {
        match old {
            Some(old) => {
                (info.oid, info.owner) = (old.oid, old.owner);
                let oid = old.oid;
                self.change_rows(PG_PROC, |r| r.oid("oid") == oid, &Session::function_values(info))?;
                self.forget_dependencies(Address::function(oid))?;
            }
            None => {
                info.oid = self.new_oid()?;
                self.add_row(PG_PROC, &Session::function_values(info))?;
            }
        }
        let own = Address::function(info.oid);
        self.depend(own, Address::schema(info.namespace), b'n')?;
        let mut types: Vec<Oid> = p.all.clone();
        types.push(info.result);
        types.sort_unstable();
        types.dedup();
        for ty in types {
            self.depend_on(own, ty)?;
        }
        let text = format!("{} {}", info.defaults, info.body.as_deref().unwrap_or_default());
        self.depend_on_text(own, &text)
    }

    /// Notes that `own` needs a user's type.
    pub(super) fn depend_on(&mut self, own: Address, ty: Oid) -> Result<()> {
        if !ty.is_user_type() {
            return Ok(());
        }
        self.depend(own, Address::type_of(ty.user_element().unwrap_or(ty)), b'n')
    }

    /// The kept form of a body of SQL's own kind.
    fn body_text(&mut self, sql: &str, body: &FunctionBody, info: &FunctionInfo) -> Result<String> {
        let image = self.image()?;
        match body {
            FunctionBody::Return(e, _) => {
                let mut binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
                let names = info.input_names().into_iter().map(str::to_owned).collect();
                binder.for_function(&info.name, names, info.args.clone());
                let text = binder.return_text(e)?;
                Ok(format!("RETURN\nSELECT {text}"))
            }
            FunctionBody::Atomic(statements, span) => {
                let path: Vec<String> = self.search_path.iter().map(Oid::to_string).collect();
                let texts: Vec<&str> = statements.iter().map(|s| s.span.text(sql)).collect();
                let texts: Vec<String> = texts
                    .into_iter()
                    .map(|t| match t.get(..7) {
                        Some(word) if word.eq_ignore_ascii_case("return ") => format!("SELECT {}", &t[7..]),
                        _ => t.to_owned(),
                    })
                    .collect();
                let _ = span;
                let head = if path.is_empty() { "ATOMIC".to_owned() } else { format!("ATOMIC {}", path.join(" ")) };
                Ok(format!("{head}\n{}", texts.join(";\n")))
            }
        }
    }

    /// Binds a function's body as CREATE does.
    fn validate_function(&mut self, sql: &str, info: &FunctionInfo) -> Result<()> {
        let source = binder::source_of(info);
        let told = |e: SqlError| transposed(e, sql, &source.text, info);
        if info.args.iter().any(|a| is_polymorphic(*a)) {
            return syntax::parse(&source.text).map(|_| ()).map_err(told);
        }
        let image = self.image()?;
        let outputs = info.outputs();
        let columns: Vec<(String, Oid, i32)> = match outputs.len() {
            2.. => outputs.into_iter().map(|(n, t)| (n, t, -1)).collect(),
            1 if info.kind == b'p' => outputs.into_iter().map(|(n, t)| (n, t, -1)).collect(),
            _ => image.fields_of(info.result).unwrap_or_default(),
        };
        let routine = Routine {
            oid: info.oid,
            namespace: info.namespace,
            name: info.name.clone(),
            volatility: info.volatility,
            strict: info.strict,
            returns_set: info.returns_set,
            args: info.args.clone(),
            result: info.result,
            columns,
        };
        let bound = binder::bind_body(&image, &self.settings.io, &self.search_path, info, &routine);
        let bound = bound.map_err(|(_, e)| told(e))?;
        if info.body.as_ref().is_some_and(|b| b.starts_with("ATOMIC")) {
            let own = Address::function(info.oid);
            for statement in &bound.statements {
                let node = self.optimized(statement.node.clone())?;
                self.depend_on_plan(own, &node, &statement.views, &statement.routines)?;
            }
        }
        Ok(())
    }

    pub(crate) fn alter_function(&mut self, sql: &str, alter: &AlterFunction) -> Result<String> {
        let tag = format!("ALTER {}", alter.kind.as_str());
        let info = self.find_function(sql, &alter.function, alter.kind)?;
        self.check_function_owner(&info)?;
        if info.kind == b'a' {
            let message = format!("\"{}\" is an aggregate function", info.name);
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        let a = Attributes::of(&alter.options, info.kind == b'p', sql)?;
        let mut values: Vec<(&str, Datum)> = Vec::new();
        let code = |c: u8| Datum::I8(c.cast_signed());
        values.extend(a.volatility.map(|v| ("provolatile", code(v))));
        values.extend(a.strict.map(|v| ("proisstrict", Datum::Bool(v))));
        values.extend(a.definer.map(|v| ("prosecdef", Datum::Bool(v))));
        if a.leakproof == Some(true) && !self.user.superuser {
            let message = "only superuser can define a leakproof function";
            return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
        }
        values.extend(a.leakproof.map(|v| ("proleakproof", Datum::Bool(v))));
        values.extend(a.cost.map(|v| ("procost", Datum::F32(v))));
        if a.rows.is_some() && !info.returns_set {
            let message = "ROWS is not applicable when function does not return a set";
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
        }
        values.extend(a.rows.map(|v| ("prorows", Datum::F32(v))));
        values.extend(a.parallel.map(|v| ("proparallel", code(v))));
        if a.reset_all || !a.config.is_empty() {
            let mut config = if a.reset_all { Vec::new() } else { info.config.clone() };
            for (name, value) in &a.config {
                config.retain(|c| !c.starts_with(&format!("{name}=")));
                config.extend(value.as_ref().map(|v| format!("{name}={v}")));
            }
            let datum = match &config[..] {
                [] => Datum::Null,
                list => Array::one_dimensional(oid::TEXT, list.iter().map(|s| Datum::text(s)).collect()).to_datum(),
            };
            values.push(("proconfig", datum));
        }
        let oid = info.oid;
        self.change_rows(PG_PROC, |r| r.oid("oid") == oid, &values)?;
        Ok(tag)
    }

    /// Fails when a schema has another function of the same name and arguments.
    fn check_free(&mut self, info: &FunctionInfo, namespace: Oid, name: &str) -> Result<()> {
        self.lock_name(PG_PROC, namespace, name)?;
        let image = self.image()?;
        let taken = image.functions_named(name).any(|f| f.namespace == namespace && f.args == info.args);
        if !taken {
            return Ok(());
        }
        let mut types = Vec::new();
        for &ty in &info.args {
            types.push(self.type_shown(ty)?);
        }
        let schema = image.namespace_name(namespace);
        let message = format!("function {name}({}) already exists in schema \"{schema}\"", types.join(", "));
        Err(SqlError::new(SqlState::DUPLICATE_FUNCTION, message))
    }

    /// ALTER FUNCTION ... RENAME TO.
    pub(super) fn rename_function(&mut self, sql: &str, sig: &FunctionSig, kind: ObjectKind, new: &str) -> Result<()> {
        let info = self.find_function(sql, sig, kind)?;
        self.check_function_owner(&info)?;
        self.check_free(&info, info.namespace, new)?;
        let oid = info.oid;
        self.change_rows(PG_PROC, |r| r.oid("oid") == oid, &[("proname", Datum::text(new))])?;
        Ok(())
    }

    /// ALTER FUNCTION ... OWNER TO.
    pub(super) fn set_function_owner(
        &mut self,
        sql: &str,
        sig: &FunctionSig,
        kind: ObjectKind,
        owner: Oid,
    ) -> Result<()> {
        let info = self.find_function(sql, sig, kind)?;
        self.check_function_owner(&info)?;
        let oid = info.oid;
        self.change_rows(PG_PROC, |r| r.oid("oid") == oid, &[("proowner", Datum::from(owner))])?;
        Ok(())
    }

    /// ALTER FUNCTION ... SET SCHEMA.
    pub(super) fn move_function(&mut self, sql: &str, sig: &FunctionSig, kind: ObjectKind, schema: &str) -> Result<()> {
        let info = self.find_function(sql, sig, kind)?;
        self.check_function_owner(&info)?;
        let namespace = self.schema_called(schema)?;
        if namespace == info.namespace {
            return Ok(());
        }
        self.check_create_in(namespace)?;
        self.check_free(&info, namespace, &info.name)?;
        let oid = info.oid;
        self.change_rows(PG_PROC, |r| r.oid("oid") == oid, &[("pronamespace", Datum::from(namespace))])?;
        self.move_dependency(Address::function(oid), info.namespace, namespace)
    }

    /// The schema called `name`.
    pub(super) fn schema_called(&mut self, name: &str) -> Result<Oid> {
        let image = self.image()?;
        let found = image.namespace_in(name, &self.search_path).map(|n| n.oid);
        found.ok_or_else(|| SqlError::new(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{name}\" does not exist")))
    }

    /// An object that was in one schema is in another.
    pub(super) fn move_dependency(&mut self, object: Address, from: Oid, to: Oid) -> Result<()> {
        self.change_rows(
            catalog::stored::PG_DEPEND,
            |r| {
                r.oid("classid") == object.class
                    && r.oid("objid") == object.object
                    && r.oid("refclassid") == PG_NAMESPACE
                    && r.oid("refobjid") == from
            },
            &[("refobjid", Datum::from(to))],
        )?;
        Ok(())
    }
}

/// An error in a function's body, with its position in the statement that makes the function, or told as one of an inner statement.
fn transposed(mut e: SqlError, sql: &str, source: &str, info: &FunctionInfo) -> SqlError {
    let Some(position) = e.fields().position else {
        return e.context(format!("SQL function \"{}\"", info.name));
    };
    if info.body.is_some() {
        e.fields_mut().position = None;
        return e;
    }
    // The body as a literal: plainly quoted without quotes in it, or between dollars.
    let start = sql.find(source).filter(|_| !source.is_empty() && sql.matches(source).count() == 1);
    match start {
        Some(at) => {
            let before = sql[..at].chars().count() as u32;
            e.fields_mut().position = Some(before + position);
            e
        }
        None => {
            let fields = e.fields_mut();
            fields.position = None;
            fields.internal_position = Some(position);
            fields.internal_query = Some(source.to_owned());
            e
        }
    }
}
