//! The venues by name.

/// A venue and the protocol that it is heard by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Venue {
    /// Nasdaq TotalView-ITCH 5.0: BinaryFILE, MoldUDP64 lines, or a SoupBinTCP connection.
    NasdaqItch,
    /// IEX DEEP 1.0 or TOPS 1.6 over IEX-TP.
    Iex,
    /// Databento DBN, market by order.
    DatabentoMbo,
    /// Databento DBN, market by price, and trades.
    DatabentoMbp,
    /// Binance spot, over WebSocket.
    BinanceSpot,
    /// Binance futures margined in stablecoins, over WebSocket.
    BinanceUsdm,
    /// Binance futures margined in coins, over WebSocket.
    BinanceCoinm,
    /// Bybit futures settled in stablecoins, over WebSocket.
    BybitLinear,
    /// Bybit futures settled in coins, over WebSocket.
    BybitInverse,
    /// Bybit spot, over WebSocket.
    BybitSpot,
    /// Coinbase Exchange, over WebSocket.
    Coinbase,
    /// Coinbase Exchange, order by order, over WebSocket.
    CoinbaseFull,
    /// Kraken, over WebSocket.
    Kraken,
    /// OKX, over WebSocket.
    Okx,
}

impl Venue {
    /// All of them.
    pub const ALL: &[Venue] = &[
        Venue::NasdaqItch,
        Venue::Iex,
        Venue::DatabentoMbo,
        Venue::DatabentoMbp,
        Venue::BinanceSpot,
        Venue::BinanceUsdm,
        Venue::BinanceCoinm,
        Venue::BybitLinear,
        Venue::BybitInverse,
        Venue::BybitSpot,
        Venue::Coinbase,
        Venue::CoinbaseFull,
        Venue::Kraken,
        Venue::Okx,
    ];

    /// The name that configuration and commands use.
    pub const fn name(self) -> &'static str {
        match self {
            Venue::NasdaqItch => "nasdaq_itch",
            Venue::Iex => "iex",
            Venue::DatabentoMbo => "databento_mbo",
            Venue::DatabentoMbp => "databento_mbp",
            Venue::BinanceSpot => "binance_spot",
            Venue::BinanceUsdm => "binance_usdm",
            Venue::BinanceCoinm => "binance_coinm",
            Venue::BybitLinear => "bybit_linear",
            Venue::BybitInverse => "bybit_inverse",
            Venue::BybitSpot => "bybit_spot",
            Venue::Coinbase => "coinbase",
            Venue::CoinbaseFull => "coinbase_full",
            Venue::Kraken => "kraken",
            Venue::Okx => "okx",
        }
    }

    /// The venue of a name.
    pub fn from_name(name: &str) -> Option<Venue> {
        Self::ALL.iter().copied().find(|venue| venue.name() == name)
    }

    /// Whether it is heard over lines of datagrams.
    pub const fn is_over_lines(self) -> bool {
        matches!(self, Venue::NasdaqItch | Venue::Iex)
    }

    /// Whether it is heard over a connection of its own protocol.
    pub const fn is_over_connections(self) -> bool {
        matches!(self, Venue::NasdaqItch)
    }

    /// Whether it is heard over a WebSocket.
    pub const fn is_over_streams(self) -> bool {
        !matches!(self, Venue::NasdaqItch | Venue::Iex | Venue::DatabentoMbo | Venue::DatabentoMbp)
    }

    /// Whether it tells every order, or totals by price.
    pub const fn tells_orders(self) -> bool {
        matches!(self, Venue::NasdaqItch | Venue::DatabentoMbo | Venue::CoinbaseFull)
    }

    /// Whether every event of an instrument says by [`model::Flags::EVENT_COMPLETE`] if it is the last of those that the venue
    /// makes one of: trades and notices too, not levels alone.
    pub const fn marks_events(self) -> bool {
        matches!(self, Venue::DatabentoMbo | Venue::DatabentoMbp)
    }
}

impl core::fmt::Display for Venue {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}
