//! What `tickgate rate` and `tickgate split` share: asked first what would become of it, so that nobody types a passphrase for
//! what is refused; then said.

use clap::Args;
use program::{eprintln, println};
use serde_json::json;
use switch::{Answer, Booked, Books, Entry, Request};

use crate::args::Which;
use crate::exit::Failure;
use crate::{show, terminal};

/// Who changes the books, and whether it is meant.
#[derive(Args, Debug)]
pub struct Who {
    /// Only says what would change, or why it would be refused.
    #[arg(long)]
    pub dry_run: bool,
    /// Who says so.
    #[arg(long, value_name = "NAME", default_value = "", required_unless_present = "dry_run")]
    pub operator: String,
    /// Why; the first 32 characters are journalled.
    #[arg(long, value_name = "TEXT", default_value = "", required_unless_present = "dry_run")]
    pub reason: String,
}

/// Says it to the engine, and what came of it.
///
/// # Errors
///
/// Exit code 2 without a terminal, 4 without an engine, 5 if it refused.
pub fn say(which: &Which, entry: &Entry, who: Who) -> Result<(), Failure> {
    let Who { dry_run, operator, reason } = who;
    let (name, why) = (operator.clone(), reason.clone());
    let books = |dry_run, passphrase| Books {
        entry: entry.clone(),
        dry_run,
        operator: name.clone(),
        reason: why.clone(),
        passphrase,
    };
    let mut booked = ask(which, books(true, None))?;
    if !dry_run {
        eprintln!("{}", show::booked(&booked));
        let passphrase = terminal::passphrase(&format!("passphrase of {operator}"))?;
        booked = ask(which, books(false, Some(passphrase)))?;
    }
    if which.json {
        println!("{}", json!({ "dry_run": dry_run, "booked": booked }));
    } else {
        println!("{}", show::booked(&booked));
    }
    Ok(())
}

fn ask(which: &Which, books: Books) -> Result<Booked, Failure> {
    match which.ask(&Request::Books(books))? {
        Answer::Booked(booked) => Ok(*booked),
        _ => Err(Failure::no_engine("the engine answered something else")),
    }
}
