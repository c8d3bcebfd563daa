//! From a packet of a capture to its UDP or TCP payload: link header, tags, IP, transport.
//!
//! What counts as the payload is what the IP and UDP lengths say: trailers of switches and network cards,
//! padding and check sequences behind it are left out. Checksums are not verified: a card that computes them
//! leaves them wrong in a capture taken on the sending host.

mod ip;
mod link;

use std::net::SocketAddr;

use super::pcap::{LinkType, Packet};

/// Most 802.1Q and 802.1ad tags of a frame.
pub const TAGS_MAX: usize = 4;
/// Most extension headers of an IPv6 packet.
pub const EXTENSIONS_MAX: usize = 8;

/// One datagram or segment, borrowed from the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub src: SocketAddr,
    /// To whom, or to which multicast group.
    pub dst: SocketAddr,
    /// What carried it.
    pub transport: Transport,
    /// What it carried; may be empty.
    pub payload: &'a [u8],
}

/// What carries a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A datagram, whole.
    Udp,
    /// A segment: a piece of a stream.
    Tcp {
        /// Sequence number of the first byte of the payload (of the SYN itself, if it is one).
        seq: u32,
        /// CWR, ECE, URG, ACK, PSH, RST, SYN, FIN, from the highest bit to the lowest.
        flags: u8,
    },
}

/// Why there is no datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameCause {
    /// The capture kept only the beginning of the frame.
    #[error("cut short by the capture: {got} of {need} bytes")]
    Snapped {
        /// Length on the wire, bytes.
        need: u32,
        /// Bytes that were kept.
        got: u32,
    },
    /// Ends inside a header, or before the end that the IP header announces.
    #[error("ends inside a header or a payload")]
    Short,
    /// A link layer that is not read.
    #[error("link type {0}")]
    Link(u16),
    /// More tags than [`TAGS_MAX`].
    #[error("too many tags")]
    Tags,
    /// Not IP: ARP, LLDP and the like.
    #[error("protocol {0:#06x} is not IP")]
    NotIp(u16),
    /// The version in the IP header is not the one announced.
    #[error("IP version {0}")]
    IpVersion(u8),
    /// A length field that contradicts the header it stands in.
    #[error("impossible length in a header")]
    Length,
    /// A piece of a larger datagram: they are not joined.
    #[error("fragment")]
    Fragment,
    /// More extension headers than [`EXTENSIONS_MAX`].
    #[error("too many extension headers")]
    Extensions,
    /// IP, but neither UDP nor TCP: ICMP, IGMP and the like.
    #[error("IP protocol {0}")]
    Protocol(u8),
}

/// Why there is no datagram, and where in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset} of the frame: {cause}")]
pub struct FrameError {
    /// Byte of the frame where the header at fault begins.
    pub offset: u32,
    /// What is wrong there.
    pub cause: FrameCause,
}

/// Finds the datagram in the `bytes` that a capture kept of a frame of `original_len` bytes.
///
/// # Errors
///
/// [`FrameError`] if there is none, or not the whole of it.
pub fn decode(link: LinkType, bytes: &[u8], original_len: u32) -> Result<Datagram<'_>, FrameError> {
    let got = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    if got < original_len {
        let cause = FrameCause::Snapped { need: original_len, got };
        return Err(FrameError { offset: 0, cause });
    }
    let mut rest = Rest { bytes, at: 0 };
    match link::protocol(link, &mut rest)? {
        link::Protocol::V4 => ip::v4(rest),
        link::Protocol::V6 => ip::v6(rest),
    }
}

/// Frames by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCounts {
    /// Frames that held a datagram or a segment.
    pub datagrams: u64,
    /// [`FrameCause::Snapped`].
    pub snapped: u64,
    /// [`FrameCause::Short`].
    pub short: u64,
    /// [`FrameCause::Link`].
    pub link: u64,
    /// [`FrameCause::Tags`].
    pub tags: u64,
    /// [`FrameCause::NotIp`].
    pub not_ip: u64,
    /// [`FrameCause::IpVersion`].
    pub ip_version: u64,
    /// [`FrameCause::Length`].
    pub length: u64,
    /// [`FrameCause::Fragment`].
    pub fragments: u64,
    /// [`FrameCause::Extensions`].
    pub extensions: u64,
    /// [`FrameCause::Protocol`].
    pub protocol: u64,
}

impl FrameCounts {
    /// [`decode`] of a packet, counted.
    ///
    /// # Errors
    ///
    /// As [`decode`].
    pub fn decode<'a>(&mut self, packet: &Packet<'a>) -> Result<Datagram<'a>, FrameError> {
        let outcome = decode(packet.link, packet.bytes, packet.original_len);
        match outcome {
            Ok(_) => self.datagrams += 1,
            Err(error) => *self.of(error.cause) += 1,
        }
        outcome
    }

    /// Frames without a datagram, whatever the reason.
    pub fn rejected(&self) -> u64 {
        let FrameCounts { datagrams: _, snapped, short, link, tags, not_ip, .. } = *self;
        let FrameCounts { ip_version, length, fragments, extensions, protocol, .. } = *self;
        let below_ip = snapped + short + link + tags + not_ip;
        below_ip + ip_version + length + fragments + extensions + protocol
    }

    fn of(&mut self, cause: FrameCause) -> &mut u64 {
        match cause {
            FrameCause::Snapped { .. } => &mut self.snapped,
            FrameCause::Short => &mut self.short,
            FrameCause::Link(_) => &mut self.link,
            FrameCause::Tags => &mut self.tags,
            FrameCause::NotIp(_) => &mut self.not_ip,
            FrameCause::IpVersion(_) => &mut self.ip_version,
            FrameCause::Length => &mut self.length,
            FrameCause::Fragment => &mut self.fragments,
            FrameCause::Extensions => &mut self.extensions,
            FrameCause::Protocol(_) => &mut self.protocol,
        }
    }
}

/// What is left of a frame, and where it begins.
#[derive(Clone, Copy)]
struct Rest<'a> {
    bytes: &'a [u8],
    at: u32,
}

impl<'a> Rest<'a> {
    /// Takes a header of `N` bytes.
    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], FrameError> {
        let (head, bytes) =
            self.bytes.split_first_chunk::<N>().ok_or(self.fail(FrameCause::Short))?;
        self.bytes = bytes;
        self.at += N as u32;
        Ok(head)
    }

    /// Leaves out `count` bytes.
    fn skip(&mut self, count: usize) -> Result<(), FrameError> {
        self.bytes = self.bytes.get(count..).ok_or(self.fail(FrameCause::Short))?;
        self.at += count as u32;
        Ok(())
    }

    /// Leaves out what stands behind the next `count` bytes.
    fn keep(&mut self, count: usize) -> Result<(), FrameError> {
        self.bytes = self.bytes.get(..count).ok_or(self.fail(FrameCause::Short))?;
        Ok(())
    }

    fn fail(&self, cause: FrameCause) -> FrameError {
        FrameError { offset: self.at, cause }
    }
}

#[cfg(test)]
mod tests;
