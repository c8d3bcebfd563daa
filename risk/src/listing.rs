//! What the books of account must know of an instrument.

use model::{Currency, HaltLevel, Instrument, Px, Qty, Ts};

use crate::marks::Holders;

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
    /// Accounts that hold it or have orders working in it.
    pub(crate) holders: Holders,
    /// Our halt of it.
    pub(crate) halt: HaltLevel,
    pub(crate) reference: Reference,
}

impl Listing {
    /// An instrument not listed yet.
    pub(crate) const UNLISTED: Listing = Listing {
        factor: 0,
        px_step: Px(0),
        lot: Qty(0),
        currency: [0; 8],
        money: [0; 8],
        mark2: 0,
        exit2: [0; 2],
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

    /// Whether the operator configured what an order needs.
    pub(crate) fn is_configured(&self) -> bool {
        self.factor > 0 && self.px_step.0 > 0 && self.lot.0 > 0 && self.currency != [0; 8]
    }
}
