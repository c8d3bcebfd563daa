use model::{Finding, Order, Reject, Side};

use crate::view::View;

/// Refuses a buy for which the settled cash does not suffice if every open buy fills at its limit, fees
/// included. A sell always passes, and what it earns can be spent at once. The limit is the cash, what is
/// used of it the reserved part. Off where the account says so: what it may buy is then a matter of its margin.
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let cash = view.account.sums.cash.0;
    let reserved = view.reserved().map_or(i128::MAX, |reserved| reserved.0);
    let binds = view.account.limits.cash_binds && order.side == Side::Buy;
    let failed = binds && reserved > cash;
    Finding { code: Reject::Cash, failed, limit: cash, used: reserved }
}
