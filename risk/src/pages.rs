//! The books of account as readers of shared memory see them, and as the state hash folds them.

use model::page::{self, AsOf};
use model::{AccountId, HaltLevel, InstrumentId, Money, Px, Ts};

use crate::account::Worth;
use crate::ledger::{Pair, Risk};
use crate::limits::PairLimits;
use crate::line::{Exposure, NO_SLOT};
use crate::money;
use crate::rates::Sums;

impl Risk {
    /// Accounts that exist.
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Whether clients over shared memory may trade on an account.
    pub fn is_open_to_clients(&self, id: AccountId) -> bool {
        self.account(id).is_some_and(|account| account.limits.clients)
    }

    /// Lines that exist: pairs that were ever traded, numbered from zero in the order of their first order.
    pub fn lines(&self) -> usize {
        self.slots.len()
    }

    /// The pair of a line; `None` beyond [`Risk::lines`].
    pub fn line_pair(&self, slot: u32) -> Option<(AccountId, InstrumentId)> {
        self.slots.get(slot as usize).copied()
    }

    /// Whether a pair was ever traded.
    pub fn has_line(&self, account: AccountId, instrument: InstrumentId) -> bool {
        self.pair(account, instrument).is_some_and(|pair| pair.line.slot != NO_SLOT)
    }

    /// The page of an account at engine time `now`, as far as the books know it; `None` if there is no such account.
    pub fn account_page(&self, id: AccountId, as_of: AsOf, now: Ts) -> Option<page::Account> {
        let account = self.account(id)?;
        let limits = &account.limits;
        let worth = account.worth();
        let unrealised = |sums: &Sums| Money(sums.worth.unrealised2);
        Some(page::Account {
            as_of,
            id,
            name: limits.name,
            permission: limits.permission,
            halt: HaltLevel::max(self.halts.all, self.halt_on(account.path)),
            halt_cause: None,
            clients: limits.clients,
            cancel_on_disconnect: false,
            currency: limits.currency,
            cash: account.total(|sums| sums.cash, false),
            reserved: account.total(|sums| sums.reserved, true),
            realised: account.total(|sums| sums.realised, false),
            unrealised: money::half_down(account.total(unrealised, false).0),
            fees: account.total(|sums| sums.fees, true),
            session_profit: money::half_down(
                account.present_profit2().saturating_sub(account.base2),
            ),
            traded: account.total(|sums| sums.traded, true),
            gross: money::half_up(worth.gross2),
            margin: worth.margin(),
            gross_max: limits.gross_max,
            open_orders: account.open_orders,
            open_orders_max: limits.open_orders_max,
            rate_used: account.rate.used(now),
            rate_max: limits.rate_max,
            rate_window_ns: limits.rate_window_ns,
            orders_passed: account.passed,
            orders_refused: account.refused,
        })
    }

    /// The page of a line; `None` beyond [`Risk::lines`]. Limits that are not set show as zero, which is what
    /// they amount to; what would pass is not looked at.
    pub fn line_page(&self, slot: u32, as_of: AsOf) -> Option<page::Line> {
        let (account, instrument) = self.line_pair(slot)?;
        self.pair_page(account, instrument, as_of)
    }

    /// The same of any pair, also of one that was never traded; `None` if there is no such pair.
    pub fn pair_page(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        as_of: AsOf,
    ) -> Option<page::Line> {
        let pair = self.pair(account, instrument)?;
        let (line, limits) = (&pair.line, self.limits(pair).unwrap_or(&PairLimits::BLOCKED));
        let mark2 = self.listing(instrument).map_or(0, |listing| listing.mark2);
        Some(page::Line {
            as_of,
            account,
            instrument,
            position: line.exposure.position,
            working_buy: line.exposure.working_buy,
            working_sell: line.exposure.working_sell,
            cost: line.cost,
            realised: line.realised,
            realised_fifo: self.realised_fifo(line),
            mark: (mark2 > 0).then_some(Px(mark2 / 2)),
            clip_max: limits.clip_max,
            notional_max: limits.notional_max,
            long_max: limits.long_max,
            short_max: limits.short_max,
            band_bps: limits.band_bps,
            headroom: None,
        })
    }

    /// Folds halts, sums and counters of an account into a hash, two words at a time.
    pub fn fold_account(&self, id: AccountId, mut fold: impl FnMut(u64, u64)) {
        let Some(account) = self.account(id) else { return };
        let halts = u64::from(account.halt.code()) << 32 | u64::from(self.halts.all.code()) << 40;
        fold(u64::from(id.0) | halts, account.open_orders.into());
        fold_sums(&account.sums, &mut fold);
        account.pockets.iter().for_each(|pocket| fold_sums(&pocket.sums, &mut fold));
        fold_sum(account.base2, &mut fold);
        fold_sum(account.peak2, &mut fold);
        fold(account.trades, account.executions);
        fold(account.passed, account.refused);
        fold(account.orders, 0);
    }

    /// Puts every account and line on the list of those that changed: for readers of new pages.
    pub fn show_all(&mut self) {
        (0..self.accounts.len()).for_each(|number| self.note_account(AccountId(number as u16)));
        for slot in 0..self.slots.len() {
            let pair = self.slots.get(slot).copied();
            pair.into_iter().for_each(|(id, instrument)| self.note_line(id, instrument));
        }
    }

    /// Folds position, working quantities and sums of a line into a hash, two words at a time.
    pub fn fold_line(&self, slot: u32, mut fold: impl FnMut(u64, u64)) {
        let Some((account, instrument)) = self.line_pair(slot) else { return };
        let Some(Pair { line, .. }) = self.pair(account, instrument) else { return };
        let Exposure { position, working_buy, working_sell } = line.exposure;
        let pair = u64::from(account.0) << 32 | u64::from(instrument.0);
        fold(pair, position.0.cast_unsigned());
        fold(working_buy.0.cast_unsigned(), working_sell.0.cast_unsigned());
        for sum in [line.worth.gross2, line.cost.0, line.realised.0] {
            fold_sum(sum, &mut fold);
        }
    }
}

fn fold_sums(sums: &Sums, fold: &mut impl FnMut(u64, u64)) {
    let Sums { cash, reserved, working, traded, realised, fees, worth } = *sums;
    for sum in [cash, reserved, working, traded, realised, fees] {
        fold_sum(sum.0, fold);
    }
    let Worth { gross2, long2, short2, unrealised2, margin } = worth;
    for sum in [gross2, long2, short2, unrealised2, margin] {
        fold_sum(sum, fold);
    }
}

fn fold_sum(sum: i128, fold: &mut impl FnMut(u64, u64)) {
    fold(sum as u64, (sum >> 64) as u64);
}
