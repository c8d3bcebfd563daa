//! `tickgate demo`: the whole engine on a synthetic day, ready for a client.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;
use engine::config::Config;
use engine::runtime::{self, Plan};
use engine::script::Script;

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
/// Everything is real but the market: the sample is made by tickgate-synth, its symbols SYN001 to SYN050 exist nowhere.
#[derive(Args)]
#[command(after_help = "Examples:\n  tickgate demo\n  tickgate demo --seconds 30 --json")]
pub struct Demo {
    /// Ends after so many seconds; without it, on Ctrl-C.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Keeps sample, configuration and journal in this folder; without it they are removed at the end.
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
        let plan = Plan {
            config,
            script: Script::default(),
            shared: true,
            ends_with_feed: false,
            drive_stream: None,
        };
        let begun = Instant::now();
        let running = runtime::start(plan)?;
        if !self.json {
            println!("{}\n", connect_line(&self.name));
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
        if self.json {
            println!("{}", summary::json(&finished, took));
        } else {
            println!("{}", summary::line(&finished, took));
        }
        if stop.load(Ordering::Relaxed) { Err(Failure::interrupted()) } else { Ok(()) }
    }
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

    /// Writes sample and configuration, unless they are there from an earlier run.
    fn prepare(&self, name: &str) -> Result<Config, Failure> {
        for (file, text) in FILES {
            let text = text.replace("name = \"paper\"", &format!("name = \"{name}\""));
            self.write(file, || text.into_bytes())?;
        }
        self.write("sample.itch", synth::sample)?;
        Config::load(&self.path.join("engine.toml")).map_err(Failure::usage)
    }

    fn write(&self, file: &str, bytes: impl FnOnce() -> Vec<u8>) -> Result<(), Failure> {
        let path = self.path.join(file);
        if path.exists() {
            return Ok(());
        }
        std::fs::write(&path, bytes())
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
