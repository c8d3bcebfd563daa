//! What can be asked of an order that venues take in different ways, or not at all.

use model::{Order, Tif};

/// A set of what can be asked of an order beyond a limit for the day or at once, of those things that the venue does and not the
/// engine: what an order asks for, or what a venue is known to do as it is meant here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Options(u8);

impl Options {
    /// Nothing: limit orders for the day and immediate ones alone.
    pub const NONE: Options = Options(0);
    /// Everything: the paper venue.
    pub const ALL: Options = Options(0b11_1111);
    /// Those that conformance tests can confirm of a venue outside, by the names that they have everywhere.
    pub const CONFIRMABLE: [(&str, Options); 5] = [
        ("fok", Options(1)),
        ("at_open", Options(2)),
        ("at_close", Options(4)),
        ("post_only", Options(8)),
        ("display", Options(16)),
    ];
    /// The most that a venue outside can be confirmed to do.
    pub const MOST: Options = Options(0b1_1111);
    /// Over the ends of days: no gateway can say it to a venue outside.
    const GTC: Options = Options(32);

    /// What an order asks of its venue.
    pub const fn of(order: &Order) -> Options {
        let [(_, fok), (_, at_open), (_, at_close), (_, post_only), (_, display)] =
            Options::CONFIRMABLE;
        let mut options = match order.tif {
            Tif::Day | Tif::Ioc | Tif::Gtd => Options::NONE,
            Tif::Fok => fok,
            Tif::Gtc => Options::GTC,
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
    pub const fn with(self, others: Options) -> Options {
        Options(self.0 | others.0)
    }

    /// Those that are not among `others`.
    pub const fn without(self, others: Options) -> Options {
        Options(self.0 & !others.0)
    }

    /// Whether all of `others` are among them.
    pub const fn has(self, others: Options) -> bool {
        others.without(self).0 == 0
    }

    /// Their names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let named = Options::CONFIRMABLE.into_iter().chain([("gtc", Options::GTC)]);
        named.filter(move |(_, option)| self.has(*option)).map(|(name, _)| name)
    }
}
