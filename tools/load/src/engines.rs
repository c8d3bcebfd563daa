//! The engines of a run and the venue that they hear, as they are configured.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use engine::config::{
    Captures, Config, EngineConfig, FeedConfig, FeedSource, Lines, SnapshotServer, Speed,
};
use engine::runtime::{self, Finished, Running};
use engine::script::Script;
use feeds::{Date, Venue};
use host::{UdpOptions, UdpReceiver};
use sim::mold::{Credentials, Pace};

use crate::{LoadError, Plan};

/// The files of `deploy/`, as they were when this program was built.
const FILES: [(&str, &str); 3] = [
    ("engine.toml", include_str!("../../../deploy/engine.toml")),
    ("instruments.toml", include_str!("../../../deploy/instruments.toml")),
    ("limits.toml", include_str!("../../../deploy/limits.toml")),
];
/// No feed of a run is ever silent for so long.
const SILENCE_NS: u64 = 60_000_000_000;
/// Messages of the past that the venue answers for: some seconds of them.
const STORE: usize = 1 << 20;
const USER: &str = "load";

/// The shipped machine with one feed, no strategy and no journal.
fn config(plan: &Plan, source: FeedSource) -> Result<Config, LoadError> {
    let files = FILES.map(|(name, text)| (PathBuf::from(name), text.to_string()));
    let config = Config::from_texts(files.into())?;
    let feed = FeedConfig { venue: Venue::NasdaqItch, source, silence_ns: SILENCE_NS };
    let mut cpus = config.engine.cpus;
    [cpus.feed, cpus.engine] = plan.cpus;
    let engine = EngineConfig {
        name: "load".into(),
        wait: plan.wait,
        cpus,
        journal: None,
        feeds: vec![feed],
        strategies: Vec::new(),
        ..config.engine.clone()
    };
    Ok(config.with_engine(engine))
}

fn start(config: Config, ends_with_feed: bool) -> Result<Running, LoadError> {
    let script = Script::default();
    let plan = runtime::Plan { config, script, shared: false, ends_with_feed, drive_stream: None };
    Ok(runtime::start(plan)?)
}

/// The day as the file tells it.
pub(crate) fn clean(plan: &Plan, day: &Path, stop: &AtomicBool) -> Result<Finished, LoadError> {
    let source = FeedSource::Captures(Captures {
        files: vec![day.to_path_buf()],
        date: Date::default(),
        speed: Speed::Max,
        repeat: false,
        symbols: Vec::new(),
    });
    let running = start(config(plan, source)?, true)?;
    while !running.has_ended() && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(running.finish()?)
}

/// An engine that hears the lines.
pub(crate) fn live(plan: &Plan, lines: &Lines) -> Result<Running, LoadError> {
    start(config(plan, FeedSource::Lines(lines.clone()))?, false)
}

/// Two lines and their services, at ports of this machine that are free now.
pub(crate) fn free_lines(plan: &Plan) -> std::io::Result<Lines> {
    let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    let sockets = [bind()?, bind()?, bind()?];
    let mut addresses = sockets.iter().map(UdpSocket::local_addr).collect::<Result<Vec<_>, _>>()?;
    let request = addresses.pop();
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    Ok(Lines {
        lines: addresses,
        interface: Ipv4Addr::LOCALHOST,
        request,
        snapshot: Some(SnapshotServer {
            address,
            user: USER.into(),
            password_env: None,
            same_session: true,
        }),
        receive_buffer: plan.receive_buffer as usize,
        busy_poll_us: plan.busy_poll_us,
    })
}

/// Bytes that the kernel will buffer for each of the lines.
pub(crate) fn granted(lines: &Lines) -> std::io::Result<usize> {
    let Lines { interface, receive_buffer, busy_poll_us, .. } = *lines;
    let bind = (Ipv4Addr::LOCALHOST, 0).into();
    UdpReceiver::bind(&UdpOptions { bind, interface, receive_buffer, busy_poll_us })?
        .receive_buffer()
}

/// The venue of these lines.
pub(crate) fn venue(plan: &Plan, lines: &Lines) -> sim::net::Config {
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let line = |place: usize| lines.lines.get(place).copied().unwrap_or(any);
    let mut config = sim::net::Config::new(line(0), line(1));
    config.request = lines.request.unwrap_or(any);
    config.snapshot = lines.snapshot.as_ref().map_or(any, |server| server.address);
    config.mold.credentials = Credentials { user: USER.into(), password: String::new() };
    config.mold.pace = Pace::PacketsPerSecond(plan.line_rate());
    config.mold.packet_messages_max = plan.packet_messages;
    config.mold.heartbeat_ns = 200_000_000;
    config.mold.end_packets = 3;
    config.mold.store_messages_max = STORE;
    config.mold.store_bytes_max = STORE * 50;
    for line in &mut config.mold.lines {
        line.seed = plan.seed;
        line.loss_per_mille = plan.loss_per_mille;
    }
    config
}
