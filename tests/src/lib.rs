//! What the tests of the whole share: a synthetic day on disk, a configuration for it, the programs, the captures.
#![forbid(unsafe_code)]

pub mod levels;
pub mod place;
pub mod preload;
pub mod rogue;

use std::path::{Path, PathBuf};

use engine::config::{AuditConfig, Config, Speed, VenueConfig};
use feeds::{FeedOptions, FileFeed, Next};
use model::Event;
use tempfile::TempDir;

/// Rules wide enough that nothing but what a test is about refuses.
pub const WIDE_LIMITS: &str = r#"
session_start = "00:00"

[triggers]
feed_gap_ms = "off"
live_ms = "off"
clock_error_ms = "off"
journal_lag_ms = "off"
journal_lag_inputs = "off"
sink_latch_ms = "off"
venue_session_level = "off"

[[account]]
name = "agent"
permission = "trade"
clients = true
currency = "USD"
cash = "1000000000000"
gross_max = "1000000000000"
net_max = "off"
day_gross_max = "off"
loss_max = "off"
drawdown_max_bps = "off"
volume_max = "off"
basket_max = "off"
order_to_trade_max = "off"
executions_max = "off"
duplicates_max = "off"
self_trade = "off"
refusals_max = "off"
venue_rejects_max = "off"
fills_max = "off"
fills_money_max = "off"
dead_man_ms = "off"
open_orders_max = 65536
rate_max = 65536
rate_window_ms = 1

[[account]]
name = "probe"
permission = "trade"
currency = "USD"
cash = "1000000000000"
gross_max = "1000000000000"
net_max = "off"
day_gross_max = "off"
loss_max = "off"
drawdown_max_bps = "off"
volume_max = "off"
basket_max = "off"
order_to_trade_max = "off"
executions_max = "off"
duplicates_max = "off"
self_trade = "off"
refusals_max = "off"
venue_rejects_max = "off"
fills_max = "off"
fills_money_max = "off"
dead_man_ms = "off"
open_orders_max = 65536
rate_max = 65536
rate_window_ms = 1

[[limit]]
account = "agent"
symbol = "*"
clip_max = "10000000"
notional_max = "1000000000000"
long_max = "1000000000"
short_max = "1000000000"
band_bps = 10000
band_px = "off"
age_max_ms = 86400000
spread_max_bps = "off"
adv_max_bps = "off"
venue_band = "off"
located = "off"
margin_long_bps = "off"
margin_short_bps = "off"
soft_clip_max = "off"
soft_notional_max = "off"
soft_band_bps = "off"
fees = "none"

[[limit]]
account = "probe"
symbol = "*"
clip_max = "10000000"
notional_max = "1000000000000"
long_max = "1000000000"
short_max = "1000000000"
band_bps = 10000
band_px = "off"
age_max_ms = 86400000
spread_max_bps = "off"
adv_max_bps = "off"
venue_band = "off"
located = "off"
margin_long_bps = "off"
margin_short_bps = "off"
soft_clip_max = "off"
soft_notional_max = "off"
soft_band_bps = "off"
fees = "none"
"#;

/// The same rules with every trigger of the kill switch on, too far away to go off.
pub fn armed_limits() -> String {
    let storm = |limits: String, of: &str| {
        let on = format!("{of}_max = 65536\n{of}_window_ms = 1000");
        limits.replace(&format!("{of}_max = \"off\""), &on)
    };
    let limits = ["refusals", "venue_rejects", "fills"].into_iter().fold(WIDE_LIMITS.into(), storm);
    [
        ("fills_money_max", "\"1000000000000\""),
        ("dead_man_ms", "86400000"),
        ("feed_gap_ms", "86400000\nfeed_gap_orders = \"cancel\""),
        ("live_ms", "1"),
        ("clock_error_ms", "86400000\nclock_synced = \"off\"\nclock_level = \"off\""),
        ("journal_lag_ms", "86400000"),
        ("journal_lag_inputs", "1000000000"),
        ("sink_latch_ms", "86400000"),
        ("venue_session_level", "\"cancel_only\""),
    ]
    .into_iter()
    .fold(limits, |limits, (key, value)| {
        limits.replace(&format!("{key} = \"off\""), &format!("{key} = {value}"))
    })
}

/// A folder with a synthetic day and the configuration to run it.
pub struct Stage {
    /// Removed with it.
    pub folder: TempDir,
    /// The day.
    pub capture: PathBuf,
}

impl Stage {
    /// A day of `messages` messages in `symbols` symbols, always the same one.
    pub fn new(messages: u64, symbols: u16) -> Stage {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let capture = folder.path().join("day.itch");
        let config = synth::Config { messages, symbols, ..synth::Config::SAMPLE };
        let file = std::fs::File::create(&capture).expect("a file");
        synth::Day::new(config).write_to(std::io::BufWriter::new(file)).expect("a day");
        Stage { folder, capture }
    }

    /// The shipped configuration with wide limits, small tables, no pace, and a journal in the folder.
    pub fn config(&self, name: &str) -> Config {
        self.config_with(name, WIDE_LIMITS)
    }

    /// The same with other limits.
    pub fn config_with(&self, name: &str, limits: &str) -> Config {
        let deploy = root().join("deploy");
        let read = |name: &str| std::fs::read_to_string(deploy.join(name)).expect(name);
        let files = [
            ("engine.toml", read("engine.toml")),
            ("instruments.toml", read("instruments.toml").replace("\"0.01\"", "\"0.0001\"")),
            ("limits.toml", limits.to_string()),
        ];
        let files = files.map(|(name, text)| (self.folder.path().join(name), text));
        let config = Config::from_texts(files.into()).expect("the configuration");
        let mut engine = config.engine.clone();
        engine.name = name.into();
        engine.capacity.book_orders = 1 << 17;
        engine.capacity.levels = 1 << 16;
        engine.capacity.ref_pages = 64;
        engine.feeds[0].captures_mut().unwrap().files = vec![self.capture.clone()];
        engine.feeds[0].captures_mut().unwrap().speed = Speed::Max;
        engine.feeds[0].captures_mut().unwrap().repeat = false;
        config.with_engine(engine)
    }

    /// A configuration with an audit log in the folder, whose key is made here; the key that verifies it.
    pub fn audited(&self, config: Config) -> (Config, audit::PublicKey) {
        let path = |name: &str| self.folder.path().join(name);
        let key = audit::SecretKey::generate(&path("audit.key")).expect("a key");
        let mut engine = config.engine.clone();
        engine.audit = Some(AuditConfig {
            folder: path("audit"),
            key: path("audit.key"),
            checkpoints: path("checkpoints"),
            checkpoint_records: 1024,
            checkpoint_ms: 50,
        });
        (config.with_engine(engine), key.public())
    }

    /// Writes the configuration where `tickgate run --config` can read it.
    pub fn write_config(&self, config: &Config) -> PathBuf {
        for file in &config.files {
            std::fs::write(self.folder.path().join(&file.name), &file.text).expect("a file");
        }
        self.folder.path().join("engine.toml")
    }

    /// Every event of the day.
    pub fn events(&self) -> Vec<Event> {
        events(&self.capture)
    }
}

/// The shipped configuration in small tables, with accounts that may hold so much, and a venue outside: for engines that are
/// stepped by hand.
pub fn outside(name: &str, position_max: i64, ack_timeout_ns: u64) -> Config {
    let stage = Stage::new(10, 1);
    let most = format!("_max = \"{position_max}\"\n");
    let limits = WIDE_LIMITS.replace("_max = \"1000000000\"\n", &most);
    let (config, _) = stage.audited(stage.config_with(name, &limits));
    let mut engine = config.engine.clone();
    engine.mode = model::Mode::Live;
    engine.hiccup_max = engine::config::HiccupMax::Off;
    engine.strategies.clear();
    let nowhere = ([127, 0, 0, 1], 1).into();
    engine.venue = Some(VenueConfig::plain(ack_timeout_ns, 4_096, nowhere));
    engine.capacity.instruments = 2;
    engine.capacity.book_orders = 256;
    engine.capacity.levels = 256;
    engine.capacity.ref_pages = 1;
    engine.capacity.own_orders = 32;
    engine.capacity.client_ids = 4_096;
    config.with_engine(engine)
}

/// Every event of a capture.
pub fn events(capture: &Path) -> Vec<Event> {
    let mut feed =
        FileFeed::open(&[capture.to_path_buf()], FeedOptions::default()).expect("the capture");
    let mut events = Vec::new();
    while let Next::Event(event) = feed.next().expect("a whole capture") {
        events.push(event);
    }
    events
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A program of the workspace, built with the same profile as this test.
pub fn program(name: &str) -> PathBuf {
    let exe = std::env::current_exe().expect("this test's path");
    let folder = exe.parent().and_then(Path::parent).expect("the target folder");
    let program = folder.join(name);
    assert!(
        program.exists(),
        "{} is missing: run `cargo x test`, which builds it",
        program.display()
    );
    program
}

/// A file of the third-party captures; `None`, said loudly, where they are not.
pub fn captured(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TICKGATE_DATA")
        .map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let path = folder.join(file);
    if !path.exists() {
        eprintln!(
            "SKIPPED: {} is not here; set TICKGATE_DATA to the folder of captures",
            path.display()
        );
        return None;
    }
    Some(path)
}
