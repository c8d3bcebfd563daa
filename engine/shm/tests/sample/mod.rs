//! An engine in miniature and pages that follow from one number, so that a reader can tell a torn
//! one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use model::page::{AsOf, Board, Depth, INDICATOR_SLOTS, Last, Level, Quote, TapeKind, TapeRecord};
use model::{
    AccountId, Cause, FeedId, Instrument, InstrumentId, Integrity, OrderId, Px, Qty, Symbol,
    TradingState, Ts, VenueNumber,
};
use shm::{AttachEvent, Capacity, Folder, Listener, Publisher};

/// Long enough for a busy machine; nothing waits that long unless it is broken.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Small rings and few desks, so that both fill.
pub const CAPACITY: Capacity = Capacity {
    instruments: 4,
    accounts: 2,
    lines: 4,
    orders: 8,
    tape: 64,
    desks: 4,
    requests: 8,
    answers: 16,
};

/// A board whose every field follows from `n`.
pub fn board(n: u64) -> Board {
    let i = n as i64;
    let quote = |k: i64| Some(Quote { px: Px(i + k), qty: Qty(i + k + 1), orders: (n as u32) ^ 7 });
    Board {
        as_of: as_of(n),
        instrument: Instrument {
            id: InstrumentId(1),
            symbol: Symbol::new("TEST").unwrap(),
            feed: FeedId(0),
            number: VenueNumber(n as u32),
            px_decimals: 4,
            qty_decimals: 0,
            px_step: Px(100),
            lot: Qty(1),
            currency: *b"USD\0\0\0\0\0",
        },
        state: TradingState::Trading,
        halt: model::HaltLevel::Active,
        halt_cause: None,
        integrity: Integrity::Live,
        cause: Cause::None,
        since: Ts(n * 3),
        bid: quote(0),
        ask: quote(5),
        levels: [n as u32, !n as u32],
        last: Some(Last { px: Px(i), qty: Qty(i), ts: Ts(n) }),
        open_high_low: [Px(i), Px(i + 1), Px(i + 2)],
        volume: Qty(i * 2),
        trades: n + 1,
        indicators: core::array::from_fn::<_, INDICATOR_SLOTS, _>(|slot| Some(i * slot as i64)),
    }
}

/// A book whose every field follows from `n`.
pub fn depth(n: u64) -> Depth {
    let mut depth = Depth::empty(as_of(n), Integrity::Live, Cause::None);
    depth.used = [64, 64];
    depth.total = [n as u32, n as u32 + 1];
    for (i, level) in depth.bids.iter_mut().chain(&mut depth.asks).enumerate() {
        let value = n as i64 + i as i64;
        *level = Level { px: Px(value), qty: Qty(value * 2), orders: n as u32 };
    }
    depth
}

/// The tape's record number `n`.
pub fn record(n: u64) -> TapeRecord {
    TapeRecord {
        engine_seq: n,
        now: Ts(n),
        kind: TapeKind::Trade,
        side: None,
        code: 0,
        account: AccountId(0),
        instrument: InstrumentId(n as u32),
        order: OrderId(n),
        px: Px(n as i64),
        qty: Qty(n as i64),
        aux: !n,
    }
}

fn as_of(n: u64) -> AsOf {
    AsOf { engine_seq: n, ts_venue: Ts(n + 1), ts_recv: Ts(n + 2) }
}

/// A housekeeping thread; ends when dropped.
pub struct Housekeeping {
    pub events: Receiver<AttachEvent>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Housekeeping {
    /// Runs a listener.
    pub fn start(mut listener: Listener) -> Housekeeping {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, events) = channel();
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if let Some(event) = listener.poll(Duration::from_millis(2)).unwrap() {
                    let _ = sender.send(event);
                }
            }
        });
        Housekeeping { events, stop, thread: Some(thread) }
    }

    /// The next event.
    pub fn event(&self) -> AttachEvent {
        self.events.recv_timeout(PATIENCE).expect("an event of the attach socket")
    }
}

impl Drop for Housekeeping {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))));
    }
}

/// Memory and attach socket of an engine in `folder`.
pub fn engine(folder: &Folder, name: &str, epoch: u64) -> (Publisher, Housekeeping) {
    let mut publisher = Publisher::create(CAPACITY, epoch).unwrap();
    let listener = Listener::bind_in(folder, name, &mut publisher).unwrap();
    (publisher, Housekeeping::start(listener))
}

/// CLOCK_MONOTONIC, nanoseconds.
pub fn monotonic_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
