use model::page::{Answer, TapeKind, TapeRecord};
use model::{
    AccountId, Ask, Body, ClientOrderId, Conditions, Event, FeedId, Flags, Input, InstrumentId,
    Kind, Note, OrderId, OrderRef, OrderState, OrderType, Origin, Px, Qty, Request, Side, Terms,
    Tif, TradingState, Ts, VenueNumber,
};

mod approve;
mod baskets;
mod full;
mod headroom;
mod links;
mod types;

use crate::config::Config;
use crate::output::Output;
use crate::step::Engine;

/// A whole engine with one trading instrument: the paper venue is only reachable through the gate.
struct Venue {
    engine: Engine,
    out: Output,
    events: u64,
    /// Nanoseconds that nothing happened for.
    pauses: u64,
    orders: u64,
    /// Who asks.
    origin: Origin,
    /// Stops in the order in which they were triggered.
    triggered: Vec<OrderId>,
    /// What the tape said of orders and baskets.
    told: Vec<TapeRecord>,
    inputs: Vec<Input>,
}

/// The second account of the shipped limits.
const AGENT: AccountId = AccountId(1);

impl Venue {
    fn new() -> Venue {
        Venue::with(|text| text)
    }

    /// The same with other limits.
    fn with(change: impl Fn(String) -> String) -> Venue {
        Venue::with_room(1 << 10, change)
    }

    /// The same with room for so many open orders.
    fn with_room(own_orders: u32, change: impl Fn(String) -> String) -> Venue {
        let text = |text: &str| {
            // The agent alone, without what is not about fills.
            let text = text.replace("10000000\"", "1000000000\"");
            let text = text.replace("band_bps = 500", "band_bps = 10000");
            let text = text.replace("parent = \"house\"\n", "").replace("\"refuse\"", "\"off\"");
            let text = text.replace("open_orders_max = 50\n", "open_orders_max = 500\n");
            change(text.replace("duplicates_max = 3 ", "duplicates_max = 8 "))
        };
        let files = [
            ("engine.toml", include_str!("../../../deploy/engine.toml").to_string()),
            ("instruments.toml", include_str!("../../../deploy/instruments.toml").to_string()),
            ("limits.toml", text(include_str!("../../../deploy/limits.toml"))),
        ];
        let config =
            Config::from_texts(files.map(|(name, text)| (name.into(), text)).into()).unwrap();
        let mut small = config.engine.clone();
        small.strategies.clear();
        small.capacity.book_orders = 1 << 10;
        small.capacity.instruments = 4;
        (small.capacity.levels, small.capacity.ref_pages) = (1 << 10, 1);
        (small.capacity.own_orders, small.capacity.client_ids) = (own_orders, 1 << 12);
        let engine = Engine::new(&config.with_engine(small)).unwrap();
        let out = engine.output();
        let mut venue = Venue {
            engine,
            out,
            events: 0,
            pauses: 0,
            orders: 0,
            origin: Origin::File,
            triggered: Vec::new(),
            told: Vec::new(),
            inputs: Vec::new(),
        };
        venue.name();
        venue
    }

    fn name(&mut self) {
        self.list(VenueNumber(1), b"TEST    ");
    }

    fn list(&mut self, number: VenueNumber, symbol: &[u8; 8]) {
        let aux = u64::from_le_bytes(*symbol);
        let (px, qty) = (Px(4), Qty(100));
        self.event_of(number, Event { aux, px, qty, ..Event::empty(Kind::Directory) });
        let trading = TradingState::Trading.code();
        self.event_of(number, Event { aux: trading.into(), ..Event::empty(Kind::State) });
    }

    /// Feeds a message of the first instrument; the fills that it causes, as order and quantity.
    fn event(&mut self, event: Event) -> Vec<(OrderId, i64)> {
        self.event_of(VenueNumber(1), event)
    }

    fn event_of(&mut self, number: VenueNumber, event: Event) -> Vec<(OrderId, i64)> {
        self.events += 1;
        let ts = Ts(self.events * 1000 + self.pauses);
        let (feed, flags) = (FeedId(0), event.flags.with(Flags::LAST_OF_PACKET));
        let event =
            Event { seq: self.events, ts_venue: ts, ts_recv: ts, number, feed, flags, ..event };
        self.step(ts, Body::Event(event))
    }

    fn step(&mut self, now: Ts, body: Body) -> Vec<(OrderId, i64)> {
        let input = Input { seq: self.engine.seq() + 1, now, body };
        self.inputs.push(input);
        self.engine.step(&input, &mut self.out, &mut ());
        let of_market = [TapeKind::Trade, TapeKind::State, TapeKind::Integrity];
        let told = self.out.tape.iter().filter(|record| !of_market.contains(&record.kind));
        self.told.extend(told);
        let triggered = self.out.tape.iter().filter(|record| record.kind == TapeKind::Triggered);
        self.triggered.extend(triggered.map(|record| record.order));
        self.out.judged.clear();
        let fills = self.out.tape.iter().filter(|record| record.kind == TapeKind::Fill);
        let fills = fills.map(|record| (record.order, record.qty.0)).collect();
        self.out.tape.clear();
        fills
    }

    fn add(&mut self, order: u64, side: Side, px: i64, qty: i64) -> Vec<(OrderId, i64)> {
        let (order, side) = (OrderRef(order), Some(side));
        self.event(Event { order, side, px: Px(px), qty: Qty(qty), ..Event::empty(Kind::Add) })
    }

    fn execute(&mut self, order: u64, qty: i64) -> Vec<(OrderId, i64)> {
        self.event(Event { order: OrderRef(order), qty: Qty(qty), ..Event::empty(Kind::Execute) })
    }

    fn try_ask(&mut self, ask: Ask) -> (Answer, Vec<(OrderId, i64)>) {
        let (origin, account) = (self.origin, AGENT);
        let request = Request { id: 1, origin, account, ask, note: Note::default() };
        let fills = self.step(self.engine.now(), Body::Request(request));
        (self.out.answer.take().unwrap(), fills)
    }

    fn ask(&mut self, ask: Ask) -> (OrderId, Vec<(OrderId, i64)>) {
        let (answer, fills) = self.try_ask(ask);
        assert!(answer.verdict.passed(), "{:?}", answer.verdict);
        (answer.order, fills)
    }

    fn order(&mut self, side: Side, px: i64, qty: i64, tif: Tif) -> (OrderId, Vec<i64>) {
        self.orders += 1;
        let client_id = ClientOrderId::new(&format!("o{}", self.orders)).unwrap();
        let (instrument, order_type) = (InstrumentId(0), OrderType::Limit);
        let terms = Terms {
            client_id,
            instrument,
            side,
            order_type,
            tif,
            px: Px(px),
            qty: Qty(qty),
            conditions: Conditions::NONE,
        };
        let (order, fills) = self.ask(Ask::New(terms));
        (order, fills.into_iter().map(|(_, qty)| qty).collect())
    }

    fn replace(&mut self, order: OrderId, px: i64, qty: i64) {
        self.orders += 1;
        let client_id = ClientOrderId::new(&format!("o{}", self.orders)).unwrap();
        self.ask(Ask::Replace { order, client_id, px: Px(px), qty: Qty(qty) });
    }

    fn state(&self, order: OrderId) -> OrderState {
        self.engine.orders().get(order).unwrap().state
    }

    fn ahead(&self, order: OrderId) -> Option<i64> {
        self.engine.order_cell(order.slot() as u32).unwrap().ahead.map(|qty| qty.0)
    }
}

const BUY: Side = Side::Buy;
const SELL: Side = Side::Sell;

/// A market of 100.00 by 100.10, 300 shares in three orders offered at the touch, 100 a step behind.
fn market() -> Venue {
    market_of(Venue::new())
}

fn market_of(mut venue: Venue) -> Venue {
    venue.add(1, BUY, 1_000_000, 100);
    for order in 2..5 {
        venue.add(order, SELL, 1_001_000, 100);
    }
    venue.add(5, SELL, 1_002_000, 100);
    venue
}

/// Goal: what crosses is taken level by level, and nothing twice until the order it was taken from leaves. Method: sweep two
/// levels, ask again, let a real order replace one that was taken from.
#[test]
fn displayed_quantity_is_taken_once() {
    let mut venue = market();
    assert_eq!(venue.order(BUY, 1_002_000, 350, Tif::Ioc).1, [300, 50]);
    let (second, fills) = venue.order(BUY, 1_002_000, 350, Tif::Ioc);
    assert_eq!(fills, [50], "only what was left of the second level");
    assert_eq!(venue.state(second), OrderState::Cancelled);
    venue.execute(2, 100);
    venue.add(6, SELL, 1_001_000, 70);
    assert_eq!(venue.order(BUY, 1_001_000, 100, Tif::Ioc).1, [70]);
}

/// Goal: what was taken of an order stays taken when it is modified under its own number. Method: take all of one, raise it, and
/// take the level.
#[test]
fn a_modified_order_stays_taken() {
    let mut venue = market();
    assert_eq!(venue.order(BUY, 1_001_000, 100, Tif::Ioc).1, [100]);
    let (order, px, qty) = (OrderRef(2), Px(1_001_000), Qty(150));
    venue.event(Event { order, px, qty, ..Event::empty(Kind::Modify) });
    assert_eq!(venue.order(BUY, 1_001_000, 350, Tif::Ioc).1, [250], "200 of others, 50 of it");
}

/// Goal: a trade whose resting side is told fills that side alone, behind those that stood before ours. Method: an order of each
/// side behind real ones, trades of either side of less and of more than these.
#[test]
fn a_trade_of_a_told_side_fills_that_side() {
    let mut venue = market();
    let (bought, _) = venue.order(BUY, 1_000_000, 60, Tif::Day);
    let (sold, _) = venue.order(SELL, 1_002_000, 60, Tif::Day);
    let mut trade = |side, px, qty| {
        let (side, px, qty) = (Some(side), Px(px), Qty(qty));
        venue.event(Event { side, px, qty, ..Event::empty(Kind::Trade) })
    };
    assert_eq!(trade(BUY, 1_000_000, 90), []);
    assert_eq!(trade(SELL, 1_000_000, 500), [], "nobody offers there");
    assert_eq!(trade(BUY, 1_000_000, 130), [(bought, 30)]);
    assert_eq!(trade(SELL, 1_002_000, 100), []);
    assert_eq!(trade(SELL, 1_002_000, 110), [(sold, 10)]);
    assert_eq!(trade(SELL, 1_003_000, 20), [(sold, 20)], "through it, whatever stands before");
    assert_eq!(venue.ahead(bought), Some(100), "the book tells what left the queue");
}

/// Goal: a resting order fills when what was in front of it is gone, not before. Method: one order in front, one behind;
/// trade, cancel and trade through them.
#[test]
fn queue_in_front_goes_first() {
    let mut venue = market();
    let (ours, _) = venue.order(BUY, 1_000_000, 60, Tif::Day);
    venue.add(7, BUY, 1_000_000, 100);
    assert_eq!(venue.ahead(ours), Some(100));
    assert_eq!(venue.execute(1, 40), []);
    assert_eq!(venue.ahead(ours), Some(60));
    venue.event(Event { order: OrderRef(1), qty: Qty(30), ..Event::empty(Kind::Reduce) });
    venue.event(Event { order: OrderRef(1), ..Event::empty(Kind::Delete) });
    assert_eq!(venue.ahead(ours), Some(0));
    assert_eq!(venue.execute(7, 25), [(ours, 25)], "what trades behind us would have met us first");
    let print = Event { px: Px(1_000_000), qty: Qty(100), ..Event::empty(Kind::Trade) };
    assert_eq!(venue.event(print), [(ours, 35)]);
    assert_eq!(venue.state(ours), OrderState::Filled);
}

/// Goal: less quantity keeps the place, more or another price loses it; a replace to a price that crosses takes. Method: one
/// real order joins between.
#[test]
fn replace_keeps_or_loses_its_place() {
    let mut venue = market();
    let (ours, _) = venue.order(BUY, 1_000_000, 60, Tif::Day);
    venue.add(7, BUY, 1_000_000, 100);
    venue.replace(ours, 1_000_000, 50);
    assert_eq!(venue.ahead(ours), Some(100));
    venue.replace(ours, 1_000_000, 80);
    assert_eq!(venue.ahead(ours), Some(200));
    venue.replace(ours, 1_001_000, 80);
    assert_eq!(venue.state(ours), OrderState::Filled);
}

/// Goal: an opposing order shown at our price fills us; while the venue halts, nothing fills; the end of the day ends the
/// order. Method: each in turn.
#[test]
fn crossed_halted_ended() {
    let mut venue = market();
    let (ours, _) = venue.order(BUY, 1_000_500, 100, Tif::Day);
    assert_eq!(venue.add(8, SELL, 1_000_500, 30), [(ours, 30)]);
    let halted = TradingState::Halted.code();
    venue.event(Event { aux: halted.into(), ..Event::empty(Kind::State) });
    assert_eq!(venue.add(9, SELL, 1_000_500, 30), []);
    venue.event(Event { aux: u64::from(b'E'), ..Event::empty(Kind::Session) });
    assert_eq!(venue.state(ours), OrderState::Expired);
}

/// Goal: while the journal takes no more, new orders are refused for that reason and cancels pass; afterwards orders pass
/// again. Method: set and clear it by control, with an order resting before.
#[test]
fn a_full_journal_stops_orders_not_cancels() {
    stops_orders_not_cancels(model::Control::JournalFull, model::Reject::JournalFull);
}

/// Goal: the same of a full audit log. Method: the same.
#[test]
fn a_full_audit_log_stops_orders_not_cancels() {
    stops_orders_not_cancels(model::Control::AuditFull, model::Reject::AuditFull);
}

fn stops_orders_not_cancels(control: fn(bool) -> model::Control, code: model::Reject) {
    let mut venue = market();
    let (ours, _) = venue.order(BUY, 1_000_000, 60, Tif::Day);
    let now = venue.engine.now();
    venue.step(now, Body::Control(control(true)));
    let client_id = ClientOrderId::new("full").unwrap();
    let (instrument, order_type, tif) = (InstrumentId(0), OrderType::Limit, Tif::Day);
    let terms = Terms {
        client_id,
        instrument,
        side: BUY,
        order_type,
        tif,
        px: Px(1_000_000),
        qty: Qty(1),
        conditions: Conditions::NONE,
    };
    let (origin, account, note) = (Origin::File, AGENT, Note::default());
    let request = Request { id: 1, origin, account, ask: Ask::New(terms), note };
    venue.step(now, Body::Request(request));
    let answer = venue.out.answer.take().unwrap();
    assert_eq!(answer.verdict.primary.unwrap().code, code);
    venue.ask(Ask::Cancel { order: ours });
    assert_eq!(venue.state(ours), OrderState::Cancelled);
    venue.step(now, Body::Control(control(false)));
    venue.order(BUY, 1_000_000, 60, Tif::Day);
}
