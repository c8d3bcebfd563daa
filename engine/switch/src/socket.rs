//! The listening end: the operator socket, polled by an engine's housekeeping thread. It never waits: not for a connection,
//! not for the rest of a line, not for a reader of an answer.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::passphrase::wipe;
use crate::words::{Answer, LIMITS_MAX, Request};

/// Longest request, its end of line included.
pub const REQUEST_MAX: usize = 4096;
/// The same of one that brings a file: it, its escapes, and everything else.
pub const RELOAD_MAX: usize = 2 * LIMITS_MAX + REQUEST_MAX;
/// How such a request begins; no other may be longer than [`REQUEST_MAX`].
const RELOAD: &[u8] = b"{\"op\":\"reload\",";
/// Pieces of [`REQUEST_MAX`] bytes that are taken in one go.
const PIECES_MAX: usize = 64;
/// Connections at a time; one more drives out the oldest that has not asked yet.
const GUESTS_MAX: usize = 16;
/// How long a connection may take to say its line, and to take its answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Names a connection that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// A request that came.
#[derive(Debug)]
pub struct Asked {
    /// Whom to answer.
    pub ticket: Ticket,
    /// User of the process that asks, as the kernel says.
    pub uid: u32,
    /// What it asks.
    pub request: Request,
}

/// The operator socket. Dropping it closes every connection and removes its name.
#[derive(Debug)]
pub struct OperatorSocket {
    listener: UnixListener,
    path: PathBuf,
    guests: Vec<Guest>,
    tickets: u64,
}

#[derive(Debug)]
struct Guest {
    ticket: Ticket,
    uid: u32,
    socket: UnixStream,
    since: Instant,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Has not said its line yet.
    Speaks(Vec<u8>),
    /// Has asked; `OperatorSocket::answer` is to follow.
    Waits,
    /// Is being answered; so many bytes it has.
    Hears(Vec<u8>, usize),
    Gone,
}

impl OperatorSocket {
    /// Listens at `path`, in the place of a dead engine's socket. Whoever calls this holds the engine's name.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn bind(path: &Path) -> std::io::Result<OperatorSocket> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // In a folder that is closed to everybody else: nobody comes in before the mode is set.
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(OperatorSocket { listener, path: path.into(), guests: Vec::new(), tickets: 0 })
    }

    /// The next request, if one is complete. Texts that are none are answered here.
    pub fn poll(&mut self, now: Instant) -> Option<Asked> {
        self.accept(now);
        let mut asked = None;
        for guest in &mut self.guests {
            match guest.stage {
                Stage::Speaks(_) if asked.is_none() => asked = guest.listen(now),
                Stage::Hears(..) => guest.speak(now),
                Stage::Speaks(_) | Stage::Waits | Stage::Gone => {}
            }
        }
        self.forget_gone();
        asked
    }

    /// Answers a request. A connection that is gone meanwhile is none.
    pub fn answer(&mut self, ticket: Ticket, answer: &Answer, now: Instant) {
        if let Some(guest) = self.guests.iter_mut().find(|guest| guest.ticket == ticket) {
            guest.answer(answer, now);
        }
        self.forget_gone();
    }

    fn forget_gone(&mut self) {
        self.guests.retain(|guest| !matches!(guest.stage, Stage::Gone));
    }

    fn accept(&mut self, now: Instant) {
        for _ in 0..GUESTS_MAX {
            let Ok((socket, _)) = self.listener.accept() else { return };
            let ours = rustix::process::geteuid().as_raw();
            let peer = rustix::net::sockopt::socket_peercred(&socket).ok();
            let uid = peer.map(|peer| peer.uid.as_raw()).filter(|uid| *uid == ours || *uid == 0);
            let (Some(uid), Ok(())) = (uid, socket.set_nonblocking(true)) else { continue };
            if self.guests.len() >= GUESTS_MAX {
                let idle = |guest: &Guest| !matches!(guest.stage, Stage::Waits);
                let Some(oldest) = self.guests.iter().position(idle) else { continue };
                self.guests.remove(oldest);
            }
            self.tickets += 1;
            let (ticket, stage) = (Ticket(self.tickets), Stage::Speaks(Vec::new()));
            self.guests.push(Guest { ticket, uid, socket, since: now, stage });
        }
    }
}

impl Drop for OperatorSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Guest {
    /// Takes what there is of the line.
    fn listen(&mut self, now: Instant) -> Option<Asked> {
        let mut piece = [0; REQUEST_MAX];
        let mut end = None;
        for _ in 0..PIECES_MAX {
            let Stage::Speaks(heard) = &mut self.stage else { return None };
            let most = most_of(heard);
            if end.is_some() || heard.len() >= most {
                break;
            }
            let room = (most - heard.len()).min(piece.len());
            match piece.get_mut(..room).map(|piece| self.socket.read(piece)) {
                Some(Ok(count)) if count > 0 => {
                    let piece = piece.get_mut(..count).unwrap_or_default();
                    let found = piece.iter().position(|byte| *byte == b'\n');
                    end = found.map(|place| heard.len() + place);
                    keep(heard, piece, most);
                    piece.fill(0);
                    std::hint::black_box(&*piece);
                }
                Some(Err(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
                {
                    if now.saturating_duration_since(self.since) > PATIENCE {
                        wipe(heard);
                        self.stage = Stage::Gone;
                    }
                    return None;
                }
                _ => {
                    wipe(heard);
                    self.stage = Stage::Gone;
                    return None;
                }
            }
        }
        let Stage::Speaks(heard) = &mut self.stage else { return None };
        let most = most_of(heard);
        if end.is_none() && heard.len() < most {
            return None;
        }
        let request = end.and_then(|end| heard.get(..end)).map(serde_json::from_slice);
        wipe(heard);
        self.stage = Stage::Waits;
        match request {
            Some(Ok(request)) => Some(Asked { ticket: self.ticket, uid: self.uid, request }),
            // Not a word of it is said again: it may hold a passphrase.
            Some(Err(_)) => {
                self.answer(&Answer::refused("malformed", "not a request of this version"), now);
                None
            }
            None => {
                let message = format!("a request is one line of at most {most} bytes");
                self.answer(&Answer::refused("too_long", message), now);
                None
            }
        }
    }

    fn answer(&mut self, answer: &Answer, now: Instant) {
        let mut line = serde_json::to_vec(answer).unwrap_or_default();
        line.push(b'\n');
        self.since = now;
        self.stage = Stage::Hears(line, 0);
        self.speak(now);
    }

    /// Sends what the other side takes.
    fn speak(&mut self, now: Instant) {
        let Stage::Hears(line, sent) = &mut self.stage else { return };
        match self.socket.write(line.get(*sent..).unwrap_or_default()) {
            Ok(count) if count > 0 => {
                *sent += count;
                if *sent >= line.len() {
                    self.stage = Stage::Gone;
                }
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
                    && now.saturating_duration_since(self.since) <= PATIENCE => {}
            _ => self.stage = Stage::Gone,
        }
    }
}

/// How long the line that begins so may become.
fn most_of(heard: &[u8]) -> usize {
    if heard.starts_with(RELOAD) { RELOAD_MAX } else { REQUEST_MAX }
}

/// Adds to what was heard. Memory that it grows out of is overwritten: there may be a passphrase in it.
fn keep(heard: &mut Vec<u8>, piece: &[u8], most: usize) {
    if heard.capacity() - heard.len() < piece.len() {
        let mut more = Vec::with_capacity(most.min(4 * (heard.len() + piece.len())));
        more.extend_from_slice(heard);
        wipe(&mut std::mem::replace(heard, more));
    }
    heard.extend_from_slice(piece);
}

#[cfg(test)]
mod tests;
