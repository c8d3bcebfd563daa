//! Lines of text that a recorder wrote, each with its time and direction: WebSocket captures.
//!
//! | line                                        | time                     | direction |
//! |---------------------------------------------|--------------------------|-----------|
//! | `1723161253937085768 {…}`                   | nanoseconds              | received  |
//! | `1618678132.8258188: {…}`                   | seconds, ≤ 9 decimals    | received  |
//! | `wss://host <- 1618678132.8253062: {…}`     | the same                 | sent      |
//! | `https://host -> 1618678132.358447: {…}`    | the same                 | answered  |
//! | `wss://host <-> 1618678132.3858151`         | the same; no text        | opened    |
//! | `{…}` or `[…]`                              | none: inside, if at all  | received  |
//! | anything else                               | none                     | unmarked  |

use std::io::Read;
use std::ops::Range;
use std::path::Path;

use model::Ts;

use super::error::{SourceCause, SourceError};
use super::file::FileReader;
use super::window::Window;

/// Bytes of a time and what sets it apart, at most.
const STAMP_MAX: usize = 64;

/// Longest line that is read unless told otherwise, in bytes, its end not counted: the longest body that a recorder may have
/// written, and its time.
pub const LINE_MAX: u32 = (crate::stream::BODY_MAX + STAMP_MAX) as u32;

/// Bytes of the buffer at the start. It grows as far as the longest line demands.
const BUFFER_BYTES: usize = 256 * 1024;

/// Which way a line went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the venue, over the connection.
    Received,
    /// To the venue.
    Sent,
    /// From the venue, in answer to a request that is named before it.
    Answered,
    /// A connection was opened; there is no text.
    Opened,
    /// The line has none of the known forms; its text is the whole line.
    Unmarked,
}

/// One line, borrowed from the source's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// When it was received or sent, if the line says so.
    pub ts: Option<Ts>,
    /// What was received or sent, without its mark, its time and the end of the line.
    pub text: &'a [u8],
    /// Which way it went.
    pub direction: Direction,
    /// Where the line begins, in bytes of the uncompressed stream.
    pub offset: u64,
}

/// What a source has read so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// Lines handed out.
    pub lines: u64,
    /// Lines without any byte, left out.
    pub empty: u64,
    /// Lines handed out as [`Direction::Unmarked`].
    pub unmarked: u64,
    /// 1 if the compressed stream was cut off; what it held of its last line, if anything, is left out.
    pub cut: u64,
}

/// Lines of any reader. One buffer, reused.
pub struct LineSource<R> {
    window: Window<R>,
    line_max: u32,
    counts: LineCounts,
    /// Set once there is nothing more to come.
    outcome: Option<Result<(), SourceError>>,
}

/// Lines of a file.
pub type LineFile = LineSource<FileReader>;

impl LineSource<FileReader> {
    /// Opens a file, compressed or not.
    ///
    /// # Errors
    ///
    /// As [`FileReader::open`].
    pub fn open(path: &Path) -> Result<LineFile, SourceError> {
        Ok(LineFile::from_reader(FileReader::open(path)?))
    }
}

impl<R: Read> LineSource<R> {
    /// Lines of `reader`, of at most [`LINE_MAX`] bytes.
    pub fn from_reader(reader: R) -> LineSource<R> {
        LineSource::with_line_max(reader, LINE_MAX)
    }

    /// Lines of `reader`, of at most `line_max` bytes.
    pub fn with_line_max(reader: R, line_max: u32) -> LineSource<R> {
        // Room for the two bytes that end a line.
        let max = line_max as usize + 2;
        LineSource {
            window: Window::new(reader, max.min(BUFFER_BYTES), max),
            line_max,
            counts: LineCounts::default(),
            outcome: None,
        }
    }

    /// What was read so far.
    pub fn counts(&self) -> LineCounts {
        self.counts
    }

    /// Bytes read so far, of the uncompressed stream.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// The next line that is not empty; `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if the stream cannot be read or a line is too long; every later call says the same.
    pub fn next_line(&mut self) -> Result<Option<Line<'_>>, SourceError> {
        match self.outcome {
            None => {}
            Some(Ok(())) => return Ok(None),
            Some(Err(error)) => return Err(error),
        }
        let (range, offset) = loop {
            let offset = self.window.offset();
            match self.find() {
                Ok(Some(range)) if range.is_empty() => self.counts.empty += 1,
                Ok(Some(range)) => break (range, offset),
                Ok(None) => {
                    self.counts.cut += u64::from(self.window.cut());
                    self.outcome = Some(Ok(()));
                    return Ok(None);
                }
                Err(error) => {
                    self.outcome = Some(Err(error));
                    return Err(error);
                }
            }
        };
        let (ts, text, direction) = parse(self.window.slice(range));
        self.counts.lines += 1;
        self.counts.unmarked += u64::from(direction == Direction::Unmarked);
        Ok(Some(Line { ts, text, direction, offset }))
    }

    /// Takes a line; where it is in the window, without its end.
    fn find(&mut self) -> Result<Option<Range<usize>>, SourceError> {
        let mut looked = 0;
        let (length, end) = loop {
            let bytes = self.window.bytes();
            if let Some(at) = find_newline(bytes.get(looked..).unwrap_or_default()) {
                break (looked + at, 1);
            }
            looked = bytes.len();
            // A window that is full, with the longest line and more, does not fill either.
            if !self.window.fill(looked + 1)? {
                if looked == 0 || self.window.cut() {
                    self.check_length(looked)?;
                    return Ok(None);
                }
                break (looked, 0);
            }
        };
        let returns = self.window.bytes().get(..length).is_some_and(|line| line.ends_with(b"\r"));
        let length = length - usize::from(returns);
        self.check_length(length)?;
        let mut range = self.window.take(length + usize::from(returns) + end);
        range.end = range.start + length;
        Ok(Some(range))
    }

    fn check_length(&self, length: usize) -> Result<(), SourceError> {
        if length > self.line_max as usize {
            let cause = SourceCause::LineTooLong { max: self.line_max };
            return Err(SourceError { offset: self.window.offset(), cause });
        }
        Ok(())
    }
}

/// Place of the first line feed. Blocks without one are passed over eight words at a time.
fn find_newline(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 64;
    let blocks = bytes.chunks_exact(BLOCK);
    let has = |block: &[u8]| block.iter().fold(false, |any, byte| any | (*byte == b'\n'));
    let passed = BLOCK * blocks.take_while(|block| !has(block)).count();
    let rest = bytes.get(passed..).unwrap_or_default();
    rest.iter().position(|byte| *byte == b'\n').map(|at| passed + at)
}

/// Time, text and direction of a line.
fn parse(line: &[u8]) -> (Option<Ts>, &[u8], Direction) {
    let unmarked = (None, line, Direction::Unmarked);
    match line.first() {
        Some(b'{' | b'[') => (None, line, Direction::Received),
        Some(b'0'..=b'9') => match timed(line) {
            Some((ts, text)) => (Some(ts), text, Direction::Received),
            None => unmarked,
        },
        _ => marked(line).unwrap_or(unmarked),
    }
}

/// `address MARK seconds: text`.
fn marked(line: &[u8]) -> Option<(Option<Ts>, &[u8], Direction)> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let (address, rest) = line.split_at_checked(space)?;
    let is_address = address.windows(3).any(|three| three == b"://");
    let (mark, rest) = rest.get(1..)?.split_at_checked(3)?;
    let (direction, rest) = match (mark, rest) {
        (b"<- ", rest) => (Direction::Sent, rest),
        (b"-> ", rest) => (Direction::Answered, rest),
        (b"<->", [b' ', rest @ ..]) => (Direction::Opened, rest),
        _ => return None,
    };
    let (ts, text) = if direction == Direction::Opened {
        (seconds(rest)?, rest.get(..0)?)
    } else {
        timed(rest)?
    };
    is_address.then_some((Some(ts), text, direction))
}

/// `nanoseconds text`, or `seconds: text`.
fn timed(line: &[u8]) -> Option<(Ts, &[u8])> {
    let digits = line.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'.'))?;
    let (time, rest) = line.split_at_checked(digits)?;
    match rest {
        [b':', b' ', text @ ..] => Some((seconds(time)?, text)),
        [b' ', text @ ..] => Some((Ts(number(time)?), text)),
        _ => None,
    }
}

/// `seconds` or `seconds.fraction`, of at most nine decimals: more would be lost.
fn seconds(text: &[u8]) -> Option<Ts> {
    let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    let (whole, fraction) = text.split_at_checked(point)?;
    let ns = match fraction {
        [] => 0,
        [_, digits @ ..] => {
            let missing = 9_u32.checked_sub(u32::try_from(digits.len()).ok()?)?;
            number(digits)? * 10_u64.pow(missing)
        }
    };
    number(whole)?.checked_mul(1_000_000_000)?.checked_add(ns).map(Ts)
}

/// Digits and nothing else.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests;
