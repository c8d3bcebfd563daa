//! `tickgate-sim`: simulated venues, to try an engine against.
//!
//! One module a venue: `mold` is of Nasdaq's kind.
#![forbid(unsafe_code)]

mod command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Simulates a venue, with faults on demand. Nothing in it is real.
#[derive(Parser)]
#[command(name = "tickgate-sim", version)]
struct Options {
    #[command(subcommand)]
    venue: Venue,
}

#[derive(Subcommand)]
enum Venue {
    Mold(command::mold::Options),
}

fn main() -> ExitCode {
    match Options::parse().venue {
        Venue::Mold(options) => command::mold::run(&options),
    }
}
