//! An engine as a process in a folder of its own, its operator's commands, and a trader.

mod trader;

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use engine::config::{AuditConfig, Config, EngineConfig, Speed, VenueConfig};
use model::{HaltLevel, Mode};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use shm::{Client, Folder};
use sim::mold::Credentials;
use sim::ouch::Server;

pub use trader::{Trader, halted};

use crate::preload::Preload;
use crate::{Stage, WIDE_LIMITS, program};

/// How long anything may take on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// The operator's.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// A venue that takes orders.
pub fn venue() -> Server {
    let credentials = Credentials { user: "t".into(), password: String::new() };
    let config = sim::ouch::Config { credentials, ..Default::default() };
    Server::start(([127, 0, 0, 1], 0).into(), config).unwrap()
}

/// Limits under which orders outlive the client that asked for them.
pub fn lasting_limits() -> String {
    WIDE_LIMITS.replace("clients = true", "clients = true\ncancel_on_disconnect = false")
}

/// Waits until something is so.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A folder with configuration, journal, sockets and log.
pub struct Place {
    stage: Stage,
    config: Config,
    name: String,
    preload: Option<Preload>,
}

/// A process that runs, killed with this.
pub struct Running(Child);

impl Place {
    /// A place for an engine that plays a day again and again.
    pub fn new(name: &str) -> Place {
        Place::with_limits(name, WIDE_LIMITS)
    }

    /// The same with other limits.
    pub fn with_limits(name: &str, limits: &str) -> Place {
        Place::with(name, limits, |_, _| ())
    }

    /// The same with other rules, and an engine that `change` changes.
    pub fn with(name: &str, limits: &str, change: impl FnOnce(&Stage, &mut EngineConfig)) -> Place {
        let stage = Stage::new(200_000, 20);
        let config = stage.config_with(name, limits);
        let mut engine = config.engine.clone();
        engine.feeds[0].captures_mut().unwrap().speed = Speed::Times(5_000);
        engine.feeds[0].captures_mut().unwrap().repeat = true;
        engine.feeds[0].silence_ns = 86_400_000_000_000; // Or a machine that stalls makes books stale.
        engine.stalled_ns = 60_000_000_000; // Nor is such a machine what is tested here.
        engine.journal.as_mut().unwrap().folder = stage.folder.path().join("journal");
        change(&stage, &mut engine);
        let config = config.with_engine(engine);
        stage.write_config(&config);
        Place { stage, config, name: name.to_owned(), preload: None }
    }

    /// The same for an engine that trades at a venue and keeps an audit log.
    pub fn live(
        name: &str,
        limits: &str,
        venue: &Server,
        change: impl FnOnce(&mut EngineConfig),
    ) -> Place {
        Place::with(name, limits, |stage, engine| {
            let path = |name: &str| stage.folder.path().join(name);
            audit::SecretKey::generate(&path("audit.key")).unwrap();
            engine.mode = Mode::Live;
            engine.hiccup_max = engine::config::HiccupMax::Off;
            engine.strategies.clear();
            engine.capacity.own_orders = 1 << 14;
            engine.venue = Some(VenueConfig::plain(2_000_000_000, 4_096, venue.address()));
            engine.audit = Some(AuditConfig {
                folder: path("audit"),
                key: path("audit.key"),
                checkpoints: path("checkpoints"),
                checkpoint_records: 1_024,
                checkpoint_ms: 50,
            });
            change(engine);
        })
    }

    /// The same place, whose engine can be lied to.
    pub fn lied_to(self) -> Place {
        let preload = Some(Preload::new(self.stage.folder.path()));
        Place { preload, ..self }
    }

    /// What its engine is told of clock and disk.
    pub fn preload(&self) -> &Preload {
        self.preload.as_ref().unwrap()
    }

    /// The same place, whose engine begins at a level.
    pub fn starting_at(self, start_level: HaltLevel) -> Place {
        let mut engine = self.config.engine.clone();
        engine.start_level = start_level;
        let config = self.config.with_engine(engine);
        self.stage.write_config(&config);
        Place { config, ..self }
    }

    /// Starts the engine and waits until its operator is heard.
    pub fn start(&self) -> Running {
        let running = self.begin("tickgate", &["run", "--config", &self.config_path()]);
        let since = Instant::now();
        while self.run("tickgate-status", &["--json"]).0 != 0 {
            assert!(since.elapsed() < PATIENCE, "no engine: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }

    /// Begins a program that goes on until it is ended; it may fail at once.
    pub fn begin(&self, name: &str, words: &[&str]) -> Running {
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = self.command(name);
        Running(command.args(words).stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    fn runtime(&self) -> PathBuf {
        self.stage.folder.path().join("tickgate")
    }

    /// A program that finds this place's engine and no other.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.env("TICKGATE_RUNTIME_DIR", self.runtime()).stdin(Stdio::null());
        if let Some(preload) = self.preload.as_ref().filter(|_| name == "tickgate") {
            preload.beneath(&mut command);
        }
        command
    }

    /// Runs a command; its exit code and what it said.
    pub fn run(&self, name: &str, words: &[&str]) -> (i32, String) {
        let output = self.command(name).args(words).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    /// The same for a command that must do it: its JSON.
    pub fn done(&self, name: &str, words: &[&str]) -> Value {
        let (code, said) = self.run(name, &[words, &["--json"]].concat());
        assert_eq!(code, 0, "{name} {words:?}: {said}");
        serde_json::from_str(&said).unwrap()
    }

    /// How the engine stands.
    pub fn status(&self) -> Value {
        self.done("tickgate-status", &[])
    }

    /// Sets an operator's passphrase.
    pub fn passwd(&self, operator: &str, passphrase: &str) {
        let words = ["passwd", operator, "--config", &self.config_path()];
        let (code, said) = self.typed("tickgate-operator", &words, &[passphrase, passphrase]);
        assert_eq!(code, 0, "{said}");
    }

    /// Runs a command at a pseudo-terminal, and types a line at each of its questions. What is typed must not be shown.
    pub fn typed(&self, name: &str, words: &[&str], lines: &[&str]) -> (i32, String) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let flags = rustix::fs::OFlags::NOCTTY.bits() as i32;
        let terminal = File::options().read(true).write(true).custom_flags(flags).open(path);
        let terminal = terminal.unwrap();
        let mut child = self
            .command(name)
            .args(words)
            .stdin(terminal.try_clone().unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut master = File::from(master);
        let mut questions = child.stderr.take().unwrap();
        let mut said = String::new();
        for line in lines {
            let mut byte = [0];
            while !is_question(&said) && questions.read(&mut byte).unwrap() > 0 {
                said.push(byte[0] as char);
            }
            said.push('|');
            writeln!(master, "{line}").unwrap();
        }
        questions.read_to_string(&mut said).unwrap();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        let code = child.wait().unwrap().code().unwrap();
        rustix::io::ioctl_fionbio(&master, true).unwrap();
        let mut shown = Vec::new();
        let _ = master.read_to_end(&mut shown); // Ends when there is nothing more.
        let shown = String::from_utf8_lossy(&shown).into_owned() + &said;
        assert!(lines.iter().all(|line| !shown.contains(line)), "{name} shows a passphrase");
        (code, said)
    }

    /// A client of the engine and an instrument that trades.
    pub fn trader(&self) -> Trader {
        self.trader_of(&self.name)
    }

    /// The same of one engine of several that run here.
    pub fn trader_of(&self, engine: &str) -> Trader {
        let since = Instant::now();
        loop {
            if let Ok(client) = Client::attach_in(&[self.sockets()], Some(engine)) {
                return Trader::new(client);
            }
            assert!(since.elapsed() < PATIENCE, "cannot attach");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A client, if there is an engine now.
    pub fn client(&self) -> Option<Client> {
        Client::attach_in(&[self.sockets()], Some(&self.name)).ok()
    }

    /// Whether any file of the place holds a text.
    pub fn holds(&self, text: &str) -> bool {
        let folder = self.stage.folder.path();
        [folder.to_path_buf(), self.journal()].iter().any(|folder| {
            let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            files.filter(|path| path.is_file()).any(|path| {
                let bytes = std::fs::read(path).unwrap();
                bytes.windows(text.len()).any(|window| window == text.as_bytes())
            })
        })
    }

    /// Its engine.toml.
    pub fn config_path(&self) -> String {
        self.stage.folder.path().join("engine.toml").display().to_string()
    }

    /// Its journal's folder.
    pub fn journal(&self) -> PathBuf {
        self.config.engine.journal.as_ref().unwrap().folder.clone()
    }

    /// Where its operator is heard.
    pub fn operator_socket(&self) -> PathBuf {
        self.sockets().operator_path(&self.name)
    }

    /// What its programs said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn sockets(&self) -> Folder {
        Folder::at(self.runtime())
    }

    fn log_path(&self) -> PathBuf {
        Path::new(self.stage.folder.path()).join("log")
    }
}

impl Running {
    /// Stops it cleanly.
    pub fn ends(self) {
        self.is_asked_to_end();
        self.has_ended();
    }

    /// Waits for the end that was asked for.
    pub fn has_ended(mut self) {
        assert_eq!(self.0.wait().unwrap().code(), Some(130));
    }

    /// The signal alone.
    pub fn is_asked_to_end(&self) {
        kill_process(Pid::from_raw(self.0.id() as i32).unwrap(), Signal::TERM).unwrap();
    }

    /// kill -9.
    pub fn dies(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether the last line asks for a passphrase. What is typed before the question is thrown away, as it should be.
fn is_question(said: &str) -> bool {
    let line = said.rsplit(['\n', '|']).next().unwrap_or_default();
    let asks = ["passphrase of ", "new passphrase of ", "once more"];
    line.ends_with(": ") && asks.iter().any(|ask| line.starts_with(ask))
}
