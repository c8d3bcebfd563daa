//! The mid weighted by the quantity of the other side.

use super::PX_DECIMALS;
use super::fixed::ratio;
use model::page::Quote;

/// (b·q_a + a·q_b)/(q_a + q_b), in units of price with six more decimals; `None`: a side is empty,
/// or out of range.
pub(super) fn value(bid: Option<Quote>, ask: Option<Quote>) -> Option<i64> {
    let (bid, ask) = (bid?, ask?);
    let (bid_qty, ask_qty) = (i128::from(bid.qty.0), i128::from(ask.qty.0));
    let weighted = i128::from(bid.px.0) * ask_qty + i128::from(ask.px.0) * bid_qty;
    ratio(weighted, bid_qty + ask_qty, PX_DECIMALS)
}
