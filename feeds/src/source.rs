//! Where bytes come from. A source yields frames, packets or lines and knows nothing of their meaning.
//!
//! [`FileReader`] undoes the compression of a file, whatever its name; [`BinaryFile`], [`PcapSource`] and
//! [`LineSource`] cut any reader into pieces; [`frame::decode`] finds the datagram in a packet.

mod binary_file;
mod error;
mod file;
pub mod frame;
mod lines;
mod pcap;
mod window;

pub use binary_file::{BinaryFile, Frame};
pub use error::{SourceCause, SourceError};
pub use file::{FileReader, FileSource};
pub use lines::{Direction, LINE_MAX, Line, LineCounts, LineFile, LineSource};
pub use pcap::{LinkType, PACKET_MAX, Packet, PcapCounts, PcapFile, PcapSource};
