//! The figures, by name.

use crate::figure::Figure;
use crate::peers::pgbench::Protocol;
use crate::stage::{Failure, Stage};

pub mod bulk;
pub mod churn;
pub mod commits;
pub mod copy;
pub mod create_index;
pub mod fairness;
pub mod fork;
pub mod idle_sessions;
pub mod jit;
pub mod load_driver;
pub mod lock_crowd;
pub mod notify;
pub mod opening;
pub mod parse;
pub mod pgbench;
pub mod point;
pub mod recovery;
pub mod round_trips;
pub mod scan;
pub mod sort;
pub mod speedtest;
pub mod tiny;
pub mod tpch;
pub mod tpch_large;
pub mod wake;

/// Measures one or more figures.
pub type Measure = fn(&Stage) -> Result<Vec<Figure>, Failure>;

/// All figures, in the order of the report.
pub const ALL: &[(&str, Measure)] = &[
    ("durable-inserts", commits::durable_inserts),
    ("group-commit", commits::group_commit),
    ("bulk-inserts", bulk::bulk_inserts),
    ("select-1", point::select_one),
    ("point-select", point::point_select),
    ("literal-select", point::literal_select),
    ("wire-point-select", point::wire_point_select),
    ("point-update", point::point_update),
    ("two-threads", point::two_threads),
    ("parse", parse::parse),
    ("new-database", opening::new_database),
    ("reopen", opening::reopen),
    ("in-memory", opening::in_memory),
    ("scan", scan::scan),
    ("copy-in", copy::copy_in),
    ("create-index", create_index::create_index),
    ("sort", sort::sort),
    ("tpch", tpch::tpch),
    ("tpch-large", tpch_large::tpch_large),
    ("jit-compile", jit::compile),
    ("jit-select-42", jit::select_42),
    ("jit-filter", jit::expressions),
    ("jit-pass-merge", jit::passes),
    ("jit-like-prefix", jit::patterns),
    ("jit-columns-20", jit::columns),
    ("speedtest", speedtest::durable),
    ("speedtest-memory", speedtest::in_memory),
    ("round-trips", round_trips::round_trips),
    ("fork", fork::fork),
    ("recovery", recovery::recovery),
    ("load-driver", load_driver::load_driver),
    ("idle-sessions", idle_sessions::idle_sessions),
    ("idle-sessions-in-process", idle_sessions::in_process),
    ("wake-200", wake::wake_200),
    ("wake-1000", wake::wake_1000),
    ("wake-10000", wake::wake_10000),
    ("bursts", wake::bursts),
    ("tiny-select-1", tiny::tiny),
    ("pgbench-select-simple-1", |s| pgbench::select(s, "pgbench-select-simple-1", Protocol::Simple, 1)),
    ("pgbench-select-simple-2", |s| pgbench::select(s, "pgbench-select-simple-2", Protocol::Simple, 2)),
    ("pgbench-select-simple-8", |s| pgbench::select(s, "pgbench-select-simple-8", Protocol::Simple, 8)),
    ("pgbench-select-simple-64", |s| pgbench::select(s, "pgbench-select-simple-64", Protocol::Simple, 64)),
    ("pgbench-select-simple-256", |s| pgbench::select(s, "pgbench-select-simple-256", Protocol::Simple, 256)),
    ("pgbench-select-prepared-1", |s| pgbench::select(s, "pgbench-select-prepared-1", Protocol::Prepared, 1)),
    ("pgbench-select-prepared-2", |s| pgbench::select(s, "pgbench-select-prepared-2", Protocol::Prepared, 2)),
    ("pgbench-select-prepared-8", |s| pgbench::select(s, "pgbench-select-prepared-8", Protocol::Prepared, 8)),
    ("pgbench-select-prepared-64", |s| pgbench::select(s, "pgbench-select-prepared-64", Protocol::Prepared, 64)),
    ("pgbench-select-prepared-256", |s| pgbench::select(s, "pgbench-select-prepared-256", Protocol::Prepared, 256)),
    ("pgbench-tpcb-8", |s| pgbench::tpcb(s, "pgbench-tpcb-8", 8)),
    ("pgbench-tpcb-64", |s| pgbench::tpcb(s, "pgbench-tpcb-64", 64)),
    ("hot-row-64", pgbench::hot_row),
    ("churn", churn::trusted),
    ("churn-scram", churn::scram),
    ("in-process-session", churn::in_process),
    ("lock-crowd", lock_crowd::lock_crowd),
    ("notify", notify::notify),
    ("fairness", fairness::fairness),
];
