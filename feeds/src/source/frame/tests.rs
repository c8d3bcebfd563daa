//! Frames are made byte by byte, header by header.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use proptest::prelude::*;

use super::*;

const PAYLOAD: &[u8] = b"payload";

fn udp(payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u16 + 8;
    let fields = [30_001, 26_477, length, 0xBAD].map(u16::to_be_bytes);
    [&fields.concat()[..], payload].concat()
}

fn tcp(options: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut header = [30_001_u16.to_be_bytes(), 26_477_u16.to_be_bytes()].concat();
    header.extend([0x01, 0x02, 0x03, 0x04, 0, 0, 0, 9]);
    header.extend([0x50 + (options.len() as u8 / 4) * 16, 0x18, 1, 0, 0, 0, 0, 0]);
    [&header[..], options, payload].concat()
}

fn v4(protocol: u8, fragment: u16, options: &[u8], inner: &[u8]) -> Vec<u8> {
    let total = (20 + options.len() + inner.len()) as u16;
    let mut header = vec![0x45 + options.len() as u8 / 4, 0];
    header.extend([total.to_be_bytes(), [0, 1], fragment.to_be_bytes()].concat());
    header.extend([64, protocol, 0, 0, 10, 0, 0, 1, 233, 54, 12, 111]);
    [&header[..], options, inner].concat()
}

fn v6(next: u8, inner: &[u8]) -> Vec<u8> {
    let mut header = vec![0x60, 0, 0, 0];
    header.extend((inner.len() as u16).to_be_bytes());
    header.extend([next, 64]);
    header.extend("fe80::1".parse::<Ipv6Addr>().unwrap().octets());
    header.extend("ff0e::2".parse::<Ipv6Addr>().unwrap().octets());
    [&header[..], inner].concat()
}

/// An Ethernet frame with tags in front of the protocol number.
fn ethernet(number: u16, tags: &[u16], inner: &[u8]) -> Vec<u8> {
    let mut frame = vec![2; 12];
    for tag in tags {
        frame.extend([tag.to_be_bytes(), [0x20, 7]].concat());
    }
    frame.extend(number.to_be_bytes());
    frame.extend(inner);
    frame
}

fn whole(link: LinkType, frame: &[u8]) -> Result<Datagram<'_>, FrameError> {
    decode(link, frame, frame.len() as u32)
}

fn fault(frame: &[u8]) -> (u32, FrameCause) {
    let error = whole(LinkType::ETHERNET, frame).unwrap_err();
    (error.offset, error.cause)
}

fn datagram_v4() -> Datagram<'static> {
    Datagram {
        src: SocketAddr::new(Ipv4Addr::new(10, 0, 0, 1).into(), 30_001),
        dst: SocketAddr::new(Ipv4Addr::new(233, 54, 12, 111).into(), 26_477),
        transport: Transport::Udp,
        payload: PAYLOAD,
    }
}

fn datagram_v6() -> Datagram<'static> {
    Datagram {
        src: "[fe80::1]:30001".parse().unwrap(),
        dst: "[ff0e::2]:26477".parse().unwrap(),
        ..datagram_v4()
    }
}

/// Goal: every link layer leads to the same datagram. Method: the same two IP packets behind each header.
#[test]
fn links() {
    let (four, six) = (v4(17, 0, &[], &udp(PAYLOAD)), v6(17, &udp(PAYLOAD)));
    let behind = |head: &[u8], packet: &[u8]| [head, packet].concat();
    let cooked = |number: [u8; 2]| [&[0; 14][..], &number].concat();
    let cooked_2 = |number: [u8; 2]| [&number[..], &[0; 18]].concat();
    let with_v4 = [
        (LinkType::ETHERNET, ethernet(0x0800, &[], &four)),
        (LinkType::ETHERNET, ethernet(0x0800, &[0x8100], &four)),
        (LinkType::ETHERNET, ethernet(0x0800, &[0x88A8, 0x8100], &four)),
        (LinkType::ETHERNET, ethernet(0x0800, &[0x9100, 0x88A8, 0x8100, 0x8100], &four)),
        (LinkType::SLL, behind(&cooked([0x08, 0x00]), &four)),
        (LinkType::SLL, behind(&[&cooked([0x81, 0x00])[..], &[0, 7, 8, 0]].concat(), &four)),
        (LinkType::SLL2, behind(&cooked_2([0x08, 0x00]), &four)),
        (LinkType::RAW, four.clone()),
        (LinkType::IPV4, four.clone()),
        (LinkType::NULL, behind(&[2, 0, 0, 0], &four)),
        (LinkType::NULL, behind(&[0, 0, 0, 2], &four)),
        (LinkType::LOOP, behind(&[0, 0, 0, 2], &four)),
    ];
    for (link, frame) in &with_v4 {
        assert_eq!(whole(*link, frame), Ok(datagram_v4()), "{link:?} {frame:x?}");
    }
    let with_v6 = [
        (LinkType::ETHERNET, ethernet(0x86DD, &[0x8100], &six)),
        (LinkType::SLL, behind(&cooked([0x86, 0xDD]), &six)),
        (LinkType::SLL2, behind(&cooked_2([0x86, 0xDD]), &six)),
        (LinkType::RAW, six.clone()),
        (LinkType::IPV6, six.clone()),
        (LinkType::NULL, behind(&[30, 0, 0, 0], &six)),
        (LinkType::LOOP, behind(&[0, 0, 0, 24], &six)),
    ];
    for (link, frame) in &with_v6 {
        assert_eq!(whole(*link, frame), Ok(datagram_v6()), "{link:?} {frame:x?}");
    }
}

/// Goal: options and extension headers are passed over, and what lies behind the IP length or behind the UDP
/// length is no payload. Method: both versions with them and with trailers.
#[test]
fn options_and_trailers() {
    let options = ethernet(0x0800, &[], &v4(17, 0x4000, &[7; 40], &udp(PAYLOAD)));
    assert_eq!(whole(LinkType::ETHERNET, &options), Ok(datagram_v4()));
    let trailed = [&options[..], b"switch time and check sequence"].concat();
    assert_eq!(whole(LinkType::ETHERNET, &trailed), Ok(datagram_v4()));
    let padded = v4(17, 0, &[], &[&udp(PAYLOAD)[..], &[0; 9]].concat());
    assert_eq!(whole(LinkType::IPV4, &padded), Ok(datagram_v4()), "behind the UDP length");

    let extensions: Vec<u8> = [
        &[60, 1][..],
        &[0; 14], // Hop by hop, 16 bytes; destination options follow.
        &[43, 0],
        &[0; 6],
        &[51, 0],
        &[0; 6], // Routing; an authentication header follows, 16 bytes.
        &[44, 2],
        &[0; 14],
        &[17, 0],
        &[0; 6], // A fragment header of a datagram in one piece.
        &udp(PAYLOAD),
    ]
    .concat();
    let frame = [v6(0, &extensions), vec![0xEE; 5]].concat();
    assert_eq!(whole(LinkType::RAW, &frame), Ok(datagram_v6()));
    let empty = v4(17, 0, &[], &udp(b""));
    assert_eq!(whole(LinkType::RAW, &empty).unwrap().payload, b"");
}

/// Goal: a TCP segment gives its sequence number, flags and payload. Method: with and without options.
#[test]
fn segments() {
    for options in [&[][..], &[1; 4], &[1; 40]] {
        let frame = v4(6, 0, &[], &tcp(options, PAYLOAD));
        let transport = Transport::Tcp { seq: 0x0102_0304, flags: 0x18 };
        assert_eq!(whole(LinkType::RAW, &frame), Ok(Datagram { transport, ..datagram_v4() }));
    }
    let ack = v4(6, 0, &[], &tcp(&[], b""));
    assert_eq!(whole(LinkType::RAW, &[ack, vec![0; 6]].concat()).unwrap().payload, b"");
}

/// Goal: each reason has its cause, its offset and its counter. Method: one frame of each; then all of them
/// through one set of counters.
#[test]
fn reasons() {
    use FrameCause::{
        Extensions, Fragment, IpVersion, Length, Link, NotIp, Protocol, Short, Snapped, Tags,
    };
    let four = |packet: &[u8]| ethernet(0x0800, &[], packet);
    let good = v4(17, 0, &[], &udp(PAYLOAD));
    let with = |place: usize, byte: u8| {
        let mut packet = good.clone();
        packet[place] = byte;
        four(&packet)
    };
    let six = |next, inner: &[u8]| ethernet(0x86DD, &[], &v6(next, inner));
    let chain = |count: usize| {
        let headers = [&[60, 0][..], &[0; 6]].concat().repeat(count - 1);
        six(60, &[&headers[..], &[17, 0], &[0; 6], &udp(PAYLOAD)].concat())
    };
    assert!(whole(LinkType::ETHERNET, &chain(EXTENSIONS_MAX)).is_ok());
    let faults = [
        (ethernet(0x0800, &[0x8100; 5], &good), 30, Tags),
        (ethernet(0x0806, &[], &[0; 28]), 14, NotIp(0x0806)),
        (ethernet(46, &[0x8100], &[0; 46]), 18, NotIp(46)),
        (vec![0; 13], 0, Short),
        (ethernet(0x0800, &[], &good[..19]), 14, Short),
        (four(&good[..good.len() - 1]), 34, Short),
        (four(&v4(17, 0, &[], &[0; 7])), 34, Short),
        (four(&v4(6, 0, &[], &[0x50; 19])), 34, Short),
        (with(0, 0x65), 14, IpVersion(6)),
        (six(17, &[])[..].to_vec(), 14, Length),
        (with(0, 0x44), 14, Length),
        (with(3, 19), 14, Length),
        (with(25, 7), 34, Length),
        (with(25, 16), 42, Short),
        (four(&v4(6, 0, &[], &[0x40; 20])), 34, Length),
        (four(&v4(6, 0, &[], &[0x60; 20])), 54, Short),
        (four(&v4(17, 0x2000, &[], &udp(PAYLOAD))), 14, Fragment),
        (four(&v4(17, 0x0001, &[], &udp(PAYLOAD))), 14, Fragment),
        (six(44, &[17, 0, 0, 1, 0, 0, 0, 0]), 54, Fragment),
        (six(44, &[17, 0, 0, 8, 0, 0, 0, 0]), 54, Fragment),
        (six(0, &[17, 1, 0, 0, 0, 0, 0, 0]), 62, Short),
        (chain(EXTENSIONS_MAX + 1), 54 + 9 * 8, Extensions),
        (four(&v4(1, 0, &[], &[0; 8])), 34, Protocol(1)),
        (six(59, &[0; 8]), 54, Protocol(59)),
    ];
    let mut counts = FrameCounts::default();
    let count = |counts: &mut FrameCounts, link, bytes: &[u8], original_len| {
        let (ts, interface, offset) = (model::Ts(0), 0, 0);
        let packet = Packet { ts, bytes, link, interface, original_len, offset };
        counts.decode(&packet).is_ok()
    };
    for (frame, offset, cause) in &faults {
        assert_eq!(fault(frame), (*offset, *cause), "{frame:x?}");
        assert!(!count(&mut counts, LinkType::ETHERNET, frame, frame.len() as u32));
    }
    let good = four(&good);
    assert!(!count(&mut counts, LinkType::ETHERNET, &good, 1_500));
    let snapped = Snapped { need: 1_500, got: good.len() as u32 };
    assert_eq!(decode(LinkType::ETHERNET, &good, 1_500).unwrap_err().cause, snapped);
    assert!(!count(&mut counts, LinkType(147), &good, 0));
    assert_eq!(whole(LinkType(147), &good).unwrap_err().cause, Link(147));
    assert!(count(&mut counts, LinkType::ETHERNET, &good, good.len() as u32));
    let known = FrameCounts {
        datagrams: 1,
        snapped: 1,
        short: 8,
        link: 1,
        tags: 1,
        not_ip: 2,
        ip_version: 1,
        length: 5,
        fragments: 4,
        extensions: 1,
        protocol: 2,
    };
    assert_eq!(counts, known);
    assert_eq!(counts.rejected(), faults.len() as u64 + 2);
}

/// Goal: a frame cut anywhere before the end of its payload is refused, never read as a shorter one.
/// Method: cut both versions, with tags, options and extension headers, at every byte.
#[test]
fn cut_at_every_byte() {
    let extension = [&[6, 0][..], &[0; 6], &tcp(&[1; 8], PAYLOAD)].concat();
    for frame in [
        ethernet(0x0800, &[0x88A8, 0x8100], &v4(17, 0, &[1; 8], &udp(PAYLOAD))),
        ethernet(0x86DD, &[0x8100], &v6(0, &extension)),
    ] {
        assert!(whole(LinkType::ETHERNET, &frame).is_ok());
        for cut in 0..frame.len() {
            let (offset, cause) = fault(&frame[..cut]);
            assert_eq!(cause, FrameCause::Short, "cut at {cut}");
            assert!(offset <= cut as u32);
        }
    }
}

proptest! {
    /// Goal: no bytes panic; a payload lies in the frame. Method: any bytes, and good frames with bytes changed.
    #[test]
    fn any_bytes(
        link in prop::sample::select(vec![0_u16, 1, 101, 108, 113, 147, 228, 229, 276]),
        mut frame in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..120),
            Just(ethernet(0x0800, &[0x8100], &v4(17, 0, &[1; 8], &udp(PAYLOAD)))),
            Just(ethernet(0x86DD, &[], &v6(0, &[&[17, 0][..], &[0; 6], &udp(PAYLOAD)].concat()))),
            Just(v6(6, &tcp(&[1; 4], PAYLOAD))),
        ],
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        for (place, byte) in changes {
            if !frame.is_empty() {
                let place = place.index(frame.len());
                frame[place] = byte;
            }
        }
        match whole(LinkType(link), &frame) {
            Ok(datagram) => {
                let inside = frame.windows(datagram.payload.len().max(1));
                prop_assert!(datagram.payload.is_empty() || inside.into_iter().any(|part| part == datagram.payload));
            }
            Err(error) => prop_assert!(error.offset as usize <= frame.len()),
        }
    }
}
