//! Payloads of any bytes into one feed: no panic, whatever becomes an event survives its words and names its symbol first, the
//! sequence has no hole that was not told, and a feed that missed something is not live before another session begins.
//!
//! All of it for one line, and for two, where what is early waits.
//!
//! The bytes are a script: length (2 bytes, little-endian), payload, and so on.
#![no_main]

use std::collections::HashSet;

use feeds::iex::IexFeed;
use libfuzzer_sys::fuzz_target;
use model::{Event, FeedId, Flags, Integrity, Kind, Ts};

fuzz_target!(|bytes: &[u8]| {
    play(bytes, IexFeed::new(FeedId(1)), false);
    play(bytes, IexFeed::of_two_lines(FeedId(1)), true);
});

fn play(bytes: &[u8], mut feed: IexFeed, two_lines: bool) {
    let mut named = HashSet::new();
    let (mut seq, mut rest, mut is_live) = (0, bytes, false);
    for now in 0.. {
        let Some((length, behind)) = rest.split_first_chunk::<2>() else { break };
        let length = usize::from(u16::from_le_bytes(*length)).min(behind.len());
        let (payload, behind) = behind.split_at(length);
        rest = behind;
        let before = *feed.counters();
        let mut events = 0;
        let mut take = |event: Event| {
            assert_eq!(Event::from_words(&event.to_words()), Ok(event));
            events += 1;
            match event.kind {
                Kind::Integrity => {
                    is_live = event.believed().is_some_and(|(said, _)| said == Integrity::Live);
                    seq = event.seq;
                }
                _ if event.flags.has(Flags::SNAPSHOT) => {}
                _ => {
                    assert!(event.seq == seq || event.seq == seq + 1);
                    seq = event.seq;
                }
            }
            match event.kind {
                Kind::Directory => {
                    named.insert(event.number);
                    assert!(event.listing().is_some());
                }
                Kind::Clear => named.clear(),
                // A start of messages alone begins another day.
                Kind::Session if event.aux == u64::from(b'O') => named.clear(),
                Kind::Level | Kind::State | Kind::Trade => assert!(named.contains(&event.number)),
                _ => {}
            }
        };
        feed.on_segment(payload, Ts(now), &mut take);
        if two_lines && payload.len() % 2 == 0 {
            feed.on_time(feed.wake_at().unwrap_or(Ts(now)), &mut take);
        }
        assert!(two_lines || events <= 2 * payload.len() + 2, "more events than bytes");
        let after = feed.counters();
        let is_same = before.sessions == after.sessions;
        assert!(!(is_same && (before.gaps, before.bad) != (after.gaps, after.bad) && is_live));
    }
}
