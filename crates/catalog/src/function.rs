//! Functions, aggregates, operators and casts that users made, as an image keeps them.

use std::collections::HashMap;
use std::sync::Arc;

use types::array::ArrayView;
use types::{Datum, Oid, oid};

use crate::image::acl;
use crate::stored::Fields;

/// `pg_language` OID of `internal`.
pub const INTERNAL_LANGUAGE: Oid = Oid(12);
/// `pg_language` OID of `sql`.
pub const SQL_LANGUAGE: Oid = Oid(14);

/// A function, procedure or aggregate.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionInfo {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// Its schema.
    pub namespace: Oid,
    /// Who owns it.
    pub owner: Oid,
    /// OID of its language.
    pub language: Oid,
    /// `pg_proc.prokind`.
    pub kind: u8,
    /// Whether it does as its owner may.
    pub security_definer: bool,
    /// Whether it tells nothing of its arguments.
    pub leakproof: bool,
    /// Whether a NULL argument makes a NULL result.
    pub strict: bool,
    /// Whether it yields rows.
    pub returns_set: bool,
    /// `i`, `s` or `v`.
    pub volatility: u8,
    /// `s`, `r` or `u`.
    pub parallel: u8,
    /// Estimated cost of a call, and rows it yields.
    pub estimates: (f32, f32),
    /// Types of its input parameters.
    pub args: Vec<Oid>,
    /// Types of all parameters; those of `args` when there are no others.
    pub all_args: Vec<Oid>,
    /// `i`, `o`, `b`, `v` or `t` for each of `all_args`; empty when all are `i`.
    pub modes: Vec<u8>,
    /// Names of `all_args`; empty when none has one.
    pub names: Vec<String>,
    /// Defaults of the last input parameters, as a list in SQL.
    pub defaults: String,
    /// How many they are.
    pub default_count: usize,
    /// Element type of its VARIADIC parameter.
    pub variadic: Oid,
    /// What it returns.
    pub result: Oid,
    /// Its source.
    pub source: Arc<str>,
    /// Its body of SQL's own form, as it is kept.
    pub body: Option<Arc<str>>,
    /// Settings while it runs, each `name=value`.
    pub config: Vec<String>,
    /// Its grants, as text; none when there were none.
    pub acl: Option<String>,
}

/// The values of a `text[]` or `"char"[]`.
fn list(datum: &Datum) -> Vec<Datum> {
    datum.as_bytes().map_or(Vec::new(), |b| ArrayView::new(b).iter().collect())
}

fn texts(datum: &Datum) -> Vec<String> {
    list(datum).iter().map(|d| d.as_str().unwrap_or_default().to_owned()).collect()
}

impl FunctionInfo {
    /// What a row of `pg_proc` says.
    pub fn of(row: Fields<'_>) -> FunctionInfo {
        let oids = |name: &str| row.numbers(name).into_iter().map(Oid).collect::<Vec<_>>();
        let args = oids("proargtypes");
        let all = oids("proallargtypes");
        let real = |name: &str| match row.get(name) {
            Datum::F32(v) => *v,
            _ => 0.0,
        };
        let letter = |d: &Datum| match d {
            Datum::I8(c) => c.cast_unsigned(),
            _ => b'i',
        };
        let body = row.get("prosqlbody");
        FunctionInfo {
            oid: row.oid("oid"),
            name: row.text("proname"),
            namespace: row.oid("pronamespace"),
            owner: row.oid("proowner"),
            language: row.oid("prolang"),
            kind: row.char("prokind"),
            security_definer: row.bool("prosecdef"),
            leakproof: row.bool("proleakproof"),
            strict: row.bool("proisstrict"),
            returns_set: row.bool("proretset"),
            volatility: row.char("provolatile"),
            parallel: row.char("proparallel"),
            estimates: (real("procost"), real("prorows")),
            all_args: if all.is_empty() { args.clone() } else { all },
            args,
            modes: list(row.get("proargmodes")).iter().map(letter).collect(),
            names: texts(row.get("proargnames")),
            defaults: row.text("proargdefaults"),
            default_count: usize::try_from(row.int("pronargdefaults")).unwrap_or(0),
            variadic: row.oid("provariadic"),
            result: row.oid("prorettype"),
            source: row.text("prosrc").into(),
            body: (!body.is_null()).then(|| row.text("prosqlbody").into()),
            config: texts(row.get("proconfig")),
            acl: acl(row, "proacl"),
        }
    }

    /// The mode of parameter `i` of all.
    pub fn mode(&self, i: usize) -> u8 {
        self.modes.get(i).copied().unwrap_or(b'i')
    }

    /// Names of the input parameters, empty where there is none.
    pub fn input_names(&self) -> Vec<&str> {
        let input = |i: &usize| matches!(self.mode(*i), b'i' | b'b' | b'v');
        (0..self.all_args.len()).filter(input).map(|i| self.names.get(i).map_or("", |n| n)).collect()
    }

    /// Name and type of each output parameter.
    pub fn outputs(&self) -> Vec<(String, Oid)> {
        let output = |i: &usize| matches!(self.mode(*i), b'o' | b'b' | b't');
        let of = |i: usize| (self.names.get(i).cloned().unwrap_or_default(), self.all_args[i]);
        (0..self.all_args.len()).filter(output).map(of).collect()
    }
}

/// An aggregate.
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateInfo {
    /// OID of its function.
    pub function: Oid,
    /// `pg_aggregate.aggkind`.
    pub kind: u8,
    /// Its transition function.
    pub transition: Oid,
    /// Its final function; none where the state is the result.
    pub finish: Oid,
    /// Whether the final function takes the arguments, too.
    pub finish_extra: bool,
    /// Type of the state.
    pub state: Oid,
    /// The state it begins with, as text.
    pub initial: Option<String>,
    /// Operator that it is the least or greatest by.
    pub sort_operator: Oid,
}

/// An operator.
#[derive(Clone, Debug, PartialEq)]
pub struct OperatorInfo {
    /// Its OID.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// Its schema.
    pub namespace: Oid,
    /// Who owns it.
    pub owner: Oid,
    /// `b` or `l`.
    pub kind: u8,
    /// Types of its operands, and of its result.
    pub types: [Oid; 3],
    /// Its function.
    pub function: Oid,
}

/// A cast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CastInfo {
    /// Its OID.
    pub oid: Oid,
    /// `i`, `a` or `e`.
    pub context: u8,
    /// `f`, `b` or `i`.
    pub method: u8,
    /// Its function.
    pub function: Oid,
}

/// All of them, by OID and by name.
#[derive(Clone, Debug)]
pub(crate) struct Routines {
    pub functions: HashMap<Oid, Arc<FunctionInfo>>,
    pub function_names: HashMap<String, Vec<Oid>>,
    pub aggregates: HashMap<Oid, Arc<AggregateInfo>>,
    pub operators: HashMap<Oid, Arc<OperatorInfo>>,
    pub operator_names: HashMap<String, Vec<Oid>>,
    pub casts: HashMap<(Oid, Oid), CastInfo>,
}

/// `information_schema._pg_expandarray`, which drivers ask for keys: a function in SQL that ships with the binary.
fn expand_array() -> FunctionInfo {
    FunctionInfo {
        oid: EXPAND_ARRAY,
        name: "_pg_expandarray".to_owned(),
        namespace: INFORMATION_SCHEMA,
        owner: Oid(10),
        language: SQL_LANGUAGE,
        kind: b'f',
        security_definer: false,
        leakproof: false,
        strict: true,
        returns_set: true,
        volatility: b'i',
        parallel: b's',
        estimates: (100.0, 100.0),
        args: vec![ANYARRAY],
        all_args: vec![ANYARRAY, oid::ANYELEMENT, oid::INT4],
        modes: vec![b'i', b'o', b'o'],
        names: ["", "x", "n"].map(str::to_owned).to_vec(),
        defaults: String::new(),
        default_count: 0,
        variadic: Oid::NONE,
        result: oid::RECORD,
        source: "SELECT u.x, u.n::int FROM pg_catalog.unnest($1) WITH ORDINALITY AS u(x, n)".into(),
        body: None,
        config: Vec::new(),
        acl: None,
    }
}

/// OIDs that initdb gives in PostgreSQL 18.6.
const EXPAND_ARRAY: Oid = Oid(12422);
const INFORMATION_SCHEMA: Oid = Oid(12421);
const ANYARRAY: Oid = Oid(2277);

impl Default for Routines {
    fn default() -> Routines {
        let mut routines = Routines {
            functions: HashMap::new(),
            function_names: HashMap::new(),
            aggregates: HashMap::new(),
            operators: HashMap::new(),
            operator_names: HashMap::new(),
            casts: HashMap::new(),
        };
        let info = expand_array();
        listed(&mut routines.function_names, &info.name, info.oid);
        routines.functions.insert(info.oid, Arc::new(info));
        routines
    }
}

fn listed(names: &mut HashMap<String, Vec<Oid>>, name: &str, oid: Oid) {
    let list = names.entry(name.to_owned()).or_default();
    if !list.contains(&oid) {
        list.push(oid);
        list.sort_unstable();
    }
}

fn unlisted(names: &mut HashMap<String, Vec<Oid>>, name: &str, oid: Oid) {
    if let Some(list) = names.get_mut(name) {
        list.retain(|o| *o != oid);
        if list.is_empty() {
            names.remove(name);
        }
    }
}

impl Routines {
    pub fn add_function(&mut self, row: Fields<'_>) {
        let info = FunctionInfo::of(row);
        listed(&mut self.function_names, &info.name, info.oid);
        self.functions.insert(info.oid, Arc::new(info));
    }

    pub fn remove_function(&mut self, row: Fields<'_>) {
        let oid = row.oid("oid");
        unlisted(&mut self.function_names, &row.text("proname"), oid);
        self.functions.remove(&oid);
    }

    pub fn add_aggregate(&mut self, row: Fields<'_>) {
        let initial = row.get("agginitval");
        let info = AggregateInfo {
            function: row.oid("aggfnoid"),
            kind: row.char("aggkind"),
            transition: row.oid("aggtransfn"),
            finish: row.oid("aggfinalfn"),
            finish_extra: row.bool("aggfinalextra"),
            state: row.oid("aggtranstype"),
            initial: initial.as_str().map(str::to_owned),
            sort_operator: row.oid("aggsortop"),
        };
        self.aggregates.insert(info.function, Arc::new(info));
    }

    pub fn add_operator(&mut self, row: Fields<'_>) {
        let info = OperatorInfo {
            oid: row.oid("oid"),
            name: row.text("oprname"),
            namespace: row.oid("oprnamespace"),
            owner: row.oid("oprowner"),
            kind: row.char("oprkind"),
            types: [row.oid("oprleft"), row.oid("oprright"), row.oid("oprresult")],
            function: row.oid("oprcode"),
        };
        listed(&mut self.operator_names, &info.name, info.oid);
        self.operators.insert(info.oid, Arc::new(info));
    }

    pub fn remove_operator(&mut self, row: Fields<'_>) {
        let oid = row.oid("oid");
        unlisted(&mut self.operator_names, &row.text("oprname"), oid);
        self.operators.remove(&oid);
    }

    pub fn add_cast(&mut self, row: Fields<'_>) {
        let info = CastInfo {
            oid: row.oid("oid"),
            context: row.char("castcontext"),
            method: row.char("castmethod"),
            function: row.oid("castfunc"),
        };
        self.casts.insert((row.oid("castsource"), row.oid("casttarget")), info);
    }

    pub fn remove_cast(&mut self, row: Fields<'_>) {
        self.casts.remove(&(row.oid("castsource"), row.oid("casttarget")));
    }
}

impl crate::Image {
    /// The function with this OID.
    pub fn function(&self, oid: Oid) -> Option<&Arc<FunctionInfo>> {
        self.routines.functions.get(&oid)
    }

    /// All functions called `name`, oldest first.
    pub fn functions_named(&self, name: &str) -> impl Iterator<Item = &Arc<FunctionInfo>> {
        let oids = self.routines.function_names.get(name).map_or(&[][..], |l| l);
        oids.iter().filter_map(|o| self.routines.functions.get(o))
    }

    /// All functions.
    pub fn functions(&self) -> impl Iterator<Item = &Arc<FunctionInfo>> {
        self.routines.functions.values()
    }

    /// How the aggregate function with this OID works.
    pub fn aggregate(&self, function: Oid) -> Option<&Arc<AggregateInfo>> {
        self.routines.aggregates.get(&function)
    }

    /// The operator with this OID.
    pub fn operator(&self, oid: Oid) -> Option<&Arc<OperatorInfo>> {
        self.routines.operators.get(&oid)
    }

    /// All operators called `name`, oldest first.
    pub fn operators_named(&self, name: &str) -> impl Iterator<Item = &Arc<OperatorInfo>> {
        let oids = self.routines.operator_names.get(name).map_or(&[][..], |l| l);
        oids.iter().filter_map(|o| self.routines.operators.get(o))
    }

    /// The cast from `source` to `target`.
    pub fn cast(&self, source: Oid, target: Oid) -> Option<CastInfo> {
        self.routines.casts.get(&(source, target)).copied()
    }

    /// The type under all domains that `ty` may be, and the typmod they give it.
    pub fn base_type(&self, ty: Oid) -> (Oid, i32) {
        let (mut ty, mut typmod) = (ty, -1);
        while let Some(info) = self.domain(ty) {
            (ty, typmod) = (info.base, if info.typmod >= 0 { info.typmod } else { typmod });
        }
        (ty, typmod)
    }

    /// The domain with this OID.
    pub fn domain(&self, ty: Oid) -> Option<&Arc<crate::TypeInfo>> {
        match ty.user_kind() {
            Some(oid::UserType::Domain) => self.type_by_oid(ty),
            _ => None,
        }
    }

    /// The relation whose columns the values of row type `ty` have.
    pub fn row_type(&self, ty: Oid) -> Option<&Arc<crate::TableInfo>> {
        match ty.user_kind() {
            Some(oid::UserType::Composite) => self.by_oid(self.type_by_oid(ty)?.relation),
            _ => None,
        }
    }

    /// Name, type and typmod of each live column of row type `ty`, or of a domain over one; `None` when it is no such type.
    pub fn fields_of(&self, ty: Oid) -> Option<Vec<(String, Oid, i32)>> {
        let ty = self.base_type(ty).0;
        if let Some(info) = self.row_type(ty) {
            let live = info.columns.iter().filter(|c| !c.dropped);
            return Some(live.map(|c| (c.name.clone(), c.ty, c.typmod)).collect());
        }
        let relation = crate::builtin::type_by_oid(ty).filter(|t| t.kind == b'c').map(|t| t.relation)?;
        if relation.is_none() {
            return None;
        }
        let columns = crate::builtin::columns_of(relation).iter();
        Some(columns.map(|c| (c.name.to_owned(), c.type_oid, c.typmod)).collect())
    }
}
