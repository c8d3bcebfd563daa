//! Datagrams into pcapng. Each line is an interface of the file.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::config::Lines;
use feeds::sink::PcapngWriter;
use feeds::source::LinkType;
use host::{UdpOptions, UdpReceiver};
use model::Ts;

use crate::files::{Out, Place};
use crate::{Failure, Shared};

/// How long what was received may wait for the disk.
const FLUSH: Duration = Duration::from_millis(50);
/// How long a look at the sockets may be put off while nothing comes.
const NAP: Duration = Duration::from_micros(50);

/// Opens the sockets, and records on a thread of its own until it is stopped.
pub fn start(
    lines: &Lines,
    place: Place,
    shared: Shared,
) -> Result<JoinHandle<Result<(), String>>, Failure> {
    let mut receivers = Vec::new();
    for address in &lines.lines {
        let options = UdpOptions {
            bind: *address,
            interface: lines.interface,
            receive_buffer: lines.receive_buffer,
            busy_poll_us: lines.busy_poll_us,
        };
        let receiver = UdpReceiver::bind(&options);
        receivers.push((*address, receiver.map_err(|error| (2, format!("{address}: {error}")))?));
    }
    Ok(std::thread::spawn(move || record(receivers, place, &shared)))
}

fn record(
    mut receivers: Vec<(SocketAddr, UdpReceiver)>,
    mut place: Place,
    shared: &Shared,
) -> Result<(), String> {
    let mut writer = begin(&mut place, &receivers, shared)?;
    let mut flushed = Instant::now();
    let mut written = 0;
    while !shared.stop.load(Ordering::Acquire) {
        let mut busy = false;
        for (number, (address, receiver)) in (0..).zip(&mut receivers) {
            let mut failed = None;
            let received = receiver.receive(|datagram| {
                let ts = Ts(datagram.received_ns.unwrap_or_else(wall_ns));
                // Who sent it is not known here; to whom is what tells lines apart.
                let from = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
                let wrote = writer.udp(number, ts, from, *address, datagram.bytes);
                failed = failed.take().or(wrote.err());
                written += datagram.bytes.len() as u64 + 100;
                shared.done.records.fetch_add(1, Ordering::Relaxed);
                shared.done.bytes.fetch_add(datagram.bytes.len() as u64, Ordering::Relaxed);
            });
            if let Some(error) = failed {
                return Err(format!("cannot write: {error}"));
            }
            busy |= received.map_err(|error| format!("{address}: {error}"))? > 0;
        }
        let dropped = receivers.iter().map(|(_, receiver)| u64::from(receiver.dropped())).sum();
        shared.done.dropped.store(dropped, Ordering::Relaxed);
        if flushed.elapsed() >= FLUSH {
            flushed = Instant::now();
            writer.flush().map_err(|error| format!("cannot write: {error}"))?;
        }
        if place.is_full(written) {
            writer.flush().map_err(|error| format!("cannot write: {error}"))?;
            writer = begin(&mut place, &receivers, shared)?;
            written = 0;
        }
        if !busy {
            std::thread::sleep(NAP);
        }
    }
    writer.flush().map_err(|error| format!("cannot write: {error}"))
}

fn begin(
    place: &mut Place,
    receivers: &[(SocketAddr, UdpReceiver)],
    shared: &Shared,
) -> Result<PcapngWriter<Out>, String> {
    let out = place.next("pcapng", &shared.done)?;
    let refuse = |error: std::io::Error| format!("cannot write: {error}");
    let mut writer = PcapngWriter::new(out).map_err(refuse)?;
    for (address, _) in receivers {
        writer.interface(LinkType::ETHERNET, &address.to_string()).map_err(refuse)?;
    }
    Ok(writer)
}

fn wall_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}
