//! `Proc`: a function of `pg_proc`, whether it ships with the binary or a user made it.

use std::sync::Arc;

use catalog::builtin::{self, ProcRow};
use catalog::{FunctionInfo, Image};
use types::{Oid, oid};

/// A function.
#[derive(Clone, Copy, Debug)]
pub enum Proc<'a> {
    /// That ships with the binary.
    Builtin(&'static ProcRow),
    /// That a user made.
    User(&'a Arc<FunctionInfo>),
}

impl<'a> Proc<'a> {
    /// The function with this OID.
    pub fn by_oid(image: &'a Image, oid: Oid) -> Option<Proc<'a>> {
        match builtin::proc_by_oid(oid) {
            Some(row) => Some(Proc::Builtin(row)),
            None => image.function(oid).map(Proc::User),
        }
    }

    /// The functions called `name`: of one schema, or of `pg_catalog` and all schemas of the path, the first to be searched first.
    pub fn named(image: &'a Image, schema: Option<&str>, name: &str, path: &[Oid]) -> Vec<Proc<'a>> {
        let in_catalog = schema.is_none_or(|s| s == "pg_catalog");
        if in_catalog
            && let Some(oid) = crate::lookup::kept_oid(name)
            && schema.is_some()
        {
            return image.function(oid).map(Proc::User).into_iter().collect();
        }
        let mut all: Vec<Proc<'a>> = Vec::new();
        // The path may name pg_catalog; before it, others win.
        let explicit = path.iter().position(|&n| n == oid::PG_CATALOG_NAMESPACE);
        let builtins = || builtin::procs_by_name(name).map(Proc::Builtin);
        match schema {
            Some("pg_catalog") => all.extend(builtins()),
            Some(schema) => {
                let namespace = image.namespace_in(schema, path).map(|n| n.oid);
                all.extend(image.functions_named(name).filter(|f| Some(f.namespace) == namespace).map(Proc::User));
            }
            None => {
                if explicit.is_none() {
                    all.extend(builtins());
                }
                for &namespace in path {
                    if namespace == oid::PG_CATALOG_NAMESPACE {
                        all.extend(builtins());
                    }
                    // Functions of the temporary schema are found only where it is named.
                    if image.namespace_name(namespace).starts_with(catalog::TEMPORARY_PREFIX) {
                        continue;
                    }
                    all.extend(image.functions_named(name).filter(|f| f.namespace == namespace).map(Proc::User));
                }
            }
        }
        all
    }

    /// Its OID.
    pub fn oid(&self) -> Oid {
        match self {
            Proc::Builtin(row) => row.oid,
            Proc::User(info) => info.oid,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        match self {
            Proc::Builtin(row) => row.name,
            Proc::User(info) => &info.name,
        }
    }

    /// `pg_proc.prokind`.
    pub fn kind(&self) -> u8 {
        match self {
            Proc::Builtin(row) => row.kind,
            Proc::User(info) => info.kind,
        }
    }

    /// Types of its input parameters.
    pub fn args(&self) -> &'a [Oid] {
        match self {
            Proc::Builtin(row) => row.args,
            Proc::User(info) => &info.args,
        }
    }

    /// Types of all parameters.
    pub fn all_args(&self) -> &'a [Oid] {
        match self {
            Proc::Builtin(row) if row.all_args.is_empty() => row.args,
            Proc::Builtin(row) => row.all_args,
            Proc::User(info) => &info.all_args,
        }
    }

    /// The mode of parameter `i` of all.
    pub fn mode(&self, i: usize) -> u8 {
        match self {
            Proc::Builtin(row) => row.arg_modes.bytes().filter(|m| *m != b',').nth(i).unwrap_or(b'i'),
            Proc::User(info) => info.mode(i),
        }
    }

    /// Names of all parameters.
    pub fn names(&self) -> Vec<&'a str> {
        match self {
            Proc::Builtin(row) => row.arg_names.split(',').collect(),
            Proc::User(info) => info.names.iter().map(String::as_str).collect(),
        }
    }

    /// The names of the parameters that a call gives arguments for.
    pub fn input_names(&self) -> Vec<&'a str> {
        let names = self.names();
        let input = |i: &usize| matches!(self.mode(*i), b'i' | b'b' | b'v');
        let all = self.all_args().len();
        (0..all).filter(input).map(|i| names.get(i).copied().unwrap_or_default()).collect()
    }

    /// Name and type of each output parameter.
    pub fn outputs(&self) -> Vec<(String, Oid)> {
        let (names, types) = (self.names(), self.all_args());
        let output = |i: &usize| matches!(self.mode(*i), b'o' | b'b' | b't');
        (0..types.len())
            .filter(output)
            .map(|i| (names.get(i).copied().unwrap_or_default().to_owned(), types[i]))
            .collect()
    }

    /// Defaults of the last input parameters, as a list in SQL.
    pub fn defaults(&self) -> &'a str {
        match self {
            Proc::Builtin(row) => row.defaults,
            Proc::User(info) => &info.defaults,
        }
    }

    /// How many they are.
    pub fn default_count(&self) -> usize {
        match self {
            Proc::Builtin(row) => row.default_count.into(),
            Proc::User(info) => info.default_count,
        }
    }

    /// Element type of its VARIADIC parameter.
    pub fn variadic(&self) -> Oid {
        match self {
            Proc::Builtin(row) => row.variadic,
            Proc::User(info) => info.variadic,
        }
    }

    /// What it returns.
    pub fn result(&self) -> Oid {
        match self {
            Proc::Builtin(row) => row.result,
            Proc::User(info) => info.result,
        }
    }

    /// Whether it yields rows.
    pub fn returns_set(&self) -> bool {
        match self {
            Proc::Builtin(row) => row.returns_set,
            Proc::User(info) => info.returns_set,
        }
    }

    /// `i`, `s` or `v`.
    pub fn volatility(&self) -> u8 {
        match self {
            Proc::Builtin(row) => row.volatility,
            Proc::User(info) => info.volatility,
        }
    }

    /// Whether a NULL argument makes a NULL result.
    pub fn is_strict(&self) -> bool {
        match self {
            Proc::Builtin(row) => row.strict,
            Proc::User(info) => info.strict,
        }
    }

    /// The built-in function that carries it out, where there is one: itself, or the one it is another name of.
    pub fn builtin(&self) -> Option<Oid> {
        match self {
            Proc::Builtin(row) => Some(row.oid),
            Proc::User(info) if info.language == catalog::function::INTERNAL_LANGUAGE => {
                builtin::PROCS.iter().find(|p| p.source == &*info.source).map(|p| p.oid)
            }
            Proc::User(_) => None,
        }
    }
}
