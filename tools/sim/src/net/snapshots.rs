//! The thread that serves snapshots, to a few clients at a time.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::{Shared, lock};
use crate::mold::{Connection, Credentials, SnapshotCounters};

/// Clients at a time; others are turned away.
const CLIENTS_MAX: usize = 16;
/// How long a client may stay: a snapshot takes seconds.
const STAY_NS: u64 = 300_000_000_000;
/// Pauses between looks at the sockets.
const IDLE: Duration = Duration::from_millis(5);
const BUSY: Duration = Duration::from_micros(500);

struct Client {
    stream: TcpStream,
    connection: Connection,
    since: u64,
    /// To be sent; `sent` bytes of it are.
    out: Vec<u8>,
    sent: usize,
}

/// Serves until it is stopped.
pub(super) fn run(listener: &TcpListener, credentials: &Credentials, shared: &Shared) {
    let mut clients: Vec<Client> = Vec::new();
    while !shared.is_stopped() {
        let mut moved = accept(listener, &mut clients, shared);
        clients.retain_mut(|client| {
            let turn = client.turn(credentials, shared);
            moved |= turn == Turn::Moved;
            turn != Turn::Over
        });
        if !moved {
            thread::sleep(if clients.is_empty() { IDLE } else { BUSY });
        }
    }
}

/// Takes one client, if one waits.
fn accept(listener: &TcpListener, clients: &mut Vec<Client>, shared: &Shared) -> bool {
    let Ok((stream, _)) = listener.accept() else { return false };
    let mut counters = lock(&shared.snapshots);
    counters.connections += 1;
    if clients.len() >= CLIENTS_MAX || stream.set_nonblocking(true).is_err() {
        counters.turned_away += 1;
        return false;
    }
    // Without it a heartbeat may wait for an acknowledgement: late, not wrong.
    let _ = stream.set_nodelay(true);
    let since = shared.now();
    let connection = Connection::new(since);
    clients.push(Client { stream, connection, since, out: Vec::new(), sent: 0 });
    true
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Moved,
    Rested,
    Over,
}

impl Client {
    /// Reads a little, writes what can be written.
    fn turn(&mut self, credentials: &Credentials, shared: &Shared) -> Turn {
        let now = shared.now();
        let mut room = [0; 512];
        let read = match self.stream.read(&mut room) {
            Ok(0) => return Turn::Over,
            Ok(length) => length,
            Err(error) if rests(error.kind()) => 0,
            Err(_) => return Turn::Over,
        };
        let mut seen = SnapshotCounters::default();
        if read > 0 && !self.connection.is_closed() {
            let core = lock(&shared.core);
            let venue = (core.published(), credentials);
            self.connection.on_bytes(&room[..read], now, venue, &mut seen, &mut self.out);
        }
        self.connection.on_time(now, &mut seen, &mut self.out);
        count(&seen, &mut lock(&shared.snapshots));
        let Some(wrote) = self.write() else { return Turn::Over };
        let all_sent = self.sent == self.out.len();
        if all_sent {
            self.out = Vec::new();
            self.sent = 0;
        }
        if now.saturating_sub(self.since) > STAY_NS || (all_sent && self.connection.is_closed()) {
            let _ = self.stream.shutdown(Shutdown::Both);
            return Turn::Over;
        }
        if read > 0 || wrote { Turn::Moved } else { Turn::Rested }
    }

    /// Whether something was written; `None` if the client is gone.
    fn write(&mut self) -> Option<bool> {
        let rest = &self.out[self.sent..];
        if rest.is_empty() {
            return Some(false);
        }
        match self.stream.write(rest) {
            Ok(0) => None,
            Ok(length) => {
                self.sent += length;
                Some(true)
            }
            Err(error) if rests(error.kind()) => Some(false),
            Err(_) => None,
        }
    }
}

fn rests(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Adds what one turn counted.
fn count(seen: &SnapshotCounters, all: &mut SnapshotCounters) {
    all.rejected += seen.rejected;
    all.broken += seen.broken;
    all.served += seen.served;
}
