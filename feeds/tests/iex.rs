//! IEX captures. They are not part of the repository: without them these tests say so and pass.

mod captured;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use captured::capture;
use feeds::iex::{IexCounters, IexFeed};
use feeds::source::PcapFile;
use feeds::source::frame::FrameCounts;
use model::{Cause, Event, FeedId, Flags, Integrity, Kind, Side, Symbol, VenueNumber};

/// Plays a capture through a feed.
fn play(path: &Path, mut each: impl FnMut(Event)) -> IexCounters {
    let mut source = PcapFile::open(path).unwrap();
    let mut frames = FrameCounts::default();
    let mut feed = IexFeed::new(FeedId(3));
    while let Some(packet) = source.next_packet().unwrap() {
        let now = packet.ts;
        let datagram = frames.decode(&packet).unwrap();
        feed.on_segment(datagram.payload, now, |event| {
            assert_eq!(Event::from_words(&event.to_words()), Ok(event));
            assert_eq!((event.feed, event.ts_recv), (FeedId(3), now));
            each(event);
        });
    }
    *feed.counters()
}

/// Naive books of levels.
#[derive(Default)]
struct Books {
    symbols: HashMap<VenueNumber, Symbol>,
    sides: HashMap<VenueNumber, [BTreeMap<i64, i64>; 2]>,
    crossed: u64,
    complete: u64,
}

impl Books {
    fn take(&mut self, event: &Event) {
        match event.kind {
            Kind::Directory => {
                let (symbol, px_decimals, qty_decimals) = event.listing().unwrap();
                assert_eq!((px_decimals, qty_decimals), (4, 0));
                self.symbols.insert(event.number, symbol);
            }
            Kind::Level => {
                assert!(self.symbols.contains_key(&event.number), "told of before it is named");
                let sides = self.sides.entry(event.number).or_default();
                let side = &mut sides[event.side.unwrap().index()];
                match event.qty.0 {
                    0 => side.remove(&event.px.0),
                    qty => side.insert(event.px.0, qty),
                };
                if event.flags.has(Flags::EVENT_COMPLETE) {
                    self.complete += 1;
                    let bid = sides[Side::Buy.index()].keys().next_back();
                    let ask = sides[Side::Sell.index()].keys().next();
                    let crossed = bid.is_some_and(|bid| ask.is_some_and(|ask| bid >= ask));
                    self.crossed += u64::from(crossed);
                }
            }
            _ => {}
        }
    }
}

/// A line of the published files: cells by the names of its columns.
fn table(name: &str) -> Option<Vec<HashMap<String, String>>> {
    let text = std::fs::read_to_string(capture(name)?).unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.split(',').map(|cell| cell.trim().to_string()).collect()
    };
    let mut lines = text.lines();
    let names = cells(lines.next().unwrap());
    Some(lines.map(|line| names.iter().cloned().zip(cells(line)).collect()).collect())
}

fn px4(text: &str) -> i64 {
    model::parse_decimal(text, 4).unwrap()
}

/// Goal: a production capture is decoded whole, its books never cross, and what others published of it is in it.
/// Method: known counts; a naive book at each complete event; both published files. Every update is flagged 1: were that
/// "more follows", no book would ever be whole.
#[test]
fn deep() {
    let Some(path) = capture("iex/deep-20231002.pcap.gz") else { return };
    let mut books = Books::default();
    let (mut trades, mut levels, mut beliefs) = (Vec::new(), Vec::new(), Vec::new());
    let counters = play(&path, |event| {
        books.take(&event);
        let symbol = || books.symbols[&event.number].as_str().to_string();
        match event.kind {
            Kind::Trade => {
                // Nothing traded before the market opens is a last sale, and all of it is volume.
                assert!(!event.flags.has(Flags::NOT_PRINTABLE));
                trades.push((event.ts_venue.0, symbol(), event.qty.0, event.px.0, event.aux))
            }
            Kind::Level => {
                levels.push((event.ts_venue.0, symbol(), event.side, event.qty.0, event.px.0))
            }
            Kind::Integrity => beliefs.extend(event.believed()),
            _ => {}
        }
    });
    let known = IexCounters {
        segments: 5_000,
        messages: 48_325,
        heartbeats: 1_264,
        types: [2, 3, 11_311, 11_309, 11_317, 11_594, 0, 1_526, 1_226, 37, 0, 0, 0, 0],
        sessions: 1,
        ..IexCounters::default()
    };
    assert_eq!(counters, known);
    let begun = [(Integrity::Incomplete, Cause::NotStarted), (Integrity::Live, Cause::None)];
    assert_eq!(beliefs, begun, "a heartbeat is first");
    assert_eq!((books.crossed, books.complete, levels.len()), (0, 2_752, 2_752));

    for row in table("iex/test_trd.csv").unwrap() {
        let trade = (
            row["Exchange Timestamp"].parse().unwrap(),
            row["Symbol"].clone(),
            row["Size"].parse().unwrap(),
            px4(&row["Price"]),
            row["Trade ID"].parse().unwrap(),
        );
        assert!(trades.contains(&trade), "{trade:?}");
    }
    for row in table("iex/test_prl.csv").unwrap() {
        let side = if row["Buy_Ask Flag"] == "0" { Side::Buy } else { Side::Sell };
        let level = (
            row["Exchange Timestamp"].parse().unwrap(),
            row["Symbol"].clone(),
            Some(side),
            row["Size"].parse().unwrap(),
            px4(&row["Price"]),
        );
        assert!(levels.contains(&level), "{level:?}");
    }
}

/// Goal: best quotes are decoded whole and never cross. Method: known counts, a naive book.
#[test]
fn tops() {
    let Some(path) = capture("iex/tops16-sample.pcapng.gz") else { return };
    let mut books = Books::default();
    let counters = play(&path, |event| {
        books.take(&event);
        if event.kind == Kind::Level && event.flags.has(Flags::EVENT_COMPLETE) {
            let sides = &books.sides[&event.number];
            assert!(sides.iter().all(|side| side.len() <= 1), "one best price a side");
        }
    });
    assert_eq!((counters.segments, counters.messages), (13_022, 57_674));
    let IexCounters { refused, duplicates, gaps, unknown, bad, unlisted, .. } = counters;
    assert_eq!([refused, duplicates, gaps, unknown, bad, unlisted], [0; 6]);
    assert_eq!((books.crossed, books.complete), (0, 3_456));
}

/// Goal: a long capture of a test market decodes, and each new beginning of its numbers empties the books. Method: known
/// counts, the cut packet at its end apart; its books cross, so they are no oracle.
#[test]
fn test_market() {
    let Some(path) = capture("iex/deep10-test-market.pcap.gz") else { return };
    let (mut cleared, mut last) = (0, 0);
    let counters = play(&path, |event| {
        cleared += u64::from(event.kind == Kind::Clear);
        let inside = event.kind != Kind::Integrity && !event.flags.has(Flags::SNAPSHOT);
        assert!(!inside || event.seq <= last + 1, "a jump to {} that nobody told", event.seq);
        last = event.seq;
    });
    assert_eq!((counters.segments, counters.messages), (121_314, 391_999));
    assert_eq!((counters.gaps, counters.bad, counters.unknown), (0, 0, 0));
    assert_eq!((cleared, counters.sessions), (12, 12), "the first and 11 new beginnings");
}
