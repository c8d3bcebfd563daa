//! Stage `levels`: price levels to a book and its best prices, against a book of two sorted maps on the same stream.
//!
//! `near` stays around the touch; `wide` is a deep snapshot and updates as far out as a venue sends them, `near_far`
//! and `wide_far` the same without a window, and `snapshot` the taking of the snapshot into an empty book.

use std::hint::black_box;

use benches::{LevelStream, MapBook, check_digest, compare, criterion, digest, on_cpu};
use criterion::Criterion;
use engine::level_book::{LevelBooks, LevelCapacity};
use model::{Event, Px, Qty, Side};

/// Updates of a stream.
const UPDATES: usize = 1 << 19;
/// The book that the streams speak of.
const BOOK: usize = 1;
const SIDES: [Side; 2] = [Side::Buy, Side::Sell];

fn best(books: &LevelBooks, side: Side) -> Option<(Px, Qty)> {
    books.best(BOOK, side).map(|quote| (quote.px, quote.qty))
}

fn apply(books: &mut LevelBooks, events: &[Event]) {
    for event in events {
        black_box(books.apply(BOOK, event));
        black_box(SIDES.map(|side| best(books, side)));
    }
}

fn apply_to_maps(book: &mut MapBook, events: &[Event]) {
    for event in events {
        book.apply(event);
        black_box(SIDES.map(|side| book.best(side)));
    }
}

/// The touch after every event, as one number.
fn trail(events: &[Event], mut touch: impl FnMut(&Event) -> [Option<(Px, Qty)>; 2]) -> u64 {
    events.iter().fold(0, |trail: u64, event| {
        let [bid, ask] = touch(event);
        let now = digest(|number, side| match (number, side) {
            (1, Side::Buy) => bid,
            (1, Side::Sell) => ask,
            _ => None,
        });
        trail.rotate_left(1) ^ now
    })
}

/// Measures both on the same events behind the same levels, and checks that they agree all along.
fn row(
    criterion: &mut Criterion,
    name: &str,
    capacity: LevelCapacity,
    before: &[Event],
    events: &[Event],
) {
    let (mut books, mut maps) = (LevelBooks::new(capacity), MapBook::default());
    compare(
        criterion,
        ["levels", name],
        ("sorted maps", || {
            maps = MapBook::default();
            apply_to_maps(&mut maps, before);
            on_cpu(events.len(), || apply_to_maps(&mut maps, black_box(events)))
        }),
        || {
            books.clear(BOOK);
            apply(&mut books, before);
            on_cpu(events.len(), || apply(&mut books, black_box(events)))
        },
    );
    assert_eq!(
        SIDES.map(|side| books.level_count(BOOK, side)).into_iter().sum::<u32>() as usize,
        maps.len()
    );
    maps = MapBook::default();
    apply_to_maps(&mut maps, before);
    books.clear(BOOK);
    apply(&mut books, before);
    let events = &events[..events.len().min(50_000)];
    let right = trail(events, |event| {
        maps.apply(event);
        SIDES.map(|side| maps.best(side))
    });
    let found = trail(events, |event| {
        books.apply(BOOK, event);
        SIDES.map(|side| best(&books, side))
    });
    check_digest(&format!("levels/{name}"), found, right);
}

fn main() {
    let mut criterion = criterion();
    let capacity = LevelCapacity::new(2, 1);
    let near = LevelStream::near(UPDATES);
    row(&mut criterion, "near", capacity, &near.snapshot, &near.updates);
    let wide = LevelStream::wide(UPDATES);
    row(&mut criterion, "wide", capacity, &wide.snapshot, &wide.updates);
    let windowless = LevelCapacity { windows: 0, ..capacity };
    row(&mut criterion, "wide_far", windowless, &wide.snapshot, &wide.updates);
    row(&mut criterion, "near_far", windowless, &near.snapshot, &near.updates);
    row(&mut criterion, "snapshot", capacity, &[], &wide.snapshot);
    criterion.final_summary();
}
