//! Text and binary forms of values: `text_in`, `text_out`, `binary_in`, `binary_out`, and the coercion to a typmod.

pub mod bits;
pub mod bytea;
pub mod float;
pub mod integer;
pub mod net;
pub mod system;
pub mod text;
pub mod uuid;

use jiff::tz::TimeZone;

use crate::array;
use crate::datetime::{self, DateOrder, DateStyle, Interval, IntervalStyle};
use crate::json;
use crate::jsonb::{Json, View};
use crate::jsonpath::Path;
use crate::numeric::Numeric;
use crate::oid::{self, Oid, UserType};
use crate::record;
use crate::{Datum, Physical, Result, SqlError, SqlState};

/// The form `bytea` is shown in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ByteaOutput {
    /// `\x0102`.
    #[default]
    Hex,
    /// Octal escapes.
    Escape,
}

/// The settings that text forms depend on, with PostgreSQL's defaults.
#[derive(Clone, Debug)]
pub struct IoSettings {
    /// `DateStyle`, output half.
    pub date_style: DateStyle,
    /// `DateStyle`, field order half.
    pub date_order: DateOrder,
    /// `IntervalStyle`.
    pub interval_style: IntervalStyle,
    /// `extra_float_digits`.
    pub extra_float_digits: i32,
    /// `bytea_output`.
    pub bytea_output: ByteaOutput,
    /// `TimeZone`.
    pub time_zone: TimeZone,
    /// The transaction's start, what `now` and `today` mean: microseconds since 2000-01-01 UTC.
    pub now: i64,
}

impl Default for IoSettings {
    fn default() -> IoSettings {
        IoSettings {
            date_style: DateStyle::Iso,
            date_order: DateOrder::Mdy,
            interval_style: IntervalStyle::Postgres,
            extra_float_digits: 1,
            bytea_output: ByteaOutput::Hex,
            time_zone: TimeZone::UTC,
            now: 0,
        }
    }
}

/// What a type is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TypeKind {
    /// A type this crate knows by its OID.
    Base,
    /// An array.
    Array {
        /// The type of its elements.
        element: Oid,
    },
    /// An enum.
    Enum,
    /// A domain; its checks are the caller's.
    Domain {
        /// The type it is over.
        base: Oid,
        /// The typmod it gives it.
        typmod: i32,
    },
    /// A row type.
    Composite {
        /// Type and typmod of each live column.
        fields: Vec<(Oid, i32)>,
    },
}

/// What only the catalog knows about types and objects.
pub trait TypeLookup {
    /// What `type_oid` is made of.
    fn kind(&self, type_oid: Oid) -> TypeKind {
        builtin_kind(type_oid)
    }

    /// The type's name as `format_type` shows it, for messages.
    fn type_name(&self, type_oid: Oid) -> String {
        builtin_name(type_oid).map_or_else(|| type_oid.to_string(), str::to_owned)
    }

    /// Names of the columns of a row type, as many as its kind lists; none when they are not known.
    fn field_names(&self, _type_oid: Oid) -> Vec<String> {
        Vec::new()
    }

    /// The value of an enum's label.
    fn enum_value(&self, _enum_type: Oid, _label: &str) -> Option<Oid> {
        None
    }

    /// The label of an enum's value.
    fn enum_label(&self, _value: Oid) -> Option<String> {
        None
    }

    /// The place of an enum's value in its order.
    fn enum_order(&self, value: Oid) -> f32 {
        value.0 as f32
    }

    /// The OID that `name` means as a value of `reg_type`; `None` leaves it to the numeric form.
    fn reg_in(&self, _reg_type: Oid, _name: &str) -> Result<Option<Oid>> {
        Ok(None)
    }

    /// How a call of a user's function names it.
    fn routine_name(&self, _function: Oid) -> Option<String> {
        None
    }

    /// How an expression names a user's operator.
    fn operator_name(&self, _operator: Oid) -> Option<String> {
        None
    }

    /// How a value of `reg_type` is shown; `None` leaves it to the numeric form.
    fn reg_out(&self, _reg_type: Oid, _value: Oid) -> Option<String> {
        None
    }
}

/// The types that ship with the binary, and no catalog.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltinTypes;
impl TypeLookup for BuiltinTypes {}

/// The kind of a built-in type.
pub fn builtin_kind(type_oid: Oid) -> TypeKind {
    match type_oid.user_kind() {
        Some(UserType::Enum) => return TypeKind::Enum,
        // Its columns are the catalog's to know; a value tells its own.
        Some(UserType::Composite) => return TypeKind::Composite { fields: Vec::new() },
        _ => {}
    }
    builtin_element(type_oid).map_or(TypeKind::Base, |element| TypeKind::Array { element })
}

/// The element type of a built-in array type.
pub fn builtin_element(array: Oid) -> Option<Oid> {
    if array == oid::RECORD_ARRAY {
        return Some(oid::RECORD);
    }
    oid::ARRAY_TYPES.iter().find(|(_, a)| *a == array).map(|(e, _)| *e).or(array.user_element())
}

/// The SQL name of a built-in type, as `format_type` shows it without typmod.
pub fn builtin_name(type_oid: Oid) -> Option<&'static str> {
    Some(match type_oid {
        oid::BOOL => "boolean",
        oid::BYTEA => "bytea",
        oid::CHAR => "\"char\"",
        oid::NAME => "name",
        oid::INT8 => "bigint",
        oid::INT2 => "smallint",
        oid::INT2VECTOR => "int2vector",
        oid::INT4 => "integer",
        oid::REGPROC => "regproc",
        oid::TEXT => "text",
        oid::OID => "oid",
        oid::TID => "tid",
        oid::XID => "xid",
        oid::CID => "cid",
        oid::OIDVECTOR => "oidvector",
        oid::JSON => "json",
        oid::XML => "xml",
        oid::POINT => "point",
        oid::CIDR => "cidr",
        oid::FLOAT4 => "real",
        oid::FLOAT8 => "double precision",
        oid::MONEY => "money",
        oid::MACADDR => "macaddr",
        oid::INET => "inet",
        oid::ACLITEM => "aclitem",
        oid::BPCHAR => "character",
        oid::VARCHAR => "character varying",
        oid::DATE => "date",
        oid::TIME => "time without time zone",
        oid::TIMESTAMP => "timestamp without time zone",
        oid::TIMESTAMPTZ => "timestamp with time zone",
        oid::INTERVAL => "interval",
        oid::TIMETZ => "time with time zone",
        oid::BIT => "bit",
        oid::VARBIT => "bit varying",
        oid::NUMERIC => "numeric",
        oid::REFCURSOR => "refcursor",
        oid::REGPROCEDURE => "regprocedure",
        oid::REGOPER => "regoper",
        oid::REGOPERATOR => "regoperator",
        oid::REGCLASS => "regclass",
        oid::REGTYPE => "regtype",
        oid::UUID => "uuid",
        oid::PG_LSN => "pg_lsn",
        oid::REGCONFIG => "regconfig",
        oid::REGDICTIONARY => "regdictionary",
        oid::JSONB => "jsonb",
        oid::JSONPATH => "jsonpath",
        oid::REGNAMESPACE => "regnamespace",
        oid::REGROLE => "regrole",
        oid::REGCOLLATION => "regcollation",
        oid::XID8 => "xid8",
        oid::PG_NODE_TREE => "pg_node_tree",
        oid::UNKNOWN => "unknown",
        oid::RECORD => "record",
        oid::CSTRING => "cstring",
        oid::ANY => "\"any\"",
        oid::ANYARRAY => "anyarray",
        oid::VOID => "void",
        oid::TRIGGER => "trigger",
        oid::INTERNAL => "internal",
        oid::ANYELEMENT => "anyelement",
        oid::ANYNONARRAY => "anynonarray",
        oid::ANYENUM => "anyenum",
        oid::ANYRANGE => "anyrange",
        oid::ANYCOMPATIBLE => "anycompatible",
        oid::ANYCOMPATIBLEARRAY => "anycompatiblearray",
        oid::ANYCOMPATIBLENONARRAY => "anycompatiblenonarray",
        _ => return None,
    })
}

/// `22P02`: text that is no value of a type.
pub(crate) fn bad_input(type_name: &str, text: &str) -> SqlError {
    SqlError::new(
        SqlState::INVALID_TEXT_REPRESENTATION,
        format!("invalid input syntax for type {type_name}: \"{text}\""),
    )
}

/// `22003`: text that is a value beyond a type's range.
pub(crate) fn out_of_range(type_name: &str, text: &str) -> SqlError {
    SqlError::new(
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
        format!("value \"{text}\" is out of range for type {type_name}"),
    )
}

/// `XX000`: a datum that is not of its type's physical form (T1).
pub(crate) fn mismatch(type_oid: Oid, datum: &Datum) -> SqlError {
    SqlError::internal(format!("type {type_oid} cannot hold {datum:?}"))
}

/// Whether PostgreSQL's input functions skip `c`.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// Reads a value of a built-in type from text.
pub fn text_in(type_oid: Oid, typmod: i32, text: &str, settings: &IoSettings) -> Result<Datum> {
    text_in_with(type_oid, typmod, text, settings, &BuiltinTypes)
}

/// Reads a value from text, with the catalog's knowledge.
pub fn text_in_with(
    type_oid: Oid,
    typmod: i32,
    text: &str,
    settings: &IoSettings,
    types: &dyn TypeLookup,
) -> Result<Datum> {
    Ok(match type_oid {
        oid::BOOL => Datum::Bool(text::parse_bool(text)?),
        oid::INT2 => Datum::I16(integer::parse_i16(text)?),
        oid::INT4 => Datum::I32(integer::parse_i32(text)?),
        oid::INT8 => Datum::I64(integer::parse_i64(text)?),
        oid::FLOAT4 => Datum::F32(float::parse_f32(text)?),
        oid::FLOAT8 => Datum::F64(float::parse_f64(text)?),
        oid::NUMERIC => Numeric::parse(text)?.apply_typmod(typmod)?.to_datum(),
        oid::TEXT | oid::UNKNOWN | oid::CSTRING | oid::REFCURSOR | oid::PG_NODE_TREE | oid::ACLITEM => {
            text::checked(text)?
        }
        oid::VARCHAR => text::varchar(text, typmod, false)?,
        oid::BPCHAR => text::bpchar(text, typmod, false)?,
        oid::NAME => text::name(text),
        oid::CHAR => Datum::I8(text::parse_char(text)),
        oid::BYTEA => Datum::from(bytea::parse(text)?),
        oid::UUID => Datum::B16(uuid::parse(text)?),
        oid::DATE => Datum::I32(datetime::parse_date(text, settings)?),
        oid::TIME => coerce(type_oid, typmod, Datum::I64(datetime::parse_time(text, settings)?), false)?,
        oid::TIMETZ => {
            let (micros, west) = datetime::parse_timetz(text, settings)?;
            coerce(type_oid, typmod, Datum::B16(datetime::timetz_bytes(micros, west)), false)?
        }
        oid::TIMESTAMP => Datum::I64(datetime::timestamp_typmod(datetime::parse_timestamp(text, settings)?, typmod)?),
        oid::TIMESTAMPTZ => {
            Datum::I64(datetime::timestamp_typmod(datetime::parse_timestamptz(text, settings)?, typmod)?)
        }
        oid::INTERVAL => datetime::parse_interval(text, typmod, settings)?.apply_typmod(typmod)?.to_datum(),
        oid::BIT => bits::parse_bit(text, typmod)?,
        oid::VARBIT => bits::parse_varbit(text, typmod)?,
        oid::OID => Datum::U32(integer::parse_u32(text, "oid")?),
        oid::XID => Datum::U32(integer::parse_u32(text, "xid")?),
        oid::CID => Datum::U32(integer::parse_u32(text, "cid")?),
        oid::XID8 => Datum::I64(integer::parse_u64(text, "xid8")? as i64),
        oid::TID => Datum::I64(system::parse_tid(text)?),
        oid::PG_LSN => Datum::I64(system::parse_lsn(text)?),
        oid::JSON => {
            json::parse(text, None)?;
            Datum::text(text)
        }
        oid::JSONB => Json::parse(text)?.to_datum(),
        oid::JSONPATH => jsonpath(text)?,
        oid::INET | oid::CIDR => net::parse(text, type_oid == oid::CIDR)?,
        oid::MACADDR => net::parse_mac(text)?,
        oid::INT2VECTOR => array::vector_in(oid::INT2, text)?,
        oid::OIDVECTOR => array::vector_in(oid::OID, text)?,
        t if is_reg(t) => Datum::U32(system::parse_reg(t, text, types)?),
        t => match types.kind(t) {
            TypeKind::Array { element } => array::text_in(element, typmod, text, settings, types)?,
            TypeKind::Domain { base, typmod } => return text_in_with(base, typmod, text, settings, types),
            TypeKind::Enum => Datum::from(types.enum_value(t, text).ok_or_else(|| enum_error(t, text, types))?),
            TypeKind::Composite { fields } => record::text_in(&fields, text, settings, types)?,
            TypeKind::Base if t == oid::RECORD => {
                return Err(SqlError::new(
                    SqlState::FEATURE_NOT_SUPPORTED,
                    "input of anonymous composite types is not implemented",
                ));
            }
            TypeKind::Base => return Err(SqlError::unsupported(format!("input of type {}", types.type_name(t)))),
        },
    })
}

/// Writes a value of a built-in type as text. NULL writes nothing.
pub fn text_out(type_oid: Oid, datum: &Datum, settings: &IoSettings, out: &mut Vec<u8>) -> Result<()> {
    text_out_with(type_oid, datum, settings, &BuiltinTypes, out)
}

/// Writes a value as text, with the catalog's knowledge. NULL writes nothing.
pub fn text_out_with(
    type_oid: Oid,
    datum: &Datum,
    settings: &IoSettings,
    types: &dyn TypeLookup,
    out: &mut Vec<u8>,
) -> Result<()> {
    match (type_oid, datum) {
        (_, Datum::Null) | (oid::VOID, _) => {}
        (oid::BOOL, Datum::Bool(v)) => out.push(if *v { b't' } else { b'f' }),
        (oid::CHAR, Datum::I8(v)) => text::format_char(*v, out),
        (oid::INT2, Datum::I16(v)) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        (oid::INT4, Datum::I32(v)) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        (oid::INT8, Datum::I64(v)) => out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes()),
        (oid::FLOAT4, Datum::F32(v)) => float::format_f32(*v, settings.extra_float_digits, out),
        (oid::FLOAT8, Datum::F64(v)) => float::format_f64(*v, settings.extra_float_digits, out),
        (oid::NUMERIC, Datum::Var(b)) => Numeric::from_bytes(b).format(out),
        (oid::BYTEA, Datum::Var(b)) => bytea::format(b, settings.bytea_output, out),
        (oid::UUID, Datum::B16(b)) => uuid::format(b, out),
        (oid::DATE, Datum::I32(v)) => datetime::format_date(*v, settings.date_style, settings.date_order, out),
        (oid::TIME, Datum::I64(v)) => datetime::format_time(*v, out),
        (oid::TIMETZ, Datum::B16(b)) => {
            let (micros, west) = datetime::timetz_parts(b);
            datetime::format_timetz(micros, west, out);
        }
        (oid::TIMESTAMP, Datum::I64(v)) => {
            datetime::format_timestamp(*v, settings.date_style, settings.date_order, out)
        }
        (oid::TIMESTAMPTZ, Datum::I64(v)) => {
            datetime::format_timestamptz(*v, settings.date_style, settings.date_order, &settings.time_zone, out);
        }
        (oid::INTERVAL, Datum::B16(b)) => {
            datetime::format_interval(Interval::from_bytes(b), settings.interval_style, out)
        }
        (oid::BIT | oid::VARBIT, Datum::Var(b)) => bits::format(b, out),
        (oid::TID, Datum::I64(v)) => system::format_tid(*v, out),
        (oid::PG_LSN, Datum::I64(v)) => system::format_lsn(*v, out),
        (oid::XID8, Datum::I64(v)) => out.extend_from_slice(itoa::Buffer::new().format(*v as u64).as_bytes()),
        (oid::OID | oid::XID | oid::CID, Datum::U32(v)) => {
            out.extend_from_slice(itoa::Buffer::new().format(*v).as_bytes())
        }
        (t, Datum::U32(v)) if is_reg(t) => system::format_reg(t, *v, types, out),
        (t, Datum::Var(b)) if is_textual(t) => out.extend_from_slice(b),
        (oid::JSONB, Datum::Var(b)) => View::new(b).format(out),
        (oid::RECORD, Datum::Var(b)) => record::text_out(b, 0, settings, types, out)?,
        (oid::INET | oid::CIDR, Datum::Var(b)) => net::format(b, type_oid == oid::CIDR, out),
        (oid::MACADDR, Datum::Var(b)) => net::format_mac(b, out),
        (oid::INT2VECTOR | oid::OIDVECTOR, Datum::Var(b)) => array::vector_out(b, out),
        (oid::ANYARRAY, Datum::Var(b)) => array::text_out(b, settings, types, out)?,
        (t, d) => match (types.kind(t), d) {
            (TypeKind::Array { .. }, Datum::Var(b)) => array::text_out(b, settings, types, out)?,
            (TypeKind::Domain { base, .. }, d) => return text_out_with(base, d, settings, types, out),
            (TypeKind::Enum, Datum::U32(v)) => out.extend_from_slice(enum_label(*v, types)?.as_bytes()),
            (TypeKind::Composite { fields }, Datum::Var(b)) => record::text_out(b, fields.len(), settings, types, out)?,
            _ if builtin_name(t).is_some() && d.physical() == Some(Physical::of(t)) => {
                return Err(SqlError::unsupported(format!("output of type {}", types.type_name(t))));
            }
            _ => return Err(mismatch(t, d)),
        },
    }
    Ok(())
}

fn enum_error(enum_type: Oid, label: &str, types: &dyn TypeLookup) -> SqlError {
    SqlError::new(
        SqlState::INVALID_TEXT_REPRESENTATION,
        format!("invalid input value for enum {}: \"{label}\"", types.type_name(enum_type)),
    )
}

fn enum_label(value: u32, types: &dyn TypeLookup) -> Result<String> {
    types.enum_label(Oid(value)).ok_or_else(|| {
        SqlError::new(SqlState::INVALID_BINARY_REPRESENTATION, format!("invalid internal value for enum: {value}"))
    })
}

/// A value's text form as a string.
pub fn to_text(type_oid: Oid, datum: &Datum, settings: &IoSettings) -> Result<String> {
    let mut out = Vec::new();
    text_out(type_oid, datum, settings, &mut out)?;
    String::from_utf8(out).map_err(|_| SqlError::internal("text form is not valid UTF-8"))
}

/// Whether a value's bytes are its text (T3).
pub fn is_textual(type_oid: Oid) -> bool {
    matches!(
        type_oid,
        oid::TEXT
            | oid::VARCHAR
            | oid::BPCHAR
            | oid::NAME
            | oid::UNKNOWN
            | oid::CSTRING
            | oid::REFCURSOR
            | oid::PG_NODE_TREE
            | oid::JSON
            | oid::ACLITEM
            | oid::XML
            | oid::JSONPATH
    )
}

/// A path in its canonical text.
fn jsonpath(text: &str) -> Result<Datum> {
    let mut out = Vec::new();
    Path::parse(text)?.format(&mut out);
    Ok(Datum::from(out))
}

/// Whether a built-in type is a plain `U32`; others are enums.
fn known_u32(type_oid: Oid) -> bool {
    Physical::of(type_oid) == Physical::U32 && !type_oid.is_user_type()
}

/// Whether a type is one of the OID aliases.
pub fn is_reg(type_oid: Oid) -> bool {
    Physical::of(type_oid) == Physical::U32
        && !type_oid.is_user_type()
        && !matches!(type_oid, oid::OID | oid::XID | oid::CID)
}

/// `08P01`: binary data that is too short.
pub(crate) fn short() -> SqlError {
    SqlError::new(SqlState::PROTOCOL_VIOLATION, "insufficient data left in message")
}

/// Binary data that are yet to be read.
pub(crate) struct BinaryReader<'a>(pub &'a [u8]);

impl<'a> BinaryReader<'a> {
    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n).ok_or_else(short)?;
        self.0 = rest;
        Ok(head)
    }

    /// The next four bytes as a number.
    pub fn int(&mut self) -> Result<i32> {
        self.take(4).map(|b| i32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }
}

/// Binary data as an array of exactly `N` bytes.
pub(crate) fn exact<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    match <[u8; N]>::try_from(bytes) {
        Ok(b) => Ok(b),
        Err(_) if bytes.len() < N => Err(short()),
        Err(_) => Err(SqlError::new(SqlState::INVALID_BINARY_REPRESENTATION, "incorrect binary data format")),
    }
}

/// Reads a value of a built-in type from its binary form.
pub fn binary_in(type_oid: Oid, typmod: i32, bytes: &[u8]) -> Result<Datum> {
    binary_in_with(type_oid, typmod, bytes, &BuiltinTypes)
}

/// Reads a value from its binary form, with the catalog's knowledge.
pub fn binary_in_with(type_oid: Oid, typmod: i32, bytes: &[u8], types: &dyn TypeLookup) -> Result<Datum> {
    let datum = match type_oid {
        oid::BOOL => Datum::Bool(exact::<1>(bytes)?[0] != 0),
        oid::CHAR => Datum::I8(exact::<1>(bytes)?[0] as i8),
        oid::INT2 => Datum::I16(i16::from_be_bytes(exact(bytes)?)),
        oid::INT4 => Datum::I32(i32::from_be_bytes(exact(bytes)?)),
        oid::INT8 => Datum::I64(i64::from_be_bytes(exact(bytes)?)),
        oid::FLOAT4 => Datum::F32(f32::from_be_bytes(exact(bytes)?)),
        oid::FLOAT8 => Datum::F64(f64::from_be_bytes(exact(bytes)?)),
        oid::NUMERIC => return Ok(Numeric::binary_in(bytes)?.apply_typmod(typmod)?.to_datum()),
        oid::BYTEA => Datum::bytes(bytes),
        oid::UUID => Datum::B16(exact(bytes)?),
        oid::DATE => {
            let v = i32::from_be_bytes(exact(bytes)?);
            if v != datetime::DATE_INFINITY && v != datetime::DATE_NEG_INFINITY && !datetime::is_valid_date(v.into()) {
                return Err(datetime::date_out_of_range());
            }
            Datum::I32(v)
        }
        oid::TIME => {
            let v = i64::from_be_bytes(exact(bytes)?);
            if !(0..=datetime::MICROS_PER_DAY).contains(&v) {
                return Err(SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "time out of range"));
            }
            Datum::I64(v)
        }
        oid::TIMETZ => {
            let b = exact::<12>(bytes)?;
            let (m, z) = b.split_at(8);
            let (micros, west) = (i64::from_be_bytes(exact(m)?), i32::from_be_bytes(exact(z)?));
            if !(0..=datetime::MICROS_PER_DAY).contains(&micros) {
                return Err(SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "time out of range"));
            }
            if west <= -16 * 3600 || west >= 16 * 3600 {
                return Err(SqlError::new(
                    SqlState::INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                    "time zone displacement out of range",
                ));
            }
            Datum::B16(datetime::timetz_bytes(micros, west))
        }
        oid::TIMESTAMP | oid::TIMESTAMPTZ => {
            let v = i64::from_be_bytes(exact(bytes)?);
            if v != i64::MAX && v != i64::MIN && !datetime::is_valid_timestamp(v) {
                return Err(datetime::timestamp_out_of_range());
            }
            Datum::I64(v)
        }
        oid::INTERVAL => {
            let b = exact::<16>(bytes)?;
            let (micros, rest) = b.split_at(8);
            let (days, months) = rest.split_at(4);
            Datum::interval(
                i64::from_be_bytes(exact(micros)?),
                i32::from_be_bytes(exact(days)?),
                i32::from_be_bytes(exact(months)?),
            )
        }
        oid::BIT | oid::VARBIT => bits::binary_in(bytes)?,
        oid::TID => system::tid_binary_in(bytes)?,
        oid::PG_LSN | oid::XID8 => Datum::I64(i64::from_be_bytes(exact(bytes)?)),
        t if known_u32(t) => Datum::U32(u32::from_be_bytes(exact(bytes)?)),
        oid::JSON => {
            let s = text::from_utf8(bytes)?;
            json::parse(s, None)?;
            Datum::text(s)
        }
        oid::JSONPATH => {
            let Some((version, rest)) = bytes.split_first() else { return Err(short()) };
            if *version != 1 {
                return Err(SqlError::internal(format!("unsupported jsonpath version number: {version}")));
            }
            jsonpath(text::from_utf8(rest)?)?
        }
        t if is_textual(t) && t != oid::ACLITEM => {
            let s = text::from_utf8(bytes)?;
            if t == oid::NAME {
                return text::name_binary(s);
            }
            text::checked(s)?
        }
        oid::JSONB => {
            let Some((version, rest)) = bytes.split_first() else { return Err(short()) };
            if *version != 1 {
                return Err(SqlError::internal(format!("unsupported jsonb version number {version}")));
            }
            Json::parse(text::from_utf8(rest)?)?.to_datum()
        }
        oid::INET | oid::CIDR => net::binary_in(bytes, type_oid == oid::CIDR)?,
        oid::MACADDR => Datum::bytes(&exact::<6>(bytes)?),
        oid::INT2VECTOR => array::binary_in(oid::INT2, -1, bytes, types)?,
        oid::OIDVECTOR => array::binary_in(oid::OID, -1, bytes, types)?,
        t => match types.kind(t) {
            TypeKind::Array { element } => return array::binary_in(element, typmod, bytes, types),
            TypeKind::Domain { base, typmod } => return binary_in_with(base, typmod, bytes, types),
            TypeKind::Enum => {
                let label = text::from_utf8(bytes)?;
                Datum::from(types.enum_value(t, label).ok_or_else(|| enum_error(t, label, types))?)
            }
            TypeKind::Composite { fields } => record::binary_in(&fields, bytes, types)?,
            TypeKind::Base if t == oid::RECORD => {
                return Err(SqlError::new(
                    SqlState::FEATURE_NOT_SUPPORTED,
                    "input of anonymous composite types is not implemented",
                ));
            }
            TypeKind::Base => {
                return Err(SqlError::unsupported(format!("binary input of type {}", types.type_name(t))));
            }
        },
    };
    coerce(type_oid, typmod, datum, false)
}

/// Writes a value of a built-in type in its binary form. NULL writes nothing.
pub fn binary_out(type_oid: Oid, datum: &Datum, out: &mut Vec<u8>) -> Result<()> {
    binary_out_with(type_oid, datum, &BuiltinTypes, out)
}

/// Writes a value in its binary form, with the catalog's knowledge. NULL writes nothing.
pub fn binary_out_with(type_oid: Oid, datum: &Datum, types: &dyn TypeLookup, out: &mut Vec<u8>) -> Result<()> {
    match (type_oid, datum) {
        (_, Datum::Null) | (oid::VOID, _) => {}
        (oid::TID, Datum::I64(v)) => system::tid_binary_out(*v, out),
        (_, Datum::Bool(v)) => out.push(u8::from(*v)),
        (_, Datum::I8(v)) => out.push(*v as u8),
        (_, Datum::I16(v)) => out.extend_from_slice(&v.to_be_bytes()),
        (_, Datum::I32(v)) => out.extend_from_slice(&v.to_be_bytes()),
        (t, Datum::U32(v)) if !known_u32(t) => match types.kind(t) {
            TypeKind::Enum => out.extend_from_slice(enum_label(*v, types)?.as_bytes()),
            _ => out.extend_from_slice(&v.to_be_bytes()),
        },
        (_, Datum::U32(v)) => out.extend_from_slice(&v.to_be_bytes()),
        (_, Datum::I64(v)) => out.extend_from_slice(&v.to_be_bytes()),
        (_, Datum::F32(v)) => out.extend_from_slice(&v.to_be_bytes()),
        (_, Datum::F64(v)) => out.extend_from_slice(&v.to_be_bytes()),
        (oid::UUID, Datum::B16(b)) => out.extend_from_slice(b),
        (oid::INTERVAL, Datum::B16(b)) => {
            let v = Interval::from_bytes(b);
            out.extend_from_slice(&v.micros.to_be_bytes());
            out.extend_from_slice(&v.days.to_be_bytes());
            out.extend_from_slice(&v.months.to_be_bytes());
        }
        (oid::TIMETZ, Datum::B16(b)) => {
            let (micros, west) = datetime::timetz_parts(b);
            out.extend_from_slice(&micros.to_be_bytes());
            out.extend_from_slice(&west.to_be_bytes());
        }
        (oid::NUMERIC, Datum::Var(b)) => Numeric::from_bytes(b).binary_out(out),
        (oid::BIT | oid::VARBIT, Datum::Var(b)) => bits::binary_out(b, out),
        (oid::BYTEA, Datum::Var(b)) => out.extend_from_slice(b),
        (oid::JSONPATH, Datum::Var(b)) => {
            out.push(1);
            out.extend_from_slice(b);
        }
        (t, Datum::Var(b)) if is_textual(t) && t != oid::ACLITEM => out.extend_from_slice(b),
        (oid::RECORD, Datum::Var(b)) => record::binary_out(b, types, out)?,
        (oid::JSONB, Datum::Var(b)) => {
            out.push(1);
            View::new(b).format(out);
        }
        (oid::INET | oid::CIDR, Datum::Var(b)) => net::binary_out(b, type_oid == oid::CIDR, out),
        (oid::MACADDR, Datum::Var(b)) => out.extend_from_slice(b),
        (oid::INT2VECTOR | oid::OIDVECTOR, Datum::Var(b)) => array::binary_out(b, types, out)?,
        (t, d) => match (types.kind(t), d) {
            (TypeKind::Array { .. }, Datum::Var(b)) => array::binary_out(b, types, out)?,
            (TypeKind::Composite { .. }, Datum::Var(b)) => record::binary_out(b, types, out)?,
            (TypeKind::Domain { base, .. }, d) => return binary_out_with(base, d, types, out),
            _ => return Err(SqlError::unsupported(format!("binary output of type {}", types.type_name(t)))),
        },
    }
    Ok(())
}

/// Brings a value to the typmod of its type. An `explicit` cast cuts strings that an assignment refuses. The typmod of
/// an array is that of its elements.
pub fn coerce(type_oid: Oid, typmod: i32, datum: Datum, explicit: bool) -> Result<Datum> {
    if typmod < 0 || datum.is_null() {
        return Ok(datum);
    }
    Ok(match (type_oid, &datum) {
        // No more bytes than characters allowed: it is as it should be.
        (oid::VARCHAR, Datum::Var(b)) if typmod >= 4 && b.len() <= (typmod - 4) as usize => datum,
        (oid::VARCHAR, Datum::Var(_)) => text::varchar(datum.as_str().unwrap_or_default(), typmod, explicit)?,
        (oid::BPCHAR, Datum::Var(_)) => text::bpchar(datum.as_str().unwrap_or_default(), typmod, explicit)?,
        (oid::NUMERIC, Datum::Var(b)) => Numeric::from_bytes(b).apply_typmod(typmod)?.to_datum(),
        (oid::BIT, Datum::Var(b)) => bits::coerce_bit(b, typmod, explicit)?,
        (oid::VARBIT, Datum::Var(b)) => bits::coerce_varbit(b, typmod, explicit)?,
        (oid::TIME, Datum::I64(v)) => Datum::I64(datetime::round_micros(*v, typmod).unwrap_or(*v)),
        (oid::TIMETZ, Datum::B16(b)) => {
            let (micros, west) = datetime::timetz_parts(b);
            Datum::B16(datetime::timetz_bytes(datetime::round_micros(micros, typmod).unwrap_or(micros), west))
        }
        (oid::TIMESTAMP | oid::TIMESTAMPTZ, Datum::I64(v)) => Datum::I64(datetime::timestamp_typmod(*v, typmod)?),
        (oid::INTERVAL, Datum::B16(b)) => Interval::from_bytes(b).apply_typmod(typmod)?.to_datum(),
        (t, Datum::Var(b)) if let Some(element) = builtin_element(t) => {
            let mut a = array::Array::from_bytes(b);
            for v in &mut a.values {
                *v = coerce(element, typmod, std::mem::take(v), explicit)?;
            }
            a.to_datum()
        }
        _ => datum,
    })
}

#[cfg(test)]
mod tests;
