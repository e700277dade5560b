//! The views of `pg_catalog`, as queries of our own over its tables.

pub(crate) mod information_schema;
mod statistics;

use std::borrow::Cow;

/// The query behind view `name`; `None` when it is not there yet.
pub(crate) fn query(name: &str) -> Option<Cow<'static, str>> {
    let own = match name {
        "pg_tables" => {
            "SELECT n.nspname AS schemaname, c.relname AS tablename, pg_get_userbyid(c.relowner) AS tableowner, \
             t.spcname AS tablespace, c.relhasindex AS hasindexes, c.relhasrules AS hasrules, \
             c.relhastriggers AS hastriggers, c.relrowsecurity AS rowsecurity \
             FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.relkind IN ('r', 'p')"
        }
        "pg_indexes" => {
            "SELECT n.nspname AS schemaname, c.relname AS tablename, i.relname AS indexname, t.spcname AS tablespace, \
             pg_get_indexdef(i.oid) AS indexdef \
             FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
             LEFT JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_tablespace t ON t.oid = i.reltablespace \
             WHERE c.relkind IN ('r', 'm', 'p') AND i.relkind IN ('i', 'I')"
        }
        "pg_roles" => {
            "SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconnlimit, \
             '********'::text AS rolpassword, rolvaliduntil, rolbypassrls, NULL::text[] AS rolconfig, oid FROM pg_authid"
        }
        "pg_user" => {
            "SELECT rolname AS usename, oid AS usesysid, rolcreatedb AS usecreatedb, rolsuper AS usesuper, \
             rolreplication AS userepl, rolbypassrls AS usebypassrls, '********'::text AS passwd, \
             rolvaliduntil AS valuntil, NULL::text[] AS useconfig FROM pg_authid WHERE rolcanlogin"
        }
        "pg_group" => {
            "SELECT rolname AS groname, oid AS grosysid, \
             ARRAY(SELECT member FROM pg_auth_members m WHERE m.roleid = a.oid) AS grolist \
             FROM pg_authid a WHERE NOT rolcanlogin"
        }
        "pg_sequences" => {
            "SELECT n.nspname AS schemaname, c.relname AS sequencename, pg_get_userbyid(c.relowner) AS sequenceowner, \
             s.seqtypid::regtype AS data_type, s.seqstart AS start_value, s.seqmin AS min_value, s.seqmax AS max_value, \
             s.seqincrement AS increment_by, s.seqcycle AS cycle, s.seqcache AS cache_size, \
             pg_sequence_last_value(c.oid) AS last_value \
             FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace"
        }
        "pg_stats" => {
            "SELECT n.nspname AS schemaname, c.relname AS tablename, a.attname, s.stainherit AS inherited, \
             s.stanullfrac AS null_frac, s.stawidth AS avg_width, s.stadistinct AS n_distinct, \
             s.stavalues1 AS most_common_vals, s.stanumbers1 AS most_common_freqs, s.stavalues2 AS histogram_bounds, \
             s.stanumbers3[1] AS correlation \
             FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid \
             JOIN pg_attribute a ON c.oid = a.attrelid AND a.attnum = s.staattnum \
             LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT a.attisdropped"
        }
        "pg_settings" => {
            "SELECT name, setting, unit, category, short_desc, extra_desc, context, vartype, source, min_val, max_val, \
             enumvals, boot_val, reset_val, sourcefile, sourceline, pending_restart FROM pg_show_all_settings()"
        }
        "pg_user_mappings" => {
            "SELECT NULL::oid AS umid, NULL::oid AS srvid, NULL::name AS srvname, NULL::oid AS umuser, \
             NULL::name AS usename, NULL::text[] AS umoptions WHERE false"
        }
        "pg_views" => {
            "SELECT n.nspname AS schemaname, c.relname AS viewname, pg_get_userbyid(c.relowner) AS viewowner, \
             pg_get_viewdef(c.oid) AS definition \
             FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v'"
        }
        "pg_matviews" => {
            "SELECT n.nspname AS schemaname, c.relname AS matviewname, pg_get_userbyid(c.relowner) AS matviewowner, \
             t.spcname AS tablespace, c.relhasindex AS hasindexes, c.relispopulated AS ispopulated, \
             pg_get_viewdef(c.oid) AS definition FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace \
             LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.relkind = 'm'"
        }
        _ => return statistics::query(name).map(Cow::Owned),
    };
    Some(Cow::Borrowed(own))
}
