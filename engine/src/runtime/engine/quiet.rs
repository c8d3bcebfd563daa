//! What no event waits for: heartbeat, depths, the page of the engine, what would pass, time alone.

use std::sync::atomic::Ordering;

use model::Body;
use shm::EventReceiver;

use super::{EngineThread, Loop};

/// How often pages are written that no event waits for, nanoseconds.
const QUIET_NS: u64 = 1_000_000;

/// Events come in bursts with pauses of some microseconds, and what no event waits for takes longer: it waits until nothing
/// happened for so long, or until it is late by as much as its period.
const CALM_NS: u64 = 100_000;
/// How long pieces of a depth wait for one another in pauses shorter than that; each takes a microsecond or two.
const DEPTH_NS: u64 = 14_000;
/// How late a piece may be before a whole depth is written at once, which takes 13: there are no pauses.
const LATE_NS: u64 = 110_000;
/// How late the look at what would pass may be. It takes tens of microseconds.
const RESTLESS_NS: u64 = 100_000_000;

/// How often a message keeps the caches warm while there is calm, every fifth of them with an order.
const WARMUP_NS: u64 = 100_000;

/// How often time alone is an input while the disk is full.
const FULL_NS: u64 = 1_000_000_000;

impl EngineThread {
    /// Heartbeat, and what waits for calm or has waited long enough.
    /// Whether there was neither work nor that.
    pub(super) fn end_round(&mut self, state: &mut Loop, busy: bool) -> bool {
        state.loops += 1;
        let now_ns = state.clock.now_ns();
        self.progress.loops.store(state.loops, Ordering::Relaxed);
        // Not while nobody listens to them.
        if state.dead_men.is_due(now_ns) && self.hears_desks(state) {
            self.look_at_desks(state, now_ns);
        }
        let out = &self.sequencer.out;
        if !(out.halts.is_empty() && out.approvals.is_empty()) {
            self.tell_changes(0);
        }
        if busy {
            state.busy_at = now_ns;
        }
        let calm = now_ns.saturating_sub(state.busy_at) >= CALM_NS;
        let due = now_ns >= state.quiet_at + if calm { 0 } else { QUIET_NS };
        if due {
            state.quiet_at = now_ns + QUIET_NS;
            if std::mem::take(&mut state.unpublished) > 0 {
                self.publish(state); // No event came after those whose pages wait.
            }
            self.on_quiet(state, now_ns);
        }
        let (mut more, mut idle) = (false, !busy && !due);
        if let Some(pages) = &mut self.pages {
            pages.publisher.beat(now_ns, state.loops);
            let late = now_ns >= state.depth_at + LATE_NS;
            if calm || late || !busy && now_ns >= state.depth_at {
                state.depth_at = now_ns + DEPTH_NS;
                more = pages.publish_depth(&mut self.sequencer, late);
                idle &= !more;
            }
            // Not by `due`: that falls into the first round after a pause, which finds what came meanwhile.
            if !busy && !more && now_ns >= state.headroom_at + if calm { 0 } else { RESTLESS_NS } {
                state.headroom_at = now_ns + QUIET_NS;
                idle = false;
                pages.publish_headroom(&self.sequencer);
            }
        }
        if let Some(warmup) = &mut self.warmup
            && idle
            && calm
            && now_ns >= state.warmup_at
        {
            state.warmup_at = now_ns + WARMUP_NS;
            idle = false;
            warmup.play_next();
        }
        if busy || more {
            self.waiter.busy();
        } else {
            self.waiter.idle();
        }
        idle
    }

    fn on_quiet(&mut self, state: &mut Loop, now_ns: u64) {
        let now = self.now(now_ns);
        let period = if self.saves_reserve() { FULL_NS } else { QUIET_NS };
        if now.since(self.sequencer.engine.now()) >= period
            && self.events.iter().all(EventReceiver::is_empty)
            && self.has_room()
        {
            self.sequencer.input(now, Body::Timer, &mut ());
            self.publish(state);
        }
        if now_ns >= state.correct_at {
            state.clock.correct();
            state.correct_at = now_ns + 1_000_000_000;
        }
        if let Some(post) = &mut self.credit {
            let engine = &self.sequencer.engine;
            post.show(|account, limit| engine.view(account, limit));
        }
        self.show_figures(state, now_ns);
        self.publish_control(state, now_ns);
    }

    /// Writes the page of the engine as a whole.
    pub(super) fn publish_control(&mut self, state: &Loop, now_ns: u64) {
        let now = self.now(now_ns);
        self.progress.gateway.set_unreconciled(self.sequencer.engine.is_unreconciled());
        if let Some(pages) = &mut self.pages {
            while let Ok(stages) = self.stages.pop() {
                pages.stages = stages;
            }
            let journal = self.journal.as_ref().map(|(journal, _)| &**journal);
            let full = state.journal.full;
            pages.publish_control(&self.sequencer, now, state.loops, &self.progress, journal, full);
        }
    }
}
