//! What is told of a book of orders, and when it may be believed.

use dbn::{MboMsg, Schema, UNDEF_PRICE, flags};
use feeds::databento::{DbnOptions, DbnReader};
use model::{Event, Flags, Kind};

use super::streams::{NAMED, UNNAMED, encode, mbo};

const SNAPSHOT: u8 = flags::SNAPSHOT;

fn add(order: u64, bits: u8) -> MboMsg {
    mbo(b'A', b'B', order, order as i64, 1, bits)
}

fn of(id: u32, mut record: MboMsg) -> MboMsg {
    record.hd.instrument_id = id;
    record
}

fn clear(bits: u8) -> MboMsg {
    mbo(b'R', b'N', 0, UNDEF_PRICE, 0, bits)
}

/// An event in few words: number, kind or what is believed, sequence, and `s` if it is of a snapshot.
fn word(event: &Event) -> String {
    let kind = match event.believed() {
        Some((integrity, cause)) if event.kind == Kind::Integrity => format!("{integrity}/{cause}"),
        _ => event.kind.name().to_string(),
    };
    let mark = if event.flags.has(Flags::SNAPSHOT) { "s" } else { "" };
    format!("{} {kind} {}{mark}", event.number.0, event.seq)
}

fn told(streams: &[&[MboMsg]]) -> Vec<String> {
    let streams: Vec<_> =
        streams.iter().map(|records| encode(Some(Schema::Mbo), records)).collect();
    let mut words = Vec::new();
    let mut reader = DbnReader::open(streams[0].as_slice(), DbnOptions::default()).unwrap();
    for (number, stream) in streams.iter().enumerate() {
        if number > 0 {
            reader.restart(stream.as_slice()).unwrap();
        }
        while reader.next(&mut |event| words.push(word(&event))).unwrap() {}
    }
    words
}

const NAMING: [&str; 5] = [
    "0 incomplete/not_started 0",
    "0 clear 1s",
    "1 directory 1s",
    "1 state 1s",
    "1 incomplete/not_started 0",
];

/// Goal: a run of snapshot records empties the book first, and ends by its last record or by the first of another kind; in
/// one stream it is one run. Method: the events in order.
#[test]
fn a_run_empties_the_book() {
    let first = [add(1, SNAPSHOT), add(2, SNAPSHOT | flags::LAST)];
    let second = [add(1, SNAPSHOT), add(2, SNAPSHOT), add(3, 0)];
    let begins = ["1 recovering/snapshot 0", "1 clear 1s", "1 add 1s", "1 add 2s", "1 live/none 2"];
    let again = [
        "0 incomplete/session_end 2",
        "0 clear 3s",
        "1 recovering/snapshot 2",
        "1 clear 3s",
        "1 add 3s",
        "1 add 4s",
        "1 live/none 4",
        "1 add 5",
    ];
    assert_eq!(told(&[&first, &second]), [&NAMING[..], &begins, &again].concat());

    let on = ["1 recovering/snapshot 2", "1 add 3s", "1 live/none 3", "1 add 4"];
    let records = [add(1, SNAPSHOT), add(2, SNAPSHOT | flags::LAST), add(3, SNAPSHOT), add(4, 0)];
    assert_eq!(told(&[&records]), [&NAMING[..], &begins, &on].concat());
}

/// Goal: a snapshot that the venue begins with a clear has one, and a clear apart from a snapshot makes a book whole.
/// Method: the events in order.
#[test]
fn clears() {
    let records = [clear(SNAPSHOT), add(1, SNAPSHOT | flags::LAST)];
    let known = ["1 recovering/snapshot 0", "1 clear 1s", "1 add 2s", "1 live/none 2"];
    assert_eq!(told(&[&records]), [&NAMING[..], &known].concat());

    let known = [
        "0 incomplete/not_started 0",
        "0 clear 1s",
        "1 directory 1",
        "1 state 1",
        "1 incomplete/not_started 0",
    ];
    let live = ["1 clear 1", "1 live/none 1", "1 add 2", "1 clear 3"];
    assert_eq!(told(&[&[clear(0), add(1, 0), clear(0)]]), [&known[..], &live].concat());
    assert_eq!(told(&[&[add(1, 0)]]), [&known[..], &["1 add 1"]].concat(), "never whole");
}

/// Goal: while one instrument's snapshot is under way, another's messages leave no hole behind. Method: two in turn.
#[test]
fn snapshots_in_turn() {
    let records = [
        add(1, SNAPSHOT),
        of(UNNAMED, add(2, SNAPSHOT)),
        of(UNNAMED, add(3, 0)),
        add(4, SNAPSHOT),
        of(UNNAMED, add(5, 0)),
        add(6, 0),
    ];
    let known = [
        "1 recovering/snapshot 0",
        "1 clear 1s",
        "1 add 1s",
        "2 directory 2s",
        "2 state 2s",
        "2 incomplete/not_started 1",
        "2 recovering/snapshot 1",
        "2 clear 2s",
        "2 add 2s",
        "2 live/none 2",
        "2 add 3",
        "1 add 4s",
        "1 recovering/snapshot 4",
        "2 add 5",
        "1 live/none 5",
        "1 add 6",
    ];
    assert_eq!(told(&[&records]), [&NAMING[..], &known].concat());
}

/// Goal: a doubtful record withdraws belief before it is told, once, and only a new snapshot gives it back; a snapshot with
/// a doubtful record does not; nor one that a stream ends within. Method: the events in order.
#[test]
fn doubts() {
    let bad = flags::MAYBE_BAD_BOOK;
    let whole = ["1 recovering/snapshot 0", "1 clear 1s", "1 add 1s", "1 live/none 1"];
    let records = [add(1, SNAPSHOT), add(2, bad), add(3, bad), add(4, SNAPSHOT), add(5, 0)];
    let known = [
        "1 incomplete/gap 1",
        "1 add 2",
        "1 add 3",
        "1 recovering/snapshot 3",
        "1 clear 4s",
        "1 add 4s",
        "1 live/none 4",
        "1 add 5",
    ];
    assert_eq!(told(&[&records]), [&NAMING[..], &whole, &known].concat());

    let records = [add(1, SNAPSHOT), add(2, SNAPSHOT | bad), add(3, 0)];
    let known = [&whole[..3], &["1 incomplete/gap 1", "1 add 2s", "1 incomplete/gap 2", "1 add 3"]];
    assert_eq!(told(&[&records]), [&NAMING[..], &known.concat()].concat());

    let anew = ["0 incomplete/session_end 1", "0 clear 2s", "1 add 2"];
    let known = [&whole[..3], &anew];
    assert_eq!(told(&[&[add(1, SNAPSHOT)], &[add(2, 0)]]), [&NAMING[..], &known.concat()].concat());

    let records = [add(1, SNAPSHOT), mbo(b'A', b'N', 2, 1, 1, 0), mbo(b'?', b'N', 2, 1, 1, 0)];
    let known = ["1 incomplete/bad_event 1", "1 notice 2", "1 notice 3"];
    assert_eq!(told(&[&records]), [&NAMING[..], &whole, &known].concat());
}

/// Goal: what is no order of its own, a side's best price or a price's total, is not taken for one: the book is doubted. Method:
/// each flag with each action that changes a book, of a price and of none; and with a trade, which changes nothing.
#[test]
fn levels_among_orders() {
    let last = |action: u8, px: i64, bits: u8| {
        let words = told(&[&[clear(0), add(1, 0), mbo(action, b'B', 1, px, 1, bits)]]);
        words[words.len() - 2..].to_vec()
    };
    for bits in [flags::TOB, flags::MBP] {
        for (action, px) in [(b'A', 5), (b'A', UNDEF_PRICE), (b'C', 5), (b'M', 5)] {
            let known = ["1 incomplete/bad_event 2", "1 notice 3"];
            assert_eq!(last(action, px, bits), known, "{bits} {action}");
        }
        assert_eq!(last(b'T', 5, bits), ["1 add 2", "1 trade 3"], "{bits}");
    }
}

/// Goal: an id that another day gives to another symbol has another number, and the book of the old one is not believed.
/// Method: a second stream beyond the days of the metadata's mapping.
#[test]
fn another_symbol() {
    let mut late = add(2, 0);
    late.ts_recv += 86_400_000_000_000;
    let records = [add(1, SNAPSHOT | flags::LAST)];
    let begins = ["1 recovering/snapshot 0", "1 clear 1s", "1 add 1s", "1 live/none 1"];
    let known = [
        "0 incomplete/session_end 1",
        "0 clear 2s",
        "1 incomplete/session_end 1",
        "2 directory 2",
        "2 state 2",
        "2 incomplete/not_started 1",
        "2 add 2",
    ];
    assert_eq!(told(&[&records, &[of(NAMED, late)]]), [&NAMING[..], &begins, &known].concat());
}

/// Goal: a stream that begins in the middle of a day leaves no book live that it does not build: neither one that it tells
/// of, nor one that it is silent of. Method: two instruments, of which the second stream has one, without a clear; then one.
#[test]
fn a_stream_without_a_beginning() {
    let first = [clear(0), add(1, 0), of(UNNAMED, clear(0)), of(UNNAMED, add(2, 0))];
    let second = [add(3, 0), add(4, 0), clear(0)];
    let known = [
        "0 incomplete/session_end 4",
        "0 clear 5s",
        "1 add 5",
        "1 add 6",
        "1 clear 7",
        "1 live/none 7",
    ];
    let words = told(&[&first, &second]);
    assert_eq!(words[words.len() - known.len()..], known);
    assert_eq!(words[words.len() - known.len() - 1], "2 add 4");
}
