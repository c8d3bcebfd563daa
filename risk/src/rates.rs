//! Several currencies in one tree. An account above one of another currency keeps the sums of each currency apart, in that
//! currency, and changes them into its own whenever it looks: at the last stamped rate, against the account. So nothing that
//! is counted step by step is ever rounded, and a rate that moves moves every sum at once.
//!
//! A rate that is missing or too old refuses every order that would need it. It is never taken for one.

use model::{AccountId, BooksRefusal, Currency, Money, Ts};

use crate::account::{Account, Worth};
use crate::ledger::Risk;
use crate::limits::LimitError;
use crate::money;

/// Where a changed sum stops: beyond every limit, and so far below the end of its type that some of them add up.
const CHANGED_MAX: i128 = i128::MAX >> 8;
/// Most foreign currencies that one account counts.
const POCKETS_MAX: usize = 8;

/// What one unit of a currency is worth in another: `num / den`, both at most `i64::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rate {
    /// Units of the other currency …
    pub num: u64,
    /// … for so many units of the one.
    pub den: u64,
    /// When somebody was ready to change at it.
    pub at: Ts,
}

/// What is counted of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Sums {
    /// Settled cash: start + sales − purchases − fees.
    pub(crate) cash: Money,
    /// Cash that open buys use if they fill at their limits, fees included.
    pub(crate) reserved: Money,
    /// Price · quantity of what is open on both sides.
    pub(crate) working: Money,
    /// Price · quantity of what traded in this session.
    pub(crate) traded: Money,
    /// Realised profit since the start, before fees.
    pub(crate) realised: Money,
    /// Fees since the start, rebates taken off.
    pub(crate) fees: Money,
    pub(crate) worth: Worth,
}

/// What an account counts in another currency than its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Pocket {
    pub(crate) currency: Currency,
    pub(crate) sums: Sums,
    /// From this currency to the account's.
    rate: Option<Rate>,
    /// Age at which the rate is worth nothing any more.
    age_max_ns: u64,
}

impl Rate {
    /// A sum in the other currency, rounded down or up; too large ones stop at [`CHANGED_MAX`].
    fn change(&self, sum: i128, up: bool) -> i128 {
        let (num, den) = (i128::from(self.num), i128::from(self.den).max(1));
        let rest = sum.rem_euclid(den) * num;
        let whole = sum.div_euclid(den).checked_mul(num);
        let part = rest.div_euclid(den) + i128::from(up && rest % den > 0);
        let end = if sum < 0 { -CHANGED_MAX } else { CHANGED_MAX };
        let changed = whole.and_then(|whole| whole.checked_add(part));
        changed.map_or(end, |changed| changed.clamp(-CHANGED_MAX, CHANGED_MAX))
    }
}

impl Sums {
    /// What traded in this session and what is open.
    #[inline]
    fn day(&self) -> i128 {
        money::plus(self.traded.0, self.working.0)
    }

    /// Twice the profit since the start if the lines were worth `worth`.
    #[inline(always)]
    pub(crate) fn profit2(&self, worth: &Worth) -> i128 {
        let settled = money::minus(self.realised.0, self.fees.0);
        money::plus(money::plus(settled, settled), worth.unrealised2)
    }
}

impl Pocket {
    fn of(currency: Currency) -> Pocket {
        Pocket { currency, sums: Sums::default(), rate: None, age_max_ns: 0 }
    }

    /// A sum in the account's currency; of a currency without a rate nothing, for nothing passes in it.
    pub(crate) fn change(&self, sum: i128, up: bool) -> i128 {
        self.rate.map_or(0, |rate| rate.change(sum, up))
    }

    fn is_fresh(&self, now: Ts) -> bool {
        let fresh = |rate: Rate| rate.at <= now && now.since(rate.at) <= self.age_max_ns;
        self.rate.is_some_and(fresh)
    }
}

impl Account {
    /// Whether what is counted in `currency` is counted in the account's own.
    fn is_own(&self, currency: Currency) -> bool {
        let own = self.limits.currency;
        // What has no currency is not configured, and nothing passes on it.
        currency == own || currency == [0; 8] || own == [0; 8]
    }

    /// The sums of a currency; `None`: the account does not count in it.
    pub(crate) fn sums_in(&self, currency: Currency) -> Option<&Sums> {
        if self.is_own(currency) {
            return Some(&self.sums);
        }
        self.pockets.iter().find(|pocket| pocket.currency == currency).map(|pocket| &pocket.sums)
    }

    /// The same, to change them.
    pub(crate) fn sums_in_mut(&mut self, currency: Currency) -> Option<&mut Sums> {
        if self.is_own(currency) {
            return Some(&mut self.sums);
        }
        let pocket = self.pockets.iter_mut().find(|pocket| pocket.currency == currency);
        pocket.map(|pocket| &mut pocket.sums)
    }

    /// Where a currency is counted: its place among the pockets, `None`: in the account's own sums.
    pub(crate) fn pocket_of(&self, currency: Currency) -> Option<Currency> {
        (!self.is_own(currency)).then_some(currency)
    }

    /// Worth of all its lines in its own currency, if those of a pocket (`None`: its own) were worth what `of` says. What is
    /// settled in another currency moves with the rate, and counts as not realised.
    #[cold]
    pub(crate) fn worth_of(&self, of: impl Fn(Option<Currency>, Worth) -> Worth) -> Worth {
        self.pockets.iter().fold(of(None, self.sums.worth), |sum, pocket| {
            let worth = of(Some(pocket.currency), pocket.sums.worth);
            let up = |sum| pocket.change(sum, true);
            let changed = Worth {
                gross2: up(worth.gross2),
                long2: up(worth.long2),
                short2: up(worth.short2),
                unrealised2: pocket.change(pocket.sums.profit2(&worth), false),
                margin: up(worth.margin),
            };
            sum.with(Worth::default(), changed)
        })
    }

    /// Worth of all its lines in its own currency.
    pub(crate) fn worth(&self) -> Worth {
        self.worth_of(|_, worth| worth)
    }

    /// What one of its sums comes to in its own currency, over all currencies.
    pub(crate) fn total(&self, of: impl Fn(&Sums) -> Money, up: bool) -> Money {
        let foreign = self.pockets.iter().map(|pocket| pocket.change(of(&pocket.sums).0, up));
        Money(foreign.fold(of(&self.sums).0, i128::saturating_add))
    }

    /// Money of a currency in its own, rounded up.
    #[inline(always)]
    pub(crate) fn amount(&self, currency: Currency, money: i128) -> i128 {
        if self.pockets.is_empty() || self.is_own(currency) {
            return money;
        }
        self.changed(currency, money)
    }

    #[cold]
    fn changed(&self, currency: Currency, money: i128) -> i128 {
        let pocket = self.pockets.iter().find(|pocket| pocket.currency == currency);
        pocket.map_or(i128::MAX, |pocket| pocket.change(money, true))
    }

    /// What traded in this session and what is open, if `more` of a currency were open.
    #[inline(always)]
    pub(crate) fn day(&self, currency: Currency, more: i128) -> i128 {
        if self.pockets.is_empty() {
            return money::plus(self.sums.day(), more);
        }
        self.day_in_all(currency, more)
    }

    #[cold]
    fn day_in_all(&self, currency: Currency, more: i128) -> i128 {
        let own = self.is_own(currency);
        let start = self.sums.day().saturating_add(if own { more } else { 0 });
        self.pockets.iter().fold(start, |sum, pocket| {
            let more = if !own && pocket.currency == currency { more } else { 0 };
            sum.saturating_add(pocket.change(pocket.sums.day().saturating_add(more), true))
        })
    }

    /// Whether a fresh rate is there for `currency` and for every other in which something is counted.
    pub(crate) fn has_rates(&self, currency: Currency, now: Ts) -> bool {
        self.pockets.iter().all(|pocket| {
            let needed = pocket.currency == currency || pocket.sums != Sums::default();
            !needed || pocket.is_fresh(now)
        })
    }
}

impl Risk {
    /// How old a rate may be. Without a word no rate counts. To be called when all accounts are added.
    ///
    /// # Errors
    ///
    /// [`LimitError::UnknownPair`] if no account counts in these currencies.
    pub fn allow_rate(
        &mut self,
        from: Currency,
        to: Currency,
        age_max_ns: u64,
    ) -> Result<(), LimitError> {
        let mut found = false;
        for pocket in self.pockets(from, to) {
            (found, pocket.age_max_ns) = (true, age_max_ns);
        }
        if found { Ok(()) } else { Err(LimitError::UnknownPair) }
    }

    /// The rate that this one would replace at engine time `now`, if there is one, and how many accounts count in it.
    ///
    /// # Errors
    ///
    /// [`BooksRefusal::BadNumber`], [`BooksRefusal::UnknownPair`] or [`BooksRefusal::NotLater`].
    pub fn may_set_rate(
        &self,
        from: Currency,
        to: Currency,
        rate: Rate,
        now: Ts,
    ) -> Result<(Option<Rate>, u32), BooksRefusal> {
        let fits = |number: u64| number > 0 && i64::try_from(number).is_ok();
        if !fits(rate.num) || !fits(rate.den) {
            return Err(BooksRefusal::BadNumber);
        }
        let above = self.accounts.iter().filter(|account| account.limits.currency == to);
        let pockets = above.flat_map(|account| &account.pockets).filter(|p| p.currency == from);
        let (count, known) = pockets.fold((0, None), |(count, _), p| (count + 1, p.rate));
        if count == 0 {
            return Err(BooksRefusal::UnknownPair);
        }
        if rate.at > now || known.is_some_and(|known| known.at > rate.at) {
            return Err(BooksRefusal::NotLater);
        }
        Ok((known, count))
    }

    /// Takes a rate, at engine time `now`. Sums of the accounts that count in it move at once, and a loss that this makes is
    /// noticed.
    ///
    /// # Errors
    ///
    /// Those of [`Risk::may_set_rate`]; nothing changes.
    pub fn set_rate(
        &mut self,
        from: Currency,
        to: Currency,
        rate: Rate,
        now: Ts,
    ) -> Result<(), BooksRefusal> {
        self.may_set_rate(from, to, rate, now)?;
        self.pockets(from, to).for_each(|pocket| pocket.rate = Some(rate));
        for number in 0..self.accounts.len() {
            let id = AccountId(number as u16);
            let counts = |account: &Account| account.limits.currency == to;
            if self.account(id).is_some_and(counts) {
                self.note_profit(id);
                self.note_account(id);
            }
        }
        Ok(())
    }

    fn pockets(&mut self, from: Currency, to: Currency) -> impl Iterator<Item = &mut Pocket> {
        let accounts = self.accounts.iter_mut().filter(move |a| a.limits.currency == to);
        accounts.flat_map(|account| &mut account.pockets).filter(move |p| p.currency == from)
    }

    /// Lets every account above a new one count in its currency.
    pub(crate) fn add_pockets(
        &mut self,
        currency: Currency,
        id: AccountId,
    ) -> Result<(), LimitError> {
        let path = self.path(id);
        let lacks = |account: &Account| account.sums_in(currency).is_none();
        let full =
            |id| self.account(id).is_some_and(|a| lacks(a) && a.pockets.len() >= POCKETS_MAX);
        if path.iter().any(full) {
            return Err(LimitError::TooManyCurrencies);
        }
        for id in path.iter() {
            let Some(account) = self.accounts.get_mut(usize::from(id.0)) else { continue };
            if lacks(account) {
                account.pockets.push(Pocket::of(currency));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
