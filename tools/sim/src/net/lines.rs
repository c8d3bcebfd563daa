//! The thread that publishes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use super::{Config, Shared, lock};
use crate::faults::Packet;
use crate::mold::Side;

/// Bytes of a socket's send buffer: some thousand packets.
const BUFFER: usize = 4 << 20;
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
        while !shared.is_stopped() {
            let now = shared.now();
            let wake_at = {
                let mut core = lock(&shared.core);
                core.poll(now, &mut |side, at, packet| batch.push((side, at, packet.clone())));
                core.wake_at(now)
            };
            let first_at = batch.first().map(|(_, at, _)| *at);
            for (side, _, packet) in batch.drain(..) {
                self.send(side, &packet, shared);
            }
            if let Some(at) = first_at {
                let late = shared.now().saturating_sub(at);
                shared.late_ns_max.fetch_max(late, Ordering::Relaxed);
            }
            let Some(wake_at) = wake_at else { break };
            let sleep = Duration::from_nanos(wake_at.saturating_sub(shared.now()));
            if !sleep.is_zero() {
                thread::park_timeout(sleep.min(SLEEP_MAX));
            }
        }
        shared.done.store(true, Ordering::Relaxed);
    }

    fn send(&self, side: Side, packet: &[u8], shared: &Shared) {
        let line = match side {
            Side::A => Some(&self.a),
            Side::B => self.b.as_ref(),
        };
        let Some((socket, to)) = line else { return };
        if !matches!(socket.send_to(packet, to), Ok(sent) if sent == packet.len()) {
            shared.send_errors.fetch_add(1, Ordering::Relaxed);
        }
    }
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
