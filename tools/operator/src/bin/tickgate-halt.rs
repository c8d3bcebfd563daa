//! `tickgate-halt`: stops trading, now. Needs no passphrase; with no engine running it halts the next one.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use engine::config::Config;
use engine::journal::JournalError;
use engine::journal::lease::Lease;
use engine::runtime::{can_have, latch_path};
use model::{HaltCause, HaltLevel};
use operator::args::{What, Which, level};
use operator::exit::{Failure, end};
use operator::said::{Said, each};
use operator::show;
use serde_json::json;
use switch::{Answer, Done, Halt, Request, clean_reason, latch_file};

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
    tickgate halt --symbol AAPL --engine paper     # its shards, if it has any\n  \
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
    let Cli { which, what, level, operator, reason, config } = cli;
    let scope = what.scope();
    let text = |in_force: &str| match level.name() {
        asked if asked == in_force => format!("{scope}: {asked}"),
        asked => format!("{scope}: {in_force}, which is above {asked}"),
    };
    let request = Request::Halt {
        scope: scope.clone(),
        level,
        operator: operator.clone(),
        reason: reason.clone(),
    };
    let (cause, reason) = (HaltCause::Human, clean_reason(&reason));
    let since_ns = now_ns();
    let halt = Halt { scope: scope.clone(), level, cause, operator, reason, since_ns };
    let engines = engines(&which, config.as_deref())?;
    let said = each(engines, |Target { which, config }| {
        let halted = halt_one(&which, &request, config.as_ref(), &halt)?;
        Ok(match (halted, which.json) {
            (Halted::Done(done), true) => Said::Json(json!(Answer::Done(done))),
            (Halted::Done(done), false) => Said::Text(show::done(&text(&done.level), &done)),
            (Halted::Next(path), true) => {
                Said::Json(json!({ "answer": "latched", "latch_file": path }))
            }
            (Halted::Next(path), false) => {
                let path = path.display();
                let text = text(level.name());
                Said::Text(format!("{text}; no engine runs, its next start is halted ({path})"))
            }
        })
    });
    said.print()
}

/// An engine that is to be halted, and its configuration, if that was given.
struct Target {
    which: Which,
    config: Option<Config>,
}

/// What became of a halt.
enum Halted {
    /// The engine has it.
    Done(Done),
    /// The engine does not run; it is in its latch file.
    Next(PathBuf),
}

/// All that is meant, by what to call it: the engine, or all shards.
fn engines(which: &Which, config: Option<&Path>) -> Result<Vec<(String, Target)>, Failure> {
    let Some(path) = config else {
        let each = which.each().map_err(|Failure { code, message }| {
            let message = format!("{message}; --config FILE halts the next start of that engine");
            Failure { code, message }
        });
        let target = |(name, which)| (name, Target { which, config: None });
        return Ok(each?.into_iter().map(target).collect());
    };
    let configs = Config::load(path).map_err(Failure::usage)?.engines();
    let alone = configs.len() == 1;
    let target = |config: Config| {
        let name = config.engine.name.clone();
        let which = Which { engine: Some(name.clone()), socket: None, json: which.json };
        (if alone { String::new() } else { name }, Target { which, config: Some(config) })
    };
    Ok(configs.into_iter().map(target).collect())
}

fn halt_one(
    which: &Which,
    request: &Request,
    config: Option<&Config>,
    halt: &Halt,
) -> Result<Halted, Failure> {
    match (which.ask(request), config) {
        (Ok(Answer::Done(done)), _) => Ok(Halted::Done(done)),
        (Ok(_), _) => Err(Failure::no_engine("the engine answered something else")),
        (Err(failure), Some(config)) if failure.code == 4 => {
            latch(config, halt.clone(), &failure).map(Halted::Next)
        }
        (Err(Failure { code: 4, message }), None) => {
            let message = format!("{message}; --config FILE halts the next start of that engine");
            Err(Failure::no_engine(message))
        }
        (Err(failure), _) => Err(failure),
    }
}

/// Writes the latch file of an engine that does not run. Its name and its journal are held meanwhile, so that it cannot start
/// half-way; and one that runs under another user or runtime folder, where its name was not looked for, still has its journal.
fn latch(config: &Config, halt: Halt, failure: &Failure) -> Result<PathBuf, Failure> {
    if !can_have(config, &halt.scope) {
        return Err(Failure::usage(format!("there is no {}", halt.scope)));
    }
    let folder = shm::Folder::standard();
    let _name =
        folder.prepare().and_then(|()| folder.lock(&config.engine.name)).map_err(|error| {
            // It runs and does not answer: whether it halted is not known.
            let message = format!("{}; {error}. End its process, then halt again", failure.message);
            Failure::no_engine(message)
        })?;
    let journal = config.engine.journal.as_ref();
    let lease = journal.map(|journal| Lease::take_idle(&journal.folder)).transpose();
    let _lease = lease.map_err(|error| {
        if !matches!(error, JournalError::InUse { .. }) {
            return Failure::file(error);
        }
        let sockets = folder.path().display();
        let text = "nothing is halted: name the engine's socket (--socket in place of --config), or its folder \
                    (TICKGATE_RUNTIME_DIR)";
        Failure::no_engine(format!("{error}; its socket is not in {sockets}; {text}"))
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
