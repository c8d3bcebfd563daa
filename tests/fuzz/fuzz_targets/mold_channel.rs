//! Any datagrams, answers, snapshots and times into a channel: no panic, bounded memory and work, the
//! sequence has no hole that was not told, and nothing but a jump in time wakes it for ever.
//!
//! The bytes are a script: what comes (1 byte), how much later (1 byte, in quarters of a millisecond, squared),
//! length (1 byte), content. The session and the high bytes of the sequence are filled in for most packets,
//! so that they get somewhere.
#![no_main]

use feeds::session::SessionId;
use feeds::session::arbiter::{GapState, Line};
use feeds::session::channel::{Channel, ChannelOptions};
use feeds::session::glimpse::GlimpseOptions;
use feeds::session::mold::Header;
use feeds::session::soup::{Login, server};
use libfuzzer_sys::fuzz_target;
use model::{Event, FeedId, Flags, Integrity, Kind, Ts};

fn options(first: u8) -> ChannelOptions {
    let mut options = ChannelOptions::new(FeedId(0), Ts(0));
    options.arbiter.held_packets_max = 8;
    options.arbiter.held_bytes_max = 512;
    options.arbiter.join_messages_max = u64::from(first & 1) * 8;
    options.bridge_bytes_max = 1_024;
    options.glimpse = Login::new("u", "p").filter(|_| first & 2 != 0).map(GlimpseOptions::new);
    options
}

/// A packet: session, sequence and blocks from a few bytes, or the bytes as they are.
fn packet(bytes: &[u8]) -> Vec<u8> {
    let [how, seq, count, blocks @ ..] = bytes else { return bytes.to_vec() };
    if *how > 250 {
        return blocks.to_vec();
    }
    let session = SessionId([b'0' + how % 2; 10]);
    let count = if *count == 255 { 0xFFFF } else { u16::from(count % 8) };
    let header = Header { session, first: u64::from(*seq), count };
    let mut packet = header.to_bytes().to_vec();
    let mut blocks = blocks.iter();
    for _ in 0..header.messages() {
        let message: Vec<u8> = match blocks.next() {
            Some(byte) if byte % 4 == 0 => vec![b'S', 0, 0, 0, 0, 0, 0, 0, 0, 0, *byte, b'Q'],
            Some(byte) => vec![*byte; usize::from(byte % 3)],
            None => Vec::new(),
        };
        packet.extend_from_slice(&(message.len() as u16).to_be_bytes());
        packet.extend_from_slice(&message);
    }
    packet
}

fn soup(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match bytes {
        [0, ..] => server::accepted(SessionId([b'0'; 10]), 1, &mut out),
        [1, next, ..] => server::sequenced(format!("G{next:>20}").as_bytes(), &mut out),
        [2, message @ ..] => server::sequenced(message, &mut out),
        _ => out.extend_from_slice(bytes),
    }
    out
}

fuzz_target!(|script: &[u8]| {
    let Some((&first, mut script)) = script.split_first() else { return };
    let mut channel = Channel::new(options(first));
    let (mut now, mut seq, mut live, mut events) = (0_u64, 0_u64, false, 0_usize);
    let mut emit = |event: Event| {
        events += 1;
        assert_eq!(Event::from_words(&event.to_words()), Ok(event));
        if event.kind == Kind::Integrity {
            live = event.believed().is_some_and(|(integrity, _)| integrity == Integrity::Live);
            seq = event.seq;
        } else if event.flags.has(Flags::SNAPSHOT) {
            assert!(!live);
        } else if ![Kind::Notice, Kind::Session].contains(&event.kind) || event.seq != seq {
            assert_eq!(event.seq, seq + 1); // A heartbeat has none of its own, nor that a day begins.
            seq = event.seq;
        }
    };
    let mut bytes_in = 0;
    while let [what, later, length, rest @ ..] = script {
        let (content, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        script = rest;
        bytes_in += content.len() + 3;
        now += 250_000 * u64::from(*later) * u64::from(*later);
        match what % 8 {
            0 | 1 => channel.on_datagram(Line::A, &packet(content), Ts(now), &mut emit),
            2 | 3 => channel.on_datagram(Line::B, &packet(content), Ts(now), &mut emit),
            4 => channel.on_answer(&packet(content), Ts(now), &mut emit),
            5 => channel.on_snapshot_opened(Ts(now)),
            6 => channel.on_snapshot_bytes(&soup(content), Ts(now), &mut emit),
            _ => channel.on_snapshot_closed(Ts(now), &mut emit),
        }
        for _ in 0..16 {
            let Some(wake) = channel.wake_at().filter(|wake| wake.0 <= now) else { break };
            channel.on_time(wake.max(Ts(now)), &mut emit);
        }
        assert!(channel.wake_at().is_none_or(|wake| wake.0 > now), "it never rests");
        for _ in 0..4 {
            channel.next_action();
        }
        assert_eq!(channel.next_action(), None, "more to do than there can be");
        assert!(channel.arbiter().held() <= 8);
    }
    // A byte makes at most a message, and a packet a few words on the books.
    assert!(events <= 64 + 16 * bytes_in, "{events} events of {bytes_in} bytes");
    assert!(channel.arbiter().gap() != GapState::None || channel.arbiter().held() == 0);
});
