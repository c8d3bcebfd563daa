//! Whether two processors are threads of one core, whatever the kernel says of them: how many times as long work takes on one
//! while the other works too. A guest's processors are threads of its host, which moves them about and tells nobody.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

/// Chains of a batch that wait for nothing but the divider, and steps of each: some tens of us on a core of one's own.
const CHAINS: usize = 8;
const STEPS: u64 = 500;
/// Turns of a pair, how long each half of one takes, alone and together, and how long all may take: cores that others run on
/// would take minutes.
const TURNS: usize = 20;
const HALF_NS: u64 = 2_000_000;
const PAIR_NS: u64 = 500_000_000;
/// Most batches of a half: also of a clock that stands still there is an end.
const BATCHES: usize = 1_000;

/// Two cores that worked alone and together, alternating. Figures are percent of what a piece of work took alone: 100, neither
/// notices the other; near 200, both are threads of one core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Together {
    /// Whose work was timed.
    pub one: usize,
    /// Who worked too.
    pub other: usize,
    /// In the turn where it took the least.
    pub least_percent: u64,
    /// In the turn in the middle.
    pub median_percent: u64,
    /// In the turn where it took the most.
    pub most_percent: u64,
}

/// What came of a turn: the time of a batch alone and together, nanoseconds, and batches of both meanwhile.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    alone_ns: u64,
    together_ns: u64,
    batches: [usize; 2],
}

/// Each of these pairs, one after another, a tenth of a second each. A pair of one core with itself is left out, and one on which
/// a thread may not run, or whose other core was taken away most of the time.
pub fn measure_together(pairs: &[(usize, usize)]) -> Vec<Together> {
    let apart = pairs.iter().filter(|(one, other)| one != other);
    apart.filter_map(|(one, other)| Together::of(*one, *other, &measure(*one, *other))).collect()
}

fn measure(one: usize, other: usize) -> Vec<Turn> {
    let [refused, over] = [(); 2].map(|()| AtomicBool::new(false));
    let (turn, partners, begin) = (AtomicUsize::new(0), AtomicUsize::new(0), Barrier::new(2));
    let pin = |cpu| {
        if !host::pin_current(cpu) {
            refused.store(true, Ordering::Relaxed);
        }
        begin.wait();
        !refused.load(Ordering::Relaxed)
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut chains = [1; CHAINS];
            let turns = if pin(other) { TURNS } else { 0 };
            for mine in 0..turns {
                begin.wait();
                if over.load(Ordering::Relaxed) {
                    break;
                }
                while turn.load(Ordering::Relaxed) == mine {
                    work(&mut chains);
                    partners.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let timed = scope.spawn(|| {
            let clock = host::Clock::start();
            let clock = || clock.now_ns();
            let turns = if pin(one) { TURNS } else { 0 };
            let (begun, mut seen) = (clock(), Vec::with_capacity(turns));
            for _ in 0..turns {
                let (alone_ns, _) = half(clock);
                let late = clock().saturating_sub(begun) > PAIR_NS;
                over.store(late, Ordering::Relaxed);
                begin.wait();
                if late {
                    break;
                }
                let before = partners.load(Ordering::Relaxed);
                let (together_ns, mine) = half(clock);
                let theirs = partners.load(Ordering::Relaxed) - before;
                turn.fetch_add(1, Ordering::Relaxed);
                seen.push(Turn { alone_ns, together_ns, batches: [mine, theirs] });
            }
            seen
        });
        timed.join().unwrap_or_default()
    })
}

impl Together {
    /// What work takes at most on cores of their own, percent: clocks and caches that these share take some percent, units that
    /// threads share take three quarters and more.
    pub const APART: u64 = 125;

    /// Whether both are cores of their own, by the turn in the middle.
    pub fn is_apart(&self) -> bool {
        self.median_percent <= Self::APART
    }

    /// `None`: in fewer than half of the turns both worked, so that nothing is known. Where the other did less than half as much
    /// as the one, it was not there.
    fn of(one: usize, other: usize, turns: &[Turn]) -> Option<Together> {
        let both = turns.iter().filter(|turn| 2 * turn.batches[1] >= turn.batches[0]);
        let part = |turn: &Turn| turn.together_ns.saturating_mul(100) / turn.alone_ns.max(1);
        let mut parts: Vec<u64> = both.map(part).collect();
        if 2 * parts.len() < TURNS {
            return None;
        }
        parts.sort_unstable();
        let [least_percent, median_percent, most_percent] =
            [0, parts.len() / 2, parts.len() - 1].map(|place| parts.get(place).copied());
        let (least_percent, most_percent) = (least_percent?, most_percent?);
        Some(Together { one, other, least_percent, median_percent: median_percent?, most_percent })
    }
}

/// Time of the batch in the middle of all that half a turn has room for, and how many these were: what takes the core away for a
/// while does not show.
fn half(clock: impl Fn() -> u64) -> (u64, usize) {
    let (mut chains, mut batches) = ([1; CHAINS], Vec::with_capacity(BATCHES));
    let (begun, mut last) = (clock(), 0);
    while batches.len() < BATCHES && (batches.is_empty() || last < HALF_NS) {
        work(&mut chains);
        let now = clock().saturating_sub(begun);
        batches.push(now.saturating_sub(last));
        last = now;
    }
    batches.sort_unstable();
    (batches.get(batches.len() / 2).copied().unwrap_or_default(), batches.len())
}

/// A batch: divisions, more than the one divider of a core can begin. No vector unit divides integers, so that they cannot be
/// done side by side elsewhere.
fn work(chains: &mut [u64; CHAINS]) {
    for _ in 0..STEPS {
        for chain in chains.iter_mut() {
            *chain = 0x9E37_79B9_7F4A_7C15 / (*chain >> 20 | 1);
        }
    }
    black_box(chains);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: pairs of this host are measured once each, and what is not there, or is one core, is left out. Method: such pairs.
    #[test]
    fn pairs_of_this_host() {
        let cpus = host::cpus();
        let (first, last) = (cpus[0], cpus[cpus.len() - 1]);
        let measured = measure_together(&[(first, last), (first, 1_023), (first, first)]);
        // A busy host may keep the other away.
        assert!(measured.len() <= usize::from(first != last), "{measured:?}");
        for of in measured {
            assert!((of.one, of.other) == (first, last), "{of:?}");
            assert!(0 < of.least_percent && of.least_percent <= of.median_percent, "{of:?}");
            assert!(of.median_percent <= of.most_percent, "{of:?}");
        }
    }

    fn turns(alone: u64, together: &[u64], theirs: usize) -> Vec<Turn> {
        let turn = |together: &u64| Turn {
            alone_ns: alone,
            together_ns: *together,
            batches: [40, theirs],
        };
        together.iter().map(turn).collect()
    }

    /// Goal: threads of one core show, cores of their own do not, the edge between them counts as apart, and a core that is taken
    /// away for a turn is no median. Method: ten turns of each.
    #[test]
    fn parts_of_turns() {
        let of = |together: &[u64]| {
            let of = Together::of(0, 1, &turns(30_000, together, 40)).unwrap();
            ([of.least_percent, of.median_percent, of.most_percent], of.is_apart())
        };
        let shared = [59_700; 10];
        assert_eq!(of(&shared), ([199; 3], false));
        let mut apart = [30_000; 10];
        (apart[0], apart[9]) = (29_700, 900_000);
        assert_eq!(of(&apart), ([99, 100, 3_000], true));
        assert_eq!(of(&[37_500; 10]), ([125; 3], true));
        assert_eq!(of(&[37_800; 10]), ([126; 3], false));
    }

    /// Goal: turns in which the other core did not work say nothing. Method: half as much as the one, less than that, and too few
    /// turns.
    #[test]
    fn the_other_must_work() {
        let of = |turns: &[Turn]| Together::of(0, 1, turns);
        let together = [30_000; TURNS / 2];
        assert!(of(&turns(30_000, &together, 20)).is_some());
        assert_eq!(of(&turns(30_000, &together, 19)), None);
        assert_eq!(of(&turns(30_000, &together[1..], 40)), None);
        assert_eq!(of(&[]), None);
    }

    /// Goal: a half ends with any clock. Method: one that stands still, and one that jumps.
    #[test]
    fn a_half_ends() {
        assert_eq!(half(|| 7), (0, BATCHES));
        let now = std::cell::Cell::new(0);
        let jumps = || {
            now.set(now.get() + HALF_NS);
            now.get()
        };
        assert_eq!(half(jumps), (HALF_NS, 1));
    }
}
