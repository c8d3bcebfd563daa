//! The venues by name.

/// A venue and the protocol that it is heard by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Venue {
    /// Nasdaq TotalView-ITCH 5.0: BinaryFILE, or MoldUDP64 lines.
    NasdaqItch,
    /// IEX DEEP 1.0 or TOPS 1.6 over IEX-TP.
    Iex,
    /// Databento DBN, market by order.
    DatabentoMbo,
    /// Databento DBN, market by price, and trades.
    DatabentoMbp,
}

impl Venue {
    /// All of them.
    pub const ALL: &[Venue] =
        &[Venue::NasdaqItch, Venue::Iex, Venue::DatabentoMbo, Venue::DatabentoMbp];

    /// The name that configuration and commands use.
    pub const fn name(self) -> &'static str {
        match self {
            Venue::NasdaqItch => "nasdaq_itch",
            Venue::Iex => "iex",
            Venue::DatabentoMbo => "databento_mbo",
            Venue::DatabentoMbp => "databento_mbp",
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

    /// Whether it is heard over a WebSocket.
    pub const fn is_over_streams(self) -> bool {
        false
    }

    /// Whether it tells every order, or totals by price.
    pub const fn tells_orders(self) -> bool {
        match self {
            Venue::NasdaqItch | Venue::DatabentoMbo => true,
            Venue::Iex | Venue::DatabentoMbp => false,
        }
    }
}

impl core::fmt::Display for Venue {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}
