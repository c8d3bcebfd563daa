use model::{Cause, Event, FeedId, Integrity, Symbol};
use proptest::prelude::*;

use super::*;
use crate::stream::{Action, Phase, StreamFeed};

fn config() -> StreamConfig {
    let symbol = |name: &str| StreamSymbol {
        venue_symbol: name.to_owned(),
        symbol: Symbol::new(name).unwrap(),
        px_decimals: 2,
        qty_decimals: 4,
    };
    let symbols = vec![symbol("BTC-USD"), symbol("ETH-EUR")];
    StreamConfig { feed: FeedId(0), symbols, depth: 0, seed: 0, ws_url: None, rest_url: None }
}

fn parse(text: &str) -> (Result<Message, ParseError>, Parsed) {
    let (config, mut parsed) = (config(), Parsed::default());
    let symbols = Symbols::new(config.symbols.clone()).unwrap();
    let mut venue = CoinbaseFull::with_room(&config, 8);
    (venue.parse(text.as_bytes(), &symbols, &mut parsed), parsed)
}

fn id(n: u32) -> String {
    format!("{n:08x}-1234-4abc-8DEF-0123456789ab")
}

fn text(sequence: u64, kind: &str, rest: &str) -> String {
    let common =
        "\"product_id\":\"BTC-USD\",\"time\":\"2014-11-07T08:19:27.028459Z\",\"sequence\":";
    format!("{{\"type\":\"{kind}\",{common}{sequence},{rest}}}")
}

fn received(sequence: u64, n: u32) -> String {
    text(
        sequence,
        "received",
        &format!(
            "\"order_id\":\"{}\",\"size\":\"1.34\",\"price\":\"502.1\",\"side\":\"buy\",\"order_type\":\"limit\"",
            id(n)
        ),
    )
}

fn open(sequence: u64, n: u32, side: &str, px: &str, qty: &str) -> String {
    let rest = format!(
        "\"order_id\":\"{}\",\"price\":\"{px}\",\"remaining_size\":\"{qty}\",\"side\":\"{side}\"",
        id(n)
    );
    text(sequence, "open", &rest)
}

fn matched(sequence: u64, trade: u64, maker: u32, px: &str, qty: &str) -> String {
    let rest = format!(
        "\"trade_id\":{trade},\"maker_order_id\":\"{}\",\"taker_order_id\":\"{}\",\
         \"size\":\"{qty}\",\"price\":\"{px}\",\"side\":\"sell\"",
        id(maker),
        id(9_999)
    );
    text(sequence, "match", &rest)
}

fn done(sequence: u64, n: u32, reason: &str) -> String {
    let rest = format!(
        "\"price\":\"200.2\",\"order_id\":\"{}\",\"reason\":\"{reason}\",\"side\":\"sell\",\"remaining_size\":\"0\"",
        id(n)
    );
    text(sequence, "done", &rest)
}

fn change(sequence: u64, n: u32, rest: &str) -> String {
    text(sequence, "change", &format!("\"order_id\":\"{}\",{rest}", id(n)))
}

fn heartbeat(sequence: u64) -> String {
    text(sequence, "heartbeat", "\"last_trade_id\":20")
}

/// A feed, and what it said.
struct Rig {
    feed: StreamFeed<CoinbaseFull>,
    now: u64,
    said: Vec<Event>,
}

impl Rig {
    fn new(room: usize) -> Rig {
        let mut config = config();
        config.symbols.truncate(1);
        let venue = CoinbaseFull::with_room(&config, room);
        let mut rig =
            Rig { feed: StreamFeed::new(venue, config).unwrap(), now: 1, said: Vec::new() };
        rig.feed.start(Ts(1), &mut |event| rig.said.push(event));
        rig.feed.on_open(Ts(1), &mut |event| rig.said.push(event));
        rig.said.clear();
        rig
    }

    /// What is said of a text: kind, reference, price, quantity, trade.
    fn on(&mut self, text: &str) -> Vec<(Kind, u64, i64, i64, u64)> {
        self.now += 1;
        self.said.clear();
        self.feed.on_text(text.as_bytes(), Ts(self.now), &mut |event| self.said.push(event));
        self.told()
    }

    fn told(&self) -> Vec<(Kind, u64, i64, i64, u64)> {
        let of = |event: &Event| (event.kind, event.order.0, event.px.0, event.qty.0, event.aux);
        self.said.iter().map(of).collect()
    }

    /// Lets a second pass; the request that is out then.
    fn request(&mut self) -> Option<u32> {
        self.now += 2 * SECOND;
        self.feed.on_time(Ts(self.now), &mut |_| {});
        let actions = std::iter::from_fn(|| self.feed.next_action());
        let request =
            |action| if let Action::Get { request, .. } = action { Some(request) } else { None };
        actions.filter_map(request).last()
    }

    fn answer(&mut self, request: u32, body: &str) -> Vec<(Kind, u64, i64, i64, u64)> {
        self.said.clear();
        let Rig { feed, now, said, .. } = self;
        feed.on_response(request, Ok(body.as_bytes()), Ts(*now), &mut |event| said.push(event));
        self.told()
    }

    fn phase(&self) -> Option<Phase> {
        self.feed.phase(Symbol::new("BTC-USD").unwrap())
    }

    /// A live book at sequence 10 with order 1, a sale of 2 at 200, and order 2, a purchase of 1 at 100.
    fn live() -> Rig {
        let mut rig = Rig::new(100);
        let request = rig.request().unwrap();
        let (one, two) = (id(1), id(2));
        rig.answer(
            request,
            &format!(
                "{{\"asks\":[[\"200.00\",\"2.0\",\"{one}\"]],\
                 \"bids\":[[\"100\",\"1\",\"{two}\"]],\"sequence\":9,\"auction\":null}}"
            ),
        );
        assert_eq!(rig.phase(), Some(Phase::Bridging));
        rig.on(&received(10, 77));
        assert_eq!(rig.phase(), Some(Phase::Live));
        rig
    }

    /// What a book is said to be, if that was said first.
    fn belief(&self) -> Option<(Integrity, Cause)> {
        self.said.first().and_then(Event::believed)
    }
}

/// Goal: both channels are asked for once, and a whole book by its address. Method: the texts.
#[test]
fn requests() {
    let (config, mut out) = (config(), Vec::new());
    let symbols = Symbols::new(config.symbols.clone()).unwrap();
    let mut venue = CoinbaseFull::with_room(&config, 8);
    venue.subscribe(&symbols, &[0, 1], 0, &mut out);
    assert_eq!(
        out,
        [
            r#"{"type":"subscribe","product_ids":["BTC-USD","ETH-EUR"],"channels":["full","heartbeat"]}"#
        ]
    );
    let url = venue.snapshot_url(Some("http://x"), symbols.get(1).unwrap(), 0);
    assert_eq!(url, "http://x/products/ETH-EUR/book?level=3");
    assert!(venue.is_snapshot(b"{\"sequence\":3,\"bids\":[]") && !venue.is_snapshot(b"{\"type\":"));
}

/// Goal: every text is known for what it is, and what it must not be is refused. Method: one of each, and near misses.
#[test]
fn kinds() {
    for (text, message) in [
        (r#"{"type":"subscriptions","channels":[]}"#.to_owned(), Message::Ack),
        (
            r#"{"type":"error","message":"x","reason":"y"}"#.into(),
            Message::Refused { symbol: None },
        ),
        (r#"{"type":"activate","product_id":"BTC-USD","order_id":"1"}"#.into(), Message::Other),
        (heartbeat(90), Message::Heartbeat { symbol: Some(0), sequence: Some(90) }),
        (open(5, 1, "buy", "1", "1").replace("BTC", "X"), Message::UnknownSymbol),
        (format!(" {}", open(5, 1, "buy", "1", "1").replace("BTC", "X")), Message::UnknownSymbol),
    ] {
        assert_eq!(parse(&text).0, Ok(message), "{text}");
    }
    for text in [
        open(5, 1, "up", "1.0", "1.0"),
        open(5, 1, "buy", "1.001", "1.0"),
        open(5, 1, "buy", "1.0", "-1.0"),
        open(5, 1, "buy", "1.0", "1.0").replace("-4abc-", "-4abcd"),
        open(5, 1, "buy", "1.0", "1.0").replace("8DEF", "8DEG"),
        open(5, 1, "buy", "1.0", "1.0").replace("\"sequence\":5,", ""),
        open(5, 1, "buy", "1.0", "1.0").replace("27.028", "27-028"),
        matched(5, 0, 1, "1.0", "1.0"),
        matched(5, 7, 1, "1.0", "1.0").replace("maker", "baker"),
        change(5, 1, "\"new_size\":5"),
        done(5, 1, "filled").replace("order_id", "order"),
    ] {
        assert_eq!(parse(&text).0.unwrap_err().symbol, Some(0), "{text}");
    }
}

/// Goal: each message does to the book what its table says. Method: a life of some orders, message by message.
#[test]
fn messages() {
    let mut rig = Rig::live();
    let notice = (Kind::Notice, 0, 0, 0, 0);
    assert_eq!(rig.on(&received(11, 3)), [notice]);
    assert_eq!(rig.on(&open(12, 3, "sell", "201.50", "0.5")), [(Kind::Add, 3, 20_150, 5_000, 0)]);
    assert_eq!(rig.said[0].side, Some(Side::Sell));
    assert_eq!(rig.on(&received(13, 4)), [notice]);
    let trade = (Kind::Execute, 1, 0, 15_000, 70);
    assert_eq!(rig.on(&matched(14, 70, 1, "200", "1.5")), [trade]);
    assert_eq!(rig.said[0].side, None);
    let trade = (Kind::ExecuteAt, 1, 19_999, 5_000, 71);
    assert_eq!(rig.on(&matched(15, 71, 1, "199.99", "0.5")), [trade]);
    assert_eq!(rig.on(&done(16, 1, "filled")), [notice], "nothing was left of it");
    assert_eq!(rig.on(&done(17, 4, "filled")), [notice], "it never rested");
    assert_eq!(
        rig.on(&change(18, 2, "\"new_size\":\"0.4\",\"old_size\":\"1\",\"price\":\"100\"")),
        [(Kind::Modify, 2, 10_000, 4_000, 0)]
    );
    let moved = "\"reason\":\"modify_order\",\"new_size\":\"3\",\"old_size\":\"0.4\",\
                 \"new_price\":\"101.25\",\"old_price\":\"100\"";
    assert_eq!(rig.on(&change(19, 2, moved)), [(Kind::Modify, 2, 10_125, 30_000, 0)]);
    assert_eq!(rig.on(&matched(20, 72, 2, "101.25", "1")), [(Kind::Execute, 2, 0, 10_000, 72)]);
    assert_eq!(rig.on(&done(21, 2, "canceled")), [(Kind::Delete, 2, 0, 0, 0)]);
    assert_eq!(rig.on(&received(22, 5)), [notice]);
    assert_eq!(
        rig.on(&change(23, 5, "\"new_size\":\"1\",\"old_size\":\"2\",\"price\":\"5\"")),
        [notice]
    );
    let funds = "\"new_funds\":\"1\",\"old_funds\":\"2\",\"price\":null,\"new_size\":null";
    assert_eq!(rig.on(&change(24, 6, funds)), [notice], "a market order");
    assert_eq!(rig.on(&open(25, 5, "buy", "90", "1")), [(Kind::Add, 4, 9_000, 10_000, 0)]);
    assert_eq!(rig.phase(), Some(Phase::Live));
    let counters = rig.feed.counters();
    assert_eq!((counters.trades, counters.mismatches, counters.gaps, counters.bad), (3, 0, 0, 0));
}

/// Goal: what cannot be is doubted before anything else is said, by its cause. Method: each on a live book.
#[test]
fn doubts() {
    for (text, cause, trades) in [
        (open(12, 3, "buy", "1", "1"), Cause::Gap, 0),
        (matched(12, 7, 1, "200", "1"), Cause::Gap, 1),
        (matched(11, 7, 8, "200", "1"), Cause::UnknownOrder, 1),
        (change(11, 8, "\"new_size\":\"1\""), Cause::UnknownOrder, 0),
        (matched(11, 7, 1, "200", "2.1"), Cause::BadEvent, 1),
        (matched(11, 7, 1, "200", "0"), Cause::BadEvent, 0),
        (open(11, 1, "buy", "1", "1"), Cause::BadEvent, 0),
        (open(11, 3, "buy", "0", "1"), Cause::BadEvent, 0),
        (open(11, 3, "buy", "1", "0"), Cause::BadEvent, 0),
        (change(11, 1, "\"new_size\":\"0.0\""), Cause::BadEvent, 0),
        (open(11, 3, "buy", "1.001", "1"), Cause::BadEvent, 0),
        ("{".to_owned(), Cause::BadEvent, 0),
    ] {
        let mut rig = Rig::live();
        let told = rig.on(&text);
        assert_eq!(rig.belief(), Some((Integrity::Incomplete, cause)), "{text}");
        let kinds: Vec<Kind> = told.iter().skip(1).map(|(kind, ..)| *kind).collect();
        assert_eq!(kinds, vec![Kind::Trade; trades], "{text}");
        assert_eq!(rig.phase(), Some(Phase::Resync));
    }
    let mut rig = Rig::new(2);
    let request = rig.request().unwrap();
    let orders: Vec<String> = (0..3).map(|n| format!("[\"1\",\"1\",\"{}\"]", id(n))).collect();
    let body = format!("{{\"bids\":[{}],\"asks\":[],\"sequence\":9}}", orders.join(","));
    assert_eq!(rig.answer(request, &body).len(), 1, "one order too many");
    assert_eq!(rig.belief(), Some((Integrity::Incomplete, Cause::Capacity)));
    assert_eq!(rig.feed.counters().mismatches, 1);
}

/// Goal: a whole book is joined to what came meanwhile, each trade is told of once, and references never come again.
/// Method: trades that wait, are old, are repeated.
#[test]
fn bridge() {
    let mut rig = Rig::live();
    rig.on(&open(12, 3, "buy", "1", "1"));
    let trade =
        |rig: &mut Rig, text: &str| rig.on(text).iter().map(|said| said.0).collect::<Vec<_>>();
    assert_eq!(trade(&mut rig, &matched(13, 70, 1, "200", "0.5")), [Kind::Trade]);
    assert_eq!(trade(&mut rig, &matched(13, 70, 1, "200", "0.5")), [Kind::Notice], "a repeat");
    assert_eq!(trade(&mut rig, &matched(14, 71, 1, "200", "0.5")), [Kind::Trade]);
    let mut request = rig.request();
    while request.is_none() {
        request = rig.request();
    }
    let body =
        format!("{{\"sequence\":13,\"bids\":[],\"asks\":[[\"200\",\"1.5\",\"{}\"]]}}", id(1));
    let live = u64::from(Integrity::Live.code()) + 256 * u64::from(Cause::None.code());
    let told = rig.answer(request.unwrap(), &body);
    assert_eq!(
        told[2..],
        [
            (Kind::Add, 3, 20_000, 15_000, 0),
            (Kind::Reduce, 3, 0, 5_000, 0),
            (Kind::Integrity, 0, 0, 0, live),
        ]
    );
    assert_eq!(trade(&mut rig, &matched(15, 72, 1, "200", "0.5")), [Kind::Execute]);
    assert_eq!((rig.feed.counters().trades, rig.phase()), (3, Some(Phase::Live)));
}

/// Goal: a heartbeat shows what was lost in silence, but not what is on its way; it makes a quiet book live; numbers that run
/// backwards are doubted. Method: heartbeats around messages.
#[test]
fn heartbeats() {
    let mut rig = Rig::live();
    rig.on(&heartbeat(11));
    assert_eq!(rig.phase(), Some(Phase::Live), "11 may be on its way");
    rig.on(&received(11, 3));
    rig.on(&heartbeat(12));
    rig.on(&heartbeat(12));
    assert_eq!(rig.belief(), Some((Integrity::Incomplete, Cause::Gap)), "12 is lost");

    let mut rig = Rig::live();
    rig.on(&heartbeat(10));
    rig.on(&heartbeat(9));
    assert_eq!(rig.belief(), Some((Integrity::Incomplete, Cause::Gap)), "backwards");

    let mut rig = Rig::new(9);
    let request = rig.request().unwrap();
    rig.answer(request, "{\"bids\":[],\"asks\":[],\"sequence\":9}");
    rig.on(&heartbeat(8));
    assert_eq!(rig.phase(), Some(Phase::Bridging));
    rig.on(&heartbeat(9));
    assert_eq!(rig.phase(), Some(Phase::Bridging), "10 may be on its way");
    rig.on(&heartbeat(9));
    assert_eq!(
        (rig.belief(), rig.phase()),
        (Some((Integrity::Live, Cause::None)), Some(Phase::Live))
    );
}

proptest! {
    /// Goal: names of orders are read whole, and anything else is refused. Method: every value by its text; one byte changed.
    #[test]
    fn uuids(value in any::<u128>(), at in 0_usize..36, byte in any::<u8>()) {
        let hex = format!("{value:032x}");
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        let mut text = parts.join("-").into_bytes();
        prop_assert_eq!(uuid(&text), Some(value));
        prop_assert_eq!(uuid(&text[1..]), None);
        let is_dash = text[at] == b'-';
        text[at] = byte;
        let legal = if is_dash { byte == b'-' } else { byte.is_ascii_hexdigit() };
        prop_assert_eq!(uuid(&text).is_some(), legal);
    }
}

/// Goal: a text that cannot be read doubts the product that it names, and nobody else's. Method: one that breaks off behind its
/// name.
#[test]
fn broken_texts_name_their_product() {
    let whole = received(10, 77);
    let broken = whole.get(..whole.len() - 5).unwrap();
    assert_eq!(parse(broken).0.unwrap_err().symbol, Some(0));
    assert_eq!(parse("{\"sequence\":").0.unwrap_err().symbol, None);
}
