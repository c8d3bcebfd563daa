//! What all rounds came to: per pace, pooled histograms and what they support.

use doctor::Gaps;
use engine::config::Speed;

use crate::band::Comparison;
use crate::machine::Machine;
use crate::meter::Cost;
use crate::round::Round;
use crate::rows::{Histograms, ROWS, Row};
use crate::subject::Facts;
use crate::support::{Cell, PERCENTILES, cells};
use crate::window::Window;

/// The whole.
pub struct Report {
    /// What was measured.
    pub facts: Facts,
    /// Where.
    pub machine: Machine,
    /// Cores of feed thread and engine thread.
    pub cpus: [usize; 2],
    /// How long a window lasts.
    pub seconds: f64,
    /// By pace.
    pub paces: Vec<Pace>,
    /// What was compared with a baseline, if any was.
    pub compared: Option<Comparison>,
}

/// All rounds at one pace.
pub struct Pace {
    /// The pace.
    pub speed: Speed,
    /// What was played at it.
    pub window: Window,
    /// The rounds.
    pub rounds: Vec<Round>,
    /// All of them together.
    pub all: Histograms,
    /// The same of events that no hiccup came near.
    pub quiet: Histograms,
    /// Time that feed thread and engine thread stood still, in millionths: the greater of what was seen in the windows and
    /// around them.
    pub lost_ppm: [u64; 2],
    /// The longest hiccup of each.
    pub longest_ns: [u64; 2],
}

/// A row with its percentiles.
pub struct Line {
    /// Which.
    pub row: Row,
    /// Samples.
    pub n: u64,
    /// Smallest and greatest.
    pub range: [u64; 2],
    /// As in [`PERCENTILES`].
    pub cells: [Cell; PERCENTILES.len()],
}

impl Pace {
    /// Puts rounds together.
    pub fn new(speed: Speed, window: Window, rounds: Vec<Round>) -> Pace {
        let (mut all, mut quiet) = (Histograms::default(), Histograms::default());
        for round in &rounds {
            all.add(&round.counts);
            quiet.add(&round.quiet);
        }
        let gaps = |place: usize, of: fn(&crate::round::Core) -> Vec<Gaps>| {
            let cores = rounds.iter().filter_map(|round| round.cores.get(place));
            cores.flat_map(of).collect::<Vec<Gaps>>()
        };
        let around = |core: &crate::round::Core| core.around.iter().flatten().copied().collect();
        let both = [0, 1].map(|place| [gaps(place, |core| vec![core.during]), gaps(place, around)]);
        let lost_ppm = both.each_ref().map(|[during, around]| ppm(during).max(ppm(around)));
        let longest = |gaps: &[Gaps]| gaps.iter().map(|gaps| gaps.max_ns).max().unwrap_or(0);
        let longest_ns =
            both.each_ref().map(|[during, around]| longest(during).max(longest(around)));
        Pace { speed, window, rounds, all, quiet, lost_ppm, longest_ns }
    }

    /// Every row that has a sample.
    pub fn lines(&self) -> Vec<Line> {
        lines(&self.all, self.lost_ppm)
    }

    /// Those of undisturbed events. Hiccups that were seen are not in them.
    pub fn quiet_lines(&self) -> Vec<Line> {
        lines(&self.quiet, [0; 2])
    }

    /// Millionths of the time that the threads of a row stood still.
    pub fn lost_of(&self, row: &Row) -> u64 {
        lost_of(row, self.lost_ppm)
    }

    /// Share of events that no hiccup came near, in millionths.
    pub fn quiet_ppm(&self) -> u64 {
        let sum = |of: fn(&Round) -> u64| self.rounds.iter().map(of).sum::<u64>();
        sum(|round| round.quiet_events) * 1_000_000 / sum(|round| round.events).max(1)
    }

    /// Share of the windows in which a thread was watched for hiccups, in millionths.
    pub fn watched_ppm(&self, place: usize) -> u64 {
        let during = |round: &Round| round.cores.get(place).map_or(0, |core| core.during.spent_ns);
        let watched: u128 = self.rounds.iter().map(|round| u128::from(during(round))).sum();
        let span: u128 = self.rounds.iter().map(|round| u128::from(round.span_ns)).sum();
        (watched * 1_000_000 / span.max(1)) as u64
    }

    /// Events a second of the windows.
    pub fn rate(&self) -> f64 {
        let sum = |of: fn(&Round) -> u64| self.rounds.iter().map(of).sum::<u64>() as f64;
        sum(|round| round.events) / (sum(|round| round.span_ns) / 1e9).max(1e-9)
    }

    /// What a thread took in all windows; `None`: one of them is not known.
    pub fn cost(&self, place: usize) -> Option<Cost> {
        let mut sum = Cost { allocations: 0, faults: 0, preempted: 0, calls: Ok(0) };
        for round in &self.rounds {
            let cost = round.cores.get(place)?.cost.clone()?;
            sum.allocations += cost.allocations;
            sum.faults += cost.faults;
            sum.preempted += cost.preempted;
            sum.calls = sum.calls.and_then(|sum| cost.calls.map(|calls| sum + calls));
        }
        Some(sum)
    }
}

/// A percentile of each round that supports it once they are pooled: what the band is made of.
pub fn by_round(pace: &Pace, row: usize, quantile: f64) -> Vec<u64> {
    let of = |round: &Round| {
        let mut histograms = Histograms::default();
        histograms.add(&round.counts);
        let histogram = histograms.get(row).filter(|histogram| !histogram.is_empty())?;
        Some(histogram.value_at_quantile(quantile))
    };
    pace.rounds.iter().filter_map(of).collect()
}

fn lines(histograms: &Histograms, lost_ppm: [u64; 2]) -> Vec<Line> {
    let rows = ROWS.iter().enumerate();
    let line = |(place, row): (usize, &Row)| {
        let histogram = histograms.get(place).filter(|histogram| !histogram.is_empty())?;
        Some(Line {
            row: *row,
            n: histogram.len(),
            range: [histogram.min(), histogram.max()],
            cells: cells(histogram, lost_of(row, lost_ppm)),
        })
    };
    rows.filter_map(line).collect()
}

fn lost_of(row: &Row, lost_ppm: [u64; 2]) -> u64 {
    row.threads.iter().zip(lost_ppm).filter(|(has, _)| **has).map(|(_, ppm)| ppm).sum()
}

/// Of several measurements together.
fn ppm(gaps: &[Gaps]) -> u64 {
    let sum = |of: fn(&Gaps) -> u64| gaps.iter().map(|gaps| u128::from(of(gaps))).sum::<u128>();
    let spent = sum(|gaps| gaps.spent_ns).max(1);
    // Rounded up: a hiccup that was seen is none of zero.
    (sum(|gaps| gaps.lost_ns) * 1_000_000).div_ceil(spent) as u64
}
