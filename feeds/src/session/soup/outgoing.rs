//! What a client sends by itself.

use super::Login;

/// A few bytes to send.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Outgoing {
    room: [u8; 54],
    length: u8,
}

impl Outgoing {
    pub(super) fn of(kind: u8) -> Outgoing {
        let mut room = [0; 54];
        if let Some(packet) = room.first_chunk_mut() {
            *packet = [0, 1, kind];
        }
        Outgoing { room, length: 3 }
    }

    pub(super) fn login(login: &Login) -> Outgoing {
        let mut room = [0; 54];
        let length = login.encode(&mut room).len() as u8;
        Outgoing { room, length }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.room.get(..self.length.into()).unwrap_or_default()
    }
}

impl core::fmt::Debug for Outgoing {
    /// The type alone: a login holds a password.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let kind = self.bytes().get(2).copied().unwrap_or(0);
        write!(f, "Outgoing('{}', {} bytes)", char::from(kind), self.length)
    }
}
