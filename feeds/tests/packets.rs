//! Captures of packets as a network holds them: strangers among them, packets missing, the end cut off.

use std::path::{Path, PathBuf};

use feeds::capture::{Capture, kind_of};
use feeds::session::mold::PacketWriter;
use feeds::session::{SESSION_JOINED, SessionId};
use feeds::sink::PcapngWriter;
use feeds::source::{LinkType, SourceCause};
use feeds::{Counters, FeedCause, FeedError, FeedOptions, Next, Venue};
use model::{Event, Kind, Ts};

const LINES: [&str; 2] = ["233.252.0.1:26400", "233.252.0.2:26400"];
const MESSAGE: &[u8] = b"S\0\0\0\0\0\0\0\0\0\x01Q";

/// A capture being written: a packet a millisecond.
struct Tape {
    out: PcapngWriter<Vec<u8>>,
    now: Ts,
}

impl Tape {
    fn new() -> Tape {
        let mut out = PcapngWriter::new(Vec::new()).unwrap();
        out.interface(LinkType::ETHERNET, "any").unwrap();
        Tape { out, now: Ts(1_700_000_000_000_000_000) }
    }

    fn udp(&mut self, to: &str, payload: &[u8]) {
        self.now.0 += 1_000_000;
        let from = "10.0.0.1:5353".parse().unwrap();
        self.out.udp(0, self.now, from, to.parse().unwrap(), payload).unwrap();
    }

    /// A segment of a stream.
    fn tcp(&mut self, payload: &[u8]) {
        self.now.0 += 1_000_000;
        let mut frame = vec![0; 54];
        frame[12] = 8;
        frame[14] = 0x45;
        frame[16..18].copy_from_slice(&(40 + payload.len() as u16).to_be_bytes());
        (frame[22], frame[23], frame[46]) = (64, 6, 5 << 4);
        frame.extend(payload);
        self.out.packet(0, self.now, &frame, frame.len() as u32).unwrap();
    }

    fn save(self, folder: &Path) -> PathBuf {
        let path = folder.join("tape.pcapng");
        std::fs::write(&path, self.out.into_inner()).unwrap();
        path
    }
}

/// A MoldUDP64 packet with two messages from `first` on.
fn mold(first: u64) -> Vec<u8> {
    let mut packet = PacketWriter::new(SessionId(*b"SESSION001"), first, 1_400);
    assert!(packet.push(MESSAGE) && packet.push(MESSAGE));
    packet.packet().to_vec()
}

/// A segment of IEX with one message of an unknown type.
fn segment(first: u64, sent: Ts) -> Vec<u8> {
    let mut bytes = vec![1, 0, 4, 0x80, 1, 0, 0, 0, 7, 0, 0, 0, 3, 0, 1, 0];
    bytes.extend([0; 8]);
    bytes.extend(first.to_le_bytes());
    bytes.extend(sent.0.to_le_bytes());
    bytes.extend([1, 0, b'?']);
    bytes
}

fn read(path: &Path) -> (Vec<Event>, Counters, Result<(), FeedError>) {
    let venue = kind_of(path).unwrap().venue.unwrap();
    let mut feed =
        Capture::open(venue, &[path.to_path_buf()], FeedOptions::default(), &[]).unwrap();
    let mut events = Vec::new();
    loop {
        match feed.next() {
            Ok(Next::Event(event)) => events.push(event),
            Ok(Next::End) => return (events, feed.counters(), Ok(())),
            Err(error) => return (events, feed.counters(), Err(error)),
        }
    }
}

/// Goal: an address is a line because of what is sent there, not because it is heard first. Method: strangers before and among
/// the packets of two lines of each protocol; a stream that carries the same.
#[test]
fn strangers() {
    let folder = tempfile::tempdir().unwrap();
    for venue in [Venue::NasdaqItch, Venue::Iex] {
        let mut tape = Tape::new();
        for first in [1_u64, 3, 5, 7] {
            let first = if venue == Venue::Iex { first.div_ceil(2) } else { first };
            let packet = if venue == Venue::Iex { segment(first, tape.now) } else { mold(first) };
            tape.tcp(&packet);
            tape.udp("224.0.0.251:5353", b"\0\0\0\0\0\x01\0\0\0\0\0\0\x05local\0\0\x0C\0\x01");
            tape.udp("239.255.255.250:1900", b"M-SEARCH * HTTP/1.1\r\nMX: 1\r\n\r\n");
            LINES.iter().for_each(|line| tape.udp(line, &packet));
        }
        let path = tape.save(folder.path());
        assert_eq!(kind_of(&path).unwrap().venue, Some(venue));
        let (events, seen, outcome) = read(&path);
        assert_eq!(outcome, Ok(()));
        let known = if venue == Venue::Iex { 4 } else { 8 };
        let said = |event: &&Event| {
            matches!(event.kind, Kind::Session | Kind::Notice) && event.aux != SESSION_JOINED
        };
        assert_eq!(events.iter().filter(said).count(), known, "{venue}");
        assert_eq!((seen.messages, seen.foreign, seen.bad), (known as u64, 12, 0), "{venue}");
        assert_eq!((seen.gaps, seen.lost, seen.cut, seen.rejected), (0, 0, 0, 0), "{venue}");
    }
}

/// Goal: captures that hold no message of the venue are an error, not an empty day. Method: a heartbeat and strangers.
#[test]
fn no_message() {
    let folder = tempfile::tempdir().unwrap();
    let mut tape = Tape::new();
    tape.udp(LINES[0], PacketWriter::new(SessionId(*b"SESSION001"), 1, 1_400).packet());
    tape.udp("239.255.255.250:1900", b"M-SEARCH * HTTP/1.1\r\nMX: 1\r\n\r\n");
    let (_, seen, outcome) = read(&tape.save(folder.path()));
    assert_eq!(outcome.unwrap_err().cause, FeedCause::NoMessage);
    assert_eq!((seen.messages, seen.foreign), (0, 1));
}

/// Goal: what is missing is counted, whatever took it. Method: a packet left out, a frame that is a fragment, one that is no IP,
/// and the end cut off; of each protocol.
#[test]
fn what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    for venue in [Venue::NasdaqItch, Venue::Iex] {
        let mut tape = Tape::new();
        for first in [1, 3, 7, 9] {
            let packet = if venue == Venue::Iex { segment(first, tape.now) } else { mold(first) };
            tape.udp(LINES[0], &packet);
        }
        let arp = [[0; 12].as_slice(), &[8, 6], &[0; 46]].concat();
        tape.out.packet(0, tape.now, &arp, arp.len() as u32).unwrap();
        let mut fragment = vec![0; 54];
        (fragment[12], fragment[14], fragment[17], fragment[20]) = (8, 0x45, 40, 0x20);
        (fragment[22], fragment[23]) = (64, 17);
        tape.out.packet(0, tape.now, &fragment, fragment.len() as u32).unwrap();
        tape.udp(LINES[0], &mold(11));
        let path = tape.save(folder.path());
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 10]).unwrap();
        let (_, seen, outcome) = read(&path);
        let known = if venue == Venue::Iex { (4, 3, 5) } else { (8, 1, 2) };
        assert_eq!((seen.messages, seen.gaps, seen.lost), known, "{venue}");
        assert_eq!((outcome, seen.cut, seen.rejected), (Ok(()), 1, 2), "{venue}");
    }
}

/// Goal: only what is missing is lost, however much comes while answers are waited for that nobody recorded. Method: ten packets
/// a millisecond, two of them left out.
#[test]
fn nothing_else_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mut tape = Tape::new();
    let missing = [1_000, 20_000];
    for number in (0..30_000_u64).filter(|number| !missing.contains(number)) {
        tape.udp(LINES[0], &mold(1 + 2 * number));
        tape.now.0 -= 900_000;
    }
    let (_, seen, outcome) = read(&tape.save(folder.path()));
    assert_eq!(outcome, Ok(()));
    assert_eq!((seen.messages, seen.gaps, seen.lost), (2 * 29_998, 2, 4));
}

/// Goal: an answer that was recorded counts, whatever was not answered before it. Method: a day that begins in its middle, a gap
/// without an answer, one that is answered half a second later.
#[test]
fn answers_count() {
    let folder = tempfile::tempdir().unwrap();
    let mut tape = Tape::new();
    for number in (100..10_000_u64).filter(|number| ![1_000, 5_000].contains(number)) {
        tape.udp(LINES[0], &mold(1 + 2 * number));
        tape.udp(LINES[1], &mold(1 + 2 * number));
        if number == 5_250 {
            tape.udp("10.0.0.7:4000", &mold(1 + 2 * 5_000));
        }
    }
    let (_, seen, outcome) = read(&tape.save(folder.path()));
    assert_eq!(outcome, Ok(()));
    assert_eq!((seen.messages, seen.lost), (2 * 9_899, 2 * 100 + 2));
}

/// Goal: what can be read only once is refused before it is read. Method: a socket in a capture's place.
#[test]
fn a_capture_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let refused = kind_of(&path).unwrap_err();
    assert_eq!(refused.cause, FeedCause::Source(SourceCause::NotAFile));
}
