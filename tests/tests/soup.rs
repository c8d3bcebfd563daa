//! A connection over real sockets: a venue publishes a day with faults, the engine hears it, and its books are those of the file.

use std::io::Cursor;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use engine::config::{Config, FeedConfig, FeedSource, Server};
use engine::runtime::{self, Finished, Plan};
use engine::script::Script;
use engine::step::Engine;
use feeds::Venue;
use model::{Cause, Integrity, Px, Qty, Side, Symbol};
use sim::mold::{Credentials, Pace};
use tests::Stage;

/// What goes wrong, day by day; everything but the first heals by connecting again. Stalls are shorter than here is time for:
/// virtual time has the long ones.
const FAULTS: [&str; 5] = [
    "",
    "drop=600",
    "garbage=50",
    "misplace=150,reject=150,drop=250",
    "drop=300,garbage=30,session=60,stall=200,stall-time=300ms",
];

type Levels = Vec<(Px, Qty, u32)>;

/// The books of all instruments, by symbol.
fn books(engine: &Engine) -> Vec<(Symbol, [Levels; 2])> {
    let sides = |id: u32| {
        let books = engine.books_of(id).unwrap();
        [Side::Buy, Side::Sell].map(|side| {
            let levels = books.levels(id as usize, side);
            levels.map(|level| (level.px, level.qty, level.orders)).collect()
        })
    };
    let listed = engine.instruments().iter().map(|listed| listed.instrument);
    let mut books: Vec<_> = listed.map(|i| (i.symbol, sides(i.id.0))).collect();
    books.sort_by_key(|(symbol, _)| *symbol);
    books
}

fn plan(config: Config, ends_with_feed: bool) -> Plan {
    let mut engine = config.engine.clone();
    engine.strategies.clear();
    engine.journal = None;
    let config = config.with_engine(engine);
    Plan { config, script: Script::default(), shared: false, ends_with_feed, drive_stream: None }
}

/// The day as the file tells it.
fn clean(stage: &Stage) -> Finished {
    let running = runtime::start(plan(stage.config("clean"), true)).unwrap();
    while !running.has_ended() {
        std::thread::sleep(Duration::from_millis(5));
    }
    running.finish().unwrap()
}

/// A configuration with one feed, over a connection.
fn over(stage: &Stage, server: Server) -> Config {
    let config = stage.config("soup");
    let mut engine = config.engine.clone();
    let source = FeedSource::Server(server);
    engine.feeds =
        vec![FeedConfig { venue: Venue::NasdaqItch, source, silence_ns: 60_000_000_000 }];
    config.with_engine(engine)
}

fn server(address: std::net::SocketAddr) -> Server {
    let lag_ns = 86_400_000_000_000;
    Server { address, user: "t".into(), password_env: None, session: None, lag_ns }
}

/// The day over a bad connection, until all of it was heard.
fn over_a_connection(stage: &Stage, day: Vec<u8>, faults: &str) -> Finished {
    let config = sim::soup::Config {
        credentials: Credentials { user: "t".into(), password: String::new() },
        pace: Pace::PacketsPerSecond(12_000),
        faults: faults.parse().unwrap(),
        ..sim::soup::Config::default()
    };
    // A source that breaks off ends no session: the books can be looked at while they are live.
    let breaks = std::io::Error::other("the day is kept open");
    let source = sim::source::binary_file(Cursor::new(day)).chain([Err(breaks)]);
    let source = Box::new(source);
    let venue = sim::soup::Server::start((Ipv4Addr::LOCALHOST, 0).into(), config, source).unwrap();
    let running = runtime::start(plan(over(stage, server(venue.address())), false)).unwrap();
    let begun = Instant::now();
    let seen = || running.progress().feeds[0].counters();
    // Over, if all was said, and nothing went wrong with it for longer than the venue's heart beats.
    let mut still = 0;
    while still < 150 {
        assert!(begun.elapsed() < Duration::from_secs(120), "{faults}: {:?}", seen());
        std::thread::sleep(Duration::from_millis(10));
        still = if venue.is_over() && venue.is_heard() { still + 1 } else { 0 };
    }
    let finished = running.finish().unwrap();
    let counters = venue.stop();
    println!("{faults}: {counters:?}");
    finished
}

/// Goal: what a connection brings that is dropped, stalled and spoiled is the day of the file: every book equal, and live at the
/// end. Method: a simulated venue over sockets of this machine.
#[test]
fn a_bad_connection_is_a_good_feed() {
    let stage = Stage::new(24_000, 8);
    let day = std::fs::read(&stage.capture).unwrap();
    let clean = clean(&stage);
    let (messages, truth) = (clean.feed.messages, books(&clean.engine));
    assert!(truth.len() > 5 && messages > 4_000, "{} books, {messages} messages", truth.len());
    for faults in FAULTS {
        let heard = over_a_connection(&stage, day.clone(), faults);
        let feed = heard.feeds[0];
        assert!(books(&heard.engine) == truth, "{faults}: {feed:?}");
        assert_eq!(feed.lost, 0, "{faults}");
        assert_eq!(feed.connects > 1, !faults.is_empty(), "{faults}: {feed:?}");
        for listed in heard.engine.instruments().iter() {
            let board = heard.engine.board(listed.instrument.id.0).unwrap();
            let believed = (board.integrity, board.cause);
            let crossed = board.integrity == Integrity::Crossed;
            assert!(
                crossed || believed == (Integrity::Live, Cause::None),
                "{faults}: {believed:?}"
            );
        }
    }
}

/// Goal: a password that is not in the environment, or too long, stops the start and is not told. Method: both.
#[test]
fn passwords() {
    let stage = Stage::new(1_000, 2);
    let start = |name: &str| {
        let server =
            Server { password_env: Some(name.into()), ..server((Ipv4Addr::LOCALHOST, 9).into()) };
        runtime::start(plan(over(&stage, server), false)).err().unwrap().to_string()
    };
    assert!(start("TICKGATE_NO_SUCH_VARIABLE").contains("TICKGATE_NO_SUCH_VARIABLE"));
    let path = std::env::var("PATH").unwrap();
    let error = start("PATH");
    assert!(error.contains("at most 10") && !error.contains(&path), "{error}");
}
