use std::io::Cursor;

use proptest::prelude::*;

use super::*;

/// Owned, to compare: time, text, direction, offset.
type Read = (Option<u64>, Vec<u8>, Direction, u64);

fn read(bytes: &[u8], line_max: u32) -> (Vec<Read>, LineCounts, Result<(), SourceError>) {
    let mut source = LineSource::with_line_max(Cursor::new(bytes), line_max);
    let mut lines = Vec::new();
    let outcome = loop {
        match source.next_line() {
            Ok(Some(Line { ts, text, direction, offset })) => {
                lines.push((ts.map(|ts| ts.0), text.to_vec(), direction, offset));
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    match outcome {
        Ok(()) => assert_eq!(source.next_line(), Ok(None), "the end stays the end"),
        Err(error) => assert_eq!(source.next_line(), Err(error), "an error stays"),
    }
    (lines, source.counts(), outcome)
}

fn one(line: &str) -> (Option<u64>, String, Direction) {
    let (mut lines, counts, outcome) = read(line.as_bytes(), LINE_MAX);
    assert_eq!((counts.lines, outcome), (1, Ok(())), "{line}");
    let (ts, text, direction, _) = lines.remove(0);
    (ts, String::from_utf8(text).unwrap(), direction)
}

/// Goal: every known form gives its time, text and direction; whatever is nearly one is handed out whole.
/// Method: one line of each, then lines that are wrong in one place.
#[test]
fn forms() {
    use Direction::{Answered, Opened, Received, Sent, Unmarked};
    let known = [
        ("1723161253937085768 {\"a\":1}", Some(1_723_161_253_937_085_768), "{\"a\":1}", Received),
        ("0 x", Some(0), "x", Received),
        ("1618678132.8258188: [1]", Some(1_618_678_132_825_818_800), "[1]", Received),
        ("1618678132.123456789: {}", Some(1_618_678_132_123_456_789), "{}", Received),
        ("1618678132: {}", Some(1_618_678_132_000_000_000), "{}", Received),
        ("wss://a.b/c <- 1.5: {}", Some(1_500_000_000), "{}", Sent),
        ("https://a.b/c?d=e -> 1.5: {}", Some(1_500_000_000), "{}", Answered),
        ("wss://a.b:1/c <-> 1.000000001", Some(1_000_000_001), "", Opened),
        ("{\"ts\":1}", None, "{\"ts\":1}", Received),
        ("[1,2]", None, "[1,2]", Received),
    ];
    for (line, ts, text, direction) in known {
        assert_eq!(one(line), (ts, text.into(), direction), "{line}");
    }
    let unknown = [
        "1.5 {}",
        "1.5:{}",
        "1. 5: {}",
        "1.1234567890: {}",
        "1.2.3: {}",
        ".5: {}",
        "18446744073709551616 {}",
        "18446744074.0: {}",
        "99999999999999999999.0: {}",
        "123",
        " 1 {}",
        "wss://a <- x: {}",
        "wss://a <= 1.5: {}",
        "a <- 1.5: {}",
        "wss://a <-> 1.5: {}",
        "wss://a <->1.5",
        "configuration: {}",
        "\u{0}\u{7f}",
    ];
    for line in unknown {
        assert_eq!(one(line), (None, line.into(), Unmarked), "{line}");
    }
}

/// Goal: lines end with LF or CRLF, the last may lack its end, empty ones are counted, offsets are those of
/// the first byte. Method: a text with all of them.
#[test]
fn ends() {
    let text = b"1 a\n\n2 b\r\n\r\n3 c\rd\r\n4 e";
    let (lines, counts, outcome) = read(text, LINE_MAX);
    let line =
        |ts, text: &str, offset| (Some(ts), text.as_bytes().to_vec(), Direction::Received, offset);
    let expected = [line(1, "a", 0), line(2, "b", 5), line(3, "c\rd", 12), line(4, "e", 19)];
    assert_eq!(lines, expected);
    assert_eq!(outcome, Ok(()));
    assert_eq!(counts, LineCounts { lines: 4, empty: 2, unmarked: 0, cut: 0 });
    assert_eq!(read(b"", LINE_MAX).1, LineCounts::default());
    assert_eq!(read(b"\n\r\n", LINE_MAX).1.empty, 2);
    assert_eq!(read(b"1 a\r", LINE_MAX).0, [line(1, "a", 0)]);
}

/// Goal: the longest line is read, one byte more is refused with the offset of the line, however it ends.
/// Method: lines of both lengths with each end, behind a line that moves them.
#[test]
fn longest_line() {
    for end in ["", "\n", "\r\n"] {
        let text = |length| format!("1 a\n{}{end}", "x".repeat(length));
        let (lines, _, outcome) = read(text(10).as_bytes(), 10);
        assert_eq!((lines.len(), outcome), (2, Ok(())), "{end:?}");
        let (lines, _, outcome) = read(text(11).as_bytes(), 10);
        let cause = SourceCause::LineTooLong { max: 10 };
        assert_eq!((lines.len(), outcome), (1, Err(SourceError { offset: 4, cause })), "{end:?}");
        let (_, _, outcome) = read(text(1_000).as_bytes(), 10);
        assert_eq!(outcome, Err(SourceError { offset: 4, cause }), "{end:?}");
    }
}

/// Goal: a compressed stream that was cut off gives its whole lines; the piece of a line is left out, and the
/// cut is counted. Method: a reader that ends as a decompressor of such a stream does.
#[test]
fn cut_off() {
    struct CutOff<'a>(&'a [u8]);
    impl std::io::Read for CutOff<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
                got => Ok(got),
            }
        }
    }
    for (text, lines) in [("", 0), ("1 a\n", 1), ("1 a\n2 {\"b", 1), ("1 a\n2 b\n", 2)] {
        let mut source = LineSource::from_reader(CutOff(text.as_bytes()));
        let read = std::iter::from_fn(|| source.next_line().unwrap().map(drop)).count();
        assert_eq!((read, source.counts().cut), (lines, 1), "{text:?}");
        assert_eq!(source.next_line(), Ok(None));
    }
}

/// What a slow, obvious reader makes of a text: the lines that are not empty, and where they begin.
fn naive(text: &[u8]) -> Vec<(Vec<u8>, u64)> {
    let mut lines = Vec::new();
    let mut offset = 0;
    for line in text.split(|byte| *byte == b'\n') {
        let bare = line.strip_suffix(b"\r").unwrap_or(line);
        if !bare.is_empty() {
            lines.push((bare.to_vec(), offset));
        }
        offset += line.len() as u64 + 1;
    }
    lines
}

proptest! {
    /// Goal: lines are found where they are, across the edges of blocks and of the buffer, and no bytes panic.
    /// Method: bytes rich in ends of lines, long runs between them, in reads of any size; against [`naive`].
    #[test]
    fn as_the_naive_reader(
        parts in prop::collection::vec(
            prop_oneof![
                Just(b"\n".to_vec()), Just(b"\r\n".to_vec()), Just(b"\r".to_vec()),
                Just(b"17 {}".to_vec()), Just(b"wss://a <- 1.5: ".to_vec()),
                prop::collection::vec(any::<u8>(), 0..200),
            ],
            0..40,
        ),
        chunk in 1_usize..300,
    ) {
        let text = parts.concat();
        let expected = naive(&text);
        let mut source = LineSource::from_reader(Chunks { left: &text, chunk });
        for (whole, offset) in &expected {
            let line = source.next_line().unwrap().unwrap();
            prop_assert_eq!(line.offset, *offset);
            prop_assert!(whole.ends_with(line.text));
            if line.direction == Direction::Unmarked {
                prop_assert_eq!(line.text, &whole[..]);
            }
        }
        prop_assert_eq!(source.next_line(), Ok(None));
        prop_assert_eq!(source.counts().lines, expected.len() as u64);
    }
}

/// A reader that gives at most `chunk` bytes at a time.
struct Chunks<'a> {
    left: &'a [u8],
    chunk: usize,
}

impl std::io::Read for Chunks<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = self.chunk.min(buffer.len());
        self.left.read(&mut buffer[..most])
    }
}

/// Goal: whatever a recorder may have written is read. Method: the longest body behind the longest time, and one byte more.
#[test]
fn the_longest_body() {
    let line = |more: usize| {
        let mut line = b"18446744073709551615 ".to_vec();
        line.resize(line.len() + crate::stream::BODY_MAX + more, b'{');
        line
    };
    let mut source = LineSource::from_reader(Cursor::new(line(0)));
    let text = source.next_line().unwrap().map(|line| (line.ts, line.text.len()));
    assert_eq!(text, Some((Some(Ts(u64::MAX)), crate::stream::BODY_MAX)));
    let mut source = LineSource::from_reader(Cursor::new(line(64)));
    let cause = SourceCause::LineTooLong { max: LINE_MAX };
    assert_eq!(source.next_line().map(|_| ()), Err(SourceError { offset: 0, cause }));
}
