//! Object identifiers: PostgreSQL's 32-bit OIDs, and the fixed ones of built-in types.

use std::fmt;

/// An object identifier. Zero is "none" (`InvalidOid`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Oid(pub u32);

impl Oid {
    /// No object.
    pub const NONE: Oid = Oid(0);
    /// The first OID a user's object may have; below it are the objects that ship with the binary.
    pub const FIRST_NORMAL: Oid = Oid(16384);

    /// Whether this names no object.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// What kind of type a user made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserType {
    /// An enum.
    Enum,
    /// A domain.
    Domain,
    /// A row type: a table's, or one of its own.
    Composite,
}

/// A user's type says by its OID what its values are made of, so that nobody has to look that up: bit 30 is set, bits 7 to 29 are a
/// number, bits 5 and 6 the kind, bit 4 whether it is the array type of the type without that bit, bits 0 to 3 the physical form.
impl Oid {
    const USER_TYPE: u32 = 1 << 30;
    const ARRAY: u32 = 1 << 4;

    /// The OID of the type that `number` identifies; `None` when that is too large.
    pub const fn user_type(number: u32, kind: UserType, form: crate::Physical) -> Option<Oid> {
        if number >= 1 << 23 {
            return None;
        }
        Some(Oid(Oid::USER_TYPE | number << 7 | (kind as u32) << 5 | form as u32))
    }

    /// Whether it is the OID of a type that a user made.
    pub const fn is_user_type(self) -> bool {
        self.0 >> 30 == 1
    }

    /// What kind of type a user's is, if it is no array.
    pub const fn user_kind(self) -> Option<UserType> {
        if !self.is_user_type() || self.0 & Oid::ARRAY != 0 {
            return None;
        }
        Some(match self.0 >> 5 & 3 {
            0 => UserType::Enum,
            1 => UserType::Domain,
            _ => UserType::Composite,
        })
    }

    /// The array type of a user's type.
    pub const fn user_array(self) -> Option<Oid> {
        if self.user_kind().is_some() { Some(Oid(self.0 | Oid::ARRAY)) } else { None }
    }

    /// The element type of a user's array type.
    pub const fn user_element(self) -> Option<Oid> {
        if self.is_user_type() && self.0 & Oid::ARRAY != 0 { Some(Oid(self.0 & !Oid::ARRAY)) } else { None }
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({})", self.0)
    }
}

macro_rules! type_oids {
    ($($name:ident = $oid:literal, $array:ident = $array_oid:literal;)*) => {
        $(
            #[doc = concat!("`pg_type` OID of `", stringify!($name), "`.")]
            pub const $name: Oid = Oid($oid);
            #[doc = concat!("`pg_type` OID of the array of `", stringify!($name), "`.")]
            pub const $array: Oid = Oid($array_oid);
        )*
        /// Element type and array type, for every built-in type named here.
        pub const ARRAY_TYPES: &[(Oid, Oid)] = &[$(($name, $array)),*];
    };
}

type_oids! {
    BOOL = 16, BOOL_ARRAY = 1000;
    BYTEA = 17, BYTEA_ARRAY = 1001;
    CHAR = 18, CHAR_ARRAY = 1002;
    NAME = 19, NAME_ARRAY = 1003;
    INT8 = 20, INT8_ARRAY = 1016;
    INT2 = 21, INT2_ARRAY = 1005;
    INT2VECTOR = 22, INT2VECTOR_ARRAY = 1006;
    INT4 = 23, INT4_ARRAY = 1007;
    REGPROC = 24, REGPROC_ARRAY = 1008;
    TEXT = 25, TEXT_ARRAY = 1009;
    OID = 26, OID_ARRAY = 1028;
    TID = 27, TID_ARRAY = 1010;
    XID = 28, XID_ARRAY = 1011;
    CID = 29, CID_ARRAY = 1012;
    OIDVECTOR = 30, OIDVECTOR_ARRAY = 1013;
    JSON = 114, JSON_ARRAY = 199;
    XML = 142, XML_ARRAY = 143;
    POINT = 600, POINT_ARRAY = 1017;
    CIDR = 650, CIDR_ARRAY = 651;
    FLOAT4 = 700, FLOAT4_ARRAY = 1021;
    FLOAT8 = 701, FLOAT8_ARRAY = 1022;
    MONEY = 790, MONEY_ARRAY = 791;
    MACADDR = 829, MACADDR_ARRAY = 1040;
    INET = 869, INET_ARRAY = 1041;
    ACLITEM = 1033, ACLITEM_ARRAY = 1034;
    BPCHAR = 1042, BPCHAR_ARRAY = 1014;
    VARCHAR = 1043, VARCHAR_ARRAY = 1015;
    DATE = 1082, DATE_ARRAY = 1182;
    TIME = 1083, TIME_ARRAY = 1183;
    TIMESTAMP = 1114, TIMESTAMP_ARRAY = 1115;
    TIMESTAMPTZ = 1184, TIMESTAMPTZ_ARRAY = 1185;
    INTERVAL = 1186, INTERVAL_ARRAY = 1187;
    TIMETZ = 1266, TIMETZ_ARRAY = 1270;
    BIT = 1560, BIT_ARRAY = 1561;
    VARBIT = 1562, VARBIT_ARRAY = 1563;
    NUMERIC = 1700, NUMERIC_ARRAY = 1231;
    REFCURSOR = 1790, REFCURSOR_ARRAY = 2201;
    REGPROCEDURE = 2202, REGPROCEDURE_ARRAY = 2207;
    REGOPER = 2203, REGOPER_ARRAY = 2208;
    REGOPERATOR = 2204, REGOPERATOR_ARRAY = 2209;
    REGCLASS = 2205, REGCLASS_ARRAY = 2210;
    REGTYPE = 2206, REGTYPE_ARRAY = 2211;
    UUID = 2950, UUID_ARRAY = 2951;
    PG_LSN = 3220, PG_LSN_ARRAY = 3221;
    REGCONFIG = 3734, REGCONFIG_ARRAY = 3735;
    REGDICTIONARY = 3769, REGDICTIONARY_ARRAY = 3770;
    JSONB = 3802, JSONB_ARRAY = 3807;
    JSONPATH = 4072, JSONPATH_ARRAY = 4073;
    REGNAMESPACE = 4089, REGNAMESPACE_ARRAY = 4090;
    REGROLE = 4096, REGROLE_ARRAY = 4097;
    REGCOLLATION = 4191, REGCOLLATION_ARRAY = 4192;
    XID8 = 5069, XID8_ARRAY = 271;
}

/// `pg_node_tree`, which holds stored expressions.
pub const PG_NODE_TREE: Oid = Oid(194);
/// The pseudo-type of an untyped literal.
pub const UNKNOWN: Oid = Oid(705);
/// The anonymous composite pseudo-type.
pub const RECORD: Oid = Oid(2249);
/// The array of [`RECORD`].
pub const RECORD_ARRAY: Oid = Oid(2287);
/// The pseudo-type `cstring`.
pub const CSTRING: Oid = Oid(2275);
/// The pseudo-type `"any"`.
pub const ANY: Oid = Oid(2276);
/// The pseudo-type `anyarray`.
pub const ANYARRAY: Oid = Oid(2277);
/// The pseudo-type `void`.
pub const VOID: Oid = Oid(2278);
/// The pseudo-type `trigger`.
pub const TRIGGER: Oid = Oid(2279);
/// The pseudo-type `internal`.
pub const INTERNAL: Oid = Oid(2281);
/// The pseudo-type `anyelement`.
pub const ANYELEMENT: Oid = Oid(2283);
/// The pseudo-type `anynonarray`.
pub const ANYNONARRAY: Oid = Oid(2776);
/// The pseudo-type `anyenum`.
pub const ANYENUM: Oid = Oid(3500);
/// The pseudo-type `anyrange`.
pub const ANYRANGE: Oid = Oid(3831);
/// The pseudo-type `anycompatible`.
pub const ANYCOMPATIBLE: Oid = Oid(5077);
/// The pseudo-type `anycompatiblearray`.
pub const ANYCOMPATIBLEARRAY: Oid = Oid(5078);
/// The pseudo-type `anycompatiblenonarray`.
pub const ANYCOMPATIBLENONARRAY: Oid = Oid(5079);

/// Collation `default`.
pub const DEFAULT_COLLATION: Oid = Oid(100);
/// Collation `C`.
pub const C_COLLATION: Oid = Oid(950);
/// Schema `pg_catalog`.
pub const PG_CATALOG_NAMESPACE: Oid = Oid(11);
/// Schema `information_schema`.
pub const INFORMATION_SCHEMA_NAMESPACE: Oid = Oid(12421);
/// Schema `public`.
pub const PUBLIC_NAMESPACE: Oid = Oid(2200);
/// The superuser that every cluster starts with.
pub const BOOTSTRAP_SUPERUSER: Oid = Oid(10);
