//! `tickgate-status`: how an engine stands, and what is halted.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use operator::args::Which;
use operator::exit::{Failure, end};
use operator::said::{Said, each};
use operator::show;
use serde_json::json;
use switch::{Answer, Request};

/// Says how an engine, or each shard, stands: its loop, what is halted and why, its feeds, its journal, its orders.
#[derive(Parser)]
#[command(
    name = "tickgate-status",
    version,
    after_help = "Examples:\n  tickgate status\n  tickgate status --engine paper --json\n\
    Exit codes: 0 it answered, 4 no engine."
)]
struct Cli {
    #[command(flatten)]
    which: Which,
}

fn main() -> ExitCode {
    end("tickgate-status", run(&Cli::parse()))
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let said = each(cli.which.each()?, |which| {
        let Answer::Status(status) = which.ask(&Request::Status {})? else {
            return Err(Failure::no_engine("the engine answered something else"));
        };
        Ok(match which.json {
            true => Said::Json(json!(status)),
            false => Said::Text(show::status(&status)),
        })
    });
    said.print()
}
