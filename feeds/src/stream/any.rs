//! The venues by name, where one is chosen when the program runs. To add one: a line in [`with_feed`].

use super::{ConfigError, StreamConfig, StreamFeed, Venue};
use crate::Venue as Name;
use crate::binance::{Binance, Market};
use crate::bybit::{Bybit, Product};
use crate::coinbase::{Coinbase, CoinbaseFull};
use crate::kraken::Kraken;
use crate::okx::Okx;

/// What is to be done with a feed, whichever venue's it is.
pub trait WithFeed {
    /// What comes of it.
    type Out;

    /// Does it.
    fn with<V: Venue + Send + 'static>(self, feed: StreamFeed<V>) -> Self::Out;
}

/// Makes the feed of a venue and does something with it; `None`: the venue is not heard over WebSocket.
///
/// # Errors
///
/// [`ConfigError`]; nothing is done.
pub fn with_feed<W: WithFeed>(
    venue: Name,
    config: StreamConfig,
    with: W,
) -> Result<Option<W::Out>, ConfigError> {
    match venue {
        Name::BinanceSpot => make(Binance::new(Market::Spot), config, with),
        Name::BinanceUsdm => make(Binance::new(Market::Usdm), config, with),
        Name::BinanceCoinm => make(Binance::new(Market::Coinm), config, with),
        Name::BybitLinear => make(Bybit::new(&config, Product::Linear), config, with),
        Name::BybitInverse => make(Bybit::new(&config, Product::Inverse), config, with),
        Name::BybitSpot => make(Bybit::new(&config, Product::Spot), config, with),
        Name::Coinbase => make(Coinbase::new(&config), config, with),
        Name::CoinbaseFull => make(CoinbaseFull::new(&config), config, with),
        Name::Kraken => make(Kraken::new(&config), config, with),
        Name::Okx => make(Okx::new(&config), config, with),
        Name::NasdaqItch | Name::Iex | Name::DatabentoMbo | Name::DatabentoMbp => Ok(None),
    }
}

fn make<V: Venue + Send + 'static, W: WithFeed>(
    venue: V,
    config: StreamConfig,
    with: W,
) -> Result<Option<W::Out>, ConfigError> {
    StreamFeed::new(venue, config).map(|feed| Some(with.with(feed)))
}
