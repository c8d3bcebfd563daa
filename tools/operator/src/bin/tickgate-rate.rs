//! `tickgate-rate`: what one currency is worth in another, from here on. Needs a named operator, a reason, and the operator's
//! passphrase.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use engine::config::moment;
use model::{Ts, parse_decimal};
use operator::args::Which;
use operator::books::{Who, say};
use operator::exit::{Failure, end};
use switch::{Answer, Entry, Request};

/// Most places of a rate behind its point.
const DECIMALS_MAX: usize = 18;

/// Says what one currency is worth in another, for accounts above accounts of another currency.
///
/// It moves what limits of those accounts are held against, one way or the other: the passphrase is asked for at the terminal,
/// always. `[[rate]]` in limits.toml says which currencies need a rate, and how old it may be.
#[derive(Parser)]
#[command(
    name = "tickgate-rate",
    version,
    after_help = "Examples:\n  \
    tickgate rate EUR USD 1.0842 --dry-run\n  \
    tickgate rate EUR USD 1.0842 --operator ann --reason \"fixing\"\n  \
    tickgate rate EUR USD 1.0842 --at 2026-12-31T16:00:00Z --operator ann --reason \"fixing\" --json\n\
    Exit codes: 0 in force (or, with --dry-run, would be), 2 usage, 4 no engine, 5 refused."
)]
struct Cli {
    /// Of what, such as EUR.
    from: String,
    /// In what, such as USD.
    to: String,
    /// How many units of TO one unit of FROM is worth, in exact digits.
    #[arg(value_name = "RATE", value_parser = rate)]
    rate: (u64, u64),
    /// Since when by engine time; without it, from now on. Not of the future, and not before that of the rate in force.
    #[arg(long, value_name = "UTC", value_parser = at)]
    at: Option<Ts>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    who: Who,
}

fn main() -> ExitCode {
    end("tickgate-rate", run(Cli::parse()))
}

fn run(cli: Cli) -> Result<(), Failure> {
    let Cli { from, to, rate: (num, den), at, which, who } = cli;
    let at_ns = match at {
        Some(at) => at.0,
        // Of an engine that plays a captured day it is now then, not now here.
        None => match which.ask(&Request::Status {})? {
            Answer::Status(status) => status.engine_time_ns,
            _ => return Err(Failure::no_engine("the engine answered something else")),
        },
    };
    say(&which, &Entry::Rate { from, to, num, den, at_ns }, who)
}

fn at(text: &str) -> Result<Ts, String> {
    moment(text).ok_or_else(|| "a time in UTC, such as 2026-12-31T16:00:00Z".into())
}

/// A rate as a ratio, exactly as it is written.
fn rate(text: &str) -> Result<(u64, u64), String> {
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction).trim_end_matches('0');
    let places = Some(fraction.len()).filter(|places| *places <= DECIMALS_MAX);
    let read = places.and_then(|places| {
        let num = u64::try_from(parse_decimal(text, places as u32).ok()?).ok()?;
        Some((num, 10_u64.pow(places as u32))).filter(|_| num > 0)
    });
    read.ok_or_else(|| "a number above zero, such as 1.0842".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a rate is read exactly or not at all. Method: each shape, the largest, the finest, and one beyond.
    #[test]
    fn rates_are_exact() {
        assert_eq!(rate("1.0842"), Ok((10_842, 10_000)));
        assert_eq!(rate("1.5000"), Ok((15, 10)));
        assert_eq!(rate("157"), Ok((157, 1)));
        assert_eq!(rate("9223372036854775807"), Ok((i64::MAX as u64, 1)));
        assert_eq!(rate("0.000000000000000001"), Ok((1, 1_000_000_000_000_000_000)));
        for bad in
            ["", "0", "0.0", "-1", "1e3", "1,5", "9223372036854775808", "0.0000000000000000001"]
        {
            assert!(rate(bad).is_err(), "{bad}");
        }
    }
}
