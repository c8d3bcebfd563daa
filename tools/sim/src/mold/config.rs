//! What a publisher is told.

use super::{Credentials, RequestPlan, Store};
use crate::faults::FaultPlan;

/// How fast it publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At the times of the source; 100: its own pace, 1,000: ten times as fast.
    Recorded {
        /// The speed.
        per_cent: u32,
    },
    /// So many packets a second, each as full as may be.
    PacketsPerSecond(u32),
    /// As fast as it is asked.
    FlatOut,
}

/// What a publisher is told. Times in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Name of the session.
    pub session: [u8; 10],
    /// How fast.
    pub pace: Pace,
    /// Bytes of a packet, header included.
    pub packet_bytes_max: usize,
    /// Messages of a packet, 1 to 65,534.
    pub packet_messages_max: u16,
    /// How long a packet that is not full waits for more messages, at the recorded pace.
    pub gather_ns: u64,
    /// Silence after which a heartbeat goes out.
    pub heartbeat_ns: u64,
    /// How often the end of the session is said, a heartbeat apart.
    pub end_packets: u32,
    /// Whether there is a line B.
    pub two_lines: bool,
    /// What goes wrong on lines A and B; the same seed does other harm to each.
    pub lines: [FaultPlan; 2],
    /// Messages that are kept for re-requests.
    pub store_messages_max: usize,
    /// Bytes of them.
    pub store_bytes_max: usize,
    /// How re-requests are answered.
    pub requests: RequestPlan,
    /// Who may have a snapshot.
    pub credentials: Credentials,
}

impl Config {
    pub(super) fn store(&self) -> Store {
        Store::new(self.store_messages_max, self.store_bytes_max)
    }
}

impl Default for Config {
    /// The built-in pace, full packets, no faults, user `sim` with password `sim`.
    fn default() -> Config {
        Config {
            session: *b"SIM0000001",
            pace: Pace::Recorded { per_cent: 100 },
            packet_bytes_max: 1_400,
            packet_messages_max: 64,
            gather_ns: 0,
            heartbeat_ns: 1_000_000_000,
            end_packets: 5,
            two_lines: true,
            lines: [FaultPlan::NONE; 2],
            store_messages_max: 1 << 18,
            store_bytes_max: 32 << 20,
            requests: RequestPlan::default(),
            credentials: Credentials::default(),
        }
    }
}
