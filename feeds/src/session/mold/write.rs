//! Packets to be sent: for simulators, converters and tests.

use super::{COUNT_MAX, END, HEADER, Header, PACKET_MAX};
use crate::session::SessionId;

/// Writes one packet at a time into a buffer of its own.
#[derive(Clone, Debug)]
pub struct PacketWriter {
    header: Header,
    room: usize,
    bytes: Vec<u8>,
}

impl PacketWriter {
    /// A writer of packets of `session` with at most `room` bytes each, header included (at least the header
    /// and an empty block, at most [`PACKET_MAX`]); the first message has the sequence `first`.
    pub fn new(session: SessionId, first: u64, room: usize) -> PacketWriter {
        let room = room.clamp(HEADER + 2, PACKET_MAX);
        let header = Header { session, first, count: 0 };
        let mut bytes = Vec::with_capacity(room);
        bytes.extend_from_slice(&header.to_bytes());
        PacketWriter { header, room, bytes }
    }

    /// Adds a message; `false` if the packet has no room for it, and nothing is added.
    pub fn push(&mut self, message: &[u8]) -> bool {
        let Ok(length) = u16::try_from(message.len()) else { return false };
        if self.header.count == COUNT_MAX || self.bytes.len() + 2 + message.len() > self.room {
            return false;
        }
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(message);
        self.header.count += 1;
        true
    }

    /// Messages so far.
    pub const fn count(&self) -> u16 {
        self.header.count
    }

    /// Sequence that the next message gets.
    pub const fn next(&self) -> u64 {
        self.header.first.saturating_add(self.header.count as u64)
    }

    /// The packet so far: a heartbeat, as long as it has no message.
    pub fn packet(&mut self) -> &[u8] {
        if let Some(header) = self.bytes.first_chunk_mut() {
            *header = self.header.to_bytes();
        }
        &self.bytes
    }

    /// Begins the next packet, behind the messages of this one.
    pub fn restart(&mut self) {
        self.header = Header { first: self.next(), count: 0, ..self.header };
        self.bytes.truncate(HEADER);
    }

    /// The packet that says that the session ends before [`PacketWriter::next`].
    pub const fn end_of_session(&self) -> [u8; HEADER] {
        Header { first: self.next(), count: END, ..self.header }.to_bytes()
    }
}
