//! Strategies: pure state machines inside the step. Their orders pass the same gate as everybody's, in the same step.
//!
//! To add one: a file `strategy/<name>.rs` with `on_trade`, a variant of [`Strategy`] with its arm in `on_trade`, and its
//! `kind` in `config/engine.rs`. It may keep state, and must not allocate, read a clock or use a float.
//! The smallest one to copy is [`probe`].

pub mod probe;

use model::page::Quote;
use model::{AccountId, Ask, Instrument, Px, Qty};

/// A strategy of the list.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub enum Strategy {
    /// Measures the way from tick to verdict.
    Probe(probe::Probe),
}

/// What a strategy sees of a trade: the book is that after it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What traded.
    pub instrument: &'a Instrument,
    /// At which price.
    pub px: Px,
    /// How much.
    pub qty: Qty,
    /// Best bid.
    pub bid: Option<Quote>,
    /// Best ask.
    pub ask: Option<Quote>,
}

impl Strategy {
    /// The account that it trades on.
    pub const fn account(&self) -> AccountId {
        match self {
            Strategy::Probe(probe) => probe.account,
        }
    }

    /// Sees a printable trade; may ask for one thing.
    pub fn on_trade(&mut self, seen: &Seen<'_>) -> Option<Ask> {
        match self {
            Strategy::Probe(probe) => probe.on_trade(seen),
        }
    }
}
