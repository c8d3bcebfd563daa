//! Dense numbers for Databento's instrument ids, and what is remembered of each.

use dbn::{BidAskPair, Metadata};
use model::{Symbol, VenueNumber};

/// Instruments of one feed, at most.
pub(super) const INSTRUMENTS_MAX: usize = 16_384;
/// Levels a side that a record shows.
pub(super) const LEVELS: usize = 10;

/// A pair of levels of which neither is there.
pub(super) fn nothing() -> BidAskPair {
    let (bid_px, ask_px) = (dbn::UNDEF_PRICE, dbn::UNDEF_PRICE);
    BidAskPair { bid_px, ask_px, ..BidAskPair::default() }
}

/// What is remembered of an instrument.
#[derive(Clone, Debug)]
pub(super) struct Known {
    id: u32,
    /// Its number in the feed, from 1.
    pub number: VenueNumber,
    /// A run of snapshot records is coming in.
    pub in_snapshot: bool,
    /// The levels that the last record showed; price `UNDEF_PRICE`: none.
    pub shown: [BidAskPair; LEVELS],
}

/// The instruments of a feed.
pub(super) struct Instruments {
    /// By id, sorted.
    known: Vec<Known>,
    /// The instrument asked for last: records come in runs.
    last: usize,
    names: Vec<(u32, Symbol)>,
}

impl Instruments {
    pub fn new() -> Instruments {
        Instruments { known: Vec::new(), last: 0, names: Vec::new() }
    }

    /// Learns the symbols that a file maps its ids to.
    pub fn learn(&mut self, metadata: &Metadata) {
        for mapping in &metadata.mappings {
            for interval in &mapping.intervals {
                let (id, name) = match interval.symbol.parse::<u32>() {
                    Ok(id) => (id, mapping.raw_symbol.as_str()),
                    Err(_) => match mapping.raw_symbol.parse::<u32>() {
                        Ok(id) => (id, interval.symbol.as_str()),
                        Err(_) => continue,
                    },
                };
                if let Ok(symbol) = Symbol::new(name)
                    && self.names.len() < INSTRUMENTS_MAX
                {
                    self.names.push((id, symbol));
                }
            }
        }
    }

    /// A file ended: a snapshot in the next one is another snapshot.
    pub fn end_file(&mut self) {
        self.known.iter_mut().for_each(|known| known.in_snapshot = false);
    }

    /// What is known of an id, and whether that begins now; `None`: there are too many.
    pub fn get(&mut self, id: u32) -> Option<(&mut Known, bool)> {
        if self.known.get(self.last).is_some_and(|known| known.id == id) {
            return self.known.get_mut(self.last).map(|known| (known, false));
        }
        let place = self.known.binary_search_by_key(&id, |known| known.id);
        let (at, is_new) = match place {
            Ok(at) => (at, false),
            Err(_) if self.known.len() >= INSTRUMENTS_MAX => return None,
            Err(at) => {
                let number = VenueNumber(self.known.len() as u32 + 1);
                let shown = core::array::from_fn(|_| nothing());
                self.known.insert(at, Known { id, number, in_snapshot: false, shown });
                (at, true)
            }
        };
        self.last = at;
        self.known.get_mut(at).map(|known| (known, is_new))
    }

    /// Its symbol, or `id:` and its id where the file names none.
    pub fn symbol(&self, id: u32) -> Symbol {
        let named = self.names.iter().rev().find(|(known, _)| *known == id);
        named.map_or_else(
            || Symbol::new(&format!("id:{id}")).unwrap_or_default(),
            |(_, symbol)| *symbol,
        )
    }
}
