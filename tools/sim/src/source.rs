//! Messages of a day, each with the time at which the venue says it.

use std::io::{self, Read};
use std::sync::Arc;

use synth::Day;

/// A message and when it is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    /// Nanoseconds on any clock that does not go back.
    pub at_ns: u64,
    /// The message; for a venue of ITCH, an ITCH message.
    pub bytes: Vec<u8>,
}

impl Timed {
    /// An ITCH message at its own time, nanoseconds since midnight; 0 if it has none.
    pub fn itch(bytes: Vec<u8>) -> Timed {
        Timed { at_ns: itch_time(&bytes).unwrap_or(0), bytes }
    }
}

/// What can be published: messages, or why there are no more. Any iterator of a program will do.
pub type Source = Box<dyn Iterator<Item = io::Result<Timed>> + Send>;

/// A synthetic day.
pub fn synthetic(day: Day) -> Source {
    Box::new(day.map(|message| Ok(Timed::itch(message.encode(&mut [0; 50]).to_vec()))))
}

/// A file in BinaryFILE framing: 2-byte length, message; a length of zero is the end. A file that
/// is cut in a message, or has no end, ends with an error.
pub fn binary_file(reader: impl Read + Send + 'static) -> Source {
    let mut reader = Some(reader);
    let mut offset = 0_u64;
    Box::new(std::iter::from_fn(move || {
        let message = next_frame(reader.as_mut()?);
        match &message {
            Ok(Some(message)) => offset += 2 + message.len() as u64,
            _ => reader = None,
        }
        let message = message.map_err(|error| {
            io::Error::new(error.kind(), format!("frame at byte {offset}: {error}"))
        });
        message.map(|message| message.map(Timed::itch)).transpose()
    }))
}

/// The same day over and over; each begins a second after the last message of the one before. Ends
/// with an error of a day, or with a day without messages.
pub fn repeated(mut day: impl FnMut() -> Source + Send + 'static) -> Source {
    let mut messages = day();
    let (mut offset, mut last, mut first) = (0_u64, 0_u64, None);
    Box::new(std::iter::from_fn(move || {
        let next = messages.next().or_else(|| {
            offset = last.saturating_add(1_000_000_000).saturating_sub(first?);
            messages = day();
            messages.next()
        });
        let mut timed = match next? {
            Ok(timed) => timed,
            Err(error) => return Some(Err(error)),
        };
        first.get_or_insert(timed.at_ns);
        timed.at_ns = timed.at_ns.saturating_add(offset).max(last);
        last = timed.at_ns;
        Some(Ok(timed))
    }))
}

/// A day of bytes in BinaryFILE framing, such as `synth::sample()`, over and over.
pub fn for_ever(bytes: impl Into<Arc<[u8]>>) -> Source {
    let bytes: Arc<[u8]> = bytes.into();
    repeated(move || binary_file(io::Cursor::new(bytes.clone())))
}

/// The built-in sample over and over, made as it goes.
pub fn sample_for_ever() -> Source {
    repeated(|| synthetic(Day::new(synth::Config::SAMPLE)))
}

fn next_frame(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 2];
    reader.read_exact(&mut length)?;
    let length = u16::from_be_bytes(length);
    if length == 0 {
        return Ok(None);
    }
    let mut message = vec![0; length.into()];
    reader.read_exact(&mut message)?;
    Ok(Some(message))
}

/// Bytes 5 to 10 of every ITCH message.
fn itch_time(message: &[u8]) -> Option<u64> {
    let time = message.get(5..11)?;
    Some(time.iter().fold(0, |time, byte| time << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(source: Source) -> Vec<Timed> {
        source.map(Result::unwrap).collect()
    }

    fn system(time: u64) -> Vec<u8> {
        let mut message = vec![b'S', 0, 0, 0, 0];
        message.extend_from_slice(&time.to_be_bytes()[2..]);
        message.push(b'O');
        message
    }

    fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
        let frames =
            messages.iter().flat_map(|message| [&[0, message.len() as u8], &message[..]].concat());
        frames.chain([0, 0]).collect()
    }

    /// Goal: the three sources tell the same day. Method: a small synthetic day, framed by its
    /// generator.
    #[test]
    fn sources_agree() {
        let config = synth::Config { messages: 3_000, symbols: 5, ..synth::Config::SAMPLE };
        let mut bytes = Vec::new();
        Day::new(config).write_to(&mut bytes).unwrap();
        let day = all(synthetic(Day::new(config)));
        assert!(day.len() > 2_000 && day.is_sorted_by_key(|timed| timed.at_ns));
        assert_eq!(all(binary_file(io::Cursor::new(bytes.clone()))), day);
        let twice: Vec<Timed> = for_ever(bytes).take(2 * day.len()).map(Result::unwrap).collect();
        assert_eq!(twice[..day.len()], day);
        assert!(twice.is_sorted_by_key(|timed| timed.at_ns));
        let bytes_of = |timed: &[Timed]| timed.iter().map(|t| t.bytes.clone()).collect::<Vec<_>>();
        assert_eq!(bytes_of(&twice[day.len()..]), bytes_of(&day));
        assert_eq!(twice[day.len()].at_ns, day.last().unwrap().at_ns + 1_000_000_000);
    }

    /// Goal: a damaged file is told, an empty one repeats nothing. Method: every cut of a small
    /// file.
    #[test]
    fn damaged_files() {
        let bytes = framed(&[system(5), system(6)]);
        for cut in 0..bytes.len() {
            let source = binary_file(io::Cursor::new(bytes[..cut].to_vec()));
            let items: Vec<_> = source.collect();
            assert!(items.last().unwrap().is_err(), "cut at {cut}");
        }
        assert_eq!(all(binary_file(io::Cursor::new(bytes))).len(), 2);
        assert_eq!(for_ever(vec![0, 0]).count(), 0);
        assert!(for_ever(vec![0, 9, 1]).next().unwrap().is_err());
    }
}
