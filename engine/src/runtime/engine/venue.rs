//! What the venue said, as inputs; and the reconciliation, until it is through.

use std::sync::atomic::Ordering;

use model::{Body, Control};

use super::{EngineThread, Loop};
use crate::gateway::ouch::Told;

/// Inputs of the venue taken in one round.
const TOLD_PER_ROUND: usize = 256;
/// Pause between reconciliations that came to nothing, nanoseconds.
const AGAIN_NS: u64 = 250_000_000;
/// The longest that it is waited for the end of one.
const ROUND_NS: u64 = 60_000_000_000;

/// Where the session with the venue stands, as this thread told the engine.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct VenueState {
    is_up: bool,
    reconcile_at: u64,
    /// When it is no longer waited for the end of the one that goes on.
    round_due: u64,
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
                        state.venue = VenueState { is_up, ..VenueState::default() };
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
        let engine = &self.sequencer.engine;
        if !state.venue.is_up || !engine.is_unreconciled() {
            return false;
        }
        let goes_on = !engine.wants_reconciliation();
        let has_room = self.has_room();
        let now_ns = state.clock.now_ns();
        let VenueState { reconcile_at, round_due, .. } = &mut state.venue;
        if now_ns < if goes_on { *round_due } else { *reconcile_at } || !has_room {
            return false;
        }
        if goes_on {
            tracing::warn!("the venue does not say where orders stand: it is asked again");
        }
        (*reconcile_at, *round_due) = (now_ns + AGAIN_NS, now_ns + ROUND_NS);
        self.input(Body::Control(Control::ReconcileBegin), state);
        true
    }
}
