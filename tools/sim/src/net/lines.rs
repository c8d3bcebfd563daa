//! The thread that publishes.

use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::addr::SocketAddrArg;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg};
use socket2::{Domain, Protocol, Socket, Type};

use super::{Config, Shared, lock};
use crate::faults::Packet;
use crate::mold::Side;

/// Bytes of a socket's send buffer: some thousand packets.
const BUFFER: usize = 4 << 20;
/// A packet that leaves so much after it was due, in nanoseconds, is counted as late.
const LATE: u64 = 1_000_000;
/// Longest sleep, so that a stop is seen even if its wake-up comes between a look and a sleep.
const SLEEP_MAX: Duration = Duration::from_millis(50);

/// Where the packets go.
pub(super) struct Lines {
    a: (UdpSocket, SocketAddr),
    b: Option<(UdpSocket, SocketAddr)>,
}

impl Lines {
    pub(super) fn open(config: &Config) -> io::Result<Lines> {
        let open = |to| Ok::<_, io::Error>((open(to, config.interface)?, to));
        Ok(Lines { a: open(config.line_a)?, b: config.line_b.map(open).transpose()? })
    }

    pub(super) fn run(&self, shared: &Shared) {
        let mut batch: Vec<(Side, u64, Packet)> = Vec::with_capacity(1_024);
        let mut published = 0;
        while !shared.is_stopped() {
            let now = shared.now();
            let (wake_at, next) = {
                let mut core = lock(&shared.core);
                core.poll(now, &mut |side, at, packet| batch.push((side, at, packet.clone())));
                (core.wake_at(now), core.published().next())
            };
            self.send_all(&mut batch, shared);
            if next != published {
                published = next;
                shared.messages_ns.store(shared.now(), Ordering::Relaxed);
            }
            let Some(wake_at) = wake_at else { break };
            let sleep = Duration::from_nanos(wake_at.saturating_sub(shared.now()));
            if !sleep.is_zero() {
                thread::park_timeout(sleep.min(SLEEP_MAX));
            }
        }
        shared.done.store(true, Ordering::Relaxed);
    }

    /// Sends what is due, and counts what was due long ago.
    fn send_all(&self, batch: &mut Vec<(Side, u64, Packet)>, shared: &Shared) {
        let Some(first_at) = batch.first().map(|(_, at, _)| *at) else { return };
        let begun = shared.now();
        let late = batch.iter().filter(|(_, at, _)| begun.saturating_sub(*at) > LATE).count();
        for (side, line) in [(Side::A, Some(&self.a)), (Side::B, self.b.as_ref())] {
            let of_line = batch.iter().filter(|(of, ..)| *of == side);
            if let Some(line) = line {
                let errors = send(line, of_line.map(|(_, _, packet)| packet));
                shared.send_errors.fetch_add(errors, Ordering::Relaxed);
            }
        }
        batch.clear();
        let behind = shared.now().saturating_sub(first_at);
        shared.late_ns_max.fetch_max(behind, Ordering::Relaxed);
        shared.late.fetch_add(late as u64, Ordering::Relaxed);
    }
}

/// Sends packets with as few calls as may be; how many were refused.
fn send<'a>(
    (socket, to): &(UdpSocket, SocketAddr),
    packets: impl Iterator<Item = &'a Packet>,
) -> u64 {
    let to = to.as_any();
    let pieces: Vec<_> = packets.map(|packet| [IoSlice::new(packet)]).collect();
    let mut beside: Vec<_> = pieces.iter().map(|_| SendAncillaryBuffer::default()).collect();
    let datagram = |(piece, beside)| MMsgHdr::new_with_addr(&to, piece, beside);
    let mut datagrams: Vec<_> =
        pieces.iter().map(|piece| &piece[..]).zip(&mut beside).map(datagram).collect();
    let (mut errors, mut sent) = (0, 0);
    while let Some(rest) = datagrams.get_mut(sent..).filter(|rest| !rest.is_empty()) {
        match sendmmsg(socket, rest, SendFlags::empty()) {
            Ok(count) => sent += count.max(1),
            Err(Errno::INTR) => {}
            // Said of the first of them: the others may still go.
            Err(_) => (errors, sent) = (errors + 1, sent + 1),
        }
    }
    errors
}

/// A socket that sends to `to`, from the same kind of address: what goes to loopback comes from
/// there.
fn open(to: SocketAddr, interface: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
    // The operating system may give less.
    socket.set_send_buffer_size(BUFFER)?;
    match to.ip() {
        IpAddr::V4(group) if group.is_multicast() => {
            socket.set_multicast_if_v4(&interface)?;
            socket.set_multicast_loop_v4(true)?;
            socket.set_multicast_ttl_v4(1)?;
        }
        IpAddr::V6(group) if group.is_multicast() => {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "multicast is IPv4 only"));
        }
        _ => {}
    }
    Ok(socket.into())
}
