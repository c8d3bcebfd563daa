//! IEX-TP sessions step by step, and messages against vectors packed by an independent program.

use feeds::iex::IexFeed;
use feeds::iex::transport::{DEEP, Segment, SegmentError, TOPS};
use model::{Event, FeedId, Flags, Kind, Side, Ts};
use proptest::prelude::*;

mod lines;

/// Printed by `iex_vectors.py`, beside this file.
const VECTORS: &str = include_str!("iex_vectors.txt");
const NOW: Ts = Ts(5_000);

/// A segment by its header fields.
#[derive(Clone)]
struct Build {
    protocol: u16,
    channel: u32,
    session: u32,
    first: u64,
    sent: u64,
    messages: Vec<Vec<u8>>,
}

impl Build {
    fn bytes(&self) -> Vec<u8> {
        let body: Vec<u8> = self
            .messages
            .iter()
            .flat_map(|message| [&(message.len() as u16).to_le_bytes()[..], message].concat())
            .collect();
        let mut bytes = vec![1, 0];
        bytes.extend(self.protocol.to_le_bytes());
        bytes.extend(self.channel.to_le_bytes());
        bytes.extend(self.session.to_le_bytes());
        bytes.extend((body.len() as u16).to_le_bytes());
        bytes.extend((self.messages.len() as u16).to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(self.first.to_le_bytes());
        bytes.extend(self.sent.to_le_bytes());
        bytes.extend(body);
        bytes
    }
}

fn level(px: i64, qty: u32, flags: u8) -> Vec<u8> {
    let mut message = vec![b'8', flags];
    message.extend(7_u64.to_le_bytes());
    message.extend(b"AAPL    ");
    message.extend(qty.to_le_bytes());
    message.extend(px.to_le_bytes());
    message
}

/// A segment of session 1 with `count` levels, whose prices are their numbers.
fn segment(first: u64, count: u64, sent: u64) -> Build {
    let messages = (first..first + count).map(|number| level(number as i64, 1, 1)).collect();
    Build { protocol: DEEP, channel: 1, session: 1, first, sent, messages }
}

/// An event in few words.
fn word(event: &Event) -> String {
    match event.believed() {
        Some((integrity, cause)) if event.kind == Kind::Integrity => {
            format!("{integrity}/{cause} {}", event.seq)
        }
        _ if event.kind == Kind::Level => format!("{} {}", event.px.0, event.seq),
        _ => format!("{} {}", event.kind, event.seq),
    }
}

fn play(feed: &mut IexFeed, bytes: &[u8]) -> Vec<String> {
    let mut words = Vec::new();
    feed.on_segment(bytes, NOW, |event| {
        assert_eq!(Event::from_words(&event.to_words()), Ok(event));
        assert_eq!((event.feed, event.ts_recv), (FeedId(2), NOW));
        words.push(word(&event));
    });
    words
}

fn begun() -> IexFeed {
    let mut feed = IexFeed::new(FeedId(2));
    let told = play(&mut feed, &segment(1, 2, 10).bytes());
    assert_eq!(told, ["clear 0", "live/none 0", "directory 1", "1 1", "2 2"]);
    feed
}

/// Goal: every field of every message is read from its place, however much longer the message is, and becomes what it
/// means. Method: vectors of all types.
#[test]
fn vectors() {
    let mut types = [0; 256];
    for line in VECTORS.lines() {
        let (hex, told) = line.split_once('\t').unwrap();
        let message: Vec<u8> = (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        types[usize::from(message.first().copied().unwrap_or(0))] += 1;
        let protocol = if message.first() == Some(&b'Q') { TOPS } else { DEEP };
        let build = Build { protocol, messages: vec![message], ..segment(1, 0, 10) };
        let mut feed = IexFeed::new(FeedId(2));
        let mut events = Vec::new();
        feed.on_segment(&build.bytes(), NOW, |event| events.push(event));
        let events = events.split_off(2); // Clear and Live: a session begins.
        let counters = feed.counters();
        if told == "bad" {
            let words: Vec<_> = events.iter().map(word).collect();
            if hex.is_empty() {
                assert_eq!((words, counters.unknown), (vec!["notice 1".to_string()], 1));
                continue;
            }
            assert_eq!(words, ["incomplete/bad_event 1", "notice 1"], "{line}");
            assert!(counters.bad == 1 && counters.first_bad.is_some(), "{line}");
            continue;
        }
        let said: Vec<_> = events
            .iter()
            .map(|event| {
                let system = event.kind == Kind::Session;
                assert_eq!(event.number.0, u32::from(!system), "{line}");
                assert_eq!((event.ts_venue, event.seq), (Ts(1_700_000_000_123_456_789), 1));
                let Event { kind, px, qty, aux, side, flags, .. } = event;
                let side = side.map_or("None", Side::name);
                format!("{kind} {} {} {aux} {side} {}", px.0, qty.0, flags.bits())
            })
            .collect();
        assert_eq!(said.join(";"), told, "{line}");
        assert_eq!((counters.messages, counters.types.iter().sum::<u64>()), (1, 1));
    }
    let known = b"SDHIOPE85TXBAQ".iter().all(|kind| types[usize::from(*kind)] >= 4);
    assert!(known, "a type without vectors");
}

/// Goal: what came already is passed over, whole segments and parts; what is missing is told before anything else, once, and
/// mends no more. Method: each in turn.
#[test]
fn duplicates_and_gaps() {
    let mut feed = begun();
    assert_eq!(play(&mut feed, &segment(1, 2, 10).bytes()), [""; 0]);
    assert_eq!(play(&mut feed, &segment(2, 3, 10).bytes()), ["3 3", "4 4"]);
    assert_eq!(play(&mut feed, &segment(5, 0, 12).bytes()), [""; 0], "a heartbeat in its place");
    assert_eq!(play(&mut feed, &segment(7, 1, 13).bytes()), ["incomplete/gap 6", "7 7"]);
    assert_eq!(play(&mut feed, &segment(5, 4, 13).bytes()), ["8 8"]);
    assert_eq!(play(&mut feed, &segment(11, 0, 15).bytes()), ["incomplete/gap 10"]);
    assert_eq!(play(&mut feed, &segment(11, 1, 16).bytes()), ["11 11"]);
    let seen = *feed.counters();
    assert_eq!((seen.duplicates, seen.gaps, seen.lost, seen.heartbeats), (2 + 1 + 3, 2, 4, 2));
    assert_eq!((seen.messages, seen.segments, seen.sessions), (7, 8, 1));
}

/// Goal: another session begins with empty books, whole only from its first message on; late segments of the one before do
/// not bring it back. Method: each in turn.
#[test]
fn sessions() {
    let mut feed = begun();
    play(&mut feed, &segment(9, 1, 20).bytes());
    let next = |first, count, sent| Build { session: 8, ..segment(first, count, sent) };
    let told = play(&mut feed, &next(1, 1, 30).bytes());
    assert_eq!(told, ["clear 0", "live/none 0", "directory 1", "1 1"]);
    assert_eq!(play(&mut feed, &segment(10, 1, 21).bytes()), [""; 0], "late");
    assert_eq!(play(&mut feed, &next(2, 1, 31).bytes()), ["2 2"]);
    let again = play(&mut feed, &next(1, 0, 32).bytes());
    let begun = ["incomplete/not_started 0", "clear 0"];
    assert_eq!(again, begun, "the numbers began again");
    assert_eq!(play(&mut feed, &next(1, 0, 31).bytes()), [""; 0], "an old heartbeat");
    assert_eq!(play(&mut feed, &next(3, 1, 31).bytes()), [""; 0], "an earlier message");
    let told = play(&mut feed, &next(1, 1, 33).bytes());
    assert_eq!(told, ["live/none 0", "directory 1", "1 1"], "the first message proves it");
    let late = Build { session: 9, ..segment(4, 1, 40) };
    let told = play(&mut feed, &late.bytes());
    assert_eq!(told, ["incomplete/not_started 3", "clear 3", "directory 4", "4 4"]);
    assert_eq!((feed.counters().sessions, feed.counters().late), (4, 3));

    let mut feed = IexFeed::new(FeedId(2));
    let idle = play(&mut feed, &segment(0, 0, 10).bytes());
    assert_eq!(idle, begun, "before any message");
    assert_eq!(play(&mut feed, &segment(0, 0, 11).bytes()), [""; 0], "and still");
    let told = play(&mut feed, &segment(1, 1, 12).bytes());
    assert_eq!(told, ["live/none 0", "directory 1", "1 1"]);
}

/// Goal: one feed is one stream: others are counted and left. Method: another channel, protocol, and what is no segment.
#[test]
fn strangers() {
    let mut feed = begun();
    let other = Build { channel: 2, ..segment(3, 1, 11) };
    assert_eq!(play(&mut feed, &other.bytes()), [""; 0]);
    let other = Build { protocol: TOPS, ..segment(3, 1, 11) };
    assert_eq!(play(&mut feed, &other.bytes()), [""; 0]);
    let other = Build { protocol: 0x8005, ..segment(3, 1, 11) };
    assert_eq!(play(&mut feed, &other.bytes()), [""; 0]);
    assert_eq!(play(&mut feed, b"no segment"), [""; 0]);
    assert_eq!(play(&mut feed, &segment(3, 1, 11).bytes()), ["3 3"]);
    assert_eq!((feed.counters().foreign, feed.counters().refused), (2, 2));
    assert_eq!(feed.counters().first_refused, Some(SegmentError::Short { got: 10 }));
}

/// Goal: a symbol that is none gives no event of an instrument, however often it comes. Method: blanks and control
/// characters, twice.
#[test]
fn bad_symbols() {
    let mut feed = begun();
    for symbol in [*b"        ", *b"\x01BCD    ", *b"A B     "] {
        let mut message = level(5, 1, 1);
        message[10..18].copy_from_slice(&symbol);
        let first = feed.counters().messages + 1;
        let build = Build { messages: vec![message.clone(), message], ..segment(first, 0, 11) };
        let told = play(&mut feed, &build.bytes());
        assert_eq!(told, [format!("notice {first}"), format!("notice {}", first + 1)]);
    }
    assert_eq!(feed.counters().unlisted, 6);
}

/// Goal: a cut or bent segment is refused with its place. Method: every length; each field of the header.
#[test]
fn bent_segments() {
    let good = segment(1, 3, 10).bytes();
    for end in 0..good.len() {
        let error = Segment::new(&good[..end]).unwrap_err();
        let got = end as u32;
        match end {
            ..40 => assert_eq!(error, SegmentError::Short { got }),
            _ => assert_eq!(error, SegmentError::Length { announced: 96, got: got - 40 }),
        }
    }
    let bend = |at: usize, with: &[u8]| {
        let mut bent = good.clone();
        bent[at..at + with.len()].copy_from_slice(with);
        Segment::new(&bent).map(|segment| segment.count)
    };
    assert_eq!(Segment::new(&good).map(|segment| segment.count), Ok(3));
    assert_eq!(bend(0, &[2]), Err(SegmentError::Version { version: 2 }));
    assert_eq!(bend(14, &[2]), Err(SegmentError::Message { offset: 104 }), "bytes are left");
    assert_eq!(bend(14, &[4]), Err(SegmentError::Message { offset: 136 }), "a message is missing");
    assert_eq!(bend(72, &[0xFF]), Err(SegmentError::Message { offset: 72 }));
    assert_eq!(bend(24, &[0; 8]), Err(SegmentError::Sequence { first: 0, count: 3 }));
    let last = u64::MAX - 2;
    assert_eq!(
        bend(24, &last.to_le_bytes()),
        Err(SegmentError::Sequence { first: last, count: 3 })
    );
    assert_eq!(bend(24, &(last - 1).to_le_bytes()), Ok(3));
}

proptest! {
    /// Goal: whatever is lost, repeated or delayed, each number is told once and in order, every one that is missing lies
    /// before an Integrity event, and a feed that missed one never says Live again. Method: any segments of one session, each
    /// with the time that it was sent at, whenever it comes.
    #[test]
    fn any_schedule(steps in prop::collection::vec((0..12_u64, any::<bool>()), 1..60)) {
        let mut feed = IexFeed::new(FeedId(2));
        let (mut last, mut told, mut live) = (0, 0, false);
        let (from, has_messages) = steps[0];
        for (at, is_message) in steps {
            // A heartbeat is sent before the message that it announces. What was sent before the first segment is not waited for.
            let (first, count) = (1 + 3 * at, if is_message { 3 } else { 0 });
            let bytes = segment(first, count, 10 * at + count).bytes();
            let mut holes = 0;
            feed.on_segment(&bytes, NOW, |event| {
                match event.kind {
                    Kind::Integrity => {
                        let believed = event.believed().unwrap().0;
                        live = believed == model::Integrity::Live;
                        last = event.seq;
                    }
                    Kind::Level => {
                        holes += u64::from(event.seq != last + 1);
                        holes += u64::from(event.px.0 as u64 != event.seq);
                        last = event.seq;
                        told += 1;
                    }
                    _ => {}
                }
            });
            prop_assert_eq!(holes, 0);
        }
        let seen = feed.counters();
        prop_assert_eq!(seen.messages, told);
        prop_assert_eq!(live, seen.gaps == 0 && from == 0 && (has_messages || told > 0));
    }

    /// Goal: of two lines, each message that either brings is told once and in order, and only what both lose is lost.
    /// Method: lines that lose segments, one behind the other, and time that passes at the end.
    #[test]
    fn two_lines(lost in prop::collection::vec((any::<bool>(), any::<bool>()), 1..80), skew in 0..20_usize) {
        let mut feed = IexFeed::of_two_lines(FeedId(2));
        let mut seqs = Vec::new();
        let mut live = false;
        let mut emit = |event: Event| {
            if let Some((said, _)) = event.believed().filter(|_| event.kind == Kind::Integrity) {
                live = said == model::Integrity::Live;
            } else if event.kind == Kind::Level {
                seqs.push(event.seq);
            }
        };
        let bytes = |at: usize| segment(1 + 2 * at as u64, 2, 10 + at as u64).bytes();
        feed.on_segment(&bytes(0), NOW, &mut emit);
        for at in 1..=lost.len() + skew {
            if lost.get(at - 1).is_some_and(|(a, _)| !a) {
                feed.on_segment(&bytes(at), NOW, &mut emit);
            }
            if at > skew && !lost[at - skew - 1].1 {
                feed.on_segment(&bytes(at - skew), NOW, &mut emit);
            }
        }
        feed.on_time(feed.wake_at().unwrap_or(NOW), &mut emit);
        prop_assert_eq!(feed.wake_at(), None);
        let heard = |at: &usize| *at == 0 || lost[at - 1] != (true, true);
        let heard: Vec<_> = (0..=lost.len()).filter(heard).collect();
        let known: Vec<_> = heard.iter().map(|at| 2 * *at as u64 + 1).flat_map(|seq| [seq, seq + 1]).collect();
        let holes = 2 * (heard.last().unwrap() + 1 - heard.len()) as u64;
        prop_assert_eq!(seqs, known);
        prop_assert_eq!(live, holes == 0);
        prop_assert_eq!(feed.counters().lost, holes);
    }

    /// Goal: no bytes panic. Method: any bytes, and a good segment with some bytes bent.
    #[test]
    fn any_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        bends in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..9),
    ) {
        let mut feed = IexFeed::new(FeedId(2));
        feed.on_segment(&bytes, NOW, |_| ());
        let mut bent = segment(1, 3, 10).bytes();
        for (at, with) in bends {
            let at = at.index(bent.len());
            bent[at] = with;
        }
        play(&mut feed, &bent);
        play(&mut feed, &segment(2, 1, 11).bytes());
    }
}

/// Goal: numbers that begin again with messages are another beginning, whole or not, and no copies of what came. Method: with
/// the first message, and within.
#[test]
fn numbers_begin_again() {
    let again = |first, px| {
        let messages = vec![level(px, 1, 1), level(px + 1, 1, 1)];
        Build { messages, ..segment(first, 0, px as u64) }
    };
    let mut feed = IexFeed::new(FeedId(2));
    play(&mut feed, &segment(1, 3, 100).bytes());
    assert_eq!(play(&mut feed, &segment(1, 3, 100).bytes()), [""; 0], "a copy");
    let told = play(&mut feed, &again(1, 200).bytes());
    assert_eq!(told, ["clear 0", "live/none 0", "directory 1", "200 1", "201 2"]);
    assert_eq!(play(&mut feed, &segment(3, 1, 101).bytes()), [""; 0], "an earlier one");
    assert_eq!(play(&mut feed, &again(3, 210).bytes()), ["210 3", "211 4"]);
    let told = play(&mut feed, &again(3, 300).bytes());
    let joined = ["incomplete/not_started 2", "clear 2", "directory 3", "300 3", "301 4"];
    assert_eq!(told, joined, "its first segment was lost");
    let seen = *feed.counters();
    assert_eq!((seen.sessions, seen.duplicates, seen.late, seen.gaps), (3, 3, 1, 0));
}

/// Goal: one bad datagram does not take a session away. Method: a heartbeat of another session, sent at a time that cannot be;
/// one at a time that can: the session comes back, incomplete.
#[test]
fn one_bad_datagram() {
    let mut feed = begun();
    let bad = |sent| Build { session: 9, ..segment(0, 0, sent) }.bytes();
    assert_eq!(play(&mut feed, &bad(u64::MAX)), [""; 0]);
    assert_eq!(play(&mut feed, &bad(NOW.0 + 60_000_000_001)), [""; 0]);
    assert_eq!(play(&mut feed, &segment(3, 1, 11).bytes()), ["3 3"]);
    assert_eq!(feed.counters().untimely, 2);
    let told = play(&mut feed, &bad(NOW.0 + 60_000_000_000));
    assert_eq!(told, ["incomplete/not_started 0", "clear 0"], "no message: nothing is proven");
    for number in 4..4 + 255 {
        assert_eq!(play(&mut feed, &segment(number, 1, 8 + number).bytes()), [""; 0]);
    }
    let told = play(&mut feed, &segment(259, 1, 267).bytes());
    assert_eq!(told, ["incomplete/not_started 258", "clear 258", "directory 259", "259 259"]);
    assert_eq!(play(&mut feed, &segment(260, 1, 268).bytes()), ["260 260"]);
    assert_eq!((feed.counters().late, feed.counters().sessions), (255, 3));

    // Where times cannot be compared at all, they are not.
    let mut feed = IexFeed::new(FeedId(2));
    play(&mut feed, &segment(1, 2, u64::MAX - 1).bytes());
    assert_eq!(play(&mut feed, &segment(3, 1, u64::MAX).bytes()), ["3 3"]);
}

/// Goal: who hears a feed hears its heartbeats, at the place where the books stand and not too often. Method: two lines that beat
/// every second, and a beat that tells of more.
#[test]
fn heartbeats() {
    let mut feed = IexFeed::of_two_lines(FeedId(2));
    play(&mut feed, &segment(1, 2, 10).bytes());
    let mut told = Vec::new();
    for second in 1..10 {
        for line in 0..2 {
            let (now, beat) = (Ts(second * 1_000_000_000 + line), segment(3, 0, 11 + second));
            feed.on_segment(&beat.bytes(), now, |event| told.push((word(&event), event.ts_recv)));
        }
        assert_eq!(told, [("notice 2".to_owned(), Ts(second * 1_000_000_000))]);
        told.clear();
    }
    let more = segment(4, 0, 30).bytes();
    feed.on_segment(&more, Ts(11_000_000_000), |event| told.push((word(&event), event.ts_recv)));
    assert_eq!(told, []);
}

/// Goal: a quote moves both best levels without crossing on the way. Method: a bid that rises through the old ask.
#[test]
fn quotes_do_not_cross() {
    let quote = |bid: (i64, u32), ask: (i64, u32)| {
        let mut message = vec![b'Q', 0];
        message.extend(7_u64.to_le_bytes());
        message.extend(b"AAPL    ");
        message.extend(bid.1.to_le_bytes());
        message.extend(bid.0.to_le_bytes());
        message.extend(ask.0.to_le_bytes());
        message.extend(ask.1.to_le_bytes());
        message
    };
    let messages = vec![
        quote((10, 1), (11, 1)),
        quote((12, 2), (13, 2)),
        quote((12, 2), (13, 2)),
        quote((12, 3), (0, 0)),
    ];
    let build = Build { protocol: TOPS, messages, ..segment(1, 0, 10) };
    let mut told = Vec::new();
    IexFeed::new(FeedId(2)).on_segment(&build.bytes(), NOW, |event| {
        if [Kind::Level, Kind::Notice].contains(&event.kind) {
            let side = event.side.map_or("-", Side::name);
            let mark = if event.flags.has(Flags::EVENT_COMPLETE) { "!" } else { "" };
            told.push(format!("{} {side} {} {}{mark}", event.seq, event.px.0, event.qty.0));
        }
    });
    let known = [
        "1 buy 10 1",
        "1 sell 11 1!",
        "2 buy 10 0",
        "2 sell 11 0",
        "2 buy 12 2",
        "2 sell 13 2!",
        "3 - 0 0",
        "4 sell 13 0",
        "4 buy 12 3!",
    ];
    assert_eq!(told, known);
}
