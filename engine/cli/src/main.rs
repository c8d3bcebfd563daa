//! `tickgate`: the operator's command. What is built in stands in [`Command`]; `tickgate X` for any other X runs `tickgate-X`
//! beside it.

#![forbid(unsafe_code)]

mod check_config;
mod demo;
mod external;
mod orders_file;
mod replay;
mod run;
mod screen;

use cli::{captured, exit, quiet, streams, summary};
use program::eprintln;

use clap::{Parser, Subcommand};

use std::ffi::OsString;

use exit::Failure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Low-latency market data and pre-trade risk: captures or live feeds in, checked orders out.
#[derive(Parser)]
#[command(
    name = "tickgate",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
#[command(
    after_help = "Any other command X runs tickgate-X: approve, audit, book, capture, convert, doctor, follow, halt,\n\
    journal, latency, load, mcp, operator, rate, reload, resume, risk, sim, split, status, synth, whatif, why.\n\
    Exit codes: 0 done, 1 a check failed, 2 usage or configuration, 3 bad input, 4 no engine, 5 refused, 130 interrupted,\n\
    141 nobody read the answer."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Replay(replay::Replay),
    Run(run::Run),
    CheckConfig(check_config::CheckConfig),
    /// Another program of tickgate.
    #[command(external_subcommand)]
    External(Vec<OsString>),
}

fn main() -> std::process::ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .with_target(false)
        .init();
    let outcome = match Cli::parse().command {
        Command::Demo(demo) => demo.run(),
        Command::Replay(replay) => replay.run(),
        Command::Run(run) => run.run(),
        Command::CheckConfig(check) => check.run(),
        Command::External(words) => external::run(&words),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(Failure { code, message }) => {
            if !message.is_empty() {
                eprintln!("tickgate: {message}");
            }
            std::process::ExitCode::from(code)
        }
    }
}
