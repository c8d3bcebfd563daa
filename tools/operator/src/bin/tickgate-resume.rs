//! `tickgate-resume`: lowers a halt. Needs a named operator, a reason, and the operator's passphrase.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use model::HaltLevel;
use operator::args::{What, Which, level};
use operator::exit::{Failure, end};
use operator::{show, terminal};
use program::println;
use serde_json::json;
use switch::{Answer, Request};

/// Lowers a halt, if the engine finds all that it takes: see `tickgate status`. Cancelled orders stay cancelled.
///
/// The passphrase is asked for at the terminal; `tickgate operator passwd NAME --config FILE` sets it.
#[derive(Parser)]
#[command(
    name = "tickgate-resume",
    version,
    after_help = "Examples:\n  \
    tickgate resume --operator ann --reason \"limit corrected\"\n  \
    tickgate resume --account agent --level reduce_only --operator ann --reason \"flatten by hand\"\n\
    Exit codes: 0 resumed, 2 usage, 4 no engine, 5 refused; the message says which precondition does not hold."
)]
struct Cli {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    what: What,
    /// To which level: active, reduce_only or cancel_only.
    #[arg(long, default_value = "active", value_parser = level)]
    level: HaltLevel,
    /// Who says so.
    #[arg(long, value_name = "NAME")]
    operator: String,
    /// Why; the first 32 characters are journalled.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

fn main() -> ExitCode {
    end("tickgate-resume", run(Cli::parse()))
}

fn run(cli: Cli) -> Result<(), Failure> {
    let Cli { which, what, level, operator, reason } = cli;
    which.path()?; // Nobody types a passphrase for an engine that does not run.
    let passphrase = terminal::passphrase(&format!("passphrase of {operator}"))?;
    let scope = what.scope();
    let text = format!("{scope}: {level}");
    let request = Request::Resume { scope, level, operator, reason, passphrase };
    let Answer::Done(done) = which.ask(&request)? else {
        return Err(Failure::no_engine("the engine answered something else"));
    };
    if which.json {
        println!("{}", json!(Answer::Done(done)));
    } else {
        println!("{}", show::done(&text, &done));
    }
    Ok(())
}
