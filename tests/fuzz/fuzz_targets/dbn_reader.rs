//! A DBN stream of any bytes: the reader comes to an end or to an error that it repeats, names an instrument before it tells of
//! it, leaves no hole in the sequence, and says the same twice.
#![no_main]

use std::collections::HashSet;

use feeds::databento::{DbnOptions, DbnReader};
use libfuzzer_sys::fuzz_target;
use model::{Event, FeedId, Flags, Kind, VenueNumber};

/// Events of one record, at most: all levels of both sides gone and new, and what is said around them.
const EVENTS_MAX: usize = 64;

fn read(bytes: &[u8], options: DbnOptions) -> Option<(u64, u64)> {
    let mut reader = DbnReader::open(bytes, options).ok()?;
    let (mut named, mut seq, mut hash) = (HashSet::from([VenueNumber(0)]), 0, 0_u64);
    loop {
        let mut events = 0;
        let outcome = reader.next(&mut |event| {
            assert_eq!(Event::from_words(&event.to_words()), Ok(event));
            events += 1;
            if event.kind == Kind::Directory {
                assert!(event.listing().is_some());
                named.insert(event.number);
            }
            assert!(named.contains(&event.number));
            if event.kind == Kind::Integrity {
                seq = event.seq;
            } else if !event.flags.has(Flags::SNAPSHOT) {
                assert!(event.seq == seq || event.seq == seq + 1);
                seq = event.seq;
            }
            for word in event.to_words() {
                hash = hash.rotate_left(5) ^ word;
            }
        });
        assert!(events <= EVENTS_MAX);
        match outcome {
            Ok(true) => assert!(events > 0),
            Ok(false) => break assert_eq!(reader.counters().bytes, bytes.len() as u64),
            Err(error) => {
                assert!(error.offset <= bytes.len() as u64);
                break assert_eq!(reader.next(&mut |_| ()), Err(error));
            }
        }
    }
    Some((reader.counters().records, hash))
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let options = DbnOptions {
        feed: FeedId(1),
        instruments_max: u16::from(first >> 4),
        fragment: (first & 1 != 0).then_some(first >> 1 & 3),
        publisher: (first & 8 != 0).then_some(2),
        metadata_max: 1 << 16,
    };
    assert_eq!(read(bytes, options), read(bytes, options));
});
