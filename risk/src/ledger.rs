//! The books of account: every account, instrument and pair. The gate and the venue's reports move them by
//! postings.

use std::collections::VecDeque;

use model::{AccountId, Currency, HaltCause, HaltLevel, Instrument, InstrumentId, Money, Side};

use crate::account::{Account, Losses};
use crate::credit::Share;
use crate::halts::Halts;
use crate::ids::Ids;
use crate::limits::{AccountLimits, Capacity, LimitError, LossStops, Margin, PairLimits};
use crate::line::{Exposure, Line, NO_SLOT};
use crate::listing::{Listing, Reference};
use crate::lots::Lots;
use crate::marks::Turn;
use crate::own_quotes::{NIL, OwnQuotes};
use crate::path::Path;
use crate::reservation::Pricing;
use crate::rows::RowTable;
use crate::same_terms::SameTerms;

/// Gate and books of account. All memory is taken at start; each table is dense, by the numbers of account
/// and instrument.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Risk {
    pub(crate) capacity: Capacity,
    /// Which of how many engines have these accounts.
    pub(crate) share: Share,
    pub(crate) halts: Halts,
    #[serde(with = "model::snapshot::reserved")]
    pub(crate) accounts: Vec<Account>,
    /// Stands in for an account that does not exist.
    pub(crate) nobody: Account,
    #[serde(with = "model::snapshot::table")]
    pub(crate) listings: Vec<Listing>,
    /// Instruments in which somebody is not marked yet, the one that waits longest first; each at most once.
    #[serde(with = "model::snapshot::reserved")]
    pub(crate) waiting: VecDeque<InstrumentId>,
    /// The accounts of an instrument lie together.
    #[serde(with = "model::snapshot::table")]
    pub(crate) pairs: Vec<Pair>,
    /// Limits of pairs, each row once: many pairs share one.
    #[serde(with = "model::snapshot::reserved")]
    pub(crate) rows: RowTable,
    /// Prices of working orders, by their owner.
    pub(crate) quotes: OwnQuotes,
    /// The pairs that were ever traded, in the order of their first order.
    #[serde(with = "model::snapshot::reserved")]
    pub(crate) slots: Vec<(AccountId, InstrumentId)>,
    /// What positions are made of, for reports.
    pub(crate) lots: Lots,
    /// Slots and accounts that changed and were not taken yet; each at most once.
    #[serde(with = "model::snapshot::reserved")]
    pub(crate) changed_lines: Vec<u32>,
    #[serde(with = "model::snapshot::reserved")]
    pub(crate) changed_accounts: Vec<AccountId>,
    /// Accounts whose losses were not taken yet; each at most once.
    #[serde(with = "model::snapshot::reserved")]
    losses: Vec<(AccountId, HaltCause)>,
}

/// One account in one instrument.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Pair {
    pub(crate) line: Line,
    /// Row of what the operator allows; [`NO_ROW`]: nothing.
    pub(crate) row: u32,
    /// Its turn among those that hold or work the instrument.
    pub(crate) turn: Turn,
    /// Tops of the heaps of the prices that work beneath this account, buys and sells; only of an owner.
    pub(crate) quotes: [u32; 2],
}

/// No limits.
pub(crate) const NO_ROW: u32 = u32::MAX;

impl Pair {
    pub(crate) const EMPTY: Pair =
        Pair { line: Line::EMPTY, row: NO_ROW, turn: Turn::NONE, quotes: [NIL; 2] };
}

impl Risk {
    /// Allocates every table and touches its memory.
    pub fn new(capacity: Capacity) -> Risk {
        let (accounts, instruments) =
            (usize::from(capacity.accounts), capacity.instruments as usize);
        let (pairs, slots) = (accounts * instruments, capacity.lines as usize);
        Risk {
            capacity,
            share: Share::WHOLE,
            halts: Halts::ACTIVE,
            accounts: Vec::with_capacity(accounts),
            nobody: Account::new(AccountLimits::BLOCKED, Path::of(AccountId(u16::MAX)), 0),
            listings: vec![Listing::UNLISTED; instruments],
            waiting: VecDeque::with_capacity(instruments),
            pairs: vec![Pair::EMPTY; pairs],
            rows: RowTable::new(capacity.rows),
            quotes: OwnQuotes::new(capacity.orders),
            slots: touched((AccountId(u16::MAX), InstrumentId(u32::MAX)), slots),
            lots: Lots::new(capacity.lots, capacity.lines),
            changed_lines: touched(NO_SLOT, slots),
            changed_accounts: Vec::with_capacity(accounts),
            losses: Vec::with_capacity(accounts),
        }
    }

    /// Bytes that [`Risk::new`] and every account take: of accounts, of pairs of account and instrument, of lots.
    pub fn bytes(capacity: &Capacity) -> [u64; 3] {
        let size = |bytes: usize| bytes as u64;
        let &Capacity { accounts, instruments, lines, ids_per_account, orders, lots, rows } =
            capacity;
        let [accounts, instruments, lines] = [accounts.into(), instruments, lines].map(u64::from);
        let account = size(size_of::<Account>()) + Ids::bytes(ids_per_account) + SameTerms::BYTES;
        let accounts_bytes = accounts * account + OwnQuotes::bytes(orders);
        let pairs = accounts * instruments * size(size_of::<Pair>())
            + instruments * size(size_of::<Listing>() + size_of::<InstrumentId>())
            + lines * size(size_of::<(AccountId, InstrumentId)>() + size_of::<u32>())
            + RowTable::bytes(rows);
        [accounts_bytes, pairs, Lots::bytes(lots.into(), lines)]
    }

    /// Adds an account and allocates its tables; accounts are numbered in the order in which they are added. Of limits that are
    /// shared it has its part: see [`Risk::share`].
    ///
    /// # Errors
    ///
    /// [`LimitError::TooManyAccounts`], [`LimitError::NoCurrency`], [`LimitError::BadParent`],
    /// [`LimitError::TooManyCurrencies`] or [`LimitError::OutOfRange`]; nothing is kept.
    pub fn add_account(&mut self, limits: AccountLimits) -> Result<AccountId, LimitError> {
        limits.validate()?;
        let id = AccountId(self.accounts.len() as u16);
        if id.0 >= self.capacity.accounts {
            return Err(LimitError::TooManyAccounts);
        }
        let path = match limits.parent {
            None => Path::of(id),
            Some(parent) => {
                let above = self.account(parent).ok_or(LimitError::BadParent)?;
                let path = Path::beneath(id, above.path).ok_or(LimitError::BadParent)?;
                self.add_pockets(limits.currency, parent)?;
                path
            }
        };
        // The window of a rate has room for the whole limit, however the slices of it move.
        let whole = AccountLimits { cash: Money(self.share.of(limits.cash.0)), ..limits };
        let mut account = Account::new(whole, path, self.capacity.ids_per_account);
        account.limits = limits.part(self.share);
        self.accounts.push(account);
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

    /// Says what is known of an instrument from elsewhere, from the next order on. Never allocates.
    ///
    /// # Errors
    ///
    /// [`LimitError::UnknownInstrument`]; nothing is kept.
    pub fn set_reference(
        &mut self,
        instrument: InstrumentId,
        reference: Reference,
    ) -> Result<(), LimitError> {
        let listing = self.listings.get_mut(instrument.0 as usize);
        listing.ok_or(LimitError::UnknownInstrument)?.reference = reference;
        Ok(())
    }

    /// An operator saw what an account executed: it may execute as often again. Whether it exists.
    pub fn allow_executions(&mut self, id: AccountId) -> bool {
        let Some(account) = self.accounts.get_mut(usize::from(id.0)) else { return false };
        account.executions = 0;
        note_account(account, id, &mut self.changed_accounts);
        true
    }

    /// Sets the limits of a pair; they hold from the next order on and cancel nothing. Never allocates.
    ///
    /// # Errors
    ///
    /// [`LimitError::UnknownAccount`], [`LimitError::UnknownInstrument`], [`LimitError::OutOfRange`] or
    /// [`LimitError::TooManyRows`]; nothing is kept.
    pub fn set_pair_limits(
        &mut self,
        account: AccountId,
        instrument: InstrumentId,
        limits: PairLimits,
    ) -> Result<(), LimitError> {
        limits.validate()?;
        let at_exit = self.account(account).ok_or(LimitError::UnknownAccount)?.marks_at_exit();
        if limits.margin.is_some() && !at_exit {
            return Err(LimitError::MarginAtMid);
        }
        let place = self.place(account, instrument);
        let pair = self.pairs.get_mut(place).ok_or(LimitError::UnknownInstrument)?;
        let row = self.rows.find_or_push(limits, self.capacity.rows);
        pair.row = row.ok_or(LimitError::TooManyRows)?;
        self.change(account, instrument, |_, _| {}); // Its margin may be another.
        Ok(())
    }

    /// Begins a session: what traded is counted from zero, losses from the present profit. Positions, orders
    /// and the highest equity stay.
    pub fn begin_session(&mut self) {
        self.catch_up();
        for account in &mut self.accounts {
            account.sums.traded = Money::ZERO;
            account.pockets.iter_mut().for_each(|pocket| pocket.sums.traded = Money::ZERO);
            (account.orders, account.trades) = (0, 0);
            account.base2 = account.present_profit2();
        }
        (0..self.accounts.len()).for_each(|number| self.note_account(AccountId(number as u16)));
    }

    /// Whether an account lost more than it may and nobody took it yet.
    pub fn has_losses(&self) -> bool {
        !self.losses.is_empty()
    }

    /// Next account that lost more than it may: at what level it must halt, and why. Told once, until its halt is lowered, and
    /// also if the loss is gone by now.
    pub fn take_loss(&mut self) -> Option<(AccountId, HaltLevel, HaltCause)> {
        let (id, cause) = self.losses.pop()?;
        let level = match self.account(id)?.limits.loss_stops {
            LossStops::Increase => HaltLevel::ReduceOnly,
            LossStops::All => HaltLevel::CancelOnly,
        };
        Some((id, level, cause))
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

    /// What the operator allows a pair; `None`: nothing.
    pub(crate) fn limits(&self, pair: &Pair) -> Option<&PairLimits> {
        self.rows.get(pair.row)
    }

    pub(crate) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// Gives a pair another row; its line, if it has one, changed.
    pub(crate) fn set_row(&mut self, account: AccountId, instrument: InstrumentId, row: u32) {
        let place = self.place(account, instrument);
        if let Some(pair) = self.pairs.get_mut(place) {
            pair.row = row;
            note_line(&mut pair.line, &mut self.changed_lines);
        }
    }

    /// The accounts that an order of this one counts on.
    pub(crate) fn path(&self, id: AccountId) -> Path {
        self.account(id).map_or(Path::of(id), |account| account.path)
    }

    /// How orders of a pair turn into money.
    pub(crate) fn pricing(&self, account: AccountId, instrument: InstrumentId) -> Pricing {
        let factor = self.listing(instrument).map_or(0, |listing| listing.factor);
        let pair = self.pair(account, instrument).unwrap_or(&Pair::EMPTY);
        let limits = self.limits(pair).unwrap_or(&PairLimits::BLOCKED);
        let rule = self.account(account).unwrap_or(&self.nobody).limits.change_rule;
        Pricing { factor, fee: limits.fee, rule }
    }

    /// The currency that an instrument is counted in.
    pub(crate) fn money_of(&self, instrument: InstrumentId) -> Currency {
        self.listing(instrument).map_or([0; 8], |listing| listing.money)
    }

    /// Looks at the profit of an account again, after it may have moved.
    pub(crate) fn note_profit(&mut self, id: AccountId) {
        if self.waiting.is_empty() {
            self.note_loss(id);
        } else {
            self.note_late(id);
        }
    }

    /// Notes the highest profit, and a loss beyond its limit that nobody was told of.
    pub(crate) fn note_loss(&mut self, id: AccountId) {
        let Some(account) = self.accounts.get_mut(usize::from(id.0)) else { return };
        let profit2 = account.present_profit2();
        account.peak2 = account.peak2.max(profit2);
        if account.losses == Losses::Told {
            return;
        }
        account.losses = Losses::Within;
        if let Some(cause) = account.lost(profit2) {
            account.losses = Losses::Told;
            self.losses.push((id, cause)); // Within its capacity: each account is in it once at most.
        }
    }

    /// Places left in the list of lines.
    pub(crate) fn free_slots(&self) -> usize {
        (self.capacity.lines as usize).saturating_sub(self.slots.len())
    }

    /// Gives the pair, on each account of its path, its place in the list of lines at its first order. The
    /// gate saw that there is room.
    pub(crate) fn open_lines(&mut self, account: AccountId, instrument: InstrumentId) {
        for id in self.path(account).iter() {
            let (place, has_room) = (self.place(id, instrument), self.free_slots() > 0);
            let Some(Pair { line, .. }) = self.pairs.get_mut(place) else { return };
            if line.slot == NO_SLOT && has_room {
                line.slot = self.slots.len() as u32;
                self.slots.push((id, instrument));
            }
        }
    }

    pub(crate) fn note_line(&mut self, id: AccountId, instrument: InstrumentId) {
        let place = self.place(id, instrument);
        if let Some(pair) = self.pairs.get_mut(place) {
            note_line(&mut pair.line, &mut self.changed_lines);
        }
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
        if self.recount(id, instrument, change) {
            self.note_profit(id);
        }
    }

    /// The same; whether the account's profit may have moved, which nobody looked at yet.
    #[inline(always)]
    pub(crate) fn recount(
        &mut self,
        id: AccountId,
        instrument: InstrumentId,
        change: impl FnOnce(&mut Line, &mut Account),
    ) -> bool {
        let place = self.place(id, instrument);
        let pair = self.pairs.get_mut(place);
        let account = self.accounts.get_mut(usize::from(id.0));
        let listing = self.listings.get_mut(instrument.0 as usize);
        let (Some(pair), Some(account), Some(listing)) = (pair, account, listing) else {
            return false;
        };
        let Pair { line, row, turn, .. } = pair;
        let margin = self.rows.get(*row).and_then(|row| row.margin);
        let before = (line.exposure, line.cost);
        let was_exposed = before.0.is_any();
        change(line, account);
        let is_held_the_same = (before.0.position, before.1) == (line.exposure.position, line.cost);
        // What is held is worth what it was, if only orders changed.
        let is_worth_the_same = is_held_the_same && turn.seen == listing.holders.mark;
        if is_worth_the_same {
            rework(before.0, line, account, listing, margin);
        } else {
            revalue(line, account, listing, margin);
        }
        let is_due = !is_worth_the_same || account.losses == Losses::Due;
        let is_exposed = line.exposure.is_any();
        if turn.seen != listing.holders.mark {
            turn.seen = listing.holders.mark;
            let was_late = u16::from(was_exposed);
            listing.holders.late = listing.holders.late.saturating_sub(was_late);
        }
        note_line(line, &mut self.changed_lines);
        note_account(account, id, &mut self.changed_accounts);
        match (was_exposed, is_exposed) {
            (false, true) => self.join(id, instrument),
            (true, false) => self.leave(id, instrument),
            _ => {}
        }
        is_due
    }

    /// Place of a pair in the dense table; beyond it if either number is beyond the capacity.
    pub(crate) fn place(&self, account: AccountId, instrument: InstrumentId) -> usize {
        if account.0 >= self.capacity.accounts {
            return usize::MAX;
        }
        instrument.0 as usize * usize::from(self.capacity.accounts) + usize::from(account.0)
    }
}

/// Counts the worth of a line, and with it that of its account, at the present marks.
fn revalue(line: &mut Line, account: &mut Account, listing: &Listing, margin: Option<Margin>) {
    let worth = listing.marks().worth(line.exposure, line.cost, account, margin);
    if let Some(sums) = account.sums_in_mut(listing.money) {
        sums.worth = sums.worth.with(line.worth, worth);
    }
    line.worth = worth;
}

/// The same of a line that was counted at these marks already, and of which only working quantities changed.
#[inline(always)]
fn rework(
    before: Exposure,
    line: &mut Line,
    account: &mut Account,
    listing: &Listing,
    margin: Option<Margin>,
) {
    if before == line.exposure {
        return revalue(line, account, listing, margin); // Its margin may be another.
    }
    let (marks, exposure) = (listing.marks(), &line.exposure);
    let Some(sums) = account.sums_in_mut(listing.money) else {
        return revalue(line, account, listing, margin);
    };
    if before.working_buy != exposure.working_buy {
        marks.rework(Side::Buy, exposure, margin, &mut line.worth, &mut sums.worth);
    }
    if before.working_sell != exposure.working_sell {
        marks.rework(Side::Sell, exposure, margin, &mut line.worth, &mut sums.worth);
    }
    debug_assert_eq!(line.worth, marks.worth(line.exposure, line.cost, account, margin));
}

/// An empty list whose memory is there from the start: no page of it is missing when it first grows.
pub(crate) fn touched<T: Clone>(filling: T, capacity: usize) -> Vec<T> {
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

pub(crate) fn note_account(account: &mut Account, id: AccountId, changed: &mut Vec<AccountId>) {
    if !account.is_changed {
        account.is_changed = true;
        changed.push(id);
    }
}

#[cfg(test)]
mod tests;
