//! Captures. They are not part of the repository: without them these tests say so and pass.

use std::collections::BTreeMap;
use std::path::Path;

use feeds::capture::Capture;
use feeds::databento::{DbnCause, DbnCounters, DbnError, DbnOptions, DbnReader};
use feeds::source::FileReader;
use feeds::{FeedOptions, Next, Venue};
use model::{FeedId, Flags, Kind, Side};

use super::captured::capture;
use super::twin::Twins;

/// Goal: the published state of a book of orders is reached, by way of two snapshots, and it was live on the way.
/// Method: both days as one feed into a naive book.
#[test]
fn esh4() {
    let day = |day: u32| capture(&format!("dbn/esh4-glbx-mdp3-202312{day}.mbo.dbn.zst"));
    let (Some(first), Some(second)) = (day(24), day(25)) else { return };
    let options = DbnOptions { feed: FeedId(4), ..DbnOptions::default() };
    let mut reader = DbnReader::open(FileReader::open(&first).unwrap(), options).unwrap();
    let (mut twins, mut kinds, mut last) = (Twins::default(), BTreeMap::new(), None);
    let mut complete = 0_u64;
    let (mut crossed, mut trades) = (0_u64, 0_u64);
    let mut step = |reader: &mut DbnReader<FileReader>, twins: &mut Twins| {
        reader.next(&mut |event| {
            assert_eq!(event.feed, FeedId(4));
            twins.take(&event);
            *kinds.entry(event.kind.name()).or_insert(0_u64) += 1;
            last = Some(event);
            trades += u64::from(event.kind == Kind::Trade);
            // Before the market opens with its first trade, orders may cross.
            if trades > 0
                && event.flags.has(Flags::EVENT_COMPLETE)
                && !event.flags.has(Flags::SNAPSHOT)
            {
                complete += 1;
                let [bid, ask] = twins.only().best();
                crossed += u64::from(bid.unwrap().0 >= ask.unwrap().0);
            }
        })
    };
    while step(&mut reader, &mut twins).unwrap() {}
    assert_eq!(reader.counters().records, 8_725);
    assert!(twins.only().is_live(), "the last record of the snapshot says that it is the last");
    assert_eq!(twins.only().orders.len(), 8_725);

    reader.restart(FileReader::open(&second).unwrap()).unwrap();
    while step(&mut reader, &mut twins).unwrap() {}
    let book = twins.only();
    assert_eq!(book.levels.each_ref().map(BTreeMap::len), [922, 565]);
    let [bid, ask] = book.best().map(|level| level.unwrap().0);
    assert_eq!((bid, ask), (4_810_000_000_000, 4_810_250_000_000));
    assert_eq!((book.faults, twins.holes, book.is_live()), (0, 0, true));
    let last = last.unwrap();
    assert_eq!((last.ts_recv.0, last.seq), (1_703_548_799_446_821_072, 8_725 + 68_792));
    assert_eq!(twins.symbols.values().collect::<Vec<_>>(), ["ESH4"]);
    assert_eq!((kinds["clear"], kinds["directory"], kinds["trade"]), (4, 1, 2_973));
    assert_eq!((complete, crossed), (46_097, 0));
    let known = DbnCounters {
        records: 77_517,
        mbo: 77_517,
        snapshots: 2,
        streams: 2,
        last_sequence: 59_585,
        bytes: 488_806 + 3_852_558,
        bad_ts_recv: 17_450,
        ..DbnCounters::default()
    };
    assert_eq!(reader.counters(), known);
}

/// What becomes of a file.
fn read(path: &Path, is_raw: bool, fragment: Option<u8>) -> Result<(Twins, DbnCounters), DbnError> {
    let file = if is_raw {
        FileReader::from_bytes(std::fs::read(path).unwrap().into())
    } else {
        FileReader::open(path).unwrap()
    };
    let mut reader = DbnReader::open(file, DbnOptions { fragment, ..DbnOptions::default() })?;
    let mut twins = Twins::default();
    while reader.next(&mut |event| twins.take(&event))? {}
    Ok((twins, reader.counters()))
}

/// Goal: every test file of the format's own repository is decoded whole, or refused by the name of its schema.
/// Method: all of them; what each must give stands in its name.
#[test]
fn every_schema() {
    let Some(folder) = capture("dbn/databento") else { return };
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        let Some(rest) = name.split_once('.').map(|(_, rest)| rest) else { continue };
        let schema = rest.split('.').next().unwrap();
        let is_fragment = name.contains(".frag");
        let version = if name.contains(".v1.") { 1 } else { 3 };
        let outcome = read(&path, name.ends_with(".dbz"), is_fragment.then_some(version));
        let outcome = match outcome {
            Ok((twins, counters)) => {
                assert!(["mbo", "mbp-1", "mbp-10", "tbbo", "trades"].contains(&schema), "{name}");
                assert_eq!((twins.holes, counters.bad, counters.other), (0, 0, 0), "{name}");
                assert!(counters.records > 0 && !twins.symbols.is_empty(), "{name}");
                assert_eq!(counters.bytes > 0, counters.unlisted == 0, "{name}");
                "decoded"
            }
            Err(DbnError { cause: DbnCause::Legacy, .. }) if name.ends_with(".dbz") => "legacy",
            Err(DbnError { cause: DbnCause::Schema(refused), record: 0, .. }) => {
                assert_eq!(refused.as_str(), schema, "{name}");
                "refused"
            }
            Err(error @ DbnError { cause: DbnCause::Record { .. }, record: 0, .. }) => {
                assert!(is_fragment && error.to_string().contains("instrument-def"), "{error}");
                "fragment refused"
            }
            Err(error) => panic!("{name}: {error}"),
        };
        *outcomes.entry(outcome.to_string()).or_default() += 1;
    }
    let known = [("decoded", 21), ("fragment refused", 7), ("legacy", 10), ("refused", 43)];
    assert_eq!(outcomes, known.map(|(outcome, count)| (outcome.to_string(), count)).into());
}

/// Goal: a file says what its records hold. Method: the MBO file of each version, field by field, as the other versions
/// have it.
#[test]
fn versions_agree() {
    let mut told = Vec::new();
    for name in ["mbo.v1.dbn.zst", "mbo.v2.dbn.zst", "mbo.v3.dbn.zst"] {
        let Some(path) = capture(&format!("dbn/databento/test_data.{name}")) else { return };
        let file = FileReader::open(&path).unwrap();
        let mut reader = DbnReader::open(file, DbnOptions::default()).unwrap();
        let mut events = Vec::new();
        while reader.next(&mut |event| events.push(event)).unwrap() {}
        told.push(events);
    }
    let [first, second, third] = told.try_into().unwrap();
    assert_eq!(first, second);
    assert_eq!(first, third);
    let change = first.iter().find(|event| event.kind == Kind::Reduce).unwrap();
    assert_eq!((change.order.0, change.qty.0), (647_784_973_705, 1));
    assert!(first.iter().all(|event| event.side != Some(Side::Buy) || event.px.0 > 0));
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
