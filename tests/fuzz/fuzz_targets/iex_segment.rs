//! Payloads of any bytes: no panic, and whatever becomes an event survives its words and names its symbol first.
#![no_main]

use std::collections::HashSet;

use feeds::iex::IexFeed;
use libfuzzer_sys::fuzz_target;
use model::{Event, FeedId, Kind, Ts};

fuzz_target!(|bytes: &[u8]| {
    let mut feed = IexFeed::new(FeedId(1));
    let mut named = HashSet::new();
    for (number, payload) in bytes.split(|byte| *byte == 0xFE).enumerate() {
        feed.on_segment(payload, Ts(number as u64), |event| {
            assert_eq!(Event::from_words(&event.to_words()), Ok(event));
            match event.kind {
                Kind::Directory => {
                    named.insert(event.number);
                    assert!(event.listing().is_some());
                }
                Kind::Level => assert!(named.contains(&event.number)),
                Kind::Clear | Kind::Session => named.clear(),
                _ => {}
            }
        });
    }
});
