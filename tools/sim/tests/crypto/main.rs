//! Feeds of every crypto protocol beside its simulated venue, on virtual time: no book is ever live while it is wrong, and in
//! the end every book is live and right.

mod fold;

use feeds::stream::{
    Action, HttpFailure, StreamConfig, StreamCounters, StreamFeed, Venue, WithFeed, with_feed,
};
use fold::Fold;
use model::Ts;
use sim::crypto::harness::{Client, Harness, Want};
use sim::crypto::{CryptoConfig, CryptoFaults, CryptoVenue, Protocol};

const SECOND: u64 = 1_000_000_000;

/// Schedules of each protocol: `TICKGATE_SEEDS`, or a hundred; a thousand where this is the only place that has them.
fn seeds(protocol: Protocol) -> u64 {
    let own = if protocol.tells_orders() { 1_000 } else { 100 };
    std::env::var("TICKGATE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(own)
}

/// A feed without its sockets.
struct Machine<V> {
    feed: StreamFeed<V>,
    fold: std::cell::RefCell<Fold>,
}

impl<V: Venue> Machine<V> {
    fn tell(&mut self, tell: impl FnOnce(&mut StreamFeed<V>, &mut Fold)) {
        tell(&mut self.feed, self.fold.get_mut());
    }
}

impl<V: Venue> Client for Machine<V> {
    fn on_open(&mut self, now: u64) {
        self.tell(|feed, fold| feed.on_open(Ts(now), &mut |event| fold.apply(&event)));
    }

    fn on_close(&mut self, now: u64) {
        self.tell(|feed, fold| feed.on_close(Ts(now), &mut |event| fold.apply(&event)));
    }

    fn on_text(&mut self, text: &str, now: u64) {
        self.tell(|feed, fold| {
            feed.on_text(text.as_bytes(), Ts(now), &mut |event| fold.apply(&event));
        });
    }

    fn on_answer(&mut self, request: u32, body: Result<&str, u16>, now: u64) {
        let body = body.map(str::as_bytes).map_err(HttpFailure::Status);
        self.tell(|feed, fold| {
            feed.on_response(request, body, Ts(now), &mut |event| fold.apply(&event));
        });
    }

    fn on_time(&mut self, now: u64) {
        self.tell(|feed, fold| feed.on_time(Ts(now), &mut |event| fold.apply(&event)));
    }

    fn wake_at(&self) -> Option<u64> {
        self.feed.wake_at().map(|at| at.0)
    }

    fn want(&mut self) -> Option<Want> {
        Some(match self.feed.next_action()? {
            Action::Connect { .. } => Want::Connect,
            Action::Send { text } => Want::Send(text),
            Action::Get { request, url, .. } => {
                let path = url.splitn(4, '/').nth(3).unwrap_or("");
                Want::Get { request, path: format!("/{path}") }
            }
            Action::Close => Want::Close,
        })
    }
}

/// One schedule: 25 s of faults, then until all is well.
struct Schedule(CryptoVenue);

impl WithFeed for Schedule {
    type Out = (StreamCounters, u64);

    fn with<V: Venue + Send + 'static>(self, mut feed: StreamFeed<V>) -> Self::Out {
        let mut fold = Fold::default();
        feed.start(Ts(self.0.config().start), &mut |event| fold.apply(&event));
        let mut harness = Harness::new(self.0, Machine { feed, fold: fold.into() });
        let mut check = |venue: &CryptoVenue,
                         machine: &Machine<V>,
                         known: &sim::crypto::harness::Known<'_>| {
            machine.fold.borrow_mut().check(venue, known.connected, known.versions, known.bodies);
        };
        harness.run(25 * SECOND, &mut check);
        harness.venue.calm();
        for _ in 0..300 {
            harness.run(SECOND, &mut check);
            if harness.client.fold.borrow().is_healed(&harness.venue) {
                let counters = harness.client.feed.counters();
                return (counters, harness.client.fold.borrow().proofs);
            }
        }
        let why = harness.client.fold.borrow().differences(&harness.venue);
        panic!("not healed: {why} {:?}", harness.client.feed.counters());
    }
}

fn schedules(protocol: Protocol) {
    let seeds = seeds(protocol);
    let mut proofs = 0;
    let (mut closes, mut bad, mut doubts) = (0, 0, 0);
    for seed in 0..seeds {
        let checksums = seed.is_multiple_of(2);
        let faults = CryptoFaults::all();
        let venue = CryptoVenue::new(CryptoConfig {
            faults,
            checksums,
            history_max: 8_192,
            ..CryptoConfig::new(protocol, seed)
        });
        let config: StreamConfig = fold::config(&venue);
        let run = std::panic::AssertUnwindSafe(|| {
            with_feed(fold::feed(protocol), config, Schedule(venue)).unwrap().unwrap()
        });
        let (counters, proved) = std::panic::catch_unwind(run).unwrap_or_else(|cause| {
            eprintln!("{protocol:?}: seed {seed}");
            std::panic::resume_unwind(cause)
        });
        proofs += proved;
        closes += counters.closes;
        bad += counters.bad;
        doubts += counters.gaps + counters.mismatches;
    }
    println!(
        "{protocol:?}: {proofs} proofs, {closes} closes, {bad} bad texts, {doubts} gaps and wrong checksums"
    );
    assert!(proofs > seeds * 50 && closes > seeds && bad > seeds);
    assert!(doubts > seeds || protocol == Protocol::Coinbase);
}

macro_rules! protocols {
    ($($name:ident $protocol:ident)*) => {$(
        /// Goal: the feed of this protocol is right whenever it says so, and heals. Method: seeded schedules of all faults.
        #[test]
        fn $name() {
            schedules(Protocol::$protocol);
        }
    )*};
}

protocols! {
    binance_spot BinanceSpot
    binance_usdm BinanceUsdm
    binance_coinm BinanceCoinm
    bybit Bybit
    coinbase Coinbase
    coinbase_full CoinbaseFull
    kraken Kraken
    okx Okx
}
