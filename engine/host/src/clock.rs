//! Nanoseconds without a system call: the time stamp counter of the processor, steered along
//! CLOCK_MONOTONIC.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// How long the first measurement of the counter's rate takes.
const CALIBRATION_NS: u64 = 10_000_000;
/// Attempts to read counter and clock together; the closest pair counts.
const ATTEMPTS: usize = 20;
/// Shortest time between two corrections.
const CORRECTION_NS: u64 = 100_000_000;
/// Farther behind than this, the clock jumps instead of hurrying: the machine slept.
const JUMP_NS: i128 = 1_000_000;
/// The rate is bent by at most one part in so many.
const BEND_MAX: i128 = 2_000;

/// CLOCK_MONOTONIC, nanoseconds.
pub fn monotonic_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

fn nanoseconds(time: Timespec) -> u64 {
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}

/// A thread's own clock. It never steps back on one processor; between processors it agrees as far
/// as their counters do.
///
/// Uses the time stamp counter where the processor promises that it runs evenly and always (Intel
/// SDM volume 3, "Invariant TSC") and the kernel trusts it; elsewhere CLOCK_MONOTONIC.
#[derive(Clone, Debug)]
pub struct Clock {
    counter: Option<Counter>,
    /// Wall clock minus CLOCK_MONOTONIC at the start.
    wall_offset: u64,
}

/// The time as a line over the counter.
#[derive(Clone, Debug)]
struct Counter {
    /// Where the line begins: counter and nanoseconds.
    base: (u64, u64),
    /// Nanoseconds a tick, in 2⁻³².
    rate: u64,
    /// Counter and CLOCK_MONOTONIC at the last correction.
    seen: (u64, u64),
}

impl Clock {
    /// Starts a clock. Takes ten milliseconds to measure the counter.
    pub fn start() -> Clock {
        let wall = nanoseconds(clock_gettime(ClockId::Realtime));
        let wall_offset = wall.saturating_sub(monotonic_ns());
        Clock { counter: tsc::is_trusted().then(Counter::calibrated).flatten(), wall_offset }
    }

    /// Nanoseconds of CLOCK_MONOTONIC.
    pub fn now_ns(&self) -> u64 {
        match &self.counter {
            Some(counter) => counter.at(tsc::read()),
            None => monotonic_ns(),
        }
    }

    /// Nanoseconds since the UNIX epoch: the wall clock of the start plus the time since. Never
    /// steps, also if somebody sets the wall clock.
    pub fn wall_ns(&self) -> u64 {
        self.now_ns().wrapping_add(self.wall_offset)
    }

    /// Steers towards CLOCK_MONOTONIC; call it about once a second. Costs less than a microsecond
    /// and no system call where the kernel offers its clock in user space (vdso(7)).
    pub fn correct(&mut self) {
        if let Some(counter) = &mut self.counter {
            counter.correct(pair());
        }
    }

    /// Whether it reads the processor's counter.
    pub fn uses_counter(&self) -> bool {
        self.counter.is_some()
    }
}

impl Counter {
    fn calibrated() -> Option<Counter> {
        let first = pair();
        while monotonic_ns() < first.1 + CALIBRATION_NS {
            core::hint::spin_loop();
        }
        let seen = pair();
        Some(Counter { base: seen, rate: rate(first, seen)?, seen })
    }

    fn at(&self, ticks: u64) -> u64 {
        let (base_ticks, base_ns) = self.base;
        let since = u128::from(ticks.saturating_sub(base_ticks)) * u128::from(self.rate);
        base_ns.wrapping_add((since >> 32) as u64)
    }

    fn correct(&mut self, now: (u64, u64)) {
        let (ticks, truth) = now;
        let elapsed = truth.saturating_sub(self.seen.1);
        if elapsed < CORRECTION_NS {
            return;
        }
        let Some(rate) = rate(self.seen, now) else { return };
        let shown = self.at(ticks);
        let behind = i128::from(truth) - i128::from(shown);
        if behind > JUMP_NS {
            (self.base, self.rate) = (now, rate);
        } else {
            // Meets the truth after as long again, without ever standing still.
            let bend = i128::from(rate) * behind / i128::from(elapsed);
            let limit = i128::from(rate) / BEND_MAX;
            let bent = i128::from(rate) + bend.clamp(-limit, limit);
            (self.base, self.rate) = ((ticks, shown), bent as u64);
        }
        self.seen = now;
    }
}

/// Nanoseconds a tick, in 2⁻³², between two readings; `None` if the counter stood still.
fn rate(from: (u64, u64), to: (u64, u64)) -> Option<u64> {
    let nanoseconds = u128::from(to.1.saturating_sub(from.1));
    let ticks = u128::from(to.0.saturating_sub(from.0));
    let rate = (nanoseconds << 32).checked_div(ticks)?;
    u64::try_from(rate).ok().filter(|rate| *rate > 0)
}

/// Counter and CLOCK_MONOTONIC at the same moment, as nearly as can be had.
fn pair() -> (u64, u64) {
    let mut best = (u64::MAX, (0, 0));
    for _ in 0..ATTEMPTS {
        let before = tsc::read();
        let nanoseconds = monotonic_ns();
        let apart = tsc::read().saturating_sub(before);
        if apart < best.0 {
            best = (apart, (before + apart / 2, nanoseconds));
        }
    }
    best.1
}

#[cfg(target_arch = "x86_64")]
mod tsc {
    use core::arch::x86_64::{__cpuid, _rdtsc};

    /// The counter.
    pub(super) fn read() -> u64 {
        // SAFETY: every x86-64 processor has the instruction, and it touches no memory.
        unsafe { _rdtsc() }
    }

    /// Whether it runs evenly in every power state, and the kernel has not found otherwise.
    pub(super) fn is_trusted() -> bool {
        const POWER_LEAF: u32 = 0x8000_0007;
        const INVARIANT: u32 = 1 << 8;
        let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        let source = std::fs::read_to_string(source).unwrap_or_default();
        __cpuid(0x8000_0000).eax >= POWER_LEAF
            && __cpuid(POWER_LEAF).edx & INVARIANT != 0
            && matches!(source.trim(), "tsc" | "kvm-clock" | "hyperv_clocksource_tsc_page")
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod tsc {
    pub(super) fn read() -> u64 {
        0
    }

    pub(super) fn is_trusted() -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
