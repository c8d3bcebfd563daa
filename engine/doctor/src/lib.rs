//! Whether a host is fit for hot threads: what the kernel tells of it, and what can be measured.
//!
//! Flow: a [`Host`] is a folder with `proc` and `sys` in it; each check of [`checks`] reads a few of its files and says what
//! it found, what it wants, why, and what to change. [`measure_gaps`] runs threads that only look at the clock,
//! [`measure_touches`] threads that touch memory too, [`measure_together`] lets cores work alone and together, alternating, and
//! [`measure_hops`] sends a cache line back and forth. The program `tickgate-doctor` prints all of it; a live start asks for the
//! gaps alone.
//!
//! Must never: change anything of the host, or take a file that is absent or makes no sense for a good one.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod checks;
mod cpus;
mod finding;
mod gaps;
mod hops;
mod host_root;
mod interrupts;
mod measured;
mod subject;
mod together;

pub use cpus::CpuSet;
pub use finding::{Finding, Group, Outcome, Seen};
pub use gaps::{Gaps, GapsOf, LIMITS_NS, TOUCHED_BYTES, measure_gaps, measure_touches, spin};
pub use hops::{Hop, measure_hops};
pub use host_root::Host;
pub use interrupts::{Counts, Source};
pub use measured::{
    factor, is_memory_kept, judge_gaps, judge_hops, judge_together, judge_touches, long_gaps,
    rounds, time, worst,
};
pub use subject::{Pinned, Subject};
pub use together::{Together, measure_together};
