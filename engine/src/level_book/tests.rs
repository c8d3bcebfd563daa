use std::collections::BTreeMap;

use model::VenueNumber;
use proptest::prelude::*;

use super::*;

/// The slow, obvious twin: two ordered maps.
#[derive(Default)]
struct Naive {
    sides: [BTreeMap<i64, i64>; 2],
}

impl Naive {
    fn apply(&mut self, side: Side, px: i64, qty: i64, depth_max: usize) {
        let map = &mut self.sides[side.index()];
        if qty == 0 {
            map.remove(&px);
        } else {
            map.insert(px, qty);
        }
        if map.len() > depth_max {
            let worst = if side == Side::Buy { map.pop_first() } else { map.pop_last() };
            assert!(worst.is_some());
        }
    }

    fn levels(&self, side: Side) -> Vec<(i64, i64)> {
        let map = self.sides[side.index()].iter().map(|(px, qty)| (*px, *qty));
        if side == Side::Buy { map.rev().collect() } else { map.collect() }
    }
}

fn event(side: Side, px: i64, qty: i64) -> Event {
    Event::level(VenueNumber(1), side, Px(px), Qty(qty))
}

fn compare(books: &LevelBooks, naive: &Naive) -> Result<(), TestCaseError> {
    for side in [Side::Buy, Side::Sell] {
        let levels: Vec<_> = books.levels(0, side).map(|level| (level.px.0, level.qty.0)).collect();
        prop_assert_eq!(&levels, &naive.levels(side));
        prop_assert_eq!(books.level_count(0, side) as usize, levels.len());
        let best = books.best(0, side).map(|quote| (quote.px.0, quote.qty.0));
        prop_assert_eq!(best, levels.first().copied());
        for (px, qty) in levels {
            let level = books.level(0, side, Px(px)).map(|level| level.qty.0);
            prop_assert_eq!(level, Some(qty));
        }
    }
    Ok(())
}

/// Prices as venues and enemies send them: near the touch, in coarse steps, anywhere.
fn price() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => 10_000_i64..10_200,
        4 => (100_i64..400).prop_map(|step| step * 100),
        2 => 1_i64..1_000_000,
        1 => 1_i64..i64::MAX,
    ]
}

proptest! {
    /// Goal: the book is the naive book after every event, truncated where it is too deep. Method: random totals.
    #[test]
    fn equals_the_naive_book(
        steps in prop::collection::vec((any::<bool>(), price(), 0_i64..4), 1..300),
        depth_max in 1_u32..60,
    ) {
        let capacity = LevelCapacity { depth_max, ..LevelCapacity::new(2, 4096) };
        let mut books = LevelBooks::new(capacity);
        let mut naive = Naive::default();
        for (buy, px, qty) in steps {
            let side = if buy { Side::Buy } else { Side::Sell };
            let before = naive.sides[side.index()].get(&px).copied().unwrap_or(0);
            let applied = books.apply(0, &event(side, px, qty));
            naive.apply(side, px, qty, depth_max as usize);
            prop_assert_eq!(applied.fault, None);
            let touch = applied.touch.map(|touch| (touch.before.0, touch.after.0));
            prop_assert_eq!(touch, (before != 0 || qty != 0).then_some((before, qty)));
            compare(&books, &naive)?;
        }
        books.clear(0);
        compare(&books, &Naive::default())?;
        prop_assert_eq!(books.integrity(0), (Integrity::Incomplete, Cause::NotStarted));
        prop_assert_eq!(books.levels.nodes_used(), 0, "a cleared book gives everything back");
    }
}

/// Goal: what makes no sense, or has no room, marks the book and changes nothing else. Method: one of each.
#[test]
fn refusals_mark_the_book() {
    let mut books = LevelBooks::new(LevelCapacity::new(1, 2));
    let live = |books: &mut LevelBooks| books.set_integrity(0, Integrity::Live, Cause::None);
    for bad in [event(Side::Buy, 0, 1), event(Side::Sell, 1, -1)] {
        live(&mut books);
        assert_eq!(books.apply(0, &bad).fault, Some(Cause::BadEvent));
        assert_eq!(books.integrity(0), (Integrity::Incomplete, Cause::BadEvent));
    }
    live(&mut books);
    books.apply(0, &event(Side::Buy, 1, 1));
    books.apply(0, &event(Side::Buy, 2, 1));
    assert_eq!(books.apply(0, &event(Side::Buy, 3, 1)).fault, Some(Cause::Capacity));
    assert_eq!(books.integrity(0), (Integrity::Incomplete, Cause::Capacity));
    assert_eq!(books.best(0, Side::Buy).map(|quote| quote.px), Some(Px(2)));
    assert_eq!(
        books.apply(1, &event(Side::Buy, 3, 1)).fault,
        Some(Cause::Capacity),
        "no such book"
    );
}
