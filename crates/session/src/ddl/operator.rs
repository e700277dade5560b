//! CREATE AGGREGATE, CREATE OPERATOR and CREATE CAST, over functions that are there.

use binder::Proc;
use catalog::FunctionInfo;
use catalog::stored::{PG_AGGREGATE, PG_CAST, PG_OPERATOR, PG_PROC};
use syntax::ast::{
    CastContext, CastMethod, CreateCast, DefElem, DefValue, Define, FunctionParam, ObjectKind, ObjectName, Operator,
    ParamMode, QualifiedName, TypeName,
};
use types::error::Severity;
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use super::depend::Address;
use super::notice;
use crate::session::{Session, Sink};

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_FUNCTION_DEFINITION, message)
}

/// The names that an attribute's value is.
fn names_of(e: &DefElem) -> Result<QualifiedName> {
    Ok(match &e.value {
        Some(DefValue::Name(names)) => names.clone(),
        Some(DefValue::Type(ty)) => ty.names.clone(),
        Some(DefValue::String(s)) => vec![syntax::ast::Name::new(s.as_str(), e.pos)],
        _ => {
            let message = format!("{} requires a parameter", &*e.name);
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
        }
    })
}

/// An attribute's value as text.
fn text_of(e: &DefElem) -> Option<String> {
    Some(match &e.value {
        Some(DefValue::String(s) | DefValue::Float(s)) => s.to_string(),
        Some(DefValue::Integer(n)) => n.to_string(),
        Some(DefValue::Bool(b)) => b.to_string(),
        Some(DefValue::Name(names)) => names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join("."),
        Some(DefValue::Type(ty)) => ty.names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join("."),
        _ => return None,
    })
}

/// Whether an attribute is on.
fn flag_of(e: &DefElem) -> bool {
    text_of(e).is_none_or(|t| matches!(&*t.to_lowercase(), "true" | "on" | "1" | "yes"))
}

impl Session {
    pub(crate) fn define(&mut self, sql: &str, define: &Define, sink: &mut dyn Sink) -> Result<String> {
        match define.kind {
            ObjectKind::Aggregate => self.create_aggregate(sql, define, sink),
            ObjectKind::Operator => self.create_operator(sql, define, sink),
            kind => Err(SqlError::unsupported(format!("CREATE {}", kind.as_str()))),
        }
    }

    fn unknown_attribute(sink: &mut dyn Sink, what: &str, e: &DefElem) {
        let text = format!("{what} attribute \"{}\" not recognized", &*e.name);
        sink.notice(&SqlError::new(SqlState::SYNTAX_ERROR, text).severity(Severity::Warning));
    }

    /// The type that an attribute names.
    fn type_attribute(&mut self, sql: &str, e: &DefElem) -> Result<Oid> {
        let image = self.image()?;
        let binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
        match &e.value {
            Some(DefValue::Type(ty)) if ty.setof => {
                let message = "SETOF type not allowed for operator argument";
                Err(SqlError::new(SqlState::INVALID_FUNCTION_DEFINITION, message))
            }
            Some(DefValue::Type(ty)) => binder.type_name(ty).map(|t| t.0).map_err(|e| e.at(None)),
            _ => {
                let text = text_of(e).unwrap_or_default();
                let ty = syntax::parse_type_name(&text)?;
                binder.type_name(&ty).map(|t| t.0).map_err(|mut e| {
                    e.fields_mut().position = None;
                    e
                })
            }
        }
    }

    /// The function called `names` for arguments of these types, and what it returns.
    fn support_function(&mut self, names: &QualifiedName, args: &[Oid], exact: bool) -> Result<(Oid, Oid, bool)> {
        let image = self.image()?;
        let name = names.last().map_or("", |n| n.as_str());
        let schema = names.len().checked_sub(2).map(|i| names[i].as_str());
        let mut binder = binder::Binder::new(&image, "", &self.settings.io, &self.search_path);
        match binder.function_for(schema, name, args, exact)? {
            Some((proc, result)) => Ok((proc.oid(), result, proc.is_strict())),
            None => {
                let lookup = binder::Names { image: &image, search_path: &self.search_path };
                let list: Vec<String> = args.iter().map(|&t| types::io::TypeLookup::type_name(&lookup, t)).collect();
                let full = names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(".");
                let message = format!("function {full}({}) does not exist", list.join(", "));
                Err(SqlError::new(SqlState::UNDEFINED_FUNCTION, message))
            }
        }
    }

    fn check_support(&mut self, function: Oid) -> Result<()> {
        let image = self.image()?;
        self.check_routines(&image, &[function])
    }

    fn depend_on_function(&mut self, own: Address, function: Oid) -> Result<()> {
        if self.image()?.function(function).is_none() {
            return Ok(());
        }
        self.depend(own, Address::function(function), b'n')
    }

    fn create_aggregate(&mut self, sql: &str, define: &Define, sink: &mut dyn Sink) -> Result<String> {
        let range = super::drop::range_of(&define.name).ok_or_else(|| invalid("an aggregate has a name"))?;
        let namespace = self.target_namespace(sql, &range)?;
        let name = range.name.as_str().to_owned();
        let (mut transition, mut finish, mut state, mut base) = (None, None, None, None);
        let (mut initial, mut extra, mut parallel, mut sort) = (None, false, b'u', None);
        let mut others: Vec<(&str, QualifiedName)> = Vec::new();
        for e in &define.definition {
            match &*e.name {
                "sfunc" | "sfunc1" => transition = Some(names_of(e)?),
                "finalfunc" => finish = Some(names_of(e)?),
                "stype" | "stype1" => state = Some(self.type_attribute(sql, e)?),
                "basetype" => base = Some(e),
                "initcond" | "initcond1" => initial = text_of(e),
                "finalfunc_extra" => extra = flag_of(e),
                "parallel" => {
                    parallel = match text_of(e).as_deref() {
                        Some("safe") => b's',
                        Some("restricted") => b'r',
                        Some("unsafe") => b'u',
                        _ => {
                            let message = "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE";
                            return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
                        }
                    };
                }
                "sortop" => sort = Some(e),
                "combinefunc" => others.push(("aggcombinefn", names_of(e)?)),
                "hypothetical" if flag_of(e) => return Err(SqlError::unsupported("a hypothetical-set aggregate")),
                "serialfunc" | "deserialfunc" | "msfunc" | "minvfunc" | "mstype" | "msspace" | "mfinalfunc"
                | "mfinalfunc_extra" | "mfinalfunc_modify" | "minitcond" | "finalfunc_modify" => {
                    return Err(SqlError::unsupported(format!("{} of an aggregate", &*e.name)));
                }
                "sspace" => {}
                _ => Session::unknown_attribute(sink, "aggregate", e),
            }
        }
        let Some(state) = state else { return Err(invalid("aggregate stype must be specified")) };
        let Some(transition) = transition else { return Err(invalid("aggregate sfunc must be specified")) };
        let mut info = self.aggregate_parameters(sql, define, base)?;
        if super::function::is_pseudo(state)
            && !super::function::is_polymorphic(state)
            && (state != oid::INTERNAL || !self.user.superuser)
        {
            return Err(invalid(format!("aggregate transition data type cannot be {}", self.type_shown(state)?)));
        }
        if super::function::is_polymorphic(state) && !info.args.iter().any(|a| super::function::is_polymorphic(*a)) {
            let shown = self.type_shown(state)?;
            return Err(invalid("cannot determine transition data type").detail(format!(
                "A result of type {shown} requires at least one input of type anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange."
            )));
        }
        let mut called: Vec<Oid> = vec![state];
        called.extend(&info.args);
        let (function, result, strict) = self.support_function(&transition, &called, false)?;
        if result != state {
            let shown = self.type_shown(state)?;
            let names = transition.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(".");
            let message = format!("return type of transition function {names} is not {shown}");
            return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message));
        }
        self.check_support(function)?;
        if strict && initial.is_none() && info.args.first().is_none_or(|a| *a != state) {
            return Err(invalid(
                "must not omit initial value when transition function is strict and transition type is not compatible with input type",
            ));
        }
        let (mut finishing, mut returns) = (Oid::NONE, state);
        if let Some(finish) = &finish {
            let mut called: Vec<Oid> = vec![state];
            if extra {
                called.extend(&info.args);
            }
            let (function, result, strict) = self.support_function(finish, &called, false)?;
            if extra && strict {
                return Err(invalid("final function with extra arguments must not be declared STRICT"));
            }
            self.check_support(function)?;
            (finishing, returns) = (function, result);
        }
        if let Some(text) = &initial
            && !super::function::is_pseudo(state)
        {
            let image = self.image()?;
            let lookup = binder::Names { image: &image, search_path: &self.search_path };
            types::io::text_in_with(state, -1, text, &self.settings.io, &lookup)?;
        }
        let mut more: Vec<(&str, Oid)> = Vec::new();
        for (column, names) in &others {
            let (function, result, _) = self.support_function(names, &[state, state], false)?;
            if result != state {
                let shown = self.type_shown(state)?;
                let names = names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(".");
                let message = format!("return type of combine function {names} is not {shown}");
                return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message));
            }
            more.push((column, function));
        }
        let mut sort_operator = Oid::NONE;
        if let Some(e) = sort {
            let [arg] = info.args[..] else {
                return Err(invalid("sort operator can only be specified for single-argument aggregates"));
            };
            let (operator, name) = match &e.value {
                Some(DefValue::Operator(op)) => (op.name.to_string(), op.name.to_string()),
                _ => (text_of(e).unwrap_or_default(), text_of(e).unwrap_or_default()),
            };
            let image = self.image()?;
            let mut binder = binder::Binder::new(&image, "", &self.settings.io, &self.search_path);
            sort_operator = binder.operator_for(None, &operator, &[arg, arg])?.ok_or_else(|| {
                let message = format!("operator does not exist: {name}");
                SqlError::new(SqlState::UNDEFINED_FUNCTION, message)
            })?;
        }
        (info.name, info.namespace, info.result, info.parallel) = (name.clone(), namespace, returns, parallel);
        self.lock_name(PG_PROC, namespace, &name)?;
        let old = {
            let image = self.image()?;
            image.functions_named(&name).find(|f| f.namespace == namespace && f.args == info.args).cloned()
        };
        if let Some(old) = &old {
            self.replace_aggregate(&mut info, old, define.or_replace)?;
        } else {
            info.oid = self.new_oid()?;
            self.add_row(PG_PROC, &Session::function_values(&info))?;
        }
        let own = Address::function(info.oid);
        let aggregate = info.oid;
        self.remove_rows(PG_AGGREGATE, |r| r.oid("aggfnoid") == aggregate)?;
        let code = |c: u8| Datum::I8(c.cast_signed());
        let mut values = vec![
            ("aggfnoid", Datum::from(info.oid)),
            ("aggkind", code(b'n')),
            ("aggtransfn", Datum::from(function)),
            ("aggfinalfn", Datum::from(finishing)),
            ("aggfinalextra", Datum::Bool(extra)),
            ("aggfinalmodify", code(b'r')),
            ("aggmfinalmodify", code(b'r')),
            ("aggsortop", Datum::from(sort_operator)),
            ("aggtranstype", Datum::from(state)),
            ("agginitval", initial.as_deref().map_or(Datum::Null, Datum::text)),
        ];
        values.extend(more.iter().map(|(column, function)| (*column, Datum::from(*function))));
        self.add_row(PG_AGGREGATE, &values)?;
        self.depend(own, Address::schema(namespace), b'n')?;
        self.depend_on_function(own, function)?;
        if !finishing.is_none() {
            self.depend_on_function(own, finishing)?;
        }
        let mut types = info.args.clone();
        types.extend([state, returns]);
        types.sort_unstable();
        types.dedup();
        types.into_iter().try_for_each(|ty| self.depend_on(own, ty))?;
        Ok("CREATE AGGREGATE".to_owned())
    }

    fn replace_aggregate(&mut self, info: &mut FunctionInfo, old: &FunctionInfo, or_replace: bool) -> Result<()> {
        if !or_replace {
            let message = format!("function \"{}\" already exists with same argument types", info.name);
            return Err(SqlError::new(SqlState::DUPLICATE_FUNCTION, message));
        }
        self.check_function_owner(old)?;
        if old.kind != b'a' {
            let kind = if old.kind == b'p' { "a procedure" } else { "a function" };
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, "cannot change routine kind")
                .detail(format!("\"{}\" is {kind}.", old.name)));
        }
        if old.result != info.result {
            let shown = self.signature(old)?;
            return Err(invalid("cannot change return type of existing function")
                .hint(format!("Use DROP AGGREGATE {shown} first.")));
        }
        (info.oid, info.owner) = (old.oid, old.owner);
        let oid = old.oid;
        self.change_rows(PG_PROC, |r| r.oid("oid") == oid, &Session::function_values(info))?;
        self.forget_dependencies(Address::function(oid))
    }

    /// The parameters of an aggregate, in either syntax.
    fn aggregate_parameters(&mut self, sql: &str, define: &Define, base: Option<&DefElem>) -> Result<FunctionInfo> {
        let mut info = FunctionInfo {
            oid: Oid::NONE,
            name: String::new(),
            namespace: Oid::NONE,
            owner: self.user.oid,
            language: catalog::function::INTERNAL_LANGUAGE,
            kind: b'a',
            security_definer: false,
            leakproof: false,
            strict: false,
            returns_set: false,
            volatility: b'i',
            parallel: b'u',
            estimates: (1.0, 0.0),
            args: Vec::new(),
            all_args: Vec::new(),
            modes: Vec::new(),
            names: Vec::new(),
            defaults: String::new(),
            default_count: 0,
            variadic: Oid::NONE,
            result: Oid::NONE,
            source: "aggregate_dummy".into(),
            body: None,
            config: Vec::new(),
            acl: None,
        };
        let Some(sig) = &define.aggregate_args else {
            let Some(base) = base else { return Err(invalid("aggregate input type must be specified")) };
            let any = text_of(base).is_some_and(|t| t.eq_ignore_ascii_case("any"));
            let any_type =
                matches!(&base.value, Some(DefValue::Type(t)) if t.names.last().is_some_and(|n| n.as_str() == "any"));
            if !any && !any_type {
                info.args.push(self.type_attribute(sql, base)?);
            }
            info.all_args.clone_from(&info.args);
            return Ok(info);
        };
        if base.is_some() {
            return Err(invalid("basetype is redundant with aggregate input type specification"));
        }
        if sig.direct_args.is_some() {
            return Err(SqlError::unsupported("an ordered-set aggregate of users"));
        }
        let params: &[FunctionParam] = sig.args.as_deref().unwrap_or_default();
        let mut named = false;
        for param in params {
            let image = self.image()?;
            let ty = {
                let binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
                binder.type_name(&param.ty)?.0
            };
            match param.mode {
                ParamMode::Default | ParamMode::In => info.modes.push(b'i'),
                ParamMode::Variadic => {
                    info.modes.push(b'v');
                    info.variadic = match ty {
                        oid::ANY => oid::ANY,
                        ty => types::io::builtin_element(ty)
                            .or((ty == oid::ANYARRAY).then_some(oid::ANYELEMENT))
                            .ok_or_else(|| invalid("VARIADIC parameter must be an array"))?,
                    };
                }
                _ => return Err(invalid("aggregates cannot have output arguments")),
            }
            named |= param.name.is_some();
            info.args.push(ty);
            info.names.push(param.name.as_ref().map_or(String::new(), |n| n.as_str().to_owned()));
        }
        info.all_args.clone_from(&info.args);
        if info.modes.iter().all(|m| *m == b'i') {
            info.modes.clear();
        }
        if !named {
            info.names.clear();
        }
        Ok(info)
    }

    fn create_operator(&mut self, sql: &str, define: &Define, sink: &mut dyn Sink) -> Result<String> {
        let (mut left, mut right, mut function) = (None, None, None);
        let (mut commutator, mut negator, mut hashes, mut merges) = (None, None, false, false);
        let range = super::drop::range_of(&define.name).ok_or_else(|| invalid("an operator has a name"))?;
        let namespace = self.target_namespace(sql, &range)?;
        let name = range.name.as_str().to_owned();
        let mut estimators: Vec<(&str, Oid)> = Vec::new();
        for e in &define.definition {
            match &*e.name {
                "leftarg" => left = Some(self.type_attribute(sql, e)?),
                "rightarg" => right = Some(self.type_attribute(sql, e)?),
                "function" | "procedure" => function = Some(names_of(e)?),
                "commutator" => commutator = Some(e),
                "negator" => negator = Some(e),
                "restrict" | "join" => {
                    let names = names_of(e)?;
                    let name = names.last().map_or("", |n| n.as_str());
                    let found = catalog::builtin::procs_by_name(name).next().map(|p| p.oid);
                    let column = if &*e.name == "restrict" { "oprrest" } else { "oprjoin" };
                    let args: &[Oid] = match column {
                        "oprrest" => &[oid::INTERNAL, oid::OID, oid::INTERNAL, oid::INT4],
                        _ => &[oid::INTERNAL, oid::OID, oid::INTERNAL, oid::INT2, oid::INTERNAL],
                    };
                    match found {
                        Some(oid) => estimators.push((column, oid)),
                        None => {
                            let missing = self.support_function(&names, args, true).err();
                            return Err(missing.unwrap_or_else(|| invalid("an estimator must be built in")));
                        }
                    }
                }
                "hashes" => hashes = flag_of(e),
                "merges" => merges = flag_of(e),
                _ => Session::unknown_attribute(sink, "operator", e),
            }
        }
        let Some(function) = function else {
            return Err(invalid("operator function must be specified"));
        };
        if left.is_none() && right.is_none() {
            return Err(invalid("operator argument types must be specified"));
        }
        let Some(right) = right else {
            return Err(invalid("operator right argument type must be specified")
                .detail("Postfix operators are not supported."));
        };
        let args: Vec<Oid> = left.into_iter().chain([right]).collect();
        let (function, result, _) = self.support_function(&function, &args, true)?;
        self.check_support(function)?;
        if left.is_none() && commutator.is_some() {
            return Err(invalid("only binary operators can have commutators"));
        }
        if left.is_none() && (hashes || merges) {
            let what = if merges { "merge join" } else { "hash" };
            return Err(invalid(format!("only binary operators can {what}")));
        }
        if result != oid::BOOL {
            for (set, what) in [
                (negator.is_some(), "have negators"),
                (estimators.iter().any(|e| e.0 == "oprrest"), "have restriction selectivity"),
                (estimators.iter().any(|e| e.0 == "oprjoin"), "have join selectivity"),
                (merges, "merge join"),
                (hashes, "hash"),
            ] {
                if set {
                    return Err(invalid(format!("only boolean operators can {what}")));
                }
            }
        }
        let image = self.image()?;
        let own = [left.unwrap_or(Oid::NONE), right];
        if image.operators_named(&name).any(|o| o.namespace == namespace && o.types[..2] == own) {
            let message = format!("operator {name} already exists");
            return Err(SqlError::new(SqlState::DUPLICATE_FUNCTION, message));
        }
        let operator = self.new_oid()?;
        let mut other = |e: Option<&DefElem>, args: [Oid; 2]| -> Result<Oid> {
            let Some(e) = e else { return Ok(Oid::NONE) };
            let (schema, wanted) = match &e.value {
                Some(DefValue::Operator(op)) => (op.schema.last().map(|s| s.as_str().to_owned()), op.name.to_string()),
                _ => (None, text_of(e).unwrap_or_default()),
            };
            if wanted == name && args == own {
                return Ok(operator);
            }
            let list: Vec<Oid> = args.into_iter().filter(|a| !a.is_none()).collect();
            let image = self.image()?;
            let mut binder = binder::Binder::new(&image, "", &self.settings.io, &self.search_path);
            Ok(binder.operator_for(schema.as_deref(), &wanted, &list)?.unwrap_or(Oid::NONE))
        };
        let commutes = other(commutator, [right, left.unwrap_or(Oid::NONE)])?;
        let negates = other(negator, own)?;
        if negator.is_some() && negates == operator {
            return Err(invalid("operator cannot be its own negator"));
        }
        let mut values = vec![
            ("oid", Datum::from(operator)),
            ("oprname", Datum::text(&name)),
            ("oprnamespace", Datum::from(namespace)),
            ("oprowner", Datum::from(self.user.oid)),
            ("oprkind", Datum::I8(if left.is_some() { b'b' } else { b'l' }.cast_signed())),
            ("oprcanmerge", Datum::Bool(merges)),
            ("oprcanhash", Datum::Bool(hashes)),
            ("oprleft", Datum::from(left.unwrap_or(Oid::NONE))),
            ("oprright", Datum::from(right)),
            ("oprresult", Datum::from(result)),
            ("oprcom", Datum::from(commutes)),
            ("oprnegate", Datum::from(negates)),
            ("oprcode", Datum::from(function)),
        ];
        values.extend(estimators.iter().map(|(column, oid)| (*column, Datum::from(*oid))));
        self.add_row(PG_OPERATOR, &values)?;
        // The others learn of it.
        for (oid, column) in [(commutes, "oprcom"), (negates, "oprnegate")] {
            if !oid.is_none() && oid != operator {
                let unset = |r: catalog::Fields<'_>| r.oid("oid") == oid && r.oid(column).is_none();
                self.change_rows(PG_OPERATOR, unset, &[(column, Datum::from(operator))])?;
            }
        }
        let own = Address { class: PG_OPERATOR, object: operator, column: 0 };
        self.depend(own, Address::schema(namespace), b'n')?;
        for ty in args.into_iter().chain([result]) {
            self.depend_on(own, ty)?;
        }
        self.depend_on_function(own, function)?;
        Ok("CREATE OPERATOR".to_owned())
    }

    /// The operator that DROP means; `None` when there is none and that passes.
    pub(super) fn find_operator_to_drop(
        &mut self,
        sql: &str,
        operator: &Operator,
        (left, right): (Option<&TypeName>, Option<&TypeName>),
        if_exists: bool,
        sink: &mut dyn Sink,
    ) -> Result<Option<Address>> {
        let image = self.image()?;
        let mut ends = [Oid::NONE; 2];
        {
            let binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
            for (end, ty) in ends.iter_mut().zip([left, right]) {
                let Some(ty) = ty else { continue };
                match binder.type_name(ty) {
                    Ok(found) => *end = found.0,
                    Err(e) if if_exists => {
                        notice(sink, SqlState::SUCCESSFUL_COMPLETION, format!("{}, skipping", e.message()));
                        return Ok(None);
                    }
                    Err(e) => return Err(e.at(None)),
                }
            }
        }
        if ends[1].is_none() {
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, "postfix operators are not supported"));
        }
        let namespaces: Vec<Oid> = match operator.schema.last() {
            Some(schema) => vec![self.schema_called(schema)?],
            None => self.search_path.clone(),
        };
        let found = image
            .operators_named(&operator.name)
            .find(|o| namespaces.contains(&o.namespace) && o.types[..2] == ends)
            .cloned();
        let Some(info) = found else {
            let mut shown = Vec::new();
            for end in ends.iter().filter(|e| !e.is_none()) {
                shown.push(self.type_shown(*end)?);
            }
            let prefix = operator.schema.last().map_or(String::new(), |s| format!("{}.", s.as_str()));
            let text = match &shown[..] {
                [one] => format!("{prefix}{} {one}", &*operator.name),
                [a, b] => format!("{a} {prefix}{} {b}", &*operator.name),
                _ => String::new(),
            };
            let message = format!("operator does not exist: {text}");
            if if_exists {
                let told = format!("operator {prefix}{} does not exist, skipping", &*operator.name);
                notice(sink, SqlState::SUCCESSFUL_COMPLETION, told);
                return Ok(None);
            }
            return Err(SqlError::new(SqlState::UNDEFINED_FUNCTION, message));
        };
        if !self.user.superuser && info.owner != self.user.oid {
            let message = format!("must be owner of operator {}", info.name);
            return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
        }
        Ok(Some(Address { class: PG_OPERATOR, object: info.oid, column: 0 }))
    }

    pub(crate) fn create_cast(&mut self, sql: &str, create: &CreateCast) -> Result<String> {
        let image = self.image()?;
        let (source, target) = {
            let binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
            (binder.type_name(&create.source)?.0, binder.type_name(&create.target)?.0)
        };
        for (ty, what) in [(source, "source"), (target, "target")] {
            if super::function::is_pseudo(ty) {
                let shown = self.type_shown(ty)?;
                let message = format!("{what} data type {shown} is a pseudo-type");
                return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
            }
        }
        let owns = |ty: Oid| image.type_by_oid(ty).is_some_and(|t| t.owner == self.user.oid);
        if !self.user.superuser && !owns(source) && !owns(target) {
            let (source, target) = (self.type_shown(source)?, self.type_shown(target)?);
            let message = format!("must be owner of type {source} or type {target}");
            return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
        }
        let bad = |message: &str| SqlError::new(SqlState::INVALID_OBJECT_DEFINITION, message);
        let (method, function) = match &create.method {
            CastMethod::Function(sig) => {
                let types: Vec<Oid> = {
                    let binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
                    let list = sig.args.iter().flatten();
                    list.map(|p| binder.type_name(&p.ty).map(|t| t.0)).collect::<Result<_>>()?
                };
                let name = sig.name.last().map_or("", |n| n.as_str());
                let schema = sig.name.len().checked_sub(2).map(|i| sig.name[i].as_str());
                let procs = Proc::named(&image, schema, name, &self.search_path);
                let found = procs.into_iter().find(|p| sig.args.is_none() || p.args() == &types[..]);
                let Some(proc) = found else { return Err(self.no_function(sql, sig, ObjectKind::Function)?) };
                if proc.args().is_empty() || proc.args().len() > 3 {
                    return Err(bad("cast function must take one to three arguments"));
                }
                let same = |a: Oid, b: Oid| a == b || binder::binary_coercible(&image, a, b);
                if !same(source, proc.args()[0]) {
                    let message = "argument of cast function must match or be binary-coercible from source data type";
                    return Err(bad(message));
                }
                if proc.args().len() > 1 && proc.args()[1] != oid::INT4 {
                    return Err(bad("second argument of cast function must be type integer"));
                }
                if proc.args().len() > 2 && proc.args()[2] != oid::BOOL {
                    return Err(bad("third argument of cast function must be type boolean"));
                }
                if !same(proc.result(), target) {
                    let message =
                        "return data type of cast function must match or be binary-coercible to target data type";
                    return Err(bad(message));
                }
                if proc.kind() != b'f' {
                    return Err(bad("cast function must be a normal function"));
                }
                if proc.returns_set() {
                    return Err(bad("cast function must not return a set"));
                }
                let function = proc.oid();
                self.check_support(function)?;
                (b'f', function)
            }
            CastMethod::WithoutFunction => {
                if !self.user.superuser {
                    let message = "must be superuser to create a cast WITHOUT FUNCTION";
                    return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
                }
                let special = |ty: Oid| {
                    let user = ty.user_kind().is_some() && image.domain(ty).is_none();
                    user || ty.user_element().is_some()
                };
                if image.domain(source).is_some() || image.domain(target).is_some() {
                    return Err(bad("domain data types must not be marked binary-compatible"));
                }
                if special(source) || special(target) || types::Physical::of(source) != types::Physical::of(target) {
                    return Err(bad("source and target data types are not physically compatible"));
                }
                (b'b', Oid::NONE)
            }
            CastMethod::InOut => (b'i', Oid::NONE),
        };
        if source == target && method != b'f' {
            return Err(bad("source data type and target data type are the same"));
        }
        if image.cast(source, target).is_some() || catalog::builtin::cast(source, target).is_some() {
            let (source, target) = (self.type_shown(source)?, self.type_shown(target)?);
            let message = format!("cast from type {source} to type {target} already exists");
            return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message));
        }
        let context = match create.context {
            CastContext::Explicit => b'e',
            CastContext::Assignment => b'a',
            CastContext::Implicit => b'i',
        };
        let cast = self.new_oid()?;
        let values = [
            ("oid", Datum::from(cast)),
            ("castsource", Datum::from(source)),
            ("casttarget", Datum::from(target)),
            ("castfunc", Datum::from(function)),
            ("castcontext", Datum::I8(context.cast_signed())),
            ("castmethod", Datum::I8(method.cast_signed())),
        ];
        self.add_row(PG_CAST, &values)?;
        let own = Address { class: PG_CAST, object: cast, column: 0 };
        self.depend_on(own, source)?;
        self.depend_on(own, target)?;
        self.depend_on_function(own, function)?;
        Ok("CREATE CAST".to_owned())
    }

    /// The cast that DROP means; `None` when there is none and that passes.
    pub(super) fn find_cast_to_drop(
        &mut self,
        sql: &str,
        object: &ObjectName,
        if_exists: bool,
        sink: &mut dyn Sink,
    ) -> Result<Option<Address>> {
        let ObjectName::Cast { source, target } = object else { return Err(SqlError::unsupported("DROP CAST")) };
        let image = self.image()?;
        let (source, target) = {
            let binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
            (binder.type_name(source)?.0, binder.type_name(target)?.0)
        };
        if let Some(cast) = image.cast(source, target) {
            return Ok(Some(Address { class: PG_CAST, object: cast.oid, column: 0 }));
        }
        let (source_shown, target_shown) = (self.type_shown(source)?, self.type_shown(target)?);
        if catalog::builtin::cast(source, target).is_some() {
            let what = format!("cast from {source_shown} to {target_shown}");
            let message = format!("cannot drop {what} because it is required by the database system");
            return Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message));
        }
        let message = format!("cast from type {source_shown} to type {target_shown} does not exist");
        if if_exists {
            let written = |t: &TypeName| t.names.last().map_or(String::new(), |n| n.as_str().to_owned());
            let (from, to) = match object {
                ObjectName::Cast { source, target } => (written(source), written(target)),
                _ => (source_shown, target_shown),
            };
            let told = format!("cast from type {from} to type {to} does not exist, skipping");
            notice(sink, SqlState::SUCCESSFUL_COMPLETION, told);
            return Ok(None);
        }
        Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message))
    }
}
