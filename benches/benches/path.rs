//! Stage `path`: the bytes of a capture to L3 books and their best prices, every layer between. `file` is BinaryFILE → ITCH →
//! books against the length walk; the others are pcap → frame → UDP → MoldUDP64 sessions → ITCH → books against that file path:
//! what the packets and the arbitration of two lines cost on top, for the same messages.
//!
//! `one_line` and `two_lines` carry four messages a packet, as a venue does in a lively moment, `two_lines_single` one. The
//! second line's copy of a packet comes right behind the first's.

use std::hint::black_box;
use std::net::SocketAddr;

use benches::{
    DECODER, EVENTS_PER_ROUND, FEW, SYMBOLS, Stream, check_digest, compare, criterion, digest,
    frames, on_cpu, walk,
};
use engine::book::{BookCapacity, Books};
use feeds::session::SessionId;
use feeds::session::arbiter::Line;
use feeds::session::channel::{Channel, ChannelOptions};
use feeds::session::mold::PacketWriter;
use feeds::sink::PcapWriter;
use feeds::source::frame::FrameCounts;
use feeds::source::{BinaryFile, LinkType, PcapSource};
use model::{Event, FeedId, Flags, Kind, Side, Ts};

/// Nanoseconds from one packet to the next, and from one line to the other.
const APART_NS: u64 = 20_000;
const SKEW_NS: u64 = 1_000;
/// The UNIX time of the first packet.
const START: Ts = Ts(1_704_153_600_000_000_000);
/// The first of the two groups; the second has the next port.
const GROUP: &str = "233.252.0.1:26400";

/// Books, and the events that wait for the next round.
struct Rounds {
    books: Books,
    round: [Event; EVENTS_PER_ROUND],
    used: usize,
}

impl Rounds {
    fn new() -> Rounds {
        let books = Books::new(BookCapacity::new(u32::from(SYMBOLS) + 1, 1 << 18));
        Rounds { books, round: [Event::empty(Kind::Notice); EVENTS_PER_ROUND], used: 0 }
    }

    #[inline]
    fn push(&mut self, event: Event) {
        self.round[self.used] = event;
        self.used += 1;
        if self.used == EVENTS_PER_ROUND {
            self.apply();
        }
    }

    /// As the engine thread does it, best prices read after each event.
    fn apply(&mut self) {
        let round = &self.round[..self.used];
        for (at, event) in round.iter().enumerate() {
            self.books.look_ahead(round, at, FEW);
            let book = event.number.0 as usize;
            black_box(self.books.apply(book, event));
            black_box([Side::Buy, Side::Sell].map(|side| self.books.best(book, side)));
        }
        self.used = 0;
    }

    fn digest(&self) -> u64 {
        digest(|number, side| {
            self.books.best(usize::from(number), side).map(|quote| (quote.px, quote.qty))
        })
    }
}

fn file_path(rounds: &mut Rounds, bytes: &[u8]) {
    let mut source = BinaryFile::from_reader(bytes);
    let mut seq = 0;
    while let Some(frame) = source.next_frame().expect("whole frames") {
        seq += 1;
        if let Ok(event) = DECODER.decode(frame.bytes, seq, Flags::LAST_OF_PACKET) {
            rounds.push(event);
        }
    }
    rounds.apply();
}

fn packet_path(rounds: &mut Rounds, bytes: &[u8], two_lines: bool) -> u64 {
    let mut source = PcapSource::from_reader(bytes);
    let mut options = ChannelOptions::new(FeedId(0), Ts(0));
    options.arbiter.two_lines = two_lines;
    let (mut frames, mut channel) = (FrameCounts::default(), Channel::new(options));
    let group: SocketAddr = GROUP.parse().expect("an address");
    while let Some(packet) = source.next_packet().expect("whole packets") {
        let now = packet.ts;
        let Ok(datagram) = frames.decode(&packet) else { continue };
        let line = if datagram.dst == group { Line::A } else { Line::B };
        if channel.wake_at().is_some_and(|due| due <= now) {
            channel.on_time(now, &mut |event| rounds.push(event));
        }
        channel.on_datagram(line, datagram.payload, now, &mut |event| rounds.push(event));
    }
    rounds.apply();
    channel.counters().messages
}

/// The messages in packets over the lines, as a capture of them.
fn capture(day: &Stream, lines: u16, packet_messages: u16) -> Vec<u8> {
    let group: SocketAddr = GROUP.parse().expect("an address");
    let sender = SocketAddr::new(group.ip(), 1);
    let mut out = PcapWriter::new(Vec::new(), LinkType::ETHERNET).expect("memory");
    let mut packet = PacketWriter::new(SessionId(*b"BENCH00001"), 1, 1_400);
    let mut at = START.0;
    let mut send = |packet: &mut PacketWriter| {
        at += APART_NS;
        for line in 0..lines {
            let to = SocketAddr::new(group.ip(), group.port() + line);
            let ts = Ts(at + SKEW_NS * u64::from(line));
            out.udp(ts, sender, to, packet.packet()).expect("memory");
        }
        packet.restart();
    };
    for message in frames(&day.bytes) {
        assert!(packet.push(message), "a packet of few messages has room");
        if packet.count() == packet_messages {
            send(&mut packet);
        }
    }
    if packet.count() > 0 {
        send(&mut packet);
    }
    out.into_inner()
}

fn main() {
    let mut criterion = criterion();
    let (day, summary) = Stream::day();
    let count = day.events.len();
    let mut rounds = Rounds::new();
    compare(
        &mut criterion,
        ["path", "file"],
        ("length walk", || on_cpu(count, || _ = black_box(walk(black_box(&day.bytes))))),
        || {
            rounds.books.clear_all();
            on_cpu(count, || file_path(&mut rounds, black_box(&day.bytes)))
        },
    );
    check_digest("path/file", rounds.digest(), summary.digest);
    for (name, lines, packet_messages) in
        [("one_line", 1, 4), ("two_lines", 2, 4), ("two_lines_single", 2, 1)]
    {
        let packets = capture(&day, lines, packet_messages);
        let mut of_file = Rounds::new();
        compare(
            &mut criterion,
            ["path", name],
            ("the file path", || {
                of_file.books.clear_all();
                on_cpu(count, || file_path(&mut of_file, black_box(&day.bytes)))
            }),
            || {
                rounds.books.clear_all();
                let mut messages = 0;
                let round = on_cpu(count, || {
                    messages = packet_path(&mut rounds, black_box(&packets), lines == 2);
                });
                assert_eq!(messages, count as u64, "every message once");
                round
            },
        );
        check_digest(&format!("path/{name}"), rounds.digest(), summary.digest);
    }
    criterion.final_summary();
}
