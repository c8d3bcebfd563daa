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
    let options = FeedOptions { feed: FeedId(2), date: Date(10), repeat: false };
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
