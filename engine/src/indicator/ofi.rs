//! Order-flow imbalance at the best quotes.

use super::fixed;
use model::page::Quote;
use model::{Px, Qty};

/// Σ e, where e = q_b·[b ≥ b′] − q′_b·[b ≤ b′] − q_a·[a ≤ a′] + q′_a·[a ≥ a′] for each change of
/// the best bid b or ask a with quantities q, the primed ones before it (Cont, Kukanov and Stoikov
/// 2014, "The Price Impact of Order Book Events"). An empty side is a bid below, or an ask above,
/// every price, with no quantity.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Ofi {
    /// Cannot overflow: each change adds less than 2^65.
    sum: i128,
    has_quotes: bool,
}

impl Ofi {
    pub const fn new() -> Self {
        Ofi { sum: 0, has_quotes: false }
    }

    /// There are quotes to start from.
    pub fn start(&mut self) {
        self.has_quotes = true;
    }

    /// Folds in the step from the quotes before to the quotes now, bid first; the sum afterwards,
    /// in quantity units. The first call only marks the start. `None`: out of range.
    pub fn update(&mut self, before: [Option<Quote>; 2], now: [Option<Quote>; 2]) -> Option<i64> {
        let ([bid_before, ask_before], [bid, ask]) = (before, now);
        if core::mem::replace(&mut self.has_quotes, true) {
            self.sum += flow(bid_before, bid, |px| px.0);
            self.sum -= flow(ask_before, ask, |px| px.0.saturating_neg());
        }
        i64::try_from(self.sum).ok()
    }

    pub fn fold(&self, word: &mut impl FnMut(u64)) {
        fixed::fold(self.sum, word);
        word(self.has_quotes.into());
    }
}

/// What joined a side less what left it. A greater `rank` is a better price.
fn flow(before: Option<Quote>, now: Option<Quote>, rank: impl Fn(Px) -> i64) -> i128 {
    let measure = |quote: Option<Quote>| {
        quote.map_or((i64::MIN, Qty(0)), |quote| (rank(quote.px), quote.qty))
    };
    let ((rank_before, qty_before), (rank, qty)) = (measure(before), measure(now));
    let joined = if rank >= rank_before { qty.0 } else { 0 };
    let left = if rank <= rank_before { qty_before.0 } else { 0 };
    i128::from(joined) - i128::from(left)
}
