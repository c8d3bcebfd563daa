use model::OrderId;
use proptest::prelude::*;

use super::super::frame::{Change, Enter, cancel, query};
use super::*;

/// Bytes of a message of the venue, field by field.
fn message(kind: u8, fields: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&77_u64.to_be_bytes());
    fields.iter().for_each(|field| bytes.extend_from_slice(field));
    bytes
}

/// One of each message, as the specification lays it out, without options.
fn each() -> Vec<Vec<u8>> {
    let (refnum, old, qty) = (5_u32.to_be_bytes(), 4_u32.to_be_bytes(), 300_u32.to_be_bytes());
    let (px, number) = (1_001_500_u64.to_be_bytes(), 9_u64.to_be_bytes());
    let name = Name::of(OrderId(1 << 40), 3).0;
    let terms = [&b"B"[..], &qty, b"AAPL    ", &px, b"0Y", &number, b"ANNL", &name].concat();
    vec![
        message(b'S', &[b"S"]),
        message(b'A', &[&refnum, &terms]),
        message(b'U', &[&old, &refnum, &terms]),
        message(b'C', &[&refnum, &qty, b"U"]),
        message(b'D', &[&refnum, &qty, b"Q", &qty, &px, b"A", b"1"]),
        message(b'E', &[&refnum, &qty, &px, b"A", &number]),
        message(b'B', &[&refnum, &number, b"E", &name]),
        message(b'J', &[&refnum, &[0, 7], &name]),
        message(b'P', &[&refnum]),
        message(b'I', &[&refnum]),
        message(b'T', &[&refnum, &px, b"Y", &number]),
        message(b'M', &[&refnum, b"S", &qty]),
        message(b'R', &[&refnum, b"R"]),
        message(b'X', &[&refnum, b"FIRM", b"AAPL    "]),
        message(b'G', &[&refnum, b"FIRM"]),
        message(b'K', &[&refnum, b"FIRM"]),
        message(b'Q', &[&refnum]),
    ]
}

/// Goal: every message reads as the specification lays it out. Method: each by hand, with what must come of it.
#[test]
fn layouts() {
    let name = Name::of(OrderId(1 << 40), 3);
    let taken = Taken {
        buys: true,
        is_short: false,
        qty: 300,
        symbol: *b"AAPL    ",
        px: 1_001_500,
        order_ref: 9,
        cross: b'N',
        is_live: true,
        name,
        extras: Extras::default(),
    };
    let (refnum, qty, px, match_number) = (5, 300, 1_001_500, 9);
    let wanted = [
        Message::System { time: 77, event: b'S' },
        Message::Accepted { refnum, taken },
        Message::Replaced { old: 4, refnum, taken },
        Message::Canceled { refnum, qty, reason: b'U' },
        Message::Canceled { refnum, qty, reason: b'Q' },
        Message::Executed { refnum, qty, px, match_number },
        Message::Broken { refnum, match_number, reason: b'E' },
        Message::Rejected { refnum, reason: 7, name },
        Message::CancelPending { refnum },
        Message::CancelReject { refnum },
        Message::Priority { refnum },
        Message::Modified { refnum, qty },
        Message::Restated { refnum, reason: b'R', shown: None },
        Message::Other { kind: b'X' },
        Message::Other { kind: b'G' },
        Message::Other { kind: b'K' },
        Message::Account { next: 5 },
    ];
    for (bytes, wanted) in each().iter().zip(wanted) {
        assert_eq!(decode(bytes), Ok(wanted));
        assert_eq!(time(bytes), Some(77));
    }
    let (accepted, restated) = (&each()[1], &each()[12]);
    let options = b"\0\x0F\x05\x03\0\0\x01\x2C\x05\x05\0\0\0\x64\x02\x0CP";
    let extras = Extras {
        min_qty: Some(300),
        max_floor: Some(100),
        post_only: Some(true),
        ..Extras::default()
    };
    let taken = Taken { cross: b'O', extras, ..taken };
    let mut waits = accepted.clone();
    waits[46] = b'O';
    assert_eq!(decode(&[&waits[..], options].concat()), Ok(Message::Accepted { refnum, taken }));
    let shown = Some(40);
    assert_eq!(
        decode(&[&restated[..], b"\0\x06\x05\x16\0\0\0\x28"].concat()),
        Ok(Message::Restated { refnum, reason: b'R', shown })
    );
    // The older edition does not say the strategy.
    let aiq = &each()[4];
    assert_eq!(decode(&aiq[..31]), decode(aiq));
    assert_eq!(decode(&[&aiq[..31], &[0, 0]].concat()), decode(aiq));
    assert_eq!(decode(&[&aiq[..], &[0, 0]].concat()), decode(aiq));
}

/// Goal: options are walked, the firm is found, and what is broken is named with its place. Method: by hand, then every cut of
/// every message.
#[test]
fn options_and_cuts() {
    let accepted = &each()[1];
    let with = |options: &[u8]| {
        let length = (options.len() as u16).to_be_bytes();
        decode(&[accepted, &length[..], options].concat())
    };
    let firm = |message| match message {
        Ok(Message::Accepted { taken, .. }) => taken.extras.firm,
        other => panic!("{other:?}"),
    };
    assert_eq!(firm(with(&[])), None);
    assert_eq!(firm(with(b"\x02\x0CP\x05\x02FIRM")), Some(*b"FIRM"));
    let broken = |offset| Err(WireError::Options { kind: b'A', offset });
    assert_eq!(with(b"\x02\x0CP\x05\x02FIR"), broken(67));
    assert_eq!(with(b"\x00"), broken(64));
    assert_eq!(with(b"\x04\x02FIR"), broken(64));
    assert_eq!(decode(&[accepted, &[0, 1][..]].concat()), broken(62));
    for bytes in each() {
        for cut in 0..bytes.len() {
            let short = decode(&bytes[..cut]);
            let legal = bytes[0] == b'D' && cut == 31;
            assert!(legal || short.is_err(), "{}: {cut}", bytes[0] as char);
        }
        // One byte more is no length of options, but where the strategy is not said.
        let long = decode(&[&bytes[..], &[0]].concat());
        assert!(long.is_err() || bytes[0] == b'S', "{}", bytes[0] as char);
    }
    assert_eq!(decode(&[]), Err(WireError::Empty));
    assert_eq!(decode(b"?"), Err(WireError::Unknown(b'?')));
    let mut side = accepted.clone();
    for (said, is) in [(b'S', (false, false)), (b'T', (false, true)), (b'E', (false, true))] {
        side[13] = said;
        let Ok(Message::Accepted { taken, .. }) = decode(&side) else { panic!("{said}") };
        assert_eq!((taken.buys, taken.is_short), is);
    }
    side[13] = b'?';
    assert_eq!(decode(&side), Err(WireError::Field { kind: b'A', offset: 13 }));
    let mut state = accepted.clone();
    state[47] = b'?';
    assert_eq!(decode(&state), Err(WireError::Field { kind: b'A', offset: 47 }));
}

/// Goal: requests are laid out as the specification has them. Method: each against bytes by hand.
#[test]
fn requests() {
    let name = Name(*b"00000000000000");
    let enter = Enter {
        refnum: 0x0102_0304,
        side: b'T',
        qty: 300,
        symbol: *b"AAPL    ",
        px: 1_001_500,
        tif: b'3',
        capacity: b'P',
        cross: b'N',
        name,
        extras: Extras::default(),
    };
    let (qty, px) = (300_u32.to_be_bytes(), 1_001_500_u64.to_be_bytes());
    let head = [&[0, 48, b'U', b'O', 1, 2, 3, 4, b'T'][..], &qty, b"AAPL    ", &px].concat();
    let wanted = [&head[..], b"3YPNN", &name.0, &[0, 0]].concat();
    assert_eq!(enter.frame().bytes(), wanted);
    let extras = Extras {
        firm: Some(*b"FIRM"),
        min_qty: Some(300),
        max_floor: Some(100),
        post_only: Some(true),
        display_qty: None,
    };
    let longest = Enter { cross: b'C', extras, ..enter }.frame();
    let options = b"\0\x15\x05\x02FIRM\x05\x03\0\0\x01\x2C\x05\x05\0\0\0\x64\x02\x0CP";
    let mut wanted = [&wanted[..wanted.len() - 2], options].concat();
    (wanted[1], wanted[33]) = (48 + 21, b'C');
    assert_eq!(longest.bytes(), wanted);
    let extras = Extras { max_floor: Some(0), ..Extras::default() };
    let change = Change { old: 7, refnum: 8, qty: 300, px: 1_001_500, tif: b'0', name, extras };
    let head = [&[0, 47, b'U', b'U', 0, 0, 0, 7, 0, 0, 0, 8][..], &qty, &px].concat();
    let wanted = [&head[..], b"0YN", &name.0, &[0, 6, 5, 5, 0, 0, 0, 0]].concat();
    assert_eq!(change.frame().bytes(), wanted);
    assert_eq!(cancel(9).bytes(), [0, 12, b'U', b'X', 0, 0, 0, 9, 0, 0, 0, 0, 0, 0]);
    assert_eq!(query().bytes(), [0, 4, b'U', b'Q', 0, 0]);
}

/// Goal: messages of a real venue read. Method: the captures of OUCH 5.0, if they are here.
#[test]
fn captured() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("TICKGATE_DATA").map_or(root, Into::into).join("ouch");
    let payload = |file: &str, packet: &[u8]| {
        let bytes = std::fs::read(folder.join(file)).ok()?;
        let at = bytes.windows(packet.len()).rposition(|window| window == packet)?;
        let length = u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        Some(bytes[at + 3..at + 2 + usize::from(length)].to_vec())
    };
    let (Some(accepted), Some(canceled)) = (
        payload("OrderAcceptedMessage.pcap", b"\x00\x4ASA"),
        payload("CanceledMessage.pcap", b"\x00\x13SC"),
    ) else {
        return println!("SKIPPED: {} is not here", folder.display());
    };
    let Ok(Message::Accepted { refnum, taken }) = decode(&accepted) else { panic!("{accepted:?}") };
    assert_eq!((refnum, taken.qty, &taken.symbol), (0x0075_3A8D, 40, b"ADBE    "));
    assert_eq!((taken.px, taken.is_live, taken.extras.firm), (4_777_800, true, Some(*b"MLRO")));
    assert!(taken.buys && taken.name.read().is_none());
    let wanted = Message::Canceled { refnum: 0x0075_3A8D, qty: 40, reason: canceled[17] };
    assert_eq!(decode(&canceled), Ok(wanted));
}

proptest! {
    /// Goal: no bytes panic, and an error names a byte of the message. Method: any bytes behind every type, and every message
    /// with bytes changed.
    #[test]
    fn survives(
        kind in any::<u8>(),
        tail in prop::collection::vec(any::<u8>(), 0..120),
        which in 0..17_usize,
        spoilt in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = each().swap_remove(which);
        for (at, byte) in spoilt {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for bytes in [[&[kind][..], &tail].concat(), bytes] {
            let (Ok(_) | Err(WireError::Empty | WireError::Unknown(_))) = decode(&bytes) else {
                let offset = match decode(&bytes) {
                    Err(WireError::Short { got, .. }) => got,
                    Err(WireError::Options { offset, .. } | WireError::Field { offset, .. }) => offset,
                    other => panic!("{other:?}"),
                };
                prop_assert!(usize::from(offset) <= bytes.len());
                continue;
            };
        }
    }
}
