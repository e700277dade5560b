//! `Host`: what a function may ask of the session that runs it.

use types::{Oid, Result, SqlError, SqlState};

/// What kind of object `Host::describe` is to put into words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each is named after the function that asks")]
pub enum Describe {
    /// `pg_get_indexdef(oid, column, pretty)`: `number` is the column, 0 for all.
    Index,
    /// `pg_get_constraintdef`.
    Constraint,
    /// `pg_get_expr(text, relation)`: `text` is the stored expression.
    Expression,
    /// `pg_get_viewdef`.
    View,
    /// `pg_get_functiondef`.
    Function,
    FunctionArguments,
    FunctionIdentityArguments,
    FunctionResult,
    FunctionArgumentDefault,
    FunctionSqlBody,
    Trigger,
    Rule,
    Statistics,
    StatisticsColumns,
    PartitionKey,
    PartitionConstraint,
    /// `pg_get_serial_sequence(table, column)`: `text` is both, NUL between.
    SerialSequence,
    /// `pg_get_userbyid`.
    Role,
    /// `obj_description(oid, catalog)`, `obj_description(oid)`: `text` is the catalog's name.
    Comment,
    /// `col_description(table, column)`.
    ColumnComment,
    /// `shobj_description(oid, catalog)`.
    SharedComment,
    /// `pg_tablespace_location`, `pg_relation_filepath`.
    RelationFilePath,
    /// `pg_describe_object`-like wording of an OID in a catalog.
    Object,
}

/// Session services. Every method has a default that answers `0A000`, or what PostgreSQL says when there is nothing.
#[allow(missing_docs, reason = "methods are named after the SQL functions that call them")]
pub trait Host {
    /// Start of the transaction: microseconds since 2000-01-01 UTC.
    fn now(&self) -> i64 {
        0
    }
    fn statement_timestamp(&self) -> i64 {
        self.now()
    }
    fn clock_timestamp(&self) -> i64 {
        self.now()
    }
    fn postmaster_start_time(&self) -> i64 {
        self.now()
    }
    fn current_user(&self) -> &str {
        "postgres"
    }
    fn session_user(&self) -> &str {
        "postgres"
    }
    /// From here on things are done as `role` may, whose function is being called.
    fn enter_role(&mut self, _role: Oid) -> Result<()> {
        Err(SqlError::unsupported("SECURITY DEFINER here"))
    }
    /// What the last `enter_role` did is over.
    fn leave_role(&mut self) {}
    fn current_database(&self) -> &str {
        "postgres"
    }
    /// The id of the row of `table`, called `shown`, that a cursor stands on.
    fn current_row(&self, cursor: &str, table: types::Oid, shown: &str) -> Result<i64> {
        let _ = (table, shown);
        Err(types::SqlError::new(types::SqlState::INVALID_CURSOR_NAME, format!("cursor \"{cursor}\" does not exist")))
    }
    /// The text of the statement being run.
    fn current_query(&self) -> Option<&str> {
        None
    }
    /// Schemas looked through, in order; implicit ones (`pg_catalog`, temporary) on demand.
    fn search_path(&self, include_implicit: bool) -> Vec<String> {
        if include_implicit { vec!["pg_catalog".to_owned(), "public".to_owned()] } else { vec!["public".to_owned()] }
    }
    /// A setting's value as `SHOW` gives it; `None` when there is no such setting.
    fn setting(&self, _name: &str) -> Option<String> {
        None
    }
    /// The rows of `pg_settings`.
    fn settings(&self) -> Vec<Vec<types::Datum>> {
        Vec::new()
    }
    /// Changes a setting, for the transaction if `local`; gives its new value.
    fn set_setting(&mut self, _name: &str, _value: Option<&str>, _local: bool) -> Result<String> {
        Err(SqlError::unsupported("set_config here"))
    }
    fn nextval(&mut self, _sequence: Oid) -> Result<i64> {
        Err(SqlError::unsupported("nextval here"))
    }
    fn currval(&mut self, _sequence: Oid) -> Result<i64> {
        Err(SqlError::unsupported("currval here"))
    }
    fn setval(&mut self, _sequence: Oid, _value: i64, _is_called: bool) -> Result<i64> {
        Err(SqlError::unsupported("setval here"))
    }
    fn lastval(&mut self) -> Result<i64> {
        Err(SqlError::unsupported("lastval here"))
    }
    /// The OID of the object of type `reg_type` (`oid::REGCLASS`, ...) that `name` means.
    fn resolve(&self, _reg_type: Oid, _name: &str) -> Result<Option<Oid>> {
        Ok(None)
    }
    /// The name of an object of type `reg_type` as that type shows it.
    fn object_name(&self, _reg_type: Oid, _oid: Oid) -> Option<String> {
        None
    }
    /// The relation that `name` means (`regclass`).
    fn relation(&self, name: &str) -> Result<Option<Oid>> {
        self.resolve(types::oid::REGCLASS, name)
    }
    /// How `regclass` shows a relation.
    fn relation_name(&self, relation: Oid) -> Option<String> {
        self.object_name(types::oid::REGCLASS, relation)
    }
    /// A user's type as `format_type` shows it.
    fn type_name(&self, _type_oid: Oid, _typmod: i32) -> Option<String> {
        None
    }
    /// A random number in `[0, 1)` of the session's own generator.
    fn random(&mut self) -> Result<f64> {
        let mut bytes = [0; 8];
        self.entropy(&mut bytes)?;
        Ok((u64::from_le_bytes(bytes) >> 11) as f64 / (1u64 << 53) as f64)
    }
    /// 64 bits of the session's own generator.
    fn random_bits(&mut self) -> Result<u64> {
        let mut bytes = [0; 8];
        self.entropy(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
    /// Seeds the session's generator.
    fn set_seed(&mut self, _seed: f64) -> Result<()> {
        Err(SqlError::unsupported("setseed here"))
    }
    /// Bytes that nobody can guess.
    fn entropy(&mut self, _bytes: &mut [u8]) -> Result<()> {
        Err(SqlError::unsupported("randomness here"))
    }
    fn backend_pid(&self) -> i32 {
        0
    }
    /// Waits, but not longer than until the statement is cancelled.
    fn sleep(&mut self, _seconds: f64) -> Result<()> {
        Err(SqlError::unsupported("pg_sleep here"))
    }
    /// Cancels what another session does, or ends it; whether that was done.
    fn signal(&mut self, _pid: i32, _signal: Signal) -> Result<bool> {
        Err(SqlError::unsupported("signalling sessions here"))
    }
    /// Tells the client, before the statement ends: a notice or warning.
    fn notice(&mut self, _notice: SqlError) {}
    /// What [`Host::notice`] was given and nobody has been told of.
    fn take_notices(&mut self) -> Vec<SqlError> {
        Vec::new()
    }
    /// The transaction's number, assigning one if `assign`.
    fn transaction_id(&mut self, _assign: bool) -> Result<Option<u64>> {
        Err(SqlError::unsupported("transaction ids here"))
    }
    /// Takes (`Some(true)` waiting, `Some(false)` trying) or gives back (`None`) an advisory lock.
    fn advisory_lock(&mut self, _key: AdvisoryKey, _request: AdvisoryRequest) -> Result<bool> {
        Err(SqlError::unsupported("advisory locks here"))
    }
    /// Puts an object into words; `None` is SQL NULL.
    fn describe(
        &self,
        _what: Describe,
        _object: Oid,
        _number: i32,
        text: &str,
        _pretty: bool,
    ) -> Result<Option<String>> {
        let _ = text;
        Err(SqlError::unsupported("describing objects here"))
    }
    /// Whether an object of `reg_type` is found by its bare name; `None` when there is none.
    fn is_visible(&self, _reg_type: Oid, _object: Oid) -> Result<Option<bool>> {
        Err(SqlError::unsupported("visibility of objects here"))
    }
    /// Whether `role` (`None`: the current user) has `privilege` on an object (`kind` as in `has_<kind>_privilege`; by name or OID); `None` when
    /// the object does not exist.
    fn has_privilege(
        &self,
        _role: Option<RoleRef<'_>>,
        _kind: &str,
        _object: ObjectRef<'_>,
        _column: Option<ColumnRef<'_>>,
        _privilege: &str,
    ) -> Result<Option<bool>> {
        Err(SqlError::unsupported("privilege checks here"))
    }
    /// Bytes an object takes: `kind` is `relation`, `table`, `indexes`, `total_relation` or `database`.
    fn size(&self, _kind: &str, _object: ObjectRef<'_>) -> Result<Option<i64>> {
        Err(SqlError::unsupported("sizes of objects here"))
    }
    /// Sends a notification.
    fn notify(&mut self, _channel: &str, _payload: &str) -> Result<()> {
        Err(SqlError::unsupported("pg_notify here"))
    }
    /// Address and port of the client, of the server; `None` when not connected by TCP.
    fn addresses(&self) -> Option<[(String, u16); 2]> {
        None
    }
    /// Fails when the statement is to stop; long loops ask now and then.
    fn check_interrupts(&self) -> Result<()> {
        Ok(())
    }
    /// The rows of a set-returning function that the session implements, by the function's name.
    fn rows(&mut self, name: &str, _args: &[types::Datum]) -> Result<Vec<Vec<types::Datum>>> {
        Err(SqlError::unsupported(format!("function {name}")))
    }
    /// Anything else, by name: the way out for functions that the session implements itself.
    fn call(&mut self, name: &str, _args: &[types::Datum]) -> Result<types::Datum> {
        Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("function {name} is not supported")))
    }
}

/// A role, by name or OID.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "named after what they hold")]
pub enum RoleRef<'a> {
    Name(&'a str),
    Oid(Oid),
}

/// An object, by name or OID.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "named after what they hold")]
pub enum ObjectRef<'a> {
    Name(&'a str),
    Oid(Oid),
}

/// A column, by name or number.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "named after what they hold")]
pub enum ColumnRef<'a> {
    Name(&'a str),
    Number(i16),
}

/// What one session has another do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// End its statement.
    Cancel,
    /// End.
    Terminate {
        /// Milliseconds to wait for that; 0: it is not waited for.
        wait_ms: u64,
    },
}

/// What an advisory lock is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AdvisoryKey {
    /// One number.
    One(i64),
    /// Two numbers.
    Two(i32, i32),
    /// All of the session's.
    All,
}

/// What to do with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdvisoryRequest {
    /// Shared instead of exclusive.
    pub shared: bool,
    /// Until the end of the transaction instead of the session.
    pub transaction: bool,
    /// Answer false instead of waiting.
    pub no_wait: bool,
    /// Give back instead of take.
    pub unlock: bool,
}

/// No session: for tests and for folding constants.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHost;
impl Host for NoHost {}
