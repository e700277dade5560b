//! `SqlError`: one word wide; SQLSTATE, message and PostgreSQL's other error fields.

use std::fmt;

/// A five-character SQLSTATE. PostgreSQL manual, appendix A.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SqlState(pub [u8; 5]);

impl SqlState {
    /// The state of the five ASCII characters of `code`.
    ///
    /// # Panics
    /// When `code` is not five bytes long.
    pub const fn new(code: &str) -> SqlState {
        let b = code.as_bytes();
        assert!(b.len() == 5, "an SQLSTATE has five characters");
        SqlState([b[0], b[1], b[2], b[3], b[4]])
    }

    /// The five characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XX000")
    }

    /// The two-character class.
    pub fn class(&self) -> &str {
        &self.as_str()[..2]
    }
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlState({})", self.as_str())
    }
}

macro_rules! states {
    ($($name:ident = $code:literal;)*) => {
        impl SqlState { $(#[doc = concat!("`", $code, "`")] pub const $name: SqlState = SqlState::new($code);)* }
        /// Every SQLSTATE this crate names, with its condition name in upper case.
        pub const SQL_STATES: &[(&str, SqlState)] = &[$((stringify!($name), SqlState::$name)),*];
    };
}

states! {
    SUCCESSFUL_COMPLETION = "00000";
    WARNING = "01000";
    WARNING_PRIVILEGE_NOT_REVOKED = "01006";
    WARNING_PRIVILEGE_NOT_GRANTED = "01007";
    NO_DATA = "02000";
    CONNECTION_EXCEPTION = "08000";
    CONNECTION_FAILURE = "08006";
    PROTOCOL_VIOLATION = "08P01";
    FEATURE_NOT_SUPPORTED = "0A000";
    INVALID_GRANT_OPERATION = "0LP01";
    CARDINALITY_VIOLATION = "21000";
    DATA_EXCEPTION = "22000";
    STRING_DATA_RIGHT_TRUNCATION = "22001";
    NULL_VALUE_NO_INDICATOR_PARAMETER = "22002";
    NUMERIC_VALUE_OUT_OF_RANGE = "22003";
    NULL_VALUE_NOT_ALLOWED = "22004";
    ERROR_IN_ASSIGNMENT = "22005";
    INVALID_DATETIME_FORMAT = "22007";
    DATETIME_FIELD_OVERFLOW = "22008";
    INVALID_TIME_ZONE_DISPLACEMENT_VALUE = "22009";
    ESCAPE_CHARACTER_CONFLICT = "2200B";
    INVALID_USE_OF_ESCAPE_CHARACTER = "2200C";
    INVALID_ESCAPE_OCTET = "2200D";
    ZERO_LENGTH_CHARACTER_STRING = "2200F";
    SEQUENCE_GENERATOR_LIMIT_EXCEEDED = "2200H";
    SUBSTRING_ERROR = "22011";
    DIVISION_BY_ZERO = "22012";
    INVALID_PRECEDING_OR_FOLLOWING_SIZE = "22013";
    INVALID_ARGUMENT_FOR_NTILE = "22014";
    INTERVAL_FIELD_OVERFLOW = "22015";
    INVALID_ARGUMENT_FOR_NTH_VALUE = "22016";
    INVALID_CHARACTER_VALUE_FOR_CAST = "22018";
    INVALID_ESCAPE_CHARACTER = "22019";
    INVALID_REGULAR_EXPRESSION = "2201B";
    INVALID_ARGUMENT_FOR_LOG = "2201E";
    INVALID_ARGUMENT_FOR_POWER_FUNCTION = "2201F";
    INVALID_ARGUMENT_FOR_WIDTH_BUCKET = "2201G";
    INVALID_ROW_COUNT_IN_LIMIT = "2201W";
    INVALID_ROW_COUNT_IN_OFFSET = "2201X";
    CHARACTER_NOT_IN_REPERTOIRE = "22021";
    INDICATOR_OVERFLOW = "22022";
    INVALID_PARAMETER_VALUE = "22023";
    UNTERMINATED_C_STRING = "22024";
    INVALID_ESCAPE_SEQUENCE = "22025";
    STRING_DATA_LENGTH_MISMATCH = "22026";
    TRIM_ERROR = "22027";
    ARRAY_SUBSCRIPT_ERROR = "2202E";
    INVALID_TABLESAMPLE_REPEAT = "2202G";
    INVALID_TABLESAMPLE_ARGUMENT = "2202H";
    INVALID_JSON_TEXT = "22032";
    FLOATING_POINT_EXCEPTION = "22P01";
    INVALID_TEXT_REPRESENTATION = "22P02";
    INVALID_BINARY_REPRESENTATION = "22P03";
    BAD_COPY_FILE_FORMAT = "22P04";
    UNTRANSLATABLE_CHARACTER = "22P05";
    NONSTANDARD_USE_OF_ESCAPE_CHARACTER = "22P06";
    INTEGRITY_CONSTRAINT_VIOLATION = "23000";
    RESTRICT_VIOLATION = "23001";
    NOT_NULL_VIOLATION = "23502";
    FOREIGN_KEY_VIOLATION = "23503";
    UNIQUE_VIOLATION = "23505";
    CHECK_VIOLATION = "23514";
    EXCLUSION_VIOLATION = "23P01";
    INVALID_CURSOR_STATE = "24000";
    INVALID_TRANSACTION_STATE = "25000";
    ACTIVE_SQL_TRANSACTION = "25001";
    READ_ONLY_SQL_TRANSACTION = "25006";
    NO_ACTIVE_SQL_TRANSACTION = "25P01";
    IN_FAILED_SQL_TRANSACTION = "25P02";
    IDLE_IN_TRANSACTION_SESSION_TIMEOUT = "25P03";
    INVALID_SQL_STATEMENT_NAME = "26000";
    TRIGGERED_DATA_CHANGE_VIOLATION = "27000";
    INVALID_AUTHORIZATION_SPECIFICATION = "28000";
    INVALID_PASSWORD = "28P01";
    DEPENDENT_PRIVILEGE_DESCRIPTORS_STILL_EXIST = "2B000";
    DEPENDENT_OBJECTS_STILL_EXIST = "2BP01";
    INVALID_TRANSACTION_TERMINATION = "2D000";
    INVALID_CURSOR_NAME = "34000";
    INVALID_SAVEPOINT_SPECIFICATION = "3B001";
    INVALID_CATALOG_NAME = "3D000";
    INVALID_SCHEMA_NAME = "3F000";
    TRANSACTION_ROLLBACK = "40000";
    SERIALIZATION_FAILURE = "40001";
    DEADLOCK_DETECTED = "40P01";
    SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION = "42000";
    INSUFFICIENT_PRIVILEGE = "42501";
    SYNTAX_ERROR = "42601";
    INVALID_NAME = "42602";
    INVALID_COLUMN_DEFINITION = "42611";
    NAME_TOO_LONG = "42622";
    DUPLICATE_COLUMN = "42701";
    AMBIGUOUS_COLUMN = "42702";
    UNDEFINED_COLUMN = "42703";
    UNDEFINED_OBJECT = "42704";
    DUPLICATE_OBJECT = "42710";
    DUPLICATE_ALIAS = "42712";
    DUPLICATE_FUNCTION = "42723";
    AMBIGUOUS_FUNCTION = "42725";
    GROUPING_ERROR = "42803";
    DATATYPE_MISMATCH = "42804";
    WRONG_OBJECT_TYPE = "42809";
    INVALID_FOREIGN_KEY = "42830";
    CANNOT_COERCE = "42846";
    UNDEFINED_FUNCTION = "42883";
    GENERATED_ALWAYS = "428C9";
    RESERVED_NAME = "42939";
    UNDEFINED_TABLE = "42P01";
    UNDEFINED_PARAMETER = "42P02";
    DUPLICATE_CURSOR = "42P03";
    DUPLICATE_DATABASE = "42P04";
    DUPLICATE_PREPARED_STATEMENT = "42P05";
    DUPLICATE_SCHEMA = "42P06";
    DUPLICATE_TABLE = "42P07";
    AMBIGUOUS_PARAMETER = "42P08";
    AMBIGUOUS_ALIAS = "42P09";
    INVALID_COLUMN_REFERENCE = "42P10";
    INVALID_CURSOR_DEFINITION = "42P11";
    INVALID_DATABASE_DEFINITION = "42P12";
    INVALID_FUNCTION_DEFINITION = "42P13";
    INVALID_PREPARED_STATEMENT_DEFINITION = "42P14";
    INVALID_SCHEMA_DEFINITION = "42P15";
    INVALID_TABLE_DEFINITION = "42P16";
    INVALID_OBJECT_DEFINITION = "42P17";
    INDETERMINATE_DATATYPE = "42P18";
    INVALID_RECURSION = "42P19";
    WINDOWING_ERROR = "42P20";
    COLLATION_MISMATCH = "42P21";
    INDETERMINATE_COLLATION = "42P22";
    WITH_CHECK_OPTION_VIOLATION = "44000";
    INSUFFICIENT_RESOURCES = "53000";
    DISK_FULL = "53100";
    OUT_OF_MEMORY = "53200";
    TOO_MANY_CONNECTIONS = "53300";
    CONFIGURATION_LIMIT_EXCEEDED = "53400";
    PROGRAM_LIMIT_EXCEEDED = "54000";
    STATEMENT_TOO_COMPLEX = "54001";
    TOO_MANY_COLUMNS = "54011";
    TOO_MANY_ARGUMENTS = "54023";
    OBJECT_NOT_IN_PREREQUISITE_STATE = "55000";
    OBJECT_IN_USE = "55006";
    CANT_CHANGE_RUNTIME_PARAM = "55P02";
    LOCK_NOT_AVAILABLE = "55P03";
    OPERATOR_INTERVENTION = "57000";
    QUERY_CANCELED = "57014";
    ADMIN_SHUTDOWN = "57P01";
    CRASH_SHUTDOWN = "57P02";
    CANNOT_CONNECT_NOW = "57P03";
    IDLE_SESSION_TIMEOUT = "57P05";
    SYSTEM_ERROR = "58000";
    IO_ERROR = "58030";
    UNDEFINED_FILE = "58P01";
    DUPLICATE_FILE = "58P02";
    CONFIG_FILE_ERROR = "F0000";
    LOCK_FILE_EXISTS = "F0001";
    PLPGSQL_ERROR = "P0000";
    RAISE_EXCEPTION = "P0001";
    INTERNAL_ERROR = "XX000";
    DATA_CORRUPTED = "XX001";
    INDEX_CORRUPTED = "XX002";
}

/// How grave a message is; errors are `Error` unless said otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Severity {
    /// The statement failed.
    #[default]
    Error,
    /// The session ends.
    Fatal,
    /// Messages that are not errors.
    Warning,
    /// Messages that are not errors.
    Notice,
    /// Messages that are not errors.
    Info,
}

impl Severity {
    /// PostgreSQL's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "ERROR",
            Severity::Fatal => "FATAL",
            Severity::Warning => "WARNING",
            Severity::Notice => "NOTICE",
            Severity::Info => "INFO",
        }
    }
}

/// The fields of an [`SqlError`], named as in the wire protocol's ErrorResponse.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// How grave.
    pub severity: Severity,
    /// The primary message, PostgreSQL's wording.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in the statement, as a 1-based count of *characters*.
    pub position: Option<u32>,
    /// Position in `internal_query`.
    pub internal_position: Option<u32>,
    /// Text of an internally generated statement.
    pub internal_query: Option<String>,
    /// Call stack, innermost first.
    pub context: Option<String>,
    /// Schema the error is about.
    pub schema: Option<String>,
    /// Table the error is about.
    pub table: Option<String>,
    /// Column the error is about.
    pub column: Option<String>,
    /// Data type the error is about.
    pub data_type: Option<String>,
    /// Constraint the error is about.
    pub constraint: Option<String>,
}

/// An SQL error or notice. One word wide, so that `Result`s stay small.
#[derive(Clone)]
pub struct SqlError(Box<(SqlState, Fields)>);

impl SqlError {
    /// An error of `state` saying `message`.
    pub fn new(state: SqlState, message: impl Into<String>) -> SqlError {
        SqlError(Box::new((state, Fields { message: message.into(), ..Fields::default() })))
    }

    /// `0A000`: `what` is not supported. `what` reads as a sentence start, e.g. `"GROUPING SETS"`.
    pub fn unsupported(what: impl fmt::Display) -> SqlError {
        SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("{what} is not supported"))
    }

    /// `01000`: a warning.
    pub fn warning(message: impl Into<String>) -> SqlError {
        SqlError::new(SqlState::WARNING, message).severity(Severity::Warning)
    }

    /// `XX000`: a broken promise inside the engine.
    pub fn internal(message: impl Into<String>) -> SqlError {
        SqlError::new(SqlState::INTERNAL_ERROR, message)
    }

    /// `42601` at `position`.
    pub fn syntax(message: impl Into<String>, position: Option<u32>) -> SqlError {
        SqlError::new(SqlState::SYNTAX_ERROR, message).at(position)
    }

    /// Sets the detail.
    #[must_use]
    pub fn detail(mut self, text: impl Into<String>) -> SqlError {
        self.0.1.detail = Some(text.into());
        self
    }

    /// Sets the hint.
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> SqlError {
        self.0.1.hint = Some(text.into());
        self
    }

    /// Sets the position (1-based, in characters) unless one is set already.
    #[must_use]
    pub fn at(mut self, position: Option<u32>) -> SqlError {
        if self.0.1.position.is_none() {
            self.0.1.position = position;
        }
        self
    }

    /// Without its position: it is in no text that anybody wrote.
    #[must_use]
    pub fn unplaced(mut self) -> SqlError {
        self.0.1.position = None;
        self
    }

    /// Adds a line to the context.
    #[must_use]
    pub fn context(mut self, line: impl AsRef<str>) -> SqlError {
        let c = &mut self.0.1.context;
        *c = Some(match c.take() {
            Some(old) => format!("{old}\n{}", line.as_ref()),
            None => line.as_ref().to_owned(),
        });
        self
    }

    /// Sets how grave it is.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> SqlError {
        self.0.1.severity = severity;
        self
    }

    /// Names the constraint, and its table and schema.
    #[must_use]
    pub fn constraint(mut self, schema: &str, table: &str, constraint: &str) -> SqlError {
        self = self.table(schema, table);
        self.0.1.constraint = Some(constraint.to_owned());
        self
    }

    /// Names the table and its schema.
    #[must_use]
    pub fn table(mut self, schema: &str, table: &str) -> SqlError {
        self.0.1.schema = Some(schema.to_owned());
        self.0.1.table = Some(table.to_owned());
        self
    }

    /// Names the column.
    #[must_use]
    pub fn column(mut self, column: &str) -> SqlError {
        self.0.1.column = Some(column.to_owned());
        self
    }

    /// The SQLSTATE.
    pub fn state(&self) -> SqlState {
        self.0.0
    }

    /// The primary message.
    pub fn message(&self) -> &str {
        &self.0.1.message
    }

    /// All fields.
    pub fn fields(&self) -> &Fields {
        &self.0.1
    }

    /// All fields, to change.
    pub fn fields_mut(&mut self) -> &mut Fields {
        &mut self.0.1
    }

    /// Whether the same transaction may succeed when run again.
    pub fn is_retryable(&self) -> bool {
        matches!(self.state(), SqlState::SERIALIZATION_FAILURE | SqlState::DEADLOCK_DETECTED)
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.0.1.severity.as_str(), self.state(), self.message())
    }
}

impl fmt::Debug for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let x = &self.0.1;
        write!(f, "{self}")?;
        for (name, value) in [("detail", &x.detail), ("hint", &x.hint), ("context", &x.context)] {
            if let Some(value) = value {
                write!(f, "; {name}: {value}")?;
            }
        }
        match x.position {
            Some(p) => write!(f, "; position: {p}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SqlError {}

const _: () = assert!(size_of::<SqlError>() == size_of::<usize>());
