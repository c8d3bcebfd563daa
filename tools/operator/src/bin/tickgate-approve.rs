//! `tickgate-approve`: lets one order pass beyond its soft limits, once. Needs a named operator, a reason, and the operator's
//! passphrase.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use operator::args::Which;
use operator::exit::{Failure, end};
use operator::{show, terminal};
use program::{eprintln, println};
use serde_json::json;
use switch::{Answer, Approval, Approve, Request};

/// Approves an order that was refused for a soft limit alone, or lists those that wait.
///
/// Whoever asked for it sends the same order again: on this account, in this instrument, on this side, with the conditions
/// that are listed, of at most this quantity, at this price or a better one. It then passes the whole gate but for the soft
/// limits, once. Hard limits stay as they are.
///
/// The passphrase is asked for at the terminal; `tickgate operator passwd NAME --config FILE` sets it.
#[derive(Parser)]
#[command(
    name = "tickgate-approve",
    version,
    after_help = "Examples:\n  \
    tickgate approve --list\n  \
    tickgate approve 7 --operator ann --reason \"client confirmed by phone\"\n  \
    tickgate approve 7 --seconds 60 --operator ann --reason \"client confirmed by phone\"\n\
    Exit codes: 0 approved (or listed), 2 usage, 4 no engine, 5 refused."
)]
struct Cli {
    #[command(flatten)]
    which: Which,
    /// Lists the orders that wait, and those that are approved and did not come yet.
    #[arg(long, conflicts_with_all = ["number", "operator", "reason"])]
    list: bool,
    /// The number that the refusal named.
    #[arg(value_name = "NUMBER", required_unless_present = "list")]
    number: Option<u32>,
    /// For how long it may come: at most a day.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    seconds: u64,
    /// Who says so.
    #[arg(long, value_name = "NAME", required_unless_present = "list", default_value = "")]
    operator: String,
    /// Why; the first 32 characters are journalled.
    #[arg(long, value_name = "TEXT", required_unless_present = "list", default_value = "")]
    reason: String,
}

fn main() -> ExitCode {
    end("tickgate-approve", run(Cli::parse()))
}

fn run(cli: Cli) -> Result<(), Failure> {
    let Cli { which, list: _, number, seconds, operator, reason } = cli;
    // How long ago something was is told by the engine's clock, which in a replay is not ours.
    let Answer::Status(status) = which.ask(&Request::Status {})? else { return Err(odd()) };
    let now_ns = status.engine_time_ns;
    let listed = listed(&which, now_ns)?;
    let Some(number) = number else {
        if which.json {
            println!("{}", json!({ "engine_time_ns": now_ns, "approvals": listed }));
        } else {
            println!("{}", show::approvals(&listed, now_ns));
        }
        return Ok(());
    };
    let waits = |approval: &Approval| approval.number == number && approval.until_ns.is_none();
    let Some(approval) = listed.into_iter().find(waits) else {
        let message = format!("refused: not_waiting: no order waits under {number}; see --list");
        return Err(Failure { code: 5, message });
    };
    let text = approval.to_string();
    eprintln!("{}", show::approval(&approval, now_ns));
    let passphrase = terminal::passphrase(&format!("passphrase of {operator}"))?;
    let asks = Approve { approval, seconds, operator, reason, passphrase };
    let Answer::Done(done) = which.ask(&Request::Approve(Box::new(asks)))? else {
        return Err(odd());
    };
    if which.json {
        println!("{}", json!(Answer::Done(done)));
    } else {
        println!("{}", show::approved(&text, seconds, &done));
    }
    Ok(())
}

/// What waits, and what is approved for longer than until now.
fn listed(which: &Which, now_ns: u64) -> Result<Vec<Approval>, Failure> {
    let Answer::Approvals { mut list } = which.ask(&Request::Approvals {})? else {
        return Err(odd());
    };
    list.retain(|approval| approval.until_ns.is_none_or(|until| until >= now_ns));
    Ok(list)
}

fn odd() -> Failure {
    Failure::no_engine("the engine answered something else")
}
