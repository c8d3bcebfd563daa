//! `tickgate-sim`: simulated venues, to try an engine against.
//!
//! One module a kind of venue: `crypto` those over WebSocket, `mold` those of Nasdaq's kind over lines, `soup`
//! over connections, `ouch` one that takes orders.
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
    Crypto(command::crypto::Options),
    Mold(Box<command::mold::Options>),
    Ouch(command::ouch::Options),
    Soup(command::soup::Options),
}

fn main() -> ExitCode {
    match Options::parse().venue {
        Venue::Crypto(options) => command::crypto::run(&options),
        Venue::Mold(options) => command::mold::run(&options),
        Venue::Ouch(options) => command::ouch::run(&options),
        Venue::Soup(options) => command::soup::run(&options),
    }
}
