//! What the session and the catalog know: through `Host`.

use ext::host::{ColumnRef, ObjectRef, RoleRef, Signal};
use ext::{Call, Describe, Oid};
use types::array::Array;
use types::{Datum, Result, SqlError, SqlState, oid};

/// Encodings by their numbers.
pub(crate) const ENCODINGS: [&str; 42] = [
    "SQL_ASCII",
    "EUC_JP",
    "EUC_CN",
    "EUC_KR",
    "EUC_TW",
    "EUC_JIS_2004",
    "UTF8",
    "MULE_INTERNAL",
    "LATIN1",
    "LATIN2",
    "LATIN3",
    "LATIN4",
    "LATIN5",
    "LATIN6",
    "LATIN7",
    "LATIN8",
    "LATIN9",
    "LATIN10",
    "WIN1256",
    "WIN1258",
    "WIN866",
    "WIN874",
    "KOI8R",
    "WIN1251",
    "WIN1252",
    "ISO_8859_5",
    "ISO_8859_6",
    "ISO_8859_7",
    "ISO_8859_8",
    "WIN1250",
    "WIN1253",
    "WIN1254",
    "WIN1255",
    "WIN1257",
    "KOI8U",
    "SJIS",
    "BIG5",
    "GBK",
    "UHC",
    "GB18030",
    "JOHAB",
    "SHIFT_JIS_2004",
];

/// The number of an encoding PostgreSQL knows.
pub(crate) fn encoding_number(name: &str) -> Option<i32> {
    let plain = |s: &str| s.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let wanted = plain(name);
    let alias = match wanted.as_str() {
        "unicode" => Some(6),
        "iso88591" => Some(8),
        "windows1252" => Some(24),
        "windows1251" | "win" => Some(23),
        "abc" | "tcvn" | "tcvn5712" | "vscii" => Some(19),
        "alt" | "windows866" => Some(20),
        "windows874" => Some(21),
        "koi8" => Some(22),
        "iso88592" => Some(9),
        "iso88593" => Some(10),
        "iso88594" => Some(11),
        "iso88599" => Some(12),
        "iso885910" => Some(13),
        "iso885913" => Some(14),
        "iso885914" => Some(15),
        "iso885915" => Some(16),
        "iso885916" => Some(17),
        "windows1250" => Some(29),
        "windows1253" => Some(30),
        "windows1254" => Some(31),
        "windows1255" => Some(32),
        "windows1256" => Some(18),
        "windows1257" => Some(33),
        "windows1258" => Some(19),
        "mskanji" | "shiftjis" | "win932" | "windows932" => Some(35),
        "win950" | "windows950" => Some(36),
        "win936" | "windows936" => Some(37),
        "win949" | "windows949" => Some(38),
        _ => None,
    };
    alias.or_else(|| ENCODINGS.iter().position(|e| plain(e) == wanted).map(|i| i as i32))
}

pub(crate) fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

/// A kind of object that `reg*` types name.
pub trait Reg {
    /// The type.
    const TYPE: Oid;
}

macro_rules! regs {
    ($($name:ident = $oid:expr),*) => {$(
        /// As the type of this name.
        #[derive(Debug)]
        pub struct $name;
        impl Reg for $name {
            const TYPE: Oid = $oid;
        }
    )*};
}
/// Kinds that no `reg*` type names go by their catalog's OID.
const PG_OPCLASS: Oid = Oid(2616);
const PG_OPFAMILY: Oid = Oid(2753);
const PG_CONVERSION: Oid = Oid(2607);
const PG_STATISTIC_EXT: Oid = Oid(3381);
const PG_TS_PARSER: Oid = Oid(3601);
const PG_TS_TEMPLATE: Oid = Oid(3764);
regs! {
    Regclass = oid::REGCLASS, Regtype = oid::REGTYPE, Regproc = oid::REGPROC, Regprocedure = oid::REGPROCEDURE,
    Regoper = oid::REGOPER, Regoperator = oid::REGOPERATOR, Regnamespace = oid::REGNAMESPACE, Regrole = oid::REGROLE,
    Regcollation = oid::REGCOLLATION, Regconfig = oid::REGCONFIG, Regdictionary = oid::REGDICTIONARY,
    Opclass = PG_OPCLASS, Opfamily = PG_OPFAMILY, Conversion = PG_CONVERSION, Statistics = PG_STATISTIC_EXT,
    TsParser = PG_TS_PARSER, TsTemplate = PG_TS_TEMPLATE
}

/// Something `Host::describe` puts into words.
pub trait Described {
    /// What.
    const WHAT: Describe;
}

macro_rules! described {
    ($($name:ident = $what:ident),*) => {$(
        /// As the variant of this name.
        #[derive(Debug)]
        pub struct $name;
        impl Described for $name {
            const WHAT: Describe = Describe::$what;
        }
    )*};
}
described! {
    Index = Index, Constraint = Constraint, View = View, Function = Function, FunctionArguments = FunctionArguments,
    FunctionIdentityArguments = FunctionIdentityArguments, FunctionResult = FunctionResult,
    FunctionSqlBody = FunctionSqlBody, Trigger = Trigger, Rule = Rule, StatisticsObject = Statistics,
    StatisticsColumns = StatisticsColumns, PartitionKey = PartitionKey, PartitionConstraint = PartitionConstraint
}

/// A kind of object that privileges are on.
pub trait Securable {
    /// As in `has_<kind>_privilege`.
    const KIND: &'static str;
}

macro_rules! securable {
    ($($name:ident = $kind:literal),*) => {$(
        /// As its name says.
        #[derive(Debug)]
        pub struct $name;
        impl Securable for $name {
            const KIND: &'static str = $kind;
        }
    )*};
}
securable! {
    OnTable = "table", OnAnyColumn = "any_column", OnDatabase = "database",
    OnWrapper = "foreign_data_wrapper", OnFunction = "function", OnLanguage = "language", OnParameter = "parameter",
    OnSchema = "schema", OnSequence = "sequence", OnServer = "server", OnTablespace = "tablespace", OnType = "type",
    OnRole = "role", OnLargeObject = "largeobject"
}

fn role(d: &Datum) -> Option<RoleRef<'_>> {
    match d {
        Datum::U32(o) => Some(RoleRef::Oid(Oid(*o))),
        d => d.as_str().map(RoleRef::Name),
    }
}

pub(crate) fn object(d: &Datum) -> ObjectRef<'_> {
    match d {
        Datum::U32(o) => ObjectRef::Oid(Oid(*o)),
        d => ObjectRef::Name(d.as_str().unwrap_or_default()),
    }
}

fn column(d: &Datum) -> ColumnRef<'_> {
    match d {
        Datum::I16(n) => ColumnRef::Number(*n),
        d => ColumnRef::Name(d.as_str().unwrap_or_default()),
    }
}

/// `format_type`: a type's name with its modifier.
pub(crate) fn type_name(call: &Call<'_>, ty: Oid, typmod: Option<i32>) -> String {
    if ty.is_none() {
        return "-".to_owned();
    }
    let element = match ty {
        oid::INT2VECTOR | oid::OIDVECTOR => None,
        t => types::io::builtin_element(t).or_else(|| match call.types.kind(t) {
            types::io::TypeKind::Array { element } => Some(element),
            _ => None,
        }),
    };
    if let Some(element) = element {
        return type_name(call, element, typmod) + "[]";
    }
    let n = typmod.unwrap_or(-1);
    let given = typmod.is_some();
    let precision =
        |name: &str, rest: &str| if n >= 0 { format!("{name}({n}){rest}") } else { format!("{name}{rest}") };
    match ty {
        oid::BPCHAR if n >= 4 => format!("character({})", n - 4),
        oid::BPCHAR if given => "bpchar".to_owned(),
        oid::VARCHAR if n >= 4 => format!("character varying({})", n - 4),
        oid::BIT if n > 0 => format!("bit({n})"),
        oid::BIT if given => "\"bit\"".to_owned(),
        oid::VARBIT if n > 0 => format!("bit varying({n})"),
        oid::NUMERIC => match types::numeric::precision_scale(n) {
            Some((p, s)) => format!("numeric({p},{s})"),
            None => "numeric".to_owned(),
        },
        oid::TIME => precision("time", " without time zone"),
        oid::TIMETZ => precision("time", " with time zone"),
        oid::TIMESTAMP => precision("timestamp", " without time zone"),
        oid::TIMESTAMPTZ => precision("timestamp", " with time zone"),
        oid::INTERVAL if n >= 0 => {
            let fields = match n >> 16 & 0x7fff {
                0x0004 => " year",
                0x0002 => " month",
                0x0008 => " day",
                0x0400 => " hour",
                0x0800 => " minute",
                0x1000 => " second",
                0x0006 => " year to month",
                0x0408 => " day to hour",
                0x0c08 => " day to minute",
                0x1c08 => " day to second",
                0x0c00 => " hour to minute",
                0x1c00 => " hour to second",
                0x1800 => " minute to second",
                _ => "",
            };
            match n & 0xffff {
                0xffff => format!("interval{fields}"),
                p => format!("interval{fields}({p})"),
            }
        }
        t => match types::io::builtin_name(t) {
            Some(name) => name.to_owned(),
            None => match catalog::builtin::builtin_type_by_oid(t) {
                Some(row) => syntax::quote_ident(row.name),
                None => call.host.type_name(t, n).unwrap_or_else(|| "???".to_owned()),
            },
        },
    }
}

fn unknown_setting(name: &str) -> SqlError {
    SqlError::new(SqlState::UNDEFINED_OBJECT, format!("unrecognized configuration parameter \"{name}\""))
}

#[ext::module]
pub(crate) mod functions {
    use ext::{Interval, Timestamptz, Void};
    use types::datetime::arith;

    use super::*;

    // The session.

    #[ext::function(oid = 89, stable)]
    pub fn version(call: &mut Call<'_>) -> String {
        let number = call.host.setting("server_version").unwrap_or_else(|| "18.0".to_owned());
        format!("PostgreSQL {number} (Hathi {}) on {}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH)
    }

    #[ext::function(oid = 861, stable)]
    pub fn current_database(call: &mut Call<'_>) -> String {
        call.host.current_database().to_owned()
    }

    #[ext::function(oid = 1402, stable)]
    pub fn current_schema(call: &mut Call<'_>) -> Option<String> {
        call.host.search_path(false).into_iter().next()
    }

    #[ext::function(oid = 1403, stable)]
    pub fn current_schemas(call: &mut Call<'_>, implicit: bool) -> Array {
        let names = call.host.search_path(implicit);
        Array::one_dimensional(oid::NAME, names.into_iter().map(Datum::from).collect())
    }

    #[ext::function(oid = [745, 710], stable)]
    pub fn current_user(call: &mut Call<'_>) -> String {
        call.host.current_user().to_owned()
    }

    #[ext::function(oid = 746, stable)]
    pub fn session_user(call: &mut Call<'_>) -> String {
        call.host.session_user().to_owned()
    }

    #[ext::function(oid = 817, volatile)]
    pub fn current_query(call: &mut Call<'_>) -> Option<String> {
        call.host.current_query().map(str::to_owned)
    }

    #[ext::function(oid = 2077, stable)]
    pub fn current_setting(call: &mut Call<'_>, name: &str) -> Result<String> {
        call.host.setting(name).ok_or_else(|| unknown_setting(name))
    }

    #[ext::function(oid = 3294, stable)]
    pub fn current_setting_or_null(call: &mut Call<'_>, name: &str, missing_ok: bool) -> Result<Option<String>> {
        match call.host.setting(name) {
            None if !missing_ok => Err(unknown_setting(name)),
            v => Ok(v),
        }
    }

    #[ext::function(oid = 2078, volatile)]
    pub fn set_config(
        call: &mut Call<'_>,
        name: Option<&str>,
        value: Option<&str>,
        local: Option<bool>,
    ) -> Result<String> {
        let null = || SqlError::new(SqlState::NULL_VALUE_NOT_ALLOWED, "SET requires parameter name");
        call.host.set_setting(name.ok_or_else(null)?, value, local.unwrap_or(false))
    }

    #[ext::function(oid = 2026, stable)]
    pub fn backend_pid(call: &mut Call<'_>) -> i32 {
        call.host.backend_pid()
    }

    #[ext::function(oid = 2626, volatile)]
    pub fn sleep(call: &mut Call<'_>, seconds: f64) -> Result<Void> {
        call.host.sleep(seconds).map(|()| Void)
    }

    #[ext::function(oid = 3935, volatile)]
    pub fn sleep_for(call: &mut Call<'_>, v: Interval) -> Result<Void> {
        let now = call.host.clock_timestamp();
        let end = arith::add_to_timestamptz(now, v, &call.settings.time_zone)?;
        sleep(call, (end - now) as f64 / 1e6)
    }

    #[ext::function(oid = 3936, volatile)]
    pub fn sleep_until(call: &mut Call<'_>, t: Timestamptz) -> Result<Void> {
        let now = call.host.clock_timestamp();
        sleep(call, t.0.saturating_sub(now) as f64 / 1e6)
    }

    #[ext::function(oid = 2171, volatile)]
    pub fn cancel_backend(call: &mut Call<'_>, pid: i32) -> Result<bool> {
        call.host.signal(pid, Signal::Cancel)
    }

    #[ext::function(oid = 2096, volatile)]
    pub fn terminate_backend(call: &mut Call<'_>, pid: i32, timeout: i64) -> Result<bool> {
        let negative = |_| SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "\"timeout\" must not be negative");
        let wait_ms = u64::try_from(timeout).map_err(negative)?;
        call.host.signal(pid, Signal::Terminate { wait_ms })
    }

    #[ext::function(oid = 2943, stable)]
    pub fn txid_current(call: &mut Call<'_>) -> Result<i64> {
        Ok(call.host.transaction_id(true)?.unwrap_or(0) as i64)
    }

    #[ext::function(oid = 3348, stable)]
    pub fn txid_current_if_assigned(call: &mut Call<'_>) -> Result<Option<i64>> {
        Ok(call.host.transaction_id(false)?.map(|x| x as i64))
    }

    #[ext::function(oid = 5059, stable)]
    pub fn current_xact_id(call: &mut Call<'_>) -> Result<i64> {
        txid_current(call)
    }

    #[ext::function(oid = 5060, stable)]
    pub fn current_xact_id_if_assigned(call: &mut Call<'_>) -> Result<Option<i64>> {
        txid_current_if_assigned(call)
    }

    #[ext::function(oid = 3036, volatile)]
    pub fn notify(call: &mut Call<'_>, channel: Option<&str>, payload: Option<&str>) -> Result<Void> {
        call.host.notify(channel.unwrap_or_default(), payload.unwrap_or_default()).map(|()| Void)
    }

    #[ext::function(oid = 3810, volatile)]
    pub fn is_in_recovery() -> bool {
        false
    }

    #[ext::function(oid = 315, volatile)]
    pub fn jit_available(call: &mut Call<'_>) -> bool {
        // Elsewhere there is nothing but the interpreter.
        cfg!(all(target_os = "linux", target_arch = "x86_64")) && call.host.setting("jit").as_deref() == Some("on")
    }

    #[ext::function(oid = 3163)]
    pub fn trigger_depth() -> i32 {
        0
    }

    fn address(call: &Call<'_>, server: bool) -> Option<(String, u16)> {
        let [client, own] = call.host.addresses()?;
        Some(if server { own } else { client })
    }

    #[ext::function(oid = 2196, stable)]
    pub fn client_address(call: &mut Call<'_>) -> Result<Datum> {
        address(call, false).map_or(Ok(Datum::Null), |(a, _)| types::io::net::parse(&a, false))
    }

    #[ext::function(oid = 2198, stable)]
    pub fn server_address(call: &mut Call<'_>) -> Result<Datum> {
        address(call, true).map_or(Ok(Datum::Null), |(a, _)| types::io::net::parse(&a, false))
    }

    #[ext::function(oid = 2197, stable)]
    pub fn client_port(call: &mut Call<'_>) -> Option<i32> {
        address(call, false).map(|(_, p)| p.into())
    }

    #[ext::function(oid = 2199, stable)]
    pub fn server_port(call: &mut Call<'_>) -> Option<i32> {
        address(call, true).map(|(_, p)| p.into())
    }

    // Types and encodings.

    #[ext::function(oid = 1619, stable)]
    pub fn typeof_any(call: &mut Call<'_>, _: &Datum) -> Oid {
        call.arg_type(0)
    }

    #[ext::function(oid = 1081, stable)]
    pub fn format_type(call: &mut Call<'_>, ty: Option<Oid>, typmod: Option<i32>) -> Option<String> {
        ty.map(|t| type_name(call, t, typmod))
    }

    #[ext::function(oid = 1597, stable)]
    pub fn encoding_to_char(n: i32) -> &'static str {
        usize::try_from(n).ok().and_then(|n| ENCODINGS.get(n)).copied().unwrap_or("")
    }

    #[ext::function(oid = 1264, stable)]
    pub fn char_to_encoding(name: &str) -> i32 {
        encoding_number(name).unwrap_or(-1)
    }

    #[ext::function(oid = 2319)]
    pub fn encoding_max_length(n: i32) -> Option<i32> {
        match n {
            0 | 8..=34 => Some(1),
            1 | 2 | 3 | 5 => Some(3),
            4 | 6 | 7 | 39 => Some(4),
            35..=38 => Some(2),
            40 | 41 => Some(if n == 40 { 3 } else { 2 }),
            _ => None,
        }
    }

    #[ext::function(oid = 810, stable)]
    pub fn client_encoding(call: &mut Call<'_>) -> String {
        call.host.setting("client_encoding").unwrap_or_else(|| "UTF8".to_owned())
    }

    #[ext::function(oid = 1039, stable)]
    pub fn database_encoding() -> &'static str {
        "UTF8"
    }

    #[ext::function(oid = 438)]
    pub fn num_nulls(call: &mut Call<'_>, args: &[Datum]) -> Option<i32> {
        let args = crate::text::functions::spread(call, args, 0)?;
        Some(args.iter().filter(|(_, d)| d.is_null()).count() as i32)
    }

    #[ext::function(oid = 440)]
    pub fn num_nonnulls(call: &mut Call<'_>, args: &[Datum]) -> Option<i32> {
        let args = crate::text::functions::spread(call, args, 0)?;
        Some(args.iter().filter(|(_, d)| !d.is_null()).count() as i32)
    }

    #[ext::function(oid = 1269, strict, stable)]
    pub fn column_size(v: &Datum) -> i32 {
        match v {
            Datum::Null => 0,
            Datum::Bool(_) | Datum::I8(_) => 1,
            Datum::I16(_) => 2,
            Datum::I32(_) | Datum::U32(_) | Datum::F32(_) => 4,
            Datum::I64(_) | Datum::F64(_) => 8,
            Datum::B16(_) => 16,
            Datum::Var(b) if b.len() < 127 => b.len() as i32 + 1,
            Datum::Var(b) => b.len() as i32 + 4,
        }
    }

    // Sequences.

    #[ext::function(oid = 1574, volatile)]
    pub fn nextval(call: &mut Call<'_>, sequence: Oid) -> Result<i64> {
        call.host.nextval(sequence)
    }

    #[ext::function(oid = 1575, volatile)]
    pub fn currval(call: &mut Call<'_>, sequence: Oid) -> Result<i64> {
        call.host.currval(sequence)
    }

    #[ext::function(oid = 1576, volatile)]
    pub fn setval(call: &mut Call<'_>, sequence: Oid, value: i64) -> Result<i64> {
        call.host.setval(sequence, value, true)
    }

    #[ext::function(oid = 1765, volatile)]
    pub fn setval_called(call: &mut Call<'_>, sequence: Oid, value: i64, called: bool) -> Result<i64> {
        call.host.setval(sequence, value, called)
    }

    #[ext::function(oid = 2559, volatile)]
    pub fn lastval(call: &mut Call<'_>) -> Result<i64> {
        call.host.lastval()
    }

    // Objects.

    #[ext::function(
        each(
            Regclass = 3495,
            Regtype = 3493,
            Regproc = 3494,
            Regprocedure = 3479,
            Regoper = 3492,
            Regoperator = 3476,
            Regnamespace = 4086,
            Regrole = 4093,
            Regcollation = 4195
        ),
        stable
    )]
    pub fn to_reg<K: Reg>(call: &mut Call<'_>, name: &str) -> Result<Option<Oid>> {
        match call.host.resolve(K::TYPE, name) {
            // What is not there is NULL, not an error.
            Err(e) if e.state() != SqlState::FEATURE_NOT_SUPPORTED => Ok(None),
            found => found,
        }
    }

    #[ext::function(oid = 1079, stable)]
    pub fn regclass(call: &mut Call<'_>, name: &str) -> Result<Oid> {
        let missing = || SqlError::new(SqlState::UNDEFINED_TABLE, format!("relation \"{name}\" does not exist"));
        call.host.relation(name)?.ok_or_else(missing)
    }

    #[ext::function(
        each(
            Regclass = 2079,
            Regtype = 2080,
            Regproc = 2081,
            Regoper = 2082,
            Opclass = 2083,
            Conversion = 2093,
            Regcollation = 3815,
            Opfamily = 3829,
            Statistics = 3403,
            TsParser = 3756,
            Regdictionary = 3757,
            Regconfig = 3758,
            TsTemplate = 3768
        ),
        stable
    )]
    pub fn is_visible<K: Reg>(call: &mut Call<'_>, object: Oid) -> Result<Option<bool>> {
        call.host.is_visible(K::TYPE, object)
    }

    #[ext::function(
        each(
            Index = 1643,
            Constraint = 1387,
            View = 1641,
            Function = 2098,
            FunctionArguments = 2162,
            FunctionIdentityArguments = 2232,
            FunctionResult = 2165,
            FunctionSqlBody = 6197,
            Trigger = 1662,
            Rule = 1573,
            StatisticsObject = 3415,
            StatisticsColumns = 6174,
            PartitionKey = 3352,
            PartitionConstraint = 3408
        ),
        stable
    )]
    pub fn describe<K: Described>(call: &mut Call<'_>, object: Oid) -> Result<Option<String>> {
        call.host.describe(K::WHAT, object, 0, "", false)
    }

    #[ext::function(each(Constraint = 2508, View = 2506, Trigger = 2730, Rule = 2504), stable)]
    pub fn describe_pretty<K: Described>(call: &mut Call<'_>, object: Oid, pretty: bool) -> Result<Option<String>> {
        call.host.describe(K::WHAT, object, 0, "", pretty)
    }

    #[ext::function(oid = 2507, stable)]
    pub fn index_column(call: &mut Call<'_>, index: Oid, column: i32, pretty: bool) -> Result<Option<String>> {
        call.host.describe(Describe::Index, index, column, "", pretty)
    }

    #[ext::function(oid = 3159, stable)]
    pub fn view_wrapped(call: &mut Call<'_>, view: Oid, _width: i32) -> Result<Option<String>> {
        call.host.describe(Describe::View, view, 0, "", true)
    }

    fn named_view(call: &Call<'_>, name: &str, pretty: bool) -> Result<Option<String>> {
        match call.host.relation(name)? {
            Some(view) => call.host.describe(Describe::View, view, 0, "", pretty),
            None => Err(SqlError::new(SqlState::UNDEFINED_TABLE, format!("relation \"{name}\" does not exist"))),
        }
    }

    #[ext::function(oid = 1640, stable)]
    pub fn view_by_name(call: &mut Call<'_>, name: &str) -> Result<Option<String>> {
        named_view(call, name, false)
    }

    #[ext::function(oid = 2505, stable)]
    pub fn view_by_name_pretty(call: &mut Call<'_>, name: &str, pretty: bool) -> Result<Option<String>> {
        named_view(call, name, pretty)
    }

    #[ext::function(oid = 1716, stable)]
    pub fn get_expr(call: &mut Call<'_>, expression: &str, relation: Oid) -> Result<Option<String>> {
        call.host.describe(Describe::Expression, relation, 0, expression, false)
    }

    #[ext::function(oid = 2509, stable)]
    pub fn get_expr_pretty(
        call: &mut Call<'_>,
        expression: &str,
        relation: Oid,
        pretty: bool,
    ) -> Result<Option<String>> {
        call.host.describe(Describe::Expression, relation, 0, expression, pretty)
    }

    #[ext::function(oid = 3808, stable)]
    pub fn argument_default(call: &mut Call<'_>, function: Oid, n: i32) -> Result<Option<String>> {
        call.host.describe(Describe::FunctionArgumentDefault, function, n, "", false)
    }

    #[ext::function(oid = 1665, stable)]
    pub fn serial_sequence(call: &mut Call<'_>, table: &str, column: &str) -> Result<Option<String>> {
        let both = format!("{table}\0{column}");
        call.host.describe(Describe::SerialSequence, Oid::NONE, 0, &both, false)
    }

    #[ext::function(oid = 1642, stable)]
    pub fn user_by_id(call: &mut Call<'_>, role: Oid) -> Result<String> {
        let name = call.host.describe(Describe::Role, role, 0, "", false)?;
        Ok(name.unwrap_or_else(|| format!("unknown (OID={role})")))
    }

    #[ext::function(oid = 1215, stable)]
    pub fn object_comment(call: &mut Call<'_>, object: Oid, catalog: &str) -> Result<Option<String>> {
        call.host.describe(Describe::Comment, object, 0, catalog, false)
    }

    #[ext::function(oid = 1348, stable)]
    pub fn any_comment(call: &mut Call<'_>, object: Oid) -> Result<Option<String>> {
        call.host.describe(Describe::Comment, object, 0, "", false)
    }

    #[ext::function(oid = 1216, stable)]
    pub fn column_comment(call: &mut Call<'_>, table: Oid, column: i32) -> Result<Option<String>> {
        call.host.describe(Describe::ColumnComment, table, column, "", false)
    }

    #[ext::function(oid = 1993, stable)]
    pub fn shared_comment(call: &mut Call<'_>, object: Oid, catalog: &str) -> Result<Option<String>> {
        call.host.describe(Describe::SharedComment, object, 0, catalog, false)
    }

    #[ext::function(oid = 3034, stable)]
    pub fn relation_file_path(call: &mut Call<'_>, relation: Oid) -> Result<Option<String>> {
        call.host.describe(Describe::RelationFilePath, relation, 0, "", false)
    }

    #[ext::function(oid = 3537, stable)]
    pub fn describe_object(call: &mut Call<'_>, catalog: Oid, object: Oid, part: i32) -> Result<Option<String>> {
        call.host.describe(Describe::Object, object, part, &catalog.to_string(), false)
    }

    // Privileges.

    #[ext::function(each(
        OnTable = [1922, 1923, 1924, 1925], OnAnyColumn = [3024, 3025, 3026, 3027],
        OnDatabase = [2250, 2251, 2252, 2253], OnWrapper = [3000, 3001, 3002, 3003],
        OnFunction = [2256, 2257, 2258, 2259], OnLanguage = [2262, 2263, 2264, 2265], OnParameter = [6205, 6206],
        OnSchema = [2268, 2269, 2270, 2271], OnSequence = [2181, 2182, 2183, 2184],
        OnServer = [3006, 3007, 3008, 3009], OnTablespace = [2390, 2391, 2392, 2393],
        OnType = [3138, 3139, 3140, 3141], OnRole = [2705, 2706, 2707, 2708], OnLargeObject = [6348, 6350]
    ), strict, stable)]
    pub fn has_privilege_of<K: Securable>(
        call: &mut Call<'_>,
        who: &Datum,
        what: &Datum,
        privilege: &Datum,
    ) -> Result<Option<bool>> {
        let privilege = privilege.as_str().unwrap_or_default();
        call.host.has_privilege(role(who), K::KIND, object(what), None, privilege)
    }

    #[ext::function(each(
        OnTable = [1926, 1927], OnAnyColumn = [3028, 3029], OnDatabase = [2254, 2255], OnWrapper = [3004, 3005],
        OnFunction = [2260, 2261], OnLanguage = [2266, 2267], OnParameter = 6207, OnSchema = [2272, 2273],
        OnSequence = [2185, 2186], OnServer = [3010, 3011], OnTablespace = [2394, 2395], OnType = [3142, 3143],
        OnRole = [2709, 2710], OnLargeObject = 6349
    ), strict, stable)]
    pub fn has_privilege<K: Securable>(call: &mut Call<'_>, what: &Datum, privilege: &Datum) -> Result<Option<bool>> {
        let privilege = privilege.as_str().unwrap_or_default();
        call.host.has_privilege(None, K::KIND, object(what), None, privilege)
    }

    #[ext::function(oid = [3012, 3013, 3014, 3015, 3016, 3017, 3018, 3019], strict, stable)]
    pub fn has_column_privilege_of(
        call: &mut Call<'_>,
        who: &Datum,
        table: &Datum,
        which: &Datum,
        privilege: &Datum,
    ) -> Result<Option<bool>> {
        let privilege = privilege.as_str().unwrap_or_default();
        call.host.has_privilege(role(who), "column", object(table), Some(column(which)), privilege)
    }

    #[ext::function(oid = [3020, 3021, 3022, 3023], strict, stable)]
    pub fn has_column_privilege(
        call: &mut Call<'_>,
        table: &Datum,
        which: &Datum,
        privilege: &Datum,
    ) -> Result<Option<bool>> {
        let privilege = privilege.as_str().unwrap_or_default();
        call.host.has_privilege(None, "column", object(table), Some(column(which)), privilege)
    }
}
