use model::{Finding, Order, Reject, Side};

use crate::view::View;

/// Refuses an order with which, if every open buy fills at its limit, fees included, the settled cash does not
/// suffice. A sell needs none, and what it earns can be spent at once; but an account that has promised more than
/// it has (after a change that holds the dearer of two terms, a dear fill, a bust) may sell only to reduce. The
/// limit is the cash, what is used of it the reserved part. Off where the account says so: what it may buy is then
/// a matter of its margin.
#[inline(always)]
pub(crate) fn check(order: &Order, view: &View<'_>) -> Finding {
    let cash = view.account.sums.cash.0;
    let reserved = view.reserved().map_or(i128::MAX, |reserved| reserved.0);
    let frees = order.side == Side::Sell && order.conditions.reduce_only;
    let failed = view.account.limits.cash_binds && !frees && reserved > cash;
    Finding { code: Reject::Cash, failed, limit: cash, used: reserved }
}
