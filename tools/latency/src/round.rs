//! One round: the whole engine in a process of its own, watched over one window, and what is made of the stamps.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use doctor::{Gaps, GapsOf, Together};
use engine::config::{Config, Speed};
use engine::runtime::{self, Finished, Plan, RunError};
use engine::script::Script;
use host::Clock;
use serde::{Deserialize, Serialize};

use crate::meter::{Cost, Hiccup, Meter};
use crate::rows::{self, Counts, Histograms, INDICATORS_RESPONSE, ROWS};
use crate::watch::{Arrived, EngineWatch, FeedWatch, Seen, Stepped};
use crate::window::Window;

/// How long the hot cores are watched before and after.
const AROUND: Duration = Duration::from_millis(500);
/// How often a thread that waits looks whether somebody wants an end: seldom, for it takes the hot threads' cores.
const LOOK: Duration = Duration::from_secs(1);
/// Pieces of the time line.
const SLICES: u64 = 240;
/// Hiccups of a thread that go into the report, the longest.
const HICCUPS: usize = 400;
/// After a hiccup it takes so long until what waited is worked off; and the grain in which a window is called undisturbed.
const GRAIN_NS: u64 = 1_000_000;

/// A piece of the time line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Events.
    pub n: u64,
    /// Median of the way from tick to indicators, nanoseconds.
    pub p50: u64,
    /// Its maximum.
    pub max: u64,
}

/// What the clock can tell apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockFacts {
    /// Whether it is the processor's counter.
    pub is_counter: bool,
    /// Median of two looks in a row, nanoseconds: what each stamp adds.
    pub look_ns: u64,
    /// Shortest time between two looks that differ.
    pub step_ns: u64,
}

/// What a hot thread's core went through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Core {
    /// The core.
    pub cpu: usize,
    /// Right before the window and right after; `None`: nothing is known.
    pub around: [Option<Gaps>; 2],
    /// In the window, whenever the thread had nothing else to do.
    pub during: Gaps,
    /// The longest of these, with their time since the window's begin.
    pub hiccups: Vec<Hiccup>,
    /// What the thread took of heap and kernel in the window.
    pub cost: Option<Cost>,
}

/// What a round came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// Nanoseconds from the first message's time to the last event's end.
    pub span_ns: u64,
    /// Events that were stamped.
    pub events: u64,
    /// Histograms of [`ROWS`].
    pub counts: Counts,
    /// The same of events in whose time neither meter saw a hiccup; none if these watched less than half of the window, or saw
    /// more than they can keep.
    pub quiet: Counts,
    /// How many these are.
    pub quiet_events: u64,
    /// The time line.
    pub slices: Vec<Slice>,
    /// Length of its pieces.
    pub slice_ns: u64,
    /// Feed thread's and engine thread's.
    pub cores: [Core; 2],
    /// How many times as long work took on the feed thread's core while the engine thread's worked, right before and right
    /// after; `None`: not measured.
    #[serde(default)]
    pub together: [Option<Together>; 2],
    /// Events that seem to be taken from the ring before they were decoded: the clocks of two cores are compared.
    pub backwards: u64,
    /// The clock.
    pub clock: ClockFacts,
    /// Running hash of the state at the end of the capture.
    pub state_hash: String,
    /// Orders that the gate passed and refused, of the whole capture.
    pub orders: [u64; 2],
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// The engine.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A hot thread did not come to the end of its window.
    #[error("a hot thread left no stamps")]
    NoStamps,
    /// Somebody wants it to end.
    #[error("interrupted")]
    Interrupted,
}

/// Plays the whole capture, the window at its pace and the rest as fast as it goes.
///
/// # Errors
///
/// [`RoundError`].
pub fn run(
    config: Config,
    window: Window,
    cpus: [usize; 2],
    stop: &AtomicBool,
) -> Result<Round, RoundError> {
    let speed = match config.engine.speed() {
        Some(Speed::Times(thousandths)) => Some(thousandths),
        _ => None,
    };
    // One clock for both threads: two that were calibrated apart would run apart.
    let clock = Clock::start();
    let facts = facts(&clock);
    let latches = runtime::latch_path(&config);
    let watched = cpus.map(Some);
    let pair = [(cpus[0], cpus[1])];
    let together = || doctor::measure_together(&pair).first().copied();
    let (together_before, before) =
        (together(), doctor::measure_gaps(&watched, AROUND.as_nanos() as u64));
    let ((to_feed, from_feed), (to_engine, from_engine)) = (mpsc::channel(), mpsc::channel());
    let look = move || clock.now_ns();
    let feed = FeedWatch::new(look.clone(), window, speed, to_feed);
    let engine = EngineWatch::new(look, window, to_engine);
    let plan = Plan {
        config,
        script: Script::default(),
        shared: true,
        ends_with_feed: true,
        drive_stream: None,
    };
    let running = runtime::start_observed(plan, feed, engine)?;
    // Asleep until the threads are done, but for a look a second: nothing of this thread's may take their cores.
    let engine = loop {
        match from_engine.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) if !stop.load(Ordering::Relaxed) => {}
            ended => break ended,
        }
    };
    let finished = running.finish();
    let _ = std::fs::remove_file(latches); // What an engine of this name would be halted by.
    let finished = finished?;
    if stop.load(Ordering::Relaxed) {
        return Err(RoundError::Interrupted);
    }
    let feed = from_feed.recv();
    let after = doctor::measure_gaps(&watched, AROUND.as_nanos() as u64);
    let (Ok(feed), Ok(engine)) = (feed, engine) else { return Err(RoundError::NoStamps) };
    let mut round = account(&feed, &engine);
    for (place, core) in round.cores.iter_mut().enumerate() {
        let gaps = |measured: &[GapsOf]| measured.get(place).and_then(|of| of.gaps);
        core.around = [gaps(&before), gaps(&after)];
        core.cpu = cpus[place];
    }
    round.clock = facts;
    Ok(with_end(beside(round, [together_before, together()]), &finished))
}

/// Notes what the cores took from each other. Where they were threads of one, no event was undisturbed.
fn beside(round: Round, together: [Option<Together>; 2]) -> Round {
    let round = Round { together, ..round };
    match round.is_apart() {
        true => round,
        false => Round { quiet: Counts::default(), quiet_events: 0, ..round },
    }
}

impl Round {
    /// Whether nothing says that both cores were threads of one.
    pub fn is_apart(&self) -> bool {
        self.together.iter().flatten().all(Together::is_apart)
    }
}

fn with_end(round: Round, finished: &Finished) -> Round {
    let engine = &finished.engine;
    Round {
        state_hash: format!("{:016x}", engine.state_hash()),
        orders: [engine.passed(), engine.refused().iter().sum()],
        ..round
    }
}

/// Two looks in a row, often.
fn facts(clock: &Clock) -> ClockFacts {
    let mut apart: Vec<u64> = (0..10_000)
        .map(|_| {
            let first = clock.now_ns();
            clock.now_ns().saturating_sub(first)
        })
        .collect();
    apart.sort_unstable();
    let step = apart.iter().copied().find(|ns| *ns > 0);
    ClockFacts {
        is_counter: clock.uses_counter(),
        look_ns: apart.get(apart.len() / 2).copied().unwrap_or(0),
        step_ns: step.unwrap_or(0),
    }
}

/// Makes histograms and the time line of the stamps.
pub fn account(feed: &Seen<Arrived>, engine: &Seen<Stepped>) -> Round {
    let begin = feed.span[0];
    let end = engine.span[1].max(begin);
    let slice_ns = ((end - begin) / SLICES).max(1);
    let meters = [&feed.meter, &engine.meter];
    let disturbed = disturbed(meters, begin, end);
    // Where nobody could look, or when a hiccup was is not known, nobody knows which events it met.
    let knows = |meter: &&Meter| meter.gaps.spent_ns >= (end - begin) / 2 && meter.has_all();
    let is_watched = meters.iter().all(knows);
    let (mut all, mut quiet) = (Histograms::default(), Histograms::default());
    let mut slices = vec![Vec::new(); SLICES as usize];
    let mut round = Round { span_ns: end - begin, slice_ns, ..Round::default() };
    for (arrived, stepped) in feed.stamps.iter().zip(&engine.stamps) {
        let rows = rows::of(arrived, stepped);
        all.count(&rows);
        round.events += 1;
        round.backwards += u64::from(stepped.taken < arrived.decoded);
        let from = if arrived.due > 0 { arrived.due } else { arrived.received };
        let last = [stepped.handed, stepped.verdict, stepped.indicators, stepped.book];
        let last = last.into_iter().find(|stamp| *stamp > 0).unwrap_or(stepped.taken);
        let grain = |stamp: u64| (stamp.saturating_sub(begin) / GRAIN_NS) as usize;
        let life = disturbed.get(grain(from)..=grain(last)).unwrap_or_default();
        if is_watched && !life.is_empty() && !life.contains(&true) {
            quiet.count(&rows);
            round.quiet_events += 1;
        }
        // Without a pace there is no response, and the way from the bytes stands for it.
        let way = rows[INDICATORS_RESPONSE].or(rows[INDICATORS_RESPONSE + 1]);
        let slice = (from.saturating_sub(begin) / slice_ns).min(SLICES - 1);
        if let (Some(slice), Some(way)) = (slices.get_mut(slice as usize), way) {
            slice.push(way);
        }
    }
    round.slices = slices.into_iter().map(slice_of).collect();
    (round.counts, round.quiet) = (all.counts(), quiet.counts());
    round.cores = [
        core_of(&feed.meter, feed.cost.as_ref(), begin),
        core_of(&engine.meter, engine.cost.as_ref(), begin),
    ];
    debug_assert_eq!(round.counts.len(), ROWS.len());
    round
}

fn slice_of(mut ways: Vec<u64>) -> Slice {
    ways.sort_unstable();
    let at = |place: usize| ways.get(place).copied().unwrap_or(0);
    Slice { n: ways.len() as u64, p50: at(ways.len() / 2), max: at(ways.len().saturating_sub(1)) }
}

fn core_of(meter: &Meter, cost: Option<&Cost>, begin: u64) -> Core {
    let mut hiccups = meter.hiccups.clone();
    hiccups.sort_unstable_by_key(|hiccup| std::cmp::Reverse(hiccup.ns));
    hiccups.truncate(HICCUPS);
    hiccups.sort_unstable_by_key(|hiccup| hiccup.at);
    let since = |hiccup: &mut Hiccup| hiccup.at = hiccup.at.saturating_sub(begin);
    hiccups.iter_mut().for_each(since);
    let (during, cost) = (meter.gaps, cost.cloned());
    Core { during, hiccups, cost, ..Core::default() }
}

/// Which grains of the window a hiccup of either thread lies in, or lies right before.
fn disturbed(meters: [&Meter; 2], begin: u64, end: u64) -> Vec<bool> {
    let mut grains = vec![false; ((end - begin) / GRAIN_NS) as usize + 1];
    for hiccup in meters.iter().flat_map(|meter| &meter.hiccups) {
        let from = hiccup.at.saturating_sub(hiccup.ns).saturating_sub(begin) / GRAIN_NS;
        let until = hiccup.at.saturating_sub(begin) / GRAIN_NS + 1;
        let grains = grains.iter_mut().skip(from as usize);
        grains.take((until - from) as usize + 1).for_each(|grain| *grain = true);
    }
    grains
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen<T>(stamps: Vec<T>, span: [u64; 2], hiccups: &[Hiccup]) -> Seen<T> {
        let mut meter = Meter::default();
        hiccups.iter().for_each(|hiccup| meter.note(hiccup.at, hiccup.ns));
        Seen { stamps, meter, cost: None, span }
    }

    /// Goal: an event counts as undisturbed only if no hiccup lies in its life or right before it, and the time line has
    /// every event once. Method: one event a millisecond, a hiccup of either thread.
    #[test]
    fn disturbed_events_are_left_out() {
        let begin = 1_000 * GRAIN_NS;
        let at = |ms: u64| begin + ms * GRAIN_NS;
        let arrived = (0..20).map(|ms| {
            let due = at(ms) + 500;
            Arrived { due, received: due + 10, decoded: due + 30, is_first: true }
        });
        let stepped = (0..20).map(|ms| {
            let taken = at(ms) + 600;
            let indicators = taken + if ms == 15 { 3 * GRAIN_NS } else { 50 };
            Stepped { taken, book: taken + 20, indicators, ..Stepped::default() }
        });
        let feed_hiccup = Hiccup { at: at(4) + 200_000, ns: 400_000 };
        let engine_hiccup = Hiccup { at: at(17) + 900_000, ns: 20_000 };
        let mut feed = seen(arrived.collect(), [begin, at(20)], &[feed_hiccup]);
        let mut engine = seen(stepped.collect(), [begin, at(20)], &[engine_hiccup]);
        assert_eq!(account(&feed, &engine).quiet_events, 0, "nobody looked, so nobody knows");
        for meter in [&mut feed.meter, &mut engine.meter] {
            (0..11_000).for_each(|_| meter.note(begin, 1_000)); // Eleven milliseconds of twenty.
        }
        let round = account(&feed, &engine);
        // 3 and 4 hold the first, 5 comes right after; 17 holds the second, 18 comes right after; 15 lives until 18.
        assert_eq!((round.events, round.quiet_events), (20, 14));
        assert_eq!(round.slices.iter().map(|slice| slice.n).sum::<u64>(), 20);
        let of_ring = &round.counts[2];
        assert_eq!(of_ring.iter().map(|(_, count)| count).sum::<u64>(), 20);
        assert_eq!(round.cores[0].hiccups, [Hiccup { at: 4_200_000, ns: 400_000 }]);
        assert_eq!(round.backwards, 0);

        // More than are kept, all at one time, and one of which nobody knows when it was.
        let full = engine.meter.hiccups.capacity() - engine.meter.hiccups.len();
        (0..full).for_each(|_| engine.meter.note(at(17) + 900_000, 20_000));
        assert_eq!(account(&feed, &engine).quiet_events, 14);
        engine.meter.note(at(10), 20_000);
        assert_eq!(account(&feed, &engine).quiet_events, 0, "it may have met any");

        let measured = |median_percent| Some(Together { median_percent, ..Together::default() });
        let apart = beside(round.clone(), [measured(125), None]);
        assert_eq!((apart.quiet_events, apart.together[0]), (14, measured(125)));
        let shared = beside(round.clone(), [measured(100), measured(126)]);
        assert_eq!((shared.quiet_events, &shared.quiet), (0, &Counts::default()));
        assert_eq!(shared.counts, round.counts);
    }
}
