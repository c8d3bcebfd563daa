//! `tickgate-whatif`: which orders change verdict under other limits.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use engine::config::Config;
use journal::failure::{Failure, end, stop_on_signal, warn};
use journal::progress::Progress;
use journal::scan;
use program::{print, println};
use serde_json::json;
use tempfile::TempDir;
use why::changes;
use why::twin::Twin;

/// Replays the same inputs under the recorded limits and under others, side by side, and lists the orders whose verdict
/// differs.
///
/// A folder is a journal. Files are captures: they are played by `tickgate replay`, which takes the options below, and its
/// journal, kept for the time of this run, is what is replayed. Limits are all of limits.toml: accounts, fees, rows.
#[derive(Parser)]
#[command(
    name = "tickgate-whatif",
    version,
    after_help = "Examples:\n  \
    tickgate whatif --limits tighter.toml journal\n  \
    tickgate whatif --limits tighter.toml day.itch --orders orders.jsonl --json\n  \
    tickgate whatif --limits tighter.toml day.itch --config deploy/engine.toml    # with its strategies\n\n\
    Exit codes: 0 done, whatever differs; 1 the replay differs from the journal; 2 usage or configuration; 3 a journal or\n\
    capture that cannot be read; 130 interrupted."
)]
struct Cli {
    /// The other limits.toml.
    #[arg(long, value_name = "FILE")]
    limits: PathBuf,
    /// A journal's folder, or captures.
    #[arg(required = true, value_name = "JOURNAL|CAPTURE")]
    what: Vec<PathBuf>,
    /// Orders to ask for while captures are played, one JSON object a line: see `tickgate replay --help`.
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
    /// Rules, limits, sizes and strategies that captures are played under; without it those of the demo.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Interleaves captures by receive time.
    #[arg(long)]
    merge: bool,
    /// Day of the first message of captures that carry none.
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<String>,
    /// Whose texts captures hold.
    #[arg(long, value_name = "VENUE")]
    venue: Option<String>,
    /// A symbol of such captures.
    #[arg(long = "symbol", value_name = "SYMBOL[=NAME]:PX:QTY")]
    symbols: Vec<String>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    end("tickgate-whatif", run(&Cli::parse()))
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let stop = stop_on_signal()?;
    let text = std::fs::read_to_string(&cli.limits)
        .map_err(|error| Failure::usage(format!("{}: {error}", cli.limits.display())))?;
    let played = match cli.what.as_slice() {
        [folder] if folder.is_dir() => {
            no_options(cli)?;
            None
        }
        _ => Some(play(cli, &stop)?),
    };
    let journal = played.as_ref().map(|folder| folder.path().join(JOURNAL));
    let journal = journal.as_deref().or(cli.what.first().map(PathBuf::as_path));
    let Some(folder) = journal else { return Err(Failure::usage("which journal?")) };

    let (mut replay, scan) = scan::open(folder)?;
    let config = with_limits(&replay.config, &cli.limits, text)?;
    let progress = Progress::new(scan.inputs, "replaying twice").until(stop);
    let mut twin = Twin::new(&config, &replay.engine, progress)?;
    let outcome = replay.attend(None, &mut twin);
    twin.progress.finish();
    outcome?;
    if twin.progress.is_stopped() {
        return Err(Failure::interrupted());
    }
    warn("tickgate-whatif", &replay);
    drop(played); // An answer that does not get out ends the program.
    if cli.json {
        let mut object = changes::json(&twin.changes, &twin.counts);
        if let Some(object) = object.as_object_mut() {
            let hashes = [replay.engine.state_hash(), twin.state_hash()];
            let [old, new] = hashes.map(|hash| format!("{hash:016x}"));
            object.insert("inputs".into(), json!(replay.engine.seq()));
            object.insert("state_hash".into(), json!({ "old": old, "new": new }));
        }
        println!("{object}");
    } else {
        print!("{}", changes::text(&twin.changes, &twin.counts));
    }
    Ok(())
}

/// The recorded configuration with other limits in place of its own.
fn with_limits(recorded: &Config, path: &Path, text: String) -> Result<Config, Failure> {
    let kept = recorded.files.iter().take(2);
    let mut files: Vec<_> =
        kept.map(|file| (PathBuf::from(&file.name), file.text.clone())).collect();
    files.push((path.to_path_buf(), text));
    Ok(Config::from_texts(files)?)
}

/// Where the run of captures is recorded, in a folder that goes with this program.
const JOURNAL: &str = "journal";

/// A journal says all that these options do.
fn no_options(cli: &Cli) -> Result<(), Failure> {
    let Cli { orders, config, merge, date, venue, symbols, .. } = cli;
    let is_said = orders.is_some() || config.is_some() || date.is_some() || venue.is_some();
    if is_said || *merge || !symbols.is_empty() {
        return Err(Failure::usage(
            "--orders, --config, --merge, --date, --venue and --symbol are for captures: a journal says all that",
        ));
    }
    Ok(())
}

/// Plays captures once, recorded in a temporary folder.
fn play(cli: &Cli, stop: &AtomicBool) -> Result<TempDir, Failure> {
    let folder = tempfile::Builder::new().prefix("tickgate-whatif-").tempdir();
    let folder = folder.map_err(|error| Failure::io(&std::env::temp_dir(), &error))?;
    let mut command = Command::new(tickgate());
    command.arg("replay").args(&cli.what).arg("--journal").arg(folder.path().join(JOURNAL));
    let paths = [("--orders", &cli.orders), ("--config", &cli.config)];
    for (option, path) in paths {
        if let Some(path) = path {
            command.arg(option).arg(path);
        }
    }
    for (option, word) in [("--date", &cli.date), ("--venue", &cli.venue)] {
        if let Some(word) = word {
            command.arg(option).arg(word);
        }
    }
    for symbol in &cli.symbols {
        command.arg("--symbol").arg(symbol);
    }
    if cli.merge {
        command.arg("--merge");
    }
    let ended = program::output(command.stdin(Stdio::null()), stop);
    let ended = ended.map_err(|error| {
        Failure::check(format!("tickgate: {error}; to build it: cargo build --release -p cli"))
    })?;
    match ended.status.code() {
        _ if stop.load(Ordering::Relaxed) => Err(Failure::interrupted()),
        Some(0) => Ok(folder),
        code => Err(Failure {
            code: code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
            message: "the captures could not be played".into(),
        }),
    }
}

/// The engine's program: beside this one, else in the path.
fn tickgate() -> PathBuf {
    let beside = std::env::current_exe().ok().map(|exe| exe.with_file_name("tickgate"));
    beside.filter(|path| path.exists()).unwrap_or_else(|| "tickgate".into())
}
