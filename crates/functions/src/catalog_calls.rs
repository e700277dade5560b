//! Functions that read the catalog and that the session itself implements: passed on by name through `Host::call`.

/// A function that is passed on.
pub trait Passed {
    /// Its name.
    const NAME: &'static str;
}

macro_rules! passed {
    ($($name:ident = $sql:literal;)*) => {$(
        /// As its name says.
        #[derive(Debug)]
        pub struct $name;
        impl Passed for $name {
            const NAME: &'static str = $sql;
        }
    )*};
}
passed! {
    PartitionRoot = "pg_partition_root";
    RelationIsPublishable = "pg_relation_is_publishable";
    RelationFilenode = "pg_relation_filenode";
    RelationIsUpdatable = "pg_relation_is_updatable";
    ColumnIsUpdatable = "pg_column_is_updatable";
    SequenceLastValue = "pg_sequence_last_value";
    SequenceParameters = "pg_sequence_parameters";
    TablespaceLocation = "pg_tablespace_location";
    TablespaceSize = "pg_tablespace_size";
    RowSecurityActive = "row_security_active";
    IndexamHasProperty = "pg_indexam_has_property";
    IndexHasProperty = "pg_index_has_property";
    IndexColumnHasProperty = "pg_index_column_has_property";
    ReplicaIdentityIndex = "pg_get_replica_identity_index";
    StatisticsExpressions = "pg_get_statisticsobjdef_expressions";
    ExportSnapshot = "pg_export_snapshot";
    BaseType = "pg_basetype";
    ToRegtypemod = "to_regtypemod";
    FilenodeRelation = "pg_filenode_relation";
    BlockingPids = "pg_blocking_pids";
    SettingFlags = "pg_settings_get_flags";
    TxidStatus = "txid_status";
    XactStatus = "pg_xact_status";
    ReloadConf = "pg_reload_conf";
    EnumFirst = "enum_first";
    EnumLast = "enum_last";
    EnumRange = "enum_range";
    AclDefault = "acldefault";
    MakeAclItem = "makeaclitem";
    CollationVersion = "pg_collation_actual_version";
    DatabaseCollationVersion = "pg_database_collation_actual_version";
    SwitchWal = "pg_switch_wal";
    NotificationQueueUsage = "pg_notification_queue_usage";
    StatementStatsReset = "pg_stat_statements_reset";
    TuplesInserted = "pg_stat_get_tuples_inserted";
    TuplesUpdated = "pg_stat_get_tuples_updated";
    TuplesDeleted = "pg_stat_get_tuples_deleted";
    LiveTuples = "pg_stat_get_live_tuples";
    ModSinceAnalyze = "pg_stat_get_mod_since_analyze";
    LastAnalyzeTime = "pg_stat_get_last_analyze_time";
    LastAutoanalyzeTime = "pg_stat_get_last_autoanalyze_time";
    AnalyzeCount = "pg_stat_get_analyze_count";
    AutoanalyzeCount = "pg_stat_get_autoanalyze_count";
    LastVacuumTime = "pg_stat_get_last_vacuum_time";
    VacuumCount = "pg_stat_get_vacuum_count";
    InsertedSinceVacuum = "pg_stat_get_ins_since_vacuum";
    Scans = "pg_stat_get_numscans";
    TuplesReturned = "pg_stat_get_tuples_returned";
    TuplesFetched = "pg_stat_get_tuples_fetched";
    DbSessionsNow = "pg_stat_get_db_numbackends";
    DbCommits = "pg_stat_get_db_xact_commit";
    DbRollbacks = "pg_stat_get_db_xact_rollback";
    DbBlocks = "pg_stat_get_db_blocks_fetched";
    DbReturned = "pg_stat_get_db_tuples_returned";
    DbFetched = "pg_stat_get_db_tuples_fetched";
    DbInserted = "pg_stat_get_db_tuples_inserted";
    DbUpdated = "pg_stat_get_db_tuples_updated";
    DbDeleted = "pg_stat_get_db_tuples_deleted";
    DbDeadlocks = "pg_stat_get_db_deadlocks";
    DbSessionTime = "pg_stat_get_db_session_time";
    DbActiveTime = "pg_stat_get_db_active_time";
    DbIdleTime = "pg_stat_get_db_idle_in_transaction_time";
    DbSessions = "pg_stat_get_db_sessions";
    DbKilled = "pg_stat_get_db_sessions_killed";
    DbAbandoned = "pg_stat_get_db_sessions_abandoned";
    DbFatal = "pg_stat_get_db_sessions_fatal";
}

/// The rows of a function that the session implements.
fn rows_of(call: &mut ext::Call<'_>, name: &str, args: &[ext::Datum]) -> ext::Result<Vec<ext::output::Columns>> {
    let rows = call.host.rows(name, args)?;
    Ok(rows.into_iter().map(ext::output::Columns).collect())
}

#[ext::module]
pub(crate) mod functions {
    use ext::{Call, Datum, Oid, Result, Void};
    use syntax::keyword::{Category, KEYWORDS};
    use types::array::ArrayView;

    use super::*;

    #[ext::function(
        each(ExportSnapshot = 3809, ReloadConf = 2621, SwitchWal = 2848, NotificationQueueUsage = 3296),
        rows,
        volatile
    )]
    pub fn pass_none<P: Passed>(call: &mut Call<'_>) -> Result<Datum> {
        call.host.call(P::NAME, &[])
    }

    #[ext::function(each(
        PartitionRoot = 3424, RelationIsPublishable = 6121, RelationFilenode = 2999, SequenceLastValue = 4032,
        SequenceParameters = 3078, TablespaceLocation = 3778, TablespaceSize = [2322, 2323], RowSecurityActive = [3298, 3299],
        ReplicaIdentityIndex = 6120, StatisticsExpressions = 6173, BaseType = 6315, ToRegtypemod = 6317,
        SettingFlags = 6240, TxidStatus = 3360, XactStatus = 5066, CollationVersion = 3448,
        DatabaseCollationVersion = 6249, TuplesInserted = 1931, TuplesUpdated = 1932, TuplesDeleted = 1933, LiveTuples = 2878,
        ModSinceAnalyze = 3177, LastAnalyzeTime = 2783, LastAutoanalyzeTime = 2784, AnalyzeCount = 3056,
        AutoanalyzeCount = 3057, Scans = 1928, TuplesReturned = 1929, TuplesFetched = 1930, DbSessionsNow = 1941,
        DbCommits = 1942, DbRollbacks = 1943, DbBlocks = 1944, DbReturned = 2758, DbFetched = 2759, DbInserted = 2760,
        DbUpdated = 2761, DbDeleted = 2762, DbDeadlocks = 3152, DbSessionTime = 6185, DbActiveTime = 6186, DbIdleTime = 6187,
        DbSessions = 6188, DbKilled = 6191, DbAbandoned = 6189, DbFatal = 6190, LastVacuumTime = 2781, VacuumCount = 3054,
        InsertedSinceVacuum = 5053
    ), strict, stable)]
    pub fn pass_one<P: Passed>(call: &mut Call<'_>, a: &Datum) -> Result<Datum> {
        call.host.call(P::NAME, std::slice::from_ref(a))
    }

    #[ext::function(each(BlockingPids = 2561), strict, volatile)]
    pub fn pass_one_each_time<P: Passed>(call: &mut Call<'_>, a: &Datum) -> Result<Datum> {
        call.host.call(P::NAME, std::slice::from_ref(a))
    }

    /// Counts are told as they are: there is nothing to send first, and no snapshot of them to forget.
    #[ext::function(oid = [2137, 2230], volatile)]
    pub fn statistics_are_current() -> Void {
        Void
    }

    #[ext::function(
        each(
            RelationIsUpdatable = 3842,
            IndexamHasProperty = 636,
            IndexHasProperty = 637,
            FilenodeRelation = 3454,
            AclDefault = 3943
        ),
        strict,
        stable
    )]
    pub fn pass_two<P: Passed>(call: &mut Call<'_>, a: &Datum, b: &Datum) -> Result<Datum> {
        call.host.call(P::NAME, &[a.clone(), b.clone()])
    }

    #[ext::function(each(ColumnIsUpdatable = 3843, IndexColumnHasProperty = 638), strict, stable)]
    pub fn pass_three<P: Passed>(call: &mut Call<'_>, a: &Datum, b: &Datum, c: &Datum) -> Result<Datum> {
        call.host.call(P::NAME, &[a.clone(), b.clone(), c.clone()])
    }

    #[ext::function(each(StatementStatsReset = 15200), strict, volatile)]
    pub fn pass_four_each_time<P: Passed>(
        call: &mut Call<'_>,
        a: &Datum,
        b: &Datum,
        c: &Datum,
        d: &Datum,
    ) -> Result<Datum> {
        call.host.call(P::NAME, &[a.clone(), b.clone(), c.clone(), d.clone()])
    }

    #[ext::function(each(MakeAclItem = 1365), strict)]
    pub fn pass_four<P: Passed>(call: &mut Call<'_>, a: &Datum, b: &Datum, c: &Datum, d: &Datum) -> Result<Datum> {
        call.host.call(P::NAME, &[a.clone(), b.clone(), c.clone(), d.clone()])
    }

    /// Enum functions look at the type of their argument, which comes first to the host.
    #[ext::function(each(EnumFirst = 3528, EnumLast = 3529, EnumRange = 3531), stable)]
    pub fn pass_enum<P: Passed>(call: &mut Call<'_>, a: &Datum) -> Result<Datum> {
        let ty = Datum::from(call.arg_type(0));
        call.host.call(P::NAME, &[ty, a.clone()])
    }

    #[ext::function(each(EnumRange = 3530), stable)]
    pub fn pass_enum_range<P: Passed>(call: &mut Call<'_>, a: &Datum, b: &Datum) -> Result<Datum> {
        let ty = Datum::from(call.arg_type(0));
        call.host.call(P::NAME, &[ty, a.clone(), b.clone()])
    }

    #[ext::function(oid = 2854, stable)]
    pub fn my_temp_schema(call: &mut Call<'_>) -> Oid {
        match call.host.call("pg_my_temp_schema", &[]) {
            Ok(Datum::U32(o)) => Oid(o),
            _ => Oid::NONE,
        }
    }

    #[ext::function(oid = 2855, stable)]
    pub fn is_other_temp_schema(call: &mut Call<'_>, schema: Oid) -> bool {
        matches!(call.host.call("pg_is_other_temp_schema", &[schema.into()]), Ok(Datum::Bool(true)))
    }

    #[ext::function(oid = 3162, stable)]
    pub fn collation_for(call: &mut Call<'_>, _: &Datum) -> Option<String> {
        let textual = types::io::is_textual(call.arg_type(0));
        textual.then(|| if call.arg_type(0) == types::oid::NAME { "\"C\"" } else { "\"default\"" }.to_owned())
    }

    #[ext::function(oid = 4549)]
    pub fn unicode_version() -> &'static str {
        "16.0"
    }

    #[ext::function(oid = 6311, stable)]
    pub fn system_user(call: &mut Call<'_>) -> Option<String> {
        call.host.call("system_user", &[]).ok().and_then(|d| d.as_str().map(str::to_owned))
    }

    #[ext::function(oid = 5071)]
    pub fn xid8_to_xid(v: i64) -> u32 {
        v as u32
    }

    #[ext::set_function(oid = 1686)]
    pub fn keywords() -> Vec<(&'static str, i8, bool, &'static str, &'static str)> {
        let row = |k: &syntax::keyword::Keyword| {
            let (code, category) = match k.category {
                Category::Unreserved => (b'U', "unreserved"),
                Category::ColName => (b'C', "unreserved (cannot be function or type name)"),
                Category::TypeFuncName => (b'T', "reserved (can be function or type name)"),
                Category::Reserved => (b'R', "reserved"),
            };
            let label = if k.bare_label { "can be bare label" } else { "requires AS" };
            (k.word, code as i8, k.bare_label, category, label)
        };
        KEYWORDS.iter().map(row).collect()
    }

    /// Nothing is partitioned yet, so that nothing has ancestors.
    #[ext::set_function(oid = 3425)]
    pub fn partition_ancestors(_relation: Oid) -> Vec<Oid> {
        Vec::new()
    }

    #[ext::set_function(oid = 3423)]
    pub fn partition_tree(_relation: Oid) -> Vec<(Oid, Oid, bool, i32)> {
        Vec::new()
    }

    /// Extensions are linked, not installed.
    #[ext::set_function(oid = 3082)]
    pub fn available_extensions() -> Vec<(String, String, String)> {
        Vec::new()
    }

    #[ext::set_function(oid = 2084)]
    pub fn all_settings(call: &mut Call<'_>) -> Vec<ext::output::Columns> {
        call.host.settings().into_iter().map(ext::output::Columns).collect()
    }

    #[ext::set_function(oid = 2022)]
    pub fn activity(call: &mut Call<'_>, pid: Option<i32>) -> Result<Vec<ext::output::Columns>> {
        let pid = pid.map_or(Datum::Null, Datum::I32);
        rows_of(call, "pg_stat_get_activity", &[pid])
    }

    #[ext::set_function(oid = 2510)]
    pub fn prepared_statements(call: &mut Call<'_>) -> Result<Vec<ext::output::Columns>> {
        rows_of(call, "pg_prepared_statement", &[])
    }

    #[ext::set_function(oid = 15003)]
    pub fn statement_cache(call: &mut Call<'_>) -> Result<Vec<ext::output::Columns>> {
        rows_of(call, "hathi_statement_cache", &[])
    }

    #[ext::set_function(oid = 15007)]
    pub fn jit_counts(call: &mut Call<'_>) -> Result<Vec<ext::output::Columns>> {
        rows_of(call, "hathi_jit", &[])
    }

    #[ext::set_function(oid = 15011)]
    pub fn session_places(call: &mut Call<'_>) -> Result<Vec<ext::output::Columns>> {
        rows_of(call, "hathi_sessions", &[])
    }

    #[ext::set_function(oid = 15015)]
    pub fn carriers(call: &mut Call<'_>) -> Result<Vec<ext::output::Columns>> {
        rows_of(call, "hathi_carriers", &[])
    }

    #[ext::set_function(oid = 15019)]
    pub fn waits(call: &mut Call<'_>) -> Result<Vec<ext::output::Columns>> {
        rows_of(call, "hathi_waits", &[])
    }

    #[ext::set_function(oid = 15023)]
    pub fn statement_stats(call: &mut Call<'_>) -> Result<Vec<ext::output::Columns>> {
        rows_of(call, "pg_stat_statements", &[])
    }

    #[ext::set_function(oid = 15027)]
    pub fn statement_stats_info(call: &mut Call<'_>) -> Result<Vec<ext::output::Columns>> {
        rows_of(call, "pg_stat_statements_info", &[])
    }

    #[ext::set_function(oid = 3035)]
    pub fn listening_channels(call: &mut Call<'_>) -> Result<Vec<String>> {
        let rows = call.host.rows("pg_listening_channels", &[])?;
        let text = |row: Vec<Datum>| row.first().and_then(Datum::as_str).unwrap_or_default().to_owned();
        Ok(rows.into_iter().map(text).collect())
    }

    #[ext::set_function(oid = 3401)]
    pub fn hba_file_rules(call: &mut Call<'_>) -> Result<Vec<ext::output::Columns>> {
        rows_of(call, "pg_hba_file_rules", &[])
    }

    #[ext::set_function(oid = 2511)]
    pub fn cursors(call: &mut Call<'_>) -> Result<Vec<ext::output::Columns>> {
        rows_of(call, "pg_cursor", &[])
    }

    #[ext::set_function(oid = 1371)]
    pub fn lock_status(call: &mut Call<'_>) -> Result<Vec<ext::output::Columns>> {
        rows_of(call, "pg_lock_status", &[])
    }

    #[ext::set_function(oid = 6427, strict)]
    pub fn sequence_data(call: &mut Call<'_>, sequence: &Datum) -> Result<Vec<ext::output::Columns>> {
        let mut rows = call.host.rows("pg_get_sequence_data", std::slice::from_ref(sequence))?;
        // A query of the sequence itself wants what is logged ahead too.
        if call.columns.len() != 3 {
            rows.iter_mut().for_each(|row| row.truncate(2));
        }
        Ok(rows.into_iter().map(ext::output::Columns).collect())
    }

    #[ext::set_function(oid = 1689, strict)]
    pub fn aclexplode(call: &mut Call<'_>, acl: &Datum) -> Result<Vec<ext::output::Columns>> {
        rows_of(call, "aclexplode", std::slice::from_ref(acl))
    }

    /// Every zone, with what it says now.
    #[ext::set_function(oid = 2856)]
    pub fn timezone_names(call: &mut Call<'_>) -> Vec<(String, String, types::datetime::Interval, bool)> {
        let now = call.host.now();
        let row = |name: String| {
            let at = types::datetime::zone::at(&types::datetime::zone::find(&name)?, now);
            let offset = types::datetime::Interval { micros: i64::from(at.east_secs) * 1_000_000, days: 0, months: 0 };
            Some((name, at.abbreviation, offset, at.is_dst))
        };
        types::datetime::zone::names().into_iter().filter_map(row).collect()
    }

    #[ext::set_function(oid = 2289)]
    pub fn options_to_table(options: ArrayView<'_>) -> Vec<(String, Option<String>)> {
        let one = |d: Datum| {
            let text = d.as_str().unwrap_or_default().to_owned();
            match text.split_once('=') {
                Some((k, v)) => (k.to_owned(), Some(v.to_owned())),
                None => (text, None),
            }
        };
        options.iter().map(one).collect()
    }
}
