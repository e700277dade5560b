//! `hathi demo`: sample data of our own making, some queries, and what they took.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use hathi::{Database, Result, Session};

use crate::output::error_text;
use crate::sql::{CopyEnd, Printer, Style};

const QUERIES: [(&str, &str); 4] = [
    ("One elephant, by its key", "SELECT name, herd, born, weight FROM elephant WHERE id = 4242"),
    (
        "Herds by weight",
        "SELECT h.name, h.country, count(*) AS elephants, avg(e.weight)::numeric(10,1) AS mean_kg \
         FROM elephant e JOIN herd h ON h.id = e.herd GROUP BY h.name, h.country ORDER BY mean_kg DESC, h.name LIMIT 5",
    ),
    (
        "The oldest and the youngest",
        "SELECT min(born) AS oldest, max(born) AS youngest, count(*) FILTER (WHERE weight > 5000) AS heavy FROM elephant",
    ),
    (
        "Names that come often",
        "SELECT name, count(*) AS times FROM elephant WHERE name LIKE '%a%' GROUP BY name HAVING count(*) > 1 ORDER BY times DESC, name LIMIT 5",
    ),
];

/// Makes the database and shows it.
pub fn run(dir: &Path, rows: u32) -> std::result::Result<ExitCode, String> {
    if dir.join("hathi.data").exists() {
        std::fs::remove_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    }
    show(dir, rows).map_err(|e| error_text(&e))?;
    Ok(ExitCode::SUCCESS)
}

fn timed<T>(what: &str, f: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let value = f()?;
    println!("{what}: {:.2} ms", start.elapsed().as_secs_f64() * 1000.0);
    Ok(value)
}

fn show(dir: &Path, rows: u32) -> Result<()> {
    let db = timed("new durable database, directory to open", || Database::open(dir))?;
    let mut session = db.session()?;
    session.batch_execute(
        "CREATE TABLE herd (id int PRIMARY KEY, name text NOT NULL, country varchar(20));
         CREATE TABLE elephant (id int PRIMARY KEY, name text NOT NULL, herd int, born date, weight numeric(7,1));
         CREATE INDEX elephant_herd ON elephant (herd);",
    )?;
    timed(&format!("{rows} prepared inserts in one transaction"), || load(&mut session, rows))?;
    println!();
    for (title, sql) in QUERIES {
        let start = Instant::now();
        println!("{title}\n{sql}");
        let settings = session.inner().settings_io().clone();
        let mut printer = Printer::new(Style::default(), settings, CopyEnd::Nothing);
        session.inner().run(sql, &mut printer)?;
        println!("{:.2} ms\n", start.elapsed().as_secs_f64() * 1000.0);
    }
    drop(session);
    timed("clean close", || db.close())?;
    let db = timed("reopen", || Database::open(dir))?;
    db.close()?;
    println!(
        "\nNow try:\n  cargo run --release -- sql {0}\n  cargo run --release -- serve {0} --port 5433",
        dir.display()
    );
    // A client takes what does not begin with a slash for the name of a host.
    let whole = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    println!("and, while it serves:\n  psql -h {} -p 5433 -U postgres postgres", whole.display());
    Ok(())
}

fn load(session: &mut Session, rows: u32) -> Result<()> {
    const NAMES: [&str; 12] =
        ["Ganesha", "Airavata", "Jumbo", "Hanno", "Babar", "Manda", "Tara", "Rani", "Raja", "Suru", "Kala", "Mohini"];
    const COUNTRIES: [&str; 5] = ["India", "Sri Lanka", "Kenya", "Botswana", "Thailand"];
    let mut transaction = session.transaction()?;
    let mut herd = transaction.prepare("INSERT INTO herd VALUES ($1, $2, $3)")?;
    for id in 0..40i32 {
        let (name, country) = (format!("herd {id}"), COUNTRIES[id as usize % COUNTRIES.len()]);
        transaction.execute_prepared(&mut herd, &[&id, &name, &country])?;
    }
    let sql = "INSERT INTO elephant VALUES ($1, $2, $3, '1960-01-01'::date + $4::int, $5::float8)";
    let mut elephant = transaction.prepare(sql)?;
    let mut state = 1u32;
    for id in 0..rows as i32 {
        // A small generator of our own: the same data every time.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let pick = |n: u32, shift: u32| (state >> shift) % n;
        let name = format!("{} {}", NAMES[pick(12, 8) as usize], pick(900, 3));
        let (of, days) = (pick(40, 16) as i32, pick(20_000, 5) as i32);
        let weight = 2500.0 + f64::from(pick(40_000, 7)) / 10.0;
        transaction.execute_prepared(&mut elephant, &[&id, &name, &of, &days, &weight])?;
    }
    transaction.commit()
}
