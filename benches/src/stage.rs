//! An engine and the shared memory that it publishes into, for the benches that need the whole.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use engine::config::{Capacity as Tables, Config, FeedConfig, Speed, VenueConfig, Wait};
use engine::sequencer::Sequencer;
use engine::step::Engine;
use model::{
    Body, Control, Event, Kind, Mode, OrderRef, Px, Qty, Side, Symbol, TradingState, Ts,
    VenueNumber,
};
use shm::{Capacity, Client, Folder, Listener, Publisher};
use tempfile::TempDir;

/// What the probe may do: the limits of the shipped configuration, and room for the random walk of its positions.
const LIMITS: &str = r#"
session_start = "00:00"

[triggers]
feed_gap_ms = "off"
live_ms = "off"
clock_error_ms = "off"
journal_lag_ms = "off"
journal_lag_inputs = "off"
sink_latch_ms = "off"
venue_session_level = "off"

[[account]]
name = "probe"
permission = "trade"
currency = "USD"
cash = "1000000000"
gross_max = "1000000000"
net_max = "off"
day_gross_max = "off"
loss_max = "off"
drawdown_max_bps = "off"
volume_max = "off"
basket_max = "off"
order_to_trade_max = "off"
executions_max = "off"
duplicates_max = "off"
self_trade = "off"
refusals_max = "off"
venue_rejects_max = "off"
fills_max = "off"
fills_money_max = "off"
dead_man_ms = "off"
open_orders_max = 50
rate_max = 10000
rate_window_ms = 1000

[[limit]]
account = "probe"
symbol = "*"
clip_max = "100"
notional_max = "1000000"
long_max = "100000"
short_max = "100000"
band_bps = 1000
band_px = "off"
age_max_ms = 5000
spread_max_bps = "off"
adv_max_bps = "off"
venue_band = "off"
located = "off"
margin_long_bps = "off"
margin_short_bps = "off"
soft_clip_max = "off"
soft_notional_max = "off"
soft_band_bps = "off"
fees = "none"
"#;

/// An engine of the shipped configuration, without a journal. Its probe asks for an order on every `every`-th trade,
/// `None`: there is no probe.
pub fn sequencer(every: Option<u64>) -> Sequencer {
    let mut config = config(LIMITS);
    config.engine.capacity.client_ids = 1 << 19;
    config.engine.strategies.truncate(usize::from(every.is_some()));
    for strategy in &mut config.engine.strategies {
        strategy.every = every.unwrap_or(strategy.every);
    }
    Sequencer::new(Engine::new(&config).expect("an engine"), None)
}

/// An engine of ten instruments at 99.99 to 100.01, on whose account so many orders may work; the first fill of it halts it.
/// `outside`: they go to a venue outside, which has nothing of ours yet.
pub fn standing(orders: u32, outside: bool) -> Sequencer {
    let limits = LIMITS
        .replace("open_orders_max = 50", &format!("open_orders_max = {orders}"))
        .replace("fills_max = \"off\"", "fills_max = 0\nfills_window_ms = 1000");
    let mut config = config(&limits);
    config.engine.capacity.own_orders = orders.next_power_of_two();
    config.engine.strategies.clear();
    if outside {
        config.engine.mode = Mode::Live;
        config.engine.venue =
            Some(VenueConfig::plain(60_000_000_000, 64, ([127, 0, 0, 1], 9).into()));
    }
    let mut sequencer = Sequencer::new(Engine::new(&config).expect("an engine"), None);
    let mut seq = 0;
    let mut take = |event: Event| {
        seq += 1;
        let event = Event { seq, ts_venue: Ts(seq), ts_recv: Ts(seq), ..event };
        sequencer.event(&event, &mut ());
        sequencer.out.forget();
    };
    for number in 1..=10 {
        let symbol = Symbol::new(&format!("S{number}")).expect("a symbol");
        let number = VenueNumber(number);
        take(Event::directory(number, symbol, 4, 0));
        let aux = TradingState::Trading.code().into();
        take(Event { aux, number, ..Event::empty(Kind::State) });
        for (order, side, px) in [(1, Side::Buy, 999_900), (2, Side::Sell, 1_000_100)] {
            let order = OrderRef(u64::from(number.0) * 10 + order);
            let (px, qty, side) = (Px(px), Qty(100), Some(side));
            take(Event { order, px, qty, side, number, ..Event::empty(Kind::Add) });
        }
    }
    if outside {
        for control in [Control::ReconcileBegin, Control::ReconcileEnd { round: 1, orders: 0 }] {
            sequencer.input(Ts(seq), Body::Control(control), &mut ());
        }
    }
    sequencer
}

/// The shipped configuration, which plays a capture flat out once, on these processors for feed and engine; nobody trades. Its
/// journal is in `folder`.
pub fn replaying(capture: &Path, capacity: Tables, folder: &Path, cpus: [usize; 2]) -> Config {
    let config = config(LIMITS);
    let mut engine = config.engine.clone();
    engine.name = format!("bench-{}", std::process::id());
    engine.capacity = capacity;
    engine.wait = Wait::Spin;
    [engine.cpus.feed, engine.cpus.engine] = cpus.map(Some);
    engine.strategies.clear();
    if let Some(journal) = &mut engine.journal {
        journal.folder = folder.join("journal");
    }
    for captures in engine.feeds.iter_mut().filter_map(FeedConfig::captures_mut) {
        captures.files = vec![capture.to_path_buf()];
        (captures.speed, captures.repeat) = (Speed::Max, false);
    }
    config.with_engine(engine)
}

/// The shipped configuration with these limits.
fn config(limits: &str) -> Config {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let read = |name: &str| std::fs::read_to_string(deploy.join(name)).expect(name);
    let texts = [
        ("engine.toml", read("engine.toml")),
        // The day has prices below a dollar, which step by a hundredth of a cent.
        ("instruments.toml", read("instruments.toml").replace("\"0.01\"", "\"0.0001\"")),
        ("limits.toml", limits.to_string()),
    ];
    let texts = texts.map(|(name, text)| (deploy.join(name), text));
    Config::from_texts(texts.into()).expect("the shipped configuration")
}

/// Both ends of an engine's shared memory: what one publishes, the other reads.
pub struct Shared {
    /// The engine's end.
    pub publisher: Publisher,
    /// A client's end, attached through the socket as any other.
    pub client: Client,
    _folder: TempDir,
}

impl Shared {
    /// Makes the memory and attaches to it.
    pub fn new() -> Shared {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::at(temporary.path().join("engines"));
        let mut publisher = Publisher::create(Capacity::default(), 1).expect("shared memory");
        let mut listener = Listener::bind_in(&folder, "bench", &mut publisher).expect("a socket");
        let attached = AtomicBool::new(false);
        let mut client = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !attached.load(Ordering::Relaxed) {
                    listener.poll(Duration::from_millis(2)).expect("a working socket");
                }
            });
            let client = Client::attach_in(&[folder], Some("bench"));
            attached.store(true, Ordering::Relaxed);
            client.expect("an engine to attach to")
        });
        publisher.beat(host::monotonic_ns(), 1);
        client.set_stale_after(Duration::MAX);
        Shared { publisher, client, _folder: temporary }
    }
}

impl Default for Shared {
    fn default() -> Shared {
        Shared::new()
    }
}
