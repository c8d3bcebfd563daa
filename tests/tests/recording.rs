//! `tickgate capture` over real sockets: what is recorded is what was sent, also when it is killed.

use std::io::Cursor;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use feeds::capture::Capture;
use feeds::stream::StreamSymbol;
use feeds::{FeedOptions, Next, Venue};
use model::{Event, Flags, Integrity, Kind, Symbol, Ts, VenueNumber};
use sim::crypto::server::{Clock, Server};
use sim::crypto::{CryptoConfig, CryptoVenue, Protocol};
use sim::mold::Pace;
use sim::net::Publisher;
use tests::{Stage, program, root};

/// Venues over WebSocket: one that is asked for its snapshots, one whose checksums prove every book.
const STREAMS: [(Protocol, Venue); 2] =
    [(Protocol::BinanceSpot, Venue::BinanceSpot), (Protocol::Kraken, Venue::Kraken)];
const PX_DECIMALS: u8 = 2;
const QTY_DECIMALS: u8 = 4;
/// What may be lost to a kill, by receive time; many times what is ever held back, for machines that stand still.
const HELD_BACK: Duration = Duration::from_secs(10);
/// Longest that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

fn now() -> Ts {
    Ts(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64)
}

/// Two ports of this machine that are free now.
fn free_lines() -> [String; 2] {
    let sockets = [(); 2].map(|()| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    sockets.map(|socket| socket.local_addr().unwrap().to_string())
}

fn venue(protocol: Protocol) -> Server<CryptoVenue> {
    let mut config = CryptoConfig::new(protocol, 7);
    for listing in &mut config.listings {
        (listing.px_decimals, listing.qty_decimals) = (PX_DECIMALS, QTY_DECIMALS);
    }
    config.start = now().0;
    config.tick_ns = 10_000_000;
    let clock = Clock::new(config.start, 1);
    Server::start(CryptoVenue::new(config), clock).unwrap()
}

fn symbols(protocol: Protocol) -> Vec<StreamSymbol> {
    let symbol = |name: &&str| StreamSymbol {
        venue_symbol: (*name).to_owned(),
        symbol: Symbol::new(name).unwrap(),
        px_decimals: PX_DECIMALS,
        qty_decimals: QTY_DECIMALS,
    };
    protocol.symbols().iter().map(symbol).collect()
}

/// The shipped configuration with these feeds in place of its own.
fn write_config(folder: &Path, feeds: &str) -> PathBuf {
    for name in ["engine.toml", "instruments.toml", "limits.toml"] {
        let mut text = std::fs::read_to_string(root().join("deploy").join(name)).unwrap();
        if name == "engine.toml" {
            let (head, rest) = text.split_once("[[feed]]").unwrap();
            let (_, tail) = rest.split_once("[[strategy]]").unwrap();
            text = format!("{head}{feeds}\n[[strategy]]{tail}");
        }
        std::fs::write(folder.join(name), text).unwrap();
    }
    folder.join("engine.toml")
}

fn line_feed(lines: &[String; 2]) -> String {
    format!("[[feed]]\nvenue = \"nasdaq_itch\"\ninterface = \"127.0.0.1\"\nlines = {lines:?}\n")
}

fn stream_feed(protocol: Protocol, server: &Server<CryptoVenue>) -> String {
    let (ws, rest) = (server.ws_url(), server.rest_url());
    let mut text = format!("[[feed]]\nvenue = \"{}\"\nws_url = \"{ws}\"\n", protocol.name());
    if protocol == Protocol::BinanceSpot {
        text += &format!("rest_url = \"{rest}\"\n");
    }
    for symbol in symbols(protocol) {
        text += &format!(
            "[[feed.symbol]]\nvenue = \"{0}\"\nsymbol = \"{0}\"\npx_decimals = {PX_DECIMALS}\nqty_decimals = {QTY_DECIMALS}\n",
            symbol.venue_symbol
        );
    }
    text
}

fn record(config: &Path, out: &Path) -> Child {
    Command::new(program("tickgate-capture"))
        .arg("--config")
        .arg(config)
        .arg("--out")
        .arg(out)
        .arg("--rotate-mb=1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The files of a feed, in the order in which they were written.
fn files(out: &Path, feed: usize) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(out).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let prefix = format!("{feed}-");
    paths.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&prefix));
    paths.sort();
    paths
}

fn bytes(out: &Path, feed: usize) -> u64 {
    files(out, feed).iter().map(|path| path.metadata().unwrap().len()).sum()
}

fn wait_for(what: &str, mut is_true: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_true() {
        assert!(begun.elapsed() < PATIENCE, "no {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn read(venue: Venue, paths: &[PathBuf], symbols: &[StreamSymbol]) -> Vec<Event> {
    let mut feed = Capture::open(venue, paths, FeedOptions::default(), symbols).unwrap();
    let mut events = Vec::new();
    while let Next::Event(event) = feed.next().unwrap() {
        events.push(event);
    }
    assert_eq!(feed.counters().bad, 0);
    events
}

/// What the day itself says, its times from its first event on, without when and how it was heard.
fn told(events: &[Event]) -> Vec<Event> {
    let first = events.iter().map(|event| event.ts_venue).find(|ts| ts.0 > 0).unwrap_or(Ts(0));
    let of_venue = |event: &&Event| !matches!(event.kind, Kind::Integrity | Kind::Clear);
    let strip = |event: &Event| Event {
        ts_recv: Ts(0),
        ts_venue: Ts(event.ts_venue.since(first)),
        flags: Flags::NONE,
        ..*event
    };
    events.iter().filter(of_venue).map(strip).collect()
}

fn publish(stage: &Stage, lines: &[String; 2]) -> Publisher {
    let [a, b] = lines.each_ref().map(|line| line.parse().unwrap());
    let mut config = sim::net::Config::new(a, b);
    config.request = "127.0.0.1:0".parse().unwrap();
    config.snapshot = "127.0.0.1:0".parse().unwrap();
    config.mold.pace = Pace::PacketsPerSecond(5_000);
    config.mold.packet_messages_max = 4;
    let day = std::fs::read(&stage.capture).unwrap();
    Publisher::start(config, sim::source::binary_file(Cursor::new(day))).unwrap()
}

/// Goal: a day over two lines is recorded whole, and read back as the same day. Method: a simulated venue; an end by SIGINT.
#[test]
fn a_day_of_packets() {
    let stage = Stage::new(10_000, 5);
    let lines = free_lines();
    let config = write_config(stage.folder.path(), &line_feed(&lines));
    let out = stage.folder.path().join("captures");
    let mut recorder = record(&config, &out);
    wait_for("file", || bytes(&out, 0) > 0);
    let venue = publish(&stage, &lines);
    wait_for("end of the day", || venue.is_done());
    let mut size = 0;
    wait_for("end of the file", || {
        std::thread::sleep(Duration::from_millis(200));
        std::mem::replace(&mut size, bytes(&out, 0)) == size
    });
    let id = rustix::process::Pid::from_child(&recorder);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    assert_eq!(recorder.wait().unwrap().code(), Some(130));
    let recorded = read(Venue::NasdaqItch, &files(&out, 0), &[]);
    assert!(told(&recorded) == told(&stage.events()), "{} events", recorded.len());
}

/// Goal: a kill loses no more than the last block of each feed, and what is left is whole. Method: three feeds in one
/// process, killed in the middle of it; books of what was recorded, and `tickgate replay` of the files.
#[test]
fn killed() {
    let stage = Stage::new(200_000, 5);
    let lines = free_lines();
    let servers = STREAMS.map(|(protocol, _)| venue(protocol));
    let mut feeds = line_feed(&lines);
    for ((protocol, _), server) in STREAMS.iter().zip(&servers) {
        feeds += &stream_feed(*protocol, server);
    }
    let config = write_config(stage.folder.path(), &feeds);
    let out = stage.folder.path().join("captures");
    let mut recorder = record(&config, &out);
    wait_for("file", || bytes(&out, 0) > 0);
    let _venue = publish(&stage, &lines);
    wait_for("second file of packets", || files(&out, 0).len() > 1);
    wait_for("texts", || (1..=2).all(|feed| bytes(&out, feed) > 100_000));
    recorder.kill().unwrap();
    recorder.wait().unwrap();
    let killed = now();

    let recorded = read(Venue::NasdaqItch, &files(&out, 0), &[]);
    let (recorded, day) = (told(&recorded), told(&stage.events()));
    assert!(recorded.len() > 1_000 && day.starts_with(&recorded), "{}", recorded.len());
    for (feed, (protocol, venue)) in (1..).zip(STREAMS) {
        let paths = files(&out, feed);
        let symbols = symbols(protocol);
        let events = read(venue, &paths, &symbols);
        let last = events.last().unwrap().ts_recv;
        assert!(Duration::from_nanos(killed.since(last)) < HELD_BACK, "{venue}");
        // A hole in the numbers, or a checksum that fails, would take a live book out of it again.
        let said = events.iter().filter(|event| event.kind == Kind::Integrity);
        for symbol in &symbols {
            let is_listed = |(listed, ..): (Symbol, u8, u8)| listed == symbol.symbol;
            let listed = |event: &&Event| event.listing().is_some_and(is_listed);
            let number = events.iter().find(listed).unwrap().number;
            let said =
                said.clone().filter(|event| [number, VenueNumber(0)].contains(&event.number));
            let mut said =
                said.filter_map(|event| event.believed()).map(|(integrity, _)| integrity);
            said.find(|integrity| *integrity == Integrity::Live).unwrap();
            assert_eq!(said.next(), None, "{venue}, {}", symbol.venue_symbol);
        }

        let mut replay = Command::new(program("tickgate"));
        replay.args(["replay", "--json", "--venue", venue.name()]);
        for symbol in &symbols {
            replay.arg(format!("--symbol={}:{PX_DECIMALS}:{QTY_DECIMALS}", symbol.venue_symbol));
        }
        let output = replay.args(&paths).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
