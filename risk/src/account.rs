//! One account: its limits and everything that is counted against them.

use model::{HaltLevel, Money};

use crate::ids::Ids;
use crate::limits::AccountLimits;
use crate::rate::RateWindow;

/// One account.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) limits: AccountLimits,
    /// Our halt of it.
    pub(crate) halt: HaltLevel,
    /// Whether it is on the list of changed accounts.
    pub(crate) is_changed: bool,
    /// Orders open now.
    pub(crate) open_orders: u32,
    /// Settled cash: start + sales − purchases.
    pub(crate) cash: Money,
    /// Cash that open buys use if they fill at their limits.
    pub(crate) reserved: Money,
    /// Realised profit since the start.
    pub(crate) realised: Money,
    /// Sum of what its lines add to the gross exposure.
    pub(crate) gross: Money,
    /// Times of its new orders and replaces.
    pub(crate) rate: RateWindow,
    /// Client order ids that it used.
    pub(crate) ids: Ids,
    /// Orders and replaces that passed the gate.
    pub(crate) passed: u64,
    /// Orders and replaces that the gate refused.
    pub(crate) refused: u64,
}

impl Account {
    /// Allocates the account's tables; nothing allocates afterwards.
    pub(crate) fn new(limits: AccountLimits, ids: u32) -> Account {
        Account {
            limits,
            halt: HaltLevel::Active,
            is_changed: false,
            open_orders: 0,
            cash: limits.cash,
            reserved: Money::ZERO,
            realised: Money::ZERO,
            gross: Money::ZERO,
            rate: RateWindow::new(limits.rate_max, limits.rate_window_ns),
            ids: Ids::new(ids),
            passed: 0,
            refused: 0,
        }
    }
}
