//! A clean stop: what is open is cancelled before, if the configuration says so, and nothing new leaves.

use std::sync::atomic::Ordering;

use model::{Ask, Body, Note, Origin, Request};

use super::{EngineThread, Loop};
use crate::config::AtStop;

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

    /// Asks to cancel whatever is open and was not asked to.
    fn cancel_open(&mut self, state: &Loop) {
        let open = self.sequencer.engine.orders().open();
        let open = open.filter(|record| record.life.cancelling().is_none());
        let orders: Vec<_> = open.map(|record| (record.order.id, record.order.account)).collect();
        for (order, account) in orders {
            let recorder = self.sequencer.recorder.as_ref();
            if !recorder.is_none_or(|recorder| recorder.has_reserve()) {
                return; // There is a next time.
            }
            let (origin, note) = (Origin::File, Note::lossy("the engine stops"));
            let request = Request { id: 0, origin, account, ask: Ask::Cancel { order }, note };
            self.input(Body::Request(request), state);
            self.sequencer.out.answer = None; // Nobody waits for it.
        }
        self.publish(state);
    }
}
