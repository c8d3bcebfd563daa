//! Real packets. They are not part of the repository: without them these tests say so and pass.

use std::path::{Path, PathBuf};

use feeds::nasdaq::itch::Decoder;
use feeds::session::arbiter::{Arbiter, ArbiterOptions, Arbitrated, Line};
use feeds::session::mold::Packet;
use feeds::session::soup::{Stream, kind};
use model::{FeedId, Flags, Ts};

use crate::captured::capture;

/// Files of a folder of captures, in the order of their names.
fn captures(folder: &str) -> Vec<PathBuf> {
    let Some(folder) = capture(folder) else { return Vec::new() };
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pcap"));
    paths.sort();
    paths
}

/// Payloads of the UDP (17) or TCP (6) packets of a little-endian pcap file of Ethernet frames.
fn payloads(path: &Path, protocol: u8) -> Vec<Vec<u8>> {
    let file = std::fs::read(path).unwrap();
    let magic = &file[..4];
    assert!([[0x4D, 0x3C, 0xB2, 0xA1], [0xD4, 0xC3, 0xB2, 0xA1]].iter().any(|m| m == magic));
    let mut rest = &file[24..];
    let mut payloads = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let (frame, tail) = rest[16..].split_at(length);
        rest = tail;
        let mut at = 12;
        while frame[at..at + 2] == [0x81, 0x00] {
            at += 4;
        }
        assert_eq!(frame[at..at + 2], [0x08, 0x00], "{}", path.display());
        let ip = &frame[at + 2..];
        let ip = &ip[..usize::from(u16::from_be_bytes([ip[2], ip[3]]))];
        assert_eq!(ip[9], protocol, "{}", path.display());
        let body = &ip[usize::from(ip[0] & 15) * 4..];
        let header = if protocol == 17 { 8 } else { usize::from(body[12] >> 4) * 4 };
        payloads.push(body[header..].to_vec());
    }
    payloads
}

/// Goal: every real packet is what the view expects, and holds ITCH. Method: all captures; what is known of
/// the one with many messages.
#[test]
fn mold() {
    let decoder = Decoder { feed: FeedId(0), midnight: Ts(0) };
    let (mut packets, mut messages, mut most) = (0, 0, 0);
    for folder in ["", ".20230822"] {
        let name = format!("moldudp64/Nasdaq.Equities.TotalView.Itch.v5.0{folder}");
        for path in captures(&name) {
            for bytes in payloads(&path, 17) {
                let packet = Packet::parse(&bytes).unwrap();
                let mut count = 0;
                for message in packet.messages() {
                    decoder.decode(message, 1, Flags::NONE).unwrap();
                    count += 1;
                }
                assert_eq!(packet.header().messages(), count);
                (packets, messages, most) =
                    (packets + 1, messages + u64::from(count), most.max(count));
                if path.ends_with("Multiple.Packets.pcap") {
                    deliver(&bytes, count);
                }
            }
        }
    }
    eprintln!("{packets} packets, {messages} messages, at most {most} a packet");
    assert!(packets == 0 || most == 38);
}

/// A packet joins its session late and goes out whole.
fn deliver(bytes: &[u8], count: u16) {
    let header = Packet::parse(bytes).unwrap().header();
    let (first, session) = (header.first, header.session);
    let mut arbiter = Arbiter::new(ArbiterOptions::default());
    let mut seen = Vec::new();
    arbiter.on_packet(Line::A, bytes, (Ts(1), Ts(1)), &mut |out| match out {
        Arbitrated::Message(message) => seen.push(message.seq),
        other => assert_eq!(other, Arbitrated::Session { session, first, now: Ts(1) }),
    });
    assert_eq!(seen, (first..first + u64::from(count)).collect::<Vec<_>>());
}

/// Goal: every real Soup packet is framed, whatever the chunks. Method: all captures, whole and byte by byte.
#[test]
fn soup() {
    let mut kinds = Vec::new();
    for path in captures("ouch") {
        for bytes in payloads(&path, 6) {
            let (mut whole, mut split) = (Vec::new(), Vec::new());
            let mut stream = Stream::new();
            let mut keep = |packet: feeds::session::soup::Packet<'_>| {
                whole.push((packet.offset, packet.kind, packet.payload.to_vec()));
                Ok(())
            };
            stream.feed(&bytes, &mut keep).unwrap();
            assert_eq!(stream.pending(), 0, "{}", path.display());
            let mut stream = Stream::new();
            for byte in &bytes {
                let mut keep = |packet: feeds::session::soup::Packet<'_>| {
                    split.push((packet.offset, packet.kind, packet.payload.to_vec()));
                    Ok(())
                };
                stream.feed(&[*byte], &mut keep).unwrap();
            }
            assert_eq!(whole, split);
            kinds.extend(whole.iter().map(|packet| packet.1));
        }
    }
    eprintln!("packets: {:?}", String::from_utf8_lossy(&kinds));
    let known = [kind::SEQUENCED, kind::UNSEQUENCED];
    let known = [&known[..], &[kind::SERVER_HEARTBEAT, kind::CLIENT_HEARTBEAT]].concat();
    assert!(kinds.is_empty() || known.iter().all(|kind| kinds.contains(kind)));
    assert!(kinds.iter().all(|kind| known.contains(kind)));
}
