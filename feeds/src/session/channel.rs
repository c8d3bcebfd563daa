//! A channel: lines, re-requests, snapshots and the ITCH decoder. Bytes and the time in, [`Event`]s out.
//!
//! The books behind a channel are said to be live only while they equal what the venue's messages up to
//! [`Event::seq`] make of them. `MOLDUDP64.md` has the rules of when they are not, and how they heal.

mod bridge;
mod counters;
mod events;
mod heal;

use model::{Event, FeedId, Ts};

use super::arbiter::{Arbiter, ArbiterCounters, ArbiterOptions, Line, LineCounters};
use super::glimpse::{Glimpse, GlimpseOptions};
use super::mold::Request;
use super::soup::Outgoing;
use crate::shard::Shard;
use events::Events;

pub use counters::{BadMessage, ChannelCounters};

/// What a channel is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelOptions {
    /// The feed's number in the engine.
    pub feed: FeedId,
    /// What the venue's nanoseconds count from: midnight in New York of the day that it begins in.
    pub midnight: Ts,
    /// Whether midnight moves on by the receive time; not where the caller has named the day of a capture.
    pub follows_clock: bool,
    /// The lines and the re-request server.
    pub arbiter: ArbiterOptions,
    /// The snapshots, if the venue offers them. Without, lost messages leave the books incomplete until
    /// another session begins.
    pub glimpse: Option<GlimpseOptions>,
    /// Bytes of messages that may wait for a snapshot, 12 for each message included.
    pub bridge_bytes_max: usize,
    /// Whose events will be passed on: those of others need not be decoded. `None`: all.
    pub shard: Option<Shard>,
}

impl ChannelOptions {
    /// The usual bounds, without snapshots.
    pub fn new(feed: FeedId, midnight: Ts) -> ChannelOptions {
        ChannelOptions {
            feed,
            midnight,
            follows_clock: true,
            arbiter: ArbiterOptions::default(),
            glimpse: None,
            bridge_bytes_max: 16 << 20,
            shard: None,
        }
    }
}

/// What the transport is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this to the re-request server, by the socket whose datagrams come to [`Channel::on_answer`].
    Request(Request),
    /// Connect to the snapshot server; then [`Channel::on_snapshot_opened`], or
    /// [`Channel::on_snapshot_closed`] if that fails.
    OpenSnapshot,
    /// Send these bytes to the snapshot server.
    SendSnapshot(Outgoing),
    /// Close that connection, sent bytes first. [`Channel::on_snapshot_closed`] is not to be called for it.
    CloseSnapshot,
}

/// A channel.
#[derive(Debug)]
pub struct Channel {
    arbiter: Arbiter,
    events: Events,
    glimpse: Option<Glimpse>,
}

impl Channel {
    /// A channel that has heard nothing. All its memory is allocated here.
    pub fn new(options: ChannelOptions) -> Channel {
        Channel {
            arbiter: Arbiter::new(options.arbiter),
            events: Events::new(&options),
            glimpse: options.glimpse.map(Glimpse::new),
        }
    }

    /// Takes a datagram of `line`, received at `now`.
    #[inline]
    pub fn on_datagram(&mut self, line: Line, bytes: &[u8], now: Ts, emit: &mut impl FnMut(Event)) {
        self.on_received(line, bytes, (now, now), emit);
    }

    /// Takes a datagram of `line` that somebody else, such as the kernel, stamped as `received`. Its messages
    /// bear that; what waits, and who is silent, is judged by `now` alone, whatever that other clock shows.
    #[inline]
    pub fn on_received(
        &mut self,
        line: Line,
        bytes: &[u8],
        (received, now): (Ts, Ts),
        emit: &mut impl FnMut(Event),
    ) {
        let Channel { arbiter, events, .. } = self;
        arbiter.on_packet(line, bytes, (received, now), &mut |out| events.take(&out, emit));
        self.settle(now, emit);
    }

    /// Takes a datagram of the re-request server, received at `now`.
    pub fn on_answer(&mut self, bytes: &[u8], now: Ts, emit: &mut impl FnMut(Event)) {
        self.on_datagram(Line::Answer, bytes, now, emit);
    }

    /// The connection of [`Action::OpenSnapshot`] stands.
    pub fn on_snapshot_opened(&mut self, now: Ts) {
        if let Some(glimpse) = &mut self.glimpse {
            glimpse.on_opened(now);
        }
    }

    /// Takes what the snapshot server sent.
    pub fn on_snapshot_bytes(&mut self, bytes: &[u8], now: Ts, emit: &mut impl FnMut(Event)) {
        let Channel { events, glimpse, .. } = self;
        if let Some(glimpse) = glimpse {
            let taken = glimpse.on_bytes(bytes, now, &mut |piece| events.piece(&piece, now, emit));
            if let Err(error) = taken {
                self.fail(error, now);
            }
        }
        self.settle(now, emit);
    }

    /// The connection of [`Action::OpenSnapshot`] is down, or could not be opened.
    pub fn on_snapshot_closed(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        if let Some(Err(error)) = self.glimpse.as_mut().map(Glimpse::on_closed) {
            self.fail(error, now);
        }
        self.settle(now, emit);
    }

    /// Lets time pass: call it at [`Channel::wake_at`], or more often, when what has come by all lines was taken.
    pub fn on_time(&mut self, now: Ts, emit: &mut impl FnMut(Event)) {
        let Channel { arbiter, events, glimpse } = self;
        arbiter.on_time(now, &mut |out| events.take(&out, emit));
        if let Some(Err(error)) = glimpse.as_mut().map(|glimpse| glimpse.on_time(now)) {
            self.fail(error, now);
        }
        self.settle(now, emit);
    }

    /// When [`Channel::on_time`] is due next.
    pub fn wake_at(&self) -> Option<Ts> {
        let glimpse = self.glimpse.as_ref().and_then(Glimpse::wake_at);
        [self.arbiter.wake_at(), glimpse].into_iter().flatten().min()
    }

    /// What the transport is to do next; every action is said once. Ask until there is none, after every
    /// call that brings something.
    pub fn next_action(&mut self) -> Option<Action> {
        if let Some(glimpse) = &mut self.glimpse {
            if let Some(outgoing) = glimpse.next_outgoing() {
                return Some(Action::SendSnapshot(outgoing));
            }
            if glimpse.next_close() {
                return Some(Action::CloseSnapshot);
            }
            if glimpse.next_open() {
                return Some(Action::OpenSnapshot);
            }
        }
        self.arbiter.next_request().map(Action::Request)
    }

    /// What was seen of messages and snapshots.
    pub fn counters(&self) -> ChannelCounters {
        self.events.counters
    }

    /// What was seen of sequences.
    pub fn arbiter_counters(&self) -> ArbiterCounters {
        self.arbiter.counters()
    }

    /// What a line has carried.
    pub fn line_counters(&self, line: Line) -> LineCounters {
        self.arbiter.line_counters(line)
    }

    /// The arbiter, to ask.
    pub const fn arbiter(&self) -> &Arbiter {
        &self.arbiter
    }

    /// The snapshot client, to ask.
    pub const fn glimpse(&self) -> Option<&Glimpse> {
        self.glimpse.as_ref()
    }
}

#[cfg(test)]
mod tests;
