//! Everything that decides a verdict, as text: for the engine's full hash.

use core::fmt::{self, Write};

use model::Side;

use crate::account::Account;
use crate::ledger::{Pair, Risk};
use crate::line::{Line, NO_SLOT};

impl Risk {
    /// Writes every account, listed instrument, and pair that has limits or a line, in the order of their numbers. Not
    /// which pages changed since somebody took them: that is between the engine and its readers.
    ///
    /// # Errors
    ///
    /// Those of `to`.
    pub fn describe(&self, to: &mut impl Write) -> fmt::Result {
        write!(to, "{:?} {:?};", self.capacity, self.halts)?;
        self.accounts.iter().try_for_each(|account| describe_account(account, to))?;
        for listing in self.listings.iter().filter(|listing| listing.factor != 0) {
            write!(to, "{listing:?};")?;
        }
        for (place, pair) in self.pairs().iter().enumerate() {
            let (Pair { line, quotes, turn, .. }, limits) = (pair, self.limits(pair));
            if limits.is_some() || line.slot != NO_SLOT {
                let Line { exposure, slot, worth, cost, realised, is_changed: _ } = line;
                write!(
                    to,
                    "{place} {limits:?} {exposure:?} {slot} {worth:?} {cost:?} {realised:?} {turn:?} "
                )?;
                let (gap, lots) = self.lots.describe(*slot);
                write!(to, "{gap:?};")?;
                lots.into_iter().try_for_each(|lot| write!(to, "{lot:?};"))?;
                for (side, top) in [Side::Buy, Side::Sell].into_iter().zip(quotes) {
                    write!(to, "{:?};", self.quotes.best(*top, side))?;
                }
            }
        }
        write!(to, "{:?} {:?};", self.slots, self.waiting)
    }
}

fn describe_account(account: &Account, to: &mut impl Write) -> fmt::Result {
    let Account {
        limits,
        path,
        halt,
        open_orders,
        sums,
        pockets,
        losses,
        base2,
        peak2,
        rate,
        volume,
        orders,
        trades,
        executions,
        ids,
        same_terms,
        passed,
        refused,
        is_changed: _,
    } = account;
    write!(to, "{limits:?} {path:?} {halt:?} {open_orders} {sums:?} {pockets:?} ")?;
    write!(to, "{losses:?} {base2} {peak2} ")?;
    write!(to, "{rate:?} {volume:?} {orders} {trades} {executions} {passed} {refused};")?;
    write!(to, "{same_terms:?};")?;
    ids.entries().try_for_each(|entry| write!(to, "{entry:?};"))
}
