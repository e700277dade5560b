//! `Names`: what type input and output ask of the catalog, such as the table that `'t'::regclass` means.

use catalog::{Image, builtin};
use syntax::quote_ident;
use types::io::{TypeKind, TypeLookup};
use types::{Oid, Result, SqlError, SqlState, oid};

/// A catalog image as seen through a search path.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    /// The catalog.
    pub image: &'a Image,
    /// Schemas in which unqualified names are looked up; `pg_catalog` comes first of itself.
    pub search_path: &'a [Oid],
}

/// The parts of a name as SQL writes it: folded unless quoted.
fn parts(name: &str) -> Result<Vec<String>> {
    let invalid = || SqlError::new(SqlState::INVALID_NAME, "invalid name syntax");
    let mut parts = Vec::new();
    let mut rest = name.trim();
    loop {
        let part;
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut text = String::new();
            let mut chars = quoted.char_indices();
            let end = loop {
                match chars.next() {
                    Some((i, '"')) if quoted[i + 1..].starts_with('"') => {
                        text.push('"');
                        chars.next();
                    }
                    Some((i, '"')) => break i + 1,
                    Some((_, c)) => text.push(c),
                    None => return Err(invalid()),
                }
            };
            (part, rest) = (text, quoted[end..].trim_start());
        } else {
            let end = rest.find(['.', '"']).unwrap_or(rest.len());
            (part, rest) = (rest[..end].trim_end().to_lowercase(), &rest[end..]);
            if part.contains(char::is_whitespace) {
                return Err(invalid());
            }
        }
        if part.is_empty() {
            return Err(invalid());
        }
        parts.push(part);
        match rest.strip_prefix('.') {
            Some(more) => rest = more.trim_start(),
            None if rest.is_empty() => return Ok(parts),
            None => return Err(invalid()),
        }
    }
}

impl Names<'_> {
    /// The relation of any kind that `name` means; `None` when there is none.
    ///
    /// # Errors
    /// `42602` when it is not a name.
    pub fn relation(&self, name: &str) -> Result<Option<Oid>> {
        let parts = parts(name)?;
        Ok(match &parts[..] {
            [schema, name] | [_, schema, name] if schema == "pg_catalog" => {
                builtin::relation_by_name(name).map(|r| r.oid)
            }
            [schema, name] | [_, schema, name] => {
                self.image.namespace_in(schema, self.search_path).and_then(|n| self.image.relation_oid(n.oid, name))
            }
            [name] => builtin::relation_by_name(name)
                .map(|r| r.oid)
                .or_else(|| self.search_path.iter().find_map(|&n| self.image.relation_oid(n, name))),
            _ => {
                let message = format!("improper relation name (too many dotted names): {name}");
                return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
            }
        })
    }

    /// Whether the relation `oid`, of this schema and name, is what its unqualified name means.
    pub fn is_visible(&self, namespace: Oid, name: &str, oid: Oid) -> bool {
        if namespace == oid::PG_CATALOG_NAMESPACE {
            return true;
        }
        if builtin::relation_by_name(name).is_some() {
            return false;
        }
        self.search_path.iter().find_map(|&n| self.image.relation_oid(n, name)) == Some(oid)
    }

    /// The name of relation `oid`, qualified where it must be.
    pub fn relation_name(&self, oid: Oid) -> Option<String> {
        if let Some(row) = builtin::relation_by_oid(oid) {
            return Some(quote_ident(row.name));
        }
        let (namespace, name) = self.image.relation_name(oid)?;
        if self.is_visible(namespace, name, oid) {
            return Some(quote_ident(name));
        }
        Some(format!("{}.{}", quote_ident(self.image.namespace_name(namespace)), quote_ident(name)))
    }
}

impl Names<'_> {
    /// The user's type that `name` means.
    pub fn user_type(&self, schema: Option<&str>, name: &str) -> Option<Oid> {
        match schema {
            Some(schema) => self.image.namespace(schema).and_then(|n| self.image.type_by_name(n.oid, name)),
            None => self.search_path.iter().find_map(|&n| self.image.type_by_name(n, name)),
        }
        .map(|t| t.oid)
    }

    /// The name of a user's type, qualified where it must be.
    fn user_type_name(&self, oid: Oid) -> Option<String> {
        if let Some(element) = oid.user_element() {
            return self.user_type_name(element).map(|n| n + "[]");
        }
        let info = self.image.type_by_oid(oid)?;
        let visible = builtin::type_by_name(&info.name).is_none() && self.user_type(None, &info.name) == Some(oid);
        let name = quote_ident(&info.name);
        if visible {
            return Some(name);
        }
        Some(format!("{}.{name}", quote_ident(self.image.namespace_name(info.namespace))))
    }
}

/// `42883`.
fn no_operator(shown: &str) -> SqlError {
    SqlError::new(SqlState::UNDEFINED_FUNCTION, format!("operator does not exist: {shown}"))
}

impl<'a> Names<'a> {
    /// The functions that a name of these parts means.
    fn procs(&self, parts: &[String]) -> Vec<crate::Proc<'a>> {
        let name = parts.last().map_or("", |n| n);
        let schema = parts.len().checked_sub(2).map(|i| parts[i].as_str());
        crate::Proc::named(self.image, schema, name, self.search_path)
    }

    /// The operators that a name, perhaps with a schema, means: OID, left and right type.
    fn operators(&self, name: &str) -> Vec<(Oid, [Oid; 2])> {
        let (schema, name) =
            name.trim().rsplit_once('.').map_or((None, name.trim()), |(s, n)| (Some(s.trim()), n.trim()));
        let mut found = Vec::new();
        if schema.is_none_or(|s| s == "pg_catalog") {
            found.extend(builtin::operators_by_name(name).map(|o| (o.oid, [o.left, o.right])));
        }
        let searched = |namespace: Oid| match schema {
            Some(s) => self.image.namespace_name(namespace) == s,
            None => self.search_path.contains(&namespace),
        };
        let own = self.image.operators_named(name).filter(|o| searched(o.namespace));
        found.extend(own.map(|o| (o.oid, [o.types[0], o.types[1]])));
        found
    }

    /// `regoper` from a name.
    fn operator_called(&self, name: &str) -> Result<Oid> {
        match &self.operators(name)[..] {
            [one] => Ok(one.0),
            [] => Err(no_operator(name)),
            _ => {
                let message = format!("more than one operator named {name}");
                Err(SqlError::new(SqlState::AMBIGUOUS_FUNCTION, message))
            }
        }
    }

    /// `regoperator` from a name and operands' types.
    fn operator_on(&self, text: &str) -> Result<Oid> {
        let invalid = |message: &str| SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, message);
        let (name, list) = text.split_once('(').ok_or_else(|| invalid("expected a left parenthesis"))?;
        let list = list.trim_end().strip_suffix(')').ok_or_else(|| invalid("expected a right parenthesis"))?;
        let mut types = Vec::new();
        for one in list.split(',').map(str::trim) {
            types.push(match one.eq_ignore_ascii_case("none") {
                true => Oid::NONE,
                false => self.reg_in(oid::REGTYPE, one)?.unwrap_or(Oid::NONE),
            });
        }
        let [left, right] = types[..] else {
            let state = SqlState::new("42P02");
            return Err(match types.len() {
                1 => SqlError::new(state, "missing argument")
                    .hint("Use NONE to denote the missing argument of a unary operator."),
                _ => SqlError::new(SqlState::new("54023"), "too many arguments")
                    .hint("Provide two argument types for operator."),
            });
        };
        let found = self.operators(name).into_iter().find(|o| o.1 == [left, right]);
        found.map(|o| o.0).ok_or_else(|| no_operator(text))
    }

    fn in_schema(&self, namespace: Oid, name: &str) -> String {
        format!("{}.{}", quote_ident(self.image.namespace_name(namespace)), quote_ident(name))
    }

    fn operator_shown(&self, info: &catalog::OperatorInfo) -> String {
        if self.search_path.contains(&info.namespace) {
            return info.name.clone();
        }
        format!("{}.{}", quote_ident(self.image.namespace_name(info.namespace)), info.name)
    }
}

impl TypeLookup for Names<'_> {
    fn type_name(&self, ty: Oid) -> String {
        match ty.is_user_type() {
            true => self.user_type_name(ty).unwrap_or_else(|| ty.to_string()),
            false => types::io::builtin_name(ty).map_or_else(|| crate::format_type(ty), str::to_owned),
        }
    }

    fn kind(&self, ty: Oid) -> TypeKind {
        if let Some(info) = self.image.domain(ty) {
            return TypeKind::Domain { base: info.base, typmod: info.typmod };
        }
        match ty.user_kind() {
            Some(types::oid::UserType::Composite) => {}
            _ if builtin::type_by_oid(ty).is_some_and(|t| t.kind == b'c') => {}
            _ => return types::io::builtin_kind(ty),
        }
        let fields = self.image.fields_of(ty).unwrap_or_default();
        TypeKind::Composite { fields: fields.into_iter().map(|f| (f.1, f.2)).collect() }
    }

    fn routine_name(&self, function: Oid) -> Option<String> {
        let info = self.image.function(function)?;
        let found = crate::Proc::named(self.image, None, &info.name, self.search_path);
        let same = |p: &&crate::Proc<'_>| p.args() == info.args;
        if found.iter().find(same).is_some_and(|p| p.oid() == function) {
            return Some(quote_ident(&info.name));
        }
        Some(format!("{}.{}", quote_ident(self.image.namespace_name(info.namespace)), quote_ident(&info.name)))
    }

    fn operator_name(&self, operator: Oid) -> Option<String> {
        let info = self.image.operator(operator)?;
        if self.search_path.contains(&info.namespace) {
            return Some(info.name.clone());
        }
        Some(format!("OPERATOR({}.{})", quote_ident(self.image.namespace_name(info.namespace)), info.name))
    }

    fn field_names(&self, ty: Oid) -> Vec<String> {
        self.image.fields_of(ty).unwrap_or_default().into_iter().map(|f| f.0).collect()
    }

    fn enum_value(&self, enum_type: Oid, label: &str) -> Option<Oid> {
        let info = self.image.type_by_oid(enum_type)?;
        let named = info.labels.iter().find(|l| l.2 == label);
        named.or_else(|| info.labels.iter().find(|l| Some(l.0) == kept_oid(label))).map(|l| l.0)
    }

    fn enum_label(&self, value: Oid) -> Option<String> {
        self.image.label(value).map(|l| l.2.clone())
    }

    fn enum_order(&self, value: Oid) -> f32 {
        self.image.label(value).map_or(value.0 as f32, |l| l.1)
    }

    fn reg_in(&self, reg_type: Oid, name: &str) -> Result<Option<Oid>> {
        match reg_type {
            oid::REGCLASS => match self.relation(name)? {
                Some(oid) => Ok(Some(oid)),
                None => {
                    let message = format!("relation \"{}\" does not exist", parts(name)?.join("."));
                    Err(SqlError::new(SqlState::UNDEFINED_TABLE, message))
                }
            },
            oid::REGNAMESPACE => {
                let parts = parts(name)?;
                let found = parts.first().filter(|_| parts.len() == 1).and_then(|n| self.image.namespace(n));
                let message = || format!("schema \"{}\" does not exist", parts.join("."));
                found.map(|n| Some(n.oid)).ok_or_else(|| SqlError::new(SqlState::INVALID_SCHEMA_NAME, message()))
            }
            oid::REGTYPE => {
                let ty = syntax::parse_type_name(name)?;
                let settings = types::IoSettings::default();
                let binder = crate::Binder::new(self.image, name, &settings, self.search_path);
                binder.type_name(&ty).map(|t| Some(t.0)).map_err(|e| e.at(None))
            }
            oid::REGOPER => self.operator_called(name).map(Some),
            oid::REGOPERATOR => self.operator_on(name).map(Some),
            oid::REGPROCEDURE if name.contains('(') => {
                let (bare, list) = name.split_once('(').unwrap_or((name, ""));
                let list = list.trim_end().trim_end_matches(')');
                let names = parts(bare)?;
                let mut args = Vec::new();
                for one in list.split(',').map(str::trim).filter(|a| !a.is_empty()) {
                    match self.reg_in(oid::REGTYPE, one)? {
                        Some(ty) => args.push(ty),
                        None => return Ok(None),
                    }
                }
                let found = self.procs(&names).into_iter().find(|p| *p.args() == args[..]);
                found.map(|p| Some(p.oid())).ok_or_else(|| {
                    let message = format!("function \"{name}\" does not exist");
                    SqlError::new(SqlState::UNDEFINED_FUNCTION, message)
                })
            }
            oid::REGPROC | oid::REGPROCEDURE => {
                let bare = name.split('(').next().unwrap_or(name).trim();
                if bare == "-" || bare.chars().all(|c| c.is_ascii_digit()) {
                    return Ok(None);
                }
                let names = parts(bare)?;
                let shown = names.join(".");
                match &self.procs(&names)[..] {
                    [one] if reg_type == oid::REGPROC => Ok(Some(one.oid())),
                    [_, _, ..] if reg_type == oid::REGPROC => {
                        let message = format!("more than one function named \"{shown}\"");
                        Err(SqlError::new(SqlState::AMBIGUOUS_FUNCTION, message))
                    }
                    [] => {
                        let message = format!("function \"{shown}\" does not exist");
                        Err(SqlError::new(SqlState::UNDEFINED_FUNCTION, message))
                    }
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    fn reg_out(&self, reg_type: Oid, value: Oid) -> Option<String> {
        match reg_type {
            oid::REGCLASS => self.relation_name(value),
            oid::REGNAMESPACE => self.image.namespace_by_oid(value).map(|n| quote_ident(&n.name)),
            oid::REGTYPE if value.is_user_type() => self.user_type_name(value),
            oid::REGTYPE => (!value.is_none()).then(|| crate::format_type(value)).filter(|n| *n != value.to_string()),
            oid::REGPROC => {
                let proc = crate::Proc::by_oid(self.image, value)?;
                let alone = crate::Proc::named(self.image, None, proc.name(), self.search_path).len() == 1;
                Some(match proc {
                    crate::Proc::User(info) if !alone => self.in_schema(info.namespace, &info.name),
                    _ => self.routine_name(value).unwrap_or_else(|| quote_ident(proc.name())),
                })
            }
            oid::REGPROCEDURE => crate::Proc::by_oid(self.image, value).map(|p| {
                let name = self.routine_name(value).unwrap_or_else(|| quote_ident(p.name()));
                let args: Vec<String> = p.args().iter().map(|&a| self.type_name(a)).collect();
                format!("{name}({})", args.join(","))
            }),
            oid::REGOPER => match self.image.operator(value) {
                Some(info) => Some(self.operator_shown(info)),
                None => builtin::operator_by_oid(value).map(|o| o.name.to_owned()),
            },
            oid::REGOPERATOR => {
                let (name, types) = match self.image.operator(value) {
                    Some(info) => (self.operator_shown(info), info.types),
                    None => {
                        builtin::operator_by_oid(value).map(|o| (o.name.to_owned(), [o.left, o.right, o.result]))?
                    }
                };
                let shown = |ty: Oid| if ty.is_none() { "NONE".to_owned() } else { self.type_name(ty) };
                Some(format!("{name}({},{})", shown(types[0]), shown(types[1])))
            }
            _ => None,
        }
    }
}

/// What kept expressions call things: by their OIDs, which do not change with their names. Types are `pg_catalog."%OID"`, labels `%OID`.
pub(crate) struct Kept<'a>(pub Names<'a>);

impl TypeLookup for Kept<'_> {
    fn type_name(&self, ty: Oid) -> String {
        match (ty.user_element(), ty.is_user_type()) {
            (Some(element), _) => format!("pg_catalog.\"%{element}\"[]"),
            (None, true) => format!("pg_catalog.\"%{ty}\""),
            (None, false) => self.0.type_name(ty),
        }
    }

    fn kind(&self, ty: Oid) -> TypeKind {
        self.0.kind(ty)
    }

    fn field_names(&self, ty: Oid) -> Vec<String> {
        self.0.field_names(ty)
    }

    fn enum_label(&self, value: Oid) -> Option<String> {
        Some(format!("%{value}"))
    }

    fn routine_name(&self, function: Oid) -> Option<String> {
        self.0.image.function(function).map(|f| format!("pg_catalog.\"%{}\"", f.oid))
    }

    fn operator_name(&self, operator: Oid) -> Option<String> {
        let info = self.0.image.operator(operator)?;
        Some(format!("OPERATOR({}.{})", quote_ident(self.0.image.namespace_name(info.namespace)), info.name))
    }
}

/// The OID that a kept name is of.
pub(crate) fn kept_oid(name: &str) -> Option<Oid> {
    name.strip_prefix('%').and_then(|n| n.parse().ok()).map(Oid)
}
