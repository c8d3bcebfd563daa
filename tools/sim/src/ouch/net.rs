//! The venue over sockets: one thread, joined when the [`Server`] is stopped or dropped.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Config, Connection, Counters, Venue};

/// Clients at a time; others are turned away.
const CLIENTS_MAX: usize = 16;
/// Pause between looks at the sockets while nothing moves.
const IDLE: Duration = Duration::from_micros(100);

struct Shared {
    venue: Mutex<Venue>,
    stop: AtomicBool,
}

impl Shared {
    /// A thread that panicked leaves the venue as it is; it is only read then.
    fn venue(&self) -> MutexGuard<'_, Venue> {
        self.venue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A venue at work.
pub struct Server {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    address: SocketAddr,
}

/// Nanoseconds since the UNIX epoch.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

impl Server {
    /// Listens at `address` (port 0: any, see [`Server::address`]). Its day is that of New York in winter.
    ///
    /// # Errors
    ///
    /// An address that is taken, or not of this machine.
    pub fn start(address: SocketAddr, config: Config) -> io::Result<Server> {
        const DAY_NS: u64 = 86_400_000_000_000;
        const BEHIND_NS: u64 = 5 * 3_600_000_000_000;
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let now = now();
        let midnight = (now - BEHIND_NS) / DAY_NS * DAY_NS + BEHIND_NS;
        let venue = Mutex::new(Venue::new(Config { midnight, ..config }, now));
        let shared = Arc::new(Shared { venue, stop: AtomicBool::new(false) });
        let of_thread = shared.clone();
        let thread = thread::Builder::new().name("sim-ouch".to_owned());
        let thread = Some(thread.spawn(move || run(&listener, &of_thread))?);
        Ok(Server { shared, thread, address })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Looks at the venue, or changes it. It stands still meanwhile.
    pub fn with<T>(&self, look: impl FnOnce(&mut Venue) -> T) -> T {
        look(&mut self.shared.venue())
    }

    /// What was seen and done so far.
    pub fn counters(&self) -> Counters {
        self.shared.venue().counters()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so on standard error.
            let _ = thread.join();
        }
    }
}

fn run(listener: &TcpListener, shared: &Shared) {
    let mut clients: Vec<Client> = Vec::new();
    while !shared.stop.load(Ordering::Relaxed) {
        let mut moved = false;
        let mut venue = shared.venue();
        let now = now().max(venue.now);
        venue.poll(now);
        if let Ok((stream, _)) = listener.accept()
            && clients.len() < CLIENTS_MAX
            && stream.set_nonblocking(true).is_ok()
        {
            // Without it an answer may wait for an acknowledgement: late, not wrong.
            let _ = stream.set_nodelay(true);
            let connection = Connection::new(now, &mut venue);
            clients.push(Client { stream, connection, out: Vec::new(), sent: 0 });
            moved = true;
        }
        clients.retain_mut(|client| {
            let turn = client.turn(now, &mut venue);
            moved |= turn == Some(true);
            turn.is_some()
        });
        drop(venue);
        if !moved {
            thread::sleep(IDLE);
        }
    }
}

struct Client {
    stream: TcpStream,
    connection: Connection,
    /// To be sent; `sent` bytes of it are.
    out: Vec<u8>,
    sent: usize,
}

impl Client {
    /// Reads a little, writes what can be written; whether something moved, `None` if it is over.
    fn turn(&mut self, now: u64, venue: &mut Venue) -> Option<bool> {
        let mut room = [0; 16 << 10];
        let read = match self.stream.read(&mut room) {
            Ok(0) => return None,
            Ok(length) => length,
            Err(error) if rests(error.kind()) => 0,
            Err(_) => return None,
        };
        if read > 0 && !self.connection.is_closed() {
            self.connection.on_bytes(&room[..read], now, venue);
        }
        // A client that does not keep up is waited for: nothing is made that it has no room for.
        if self.sent == self.out.len() {
            self.out.clear();
            self.sent = 0;
            self.connection.poll(now, venue, &mut self.out);
        }
        let wrote = match self.stream.write(&self.out[self.sent..]) {
            Ok(length) => length,
            Err(error) if rests(error.kind()) => 0,
            Err(_) => return None,
        };
        self.sent += wrote;
        if self.connection.is_closed() && self.sent == self.out.len() {
            let _ = self.stream.shutdown(Shutdown::Both);
            return None;
        }
        Some(read + wrote > 0)
    }
}

fn rests(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
