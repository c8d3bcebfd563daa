//! Dense numbers for Databento's instrument ids: a fixed table by open addressing.

use model::{Cause, Symbol, VenueNumber};

use super::levels::Tops;

/// How far a book may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Belief {
    /// Nothing whole has been seen yet.
    NotStarted,
    /// A snapshot is under way.
    Recovering,
    /// Complete.
    Live,
    /// It may be wrong.
    Doubtful(Cause),
}

/// An instrument that was named.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instrument {
    pub id: u32,
    pub publisher: u16,
    pub symbol: Symbol,
    pub belief: Belief,
    /// Its records up to the last one were part of a snapshot.
    pub in_snapshot: bool,
    /// Another stream, or a mapping, may have given the id to another symbol.
    pub is_stale: bool,
}

/// The table.
pub(super) struct Instruments {
    /// Number of the instrument at a place; zero: free. Half of them stay free.
    places: Vec<u16>,
    /// By number, from 1.
    named: Vec<Instrument>,
    /// Best levels by number, for feeds of levels.
    tops: Vec<Tops>,
    most: u16,
    /// The id found last, and its number: each record is looked up more than once, and records come in runs.
    last: Option<(u32, u16)>,
}

impl Instruments {
    /// Room for `most` instruments, at least one.
    pub fn new(most: u16) -> Instruments {
        let places = vec![0; 2 * usize::from(most.max(1)).next_power_of_two()];
        Instruments { places, named: Vec::new(), tops: Vec::new(), most, last: None }
    }

    /// The number of an id.
    #[inline]
    pub fn find(&mut self, id: u32) -> Option<u16> {
        if let Some((_, number)) = self.last.filter(|(last, _)| *last == id) {
            return Some(number);
        }
        let number = self.places.get(self.place(id)?).copied().filter(|number| *number != 0)?;
        self.last = Some((id, number));
        Some(number)
    }

    /// Names an instrument and gives its id a new number; `None`: no numbers are left.
    pub fn name(&mut self, instrument: Instrument) -> Option<u16> {
        if self.named.len() >= usize::from(self.most) {
            return None;
        }
        let place = self.place(instrument.id)?;
        let place = self.places.get_mut(place)?;
        self.named.push(instrument);
        *place = u16::try_from(self.named.len()).ok()?;
        self.last = Some((instrument.id, *place));
        Some(*place)
    }

    pub fn get_mut(&mut self, number: u16) -> Option<&mut Instrument> {
        self.named.get_mut(usize::from(number).checked_sub(1)?)
    }

    /// The levels last told of an instrument.
    pub fn tops_mut(&mut self, number: u16) -> Option<&mut Tops> {
        let index = usize::from(number).checked_sub(1)?;
        if self.tops.len() < self.named.len() {
            self.tops.resize(self.named.len(), Tops::default());
        }
        self.tops.get_mut(index)
    }

    /// Another stream begins: no snapshot goes on, and every symbol must be looked up again.
    pub fn begin_stream(&mut self) {
        for instrument in &mut self.named {
            (instrument.in_snapshot, instrument.is_stale) = (false, true);
        }
    }

    /// The place of an id, or the free one where it belongs. The table is never full: see [`Instruments::new`].
    fn place(&self, id: u32) -> Option<usize> {
        let mask = self.places.len() - 1;
        let home = (u64::from(id).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize;
        let is_place = |number: u16| match usize::from(number).checked_sub(1) {
            None => true,
            Some(index) => self.named.get(index).is_some_and(|known| known.id == id),
        };
        (0..self.places.len())
            .map(|step| home.wrapping_add(step) & mask)
            .find(|place| self.places.get(*place).copied().is_some_and(is_place))
    }
}

/// A number of the table as the engine knows it.
pub(super) fn number(number: u16) -> VenueNumber {
    VenueNumber(number.into())
}
