//! Stage `decode`: DBN bytes to events, against the `dbn` crate's own loop over the same bytes.

use std::hint::black_box;

use benches::{compare, criterion, on_cpu};
use criterion::Criterion;
use dbn::decode::{DbnDecoder, DecodeRecordRef};
use dbn::encode::EncodeRecord;
use dbn::encode::dbn::Encoder;
use dbn::enums::rtype;
use dbn::{
    BidAskPair, FlagSet, HasRType, MboMsg, Mbp10Msg, Metadata, RecordHeader, SType, Schema, flags,
};
use feeds::databento::{DbnOptions, DbnReader};

/// Records of a stream.
const RECORDS: usize = 50_000;
/// The UNIX time at which it begins, nanoseconds.
const START: u64 = 1_704_153_600_000_000_000;
/// A price step: a cent.
const STEP: i64 = 10_000_000;

fn head<T: HasRType<Header = RecordHeader>>(rtype: u8, at: usize) -> RecordHeader {
    RecordHeader::new::<T>(rtype, 1, 1 + at as u32 % 50, START + at as u64)
}

/// An add, a modify and a cancel of each order in turn.
fn order(at: usize) -> MboMsg {
    MboMsg {
        hd: head::<MboMsg>(rtype::MBO, at / 3),
        order_id: at as u64 / 3,
        price: 100 * STEP + (at as i64 * 7 % 50) * STEP,
        size: 1 + at as u32 % 9,
        flags: FlagSet::new(flags::LAST),
        action: [b'A', b'M', b'C'][at % 3].cast_signed(),
        side: [b'B', b'A'][at / 3 % 2].cast_signed(),
        ts_recv: START + at as u64,
        sequence: at as u32,
        ..MboMsg::default()
    }
}

/// Ten levels a side, of which one changes.
fn depth(at: usize) -> Mbp10Msg {
    let levels = std::array::from_fn(|level| BidAskPair {
        bid_px: (100 - level as i64) * STEP,
        ask_px: (101 + level as i64) * STEP,
        bid_sz: 10 + u32::from(at / 50 % 10 == level) * (at as u32 / 500 % 7),
        ask_sz: 10,
        bid_ct: 1,
        ask_ct: 1,
    });
    Mbp10Msg {
        hd: head::<Mbp10Msg>(rtype::MBP_10, at),
        price: 100 * STEP,
        size: 1,
        flags: FlagSet::new(flags::LAST),
        action: b'A'.cast_signed(),
        side: b'B'.cast_signed(),
        ts_recv: START + at as u64,
        levels,
        ..Mbp10Msg::default()
    }
}

fn encode<T: dbn::encode::DbnEncodable>(schema: Schema, record: impl Fn(usize) -> T) -> Vec<u8> {
    let metadata = Metadata::builder()
        .dataset("XNAS.ITCH")
        .schema(Some(schema))
        .start(START)
        .stype_in(Some(SType::RawSymbol))
        .stype_out(SType::InstrumentId)
        .build();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, &metadata).expect("metadata");
    for at in 0..RECORDS {
        encoder.encode_record(&record(at)).expect("a record");
    }
    bytes
}

/// The crate's own loop: each record is found, and its type looked at.
fn walk<T: HasRType<Header = RecordHeader>>(bytes: &[u8]) -> usize {
    let mut decoder = DbnDecoder::new(bytes).expect("DBN");
    let mut count = 0;
    while let Some(record) = decoder.decode_record_ref().expect("a record") {
        count += usize::from(black_box(record.get::<T>()).is_some());
    }
    count
}

fn decode(bytes: &[u8]) -> u64 {
    let mut reader = DbnReader::open(bytes, DbnOptions::default()).expect("DBN");
    let mut take = |event| _ = black_box(event);
    while reader.next(&mut take).expect("a record") {}
    reader.counters().records
}

fn row<T: HasRType<Header = RecordHeader>>(criterion: &mut Criterion, name: &str, bytes: &[u8]) {
    assert_eq!((walk::<T>(bytes), decode(bytes)), (RECORDS, RECORDS as u64));
    compare(
        criterion,
        ["decode_dbn", name],
        ("the dbn crate's loop", || on_cpu(RECORDS, || _ = black_box(walk::<T>(black_box(bytes))))),
        || on_cpu(RECORDS, || _ = black_box(decode(black_box(bytes)))),
    );
}

fn main() {
    let mut criterion = criterion();
    row::<MboMsg>(&mut criterion, "mbo", &encode(Schema::Mbo, order));
    row::<Mbp10Msg>(&mut criterion, "mbp_10", &encode(Schema::Mbp10, depth));
    criterion.final_summary();
}
