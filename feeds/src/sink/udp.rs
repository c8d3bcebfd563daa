//! Headers that make a UDP payload a frame again: Ethernet, IP, UDP, with their checksums.

use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Longest payload of a datagram over IPv4, bytes. IPv6 does not count its own header: it carries as many more.
pub const PAYLOAD_MAX: usize = 65_535 - IPV4 - UDP;

/// Bytes of each header.
const ETHERNET: usize = 14;
const IPV4: usize = 20;
const IPV6: usize = 40;
const UDP: usize = 8;

const PROTOCOL_UDP: u8 = 17;
const TTL: u8 = 64;

/// Addresses of cards that are not there: "locally administered".
const CARD_SRC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const CARD_DST: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// The headers of one datagram.
#[derive(Clone, Copy, Debug)]
pub struct Headers {
    bytes: [u8; ETHERNET + IPV6 + UDP],
    length: usize,
}

impl Headers {
    /// Headers of `payload` from `src` to `dst`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] if the addresses are of different families, or the payload is longer than
    /// a datagram of theirs can be.
    pub fn new(src: SocketAddr, dst: SocketAddr, payload: &[u8]) -> Result<Headers> {
        let datagram = u16::try_from(UDP + payload.len())
            .ok()
            .filter(|_| dst.is_ipv6() || payload.len() <= PAYLOAD_MAX)
            .ok_or(Error::new(ErrorKind::InvalidInput, "a payload too long for a datagram"))?;
        let mut pen = Pen { bytes: [0; ETHERNET + IPV6 + UDP], at: 0 };
        pen.put(&card(dst.ip()));
        pen.put(&CARD_SRC);
        let mut sum = Sum(0);
        match (src.ip(), dst.ip()) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                pen.put(&0x0800_u16.to_be_bytes());
                pen.put(&ipv4(src, dst, datagram));
                sum.add(&src.octets());
                sum.add(&dst.octets());
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                pen.put(&0x86DD_u16.to_be_bytes());
                pen.put(&ipv6(src, dst, datagram));
                sum.add(&src.octets());
                sum.add(&dst.octets());
            }
            _ => return Err(Error::new(ErrorKind::InvalidInput, "addresses of two families")),
        }
        sum.add(&[0, PROTOCOL_UDP]);
        sum.add(&datagram.to_be_bytes());
        let fields = [src.port(), dst.port(), datagram];
        fields.iter().for_each(|field| sum.add(&field.to_be_bytes()));
        sum.add(payload);
        fields.iter().for_each(|field| pen.put(&field.to_be_bytes()));
        // Zero would say that there is none.
        let sum = if sum.end() == 0 { 0xFFFF } else { sum.end() };
        pen.put(&sum.to_be_bytes());
        Ok(Headers { bytes: pen.bytes, length: pen.at })
    }

    /// What stands before the payload in the frame.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Writes fields one behind the other.
struct Pen {
    bytes: [u8; ETHERNET + IPV6 + UDP],
    at: usize,
}

impl Pen {
    fn put(&mut self, field: &[u8]) {
        let room = self.bytes.iter_mut().skip(self.at);
        room.zip(field).for_each(|(to, from)| *to = *from);
        self.at += field.len();
    }
}

/// The Internet checksum (RFC 1071).
struct Sum(u64);

impl Sum {
    /// Adds bytes, padded with a zero if they are odd: only the last may be.
    fn add(&mut self, bytes: &[u8]) {
        let pairs = bytes.chunks_exact(2);
        let odd = pairs.remainder().first().map_or(0, |byte| u64::from(*byte) << 8);
        let pair = |pair: &[u8]| pair.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        self.0 += pairs.map(pair).sum::<u64>() + odd;
    }

    fn end(&self) -> u16 {
        let mut sum = self.0;
        while sum > 0xFFFF {
            sum = (sum & 0xFFFF) + (sum >> 16);
        }
        !(sum as u16)
    }
}

fn ipv4(src: Ipv4Addr, dst: Ipv4Addr, datagram: u16) -> [u8; IPV4] {
    // "Don't fragment", as every venue's packets are sent.
    let [high, low] = (datagram + IPV4 as u16).to_be_bytes();
    let mut header =
        [0x45, 0, high, low, 0, 0, 0x40, 0, TTL, PROTOCOL_UDP, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header[12..16].copy_from_slice(&src.octets());
    header[16..20].copy_from_slice(&dst.octets());
    let mut sum = Sum(0);
    sum.add(&header);
    header[10..12].copy_from_slice(&sum.end().to_be_bytes());
    header
}

fn ipv6(src: Ipv6Addr, dst: Ipv6Addr, datagram: u16) -> [u8; IPV6] {
    let mut header = [0; IPV6];
    header[0] = 0x60;
    header[4..6].copy_from_slice(&datagram.to_be_bytes());
    header[6] = PROTOCOL_UDP;
    header[7] = TTL;
    header[8..24].copy_from_slice(&src.octets());
    header[24..40].copy_from_slice(&dst.octets());
    header
}

/// The card that listens to an address: a multicast group has one of its own (RFC 1112, RFC 2464).
fn card(dst: IpAddr) -> [u8; 6] {
    match dst {
        IpAddr::V4(dst) if dst.is_multicast() => {
            let [_, b, c, d] = dst.octets();
            [0x01, 0x00, 0x5E, b & 0x7F, c, d]
        }
        IpAddr::V6(dst) if dst.is_multicast() => {
            let [.., a, b, c, d] = dst.octets();
            [0x33, 0x33, a, b, c, d]
        }
        _ => CARD_DST,
    }
}
