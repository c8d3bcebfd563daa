//! What one event did to a book.

use model::page::Quote;
use model::{Cause, OrderRef, Px, Qty, Side};

/// A stamp that every order gets when it joins its level: the greater, the later. An order of
/// another origin that notes [`super::Books::next_arrival`] when it joins stands behind exactly
/// those of its level with a lesser stamp. Stamps start again at [`super::Books::clear_all`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[repr(transparent)]
pub struct Arrival(pub u32);

/// What an event did. Of what kind it was, the event itself says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Quantity that left an order by execution, reduction, deletion, replacement or modification.
    pub removed: Option<Touch>,
    /// The order that joined, by addition or as the new half of a replacement or modification.
    pub added: Option<Touch>,
    /// Why the event, or the new half of a replacement, could not be applied. The book is
    /// incomplete from here on.
    pub fault: Option<Cause>,
}

/// One order, how it changed, and what its level is afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Which order.
    pub order: OrderRef,
    /// Its side.
    pub side: Side,
    /// Its price, in price units.
    pub px: Px,
    /// Quantity that left or joined, in quantity units.
    pub qty: Qty,
    /// What is open of it afterwards, in quantity units; zero: it left the book.
    pub open: Qty,
    /// Its place in the queue.
    pub arrival: Arrival,
    /// Sum of the open quantities of its level afterwards, in quantity units; zero: the level is
    /// gone.
    pub level_qty: Qty,
    /// Orders of its level afterwards.
    pub level_orders: u32,
}

impl Touch {
    /// Whether its price is worse than the best of its side, of bid and ask.
    #[inline]
    pub fn is_behind(&self, [bid, ask]: &[Option<Quote>; 2]) -> bool {
        match self.side {
            Side::Buy => bid.as_ref().is_some_and(|bid| self.px < bid.px),
            Side::Sell => ask.as_ref().is_some_and(|ask| self.px > ask.px),
        }
    }
}
