//! How positions follow the market. A new mark re-marks at once at most [`RE_MARKED_MAX`] accounts that hold or work the
//! instrument; whoever is left waits for his turn: at later marks, and at the latest at the next timer, which comes once there
//! was no other input for a while. Neither an order nor a trade waits: their own account and all above it are marked before.

use model::{AccountId, Currency, InstrumentId};

use crate::account::Worth;
use crate::ledger::{Pair, Risk};
use crate::line::Exposure;
use crate::listing::Listing;
use crate::market::Market;
use crate::path::ChainEntry;

/// Accounts that one event re-marks, besides one of an instrument that waits.
const RE_MARKED_MAX: u32 = 8;

/// Waiting instruments that an account is looked for in, in the time of one turn.
const LOOKS_A_TURN: u32 = 8;

/// No account.
pub(crate) const NOBODY: u16 = u16::MAX;

/// A pair's place among those that hold or work its instrument.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize, PartialEq)]
pub(crate) struct Turn {
    /// The account before and the one after it, in a ring.
    prev: u16,
    next: u16,
    /// Number of the mark that its worth was counted at.
    pub(crate) seen: u64,
}

/// Who holds or works an instrument, and who of them still counts it at an older mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Holders {
    /// Whose turn is next.
    turn: u16,
    /// How many there are.
    pub(crate) count: u16,
    /// How many of them count it at an older mark.
    pub(crate) late: u16,
    /// Whether the instrument is on the list of those that somebody is late in.
    pub(crate) waits: bool,
    /// Number of the present mark.
    pub(crate) mark: u64,
}

impl Turn {
    pub(crate) const NONE: Turn = Turn { prev: NOBODY, next: NOBODY, seen: 0 };
}

impl Holders {
    pub(crate) const NONE: Holders =
        Holders { turn: NOBODY, count: 0, late: 0, waits: false, mark: 0 };
}

impl Risk {
    /// Values the instrument at its market: the mid of a live book, else a trade that came after it, else as before. Positions
    /// are never without a value because the book is not live: an old mark counts more than none. To be called whenever the
    /// market moves, and by nobody's order: what one asks must not move what others hold.
    #[inline]
    pub fn mark(&mut self, instrument: InstrumentId, market: &Market) {
        let Some(listing) = self.listings.get_mut(instrument.0 as usize) else { return };
        let marks2 = market.marks2(listing.trade_seen);
        if market.mid2().is_some() {
            listing.trade_seen = market.last.map(|last| last.at);
        }
        if let (Some(mark2), Some(exit2)) = marks2 {
            self.set_mark(instrument, mark2, exit2);
        }
    }

    /// Re-marks every account that waits. To be called at every timer.
    pub fn catch_up(&mut self) {
        while let Some(instrument) = self.waiting.pop_front() {
            self.re_mark(instrument, u32::MAX);
            if let Some(listing) = self.listings.get_mut(instrument.0 as usize) {
                listing.holders.waits = false;
            }
        }
    }

    /// Values the instrument, and counts the worth of those who are exposed in it again.
    pub(crate) fn set_mark(&mut self, instrument: InstrumentId, mark2: i64, exit2: [i64; 2]) {
        let Some(listing) = self.listings.get_mut(instrument.0 as usize) else { return };
        if (listing.mark2, listing.exit2) == (mark2, exit2) {
            return;
        }
        (listing.mark2, listing.exit2) = (mark2, exit2);
        let holders = &mut listing.holders;
        let mut left = RE_MARKED_MAX;
        if holders.count > 0 {
            holders.mark += 1;
            holders.late = holders.count;
            left = self.re_mark(instrument, left);
            self.queue(instrument);
        }
        if !self.waiting.is_empty() {
            self.serve(left.max(1));
        }
    }

    /// Lets an instrument wait if somebody is late in it.
    fn queue(&mut self, instrument: InstrumentId) {
        let Some(listing) = self.listings.get_mut(instrument.0 as usize) else { return };
        if listing.holders.late > 0 && !listing.holders.waits {
            listing.holders.waits = true;
            self.waiting.push_back(instrument); // Within its capacity: each is in it once.
        }
    }

    /// Re-marks as many of those who wait, the instrument that waits longest first.
    fn serve(&mut self, mut left: u32) {
        while left > 0
            && let Some(instrument) = self.waiting.front().copied()
        {
            left = self.re_mark(instrument, left);
            let Some(listing) = self.listings.get_mut(instrument.0 as usize) else { return };
            if listing.holders.late == 0 {
                listing.holders.waits = false;
                self.waiting.pop_front();
            }
        }
    }

    /// Lets at most so many accounts have their turn in an instrument, until none is late; how many are left of `most`. Whatever
    /// else an account is marked in meanwhile counts too.
    fn re_mark(&mut self, instrument: InstrumentId, most: u32) -> u32 {
        let turns = self.listing(instrument).map_or(0, |listing| listing.holders.count);
        let mut left = most;
        for _ in 0..turns {
            let Some(listing) = self.listing(instrument) else { return left };
            let Holders { turn, late, mark, .. } = listing.holders;
            if late == 0 || left == 0 {
                return left;
            }
            let id = AccountId(turn);
            let Some(Turn { next, seen, .. }) = self.turn(self.place(id, instrument)) else {
                return left;
            };
            if let Some(listing) = self.listings.get_mut(instrument.0 as usize) {
                listing.holders.turn = next;
            }
            left -= 1;
            if seen != mark && self.recount(id, instrument, |_, _| {}) {
                left = left.saturating_sub(self.note_late(id));
            }
        }
        left
    }

    /// Looks at the profit of an account that may be late in other instruments. A loss or a highest profit that shows is looked
    /// at once more with all of them marked, so that none is noted of marks that never were at one time; one that does not show
    /// yet does when the last of them is. What it took, in turns.
    #[cold]
    pub(crate) fn note_late(&mut self, id: AccountId) -> u32 {
        if !self.account(id).is_some_and(|account| account.is_news(account.present_profit2())) {
            return 0;
        }
        let marked = self.recount_late(id);
        self.note_loss(id);
        marked + self.waiting.len() as u32 / LOOKS_A_TURN
    }

    /// Marks an account in every instrument that it is late in; how many that were.
    fn recount_late(&mut self, id: AccountId) -> u32 {
        let mut marked = 0;
        for place in 0..self.waiting.len() {
            let Some(instrument) = self.waiting.get(place).copied() else { break };
            let someone = self.listing(instrument).is_some_and(|l| l.holders.late > 0);
            if someone
                && self.late(id, instrument).is_some()
                && self.recount(id, instrument, |_, _| {})
            {
                marked += 1;
            }
        }
        marked
    }

    /// Marks an account and all above it in every instrument, before it is judged.
    pub(crate) fn settle_marks(&mut self, id: AccountId) {
        if !self.waiting.is_empty() {
            self.settle_late(id);
        }
    }

    #[cold]
    fn settle_late(&mut self, id: AccountId) {
        for id in self.path(id).iter() {
            if self.recount_late(id) > 0 {
                self.note_loss(id);
            }
        }
    }

    /// What a pair and its account would be worth if the pair became `exposure`, marked at a market.
    #[cold]
    pub(crate) fn worth_anew(
        &self,
        entry: &ChainEntry<'_>,
        instrument: InstrumentId,
        market: &Market,
        exposure: Exposure,
    ) -> [Worth; 2] {
        let &ChainEntry { id, account, pair, limits } = entry;
        let listing = self.listing(instrument).unwrap_or(&Listing::UNLISTED);
        let margin = limits.and_then(|limits| limits.margin);
        let line = listing.marks_in(market).worth(exposure, pair.line.cost, account, margin);
        if self.waiting.is_empty() && account.pockets.is_empty() {
            return [line, account.sums.worth.with(pair.line.worth, line)];
        }
        [line, self.worth_late(id, listing.money, instrument, line)]
    }

    /// Worth of an account's lines in its own currency if its line of `instrument` were worth `more`, the others that it
    /// counts at an older mark counted at the present one.
    #[cold]
    pub(crate) fn worth_late(
        &self,
        id: AccountId,
        money: Currency,
        instrument: InstrumentId,
        more: Worth,
    ) -> Worth {
        let Some(account) = self.account(id) else { return more };
        let less = self.pair(id, instrument).map_or(Worth::default(), |pair| pair.line.worth);
        account.worth_of(|pocket, worth| {
            let counts = |money| account.pocket_of(money) == pocket;
            let worth = if counts(money) { worth.with(less, more) } else { worth };
            self.waiting.iter().filter(|other| **other != instrument).fold(worth, |worth, other| {
                let (Some(pair), Some(listing)) = (self.late(id, *other), self.listing(*other))
                else {
                    return worth;
                };
                if !counts(listing.money) {
                    return worth;
                }
                let margin = self.limits(pair).and_then(|row| row.margin);
                let line = &pair.line;
                let more = listing.marks().worth(line.exposure, line.cost, account, margin);
                worth.with(line.worth, more)
            })
        })
    }

    /// The pair, if it is counted at an older mark.
    fn late(&self, id: AccountId, instrument: InstrumentId) -> Option<&Pair> {
        let mark = self.listing(instrument)?.holders.mark;
        self.pair(id, instrument)
            .filter(|pair| pair.line.exposure.worst() > 0 && pair.turn.seen != mark)
    }

    /// Takes a place in the ring, last in turn.
    pub(crate) fn join(&mut self, id: AccountId, instrument: InstrumentId) {
        let Some(listing) = self.listings.get_mut(instrument.0 as usize) else { return };
        listing.holders.count += 1;
        if listing.holders.turn == NOBODY {
            listing.holders.turn = id.0;
        }
        let next = listing.holders.turn;
        let prev =
            self.turn(self.place(AccountId(next), instrument)).map_or(id.0, |turn| turn.prev);
        let prev = if prev == NOBODY { id.0 } else { prev };
        self.link(prev, id.0, instrument);
        self.link(id.0, next, instrument);
    }

    pub(crate) fn leave(&mut self, id: AccountId, instrument: InstrumentId) {
        let Some(Turn { prev, next, seen }) = self.turn(self.place(id, instrument)) else { return };
        self.link(prev, next, instrument);
        let place = self.place(id, instrument);
        if let Some(pair) = self.pairs.get_mut(place) {
            pair.turn = Turn { seen, ..Turn::NONE };
        }
        let Some(listing) = self.listings.get_mut(instrument.0 as usize) else { return };
        listing.holders.count -= 1;
        if listing.holders.turn == id.0 {
            listing.holders.turn = if next == id.0 { NOBODY } else { next };
        }
    }

    fn link(&mut self, before: u16, after: u16, instrument: InstrumentId) {
        let [first, second] = [before, after].map(|id| self.place(AccountId(id), instrument));
        if let Some(pair) = self.pairs.get_mut(first) {
            pair.turn.next = after;
        }
        if let Some(pair) = self.pairs.get_mut(second) {
            pair.turn.prev = before;
        }
    }

    fn turn(&self, place: usize) -> Option<Turn> {
        self.pairs.get(place).map(|pair| pair.turn)
    }
}

#[cfg(test)]
mod tests;
