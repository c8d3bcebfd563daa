//! Link headers: what they announce.

use super::{FrameCause, FrameError, LinkType, Rest, TAGS_MAX};

/// What follows a link header.
pub(super) enum Protocol {
    V4,
    V6,
}

/// Protocol numbers of Ethernet and of what is modelled on it.
const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86DD;
/// 802.1Q, 802.1ad, and the number that was used before the latter.
const TAGS: [u16; 3] = [0x8100, 0x88A8, 0x9100];

/// Address families of loopback headers. Each system has its own number for IPv6.
const INET: u32 = 2;
const INET6: [u32; 5] = [10, 23, 24, 28, 30];

/// Takes the link header off.
pub(super) fn protocol(link: LinkType, rest: &mut Rest<'_>) -> Result<Protocol, FrameError> {
    match link {
        LinkType::ETHERNET => {
            let head = rest.take::<14>()?;
            ether_type(u16::from_be_bytes([head[12], head[13]]), rest)
        }
        LinkType::SLL => {
            let head = rest.take::<16>()?;
            ether_type(u16::from_be_bytes([head[14], head[15]]), rest)
        }
        LinkType::SLL2 => {
            let head = rest.take::<20>()?;
            ether_type(u16::from_be_bytes([head[0], head[1]]), rest)
        }
        LinkType::NULL | LinkType::LOOP => family(rest),
        LinkType::RAW => match rest.bytes.first().map(|first| first >> 4) {
            Some(4) => Ok(Protocol::V4),
            Some(6) => Ok(Protocol::V6),
            Some(version) => Err(rest.fail(FrameCause::IpVersion(version))),
            None => Err(rest.fail(FrameCause::Short)),
        },
        LinkType::IPV4 => Ok(Protocol::V4),
        LinkType::IPV6 => Ok(Protocol::V6),
        LinkType(other) => Err(rest.fail(FrameCause::Link(other))),
    }
}

/// Takes off the tags behind a protocol number.
fn ether_type(mut number: u16, rest: &mut Rest<'_>) -> Result<Protocol, FrameError> {
    let mut tags = 0;
    while TAGS.contains(&number) {
        if tags == TAGS_MAX {
            return Err(rest.fail(FrameCause::Tags));
        }
        let tag = rest.take::<4>()?;
        number = u16::from_be_bytes([tag[2], tag[3]]);
        tags += 1;
    }
    match number {
        IPV4 => Ok(Protocol::V4),
        IPV6 => Ok(Protocol::V6),
        other => Err(rest.fail(FrameCause::NotIp(other))),
    }
}

/// An address family, in whichever byte order it is small.
fn family(rest: &mut Rest<'_>) -> Result<Protocol, FrameError> {
    let head = rest.take::<4>()?;
    let family = u32::from_be_bytes(*head).min(u32::from_le_bytes(*head));
    match family {
        INET => Ok(Protocol::V4),
        family if INET6.contains(&family) => Ok(Protocol::V6),
        other => Err(rest.fail(FrameCause::NotIp(other as u16))),
    }
}
