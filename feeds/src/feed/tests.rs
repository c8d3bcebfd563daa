use proptest::prelude::*;

use super::*;
use crate::nasdaq::message::{OrderDelete, SystemEvent};
use crate::nasdaq::{Header, MESSAGE_MAX};

const SECOND: u64 = 1_000_000_000;

fn session(event: u8, time: u64) -> Vec<u8> {
    let message = SystemEvent { header: Header { locate: 0, tracking: 0, time }, event };
    crate::nasdaq::message::Message::from(message).encode(&mut [0; MESSAGE_MAX]).to_vec()
}

fn delete(order: u64, time: u64) -> Vec<u8> {
    let message = OrderDelete { header: Header { locate: 7, tracking: 0, time }, order };
    crate::nasdaq::message::Message::from(message).encode(&mut [0; MESSAGE_MAX]).to_vec()
}

fn capture(messages: &[Vec<u8>]) -> Input {
    let mut bytes = Vec::new();
    for message in messages {
        bytes.extend((message.len() as u16).to_be_bytes());
        bytes.extend(message);
    }
    Input::Bytes(bytes.into())
}

fn feed(inputs: &[Input]) -> FileFeed {
    let options = FeedOptions { feed: FeedId(2), date: Date(10), ..FeedOptions::default() };
    FileFeed::from_inputs(inputs.to_vec(), options).unwrap()
}

fn events(feed: &mut FileFeed) -> Vec<Event> {
    let mut events = Vec::new();
    while let Next::Event(event) = feed.next().unwrap() {
        events.push(event);
    }
    events
}

/// Goal: an unknown message keeps the numbers whole and a bad one leaves a hole; both are counted, the bad
/// one with its place. Method: one of each among good ones.
#[test]
fn unknown_and_bad() {
    let bad = delete(3, 8)[..18].to_vec();
    let messages = [delete(1, 5), vec![b'z', 1, 2], bad, delete(4, 9), vec![b'z']];
    let mut feed = feed(&[capture(&messages)]);
    let events = events(&mut feed);
    let seen: Vec<_> = events.iter().map(|event| (event.seq, event.kind, event.aux)).collect();
    let unknown = u64::from(b'z');
    assert_eq!(
        seen,
        [
            (1, Kind::Delete, 0),
            (2, Kind::Notice, unknown),
            (4, Kind::Delete, 0),
            (5, Kind::Notice, unknown)
        ]
    );
    assert_eq!(events[1].ts_venue, events[0].ts_venue, "an unknown message tells no time");
    assert!(events.iter().all(|event| event.feed == FeedId(2) && event.ts_recv == event.ts_venue));
    let counters = feed.counters();
    assert_eq!((counters.messages, counters.bad, counters.unknown_total()), (5, 1, 2));
    assert_eq!(counters.unknown[usize::from(b'z')], 2);
    let error = DecodeError::Length { kind: b'D', need: 19, got: 18 };
    assert_eq!(counters.first_bad, Some(BadMessage { file: 0, offset: 26, seq: 3, error }));
}

/// Goal: a bad message at the very end is told, for no message behind it shows its hole; once, and only there. Method: one
/// last, and one before the last.
#[test]
fn the_last_is_bad() {
    let bad = delete(3, 8)[..18].to_vec();
    let messages = [delete(1, 5), bad, delete(4, 9)];
    let mut whole = feed(&[capture(&messages)]);
    assert!(events(&mut whole).iter().all(|event| event.kind == Kind::Delete));
    let mut cut = feed(&[capture(&messages[..2])]);
    let told = events(&mut cut);
    let believed = (Integrity::Incomplete, Cause::BadEvent);
    assert_eq!((told.len(), told[1].believed(), told[1].seq), (2, Some(believed), 2));
    assert_eq!((told[1].kind, told[1].ts_recv), (Kind::Integrity, told[0].ts_recv));
    assert_eq!(cut.next(), Ok(Next::End));
}

/// Goal: time is what the venue said; only a start of messages begins a new date. Method: a step back
/// inside a day, a second day in a second capture, a time beyond the day.
#[test]
fn time_and_days() {
    let hour = 3600 * SECOND;
    let first = capture(&[session(b'O', 3 * hour), delete(1, 9 * hour), delete(2, 8 * hour)]);
    let second =
        capture(&[session(b'O', 4 * hour), delete(3, 25 * hour), session(b'C', 26 * hour)]);
    let mut feed = feed(&[first, second]);
    let hours: Vec<u64> = events(&mut feed).iter().map(|e| e.ts_venue.0 / hour).collect();
    assert_eq!(hours, [243, 249, 248, 268, 289, 290]);
    let counters = feed.counters();
    assert_eq!((counters.backwards, counters.past_midnight), (1, 2));
    assert_eq!((counters.files, counters.missing_end, counters.messages), (2, 2, 6));
}

/// Goal: a feed may go round for ever, each round a new day. Method: three rounds of one capture.
#[test]
fn repeat() {
    let input = capture(&[session(b'O', 1), delete(1, 2)]);
    let options = FeedOptions { repeat: true, ..FeedOptions::default() };
    let mut feed = FileFeed::from_inputs(vec![input], options).unwrap();
    for round in 0..3 {
        for time in [1, 2] {
            let Next::Event(event) = feed.next().unwrap() else { panic!("no end") };
            assert_eq!(event.ts_venue.0, round * DAY_NS + time);
            assert_eq!(event.seq, 2 * round + time);
        }
    }
}

/// Goal: what is no ITCH is refused at its first frame, in any capture of the list. Method: an unknown
/// type, a known type of the wrong length, no capture at all, one that does not exist.
#[test]
fn first_frames() {
    let good = capture(&[delete(1, 1)]);
    for (message, error) in [
        (b"{\"a\":1}".to_vec(), DecodeError::UnknownType { kind: b'{' }),
        (b"DATE".to_vec(), DecodeError::Length { kind: b'D', need: 19, got: 4 }),
    ] {
        let mut feed = feed(&[good.clone(), capture(&[message, delete(1, 1)])]);
        assert!(feed.next().is_ok());
        let refused = FeedError { file: 1, offset: 0, cause: FeedCause::FirstFrame(error) };
        assert_eq!(feed.next(), Err(refused));
        assert_eq!(feed.next(), Err(refused), "an error stays");
    }
    let none = FileFeed::open(&[], FeedOptions::default()).err().unwrap();
    assert_eq!(none.cause, FeedCause::NoInput);
    let inputs = vec![good, Input::File("/nonexistent/day".into())];
    let absent = FileFeed::from_inputs(inputs, FeedOptions::default()).err().unwrap();
    let cause = FeedCause::Source(SourceCause::Read(std::io::ErrorKind::NotFound));
    assert_eq!(absent, FeedError { file: 1, offset: 0, cause });
}

/// Goal: whoever hears arrivals is told of each message once, at its own time, before it is decoded; nothing else changes.
/// Method: good, unknown, bad and too short messages, and a second day; beside the same feed without anybody who hears.
#[test]
fn arrivals_are_told_before_decoding() {
    #[derive(Default)]
    struct Heard(Vec<u64>);
    impl Arrival for Heard {
        fn arrives(&mut self, ts_recv: Ts) {
            self.0.push(ts_recv.0);
        }
    }
    let bad = delete(3, 8)[..18].to_vec();
    let first = capture(&[session(b'O', 2), delete(1, 5), vec![b'z', 1], bad, delete(2, 9)]);
    let inputs = [first, capture(&[session(b'O', 1), delete(3, 4)])];
    let (mut plain, mut heard, mut listener) = (feed(&inputs), feed(&inputs), Heard::default());
    let midnight = Date(10).midnight().0;
    let mut told = Vec::new();
    loop {
        let next = heard.next_at(&mut listener).unwrap();
        assert_eq!(next, plain.next().unwrap());
        told.push(listener.0.len());
        let Next::Event(event) = next else { break };
        let last = *listener.0.last().unwrap();
        // A day that begins is known to be another one when it is decoded.
        let is_new_day = event.kind == Kind::Session && event.ts_recv.0 >= midnight + DAY_NS;
        let expected = if is_new_day { event.ts_recv.0 - DAY_NS } else { event.ts_recv.0 };
        assert!(last == expected || event.kind == Kind::Notice, "{event:?} at {last}");
    }
    assert_eq!(told, [1, 2, 3, 5, 6, 7, 7], "one for each message, the bad one among them");
    let next_day = midnight + DAY_NS;
    let since = [2, 5, 0, 8, 9, 1].map(|ns| midnight + ns);
    assert_eq!(listener.0, [since.as_slice(), &[next_day + 4]].concat());
}

/// Directories, orders of some stocks and everything else, at times that mostly go on, some of it cut.
fn message_of_a_day() -> impl Strategy<Value = (Vec<u8>, u64)> {
    let header = |locate, time| Header { locate, tracking: 0, time };
    let directory = (0..6_u16).prop_map(|stock| {
        let mut message = vec![b'R'];
        message.extend(stock.to_be_bytes());
        message.extend([0; 8]);
        message.extend(format!("{:<8}", format!("S{stock}")).bytes());
        message.resize(39, b' ');
        message
    });
    let order = (0..6_u16, 0..2_usize).prop_map(move |(stock, cut)| {
        let message = OrderDelete { header: header(stock, 0), order: 9 };
        let message = crate::nasdaq::message::Message::from(message);
        let mut bytes = message.encode(&mut [0; MESSAGE_MAX]).to_vec();
        bytes.truncate(bytes.len() - cut);
        bytes
    });
    let other = prop_oneof![Just(session(b'O', 0)), Just(session(b'Q', 0)), Just(vec![b'z'; 12])];
    let kinds = prop_oneof![2 => directory, 12 => order, 1 => other];
    let steps = prop_oneof![
        8 => 0..2_000_000_u64,
        1 => Just(20_000_000),
        1 => Just(90_000 * SECOND),
        1 => (0..5_000_000_u64).prop_map(|back| back.wrapping_neg()),
    ];
    (kinds, steps)
}

proptest! {
    /// Goal: what a shard passes over unread, it would have left out. Method: the same capture through the filter message by
    /// message, and passed over.
    #[test]
    fn others_are_passed_over(
        day in proptest::collection::vec(message_of_a_day(), 1..120),
        index in 0..3_u16,
    ) {
        let mut time = 0_u64;
        let messages: Vec<Vec<u8>> = std::iter::once(session(b'O', 0))
            .chain(day.into_iter().map(|(mut message, step)| {
                time = time.wrapping_add(step) & 0xFFFF_FFFF_FFFF;
                message[5..11].copy_from_slice(&time.to_be_bytes()[2..]);
                message
            }))
            .collect();
        let shard = Shard::new(index, 3).unwrap();
        let options = FeedOptions { shard: Some(shard), ..FeedOptions::default() };
        let feed = || FileFeed::from_inputs(vec![capture(&messages)], options).unwrap();
        let filter = || ShardFilter::new(shard, SECOND);
        let play = |passes_over: bool| {
            let (mut feed, mut filter, mut seen) = (feed(), filter(), Vec::new());
            loop {
                let next = match passes_over {
                    true => feed.next_for(&mut (), Some(&mut filter)).unwrap(),
                    false => feed.next().unwrap(),
                };
                let Next::Event(event) = next else { return (seen, feed.counters()) };
                seen.extend(filter.pass(event));
            }
        };
        prop_assert_eq!(play(true), play(false));
    }
}
