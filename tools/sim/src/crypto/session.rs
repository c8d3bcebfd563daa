//! One connection of a client: what it has subscribed to, and what is on its way to it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::dialect::Topic;

/// Frames on their way to one client, at most; one that reads more slowly is cut off.
const FRAMES_MAX: usize = 65_536;
/// The same in bytes.
const BYTES_MAX: usize = 16 << 20;

/// A connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub(super) u64);

/// What a client receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A text.
    Text(Arc<str>),
    /// A text of so many bytes, of no content.
    Oversize(usize),
    /// A ping of WebSocket itself.
    Ping,
    /// The end.
    Close,
}

impl Frame {
    pub(super) fn len(&self) -> usize {
        match self {
            Frame::Text(text) => text.len(),
            _ => 0,
        }
    }
}

/// Which version of which book a text leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Place of the symbol.
    pub symbol: usize,
    /// The version.
    pub version: u64,
    /// Whether the text holds the whole book.
    pub whole: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub due: u64,
    pub frame: Frame,
    pub tag: Option<Tag>,
}

#[derive(Debug, Default)]
pub(super) struct Session {
    pub topics: Vec<(Topic, usize)>,
    queue: VecDeque<Outgoing>,
    bytes: usize,
    pub stalled_until: u64,
    /// Nothing is said to it any more.
    pub over: bool,
}

impl Session {
    pub fn hears(&self, topic: Topic, symbol: usize) -> bool {
        !self.over && self.topics.contains(&(topic, symbol))
    }

    /// When the next frame goes out.
    pub fn next_at(&self) -> Option<u64> {
        self.queue.front().map(|out| out.due.max(self.stalled_until))
    }

    /// The next frame that goes out at `now` or before.
    pub fn poll(&mut self, now: u64) -> Option<Outgoing> {
        if self.next_at()? > now {
            return None;
        }
        let out = self.queue.pop_front()?;
        self.bytes -= out.frame.len();
        Some(out)
    }

    /// Puts a frame at the end, not before what stands there; `false`: the client is too slow and was cut off.
    pub fn push(&mut self, mut out: Outgoing) -> bool {
        if self.over {
            return true;
        }
        if self.queue.len() >= FRAMES_MAX || self.bytes + out.frame.len() > BYTES_MAX {
            self.cut(out.due);
            return false;
        }
        out.due = out.due.max(self.queue.back().map_or(0, |last| last.due));
        self.bytes += out.frame.len();
        self.queue.push_back(out);
        true
    }

    /// Puts a frame before up to `back` others, but never before a whole book: what comes before that is of no account.
    pub fn push_before(&mut self, out: Outgoing, back: usize) {
        let is_whole = |other: &&Outgoing| other.tag.is_some_and(|tag| tag.whole);
        let back = self.queue.iter().rev().take_while(|other| !is_whole(other)).take(back).count();
        self.bytes += out.frame.len();
        self.queue.insert(self.queue.len() - back, out);
    }

    /// The connection breaks: what is on its way is lost.
    pub fn cut(&mut self, at: u64) {
        self.queue.clear();
        (self.bytes, self.stalled_until) = (0, 0);
        self.queue.push_back(Outgoing { due: at, frame: Frame::Close, tag: None });
        self.over = true;
    }
}
