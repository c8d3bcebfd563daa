//! What goes wrong on a line, decided by a seed: a packet in, none or more packets out, each with
//! its time.

pub(crate) mod parse;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::rng::Rng;

pub use parse::BadPlan;

/// A datagram's payload, shared by the lines that carry it.
pub type Packet = Arc<[u8]>;

/// Packets that a line may hold back; what comes then is dropped.
pub const HELD_MAX: usize = 65_536;

/// What goes wrong on a line. The default: nothing.
///
/// As text (see [`FaultPlan::from_str`](std::str::FromStr)):
/// `loss=20,duplicate=5,reorder=10,delay=50us`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultPlan {
    /// The same seed makes the same faults.
    pub seed: u64,
    /// Packets of a thousand that are lost, each by itself.
    pub loss_per_mille: u16,
    /// Packets of a thousand that begin a burst of losses.
    pub burst_per_mille: u16,
    /// Packets that a burst takes.
    pub burst_packets: u32,
    /// Packets of a thousand that come twice.
    pub duplicate_per_mille: u16,
    /// Packets of a thousand that are held back, so that later ones overtake them.
    pub reorder_per_mille: u16,
    /// For how long at most, in nanoseconds; the second copy of a packet too.
    pub reorder_ns: u64,
    /// Delay of every packet, in nanoseconds.
    pub delay_ns: u64,
    /// Further delay at random, up to so many nanoseconds. It does not change the order.
    pub jitter_ns: u64,
    /// The line is dead from the first to before the second, in nanoseconds since the start.
    pub dead_ns: Option<(u64, u64)>,
}

impl FaultPlan {
    /// A line without faults.
    pub const NONE: FaultPlan = FaultPlan {
        seed: 1,
        loss_per_mille: 0,
        burst_per_mille: 0,
        burst_packets: 8,
        duplicate_per_mille: 0,
        reorder_per_mille: 0,
        reorder_ns: 300_000,
        delay_ns: 0,
        jitter_ns: 0,
        dead_ns: None,
    };
}

impl Default for FaultPlan {
    fn default() -> FaultPlan {
        FaultPlan::NONE
    }
}

/// What a line did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounters {
    /// Packets that went out, second copies included.
    pub sent: u64,
    /// Packets that were lost: by chance, in a burst, while the line was dead, or because too many
    /// were held.
    pub dropped: u64,
    /// Packets that went out twice.
    pub duplicated: u64,
    /// Packets that were held back.
    pub reordered: u64,
}

/// A line and what goes wrong on it.
#[derive(Debug)]
pub struct Line {
    plan: FaultPlan,
    rng: Rng,
    start: u64,
    /// By time, then by the order in which they came.
    held: BinaryHeap<Reverse<(u64, u64, Packet)>>,
    taken: u64,
    /// When the last packet that kept its place goes out.
    last: u64,
    burst_left: u32,
    counters: LineCounters,
}

impl Line {
    /// A line that begins at `start`.
    pub fn new(plan: FaultPlan, start: u64) -> Line {
        Line {
            plan,
            rng: Rng::new(plan.seed),
            start,
            held: BinaryHeap::new(),
            taken: 0,
            last: start,
            burst_left: 0,
            counters: LineCounters::default(),
        }
    }

    /// Takes a packet that is sent at `at`.
    pub fn take(&mut self, at: u64, packet: &Packet) {
        if self.is_lost(at) {
            self.counters.dropped += 1;
            return;
        }
        let plan = self.plan;
        let jitter = self.rng.below(plan.jitter_ns.saturating_add(1));
        let due = at.saturating_add(plan.delay_ns).saturating_add(jitter).max(self.last);
        let back = self.rng.per_mille(plan.reorder_per_mille);
        if back {
            self.counters.reordered += 1;
            let held = 1 + self.rng.below(plan.reorder_ns);
            self.hold(due.saturating_add(held), packet);
        } else {
            self.last = due;
            self.hold(due, packet);
        }
        if self.rng.per_mille(plan.duplicate_per_mille) {
            self.counters.duplicated += 1;
            let held = self.rng.below(plan.reorder_ns.saturating_add(1));
            self.hold(due.saturating_add(held), packet);
        }
    }

    fn is_lost(&mut self, at: u64) -> bool {
        let since = at.saturating_sub(self.start);
        let dead = self.plan.dead_ns.is_some_and(|(from, until)| (from..until).contains(&since));
        // The dice fall also on a dead line, so that its death changes nothing afterwards.
        if self.burst_left == 0 && self.rng.per_mille(self.plan.burst_per_mille) {
            self.burst_left = self.plan.burst_packets;
        }
        let burst = self.burst_left > 0;
        self.burst_left = self.burst_left.saturating_sub(1);
        let loss = self.rng.per_mille(self.plan.loss_per_mille);
        dead || burst || loss
    }

    fn hold(&mut self, due: u64, packet: &Packet) {
        if self.held.len() >= HELD_MAX {
            self.counters.dropped += 1;
            return;
        }
        self.held.push(Reverse((due, self.taken, packet.clone())));
        self.taken += 1;
    }

    /// When the next packet goes out.
    pub fn next_at(&self) -> Option<u64> {
        self.held.peek().map(|Reverse((due, ..))| *due)
    }

    /// The next packet that goes out at `now` or before, and when.
    pub fn release(&mut self, now: u64) -> Option<(u64, Packet)> {
        if self.next_at()? > now {
            return None;
        }
        let Reverse((due, _, packet)) = self.held.pop()?;
        self.counters.sent += 1;
        Some((due, packet))
    }

    /// What the line did so far.
    pub const fn counters(&self) -> LineCounters {
        self.counters
    }
}

#[cfg(test)]
mod tests;
