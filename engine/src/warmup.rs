//! Trades and orders that nobody sees: an engine beside the real one plays them in pauses, so that code and branch history of
//! the way from tick to fill are in the caches when the next order comes.
//!
//! It has books, rules, accounts and hash of its own, no journal, no pages and no venue outside: what it does changes nothing of
//! the real one. What it goes is the way of a strategy's order to the paper venue; an order to a venue outside, or of a desk,
//! shares all of it up to the verdict.

use std::path::PathBuf;

use model::{
    Body, Control, Event, Flags, Kind, OrderRef, Px, Qty, Side, Symbol, TradingState, Ts,
    VenueNumber,
};

use crate::config::Config;
use crate::sequencer::Sequencer;
use crate::step::Engine;

/// Limits that every order is held against and none meets.
pub const LIMITS: &str = include_str!("warmup/limits.toml");

/// Where it plays, and from when on.
const NUMBER: VenueNumber = VenueNumber(1);
const NOON: Ts = Ts(12 * 3_600_000_000_000);
/// Its lot.
const LOT: i64 = 1;
/// Bid and ask.
const TOUCH: [(Side, Px); 2] = [(Side::Buy, Px(10_000)), (Side::Sell, Px(10_100))];
/// Between two messages.
const APART_NS: u64 = 10_000;
/// Messages of one trade, with all that belongs to it.
const MESSAGES: u64 = 5;

/// Trades after which client order ids are forgotten: there is room for so many, and the table takes none out.
const IDS: u64 = 64;
/// Trades after which everything that is numbered begins again: 64 slots of orders have 2^24 uses each in an epoch of 2^20, and a
/// book has 2^32 arrivals, two a trade.
const RENEWED: u64 = 1 << 20;

/// The engine beside.
pub struct Warmup {
    sequencer: Sequencer,
    now: Ts,
    /// Messages so far.
    played: u64,
    renewed_after: u64,
    epoch: u32,
}

impl Warmup {
    /// Lists its one instrument and opens trading. `None`: its configuration cannot be taken, which a test rules out.
    pub fn new() -> Option<Warmup> {
        Warmup::from(NOON, RENEWED)
    }

    fn from(now: Ts, renewed_after: u64) -> Option<Warmup> {
        let texts = [
            ("engine.toml", include_str!("warmup/engine.toml")),
            ("instruments.toml", include_str!("warmup/instruments.toml")),
            ("limits.toml", LIMITS),
        ];
        let texts = texts.map(|(name, text)| (PathBuf::from(name), text.to_owned()));
        let engine = Engine::new(&Config::from_texts(texts.into()).ok()?).ok()?;
        let sequencer = Sequencer::new(engine, None);
        let mut warmup = Warmup { sequencer, now, played: 0, renewed_after, epoch: 0 };
        warmup.take(Event::directory(NUMBER, Symbol::new("REHEARSAL").ok()?, 4, 0));
        let aux = TradingState::Trading.code().into();
        warmup.take(Event { aux, number: NUMBER, ..Event::empty(Kind::State) });
        (0..IDS * MESSAGES).for_each(|_| warmup.play_next()); // Its memory is touched here, not in a pause.
        Some(warmup)
    }

    /// Plays the next message: a bid and an ask appear, a lot of one of them trades, on which the strategy takes what is left of
    /// it or as much of the other, and both are gone.
    pub fn play_next(&mut self) {
        let (trade, message) = (self.played / MESSAGES, self.played % MESSAGES);
        self.played += 1;
        let [bid, ask] = TOUCH.map(|(side, px)| Event {
            order: OrderRef(2 * trade + side.index() as u64 + 1),
            side: Some(side),
            px,
            qty: Qty(2 * LOT),
            number: NUMBER,
            ..Event::empty(Kind::Add)
        });
        let hit = if trade.is_multiple_of(2) { ask } else { bid };
        match message {
            0 => self.take(bid),
            1 => self.take(ask),
            2 => self.take(Event { kind: Kind::Execute, qty: Qty(LOT), aux: trade + 1, ..hit }),
            3 => self.take(Event { kind: Kind::Delete, ..bid }),
            _ => {
                self.take(Event { kind: Kind::Delete, ..ask });
                self.renew(trade + 1);
            }
        }
    }

    /// Begins again with what is used up, so that it can go on for ever. Nothing is open now.
    fn renew(&mut self, trades: u64) {
        if trades.is_multiple_of(IDS) {
            self.sequencer.engine.risk_mut().forget_ids();
        }
        if trades.is_multiple_of(self.renewed_after) {
            self.epoch += 1;
            let restarted = Body::Control(Control::Restarted { epoch: self.epoch });
            self.sequencer.input(self.now, restarted, &mut ());
            self.take(Event::empty(Kind::Clear));
        }
    }

    fn take(&mut self, event: Event) {
        self.now.0 += APART_NS;
        let (seq, now) = (self.sequencer.engine.last_event() + 1, self.now);
        let flags = Flags::LAST_OF_PACKET;
        let event = Event { seq, ts_venue: now, ts_recv: now, flags, ..event };
        self.sequencer.event(&event, &mut ());
        self.sequencer.out.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{DAY_NS, InstrumentId};

    /// Goal: every trade brings one order that passes and fills, however many there were: the whole way is rehearsed, over a
    /// midnight, and when all that is numbered begins again. Method: ten thousand of them from shortly before midnight on, with
    /// ids for 64, begun again each 100; nothing is left open, and the position stays within a lot.
    #[test]
    fn every_order_passes_and_fills() {
        let midnight = Ts(DAY_NS);
        let mut warmup = Warmup::from(Ts(midnight.0 - 200_000_000), 100).unwrap();
        let probe = warmup.sequencer.engine.account(Symbol::new("probe").unwrap()).unwrap();
        for trade in IDS + 1..10_000 {
            (0..MESSAGES).for_each(|_| warmup.play_next());
            let engine = &warmup.sequencer.engine;
            let refused: u64 = engine.refused().iter().sum();
            assert_eq!((engine.passed(), refused, engine.live_orders()), (trade, 0, 0));
            let page = engine.risk().account_page(probe, Default::default(), engine.now()).unwrap();
            assert_eq!(page.open_orders, 0);
            let position = engine.risk().position(probe, InstrumentId(0)).0;
            assert_eq!(position.abs(), if trade.is_multiple_of(2) { 0 } else { LOT }, "{trade}");
        }
        assert!(warmup.now > midnight && warmup.epoch == 99);
    }

    /// Goal: nothing that is numbered runs out before it begins again, and the epochs last for years of nothing else.
    #[test]
    fn nothing_runs_out() {
        let slots = 64;
        assert!(RENEWED / slots < 1 << (model::OrderId::USE_BITS - 1));
        assert!(2 * RENEWED < u32::MAX.into());
        let trades = u64::from(model::OrderId::EPOCH_MAX) * RENEWED;
        assert!(trades / 10_000 > 3 * 365 * 86_400, "ten thousand trades a second");
    }
}
