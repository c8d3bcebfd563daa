//! Any words of a server over any number of connections: no panic, no endless work; each sequence of a session once and in
//! order; never live while something is missing or not believed.
#![no_main]

use feeds::session::SessionId;
use feeds::session::soup::{Login, server};
use feeds::session::soup_feed::{Action, SoupFeed, SoupFeedOptions};
use libfuzzer_sys::fuzz_target;
use model::{Event, FeedId, Flags, Integrity, Kind, Ts};

/// A system event.
const MESSAGE: [u8; 12] = *b"S\0\0\0\0\0\0\0\0\0\x01Q";

#[derive(Default)]
struct Book {
    seq: u64,
    live: bool,
}

impl Book {
    fn hear(&mut self, event: Event) {
        if event.kind == Kind::Integrity {
            self.live = matches!(event.believed(), Some((Integrity::Live, _)));
            // What is told again stands outside the sequence until an integrity says where it is.
            self.seq = event.seq;
        } else if !event.flags.has(Flags::SNAPSHOT) {
            assert_eq!(event.seq, self.seq + 1);
            self.seq = event.seq;
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let login = Login::new("u", "p").unwrap();
    let mut feed = SoupFeed::new(SoupFeedOptions::new(FeedId(0), Ts(0), login));
    let (mut book, mut now) = (Book::default(), 0_u64);
    let mut rest = input;
    while let Some((&op, tail)) = rest.split_first() {
        rest = tail;
        let argument = u64::from(op >> 3);
        let mut bytes = Vec::new();
        match op & 7 {
            0 => now += argument << 28,
            1 => server::accepted(
                SessionId([b'0' + (argument as u8 & 1); 10]),
                argument >> 1,
                &mut bytes,
            ),
            2 => (0..argument).for_each(|_| server::sequenced(&MESSAGE, &mut bytes)),
            3 => server::rejected(if argument > 8 { b'S' } else { b'A' }, &mut bytes),
            4 => bytes.extend_from_slice(if argument > 8 {
                &server::HEARTBEAT
            } else {
                &server::END
            }),
            5 => feed.on_closed(Ts(now), &mut |event| book.hear(event)),
            6 => {
                let (raw, tail) = rest.split_at(rest.len().min(argument as usize));
                bytes.extend_from_slice(raw);
                rest = tail;
            }
            _ => feed.on_opened(Ts(now)),
        }
        feed.on_bytes(&bytes, Ts(now), &mut |event| book.hear(event));
        feed.on_time(Ts(now), &mut |event| book.hear(event));
        for turn in 0.. {
            assert!(turn < 10, "no end of actions");
            match feed.next_action() {
                None => break,
                Some(Action::Open) if op & 128 == 0 => feed.on_opened(Ts(now)),
                Some(_) => {}
            }
        }
        assert_eq!(book.live, matches!(feed.believed(), Some((Integrity::Live, _))));
        assert!(!book.live || feed.counters().lost == 0 || feed.counters().sessions > 1);
    }
});
