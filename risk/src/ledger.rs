//! The books of account: every account, instrument and pair. The gate and the venue's reports move them by
//! postings.

use model::{AccountId, HaltLevel, Instrument, InstrumentId, Money, Qty};

use crate::account::Account;
use crate::limits::{AccountLimits, Capacity, LimitError, PairLimits, nobody};
use crate::line::{Exposure, Line, NO_SLOT};
use crate::listing::Listing;
use crate::market::Market;
use crate::money;
use crate::reservation::Reservation;

/// Gate and books of account. All memory is taken at start; each table is dense, by the numbers of account
/// and instrument.
#[derive(Debug)]
pub struct Risk {
    pub(crate) capacity: Capacity,
    pub(crate) halt: HaltLevel,
    pub(crate) accounts: Vec<Account>,
    /// Stands in for an account that does not exist.
    pub(crate) nobody: Account,
    pub(crate) listings: Vec<Listing>,
    /// The accounts of an instrument lie together.
    pairs: Vec<Pair>,
    /// The pairs that were ever traded, in the order of their first order.
    pub(crate) slots: Vec<(AccountId, InstrumentId)>,
    /// Slots and accounts that changed and were not taken yet; each at most once.
    pub(crate) changed_lines: Vec<u32>,
    pub(crate) changed_accounts: Vec<AccountId>,
}

/// One account in one instrument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) line: Line,
    /// What the operator allows; `None`: nothing.
    pub(crate) limits: Option<PairLimits>,
}

/// What changes when an order holds something else than before, worked out beforehand so that making it
/// cannot fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posting {
    next: Reservation,
    working: Qty,
    reserved: Money,
}

impl Pair {
    pub(crate) const EMPTY: Pair = Pair { line: Line::EMPTY, limits: None };
}

impl Posting {
    /// What it takes to hold `next` instead of `held`; `None` on overflow.
    pub(crate) fn new(
        account: &Account,
        mut exposure: Exposure,
        held: &Reservation,
        next: Reservation,
    ) -> Option<Posting> {
        let others = exposure.working(held.side).0 - held.held_qty.0;
        let working = Qty(others.checked_add(next.held_qty.0)?);
        let reserved = account.reserved.minus(held.held_cash)?.plus(next.held_cash)?;
        Some(Posting { next, working, reserved })
    }
}

impl Risk {
    /// Allocates every table and touches its memory.
    pub fn new(capacity: Capacity) -> Risk {
        let (accounts, instruments) =
            (usize::from(capacity.accounts), capacity.instruments as usize);
        let (pairs, slots) = (accounts * instruments, capacity.lines as usize);
        Risk {
            capacity,
            halt: HaltLevel::Active,
            accounts: Vec::with_capacity(accounts),
            nobody: Account::new(nobody(), 0),
            listings: vec![Listing::UNLISTED; instruments],
            pairs: vec![Pair::EMPTY; pairs],
            slots: touched((AccountId(u16::MAX), InstrumentId(u32::MAX)), slots),
            changed_lines: touched(NO_SLOT, slots),
            changed_accounts: Vec::with_capacity(accounts),
        }
    }

    /// Adds an account and allocates its tables; accounts are numbered in the order in which they are added.
    ///
    /// # Errors
    ///
    /// [`LimitError::TooManyAccounts`], [`LimitError::NoCurrency`] or [`LimitError::OutOfRange`]; nothing is
    /// kept.
    pub fn add_account(&mut self, limits: AccountLimits) -> Result<AccountId, LimitError> {
        limits.validate()?;
        let id = AccountId(self.accounts.len() as u16);
        if id.0 >= self.capacity.accounts {
            return Err(LimitError::TooManyAccounts);
        }
        self.accounts.push(Account::new(limits, self.capacity.ids_per_account));
        Ok(id)
    }

    /// Lists an instrument, or takes its changed facts over. Never allocates: directory messages come at any
    /// time.
    ///
    /// # Errors
    ///
    /// [`LimitError::UnknownInstrument`] or [`LimitError::BadScale`]; nothing is kept.
    pub fn list(&mut self, instrument: &Instrument) -> Result<(), LimitError> {
        let listing = self.listings.get_mut(instrument.id.0 as usize);
        let listing = listing.ok_or(LimitError::UnknownInstrument)?;
        listing.list(instrument).ok_or(LimitError::BadScale)
    }

    /// Sets the limits of a pair; they hold from the next order on and cancel nothing. Never allocates.
    ///
    /// # Errors
    ///
    /// [`LimitError::UnknownAccount`], [`LimitError::UnknownInstrument`] or [`LimitError::OutOfRange`];
    /// nothing is kept.
    pub fn set_pair_limits(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        limits: PairLimits,
    ) -> Result<(), LimitError> {
        limits.validate()?;
        self.account(account).ok_or(LimitError::UnknownAccount)?;
        let place = self.place(account, instrument);
        let pair = self.pairs.get_mut(place).ok_or(LimitError::UnknownInstrument)?;
        pair.limits = Some(limits);
        note_line(&mut pair.line, &mut self.changed_lines);
        Ok(())
    }

    /// Values the instrument at its market: the mid of a live book, else the last trade, else as before.
    /// Positions are never without a value because the book is not live: an old mark counts more than none.
    pub fn mark(&mut self, instrument: InstrumentId, market: &Market) {
        if let Some(mark2) = market.mark2() {
            self.set_mark(instrument, mark2);
        }
    }

    /// Next account whose page changed since it was taken.
    pub fn take_changed_account(&mut self) -> Option<AccountId> {
        let id = self.changed_accounts.pop()?;
        if let Some(account) = self.accounts.get_mut(usize::from(id.0)) {
            account.is_changed = false;
        }
        Some(id)
    }

    /// Slot of the next line whose page changed since it was taken.
    pub fn take_changed_line(&mut self) -> Option<u32> {
        let slot = self.changed_lines.pop()?;
        let (account, instrument) = self.slots.get(slot as usize).copied()?;
        let place = self.place(account, instrument);
        if let Some(pair) = self.pairs.get_mut(place) {
            pair.line.is_changed = false;
        }
        Some(slot)
    }

    pub(crate) fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(usize::from(id.0))
    }

    /// A listed instrument, or one that is only within the capacity: its factor is zero.
    pub(crate) fn listing(&self, id: InstrumentId) -> Option<&Listing> {
        self.listings.get(id.0 as usize)
    }

    pub(crate) fn pair(&self, account: AccountId, instrument: InstrumentId) -> Option<&Pair> {
        self.pairs.get(self.place(account, instrument))
    }

    pub(crate) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    pub(crate) fn has_free_slot(&self) -> bool {
        self.slots.len() < self.capacity.lines as usize
    }

    /// Gives the pair its place in the list of lines at its first order. The gate saw that there is room.
    pub(crate) fn open_line(&mut self, account: AccountId, instrument: InstrumentId) {
        let (place, has_room) = (self.place(account, instrument), self.has_free_slot());
        let Some(Pair { line, .. }) = self.pairs.get_mut(place) else { return };
        if line.slot == NO_SLOT && has_room {
            line.slot = self.slots.len() as u32;
            self.slots.push((account, instrument));
        }
    }

    /// Lets the order hold what it will hold. Cannot fail.
    pub(crate) fn post(&mut self, held: &mut Reservation, posting: Posting) {
        let Posting { next, working, reserved } = posting;
        let (opens, closes) = (u32::from(next.is_open), u32::from(held.is_open));
        self.change(held.account, held.instrument, |line, account| {
            *line.exposure.working(next.side) = working;
            account.reserved = reserved;
            account.open_orders = (account.open_orders + opens).saturating_sub(closes);
        });
        *held = next;
    }

    pub(crate) fn note_account(&mut self, id: AccountId) {
        if let Some(account) = self.accounts.get_mut(usize::from(id.0)) {
            note_account(account, id, &mut self.changed_accounts);
        }
    }

    /// Changes a pair and its account, and counts the pair's exposure again.
    pub(crate) fn change(
        &mut self,
        id: AccountId,
        instrument: InstrumentId,
        change: impl FnOnce(&mut Line, &mut Account),
    ) {
        let place = self.place(id, instrument);
        let pair = self.pairs.get_mut(place);
        let account = self.accounts.get_mut(usize::from(id.0));
        let listing = self.listings.get_mut(instrument.0 as usize);
        let (Some(Pair { line, .. }), Some(account), Some(listing)) = (pair, account, listing)
        else {
            return;
        };
        let was_exposed = line.exposure.worst() > 0;
        let before = line.gross;
        change(line, account);
        let worst = line.exposure.worst();
        line.gross = money::exposure(worst, listing.mark2, listing.factor);
        account.gross.0 += line.gross.0 - before.0;
        match (was_exposed, worst > 0) {
            (false, true) => listing.exposed += 1,
            (true, false) => listing.exposed -= 1,
            _ => {}
        }
        note_line(line, &mut self.changed_lines);
        note_account(account, id, &mut self.changed_accounts);
    }

    /// Place of a pair in the dense table; beyond it if either number is beyond the capacity.
    fn place(&self, account: AccountId, instrument: InstrumentId) -> usize {
        if account.0 >= self.capacity.accounts {
            return usize::MAX;
        }
        instrument.0 as usize * usize::from(self.capacity.accounts) + usize::from(account.0)
    }

    /// Values the instrument, and counts the exposure of every account in it again.
    pub(crate) fn set_mark(&mut self, instrument: InstrumentId, mark2: i64) {
        let Some(listing) = self.listings.get_mut(instrument.0 as usize) else { return };
        if listing.mark2 == mark2 {
            return;
        }
        listing.mark2 = mark2;
        if listing.exposed == 0 {
            return;
        }
        for number in 0..self.accounts.len() {
            let id = AccountId(number as u16);
            let exposed = self.pair(id, instrument).is_some_and(|p| p.line.exposure.worst() > 0);
            if exposed {
                self.change(id, instrument, |_, _| {});
            }
        }
    }
}

/// An empty list whose memory is there from the start: no page of it is missing when it first grows.
fn touched<T: Clone>(filling: T, capacity: usize) -> Vec<T> {
    let mut list = vec![filling; capacity];
    list.clear();
    list
}

/// Puts a line on the list of changed ones; one without a slot has no page.
fn note_line(line: &mut Line, changed: &mut Vec<u32>) {
    if !line.is_changed && line.slot != NO_SLOT {
        line.is_changed = true;
        changed.push(line.slot);
    }
}

fn note_account(account: &mut Account, id: AccountId, changed: &mut Vec<AccountId>) {
    if !account.is_changed {
        account.is_changed = true;
        changed.push(id);
    }
}

#[cfg(test)]
mod tests;
