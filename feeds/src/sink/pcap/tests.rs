//! Both packet writers against both readers: the source of this crate, and `pcap-parser` on its own.

use std::net::SocketAddr;

use pcap_parser::{PcapBlockOwned, PcapError, create_reader};
use proptest::prelude::*;

use super::*;
use crate::sink::{PAYLOAD_MAX, PcapngWriter};
use crate::source::PcapSource;
use crate::source::frame::{Transport, decode};

/// Time, interface, bytes and bytes that the capture left out.
type Written = (u64, u32, Vec<u8>, u32);

fn addresses() -> [(SocketAddr, SocketAddr); 4] {
    [
        ("10.0.0.1:30001", "233.54.12.111:26477"),
        ("192.168.255.254:65535", "10.1.2.3:0"),
        ("[fe80::1]:30001", "[ff0e::2]:26477"),
        ("[2001:db8::1]:1", "[::1]:2"),
    ]
    .map(|(src, dst)| (src.parse().unwrap(), dst.parse().unwrap()))
}

/// Packets as another parser sees them: interface, time in the units of the file, bytes, original length.
fn independent(file: &[u8]) -> Vec<(u32, u64, Vec<u8>, u32)> {
    let mut reader = create_reader(1 << 20, file).unwrap();
    let mut packets = Vec::new();
    loop {
        let taken = match reader.next() {
            Ok((taken, block)) => {
                match block {
                    PcapBlockOwned::Legacy(packet) => {
                        let ts = u64::from(packet.ts_sec) * NS_PER_S + u64::from(packet.ts_usec);
                        packets.push((0, ts, packet.data.to_vec(), packet.origlen));
                    }
                    PcapBlockOwned::NG(pcap_parser::Block::EnhancedPacket(packet)) => {
                        let ts = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                        let bytes = packet.data[..packet.caplen as usize].to_vec();
                        packets.push((packet.if_id, ts, bytes, packet.origlen));
                    }
                    PcapBlockOwned::NG(pcap_parser::Block::InterfaceDescription(interface)) => {
                        assert_eq!((interface.if_tsresol, interface.if_tsoffset), (9, 0));
                        assert_eq!(interface.if_name().unwrap().unwrap(), "line");
                    }
                    _ => {}
                }
                taken
            }
            Err(PcapError::Eof) => return packets,
            Err(PcapError::Incomplete(_)) => {
                reader.refill().unwrap();
                continue;
            }
            Err(error) => panic!("{error:?}"),
        };
        reader.consume(taken);
    }
}

fn packets() -> impl Strategy<Value = Vec<Written>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..100);
    // Seconds of a pcap file have 32 bits.
    let time = 0..(u64::from(u32::MAX) + 1) * NS_PER_S;
    prop::collection::vec((time, any::<u32>(), bytes, 0..3_000_u32), 0..20)
}

proptest! {
    /// Goal: what either writer writes, the source and another parser read back the same.
    /// Method: any packets on one to four interfaces of any links.
    #[test]
    fn round_trip(links in prop::collection::vec(any::<u16>(), 1..5), packets in packets()) {
        let mut pcap = PcapWriter::new(Vec::new(), LinkType(links[0])).unwrap();
        let mut ng = PcapngWriter::new(Vec::new()).unwrap();
        for (number, link) in links.iter().enumerate() {
            prop_assert_eq!(ng.interface(LinkType(*link), "line").unwrap(), number as u32);
        }
        let on = |interface: u32| interface % links.len() as u32;
        for (ts, interface, bytes, more) in &packets {
            let original = bytes.len() as u32 + more;
            pcap.packet(Ts(*ts), bytes, original).unwrap();
            ng.packet(on(*interface), Ts(*ts), bytes, original).unwrap();
        }
        for (file, is_ng) in [(pcap.into_inner(), false), (ng.into_inner(), true)] {
            let mut source = PcapSource::from_reader(&file[..]);
            let other = independent(&file);
            prop_assert_eq!(other.len(), packets.len());
            for ((ts, interface, bytes, more), other) in packets.iter().zip(other) {
                let interface = if is_ng { on(*interface) } else { 0 };
                let link = LinkType(links[interface as usize]);
                let original_len = bytes.len() as u32 + more;
                let read = source.next_packet().unwrap().unwrap();
                prop_assert_eq!((read.ts, read.bytes), (Ts(*ts), &bytes[..]));
                prop_assert_eq!((read.link, read.interface), (link, interface));
                prop_assert_eq!(read.original_len, original_len);
                prop_assert_eq!(other, (interface, *ts, bytes.clone(), original_len));
            }
            prop_assert_eq!(source.next_packet(), Ok(None));
            prop_assert_eq!(source.counts().cut, 0);
        }
    }

    /// Goal: a payload comes back out of the frame that was made around it, and the frame's checksums are right.
    /// Method: any payload between addresses of both families; the sum over what a checksum covers, itself
    /// included, is all ones.
    #[test]
    fn datagrams(payload in prop::collection::vec(any::<u8>(), 0..2_000), which in 0_usize..4) {
        let (src, dst) = addresses()[which];
        let mut pcap = PcapWriter::new(Vec::new(), LinkType::ETHERNET).unwrap();
        pcap.udp(Ts(7), src, dst, &payload).unwrap();
        let mut ng = PcapngWriter::new(Vec::new()).unwrap();
        ng.interface(LinkType::ETHERNET, "line").unwrap();
        ng.udp(0, Ts(7), src, dst, &payload).unwrap();
        for file in [pcap.into_inner(), ng.into_inner()] {
            let mut source = PcapSource::from_reader(&file[..]);
            let packet = source.next_packet().unwrap().unwrap();
            let datagram = decode(packet.link, packet.bytes, packet.original_len).unwrap();
            prop_assert_eq!((datagram.src, datagram.dst, datagram.payload), (src, dst, &payload[..]));
            prop_assert_eq!(datagram.transport, Transport::Udp);
            let ip = &packet.bytes[14..];
            let (addresses, udp) =
                if src.is_ipv4() { (&ip[12..20], &ip[20..]) } else { (&ip[8..40], &ip[40..]) };
            if src.is_ipv4() {
                prop_assert_eq!(ones(&ip[..20]), 0xFFFF);
            }
            let length = (udp.len() as u32).to_be_bytes();
            let covered = [addresses, &length, &[0, 0, 0, 17], udp].concat();
            prop_assert_eq!(ones(&covered), 0xFFFF);
            prop_assert_ne!(&udp[6..8], &[0, 0], "zero would mean no checksum");
        }
    }
}

/// The ones' complement sum, in the slow and obvious way.
fn ones(bytes: &[u8]) -> u32 {
    let padded = [bytes, &vec![0; bytes.len() % 2]].concat();
    padded.chunks(2).fold(0, |sum, pair| {
        let sum = sum + u32::from(u16::from_be_bytes([pair[0], pair[1]]));
        if sum > 0xFFFF { sum - 0xFFFF } else { sum }
    })
}

/// Goal: a checksum that comes out as zero is written as all ones. Method: the payload that makes it so.
#[test]
fn checksum_of_zero() {
    let (src, dst) = addresses()[0];
    let sum = |payload: &[u8]| {
        let headers = Headers::new(src, dst, payload).unwrap();
        let bytes = headers.as_bytes();
        u16::from_be_bytes([bytes[bytes.len() - 2], bytes[bytes.len() - 1]])
    };
    let without = sum(&[0, 0]);
    assert_eq!(sum(&without.to_be_bytes()), 0xFFFF);
}

/// Goal: a multicast group's card address is the one of the group. Method: one of each family, one unicast.
#[test]
fn cards() {
    let card = |which: usize| {
        let (src, dst) = addresses()[which];
        Headers::new(src, dst, b"").unwrap().as_bytes()[..6].to_vec()
    };
    assert_eq!(card(0), [0x01, 0x00, 0x5E, 54, 12, 111]);
    assert_eq!(card(2), [0x33, 0x33, 0, 0, 0, 2]);
    assert_eq!(card(1), [2, 0, 0, 0, 0, 2]);
}

/// Goal: what cannot be written is refused, and leaves nothing behind. Method: each refusal, at its edge.
#[test]
fn refusals() {
    let ok = |outcome: Result<()>| match outcome {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            false
        }
    };
    let mut pcap = PcapWriter::new(Vec::new(), LinkType::ETHERNET).unwrap();
    let mut ng = PcapngWriter::new(Vec::new()).unwrap();
    assert!(!ok(ng.packet(0, Ts(0), b"", 0)), "no interface yet");
    ng.interface(LinkType::ETHERNET, &"x".repeat(255)).unwrap();
    assert!(ng.interface(LinkType::ETHERNET, &"x".repeat(256)).is_err());
    assert!(!ok(ng.packet(1, Ts(0), b"", 0)));
    let too_long = vec![0; PACKET_MAX as usize + 1];
    let last = Ts((u64::from(u32::MAX) + 1) * NS_PER_S);
    assert!(!ok(pcap.packet(last, b"", 0)));
    assert!(!ok(pcap.packet(Ts(0), b"ab", 1)));
    assert!(!ok(ng.packet(0, Ts(0), b"ab", 1)));
    assert!(!ok(pcap.packet(Ts(0), &too_long, u32::MAX)));
    assert!(!ok(ng.packet(0, Ts(0), &too_long, u32::MAX)));
    let [(src, dst), _, (src_v6, dst_v6), _] = addresses();
    let payload = vec![0; PAYLOAD_MAX + 1];
    assert!(!ok(pcap.udp(Ts(0), src, dst, &payload)));
    assert!(!ok(ng.udp(0, Ts(0), src_v6, dst, b"")));
    assert_eq!(pcap.out.len(), 24);

    assert!(ok(pcap.packet(Ts(last.0 - 1), b"", 0)));
    assert!(ok(pcap.packet(Ts(0), &too_long[1..], PACKET_MAX)));
    assert!(ok(pcap.udp(Ts(0), src, dst, &payload[1..])));
    let payload = vec![0; PAYLOAD_MAX + 21];
    assert!(!ok(ng.udp(0, Ts(0), src_v6, dst_v6, &payload)));
    assert!(ok(ng.udp(0, Ts(0), src_v6, dst_v6, &payload[1..])), "IPv6 does not count its header");
    assert!(ok(ng.packet(0, Ts(u64::MAX), &too_long[1..], PACKET_MAX)));
    for (file, packets) in [(pcap.into_inner(), 3), (ng.into_inner(), 2)] {
        let mut source = PcapSource::from_reader(&file[..]);
        while source.next_packet().unwrap().is_some() {}
        assert_eq!((source.counts().packets, source.counts().cut), (packets, 0));
    }
}
