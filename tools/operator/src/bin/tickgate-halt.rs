//! `tickgate-halt`: stops trading, now. Needs no passphrase; with no engine running it halts the next one.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use engine::config::Config;
use engine::runtime::latch_path;
use model::{HaltCause, HaltLevel};
use operator::args::{What, Which, level};
use operator::exit::{Failure, end};
use operator::show;
use serde_json::json;
use switch::{Answer, Halt, Request, clean_reason, latch_file};

/// Stops trading: refuses new orders of what is halted, and cancels the working ones. Cancels pass.
///
/// Only an operator with a passphrase can undo it: `tickgate resume`. It holds over restarts.
#[derive(Parser)]
#[command(
    name = "tickgate-halt",
    version,
    after_help = "Examples:\n  \
    tickgate halt --reason \"fat finger\"\n  \
    tickgate halt --account agent --level cancel_only --operator ann --reason \"checking a fill\"\n  \
    tickgate halt --symbol AAPL --engine paper\n  \
    tickgate halt --config deploy/engine.toml     # no engine runs: the next start is halted\n\
    Exit codes: 0 halted, 2 usage or configuration, 3 the latch file, 4 no engine, 5 refused."
)]
struct Cli {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    what: What,
    /// How hard: reduce_only, cancel_only, or halted, which also cancels working orders.
    #[arg(long, default_value = "halted", value_parser = level)]
    level: HaltLevel,
    /// Who says so.
    #[arg(long, value_name = "NAME", default_value = "")]
    operator: String,
    /// Why; the first 32 characters are journalled.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// engine.toml of the engine: if it does not run, its next start is halted.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["engine", "socket"])]
    config: Option<PathBuf>,
}

fn main() -> ExitCode {
    end("tickgate-halt", run(Cli::parse()))
}

fn run(cli: Cli) -> Result<(), Failure> {
    if cli.level == HaltLevel::Active {
        return Err(Failure::usage("a halt to `active` stops nothing; see tickgate resume"));
    }
    let Cli { mut which, what, level, operator, reason, config } = cli;
    let config = config.map(|path| Config::load(&path).map_err(Failure::usage)).transpose()?;
    if let Some(config) = &config {
        which.engine = Some(config.engine.name.clone());
    }
    let scope = what.scope();
    let text = format!("{scope}: {level}");
    let request = Request::Halt {
        scope: scope.clone(),
        level,
        operator: operator.clone(),
        reason: reason.clone(),
    };
    let done = match (which.ask(&request), config) {
        (Ok(Answer::Done(done)), _) => done,
        (Ok(_), _) => return Err(Failure::no_engine("the engine answered something else")),
        (Err(failure), Some(config)) if failure.code == 4 => {
            let (cause, reason) = (HaltCause::Human, clean_reason(&reason));
            let halt = Halt { scope, level, cause, operator, reason, since_ns: now_ns() };
            let path = latch(&config, halt, &failure)?;
            if which.json {
                println!("{}", json!({ "answer": "latched", "latch_file": path }));
            } else {
                println!("{text}; no engine runs, its next start is halted ({})", path.display());
            }
            return Ok(());
        }
        (Err(Failure { code: 4, message }), None) => {
            let message = format!("{message}; --config FILE halts the next start of that engine");
            return Err(Failure::no_engine(message));
        }
        (Err(failure), _) => return Err(failure),
    };
    if which.json {
        println!("{}", json!(Answer::Done(done)));
    } else {
        println!("{}", show::done(&text, &done));
    }
    Ok(())
}

/// Writes the latch file of an engine that does not run. Its name is held meanwhile, so that it cannot start half-way.
fn latch(config: &Config, halt: Halt, failure: &Failure) -> Result<PathBuf, Failure> {
    let folder = shm::Folder::standard();
    let _name =
        folder.prepare().and_then(|()| folder.lock(&config.engine.name)).map_err(|error| {
            // It runs and does not answer: whether it halted is not known.
            let message = format!("{}; {error}. End its process, then halt again", failure.message);
            Failure::no_engine(message)
        })?;
    let path = latch_path(config);
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::file(format!("{}: cannot be made: {error}", folder.display()))
        })?;
    }
    let kept = latch_file::read(&path).map_err(|error| {
        Failure::file(format!(
            "{error}; the next start of the engine halts everything because of it"
        ))
    })?;
    let mut halts: Vec<Halt> = kept;
    match halts.iter_mut().find(|kept| kept.scope == halt.scope) {
        Some(kept) if kept.level >= halt.level => {}
        Some(kept) => *kept = halt,
        None => halts.push(halt),
    }
    latch_file::write(&path, &halts).map_err(Failure::file)?;
    Ok(absolute(&path))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

fn now_ns() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(now.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}
