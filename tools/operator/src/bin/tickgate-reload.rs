//! `tickgate-reload`: gives a running engine other limits.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use engine::config::Config;
use operator::args::Which;
use operator::exit::{Failure, end};
use operator::{show, terminal};
use program::{eprintln, println};
use serde_json::json;
use switch::{Answer, Limits, Reload, Request};

/// Puts the limits.toml beside engine.toml in force, from the next order on; cancels nothing. A wrong file changes nothing.
///
/// What is looser needs an operator, a reason, and the operator's passphrase, asked for at the terminal; what is tighter needs
/// none. Accounts cannot come, go or change their names, parents, currencies and cash: that takes a new journal.
#[derive(Parser)]
#[command(
    name = "tickgate-reload",
    version,
    after_help = "Examples:\n  \
    tickgate reload --config deploy/engine.toml --dry-run\n  \
    tickgate reload --config deploy/engine.toml\n  \
    tickgate reload --config deploy/engine.toml --operator ann --reason \"more room for the open\"\n\
    Exit codes: 0 in force (or, with --dry-run, compared), 2 usage or configuration, 4 no engine, 5 refused."
)]
struct Cli {
    #[command(flatten)]
    which: Which,
    /// engine.toml of the engine; limits.toml is read from the same folder.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only says what would change.
    #[arg(long)]
    dry_run: bool,
    /// Who says so.
    #[arg(long, value_name = "NAME", default_value = "")]
    operator: String,
    /// Why; the first 32 characters are journalled.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

fn main() -> ExitCode {
    end("tickgate-reload", run(Cli::parse()))
}

fn run(cli: Cli) -> Result<(), Failure> {
    let Cli { mut which, config, dry_run, operator, reason } = cli;
    // All that is wrong is said here, with the paths that the asker knows; the engine looks again.
    let config = Config::load(&config).map_err(Failure::usage)?;
    if which.engine.is_none() && which.socket.is_none() {
        which.engine = Some(config.engine.name.clone());
    }
    let asks = |base, dry_run| Reload {
        text: config.limits_text().to_owned(),
        base,
        dry_run,
        operator: operator.clone(),
        reason: reason.clone(),
        passphrase: None,
    };
    let compared = reload(&which, asks(None, true))?;
    if dry_run {
        return said(&which, &compared, true);
    }
    let mut asks = asks(Some(compared.version.saturating_sub(1)), false);
    if compared.looser_count > 0 {
        eprintln!("{}", show::limits(&compared, true));
        if operator.is_empty() || reason.is_empty() {
            let message = "refused: loosens: looser limits need --operator NAME and --reason TEXT";
            return Err(Failure { code: 5, message: message.into() });
        }
        asks.passphrase = Some(terminal::passphrase(&format!("passphrase of {operator}"))?);
    }
    let taken = reload(&which, asks)?;
    said(&which, &taken, false)
}

fn reload(which: &Which, asks: Reload) -> Result<Limits, Failure> {
    match which.ask(&Request::Reload(asks)) {
        Ok(Answer::Limits(limits)) => Ok(*limits),
        Ok(_) => Err(Failure::no_engine("the engine answered something else")),
        // The file is at fault, not the moment.
        Err(Failure { code: 5, message })
            if ["refused: bad_limits:", "refused: fixed:", "refused: too_long:"]
                .iter()
                .any(|start| message.starts_with(start)) =>
        {
            Err(Failure::usage(message))
        }
        Err(failure) => Err(failure),
    }
}

fn said(which: &Which, limits: &Limits, dry_run: bool) -> Result<(), Failure> {
    if which.json {
        println!("{}", json!({ "dry_run": dry_run, "limits": limits }));
    } else {
        println!("{}", show::limits(limits, dry_run));
    }
    Ok(())
}
