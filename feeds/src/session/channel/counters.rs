//! What a channel has seen.

use crate::nasdaq::itch::DecodeError;

/// A message that could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadMessage {
    /// Its sequence.
    pub seq: u64,
    /// What is wrong.
    pub error: DecodeError,
}

/// What a channel has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelCounters {
    /// Messages of the lines, in their turn.
    pub messages: u64,
    /// Messages that are lost for good.
    pub lost: u64,
    /// Messages of a type that the decoder does not know, by type.
    pub unknown: [u64; 256],
    /// Blocks of no bytes.
    pub empty: u64,
    /// Messages of a known type that could not be decoded.
    pub bad: u64,
    /// The first of them.
    pub first_bad: Option<BadMessage>,
    /// Messages with a venue time before that of the message before, other than the start of a day.
    pub backwards: u64,
    /// Messages with a time of day of 24 hours or more.
    pub past_midnight: u64,
    /// Snapshots begun.
    pub snapshots: u64,
    /// Attempts at a snapshot that failed.
    pub snapshots_failed: u64,
    /// Messages of snapshots.
    pub snapshot_messages: u64,
    /// Times that the bridge buffer was full.
    pub overflows: u64,
    /// Most bytes that waited for a snapshot.
    pub bridge_bytes_max: u64,
}

impl ChannelCounters {
    pub(super) const NONE: ChannelCounters = ChannelCounters {
        messages: 0,
        lost: 0,
        unknown: [0; 256],
        empty: 0,
        bad: 0,
        first_bad: None,
        backwards: 0,
        past_midnight: 0,
        snapshots: 0,
        snapshots_failed: 0,
        snapshot_messages: 0,
        overflows: 0,
        bridge_bytes_max: 0,
    };
}
