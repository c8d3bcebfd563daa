//! What the operator allows. There is no default for a limit: what is not set blocks.

use model::page::Permission;
use model::{Currency, Money, Qty, Symbol};

use crate::money::EXPOSURE_MAX;

/// Largest `rate_max`: the window keeps one time for each request.
pub const RATE_MAX: u32 = 1 << 20;

/// Sizes of all tables, fixed at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Accounts that can be added.
    pub accounts: u16,
    /// Instruments that can be listed; every id is below this.
    pub instruments: u32,
    /// Pairs of account and instrument that can ever be traded.
    pub lines: u32,
    /// Client order ids that each account can use. An account has a table of its own, so that none fills
    /// another's.
    pub ids_per_account: u32,
}

/// The limits of one account, and what it starts with. All money in `currency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountLimits {
    /// Its name in the configuration.
    pub name: Symbol,
    /// What it may do.
    pub permission: Permission,
    /// Whether clients over shared memory may trade on it; strategies of the engine always may.
    pub clients: bool,
    /// Currency of every sum of the account; an instrument of another currency is not permitted to it.
    pub currency: Currency,
    /// Settled cash at the start.
    pub cash: Money,
    /// Largest worst-case gross exposure: Σ max(pos + working buys, working sells − pos) · mark.
    pub gross_max: Money,
    /// Most orders that may be open at once.
    pub open_orders_max: u32,
    /// Most new orders and replaces within any window of `rate_window_ns`, refused ones included.
    pub rate_max: u32,
    /// Length of that window, nanoseconds.
    pub rate_window_ns: u64,
}

/// The limits of one account in one instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairLimits {
    /// Largest quantity of one order, in quantity units.
    pub clip_max: Qty,
    /// Largest price · quantity of one order.
    pub notional_max: Money,
    /// How far an order may be priced through the reference, in basis points.
    pub band_bps: u32,
    /// Largest worst-case long position, in quantity units.
    pub long_max: Qty,
    /// Largest worst-case short position, as a positive number of quantity units.
    pub short_max: Qty,
    /// Age at which market data, and a last trade as reference, is stale, nanoseconds.
    pub age_max_ns: u64,
    /// Whether a quiet instrument is stale even while its channel speaks.
    pub symbol_age_alone: bool,
}

/// What no limits amount to: every one of them is zero.
pub(crate) const BLOCKED: PairLimits = PairLimits {
    clip_max: Qty(0),
    notional_max: Money(0),
    band_bps: 0,
    long_max: Qty(0),
    short_max: Qty(0),
    age_max_ns: 0,
    symbol_age_alone: true,
};

/// The limits of an account that is not configured.
pub(crate) fn nobody() -> AccountLimits {
    AccountLimits {
        name: Symbol::default(),
        permission: Permission::Read,
        clients: false,
        currency: [0; 8],
        cash: Money::ZERO,
        gross_max: Money::ZERO,
        open_orders_max: 0,
        rate_max: 0,
        rate_window_ns: 0,
    }
}

/// Why limits were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitError {
    /// Every account of the capacity is in use.
    TooManyAccounts,
    /// There is no such account.
    UnknownAccount,
    /// The instrument's number is beyond the capacity.
    UnknownInstrument,
    /// A limit is negative, or too large for its sums to stay exact.
    OutOfRange,
    /// The currency is empty.
    NoCurrency,
    /// An instrument's price and quantity decimals together exceed those of money, or changed.
    BadScale,
}

impl core::fmt::Display for LimitError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            LimitError::TooManyAccounts => "more accounts than the tables hold",
            LimitError::UnknownAccount => "no such account",
            LimitError::UnknownInstrument => "no such instrument",
            LimitError::OutOfRange => "negative, or too large",
            LimitError::NoCurrency => "no currency",
            LimitError::BadScale => "decimals of price and quantity too many, or changed",
        })
    }
}

impl core::error::Error for LimitError {}

impl AccountLimits {
    pub(crate) fn validate(&self) -> Result<(), LimitError> {
        if self.currency == [0; 8] {
            return Err(LimitError::NoCurrency);
        }
        let exact = 0..EXPOSURE_MAX;
        let fits = exact.contains(&self.cash.0) && exact.contains(&self.gross_max.0);
        if fits && self.rate_max <= RATE_MAX { Ok(()) } else { Err(LimitError::OutOfRange) }
    }
}

impl PairLimits {
    pub(crate) fn validate(&self) -> Result<(), LimitError> {
        let quantities = [self.clip_max, self.long_max, self.short_max];
        let fits = quantities.iter().all(|qty| qty.0 >= 0) && self.notional_max.0 >= 0;
        if fits { Ok(()) } else { Err(LimitError::OutOfRange) }
    }
}
