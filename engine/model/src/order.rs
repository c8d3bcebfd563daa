//! An order of our own, from request to end.

use crate::id::{AccountId, ClientOrderId, DeskId, InstrumentId, Note, OrderId};
use crate::num::{Px, Qty};
use crate::state::codes;

codes!(
    /// Which side of the book.
    Side {
        /// Bids.
        Buy = 1 => "buy",
        /// Asks.
        Sell = 2 => "sell",
    }
);

impl Side {
    /// The other side.
    pub const fn opposite(self) -> Side {
        match self {
            Side::Buy => Side::Sell,
            Side::Sell => Side::Buy,
        }
    }

    /// 0 for bids, 1 for asks.
    pub const fn index(self) -> usize {
        self as usize - 1
    }
}

codes!(
    /// How an order is priced (FIX tag 40).
    OrderType {
        /// At its price or better.
        Limit = 1 => "limit",
    }
);

codes!(
    /// How long an order lives (FIX tag 59).
    Tif {
        /// Until the end of the day.
        Day = 1 => "day",
        /// What does not fill at once is cancelled.
        Ioc = 2 => "ioc",
    }
);

codes!(
    /// Where an order stands.
    OrderState {
        /// Passed the gate, the venue has not answered.
        PendingNew = 1 => "pending_new",
        /// Resting at the venue.
        Working = 2 => "working",
        /// A cancel is on its way.
        PendingCancel = 3 => "pending_cancel",
        /// A replace is on its way.
        PendingReplace = 4 => "pending_replace",
        /// Completely filled.
        Filled = 5 => "filled",
        /// Cancelled before it was completely filled.
        Cancelled = 6 => "cancelled",
        /// Refused by the gate or the venue, or never sent.
        Rejected = 7 => "rejected",
        /// Resting at the venue, a part of it filled.
        PartiallyFilled = 8 => "partially_filled",
        /// Its time was over before it was completely filled.
        Expired = 9 => "expired",
        /// What became of it is not known: an answer is overdue, its session is gone, or the venue tells of fills that have
        /// not come. Everything that may still fill stays reserved.
        Unknown = 10 => "unknown",
    }
);

impl OrderState {
    /// Whether the order can still fill.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            OrderState::PendingNew
                | OrderState::Working
                | OrderState::PartiallyFilled
                | OrderState::PendingCancel
                | OrderState::PendingReplace
                | OrderState::Unknown
        )
    }
}

/// Who asked for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Origin {
    /// A client over shared memory.
    Desk(DeskId),
    /// A strategy of the engine, by its place in the list.
    Strategy(u8),
    /// A line of a replay's order file.
    File,
}

impl Origin {
    /// Kind and number as two bytes.
    pub const fn to_bytes(self) -> [u8; 2] {
        match self {
            Origin::Desk(desk) => [1, desk.0],
            Origin::Strategy(place) => [2, place],
            Origin::File => [3, 0],
        }
    }

    /// Reads the two bytes back.
    pub const fn from_bytes(bytes: [u8; 2]) -> Option<Origin> {
        match bytes {
            [1, desk] => Some(Origin::Desk(DeskId(desk))),
            [2, place] => Some(Origin::Strategy(place)),
            [3, 0] => Some(Origin::File),
            _ => None,
        }
    }
}

/// An order as the gate judges it and a gateway sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Order {
    /// Our number.
    pub id: OrderId,
    /// The client's number.
    pub client_id: ClientOrderId,
    /// Who pays.
    pub account: AccountId,
    /// What is traded.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How it is priced.
    pub order_type: OrderType,
    /// How long it lives.
    pub tif: Tif,
    /// Limit price, in price units.
    pub px: Px,
    /// Total quantity, filled part included, in quantity units.
    pub qty: Qty,
    /// Who asked.
    pub origin: Origin,
    /// Why, in the asker's words.
    pub note: Note,
}
