//! Shared memory between the engine and its clients: the only way from one process to the other.
//!
//! Flow: the engine thread writes pages, tape and answers through a [`Publisher`]; its housekeeping
//! thread hands the memory out through a [`Listener`]; a [`Client`] in another process reads it and
//! asks through a desk, a request ring of its own; the engine thread takes those requests from
//! [`Publisher::poll_desk`].
//!
//! Must never: let a client's bytes panic, stall or mislead the engine; let a client write what
//! another reads; give a reader half a record; make the engine wait for anybody; touch shared words
//! except through atomics and `sync::load_line` and `sync::store_line`, which stand for some of their loads and stores.
//!
//! | file | what |
//! |---|---|
//! | `cell` | the newest state of one thing: pages |
//! | `ring` | numbered records, each whole or absent |
//! | `tape`, `desk` | two ways to read a ring: in order, hostile |
//! | `event_ring` | events from one thread to another, within a process |
//! | `layout`, `header` | where everything lies; who wrote it and in which version |
//! | `memory` | sealed memfds and their maps |
//! | `folder`, `find`, `greeting`, `listener`, `lease` | how a client finds an engine and gets a desk |
//! | `publisher`, `client` | the two ends |
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

mod cell;
mod desk;
mod event_ring;
mod ring;
mod sync;
mod tape;

pub use cell::{Cell, CellError};
pub use desk::{DeskCursor, DeskFault, DeskRing};
pub use event_ring::{EventReceiver, EventSender, event_ring};
pub use ring::Ring;
pub use tape::{Next, TapeCursor};

// The model checker runs on the heap: no memory of the operating system there.
#[cfg(not(loom))]
mod client;
#[cfg(not(loom))]
mod error;
#[cfg(not(loom))]
mod find;
#[cfg(not(loom))]
mod folder;
#[cfg(not(loom))]
mod greeting;
#[cfg(not(loom))]
mod header;
#[cfg(not(loom))]
mod layout;
#[cfg(not(loom))]
mod lease;
#[cfg(not(loom))]
mod listener;
#[cfg(not(loom))]
mod memory;
#[cfg(not(loom))]
mod publisher;

#[cfg(not(loom))]
pub use {
    client::{BoardWords, Client, ReadError, Reader, SendError},
    error::{AttachError, ShmError},
    find::{find_engine, find_engines, halt, halt_in, list_engines},
    folder::{Folder, NameLock},
    header::Version,
    layout::{ABI, Capacity, LAYOUT_HASH, WATCHES},
    listener::{AttachEvent, Listener},
    publisher::{HaltWord, Publisher},
};

/// Each end can be moved to the thread that runs it.
#[cfg(not(loom))]
const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Publisher>();
    is_send::<Listener>();
    is_send::<Client>();
    is_send::<HaltWord>();
};
