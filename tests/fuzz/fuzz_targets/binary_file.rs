//! A capture of any bytes: the feed comes to an end or to an error, accounts for every frame, and says the
//! same twice.
#![no_main]

use feeds::{FeedOptions, FileFeed, Input, Next};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let read = || {
        let inputs = vec![Input::Bytes(bytes.into())];
        let mut feed = FileFeed::from_inputs(inputs, FeedOptions::default()).ok()?;
        let mut events = 0;
        let outcome = loop {
            match feed.next() {
                Ok(Next::Event(_)) => events += 1,
                Ok(Next::End) => break Ok(()),
                Err(error) => break Err(error),
            }
            assert!(events <= bytes.len(), "more events than bytes");
        };
        let counters = feed.counters();
        if outcome.is_ok() {
            assert_eq!(counters.messages, events as u64 + counters.bad);
            assert_eq!(counters.bytes, bytes.len() as u64);
        }
        Some((outcome, counters))
    };
    let first = read();
    assert!(first.is_some());
    assert_eq!(first, read());
});
