//! Other limits while the books stay: positions, orders, windows, counters and halts are kept.
//!
//! Flow: somebody else's thread allocates what the new limits need ([`NewLimits::new`]) → [`Risk::relimit`] swaps it in, never
//! allocates, and leaves the old tables in its place → they are dropped where nobody waits for it.

use model::{AccountId, InstrumentId, Ts};

use crate::account::Losses;
use crate::ledger::{NO_ROW, Risk};
use crate::limits::{AccountLimits, LimitError, PairLimits};
use crate::rate::RateWindow;
use crate::rows::RowTable;
use crate::same_terms::SameTerms;

/// New limits of every account with the tables that they need. Once taken it holds the old ones.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct NewLimits {
    accounts: Vec<NewAccount>,
    rows: Rows,
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct NewAccount {
    /// Those before them: what slices of them become depends on both.
    old: AccountLimits,
    limits: AccountLimits,
    rate: RateWindow,
    same_terms: SameTerms,
}

/// Rows of limits that pairs share.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Rows {
    #[serde(with = "model::snapshot::reserved")]
    list: RowTable,
    most: u32,
}

impl Rows {
    /// The number of a row that says this, which is added if there is none. `None`: the limits are out of range, or there is no
    /// room.
    pub fn push(&mut self, limits: PairLimits) -> Option<u32> {
        limits.validate().ok()?;
        self.list.find_or_push(limits, self.most)
    }

    /// A row that lets nothing pass in place of `old`. Its working orders are charged the fee that they were sent under, and its
    /// position takes as much margin as before: what is tighter must not free equity for other instruments.
    fn blocked(&mut self, old: &PairLimits) -> Option<u32> {
        self.push(PairLimits { fee: old.fee, margin: old.margin, ..PairLimits::BLOCKED })
    }
}

impl NewLimits {
    /// Allocates tables for accounts that have `old` limits and shall have `new` ones, and for `rows` rows of pairs.
    ///
    /// # Errors
    ///
    /// [`LimitError::TooManyAccounts`] if they are not as many; [`LimitError::Fixed`] if a name, parent, currency, starting cash
    /// or kind of mark changes; [`LimitError::OutOfRange`].
    pub fn new(
        old: &[AccountLimits],
        new: &[AccountLimits],
        rows: u32,
    ) -> Result<NewLimits, LimitError> {
        if old.len() != new.len() {
            return Err(LimitError::TooManyAccounts);
        }
        let account = |(old, new): (&AccountLimits, &AccountLimits)| {
            new.validate()?;
            if fixed(old) != fixed(new) {
                return Err(LimitError::Fixed);
            }
            // A table that is there is kept.
            let terms = new.duplicates.filter(|_| old.duplicates.is_none());
            Ok(NewAccount {
                old: *old,
                limits: *new,
                rate: RateWindow::new(new.rate_max, new.rate_window_ns),
                same_terms: SameTerms::new(terms),
            })
        };
        let accounts = old.iter().zip(new).map(account).collect::<Result<_, _>>()?;
        Ok(NewLimits { accounts, rows: Rows { list: RowTable::new(rows), most: rows } })
    }
}

/// What of an account never changes while its books are kept.
fn fixed(limits: &AccountLimits) -> impl PartialEq {
    let AccountLimits { name, parent, currency, cash, mark_at, change_rule, .. } = *limits;
    (name, parent, currency, cash, mark_at, change_rule)
}

impl Risk {
    /// Takes new limits, which hold from the next order on and cancel nothing. `row` puts the limits of a pair into the table,
    /// or finds where they are; `None`: it has none. Never allocates.
    ///
    /// A pair that has no limits any more lets nothing pass, and its working orders are charged as before.
    ///
    /// # Errors
    ///
    /// [`LimitError::Fixed`] if they were made for other accounts; nothing is changed.
    pub fn relimit(
        &mut self,
        new: &mut NewLimits,
        now: Ts,
        mut row: impl FnMut(&mut Rows, AccountId, InstrumentId) -> Option<u32>,
    ) -> Result<(), LimitError> {
        let share = self.share;
        let same = |(account, new): (&crate::account::Account, &NewAccount)| {
            let part = new.limits.part(share);
            fixed(&account.limits) == fixed(&part)
        };
        if new.accounts.len() != self.accounts.len()
            || !self.accounts.iter().zip(&new.accounts).all(same)
        {
            return Err(LimitError::Fixed);
        }
        self.relimit_accounts(new, now);
        std::mem::swap(&mut self.rows, &mut new.rows.list);
        std::mem::swap(&mut self.capacity.rows, &mut new.rows.most);
        let mut rows = Rows { list: std::mem::take(&mut self.rows), most: self.capacity.rows };
        let (mut blocked, mut untraded) = (None, None);
        for number in 0..self.capacity.instruments {
            let instrument = InstrumentId(number);
            if self.listing(instrument).is_none_or(|listing| listing.factor == 0) {
                continue;
            }
            for account in (0..self.accounts.len() as u16).map(AccountId) {
                let standing = self.pair(account, instrument).map_or(NO_ROW, |pair| pair.row);
                let given = row(&mut rows, account, instrument);
                let given = given.filter(|row| *row < rows.list.len());
                let number = given.or_else(|| {
                    let old = new.rows.list.get(standing)?;
                    if !self.has_line(account, instrument) {
                        // It was never traded: nothing is charged or takes margin.
                        untraded = untraded.or_else(|| rows.push(PairLimits::BLOCKED));
                        return untraded;
                    }
                    // Many pairs share a row: its successor is looked for once.
                    let known = blocked.filter(|(of, _)| *of == standing).map(|(_, row)| row);
                    let found = known.or_else(|| rows.blocked(old))?;
                    blocked = Some((standing, found));
                    Some(found)
                });
                self.set_row(account, instrument, number.unwrap_or(NO_ROW));
            }
        }
        self.rows = rows.list;
        // What a position takes, and what an account may lose, is another.
        for slot in 0..self.slots.len() {
            let Some((account, instrument)) = self.slots.get(slot).copied() else { continue };
            self.change(account, instrument, |_, _| {});
        }
        (0..self.accounts.len()).for_each(|number| self.note_account(AccountId(number as u16)));
        Ok(())
    }

    fn relimit_accounts(&mut self, new: &mut NewLimits, now: Ts) {
        let share = self.share;
        for (account, new) in self.accounts.iter_mut().zip(&mut new.accounts) {
            let rate = |limits: &AccountLimits| (limits.rate_max, limits.rate_window_ns);
            let changes_rate = rate(&new.old) != rate(&new.limits);
            if !share.is_whole() {
                new.limits = new.limits.part_after(&new.old, &account.limits, share);
            }
            std::mem::swap(&mut account.limits, &mut new.limits);
            account.losses = match account.losses {
                Losses::Told => Losses::Told,
                Losses::Due | Losses::Within => Losses::Due,
            };
            let limits = account.limits;
            if changes_rate {
                new.rate.take_over(&account.rate);
                std::mem::swap(&mut account.rate, &mut new.rate);
            }
            if let Some(volume) = limits.volume {
                account.volume = account.volume.over(volume.window_ns, now);
            }
            account.same_terms.relimit(limits.duplicates, &mut new.same_terms);
        }
    }
}

#[cfg(test)]
mod tests;
