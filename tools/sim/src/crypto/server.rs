//! A venue on loopback sockets: WebSocket for its stream, HTTP for bodies that are asked for.

mod http;
mod socket;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::session::{Frame, SessionId};
use super::venue::CryptoVenue;

/// Clients at a time, at most.
const CLIENTS_MAX: usize = 64;

/// What stands behind the sockets.
pub trait Speaker: Send + 'static {
    /// A client connects; `None`: it is refused.
    fn open(&mut self, now: u64) -> Option<SessionId>;
    /// It is gone.
    fn close(&mut self, session: SessionId);
    /// It says something.
    fn on_text(&mut self, session: SessionId, text: &str, now: u64);
    /// What is to be sent to it by now.
    fn poll(&mut self, session: SessionId, now: u64) -> Option<Frame>;
    /// Time passes, also when nobody listens.
    fn advance(&mut self, now: u64) {
        let _ = now;
    }
    /// What a path is answered with.
    fn get(&mut self, path: &str, now: u64) -> Answer;
}

impl Speaker for CryptoVenue {
    fn open(&mut self, now: u64) -> Option<SessionId> {
        CryptoVenue::open(self, now)
    }

    fn close(&mut self, session: SessionId) {
        CryptoVenue::close(self, session);
    }

    fn on_text(&mut self, session: SessionId, text: &str, now: u64) {
        CryptoVenue::on_text(self, session, text, now);
    }

    fn poll(&mut self, session: SessionId, now: u64) -> Option<Frame> {
        CryptoVenue::poll(self, session, now).map(|(frame, _)| frame)
    }

    fn advance(&mut self, now: u64) {
        CryptoVenue::advance(self, now);
    }

    fn get(&mut self, path: &str, now: u64) -> Answer {
        CryptoVenue::get(self, path, now)
    }
}

/// A clock that may run faster than others.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
    base: u64,
    speed: u32,
}

impl Clock {
    /// A clock that shows `base` now, and runs `speed` times as fast as time does.
    pub fn new(base: u64, speed: u32) -> Clock {
        Clock { began: Instant::now(), base, speed: speed.max(1) }
    }

    /// The time, nanoseconds since the epoch.
    pub fn now(&self) -> u64 {
        let passed = self.began.elapsed().as_nanos() as u64;
        self.base.saturating_add(passed.saturating_mul(self.speed.into()))
    }

    /// How long it really is until the clock shows `at`.
    fn until(&self, at: u64) -> Duration {
        Duration::from_nanos(at.saturating_sub(self.now()) / u64::from(self.speed))
    }
}

/// What the tasks share.
struct Shared<S> {
    speaker: Mutex<S>,
    clock: Clock,
    over: AtomicBool,
}

impl<S> Shared<S> {
    fn speaker(&self) -> MutexGuard<'_, S> {
        self.speaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A venue that listens on two ports, on a thread of its own, until it is dropped.
pub struct Server<S> {
    shared: Arc<Shared<S>>,
    stream: SocketAddr,
    bodies: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl<S: Speaker> Server<S> {
    /// Listens at two free ports of this machine.
    ///
    /// # Errors
    ///
    /// Those of the sockets.
    pub fn start(speaker: S, clock: Clock) -> io::Result<Server<S>> {
        Server::start_at(speaker, clock, [0, 0])
    }

    /// Listens at these ports of this machine, for the stream and for bodies; 0: a free one.
    ///
    /// # Errors
    ///
    /// Those of the sockets.
    pub fn start_at(speaker: S, clock: Clock, ports: [u16; 2]) -> io::Result<Server<S>> {
        let listen = |port| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
            listener.set_nonblocking(true)?;
            Ok::<_, io::Error>(listener)
        };
        let listeners = (listen(ports[0])?, listen(ports[1])?);
        let (stream, bodies) = (listeners.0.local_addr()?, listeners.1.local_addr()?);
        let over = AtomicBool::new(false);
        let shared = Arc::new(Shared { speaker: Mutex::new(speaker), clock, over });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let theirs = shared.clone();
        let thread =
            std::thread::Builder::new().name("crypto-venue".to_owned()).spawn(move || {
                runtime.block_on(serve(theirs, listeners));
            })?;
        Ok(Server { shared, stream, bodies, thread: Some(thread) })
    }

    /// Where the stream is: `ws://127.0.0.1:PORT`.
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.stream)
    }

    /// Where bodies are: `http://127.0.0.1:PORT`.
    pub fn rest_url(&self) -> String {
        format!("http://{}", self.bodies)
    }

    /// Its clock.
    pub fn clock(&self) -> Clock {
        self.shared.clock
    }

    /// The venue itself. Nothing moves while it is held.
    pub fn speaker(&self) -> MutexGuard<'_, S> {
        self.shared.speaker()
    }
}

impl<S> Drop for Server<S> {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // It has panicked: whoever drops this will notice.
        }
    }
}

async fn serve<S: Speaker>(shared: Arc<Shared<S>>, (stream, bodies): (TcpListener, TcpListener)) {
    let stream = tokio::net::TcpListener::from_std(stream);
    let bodies = tokio::net::TcpListener::from_std(bodies);
    let (Ok(stream), Ok(bodies)) = (stream, bodies) else { return };
    let mut clients = tokio::task::JoinSet::new();
    while !shared.over.load(Ordering::Relaxed) {
        while clients.try_join_next().is_some() {}
        shared.speaker().advance(shared.clock.now());
        if clients.len() >= CLIENTS_MAX {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        }
        tokio::select! {
            Ok((client, _)) = stream.accept() => {
                clients.spawn(socket::serve(shared.clone(), client));
            }
            Ok((client, _)) = bodies.accept() => {
                clients.spawn(http::serve(shared.clone(), client));
            }
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
    }
}
