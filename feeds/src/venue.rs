//! The venues by name.

/// A venue and the protocol that it is heard by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Venue {
    /// Nasdaq TotalView-ITCH 5.0: BinaryFILE, or MoldUDP64 lines.
    NasdaqItch,
    /// IEX DEEP 1.0 or TOPS 1.6 over IEX-TP.
    Iex,
}

impl Venue {
    /// All of them.
    pub const ALL: &[Venue] = &[Venue::NasdaqItch, Venue::Iex];

    /// The name that configuration and commands use.
    pub const fn name(self) -> &'static str {
        match self {
            Venue::NasdaqItch => "nasdaq_itch",
            Venue::Iex => "iex",
        }
    }

    /// The venue of a name.
    pub fn from_name(name: &str) -> Option<Venue> {
        Self::ALL.iter().copied().find(|venue| venue.name() == name)
    }

    /// Whether it tells every order, or totals by price.
    pub const fn tells_orders(self) -> bool {
        match self {
            Venue::NasdaqItch => true,
            Venue::Iex => false,
        }
    }
}

impl core::fmt::Display for Venue {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}
