//! Conditions that the gate and every reader must know: trading state, book integrity, halts, mode.

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal => $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(into = "u8", try_from = "u8")]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $code),+ }

        impl $name {
            /// Every value, in the order of its codes.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The value of a code, `None` if there is none.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some($name::$variant),)+ _ => None }
            }

            /// The number used in rings, files and shared memory; never reused.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The value of a name, `None` if there is none.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.name() == name)
            }

            /// The name that configuration, tools and answers use.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl From<$name> for u8 {
            fn from(value: $name) -> u8 {
                value.code()
            }
        }

        impl TryFrom<u8> for $name {
            type Error = $crate::BadWord;

            fn try_from(code: u8) -> Result<Self, $crate::BadWord> {
                Self::from_code(code).ok_or($crate::BadWord(code))
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}
pub(crate) use codes;

codes!(
    /// How a basket was over.
    BasketEnd {
        /// All of its legs were sent.
        Sent = 1 => "sent",
        /// A leg was refused: as it came, or when all had come.
        Refused = 2 => "refused",
        /// A leg was cancelled, or its time was over.
        LegGone = 3 => "leg_gone",
        /// It was not complete in time.
        Late = 4 => "late",
        /// Its asker is gone or silent, or the engine started anew.
        AskerGone = 5 => "asker_gone",
    }
);

codes!(
    /// A limit of an account that counts over instruments, so that engines which share the account hold slices of it. Named by
    /// its key in limits.toml.
    CreditKind {
        /// Worst-case gross exposure, money.
        Gross = 1 => "gross_max",
        /// Worst-case net exposure, money.
        Net = 2 => "net_max",
        /// What traded in a session and what is open, money.
        DayGross = 3 => "day_gross_max",
        /// What was lost in a session, money.
        Loss = 4 => "loss_max",
        /// Orders open at once.
        OpenOrders = 5 => "open_orders_max",
        /// Requests within a window.
        Rate = 6 => "rate_max",
        /// Money of orders within a window.
        Volume = 7 => "volume_max",
        /// Fills without an operator's word.
        Executions = 8 => "executions_max",
    }
);

codes!(
    /// Whether the venue trades an instrument. An instrument nobody spoke of is [`TradingState::Unknown`]: not tradable.
    TradingState {
        /// The venue has not said; treated as halted.
        Unknown = 1 => "unknown",
        /// Trading.
        Trading = 2 => "trading",
        /// Halted across all markets (ITCH `H` state H).
        Halted = 3 => "halted",
        /// Paused across all markets (ITCH `H` state P).
        Paused = 4 => "paused",
        /// Quotes, no trades (ITCH `H` state Q).
        QuoteOnly = 5 => "quote_only",
        /// This venue alone halted it (ITCH `h` action H), whatever the other markets do.
        VenueHalted = 6 => "venue_halted",
        /// A market-wide circuit breaker is in force (ITCH `W`).
        MarketHalted = 7 => "market_halted",
        /// Outside the venue's trading hours.
        Closed = 8 => "closed",
    }
);

codes!(
    /// How far a book may be believed. Only [`Integrity::Live`] lets new exposure pass.
    Integrity {
        /// Complete and current.
        Live = 1 => "live",
        /// Something is missing: see [`Cause`].
        Incomplete = 2 => "incomplete",
        /// No news for too long while its channel is silent too.
        Stale = 3 => "stale",
        /// Best bid at or above best ask while trading.
        Crossed = 4 => "crossed",
        /// A snapshot is being applied.
        Recovering = 5 => "recovering",
    }
);

codes!(
    /// Why a book is not live.
    Cause {
        /// It is live.
        None = 1 => "none",
        /// No directory or snapshot has been seen yet.
        NotStarted = 2 => "not_started",
        /// A table of the engine is full: orders, levels or references.
        Capacity = 3 => "capacity",
        /// Messages of the channel were lost.
        Gap = 4 => "gap",
        /// The venue spoke of an order that the book does not hold.
        UnknownOrder = 5 => "unknown_order",
        /// More executed or cancelled than was open, a reference used twice, or a price or quantity out of range.
        BadEvent = 6 => "bad_event",
        /// No news for longer than configured.
        Silent = 7 => "silent",
        /// Best bid at or above best ask.
        Crossed = 8 => "crossed",
        /// The venue's checksum is not that of the book.
        Checksum = 9 => "checksum",
        /// The connection to the venue is down.
        Disconnected = 10 => "disconnected",
        /// A snapshot is awaited or being applied.
        Snapshot = 11 => "snapshot",
        /// The venue's session ended or another began.
        SessionEnd = 12 => "session_end",
        /// In the middle of what the venue marks as one event.
        MidEvent = 13 => "mid_event",
    }
);

codes!(
    /// Severity of a halt, in rising order; the effective one is the highest of all scopes.
    HaltLevel {
        /// Nothing is stopped.
        Active = 1 => "active",
        /// Only orders that reduce a position.
        ReduceOnly = 2 => "reduce_only",
        /// No new orders; cancels pass.
        CancelOnly = 3 => "cancel_only",
        /// No new orders, and all working ones are cancelled; cancels pass.
        Halted = 4 => "halted",
    }
);

codes!(
    /// Why something is halted.
    HaltCause {
        /// An operator said so.
        Human = 1 => "human",
        /// A client said so.
        Client = 2 => "client",
        /// A loss limit.
        Loss = 3 => "loss",
        /// A drawdown limit.
        Drawdown = 4 => "drawdown",
        /// Too many refusals, ours or the venue's, in a window.
        RejectStorm = 5 => "reject_storm",
        /// Fills faster than configured.
        FillVelocity = 6 => "fill_velocity",
        /// The venue's position is not ours.
        PositionMismatch = 7 => "position_mismatch",
        /// Market data is missing for too long.
        FeedGap = 8 => "feed_gap",
        /// A thread or a client that must beat does not.
        Heartbeat = 9 => "heartbeat",
        /// The journal cannot be relied on.
        Journal = 10 => "journal",
        /// The audit log cannot be written.
        Audit = 11 => "audit",
        /// Time cannot be trusted.
        Clock = 12 => "clock",
        /// Something that cannot be is: books that do not add up, a latch that cannot be read.
        Invariant = 13 => "invariant",
        /// The session with a venue is gone.
        VenueSession = 14 => "venue_session",
        /// The venue took a trade back.
        Bust = 15 => "bust",
        /// The engine was started, and nobody has compared its books with the venue's yet.
        Start = 16 => "start",
    }
);

impl HaltCause {
    /// The cause of a code on a page, where zero says that there is none; `None`: the code is of no cause.
    pub(crate) const fn from_optional(code: u8) -> Option<Option<HaltCause>> {
        match (code, HaltCause::from_code(code)) {
            (0, _) => Some(None),
            (_, None) => None,
            (_, cause) => Some(cause),
        }
    }
}

codes!(
    /// Why a level is not lowered. Decided by the core, so that a replay decides alike.
    ResumeRefusal {
        /// There is no such account, strategy, desk or symbol.
        UnknownScope = 1 => "unknown_scope",
        /// The level asked for is not below the one in force.
        NotLower = 2 => "not_lower",
        /// The journal cannot take more.
        JournalFull = 3 => "journal_full",
        /// An order of the scope waits for an answer of the venue.
        OrderInDoubt = 4 => "order_in_doubt",
        /// The book of the symbol is not live.
        BookNotLive = 5 => "book_not_live",
        /// The audit log cannot take more.
        AuditFull = 6 => "audit_full",
        /// Where orders stand at the venue is not known: its session is gone, or is being asked.
        Reconciling = 7 => "reconciling",
    }
);

codes!(
    /// Why a rate or a split was not taken into the books. Decided by the core, so that a replay decides alike.
    BooksRefusal {
        /// No instrument of this symbol is listed.
        UnknownSymbol = 1 => "unknown_symbol",
        /// A number is zero, or too large.
        BadNumber = 2 => "bad_number",
        /// The venue trades the instrument: nobody can say in which units its prices are.
        Trading = 3 => "trading",
        /// Orders work in the instrument: they must be cancelled first.
        Working = 4 => "working",
        /// A holder's position would be no whole number of units.
        Fraction = 5 => "fraction",
        /// A number would not fit its type.
        Overflow = 6 => "overflow",
        /// No account counts in these two currencies.
        UnknownPair = 7 => "unknown_pair",
        /// One of a later time is there already, or it is of the future.
        NotLater = 8 => "not_later",
        /// The journal cannot take more.
        JournalFull = 9 => "journal_full",
        /// The audit log cannot take more.
        AuditFull = 10 => "audit_full",
    }
);

codes!(
    /// What becomes of orders that pass.
    Mode {
        /// Filled by the paper venue inside the engine, against a live feed.
        Paper = 1 => "paper",
        /// Filled by the paper venue, against recorded input.
        Replay = 2 => "replay",
        /// Sent to a venue.
        Live = 3 => "live",
    }
);

impl TradingState {
    /// Whether a new order may be sent.
    pub const fn is_tradable(self) -> bool {
        matches!(self, TradingState::Trading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: codes are stable and read back; zero is never a value. Method: every value of every list.
    #[test]
    fn codes_read_back() {
        assert!(TradingState::ALL.iter().all(|s| TradingState::from_code(s.code()) == Some(*s)));
        assert!(Integrity::ALL.iter().all(|s| Integrity::from_code(s.code()) == Some(*s)));
        assert!(Cause::ALL.iter().all(|s| Cause::from_code(s.code()) == Some(*s)));
        assert!(HaltLevel::ALL.iter().all(|s| HaltLevel::from_code(s.code()) == Some(*s)));
        assert!(HaltCause::ALL.iter().all(|s| HaltCause::from_code(s.code()) == Some(*s)));
        assert!(ResumeRefusal::ALL.iter().all(|s| ResumeRefusal::from_code(s.code()) == Some(*s)));
        assert!(BooksRefusal::ALL.iter().all(|s| BooksRefusal::from_code(s.code()) == Some(*s)));
        assert!(Mode::ALL.iter().all(|s| Mode::from_code(s.code()) == Some(*s)));
        assert_eq!(TradingState::from_code(0), None);
        assert!(HaltLevel::Halted > HaltLevel::Active);
    }
}
