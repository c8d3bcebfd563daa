//! Fixtures are made byte by byte from the two format drafts, not by the writers of this crate.

use std::io::Cursor;

use super::*;

mod blocks;

/// Owned, to compare: time, bytes, link, interface, original length, offset.
type Read = (u64, Vec<u8>, u16, u32, u32, u64);

/// Reads to the end or the error. More packets than bytes would be a loop.
fn read(bytes: &[u8]) -> (Vec<Read>, PcapCounts, Result<(), SourceError>) {
    let mut source = PcapSource::from_reader(Cursor::new(bytes));
    let mut packets = Vec::new();
    for _ in 0..=bytes.len() {
        let outcome = match source.next_packet() {
            Ok(Some(Packet { ts, bytes, link, interface, original_len, offset })) => {
                packets.push((ts.0, bytes.to_vec(), link.0, interface, original_len, offset));
                continue;
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        assert_eq!(source.next_packet(), outcome.map(|()| None), "the last word is kept");
        return (packets, source.counts(), outcome);
    }
    panic!("more packets than bytes");
}

/// The four bytes of a number in an order of bytes.
fn word(big: bool, number: u32) -> [u8; 4] {
    if big { number.to_be_bytes() } else { number.to_le_bytes() }
}

fn half(big: bool, number: u16) -> [u8; 2] {
    if big { number.to_be_bytes() } else { number.to_le_bytes() }
}

/// A pcap file's header.
fn file_header(big: bool, magic: u32, link: u32) -> Vec<u8> {
    let mut bytes = word(big, magic).to_vec();
    bytes.extend([half(big, 2), half(big, 4)].concat());
    bytes.extend([word(big, 0), word(big, 0), word(big, 65_535), word(big, link)].concat());
    bytes
}

fn record(big: bool, seconds: u32, fraction: u32, packet: &[u8], original: u32) -> Vec<u8> {
    let fields = [seconds, fraction, packet.len() as u32, original];
    let mut bytes: Vec<u8> = fields.iter().flat_map(|field| word(big, *field)).collect();
    bytes.extend(packet);
    bytes
}

/// Goal: both units in both byte orders; the frame check sequence's bits are not the link type; a packet that
/// was cut by the capture is handed out as such. Method: the same two packets in the four magics.
#[test]
fn classic() {
    for big in [false, true] {
        for (magic, unit) in [(0xA1B2_C3D4, 1_000), (0xA1B2_3C4D, 1)] {
            let file = [
                file_header(big, magic, 0x5400_0071),
                record(big, 1, 2, b"abc", 3),
                record(big, u32::MAX, 999_999, b"", 70_000),
            ]
            .concat();
            let (packets, counts, outcome) = read(&file);
            let last = u64::from(u32::MAX) * 1_000_000_000 + 999_999 * unit;
            let expected = [
                (1_000_000_000 + 2 * unit, b"abc".to_vec(), 113, 0, 3, 24),
                (last, vec![], 113, 0, 70_000, 43),
            ];
            assert_eq!((&packets[..], outcome), (&expected[..], Ok(())), "{big} {magic:x}");
            assert_eq!(counts, PcapCounts { packets: 2, ..PcapCounts::default() });
        }
    }
}

/// Goal: a capture cut anywhere gives its whole packets and counts the cut; between two of them it is an end
/// like any other. Method: cut at every byte.
#[test]
fn classic_cut_at_every_byte() {
    let file = [
        file_header(false, 0xA1B2_C3D4, 1),
        record(false, 1, 2, b"abc", 3),
        record(false, 3, 4, b"defg", 4),
    ]
    .concat();
    for cut in 0..=file.len() {
        let (packets, counts, outcome) = read(&file[..cut]);
        let expected = match cut {
            0 => Err(SourceError { offset: 0, cause: SourceCause::Empty }),
            1..4 => {
                let magic =
                    u32::from_be_bytes([0xD4, 0xC3, 0xB2, 0]) & (u32::MAX << (32 - 8 * cut));
                Err(SourceError { offset: 0, cause: SourceCause::NotPackets { magic } })
            }
            4..24 => Err(SourceError { offset: 0, cause: SourceCause::InsideHeader }),
            _ => Ok(()),
        };
        assert_eq!(outcome, expected, "cut at {cut}");
        let whole = usize::from(cut >= 43) + usize::from(cut >= 63);
        assert_eq!(packets.len(), whole, "cut at {cut}");
        let between = cut < 24 || [24, 43, 63].contains(&cut);
        assert_eq!(counts.cut, u64::from(!between), "cut at {cut}");
    }
}

/// Goal: the longest packet is read, a longer one is garbage, and so are other magics and versions; the
/// offset is that of the fault. Method: one file each.
#[test]
fn classic_garbage() {
    let head = file_header(true, 0xA1B2_C3D4, 1);
    let longest = vec![7; PACKET_MAX as usize];
    let mut file = [&head[..], &record(true, 0, 0, &longest, PACKET_MAX)].concat();
    assert_eq!(read(&file).0[0].1, longest);
    let at = file.len() as u64;
    file.extend(record(true, 0, 0, &[longest, vec![0]].concat(), 0));
    let cause = SourceCause::PacketTooLong { length: PACKET_MAX + 1 };
    let (packets, _, outcome) = read(&file);
    assert_eq!((packets.len(), outcome), (1, Err(SourceError { offset: at, cause })));

    let cause = SourceCause::NotPackets { magic: 0x1F8B_0800 };
    let refused = SourceError { offset: 0, cause };
    assert_eq!(read(&[0x1F, 0x8B, 8, 0, 0]).2, Err(refused));
    assert_eq!(refused.to_string(), "offset 0: neither pcap nor pcapng: begins with 1f8b0800");
    let mut old = head;
    old[5] = 1;
    let cause = SourceCause::Version { major: 1 };
    assert_eq!(read(&old).2, Err(SourceError { offset: 4, cause }));
}

/// Goal: a compressed stream that was cut off is a cut, even between two packets; another failure is an
/// error that stays. Method: a reader that fails as told.
#[test]
fn failing_reader() {
    struct Failing<'a>(&'a [u8], std::io::ErrorKind);
    impl std::io::Read for Failing<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            // One byte at a time: the hardest case for a window.
            match self.0.read(&mut buffer[..1])? {
                0 => Err(self.1.into()),
                got => Ok(got),
            }
        }
    }
    let file = [file_header(false, 0xA1B2_C3D4, 1), record(false, 1, 2, b"abc", 3)].concat();
    let mut cut = PcapSource::from_reader(Failing(&file, std::io::ErrorKind::UnexpectedEof));
    assert_eq!(cut.next_packet().unwrap().unwrap().bytes, b"abc");
    assert_eq!(cut.next_packet(), Ok(None));
    assert_eq!(cut.counts().cut, 1);
    let mut broken = PcapSource::from_reader(Failing(&file, std::io::ErrorKind::TimedOut));
    assert!(broken.next_packet().is_ok());
    let cause = SourceCause::Read(std::io::ErrorKind::TimedOut);
    for _ in 0..2 {
        assert_eq!(broken.next_packet(), Err(SourceError { offset: 43, cause }));
    }
}
