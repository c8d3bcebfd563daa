//! An order of our own, from request to end.

use crate::decimal::Scaled;
use crate::id::{AccountId, ClientOrderId, DeskId, InstrumentId, Note, OrderId};
use crate::num::{Px, Qty, Ts};
use crate::state::codes;
use crate::words::{BadWord, WordReader, WordWriter};

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
        /// At what the market gives, within the collar: the gate prices it at the collar's edge.
        Market = 2 => "market",
        /// Waits in the engine for its trigger, then a market order.
        Stop = 3 => "stop",
        /// Waits in the engine for its trigger, then a limit order.
        StopLimit = 4 => "stop_limit",
    }
);

codes!(
    /// How long an order lives (FIX tag 59).
    Tif {
        /// Until the end of the day.
        Day = 1 => "day",
        /// What does not fill at once is cancelled.
        Ioc = 2 => "ioc",
        /// Fills whole at once or is cancelled whole.
        Fok = 3 => "fok",
        /// Until it is cancelled, over the ends of days.
        Gtc = 4 => "gtc",
        /// Until its time, over the ends of days.
        Gtd = 5 => "gtd",
        /// In the opening cross alone.
        AtOpen = 6 => "at_open",
        /// In the closing cross alone.
        AtClose = 7 => "at_close",
    }
);

impl OrderType {
    /// Whether it waits in the engine for its trigger.
    pub const fn is_stop(self) -> bool {
        matches!(self, OrderType::Stop | OrderType::StopLimit)
    }

    /// Whether whoever asks names its limit; the engine prices the others.
    pub const fn has_limit(self) -> bool {
        matches!(self, OrderType::Limit | OrderType::StopLimit)
    }
}

impl Tif {
    /// Whether it may rest in the book.
    pub const fn rests(self) -> bool {
        matches!(self, Tif::Day | Tif::Gtc | Tif::Gtd)
    }

    /// Whether it is for an auction alone.
    pub const fn is_auction(self) -> bool {
        matches!(self, Tif::AtOpen | Tif::AtClose)
    }
}

/// What binds an order to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Link {
    /// A stop that takes the place of this order at its trigger: only one of the two is ever at the venue, and it ends with the
    /// other if that ends first.
    OneCancels(OrderId),
    /// A part of this order, which is never sent itself.
    Parent(OrderId),
    /// A leg of the basket that its asker announced under this number ([`crate::Announced`]): it waits for all others.
    Basket(u64),
}

/// What is asked of an order beyond side, price, quantity and time in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Conditions {
    /// Price that triggers a stop, in price units; zero: none.
    pub stop_px: Px,
    /// Quantity shown at a time, in quantity units; zero: all of it.
    pub display: Qty,
    /// When a [`Tif::Gtd`] ends; zero: never.
    pub expires: Ts,
    /// What binds it to another order.
    pub link: Option<Link>,
    /// Whether it may only rest: refused by the venue if it would trade on arrival.
    pub post_only: bool,
    /// Whether it may only reduce the position.
    pub reduce_only: bool,
    /// Whether it is never sent, and only bounds what its children sum up to.
    pub parent_only: bool,
}

impl Conditions {
    /// Nothing special.
    pub const NONE: Conditions = Conditions {
        stop_px: Px(0),
        display: Qty(0),
        expires: Ts(0),
        link: None,
        post_only: false,
        reduce_only: false,
        parent_only: false,
    };

    /// Each that is asked, by its name, with its value if it has one: in exact digits, where prices and quantities of the
    /// instrument have so many decimals. Allocates.
    pub fn texts(&self, px_decimals: u8, qty_decimals: u8) -> Vec<String> {
        let scaled =
            |value: i64, decimals: u8| Scaled { value: value.into(), decimals: decimals.into() };
        let mut texts = Vec::new();
        let mut note = |is_set: bool, text: String| texts.extend(is_set.then_some(text));
        note(self.stop_px != Px(0), format!("stop_px={}", scaled(self.stop_px.0, px_decimals)));
        note(self.display != Qty(0), format!("display={}", scaled(self.display.0, qty_decimals)));
        note(self.expires != Ts(0), format!("expires_ns={}", self.expires.0));
        match self.link {
            None => {}
            Some(Link::OneCancels(order)) => note(true, format!("one_cancels={}", order.0)),
            Some(Link::Parent(order)) => note(true, format!("parent={}", order.0)),
            Some(Link::Basket(number)) => note(true, format!("basket={number}")),
        }
        note(self.post_only, "post_only".into());
        note(self.reduce_only, "reduce_only".into());
        note(self.parent_only, "parent_only".into());
        texts
    }

    /// Words of conditions.
    pub const WORDS: usize = 5;

    /// The conditions as words: trigger, display, end, the number of the link, flags.
    pub(crate) fn write(&self, to: &mut WordWriter<'_>) {
        let (kind, number) = match self.link {
            None => (0, 0),
            Some(Link::OneCancels(order)) => (1, order.0),
            Some(Link::Parent(order)) => (2, order.0),
            Some(Link::Basket(number)) => (3, number),
        };
        let [post, reduce, parent] = [self.post_only, self.reduce_only, self.parent_only];
        let flags = u8::from(post) | u8::from(reduce) << 1 | u8::from(parent) << 2;
        to.i64(self.stop_px.0);
        to.i64(self.display.0);
        to.u64(self.expires.0);
        to.u64(number);
        to.bytes([flags, kind, 0, 0, 0, 0, 0, 0]);
    }

    /// Reads them back.
    pub(crate) fn read(from: &mut WordReader<'_>) -> Result<Conditions, BadWord> {
        let (stop_px, display, expires) = (Px(from.i64()), Qty(from.i64()), Ts(from.u64()));
        let number = from.u64();
        let [flags, kind, rest @ ..] = from.bytes();
        let link = match (kind, number) {
            (0, 0) => None,
            (1, order) => Some(Link::OneCancels(OrderId(order))),
            (2, order) => Some(Link::Parent(OrderId(order))),
            (3, number) => Some(Link::Basket(number)),
            _ => return from.legal(None),
        };
        from.legal((flags < 8 && rest == [0; 6]).then_some(()))?;
        let [post_only, reduce_only, parent_only] = [1, 2, 4].map(|bit| flags & bit != 0);
        Ok(Conditions { stop_px, display, expires, link, post_only, reduce_only, parent_only })
    }
}

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
        /// Waits in the engine for its trigger or for the other legs of its basket, or is one that is never sent.
        Held = 11 => "held",
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
                | OrderState::Held
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
    /// What else is asked of it.
    pub conditions: Conditions,
    /// Who asked.
    pub origin: Origin,
    /// Why, in the asker's words.
    pub note: Note,
}

impl Order {
    /// Whether it waits in the engine, and is at no venue.
    pub const fn is_held(&self) -> bool {
        self.order_type.is_stop() || self.conditions.parent_only
    }

    /// The basket that it is a leg of.
    pub const fn basket(&self) -> Option<u64> {
        match self.conditions.link {
            Some(Link::Basket(number)) => Some(number),
            _ => None,
        }
    }

    /// The limit that was asked for; zero where the engine prices the order.
    pub const fn asked_px(&self) -> Px {
        if self.order_type.has_limit() { self.px } else { Px(0) }
    }
}
