//! What sets the kill switch off without anybody's asking. `None` everywhere: off.

use model::HaltLevel;
use rust_decimal::Decimal;

/// Too many of something within any window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StormRule {
    /// Most that may be; one more sets it off.
    pub max: u32,
    /// Length of the window, nanoseconds.
    pub window_ns: u64,
    /// What the account is halted to.
    pub level: HaltLevel,
}

/// Too many fills of an account within any window; it is halted, and what works is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FillsRule {
    /// Most executions.
    pub executions_max: Option<u32>,
    /// Most money in them, bought and sold both counted.
    #[serde(with = "super::exact")]
    pub money_max: Option<Decimal>,
    /// Length of the window, nanoseconds.
    pub window_ns: u64,
}

/// The triggers of one account. Each counts what is done on it and beneath it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AccountTriggers {
    /// Orders and changes that the gate refused.
    pub refusals: Option<StormRule>,
    /// Orders, changes and cancels that the venue refused.
    pub venue_rejects: Option<StormRule>,
    /// What filled.
    pub fills: Option<FillsRule>,
    /// How long a client whose orders work on it may say nothing, nanoseconds.
    pub dead_man_ns: Option<u64>,
}

/// Orders of ours in a book that is not live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GapRule {
    /// For how long they may stand there, nanoseconds.
    pub after_ns: u64,
    /// Whether they are cancelled then.
    pub cancels: bool,
}

/// When the clock is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ClockRule {
    /// How far the wall clock may be from where the monotonic one says it is, nanoseconds.
    pub error_ns: u64,
    /// Whether the kernel must say that somebody steers it.
    pub synced: bool,
    /// What everything is halted to; `None`: nothing is, the state is only told.
    pub level: Option<HaltLevel>,
}

/// The triggers that hang on no account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EngineTriggers {
    /// Orders in a book that is not live.
    pub feed_gap: Option<GapRule>,
    /// For how long a book must be live, and trade, before new orders pass on it, nanoseconds.
    pub live_ns: Option<u64>,
    /// The clock.
    pub clock: Option<ClockRule>,
    /// For how long a record may wait for the journal, nanoseconds; then new orders are refused while it does.
    pub journal_lag_ns: Option<u64>,
    /// How many inputs may wait for the journal, likewise.
    pub journal_lag_inputs: Option<u64>,
    /// For how long journal or audit log may take nothing before everything is halted to cancel-only, nanoseconds.
    pub sink_latch_ns: Option<u64>,
    /// What everything is halted to when the session with a venue is gone.
    pub venue_session: Option<HaltLevel>,
}
