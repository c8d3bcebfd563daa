use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn resting(order: u64, symbol: u16) -> Resting {
    Resting { order, px: -1, qty: i64::MAX, symbol, side: Side::Sell }
}

/// Goal: no name is taken for another, and a full table says so. Method: names that differ in one bit; one too many.
#[test]
fn whole_names() {
    let mut table = Table::new(129, 8, 5);
    for bit in 0..128 {
        let order = resting(bit + 1, bit as u16 % 3);
        assert_eq!(table.insert(1 << bit, order), Ok(()));
        assert_eq!(table.insert(1 << bit, order), Err(Mismatch::BadOrder));
    }
    for bit in 0..128 {
        let (id, symbol) = (1 << bit, bit as u16 % 3);
        assert_eq!(table.get(id, symbol), Some(resting(bit + 1, symbol)));
        assert_eq!((table.get(id | 1 << 127, 9), table.get(id, symbol + 1)), (None, None));
    }
    assert_eq!(table.insert(0, resting(200, 7)), Ok(()));
    assert_eq!(table.insert(3, resting(201, 7)), Err(Mismatch::Capacity));
    table.remove(1, 0);
    assert_eq!(table.insert(3, resting(201, 7)), Ok(()));
    assert_eq!((table.get(0, 7), table.len()), (Some(resting(200, 7)), 129));
}

/// Goal: no word of a name makes the other, or the seed, of no account. Method: names that share one word, as many as there is
/// room for, in tables of two seeds; those that lie at their first place, or close behind.
#[test]
fn no_word_collides() {
    for shared in [0, 1, u64::MAX, 0xD1B5_4A32_D192_ED03, 0x9E37_79B9_7F4A_7C15] {
        for is_low in [false, true] {
            let id = |n: u64| {
                let (high, low) = if is_low { (n, shared) } else { (shared, n) };
                u128::from(high) << 64 | u128::from(low)
            };
            let (mut one, mut other) = (Table::new(4_096, 1, 0), Table::new(4_096, 1, 1));
            let mut same = 0;
            for n in 0..4_096 {
                let place = |table: &Table| table.path(id(n), 0).next();
                same += u32::from(place(&one) == place(&other));
                assert_eq!(one.insert(id(n), resting(n + 1, 0)), Ok(()));
                assert_eq!(other.insert(id(n), resting(n + 1, 0)), Ok(()));
            }
            assert!(same < 64, "{shared:x}: the seed counts, {same}");
            let longest = one.slots.iter().map(|slot| passed(*slot)).max();
            assert!(longest < Some(64), "{shared:x}: {longest:?}");
        }
    }
}

/// Goal: work is bounded even where every name collides, and what lies behind the bound is refused, not lost. Method: names
/// with one first place, found by trying, one more than a search looks at; then some go, and others come.
#[test]
fn bounded() {
    let mut table = Table::new(1_026, 1, 3);
    let ids: Vec<u128> =
        (0_u128..).filter(|id| table.path(*id, 0).next() == Some(4_000)).take(1_026).collect();
    for (n, id) in (1..).zip(&ids[..PROBES_MAX]) {
        assert_eq!(table.insert(*id, resting(n, 0)), Ok(()));
    }
    assert_eq!(table.insert(ids[PROBES_MAX], resting(9_999, 0)), Err(Mismatch::Capacity));
    assert_eq!(table.get(ids[PROBES_MAX], 0), None);
    for place in [0, 500, PROBES_MAX - 1] {
        table.remove(ids[place], 0);
        assert_eq!(table.get(ids[place], 0), None);
        assert_eq!(table.insert(ids[PROBES_MAX], resting(9_999, 0)), Ok(()));
        assert_eq!(table.insert(ids[PROBES_MAX + 1], resting(1, 0)), Err(Mismatch::Capacity));
        table.remove(ids[PROBES_MAX], 0);
        assert_eq!(table.insert(ids[place], resting(place as u64 + 1, 0)), Ok(()));
    }
    for (n, id) in (1..).zip(&ids[..PROBES_MAX]) {
        assert_eq!(table.get(*id, 0), Some(resting(n, 0)));
        table.remove(*id, 0);
    }
    assert!(table.slots.iter().all(|slot| *slot == FREE), "nobody has passed");
}

/// Goal: one symbol neither takes the names nor the room of another. Method: the same names for two; one that wants all.
#[test]
fn shares() {
    let mut table = Table::new(9, 2, 3);
    for id in 0..5 {
        assert_eq!(table.insert(id, resting(1, 0)), Ok(()));
    }
    assert_eq!(table.insert(5, resting(1, 0)), Err(Mismatch::Capacity));
    for id in 0..4 {
        assert_eq!(table.insert(id, resting(2, 1)), Ok(()));
    }
    table.set(1, 1, 7, 8);
    table.remove(0, 1);
    assert_eq!((table.get(0, 0), table.get(0, 1)), (Some(resting(1, 0)), None));
    assert_eq!(table.get(1, 0), Some(resting(1, 0)));
    assert_eq!(table.get(1, 1), Some(Resting { px: 7, qty: 8, ..resting(2, 1) }));
}

proptest! {
    /// Goal: the table is a map. Method: random changes of few names in a small table against `BTreeMap`, with symbols that
    /// are forgotten.
    #[test]
    fn same_as_a_map(
        seed in any::<u64>(),
        steps in prop::collection::vec((0..5, 0_u128..14, 0_u16..3, 1_i64..9), 0..400),
    ) {
        let (mut table, mut map) = (Table::new(20, 3, seed), BTreeMap::new());
        for (number, (step, id, symbol, qty)) in steps.into_iter().enumerate() {
            let id = id << 64 | id;
            let key = (id, symbol);
            match step {
                0 | 1 => {
                    let order = Resting { qty, ..resting(number as u64 + 1, symbol) };
                    let own = map.keys().filter(|(_, other)| *other == symbol).count();
                    let expected = match map.get(&key) {
                        Some(_) => Err(Mismatch::BadOrder),
                        None if map.len() >= 20 || own >= 10 => Err(Mismatch::Capacity),
                        None => {
                            map.insert(key, order);
                            Ok(())
                        }
                    };
                    prop_assert_eq!(table.insert(id, order), expected);
                }
                2 => {
                    table.remove(id, symbol);
                    map.remove(&key);
                }
                3 => {
                    table.set(id, symbol, qty, -qty);
                    if let Some(order) = map.get_mut(&key) {
                        (order.px, order.qty) = (qty, -qty);
                    }
                }
                _ if qty == 2 && id & 7 == 0 => {
                    table.clear();
                    map.clear();
                }
                _ if qty == 1 => {
                    table.forget(symbol);
                    map.retain(|(_, other), _| *other != symbol);
                }
                _ => {}
            }
            prop_assert_eq!(table.len(), map.len());
            for id in 0_u128..14 {
                let id = id << 64 | id;
                for symbol in 0..3 {
                    prop_assert_eq!(table.get(id, symbol), map.get(&(id, symbol)).copied());
                }
            }
        }
    }
}
