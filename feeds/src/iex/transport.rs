//! IEX-TP 1.x: a segment is a header of 40 bytes and its messages, each behind its length. Little-endian.

/// Bytes of the header.
pub const HEADER: usize = 40;
/// Message protocol of DEEP 1.0.
pub const DEEP: u16 = 0x8004;
/// Message protocol of TOPS 1.6.
pub const TOPS: u16 = 0x8003;

/// Why a payload is no segment. Nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// Shorter than a header.
    #[error("{got} bytes, a header has {HEADER}")]
    Short {
        /// Bytes of the payload.
        got: u32,
    },
    /// Not version 1.
    #[error("transport version {version}, must be 1")]
    Version {
        /// What it says.
        version: u8,
    },
    /// The header announces other bytes than there are.
    #[error("{got} bytes behind the header, it announces {announced}")]
    Length {
        /// Bytes by the header.
        announced: u16,
        /// Bytes there.
        got: u32,
    },
    /// A message reaches beyond the payload, or the last one does not end with it.
    #[error("offset {offset}: a message does not fit the segment")]
    Message {
        /// Where its length stands, from the start of the payload.
        offset: u16,
    },
    /// Numbers that no sequence has: messages from zero on, or beyond the last number.
    #[error("{count} messages from number {first} on")]
    Sequence {
        /// Number of the first.
        first: u64,
        /// Messages.
        count: u16,
    },
}

/// A segment whose messages were checked to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Which messages: [`DEEP`], [`TOPS`], or one that we do not know.
    pub protocol: u16,
    /// The stream of a feed.
    pub channel: u32,
    /// Its session: one a day.
    pub session: u32,
    /// Messages.
    pub count: u16,
    /// Sequence of the first, from 1; without messages, that of the next.
    pub first: u64,
    /// When IEX sent it, nanoseconds since the UNIX epoch.
    pub sent_ns: u64,
    body: &'a [u8],
}

impl<'a> Segment<'a> {
    /// Checks a payload once.
    ///
    /// # Errors
    ///
    /// [`SegmentError`].
    pub fn new(payload: &'a [u8]) -> Result<Segment<'a>, SegmentError> {
        let short = SegmentError::Short { got: payload.len() as u32 };
        let (head, body) = payload.split_first_chunk::<HEADER>().ok_or(short)?;
        let [version, _, p0, p1, c0, c1, c2, c3, s0, s1, s2, s3, rest @ ..] = *head;
        let [l0, l1, n0, n1, _, _, _, _, _, _, _, _, rest @ ..] = rest;
        let [q0, q1, q2, q3, q4, q5, q6, q7, t0, t1, t2, t3, t4, t5, t6, t7] = rest;
        if version != 1 {
            return Err(SegmentError::Version { version });
        }
        let announced = u16::from_le_bytes([l0, l1]);
        if usize::from(announced) != body.len() {
            return Err(SegmentError::Length { announced, got: body.len() as u32 });
        }
        let segment = Segment {
            protocol: u16::from_le_bytes([p0, p1]),
            channel: u32::from_le_bytes([c0, c1, c2, c3]),
            session: u32::from_le_bytes([s0, s1, s2, s3]),
            count: u16::from_le_bytes([n0, n1]),
            first: u64::from_le_bytes([q0, q1, q2, q3, q4, q5, q6, q7]),
            sent_ns: u64::from_le_bytes([t0, t1, t2, t3, t4, t5, t6, t7]),
            body,
        };
        let (first, count) = (segment.first, segment.count);
        if first.checked_add(count.into()).is_none() || (first == 0 && count > 0) {
            return Err(SegmentError::Sequence { first, count });
        }
        let mut rest = body;
        for _ in 0..segment.count {
            let offset = (payload.len() - rest.len()) as u16;
            (_, rest) = split_message(rest).ok_or(SegmentError::Message { offset })?;
        }
        let offset = (payload.len() - rest.len()) as u16;
        if rest.is_empty() { Ok(segment) } else { Err(SegmentError::Message { offset }) }
    }

    /// Its messages, in order.
    pub fn messages(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.body;
        std::iter::from_fn(move || {
            let (message, behind) = split_message(rest)?;
            rest = behind;
            Some(message)
        })
    }
}

fn split_message(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_le_bytes(*len).into())
}
