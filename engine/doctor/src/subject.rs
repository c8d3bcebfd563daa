//! What is to run on the host.

use crate::{CpuSet, Host};

/// The engine that the host is judged for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Whether it trades at a venue: what is required of a host is required for that. Also so if nothing is known.
    pub live: bool,
    /// Its configuration, if one was given.
    pub pinned: Option<Pinned>,
    /// Processors of the hot threads: those that are pinned; without a configuration, the isolated ones.
    pub hot: CpuSet,
    /// All that are online.
    pub online: CpuSet,
    /// Bytes that it takes; `None`: not known.
    pub memory: Option<u64>,
    /// Whether its tables ask for huge pages, and bytes that then came to lie in such; `None`: not known.
    pub huge: Option<(bool, u64)>,
    /// Bytes that its sockets ask the kernel to buffer; none: as [`Subject::RECEIVE_BUFFER`].
    pub receive_buffer: u64,
}

/// Where a configuration puts its threads; of shards, the first one's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pinned {
    /// `[threads] feed_cpu`.
    pub feed: Option<usize>,
    /// `[threads] engine_cpu`.
    pub engine: Option<usize>,
    /// Engines of the process, each with hot threads of its own; none stands for one.
    pub engines: usize,
    /// `[threads] journal_cpu`.
    pub journal: Option<usize>,
    /// `[threads] lock_memory`.
    pub lock_memory: bool,
    /// Whether hot threads never give their core away.
    pub spins: bool,
}

impl Subject {
    /// What a feed over UDP asks for if its configuration says nothing: 32 MiB.
    pub const RECEIVE_BUFFER: u64 = 32 << 20;

    /// For live trading with a configuration that is not known: the isolated processors are the hot ones.
    pub fn unconfigured(host: &Host) -> Subject {
        let online = host.cpus("sys/devices/system/cpu/online").unwrap_or_default();
        let hot = host.cpus("sys/devices/system/cpu/isolated").unwrap_or_default().and(&online);
        Subject {
            live: true,
            hot,
            online,
            receive_buffer: Self::RECEIVE_BUFFER,
            ..Subject::default()
        }
    }

    /// For a configuration.
    pub fn configured(host: &Host, live: bool, pinned: Pinned) -> Subject {
        let hot = [pinned.feed, pinned.engine].into_iter().flatten().collect();
        Subject { live, pinned: Some(pinned), hot, ..Subject::unconfigured(host) }
    }

    /// Processors for everything else.
    pub fn rest(&self) -> CpuSet {
        self.online.without(&self.hot)
    }

    /// Whether both hot threads and everything else have cores.
    pub fn splits(&self) -> bool {
        !self.hot.is_empty() && !self.rest().is_empty()
    }

    /// The hot ones for a line that the operator is to type: a placeholder if there are none yet.
    pub fn hot_text(&self) -> String {
        if self.hot.is_empty() { "A-B".into() } else { self.hot.to_string() }
    }

    /// The others, likewise.
    pub fn rest_text(&self) -> String {
        if self.splits() { self.rest().to_string() } else { "REST".into() }
    }
}
