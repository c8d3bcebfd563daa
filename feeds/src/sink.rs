//! What writes bytes in the formats that [`source`](crate::source) reads: captures of packets, and framed
//! messages. Everything is streamed to any [`std::io::Write`]; give it a buffered one.

mod binary_file;
mod pcap;
mod pcapng;
mod udp;

pub use binary_file::BinaryFileWriter;
pub use pcap::PcapWriter;
pub use pcapng::PcapngWriter;
pub use udp::{Headers, PAYLOAD_MAX};
