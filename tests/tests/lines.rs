//! Two lines over real sockets: a venue publishes a day, the engine hears it, and its books are those of the file.

use std::io::Cursor;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::time::{Duration, Instant};

use engine::config::{FeedConfig, FeedSource, Lines, SnapshotServer};
use engine::runtime::{self, Finished, Plan};
use engine::script::Script;
use engine::step::Engine;
use feeds::Venue;
use model::{Integrity, Px, Qty, Side, Symbol};
use sim::mold::{Credentials, Pace};
use sim::net::Publisher;
use tests::Stage;

/// Days that are published, each over lines that fail in other ways.
const SEEDS: u64 = 10;

/// Ports of this machine that are free now.
fn lines() -> Lines {
    let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let sockets = [bind(), bind(), bind()];
    let [a, b, request] = sockets.each_ref().map(|socket| socket.local_addr().unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    Lines {
        lines: vec![a, b],
        interface: Ipv4Addr::LOCALHOST,
        request: Some(request),
        snapshot: Some(SnapshotServer {
            address,
            user: "t".into(),
            password_env: None,
            same_session: true,
        }),
        receive_buffer: 8 << 20,
        busy_poll_us: 0,
    }
}

type Levels = Vec<(Px, Qty, u32)>;

/// The books of all instruments, by symbol.
fn books(engine: &Engine) -> Vec<(Symbol, [Levels; 2])> {
    let sides = |id: u32| {
        let books = engine.books_of(id).unwrap();
        [Side::Buy, Side::Sell].map(|side| {
            books
                .levels(id as usize, side)
                .map(|level| (level.px, level.qty, level.orders))
                .collect()
        })
    };
    let listed = engine.instruments().iter().map(|listed| listed.instrument);
    let mut books: Vec<_> = listed.map(|i| (i.symbol, sides(i.id.0))).collect();
    books.sort_by_key(|(symbol, _)| *symbol);
    books
}

fn plan(config: engine::config::Config, ends_with_feed: bool) -> Plan {
    Plan { config, script: Script::default(), shared: false, ends_with_feed, drive_stream: None }
}

/// The day as the file tells it.
fn clean(stage: &Stage) -> Finished {
    let config = stage.config("clean");
    let mut engine = config.engine.clone();
    engine.strategies.clear();
    engine.journal = None;
    let running = runtime::start(plan(config.with_engine(engine), true)).unwrap();
    while !running.has_ended() {
        std::thread::sleep(Duration::from_millis(5));
    }
    running.finish().unwrap()
}

/// The day over two bad lines, until all of it was heard.
fn over_lines(stage: &Stage, day: Vec<u8>, messages: u64, seed: u64) -> Finished {
    let config = stage.config("lines");
    let mut engine = config.engine.clone();
    let lines = lines();
    engine.strategies.clear();
    engine.journal = None;
    let source = FeedSource::Lines(lines.clone());
    let venue = Venue::NasdaqItch;
    engine.feeds = vec![FeedConfig { venue, source, silence_ns: 60_000_000_000 }];
    let running = runtime::start(plan(config.with_engine(engine), false)).unwrap();

    let mut config = sim::net::Config::new(lines.lines[0], lines.lines[1]);
    config.request = lines.request.unwrap();
    config.snapshot = lines.snapshot.unwrap().address;
    config.mold.credentials = Credentials { user: "t".into(), password: String::new() };
    config.mold.pace = Pace::PacketsPerSecond(4_000);
    config.mold.packet_messages_max = 4;
    config.mold.heartbeat_ns = 100_000_000; // The end of a session is said a heartbeat apart.
    for (line, of) in config.mold.lines.iter_mut().zip(0..) {
        line.seed = 2 * seed + of;
        line.loss_per_mille = 20 * (seed as u16 % 6);
        line.duplicate_per_mille = 20;
        line.reorder_per_mille = 20;
        line.reorder_ns = 400_000;
    }
    let source = sim::source::binary_file(Cursor::new(day));
    let venue = Publisher::start(config, source).unwrap();
    let begun = Instant::now();
    let heard = || running.progress().feeds[0].counters().messages >= messages;
    let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    while !(venue.is_done() && heard()) {
        let told = running.progress().feeds[0].counters().messages;
        if told > 0 && told < messages / 2 {
            // A heartbeat of no session that there is, while there is one: behind its end another may follow.
            let stray = [&b"XXXXXXXXXX"[..], &1_u64.to_be_bytes(), &[0, 0]].concat();
            stranger.send_to(&stray, lines.lines[0]).unwrap();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", running.progress().feeds[0]);
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(100));
    running.finish().unwrap()
}

/// Goal: what two lossy, duplicating, reordering lines bring is the day of the file: every book equal, nothing lost, everything
/// that was missing counted. Method: a simulated venue over sockets of this machine, up to 10 % of either line lost.
#[test]
fn two_bad_lines_are_one_good_feed() {
    let stage = Stage::new(24_000, 8);
    let day = std::fs::read(&stage.capture).unwrap();
    let clean = clean(&stage);
    let messages = clean.feed.messages;
    let truth = books(&clean.engine);
    assert!(truth.len() > 5 && messages > 4_000, "{} books, {messages} messages", truth.len());
    for seed in 0..SEEDS {
        let heard = over_lines(&stage, day.clone(), messages, seed);
        let feed = heard.feeds[0];
        assert!(books(&heard.engine) == truth, "seed {seed}: {feed:?}");
        assert_eq!((feed.lost, feed.bad), (0, 0), "seed {seed}");
        let losses = feed.lines.iter().all(|line| line.losses > 0);
        assert!(losses || seed.is_multiple_of(6), "seed {seed}: {feed:?}");
        let wins: u64 = feed.lines.iter().map(|line| line.wins).sum();
        assert!(wins <= messages && feed.lines.iter().all(|line| line.wins > 0), "{feed:?}");
        for listed in heard.engine.instruments().iter() {
            let board = heard.engine.board(listed.instrument.id.0).unwrap();
            assert_ne!(board.integrity, Integrity::Incomplete, "seed {seed}");
        }
    }
}
