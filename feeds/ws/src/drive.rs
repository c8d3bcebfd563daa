//! The loop of one feed.

use std::collections::VecDeque;
use std::time::Duration;

use feeds::stream::{Action, StreamCounters, StreamFeed, TEXT_MAX, Venue};
use futures_util::{SinkExt, StreamExt};
use model::{Event, Ts};
use tokio::task::{JoinHandle, JoinSet};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::http::{self, Asked};
use crate::socket::{self, Socket};
use crate::tap::{Raw, Tap};

/// How often the machine is told of the time.
const TICK: Duration = Duration::from_millis(20);
/// How long events wait for room before they are offered again.
const NAP: Duration = Duration::from_micros(100);
/// How often the counters are shown.
const SHOW: Duration = Duration::from_millis(250);
/// Events that room is kept for; a whole book may need more for a moment.
const EVENTS_KEPT: usize = 1 << 16;

/// How a feed is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Longest text that is taken, bytes; at most [`TEXT_MAX`].
    pub text_max: usize,
    /// Longest wait for a body, from the request to its end.
    pub http_timeout: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options { text_max: TEXT_MAX, http_timeout: Duration::from_secs(10) }
    }
}

/// What a transport has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// What the machine has seen.
    pub stream: StreamCounters,
    /// Texts that were longer than is taken; each ends its connection.
    pub oversize: u64,
    /// Requests that brought no body.
    pub http_failures: u64,
}

/// Where a feed meets the rest of the program.
pub trait Port {
    /// The time now: nanoseconds since the UNIX epoch, never stepping back.
    fn now(&self) -> Ts;
    /// Offers an event; `false`: there is no room, it will be offered again.
    fn push(&mut self, event: &Event) -> bool;
    /// Whether to end.
    fn is_over(&self) -> bool;
    /// Shows how far the feed has come.
    fn show(&mut self, counters: &Counters);
}

struct Drive<V, P, T> {
    feed: StreamFeed<V>,
    port: P,
    tap: T,
    options: Options,
    socket: Option<Box<Socket>>,
    connecting: Option<JoinHandle<Option<Box<Socket>>>>,
    /// Bodies that are asked for.
    bodies: http::Bodies,
    gets: JoinSet<Asked>,
    /// Events that have no room yet: those of one text at the most.
    events: VecDeque<Event>,
    counters: Counters,
}

/// Drives a feed until its port says that it is over. Blocks the thread.
pub fn drive<V: Venue>(
    feed: StreamFeed<V>,
    options: Options,
    port: impl Port,
    tap: impl Tap,
) -> Counters {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else {
        tracing::error!("no runtime for a stream feed");
        return Counters::default();
    };
    let drive = Drive {
        feed,
        port,
        tap,
        options,
        socket: None,
        connecting: None,
        bodies: http::Bodies::new(options.http_timeout),
        gets: JoinSet::new(),
        events: VecDeque::new(),
        counters: Counters::default(),
    };
    let counters = runtime.block_on(drive.run());
    // A request that is still out there is not waited for.
    runtime.shutdown_background();
    counters
}

/// What happened next.
enum Happened {
    Frame(Option<Result<Message, Error>>),
    Connected(Option<Box<Socket>>),
    Answered(Asked),
    Time,
}

impl<V: Venue, P: Port, T: Tap> Drive<V, P, T> {
    async fn run(mut self) -> Counters {
        let now = self.port.now();
        self.feed.start(now, &mut |event| self.events.push_back(event));
        let mut shown = tokio::time::Instant::now();
        while !self.port.is_over() {
            self.act().await;
            if !self.flush() {
                tokio::time::sleep(NAP).await;
                continue; // No room: what comes stays with the kernel.
            }
            let happened = self.wait().await;
            let now = self.port.now();
            self.on(happened, now).await;
            if shown.elapsed() >= SHOW {
                shown = tokio::time::Instant::now();
                self.show();
            }
        }
        self.show();
        self.counters
    }

    fn show(&mut self) {
        self.counters.stream = self.feed.counters();
        self.port.show(&self.counters);
    }

    /// Hands events over; `false`: some have no room.
    fn flush(&mut self) -> bool {
        while let Some(event) = self.events.front() {
            if !self.port.push(event) {
                return false;
            }
            self.events.pop_front();
        }
        if self.events.capacity() > EVENTS_KEPT {
            self.events.shrink_to(EVENTS_KEPT);
        }
        true
    }

    async fn wait(&mut self) -> Happened {
        let Drive { socket, connecting, gets, .. } = self;
        tokio::select! {
            frame = next_frame(socket) => Happened::Frame(frame),
            opened = next_socket(connecting) => Happened::Connected(opened),
            Some(Ok(asked)) = gets.join_next() => Happened::Answered(asked),
            () = tokio::time::sleep(TICK) => Happened::Time,
        }
    }

    async fn on(&mut self, happened: Happened, now: Ts) {
        let Drive { feed, tap, events, .. } = self;
        let mut emit = |event| events.push_back(event);
        match happened {
            Happened::Frame(Some(Ok(Message::Text(text)))) => {
                tap.take(now, Raw::Text(text.as_bytes()));
                feed.on_text(text.as_bytes(), now, &mut emit);
            }
            Happened::Frame(Some(Ok(Message::Binary(bytes)))) => {
                tap.take(now, Raw::Text(&bytes));
                feed.on_text(&bytes, now, &mut emit);
            }
            // Pings are answered by the socket itself as soon as it is read or written.
            Happened::Frame(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => {}
            Happened::Frame(end) => {
                if let Some(Err(error)) = end {
                    self.counters.oversize += u64::from(matches!(error, Error::Capacity(_)));
                    tracing::warn!("{}: {error}", V::NAME);
                }
                self.socket = None;
                self.gets.abort_all();
                tap.take(now, Raw::Close);
                feed.on_close(now, &mut emit);
            }
            Happened::Connected(Some(socket)) => {
                self.connecting = None;
                self.socket = Some(socket);
                tap.take(now, Raw::Open);
                feed.on_open(now, &mut emit);
            }
            Happened::Connected(None) => {
                self.connecting = None;
                feed.on_close(now, &mut emit);
            }
            Happened::Answered(Asked { request, symbol, body, .. }) => {
                self.counters.http_failures += u64::from(body.is_err());
                if let Ok(body) = &body {
                    tap.take(now, Raw::Body { request, symbol: &symbol, body });
                }
                let body = body.as_ref().map(Vec::as_slice).map_err(|failure| *failure);
                feed.on_response(request, body, now, &mut emit);
            }
            Happened::Time => {}
        }
        if feed.wake_at().is_some_and(|due| due <= now) {
            feed.on_time(now, &mut emit);
        }
        tap.tick(now); // Whatever happened: a venue that pings all the time leaves no time without.
    }

    /// Does what the machine wants done.
    async fn act(&mut self) {
        while let Some(action) = self.feed.next_action() {
            match action {
                Action::Connect { url } => {
                    let text_max = self.options.text_max.min(TEXT_MAX);
                    self.connecting = Some(tokio::spawn(socket::open(url, text_max)));
                }
                Action::Send { text } => self.send(text).await,
                Action::Get { request, symbol, url } => {
                    self.gets.spawn(self.bodies.get(request, symbol, url));
                }
                Action::Close => {
                    if let Some(connecting) = self.connecting.take() {
                        connecting.abort();
                    }
                    self.gets.abort_all();
                    if self.socket.take().is_some() {
                        self.tap.take(self.port.now(), Raw::Close);
                    }
                }
            }
        }
    }

    /// Sends a text; a connection that does not take it in a second is as good as broken.
    async fn send(&mut self, text: String) {
        let Some(socket) = &mut self.socket else { return };
        let sent = tokio::time::timeout(Duration::from_secs(1), socket.send(Message::text(text)));
        if !matches!(sent.await, Ok(Ok(()))) {
            self.socket = None;
            self.gets.abort_all();
            let now = self.port.now();
            self.tap.take(now, Raw::Close);
            self.feed.on_close(now, &mut |event| self.events.push_back(event));
        }
    }
}

/// The next frame; never, without a socket.
async fn next_frame(socket: &mut Option<Box<Socket>>) -> Option<Result<Message, Error>> {
    match socket {
        Some(socket) => socket.next().await,
        None => std::future::pending().await,
    }
}

/// The socket that is being opened; never, if none is.
async fn next_socket(
    connecting: &mut Option<JoinHandle<Option<Box<Socket>>>>,
) -> Option<Box<Socket>> {
    match connecting {
        Some(connecting) => connecting.await.ok().flatten(),
        None => std::future::pending().await,
    }
}
