//! What a snapshot client is told, what it says, and why it fails.

use crate::session::SessionId;
use crate::session::soup::{ClientOptions, Login, SoupError};

/// What a snapshot client is told. Times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlimpseOptions {
    /// Who asks.
    pub login: Login,
    /// The connection's own times.
    pub client: ClientOptions,
    /// The snapshot's session must have the name of the lines' session: this keeps a snapshot of another day
    /// out. Only for a venue that names them apart it must be off; then nothing but the sequence does.
    pub same_session: bool,
    /// Until the connection stands.
    pub open_ns_max: u64,
    /// From the opening until the lines have caught up with the snapshot.
    pub snapshot_ns_max: u64,
    /// Pause after the first failure; doubled after each, and shortened at random by up to a half.
    pub back_off_ns: u64,
    /// The longest pause.
    pub back_off_ns_max: u64,
    /// Seed of the pauses.
    pub seed: u64,
}

impl GlimpseOptions {
    /// The usual times.
    pub fn new(login: Login) -> GlimpseOptions {
        GlimpseOptions {
            login,
            same_session: true,
            client: ClientOptions::default(),
            open_ns_max: 10_000_000_000,
            snapshot_ns_max: 120_000_000_000,
            back_off_ns: 500_000_000,
            back_off_ns_max: 30_000_000_000,
            seed: 1,
        }
    }
}

/// A piece of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// It begins: what follows replaces all that is known.
    Begin {
        /// The session of the connection.
        session: SessionId,
    },
    /// An ITCH message.
    Message(&'a [u8]),
    /// It is whole; the lines go on with the message `next`.
    End {
        /// Sequence of the first message that is not in it.
        next: u64,
    },
}

/// Why a snapshot failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GlimpseError {
    /// The connection broke its protocol or fell silent.
    #[error(transparent)]
    Soup(SoupError),
    /// It could not be opened in time, or ended before the snapshot did.
    #[error("no connection")]
    Closed,
    /// The server refused the login: `A` not authorised, `S` session not available.
    #[error("login rejected: '{}'", char::from(*.0))]
    Rejected(u8),
    /// The login was for all of it, and accepted from this sequence on.
    #[error("accepted from {0}, not from 1")]
    Sequence(u64),
    /// The snapshot is not whole in time, or the lines do not reach it.
    #[error("not done in time")]
    Timeout,
    /// A message that is no ITCH, or an end without a sequence.
    #[error("an illegal message")]
    BadMessage,
    /// Of another session than the lines.
    #[error("of another session")]
    OtherSession,
    /// It ends before what has been kept of the lines.
    #[error("older than what was kept")]
    TooOld,
    /// The lines brought more meanwhile than could be kept.
    #[error("more came meanwhile than could be kept")]
    Overflow,
}
