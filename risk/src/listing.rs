//! What the books of account must know of an instrument.

use model::{Currency, HaltLevel, Instrument, Money, Px, Qty, Side, Ts};

use crate::account::{Account, Worth};
use crate::limits::Margin;
use crate::line::Exposure;
use crate::market::Market;
use crate::marks::Holders;
use crate::money;

/// What somebody other than the feed says of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reference {
    /// What trades on an average day, and when that is too old to count.
    pub adv: Option<(Qty, Ts)>,
    /// Lowest and highest price at which the venue trades.
    pub band: Option<(Px, Px)>,
}

/// One instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Listing {
    /// Money units of one price unit times one quantity unit; zero before it is listed.
    pub(crate) factor: i64,
    /// What an order's price must be a multiple of; zero if not configured.
    pub(crate) px_step: Px,
    /// What an order's quantity must be a multiple of; zero if not configured.
    pub(crate) lot: Qty,
    /// Settlement currency.
    pub(crate) currency: Currency,
    /// The currency that sums of it are counted in: the first that it had.
    pub(crate) money: Currency,
    /// Twice the price that positions are valued at; zero before the first.
    pub(crate) mark2: i64,
    /// Twice the prices at which a long and a short position could be closed; zero before the first.
    pub(crate) exit2: [i64; 2],
    /// Engine time of the last trade that was known when it was last valued at a mid.
    pub(crate) trade_seen: Option<Ts>,
    /// Accounts that hold it or have orders working in it.
    pub(crate) holders: Holders,
    /// Our halt of it.
    pub(crate) halt: HaltLevel,
    pub(crate) reference: Reference,
}

/// What an instrument is valued at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) factor: i64,
    pub(crate) mark2: i64,
    pub(crate) exit2: [i64; 2],
}

impl Marks {
    /// What a pair of this exposure and cost adds to the sums of its account.
    pub(crate) fn worth(
        self,
        exposure: Exposure,
        cost: Money,
        account: &Account,
        margin: Option<Margin>,
    ) -> Worth {
        let Marks { factor, mark2, exit2: [bid2, ask2] } = self;
        let close2 = if exposure.position.0 < 0 { ask2 } else { bid2 };
        let close2 = if account.marks_at_exit() { close2 } else { mark2 };
        let long2 = exposure.long2(mark2, factor);
        let short2 = exposure.short2(mark2, factor);
        let unrealised2 = money::unrealised2(exposure.position, close2, factor, cost);
        let margin = margin.map_or(0, |margin| margin.required(long2, short2));
        Worth { gross2: long2.max(short2), long2, short2, unrealised2, margin }
    }

    /// Counts a pair that becomes `exposure` by orders of one side alone: what it was worth at these marks, and the sums of its
    /// account with that. The other side, and what is not realised, stay as they are.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn rework(
        self,
        side: Side,
        exposure: &Exposure,
        margin: Option<Margin>,
        line: &mut Worth,
        sums: &mut Worth,
    ) {
        let gross2 = match side {
            Side::Buy => {
                let long2 = exposure.long2(self.mark2, self.factor);
                sums.long2 += long2 - line.long2;
                line.long2 = long2;
                long2.max(line.short2)
            }
            Side::Sell => {
                let short2 = exposure.short2(self.mark2, self.factor);
                sums.short2 += short2 - line.short2;
                line.short2 = short2;
                short2.max(line.long2)
            }
        };
        sums.gross2 += gross2 - line.gross2;
        line.gross2 = gross2;
        let margin = margin.map_or(0, |margin| margin.required(line.long2, line.short2));
        if margin != line.margin {
            sums.margin += margin - line.margin;
            line.margin = margin;
        }
    }
}

impl Listing {
    /// What it is valued at.
    pub(crate) fn marks(&self) -> Marks {
        Marks { factor: self.factor, mark2: self.mark2, exit2: self.exit2 }
    }

    /// What its market values it at now; what that says nothing of, as before.
    #[inline(always)] // As gate::each_check.
    pub(crate) fn marks_in(&self, market: &Market) -> Marks {
        let (mark2, exit2) = market.marks2(self.trade_seen);
        let mark2 = mark2.unwrap_or(self.mark2);
        Marks { factor: self.factor, mark2, exit2: exit2.unwrap_or(self.exit2) }
    }

    /// An instrument not listed yet.
    pub(crate) const UNLISTED: Listing = Listing {
        factor: 0,
        px_step: Px(0),
        lot: Qty(0),
        currency: [0; 8],
        money: [0; 8],
        mark2: 0,
        exit2: [0; 2],
        trade_seen: None,
        holders: Holders::NONE,
        halt: HaltLevel::Active,
        reference: Reference { adv: None, band: None },
    };

    /// Takes the facts over. Scale and currency of an instrument never change within a journal: positions and sums are
    /// counted in them. `None` if one would, or if the scale is too fine for money.
    pub(crate) fn list(&mut self, instrument: &Instrument) -> Option<()> {
        let factor = instrument.money_factor()?;
        if self.factor != 0 && self.factor != factor {
            return None;
        }
        let none = [0; 8];
        if self.money != none && ![none, self.money].contains(&instrument.currency) {
            return None;
        }
        if self.money == none {
            self.money = instrument.currency;
        }
        self.factor = factor;
        self.px_step = instrument.px_step;
        self.lot = instrument.lot;
        self.currency = instrument.currency;
        Some(())
    }

    /// Whether it is listed, and the operator configured what an order needs.
    pub(crate) fn is_configured(&self) -> bool {
        self.px_step.0 > 0 && self.lot.0 > 0 && self.currency != [0; 8]
    }
}
