//! The thread of a live feed over datagrams: sockets → session → decoder → ring. What the session wants sent or opened is done
//! here; what it wants to know of time it is told.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use feeds::iex::IexFeed;
use feeds::session::arbiter::{GapState, Line};
use feeds::session::channel::{Action, Channel, ChannelOptions};
use feeds::session::glimpse::GlimpseOptions;
use feeds::{Shard, Venue, new_york_midnight};
use host::{TcpClient, UdpOptions, UdpReceiver};
use model::page::{FeedCounters, LineCounters};
use model::{Event, FeedId, Ts};

use super::feed_ring::FeedRing;
use super::pace::{Pace, Steered};
use super::wait::Waiter;
use super::{Progress, RunError, StreamPort};
use crate::config::{Lines, SnapshotServer, login};

/// Rounds between two looks at the counters, where nothing came in between.
const COUNT_EVERY: u64 = 4096;
/// Rounds between two looks at the socket of answers, where nothing was asked for: what comes then is late.
const ANSWERS_EVERY: u64 = 64;

/// Rounds without time, at most, in which a line has more to read than one of them takes: one that brings so much for longer must
/// not keep what is missing from being asked for.
const FULL_ROUNDS_MAX: u64 = 256;

/// What the threads of all live feeds share.
pub(super) struct Around {
    pub pace: Arc<Pace>,
    pub waiter: Waiter,
    pub progress: Arc<Progress>,
    pub stop: Arc<AtomicBool>,
    /// Whose events the engine takes; `None`: all.
    pub shard: Option<Shard>,
}

impl Around {
    /// The port of a feed that is driven elsewhere.
    pub fn port(&self, feed: FeedId, ring: FeedRing) -> StreamPort {
        let (pace, progress) = (Arc::clone(&self.pace), Arc::clone(&self.progress));
        StreamPort { feed, ring, pace, progress, stop: Arc::clone(&self.stop) }
    }
}

/// The thread of one feed.
pub(super) struct LinesThread {
    feed: FeedId,
    lines: Vec<UdpReceiver>,
    /// Errors of the host, by line.
    errors: [u64; 2],
    /// The socket that asks the re-request server, and hears it alone.
    asking: Option<UdpReceiver>,
    snapshot: Option<(SocketAddr, TcpClient)>,
    session: Session,
    out: Out,
    pace: Arc<Pace>,
    waiter: Waiter,
    progress: Arc<Progress>,
    /// Receive time of the last datagram.
    stamped: Ts,
    /// Rounds in a row that left something unread.
    full_rounds: u64,
    bytes: u64,
    connects: u64,
}

enum Session {
    Channel(Box<Channel>),
    Iex(Box<IexFeed>),
}

/// Where events go.
pub(super) struct Out {
    pub ring: FeedRing,
    pub stop: Arc<AtomicBool>,
}

impl Out {
    /// Hands an event over. While the ring is full the sockets are not read: the kernel buffers, and what it drops shows as
    /// a gap.
    #[inline]
    pub fn push(&mut self, event: Event) {
        while !self.ring.push(event) {
            if self.is_over() {
                return;
            }
            std::thread::yield_now();
        }
    }

    pub fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.ring.is_abandoned()
    }
}

impl LinesThread {
    /// Opens the sockets.
    ///
    /// # Errors
    ///
    /// [`RunError`] names the address that cannot be opened, or the password that is missing.
    pub fn open(
        feed: FeedId,
        venue: Venue,
        config: &Lines,
        ring: FeedRing,
        around: &Around,
    ) -> Result<LinesThread, RunError> {
        let bind = |address: SocketAddr| {
            let options = UdpOptions {
                bind: address,
                interface: config.interface,
                receive_buffer: config.receive_buffer,
                busy_poll_us: config.busy_poll_us,
            };
            open_line(&options).map_err(|error| RunError::Line { address, error })
        };
        let lines = config.lines.iter().map(|address| bind(*address)).collect::<Result<_, _>>()?;
        let asking = match config.request {
            None => None,
            Some(server) => Some(ask(bind, server)?),
        };
        let session = match venue {
            Venue::NasdaqItch => {
                let now = around.pace.now(host::monotonic_ns()).unwrap_or_default();
                let mut options = channel_options(feed, config, now)?;
                options.shard = around.shard;
                Session::Channel(Box::new(Channel::new(options)))
            }
            Venue::Iex if config.lines.len() == 2 => {
                Session::Iex(Box::new(IexFeed::of_two_lines(feed)))
            }
            Venue::Iex => Session::Iex(Box::new(IexFeed::new(feed))),
            _ => return Err(RunError::Unheard(venue)),
        };
        Ok(LinesThread {
            feed,
            lines,
            errors: [0; 2],
            asking,
            snapshot: config.snapshot.as_ref().map(|server| (server.address, TcpClient::new())),
            session,
            out: Out { ring, stop: Arc::clone(&around.stop) },
            pace: Arc::clone(&around.pace),
            waiter: around.waiter,
            progress: Arc::clone(&around.progress),
            stamped: Ts(0),
            full_rounds: 0,
            bytes: 0,
            connects: 0,
        })
    }

    /// Runs until it is stopped. Dropping the ring tells the engine.
    pub fn run(mut self) {
        let mut clock = Steered::start();
        let mut last = Ts(0);
        let mut rounds = 0_u64;
        while !self.out.is_over() {
            let now = self.pace.now(clock.now_ns()).unwrap_or(last).max(last);
            last = now;
            let busy = self.round(now, rounds.is_multiple_of(ANSWERS_EVERY));
            rounds += 1;
            if rounds.is_multiple_of(COUNT_EVERY) || !busy && rounds.is_multiple_of(64) {
                self.count();
            }
            if busy { self.waiter.busy() } else { self.waiter.idle() }
        }
        self.count();
    }

    /// Takes what has come, then lets time pass; whether anything came. `late`: also answers that nothing was asked for.
    fn round(&mut self, now: Ts, late: bool) -> bool {
        let mut busy = self.receive(now);
        busy |= self.receive_answers(now, late);
        busy |= self.read_snapshot(now);
        // What seems to be missing may lie behind what was read.
        if self.full_rounds.is_multiple_of(FULL_ROUNDS_MAX) {
            self.pass_time(now);
        }
        self.act_all(now);
        busy
    }

    /// Takes what waits on the lines.
    fn receive(&mut self, now: Ts) -> bool {
        let LinesThread { lines, errors, session, out, stamped, bytes, feed, .. } = self;
        let (mut busy, mut full) = (false, false);
        let each = [Line::A, Line::B].into_iter().zip(lines).zip(errors);
        for ((line, receiver), errors) in each {
            let received = receiver.receive(|datagram| {
                *bytes += datagram.bytes.len() as u64;
                // The kernel's time, within what can be: clocks that disagree do not turn time back. It is for those who
                // read the events; waiting and silence are judged by this thread's clock.
                let received = datagram.received_ns.map_or(now, Ts).min(now).max(*stamped);
                *stamped = received;
                let mut emit = |event| out.push(event);
                match session {
                    Session::Channel(channel) => {
                        channel.on_received(line, datagram.bytes, (received, now), &mut emit);
                    }
                    Session::Iex(feed) => {
                        feed.on_received(datagram.bytes, (received, now), &mut emit);
                    }
                }
            });
            match received {
                Ok(count) => {
                    busy |= count > 0;
                    full |= count == UdpReceiver::BATCH;
                }
                Err(error) => complain(*feed, line, errors, &error),
            }
        }
        self.full_rounds = if full { self.full_rounds + 1 } else { 0 };
        busy
    }

    /// Takes what the re-request server answered; `late`: even if nothing was asked for.
    fn receive_answers(&mut self, now: Ts, late: bool) -> bool {
        let LinesThread { asking: Some(receiver), session, out, .. } = self else {
            return false;
        };
        let Session::Channel(channel) = session else { return false };
        if !late && channel.arbiter().gap() != GapState::Asked {
            return false;
        }
        let received = receiver.receive(|datagram| {
            channel.on_answer(datagram.bytes, now, &mut |event| out.push(event));
        });
        received.is_ok_and(|count| count > 0)
    }

    /// Takes what the snapshot server sent.
    fn read_snapshot(&mut self, now: Ts) -> bool {
        let LinesThread { snapshot: Some((_, client)), session, out, .. } = self else {
            return false;
        };
        let Session::Channel(channel) = session else { return false };
        let mut emit = |event| out.push(event);
        match client.has_opened() {
            Ok(false) => {}
            Ok(true) => channel.on_snapshot_opened(now),
            Err(_) => channel.on_snapshot_closed(now, &mut emit),
        }
        let sent = client.send(&[]);
        let received = sent.and_then(|()| {
            client.receive(|bytes| channel.on_snapshot_bytes(bytes, now, &mut emit))
        });
        match received {
            Ok(count) => count > 0,
            Err(_) => {
                channel.on_snapshot_closed(now, &mut emit);
                true
            }
        }
    }

    /// Tells the session of the time.
    fn pass_time(&mut self, now: Ts) {
        let LinesThread { session, out, .. } = self;
        let mut emit = |event| out.push(event);
        match session {
            Session::Iex(feed) => feed.on_time(now, &mut emit),
            Session::Channel(channel) if channel.wake_at().is_some_and(|due| due <= now) => {
                channel.on_time(now, &mut emit);
            }
            Session::Channel(_) => {}
        }
    }

    /// Does what the session wants.
    fn act_all(&mut self, now: Ts) {
        while let Session::Channel(channel) = &mut self.session
            && let Some(action) = channel.next_action()
        {
            self.act(&action, now);
        }
    }

    #[cold]
    fn act(&mut self, action: &Action, now: Ts) {
        match action {
            Action::Request(request) => {
                if let Some(receiver) = &self.asking {
                    send(receiver.socket(), &request.to_bytes());
                }
            }
            Action::OpenSnapshot => {
                self.connects += 1;
                self.tell_snapshot(now, |address, client| client.connect(address));
            }
            Action::SendSnapshot(outgoing) => {
                self.tell_snapshot(now, |_, client| client.send(outgoing.bytes()));
            }
            Action::CloseSnapshot => self.tell_snapshot(now, |_, client| {
                client.close();
                Ok(())
            }),
        }
    }

    /// Does something with the connection to the snapshot server; if that fails, it is down.
    fn tell_snapshot(
        &mut self,
        now: Ts,
        what: impl FnOnce(SocketAddr, &mut TcpClient) -> std::io::Result<()>,
    ) {
        let LinesThread { snapshot: Some((address, client)), session, out, .. } = self else {
            return;
        };
        let Session::Channel(channel) = session else { return };
        if what(*address, client).is_err() {
            channel.on_snapshot_closed(now, &mut |event| out.push(event));
        }
    }

    fn count(&self) {
        let (bytes, connects) = (self.bytes, self.connects);
        let mut seen = match &self.session {
            Session::Channel(channel) => of_channel(channel),
            Session::Iex(feed) => of_iex(feed),
        };
        for ((line, receiver), errors) in seen.lines.iter_mut().zip(&self.lines).zip(self.errors) {
            (line.dropped, line.errors) = (receiver.dropped().into(), errors);
        }
        if let Some(progress) = self.progress.feeds.get(usize::from(self.feed.0)) {
            progress.show(&FeedCounters { bytes, connects, ..seen });
        }
    }
}

fn of_channel(channel: &Channel) -> FeedCounters {
    let (seen, arbiter) = (channel.counters(), channel.arbiter_counters());
    let malformed =
        [Line::A, Line::B, Line::Answer].map(|line| channel.line_counters(line).malformed);
    FeedCounters {
        messages: seen.messages + seen.snapshot_messages,
        unknown: seen.unknown.iter().sum(),
        bad: seen.bad + malformed.iter().sum::<u64>(),
        lost: seen.lost,
        passed_over: arbiter.passed_over,
        gaps: arbiter.gaps,
        requests: arbiter.requests,
        recovered: channel.line_counters(Line::Answer).wins,
        snapshots: seen.snapshots,
        lines: [Line::A, Line::B].map(|line| {
            let line = channel.line_counters(line);
            LineCounters {
                packets: line.packets,
                wins: line.wins,
                duplicates: line.duplicates,
                losses: line.losses,
                skew_ns_max: line.skew_ns_max,
                dropped: 0,
                errors: 0,
            }
        }),
        ..FeedCounters::default()
    }
}

fn of_iex(feed: &IexFeed) -> FeedCounters {
    let seen = feed.counters();
    FeedCounters {
        messages: seen.messages,
        unknown: seen.unknown,
        bad: seen.bad + seen.refused + seen.untimely + seen.disbelieved,
        lost: seen.lost,
        gaps: seen.gaps,
        ..FeedCounters::default()
    }
}

/// Opens a socket, and says so if the kernel will buffer less than it was asked to.
fn open_line(options: &UdpOptions) -> std::io::Result<UdpReceiver> {
    let receiver = UdpReceiver::bind(options)?;
    let (asked, given) = (options.receive_buffer, receiver.receive_buffer()?);
    if given < asked {
        let address = options.bind;
        tracing::warn!(
            "{address}: the kernel buffers {given} bytes, not {asked}; allow more with `sysctl net.core.rmem_max={asked}`"
        );
    }
    Ok(receiver)
}

fn channel_options(feed: FeedId, config: &Lines, now: Ts) -> Result<ChannelOptions, RunError> {
    let mut options = ChannelOptions::new(feed, new_york_midnight(now));
    options.arbiter.two_lines = config.lines.len() == 2;
    if config.request.is_none() {
        options.arbiter.attempts_max = 0; // Nobody can bring what the lines lost: no answer is waited for.
    }
    options.glimpse = config.snapshot.as_ref().map(glimpse).transpose()?;
    Ok(options)
}

/// A socket for the re-request server, which hears nobody else.
fn ask(
    bind: impl Fn(SocketAddr) -> Result<UdpReceiver, RunError>,
    server: SocketAddr,
) -> Result<UdpReceiver, RunError> {
    let any = match server.ip() {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let mut receiver = bind(SocketAddr::new(any, 0))?;
    let connected = receiver.connect(server);
    connected.map_err(|error| RunError::Line { address: server, error })?;
    Ok(receiver)
}

/// Counts an error of a line's socket, and says so at the first.
#[cold]
fn complain(feed: FeedId, line: Line, errors: &mut u64, error: &std::io::Error) {
    if *errors == 0 {
        tracing::warn!("feed {}, line {line:?}: {error}; further errors are counted", feed.0);
    }
    *errors += 1;
}

/// A datagram that is not sent is as good as lost, which its sender reckons with.
fn send(socket: &UdpSocket, bytes: &[u8]) {
    let _ = socket.send(bytes);
}

fn glimpse(server: &SnapshotServer) -> Result<GlimpseOptions, RunError> {
    let login = login(&server.user, server.password_env.as_deref()).map_err(RunError::Password)?;
    let same_session = server.same_session;
    Ok(GlimpseOptions { same_session, ..GlimpseOptions::new(login) })
}

#[cfg(test)]
mod tests;
