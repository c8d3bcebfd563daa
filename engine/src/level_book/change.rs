//! What one event did to a book of levels.

use model::{Cause, Px, Qty, Side};

/// What an event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelChange {
    /// The level that it spoke of; `None`: it was refused, or spoke of none.
    pub level: Option<LevelTouch>,
    /// Why the event could not be applied. The book is incomplete from here on.
    pub fault: Option<Cause>,
}

/// One level, and how it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelTouch {
    /// Its side.
    pub side: Side,
    /// Its price, in price units.
    pub px: Px,
    /// Its quantity before the event, in quantity units; zero: it was not there.
    pub before: Qty,
    /// Its quantity as the event has it, in quantity units; zero: it is gone.
    pub qty: Qty,
}
