//! Which symbol an instrument id has, by the metadata or by mapping records.

use std::collections::BTreeMap;

use dbn::{Metadata, SType};
use model::{DAY_NS, Symbol, Ts};

/// Mappings that are kept, at most.
const MAPPINGS_MAX: usize = 1 << 20;
/// The Julian day on which the UNIX epoch began.
const EPOCH_DAY: i32 = 2_440_588;

/// An instrument id's symbol from one time to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mapping {
    id: u32,
    from: Ts,
    /// Not included.
    to: Ts,
    symbol: Symbol,
}

/// What the ids of a stream are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Symbols {
    /// By the metadata, in the order of ids and times.
    mappings: Vec<Mapping>,
    /// By mapping records, which count before the metadata.
    told: BTreeMap<u32, Symbol>,
}

impl Symbols {
    /// Takes the mappings of a file. One that does not fit our symbols is left out.
    pub fn from_metadata(metadata: &Metadata) -> Symbols {
        let to_id = metadata.stype_out == SType::InstrumentId;
        let is_known = to_id || metadata.stype_in == Some(SType::InstrumentId);
        let intervals = metadata.mappings.iter().flat_map(|mapping| {
            mapping.intervals.iter().map(move |interval| (&mapping.raw_symbol, interval))
        });
        let mut mappings: Vec<Mapping> = intervals
            .filter(|_| is_known)
            .filter_map(|(raw, interval)| {
                let (id, symbol) =
                    if to_id { (&interval.symbol, raw) } else { (raw, &interval.symbol) };
                Some(Mapping {
                    id: id.parse().ok()?,
                    from: midnight(interval.start_date.to_julian_day()),
                    to: midnight(interval.end_date.to_julian_day()),
                    symbol: Symbol::new(symbol).ok()?,
                })
            })
            .take(MAPPINGS_MAX)
            .collect();
        mappings.sort_by_key(|mapping| (mapping.id, mapping.from));
        Symbols { mappings, told: BTreeMap::new() }
    }

    /// A mapping record says what the id is called from here on.
    pub fn set(&mut self, id: u32, symbol: Symbol) {
        if self.told.len() < MAPPINGS_MAX || self.told.contains_key(&id) {
            self.told.insert(id, symbol);
        }
    }

    /// The symbol of `id` at `ts`, and the time from which on that may be another one, or none.
    pub fn get(&self, id: u32, ts: Ts) -> (Option<Symbol>, Ts) {
        const FOR_EVER: Ts = Ts(u64::MAX);
        if let Some(symbol) = self.told.get(&id) {
            return (Some(*symbol), FOR_EVER);
        }
        let behind = self.mappings.partition_point(|m| (m.id, m.from) <= (id, ts));
        let begun = behind.checked_sub(1).and_then(|place| self.mappings.get(place));
        match begun.filter(|mapping| mapping.id == id && ts < mapping.to) {
            Some(mapping) => (Some(mapping.symbol), mapping.to),
            None => {
                let next = self.mappings.get(behind).filter(|mapping| mapping.id == id);
                (None, next.map_or(FOR_EVER, |mapping| mapping.from))
            }
        }
    }
}

fn midnight(julian_day: i32) -> Ts {
    let days = julian_day.saturating_sub(EPOCH_DAY).max(0).unsigned_abs();
    Ts(u64::from(days).saturating_mul(DAY_NS))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a stream that maps as many ids as it can, in the worst order, costs what its length says, and no more ids are
    /// kept than there is room for. Method: all of them, falling, one beyond, and the first again.
    #[test]
    fn many_mappings() {
        let symbol = |text| Symbol::new(text).unwrap();
        let mut symbols = Symbols::default();
        let most = MAPPINGS_MAX as u32;
        (1..=most).rev().for_each(|id| symbols.set(id, symbol("A")));
        symbols.set(0, symbol("B"));
        symbols.set(1, symbol("C"));
        let found = [0, 1, most].map(|id| symbols.get(id, Ts(5)).0);
        assert_eq!(found, [None, Some(symbol("C")), Some(symbol("A"))]);
    }

    /// Goal: an id has the symbol of the time that is asked for. Method: each edge of two intervals with a hole between.
    #[test]
    fn intervals() {
        let [a, b] = ["A", "B"].map(|text| Symbol::new(text).unwrap());
        let mapping = |id, from, to, symbol| Mapping { id, from: Ts(from), to: Ts(to), symbol };
        let mappings = vec![mapping(7, 10, 20, a), mapping(7, 30, 40, b), mapping(9, 0, 99, a)];
        let symbols = Symbols { mappings, told: BTreeMap::new() };
        let known = [
            (9, None, 10),
            (10, Some(a), 20),
            (19, Some(a), 20),
            (20, None, 30),
            (30, Some(b), 40),
            (40, None, u64::MAX),
        ];
        for (ts, symbol, until) in known {
            assert_eq!(symbols.get(7, Ts(ts)), (symbol, Ts(until)), "at {ts}");
        }
        assert_eq!(symbols.get(8, Ts(0)), (None, Ts(u64::MAX)));
    }
}
