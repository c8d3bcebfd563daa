use model::{Finding, Order, Reject, Side};

use crate::view::View;

/// Refuses a buy for which the settled cash does not suffice if every open buy fills at its limit, fees
/// included. A sell always passes, and what it earns can be spent at once. The limit is the cash, what is
/// used of it the reserved part.
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let cash = view.account.cash.0;
    let reserved = view.reserved().map_or(i128::MAX, |reserved| reserved.0);
    let failed = order.side == Side::Buy && reserved > cash;
    Finding { code: Reject::Cash, failed, limit: cash, used: reserved }
}
