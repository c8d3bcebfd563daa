//! What operator and engine say to each other: one JSON object on a line each way.
//!
//! ```text
//! {"op":"halt","scope":{"kind":"account","name":"agent"},"level":"halted","operator":"ann","reason":"fat finger"}
//! {"op":"resume","scope":{"kind":"all"},"level":"active","operator":"ann","reason":"checked","passphrase":"…"}
//! {"op":"status"}
//! {"op":"approvals"}
//! {"op":"approve","approval":{"number":7,…},"seconds":300,"operator":"ann","reason":"seen","passphrase":"…"}
//! {"op":"reload","text":"session_start = …","dry_run":true}
//! ```

use std::collections::BTreeMap;

use model::{HaltCause, HaltLevel};
use serde::{Deserialize, Serialize};

use crate::books::{Booked, Books};
use crate::passphrase::Passphrase;

/// Longest reason, in characters; the core keeps the first 32 of them.
pub const REASON_MAX: usize = 200;

/// Longest text of limits, in bytes.
pub const LIMITS_MAX: usize = 1 << 20;

/// What is asked.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Raise a level. Nobody needs a passphrase to stop.
    Halt {
        /// What to stop.
        scope: Scope,
        /// How hard.
        #[serde(with = "level")]
        level: HaltLevel,
        /// Who says so; may be empty.
        #[serde(default)]
        operator: String,
        /// Why.
        reason: String,
    },
    /// Lower a level.
    Resume {
        /// What to let go.
        scope: Scope,
        /// To which level.
        #[serde(with = "level")]
        level: HaltLevel,
        /// Who says so.
        operator: String,
        /// Why.
        reason: String,
        /// The operator's.
        passphrase: Passphrase,
    },
    /// How does the engine stand?
    Status {},
    /// Which orders wait for approval, and which are approved and did not come yet?
    Approvals {},
    /// Let one order pass beyond its soft limits, once.
    Approve(Box<Approve>),
    /// Take other limits.
    Reload(Reload),
    /// Take a rate or a split into the books.
    Books(Books),
}

/// An approval, as its operator saw the order.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// What was listed; if it is not so any more, it is refused.
    pub approval: Approval,
    /// For how long it may come, seconds of engine time.
    pub seconds: u64,
    /// Who says so.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// The operator's.
    pub passphrase: Passphrase,
}

/// An order beyond its soft limits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The number that its refusal named.
    pub number: u32,
    /// On which account.
    pub account: String,
    /// In what.
    pub symbol: String,
    /// buy or sell.
    pub side: String,
    /// How it is priced.
    pub order_type: String,
    /// How long it lives.
    pub tif: String,
    /// What else is asked of it, by name: `stop_px=9.5`, `reduce_only`.
    pub conditions: Vec<String>,
    /// At most this quantity, in exact digits.
    pub qty: String,
    /// At this price or a better one, in exact digits.
    pub px: String,
    /// The order that it changes; `None`: it is a new one.
    pub replaces: Option<u64>,
    /// Keys of the soft limits that it is beyond.
    pub beyond: Vec<String>,
    /// Since when it waits, engine time, nanoseconds.
    pub since_ns: u64,
    /// Until when it may come, engine time; `None`: nobody approved it.
    pub until_ns: Option<u64>,
}

impl std::fmt::Display for Approval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Approval { number, account, symbol, side, order_type, tif, qty, px, .. } = self;
        let change =
            self.replaces.map_or(String::new(), |order| format!(" in place of order {order}"));
        let words = [order_type, tif].into_iter().chain(&self.conditions);
        let (how, beyond) = (words.cloned().collect::<Vec<_>>().join(", "), self.beyond.join(", "));
        write!(
            f,
            "{number}: {account} {side} {qty} {symbol} at {px} ({how}){change}, beyond {beyond}"
        )
    }
}

/// Other limits. What is looser in them takes operator, reason and passphrase; what is not, takes none.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reload {
    /// The whole limits.toml, at most [`LIMITS_MAX`] bytes.
    pub text: String,
    /// The version of limits that it was compared with; if others are in force, it is refused.
    #[serde(default)]
    pub base: Option<u32>,
    /// Only say what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// Who says so; may be empty.
    #[serde(default)]
    pub operator: String,
    /// Why; may be empty.
    #[serde(default)]
    pub reason: String,
    /// The operator's.
    #[serde(default)]
    pub passphrase: Option<Passphrase>,
}

/// What a halt stops, by the names that people use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Scope {
    /// Everything.
    All,
    /// One account.
    Account(String),
    /// Every instrument of a symbol, listed or still to be listed.
    Symbol(String),
    /// One strategy, by its place in engine.toml, from 0.
    Strategy(u8),
    /// Whoever asks over one desk.
    Client(u8),
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scope::All => f.write_str("all"),
            Scope::Account(name) => write!(f, "account {name}"),
            Scope::Symbol(name) => write!(f, "symbol {name}"),
            Scope::Strategy(place) => write!(f, "strategy {place}"),
            Scope::Client(desk) => write!(f, "client {desk}"),
        }
    }
}

/// What comes back.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It was done.
    Done(Done),
    /// It was not.
    Refused(Refusal),
    /// How the engine stands.
    Status(Box<Status>),
    /// Which orders wait for approval.
    Approvals {
        /// The oldest first.
        list: Vec<Approval>,
    },
    /// In what limits differ, and whether they are in force.
    Limits(Box<Limits>),
    /// What a rate or a split comes to, and whether it was taken.
    Booked(Box<Booked>),
}

/// Limits that were compared, and taken unless that was all that was asked.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Limits {
    /// Their version within the journal, or the one that they would have.
    pub version: u32,
    /// Digest of the configuration with them.
    pub config_digest: String,
    /// In what they differ, what is looser first. At most [`Limits::CHANGES_MAX`].
    pub changes: Vec<LimitsChange>,
    /// In how much they differ.
    pub change_count: u64,
    /// How much of it is looser.
    pub looser_count: u64,
    /// The input that put them in force; `None`: they are not, or say word for word what is.
    pub engine_seq: Option<u64>,
    /// Whether the journal has that input.
    pub recorded: bool,
}

impl Limits {
    /// Most changes that an answer lists.
    pub const CHANGES_MAX: usize = 1000;
}

/// One difference.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct LimitsChange {
    /// Account, symbol and key.
    pub what: String,
    /// As it is.
    pub old: String,
    /// As it shall be.
    pub new: String,
    /// tighter, looser or neither.
    pub effect: String,
}

/// A halt or a resume that was taken.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Done {
    /// The input that did it; `None`: the engine thread has not taken it yet, and will before anything else.
    pub engine_seq: Option<u64>,
    /// Whether the journal has that input.
    pub recorded: bool,
    /// Whether the latch file says so: a start after this moment comes up in this state.
    pub latched: bool,
    /// The level of the scope that is in force then: a halt never lowers one.
    pub level: String,
}

/// Why something was not done.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Refusal {
    /// The reason as a word; those of the core are [`model::ResumeRefusal`]'s.
    pub code: String,
    /// The same for people, and what to do.
    pub message: String,
}

impl Answer {
    /// A refusal.
    pub fn refused(code: &str, message: impl Into<String>) -> Answer {
        Answer::Refused(Refusal { code: code.to_owned(), message: message.into() })
    }
}

/// A halt in force.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Halt {
    /// What is stopped.
    pub scope: Scope,
    /// How hard.
    #[serde(with = "level")]
    pub level: HaltLevel,
    /// Why, as a word.
    #[serde(with = "cause")]
    pub cause: HaltCause,
    /// By whom; empty: not by an operator.
    pub operator: String,
    /// Why, in words.
    pub reason: String,
    /// Since when, by the wall clock, nanoseconds.
    pub since_ns: u64,
}

/// How an engine stands.
#[derive(Debug, Deserialize, Serialize)]
pub struct Status {
    /// Its name.
    pub engine: String,
    /// Its process.
    pub pid: u32,
    /// paper, replay or live.
    pub mode: String,
    /// Number of its start.
    pub epoch: u64,
    /// How long it runs.
    pub uptime_ms: u64,
    /// Number of the last input.
    pub engine_seq: u64,
    /// Engine time, nanoseconds.
    pub engine_time_ns: u64,
    /// How long ago the engine thread was last seen to go round.
    pub loop_age_ms: u64,
    /// Whether the engine thread stands still.
    pub stalled: bool,
    /// What is halted. At most [`Status::HALTS_MAX`] of them.
    pub halts: Vec<Halt>,
    /// How many halts there are.
    pub halt_count: u64,
    /// Whether the latch file says the same.
    pub latched: bool,
    /// Its path.
    pub latch_file: String,
    /// Version of the limits in force within the journal, from 1.
    pub limits_version: u32,
    /// Digest of the configuration with them; the audit log has it with each verdict.
    pub config_digest: String,
    /// The feeds, in the order of engine.toml.
    pub feeds: Vec<Feed>,
    /// The journal; `None`: there is none.
    pub journal: Option<Journal>,
    /// The gateway to a venue outside; `None`: there is none, see `gateway_why`.
    pub gateway: Option<Gateway>,
    /// Why there is no gateway.
    pub gateway_why: Option<String>,
    /// Orders that can still fill.
    pub open_orders: u64,
    /// Orders and changes that passed the gate.
    pub orders_passed: u64,
    /// Refused, by first failing rule.
    pub orders_refused: BTreeMap<String, u64>,
    /// What sets the kill switch off by itself, and how far it is from it.
    pub triggers: Vec<Trigger>,
}

/// A trigger of the kill switch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Trigger {
    /// The key of its limit in limits.toml.
    pub name: String,
    /// What it would halt for, as a word.
    #[serde(with = "cause")]
    pub cause: HaltCause,
    /// What it is about, and would halt; a feed's gap halts its symbol alone.
    pub scope: Scope,
    /// What is counted: `count`, `ms` or `money`.
    pub unit: String,
    /// What is counted now, in exact digits.
    pub used: String,
    /// More than this sets it off; `None`: it is off.
    pub limit: Option<String>,
    /// Length of the window that is counted in; `None`: it has none, or is off.
    pub window_ms: Option<u64>,
    /// What it would halt to; `None`: nothing, it only refuses or is told, or is off.
    pub level: Option<String>,
    /// Whether it is beyond its limit now.
    pub beyond: bool,
}

impl Status {
    /// Most halts that a status lists.
    pub const HALTS_MAX: usize = 256;
}

/// A feed at a glance.
#[derive(Debug, Deserialize, Serialize)]
pub struct Feed {
    /// Its venue.
    pub venue: String,
    /// Messages decoded.
    pub messages: u64,
    /// Messages lost for good.
    pub lost: u64,
    /// Times that something was missing.
    pub gaps: u64,
    /// Books by integrity.
    pub books: BTreeMap<String, u64>,
}

/// The gateway at a glance.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Gateway {
    /// Where it connects to.
    pub address: String,
    /// `connected`; `reconciling`, and nothing new is sent until it is known where all orders stand; or `down`.
    pub state: String,
    /// Since when its session is up or down, by the wall clock, nanoseconds.
    pub since_ns: u64,
    /// The venue's session that is heard; `None`: none yet.
    pub session: Option<String>,
    /// Times that a session came up since the start.
    pub sessions: u64,
    /// Orders, changes and cancels that wait to be sent.
    pub queued: u64,
    /// Orders of which nobody knows where they stand.
    pub in_doubt: u64,
    /// How long ago the venue last said something of an order; `None`: not since the start.
    pub report_age_ms: Option<u64>,
}

/// The journal at a glance.
#[derive(Debug, Deserialize, Serialize)]
pub struct Journal {
    /// Whether new orders are refused because it takes no more.
    pub full: bool,
    /// Inputs not written yet.
    pub unwritten: u64,
    /// Inputs not on the disk yet.
    pub unsynced: u64,
}

/// A reason as it is logged and kept: one line of [`REASON_MAX`] characters at most.
pub fn clean_reason(reason: &str) -> String {
    let clean = |c: char| if c.is_control() { '?' } else { c };
    reason.trim().chars().take(REASON_MAX).map(clean).collect()
}

macro_rules! by_name {
    ($module:ident, $of:ty) => {
        pub(crate) mod $module {
            use serde::{Deserialize, Deserializer, Serializer, de::Error};

            pub fn serialize<S: Serializer>(value: &$of, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(value.name())
            }

            pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<$of, D::Error> {
                let name = String::deserialize(from)?;
                <$of>::from_name(&name).ok_or_else(|| D::Error::custom("no such word"))
            }
        }
    };
}

by_name!(level, model::HaltLevel);
by_name!(cause, model::HaltCause);

#[cfg(test)]
mod tests;
