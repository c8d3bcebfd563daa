//! SoupBinTCP 3.00 and 4: framed packets over TCP (`SOUPBINTCP.md` is the digest of the specification).
//!
//! [`Stream`] cuts packets from whatever chunks TCP delivers; [`Client`] is the client's end of a session;
//! [`server`] frames what the other end says, for simulators and tests.

mod client;
mod login;
mod outgoing;
pub mod server;
mod stream;

pub use client::{Client, ClientOptions, Received};
pub use login::Login;
pub use outgoing::Outgoing;
pub use stream::{Packet, Stream};

/// Types of packets, as on the wire.
pub mod kind {
    /// Server: login accepted, with session and sequence.
    pub const ACCEPTED: u8 = b'A';
    /// Server: login rejected, with a reason.
    pub const REJECTED: u8 = b'J';
    /// Server: a message with a sequence, which is counted and not told.
    pub const SEQUENCED: u8 = b'S';
    /// Server: heartbeat.
    pub const SERVER_HEARTBEAT: u8 = b'H';
    /// Server: end of session.
    pub const END: u8 = b'Z';
    /// Either: text for people.
    pub const DEBUG: u8 = b'+';
    /// Client: login request.
    pub const LOGIN: u8 = b'L';
    /// Client, and in 4 the server too: a message without a sequence.
    pub const UNSEQUENCED: u8 = b'U';
    /// Client: heartbeat.
    pub const CLIENT_HEARTBEAT: u8 = b'R';
    /// Client: logout request.
    pub const LOGOUT: u8 = b'O';
}

/// Why a connection is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SoupError {
    /// A packet of no bytes: it has not even a type, so the framing is lost.
    #[error("offset {offset}: a packet without a type")]
    Empty {
        /// Byte of the connection where the packet begins.
        offset: u64,
    },
    /// A type that a server does not send.
    #[error("offset {offset}: unknown packet type 0x{kind:02X}")]
    UnknownType {
        /// Byte of the connection where the packet begins.
        offset: u64,
        /// The type.
        kind: u8,
    },
    /// A known type with a payload of another length.
    #[error("offset {offset}: packet '{}' with {got} bytes, must be {need}", char::from(*kind))]
    Length {
        /// Byte of the connection where the packet begins.
        offset: u64,
        /// The type.
        kind: u8,
        /// Bytes by the specification.
        need: u16,
        /// Bytes of the payload.
        got: u16,
    },
    /// A field that is not what the specification allows.
    #[error("offset {offset}: packet '{}' with an illegal field", char::from(*kind))]
    Field {
        /// Byte of the connection where the packet begins.
        offset: u64,
        /// The type.
        kind: u8,
    },
    /// A packet that has no place before the login is accepted, or after the session.
    #[error("offset {offset}: packet '{}' out of place", char::from(*kind))]
    Unexpected {
        /// Byte of the connection where the packet begins.
        offset: u64,
        /// The type.
        kind: u8,
    },
    /// The server did not answer the login in time.
    #[error("no answer to the login")]
    LoginTimeout,
    /// The server said nothing for too long.
    #[error("the server fell silent")]
    Silent,
    /// The session that was to be resumed went on from another sequence or is another one.
    #[error("the server resumes elsewhere")]
    Resume,
}

/// A number as ASCII digits behind spaces or zeros; `None` if it is none. All spaces is none, too.
pub fn number(field: &[u8]) -> Option<u64> {
    let digits = field.trim_ascii_start();
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// The number, right-justified behind spaces; what does not fit is cut off at the left.
pub fn put_number(mut number: u64, field: &mut [u8]) {
    let mut first = true;
    for byte in field.iter_mut().rev() {
        *byte = if number > 0 || first { b'0' + (number % 10) as u8 } else { b' ' };
        number /= 10;
        first = false;
    }
}

#[cfg(test)]
mod tests;
