//! The messages that can still be asked for: the latest, within bounds.

use std::collections::VecDeque;

/// Numbered messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    messages_max: usize,
    bytes_max: usize,
    messages: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Sequence of the first message that is kept.
    first: u64,
}

impl Store {
    /// Keeps at most so many messages, of so many bytes together.
    pub fn new(messages_max: usize, bytes_max: usize) -> Store {
        Store { messages_max, bytes_max, messages: VecDeque::new(), bytes: 0, first: 1 }
    }

    /// Keeps the next message, and forgets the oldest ones that there is no room for.
    pub fn push(&mut self, message: Vec<u8>) {
        self.bytes += message.len();
        self.messages.push_back(message);
        while self.messages.len() > self.messages_max || self.bytes > self.bytes_max {
            let Some(oldest) = self.messages.pop_front() else { break };
            self.bytes -= oldest.len();
            self.first += 1;
        }
    }

    /// Sequence of the first message that is kept, or of the next one if none is.
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// Sequence of the next message.
    pub fn next(&self) -> u64 {
        self.first + self.messages.len() as u64
    }

    /// The messages from `sequence` on; none if the first of them is not kept.
    pub fn from(&self, sequence: u64) -> impl Iterator<Item = &[u8]> {
        let skip = sequence.checked_sub(self.first).and_then(|skip| usize::try_from(skip).ok());
        let skip = skip.unwrap_or(usize::MAX).min(self.messages.len());
        self.messages.range(skip..).map(Vec::as_slice)
    }
}
