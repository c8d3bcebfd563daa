//! The books of account: every account, instrument and pair, and how reports move them.

use model::{
    AccountId, HaltLevel, HaltScope, Instrument, InstrumentId, Money, OutOfRange, Px, Qty, Side,
};

use crate::account::Account;
use crate::limits::{AccountLimits, Capacity, LimitError, PairLimits};
use crate::line::{Line, NO_SLOT};
use crate::listing::Listing;
use crate::market::{Market, twice};
use crate::money;
use crate::reservation::{Reservation, Terms};

/// Gate and books of account. All memory is taken at start; each table is dense, by the numbers of account and instrument.
#[derive(Debug)]
pub struct Risk {
    pub(crate) capacity: Capacity,
    pub(crate) halt: HaltLevel,
    pub(crate) accounts: Vec<Account>,
    pub(crate) listings: Vec<Listing>,
    /// By pair: the accounts of an instrument lie together.
    lines: Vec<Line>,
    limits: Vec<Option<PairLimits>>,
    /// The pairs that were ever traded, in the order of their first order.
    pub(crate) slots: Vec<(AccountId, InstrumentId)>,
    /// Slots and accounts that changed and were not taken yet; each at most once.
    pub(crate) changed_lines: Vec<u32>,
    pub(crate) changed_accounts: Vec<AccountId>,
}

/// What a fill did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Quantity of the order that can still fill; zero: the order is done.
    pub open: Qty,
    /// Quantity filled beyond what the order could fill. It counts in the position, for the venue is the truth, but
    /// whoever sees it should stop and compare books.
    pub excess: Qty,
}

/// A change of the books worked out beforehand, so that making it cannot fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posting {
    next: Reservation,
    line: Line,
    cash: Money,
    reserved: Money,
    realised: Money,
}

impl Risk {
    /// Allocates every table.
    pub fn new(capacity: Capacity) -> Risk {
        let (accounts, instruments) =
            (usize::from(capacity.accounts), capacity.instruments as usize);
        let (pairs, slots) = (accounts * instruments, capacity.lines as usize);
        Risk {
            capacity,
            halt: HaltLevel::Active,
            accounts: Vec::with_capacity(accounts),
            listings: vec![Listing::UNLISTED; instruments],
            lines: vec![Line::EMPTY; pairs],
            limits: vec![None; pairs],
            slots: Vec::with_capacity(slots),
            changed_lines: Vec::with_capacity(slots),
            changed_accounts: Vec::with_capacity(accounts),
        }
    }

    /// Adds an account and allocates its tables; accounts are numbered in the order in which they are added.
    ///
    /// # Errors
    ///
    /// [`LimitError::TooManyAccounts`], [`LimitError::NoCurrency`] or [`LimitError::OutOfRange`]; nothing is kept.
    pub fn add_account(&mut self, limits: AccountLimits) -> Result<AccountId, LimitError> {
        limits.validate()?;
        let id = AccountId(self.accounts.len() as u16);
        if id.0 >= self.capacity.accounts {
            return Err(LimitError::TooManyAccounts);
        }
        self.accounts.push(Account::new(limits, self.capacity.ids_per_account));
        Ok(id)
    }

    /// Lists an instrument, or takes its changed facts over. Never allocates: directory messages come at any time.
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
    /// [`LimitError::UnknownAccount`], [`LimitError::UnknownInstrument`] or [`LimitError::OutOfRange`]; nothing is kept.
    pub fn set_pair_limits(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        limits: PairLimits,
    ) -> Result<(), LimitError> {
        limits.validate()?;
        self.account(account).ok_or(LimitError::UnknownAccount)?;
        let pair = self.pair(account, instrument);
        *self.limits.get_mut(pair).ok_or(LimitError::UnknownInstrument)? = Some(limits);
        self.note_line(account, instrument);
        Ok(())
    }

    /// Books a fill: working quantity becomes position, reserved cash becomes spent cash. The worst-case position does not
    /// move, for it counted the fill already. Valid also after the order ended: a late fill is still a fill.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if the quantity is not positive or a sum does not fit its type. Nothing is booked, and the account is
    /// halted: its books are no longer the venue's.
    pub fn fill(&mut self, held: &mut Reservation, px: Px, qty: Qty) -> Result<Filled, OutOfRange> {
        // A position without a mark would not count as exposure.
        let unmarked = self.listing(held.instrument).is_some_and(|listing| listing.mark2 == 0);
        if let Some(px2) = twice(px).filter(|_| unmarked) {
            self.set_mark(held.instrument, px2);
        }
        let excess = Qty((qty.0.saturating_sub(held.held_qty.0)).max(0));
        let posting = self.fill_posting(held, px, qty);
        self.book(held, posting)?;
        Ok(Filled { open: held.open(), excess })
    }

    /// The order ended without filling more: cancelled, rejected, expired. Frees all that it still holds.
    pub fn release(&mut self, held: &mut Reservation) {
        let next = Reservation {
            is_open: false,
            change: None,
            held_qty: Qty(0),
            held_cash: Money::ZERO,
            ..*held
        };
        if let Some(posting) = self.posting(held, next) {
            self.post(held, posting);
        }
    }

    /// The venue took new terms, which are the truth even if they are not those that were asked for. The order is done if
    /// they leave nothing open. Does nothing to an order that is not open.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if a sum does not fit its type; nothing is booked, and the account is halted.
    pub fn replaced(&mut self, held: &mut Reservation, px: Px, qty: Qty) -> Result<(), OutOfRange> {
        self.retermed(held, Terms { px, qty })
    }

    /// The venue refused the replace: the old terms stand alone again. Does nothing to an order that is not open.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if a sum does not fit its type; nothing is booked, and the account is halted.
    pub fn replace_rejected(&mut self, held: &mut Reservation) -> Result<(), OutOfRange> {
        self.retermed(held, held.terms)
    }

    /// Values the instrument at its market: the mid of a live book, else the last trade, else as before. Positions are
    /// never without a value because the book is not live: an old mark counts more than none.
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
        let pair = self.pair(account, instrument);
        if let Some(line) = self.lines.get_mut(pair) {
            line.is_changed = false;
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

    pub(crate) fn line(&self, account: AccountId, instrument: InstrumentId) -> Option<&Line> {
        self.lines.get(self.pair(account, instrument))
    }

    pub(crate) fn pair_limits(
        &self,
        account: AccountId,
        instrument: InstrumentId,
    ) -> Option<&PairLimits> {
        self.limits.get(self.pair(account, instrument))?.as_ref()
    }

    /// Gives the pair its place in the list of lines at its first order. The gate saw that there is room.
    pub(crate) fn open_line(&mut self, account: AccountId, instrument: InstrumentId) {
        let (pair, slot) = (self.pair(account, instrument), self.slots.len());
        let Some(line) = self.lines.get_mut(pair) else { return };
        if line.slot == NO_SLOT && slot < self.capacity.lines as usize {
            line.slot = slot as u32;
            self.slots.push((account, instrument));
        }
    }

    /// What it takes to let the order hold `next` instead of `held`; `None` on overflow.
    pub(crate) fn posting(&self, held: &Reservation, next: Reservation) -> Option<Posting> {
        let account = self.account(held.account)?;
        let mut line = *self.line(held.account, held.instrument)?;
        let working = line.working(held.side);
        let grown =
            i128::from(working.0) - i128::from(held.held_qty.0) + i128::from(next.held_qty.0);
        *working = Qty(i64::try_from(grown).ok()?);
        let reserved = account.reserved.minus(held.held_cash)?.plus(next.held_cash)?;
        Some(Posting { next, line, cash: account.cash, reserved, realised: account.realised })
    }

    /// Makes a change of the books. Cannot fail.
    pub(crate) fn post(&mut self, held: &mut Reservation, posting: Posting) {
        let Posting { next, line: mut after, cash, reserved, realised } = posting;
        let pair = self.pair(held.account, held.instrument);
        let account = self.accounts.get_mut(usize::from(held.account.0));
        let listing = self.listings.get_mut(held.instrument.0 as usize);
        let line = self.lines.get_mut(pair);
        let (Some(line), Some(account), Some(listing)) = (line, account, listing) else { return };
        after.gross = money::exposure(after.worst(), listing.mark2, listing.factor);
        account.gross.0 += after.gross.0 - line.gross.0;
        account.cash = cash;
        account.reserved = reserved;
        account.realised = realised;
        account.open_orders += u32::from(next.is_open);
        account.open_orders = account.open_orders.saturating_sub(held.is_open.into());
        match (line.worst() > 0, after.worst() > 0) {
            (false, true) => listing.exposed += 1,
            (true, false) => listing.exposed -= 1,
            _ => {}
        }
        // The slot may have been given after the change was worked out.
        (after.slot, after.is_changed) = (line.slot, line.is_changed);
        *line = after;
        *held = next;
        self.note_account(next.account);
        self.note_line(next.account, next.instrument);
    }

    pub(crate) fn note_account(&mut self, id: AccountId) {
        let Some(account) = self.accounts.get_mut(usize::from(id.0)) else { return };
        if !account.is_changed {
            account.is_changed = true;
            self.changed_accounts.push(id);
        }
    }

    fn note_line(&mut self, account: AccountId, instrument: InstrumentId) {
        let pair = self.pair(account, instrument);
        let Some(line) = self.lines.get_mut(pair) else { return };
        if !line.is_changed && line.slot != NO_SLOT {
            line.is_changed = true;
            self.changed_lines.push(line.slot);
        }
    }

    /// Place of a pair in the dense tables; beyond them if either number is beyond the capacity.
    fn pair(&self, account: AccountId, instrument: InstrumentId) -> usize {
        let accounts = usize::from(self.capacity.accounts);
        if account.0 >= self.capacity.accounts {
            return usize::MAX;
        }
        instrument.0 as usize * accounts + usize::from(account.0)
    }

    fn fill_posting(&self, held: &Reservation, px: Px, qty: Qty) -> Option<Posting> {
        if qty.0 <= 0 {
            return None;
        }
        let factor = self.listing(held.instrument)?.factor;
        let mut next = Reservation { filled: Qty(held.filled.0.checked_add(qty.0)?), ..*held };
        if held.is_open {
            next = next.held(factor)?;
        }
        let mut posting = self.posting(held, next)?;
        let before = posting.line;
        posting.line = before.traded(held.side, px, qty, factor)?;
        let gain = posting.line.realised.minus(before.realised)?;
        posting.realised = posting.realised.plus(gain)?;
        let amount = money::notional(px, qty, factor)?;
        posting.cash = match held.side {
            Side::Buy => posting.cash.minus(amount)?,
            Side::Sell => posting.cash.plus(amount)?,
        };
        Some(posting)
    }

    fn retermed(&mut self, held: &mut Reservation, terms: Terms) -> Result<(), OutOfRange> {
        if !held.is_open {
            return Ok(());
        }
        let next = Reservation { terms, change: None, ..*held };
        let factor = self.listing(held.instrument).map_or(0, |listing| listing.factor);
        let posting = next.held(factor).and_then(|next| self.posting(held, next));
        self.book(held, posting)
    }

    /// Makes a change that the venue reported; halts the account if it does not fit the books.
    fn book(&mut self, held: &mut Reservation, posting: Option<Posting>) -> Result<(), OutOfRange> {
        match posting {
            Some(posting) => {
                self.post(held, posting);
                Ok(())
            }
            None => {
                self.raise_halt(HaltScope::Account(held.account), HaltLevel::Halted);
                Err(OutOfRange)
            }
        }
    }

    /// Values the instrument, and counts the exposure of every account in it again.
    fn set_mark(&mut self, instrument: InstrumentId, mark2: u64) {
        let Some(listing) = self.listings.get_mut(instrument.0 as usize) else { return };
        let (exposed, factor) = (listing.exposed, listing.factor);
        if listing.mark2 == mark2 {
            return;
        }
        listing.mark2 = mark2;
        if exposed == 0 {
            return;
        }
        for number in 0..self.accounts.len() {
            let id = AccountId(number as u16);
            let pair = self.pair(id, instrument);
            let Some(line) = self.lines.get_mut(pair).filter(|line| line.worst() > 0) else {
                continue;
            };
            let gross = money::exposure(line.worst(), mark2, factor);
            let grown = gross.0 - line.gross.0;
            line.gross = gross;
            if let Some(account) = self.accounts.get_mut(number) {
                account.gross.0 += grown;
            }
            self.note_account(id);
            self.note_line(id, instrument);
        }
    }
}
