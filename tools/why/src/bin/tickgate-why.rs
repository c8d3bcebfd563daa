//! `tickgate-why`: why an order passed or was refused.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clap::{ArgGroup, Parser};
use engine::config::Config;
use journal::failure::{Failure, end, stop_on_signal, warn};
use journal::progress::Progress;
use journal::scan::{self, Scan};
use model::{ClientOrderId, OrderId, Symbol};
use program::{print, println};
use serde_json::json;
use why::find::{Search, Wanted, find};
use why::{json as as_json, text};

/// Replays a journal up to an order, shows what the engine knew and what every check found, then what became of it.
///
/// A refused new order has no number: it is found by what its asker called it, or by the input that it came with
/// (`engine_seq` of the answer). What never became an input is in no journal: requests over budget or malformed, those on
/// an account that is closed to clients, and new orders while the journal was full.
#[derive(Parser)]
#[command(
    name = "tickgate-why",
    version,
    after_help = "Examples:\n  \
    tickgate why 1048577 --journal journal\n  \
    tickgate why --client-id a-17 --account agent --json\n  \
    tickgate why --seq 60123 --config deploy/engine.toml\n\n\
    Exit codes: 0 explained; 1 not in the journal, or the replay differs from it; 2 usage or configuration; 3 no journal, or\n\
    one that cannot be read; 130 interrupted.",
    group = ArgGroup::new("which").required(true)
)]
struct Cli {
    /// The order, and every change of it.
    #[arg(value_name = "ORDER_ID", group = "which")]
    order: Option<u64>,
    /// Whatever was judged in this input: `engine_seq`.
    #[arg(long, value_name = "N", group = "which")]
    seq: Option<u64>,
    /// What a client, a strategy or a file called the order or the change.
    #[arg(long, value_name = "TEXT", group = "which", value_parser = client_id)]
    client_id: Option<ClientOrderId>,
    /// The asker's number of the request.
    #[arg(long, value_name = "N", group = "which")]
    request: Option<u64>,
    /// Only on this account.
    #[arg(long, value_name = "NAME", value_parser = symbol)]
    account: Option<Symbol>,
    /// The journal's folder.
    #[arg(long, value_name = "FOLDER", conflicts_with = "config")]
    journal: Option<PathBuf>,
    /// engine.toml, which names the journal.
    #[arg(long, value_name = "FILE", default_value = "deploy/engine.toml")]
    config: PathBuf,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

fn client_id(text: &str) -> Result<ClientOrderId, String> {
    ClientOrderId::new(text).map_err(|error| error.to_string())
}

fn symbol(text: &str) -> Result<Symbol, String> {
    Symbol::new(text).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    end("tickgate-why", run(&Cli::parse()))
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let stop = stop_on_signal()?;
    let (wanted, name) = wanted(cli)?;
    let folder = folder(cli)?;
    let (mut replay, Scan { inputs: last, .. }) = scan::open(&folder)?;
    let search = Search { wanted, account: cli.account };
    let progress = Progress::new(last, "replaying").until(Arc::clone(&stop));
    let story = find(&mut replay, search, progress)?;
    if stop.load(Ordering::Relaxed) {
        return Err(Failure::interrupted());
    }
    warn("tickgate-why", &replay);
    if story.judged.is_empty() && story.unjudged.is_empty() {
        let on = cli.account.map_or(String::new(), |account| format!(" on account {account}"));
        let folder = folder.display();
        return Err(Failure::check(format!(
            "{name}{on} is not in {folder}, whose last input is {last}. A refused new order has no number: ask by --seq, \
             --client-id or --request; `tickgate journal export` lists all requests. What never became an input (over \
             budget, malformed, account closed to clients, journal full) is in the audit log alone"
        )));
    }
    if cli.json {
        let mut object = as_json::story(&story);
        if let Some(object) = object.as_object_mut() {
            object.insert("journal".into(), json!(folder.display().to_string()));
        }
        println!("{object}");
    } else {
        print!("{}", text::story(&story));
    }
    match story.judged.iter().find(|judged| !judged.agrees()) {
        None => Ok(()),
        Some(judged) => {
            let seq = judged.seq;
            Err(Failure::check(format!(
                "input {seq}: the gate said otherwise than it is explained"
            )))
        }
    }
}

fn wanted(cli: &Cli) -> Result<(Wanted, String), Failure> {
    match (cli.order, cli.seq, cli.client_id, cli.request) {
        (Some(id), ..) => Ok((Wanted::Order(OrderId(id)), format!("order {id}"))),
        (_, Some(seq), ..) => Ok((Wanted::Input(seq), format!("an order in input {seq}"))),
        (_, _, Some(id), _) => Ok((Wanted::ClientId(id), format!("client order id {id}"))),
        (_, _, _, Some(number)) => Ok((Wanted::Request(number), format!("request {number}"))),
        _ => Err(Failure::usage("which order? ORDER_ID, --seq, --client-id or --request")),
    }
}

fn folder(cli: &Cli) -> Result<PathBuf, Failure> {
    if let Some(folder) = &cli.journal {
        return Ok(folder.clone());
    }
    let config = Config::load(&cli.config)?;
    config.engine.journal.map(|journal| journal.folder).ok_or_else(|| {
        let path = cli.config.display();
        Failure::usage(format!("{path} names no [journal]; --journal FOLDER does"))
    })
}
