//! Which symbol an instrument id has, by the metadata or by mapping records.

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

/// The mappings of a stream, in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Symbols {
    mappings: Vec<Mapping>,
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
        Symbols { mappings }
    }

    /// A mapping record says what the id is called from here on.
    pub fn set(&mut self, id: u32, symbol: Symbol) {
        let place = self.mappings.partition_point(|mapping| mapping.id < id);
        let behind = self.mappings.partition_point(|mapping| mapping.id <= id);
        if place == behind && self.mappings.len() >= MAPPINGS_MAX {
            return;
        }
        let mapping = Mapping { id, from: Ts(0), to: Ts(u64::MAX), symbol };
        self.mappings.splice(place..behind, [mapping]);
    }

    /// The symbol of `id` at `ts`.
    pub fn get(&self, id: u32, ts: Ts) -> Option<Symbol> {
        let place = self.mappings.partition_point(|mapping| mapping.id < id);
        let mut of_id = self.mappings.get(place..)?.iter().take_while(|mapping| mapping.id == id);
        of_id.find(|mapping| mapping.from <= ts && ts < mapping.to).map(|mapping| mapping.symbol)
    }
}

fn midnight(julian_day: i32) -> Ts {
    let days = julian_day.saturating_sub(EPOCH_DAY).max(0).unsigned_abs();
    Ts(u64::from(days).saturating_mul(DAY_NS))
}
