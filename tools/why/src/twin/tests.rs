//! Two engines whose orders and approvals have other numbers.

use engine::config::Capacity;
use model::page::Answer;
use model::{
    Event, FeedId, InstrumentId, Kind, Note, OperatorName, OrderRef, OrderType, Reject, Tif,
    TradingState, VenueNumber,
};

use super::*;

const AGENT: AccountId = AccountId(1);
const SECOND: u64 = 1_000_000_000;

/// The first engine, and its twin beside it.
struct Pair {
    first: Engine,
    out: Output,
    twin: Twin,
    asked: u64,
}

/// The shipped configuration, where the agent needs approval for more than `soft`, and may not ask for more than `most` at once.
fn config(soft: u64, most: u64) -> Config {
    let limits = |text: &str| {
        let (others, agent) = text.split_once("[[limit]]\naccount = \"agent\"").unwrap();
        let agent =
            agent.replacen("soft_clip_max = \"off\"", &format!("soft_clip_max = \"{soft}\""), 1);
        let agent = agent.replacen("clip_max = \"1000\"", &format!("clip_max = \"{most}\""), 1);
        format!("{others}[[limit]]\naccount = \"agent\"{agent}")
    };
    let files = [
        ("engine.toml", include_str!("../../../../deploy/engine.toml").to_owned()),
        ("instruments.toml", include_str!("../../../../deploy/instruments.toml").to_owned()),
        ("limits.toml", limits(include_str!("../../../../deploy/limits.toml"))),
    ];
    let config = Config::from_texts(files.map(|(name, text)| (name.into(), text)).into()).unwrap();
    let mut small = config.engine.clone();
    small.strategies.clear();
    small.capacity = Capacity { instruments: 4, book_orders: 64, ..Capacity::SMALL };
    config.with_engine(small)
}

impl Pair {
    fn new(first: &Config, second: &Config) -> Pair {
        let first = Engine::new(first).unwrap();
        let progress = Progress::new(0, "twice");
        let twin = Twin::new(second, &first, progress).unwrap();
        let mut pair = Pair { out: first.output(), first, twin, asked: 0 };
        pair.event(Event::directory(VenueNumber(1), Symbol::new("AAPL").unwrap(), 4, 0));
        let aux = TradingState::Trading.code().into();
        pair.event(Event { aux, ..Event::empty(Kind::State) });
        for (order, side, px) in [(1, Side::Buy, 990_000), (2, Side::Sell, 1_000_000)] {
            let (order, side, px, qty) = (OrderRef(order), Some(side), Px(px), Qty(500));
            pair.event(Event { order, side, px, qty, ..Event::empty(Kind::Add) });
        }
        let (px, qty) = (Px(1_000_000), Qty(1));
        pair.event(Event { px, qty, ..Event::empty(Kind::Trade) });
        pair
    }

    fn event(&mut self, event: Event) {
        let seq = self.first.last_event() + 1;
        let ts = Ts(seq);
        let (number, feed) = (VenueNumber(1), FeedId(0));
        self.step(Body::Event(Event { seq, number, feed, ts_venue: ts, ts_recv: ts, ..event }));
    }

    /// What the first engine answered to a request.
    fn step(&mut self, body: Body) -> Option<Answer> {
        let seq = self.first.seq() + 1;
        let input = Input { seq, now: Ts(seq), body };
        self.twin.before(&self.first, &input);
        self.first.step(&input, &mut self.out, &mut Watched(&mut self.twin));
        let seen = Seen { input: &input, engine: &self.first, out: &self.out };
        assert!(self.twin.after(&seen).is_continue());
        let answer = self.out.answer.take();
        self.out.forget();
        answer
    }

    /// A request of the agent; the order that it became, or why not, and the number by which it can be approved.
    fn ask(&mut self, ask: Ask) -> (Result<OrderId, Reject>, u32) {
        let (origin, note) = (Origin::File, Note::default());
        let request = Request { id: self.asked, origin, account: AGENT, ask, note };
        let answer = self.step(Body::Request(request)).unwrap();
        let refused = answer.verdict.primary.map(|finding| finding.code);
        (refused.map_or(Ok(answer.order), Err), answer.approval)
    }

    /// A buy of so many far below the market, or with a trigger a stop above it.
    fn buys(&mut self, qty: i64, conditions: Conditions) -> (Result<OrderId, Reject>, u32) {
        self.asked += 1;
        let client_id = ClientOrderId::new(&format!("o{}", self.asked)).unwrap();
        let (order_type, px) = match conditions.stop_px {
            Px(0) => (OrderType::Limit, Px(980_000 - 100 * self.asked as i64)),
            _ => (OrderType::StopLimit, Px(1_002_000)),
        };
        let (instrument, side, tif, qty) = (InstrumentId(0), Side::Buy, Tif::Day, Qty(qty));
        self.ask(Ask::New(Terms {
            client_id,
            instrument,
            side,
            order_type,
            tif,
            px,
            qty,
            conditions,
        }))
    }

    fn approve(&mut self, number: u32) {
        let (operator, note) = (OperatorName::new("ann").unwrap(), Note::lossy("seen"));
        self.step(Body::Control(Control::Approve { number, for_ns: SECOND, operator, note }));
        let granted = self.first.approvals().get(number).unwrap();
        assert!(granted.until.is_some());
    }

    /// What the twin said otherwise: the name of the order, and its reason there.
    fn changes(&self) -> Vec<(String, Option<Reject>)> {
        let reason = |change: &Change| change.new?.verdict.primary.map(|finding| finding.code);
        let changes = self.twin.changes.iter();
        changes.map(|change| (change.asked.client_id.to_string(), reason(change))).collect()
    }
}

/// Tells the twin what the first engine is asked.
struct Watched<'a>(&'a mut Twin);

impl Stamp for Watched<'_> {
    fn mark(&mut self, _: Stage) {}

    fn judging(&mut self, engine: &Engine, request: &Request, order: &Order) {
        self.0.judging(engine, request, order);
    }
}

const PLAIN: Conditions = Conditions::NONE;

fn in_place_of(order: OrderId) -> Conditions {
    Conditions { stop_px: Px(1_001_000), link: Some(Link::OneCancels(order)), ..PLAIN }
}

/// Goal: the second engine hears approvals in its own numbers, also of an order that is linked to another, and of what needs none
/// there no approval at all. Method: an order more that waits in one of the two, so that all later numbers differ; the only
/// difference is that order's.
#[test]
fn approvals_are_translated() {
    let needs = Err(Reject::NeedsApproval);
    let mut pair = Pair::new(&config(30, 1_000), &config(10, 1_000));
    assert!(pair.buys(20, PLAIN).0.is_ok(), "waits as number 1 there");
    assert_eq!(pair.buys(60, PLAIN), (needs, 1));
    pair.approve(1);
    let (order, _) = pair.buys(60, PLAIN);
    let stop = in_place_of(order.unwrap());
    assert_eq!(pair.buys(40, stop), (needs, 2));
    pair.approve(2);
    assert!(pair.buys(40, stop).0.is_ok());
    assert_eq!(pair.changes(), [("o1".to_owned(), needs.err())]);

    let mut pair = Pair::new(&config(10, 1_000), &config(30, 1_000));
    assert_eq!(pair.buys(20, PLAIN), (needs, 1));
    assert_eq!(pair.buys(60, PLAIN), (needs, 2));
    pair.approve(1);
    assert_eq!(pair.buys(60, PLAIN), (needs, 3), "it is the other one that was approved");
    assert_eq!(pair.changes(), [("o1".to_owned(), None)]);
}

/// Goal: an order that names another one names in the second engine the same order, whatever its number. Method: an order that
/// only the first engine passes, so that all later numbers differ; then a stop in place of another order, a child of a parent,
/// new terms and a cancel.
#[test]
fn links_are_translated() {
    let mut pair = Pair::new(&config(1_000, 1_000), &config(100, 100));
    assert!(pair.buys(200, PLAIN).0.is_ok());
    let order = pair.buys(50, PLAIN).0.unwrap();
    let stop = pair.buys(20, in_place_of(order)).0.unwrap();
    let parent = pair.buys(50, Conditions { parent_only: true, ..PLAIN }).0.unwrap();
    let child = Conditions { link: Some(Link::Parent(parent)), ..PLAIN };
    let child = pair.buys(30, child).0.unwrap();
    let client_id = ClientOrderId::new("r").unwrap();
    assert!(
        pair.ask(Ask::Replace { order: child, client_id, px: Px(979_000), qty: Qty(40) }).0.is_ok()
    );
    assert!(pair.ask(Ask::Cancel { order: child }).0.is_ok());
    assert_eq!(pair.changes(), [("o1".to_owned(), Some(Reject::Clip))]);

    let Pair { first, twin, .. } = &pair;
    for id in [order, stop, parent, child] {
        let own = twin.order(id);
        assert_ne!(own, id, "numbers differ, or this shows nothing");
        let [here, there] = [(first, id), (&twin.engine, own)]
            .map(|(engine, id)| *engine.orders().get(id).unwrap());
        let link = here.order.conditions.link.map(|link| match link {
            Link::OneCancels(order) => Link::OneCancels(twin.order(order)),
            Link::Parent(order) => Link::Parent(twin.order(order)),
            Link::Basket(number) => Link::Basket(number),
        });
        assert_eq!(there.order.conditions.link, link);
        assert_eq!((there.order.qty, there.state), (here.order.qty, here.state));
    }
}

/// Goal: a slice is the same part of the other limit, never more than that part, whatever the numbers; of a limit that is off it
/// is itself. Method: parts by hand, the whole, the largest limits.
#[test]
fn slices_keep_their_part() {
    let most = i128::MAX >> 33;
    for (slice, of, own, part) in [
        (50, Some(100), Some(30), 15),
        (100, Some(100), Some(30), 30),
        (101, Some(100), Some(30), 30),
        (1, Some(3), Some(100), 33),
        (0, Some(7), Some(most), 0),
        (most, Some(most), Some(most), most),
        (7, None, Some(9), 7),
        (7, Some(9), None, 7),
        (7, Some(0), Some(9), 7),
    ] {
        assert_eq!(same_part(slice, (of, own)), part, "{slice} of {of:?} in {own:?}");
    }
}
