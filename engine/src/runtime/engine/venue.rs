//! What the venue said, as inputs; and the reconciliation, until it is through.

use std::sync::atomic::Ordering;

use model::{Body, Control};

use super::{EngineThread, Loop};
use crate::gateway::ouch::Told;

/// Inputs of the venue taken in one round.
const TOLD_PER_ROUND: usize = 256;
/// Pause between reconciliations that came to nothing, nanoseconds.
const AGAIN_NS: u64 = 250_000_000;

/// Where the session with the venue stands, as this thread told the engine.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct VenueState {
    is_up: bool,
    reconcile_at: u64,
}

impl EngineThread {
    /// Takes what the venue said.
    pub(super) fn poll_venue(&mut self, state: &mut Loop) -> bool {
        if self.sequencer.venue.is_none() {
            return false;
        }
        let mut busy = false;
        for _ in 0..TOLD_PER_ROUND {
            let has_reserve = self.has_reserve();
            let next = self.sequencer.venue.as_mut().filter(|_| has_reserve);
            let Some(told) = next.and_then(|venue| venue.hear()) else { break };
            let body = match told {
                Told::Report(report) => Body::Report(report),
                Told::Control(control) => {
                    if let Control::VenueSession(is_up) = control {
                        state.venue = VenueState { is_up, reconcile_at: 0 };
                    }
                    Body::Control(control)
                }
            };
            self.input(body, state);
            busy = true;
        }
        if let Some(venue) = &mut self.sequencer.venue {
            venue.push_urgent();
        }
        busy |= self.reconcile(state);
        if busy {
            self.publish(state);
            self.progress.inputs.store(self.sequencer.engine.seq(), Ordering::Relaxed);
        }
        busy
    }

    /// Begins a reconciliation if one is wanted.
    fn reconcile(&mut self, state: &mut Loop) -> bool {
        if !state.venue.is_up || !self.sequencer.engine.wants_reconciliation() {
            return false;
        }
        let has_room = self.has_room();
        let now_ns = state.clock.now_ns();
        if now_ns < state.venue.reconcile_at || !has_room {
            return false;
        }
        state.venue.reconcile_at = now_ns + AGAIN_NS;
        self.input(Body::Control(Control::ReconcileBegin), state);
        true
    }
}
