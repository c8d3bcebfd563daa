//! One MCP tool called over standard input and output: one call after another, and with 32 under way.
//!
//! Ours is tickgate-mcp attached to `tickgate demo`, and its tool reads a live page of shared memory; the tool of the
//! Python servers hands out a constant. Nothing of it is pinned: the engine, the server and this client run wherever the kernel
//! puts them.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::contest::{Contender, Contest, Outcome, Round};
use crate::python::FOLDER;
use crate::setting::Setting;

/// Calls of a round, sequential and under way together; what a round may take at most.
const CALLS: usize = 1_000;
const UNDER_WAY: usize = 32;
const ROUND: Duration = Duration::from_secs(2);
/// How long the demo may take until its first instrument is listed.
const START: Duration = Duration::from_secs(20);

/// A server that is spoken to.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    call: (&'static str, Value),
    last_id: u64,
}

/// A process that ends with us.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

type Failed = Box<dyn std::error::Error>;

impl Server {
    fn start(command: &mut Command, call: (&'static str, Value)) -> Result<Server, Failed> {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take().map(BufReader::new));
        let (input, output) = input.zip(output).ok_or("no pipes")?;
        let mut server = Server { child, input, output, call, last_id: 0 };
        let client = json!({"name": "rivals", "version": "0"});
        let params =
            json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
        let greeting = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        server.say(&greeting)?;
        server.hear()?;
        server.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))?;
        Ok(server)
    }

    fn say(&mut self, message: &Value) -> Result<(), Failed> {
        Ok(self.input.write_all(format!("{message}\n").as_bytes())?)
    }

    fn ask(&mut self) -> Result<(), Failed> {
        self.last_id += 1;
        let (tool, arguments) = &self.call;
        let params = json!({"name": tool, "arguments": arguments});
        let call =
            json!({"jsonrpc": "2.0", "id": self.last_id, "method": "tools/call", "params": params});
        self.say(&call)
    }

    fn hear(&mut self) -> Result<Value, Failed> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line)? == 0 {
                return Err("the server ended".into());
            }
            let message: Value = serde_json::from_str(&line)?;
            if message.get("id").is_some() {
                return Ok(message);
            }
        }
    }

    /// Whether an answer holds what was asked for.
    fn answered(&mut self) -> Result<bool, Failed> {
        let answer = self.hear()?;
        let result = &answer["result"];
        Ok(result["isError"] != json!(true) && result["content"][0]["text"].is_string())
    }

    /// Microseconds of the median call, one after another.
    fn sequential(&mut self) -> Result<Round, Failed> {
        let (mut took, mut right, begin) = (Vec::with_capacity(CALLS), true, Instant::now());
        while took.len() < CALLS && begin.elapsed() < ROUND {
            let start = Instant::now();
            self.ask()?;
            right &= self.answered()?;
            took.push(start.elapsed().as_nanos());
        }
        took.sort_unstable();
        Ok(Round { each: took[took.len() / 2] as f64 / 1e3, sum: Some(right.into()) })
    }

    /// Microseconds a call with so many under way.
    fn together(&mut self) -> Result<Round, Failed> {
        let (mut heard, mut right) = (0, true);
        for _ in 0..UNDER_WAY {
            self.ask()?;
        }
        let start = Instant::now();
        while heard < CALLS && start.elapsed() < ROUND {
            right &= self.answered()?;
            heard += 1;
            self.ask()?;
        }
        let took = start.elapsed();
        for _ in 0..UNDER_WAY {
            right &= self.answered()?;
        }
        Ok(Round { each: took.as_secs_f64() * 1e6 / heard as f64, sum: Some(right.into()) })
    }
}

/// Starts a server when it is first needed, and goes on with it.
struct Lazy<F> {
    start: F,
    server: Option<Server>,
}

impl<F: Fn() -> Result<Server, Failed>> Lazy<F> {
    fn round(&mut self, work: fn(&mut Server) -> Result<Round, Failed>) -> Result<Round, String> {
        let failed = |error: Failed| match error.to_string() {
            why if why.starts_with("not run") => why,
            why => format!("not run: {why}"),
        };
        if self.server.is_none() {
            self.server = Some((self.start)().map_err(failed)?);
        }
        let server = self.server.as_mut().ok_or("not run: no server")?;
        work(server).map_err(failed)
    }
}

/// Runs the row.
pub fn run(setting: &Setting) -> Vec<Outcome> {
    let demo = Demo::start(&setting.programs);
    let contest = |title: &str, unit, work| Contest {
        title: title.into(),
        unit,
        right: Some(1),
        contenders: rivals(setting, &demo, work),
    };
    let sequential =
        contest("MCP tool call, one after another", "us a call (median)", Server::sequential);
    let sequential = sequential.run(setting);
    let together =
        contest("MCP tool calls, 32 under way", "us a call", Server::together).run(setting);
    vec![sequential, together]
}

fn rivals<'a>(
    setting: &'a Setting,
    demo: &'a Result<Demo, String>,
    work: fn(&mut Server) -> Result<Round, Failed>,
) -> Vec<Contender<'a>> {
    let ours = move || demo.as_ref().map_err(|why| why.clone().into()).and_then(Demo::server);
    let mut ours = Lazy { start: ours, server: None };
    let python = move |package, script: &'static str| {
        let start = move || {
            let python = setting.python.as_ref().ok_or("no --python")?;
            let mut command = Command::new(python);
            command.arg(Path::new(FOLDER).join(script));
            Server::start(&mut command, ("get_bbo", json!({"symbol": "SYN002"})))
        };
        let mut lazy = Lazy { start, server: None };
        Contender::rival_if(package, "(Python)", move || lazy.round(work)).note("a constant")
    };
    vec![
        Contender::ours_if("sidecar", move || ours.round(work))
            .note("a live page of shared memory"),
        python("mcp", "mcp_server.py"),
        python("fastmcp", "fastmcp_server.py"),
    ]
}

/// An engine with a market to look at.
struct Demo {
    programs: PathBuf,
    _engine: Ended,
    /// Declared last, so that it goes last.
    folder: TempDir,
}

impl Demo {
    fn start(programs: &Path) -> Result<Demo, String> {
        let failed = |error: &dyn std::fmt::Display| format!("not run: {error}");
        let folder = tempfile::tempdir().map_err(|error| failed(&error))?;
        let mut command = Command::new(programs.join("tickgate"));
        command.arg("demo").env("TICKGATE_RUNTIME_DIR", folder.path().join("tickgate"));
        let engine =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let engine = engine
            .map_err(|error| format!("not run: tickgate in {}: {error}", programs.display()))?;
        let demo = Demo { programs: programs.into(), folder, _engine: Ended(engine) };
        let start = Instant::now();
        loop {
            match demo.server().and_then(|mut server| {
                server.ask()?;
                server.answered()
            }) {
                Ok(true) => return Ok(demo),
                _ if start.elapsed() < START => std::thread::sleep(Duration::from_millis(200)),
                Ok(false) => return Err("not run: the demo lists no instrument".into()),
                Err(error) => return Err(failed(&error)),
            }
        }
    }

    fn server(&self) -> Result<Server, Failed> {
        let mut command = Command::new(self.programs.join("tickgate-mcp"));
        command
            .args(["--engine", "demo"])
            .env("TICKGATE_RUNTIME_DIR", self.folder.path().join("tickgate"));
        Server::start(&mut command, ("market_snapshot", json!({"symbols": ["SYN002"]})))
    }
}
