//! MBP records against naive books: after each, the book is what the record shows.

use dbn::enums::rtype;
use dbn::{BidAskPair, FlagSet, Mbp1Msg, Mbp10Msg, Schema, UNDEF_PRICE, flags};
use feeds::databento::{DbnOptions, DbnReader};
use model::{Event, Flags, Kind, VenueNumber};
use proptest::prelude::*;

use super::streams::{DAY, NAMED, UNNAMED, encode, events, head};
use super::twin::Twins;

/// Best levels of both sides: prices and sizes, the best first.
type Shown = [Vec<(i64, u32)>; 2];

fn shown(most: usize) -> impl Strategy<Value = Shown> {
    let side = |range: std::ops::Range<i64>| {
        prop::collection::btree_map(range, 1..4_u32, 0..=most)
            .prop_map(|levels| levels.into_iter().collect::<Vec<_>>())
    };
    (side(0..16), side(16..32)).prop_map(|(mut bids, asks)| {
        bids.reverse();
        [bids, asks]
    })
}

fn pairs<const N: usize>([bids, asks]: &Shown) -> [BidAskPair; N] {
    std::array::from_fn(|at| {
        let (bid_px, bid_sz) = bids.get(at).copied().unwrap_or((UNDEF_PRICE, 0));
        let (ask_px, ask_sz) = asks.get(at).copied().unwrap_or((UNDEF_PRICE, 0));
        BidAskPair { bid_px, ask_px, bid_sz, ask_sz, bid_ct: 1, ask_ct: 1 }
    })
}

fn mbp10(id: u32, action: u8, bits: u8, levels: [BidAskPair; 10]) -> Mbp10Msg {
    Mbp10Msg {
        hd: head(rtype::MBP_10, id),
        price: 7,
        size: 1,
        action: action.cast_signed(),
        side: b'A'.cast_signed(),
        flags: FlagSet::new(bits),
        ts_recv: DAY + 2,
        levels,
        ..Mbp10Msg::default()
    }
}

fn mbp1(action: u8, bits: u8, levels: [BidAskPair; 1]) -> Mbp1Msg {
    Mbp1Msg {
        hd: head(rtype::MBP_1, NAMED),
        price: 7,
        size: 1,
        action: action.cast_signed(),
        side: b'A'.cast_signed(),
        flags: FlagSet::new(bits),
        ts_recv: DAY + 2,
        levels,
        ..Mbp1Msg::default()
    }
}

fn naive(shown: &Shown) -> Vec<Vec<(i64, i64)>> {
    let sorted = |levels: &[(i64, u32)]| {
        let mut levels: Vec<_> = levels.iter().map(|(px, qty)| (*px, i64::from(*qty))).collect();
        levels.sort_unstable();
        levels
    };
    shown.iter().map(|levels| sorted(levels)).collect()
}

proptest! {
    /// Goal: after each record the naive book of its instrument holds the levels that the record shows, it never crosses on
    /// the way, only what changed is told, and the last that is told of a record says whether the venue's event is complete
    /// by it. Method: any levels of two instruments in turn, some with the flag of the last record.
    #[test]
    fn book_equals_the_record(
        steps in prop::collection::vec(
            (any::<bool>(), shown(10), any::<bool>(), any::<bool>()),
            1..60,
        ),
    ) {
        let id = |first: bool| if first { NAMED } else { UNNAMED };
        let records: Vec<_> = steps
            .iter()
            .map(|(first, shown, trades, completes)| {
                let action = if *trades { b'T' } else { b'A' };
                let bits = if *completes { flags::LAST } else { 0 };
                mbp10(id(*first), action, bits, pairs(shown))
            })
            .collect();
        let bytes = encode(Some(Schema::Mbp10), &records);
        let mut reader = DbnReader::open(bytes.as_slice(), DbnOptions::default()).unwrap();
        let mut twins = Twins::default();
        let mut numbers: Vec<u32> = Vec::new();
        for (first, shown, trades, completes) in &steps {
            let mut told: Vec<Event> = Vec::new();
            prop_assert!(reader.next(&mut |event| told.push(event)).unwrap());
            for event in &told {
                twins.take(event);
                let [bid, ask] = twins.books.get(&event.number).map_or([None; 2], |book| book.best());
                prop_assert!(bid.is_none_or(|bid| ask.is_none_or(|ask| bid.0 < ask.0)));
            }
            if !numbers.contains(&id(*first)) {
                numbers.push(id(*first));
            }
            let number = numbers.iter().position(|known| *known == id(*first)).unwrap() + 1;
            let book = &twins.books[&VenueNumber(number as u32)];
            let held: Vec<Vec<_>> =
                book.levels.iter().map(|side| side.iter().map(|(px, qty)| (*px, *qty)).collect()).collect();
            prop_assert_eq!(held, naive(shown));
            prop_assert_eq!((book.faults, twins.holes), (0, 0));
            prop_assert_eq!(told.iter().filter(|event| event.kind == Kind::Trade).count(), usize::from(*trades));
            let levels: Vec<_> = told.iter().filter(|event| event.kind == Kind::Level).collect();
            let complete = |event: &&Event| event.flags.has(Flags::EVENT_COMPLETE);
            let marked = if *completes { levels.len().min(1) } else { 0 };
            prop_assert_eq!(levels.iter().filter(|level| complete(level)).count(), marked);
            prop_assert!(levels.last().is_none_or(|level| complete(level) == *completes));
            let of_book = |event: &&Event| [Kind::Level, Kind::Trade, Kind::Notice].contains(&event.kind);
            let last = told.iter().rfind(of_book);
            prop_assert!(last.is_some_and(|event| complete(&event) == *completes));
        }
        prop_assert!(!reader.next(&mut |_| ()).unwrap());
    }
}

fn one(bid: (i64, u32), ask: (i64, u32)) -> [BidAskPair; 1] {
    pairs(&[vec![bid], vec![ask]])
}

/// Goal: a book is believed from its first whole record on, but not by trades alone, as TBBO has them; no more after a
/// doubtful record or one that makes no sense, until the venue starts it anew. Method: each in turn.
#[test]
fn belief() {
    let live = |records: &[Mbp1Msg]| {
        let (told, outcome) = events(&encode(Some(Schema::Mbp1), records), DbnOptions::default());
        let mut twins = Twins::default();
        told.iter().for_each(|event| twins.take(event));
        (twins.only().is_live(), outcome.unwrap().bad)
    };
    let good = mbp1(b'A', 0, one((1, 1), (2, 1)));
    let traded = mbp1(b'T', 0, one((1, 1), (2, 1)));
    let doubtful = mbp1(b'A', flags::MAYBE_BAD_BOOK, one((1, 2), (2, 1)));
    let snapshot = mbp1(b'A', flags::SNAPSHOT, one((1, 2), (2, 1)));
    let cleared = mbp1(b'R', 0, Default::default());
    assert_eq!(live(std::slice::from_ref(&good)), (true, 0));
    assert_eq!(live(&[traded.clone(), traded.clone()]), (false, 0));
    assert_eq!(live(&[traded, good.clone()]), (true, 0));
    assert_eq!(live(&[good.clone(), doubtful.clone()]), (false, 0));
    assert_eq!(live(&[good.clone(), doubtful.clone(), good.clone()]), (false, 0));
    assert_eq!(live(&[good.clone(), doubtful.clone(), snapshot]), (true, 0));
    assert_eq!(live(&[good.clone(), doubtful, cleared.clone(), good.clone()]), (true, 0));

    let twice = pairs(&[vec![(2, 1), (2, 3)], vec![]]);
    let rising = pairs(&[vec![(2, 1), (3, 3)], vec![]]);
    for levels in [twice, rising] {
        let records = [mbp10(NAMED, b'A', 0, levels)];
        let (told, outcome) = events(&encode(Some(Schema::Mbp10), &records), DbnOptions::default());
        assert_eq!(outcome.unwrap().bad, 1);
        assert!(told.iter().all(|event| event.kind != Kind::Level));
    }
}

/// Goal: levels that make no sense withdraw belief until a snapshot or a clear of sense, in every stream and as its first record
/// too, whatever else the record says of itself. Method: each in turn, at the start and behind a live book of a stream before.
#[test]
fn nonsense() {
    let level =
        |action, bits, bid| mbp10(NAMED, action, bits, pairs(&[vec![(bid, 1)], vec![(9, 1)]]));
    let good = level(b'A', 0, 1);
    let bad =
        |action: u8, bits: u8| mbp10(NAMED, action, bits, pairs(&[vec![(2, 1), (3, 3)], vec![]]));
    let live = |records: &[Mbp10Msg]| {
        let streams = [std::slice::from_ref(&good), records]
            .map(|records| encode(Some(Schema::Mbp10), records));
        let mut reader = DbnReader::open(streams[0].as_slice(), DbnOptions::default()).unwrap();
        let mut twins = Twins::default();
        while reader.next(&mut |event| twins.take(&event)).unwrap() {}
        assert!(twins.only().is_live());
        reader.restart(streams[1].as_slice()).unwrap();
        while reader.next(&mut |event| twins.take(&event)).unwrap() {}
        twins.only().is_live()
    };
    let doubtful = level(b'A', flags::MAYBE_BAD_BOOK, 2);
    let (snapshot, cleared) =
        (level(b'A', flags::SNAPSHOT, 4), mbp10(NAMED, b'R', 0, pairs(&[vec![], vec![]])));
    assert!(live(std::slice::from_ref(&good)));
    for nonsense in [bad(b'A', 0), bad(b'R', 0), bad(b'A', flags::SNAPSHOT), doubtful] {
        let then = |next: &Mbp10Msg| live(&[nonsense.clone(), next.clone()]);
        assert!(!live(std::slice::from_ref(&nonsense)), "{nonsense:?}");
        assert_eq!([&good, &snapshot, &cleared].map(then), [false, true, true], "{nonsense:?}");
        assert!(!live(&[good.clone(), nonsense.clone()]), "{nonsense:?}");
        assert!(live(&[good.clone(), nonsense.clone(), snapshot.clone()]), "{nonsense:?}");
    }
}
