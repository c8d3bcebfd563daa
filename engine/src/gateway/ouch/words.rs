//! What a gateway is told, what it says, why it fails, and what it counts.

use feeds::session::soup::{ClientOptions, Login, SoupError};
use model::{Control, Report};

use super::frame::Frame;
use super::wire::WireError;

/// The firm of an account; `None`: the port's own.
pub type Firm = Option<[u8; 4]>;

/// What a gateway is told. Times in nanoseconds.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who asks. A session that is named here is the only one; blank: the current one.
    pub login: Login,
    /// The connection's own times.
    pub client: ClientOptions,
    /// Until the connection stands.
    pub open_ns_max: u64,
    /// Pause after the first failure; doubled after each.
    pub back_off_ns: u64,
    /// The longest pause.
    pub back_off_ns_max: u64,
    /// `A` agency, `P` principal, `R` riskless.
    pub capacity: u8,
    /// Firms by account.
    pub firms: Vec<Firm>,
    /// Executions that one session may have.
    pub executions_max: u32,
}

impl Options {
    /// The usual times.
    pub fn new(login: Login, firms: Vec<Firm>, executions_max: u32) -> Options {
        Options {
            login,
            client: ClientOptions::default(),
            open_ns_max: 10_000_000_000,
            back_off_ns: 100_000_000,
            back_off_ns_max: 5_000_000_000,
            capacity: b'A',
            firms,
            executions_max,
        }
    }
}

/// Why a connection was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OuchError {
    /// It broke its protocol or fell silent.
    #[error(transparent)]
    Soup(SoupError),
    /// It could not be opened, or the other end closed it.
    #[error("no connection")]
    Closed,
    /// The login was refused: `A` not authorised, `S` session not available.
    #[error("login rejected: '{}'", char::from(*.0))]
    Rejected(u8),
    /// The venue goes on with another session or sequence than was asked for.
    #[error("the venue goes on elsewhere than was asked for")]
    Elsewhere,
    /// The session is over.
    #[error("the session is over")]
    Over,
    /// A message that is no OUCH.
    #[error("sequence {seq}: {error}")]
    Message {
        /// Its sequence.
        seq: u64,
        /// What is wrong, and at which byte of it.
        error: WireError,
    },
    /// A price or quantity that is not a whole number of the instrument's units.
    #[error("a price or quantity that is not a whole number of units")]
    Scale,
    /// More orders or executions than a session may have: nothing new is sent in it.
    #[error("more orders or executions than a session may have")]
    Full,
}

/// What the transport is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Connect; then [`super::Ouch::on_opened`], or [`super::Ouch::on_closed`] if that fails.
    Open,
    /// Send this.
    Send(Frame),
    /// Close the connection. [`super::Ouch::on_closed`] is not to be called for it.
    Close,
}

/// What the engine is to hear, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Of an order.
    Report(Report),
    /// Of the session.
    Control(Control),
}

/// What a gateway has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages heard.
    pub messages: u64,
    /// Messages of types that the specification does not have.
    pub unknown: u64,
    /// Messages of orders that are not ours.
    pub foreign: u64,
    /// Connections asked for.
    pub connects: u64,
    /// Times that it was up.
    pub sessions: u64,
    /// New orders sent.
    pub orders: u64,
    /// Replacements sent.
    pub replaces: u64,
    /// Cancels sent.
    pub cancels: u64,
    /// Given back because the venue has no words for it.
    pub unsayable: u64,
}
