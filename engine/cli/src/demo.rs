//! `tickgate demo`: the whole engine on a synthetic day, ready for a client. The day comes as it would outside: in packets over
//! two lines that lose, repeat and reorder them, with a re-request server and a snapshot server to make up for it.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;
use engine::config::{Config, FeedConfig, FeedSource, JournalConfig, Lines, SnapshotServer};
use engine::runtime::{self, Plan};
use engine::script::Script;
use feeds::Venue;
use program::println;
use sim::mold::Credentials;
use sim::net::Publisher;

use crate::exit::{Failure, stop_on_signal};
use crate::screen::Screen;
use crate::summary;

/// The files of `deploy/`, as they were when this program was built.
const FILES: [(&str, &str); 3] = [
    ("engine.toml", include_str!("../../../deploy/engine.toml")),
    ("instruments.toml", include_str!("../../../deploy/instruments.toml")),
    ("limits.toml", include_str!("../../../deploy/limits.toml")),
];

/// Plays a synthetic day on paper, over and over, and lets clients attach.
///
/// Everything is real but the market: the sample is made by tickgate-synth, its symbols SYN001 to SYN050 exist nowhere; a venue
/// in this process publishes it over two bad lines on loopback (MoldUDP64), and the engine makes one whole feed of them.
#[derive(Args)]
#[command(after_help = "Examples:\n  tickgate demo\n  tickgate demo --seconds 30 --json")]
pub struct Demo {
    /// Ends after so many seconds; without it, on Ctrl-C.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Loss of each line, packets in a thousand.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(0..=900))]
    loss: u16,
    /// Keeps configuration and journal in this folder; without it they are removed at the end.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// By which name clients find the engine.
    #[arg(long, default_value = "demo")]
    name: String,
    /// Prints one JSON object at the end, and nothing else on standard output.
    #[arg(long)]
    json: bool,
}

/// The configuration that this program carries.
pub fn built_in() -> Result<Config, Failure> {
    let files = FILES.map(|(name, text)| (PathBuf::from(name), text.to_string()));
    Config::from_texts(files.into()).map_err(Failure::usage)
}

impl Demo {
    pub fn run(self) -> Result<(), Failure> {
        let stop = stop_on_signal()?;
        let folder = Folder::make(self.dir.as_deref())?;
        let config = folder.prepare(&self.name)?;
        let lines = config.engine.feeds.iter().find_map(|feed| match &feed.source {
            FeedSource::Lines(lines) => Some(lines.clone()),
            _ => None,
        });
        let plan = Plan {
            config,
            script: Script::default(),
            shared: true,
            ends_with_feed: false,
            drive_stream: None,
        };
        let begun = Instant::now();
        let running = runtime::start(plan)?;
        let venue = lines.map(|lines| publish(&lines, self.loss)).transpose()?;
        if !self.json {
            // An engine that runs does not end because nobody reads this.
            let _ = writeln!(std::io::stdout(), "{}\n", connect_line(&self.name));
        }
        let mut screen = Screen::new(&self.name, self.json);
        let over = |begun: Instant| {
            self.seconds.is_some_and(|seconds| begun.elapsed().as_secs() >= seconds)
        };
        while !running.has_ended() && !stop.load(Ordering::Relaxed) && !over(begun) {
            std::thread::sleep(Duration::from_millis(50));
            screen.show();
        }
        let took = begun.elapsed();
        screen.close();
        let finished = running.finish()?;
        drop((venue, folder)); // An answer that does not get out ends the program.
        if self.json {
            println!("{}", summary::json(&finished, took));
        } else {
            println!("{}", summary::line(&finished, took));
        }
        if stop.load(Ordering::Relaxed) { Err(Failure::interrupted()) } else { Ok(()) }
    }
}

/// Two lines and their services, at ports of this machine that are free now.
fn lines_feed() -> Result<FeedConfig, Failure> {
    let refuse = |error| Failure::io("no free port on loopback", &error);
    let sockets = (0..3).map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)));
    let sockets = sockets.collect::<Result<Vec<_>, _>>().map_err(refuse)?;
    let udp = sockets.iter().map(UdpSocket::local_addr).collect::<Result<Vec<_>, _>>();
    let snapshot = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr());
    let (udp, address) = (udp.map_err(refuse)?, snapshot.map_err(refuse)?);
    let source = FeedSource::Lines(Lines {
        lines: udp.iter().take(2).copied().collect(),
        interface: Ipv4Addr::LOCALHOST,
        request: udp.last().copied(),
        snapshot: Some(SnapshotServer {
            address,
            user: "demo".into(),
            password_env: None,
            same_session: true,
        }),
        receive_buffer: 4 << 20,
        busy_poll_us: 0,
    });
    Ok(FeedConfig { venue: Venue::NasdaqItch, source, silence_ns: 5_000_000_000 })
}

/// The venue: the sample at its own pace, for ever, over lines that lose `loss` packets in a thousand.
fn publish(lines: &Lines, loss: u16) -> Result<Publisher, Failure> {
    let refuse = |error| Failure::io("the simulated venue", &error);
    let (Some(a), Some(b)) = (lines.lines.first(), lines.lines.get(1)) else {
        return Err(Failure::usage("the demo's folder holds a configuration without two lines"));
    };
    let mut config = sim::net::Config::new(*a, *b);
    config.request = lines.request.unwrap_or(config.request);
    config.snapshot = lines.snapshot.as_ref().map_or(config.snapshot, |s| s.address);
    if let Some(service) = &lines.snapshot {
        config.mold.credentials =
            Credentials { user: service.user.clone(), password: String::new() };
    }
    for (line, seed) in config.mold.lines.iter_mut().zip(1..) {
        line.seed = seed;
        line.loss_per_mille = loss;
        line.duplicate_per_mille = 5;
        line.reorder_per_mille = 5;
        line.reorder_ns = 300_000;
        line.jitter_ns = 100_000;
    }
    Publisher::start(config, sim::source::sample_for_ever()).map_err(refuse)
}

/// How Claude is connected to this engine, in one line.
fn connect_line(name: &str) -> String {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let manifest = manifest.canonicalize().unwrap_or(manifest);
    let exe = std::env::current_exe().ok();
    let sidecar = exe
        .and_then(|exe| exe.parent().map(|folder| folder.join("tickgate-mcp")))
        .unwrap_or_default();
    format!(
        "The market is synthetic. To let Claude see it and ask for orders on paper:\n\
         cargo build --release --manifest-path {} -p sidecar && claude mcp add tickgate -- {} --engine {name}",
        manifest.display(),
        sidecar.display(),
    )
}

/// Where the demo keeps its files.
struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Folder {
    fn make(dir: Option<&Path>) -> Result<Folder, Failure> {
        let keep = dir.is_some();
        let path = match dir {
            Some(dir) => dir.to_path_buf(),
            None => std::env::temp_dir().join(format!("tickgate-demo-{}", std::process::id())),
        };
        let made = std::fs::create_dir_all(&path);
        made.map_err(|error| Failure::io(&path.display().to_string(), &error))?;
        Ok(Folder { path, keep })
    }

    /// Writes the configuration, unless it is there from an earlier run: a journal goes on under the same one.
    fn prepare(&self, name: &str) -> Result<Config, Failure> {
        let engine_toml = self.path.join("engine.toml");
        if !engine_toml.exists() {
            let mut engine = built_in()?.engine;
            engine.name = name.into();
            engine.journal =
                engine.journal.map(|journal| JournalConfig { folder: "journal".into(), ..journal });
            engine.feeds = vec![lines_feed()?];
            for file in built_in()?.with_engine(engine).files {
                self.write(&file.name, file.text.as_bytes())?;
            }
        }
        Config::load(&engine_toml).map_err(Failure::usage)
    }

    fn write(&self, file: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path.join(file);
        std::fs::write(&path, bytes)
            .map_err(|error| Failure::io(&path.display().to_string(), &error))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
