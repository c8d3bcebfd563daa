//! What a server says: framing for simulators and tests, appended to a buffer of theirs.

use super::{kind, put_number};
use crate::session::SessionId;

/// Bytes that a server that is still there sends.
pub const HEARTBEAT: [u8; 3] = [0, 1, kind::SERVER_HEARTBEAT];
/// Bytes that end a session.
pub const END: [u8; 3] = [0, 1, kind::END];

/// The login is accepted: the session, and the sequence of the next message.
pub fn accepted(session: SessionId, next: u64, out: &mut Vec<u8>) {
    let mut number = [0; 20];
    put_number(next, &mut number);
    packet(kind::ACCEPTED, &[&session.0, &number], out);
}

/// The login is rejected: `A` not authorised, `S` session not available.
pub fn rejected(reason: u8, out: &mut Vec<u8>) {
    packet(kind::REJECTED, &[&[reason]], out);
}

/// A message with a sequence; of more than 65,534 bytes nothing is written.
pub fn sequenced(message: &[u8], out: &mut Vec<u8>) {
    packet(kind::SEQUENCED, &[message], out);
}

/// A message without a sequence; of more than 65,534 bytes nothing is written.
pub fn unsequenced(message: &[u8], out: &mut Vec<u8>) {
    packet(kind::UNSEQUENCED, &[message], out);
}

fn packet(kind: u8, fields: &[&[u8]], out: &mut Vec<u8>) {
    let length = 1 + fields.iter().map(|field| field.len()).sum::<usize>();
    let Ok(length) = u16::try_from(length) else { return };
    out.extend_from_slice(&length.to_be_bytes());
    out.push(kind);
    fields.iter().for_each(|field| out.extend_from_slice(field));
}
