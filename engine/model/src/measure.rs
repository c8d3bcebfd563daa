//! What the numbers of a check are measured in.

use crate::verdict::Reject;

/// What limit and use of a check are measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Nothing: the check is a condition, which holds or not.
    Condition,
    /// Quantity units of the instrument.
    Qty,
    /// Price units of the instrument.
    Px,
    /// [`crate::Money`] of the account's currency.
    Money,
    /// Basis points.
    BasisPoints,
    /// A number of things.
    Count,
    /// Nanoseconds.
    Nanoseconds,
}

impl Reject {
    /// What the check measures in. A new code needs its line here.
    pub const fn measure(self) -> Measure {
        match self {
            Reject::UnknownAccount
            | Reject::UnknownInstrument
            | Reject::NotPermitted
            | Reject::NoLimits
            | Reject::Halted
            | Reject::VenueHalted
            | Reject::BookNotLive
            | Reject::NoReference
            | Reject::DuplicateId
            | Reject::Overflow
            | Reject::UnknownOrder
            | Reject::NotOpen
            | Reject::ChangePending
            | Reject::JournalFull
            | Reject::Capacity
            | Reject::BelowFilled
            | Reject::SelfTrade
            | Reject::Restricted
            | Reject::AuditFull
            | Reject::Reconciling
            | Reject::Unsupported
            | Reject::ClockUnsafe => Measure::Condition,
            Reject::TooLate => Measure::Nanoseconds,
            Reject::Trigger => Measure::Px,
            Reject::Overslice => Measure::Qty,
            Reject::Margin => Measure::Money,
            Reject::Lot
            | Reject::Clip
            | Reject::Position
            | Reject::ReduceOnly
            | Reject::ShortSale => Measure::Qty,
            Reject::PxStep | Reject::VenueBand => Measure::Px,
            Reject::Notional
            | Reject::Gross
            | Reject::Cash
            | Reject::DayGross
            | Reject::Net
            | Reject::Loss
            | Reject::Volume
            | Reject::Basket => Measure::Money,
            Reject::Collar
            | Reject::Drawdown
            | Reject::Spread
            | Reject::Adv
            | Reject::NeedsApproval => Measure::BasisPoints,
            Reject::OpenOrders
            | Reject::Rate
            | Reject::DuplicateTerms
            | Reject::OrderToTrade
            | Reject::Executions => Measure::Count,
            Reject::Stale => Measure::Nanoseconds,
        }
    }
}
