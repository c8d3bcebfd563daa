//! The hiccup meter: a thread that does nothing but look at the clock sees by its jumps when it was kept from it (sysjitter,
//! jHiccup).

use std::hint::black_box;
use std::sync::Barrier;

use serde::{Deserialize, Serialize};

/// From which length on a gap counts in each class, nanoseconds: 1, 10, 100 µs, 1 ms. A look itself takes some tens of
/// nanoseconds.
pub const LIMITS_NS: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// What [`measure_touches`] touches on each core, all at once: more than most cores have of cache.
pub const TOUCHED_BYTES: usize = 64 << 20;

/// Knuth's linear congruential generator for MMIX: the places that are touched.
const MMIX: [u64; 2] = [6_364_136_223_846_793_005, 1_442_695_040_888_963_407];

/// What a spinning thread saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// Time from the first look to the last, nanoseconds.
    pub spent_ns: u64,
    /// Times that it looked.
    pub looks: u64,
    /// Longest time between two looks, nanoseconds.
    pub max_ns: u64,
    /// Gaps longer than each of [`LIMITS_NS`]: one of 2 ms counts in all four.
    pub over: [u64; 4],
    /// Nanoseconds in gaps longer than the first limit: the time that was taken.
    pub lost_ns: u64,
}

impl Gaps {
    /// Counts the time between two looks.
    pub fn note(&mut self, gap_ns: u64) {
        self.looks += 1;
        self.spent_ns = self.spent_ns.saturating_add(gap_ns);
        if gap_ns <= LIMITS_NS[0] {
            self.max_ns = self.max_ns.max(gap_ns);
            return;
        }
        self.note_long(gap_ns);
    }

    /// Rare, so it may take its time.
    #[cold]
    fn note_long(&mut self, gap_ns: u64) {
        self.max_ns = self.max_ns.max(gap_ns);
        self.lost_ns = self.lost_ns.saturating_add(gap_ns);
        for (count, limit) in self.over.iter_mut().zip(LIMITS_NS) {
            *count += u64::from(gap_ns > limit);
        }
    }

    /// Share of the time that was taken, in millionths.
    pub fn lost_ppm(&self) -> u64 {
        let share = u128::from(self.lost_ns) * 1_000_000 / u128::from(self.spent_ns.max(1));
        u64::try_from(share).unwrap_or(u64::MAX)
    }
}

/// Looks at `clock` (nanoseconds, never back) until `for_ns` have passed. A look takes a nanosecond at least: a clock that stands
/// still is looked at so often and no oftener.
pub fn spin(mut clock: impl FnMut() -> u64, for_ns: u64) -> Gaps {
    let mut gaps = Gaps::default();
    let mut last = clock();
    for _ in 0..for_ns {
        let now = clock();
        gaps.note(now.saturating_sub(last));
        last = now.max(last);
        if gaps.spent_ns >= for_ns {
            break;
        }
    }
    gaps
}

/// What was measured on a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GapsOf {
    /// The core; `None`: the thread ran wherever the kernel put it.
    pub cpu: Option<usize>,
    /// What it saw; `None`: it may not run there, so nothing is known.
    pub gaps: Option<Gaps>,
    /// Times that the scheduler gave the core to another thread. Gaps that are longer than an interrupt and are not among these
    /// are a hypervisor's, or the firmware's.
    pub preempted: u64,
}

/// Spins for `for_ns` on all of these cores at once, as hot threads do.
pub fn measure_gaps(cpus: &[Option<usize>], for_ns: u64) -> Vec<GapsOf> {
    measure(cpus, for_ns, 0)
}

/// The same of threads that touch memory of their own all over, [`TOUCHED_BYTES`], a word before each look. Gaps that only these
/// see are the memory's: a hypervisor that took it from its guest gives it back at a touch, and no fault of the guest tells.
pub fn measure_touches(cpus: &[Option<usize>], for_ns: u64) -> Vec<GapsOf> {
    measure(cpus, for_ns, TOUCHED_BYTES / size_of::<u64>())
}

fn measure(cpus: &[Option<usize>], for_ns: u64, words: usize) -> Vec<GapsOf> {
    let begin = Barrier::new(cpus.len());
    let measure = |cpu: Option<usize>| {
        let there = cpu.is_none_or(host::pin_current);
        let clock = host::Clock::start();
        let (mut memory, mut place) = (vec![0_u64; if there { words } else { 0 }], 0_u64);
        host::prefault(&mut memory);
        let look = || {
            if let Some(word) = memory.get_mut((place >> 32) as usize % words.max(1)) {
                *word = black_box(*word + 1);
                place = place.wrapping_mul(MMIX[0]).wrapping_add(MMIX[1]);
            }
            clock.now_ns()
        };
        // All of them together: whoever begins early would measure how the others are started.
        begin.wait();
        let before = host::ThreadUsage::now();
        let gaps = there.then(|| spin(look, for_ns));
        let preempted = host::ThreadUsage::now().since(&before).involuntary_switches;
        GapsOf { cpu, gaps, preempted }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = cpus.iter().map(|cpu| scope.spawn(|| measure(*cpu))).collect();
        let ended = threads.into_iter().zip(cpus);
        ended
            .map(|(thread, cpu)| {
                thread.join().unwrap_or(GapsOf { cpu: *cpu, gaps: None, preempted: 0 })
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A clock that goes on by these steps, and then by nothing.
    fn steps(steps: &[u64]) -> impl FnMut() -> u64 {
        let (mut now, mut steps) = (1_000_000_000_u64, std::iter::once(0).chain(steps.to_vec()));
        move || {
            now += steps.next().unwrap_or(0);
            now
        }
    }

    /// Goal: edges of the classes are where they are said to be. Method: a step on each, and one beyond.
    #[test]
    fn a_limit_itself_is_no_gap() {
        let gaps =
            spin(steps(&[1_000, 1_001, 10_000, 10_001, 100_001, 1_000_000, 1_000_001]), 2_122_004);
        assert_eq!(gaps.over, [6, 4, 3, 1]);
        assert_eq!((gaps.looks, gaps.max_ns), (7, 1_000_001));
        assert_eq!((gaps.spent_ns, gaps.lost_ns), (2_122_004, 2_121_004));
        assert_eq!(gaps.lost_ppm(), 999_528);
    }

    /// Goal: a clock that stands still, steps back or jumps to the end of time ends the measurement and counts as what it is.
    /// Method: each.
    #[test]
    fn clocks_that_are_none() {
        let still = spin(|| 7, 1_000);
        assert_eq!((still.looks, still.spent_ns, still.lost_ppm()), (1_000, 0, 0));
        let mut back = 1_000_000_u64;
        let back = spin(
            || {
                back -= 10;
                back
            },
            1_000,
        );
        assert_eq!((back.max_ns, back.spent_ns), (0, 0));
        let mut jump = [0, u64::MAX].into_iter();
        let jump = spin(|| jump.next().unwrap_or(u64::MAX), 1_000);
        assert_eq!((jump.looks, jump.max_ns, jump.over), (1, u64::MAX, [1; 4]));
        assert_eq!(spin(|| 7, 0), Gaps::default());
    }

    proptest! {
        /// Goal: the counts are those of the steps. Method: a recount of any steps, most of them short as on a real core.
        #[test]
        fn the_counts_are_a_recount(gaps in proptest::collection::vec(prop_oneof![0_u64..60, 0_u64..3_000_000], 1..200)) {
            let total: u64 = gaps.iter().sum();
            let seen = spin(steps(&gaps), total.max(1));
            let count = |limit: u64| gaps.iter().filter(|gap| **gap > limit).count() as u64;
            prop_assert_eq!(seen.over, LIMITS_NS.map(count));
            prop_assert_eq!(seen.lost_ns, gaps.iter().filter(|gap| **gap > 1_000).sum::<u64>());
            prop_assert_eq!(seen.max_ns, gaps.iter().copied().max().unwrap_or(0));
            prop_assert_eq!(seen.spent_ns, total);
        }
    }

    /// Goal: real cores are measured, and one that is not there is told as such. Method: all that this process may use, and one
    /// beyond; sums are compared among themselves, never with a time.
    #[test]
    fn cores_of_this_host() {
        let mut cpus: Vec<_> = host::cpus().into_iter().map(Some).collect();
        cpus.extend([None, Some(1_023)]);
        for words in [0, 1_000] {
            let measured = measure(&cpus, 2_000_000, words);
            assert_eq!(measured.iter().map(|of| of.cpu).collect::<Vec<_>>(), cpus);
            let (absent, there) = measured.split_last().unwrap();
            assert_eq!(absent.gaps, None);
            for of in there {
                let gaps = of.gaps.unwrap();
                assert!(
                    gaps.looks > 0 && gaps.spent_ns >= 2_000_000 && gaps.lost_ns <= gaps.spent_ns,
                    "{of:?}"
                );
                assert!(gaps.over.is_sorted_by(|more, fewer| more >= fewer), "{of:?}");
            }
        }
    }
}
