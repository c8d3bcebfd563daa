//! A split of an instrument: every position becomes `num / den` times as many units of as many parts of the price.
//!
//! All or nothing. No money moves: cost, realised profit, cash and fees stay to the last unit, positions and lots are scaled
//! exactly, and the marks are rounded against whoever holds (no longer than until the next price). Limits in quantity or
//! price units and what is known from elsewhere stay as the operator wrote them: who splits revises them.

use model::{AccountId, BooksRefusal, InstrumentId, Qty};

use crate::ledger::{Pair, Risk};

/// So many new units for so many old ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// New units.
    pub num: u32,
    /// Old units.
    pub den: u32,
}

impl Ratio {
    /// A whole number of units, scaled; `None` if that is no whole number of them.
    pub(crate) fn whole(self, units: i64) -> Result<i64, BooksRefusal> {
        let scaled = i128::from(units) * i128::from(self.num);
        let den = i128::from(self.den);
        if den == 0 || scaled % den != 0 {
            return Err(BooksRefusal::Fraction);
        }
        i64::try_from(scaled / den).map_err(|_| BooksRefusal::Overflow)
    }

    /// A price scaled the other way, rounded down or up.
    fn price(self, px2: i64, up: bool) -> Option<i64> {
        let scaled = i128::from(px2).checked_mul(self.den.into())?;
        let num = i128::from(self.num);
        let floor = scaled.checked_div_euclid(num)?;
        let rest = i128::from(up && scaled.checked_rem_euclid(num)? > 0);
        i64::try_from(floor + rest).ok()
    }
}

impl Risk {
    fn numbers(&self) -> impl Iterator<Item = AccountId> + use<> {
        (0..self.accounts.len() as u16).map(AccountId)
    }

    /// How many accounts hold a position that would be split; each of them can be.
    ///
    /// # Errors
    ///
    /// [`BooksRefusal`] says what is in the way.
    pub fn may_split(&self, instrument: InstrumentId, ratio: Ratio) -> Result<u32, BooksRefusal> {
        let listing = self.listing(instrument).ok_or(BooksRefusal::UnknownSymbol)?;
        if ratio.num == 0 || ratio.den == 0 {
            return Err(BooksRefusal::BadNumber);
        }
        let mut holders = 0;
        let pairs = self.numbers().filter_map(|id| self.pair(id, instrument));
        for Pair { line, .. } in pairs {
            if (line.exposure.working_buy, line.exposure.working_sell) != (Qty(0), Qty(0)) {
                return Err(BooksRefusal::Working);
            }
            holders += u32::from(ratio.whole(line.exposure.position.0)? != 0);
        }
        let [bid2, ask2] = listing.exit2;
        let marks = [listing.mark2, bid2, ask2].map(|px2| ratio.price(px2, true));
        if marks.contains(&None) { Err(BooksRefusal::Overflow) } else { Ok(holders) }
    }

    /// Splits an instrument, for every account at once. An account whose position is made of lots that are no whole number
    /// of new units knows no profit first in, first out until it is flat.
    ///
    /// # Errors
    ///
    /// Those of [`Risk::may_split`]; nothing changes.
    pub fn split(&mut self, instrument: InstrumentId, ratio: Ratio) -> Result<(), BooksRefusal> {
        self.may_split(instrument, ratio)?;
        if let Some(listing) = self.listings.get_mut(instrument.0 as usize) {
            let [bid2, ask2] = listing.exit2;
            let mark2 = ratio.price(listing.mark2, true);
            let exit2 = [ratio.price(bid2, false), ratio.price(ask2, true)];
            // They fit: `may_split` looked.
            listing.mark2 = mark2.unwrap_or(listing.mark2);
            listing.exit2 = exit2.map(Option::unwrap_or_default);
            // Nothing works, so that each holder has a position, and is counted anew.
        }
        for id in self.numbers() {
            let Some(&Pair { line, .. }) = self.pair(id, instrument) else { continue };
            let Ok(position) = ratio.whole(line.exposure.position.0) else { continue };
            self.lots.split(line.slot, ratio);
            if position != 0 {
                self.change(id, instrument, |line, _| line.exposure.position = Qty(position));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
