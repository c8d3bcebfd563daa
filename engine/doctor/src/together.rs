//! Whether two processors are threads of one core, whatever the kernel says of them: how much longer work takes on one while the
//! other works too. A guest's processors are threads of the host, which moves them about and tells nobody.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

/// Chains of a batch that wait for nothing but units to work on, and steps of each: some 30 us on a core of one's own.
const CHAINS: usize = 8;
const STEPS: u64 = 20_000;
/// Turns of a pair, and how long each half of one takes: alone, and together.
const TURNS: usize = 20;
const HALF_NS: u64 = 2_000_000;

/// Two cores that worked by turns and together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Together {
    /// Whose work was timed.
    pub one: usize,
    /// Who worked too.
    pub other: usize,
    /// Time of a piece of work beside that of one alone, hundredths, in the turn where it took the least. 100: neither
    /// notices the other; near 200: both are threads of one core.
    pub least: u64,
    /// The same in the turn in the middle.
    pub median: u64,
    /// The same in the turn where it took the most.
    pub most: u64,
}

/// Every pair of these cores, one after another, a tenth of a second each. A pair on which a thread may not run is left out.
pub fn measure_together(cpus: &[usize]) -> Vec<Together> {
    let pairs = cpus
        .iter()
        .enumerate()
        .flat_map(|(place, one)| cpus.iter().skip(place + 1).map(move |other| (*one, *other)));
    pairs.filter_map(|(one, other)| measure(one, other)).collect()
}

fn measure(one: usize, other: usize) -> Option<Together> {
    let (refused, turn, begin) = (AtomicBool::new(false), AtomicUsize::new(0), Barrier::new(2));
    let pin = |cpu| {
        if !host::pin_current(cpu) {
            refused.store(true, Ordering::Relaxed);
        }
        begin.wait();
        !refused.load(Ordering::Relaxed)
    };
    let turns = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut chains = [1; CHAINS];
            let turns = if pin(other) { TURNS } else { 0 };
            for mine in 0..turns {
                begin.wait();
                while turn.load(Ordering::Relaxed) == mine {
                    work(&mut chains);
                }
            }
        });
        let timed = scope.spawn(|| {
            let clock = host::Clock::start();
            let clock = || clock.now_ns();
            let turns = if pin(one) { TURNS } else { 0 };
            let turns = (0..turns).map(|_| {
                let alone = batch_ns(clock);
                begin.wait();
                let together = batch_ns(clock);
                turn.fetch_add(1, Ordering::Relaxed);
                [alone, together]
            });
            turns.collect()
        });
        timed.join().unwrap_or_default()
    });
    Together::of(one, other, turns)
}

impl Together {
    /// How much longer work takes at most on cores of their own, hundredths: clocks and caches that these share take some
    /// hundredths, units that threads share take three quarters and more.
    pub const APART: u64 = 125;

    /// Whether both are cores of their own, by the turn in the middle.
    pub fn is_apart(&self) -> bool {
        self.median <= Self::APART
    }

    /// Of the times that a batch took alone and together, turn by turn; `None`: there was no turn.
    fn of(one: usize, other: usize, turns: Vec<[u64; 2]>) -> Option<Together> {
        let part = |[alone, together]: [u64; 2]| together.saturating_mul(100) / alone.max(1);
        let mut parts: Vec<u64> = turns.into_iter().map(part).collect();
        parts.sort_unstable();
        let (least, most) = (*parts.first()?, *parts.last()?);
        Some(Together { one, other, least, median: *parts.get(parts.len() / 2)?, most })
    }
}

/// Time of the batch in the middle of all that half a turn has room for: what takes the core away for a while does not show.
fn batch_ns(clock: impl Fn() -> u64) -> u64 {
    let (mut chains, mut batches) = ([1; CHAINS], Vec::with_capacity(256));
    let (begun, mut last) = (clock(), 0);
    while batches.is_empty() || last < HALF_NS {
        work(&mut chains);
        let now = clock().saturating_sub(begun);
        batches.push(now.saturating_sub(last));
        last = now.max(last + 1); // Ends with a clock that stands still too.
    }
    batches.sort_unstable();
    batches.get(batches.len() / 2).copied().unwrap_or_default()
}

/// A batch: more independent steps than one core has units for.
fn work(chains: &mut [u64; CHAINS]) {
    for _ in 0..STEPS {
        for chain in chains.iter_mut() {
            *chain = chain.rotate_left(7).wrapping_add(0x9E37_79B9_7F4A_7C15);
        }
    }
    black_box(chains);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every pair of this host's cores is measured once, and what is not there is left out. Method: two cores and one
    /// beyond.
    #[test]
    fn pairs_of_this_host() {
        let mut cpus: Vec<_> = host::cpus().into_iter().take(2).collect();
        let pairs = cpus.len() - 1;
        cpus.push(1_023);
        let measured = measure_together(&cpus);
        assert_eq!(measured.len(), pairs, "{measured:?}");
        for of in measured {
            assert!(of.other != 1_023 && of.one < of.other, "{of:?}");
            assert!(0 < of.least && of.least <= of.median && of.median <= of.most, "{of:?}");
        }
    }

    /// Goal: threads of one core show, cores of their own do not, and a core that is taken away for a turn is no median. Method:
    /// times as such machines gave them.
    #[test]
    fn parts_of_turns() {
        let of = |turns: &[[u64; 2]]| {
            Together::of(0, 1, turns.to_vec()).map(|of| [of.least, of.median, of.most])
        };
        assert_eq!(of(&[[140, 250], [143, 249], [144, 258]]), Some([174, 178, 179]));
        assert_eq!(of(&[[140, 141], [140, 4_000], [150, 140]]), Some([93, 100, 2_857]));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[[0, u64::MAX]]), Some([u64::MAX; 3]));
    }
}
