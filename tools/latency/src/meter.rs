//! What the machine did to a hot thread while it was measured: how long it stood still when it did nothing but look, and what
//! it took of heap and kernel.

use doctor::Gaps;
use host::{CallCounter, ThreadUsage};
use serde::{Deserialize, Serialize};

/// From which length on a hiccup is kept with its time, nanoseconds.
pub const KEPT_NS: u64 = 10_000;
/// Hiccups that are kept.
const KEPT: usize = 1 << 16;
/// The class of [`Gaps`] that these are counted in.
const KEPT_CLASS: usize = 1;
const _: () = assert!(doctor::LIMITS_NS[KEPT_CLASS] == KEPT_NS);

/// A time in which a hot thread stood still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hiccup {
    /// When it ended, nanoseconds of the clock.
    pub at: u64,
    /// How long it was.
    pub ns: u64,
}

/// The gaps between two looks at the clock, of a thread that does nothing else between them.
#[derive(Debug)]
pub struct Meter {
    /// All of them.
    pub gaps: Gaps,
    /// The long ones.
    pub hiccups: Vec<Hiccup>,
}

impl Default for Meter {
    /// Takes all memory that it will use.
    fn default() -> Meter {
        let mut hiccups = vec![Hiccup::default(); KEPT];
        host::prefault(&mut hiccups);
        hiccups.clear();
        Meter { gaps: Gaps::default(), hiccups }
    }
}

impl Meter {
    /// Counts the time from one look to the next, which was at `now`.
    #[inline]
    pub fn note(&mut self, now: u64, gap: u64) {
        self.gaps.note(gap);
        if gap > KEPT_NS && self.hiccups.len() < self.hiccups.capacity() {
            self.hiccups.push(Hiccup { at: now, ns: gap });
        }
    }

    /// Whether each long one was kept: there is room for so many.
    pub fn has_all(&self) -> bool {
        self.gaps.over[KEPT_CLASS] == self.hiccups.len() as u64
    }
}

/// What a thread took of heap and kernel in a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Times that it asked for memory.
    pub allocations: u64,
    /// Page faults.
    pub faults: u64,
    /// Times that another thread took its core.
    pub preempted: u64,
    /// System calls, or why they were not counted.
    pub calls: Result<u64, String>,
}

/// Counts them.
pub(crate) struct CostMeter {
    counter: Result<CallCounter, String>,
    usage: ThreadUsage,
    allocations: u64,
    calls: Result<u64, String>,
}

impl CostMeter {
    /// For the calling thread, and no other.
    pub fn new() -> CostMeter {
        let counter = CallCounter::start().map_err(|error| error.to_string());
        CostMeter { counter, usage: ThreadUsage::default(), allocations: 0, calls: Ok(0) }
    }

    pub fn begin(&mut self) {
        self.usage = ThreadUsage::now();
        self.calls = self.count();
        // Last here and first in the end: where calls cannot be counted, saying why takes memory.
        self.allocations = host::allocations();
    }

    pub fn end(&mut self) -> Cost {
        let allocations = host::allocations() - self.allocations;
        let calls = self.count();
        let usage = ThreadUsage::now().since(&self.usage);
        let before = std::mem::replace(&mut self.calls, Ok(0));
        // The first look counted itself, and so does the last.
        let calls = calls.and_then(|calls| before.map(|before| calls.saturating_sub(before + 1)));
        let faults = usage.minor_faults + usage.major_faults;
        Cost { allocations, faults, preempted: usage.involuntary_switches, calls }
    }

    fn count(&mut self) -> Result<u64, String> {
        let counter = self.counter.as_mut().map_err(|error| error.clone())?;
        counter.count().map_err(|error| error.to_string())
    }
}
