//! The report: on the terminal, and as a Markdown table in `docs/benchmarks.md`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::figure::{Figure, Goal, Series, Unit, Verdict};
use crate::stage::{Failure, Stage};

/// Between these lines of `docs/benchmarks.md` the table is put.
const BEGIN: &str = "<!-- figures: written by `cargo xtask bench --write` -->";
const END: &str = "<!-- end of figures -->";

/// Three digits that count.
fn digits(value: f64) -> String {
    match value.abs() {
        v if v.is_nan() || v.is_infinite() => "-".to_owned(),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn goal(figure: &Figure) -> String {
    let unit = figure.unit.name();
    let each = |sign: &str, limits: &[(&str, f64)], between: &str| {
        let each: Vec<String> =
            limits.iter().map(|(who, limit)| format!("{sign} {} x {who}", digits(*limit))).collect();
        each.join(between)
    };
    let mut text = match figure.goal {
        Goal::None => String::new(),
        Goal::AtMost(limit) => format!("≤ {} {unit}", digits(limit)),
        Goal::AtLeast(limit) => format!("≥ {} {unit}", digits(limit)),
        Goal::TimesAtMost(who, limit) => each("≤", &[(who, limit)], ""),
        Goal::TimesAtLeast(who, limit) => each("≥", &[(who, limit)], ""),
        Goal::TimesAtMostEach(limits) => each("≤", limits, "; "),
        Goal::TimesAtLeastEach(limits) => each("≥", limits, "; "),
        Goal::TimesAtLeastAny(limits) => each("≥", limits, " or "),
    };
    if let Some(part) = figure.least_of_mean {
        let between = if text.is_empty() { "" } else { "; " };
        let _ = write!(text, "{between}slowest client ≥ {} x mean", digits(part));
    }
    text
}

/// Least and most that clients had, and the least as a part of the mean.
fn clients(series: &Series) -> Option<String> {
    let (min, max) = series.client_range()?;
    Some(format!("{} .. {} ({} x mean)", digits(min), digits(max), digits(series.least_of_mean()?)))
}

fn verdict(figure: &Figure) -> &'static str {
    match figure.verdict() {
        Verdict::NoGoal => "",
        Verdict::Pass => "pass",
        Verdict::Miss => "MISS",
        Verdict::NotMeasured => "not measured",
    }
}

/// A figure as lines of the terminal.
pub fn terminal(figure: &Figure) -> String {
    let mut out = format!("\n{}: {}\n", figure.name, figure.what);
    let unit = figure.unit.name();
    for (i, series) in figure.series.iter().enumerate() {
        if series.samples.is_empty() {
            continue;
        }
        let ratio = match figure.shown_ratio(series.who) {
            Some(ratio) if i > 0 => format!("  Hathi is {} x", digits(ratio)),
            _ => String::new(),
        };
        let (median, min, max) = (digits(series.median()), digits(series.min()), digits(series.max()));
        let _ = writeln!(
            out,
            "  {:<34} {median:>9} {unit:<13} {min:>9} .. {max:<9} n={:<4}{ratio}",
            series.who,
            series.samples.len()
        );
        if let Some(clients) = clients(series) {
            let _ = writeln!(out, "  {:<34} clients {clients}", "");
        }
    }
    if figure.verdict() != Verdict::NoGoal {
        let _ = writeln!(out, "  goal {}: {}", goal(figure), verdict(figure));
    }
    for note in &figure.notes {
        let _ = writeln!(out, "  note: {note}");
    }
    out
}

/// One line: how many goals were met.
pub fn summary(figures: &[Figure]) -> String {
    let count = |v: Verdict| figures.iter().filter(|f| f.verdict() == v).count();
    let missed: Vec<&str> = figures.iter().filter(|f| f.verdict() == Verdict::Miss).map(|f| f.name).collect();
    let mut line = format!(
        "\n{} figures: {} goals met, {} missed, {} not measured",
        figures.len(),
        count(Verdict::Pass),
        count(Verdict::Miss),
        count(Verdict::NotMeasured)
    );
    if !missed.is_empty() {
        let _ = write!(line, "; missed: {}", missed.join(", "));
    }
    line
}

fn markdown(figures: &[Figure], stage: &Stage) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{BEGIN}\n");
    let _ = writeln!(out, "- machine: {}", machine());
    let _ = writeln!(out, "- date: {}, commit {}", command("date", &["-u", "+%Y-%m-%d"]), commit());
    let _ = writeln!(
        out,
        "- run: {} sizes, {} rounds, contenders in turns; peers: SQLite {}, {}",
        stage.scale.name,
        stage.scale.rounds,
        rusqlite::version(),
        stage.peers_found()
    );
    let _ = writeln!(
        out,
        "- load averages at the end of the run: {} (a busy machine moves all contenders, and absolute goals with them)",
        std::fs::read_to_string("/proc/loadavg")
            .map_or_else(|_| "unknown".to_owned(), |l| l.split(' ').take(3).collect::<Vec<_>>().join(", "))
    );
    let missing = "`cargo xtask bench --write` repeats it, `cargo xtask bench NAME` one figure.";
    let _ = writeln!(out, "- {missing}\n");
    let _ = writeln!(out, "| figure | who | median | min .. max | clients | Hathi is | goal | |");
    let _ = writeln!(out, "|---|---|--:|---|---|--:|---|---|");
    for figure in figures {
        let unit = figure.unit.name();
        for (i, series) in figure.series.iter().filter(|s| !s.samples.is_empty()).enumerate() {
            let first = i == 0;
            let ratio = if first { None } else { figure.shown_ratio(series.who) };
            let _ = writeln!(
                out,
                "| {} | {} | {} {unit} | {} .. {} | {} | {} | {} | {} |",
                if first { format!("`{}`", figure.name) } else { String::new() },
                series.who,
                digits(series.median()),
                digits(series.min()),
                digits(series.max()),
                clients(series).unwrap_or_default(),
                ratio.map_or(String::new(), |r| format!("{} x", digits(r))),
                if first { goal(figure) } else { String::new() },
                if first { verdict(figure) } else { "" },
            );
        }
    }
    out.push_str("\nWhat each is:\n\n");
    for figure in figures {
        let _ = writeln!(out, "- `{}`: {}.", figure.name, figure.what);
        for note in &figure.notes {
            let _ = writeln!(out, "  {note}");
        }
    }
    let _ = writeln!(out, "\n{}\n\n{END}", summary(figures).trim());
    out
}

/// Puts the table into `docs/benchmarks.md`, in place of the one before.
pub fn write(figures: &[Figure], stage: &Stage) -> Result<(), Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("no workspace")?;
    let path = root.join("docs/benchmarks.md");
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    let table = markdown(figures, stage);
    let page = match (page.find(BEGIN), page.find(END)) {
        (Some(from), Some(to)) if from < to => {
            format!("{}{}{}", &page[..from], table.trim_end(), &page[to + END.len()..])
        }
        _ => format!("{}\n\n{table}", page.trim_end()),
    };
    std::fs::write(&path, page)?;
    eprintln!("bench: wrote {}", path.display());
    Ok(())
}

fn command(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(|_| "unknown".to_owned(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
}

fn commit() -> String {
    let hash = command("git", &["rev-parse", "--short", "HEAD"]);
    let dirty = !command("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty();
    if dirty { format!("{hash} with changes") } else { hash }
}

fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|l| l.strip_prefix("model name"))
        .map_or("unknown processor", |l| l.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().next().and_then(|l| l.split_whitespace().nth(1)).and_then(|n| n.parse::<u64>().ok());
    let system = command("uname", &["-sr"]);
    format!("{model}, {cores} cores, {} GiB, {system}", kib.unwrap_or(0) >> 20)
}

/// For callers that print a number of their own.
pub fn number(value: f64, unit: Unit) -> String {
    format!("{} {}", digits(value), unit.name())
}
