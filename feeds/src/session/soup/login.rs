//! The login request.

use super::{kind, number, put_number};
use crate::session::SessionId;

/// What a client says of itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Login {
    /// User, left-justified, padded with spaces.
    pub user: [u8; 6],
    /// Password, left-justified, padded with spaces.
    pub password: [u8; 10],
    /// The session wanted; blank: the current one.
    pub session: SessionId,
    /// The next sequence wanted; 1: from the start; 0: from the most recent on.
    pub next: u64,
    /// Milliseconds of silence after which the server may hang up (4.10; the request is longer then).
    pub timeout_ms: Option<u32>,
}

impl Login {
    /// Bytes of the request on the wire, without and with a timeout.
    pub const LENGTHS: [usize; 2] = [49, 54];

    /// A login to the current session, from its start; `None` if user or password are too long.
    pub fn new(user: &str, password: &str) -> Option<Login> {
        Some(Login {
            user: padded(user)?,
            password: padded(password)?,
            session: SessionId([b' '; 10]),
            next: 1,
            timeout_ms: None,
        })
    }

    /// Writes the request and returns its bytes.
    pub fn encode<'a>(&self, room: &'a mut [u8; 54]) -> &'a [u8] {
        let [_, _, packet, body @ ..] = room;
        *packet = kind::LOGIN;
        let mut at = 0;
        let mut put = |field: &[u8]| {
            if let Some(room) = body.get_mut(at..at + field.len()) {
                room.copy_from_slice(field);
            }
            at += field.len();
        };
        put(&self.user);
        put(&self.password);
        put(&self.session.0);
        let mut next = [0; 20];
        put_number(self.next, &mut next);
        put(&next);
        if let Some(timeout_ms) = self.timeout_ms {
            let mut timeout = [0; 5];
            put_number(timeout_ms.into(), &mut timeout);
            put(&timeout);
        }
        let length = at as u16 + 1;
        if let Some(first) = room.first_chunk_mut() {
            *first = length.to_be_bytes();
        }
        room.get(..usize::from(length) + 2).unwrap_or_default()
    }

    /// Reads the payload of a request, as a server does; `None` if it is none.
    pub fn decode(payload: &[u8]) -> Option<Login> {
        let (user, rest) = payload.split_first_chunk()?;
        let (password, rest) = rest.split_first_chunk()?;
        let (session, rest) = rest.split_first_chunk()?;
        let (next, timeout) = rest.split_first_chunk::<20>()?;
        let timeout_ms = match timeout.len() {
            0 => None,
            5 => Some(u32::try_from(number(timeout)?).ok()?),
            _ => return None,
        };
        Some(Login {
            user: *user,
            password: *password,
            session: SessionId(*session),
            next: number(next)?,
            timeout_ms,
        })
    }
}

impl core::fmt::Debug for Login {
    /// All but the password.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let user = self.user.escape_ascii();
        write!(f, "Login({user}, {:?}, {})", self.session, self.next)
    }
}

fn padded<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut field = [b' '; N];
    field.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
    Some(field)
}
