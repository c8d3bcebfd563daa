//! A clean stop: what is open is cancelled before, if the configuration says so, and nothing new leaves.

use std::sync::atomic::Ordering;

use model::{Body, Control};

use super::{EngineThread, Loop};
use crate::config::AtStop;
use crate::orders::OrderRecord;

/// How often an order is cancelled again whose cancel the venue refused, nanoseconds.
const AGAIN_NS: u64 = 100_000_000;
/// Orders that are named in the log when they are open at the end.
const NAMED: usize = 32;

/// An engine that stops, and waits for the venue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopping {
    /// Not for longer than this, on the loop's clock.
    until: u64,
    ask_at: u64,
}

impl EngineThread {
    /// Whether the loop may end now that it should: when nothing is open any more, or it has waited for long enough.
    pub(super) fn may_end(&mut self, state: &mut Loop) -> bool {
        let (AtStop::Cancel(patience), true) = (self.at_stop, self.sequencer.venue.is_some())
        else {
            return true;
        };
        let now_ns = state.clock.now_ns();
        let stopping = state.stopping.get_or_insert_with(|| {
            self.progress.stopping.store(true, Ordering::Release);
            let open = self.sequencer.engine.orders().open().count();
            tracing::info!("stopping: {open} open orders are cancelled first");
            Stopping { until: now_ns.saturating_add(patience), ask_at: now_ns }
        });
        let Stopping { until, ask_at } = *stopping;
        if now_ns >= ask_at {
            stopping.ask_at = now_ns.saturating_add(AGAIN_NS);
            self.cancel_open(state);
        }
        let engine = &self.sequencer.engine;
        if engine.orders().open().next().is_none() {
            tracing::info!("nothing is open");
            return true;
        }
        if now_ns < until {
            return false;
        }
        let open = engine.orders().open();
        tracing::error!(
            "{} orders may be open at the venue still: it did not say that they are cancelled; they are reconciled at the \
             next start",
            open.count()
        );
        for record in engine.orders().open().take(NAMED) {
            tracing::error!("order {} is {}", record.order.id.0, record.state);
        }
        true
    }

    /// Lets nothing new pass, and has whatever is open cancelled that was not asked to be.
    fn cancel_open(&mut self, state: &Loop) {
        let engine = &self.sequencer.engine;
        let is_asked = |record: &OrderRecord| record.life.is_cancelling();
        let is_done = engine.is_stopping() && engine.orders().open().all(is_asked);
        if is_done || !self.has_reserve() {
            return; // There is a next time.
        }
        self.input(Body::Control(Control::Stopping), state);
        self.publish(state);
    }
}
