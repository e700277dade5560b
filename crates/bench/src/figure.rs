//! `Figure`: what was measured, and what it is held against.

/// What a figure's numbers are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Nanoseconds per row.
    Nanos,
    /// Microseconds per operation.
    Micros,
    /// Milliseconds.
    Millis,
    /// Operations per second.
    PerSecond,
    /// Gigabytes (10^9) per second.
    GigabytesPerSecond,
    /// Megabytes (10^6) per second.
    MegabytesPerSecond,
    /// Commits per sync.
    CommitsPerSync,
    /// Units of 1024 bytes per client.
    KibibytesEach,
    /// Units of 1024 * 1024 bytes.
    Mebibytes,
    /// Threads of a process.
    Threads,
    /// Clients that were let in.
    Clients,
}

impl Unit {
    /// How it is written.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Nanos => "ns",
            Unit::Micros => "µs",
            Unit::Millis => "ms",
            Unit::PerSecond => "/s",
            Unit::GigabytesPerSecond => "GB/s",
            Unit::MegabytesPerSecond => "MB/s",
            Unit::CommitsPerSync => "commits/sync",
            Unit::KibibytesEach => "KiB each",
            Unit::Mebibytes => "MiB",
            Unit::Threads => "threads",
            Unit::Clients => "clients",
        }
    }
}

/// What the clients of one round had, in the figure's unit: fair is who gives all of them about the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clients {
    /// The one who had least.
    pub min: f64,
    /// All of them, by their number.
    pub mean: f64,
    /// The one who had most.
    pub max: f64,
}

impl Clients {
    /// Of one number for each client.
    pub fn of(each: impl IntoIterator<Item = f64>) -> Clients {
        let each: Vec<f64> = each.into_iter().collect();
        Clients {
            min: each.iter().copied().fold(f64::INFINITY, f64::min),
            mean: each.iter().sum::<f64>() / each.len() as f64,
            max: each.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// One contender's samples.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Who.
    pub who: &'static str,
    /// One number per round, or per round and client.
    pub samples: Vec<f64>,
    /// What clients had, once per round; where there are many.
    pub clients: Vec<Clients>,
}

impl Series {
    /// An empty series.
    pub fn new(who: &'static str) -> Series {
        Series { who, ..Series::default() }
    }

    /// Least and most that any client had in any round.
    pub fn client_range(&self) -> Option<(f64, f64)> {
        let min = self.clients.iter().map(|c| c.min).reduce(f64::min)?;
        Some((min, self.clients.iter().map(|c| c.max).reduce(f64::max)?))
    }

    /// What the client who had least had of the mean; of the rounds, the middle one.
    pub fn least_of_mean(&self) -> Option<f64> {
        let each = self.clients.iter().map(|c| c.min / c.mean);
        let parts = Series { samples: each.collect(), ..Series::default() };
        Some(parts.median()).filter(|p| !p.is_nan())
    }

    /// The middle sample; of an even number, the lower of the two.
    pub fn median(&self) -> f64 {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
    }

    /// The smallest sample.
    pub fn min(&self) -> f64 {
        self.samples.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The largest sample.
    pub fn max(&self) -> f64 {
        self.samples.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }
}

/// What the first series' median is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Shown only.
    None,
    /// At most so much.
    AtMost(f64),
    /// At least so much.
    AtLeast(f64),
    /// At most so many times the named series.
    TimesAtMost(&'static str, f64),
    /// At least so many times the named series.
    TimesAtLeast(&'static str, f64),
    /// At most so many times each of the named series that was measured.
    TimesAtMostEach(&'static [(&'static str, f64)]),
    /// At least so many times each of the named series that was measured.
    TimesAtLeastEach(&'static [(&'static str, f64)]),
    /// At least so many times one of the named series that were measured.
    TimesAtLeastAny(&'static [(&'static str, f64)]),
}

/// Whether a goal was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There was none.
    NoGoal,
    /// It was.
    Pass,
    /// It was not.
    Miss,
    /// The peer is not there.
    NotMeasured,
}

/// A measured figure: Hathi's series first, then its peers'.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Its name on the command line.
    pub name: &'static str,
    /// What was done, in words.
    pub what: String,
    /// Of all series.
    pub unit: Unit,
    /// Hathi first.
    pub series: Vec<Series>,
    /// What the first is held against.
    pub goal: Goal,
    /// What part of the mean the client who has least must have at least.
    pub least_of_mean: Option<f64>,
    /// What a reader must know.
    pub notes: Vec<String>,
}

impl Figure {
    /// A figure of these contenders, not measured yet.
    pub fn new(name: &'static str, what: impl Into<String>, unit: Unit, goal: Goal, who: &[&'static str]) -> Figure {
        let series = who.iter().map(|&w| Series::new(w)).collect();
        Figure { name, what: what.into(), unit, series, goal, least_of_mean: None, notes: Vec::new() }
    }

    /// The same with a second goal: the client who has least has at least `part` of the mean.
    pub fn fair(mut self, part: f64) -> Figure {
        self.least_of_mean = Some(part);
        self
    }

    fn series_of(&mut self, who: &'static str) -> &mut Series {
        let at = self.series.iter().position(|s| s.who == who).unwrap_or_else(|| {
            self.series.push(Series::new(who));
            self.series.len() - 1
        });
        &mut self.series[at]
    }

    /// Adds a sample of contender `who`.
    pub fn add(&mut self, who: &'static str, sample: f64) {
        self.series_of(who).samples.push(sample);
    }

    /// Adds a sample of contender `who`, and what its clients had.
    pub fn add_clients(&mut self, who: &'static str, sample: f64, clients: Clients) {
        self.add(who, sample);
        self.series_of(who).clients.push(clients);
    }

    /// Adds a remark, once.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The ratio to show beside series `who`: with every peer, and with what the goal names.
    pub fn shown_ratio(&self, who: &'static str) -> Option<f64> {
        let is_ours = |who: &str| who.starts_with("Hathi");
        if !self.series.first().is_some_and(|own| is_ours(own.who)) {
            return None;
        }
        let named = matches!(self.goal, Goal::TimesAtMost(w, _) | Goal::TimesAtLeast(w, _) if w == who);
        if is_ours(who) && !named { None } else { self.ratio(who) }
    }

    /// The first median divided by that of series `who`, if both were measured.
    pub fn ratio(&self, who: &str) -> Option<f64> {
        let peer = self.series.iter().find(|s| s.who == who && !s.samples.is_empty())?;
        let own = self.series.first().filter(|s| !s.samples.is_empty())?;
        Some(own.median() / peer.median())
    }

    /// Whether the goals were met.
    pub fn verdict(&self) -> Verdict {
        let own = self.series.first();
        let fair = match (self.least_of_mean, own.and_then(Series::least_of_mean)) {
            (None, _) => None,
            (Some(_), None) => Some(Verdict::NotMeasured),
            (Some(part), Some(least)) => Some(judge(least >= part)),
        };
        match (self.size_verdict(), fair) {
            (size, None) => size,
            (Verdict::NoGoal | Verdict::Pass, Some(fair)) => fair,
            (size, Some(_)) => size,
        }
    }

    /// Whether the median is as it should be.
    fn size_verdict(&self) -> Verdict {
        let own = self.series.first().map_or(f64::NAN, Series::median);
        let each = |limits: &[(&'static str, f64)], met: fn(&f64, &f64) -> bool| -> Vec<bool> {
            limits.iter().filter_map(|(who, limit)| Some(met(&self.ratio(who)?, limit))).collect()
        };
        let all = |met: Vec<bool>| if met.is_empty() { Verdict::NotMeasured } else { judge(met.iter().all(|&m| m)) };
        let any = |met: Vec<bool>| if met.is_empty() { Verdict::NotMeasured } else { judge(met.iter().any(|&m| m)) };
        match self.goal {
            Goal::None => Verdict::NoGoal,
            _ if own.is_nan() => Verdict::NotMeasured,
            Goal::AtMost(limit) => judge(own <= limit),
            Goal::AtLeast(limit) => judge(own >= limit),
            Goal::TimesAtMost(who, limit) => all(each(&[(who, limit)], f64::le)),
            Goal::TimesAtLeast(who, limit) => all(each(&[(who, limit)], f64::ge)),
            Goal::TimesAtMostEach(limits) => all(each(limits, f64::le)),
            Goal::TimesAtLeastEach(limits) => all(each(limits, f64::ge)),
            Goal::TimesAtLeastAny(limits) => any(each(limits, f64::ge)),
        }
    }
}

fn judge(ok: bool) -> Verdict {
    if ok { Verdict::Pass } else { Verdict::Miss }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(goal: Goal) -> Figure {
        let mut figure = Figure::new("x", "", Unit::Micros, goal, &["Hathi", "SQLite"]);
        [3.0, 1.0, 2.0].iter().for_each(|&s| figure.add("Hathi", s));
        [1.0, 1.0, 9.0].iter().for_each(|&s| figure.add("SQLite", s));
        figure
    }

    #[test]
    fn medians_are_judged() {
        assert_eq!(figure(Goal::AtMost(2.0)).verdict(), Verdict::Pass);
        assert_eq!(figure(Goal::AtMost(1.9)).verdict(), Verdict::Miss);
        assert_eq!(figure(Goal::AtLeast(2.1)).verdict(), Verdict::Miss);
        assert_eq!(figure(Goal::TimesAtMost("SQLite", 2.0)).verdict(), Verdict::Pass);
        assert_eq!(figure(Goal::TimesAtLeast("SQLite", 2.1)).verdict(), Verdict::Miss);
        assert_eq!(figure(Goal::TimesAtMost("PostgreSQL", 2.0)).verdict(), Verdict::NotMeasured);
    }

    #[test]
    fn each_named_peer_is_judged_that_was_measured() {
        let both = |sqlite, pg| {
            let mut figure = figure(Goal::TimesAtMostEach(&[("SQLite", 2.0), ("PostgreSQL", 0.5)]));
            figure.series[1].samples = sqlite;
            figure.series.push(Series { samples: pg, ..Series::new("PostgreSQL") });
            figure.verdict()
        };
        assert_eq!(both(vec![1.0], vec![4.0]), Verdict::Pass);
        assert_eq!(both(vec![1.0], vec![3.9]), Verdict::Miss);
        assert_eq!(both(vec![0.9], vec![4.0]), Verdict::Miss);
        assert_eq!(both(vec![1.0], vec![]), Verdict::Pass);
        assert_eq!(both(vec![], vec![]), Verdict::NotMeasured);
    }

    #[test]
    fn one_of_the_named_peers_is_enough_or_all_are_asked_for() {
        let limits: &[(&str, f64)] = &[("SQLite", 3.0), ("PostgreSQL", 1.0)];
        assert_eq!(figure(Goal::TimesAtLeastAny(limits)).verdict(), Verdict::Miss);
        let with_another = |goal| {
            let mut figure = figure(goal);
            figure.add("PostgreSQL", 2.0);
            figure.verdict()
        };
        assert_eq!(with_another(Goal::TimesAtLeastAny(limits)), Verdict::Pass);
        assert_eq!(with_another(Goal::TimesAtLeastEach(limits)), Verdict::Miss);
    }

    #[test]
    fn the_client_who_has_least_is_judged_too() {
        let with_least = |min| {
            let mut figure = Figure::new("x", "", Unit::PerSecond, Goal::AtLeast(1.0), &["Hathi"]).fair(0.5);
            figure.add_clients("Hathi", 2.0, Clients::of([min, 20.0 - min]));
            figure.verdict()
        };
        assert_eq!(with_least(5.0), Verdict::Pass);
        assert_eq!(with_least(4.9), Verdict::Miss);
    }

    #[test]
    fn a_figure_without_samples_is_not_met() {
        let figure = Figure::new("x", "", Unit::Micros, Goal::AtMost(2.0), &["Hathi"]);
        assert_eq!(figure.verdict(), Verdict::NotMeasured);
    }
}
