//! Trades and orders that nobody sees: an engine beside the real one plays them in pauses, so that code and branch history of
//! the way from tick to fill are in the caches when the next order comes.
//!
//! It has books, rules, accounts and hash of its own, no journal, no pages and no venue outside: what it does changes nothing of
//! the real one.

use std::path::PathBuf;

use model::{Event, Flags, Kind, OrderRef, Px, Qty, Side, Symbol, TradingState, Ts, VenueNumber};

use crate::config::{Capacity, Config};
use crate::sequencer::Sequencer;
use crate::step::Engine;

/// Limits that every order is held against and none meets.
pub const LIMITS: &str = include_str!("rehearsal/limits.toml");

/// Where it plays, and from when on.
const NUMBER: VenueNumber = VenueNumber(1);
const NOON: Ts = Ts(12 * 3_600_000_000_000);
/// Its lot.
const LOT: i64 = 1;
/// Bid and ask.
const TOUCH: [(Side, Px); 2] = [(Side::Buy, Px(10_000)), (Side::Sell, Px(10_100))];
/// Between two messages.
const APART_NS: u64 = 10_000;
/// Client order ids, after which all are forgotten.
const IDS: u32 = 64;

/// Messages of a play.
const PLAY: u64 = 5;

/// The engine beside.
pub struct Rehearsal {
    sequencer: Sequencer,
    now: u64,
    /// Messages played.
    played: u64,
}

impl Rehearsal {
    /// Lists its one instrument and opens trading. `None`: the shipped configuration cannot be taken, which a test rules out.
    pub fn new() -> Option<Rehearsal> {
        let texts = [
            ("engine.toml", include_str!("../../deploy/engine.toml")),
            ("instruments.toml", include_str!("../../deploy/instruments.toml")),
            ("limits.toml", LIMITS),
        ];
        let texts = texts.map(|(name, text)| (PathBuf::from(name), text.to_owned()));
        let config = Config::from_texts(texts.into()).ok()?;
        let mut engine = config.engine.clone();
        engine.capacity = Capacity {
            instruments: 1,
            book_orders: 64,
            levels: 64,
            ref_pages: 1,
            own_orders: 64,
            client_ids: IDS,
            ..engine.capacity
        };
        engine.strategies.iter_mut().for_each(|strategy| strategy.every = 1);
        let engine = Engine::new(&config.with_engine(engine)).ok()?;
        let sequencer = Sequencer::new(engine, None);
        let mut rehearsal = Rehearsal { sequencer, now: NOON.0, played: 0 };
        rehearsal.take(Event::directory(NUMBER, Symbol::new("REHEARSAL").ok()?, 4, 0));
        let aux = TradingState::Trading.code().into();
        rehearsal.take(Event { aux, ..Event::empty(Kind::State) });
        (0..IDS as u64 * PLAY).for_each(|_| rehearsal.play()); // Here its memory is touched, not in a pause.
        Some(rehearsal)
    }

    /// Plays the next message: a bid and an ask appear, a lot of one of them trades, on which the strategy takes a lot of what is
    /// left, and both are gone.
    pub fn play(&mut self) {
        let (play, message) = (self.played / PLAY, self.played % PLAY);
        self.played += 1;
        let [bid, ask] = TOUCH.map(|(side, px)| Event {
            order: OrderRef(2 * play + side.index() as u64 + 1),
            side: Some(side),
            px,
            qty: Qty(2 * LOT),
            ..Event::empty(Kind::Add)
        });
        let hit = if play.is_multiple_of(2) { ask } else { bid };
        self.take(match message {
            0 => bid,
            1 => ask,
            2 => Event { kind: Kind::Execute, qty: Qty(LOT), aux: play + 1, ..hit },
            3 => Event { kind: Kind::Delete, ..bid },
            _ => Event { kind: Kind::Delete, ..ask },
        });
        if message + 1 == PLAY && play % u64::from(IDS) == u64::from(IDS) - 1 {
            self.sequencer.engine.risk_mut().forget_ids();
        }
    }

    fn take(&mut self, event: Event) {
        self.now += APART_NS;
        let (seq, now) = (self.sequencer.engine.seq() + 1, Ts(self.now));
        let flags = Flags::LAST_OF_PACKET;
        let event = Event { seq, ts_venue: now, ts_recv: now, number: NUMBER, flags, ..event };
        self.sequencer.event(&event, &mut ());
        self.sequencer.out.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::InstrumentId;

    /// Goal: every play is one order that passes and fills, however many there were: the whole way is rehearsed, and for ever.
    /// Method: ten thousand of them with ids for 64; nothing is left open, and the position stays within a lot.
    #[test]
    fn every_order_passes() {
        let mut rehearsal = Rehearsal::new().unwrap();
        let probe = rehearsal.sequencer.engine.account(Symbol::new("probe").unwrap()).unwrap();
        for play in u64::from(IDS) + 1..10_000 {
            (0..PLAY).for_each(|_| rehearsal.play());
            let engine = &rehearsal.sequencer.engine;
            let refused: u64 = engine.refused().iter().sum();
            assert_eq!((engine.passed(), refused, engine.live_orders()), (play, 0, 0));
            let page = engine.risk().account_page(probe, Default::default(), engine.now()).unwrap();
            assert_eq!(page.open_orders, 0);
            let position = engine.risk().position(probe, InstrumentId(0)).0;
            assert_eq!(position.abs(), if play.is_multiple_of(2) { 0 } else { LOT }, "{play}");
        }
    }
}
