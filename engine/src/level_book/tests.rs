//! The fast books against naive ones, and their edges.

mod naive;
mod stream;

use super::*;
use far::{LEAF, LEAVES};
use naive::Naive;
use proptest::prelude::*;
use side::PATIENCE;
use std::cell::RefCell;
use stream::{Action, Stream};
use window::STEPS;

const BOOKS: usize = 6;
const SIDES: [Side; 2] = [Side::Buy, Side::Sell];

/// Windows for all sides but one, which has to do without.
fn capacity() -> LevelCapacity {
    LevelCapacity { windows: 2 * BOOKS as u32 - 1, ..LevelCapacity::new(BOOKS as u32, 16) }
}

fn set(side: Side, px: i64, qty: i64) -> Event {
    Event { side: Some(side), px: Px(px), qty: Qty(qty), ..Event::empty(Kind::Level) }
}

/// Panics unless every level is where it is looked for, and the memory handed out is that in use.
fn audit(books: &LevelBooks) {
    let mut used = [0; 3];
    for side in books.books.iter().flat_map(|book| &book.sides) {
        let parts = side.audit(&books.memory);
        used = [0, 1, 2].map(|part| used[part] + parts[part]);
    }
    let (leaves, directories) = books.memory.shelves.used();
    assert_eq!(used, [books.memory.windows.used(), leaves, directories]);
}

/// Both take the same action; what it did, the touched level and the best prices agree.
fn step(books: &mut LevelBooks, naive: &mut Naive, action: &Action) {
    match *action {
        Action::Apply(book, event) => {
            assert_eq!(books.apply(book, &event), naive.apply(book, &event), "{event:?}");
            for side in SIDES {
                assert_eq!(books.level(book, side, event.px), naive.level(book, side, event.px));
                assert_eq!(books.best(book, side), naive.best(book, side));
                assert_eq!(books.level_count(book, side), naive.level_count(book, side));
            }
            assert_eq!(books.integrity(book), naive.integrity(book));
        }
        Action::Trust(book) => {
            books.set_integrity(book, Integrity::Live, Cause::None);
            naive.set_integrity(book, Integrity::Live, Cause::None);
        }
        Action::Clear(book) => {
            books.clear(book);
            naive.clear(book);
        }
        Action::ClearAll => {
            books.clear_all();
            naive.clear_all();
        }
    }
}

/// Every level and the cost of small and large sweeps agree.
fn same_book(books: &LevelBooks, naive: &Naive, book: usize) {
    for side in SIDES {
        assert!(books.levels(book, side).eq(naive.levels(book, side)), "book {book} {side:?}");
        for qty in [1, 5_000, 1_000_000, i64::MAX] {
            let qty = Qty(qty);
            assert_eq!(books.sweep_cost(book, side, qty), naive.sweep_cost(book, side, qty));
        }
    }
}

/// Goal: the fast books are the naive ones, whatever comes. Method: a million random levels (ten
/// million with TICKGATE_LONG=1) of books that wander, leap, change their step or use all prices;
/// the touched level, counts and best prices after each, the whole walk and every link at times.
#[test]
fn equals_naive() {
    let messages = if std::env::var_os("TICKGATE_LONG").is_some() { 10_000_000 } else { 1_000_000 };
    let (mut books, mut naive) = (LevelBooks::new(capacity()), Naive::new(BOOKS));
    let mut stream = Stream::new(1);
    let (mut most_levels, mut most_near) = (0, 0);
    for message in 1..=messages {
        let action = stream.next(&naive);
        step(&mut books, &mut naive, &action);
        if message % 20_000 == 0 {
            (0..BOOKS).for_each(|book| same_book(&books, &naive, book));
            audit(&books);
            let sides = || books.books.iter().flat_map(|book| &book.sides);
            most_levels = most_levels.max(sides().map(side::Side::count).sum());
            most_near = most_near.max(sides().map(|side| side.layout().0).sum());
        }
    }
    assert!(most_levels > 40_000, "the books were full: {most_levels}");
    assert!(most_near > 5_000, "the windows were full: {most_near}");
}

/// Goal: as above after every single event, walk and cost included. Method: short streams, many of
/// which tell what falls off a depth, which shrink; prices on few places so that every collision
/// happens.
#[test]
fn short_streams_equal_naive() {
    let px = prop_oneof![
        4 => -6..6_i64,
        2 => (0..40_i64).prop_map(|n| 1_000 + n * 100),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(i64::MAX - 1), any::<i64>()],
    ];
    let level = (any::<bool>(), px, prop_oneof![Just(0), 1..4_i64, Just(-1), Just(i64::MAX)]);
    let streams = (proptest::option::of(0..9_u32), proptest::collection::vec(level, 1..500));
    let books = RefCell::new(LevelBooks::new(LevelCapacity::new(1, 1)));
    let config = ProptestConfig::with_cases(64);
    proptest!(config, |((depth_max, levels) in streams)| {
        let (books, mut naive) = (&mut *books.borrow_mut(), Naive::new(1));
        books.clear_all();
        for (is_bid, px, qty) in levels {
            let side = if is_bid { Side::Buy } else { Side::Sell };
            step(books, &mut naive, &Action::Apply(0, set(side, px, qty)));
            while let Some(event) = naive.beyond(0, depth_max) {
                step(books, &mut naive, &Action::Apply(0, event));
            }
            same_book(books, &naive, 0);
        }
        audit(books);
    });
}

/// Applies levels to a lone book and its twin, and holds them equal at the end.
fn run(events: impl IntoIterator<Item = Event>) -> LevelBooks {
    let (mut books, mut naive) = (LevelBooks::new(LevelCapacity::new(1, 1)), Naive::new(1));
    for event in events {
        step(&mut books, &mut naive, &Action::Apply(0, event));
    }
    same_book(&books, &naive, 0);
    audit(&books);
    books
}

/// Goal: snapshots of 5,000 levels a side are held in any order, near and sparse. Method: best
/// first, worst first and shuffled, on steps of one and of 250,000,000 with gaps; then the touch is
/// taken away until nothing is left.
#[test]
fn deep_snapshots() {
    for (step, gap) in [(1, 1), (1, 13), (250_000_000, 1), (100, 7)] {
        let level = |n: i64, qty| {
            let side = SIDES[(n % 2) as usize];
            let away = (n / 2 * gap + 1) * step;
            let px = 6_000_000 * step + if side == Side::Buy { -away } else { away };
            set(side, px, qty)
        };
        let best_first = || (0..10_000).map(|n| level(n, n + 1));
        let taken = || (0..10_000).map(|n| level(n, 0));
        run(best_first().chain(taken()));
        run(best_first().rev().chain(taken()));
        let books = run((0..10_000).map(|n| level(n * 7_919 % 10_000, n + 1)).chain(taken()));
        assert_eq!(SIDES.map(|side| books.level_count(0, side)), [0, 0]);
    }
}

/// Goal: a window learns the step, and holds what is near. Method: prices as venues quote them; an
/// odd price first; then a finer step later.
#[test]
fn steps_are_learnt() {
    for step in [1_i64, 10, 25, 100, 250_000_000] {
        let odd = set(Side::Buy, 5_000_000 * step - 2_000 * step - 3, 1);
        let grid = |n: i64, step: i64| set(Side::Buy, 5_000_000 * step - n % 600 * step, 1 + n);
        let mut books = run([odd].into_iter().chain((0..2_000).map(|n| grid(n, step))));
        let layout = |books: &LevelBooks| books.books[0].side(Side::Buy).layout();
        assert_eq!(layout(&books), (600 + u32::from(step == 1), step as u64));
        if step == 100 {
            for n in 0..2_000 {
                books.apply(0, &set(Side::Buy, 500_000_000 - n % 600 * 20, 1));
            }
            assert_eq!(layout(&books).1, 20);
            audit(&books);
        }
    }
}

/// Goal: a touch that leaps to and fro moves the window seldom, and nothing is lost. Method: two
/// dense blocks out of one window's reach; the better is quoted and taken again and again.
#[test]
fn recentring_storm() {
    let far = 10 * STEPS as i64;
    let block = (0..3_000).map(|n| set(Side::Sell, far + n, 1));
    let storm = (0..20_000_i64).map(|n| {
        let qty = i64::from(n / 300 % 2 == 0);
        set(Side::Sell, 1_000 + n % 300, qty)
    });
    let ends = [i64::MIN, i64::MAX, 0, -1].into_iter().cycle().take(4_000);
    let ends = ends.zip(0..).map(|(px, n)| set(SIDES[n / 4 % 2], px, (n / 8 % 2) as i64));
    run(block.chain(storm).chain(ends));
}

/// Goal: what does not fit or makes no sense is refused and said, the first cause stays, the rest is
/// kept, and room given back is room again. Method: fill leaves, directories and a side in turn.
#[test]
fn capacity_is_refused() {
    let room = LevelCapacity { instruments: 1, windows: 0, leaves: 4, directories: 1 };
    let full = LevelCapacity { leaves: 2 * LEAVES as u32, ..room };
    for (small, fits) in [
        (room, 4 * LEAF),
        (LevelCapacity { directories: 0, ..room }, LEAF),
        (LevelCapacity { leaves: 0, ..room }, 0),
        (full, LEAVES * LEAF),
    ] {
        let mut books = LevelBooks::new(small);
        for _ in 0..2 {
            books.set_integrity(0, Integrity::Live, Cause::None);
            let levels = (0..=fits as i64).map(|n| books.apply(0, &set(Side::Sell, 5 + 3 * n, 1)));
            assert_eq!(levels.filter(|change| change.fault.is_none()).count(), fits);
            assert_eq!(books.integrity(0), (Integrity::Incomplete, Cause::Capacity));
            books.apply(0, &set(Side::Sell, 1, -1));
            assert_eq!(books.integrity(0), (Integrity::Incomplete, Cause::Capacity));
            assert_eq!(books.level_count(0, Side::Sell) as usize, fits);
            assert_eq!(books.apply(0, &set(Side::Buy, 5, 0)).fault, None, "nothing to remove");
            if fits > 0 {
                assert_eq!(books.apply(0, &set(Side::Sell, 5, 9)).fault, None, "it is there");
            }
            audit(&books);
            books.clear(0);
            assert_eq!(books.integrity(0), (Integrity::Incomplete, Cause::NotStarted));
            audit(&books);
        }
        assert_eq!(books.apply(1, &set(Side::Buy, 5, 1)).fault, Some(Cause::Capacity));
        assert_eq!(books.integrity(1), (Integrity::Incomplete, Cause::Capacity));
    }
}

/// Goal: a window that cannot move for want of room stays, and so do its levels. Method: one leaf
/// and a full window whose touch leaves it.
#[test]
fn a_window_without_room_stays() {
    let small = LevelCapacity { instruments: 1, windows: 1, leaves: 2, directories: 1 };
    let (mut books, mut naive) = (LevelBooks::new(small), Naive::new(1));
    let near = (0..3_000_i64).map(|n| set(Side::Sell, 100_000 + n % 60, 1));
    let full = (0..3_000_i64).map(|n| set(Side::Sell, 100_000 + n, 1));
    let ahead = (0..4 * i64::from(PATIENCE)).map(|n| set(Side::Sell, 10 + n % 50, 1 + n));
    for event in near.chain(full).chain(ahead) {
        step(&mut books, &mut naive, &Action::Apply(0, event));
    }
    same_book(&books, &naive, 0);
    audit(&books);
    assert_eq!(books.books[0].side(Side::Sell).layout(), (3_000, 1));
}
