//! IP headers of both versions, and the UDP or TCP header behind them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Datagram, EXTENSIONS_MAX, FrameCause, FrameError, Rest, Transport};

/// Protocol numbers.
const TCP: u8 = 6;
const UDP: u8 = 17;
/// IPv6 extension headers.
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

/// Shortest headers, bytes.
const V4_MIN: usize = 20;
const TCP_MIN: usize = 20;
const UDP_HEADER: usize = 8;

/// "More fragments" and the offset of the fragment, in the fourth 16 bits of an IPv4 header.
const V4_FRAGMENT: u16 = 0x3FFF;
/// The same in an IPv6 fragment header. All zero: a datagram in one piece.
const V6_FRAGMENT: u16 = 0xFFF9;

pub(super) fn v4(mut rest: Rest<'_>) -> Result<Datagram<'_>, FrameError> {
    let start = rest;
    let head = rest.take::<V4_MIN>()?;
    if head[0] >> 4 != 4 {
        return Err(start.fail(FrameCause::IpVersion(head[0] >> 4)));
    }
    let header = usize::from(head[0] & 0x0F) * 4;
    let total = usize::from(u16::from_be_bytes([head[2], head[3]]));
    if header < V4_MIN || total < header {
        return Err(start.fail(FrameCause::Length));
    }
    if u16::from_be_bytes([head[6], head[7]]) & V4_FRAGMENT != 0 {
        return Err(start.fail(FrameCause::Fragment));
    }
    rest.keep(total - V4_MIN)?;
    rest.skip(header - V4_MIN)?;
    let src = Ipv4Addr::new(head[12], head[13], head[14], head[15]);
    let dst = Ipv4Addr::new(head[16], head[17], head[18], head[19]);
    transport(head[9], src.into(), dst.into(), rest)
}

pub(super) fn v6(mut rest: Rest<'_>) -> Result<Datagram<'_>, FrameError> {
    let start = rest;
    let head = rest.take::<8>()?;
    let (src, dst) = (rest.take::<16>()?, rest.take::<16>()?);
    if head[0] >> 4 != 6 {
        return Err(start.fail(FrameCause::IpVersion(head[0] >> 4)));
    }
    // Zero would be a jumbogram: no market sends one.
    let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
    if length == 0 {
        return Err(start.fail(FrameCause::Length));
    }
    rest.keep(length)?;
    let protocol = extensions(head[6], &mut rest)?;
    transport(protocol, Ipv6Addr::from(*src).into(), Ipv6Addr::from(*dst).into(), rest)
}

/// Takes the extension headers off; the protocol behind them.
fn extensions(mut next: u8, rest: &mut Rest<'_>) -> Result<u8, FrameError> {
    for _ in 0..=EXTENSIONS_MAX {
        let start = *rest;
        let (head, length) = match next {
            HOP_BY_HOP | ROUTING | DESTINATION | MOBILITY | HOST_IDENTITY | SHIM6 => {
                let head = rest.take::<8>()?;
                (head, usize::from(head[1]) * 8)
            }
            AUTHENTICATION => {
                let head = rest.take::<8>()?;
                (head, usize::from(head[1]) * 4)
            }
            FRAGMENT => {
                let head = rest.take::<8>()?;
                if u16::from_be_bytes([head[2], head[3]]) & V6_FRAGMENT != 0 {
                    return Err(start.fail(FrameCause::Fragment));
                }
                (head, 0)
            }
            protocol => return Ok(protocol),
        };
        rest.skip(length)?;
        next = head[0];
    }
    Err(rest.fail(FrameCause::Extensions))
}

fn transport(
    protocol: u8,
    src: IpAddr,
    dst: IpAddr,
    mut rest: Rest<'_>,
) -> Result<Datagram<'_>, FrameError> {
    let start = rest;
    let (transport, ports) = match protocol {
        UDP => {
            let head = rest.take::<UDP_HEADER>()?;
            let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
            let payload = length.checked_sub(UDP_HEADER).ok_or(start.fail(FrameCause::Length))?;
            rest.keep(payload)?;
            (Transport::Udp, [head[0], head[1], head[2], head[3]])
        }
        TCP => {
            let head = rest.take::<TCP_MIN>()?;
            let header = usize::from(head[12] >> 4) * 4;
            let options = header.checked_sub(TCP_MIN).ok_or(start.fail(FrameCause::Length))?;
            rest.skip(options)?;
            let seq = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
            (Transport::Tcp { seq, flags: head[13] }, [head[0], head[1], head[2], head[3]])
        }
        other => return Err(start.fail(FrameCause::Protocol(other))),
    };
    let [a, b, c, d] = ports;
    Ok(Datagram {
        src: SocketAddr::new(src, u16::from_be_bytes([a, b])),
        dst: SocketAddr::new(dst, u16::from_be_bytes([c, d])),
        transport,
        payload: rest.bytes,
    })
}
