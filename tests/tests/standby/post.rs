//! An engine's process, its follower's, and a client, in a folder of their own.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use engine::config::{Config, Speed};
use model::page::{Answer, AnswerKind};
use model::{
    AccountId, Ask, ClientOrderId, InstrumentId, Note, OrderId, OrderType, Origin, Px, Qty,
    Request, Side, Terms, Tif,
};
use rustix::process::{Pid, Signal, kill_process};
use shm::{Client, Folder};
use tests::{Stage, program};

/// How long anything may take on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until something is so.
pub fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited for {what} in vain");
        std::thread::sleep(Duration::from_micros(200));
    }
}

pub struct Post {
    stage: Stage,
    config: Config,
    name: String,
}

impl Post {
    /// A day that opens at once and goes on and on.
    pub fn new(name: &str) -> Post {
        let stage = Stage::new(20_000, 3);
        let config = stage.config(name);
        let mut engine = config.engine.clone();
        let captures = engine.feeds[0].captures_mut().unwrap();
        (captures.speed, captures.repeat) = (Speed::Times(5_000), true);
        engine.feeds[0].silence_ns = 86_400_000_000_000; // Or a machine that stalls makes books stale.
        engine.stalled_ns = 60_000_000_000; // Nor is such a machine what is tested here.
        engine.journal.as_mut().unwrap().folder = stage.folder.path().join("journal");
        engine.journal.as_mut().unwrap().segment_bytes = 1 << 20;
        let config = config.with_engine(engine);
        stage.write_config(&config);
        Post { stage, config, name: name.to_owned() }
    }

    /// Starts the engine.
    pub fn engine(&self) -> Process {
        Process(self.command("tickgate").args(["run", "--config", &self.config()]).spawn().unwrap())
    }

    /// Starts a follower of its journal that speaks JSON.
    pub fn follower(&self, words: &[&str]) -> Process {
        let mut command = self.command("tickgate-follow");
        let said = File::options().create(true).append(true).open(self.path("said")).unwrap();
        command.args(["--config", &self.config(), "--json"]).args(words).stdout(said);
        Process(command.spawn().unwrap())
    }

    /// Other limits for the engine that runs, tighter ones.
    pub fn reload(&self, old: &str, new: &str) {
        let limits = self.path("limits.toml");
        let text = std::fs::read_to_string(&limits).unwrap();
        assert!(text.contains(old), "{text}");
        std::fs::write(&limits, text.replace(old, new)).unwrap();
        let code = self.command("tickgate-reload").args(["--config", &self.config()]).status();
        assert_eq!(code.unwrap().code(), Some(0), "{}", self.log());
    }

    /// A client of whichever engine runs, as soon as one does.
    pub fn agent(&self) -> Agent {
        let folders = [Folder::at(self.path("sockets"))];
        let begun = Instant::now();
        loop {
            match Client::attach_in(&folders, Some(&self.name)) {
                Ok(client) => return Agent { client, asked: 0 },
                Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}: {}", self.log()),
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    pub fn journal(&self) -> PathBuf {
        self.config.engine.journal.as_ref().unwrap().folder.clone()
    }

    /// What the processes said on standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// What followers said.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.path("said")).unwrap_or_default()
    }

    fn command(&self, name: &str) -> Command {
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = Command::new(program(name));
        command.env("TICKGATE_RUNTIME_DIR", self.path("sockets"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command
    }

    fn config(&self) -> String {
        self.path("engine.toml").display().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.stage.folder.path().join(name)
    }
}

/// A process that does not outlive its test.
pub struct Process(Child);

impl Process {
    /// Stops it cleanly.
    pub fn ends(mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.0.wait().unwrap().code(), Some(130));
    }

    /// kill -9.
    pub fn dies(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.0.id() as i32).unwrap(), signal).unwrap();
    }

    /// Its exit code, once it has ended.
    pub fn code(mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }

    /// Its exit code, if it has ended.
    pub fn code_now(&mut self) -> Option<Option<i32>> {
        self.0.try_wait().unwrap().map(|status| status.code())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A client that asks for orders which rest.
pub struct Agent {
    pub client: Client,
    asked: u64,
}

impl Agent {
    /// Asks until an order is accepted: the market must have opened.
    pub fn order_accepted(&mut self) -> OrderId {
        let begun = Instant::now();
        loop {
            let answer = self.order(1);
            if answer.kind == AnswerKind::Accepted {
                return answer.order;
            }
            assert!(begun.elapsed() < PATIENCE, "{answer:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Asks for so many.
    pub fn order(&mut self, qty: i64) -> Answer {
        self.asked += 1;
        let id = format!("{:x}-{:x}", self.client.epoch() & 0xFF_FFFF_FFFF, self.asked);
        let terms = Terms {
            conditions: model::Conditions::NONE,
            client_id: ClientOrderId::new(&id).unwrap(),
            instrument: InstrumentId(0),
            side: Side::Buy,
            order_type: OrderType::Limit,
            tif: Tif::Day,
            px: Px(100),
            qty: Qty(qty),
        };
        let (account, origin, note) = (AccountId(0), Origin::File, Note::default());
        let request = Request { id: 0, origin, account, ask: Ask::New(terms), note };
        let begun = Instant::now();
        let id = loop {
            match self.client.send(&request) {
                Ok(id) => break id,
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
            assert!(begun.elapsed() < PATIENCE, "no room in the ring");
        };
        loop {
            match self.client.poll_answer() {
                Some(answer) if answer.request == id => return answer,
                _ => std::thread::sleep(Duration::from_micros(100)),
            }
            assert!(begun.elapsed() < PATIENCE, "no answer");
        }
    }
}
