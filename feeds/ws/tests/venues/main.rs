//! Feeds of every crypto protocol beside its simulated venue over loopback sockets, on a clock that runs fast: no
//! book is ever live while it is wrong, and in the end every book is live and right.

#[path = "../../../../tools/sim/tests/crypto/fold.rs"]
mod fold;
mod play;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use fold::Fold;
use model::{Event, Ts};
use sim::crypto::server::{Clock, Server};
use sim::crypto::{CryptoConfig, CryptoFaults, CryptoVenue, Protocol};
use ws::{Counters, Options, Port, Raw, Tap, drive_venue};

const SECOND: u64 = 1_000_000_000;
const SEEDS: u64 = 10;
/// How much faster than time the clock runs.
const SPEED: u32 = 20;
/// How long things go wrong, on that clock.
const FAULTY: u64 = 25 * SECOND;
/// How long a schedule may really take.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the two ends of a drive share.
struct Eye {
    server: Server<CryptoVenue>,
    fold: RefCell<Fold>,
    versions: RefCell<Vec<u64>>,
    /// Versions of the whole books that were asked for.
    bodies: RefCell<Vec<u64>>,
    connected: Cell<bool>,
    calm: Cell<bool>,
    offers: Cell<u64>,
    start: u64,
    began: Instant,
}

impl Eye {
    /// Whether faults have ended and every book is right again.
    fn is_healed(&self) -> bool {
        if self.server.clock().now() < self.start + FAULTY {
            return false;
        }
        let mut venue = self.server.speaker();
        if !self.calm.replace(true) {
            venue.calm();
        }
        let fold = self.fold.borrow();
        // Books that stand still are compared at leisure. Not for long: one that is not live needs something new, and one that
        // has missed the last word before the silence hears of it by the next alone.
        let even = (self.server.clock().now() / (2 * SECOND)).is_multiple_of(2);
        venue.hold(even && fold.books.values().all(|book| book.is_live));
        fold.is_healed(&venue)
    }
}

struct Ends(Rc<Eye>);

impl Port for Ends {
    fn now(&self) -> Ts {
        Ts(self.0.server.clock().now())
    }

    fn push(&mut self, event: &Event) -> bool {
        self.0.offers.set(self.0.offers.get() + 1);
        if self.0.offers.get().is_multiple_of(1_000) {
            return false; // Full, for a moment.
        }
        self.0.fold.borrow_mut().apply(event);
        true
    }

    fn is_over(&self) -> bool {
        let eye = &self.0;
        if eye.began.elapsed() > PATIENCE {
            let venue = eye.server.speaker();
            let why = eye.fold.borrow().differences(&venue);
            panic!("not healed, {why} {:?} {:?}", eye.versions.borrow(), venue.counters());
        }
        eye.is_healed()
    }

    fn show(&mut self, _: &Counters) {}
}

impl Tap for Ends {
    fn take(&mut self, _: Ts, raw: Raw<'_>) {
        let eye = &self.0;
        let venue = eye.server.speaker();
        // Whatever was said before has been folded, unless a close comes between.
        if raw != Raw::Close {
            let (versions, bodies) = (eye.versions.borrow(), eye.bodies.borrow());
            eye.fold.borrow_mut().check(&venue, eye.connected.get(), &versions, &bodies);
        }
        match raw {
            Raw::Open => eye.connected.set(true),
            Raw::Close => eye.connected.set(false),
            Raw::Text(text) => {
                if let Some(tag) = venue.tag_of(text) {
                    let known = &mut eye.versions.borrow_mut()[tag.symbol];
                    *known = tag.version.max(*known);
                }
            }
            Raw::Body { body, .. } => {
                if let Some(tag) = venue.tag_of(body) {
                    eye.bodies.borrow_mut()[tag.symbol] = tag.version;
                }
            }
        }
    }
}

fn schedule(protocol: Protocol, seed: u64) -> (Counters, u64) {
    let venue = CryptoVenue::new(CryptoConfig {
        faults: CryptoFaults::all(),
        checksums: seed.is_multiple_of(2),
        ..CryptoConfig::new(protocol, seed)
    });
    let mut config = fold::config(&venue);
    let start = venue.config().start;
    let server = Server::start(venue, Clock::new(start, SPEED)).unwrap();
    config.ws_url = Some(server.ws_url());
    config.rest_url = Some(server.rest_url());
    let eye = Rc::new(Eye {
        fold: RefCell::default(),
        versions: RefCell::new(vec![0; config.symbols.len()]),
        bodies: RefCell::new(vec![0; config.symbols.len()]),
        connected: Cell::new(false),
        calm: Cell::new(false),
        offers: Cell::new(0),
        start,
        began: Instant::now(),
        server,
    });
    let options = Options { http_timeout: Duration::from_millis(500), ..Options::default() };
    let ends = Ends(eye.clone());
    let counters = drive_venue(fold::feed(protocol), config, options, ends, Ends(eye.clone()));
    let proofs = eye.fold.borrow().proofs;
    (counters.unwrap(), proofs)
}

fn schedules(protocol: Protocol) {
    let one = |seed| move || schedule(protocol, seed);
    let threads: Vec<_> = (0..SEEDS).map(|seed| std::thread::spawn(one(seed))).collect();
    let (mut proofs, mut closes, mut doubts, mut bad, mut oversize) = (0, 0, 0, 0, 0);
    for (seed, thread) in threads.into_iter().enumerate() {
        let (counters, proved) = thread.join().unwrap_or_else(|_| panic!("seed {seed}"));
        let stream = counters.stream;
        (proofs, closes) = (proofs + proved, closes + stream.closes);
        (doubts, bad) = (doubts + stream.gaps + stream.mismatches, bad + stream.bad);
        oversize += counters.oversize;
    }
    println!(
        "{protocol:?}: {proofs} proofs, {closes} closes, {doubts} gaps, {bad} bad, {oversize} oversize"
    );
    // Each thing that happens to an order is several texts, so that its book is lost the sooner.
    let each = if protocol.tells_orders() { 10 } else { 50 };
    assert!(proofs > SEEDS * each && closes > SEEDS && bad > SEEDS, "{proofs} {closes} {bad}");
}

macro_rules! protocols {
    ($($name:ident $protocol:ident)*) => {$(
        /// Goal: the feed of this protocol is right over real sockets whenever it says so, and heals. Method: ten seeds of
        /// all faults, each with its own sockets, at once.
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
