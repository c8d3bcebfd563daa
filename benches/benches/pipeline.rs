//! Stage `pipeline`: a day from its file to the boards, by the engine as it runs: feed thread, ring, engine thread, pages in
//! shared memory, journal by reference. One processor for the feed and one for the engine; the other threads (journal,
//! housekeeping, a client) run wherever the kernel puts them, and share the two where there are no more.
//!
//! The bound is a bare pipeline of the same file and the same ring: one thread walks the lengths and hands an event of as many
//! bytes over for each message, the other reads all of its words. By the clock on the wall, since both threads count, in turns
//! with the bound; medians of rounds where both processors were cores of their own, if there are three (`full_day` does not
//! look). `each_page` writes the pages of each message before it takes the next one; the runtime writes those of a round, and
//! while messages wait those of several.
//!
//! Rows: what is published, how many instruments, how many live orders (and so how deep the books are), and what clients ask
//! meanwhile.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::time::{Duration, Instant};

use benches::{
    EVENTS_PER_ROUND, Shared, apart, check_digest, digest_over, frames, replaying, sequencer,
};
use engine::budget::Budget;
use engine::config::Capacity;
use engine::runtime::{self, Plan};
use engine::script::Script;
use engine::sequencer::Sequencer;
use engine::step::Engine;
use feeds::{FeedOptions, FileFeed, Input, Next};
use model::{
    AccountId, Ask, ClientOrderId, Conditions, Event, FeedId, InstrumentId, Kind, Note, OrderType,
    Origin, Px, Qty, Request, Side, Terms, Tif, VenueNumber,
};
use shm::Client;
use synth::{Config, Day, Summary};

/// Rounds of each row and its bound, alternating.
const ROUNDS: usize = 5;
/// Places of the bound's ring.
const RING: usize = 1 << 14;

/// What clients do meanwhile.
#[derive(Clone, Copy, PartialEq)]
enum Clients {
    None,
    /// One reads every board, over and over.
    Read,
    /// One reads, and has orders checked as fast as its answers come.
    Check,
}

/// A row of the table.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    symbols: u16,
    messages: u64,
    live_orders: u64,
    shared: bool,
    journal: bool,
    clients: Clients,
}

const BASE: Row = Row {
    name: "base",
    symbols: 100,
    messages: 4_000_000,
    live_orders: 50_000,
    shared: true,
    journal: true,
    clients: Clients::None,
};

const ROWS: [Row; 10] = [
    BASE,
    Row { name: "no_pages", shared: false, ..BASE },
    Row { name: "no_journal", journal: false, ..BASE },
    Row { name: "instruments_1", symbols: 1, ..BASE },
    Row { name: "instruments_10000", symbols: 10_000, live_orders: 350_000, ..BASE },
    Row { name: "live_10000", live_orders: 10_000, ..BASE },
    Row { name: "live_300000", live_orders: 300_000, ..BASE },
    Row { name: "live_1500000", live_orders: 1_500_000, messages: 8_000_000, ..BASE },
    Row { name: "client_reads", clients: Clients::Read, ..BASE },
    Row { name: "client_checks", clients: Clients::Check, ..BASE },
];

/// The day of full size: only when it is asked for by name. It takes minutes and 4 GB of disk.
const FULL: Row = Row {
    name: "full_day",
    symbols: Config::FULL.symbols,
    messages: Config::FULL.messages,
    live_orders: 2_000_000,
    ..BASE
};

/// The day of a row, in a file.
struct Stage {
    folder: tempfile::TempDir,
    path: PathBuf,
    summary: Summary,
    symbols: u16,
}

impl Stage {
    fn new(row: &Row) -> Stage {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("day.itch");
        let config = Config {
            seed: 2,
            symbols: row.symbols,
            messages: row.messages,
            live_orders: Some(row.live_orders),
            reference_step: 16,
            ..Config::FULL
        };
        let file = BufWriter::with_capacity(1 << 20, File::create(&path).expect("a file"));
        let summary = Day::new(config).write_to(file).expect("a day");
        Stage { folder, path, summary, symbols: row.symbols }
    }

    fn check(&self, name: &str, engine: &Engine) {
        let found = digest_over(self.symbols, |number, side| {
            let book = engine.instruments().find(FeedId(0), VenueNumber(number.into()))?;
            engine.books_of(book)?.best(book as usize, side).map(|quote| (quote.px, quote.qty))
        });
        check_digest(name, found, self.summary.digest);
    }
}

/// Room for the day of a row.
fn capacity(row: &Row) -> Capacity {
    if row.messages == FULL.messages {
        return Capacity::LARGE;
    }
    let orders = (row.live_orders + row.live_orders / 2 + 4_096) as u32;
    Capacity {
        instruments: u32::from(row.symbols).next_power_of_two().max(64),
        book_orders: orders,
        levels: orders,
        ref_pages: (orders / 256).next_power_of_two(),
        ..Capacity::SMALL
    }
}

/// The events of a round.
fn empty_batch() -> [Event; EVENTS_PER_ROUND] {
    [Event::empty(Kind::Notice); EVENTS_PER_ROUND]
}

/// Messages a second of the bare pipeline.
fn bound(path: &Path, messages: u64, cpus: [usize; 2]) -> f64 {
    let (mut to, mut from) = shm::event_ring(RING);
    let [feed, engine] = cpus;
    std::thread::scope(|scope| {
        let walker = scope.spawn(move || {
            host::pin_current(feed);
            let mut bytes = Vec::new();
            File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).expect("the day");
            let begun = Instant::now();
            let mut walk = frames(&bytes);
            loop {
                if !to.has_room(EVENTS_PER_ROUND) {
                    continue;
                }
                for _ in 0..EVENTS_PER_ROUND {
                    let Some(message) = walk.next() else { return begun };
                    let seq = message.len() as u64;
                    to.push(&Event { seq, ..Event::empty(Kind::Notice) });
                }
            }
        });
        apart::pinned(engine, || {
            let (mut batch, mut taken, mut sum) = (empty_batch(), 0, 0_u64);
            while taken < messages {
                let waiting = from.take(&mut batch);
                for event in batch.iter().take(waiting) {
                    sum = event.to_words().iter().fold(sum, |sum, word| sum ^ word);
                }
                taken += waiting as u64;
            }
            black_box(sum);
        });
        let begun = walker.join().expect("the walker");
        messages as f64 / begun.elapsed().as_secs_f64()
    })
}

/// Time that feed and engine thread had a processor for, until so many inputs were stepped.
#[derive(Clone, Copy, Default)]
struct Busy {
    inputs: u64,
    ns: [u64; 2],
}

impl Busy {
    /// `None`: one of the threads is gone.
    fn now(inputs: u64) -> Option<Busy> {
        let mut ns = [None; 2];
        for task in std::fs::read_dir("/proc/self/task").ok()?.flatten() {
            let read = |file| std::fs::read_to_string(task.path().join(file)).ok();
            let Some(name) = read("comm") else { continue };
            let place = ["feed", "engine"].iter().position(|thread| *thread == name.trim());
            let Some(place) = place else { continue };
            ns[place] = read("schedstat")?.split(' ').next()?.parse().ok();
        }
        let [feed, engine] = ns;
        Some(Busy { inputs, ns: [feed?, engine?] })
    }

    /// Nanoseconds a message of each thread.
    fn since(&self, first: &Busy) -> [f64; 2] {
        let inputs = (self.inputs - first.inputs).max(1) as f64;
        [0, 1].map(|place| (self.ns[place] - first.ns[place]) as f64 / inputs)
    }
}

/// How fast a row was: by the clock on the wall, and by the time that each thread had a processor, its waiting included: what
/// other programs take of the machine does not count there.
#[derive(Clone, Copy)]
struct Rate {
    rate: f64,
    busy_ns: [f64; 2],
}

/// The engine as it runs, from its first input on.
fn run(row: &Row, stage: &Stage, cpus: [usize; 2]) -> Rate {
    let journal = stage.folder.path().join("journal");
    let _ = std::fs::remove_dir_all(&journal);
    let config = replaying(&stage.path, capacity(row), stage.folder.path(), cpus);
    let mut of_row = config.engine.clone();
    of_row.journal = of_row.journal.filter(|_| row.journal);
    let name = of_row.name.clone();
    let config = config.with_engine(of_row);
    let (script, ends_with_feed) = (Script::default(), true);
    let plan = Plan {
        config: config.clone(),
        script,
        shared: row.shared,
        ends_with_feed,
        drive_stream: None,
    };
    let running = runtime::start(plan).expect("a run");
    let inputs = || running.progress().inputs.load(Relaxed);
    let asked = AtomicU64::new(0);
    let ended = AtomicBool::new(false);
    let rate = std::thread::scope(|scope| {
        if row.clients != Clients::None {
            let (asked, ended, checks) = (&asked, &ended, row.clients == Clients::Check);
            let symbols = usize::from(row.symbols);
            scope.spawn(move || disturb(&name, symbols, checks, asked, ended));
        }
        while inputs() == 0 {
            std::thread::sleep(Duration::from_micros(50));
        }
        let (begun, from) = (Instant::now(), inputs());
        let first = Busy::now(from).unwrap_or_default();
        let mut last = first;
        while !running.has_ended() {
            std::thread::sleep(Duration::from_millis(2));
            last = Busy::now(inputs()).unwrap_or(last);
        }
        let took = begun.elapsed();
        ended.store(true, Relaxed);
        let rate = (inputs() - from) as f64 / took.as_secs_f64();
        Rate { rate, busy_ns: last.since(&first) }
    });
    let finished = running.finish().expect("the end of the run");
    if asked.load(Relaxed) > 0 {
        println!(
            "clients pipeline/{} {} pages read and orders checked",
            row.name,
            asked.load(Relaxed)
        );
    }
    let (hash, name) = (finished.engine.state_hash(), row.name);
    if row.messages == FULL.messages {
        let budget = Budget::of(&config, row.shared);
        println!(
            "hash pipeline/{name} {hash:016x}; {} live orders at the end\n{budget}",
            finished.engine.live_orders()
        );
    }
    stage.check(&format!("pipeline/{name}"), &finished.engine);
    rate
}

/// A client: reads the boards in turn, and has orders checked.
fn disturb(name: &str, symbols: usize, checks: bool, asked: &AtomicU64, ended: &AtomicBool) {
    let Ok(mut client) = Client::attach(Some(name)) else { return };
    let check = Request {
        id: 0,
        origin: Origin::Desk(client.desk()),
        account: AccountId(0),
        ask: Ask::Check(Terms {
            client_id: ClientOrderId::default(),
            instrument: InstrumentId(0),
            side: Side::Buy,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px: Px(100),
            qty: Qty(1),
            conditions: Conditions::NONE,
        }),
        note: Note::default(),
    };
    while !ended.load(Relaxed) {
        for symbol in 0..symbols {
            asked.fetch_add(u64::from(client.board(symbol).is_ok()), Relaxed);
        }
        while checks && client.send(&check).is_ok() {}
        while client.poll_answer().is_some() {
            asked.fetch_add(1, Relaxed);
        }
    }
}

/// Messages a second if the pages of every message are written before the next one: the parts of the engine without its loop.
fn each_page(stage: &Stage, cpus: [usize; 2]) -> Rate {
    let (mut to, mut from) = shm::event_ring(RING);
    let [feed_cpu, engine_cpu] = cpus;
    let (mut sequencer, mut shared) = (sequencer(None), Shared::new());
    let mut batch = empty_batch();
    let rate = std::thread::scope(|scope| {
        let feed = scope.spawn(move || {
            host::pin_current(feed_cpu);
            let input = Input::File(stage.path.clone());
            let mut feed =
                FileFeed::from_inputs(vec![input], FeedOptions::default()).expect("the day");
            let begun = Instant::now();
            while let Next::Event(event) = feed.next().expect("the day") {
                while !to.push(&event) {}
            }
            begun
        });
        apart::pinned(engine_cpu, || {
            while !(from.is_abandoned() && from.is_empty()) {
                let waiting = from.take(&mut batch);
                let events = &batch[..waiting];
                for (at, event) in events.iter().enumerate() {
                    sequencer.engine.look_ahead(events, at);
                    sequencer.event(event, &mut ());
                    let Sequencer { engine, out, .. } = &mut sequencer;
                    out.tape.drain(..).for_each(|record| shared.publisher.push_tape(&record));
                    out.boards.take(usize::MAX, |instrument| {
                        engine.measure(instrument);
                        if let Some(page) = engine.board(instrument) {
                            shared.publisher.publish_board(instrument as usize, &page);
                        }
                    });
                }
            }
        });
        let begun = feed.join().expect("the feed");
        sequencer.engine.seq() as f64 / begun.elapsed().as_secs_f64()
    });
    stage.check("pipeline/each_page", &sequencer.engine);
    Rate { rate, busy_ns: [f64::NAN; 2] }
}

/// Plays the day of full size twice: what it is, how fast it was, and the most memory that this process ever had.
fn full_day(cpus: [usize; 2]) {
    let begun = Instant::now();
    let stage = Stage::new(&FULL);
    let took = begun.elapsed().as_secs();
    println!("day pipeline/full_day {:?}, made in {took} s", stage.summary);
    for _ in 0..2 {
        let Rate { rate, busy_ns: [feed, engine] } = run(&FULL, &stage, cpus);
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let most = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
        println!(
            "rate pipeline/full_day {:.2} million messages/s; on its processor {feed:.1} ns a message of the feed, {engine:.1} \
             of the engine; {most}",
            rate / 1e6
        );
    }
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn compare(
    name: &str,
    cpus: [usize; 2],
    mut bound: impl FnMut() -> f64,
    mut measured: impl FnMut() -> Rate,
) {
    let (rounds, n) = apart::rounds(ROUNDS, || apart::watched(cpus, || (bound(), measured())));
    let (mut bounds, all): (Vec<_>, Vec<_>) = rounds.into_iter().unzip();
    let mut rates: Vec<f64> = all.iter().map(|rate| rate.rate).collect();
    let best = rates.iter().copied().fold(0.0, f64::max) / 1e6;
    let [feed, engine] = [0, 1]
        .map(|place| median(&mut all.iter().map(|rate| rate.busy_ns[place]).collect::<Vec<f64>>()));
    let (bound, rate) = (median(&mut bounds) / 1e6, median(&mut rates) / 1e6);
    let busy = if feed.is_nan() {
        String::new() // The row has threads of its own, which nobody times.
    } else {
        format!("on its processor {feed:.1} ns a message of the feed, {engine:.1} of the engine; ")
    };
    println!(
        "rate pipeline/{name} {rate:.2} million messages/s (best {best:.2}), {:.1} % of the bare pipeline's {bound:.2}; \
         {busy}{n}",
        100.0 * rate / bound
    );
}

fn main() {
    let [feed, engine, ..] = host::cpus()[..] else {
        println!("SKIPPED: pipeline needs two processors");
        return;
    };
    let cpus = [feed, engine];
    // `cargo bench` hands over --bench; a name picks a row.
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    for row in ROWS.iter().filter(|row| is_wanted(row.name)) {
        let stage = Stage::new(row);
        let Summary { messages, live_orders_max, .. } = stage.summary;
        println!(
            "day pipeline/{}: {messages} messages, {} instruments, {live_orders_max} live orders at most",
            row.name, row.symbols
        );
        compare(row.name, cpus, || bound(&stage.path, messages, cpus), || run(row, &stage, cpus));
    }
    if wanted.iter().any(|name| name == FULL.name) {
        full_day(cpus);
    }
    if is_wanted("each_page") {
        let stage = Stage::new(&BASE);
        let messages = stage.summary.messages;
        compare(
            "each_page",
            cpus,
            || bound(&stage.path, messages, cpus),
            || each_page(&stage, cpus),
        );
    }
}
