//! The journal: everything that entered the core, in order. A journal and the captures that it names are enough to
//! make every state of the engine again.
//!
//! A folder of preallocated segment files. A record is `length u32 | CRC32C u32 | payload`, little-endian; a length of
//! zero ends a segment's valid part. The first records hold the bytes of every configuration file.
//!
//! Market events from a file are recorded by reference ([`Record::Run`]): the file's digest stands once in
//! [`Record::Source`]; everything else is recorded by value ([`Record::Input`]).
//!
//! Flow: the engine thread pushes [`Entry`] into a ring → [`writer`] appends them to the segment and publishes how far
//! it has written and synced → what must not happen before its record is durable waits for that number.
//!
//! One process at a time writes a folder ([`lease`]), and every one of them in an epoch of its own ([`epoch`]). The format
//! is described in `journal/JOURNAL.md`.

pub mod epoch;
pub mod lease;
pub mod reader;
mod record;
pub mod recorder;
pub mod repair;
mod segment;
pub mod storage;
pub mod writer;

pub use record::{BadRecord, Entry, Record};
pub use segment::{BadFrame, FILE_MAX, JournalError, SEGMENT_BYTES, numbers, path_of};
