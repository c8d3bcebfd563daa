//! The venue over sockets: one thread, joined when the [`Server`] is stopped or dropped.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Config, Connection, Core, Counters};
use crate::source::Source;

/// Clients at a time; others are turned away.
const CLIENTS_MAX: usize = 16;
/// Pause between looks at the sockets while nothing moves.
const IDLE: Duration = Duration::from_micros(500);

struct Shared {
    core: Mutex<Core>,
    stop: AtomicBool,
    /// A client has been told everything.
    current: AtomicBool,
    epoch: Instant,
}

impl Shared {
    /// A thread that panicked leaves counters as they are; they are only read then.
    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64
    }
}

/// A venue at work.
pub struct Server {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    address: SocketAddr,
}

impl Server {
    /// Listens at `address` (port 0: any, see [`Server::address`]) and begins to publish `source`.
    ///
    /// # Errors
    ///
    /// An address that is taken, or not of this machine.
    pub fn start(address: SocketAddr, config: Config, source: Source) -> io::Result<Server> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            core: Mutex::new(Core::new(config, source, 0)),
            stop: AtomicBool::new(false),
            current: AtomicBool::new(false),
            epoch: Instant::now(),
        });
        let of_thread = shared.clone();
        let thread = thread::Builder::new().name("sim-soup".to_owned());
        let thread = Some(thread.spawn(move || run(&listener, &of_thread))?);
        Ok(Server { shared, thread, address })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was done so far.
    pub fn counters(&self) -> Counters {
        self.shared.core().counters()
    }

    /// Whether all is published. It goes on to be heard until it is stopped.
    pub fn is_over(&self) -> bool {
        self.shared.core().is_over()
    }

    /// Whether a client that is connected was told everything.
    pub fn is_heard(&self) -> bool {
        self.shared.current.load(Ordering::Relaxed)
    }

    /// Another session takes over.
    pub fn change_session(&self) {
        self.shared.core().change_session();
    }

    /// Why the source ended before its end, if it did.
    pub fn error(&self) -> Option<String> {
        self.shared.core().error().map(ToString::to_string)
    }

    /// Stops, joins its thread, and says what was done.
    pub fn stop(mut self) -> Counters {
        self.halt();
        self.counters()
    }

    fn halt(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so on standard error.
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.halt();
    }
}

fn run(listener: &TcpListener, shared: &Shared) {
    let mut clients: Vec<Client> = Vec::new();
    while !shared.stop.load(Ordering::Relaxed) {
        let now = shared.now();
        let mut core = shared.core();
        core.poll(now);
        let mut moved = false;
        if let Ok((stream, _)) = listener.accept()
            && clients.len() < CLIENTS_MAX
            && stream.set_nonblocking(true).is_ok()
        {
            // Without it a heartbeat may wait for an acknowledgement: late, not wrong.
            let _ = stream.set_nodelay(true);
            let connection = Connection::new(now, &mut core);
            clients.push(Client { stream, connection, out: Vec::new(), sent: 0 });
            moved = true;
        }
        clients.retain_mut(|client| {
            let turn = client.turn(now, &mut core);
            moved |= turn == Some(true);
            turn.is_some()
        });
        let is_current = |client: &Client| {
            client.sent == client.out.len() && client.connection.is_current(&core)
        };
        shared.current.store(clients.iter().any(is_current), Ordering::Relaxed);
        drop(core);
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
    fn turn(&mut self, now: u64, core: &mut Core) -> Option<bool> {
        let mut room = [0; 512];
        let read = match self.stream.read(&mut room) {
            Ok(0) => return None,
            Ok(length) => length,
            Err(error) if rests(error.kind()) => 0,
            Err(_) => return None,
        };
        if read > 0 && !self.connection.is_closed() {
            self.connection.on_bytes(&room[..read], now, core);
        }
        // A client that does not keep up is waited for: nothing is made that it has no room for.
        if self.sent == self.out.len() {
            self.out.clear();
            self.sent = 0;
            self.connection.poll(now, core, &mut self.out);
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
