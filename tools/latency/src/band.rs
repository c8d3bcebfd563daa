//! Noise: how far apart rounds of the same thing lie, and whether another measurement lies farther.

use engine::config::Speed;
use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::report::{Pace, Report, by_round};
use crate::rows::{Kind, ROWS};
use crate::subject::Facts;
use crate::support::PERCENTILES;
use crate::window::Window;
use crate::words::factor;

/// Of a baseline file.
const VERSION: u32 = 2;
/// A percentile moves by its band at least before anything is made of it: this share of it, in hundredths …
const BAND_PERCENT: u64 = 3;
/// … or so many steps of the clock.
const BAND_STEPS: u64 = 2;
/// Few rounds show less of the noise than there is: their spread is taken so often.
const SPREADS: u64 = 2;
/// Rounds that a band can be made of.
pub const ROUNDS_MIN: usize = 3;

/// Figures to compare later ones with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    version: u32,
    #[serde(flatten)]
    of: Of,
    figures: Vec<Figure>,
}

/// What figures are of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Of {
    facts: Facts,
    machine: Machine,
    seconds: f64,
    /// By pace.
    #[serde(default)]
    windows: Vec<(String, Window)>,
}

impl Of {
    /// Of what was asked for, on this machine.
    pub fn new(
        facts: &Facts,
        machine: &Machine,
        seconds: f64,
        windows: impl Iterator<Item = (Speed, Window)>,
    ) -> Of {
        let windows = windows.map(|(speed, window)| (factor(speed), window)).collect();
        Of { facts: facts.clone(), machine: machine.clone(), seconds, windows }
    }
}

/// A percentile that is supported, round by round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// The pace.
    pub speed: String,
    /// The row.
    pub row: String,
    /// What the row is of.
    pub kind: Kind,
    /// The percentile.
    pub percentile: String,
    /// Nanoseconds of each round.
    pub rounds: Vec<u64>,
    /// What the clock can tell apart.
    pub step_ns: u64,
}

/// Which way a figure went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// Within the band.
    Within,
    /// Beyond it, to the better.
    Faster,
    /// Beyond it, to the worse.
    Slower,
}

/// A figure beside its baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The figure as it is now.
    #[serde(flatten)]
    pub figure: Figure,
    /// Median of the rounds of the baseline, and of these.
    pub before_ns: u64,
    /// See there.
    pub after_ns: u64,
    /// How far they may lie apart.
    pub band_ns: u64,
    /// Whether they do.
    pub moved: Moved,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Figures that both have.
    pub figures: Vec<Compared>,
    /// Figures that only one of both supports.
    pub not_compared: usize,
}

impl Comparison {
    /// Whether nothing got slower, and there was something to compare.
    pub fn is_good(&self) -> bool {
        !self.figures.is_empty() && self.slower().next().is_none()
    }

    /// What got slower.
    pub fn slower(&self) -> impl Iterator<Item = &Compared> {
        self.figures.iter().filter(|compared| compared.moved == Moved::Slower)
    }
}

impl Baseline {
    /// Of a report.
    pub fn of(report: &Report) -> Baseline {
        let Report { facts, machine, seconds, paces, .. } = report;
        let windows = paces.iter().map(|pace| (pace.speed, pace.window));
        let of = Of::new(facts, machine, *seconds, windows);
        Baseline { version: VERSION, of, figures: paces.iter().flat_map(figures).collect() }
    }

    /// Whether figures of that can be compared with this: known before any is measured, which takes minutes.
    ///
    /// # Errors
    ///
    /// Why they cannot.
    pub fn check(&self, now: &Of) -> Result<(), String> {
        let Of { facts, machine, seconds, windows } = &self.of;
        if self.version != VERSION {
            return Err(format!("it is of version {}, not {VERSION}", self.version));
        }
        if *facts != now.facts {
            return Err("it is of other captures, another configuration or other strategies".into());
        }
        if !machine.is_like(&now.machine) {
            let Machine { processor, cpus, .. } = machine;
            return Err(format!("it is of another machine: {processor}, {cpus} cores"));
        }
        if *seconds != now.seconds {
            return Err(format!("its windows last {seconds} s"));
        }
        for (pace, window) in &now.windows {
            let differs = |(speed, other): &&(String, Window)| speed == pace && other != window;
            if windows.iter().any(|other| differs(&other)) {
                return Err(format!(
                    "its window at pace {pace} is another stretch of the captures"
                ));
            }
        }
        Ok(())
    }

    /// Compares `now` with this.
    ///
    /// # Errors
    ///
    /// Why they cannot be compared.
    pub fn compare(&self, now: &Baseline) -> Result<Comparison, String> {
        self.check(&now.of)?;
        let before = |key| self.figures.iter().find(|figure| figure.key() == key);
        let pairs = now.figures.iter().map(|after| (before(after.key()), after));
        let pairs: Vec<(&Figure, &Figure)> =
            pairs.filter_map(|(before, after)| Some((before?, after))).collect();
        let not_compared = self.figures.len() + now.figures.len() - 2 * pairs.len();
        let figures = pairs.into_iter().map(|(before, after)| compare(before, after)).collect();
        Ok(Comparison { figures, not_compared })
    }
}

impl Figure {
    fn key(&self) -> (&str, &str, Kind, &str) {
        (&self.speed, &self.row, self.kind, &self.percentile)
    }

    fn median(&self) -> u64 {
        let mut rounds = self.rounds.clone();
        rounds.sort_unstable();
        rounds.get(rounds.len() / 2).copied().unwrap_or(0)
    }

    fn spread(&self) -> u64 {
        let of = |least: Option<&u64>| least.copied().unwrap_or(0);
        of(self.rounds.iter().max()) - of(self.rounds.iter().min())
    }

    /// How far another median may lie from this one's.
    pub fn band(&self) -> u64 {
        let noise = SPREADS * self.spread();
        let least = (self.median() * BAND_PERCENT).div_ceil(100);
        noise.max(least).max(BAND_STEPS * self.step_ns)
    }
}

/// Percentiles of a pace that its rounds support.
pub fn figures(pace: &Pace) -> Vec<Figure> {
    let lines = pace.lines();
    let step_ns = pace.rounds.iter().map(|round| round.clock.step_ns).max().unwrap_or(0);
    let of = |(place, row): (usize, &crate::rows::Row)| {
        let Some(line) = lines.iter().find(|line| line.row == *row) else { return Vec::new() };
        let supported = PERCENTILES.iter().zip(line.cells).filter(|(_, cell)| cell.is_ok());
        let figure = |((name, quantile, _), _): (&(&str, f64, u64), _)| Figure {
            speed: factor(pace.speed),
            row: row.name.into(),
            kind: row.kind,
            percentile: (*name).into(),
            rounds: by_round(pace, place, *quantile),
            step_ns,
        };
        supported.map(figure).collect::<Vec<_>>()
    };
    ROWS.iter().enumerate().flat_map(of).collect()
}

fn compare(before: &Figure, after: &Figure) -> Compared {
    let (before_ns, after_ns) = (before.median(), after.median());
    let band_ns = before.band().max(after.band());
    let moved = match (after_ns > before_ns, after_ns.abs_diff(before_ns) > band_ns) {
        (_, false) => Moved::Within,
        (true, true) => Moved::Slower,
        (false, true) => Moved::Faster,
    };
    Compared { figure: after.clone(), before_ns, after_ns, band_ns, moved }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(rounds: &[u64], step_ns: u64) -> Figure {
        let (speed, row, percentile) = ("1".into(), "book".into(), "p50".into());
        Figure { speed, row, kind: Kind::Stage, percentile, rounds: rounds.to_vec(), step_ns }
    }

    fn baseline(figures: &[Figure]) -> Baseline {
        Baseline {
            version: VERSION,
            of: Of {
                facts: Facts { events: 7, ..Facts::default() },
                machine: Machine { processor: "P".into(), cpus: 2, ..Machine::default() },
                seconds: 1.0,
                windows: vec![("1".into(), Window { from: 5, ..Window::default() })],
            },
            figures: figures.to_vec(),
        }
    }

    /// Goal: the band is the noise of either side, and never less than the clock or 3 % can tell; its edge is inside. Method:
    /// on the edge and one beyond, on both sides, for each of the three.
    #[test]
    fn edges_of_the_band() {
        for (rounds, step, band) in [
            ([1_000, 1_010, 1_050], 1, 100), // Twice what lies between the rounds.
            ([10_000, 10_000, 10_000], 1, 300),
            ([50, 50, 50], 10, 20),
        ] {
            let before = figure(&rounds, step);
            assert_eq!(before.band(), band);
            let middle = before.median();
            let after = |ns: u64| compare(&before, &figure(&[ns; 3], 0)).moved;
            assert_eq!([after(middle), after(middle - band)], [Moved::Within; 2]);
            assert_eq!(after(middle - band - 1), Moved::Faster);
        }
        let before = figure(&[50; 3], 10);
        let after = |ns: u64| compare(&before, &figure(&[ns; 3], 0)).moved;
        assert_eq!([after(70), after(71)], [Moved::Within, Moved::Slower]);
        let loud = compare(&figure(&[100; 3], 1), &figure(&[110, 150, 200], 1));
        assert_eq!((loud.band_ns, loud.moved), (180, Moved::Within), "its own noise counts too");
    }

    /// Goal: only the same figures of the same thing on the same machine are compared; nothing to compare is not good.
    /// Method: the same, and each difference.
    #[test]
    fn what_can_be_compared() {
        let one = baseline(&[figure(&[100; 3], 1)]);
        let same = one.compare(&one).unwrap();
        assert!(same.is_good() && same.figures.len() == 1 && same.not_compared == 0);
        let slower = one.compare(&baseline(&[figure(&[200; 3], 1)])).unwrap();
        assert!(!slower.is_good() && slower.slower().count() == 1);
        let faster = one.compare(&baseline(&[figure(&[50; 3], 1)])).unwrap();
        assert!(faster.is_good() && faster.figures[0].moved == Moved::Faster);
        let other = Figure { percentile: "p99".into(), ..figure(&[100; 3], 1) };
        let none = one.compare(&baseline(&[other])).unwrap();
        assert!(!none.is_good() && none.not_compared == 2);
        let of = |of| Baseline { of, ..one.clone() };
        let facts = of(Of { facts: Facts::default(), ..one.of.clone() });
        let machine = Machine { cpus: 3, ..one.of.machine.clone() };
        let machine = of(Of { machine, ..one.of.clone() });
        let seconds = of(Of { seconds: 2.0, ..one.of.clone() });
        let windows = vec![("1".into(), Window::default())];
        let window = of(Of { windows, ..one.of.clone() });
        let version = Baseline { version: 1, ..one.clone() };
        for (other, why) in [
            (facts, "other captures"),
            (machine, "another machine: P, 3 cores"),
            (seconds, "windows last 2"),
            (window, "window at pace 1"),
            (version, "version 1"),
        ] {
            let said = other.check(&one.of).unwrap_err();
            assert!(said.contains(why) && other.compare(&one).is_err(), "{said}");
        }
        let windows = vec![("2".into(), Window::default())];
        let other_pace = of(Of { windows, ..one.of.clone() });
        assert_eq!(other_pace.check(&one.of), Ok(()), "its figures are of another key");
    }

    /// Goal: a baseline is read as it was written. Method: JSON and back.
    #[test]
    fn baselines_are_read_back() {
        let one = baseline(&[figure(&[1, 2, 3], 1)]);
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Baseline>(&text).unwrap(), one);
    }
}
