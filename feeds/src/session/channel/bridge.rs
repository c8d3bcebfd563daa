//! Where messages of the lines wait until a snapshot tells which of them it holds.

use model::Ts;

use crate::session::arbiter::{Line, Message};

/// Bytes before each message: receive time, length, line, whether it is the last of its packet.
const PREFIX: usize = 12;

/// Messages in one piece: each follows the one before.
#[derive(Debug)]
pub(super) struct Bridge {
    bytes: Vec<u8>,
    bytes_max: usize,
    /// Sequence of the first message.
    first: u64,
    /// Messages.
    count: u64,
}

impl Bridge {
    pub(super) fn new(bytes_max: usize) -> Bridge {
        Bridge { bytes: Vec::with_capacity(bytes_max), bytes_max, first: 0, count: 0 }
    }

    /// Sequence of the first message, or of the one that is to be the first.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Begins anew with the message `first`.
    pub(super) fn restart_at(&mut self, first: u64) {
        self.bytes.clear();
        (self.first, self.count) = (first, 0);
    }

    /// Keeps the message that follows the last one; `false` if there is no room.
    pub(super) fn push(&mut self, message: &Message<'_>) -> bool {
        let Ok(length) = u16::try_from(message.bytes.len()) else { return false };
        if self.bytes.len() + PREFIX + message.bytes.len() > self.bytes_max {
            return false;
        }
        let line = message.line as u8;
        self.bytes.extend_from_slice(&message.ts_recv.0.to_le_bytes());
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(&[line, message.last_of_packet.into()]);
        self.bytes.extend_from_slice(message.bytes);
        self.count += 1;
        true
    }

    /// The messages in order.
    pub(super) fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        let mut rest = self.bytes.as_slice();
        (self.first..self.first.saturating_add(self.count)).map_while(move |seq| {
            let (prefix, tail) = rest.split_first_chunk::<PREFIX>()?;
            let [t0, t1, t2, t3, t4, t5, t6, t7, l0, l1, line, last] = *prefix;
            let length = u16::from_le_bytes([l0, l1]);
            let (bytes, tail) = tail.split_at_checked(length.into())?;
            rest = tail;
            let ts_recv = Ts(u64::from_le_bytes([t0, t1, t2, t3, t4, t5, t6, t7]));
            let line = match line {
                0 => Line::A,
                1 => Line::B,
                _ => Line::Answer,
            };
            Some(Message { seq, bytes, line, ts_recv, last_of_packet: last != 0 })
        })
    }
}
