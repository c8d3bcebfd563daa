//! The one gate: no order reaches a venue without passing it. And the books of account that it judges by.
//!
//! Flow: the engine describes what it knows of the instrument ([`Market`]) and of itself ([`Moment`]);
//! [`Risk::clear`] builds a view of order, limits, position and working orders, runs every check of the list
//! in `gate.rs`, and either reserves what the order may cost at worst and returns [`Cleared`], or refuses
//! with a [`Verdict`](model::Verdict). A gateway takes `Cleared`, never `Order`. The venue's reports then
//! move the [`Reservation`]: a fill turns it into position and cash, an end releases it.
//!
//! Must never: read a clock, do I/O, allocate after start, panic, use a float, let anything pass that is
//! unknown, absent or stale, or stop a cancel. One thread owns the state, so every sum is exact.
#![forbid(unsafe_code)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_arithmetic
)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod account;
mod credit;
mod explain;
mod fee;
mod full;
mod gate;
mod halts;
mod headroom;
mod ids;
mod ledger;
mod limits;
mod line;
mod listing;
mod lots;
mod market;
mod marks;
mod money;
mod order_features;
mod own_quotes;
mod pages;
mod path;
mod posting;
mod rate;
mod rates;
mod relimit;
mod reports;
mod requests;
mod reservation;
mod rows;
mod same_terms;
mod split;
mod view;
mod volume;

#[cfg(test)]
mod fixture;

pub use credit::{Credit, Share};
pub use explain::{Explained, Explanation, Standing};
pub use fee::Fee;
pub use gate::{Cleared, ClearedReplace, Done, Excess, GATEWAYS};
pub use ids::Recorded;
pub use ledger::Risk;
pub use limits::{
    AccountLimits, Capacity, ChangeRule, DEPTH_MAX, DUPLICATES_MAX, Duplicates, LimitError,
    LossStops, Margin, MarkAt, OrderToTrade, PairLimits, RATE_MAX, Restriction, SoftLimits,
    VolumeLimit,
};
pub use listing::Reference;
pub use market::{Basket, LastTrade, LinkFit, Market, Moment, Slice};
pub use order_features::OrderFeatures;
pub use rate::RateWindow;
pub use rates::Rate;
pub use relimit::{NewLimits, Rows};
pub use reports::{Deal, Filled};
pub use reservation::Reservation;
pub use split::Ratio;
