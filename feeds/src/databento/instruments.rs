//! Dense numbers for Databento's instrument ids: a fixed table by open addressing.

use model::{Cause, Symbol, Ts, VenueNumber};

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
    /// From this time on the id may have another symbol.
    pub until: Ts,
    /// Another number was given to its symbol: it is not told of, unless the id gets the symbol again.
    pub is_replaced: bool,
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

    /// Takes the symbol of `number` from whatever other number has it; which that was.
    pub fn replace(&mut self, number: u16, symbol: Symbol) -> Option<u16> {
        let place = usize::from(number).checked_sub(1);
        let mut others = self.named.iter_mut().enumerate();
        let is_other = |at: usize, other: &Instrument| {
            Some(at) != place && !other.is_replaced && other.symbol == symbol
        };
        let (at, other) = others.find(|(at, other)| is_other(*at, other))?;
        other.is_replaced = true;
        u16::try_from(at + 1).ok()
    }

    /// Another stream begins: no snapshot goes on, every symbol must be looked up again, and whether the books are still
    /// those of the stream before is not known.
    pub fn begin_stream(&mut self) {
        for instrument in &mut self.named {
            (instrument.in_snapshot, instrument.is_stale) = (false, true);
            if instrument.belief != Belief::NotStarted {
                instrument.belief = Belief::Doubtful(Cause::SessionEnd);
            }
        }
        self.tops.fill(Tops::default());
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
