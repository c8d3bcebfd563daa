//! What an arbiter is told, what it says, and what it counts.

use model::Ts;

use super::Line;
use crate::session::SessionId;
use crate::session::mold::MoldError;

/// What an arbiter is told. Times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArbiterOptions {
    /// Whether there is a line B.
    pub two_lines: bool,
    /// Packets that may wait for their turn.
    pub held_packets_max: usize,
    /// Bytes of them; twice that is allocated.
    pub held_bytes_max: usize,
    /// How long a gap may be filled by the other line, or by a late packet.
    pub gap_wait_ns: u64,
    /// How long a request may go without an answer.
    pub request_timeout_ns: u64,
    /// Requests without an answer before the gap is given up; 0: there is no server.
    pub attempts_max: u32,
    /// Messages of one request.
    pub request_messages_max: u16,
    /// How long messages may be asked for without ever catching up, before all that is missing is given up.
    pub recovery_ns_max: u64,
    /// A line that says nothing for so long is dead: three heartbeats.
    pub line_dead_ns: u64,
    /// A session that is first heard of no more than so many messages after its first is asked for from
    /// there; any other is joined where it stands. 0: always joined.
    pub join_messages_max: u64,
    /// How long another session must be heard, with nothing of the current one between, before it takes over
    /// from one that has neither ended nor fallen silent: more than a heartbeat. 0: at its first packet.
    pub switch_ns: u64,
}

impl Default for ArbiterOptions {
    fn default() -> ArbiterOptions {
        ArbiterOptions {
            two_lines: true,
            held_packets_max: 4_096,
            held_bytes_max: 2 << 20,
            gap_wait_ns: 2_000_000,
            request_timeout_ns: 250_000_000,
            attempts_max: 4,
            request_messages_max: 1_024,
            recovery_ns_max: 5_000_000_000,
            line_dead_ns: 3_000_000_000,
            join_messages_max: 1_024,
            switch_ns: 1_500_000_000,
        }
    }
}

impl ArbiterOptions {
    /// For captures, which can be asked for nothing but may hold answers. Whatever comes in the second in which these are waited
    /// for finds room: what is dropped of a capture is lost as if it had not been captured.
    pub fn of_capture() -> ArbiterOptions {
        ArbiterOptions {
            held_packets_max: 1 << 16,
            held_bytes_max: 32 << 20,
            ..ArbiterOptions::default()
        }
    }
}

/// What comes out, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arbitrated<'a> {
    /// The next message.
    Message(Message<'a>),
    /// `count` messages from `first` on are lost; the next is the one behind them.
    Lost {
        /// The first of them.
        first: u64,
        /// How many.
        count: u64,
        /// When they were given up.
        now: Ts,
    },
    /// Another session than before, the first one, or the same from an earlier sequence: nothing that went
    /// before counts. Its messages begin at `first`: joined late, unless 1.
    Session {
        /// Its name.
        session: SessionId,
        /// Sequence of the first message to come.
        first: u64,
        /// When.
        now: Ts,
    },
    /// A line says that nothing came since the last message of a session that is more than a name: the venue is alive.
    Heartbeat {
        /// When.
        now: Ts,
    },
    /// The session is over, and this is all of it. If messages follow nevertheless, it was not.
    Ended,
}

/// A message in its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its sequence.
    pub seq: u64,
    /// Its bytes; none is legal.
    pub bytes: &'a [u8],
    /// The line that brought it first.
    pub line: Line,
    /// When.
    pub ts_recv: Ts,
    /// The last of its packet.
    pub last_of_packet: bool,
}

/// What an arbiter has seen, lines apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArbiterCounters {
    /// Times that something was missing.
    pub gaps: u64,
    /// Requests made.
    pub requests: u64,
    /// Messages given up.
    pub lost: u64,
    /// Messages that no line brought before a snapshot told what they made.
    pub passed_over: u64,
    /// Sequences far ahead that one packet alone told of, and that were forgotten.
    pub disbelieved: u64,
    /// Sessions begun.
    pub sessions: u64,
    /// Packets that had to wait.
    pub held: u64,
    /// The last refusal of a packet.
    pub malformed_last: Option<MoldError>,
}
