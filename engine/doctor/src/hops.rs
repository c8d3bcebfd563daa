//! How long a cache line takes from one core to another and back.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::Serialize;

/// Round trips of a batch: long beside a look at the clock.
const ROUNDS: u64 = 200;
/// Batches of a pair, and how long they may take together: cores that others run on would take minutes.
const BATCHES: usize = 500;
const PAIR_NS: u64 = 100_000_000;

/// A pair of cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// Who asks.
    pub from: usize,
    /// Who answers.
    pub to: usize,
    /// Half a round trip of the fastest batch, nanoseconds.
    pub min_ns: u64,
    /// Half a round trip of the batch in the middle, nanoseconds.
    pub median_ns: u64,
    /// Batches that were measured.
    pub batches: usize,
}

/// Alone on its line, and on the neighbour that the processor fetches with it.
#[derive(Default)]
#[repr(align(128))]
struct Line(AtomicU64);

/// Every pair of these cores, one after another. A pair on which a thread may not run, or that did not come through one batch in
/// its time, is left out.
pub fn measure_hops(cpus: &[usize]) -> Vec<Hop> {
    let pairs = cpus
        .iter()
        .enumerate()
        .flat_map(|(place, from)| cpus.iter().skip(place + 1).map(move |to| (*from, *to)));
    pairs.filter_map(|(from, to)| measure(from, to)).collect()
}

fn measure(from: usize, to: usize) -> Option<Hop> {
    let (line, over, begin) = (Line::default(), AtomicBool::new(false), Barrier::new(2));
    let mut batches = std::thread::scope(|scope| {
        scope.spawn(|| {
            if !host::pin_current(to) {
                over.store(true, Ordering::Relaxed);
            }
            begin.wait();
            answer(&line.0, &over);
        });
        let asking = scope.spawn(|| {
            let there = host::pin_current(from);
            let clock = host::Clock::start();
            begin.wait();
            let batches = if there { ask(&line.0, &over, || clock.now_ns()) } else { Vec::new() };
            over.store(true, Ordering::Relaxed);
            batches
        });
        asking.join().unwrap_or_default()
    });
    batches.sort_unstable();
    let half = |batch: &u64| batch / (2 * ROUNDS);
    let (min, median) = (batches.first()?, batches.get(batches.len() / 2)?);
    Some(Hop { from, to, min_ns: half(min), median_ns: half(median), batches: batches.len() })
}

/// Makes each odd number the next even one.
fn answer(line: &AtomicU64, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let seen = line.load(Ordering::Acquire);
        if seen & 1 == 1 {
            line.store(seen + 1, Ordering::Release);
        } else {
            core::hint::spin_loop();
        }
    }
}

/// Makes each even number the next odd one; nanoseconds of each whole batch.
fn ask(line: &AtomicU64, over: &AtomicBool, clock: impl Fn() -> u64) -> Vec<u64> {
    let mut batches = Vec::with_capacity(BATCHES);
    let (begun, mut number) = (clock(), 0);
    let late = || over.load(Ordering::Relaxed) || clock().saturating_sub(begun) > PAIR_NS;
    while batches.len() < BATCHES {
        let start = clock();
        for _ in 0..ROUNDS {
            line.store(number + 1, Ordering::Release);
            number += 2;
            let mut looks = 0_u32;
            while line.load(Ordering::Acquire) != number {
                core::hint::spin_loop();
                looks += 1;
                if looks.is_multiple_of(1 << 16) && late() {
                    return batches;
                }
            }
        }
        batches.push(clock().saturating_sub(start));
        if late() {
            break;
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: every pair of this host's cores is measured once, and what is not there is left out. Method: all cores and one
    /// beyond.
    #[test]
    fn pairs_of_this_host() {
        let mut cpus: Vec<_> = host::cpus().into_iter().take(3).collect();
        let pairs = cpus.len() * (cpus.len() - 1) / 2;
        cpus.push(1_023);
        let hops = measure_hops(&cpus);
        // A busy host may keep a pair from coming through in its time.
        assert!(hops.len() <= pairs, "{hops:?}");
        for hop in hops {
            assert!(hop.to != 1_023 && hop.from < hop.to && hop.batches > 0, "{hop:?}");
            assert!(hop.min_ns <= hop.median_ns, "{hop:?}");
        }
    }

    /// Goal: batches are counted in the clock's own time, and end when that is over. Method: a clock that goes on by a
    /// millisecond a look, and a partner that answers; then one that never does.
    #[test]
    fn a_pair_has_its_time() {
        let (line, over) = (AtomicU64::new(0), AtomicBool::new(false));
        let now = AtomicU64::new(0);
        let clock = || now.fetch_add(1_000_000, Ordering::Relaxed);
        let batches = std::thread::scope(|scope| {
            scope.spawn(|| answer(&line, &over));
            // The time goes by the asker's looks: it would be over before a partner without a core answers.
            line.store(1, Ordering::Release);
            while line.load(Ordering::Acquire) != 2 {
                std::thread::yield_now();
            }
            line.store(0, Ordering::Release);
            let batches = ask(&line, &over, clock);
            over.store(true, Ordering::Relaxed);
            batches
        });
        assert!(!batches.is_empty() && batches.len() < BATCHES, "{batches:?}");
        assert!(batches.iter().all(|batch| *batch >= 1_000_000));
        now.store(0, Ordering::Relaxed);
        assert_eq!(ask(&AtomicU64::new(0), &AtomicBool::new(false), clock), []);
    }
}
