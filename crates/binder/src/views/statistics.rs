//! Views of `pg_catalog` that mostly count: their columns are those recorded of PostgreSQL; what is not counted here is 0, as with
//! `track_counts` off, or NULL where PostgreSQL would say when.

use std::fmt::Write as _;

use catalog::builtin;
use types::oid;

const TABLES: &str =
    "FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 't', 'm', 'p')";
const INDEXES: &str = "FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
     LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 't', 'm')";
const SEQUENCES: &str = "FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S'";
const USERS: &str = " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'";
const SYSTEMS: &str = " AND (n.nspname IN ('pg_catalog', 'information_schema') OR n.nspname ~ '^pg_toast')";

/// Columns that are not counted.
type Given = &'static [(&'static str, &'static str)];

/// Large values are kept with their table: it has none of its own for them.
const OF_TABLE: Given = &[
    ("relid", "c.oid"),
    ("schemaname", "n.nspname"),
    ("relname", "c.relname"),
    ("toast_blks_read", "NULL"),
    ("toast_blks_hit", "NULL"),
    ("tidx_blks_read", "NULL"),
    ("tidx_blks_hit", "NULL"),
];
/// What is counted of a table.
const COUNTED: Given = &[
    ("relid", "c.oid"),
    ("schemaname", "n.nspname"),
    ("relname", "c.relname"),
    ("seq_scan", "pg_stat_get_numscans(c.oid)"),
    ("seq_tup_read", "pg_stat_get_tuples_returned(c.oid)"),
    ("idx_scan", "(SELECT sum(pg_stat_get_numscans(x.indexrelid)) FROM pg_index x WHERE x.indrelid = c.oid)"),
    (
        "idx_tup_fetch",
        "(SELECT sum(pg_stat_get_tuples_fetched(x.indexrelid)) FROM pg_index x WHERE x.indrelid = c.oid)",
    ),
    ("n_tup_ins", "pg_stat_get_tuples_inserted(c.oid)"),
    ("n_tup_upd", "pg_stat_get_tuples_updated(c.oid)"),
    ("n_tup_del", "pg_stat_get_tuples_deleted(c.oid)"),
    ("n_live_tup", "pg_stat_get_live_tuples(c.oid)"),
    ("n_mod_since_analyze", "pg_stat_get_mod_since_analyze(c.oid)"),
    ("n_ins_since_vacuum", "pg_stat_get_ins_since_vacuum(c.oid)"),
    ("last_vacuum", "pg_stat_get_last_vacuum_time(c.oid)"),
    ("vacuum_count", "pg_stat_get_vacuum_count(c.oid)"),
    ("last_analyze", "pg_stat_get_last_analyze_time(c.oid)"),
    ("last_autoanalyze", "pg_stat_get_last_autoanalyze_time(c.oid)"),
    ("analyze_count", "pg_stat_get_analyze_count(c.oid)"),
    ("autoanalyze_count", "pg_stat_get_autoanalyze_count(c.oid)"),
];
/// What is counted of an index.
const INDEX_COUNTED: Given = &[
    ("relid", "c.oid"),
    ("indexrelid", "i.oid"),
    ("schemaname", "n.nspname"),
    ("relname", "c.relname"),
    ("indexrelname", "i.relname"),
    ("idx_scan", "pg_stat_get_numscans(i.oid)"),
    ("idx_tup_read", "pg_stat_get_tuples_returned(i.oid)"),
    ("idx_tup_fetch", "pg_stat_get_tuples_fetched(i.oid)"),
];
const OF_INDEX: Given = &[
    ("relid", "c.oid"),
    ("indexrelid", "i.oid"),
    ("schemaname", "n.nspname"),
    ("relname", "c.relname"),
    ("indexrelname", "i.relname"),
];

/// Those of which there is nothing here.
const EMPTY: [&str; 25] = [
    "pg_available_extensions",
    "pg_available_extension_versions",
    "pg_rules",
    "pg_policies",
    "pg_publication_tables",
    "pg_prepared_xacts",
    "pg_replication_slots",
    "pg_replication_origin_status",
    "pg_seclabels",
    "pg_stat_replication",
    "pg_stat_replication_slots",
    "pg_stat_wal_receiver",
    "pg_stat_recovery_prefetch",
    "pg_stat_subscription",
    "pg_stat_subscription_stats",
    "pg_stat_user_functions",
    "pg_stat_xact_user_functions",
    "pg_stat_progress_basebackup",
    "pg_stat_progress_cluster",
    "pg_stat_progress_create_index",
    "pg_stat_progress_vacuum",
    "pg_ident_file_mappings",
    "pg_file_settings",
    "pg_stats_ext",
    "pg_stats_ext_exprs",
];

fn source(name: &str) -> Option<(String, Given)> {
    let counted = |suffix: &str| {
        let rest = name.strip_prefix("pg_stat_xact_").or_else(|| name.strip_prefix("pg_stat_"));
        let whose = rest.or_else(|| name.strip_prefix("pg_statio_"))?.strip_suffix(suffix)?;
        match whose {
            "all" => Some(""),
            "user" => Some(USERS),
            "sys" => Some(SYSTEMS),
            _ => None,
        }
    };
    if let Some(whose) = counted("_tables") {
        let counts = name.starts_with("pg_stat_") && !name.starts_with("pg_stat_xact_");
        return Some((format!("{TABLES}{whose}"), if counts { COUNTED } else { OF_TABLE }));
    }
    if let Some(whose) = counted("_indexes") {
        let counts = name.starts_with("pg_stat_");
        return Some((format!("{INDEXES}{whose}"), if counts { INDEX_COUNTED } else { OF_INDEX }));
    }
    if let Some(whose) = counted("_sequences") {
        return Some((format!("{SEQUENCES}{whose}"), OF_TABLE));
    }
    let (from, given): (&str, Given) = match name {
        "pg_stat_activity" => (
            "FROM pg_stat_get_activity(NULL) s LEFT JOIN pg_database d ON d.oid = s.datid LEFT JOIN pg_authid u ON u.oid = s.usesysid",
            &[
                ("datid", "s.datid"),
                ("datname", "d.datname"),
                ("pid", "s.pid"),
                ("leader_pid", "s.leader_pid"),
                ("usesysid", "s.usesysid"),
                ("usename", "u.rolname"),
                ("application_name", "s.application_name"),
                ("client_addr", "s.client_addr"),
                ("client_hostname", "s.client_hostname"),
                ("client_port", "s.client_port"),
                ("backend_start", "s.backend_start"),
                ("xact_start", "s.xact_start"),
                ("query_start", "s.query_start"),
                ("state_change", "s.state_change"),
                ("wait_event_type", "s.wait_event_type"),
                ("wait_event", "s.wait_event"),
                ("state", "s.state"),
                ("backend_xid", "s.backend_xid"),
                ("backend_xmin", "s.backend_xmin"),
                ("query_id", "s.query_id"),
                ("query", "s.query"),
                ("backend_type", "s.backend_type"),
            ],
        ),
        "pg_locks" => (
            "FROM pg_lock_status() l",
            &[
                ("locktype", "l.locktype"),
                ("database", "l.database"),
                ("relation", "l.relation"),
                ("page", "l.page"),
                ("tuple", "l.tuple"),
                ("virtualxid", "l.virtualxid"),
                ("transactionid", "l.transactionid"),
                ("classid", "l.classid"),
                ("objid", "l.objid"),
                ("objsubid", "l.objsubid"),
                ("virtualtransaction", "l.virtualtransaction"),
                ("pid", "l.pid"),
                ("mode", "l.mode"),
                ("granted", "l.granted"),
                ("fastpath", "l.fastpath"),
                ("waitstart", "l.waitstart"),
            ],
        ),
        "pg_prepared_statements" => (
            "FROM pg_prepared_statement() p",
            &[
                ("name", "p.name"),
                ("statement", "p.statement"),
                ("prepare_time", "p.prepare_time"),
                ("parameter_types", "p.parameter_types"),
                ("result_types", "p.result_types"),
                ("from_sql", "p.from_sql"),
                ("generic_plans", "p.generic_plans"),
                ("custom_plans", "p.custom_plans"),
            ],
        ),
        "pg_hba_file_rules" => (
            "FROM pg_hba_file_rules() r",
            &[
                ("rule_number", "r.rule_number"),
                ("file_name", "r.file_name"),
                ("line_number", "r.line_number"),
                ("type", "r.type"),
                ("database", "r.database"),
                ("user_name", "r.user_name"),
                ("address", "r.address"),
                ("netmask", "r.netmask"),
                ("auth_method", "r.auth_method"),
                ("options", "r.options"),
                ("error", "r.error"),
            ],
        ),
        "pg_cursors" => (
            "FROM pg_cursor() c",
            &[
                ("name", "c.name"),
                ("statement", "c.statement"),
                ("is_holdable", "c.is_holdable"),
                ("is_binary", "c.is_binary"),
                ("is_scrollable", "c.is_scrollable"),
                ("creation_time", "c.creation_time"),
            ],
        ),
        "pg_stat_database" => (
            "FROM (SELECT 0::oid AS oid, NULL::name AS datname UNION ALL SELECT oid, datname FROM pg_database) d",
            &[
                ("datid", "d.oid"),
                ("datname", "d.datname"),
                ("numbackends", "pg_stat_get_db_numbackends(d.oid)"),
                ("xact_commit", "pg_stat_get_db_xact_commit(d.oid)"),
                ("xact_rollback", "pg_stat_get_db_xact_rollback(d.oid)"),
                ("blks_read", "pg_stat_get_db_blocks_fetched(d.oid)"),
                ("tup_returned", "pg_stat_get_db_tuples_returned(d.oid)"),
                ("tup_fetched", "pg_stat_get_db_tuples_fetched(d.oid)"),
                ("tup_inserted", "pg_stat_get_db_tuples_inserted(d.oid)"),
                ("tup_updated", "pg_stat_get_db_tuples_updated(d.oid)"),
                ("tup_deleted", "pg_stat_get_db_tuples_deleted(d.oid)"),
                ("deadlocks", "pg_stat_get_db_deadlocks(d.oid)"),
                ("session_time", "pg_stat_get_db_session_time(d.oid)"),
                ("active_time", "pg_stat_get_db_active_time(d.oid)"),
                ("idle_in_transaction_time", "pg_stat_get_db_idle_in_transaction_time(d.oid)"),
                ("sessions", "pg_stat_get_db_sessions(d.oid)"),
                ("sessions_abandoned", "pg_stat_get_db_sessions_abandoned(d.oid)"),
                ("sessions_fatal", "pg_stat_get_db_sessions_fatal(d.oid)"),
                ("sessions_killed", "pg_stat_get_db_sessions_killed(d.oid)"),
                ("checksum_failures", "0"),
            ],
        ),
        "pg_stat_database_conflicts" => ("FROM pg_database d", &[("datid", "d.oid"), ("datname", "d.datname")]),
        "pg_shadow" => (
            "FROM pg_authid a WHERE a.rolcanlogin",
            &[
                ("usename", "a.rolname"),
                ("usesysid", "a.oid"),
                ("usecreatedb", "a.rolcreatedb"),
                ("usesuper", "a.rolsuper"),
                ("userepl", "a.rolreplication"),
                ("usebypassrls", "a.rolbypassrls"),
                ("passwd", "a.rolpassword"),
                ("valuntil", "a.rolvaliduntil"),
            ],
        ),
        "pg_timezone_names" => (
            "FROM pg_timezone_names() z",
            &[("name", "z.name"), ("abbrev", "z.abbrev"), ("utc_offset", "z.utc_offset"), ("is_dst", "z.is_dst")],
        ),
        _ if EMPTY.contains(&name) => ("WHERE false", &[]),
        _ => return None,
    };
    Some((from.to_owned(), given))
}

/// The query behind view `name`; `None` when it is not there yet.
pub(super) fn query(name: &str) -> Option<String> {
    // PostgreSQL has none of these, or as an extension: they are what the function of their name answers.
    if name.starts_with("hathi_") || name.starts_with("pg_stat_statements") {
        return builtin::relation_by_name(name).map(|_| format!("SELECT * FROM pg_catalog.{name}()"));
    }
    let (from, given) = source(name)?;
    let view = builtin::relation_by_name(name)?;
    let mut sql = String::from("SELECT ");
    for (i, column) in builtin::columns_of(view.oid).iter().enumerate() {
        let expression = match given.iter().find(|g| g.0 == column.name) {
            Some((_, expression)) => expression,
            None if matches!(column.type_oid, oid::INT8 | oid::FLOAT8) => "0",
            None => "NULL",
        };
        let comma = if i == 0 { "" } else { ", " };
        let ty = crate::format_type(column.type_oid);
        // A string does not fail to write.
        let _ = write!(sql, "{comma}CAST({expression} AS {ty}) AS \"{}\"", column.name);
    }
    Some(format!("{sql} {from}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_queries() {
        let counted =
            ["tables", "indexes"].iter().flat_map(|of| ["all", "user", "sys"].map(|w| format!("pg_stat_{w}_{of}")));
        let all = EMPTY.iter().map(|&n| n.to_owned()).chain(counted);
        let more = [
            "pg_stat_activity",
            "pg_locks",
            "pg_stat_database",
            "pg_shadow",
            "pg_hba_file_rules",
            "pg_statio_all_sequences",
            "pg_stat_xact_user_tables",
        ];
        for name in all.chain(more.map(str::to_owned)) {
            let sql = query(&name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(syntax::parse(&sql).unwrap_or_else(|e| panic!("{name}: {e:?}: {sql}")).len(), 1);
        }
        assert!(query("pg_nosuch").is_none() && query("pg_stat_other_tables").is_none());
    }
}
