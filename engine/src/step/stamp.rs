//! What a step tells of its course while it runs.

use model::{Order, Request};

use super::Engine;

/// A stage of the step, as its latency is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The book is up to date.
    Book,
    /// So are the indicators.
    Indicators,
    /// The gate has judged an order.
    Gate,
    /// An order that passed is handed over: the paper venue has taken and matched it, or it is among what leaves the step for
    /// the gateway. What the venue reports of it comes later.
    Handed,
}

/// Is told when a stage is done. The step never learns what it does: time cannot enter by it.
pub trait Stamp {
    /// A stage is done.
    fn mark(&mut self, stage: Stage);

    /// The gate judges `order` next, which is what `request` asks for, and finds `engine` as it stands here. For whoever
    /// explains verdicts in a replay ([`Engine::explain`]); everybody else leaves it empty, and the step does not pay for it.
    #[inline(always)]
    fn judging(&mut self, _engine: &Engine, _request: &Request, _order: &Order) {}
}

impl Stamp for () {
    #[inline(always)]
    fn mark(&mut self, _: Stage) {}
}
