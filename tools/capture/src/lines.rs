//! Datagrams into pcapng. Each line is an interface of the file.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::config::Lines;
use feeds::sink::PcapngWriter;
use feeds::source::LinkType;
use host::{UdpOptions, UdpReceiver};
use model::Ts;

use crate::files::{Out, Place, nobody};
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
    let (mut written, mut unwritten) = (0, 0);
    while !shared.stop.load(Ordering::Acquire) {
        let mut busy = false;
        for (number, (address, receiver)) in (0..).zip(&mut receivers) {
            let mut failed = None;
            let received = receiver.receive(|datagram| {
                let ts = Ts(datagram.received_ns.unwrap_or_else(wall_ns));
                // Who sent it is not known here; to whom is what tells lines apart.
                let wrote = writer.udp(number, ts, nobody(*address), *address, datagram.bytes);
                if wrote.as_ref().is_err_and(|error| error.kind() == ErrorKind::InvalidInput) {
                    unwritten += 1; // No frame holds it: one datagram must not end the recording.
                    return;
                }
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
        let dropped = receivers.iter().map(|(_, receiver)| u64::from(receiver.dropped()));
        shared.done.dropped.store(unwritten + dropped.sum::<u64>(), Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};

    use feeds::source::PcapFile;
    use feeds::source::frame::decode;

    use super::*;

    /// Goal: lines of either family are recorded, with the address that they were sent to, up to the longest datagram. Method:
    /// datagrams over loopback, the second as long as its family carries.
    #[test]
    fn either_family() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(free) = UdpSocket::bind(address) else {
                eprintln!("SKIPPED: no {address}");
                continue;
            };
            let address = free.local_addr().unwrap();
            drop(free);
            let folder = tempfile::tempdir().unwrap();
            let shared =
                Shared { stop: std::sync::Arc::default(), done: std::sync::Arc::default() };
            let lines = Lines {
                lines: vec![address],
                interface: Ipv4Addr::UNSPECIFIED,
                request: None,
                snapshot: None,
                receive_buffer: 1 << 18,
                busy_poll_us: 0,
            };
            let place = Place::new(folder.path(), 0, "iex", 1 << 20);
            let thread = start(&lines, place, shared.clone()).unwrap();
            let sender = UdpSocket::bind((address.ip(), 0)).unwrap();
            sender.send_to(b"one", address).unwrap();
            let longest = vec![7; if address.is_ipv6() { 65_527 } else { 65_507 }];
            sender.send_to(&longest, address).unwrap();
            let begun = Instant::now();
            while shared.done.records.load(Ordering::Relaxed) < 2 && !thread.is_finished() {
                assert!(begun.elapsed() < Duration::from_secs(20), "{address}: nothing came");
                std::thread::sleep(Duration::from_millis(1));
            }
            shared.stop.store(true, Ordering::Release);
            assert_eq!(thread.join().unwrap(), Ok(()), "{address}");
            let file = folder.path().read_dir().unwrap().next().unwrap().unwrap().path();
            let mut source = PcapFile::open(&file).unwrap();
            let packet = source.next_packet().unwrap().unwrap();
            let datagram = decode(packet.link, packet.bytes, packet.original_len).unwrap();
            assert_eq!((datagram.dst, datagram.payload), (address, b"one".as_slice()));
            let packet = source.next_packet().unwrap().unwrap();
            let datagram = decode(packet.link, packet.bytes, packet.original_len).unwrap();
            assert_eq!((datagram.dst, datagram.payload), (address, longest.as_slice()));
        }
    }
}
