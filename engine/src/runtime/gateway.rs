//! The thread between the engine and a venue: what passed the gate goes out once it is recorded, what the venue says comes back.
//! Not hot: it takes memory and makes system calls.

mod progress;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use host::TcpClient;
use model::{HaltLevel, ReportKind, Ts};

use super::wait::Waiter;
use super::{Progress, RunError};
use crate::config::{Config, Durability, GatewayConfig, OnStall, TradeCapacity, VenueConfig};
use crate::gateway::ends::{GatewayEnd, Outgoing};
use crate::gateway::ouch::{Action, Options, Ouch, Told};
use crate::gateway::{Gateway, Send};
use crate::journal::writer::Progress as JournalProgress;
use crate::step::Engine;

pub use progress::GatewayProgress;
pub(super) use progress::GatewayView;

/// Bytes of cancels that go out with one system call.
const BATCH: usize = 2048;
/// Cancels that may wait for each other.
const CANCELS: u32 = 128;
/// How long cancels may take to go out when the engine thread is gone, nanoseconds.
const LINGER_NS: u64 = 1_000_000_000;

/// The thread of the gateway.
pub(super) struct GatewayThread {
    ouch: Ouch,
    queue: Gateway,
    end: GatewayEnd,
    client: TcpClient,
    address: SocketAddr,
    on_stall: OnStall,
    /// Whether what may be open was cancelled because of the stall in force.
    cancelled: bool,
    /// When the engine thread was found to be gone.
    gone: Option<Ts>,
    /// Packets that are on their way to the socket.
    batch: Vec<u8>,
    journal: Option<(Arc<JournalProgress>, Durability)>,
    progress: Arc<Progress>,
    waiter: Waiter,
    /// Wall clock and monotonic clock at the start.
    started: (Ts, u64),
}

impl GatewayThread {
    /// A gateway for what `engine` knows so far. It connects when it runs.
    ///
    /// # Errors
    ///
    /// [`RunError::Password`] if there is none where the configuration says.
    pub fn new(
        config: &Config,
        venue: &VenueConfig,
        engine: &Engine,
        end: GatewayEnd,
        (waiter, started, progress): (Waiter, Ts, &Arc<Progress>),
    ) -> Result<GatewayThread, RunError> {
        let GatewayConfig::Ouch(config_ouch) = &venue.gateway;
        let login = config_ouch.login().map_err(RunError::Password)?;
        let firms = config_ouch.firms(&config.rules);
        let capacity = match config_ouch.capacity {
            TradeCapacity::Agency => b'A',
            TradeCapacity::Principal => b'P',
            TradeCapacity::Riskless => b'R',
        };
        let options = Options { capacity, ..Options::new(login, firms, venue.executions) };
        let mut ouch = Ouch::new(options, engine.known_orders());
        engine.instruments().iter().for_each(|listed| ouch.list(listed.instrument));
        Ok(GatewayThread {
            ouch,
            queue: Gateway::new(config.engine.capacity.own_orders as usize),
            end,
            client: TcpClient::new(),
            address: config_ouch.address,
            on_stall: config_ouch.on_stall,
            cancelled: false,
            gone: None,
            batch: Vec::with_capacity(2 * BATCH),
            journal: None,
            progress: Arc::clone(progress),
            waiter,
            started: (started, host::monotonic_ns()),
        })
    }

    /// Where it sees what is recorded; without, everything is.
    pub fn watch(&mut self, journal: Option<(Arc<JournalProgress>, Durability)>) {
        self.journal = journal;
    }

    /// Runs until the engine thread is gone and its cancels are out. What else was not sent by then never is; what is open then
    /// stays open at the venue.
    pub fn run(mut self) {
        while !self.is_over() {
            let mut busy = self.take();
            busy |= self.receive();
            self.ouch.on_time(self.now());
            self.act();
            self.cancel_stalled();
            busy |= self.send();
            busy |= self.tell();
            self.show();
            if let Some(error) = self.ouch.next_error() {
                tracing::warn!("venue {}: {error}; trying again", self.address);
            }
            if busy { self.waiter.busy() } else { self.waiter.idle() }
        }
        let counters = self.ouch.counters();
        tracing::info!("venue {}: {counters:?}", self.address);
    }

    /// Shows how it stands.
    fn show(&self) {
        let (is_up, session) = (self.ouch.is_up(), self.ouch.session());
        self.progress.gateway.show(is_up, session, self.queue.len(), self.now());
    }

    /// Whether the engine thread is gone, and nothing more can or need be sent for it.
    fn is_over(&mut self) -> bool {
        if !(self.end.from.is_abandoned() && self.end.from.is_empty()) {
            return false;
        }
        let now = self.now();
        let since = *self.gone.get_or_insert(now);
        let is_sent = self.queue.is_empty() && self.client.is_clear();
        is_sent || !self.ouch.is_up() || now.since(since) >= LINGER_NS
    }

    /// Takes what the engine thread hands over.
    fn take(&mut self) -> bool {
        let mut busy = false;
        while let Ok(Outgoing { seq, send, instrument, is_short }) = self.end.from.pop() {
            instrument.into_iter().for_each(|instrument| self.ouch.list(instrument));
            match &send {
                Send::New(cleared) if is_short => self.ouch.mark_short(cleared.order().id, 0),
                Send::Replace(cleared, change) if is_short => {
                    self.ouch.mark_short(cleared.order().id, *change);
                }
                _ => {}
            }
            self.queue.push(seq, send);
            busy = true;
        }
        busy
    }

    /// Takes what the venue sent, unless the engine has not heard what came before.
    fn receive(&mut self) -> bool {
        let now = self.now();
        match self.client.has_opened() {
            Ok(false) => {}
            Ok(true) => self.ouch.on_opened(now),
            Err(_) => self.ouch.on_closed(now),
        }
        self.act();
        if !self.ouch.is_told() {
            return false;
        }
        let GatewayThread { client, ouch, .. } = self;
        let received = client.receive(|bytes| ouch.on_bytes(bytes, now));
        if received.is_err() {
            self.ouch.on_closed(now);
        }
        received.is_ok_and(|count| count > 0)
    }

    /// Does what the session wants.
    fn act(&mut self) {
        while self.client.is_clear() || !self.ouch.is_up() {
            let Some(action) = self.ouch.next_action() else { break };
            match action {
                Action::Send(frame) => {
                    self.batch.extend_from_slice(frame.bytes());
                    if self.batch.len() >= BATCH {
                        self.flush();
                    }
                }
                Action::Open => {
                    self.batch.clear();
                    if self.client.connect(self.address).is_err() {
                        self.ouch.on_closed(self.now());
                    }
                }
                Action::Close => {
                    self.flush(); // A logout; nothing else comes before a close.
                    self.batch.clear();
                    self.client.close();
                }
            }
        }
        self.flush();
    }

    /// Writes what is waiting to be written.
    fn flush(&mut self) {
        if self.client.send(&self.batch).is_err() {
            self.ouch.on_closed(self.now());
        }
        self.batch.clear();
    }

    /// Sends what may be sent, having looked at the halt before each.
    fn send(&mut self) -> bool {
        if !self.ouch.is_up() {
            self.queue.drop_all();
            return false;
        }
        let (mut busy, mut unwritten) = (false, 0);
        while self.ouch.is_up()
            && self.client.is_clear()
            && let Some(send) = self.queue.next(self.recorded(), self.halt())
        {
            let cancels = matches!(send, Send::Cancel(..));
            self.ouch.send(send, self.now());
            unwritten += 1;
            if !cancels || unwritten >= CANCELS {
                self.act(); // Cancels go out together; nothing else waits for the next look at the halt.
                unwritten = 0;
            }
            busy = true;
        }
        self.act();
        busy
    }

    /// The engine hears what became of its orders, as far as it has room.
    fn tell(&mut self) -> bool {
        let mut busy = false;
        while self.end.to.slots() > 0 {
            let told = self.ouch.next_told();
            let told = told.or_else(|| self.take_back());
            let Some(told) = told else { break };
            if let Told::Report(report) = &told
                && report.kind != ReportKind::NotSent
            {
                self.progress.gateway.reported(self.now());
            }
            let _ = self.end.to.push(told); // There is a place.
            busy = true;
        }
        busy
    }

    /// The next that was never sent.
    fn take_back(&mut self) -> Option<Told> {
        let report = self.queue.take_report()?;
        self.ouch.forget(report.order, report.change);
        Some(Told::Report(report))
    }

    /// Cancels what may be open while the engine thread stands still, whoever halted everything first: once in each session,
    /// for what was sent before may have gone down with the last one.
    fn cancel_stalled(&mut self) {
        let stalled = self.progress.stalled.load(Ordering::Acquire);
        if !stalled || !self.ouch.is_up() {
            self.cancelled = false;
        } else if !self.cancelled && self.on_stall == OnStall::Cancel {
            let cancels = self.ouch.cancel_all(self.now());
            tracing::error!(
                "venue {}: {cancels} cancels, for the engine stands still",
                self.address
            );
            self.cancelled = true;
            self.act();
        }
    }

    /// The last input that is recorded as durably as the mode demands.
    fn recorded(&self) -> u64 {
        match &self.journal {
            None => u64::MAX,
            Some((journal, Durability::Written)) => journal.written(),
            Some((journal, Durability::Synced)) => journal.synced(),
        }
    }

    /// How far everything is halted; a journal that failed halts what it will never record, an engine that stops what is new,
    /// and an engine thread that is gone what it will never hear of.
    fn halt(&self) -> HaltLevel {
        let stops = self.gone.is_some() || self.progress.stopping.load(Ordering::Acquire);
        let failed = self.journal.as_ref().is_some_and(|(journal, _)| journal.failed());
        let halt = self.progress.halt.get().map_or(HaltLevel::Active, |(level, _)| level);
        if failed || stops { HaltLevel::Halted } else { halt }
    }

    fn now(&self) -> Ts {
        let (wall, base) = self.started;
        Ts(wall.0.saturating_add(host::monotonic_ns().saturating_sub(base)))
    }
}

#[cfg(test)]
mod tests;
