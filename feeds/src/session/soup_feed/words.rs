//! What a feed over a connection is told, what it says, why it fails, and what it counts.

use model::{FeedId, Ts};

use crate::nasdaq::itch::DecodeError;
use crate::session::soup::{ClientOptions, Login, Outgoing, SoupError};
use crate::shard::Shard;

/// What a feed is told. Times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoupFeedOptions {
    /// The feed's number in the engine.
    pub feed: FeedId,
    /// What the venue's nanoseconds count from: midnight in New York of the day that it begins in.
    pub midnight: Ts,
    /// Who asks. A session that is named here is the only one that is heard; blank: the current one.
    pub login: Login,
    /// The connection's own times.
    pub client: ClientOptions,
    /// Until the connection stands.
    pub open_ns_max: u64,
    /// A server that says nothing for so long is in doubt, and its books are stale: three heartbeats.
    pub quiet_ns_max: u64,
    /// A message no older than this, by the venue's time, is current: the stream has caught up.
    pub lag_ns_max: u64,
    /// Pause after the first failure; doubled after each, and shortened at random by up to a half.
    pub back_off_ns: u64,
    /// The longest pause.
    pub back_off_ns_max: u64,
    /// How often the same is asked for before it is given up: a message that cannot be decoded, a sequence
    /// that the server does not go on with.
    pub attempts_max: u32,
    /// Seed of the pauses.
    pub seed: u64,
    /// Whose events will be passed on: those of others need not be decoded. `None`: all.
    pub shard: Option<Shard>,
}

impl SoupFeedOptions {
    /// The usual times.
    pub fn new(feed: FeedId, midnight: Ts, login: Login) -> SoupFeedOptions {
        SoupFeedOptions {
            feed,
            midnight,
            login,
            client: ClientOptions::default(),
            open_ns_max: 10_000_000_000,
            quiet_ns_max: 3_000_000_000,
            lag_ns_max: 1_000_000_000,
            back_off_ns: 500_000_000,
            back_off_ns_max: 30_000_000_000,
            attempts_max: 3,
            seed: 1,
            shard: None,
        }
    }
}

/// What the transport is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Connect; then [`SoupFeed::on_opened`](super::SoupFeed::on_opened), or
    /// [`SoupFeed::on_closed`](super::SoupFeed::on_closed) if that fails.
    Open,
    /// Send these bytes.
    Send(Outgoing),
    /// Close the connection. [`SoupFeed::on_closed`](super::SoupFeed::on_closed) is not to be called for it.
    Close,
}

/// Why a connection was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SoupFeedError {
    /// The connection broke its protocol or fell silent.
    #[error(transparent)]
    Soup(SoupError),
    /// It could not be opened, or the other end closed it.
    #[error("no connection")]
    Closed,
    /// The server refused the login: `A` not authorised, `S` session not available.
    #[error("login rejected: '{}'", char::from(*.0))]
    Rejected(u8),
    /// The server goes on with another sequence than was asked for.
    #[error("asked for sequence {asked}, the server goes on with {got}")]
    Sequence {
        /// Asked for.
        asked: u64,
        /// What comes next instead.
        got: u64,
    },
    /// The server goes on with another session than the only one that is wanted.
    #[error("the server goes on with another session")]
    Session,
    /// A message that is no ITCH.
    #[error("offset {offset}: sequence {seq}: {error}")]
    Message {
        /// Byte of the connection where its packet begins.
        offset: u64,
        /// Its sequence.
        seq: u64,
        /// What is wrong.
        error: DecodeError,
    },
}

/// What a feed has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoupFeedCounters {
    /// Messages decoded, those that came again included.
    pub messages: u64,
    /// Messages that came again, because the session was asked for from its start once more.
    pub repeated: u64,
    /// Messages that are lost for good.
    pub lost: u64,
    /// Messages of a type that the decoder does not know, or of no bytes.
    pub unknown: u64,
    /// Messages of a known type that could not be decoded.
    pub bad: u64,
    /// Messages with a venue time before that of the message before, other than the start of a day.
    pub backwards: u64,
    /// Connections asked for.
    pub connects: u64,
    /// Logins that were accepted.
    pub logins: u64,
    /// Logins that were rejected.
    pub rejections: u64,
    /// Logins that were accepted with another sequence than was asked for.
    pub misplaced: u64,
    /// Sessions begun, or begun anew.
    pub sessions: u64,
    /// Connections given up because of what the server sent.
    pub faults: u64,
}
