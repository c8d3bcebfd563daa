//! Numbers for symbols, where the venue gives none: a fixed table by open addressing.

use model::Symbol;

/// Symbols of one feed, at most. IEX lists about 12,000 securities.
pub(super) const SYMBOLS_MAX: usize = 16_384;

/// What the feed remembers of a symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    symbol: u64,
    /// The place is free unless this is the table's.
    era: u64,
    /// From 1.
    pub number: u16,
    /// The last best bid and ask that were passed on (TOPS): price, 1e-4, and size; zeros: none.
    pub quote: [(i64, u32); 2],
}

/// The table. Half of its places stay free, so that a search is short.
pub(super) struct Symbols {
    places: Vec<Known>,
    used: u16,
    era: u64,
}

impl Symbols {
    pub fn new() -> Symbols {
        Symbols { places: vec![Known::default(); 2 * SYMBOLS_MAX], used: 0, era: 1 }
    }

    /// What is known of a symbol, and what it is called if that begins now; `None`: the table is full, or it is no symbol.
    pub fn get(&mut self, symbol: [u8; 8]) -> Option<(&mut Known, Option<Symbol>)> {
        let name = symbol;
        let symbol = u64::from_le_bytes(symbol);
        let mask = self.places.len() - 1;
        let home = (symbol.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize;
        let era = self.era;
        let is_place = |place: &Known| place.era != era || place.symbol == symbol;
        let at = (0..self.places.len())
            .map(|step| (home + step) & mask)
            .find(|at| self.places.get(*at).is_some_and(is_place))?;
        let place = self.places.get_mut(at)?;
        if place.era == era {
            return Some((place, None));
        }
        let name = Symbol::from_padded(name)?;
        if usize::from(self.used) >= SYMBOLS_MAX {
            return None;
        }
        self.used += 1;
        *place = Known { symbol, era, number: self.used, quote: [(0, 0); 2] };
        Some((place, Some(name)))
    }

    /// Every number is void: a new session may list other symbols.
    pub fn clear(&mut self) {
        // Not by writing all places: sessions may come as fast as datagrams.
        self.era += 1;
        self.used = 0;
    }
}
