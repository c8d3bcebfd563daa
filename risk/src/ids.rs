//! Which client order ids an account has used, for what, and what the gate said.

use model::{
    ClientOrderId, Conditions, InstrumentId, Order, OrderId, OrderType, Px, Qty, Side, Tif, Verdict,
};

/// Places that one id may be looked for in, so that ids chosen to collide cost their own account an id, not
/// the engine time.
const PROBES_MAX: usize = 64;

/// A place of the index that no id took. Not zero, so that the memory is touched, and there, from the start.
const FREE: u64 = u64::MAX;

/// What the gate said when the same request came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Recorded {
    /// The order that the request was judged as; refused or passed, the verdict tells.
    pub order: OrderId,
    /// What the gate said then.
    pub verdict: Verdict,
}

/// Everything that makes two requests the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Wording {
    /// The order to replace; zero for a new one.
    replaces: OrderId,
    instrument: InstrumentId,
    side: Side,
    order_type: OrderType,
    tif: Tif,
    /// As it was asked for.
    px: Px,
    qty: Qty,
    conditions: Conditions,
}

impl Wording {
    pub(crate) fn new(order: &Order, is_replace: bool) -> Wording {
        let &Order { id, instrument, side, order_type, tif, qty, conditions, .. } = order;
        let (replaces, px) = (if is_replace { id } else { OrderId(0) }, order.asked_px());
        Wording { replaces, instrument, side, order_type, tif, px, qty, conditions }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Entry {
    client_id: ClientOrderId,
    wording: Wording,
    recorded: Recorded,
}

/// Where an id stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Used before: number of its entry.
    Used(usize),
    /// Not used; it belongs at this place of the index.
    Free(usize),
    /// Not used, and there is no room for it.
    Full,
}

/// Open addressing: an index of hash tags, and the entries in order of use. No single id is ever taken out.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Ids {
    /// [`FREE`], or the upper half of the hash and below it the number of the entry.
    #[serde(with = "model::snapshot::table")]
    index: Vec<u64>,
    #[serde(with = "model::snapshot::table")]
    entries: Vec<Option<Entry>>,
    used: usize,
}

/// Places of the index of so many ids.
fn places(capacity: u32) -> usize {
    ((capacity as usize).max(PROBES_MAX) * 2).next_power_of_two()
}

impl Ids {
    /// Allocates for `capacity` ids; nothing allocates afterwards.
    pub(crate) fn new(capacity: u32) -> Ids {
        let (capacity, places) = (capacity as usize, places(capacity));
        Ids { index: vec![FREE; places], entries: vec![None; capacity], used: 0 }
    }

    /// Forgets every id.
    pub(crate) fn forget(&mut self) {
        self.index.fill(FREE);
        self.entries.fill(None);
        self.used = 0;
    }

    /// Bytes that [`Ids::new`] takes.
    pub(crate) fn bytes(capacity: u32) -> u64 {
        let entries = capacity as usize * size_of::<Option<Entry>>();
        (places(capacity) * size_of::<u64>() + entries) as u64
    }

    /// Looks an id up.
    pub(crate) fn find(&self, client_id: ClientOrderId) -> Place {
        let hash = hash(client_id);
        let mask = self.index.len().wrapping_sub(1);
        for probe in 0..PROBES_MAX {
            let place = (hash as usize).wrapping_add(probe) & mask;
            match self.index.get(place) {
                None => return Place::Full,
                Some(&FREE) if self.used < self.entries.len() => return Place::Free(place),
                Some(&FREE) => return Place::Full,
                Some(&word) => {
                    let number = word as u32 as usize;
                    let same_tag = word >> 32 == hash >> 32;
                    if same_tag && self.entry(number).is_some_and(|e| e.client_id == client_id) {
                        return Place::Used(number);
                    }
                }
            }
        }
        Place::Full
    }

    /// What was said when this id was used with these very words; `None` if it was not.
    pub(crate) fn recorded(&self, client_id: ClientOrderId, wording: Wording) -> Option<Recorded> {
        let Place::Used(number) = self.find(client_id) else { return None };
        self.entry(number).filter(|entry| entry.wording == wording).map(|entry| entry.recorded)
    }

    /// Every id that was used, in the order of use, with what was said.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &impl core::fmt::Debug> {
        self.entries.iter().flatten()
    }

    /// Uses an id up. Does nothing unless `place` is the free one that [`Ids::find`] named just now.
    #[inline(always)] // So that what is recorded is written once, not moved there.
    pub(crate) fn record(
        &mut self,
        place: Place,
        client_id: ClientOrderId,
        wording: Wording,
        recorded: Recorded,
    ) {
        let Place::Free(place) = place else { return };
        let (Some(word), Some(entry)) =
            (self.index.get_mut(place), self.entries.get_mut(self.used))
        else {
            return;
        };
        *word = hash(client_id) >> 32 << 32 | self.used as u64;
        *entry = Some(Entry { client_id, wording, recorded });
        self.used += 1;
    }

    fn entry(&self, number: usize) -> Option<&Entry> {
        self.entries.get(number)?.as_ref()
    }
}

/// Mixes the sixteen bytes by one wide multiplication; the same on every run, as a replay needs.
fn hash(client_id: ClientOrderId) -> u64 {
    let [low, high] = client_id.to_words();
    let wide = u128::from(low ^ 0x9E37_79B9_7F4A_7C15) * u128::from(high ^ 0xC2B2_AE3D_27D4_EB4F);
    let folded = wide as u64 ^ (wide >> 64) as u64;
    folded ^ folded >> 29
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Floor;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Goal: the table answers as a map does, up to its capacity. Method: random ids, many of them twice,
        /// against a map; the table holds fewer than come.
        #[test]
        fn equals_a_map(names in prop::collection::vec(0_u16..300, 1..400), capacity in 0_u32..200) {
            let order = Floor::new().order(Side::Buy, 1, 1);
            let (mut ids, mut map) = (Ids::new(capacity), BTreeMap::new());
            for (number, name) in names.into_iter().enumerate() {
                let client_id = ClientOrderId::new(&format!("{name}")).unwrap();
                let wording = Wording::new(&Order { qty: Qty(number as i64), ..order }, false);
                let recorded = Recorded { order: OrderId(number as u64), verdict: Verdict::pass() };
                let place = ids.find(client_id);
                if let Some((wording, recorded)) = map.get(&name) {
                    prop_assert!(matches!(place, Place::Used(_)));
                    prop_assert_eq!(ids.recorded(client_id, *wording), Some(*recorded));
                } else if map.len() < capacity as usize {
                    prop_assert!(matches!(place, Place::Free(_)));
                    prop_assert_eq!(ids.recorded(client_id, wording), None);
                    map.insert(name, (wording, recorded));
                } else {
                    prop_assert_eq!(place, Place::Full);
                }
                ids.record(place, client_id, wording, recorded);
            }
        }
    }

    /// Goal: ids whose tags and places are the same are told apart. Method: two that were searched for.
    #[test]
    fn equal_tags_are_other_ids() {
        let mut ids = Ids::new(1);
        let order = Floor::new().order(Side::Buy, 1, 1);
        let [first, second] = ["c266364", "c1129509"].map(|id| ClientOrderId::new(id).unwrap());
        let tag_and_place = |id| (hash(id) >> 32, hash(id) as usize % ids.index.len());
        assert_eq!(tag_and_place(first), tag_and_place(second));
        let recorded = Recorded { order: OrderId(1), verdict: Verdict::pass() };
        ids.record(ids.find(first), first, Wording::new(&order, false), recorded);
        assert_eq!((ids.find(first), ids.find(second)), (Place::Used(0), Place::Full));
    }
}
