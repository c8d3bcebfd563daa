//! The way from the engine thread to the audit thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use audit::AuditRecord;

use super::{RECORDS_PER_INPUT, STALL_NS, Takes, Words};

/// How far the log has come. Written by the audit thread, read by the engine thread.
#[derive(Debug, Default)]
pub struct Progress {
    pub(crate) appended: AtomicU64,
    pub(crate) failed: AtomicBool,
}

impl Progress {
    /// Records that were taken from the ring and survive the end of the process.
    pub fn appended(&self) -> u64 {
        self.appended.load(Ordering::Acquire)
    }

    /// Writing failed. For good: only a restart, which reads what is there, may go on.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }
}

/// The way to the audit thread.
pub struct Ring {
    ring: rtrb::Producer<Words>,
    progress: Arc<Progress>,
    /// Places of the ring that are kept for what happens to orders that passed: fills, cancels.
    reserve: usize,
    pub(super) pushed: u64,
    /// What the audit thread had written when it was last seen to come on, and when that was.
    seen: (u64, u64),
}

impl Takes for Ring {
    fn take(&mut self, record: AuditRecord) -> bool {
        let is_taken = self.ring.push(record.to_words()).is_ok();
        self.pushed += u64::from(is_taken);
        is_taken
    }
}

impl Ring {
    pub(super) fn new(
        ring: rtrb::Producer<Words>,
        progress: Arc<Progress>,
        reserve: usize,
    ) -> Ring {
        Ring { ring, progress, reserve, pushed: 0, seen: (0, 0) }
    }

    /// Whether it takes nothing new: the log failed or hangs, or there is no room beyond the reserve.
    pub(super) fn is_stuck(&mut self, mono_ns: u64, is_first: bool) -> bool {
        let appended = self.progress.appended();
        if is_first || appended != self.seen.0 || appended >= self.pushed {
            self.seen = (appended, mono_ns);
        }
        let stalls = mono_ns.saturating_sub(self.seen.1) > STALL_NS;
        let is_gone = self.progress.failed() || self.ring.is_abandoned();
        is_gone || stalls || !self.has_room()
    }

    pub(super) fn has_room(&self) -> bool {
        self.ring.slots() > self.reserve + RECORDS_PER_INPUT
    }
}
