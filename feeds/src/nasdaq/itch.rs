//! TotalView-ITCH 5.0, bytes to [`Event`]: the hot face. Offsets are those of `ITCH.md`, counted from the
//! type byte.

mod order;
mod stock;

use model::{DAY_NS, Event, FeedId, Flags, Kind, Ts, VenueNumber};

use crate::date::new_york_midnight;

/// Why a message could not be decoded. Nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A message of no bytes.
    #[error("empty message")]
    Empty,
    /// A type that this edition does not know: to be skipped by its frame.
    #[error("unknown message type 0x{kind:02X}")]
    UnknownType {
        /// The type byte.
        kind: u8,
    },
    /// Not the length of its type.
    #[error("message '{}' of {got} bytes, must be {need}", char::from(*kind))]
    Length {
        /// The type byte.
        kind: u8,
        /// Bytes by the specification.
        need: u16,
        /// Bytes of the frame.
        got: u16,
    },
    /// A field holds what the specification does not allow.
    #[error("message '{}': illegal value at byte {at}", char::from(*kind))]
    Field {
        /// The type byte.
        kind: u8,
        /// Offset of the field, from the type byte.
        at: u8,
    },
}

/// Decodes the messages of one feed and day. It remembers nothing from one message to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoder {
    /// The feed that the events come by.
    pub feed: FeedId,
    /// What the venue's nanoseconds count from.
    pub midnight: Ts,
}

impl Decoder {
    /// Sets midnight to the last one in New York before `now`, if that is a day later or more; whether it was.
    #[cold]
    pub fn roll_midnight(&mut self, now: Ts) -> bool {
        let before = self.midnight;
        if now.since(before) >= DAY_NS {
            self.midnight = new_york_midnight(now);
        }
        self.midnight > before
    }

    /// Another day begins within a session: by the receive time, or, if that knows of none (days played faster than they
    /// were), 24 hours later. How much later, in nanoseconds.
    #[cold]
    pub fn next_day(&mut self, now: Ts) -> u64 {
        let before = self.midnight;
        if !self.roll_midnight(now) {
            self.midnight.0 = before.0.saturating_add(DAY_NS);
        }
        self.midnight.since(before)
    }

    /// The time of a message whose other fields nobody has looked at; the venue's midnight if it is too short for one.
    #[inline]
    pub fn peek_time(&self, message: &[u8]) -> Ts {
        let Some([_, _, _, _, _, a, b, c, d, e, f]) = message.first_chunk() else {
            return self.midnight;
        };
        let since = u64::from_be_bytes([0, 0, *a, *b, *c, *d, *e, *f]);
        Ts(self.midnight.0.saturating_add(since))
    }

    /// Decodes one message. `seq` and `flags` come from its framing; the receive time is set to the
    /// venue's, for a live source to overwrite.
    ///
    /// # Errors
    ///
    /// [`DecodeError`]; nothing is kept.
    #[inline]
    pub fn decode(&self, message: &[u8], seq: u64, flags: Flags) -> Result<Event, DecodeError> {
        let Some(&kind) = message.first() else { return Err(DecodeError::Empty) };
        let mut event = match kind {
            b'A' => order::add(exact::<36>(message)?)?,
            b'D' => order::delete(exact(message)?),
            b'E' => order::execute(exact(message)?),
            b'U' => order::replace(exact(message)?),
            b'X' => order::cancel(exact(message)?),
            b'F' => order::add(exact::<40>(message)?)?,
            b'C' => order::execute_at(exact(message)?),
            b'P' => order::trade(exact(message)?),
            _ => stock::decode(kind, message)?,
        };
        event.ts_venue = Ts(self.midnight.0.saturating_add(time_of(message)));
        event.ts_recv = event.ts_venue;
        event.seq = seq;
        event.flags = event.flags.with(flags);
        event.feed = self.feed;
        Ok(event)
    }
}

/// An event of `kind` with the locate of its message; [`Decoder::decode`] adds time, sequence and feed.
fn event<const N: usize>(kind: Kind, message: &[u8; N]) -> Event {
    let mut event = Event::empty(kind);
    event.number = VenueNumber(u16_at::<1, N>(message).into());
    event
}

/// The message as its type's length demands.
fn exact<const N: usize>(message: &[u8]) -> Result<&[u8; N], DecodeError> {
    message.try_into().map_err(|_| wrong_length(message, N))
}

#[cold]
fn wrong_length(message: &[u8], need: usize) -> DecodeError {
    let kind = message.first().copied().unwrap_or(0);
    DecodeError::Length { kind, need: need as u16, got: message.len().min(0xFFFF) as u16 }
}

/// Nanoseconds since midnight.
fn time_of(message: &[u8]) -> u64 {
    // The two bytes before the 48-bit field make it a 64-bit load.
    let field = message.get(3..).and_then(<[u8]>::first_chunk::<8>);
    field.map_or(0, |field| u64::from_be_bytes(*field) & 0xFFFF_FFFF_FFFF)
}

/// `WIDTH` bytes at `AT`; that they lie inside the message is proved when this is compiled.
fn bytes_at<const AT: usize, const WIDTH: usize, const N: usize>(message: &[u8; N]) -> [u8; WIDTH] {
    const { assert!(AT + WIDTH <= N, "the field ends beyond the message") };
    message.get(AT..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; WIDTH])
}

fn u8_at<const AT: usize, const N: usize>(message: &[u8; N]) -> u8 {
    u8::from_be_bytes(bytes_at::<AT, 1, N>(message))
}

fn u16_at<const AT: usize, const N: usize>(message: &[u8; N]) -> u16 {
    u16::from_be_bytes(bytes_at::<AT, 2, N>(message))
}

fn u32_at<const AT: usize, const N: usize>(message: &[u8; N]) -> u32 {
    u32::from_be_bytes(bytes_at::<AT, 4, N>(message))
}

fn u64_at<const AT: usize, const N: usize>(message: &[u8; N]) -> u64 {
    u64::from_be_bytes(bytes_at::<AT, 8, N>(message))
}
