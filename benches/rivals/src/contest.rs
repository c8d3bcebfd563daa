//! Contenders for the same work, run in alternation.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::lock;
use crate::machine::Hiccups;
use crate::pair::{self, Place};
use crate::setting::Setting;

/// What one round came to.
#[derive(Clone, Copy)]
pub struct Round {
    /// Time of one operation, in the contest's unit.
    pub each: f64,
    /// What it found, where that can be compared.
    pub sum: Option<u64>,
}

/// Times `work` by what this thread ran on its processor, in nanoseconds an operation, so that other programs of a busy
/// machine count less. Always inlined, so that everybody's state may stay in registers from one piece of input to the next.
#[inline(always)]
pub fn timed<T>(operations: usize, work: impl FnOnce() -> T) -> (f64, T) {
    let start = thread_time();
    let found = work();
    let took = thread_time().saturating_sub(start);
    (took.as_secs_f64() * 1e9 / operations.max(1) as f64, found)
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Whose figure it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// tickgate.
    Ours,
    /// Somebody else's.
    Rival,
    /// What nobody can beat.
    Bound,
}

type Work<'a> = Box<dyn FnMut() -> Result<Round, String> + 'a>;

/// One that takes part.
pub struct Contender<'a> {
    part: Part,
    name: String,
    version: &'static str,
    note: &'static str,
    work: Result<Work<'a>, String>,
}

impl<'a> Contender<'a> {
    fn new(
        part: Part,
        name: &str,
        work: impl FnMut() -> Result<Round, String> + 'a,
    ) -> Contender<'a> {
        Contender { part, name: name.into(), version: "", note: "", work: Ok(Box::new(work)) }
    }

    /// A part of tickgate.
    pub fn ours(name: &str, mut work: impl FnMut() -> Round + 'a) -> Contender<'a> {
        Contender::new(Part::Ours, &format!("tickgate {name}"), move || Ok(work()))
    }

    /// A part of tickgate that may not be there.
    pub fn ours_if(name: &str, work: impl FnMut() -> Result<Round, String> + 'a) -> Contender<'a> {
        Contender::new(Part::Ours, &format!("tickgate {name}"), work)
    }

    /// A bound.
    pub fn bound(name: &str, mut work: impl FnMut() -> Round + 'a) -> Contender<'a> {
        Contender::new(Part::Bound, name, move || Ok(work()))
    }

    /// A rival: its crate, and which part of it if there are several.
    pub fn rival(package: &str, part: &str, mut work: impl FnMut() -> Round + 'a) -> Contender<'a> {
        Contender::rival_if(package, part, move || Ok(work()))
    }

    /// A rival that may not be able to run.
    pub fn rival_if(
        package: &str,
        part: &str,
        work: impl FnMut() -> Result<Round, String> + 'a,
    ) -> Contender<'a> {
        let contender = Contender::new(Part::Rival, format!("{package} {part}").trim_end(), work);
        Contender { version: lock::version(package), ..contender }
    }

    /// A rival whose feature is off.
    #[cfg_attr(feature = "all", expect(dead_code, reason = "all are built"))]
    pub fn not_built(package: &str) -> Contender<'a> {
        let work = Err("not built".into());
        Contender {
            part: Part::Rival,
            name: package.into(),
            version: lock::version(package),
            note: "",
            work,
        }
    }

    /// Says in which way it does not do the same as ours.
    pub fn note(self, note: &'static str) -> Contender<'a> {
        Contender { note, ..self }
    }
}

/// Work that several do.
pub struct Contest<'a> {
    /// What it is.
    pub title: String,
    /// Unit of a figure; less is better.
    pub unit: &'static str,
    /// What each must find; `None`: nothing can be compared.
    pub right: Option<u64>,
    /// Those who do it.
    pub contenders: Vec<Contender<'a>>,
}

/// Whether what was found may be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The right digest, every time.
    Right,
    /// There is none to compare.
    Unchecked,
    /// Another digest.
    Wrong(u64),
    /// No figure, and why.
    Absent(String),
    /// No figure, for it panicked.
    Panicked,
}

/// What became of a contender.
pub struct Line {
    /// Whose it is.
    pub part: Part,
    /// Its name.
    pub name: String,
    /// Its version; empty for ours and for bounds.
    pub version: &'static str,
    /// In which way it does not do the same.
    pub note: &'static str,
    /// Every round, in the order in which they ran.
    pub rounds: Vec<f64>,
    /// Whether to believe them.
    pub verdict: Verdict,
}

impl Line {
    /// The middle round; `None`: there is no figure that may be compared.
    pub fn median(&self) -> Option<f64> {
        let mut sorted = self.rounds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied()
    }

    /// The shortest round.
    pub fn min(&self) -> Option<f64> {
        self.rounds.iter().copied().min_by(f64::total_cmp)
    }

    /// Whether it may stand in a ratio.
    pub fn counts(&self) -> bool {
        matches!(self.verdict, Verdict::Right | Verdict::Unchecked)
    }
}

/// What a contest came to.
pub struct Outcome {
    /// What it was.
    pub title: String,
    /// Unit of its figures.
    pub unit: &'static str,
    /// What others took of this processor right before.
    pub hiccups: Hiccups,
    /// Where the two processors were, if it takes both and that could be measured.
    pub place: Option<Place>,
    /// Ours first, bounds last.
    pub lines: Vec<Line>,
}

impl Contest<'_> {
    /// Runs all in alternation, A B C A B C …, as often as the setting says; in each turn twice, and the second time counts: what
    /// others left in the caches, and what a host took of this guest's memory meanwhile, is not the contender's doing.
    pub fn run(self, setting: &Setting) -> Outcome {
        self.turns(setting, |round| {
            round();
            None
        })
    }

    /// The same of work for two processors: every round with both at the same place.
    pub fn run_on_pair(self, setting: &Setting) -> Outcome {
        let mut pair = pair::of_host(setting.cpus);
        if pair.is_none() {
            eprintln!("  not held to one place: no hop between the two processors can be measured");
        }
        self.turns(setting, |round| match &mut pair {
            Some(pair) => Some(pair.hold(round)),
            None => {
                round();
                None
            }
        })
    }

    /// Runs them; `turn` does one contender's and says where that was.
    fn turns(
        self,
        setting: &Setting,
        mut turn: impl FnMut(&mut dyn FnMut()) -> Option<Place>,
    ) -> Outcome {
        let Contest { title, unit, right, contenders } = self;
        let (hiccups, mut place) = (Hiccups::look(setting.cpus), None);
        let wanted = contenders.into_iter().filter(|contender| setting.wants(&contender.name));
        let (mut lines, mut works): (Vec<Line>, Vec<_>) = wanted.map(Contender::enter).unzip();
        for round in 1..=setting.rounds {
            for (line, work) in lines.iter_mut().zip(&mut works) {
                let Some(work) = work.as_mut().filter(|_| line.counts()) else { continue };
                eprintln!("  {title}: round {round} of {}, {}", setting.rounds, line.name);
                let known = line.rounds.len();
                let mut twice = || {
                    for _ in 0..2 {
                        if line.counts() {
                            line.rounds.truncate(known);
                            line.take(catch_unwind(AssertUnwindSafe(&mut *work)), right);
                        }
                    }
                };
                place = turn(&mut twice).or(place);
            }
        }
        Outcome { title, unit, hiccups, place, lines }
    }
}

impl<'a> Contender<'a> {
    fn enter(self) -> (Line, Option<Work<'a>>) {
        let Contender { part, name, version, note, work } = self;
        let (verdict, work) = match work {
            Ok(work) => (Verdict::Unchecked, Some(work)),
            Err(why) => (Verdict::Absent(why), None),
        };
        (Line { part, name, version, note, rounds: Vec::new(), verdict }, work)
    }
}

impl Line {
    fn take(&mut self, round: std::thread::Result<Result<Round, String>>, right: Option<u64>) {
        match round {
            Ok(Ok(Round { each, sum })) => {
                self.rounds.push(each);
                self.verdict = match (sum, right) {
                    (Some(sum), Some(right)) if sum != right => Verdict::Wrong(sum),
                    (Some(_), Some(_)) => Verdict::Right,
                    _ => Verdict::Unchecked,
                };
            }
            Ok(Err(why)) => self.verdict = Verdict::Absent(why),
            Err(_) => self.verdict = Verdict::Panicked,
        }
    }
}
