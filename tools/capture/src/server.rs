//! Messages of a connection into pcapng, as the MoldUDP64 packets that would have carried them: same session, same sequences.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::config::Server;
use feeds::new_york_midnight;
use feeds::session::SessionId;
use feeds::session::mold::PacketWriter;
use feeds::session::soup_feed::{Action, SoupFeed, SoupFeedOptions};
use feeds::sink::PcapngWriter;
use feeds::source::LinkType;
use host::TcpClient;
use model::{Event, FeedId, Ts};
use program::eprintln;

use crate::files::{Out, Place, nobody};
use crate::{Failure, Shared};

/// How long what was received may wait for the disk.
const FLUSH: Duration = Duration::from_millis(50);
/// How long a look at the socket may be put off while nothing comes.
const NAP: Duration = Duration::from_micros(50);
/// Bytes of a packet.
const PACKET: usize = 1_400;
/// A second without a message is told by an empty packet, as a line would.
const HEARTBEAT_NS: u64 = 1_000_000_000;

/// Records on a thread of its own until it is stopped.
pub fn start(
    number: u8,
    server: &Server,
    place: Place,
    shared: Shared,
) -> Result<JoinHandle<Result<(), String>>, Failure> {
    let login = server.login().map_err(|error| (2, error))?;
    let midnight = new_york_midnight(wall());
    let options =
        SoupFeedOptions { seed: wall().0, ..SoupFeedOptions::new(FeedId(number), midnight, login) };
    let address = server.address;
    Ok(std::thread::spawn(move || {
        record(address, SoupFeed::new(options), Packets::new(address, place, shared)?)
    }))
}

fn record(address: SocketAddr, mut feed: SoupFeed, mut packets: Packets) -> Result<(), String> {
    let mut client = TcpClient::new();
    let mut flushed = Instant::now();
    let mut last = Ts(0);
    let mut wall = || {
        last = wall().max(last); // A clock that is set back does not turn time back.
        last
    };
    let (mut over, look) = (false, &mut |_: Event| {}); // The books are nothing to a recorder.
    while !packets.shared.stop.load(Ordering::Acquire) {
        match client.has_opened() {
            Ok(false) => {}
            Ok(true) => feed.on_opened(wall()),
            Err(_) => feed.on_closed(wall(), look),
        }
        let received = client.receive(|bytes| {
            let now = wall();
            feed.on_bytes_kept(
                bytes,
                now,
                &mut |session, seq, message| packets.keep(session, seq, message, now),
                look,
            );
            packets.packet(now);
        });
        let busy = received.as_ref().is_ok_and(|count| *count > 0);
        let now = wall();
        if received.is_err() {
            feed.on_closed(now, look);
        }
        if feed.wake_at().is_some_and(|due| due <= now) {
            feed.on_time(now, look);
        }
        while let Some(action) = feed.next_action() {
            let done = match &action {
                Action::Open => client.connect(address),
                Action::Send(outgoing) => client.send(outgoing.bytes()),
                Action::Close => {
                    client.close();
                    continue;
                }
            };
            if done.is_err() {
                feed.on_closed(wall(), look);
            }
        }
        if client.send(&[]).is_err() {
            feed.on_closed(now, look);
        }
        if let Some(error) = feed.next_error() {
            eprintln!("tickgate-capture: {address}: {error}; trying again");
        }
        let was_over = std::mem::replace(&mut over, feed.is_over());
        if over && !was_over {
            packets.end(now);
        } else if feed.is_heard() {
            packets.beat(now); // Of a server that hangs, as it was: silent.
        }
        if flushed.elapsed() >= FLUSH {
            flushed = Instant::now();
            packets.flush()?;
        }
        if !busy {
            std::thread::sleep(NAP);
        }
    }
    packets.flush()
}

/// Packets being written.
struct Packets {
    to: SocketAddr,
    place: Place,
    shared: Shared,
    out: PcapngWriter<Out>,
    written: u64,
    /// The packet that is filled, and its session.
    packet: Option<(SessionId, PacketWriter)>,
    last: Ts,
    failed: Option<std::io::Error>,
}

impl Packets {
    fn new(to: SocketAddr, mut place: Place, shared: Shared) -> Result<Packets, String> {
        let out = begin(&mut place, to, &shared)?;
        let (written, packet, last, failed) = (0, None, Ts(0), None);
        Ok(Packets { to, place, shared, out, written, packet, last, failed })
    }

    /// Keeps a message in the packet of its session and sequence.
    fn keep(&mut self, session: SessionId, seq: u64, message: &[u8], now: Ts) {
        for _ in 0..2 {
            if let Some((of, packet)) = &mut self.packet
                && (*of, packet.next()) == (session, seq)
                && packet.push(message)
            {
                self.shared.done.records.fetch_add(1, Ordering::Relaxed);
                self.shared.done.bytes.fetch_add(message.len() as u64, Ordering::Relaxed);
                return;
            }
            self.packet(now);
            let fits = |(of, packet): &(_, PacketWriter)| (*of, packet.next()) == (session, seq);
            let room = PACKET.max(message.len() + 22);
            if room > PACKET || !self.packet.as_ref().is_some_and(fits) {
                self.packet = Some((session, PacketWriter::new(session, seq, room)));
            }
        }
        // Longer than a datagram can be: its place in the sequence stays empty.
        self.shared.done.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Writes the packet, if there is something in it.
    fn packet(&mut self, now: Ts) {
        if self.packet.as_ref().is_some_and(|(_, packet)| packet.count() > 0) {
            self.last = Ts(0);
            self.beat(now);
        }
    }

    /// Writes the packet that ends the session.
    fn end(&mut self, now: Ts) {
        self.packet(now);
        if let Some((_, packet)) = &self.packet {
            let end = packet.end_of_session();
            self.write(&end, now);
        }
    }

    /// Writes an empty packet, if nothing was written for a while.
    fn beat(&mut self, now: Ts) {
        if now.since(self.last) >= HEARTBEAT_NS
            && let Some((session, mut packet)) = self.packet.take()
        {
            self.write(packet.packet(), now);
            packet.restart();
            self.packet = Some((session, packet));
        }
    }

    fn write(&mut self, bytes: &[u8], now: Ts) {
        let wrote = self.out.udp(0, now, nobody(self.to), self.to, bytes);
        self.failed = self.failed.take().or(wrote.err());
        self.written += bytes.len() as u64 + 100;
        self.last = now;
    }

    /// Hands what was written to the disk, and begins another file if this one is full.
    fn flush(&mut self) -> Result<(), String> {
        let wrote = self.failed.take().map_or(Ok(()), Err).and_then(|()| self.out.flush());
        wrote.map_err(|error| format!("cannot write: {error}"))?;
        if self.place.is_full(self.written) {
            self.out = begin(&mut self.place, self.to, &self.shared)?;
            self.written = 0;
        }
        Ok(())
    }
}

fn begin(
    place: &mut Place,
    address: SocketAddr,
    shared: &Shared,
) -> Result<PcapngWriter<Out>, String> {
    let out = place.next("pcapng", &shared.done)?;
    let refuse = |error: std::io::Error| format!("cannot write: {error}");
    let mut writer = PcapngWriter::new(out).map_err(refuse)?;
    writer.interface(LinkType::ETHERNET, &address.to_string()).map_err(refuse)?;
    Ok(writer)
}

fn wall() -> Ts {
    Ts(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use feeds::capture::Capture;
    use feeds::{FeedOptions, Next, Venue};
    use model::Kind;

    use super::*;
    use crate::Done;

    /// Goal: what is kept is read back with its sessions, sequences and times. Method: two sessions, a hole, a message that is
    /// too long; then the events of the file.
    #[test]
    fn reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let shared =
            Shared { stop: Arc::new(AtomicBool::new(false)), done: Arc::new(Done::default()) };
        let place = Place::new(folder.path(), 0, "nasdaq_itch", 1 << 20);
        let mut packets =
            Packets::new("127.0.0.1:1".parse().unwrap(), place, shared.clone()).unwrap();
        let message = b"S\0\0\0\0\0\0\0\0\0\x01Q";
        let (one, two) = (SessionId::named("ONE"), SessionId::named("TWO"));
        (1..=300).for_each(|seq| packets.keep(one, seq, message, Ts(5_000_000_000)));
        packets.keep(one, 301, &[0; 65_534], Ts(5_000_000_000));
        packets.end(Ts(6_000_000_000));
        packets.keep(two, 1, message, Ts(8_000_000_000));
        packets.packet(Ts(8_000_000_000));
        packets.beat(Ts(8_500_000_000));
        packets.beat(Ts(9_000_000_000));
        packets.flush().unwrap();
        let read = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        assert_eq!((read(&shared.done.records), read(&shared.done.dropped)), (301, 1));

        let file = folder.path().read_dir().unwrap().next().unwrap().unwrap().path();
        let mut feed =
            Capture::open(Venue::NasdaqItch, &[file], FeedOptions::default(), &[]).unwrap();
        let mut seen = Vec::new();
        while let Next::Event(event) = feed.next().unwrap() {
            if event.kind == Kind::Session && event.aux == u64::from(b'Q') {
                seen.push((event.seq, event.ts_recv.0 / 1_000_000_000));
            }
        }
        assert_eq!(seen.len(), 301);
        assert_eq!((seen[0], seen[299], seen[300]), ((1, 5), (300, 5), (1, 8)));
    }
}
