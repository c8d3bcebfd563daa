//! Queue imbalance at the best quotes.

use super::RATIO_DECIMALS;
use super::fixed::ratio;
use model::page::Quote;

/// (q_b − q_a)/(q_b + q_a), −1 to 1 with twelve decimals; `None`: a side is empty.
pub(super) fn value(bid: Option<Quote>, ask: Option<Quote>) -> Option<i64> {
    let (bid, ask) = (i128::from(bid?.qty.0), i128::from(ask?.qty.0));
    ratio(bid - ask, bid + ask, RATIO_DECIMALS)
}
