//! Books that something false, or nothing at all, has led astray: none stays so, none is live meanwhile, and no book suffers for
//! another. One venue of each kind, on virtual time.

mod fold;
#[path = "heal/subscriptions.rs"]
mod subscriptions;

use feeds::binance::{Binance, Market};
use feeds::coinbase::CoinbaseFull;
use feeds::stream::{Action, Phase, StreamConfig, StreamFeed, StreamSymbol, Venue};
use fold::Fold;
use model::{Cause, FeedId, Integrity, Symbol, Ts};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// A feed, what it said, and what it asked for.
struct Rig<V> {
    feed: StreamFeed<V>,
    now: u64,
    fold: Fold,
    /// Texts since the last connection.
    sent: Vec<String>,
    /// Requests, with the symbols that they are about.
    gets: Vec<(u32, String)>,
    connects: u32,
    is_open: bool,
}

impl<V: Venue> Rig<V> {
    /// With a connection that has just opened.
    fn new(names: &[&str], venue: impl Fn(&StreamConfig) -> V) -> Rig<V> {
        let symbol = |name: &&str| StreamSymbol {
            venue_symbol: (*name).to_owned(),
            symbol: Symbol::new(name).unwrap(),
            px_decimals: 2,
            qty_decimals: 4,
        };
        let symbols = names.iter().map(symbol).collect();
        let (feed, depth, seed) = (FeedId(0), 1_000, 1);
        let config = StreamConfig { feed, symbols, depth, seed, ws_url: None, rest_url: None };
        let mut rig = Rig {
            feed: StreamFeed::new(venue(&config), config).unwrap(),
            now: SECOND,
            fold: Fold::default(),
            sent: Vec::new(),
            gets: Vec::new(),
            connects: 0,
            is_open: false,
        };
        rig.tell(|feed, now, fold| feed.start(now, &mut |event| fold.apply(event)));
        rig.open();
        rig
    }

    fn tell(&mut self, what: impl FnOnce(&mut StreamFeed<V>, Ts, &mut Fold)) {
        what(&mut self.feed, Ts(self.now), &mut self.fold);
        while let Some(action) = self.feed.next_action() {
            match action {
                Action::Connect { .. } => self.connects += 1,
                Action::Close => self.is_open = false,
                Action::Send { text } => self.sent.push(text),
                Action::Get { request, symbol, .. } => self.gets.push((request, symbol)),
            }
        }
    }

    fn open(&mut self) {
        self.is_open = true;
        self.sent.clear();
        self.tell(|feed, now, fold| feed.on_open(now, &mut |event| fold.apply(event)));
    }

    fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        self.tell(|feed, now, fold| feed.on_text(bytes, now, &mut |event| fold.apply(event)));
    }

    /// Lets time pass; what is due is done in time.
    fn pass(&mut self, ns: u64) {
        let end = self.now + ns;
        for _ in 0..10_000 {
            let Some(due) = self.feed.wake_at().filter(|due| due.0 <= end) else { break };
            self.now = self.now.max(due.0);
            self.tell(|feed, now, fold| feed.on_time(now, &mut |event| fold.apply(event)));
        }
        self.now = end;
    }

    /// Requests about a symbol.
    fn asked(&self, name: &str) -> usize {
        self.gets.iter().filter(|(_, symbol)| symbol == name).count()
    }

    /// Answers the last request about a symbol.
    fn answer(&mut self, name: &str, body: &str) {
        let (request, _) = *self.gets.iter().rfind(|(_, symbol)| symbol == name).unwrap();
        let body = Ok(body.as_bytes());
        self.tell(|feed, now, fold| {
            feed.on_response(request, body, now, &mut |event| fold.apply(event));
        });
    }

    /// Lets time pass until a book is asked for once more, and answers that.
    fn heal(&mut self, name: &str, body: &str) {
        let asked = self.asked(name);
        for _ in 0..700 {
            if self.asked(name) > asked || self.phase(name) == Phase::Snapshot {
                return self.answer(name, body);
            }
            self.pass(100 * MS);
        }
        panic!("never asked for again: {name} {:?}", self.phase(name));
    }

    fn phase(&self, name: &str) -> Phase {
        self.feed.phase(Symbol::new(name).unwrap()).unwrap()
    }

    /// What is said of the book with this number.
    fn said(&self, number: u32) -> (Integrity, Cause) {
        let book = &self.fold.books[&number];
        (book.integrity, book.cause)
    }
}

const BTC: &str = "BTCUSDT";
const MARKETS: [Market; 2] = [Market::Spot, Market::Usdm];

fn diff(first: u64, last: u64, prev: u64) -> String {
    format!(
        "{{\"e\":\"depthUpdate\",\"E\":1,\"T\":1,\"s\":\"{BTC}\",\"U\":{first},\"u\":{last},\"pu\":{prev},\
         \"b\":[[\"100.1\",\"2\"]],\"a\":[[\"100.9\",\"2\"]]}}"
    )
}

/// The diff of one update.
fn one(number: u64) -> String {
    diff(number, number, number - 1)
}

fn whole(last: u64) -> String {
    format!("{{\"lastUpdateId\":{last},\"bids\":[[\"100.1\",\"1\"]],\"asks\":[]}}")
}

/// A book of Binance that is live at 101.
fn binance(market: Market) -> Rig<Binance> {
    let mut rig = Rig::new(&[BTC], |_| Binance::new(market));
    rig.text(&one(100));
    rig.answer(BTC, &whole(100));
    rig.text(&one(101));
    assert_eq!(rig.phase(BTC), Phase::Live);
    rig
}

/// Goal: a number far ahead does not keep a book live, or waiting, for ever. Method: such a diff of a live book, and of one that
/// waits for its snapshot; then what really follows.
#[test]
fn numbers_far_ahead() {
    for market in MARKETS {
        for far in [150, 1 << 63] {
            let mut rig = binance(market);
            rig.text(&diff(102, far, 101));
            rig.text(&one(103));
            assert_eq!(rig.said(1), (Integrity::Incomplete, Cause::Gap), "{market:?} {far}");
            rig.text(&one(104));
            rig.heal(BTC, &whole(104));
            rig.text(&one(105));
            assert_eq!(rig.phase(BTC), Phase::Bridging, "{market:?} {far}: it may be true yet");
            rig.pass(11 * SECOND);
            rig.text(&one(106));
            assert_eq!(rig.phase(BTC), Phase::Live, "{market:?} {far}");

            let mut rig = Rig::new(&[BTC], |_| Binance::new(market));
            rig.text(&one(100));
            rig.text(&diff(101, far, 100));
            rig.text(&one(102));
            rig.text(&one(103));
            rig.answer(BTC, &whole(102));
            rig.text(&one(104));
            rig.pass(11 * SECOND);
            rig.text(&one(105));
            assert_eq!(rig.phase(BTC), Phase::Live, "{market:?} {far}, waiting");
        }
    }
}

/// Goal: a text that comes twice costs a book little. Method: the last again, which changes nothing; the one before the last,
/// which is asked for anew within a second.
#[test]
fn repeats() {
    for market in MARKETS {
        let mut rig = binance(market);
        rig.text(&one(102));
        rig.text(&one(102));
        assert_eq!((rig.phase(BTC), rig.asked(BTC)), (Phase::Live, 1));
        rig.text(&one(101));
        rig.text(&one(103));
        rig.pass(SECOND);
        assert_eq!(rig.asked(BTC), 2);
        rig.answer(BTC, &whole(103));
        rig.text(&one(104));
        assert_eq!(rig.phase(BTC), Phase::Live);
    }
}

const NAMES: [&str; 3] = ["A-USD", "B-USD", "C-USD"];

fn order(number: usize) -> String {
    format!("[\"1\",\"1\",\"{number:08x}-1234-4abc-8def-0123456789ab\"]")
}

fn orders(sequence: u64, which: std::ops::Range<usize>) -> String {
    let orders = which.map(order).collect::<Vec<_>>().join(",");
    format!("{{\"bids\":[{orders}],\"asks\":[],\"sequence\":{sequence}}}")
}

fn said(name: &str, kind: &str, sequence: u64) -> String {
    format!(
        "{{\"type\":\"{kind}\",\"product_id\":\"{name}\",\"sequence\":{sequence},\"time\":\
         \"2024-01-01T00:00:00.5Z\",\"order_id\":\"ffffffff-1234-4abc-8def-0123456789ab\"}}"
    )
}

/// A feed of these products with room for ten orders.
fn coinbase(names: &[&str]) -> Rig<CoinbaseFull> {
    let mut rig = Rig::new(names, |config| CoinbaseFull::with_room(config, 10));
    rig.pass(SECOND);
    rig
}

/// Goal: a product keeps no other from its book. Method: a whole book with the names of another's orders, and one that would
/// take all the room; then the other's.
#[test]
fn products_apart() {
    for hostile in [0..2, 0..9] {
        let [a, b, _] = NAMES;
        let mut rig = coinbase(&[a, b]);
        rig.answer(a, &orders(9, hostile.clone()));
        rig.answer(b, &orders(9, 0..5));
        rig.text(&said(b, "received", 10));
        assert_eq!(rig.phase(b), Phase::Live, "{hostile:?}");
    }
}

/// Goal: what is said before any of its numbers can follow is no gap. Method: a book whose heartbeats made it live, and a message
/// that its whole book had.
#[test]
fn late_but_held() {
    let [a, ..] = NAMES;
    let mut rig = coinbase(&[a]);
    rig.answer(a, &orders(9, 0..1));
    rig.text(&said(a, "heartbeat", 9));
    rig.text(&said(a, "heartbeat", 9));
    rig.text(&said(a, "received", 8));
    assert_eq!(rig.phase(a), Phase::Live);
    rig.text(&said(a, "received", 10));
    rig.text(&said(a, "received", 10));
    assert_eq!(rig.phase(a), Phase::Live);
    rig.text(&said(a, "received", 9));
    assert_eq!(rig.said(1), (Integrity::Incomplete, Cause::Gap));
}

/// Goal: a whole book whose number nothing reaches is given up, and asked for ever less often; one of which nothing comes is left
/// alone. Method: a number far ahead, with and without diffs; each new answer as bad, then a good one.
#[test]
fn snapshots_far_ahead() {
    for market in MARKETS {
        let mut rig = Rig::new(&[BTC], |_| Binance::new(market));
        rig.text(&one(100));
        rig.answer(BTC, &whole(1 << 60));
        let mut number = 100;
        let mut asked = 1;
        for _ in 0..3_000 {
            number += 1;
            rig.text(&one(number));
            rig.pass(100 * MS);
            assert_ne!(rig.phase(BTC), Phase::Live);
            if rig.asked(BTC) > asked && rig.phase(BTC) == Phase::Snapshot {
                asked = rig.asked(BTC);
                rig.answer(BTC, &whole(1 << 60));
            }
        }
        assert!((7..20).contains(&asked), "{asked} in five minutes");
        for _ in 0..1_200 {
            number += 1;
            rig.text(&one(number));
            rig.pass(100 * MS);
            if rig.phase(BTC) == Phase::Snapshot {
                rig.answer(BTC, &whole(number));
            }
        }
        assert_eq!(rig.phase(BTC), Phase::Live);

        let mut rig = Rig::new(&[BTC], |_| Binance::new(market));
        rig.text(&one(100));
        rig.answer(BTC, &whole(100));
        for _ in 0..60 {
            rig.pass(10 * SECOND);
            rig.text("{\"result\":null,\"id\":1}");
        }
        assert_eq!((rig.asked(BTC), rig.connects), (1, 1));
    }
}

/// Goal: the same where heartbeats show it. Method: a product of which nothing but heartbeats comes.
#[test]
fn snapshot_ahead_of_heartbeats() {
    let [a, ..] = NAMES;
    let mut rig = coinbase(&[a]);
    rig.answer(a, &orders(1 << 60, 0..1));
    for _ in 0..15 {
        rig.text(&said(a, "heartbeat", 9));
        rig.pass(SECOND);
    }
    assert_eq!(rig.asked(a), 2);
    rig.heal(a, &orders(9, 0..1));
    rig.text(&said(a, "heartbeat", 9));
    rig.text(&said(a, "heartbeat", 9));
    assert_eq!(rig.phase(a), Phase::Live);
}

/// Goal: a product whose subscription the venue has lost is subscribed to again, alone. Method: heartbeats that show messages
/// which never come.
#[test]
fn lost_subscription() {
    let [a, b, _] = NAMES;
    let mut rig = coinbase(&[a, b]);
    for name in [a, b] {
        rig.answer(name, &orders(9, 0..1));
        rig.text(&said(name, "received", 10));
    }
    assert_eq!(rig.sent.len(), 1, "no more than once for what goes well");
    rig.text(&said(a, "heartbeat", 11));
    rig.text(&said(a, "heartbeat", 12));
    rig.pass(SECOND);
    assert_eq!((rig.asked(a), rig.asked(b), rig.phase(b)), (2, 1, Phase::Live));
    let again = format!(
        "{{\"type\":\"subscribe\",\"product_ids\":[\"{a}\"],\"channels\":[\"full\",\"heartbeat\"]}}"
    );
    assert_eq!(rig.sent[1..], [again]);
}

/// Goal: a book is not live before it has reached what it was told of. Method: messages that were overtaken by a later one, and
/// follow a stale snapshot without a hole; the same once more, with a snapshot that is new.
#[test]
fn overtaken() {
    for (market, snapshot) in MARKETS.into_iter().flat_map(|market| [(market, 101), (market, 104)])
    {
        let mut rig = Rig::new(&[BTC], |_| Binance::new(market));
        for number in [100, 104, 101, 102, 103] {
            rig.text(&one(number));
        }
        rig.answer(BTC, &whole(snapshot));
        assert_eq!(rig.phase(BTC), Phase::Bridging, "{market:?}");
        rig.text(&diff(104, 104 + u64::from(snapshot == 104), 103));
        assert_eq!(rig.phase(BTC), Phase::Live, "{market:?}");
    }
}

/// Goal: bad texts keep no book from being asked for. Method: one every 20 s, or every 2 s, for as long as the longest pauses
/// last; every request is answered after half a second.
#[test]
fn bad_texts_put_nothing_off() {
    for (market, every) in MARKETS.into_iter().zip([20, 2]) {
        let mut rig = Rig::new(&[BTC], |_| Binance::new(market));
        let (mut late, mut live) = (0, 0);
        for second in 0..1_800 {
            if second % every == 0 {
                rig.text("{");
                assert_ne!(rig.phase(BTC), Phase::Live);
            }
            let asked = rig.asked(BTC);
            rig.pass(SECOND / 2);
            rig.text(&one(100 + second));
            if rig.phase(BTC) == Phase::Snapshot {
                rig.answer(BTC, &whole(100 + second));
            }
            rig.pass(SECOND / 2);
            late += usize::from(second > 900) * (rig.asked(BTC) - asked);
            live += u32::from(rig.phase(BTC) == Phase::Live);
        }
        assert!((12..40).contains(&late), "{late} in the last quarter of an hour");
        assert!(live > 10, "live in {live} seconds");
    }
}

/// Goal: a product that the venue will not have is left alone, ever longer, and costs the others nothing. Method: a venue that
/// refuses every request with it, as a whole; the others begin, go on, and begin again on a new connection; then it is taken.
#[test]
fn one_is_refused() {
    let [a, b, c] = NAMES;
    let mut rig = coinbase(&NAMES);
    let refuses = |rig: &mut Rig<CoinbaseFull>, from: usize| {
        let refused = rig.sent[from..].iter().filter(|text| text.contains(a)).count();
        for _ in 0..refused {
            rig.text(&format!("{{\"type\":\"error\",\"reason\":\"{a} is not a valid product\"}}"));
        }
        refused
    };
    assert_eq!(refuses(&mut rig, 0), 1);
    assert_eq!(rig.said(1), (Integrity::Incomplete, Cause::Snapshot));
    assert!(rig.sent[1].contains(b) && rig.sent[1].contains(c) && !rig.sent[1].contains(a));
    for name in [b, c] {
        rig.answer(name, &orders(9, 0..1));
        rig.text(&said(name, "received", 10));
    }
    let mut tries = Vec::new();
    for minute in 0..240 {
        let mut refused = 0;
        for second in 0..60 {
            let from = rig.sent.len();
            rig.pass(SECOND);
            for name in [b, c] {
                rig.text(&said(name, "received", 11 + 60 * minute + second));
                assert_eq!(rig.phase(name), Phase::Live);
            }
            refused += refuses(&mut rig, from);
        }
        tries.push(refused);
    }
    assert_eq!((rig.connects, rig.asked(b)), (1, 1));
    let (first, last) = (tries[..60].iter().sum::<usize>(), tries[180..].iter().sum::<usize>());
    assert!((5..15).contains(&first) && (1..4).contains(&last), "{first} {last}");

    rig.tell(|feed, now, fold| feed.on_close(now, &mut |event| fold.apply(event)));
    rig.pass(SECOND);
    rig.open();
    assert!(rig.sent[0].contains(b) && !rig.sent[0].contains(a), "{:?}", rig.sent);
    for _ in 0..3_600 {
        rig.pass(SECOND);
        rig.text("{\"type\":\"subscriptions\"}");
        if rig.phase(a) == Phase::Snapshot {
            break;
        }
    }
    rig.answer(a, &orders(9, 0..1));
    rig.text(&said(a, "received", 10));
    assert_eq!(rig.phase(a), Phase::Live);
}

/// Goal: a refusal that names nobody begins anew; one that is said over and over of one product puts nothing off. Method: each.
#[test]
fn refusals_repeated() {
    let [a, b, _] = NAMES;
    let mut rig = coinbase(&[a, b]);
    rig.text("{\"type\":\"error\",\"message\":\"rate limit\"}");
    assert_eq!((rig.is_open, rig.phase(a), rig.phase(b)), (false, Phase::Down, Phase::Down));
    let mut rig = coinbase(&[a, b]);
    let sent = rig.sent.len();
    for _ in 0..100 {
        rig.text(&format!("{{\"type\":\"error\",\"reason\":\"{a} is not a valid product\"}}"));
        rig.pass(SECOND / 10);
    }
    assert_eq!(rig.asked(a), 2 + usize::from(rig.asked(a) > 2), "the pause ended once");
    assert!(rig.sent.len() - sent < 4, "{:?}", rig.sent);
}
