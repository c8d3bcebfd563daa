//! DBN captures. They are not part of the repository: without them these tests say so and pass.
#![allow(missing_docs)]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use feeds::capture::Capture;
use feeds::databento::{DbnCause, DbnReader};
use feeds::source::FileReader;
use feeds::{FeedOptions, Next, Venue};
use model::{Event, FeedId, Flags, Integrity, Kind, Side};

fn capture(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TICKGATE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(name);
    if !path.exists() {
        eprintln!("SKIPPED: no capture {}", path.display());
        return None;
    }
    Some(path)
}

/// A naive book of orders.
#[derive(Default)]
struct Orders {
    orders: HashMap<u64, (Side, i64, i64)>,
    levels: [BTreeMap<i64, i64>; 2],
}

impl Orders {
    fn change(&mut self, side: Side, px: i64, by: i64) {
        let level = self.levels[side.index()].entry(px).or_default();
        *level += by;
        assert!(*level >= 0);
        if *level == 0 {
            self.levels[side.index()].remove(&px);
        }
    }

    fn take(&mut self, event: &Event) {
        let (order, px, qty) = (event.order.0, event.px.0, event.qty.0);
        match event.kind {
            Kind::Clear => *self = Orders::default(),
            Kind::Add => {
                let side = event.side.unwrap();
                assert!(self.orders.insert(order, (side, px, qty)).is_none(), "added twice");
                self.change(side, px, qty);
            }
            Kind::Modify => {
                let (side, old_px, old_qty) = self.orders.insert(order, (Side::Buy, 0, 0)).unwrap();
                self.change(side, old_px, -old_qty);
                self.change(side, px, qty);
                self.orders.insert(order, (side, px, qty));
            }
            Kind::Reduce => {
                let (side, px, open) = self.orders.remove(&order).unwrap();
                self.change(side, px, -qty);
                if open > qty {
                    self.orders.insert(order, (side, px, open - qty));
                }
            }
            _ => {}
        }
    }
}

/// Goal: two days of market by order end in the published book. Method: a naive book of orders; live only outside the
/// snapshots that both files begin with.
#[test]
fn esh4() {
    let names = ["20231224", "20231225"];
    let paths = names.map(|day| capture(&format!("dbn/esh4-glbx-mdp3-{day}.mbo.dbn.zst")));
    let [Some(first), Some(second)] = paths else { return };
    let mut reader = DbnReader::open(FileReader::open(&first).unwrap(), FeedId(2)).unwrap();
    assert_eq!(reader.tells_orders(), Some(true));
    let (mut book, mut believed, mut last) = (Orders::default(), Vec::new(), 0);
    let mut take = |event: Event| {
        assert_eq!(Event::from_words(&event.to_words()), Ok(event));
        if event.kind == Kind::Integrity {
            believed.extend(event.believed());
        }
        if event.kind == Kind::Directory {
            assert_eq!(event.listing().map(|(symbol, ..)| symbol.to_string()), Some("ESH4".into()));
        }
        book.take(&event);
        last = event.ts_recv.0;
    };
    while reader.next(&mut take).unwrap() {}
    assert_eq!(reader.counters().records, 8_725);
    reader.restart(FileReader::open(&second).unwrap()).unwrap();
    while reader.next(&mut take).unwrap() {}

    let counters = reader.counters();
    assert_eq!((counters.records, counters.bad, counters.unknown), (8_725 + 68_792, 0, 0));
    assert_eq!((counters.last_sequence, last), (59_585, 1_703_548_799_446_821_072));
    let [bids, asks] = &book.levels;
    assert_eq!((bids.len(), asks.len()), (922, 565));
    let best = (bids.keys().next_back().copied(), asks.keys().next().copied());
    assert_eq!(best, (Some(4_810_000_000_000), Some(4_810_250_000_000)));
    assert_eq!(believed.last().map(|(integrity, _)| *integrity), Some(Integrity::Live));
}

/// Goal: every published sample is decoded whole or refused with a reason. Method: each file of the folder.
#[test]
fn samples() {
    let Some(folder) = capture("dbn/databento") else { return };
    let (mut read, mut refused) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.contains("dbn") && !name.contains("dbz") {
            continue;
        }
        let told = ["mbo", "mbp-1", "mbp-10", "tbbo", "trades"];
        let is_told = told.iter().any(|schema| name.starts_with(&format!("test_data.{schema}.")));
        match DbnReader::open(FileReader::open(&path).unwrap(), FeedId(0)) {
            Ok(mut reader) => {
                assert!(is_told, "{name}");
                let mut books: [BTreeMap<i64, i64>; 2] = Default::default();
                let mut events = 0;
                while reader
                    .next(&mut |event| {
                        events += 1;
                        if event.kind == Kind::Level {
                            let side = &mut books[event.side.unwrap().index()];
                            match event.qty.0 {
                                0 => assert!(side.remove(&event.px.0).is_some()),
                                qty => _ = side.insert(event.px.0, qty),
                            }
                            assert!(!event.flags.has(Flags::EVENT_COMPLETE) || side.len() <= 10);
                        }
                    })
                    .unwrap()
                {}
                assert!(reader.counters().records > 0 && events > 0, "{name}");
                assert_eq!((reader.counters().bad, reader.counters().unknown), (0, 0), "{name}");
                read += 1;
            }
            Err(error) => {
                let known = matches!(error.cause, DbnCause::Schema(_) | DbnCause::NotDbn);
                assert!(known && (!is_told || name.ends_with(".dbz")), "{name}: {error}");
                refused += 1;
            }
        }
    }
    assert!(read >= 20 && refused > 0, "{read} read, {refused} refused");
}

/// Goal: captures of all kinds are told apart by what they hold. Method: one of each.
#[test]
fn kinds() {
    for (name, venue) in [
        ("dbn/esh4-glbx-mdp3-20231225.mbo.dbn.zst", Venue::DatabentoMbo),
        ("dbn/databento/test_data.mbp-10.v3.dbn.zst", Venue::DatabentoMbp),
        ("iex/tops16-sample.pcapng.gz", Venue::Iex),
        ("moldudp64/Nasdaq.Equities.TotalView.Itch.v5.0/Multiple.Packets.pcap", Venue::NasdaqItch),
        ("itch/aapl-20200130-10k.itch", Venue::NasdaqItch),
    ] {
        let Some(path) = capture(name) else { continue };
        assert_eq!(feeds::capture::kind_of(&path).unwrap().venue, Some(venue), "{name}");
        let mut capture = Capture::open(venue, &[path], FeedOptions::default(), &[]).unwrap();
        let mut last = 0;
        while let Next::Event(event) = capture.next().unwrap() {
            let apart = event.kind == Kind::Integrity || event.flags.has(Flags::SNAPSHOT);
            assert!(apart || event.seq <= last + 1, "{name}: a hole before {event:?}");
            last = if event.flags.has(Flags::SNAPSHOT) { last } else { event.seq };
        }
        assert!(last > 0, "{name}");
    }
}
