//! MoldUDP64 1.00: packets of numbered messages (`MOLDUDP64.md` is the digest of the specification).
//!
//! A packet is checked once; a [`Packet`] that exists holds exactly the blocks that its header announces.

mod write;

use super::SessionId;

pub use write::PacketWriter;

/// Bytes of the header: session, sequence, count.
pub const HEADER: usize = 20;
/// Most messages that one packet can announce; the next count is the end of the session.
pub const COUNT_MAX: u16 = 0xFFFE;
/// Largest payload of a datagram over IPv4.
pub const PACKET_MAX: usize = 65_507;
const END: u16 = 0xFFFF;

/// Why a packet is refused. Nothing of it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoldError {
    /// Shorter than its header.
    #[error("{got} bytes are no header of {HEADER}")]
    Short {
        /// Bytes of the packet.
        got: usize,
    },
    /// Block `block` of those announced ends beyond the packet.
    #[error("offset {offset}: block {block} ends beyond the packet")]
    Truncated {
        /// Place of the block in the packet, from 0.
        block: u16,
        /// Byte where the block begins.
        offset: usize,
    },
    /// Bytes behind the last block.
    #[error("offset {offset}: bytes behind the last block")]
    Trailing {
        /// The first of them.
        offset: usize,
    },
    /// Sequences that begin at zero or run beyond 2^64 - 1.
    #[error("offset 10: no sequence of a session")]
    Sequence,
}

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketKind {
    /// Messages.
    Messages,
    /// None; its sequence is that of the next message.
    Heartbeat,
    /// The session is over; its sequence is the one that the next message would have had.
    End,
}

/// The first 20 bytes of a packet, and all of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Session that the sequence counts in.
    pub session: SessionId,
    /// Sequence of the first message, or of the next one if there is none.
    pub first: u64,
    /// Messages, as on the wire: 0 heartbeat, 0xFFFF end of session.
    pub count: u16,
}

impl Header {
    /// Reads the header and nothing behind it.
    ///
    /// # Errors
    ///
    /// [`MoldError::Short`].
    #[inline]
    pub fn parse(packet: &[u8]) -> Result<Header, MoldError> {
        let Some(bytes) = packet.first_chunk::<HEADER>() else {
            return Err(MoldError::Short { got: packet.len() });
        };
        let [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, q0, q1, q2, q3, q4, q5, q6, q7, c0, c1] =
            *bytes;
        Ok(Header {
            session: SessionId([s0, s1, s2, s3, s4, s5, s6, s7, s8, s9]),
            first: u64::from_be_bytes([q0, q1, q2, q3, q4, q5, q6, q7]),
            count: u16::from_be_bytes([c0, c1]),
        })
    }

    /// What the packet is for.
    pub const fn kind(&self) -> PacketKind {
        match self.count {
            0 => PacketKind::Heartbeat,
            END => PacketKind::End,
            _ => PacketKind::Messages,
        }
    }

    /// Messages that follow.
    pub const fn messages(&self) -> u16 {
        if self.count == END { 0 } else { self.count }
    }

    /// Sequence after the last message.
    ///
    /// # Errors
    ///
    /// [`MoldError::Sequence`] if the packet begins at zero, or the sum does not fit.
    pub const fn end(&self) -> Result<u64, MoldError> {
        match self.first.checked_add(self.messages() as u64) {
            Some(end) if self.first > 0 => Ok(end),
            _ => Err(MoldError::Sequence),
        }
    }

    /// The bytes of the header.
    pub const fn to_bytes(&self) -> [u8; HEADER] {
        let [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9] = self.session.0;
        let [q0, q1, q2, q3, q4, q5, q6, q7] = self.first.to_be_bytes();
        let [c0, c1] = self.count.to_be_bytes();
        [s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, q0, q1, q2, q3, q4, q5, q6, q7, c0, c1]
    }
}

/// A packet that holds what it announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    header: Header,
    blocks: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Checks a packet: a header, exactly its blocks, not a byte more.
    ///
    /// # Errors
    ///
    /// [`MoldError`], all but [`MoldError::Sequence`]: see [`Header::end`].
    #[inline]
    pub fn parse(packet: &'a [u8]) -> Result<Packet<'a>, MoldError> {
        let header = Header::parse(packet)?;
        let blocks = packet.get(HEADER..).unwrap_or_default();
        let mut messages = Messages { rest: blocks };
        let offset = |rest: &[u8]| packet.len() - rest.len();
        for block in 0..header.messages() {
            let before = messages.rest;
            if messages.next().is_none() {
                return Err(MoldError::Truncated { block, offset: offset(before) });
            }
        }
        if !messages.rest.is_empty() {
            return Err(MoldError::Trailing { offset: offset(messages.rest) });
        }
        Ok(Packet { header, blocks })
    }

    /// The header.
    pub const fn header(&self) -> Header {
        self.header
    }

    /// The messages in turn, each one block; an empty one is legal and has its sequence.
    pub const fn messages(&self) -> Messages<'a> {
        Messages { rest: self.blocks }
    }

    /// The blocks, lengths and all.
    pub(super) const fn blocks(&self) -> &'a [u8] {
        self.blocks
    }
}

/// Walks over blocks.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    /// Walks over blocks that were checked before.
    pub(super) const fn of(blocks: &'a [u8]) -> Messages<'a> {
        Messages { rest: blocks }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<2>()?;
        let (message, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        self.rest = rest;
        Some(message)
    }
}

/// Asks a re-request server for messages again. On the wire it is a header of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Session that the sequence counts in.
    pub session: SessionId,
    /// The first message wanted.
    pub first: u64,
    /// Messages wanted; the answer may hold fewer.
    pub count: u16,
}

impl Request {
    /// The bytes to send.
    pub const fn to_bytes(&self) -> [u8; HEADER] {
        Header { session: self.session, first: self.first, count: self.count }.to_bytes()
    }

    /// Reads a request, as a server does.
    ///
    /// # Errors
    ///
    /// [`MoldError::Short`], [`MoldError::Trailing`], or [`MoldError::Sequence`] if it asks for nothing that
    /// can be.
    pub fn parse(bytes: &[u8]) -> Result<Request, MoldError> {
        let header = Header::parse(bytes)?;
        if bytes.len() > HEADER {
            return Err(MoldError::Trailing { offset: HEADER });
        }
        if header.kind() != PacketKind::Messages {
            return Err(MoldError::Sequence);
        }
        header.end()?;
        Ok(Request { session: header.session, first: header.first, count: header.count })
    }
}

#[cfg(test)]
mod tests;
