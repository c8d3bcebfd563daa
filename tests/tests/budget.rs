//! The budget that a start prints is what the engine takes: no more, and not much less.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::budget::Budget;
use engine::config::{Capacity, Config};
use engine::runtime::{self, Plan, RunError};
use engine::script::Script;
use engine::step::Engine;
use feeds::Venue;
use model::{FeedId, Side, VenueNumber};
use synth::{Day, Summary};
use tests::Stage;

/// Bytes that are taken from the heap now, and the most that ever were.
static TAKEN: AtomicU64 = AtomicU64::new(0);
static MOST: AtomicU64 = AtomicU64::new(0);

/// Counts what is taken from the heap.
struct Counting;

impl Counting {
    fn take(bytes: usize) {
        let taken = TAKEN.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        MOST.fetch_max(taken, Ordering::Relaxed);
    }
}

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Counting::take(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Counting::take(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What one test takes is not another's.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What is not the engine's own: rings, pages and files of the threads around it.
const AROUND: [&str; 5] = ["events in rings", "shared pages", "journal", "audit log", "threads"];

fn tables(budget: &Budget) -> u64 {
    let own = budget.parts().iter().filter(|part| !AROUND.contains(&part.what));
    own.map(|part| part.bytes).sum()
}

fn with(config: &Config, capacity: Capacity) -> Config {
    let mut engine = config.engine.clone();
    engine.capacity = capacity;
    config.clone().with_engine(engine)
}

/// Goal: the tables take what the budget says, within three per cent and 256 KiB, whichever of them is large. Method: every heap
/// allocation counted while an engine is made, with one capacity after the other four times as large; books of orders and of
/// levels.
#[test]
fn the_budget_is_what_is_taken() {
    let _turn = ONE_AT_A_TIME.lock();
    let stage = Stage::new(1_000, 3);
    let orders = stage.config("budget");
    let base = Capacity { book_orders: 1 << 16, levels: 1 << 15, ref_pages: 16, ..Capacity::SMALL };
    let large: [fn(&mut Capacity); 8] = [
        |_| (),
        |capacity| capacity.instruments *= 4,
        |capacity| capacity.book_orders *= 4,
        |capacity| capacity.levels *= 4,
        |capacity| capacity.ref_pages *= 4,
        |capacity| capacity.own_orders *= 4,
        |capacity| capacity.lots *= 4,
        |capacity| capacity.client_ids *= 4,
    ];
    let mut of_levels = orders.engine.clone();
    of_levels.feeds[0].venue = Venue::BybitLinear;
    let of_levels = orders.clone().with_engine(of_levels);
    for config in [orders, of_levels] {
        for (place, change) in large.iter().enumerate() {
            let mut capacity = base;
            change(&mut capacity);
            let config = with(&config, capacity);
            let budget = Budget::of(&config, false);
            let before = TAKEN.load(Ordering::Relaxed);
            let engine = Engine::new(&config).unwrap();
            let output = engine.output();
            let taken = TAKEN.load(Ordering::Relaxed) - before;
            drop((engine, output));
            let budgeted = tables(&budget);
            println!("{place}: {taken} bytes taken, {budgeted} budgeted");
            let band = budgeted / 33 + (1 << 18);
            assert!(taken.abs_diff(budgeted) <= band, "{place}: {taken} taken\n{budget}");
        }
    }
}

/// A two-hundredth of the day of full size, in a file, and room for it.
fn full_in_small(stage: &Stage) -> (Config, Summary) {
    let full = synth::Config::FULL;
    let config = synth::Config {
        symbols: full.symbols / 200,
        messages: full.messages / 200,
        live_orders: full.live_orders.map(|live| live / 200),
        ..full
    };
    let file = std::fs::File::create(&stage.capture).unwrap();
    let summary = Day::new(config).write_to(std::io::BufWriter::new(file)).unwrap();
    let capacity = Capacity {
        instruments: 64,
        book_orders: 12_000,
        levels: 12_000,
        ref_pages: 64,
        own_orders: 1024,
        lots: 1024,
        client_ids: 1024,
        tape: 1024,
        feed_ring: 1024,
    };
    (with(&stage.config("full"), capacity), summary)
}

fn play(config: &Config) -> Result<Engine, RunError> {
    let running = runtime::start(Plan {
        config: config.clone(),
        script: Script::default(),
        shared: true,
        ends_with_feed: true,
        drive_stream: None,
    })?;
    while !running.has_ended() {
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(running.finish()?.engine)
}

/// The digest that [`Day::digest`] makes of the generator's own books, which are plain maps and queues.
fn digest(engine: &Engine, symbols: u32) -> u64 {
    let mut digest = 0xCBF2_9CE4_8422_2325_u64;
    for number in 1..=symbols {
        let book = engine.instruments().find(FeedId(0), VenueNumber(number));
        for side in [Side::Buy, Side::Sell] {
            let best = book.and_then(|book| engine.books_of(book)?.best(book as usize, side));
            let (px, qty) = best.map_or((0, 0), |best| (best.px.0, best.qty.0));
            for byte in [px, qty].into_iter().flat_map(i64::to_le_bytes) {
                digest = (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
            }
        }
    }
    digest
}

/// Goal: a day shaped as one of full size stays within the budget, with all threads, pages and journal; its books are right, and
/// two runs are the same. Method: most bytes of heap, and those of shared memory, against the sum; the digest against the
/// generator's.
#[test]
fn a_full_day_stays_within_its_budget() {
    let _turn = ONE_AT_A_TIME.lock();
    let mut hashes = Vec::new();
    for _ in 0..2 {
        let stage = Stage::new(1_000, 3);
        let (config, summary) = full_in_small(&stage);
        let budget = Budget::of(&config, true);
        let before = TAKEN.load(Ordering::Relaxed);
        MOST.store(before, Ordering::Relaxed);
        let engine = play(&config).unwrap();
        let heap = MOST.load(Ordering::Relaxed) - before;
        let shared = budget.parts().iter().filter(|part| part.what == "shared pages");
        let taken = heap + shared.map(|part| part.bytes).sum::<u64>();
        println!("{} live orders, {taken} bytes of {}", summary.live_orders_max, budget.total());
        assert!(taken <= budget.total(), "{taken}\n{budget}");
        assert_eq!(digest(&engine, 50), summary.digest);
        assert_eq!(engine.live_orders() as u64, summary.live_orders);
        hashes.push((engine.state_hash(), engine.full_hash()));
    }
    assert_eq!(hashes[0], hashes[1]);
}

/// Goal: what may not be taken is not: the start is refused and says why. Method: one byte less than the budget, then all of it.
#[test]
fn a_start_beyond_its_budget_is_refused() {
    let _turn = ONE_AT_A_TIME.lock();
    let stage = Stage::new(1_000, 3);
    let config = stage.config("refused");
    let total = Budget::of(&config, true).total();
    let allowing = |bytes| {
        let mut engine = config.engine.clone();
        engine.memory.max_bytes = Some(bytes);
        config.clone().with_engine(engine)
    };
    let refused = play(&allowing(total - 1)).err().expect("it does not fit");
    assert!(matches!(refused, RunError::Memory(_)), "{refused}");
    assert!(refused.to_string().contains("[memory] max_mib"), "{refused}");
    assert!(play(&allowing(total)).is_ok());
}
