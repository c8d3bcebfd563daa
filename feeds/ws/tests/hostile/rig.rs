//! A feed against a server written for the occasion, and what it costs.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use feeds::Venue;
use feeds::stream::{StreamConfig, StreamSymbol};
use model::{Event, FeedId, Symbol, Ts};
use sim::crypto::server::Clock;
use ws::{Counters, Options, Port, Raw, Tap, drive_venue};

/// One test at a time: they measure the memory of the process.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4_096
}

/// A server that does the same to every client, on a thread each.
pub struct Rogue {
    pub port: u16,
    pub accepted: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Rogue {
    pub fn start(behave: impl Fn(TcpStream) + Clone + Send + 'static) -> Rogue {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        let (accepted, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, stop) = (accepted.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let Ok((client, _)) = listener.accept() else {
                    std::thread::sleep(Duration::from_millis(2));
                    continue;
                };
                count.fetch_add(1, Ordering::Relaxed);
                client.set_nonblocking(false).unwrap();
                let timeout = Some(Duration::from_secs(10));
                client.set_write_timeout(timeout).unwrap();
                client.set_read_timeout(timeout).unwrap();
                let behave = behave.clone();
                std::thread::spawn(move || behave(client));
            }
        });
        Rogue { port, accepted, over, thread: Some(thread) }
    }

    /// One that shakes hands first, and hears a request.
    pub fn after_handshake(behave: impl Fn(TcpStream) + Clone + Send + 'static) -> Rogue {
        Rogue::start(move |client| {
            use tokio_tungstenite::tungstenite;
            let Ok(mut socket) = tungstenite::accept(client) else { return };
            if socket.read().is_ok() {
                behave(socket.get_ref().try_clone().unwrap());
            }
        })
    }

    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Rogue {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

/// The head of an unmasked frame.
pub fn head(opcode: u8, last: bool, len: u64) -> Vec<u8> {
    let mut head = vec![if last { 0x80 } else { 0 } | opcode];
    match len {
        0..126 => head.push(len as u8),
        126..65_536 => {
            head.push(126);
            head.extend((len as u16).to_be_bytes());
        }
        _ => {
            head.push(127);
            head.extend(len.to_be_bytes());
        }
    }
    head
}

pub fn text(text: &[u8]) -> Vec<u8> {
    let mut frame = head(1, true, text.len() as u64);
    frame.extend_from_slice(text);
    frame
}

/// Reads until the other side is gone.
pub fn drain(mut client: TcpStream) {
    let mut rest = [0; 4_096];
    while client.read(&mut rest).is_ok_and(|read| read > 0) {}
}

/// Writes as long as the other side takes it; how many times.
pub fn pour(client: &mut TcpStream, bytes: &[u8]) -> u64 {
    let mut times = 0;
    while client.write_all(bytes).is_ok() {
        times += 1;
    }
    times
}

/// How a feed is to be driven.
pub struct Plan {
    pub venue: Venue,
    pub ws_url: String,
    pub rest_url: Option<String>,
    pub options: Options,
    /// How much faster than time its clock runs.
    pub speed: u32,
    /// How long it really runs, at most.
    pub time: Duration,
    /// It ends before, when the server has accepted so many.
    pub accepted: Option<(Arc<AtomicU64>, u64)>,
    /// For how long the sink is full at first.
    pub full: Duration,
}

impl Plan {
    pub fn new(venue: Venue, ws_url: String) -> Plan {
        Plan {
            venue,
            ws_url,
            rest_url: None,
            options: Options::default(),
            speed: 40,
            time: Duration::from_secs(20),
            accepted: None,
            full: Duration::ZERO,
        }
    }

    /// Until the server has seen so many connections.
    pub fn until(mut self, rogue: &Rogue, count: u64) -> Plan {
        self.accepted = Some((rogue.accepted.clone(), count));
        self
    }
}

/// What a drive came to.
#[derive(Debug)]
pub struct Outcome {
    pub counters: Counters,
    /// Events that were taken.
    pub events: u64,
    /// Texts that were read while the sink was full.
    pub texts_while_full: u64,
    /// Most resident memory above that of the beginning, bytes.
    pub grown: u64,
    pub took: Duration,
}

struct Ends {
    clock: Clock,
    began: Instant,
    plan: Rc<Plan>,
    events: Rc<Cell<u64>>,
    texts_while_full: Rc<Cell<u64>>,
}

impl Port for Ends {
    fn now(&self) -> Ts {
        Ts(self.clock.now())
    }

    fn push(&mut self, _: &Event) -> bool {
        let room = self.began.elapsed() >= self.plan.full;
        self.events.set(self.events.get() + u64::from(room));
        room
    }

    fn is_over(&self) -> bool {
        let accepted = self.plan.accepted.as_ref();
        self.began.elapsed() > self.plan.time
            || accepted.is_some_and(|(count, most)| count.load(Ordering::Relaxed) >= *most)
    }

    fn show(&mut self, _: &Counters) {}
}

impl Tap for Ends {
    fn take(&mut self, _: Ts, raw: Raw<'_>) {
        let full = self.began.elapsed() < self.plan.full;
        if full && matches!(raw, Raw::Text(_)) {
            self.texts_while_full.set(self.texts_while_full.get() + 1);
        }
    }
}

/// Drives a feed by the plan, and watches the memory of the process meanwhile.
pub fn drive(plan: Plan) -> Outcome {
    let symbol = StreamSymbol {
        venue_symbol: "BTCUSDT".to_owned(),
        symbol: Symbol::new("BTCUSDT").unwrap(),
        px_decimals: 2,
        qty_decimals: 3,
    };
    let config = StreamConfig {
        feed: FeedId(0),
        symbols: vec![symbol],
        depth: 50,
        seed: 1,
        ws_url: Some(plan.ws_url.clone()),
        rest_url: plan.rest_url.clone(),
    };
    let over = Arc::new(AtomicBool::new(false));
    let stop = over.clone();
    let before = resident();
    let watch = std::thread::spawn(move || {
        let mut most = 0;
        while !stop.load(Ordering::Relaxed) {
            most = resident().max(most);
            std::thread::sleep(Duration::from_millis(1));
        }
        most
    });
    let (venue, options) = (plan.venue, plan.options);
    let (events, texts_while_full) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (plan, began) = (Rc::new(plan), Instant::now());
    let clock = Clock::new(1_700_000_000_000_000_000, plan.speed);
    let ends = || Ends {
        clock,
        began,
        plan: plan.clone(),
        events: events.clone(),
        texts_while_full: texts_while_full.clone(),
    };
    let counters = drive_venue(venue, config, options, ends(), ends()).unwrap();
    over.store(true, Ordering::Relaxed);
    let grown = watch.join().unwrap().saturating_sub(before);
    let took = began.elapsed();
    let texts_while_full = texts_while_full.get();
    Outcome { counters, events: events.get(), texts_while_full, grown, took }
}
