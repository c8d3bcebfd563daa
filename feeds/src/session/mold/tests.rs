use super::*;

const SESSION: SessionId = SessionId(*b"000010059B");

fn packet(first: u64, messages: &[&[u8]]) -> Vec<u8> {
    let mut writer = PacketWriter::new(SESSION, first, 1_472);
    assert!(messages.iter().all(|message| writer.push(message)));
    writer.packet().to_vec()
}

/// Goal: what the writer writes, the view reads, empty blocks included. Method: hand-made bytes and both ways.
#[test]
fn reads_what_is_written() {
    let bytes = packet(0x0102, &[b"abc", b"", b"d"]);
    let mut by_hand = b"000010059B\0\0\0\0\0\0\x01\x02\0\x03".to_vec();
    by_hand.extend_from_slice(b"\0\x03abc\0\0\0\x01d");
    assert_eq!(bytes, by_hand);
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!(packet.header(), Header { session: SESSION, first: 0x0102, count: 3 });
    assert_eq!(packet.header().end(), Ok(0x0105));
    assert!(packet.messages().eq([&b"abc"[..], b"", b"d"]));
}

/// Goal: every length that is not the packet's own is refused whole, with its place. Method: cut at each
/// byte, then add one.
#[test]
fn lengths() {
    let bytes = packet(7, &[b"abc", b"", b"d"]);
    for cut in 0..bytes.len() {
        let error = Packet::parse(&bytes[..cut]).unwrap_err();
        let expected = match cut {
            0..20 => MoldError::Short { got: cut },
            20..25 => MoldError::Truncated { block: 0, offset: 20 },
            25..27 => MoldError::Truncated { block: 1, offset: 25 },
            _ => MoldError::Truncated { block: 2, offset: 27 },
        };
        assert_eq!(error, expected, "cut at {cut}");
    }
    let longer = [&bytes[..], b"x"].concat();
    assert_eq!(Packet::parse(&longer), Err(MoldError::Trailing { offset: 30 }));
    let mut heartbeat = packet(7, &[]);
    assert_eq!(Packet::parse(&heartbeat).unwrap().header().kind(), PacketKind::Heartbeat);
    heartbeat.push(0);
    assert_eq!(Packet::parse(&heartbeat), Err(MoldError::Trailing { offset: 20 }));
}

/// Goal: the end of a session announces no message, and no sequence wraps. Method: the extremes.
#[test]
fn ends() {
    let end = PacketWriter::new(SESSION, 9, 0).end_of_session();
    let header = Packet::parse(&end).unwrap().header();
    assert_eq!((header.kind(), header.messages(), header.end()), (PacketKind::End, 0, Ok(9)));
    let header = |first, count| Header { session: SESSION, first, count };
    assert_eq!(header(u64::MAX, 1).end(), Err(MoldError::Sequence));
    assert_eq!(header(u64::MAX - 1, 1).end(), Ok(u64::MAX));
    assert_eq!(header(0, 1).end(), Err(MoldError::Sequence));
}

/// Goal: a writer never exceeds its room and goes on where it stopped. Method: fill, restart.
#[test]
fn writer_is_bounded() {
    let mut writer = PacketWriter::new(SESSION, 1, 30);
    assert!(writer.push(b"12345678"));
    assert!(!writer.push(b""), "2 more bytes do not fit");
    assert!(!writer.push(&[0; 70_000]));
    assert_eq!((writer.packet().len(), writer.count(), writer.next()), (30, 1, 2));
    writer.restart();
    assert_eq!(Header::parse(writer.packet()).unwrap().first, 2);
}

/// Goal: a request reads back, and one that makes no sense is refused. Method: both ways, then bad ones.
#[test]
fn requests() {
    let request = Request { session: SESSION, first: 5, count: 1_024 };
    assert_eq!(Request::parse(&request.to_bytes()), Ok(request));
    assert_eq!(Request::parse(&[0; 19]), Err(MoldError::Short { got: 19 }));
    assert_eq!(Request::parse(&[1; 21]), Err(MoldError::Trailing { offset: 20 }));
    for bad in [Request { first: 0, ..request }, Request { count: 0, ..request }] {
        assert_eq!(Request::parse(&bad.to_bytes()), Err(MoldError::Sequence));
    }
}
