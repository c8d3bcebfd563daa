//! Where the lines of a capture are sent to: a capture of a network holds other datagrams too.

use std::net::SocketAddr;

use crate::iex::transport::{DEEP, Segment, TOPS};
use crate::session::arbiter::Line;
use crate::session::mold::Packet;
use crate::source::frame::{Datagram, Transport};

/// Whether a payload is a MoldUDP64 packet.
pub(super) fn is_mold(payload: &[u8]) -> bool {
    Packet::parse(payload).is_ok_and(|packet| packet.header().end().is_ok())
}

/// Whether a payload is a segment of IEX.
pub(super) fn is_segment(payload: &[u8]) -> bool {
    Segment::new(payload).is_ok_and(|segment| [DEEP, TOPS].contains(&segment.protocol))
}

/// The first address that packets of the protocol are sent to is line A, the second line B; whatever is sent anywhere else
/// answers a request. An address that carries anything else is nobody's line, and what is sent there is counted.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    lines: [Option<SocketAddr>; 2],
    is_packet: fn(&[u8]) -> bool,
    foreign: u64,
}

impl Addresses {
    /// Lines that carry MoldUDP64.
    pub fn of_mold() -> Addresses {
        Addresses { lines: [None; 2], is_packet: is_mold, foreign: 0 }
    }

    /// Lines that carry segments of IEX.
    pub fn of_iex() -> Addresses {
        Addresses { lines: [None; 2], is_packet: is_segment, foreign: 0 }
    }

    /// The line that brought a datagram; `None`: it is none of the feed's. A damaged one on a known line is that line's.
    #[inline]
    pub fn line(&mut self, datagram: &Datagram<'_>) -> Option<Line> {
        let [a, b] = &self.lines;
        match Some(datagram.dst) {
            _ if datagram.transport != Transport::Udp => {}
            to if to == *a => return Some(Line::A),
            to if to == *b => return Some(Line::B),
            _ => return self.unknown(datagram),
        }
        self.foreign += 1;
        None
    }

    #[cold]
    fn unknown(&mut self, datagram: &Datagram<'_>) -> Option<Line> {
        if !(self.is_packet)(datagram.payload) {
            self.foreign += 1;
            return None;
        }
        for (place, line) in self.lines.iter_mut().zip([Line::A, Line::B]) {
            if place.is_none() {
                *place = Some(datagram.dst);
                return Some(line);
            }
        }
        Some(Line::Answer)
    }

    /// Datagrams and segments of streams that were none of the feed's.
    pub fn foreign(&self) -> u64 {
        self.foreign
    }
}
