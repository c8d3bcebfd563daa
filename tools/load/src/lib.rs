//! Two Mold lines at a given rate over real sockets into the engine's books, and what became of every packet.
//!
//! Flow: a synthetic day in a file → the clean run reads the file → a simulated venue publishes the same file
//! over two lines of this machine, at an absolute schedule that does not wait for anybody → the engine hears it → [`Report`].
//!
//! Must never: slow the venue down because the engine is slow, call a packet lost that was not counted by somebody, or say
//! that books are equal because they were not compared.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod books;
mod engines;
mod machine;
mod report;

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use engine::config::{ConfigErrors, Wait};
use engine::runtime::{RunError, Running};
use feeds::sink::BinaryFileWriter;
use sim::net::Publisher;
use synth::Day;

use machine::Machine;

pub use machine::Usage;
pub use report::Report;

/// Pause between two looks at a run.
const LOOK: Duration = Duration::from_millis(20);
/// A run in which nothing comes any more, and something is still missing, is over after this.
const STILL: Duration = Duration::from_millis(3_000);

/// What a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How long the venue publishes.
    pub seconds: u32,
    /// Packets a second of both lines together.
    pub rate: u32,
    /// Messages of a packet.
    pub packet_messages: u16,
    /// Symbols of the day.
    pub symbols: u16,
    /// Seed of the day and of the faults.
    pub seed: u64,
    /// Packets of a thousand that the venue loses on purpose on each line.
    pub loss_per_mille: u16,
    /// Bytes that the kernel is to buffer for each line.
    pub receive_buffer: u32,
    /// Microseconds that a receive call polls the device.
    pub busy_poll_us: u32,
    /// How the engine's threads wait.
    pub wait: Wait,
    /// Cores of the feed thread and the engine thread.
    pub cpus: [Option<usize>; 2],
}

impl Default for Plan {
    /// 100,000 packets a second for a minute, one message each, no faults.
    fn default() -> Plan {
        Plan {
            seconds: 60,
            rate: 100_000,
            packet_messages: 1,
            symbols: 50,
            seed: 1,
            loss_per_mille: 0,
            receive_buffer: 32 << 20,
            busy_poll_us: 0,
            wait: Wait::Auto,
            cpus: [None; 2],
        }
    }
}

impl Plan {
    /// Packets a second of one line.
    pub const fn line_rate(&self) -> u32 {
        self.rate.div_ceil(2)
    }

    /// About how many messages the day has.
    pub const fn messages(&self) -> u64 {
        self.seconds as u64 * self.line_rate() as u64 * self.packet_messages as u64
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The built-in configuration is no longer one.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// An engine.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Somebody wanted it to stop.
    #[error("interrupted")]
    Interrupted,
    /// A file or a socket.
    #[error("{what}: {error}")]
    Io {
        /// Of what.
        what: &'static str,
        /// What the host says.
        error: std::io::Error,
    },
}

impl LoadError {
    fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> LoadError {
        move |error| LoadError::Io { what, error }
    }
}

/// Runs it: about as long as the plan says, and some seconds before and after; less if `stop` is set.
///
/// # Errors
///
/// [`LoadError`] if it could not be run. That packets were lost, or books differ, is no error but in the [`Report`].
pub fn run(plan: &Plan, stop: &AtomicBool) -> Result<Report, LoadError> {
    let folder = tempfile::tempdir().map_err(LoadError::io("a temporary folder"))?;
    let path = folder.path().join("day.itch");
    write_day(plan, &path, stop).map_err(LoadError::io("the day"))?;
    goes_on(stop)?;
    let (clean_hash, clean_orders) = books::hash(&engines::clean(plan, &path, stop)?.engine);
    goes_on(stop)?;

    let lines = engines::free_lines(plan).map_err(LoadError::io("a free port"))?;
    let granted = engines::granted(&lines).map_err(LoadError::io("a line"))?;
    let running = engines::live(plan, &lines)?;
    let file = File::open(&path).map_err(LoadError::io("the day"))?;
    let source = sim::source::binary_file(BufReader::with_capacity(1 << 20, file));
    let before = Machine::now();
    let begun = Instant::now();
    let venue = Publisher::start(engines::venue(plan, &lines), source);
    let venue = venue.map_err(LoadError::io("the venue"))?;
    let published = || venue.counters().messages >= plan.messages();
    let late = Duration::from_secs(u64::from(plan.seconds) + 60);
    // Looked at while its threads are there: the venue's ends with its day.
    let mut machine = Machine::now();
    let is_stopped = || stop.load(Ordering::Relaxed);
    while !published() && venue.error().is_none() && begun.elapsed() < late && !is_stopped() {
        machine = Machine::now();
        std::thread::sleep(LOOK);
    }
    let usage = machine.since(&before);
    if !is_stopped() {
        settle(&venue, &running, plan.messages());
    }
    let sent = venue.stop();
    let finished = running.finish()?;
    goes_on(stop)?;
    let (hash, orders) = books::hash(&finished.engine);
    Ok(Report {
        plan: *plan,
        sent,
        feed: finished.feeds.first().copied().unwrap_or_default(),
        granted,
        usage,
        stages: finished.stages.by_name().collect(),
        clean_hash,
        hash,
        orders: [clean_orders, orders],
    })
}

/// An error where somebody wants it to stop.
fn goes_on(stop: &AtomicBool) -> Result<(), LoadError> {
    if stop.load(Ordering::Relaxed) { Err(LoadError::Interrupted) } else { Ok(()) }
}

/// Exactly as many messages as will be published, the last of them in the middle of trading: books that are empty at the end
/// would be equal whatever happened.
fn write_day(plan: &Plan, path: &Path, stop: &AtomicBool) -> std::io::Result<()> {
    let messages = plan.messages();
    let made = messages + messages / 4 + 20 * u64::from(plan.symbols);
    let config = synth::Config {
        seed: plan.seed,
        symbols: plan.symbols,
        messages: made,
        ..synth::Config::SAMPLE
    };
    let mut out = BinaryFileWriter::new(BufWriter::new(File::create(path)?));
    let mut room = [0; feeds::nasdaq::MESSAGE_MAX];
    let goes_on = |_: &_| !stop.load(Ordering::Relaxed);
    for message in Day::new(config).take(messages as usize).take_while(goes_on) {
        out.message(message.encode(&mut room))?;
    }
    out.end().map(drop)
}

/// Waits until the engine has heard all, or nothing comes any more.
fn settle(venue: &Publisher, running: &Running, messages: u64) {
    let mut last = running.progress().feeds[0].counters();
    let mut still = Instant::now();
    loop {
        std::thread::sleep(LOOK);
        let now = running.progress().feeds[0].counters();
        if now != last {
            (last, still) = (now, Instant::now());
        }
        // The ends of the session tell what the kernel dropped before them.
        let whole = venue.is_done() && now.messages >= messages;
        if still.elapsed() >= if whole { 10 * LOOK } else { STILL } {
            return;
        }
    }
}
