//! Sequencing of Nasdaq-style feeds: bytes and the time in, messages in order out.
//!
//! Every machine here is sans-I/O: it is told what arrived and when, and asked what to send and when to be
//! woken. The same ones serve live sockets, captures and tests on virtual time. Same inputs, same outputs.
//!
//! - [`mold`]: MoldUDP64 packets; [`arbiter`]: two lines of them become one sequence.
//! - [`soup`]: a SoupBinTCP connection; [`glimpse`]: a snapshot over one.
//! - [`channel`]: all of them and the ITCH decoder, so that books heal by themselves.
//! - [`soup_feed`]: ITCH over one SoupBinTCP connection, with no lines and no snapshots.

pub mod arbiter;
pub mod channel;
pub mod glimpse;
pub mod mold;
pub mod soup;
pub mod soup_feed;

/// Code of a [`Kind::Session`](model::Kind::Session) event, beside the venues' own: a session was joined, and it begins a day
/// if what is known is of an earlier one.
pub const SESSION_JOINED: u64 = 1 << 8;

/// The heartbeats of two lines, or of a server that beats fast, are passed on no more often than this.
pub(crate) const BEAT_NS_MIN: u64 = 500_000_000;

/// Name of a session: ten bytes, by the specifications alphanumeric, compared and never read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub [u8; 10]);

impl SessionId {
    /// The session of a name, behind spaces, as Nasdaq writes them; bytes beyond the tenth are cut off.
    pub fn named(name: &str) -> SessionId {
        let mut field = [b' '; 10];
        let name = name.as_bytes();
        let (name, _) = name.split_at_checked(10).unwrap_or((name, &[]));
        if let Some(room) = field.get_mut(10 - name.len()..) {
            room.copy_from_slice(name);
        }
        SessionId(field)
    }

    /// Whether both have one name: spaces around it are padding, which one protocol puts before it and
    /// another behind.
    pub fn is_called(&self, other: &SessionId) -> bool {
        self.0.trim_ascii() == other.0.trim_ascii()
    }
}
