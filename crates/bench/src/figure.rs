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
        }
    }
}

/// One contender's samples.
#[derive(Clone, Debug)]
pub struct Series {
    /// Who.
    pub who: &'static str,
    /// One number per round, or per round and client.
    pub samples: Vec<f64>,
}

impl Series {
    /// An empty series.
    pub fn new(who: &'static str) -> Series {
        Series { who, samples: Vec::new() }
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
    /// What a reader must know.
    pub notes: Vec<String>,
}

impl Figure {
    /// A figure of these contenders, not measured yet.
    pub fn new(name: &'static str, what: impl Into<String>, unit: Unit, goal: Goal, who: &[&'static str]) -> Figure {
        let series = who.iter().map(|&w| Series::new(w)).collect();
        Figure { name, what: what.into(), unit, series, goal, notes: Vec::new() }
    }

    /// Adds a sample of contender `who`.
    pub fn add(&mut self, who: &'static str, sample: f64) {
        match self.series.iter_mut().find(|s| s.who == who) {
            Some(series) => series.samples.push(sample),
            None => self.series.push(Series { who, samples: vec![sample] }),
        }
    }

    /// Adds a remark.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// The ratio to show beside series `who`: with every peer, and with what the goal names.
    pub fn shown_ratio(&self, who: &'static str) -> Option<f64> {
        let named = matches!(self.goal, Goal::TimesAtMost(w, _) | Goal::TimesAtLeast(w, _) if w == who);
        if who.starts_with("Hathi") && !named { None } else { self.ratio(who) }
    }

    /// The first median divided by that of series `who`, if both were measured.
    pub fn ratio(&self, who: &str) -> Option<f64> {
        let peer = self.series.iter().find(|s| s.who == who && !s.samples.is_empty())?;
        let own = self.series.first().filter(|s| !s.samples.is_empty())?;
        Some(own.median() / peer.median())
    }

    /// Whether the goal was met.
    pub fn verdict(&self) -> Verdict {
        let judge = |ok: bool| if ok { Verdict::Pass } else { Verdict::Miss };
        let own = self.series.first().map_or(f64::NAN, Series::median);
        match self.goal {
            Goal::None => Verdict::NoGoal,
            _ if own.is_nan() => Verdict::NotMeasured,
            Goal::AtMost(limit) => judge(own <= limit),
            Goal::AtLeast(limit) => judge(own >= limit),
            Goal::TimesAtMost(who, limit) => self.ratio(who).map_or(Verdict::NotMeasured, |r| judge(r <= limit)),
            Goal::TimesAtLeast(who, limit) => self.ratio(who).map_or(Verdict::NotMeasured, |r| judge(r >= limit)),
            Goal::TimesAtMostEach(limits) => {
                let met: Vec<bool> =
                    limits.iter().filter_map(|&(who, limit)| Some(self.ratio(who)? <= limit)).collect();
                if met.is_empty() { Verdict::NotMeasured } else { judge(met.iter().all(|&m| m)) }
            }
        }
    }
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
            figure.series.push(Series { who: "PostgreSQL", samples: pg });
            figure.verdict()
        };
        assert_eq!(both(vec![1.0], vec![4.0]), Verdict::Pass);
        assert_eq!(both(vec![1.0], vec![3.9]), Verdict::Miss);
        assert_eq!(both(vec![0.9], vec![4.0]), Verdict::Miss);
        assert_eq!(both(vec![1.0], vec![]), Verdict::Pass);
        assert_eq!(both(vec![], vec![]), Verdict::NotMeasured);
    }

    #[test]
    fn a_figure_without_samples_is_not_met() {
        let figure = Figure::new("x", "", Unit::Micros, Goal::AtMost(2.0), &["Hathi"]);
        assert_eq!(figure.verdict(), Verdict::NotMeasured);
    }
}
