//! What is known of an instrument before its first trade.

use crate::id::{FeedId, InstrumentId, Symbol, VenueNumber};
use crate::num::{Money, Px, Qty};

/// A currency, at most 8 characters (`USD`, `USDT`), zero-padded. Sums exist per currency only.
pub type Currency = [u8; 8];

/// The fixed facts of an instrument. From the venue's directory: symbol, number, decimals.
/// From the operator's `instruments.toml`: price step, lot, currency; zero there means "not configured" and blocks orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Instrument {
    /// Our number.
    pub id: InstrumentId,
    /// The venue's symbol; with the feed it is the identity across days.
    pub symbol: Symbol,
    /// The feed that lists it.
    pub feed: FeedId,
    /// The venue's number today.
    pub number: VenueNumber,
    /// Price unit is 10^-this.
    pub px_decimals: u8,
    /// Quantity unit is 10^-this.
    pub qty_decimals: u8,
    /// Price step ("tick") that an order's price must be a multiple of, in price units; zero if not configured.
    pub px_step: Px,
    /// Quantity step that an order's quantity must be a multiple of, in quantity units; zero if not configured.
    pub lot: Qty,
    /// Settlement currency; zeros if not configured.
    pub currency: Currency,
}

impl Instrument {
    /// Money units (10^-12) of one price unit times one quantity unit; `None` if the scales together exceed
    /// [`Money::DECIMALS`], which a loader must refuse.
    pub fn money_factor(&self) -> Option<i64> {
        let decimals = u32::from(self.px_decimals) + u32::from(self.qty_decimals);
        Money::DECIMALS.checked_sub(decimals).map(|places| 10_i64.pow(places))
    }

    /// Whether the operator configured what an order needs.
    pub fn is_configured(&self) -> bool {
        self.px_step.0 > 0 && self.lot.0 > 0 && self.currency != [0; 8]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the factor is exact or absent. Method: ITCH, the largest scale, one beyond.
    #[test]
    fn money_factor_edges() {
        let with = |px_decimals, qty_decimals| Instrument {
            px_decimals,
            qty_decimals,
            ..Default::default()
        };
        assert_eq!(with(4, 0).money_factor(), Some(100_000_000));
        assert_eq!(with(8, 4).money_factor(), Some(1));
        assert_eq!(with(8, 5).money_factor(), None);
    }
}
