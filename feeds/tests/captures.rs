//! Real captures. They are not part of the repository: without them these tests say so and pass.

mod captured;

use std::collections::BTreeMap;
use std::path::PathBuf;

use captured::capture;
use feeds::nasdaq::itch::DecodeError;
use feeds::nasdaq::message::Message;
use feeds::source::{FileSource, SourceCause};
use feeds::{FeedCause, FeedError, FeedOptions, FileFeed, Next};
use model::{Event, Kind, Symbol};

fn read(paths: &[PathBuf]) -> (Vec<Event>, feeds::Counters) {
    let date = "2020-01-30".parse().unwrap();
    let options = FeedOptions { date, ..FeedOptions::default() };
    let mut feed = FileFeed::open(paths, options).unwrap();
    let mut events = Vec::new();
    while let Next::Event(event) = feed.next().unwrap() {
        events.push(event);
    }
    (events, feed.counters())
}

/// Goal: a real file decodes whole. Method: types, symbol and times of a capture of one stock against what
/// is known of it.
#[test]
fn aapl() {
    let Some(path) = capture("itch/aapl-20200130-10k.itch") else { return };
    let mut source = FileSource::open(&path).unwrap();
    let mut types: BTreeMap<char, u32> = BTreeMap::new();
    while let Some(frame) = source.next_frame().unwrap() {
        Message::decode(frame.bytes).unwrap();
        *types.entry(char::from(frame.bytes[0])).or_default() += 1;
    }
    let known = [
        ('A', 4758),
        ('D', 4083),
        ('E', 849),
        ('F', 2),
        ('H', 1),
        ('L', 52),
        ('P', 240),
        ('R', 1),
        ('U', 7),
        ('X', 6),
        ('Y', 1),
    ];
    assert_eq!(types, BTreeMap::from(known));

    let (events, counters) = read(&[path]);
    assert_eq!((counters.messages, counters.bad, counters.unknown_total()), (10_000, 0, 0));
    assert_eq!((counters.backwards, counters.bytes), (0, 307_643));
    assert!(events.iter().all(|event| event.number.0 == 13));
    let directory = events.iter().find(|event| event.kind == Kind::Directory).unwrap();
    let listing = (Symbol::new("AAPL").unwrap(), 4, 0);
    assert_eq!((directory.listing(), directory.qty.0), (Some(listing), 100));
    assert_eq!(events[0].ts_venue.0 / 3_600_000_000_000 % 24, 3);
    assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq));
}

/// Goal: a directory decodes whole. Method: count what the capture is known to hold.
#[test]
fn directory() {
    let Some(path) = capture("itch/directory-first-1000.itch") else { return };
    let (events, counters) = read(&[path]);
    assert_eq!((events.len(), counters.bad, counters.unknown_total()), (1_000, 0, 0));
    let of = |kind| events.iter().filter(|event| event.kind == kind).count();
    let counts = [Kind::Session, Kind::Directory, Kind::State, Kind::ShortSale].map(of);
    assert_eq!(counts, [1, 993, 3, 3]);
}

/// Goal: several files are one feed. Method: two captures in turn; numbers go on, bytes and files add up.
#[test]
fn several_files_are_one_feed() {
    let (Some(first), Some(second)) =
        (capture("itch/directory-first-1000.itch"), capture("itch/aapl-20200130-10k.itch"))
    else {
        return;
    };
    let (events, counters) = read(&[first, second]);
    assert!(events.iter().zip(1..).all(|(event, seq)| event.seq == seq));
    assert_eq!((counters.messages, counters.files), (11_000, 2));
    assert_eq!(counters.bytes, 40_874 + 307_643);
}

/// Goal: a file whose length prefixes are all zero is refused at once. Method: such a file, compressed.
#[test]
fn zero_length_prefixes() {
    let Some(path) = capture("itch/simulated-zero-length-prefix.itch.gz") else { return };
    let mut feed = FileFeed::open(&[path], FeedOptions::default()).unwrap();
    let cause = FeedCause::Source(SourceCause::ZeroAtStart);
    let refused = FeedError { file: 0, offset: 0, cause };
    assert_eq!(feed.next(), Err(refused));
    assert_eq!(feed.next(), Err(refused), "and stays refused");
    assert_eq!(refused.to_string(), "offset 0: zero length prefix at the start");
}

/// Goal: a file of another kind is refused at once. Method: captures in other formats.
#[test]
fn other_formats() {
    for name in ["itch/aapl-20200130-book-after-1001.csv", "kraken/KRAKEN.0.gz"] {
        let Some(path) = capture(name) else { return };
        let mut feed = FileFeed::open(&[path], FeedOptions::default()).unwrap();
        let error = feed.next().unwrap_err();
        assert!(
            matches!(
                error,
                FeedError {
                    offset: 0,
                    cause: FeedCause::FirstFrame(DecodeError::UnknownType { .. })
                        | FeedCause::Source(SourceCause::InsideFrame { .. }),
                    ..
                }
            ),
            "{error}"
        );
    }
}
