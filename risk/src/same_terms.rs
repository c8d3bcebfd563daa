//! Orders of the same terms within a window: a table of full keys, so that no two different orders are ever
//! taken for the same.

use model::snapshot::all_or_none;
use model::{Order, OrderType, Px, Qty, Side, Tif, Ts};

use crate::limits::{DUPLICATES_MAX, Duplicates};

/// Entries of a table; a power of two.
const PLACES: usize = 4096;
/// Entries looked at for one key.
const PROBES: usize = 16;
const TIMES: usize = DUPLICATES_MAX as usize;

/// What makes two orders of an account the same but for their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Key {
    instrument: u32,
    side: Side,
    order_type: OrderType,
    tif: Tif,
    /// As it was asked for.
    px: Px,
    stop_px: Px,
    qty: Qty,
}

#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Entry {
    key: Key,
    /// When such orders came, in a ring.
    times: [Ts; TIMES],
    next: u8,
    /// Entries of the ring in use.
    used: u8,
}

/// Where an order stands among those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The check is off.
    Off,
    /// So many orders of its terms came within the window; its entry, or the one that it may take with its tag.
    Times { count: u8, place: usize, takes: Option<u32> },
    /// Every place of its key is held by other terms of this window: it cannot be counted.
    Full,
}

/// The table of one account: a small tag for each place, so that a look-up reads two lines of memory, and what it stands for.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct SameTerms {
    rule: Option<Duplicates>,
    /// A part of the hash, or [`NEVER`]. Empty, as its entries, until there is a rule.
    #[serde(
        serialize_with = "all_or_none::serialize",
        deserialize_with = "all_or_none::deserialize::<_, _, PLACES>"
    )]
    tags: Vec<u32>,
    #[serde(
        serialize_with = "all_or_none::serialize",
        deserialize_with = "all_or_none::deserialize::<_, _, PLACES>"
    )]
    entries: Vec<Entry>,
}

/// Tag of a place that was never used. Places are never given back, so that no key is found behind one.
const NEVER: u32 = u32::MAX;

impl Key {
    fn of(order: &Order) -> Key {
        let Order { side, order_type, tif, qty, .. } = *order;
        let (px, stop_px) = (order.asked_px(), order.conditions.stop_px);
        Key { instrument: order.instrument.0, side, order_type, tif, px, stop_px, qty }
    }

    /// Where its places begin, and its tag. The same on every run, as a replay needs.
    fn hash(&self) -> (usize, u32) {
        let codes = [self.side.code(), self.order_type.code(), self.tif.code(), 0];
        let small = u64::from(self.instrument) | u64::from(u32::from_le_bytes(codes)) << 32;
        let mut hash = small.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for word in [self.px.0 ^ self.stop_px.0.rotate_left(32), self.qty.0].map(i64::cast_unsigned)
        {
            let wide = u128::from(hash ^ word) * 0xD6E8_FEB8_6659_FD93_u128;
            hash = wide as u64 ^ (wide >> 64) as u64;
        }
        (hash as usize, ((hash >> 32) as u32).min(NEVER - 1))
    }
}

impl Entry {
    const UNUSED: Entry = Entry {
        key: Key {
            instrument: u32::MAX,
            side: Side::Buy,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px: Px(0),
            stop_px: Px(0),
            qty: Qty(0),
        },
        times: [Ts(0); TIMES],
        next: 0,
        used: 0,
    };

    /// Times within the window that ends at `now`.
    fn within(&self, now: Ts, window_ns: u64) -> u8 {
        let used = self.times.iter().take(self.used.into());
        used.filter(|at| now.since(**at) < window_ns).count() as u8
    }
}

impl SameTerms {
    /// Bytes of a table, which each account is taken to have.
    pub(crate) const BYTES: u64 = (PLACES * (size_of::<Entry>() + size_of::<u32>())) as u64;

    /// Allocates the table if there is a rule; nothing allocates afterwards.
    pub(crate) fn new(rule: Option<Duplicates>) -> SameTerms {
        let places = if rule.is_some() { PLACES } else { 0 };
        SameTerms { rule, tags: vec![NEVER; places], entries: vec![Entry::UNUSED; places] }
    }

    /// Another rule over the same orders. One whose rule was off until now takes the table of `fresh`.
    pub(crate) fn relimit(&mut self, rule: Option<Duplicates>, fresh: &mut SameTerms) {
        if self.entries.is_empty() {
            std::mem::swap(&mut self.entries, &mut fresh.entries);
            std::mem::swap(&mut self.tags, &mut fresh.tags);
        }
        self.rule = rule;
    }

    /// Looks the terms of an order up.
    pub(crate) fn find(&self, order: &Order, now: Ts) -> Seen {
        let Some(rule) = self.rule else { return Seen::Off };
        let key = Key::of(order);
        let (home, tag) = key.hash();
        let mut free = None;
        for probe in 0..PROBES {
            let place = home.wrapping_add(probe) % PLACES;
            let Some(known) = self.tags.get(place) else { return Seen::Full };
            if *known == NEVER {
                free = free.or(Some(place));
                break;
            }
            let Some(entry) = self.entries.get(place) else { return Seen::Full };
            if *known == tag && entry.key == key {
                let count = entry.within(now, rule.window_ns);
                return Seen::Times { count, place, takes: None };
            }
            if free.is_none() && entry.within(now, rule.window_ns) == 0 {
                free = Some(place);
            }
        }
        free.map_or(Seen::Full, |place| Seen::Times { count: 0, place, takes: Some(tag) })
    }

    /// Counts an order, passed or refused, that [`SameTerms::find`] has just looked up.
    pub(crate) fn count(&mut self, seen: Seen, order: &Order, now: Ts) {
        let Seen::Times { place, takes, .. } = seen else { return };
        let (Some(tag), Some(entry)) = (self.tags.get_mut(place), self.entries.get_mut(place))
        else {
            return;
        };
        if let Some(new) = takes {
            *tag = new;
            (entry.key, entry.next, entry.used) = (Key::of(order), 0, 0);
        }
        if let Some(time) = entry.times.get_mut(usize::from(entry.next)) {
            *time = now;
        }
        entry.next = (entry.next + 1) % DUPLICATES_MAX;
        entry.used = (entry.used + 1).min(DUPLICATES_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Floor;
    use proptest::prelude::*;

    proptest! {
        /// Goal: the table counts as a plain list of all orders does. Method: few terms, random gaps, against
        /// a list.
        #[test]
        fn equals_a_list(
            window_ns in 1_u64..60,
            orders in prop::collection::vec((0_i64..5, 0_i64..4, 0_u64..12), 1..200),
        ) {
            let mut table = SameTerms::new(Some(Duplicates { max: DUPLICATES_MAX, window_ns }));
            let base = Floor::new().order(Side::Buy, 1, 1);
            let (mut now, mut all) = (Ts(1), Vec::new());
            for (px, qty, gap) in orders {
                now.0 += gap;
                let order = Order { px: Px(px), qty: Qty(qty), ..base };
                let same = |(at, terms): &&(Ts, (i64, i64))| {
                    *terms == (px, qty) && now.since(*at) < window_ns
                };
                let expected = all.iter().filter(same).count().min(TIMES);
                let seen = table.find(&order, now);
                let Seen::Times { count, .. } = seen else { return Err(TestCaseError::fail("full")) };
                prop_assert_eq!(usize::from(count), expected);
                table.count(seen, &order, now);
                all.push((now, (px, qty)));
            }
        }
    }

    /// Goal: terms whose hashes are the same are told apart. Method: two prices that were searched for.
    #[test]
    fn equal_hashes_are_other_terms() {
        let mut table = SameTerms::new(Some(Duplicates { max: 1, window_ns: 10 }));
        let base = Floor::new().order(Side::Buy, 1, 1);
        let [first, second] = [1_180_003, 4_761_835].map(|px| Order { px: Px(px), ..base });
        let home_and_tag = |order| {
            let (home, tag) = Key::of(order).hash();
            (home % PLACES, tag)
        };
        assert_eq!(home_and_tag(&first), home_and_tag(&second));
        table.count(table.find(&first, Ts(5)), &first, Ts(5));
        assert!(matches!(table.find(&first, Ts(5)), Seen::Times { count: 1, .. }));
        assert!(matches!(table.find(&second, Ts(5)), Seen::Times { count: 0, .. }));
    }

    /// Goal: a table full of this window's terms says that it cannot count, and counts again in the places of those that are
    /// old. Method: more terms than places within the window; wait.
    #[test]
    fn full_is_said() {
        let mut table = SameTerms::new(Some(Duplicates { max: 1, window_ns: 10 }));
        let base = Floor::new().order(Side::Buy, 1, 1);
        let order = |px| Order { px: Px(px), ..base };
        let mut full = 0;
        for px in 0..2 * PLACES as i64 {
            let seen = table.find(&order(px), Ts(5));
            full += u32::from(seen == Seen::Full);
            table.count(seen, &order(px), Ts(5));
        }
        assert!(full >= PLACES as u32);
        for px in -100..0 {
            for expected in 0..3 {
                let seen = table.find(&order(px), Ts(15));
                assert!(matches!(seen, Seen::Times { count, .. } if count == expected));
                table.count(seen, &order(px), Ts(15));
            }
        }
        assert_eq!(SameTerms::new(None).find(&base, Ts(5)), Seen::Off);
    }
}
