//! What can be asked of an order that venues take in different ways, or not at all.

use model::{Order, Tif};

/// A set of what can be asked of an order beyond a limit for the day or at once, of those things that the venue does and not the
/// engine: what an order asks for, or what a venue is known to do as it is meant here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OrderFeatures(u8);

impl OrderFeatures {
    /// Nothing: limit orders for the day and immediate ones alone.
    pub const NONE: OrderFeatures = OrderFeatures(0);
    /// Everything: the paper venue.
    pub const ALL: OrderFeatures = OrderFeatures(0b11_1111);
    /// Those that conformance tests can confirm of a venue outside, by the names that they have everywhere.
    pub const CONFIRMABLE: [(&str, OrderFeatures); 5] = [
        ("fok", OrderFeatures(1)),
        ("at_open", OrderFeatures(2)),
        ("at_close", OrderFeatures(4)),
        ("post_only", OrderFeatures(8)),
        ("display", OrderFeatures(16)),
    ];
    /// The most that a venue outside can be confirmed to do.
    pub const MOST: OrderFeatures = OrderFeatures(0b1_1111);
    /// Over the ends of days: no gateway can say it to a venue outside.
    const GTC: OrderFeatures = OrderFeatures(32);

    /// What an order asks of its venue.
    pub const fn of(order: &Order) -> OrderFeatures {
        let [(_, fok), (_, at_open), (_, at_close), (_, post_only), (_, display)] =
            OrderFeatures::CONFIRMABLE;
        let mut options = match order.tif {
            Tif::Day | Tif::Ioc | Tif::Gtd => OrderFeatures::NONE,
            Tif::Fok => fok,
            Tif::Gtc => OrderFeatures::GTC,
            Tif::AtOpen => at_open,
            Tif::AtClose => at_close,
        };
        if order.conditions.post_only {
            options = options.with(post_only);
        }
        if order.conditions.display.0 != 0 {
            options = options.with(display);
        }
        options
    }

    /// Both.
    pub const fn with(self, others: OrderFeatures) -> OrderFeatures {
        OrderFeatures(self.0 | others.0)
    }

    /// Those that are not among `others`.
    pub const fn without(self, others: OrderFeatures) -> OrderFeatures {
        OrderFeatures(self.0 & !others.0)
    }

    /// Whether all of `others` are among them.
    pub const fn has(self, others: OrderFeatures) -> bool {
        others.without(self).0 == 0
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let named = OrderFeatures::CONFIRMABLE.into_iter().chain([("gtc", OrderFeatures::GTC)]);
        named.filter(move |(_, option)| self.has(*option)).map(|(name, _)| name)
    }
}
