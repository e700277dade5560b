//! How fast short statements and a dump are parsed: `cargo run --release -p syntax --example throughput`.

use std::hint::black_box;
use std::time::Instant;

fn main() {
    let statements = [
        "SELECT 1",
        "SELECT * FROM t WHERE id = $1",
        "SELECT a, b FROM t WHERE a = 1 AND b = 'x' ORDER BY a LIMIT 10",
        "SELECT abalance FROM pgbench_accounts WHERE aid = 12345",
        "UPDATE pgbench_accounts SET abalance = abalance + -1234 WHERE aid = 12345",
        "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (1, 2, 3, 4, CURRENT_TIMESTAMP)",
        "BEGIN",
        "COMMIT",
        "SELECT count(*), sum(x) FROM a JOIN b USING (id) WHERE a.x > b.y GROUP BY a.z HAVING count(*) > 1",
    ];
    let rounds = 200_000;
    for s in statements {
        let start = Instant::now();
        for _ in 0..rounds {
            let _ = black_box(syntax::parse(black_box(s)));
        }
        let t = start.elapsed();
        println!("{:8.0} ns  {:10.0} /s  {s}", t.as_nanos() as f64 / rounds as f64, rounds as f64 / t.as_secs_f64());
    }
    let row = "INSERT INTO t (a, b, c) VALUES (1, 'some text', 2.5), (2, 'more text', 3.5);\n";
    let script = row.repeat(20_000);
    let start = Instant::now();
    let n = syntax::parse(&script).map(|l| l.len()).unwrap_or(0);
    let t = start.elapsed();
    println!("script: {n} statements, {:.1} MB/s", script.len() as f64 / 1e6 / t.as_secs_f64());
    for (open, close) in [("(", ")"), ("f(", ")"), ("(select ", ")"), ("case when a then ", " end"), ("1 + (", ")")] {
        let ok = |n: usize| syntax::parse(&format!("select {}1{}", open.repeat(n), close.repeat(n))).is_ok();
        let n = (1..400).map(|n| n * 25).take_while(|n| ok(*n)).last().unwrap_or(0);
        println!("nesting of {open:?}: {n}");
    }
}
