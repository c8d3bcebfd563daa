//! The block format.

use proptest::prelude::*;

use super::*;

/// A block around `body`, padded.
fn block(big: bool, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = word(big, padded as u32 + 12);
    let mut bytes = [word(big, kind), length].concat();
    bytes.extend(body);
    bytes.resize(8 + padded, 0);
    bytes.extend(length);
    bytes
}

fn section(big: bool) -> Vec<u8> {
    let body = [&word(big, 0x1A2B_3C4D)[..], &half(big, 1), &half(big, 0), &[0xFF; 8]].concat();
    block(big, 0x0A0D_0D0A, &body)
}

fn option(big: bool, code: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = [half(big, code), half(big, value.len() as u16)].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn interface(big: bool, link: u16, snap_len: u32, options: &[Vec<u8>]) -> Vec<u8> {
    let mut body = [&half(big, link)[..], &[0, 0], &word(big, snap_len)].concat();
    body.extend(options.concat());
    if !options.is_empty() {
        body.extend([0; 4]);
    }
    block(big, 1, &body)
}

fn enhanced(big: bool, id: u32, units: u64, packet: &[u8], options: &[u8]) -> Vec<u8> {
    let length = packet.len() as u32;
    let fields = [id, (units >> 32) as u32, units as u32, length, length + 1];
    let mut body: Vec<u8> = fields.iter().flat_map(|field| word(big, *field)).collect();
    body.extend(packet);
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend(options);
    block(big, 6, &body)
}

fn simple(big: bool, original: u32, packet: &[u8]) -> Vec<u8> {
    block(big, 3, &[&word(big, original)[..], packet].concat())
}

fn resolution(big: bool, value: u8) -> Vec<u8> {
    option(big, 9, &[value])
}

fn offset(big: bool, seconds: i64) -> Vec<u8> {
    option(big, 14, &if big { seconds.to_be_bytes() } else { seconds.to_le_bytes() })
}

/// Goal: interfaces, units of time and offsets are kept apart, in both byte orders, and a new section begins
/// from nothing. Method: sections of either order one behind the other, each with four interfaces; options of
/// packets and blocks of other kinds between them.
#[test]
fn sections() {
    let mut file = Vec::new();
    let mut offsets = Vec::new();
    for big in [true, false, true] {
        file.extend(section(big));
        file.extend(interface(big, 1, 0, &[]));
        file.extend(interface(big, 113, 96, &[option(big, 2, b"eth0"), resolution(big, 9)]));
        file.extend(block(big, 0x0BAD, &[1; 21]));
        file.extend(interface(big, 276, 0, &[resolution(big, 0x80 | 30), offset(big, -1)]));
        file.extend(interface(big, 101, 0, &[offset(big, 86_400), resolution(big, 0)]));
        let packets = [
            enhanced(big, 0, 5_000_000_000_000_001, b"a", &[]),
            enhanced(big, 1, 5_000_000_000_000_000_001, b"bc", &option(big, 1, b"comment")),
            enhanced(big, 2, 3 << 30 | 1 << 29, b"def", &[0; 4]),
            enhanced(big, 3, 7, b"", &[]),
        ];
        for packet in packets {
            offsets.push(file.len() as u64);
            file.extend(packet);
        }
        file.extend(block(big, 5, &[0; 4]));
    }
    let (packets, counts, outcome) = read(&file);
    let expected: Vec<Read> = [
        (5_000_000_000_000_001_000, b"a".to_vec(), 1, 0, 2),
        (5_000_000_000_000_000_001, b"bc".to_vec(), 113, 1, 3),
        (2_500_000_000, b"def".to_vec(), 276, 2, 4),
        (86_407_000_000_000, vec![], 101, 3, 1),
    ]
    .into_iter()
    .cycle()
    .zip(offsets)
    .map(|((ts, bytes, link, interface, original), at)| (ts, bytes, link, interface, original, at))
    .collect();
    assert_eq!((packets, outcome), (expected, Ok(())));
    let known = PcapCounts { packets: 12, cut: 0, untimed: 0, skipped: 6, sections: 3 };
    assert_eq!(counts, known);

    let at = (file.len() + section(false).len()) as u64;
    file.extend([section(false), enhanced(false, 0, 1, b"", &[])].concat());
    let cause = SourceCause::NoInterface { id: 0 };
    assert_eq!(read(&file).2, Err(SourceError { offset: at, cause }), "a section of its own");
}

/// Goal: a packet without a time has that of the packet before it, and is counted; the snapshot length of the
/// interface says how much of it is padding. Method: simple packets, and times beyond 64 bits or before 1970.
#[test]
fn untimed() {
    let big = false;
    let file = [
        section(big),
        interface(big, 1, 5, &[]),
        interface(big, 1, 0, &[resolution(big, 0)]),
        interface(big, 1, 0, &[offset(big, -10)]),
        simple(big, 3, b"abc"),
        enhanced(big, 0, 17, b"d", &[]),
        simple(big, 1_500, b"efghi"),
        enhanced(big, 1, u64::MAX, b"j", &[]),
        enhanced(big, 2, 9_999_999, b"k", &[]),
        enhanced(big, 2, 10_000_001, b"l", &[]),
    ]
    .concat();
    let (packets, counts, outcome) = read(&file);
    let read: Vec<_> = packets.iter().map(|read| (read.0, &read.1[..], read.4)).collect();
    let expected: [(u64, &[u8], u32); 6] = [
        (0, b"abc", 3),
        (17_000, b"d", 2),
        (17_000, b"efghi", 1_500),
        (17_000, b"j", 2),
        (17_000, b"k", 2),
        (1_000, b"l", 2),
    ];
    assert_eq!((&read[..], outcome), (&expected[..], Ok(())));
    assert_eq!((counts.packets, counts.untimed), (6, 4));
}

/// Goal: any unit of time becomes nanoseconds as exact arithmetic has it, rounded down.
/// Method: every value of the option against big integers in decimal text form: units × 10⁹ ÷ unit.
#[test]
fn every_resolution() {
    let units = 0x0123_4567_89AB_CDEF_u64;
    for value in 0..=255_u8 {
        let exponent = u32::from(value & 0x7F);
        let in_ns = u128::from(units) * 1_000_000_000;
        let exact = if value & 0x80 != 0 {
            (0..exponent).fold(in_ns, |ns, _| ns / 2)
        } else {
            (0..exponent).fold(in_ns, |ns, _| ns / 10)
        };
        let file = [
            section(true),
            interface(true, 1, 0, &[resolution(true, value)]),
            enhanced(true, 0, units, b"", &[]),
        ]
        .concat();
        let (packets, counts, _) = read(&file);
        match u64::try_from(exact) {
            Ok(exact) => assert_eq!((packets[0].0, counts.untimed), (exact, 0), "{value:#x}"),
            Err(_) => assert_eq!((packets[0].0, counts.untimed), (0, 1), "{value:#x}"),
        }
    }
}

/// Goal: an old packet block is read like an enhanced one. Method: one on the second interface.
#[test]
fn old_packet() {
    let big = true;
    let mut body = [half(big, 1), half(big, 3)].concat();
    let fields = [0, 25, 2, 2];
    body.extend(fields.iter().flat_map(|field| word(big, *field)));
    body.extend(b"ab");
    let file = [
        section(big),
        interface(big, 1, 0, &[]),
        interface(big, 113, 0, &[]),
        block(big, 2, &body),
    ]
    .concat();
    let (packets, ..) = read(&file);
    assert_eq!(packets, [(25_000, b"ab".to_vec(), 113, 1, 2, 68)]);
}

/// Goal: what contradicts itself is an error with the offset of its block, and nothing after it is read.
/// Method: one wrong block each, behind a good section.
#[test]
fn garbage() {
    let big = false;
    let head = [section(big), interface(big, 1, 0, &[])].concat();
    let at = head.len() as u64;
    let wrong = |bytes: Vec<u8>| {
        let (packets, counts, outcome) = read(&[&head[..], &bytes].concat());
        let error = outcome.unwrap_err();
        assert_eq!((packets.len(), counts.cut, error.offset), (0, 0, at));
        error.cause
    };
    let good = enhanced(big, 0, 1, b"abcd", &[]);
    let with = |place: usize, value: u32| {
        let mut bytes = good.clone();
        bytes[place..place + 4].copy_from_slice(&word(big, value));
        bytes
    };
    let bad = |kind| SourceCause::BadBlock { kind };
    assert_eq!(wrong(with(4, 8)), bad(6), "shorter than its own frame");
    assert_eq!(wrong(with(4, 34)), bad(6), "not a multiple of four");
    assert_eq!(wrong(with(32, 40)), bad(6), "two lengths");
    assert_eq!(wrong(with(20, 5)), bad(6), "a packet longer than its block");
    assert_eq!(wrong(with(8, 1)), SourceCause::NoInterface { id: 1 });
    let length = PACKET_MAX + 1;
    assert_eq!(wrong(with(20, length)), SourceCause::PacketTooLong { length });
    let length = BLOCK_MAX + 4;
    assert_eq!(wrong(with(4, length)), SourceCause::PacketTooLong { length });
    assert_eq!(wrong(block(big, 6, &[0; 16])), bad(6), "no room for the fields");
    assert_eq!(wrong(block(big, 3, &[])), bad(3));
    assert_eq!(wrong(block(big, 1, &[0; 4])), bad(1));
    let mut custom = block(big, 0x0BAD, &[1; 8]);
    custom[16] ^= 1;
    assert_eq!(wrong(custom), bad(0x0BAD), "two lengths of a block that is left out");
    let mut order = section(big);
    order[8] = 0;
    assert_eq!(wrong(order), bad(0x0A0D_0D0A), "neither byte order");
    let mut version = section(big);
    version[12] = 2;
    assert_eq!(wrong(version), SourceCause::Version { major: 2 });
    let many = interface(big, 1, 0, &[]).repeat(1_024);
    let (_, _, outcome) = read(&[head, many].concat());
    assert_eq!(outcome.unwrap_err().cause, SourceCause::TooManyInterfaces);
}

/// Goal: a capture cut at any byte gives the packets that are whole, and counts the cut unless it lies between
/// two blocks. Method: a file with a block of every kind.
#[test]
fn cut_at_every_byte() {
    let big = true;
    let blocks = [
        section(big),
        interface(big, 1, 0, &[resolution(big, 9)]),
        enhanced(big, 0, 1, b"abcde", &option(big, 1, b"x")),
        block(big, 0x0BAD, &[1; 21]),
        simple(big, 3, b"abc"),
        section(!big),
        interface(!big, 1, 0, &[]),
        enhanced(!big, 0, 2, b"f", &[]),
    ];
    let file = blocks.concat();
    let ends: Vec<_> = blocks
        .iter()
        .scan(0, |end, block| {
            *end += block.len();
            Some(*end)
        })
        .collect();
    for cut in 4..=file.len() {
        let (packets, counts, outcome) = read(&file[..cut]);
        assert_eq!(outcome, Ok(()), "cut at {cut}");
        let whole = [2, 4, 7].iter().filter(|packet| ends[**packet] <= cut).count();
        assert_eq!(packets.len(), whole, "cut at {cut}");
        assert_eq!(counts.cut, u64::from(!ends.contains(&cut)), "cut at {cut}");
    }
}

/// Goal: a block that nobody wants may be longer than the buffer. Method: one of 3 MiB.
#[test]
fn long_unknown_block() {
    let big = false;
    let file = [
        section(big),
        interface(big, 1, 0, &[]),
        block(big, 0x0BAD, &vec![1; 3 << 20]),
        enhanced(big, 0, 1, b"abc", &[]),
    ]
    .concat();
    let (packets, counts, outcome) = read(&file);
    assert_eq!((packets.len(), counts.skipped, outcome), (1, 1, Ok(())));
}

proptest! {
    /// Goal: no bytes panic or loop, in either format. Method: bytes behind a good beginning, and good files with
    /// bytes changed.
    #[test]
    fn any_bytes(
        start in 0_usize..4,
        tail in prop::collection::vec(any::<u8>(), 0..300),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let big = start == 1;
        let mut file = match start {
            0 | 1 => [
                section(big),
                interface(big, 1, 0, &[resolution(big, 9), offset(big, 3)]),
                enhanced(big, 0, 1, b"abcde", &option(big, 1, b"x")),
                simple(big, 3, b"abc"),
            ].concat(),
            2 => [file_header(big, 0xA1B2_C3D4, 1), record(big, 1, 2, b"abc", 3)].concat(),
            _ => Vec::new(),
        };
        file.extend(tail);
        for (place, byte) in changes {
            if !file.is_empty() {
                let place = place.index(file.len());
                file[place] = byte;
            }
        }
        let (packets, counts, outcome) = read(&file);
        prop_assert_eq!(packets.len() as u64, counts.packets);
        prop_assert!(packets.iter().map(|packet| packet.1.len()).sum::<usize>() <= file.len());
        if let Err(error) = outcome {
            prop_assert!(error.offset <= file.len() as u64);
        }
    }
}
