//! SQL/JSON functions: what a call of one says beside its arguments.

/// Which function, and how it was written.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonCall {
    /// `JSON_OBJECT(key: value, ...)`: keys and values in turn.
    Object {
        /// ABSENT ON NULL.
        absent: bool,
        /// WITH UNIQUE KEYS.
        unique: bool,
    },
    /// `JSON_ARRAY(value, ...)`.
    Array {
        /// ABSENT ON NULL.
        absent: bool,
    },
    /// `JSON_ARRAY(SELECT ...)`: of the elements of an SQL array that are not NULL.
    Collected,
    /// `JSON(text)`: with unique keys if true.
    Parse(bool),
    /// `text IS JSON`.
    Is {
        /// Of which kind.
        kind: JsonKind,
        /// WITH UNIQUE KEYS.
        unique: bool,
    },
    /// `JSON_EXISTS`, `JSON_QUERY`, `JSON_VALUE`: document, path, variables, defaults.
    Query(JsonQuery),
}

/// What kind of JSON is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named as it is written")]
pub enum JsonKind {
    Value,
    Object,
    Array,
    Scalar,
}

/// Which of the functions that run a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named as it is written")]
pub enum JsonQueryKind {
    Exists,
    Query,
    Value,
}

/// When what is found becomes an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonWrapper {
    /// WITHOUT WRAPPER.
    Never,
    /// WITH CONDITIONAL WRAPPER: unless it is one item.
    Conditional,
    /// WITH WRAPPER.
    Always,
}

/// What is answered when nothing is found, or when that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named as it is written")]
pub enum JsonBehavior {
    Null,
    Error,
    EmptyArray,
    EmptyObject,
    True,
    False,
    /// The value of this argument.
    Default(usize),
}

/// A call that runs a path.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonQuery {
    /// Which.
    pub kind: JsonQueryKind,
    /// Names of the variables.
    pub names: Vec<String>,
    /// WITH WRAPPER.
    pub wrapper: JsonWrapper,
    /// OMIT QUOTES.
    pub omit_quotes: bool,
    /// ON EMPTY.
    pub on_empty: JsonBehavior,
    /// ON ERROR.
    pub on_error: JsonBehavior,
}
