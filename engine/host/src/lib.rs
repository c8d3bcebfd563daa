//! The operating system and the processor behind a safe interface.
//!
//! Flow: before a hot thread starts it is pinned, its memory is locked and touched; while it runs
//! it reads a [`Clock`] without a system call and prefetches; beside it, [`ThreadUsage`] shows
//! whether the kernel ever got in its way.
//!
//! Must never: decide anything about trading, or hide a failure: what the host refuses is said, and
//! the caller chooses.
#![deny(missing_docs)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_arithmetic
)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod calls;
mod clock;
mod cpu;
mod divide;
mod file;
mod heap;
mod memory;
mod steered;
mod tcp;
mod udp;
mod usage;

pub use calls::CallCounter;
pub use clock::{Clock, monotonic_ns};
pub use cpu::{cpus, pin_current};
pub use divide::quotient;
pub use file::{preallocate, sync_data};
pub use heap::{Counting, allocations};
pub use memory::{
    allow_huge_pages, available_bytes, huge_bytes, lock_memory, prefault, prefetch, prefetch_whole,
};
pub use steered::clock_is_steered;
pub use tcp::TcpClient;
pub use udp::{Datagram, UdpOptions, UdpReceiver};
pub use usage::ThreadUsage;
