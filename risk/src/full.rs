//! Everything that decides a verdict, as text: for the engine's full hash.

use core::fmt::{self, Write};

use crate::ledger::{Pair, Risk};
use crate::line::NO_SLOT;

impl Risk {
    /// Writes every account, listed instrument, and pair that has limits or a line, in the order of their numbers. Not
    /// which pages changed since somebody took them: that is between the engine and its readers.
    ///
    /// # Errors
    ///
    /// Those of `to`.
    pub fn describe(&self, to: &mut impl Write) -> fmt::Result {
        write!(to, "{:?} {:?};", self.capacity, self.halt)?;
        for account in &self.accounts {
            let a = account;
            write!(to, "{:?} {:?} {} ", a.limits, a.halt, a.open_orders)?;
            write!(to, "{:?} {:?} {:?} {:?} ", a.cash, a.reserved, a.realised, a.gross)?;
            write!(to, "{:?} {} {};", a.rate, a.passed, a.refused)?;
            a.ids.entries().try_for_each(|entry| write!(to, "{entry:?};"))?;
        }
        for listing in self.listings.iter().filter(|listing| listing.factor != 0) {
            write!(to, "{listing:?};")?;
        }
        for (place, Pair { line, limits }) in self.pairs().iter().enumerate() {
            if limits.is_some() || line.slot != NO_SLOT {
                let l = line;
                write!(to, "{place} {limits:?} {:?} {} ", l.exposure, l.slot)?;
                write!(to, "{:?} {:?} {:?};", l.gross, l.cost, l.realised)?;
            }
        }
        write!(to, "{:?};", self.slots)
    }
}
