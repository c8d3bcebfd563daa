//! Damaged captures: no bytes make a feed panic, hang, or grow.

use std::io::{Cursor, Read, Write};
use std::sync::Arc;

use feeds::nasdaq::message::Message;
use feeds::source::{BinaryFile, SourceCause};
use feeds::{FeedCause, FeedError, FeedOptions, FileFeed, Input, Next};
use model::Kind;
use proptest::prelude::*;

/// One message of each vector of `vectors.txt`, framed, with an end marker.
fn capture() -> Vec<u8> {
    let mut capture = Vec::new();
    for line in include_str!("vectors.txt").lines() {
        let hex = line.split('\t').next().unwrap();
        let message: Vec<u8> = (0..hex.len() / 2)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        capture.extend((message.len() as u16).to_be_bytes());
        capture.extend(message);
    }
    capture.extend([0, 0]);
    capture
}

/// Reads to the end or the error, and counts the events of messages; more than bytes would be a loop.
fn drain(bytes: &[u8]) -> (u64, Result<feeds::Counters, FeedError>) {
    let inputs = vec![Input::Bytes(Arc::from(bytes))];
    let mut feed = FileFeed::from_inputs(inputs, FeedOptions::default()).unwrap();
    let mut events = 0;
    for _ in 0..=bytes.len() as u64 {
        match feed.next() {
            Ok(Next::Event(event)) => events += u64::from(event.kind != Kind::Integrity),
            Ok(Next::End) => {
                assert_eq!(feed.next(), Ok(Next::End), "the end stays the end");
                return (events, Ok(feed.counters()));
            }
            Err(error) => {
                assert_eq!(feed.next(), Err(error), "an error stays");
                return (events, Err(error));
            }
        }
    }
    panic!("more events than bytes");
}

/// Goal: a capture cut anywhere ends cleanly between frames and is refused inside one, with the offset of
/// the frame. Method: cut at every byte.
#[test]
fn truncated_at_every_byte() {
    let whole = capture();
    let (events, counters) = drain(&whole);
    let counters = counters.unwrap();
    assert_eq!(counters.messages, events + counters.bad);
    assert_eq!((counters.missing_end, counters.bytes), (0, whole.len() as u64));

    let mut frame_start = 0;
    for cut in 0..whole.len() - 2 {
        let length = usize::from(u16::from_be_bytes([whole[frame_start], whole[frame_start + 1]]));
        if cut == frame_start + 2 + length {
            frame_start = cut;
        }
        let (_, outcome) = drain(&whole[..cut]);
        if cut == 0 {
            let cause = FeedCause::Source(SourceCause::Empty);
            assert_eq!(outcome, Err(FeedError { file: 0, offset: 0, cause }));
        } else if cut == frame_start {
            assert_eq!(outcome.unwrap().missing_end, 1, "cut at {cut}");
        } else {
            let got = (cut - frame_start) as u32;
            let need = if got < 2 { 2 } else { 2 + length as u32 };
            let cause = FeedCause::Source(SourceCause::InsideFrame { need, got });
            assert_eq!(outcome, Err(FeedError { file: 0, offset: frame_start as u64, cause }));
        }
    }
    let one_byte_of_the_marker = drain(&whole[..whole.len() - 1]).1.unwrap_err();
    assert_eq!(one_byte_of_the_marker.offset, whole.len() as u64 - 2);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// Goal: a compressed capture reads like a plain one whatever it is called, and a cut one is refused.
/// Method: files of both kinds under the same name, one of two gzip members, and one cut at every 16th byte
/// and at each of its last.
#[test]
fn gzip_by_magic() {
    let whole = capture();
    let (first, second) = whole.split_at(whole.len() / 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day");
    let read = |bytes: &[u8]| -> Result<feeds::Counters, FeedError> {
        std::fs::write(&path, bytes).unwrap();
        let mut feed = FileFeed::open(std::slice::from_ref(&path), FeedOptions::default())?;
        while let Next::Event(_) = feed.next()? {}
        Ok(feed.counters())
    };
    let plain = read(&whole).unwrap();
    assert_eq!(read(&gzip(&whole)).unwrap(), plain);
    assert_eq!(read(&[gzip(first), gzip(second)].concat()).unwrap(), plain, "two members");
    let compressed = gzip(&whole);
    let trailer = compressed.len() - 20;
    for cut in (0..trailer).step_by(16).chain(trailer..compressed.len()) {
        let outcome = read(&compressed[..cut]);
        assert!(outcome.is_err(), "cut at {cut}");
    }
}

/// A reader that hands out a byte at a time, and fails at the end.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let Some((byte, rest)) = self.0.split_first() else {
            return Err(std::io::ErrorKind::TimedOut.into());
        };
        (self.0, buffer[0]) = (rest, *byte);
        Ok(1)
    }
}

/// Goal: short reads change nothing, and a failing read is told with its place. Method: a byte at a time,
/// then an error.
#[test]
fn short_reads_and_failing_reads() {
    let whole = capture();
    let end = whole.len() - 2;
    let mut quick = BinaryFile::from_reader(Cursor::new(&whole));
    let mut slow = BinaryFile::from_reader(Failing(&whole[..end]));
    while let Some(frame) = quick.next_frame().unwrap() {
        assert_eq!(slow.next_frame().unwrap(), Some(frame));
    }
    let error = slow.next_frame().unwrap_err();
    assert_eq!(error.offset, end as u64);
    assert_eq!(error.cause, SourceCause::Read(std::io::ErrorKind::TimedOut));
    assert_eq!(slow.next_frame(), Err(error));
}

/// Goal: nothing may follow the end of the session. Method: one byte does.
#[test]
fn bytes_after_the_end() {
    let mut bytes = capture();
    let offset = bytes.len() as u64;
    bytes.push(0);
    let (_, outcome) = drain(&bytes);
    let cause = FeedCause::Source(SourceCause::AfterEnd);
    assert_eq!(outcome, Err(FeedError { file: 0, offset, cause }));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    /// Goal: no damage panics or loops. Method: flip random bits of a whole capture; every frame is still
    /// accounted for.
    #[test]
    fn flipped_bits(flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 1..40)) {
        let mut bytes = capture();
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        let (events, outcome) = drain(&bytes);
        if let Ok(counters) = outcome {
            prop_assert_eq!(counters.messages, events + counters.bad);
            prop_assert_eq!(counters.bytes, bytes.len() as u64);
        }
    }

    /// Goal: no bytes at all panic or loop. Method: random bytes, plain, and behind the magic of gzip.
    #[test]
    fn random_bytes(mut bytes in prop::collection::vec(any::<u8>(), 0..4_000), framed in any::<bool>()) {
        if framed {
            let lengths = Message::LENGTHS;
            let mut at = 0;
            while at + 3 < bytes.len() {
                let (kind, length) = lengths[usize::from(bytes[at]) % lengths.len()];
                bytes[at..at + 3].copy_from_slice(&[0, length as u8, kind]);
                at += 2 + length;
            }
        }
        let _ = drain(&bytes);
        bytes.splice(0..0, [0x1F, 0x8B, 8, 0]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("day");
        std::fs::write(&path, &bytes).unwrap();
        let mut feed = FileFeed::open(&[path], FeedOptions::default()).unwrap();
        while let Ok(Next::Event(_)) = feed.next() {}
    }
}
