//! The fast book against a naive one, and its edges.

mod audit;
mod naive;
mod stream;

use super::*;
use audit::audit;
use model::VenueNumber;
use naive::Naive;
use proptest::prelude::*;
use stream::{Action, Stream};

const BOOKS: usize = 6;

/// Little memory for references, so that pages turn and the hash table is used all the time.
fn capacity() -> BookCapacity {
    BookCapacity { ref_pages: 4, ..BookCapacity::new(BOOKS as u32, 100_000) }
}

fn add(reference: u64, side: Side, px: i64, qty: i64) -> Event {
    let mut event = Event::empty(Kind::Add);
    (event.order, event.side) = (OrderRef(reference), Some(side));
    (event.px, event.qty) = (Px(px), Qty(qty));
    event
}

fn change(kind: Kind, reference: u64, qty: i64) -> Event {
    Event { order: OrderRef(reference), qty: Qty(qty), ..Event::empty(kind) }
}

fn replace(reference: u64, by: u64, px: i64, qty: i64) -> Event {
    Event { px: Px(px), aux: by, ..change(Kind::Replace, reference, qty) }
}

/// Both books take the same action; what it did, the touched levels with their queues and the best
/// prices agree.
fn step(books: &mut Books, naive: &mut Naive, action: &Action) {
    match action {
        Action::Apply(book, event) => {
            assert_eq!(books.next_arrival(), naive.next_arrival());
            let applied = books.apply(*book, event);
            assert_eq!(applied, naive.apply(*book, event), "{event:?}");
            for touch in [applied.removed, applied.added].into_iter().flatten() {
                same_level(books, naive, *book, touch.side, touch.px);
            }
            assert_eq!(books.integrity(*book), naive.integrity(*book));
            for side in [Side::Buy, Side::Sell] {
                assert_eq!(books.best(*book, side), naive.best(*book, side));
            }
        }
        Action::Trust(book) => {
            books.set_integrity(*book, Integrity::Live, Cause::None);
            naive.set_integrity(*book, Integrity::Live, Cause::None);
        }
        Action::Clear(book) => {
            books.clear(*book);
            naive.clear(*book);
        }
        Action::ClearAll => {
            books.clear_all();
            naive.clear_all();
        }
    }
    assert_eq!(books.live_orders(), naive.live_orders());
}

fn same_level(books: &Books, naive: &Naive, book: usize, side: Side, px: Px) {
    assert_eq!(books.level(book, side, px), naive.level(book, side, px));
    assert!(books.queue(book, side, px).eq(naive.queue(book, side, px)));
}

fn same_books(books: &Books, naive: &Naive) {
    for book in 0..BOOKS {
        for side in [Side::Buy, Side::Sell] {
            let levels: Vec<_> = books.levels(book, side).collect();
            assert!(levels.iter().copied().eq(naive.levels(book, side)));
            assert_eq!(books.level_count(book, side) as usize, levels.len());
            for level in levels {
                same_level(books, naive, book, side, level.px);
            }
            for qty in [0, 1, 10_000, i64::MAX].map(Qty) {
                assert_eq!(books.sweep_cost(book, side, qty), naive.sweep_cost(book, side, qty));
            }
            let swept = books.sweep(book, side).map(|(px, resting)| (px, resting.order));
            for (px, reference) in swept {
                let (home, at_side, at_px, resting) = books.order(reference).unwrap();
                assert_eq!((home, at_side, at_px, resting.order), (book, side, px, reference));
            }
        }
    }
    audit(books);
}

/// Goal: the fast book is the naive one, whatever comes. Method: a million random messages, a tenth
/// of them garbage (ten million with TICKGATE_LONG=1); the touched levels with their queues and the
/// best prices after each, the whole book and every internal link each ten thousand.
#[test]
fn equals_naive() {
    let messages = if std::env::var_os("TICKGATE_LONG").is_some() { 10_000_000 } else { 1_000_000 };
    let (mut books, mut naive) = (Books::new(capacity()), Naive::new(BOOKS));
    let mut stream = Stream::new(1);
    let (mut faults, mut most_live) = (0, 0);
    for message in 1..=messages {
        let action = stream.next(&naive);
        step(&mut books, &mut naive, &action);
        faults += u32::from(naive.last_was_fault());
        most_live = most_live.max(books.live_orders());
        if message % 10_000 == 0 {
            same_books(&books, &naive);
        }
    }
    assert!(faults > messages / 50, "the garbage was garbage: {faults}");
    assert!(most_live > 5_000, "the books were full: {most_live}");
}

proptest! {
    /// Goal: as above, for streams that shrink to the shortest one that fails. Method: few
    /// references, prices and quantities, so that every collision happens.
    #[test]
    fn short_streams_equal_naive(events in proptest::collection::vec(any_event(), 1..120)) {
        let (mut books, mut naive) = (Books::new(capacity()), Naive::new(BOOKS));
        for event in events {
            step(&mut books, &mut naive, &Action::Apply(event.number.0 as usize, event));
        }
        same_books(&books, &naive);
    }
}

const KINDS: &[Kind] = &[
    Kind::Add,
    Kind::Add,
    Kind::Add,
    Kind::Replace,
    Kind::Modify,
    Kind::Modify,
    Kind::Execute,
    Kind::Reduce,
    Kind::Delete,
];

fn any_event() -> impl Strategy<Value = Event> {
    let references = prop_oneof![1..12_u64, Just(u64::MAX), Just(1 << 14), Just(1 << 14 | 3)];
    // Whole cents and parts of one; both edges of leaves of cents; the stubs of a quote.
    let edges = [1, 6_400, 12_700, 12_799, 12_800, 12_801, 19_100, 19_200, 1_999_999_900];
    let prices = prop_oneof![
        4 => 9_990..10_010_i64,
        2 => proptest::sample::select(edges.to_vec()),
        1 => proptest::sample::select(vec![10_100, 0, -1, i64::MAX]),
    ];
    let side = prop_oneof![Just(Some(Side::Buy)), Just(Some(Side::Sell)), Just(None)];
    let place = (0..2_u32, references.clone(), references);
    (proptest::sample::select(KINDS), place, prices, -1..5_i64, side).prop_map(
        |(kind, (book, reference, aux), px, qty, side)| Event {
            number: VenueNumber(book),
            side,
            ..Event { px: Px(px), aux, ..change(kind, reference, qty) }
        },
    )
}

/// Goal: queue semantics are those of the venue. Method: an order that is reduced keeps its place,
/// one that is replaced goes to the tail with the side of the original, one that is executed away
/// leaves.
#[test]
fn queue_semantics() {
    let mut books = Books::new(capacity());
    for reference in 1..=3 {
        books.apply(0, &add(reference, Side::Sell, 20_000, 10));
    }
    let queue = |books: &Books| {
        let queue = books.queue(0, Side::Sell, Px(20_000));
        queue.map(|resting| (resting.order.0, resting.qty.0)).collect::<Vec<_>>()
    };
    let applied = books.apply(0, &change(Kind::Execute, 1, 4)).removed.unwrap();
    assert_eq!((applied.qty, applied.open, applied.level_qty), (Qty(4), Qty(6), Qty(26)));
    assert_eq!(queue(&books), [(1, 6), (2, 10), (3, 10)]);
    let applied = books.apply(0, &replace(1, 9, 20_000, 7));
    assert_eq!(applied.removed.unwrap().level_orders, 2);
    assert_eq!(applied.added.unwrap().arrival, Arrival(4));
    assert_eq!(queue(&books), [(2, 10), (3, 10), (9, 7)]);
    let applied = books.apply(0, &change(Kind::Execute, 2, 10)).removed.unwrap();
    assert_eq!((applied.open, applied.arrival), (Qty(0), Arrival(2)));
    assert_eq!(queue(&books), [(3, 10), (9, 7)]);
    let modify = |px, qty| Event { px: Px(px), ..change(Kind::Modify, 3, qty) };
    let applied = books.apply(0, &modify(20_000, 8)).removed.unwrap();
    assert_eq!((applied.qty, applied.open, applied.arrival), (Qty(2), Qty(8), Arrival(3)));
    let applied = books.apply(0, &modify(20_000, 8));
    assert_eq!(applied, Applied { removed: None, added: None, fault: None });
    assert_eq!(queue(&books), [(3, 8), (9, 7)], "less keeps its place");
    let applied = books.apply(0, &modify(20_000, 9));
    assert_eq!((applied.removed.unwrap().qty, applied.added.unwrap().qty), (Qty(8), Qty(9)));
    assert_eq!(queue(&books), [(9, 7), (3, 9)], "more goes to the tail");
    assert!(books.apply(0, &modify(20_100, 1)).fault.is_none());
    assert_eq!(queue(&books), [(9, 7)], "and so does another price");
    assert_eq!(books.order(OrderRef(3)).unwrap().2, Px(20_100));
    assert_eq!(books.order(OrderRef(2)), None);
}

/// Goal: what makes no sense changes nothing but the integrity, and the first cause stays. Method:
/// each kind of it.
#[test]
fn nonsense_is_refused() {
    let cases = [
        (add(1, Side::Buy, 10_000, 5), Cause::BadEvent),
        (add(2, Side::Buy, 0, 5), Cause::BadEvent),
        (add(2, Side::Buy, 10_000, 0), Cause::BadEvent),
        (add(2, Side::Buy, 10_000, i64::MAX), Cause::BadEvent),
        (Event { side: None, ..add(2, Side::Buy, 10_000, 5) }, Cause::BadEvent),
        (change(Kind::Execute, 1, 6), Cause::BadEvent),
        (change(Kind::Reduce, 1, 0), Cause::BadEvent),
        (change(Kind::ExecuteAt, 1, -1), Cause::BadEvent),
        (change(Kind::Delete, 2, 0), Cause::UnknownOrder),
        (replace(2, 3, 10_000, 5), Cause::UnknownOrder),
        (Event { px: Px(10_000), ..change(Kind::Modify, 2, 5) }, Cause::UnknownOrder),
    ];
    for (event, cause) in cases {
        let mut books = Books::new(capacity());
        books.set_integrity(0, Integrity::Live, Cause::None);
        books.apply(0, &add(1, Side::Buy, 10_000, 5));
        let applied = books.apply(0, &event);
        assert_eq!(
            applied,
            Applied { removed: None, added: None, fault: Some(cause) },
            "{event:?}"
        );
        assert_eq!(books.integrity(0), (Integrity::Incomplete, cause));
        books.apply(0, &change(Kind::Delete, 77, 0));
        assert_eq!(books.integrity(0), (Integrity::Incomplete, cause), "the first cause stays");
        let best = books.best(0, Side::Buy).unwrap();
        assert_eq!((best.px, best.qty, best.orders), (Px(10_000), Qty(5), 1));
        audit(&books);
    }
}

/// Goal: an order is changed through its own book alone, and a book beyond the last is nobody's.
/// Method: the wrong ones.
#[test]
fn books_are_apart() {
    let mut books = Books::new(capacity());
    books.apply(0, &add(1, Side::Buy, 10_000, 5));
    assert_eq!(books.apply(1, &change(Kind::Delete, 1, 0)).fault, Some(Cause::BadEvent));
    let same = Event { px: Px(10_000), ..change(Kind::Modify, 1, 5) };
    assert_eq!(books.apply(1, &same).fault, Some(Cause::BadEvent));
    assert_eq!(books.apply(BOOKS, &add(2, Side::Buy, 10_000, 5)).fault, Some(Cause::Capacity));
    assert_eq!(books.integrity(BOOKS), (Integrity::Incomplete, Cause::Capacity));
    assert_eq!(books.best(BOOKS, Side::Buy), None);
    assert_eq!(books.live_orders(), 1);
}

/// Goal: when a table is full the book says so, keeps what it has, and works again once there is
/// room. Method: fill the orders, the levels and the nodes in turn; then the same after clearing.
#[test]
fn capacity_is_refused() {
    let room = BookCapacity { instruments: 1, orders: 64, levels: 64, nodes: 64, ref_pages: 1 };
    for small in [
        BookCapacity { orders: 8, ..room },
        BookCapacity { levels: 8, ..room },
        BookCapacity { nodes: 30, ..room },
    ] {
        let mut books = Books::new(small);
        for _ in 0..2 {
            books.set_integrity(0, Integrity::Live, Cause::None);
            let joined = (1..=64_i64).filter(|n| {
                let event = add(*n as u64, Side::Sell, n * 1_000_000, 1);
                books.apply(0, &event).added.is_some()
            });
            let joined = joined.count();
            assert!((2..=8).contains(&joined), "{joined} of {small:?}");
            assert_eq!(books.integrity(0), (Integrity::Incomplete, Cause::Capacity));
            assert_eq!(books.live_orders(), joined);
            audit(&books);
            assert!(books.apply(0, &change(Kind::Delete, 1, 0)).fault.is_none());
            assert!(books.apply(0, &add(99, Side::Sell, 1_000_000, 1)).fault.is_none());
            assert_eq!(books.best(0, Side::Sell).map(|best| best.px), Some(Px(1_000_000)));
            books.clear(0);
            assert_eq!(books.integrity(0), (Integrity::Incomplete, Cause::NotStarted));
            audit(&books);
        }
    }
}

/// Goal: a stamp is never used twice. Method: stand at the last one.
#[test]
fn arrivals_end() {
    let mut books = Books::new(capacity());
    books.next_arrival = u32::MAX - 1;
    assert!(books.apply(0, &add(1, Side::Buy, 10_000, 1)).fault.is_none());
    assert_eq!(books.apply(0, &add(2, Side::Buy, 10_000, 1)).fault, Some(Cause::Capacity));
    books.clear_all();
    assert_eq!(books.next_arrival(), Arrival(1));
}

/// Goal: looking ahead changes nothing and may look past the end. Method: look from every place of
/// a short batch, not knowing whose books come, knowing it, and at books that there are none of.
#[test]
fn look_ahead_is_harmless() {
    let batch: Vec<Event> = (1..20).map(|n| add(n, Side::Buy, 10_000, 1)).collect();
    let mut books = Books::new(capacity());
    for (at, event) in batch.iter().enumerate() {
        for book in [None, Some(0), Some(usize::MAX)] {
            books.look_ahead(&batch, at, book.map(|book| move |_: &Event| book));
        }
        assert!(books.apply(0, event).fault.is_none());
    }
    assert_eq!(books.best(0, Side::Buy).map(|best| best.orders), Some(19));
    audit(&books);
}
