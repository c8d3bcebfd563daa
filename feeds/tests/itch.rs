//! TotalView-ITCH 5.0: both faces of the decoder against vectors packed by an independent program, and
//! against each other.

use std::collections::BTreeMap;

use feeds::nasdaq::MESSAGE_MAX;
use feeds::nasdaq::itch::{DecodeError, Decoder, OrderMessage};
use feeds::nasdaq::message::Message;
use model::{Event, FeedId, Flags, Kind, Px, Side, Symbol, TradingState, Ts};
use proptest::prelude::*;

/// Printed by `vectors.py`, beside this file.
const VECTORS: &str = include_str!("vectors.txt");

const MIDNIGHT: Ts = Ts(1_580_342_400_000_000_000);
const DECODER: Decoder = Decoder { feed: FeedId(3), midnight: MIDNIGHT };

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn vectors() -> impl Iterator<Item = (Vec<u8>, &'static str, &'static str)> {
    VECTORS.lines().map(|line| {
        let mut columns = line.split('\t');
        let hex = columns.next().unwrap();
        (bytes(hex), columns.next().unwrap(), columns.next().unwrap())
    })
}

fn told(event: &Event) -> String {
    let Event { kind, order, px, qty, aux, side, number, flags, ts_venue, .. } = *event;
    let side = side.map_or("None", Side::name);
    let (flags, time) = (flags.bits(), ts_venue.0 - MIDNIGHT.0);
    format!("{kind} {} {} {} {aux} {side} {} {flags} {time}", order.0, px.0, qty.0, number.0)
}

/// Goal: every field of every message is read from its place. Method: vectors of all 23 types, with random
/// values, the lowest, the highest, and each code that means something.
#[test]
fn both_faces_read_the_vectors() {
    let mut types: BTreeMap<char, u32> = BTreeMap::new();
    for (message, complete, hot) in vectors() {
        *types.entry(char::from(message[0])).or_default() += 1;
        let decoded = Message::decode(&message).unwrap();
        assert_eq!(format!("{decoded:?}"), complete);
        assert_eq!(decoded.encode(&mut [0; MESSAGE_MAX]), message, "{complete}");
        let event = DECODER.decode(&message, 9, Flags::NONE);
        if let Some(at) = hot.strip_prefix("refused ") {
            let (kind, at) = (message[0], at.parse().unwrap());
            assert_eq!(event, Err(DecodeError::Field { kind, at }), "{complete}");
            continue;
        }
        let event = event.unwrap();
        assert_eq!(told(&event), hot, "{complete}");
        assert_eq!((event.seq, event.feed, event.ts_recv), (9, FeedId(3), event.ts_venue));
        assert_eq!(Event::from_words(&event.to_words()), Ok(event));
    }
    let known: BTreeMap<char, u32> =
        Message::LENGTHS.iter().map(|(kind, _)| (char::from(*kind), 4)).collect();
    assert_eq!(types.len(), 23);
    assert!(types.iter().zip(&known).all(|((a, n), (b, least))| a == b && n >= least), "{types:?}");
}

/// Goal: a message of any other length than its type's is refused, and the error says which was needed.
/// Method: cut each vector at every byte, and lengthen it.
#[test]
fn wrong_lengths_are_refused() {
    for (message, ..) in vectors() {
        let (kind, need) = (message[0], message.len() as u16);
        let mut longer = message.clone();
        longer.push(0);
        let shorter = (1..message.len()).map(|end| &message[..end]);
        for wrong in shorter.chain([longer.as_slice(), &[kind; 0xFFFF], &[kind; 0x1_0001]]) {
            let got = wrong.len().min(0xFFFF) as u16;
            let refused = DecodeError::Length { kind, need, got };
            assert_eq!(DECODER.decode(wrong, 1, Flags::NONE), Err(refused));
            assert_eq!(Message::decode(wrong), Err(refused));
        }
    }
    assert_eq!(DECODER.decode(&[], 1, Flags::NONE), Err(DecodeError::Empty));
    assert_eq!(Message::decode(&[]), Err(DecodeError::Empty));
}

/// Goal: both faces know the same types, and no other. Method: every type byte.
#[test]
fn unknown_types_are_named() {
    for kind in 0..=u8::MAX {
        let unknown = Err(DecodeError::UnknownType { kind });
        let known = Message::LENGTHS.iter().any(|(known, _)| *known == kind);
        let hot = DECODER.decode(&[kind; 51], 1, Flags::NONE).map(|_| ());
        assert_eq!(hot == unknown, !known, "{kind}");
        assert_eq!(Message::decode(&[kind; 51]).map(|_| ()) == unknown, !known, "{kind}");
    }
}

/// What both faces say of a message, as far as both say it.
fn shared(message: &Message) -> (Kind, u64, Px, i64, u64, Option<Side>) {
    use Message as M;
    let none = Px(0);
    match *message {
        M::AddOrder(m) => (Kind::Add, m.order, m.price.into(), m.shares.into(), 0, Some(m.side)),
        M::AddOrderMpid(m) => {
            (Kind::Add, m.order, m.price.into(), m.shares.into(), 0, Some(m.side))
        }
        M::OrderExecuted(m) => {
            (Kind::Execute, m.order, none, m.shares.into(), m.match_number, None)
        }
        M::OrderExecutedWithPrice(m) => {
            (Kind::ExecuteAt, m.order, m.price.into(), m.shares.into(), m.match_number, None)
        }
        M::OrderCancel(m) => (Kind::Reduce, m.order, none, m.shares.into(), 0, None),
        M::OrderDelete(m) => (Kind::Delete, m.order, none, 0, 0, None),
        M::OrderReplace(m) => {
            (Kind::Replace, m.original, m.price.into(), m.shares.into(), m.order, None)
        }
        M::Trade(m) => (Kind::Trade, 0, m.price.into(), m.shares.into(), m.match_number, None),
        M::CrossTrade(m) => {
            let (px, which) = (m.price.into(), m.cross_type.into());
            (Kind::Cross, which, px, m.shares as i64, m.match_number, None)
        }
        M::BrokenTrade(m) => (Kind::Broken, 0, none, 0, m.match_number, None),
        M::StockDirectory(m) => {
            let [symbol, _] = Symbol::from_padded(m.stock.0).unwrap_or_default().to_words();
            (Kind::Directory, 0, Px(4), m.round_lot.into(), symbol, None)
        }
        M::SystemEvent(m) => (Kind::Session, 0, none, 0, m.event.into(), None),
        M::MwcbStatus(m) => {
            (Kind::MarketHalt, 0, none, 0, u64::from(m.breached_level - b'0'), None)
        }
        M::StockTradingAction(m) => {
            let state = match m.state {
                b'T' => TradingState::Trading,
                b'H' => TradingState::Halted,
                b'P' => TradingState::Paused,
                b'Q' => TradingState::QuoteOnly,
                _ => TradingState::Unknown,
            };
            (Kind::State, 0, none, 0, state.code().into(), None)
        }
        M::OperationalHalt(m) if m.market == b'Q' => {
            (Kind::VenueHalt, 0, none, 0, u64::from(m.action != b'T'), None)
        }
        M::RegSho(m) => (Kind::ShortSale, 0, none, 0, u64::from(m.action != b'0'), None),
        _ => (Kind::Notice, 0, none, 0, message.kind().into(), None),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..Default::default() })]

    /// Goal: the two faces never part. Method: random bytes behind every type byte, at its length; what one
    /// refuses, the other refuses too, but for what only the engine cannot take; whatever is read is
    /// written back the same.
    #[test]
    fn the_faces_agree(place in 0..23_usize, noise in prop::collection::vec(any::<u8>(), MESSAGE_MAX),
                       side in any::<bool>()) {
        let (kind, length) = Message::LENGTHS[place];
        let mut bytes = noise[..length].to_vec();
        bytes[0] = kind;
        if matches!(kind, b'A' | b'F' | b'P') && noise[0] > 16 {
            bytes[19] = if side { b'B' } else { b'S' };
        }
        let hot = DECODER.decode(&bytes, 1, Flags::NONE);
        let complete = Message::decode(&bytes);
        match (hot, complete) {
            (Ok(event), Ok(message)) => {
                let Event { kind, order, px, qty, aux, side, .. } = event;
                prop_assert_eq!((kind, order.0, px, qty.0, aux, side), shared(&message));
                prop_assert_eq!(event.ts_venue.0 - MIDNIGHT.0, message.header().time);
                if !matches!(kind, Kind::Session | Kind::MarketHalt) {
                    prop_assert_eq!(event.number.0, u32::from(message.header().locate));
                }
                let mut room = [0; MESSAGE_MAX];
                prop_assert_eq!(message.encode(&mut room), &bytes);
            }
            (Err(hot), Err(complete)) => prop_assert_eq!(hot, complete),
            (Ok(event), Err(error)) => {
                // A hidden trade's side tells nothing, so the engine does not read it.
                prop_assert_eq!(event.kind, Kind::Trade);
                prop_assert_eq!(error, DecodeError::Field { kind: b'P', at: 19 });
            }
            (Err(error), Ok(_)) => {
                let field = |kind, at| DecodeError::Field { kind, at };
                let refused = [field(b'R', 1), field(b'R', 11), field(b'W', 11), field(b'Q', 11)];
                prop_assert!(refused.contains(&error), "{error}");
            }
        }
    }

    /// Goal: a message about an order, read where it lies, says what its event says, refuses what the event
    /// refuses, and is about nothing else. Method: random bytes behind every type byte, at its length and
    /// one beside it.
    #[test]
    fn read_where_it_lies(place in 0..23_usize, noise in prop::collection::vec(any::<u8>(), MESSAGE_MAX),
                          beside in 0..8_usize) {
        let (kind, length) = Message::LENGTHS[place];
        let mut bytes = noise[..(length + usize::from(beside == 0)).min(MESSAGE_MAX)].to_vec();
        bytes[0] = kind;
        if beside > 1 && matches!(kind, b'A' | b'F') {
            bytes[19] = b'S';
        }
        match (OrderMessage::parse(&bytes), DECODER.decode(&bytes, 1, Flags::NONE)) {
            (Ok(Some(m)), Ok(event)) => {
                let Event { kind, order, px, qty, aux, side, number, flags, .. } = event;
                let told = (m.kind(), m.order(), m.px(), m.qty(), m.aux(), m.side(), m.number(), m.flags());
                prop_assert_eq!(told, (kind, order, px, qty, aux, side, number, flags));
                prop_assert_eq!(event.ts_venue.0 - MIDNIGHT.0, m.time_ns());
                prop_assert!(b"AFECXDUP".contains(&bytes[0]));
            }
            (Ok(None), _) => prop_assert!(!b"AFECXDUP".contains(&bytes[0])),
            (read, decoded) => prop_assert_eq!(read.err(), decoded.err()),
        }
    }

    /// Goal: no bytes panic. Method: any bytes of any length.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = DECODER.decode(&bytes, 1, Flags::NONE);
        let _ = Message::decode(&bytes);
    }
}
