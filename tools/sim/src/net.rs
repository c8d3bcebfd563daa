//! The venue of [`mold`] over sockets: two UDP lines, a UDP re-request server, a TCP
//! snapshot server. Three threads, joined when the [`Publisher`] is stopped or dropped.

mod lines;
mod requests;
mod snapshots;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::faults::LineCounters;
use crate::mold::{self, Core, RequestCounters, Requests, SnapshotCounters};
use crate::source::Source;

/// What a publisher is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where line A is sent to: the address that a client binds, or a multicast group.
    pub line_a: SocketAddr,
    /// Where line B is sent to, if there is one.
    pub line_b: Option<SocketAddr>,
    /// The interface of multicast groups.
    pub interface: Ipv4Addr,
    /// Where the re-request server listens; port 0: any, see [`Publisher::request_addr`].
    pub request: SocketAddr,
    /// Where the snapshot server listens; port 0: any, see [`Publisher::snapshot_addr`].
    pub snapshot: SocketAddr,
    /// The venue; whether it has a line B is said above.
    pub mold: mold::Config,
}

impl Config {
    /// A venue that sends to `line_a` and `line_b`, servers on loopback at any port, without
    /// faults.
    pub fn new(line_a: SocketAddr, line_b: SocketAddr) -> Config {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Config {
            line_a,
            line_b: Some(line_b),
            interface: Ipv4Addr::LOCALHOST,
            request: any,
            snapshot: any,
            mold: mold::Config::default(),
        }
    }
}

/// What a publisher has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages published.
    pub messages: u64,
    /// When the last of them was sent, in nanoseconds since the start.
    pub messages_ns: u64,
    /// Packets made, before they went by the lines.
    pub packets: u64,
    /// What lines A and B did.
    pub lines: [LineCounters; 2],
    /// Packets that the operating system refused to send, counted as sent above.
    pub send_errors: u64,
    /// Packets that left more than a millisecond after they were due.
    pub late: u64,
    /// Nanoseconds that one left after it was due, at most.
    pub late_ns_max: u64,
    /// Re-requests.
    pub requests: RequestCounters,
    /// Snapshots.
    pub snapshots: SnapshotCounters,
}

/// What the threads share.
struct Shared {
    core: Mutex<Core>,
    requests: Mutex<Requests>,
    snapshots: Mutex<SnapshotCounters>,
    send_errors: AtomicU64,
    late: AtomicU64,
    late_ns_max: AtomicU64,
    messages_ns: AtomicU64,
    done: AtomicBool,
    stop: AtomicBool,
    epoch: Instant,
}

impl Shared {
    /// Nanoseconds since the start.
    fn now(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// A thread that panicked leaves counters and books as they are; they are only read then.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A venue at work.
pub struct Publisher {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    request: SocketAddr,
    snapshot: SocketAddr,
}

impl Publisher {
    /// Opens the sockets and begins to publish `source`.
    ///
    /// # Errors
    ///
    /// Those of the sockets: an address that is taken, a group without a route.
    pub fn start(mut config: Config, source: Source) -> io::Result<Publisher> {
        config.mold.two_lines = config.line_b.is_some();
        let lines = lines::Lines::open(&config)?;
        let requests = UdpSocket::bind(config.request)?;
        let snapshots = TcpListener::bind(config.snapshot)?;
        // Bursts of requests wait instead of being lost; the operating system may give less.
        socket2::SockRef::from(&requests).set_recv_buffer_size(1 << 20)?;
        requests.set_read_timeout(Some(Duration::from_millis(20)))?;
        snapshots.set_nonblocking(true)?;
        let (request, snapshot) = (requests.local_addr()?, snapshots.local_addr()?);
        let credentials = config.mold.credentials.clone();
        let plan = config.mold.requests;
        let shared = Arc::new(Shared {
            core: Mutex::new(Core::new(config.mold, source, 0)),
            requests: Mutex::new(Requests::new(plan)),
            snapshots: Mutex::new(SnapshotCounters::default()),
            send_errors: AtomicU64::new(0),
            late: AtomicU64::new(0),
            late_ns_max: AtomicU64::new(0),
            messages_ns: AtomicU64::new(0),
            done: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            epoch: Instant::now(),
        });
        let mut publisher =
            Publisher { shared: shared.clone(), threads: Vec::new(), request, snapshot };
        let a = shared.clone();
        publisher.spawn("sim-lines", move || lines.run(&a))?;
        let a = shared.clone();
        publisher.spawn("sim-requests", move || requests::run(&requests, &a))?;
        publisher
            .spawn("sim-snapshots", move || snapshots::run(&snapshots, &credentials, &shared))?;
        Ok(publisher)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(thread::Builder::new().name(name.to_owned()).spawn(run)?);
        Ok(())
    }

    /// Where the re-request server listens.
    pub const fn request_addr(&self) -> SocketAddr {
        self.request
    }

    /// Where the snapshot server listens.
    pub const fn snapshot_addr(&self) -> SocketAddr {
        self.snapshot
    }

    /// What was done so far.
    pub fn counters(&self) -> Counters {
        let mut counters = {
            let core = lock(&self.shared.core);
            Counters {
                messages: core.published().next() - 1,
                packets: core.packets(),
                lines: core.line_counters(),
                ..Counters::default()
            }
        };
        counters.send_errors = self.shared.send_errors.load(Ordering::Relaxed);
        counters.messages_ns = self.shared.messages_ns.load(Ordering::Relaxed);
        counters.late = self.shared.late.load(Ordering::Relaxed);
        counters.late_ns_max = self.shared.late_ns_max.load(Ordering::Relaxed);
        counters.requests = lock(&self.shared.requests).counters();
        counters.snapshots = *lock(&self.shared.snapshots);
        counters
    }

    /// Whether all is published, ends of the session included. The servers go on until it is
    /// stopped.
    pub fn is_done(&self) -> bool {
        self.shared.done.load(Ordering::Relaxed)
    }

    /// Why the source ended before its end, if it did.
    pub fn error(&self) -> Option<String> {
        lock(&self.shared.core).error().map(ToString::to_string)
    }

    /// Stops, joins its threads, and says what was done.
    pub fn stop(mut self) -> Counters {
        self.halt();
        self.counters()
    }

    fn halt(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A thread that panicked has said so on standard error.
            let _ = thread.join();
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.halt();
    }
}

#[cfg(test)]
mod tests;
