//! What the gate sees of books while their venues' events are under way, and of symbols whose numbers change.

mod books;
mod days;
mod losses;
mod sessions;
mod venue;

use std::path::{Path, PathBuf};

use feeds::Venue;
use model::{
    Cause, Event, Flags, Integrity, Kind, OrderRef, Qty, Side, Symbol, TradingState, VenueNumber,
};

use super::*;
use crate::config::{Captures, EngineConfig, FeedConfig, FeedSource, Speed, StrategyConfig};

const NUMBER: VenueNumber = VenueNumber(1);
const LAST: Flags = Flags::EVENT_COMPLETE;

/// An engine of one feed and one probe that asks at every trade.
struct Bench {
    engine: Engine,
    out: Output,
    seq: u64,
    /// Sequence of the feed.
    message: u64,
}

impl Bench {
    /// AAPL is named, and its book is whole by a clear.
    fn new(venue: Venue) -> Bench {
        Bench::with(venue, |_| ())
    }

    /// The same with another configuration.
    fn with(venue: Venue, change: impl FnOnce(&mut EngineConfig)) -> Bench {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
        let read =
            |name| (PathBuf::from(name), std::fs::read_to_string(folder.join(name)).unwrap());
        let config = Config::from_texts(Config::NAMES.map(read).into()).unwrap();
        let mut engine = config.engine.clone();
        let captures = Captures {
            files: Vec::new(),
            date: Default::default(),
            speed: Speed::parse("max").unwrap(),
            repeat: false,
            symbols: Vec::new(),
        };
        let source = FeedSource::Captures(captures);
        engine.feeds = vec![FeedConfig { venue, source, silence_ns: 5_000_000_000 }];
        let account = Symbol::new("probe").unwrap();
        engine.strategies = vec![StrategyConfig { account, every: 1 }];
        engine.capacity =
            Capacity { instruments: 16, book_orders: 1_024, levels: 1_024, ..Capacity::SMALL };
        change(&mut engine);
        let engine = Engine::new(&config.with_engine(engine)).unwrap();
        let mut bench = Bench { out: engine.output(), engine, seq: 0, message: 0 };
        bench.name(NUMBER, "AAPL");
        bench.take(Event { number: NUMBER, ..Event::empty(Kind::Clear) });
        bench
    }

    fn name(&mut self, number: VenueNumber, symbol: &str) {
        self.take(Event::directory(number, Symbol::new(symbol).unwrap(), 9, 0));
        let aux = TradingState::Trading.code().into();
        self.take(Event { aux, number, ..Event::empty(Kind::State) });
    }

    fn take(&mut self, event: Event) {
        self.seq += 1;
        let now = Ts(self.seq * 1_000);
        self.message += u64::from(!event.flags.has(Flags::SNAPSHOT));
        let event = Event { seq: self.message, ts_venue: now, ts_recv: now, ..event };
        let input = Input { seq: self.seq, now, body: Body::Event(event) };
        self.engine.step(&input, &mut self.out, &mut ());
        self.out.forget();
    }

    fn add(&mut self, order: u64, side: Side, dollars: i64, flags: Flags) {
        let order = OrderRef(order);
        let (px, qty, side) = (Px(dollars * 1_000_000_000), Qty(5), Some(side));
        let number = NUMBER;
        self.take(Event { order, px, qty, side, number, flags, ..Event::empty(Kind::Add) });
    }

    fn say(&mut self, kind: Kind, order: u64, flags: Flags) {
        let (order, qty, px) = (OrderRef(order), Qty(5), Px(100_000_000_000));
        self.take(Event { order, qty, px, number: NUMBER, flags, ..Event::empty(kind) });
    }

    fn level(&mut self, side: Side, dollars: i64, qty: i64, flags: Flags) {
        let px = Px(dollars * 1_000_000_000);
        self.take(Event { flags, ..Event::level(NUMBER, side, px, Qty(qty)) });
    }

    fn believed(&self, instrument: u32) -> Integrity {
        self.engine.market(instrument).integrity
    }

    /// Orders that passed, and all that were asked for.
    fn asked(&self) -> (u64, u64) {
        let passed = self.engine.passed();
        (passed, passed + self.engine.refused().iter().sum::<u64>())
    }

    /// What the indicators were told last: whole dollars.
    fn told(&self) -> [Option<i64>; 2] {
        let quotes = self.engine.instruments().get(0).unwrap().quotes;
        quotes.map(|quote| quote.map(|quote| quote.px.0 / 1_000_000_000))
    }
}

/// Goal: between the records of what the venue makes one event, a book of orders is not live to the gate, its quotes are not
/// told, and strategies see its trades when it is complete, once and at a live book. Method: a trade in four records, ended
/// by a change, by a notice, and by a trade; a snapshot's records.
#[test]
fn orders_in_mid_event() {
    let mut bench = Bench::new(Venue::DatabentoMbo);
    bench.add(1, Side::Buy, 99, LAST);
    bench.add(2, Side::Sell, 100, LAST);
    bench.add(3, Side::Sell, 101, LAST);
    assert_eq!((bench.believed(0), bench.told()), (Integrity::Live, [Some(99), Some(100)]));
    // A clear without the flag, and what a snapshot repeats, are no event under way.
    bench.add(9, Side::Buy, 90, Flags::SNAPSHOT);
    assert_eq!(bench.believed(0), Integrity::Live);

    bench.say(Kind::Trade, 0, Flags::NONE);
    assert_eq!((bench.believed(0), bench.asked()), (Integrity::Recovering, (0, 0)));
    bench.say(Kind::Notice, 0, Flags::NONE);
    bench.say(Kind::Reduce, 2, Flags::NONE);
    assert_eq!(bench.believed(0), Integrity::Recovering);
    assert_eq!(bench.told(), [Some(99), Some(100)], "not of a book that the venue never had");
    bench.say(Kind::Trade, 0, Flags::NONE);
    bench.add(4, Side::Buy, 100, LAST);
    assert_eq!((bench.believed(0), bench.told()), (Integrity::Live, [Some(100), Some(101)]));
    assert_eq!(bench.asked(), (1, 1));

    bench.say(Kind::Trade, 0, Flags::NONE);
    bench.say(Kind::Reduce, 3, Flags::NONE);
    bench.say(Kind::Notice, 0, LAST);
    assert_eq!((bench.believed(0), bench.told()), (Integrity::Live, [Some(100), None]));
    bench.add(5, Side::Sell, 102, Flags::NONE);
    bench.say(Kind::Trade, 0, LAST);
    assert_eq!((bench.believed(0), bench.told()), (Integrity::Live, [Some(100), Some(102)]));
    let asked = bench.asked().1;
    bench.say(Kind::Trade, 0, LAST);
    assert_eq!(bench.asked().1, asked + 1, "a trade of its own is seen at once");
    bench.say(Kind::Trade, 0, Flags::NONE);
    bench.take(Event { number: NUMBER, ..Event::empty(Kind::Clear) });
    assert_eq!(bench.believed(0), Integrity::Live);
}

/// Goal: a venue that marks no events has books of orders that are live after each. Method: ITCH, as it comes.
#[test]
fn orders_without_marks() {
    let mut bench = Bench::new(Venue::NasdaqItch);
    bench.add(1, Side::Buy, 99, Flags::NONE);
    bench.add(2, Side::Sell, 100, Flags::NONE);
    assert_eq!((bench.believed(0), bench.told()), (Integrity::Live, [Some(99), Some(100)]));
    bench.say(Kind::Execute, 2, Flags::NONE);
    assert_eq!((bench.believed(0), bench.asked().1), (Integrity::Live, 0), "no offer is left");
    bench.add(3, Side::Sell, 100, Flags::NONE);
    bench.say(Kind::Trade, 0, Flags::NONE);
    assert_eq!((bench.believed(0), bench.asked()), (Integrity::Live, (1, 1)));
}

/// Goal: the same of levels: what completes the event may be a trade, or a record that changes nothing. Method: each; and a
/// venue whose levels alone are marked.
#[test]
fn levels_in_mid_event() {
    let mut bench = Bench::new(Venue::DatabentoMbp);
    bench.level(Side::Buy, 99, 5, Flags::NONE);
    bench.level(Side::Sell, 100, 5, LAST);
    assert_eq!((bench.believed(0), bench.told()), (Integrity::Live, [Some(99), Some(100)]));
    bench.say(Kind::Trade, 0, Flags::NONE);
    assert_eq!((bench.believed(0), bench.asked()), (Integrity::Recovering, (0, 0)));
    bench.level(Side::Sell, 100, 0, Flags::NONE);
    bench.level(Side::Sell, 101, 5, LAST);
    assert_eq!((bench.believed(0), bench.told()), (Integrity::Live, [Some(99), Some(101)]));
    assert_eq!(bench.asked(), (1, 1));
    bench.level(Side::Buy, 98, 5, Flags::NONE);
    bench.say(Kind::Notice, 0, LAST);
    assert_eq!(bench.believed(0), Integrity::Live);

    let mut bench = Bench::new(Venue::Iex);
    bench.level(Side::Buy, 99, 5, Flags::NONE);
    bench.level(Side::Sell, 100, 5, LAST);
    bench.say(Kind::Trade, 0, Flags::NONE);
    assert_eq!((bench.believed(0), bench.asked()), (Integrity::Live, (1, 1)));
}

/// Goal: what is said of a number that a symbol had once does not reach its book. Method: another number for the symbol,
/// then doubt about the old one; the old one is another symbol's; a symbol's number that was taken is not taken back.
#[test]
fn numbers_change() {
    let doubt = |number| Event::integrity(number, Integrity::Incomplete, Cause::SessionEnd);
    let mut bench = Bench::new(Venue::DatabentoMbp);
    bench.name(VenueNumber(2), "AAPL");
    let doubted = doubt(NUMBER);
    bench.take(doubted);
    assert_eq!(bench.believed(0), Integrity::Live);
    assert_eq!(bench.engine.lost_and_unlisted(FeedId(0)), (0, 1));
    bench.name(NUMBER, "MSFT");
    bench.take(doubted);
    assert_eq!([0, 1].map(|id| bench.believed(id)), [Integrity::Live, Integrity::Incomplete]);
    // GOOG takes AAPL's number; that AAPL has another one then leaves GOOG its own.
    bench.name(VenueNumber(2), "GOOG");
    bench.name(VenueNumber(3), "AAPL");
    bench.take(doubt(VenueNumber(2)));
    let known = [Integrity::Live, Integrity::Incomplete, Integrity::Incomplete];
    assert_eq!([0, 1, 2].map(|id| bench.believed(id)), known);
}

/// Goal: a stop is triggered by the trade of an event that the venue makes of several parts, once that is complete
/// and not before, even where nothing else of the book changed. Method: a trade in two parts through a stop.
#[test]
fn stops_in_mid_event() {
    let mut bench = Bench::new(Venue::DatabentoMbo);
    bench.add(1, Side::Buy, 99, LAST);
    bench.add(2, Side::Sell, 101, LAST);
    bench.say(Kind::Trade, 0, LAST); // At 100.
    let account = bench.engine.account(Symbol::new("agent").unwrap()).unwrap();
    let terms = model::Terms {
        client_id: model::ClientOrderId::new("s").unwrap(),
        instrument: InstrumentId(0),
        side: Side::Buy,
        order_type: model::OrderType::StopLimit,
        tif: model::Tif::Day,
        px: Px(99_500_000_000),
        qty: Qty(1),
        conditions: model::Conditions { stop_px: Px(100_500_000_000), ..model::Conditions::NONE },
    };
    let (ask, note) = (model::Ask::New(terms), model::Note::default());
    let request = model::Request { id: 1, origin: model::Origin::File, account, ask, note };
    bench.seq += 1;
    let input = Input { seq: bench.seq, now: Ts(bench.seq * 1_000), body: Body::Request(request) };
    bench.engine.step(&input, &mut bench.out, &mut ());
    let answer = bench.out.answer.take().unwrap();
    assert!(answer.verdict.passed(), "{:?}", answer.verdict);
    let state = |bench: &Bench| bench.engine.orders().get(answer.order).unwrap().state;
    let trade =
        Event { px: Px(100_600_000_000), qty: Qty(1), number: NUMBER, ..Event::empty(Kind::Trade) };
    bench.take(trade);
    assert_eq!(state(&bench), model::OrderState::Held);
    bench.take(Event { number: NUMBER, flags: LAST, ..Event::empty(Kind::Notice) });
    assert_eq!(state(&bench), model::OrderState::Working);
}
