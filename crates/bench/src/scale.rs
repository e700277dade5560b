//! `Scale`: how large a run is.

use std::time::Duration;

use crate::peers::pgbench::Length;

/// Sizes of all figures.
#[derive(Clone, Debug)]
pub struct Scale {
    /// What the run is called.
    pub name: &'static str,
    /// Rounds per figure.
    pub rounds: usize,
    /// Durable autocommit inserts.
    pub durable_inserts: usize,
    /// Commits per client with 16 clients.
    pub client_commits: usize,
    /// Inserts in one transaction.
    pub bulk_inserts: usize,
    /// Rows of the table that points are read from.
    pub point_rows: i32,
    /// Point operations in-process per round.
    pub point_operations: usize,
    /// Point operations over a socket per round.
    pub socket_operations: usize,
    /// Rows of the scanned table.
    pub scan_rows: usize,
    /// Rows that are copied in, and rows that an index is made over.
    pub copy_rows: usize,
    /// Rows that are sorted.
    pub sort_rows: usize,
    /// Rounds of what takes many seconds each time.
    pub long_rounds: usize,
    /// TPC-H's scale factor.
    pub tpch_scale: f64,
    /// The same where pages shall not lie in caches.
    pub tpch_large_scale: f64,
    /// Rows of the speed tests' larger tables.
    pub speedtest_rows: usize,
    /// Round trips of each kind.
    pub round_trips: usize,
    /// Bytes of the forked database.
    pub fork_bytes: usize,
    /// Bytes of log that recovery reads.
    pub log_bytes: u64,
    /// Idle clients of a server.
    pub idle_clients: usize,
    /// Idle clients of PostgreSQL, which gives each a process.
    pub idle_clients_postgres: usize,
    /// Idle sessions in our own process.
    pub idle_sessions: usize,
    /// How long a load lasts.
    pub load_time: Duration,
    /// How long pgbench runs.
    pub pgbench_length: Length,
    /// pgbench's scale.
    pub pgbench_scale: u32,
    /// Whether PostgreSQL's own creation of a cluster is measured too: a second or more each time.
    pub measure_initdb: bool,
}

impl Scale {
    /// What goals are judged by.
    pub fn full() -> Scale {
        Scale {
            name: "full",
            rounds: 7,
            durable_inserts: 1000,
            client_commits: 500,
            bulk_inserts: 25_000,
            point_rows: 100_000,
            point_operations: 100_000,
            socket_operations: 10_000,
            scan_rows: 4_000_000,
            copy_rows: 1_000_000,
            sort_rows: 10_000_000,
            long_rounds: 3,
            tpch_scale: 0.1,
            tpch_large_scale: 1.0,
            speedtest_rows: 25_000,
            round_trips: 100,
            fork_bytes: 1 << 30,
            log_bytes: 200 << 20,
            idle_clients: 10_000,
            idle_clients_postgres: 500,
            idle_sessions: 100_000,
            load_time: Duration::from_secs(3),
            pgbench_length: Length::Seconds(2),
            pgbench_scale: 10,
            measure_initdb: true,
        }
    }

    /// In less than a minute.
    pub fn quick() -> Scale {
        Scale {
            name: "quick",
            rounds: 3,
            durable_inserts: 300,
            client_commits: 100,
            bulk_inserts: 25_000,
            point_rows: 20_000,
            point_operations: 20_000,
            socket_operations: 2000,
            scan_rows: 250_000,
            copy_rows: 100_000,
            sort_rows: 300_000,
            long_rounds: 2,
            tpch_scale: 0.01,
            tpch_large_scale: 0.01,
            speedtest_rows: 5000,
            round_trips: 100,
            fork_bytes: 48 << 20,
            log_bytes: 24 << 20,
            idle_clients: 1000,
            idle_clients_postgres: 100,
            idle_sessions: 10_000,
            load_time: Duration::from_secs(1),
            pgbench_length: Length::Seconds(1),
            pgbench_scale: 1,
            measure_initdb: false,
        }
    }

    /// As small as can be.
    pub fn smoke() -> Scale {
        Scale {
            name: "smoke",
            rounds: 1,
            durable_inserts: 10,
            client_commits: 3,
            bulk_inserts: 100,
            point_rows: 200,
            point_operations: 100,
            socket_operations: 20,
            scan_rows: 2000,
            copy_rows: 1000,
            sort_rows: 2000,
            long_rounds: 1,
            // Below 0.01 the generator makes duplicate keys.
            tpch_scale: 0.01,
            tpch_large_scale: 0.01,
            speedtest_rows: 250,
            round_trips: 10,
            fork_bytes: 1 << 20,
            log_bytes: 1 << 20,
            idle_clients: 20,
            idle_clients_postgres: 5,
            idle_sessions: 100,
            load_time: Duration::from_millis(50),
            pgbench_length: Length::Transactions(5),
            pgbench_scale: 1,
            measure_initdb: false,
        }
    }
}
