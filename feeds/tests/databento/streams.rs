//! Streams written by the crate's own encoder: whole, cut, bent, and of any bytes.

use dbn::encode::dbn::Encoder;
use dbn::encode::{DbnEncodable, EncodeRecord};
use dbn::enums::rtype;
use dbn::{
    FlagSet, MappingInterval, MboMsg, Metadata, RecordHeader, SType, Schema, StatusMsg,
    SymbolMapping, TradeMsg, UNDEF_PRICE, UNDEF_TIMESTAMP, flags,
};
use feeds::Arrival;
use feeds::databento::{DbnCause, DbnCounters, DbnError, DbnOptions, DbnReader};
use model::{Event, Flags, Kind, OrderRef, Px, Qty, Side, Ts, VenueNumber};
use proptest::prelude::*;

use super::twin::Twins;

/// 2024-01-02.
pub const DAY: u64 = 1_704_153_600_000_000_000;
/// The id that the metadata name AAPL on that day, and one that they do not name.
pub const NAMED: u32 = 77;
pub const UNNAMED: u32 = 4_000_000_000;

pub fn head(rtype: u8, id: u32) -> RecordHeader {
    match rtype {
        rtype::MBO => RecordHeader::new::<MboMsg>(rtype, 2, id, DAY + 1),
        rtype::MBP_1 => RecordHeader::new::<dbn::Mbp1Msg>(rtype, 2, id, DAY + 1),
        rtype::MBP_10 => RecordHeader::new::<dbn::Mbp10Msg>(rtype, 2, id, DAY + 1),
        rtype::MBP_0 => RecordHeader::new::<TradeMsg>(rtype, 2, id, DAY + 1),
        _ => RecordHeader::new::<StatusMsg>(rtype, 2, id, DAY + 1),
    }
}

pub fn mbo(action: u8, side: u8, order_id: u64, price: i64, size: u32, flags: u8) -> MboMsg {
    MboMsg {
        hd: head(rtype::MBO, NAMED),
        order_id,
        price,
        size,
        flags: FlagSet::new(flags),
        action: action.cast_signed(),
        side: side.cast_signed(),
        ts_recv: DAY + 2,
        ..MboMsg::default()
    }
}

pub fn metadata(schema: Option<Schema>) -> Metadata {
    let mut metadata = Metadata::builder()
        .dataset("XNAS.ITCH")
        .schema(schema)
        .start(DAY)
        .stype_in(Some(SType::RawSymbol))
        .stype_out(SType::InstrumentId)
        .build();
    let start_date = metadata.start().date();
    let end_date = start_date.next_day().unwrap();
    let interval = MappingInterval { start_date, end_date, symbol: NAMED.to_string() };
    let mapping = SymbolMapping { raw_symbol: "AAPL".to_string(), intervals: vec![interval] };
    metadata.mappings = vec![mapping];
    metadata
}

pub fn encode<T: DbnEncodable>(schema: Option<Schema>, records: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, &metadata(schema)).unwrap();
    records.iter().for_each(|record| encoder.encode_record(record).unwrap());
    bytes
}

/// Every event of a stream, and how it ended.
pub fn events(bytes: &[u8], options: DbnOptions) -> (Vec<Event>, Result<DbnCounters, DbnError>) {
    events_at(bytes, options, &mut ())
}

/// Hears of each record.
struct Ear;

impl Arrival for Ear {
    fn arrives(&mut self, _: Ts) {}
}

/// The same, with records heard of as they arrive.
fn events_at(
    bytes: &[u8],
    options: DbnOptions,
    arrival: &mut impl Arrival,
) -> (Vec<Event>, Result<DbnCounters, DbnError>) {
    let mut events = Vec::new();
    let mut reader = match DbnReader::open(bytes, options) {
        Ok(reader) => reader,
        Err(error) => return (events, Err(error)),
    };
    loop {
        match reader.next_at(arrival, &mut |event| events.push(event)) {
            Ok(true) => {}
            Ok(false) => return (events, Ok(reader.counters())),
            Err(error) => {
                assert_eq!(reader.next(&mut |_| panic!("after the end")), Err(error));
                return (events, Err(error));
            }
        }
    }
}

fn refused(bytes: &[u8], options: DbnOptions) -> DbnError {
    events(bytes, options).1.unwrap_err()
}

/// Goal: every action of a market-by-order record becomes what it means. Method: one record each, told in full.
#[test]
fn actions() {
    const TEN: i64 = 10_000_000_000;
    let records = [
        mbo(b'A', b'B', 1, TEN, 5, 0),
        mbo(b'A', b'A', 2, TEN + 1, 6, flags::LAST),
        mbo(b'M', b'B', 1, TEN - 1, 4, flags::LAST),
        mbo(b'C', b'B', 1, TEN - 1, 3, flags::LAST),
        mbo(b'T', b'B', 9, TEN + 1, 2, 0),
        mbo(b'T', b'N', 9, TEN + 1, 2, 0),
        mbo(b'F', b'A', 2, TEN + 1, 2, 0),
        mbo(b'N', b'N', 0, UNDEF_PRICE, 0, 0),
        mbo(b'A', b'B', 3, UNDEF_PRICE, 1, 0),
        mbo(b'M', b'A', 2, TEN + 1, 0, flags::LAST),
        mbo(b'R', b'N', 0, UNDEF_PRICE, 0, 0),
    ];
    let (events, counters) = events(&encode(Some(Schema::Mbo), &records), DbnOptions::default());
    let counters = counters.unwrap();
    let told = events
        .iter()
        .filter(|event| event.number != VenueNumber(0))
        .filter(|event| ![Kind::Integrity, Kind::Directory, Kind::State].contains(&event.kind));
    let told: Vec<_> = told
        .map(|event| {
            assert_eq!((event.ts_venue, event.ts_recv), (Ts(DAY + 1), Ts(DAY + 2)));
            assert_eq!(event.number, VenueNumber(1));
            let complete = event.flags.has(Flags::EVENT_COMPLETE);
            let Event { kind, order: OrderRef(order), px: Px(px), qty: Qty(qty), .. } = *event;
            (event.seq, kind, order, px, qty, event.side, event.aux, complete)
        })
        .collect();
    let (buy, sell) = (Some(Side::Buy), Some(Side::Sell));
    let known = [
        (1, Kind::Add, 1, TEN, 5, buy, 0, false),
        (2, Kind::Add, 2, TEN + 1, 6, sell, 0, true),
        (3, Kind::Modify, 1, TEN - 1, 4, None, 0, true),
        (4, Kind::Reduce, 1, 0, 3, None, 0, true),
        (5, Kind::Trade, 0, TEN + 1, 2, sell, 0, false),
        (6, Kind::Trade, 0, TEN + 1, 2, None, 0, false),
        (7, Kind::Notice, 0, 0, 0, None, u64::from(b'F'), false),
        (8, Kind::Notice, 0, 0, 0, None, u64::from(b'N'), false),
        (9, Kind::Notice, 0, 0, 0, None, u64::from(b'A'), false),
        (10, Kind::Delete, 2, 0, 0, None, 0, true),
        (11, Kind::Clear, 0, 0, 0, None, 0, false),
    ];
    assert_eq!(told, known);
    assert_eq!((counters.undefined_px, counters.bad, counters.mbo), (1, 0, 11));
}

/// Goal: instruments are numbered as they come, and named by the metadata where they can be; no more are told of than
/// there is room for, nor of other publishers. Method: four ids, a room for two.
#[test]
fn names() {
    let mut records = [UNNAMED, NAMED, UNNAMED, 5, NAMED].map(|id| TradeMsg {
        hd: head(rtype::MBP_0, id),
        price: 1,
        size: 1,
        action: b'T'.cast_signed(),
        side: b'A'.cast_signed(),
        ts_recv: UNDEF_TIMESTAMP,
        ..TradeMsg::default()
    });
    records[4].hd.publisher_id = 3;
    let bytes = encode(Some(Schema::Trades), &records);
    let options = DbnOptions { instruments_max: 2, ..DbnOptions::default() };
    let (all, counters) = events(&bytes, options);
    let counters = counters.unwrap();
    let names: Vec<_> = all
        .iter()
        .filter(|event| event.kind == Kind::Directory)
        .map(|event| (event.number.0, event.listing().unwrap().0.to_string()))
        .collect();
    assert_eq!(names, [(1, "id:4000000000".to_string()), (2, "AAPL".to_string())]);
    let told: Vec<_> = all
        .iter()
        .filter(|event| [Kind::Trade, Kind::Notice].contains(&event.kind))
        .map(|event| (event.kind, event.number.0, event.side, event.ts_recv.0 - DAY))
        .collect();
    let buy = Some(Side::Buy);
    let trade = |number| (Kind::Trade, number, buy, 1);
    let notice = (Kind::Notice, 0, None, 1);
    assert_eq!(told, [trade(1), trade(2), trade(1), notice, notice]);
    assert_eq!((counters.unlisted, counters.other_publishers, counters.trades), (1, 1, 5));

    let options = DbnOptions { publisher: Some(3), ..DbnOptions::default() };
    let (all, counters) = events(&bytes, options);
    assert_eq!(all.iter().filter(|event| event.kind == Kind::Trade).count(), 1);
    assert_eq!(counters.unwrap().other_publishers, 4);
}

/// Goal: a stream without a schema tells of the first type of record alone, and the sequence goes on over the others.
/// Method: status, MBO, trade, MBO.
#[test]
fn mixed() {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, &metadata(None)).unwrap();
    let add = |order| mbo(b'A', b'B', order, 1, 1, 0);
    let status = StatusMsg { hd: head(rtype::STATUS, NAMED), ..StatusMsg::default() };
    let trade = TradeMsg { hd: head(rtype::MBP_0, NAMED), price: 1, ..TradeMsg::default() };
    encoder.encode_record(&status).unwrap();
    encoder.encode_record(&add(1)).unwrap();
    encoder.encode_record(&trade).unwrap();
    encoder.encode_record(&add(2)).unwrap();
    let (all, counters) = events(&bytes, DbnOptions::default());
    let kinds: Vec<_> = all
        .iter()
        .filter(|event| !event.flags.has(Flags::SNAPSHOT))
        .filter(|event| ![Kind::Integrity, Kind::Directory, Kind::State].contains(&event.kind))
        .map(|event| (event.seq, event.kind))
        .collect();
    assert_eq!(kinds, [(1, Kind::Notice), (2, Kind::Add), (3, Kind::Notice), (4, Kind::Add)]);
    assert_eq!(counters.unwrap().other, 2);
}

/// Goal: what is no DBN that we read is refused by its name, without taking the memory that it asks for.
/// Method: bent beginnings.
#[test]
fn beginnings() {
    let good = encode(Some(Schema::Mbo), &[mbo(b'A', b'B', 1, 1, 1, 0)]);
    let whole = DbnOptions::default();
    let fragment = |version| DbnOptions { fragment: Some(version), ..whole };
    let cause = |bytes: &[u8], options| refused(bytes, options).cause;
    let bend = |at: usize, with: &[u8]| {
        let mut bent = good.clone();
        bent[at..at + with.len()].copy_from_slice(with);
        bent
    };
    assert_eq!(cause(&[], whole), DbnCause::Empty);
    assert_eq!(cause(b"DB", whole), DbnCause::NotDbn { magic: 0x4442_0000 });
    assert_eq!(cause(&bend(0, b"ITCH"), whole), DbnCause::NotDbn { magic: 0x4954_4348 });
    assert_eq!(cause(&bend(0, &[0x51, 0x2A, 0x4D, 0x18]), whole), DbnCause::Legacy);
    assert_eq!(cause(&bend(3, &[0]), whole), DbnCause::Version { version: 0 });
    assert_eq!(cause(&bend(3, &[4]), whole), DbnCause::Version { version: 4 });
    for length in [99, (16 << 20) + 1, u32::MAX] {
        let bent = bend(4, &length.to_le_bytes());
        assert_eq!(cause(&bent, whole), DbnCause::MetadataLength { length });
    }
    assert_eq!(cause(&bend(24, &[0xEE, 0xEE]), whole), DbnCause::Metadata, "no schema");
    assert_eq!(cause(&bend(24, &[9, 0]), whole), DbnCause::Schema(Schema::Definition));
    assert_eq!(cause(b"no DBN", fragment(9)), DbnCause::Version { version: 9 });

    let start = good.len() - size_of::<MboMsg>();
    let (told, counters) = events(&good[start..], fragment(2));
    assert_eq!(told.iter().filter(|event| event.kind == Kind::Add).count(), 1);
    assert_eq!(counters.unwrap().bytes, 56);
    let mut status = good[start..].to_vec();
    status[1] = rtype::STATUS;
    let error = refused(&status, fragment(1));
    assert_eq!(error, DbnError { record: 0, offset: 0, cause: DbnCause::Record { rtype: 0x12 } });
    assert!(error.to_string().ends_with("unsupported record status"), "{error}");
}

/// Goal: a cut or bent stream gives what stands before, and an error with its place. Method: cut at every byte; lengths
/// that no record has.
#[test]
fn cuts_and_lengths() {
    let records = [1, 2, 3].map(|order| mbo(b'A', b'B', order, 1, 1, 0));
    let good = encode(Some(Schema::Mbo), &records);
    let start = good.len() - 3 * 56;
    for end in 0..good.len() {
        let (told, outcome) = events(&good[..end], DbnOptions::default());
        let added = told.iter().filter(|event| event.kind == Kind::Add).count();
        let whole = end.saturating_sub(start) / 56;
        assert_eq!(added, whole);
        if end >= start && (end - start) % 56 == 0 {
            assert_eq!(outcome.unwrap().records, whole as u64);
            continue;
        }
        let error = outcome.unwrap_err();
        let cause = match end {
            0 => DbnCause::Empty,
            1 | 2 => {
                DbnCause::NotDbn { magic: u32::from_be_bytes([b'D', [0, b'B'][end - 1], 0, 0]) }
            }
            _ if end < start => DbnCause::InsideMetadata,
            _ => DbnCause::InsideRecord { got: ((end - start) % 56) as u16 },
        };
        assert_eq!(error.cause, cause, "cut at {end}");
        assert_eq!(error.record, whole as u64);
        assert_eq!(error.offset, if end < start { 0 } else { (start + whole * 56) as u64 });
    }
    for words in (0..=u8::MAX).filter(|words| *words != 14) {
        let mut bent = good.clone();
        bent[start + 56] = words;
        bent.extend([0; 1_024]);
        let (_, outcome) = events(&bent, DbnOptions::default());
        // Longer than its type, in whole words: the rest of it is passed over.
        if words > 14 && words % 2 == 0 {
            continue;
        }
        let rtype = if words < 4 { 0 } else { rtype::MBO };
        let cause = DbnCause::RecordLength { rtype, length: u16::from(words) * 4 };
        assert_eq!(outcome, Err(DbnError { record: 1, offset: start as u64 + 56, cause }));
    }
}

/// Goal: a record that is too short for its type is an error, heard of or not. Method: one of each type behind a good one.
#[test]
fn short_records() {
    for kind in [rtype::MBO, rtype::MBP_0, rtype::MBP_1, rtype::MBP_10] {
        let schema = if kind == rtype::MBO { Schema::Mbo } else { Schema::Mbp10 };
        let mut bytes = encode(Some(schema), &[mbo(b'A', b'B', 1, 1, 1, 0)]);
        bytes.extend([6, kind].into_iter().chain([0; 22]));
        let (told, outcome) = events(&bytes, DbnOptions::default());
        let is_error = outcome
            .is_err_and(|error| error.cause == DbnCause::RecordLength { rtype: kind, length: 24 });
        assert_eq!(is_error, matches!(kind, rtype::MBO | rtype::MBP_10), "{kind}");
        assert_eq!(events_at(&bytes, DbnOptions::default(), &mut Ear), (told, outcome), "{kind}");
    }
}

/// A record of market by order, mostly of sense.
fn any_mbo() -> impl Strategy<Value = MboMsg> {
    let actions = prop::sample::select(b"AAAAMMCCTFNR?".to_vec());
    let sides = prop::sample::select(b"BBBAAAN".to_vec());
    let bits = prop::sample::select(vec![0, 0x80, 0x20, 0x20, 0xA0, 0x28, 0x04, 0x24, 0x40, 0x90]);
    let ids = prop::sample::select(vec![NAMED, NAMED, UNNAMED, 5]);
    let prices = prop_oneof![8 => 0..20_i64, 1 => Just(UNDEF_PRICE), 1 => any::<i64>()];
    (actions, sides, 0..30_u64, prices, 0..9_u32, bits, ids, 2..4_u16).prop_map(
        |(action, side, order, px, size, bits, id, publisher)| {
            let mut record = mbo(action, side, order, px, size, bits);
            (record.hd.instrument_id, record.hd.publisher_id) =
                (id, 2 + publisher / 3 * u16::from(size == 0));
            record
        },
    )
}

proptest! {
    /// Goal: the engine sees no hole in the sequence, an instrument is named before it is told of, and every record has its
    /// number, whatever the order of snapshots. Method: any records of three instruments.
    #[test]
    fn any_records(records in prop::collection::vec(any_mbo(), 0..200)) {
        let (told, outcome) = events(&encode(Some(Schema::Mbo), &records), DbnOptions::default());
        prop_assert_eq!(outcome.unwrap().records, records.len() as u64);
        let mut twins = Twins::default();
        let mut last = 0;
        for event in &told {
            twins.take(event);
            let step = event.seq - last.min(event.seq);
            prop_assert!(event.kind == Kind::Integrity || step <= 1, "{:?}", event);
            last = last.max(event.seq);
        }
        prop_assert_eq!(twins.holes, 0);
        prop_assert_eq!(last, records.len() as u64);
    }

    /// Goal: no bytes panic, nor run for ever, and what is heard of as it arrives is told alike. Method: any bytes, any bytes
    /// behind a good beginning, there also as a record of a type that is told of, and a good stream with some bytes bent.
    #[test]
    fn any_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        bends in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        fragment in prop::option::of(0..5_u8),
        record in (4..20_u8, prop::sample::select(vec![rtype::MBO, rtype::MBP_0, rtype::MBP_1, rtype::MBP_10])),
    ) {
        let options = DbnOptions { fragment, ..DbnOptions::default() };
        let events = |bytes: &[u8]| {
            assert_eq!(events(bytes, options), events_at(bytes, options, &mut Ear));
        };
        events(&bytes);
        let mut good = encode(None, &[mbo(b'A', b'B', 1, 1, 1, 0), mbo(b'C', b'B', 1, 1, 1, 0)]);
        let behind: Vec<u8> = good.iter().chain(&bytes).copied().collect();
        events(&behind);
        let (words, kind) = record;
        let record: Vec<u8> = good.iter().copied().chain([words, kind]).chain(bytes).collect();
        events(&record);
        for (at, with) in bends {
            let at = at.index(good.len());
            good[at] = with;
        }
        events(&good);
    }
}
