//! One account: its limits and everything that is counted against them.

use model::{HaltCause, HaltLevel, Money};

use crate::ids::Ids;
use crate::limits::{AccountLimits, MarkAt};
use crate::money;
use crate::path::Path;
use crate::rate::RateWindow;
use crate::rates::{Pocket, Sums};
use crate::same_terms::SameTerms;
use crate::volume::VolumeWindow;

/// Parts of one that a drawdown is measured in.
pub(crate) const BASIS_POINTS: u32 = 10_000;

/// Sums over the lines of an account, all doubled: half a mark stays exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Worth {
    /// Σ of the larger of both below, never negative: the worst gross exposure.
    pub(crate) gross2: i128,
    /// Σ (pos + working buys) · mark: net exposure if every buy fills and no sell.
    pub(crate) long2: i128,
    /// Σ (working sells − pos) · mark: the opposite.
    pub(crate) short2: i128,
    /// Σ pos · mark − cost, at the account's kind of mark.
    pub(crate) unrealised2: i128,
    /// Σ of what is required for it: the larger of both sides, each times its basis points. See [`crate::Margin`].
    pub(crate) margin: i128,
}

/// How far the losses of an account were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Losses {
    /// To be looked at with the next change, whatever it changes.
    Due,
    /// None at the present profit is beyond its limit.
    Within,
    /// One is, and it was told of since the halt was last lowered.
    Told,
}

/// One account.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Account {
    pub(crate) limits: AccountLimits,
    pub(crate) path: Path,
    /// Our halt of it.
    pub(crate) halt: HaltLevel,
    /// Whether it is on the list of changed accounts.
    pub(crate) is_changed: bool,
    /// Orders open now.
    pub(crate) open_orders: u32,
    /// What is counted in its own currency.
    pub(crate) sums: Sums,
    /// What is counted in others, by accounts beneath it.
    #[serde(with = "model::snapshot::table")]
    pub(crate) pockets: Vec<Pocket>,
    /// How far its losses were looked at.
    pub(crate) losses: Losses,
    /// Twice the profit when the session began.
    pub(crate) base2: i128,
    /// Twice the highest profit so far.
    pub(crate) peak2: i128,
    /// Times of its new orders and replaces.
    pub(crate) rate: RateWindow,
    /// Money of its orders and replaces that passed.
    pub(crate) volume: VolumeWindow,
    /// Orders of this session, a replace counted twice, and trades.
    pub(crate) orders: u64,
    pub(crate) trades: u64,
    /// Fills since an operator last allowed more.
    pub(crate) executions: u64,
    /// Client order ids that it used.
    pub(crate) ids: Ids,
    /// Terms of its latest new orders.
    pub(crate) same_terms: SameTerms,
    /// Orders and replaces that passed the gate.
    pub(crate) passed: u64,
    /// Orders and replaces that the gate refused.
    pub(crate) refused: u64,
}

impl Worth {
    /// What is required, rounded up.
    pub(crate) fn margin(&self) -> Money {
        let parts = i128::from(BASIS_POINTS);
        let twice = self.margin.div_euclid(parts);
        money::half_up(twice + i128::from(self.margin % parts > 0))
    }

    /// `self − less + more`. Cannot overflow: see [`crate::money::WORTH_MAX`].
    pub(crate) fn with(self, less: Worth, more: Worth) -> Worth {
        Worth {
            gross2: self.gross2 - less.gross2 + more.gross2,
            long2: self.long2 - less.long2 + more.long2,
            short2: self.short2 - less.short2 + more.short2,
            unrealised2: self.unrealised2 - less.unrealised2 + more.unrealised2,
            margin: self.margin - less.margin + more.margin,
        }
    }
}

impl Account {
    /// Allocates the account's tables; nothing allocates afterwards.
    pub(crate) fn new(limits: AccountLimits, path: Path, ids: u32) -> Account {
        Account {
            limits,
            path,
            halt: HaltLevel::Active,
            is_changed: false,
            open_orders: 0,
            sums: Sums { cash: limits.cash, ..Sums::default() },
            pockets: Vec::new(),
            losses: Losses::Due,
            base2: 0,
            peak2: 0,
            rate: RateWindow::new(limits.rate_max, limits.rate_window_ns),
            volume: VolumeWindow::new(limits.volume.map_or(0, |volume| volume.window_ns)),
            orders: 0,
            trades: 0,
            executions: 0,
            ids: Ids::new(ids),
            same_terms: SameTerms::new(limits.duplicates),
            passed: 0,
            refused: 0,
        }
    }

    /// Twice the profit since the start if its lines were worth `worth`, in its own currency.
    #[inline(always)]
    pub(crate) fn profit2(&self, worth: &Worth) -> i128 {
        self.sums.profit2(worth)
    }

    /// Twice the profit since the start at the present marks and rates.
    pub(crate) fn present_profit2(&self) -> i128 {
        if self.pockets.is_empty() {
            return self.sums.profit2(&self.sums.worth);
        }
        self.profit2(&self.worth())
    }

    /// Twice what was lost since the session began, at twice the profit `profit2`.
    #[inline(always)]
    pub(crate) fn lost2(&self, profit2: i128) -> i128 {
        money::minus(self.base2, profit2)
    }

    /// How far twice the equity is below its highest, in basis points of that highest, which comes second: to be
    /// compared as `below > highest · limit`.
    #[inline(always)]
    pub(crate) fn drawdown(&self, profit2: i128) -> (i128, i128) {
        let peak2 = self.peak2.max(profit2);
        let highest2 = money::plus(money::plus(self.limits.cash.0, self.limits.cash.0), peak2);
        (money::times(money::minus(peak2, profit2), BASIS_POINTS), highest2)
    }

    /// Which of its limits of losses is exceeded at twice the profit `profit2`, if one is.
    pub(crate) fn lost(&self, profit2: i128) -> Option<HaltCause> {
        if self.limits.loss_max.is_some_and(|max| self.lost2(profit2) > max.0.saturating_mul(2)) {
            return Some(HaltCause::Loss);
        }
        self.is_drawn_down(profit2).then_some(HaltCause::Drawdown)
    }

    fn is_drawn_down(&self, profit2: i128) -> bool {
        let Some(bps) = self.limits.drawdown_max_bps else { return false };
        let (below, highest2) = self.drawdown(profit2);
        below > money::times(highest2, bps)
    }

    /// Somebody lets it go on. After a drawdown the next is measured from here: else an account that is flat could never get
    /// out of the first. A resume after anything else leaves the highest as it is.
    pub(crate) fn resume(&mut self) {
        let profit2 = self.present_profit2();
        if self.losses != Losses::Within && self.is_drawn_down(profit2) {
            self.peak2 = profit2;
        }
    }

    /// Whether twice the profit `profit2` is the highest so far, or a loss that nobody was told of.
    pub(crate) fn is_news(&self, profit2: i128) -> bool {
        profit2 > self.peak2 || (self.losses != Losses::Told && self.lost(profit2).is_some())
    }

    pub(crate) fn marks_at_exit(&self) -> bool {
        self.limits.mark_at == MarkAt::Exit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what is required is never shown as less than it is. Method: twice it in basis points, around a whole and half a
    /// unit.
    #[test]
    fn margin_is_rounded_up() {
        for (margin, shown) in
            [(0, 0), (1, 1), (10_000, 1), (10_001, 1), (20_000, 1), (20_001, 2), (40_001, 3)]
        {
            assert_eq!(Worth { margin, ..Worth::default() }.margin(), Money(shown), "{margin}");
        }
    }
}
